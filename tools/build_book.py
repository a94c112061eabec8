"""Build the book with Jupyter Book, in half of its time.

Usage: python tools/build_book.py build . -W -n

The same as the command `jupyter-book`, without two slow things that this book has no use for.
"""

import functools
import importlib.metadata
import sys

# Comes with JupyterLab and is imported by jsonschema for one format of addresses, which the
# book's settings do not have: compiling its 39 grammars takes as long as reading the chapters.
# None makes the import fail, which jsonschema expects where the package is not installed.
sys.modules["rfc3987_syntax"] = None  # type: ignore[assignment]

# The bibliography asks for its plugins with every citation; each time all packages are searched.
importlib.metadata.entry_points = functools.cache(importlib.metadata.entry_points)

from jupyter_book.cli.main import main  # noqa: E402

if __name__ == "__main__":
    main()
