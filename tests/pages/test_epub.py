"""What a reading app asks of the file that `make epub` writes, tested without one."""

from pathlib import Path
from posixpath import dirname, join, normpath
from urllib.parse import unquote, urldefrag, urlsplit
from xml.etree import ElementTree
from xml.etree.ElementTree import Element
from zipfile import ZIP_STORED, ZipFile

import pytest

from tools.take_away import epub

pytestmark = [pytest.mark.pages]

XHTML = "{http://www.w3.org/1999/xhtml}"
OPF = "{http://www.idpf.org/2007/opf}"
MATHML = "{http://www.w3.org/1998/Math/MathML}"
EPUB_TYPE = "{http://www.idpf.org/2007/ops}type"


@pytest.fixture(scope="session")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write the EPUB of the built book."""
    target = tmp_path_factory.mktemp("epub") / "book.epub"
    epub.write(target)
    return target


@pytest.fixture(scope="session")
def files(written: Path) -> dict[str, bytes]:
    """Give the files in the EPUB by name."""
    with ZipFile(written) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.fixture(scope="session")
def package(files: dict[str, bytes]) -> Element:
    """Give the package document."""
    return ElementTree.fromstring(files["book/package.opf"])


@pytest.fixture(scope="session")
def documents(files: dict[str, bytes]) -> dict[str, Element]:
    """Give the pages by name; they must be well-formed XML for it."""
    return {
        name: ElementTree.fromstring(content)
        for name, content in files.items()
        if name.endswith(".xhtml")
    }


def manifest(package: Element) -> list[Element]:
    """Give what the package says of each file."""
    return package.findall(f"{OPF}manifest/{OPF}item")


def test_the_type_of_the_file_stands_first_and_uncompressed(written: Path) -> None:
    with ZipFile(written) as archive:
        first = archive.infolist()[0]
    assert (first.filename, first.compress_type) == ("mimetype", ZIP_STORED)


def test_the_manifest_lists_every_file_once(package: Element, files: dict[str, bytes]) -> None:
    listed = [f"book/{item.get('href')}" for item in manifest(package)]
    around = ["META-INF/container.xml", "book/package.opf", "mimetype"]
    assert sorted(listed + around) == sorted(files)


def test_all_pages_are_read_in_the_order_of_the_book(package: Element) -> None:
    href = {item.get("id"): item.get("href") for item in manifest(package)}
    spine = [href[ref.get("idref")] for ref in package.findall(f"{OPF}spine/{OPF}itemref")]
    pages = [f"{page.name}.xhtml" for page in epub.read_pages()]
    assert spine == ["cover.xhtml", "contents.xhtml", *pages]


def test_pages_with_formulas_say_so_in_the_manifest(
    package: Element, documents: dict[str, Element]
) -> None:
    said = {f"book/{i.get('href')}" for i in manifest(package) if i.get("properties") == "mathml"}
    assert said == {name for name, page in documents.items() if page.find(f".//{MATHML}math")}


def test_the_contents_name_every_page_and_its_sections(documents: dict[str, Element]) -> None:
    navs = {nav.get(EPUB_TYPE): nav for nav in documents["book/contents.xhtml"].iter(f"{XHTML}nav")}
    leads = [link.get("href") for link in navs["toc"].iter(f"{XHTML}a")]
    expected = []
    for page in epub.read_pages():
        name = f"{page.name}.xhtml"
        expected += [name, *(f"{name}#{section.anchor}" for section in epub.sections(page))]
    assert leads == expected


def test_no_id_occurs_twice_in_a_file(files: dict[str, bytes]) -> None:
    twice = []
    for name, content in files.items():
        if name.endswith((".xhtml", ".svg")):
            ids = [e.get("id") for e in ElementTree.fromstring(content).iter() if e.get("id")]
            twice += [(name, one) for one in set(ids) if ids.count(one) > 1]
    assert twice == []


def test_every_link_into_the_book_leads_somewhere(documents: dict[str, Element]) -> None:
    ids = {name: {e.get("id") for e in page.iter()} for name, page in documents.items()}
    broken = []
    for name, page in documents.items():
        for link in (a.get("href", "") for a in page.iter(f"{XHTML}a")):
            target, anchor = urldefrag(link)
            if not urlsplit(target).scheme:
                there = normpath(join(dirname(name), unquote(target))) if target else name
                if there not in ids or (anchor and unquote(anchor) not in ids[there]):
                    broken.append((name, link))
    assert broken == []


def test_nothing_is_fetched_and_nothing_runs(files: dict[str, bytes]) -> None:
    wanted = []
    for name, content in files.items():
        if name.endswith((".xhtml", ".svg")):
            for element in ElementTree.fromstring(content).iter():
                kind = element.tag.rpartition("}")[2]
                wanted += [(name, kind)] * (kind in ("script", "iframe", "object", "form"))
                wanted += [(name, key) for key, _ in element.items() if key.startswith("on")]
                wanted += [
                    (name, value)
                    for key, value in element.items()
                    if key in ("src", "data", "poster") and "://" in value
                ]
    assert wanted == []


def test_every_picture_is_light_and_has_alternative_text(documents: dict[str, Element]) -> None:
    pictures = [picture for page in documents.values() for picture in page.iter(f"{XHTML}img")]
    assert len(pictures) > 60
    assert [p.get("src") for p in pictures if not p.get("alt") or "dark" in p.get("src", "")] == []


def test_the_solutions_are_there(documents: dict[str, Element]) -> None:
    text = "".join(documents["book/03_gates.xhtml"].itertext())
    assert text.count("Solution to") == 4


def test_the_same_pages_give_the_same_bytes(written: Path, tmp_path: Path) -> None:
    again = tmp_path / "again.epub"
    epub.write(again)
    assert again.read_bytes() == written.read_bytes()
