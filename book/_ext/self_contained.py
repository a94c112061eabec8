"""Pages that ask nothing of any other host.

Drops what the theme and its companions would load from elsewhere: scripts with an address on
another host, and the script of sphinx-thebe (live code through a CDN, switched off in this book),
which is written into every page even so, twice, and throws. And what the scripts of others would
write into the reader's console at every page they leave unsaid.
"""

from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx


def _is_foreign(script: Any) -> bool:
    filename = getattr(script, "filename", None) or ""
    body = getattr(script, "attributes", {}).get("body") or ""
    return "://" in str(filename) or "thebe" in f"{filename}{body}"


def drop_foreign(
    app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    """Take foreign scripts and style sheets off the page."""
    for kind in ("script_files", "css_files"):
        if kind in context:
            context[kind] = [item for item in context[kind] if not _is_foreign(item)]


def hush(app: Sphinx, error: Exception | None) -> None:
    """Keep scripts from noting in the console what they do; their errors still arrive there."""
    if error or app.builder.format != "html":
        return
    for script in (Path(app.outdir) / "_static").rglob("*.js"):
        text = script.read_text(encoding="utf-8")
        # An expression in place of an expression, also in minified scripts.
        if "console.log(" in text:
            script.write_text(text.replace("console.log(", "void ("), encoding="utf-8")


def setup(app: Sphinx) -> dict[str, bool]:
    """Run late, when every other extension has added its files."""
    app.connect("html-page-context", drop_foreign, priority=900)
    app.connect("build-finished", hush)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
