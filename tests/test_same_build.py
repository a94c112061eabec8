"""A book that is built again is the same, and what no longer fits the theme is told."""

import os
from pathlib import Path
from types import SimpleNamespace
from zlib import crc32

import jinja2
import matplotlib
import pytest
from docutils import nodes
from docutils.utils import new_document

from book._ext.cut_fonts import cut_font
from book._ext.dark_twins import add_twins
from book._ext.finished_page import Bridge, warn_of_lost_mends
from book._ext.stamped import stamp

FONT = Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf"


def test_a_font_that_is_cut_later_has_the_same_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    cuts = set()
    for now in ("0", "1000000000"):
        monkeypatch.setenv("SOURCE_DATE_EPOCH", now)  # a clock that fontTools prefers to the real
        cuts.add(cut_font(FONT, {ord("σ")}))
    assert len(cuts) == 1


def show(drawing: Path, folder: Path) -> None:
    """Let a page show a drawing that a notebook has stored."""
    doctree = new_document("page")
    doctree += nodes.paragraph("", "", nodes.image(uri=drawing.name))
    env = SimpleNamespace(docname="page", relfn2path=lambda uri, page: (uri, str(drawing)))
    add_twins(SimpleNamespace(outdir=folder / "html", srcdir=folder, env=env), doctree)


def test_the_twin_of_a_drawing_that_two_pages_show_is_written_once(tmp_path: Path) -> None:
    drawing = tmp_path / "jupyter_execute" / "a.svg"
    drawing.parent.mkdir()
    drawing.write_text("<svg></svg>")
    show(drawing, tmp_path)
    twin = tmp_path / "dark_twins" / "a-dark.svg"
    os.utime(twin, (1, 1))
    show(drawing, tmp_path)
    assert twin.stat().st_mtime == 1


@pytest.mark.parametrize("old", ["", "?v=0123abcd", "?digest=0123abcd"])
@pytest.mark.parametrize("path", ["_static/", "../_static/", "/lstm-measured/_static/"])
def test_the_address_of_a_sheet_holds_the_sum_of_what_is_in_it(
    path: str, old: str, tmp_path: Path
) -> None:
    (tmp_path / "_static" / "styles").mkdir(parents=True)
    (tmp_path / "_static" / "styles" / "a.css").write_text("p{a:b}")
    page = tmp_path / "a.html"
    page.write_text(f'<link href="{path}styles/a.css{old}" /><img src="{path}a.svg">')
    stamp(tmp_path)
    address = f"{path}styles/a.css?v={crc32(b'p{a:b}'):08x}"
    assert page.read_text() == f'<link href="{address}" /><img src="{path}a.svg">'


@pytest.fixture
def bridge() -> Bridge:
    """Give the bridge to a template that has none of the theme's faults but one."""
    bridge = Bridge()
    page = '<!DOCTYPE html><meta charset="utf-8" /><p role="doc-biblioentry"></p>'
    bridge.environment = jinja2.Environment(loader=jinja2.DictLoader({"page.html": page}))
    bridge.builder = SimpleNamespace(name="html", srcdir="", images={}, templates=bridge)
    bridge.begin_to_count()
    return bridge


def warnings_of_a_build(
    bridge: Bridge, written: list[str], caplog: pytest.LogCaptureFixture
) -> str:
    """Write some of the two pages of a book and return what is said at the end."""
    for page in written:
        bridge.render("page.html", {"pagename": page})
    env = SimpleNamespace(found_docs={"a", "b"})
    warn_of_lost_mends(SimpleNamespace(builder=bridge.builder, env=env), None)
    return caplog.text


def test_a_mend_that_fits_no_page_is_told(bridge: Bridge, caplog: pytest.LogCaptureFixture) -> None:
    said = warnings_of_a_build(bridge, ["a", "b"], caplog)
    assert "no page has '<th class=\"head\"><p></p></th>' any more" in said


def test_a_mend_that_fits_a_page_is_not_told(
    bridge: Bridge, caplog: pytest.LogCaptureFixture
) -> None:
    assert "doc-biblioentry" not in warnings_of_a_build(bridge, ["a", "b"], caplog)


def test_a_build_of_some_pages_says_nothing_of_mends(
    bridge: Bridge, caplog: pytest.LogCaptureFixture
) -> None:
    assert warnings_of_a_build(bridge, ["a"], caplog) == ""
