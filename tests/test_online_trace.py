"""The trace of an on-line net: its values are those of the readable cell, and of the equations."""

from dataclasses import replace

import numpy as np
import pytest

from lstm_lib.numpy_cells import lstm_1997, sigmoid
from lstm_lib.online import NETS, Net, Trace, Wiring, sparse, trace

T = 9
OF_1997 = Wiring(D=3, K=2, N=2, S=2, bound=1)


def traced(wiring: Wiring) -> tuple[Net, np.ndarray, Trace]:
    rng = np.random.default_rng(0)
    net, x = Net(wiring, rng, rate=1), rng.normal(size=(T, wiring.D))
    return net, x, trace(net, *sparse(x))


def test_states_and_gates_are_those_of_the_readable_cell() -> None:
    net, x, ours = traced(OF_1997)
    theirs = lstm_1997.forward(net.cell(), x[:, None])
    for name in "chio":
        expected = getattr(theirs, name)[1:, 0]
        np.testing.assert_allclose(getattr(ours, name), expected, rtol=0, atol=1e-14)


def test_forget_gates_and_states_follow_their_equations() -> None:
    net, x, ours = traced(replace(NETS["Gers 2000"], bound=1.0))
    at, before = net.wiring.columns, np.vstack([np.zeros(net.wiring.H), ours.h[:-1]])
    a = np.hstack([x, before, np.ones((T, 1))]) @ net.W
    np.testing.assert_allclose(ours.f, sigmoid(a[:, at.f]), rtol=0, atol=1e-14)
    f, i = (np.repeat(gate, net.wiring.S, axis=1)[1:] for gate in (ours.f, ours.i))
    c = f * ours.c[:-1] + i * (4 * sigmoid(a[1:, at.g]) - 2)
    np.testing.assert_allclose(ours.c[1:], c, rtol=0, atol=1e-14)


@pytest.mark.parametrize("wiring", [OF_1997, NETS["Gers 2002"]])
def test_the_outputs_are_those_of_predict(wiring: Wiring) -> None:
    net, x, ours = traced(wiring)
    assert np.array_equal(ours.y, net.predict(*sparse(x), range(T)))


def test_gates_that_are_not_there_have_no_columns() -> None:
    _, _, ours = traced(replace(OF_1997, output_gate=False))
    assert (ours.i.shape, ours.f.shape, ours.o.shape) == ((T, 2), (T, 0), (T, 0))


def test_a_trace_names_what_does_not_fit() -> None:
    net = Net(OF_1997, np.random.default_rng(0), rate=1)
    with pytest.raises(ValueError, match=r"with T and J ≥ 1, got \(0, 2\) and \(0, 2\)"):
        trace(net, np.zeros((0, 2), int), np.zeros((0, 2)))
