"""Experiments as data: one description, run over seeds, over cores, or on a cluster.

An `Experiment` describes one line of a table, and makes rows from seeds, one a seed. `run` does the
jobs of many of them and writes each into a file of its own as soon as it is finished, so that a run
that was killed goes on where it was. `record` keeps what came out in `lstm_lib/recorded`.
"""

import hashlib
import json
import os
import re
import time
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import numpy as np
from joblib import Parallel, delayed
from tqdm import tqdm

from lstm_lib import recorded
from lstm_lib.files import check_writable, write_atomically

Row = dict[str, Any]
PACKAGES = ("numba", "joblib")  # besides those that every record names


@dataclass(frozen=True, kw_only=True)
class Experiment(ABC):
    """A description: whoever makes one is a frozen dataclass that adds what decides its rows.

    The first word of its name is that by which the command line knows it, with others: "4" is
    "4 T=100" and "4 T=500". The `repr` is the description that is kept beside the rows. What is
    declared with `repr=False` decides no row and may change.
    """

    name: str
    seeds: int = field(default=10, repr=False)  #: 0, 1, … seeds − 1
    long: bool = field(default=False, repr=False)  #: takes hours: run only where that is asked for

    together: ClassVar[bool] = False  #: all seeds in one job, such as nets trained side by side

    @abstractmethod
    def rows(self, seeds: Sequence[int]) -> list[Row]:
        """One row for each of these seeds, in this order: "seed", and what JSON can hold.

        Decided by the description and the seeds alone. Each by its own seed, unless they are done
        `together`: arrays of another shape may be summed in another order, so that rows beside
        other seeds may differ from the last digit on. "met", if it is there, says for each
        criterion after how many training sequences it was met first, or None.
        """

    def about(self) -> dict[str, Any]:
        """What is recorded beside the rows, such as the published numbers."""
        return {}


class Job(NamedTuple):
    """What is done in one go, and kept in one file."""

    experiment: Experiment
    seeds: tuple[int, ...]

    def path(self, folder: Path) -> Path:
        """Its file."""
        name = re.sub(r"[^\w.=+-]+", "_", self.experiment.name)
        seeds = "_".join(map(str, self.seeds))
        if len(seeds) > 200:  # names of files may have 255 bytes
            seeds = f"{len(self.seeds)}_{hashlib.sha256(seeds.encode()).hexdigest()[:16]}"
        return folder / name / f"{seeds}.json"

    def do(self) -> dict[str, Any]:
        """Make the rows, and say what made them; seconds are those of the processor."""
        start = time.process_time()
        rows = self.experiment.rows(self.seeds)
        seconds = time.process_time() - start
        if (seeds := [row.get("seed") for row in rows]) != list(self.seeds):
            raise ValueError(
                f"rows of {self.experiment.name!r} must be one for each of the seeds {self.seeds}, "
                f"got seeds {seeds}"
            )
        each = round(seconds / len(rows), 2)
        made = recorded.provenance("", seconds, 1, PACKAGES)
        made = {key: made[key] for key in ("date", "versions", "machine")}
        rows = [{**row, "seconds": each} for row in rows]
        return {"experiment": repr(self.experiment), "rows": rows, "made": made}

    def kept(self, folder: Path) -> dict[str, Any] | None:
        """What an earlier run kept in its file; None without one.

        Raises ValueError where the file is damaged, of other seeds or of another description.
        """
        path = self.path(folder)
        if not path.exists():
            return None
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
            {key: found[key] for key in ("experiment", "rows", "made")}
            if (seeds := [row["seed"] for row in found["rows"]]) != list(self.seeds):
                raise ValueError(f"rows of seeds {seeds}, not {list(self.seeds)}")
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(f"{path} is damaged ({error!r}): delete it to run it anew") from error
        if found["experiment"] != repr(self.experiment):
            raise ValueError(
                f"{path} is of another description: delete it, or run into another folder.\n"
                f"there: {found['experiment']}\nwanted: {self.experiment!r}"
            )
        return found


def run(
    experiments: Iterable[Experiment],
    folder: str | Path | None = None,
    *,
    seeds: Sequence[int] | None = None,
    n_jobs: int | None = None,
    progress: bool = True,
) -> list[dict[str, Any]]:
    """Do all jobs that `folder` does not hold yet, and return what came out, one dict each.

    folder: keeps each job as soon as it is done. seeds: instead of those of the descriptions.
    n_jobs: how many at a time, as joblib counts; `joblib.parallel_config(backend="dask")` around
    the call does them on a cluster. progress: say what was kept, and show a bar.
    In a dict: "name", "experiment" (the description), what `about` says, "made" (date, versions
    and machine, more than one where jobs differ), "rows".
    Raises TypeError for what is no experiment, ValueError for names that are not all different,
    seeds that are not, and files as in `Job.kept`.
    """
    experiments = [_checked(one) for one in experiments]
    seeds = None if seeds is None else _checked_seeds(seeds)
    if len({Job(one, ()).path(Path()) for one in experiments}) < len(experiments):
        raise ValueError(f"names must all differ, got {[one.name for one in experiments]}")
    jobs = [job for one in experiments for job in _jobs(one, seeds)]
    done: dict[int, dict[str, Any]] = {}
    if folder is not None:
        check_writable(folder := Path(folder))
        done = {k: kept for k, job in enumerate(jobs) if (kept := job.kept(folder))}
        if done and progress:
            where = os.path.commonpath([jobs[k].path(folder).parent for k in done])
            print(f"Kept from an earlier run in {where}: {len(done)} of {len(jobs)} jobs.")
            print("Delete that folder to run anew.")
    todo = [k for k in range(len(jobs)) if k not in done]
    parallel = Parallel(n_jobs=n_jobs, return_as="generator_unordered", batch_size=1)
    results = parallel(delayed(_numbered)(k, jobs[k]) for k in todo)
    for k, result in tqdm(results, total=len(todo), unit="job", disable=not progress or None):
        done[k] = json.loads(json.dumps(result))  # as it would be read from a file
        if folder is not None:
            # Another run into this folder may be at the same job.
            ending = f"{os.getpid()}.part"
            write_atomically(jobs[k].path(folder), json.dumps(result).encode(), ending=ending)
    return [
        _collected(one, [done[k] for k, job in enumerate(jobs) if job.experiment is one])
        for one in experiments
    ]


def record(name: str, results: Iterable[dict[str, Any]], order: Sequence[str]) -> Path:
    """Put what `run` returned into `lstm_lib/recorded/NAME.json`, and return the file's path.

    What is recorded stays unless it is replaced: an experiment whose description changed as a
    whole, else row by row. order: the names as they shall stand in the file; what is recorded under
    another one is left out. Raises ValueError for a result that would be.
    """
    results = list(results)
    if missing := [new["name"] for new in results if new["name"] not in order]:
        raise ValueError(f"order must have the names of all results, got none of {missing}")
    old = recorded.read(name)["experiments"] if name in recorded.names() else []
    kept = {one["name"]: one for one in old}
    for new in results:
        before = kept.get(new["name"])
        if before and before["experiment"] == new["experiment"]:
            rows = {row["seed"]: row for row in [*before["rows"], *new["rows"]]}
            new = {**new, "rows": [rows[seed] for seed in sorted(rows)]}
            new["made"] = _different([*before["made"], *new["made"]])
        kept[new["name"]] = new
    listed = [kept[one] for one in order if one in kept]
    seconds = sum(row["seconds"] for one in listed for row in one["rows"])
    words = " ".join(dict.fromkeys(one["name"].split()[0] for one in listed))
    command = f"python -m lstm_lib.experiments {words} --record"
    found = {"experiments": listed}
    return recorded.write(name, found, seconds=seconds, command=command, packages=PACKAGES)


def _jobs(one: Experiment, seeds: Sequence[int] | None) -> list[Job]:
    chosen = _checked_seeds(range(one.seeds) if seeds is None else seeds)
    return [Job(one, chosen)] if one.together else [Job(one, (seed,)) for seed in chosen]


def _checked(one: Any) -> Experiment:
    """Return an experiment whose name can be that of a folder: "." and ".." lead elsewhere."""
    if not isinstance(one, Experiment):
        raise TypeError(f"experiments must be instances of Experiment, got {one!r}")
    if not isinstance(one.name, str) or not re.search(r"\w", one.name):
        raise ValueError(f"name must have a letter or a digit, got {one.name!r}")
    return one


def _checked_seeds(seeds: Iterable[int]) -> tuple[int, ...]:
    """Return seeds as plain integers, which JSON can hold."""
    given = tuple(seeds)
    right = all(isinstance(s, int | np.integer) and not isinstance(s, bool) for s in given)
    if not given or not right or min(given) < 0 or len(set(given)) < len(given):
        raise ValueError(f"seeds must be different integers ≥ 0, one or more, got {given}")
    return tuple(map(int, given))


def _numbered(k: int, job: Job) -> tuple[int, dict[str, Any]]:
    return k, job.do()


def _different(dicts: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    return list({json.dumps(one, sort_keys=True): one for one in dicts}.values())


def _collected(one: Experiment, jobs: list[dict[str, Any]]) -> dict[str, Any]:
    rows = [row for job in jobs for row in job["rows"]]
    made = _different(job["made"] for job in jobs)
    return {"name": one.name, "experiment": repr(one), **one.about(), "made": made, "rows": rows}
