"""The loss of a row as it is compiled: how it takes targets, which are cases, and whether two graphs do the same."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pytest
from trainings import TASKS, Slope, agree, close, trained

import autograd as ag
from autograd import Value
from nn import MLP
from nn.graphs import same_operations
from nn.row_losses import RowLoss

if TYPE_CHECKING:
    from collections.abc import Callable


class Task(NamedTuple):
    """What a RowLoss is made of."""

    model: Any
    loss: Any
    rows: list[Any]
    targets: list[Any]
    held_out: None = None


# ----- Cases -----


@pytest.mark.parametrize("name", TASKS)
def test_what_is_computed_for_each_target(name: str) -> None:
    """A loss that computes with its targets is compiled once, one that chooses by them for each class."""
    task = TASKS[name]
    targets = np.asarray(task.y).tolist()
    model = MLP(2, [4, task.outputs], activation=["tanh", task.last], seed=2)
    row_loss = RowLoss(Task(model, task.loss, task.X.tolist(), targets))
    chooses = ("nll", "multi", "the likelihood")
    by_class = name.startswith(chooses) or name == "binary_cross_entropy"
    assert len(row_loss.cases) == (len(set(targets)) if by_class else 1)
    for i in (0, 5, 10):
        output, numbers = model(task.X[i]), row_loss.columns(targets)[i].tolist()
        wanted, found = task.loss([output], [targets[i]]), row_loss(output, numbers)
        assert close([wanted.data], [found.data])
        assert row_loss.shelter() == (by_class and i == 0)


def test_too_many_targets_to_choose_by() -> None:
    """Each would be computed for every row."""

    def loss(outputs: Any, wanted: Any) -> Any:
        return ag.mean([(a - math.sqrt(y)) ** 2 for a, y in zip(outputs, wanted)])

    some, many = np.linspace(0, 1, 20), np.linspace(0, 1, 200)
    agree(Slope, some[:, None], some, loss=loss, epochs=3)
    with pytest.raises(ValueError, match="something of its own with each of more than 100 targets, such as 0.50"):
        trained(Slope, many[:, None], many, loss=loss, epochs=3, compile=True)


# ----- Whether two graphs do the same -----


def test_graphs_that_do_the_same() -> None:
    """The leaves that both have are their variables."""
    x, w = Value(3.0, "x"), Value(5.0, "w")

    def pair(f: Callable[[Any], Value], number: float) -> bool:
        return same_operations(f(number), f(Value(number)))

    assert pair(lambda y: x * y + w * (1 - y) ** 2, 0.3)
    assert pair(lambda y: ag.where(y, x, w), 0.0)
    assert pair(lambda y: ag.dot([x, w], [y, 1 - y], ag.log(y)), 0.3)
    assert pair(lambda y: Value(2.0) * x * y, 1.0)
    assert not pair(lambda y: x if y == 1 else 1.0 * w, 1)
    assert not pair(lambda y: x * 1.0 if isinstance(y, Value) else x, 1.0)
    assert not same_operations(x + w, w + x)
    assert not same_operations(x + x, x * 2.0)
    assert not same_operations(x - 1.0, x - 2.0)
    assert same_operations(x, x)
    assert not same_operations(x, w)
    assert same_operations(Value(2.0), Value(1.0) + 1.0)

    def chain(y: Any) -> Value:
        for _ in range(100_000):
            y = y + x
        return y

    assert pair(chain, 1.0)
