"""The theme's style sheets and icons, cut down to what the pages of this book can show.

The theme brings all of Bootstrap and of Font Awesome. When the book is built, a rule is dropped
from its sheets if each of its selectors asks for a class that occurs neither in a page nor in a
script; what a selector says beside classes is never judged. The icon fonts keep the icons that the
trimmed sheets name (Font Awesome Free: SIL Open Font License, which the fonts name themselves).
"""

import re
from base64 import b64encode
from collections.abc import Iterable, Iterator
from itertools import pairwise
from pathlib import Path
from shutil import rmtree

import tinycss2
from cut_fonts import cut_font
from sphinx.application import Sphinx
from tinycss2.ast import Node

# Relative to _static: the sheets of the theme, Bootstrap's in it, of MyST-NB, Sphinx and Pygments.
SHEETS = [
    "styles/pydata-sphinx-theme.css",
    "styles/sphinx-book-theme.css",
    "mystnb.*.css",
    "basic.css",
    "pygments.css",
]
ICON_FONTS = "vendor/fontawesome/webfonts"
# Rules inside these are rules like those outside.
GROUPS = {"media", "supports", "layer", "container"}

CLASS_ATTRIBUTE = re.compile(r'\sclass="([^"]*)"')
WORD = re.compile(r"[A-Za-z_][\w-]*")
# As the letter itself or as an escape; icons have the code points of the private use area.
ICON_FONT = re.compile(
    r'url\([^)]*/(?P<stem>fa-[\w-]+)\.woff2\) format\("woff2"\),'
    r'url\([^)]*/(?P<name>(?P=stem)\.ttf)\) format\("truetype"\)'
)
ICON = re.compile(r"[\ue000-\uf8ff]|\\([ef][0-9a-f]{3})(?![0-9a-f])")


def classes_in_use(site: Path) -> set[str]:
    """Return all classes of all pages, and every word of every script: it may be a class."""
    names: set[str] = set()
    for page in site.rglob("*.html"):
        for value in CLASS_ATTRIBUTE.findall(page.read_text(encoding="utf-8")):
            names.update(value.split())
    for script in site.rglob("*.js"):
        # The index holds the words of the book, not names of classes.
        if script.name != "searchindex.js":
            names.update(WORD.findall(script.read_text(encoding="utf-8")))
    return names


def _selectors(prelude: Iterable[Node]) -> Iterator[list[Node]]:
    """Yield the parts of a list of selectors, each as its tokens."""
    selector: list[Node] = []
    for token in prelude:
        if token == ",":
            yield selector
            selector = []
        else:
            selector.append(token)
    yield selector


def _can_match(selector: list[Node], names: set[str]) -> bool:
    """Tell whether all classes that a selector asks for, outside of brackets, are used."""
    pairs = pairwise(selector)
    return all(name.value in names for dot, name in pairs if dot == "." and name.type == "ident")


def _trim_rules(rules: list[Node], names: set[str]) -> str:
    kept = []
    for rule in rules:
        if rule.type == "qualified-rule":
            selectors = [s for s in _selectors(rule.prelude) if _can_match(s, names)]
            if selectors:
                prelude = ",".join(tinycss2.serialize(s).strip() for s in selectors)
                kept.append(f"{prelude}{{{tinycss2.serialize(rule.content)}}}")
        elif rule.type == "at-rule" and rule.content and rule.lower_at_keyword in GROUPS:
            inner = tinycss2.parse_rule_list(rule.content, skip_comments=True, skip_whitespace=True)
            if trimmed := _trim_rules(inner, names):
                head = tinycss2.serialize(rule.prelude)
                kept.append(f"@{rule.at_keyword}{head}{{{trimmed}}}")
        elif rule.type == "comment" and not rule.value.startswith("!"):
            continue  # those with a ! are licences
        else:
            kept.append(rule.serialize())
    return "".join(kept)


def trim(css: str, names: set[str]) -> str:
    """Return the sheet without the rules that need a class which is not among `names`.

    Raises ValueError for what is not CSS.
    """
    rules = tinycss2.parse_stylesheet(css, skip_whitespace=True)
    for rule in rules:
        if rule.type == "error":
            where = f"{rule.message} in line {rule.source_line}"
            raise ValueError(f"css must be a style sheet, got {where}")
    return _trim_rules(rules, names)


def icons_in(css: str) -> set[int]:
    """Return the code points of the icons that a sheet names."""
    return {int(m[1], 16) if m[1] else ord(m[0]) for m in ICON.finditer(css)}


def embed_icons(css: str, fonts: Path, icons: set[int]) -> str:
    """Return the sheet with the icons in it: they have 1 to 4 kB, less than it takes to ask.

    Raises ValueError for a sheet that names no icon font as the theme's does.
    """

    def embedded(match: re.Match[str]) -> str:
        font = b64encode(cut_font(fonts / match["name"], icons)).decode()
        return f'url(data:font/woff;base64,{font}) format("woff")'

    css, count = ICON_FONT.subn(embedded, css)
    if not count:
        raise ValueError(
            f"css must name icon fonts as {ICON_FONT.pattern} finds them, got none: the theme has "
            "changed, so mend ICON_FONT in book/_ext/trimmed_styles.py"
        )
    return css


def lighten(app: Sphinx, error: Exception | None) -> None:
    """Trim the sheets in `_static` and put the icons into them; take out what they replace.

    Whole sheets and fonts have just been copied there, in an incremental build too. Only where no
    page was written, some are trimmed already, and the fonts are gone.
    """
    if error or app.builder.format != "html":
        return
    site = Path(app.outdir)
    static = site / "_static"
    for path in (static / "scripts").glob("fontawesome.js*"):
        path.unlink()
    names = classes_in_use(site)
    for path in [path for pattern in SHEETS for path in static.glob(pattern)]:
        path.write_text(trim(path.read_text(encoding="utf-8"), names), encoding="utf-8")
    fonts = static / ICON_FONTS
    if fonts.exists():
        icons = {i for path in static.rglob("*.css") for i in icons_in(path.read_text("utf-8"))}
        theme = static / SHEETS[0]
        css = embed_icons(theme.read_text(encoding="utf-8"), fonts, icons)
        theme.write_text(css, encoding="utf-8")
        rmtree(fonts.parent)


def setup(app: Sphinx) -> dict[str, bool]:
    """Run when all pages are written and all files copied, MyST-NB's too."""
    app.connect("build-finished", lighten, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
