"""The command line of the long experiments, the table of results, and the recorded files."""

import importlib
import json
from types import SimpleNamespace

import pytest

from lstm_lib import recorded
from lstm_lib.experiments import __main__ as command
from lstm_lib.experiments import results
from lstm_lib.experiments.results import Row


def fake(monkeypatch: pytest.MonkeyPatch, **members: object) -> None:
    """Let every experiment be a module with these members."""
    monkeypatch.setattr("importlib.import_module", lambda name: SimpleNamespace(**members))


@pytest.mark.parametrize("name", results.MODULES)
def test_every_target_on_real_data_has_an_experiment_that_can_be_run(name: str) -> None:
    module = importlib.import_module(f"lstm_lib.experiments.{name}")
    assert callable(module.main)
    assert callable(module.rows)


def test_an_unknown_experiment_is_refused_naming_those_that_there_are(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit):
        command.main(["shakespear"])
    assert "shakespeare" in capsys.readouterr().err


def test_a_name_runs_that_experiment(monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[int] = []
    fake(monkeypatch, main=lambda: ran.append(1))
    command.main(["shakespeare", "--record"])
    assert ran == [1]


def test_what_would_replace_its_record_is_not_run_unless_that_is_asked_for(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit):
        command.main(["shakespeare"])
    assert "add --record if it may" in capsys.readouterr().err


def test_results_prints_what_was_measured_beside_what_is_recorded(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    fake(monkeypatch, rows=lambda: [Row("A1", "ratio", "0.91", "0.90", "≤ 0.93", True)])
    results.print_results(("one",))
    printed = capsys.readouterr().out.splitlines()
    assert printed[1].split() == ["A1", "ratio", "0.91", "0.90", "≤", "0.93", "met"]


def test_results_fails_where_a_target_is_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    fake(monkeypatch, rows=lambda: [Row("A1", "ratio", "0.95", "0.90", "≤ 0.93", False)])
    with pytest.raises(SystemExit):
        results.print_results(("one",))


def test_spread_gives_the_mean_and_the_standard_deviation_over_seeds() -> None:
    assert results.spread([1.0, 2.0, 3.0], 1) == "2.0 ± 1.0 (3 seeds)"


def test_what_is_written_is_read_with_the_command_that_made_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    monkeypatch.setattr(recorded, "FOLDER", tmp_path_factory.mktemp("recorded"))
    recorded.write("thing", {"x": 1.5}, seconds=2.4)
    kept = recorded.read("thing")
    assert kept["x"] == 1.5
    assert kept["made"]["command"] == "python -m lstm_lib.experiments thing"
    assert kept["made"]["seconds"] == 2


def test_a_record_that_is_not_there_is_an_error_naming_those_that_are() -> None:
    with pytest.raises(ValueError, match=r"name must be one of .*shakespeare.*, got 'hamlet'"):
        recorded.read("hamlet")


@pytest.mark.parametrize("path", sorted(recorded.FOLDER.glob("*.json")), ids=lambda path: path.stem)
def test_every_record_says_what_made_it(path: object) -> None:
    made = json.loads(path.read_text(encoding="utf-8"))["made"]  # type: ignore[attr-defined]
    assert {"command", "date", "seconds", "threads", "versions", "machine"} <= set(made)
