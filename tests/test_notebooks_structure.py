"""What every chapter must have, read from the stored notebooks themselves."""

import re
from itertools import pairwise
from pathlib import Path
from statistics import median

import nbformat
import pytest
from nbformat import NotebookNode

import lstm_lib
from tools.install_cell import install_cell

ROOT = Path(__file__).parents[1]
CLAIMS = {
    "01_rnn_limits": {"W1", "W2", "W3", "L1"},
    "02_gated_memory_cell": {"L2", "M1", "M2", "M3", "M4"},
    "03_gates": {"G1", "G2", "T1", "T2"},
    "04_cell_walkthrough": {f"K{number}" for number in range(11)},
    "05_backpropagation": set(),
    "06_time_series": {"A1"},
    "07_long_texts": {"A2"},
    "08_audio": {"A3"},
    "09_family": set(),
    "10_gate_surgery": set(),
    "11_experiments_1997": set(),
    "12_from_equations_to_a_kernel": set(),
    "13_past_one_machine": set(),
}
NOTEBOOKS = {path.stem: path for path in sorted((ROOT / "notebooks").glob("[0-9]*.ipynb"))}
BOX = re.compile(r"^:name: claim-(\w+)$", re.MULTILINE)
FORBIDDEN = {
    "a shell command": re.compile(r"^\s*[!%]", re.MULTILINE),
    "an absolute path": re.compile(r"[\"'](?:/(?:home|tmp|usr|work|root|Users)/|~/|[A-Z]:\\)"),
    "a global seed": re.compile(
        r"(?:np|numpy)\.random\.seed|\b(?:torch\.manual_seed|random\.seed)\("
    ),
}
IMAGES = ("image/svg+xml", "image/png", "image/jpeg")

each_notebook = pytest.mark.parametrize("name", NOTEBOOKS)


def cells(name: str, kind: str) -> list[NotebookNode]:
    """Give the cells of one kind of a notebook."""
    notebook = nbformat.read(NOTEBOOKS[name], as_version=4)
    return [cell for cell in notebook.cells if cell.cell_type == kind]


def sources(name: str) -> list[str]:
    """Give the text of the markdown cells of a notebook."""
    return [cell.source for cell in cells(name, "markdown")]


def has_image(cell: NotebookNode) -> bool:
    """Tell whether a cell has stored a picture."""
    return any(kind in output.get("data", {}) for output in cell.outputs for kind in IMAGES)


def code_lines(cell: NotebookNode) -> int:
    """Count the lines of a cell, without empty ones."""
    return sum(bool(line.strip()) for line in cell.source.splitlines())


def claims_measured(name: str) -> list[tuple[str, NotebookNode]]:
    """Pair every claim boxed in a notebook with the first code cell after its box."""
    pairs = []
    waiting: list[str] = []
    for cell in nbformat.read(NOTEBOOKS[name], as_version=4).cells:
        if cell.cell_type == "markdown":
            waiting += [match.upper() for match in BOX.findall(cell.source)]
        elif cell.cell_type == "code":
            pairs += [(claim, cell) for claim in waiting]
            waiting = []
    return pairs


def test_every_chapter_is_there() -> None:
    assert CLAIMS.keys() <= NOTEBOOKS.keys()


@pytest.mark.parametrize("name", CLAIMS)
def test_every_claim_of_the_notes_is_boxed_in_its_chapter(name: str) -> None:
    boxed = [claim.upper() for source in sources(name) for claim in BOX.findall(source)]
    assert sorted(boxed) == sorted(CLAIMS[name])


@pytest.mark.parametrize("name", CLAIMS)
def test_every_claim_box_is_named_for_what_its_title_says(name: str) -> None:
    titles = re.compile(
        r"^:{3,}\{admonition\} Claim (\w+):.*\n:class: claim(?: dropdown)?\n:name: claim-(\w+)$",
        re.MULTILINE,
    )
    found = [pair for source in sources(name) for pair in titles.findall(source)]
    assert sorted(claim for claim, _ in found) == sorted(CLAIMS[name])
    assert [claim.lower() for claim, _ in found] == [label for _, label in found]


@pytest.mark.parametrize("name", CLAIMS)
def test_every_claim_is_measured_and_asserted_in_the_code_after_its_box(name: str) -> None:
    measured = claims_measured(name)
    assert {claim for claim, _ in measured} == CLAIMS[name]
    for claim, cell in measured:
        assert claim in cell.metadata.get("claims", []), f"{claim}: metadata of {cell.id}"
        assert re.search(r"^\s*assert ", cell.source, re.MULTILINE), f"{claim}: no assert"


@pytest.mark.parametrize("name", CLAIMS)
def test_no_cell_says_it_measures_a_claim_of_another_chapter(name: str) -> None:
    said = {claim for cell in cells(name, "code") for claim in cell.metadata.get("claims", [])}
    assert said == CLAIMS[name]


@each_notebook
def test_the_first_code_installs_this_version_of_the_package_where_it_is_missing(name: str) -> None:
    first, meant = cells(name, "code")[0], install_cell(lstm_lib.__version__)
    assert first == {**meant, "execution_count": 1}, "run tools/install_cell.py notebooks/*.ipynb"


@each_notebook
def test_every_cell_was_run_in_order(name: str) -> None:
    counts = [cell.execution_count for cell in cells(name, "code")]
    assert counts == list(range(1, len(counts) + 1))


@each_notebook
def test_stored_outputs_have_no_error_that_was_not_meant(name: str) -> None:
    for cell in cells(name, "code"):
        if "raises-exception" not in cell.metadata.get("tags", []):
            assert [out for out in cell.outputs if out.output_type == "error"] == [], cell.id


@each_notebook
def test_stored_outputs_have_nothing_on_stderr(name: str) -> None:
    for cell in cells(name, "code"):
        assert [out.text for out in cell.outputs if out.get("name") == "stderr"] == [], cell.id


@each_notebook
def test_cells_have_no_metadata_of_a_run_or_a_converter(name: str) -> None:
    meant = {"claims", "mystnb", "tags"}
    cells = nbformat.read(NOTEBOOKS[name], as_version=4).cells
    assert [(cell.id, key) for cell in cells for key in cell.metadata.keys() - meant] == []


@each_notebook
def test_what_a_cell_printed_is_stored_in_one_piece(name: str) -> None:
    for cell in cells(name, "code"):
        streams = [out.get("name") for out in cell.outputs]
        assert [a for a, b in pairwise(streams) if a and a == b] == [], cell.id


@each_notebook
def test_a_notebook_is_smaller_than_a_megabyte(name: str) -> None:
    assert NOTEBOOKS[name].stat().st_size < 1_000_000


@each_notebook
@pytest.mark.parametrize("what", FORBIDDEN)
def test_the_code_of_a_chapter_is_free_of(name: str, what: str) -> None:
    others = [cell for cell in cells(name, "code") if cell.id != "install"]
    assert [cell.source for cell in others if FORBIDDEN[what].search(cell.source)] == []


@each_notebook
def test_code_cells_are_short(name: str) -> None:
    lengths = [code_lines(cell) for cell in cells(name, "code")]
    assert max(lengths) <= 20
    assert median(lengths) <= 8


@each_notebook
def test_a_displayed_equation_has_a_blank_line_before_it(name: str) -> None:
    for source in sources(name):
        # Every second `$$` at the start of a line opens an equation.
        lines = source.splitlines()
        fences = [
            k for k, line in enumerate(lines) if line.startswith("$$") and line.count("$$") < 2
        ]
        opening = fences[::2] + [k for k, line in enumerate(lines) if line.count("$$") == 2]
        assert [lines[k - 1] for k in opening if k and lines[k - 1].strip()] == []


@each_notebook
def test_every_figure_has_alternative_text_a_caption_and_a_name(name: str) -> None:
    figures = [cell for cell in cells(name, "code") if has_image(cell)]
    assert figures
    for cell in figures:
        settings = cell.metadata.get("mystnb", {})
        assert len(settings.get("image", {}).get("alt", "")) > 20, cell.id
        assert len(settings.get("figure", {}).get("caption", "")) > 20, cell.id
        assert settings.get("figure", {}).get("name", "").startswith("fig-"), cell.id


@each_notebook
def test_a_chapter_has_four_to_six_exercises_each_with_a_solution(name: str) -> None:
    text = "\n".join(sources(name))
    exercises = re.findall(r"^`{3,}\{exercise\}.*\n(?:.*\n)*?:label: (\S+)$", text, re.MULTILINE)
    solutions = re.findall(r"^`{3,}\{solution(?:-start)?\} (\S+)$", text, re.MULTILINE)
    assert 4 <= len(exercises) <= 6
    assert sorted(exercises) == sorted(solutions)


@each_notebook
def test_a_chapter_ends_with_what_a_lesson_ends_with(name: str) -> None:
    headings = re.findall(r"^## (.+)$", "\n".join(sources(name)), re.MULTILINE)
    for heading in ("Common mistakes", "Summary", "Exercises"):
        assert any(found.startswith(heading) for found in headings), heading


@each_notebook
def test_cell_ids_are_unique(name: str) -> None:
    ids = [cell.id for cell in nbformat.read(NOTEBOOKS[name], as_version=4).cells]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("page", ["claims", "index"])
def test_a_page_that_lists_the_claims_links_to_each_once(page: str) -> None:
    text = (ROOT / "book" / f"{page}.md").read_text(encoding="utf-8")
    links = re.findall(r"\[(\w+)\]\(#claim-(\w+)\)", text)
    assert all(target == claim.lower() for claim, target in links)
    assert sorted(claim for claim, _ in links) == sorted(set().union(*CLAIMS.values()))
