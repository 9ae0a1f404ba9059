"""`fit(compile=True)` against `fit`: the same history and parameters, whatever is trained, how, and however it ends.

`agree` trains twice and compares every number. Where the two differ, a test says how.
"""

from __future__ import annotations

import inspect
import itertools
import signal
import time
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from disturbances import can_interrupt, interrupt
from hypothesis import given, settings
from hypothesis import strategies as st
from trainings import SIGNS, TASKS, X3, X20, Y3, Y20, Slope, agree, bce, close, likelihood, numbers, small, trained

import autograd as ag
import nn
from autograd import Value
from nn import MLP, SGD, Adam, Checkpoint, Classifier, History, Layer, Maxout, Module, Neuron, PReLU, fit, losses
from nn.activations import BY_NAME
from nn.datasets import iris, moons, standardize
from nn.row_losses import RowLoss
from nn.schedules import cosine

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from nn.stepping import CompiledSteps

HELD_OUT = moons(9, seed=8)


def test_differences_are_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The comparison is judged: a gradient that is a millionth too large, a loss, an answer counted twice."""

    def patched(name: str, change: Callable[[Any], Any]) -> None:
        method = getattr(nn.stepping.CompiledSteps, name)

        def changed(self: CompiledSteps, *args: Any) -> Any:
            return method(self, *map(change, args)) if name == "_move" else change(method(self, *args))

        with monkeypatch.context() as patch, pytest.raises(AssertionError):
            patch.setattr(nn.stepping.CompiledSteps, name, changed)
            agree()

    agree()
    patched("_move", lambda gradients: gradients * (1 + 1e-6))
    patched("step", lambda found: (found[0] + 1e-6, found[1]))
    patched("_right", lambda count: count + 1)


# ----- How -----


class Clipped(SGD):
    """Has a step of its own."""

    def step(self, *, check: bool = True) -> None:
        for parameter in self.params:
            if parameter.has_grad:
                parameter.grad = ag.clip(parameter.grad, -0.05, 0.05)
        super().step(check=check)


class Noisy(SGD):
    """Has a rule of its own, for arrays, as those of the package."""

    def _moved(self, numbers: Any, gradients: Any, lr: float, places: Any) -> Any:
        moved, remembered = super()._moved(numbers, gradients, lr, places)
        return moved + 0.01 * np.sin(100 * moved), remembered


class OfOnesOwn:
    """Nothing but step() and zero_grad(), which forgets or, as some write it, sets to 0."""

    def __init__(self, parameters: list[Value], zero: float | None = None) -> None:
        self.of_ones_own, self.zero, self.lr = parameters, zero, 0.1

    def zero_grad(self) -> None:
        for parameter in self.of_ones_own:
            parameter.grad = self.zero

    def step(self) -> None:
        for parameter in self.of_ones_own:
            parameter.data -= self.lr * parameter.grad


OPTIMIZERS: dict[str, Callable[[Any], Any] | None] = {
    "none given": None,
    "SGD": lambda model: SGD(model.parameters(), lr=0.2),
    "momentum": lambda model: SGD(model.parameters(), lr=0.1, momentum=0.9, dampening=0.1),
    "Nesterov": lambda model: SGD(model.parameters(), lr=0.05, momentum=0.9, nesterov=True),
    "weight decay": lambda model: SGD(model.parameters(), lr=0.1, weight_decay=0.1),
    "schedule": lambda model: SGD(model.parameters(), lr=cosine(0.3, steps=40), momentum=0.5),
    "Adam": lambda model: Adam(model.parameters(), lr=0.05),
    "Adam with decay and schedule": lambda model: Adam(model, lr=cosine(0.1, steps=40), weight_decay=0.05),
    "in another order": lambda model: Adam(model.parameters()[::-1], lr=0.05),
    "a part": lambda model: SGD(model.layers[1].parameters(), lr=0.1, momentum=0.9, weight_decay=0.1),
    "every other parameter": lambda model: Adam(model.parameters()[::2], lr=0.05),
    "step of one's own": lambda model: Clipped(model.parameters(), lr=0.3, momentum=0.5),
    "step of one's own, for a part": lambda model: Clipped(model.parameters()[:7], lr=0.3, momentum=0.5),
    "rule of one's own": lambda model: Noisy(model.parameters(), lr=0.1, momentum=0.5),
    "class of one's own": lambda model: OfOnesOwn(model.parameters()),
    "class of one's own that sets to 0": lambda model: OfOnesOwn(model.parameters(), zero=0.0),
}


@pytest.mark.parametrize("batch_size", [None, 6])
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_optimizers(name: str, batch_size: int | None) -> None:
    """Thirty epochs with all rows at once, or in batches that do not come out even."""
    agree(optimizer=OPTIMIZERS[name], batch_size=batch_size)


@pytest.mark.parametrize("validation", [None, HELD_OUT, 0.3])
@pytest.mark.parametrize("batch_size", [1, 5, 7, 20, 100])
def test_batches_and_validation(batch_size: int, validation: Any) -> None:
    """Single rows, batches that do and do not divide the rows, more than there are."""
    eager, _ = agree(batch_size=batch_size, validation=validation, epochs=10)
    assert bool(eager.history.validation_accuracy) == (validation is not None)


@given(
    name=st.sampled_from(sorted(OPTIMIZERS)),
    batch_size=st.none() | st.integers(1, 25),
    validation=st.sampled_from([None, 0.1, 0.5, HELD_OUT]),
    seed=st.integers(0, 99),
    epochs=st.integers(1, 6),
)
@settings(max_examples=30, deadline=None)
def test_any_way_to_train(name: str, batch_size: int | None, validation: Any, seed: int, epochs: int) -> None:
    """Some of all of these together."""
    agree(
        lambda: small(seed), optimizer=OPTIMIZERS[name],
        batch_size=batch_size, validation=validation, seed=seed, epochs=epochs,
    )  # fmt: skip


def overfitting(patience: int | None, **arguments: Any) -> dict[str, Any]:
    """Wrong labels: soon the validation loss rises."""
    wrong = [i % 2 for i in range(20)]
    arguments = {"y": wrong, "validation": moons(20, seed=5), "epochs": 60, "patience": patience, **arguments}
    return {"optimizer": lambda model: Adam(model.parameters(), lr=0.1), **arguments}


@pytest.mark.parametrize("batch_size", [None, 6])
def test_patience(batch_size: int | None) -> None:
    """It ends in the same epoch, with the parameters of the same one; also if the epochs are over before."""
    eager, compiled = agree(**overfitting(5, batch_size=batch_size))
    best = eager.history.best_epoch
    assert eager.history.stopped
    assert compiled.history.best_epoch == best
    assert 1 < best < len(eager.history)
    agree(**overfitting(50, batch_size=batch_size, epochs=best + 3))
    at_best = trained(**overfitting(None, batch_size=batch_size, epochs=best), compile=True)
    assert at_best.parameters == trained(**overfitting(5, batch_size=batch_size), compile=True).parameters


def test_one_optimizer_in_turns() -> None:
    """Its memory goes on, whichever way the next epochs are computed."""

    def in_turns(choices: list[bool], kind: Any) -> list[float]:
        model = small()
        optimizer = kind(model)
        for choice in choices:
            fit(model, X20, Y20, loss=bce, optimizer=optimizer, epochs=3, compile=choice, progress=False)
        return numbers(model)

    for name in ("momentum", "schedule", "Adam", "step of one's own"):
        eager = in_turns([False] * 3, OPTIMIZERS[name])
        assert close(eager, in_turns([True, False, True], OPTIMIZERS[name])), name


def test_the_model_is_recorded_and_not_called_again() -> None:
    """Whether there are three epochs or thirty."""
    calls: list[int] = []

    def count(epochs: int) -> int:
        class Counting(MLP):
            def __call__(self, x: Any) -> Any:
                calls.append(epochs)
                return super().__call__(x)

        trained(lambda: Counting(2, [3, 1], seed=1), epochs=epochs, batch_size=7, validation=0.2, compile=True)
        return calls.count(epochs)

    assert count(3) == count(30) < 60  # eagerly, 630


# ----- What is learnt -----

@pytest.mark.parametrize("name", TASKS)
def test_losses(name: str) -> None:
    """With the outputs and targets that it is made for; the accuracy, if there is one, is measured alike."""
    task = TASKS[name]
    eager, _ = agree(
        lambda: MLP(2, [4, task.outputs], activation=["tanh", task.last], seed=2), task.X, task.y,
        loss=task.loss, batch_size=8, validation=(task.X[:7], task.y[:7]),
        optimizer=lambda model: Adam(model.parameters(), lr=0.05),
    )  # fmt: skip
    assert eager.history.loss[-1] < eager.history.loss[0]


def test_every_loss_is_among_them() -> None:
    found = {name for name, loss in vars(losses).items() if "reduction" in _parameters(loss) and name in nn.__all__}
    tried = {getattr(task.loss, "func", task.loss).__name__ for task in TASKS.values()}
    assert len(found) >= 9
    assert found <= tried


def _parameters(function: Any) -> Any:
    return inspect.signature(function).parameters if inspect.isfunction(function) else ()


def test_penalties() -> None:
    """A loss may add what does not depend on the rows."""
    made: list[MLP] = []

    def make() -> MLP:
        made.append(small())
        return made[-1]

    def loss(outputs: Any, wanted: Any) -> Any:
        return bce(outputs, wanted) + 0.01 * nn.l2_penalty(made[-1]) + 0.001 * nn.l1_penalty(made[-1])

    agree(make, loss=loss, batch_size=6)


# ----- Models -----


class Product(Module):
    """Of one's own: parameters in lists and modules, one of them used twice, one not at all."""

    def __init__(self) -> None:
        self.hidden = [Neuron(2, activation="tanh", seed=1), Maxout(2, 2, seed=2)]
        self.scale = [Value(0.7), Value(0.1)]
        self.unused = Value(5.0)

    def __call__(self, row: Any) -> Value:
        first, second = (neuron(row) for neuron in self.hidden)
        return self.scale[0] * first * second + ag.sin(self.scale[0] + self.scale[1] * row[0])


class Bare:
    """Anything with parameters()."""

    def __init__(self) -> None:
        self.slopes = [Value(0.1), Value(-0.2)]

    def parameters(self) -> list[Value]:
        return self.slopes

    def __call__(self, row: Any) -> list[Value]:
        return [ag.dot(self.slopes, row)]


class Recurrent(Module):
    """The same weights again and again, and a product of the features beside them."""

    def __init__(self) -> None:
        self.cell = Layer(3, 3, activation="tanh", seed=5)

    def __call__(self, row: Any) -> Value:
        state: Any = [*row, row[0] * row[1]]
        for _ in range(3):
            state = self.cell(state)
        return ag.sum(state)


SCALING = standardize(X20 * 3 + 5)[1]
MODELS: dict[str, Callable[[], Any]] = {
    **{f"Neuron {name}": partial(Neuron, 2, activation=name, seed=3) for name in BY_NAME if "softmax" not in name},
    **{f"Layer {name}": partial(Layer, 2, 1, activation=name, seed=3) for name in ("linear", "tanh")},
    **{
        f"MLP {name}": partial(MLP, 2, [3, 3, 1], activation=[name, name, "linear"], seed=4)
        for name in BY_NAME
        if "softmax" not in name
    },
    "MLP without hidden layers": partial(MLP, 2, [1], seed=1),
    "MLP of softmax inside": partial(MLP, 2, [3, 1], activation=["softmax", "linear"], seed=1),
    "MLP of PReLU": lambda: MLP(2, [3, 1], activation=[PReLU(), "linear"], seed=1),
    "MLP of a function": lambda: MLP(2, [3, 1], activation=[lambda z: z * ag.sigmoid(1.5 * z), "linear"], seed=1),
    "Maxout": partial(Maxout, 2, 3, seed=1),
    "Classifier": lambda: Classifier(small(), ["left", "right"], SCALING),
    "Classifier of probabilities": lambda: Classifier(Product(), outputs="scores"),
    "of one's own": Product,
    "no module": Bare,
    "recurrent": Recurrent,
}


@pytest.mark.parametrize("name", MODELS)
def test_models(name: str) -> None:
    """Neurons, layers and networks of every activation, and what users write."""
    targets = SIGNS.astype(float)
    if name == "no module":
        agree(MODELS[name], y=targets[:, None], loss=nn.mse_loss, batch_size=6)
    else:
        agree(MODELS[name], y=targets, loss=nn.mse_loss, batch_size=6, validation=(X20, targets))


@pytest.mark.parametrize("make", [partial(Layer, 4, 3, seed=1), partial(MLP, 4, [5, 3], seed=1)])
def test_classifiers_of_three(make: Callable[[], Any]) -> None:
    """Iris, in the order of its classes, with the scaling in the model."""
    X, y = (array[::5] for array in iris())
    scaled = lambda: Classifier(make(), ["a", "b", "c"], standardize(X)[1])  # noqa: E731
    agree(scaled, X, y, loss=nn.cross_entropy, validation=0.2)
    agree(scaled, X, y, loss=nn.multiclass_svm_loss, batch_size=7, validation=0.2)


@pytest.mark.parametrize("last", ["sigmoid", "linear"])
def test_answers_on_the_limit_are_counted_alike(last: str) -> None:
    """Weights of zero: every score is 0, every probability 1/2, all classes are equally likely."""
    for outputs, y in ((1, Y20), (1, SIGNS), (2, Y20), (3, Y20)):
        eager, _ = agree(
            lambda outputs=outputs: MLP(2, [outputs], activation=last, init="zeros"), X20, y,
            loss=lambda outputs, wanted: 0.0 * nn.mse_loss(outputs, outputs), epochs=2,
        )  # fmt: skip
        assert eager.history.accuracy == [0.5, 0.5]


def test_parameters_outside_of_the_model() -> None:
    """What the loss reads is moved if the optimizer has it, and is left alone if not."""
    for moves in (True, False):
        scales: list[Value] = []

        def make(scales: list[Value] = scales) -> MLP:
            scales.append(Value(1.5))
            return small()

        agree(
            make, batch_size=6,
            loss=lambda outputs, wanted, scales=scales: bce([scales[-1] * z for z in outputs], wanted),
            optimizer=lambda m, moves=moves, scales=scales: SGD([*m.parameters(), *scales[-1:] * moves], lr=0.2),
        )  # fmt: skip
        assert (scales[0].data != 1.5) == moves
        assert close([scales[0].data], [scales[1].data])


def test_frozen_parameters_stay_as_they_are() -> None:
    """To the last bit, even with weight decay."""
    whole = small()
    run = trained(optimizer=OPTIMIZERS["a part"], compile=True)
    frozen = len(whole.layers[0].parameters())
    assert run.parameters[:frozen] == numbers(whole)[:frozen]
    assert all(x != y for x, y in zip(run.parameters[frozen:], numbers(whole)[frozen:]))


@pytest.mark.parametrize("name", ["SGD", "Adam", "step of one's own", "class of one's own"])
def test_gradients_that_parameters_hold(name: str) -> None:
    """A compiled run keeps them in an array: `.grad` stays as it was, unless the optimizer's step works on Values."""
    model = small()
    for parameter in model.parameters()[:3]:
        parameter.grad = 7.0
    make = OPTIMIZERS[name]
    assert make is not None
    fit(model, X20, Y20, loss=bce, optimizer=make(model), epochs=2, compile=True, progress=False)
    held = [parameter.grad if parameter.has_grad else None for parameter in model.parameters()]
    if "own" in name:
        assert None not in held
        assert 7.0 not in held
    else:
        assert held == [7.0] * 3 + [None] * (len(held) - 3)


# ----- Callbacks -----


def snapshots(choice: bool, **arguments: Any) -> list[tuple[History, list[float]]]:
    """What a callback sees, epoch by epoch."""
    seen: list[Any] = []

    def look(epoch: int, history: History, model: Any) -> None:
        copied = History()
        for name in nn.training.COLUMNS:
            setattr(copied, name, list(getattr(history, name)))
        seen.append((copied, numbers(model), [z.data for z in map(model, X20.tolist())]))

    trained(callbacks=[look], compile=choice, **arguments)
    return seen


@pytest.mark.parametrize("name", ["momentum", "Adam", "a part", "class of one's own"])
def test_callbacks_see_the_same_numbers(name: str) -> None:
    """History, parameters and what the model gives, after each epoch."""
    arguments = {"optimizer": OPTIMIZERS[name], "batch_size": 6, "epochs": 8, "validation": 0.2}
    eager, compiled = snapshots(False, **arguments), snapshots(True, **arguments)
    assert len(eager) == len(compiled) == 8
    for seen in zip(eager, compiled):
        assert all(close(x, y) for x, y in zip(*seen))


def shrink(epoch: int, _: History, model: Any) -> None:
    """A callback that moves parameters, as one that limits their norm would."""
    if epoch % 2:
        for parameter in model.parameters():
            parameter.data *= 0.8


@pytest.mark.parametrize("name", ["momentum", "Adam", "a part", "step of one's own", "class of one's own"])
def test_what_a_callback_sets_counts(name: str, tmp_path: Path) -> None:
    """In the next step, at the end, in a checkpoint, and for early stopping."""
    arguments = {"optimizer": OPTIMIZERS[name], "batch_size": 6, "epochs": 5}
    agree(callbacks=[shrink], **arguments)
    if name != "class of one's own":
        _, compiled = agree(callbacks=[shrink, Checkpoint(tmp_path / "run.json")], **arguments)
        twin = small(seed=9)
        twin.load(tmp_path / "run.json")
        assert numbers(twin) == compiled.parameters
    agree(**overfitting(4, callbacks=[shrink], optimizer=OPTIMIZERS[name]))


def test_a_callback_that_sets_the_step_size_and_ends_the_training() -> None:
    optimizers: list[SGD] = []

    def make(model: Any) -> SGD:
        optimizers.append(SGD(model.parameters(), lr=0.3, momentum=0.5))
        return optimizers[-1]

    def slower(epoch: int, history: History, model: Any) -> bool:
        optimizers[-1].lr = 0.3 / epoch
        shrink(epoch, history, model)
        return epoch == 7

    eager, _ = agree(optimizer=make, callbacks=[slower])
    assert eager.history.stopped
    assert len(eager.history) == 7


# ----- Ctrl-C and errors -----


class Boom(Exception):
    """An error that nobody expects."""


@pytest.mark.parametrize("sets", [False, True])
@pytest.mark.parametrize("error", [Boom, KeyboardInterrupt])
def test_errors_in_callbacks(error: type[BaseException], sets: bool) -> None:
    """Parameters are as the epoch, or the callback, left them; an interrupt gives the history."""

    def ended(choice: bool) -> tuple[Any, list[float]]:
        def callback(epoch: int, history: History, model: Any) -> None:
            if epoch == 3:
                if sets:
                    shrink(epoch, history, model)
                raise error

        model, history = small(), None
        arguments: dict[str, Any] = {"loss": bce, "epochs": 9, "batch_size": 6, "seed": 1, "progress": False}
        try:
            history = fit(model, X20, Y20, callbacks=[callback], compile=choice, **arguments)
        except Boom:
            assert error is Boom
        return history, numbers(model)

    (eager, wanted), (compiled, found) = ended(False), ended(True)
    assert close(wanted, found)
    assert wanted != numbers(small())
    assert (eager is None) == (compiled is None) == (error is Boom)
    if eager is not None:
        assert eager.interrupted
        assert len(eager) == 3
        assert close(eager, compiled)


def trajectory(optimizer: Callable[[Any], Any], **arguments: Any) -> list[list[float]]:
    """The parameters after each step of a training, eagerly."""
    model = small()
    made = optimizer(model)
    steps, step = [numbers(model)], made.step

    def recorded(*args: Any, **named: Any) -> None:
        step(*args, **named)
        steps.append(numbers(model))

    made.step = recorded
    fit(model, X20, Y20, loss=bce, optimizer=made, seed=1, progress=False, **arguments)
    return steps


@pytest.mark.skipif(not can_interrupt(), reason="there are no timers that send signals here")
@pytest.mark.parametrize("name", ["momentum", "Adam", "a part", "step of one's own", "class of one's own"])
def test_ctrl_c_at_random_moments(name: str) -> None:
    """The history has whole epochs, and the parameters are those after a step of the epoch that was begun, or ended."""
    optimizer = OPTIMIZERS[name]
    assert optimizer is not None
    arguments = {"epochs": 12, "batch_size": 6}
    steps = trajectory(optimizer, **arguments)
    start = time.perf_counter()
    trained(optimizer=optimizer, compile=True, **arguments)
    duration = time.perf_counter() - start
    lengths = set()
    for i in range(40):
        model, histories = small(), []
        made = optimizer(model)

        def training(model: Any = model, made: Any = made, histories: Any = histories) -> None:
            common = {"loss": bce, "seed": 1, "progress": False, **arguments}
            histories.append(fit(model, X20, Y20, optimizer=made, compile=True, **common))

        interrupt(training, (i + 1) / 40 * duration)
        place = next((i for i, step in enumerate(steps) if close(step, numbers(model))), None)
        assert place is not None, "parameters that no step led to"
        if not histories:  # it came before the first step, or after the last
            assert place in (0, len(steps) - 1)
            continue
        history = histories[0]
        assert history.interrupted or len(history) == 12
        assert len({len(getattr(history, column)) for column in ("loss", "accuracy", "lr", "seconds")}) == 1
        assert 4 * len(history) <= place <= 4 * (len(history) + 1)
        lengths.add(len(history))
    assert len(lengths) > 1


def test_ctrl_c_in_a_step_of_ones_own() -> None:
    """Half a step has not been taken."""

    class Half(OfOnesOwn):
        left = 7

        def step(self) -> None:
            self.left -= 1
            for i, parameter in enumerate(self.of_ones_own):
                if not self.left and i == 5:
                    signal.raise_signal(signal.SIGINT)
                parameter.data -= 0.1 * parameter.grad

    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        eager, _ = agree(optimizer=lambda model: Half(model.parameters()), batch_size=5)
    finally:
        signal.signal(signal.SIGINT, before)
    assert eager.history.interrupted
    assert len(eager.history) == 1


#: What makes numbers end to be finite in the third or fourth epoch.
EXPLODING: dict[str, tuple[Callable[..., Any], float]] = {
    "infinite products": (lambda o, t: ag.mean([abs(a - b) * abs(a - b) for a, b in zip(o, t)]), 1e60),
    "overflow": (nn.mse_loss, 1e60),
    "log of a negative number": (lambda o, t: ag.mean([ag.log(a) for a in o]), 0.6),
}


@pytest.mark.parametrize("batch_size", [None, 1])
@pytest.mark.parametrize("kind", EXPLODING)
def test_losses_that_become_nan(kind: str, batch_size: int | None) -> None:
    """One line tells the epoch and the operation; parameters are as after the last step that could be taken."""
    loss, lr = EXPLODING[kind]

    def failed(choice: bool) -> tuple[BaseException, int, list[float]]:
        model, epochs = Slope(), []
        with pytest.raises((ArithmeticError, ValueError)) as caught:
            fit(
                model, [[1.0], [2.0]], [5.0, 3.0], loss=loss, optimizer=SGD(model.parameters(), lr=lr),
                epochs=20, batch_size=batch_size, seed=1, compile=choice, progress=False,
                callbacks=[lambda epoch, *_: epochs.append(epoch)],
            )  # fmt: skip
        return caught.value, len(epochs), numbers(model)

    (_, wanted_epochs, wanted), (error, epochs, found) = failed(False), failed(True)
    assert type(error) is FloatingPointError
    assert f"this was in epoch {epochs + 1}: take a smaller lr or standardise X" in str(error)
    assert "\n" not in str(error)
    assert "row " in str(error)
    assert epochs == wanted_epochs >= 1
    assert close(wanted, found)


def test_a_validation_loss_that_is_none() -> None:
    """FloatingPointError, as of the loss; the epoch's steps were taken."""
    for X, loss in (([[1e200]], nn.mse_loss), ([[-1.0]], lambda o, t: ag.mean([ag.log(a) for a in o]))):
        outcomes = []
        for choice in (False, True):
            model = Slope()
            told = r"validation .* in epoch 1: take a smaller lr or standardise X"
            with pytest.raises(FloatingPointError, match=told) as caught:
                fit(model, [[1.0]], [5.0], loss=loss, validation=(X, [0.0]), compile=choice, progress=False)
            outcomes.append(numbers(model))
        assert "the batch of validation rows in epoch 1" in str(caught.value)
        assert close(*outcomes)
        assert outcomes[0] != [1.0]


def test_a_validation_loss_of_infinite_terms() -> None:
    """Where eager training goes on to infinity: both tell the epoch."""

    def loss(outputs: Any, wanted: Any) -> Any:
        return ag.mean([(a - b) * (a - b) for a, b in zip(outputs, wanted)])

    for choice in (False, True):
        with pytest.raises(FloatingPointError, match=r"validation .* in epoch 1: take a smaller lr or standardise X"):
            trained(Slope, [[1.0]], [5.0], loss=loss, validation=([[1e200]], [0.0]), compile=choice)


def test_what_the_optimizer_refuses_is_told_with_its_epoch() -> None:
    """A step too far: nothing has moved."""
    model = Slope()
    with pytest.raises(ValueError, match="no parameter was moved: take a smaller lr") as caught:
        fit(
            model, [[1.0]], [5.0], loss=nn.mse_loss, optimizer=SGD(model.parameters(), lr=1e308),
            compile=True, progress=False,
        )  # fmt: skip
    assert "epoch 1 of fit" in "".join(caught.value.__notes__)
    assert numbers(model) == [1.0]


# ----- Checkpoints -----


@pytest.mark.parametrize("name", ["none given", "Nesterov", "schedule", "Adam", "a part", "step of one's own"])
@pytest.mark.parametrize("choices", list(itertools.product([False, True], repeat=2)))
def test_runs_that_are_resumed(name: str, choices: tuple[bool, bool], tmp_path: Path) -> None:
    """Either way after either way; compiled after compiled, to the last bit what one run gives."""
    path = tmp_path / "run.json"
    arguments = {"optimizer": OPTIMIZERS[name], "batch_size": 6, "validation": 0.2, "patience": 20}
    whole = trained(epochs=9, compile=choices[1], **arguments)
    trained(epochs=4, compile=choices[0], callbacks=[Checkpoint(path)], **arguments)
    resumed = trained(lambda: small(seed=7), epochs=9, compile=choices[1], resume=path, **arguments)
    assert close(whole.history, resumed.history)
    assert close(whole.parameters, resumed.parameters)
    if choices[0] == choices[1]:
        assert whole.history == resumed.history
        assert whole.parameters == resumed.parameters


def test_a_checkpoint_of_a_run_that_failed_can_be_resumed(tmp_path: Path) -> None:
    """It has the last complete epoch."""
    path = tmp_path / "run.json"

    def fail(epoch: int, *_: Any) -> None:
        if epoch == 4:
            raise Boom

    with pytest.raises(Boom):
        trained(callbacks=[fail, Checkpoint(path)], batch_size=6, compile=True)
    resumed = trained(resume=path, batch_size=6, compile=True)
    assert resumed.parameters == trained(batch_size=6, compile=True).parameters


# ----- What is refused -----


class Branching(Slope):
    """Takes another path for negative numbers, which compile cannot."""

    def __init__(self, sees: Callable[[Value], Any]) -> None:
        super().__init__()
        self.sees = sees

    def __call__(self, row: Any) -> Value:
        z = super().__call__(row)
        if self.sees(z) > 0:
            return z
        return 0.1 * z


class Shifting(Slope):
    def __call__(self, row: Any) -> Value:
        return super().__call__(row) + Value(next(self.noise))

    noise = itertools.count()


class Nested(Slope):
    def __call__(self, row: Any) -> Any:
        return [[super().__call__(row)], [self.w]]


REFUSED: dict[str, tuple[dict[str, Any], type[Exception], str]] = {
    "a sum": ({"loss": partial(nn.mse_loss, reduction="sum")}, ValueError, "needs a loss that is the mean over its"),
    "a root of a mean": ({"loss": lambda o, t: ag.sqrt(nn.mse_loss(o, t))}, ValueError, "mean over its rows"),
    "half a mean": ({"loss": lambda o, t: nn.mse_loss(o[:1], t[:1])}, ValueError, "needs a loss that is the mean"),
    "no Value": ({"loss": lambda o, t: 1.0}, TypeError, "^loss gives one Value, such as a mean over the batch; not"),
    "a branch": ({"model": Branching(lambda z: z)}, TypeError, r"test_compiled_training.py:\d+: if self.sees\(z\) > 0"),
    "a branch on .data": ({"model": Branching(lambda z: z.data)}, ValueError, "does something that compile cannot see"),
    "numbers drawn": ({"model": Shifting()}, ValueError, "does something that compile cannot see"),
    "a loss that branches": (
        {"loss": lambda o, t: ag.mean([a * a if a > y else a for a, y in zip(o, t)])},
        TypeError,
        "compile cannot follow a comparison with >",
    ),
    "lists in an output": (
        {"model": Nested(), "loss": lambda o, t: ag.mean([row[0][0] - y for row, y in zip(o, t)])},
        TypeError,
        "needs a model that gives a Value for a row, or a list of them that has no lists inside; not",
    ),
    "a target that is none": ({"y": [1, -1, 3, -1], "loss": nn.hinge_loss}, ValueError, "a target is -1 or 1 here"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_what_cannot_be_compiled(kind: str) -> None:
    """One sentence says why, and nothing has moved."""
    arguments, error, message = REFUSED[kind]
    model = arguments.get("model") or Slope()
    X, y = [[1.0], [-2.0], [3.0], [-1.0]], arguments.get("y", [1.0, 2.0, 0.5, 4.0])
    with pytest.raises(error, match=message) as caught:
        fit(model, X, y, loss=arguments.get("loss", nn.mse_loss), compile=True, progress=False, epochs=3)
    assert "\n" not in str(caught.value)
    assert numbers(model) == [1.0]
    assert not model.w.has_grad


@pytest.mark.parametrize(("loss", "wrong"), [(bce, 1.5), (bce, -0.5), (nn.hinge_loss, 0.5)])
def test_a_target_that_is_none_among_many(loss: Any, wrong: float) -> None:
    """Refused, wherever it is."""
    X = [[0.01 * i, 0.0] for i in range(30)] + [[1000.0, 0.0], [-1000.0, 0.0]]
    y = [1.0] * 20 + [wrong] + [1.0] * 11
    for choice in (False, True):
        with pytest.raises(ValueError, match="target"):
            trained(partial(MLP, 2, [1], seed=1), X, y, loss=loss, epochs=1, compile=choice)


# ----- Where compiled and eager training are not alike, and need not be -----


def test_what_model_and_loss_read_beside_parameters_is_read_once() -> None:
    """A number that a callback changes, or a parameter that it replaces, stays as it was at the first step.

    `autograd.compile` says so of constants: parameters are Values, and what is to change has to be one.
    """
    weight = [1.0]

    def anneal(epoch: int, history: History, model: Any) -> None:
        weight[0] *= 0.5

    def loss(outputs: Any, wanted: Any) -> Any:
        return weight[0] * bce(outputs, wanted)

    compiled = trained(loss=loss, callbacks=[anneal], compile=True, epochs=5)
    assert close(compiled.parameters, trained(epochs=5).parameters)

    def prune(epoch: int, history: History, model: Any) -> None:
        model.layers[0].neurons[0].w[0] = Value(0.0)

    pruned = trained(callbacks=[prune], compile=True, epochs=5).model.parameters()
    assert pruned[0].data == 0.0
    assert close([parameter.data for parameter in pruned[1:]], trained(epochs=5).parameters[1:])


def test_a_number_of_a_value_is_one_that_may_change() -> None:
    """So a weight of the loss is annealed: a leaf that no optimizer has."""
    weights: list[Value] = []

    def make() -> MLP:
        weights.append(Value(1.0))
        return small()

    def anneal(epoch: int, history: History, model: Any) -> None:
        weights[-1].data *= 0.5

    agree(make, loss=lambda outputs, wanted: weights[-1] * bce(outputs, wanted), callbacks=[anneal], epochs=8)


# ----- Where they were not alike once -----


class Line(Slope):
    """w * x + b, sure of its answers far from 0."""

    def __init__(self) -> None:
        self.w, self.b = Value(3.0), Value(0.0)

    def __call__(self, row: Any) -> Value:
        return self.w * row[0] + self.b


def agree_or_refuse(*given: Any, **arguments: Any) -> None:
    """Compiled training does what eager training does, or raises an error that is meant."""
    try:
        trained(*given, compile=True, **arguments)
    except (TypeError, ValueError) as error:
        assert "compile" in str(error)
        return
    agree(*given, **arguments)


def test_a_sum_of_nothing_in_the_first_rows() -> None:
    """As of a model that is trained for the second time, with rows in the order of their classes."""
    X, y = [*[[1.0 + 0.1 * i] for i in range(40)], [-0.1], [0.1], [0.05]], [*[1] * 41, -1, -1]
    agree_or_refuse(Line, X, y, loss=partial(nn.hinge_loss, reduction="sum"), epochs=3)


@pytest.mark.parametrize("batch_size", [None, 7])
def test_a_mean_with_a_weight_for_each_class(batch_size: int | None) -> None:
    """PyTorch's CrossEntropyLoss(weight=...), and rows in the order of their classes, as iris has them."""
    weights = (1.0, 5.0, 0.5)

    def loss(outputs: Any, wanted: Any) -> Any:
        terms = [weights[y] * nn.cross_entropy(row, y) for row, y in zip(outputs, wanted)]
        return ag.sum(terms) / sum(weights[y] for y in wanted)

    X, y = (array[::2] for array in iris())
    agree_or_refuse(partial(MLP, 4, [3], seed=1), X, y, loss=loss, batch_size=batch_size, epochs=3)


@pytest.mark.parametrize(
    ("outputs", "loss", "y", "wrong"),
    [
        (1, bce, Y20, 2),
        (1, nn.hinge_loss, SIGNS, 0),
        (3, nn.cross_entropy, Y3[:20], -1),
        (3, nn.cross_entropy, Y3[:20], 0.5),
    ],
)
def test_validation_targets_that_are_none(outputs: int, loss: Any, y: Any, wrong: float) -> None:
    """Refused, as without compile=True."""
    held_out = ([[0.1, 0.2], [1.0, 1.0]], [1, wrong])
    with pytest.raises(ValueError, match="target"):
        trained(partial(MLP, 2, [outputs], seed=1), X20, y, loss=loss, validation=held_out, epochs=2)
    with pytest.raises(ValueError, match="target"):
        trained(partial(MLP, 2, [outputs], seed=1), X20, y, loss=loss, validation=held_out, epochs=2, compile=True)


@pytest.mark.parametrize("loss", [nn.cross_entropy, nn.multi_margin_loss, nn.multiclass_svm_loss])
def test_classes_that_are_floats(loss: Any) -> None:
    """As numpy.loadtxt reads them; there is no accuracy then."""
    agree(partial(MLP, 2, [3], seed=1), X3, Y3.astype(float), loss=loss, epochs=3)


class Heads(Module):
    """Two outputs, each with parameters of its own."""

    def __init__(self) -> None:
        self.first, self.second = Neuron(2, seed=1), Neuron(2, seed=2)

    def __call__(self, row: Any) -> list[Value]:
        return [self.first(row), self.second(row)]


@pytest.mark.parametrize("name", ["weight decay", "Adam with decay and schedule"])
def test_parameters_that_the_loss_does_not_depend_on(name: str) -> None:
    """They are left out of the step, as PyTorch does."""
    agree(Heads, loss=lambda o, t: bce([row[0] for row in o], t), optimizer=OPTIMIZERS[name], epochs=3)


def test_a_loss_that_depends_on_no_parameter_of_the_optimizer() -> None:
    """A ValueError both ways."""
    other = Value(2.0)
    for choice in (False, True):
        with pytest.raises(ValueError, match="gradient|does not depend on any of the optimizer's parameters"):
            trained(loss=lambda o, t: nn.mse_loss([other] * len(t), t), compile=choice)


CHANGES: dict[str, Callable[[list[Value], Any], Any]] = {
    "unfrozen": lambda params, model: params.extend(model.layers[0].parameters()),
    "frozen": lambda params, model: params.__delitem__(slice(3, None)),
    "others": lambda params, model: params.__setitem__(slice(None), model.layers[0].parameters()),
    "in another order": lambda params, model: params.reverse(),
}


@pytest.mark.parametrize("kind", [SGD, partial(SGD, momentum=0.9, weight_decay=0.1), Adam, Clipped])
@pytest.mark.parametrize("name", CHANGES)
def test_parameters_that_a_callback_freezes_and_unfreezes(name: str, kind: Any) -> None:
    """A list to which a parameter may be added between steps, nn/optim.py says."""
    made: list[Any] = []

    def make(model: Any) -> Any:
        made.append(kind(model.layers[1].parameters(), lr=0.1))
        return made[-1]

    def callback(epoch: int, history: History, model: Any) -> None:
        if epoch == 3:
            CHANGES[name](made[-1].params, model)

    eager, _ = agree(optimizer=make, callbacks=[callback], epochs=6)
    assert (eager.parameters[0] == numbers(small())[0]) == (name in ("frozen", "in another order"))


def test_all_parameters_frozen_by_a_callback() -> None:
    """There is no step to take then."""
    for choice in (False, True):
        made: list[Any] = []

        def make(model: Any, made: Any = made) -> Any:
            made.append(Adam(model))
            return made[-1]

        with pytest.raises(ValueError, match=r"no parameter has a gradient|does not depend on any") as caught:
            trained(optimizer=make, callbacks=[lambda *_, made=made: made[-1].params.clear()], compile=choice)
        assert "epoch 2 of fit" in "".join(caught.value.__notes__)


def clip_steps(optimizer: Any) -> None:
    """The usual way to log or clip what somebody else's optimizer does."""
    step = optimizer.step

    def clipped() -> None:
        for parameter in optimizer.params:
            if parameter.has_grad:
                parameter.grad = ag.clip(parameter.grad, -0.01, 0.01)
        step()

    optimizer.step = clipped


@pytest.mark.parametrize("first", [0, 2])
def test_a_step_that_is_an_attribute(first: int) -> None:
    """From the beginning, or set by a callback, and taken away by another."""
    made: list[Any] = []

    def make(model: Any) -> SGD:
        made.append(SGD(model.parameters(), lr=0.5, momentum=0.5))
        if not first:
            clip_steps(made[-1])
        return made[-1]

    def callback(epoch: int, history: History, model: Any) -> None:
        if epoch == first:
            clip_steps(made[-1])
        if epoch == 4:
            del made[-1].step

    agree(optimizer=make, callbacks=[callback], epochs=6)


@pytest.mark.parametrize("part", [slice(None), slice(5, None), slice(None, None, 2)])
def test_gradients_that_an_optimizer_gathers(part: slice) -> None:
    """A zero_grad() that forgets at every other step makes a batch of two."""

    class Gathering(SGD):
        calls = 0

        def zero_grad(self) -> None:
            self.calls += 1
            if self.calls % 2:
                super().zero_grad()

    agree(optimizer=lambda model: Gathering(model.parameters()[part], lr=0.1), batch_size=5, epochs=3)


def test_signs_of_two_outputs() -> None:
    """Targets -1 and 1 are told apart by the larger one of two outputs: the accuracy is another one."""
    X = np.vstack([X20, -X20])

    def loss(outputs: Any, wanted: Any) -> Any:
        return nn.hinge_loss([b - a for a, b in outputs], wanted)

    agree(partial(MLP, 2, [3, 2], activation="tanh", seed=1), X, np.append(SIGNS, -SIGNS), loss=loss, epochs=3)


class Saturated(Slope):
    def __call__(self, row: Any) -> list[Value]:
        return ag.softmax([self.w * row[0], -self.w * row[0]])


def test_a_likelihood_of_probabilities_that_underflow() -> None:
    """-log of the right one is 0."""
    agree(Saturated, [[500.0], [-400.0], [2.0], [-1.0]], [0, 1, 0, 0], loss=likelihood, epochs=3)


def test_probabilities_that_saturate() -> None:
    """-log(1) of the right answer is 0."""

    def loss(outputs: Any, wanted: Any) -> Any:
        return nn.binary_cross_entropy(list(map(ag.sigmoid, outputs)), wanted)

    agree(Line, [[20.0], [-20.0], [1.0], [-0.5]], [1, 0, 1, 1], loss=loss, epochs=3)


def log_likelihood(outputs: Any, wanted: Any) -> Any:
    """Of probabilities by sigmoids, which are 0 and 1 far out."""
    return nn.binary_cross_entropy(list(map(ag.sigmoid, outputs)), wanted)


@pytest.mark.parametrize("y", [[1, 0, 1, 1], [1, 0, 0.3, 0.8], [1.0, 0.0, 0.3, 0.0], [1, 0, 1, 0]])
def test_some_targets_that_are_certain(y: list[float]) -> None:
    """With targets between, and as the only ones of their kind."""
    X = [[20.0], [-20.0], [1.0], [-0.5]]
    agree(Line, X, y, loss=log_likelihood, epochs=3)
    agree(Line, X, y, loss=log_likelihood, epochs=3, batch_size=1)
    agree(Line, X[1:], y[1:], loss=log_likelihood, epochs=3, validation=(X[:1], y[:1]))


def test_one_target_that_is_certain() -> None:
    agree(Line, [[20.0], [1.0]], [1, 1], loss=log_likelihood, epochs=3)


@pytest.mark.parametrize("batch_size", [None, 1])
def test_probabilities_that_saturate_on_the_way(batch_size: int | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not in the first epoch; what the optimizer remembers and callbacks set is kept."""
    sheltered: list[bool] = []
    shelter = RowLoss.shelter
    monkeypatch.setattr(RowLoss, "shelter", lambda self: sheltered.append(shelter(self)) or sheltered[-1])
    X, y = [[9.0], [-9.0], [5.0], [-2.0]], [0, 1, 0, 0]

    class Steep(Saturated):
        def __init__(self) -> None:
            self.w = Value(0.01)

    def steeper(epoch: int, history: History, model: Any) -> None:
        model.w.data += 45.0 * (epoch == 4)

    arguments = {"loss": likelihood, "epochs": 8, "batch_size": batch_size, "callbacks": [steeper]}
    for name in ("momentum", "Adam", "step of one's own"):
        agree(Steep, X, y, optimizer=OPTIMIZERS[name], **arguments)
    arguments["callbacks"] = []
    agree(Steep, X, y, validation=([[50000.0], [-40000.0]], [0, 1]), **arguments)
    assert sheltered == [True] * 4


class Probabilities(Heads):
    """One of each class, that know nothing of each other."""

    def __call__(self, row: Any) -> list[Value]:
        return list(map(ag.sigmoid, super().__call__(row)))


@pytest.mark.parametrize("batch_size", [None, 1, 3])
@pytest.mark.parametrize("name", ["momentum", "weight decay", "Adam", "step of one's own"])
def test_parameters_of_classes_that_a_batch_does_not_have(name: str, batch_size: int | None) -> None:
    """They have no gradient in its step."""
    agree(Probabilities, loss=likelihood, optimizer=OPTIMIZERS[name], batch_size=batch_size, epochs=3)


def test_rows_are_lists() -> None:
    """As fit says; the bias is a weight of a constant feature here."""

    class Augmented(Module):
        def __init__(self) -> None:
            self.w = [Value(0.1), Value(0.2), Value(0.3)]

        def __call__(self, row: list[Any]) -> Value:
            return ag.dot(self.w, row + [1.0])  # noqa: RUF005

    agree(Augmented, loss=nn.mse_loss, epochs=3)
