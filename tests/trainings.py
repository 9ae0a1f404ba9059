"""Small trainings for the tests of `fit(compile=True)`: data, losses with what they go with, and `agree`.

`agree` trains twice, eagerly and compiled, and compares every number.
"""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

import autograd as ag
import nn
from autograd import Value
from nn import MLP, History, Module, fit
from nn.datasets import blobs, moons

if TYPE_CHECKING:
    from collections.abc import Callable

bce = nn.binary_cross_entropy_with_logits

X20, Y20 = moons(20, seed=3)
X3, Y3 = blobs(21, classes=3, noise=0.8, seed=4)
SIGNS = 2 * Y20 - 1
PAIRS = np.column_stack([X20.sum(1), X20[:, 0] * X20[:, 1]])


class Run(NamedTuple):
    """A training that is over."""

    history: History
    parameters: list[float]
    model: Any


def small(seed: int = 1) -> MLP:
    return MLP(2, [4, 1], activation="tanh", seed=seed)


def numbers(model: Any) -> list[float]:
    return [parameter.data for parameter in model.parameters()]


def trained(
    make: Callable[[], Any] = small,
    X: Any = X20,
    y: Any = Y20,
    *,
    optimizer: Callable[[Any], Any] | None = None,
    **arguments: Any,
) -> Run:
    """A model of its own, trained."""
    model = make()
    arguments = {"loss": bce, "epochs": 30, "seed": 1, "progress": False, **arguments}
    history = fit(model, X, y, optimizer=None if optimizer is None else optimizer(model), **arguments)
    return Run(history, numbers(model), model)


def close(x: Any, y: Any) -> bool:
    """The same but for rounding: lists of numbers, or histories."""
    if isinstance(x, History):
        return (x.stopped, x.interrupted) == (y.stopped, y.interrupted) and all(
            close(getattr(x, name), getattr(y, name)) for name in nn.training.COLUMNS
        )
    return len(x) == len(y) and all(math.isclose(a, b, rel_tol=1e-9, abs_tol=1e-9) for a, b in zip(x, y))


def agree(*given: Any, **arguments: Any) -> tuple[Run, Run]:
    """Train eagerly and compiled: the same history, and the same parameters."""
    eager, compiled = (trained(*given, compile=choice, **arguments) for choice in (False, True))
    assert len(eager.history) >= 1
    assert close(eager.history, compiled.history), f"{eager.history}\n{compiled.history}"
    assert close(eager.parameters, compiled.parameters)
    return eager, compiled


class Slope(Module):
    """w * x."""

    def __init__(self) -> None:
        self.w = Value(1.0)

    def __call__(self, row: Any) -> Value:
        return self.w * row[0]


# ----- What is learnt -----

PROBABILITIES = (0.1 + 0.8 * Y20).tolist()
DISTRIBUTIONS = [[0.7, 0.2, 0.1] if c == 0 else [0.1, 0.1 * c, 0.9 - 0.1 * c] for c in Y3.tolist()]


class Task(NamedTuple):
    """A loss, with what it goes with."""

    loss: Callable[..., Any]
    outputs: int = 1
    last: str = "linear"
    X: Any = X20
    y: Any = Y20


def of_three(loss: Callable[..., Any], last: str = "linear", y: Any = Y3) -> Task:
    return Task(loss, 3, last, X3, y)


def likelihood(outputs: Any, wanted: Any) -> Any:
    """Of classes as numbers, which choose an output."""
    return ag.mean([-ag.log(row[c]) for row, c in zip(outputs, wanted)])


def huber(outputs: Any, wanted: Any) -> Any:
    distances = [abs(output - y) for output, y in zip(outputs, wanted)]
    return ag.mean([ag.where(d < 1, 0.5 * d * d, d - 0.5) for d in distances])


TASKS = {
    "mse_loss": Task(nn.mse_loss, y=X20.sum(1)),
    "mse_loss of two outputs": Task(nn.mse_loss, 2, y=PAIRS),
    "mse_loss of two outputs, by name": Task(partial(nn.mse_loss, reduction="mean"), 2, y=PAIRS.tolist()),
    "mse_loss of classes 0 and 1": Task(nn.mse_loss, last="sigmoid"),
    "mse_loss of signs": Task(nn.mse_loss, last="tanh", y=SIGNS),
    "mse_loss of counts": Task(nn.mse_loss, y=[1, 2, 3, 2] * 5),
    "l1_loss": Task(nn.l1_loss, y=X20.sum(1)),
    "hinge_loss": Task(nn.hinge_loss, y=SIGNS),
    "hinge_loss of floats": Task(nn.hinge_loss, y=SIGNS.astype(float)),
    "binary_cross_entropy": Task(nn.binary_cross_entropy, last="sigmoid"),
    "binary_cross_entropy of probabilities": Task(nn.binary_cross_entropy, last="sigmoid", y=PROBABILITIES),
    "binary_cross_entropy_with_logits": Task(bce),
    "binary_cross_entropy_with_logits of probabilities": Task(bce, y=PROBABILITIES),
    "nll_loss": of_three(nn.nll_loss, "log_softmax"),
    "nll_loss of two classes": Task(nn.nll_loss, 2, "log_softmax"),
    "cross_entropy": of_three(nn.cross_entropy),
    "cross_entropy of two classes": Task(nn.cross_entropy, 2),
    "cross_entropy of classes that do not occur": Task(nn.cross_entropy, 4),
    "cross_entropy of probabilities": of_three(nn.cross_entropy, y=DISTRIBUTIONS),
    "multi_margin_loss": of_three(nn.multi_margin_loss),
    "multi_margin_loss squared": of_three(partial(nn.multi_margin_loss, p=2, margin=0.5)),
    "multiclass_svm_loss": of_three(nn.multiclass_svm_loss),
    "the likelihood by hand": of_three(likelihood, "softmax"),
    "Huber's, with a choice": Task(huber, y=3 * X20.sum(1)),
}
