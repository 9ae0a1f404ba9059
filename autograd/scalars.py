"""Numbers at the door: `as_number(data, "Value")` gives a float, or an error that says what to write instead.

Every number that enters the engine, as data, gradient or operand, passes through here once. `arises` tells where
numbers stop being finite.
"""

from __future__ import annotations

from math import isfinite
from numbers import Real
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any


def as_number(data: Any, place: str) -> float:
    """`data` as a float; `place` names the receiver in the error.

    Accepts what Python knows as a real number: int, bool, float, Fraction and NumPy scalars.

    >>> as_number(3, "Value")
    3.0
    >>> as_number("3", "Value")
    Traceback (most recent call last):
    TypeError: Value takes a real number, not the str '3': write float('3')
    """
    # int and float are found at once; what else Python knows as Real takes ten times as long.
    if isinstance(data, (int, float, Real)) or _is_numpy_bool(data):
        try:
            return float(data)
        except OverflowError:
            raise OverflowError(f"{place} takes numbers up to 1.8e308; this {type(data).__name__} is larger") from None
    raise TypeError(f"{place} takes a real number, not {_described(data)}: {_advice(data, place)}")


def typed_number(text: str) -> float:
    """The number that someone typed, with a true minus too; ValueError if it is none.

    >>> typed_number("−6.18")
    -6.18
    """
    return float(text.replace("−", "-"))


def arises(result: float, inputs: Iterable[float]) -> bool:
    """Whether a nan or an infinity is new: the result is one, and no input is to blame.

    >>> from math import inf, nan
    >>> arises(inf, [1e308, 1e308]), arises(inf, [inf, 1.0]), arises(nan, [inf, -inf]), arises(nan, [nan, 1.0])
    (True, False, True, False)
    """
    if isfinite(result):
        return False
    return all(map(isfinite, inputs)) if result == result else all(x == x for x in inputs)


def _is_numpy_bool(data: Any) -> bool:
    return type(data).__module__ == "numpy" and type(data).__name__ in ("bool", "bool_")


def _described(data: Any) -> str:
    if data is None or isinstance(data, (str, bytes, complex)):
        text = repr(data)
        shown = text if len(text) <= 40 else text[:37] + "..."
        return shown if data is None else f"the {type(data).__name__} {shown}"
    shape = getattr(data, "shape", None)
    if isinstance(shape, tuple) and shape:
        return f"{with_article(type(data).__name__)} of shape {shape}"
    return with_article(type(data).__name__)


def with_article(name: str) -> str:
    """The name of a type in a sentence: `a list`, `an ndarray`."""
    return f"an {name}" if name[0] in "aeiou" or name == "ndarray" else f"a {name}"


def _advice(data: Any, place: str) -> str:
    if isinstance(data, str):
        naming = "; a name goes into label=" * (place == "Value()")
        return f"write float({data!r})" if _reads_as_number(data) else f"give the number itself{naming}"
    if isinstance(data, complex):
        return "this engine is for real numbers; take .real, .imag or abs()"
    if hasattr(data, "_record"):
        return "it is a Value already; use it as it is, or its .data for the number alone"
    if hasattr(data, "shape"):
        return "take one element (a[0]) or .item(), or make a Value of each: [Value(a) for a in array]"
    if isinstance(data, (list, tuple)):
        return "make a Value of each element: [Value(x) for x in ...]"
    if data is None:
        return "give a number; None is what a function without a `return` gives"
    return "convert it with float() first"


def _reads_as_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
