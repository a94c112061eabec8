"""What all tests share."""

import os

import torch

# Before a notebook's kernel is started: bars would be outputs that no stored one has.
os.environ.setdefault("TQDM_DISABLE", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")
# Before anything imports triton: where nothing can run its kernels, NumPy executes their source.
if not torch.cuda.is_available():
    os.environ.setdefault("TRITON_INTERPRET", "1")
