"""What all tests share."""

import os

# Before a notebook's kernel is started: bars would be outputs that no stored one has.
os.environ.setdefault("TQDM_DISABLE", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")
