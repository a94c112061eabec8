"""The tasks of 1997 with today's training, judged as published."""

import math
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from lstm_lib.experiments import as_today, original_1997
from lstm_lib.experiments.as_today import EXPERIMENTS, PublishedNets, Today, _Judge
from lstm_lib.online import NETS, Net
from lstm_lib.tasks.published import LongLag, Multiplication, Reber, TemporalOrder, TwoSequences
from lstm_lib.train.side_by_side import Examples

BY_NAME = {one.name: one for one in EXPERIMENTS}
B = 16


def rng(seed=0):
    return np.random.default_rng(seed)


@pytest.mark.parametrize("name", ["6a", "2c p=50", "3"])
def test_the_published_nets_answer_as_those_that_learn_on_line(name):
    wiring, x = NETS[name], rng().normal(size=(7, 1, NETS[name].D))
    answers = torch.sigmoid(PublishedNets(wiring, [3, 5])(torch.from_numpy(x).float()))
    for s, seed in enumerate([3, 5]):
        net = Net(wiring, rng([seed, 0]), rate=1.0)
        index = np.tile(np.arange(wiring.D), (7, 1))
        theirs = net.predict(index, x[:, 0], np.arange(7))
        assert answers[:, s, 0].detach().numpy() == pytest.approx(theirs, abs=1e-6)


def test_each_seed_of_the_published_nets_gets_its_own_input():
    nets, x = PublishedNets(NETS["6a"], [3, 5]), torch.randn(7, 2, 4, 8)
    alone = PublishedNets(NETS["6a"], [5])(x[:, 1])
    torch.testing.assert_close(nets(x)[:, 1], alone[:, 0])


@pytest.mark.parametrize(
    ("task", "weights"),
    [("1", 276), ("2c", 364), ("3a", 102), ("4", 93), ("5", 93), ("6a", 156), ("6b", 308)],
)
def test_the_published_nets_have_the_published_number_of_weights(task, weights):
    assert BY_NAME[f"today {task} 1997"].about()["weights"] == weights


@pytest.mark.parametrize("one", EXPERIMENTS, ids=lambda one: one.name)
def test_every_description_has_nets_that_fit_its_task(one):
    x = torch.zeros(3, 2, 1, one.task.D)
    assert one.model([0, 1])(x).shape == (3, 2, 1, one.task.K)


def test_the_forget_gates_start_as_described():
    biases = BY_NAME["today 4 LSTM"].model([0]).cell.b
    assert biases[0, 8:16].tolist() == [3.0] * 8


@pytest.mark.parametrize("task", ["1", "2a", "2c", "4", "6b"])
def test_the_rnn_has_about_as_many_weights_as_the_lstm(task):
    lstm, rnn = (BY_NAME[f"today {task} {net}"].about()["weights"] for net in ("LSTM", "RNN"))
    assert rnn == pytest.approx(lstm, rel=0.05)


def test_nets_whose_outputs_see_the_inputs_are_refused():
    with pytest.raises(ValueError, match="outputs that see cells alone, got direct=True"):
        PublishedNets(NETS["2a"], [0])


class Told(torch.nn.Module):
    """Two nets that answer as they are told, whatever they see: logits (T, S, B, K)."""

    def __init__(self, *answers):
        super().__init__()
        self.answers = answers

    def forward(self, x):
        return torch.stack([answer(x) for answer in self.answers], dim=1)


def asked(task, seed, mistakes=()):
    """What a training update shows, the right answers, and the same with mistakes."""
    batch = task.batch(rng(seed), B)
    right = torch.from_numpy(batch.y)
    wrong = right.clone()
    for b in mistakes:
        wrong[:, b] = 1 - wrong[:, b]
    return Examples(batch.x, batch.y, batch.asked), torch.stack([right, wrong], dim=1)


def test_a_rule_on_training_sequences_is_met_when_the_last_mistake_has_left_the_window():
    setting = replace(BY_NAME["today 6a LSTM"])
    judge = _Judge(setting, Told(), 2, None)
    done = []
    for update in range(1, 130):
        one, answers = asked(setting.task, update, mistakes=[0] if update == 3 else [])
        done.append(judge(update, answers, [one, one]))
    assert judge.met["stop"].tolist() == [2000, 2000 + 3 * B]
    assert [int(np.argmax(each)) + 1 for each in np.transpose(done)] == [125, 128]


def test_each_rule_on_training_sequences_is_met_in_its_own_time():
    task = Multiplication(22)
    judge = _Judge(replace(BY_NAME["today 5 LSTM"], task=task), Told(), 1, None)
    done = []
    for update in range(1, 129):
        batch = task.batch(rng(update), B)
        answers = torch.from_numpy(batch.y[:, None]) + (update == 3)
        done += judge(update, answers, [Examples(batch.x, batch.y, batch.asked)]).tolist()
    assert {rule: n.tolist() for rule, n in judge.met.items()} == {"140": [2000], "13": [2048]}
    assert done == [False] * 127 + [True]


def test_errors_of_training_are_those_of_the_task():
    task = TemporalOrder(2)
    batches = [task.batch(rng(seed), B) for seed in (0, 1)]
    T = max(len(batch.x) for batch in batches)
    answers = torch.from_numpy(rng().random((T, 2, B, 4)))
    found = as_today._of_training(answers, [Examples(one.x, one.y, one.asked) for one in batches])
    for s, batch in enumerate(batches):
        each = enumerate(batch.sequences)
        expected = [task.error(one, answers[: len(one), s, b].numpy()) for b, one in each]
        np.testing.assert_allclose(found[:, s], expected, rtol=1e-6)


def lag(kept):
    """Logits for `LongLag` at its end: the symbol that is line `kept` of the first step, or not."""

    def answer(x):
        first = x[0, :, -2:] if kept else x[0, :, -2:].flip(-1)
        logits = torch.full((len(x), x.shape[1], x.shape[2]), -9.0)
        logits[-1, :, -2:] = 18 * first - 9
        return logits

    return answer


def test_a_rule_on_tests_is_asked_every_so_often_and_met_by_who_makes_no_mistake():
    task = LongLag(3, random_middle=True, at_end=True)
    setting = Today(
        name="small",
        task=task,
        net="LSTM",
        answer="yes or no",
        wiring=NETS["6a"],
        limit=64,
        every=3 * B,
    )
    judge = _Judge(setting, Told(lag(True), lag(False)), 2, setting._material()[1])
    one, answers = asked(task, 0)
    done = [judge(update, answers, [one, one]).tolist() for update in range(1, 5)]
    assert done == [[False, False], [False, False], [True, False], [True, False]]
    assert judge.met["test"].tolist() == [3 * B, 0]


def sure(p):
    """Logits for `TwoSequences`: class 1 with probability p where its first number is above 0."""
    logit = math.log(p / (1 - p))
    return lambda x: (logit * x[0].sign()).expand(len(x), -1, -1)


def test_a_net_that_makes_no_mistake_may_still_miss_the_bound_on_the_mean():
    setting = replace(BY_NAME["today 3a LSTM"], task=TwoSequences(10, 3), every=B)
    judge = _Judge(setting, Told(sure(0.999), sure(0.9)), 2, setting._material()[1])
    one, answers = asked(setting.task, 0)
    assert judge(1, answers, [one, one]).tolist() == [True, False]
    assert {rule: n.tolist() for rule, n in judge.met.items()} == {"ST1": [B, B], "ST2": [B, 0]}


def test_a_rule_that_a_net_has_met_keeps_its_time_when_others_are_asked_again():
    setting = replace(BY_NAME["today 3a LSTM"], task=TwoSequences(10, 3), every=B)
    judge = _Judge(setting, Told(sure(0.999), sure(0.9)), 2, setting._material()[1])
    one, answers = asked(setting.task, 0)
    for update in (1, 2):
        judge(update, answers, [one, one])
    assert judge.met["ST2"].tolist() == [B, 0]


def test_an_exam_ends_with_the_part_after_which_no_net_is_left():
    task, drawn = TwoSequences(10, 3), []

    def exam(update):
        for _ in range(9):
            drawn.append(task.batch(rng(len(drawn)), 100))
            yield drawn[-1]

    setting = replace(BY_NAME["today 3a LSTM"], task=task)
    judge = _Judge(setting, Told(sure(0.1), sure(0.2)), 2, exam)
    assert not judge._pass(task.rules["ST1"], np.array([True, True]), 1).any()
    assert len(drawn) == 1


def test_each_exam_of_a_task_is_drawn_anew():
    exam = BY_NAME["today 3a LSTM"]._material()[1]
    once, again, later = (next(exam(update)).sequences[0].value[:5] for update in (63, 63, 125))
    assert np.array_equal(once, again)
    assert not np.array_equal(once, later)


def test_the_lstm_without_a_forget_gate_is_the_lstm_but_for_that():
    whole, without = (BY_NAME[f"today 4 {net}"] for net in ("LSTM", "NFG"))
    assert without.model([0]).cell.design == replace(
        whole.model([0]).cell.design, forget_gate=False
    )
    assert replace(without, name=whole.name, net="LSTM") == whole


def test_experiment_1_has_the_strings_of_the_first_trials_of_1997():
    trial = next(one for one in original_1997.EXPERIMENTS if one.name == "1 3x2 rate 0.5")
    theirs = [one.index.tolist() for one in trial._material(0, rng(), rng())[1]()]
    parts = BY_NAME["today 1 LSTM"]._material()[1](1)
    assert [one.index.tolist() for part in parts for one in part.sequences] == theirs


def test_a_test_has_as_many_sequences_as_published():
    for name, count in {"3a": 256, "2c": 10_000, "1": 512}.items():
        exam = BY_NAME[f"today {name} LSTM"]._material()[1]
        parts = exam(1) if name != "2c" else [next(exam(1))] * 100
        assert sum(len(part.sequences) for part in parts) == count


def test_the_best_constant_has_the_score_of_doing_nothing():
    task = TemporalOrder(2)
    judge = _Judge(BY_NAME["today 6a LSTM"], Told(lambda x: torch.zeros(*x.shape[:2], 4)), 1, None)
    wrong, error = judge.after(task.batch(rng(), 40))
    assert wrong.tolist() == [40]
    assert error == pytest.approx([task.do_nothing])


def test_what_is_not_judged_counts_in_no_score():
    task = LongLag(3, random_middle=True)
    judge = _Judge(replace(BY_NAME["today 2b LSTM"], task=task), Told(lag(True)), 1, None)
    wrong, error = judge.after(task.batch(rng(), 40))
    assert wrong.tolist() == [0]
    assert error == pytest.approx([0], abs=1e-12)


@pytest.fixture
def training(monkeypatch):
    """Weights become NaN after two updates; how that was asked for."""
    asked_for = {}

    def fit(model, draw, seeds, **how):
        asked_for.update(how)
        for weight in model.parameters():
            weight.data.fill_(math.nan)
        return SimpleNamespace(loss=[0, 0])

    monkeypatch.setattr(as_today, "TESTED", 20)
    monkeypatch.setattr(as_today, "fit_side_by_side", fit)
    return asked_for


@pytest.mark.parametrize(("net", "answer"), [("LSTM", "yes or no"), ("1997", "logistic")])
def test_nets_are_trained_as_described(net, answer, training):
    replace(BY_NAME[f"today 3a {net}"], task=TwoSequences(10, 3), limit=64, lr=0.02).rows([0])
    assert [training[name] for name in ("answer", "updates", "lr")] == [answer, 4, 0.02]


@pytest.mark.usefixtures("training")
def test_a_net_whose_weights_became_nan_is_wrong_everywhere_and_has_no_score():
    (row,) = replace(BY_NAME["today 3a LSTM"], task=TwoSequences(10, 3)).rows([0])
    assert (row["sequences"], row["wrong"], row["error"]) == (32, 20, None)


@pytest.mark.parametrize("net", ["LSTM", "RNN", "1997"])
def test_a_row_is_that_of_its_seed_whoever_is_beside_it(net, monkeypatch):
    monkeypatch.setattr(as_today, "TESTED", 20)
    small = replace(BY_NAME[f"today 3a {net}"], task=TwoSequences(10, 3), limit=64, every=16)
    beside, alone = small.rows([4, 9]), small.rows([9])
    assert beside[1]["error"] == pytest.approx(alone[0]["error"], rel=1e-3)
    assert beside[1]["met"] == alone[0]["met"]
    assert beside[1]["sequences"] == 64


def test_strings_have_no_score_of_doing_nothing_to_compare_with(monkeypatch):
    monkeypatch.setattr(as_today, "TESTED", 5)
    small = replace(BY_NAME["today 1 LSTM"], task=Reber(), limit=16)
    (row,) = small.rows([0])
    assert (row["error"], row["met"]) == (None, {"test": None})
