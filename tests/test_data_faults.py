"""Everything that can go wrong between a set and its reader, each fault really caused."""

import dataclasses
import errno
import gzip
import os
import re
import resource
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import filelock
import pytest
from index_server import ARCHIVE, MEMBERS, IndexServer, archive_of, sha256, tiny

from lstm_lib.data import DataError, cache, index, is_cached
from lstm_lib.data.__main__ import main
from lstm_lib.data.sources import SOURCES


@pytest.fixture
def server() -> Iterator[IndexServer]:
    with IndexServer() as running:
        yield running


@pytest.fixture
def folder(tmp_path: Path, server: IndexServer, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache, and the server as pip's index."""
    monkeypatch.setenv("LSTM_LIB_DATA", str(tmp_path / "cache"))
    monkeypatch.setenv("PIP_INDEX_URL", server.index)
    return tmp_path / "cache"


@contextmanager
def full_beyond(size: int) -> Iterator[None]:
    """The system refuses to write more than `size` bytes into any file."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.fixture
def closed_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def kept_files(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()} - {"tiny.lock"}


def assert_clear(error: BaseException, folder: Path, *words: str) -> None:
    """The message names the file, the folder and what to do, on one line."""
    for part in ("tiny-1.0", str(folder), "What to do: ", *words):
        assert part in str(error)
    assert "\n" not in str(error)


def assert_next_try_works(folder: Path) -> None:
    assert kept_files(folder) == set()
    assert cache.contents(tiny()) == MEMBERS
    assert kept_files(folder) == {"tiny.zip"}


# --- Finding and fetching --------------------------------------------------------------------


def test_a_set_is_fetched_once_and_then_read_from_the_cache(
    folder: Path, server: IndexServer
) -> None:
    assert cache.contents(tiny()) == cache.contents(tiny()) == MEMBERS
    assert server.asked == {"/simple/tiny/": 1, "/files/tiny-1.0.tar.gz": 1}


@pytest.mark.parametrize(
    "link",
    [
        "../../files/tiny-1.0.tar.gz#sha256=0123",
        "/files/tiny-1.0.tar.gz",
        "/files/tiny-1%2E0.tar.gz",
    ],
)
def test_an_index_that_answers_in_html_with_relative_links_is_understood(
    folder: Path, server: IndexServer, link: str
) -> None:
    server.links = ["../../files/tiny-0.9.tar.gz", link]
    server.files["tiny-1%2E0.tar.gz"] = ARCHIVE
    assert cache.contents(tiny()) == MEMBERS


def test_a_server_that_would_pack_an_archive_again_is_asked_not_to(
    folder: Path, server: IndexServer
) -> None:
    server.packs_again = True
    address = f"{server.address}/files/tiny-1.0.tar.gz"
    assert cache.contents(tiny(project="", address=address)) == MEMBERS


def test_a_zip_archive_is_unpacked_too(folder: Path, server: IndexServer) -> None:
    archive = archive_of(MEMBERS | {"tiny/setup.py": b""}, "zip")
    server.files["tiny-1.0.whl"] = archive
    assert cache.contents(tiny(file="tiny-1.0.whl", sha256=sha256(archive))) == MEMBERS


def test_a_file_at_its_own_address_needs_no_index(
    folder: Path, server: IndexServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PIP_INDEX_URL")
    server.files["input.txt"] = b"First Citizen:\n"
    own = tiny(
        project="",
        address=f"{server.address}/files/input.txt",
        file="input.txt",
        sha256=None,
        contents=sha256(b"First Citizen:\n"),
    )
    assert cache.contents(own) == {"input.txt": b"First Citizen:\n"}
    assert server.asked == {"/files/input.txt": 1}


def test_the_index_is_the_one_that_pip_is_set_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "pip.conf").write_text("[global]\nindex-url = http://127.0.0.1:9/mirror/\n")
    monkeypatch.setenv("PIP_CONFIG_FILE", str(tmp_path / "pip.conf"))
    monkeypatch.delenv("PIP_INDEX_URL", raising=False)
    assert index.index_address() == "http://127.0.0.1:9/mirror/"


def test_a_password_that_pip_hides_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "pip.conf").write_text("[global]\nindex-url = http://me:secret@127.0.0.1:9/\n")
    monkeypatch.setenv("PIP_CONFIG_FILE", str(tmp_path / "pip.conf"))
    monkeypatch.delenv("PIP_INDEX_URL", raising=False)
    with pytest.raises(LookupError, match="set PIP_INDEX_URL"):
        index.index_address()


def test_the_environments_index_is_taken_with_its_password(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", "http://me:secret@127.0.0.1:9/")
    assert index.index_address() == "http://me:secret@127.0.0.1:9/"


def test_without_pip_the_reader_is_told_what_to_set(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PIP_INDEX_URL")
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(DataError) as caught:
        cache.contents(tiny())
    assert_clear(caught.value, folder, "PIP_INDEX_URL")


# --- The network -----------------------------------------------------------------------------


def test_no_network_is_a_clear_error_and_the_next_try_works(
    folder: Path, server: IndexServer, closed_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", f"http://127.0.0.1:{closed_port}/simple")
    with pytest.raises(DataError) as caught:
        cache.contents(tiny())
    assert_clear(caught.value, folder, "check the network", "package index that pip uses")
    monkeypatch.setenv("PIP_INDEX_URL", server.index)
    assert_next_try_works(folder)


def test_no_network_at_a_sets_own_address_says_nothing_of_pip(
    folder: Path, closed_port: int
) -> None:
    address = f"http://127.0.0.1:{closed_port}/tiny-1.0.tar.gz"
    with pytest.raises(DataError) as caught:
        cache.contents(tiny(project="", address=address))
    assert_clear(caught.value, folder, "check the network")
    assert "pip" not in str(caught.value)


def test_a_project_that_the_index_does_not_have_is_a_clear_error(folder: Path) -> None:
    with pytest.raises(DataError) as caught:
        cache.contents(tiny(project="huge"))
    assert_clear(caught.value, folder, "404", "package index that pip uses")
    assert_next_try_works(folder)


def test_a_file_that_the_index_does_not_list_is_a_clear_error(
    folder: Path, server: IndexServer
) -> None:
    server.links = []
    with pytest.raises(DataError) as caught:
        cache.contents(tiny())
    assert_clear(caught.value, folder, "doesn't list it under tiny")
    server.links = None
    assert_next_try_works(folder)


def test_a_file_that_is_listed_but_gone_is_a_clear_error(folder: Path, server: IndexServer) -> None:
    server.links = ["/gone/tiny-1.0.tar.gz"]
    with pytest.raises(DataError) as caught:
        cache.contents(tiny())
    assert_clear(caught.value, folder, "404")
    server.links = None
    assert_next_try_works(folder)


def test_an_error_never_shows_a_password(
    folder: Path, server: IndexServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = server.index.replace("http://", "http://me:secret@")
    monkeypatch.setenv("PIP_INDEX_URL", secret)
    server.links = []
    with pytest.raises(DataError) as caught:
        cache.contents(tiny())
    assert "secret" not in str(caught.value)
    with pytest.raises(DataError) as caught:
        cache.contents(tiny(project="huge"))
    assert "secret" not in str(caught.value)


# --- Wrong bytes -----------------------------------------------------------------------------


def test_a_wrong_hash_is_a_clear_error_and_the_next_try_works(
    folder: Path, server: IndexServer
) -> None:
    server.files["tiny-1.0.tar.gz"] = other = archive_of(MEMBERS | {"tiny-1.0/evil.py": b""})
    with pytest.raises(DataError) as caught:
        cache.contents(tiny())
    assert_clear(caught.value, folder, sha256(other), sha256(ARCHIVE))
    server.files["tiny-1.0.tar.gz"] = ARCHIVE
    assert_next_try_works(folder)


def test_wrong_contents_are_found_where_the_archive_is_not_pinned(
    folder: Path, server: IndexServer
) -> None:
    server.files["tiny-1.0.tar.gz"] = archive_of(MEMBERS | {"tiny-1.0/texts/more.txt": b"!"})
    with pytest.raises(DataError) as caught:
        cache.contents(tiny(sha256=None))
    assert_clear(caught.value, folder, "contents", tiny().contents)
    server.files["tiny-1.0.tar.gz"] = ARCHIVE
    assert_next_try_works(folder)


def test_a_connection_that_breaks_off_is_a_clear_error_and_the_next_try_works(
    folder: Path, server: IndexServer
) -> None:
    server.send, server.announce = len(ARCHIVE) // 2, len(ARCHIVE)
    server.links = ["/files/tiny-1.0.tar.gz"]  # this page is shorter than what is sent
    with pytest.raises(DataError) as caught:
        cache.contents(tiny())
    assert_clear(caught.value, folder, "check the network")
    server.send = server.announce = None
    assert_next_try_works(folder)


@pytest.mark.parametrize("pinned", [True, False])
def test_a_truncated_archive_is_a_clear_error_and_the_next_try_works(
    folder: Path, server: IndexServer, pinned: bool
) -> None:
    server.send = len(ARCHIVE) // 2
    with pytest.raises(DataError) as caught:
        cache.contents(tiny() if pinned else tiny(sha256=None))
    assert_clear(caught.value, folder, "cut short", "call again")
    server.send = None
    assert_next_try_works(folder)


def flip_a_bit(packed: bytearray) -> None:
    packed[len(packed) // 3] ^= 1


def break_the_code(packed: bytearray) -> None:
    packed[packed.index(b".txt") + 4] |= 0b110  # a kind of block that there is not


def cut_in_half(packed: bytearray) -> None:
    del packed[len(packed) // 2 :]


def claim_a_password(packed: bytearray) -> None:
    packed[packed.index(b"PK\1\2") + 8] |= 1


def break_a_name(packed: bytearray) -> None:
    directory = packed.index(b"PK\1\2")
    packed[directory + 9] |= 8  # the name is UTF-8
    packed[directory + 46] = 0xF2


def hold_another_release(packed: bytearray) -> None:
    packed[:] = archive_of({"tiny-0.9/texts/00.txt": b"an older text"}, "zip")


@pytest.mark.parametrize(
    "damage",
    [
        flip_a_bit,
        break_the_code,
        cut_in_half,
        claim_a_password,
        break_a_name,
        hold_another_release,
    ],
)
def test_a_damaged_file_in_the_cache_is_fetched_anew(
    folder: Path, server: IndexServer, damage: Callable[[bytearray], None]
) -> None:
    cache.contents(tiny())
    kept = bytearray((folder / "tiny.zip").read_bytes())
    damage(kept)
    (folder / "tiny.zip").write_bytes(kept)
    assert cache.kept(tiny()) is None
    assert cache.contents(tiny()) == MEMBERS
    assert server.asked["/files/tiny-1.0.tar.gz"] == 2


def test_a_damaged_archive_that_is_not_pinned_is_a_clear_error(
    folder: Path, server: IndexServer
) -> None:
    damaged = bytearray(gzip.compress(gzip.decompress(ARCHIVE)[:2048]))  # without the tar's end
    damaged[-8] ^= 1  # of gzip's checksum
    server.files["tiny-1.0.tar.gz"] = bytes(damaged)
    with pytest.raises(DataError) as caught:
        cache.contents(tiny(sha256=None))
    assert_clear(caught.value, folder, "can't be unpacked")


# --- The folder ------------------------------------------------------------------------------


def test_a_cache_that_can_not_be_made_is_a_clear_error_and_the_next_try_works(
    tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("a file, not a folder")
    monkeypatch.setenv("LSTM_LIB_DATA", str(tmp_path / "file" / "cache"))
    with pytest.raises(DataError) as caught:
        cache.contents(tiny())
    assert_clear(caught.value, tmp_path / "file", "writable", "LSTM_LIB_DATA")
    folder.mkdir()
    monkeypatch.setenv("LSTM_LIB_DATA", str(folder))
    assert_next_try_works(folder)


def test_a_file_system_that_refuses_even_root_is_a_clear_error(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LSTM_LIB_DATA", "/sys/lstm_lib")
    with pytest.raises(DataError) as caught:
        cache.contents(tiny())
    assert_clear(caught.value, Path("/sys/lstm_lib"), "writable", "LSTM_LIB_DATA")


def read_only(monkeypatch: pytest.MonkeyPatch, folder: Path, code: int) -> None:
    """Let the system refuse every opening for writing below the folder (root ignores modes)."""
    really_open = os.open

    def refuse(path: Any, flags: int, *rest: Any, **more: Any) -> int:
        if str(path).startswith(str(folder)) and flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
            raise OSError(code, os.strerror(code), str(path))
        return really_open(path, flags, *rest, **more)

    monkeypatch.setattr(os, "open", refuse)


@pytest.mark.parametrize("code", [errno.EROFS, errno.EACCES])
def test_a_read_only_cache_is_a_clear_error_and_the_next_try_works(
    folder: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    folder.mkdir()
    with monkeypatch.context() as patch:
        read_only(patch, folder, code)
        with pytest.raises(DataError) as caught:
            cache.contents(tiny())
    assert_clear(caught.value, folder, os.strerror(code), "writable", "LSTM_LIB_DATA")
    assert_next_try_works(folder)


def test_a_read_only_cache_that_holds_the_set_serves_it(
    folder: Path, server: IndexServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache.contents(tiny())
    read_only(monkeypatch, folder, errno.EROFS)
    assert cache.contents(tiny()) == MEMBERS


def test_a_disk_that_fills_while_the_archive_comes_is_a_clear_error(folder: Path) -> None:
    folder.mkdir()
    (folder / "tiny.part").symlink_to("/dev/full")
    with pytest.raises(DataError) as caught:
        cache.contents(tiny())
    assert_clear(caught.value, folder, "No space left", "of room", "LSTM_LIB_DATA")
    assert_next_try_works(folder)


def test_a_disk_that_fills_while_the_set_is_kept_is_a_clear_error(folder: Path) -> None:
    room = 8000
    assert len(ARCHIVE) < room < 2 * room < len(MEMBERS) * 200  # each member has two headers
    with full_beyond(room), pytest.raises(DataError) as caught:
        cache.contents(tiny())
    assert_clear(caught.value, folder, "of room", "LSTM_LIB_DATA")
    assert_next_try_works(folder)


def test_another_trouble_with_the_disk_names_the_folder(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_: int) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", broken)
        with pytest.raises(DataError) as caught:
            cache.contents(tiny())
    assert_clear(caught.value, folder, "Input/output error", "look at that folder")
    assert_next_try_works(folder)


def test_what_a_killed_fetch_left_is_written_over(folder: Path) -> None:
    folder.mkdir()
    (folder / "tiny.part").write_bytes(b"half")
    (folder / "tiny.zip.part").write_bytes(b"half")
    assert cache.contents(tiny()) == MEMBERS
    assert kept_files(folder) == {"tiny.zip"}


def test_an_interrupted_fetch_leaves_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(cache, "_unpack", interrupt)
        with pytest.raises(KeyboardInterrupt):
            cache.contents(tiny())
    assert_next_try_works(folder)


def test_waiting_for_another_process_ends(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "_LOCK_SECONDS", 0.05)
    folder.mkdir()
    with filelock.FileLock(folder / "tiny.lock"), pytest.raises(DataError) as caught:
        cache.contents(tiny())
    assert_clear(caught.value, folder, "another process")
    assert_next_try_works(folder)


# --- What the reader sees --------------------------------------------------------------------


def test_a_fetch_is_told_in_one_line(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("TQDM_DISABLE", raising=False)
    cache.contents(tiny(megabytes=5.4))
    pattern = rf"Fetching tiny \(5\.4 MB\) … done in \d+\.\d s, kept in {re.escape(str(folder))}\n"
    assert re.fullmatch(pattern, capsys.readouterr().err)


def test_a_failed_fetch_ends_its_line(
    folder: Path,
    server: IndexServer,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.delenv("TQDM_DISABLE", raising=False)
    server.files = {}
    with pytest.raises(DataError):
        cache.contents(tiny(megabytes=5.4))
    assert capsys.readouterr().err == "Fetching tiny (5.4 MB) … failed\n"


def test_nothing_is_printed_where_bars_are_off(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TQDM_DISABLE", "1")
    cache.contents(tiny())
    assert capfd.readouterr() == ("", "")


@pytest.fixture
def only_tiny() -> Iterator[None]:
    """The small set and a larger one are all the sets there are."""
    every = dict(SOURCES)
    SOURCES.clear()
    SOURCES["tiny"] = tiny(megabytes=5.4)
    SOURCES["large"] = dataclasses.replace(tiny(), name="large", project="")
    yield
    SOURCES.clear()
    SOURCES.update(every)


@pytest.mark.usefixtures("only_tiny")
def test_the_list_shows_sets_sizes_licences_and_what_is_kept_and_fetches_nothing(
    folder: Path, server: IndexServer, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["--list"])
    header, small, large, where = capsys.readouterr().out.splitlines()
    assert header.split() == ["set", "MB", "cached", "licence"]
    assert small.split() == ["tiny", "5.4", "no", "public", "domain"]
    assert large.split() == ["large", "0.0", "no", "*", "public", "domain"]
    assert str(folder) in where
    assert not server.asked


@pytest.mark.usefixtures("only_tiny")
def test_the_command_fetches_the_defaults_and_says_so(
    folder: Path, server: IndexServer, capsys: pytest.CaptureFixture[str]
) -> None:
    main([])
    assert capsys.readouterr().out.splitlines()[1].split()[2] == "yes"
    assert is_cached("tiny")
    assert not is_cached("large")


@pytest.mark.usefixtures("only_tiny")
def test_the_command_ends_with_the_error(folder: Path, server: IndexServer) -> None:
    server.files = {}
    with pytest.raises(SystemExit) as caught:
        main([])
    assert_clear(caught.value, folder)


def test_an_unknown_set_is_named_with_those_that_there_are() -> None:
    with pytest.raises(ValueError, match=r"one of electricity, .* got 'mnist'"):
        is_cached("mnist")
