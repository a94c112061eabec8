"""The built pages in the order of `_toc.yml`, without what only a website needs."""

import os
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote, urldefrag, urlsplit

import yaml
from bs4 import BeautifulSoup, Tag

from book._ext.published import address_of
from lstm_lib import __version__

ROOT = Path(__file__).parents[2]
BUILT = ROOT / "_build"
BOOK = BUILT / "html"

# Controls, what waits for a script, the drawings for the dark theme, and the empty places that
# lists of pages leave.
ONLY_FOR_A_WEBSITE = (
    "script, template, button, dialog, [hidden], .only-dark, .headerlink, .d-print-none, "
    ".toctree-wrapper"
)
# What hints to a browser on a screen mean nothing here; a box that scrolls is a box that doesn't.
ATTRIBUTES_FOR_A_SCREEN = ("tabindex", "loading", "decoding", "fetchpriority")


class Edition(NamedTuple):
    """What a title page says; `site` is the address of the website, with a slash at its end."""

    title: str
    author: str
    rights: str
    site: str
    version: str
    date: datetime


class Page(NamedTuple):
    """A page: `name` is its file's, without folder and ending; `part` is that of `_toc.yml`."""

    name: str
    part: str
    path: Path
    title: str
    article: Tag


class Section(NamedTuple):
    """A heading of a page and the address to reach it by."""

    anchor: str
    title: str


def edition() -> Edition:
    """Read from the configuration what the book is called, and from git when it was changed."""
    config = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))
    return Edition(
        title=config["title"],
        author=config["author"],
        rights=config["copyright"],
        site=address_of(config["repository"]["url"]),
        version=__version__,
        date=date_of_change(),
    )


def date_of_change() -> datetime:
    """When the sources changed last, so that the same sources give the same file.

    `SOURCE_DATE_EPOCH` if set, else the last commit; where there is no git, when the book was
    built.
    """
    seconds = os.environ.get("SOURCE_DATE_EPOCH")
    if seconds is None:
        command = ["git", "-C", str(ROOT), "log", "-1", "--format=%ct"]
        try:
            seconds = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        except (OSError, subprocess.CalledProcessError):
            seconds = str(int((BOOK / "index.html").stat().st_mtime))
    return datetime.fromtimestamp(int(seconds), UTC)


def read_pages() -> list[Page]:
    """Read all pages, cleaned.

    Raises FileNotFoundError where `make book` has not built one of them.
    """
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
    order = [("", toc["root"])]
    order += [
        (part["caption"], chapter["file"]) for part in toc["parts"] for chapter in part["chapters"]
    ]
    return [read_page(part, BOOK / f"{document}.html") for part, document in order]


def read_page(part: str, path: Path) -> Page:
    """Read one page, cleaned."""
    if not path.exists():
        raise FileNotFoundError(f"{path} is not there: run `make book` first")
    soup = BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")
    article = soup.select_one("article.bd-article")
    if article is None or article.h1 is None:
        raise ValueError(f"{path} has no article with a heading: is it a page of the book?")
    clean(article, path)
    return Page(path.stem, part, path, article.h1.get_text().strip(), article)


def clean(article: Tag, path: Path) -> None:
    """Take off what only a website needs, and unfold what is folded."""
    for element in article.select(ONLY_FOR_A_WEBSITE):
        element.decompose()
    for element in article.select("a.image-reference"):
        element.unwrap()
    for sound in article.select("audio"):
        sound.replace_with(f"(Sound: {sound.get('aria-label', 'to be heard on the website')}.)")
    for folded in article.select("details"):
        folded["open"] = ""
    seen: set[str] = set()
    for element in article.find_all(True):
        for name in ATTRIBUTES_FOR_A_SCREEN:
            element.attrs.pop(name, None)
        # sphinx-exercise gives the content of every exercise of a page the same id.
        if element.get("id") in seen:
            del element["id"]
        seen.add(element.get("id", ""))
    for picture in article.select("img[src]"):
        picture["src"] = str((path.parent / unquote(picture["src"])).resolve())


def sections(page: Page) -> list[Section]:
    """List the headings one level below the title."""
    return [
        Section(section["id"], section.h2.get_text().strip())
        for section in page.article.select("section[id]:has(> h2)")
    ]


def turn_links(pages: list[Page], site: str, address: Callable[[Page, str], str]) -> None:
    """Let links lead to `address(page, anchor)`, and to the website if the page is not ours."""
    by_path = {page.path.resolve(): page for page in pages}
    for page in pages:
        for link in page.article.select("a[href]"):
            target, anchor = urldefrag(link["href"])
            if urlsplit(target).scheme:
                continue
            path = (page.path.parent / unquote(target)).resolve() if target else page.path.resolve()
            if path in by_path:
                link["href"] = address(by_path[path], unquote(anchor))
            else:
                link["href"] = site + path.relative_to(BOOK.resolve()).as_posix()
