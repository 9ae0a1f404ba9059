"""What is measured, as its user would write it: a hinge loss by hand, chains and sums, a graph of 100 nodes.

    network = by_hand(Value)                                    # Value: micrograd's, ours, XAD's Real
    points, labels = data(50)
    hinge_loss([score(network, point, Value.relu) for point in points], labels, Value.relu).backward()

Nothing here knows whose numbers it works with, so all sides run the same lines on the same weights and points.
"""

from __future__ import annotations

from itertools import pairwise
from random import Random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    Neuron = tuple[list[Any], Any]
    Network = list[list[Neuron]]

#: A network of two inputs, two hidden layers of 16 neurons, and one output: 337 parameters.
SIZES = (2, 16, 16, 1)


def data(count: int) -> tuple[list[tuple[float, float]], list[float]]:
    """Two-dimensional points and their labels, -1.0 or 1.0: the same at every call."""
    random = Random(2)
    points = [(random.uniform(-1, 1), random.uniform(-1, 1)) for _ in range(count)]
    return points, [random.choice([-1.0, 1.0]) for _ in points]


def by_hand(number: Callable[[float], Any], sizes: Sequence[int] = SIZES) -> Network:
    """Layers of neurons, each its weights and its bias; every one is a `number(...)`, at random but always the same."""
    random = Random(1)
    return [
        [([number(random.uniform(-1, 1)) for _ in range(width)], number(random.uniform(-1, 1))) for _ in range(count)]
        for width, count in pairwise(sizes)
    ]


def parameters(network: Network) -> list[Any]:
    """All weights and biases, in the order of micrograd's `parameters()`."""
    return [parameter for layer in network for weights, bias in layer for parameter in [*weights, bias]]


def score(network: Network, x: Sequence[Any], relu: Callable[[Any], Any]) -> Any:
    """The output of a network for one point, as micrograd computes it: one `+` and one `*` at a time."""
    for layer in network:
        sums = [sum((weight * xi for weight, xi in zip(weights, x)), bias) for weights, bias in layer]
        x = sums if layer is network[-1] else [relu(total) for total in sums]
    return x[0]


def hinge_loss(scores: Sequence[Any], labels: Sequence[float], relu: Callable[[Any], Any]) -> Any:
    """The mean of max(0, 1 - label * score), as in micrograd's demo."""
    losses = [relu(1 + -label * output) for output, label in zip(scores, labels)]
    return sum(losses) * (1.0 / len(losses))


def chain(x: Any, length: int) -> Any:
    """x + x + x + ...: `length` nodes one after the other."""
    y = x
    for _ in range(length):
        y = y + x
    return y


def tanh_chain(number: Callable[[float], Any], tanh: Callable[[Any], Any], links: int) -> Callable[[Any], Any]:
    """The function tanh(tanh(x * p) * p) ..., of which no two nodes can be computed at once."""
    p = number(0.9)

    def f(x: Any) -> Any:
        for _ in range(links):
            x = tanh(x * p)
        return x

    return f


def products(number: Callable[[float], Any], count: int) -> Callable[[Sequence[Any]], Any]:
    """The function that adds up many products of a parameter and a number of the example, with + and *."""
    weights = [number(1 / (1 + i)) for i in range(count)]
    return lambda x: sum((weight * xi for weight, xi in zip(weights, x)), number(0.5))


def hundred_nodes(number: Callable[[float], Any], first_input: float = 0.5) -> Any:
    """A small network of three inputs: 100 nodes, its inputs, weights and sums among them."""
    inputs = [number(x) for x in (first_input, -1.0, 2.0)]
    return score(by_hand(number, (3, 4, 3, 1)), inputs, lambda total: total.tanh()).tanh()
