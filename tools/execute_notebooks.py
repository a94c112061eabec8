"""Execute notebooks in place, two at a time, and measure what they cost.

Usage: python tools/execute_notebooks.py notebooks/*.ipynb

Prints seconds and the peak memory of the kernel for each, and fails when a notebook takes more
than 60 s or 1 GB (what a free Binder machine can bear). A notebook is written only when all of it
ran, by renaming a finished file, so an interrupted run leaves the old one. Cell ids are kept.
"""

import os
import sys
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path
from time import perf_counter
from typing import NamedTuple

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbformat import NotebookNode

SECONDS_ALLOWED = 60
MEGABYTES_ALLOWED = 1000
PROCESSES = 2

# Left by runs and by jupytext; says nothing of the cell.
VOLATILE = (
    "execution",
    "collapsed",
    "scrolled",
    "ExecuteTime",
    "lines_to_next_cell",
    "cell_marker",
)

# Runs last in the kernel and is not stored. Linux counts kilobytes, macOS bytes.
PEAK_MEMORY = """
import resource, sys
unit = 1 if sys.platform == "darwin" else 1024
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit)
"""


class Result(NamedTuple):
    """What happened to one notebook: `problem` is empty when all is well."""

    path: Path
    seconds: float
    megabytes: float
    problem: str


def strip_volatile(notebook: NotebookNode) -> None:
    """Remove metadata that differs from run to run or machine to machine."""
    notebook.metadata = nbformat.from_dict(
        {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        }
    )
    for cell in notebook.cells:
        for key in VOLATILE:
            cell.metadata.pop(key, None)
        if cell.cell_type == "code":
            cell.outputs = merge_streams(cell.outputs)


def merge_streams(outputs: list[NotebookNode]) -> list[NotebookNode]:
    """Join what was printed in several pieces to one stream, as the reader sees it."""
    merged: list[NotebookNode] = []
    for output in outputs:
        before = merged[-1] if merged else {}
        if output.output_type == "stream" and before.get("name") == output.name:
            before.text += output.text
        else:
            merged.append(output)
    return merged


def run_cells(notebook: NotebookNode, folder: Path) -> tuple[float, str]:
    """Run all cells; return the kernel's peak megabytes and what went wrong, "" for nothing."""
    client = NotebookClient(
        notebook,
        timeout=2 * SECONDS_ALLOWED,
        kernel_name="python3",
        record_timing=False,
        resources={"metadata": {"path": str(folder)}},
        extra_arguments=["--IPKernelApp.log_level=40"],
    )
    # The client looks a cell up by its number, so the meter has to be in the notebook for the run.
    notebook.cells.append(nbformat.v4.new_code_cell(PEAK_MEMORY))
    with client.setup_kernel():
        for number, cell in enumerate(notebook.cells):
            try:
                client.execute_cell(cell, number)
            except (CellExecutionError, CellTimeoutError, DeadKernelError) as error:
                first_line = cell.source.split("\n")[0]
                return 0.0, f"cell {number}, id {cell.id}, `{first_line}`:\n{error}"
    return int(notebook.cells.pop().outputs[0].text) / 1e6, ""


def execute(path: Path) -> Result:
    """Execute one notebook and, if all of it ran, replace the stored one."""
    notebook = nbformat.read(path, as_version=4)
    start = perf_counter()
    megabytes, problem = run_cells(notebook, path.parent)
    seconds = perf_counter() - start
    if problem:
        return Result(path, seconds, megabytes, problem)
    strip_volatile(notebook)
    nbformat.validate(notebook)
    unfinished = path.with_suffix(".ipynb.part")
    nbformat.write(notebook, unfinished)
    unfinished.replace(path)
    if seconds > SECONDS_ALLOWED:
        problem = f"takes {seconds:.0f} s, more than the {SECONDS_ALLOWED} s allowed: train less"
    elif megabytes > MEGABYTES_ALLOWED:
        problem = f"needs {megabytes:.0f} MB, more than the {MEGABYTES_ALLOWED} MB allowed"
    return Result(path, seconds, megabytes, problem)


def main(paths: list[Path]) -> int:
    """Execute all notebooks and return the exit status."""
    if not paths:
        print("No notebooks named. Usage: python tools/execute_notebooks.py notebooks/*.ipynb")
        return 2
    if missing := [str(path) for path in paths if not path.is_file()]:
        print(f"No such notebook: {', '.join(missing)}. Nothing was executed.")
        return 2
    os.environ["TQDM_DISABLE"] = "1"
    os.environ["OMP_NUM_THREADS"] = "1"
    print(f"Executing {len(paths)} notebooks, {PROCESSES} at a time ...", flush=True)
    problems = []
    with ProcessPoolExecutor(PROCESSES, mp_context=get_context("spawn")) as pool:
        waiting = {pool.submit(execute, path): path for path in paths}
        for number, finished in enumerate(as_completed(waiting), start=1):
            # What is no notebook, or ends its process, takes nothing from the others.
            if error := finished.exception():
                problem = f"{type(error).__name__}: {error}"
                result = Result(waiting[finished], 0, 0, problem)
            else:
                result = finished.result()
            mark = "FAILED" if result.problem else "ok"
            print(
                f"[{number}/{len(paths)}] {result.path.name:32} {result.seconds:5.1f} s "
                f"{result.megabytes:5.0f} MB  {mark}",
                flush=True,
            )
            if result.problem:
                problems.append(f"{result.path}: {result.problem}")
    print(*problems, sep="\n\n", end="\n" if problems else "")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main([Path(name) for name in sys.argv[1:]]))
