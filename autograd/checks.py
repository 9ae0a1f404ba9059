"""Derivatives by moving an input a little: the check on every gradient.

`central_difference(f, 2.0, 3.0, arg=0)` is the slope of a function; `nudge(y, x, 0.01)` moves a number of a recorded
graph, and compares the change that its gradient predicts with the true one.
"""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING, NamedTuple

from .notation import called, number
from .scalars import as_number, with_article
from .steps import current_log
from .value import Value

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
    if type(arg) is not int or not 0 <= arg < len(values):
        raise ValueError(f"arg is the position of one of the {len(values)} values, not {arg!r}")
    eps = as_number(eps, "eps")
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


class Nudge(NamedTuple):
    """What a small change of one number does to the root."""

    predicted: float
    actual: float
    gap: float

    def __repr__(self) -> str:
        """The numbers to six digits: it is their comparison that tells something."""
        numbers = (f"{field}={number(x)}" for field, x in zip(self._fields, self))
        return f"Nudge({', '.join(numbers)})"


def nudge(root: Value, x: Value, h: float = 1e-3) -> Nudge:
    """Move `x` by `h` and see by how much `root` moves: what a gradient means.

    The recorded graph is replayed with the changed number; it is not changed itself. `x` may also be a result. Python's
    own branches (`if x > 0`) are not taken anew.

    Returns:
        predicted, gradient times h; actual, the true change; gap, actual - predicted, of the order of h².

    Raises:
        ValueError: if `root` does not depend on `x`, or data was set since it was computed.
        ValueError, ArithmeticError: where the new number has no value.

    >>> from autograd import Value, nudge
    >>> x = Value(3.0, "x")
    >>> y = x * x
    >>> nudge(y, x, 0.5)
    Nudge(predicted=3, actual=3.25, gap=0.25)
    """
    for given, role in ((root, "root"), (x, "x")):
        if not isinstance(given, Value):
            raise TypeError(f"nudge takes Values; {role} is {with_article(type(given).__name__)}")
    step = as_number(h, "nudge()")
    if not isfinite(step) or step == 0:
        raise ValueError(f"h is a small step other than 0, not {h!r}")
    log = current_log(root)
    if x not in log.adjoints:
        raise ValueError(f"the graph of {log.name[root]} does not contain {called(x)}")
    moved: dict[Any, float] = {x: x.data + step}
    for node in log.order:
        if node.primitive is not None and node is not x and any(operand in moved for operand in node.operands):
            numbers = [
                moved.get(operand, operand.data) if isinstance(operand, Value) else operand for operand in node.operands
            ]
            moved[node] = node.primitive.value(numbers, node.operands)
    # x + h is rounded to a float: what counts is how far x has moved.
    predicted, actual = log.adjoints[x] * (moved[x] - x.data), moved.get(root, root.data) - root.data
    return Nudge(predicted, actual, actual - predicted)
