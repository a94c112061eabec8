"""CUDA graphs without a GPU: what is recorded, kept and copied; an imitation does the replaying."""

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
from backends import Place, Problem, assert_same, both_families, call
from cells import LSTM, Family
from torch import Tensor

from lstm_lib.torch_cells import _backends, graph

PLACE = Place("graph", "cpu")


class Imitation:
    """As a graph does, each replay fills the same tensors, from what the inputs hold by then."""

    made = 0

    def __init__(self, run: Callable[[], tuple[Tensor, ...]], device: torch.device) -> None:
        Imitation.made += 1
        self.run = run
        self.outputs = tuple(torch.full_like(each, torch.nan) for each in run())

    def replay(self) -> None:
        for own, new in zip(self.outputs, self.run(), strict=True):
            own.copy_(new)


@pytest.fixture(autouse=True)
def _imitated(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    def record(run: Any, device: torch.device) -> tuple[Imitation, tuple[Tensor, ...]]:
        imitation = Imitation(run, device)
        return imitation, imitation.outputs

    monkeypatch.setattr(graph, "record", record)
    monkeypatch.setattr(graph, "stream_of", lambda device: 0)
    monkeypatch.setattr(_backends, "why_not", lambda *_: None)
    monkeypatch.setattr(Imitation, "made", 0)
    graph.recording.cache_clear()
    yield
    graph.recording.cache_clear()


@pytest.mark.parametrize("lengths", [None, torch.tensor([2, 6, 1])], ids=["whole", "lengths"])
@both_families
def test_a_recorded_loop_gives_what_the_loop_gives(family: Family, lengths: Tensor | None) -> None:
    problem = Problem(family, (6, 3, 2, 5))
    expected = problem.run(problem.module(Place("fused", "cpu")), lengths)
    for _ in range(2):  # while recording, and from the recording
        assert_same(problem.run(problem.module(PLACE), lengths), expected, 0)
    assert Imitation.made == 2  # one forward, one backward


def test_each_run_has_the_values_and_gradients_of_its_own_inputs() -> None:
    problem = Problem(LSTM, (6, 3, 2, 5))
    module, fused = problem.module(PLACE), problem.module(Place("fused", "cpu"))
    x, start = problem.inputs(module)
    runs = [call(module, k * x, start) for k in (1, 2)]
    for k, run in zip((1, 2), runs, strict=True):  # both looked at after the second has been made
        alone = call(fused, k * x, start)
        assert all(torch.equal(a, b) for a, b in zip(run, alone, strict=True))
        by_x = [torch.autograd.grad(problem.loss(*outputs), x)[0] for outputs in (run, alone)]
        assert torch.equal(*by_x)


def test_the_weights_of_the_moment_count_not_those_of_the_recording() -> None:
    problem = Problem(LSTM, (6, 3, 2, 5))
    module, fused = problem.module(PLACE), problem.module(Place("fused", "cpu"))
    x, start = problem.inputs(module)
    before, *_ = call(module, x, start)
    with torch.no_grad():
        module.weight_hh_l0 *= 2
    fused.load_state_dict(module.state_dict())
    after, *_ = call(module, x, start)
    assert torch.equal(after, call(fused, x, start)[0])
    assert not torch.equal(after, before)


def test_no_more_than_eight_recordings_are_kept() -> None:
    module = LSTM.ours(2, 3, backend="graph")
    for T in range(1, 12):
        module(torch.zeros(T, 1, 2))
    assert graph.recording.cache_info().currsize == 8
    assert Imitation.made == 11


def test_threads_get_the_results_of_their_own_inputs() -> None:
    results: dict[int, list[float]] = {1: [], 2: []}

    def double(x: Tensor) -> tuple[Tensor]:
        time.sleep(0.001)  # the other thread has its turn
        return (2 * x,)

    def work(k: int) -> None:
        for _ in range(20):
            (doubled,) = graph.replay(double, torch.full((3,), float(k)))
            results[k].append(float(doubled[0]))

    threads = [threading.Thread(target=work, args=(k,)) for k in results]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == {1: [2.0] * 20, 2: [4.0] * 20}
    assert Imitation.made == 1


def test_each_stream_has_a_recording_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    module = LSTM.ours(2, 3, backend="graph")
    for stream in (0, 7, 0):
        monkeypatch.setattr(graph, "stream_of", lambda device, stream=stream: stream)
        module(torch.zeros(4, 1, 2))
    assert Imitation.made == 2
