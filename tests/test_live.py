"""Live figures are joined into scripts, which a page loads only where it marks a figure."""

import re
from io import StringIO
from pathlib import Path

import pytest
from sphinx.application import Sphinx
from sphinx.util.docutils import docutils_namespace, patch_docutils

from lstm_lib.figures import live
from lstm_lib.figures.live import drawing

EXTENSIONS = Path(__file__).parents[1] / "book" / "_ext"
TOP_LEVEL = re.compile(r"^(?:function\*?|const|let|class) (\w+)", re.MULTILINE)
LARGEST = 250_000  # bytes: the traces of chapter 7 are 200 kB at most

each_figure = pytest.mark.parametrize("name", live.NAMES)


@each_figure
def test_a_joined_figure_imports_nothing_and_exports_itself_alone(name: str) -> None:
    text = live.module(name)
    assert re.findall(r"^\s*import\b.*", text, re.MULTILINE) == []
    assert re.findall(r"^export .*", text, re.MULTILINE) == ["export default {"]


@each_figure
def test_a_script_has_no_words_of_modules(name: str) -> None:
    assert re.findall(r"^(?:import|export)\b.*", live.script(name), re.MULTILINE) == []


@each_figure
def test_every_name_of_a_joined_figure_is_there_once(name: str) -> None:
    names = TOP_LEVEL.findall(live.module(name))
    assert len(names) > 5
    assert sorted(names) == sorted(set(names))


@each_figure
def test_a_script_is_small(name: str) -> None:
    assert len(live.script(name).encode()) < LARGEST


@each_figure
def test_a_figure_uses_nothing_that_the_pages_policy_forbids(name: str) -> None:
    forbidden = r"innerHTML|insertAdjacentHTML|\beval\(|new Function|fetch\(|\bstyle: |\"style\""
    assert re.findall(forbidden, live.script(name)) == []


def test_a_file_that_two_others_import_is_joined_once() -> None:
    assert live.module("cell").count("export function decimal") == 0
    assert live.module("cell").count("function decimal(") == 1


def test_an_unknown_figure_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match=r"no live figure 'cel'; there are: .*cell"):
        live.module("cel")
    with pytest.raises(ValueError, match="no live figure 'kit'"):
        live.script("kit")


def test_the_drawing_of_the_live_cell_is_that_of_the_diagram() -> None:
    assert drawing.TARGET.read_text(encoding="utf-8") == drawing.cell_drawing(), (
        "run python -m lstm_lib.figures.live.drawing"
    )


# ---- on the pages --------------------------------------------------------------------------


class Book:
    """A small book of two pages, of which `live` has a figure."""

    def __init__(self, folder: Path) -> None:
        self.source, self.out = folder / "source", folder / "out"
        self.source.mkdir()
        (self.source / "conf.py").write_text("extensions = ['interactive']\n")
        (self.source / "index.rst").write_text("Index\n=====\n\n.. toctree::\n\n   live\n")
        (self.source / "cell.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg"/>')

    def build(self, options: str, builder: str = "html") -> str:
        """Build with these options of the figure; give the warnings."""
        figure = f".. figure:: cell.svg\n{options}\n\n   A caption.\n"
        (self.source / "live.rst").write_text(f"Live\n====\n\n{figure}")
        warnings = StringIO()
        folders = (self.source, self.source, self.out, self.out.with_name("doctrees"))
        with patch_docutils(), docutils_namespace():
            Sphinx(*folders, builder, status=None, warning=warnings, freshenv=True).build()
        return warnings.getvalue()

    def page(self, name: str) -> str:
        return (self.out / f"{name}.html").read_text(encoding="utf-8")


MARKED = "   :name: fig-cell\n   :figclass: live-cell live-small"


@pytest.fixture
def book(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Book:
    monkeypatch.syspath_prepend(EXTENSIONS)
    return Book(tmp_path)


def test_a_page_with_a_live_figure_loads_its_script_and_style(book: Book) -> None:
    assert book.build(MARKED) == ""
    assert re.findall(r'<script defer="defer" src="_static/live/(\w+)\.js', book.page("live")) == [
        "cell"
    ]
    assert "_static/live/live.css" in book.page("live")
    assert (book.out / "_static/live/cell.js").read_text(encoding="utf-8") == live.script("cell")


def test_other_pages_load_nothing_of_it(book: Book) -> None:
    book.build(MARKED)
    assert "live/" not in book.page("index")


def test_the_picture_stays_in_the_page(book: Book) -> None:
    book.build(MARKED)
    assert 'src="_images/cell.svg"' in book.page("live")


def test_an_unknown_figure_is_a_warning_that_names_those_there_are(book: Book) -> None:
    warning = book.build("   :name: fig-cell\n   :figclass: live-cel")
    assert "live.rst:4" in warning
    assert f"live figure 'cel' needs one of {', '.join(live.NAMES)}" in warning


def test_a_figure_without_a_name_is_a_warning(book: Book) -> None:
    assert "live figure 'cell' needs a :name:" in book.build("   :figclass: live-cell")


@pytest.mark.parametrize("builder", ["epub", "singlehtml"])
def test_books_without_scripts_get_none(book: Book, builder: str) -> None:
    book.build(MARKED, builder)
    assert not (book.out / "_static/live").exists()
    assert [path for path in book.out.rglob("*.*html") if "live/cell.js" in path.read_text()] == []
