"""Find or fetch a Chromium that Playwright can drive, and write its path to a file.

Usage: python tools/get_browser.py FILE

Tried in this order, until one really starts: $BROWSER_PATH; Playwright's own, if it was downloaded
before; Chromium or Chrome of the system; a download by Playwright; the system's package manager,
where we are root.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import Error, sync_playwright

KNOWN = Path(sys.prefix) / "browser"  # what `make` lets this write
NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"]
MAC = [
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
]
# --no-sandbox: a container's root cannot set up the sandbox; only our own pages are opened.
ARGUMENTS = ["--no-sandbox", "--disable-gpu"]
PACKAGE_MANAGERS = {
    "apt-get": [["apt-get", "update"], ["apt-get", "install", "--yes", "chromium"]],
    "dnf": [["dnf", "install", "--assumeyes", "chromium"]],
    "apk": [["apk", "add", "chromium"]],
    "pacman": [["pacman", "-S", "--noconfirm", "chromium"]],
}
WHAT_TO_DO = """No browser for the tests of the pages. Do one of these, then run make again:
  - install Chromium or Chrome with your system's package manager
    (Debian: sudo apt-get install chromium; macOS: brew install --cask chromium);
  - let Playwright fetch one:  .venv/bin/playwright install --with-deps chromium
  - name one that you have:    make test BROWSER_PATH=/path/to/chrome
"""


def known() -> str:
    """Return the path of the browser that was found before.

    Ends the program with what to do where none was looked for yet, or where it has gone since.
    """
    if not KNOWN.exists():
        sys.exit(f"{KNOWN} is not there: `make pdf` looks for a browser first")
    executable = KNOWN.read_text(encoding="utf-8").strip()
    if not Path(executable).exists():
        sys.exit(f"the browser {executable} is gone: delete {KNOWN} and run make again")
    return executable


def starts(executable: str) -> bool:
    """Tell whether the browser starts and shows a page."""
    with sync_playwright() as playwright:
        try:
            browser = playwright.chromium.launch(
                executable_path=executable, args=ARGUMENTS, timeout=30_000
            )
            page = browser.new_page()
            page.goto("data:text/html,<p>ready")
            ready = page.inner_text("p") == "ready"
            browser.close()
        except Error:
            return False
    return ready


def present() -> Iterator[str]:
    """Yield the browsers that are on this machine now."""
    with sync_playwright() as playwright:
        playwrights_own = playwright.chromium.executable_path
    candidates = [os.environ.get("BROWSER_PATH", ""), playwrights_own]
    candidates += [shutil.which(name) or "" for name in NAMES]
    yield from (path for path in candidates + MAC if path and Path(path).exists())


def download() -> None:
    """Let Playwright fetch its own; where it is not reachable, this fails within a minute."""
    environment = {**os.environ, "PLAYWRIGHT_DOWNLOAD_CONNECTION_TIMEOUT": "10000"}
    command = [sys.executable, "-m", "playwright", "install"]
    if sys.platform == "linux" and os.geteuid() == 0 and shutil.which("apt-get"):
        command.append("--with-deps")
    subprocess.run([*command, "chromium"], env=environment, check=False)


def install_package() -> None:
    """Let the system's package manager install Chromium, where we may."""
    if sys.platform != "linux" or os.geteuid() != 0:
        return
    for name, commands in PACKAGE_MANAGERS.items():
        if shutil.which(name):
            for command in commands:
                subprocess.run(command, check=False)
            return


def main(target: Path) -> int:
    """Write the path of a working browser to `target`; return the exit status."""
    for fetch in (lambda: None, download, install_package):
        fetch()
        for executable in present():
            if starts(executable):
                print(f"Browser for the tests: {executable}")
                target.write_text(executable, encoding="utf-8")
                return 0
    print(WHAT_TO_DO, file=sys.stderr)
    return 1


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("Usage: python tools/get_browser.py FILE")
    sys.exit(main(Path(sys.argv[1])))
