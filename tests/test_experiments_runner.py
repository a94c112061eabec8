"""Experiments as data: jobs, their files, going on after a kill, a cluster, and records."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

import joblib
import numpy as np
import pytest

from lstm_lib import recorded
from lstm_lib.experiments.runner import Experiment, Row, record, run


@dataclass(frozen=True, kw_only=True)
class Double(Experiment):
    """Multiplies its seeds; `log` notes who did it."""

    factor: int = 2
    fails_at: int | None = field(default=None, repr=False)
    log: str = field(default=os.devnull, repr=False)

    def rows(self, seeds: Sequence[int]) -> list[Row]:
        with open(self.log, "a", encoding="utf-8") as file:
            file.write(f"{os.getpid()} {list(seeds)}\n")
        if self.fails_at in seeds:
            raise KeyboardInterrupt
        return [{"seed": seed, "product": self.factor * seed} for seed in seeds]


class Together(Double):
    together: ClassVar[bool] = True


class Meeting(Double):
    """Two jobs that wait for each other."""

    both: ClassVar = threading.Barrier(2, timeout=60)

    def rows(self, seeds: Sequence[int]) -> list[Row]:
        self.both.wait()
        return super().rows(seeds)


@dataclass(frozen=True, kw_only=True)
class Careless(Double):
    row: Row = field(default_factory=dict)

    def rows(self, seeds: Sequence[int]) -> list[Row]:
        return [self.row for _ in seeds]


def products(result: dict) -> dict[int, int]:
    return {row["seed"]: row["product"] for row in result["rows"]}


def done(log: Path) -> list[str]:
    """The seeds of each job that was done."""
    return [line.split(" ", 1)[1] for line in log.read_text(encoding="utf-8").splitlines()]


def test_each_seed_is_a_row() -> None:
    (result,) = run([Double(name="a", seeds=3)], progress=False)
    assert products(result) == {0: 0, 1: 2, 2: 4}


def test_the_processor_time_of_a_job_is_shared_out_among_its_rows(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = iter([1.0, 4.0])
    monkeypatch.setattr("time.process_time", lambda: next(clock))
    (result,) = run([Together(name="a", seeds=4)], progress=False)
    assert [row["seconds"] for row in result["rows"]] == [0.75] * 4


def test_as_many_jobs_are_done_at_a_time_as_asked_for() -> None:
    with joblib.parallel_config(backend="threading"):
        (result,) = run([Meeting(name="a", seeds=2)], n_jobs=2, progress=False)
    assert products(result) == {0: 0, 1: 2}


def test_a_result_says_what_was_done_and_what_did_it() -> None:
    (result,) = run([Double(name="a", seeds=2)], progress=False)
    assert result["experiment"] == "Double(name='a', factor=2)"
    (made,) = result["made"]  # once, though there were two jobs
    assert {"machine", "versions", "date"} == set(made)


def test_seeds_that_are_asked_for_replace_those_of_the_description() -> None:
    (result,) = run([Double(name="a", seeds=3)], seeds=[7, 5], progress=False)
    assert products(result) == {7: 14, 5: 10}


def test_seeds_are_jobs_of_their_own(tmp_path: Path) -> None:
    run([Double(name="a", seeds=3, log=str(tmp_path / "log"))], progress=False)
    assert done(tmp_path / "log") == ["[0]", "[1]", "[2]"]


def test_nets_that_are_trained_side_by_side_are_one_job(tmp_path: Path) -> None:
    run([Together(name="a", seeds=3, log=str(tmp_path / "log"))], progress=False)
    assert done(tmp_path / "log") == ["[0, 1, 2]"]


def test_a_run_that_was_stopped_goes_on_where_it_was(tmp_path: Path) -> None:
    log, folder = tmp_path / "log", tmp_path / "kept"
    with pytest.raises(KeyboardInterrupt):
        run([Double(name="a", seeds=4, fails_at=2, log=str(log))], folder, progress=False)
    (result,) = run([Double(name="a", seeds=4, log=str(log))], folder, progress=False)
    assert done(log) == ["[0]", "[1]", "[2]", "[2]", "[3]"]
    assert products(result) == {0: 0, 1: 2, 2: 4, 3: 6}


def test_a_run_says_how_many_of_its_jobs_are_kept_and_where(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    a, b = (Double(name=name, seeds=3) for name in "ab")
    run([a], tmp_path, seeds=[0, 1, 9])
    assert capsys.readouterr().out == ""
    run([a, b], tmp_path)
    said = "Kept from an earlier run in {}: {} of 6 jobs.\nDelete that folder to run anew.\n"
    assert capsys.readouterr().out == said.format(tmp_path / "a", 2)
    run([a, b], tmp_path)
    assert capsys.readouterr().out == said.format(tmp_path, 6)
    run([a, b], tmp_path, progress=False)
    assert capsys.readouterr().out == ""


def test_what_was_kept_comes_back_as_it_was_made(tmp_path: Path) -> None:
    experiments = [Double(name="a", seeds=2), Together(name="b", seeds=2)]
    assert run(experiments, tmp_path, progress=False) == run(experiments, tmp_path, progress=False)


def test_a_tuple_in_a_row_is_a_list_before_it_is_read_from_a_file_too(tmp_path: Path) -> None:
    one = Careless(name="a", seeds=1, row={"seed": 0, "pair": (1, 2)})
    assert run([one], tmp_path, progress=False) == run([one], tmp_path, progress=False)


def test_a_file_of_another_description_is_refused_naming_both(tmp_path: Path) -> None:
    run([Double(name="a", seeds=1)], tmp_path, progress=False)
    with pytest.raises(ValueError, match=r"a/0\.json is of another .*\n.*=2\)\n.*=3\)"):
        run([Double(name="a", seeds=1, factor=3)], tmp_path, progress=False)


@pytest.mark.parametrize(
    "content",
    [
        *(b"{", b"[]", b'{"rows": []}', b"\xff"),
        b'{"experiment": "", "rows": [{"seed": 5}], "made": {}}',  # of another seed
        b'{"experiment": "", "rows": 3, "made": {}}',
        b'{"experiment": "", "rows": [{"seed": 0}]}',
    ],
)
def test_a_damaged_file_is_named(tmp_path: Path, content: bytes) -> None:
    run([Double(name="a", seeds=1)], tmp_path, progress=False)
    (tmp_path / "a" / "0.json").write_bytes(content)
    with pytest.raises(ValueError, match=r"a/0\.json is damaged .* delete it to run it anew"):
        run([Double(name="a", seeds=1)], tmp_path, progress=False)


def test_a_folder_that_cannot_be_written_is_an_error_before_anything_is_run(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    log = tmp_path / "log"
    with pytest.raises(OSError, match="cannot write in"):
        run([Double(name="a", log=str(log))], tmp_path / "file" / "folder", progress=False)
    assert not log.exists()


def test_names_whose_files_would_be_the_same_are_refused() -> None:
    with pytest.raises(ValueError, match=r"names must all differ, got \['a b', 'a/b'\]"):
        run([Double(name="a b"), Double(name="a/b")], progress=False)


@pytest.mark.parametrize("name", ["", ".", "..", "/", 3])
def test_a_name_that_cannot_be_that_of_a_folder_is_refused(name: object, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="name must have a letter or a digit, got"):
        run([Double(name=name)], tmp_path, progress=False)


def test_what_is_no_experiment_is_refused() -> None:
    with pytest.raises(TypeError, match="experiments must be instances of Experiment, got 'a'"):
        run("a", progress=False)


@pytest.mark.parametrize("seeds", [[], [1, 1], [-1], [0.0], [True], "01"])
@pytest.mark.parametrize("kind", [Double, Together])
def test_seeds_that_are_not_different_integers_are_refused(kind: type, seeds: Sequence) -> None:
    with pytest.raises(ValueError, match="seeds must be different integers ≥ 0, one or more, got"):
        run([kind(name="a")], seeds=seeds, progress=False)


@pytest.mark.parametrize("seeds", [np.arange(2), iter([0, 1])])
def test_seeds_of_any_kind_serve_all_experiments(seeds: Sequence, tmp_path: Path) -> None:
    results = run([Double(name="a"), Double(name="b")], tmp_path, seeds=seeds, progress=False)
    assert [products(result) for result in results] == [{0: 0, 1: 2}] * 2


def test_a_file_is_kept_of_any_number_of_seeds_side_by_side(tmp_path: Path) -> None:
    log = tmp_path / "log"
    for count in (100, 101, 100):
        run([Together(name="a", seeds=count, log=str(log))], tmp_path / "kept", progress=False)
    assert [line.count(",") for line in done(log)] == [99, 100]


def test_other_seeds_side_by_side_have_another_file(tmp_path: Path) -> None:
    for seeds in ([1, 23], [12, 3], range(100), range(1, 101)):
        run([Together(name="a")], tmp_path, seeds=seeds, progress=False)
    assert len(list((tmp_path / "a").iterdir())) == 4


def test_another_run_that_is_writing_the_same_file_is_not_disturbed(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    others = tmp_path / "a" / "0.json.part"
    others.write_text("half", encoding="utf-8")
    run([Double(name="a", seeds=1)], tmp_path, progress=False)
    assert others.read_text(encoding="utf-8") == "half"


@pytest.mark.parametrize(("row", "seed"), [({"seed": 0}, 0), ({}, None)])
def test_rows_of_other_seeds_than_those_asked_for_are_refused(row: Row, seed: int | None) -> None:
    with pytest.raises(ValueError, match=rf"each of the seeds \(1,\), got seeds \[{seed}\]"):
        run([Careless(name="a", row=row)], seeds=[1], progress=False)


def on_a_cluster(log: str, folder: str) -> None:
    """Print the rows that a cluster of two processes makes, and who asked it."""
    from distributed import Client, LocalCluster

    with (
        LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster,
        Client(cluster),
        joblib.parallel_config(backend="dask"),
    ):
        (result,) = run([Double(name="a", seeds=6, log=log)], folder, progress=False)
    print(json.dumps([result["rows"], os.getpid()]))


def test_a_cluster_of_two_processes_gives_the_same_rows(tmp_path: Path) -> None:
    log, kept = tmp_path / "log", tmp_path / "kept"
    module = Path(__file__)
    # In a process of its own: what a cluster leaves open would spoil whatever test comes next.
    code = f"import {module.stem} as here; here.on_a_cluster({str(log)!r}, {str(kept)!r})"
    told = subprocess.run(
        [sys.executable, "-c", code], cwd=module.parent, capture_output=True, text=True, check=True
    )
    rows, asked_by = json.loads(told.stdout)
    (alone,) = run([Double(name="a", seeds=6)], progress=False)
    assert products({"rows": rows}) == products(alone)
    workers = {line.split()[0] for line in log.read_text(encoding="utf-8").splitlines()}
    assert str(asked_by) not in workers
    assert len(list((kept / "a").iterdir())) == 6


@pytest.fixture
def records(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setattr(recorded, "FOLDER", tmp_path)
    return tmp_path


def test_a_record_holds_the_results_in_the_order_asked_for(records: Path) -> None:
    results = run([Double(name="a", seeds=2), Double(name="b", seeds=1)], progress=False)
    record("these", results, ["b", "a"])
    kept = recorded.read("these")
    assert kept["experiments"] == [results[1], results[0]]
    assert kept["made"]["command"] == "python -m lstm_lib.experiments b a --record"


def test_a_result_that_has_no_place_in_the_order_is_refused(records: Path) -> None:
    results = run([Double(name=name, seeds=1) for name in "ab"], progress=False)
    with pytest.raises(ValueError, match=r"order must have the names of all .* none of \['b'\]"):
        record("these", results, ["a"])


def test_recording_more_seeds_keeps_those_recorded_before(records: Path) -> None:
    for seeds in ([0, 2], [1, 2]):
        record("these", run([Double(name="a")], seeds=seeds, progress=False), ["a"])
    (kept,) = recorded.read("these")["experiments"]
    assert [row["product"] for row in kept["rows"]] == [0, 2, 4]


def test_a_row_that_is_recorded_again_is_replaced(records: Path) -> None:
    (result,) = run([Double(name="a", seeds=1)], progress=False)
    for product in (5, 6):
        record("these", [{**result, "rows": [{**result["rows"][0], "product": product}]}], ["a"])
    (kept,) = recorded.read("these")["experiments"]
    assert products(kept) == {0: 6}


def test_a_record_says_how_long_all_its_rows_took(records: Path) -> None:
    results = run([Double(name=name, seeds=2) for name in "ab"], progress=False)
    for result in results:
        result["rows"] = [{**row, "seconds": 1.5} for row in result["rows"]]
    record("these", results, ["a", "b"])
    assert recorded.read("these")["made"]["seconds"] == 6


def test_a_record_names_a_word_that_several_experiments_share_once(records: Path) -> None:
    names = ["4 near", "4 far", "5"]
    record("these", run([Double(name=name) for name in names], seeds=[0], progress=False), names)
    assert recorded.read("these")["made"]["command"].endswith("experiments 4 5 --record")


def test_a_record_says_what_made_its_rows_even_if_that_is_two_machines(records: Path) -> None:
    for seed in (0, 1):
        (result,) = run([Double(name="a")], seeds=[seed], progress=False)
        record("these", [{**result, "made": [{"machine": seed}]}], ["a"])
    (kept,) = recorded.read("these")["experiments"]
    assert kept["made"] == [{"machine": 0}, {"machine": 1}]


def test_recording_another_description_replaces_all_rows_of_the_name(records: Path) -> None:
    for seeds, factor in ([0, 2], 2), ([1], 3):
        results = run([Double(name="a", factor=factor)], seeds=seeds, progress=False)
        record("these", results, ["a"])
    (kept,) = recorded.read("these")["experiments"]
    assert products(kept) == {1: 3}


def test_recording_one_experiment_keeps_the_others(records: Path) -> None:
    for name in "ab":
        results = run([Double(name=name, seeds=1)], progress=False)
        record("these", results, ["a", "b"])
    assert [one["name"] for one in recorded.read("these")["experiments"]] == ["a", "b"]


def test_the_numbers_of_a_list_stand_side_by_side_in_a_record(records: Path) -> None:
    results = run([Double(name="a", seeds=1)], progress=False)
    results[0]["rows"][0]["curve"] = curve = [[n, 0.5] for n in range(40)]
    path = record("these", results, ["a"])
    assert f'"curve": {curve}' in path.read_text(encoding="utf-8")
    assert json.loads(path.read_text(encoding="utf-8"))["experiments"] == results
