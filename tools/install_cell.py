"""Begin notebooks with the cell that installs the package where it is missing, as in Colab.

Usage: python tools/install_cell.py notebooks/*.ipynb

Colab opens a notebook without the repository around it. The cell does and prints nothing where
`lstm_lib` is at hand, and the pages of the book leave it out. It takes the package of the same
version: of the tag `v1.2.3` once that is the version, of `main` while it ends in `dev`. So change
the version, then run this; a test tells when it was forgotten. Cells are numbered anew.
"""

import sys
from pathlib import Path

import nbformat
import yaml
from nbformat import NotebookNode

import lstm_lib

ROOT = Path(__file__).parents[1]
SOURCE = """\
from importlib.util import find_spec

if find_spec("lstm_lib") is None:  # in Colab, for example
    %pip install --quiet "git+{repository}@{ref}"\
"""


def install_cell(version: str) -> NotebookNode:
    """Return the cell that installs this version of the package."""
    config = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))
    ref = "main" if "dev" in version else f"v{version}"
    return nbformat.v4.new_code_cell(
        SOURCE.format(repository=config["repository"]["url"], ref=ref),
        id="install",
        metadata={"tags": ["remove-cell"]},
    )


def begin_with_install(notebook: NotebookNode, version: str) -> None:
    """Put the cell before all other code, in the place of an older one, and number all cells."""
    cells = [cell for cell in notebook.cells if cell.id != "install"]
    first = next(k for k, cell in enumerate(cells) if cell.cell_type == "code")
    notebook.cells = [*cells[:first], install_cell(version), *cells[first:]]
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    for number, cell in enumerate(code, start=1):
        cell.execution_count = number
        for output in cell.outputs:
            if "execution_count" in output:
                output.execution_count = number


def main(paths: list[Path]) -> int:
    """Mend all notebooks and return the exit status."""
    if not paths:
        print("No notebooks named. Usage: python tools/install_cell.py notebooks/*.ipynb")
        return 2
    if missing := [str(path) for path in paths if not path.is_file()]:
        print(f"No such notebook: {', '.join(missing)}. Nothing was changed.")
        return 2
    for path in paths:
        notebook = nbformat.read(path, as_version=4)
        begin_with_install(notebook, lstm_lib.__version__)
        unfinished = path.with_suffix(".ipynb.part")
        nbformat.write(notebook, unfinished)
        unfinished.replace(path)
    return 0


if __name__ == "__main__":
    sys.exit(main([Path(name) for name in sys.argv[1:]]))
