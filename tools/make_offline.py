"""Put the built book into one zip archive, to be read without a network.

Usage: python tools/make_offline.py _build/html _build/lstm-measured.zip

Unpack it and open index.html. The archives of one build are the same to the last byte, whenever
they are made: names in order, one date, one set of permissions.
"""

import sys
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

# What only a server has a use for; and the theme's maps, which lead to sources it does not ship.
LEFT_OUT = {"404.html", "robots.txt", "sitemap.xml", "objects.inv"}
# The earliest that a zip archive can say.
DATE = (1980, 1, 1, 0, 0, 0)
READABLE_FILE = 0o100644 << 16


def files_of(book: Path) -> list[Path]:
    """Return the files that a reader of the book needs, in the order of their names.

    Raises FileNotFoundError where no book was built.
    """
    if not (book / "index.html").exists():
        raise FileNotFoundError(f"book must be a built book, got {book} without index.html")
    paths = (path for path in book.rglob("*") if path.is_file())
    named = {path.relative_to(book).as_posix(): path for path in paths}
    return [
        path
        for name, path in sorted(named.items())
        if name not in LEFT_OUT and path.suffix != ".map" and not path.name.startswith(".")
    ]


def make_offline(book: Path, archive: Path) -> int:
    """Write the archive, in a folder of its own name, and return how many files are in it."""
    files = files_of(book)
    archive.parent.mkdir(parents=True, exist_ok=True)
    unfinished = archive.with_suffix(".zip.part")
    with ZipFile(unfinished, "w", ZIP_DEFLATED, compresslevel=9) as packed:
        for path in files:
            name = f"{archive.stem}/{path.relative_to(book).as_posix()}"
            info = ZipInfo(name, DATE)
            info.create_system = 3  # Unix, also where it is not, as the permissions are
            info.external_attr = READABLE_FILE
            packed.writestr(info, path.read_bytes(), ZIP_DEFLATED)
    unfinished.replace(archive)
    return len(files)


def main(book: Path, archive: Path) -> None:
    """Make the archive and say where it is, or why there is none."""
    try:
        count = make_offline(book, archive)
    except FileNotFoundError as error:
        sys.exit(f"{error}: run `make book`")
    print(f"{archive}: {count} files, {archive.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("Usage: python tools/make_offline.py _build/html _build/lstm-measured.zip")
    main(Path(sys.argv[1]), Path(sys.argv[2]))
