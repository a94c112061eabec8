"""Find a file at the package index that pip is set to use, without running anything of it."""

import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from urllib.parse import unquote, urljoin, urlsplit

import requests

_ACCEPT = "application/vnd.pypi.simple.v1+json, text/html;q=0.1"
_DEFAULT = re.compile(r"Base URL of the Python Package Index \(default ([^\s)]+)\)")


def index_address() -> str:
    """The address of pip's index, from its environment, its configuration or its own default.

    pip has no command that prints it, but its help names the default that is in force.
    Raises LookupError where there is no pip to ask and PIP_INDEX_URL is not set.
    """
    if address := os.environ.get("PIP_INDEX_URL"):
        return address
    asked = subprocess.run(
        [sys.executable, "-m", "pip", "download", "--help"],
        env=os.environ | {"COLUMNS": "500", "PIP_NO_COLOR": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    found = _DEFAULT.search(asked.stdout)
    if not found or "****" in found[1]:  # pip hides a password
        raise LookupError("pip doesn't say which package index it uses: set PIP_INDEX_URL")
    return found[1]


def file_address(index: str, project: str, file: str) -> str:
    """Where `file` of `project` lies. Source: the simple repository API, PEP 503 and 691.

    Raises LookupError if the index doesn't have it, requests.RequestException without an answer.
    """
    page = requests.get(f"{index.rstrip('/')}/{project}/", headers={"Accept": _ACCEPT}, timeout=30)
    page.raise_for_status()
    links = _json_links(page) if "json" in page.headers.get("Content-Type", "") else _links(page)
    for link in links:
        address = urljoin(page.url, link)
        if unquote(urlsplit(address).path.rsplit("/", 1)[-1]) == file:
            return address
    raise LookupError(f"{index} doesn't list it under {project}")


def _json_links(page: requests.Response) -> list[str]:
    return [entry["url"] for entry in page.json()["files"]]


def _links(page: requests.Response) -> list[str]:
    parser = _Anchors()
    parser.feed(page.text)
    return parser.links


class _Anchors(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.links += [value for key, value in attrs if tag == "a" and key == "href" and value]
