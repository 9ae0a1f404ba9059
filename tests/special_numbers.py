"""What every primitive gives of subnormal, huge and infinite numbers, of nan, and of the zeros of both signs.

    discrepancies(primitive)        # where a value, slope or error is not the one that is stated here; as text
    points(primitive)               # where that is looked at

Finite numbers are compared with mpmath, by the checks of test_rules.py. mpmath knows no infinities and no signs of
zero: for those, what `math` and IEEE 754 give is written out below, and for slopes the limits. Where doubles cannot
hold what a slope is computed from, ROUNDED says what comes out instead, and why.
"""

from __future__ import annotations

import itertools
import math
import operator
from typing import TYPE_CHECKING, Any

import numpy as np
from test_rules import VALUE, each_discrepancy

import autograd as ag
from autograd import Value

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from autograd.primitives import Primitive

    Point = tuple[float, ...]

INF, NAN = math.inf, math.nan
TINY, SUBNORMAL, HUGE, LARGEST = 5e-324, 1e-310, 1e308, 1.7976931348623157e308
NUMBERS = [-INF, -HUGE, -1.0, -TINY, -0.0, 0.0, SUBNORMAL, 0.5, 1.0, HUGE, INF, NAN]
MORE_NUMBERS = [*NUMBERS, -LARGEST, -0.5, -SUBNORMAL, TINY, LARGEST]


def points(primitive: Primitive) -> list[Point]:
    """All combinations of the special numbers; some more for a single operand."""
    count = operand_count(primitive)
    return list(itertools.product(MORE_NUMBERS if count == 1 else NUMBERS, repeat=count))


def operand_count(primitive: Primitive) -> int:
    """How many operands it is given here; a dot, two factors and a bias."""
    if primitive.variadic:
        return 3 if primitive.name == "dot" else 2
    return primitive.arity


# ----- Values: what `math` and the operators of floats give, or raise -----


def _power(x: float, y: float) -> float:
    out = x**y
    if isinstance(out, complex):
        raise ValueError
    return float(out)


def _clip(x: float, low: float, high: float) -> float:
    if low > high:
        raise ValueError
    return NAN if any_nan(x, low, high) else min(max(x, low), high)


def any_nan(*numbers: float) -> bool:
    """Whether one of them is nan."""
    return any(map(math.isnan, numbers))


def _choice(choose: Callable[[float, float], float]) -> Callable[[float, float], float]:
    return lambda x, y: NAN if any_nan(x, y) else choose(x, y)


def _of_number(function: Callable[[float], float]) -> Callable[[float], float]:
    return lambda x: NAN if math.isnan(x) else function(x)


def _sigmoid(x: float, slope: float = 1.0) -> float:
    return float(1 / (1 + np.exp(np.float64(-slope) * x)))


def _softplus(x: float, beta: float) -> float:
    if beta == 0:
        raise ZeroDivisionError
    z = beta * x
    return NAN if math.isnan(z) else math.log1p(math.exp(-abs(z))) / beta + (x if z > 0 else 0.0)


def _sum(*values: float) -> float:
    return float(np.add.reduce(values, initial=0.0))


VALUES: dict[str, Callable[..., float]] = {
    "add": operator.add,
    "subtract": operator.sub,
    "multiply": operator.mul,
    "divide": operator.truediv,
    "negative": operator.neg,
    "power": _power,
    "absolute": abs,
    "positive": operator.pos,
    "exp": math.exp,
    "expm1": math.expm1,
    "log": math.log,
    "log1p": math.log1p,
    "sqrt": math.sqrt,
    "sin": math.sin,
    "cos": math.cos,
    "tan": math.tan,
    "arcsin": math.asin,
    "arccos": math.acos,
    "arctan": math.atan,
    "sinh": math.sinh,
    "cosh": math.cosh,
    "tanh": math.tanh,
    "sign": _of_number(lambda x: float(np.sign(x))),
    "step": _of_number(lambda x: float(x > 0)),
    "share": _choice(lambda x, y: float(x > y) + 0.5 * float(x == y)),
    "maximum": _choice(max),
    "minimum": _choice(min),
    "where": lambda condition, x, y: x if condition > 0 else y,  # nan is not greater than 0
    "clip": _clip,
    "sigmoid": _sigmoid,
    "softplus": _softplus,
    "relu": _of_number(lambda x: max(x, 0.0)),
    "leaky_relu": lambda x, negative_slope: x if x > 0 else negative_slope * x,
    "elu": lambda x, alpha: x if x > 0 else alpha * math.expm1(x),
    "silu": lambda x: 0.0 if x == -INF else x * _sigmoid(x),
    "sum": _sum,
    "mean": lambda *values: _sum(*values) / len(values),
    "dot": lambda weight, x, bias: weight * x + bias,
    "logsumexp": lambda *values: float(np.logaddexp.reduce(values)),
}

#: Whose zeros have the sign that C (Annex F) and IEEE 754 give them. The others do not promise one.
SIGNED_ZEROS = {
    *("add", "subtract", "multiply", "divide", "negative", "absolute", "positive", "power"),
    *("expm1", "log", "log1p", "sqrt", "sin", "tan", "arcsin", "arccos", "arctan", "sinh", "tanh"),
}


# ----- Slopes: the formulas of textbooks in IEEE arithmetic, and the limits where those are 0 times infinity -----


def _power_slopes(x: Any, y: Any) -> Point:
    base = 0.0 if y == 0 else y * np.power(x, y - 1)
    if x == -INF:
        base = _slope_of_power_at_minus_infinity(float(y))
    return base, 0.0 if x == INF and y < 0 else np.power(x, y) * np.log(x)


def _slope_of_power_at_minus_infinity(y: float) -> float:
    """C's pow takes -inf to a broken exponent as inf; then the slope is a power too."""
    return NAN if math.isnan(y) else 0.0 if y == 0 else float(y * np.power(-INF, y - 1))


def _slopes_of_clip(x: float, low: float, high: float) -> Point:
    return float(low <= x <= high), float(x < low), float(x > high)


def _sigmoid_slopes(x: Any, slope: Any) -> Point:
    if math.isinf(slope * x):
        return 0.0, 0.0
    both = _sigmoid(x, slope) * _sigmoid(-x, slope)
    return slope * both, x * both


def _softplus_slopes(x: Any, beta: Any) -> Point:
    z = abs(beta * x)
    scaled = 0.0 if z == INF else z * _sigmoid(-z)
    return _sigmoid(x, beta), -(np.log1p(np.exp(-z)) + scaled) / (beta * beta)


def _silu_slope(x: Any) -> Point:
    if math.isinf(x):
        return (float(x > 0),)
    return (_sigmoid(x) * (1 + x * _sigmoid(-x)),)


def _softmax(*values: float) -> Point:
    largest = max(values)
    if any_nan(*values) or largest == -INF or values.count(INF) > 1:
        return (NAN,) * len(values)  # infinitely large ones have no shares among themselves
    if largest == INF:
        return tuple(float(x == INF) for x in values)
    parts = [math.exp(x - largest) for x in values]
    return tuple(part / sum(parts) for part in parts)


SLOPES: dict[str, Callable[..., Any]] = {
    "add": lambda x, y: (1, 1),
    "subtract": lambda x, y: (1, -1),
    "multiply": lambda x, y: (y, x),
    "divide": lambda x, y: (1 / y, -(x / y) / y),
    "negative": lambda x: (-1,),
    "power": _power_slopes,
    "absolute": lambda x: (np.sign(x),),
    "positive": lambda x: (1,),
    "exp": lambda x: (np.exp(x),),
    "expm1": lambda x: (np.exp(x),),
    "log": lambda x: (1 / x,),
    "log1p": lambda x: (1 / (1 + x),),
    "sqrt": lambda x: (0.5 / np.sqrt(x),),
    "sin": lambda x: (np.cos(x),),
    "cos": lambda x: (-np.sin(x),),
    "tan": lambda x: (1 / np.cos(x) ** 2,),
    "arcsin": lambda x: (1 / np.sqrt(1 - x * x),),
    "arccos": lambda x: (-1 / np.sqrt(1 - x * x),),
    "arctan": lambda x: (1 / (1 + x * x),),
    "sinh": lambda x: (np.cosh(x),),
    "cosh": lambda x: (np.sinh(x),),
    "tanh": lambda x: (1 / np.cosh(x) ** 2,),
    "sign": lambda x: (0,),
    "step": lambda x: (0,),
    "share": lambda x, y: (0, 0),
    "maximum": lambda x, y: (VALUES["share"](x, y), VALUES["share"](y, x)),
    "minimum": lambda x, y: (VALUES["share"](y, x), VALUES["share"](x, y)),
    "where": lambda condition, x, y: (0, condition > 0, not condition > 0),
    "clip": _slopes_of_clip,
    "sigmoid": _sigmoid_slopes,
    "softplus": _softplus_slopes,
    "relu": lambda x: (VALUES["step"](x),),
    "leaky_relu": lambda x, negative_slope: (1 if x > 0 else negative_slope, min(x, 0.0)),
    "elu": lambda x, alpha: (1 if x > 0 else alpha * np.exp(x), np.expm1(min(x, 0.0))),
    "silu": _silu_slope,
    "sum": lambda *values: [1 for _ in values],
    "mean": lambda *values: [1 / len(values) for _ in values],
    "dot": lambda weight, x, bias: (x, weight, 1),
    "logsumexp": _softmax,
}

#: Those that are nan where a limit exists, since the rule multiplies 0 by infinity there: nan says that something is
#: amiss, as a wrong number would not. (PyTorch's silu and logsumexp give nan as well.) None stands for every operand.
INDETERMINATE: dict[tuple[str, Any], Callable[..., bool]] = {
    ("power", 1): lambda x, y: x == INF and y < 0,
    ("clip", None): lambda x, low, high: math.isinf(x) and x in (low, high),
    ("sigmoid", 0): lambda x, slope: math.isinf(slope),
    ("sigmoid", 1): lambda x, slope: math.isinf(x),
    ("leaky_relu", 0): lambda x, negative_slope: x > 0 and not math.isfinite(negative_slope),
    ("elu", 0): lambda x, alpha: x > 0 and not math.isfinite(alpha),
    ("silu", VALUE): lambda x: x == -INF,
    ("silu", 0): math.isinf,
    ("logsumexp", None): lambda *values: max(values) == INF,
}


def is_negative_zero(x: float) -> bool:
    """Whether it is -0.0."""
    return x == 0 and math.copysign(1, x) < 0


def _is_too_large_for_one_less(x: float, y: float) -> bool:
    """Whether y - 1 is y, in a power of a negative number: its sign is that of another whole exponent."""
    return x == -1 and math.isfinite(y) and y - 1 == y


def _overflows_before_the_factor(x: float, y: float) -> bool:
    """Whether x ** (y - 1) is infinite, where y times the exact power would not be."""
    return 0 < x < 1e-308 and 0 < abs(y) < 1e-308


#: Where the slope of finite numbers is what its formula gives in doubles, step by step, and not what mpmath says: the
#: primitive, where. The formulas are sqrt'(x) = 0.5 / sqrt(x) and (d/dx) x ** y = y * x ** (y - 1), as everywhere.
ROUNDED: dict[str, tuple[str, Callable[..., bool]]] = {
    # sqrt(-0.0) is -0.0, as IEEE 754 has it, and 0.5 / -0.0 is -inf: so it is in PyTorch.
    "the root of -0.0": ("sqrt", is_negative_zero),
    # y - 1 is -1, a whole number that is odd, and (-0.0) ** -1 is -inf. The exact exponent is broken, and that inf.
    "tiny powers of -0.0": ("power", lambda x, y: is_negative_zero(x) and 0 < y < 1e-300),
    # All doubles from 2 ** 53 on are even but for the first few, and y - 1, an odd number, is none of them.
    "exponents too large to be lowered by one": ("power", _is_too_large_for_one_less),
    # 1e-310 ** -1 is above all doubles: infinite, and so is 1e-310 times that, which is exactly 1.
    "tiny powers of tiny numbers": ("power", _overflows_before_the_factor),
}

#: Those that are added up from left to right, as IEEE 754 adds: a sum on the way may overflow, and the result not.
ADDED_UP = {"sum", "mean", "dot"}


def is_indeterminate(primitive: Primitive, part: Any, point: Point) -> bool:
    """Whether nan may stand there for a limit."""
    listed = [INDETERMINATE.get((primitive.name, key)) for key in (part, None)]
    return any(holds is not None and holds(*point) for holds in listed)


# ----- Comparing -----


def discrepancies(primitive: Primitive, places: list[Point] | None = None) -> list[str]:
    """Every value, slope, sign of zero and error that is not as stated; also those of forward() and no_grad()."""
    return [text for check in CHECKS for text in check(primitive, points(primitive) if places is None else places)]


def exact_discrepancies(primitive: Primitive, places: list[Point]) -> Iterator[str]:
    """Where values or slopes of finite numbers are not mpmath's."""
    yield from each_discrepancy(primitive, [point for point in places if _is_exact(primitive, point)])


def _is_exact(primitive: Primitive, point: Point) -> bool:
    """Whether mpmath knows the value and the slopes."""
    return all(map(math.isfinite, point)) and not (
        _overflows_on_the_way(primitive, point) or _is_rounded(primitive, point)
    )


def _is_rounded(primitive: Primitive, point: Point) -> bool:
    return any(primitive.name == name and holds(*point) for name, holds in ROUNDED.values())


def _overflows_on_the_way(primitive: Primitive, point: Point) -> bool:
    return primitive.name in ADDED_UP and not math.isfinite(_quietly(VALUES[primitive.name], *point))


def _quietly(formula: Callable[..., Any], *numbers: float) -> Any:
    """Its value; NumPy gives nan and infinities without a word."""
    with np.errstate(all="ignore"):
        return formula(*numbers)


def stated_discrepancies(primitive: Primitive, places: list[Point]) -> Iterator[str]:
    """Where there is another error than stated, or another value or, at infinity and nan, another slope."""
    for point in places:
        wanted = stated(primitive, point)
        got = outcome(primitive, point)
        if isinstance(got, Exception) or isinstance(wanted, type):
            yield from _error_discrepancies(primitive, point, got, wanted)
            continue
        exact = _is_exact(primitive, point)
        for part, number, right in zip([VALUE, *range(len(point))], got, wanted):
            if right is None or (exact and part != VALUE):
                continue  # no slope is asked for; mpmath looks at the slopes of finite numbers
            signed = part == VALUE and primitive.name in SIGNED_ZEROS
            allowed = math.isnan(number) and is_indeterminate(primitive, part, point)
            if not (allowed or _alike(number, float(right), signed=signed)):
                yield f"{primitive.name}{point} {part}: {number!r}, stated {float(right)!r}"


def stated(primitive: Primitive, point: Point) -> Any:
    """The value and the slopes, None where there is none; or the kind of error."""
    try:
        value = _quietly(VALUES[primitive.name], *point)
    except (ValueError, ArithmeticError) as error:
        return type(error)
    if any_nan(*point) and primitive.name in ("clip", "relu", "leaky_relu", "elu"):
        return [value, *[None] * len(point)]  # test_rules.py has their gradients at nan
    slopes = _quietly(SLOPES[primitive.name], *map(np.float64, point))
    return [value, *[None if _is_constant(primitive, i, point) else slope for i, slope in enumerate(slopes)]]


def _is_constant(primitive: Primitive, i: int, point: Point) -> bool:
    """The exponent of a power needs a base above 0 to be more than a number."""
    return primitive.name == "power" and i == 1 and point[0] <= 0


def operands_at(primitive: Primitive, point: Point) -> list[Any]:
    """Values, but for what is constant."""
    return [x if _is_constant(primitive, i, point) else Value(x) for i, x in enumerate(point)]


def outcome(primitive: Primitive, point: Point) -> Any:
    """The value and the gradients of a node after backward(), None for a constant; or the error."""
    operands = operands_at(primitive, point)
    try:
        node = primitive(*operands)
    except Exception as error:  # of whatever kind: that is judged
        return error
    node.backward()
    return [node.data, *[x.grad if isinstance(x, Value) else None for x in operands]]


def _error_discrepancies(primitive: Primitive, point: Point, got: Any, wanted: Any) -> Iterator[str]:
    """An error is of the stated kind, and names the primitive and the number of each operand."""
    if not isinstance(got, Exception) or type(got) is not wanted:
        yield f"{primitive.name}{point} gives {got!r}, stated {wanted!r}"
    elif not all(text in str(got) for text in (primitive.name, *map(repr, point))):
        yield f"{primitive.name}{point} raises {got!r}, which does not say what and where"


def _alike(x: float, y: float, *, signed: bool) -> bool:
    """Equal but for rounding, both nan, or, if the sign counts, zeros of the same sign."""
    if x == y == 0:
        return not signed or math.copysign(1, x) == math.copysign(1, y)
    return x == y or (x != x and y != y) or math.isclose(x, y, rel_tol=1e-12, abs_tol=1e-300)


def other_way_discrepancies(primitive: Primitive, places: list[Point]) -> Iterator[str]:
    """Where forward() of a graph recorded elsewhere, or an operation under no_grad(), gives another outcome."""
    usual = [0.5 if primitive.name == "clip" and i == 1 else 0.75 for i in range(operand_count(primitive))]
    for point in places:
        recorded = _told(outcome(primitive, point))
        for way in (_of_forward, _of_no_grad):
            got = way(primitive, point, usual)
            if got != recorded[: len(got)]:
                yield f"{primitive.name}{point}: {got} by {way.__name__[4:]}, {recorded} when recorded"


def _of_forward(primitive: Primitive, point: Point, usual: list[float]) -> list[str]:
    operands = [x if _is_constant(primitive, i, point) else Value(usual[i]) for i, x in enumerate(point)]
    try:
        node = primitive(*operands)
    except (ValueError, ArithmeticError):  # the constant alone is the reason
        return []
    before = node.data, node.local_derivatives
    for operand, x in zip(operands, point):
        if isinstance(operand, Value):
            operand.data = x
    try:
        node.forward()
    except (ValueError, ArithmeticError) as error:
        assert repr((node.data, node.local_derivatives)) == repr(before), "an error in forward() changed the graph"
        return _told(error)
    node.backward()
    return _told([node.data, *[x.grad if isinstance(x, Value) else None for x in operands]])


def _of_no_grad(primitive: Primitive, point: Point, usual: list[float]) -> list[str]:
    try:
        with ag.no_grad():
            return _told([primitive(*operands_at(primitive, point)).data])
    except (ValueError, ArithmeticError) as error:
        return _told(error)


def _told(got: Any) -> list[str]:
    """An outcome as text, in which nan is nan, and zeros have their signs."""
    return [repr(got)] if isinstance(got, Exception) else list(map(repr, got))


CHECKS: tuple[Callable[[Primitive, list[Point]], Iterator[str]], ...] = (
    exact_discrepancies,
    stated_discrepancies,
    other_way_discrepancies,
)
