"""Write the book's settings for Sphinx alone, without Jupyter Book: the way on, should that end.

Usage: python tools/plain_sphinx.py conf.py

`make sphinx` runs this and then `sphinx-build`, in an environment that has no Jupyter Book and the
newest of everything else.
"""

import sys
from pathlib import Path

from jupyter_book.config import get_final_config

ROOT = Path(__file__).parents[1]
# Jupyter Book's own, and what it loads for comments and live code, which this book has none of.
DROPPED = {"jupyter_book", "sphinx_jupyterbook_latex", "sphinx_comments", "sphinx_thebe"}


def settings() -> str:
    """Return the text of a `conf.py` with what Jupyter Book would tell Sphinx."""
    config, _ = get_final_config(
        user_yaml=ROOT / "_config.yml",
        sourcedir=ROOT,
        cli_config={"latex_individualpages": False},  # asked for, without a default
    )
    config["extensions"] = [name for name in config["extensions"] if name not in DROPPED]
    lines = [f"{key} = {value!r}" for key, value in sorted(config.items())]
    return "\n".join(["# Written by `make sphinx`.", *lines, ""])


def main(arguments: list[str]) -> int:
    """Write the file named, and return the exit status."""
    if len(arguments) != 1:
        print("One file to write is needed. Usage: python tools/plain_sphinx.py conf.py")
        return 2
    target = Path(arguments[0])
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(settings(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
