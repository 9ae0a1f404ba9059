"""The adjoints of a network by the names of the lectures: `print(adjoints(model, loss))` has z1, a1, ∂L/∂z1, ∂L/∂W1.

What the engine keeps number by number stands here in the shape of the layer: a vector for each example, a matrix for
the weights.
"""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from autograd import Value, nodes

from .arguments import short
from .layers import MLP, Layer

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator
    from typing import Any

    import numpy

    #: The nodes of one application of a layer, neuron by neuron.
    Row = list[Value | None]


class Adjoint(NamedTuple):
    """A vector or matrix of a layer: its numbers, and how much the loss moves per unit of each."""

    value: numpy.ndarray
    gradient: numpy.ndarray


def adjoints(model: MLP | Layer, loss: Value) -> Adjoints:
    """Values and gradients of all sums, activations and parameters of a network, after `loss.backward()`.

    W1 has shape (outputs, inputs), b1 (outputs,); z1 and a1 have (outputs,), or (examples, outputs) where the network
    was applied several times. What the loss does not depend on, such as the log_softmax of the wrong classes, is nan
    and has a gradient of 0.

    Raises:
        TypeError: for another kind of model, or a loss that is no Value.
        ValueError: if the loss does not depend on the network, or no backward pass has been run.

    >>> model = MLP(2, [3, 1], seed=1)
    >>> loss = (model([1.0, 0.5]) - 1.0) ** 2
    >>> loss.backward()
    >>> table = adjoints(model, loss)
    >>> list(table), table["W1"].gradient.shape
    (['z1', 'a1', 'W1', 'b1', 'z2', 'W2', 'b2'], (3, 2))
    """
    if not isinstance(model, (MLP, Layer)):
        raise TypeError(f"model is an MLP or a Layer, not {short(model)}")
    if not isinstance(loss, Value):
        raise TypeError(f"loss is the Value on which backward() was called, not {short(loss)}")
    if not loss.has_grad:
        raise ValueError("loss has no gradients yet: call loss.backward() first")
    found = dict(_of_layers(model.layers if isinstance(model, MLP) else [model], nodes(loss)))
    if not found:
        raise ValueError("loss does not depend on this model")
    return Adjoints(found)


class Adjoints(dict[str, Adjoint]):
    """The adjoints by name. It prints as a table."""

    def __str__(self) -> str:
        import numpy

        def shown(array: numpy.ndarray) -> list[str]:
            text = numpy.array2string(array, precision=4, suppress_small=True, threshold=40, max_line_width=60)
            return text.split("\n")

        lines = [["name", "shape", "value", "∂L/∂name"]]
        for name, (value, gradient) in self.items():
            left, right = shown(value), shown(gradient)
            for i in range(max(len(left), len(right))):
                head = [name, str(value.shape)] if i == 0 else ["", ""]
                lines.append([*head, *(side[i] if i < len(side) else "" for side in (left, right))])
        widths = [max(map(len, column)) for column in zip(*lines)]
        return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip() for line in lines)

    __repr__ = __str__


def _of_layers(layers: list[Layer], order: list[Value]) -> Iterator[tuple[str, Adjoint]]:
    """Name by name."""
    found = _found(layers, order)
    for i, layer in enumerate(layers):
        for part in ("z", "a"):
            if rows := [row for row in found[i, part].values() if any(node is not None for node in row)]:
                yield f"{part}{i + 1}", Adjoint(*(_shaped(rows, field) for field in ("data", "grad")))
        if found[i, "z"]:
            yield f"W{i + 1}", Adjoint(layer.weight, layer.weight_grad)
            yield f"b{i + 1}", Adjoint(layer.bias, layer.bias_grad)


def _found(layers: list[Layer], order: list[Value]) -> dict[tuple[int, str], dict[Hashable, Row]]:
    """For each layer and part the nodes of each application, neuron by neuron; None where the loss needs none.

    A weighted sum is known by its weights and bias, an application by what its sums read; an activation belongs to
    the sums that it is made of.
    """
    sums = {(n.w[0], n.b): (i, place) for i, layer in enumerate(layers) for place, n in enumerate(layer.neurons)}
    found: dict[tuple[int, str], dict[Hashable, Row]] = {(i, part): {} for i in range(len(layers)) for part in "za"}
    home: dict[Value, tuple[int, Hashable]] = {}  # layer and application that a node comes from
    seen: Counter[Hashable] = Counter()  # how often a neuron has read the same numbers before

    def row(i: int, part: str, application: Hashable) -> Row:
        return found[i, part].setdefault(application, [None] * len(layers[i].neurons))

    for node in order:
        ends: Any = (node.operands[0], node.operands[-1]) if node.operands else ()
        if ends in sums:
            i, place = sums[ends]
            inputs = node.operands[len(node.operands) // 2 : -1]
            home[node] = (i, (inputs, seen[ends, inputs]))
            seen[ends, inputs] += 1
            row(i, "z", home[node][1])[place] = node
        elif origins := [home[x] for x in node.operands if isinstance(x, Value) and x in home]:
            i, application = origins[0]
            activated = _place_of_activation(layers[i], node)
            if activated is None:
                home[node] = origins[0]
            else:
                row(i, "a", application)[activated] = node
    return found


def _place_of_activation(layer: Layer, node: Value) -> int | None:
    """Which neuron of the layer it is the activation of, if it is one."""
    if getattr(node.label, "part", "") != "a":
        return None
    return next((place for place, neuron in enumerate(layer.neurons) if neuron._a == node.label), None)


def _shaped(rows: list[Row], field: str) -> numpy.ndarray:
    """The numbers of one application, or of several in rows."""
    import numpy

    missing = math.nan if field == "data" else 0.0
    numbers = numpy.array([[missing if node is None else getattr(node, field) for node in row] for row in rows])
    return numbers[0] if len(rows) == 1 else numbers
