"""The two training loops: the same curve, the reasons to stop, and errors that name the cause."""

import itertools
import os
import re
import subprocess
import sys

import numpy as np
import pytest
import torch
from torch import nn

from lstm_lib import tasks, torch_cells, train
from lstm_lib.numpy_cells import gru, lstm, rnn
from lstm_lib.train.history import History
from lstm_lib.train.numpy_loop import Adam

CELLS = [rnn, lstm, gru]
TWIN = {rnn: torch_cells.RNN, lstm: torch_cells.LSTM, gru: torch_cells.GRU}


def rng(seed=0):
    return np.random.default_rng(seed)


def stream(task, T=6, B=5, seed=1, **options):
    """A function that gives the next batch of a fixed sequence of batches."""
    source = rng(seed)
    return lambda: task(source, T, B, **options)


def twin(model, each_step):
    """A torch Reader with the weights of a NumPy model, its second bias frozen."""
    D, H = len(model.params.W_x), len(model.params.W_h)
    cell = TWIN[model.cell](D, H, dtype=torch.float64)
    reader = train.Reader(cell, model.b_y.size, each_step=each_step)
    b_hh = torch.zeros_like(cell.bias_hh_l0)
    mask = torch.zeros_like(b_hh)
    if model.cell is gru:  # of the second bias only b_hn is one of ours
        b_hh[-H:] = torch.as_tensor(model.params.b_hn)
        mask[-H:] = 1
    weights = {
        "cell.weight_ih_l0": torch.as_tensor(model.params.W_x.T.copy()),
        "cell.weight_hh_l0": torch.as_tensor(model.params.W_h.T.copy()),
        "cell.bias_ih_l0": torch.as_tensor(model.params.b),
        "cell.bias_hh_l0": b_hh,
        "readout.weight": torch.as_tensor(model.W_y.T.copy()),
        "readout.bias": torch.as_tensor(model.b_y),
    }
    reader.load_state_dict(weights)
    cell.bias_hh_l0.register_hook(lambda gradient: gradient * mask)
    return reader


KINDS = {
    "classes at the end": (tasks.recall_first, 8, 4, False),
    "classes at each step": (tasks.copy, 10, 10, True),
    "values at the end": (tasks.adding, 2, 1, False),
    "values at each step": (tasks.latch, 2, 1, True),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("cell", CELLS)
def test_both_loops_give_the_same_curve_from_the_same_weights_and_batches(cell, kind):
    task, D, K, each_step = KINDS[kind]
    model = train.init_model(rng(), cell, D, 5, K, dtype=np.float64)
    # A clip and a rate at which clipping and Adam's corrections both matter.
    options = {"updates": 30, "lr": 0.02, "clip": 0.1, "progress": False}
    batches = [stream(task, dtype=np.float64) for _ in range(2)]
    trained, ours = train.fit_numpy(model, batches[0], **options)
    reader = twin(model, each_step)
    theirs = train.fit(reader, batches[1], device="cpu", **options)
    assert ours.gradient_norm.max() > 0.1 > 0
    assert ours.loss == pytest.approx(theirs.loss, rel=1e-9)
    assert ours.gradient_norm == pytest.approx(theirs.gradient_norm, rel=1e-7)
    readout = reader.readout.weight.detach().numpy().T
    assert trained.W_y == pytest.approx(readout, abs=1e-8)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("cell", CELLS)
def test_gradients_are_what_central_differences_measure(cell, kind):
    task, D, K, _ = KINDS[kind]
    model = train.init_model(rng(), cell, D, 3, K, dtype=np.float64)
    x, y, _ = stream(task, T=4, B=3, dtype=np.float64)()
    _, gradients = train.loss_and_gradients(model, x, y)
    step = 1e-5
    for weight, gradient in zip(
        [*model.params, model.W_y, model.b_y],
        [*gradients.params, gradients.W_y, gradients.b_y],
        strict=True,
    ):
        assert weight.shape == gradient.shape
        for place in itertools.islice(np.ndindex(weight.shape), 12):
            value, losses = weight[place], []
            for nudged in (value + step, value - step):
                weight[place] = nudged
                losses.append(train.loss_and_gradients(model, x, y)[0])
            weight[place] = value
            measured = (losses[0] - losses[1]) / (2 * step)
            assert gradient[place] == pytest.approx(measured, rel=1e-6, abs=1e-9)


def test_adam_takes_its_first_step_at_the_full_rate_whatever_the_gradient():
    theta = np.zeros(3)
    Adam(theta, 0.1, eps=0.0).step(np.array([1e-6, -1.0, 1e6]))
    assert theta == pytest.approx([-0.1, 0.1, -0.1])


def test_an_lstm_in_numpy_learns_to_recall_in_seconds():
    model = train.init_model(rng(), lstm, 8, 16, 4, forget_bias=3.0)
    batches = stream(tasks.recall_first, T=10, B=32)
    model, history = train.fit_numpy(
        model, batches, updates=400, lr=0.02, target=0.05, progress=False
    )
    x, y, _ = tasks.recall_first(rng(9), 10, 500)
    assert history.stopped == "target reached"
    assert np.mean(train.predict(model, x).argmax(-1) == y) > 0.99


def test_an_lstm_in_torch_learns_to_recall_in_seconds():
    cell = torch_cells.LSTM(8, 16, forget_bias=3.0, generator=torch.Generator().manual_seed(0))
    reader = train.Reader(cell, 4, generator=torch.Generator().manual_seed(1))
    batches = stream(tasks.recall_first, T=10, B=32)
    history = train.fit(reader, batches, updates=400, lr=0.02, target=0.05, progress=False)
    x, y, _ = tasks.recall_first(rng(9), 10, 500)
    assert history.stopped == "target reached"
    assert np.mean(reader(torch.as_tensor(x)).argmax(-1).numpy() == y) > 0.99


def small_torch(seed=0):
    generator = torch.Generator().manual_seed(seed)
    return train.Reader(torch_cells.RNN(8, 4, generator=generator), 4, generator=generator)


def run_numpy(batches, **options):
    model = train.init_model(rng(), rnn, 8, 4, 4)
    return train.fit_numpy(model, batches, **{"progress": False, **options})[1]


def run_torch(batches, **options):
    return train.fit(small_torch(), batches, **{"progress": False, **options})


RUNS = pytest.mark.parametrize("run", [run_numpy, run_torch])


@RUNS
def test_a_run_stops_at_the_first_running_loss_below_the_target(run):
    full = run(stream(tasks.recall_first), updates=60, lr=0.05)
    target = full.running_loss[30:].min()
    expected = 1 + np.flatnonzero((full.running_loss <= target) & (full.updates >= train.WINDOW))[0]
    history = run(stream(tasks.recall_first), updates=60, lr=0.05, target=target)
    assert history.stopped == "target reached"
    assert len(history.loss) == expected


@RUNS
def test_a_run_stops_when_the_loss_has_not_fallen_for_long(run):
    batch = tasks.recall_first(rng(), 6, 5)
    # A rate too small to change the loss at all.
    history = run(lambda: batch, updates=500, lr=1e-30, patience=40)
    assert history.stopped == "patience"
    assert len(history.loss) == train.WINDOW + 40


@RUNS
def test_a_run_without_reason_to_stop_does_all_updates(run):
    history = run(stream(tasks.recall_first), updates=7, target=-1.0, patience=50)
    assert history.stopped == "all updates done"
    assert history.updates.tolist() == [1, 2, 3, 4, 5, 6, 7]
    assert history.loss.shape == history.gradient_norm.shape == (7,)
    assert history.seconds > 0


@RUNS
def test_a_clipped_run_records_the_norm_before_clipping(run):
    free = run(stream(tasks.recall_first), updates=1, clip=None)
    clipped = run(stream(tasks.recall_first), updates=1, clip=1e-3)
    assert clipped.gradient_norm[0] == free.gradient_norm[0] > 1e-3


@RUNS
def test_clipping_bounds_what_adam_sees(run):
    # With gradients of at most 1e-12, far below Adam's ε of 1e-8, hardly anything moves.
    free = run(stream(tasks.recall_first), updates=60, lr=0.05, clip=None)
    held = run(stream(tasks.recall_first), updates=60, lr=0.05, clip=1e-12)
    untrained = run(stream(tasks.recall_first), updates=60, lr=1e-30)
    assert held.loss == pytest.approx(untrained.loss, abs=1e-3)
    assert abs(free.loss - untrained.loss).max() > 0.1


@RUNS
@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"updates": 0}, "updates must be a positive integer, got 0"),
        ({"updates": 2.5}, r"updates must be a positive integer, got 2\.5"),
        ({"updates": np.nan}, "updates must be a positive integer, got nan"),
        ({"updates": 5, "patience": np.nan}, "patience must be at least 20 .*, got nan"),
        ({"updates": 5, "lr": None}, "lr must be positive and finite, got None"),
        ({"updates": 5, "lr": np.inf}, "lr must be positive and finite, got inf"),
        ({"updates": 5, "lr": 0}, "lr must be positive and finite, got 0"),
        ({"updates": 5, "clip": -1.0}, r"clip must be positive or None, got -1\.0"),
        ({"updates": 5, "lr": np.nan}, "lr must be positive and finite, got nan"),
        ({"updates": 5, "patience": 3}, "patience must be at least 20 updates or None, got 3"),
    ],
)
def test_settings_out_of_range_are_named(run, options, message):
    with pytest.raises(ValueError, match=message):
        run(stream(tasks.recall_first), **options)


def poisoned_from(update, field):
    """Batches whose x or y holds a NaN from this update on."""
    source, count = stream(tasks.adding, T=6), itertools.count(1)

    def batches():
        batch = source()
        if next(count) >= update:
            getattr(batch, field)[0] = np.nan
        return batch

    return batches


@pytest.mark.parametrize("field", ["x", "y"])
def test_a_nan_loss_in_numpy_names_the_update_and_the_cause(field):
    model = train.init_model(rng(), lstm, 2, 4, 1)
    with pytest.raises(
        FloatingPointError, match=f"update 3: the loss is nan; {field} of the batch"
    ):
        train.fit_numpy(model, poisoned_from(3, field), updates=9, progress=False)


@pytest.mark.parametrize("field", ["x", "y"])
def test_a_nan_loss_in_torch_names_the_update_and_leaves_the_weights_finite(field):
    reader = train.Reader(torch_cells.LSTM(2, 4), 1)
    with pytest.raises(
        FloatingPointError, match=f"update 3: the loss is nan; {field} of the batch"
    ):
        train.fit(reader, poisoned_from(3, field), updates=9, progress=False)
    assert all(torch.isfinite(p).all() for p in reader.parameters())


def test_a_nan_loss_with_good_data_says_so():
    with pytest.raises(FloatingPointError, match=r"the loss is inf; the batch is finite\. The wei"):
        train.fit(
            small_torch(),
            stream(tasks.recall_first),
            updates=9,
            loss=lambda z, y: z.sum() * np.inf if z.sum() > 0 else z.sum() * -np.inf,
            progress=False,
        )


def test_a_gradient_that_is_not_finite_in_torch_is_named_and_not_applied():
    reader = small_torch()
    reader.readout.weight.register_hook(lambda gradient: gradient * np.nan)
    before = [p.detach().clone() for p in reader.parameters()]
    with pytest.raises(
        FloatingPointError, match=r"update 1: the gradient of readout\.weight has n"
    ):
        train.fit(reader, stream(tasks.recall_first), updates=9, progress=False)
    assert all(map(torch.equal, before, reader.parameters()))


def test_a_gradient_that_is_not_finite_in_numpy_is_named(monkeypatch):
    def backward(params, x, trace, dh):
        gradients = rnn.backward(params, x, trace, dh)
        gradients.params.W_h[0, 0] = np.inf
        return gradients

    cell = type("Cell", (), {"forward": rnn.forward, "backward": backward, "Params": rnn.Params})
    model = train.init_model(rng(), rnn, 8, 4, 4)._replace(cell=cell)
    with pytest.raises(
        FloatingPointError, match=r"update 1: the gradient of params\.W_h has norm i"
    ):
        train.fit_numpy(model, stream(tasks.recall_first), updates=9, progress=False)


def test_fit_numpy_leaves_the_model_that_came_in_alone():
    model = train.init_model(rng(), lstm, 8, 4, 4)
    before = [w.copy() for w in (*model.params, model.W_y, model.b_y)]
    trained, _ = train.fit_numpy(model, stream(tasks.recall_first), updates=3, progress=False)
    after = [*model.params, model.W_y, model.b_y]
    assert all(map(np.array_equal, before, after))
    assert not np.array_equal(trained.params.W_x, model.params.W_x)


def test_a_float32_model_stays_float32():
    model = train.init_model(rng(), lstm, 2, 4, 1)
    model, _ = train.fit_numpy(model, stream(tasks.adding), updates=3, progress=False)
    assert {w.dtype for w in (*model.params, model.W_y, model.b_y)} == {np.dtype(np.float32)}


def test_arguments_of_the_cell_reach_it():
    model = train.init_model(rng(), lstm, 2, 4, 1, forget_bias=5.0)
    assert model.params.b[4:8].tolist() == [5.0] * 4


def test_a_model_without_outputs_is_refused():
    with pytest.raises(ValueError, match="K must be a positive integer, got 0"):
        train.init_model(rng(), lstm, 2, 4, 0)


def test_predictions_of_the_last_step_are_the_last_of_each_step():
    model = train.init_model(rng(), gru, 2, 4, 3)
    x = tasks.adding(rng(), 7, 5).x
    each = train.predict(model, x, each_step=True)
    assert each.shape == (7, 5, 3)
    assert np.array_equal(each[-1], train.predict(model, x))


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (np.full(5, 4), "y must hold classes 0 … 3, got 4 … 4"),
        (np.full(5, -1), "y must hold classes 0 … 3, got -1 … -1"),
        (np.zeros((5, 1), int), r"y must be \(5,\) or, for an answer a step, \(6, 5\), got \(5, 1"),
        (np.zeros(5), r"y must be \(5, 4\) or, for an answer a step, \(6, 5, 4\), got \(5,\)"),
    ],
)
def test_targets_that_do_not_fit_a_numpy_model_are_named(y, message):
    model = train.init_model(rng(), rnn, 8, 4, 4)
    with pytest.raises(ValueError, match=message):
        train.loss_and_gradients(model, tasks.recall_first(rng(), 6, 5).x, y)


def test_targets_that_are_neither_classes_nor_values_are_refused():
    model = train.init_model(rng(), rnn, 8, 4, 4)
    with pytest.raises(TypeError, match=r"y must be integers .* or floats .*, got bool"):
        train.loss_and_gradients(model, tasks.recall_first(rng(), 6, 5).x, np.ones(5, bool))


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (torch.zeros(5), r"the prediction must be \(5,\), as y, got \(5, 4\)"),
        (
            torch.zeros(5, 4, dtype=int),
            r"must be \(5, 4\) and then the classes, as y, got \(5, 4\)",
        ),
    ],
)
def test_targets_that_would_broadcast_in_torch_are_refused(y, message):
    x = tasks.recall_first(rng(), 6, 5).x
    with pytest.raises(ValueError, match=message):
        train.fit(small_torch(), lambda: (x, y), updates=1, progress=False)


def test_a_loss_of_ones_own_is_minimised():
    reader = small_torch()
    history = train.fit(
        reader,
        stream(tasks.recall_first),
        updates=50,
        lr=0.05,
        loss=lambda z, y: (z - 3).square().mean(),
        progress=False,
    )
    assert history.loss[-1] < 0.1 * history.loss[0]


def test_a_model_comes_back_in_the_mode_it_came_with():
    reader = small_torch().eval()
    reader.readout.train()
    seen = []
    reader.register_forward_hook(lambda module, *_: seen.append(module.training))
    train.fit(reader, stream(tasks.recall_first), updates=1, progress=False)
    assert seen == [True]
    assert (reader.training, reader.cell.training, reader.readout.training) == (False, False, True)


def interrupted(after):
    source = stream(tasks.recall_first)
    for _ in range(after):
        yield source()
    raise KeyboardInterrupt


def test_an_interrupted_model_keeps_its_last_weights_and_its_mode():
    reader, same = small_torch().eval(), small_torch()
    batches = interrupted(4)
    with pytest.raises(KeyboardInterrupt):
        train.fit(reader, lambda: next(batches), updates=9, progress=False)
    train.fit(same, stream(tasks.recall_first), updates=4, progress=False)
    assert not reader.training
    assert all(map(torch.equal, reader.parameters(), same.parameters()))
    assert all(p.grad is None for p in reader.parameters())


def test_frozen_weights_are_not_trained():
    reader = small_torch()
    reader.cell.requires_grad_(False)
    before = reader.cell.weight_hh_l0.clone()
    train.fit(reader, stream(tasks.recall_first), updates=2, progress=False)
    assert torch.equal(before, reader.cell.weight_hh_l0)


def test_a_model_with_nothing_to_train_is_refused():
    with pytest.raises(ValueError, match="model must have a parameter that requires a gradient"):
        train.fit(small_torch().requires_grad_(False), stream(tasks.recall_first), updates=1)


@pytest.mark.parametrize("device", ["warp", "cuda:99", "meta"])
def test_a_device_that_does_not_exist_is_named_with_those_that_do(device):
    with pytest.raises(ValueError, match=f"device must be one of cpu.*, got '{device}'"):
        train.fit(small_torch(), stream(tasks.recall_first), updates=1, device=device)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_a_model_trained_on_the_gpu_comes_back_to_where_it_was():
    reader = small_torch()
    train.fit(reader, stream(tasks.recall_first), updates=2, device="cuda", progress=False)
    assert {p.device.type for p in reader.parameters()} == {"cpu"}


@pytest.mark.parametrize("each_step", [False, True])
@pytest.mark.parametrize("bidirectional", [False, True])
def test_a_reader_fits_any_cell_of_torch(bidirectional, each_step):
    reader = train.Reader(nn.LSTM(3, 5, 2, bidirectional=bidirectional), 4, each_step=each_step)
    assert reader(torch.zeros(6, 2, 3)).shape == ((6, 2, 4) if each_step else (2, 4))


def test_a_reader_drawn_from_a_seed_is_the_same_and_leaves_torchs_own_seed_alone():
    state = torch.get_rng_state()
    one, two = small_torch(3), small_torch(3)
    assert all(map(torch.equal, one.parameters(), two.parameters()))
    assert torch.equal(torch.get_rng_state(), state)


def test_a_batch_first_cell_is_refused():
    with pytest.raises(ValueError, match="batch_first must be False, got True"):
        train.Reader(nn.LSTM(3, 5, batch_first=True), 4)


def test_the_running_loss_is_the_mean_of_the_last_updates():
    loss = rng().random(50)
    history = History(loss, loss, 1.0, "patience")
    assert history.running_loss[-1] == pytest.approx(loss[-train.WINDOW :].mean())
    assert history.running_loss[2] == pytest.approx(loss[:3].mean())


def test_a_history_reads_as_a_sentence():
    history = History(np.full(30, 0.5), np.ones(30), 1.23, "target reached")
    assert repr(history) == "History(30 updates in 1.2 s, loss 0.5 → 0.5, target reached)"


def written_by_a_run_with_progress(**environment):
    """What a run of 30 updates writes to stdout and stderr, in a process of its own."""
    code = (
        "import numpy as np; from lstm_lib import tasks, train;"
        "from lstm_lib.numpy_cells import rnn;"
        "rng = np.random.default_rng(0); model = train.init_model(rng, rnn, 8, 4, 4);"
        "train.fit_numpy(model, lambda: tasks.recall_first(rng, 6, 5), updates=30)"
    )
    kept = {k: v for k, v in os.environ.items() if not k.startswith("TQDM_")}
    run = [sys.executable, "-c", code]
    done = subprocess.run(run, env=kept | environment, capture_output=True, check=True)
    return done.stdout.decode(), done.stderr.decode()


def test_a_bar_in_a_log_is_short_and_is_wiped_at_the_end():
    out, err = written_by_a_run_with_progress()
    assert not out
    assert "0/30" in err
    assert err.count("\r") < 6
    assert re.search(r"\r\s*\r?$", err), "the bar is not wiped"


def test_tqdm_disable_silences_the_bar():
    assert written_by_a_run_with_progress(TQDM_DISABLE="1") == ("", "")


@RUNS
def test_without_progress_nothing_is_written(run, capsys):
    run(stream(tasks.recall_first), updates=30)
    assert capsys.readouterr() == ("", "")


def test_an_unknown_name_of_the_package_is_an_attribute_error():
    with pytest.raises(AttributeError, match=r"'lstm_lib\.train' has no attribute 'fitt'"):
        _ = train.fitt


@pytest.mark.parametrize("wrong", [-100, -1, 4])
def test_a_class_that_a_torch_model_does_not_have_is_named(wrong):
    x, *_ = stream(tasks.recall_first)()
    with pytest.raises(ValueError, match=rf"y must hold classes 0 … 3, got {min(wrong, 0)} … "):
        train.fit(small_torch(), lambda: (x, [wrong, 0, 1, 2, 3]), updates=1, progress=False)


@pytest.mark.parametrize("dtype", [bool, complex])
def test_targets_that_are_neither_classes_nor_values_are_refused_in_torch(dtype):
    x, y, _ = stream(tasks.recall_first)()
    with pytest.raises(
        TypeError, match=r"y must be integers \(classes\) or floats \(values\), got"
    ):
        train.fit(small_torch(), lambda: (x, y.astype(dtype)), updates=1, progress=False)


@RUNS
def test_a_batch_without_sequences_is_named(run):
    x, y, _ = stream(tasks.recall_first)()
    with pytest.raises(ValueError, match=r"y must hold at least one target, got \(0,\)"):
        run(lambda: (x[:, :0], y[:0]), updates=1, progress=False)


@RUNS
def test_targets_may_come_as_a_list(run):
    x, y, _ = stream(tasks.recall_first)()
    given = run(lambda: (x, y.tolist()), updates=1, progress=False).loss
    assert given == run(lambda: (x, y), updates=1, progress=False).loss


@RUNS
def test_a_batch_may_be_reversed_or_read_only(run):
    x, y, _ = stream(tasks.recall_first)()
    x, y = np.broadcast_to(x[:, :1], x.shape)[::-1], np.broadcast_to(y[:1], y.shape)[::-1]
    given = run(lambda: (x, y), updates=1, progress=False).loss
    assert given == run(lambda: (x.copy(), y.copy()), updates=1, progress=False).loss
