"""Weights between our notation, `torch.nn` and other frameworks.

`from_torch` and `to_torch` move whole modules, `convert_weights` dicts of arrays between any two
frameworks of `CONVENTIONS`, where the frameworks' layouts stand as data. `switchboard` gives that
data as the rows of a table. Importing this package does not import torch.
"""

from lstm_lib.convert.conventions import CONVENTIONS, Convention, Layout, Stored, switchboard
from lstm_lib.convert.modules import from_torch, to_torch
from lstm_lib.convert.weights import convert_weights

__all__ = [
    "CONVENTIONS",
    "Convention",
    "Layout",
    "Stored",
    "convert_weights",
    "from_torch",
    "switchboard",
    "to_torch",
]
