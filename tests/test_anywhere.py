"""The course where it is not installed by hand: in Binder, in Colab, and as a published book."""

import re
import subprocess
import sys
from importlib import util
from pathlib import Path

import nbformat
import pytest
import yaml
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

from book._ext.built_version import Built, built_of, footer
from book._ext.published import address_of
from lstm_lib import __version__
from tests.kernel_memory import Meter
from tools.install_cell import begin_with_install, install_cell

ROOT = Path(__file__).parents[1]
REPOSITORY = "https://github.com/lstm-measured/lstm-measured"


# ---- Binder ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def recipe() -> str:
    """Return how Binder would build its image, which takes no Docker to say."""
    # The image's user; the name of whoever runs the test may be root, which is refused.
    user = ["--user-id", "1000", "--user-name", "jovyan"]
    command = [sys.executable, "-m", "repo2docker", "--no-build", "--debug", *user, str(ROOT)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def test_binder_takes_the_python_that_the_lock_is_made_for(recipe: str) -> None:
    assert "Building conda environment for python=3.11\n" in recipe


def test_binder_installs_what_its_requirements_say(recipe: str) -> None:
    assert re.findall(r"bin/pip install .*", recipe) == [
        'bin/pip install --no-cache-dir -r "binder/requirements.txt"'
    ]


def test_binder_prepares_data_and_notebooks_and_starts_with_one_thread(recipe: str) -> None:
    assert "RUN ./binder/postBuild\n" in recipe
    assert 'ENV R2D_ENTRYPOINT="${REPO_DIR}/binder/start"\n' in recipe


def test_binder_needs_no_pytorch_for_gpus_and_no_other_place_knows_of_that() -> None:
    index = "--extra-index-url https://download.pytorch.org/whl/cpu"
    wanting = [
        path.relative_to(ROOT).as_posix()
        for path in [*ROOT.glob("requirements*"), *ROOT.glob("binder/*")]
        if index in path.read_text(encoding="utf-8")
    ]
    assert wanting == ["binder/requirements.txt"]


HUNGRY = """
import subprocess, sys
subprocess.run([sys.executable, "-c", "import time; b = b'x' * 400_000_000; time.sleep(1)"])
"""


def test_a_notebook_that_needs_too_much_memory_fails_even_in_a_process_that_it_starts(
    tmp_path: Path,
) -> None:
    for name, source in {"hungry": HUNGRY, "modest": "b = b'x' * 1_000_000"}.items():
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source)])
        nbformat.write(notebook, tmp_path / f"{name}.ipynb")
    command = [sys.executable, "-m", "pytest", str(tmp_path), "-q", "-p", "no:cacheprovider"]
    nbval = ["--nbval-lax", "--nbval-current-env", "--rootdir", str(tmp_path)]
    limit = ["-p", "tests.kernel_memory", "--peak-megabytes", "400"]
    done = subprocess.run(
        [*command, *nbval, *limit], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert "2 passed, 1 error" in done.stdout, done.stdout + done.stderr
    needs = re.findall(
        r"^(\w+)\.ipynb needs \d+ MB, more than the 400 MB allowed", done.stdout, re.M
    )
    assert needs == ["hungry"]


def test_memory_that_a_kernel_has_given_back_before_one_looks_is_counted() -> None:
    source = "b = b'x' * 400_000_000; del b; print('given back', flush=True); input()"
    command = [sys.executable, "-c", source]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as kernel:
        assert kernel.stdout
        assert kernel.stdout.readline() == b"given back\n"
        peak = Meter(kernel.pid).stop()
        kernel.communicate(b"\n")
    assert peak > 400e6


# ---- Colab -----------------------------------------------------------------------------------


@pytest.fixture
def installed() -> list[str]:
    """Collect what `%pip` was asked for."""
    return []


@pytest.fixture
def shell(installed: list[str]) -> InteractiveShell:
    """Give a shell as a notebook has, which only notes what it should install."""
    shell = InteractiveShell(config=Config({"HistoryManager": {"enabled": False}}))
    shell.register_magic_function(installed.append, "line", "pip")
    return shell


def test_the_first_cell_does_nothing_where_the_package_is(
    shell: InteractiveShell, installed: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    shell.run_cell(install_cell("1.2.3").source).raise_error()
    assert installed == []
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(("version", "ref"), [("1.2.3", "v1.2.3"), ("1.3.0.dev0", "main")])
def test_the_first_cell_installs_the_package_of_its_version_where_it_is_missing(
    shell: InteractiveShell,
    installed: list[str],
    monkeypatch: pytest.MonkeyPatch,
    version: str,
    ref: str,
) -> None:
    monkeypatch.setattr(util, "find_spec", lambda name: None)
    shell.run_cell(install_cell(version).source).raise_error()
    assert installed == [f'install --quiet "git+{REPOSITORY}@{ref}"']


def test_the_cell_goes_before_all_code_and_cells_and_their_outputs_are_numbered_anew() -> None:
    v4 = nbformat.v4
    shown = v4.new_output("execute_result", {"text/plain": "2"}, execution_count=7)
    cells = [
        v4.new_markdown_cell("# Title"),
        v4.new_code_cell("1 + 1", execution_count=7, outputs=[shown]),
    ]
    notebook = v4.new_notebook(cells=cells)
    for _ in range(2):  # an older cell is replaced
        begin_with_install(notebook, "1.2.3")
    assert [cell.id for cell in notebook.cells] == [cells[0].id, "install", cells[1].id]
    assert [cell.execution_count for cell in notebook.cells[1:]] == [1, 2]
    assert notebook.cells[2].outputs[0].execution_count == 2


# ---- the version of a built book -------------------------------------------------------------


def git(folder: Path, *words: str) -> str:
    """Run git in a folder and return what it says."""
    who = ["-c", "user.name=A", "-c", "user.email=a@example.org"]
    command = ["git", "-C", str(folder), *who, *words]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Make a repository with one commit."""
    git(tmp_path, "init", "--quiet")
    (tmp_path / "page.md").write_text("as committed", encoding="utf-8")
    git(tmp_path, "add", "page.md")
    git(tmp_path, "commit", "--quiet", "--message=Begin", "--date=2026-11-22T12:00:00")
    return tmp_path


def test_a_book_of_a_commit_opens_that_commit(repository: Path) -> None:
    assert built_of(repository).ref == git(repository, "rev-parse", "HEAD")


def test_a_book_of_a_tagged_commit_opens_the_tag(repository: Path) -> None:
    git(repository, "tag", "v1.2.3")
    assert built_of(repository).ref == "v1.2.3"


@pytest.mark.parametrize("name", ["page.md", "new.md"])
def test_a_book_of_a_changed_working_tree_opens_the_development(
    repository: Path, name: str
) -> None:
    (repository / name).write_text("not committed", encoding="utf-8")
    assert built_of(repository).ref == "main"


def test_a_book_without_git_opens_the_development(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    assert built_of(repository) == Built("", "", "", changed=False)
    assert built_of(repository).ref == "main"


def test_a_book_inside_of_another_repository_is_not_of_its_commit(repository: Path) -> None:
    (repository / "book").mkdir()
    assert built_of(repository / "book").commit == ""


def test_the_footer_names_version_commit_and_date() -> None:
    built = Built("0123456789abcdef", "2026-11-22", "", changed=False)
    assert footer(built, REPOSITORY) == (
        f'<p>Version {__version__}, built of <a href="{REPOSITORY}/commit/0123456789abcdef">'
        "commit 0123456</a> of 2026-11-22</p>"
    )


def test_the_footer_tells_a_changed_working_tree() -> None:
    built = Built("0123456789abcdef", "2026-11-22", "", changed=True)
    assert "changed since <a" in footer(built, REPOSITORY)


def test_what_is_published_waits_for_the_workflow_that_tests() -> None:
    pages, tests = (
        yaml.safe_load((ROOT / ".github" / "workflows" / name).read_text(encoding="utf-8"))
        for name in ("pages.yml", "test.yml")
    )
    triggers = pages[True]  # `on` is a truth value in YAML
    assert triggers.keys() == {"workflow_run", "workflow_dispatch"}
    assert triggers["workflow_run"]["workflows"] == [tests["name"]]
    assert "workflow_run.conclusion == 'success'" in pages["jobs"]["build"]["if"]


# ---- its address -----------------------------------------------------------------------------


def test_the_address_of_the_site_follows_from_that_of_the_repository() -> None:
    assert address_of("https://github.com/owner/name") == "https://owner.github.io/name/"


@pytest.mark.parametrize("wrong", ["", "https://github.com/owner", "https://example.org/a/b"])
def test_an_address_that_is_no_repository_is_named(wrong: str) -> None:
    with pytest.raises(ValueError, match=r"repository\.url in _config\.yml: expected .* got '"):
        address_of(wrong)
