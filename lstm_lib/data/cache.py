"""Fetch a set once and keep it: locked, checked, and written whole or not at all.

A set is kept as one file, NAME.zip, that holds the members it needs. It is written beside, forced
to the disk and renamed, so at every moment it is absent or whole; and its contents are checked at
each reading. Whoever fetches holds the lock NAME.lock, which the system takes from a process that
dies; so a *.part file that the holder of the lock finds is nobody's, and is written over.
"""

import errno
import fnmatch
import gzip
import hashlib
import io
import math
import os
import re
import sys
import tarfile
import time
import warnings
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

from .sources import SOURCES, Source

Members = dict[str, bytes]

_LOCK_SECONDS = 600.0
# All that zipfile and tarfile were seen to raise for archives with bytes changed or missing.
_DAMAGED = (
    zipfile.BadZipFile,
    tarfile.TarError,
    gzip.BadGzipFile,
    zlib.error,
    EOFError,
    RuntimeError,
    UnicodeDecodeError,
)
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_NOT_WRITABLE = {errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EEXIST}


class DataError(RuntimeError):
    """A set couldn't be fetched or kept; the message says which file, where, and what to do."""


def cache_folder() -> Path:
    """Where sets are kept: the environment's LSTM_LIB_DATA, else the user's cache folder."""
    if chosen := os.environ.get("LSTM_LIB_DATA"):
        return Path(chosen).expanduser()
    return Path(_pooch().os_cache("lstm_lib"))


def _pooch() -> ModuleType:
    """The package pooch, without the warning of its `tqdm.auto` in a notebook without widgets."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pooch
    return pooch


def is_cached(name: str) -> bool:
    """Whether the set is kept, whole. Raises ValueError if there is no set of that name."""
    return kept(source_of(name)) is not None


def source_of(name: str) -> Source:
    """The source of a set. Raises ValueError naming the sets if there is none of that name."""
    if name not in SOURCES:
        raise ValueError(f"name must be one of {', '.join(SOURCES)}, got {name!r}")
    return SOURCES[name]


def contents(source: Source) -> Members:
    """The members of a set by name, from the cache, fetched first where they aren't there.

    Raises DataError.
    """
    members = kept(source)
    return _fetch(source) if members is None else members


def kept(source: Source) -> Members | None:
    """The members that the cache holds; None if it holds none, or not the right ones."""
    try:
        members = _read_zip(_path(source), "*")
    except (OSError, *_DAMAGED):
        return None
    return members if _sha256(members) == source.contents else None


def _path(source: Source) -> Path:
    return cache_folder() / f"{source.name}.zip"


def _fetch(source: Source) -> Members:
    import filelock

    folder = cache_folder()
    with _explained(source, folder):
        folder.mkdir(parents=True, exist_ok=True)
        with filelock.FileLock(folder / f"{source.name}.lock", timeout=_LOCK_SECONDS):
            members = kept(source)  # another process may have fetched it while we waited
            if members is None:
                with _progress(source, folder):
                    members = _download(source, folder / f"{source.name}.part")
                    _write(members, _path(source))
    return members


def _download(source: Source, part: Path) -> Members:
    """Fetch the file into `part`, check it, and return the members that are kept."""
    from . import index

    address = source.address or index.file_address(
        index.index_address(), source.project, source.file
    )
    try:
        # "identity": a server must not pack a packed file once more.
        ask = _pooch().HTTPDownloader(headers={"Accept-Encoding": "identity"}, chunk_size=2**16)
        ask(address, str(part), None)
        if source.sha256 is not None:
            _compare("its SHA-256", hashlib.sha256(part.read_bytes()).hexdigest(), source.sha256)
        members = _unpack(part, source)
        _compare("the SHA-256 of its contents", _sha256(members), source.contents)
    finally:
        part.unlink(missing_ok=True)
    return members


def _compare(what: str, found: str, expected: str) -> None:
    if found != expected:
        raise LookupError(f"{what} is {found} instead of {expected}: cut short, or another file")


def _unpack(archive: Path, source: Source) -> Members:
    """The wanted members of an archive as bytes; a file that is none is its own only member."""
    try:
        if source.file.endswith((".zip", ".whl")):
            return _read_zip(archive, source.members)
        if source.file.endswith(".tar.gz"):
            return _read_tar(archive, source.members)
    except _DAMAGED as error:
        raise LookupError(f"it can't be unpacked ({error}): cut short, or damaged") from error
    return {source.file: archive.read_bytes()}


def _read_zip(path: Path, pattern: str) -> Members:
    with zipfile.ZipFile(path) as archive:
        names = [name for name in archive.namelist() if fnmatch.fnmatchcase(name, pattern)]
        return {name: archive.read(name) for name in sorted(names)}


def _read_tar(path: Path, pattern: str) -> Members:
    members = {}
    with tarfile.open(path) as archive:
        for entry in archive:
            if fnmatch.fnmatchcase(entry.name, pattern) and (file := archive.extractfile(entry)):
                members[entry.name] = file.read()
    return dict(sorted(members.items()))


def _sha256(members: Members) -> str:
    digest = hashlib.sha256()
    for name in sorted(members):
        digest.update(members[name])
    return digest.hexdigest()


def _write(members: Members, path: Path) -> None:
    """Write beside, force to the disk, rename: a reader sees all of the file or none of it."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED)
    part = path.with_name(f"{path.name}.part")
    try:
        with part.open("wb") as file:
            file.write(packed.getbuffer())
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


@contextmanager
def _explained(source: Source, folder: Path) -> Iterator[None]:
    """Turn what can go wrong into a DataError that says what to do."""
    import filelock
    import requests

    host = "the package index that pip uses" if source.default else source.address
    try:
        yield
    except requests.RequestException as error:
        do = f"check the network and {host}, then call again"
        raise _error(source, folder, f"it can't be had: {error}", do) from error
    except filelock.Timeout as error:
        what = f"another process has been fetching it for {_LOCK_SECONDS / 60:.0f} minutes"
        raise _error(source, folder, what, "wait for it or end it, then call again") from error
    except OSError as error:
        what = ": ".join(str(part) for part in (error.strerror, error.filename) if part)
        raise _error(source, folder, what, _make_way(source, error)) from error
    except LookupError as error:
        do = f"call again; if it stays so, look at what {host} gives"
        raise _error(source, folder, str(error), do) from error


def _make_way(source: Source, error: OSError) -> str:
    """What to do about a folder that can't be written."""
    if error.errno in _FULL:
        do = f"make {math.ceil(source.megabytes * 3)} MB of room there"
    elif error.errno in _NOT_WRITABLE:
        do = "make the folder writable"
    else:
        do = "look at that folder"
    return f"{do}, or let LSTM_LIB_DATA name another folder, then call again"


def _error(source: Source, folder: Path, what: str, do: str) -> DataError:
    what = re.sub(r"//[^/\s]*@", "//", what)  # no password of an address
    return DataError(
        f"{source.file} for the set {source.name!r} could not be fetched into {folder}: {what}. "
        f"Nothing half-written was left. What to do: {do}."
    )


@contextmanager
def _progress(source: Source, folder: Path) -> Iterator[None]:
    """One line on stderr, silent where TQDM_DISABLE is set, as tqdm's bars are."""
    silent = os.environ.get("TQDM_DISABLE", "") not in ("", "0")

    def say(text: str) -> None:
        if not silent:
            print(text, end="", file=sys.stderr, flush=True)

    say(f"Fetching {source.name} ({source.megabytes:g} MB) … ")
    begun = time.monotonic()
    try:
        yield
    except BaseException:
        say("failed\n")
        raise
    say(f"done in {time.monotonic() - begun:.1f} s, kept in {folder}\n")
