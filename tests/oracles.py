"""What the primitives are in textbooks, in mpmath; the tests compare the package with this, and none of it is its code.

    exact_value(primitive, (2.0, 3.0))          # at least 50 digits
    exact_partial(primitive, 1, (2.0, 3.0))     # mpmath.diff of the formula, or what is agreed upon at a kink

To check a new primitive, add its formula to `FORMULAS` (and to `CONVENTIONS` what its derivatives are where it has
none). Without a formula the primitive's own `definition` is computed on mpmath numbers.
"""

from __future__ import annotations

import math
from functools import cache
from typing import TYPE_CHECKING, Any

import mpmath
from mpmath import mpf

if TYPE_CHECKING:
    from collections.abc import Callable

    from autograd.primitives import Primitive

    Formula = Callable[..., Any]
    Point = tuple[float, ...]

#: Digits that the smallest of doubles need beside 1: with them, 1 - tanh(300)**2 is still exact to 50 digits.
DIGITS = 430
#: A step of mpmath.diff, in parts of the operand: what it leaves out is the square of this.
STEP = mpf(10) ** -40


class Undefined(ArithmeticError):
    """The function, or its derivative, is not defined there."""


# ----- Formulas -----


def _given(condition: object, value: Any) -> Any:
    """The value, which is defined under that condition only; a function, so that it is not computed elsewhere."""
    if not condition:
        raise Undefined
    return value()


def _power(x: Any, y: Any) -> Any:
    if (x < 0 and not mpmath.isint(y)) or (x == 0 and y < 0):
        raise Undefined
    return mpf(y == 0) if x == 0 else x**y


def _clip(x: Any, low: Any, high: Any) -> Any:
    return _given(low <= high, lambda: min(max(x, low), high))


def _softplus(x: Any, beta: Any) -> Any:
    return _given(beta != 0, lambda: mpmath.log1p(mpmath.exp(beta * x)) / beta)


def _dot(*operands: Any) -> Any:
    half = len(operands) // 2
    return mpmath.fdot(operands[:half], operands[half : 2 * half]) + operands[-1]


FORMULAS: dict[str, Formula] = {
    "add": lambda x, y: x + y,
    "subtract": lambda x, y: x - y,
    "multiply": lambda x, y: x * y,
    "divide": lambda x, y: _given(y != 0, lambda: x / y),
    "negative": lambda x: -x,
    "power": _power,
    "absolute": abs,
    "exp": mpmath.exp,
    "expm1": mpmath.expm1,
    "log": lambda x: _given(x > 0, lambda: mpmath.log(x)),
    "log1p": lambda x: _given(x > -1, lambda: mpmath.log1p(x)),
    "sqrt": lambda x: _given(x >= 0, lambda: mpmath.sqrt(x)),
    "sin": mpmath.sin,
    "cos": mpmath.cos,
    "tan": mpmath.tan,
    "arcsin": lambda x: _given(abs(x) <= 1, lambda: mpmath.asin(x)),
    "arccos": lambda x: _given(abs(x) <= 1, lambda: mpmath.acos(x)),
    "arctan": mpmath.atan,
    "sinh": mpmath.sinh,
    "cosh": mpmath.cosh,
    "tanh": mpmath.tanh,
    "sign": mpmath.sign,
    "step": lambda x: mpf(x > 0),
    "share": lambda x, y: mpf(x > y) + mpf(x == y) / 2,
    "maximum": max,
    "minimum": min,
    "where": lambda condition, x, y: x if condition > 0 else y,
    "clip": _clip,
    "sigmoid": lambda x, slope: 1 / (1 + mpmath.exp(-slope * x)),
    "softplus": _softplus,
    "relu": lambda x: max(x, mpf(0)),
    "leaky_relu": lambda x, negative_slope: x if x > 0 else negative_slope * x,
    "elu": lambda x, alpha: x if x > 0 else alpha * mpmath.expm1(x),
    "silu": lambda x: x / (1 + mpmath.exp(-x)),
    "sum": lambda *values: mpmath.fsum(values),
    "mean": lambda *values: mpmath.fsum(values) / len(values),
    "dot": _dot,
    "logsumexp": lambda *values: mpmath.log(mpmath.fsum(map(mpmath.exp, values))),
}


# ----- Where there is no derivative, or only an infinite one: what is agreed upon -----

NONE = None  # nothing special about the point: the formula is differentiated


def _at_zero(*partials: Any) -> Callable[..., Any]:
    """Those partials where the first operand is 0."""
    return lambda x, *_: partials if x == 0 else NONE


def _power_at_zero(x: float, y: float) -> Any:
    if x > 0:
        return NONE
    if x < 0:
        return ("formula", Undefined)  # a negative base has no powers next to a whole one
    return (0 if y == 0 or y > 1 else 1 if y == 1 else math.inf, Undefined)


def _clip_on_limit(x: float, low: float, high: float) -> Any:
    if x in (low, high):
        return (1, 0, 0)
    if low == high:  # a limit can then move to one side only
        return (0, 1, 0) if x < low else (0, 0, 1)
    return NONE


def _tie(share: float) -> Callable[[float, float], Any]:
    return lambda x, y: (share, share) if x == y else NONE


CONVENTIONS: dict[str, Callable[..., Any]] = {
    "absolute": _at_zero(0),
    "sign": _at_zero(0),
    "step": _at_zero(0),
    "relu": _at_zero(0),
    "leaky_relu": lambda x, negative_slope: (negative_slope, 0) if x == 0 else NONE,
    "elu": lambda x, alpha: (alpha, 0) if x == 0 else NONE,
    "share": _tie(0),
    "maximum": _tie(0.5),
    "minimum": _tie(0.5),
    "where": lambda condition, _x, _y: (0, 0, 1) if condition == 0 else NONE,
    "clip": _clip_on_limit,
    "power": _power_at_zero,
    "sqrt": _at_zero(math.inf),
    "arcsin": lambda x: (math.inf,) if abs(x) == 1 else NONE,
    "arccos": lambda x: (-math.inf,) if abs(x) == 1 else NONE,
}

#: Those that raise OverflowError, as `math` does, where the value is no double; the others give ±inf, as IEEE 754 does.
RAISING_OVERFLOW = frozenset({"exp", "expm1", "sinh", "cosh", "power"})


# ----- Evaluation -----


def exact_value(primitive: Primitive, point: Point) -> Any:
    """Its value at the doubles of `point`; Undefined outside of its domain."""
    return _value(formula(primitive), point)


def exact_partial(primitive: Primitive, i: int, point: Point) -> Any:
    """Its derivative in operand number `i`; Undefined where there is none."""
    convention = CONVENTIONS.get(primitive.name, lambda *_: NONE)(*point)
    agreed = "formula" if convention is NONE else convention[i]
    if agreed is Undefined:
        raise Undefined
    return _partial(formula(primitive), i, point, primitive.name) if agreed == "formula" else mpf(agreed)


def exact_second_partial(primitive: Primitive, i: int, j: int, point: Point) -> Any:
    """Its second derivative in the operands number `i` and `j`, away from kinks."""
    orders = [0] * len(point)
    orders[i] += 1
    orders[j] += 1
    with mpmath.workdps(60):
        function = formula(primitive)
        return mpmath.diff(lambda *numbers: _real(function, list(numbers)), [mpf(x) for x in point], tuple(orders))


def formula(primitive: Primitive) -> Formula:
    """The textbook's formula; of a primitive that is not among them, its definition."""
    if primitive.name in FORMULAS:
        return FORMULAS[primitive.name]
    if primitive.definition is None:
        raise AssertionError(
            f"nothing to compare {primitive.name!r} with: add its formula in mpmath to FORMULAS in tests/oracles.py, "
            "and what its derivatives are at its kinks to CONVENTIONS"
        )
    return _formula_of_definition(primitive.definition)


@cache
def _value(function: Formula, point: Point) -> Any:
    with mpmath.workdps(DIGITS + _magnitude(point)):
        return _rounded(_real(function, [mpf(x) for x in point]))


@cache
def _partial(function: Formula, i: int, point: Point, name: str) -> Any:
    others = [abs(x) for x in point[:i] + point[i + 1 :]]
    scale = mpf(min(abs(point[i]) or 5e-324, 1.0)) / max([1.0, *others])
    step = scale * STEP
    digits = DIGITS + _magnitude(point) - int(mpmath.log10(step))
    with mpmath.workdps(digits // 2):  # mpmath.diff doubles it for the differences
        numbers = [mpf(x) for x in point]

        def along(x: Any) -> Any:
            return _real(function, [*numbers[:i], x, *numbers[i + 1 :]])

        if name not in FORMULAS:
            left, right = (mpmath.diff(along, numbers[i], h=step, direction=side) for side in (-1, 1))
            if abs(left - right) > 1e-20 * (1 + abs(left)):
                raise AssertionError(f"{name!r} has a kink at {point}: add what its derivative is to CONVENTIONS")
        return _rounded(mpmath.diff(along, numbers[i], h=step))


def _rounded(number: Any) -> Any:
    with mpmath.workdps(60):
        return +number


def _real(function: Formula, numbers: list[Any]) -> Any:
    try:
        result = function(*numbers)
    except ZeroDivisionError:
        raise Undefined from None
    if isinstance(result, mpmath.mpc):
        raise Undefined
    return result


def _magnitude(point: Point) -> int:
    """How many digits apart the operands may be from 1, all of them together."""
    return sum(int(abs(math.log10(abs(x) or 1.0))) for x in point)


# ----- Definitions computed on mpmath numbers -----


class Exact:
    """An mpmath number that the package's primitives and operators take for one that they record."""

    def __init__(self, number: Any) -> None:
        self.number = number

    def _record(self, primitive: Primitive, operands: tuple[Any, ...]) -> Exact:
        return Exact(formula(primitive)(*map(_number, operands)))

    def __add__(self, other: Any) -> Exact:
        return Exact(self.number + _number(other))

    def __sub__(self, other: Any) -> Exact:
        return Exact(self.number - _number(other))

    def __rsub__(self, other: Any) -> Exact:
        return Exact(_number(other) - self.number)

    def __mul__(self, other: Any) -> Exact:
        return Exact(self.number * _number(other))

    def __truediv__(self, other: Any) -> Exact:
        return Exact(self.number / _number(other))

    def __rtruediv__(self, other: Any) -> Exact:
        return Exact(_number(other) / self.number)

    def __pow__(self, other: Any) -> Exact:
        return Exact(_power(self.number, _number(other)))

    def __rpow__(self, other: Any) -> Exact:
        return Exact(_power(_number(other), self.number))

    def __neg__(self) -> Exact:
        return Exact(-self.number)

    def __abs__(self) -> Exact:
        return Exact(abs(self.number))

    __radd__, __rmul__ = __add__, __mul__


def _number(operand: Any) -> Any:
    return operand.number if isinstance(operand, Exact) else mpf(operand)


@cache
def _formula_of_definition(definition: Callable[..., Any]) -> Formula:
    return lambda *numbers: _number(definition(*map(Exact, numbers)))
