"""What is done to a page when its template is filled in and nothing follows but to write it.

Sphinx lets a project name its own bridge to the templates (`template_bridge`). Ours fills them in
as Sphinx does and passes whole pages on: to `accessible`, which mends what the theme gets wrong,
to `light`, which takes off what the page does not need, and to `policy`, which must see the rest.
First the page is made to stand without scripts and without a memory of the reader's choices.
"""

from typing import Any

import accessible
import light
import policy
from sphinx.builders import Builder
from sphinx.jinja2glue import BuiltinTemplateLoader
from sphinx.theming import Theme

# Written without a choice, a page that no script turns shows the drawings of both themes.
UNDECIDED, DECIDED = 'data-theme="auto"', 'data-theme="light"'
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
    html = html.replace(UNDECIDED, DECIDED, 1)
    return html.replace("<script", f"{FORGETFUL_STORAGE}<script", 1)


class Bridge(BuiltinTemplateLoader):
    """Fill in templates, and finish those that are pages of HTML."""

    def init(
        self, builder: Builder, theme: Theme | None = None, dirs: list[str] | None = None
    ) -> None:
        """Keep the builder, which knows where the pictures of a page are."""
        super().init(builder, theme, dirs)
        self.builder = builder

    def render(self, template: str, context: dict[str, Any]) -> str:  # type: ignore[override]
        """Return the page or the part of a page. EPUB has no theme, no scripts and no policy."""
        text = super().render(template, context)
        if self.builder.name == "epub" or not text.lstrip().startswith("<!DOCTYPE html>"):
            return text
        text = accessible.mend_page(stand_alone(text))
        text = light.lighten(text, context["pagename"], light.sources_of_pictures(self.builder))
        return policy.guard(text)


def setup(app: Any) -> dict[str, bool]:
    """Do nothing: the setting `template_bridge` names the class."""
    return {"parallel_read_safe": True, "parallel_write_safe": True}
