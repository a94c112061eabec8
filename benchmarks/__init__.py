"""How fast and how large: our cells beside other people's, on this machine.

`python -m benchmarks cpu` and `python -m benchmarks gpu` measure and record, `table` prints what
is recorded with a verdict for every aim. README.md says what is measured and how.
"""
