"""Where a Value meets what is not a Value: NumPy's functions and arrays, and what wants a plain number of it.

np.tanh(v), np.float64(3) * v       # Values
np.array([1.0, 2.0]) * v            # an array of Values
math.tanh(v)                        # an error that says what to write: a float would lose the graph
"""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING

from .primitives import PRIMITIVES

if TYPE_CHECKING:
    from typing import Any, NoReturn

    import numpy

COMPARISONS = {
    "less": operator.lt,
    "less_equal": operator.le,
    "greater": operator.gt,
    "greater_equal": operator.ge,
    "equal": operator.is_,
    "not_equal": operator.is_not,
}

EXTREMA = ("maximum", "minimum")

OF_ONE = (
    "np.sum, np.max and other reductions take several numbers, and this is one Value: "
    "its sum and its maximum are v itself; of several, write autograd.sum([v, w]) or autograd.maximum(v, w)"
)


class NumPyInterplay:
    """Gives a Value its part in NumPy's functions (https://numpy.org/neps/nep-0013-ufunc-overrides.html)."""

    __slots__ = ()

    def __array_ufunc__(self, ufunc: numpy.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        """`np.tanh(v)` is our tanh, found by its name; beside an array, elementwise in an array of objects."""
        import numpy

        # A NumPy scalar beside an operator comes as an array without dimensions.
        inputs = tuple(x.item() if isinstance(x, (numpy.ndarray, numpy.generic)) and not x.ndim else x for x in inputs)
        name = ufunc.__name__
        if any(isinstance(x, numpy.ndarray) for x in inputs):
            if name in EXTREMA and method == "__call__" and not options:
                # NumPy would hand out the larger operand itself, and there would be no node that says so.
                return numpy.frompyfunc(PRIMITIVES[name], 2, 1)(*map(_boxed, inputs))
            return getattr(ufunc, method)(*map(_boxed, inputs), **options)
        if method == "reduce":
            raise TypeError(f"{OF_ONE} (np.{name}.reduce was called)")
        if method != "__call__":
            raise TypeError(f"np.{name}.{method} takes no Value; write the expression out")
        if options:
            named = ", ".join(f"{option}=" for option in options)
            raise TypeError(f"np.{name} of a Value takes no {named}; write the expression out")
        if name in COMPARISONS:
            return bool(COMPARISONS[name](*inputs))
        if name in PRIMITIVES:
            return PRIMITIVES[name](*inputs)
        advice = "write it with operators (x**2, 1 / x) and autograd's functions, or take the number with .data"
        raise TypeError(f"np.{name} is no primitive of autograd, and the number alone would lose the graph: {advice}")


def _boxed(operand: Any) -> Any:
    """A Value as an array of no dimensions, so that NumPy broadcasts it; all else as it is."""
    if not isinstance(operand, NumPyInterplay):
        return operand
    import numpy

    box = numpy.empty((), dtype=object)
    box[()] = operand
    return box


class NumberRefusals:
    """What would turn a Value into a plain number, and lose the graph without a word, is an error instead."""

    __slots__ = ()

    def __float__(self) -> NoReturn:
        raise TypeError(
            "a Value is no plain float, as math functions, float() and numeric arrays want: use autograd's functions "
            "(autograd.exp(v), v.exp(), np.exp(v)) to keep the graph, or v.data for the number alone"
        )

    def __int__(self) -> NoReturn:
        raise TypeError("int(v) would lose the graph: use int(v.data)")

    def __round__(self, digits: int | None = None) -> NoReturn:
        raise TypeError("round(v) has no useful derivative: use round(v.data), or f'{v:.3f}' to show it")

    def _no_derivative(self, other: Any) -> NoReturn:
        raise TypeError("// and % have no useful derivative: use them on v.data")

    def _no_whole_number(self) -> NoReturn:
        raise TypeError("floor, ceil and trunc have no useful derivative: use them on v.data")

    __floordiv__ = __rfloordiv__ = __mod__ = __rmod__ = __divmod__ = __rdivmod__ = _no_derivative
    __floor__ = __ceil__ = __trunc__ = _no_whole_number
