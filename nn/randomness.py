"""Where random numbers come from: `seed=` is a number, a generator of NumPy's or of Python's, or None for Python's own.

The same number gives the same draws on every machine. None leaves it to `random.seed`, as micrograd does.
"""

from __future__ import annotations

import random
from operator import index
from typing import TYPE_CHECKING, Any, Protocol

from .arguments import is_whole, short

if TYPE_CHECKING:
    import numpy

    Seed = int | random.Random | numpy.random.Generator | None


class Source(Protocol):
    """What is drawn from: Python's generators have all of it."""

    def random(self) -> float:
        """A number from 0 to 1."""

    def uniform(self, a: float, b: float) -> float:
        """A number from a to b, evenly."""

    def gauss(self, mu: float, sigma: float) -> float:
        """A normal number with that mean and standard deviation."""

    def shuffle(self, x: list[Any]) -> None:
        """Put a list into random order, in place."""


class _OfNumPy:
    """A generator of NumPy's as a source."""

    def __init__(self, generator: numpy.random.Generator) -> None:
        self._generator = generator

    def random(self) -> float:
        return float(self._generator.random())

    def uniform(self, a: float, b: float) -> float:
        return float(self._generator.uniform(a, b))

    def gauss(self, mu: float, sigma: float) -> float:
        return float(self._generator.normal(mu, sigma))

    def shuffle(self, x: list[Any]) -> None:
        x[:] = [x[i] for i in self._generator.permutation(len(x))]


def source(seed: Seed | Source) -> Source:
    """What to draw from.

    >>> source(1).random() == source(1).random()
    True
    """
    if seed is None:
        return random  # the module has the functions of its hidden generator
    given: Any = seed
    if is_whole(given):
        return random.Random(index(given))
    if not hasattr(given, "uniform"):
        raise TypeError(f"seed is a whole number, a numpy.random.Generator or None; not {short(given)}")
    generator: Source = _OfNumPy(given) if hasattr(given, "permutation") else given
    return generator
