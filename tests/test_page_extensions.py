"""What our Sphinx extensions do to pages and sheets, on small pieces of both."""

from pathlib import Path

import numpy as np
import pytest
from matplotlib.image import imsave

from book._ext.accessible import mend_page
from book._ext.light import lighten, size_of
from book._ext.policy import guard, policy_for
from book._ext.trimmed_styles import embed_icons, icons_in, trim

USED = {"card", "open"}
HEAD = '<meta charset="utf-8" />'


@pytest.mark.parametrize(
    ("css", "kept"),
    [
        (".card{a:b}.modal{a:b}", ".card{a:b}"),
        (".card,.modal .open{a:b}", ".card{a:b}"),
        (".card.modal{a:b}", ""),
        ("p>a:hover{a:b}", "p>a:hover{a:b}"),
        ("@media print{.modal{a:b}}.open{a:b}", ".open{a:b}"),
        ("@media print{.card{a:b}}", "@media print{.card{a:b}}"),
        ("@font-face{a:b}@keyframes modal{to{a:b}}", "@font-face{a:b}@keyframes modal{to{a:b}}"),
        # Which classes an element must not have, or may have, says nothing against the rule.
        ("p:not(.modal):is(.modal,.card){a:b}", "p:not(.modal):is(.modal,.card){a:b}"),
        ('[href=".modal"]{content:".modal"}', '[href=".modal"]{content:".modal"}'),
        ("/*! licence */.card{a:b}/* note */", "/*! licence */.card{a:b}"),
    ],
)
def test_a_rule_stays_if_a_page_can_match_one_of_its_selectors(css, kept):
    assert trim(css, USED) == kept


def test_what_is_no_style_sheet_is_refused_with_its_line():
    with pytest.raises(ValueError, match=r"css must be a style sheet, got .* in line 2"):
        trim(".card{a:b}\n.open", USED)


def test_icons_are_found_as_escapes_and_as_letters():
    assert icons_in('a{content:"\\f104"}b{content:"\uf0f3"}c{content:"\\2014"}') == {0xF104, 0xF0F3}


def test_a_sheet_that_names_its_icon_fonts_in_another_way_is_refused():
    with pytest.raises(ValueError, match=r"css must name icon fonts as .* finds them, got none"):
        embed_icons('@font-face{src:url("fa.woff3")}', Path(), set())


def test_a_page_may_only_ask_for_what_its_policy_names():
    assert [directive.split()[0] for directive in policy_for("<p>words</p>").split("; ")] == [
        "default-src",
        "script-src",
        "style-src",
        "style-src-attr",
        "img-src",
        "font-src",
        "media-src",
        "connect-src",
        "form-action",
        "base-uri",
    ]


def test_the_policy_lets_in_the_scripts_of_the_page_by_their_hash():
    # printf alert | openssl dgst -sha256 -binary | base64
    digest = "'sha256-35BQWN1npAn++BSA6B5HNlcrDttNf7mHxpXNB+Jg7IE='"
    assert digest in policy_for("<script>alert</script>")


@pytest.mark.parametrize(
    "html", ['<script src="a.js"></script>', '<script type="text/x-config">a</script>', "<p>a</p>"]
)
def test_what_does_not_run_from_within_the_page_needs_no_hash(html):
    assert "sha256" not in policy_for(html)


def test_the_policy_stands_right_after_the_charset():
    html = guard(f"<head>{HEAD}<script>a</script></head>")
    assert html.startswith(f'<head>{HEAD}<meta http-equiv="Content-Security-Policy"')


def test_an_inline_event_handler_is_refused():
    with pytest.raises(
        ValueError, match="html must have no inline event handlers, got '<p onclick"
    ):
        policy_for('<p onclick="f()">words</p>')


def test_only_the_search_page_loads_the_index_of_the_search():
    index = '<script defer src="../searchindex.js?v=1"></script>'
    other = '<script defer src="a.js"></script>'
    assert lighten(index + other, "search", {}) == index + other
    assert lighten(index + other, "notebooks/01", {}) == other


def test_scripts_wait_until_the_page_is_read_but_the_options_do_not():
    options = '<script src="documentation_options.js"></script>'
    html = lighten(f'{options}<script src="a.js"></script><script>a</script>', "a", {})
    assert html == f'{options}<script defer src="a.js"></script><script>a</script>'


def test_code_has_no_marks_that_change_no_colour():
    code = '<span class="n">a</span><span class="p">[</span><span class="mi">1</span>'
    assert lighten(code, "a", {}) == 'a[<span class="mi">1</span>'


def test_pictures_name_their_size_and_those_below_the_first_section_wait(tmp_path):
    picture = tmp_path / "a.svg"
    picture.write_text('<svg width="72pt" height="36.2px" viewBox="0 0 1 1"></svg>')
    image = '<img alt="A" src="../_images/a.svg">'
    html = lighten(f"<article>{image}<h2>Title</h2>{image}</article>", "a", {"a.svg": picture})
    sized = '<img width="96" height="36" {}decoding="async" alt="A" src="../_images/a.svg">'
    lazy = sized.format('loading="lazy" ')
    assert html == f"<article>{sized.format('')}<h2>Title</h2>{lazy}</article>"


@pytest.mark.parametrize("given", ['width="5"', 'height="5"', 'style="width: 50%"'])
def test_a_size_that_the_author_has_given_stands(given, tmp_path):
    picture = tmp_path / "a.svg"
    picture.write_text('<svg width="72pt" height="36pt"></svg>')
    html = lighten(f'<img {given} src="_images/a.svg">', "a", {"a.svg": picture})
    assert html == f'<img loading="lazy" decoding="async" {given} src="_images/a.svg">'


def test_the_size_of_a_png_is_its_width_and_its_height(tmp_path):
    imsave(tmp_path / "a.png", np.zeros((2, 3, 3)))
    assert size_of(tmp_path / "a.png") == (3, 2)


def test_a_picture_without_a_size_of_its_own_has_none(tmp_path):
    picture = tmp_path / "a.svg"
    picture.write_text('<svg width="100%" viewBox="0 0 1 1"></svg>')
    assert size_of(picture) is None


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ('<p role="doc-biblioentry">', '<p role="listitem">'),
        ('<th class="head"><p></p></th>', "<td></td>"),
        (
            '<i class="fa-solid fa-angle-right"></i>',
            '<i aria-hidden="true" class="fa-solid fa-angle-right"></i>',
        ),
        (
            '<div class="sidebar-primary-items__start x">',
            '<div role="navigation" aria-label="Book" class="sidebar-primary-items__start x">',
        ),
        (
            '<button class="btn search-button-field" title="S" aria-label="Search">Search</button>',
            '<button class="btn search-button-field" title="S">Search</button>',
        ),
        (
            '<th class="head"><p><span class="math x"><math><mi>x</mi></math></span></p></th>',
            '<th class="head"><p><span class="visually-hidden">symbol </span>'
            '<span class="math x"><math><mi>x</mi></math></span></p></th>',
        ),
    ],
)
def test_what_the_theme_gets_wrong_is_mended(wrong, right):
    assert mend_page(wrong) == right
