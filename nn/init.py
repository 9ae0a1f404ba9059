"""How weights start: `MLP(2, [16, 1], init=nn.init.he)`, or by name, `init="he"`.

An initialiser is a function of a source of random numbers, the number of inputs and the number of outputs, that gives
one weight. All but `zeros` and `constant` break the symmetry: neurons that start equal stay equal for ever.
"""

from __future__ import annotations

import math
from functools import wraps
from typing import TYPE_CHECKING, Any

from .arguments import finite, short

if TYPE_CHECKING:
    from collections.abc import Callable

    from .randomness import Source

    Initialiser = Callable[[Source, int, int], float]

__all__ = ["constant", "gaussian", "he", "uniform", "xavier", "zeros"]

#: What an initialiser is called with.
CALL = "(source, nin, nout)"


def _of_weights(function: Initialiser) -> Initialiser:
    """The function, which says how it is meant if it is called as `constant` is."""

    @wraps(function)
    def checked(*arguments: Any, **named: Any) -> float:
        if len(arguments) + len(named) != 3:
            name = function.__name__
            raise TypeError(f"{name} is given as it is, init={name}: layers call it for each weight, as {name}{CALL}")
        return function(*arguments, **named)

    return checked


@_of_weights
def uniform(source: Source, nin: int, nout: int) -> float:
    """Evenly from -1 to 1, as micrograd has it.

    >>> import random
    >>> -1 <= uniform(random.Random(0), 3, 1) <= 1
    True
    """
    return source.uniform(-1, 1)


@_of_weights
def zeros(source: Source, nin: int, nout: int) -> float:
    """0: no gradient gets through a layer of ReLU, and no neuron differs from another. For comparison only.

    >>> zeros(None, 3, 1)
    0.0
    """
    return 0.0


def constant(value: float) -> Initialiser:
    """Every weight the same.

    >>> constant(0.5)(None, 3, 1)
    0.5
    """
    number = finite(value, "value")
    return lambda source, nin, nout: number


@_of_weights
def gaussian(source: Source, nin: int, nout: int) -> float:
    """Normal with variance 1 / nin, so that the size of z does not depend on the number of inputs (MIT 6.036).

    >>> import random
    >>> abs(gaussian(random.Random(0), 10_000, 1)) < 0.1
    True
    """
    return source.gauss(0.0, math.sqrt(1 / nin))


@_of_weights
def he(source: Source, nin: int, nout: int) -> float:
    """Normal with variance 2 / nin, for ReLU, which lets half of it through (He et al. 2015, arXiv:1502.01852).

    >>> import random
    >>> abs(he(random.Random(0), 10_000, 1)) < 0.1
    True
    """
    return source.gauss(0.0, math.sqrt(2 / nin))


@_of_weights
def xavier(source: Source, nin: int, nout: int) -> float:
    """Normal with variance 2 / (nin + nout), a compromise of forward and backward (Glorot and Bengio 2010).

    >>> import random
    >>> abs(xavier(random.Random(0), 10_000, 10_000)) < 0.1
    True
    """
    return source.gauss(0.0, math.sqrt(2 / (nin + nout)))


#: The initialisers by the names that `init=` takes.
BY_NAME: dict[str, Initialiser] = {
    "uniform": uniform,
    "zeros": zeros,
    "gaussian": gaussian,
    "he": he,
    "xavier": xavier,
}


def initialiser(init: Initialiser | str | None) -> Initialiser:
    """The one that is meant; micrograd's if none is."""
    if init is None:
        return uniform
    if isinstance(init, str):
        if init not in BY_NAME:
            raise ValueError(
                f"init is one of {', '.join(map(repr, BY_NAME))}, or a function of nn.init; not {short(init)}"
            )
        return BY_NAME[init]
    if not callable(init) or isinstance(init, type):
        raise TypeError(f"init is a name such as 'he' or a function of nn.init, not {short(init)}")
    if init in BY_NAME.values():
        return init
    _check_call(init)
    return lambda source, nin, nout: finite(init(source, nin, nout), "what init gives")


def _check_call(init: Initialiser) -> None:
    """An error if it takes other arguments; of some functions nothing is known."""
    from inspect import signature

    try:
        taken = signature(init)
    except ValueError:
        return
    try:
        taken.bind(*range(3))
    except TypeError:
        name, names = getattr(init, "__name__", type(init).__name__), ", ".join(taken.parameters)
        raise TypeError(f"init is called for each weight, as init{CALL}; {name} takes ({names})") from None
