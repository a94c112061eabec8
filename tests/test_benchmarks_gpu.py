"""The GPU's race, run on the CPU: what it records, and whom it does not time."""

import numpy as np
import pytest
import torch

from benchmarks import contestants, gpu, tables
from benchmarks.problem import Shape, draw

GRID = [(Shape(4, 2, 3, 5), "float32"), (Shape(4, 2, 3, 5), "bfloat16")]


def test_the_race_on_a_gpu_says_what_it_needs_where_there_is_none(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(RuntimeError, match=r"needs a CUDA device, and torch .* sees none"):
        gpu.run(GRID)


def test_the_race_on_a_gpu_records_times_and_errors_for_every_dtype():
    found = gpu.run(GRID, device="cpu", seconds=0, rounds=2)
    assert found["failed"] == []
    assert [each["dtype"] for each in found["races"]] == ["float32", "bfloat16"]
    for each in found["races"]:
        assert {"torch.nn", "loop", "fused"} <= set(each["seconds"]) == set(each["errors"])
    assert found["races"][0]["errors"]["fused"] < 1e-5 < found["races"][1]["errors"]["fused"]
    assert "CUDA" in found["absent"]["graph"]


def test_who_gives_a_wrong_answer_on_a_gpu_is_listed_and_not_timed(monkeypatch):
    def fused_wrong(name, device, dtype):
        build = contestants.our_torch("loop", device, dtype)

        def wrong(problem):
            right = build(problem)
            return right._replace(forward=lambda: 2 * right.forward())

        return wrong if name == "fused" else build

    monkeypatch.setattr(gpu, "our_torch", fused_wrong)
    found = gpu.run(GRID[:1], device="cpu", seconds=0, rounds=2)
    [[name, shape, dtype, why]] = found["failed"]
    assert (name, shape, dtype) == ("fused", [4, 2, 3, 5], "float32")
    assert "h of forward is off by" in why
    assert "fused" not in found["races"][0]["seconds"]


TWO = [GRID[0], (Shape(3, 2, 3, 6), "float32")]


def broken_at(monkeypatch, H, name, good_calls):
    """Let a contestant raise at this H, after so many training steps."""
    right = gpu.field

    def field(shape, dtype, device):
        there, absent = right(shape, dtype, device)
        build, left = there[name], iter([None] * good_calls)

        def wrong(problem):
            contestant = build(problem)

            def train():
                if next(left, "none") == "none":
                    raise torch.OutOfMemoryError("no memory")
                return contestant.train()

            return contestant._replace(train=train)

        return (there | {name: wrong} if shape.H == H else there), absent

    monkeypatch.setattr(gpu, "field", field)


def test_a_reference_that_breaks_at_one_shape_loses_no_other(monkeypatch):
    broken_at(monkeypatch, 5, "torch.nn", good_calls=0)
    found = gpu.run(TWO, device="cpu", seconds=0, rounds=2)
    assert found["failed"] == [["torch.nn", [4, 2, 3, 5], "float32", "OutOfMemoryError: no memory"]]
    assert [race["shape"] for race in found["races"]] == [[3, 2, 3, 6]]


def test_who_breaks_in_the_race_loses_no_other_shape(monkeypatch):
    broken_at(monkeypatch, 6, "loop", good_calls=2)  # checked, warmed up
    found = gpu.run(TWO, device="cpu", seconds=0, rounds=2)
    assert found["failed"] == [["the race", [3, 2, 3, 6], "float32", "OutOfMemoryError: no memory"]]
    assert [race["shape"] for race in found["races"]] == [[4, 2, 3, 5]]


def test_tf32_is_off_in_the_race_and_as_it_was_after_it(monkeypatch):
    places = (torch.backends.cudnn, torch.backends.cuda.matmul)
    right = gpu.enter

    def allowed():
        return [place.allow_tf32 for place in places]

    def enter(*arguments):
        seen.append(allowed())
        return right(*arguments)

    monkeypatch.setattr(gpu, "enter", enter)
    before, seen = allowed(), []
    for place in places:
        place.allow_tf32 = True
    gpu.run(GRID[:1], device="cpu", seconds=0, rounds=1)
    seen.append(allowed())
    for place, kept in zip(places, before, strict=True):
        place.allow_tf32 = kept
    assert seen == [[False, False], [True, True]]


def test_a_problem_in_bfloat16_is_the_same_for_those_who_compute_in_float64():
    problem = gpu.rounded(draw(GRID[0][0]), "bfloat16")
    for array in (*problem.params, problem.x, problem.dh):
        assert array.dtype == np.float32
        assert torch.equal(torch.tensor(array), torch.tensor(array).bfloat16().float())


def test_the_tables_of_a_gpu_show_each_dtype_and_who_failed():
    found = gpu.run(GRID, device="cpu", seconds=0, rounds=2)
    made = {"command": "mine", "date": "today", "seconds": 1, "machine": "this", "versions": {}}
    text = tables.gpu(found | {"made": made, "failed": [["triton", [1], "float32", "broke"]]})
    assert "Training step, bfloat16" in text
    assert "FAILED: triton, [1], float32, broke" in text
