"""The software of *Long Short-Term Memory, Measured*: recurrent cells from their equations.

`numpy_cells` is the reference, `torch_cells` the same cells in torch; `convert` moves weights
between conventions; `tasks`, `train`, `probes` and `figures` serve the chapters.
"""

__version__ = "0.2.0.dev0"
