"""Figures that compute in the reader's browser: hand-made SVG and plain JavaScript modules.

Each figure is one file beside this one with `export default { render({ model, el }) }`, which
imports what it shares with others (`kit.js`, `arithmetic.js`). Joined with these into one text, it
is a script of a page of the book, which then works from a folder too (browsers load no modules
from files), or the module of a widget in JupyterLab.
"""

import re
from pathlib import Path

HERE = Path(__file__).parent
IMPORT = re.compile(r'^import \{[^}]*\} from "\./([a-z_]+)\.js";\n', re.MULTILINE)
DEFAULT = "export default "

CSS = HERE / "live.css"
#: The figures there are.
NAMES = tuple(
    sorted(path.stem for path in HERE.glob("*.js") if DEFAULT in path.read_text(encoding="utf-8"))
)


def _with_imports(name: str, have: set[str]) -> str:
    """Return the text of a file after the texts of those it imports, each of them once."""
    if name in have:
        return ""
    have.add(name)
    text = (HERE / f"{name}.js").read_text(encoding="utf-8")
    imported = [_with_imports(other, have) for other in IMPORT.findall(text)]
    own = re.sub(r"^export (?!default )", "", IMPORT.sub("", text), flags=re.MULTILINE)
    return "".join([*imported, own])


def module(name: str) -> str:
    """Return the figure `name` as one JavaScript module, for a widget.

    Raises ValueError if there is no such figure.
    """
    if name not in NAMES:
        raise ValueError(f"no live figure {name!r}; there are: {', '.join(NAMES)}")
    have: set[str] = set()
    return _with_imports("kit", have) + _with_imports(name, have)


def script(name: str) -> str:
    """Return the figure `name` as a script that puts it in its places on a page.

    Raises ValueError if there is no such figure.
    """
    body = module(name).replace(DEFAULT, "const figure = ")
    return f'(() => {{\n"use strict";\n{body}mount("{name}", figure);\n}})();\n'
