"""What all tests share."""

import os
from typing import Any

import pytest
import torch

# Before a notebook's kernel is started: bars would be outputs that no stored one has.
os.environ.setdefault("TQDM_DISABLE", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")
# Before anything imports triton: where nothing can run its kernels, NumPy executes their source.
if not torch.cuda.is_available():
    os.environ.setdefault("TRITON_INTERPRET", "1")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Give all tests of one page to one worker, which then loads the page once.

    `--dist loadgroup` and its marks had no effect with pytest 9.2 and pytest-xdist 3.8.
    """
    from xdist.scheduler import LoadScopeScheduling

    class ByPage(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return nodeid.partition("[")[2]

    return ByPage(config, log) if config.option.markexpr == "pages" else None
