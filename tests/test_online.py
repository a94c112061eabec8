"""Nets that learn on-line: the update against two other derivations, wiring, sizes, errors."""

import importlib.util
import sys
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from lstm_lib.numpy_cells import lstm_1997, sigmoid
from lstm_lib.online import NETS, Net, Wiring, sparse

T = 12
SMALL = Wiring(D=3, K=2, N=2, S=2, bound=1)
WIRINGS = {
    **{f"{N}x{S}": replace(SMALL, N=N, S=S) for N in (1, 2, 3) for S in (1, 2)},
    "gate biases alone": replace(SMALL, biased="gates", output_bias=False),
    "cells are seen": replace(SMALL, recurrent="cells"),
    "no output gates": replace(SMALL, output_gate=False),
    "direct": replace(SMALL, direct=True),
    "as 2a": replace(
        NETS["2a"], D=4, K=4, bound=1.0
    ),
    "forget gates": replace(SMALL, forget_gate=True),
    "as Gers 2000": replace(NETS["Gers 2000"], bound=1.0),
    "peepholes": replace(SMALL, peepholes=True, forget_gate=True),
    "peepholes without forget gates": replace(SMALL, peepholes=True, N=1),
    "neither output gates nor forget gates": replace(SMALL, peepholes=True, output_gate=False),
}  # fmt: skip
every_wiring = pytest.mark.parametrize("wiring", WIRINGS.values(), ids=WIRINGS)
of_1997 = pytest.mark.parametrize(
    "wiring",
    [wiring for wiring in WIRINGS.values() if not (wiring.forget_gate or wiring.peepholes)],
    ids=[name for name, wiring in WIRINGS.items() if not (wiring.forget_gate or wiring.peepholes)],
)


def draw(wiring: Wiring, *, at: Any = (T - 1,), seed: int = 0) -> tuple[Net, Any, Any, Any]:
    """A net, an input (T, D) with zeros in it, the steps with targets, and those (M, K)."""
    rng = np.random.default_rng(seed)
    net = Net(wiring, rng, rate=0.7)
    x = rng.normal(size=(T, wiring.D)) * (rng.random((T, wiring.D)) < 0.7)
    return net, x, np.array(at), rng.random((len(at), wiring.K))


@pytest.mark.parametrize(
    ("name", "weights"),
    {
        "1 4x1": 264, "1 3x2": 276, "2a": 10504, "2c p=50": 364, "2c p=100": 664, "2c p=200": 1264,
        "2c p=500": 3064, "2c p=1000": 6064, "3": 102, "4": 93, "6a": 156, "6b": 308,
        "Gers 2000": 424, "Gers 2002": 17,
    }.items(),
)  # fmt: skip
def test_the_nets_have_the_published_numbers_of_weights(name: str, weights: int) -> None:
    assert Net(NETS[name], np.random.default_rng(0), rate=1).weights == weights


@of_1997
def test_the_weights_are_counted_as_the_readable_cell_stores_them(wiring: Wiring) -> None:
    net = Net(wiring, np.random.default_rng(0), rate=1)
    first = wiring.D if wiring.direct else 0
    outputs = (first + wiring.H + wiring.output_bias) * wiring.K
    assert net.weights == sum(array.size for array in net.cell()) + outputs


def truncated_gradient(net: Net, x: Any, at: Any, targets: Any) -> tuple[Any, Any]:
    """By the cell's weights and by V, of ½ Σ |y − output|², with `numpy_cells.lstm_1997`."""
    wiring, params = net.wiring, net.cell()
    options = {"centred": wiring.centred, "squashed": wiring.squashed}
    trace = lstm_1997.forward(params, x[:, None], **options)
    seen = [x] if wiring.direct else []
    seen = np.hstack([*seen, trace.h[1:, 0], np.ones((len(x), 1))])[at]
    y = sigmoid(seen @ net.V)
    delta = (y - targets) * y * (1 - y)
    dh = np.zeros((len(x), 1, wiring.H))
    first = wiring.D if wiring.direct else 0
    dh[at, 0] = delta @ net.V[first:-1].T
    by_cell = lstm_1997.backward(params, x[:, None], trace, dh, truncated=True, **options).params
    by_V = seen.T @ delta
    by_V[-1] *= wiring.output_bias
    return by_cell, by_V


@pytest.mark.parametrize("at", [(T - 1,), (4,)], ids=["at the end", "within"])
@of_1997
def test_an_update_is_the_rate_times_the_truncated_gradient(wiring: Wiring, at: Any) -> None:
    net, x, at, targets = draw(wiring, at=at)
    before, V = net.cell(), net.V.copy()
    by_cell, by_V = truncated_gradient(net, x, at, targets)
    net.learn(*sparse(x), at, targets)
    for new, old, gradient in zip(net.cell(), before, by_cell, strict=True):
        np.testing.assert_allclose(new - old, -net.rate * gradient, rtol=0, atol=1e-13)
    np.testing.assert_allclose(net.V - V, -net.rate * by_V, rtol=0, atol=1e-13)


@of_1997
def test_summed_changes_are_the_gradient_of_all_steps_by_the_weights_before(wiring: Wiring) -> None:
    net, x, at, targets = draw(wiring, at=(2, 5, T - 1))
    for _ in range(2):  # the second time, nothing is left of the first
        before, V = net.cell(), net.V.copy()
        by_cell, by_V = truncated_gradient(net, x, at, targets)
        net.learn(*sparse(x), at, targets, summed=True)
        for new, old, gradient in zip(net.cell(), before, by_cell, strict=True):
            np.testing.assert_allclose(new - old, -net.rate * gradient, rtol=0, atol=1e-13)
        np.testing.assert_allclose(net.V - V, -net.rate * by_V, rtol=0, atol=1e-13)


def test_summed_changes_are_made_where_a_mistake_ends_the_sequence() -> None:
    (net, x, at, targets), (cut, *_) = (draw(SMALL, at=(2, 5)) for _ in range(2))
    net.learn(*sparse(x), at, targets, summed=True, stop=1e-9)
    cut.learn(*sparse(x[:3]), at[:1], targets[:1], summed=True)
    np.testing.assert_array_equal(net.W, cut.W)


def by_autograd(net: Net, x: Any, at: Any, targets: Any) -> tuple[Any, Any]:
    """The weights after a sequence: the graph's ends are cut where the papers cut them.

    After an update the later steps use the new weights, and what c carries is still differentiated
    by the old ones: hence the leaf W and the moved `now`.
    """
    wiring, (free_W, free_V) = net.wiring, map(torch.tensor, net.wiring.free())
    W, V = (torch.tensor(a, requires_grad=True) for a in (net.W, net.V))
    now, out = W, V
    i, f, g, o = wiring.columns
    R, H, S = wiring.form.R, wiring.H, wiring.S
    u, c = torch.zeros(len(W[0]), dtype=float), torch.zeros(H, dtype=float)
    one, targets = torch.ones(1, dtype=float), iter(torch.tensor(targets))
    for t, x_t in enumerate(torch.tensor(x)):
        peeps = (c.detach(),) if wiring.peepholes else ()
        a = torch.cat([x_t, u[:R].detach(), one, *peeps]) @ now
        per_cell = [a[gate].sigmoid().repeat_interleave(S) for gate in (i, f)]
        q = a[g].sigmoid()
        kept = per_cell[1] * c if wiring.forget_gate else c
        c = kept + per_cell[0] * (4 * q - 2 if wiring.centred else q)
        peeps = (c.detach(),) if wiring.peepholes else ()
        a_o = (torch.cat([x_t, u[:R].detach(), one, *peeps]) @ now)[o].sigmoid()
        opened = a_o.repeat_interleave(S) if wiring.output_gate else 1
        h = opened * (2 * c.sigmoid() - 1 if wiring.squashed else c)
        u = torch.cat([h, a[i].sigmoid(), a[f].sigmoid(), a_o])
        if t in at:
            seen = torch.cat([x_t, h, one] if wiring.direct else [h, one])
            loss = ((next(targets) - (seen @ out).sigmoid()) ** 2).sum() / 2
            dW, dV = torch.autograd.grad(loss, (W, V), retain_graph=True)
            now, out = now - net.rate * dW * free_W, out - net.rate * dV * free_V
    return now.detach().numpy(), out.detach().numpy()


@pytest.mark.parametrize("at", [(T - 1,), range(T), (0, 5, 6)], ids=["one", "all", "some"])
@every_wiring
def test_updates_within_a_sequence_agree_with_autograd(wiring: Wiring, at: Any) -> None:
    net, x, at, targets = draw(wiring, at=at)
    W, V = by_autograd(net, x, at, targets)
    net.learn(*sparse(x), at, targets)
    np.testing.assert_allclose(net.W, W, rtol=0, atol=1e-12)
    np.testing.assert_allclose(net.V, V, rtol=0, atol=1e-12)


@of_1997
def test_the_outputs_are_those_of_the_readable_cell(wiring: Wiring) -> None:
    net, x, at, _ = draw(wiring, at=range(T))
    trace = lstm_1997.forward(
        net.cell(), x[:, None], centred=wiring.centred, squashed=wiring.squashed
    )
    seen = [x] if wiring.direct else []
    expected = sigmoid(np.hstack([*seen, trace.h[1:, 0], np.ones((T, 1))]) @ net.V)
    np.testing.assert_allclose(net.predict(*sparse(x), at), expected, rtol=0, atol=1e-14)


def test_learn_returns_the_outputs_of_before_the_update() -> None:
    net, x, at, targets = draw(SMALL)
    assert np.array_equal(net.predict(*sparse(x), at), net.learn(*sparse(x), at, targets))


def test_a_decaying_rate_is_a_smaller_one_for_each_next_step() -> None:
    decaying, x, at, targets = draw(SMALL, at=range(T))
    by_hand, *_ = draw(SMALL, at=range(T))
    decaying.learn(*sparse(x), at, targets, decay=0.9)
    index, value = sparse(x)
    for t in range(T):
        by_hand.learn(index[t:][:1], value[t:][:1], [0], targets[t:][:1], reset=t == 0)
        by_hand.rate *= 0.9
    np.testing.assert_allclose(decaying.W, by_hand.W, rtol=0, atol=1e-14)
    assert decaying.rate == 0.7


def test_a_sequence_ends_with_the_first_step_that_is_too_far_off() -> None:
    stopped, x, at, targets = draw(SMALL, at=range(T))
    by_hand, *_ = draw(SMALL, at=range(T))
    targets[:] = stopped.predict(*sparse(x), at)
    targets[4:, 1] += 2
    outputs = stopped.learn(*sparse(x), at, targets, stop=1.0)
    by_hand.learn(*sparse(x[:5]), at[:5], targets[:5])
    assert outputs.shape == (5, 2)
    assert np.array_equal(stopped.W, by_hand.W)


def test_predict_changes_no_weight() -> None:
    net, x, at, _ = draw(SMALL)
    before = net.W.copy(), net.V.copy()
    net.predict(*sparse(x), at)
    assert np.array_equal(net.W, before[0])
    assert np.array_equal(net.V, before[1])


@every_wiring
def test_what_is_not_there_stays_zero(wiring: Wiring) -> None:
    net, x, at, targets = draw(wiring, at=range(T))
    net.learn(*sparse(x), at, targets)
    free_W, free_V = wiring.free()
    assert not net.W[free_W == 0].any()
    assert not net.V[free_V == 0].any()


@every_wiring
def test_every_weight_that_is_there_learns(wiring: Wiring) -> None:
    net, x, at, targets = draw(wiring, at=range(T))
    W, V = net.W.copy(), net.V.copy()
    net.learn(*sparse(x), at, targets)
    free_W, free_V = wiring.free()
    np.testing.assert_array_equal(net.W != W, free_W == 1)
    np.testing.assert_array_equal(net.V != V, free_V == 1)


@every_wiring
def test_a_stream_in_two_calls_is_one_sequence(wiring: Wiring) -> None:
    whole, x, at, targets = draw(wiring, at=range(T))
    halves, *_ = draw(wiring, at=at)
    whole.learn(*sparse(x), at, targets)
    halves.learn(*sparse(x[:5]), at[:5], targets[:5])
    halves.learn(*sparse(x[5:]), at[: T - 5], targets[5:], reset=False)
    np.testing.assert_allclose(halves.W, whole.W, rtol=0, atol=1e-14)
    np.testing.assert_allclose(halves.V, whole.V, rtol=0, atol=1e-14)
    np.testing.assert_allclose(halves.c, whole.c, rtol=0, atol=1e-14)


@every_wiring
def test_nothing_is_left_of_an_earlier_sequence(wiring: Wiring) -> None:
    used, x, at, targets = draw(wiring, at=(3, T - 1))
    fresh, *_ = draw(wiring)
    used.learn(*sparse(x[::-1]), at, targets)
    used.W[:], used.V[:] = fresh.W, fresh.V
    for net in (used, fresh):
        net.learn(*sparse(x), at, targets)
    assert np.array_equal(used.W, fresh.W)
    assert np.array_equal(used.V, fresh.V)


def test_an_input_that_never_came_keeps_its_weights() -> None:
    net, x, at, targets = draw(replace(SMALL, D=6))
    before = net.W.copy()
    x[:, 4] = 0
    net.learn(*sparse(x), at, targets)
    assert np.array_equal(net.W[4], before[4])


def test_pairs_of_the_same_index_add_up() -> None:
    net, x, at, targets = draw(SMALL)
    twin, *_ = draw(SMALL)
    index = np.tile(np.arange(3), (T, 2))
    net.learn(*sparse(x), at, targets)
    twin.learn(index, np.hstack([0.25 * x, 0.75 * x]), at, targets)
    np.testing.assert_allclose(twin.W, net.W, rtol=0, atol=1e-14)


def test_sparse_keeps_every_value() -> None:
    x = np.array([[0, 3.0, 0], [1, 0, 2], [0, 0, 0]])
    index, value = sparse(x)
    dense = np.zeros_like(x)
    np.add.at(dense, (np.arange(3)[:, None], index), value)
    assert index.shape == (3, 2)
    assert np.array_equal(dense, x)


def test_sparse_has_a_pair_for_a_step_of_zeros() -> None:
    index, value = sparse(np.zeros((4, 3)))
    assert index.shape == (4, 1)
    assert not value.any()


def test_truth_values_are_ones_and_zeros() -> None:
    (net, x, at, targets), (twin, *_) = draw(SMALL), draw(SMALL)
    index, value = sparse(x)
    net.learn(index, value > 0, at, targets > 0.5)
    twin.learn(index, 1.0 * (value > 0), at, 1.0 * (targets > 0.5))
    assert np.array_equal(net.W, twin.W)


def test_compiled_and_in_python_the_loops_do_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("numba")
    monkeypatch.setitem(sys.modules, "numba", None)  # an import of it now fails
    spec = importlib.util.find_spec("lstm_lib.online._engine")
    assert spec is not None
    assert spec.loader is not None
    in_python = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(in_python)
    assert in_python.njit is None
    compiled, x, at, targets = draw(WIRINGS["peepholes"], at=range(T))
    python, *_ = draw(WIRINGS["peepholes"])
    compiled.learn(*sparse(x), at, targets)
    monkeypatch.setattr("lstm_lib.online.net.engine", in_python)
    python.learn(*sparse(x), at, targets)
    np.testing.assert_allclose(python.W, compiled.W, rtol=0, atol=1e-12)
    np.testing.assert_allclose(python.V, compiled.V, rtol=0, atol=1e-12)


def test_a_net_learns_to_keep_the_first_input() -> None:
    rng = np.random.default_rng(0)
    net = Net(Wiring(D=1, K=1, N=1), rng, rate=1.0)
    errors = []
    for _ in range(400):
        label = rng.integers(2)
        x = rng.normal(0, 0.2, (8, 1))
        x[0] = 2 * label - 1
        errors.append(abs(label - net.learn(*sparse(x), [7], [[label]])[0, 0]))
    assert np.mean(errors[-50:]) < 0.2 < 0.4 < np.mean(errors[:50])


def test_the_generator_alone_decides_the_weights() -> None:
    nets = [Net(SMALL, np.random.default_rng(seed), rate=1) for seed in (3, 3, 4)]
    assert np.array_equal(nets[0].W, nets[1].W)
    assert not np.array_equal(nets[0].W, nets[2].W)


def test_biases_start_where_asked_for() -> None:
    params = Net(NETS["3"], np.random.default_rng(0), rate=1).cell()
    assert params.b_i.tolist() == [-1, -3, -5]
    assert params.b_o.tolist() == [-2, -4, -6]
    assert np.abs(params.b_g).max() <= 0.1


def test_the_gates_of_2000_start_as_published_and_their_cells_at_random() -> None:
    net = Net(NETS["Gers 2000"], np.random.default_rng(0), rate=1)
    bias, at = net.W[-1], net.wiring.columns
    assert bias[at.i].tolist() == bias[at.o].tolist() == [-0.5, -1, -1.5, -2]
    assert bias[at.f].tolist() == [0.5, 1, 1.5, 2]
    assert 0.15 < np.abs(net.W[:-1]).max() <= 0.2


@pytest.mark.parametrize(
    ("name", "bound", "input_biases", "output_biases"),
    [
        ("1 4x1", 0.2, None, (-1, -2, -3, -4)),
        ("1 3x2", 0.2, None, (-1, -2, -3)),
        ("2a", 0.2, None, None),
        ("2c p=50", 0.2, None, None),
        ("3", 0.1, (-1, -3, -5), (-2, -4, -6)),
        ("4", 0.1, (-3, -6), None),
        ("6a", 0.1, (-2, -4), None),
        ("6b", 0.1, (-2, -4, -6), None),
    ],
)
def test_the_nets_of_1997_start_as_published(
    name: str, bound: float, input_biases: Any, output_biases: Any
) -> None:
    wiring = NETS[name]
    starts = (wiring.bound, wiring.input_biases, wiring.output_biases)
    assert starts == (bound, input_biases, output_biases)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"N": 0}, "N must be a positive integer, got 0"),
        ({"S": 1.5}, "S must be a positive integer, got 1.5"),
        ({"recurrent": "gates"}, "recurrent must be one of ('all', 'cells', 'none'), got 'gates'"),
        ({"biased": "cells"}, "biased must be one of ('all', 'gates', 'none'), got 'cells'"),
        ({"bound": 0}, "bound must be a positive number, got 0"),
        ({"bound": np.inf}, "bound must be a positive number, got inf"),
        ({"output_gate": 2}, "output_gate must be True or False, got 2"),
        ({"squashed": "no"}, "squashed must be True or False, got 'no'"),
        ({"input_biases": (-1,)}, "input_biases must be a tuple of N=2 numbers"),
        ({"input_biases": -1.0}, "input_biases must be a tuple of N=2 numbers"),
        ({"input_biases": [-1, -2]}, "input_biases must be a tuple of N=2 numbers"),
        ({"forget_biases": (1, 2)}, "forget_biases must be a tuple of N=2 numbers, for gates"),
        ({"output_biases": (1, 2), "biased": "none"}, "output_biases must be a tuple of N=2"),
    ],
)
def test_a_wiring_names_what_does_not_fit(change: dict, message: str) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the message is compared below
        replace(SMALL, **change)
    assert message in str(caught.value)


@pytest.mark.parametrize("rate", [0, -1, np.nan, np.inf, "1", None])
def test_a_rate_must_be_positive(rate: float) -> None:
    with pytest.raises(ValueError, match="rate must be a positive number, got"):
        Net(SMALL, np.random.default_rng(0), rate=rate)


@pytest.mark.parametrize("rate", [1, 0.5, np.float32(0.5)])
def test_a_rate_is_any_kind_of_number(rate: float) -> None:
    assert Net(SMALL, np.random.default_rng(0), rate=rate).rate == rate


def test_a_net_needs_a_generator() -> None:
    with pytest.raises(TypeError, match=r"rng must be a numpy\.random\.Generator"):
        Net(SMALL, 0, rate=1)  # type: ignore[arg-type]


def test_a_net_needs_a_wiring() -> None:
    with pytest.raises(TypeError, match=r"wiring must be a Wiring, such as NETS.*, got '4'"):
        Net("4", np.random.default_rng(0), rate=1)  # type: ignore[arg-type]


@pytest.mark.parametrize("wiring", [NETS["Gers 2000"], WIRINGS["peepholes without forget gates"]])
def test_a_net_with_forget_gates_or_peepholes_has_no_cell_of_1997(wiring: Wiring) -> None:
    net = Net(wiring, np.random.default_rng(0), rate=1)
    with pytest.raises(ValueError, match="neither forget gates nor peepholes"):
        net.cell()


INDEX, VALUE, AT, TARGETS = np.zeros((T, 2), int), np.ones((T, 2)), [T - 1], np.ones((1, 2))


@pytest.mark.parametrize(
    ("arguments", "kind", "message"),
    [
        ((INDEX, VALUE[:3], AT, TARGETS), ValueError, "got (12, 2) and (3, 2)"),
        ((INDEX[:, 0], VALUE[:, 0], AT, TARGETS), ValueError, "got (12,) and (12,)"),
        ((INDEX[:0], VALUE[:0], [], TARGETS[:0]), ValueError, "with T and J ≥ 1, got (0, 2)"),
        ((INDEX + 3, VALUE, AT, TARGETS), ValueError, "index must lie in 0 … D−1=2, got 3 … 3"),
        ((INDEX - 1, VALUE, AT, TARGETS), ValueError, "index must lie in 0 … D−1=2, got -1 … -1"),
        ((INDEX + 0.5, VALUE, AT, TARGETS), TypeError, "index must be integers, got float64"),
        ((INDEX, VALUE * 1j, AT, TARGETS), TypeError, "value must be real numbers, got complex128"),
        ((INDEX, VALUE, AT, [["a", "b"]]), TypeError, "targets must be real numbers, got <U1"),
        ((INDEX, VALUE, [T], TARGETS), ValueError, "at must be increasing steps in 0 … T−1=11"),
        ((INDEX, VALUE, [-1], TARGETS), ValueError, "at must be increasing steps in 0 … T−1=11"),
        ((INDEX, VALUE, [3, 3], TARGETS), ValueError, "got [3 3]"),
        ((INDEX, VALUE, [AT], TARGETS), ValueError, "got [[11]]"),
        (
            (INDEX, VALUE, [False] * 11 + [True], TARGETS),
            TypeError,
            "at must be integers, got bool",
        ),
        ((INDEX, VALUE, AT, TARGETS[:, :1]), ValueError, "targets must be (M=1, K=2), got (1, 1)"),
        ((INDEX, VALUE, AT, TARGETS[0]), ValueError, "targets must be (M=1, K=2), got (2,)"),
    ],
)
def test_learn_names_what_does_not_fit(arguments: Any, kind: Any, message: str) -> None:
    with pytest.raises(kind) as caught:
        Net(SMALL, np.random.default_rng(0), rate=1).learn(*arguments)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ({"decay": 0}, "decay must be in (0, 1], got 0"),
        ({"decay": 1.1}, "decay must be in (0, 1], got 1.1"),
        ({"stop": 0.0}, "stop must be a positive number, got 0.0"),
        ({"stop": np.nan}, "stop must be a positive number, got nan"),
    ],
)
def test_learn_refuses_a_decay_or_a_stop_that_makes_no_sense(option: Any, message: str) -> None:
    net, x, at, targets = draw(SMALL)
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the message is compared below
        net.learn(*sparse(x), at, targets, **option)
    assert message in str(caught.value)


def test_sparse_needs_steps_of_inputs() -> None:
    with pytest.raises(ValueError, match=r"x must be \(T, D\), got \(3,\)"):
        sparse([1, 2, 3])
