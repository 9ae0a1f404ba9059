"""From one neuron to a network: `MLP(2, [16, 16, 1])` takes two inputs through two hidden layers to one output.

A neuron is one `dot` node, the weighted sum of its inputs and a bias, and its activation.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from autograd import Value, dot, relu

from .module import Module

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    Input = Value | float
    Activation = Callable[[Value], Value]


class Neuron(Module):
    """activation(w · x + b), the activation being relu by default (MIT 6.390, Neural networks).

    Weights are drawn evenly from -1 to 1, the bias is 0.

    Args:
        nin: how many inputs it has.
        nonlin: False leaves the activation out.
        activation: a function of one Value, such as `autograd.tanh`.
        seed: the seed of its weights; None takes them from Python's `random`, as micrograd does.

    >>> neuron = Neuron(2, seed=1)
    >>> z = neuron([1.0, 2.0])
    >>> len(neuron.parameters())
    3
    """

    def __init__(
        self,
        nin: int,
        nonlin: bool = True,
        *,
        activation: Activation | None = None,
        seed: int | random.Random | None = None,
    ) -> None:
        draw = (_source(seed) or random).uniform
        self.w = [Value(draw(-1, 1)) for _ in range(_size(nin, "nin"))]
        self.b = Value(0.0)
        if activation is not None and not callable(activation):
            raise TypeError(f"activation is a function such as autograd.tanh, not {activation!r}")
        self.activation: Activation | None = (activation or relu) if nonlin else None

    def __call__(self, x: Iterable[Input]) -> Value:
        """The neuron's output for `nin` inputs, Values or numbers."""
        z = dot(self.w, x, self.b)
        return self.activation(z) if self.activation else z

    def __repr__(self) -> str:
        name = getattr(self.activation, "__name__", "linear") if self.activation else "linear"
        return f"Neuron({len(self.w)}, {name})"


class Layer(Module):
    """`nout` neurons that read the same `nin` inputs.

    One neuron gives a Value, several a list of them.

    >>> layer = Layer(3, 2, seed=1)
    >>> len(layer([1.0, 2.0, 3.0]))
    2
    """

    def __init__(
        self,
        nin: int,
        nout: int,
        nonlin: bool = True,
        *,
        activation: Activation | None = None,
        seed: int | random.Random | None = None,
    ) -> None:
        source = _source(seed)
        self.neurons = [Neuron(nin, nonlin, activation=activation, seed=source) for _ in range(_size(nout, "nout"))]

    def __call__(self, x: Iterable[Input]) -> Value | list[Value]:
        """The outputs of all neurons; of a single one, a Value."""
        x = _inputs(x)
        outputs = [neuron(x) for neuron in self.neurons]
        return outputs[0] if len(outputs) == 1 else outputs

    def __repr__(self) -> str:
        return f"Layer of {len(self.neurons)} × {self.neurons[0]}"


class MLP(Module):
    """A fully connected network, "multi-layer perceptron": hidden layers with an activation, the last one linear.

    Args:
        nin: how many inputs it has.
        nouts: the number of neurons of each layer; the last is the number of outputs.
        activation: of the hidden layers; relu by default.
        seed: the seed of its weights; None takes them from Python's `random`, as micrograd does.

    >>> model = MLP(2, [16, 16, 1], seed=1)
    >>> len(model.parameters())
    337
    """

    def __init__(
        self,
        nin: int,
        nouts: Sequence[int],
        *,
        activation: Activation | None = None,
        seed: int | random.Random | None = None,
    ) -> None:
        if not isinstance(nouts, (list, tuple)):
            raise TypeError(f"nouts lists the number of neurons of each layer, such as [16, 16, 1]; not {nouts!r}")
        if not nouts:
            raise ValueError("nouts lists the number of neurons of each layer, such as [16, 16, 1]; it is empty")
        source = _source(seed)
        sizes = [nin, *nouts]
        self.layers = [
            Layer(sizes[i], sizes[i + 1], nonlin=i < len(nouts) - 1, activation=activation, seed=source)
            for i in range(len(nouts))
        ]

    def __call__(self, x: Iterable[Input]) -> Value | list[Value]:
        """The output of the last layer."""
        signal: Value | list[Value] | tuple[Input, ...] = _inputs(x)
        for layer in self.layers:
            signal = layer([signal] if isinstance(signal, Value) else signal)
        return signal  # type: ignore[return-value]  # a layer's output, since there is at least one

    def __repr__(self) -> str:
        return "MLP(" + ", ".join(map(repr, self.layers)) + ")"


def _source(seed: int | random.Random | None) -> random.Random | None:
    """Where weights are drawn from: a generator of their own, or None for that of Python's `random.seed`."""
    return random.Random(seed) if isinstance(seed, int) else seed


def _inputs(x: Iterable[Input]) -> tuple[Input, ...]:
    try:
        return tuple(x)
    except TypeError:
        raise TypeError(f"the inputs are a list, such as [1.0, 2.0]; not {x!r}") from None


def _size(size: int, name: str) -> int:
    if not isinstance(size, int) or size < 1:
        raise ValueError(f"{name} is a number of neurons or inputs, 1 or more; not {size!r}")
    return size
