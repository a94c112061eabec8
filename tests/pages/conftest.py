"""What the tests of the built pages share: a server, a browser, and who gets which page."""

import sys
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from built import BOOK
from playwright.sync_api import Browser, Page, sync_playwright

from lstm_lib.figures import live

PREFIX = "/lstm-measured"  # the path of the published site
BROWSER = Path(sys.prefix) / "browser"  # written by tools/get_browser.py


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Give all tests of one page to one worker, which then loads the page once.

    Of the other files, one worker takes all tests of a file.

    `--dist loadgroup` and its marks had no effect with pytest 9.2 and pytest-xdist 3.8.
    """
    from xdist.scheduler import LoadScopeScheduling

    class ByPage(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file, _, test = nodeid.partition("::")
            return test.partition("[")[2] if file.endswith("test_every_page.py") else file

    return ByPage(config, log) if config.option.markexpr == "pages" else None


class PagesHandler(SimpleHTTPRequestHandler):
    """Serves the book as GitHub Pages does, below the name of the repository; and does not log."""

    def translate_path(self, path: str) -> str:
        """Find the file of an address; outside of the site there is none."""
        inside = path.removeprefix(PREFIX)
        return super().translate_path(inside) if inside != path else str(BOOK / "outside")

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Answer with the book's own page where there is none."""
        body = (BOOK / "404.html").read_bytes()
        self.send_response(code, message)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="session")
def site() -> Iterator[str]:
    """Serve the book on this machine and give its address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(PagesHandler, directory=BOOK))
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}{PREFIX}"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Start the browser that `make pages` found, once for all pages of a worker."""
    assert BROWSER.exists(), "no browser was looked for yet: run `make pages`"
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=BROWSER.read_text(encoding="utf-8"),
            args=["--no-sandbox", "--disable-gpu"],
        )
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def axe() -> str:
    """Give the script of axe-core."""
    return (files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def functions(request: pytest.FixtureRequest, browser: Browser) -> Iterator[Page]:
    """Give an empty page that knows the `FUNCTIONS` of the live figure `NAME` of a test file."""
    page = browser.new_page()
    text = live.module(request.module.NAME).replace("export default", "const figure =")
    page.add_script_tag(content=f"{text}\nObject.assign(window, {{ {request.module.FUNCTIONS} }});")
    yield page
    page.close()
