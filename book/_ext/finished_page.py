"""What is done to a page when its template is filled in and nothing follows but to write it.

Sphinx lets a project name its own bridge to the templates (`template_bridge`). Ours fills them in
as Sphinx does and passes whole pages on: to `accessible`, which mends what the theme gets wrong,
to `light`, which takes off what the page does not need, and to `policy`, which must see the rest.
First the page is made to stand without scripts and without a memory of the reader's choices.
"""

import re
from typing import Any

import accessible
import light
import policy
from sphinx.application import Sphinx
from sphinx.builders import Builder
from sphinx.jinja2glue import BuiltinTemplateLoader
from sphinx.theming import Theme
from sphinx.util import logging

logger = logging.getLogger(__name__)

# Written without a choice, a page that no script turns shows the drawings of both themes.
UNDECIDED = re.compile('(<html[^>]*) data-theme="auto"')
# Where the reader has forbidden storage, to ask for it throws, and the theme's scripts end there.
# They get one that forgets with the page.
FORGETFUL_STORAGE = """\
<script>
for (const name of ["localStorage", "sessionStorage"])
  try { window[name] } catch {
    const kept = new Map();
    Object.defineProperty(window, name, { value: {
      getItem: (key) => kept.get(key) ?? null,
      setItem: (key, value) => kept.set(key, String(value)),
      removeItem: (key) => kept.delete(key),
    } });
  }
</script>
"""


def stand_alone(html: str) -> str:
    """Return the page so that it is whole without scripts, and its scripts run without storage."""
    html = UNDECIDED.sub(r'\1 data-theme="light"', html)
    return html.replace("<script", f"{FORGETFUL_STORAGE}<script", 1)


class Bridge(BuiltinTemplateLoader):
    """Fill in templates, and finish those that are pages of HTML."""

    def init(
        self, builder: Builder, theme: Theme | None = None, dirs: list[str] | None = None
    ) -> None:
        """Keep the builder, which knows where the pictures of a page are."""
        super().init(builder, theme, dirs)
        self.builder = builder
        self.begin_to_count()

    def begin_to_count(self) -> None:
        """Forget which pages were written, and what was found on them."""
        self.written: set[str] = set()
        self.not_found = {UNDECIDED, *accessible.FOUND, *light.FOUND}

    def render(self, template: str, context: dict[str, Any]) -> str:  # type: ignore[override]
        """Return the page or the part of a page. EPUB has no theme, no scripts and no policy."""
        text = super().render(template, context)
        if self.builder.name == "epub" or not text.lstrip().startswith("<!DOCTYPE html>"):
            return text
        self.written.add(context["pagename"])
        self.not_found = {wrong for wrong in self.not_found if not wrong.search(text)}
        text = accessible.mend_page(stand_alone(text))
        text = light.lighten(text, context["pagename"], light.sources_of_pictures(self.builder))
        return policy.guard(text)


def warn_of_lost_mends(app: Sphinx, error: Exception | None) -> None:
    """Tell what was looked for on all pages, if all were written, and found on none."""
    bridge = getattr(app.builder, "templates", None)
    if not error and isinstance(bridge, Bridge) and app.env.found_docs <= bridge.written:
        for wrong in sorted(bridge.not_found, key=str):
            logger.warning(
                "no page has %r any more: see how the theme writes it now, and mend or delete "
                "what looks for it in book/_ext/accessible.py, light.py or finished_page.py",
                wrong.pattern,
            )


def setup(app: Sphinx) -> dict[str, bool]:
    """Look back when all is built. The setting `template_bridge` names the class."""
    app.connect("build-finished", warn_of_lost_mends)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
