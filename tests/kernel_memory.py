"""A plugin for pytest: how much memory does a notebook need that nbval runs?

`pytest notebooks --nbval -p tests.kernel_memory --peak-megabytes 1500` fails after the last cell of
a notebook whose kernel, with the processes that it has started, needed more. Binder gives 2 GB to a
reader, of which JupyterLab takes a part.

Linux remembers the most that a process ever held: for the kernel that is exact. With the processes
that it starts it shares libraries and what was there before a fork, so what they hold together is
looked at now and then, every shared page counted once.
"""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from threading import Event, Thread
from typing import Any

import psutil
import pytest

PAUSE = 0.1  # seconds


def most_held(pid: int) -> int:
    """Return the most bytes that a process ever held, or 0 where that is not remembered."""
    with suppress(OSError):  # it has ended, or this is not Linux
        status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
        peaks = [line.split()[1] for line in status.splitlines() if line.startswith("VmHWM:")]
        return int(peaks[0]) * 1024 if peaks else 0  # a zombie has no memory
    return 0


def share(process: psutil.Process) -> int:
    """Return the bytes that a process holds, its part of what is shared where that is known."""
    with suppress(psutil.Error):  # it has ended
        memory = process.memory_full_info()
        return getattr(memory, "pss", memory.rss)
    return 0


class Meter:
    """Watches a process and its descendants from a thread; `peak` is in bytes."""

    def __init__(self, pid: int) -> None:
        self.peak = 0
        self._process = psutil.Process(pid)
        self._end = Event()
        self._thread = Thread(target=self._watch, daemon=True)
        self._thread.start()

    def _look(self) -> None:
        total = share(self._process)
        with suppress(psutil.NoSuchProcess):
            total += sum(map(share, self._process.children(recursive=True)))
        self.peak = max(self.peak, total, most_held(self._process.pid))

    def _watch(self) -> None:
        while not self._end.wait(PAUSE):
            self._look()

    def stop(self) -> int:
        """Look once more and return the peak."""
        self._end.set()
        self._thread.join()
        self._look()
        return self.peak


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the limit; without it nothing is measured."""
    parser.addoption("--peak-megabytes", type=float, help="the most memory a notebook may need")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item: pytest.Item) -> Iterator[None]:
    """Begin to watch when nbval has started the kernel of a notebook."""
    yield
    notebook: Any = item.parent
    allowed = item.config.getoption("--peak-megabytes")
    if allowed and getattr(notebook, "kernel", None) and not hasattr(notebook, "meter"):
        notebook.meter = Meter(notebook.kernel.km.provisioner.pid)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> Iterator[None]:
    """After the last cell of a notebook, fail if it needed too much."""
    meter = getattr(item.parent, "meter", None)
    is_last = nextitem is None or nextitem.parent is not item.parent
    peak = meter.stop() / 1e6 if meter and is_last else 0.0
    yield
    allowed = item.config.getoption("--peak-megabytes")
    if peak > (allowed or float("inf")):
        pytest.fail(
            f"{item.parent.name} needs {peak:.0f} MB, more than the {allowed:.0f} MB allowed: "
            "keep less, or train something smaller",
            pytrace=False,
        )
