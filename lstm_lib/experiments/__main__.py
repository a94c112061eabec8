"""`python -m lstm_lib.experiments`: list the long experiments, run one, or print their results.

NAME runs an experiment and records it in `lstm_lib/recorded`; `results` measures the targets of
the course anew, in minutes, and prints them beside the recorded ones.
"""

import argparse
import importlib
import pkgutil

from lstm_lib import experiments
from lstm_lib.experiments.results import print_results


def names() -> list[str]:
    """The experiments that there are."""
    found = (module.name for module in pkgutil.iter_modules(experiments.__path__))
    return sorted(name for name in found if name not in ("__main__", "results"))


def main(arguments: list[str] | None = None) -> None:
    """Do what the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m lstm_lib.experiments", description=__doc__)
    parser.add_argument("name", choices=[*names(), "results"], help="what to run")
    name = parser.parse_args(arguments).name
    if name == "results":
        print_results()
    else:
        importlib.import_module(f"lstm_lib.experiments.{name}").main()


if __name__ == "__main__":
    main()
