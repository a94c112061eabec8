"""`python -m lstm_lib.data` shows the sets and fetches the defaults; `--list` only shows."""

import argparse
import sys

from .cache import DataError, cache_folder, is_cached
from .sources import SOURCES


def table() -> str:
    """A line for each set: its name, its size, whether it is kept, its licence."""
    lines = [f"{'set':18}{'MB':>5}  {'cached':8}licence"]
    for name, source in SOURCES.items():
        state = "yes" if is_cached(name) else "no" if source.default else "no *"
        lines.append(f"{name:18}{source.megabytes:5.1f}  {state:8}{source.licence}")
    lines.append(f"Kept in {cache_folder()}. * Fetched when it is first asked for, not here.")
    return "\n".join(lines)


def main(arguments: list[str]) -> None:
    """Show the sets and, without --list, fetch the defaults; exit with 1 if that fails."""
    parser = argparse.ArgumentParser(prog="python -m lstm_lib.data", description=__doc__)
    parser.add_argument("--list", action="store_true", help="only show the sets")
    if not parser.parse_args(arguments).list:
        from . import fetch_defaults

        try:
            fetch_defaults()
        except DataError as error:
            sys.exit(str(error))
    print(table())


if __name__ == "__main__":
    main(sys.argv[1:])
