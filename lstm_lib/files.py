"""Files that are there wholly or not at all."""

import os
import tempfile
from contextlib import suppress
from pathlib import Path


def check_writable(folder: Path) -> None:
    """Make the folder; OSError, naming it, where nothing can be written: better now than later."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        raise OSError(
            error.errno, f"cannot write in {folder}: {error.strerror}", str(folder)
        ) from error


def write_atomically(path: Path, content: bytes, *, ending: str = "part") -> None:
    """Write a file so that it is there wholly or not at all; OSError names it.

    ending: of its name until then. Processes that may write a file at once need different ones.
    """
    unfinished = path.with_name(f"{path.name}.{ending}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(unfinished, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(unfinished, path)
    except OSError as error:
        with suppress(OSError):  # what could not be written may not be there
            unfinished.unlink()
        raise OSError(error.errno, f"cannot write {path}: {error.strerror}", str(path)) from error
