"""Training loops as micrograd's users write them give micrograd's losses, step by step: on nn.MLP and on our Value.

Each loop stands here once and is run with either library's classes: only what is imported differs.
"""

from __future__ import annotations

import importlib
import math
import random
from typing import Any

import numpy as np
import pytest

import autograd
import nn
from nn import datasets

STEPS = 10


def libraries() -> tuple[Any, Any]:
    """micrograd's engine and its networks."""
    reason = "micrograd is a peer to compare with, where it is installed"
    engine = pytest.importorskip("micrograd.engine", reason=reason)
    return engine, importlib.import_module("micrograd.nn")


def close(expected: list[float]) -> Any:
    """To 1e-9."""
    return pytest.approx(expected, rel=1e-9, abs=1e-9)


# ----- The demo of its repository: hinge loss with L2 regularisation on two moons -----


def moons(points: int = 24) -> tuple[np.ndarray, np.ndarray]:
    """float64 points and int64 targets -1 and 1, as scikit-learn would give them."""
    X, y = datasets.moons(points, noise=0.1, seed=3)
    return X, 2 * y.astype(np.int64) - 1


def demo(value: Any, mlp: Any, seed: int, batch: int | None = None) -> list[tuple[float, float]]:
    """Loss and accuracy before each step."""
    random.seed(seed)
    np.random.seed(seed)
    model = mlp(2, [16, 16, 1])
    X, y = moons()
    history = []
    for step in range(STEPS):
        rows = np.arange(len(X)) if batch is None else np.random.permutation(len(X))[:batch]
        points = [[value(number) for number in X[row]] for row in rows]  # of np.float64
        scores = [model(point) for point in points]
        margins = [(1 + -y[row] * score).relu() for row, score in zip(rows, scores)]  # np.int64 times Value
        data_loss = sum(margins) * (1.0 / len(margins))
        penalty = 1e-4 * sum(p * p for p in model.parameters())
        total = data_loss + penalty
        right = [(y[row] > 0) == (score.data > 0) for row, score in zip(rows, scores)]
        history.append((total.data, sum(right) / len(right)))
        model.zero_grad()
        total.backward()
        lr = 1.0 - 0.9 * step / 100
        for p in model.parameters():
            p.data -= lr * p.grad
    return history


@pytest.mark.parametrize(("seed", "batch"), [(1337, None), (1, None), (2, 10)])
def test_the_demo_gives_micrograds_losses(seed: int, batch: int | None) -> None:
    """Full batches and mini-batches."""
    engine, networks = libraries()
    theirs = demo(engine.Value, networks.MLP, seed, batch)
    ours = demo(autograd.Value, nn.MLP, seed, batch)
    assert [loss for loss, _ in ours] == close([loss for loss, _ in theirs])
    assert [accuracy for _, accuracy in ours] == [accuracy for _, accuracy in theirs]
    assert ours[-1][0] < ours[0][0]


def test_the_demo_is_as_well_written_with_losses_of_ours() -> None:
    """hinge_loss, l2_penalty and SGD with a schedule: the same ten losses."""
    random.seed(1337)
    model = nn.MLP(2, [16, 16, 1])
    X, y = moons()
    optimizer = nn.SGD(model.parameters(), lr=lambda t: 1.0 - 0.9 * t / 100)
    losses = []
    for _ in range(STEPS):
        loss = nn.hinge_loss([model(row) for row in X], y) + 1e-4 * nn.l2_penalty(model)
        losses.append(loss.data)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert losses == close([loss for loss, _ in demo(autograd.Value, nn.MLP, 1337)])


def test_numbers_of_numpy() -> None:
    """In every place of every operator, with micrograd's numbers; what comes out is a Value, and no array."""
    engine, _ = libraries()
    for number in (np.int64(3), np.float64(0.5), np.int32(-2), np.float32(0.25), np.int8(1)):
        results = []
        for value in (autograd.Value, engine.Value):
            x, y = value(np.float64(1.5)), value(number)
            made = [number * x, x * number, number + x, x + number, number - x, x - number, number / x]
            made += [x / float(number), -number * x, x * y, x ** int(number), x ** float(number)]
            assert all(type(result) is value for result in made)
            total = sum(made)
            total.backward()
            results.append([total.data, x.grad, y.grad, *(result.data for result in made)])
        assert results[0] == close(results[1])


# ----- Its lecture: the classes are typed by the listener -----


def typed(value: Any) -> Any:
    """A network of neurons in layers, on nothing but a Value with + * and tanh."""

    class Unit:
        def __init__(self, nin: int) -> None:
            self.w = [value(random.uniform(-1, 1)) for _ in range(nin)]
            self.b = value(random.uniform(-1, 1))

        def __call__(self, x: Any) -> Any:
            total = self.b
            for weight, number in zip(self.w, x):
                total = total + weight * number
            return total.tanh()

        def parameters(self) -> list[Any]:
            return [*self.w, self.b]

    class Stage:
        def __init__(self, nin: int, nout: int) -> None:
            self.units = [Unit(nin) for _ in range(nout)]

        def __call__(self, x: Any) -> Any:
            made = [unit(x) for unit in self.units]
            return made[0] if len(made) == 1 else made

        def parameters(self) -> list[Any]:
            return [p for unit in self.units for p in unit.parameters()]

    class Network:
        def __init__(self, nin: int, nouts: list[int]) -> None:
            sizes = [nin, *nouts]
            self.stages = [Stage(sizes[i], sizes[i + 1]) for i in range(len(nouts))]

        def __call__(self, x: Any) -> Any:
            for stage in self.stages:
                x = stage(x)
            return x

        def parameters(self) -> list[Any]:
            return [p for stage in self.stages for p in stage.parameters()]

    return Network


def typed_training(value: Any, seed: int, lr: float = 0.05) -> list[float]:
    """Squared loss of four examples, gradients set to 0.0 by hand."""
    random.seed(seed)
    network = typed(value)(3, [4, 4, 1])
    rows = [[2.0, 3.0, -1.0], [3.0, -1.0, 0.5], [0.5, 1.0, 1.0], [1.0, 1.0, -1.0]]
    wanted = [1.0, -1.0, -1.0, 1.0]
    losses = []
    for _ in range(STEPS):
        outputs = [network(row) for row in rows]
        loss = sum((output - target) ** 2 for target, output in zip(wanted, outputs))
        losses.append(loss.data)
        for p in network.parameters():
            p.grad = 0.0
        loss.backward()
        for p in network.parameters():
            p.data += -lr * p.grad
    return losses


def tanh_of_micrograd(self: Any) -> Any:
    """The lecture's Value has it, and that of the repository has not."""
    t = math.tanh(self.data)
    out = type(self)(t, (self,), "tanh")

    def backward() -> None:
        self.grad += (1 - t * t) * out.grad

    out._backward = backward
    return out


@pytest.mark.parametrize("seed", [1, 42])
def test_the_lecture_gives_micrograds_losses(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whose classes the user types."""
    engine, _ = libraries()
    monkeypatch.setattr(engine.Value, "tanh", tanh_of_micrograd, raising=False)
    theirs, ours = typed_training(engine.Value, seed), typed_training(autograd.Value, seed)
    assert ours == close(theirs)
    assert ours[-1] < ours[0]


def test_typed_classes_are_ours() -> None:
    """The typed network and nn.MLP of the same numbers agree: outputs and gradients."""
    random.seed(5)
    listener = typed(autograd.Value)(3, [4, 4, 1])
    ours = nn.MLP(3, [4, 4, 1], activation=["tanh"] * 3)
    for mine, given in zip(ours.parameters(), listener.parameters()):
        mine.data = given.data
    for model in (listener, ours):
        ((model([2.0, 3.0, -1.0]) - 1.0) ** 2).backward()
    assert [p.grad for p in ours.parameters()] == close([p.grad for p in listener.parameters()])
