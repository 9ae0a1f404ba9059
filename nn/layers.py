"""From one neuron to a network: `MLP(2, [16, 16, 1])` takes two inputs through two hidden layers to one output.

A neuron is one `dot` node, the weighted sum z of its inputs and a bias, and its activation a. The nodes are labelled
as in lectures: z1[2] is the weighted sum of the second neuron of layer 1, W1[2,1] its weight for the first input.
"""

from __future__ import annotations

from functools import reduce
from operator import index
from typing import TYPE_CHECKING

from autograd import Value, dot, maximum, relu

from .activations import OF_LAYER, chosen, name_of
from .arguments import counted, is_whole, short
from .init import initialiser
from .labels import ModuleLabel
from .module import Module
from .randomness import source

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any

    import numpy

    from .activations import Activation
    from .init import Initialiser
    from .randomness import Seed, Source

    Input = Value | float


#: A layer of more weights would fill the memory of most machines: each is an object.
MOST_WEIGHTS = 10_000_000


class Neuron(Module):
    """activation(w · x + b), the activation being relu by default (MIT 6.390, Neural networks).

    Args:
        nin: how many inputs it has.
        nonlin: False leaves the activation out.
        activation: a function of one Value such as `autograd.tanh`, or its name, such as "tanh".
        init: where its weights start, a function of `nn.init` or its name; evenly from -1 to 1 by default. The bias
            starts at 0.
        seed: the seed of its weights, or a generator; None takes them from Python's `random`, as micrograd does.

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
        activation: Activation | str | None = None,
        init: Initialiser | str | None = None,
        seed: Seed | Source = None,
    ) -> None:
        draw, weight = source(seed), initialiser(init)
        self.w = [Value(weight(draw, nin, 1)) for _ in range(_size(nin, "nin"))]
        self.b = Value(0.0)
        self.activation = (relu if activation is None else chosen(activation)) if nonlin else None
        if self.activation in OF_LAYER:
            raise ValueError(f"{name_of(self.activation)} is an activation of a layer: a single neuron has no others")
        self._name("", "", "neuron", "neuron")

    def __call__(self, x: Iterable[Input]) -> Value:
        """The neuron's output for `nin` inputs, Values or numbers."""
        x = x if type(x) is tuple else _inputs(x)
        try:
            z = dot(self.w, x, self.b)
        except (TypeError, ValueError):
            _check(x, len(self.w))
            raise
        z.label = self.label
        if self.activation is None:
            return z
        a = self.activation(z)
        if not isinstance(a, Value):
            raise TypeError(f"the activation {name_of(self.activation)} returned {short(a)} instead of a Value")
        if a is not z:
            a.label = self._a
        return a

    @property
    def nonlin(self) -> bool:
        """Whether it has an activation, by micrograd's name."""
        return self.activation is not None

    def __repr__(self) -> str:
        return f"Neuron({len(self.w)}, {name_of(self.activation)})"

    def _name(self, layer: str, place: str, path: str, layer_path: str, activation: Activation | None = None) -> None:
        """Label what it makes, as neuron number `place` of a layer, which may have an activation of its own: z1[2]."""
        chosen_activation = activation or self.activation

        def label(text: str, part: str) -> ModuleLabel:
            name = name_of(chosen_activation) if part == "a" and chosen_activation else ""
            return ModuleLabel(text, neuron=path, layer=layer_path, part=part, activation=name)

        where = f"[{place}]" * bool(place)
        self.label = label(f"z{layer}{where}", "z")  # of its weighted sum
        self._a = label(f"a{layer}{where}", "a")
        for i, w in enumerate(self.w, 1):
            w.label = label(f"W{layer}[{place},{i}]" if place else f"w{layer}[{i}]", "w")
        self.b.label = label(f"b{layer}{where}", "w")


class Maxout(Module):
    """The largest of several linear neurons, an activation that is learnt (Goodfellow et al. 2013, arXiv:1302.4389).

    Args:
        nin: how many inputs it has.
        pieces: how many linear neurons it takes the largest of.
        init, seed: as for `Neuron`.

    >>> unit = Maxout(2, pieces=3, seed=1)
    >>> z = unit([1.0, 2.0])
    >>> z.data == max(neuron([1.0, 2.0]).data for neuron in unit.neurons)
    True
    """

    def __init__(self, nin: int, pieces: int = 2, *, init: Initialiser | str | None = None, seed: Seed = None) -> None:
        draw = source(seed)
        self.neurons = [Neuron(nin, False, init=init, seed=draw) for _ in range(_size(pieces, "pieces"))]
        for i, neuron in enumerate(self.neurons):
            neuron._name("", str(i + 1), f"neurons.{i}", "maxout")

    def __call__(self, x: Iterable[Input]) -> Value:
        """The largest of the sums. The gradient goes to that one alone; a tie of two splits it."""
        x = _inputs(x)
        return reduce(maximum, [neuron(x) for neuron in self.neurons])

    def __repr__(self) -> str:
        return f"Maxout of {len(self.neurons)} × {self.neurons[0]}"


class Layer(Module):
    """`nout` neurons that read the same `nin` inputs.

    One neuron gives a Value, several a list of them. `weight` and `bias` are the parameters as NumPy arrays of shapes
    (nout, nin) and (nout,), `weight_grad` and `bias_grad` their gradients in the same shapes.

    >>> layer = Layer(3, 2, seed=1)
    >>> len(layer([1.0, 2.0, 3.0])), layer.weight_grad.shape
    (2, (2, 3))
    """

    def __init__(
        self,
        nin: int,
        nout: int,
        nonlin: bool = True,
        *,
        activation: Activation | str | None = None,
        init: Initialiser | str | None = None,
        seed: Seed | Source = None,
    ) -> None:
        if _size(nin, "nin") * _size(nout, "nout") > MOST_WEIGHTS:
            raise ValueError(
                f"nin times nout is {MOST_WEIGHTS:,} or less, since each weight is a Value; not {nin * nout:,}"
            )
        draw, weight = source(seed), initialiser(init)
        act = (relu if activation is None else chosen(activation)) if nonlin else None
        self.activation = act if act in OF_LAYER else None  # those of single neurons are theirs

        def drawn(source: object, nin: int, _: int) -> float:
            return weight(draw, nin, nout)

        self.neurons = [
            Neuron(nin, act is not None and act not in OF_LAYER, activation=act, init=drawn) for _ in range(nout)
        ]
        self._name("", "layer")

    def __call__(self, x: Iterable[Input]) -> Value | list[Value]:
        """The outputs of all neurons; of a single one, a Value."""
        x = _inputs(x)
        outputs = [neuron(x) for neuron in self.neurons]
        if self.activation is not None:
            outputs = self.activation(outputs)
            for output, neuron in zip(outputs, self.neurons):
                output.label = neuron._a
        return outputs[0] if len(outputs) == 1 else outputs

    @property
    def weight(self) -> numpy.ndarray:
        """The weights, a row for each neuron."""
        return _array([[w.data for w in neuron.w] for neuron in self.neurons])

    @property
    def bias(self) -> numpy.ndarray:
        """The biases."""
        return _array([neuron.b.data for neuron in self.neurons])

    @property
    def weight_grad(self) -> numpy.ndarray:
        """The gradients of the weights, in their shape; 0 where none was computed."""
        return _array([[w.grad for w in neuron.w] for neuron in self.neurons])

    @property
    def bias_grad(self) -> numpy.ndarray:
        """The gradients of the biases; 0 where none was computed."""
        return _array([neuron.b.grad for neuron in self.neurons])

    def __repr__(self) -> str:
        after = f", {name_of(self.activation)}" if self.activation else ""
        return f"Layer of {len(self.neurons)} × {self.neurons[0]}{after}"

    def _name(self, number: str, path: str) -> None:
        alone = len(self.neurons) == 1
        for i, neuron in enumerate(self.neurons):
            neuron._name(number, "" if alone else str(i + 1), f"{path}.neurons.{i}", path, self.activation)


class MLP(Module):
    """A fully connected network, "multi-layer perceptron": hidden layers with an activation, the last one linear.

    Args:
        nin: how many inputs it has.
        nouts: the number of neurons of each layer; the last is the number of outputs.
        nonlin: False makes all layers linear.
        activation: of the hidden layers, a function or its name, relu by default; or a list with one for each layer,
            the last included, None for a linear one.
        init: where the weights start, a function of `nn.init` or its name; evenly from -1 to 1 by default.
        seed: the seed of its weights, or a generator; None takes them from Python's `random`, as micrograd does.

    >>> model = MLP(2, [16, 16, 1], seed=1)
    >>> len(model.parameters())
    337
    """

    def __init__(
        self,
        nin: int,
        nouts: Sequence[int],
        nonlin: bool = True,
        *,
        activation: Activation | str | Sequence[Activation | str | None] | None = None,
        init: Initialiser | str | None = None,
        seed: Seed | Source = None,
    ) -> None:
        if not isinstance(nouts, (list, tuple)):
            raise TypeError(f"nouts lists the number of neurons of each layer, such as [16, 16, 1]; not {short(nouts)}")
        for i, nout in enumerate(nouts):
            _size(nout, f"nouts[{i}]")
        if not nouts:
            raise ValueError("nouts lists the number of neurons of each layer, such as [16, 16, 1]; it is empty")
        draw, sizes = source(seed), [nin, *nouts]
        self.layers = [
            Layer(sizes[i], sizes[i + 1], activation=act, init=init, seed=draw)
            for i, act in enumerate(_activations(activation, len(nouts), nonlin=nonlin))
        ]
        for i, layer in enumerate(self.layers):
            layer._name(str(i + 1), f"layers.{i}")

    def __call__(self, x: Iterable[Input]) -> Value | list[Value]:
        """The output of the last layer."""
        signal: Value | list[Value] | tuple[Input, ...] = _inputs(x)
        for layer in self.layers:
            signal = layer([signal] if isinstance(signal, Value) else signal)
        return signal  # type: ignore[return-value]  # a layer's output, since there is at least one

    def __repr__(self) -> str:
        return "MLP(" + ", ".join(map(repr, self.layers)) + ")"


def _activations(
    given: Activation | str | Sequence[Activation | str | None] | None, count: int, *, nonlin: bool
) -> list[Activation | str]:
    """One for each layer."""
    if isinstance(given, (list, tuple)):
        if len(given) != count:
            raise ValueError(f"activation lists one for each of the {count} layers; {len(given)} were given")
        return ["linear" if act is None or not nonlin else act for act in given]
    hidden = "relu" if given is None else given
    return [hidden if nonlin and i < count - 1 else "linear" for i in range(count)]  # type: ignore[misc]


def _inputs(x: Iterable[Input]) -> tuple[Input, ...]:
    try:
        if not isinstance(x, (set, frozenset, dict, str)):  # a set has no order, a dict names
            return tuple(x)
    except TypeError:
        pass
    raise TypeError(f"the inputs are a list, such as [1.0, 2.0]; not {short(x)}")


def _check(x: tuple[Any, ...], nin: int) -> None:
    """An error if there are more or fewer inputs, or if they are rows; looked at when they have failed, for speed."""
    numbers = counted(nin, "number")
    if x and all(isinstance(row, (list, tuple)) or getattr(row, "ndim", 0) for row in x):
        given = f"{counted(len(x), 'row')} in a list"
        advice = "call it for each row, as in [model(row) for row in X]"
        raise TypeError(f"the inputs are one row, a list of {numbers}, not {given}: {advice}") from None
    if len(x) != nin:
        raise ValueError(f"the inputs are a list of {numbers}, not of {len(x)}") from None


def _array(rows: list[list[float]] | list[float]) -> numpy.ndarray:
    import numpy

    return numpy.array(rows)


def _size(size: int, name: str) -> int:
    if not is_whole(size) or size < 1:
        raise ValueError(f"{name} is a number of neurons or inputs, 1 or more; not {short(size)}")
    if size > MOST_WEIGHTS:
        raise ValueError(f"{name} is {MOST_WEIGHTS:,} or less, since each weight is a Value; not {short(size)}")
    return index(size)
