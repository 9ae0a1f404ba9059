"""`fit`: steps as PyTorch takes them, batches, early stopping, Ctrl-C at any moment, runs resumed bit for bit."""

from __future__ import annotations

import io
import json
import math
import random
import signal
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd as ag
from autograd import Value
from nn import MLP, Module
from nn.classifier import Classifier
from nn.datasets import iris, moons, sine, spirals, standardize, train_test_split, xor
from nn.losses import binary_cross_entropy_with_logits, cross_entropy, hinge_loss, mse_loss
from nn.optim import SGD, Adam
from nn.schedules import cosine
from nn.training import Checkpoint, History, fit

X8, Y8 = moons(8, seed=3)


def small(seed: int = 1) -> MLP:
    return MLP(2, [3, 1], activation="tanh", seed=seed)


def trained(model: Any, X: Any = X8, y: Any = Y8, **arguments: Any) -> History:
    arguments = {"loss": binary_cross_entropy_with_logits, "progress": False, "seed": 1, "epochs": 4, **arguments}
    return fit(model, X, y, **arguments)


def numbers(model: Any) -> list[float]:
    return [parameter.data for parameter in model.parameters()]


# ----- It learns -----


def held_out_accuracy(data: Any, model: MLP, loss: Any, lr: float, epochs: int, seed: int) -> float:
    X, X_test, y, y_test = train_test_split(*data, seed=seed, stratified=True)
    X, scaling = standardize(X)
    optimizer = Adam(model.parameters(), lr=lr)
    fit(model, X, y, loss=loss, optimizer=optimizer, epochs=epochs, batch_size=10, seed=seed, progress=False)
    return Classifier(model, scaling=scaling).accuracy(X_test, y_test)


def test_iris_is_learnt() -> None:
    """At least 95 % of a held-out third."""
    model = MLP(4, [8, 3], activation="tanh", init="xavier", seed=3)
    assert held_out_accuracy(iris(), model, cross_entropy, 0.02, 30, seed=3) >= 0.95


def test_moons_are_learnt() -> None:
    """At least 97 % of a held-out third."""
    model = MLP(2, [16, 1], activation="tanh", init="xavier", seed=1)
    assert held_out_accuracy(moons(150, seed=1), model, binary_cross_entropy_with_logits, 0.05, 60, seed=1) >= 0.97


def test_spirals_are_learnt() -> None:
    """At least 97 % of a held-out third."""
    model = MLP(2, [16, 16, 1], init="he", seed=1)
    assert held_out_accuracy(spirals(300, seed=1), model, binary_cross_entropy_with_logits, 0.02, 40, seed=1) >= 0.97


def test_the_optimizer_that_is_there_if_none_is_given() -> None:
    """It learns XOR by the hinge loss, one example at a time, and a sine by the squared error."""
    X, y = xor(40, seed=1)
    model = MLP(2, [8, 1], activation="tanh", init="xavier", seed=1)
    history = fit(model, X - 0.5, 2 * y - 1, loss=hinge_loss, epochs=60, batch_size=1, seed=1, progress=False)
    assert history.accuracy[-1] == 1.0
    X, y = sine(60, noise=0, seed=1)
    model = MLP(1, [8, 1], activation="tanh", init="xavier", seed=1)
    history = fit(model, X, y, loss=mse_loss, epochs=60, batch_size=5, seed=1, progress=False)
    assert history.loss[-1] < 0.02 and history.accuracy == []


# ----- Steps -----


def test_full_batch_steps_are_pytorchs() -> None:
    """The same weights, data and optimisers, ten steps: the same weights."""
    torch = pytest.importorskip("torch", reason="PyTorch is a second opinion, where it is installed")
    for ours, theirs in (
        (lambda p: SGD(p, lr=0.1, momentum=0.9), lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9)),
        (lambda p: Adam(p, lr=0.05), lambda p: torch.optim.Adam(p, lr=0.05)),
    ):
        model = small()
        twin = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.Tanh(), torch.nn.Linear(3, 1)).double()
        with torch.no_grad():
            for linear, layer in zip((twin[0], twin[2]), model.layers):
                linear.weight.copy_(torch.tensor(layer.weight))
                linear.bias.copy_(torch.tensor(layer.bias))
        optimizer = theirs(twin.parameters())
        losses = []
        for _ in range(10):
            optimizer.zero_grad()
            outputs = twin(torch.tensor(X8))[:, 0]
            loss = torch.nn.functional.binary_cross_entropy_with_logits(outputs, torch.tensor(Y8).double())
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        history = trained(model, epochs=10, optimizer=ours(model.parameters()))
        assert history.loss == pytest.approx(losses, rel=1e-12)
        for linear, layer in zip((twin[0], twin[2]), model.layers):
            assert layer.weight == pytest.approx(linear.weight.detach().numpy(), rel=1e-9)
            assert layer.bias == pytest.approx(linear.bias.detach().numpy(), rel=1e-9, abs=1e-12)


def seen_by(batch_size: int | None, epochs: int = 3, rows: int = 7, seed: Any = 1) -> list[list[int]]:
    """The rows of each batch."""
    batches: list[list[int]] = []

    def loss(outputs: list[Any], wanted: list[float]) -> Any:
        batches.append([round(number) for number in wanted])
        return mse_loss(outputs, wanted)

    X = [[i / 10] for i in range(rows)]
    fit(
        MLP(1, [1], seed=1), X, [float(i) for i in range(rows)],
        loss=loss, epochs=epochs, batch_size=batch_size, seed=seed, progress=False, optimizer=None,
    )  # fmt: skip
    return batches


@given(batch_size=st.integers(1, 9), seed=st.integers(0, 9))
@settings(max_examples=25, deadline=None)
def test_batches_are_every_row_once_an_epoch(batch_size: int, seed: int) -> None:
    """In an order that is drawn anew; all batches but the last are full."""
    batches = seen_by(batch_size, seed=seed)
    in_epoch = math.ceil(7 / batch_size)
    assert len(batches) == 3 * in_epoch
    epochs = [batches[i : i + in_epoch] for i in range(0, len(batches), in_epoch)]
    for epoch in epochs:
        assert sorted(sum(epoch, [])) == list(range(7))
        assert all(len(batch) == batch_size for batch in epoch[:-1])
    if batch_size < 7:
        assert epochs[0] != epochs[1] or epochs[1] != epochs[2]
        assert seen_by(batch_size, seed=seed) == batches
        assert seen_by(batch_size, seed=seed + 100) != batches


def test_all_rows_at_once_keep_their_order() -> None:
    assert seen_by(None) == [list(range(7))] * 3


def test_seeds() -> None:
    """None is Python's random, which a number leaves alone; generators are drawn from."""
    random.seed(4)
    first = seen_by(1, seed=None)
    random.seed(4)
    assert seen_by(1, seed=None) == first != seen_by(1, seed=None)
    state = random.getstate()
    seen_by(1, seed=7)
    assert random.getstate() == state
    assert seen_by(1, seed=np.random.default_rng(1)) == seen_by(1, seed=np.random.default_rng(1))


def test_a_model_is_anything_with_parameters() -> None:
    """Called on a list of floats; the loss may add a penalty, and targets may be rows."""

    class Line:
        def __init__(self) -> None:
            self.slope = Value(0.0)

        def parameters(self) -> list[Value]:
            return [self.slope]

        def __call__(self, row: list[float]) -> list[Value]:
            assert type(row) is list and all(type(x) is float for x in row)
            return [self.slope * row[0], self.slope * row[0] * 2.0]

    model = Line()
    history = trained(
        model, [[1], [2]], [[3, 6], [6, 12]], epochs=200,
        loss=lambda outputs, wanted: mse_loss(outputs, wanted) + 0.0 * model.slope**2,
    )  # fmt: skip
    assert model.slope.data == pytest.approx(3, abs=1e-3)
    assert len(history) == 200


# ----- History -----


def test_a_history_has_a_number_for_each_epoch() -> None:
    """Also of validation, where there is any; it compares without the time that was needed."""
    model = small()
    lr = cosine(0.1, steps=10)
    history = trained(model, batch_size=3, epochs=5, validation=(X8, Y8), optimizer=SGD(model.parameters(), lr=lr))
    for name in ("loss", "accuracy", "validation_loss", "validation_accuracy", "lr", "seconds"):
        assert len(getattr(history, name)) == 5, name
    assert history.lr == [lr(3 * i) for i in range(5)]
    with ag.no_grad():
        outputs = [model(row) for row in X8.tolist()]
    assert history.validation_loss[-1] == binary_cross_entropy_with_logits(outputs, Y8).data
    assert history.validation_accuracy[-1] == np.mean([(z.data > 0) == y for z, y in zip(outputs, Y8)])
    assert history.validation_loss[history.best_epoch - 1] == min(history.validation_loss)
    again = small()
    twin = trained(again, batch_size=3, epochs=5, validation=(X8, Y8), optimizer=SGD(again.parameters(), lr=lr))
    assert twin == history and twin.seconds != history.seconds
    twin.loss[0] += 1
    assert twin != history and twin != 3


def test_accuracy_knows_signs_probabilities_and_many_classes() -> None:
    """It is that of a classifier after the fact, with all parameters as they are."""
    for y, outputs, activation, loss in (
        (2 * Y8 - 1, 1, "tanh", hinge_loss),
        (2.0 * Y8 - 1, 1, "tanh", hinge_loss),
        (Y8, 2, "tanh", cross_entropy),
        (Y8, 1, ["tanh", "sigmoid"], mse_loss),
    ):
        model = MLP(2, [3, outputs], activation=activation, seed=1)
        history = trained(model, X8, y, loss=loss, validation=(X8, y), epochs=3)
        assert history.validation_accuracy[-1] == Classifier(model).accuracy(X8, Y8)


def test_counts_to_come_near_to_have_no_accuracy() -> None:
    history = fit(MLP(1, [1], seed=1), [[0.0], [1.0], [2.0]], [1, 2, 3], loss=mse_loss, epochs=2, progress=False)
    assert history.accuracy == [] and len(history.loss) == 2


def test_histories_show_themselves_briefly() -> None:
    assert repr(History()) == "<History of 0 epochs>" and History().best_epoch is None
    history = trained(small(), epochs=1)
    assert repr(history).startswith("<History of 1 epoch; loss 0.") and "accuracy" in repr(history)
    history.interrupted = True
    assert repr(history).endswith("; interrupted>")


# ----- Validation, early stopping, callbacks -----


def test_a_part_is_held_out() -> None:
    """It is chosen by the seed, and no step is taken on it."""
    seen: list[set[float]] = []

    def run(seed: int) -> History:
        rows: set[float] = set()

        def watching(outputs: list[Value], wanted: list[float]) -> Any:
            if outputs[0].operands:  # there is a graph, so it is trained on
                rows.update(wanted)
            return mse_loss(outputs, wanted)

        X, y = [[i / 10] for i in range(10)], [i / 10 for i in range(10)]
        model = MLP(1, [1], seed=1)
        history = fit(model, X, y, loss=watching, validation=0.3, seed=seed, epochs=2, progress=False)
        seen.append(rows)
        return history

    assert len(run(1).validation_loss) == 2
    run(1), run(2)
    assert len(seen[0]) == 7 and seen[0] == seen[1] != seen[2]


def overfitting(patience: int | None, epochs: int = 60, **arguments: Any) -> tuple[MLP, History]:
    """Training on wrong labels: soon the validation loss rises."""
    model = small(seed=2)
    y = [1, 0, 0, 1, 1, 1, 0, 0]
    optimizer = Adam(model.parameters(), lr=0.2)
    return model, trained(
        model, X8, y, validation=moons(20, seed=5), patience=patience, epochs=epochs, optimizer=optimizer, **arguments
    )


def test_early_stopping_keeps_the_best_parameters() -> None:
    """It ends after so many epochs without a better one; parameters are those of the best."""
    model, history = overfitting(patience=5)
    best = history.best_epoch
    assert history.stopped and len(history) == best + 5 < 60
    at_best, _ = overfitting(patience=None, epochs=best)
    assert numbers(model) == numbers(at_best)
    not_over, short = overfitting(patience=50, epochs=best + 3)
    assert not short.stopped and numbers(not_over) == numbers(at_best)


def test_callbacks_see_each_epoch_and_can_end_it() -> None:
    """Only True ends it."""
    seen: list[Any] = []
    model = small()

    def callback(epoch: int, history: History, given: Any) -> Any:
        seen.append((epoch, len(history), given is model))
        return True if epoch == 3 else 1

    history = trained(model, epochs=9, callbacks=[callback])
    assert seen == [(1, 1, True), (2, 2, True), (3, 3, True)]
    assert history.stopped and not history.interrupted


# ----- Ctrl-C and errors -----


def test_ctrl_c_gives_what_was_learnt() -> None:
    """A real SIGINT in the third epoch's callback."""
    before = signal.getsignal(signal.SIGINT)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        model = small()
        history = trained(model, epochs=9, callbacks=[lambda e, h, m: e == 3 and signal.raise_signal(signal.SIGINT)])
    finally:
        signal.signal(signal.SIGINT, before)
    assert history.interrupted and len(history) == 3
    whole = small()
    trained(whole, epochs=3)
    assert numbers(model) == numbers(whole)


def test_ctrl_c_while_an_epoch_is_entered_leaves_complete_epochs(monkeypatch: pytest.MonkeyPatch) -> None:
    """All lists of the history are of the same length."""

    class Interrupting(list[float]):
        def append(self, number: float) -> None:
            if len(self) == 2:
                raise KeyboardInterrupt
            super().append(number)

    for name in ("loss", "seconds", "lr", "accuracy"):
        started = History()
        setattr(started, name, Interrupting())
        monkeypatch.setattr("nn.training.History", lambda started=started: started)
        history = trained(small())
        assert history.interrupted
        assert [len(getattr(history, column)) for column in ("loss", "seconds", "lr", "accuracy")] == [2] * 4


class Stops(Module):
    """A model that raises at a certain call."""

    def __init__(self, call: int, error: type[BaseException]) -> None:
        self.model = small()
        self._left, self._error = call, error

    def __call__(self, row: list[float]) -> Any:
        self._left -= 1
        if self._left < 0:
            raise self._error
        return self.model(row)


@given(call=st.integers(0, 30), error=st.sampled_from([KeyboardInterrupt, ZeroDivisionError]))
@settings(max_examples=40, deadline=None)
def test_parameters_are_as_after_the_last_complete_step(call: int, error: type[BaseException]) -> None:
    """Wherever it is cut off, by Ctrl-C or an error; a history has complete epochs alone."""
    trajectory = [numbers(small())]
    model = small()

    class Recording(SGD):
        def step(self, *, check: bool = True) -> None:
            super().step(check=check)
            trajectory.append(numbers(model))

    trained(model, epochs=3, batch_size=2, optimizer=Recording(model.parameters(), lr=0.1))
    cut = Stops(call, error)
    arguments = {"epochs": 3, "batch_size": 2, "optimizer": SGD(cut.parameters(), lr=0.1)}
    if call < 24 and error is ZeroDivisionError:
        with pytest.raises(ZeroDivisionError):
            trained(cut, **arguments)
    else:
        history = trained(cut, **arguments)
        assert history.interrupted == (call < 24)
        assert len(history) == len(history.accuracy) == len(history.lr) == len(history.seconds) == min(call // 8, 3)
    assert numbers(cut) == trajectory[min(call // 2, 12)]


def test_a_step_that_is_cut_short_is_taken_back() -> None:
    """The optimiser had moved half of the parameters."""
    model = small()

    class Clumsy(SGD):
        def step(self, *, check: bool = True) -> None:
            self.params[0].data += 1.0
            raise KeyboardInterrupt

    history = trained(model, optimizer=Clumsy(model.parameters()))
    assert history.interrupted and len(history) == 0
    assert numbers(model) == numbers(small())


def test_a_loss_that_is_no_number_ends_it() -> None:
    """The error names the epoch and says what to do; parameters are those of the step before."""
    model = MLP(1, [1], seed=1)
    optimizer = SGD(model.parameters(), lr=1e60)
    steps = [numbers(model)]
    with pytest.raises(
        FloatingPointError, match=r"^the loss became inf in epoch 4: take a smaller lr or standardise X"
    ):
        fit(
            model, [[1.0]], [5.0], epochs=9, optimizer=optimizer, progress=False,
            loss=lambda outputs, wanted: ag.mean([abs(o - w) * abs(o - w) for o, w in zip(outputs, wanted)]),
            callbacks=[lambda e, h, m: steps.append(numbers(m))],
        )  # fmt: skip
    assert len(steps) == 4 and numbers(model) == steps[-1]


@pytest.mark.parametrize(
    ("lr", "loss", "message"),
    [
        (1e60, lambda o, t: ag.mean([(a - b) ** 2 for a, b in zip(o, t)]), "^power: .*; this was in epoch 4: "),
        (0.6, lambda o, t: ag.mean([ag.log(a) for a in o]), "^log.*needs x > 0; this was in epoch 4: "),
        (1e60, mse_loss, "^the loss became inf in epoch 4: "),
    ],
)
def test_an_operation_without_a_result_ends_it(lr: float, loss: Any, message: str) -> None:
    """Told as an infinite loss is, with where it arose as its cause; parameters are those of the step before."""
    model = MLP(1, [1], seed=1)
    model.load_state_dict(dict.fromkeys(model.state_dict(), 1.0))
    steps = [numbers(model)]
    with pytest.raises(FloatingPointError, match=f"{message}take a smaller lr or standardise X"):
        fit(
            model, [[1.0], [2.0]], [5.0, 3.0], loss=loss, optimizer=SGD(model.parameters(), lr=lr), epochs=9,
            callbacks=[lambda e, h, m: steps.append(numbers(m))], progress=False,
        )  # fmt: skip
    assert len(steps) > 1 and numbers(model) == steps[-1]


def test_errors_of_your_own_loss_stay_as_they_are() -> None:
    """What no primitive raised does not tell of numbers that went astray, unless a plain number became too large."""

    def refuses(outputs: Any, wanted: Any) -> Any:
        raise ValueError("not today")

    with pytest.raises(ValueError, match="^not today$"):
        trained(small(), loss=refuses)
    with pytest.raises(ZeroDivisionError, match="^division by zero$"):
        trained(small(), loss=lambda outputs, wanted: outputs[0] * (1 / 0))
    with pytest.raises(FloatingPointError, match="^math range error; this was in epoch 1") as caught:
        trained(small(), loss=lambda outputs, wanted: outputs[0] * math.exp(1000))
    assert isinstance(caught.value.__cause__, OverflowError)


def test_what_the_optimizer_refuses_is_told_with_its_epoch() -> None:
    model = MLP(1, [1], seed=1)
    with pytest.raises((ValueError, ArithmeticError)) as caught:
        trained(model, [[0.0]], [1.0], loss=lambda outputs, _: ag.sqrt(0.0 * outputs[0]))
    assert "epoch 1 of fit" in "".join(caught.value.__notes__)
    assert numbers(model) == numbers(MLP(1, [1], seed=1))


# ----- Checkpoints -----


def run_with(kind: str, model: MLP, **arguments: Any) -> History:
    """One of several ways to train."""
    parameters = model.parameters()
    optimizer = {
        "default": None,
        "momentum": SGD(parameters, lr=0.1, momentum=0.9, nesterov=True),
        "schedule": SGD(parameters, lr=cosine(0.3, steps=20)),
        "adam": Adam(parameters, lr=0.05, weight_decay=0.01),
    }[kind]
    return trained(model, optimizer=optimizer, **arguments)


@given(
    kind=st.sampled_from(["default", "momentum", "schedule", "adam"]),
    batch_size=st.sampled_from([1, 3, None]),
    stop=st.integers(1, 6),
    validation=st.sampled_from([None, 0.25, (X8.tolist(), Y8.tolist())]),
    seed=st.sampled_from(["number", "numpy", "python"]),
)
@settings(max_examples=40, deadline=None)
def test_a_resumed_run_is_the_run_that_was_not_interrupted(
    kind: str, batch_size: Any, stop: int, validation: Any, seed: str, tmp_path_factory: Any
) -> None:
    """Bit for bit: parameters and history, whatever was drawn from, with and without early stopping."""
    path = tmp_path_factory.getbasetemp() / "run.json"

    def common() -> dict[str, Any]:
        random.seed(9)
        source = {"number": 5, "numpy": np.random.default_rng(5), "python": None}[seed]
        patience = None if validation is None else 3
        return {"batch_size": batch_size, "validation": validation, "seed": source, "patience": patience}

    whole = small()
    expected = run_with(kind, whole, epochs=7, **common())
    first = small()
    run_with(kind, first, epochs=stop, callbacks=[Checkpoint(path)], **common())
    random.seed(0)
    other = small(seed=8)  # what it holds before does not matter
    resumed = common() | {"seed": 5 if seed == "number" else None}
    history = run_with(kind, other, epochs=7, resume=path, **resumed)
    assert history == expected
    assert history.stopped == expected.stopped
    assert numbers(other) == numbers(whole)


def test_checkpoints_are_written_now_and_then(tmp_path: Path) -> None:
    """After each so many epochs, and after the last; a plain load takes the parameters."""
    path = tmp_path / "run.json"
    lengths: list[int] = []

    def look(epoch: int, history: History, model: Any) -> None:
        lengths.append(len(json.loads(path.read_text())["training"]["history"]["loss"]) if path.exists() else 0)

    model = small()
    trained(model, epochs=8, callbacks=[Checkpoint(path, every=3), look])
    assert lengths == [0, 0, 0, 3, 3, 3, 6, 6]
    twin = small(seed=2)
    twin.load(path)
    assert numbers(twin) == numbers(model)
    assert repr(Checkpoint("run.json", 3)) == "Checkpoint('run.json', every=3)"


def test_after_ctrl_c_the_last_epoch_can_be_resumed(tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    cut = Stops(29, KeyboardInterrupt)  # in the middle of epoch 4
    history = trained(cut, epochs=6, batch_size=2, callbacks=[Checkpoint(path)])
    assert history.interrupted and len(history) == 3
    again, whole = Stops(10**9, KeyboardInterrupt), Stops(10**9, KeyboardInterrupt)
    assert trained(again, epochs=6, batch_size=2, resume=path) == trained(whole, epochs=6, batch_size=2)
    assert numbers(again) == numbers(whole)


def test_a_run_that_is_over_is_not_prolonged(tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    _, history = overfitting(patience=5, callbacks=[Checkpoint(path)])
    model, again = overfitting(patience=5, resume=path)
    assert again == history and again.stopped
    at_best, _ = overfitting(patience=None, epochs=history.best_epoch)
    assert numbers(model) == numbers(at_best)


def damage(change: Any) -> Any:
    def damaged(content: dict[str, Any]) -> None:
        change(content["training"], content)

    return damaged


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (damage(lambda t, c: c.pop("training")), "is a model, and no checkpoint of a training"),
        (damage(lambda t, c: t.update(rows=9)), "it was trained on 9 rows, not 8"),
        (damage(lambda t, c: t.update(shuffling=-1)), "is damaged: its shuffling is -1"),
        (damage(lambda t, c: t.update(optimizer=[])), "it has no state of an optimizer"),
        (damage(lambda t, c: t["optimizer"].update(optimizer="Adam")), "this is not the state of an optimiser SGD"),
        (damage(lambda t, c: t.update(best=[1.0])), "the parameters of its best epoch are damaged"),
        (damage(lambda t, c: t.update(history=None)), "its history is damaged"),
        (damage(lambda t, c: t["history"]["lr"].append(1.0)), "it has more of some numbers than of others"),
        (damage(lambda t, c: t["history"].update(loss=["x"])), "its history is damaged"),
        (
            damage(lambda t, c: t["history"].update(validation_loss=[1.0] * 4)),
            "validation is to be given as it was then",
        ),
        (damage(lambda t, c: c["parameters"].popitem()), "1 parameter is missing"),
        (damage(lambda t, c: c["parameters"].update({"layers.0.neurons.0.b": 10**400})), "too large"),
    ],
)
def test_files_that_cannot_be_resumed(change: Any, message: str, tmp_path: Path) -> None:
    """One ValueError that names the argument and the file; the model is as it was."""
    path = tmp_path / "run.json"
    trained(small(), callbacks=[Checkpoint(path)])
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))
    model = small(seed=4)
    with pytest.raises(ValueError, match=message) as caught:
        trained(model, resume=path, epochs=6)
    assert str(path) in str(caught.value) and str(caught.value).startswith("resume:")
    assert numbers(model) == numbers(small(seed=4))


def test_another_seed_is_another_run(tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    trained(small(), seed=1, callbacks=[Checkpoint(path)])
    with pytest.raises(ValueError, match=r"^resume: .* was trained with another seed than 2; leave the seed out"):
        trained(small(), seed=2, resume=path)


# ----- Progress -----


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_progress_bar_for_terminals_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the loss; nothing where output goes to a file, and nothing where none is wanted."""
    for stream, progress, shown in ((Terminal(), True, True), (Terminal(), False, False), (io.StringIO(), True, False)):
        monkeypatch.setattr(sys, "stderr", stream)
        trained(small(), epochs=3, progress=progress)
        written = stream.getvalue()
        assert bool(written) == shown
        assert not shown or ("3/3" in written and "loss 0." in written and "accuracy " in written)


# ----- Bad input -----


class NoParameters(Module):
    def __call__(self, row: list[float]) -> Value:
        return Value(1.0)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"model": MLP}, TypeError, r"^model has parameters\(\), as every nn.Module; not <class"),
        ({"model": lambda row: row}, TypeError, r"^model has parameters\(\)"),
        ({"model": NoParameters()}, ValueError, r"^model has no parameters, so there is nothing to learn$"),
        ({"X": []}, ValueError, r"^X has a row for each point"),
        ({"X": [1.0] * 8}, ValueError, r"^X has a row for each point, such as .*; not an array of shape \(8,\)$"),
        ({"X": [[1.0], [1.0, 2.0]]}, ValueError, r"^X is no array: its rows differ in length$"),
        ({"X": [[math.nan, 1.0]] * 8}, ValueError, r"^X holds finite numbers, not nan as in row 0, column 0"),
        ({"X": [["a", "b"]] * 8}, TypeError, r"^X holds real numbers"),
        ({"y": [0, 1]}, ValueError, r"^y has a class or a number for each of the 8 rows of X; not 2$"),
        ({"y": 1}, ValueError, r"^y has a class or a number for each of the 8 rows of X; not 1$"),
        ({"y": ["left"] * 8}, TypeError, r"^y holds names, such as 'left': give their numbers 0, 1, ... instead$"),
        ({"y": [math.inf] * 8}, ValueError, r"^y holds finite numbers, not inf as in place 0, counted from 0$"),
        ({"y": [None] * 8}, TypeError, r"^y holds real numbers, not object$"),
        ({"loss": "mse"}, TypeError, r"^loss is a function of outputs and targets, such as nn.mse_loss; not 'mse'$"),
        ({"loss": lambda o, t: 1.0}, TypeError, r"^loss gives one Value, such as a mean over the batch; not 1.0$"),
        ({"loss": lambda o, t: o}, TypeError, r"^loss gives one Value"),
        (
            {"optimizer": "adam"},
            TypeError,
            r"^optimizer has step\(\) and zero_grad\(\), such as nn.SGD\(...\); not 'adam'$",
        ),
        (
            {"optimizer": SGD},
            TypeError,
            r"^optimizer is made of parameters, as in SGD\(model.parameters\(\)\); not the class SGD$",
        ),
        ({"optimizer": SGD(small().parameters())}, ValueError, r"^optimizer has none of the model's parameters"),
        ({"epochs": 0}, ValueError, r"^epochs is 1 or more, not 0$"),
        ({"epochs": 1.5}, TypeError, r"^epochs is a whole number, not 1.5$"),
        ({"batch_size": 0}, ValueError, r"^batch_size is 1 or more, not 0$"),
        ({"batch_size": "all"}, TypeError, r"^batch_size is a whole number, not 'all'$"),
        ({"validation": 1.0}, ValueError, r"^validation is a part between 0 and 1 that leaves some of the 8 rows"),
        ({"validation": 0.01}, ValueError, r"^validation is a part between 0 and 1 that leaves some of the 8 rows"),
        ({"validation": "some"}, TypeError, r"^validation is a pair \(X, y\) or a part such as 0.2, not 'some'$"),
        ({"validation": (X8,)}, ValueError, r"^validation is a pair \(X, y\) or a part such as 0.2, not 1 things$"),
        ({"X": [[1.0]] * 8}, ValueError, r"^X has 1 column, and the model takes 2 inputs: give it a column for each$"),
        ({"X": np.ones((8, 3)), "compile": True}, ValueError, r"^X has 3 columns, and the model takes 2 inputs"),
        ({"validation": ([[1.0]], [1])}, ValueError, r"^validation X has 1 column, and X has 2$"),
        ({"validation": (X8, [1])}, ValueError, r"^validation y has a class or a number for each of the 8 rows"),
        ({"seed": "one"}, TypeError, r"^seed is a whole number"),
        ({"compile": 1}, TypeError, r"^compile is True or False, not 1$"),
        ({"callbacks": print}, TypeError, r"^callbacks is a list of functions"),
        ({"callbacks": [3]}, TypeError, r"^callbacks are called as callback\(epoch, history, model\); 3 cannot be$"),
        ({"patience": 3}, ValueError, r"^patience watches the validation loss: give validation"),
        ({"patience": 0, "validation": 0.5}, ValueError, r"^patience is 1 or more, not 0$"),
    ],
)
def test_bad_input(arguments: Any, error: type[Exception], message: str) -> None:
    """One sentence that names the argument."""
    model = arguments.pop("model", None) or small()
    with pytest.raises(error, match=message):
        trained(model, arguments.pop("X", X8), arguments.pop("y", Y8), **arguments)


@pytest.mark.parametrize("choice", [False, True])
def test_without_graphs_there_is_nothing_to_learn_from(choice: bool) -> None:
    """Told before any row is computed; nothing has moved, and nothing was drawn."""
    model, state = small(), random.getstate()
    with ag.no_grad(), pytest.raises(ValueError, match=r"^fit needs the graphs .* call it outside of no_grad\(\)$"):
        trained(model, seed=None, compile=choice)
    assert numbers(model) == numbers(small()) and random.getstate() == state


def test_bad_checkpoints(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="^every is 1 or more, not 0$"):
        Checkpoint(tmp_path / "run.json", every=0)
    with pytest.raises(TypeError, match="^a Checkpoint is given to fit"):
        Checkpoint(tmp_path / "run.json")(1, History(), small())
    with pytest.raises(FileNotFoundError):
        trained(small(), resume=tmp_path / "none.json")

    class Bare:
        slope = Value(1.0)

        def parameters(self) -> list[Value]:
            return [self.slope]

        def __call__(self, row: list[float]) -> Value:
            return self.slope * row[0]

    with pytest.raises(TypeError, match=r"needs a model and an optimizer with state_dict\(\)"):
        trained(Bare(), callbacks=[Checkpoint(tmp_path / "run.json")])
    trained(small(), callbacks=[Checkpoint(tmp_path / "run.json")])
    with pytest.raises(TypeError, match=r"^resume needs a model and an optimizer with load_state_dict\(\)"):
        trained(Bare(), resume=tmp_path / "run.json")
