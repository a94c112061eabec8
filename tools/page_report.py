"""Measure the built pages, print a table and keep pictures of them.

Usage: python -m tools.page_report _build/html _build/report

For each page: its weight at the first view without its own pictures, as files and as gzip sends
them, the requests, what axe-core finds in both themes, the stops of the Tab key, the time to the
first paint on a processor four times slower than this one. For some pages Lighthouse's scores
(mobile profile), where npm can bring it; else it says why not. In the report's folder lie their
pictures in both themes and three widths, and the path that the Tab key takes through them.
"""

import json
import os
import subprocess
import sys
from gzip import compress
from importlib.resources import files
from math import nan
from pathlib import Path
from statistics import median
from typing import NamedTuple

from playwright.sync_api import Browser, Response, sync_playwright

from tools.get_browser import known
from tools.gzip_server import serve

LIGHTHOUSE = "lighthouse@12.8.2"
CATEGORIES = ("performance", "accessibility", "best-practices", "seo")
QUIETLY = ["--ignore-scripts", "--no-audit", "--no-fund"]
HEADLESS = [
    "--quiet",
    "--output=json",
    f"--only-categories={','.join(CATEGORIES)}",
    "--chrome-flags=--headless --no-sandbox --disable-gpu",
]
# What Lighthouse is asked about, and what is photographed: a start, two chapters, a long page.
CHOSEN = [
    "book/index.html",
    "notebooks/01_rnn_limits.html",
    "notebooks/04_cell_walkthrough.html",
    "book/glossary.html",
]
WIDTHS = (390, 820, 1280)
THEMES = ("light", "dark")
SLOWDOWN = 4
PAINTS = 3
# What the tests of the pages ask: contrast once for each look, which takes seconds, not minutes.
QUESTIONS = Path(__file__).parents[1] / "tests" / "pages" / "look_at_page.js"
TRAPPED = 2000  # more stops than any page has: the focus does not get out
# Where the focus is, by its name; null when it has left the page or is back at its first stop.
STOP = """() => {
  const at = document.activeElement;
  if (at === document.body || at === window.firstStop) return null;
  window.firstStop ??= at;
  const name = at.ariaLabel || at.labels?.[0]?.innerText || at.innerText || at.title || at.id;
  return `${at.localName}: ${name.trim().replace(/\\s+/g, " ").slice(0, 70)}`;
}"""
FIRST_PAINT = "performance.getEntriesByName('first-contentful-paint')[0].startTime"


class Row(NamedTuple):
    """What is measured of one page; weights in bytes, the first paint in milliseconds."""

    page: str
    weight: int
    sent: int
    requests: int
    findings: int
    stops: int
    first_paint: float


def weigh(browser: Browser, address: str) -> tuple[int, int, int]:
    """Return the bytes of a first view without pictures of the page, those sent, and requests."""
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    answers: list[Response] = []
    page.on("response", lambda answer: answers.append(answer))
    page.goto(address, wait_until="networkidle")
    asked = [answer for answer in answers if answer.url.startswith("http")]
    bodies = [answer.body() for answer in asked if "/_images/" not in answer.url]
    page.close()
    return sum(map(len, bodies)), sum(len(compress(body)) for body in bodies), len(asked)


def ask_axe(browser: Browser, address: str, axe: str) -> int:
    """Return how many elements axe-core finds fault with, in both themes together."""
    found = 0
    for theme in THEMES:
        context = browser.new_context(color_scheme=theme, reduced_motion="reduce")
        page = context.new_page()
        page.add_init_script(path=QUESTIONS)
        page.goto(address, wait_until="networkidle")
        page.evaluate(axe)
        found += len(page.evaluate("askAxe()"))
        context.close()
    return found


def first_paint(browser: Browser, address: str) -> float:
    """Return the median time to the first paint of words, on a slowed processor."""
    times = []
    for _ in range(PAINTS):
        context = browser.new_context()
        page = context.new_page()
        session = context.new_cdp_session(page)
        session.send("Emulation.setCPUThrottlingRate", {"rate": SLOWDOWN})
        page.goto(address, wait_until="networkidle")
        times.append(page.evaluate(FIRST_PAINT))
        context.close()
    return median(times)


def tab_through(browser: Browser, address: str) -> list[str]:
    """Return the stops of the Tab key from the start of a page to its end."""
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.goto(address, wait_until="networkidle")
    stops = []
    page.keyboard.press("Tab")
    while (stop := page.evaluate(STOP)) and len(stops) < TRAPPED:
        stops.append(stop)
        page.keyboard.press("Tab")
    page.close()
    return stops


def photograph(browser: Browser, site: str, folder: Path) -> None:
    """Keep pictures of the chosen pages in both themes and all widths."""
    for theme in THEMES:
        context = browser.new_context(color_scheme=theme, reduced_motion="reduce")
        page = context.new_page()
        for name in CHOSEN:
            for width in WIDTHS:
                page.set_viewport_size({"width": width, "height": 1200})
                page.goto(f"{site}/{name}", wait_until="networkidle")
                page.screenshot(path=folder / f"{Path(name).stem}-{theme}-{width}.png")
        context.close()


def ask_lighthouse(site: str, folder: Path, chromium: str) -> dict[str, list[float]]:
    """Return Lighthouse's scores of the chosen pages, from 0 to 1; NaN where it gives none.

    Raises FileNotFoundError without npm, CalledProcessError where npm or Lighthouse fails.
    """
    tool = folder / "lighthouse"
    subprocess.run(
        ["npm", "install", *QUIETLY, "--prefix", str(tool), LIGHTHOUSE],
        check=True,
        stdout=sys.stderr,
    )
    program = str(tool / "node_modules" / ".bin" / "lighthouse")
    scores = {}
    for name in CHOSEN:
        report = folder / f"{Path(name).stem}-lighthouse.json"
        subprocess.run(
            [program, f"{site}/{name}", *HEADLESS, f"--output-path={report}"],
            check=True,
            env={**os.environ, "CHROME_PATH": chromium},
        )
        categories = json.loads(report.read_text(encoding="utf-8"))["categories"]
        found = [categories[category]["score"] for category in CATEGORIES]
        scores[name] = [nan if score is None else score for score in found]
    return scores


def measure(book: Path, site: str, folder: Path, chromium: str) -> list[Row]:
    """Measure every page of the book, and photograph the chosen ones."""
    axe = (files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8")
    names = sorted(
        path.relative_to(book).as_posix()
        for path in book.rglob("*.html")
        if "_static" not in path.parts and path not in (book / "index.html", book / "404.html")
    )
    rows = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium, args=["--no-sandbox", "--disable-gpu"]
        )
        for name in names:
            address = f"{site}/{name}"
            print(f"  {name}", file=sys.stderr, flush=True)
            findings, stops = ask_axe(browser, address, axe), tab_through(browser, address)
            paint = first_paint(browser, address)
            rows.append(Row(name, *weigh(browser, address), findings, len(stops), paint))
            if name in CHOSEN:
                path = folder / f"{Path(name).stem}-keyboard.txt"
                path.write_text("\n".join(stops) + "\n", encoding="utf-8")
        photograph(browser, site, folder)
        browser.close()
    return rows


def table(rows: list[Row], scores: dict[str, list[float]]) -> str:
    """Return what was measured as text."""
    lines = [
        f"{'page':40} {'kB':>5} {'gzip':>5} {'asked':>5} {'axe':>4} {'stops':>5} {'paint, ms':>9}"
    ]
    lines += [
        f"{row.page:40} {row.weight / 1e3:5.0f} {row.sent / 1e3:5.0f} {row.requests:5} "
        f"{row.findings:4} {row.stops:5} {row.first_paint:9.0f}"
        for row in rows
    ]
    if scores:
        heads = " ".join(f"{name:>14}" for name in CATEGORIES)
        lines += ["", f"{'Lighthouse, mobile':40} {heads}"]
    lines += [
        f"{name:40} " + " ".join(f"{score:14.2f}" for score in each)
        for name, each in scores.items()
    ]
    return "\n".join(lines) + "\n"


def main(book: Path, folder: Path) -> None:
    """Measure, print and keep the report."""
    if not (book / "index.html").exists():
        sys.exit(f"{book} is no built book, it has no index.html: run `make book`")
    chromium = known()
    folder.mkdir(parents=True, exist_ok=True)
    with serve(book) as site:
        rows = measure(book, site, folder, chromium)
        try:
            scores = ask_lighthouse(site, folder, chromium)
        except (OSError, subprocess.CalledProcessError) as error:
            print(f"No scores of Lighthouse: {error}", file=sys.stderr)
            scores = {}
    text = table(rows, scores)
    (folder / "report.txt").write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("Usage: python -m tools.page_report _build/html _build/report")
    main(Path(sys.argv[1]), Path(sys.argv[2]))
