"""What is said about a record: aims met or missed, tables, and the warnings of the guard."""

import pytest

from benchmarks import aims, guard, memory, problem, tables
from benchmarks.__main__ import main
from benchmarks.problem import Shape
from lstm_lib import recorded

TINY = Shape(5, 3, 2, 4)


def one_race(shape=TINY, mode="train", **ratios):
    """A race as in a record; each contestant's quartiles are all the same number."""
    times = {name: [1 / ratio] * 3 for name, ratio in ratios.items()}
    return {
        "shape": list(shape),
        "mode": mode,
        "rounds": 5,
        "seconds": {name.replace("_", " "): three for name, three in times.items()},
        "ratio": {name.replace("_", " "): [ratio] * 3 for name, ratio in ratios.items()},
    }


# --- aims and tables ---------------------------------------------------------------------------


def full(train=1.2, forward=1.0, arrays=400.0, segments=66.0):
    """A record of the CPU in which the fast NumPy has these ratios at every shape."""
    races = [
        one_race(shape, mode, numpy_fast=ratio)
        for shape in problem.SHAPES
        for mode, ratio in (("train", train), ("forward", forward))
    ]
    mb = {"numpy fast": {"arrays": arrays}, "numpy fast, segments": {"arrays": segments}}
    return {
        "threads": {"1": {"races": races}},
        "memory": {"shape": list(memory.SHAPE), "mb": mb},
    }


def test_all_aims_of_the_cpu_are_met_where_the_numbers_say_so():
    assert [aim.met for aim in aims.cpu(full())] == [True] * 7


@pytest.mark.parametrize(
    ("change", "missed"),
    [
        ({"train": 1.1}, [0]),
        ({"train": 0.8}, [0, 1, 2]),
        ({"train": 0.5}, [0, 1, 2, 3]),
        ({"forward": 0.9}, [4]),
        ({"segments": 71}, [5]),
        ({"arrays": 411}, [6]),
    ],
)
def test_an_aim_of_the_cpu_is_missed_where_its_number_falls_short(change, missed):
    found = aims.cpu(full(**change))
    assert [k for k, aim in enumerate(found) if not aim.met] == missed


def test_the_aims_leave_out_small_batches_and_wide_cells_where_they_say_so():
    assert [tuple(shape) for shape in aims.BATCHED] == [
        (28, 64, 28, 128),
        (100, 32, 64, 64),
        (100, 32, 128, 256),
        (784, 16, 1, 128),
        (35, 20, 200, 200),
        (1000, 64, 2, 64),
    ]


def test_an_aim_that_was_not_measured_is_neither_met_nor_missed():
    record = full()
    del record["threads"]["1"]["races"][0]  # training at the first shape
    record["memory"]["shape"][0] = 500
    assert [aim.met for aim in aims.cpu(record)] == [None, None, None, True, True, None, None]


def gpu_record(small=1.2, large=1.6, half=2.0, loop=0.01):
    """A record of the GPU in which Triton has these ratios up to H = 128 and beyond."""
    races = []
    for H, dtype in ((128, "float32"), (64, "bfloat16"), (512, "bfloat16"), (512, "float16")):
        own = one_race(Shape(1024, 16, H, H), triton=small if H <= 128 else large, loop=loop)
        own["seconds"]["torch.nn"] = [1 / half if dtype == "float16" else 1.0] * 3
        races.append({**own, "dtype": dtype})
    return {"races": races, "failed": []}


def test_all_aims_of_the_gpu_are_met_where_the_numbers_say_so():
    assert [aim.met for aim in aims.gpu(gpu_record())] == [True] * 5


@pytest.mark.parametrize(
    ("change", "missed"),
    [
        ({"large": 1.4}, [1]),
        ({"small": 0.9}, [0]),
        ({"half": 3.0}, [2]),  # cuDNN in float16 takes a third: 1.6 / 3 < 0.6
        ({"loop": 0.04}, [3]),
    ],
)
def test_an_aim_of_the_gpu_is_missed_where_its_number_falls_short(change, missed):
    found = aims.gpu(gpu_record(**change))
    assert [k for k, aim in enumerate(found) if not aim.met] == missed


def test_a_contestant_that_failed_on_the_gpu_is_an_aim_missed():
    record = gpu_record() | {"failed": [["triton", list(TINY), "float32", "no memory"]]}
    assert aims.gpu(record)[-1].met is False


def test_a_table_is_aligned():
    lines = tables.table(["", "one"], [["a", "1.00"], ["longer", "12.00"]]).splitlines()
    assert lines == [
        "|        |   one |",
        "| ------ | ----: |",
        "| a      |  1.00 |",
        "| longer | 12.00 |",
    ]


@pytest.mark.parametrize(("value", "shown"), [(1234.5, "1234"), (99.94, "99.9"), (0.1234, "0.123")])
def test_numbers_have_three_digits_and_no_exponent(value, shown):
    assert tables.number(value) == shown


def test_table_says_what_is_not_recorded_yet(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(recorded, "FOLDER", tmp_path)
    main(["table"])
    assert "Nothing is recorded for the GPU: `python -m benchmarks gpu`" in capsys.readouterr().out


# --- the guard ---------------------------------------------------------------------------------


def test_the_guard_names_who_fell_below_half_of_the_recorded_ratio():
    now, kept = (
        [one_race(numpy_fast=0.49, torch_fused=0.6)],
        [one_race(numpy_fast=1.0, torch_fused=1.0)],
    )
    assert guard.verdicts(guard.medians(now), guard.medians(kept)) == [
        "numpy fast at (T, B, D, H) = (5, 3, 2, 4), train: 0.49 of the speed of torch.nn.LSTM, "
        "recorded 1.00"
    ]


def test_the_guard_passes_over_what_was_not_recorded():
    now = [one_race(Shape(9, 9, 9, 9), numpy_fast=0.1), one_race(mode="forward", numpy_fast=0.1)]
    now += [one_race(numpy_fast=1.0)]
    assert guard.verdicts(guard.medians(now), guard.medians([one_race(numpy_fast=1.0)])) == []


def test_the_guard_watches_no_one_elses_speed():
    assert guard.medians([one_race(jax=0.1)]) == {}


def test_the_guard_takes_no_number_for_a_fall():
    now, kept = (guard.medians([one_race(numpy_fast=ratio)]) for ratio in (float("nan"), 1.0))
    [sentence] = guard.verdicts(now, kept)
    assert "nan of the speed of torch.nn.LSTM" in sentence


def warnings_of_the_guard(monkeypatch, capsys, now, shape=TINY):
    monkeypatch.setattr(guard, "measure", lambda: [one_race(shape, numpy_fast=now)])
    kept = {"threads": {"1": {"races": [one_race(numpy_fast=1.0)]}}}
    monkeypatch.setattr(recorded, "names", lambda: ["speed_cpu"])
    monkeypatch.setattr(recorded, "read", lambda name: kept)
    main(["guard"])
    return capsys.readouterr().out


def test_the_guard_warns_in_the_form_that_github_shows_and_fails_nothing(monkeypatch, capsys):
    said = warnings_of_the_guard(monkeypatch, capsys, now=0.2)
    assert said.startswith("::warning title=slower than recorded::numpy fast at")
    assert len(said.splitlines()) == 1


def test_the_guard_is_content_where_nothing_fell(monkeypatch, capsys):
    said = warnings_of_the_guard(monkeypatch, capsys, now=0.9)
    assert said.startswith("No ratio to torch.nn.LSTM fell")


def test_the_guard_warns_where_there_was_nothing_to_compare(monkeypatch, capsys):
    said = warnings_of_the_guard(monkeypatch, capsys, now=0.9, shape=Shape(9, 9, 9, 9))
    assert said.startswith("::warning::nothing was compared")


DAMAGED = ["", '{"a":', "[]", "{}", "null", '{"threads": {"1": {"races": [{}]}}}']


@pytest.mark.parametrize("content", DAMAGED)
def test_the_guard_warns_of_a_record_that_it_cannot_read(content, monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(recorded, "FOLDER", tmp_path)
    (tmp_path / "speed_cpu.json").write_text(content)
    main(["guard"])
    assert capsys.readouterr().out.startswith("::warning::the record speed_cpu is damaged (")


@pytest.mark.parametrize("content", DAMAGED)
def test_the_tables_of_a_damaged_record_are_refused_by_name(content, monkeypatch, tmp_path):
    monkeypatch.setattr(recorded, "FOLDER", tmp_path)
    (tmp_path / "speed_cpu.json").write_text(content)
    with pytest.raises(SystemExit, match=r"the record speed_cpu is damaged .* makes it anew"):
        main(["table"])
