"""Processes that are killed while they fetch, and processes that fetch at once.

Starting Python fifty times would take longer than all the rest: one process imports what a fetch
needs and forks a child for each try.
"""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from index_server import MEMBERS, IndexServer, tiny

from lstm_lib.data import cache

KILLS = 50

FORKS = f"""
import os, sys
import filelock, pooch, requests
from lstm_lib.data import cache, index
from lstm_lib.data.sources import Source
source = {tiny()!r}
children = []
for line in sys.stdin:
    for _ in range(int(line)):
        if not (child := os.fork()):
            cache.contents(source)
            os._exit(0)
        children.append(child)
    if int(line):
        print(*children, flush=True)
    else:  # only now is a child's id free for another process
        print(*(os.waitpid(child, 0)[1] for child in children), flush=True)
        children = []
"""


class Tries:
    """Starts tries to fetch the small set, each in a process of its own."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        assert process.stdin
        assert process.stdout
        self._orders, self._answers = process.stdin, process.stdout

    def start(self, count: int = 1) -> list[int]:
        """The ids of `count` new processes."""
        return self._order(count)

    def ends(self) -> list[int]:
        """How each of them ended, once all have: 0 if it has the set, else the signal."""
        return self._order(0)

    def _order(self, count: int) -> list[int]:
        self._orders.write(f"{count}\n")
        self._orders.flush()
        return [int(word) for word in self._answers.readline().split()]


@pytest.fixture
def server() -> Iterator[IndexServer]:
    with IndexServer() as running:
        yield running


@contextmanager
def started(server: IndexServer, folder: Path) -> Iterator[Tries]:
    environment = {"LSTM_LIB_DATA": str(folder), "PIP_INDEX_URL": server.index}
    with subprocess.Popen(
        [sys.executable, "-c", FORKS],
        env=os.environ | environment | {"OMP_NUM_THREADS": "1"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        yield Tries(process)


def whole_or_absent(folder: Path) -> bool:
    """Whether the set is kept with the right contents, or there is no file of its name."""
    return cache.kept(tiny()) == MEMBERS or not (folder / "tiny.zip").exists()


def test_fifty_kills_leave_a_whole_cache_and_the_next_try_works(
    tmp_path: Path, server: IndexServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = random.Random(0)
    monkeypatch.setenv("LSTM_LIB_DATA", str(tmp_path))
    killed, left = 0, []
    with started(server, tmp_path) as tries:
        while killed < KILLS:  # a try that was done before the signal came doesn't count
            (tmp_path / "tiny.zip").unlink(missing_ok=True)
            server.pieces, server.pause = 10, 0.01
            server.sent.clear()
            (child,) = tries.start()
            if killed % 2:  # in what follows the last byte: check, unpack, write, rename
                server.sent.wait(10)
                time.sleep(rng.uniform(0, 0.005))
            else:  # while it asks, or while the archive comes
                time.sleep(rng.uniform(0, 0.2))
            os.kill(child, signal.SIGKILL)
            killed += tries.ends() == [signal.SIGKILL]
            assert whole_or_absent(tmp_path)
            left += [path.name for path in tmp_path.iterdir() if path.suffix == ".part"]

            server.pieces, server.pause = 1, 0.0
            tries.start()
            assert tries.ends() == [0]
            assert cache.kept(tiny()) == MEMBERS
            # Some versions of filelock remove their file, others leave it.
            assert {path.name for path in tmp_path.iterdir()} - {"tiny.lock"} == {"tiny.zip"}
    assert (
        len(left) >= KILLS / 5
    )  # the signals did come at moments when there was something to lose


def test_processes_that_ask_at_once_fetch_once(tmp_path: Path, server: IndexServer) -> None:
    server.pieces, server.pause = 20, 0.01
    with started(server, tmp_path) as tries:
        tries.start(4)
        assert tries.ends() == [0, 0, 0, 0]
    assert server.asked["/files/tiny-1.0.tar.gz"] == 1
