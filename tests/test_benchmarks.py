"""The benchmark times only what gives the right answer, and records what it promises."""

import json
import os
import sys

import numpy as np
import pytest
import torch

from benchmarks import aims, child, contestants, cpu, gpu, kept, limits, memory, race, tables
from benchmarks.__main__ import main
from benchmarks.problem import Contestant, Shape, check, draw, solve
from lstm_lib import recorded

TINY = Shape(5, 3, 2, 4)
BUILDERS, ABSENT = contestants.gather()


# --- who races ---------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [TINY, Shape(2, 1, 1, 1), Shape(7, 1, 5, 3)])
@pytest.mark.parametrize("name", BUILDERS)
def test_every_contestant_that_is_installed_gives_the_answer_of_float64(name, shape):
    problem = draw(shape)
    assert check(name, BUILDERS[name](problem), solve(problem)) < 1e-5  # rounding of float32


def test_who_is_absent_is_named_with_what_is_not_installed(monkeypatch):
    monkeypatch.delitem(sys.modules, "benchmarks.peer_jax", raising=False)
    monkeypatch.setitem(sys.modules, "jax", None)  # as if it were not there
    there, absent = contestants.gather()
    assert absent["jax"] == "jax is not installed"
    assert "jax" not in there
    assert "numpy fast" in there


def test_a_peer_that_is_broken_is_an_error_and_no_absence(monkeypatch):
    monkeypatch.setitem(contestants.PEERS, "jax", ("benchmarks.no_such_module", ("jax",)))
    with pytest.raises(ImportError, match="no_such_module"):
        contestants.gather()


def spoilt(field, change):
    """The reference, but for one array of its training step."""
    problem = draw(TINY, dtype=np.float64)
    answer = solve(problem)
    wrong = answer._replace(**{field: change(getattr(answer, field).copy())})
    return Contestant(lambda: answer.h, lambda: wrong), answer


def test_a_wrong_gradient_is_refused_with_the_contestant_and_the_array():
    contestant, answer = spoilt("dW_h", lambda dW_h: dW_h * 1.01)
    with pytest.raises(RuntimeError, match=r"^mine: dW_h of train is off by .*, more than 1e-03"):
        check("mine", contestant, answer)


def test_nan_is_refused():
    contestant, answer = spoilt("dx", lambda dx: dx * np.nan)
    with pytest.raises(RuntimeError, match="dx of train is off by nan"):
        check("mine", contestant, answer)


def test_a_wrong_shape_is_refused_even_where_it_would_broadcast():
    contestant, answer = spoilt("h", lambda h: h[:, :1])
    with pytest.raises(RuntimeError, match=r"h of train must be \(5, 3, 4\), got \(5, 1, 4\)"):
        check("mine", contestant, answer)


def test_the_largest_error_is_returned():
    contestant, answer = spoilt("dx", lambda dx: dx * (1 + 1e-4))
    assert check("mine", contestant, answer) == pytest.approx(1e-4)


def test_a_contestant_without_training_is_checked_by_its_output():
    answer = solve(draw(TINY))
    only_forward = Contestant(lambda: 2 * answer.h, None)
    with pytest.raises(RuntimeError, match="h of forward"):
        check("mine", only_forward, answer)


# --- processes ---------------------------------------------------------------------------------


def test_a_child_has_the_threads_that_were_asked_for(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    assert child.in_child(2, torch.get_num_threads) == 2
    assert os.environ["OMP_NUM_THREADS"] == "7"


def test_a_child_lets_openblas_choose_its_kernel(monkeypatch):
    monkeypatch.setenv("OPENBLAS_CORETYPE", "Haswell")
    assert child.in_child(1, os.getenv, "OPENBLAS_CORETYPE") is None
    assert os.environ["OPENBLAS_CORETYPE"] == "Haswell"


@pytest.mark.parametrize(
    ("threads", "clock"), [(1, "CPU time of the process"), (2, "elapsed time")]
)
def test_a_race_in_a_child_says_which_clock_and_with_how_many_threads(threads, clock):
    found = child.in_child(threads, race.run, [TINY], threads, 0.0)
    assert found["clock"] == clock
    blas = [line for line in found["libraries"] if line.startswith("openblas")]
    assert blas
    assert all(line.endswith(f", {threads} threads") for line in blas)


def test_what_a_child_raises_is_raised_here():
    with pytest.raises(ValueError, match="invalid literal"):
        child.in_child(1, int, "x")


# --- the record of the CPU ---------------------------------------------------------------------

SMALL = cpu.Settings(
    shapes=[TINY],
    seconds={1: 0.0, 2: 0.0},
    grid={axis: [TINY, TINY, TINY._replace(**{axis: 9})] for axis in "TBH"},
    grid_seconds=0.0,
    limit_seconds=0.0,
    memory=Shape(8, 3, 2, 4),
)


@pytest.fixture(scope="module")
def record(tmp_path_factory):
    """What `python -m benchmarks cpu` writes, of the smallest problems, all in this process."""

    def here(threads, function, *arguments):
        return function(*arguments)

    threads = torch.get_num_threads()
    path = tmp_path_factory.mktemp("record") / "cpu.json"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cpu, "FULL", SMALL)
        patch.setattr("benchmarks.__main__.PACKAGES", ["tqdm"])
        patch.setattr(cpu, "in_child", here)
        patch.setattr(memory, "in_child", here)
        main(["cpu", "--out", str(path)])
    torch.set_num_threads(threads)
    return json.loads(path.read_text(encoding="utf-8"))


def test_a_record_says_what_made_it_with_the_versions_of_the_peers(record):
    made = record["made"]
    assert made["command"] == "python -m benchmarks cpu"
    assert made["threads"] == 2
    assert {"python", "numpy", "torch", "tqdm"} <= set(made["versions"])


def test_a_record_has_both_modes_for_one_thread_and_two(record):
    assert set(record["threads"]) == {"1", "2"}
    for part in record["threads"].values():
        assert [(r["shape"], r["mode"]) for r in part["races"]] == [
            (list(TINY), "forward"),
            (list(TINY), "train"),
        ]


def test_a_record_holds_every_contestant_with_its_error_and_its_quartiles(record):
    part = record["threads"]["1"]
    forward, train = part["races"]
    assert set(forward["ratio"]) == set(BUILDERS) == set(part["errors"][0])
    assert set(train["ratio"]) == set(BUILDERS) - {"onnxruntime"}
    assert set(record["absent"]) == set(ABSENT)
    for own in train["seconds"].values():
        assert 0 < own[0] <= own[1] <= own[2]
    assert train["ratio"]["torch.nn"] == [1, 1, 1]
    assert train["rounds"] >= 5


def test_a_record_has_the_cost_along_every_axis_with_its_exponent(record):
    assert set(record["scaling"]) == set("TBH")
    for axis, own in record["scaling"].items():
        assert own["n"] == [shape["TBDH".index(axis)] for shape in own["shapes"]]
        assert set(own["slope"]) == set(own["seconds"]) == {"numpy fast", "torch.nn"}


def test_a_record_has_the_bounds_of_a_step_beside_what_was_measured(record):
    forward = record["roofline"]["steps"][0]
    raced = record["threads"]["1"]["races"][0]
    measured = raced["seconds"]["numpy fast"][1] / TINY.T * 1e6
    assert forward["measured_us"]["numpy fast"] == pytest.approx(measured, abs=0.01)
    assert all(rate > 0 for rate in record["roofline"]["ceilings"].values())


def test_a_record_has_the_memory_of_arrays_for_numpy_alone(record):
    found = record["memory"]["mb"]
    assert "arrays" in found["numpy fast"]
    assert "arrays" not in found["torch.nn"]


def test_a_quick_run_leaves_the_record_alone(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(recorded, "FOLDER", tmp_path / "recorded")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    without_measuring(monkeypatch)
    main(["gpu", "--quick"])
    assert not (tmp_path / "recorded").exists()
    [path] = tmp_path.glob("speed_*/speed_gpu_quick.json")  # in a folder that nobody else has
    assert f"Written: {path}" in capsys.readouterr().out


def without_measuring(monkeypatch):
    """The command `gpu`, with nothing that races; the list says whether it was to."""
    raced = []

    def run(grid):
        raced.append(grid)
        return {"races": [], "absent": {}, "failed": [], "device": {"name": "none"}}

    monkeypatch.setattr(gpu, "check_device", lambda: None)
    monkeypatch.setattr(gpu, "run", run)
    return raced


@pytest.mark.parametrize("out", ["folder", "file/below.json", "x" * 300])
def test_where_nothing_can_be_written_nothing_is_measured(out, monkeypatch, tmp_path, capsys):
    raced = without_measuring(monkeypatch)
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    with pytest.raises(SystemExit, match="2"):
        main(["gpu", "--out", str(tmp_path / out)])
    assert f"error: cannot write {tmp_path / out}: " in capsys.readouterr().err
    assert raced == []


def test_a_file_in_a_folder_that_is_not_there_yet_is_written(monkeypatch, tmp_path):
    without_measuring(monkeypatch)
    main(["gpu", "--out", str(tmp_path / "new" / "deep" / "gpu.json")])
    assert [path.name for path in (tmp_path / "new" / "deep").iterdir()] == ["gpu.json"]


def test_the_tables_are_printed_even_where_writing_fails(monkeypatch, tmp_path, capsys):
    raced = without_measuring(monkeypatch)
    path = tmp_path / "gpu.json"
    right = gpu.run

    def run(grid):
        path.mkdir()  # meanwhile
        return right(grid)

    monkeypatch.setattr(gpu, "run", run)
    with pytest.raises(OSError, match=r"cannot write .*gpu\.json"):
        main(["gpu", "--out", str(path)])
    assert len(raced) == 1
    assert "contestants that failed" in capsys.readouterr().out


def test_the_race_on_a_gpu_ends_with_what_it_needs_where_there_is_none(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(SystemExit, match=r"needs a CUDA device, and torch .* sees none"):
        main(["gpu", "--quick"])


def test_a_folder_that_cannot_be_made_is_named_by_the_writer(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match=r"cannot write .*below\.json"):
        recorded.write("speed", {}, seconds=1.0, path=tmp_path / "file" / "below.json")


def test_the_tables_of_a_record_name_the_absent_and_how_to_get_them(record):
    text = tables.cpu(record | {"absent": {"jax": "jax is not installed"}})
    assert "Absent: jax: jax is not installed" in text
    assert "pip install -r requirements-bench.txt" in text


def test_the_tables_of_a_record_show_every_contestant_and_every_aim(record):
    text = tables.cpu(record)
    assert all(f" {name} |" in text for name in BUILDERS)
    assert all(aim.what in text for aim in aims.cpu(record))
    assert "not measured" in text


# --- bounds and memory -------------------------------------------------------------------------

RATES = {"matmul_gflops": 100.0, "copy_gb_s": 10.0, "tanh_ns": 0.5, "call_us": 0.25}


def test_the_bounds_of_a_forward_step_are_those_of_the_equations():
    bounds = limits.step_bounds(Shape(9, 10, 30, 20), "forward", RATES, {"forward": 3.0})
    assert bounds == pytest.approx(
        {
            "matmul, peak rate": 2 * 80 * 50 * 10 / 100e3,  # (4H, D + H) times (D + H, B)
            "matmul, own shape": 3.0 - 2 * 80 * 50 * 10 / 100e3,
            "tanh": 5 * 20 * 10 * 0.5e-3,  # four gates and c
            "memory": (6 * 20 + 30) * 10 * 4 / 10e3,
            "calls": 7 * 0.25,
        }
    )


def test_a_training_step_multiplies_three_times_as_much_as_a_forward_step():
    own = {"forward": 0.0, "train": 0.0}
    forward, train = (limits.step_bounds(TINY, mode, RATES, own) for mode in own)
    assert train["matmul, peak rate"] == pytest.approx(3 * forward["matmul, peak rate"])
    assert train["tanh"] == forward["tanh"]  # backward needs none


def test_a_matmul_faster_than_the_peak_takes_nothing_besides():
    bounds = limits.step_bounds(TINY, "forward", RATES, {"forward": 0.0})
    assert bounds["matmul, own shape"] == 0


def test_what_runs_in_segments_gives_the_answer_of_float64():
    problem = draw(Shape(40, 3, 2, 4))
    assert check("segments", memory.segments(problem), solve(problem)) < 1e-5


def test_the_peak_of_memory_is_that_of_what_was_allocated(monkeypatch):
    def build(problem):
        return Contestant(lambda: None, lambda: np.ones(20_000_000, np.uint8))

    monkeypatch.setitem(memory.BUILDERS, "numpy of 20 MB", build)
    found = memory.peak("numpy of 20 MB", TINY)
    assert found["arrays"] == pytest.approx(20, abs=0.1)
    if sys.platform == "linux":
        assert found["resident"] == pytest.approx(20, abs=1)  # pages, and what Python itself asks


# --- the record --------------------------------------------------------------------------------


def test_a_record_keeps_the_command_and_the_versions_of_what_is_installed(tmp_path):
    path = recorded.write(
        "speed",
        {"x": 1},
        seconds=2.0,
        command="python -m mine",
        packages=["tqdm", "no-such-package"],
        path=tmp_path / "other.json",
    )
    assert path == tmp_path / "other.json"
    written = json.loads(path.read_text(encoding="utf-8"))
    assert written["x"] == 1
    assert written["made"]["command"] == "python -m mine"
    assert "tqdm" in written["made"]["versions"]
    assert "no-such-package" not in written["made"]["versions"]


def test_the_names_of_what_is_recorded_are_those_that_can_be_read():
    assert "electricity" in recorded.names()
    assert all(recorded.read(name)["made"] for name in recorded.names())


def test_the_race_with_kept_memory_has_two_racers_and_says_which_variables_keep_it() -> None:
    found = kept.run([Shape(3, 2, 2, 4)], 0.01)
    assert found["variables"] == kept.KEEP
    assert [race["mode"] for race in found["races"]] == ["forward", "train"]
    assert all(set(race["ratio"]) == {"numpy fast", "torch.nn"} for race in found["races"])
    made = {"command": "", "date": "", "seconds": 1, "machine": "", "versions": {}}
    assert "memory kept" in tables.kept({**found, "made": made})
