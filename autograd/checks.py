"""Derivatives by moving an input a little: the check on every gradient.

central_difference(f, 2.0, 3.0, arg=0)      # of a function
nudge(y, x, 0.01)                           # of a recorded graph: the predicted change and the true one
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from .graph import label_of
from .scalars import as_number
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


class Nudge(NamedTuple):
    """What a small change of one number does to the root."""

    predicted: float
    actual: float
    gap: float


def nudge(root: Value, x: Value, h: float = 1e-3) -> Nudge:
    """Move `x` by `h` and see by how much `root` moves: what a gradient means.

    The recorded graph is replayed with the changed number; it is not changed itself. `x` may also be a result. Python's
    own branches (`if x > 0`) are not taken anew.

    Returns:
        predicted, gradient times h; actual, the true change; gap, actual - predicted, of the order of h².

    Raises:
        ValueError: if `root` does not depend on `x`, if data was set since, or where the new number has no value.

    >>> from autograd import Value, nudge
    >>> x = Value(3.0, "x")
    >>> y = x * x
    >>> predicted, actual, gap = nudge(y, x, 0.5)
    >>> predicted, actual, gap
    (3.0, 3.25, 0.25)
    """
    for given, role in ((root, "root"), (x, "x")):
        if not isinstance(given, Value):
            raise TypeError(f"nudge takes Values; {role} is a {type(given).__name__}")
    step = as_number(h, "nudge()")
    log = current_log(root)
    if x not in log.adjoints:
        raise ValueError(f"the graph of {log.name[root]} does not contain {label_of(x) or 'this Value'}")
    moved: dict[Any, float] = {x: x.data + step}
    for node in log.order:
        if node.primitive is not None and node is not x and any(operand in moved for operand in node.operands):
            numbers = [moved.get(n, n.data) if isinstance(n, Value) else n for n in node.operands]
            moved[node] = node.primitive.value(numbers, node.operands)
    predicted, actual = log.adjoints[x] * step, moved.get(root, root.data) - root.data
    return Nudge(predicted, actual, actual - predicted)
