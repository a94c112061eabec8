"""Which version a book is: said at the foot of every page, and opened by its launch buttons.

A book built of a commit as it is opens this commit in Binder and Colab, by its tag where it has
one. Nobody else has what a changed working tree holds, and where there is no git nothing tells the
commit: such a book opens `main`.
"""

import shutil
import subprocess
from html import escape
from pathlib import Path
from typing import NamedTuple

from sphinx.application import Sphinx
from sphinx.config import Config

from lstm_lib import __version__

DEVELOPMENT = "main"


class Built(NamedTuple):
    """What a book was built of: `commit` and `date` are empty where nothing tells them."""

    commit: str
    date: str  # of the commit: a book built again is the same
    tag: str
    changed: bool

    @property
    def ref(self) -> str:
        """What the launch buttons open: a tag, a commit or the branch of development."""
        return DEVELOPMENT if self.changed or not self.commit else self.tag or self.commit


def _git(folder: Path, *words: str) -> str:
    """Return what git says, and nothing where it fails."""
    command = ["git", "-C", str(folder), *words]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()


def built_of(folder: Path) -> Built:
    """Ask git for the commit in `folder`, which must be the top of its repository."""
    top = shutil.which("git") and _git(folder, "rev-parse", "--show-toplevel")
    if not top or Path(top) != folder.resolve():
        return Built("", "", "", changed=False)
    commit, _, date = _git(folder, "log", "-1", "--format=%H %cs").partition(" ")
    tag = _git(folder, "describe", "--tags", "--exact-match", "--match=v*")
    return Built(commit, date, tag, changed=bool(_git(folder, "status", "--porcelain")))


def footer(built: Built, repository: str) -> str:
    """Return the line at the foot of a page, as HTML."""
    text = f"Version {escape(__version__)}"
    if not built.commit:
        return f"<p>{text}</p>"
    address = escape(f"{repository}/commit/{built.commit}")
    link = f'<a href="{address}">commit {built.commit[:7]}</a>'
    return (
        f"<p>{text}, {'changed since' if built.changed else 'built of'} {link} of {built.date}</p>"
    )


def set_version(app: Sphinx, config: Config) -> None:
    """Tell Sphinx and the theme, before the theme makes the buttons."""
    built = built_of(Path(app.srcdir))
    config.version = config.release = __version__
    config.html_theme_options["repository_branch"] = built.ref
    config.html_theme_options["extra_footer"] = footer(
        built, config.html_theme_options["repository_url"]
    )


def setup(app: Sphinx) -> dict[str, bool]:
    """Run when the configuration is read."""
    app.connect("config-inited", set_version)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
