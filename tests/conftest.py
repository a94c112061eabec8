"""What all tests share."""

import os
from collections.abc import Iterator

import pytest
import torch

# Before a notebook's kernel is started: bars would be outputs that no stored one has.
os.environ.setdefault("TQDM_DISABLE", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")
# Before anything imports triton: where nothing can run its kernels, NumPy executes their source.
if not torch.cuda.is_available():
    os.environ.setdefault("TRITON_INTERPRET", "1")


@pytest.fixture
def house_style() -> Iterator[None]:
    """Draw as the notebooks do, and leave no figure and no setting behind."""
    import matplotlib as mpl  # who draws nothing needs not wait for it
    from matplotlib import pyplot as plt

    from lstm_lib import figures

    with mpl.rc_context():
        figures.use_style()
        yield
        plt.close("all")
