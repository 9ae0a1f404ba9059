"""What a model gives for many rows, as numbers: for answers, for measuring on held-out data, and for pictures.

    [as_numbers(model(row)) for row in rows]    # exactly what the model gives, a list for each row
    over(model, rows, network)                  # an array; a network of layers takes all rows at once, by NumPy

Each row is recorded as ever and its graph dropped at once: that is quicker than `no_grad`, and takes no memory either.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from autograd import Value, nodes

from .activations import BY_NAME
from .arguments import short
from .layers import MLP, Layer, Neuron

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    import numpy


def as_list(outputs: Any) -> Sequence[Any]:
    """The outputs of a model, one Value or a list of them, as a list."""
    return outputs if isinstance(outputs, (list, tuple)) else [outputs]


def as_numbers(outputs: Any) -> list[float]:
    """The outputs of a model as numbers.

    >>> as_numbers(Value(2.0)), as_numbers([Value(2.0), 3])
    ([2.0], [2.0, 3.0])
    """
    try:
        return [x.data if isinstance(x, Value) else float(x) for x in as_list(outputs)]
    except (TypeError, ValueError):
        raise TypeError(f"model gives a Value for a row, or a list of them; not {short(outputs)}") from None


def as_leaves(outputs: Any) -> Any:
    """The outputs of a model, laid out as they are, without the graphs they come from."""
    if isinstance(outputs, (list, tuple)):
        return [as_leaves(output) for output in outputs]
    return Value(outputs.data) if isinstance(outputs, Value) else outputs


def over(model: Callable[[list[Any]], Any], rows: Sequence[Sequence[float]], network: Any) -> numpy.ndarray:
    """The outputs of `model` for each row, an array of shape (rows, outputs).

    Args:
        model: what is called on a row.
        rows: plain numbers.
        network: the module that `model` computes with. If it is made of layers alone, whose activations have a name,
            one row is recorded and its operations then take all rows at once; the last digits may differ from those
            of the model itself. Others may do one thing for one row and another for the next, and are asked each time.

    >>> model = MLP(2, [3, 1], seed=1)
    >>> over(model, [[0.0, 1.0], [2.0, 3.0]], model).shape
    (2, 1)
    """
    import numpy

    if _is_of_layers(network):
        leaves = [Value(number) for number in rows[0]]
        outputs = as_list(model(leaves))
        if all(output.operands for output in outputs):  # there is a graph: no_grad is not on
            return _replayed(outputs, dict(zip(leaves, numpy.array(rows, float).T)), len(rows))
    return numpy.array([as_numbers(model(list(row))) for row in rows])


def _is_of_layers(network: Any) -> bool:
    """Whether it does the same with every row: layers do, if their activations do."""
    layers = network.layers if type(network) is MLP else [network]
    return all(
        type(layer) is Layer
        and layer.activation in BY_NAME.values()
        and all(type(neuron) is Neuron and neuron.activation in BY_NAME.values() for neuron in layer.neurons)
        for layer in layers
    )


def _replayed(outputs: Sequence[Value], columns: dict[Value, Any], count: int) -> numpy.ndarray:
    """The numbers of `outputs` where the leaves have many, each a column."""
    import numpy

    with numpy.errstate(all="ignore"):
        for output in outputs:
            for node in nodes(output):
                if node not in columns:
                    operands = [columns[x] if isinstance(x, Value) else x for x in node.operands]
                    columns[node] = node.primitive.array(*operands) if node.primitive else node.data
    return numpy.stack([numpy.broadcast_to(columns[output], count) for output in outputs], axis=1)
