"""The archive of the book, of a small one."""

from pathlib import Path
from zipfile import ZipFile

from tools.make_offline import make_offline


def test_the_archive_holds_in_order_what_a_reader_needs(tmp_path: Path) -> None:
    book = tmp_path / "html"
    for name in ("index.html", "404.html", "z.html", "_static/a.js", "_static/a.js.map", ".built"):
        (book / name).parent.mkdir(parents=True, exist_ok=True)
        (book / name).touch()
    assert make_offline(book, tmp_path / "course.zip") == 3
    with ZipFile(tmp_path / "course.zip") as packed:
        assert packed.namelist() == ["course/_static/a.js", "course/index.html", "course/z.html"]
