"""The loss of a row as it is compiled: how it takes targets, which are cases, and whether two graphs do the same."""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pytest
from trainings import SIGNS, TASKS, X3, X20, Y3, Slope, agree, close, trained

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


def cases(model: Any, X: Any, y: Any, loss: Any) -> int:
    """How many cases a loss has."""
    return len(RowLoss(Task(model, loss, np.asarray(X).tolist(), np.asarray(y).tolist())).cases)


def mean_of(loss: Callable[[Any, Any], Any]) -> Callable[..., Any]:
    """The loss of a row, for many."""
    return lambda outputs, wanted: ag.mean([loss(o, y) for o, y in zip(outputs, wanted)])


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


def test_more_than_a_thousand_targets() -> None:
    """All are looked at: some above the thousandth have a weight of their own."""
    X, y = np.linspace(-1.0, 1.0, 1500)[:, None], np.linspace(0.0, 1.0, 1500)
    weights = {target: 5.0 + i for i, target in enumerate(y[1200::30].tolist())}
    loss = mean_of(lambda o, y: weights.get(y, 1.0) * (o - y) ** 2)
    agree(Slope, X, y, loss=loss, epochs=3)
    assert cases(Slope(), X, y, loss) == len(weights) + 1


WEIGHTS = [0.5, 2.0, 1.0]

#: The loss of a row of one output, and of three; each decides by its target what is computed, in its own way.
DECIDING: dict[str, tuple[int, Callable[[Any, Any], Any]]] = {
    "== 1": (1, lambda o, y: ag.relu(1 - o) if y == 1 else ag.relu(1 + o)),
    "> 0": (1, lambda o, y: o * o if y > 0 else o),
    "in (1, 2)": (1, lambda o, y: o * o - y if y in (1, 2) else o * y),
    "a number as a condition": (1, lambda o, y: o * o if y else o),
    "max": (1, lambda o, y: (o - max(y, 1)) ** 2),
    "a place": (1, lambda o, y: WEIGHTS[y] * (o - y) ** 2),
    "a range": (1, lambda o, y: ag.sum([o * o, *(o * k for k in range(y))])),
    "a dictionary": (1, lambda o, y: {2: 3.0}.get(y, 1.0) * (o - y) ** 2),
    "a number for some": (1, lambda o, y: ag.sum([(o - 1.0) ** 2 if y else 0.0]) * 0.5),
    "== 1, of three outputs": (3, lambda o, y: o[0] * o[2] if y == 1 else ag.sum(o)),
    "> 0, of three outputs": (3, lambda o, y: o[0] * o[2] if y > 0 else o[1]),
    "== in a sum over classes": (3, lambda o, y: ag.sum([(z - (k == y)) ** 2 for k, z in enumerate(o)])),
}


@pytest.mark.parametrize("batch_size", [None, 8])
@pytest.mark.parametrize("name", DECIDING)
def test_losses_that_decide_by_their_targets(name: str, batch_size: int | None) -> None:
    """Each target is a case, whichever comes first and whether a Value in its place would do."""
    outputs, loss = DECIDING[name]
    arguments: dict[str, Any] = {"loss": mean_of(loss), "epochs": 4, "batch_size": batch_size}
    model = partial(MLP, 2, [3, outputs], activation=["tanh", "linear"], seed=2)
    agree(model, X3, Y3, validation=(X3[:5], Y3[:5]), **arguments)
    agree(model, X3, 2 - Y3, **arguments)


@pytest.mark.parametrize("batch_size", [None, 6])
def test_losses_that_decide_by_signs_and_floats(batch_size: int | None) -> None:
    hinge = mean_of(lambda o, y: ag.relu(1 - o) if y == 1 else ag.relu(1 + o))
    agree(y=SIGNS, loss=hinge, epochs=4, batch_size=batch_size)
    agree(y=SIGNS.astype(float), loss=hinge, epochs=4, batch_size=batch_size)
    quantile = mean_of(lambda o, y: 0.9 * abs(o - y) if y > 1.5 else 0.1 * abs(o - y))
    agree(y=X20.sum(1), loss=quantile, epochs=4, batch_size=batch_size)


def test_a_loss_that_decides_by_a_row_of_numbers() -> None:
    """The place of the largest."""
    rows = np.eye(3)[Y3]
    loss = mean_of(lambda o, y: -ag.log(o[max(range(3), key=lambda j: y[j])]))
    agree(partial(MLP, 2, [3], activation=["softmax"], seed=1), X3, rows, loss=loss, epochs=4, batch_size=8)


def test_a_choice_among_too_many_targets_can_be_written_with_where() -> None:
    """As the error advises; then it is no case."""
    X, y = np.linspace(0.1, 1, 300)[:, None], np.linspace(-1, 1, 300)
    with pytest.raises(ValueError, match=r"more than 100 targets.* such as where\(y > 0, a, b\)$"):
        trained(Slope, X, y, loss=mean_of(lambda o, y: o * o if y > 0 else o), compile=True)
    loss = mean_of(lambda o, y: ag.where(y > 0, o * o, o))
    agree(Slope, X, y, loss=loss, epochs=3)
    assert cases(Slope(), X, y, loss) == 1


def test_a_loss_that_decides_by_outputs_is_refused_for_that() -> None:
    """However many targets there are, and if it decides by these, too: the error tells the line."""
    huber = mean_of(lambda o, y: 0.5 * (o - y) ** 2 if abs(o - y) < 1 else abs(o - y) - 0.5)
    for count in (20, 300):
        rows = np.linspace(-3, 3, count)
        with pytest.raises(TypeError, match=r"test_row_losses.py:\d+: huber = .*abs\(o - y\) < 1"):
            trained(Slope, rows[:, None], rows, loss=huber, compile=True)


@pytest.mark.parametrize("count", [83, 300])
def test_whole_numbers_that_are_no_classes(count: int) -> None:
    """Mean and logarithm of a variance, of counts: two outputs, and the target is one number."""
    y = np.arange(count)
    X = np.column_stack([y / count, np.cos(y)])
    loss = mean_of(lambda o, y: (o[0] - 0.01 * y) ** 2 * ag.exp(-o[1]) + o[1])
    model = partial(MLP, 2, [3, 2], activation=["tanh", "linear"], seed=1)
    agree(model, X, y, loss=loss, epochs=3)
    assert cases(model(), X, y, loss) == 1


def test_whole_numbers_some_of_which_are_chosen() -> None:
    """The first ones have weights of their own; the target is a number all the same."""
    y = np.arange(150)
    loss = mean_of(lambda o, y: {0: 2.0, 1: 3.0}.get(y, 1.0) * ((o[0] - 0.01 * y) ** 2 + o[1] ** 2))
    X = np.column_stack([y / 150, np.cos(y)])
    agree(partial(MLP, 2, [2], seed=1), X, y, loss=loss, epochs=3)
    assert cases(MLP(2, [2], seed=1), X, y, loss) == 3


def test_a_loss_that_is_a_number_for_most_rows() -> None:
    """Also for all rows that are looked at before the training: one in 30 counts."""
    X, y = np.linspace(-1, 1, 60)[:, None], np.zeros(60)
    y[[10, 40]] = 1.0

    def loss(outputs: Any, wanted: Any) -> Any:
        return ag.sum([(a - 1.0) ** 2 if y else 0.0 for a, y in zip(outputs, wanted)]) * (1 / len(wanted))

    assert not y[::3].any()
    agree(Slope, X, y, loss=loss, epochs=3, validation=(X[:5], y[:5]))
    for choice in (False, True):
        with pytest.raises(TypeError, match="loss gives one Value, such as a mean over the batch; not 0.0"):
            trained(Slope, X, 0 * y, loss=loss, compile=choice)


@pytest.mark.parametrize("name", ["a number", "a list"])
def test_sheltered_outputs_are_laid_out_as_the_model_has_them(name: str) -> None:
    """A Value alone, or a list of one."""

    class Listed(Slope):
        def __call__(self, row: Any) -> Any:
            output = super().__call__(row)
            return output if name == "a number" else [output]

    def loss(o: Any, y: Any) -> Any:
        z = o if name == "a number" else o[0]
        return -ag.log(z) if y == 1 else -ag.log(-z)

    agree(Listed, [[1.0], [-2.0], [3.0]], [1, 0, 1], loss=mean_of(loss), epochs=3)


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
