"""The long experiments: one module each, run as `python -m lstm_lib.experiments NAME`."""
