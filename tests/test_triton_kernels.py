"""The Triton kernels of the LSTM and the GRU against autograd through the equations in float64.

Without a GPU they run in Triton's interpreter (see conftest.py), with one compiled.
"""

from typing import Any, NamedTuple

import pytest
import torch
from torch import Tensor

from lstm_lib.torch_cells import _triton, triton_gru, triton_lstm

pytest.importorskip("triton", reason="needs Triton")

DEVICE = "cuda" if torch.cuda.is_available() and not _triton.INTERPRETED else "cpu"
SMALL = [(1, 1, 1), (2, 3, 5), (7, 17, 16), (2, 17, 33), (7, 3, 64)]  # (T, B, H)
LONG = [(1024, 16, 256), (1024, 8, 512), (1024, 3, 1024), (100, 100, 512)]
DTYPES = [torch.float64, torch.float32, torch.bfloat16, torch.float16]
EDGE = [77.0] * 64  # stands behind each array, to see that no kernel writes there

every_dtype = pytest.mark.parametrize("dtype", DTYPES, ids=lambda dtype: str(dtype)[6:])
every_cell = pytest.mark.parametrize("cell", [triton_lstm, triton_gru], ids=["lstm", "gru"])
both_designs = pytest.mark.parametrize("H", [5, 130], ids=["small", "split"])
frozen = pytest.mark.parametrize("lengths", [False, True], ids=["all steps", "lengths"])


@pytest.fixture(autouse=True)
def behind(monkeypatch: pytest.MonkeyPatch) -> list[Tensor]:
    """Fill what `torch.empty` gives with NaN, and return what stands behind each such array."""
    empty, edges = torch.empty, []

    def poisoned(*size: Any, **options: Any) -> Tensor:
        wanted = empty(*size, **options)
        inside = torch.full((wanted.numel(),), torch.nan, **options)
        both = torch.cat([inside, torch.tensor(EDGE, **options)])
        edges.append(both[wanted.numel() :])
        return both[: wanted.numel()].view(wanted.shape)

    monkeypatch.setattr(torch, "empty", poisoned)
    return edges


class Problem(NamedTuple):
    """What the recurrence of a cell takes, forward and backward."""

    forward: list[Tensor]  #: u, W_h, (b_hn,) the start
    backward: list[Tensor]  #: dh and what arrives at the last state
    live: Tensor | None


def draw(cell: Any, T: int, B: int, H: int, dtype: torch.dtype, lengths: bool = False) -> Problem:
    """Random numbers of the dtype, W_h with the spread ½/√H."""
    generator = torch.Generator().manual_seed(1000 * T + B + H)

    def normal(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=generator).to(dtype).to(DEVICE)

    lstm, blocks = cell is triton_lstm, 4 if cell is triton_lstm else 3
    forward = [normal(T, B, blocks * H), normal(H, blocks * H) * (0.5 * H**-0.5)]
    forward += [normal(B, H).tanh(), normal(B, H)] if lstm else [normal(H), normal(B, H).tanh()]
    backward = [normal(T, B, H), *(normal(B, H) for _ in range(2 if lstm else 1))]
    live = torch.randint(1, T + 1, (B,), dtype=torch.int32, generator=generator).to(DEVICE)
    return Problem(forward, backward, live if lengths else None)


def run(cell: Any, problem: Problem) -> dict[str, Tensor]:
    """All that the kernels return; what has no meaning (gates of frozen steps) is left out."""
    u, W_h, *rest = problem.forward
    h, *kept = cell.forward(u, W_h, *rest, problem.live)
    if cell is triton_lstm:
        returned = cell.backward(*problem.backward, W_h, *kept, problem.live)
        names = ("h", "c", "gates", "da", "dh_0", "dc_0")
    else:
        returned = cell.backward(*problem.backward, W_h, h, *kept, problem.live)
        names = ("h", "gates", "da", "dm", "dh_0")
    results = dict(zip(names, (h, *kept, *returned), strict=True))
    results["gates"] = alive(results["gates"], problem.live)
    return results


def expected(cell: Any, problem: Problem) -> dict[str, Tensor]:
    """The same from a loop over the equations and autograd, in float64 on the CPU."""
    forward = [a.cpu().double().requires_grad_() for a in problem.forward]
    live = None if problem.live is None else problem.live.cpu()
    lstm = cell is triton_lstm
    states, gates, probe = (lstm_loop if lstm else gru_loop)(*forward, live)
    arrived = [a.cpu().double() for a in problem.backward]
    ends = [(state[-1] * d).sum() for state, d in zip(states, arrived[1:], strict=True)]
    L = (states[0][1:] * arrived[0]).sum() + sum(ends)
    start = forward[2:] if lstm else [probe, forward[3]]
    da, *by_start = torch.autograd.grad(L, [forward[0], *start])
    names = (
        ("h", "c", "gates", "da", "dh_0", "dc_0") if lstm else ("h", "gates", "da", "dm", "dh_0")
    )
    results = dict(zip(names, (*states, gates, da, *by_start), strict=True))
    results["gates"] = alive(gates, live)
    return {name: a.detach() for name, a in results.items()}


def alive(gates: Tensor, live: Tensor | None) -> Tensor:
    """The gates with 0 where a sequence is frozen."""
    steps = torch.arange(len(gates), device=gates.device)[:, None]
    return gates if live is None else gates.masked_fill((steps >= live)[..., None], 0)


def lstm_loop(u: Tensor, W_h: Tensor, h: Tensor, c: Tensor, live: Tensor | None) -> Any:
    hs, cs, gates = [h], [c], []
    for t, u_t in enumerate(u):
        i, f, g, o = (u_t + h @ W_h).chunk(4, dim=-1)
        i, f, g, o = i.sigmoid(), f.sigmoid(), g.tanh(), o.sigmoid()
        now = torch.ones(len(h), 1) > 0 if live is None else (t < live)[:, None]
        c = torch.where(now, f * c + i * g, c)
        h = torch.where(now, o * c.tanh(), h)
        hs, cs, gates = [*hs, h], [*cs, c], [*gates, torch.cat([i, f, g, o], -1)]
    return (torch.stack(hs), torch.stack(cs)), torch.stack(gates), None


def gru_loop(u: Tensor, W_h: Tensor, b_hn: Tensor, h: Tensor, live: Tensor | None) -> Any:
    hs, gates = [h], []
    probe = torch.zeros(*u.shape[:2], len(b_hn), dtype=u.dtype, requires_grad=True)  # gives dm
    for t, u_t in enumerate(u):
        (u_r, u_z, u_n), (a_r, a_z, a_n) = u_t.chunk(3, dim=-1), (h @ W_h).chunk(3, dim=-1)
        r, z, m = (u_r + a_r).sigmoid(), (u_z + a_z).sigmoid(), a_n + b_hn + probe[t]
        n = (u_n + r * m).tanh()
        now = torch.ones(len(h), 1) > 0 if live is None else (t < live)[:, None]
        h = torch.where(now, (1 - z) * n + z * h, h)
        hs, gates = [*hs, h], [*gates, torch.cat([r, z, n, m], -1)]
    return (torch.stack(hs),), torch.stack(gates), probe


def assert_close(ours: dict[str, Tensor], right: dict[str, Tensor], dtype: torch.dtype) -> None:
    """Assert that no element is off by more than some roundings of the largest one.

    float32: each product, sum, exp and division rounds, 7 eps were seen at most. 16 bits: h, the
    gates and da are rounded once a step, and the interpreter cuts bfloat16 off (1 eps, not ½):
    what a step adds decays in those after it, 2 eps were seen at most.
    """
    eps = torch.finfo(dtype).eps
    tolerance = {torch.float64: 1e-12, torch.float32: 16 * eps}.get(dtype, 4 * eps)
    assert ours.keys() == right.keys()
    for name, a in ours.items():
        assert a.shape == right[name].shape, name
        difference = (a.cpu().double() - right[name]).abs().max()
        assert difference <= tolerance * right[name].abs().max(), name


@frozen
@every_dtype
@pytest.mark.parametrize("size", SMALL, ids=str)
@every_cell
def test_one_program_a_batch_tile_agrees_with_the_equations(
    cell: Any, size: tuple[int, int, int], dtype: torch.dtype, lengths: bool
) -> None:
    problem = draw(cell, *size, dtype, lengths)
    assert_close(run(cell, problem), expected(cell, problem), dtype)


@every_dtype
@every_cell
def test_units_split_over_programs_agree_with_the_equations(cell: Any, dtype: torch.dtype) -> None:
    problem = draw(cell, 3, 3, 130, dtype, lengths=True)
    assert_close(run(cell, problem), expected(cell, problem), dtype)


@every_cell
def test_split_units_of_two_batch_tiles_agree_with_the_equations(cell: Any) -> None:
    problem = draw(cell, 1, 9, 257, torch.float64)
    assert_close(run(cell, problem), expected(cell, problem), torch.float64)


@pytest.mark.skipif(DEVICE == "cpu", reason="needs a CUDA device and compiled kernels")
@pytest.mark.parametrize("size", LONG, ids=str)
@every_dtype
@every_cell
def test_on_a_gpu_long_sequences_agree_with_the_equations(
    cell: Any, size: tuple[int, int, int], dtype: torch.dtype
) -> None:
    problem = draw(cell, *size, dtype, lengths=True)
    assert_close(run(cell, problem), expected(cell, problem), dtype)


@both_designs
@every_cell
def test_no_element_outside_the_arrays_is_written(cell: Any, H: int, behind: list[Tensor]) -> None:
    run(cell, draw(cell, 2, 3, H, torch.float32, lengths=True))
    assert behind
    assert all(edge.tolist() == EDGE for edge in behind)


@both_designs
@every_cell
def test_nan_in_the_padding_reaches_nothing(cell: Any, H: int) -> None:
    problem = draw(cell, 4, 3, H, torch.float32, lengths=True)
    assert problem.live is not None
    problem.live[0] = 2
    right = expected(cell, problem)
    problem.forward[0][2:, 0] = torch.nan
    assert_close(run(cell, problem), right, torch.float32)


@both_designs
@every_cell
def test_nan_in_one_sequence_stays_in_it(cell: Any, H: int) -> None:
    problem = draw(cell, 3, 3, H, torch.float32)
    problem.forward[0][1, 1] = torch.nan
    for name, a in run(cell, problem).items():
        sequences = a if a.ndim == 2 else a.transpose(0, 1)
        assert sequences[1].isnan().any(), name
        assert not sequences[[0, 2]].isnan().any(), name


@pytest.mark.filterwarnings("ignore:invalid value encountered:RuntimeWarning")  # the interpreter's
@both_designs
@every_cell
def test_infinity_makes_nan_only_where_it_does_in_the_equations(cell: Any, H: int) -> None:
    """Units beside the real ones multiply it by a weight of 0."""
    problem = draw(cell, 3, 3, H, torch.float32)
    problem.forward[1].abs_()  # every gate of that sequence is 1 then, not NaN
    problem.forward[-2 if cell is triton_lstm else -1][1, 0] = torch.inf  # of h_0
    ours, right = run(cell, problem), expected(cell, problem)
    assert right["h"][1:, 1].isfinite().any()
    for name in ("h", "dh_0"):
        assert torch.equal(ours[name].cpu().isnan(), right[name].isnan()), name


@pytest.mark.filterwarnings("ignore:invalid value encountered:RuntimeWarning")
@every_cell
def test_infinity_that_arrives_from_the_loss_stays_infinity(cell: Any) -> None:
    problem = draw(cell, 3, 3, 5, torch.float32)
    for array in problem.forward:
        array.abs_()  # all slopes are positive then: there is no ∞ − ∞
    problem.forward[-1].add_(1)  # h above n in the GRU
    problem.backward[0][2, 1, 0] = torch.inf
    dh_0 = run(cell, problem)["dh_0"]
    assert dh_0[1].isposinf().all()
    assert dh_0[[0, 2]].isfinite().all()


@every_cell
def test_an_empty_batch_gives_empty_results(cell: Any) -> None:
    for H in (5, 130):
        results = run(cell, draw(cell, 2, 0, H, torch.float32))
        assert results["h"].shape == (3, 0, H)


def test_the_lstm_carries_c_in_float32() -> None:
    kept = draw(triton_lstm, 2, 3, 5, torch.bfloat16).forward
    assert triton_lstm.forward(*kept, None)[1].dtype == torch.float32


@pytest.mark.parametrize("H", [1, 130], ids=["small", "split"])
def test_the_gru_adds_up_what_its_dtype_would_lose(H: int) -> None:
    """z = σ(6) adds 1.2e-3 a step to h = ½, where bfloat16 has steps of 4e-3."""
    gates = torch.tensor([0.0, 6.0, 9.0]).repeat_interleave(H).to(torch.bfloat16).to(DEVICE)
    u, W_h, b_hn = gates.repeat(5, 1, 1), torch.zeros(H, 3 * H).to(gates), torch.zeros(H).to(gates)
    h, _ = triton_gru.forward(u, W_h, b_hn, torch.full((1, H), 0.5).to(u), None)
    assert float(h[-1].min()) > 0.5


@pytest.mark.skipif(not _triton.INTERPRETED, reason="with a GPU, all tests of split units do this")
@frozen
@every_cell
def test_programs_that_meet_at_a_counter_agree_with_the_equations(
    cell: Any, lengths: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The interpreter runs one program after another, so one alone has all units here."""

    def one_launch(kernel: Any, tensors: tuple[Any, ...], B: int, H: int, steps: range) -> None:
        arrived = torch.zeros(1, dtype=torch.int32)
        HB, KS, BK, BB = 16, 2, 8, 4
        sizes = (B, H, HB, KS, BK, BB, "ieee", True)
        _triton.launch(kernel, (1, 1), *tensors, arrived, 0, 0, len(steps), *sizes)
        assert int(arrived) == len(steps)

    monkeypatch.setattr(cell, "fits", lambda H, like: False)
    monkeypatch.setattr(cell.split, "run", one_launch)
    problem = draw(cell, 7, 3, 13, torch.float64, lengths)
    assert_close(run(cell, problem), expected(cell, problem), torch.float64)
