"""The table of rules, entry by entry: values and derivatives against mpmath and PyTorch, on floats, batches, Values.

Every check is a function that returns the discrepancies it found, as text; test_planted_faults.py shows that they find
what is wrong. A primitive added to the table is checked here without a change; tests/oracles.py says what it needs.
"""

from __future__ import annotations

import contextlib
import inspect
import itertools
import math
import operator
import pydoc
import random
import re
import struct
from typing import TYPE_CHECKING, Any

import mpmath
import numpy as np
import pytest
from oracles import RAISING_OVERFLOW, Undefined, exact_partial, exact_second_partial, exact_value

import autograd as ag
from autograd import Value, rules
from autograd.batch import Batch
from autograd.modes import Change
from autograd.primitives import BUILT_IN, PRIMITIVES, primitive

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from autograd.primitives import Primitive

    Point = tuple[float, ...]

NAMES = [name for name in PRIMITIVES if name in BUILT_IN]
ALL = pytest.mark.parametrize("name", NAMES)
INF, NAN = math.inf, math.nan
TINY = 5e-324  # the smallest double above 0
LARGEST = 1.7976931348623157e308
ABOVE_ONE, BELOW_ONE = math.nextafter(1.0, INF), math.nextafter(1.0, 0.0)


# ----- Points -----

#: Around 0 and 1, where the kinks and the limits are, and far away.
NEAR = [0.0, TINY, 1e-300, 1e-8, BELOW_ONE, 1.0, ABOVE_ONE]
FAR = [0.3, 3.0, 20.0, 40.0, 700.0, 1e6, 1e15, 1e300]
UNARY = [sign * x for x in NEAR + FAR for sign in (1.0, -1.0)]
BINARY = [0.0, TINY, -TINY, 1e-300, -1e-8, 0.5, 1.0, ABOVE_ONE, BELOW_ONE, -3.0, 30.0, -800.0, 1e6, 1e300]
TERNARY = [0.0, TINY, -1e-8, 1.0, ABOVE_ONE, -3.0, 1e300]
VARIADIC: list[Point] = [
    (0.0,),
    (0.0, 0.0, 0.0),
    (TINY, -TINY, TINY),
    (1e-300, 1e-8, 1.0),
    (1.0, BELOW_ONE, ABOVE_ONE),
    (700.0, -700.0, 699.0),
    (-800.0, -801.0, -1e6),
    (1e300, 1.0, 1e-300),
    (1e6, -1e6, 0.0, 1e-8, 1e6),
]
#: Where a rule could go wrong that the lists above do not reach.
MORE: dict[str, list[Point]] = {
    "exp": [(709.782712893384,), (709.782712893385,), (-745.2,), (-708.5,)],
    "expm1": [(709.782712893384,), (709.782712893385,), (-37.5,)],
    "sinh": [(710.4758600739439,), (710.47586007394398,), (-711.0,)],
    "cosh": [(710.4758600739439,), (710.47586007394398,), (-711.0,)],
    "sin": [(math.pi,), (1e22,), (-math.pi / 2,)],
    "cos": [(math.pi,), (1e22,), (-math.pi / 2,)],
    "tan": [(math.pi,), (1e22,), (math.pi / 2,), (-math.pi / 2,), (math.nextafter(math.pi / 2, 2.0),)],
    "power": [(x, y) for x in (-2.0, -1e-200, 0.0, 2.0) for y in (-3.0, -2.0, -1.0, 0.0, 0.5, 1.0, 1.5, 2.0, 3.0)],
    "softplus": [(1e308, 2.0), (-1e308, 2.0)],
}


def points(primitive: Primitive) -> list[Point]:
    """Where a primitive is checked: at random, next to kinks and limits, far away. Some may be out of its domain."""
    chance = random.Random(primitive.name)  # the same points in every run
    if primitive.variadic:
        counts = (1, 3, 5, 9) if primitive.name == "dot" else (1, 2, 3, 5, 8)
        drawn = [tuple(chance.uniform(-5, 5) for _ in range(count)) for count in counts for _ in range(8)]
        return drawn + [point for point in VARIADIC if len(point) % 2 or primitive.name != "dot"]
    drawn = [tuple(_drawn(chance, *interval) for interval in primitive.domain) for _ in range(60)]
    count = len(primitive.partials)
    if count == 1:
        (limits,) = primitive.domain
        grid: Iterator[Point] = ((x,) for x in UNARY + [x for limit in limits for x in _beside(limit)])
    else:
        grid = itertools.product(*[{2: BINARY, 3: TERNARY}.get(count, TERNARY[:4])] * count)
    ties = [(x,) * count for x in (-3.7, 1e-300, 2.5e200)]
    return [
        point
        for point in dict.fromkeys([*drawn, *grid, *ties, *MORE.get(primitive.name, [])])
        if primitive.name != "power" or _power_in_reach(*point)
    ]


def _power_in_reach(x: float, y: float) -> bool:
    """Whether y * x**(y - 1), PyTorch's formula too, is within the doubles on the way, and y - 1 is exact."""
    return abs(y) < 2.0**53 and (abs(y) >= 1 or x == 0 or (y - 1) * math.log(abs(x)) < 709)


def _drawn(chance: random.Random, low: float, high: float) -> float:
    if chance.random() < 0.7:
        return chance.uniform(max(low, -4.0), min(high, 4.0))
    magnitude = 10.0 ** chance.uniform(-12, 2)
    return min(max(low + magnitude if low > -INF else chance.choice((-1, 1)) * magnitude, low), high)


def _beside(limit: float) -> list[float]:
    if math.isinf(limit):
        return []
    return [limit, math.nextafter(limit, INF), math.nextafter(limit, -INF), limit + 1e-8, limit - 1e-8]


# ----- The checks: each returns what it found wrong -----

VALUE = "value"
#: What a result may be off by 1e-13 of. By default that is the exact result. Where a formula adds up numbers larger
#: than its result (a sum of terms, 1 - out**2), no way of adding keeps more than 1e-16 of the largest of them.
SCALES: dict[tuple[str, Any], Callable[..., float]] = {
    ("sum", VALUE): lambda *values: max(map(abs, values)),
    ("mean", VALUE): lambda *values: max(map(abs, values)),
    ("dot", VALUE): lambda *operands: max(abs(x * y) for x, y in itertools.product(operands, repeat=2)),
    ("logsumexp", VALUE): lambda *values: max([1.0, *map(abs, values)]),
    ("logsumexp", 0): lambda *values: max([1.0, *map(abs, values)]),
    ("tanh", 0): lambda x: 1.0,
    ("elu", 0): lambda x, alpha: 1.0 if x < -700 else 0.0,  # exp(x) is no full double there
    ("silu", 0): lambda x: max(1.0, x),
    ("sigmoid", 0): lambda x, slope: max(1.0, abs(slope)),
    ("sigmoid", 1): lambda x, slope: max(1.0, abs(x)),
}


def discrepancies(primitive: Primitive, places: list[Point] | None = None) -> list[str]:
    """The value and every local derivative that differ from the exact ones."""
    return list(each_discrepancy(primitive, points(primitive) if places is None else places))


def each_discrepancy(primitive: Primitive, places: list[Point]) -> Iterator[str]:
    """The same, one by one."""
    for point in places:
        try:
            exact = exact_value(primitive, point)
        except Undefined:
            continue
        if math.isinf(float(exact)) and primitive.name in RAISING_OVERFLOW:
            continue  # the tests of domain errors
        wanted = [_partial_or_none(primitive, i, point) for i in range(len(point))]
        operands = [x if partial is None else Value(x) for x, partial in zip(point, wanted, strict=True)]
        try:
            node = primitive(*operands)
        except Exception as error:  # whatever a wrong rule raises
            yield f"{primitive.name}{point} raises {error!r}"
            continue
        results = [(VALUE, node.data, exact), *zip(itertools.count(), node.local_derivatives, wanted)]
        for part, got, right in results:
            if right is not None and not _close(got, right, _scale(primitive, part, point, right)):
                yield f"{primitive.name}{point} {part}: {got!r}, exactly {mpmath.nstr(right, 20)}"


def _partial_or_none(primitive: Primitive, i: int, point: Point) -> Any:
    try:
        return exact_partial(primitive, i, point)
    except Undefined:
        return None


def _scale(primitive: Primitive, part: Any, point: Point, exact: Any) -> Any:
    scale = SCALES.get((primitive.name, 0 if primitive.variadic and part != VALUE else part))
    return abs(exact) if scale is None else max(scale(*point), abs(exact))


def _close(got: float, exact: Any, scale: Any) -> bool:
    """Within 4 ulp, or within 1e-13 of the scale; an exact number beyond the doubles is ±inf."""
    rounded = float(exact)
    if math.isinf(rounded) or math.isinf(got):
        return got == rounded
    return abs(mpmath.mpf(got) - exact) <= max(4 * math.ulp(rounded), 1e-13 * scale)


def batch_discrepancies(primitive: Primitive, places: list[Point] | None = None) -> list[str]:
    """Where the value or a local derivative of a batch is not that of the float."""
    of_one_length = itertools.groupby(sorted(places or points(primitive), key=len), len)
    return [text for _, group in of_one_length for text in _batch_discrepancies(primitive, list(group))]


def _batch_discrepancies(primitive: Primitive, places: list[Point]) -> list[str]:
    rows = [(point, *row) for point in places if (row := _row(primitive, point)) is not None]
    columns = [Batch(column) for column in zip(*[point for point, _, _ in rows], strict=True)]
    try:
        with np.errstate(all="ignore"):
            out = primitive(*columns)
            partials = [_rule(primitive, i, [*columns, out]) for i in range(len(columns))]
    except Exception as error:  # whatever a wrong rule raises
        return [f"{primitive.name} of batches raises {error!r}"]
    table = [np.broadcast_to(np.asarray(column), len(rows)).tolist() for column in (out, *partials)]
    found = []
    for (point, value, derivatives), got in zip(rows, zip(*table, strict=True), strict=True):
        for part, x, right in zip([VALUE, *range(len(point))], got, [value, *derivatives], strict=True):
            if right is not None and not _alike(x, right, _scale(primitive, part, point, right)):
                found.append(f"{primitive.name}{point} {part}: {x!r} in a batch, {right!r} of floats")
    return found


def _row(primitive: Primitive, point: Point) -> tuple[float, list[float | None]] | None:
    """The value and local derivatives of floats; None out of the domain, and for an overflow."""
    try:
        exact_value(primitive, point)
        wanted = [_partial_or_none(primitive, i, point) for i in range(len(point))]
        node = primitive(*[x if partial is None else Value(x) for x, partial in zip(point, wanted, strict=True)])
    except (Undefined, OverflowError):
        return None
    return node.data, list(node.local_derivatives)


def _alike(x: float, y: float, scale: float = 0.0) -> bool:
    if math.isfinite(x) and math.isfinite(y):
        return abs(x - y) <= max(8 * math.ulp(y), 1e-13 * scale)
    return x == y or (x != x and y != y)


def recording_discrepancies(primitive: Primitive, places: list[Point] | None = None) -> list[str]:
    """Where a rule applied to Values does not give the number that it gives of floats."""
    found = []
    for point in places or points(primitive):
        row = _row(primitive, point)
        if row is None or None in row[1] or not all(map(math.isfinite, row[1])):
            continue  # an infinite derivative comes from a division by zero, which Values refuse
        operands = [*map(Value, point), Value(row[0])]
        for i, right in enumerate(row[1]):
            try:
                result = _rule(primitive, i, operands)
            except Exception as error:  # whatever a wrong rule raises
                result = error
            if type(result) not in (Value, float) or getattr(result, "data", result) != right:
                found.append(f"{primitive.name}{point} {i}: {result!r} of Values, {right!r} of floats")
    return found


def second_derivative_discrepancies(primitive: Primitive) -> list[str]:
    """Where the gradient of a recorded rule is not the exact second derivative."""
    found = []
    for point in _smooth_points(primitive):
        for i in range(len(point)):
            leaves = [Value(x) for x in point]
            slope = _rule(primitive, i, [*leaves, primitive(*leaves)])
            if isinstance(slope, Value):
                slope.backward()
            for j, leaf in enumerate(leaves):
                exact = exact_second_partial(primitive, i, j, point)
                if not _close(leaf.grad, exact, 1e3 * max(1, abs(exact))):
                    found.append(f"{primitive.name}{point} {i}, {j}: {leaf.grad!r}, exactly {mpmath.nstr(exact, 20)}")
    return found


def _smooth_points(primitive: Primitive) -> list[Point]:
    """A few points, all derivatives of which are there and of a moderate size."""
    apart = [
        point
        for point in points(primitive)
        if len({*point, 0.0}) == len(point) + 1
        and all(0.05 < abs(x) < 5 and abs(abs(x) - 1) > 0.05 for x in point)
        and (row := _row(primitive, point)) is not None
        and None not in row[1]
    ]
    if primitive.variadic:
        return [point for point in apart if len(point) <= 3][:4]
    return apart[:12]


def _rule(primitive: Primitive, i: int, operands: list[Any]) -> Any:
    return primitive.partials[0](*operands)[i] if primitive.variadic else primitive.partials[i](*operands)


def definition_discrepancies(primitive: Primitive, places: list[Point] | None = None) -> list[str]:
    """Where `expand` gives another value or gradient than the primitive that it takes apart."""
    found = []
    for point in filter(_moderate, points(primitive) if places is None else places):
        row = _row(primitive, point)
        if row is None:
            continue
        value, derivatives = row
        operands = [x if derivative is None else Value(x) for x, derivative in zip(point, derivatives, strict=True)]
        fine = ag.expand(primitive(*operands))
        fine.backward()
        gradients = [x.grad if isinstance(x, Value) else None for x in operands]
        for got, right in zip([fine.data, *gradients], [value, *derivatives], strict=True):
            if right is not None and not (got is not None and _alike(got, right, 1e3 * max(1.0, abs(right)))):
                found.append(f"{primitive.name}{point}: {got!r} of its definition, {right!r} of itself")
    return found


def _moderate(point: Point) -> bool:
    """Whether no definition overflows or loses digits there: 0, kinks, and numbers between 1e-2 and 20."""
    return all(x == 0 or 1e-2 <= abs(x) <= 20 for x in point)


def hot_path_discrepancies(symbol: str, numbers: list[float]) -> list[str]:
    """Where an operator records another node than the table, for Values and for a Value and a number on either side."""
    found = []
    for x, y in itertools.product(numbers, repeat=2):
        for left, right in ((Value(x), Value(y)), (Value(x), y), (x, Value(y))):
            operator, primitive = OPERATORS[symbol]
            recorder = left if isinstance(left, Value) else right
            written = _outcome(lambda: operator(left, right))  # noqa: B023  # called at once
            recorded = _outcome(lambda: recorder._record(primitive, (left, right)))  # noqa: B023
            if written != recorded:
                found.append(f"{left!r} {symbol} {right!r}: {written}, by the table {recorded}")
    return found


def method_discrepancies(primitive: Primitive, numbers: list[float]) -> list[str]:
    """Where a method of one operand records another node than the table."""
    found = []
    for x in map(Value, numbers):
        written = _outcome(getattr(x, primitive.name, x.__neg__))
        recorded = _outcome(lambda: x._record(primitive, (x,)))  # noqa: B023
        if written != recorded:
            found.append(f"{primitive.name} of {x!r}: {written}, by the table {recorded}")
    return found


def _outcome(action: Callable[[], Value]) -> tuple[Any, ...]:
    """All that a new node holds, bit by bit; or the error."""
    try:
        node = action()
    except (ValueError, ArithmeticError) as error:
        return type(error), str(error)
    operands = [id(x) if isinstance(x, Value) else _bits(x) for x in node.operands]
    derivatives = [_bits(x) for x in node.local_derivatives]
    return node.primitive, _bits(node.data), operands, derivatives, node.grad, node.has_grad, node.label, type(node)


def _bits(x: float | None) -> Any:
    """What tells -0.0 from 0.0; every nan is the same."""
    return struct.pack("d", x) if type(x) is float and x == x else repr(x)


def checks(primitive: Primitive) -> list[str]:
    """All that is checked of one primitive without a second opinion."""
    of_points = [discrepancies, batch_discrepancies, recording_discrepancies, definition_discrepancies]
    return [text for check in [*of_points, second_derivative_discrepancies] for text in check(primitive)]


# ----- One loop over the table -----


@ALL
def test_value_and_local_derivatives_are_exact(name: str) -> None:
    """At random points, next to kinks and limits and far away, value and derivatives agree with mpmath."""
    assert discrepancies(PRIMITIVES[name]) == []


@ALL
def test_points_are_in_the_domain(name: str) -> None:
    """Enough of the points, and of those with finite derivatives, are in the domain for the tests to mean something."""
    rows = [row for point in points(PRIMITIVES[name]) if (row := _row(PRIMITIVES[name], point)) is not None]
    assert len(rows) >= 30
    assert sum(None not in row[1] and all(map(math.isfinite, row[1])) for row in rows) >= 30


@ALL
def test_batches_hold_what_floats_give(name: str) -> None:
    """The value and the rules of an array are elementwise those of its numbers."""
    assert batch_discrepancies(PRIMITIVES[name]) == []


@ALL
def test_rules_record_on_values(name: str) -> None:
    """A rule called with Values gives a Value, or a float, of the same number, so that it can be differentiated."""
    assert recording_discrepancies(PRIMITIVES[name]) == []


@ALL
def test_recorded_rules_give_second_derivatives(name: str) -> None:
    """The gradient of a recorded local derivative is the exact second derivative."""
    assert second_derivative_discrepancies(PRIMITIVES[name]) == []
    assert len(_smooth_points(PRIMITIVES[name])) >= 3


@ALL
def test_definition_is_the_same_function(name: str) -> None:
    """Taken apart by `expand`, a primitive keeps its value and gradients, also at its kinks."""
    assert definition_discrepancies(PRIMITIVES[name]) == []


@ALL
def test_all_numbers_give_a_number(name: str) -> None:
    """Called with floats only, a primitive gives a float: the data of the node that it records of Values."""
    target = PRIMITIVES[name]
    for point in points(target):
        row = _row(target, point)
        if row is not None:
            assert _bits(target(*point)) == _bits(row[0])


@ALL
def test_a_constant_operand_has_no_derivative(name: str) -> None:
    """A plain number among the operands has None for a derivative, and the derivatives of the others stay."""
    target = PRIMITIVES[name]
    for point in points(target)[:20]:
        row = _row(target, point)
        for i in range(len(point) if row is not None and len(point) > 1 else 0):
            wanted = [None if i == j else partial for j, partial in enumerate(row[1])]
            if any(partial is not None for partial in wanted):
                node = target(*[x if partial is None else Value(x) for x, partial in zip(point, wanted, strict=True)])
                assert list(map(_bits, node.local_derivatives)) == list(map(_bits, wanted))


#: Operands that `where` does not take: the condition, for which nan is "not greater than 0", and what was not chosen.
NOT_PASSED_ON = {("where", 0), ("where", 2)}


@ALL
def test_nan_is_passed_on(name: str) -> None:
    """nan given as data is no error, and comes out of every primitive that takes it, for floats and for batches."""
    target = PRIMITIVES[name]
    count = 3 if target.variadic else len(target.partials)
    for i in range(count):
        point = [-0.25 if name in ("leaky_relu", "elu") else 0.25, 0.5, 0.75][:count]
        point[i] = NAN
        node = target(*map(Value, point))
        node.backward()
        results = [node.data, target(*point), target(*map(Batch, point)).item()]
        assert [math.isnan(x) for x in results] == [(name, i) not in NOT_PASSED_ON] * 3, point


# ----- Stated conventions -----

#: design.md, "kinks": the primitive, where, its value there, its derivatives there.
KINKS: list[tuple[str, Point, float, Point]] = [
    ("relu", (0.0,), 0.0, (0.0,)),
    ("relu", (-0.0,), 0.0, (0.0,)),
    ("relu", (TINY,), TINY, (1.0,)),
    ("absolute", (0.0,), 0.0, (0.0,)),
    ("absolute", (-0.0,), 0.0, (0.0,)),
    ("step", (0.0,), 0.0, (0.0,)),
    ("step", (-0.0,), 0.0, (0.0,)),
    ("step", (TINY,), 1.0, (0.0,)),
    ("sign", (0.0,), 0.0, (0.0,)),
    ("sign", (-0.0,), 0.0, (0.0,)),
    ("sign", (-TINY,), -1.0, (0.0,)),
    ("leaky_relu", (0.0, 0.25), 0.0, (0.25, 0.0)),
    ("leaky_relu", (-0.0, 0.25), 0.0, (0.25, 0.0)),
    ("elu", (0.0, 2.0), 0.0, (2.0, 0.0)),
    ("elu", (-0.0, 2.0), 0.0, (2.0, 0.0)),
    ("maximum", (3.0, 3.0), 3.0, (0.5, 0.5)),
    ("maximum", (0.0, -0.0), 0.0, (0.5, 0.5)),
    ("minimum", (3.0, 3.0), 3.0, (0.5, 0.5)),
    ("minimum", (-0.0, 0.0), 0.0, (0.5, 0.5)),
    ("maximum", (INF, INF), INF, (0.5, 0.5)),
    ("share", (3.0, 3.0), 0.5, (0.0, 0.0)),
    ("clip", (1.0, 1.0, 2.0), 1.0, (1.0, 0.0, 0.0)),
    ("clip", (2.0, 1.0, 2.0), 2.0, (1.0, 0.0, 0.0)),
    ("clip", (1.0, 1.0, 1.0), 1.0, (1.0, 0.0, 0.0)),
    ("clip", (3.0, 1.0, 1.0), 1.0, (0.0, 0.0, 1.0)),
    ("where", (0.0, 10.0, 20.0), 20.0, (0.0, 0.0, 1.0)),
    ("where", (-0.0, 10.0, 20.0), 20.0, (0.0, 0.0, 1.0)),
    ("where", (TINY, 10.0, 20.0), 10.0, (0.0, 1.0, 0.0)),
    ("where", (NAN, 10.0, 20.0), 20.0, (0.0, 0.0, 1.0)),
    ("sqrt", (0.0,), 0.0, (INF,)),
    ("arcsin", (1.0,), math.pi / 2, (INF,)),
    ("arcsin", (-1.0,), -math.pi / 2, (INF,)),
    ("arccos", (1.0,), 0.0, (-INF,)),
    ("arccos", (-1.0,), math.pi, (-INF,)),
]


@pytest.mark.parametrize(("name", "point", "value", "partials"), KINKS)
def test_kinks_are_as_stated(name: str, point: Point, value: float, partials: Point) -> None:
    """At a kink, value and gradient are what the design says."""
    leaves = [Value(x) for x in point]
    node = PRIMITIVES[name](*leaves)
    node.backward()
    assert (node.data, node.local_derivatives, tuple(leaf.grad for leaf in leaves)) == (value, partials, partials)


@pytest.mark.parametrize(("name", "point", "value", "partials"), KINKS)
def test_kinks_of_batches_are_as_stated(name: str, point: Point, value: float, partials: Point) -> None:
    """At a kink, a batch has the value and the derivatives of a float."""
    columns = [Batch([x, x]) for x in point]
    target = PRIMITIVES[name]
    with np.errstate(all="ignore"):
        out = target(*columns)
        derivatives = [np.broadcast_to(rule(*columns, out), 2).tolist() for rule in target.partials]
    assert out.tolist() == [value, value]
    assert derivatives == [[partial, partial] for partial in partials]


@pytest.mark.parametrize(
    ("x", "exponent", "value", "derivative"),
    [(0.0, 0.5, 0.0, INF), (0.0, 0.0, 1.0, 0.0), (0.0, 1.0, 0.0, 1.0), (0.0, 2.0, 0.0, 0.0), (0.0, 1.5, 0.0, 0.0)],
)
def test_powers_of_zero(x: float, exponent: float, value: float, derivative: float) -> None:
    """x ** 0 has derivative 0 also at 0, x ** 0.5 an infinite one."""
    base = Value(x)
    node = base**exponent
    node.backward()
    assert (node.data, base.grad) == (value, derivative)


def test_zero_times_an_infinite_derivative_is_nan() -> None:
    """An infinite derivative is recorded without an error; what it does to a gradient of 0 is nan, as in IEEE 754."""
    x = Value(0.0)
    (x.sqrt() * 0.0).backward()
    assert math.isnan(x.grad)


@pytest.mark.parametrize("name", ["relu", "leaky_relu", "elu", "clip", "absolute", "silu", "sigmoid", "softplus"])
def test_gradient_at_nan_is_nan(name: str) -> None:
    """relu(nan) has value and gradient nan, and so have its relatives."""
    x = Value(NAN)
    node = PRIMITIVES[name](x, *([-1.0, 1.0] if name == "clip" else []))
    node.backward()
    assert math.isnan(node.data)
    assert math.isnan(x.grad)


@pytest.mark.parametrize("name", ["maximum", "minimum", "logsumexp"])
@pytest.mark.parametrize("others", [1.0, INF, -INF])
def test_nan_wins_over_any_number(name: str, others: float) -> None:
    """nan beside a number, an infinite one too, gives nan on either side, for floats and for batches."""
    for point in ((NAN, others), (others, NAN), (NAN, NAN)):
        assert math.isnan(PRIMITIVES[name](*point)), point
        assert np.isnan(PRIMITIVES[name](*map(Batch, point))).all(), point


#: The values at -inf and at inf; an error where `math` raises it.
AT_INFINITY: dict[str, tuple[Any, Any]] = {
    "negative": (INF, -INF),
    "absolute": (INF, INF),
    "exp": (0.0, INF),
    "expm1": (-1.0, INF),
    "log": (ValueError, INF),
    "log1p": (ValueError, INF),
    "sqrt": (ValueError, INF),
    "sin": (ValueError, ValueError),
    "cos": (ValueError, ValueError),
    "tan": (ValueError, ValueError),
    "arcsin": (ValueError, ValueError),
    "arccos": (ValueError, ValueError),
    "arctan": (-math.pi / 2, math.pi / 2),
    "sinh": (-INF, INF),
    "cosh": (INF, INF),
    "tanh": (-1.0, 1.0),
    "sign": (-1.0, 1.0),
    "step": (0.0, 1.0),
    "relu": (0.0, INF),
    "leaky_relu": (-INF, INF),
    "elu": (-1.0, INF),
    "sigmoid": (0.0, 1.0),
    "softplus": (0.0, INF),
}


@pytest.mark.parametrize("name", AT_INFINITY)
def test_infinity_is_passed_on(name: str) -> None:
    """At ±inf, floats and batches have the limit of the function, or the error that `math` raises."""
    for x, expected in zip((-INF, INF), AT_INFINITY[name], strict=True):
        target = PRIMITIVES[name]
        if expected is ValueError:
            with pytest.raises(ValueError, match=name):
                target(Value(x))
        else:
            operands = (x, *target.defaults)
            assert target(Value(x)).data == target(x) == expected
            assert target(*map(Batch, operands)).tolist() == expected


def test_infinite_operands_among_others() -> None:
    """Infinite operands of more than one follow IEEE 754; -inf counts for nothing in a logsumexp."""
    assert PRIMITIVES["logsumexp"](0.0, -INF) == 0.0
    assert PRIMITIVES["logsumexp"](-INF, -INF) == -INF
    assert PRIMITIVES["logsumexp"](INF, 0.0) == INF
    assert PRIMITIVES["maximum"](-INF, 1.0) == PRIMITIVES["minimum"](INF, 1.0) == 1.0
    assert PRIMITIVES["clip"](INF, -1.0, 1.0) == 1.0
    assert PRIMITIVES["clip"](0.5, -INF, INF) == 0.5
    assert PRIMITIVES["sum"](INF, 1.0) == PRIMITIVES["mean"](INF, 1.0) == PRIMITIVES["dot"](INF, 2.0, 1.0) == INF
    assert math.isnan(PRIMITIVES["sum"](INF, -INF))
    assert PRIMITIVES["power"](INF, -1.0) == 0.0


def test_masked_logits_get_no_gradient() -> None:
    """An operand of -inf in a logsumexp receives 0, the other one all of the gradient."""
    x, masked = Value(0.5), Value(-INF)
    ag.logsumexp([x, masked]).backward()
    assert (x.grad, masked.grad) == (1.0, 0.0)


@ALL
def test_recording_never_fails_because_of_a_derivative(name: str) -> None:
    """Where the value of finite or infinite operands is defined, the derivative is some float and not an error."""
    target = PRIMITIVES[name]
    count = 3 if target.variadic else len(target.partials)
    for point in itertools.product([-INF, -1e300, -1.0, -TINY, -0.0, 0.0, TINY, 1.0, 1e300, INF, NAN], repeat=count):
        try:
            target(*point)
        except (ValueError, ArithmeticError):
            continue
        operands = [Value(point[0]), *point[1:]] if name == "power" else map(Value, point)  # its exponent needs x > 0
        assert all(type(partial) in (float, type(None)) for partial in target(*operands).local_derivatives), point


# ----- Domain errors -----

ERRORS: list[tuple[str, Point, type[Exception]]] = [
    ("divide", (1.0, 0.0), ZeroDivisionError),
    ("divide", (1.0, -0.0), ZeroDivisionError),
    ("power", (0.0, -1.0), ZeroDivisionError),
    ("power", (-8.0, 1 / 3), ValueError),
    ("power", (-2.0, 2.0), ValueError),
    ("power", (0.0, 2.0), ValueError),
    ("power", (10.0, 1000.0), OverflowError),
    ("exp", (1000.0,), OverflowError),
    ("expm1", (1000.0,), OverflowError),
    ("sinh", (-1000.0,), OverflowError),
    ("cosh", (1000.0,), OverflowError),
    ("log", (0.0,), ValueError),
    ("log", (-0.0,), ValueError),
    ("log", (-TINY,), ValueError),
    ("log1p", (-1.0,), ValueError),
    ("log1p", (math.nextafter(-1.0, -INF),), ValueError),
    ("sqrt", (-TINY,), ValueError),
    ("sin", (INF,), ValueError),
    ("cos", (-INF,), ValueError),
    ("tan", (INF,), ValueError),
    ("arcsin", (ABOVE_ONE,), ValueError),
    ("arcsin", (-ABOVE_ONE,), ValueError),
    ("arccos", (ABOVE_ONE,), ValueError),
    ("arccos", (-ABOVE_ONE,), ValueError),
    ("clip", (0.0, 1.0, -1.0), ValueError),
    ("softplus", (1.0, 0.0), ZeroDivisionError),
]


@pytest.mark.parametrize(("name", "point", "error"), ERRORS)
def test_domain_errors_say_what_and_where(name: str, point: Point, error: type[Exception]) -> None:
    """Out of its domain a primitive raises what `math` raises, and names itself, the operands' values and labels."""
    operands = [Value(x, label=f"input{i}") for i, x in enumerate(point)]
    with pytest.raises(error) as caught:
        PRIMITIVES[name](*operands)
    text = str(caught.value)
    assert type(caught.value) is error
    assert name in text
    for i, x in enumerate(point):
        assert f"{x!r} (labelled 'input{i}')" in text


@pytest.mark.parametrize(("name", "point", "error"), ERRORS)
def test_domain_errors_of_plain_numbers(name: str, point: Point, error: type[Exception]) -> None:
    """Plain numbers raise the same error; only the exponent of a power needs a positive base no longer."""
    if name == "power" and error is ValueError and point[1] == 2.0:
        assert PRIMITIVES[name](*point) == point[0] ** 2
        return
    with pytest.raises(error, match=name):
        PRIMITIVES[name](*point)


@pytest.mark.parametrize(
    ("name", "limit"),
    [("log", "x > 0"), ("log1p", "x > -1"), ("sqrt", "x >= 0"), ("arcsin", "-1 <= x <= 1"), ("arccos", "-1 <= x <= 1")],
)
def test_domain_errors_state_the_domain(name: str, limit: str) -> None:
    """The error says where the operand must lie, and whether the limit belongs to it."""
    with pytest.raises(ValueError, match=f"it needs {limit}$"):
        PRIMITIVES[name](Value(-5.0))
    assert PRIMITIVES[name].limits() == [limit]


def test_no_complex_number_comes_out() -> None:
    """A negative base with a broken exponent is an error on all ways in."""
    for attempt in (lambda: Value(-8.0) ** (1 / 3), lambda: (-8.0) ** Value(1 / 3), lambda: ag.power(-8.0, 1 / 3)):
        with pytest.raises(ValueError, match="power"):
            attempt()


def test_batches_out_of_domain_hold_what_numpy_gives() -> None:
    """A batch does not raise: it holds nan or inf where a float would, and the other rows stay."""
    assert ag.log(Batch([0.0, 1.0])).tolist() == [-INF, 0.0]
    assert np.isnan(ag.sqrt(Batch([-1.0, 4.0]))).tolist() == [True, False]
    assert ag.exp(Batch([1000.0, 0.0])).tolist() == [INF, 1.0]


# ----- PyTorch -----


def _torch_functions(torch: Any) -> dict[str, tuple[Any, int]]:
    """PyTorch's function for a primitive's name, and how many of its operands can be tensors (the rest are numbers)."""
    functional = torch.nn.functional
    same = {
        **dict.fromkeys(["exp", "expm1", "log", "log1p", "sqrt", "sin", "cos", "tan", "arcsin", "arccos", "arctan"], 1),
        **dict.fromkeys(["sinh", "cosh", "tanh", "absolute", "sign", "relu", "negative"], 1),
        **dict.fromkeys(["add", "subtract", "multiply", "divide", "maximum", "minimum"], 2),
    }
    return {
        **{name: (getattr(torch, name), count) for name, count in same.items()},
        "power": (torch.pow, 2),
        "clip": (torch.clamp, 3),
        "where": (lambda condition, x, y: torch.where(condition > 0, x, y), 3),
        "sigmoid": (lambda x, slope: torch.sigmoid(slope * x), 2),
        "softplus": (lambda x, beta: functional.softplus(x, beta, threshold=1e9), 1),
        "leaky_relu": (functional.leaky_relu, 1),
        "elu": (functional.elu, 1),
        "silu": (functional.silu, 1),
        "step": (lambda x: torch.heaviside(x.detach(), torch.zeros_like(x)) + 0 * x, 1),
        "sum": (lambda *values: torch.stack(values).sum(), 0),
        "mean": (lambda *values: torch.stack(values).mean(), 0),
        "logsumexp": (lambda *values: torch.logsumexp(torch.stack(values), 0), 0),
        "dot": (_torch_dot, 0),
    }


def _torch_dot(*operands: Any) -> Any:
    half = len(operands) // 2
    return sum((w * x for w, x in zip(operands[:half], operands[half:])), operands[-1])


#: By which name PyTorch's share has no function, and where its conventions are not ours.
NOT_IN_TORCH = {"positive", "share"}


@ALL
def test_agrees_with_pytorch(name: str) -> None:
    """Values and gradients are PyTorch's in float64, also at kinks and where a derivative is infinite."""
    torch = pytest.importorskip("torch", reason="PyTorch is a second opinion, where it is installed")
    function, count = _torch_functions(torch).get(name, (None, 0))
    if function is None:
        assert name in NOT_IN_TORCH
        return
    target = PRIMITIVES[name]
    for point in _torch_points(target):
        row = _row(target, point)
        if row is None:
            continue
        value, derivatives = row
        differentiable = [
            derivative is not None and (target.variadic or i < count) for i, derivative in enumerate(derivatives)
        ]
        tensors = [
            torch.tensor(x, dtype=torch.float64, requires_grad=wanted) for x, wanted in zip(point, differentiable)
        ]
        out = function(*[t if target.variadic or i < count else x for i, (t, x) in enumerate(zip(tensors, point))])
        out.backward()
        gradients = [0.0 if t.grad is None else t.grad.item() for t in tensors]
        assert _alike(out.item(), value, 10 * max(1.0, abs(value))), point
        for wanted, got, right in zip(differentiable, gradients, derivatives, strict=True):
            assert not wanted or _alike(got, right, 10 * max(1.0, abs(right))), (point, gradients, derivatives)


def _torch_points(primitive: Primitive) -> list[Point]:
    """Moderate points and the kinks, without those where PyTorch loses digits or has no gradient at all."""
    kinks = [point for name, point, _, _ in KINKS if name == primitive.name and not any(map(math.isnan, point))]
    places = [*filter(_moderate, points(primitive)), *kinks]
    if primitive.name in ("arcsin", "arccos"):  # PyTorch's 1 - x * x cancels next to ±1
        return [(x,) for (x,) in places if abs(x) < 0.999 or abs(x) == 1]
    if primitive.name == "clip":  # PyTorch gives nobody the gradient where the limits are equal
        return [(x, low, high) for x, low, high in places if low < high]
    return places


# ----- The operators and methods of Value that are written out -----

OPERATORS: dict[str, tuple[Any, Primitive]] = {
    "+": (operator.add, rules.add),
    "-": (operator.sub, rules.subtract),
    "*": (operator.mul, rules.multiply),
    "/": (operator.truediv, rules.divide),
    "**": (operator.pow, rules.power),
}
_POSITIVE = [
    0.0,
    TINY,
    1e-310,
    2.2250738585072014e-308,
    1e-300,
    0.1,
    1.0,
    ABOVE_ONE,
    1.5,
    3.0,
    1e154,
    1e300,
    LARGEST,
    INF,
]
NUMBERS = [*_POSITIVE, *[-x for x in _POSITIVE], NAN]

def with_a_wrong_rule() -> Any:
    """The mode in which products are recorded wrongly."""
    return ag.breaking("multiply: swapped")


def compiling() -> Any:
    """The mode in which `compile` records."""
    return Change(compiling=True)


UNARY_METHODS = [name for name in NAMES if PRIMITIVES[name].arity == 1 and hasattr(Value, name)] + ["negative"]


@pytest.mark.parametrize("symbol", OPERATORS)
def test_operators_equal_the_table_bitwise(symbol: str) -> None:
    """What the operators of Value write out themselves is what the table says, to the bit, for any number."""
    assert hot_path_discrepancies(symbol, NUMBERS) == []


@pytest.mark.parametrize("name", UNARY_METHODS)
def test_methods_equal_the_table_bitwise(name: str) -> None:
    """A method of one operand records what the table says, to the bit, and raises the same errors."""
    extra = [710.0, -710.0, 1000.0, -1000.0, -1 / 3]
    assert method_discrepancies(PRIMITIVES[name], NUMBERS + extra) == []


def test_every_function_of_one_operand_is_a_method() -> None:
    """No primitive of one operand was forgotten among the methods; `positive` is of use to transforms alone."""
    unary = {name for name in NAMES if PRIMITIVES[name].unary}
    assert unary - {"positive"} == {*UNARY_METHODS}


@pytest.mark.parametrize("name", ["sigmoid", "softplus", "leaky_relu", "elu", "clip"])
def test_methods_with_parameters_are_the_table(name: str) -> None:
    """Methods take the parameters of their primitives, by position and by name."""
    target, x = PRIMITIVES[name], Value(0.75)
    given = [-0.5, 0.5][: len(target.parameters) - 1] if name == "clip" else [1.5]
    named = dict(zip(target.parameters[1:], given, strict=True))
    recorded = _outcome(lambda: x._record(target, (x, *given)))
    assert _outcome(lambda: getattr(x, name)(*given)) == _outcome(lambda: getattr(x, name)(**named)) == recorded


@pytest.mark.parametrize(
    ("function", "signature"),
    [
        (ag.exp, "(x)"),
        (ag.maximum, "(x, y)"),
        (ag.sigmoid, "(x, slope=1.0)"),
        (ag.softplus, "(x, beta=1.0)"),
        (ag.leaky_relu, "(x, negative_slope=0.01)"),
        (ag.elu, "(x, alpha=1.0)"),
        (ag.clip, "(x, low, high)"),
        (ag.where, "(condition, x, y)"),
        (PRIMITIVES["sum"], "(*x)"),
        (Value.exp, "(x)"),
        (Value(1.0).sigmoid, "(slope=1.0)"),
    ],
)
def test_the_signature_is_that_of_the_function(function: Callable[..., Any], signature: str) -> None:
    """What a notebook shows for Shift-Tab: names and defaults, as the documentation states them."""
    assert str(inspect.signature(function)) == signature


def test_help_shows_names_and_defaults() -> None:
    """Of a primitive, of the method, and of `primitive`, which is called as its class is."""
    assert "sigmoid(x, slope=1.0)" in pydoc.plain(pydoc.render_doc(ag.sigmoid))
    assert "sigmoid(slope=1.0)" in pydoc.plain(pydoc.render_doc(Value(1.0).sigmoid))
    shown = pydoc.plain(pydoc.render_doc(ag.primitive))  # on one line, or on many, as the version of Python has it
    assert "Primitive(name:'str',function:" in re.sub(r"[\s|]", "", shown)
    assert list(inspect.signature(ag.primitive).parameters)[:3] == ["name", "function", "partials"]


@pytest.mark.parametrize(
    "mode",
    [contextlib.nullcontext, ag.no_grad, ag.detect_anomaly, ag.record_lines, with_a_wrong_rule, compiling],
)
@pytest.mark.parametrize("symbol", OPERATORS)
def test_integers_become_floats_in_the_written_out_operators(symbol: str, mode: Callable[[], Any]) -> None:
    """An int on either side is the float that it equals, in every mode."""
    operate, target = OPERATORS[symbol]
    for number, whole in itertools.product([3.0, 0.0, -2.0], [2, 0, -3, 10**20]):
        x = Value(number)
        with mode():
            assert _outcome(lambda: operate(x, whole)) == _outcome(lambda: x._record(target, (x, float(whole))))  # noqa: B023
            assert _outcome(lambda: operate(whole, x)) == _outcome(lambda: x._record(target, (float(whole), x)))  # noqa: B023


@pytest.mark.parametrize("symbol", OPERATORS)
def test_integers_beyond_floats(symbol: str) -> None:
    """The error says how large a number may be."""
    operate, _ = OPERATORS[symbol]
    for operands in ((Value(2.0), 10**400), (10**400, Value(2.0))):
        with pytest.raises(OverflowError, match=r"takes numbers up to 1\.8e308; this int is larger"):
            operate(*operands)


def test_an_overridden_operator_is_called_once() -> None:
    """A student's own `+` sees the int that was written, and nothing else."""
    seen: list[Any] = []

    class Watched(Value):
        def __add__(self, other: Any) -> Value:
            seen.append(other)
            return super().__add__(other)

        def __rsub__(self, other: Any) -> Value:
            seen.append(other)
            return super().__rsub__(other)

    assert (Watched(2.0) + 3).data == 5.0
    assert (7 - Watched(2.0)).data == 5.0
    assert seen == [3, 7]
    assert [type(x) for x in seen] == [int, int]


# ----- A primitive of one's own -----


@pytest.fixture
def cube() -> Iterator[Primitive]:
    """A primitive that a user defines; it is removed afterwards."""
    before = PRIMITIVES.get("cube")
    yield primitive("cube", lambda x: x * x * x, lambda x, out: 3 * x * x, latex="{0}^3", definition=lambda x: x**3)
    del PRIMITIVES["cube"]
    if before is not None:
        PRIMITIVES["cube"] = before


def test_a_primitive_of_ones_own_passes_all_checks(cube: Primitive) -> None:
    """One entry is enough for floats, batches, Values and `expand`; its definition serves as the exact formula."""
    assert len([point for point in points(cube) if _row(cube, point)]) > 30
    assert checks(cube) == []


def test_a_wrong_primitive_of_ones_own_is_found(cube: Primitive, monkeypatch: pytest.MonkeyPatch) -> None:
    """The exact formula is that of the definition, so a wrong rule or value shows."""
    monkeypatch.setattr(cube, "partials", (lambda x, out: 2 * x * x,))
    assert discrepancies(cube)
    monkeypatch.undo()
    assert not discrepancies(cube)
    monkeypatch.setattr(cube, "function", lambda x: x * x)
    assert discrepancies(cube)


def test_a_primitive_without_a_formula_says_what_to_add(cube: Primitive, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a formula and a definition there is nothing to compare with, and the failure says so."""
    monkeypatch.setattr(cube, "definition", None)
    with pytest.raises(AssertionError, match="add its formula in mpmath to FORMULAS in tests/oracles.py"):
        discrepancies(cube)


@pytest.mark.parametrize("domain", [5, (), ((0, 1), (0, 1)), "ab", ((0,),)])
def test_a_domain_that_is_none(domain: object) -> None:
    """It is refused with what is wanted, and nothing is defined."""
    with pytest.raises(ValueError, match="domain is a pair"):
        primitive("of_no_domain", lambda x: x, lambda x, out: 1.0, domain=domain)
    assert "of_no_domain" not in PRIMITIVES


@pytest.mark.parametrize(
    ("rule", "kind", "reason"),
    [
        (lambda x, out: math.exp(x), OverflowError, "math range error"),
        (lambda x, out: 1 / 0, ZeroDivisionError, "division by zero"),
        (lambda x, out: ag.exp(x), OverflowError, r"exp\(x\) at x = 1000.0: math range error"),
        (lambda x, out: 1 / 0 * math.log(-x), ZeroDivisionError, "division by zero"),
    ],
)
def test_a_rule_that_fails_on_limits_too_is_named(
    rule: Callable[..., float], kind: type[Exception], reason: str
) -> None:
    """The error names the primitive, the operand and its label, and what the rule should do."""
    steep = primitive("steep", lambda x: 1.0, rule)
    try:
        told = r"steep\(x\) at x = 1000.0 \(labelled 'z'\) has no derivative with respect to x"
        with pytest.raises(kind, match=rf"^{told} \({reason}\); .* return math.inf or -math.inf$"):
            steep(Value(1000.0, "z"))
    finally:
        del PRIMITIVES["steep"]


def test_a_variadic_rule_that_fails_on_limits_too_is_named() -> None:
    """It has one rule for all operands."""
    steep = primitive("steep", lambda *xs: 1.0, lambda *xs: [math.exp(1000.0)], variadic=True)
    try:
        with pytest.raises(OverflowError, match=r"^steep at x1 = 1.0 has no derivative \(math range error\); "):
            steep(Value(1.0))
    finally:
        del PRIMITIVES["steep"]
