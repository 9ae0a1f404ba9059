"""Derivatives by moving an input a little: the check on every gradient, `central_difference(f, 2.0, 3.0, arg=0)`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .scalars import as_number

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


def central_difference(f: Callable[..., Any], *values: float, arg: int = 0, eps: float = 1e-6) -> float:
    """The slope of `f` in its argument number `arg`: (f(x + eps) - f(x - eps)) / 2 eps.

    Its error is of the order of eps² (the formula) and of 1e-16 / eps (rounding), so about 1e-10 of the value at
    best (Numerical Recipes, 5.7).

    Args:
        f: a function of numbers or of Values; it is called with floats.
        values: where.

    >>> round(central_difference(lambda x, y: x * x * y, 3.0, 5.0), 6)
    30.0
    """
    if not 0 <= arg < len(values):
        raise ValueError(f"arg is the position of one of the {len(values)} values, not {arg!r}")
    if not eps > 0:
        raise ValueError(f"eps is a small positive step, not {eps!r}")
    numbers = [as_number(value, "central_difference()") for value in values]
    above, below = numbers.copy(), numbers.copy()
    above[arg] += eps
    below[arg] -= eps
    # What was moved is not exactly 2 eps: floats near x are further apart than that.
    return (_number(f(*above)) - _number(f(*below))) / (above[arg] - below[arg])


def _number(result: Any) -> float:
    return as_number(getattr(result, "data", result), "the result of f")
