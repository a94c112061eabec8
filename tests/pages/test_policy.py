"""The policy of each page: what it lets in, and that the browser keeps to it."""

import re

import pytest
from built import BOOK
from playwright.sync_api import Browser

PAGES = sorted(
    path.relative_to(BOOK).as_posix()
    for path in BOOK.rglob("*.html")
    if "_static" not in path.parts
)
POLICY = re.compile(r'<meta http-equiv="Content-Security-Policy" content="([^"]*)">')
DOT = "data:image/gif;base64,R0lGODlhAQABAAAAACH5BAEKAAEALAAAAAABAAEAAAICTAEAOw=="

pytestmark = [pytest.mark.pages]


def read(page: str) -> str:
    """Give the HTML of a page."""
    return (BOOK / page).read_text(encoding="utf-8")


@pytest.mark.parametrize("page", PAGES)
def test_a_page_has_one_policy_before_all_that_it_is_about(page: str) -> None:
    html = read(page)
    first = re.search(r"<(script|style|link)\b", html)
    (policy,) = POLICY.finditer(html)
    assert first is None or policy.start() < first.start()


@pytest.mark.parametrize("page", PAGES)
def test_a_policy_names_no_other_host_and_allows_nothing_unseen(page: str) -> None:
    (policy,) = POLICY.findall(read(page))
    directives = [directive.split() for directive in policy.split("; ")]
    sources = {source for _, *named in directives for source in named}
    known = {"'none'", "'self'", "file:", "data:", "'unsafe-hashes'"}
    assert directives[0] == ["default-src", "'none'"]
    assert {s for s in sources if not re.fullmatch(r"'sha256-[\w+/]{43}='", s)} <= known


@pytest.mark.parametrize("page", PAGES)
def test_only_styles_are_allowed_by_their_hash_as_attributes(page: str) -> None:
    (policy,) = POLICY.findall(read(page))
    named = [directive for directive in policy.split("; ") if "'unsafe-hashes'" in directive]
    assert [directive.split()[0] for directive in named] in ([], ["style-src-attr"])


@pytest.mark.parametrize(
    ("html", "directive"),
    [
        ('<img alt="" src="https://example.org/picture.png">', "img-src"),
        ('<link rel="stylesheet" href="https://example.org/style.css">', "style-src-elem"),
        ('<p style="color: red">words</p>', "style-src-attr"),
        (f'<img alt="" src="{DOT}" onload="print()">', "script-src-attr"),
        ('<iframe src="/index.html"></iframe>', "frame-src"),
    ],
)
def test_the_browser_refuses_what_the_policy_does_not_name(
    html: str, directive: str, browser: Browser, site: str
) -> None:
    page = browser.new_page()
    page.goto(f"{site}/notebooks/03_gates.html")
    refused = page.evaluate(
        """(html) => new Promise((done) => {
            const tell = (event) => done(event.effectiveDirective);
            document.addEventListener("securitypolicyviolation", tell);
            document.body.insertAdjacentHTML("beforeend", html);
            setTimeout(() => done("nothing"), 5000);
        })""",
        html,
    )
    page.close()
    assert refused == directive
