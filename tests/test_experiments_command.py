"""What is described as data, by name: run beside what is recorded, chosen, and put in its place."""

import argparse
import importlib
import re
import time
from collections.abc import Sequence
from itertools import count
from pathlib import Path
from types import SimpleNamespace

import pytest

from lstm_lib import recorded
from lstm_lib.experiments import __main__ as command
from lstm_lib.experiments.results import MODULES
from lstm_lib.experiments.runner import Experiment, Row


class Count(Experiment):
    """Meets its criterion after ten sequences a seed, but the first."""

    def rows(self, seeds: Sequence[int]) -> list[Row]:
        return [{"seed": s, "met": {"stop": 10 * s or None}, "sequences": 30} for s in seeds]

    def about(self) -> dict[str, object]:
        return {
            "weights": 93,
            "criteria": {"stop": "all right"},
            "published": {"stop": 10},
            "published_success": 100,
        }


@pytest.fixture
def described(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Names 4, 5 and 45 as a module of four experiments, one of them long."""
    experiments = (
        *(Count(name="4 short", seeds=3), Count(name="4 far", long=True)),
        *(Count(name="5"), Count(name="45")),
    )
    monkeypatch.setattr(
        "importlib.import_module", lambda name: SimpleNamespace(EXPERIMENTS=experiments)
    )
    monkeypatch.setattr(command, "DESCRIBED", dict.fromkeys(("4", "5", "45"), "counts"))
    monkeypatch.setattr(command, "ABOUT", {**command.ABOUT, "45": "counting"})
    monkeypatch.setattr(recorded, "FOLDER", tmp_path)
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("module", sorted(set(command.DESCRIBED.values())))
def test_the_names_of_the_command_are_those_of_the_descriptions(module: str) -> None:
    experiments = importlib.import_module(f"lstm_lib.experiments.{module}").EXPERIMENTS
    words = {one.name.split()[0] for one in experiments}
    assert words == {word for word, of in command.DESCRIBED.items() if of == module}


def test_the_list_says_something_of_each_name() -> None:
    assert set(command.ABOUT) == {*command.DESCRIBED, *MODULES}


@pytest.mark.usefixtures("described")
def test_without_a_name_what_can_be_run_is_listed_with_its_rows_and_minutes(
    capsys: pytest.CaptureFixture[str],
) -> None:
    command.main(["4", "--record"])
    (one,) = recorded.read("counts")["experiments"]
    rows = [{**row, "seconds": 50} for row in one["rows"]]
    recorded.write("counts", {"experiments": [{**one, "rows": rows}]}, seconds=9)
    recorded.write("sunspots", {}, seconds=5)
    capsys.readouterr()
    command.main([])
    heads, *lines = capsys.readouterr().out.splitlines()
    assert heads.split() == ["name", "what", "it", "is", "rows", "long", "recorded", "minutes"]
    assert [line.split()[0] for line in lines[:4]] == ["4", "5", "45", "electricity"]
    assert lines[0].split()[-4:] == ["2", "1", "1", "2"]  # 150 s
    assert lines[2].split() == ["45", "counting", "1", "0", "0"]
    assert lines[4].split()[-4:] == ["needs", "--record", "<", "1"]


@pytest.mark.usefixtures("described")
@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (["5", "6"], "name must be among 4, 5, 45, electricity, .*, results, got '6'"),
        (
            ["5", "4", "--row", "5"],
            r"--row must be in the name of a row of 4, got '5'\. Rows:\n  4 short\n  4 far\n",
        ),
        (["5", "sunspots"], "sunspots replaces its record when it is done: add --record if it may"),
    ],
)
def test_what_cannot_be_run_is_an_error_before_anything_is_run(
    wrong: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        command.main(wrong)
    assert re.search(message, capsys.readouterr().err)
    assert not command.FOLDER.exists()


@pytest.mark.usefixtures("described")
def test_nothing_is_printed_of_rows_that_are_all_left_out(
    capsys: pytest.CaptureFixture[str],
) -> None:
    command.main(["4", "--row", "far"])
    assert capsys.readouterr().out.split("\n", 1)[1].strip() == ""


@pytest.mark.usefixtures("described")
def test_a_name_runs_its_experiments_and_prints_their_table(
    capsys: pytest.CaptureFixture[str],
) -> None:
    command.main(["4"])
    printed = capsys.readouterr().out
    assert "4 short     93       all right  2/3     15 (10 … 20)" in printed
    assert "4 short: nothing is recorded" in printed
    assert "45" not in printed


@pytest.mark.usefixtures("described")
def test_what_takes_hours_is_left_out_unless_it_is_asked_for(
    capsys: pytest.CaptureFixture[str],
) -> None:
    command.main(["4"])
    printed = capsys.readouterr().out
    assert printed.startswith("4 far: left out, it takes hours (--long runs it)\n")
    assert (printed.count("left out"), printed.count("far")) == (1, 1)
    command.main(["4", "--long"])
    assert "4 far: nothing is recorded" in capsys.readouterr().out


@pytest.mark.usefixtures("described")
def test_rows_and_seeds_can_be_chosen(capsys: pytest.CaptureFixture[str]) -> None:
    command.main(["4", "--row", "far", "--seeds", "1-2,5", "--long"])
    printed = capsys.readouterr().out
    assert "short" not in printed
    assert "3/3" in printed


@pytest.mark.usefixtures("described")
def test_as_many_jobs_are_done_at_a_time_as_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: dict[str, object] = {}
    monkeypatch.setattr(command, "run", lambda *_, **options: asked.update(options) or [])
    command.main(["5", "--jobs", "3"])
    assert asked["n_jobs"] == 3


@pytest.mark.usefixtures("described")
def test_a_run_is_kept_so_that_it_can_go_on() -> None:
    command.main(["5", "--seeds", "0,7"])
    kept = Path("build/experiments/counts/5").iterdir()
    assert sorted(file.name for file in kept) == ["0.json", "7.json"]


@pytest.mark.usefixtures("described")
def test_nothing_is_recorded_unless_that_is_asked_for() -> None:
    command.main(["5"])
    assert recorded.names() == []
    command.main(["5", "--record"])
    assert recorded.names() == ["counts"]
    assert recorded.read("counts")["made"]["command"].endswith("experiments 5 --record")


@pytest.mark.usefixtures("described")
def test_recording_one_name_keeps_the_others() -> None:
    for name in ("5", "4"):
        command.main([name, "--record"])
    assert [one["name"] for one in recorded.read("counts")["experiments"]] == ["4 short", "5"]


@pytest.mark.usefixtures("described")
def test_a_second_run_says_how_many_seeds_came_out_as_recorded_however_long_they_took(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    clock = count()  # a second a job
    monkeypatch.setattr(time, "process_time", lambda: next(clock))
    command.main(["5", "--seeds", "0-3", "--record"])
    (one,) = recorded.read("counts")["experiments"]
    rows = [{**row, "seconds": 9} for row in one["rows"]]
    rows[3]["sequences"] = 31
    recorded.write("counts", {"experiments": [{**one, "rows": rows}]}, seconds=9)
    command.main(["5", "--seeds", "1-5"])
    assert "5: 2 of 3 recorded seeds exactly as recorded, 2 new\n" in capsys.readouterr().out
    command.main(["5", "--seeds", "7-8"])
    assert "5: 2 new\n" in capsys.readouterr().out


@pytest.mark.usefixtures("described")
def test_recorded_rows_are_one_table_after_that_of_the_new_ones(
    capsys: pytest.CaptureFixture[str],
) -> None:
    command.main(["4", "--long", "--record"])
    capsys.readouterr()
    command.main(["4", "--long", "--seeds", "1-2"])
    words = [line.split()[:6] for line in capsys.readouterr().out.splitlines() if "all" in line]
    solved = ["2/2", "2/2", "2/3", "9/10"]
    names = ["short", "far", "short", "far"]
    assert words == [
        ["4", name, "93", "all", "right", n] for name, n in zip(names, solved, strict=True)
    ]


@pytest.mark.usefixtures("described")
def test_other_seeds_of_nets_side_by_side_are_said_to_differ_in_their_digits(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    said = "only with the same set of seeds"
    command.main(["5", "--seeds", "1"])
    assert said not in capsys.readouterr().out
    monkeypatch.setattr(Count, "together", True)
    command.main(["5"])
    assert said not in capsys.readouterr().out
    command.main(["5", "--seeds", "2"])
    assert said in capsys.readouterr().out


@pytest.mark.usefixtures("described")
def test_a_run_of_another_description_is_not_compared(capsys: pytest.CaptureFixture[str]) -> None:
    command.main(["5", "--record"])
    (one,) = recorded.read("counts")["experiments"]
    recorded.write("counts", {"experiments": [{**one, "experiment": "Other()"}]}, seconds=9)
    command.main(["5"])
    assert "5: recorded from another description" in capsys.readouterr().out


@pytest.mark.usefixtures("described")
def test_results_prints_what_is_recorded(capsys: pytest.CaptureFixture[str]) -> None:
    command.main(["5", "--record"])
    capsys.readouterr()
    command.main(["results"])
    heads, line = capsys.readouterr().out.splitlines()
    assert heads.startswith("experiment  weights  criterion")
    assert line.split()[:5] == ["5", "93", "all", "right", "9/10"]


@pytest.mark.usefixtures("described")
@pytest.mark.parametrize(("asked", "times"), [(["results"], 0), (["results", "--anew"], 1)])
def test_targets_are_measured_again_only_where_that_is_asked_for(
    asked: list[str], times: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    measured: list[int] = []
    monkeypatch.setattr(command, "print_results", lambda: measured.append(1))
    command.main(asked)
    assert len(measured) == times


@pytest.mark.parametrize(
    ("text", "numbers"), [("3", [3]), ("0-2", [0, 1, 2]), ("0-1,7,4-5", [0, 1, 7, 4, 5])]
)
def test_seeds_are_numbers_and_ranges(text: str, numbers: list[int]) -> None:
    assert command.seed_numbers(text) == numbers


@pytest.mark.parametrize("text", ["", "a", "3-1", "-1", "1,1"])
def test_seeds_that_are_none_are_refused(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="such as 0-4 or 0,3,7, all different"):
        command.seed_numbers(text)
