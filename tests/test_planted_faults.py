"""The checks are checked: wrong rules planted in the table, and wrong sweeps in backward(), are all found.

A plant counts if the primitive then behaves otherwise somewhere in its domain or at a stated kink. That is found out
by evaluating both, apart from the check under test; the plants that change nothing are listed, one by one.
"""

from __future__ import annotations

import math
import random
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from test_rules import (
    KINKS,
    NAMES,
    NUMBERS,
    batch_discrepancies,
    definition_discrepancies,
    discrepancies,
    each_discrepancy,
    hot_path_discrepancies,
    method_discrepancies,
    points,
    recording_discrepancies,
    second_derivative_discrepancies,
)

import autograd.value
from autograd import Value, nodes, rules
from autograd.primitives import PRIMITIVES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from autograd.primitives import Primitive

    Rule = Callable[..., Any]

exp, log, sqrt, sin, cos, cosh, sigmoid = (
    rules.exp, rules.log, rules.sqrt, rules.sin, rules.cos, rules.cosh, rules.sigmoid,
)  # fmt: skip


class Plant(NamedTuple):
    """A wrong rule, and where it goes: the position of the partial derivative, or None for the value."""

    kind: str
    place: int | None
    rule: Rule


# ----- Plants that fit every primitive -----


def general_plants(primitive: Primitive) -> Iterator[Plant]:
    """Each value and each partial: sign, factor, off by one, constants, the operand itself, another operand's."""
    for kind, spoil in GENERAL.items():
        yield Plant(kind, None, _spoiled_value(primitive.function, spoil))
        for i, rule in enumerate(primitive.partials):
            yield Plant(kind, i, _spoiled_list(rule, spoil) if primitive.variadic else _spoiled_value(rule, spoil))
    if primitive.variadic:
        for kind, spoil_list in OF_LISTS.items():
            yield Plant(kind, 0, _spoiled_value(primitive.partials[0], spoil_list))
    for i in range(len(primitive.partials)):
        for j, other in enumerate(primitive.partials):
            if i != j:
                yield Plant(f"that of operand {j}", i, other)


GENERAL: dict[str, Callable[[Any], Any]] = {
    "sign flipped": lambda out: -out,
    "factor 2": lambda out: 2 * out,
    "one too many": lambda out: out + 1.0,
    "one too few": lambda out: out - 1.0,
    "constant 0": lambda out: 0.0,
    "constant 1": lambda out: 1.0,
    "squared": lambda out: out * out,
}
OF_LISTS: dict[str, Callable[[list[Any]], list[Any]]] = {
    "in reverse": lambda partials: partials[::-1],
    "shifted": lambda partials: [*partials[1:], partials[0]],
    "first forgotten": lambda partials: [0.0, *partials[1:]],
    "last forgotten": lambda partials: [*partials[:-1], 0.0],
    "all as the first": lambda partials: [partials[0] for _ in partials],
}


def _spoiled_value(function: Rule, spoil: Callable[[Any], Any]) -> Rule:
    return lambda *operands: spoil(function(*operands))


def _spoiled_list(rule: Rule, spoil: Callable[[Any], Any]) -> Rule:
    return lambda *operands: [spoil(partial) for partial in rule(*operands)]


# ----- Plants made by hand: terms and factors dropped, conventions forgotten, other functions -----


def _at(is_kink: Callable[..., bool], instead: float, name: str, i: int) -> Rule:
    """The right rule, but for one number at its kink."""
    right = PRIMITIVES[name].partials[i]
    return lambda *operands: instead if is_kink(*operands) else right(*operands)


def _at_zero(name: str, instead: float, i: int = 0) -> Rule:
    return _at(lambda x, *_: x == 0, instead, name, i)


def _at_one(name: str, instead: float) -> Rule:
    return _at(lambda x, out: abs(x) == 1, instead, name, 0)


def _at_tie(name: str, i: int, instead: float) -> Rule:
    return _at(lambda x, y, out: x == y, instead, name, i)


def _on_limit(i: int, instead: float) -> Rule:
    return _at(lambda x, low, high, out: x in (low, high), instead, "clip", i)


def _halves(operands: Sequence[Any]) -> tuple[Any, Any]:
    half = len(operands) // 2
    return operands[:half], operands[half : 2 * half]


def _wrong_dot(keep: Callable[[float, float, float], float]) -> Rule:
    def function(*operands: float) -> float:
        weights, inputs = _halves(operands)
        return keep(sum(w * x for w, x in zip(weights, inputs, strict=True)), operands[-1], len(weights))

    return function


def _swapped_dot(*operands: Any) -> list[Any]:
    weights, inputs = _halves(operands[:-1])
    return [*weights, *inputs, 1.0]


def _logmeanexp(*values: float) -> float:
    return max(values) + math.log(sum(math.exp(value - max(values)) for value in values) / len(values))


def _largest_alone(*values_out: Any) -> list[Any]:
    largest = max(values_out[:-1])
    return [float(value == largest) for value in values_out[:-1]]


BY_HAND: dict[str, list[Plant]] = {
    "add": [Plant("difference", None, lambda x, y: x - y), Plant("product rule", 0, lambda x, y, out: y)],
    "subtract": [Plant("operands swapped", None, lambda x, y: y - x)],
    "multiply": [Plant("its own operand", 0, lambda x, y, out: x), Plant("the product", 1, lambda x, y, out: out)],
    "divide": [
        Plant("operands swapped", None, lambda x, y: y / x),
        Plant("whole part", None, lambda x, y: float(x // y)),
        Plant("the divisor", 0, lambda x, y, out: y),
        Plant("square dropped", 1, lambda x, y, out: -x / y),
        Plant("numerator dropped", 1, lambda x, y, out: -1 / (y * y)),
    ],
    "negative": [Plant("absolute value", None, abs)],
    "power": [
        Plant("operands swapped", None, lambda x, y: y**x),
        Plant("exponent not lowered", 0, lambda x, y, out: y * out),
        Plant("exponent as factor dropped", 0, lambda x, y, out: x ** (y - 1)),
        Plant("0 * 0 ** -1 at an exponent of 0", 0, lambda x, y, out: y * x ** (y - 1)),
        Plant("logarithm dropped", 1, lambda x, y, out: out),
        Plant("power dropped", 1, lambda x, y, out: log(x)),
        Plant("0 at an infinite derivative", 0, _at_zero("power", 0.0)),
    ],
    "absolute": [
        Plant("the operand itself", None, lambda x: x),
        *(Plant(f"{partial:g} at 0", 0, _at_zero("absolute", partial)) for partial in (1.0, -1.0, 0.5)),
    ],
    "exp": [
        Plant("power of 2", None, lambda x: 2.0**x),
        Plant("the operand", 0, lambda x, out: x),
        Plant("power rule", 0, lambda x, out: x * exp(x - 1)),
    ],
    "expm1": [Plant("exp", None, math.exp), Plant("the output", 0, lambda x, out: out)],
    "log": [Plant("base 2", None, math.log2), Plant("over the output", 0, lambda x, out: 1 / out)],
    "log1p": [Plant("log", None, math.log), Plant("1 + dropped", 0, lambda x, out: 1 / x)],
    "sqrt": [
        Plant("cube root", None, math.cbrt),
        Plant("2 dropped", 0, lambda x, out: 1 / out),
        Plant("over the operand", 0, lambda x, out: 0.5 / x),
        Plant("times the output", 0, lambda x, out: 0.5 * out),
        Plant("finite at 0", 0, _at_zero("sqrt", 0.0)),
        Plant("large but finite at 0", 0, _at_zero("sqrt", 1e308)),
    ],
    "sin": [Plant("cos", None, math.cos), Plant("the output", 0, lambda x, out: out)],
    "cos": [Plant("sin", None, math.sin), Plant("the output", 0, lambda x, out: out)],
    "tan": [
        Plant("cotangent", None, lambda x: 1 / math.tan(x)),
        Plant("1 dropped", 0, lambda x, out: out * out),
        Plant("that of tanh", 0, lambda x, out: 1 - out * out),
        Plant("cos not squared", 0, lambda x, out: 1 / cos(x)),
        Plant("over cos squared (right)", 0, lambda x, out: 1 / (cos(x) * cos(x))),
    ],
    "arcsin": [
        Plant("arccos", None, math.acos),
        Plant("root dropped", 0, lambda x, out: 1 / (1 - x * x)),
        Plant("that of arsinh", 0, lambda x, out: 1 / sqrt(1 + x * x)),
        Plant("finite at ±1", 0, _at_one("arcsin", 0.0)),
        Plant("-inf at ±1", 0, _at_one("arcsin", -math.inf)),
    ],
    "arccos": [
        Plant("arcsin", None, math.asin),
        Plant("root dropped", 0, lambda x, out: -1 / (1 - x * x)),
        Plant("inf at ±1", 0, _at_one("arccos", math.inf)),
        Plant("nan at ±1", 0, _at_one("arccos", math.nan)),
    ],
    "arctan": [
        Plant("tanh", None, math.tanh),
        Plant("square dropped", 0, lambda x, out: 1 / (1 + abs(x))),
        Plant("with a root", 0, lambda x, out: 1 / sqrt(1 + x * x)),
        Plant("cos of the output squared (right)", 0, lambda x, out: cos(out) * cos(out)),
    ],
    "sinh": [Plant("cosh", None, math.cosh), Plant("the output", 0, lambda x, out: out)],
    "cosh": [Plant("sinh", None, math.sinh), Plant("the output", 0, lambda x, out: out)],
    "tanh": [
        Plant("arctan", None, math.atan),
        Plant("square dropped", 0, lambda x, out: 1 - out),
        Plant("1 dropped", 0, lambda x, out: -out * out),
        Plant("the operand squared", 0, lambda x, out: 1 - x * x),
        Plant("plus for minus", 0, lambda x, out: 1 + out * out),
        Plant("that of sigmoid", 0, lambda x, out: out * (1 - out)),
        Plant("over cosh squared (right)", 0, lambda x, out: 1 / (cosh(x) * cosh(x))),
    ],
    "sign": [
        *(Plant(f"{v:g} at 0", None, lambda x, v=v: math.copysign(1, x) if x else v) for v in (1.0, -1.0)),
        Plant("1 at 0", 0, _at_zero("sign", 1.0)),
    ],
    "step": [
        *(Plant(f"{v:g} at 0", None, lambda x, v=v: float(x > 0) if x else v) for v in (1.0, 0.5)),
        Plant("inf at 0", 0, _at_zero("step", math.inf)),
    ],
    "share": [
        *(Plant(f"{v:g} at a tie", None, lambda x, y, v=v: v if x == y else float(x > y)) for v in (0.0, 1.0)),
        Plant("the smaller", None, lambda x, y: float(x < y) + 0.5 * (x == y)),
        *(Plant("1 at a tie", i, _at_tie("share", i, 1.0)) for i in (0, 1)),
    ],
    "maximum": [
        Plant("minimum", None, min),
        Plant("the first", None, lambda x, y: x),
        *(Plant(f"{v:g} at a tie", i, _at_tie("maximum", i, v)) for i in (0, 1) for v in (0.0, 1.0)),
    ],
    "minimum": [
        Plant("maximum", None, max),
        Plant("the second", None, lambda x, y: y),
        *(Plant(f"{v:g} at a tie", i, _at_tie("minimum", i, v)) for i in (0, 1) for v in (0.0, 1.0)),
    ],
    "where": [
        Plant("at least 0", None, lambda condition, x, y: x if condition >= 0 else y),
        Plant("not 0", None, lambda condition, x, y: x if condition else y),
        Plant("chosen the wrong way", None, lambda condition, x, y: y if condition > 0 else x),
        Plant("at least 0", 1, lambda condition, x, y, out: float(condition >= 0)),
        Plant("at most 0", 2, lambda condition, x, y, out: float(condition < 0)),
        Plant("the difference", 0, lambda condition, x, y, out: x - y),
    ],
    "clip": [
        Plant("lower limit forgotten", None, lambda x, low, high: min(x, high)),
        Plant("upper limit forgotten", None, lambda x, low, high: max(x, low)),
        Plant("the middle", 0, lambda x, low, high, out: float(low < x < high)),
        *(Plant(f"{v:g} on a limit", 0, _on_limit(0, v)) for v in (0.0, 0.5)),
        *(Plant(f"{v:g} on a limit", i, _on_limit(i, v)) for i in (1, 2) for v in (0.5, 1.0)),
        Plant("upper side forgotten", 0, lambda x, low, high, out: float(x >= low)),
        Plant("lower side forgotten", 0, lambda x, low, high, out: float(x <= high)),
    ],
    "sigmoid": [
        Plant("tanh", None, lambda x, slope=1.0: math.tanh(slope * x)),
        Plant("slope forgotten", None, lambda x, slope=1.0: 1 / (1 + math.exp(-x)) if x > -700 else 0.0),
        Plant("with overflow", None, lambda x, slope=1.0: 1 / (1 + math.exp(-slope * x))),
        Plant("slope dropped", 0, lambda x, slope, out: out * (1 - out)),
        Plant("output dropped", 0, lambda x, slope, out: slope * (1 - out)),
        Plant("1 - output dropped", 0, lambda x, slope, out: slope * out),
        Plant("plus for minus", 0, lambda x, slope, out: slope * out * (1 + out)),
        Plant("multiplied out (right)", 0, lambda x, slope, out: slope * (out - out * out)),
        Plant("operand dropped", 1, lambda x, slope, out: out * (1 - out)),
        Plant("1 - output dropped", 1, lambda x, slope, out: x * out),
        Plant("output dropped", 1, lambda x, slope, out: x * (1 - out)),
    ],
    "softplus": [
        Plant("relu", None, lambda x, beta=1.0: max(x, 0.0)),
        Plant("not divided", None, lambda x, beta=1.0: math.log1p(math.exp(min(beta * x, 700.0)))),
        Plant("with overflow", None, lambda x, beta=1.0: math.log(1 + math.exp(beta * x)) / beta),
        Plant("beta dropped", 0, lambda x, beta, out: sigmoid(x)),
        Plant("beta as a factor", 0, lambda x, beta, out: beta * sigmoid(x, beta)),
        Plant("last term dropped", 1, lambda x, beta, out: x * sigmoid(x, beta) / beta),
        Plant("first term dropped", 1, lambda x, beta, out: -out / beta),
        Plant("two quotients (right)", 1, lambda x, beta, out: (x * sigmoid(x, beta) - out) / beta),
    ],
    "relu": [
        Plant("absolute value", None, abs),
        Plant("leaky", None, lambda x: x if x > 0 else 0.01 * x),
        *(Plant(f"{partial:g} at 0", 0, _at_zero("relu", partial)) for partial in (1.0, 0.5)),
        Plant("the output", 0, lambda x, out: out),
        Plant("the wrong side", 0, lambda x, out: float(x < 0)),
    ],
    "leaky_relu": [
        Plant("slope forgotten", None, lambda x, negative_slope=0.01: x if x > 0 else 0.01 * x),
        Plant("relu", None, lambda x, negative_slope=0.01: max(x, 0.0)),
        Plant("maximum", None, lambda x, negative_slope=0.01: max(x, negative_slope * x)),
        *(Plant(f"{v:g} at 0", 0, _at_zero("leaky_relu", v)) for v in (0.0, 1.0)),
        Plant("slope dropped", 0, lambda x, negative_slope, out: float(x > 0)),
        Plant("added on both sides", 0, lambda x, negative_slope, out: float(x > 0) + negative_slope),
        Plant("on both sides", 1, lambda x, negative_slope, out: x),
        Plant("1 at 0", 1, _at_zero("leaky_relu", 1.0, 1)),
    ],
    "elu": [
        Plant("alpha forgotten", None, lambda x, alpha=1.0: x if x > 0 else math.expm1(x)),
        Plant("-1 dropped", None, lambda x, alpha=1.0: x if x > 0 else alpha * math.exp(x)),
        *(Plant(f"{v:g} at 0", 0, _at_zero("elu", v)) for v in (0.0, 1.0)),
        Plant("alpha dropped", 0, lambda x, alpha, out: 1.0 if x > 0 else exp(x)),
        Plant("the output", 0, lambda x, alpha, out: 1.0 if x > 0 else out),
        Plant("output plus alpha (right)", 0, lambda x, alpha, out: 1.0 if x > 0 else out + alpha),
        Plant("-1 dropped", 1, lambda x, alpha, out: 0.0 if x > 0 else exp(x)),
        Plant("on both sides", 1, lambda x, alpha, out: rules.expm1(x)),
    ],
    "silu": [
        Plant("relu", None, lambda x: max(x, 0.0)),
        Plant("sigmoid", None, lambda x: sigmoid(x)),
        Plant("last term dropped", 0, lambda x, out: sigmoid(x)),
        Plant("first term dropped", 0, lambda x, out: x * sigmoid(x) * (1 - sigmoid(x))),
        Plant("operand dropped", 0, lambda x, out: sigmoid(x) * (1 + (1 - sigmoid(x)))),
        Plant("by the output (right)", 0, lambda x, out: out + sigmoid(x) * (1 - out)),
    ],
    "sum": [
        Plant("product", None, lambda *values: math.prod(values)),
        Plant("last forgotten", None, lambda *values: sum(values[:-1], 0.0)),
        Plant("that of mean", 0, rules.mean.partials[0]),
    ],
    "mean": [
        Plant("sum", None, lambda *values: sum(values, 0.0)),
        Plant("median", None, lambda *values: sorted(values)[len(values) // 2]),
        Plant("over n - 1", None, lambda *values: sum(values, 0.0) / max(len(values) - 1, 1)),
        Plant("that of sum", 0, rules.total.partials[0]),
        Plant("over n + 1", 0, lambda *values_out: [1 / len(values_out)] * (len(values_out) - 1)),
    ],
    "dot": [
        Plant("bias forgotten", None, _wrong_dot(lambda products, bias, n: products)),
        Plant("bias subtracted", None, _wrong_dot(lambda products, bias, n: products - bias)),
        Plant("bias once per input", None, _wrong_dot(lambda products, bias, n: products + n * bias)),
        Plant("mean of the products", None, _wrong_dot(lambda products, bias, n: products / max(n, 1) + bias)),
        Plant("weights for inputs", 0, _swapped_dot),
    ],
    "logsumexp": [
        Plant("maximum", None, max),
        Plant("mean for sum", None, _logmeanexp),
        Plant("with overflow", None, lambda *values: math.log(sum(map(math.exp, values)))),
        Plant("largest alone", 0, _largest_alone),
        Plant("not normalized", 0, lambda *values_out: [exp(value) for value in values_out[:-1]]),
        Plant("equal shares", 0, lambda *values_out: [1 / (len(values_out) - 1)] * (len(values_out) - 1)),
    ],
}


def plants(primitive: Primitive) -> Iterator[Plant]:
    """All of them; a rule planted twice under two names stays, since that harms nothing."""
    yield from general_plants(primitive)
    yield from BY_HAND.get(primitive.name, [])


@contextmanager
def planted(primitive: Primitive, plant: Plant) -> Iterator[None]:
    """The primitive with the wrong rule, as long as the block lasts."""
    with pytest.MonkeyPatch.context() as patch:
        if plant.place is None:
            patch.setattr(primitive, "function", plant.rule)
        else:
            partials = list(primitive.partials)
            partials[plant.place] = plant.rule
            patch.setattr(primitive, "partials", tuple(partials))
        yield


# ----- Which plants count -----

#: Those that change nothing, or nothing but rounding: "primitive place: kind". The test of a new primitive says which
#: of its plants belong here, if any.
EQUIVALENT = {
    # All partials of a sum are 1, and those of a mean are alike.
    *(f"add {i}: {kind}" for i in (0, 1) for kind in ("constant 1", "squared", f"that of operand {1 - i}")),
    *(f"{name} 0: {kind}" for name in ("subtract", "positive") for kind in ("constant 1", "squared")),
    *(f"sum 0: {kind}" for kind in ("constant 1", "squared", "in reverse", "shifted", "all as the first")),
    *(f"mean 0: {kind}" for kind in ("in reverse", "shifted", "all as the first")),
    # No gradient passes, whatever it is multiplied by.
    *(
        f"{operand}: {kind}"
        for operand in ("sign 0", "step 0", "share 0", "share 1", "where 0")
        for kind in ("sign flipped", "factor 2", "constant 0", "squared")
    ),
    "share 0: that of operand 1",
    "share 1: that of operand 0",
    # 0 and 1 are their own squares.
    *(
        f"{operand}: squared"
        for operand in ("step value", "where 1", "where 2", "clip 0", "clip 1", "clip 2", "relu 0")
    ),
    # Another way of writing the same formula.
    "tan 0: over cos squared (right)",
    "arctan 0: cos of the output squared (right)",
    "tanh 0: over cosh squared (right)",
    "sigmoid 0: multiplied out (right)",
    "softplus 1: two quotients (right)",
    "elu 0: output plus alpha (right)",
    "silu 0: by the output (right)",
}


def evidence(primitive: Primitive) -> list[tuple[float, ...]]:
    """Points, other ones than those of the checks: at random in the domain, far out, and at the stated kinks."""
    chance = random.Random("evidence of " + primitive.name)  # the same points in every run
    kinks = [point for name, point, _, _ in KINKS if name == primitive.name]
    if primitive.name == "power":
        kinks += [(0.0, 0.0), (0.0, 0.5), (0.0, 2.0)]
    if primitive.variadic:
        counts = [1, 3, 5] if primitive.name == "dot" else [1, 2, 3]
        drawn = [tuple(chance.uniform(-3, 3) for _ in range(n)) for n in counts * 10]
        return [*drawn, (1000.0, -1000.0, 999.0)]
    limits = [(max(low, -3.0), min(high, 3.0)) for low, high in primitive.domain]
    drawn = [tuple(chance.uniform(*limit) for limit in limits) for _ in range(40)]
    return [*drawn, *kinks, *([(-1000.0, 1.0), (1000.0, 1.0)] if primitive.name in ("sigmoid", "softplus") else [])]


def behaviour(primitive: Primitive) -> list[Any]:
    """The value and local derivatives at each piece of evidence, or the kind of error."""
    results: list[Any] = []
    for point in evidence(primitive):
        exponent_alone = primitive.name == "power" and point[0] <= 0  # a Value as exponent needs x > 0
        operands = [Value(point[0]), *point[1:]] if exponent_alone else list(map(Value, point))
        try:
            node = primitive(*operands)
        except (ValueError, ArithmeticError, TypeError) as error:
            results.append(type(error))
        else:
            results += [node.data, *node.local_derivatives]
    return results


def _differ(before: list[Any], after: list[Any]) -> bool:
    """Whether more than rounding is different."""
    return len(before) != len(after) or any(not _same(x, y) for x, y in zip(before, after, strict=True))


def _same(x: Any, y: Any) -> bool:
    if type(x) is float and type(y) is float and math.isfinite(x) and math.isfinite(y):
        return abs(x - y) <= 1e-9 * max(1.0, abs(x))
    return x == y or (x != x and y != y)


def title(primitive: Primitive, plant: Plant) -> str:
    """What the list of equivalent plants calls it."""
    return f"{primitive.name} {'value' if plant.place is None else plant.place}: {plant.kind}"


@pytest.mark.parametrize("name", NAMES)
def test_every_planted_rule_is_found(name: str) -> None:
    """The check of an entry of the table finds every wrong rule planted in it; those that change nothing are listed."""
    target = PRIMITIVES[name]
    right = behaviour(target)
    places = points(target)
    before = set(each_discrepancy(target, places))  # none, as test_rules.py shows
    harmless, missed = set(), []
    for plant in plants(target):
        with planted(target, plant):
            counts = _differ(right, behaviour(target))
            found = any(text not in before for text in each_discrepancy(target, places))
        if not counts:
            harmless.add(title(target, plant))
        elif not found:
            missed.append(title(target, plant))
    assert missed == []
    assert harmless == {listed for listed in EQUIVALENT if listed.split()[0] == name}


def test_the_list_of_equivalent_plants_is_of_plants() -> None:
    """Every plant listed as equivalent exists, and few are: most plants count."""
    every = [title(target, plant) for target in map(PRIMITIVES.__getitem__, NAMES) for plant in plants(target)]
    assert set(every) >= EQUIVALENT
    assert len(EQUIVALENT) < len(every) / 10


@pytest.mark.parametrize("name", NAMES)
def test_planting_leaves_nothing_behind(name: str) -> None:
    """After the block the primitive is as it was."""
    target = PRIMITIVES[name]
    before = target.function, target.partials
    for plant in plants(target):
        with planted(target, plant):
            assert (target.function, target.partials) != before
        assert (target.function, target.partials) == before


@pytest.mark.parametrize(
    ("name", "function"), [("expm1", lambda x: math.exp(x) - 1), ("log1p", lambda x: math.log(1 + x))]
)
def test_lost_digits_are_found(name: str, function: Rule) -> None:
    """A value that is right but for digits lost next to 0 is found as well."""
    target = PRIMITIVES[name]
    assert not discrepancies(target, [(1e-8,)])
    with planted(target, Plant("cancellation", None, function)):
        assert discrepancies(target, [(1e-8,)])


# ----- Faults in what else an entry holds -----


@pytest.mark.parametrize("kind", ["sign flipped", "factor 2", "one too many", "constant 0"])
@pytest.mark.parametrize("name", NAMES)
def test_wrong_values_of_batches_are_found(name: str, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The check of batches finds every wrong function of arrays."""
    target = PRIMITIVES[name]
    monkeypatch.setattr(target, "array", _spoiled_value(target.array, GENERAL[kind]))
    assert batch_discrepancies(target)


@pytest.mark.parametrize("kind", ["sign flipped", "factor 2", "one too many", "squared"])
@pytest.mark.parametrize("name", [name for name in NAMES if PRIMITIVES[name].definition is not None])
def test_wrong_definitions_are_found(name: str, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The check of definitions finds every wrong one."""
    target = PRIMITIVES[name]
    monkeypatch.setattr(target, "definition", _spoiled_value(target.definition, GENERAL[kind]))
    assert definition_discrepancies(target)


def test_definitions_with_another_convention_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """A definition that is the same function with another derivative at its kink is found."""
    monkeypatch.setattr(rules.relu, "definition", lambda x: rules.maximum(x, 0.0))
    assert definition_discrepancies(rules.relu) == [
        text for text in definition_discrepancies(rules.relu) if "(0.0,)" in text
    ]
    assert definition_discrepancies(rules.relu)


def test_rules_that_only_take_floats_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """A rule that `math` computes is right on floats, and found where it should record or take an array."""
    monkeypatch.setattr(rules.sin, "partials", (lambda x, out: math.cos(x),))
    assert not discrepancies(rules.sin)
    assert recording_discrepancies(rules.sin)
    assert batch_discrepancies(rules.sin)


def test_rules_that_lose_the_graph_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """A rule that gives the right number and no graph is found by its own derivative."""
    monkeypatch.setattr(rules.sin, "partials", (lambda x, out: math.cos(getattr(x, "data", x)),))
    assert not discrepancies(rules.sin)
    assert not recording_discrepancies(rules.sin)
    assert second_derivative_discrepancies(rules.sin)


# ----- Faults in what Value writes out itself -----

WRONG_OPERATORS: dict[str, tuple[str, str, Callable[[Value, Any], Value]]] = {
    "sum as difference": ("+", "__add__", lambda x, y: x - y),
    "operands swapped": ("-", "__rsub__", lambda x, y: x - y),
    "another node": ("-", "__sub__", lambda x, y: x + -1.0 * y),
    "two nodes for one": ("/", "__truediv__", lambda x, y: x * y**-1.0),
    "order turned": ("*", "__rmul__", lambda x, y: x * y),
    "power as product": ("**", "__pow__", lambda x, y: x * x),
}


@pytest.mark.parametrize("kind", WRONG_OPERATORS)
def test_wrong_operators_are_found(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """An operator that records another node than the table does is found."""
    symbol, method, wrong = WRONG_OPERATORS[kind]
    monkeypatch.setattr(Value, method, wrong)
    assert hot_path_discrepancies(symbol, [1.5, 3.0])


@pytest.mark.parametrize("slot", ["_left_partial", "_right_partial", "_data"])
@pytest.mark.parametrize(
    ("symbol", "method"),
    [
        *(("+", "__add__"), ("-", "__sub__"), ("*", "__mul__"), ("/", "__truediv__")),
        *(("+", "__radd__"), ("-", "__rsub__"), ("*", "__rmul__"), ("/", "__rtruediv__")),
    ],
)
def test_one_bit_in_a_written_out_operator_is_found(
    symbol: str, method: str, slot: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A result or a derivative that is off by a single bit is found."""
    if (method.startswith("__r"), slot) == (True, "_left_partial"):
        slot = "_left"  # a constant, which has no derivative
    right = getattr(Value, method)

    def off_by_a_bit(x: Value, y: Any) -> Value:
        node: Value = right(x, y)
        number = getattr(node, slot)
        if type(number) is float:
            setattr(node, slot, math.nextafter(number, math.inf))
        return node

    assert not hot_path_discrepancies(symbol, [1.5, 3.0])
    monkeypatch.setattr(Value, method, off_by_a_bit)
    assert hot_path_discrepancies(symbol, [1.5, 3.0])


def test_wrong_methods_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """A method that is another primitive's is found."""
    assert not method_discrepancies(rules.relu, NUMBERS)
    monkeypatch.setattr(Value, "relu", lambda x: rules.absolute(x))
    assert method_discrepancies(rules.relu, NUMBERS)


# ----- Faults in the sweep -----


def house(a: Value, b: Value) -> Value:
    """c = a * b; d = c + a; e = c * d: every node but the last has two consumers or a consumer that waits."""
    c = a * b
    d = c + a
    return c * d


def twin(a: Value, b: Value) -> Value:
    """The same, with the factors of the last product the other way round."""
    c = a * b
    d = c + a
    return d * c


def repeated(x: Value, t: Value) -> Value:
    """p = x + x; q = x * t; r = p * q: an operand taken twice, and once more."""
    p = x + x
    q = x * t
    return p * q


def fused(a: Value, b: Value) -> Value:
    """The house graph with a node of many operands, some of which are the same."""
    c = a * b
    return rules.dot(c, c, c, a, 0.0)


#: The graph, its leaves, their gradients as worked out by hand.
GRAPHS: dict[str, tuple[Callable[[Value, Value], Value], tuple[float, float], tuple[float, float]]] = {
    "house": (house, (2.0, 3.0), (48.0, 28.0)),
    "twin": (twin, (2.0, 3.0), (48.0, 28.0)),
    "repeated": (repeated, (1.0, 2.0), (8.0, 2.0)),
    "fused": (fused, (2.0, 3.0), (48.0, 28.0)),
}


def gradient_discrepancies() -> list[str]:
    """Which of the graphs get wrong gradients: in one pass, in a second one, and in one more after zero_grad()."""
    found = []
    for name, (build, numbers, wanted) in GRAPHS.items():
        leaves = tuple(map(Value, numbers))
        root = build(*leaves)
        for passes in (1, 2, 3, 1):
            if passes == 1:
                root.zero_grad()
            root.backward()
            got = tuple(leaf.grad for leaf in leaves)
            if got != tuple(passes * partial for partial in wanted):
                found.append(f"{name} after {passes} passes: {got}, not {passes} times {wanted}")
    return found


def _edges(node: Value) -> list[tuple[Value, float]]:
    """The operands that are Values, each with the local derivative on its edge."""
    pairs = zip(node.operands, node.local_derivatives, strict=True)
    return [(x, partial) for x, partial in pairs if isinstance(x, Value) and partial is not None]


def _swept(
    order: Callable[[list[Value]], list[Value]] = lambda order: order[::-1],
    contribution: Callable[[float, float], float] = lambda adjoint, partial: adjoint * partial,
    choose: Callable[[list[Any]], list[Any]] = lambda edges: edges,
    *,
    assigning: bool = False,
) -> Callable[[list[Value]], None]:
    """A sweep with one of its parts exchanged."""

    def sweep(results: list[Value]) -> None:
        for node in order(list(results)):
            for operand, partial in choose(_edges(node)):
                adjoint = contribution(node._grad, partial)
                operand._grad = adjoint if assigning else operand._grad + adjoint

    return sweep


def _breadth_first(order: list[Value]) -> list[Value]:
    """From the root, level by level, each node when it is first met."""
    met = [order[-1]]
    for node in met:
        met += [operand for operand, _ in dict(_edges(node)).items() if operand.operands and operand not in met]
    return met


def _pre_order(order: list[Value]) -> list[Value]:
    """From the root, each node before its operands, depth first."""
    met: list[Value] = []
    stack = [order[-1]]
    while stack:
        node = stack.pop()
        if node.operands and node not in met:
            met.append(node)
            stack += [operand for operand, _ in reversed(_edges(node))]
    return met


def _every_visit(order: list[Value]) -> list[Value]:
    """Depth first with no memory of what was visited: a node comes once for every path to it."""
    visits: list[Value] = []
    stack = [order[-1]]
    while stack:
        node = stack.pop()
        visits.append(node)
        stack += [operand for operand, _ in reversed(_edges(node)) if operand.operands]
    return visits


def _each_operand_once(edges: list[Any]) -> list[Any]:
    return list(dict(edges).items())


SWEEPS: dict[str, Callable[[list[Value]], None]] = {
    "assigns instead of adding": _swept(assigning=True),
    "goes forward": _swept(lambda order: order),
    "goes breadth-first": _swept(_breadth_first),
    "goes in pre-order": _swept(_pre_order),
    "visits a node once for every path": _swept(_every_visit),
    "leaves out the last node": _swept(lambda order: order[:0:-1]),
    "leaves out the root": _swept(lambda order: order[-2::-1]),
    "skips the last contribution of each node": _swept(choose=lambda edges: edges[:-1]),
    "skips the first contribution of each node": _swept(choose=lambda edges: edges[1:]),
    "takes an operand once that stands twice": _swept(choose=_each_operand_once),
    "forgets the adjoint": _swept(contribution=lambda adjoint, partial: partial),
    "forgets the local derivative": _swept(contribution=lambda adjoint, partial: adjoint),
    "adds where it should multiply": _swept(contribution=lambda adjoint, partial: adjoint + partial),
    "flips the sign": _swept(contribution=lambda adjoint, partial: -adjoint * partial),
    "does nothing": _swept(lambda order: []),
}


def _keeping(kept: Callable[[Value], bool]) -> Rule:
    """A start of the pass that does not set the adjoints of some nodes to 0."""
    right = autograd.value.opened

    def opened(root: Value, leaves: list[Value], held: list[float | None]) -> list[Value]:
        old = {node: node.grad for node in nodes(root) if kept(node)}
        order = right(root, leaves, held)
        for node, adjoint in old.items():
            node._grad = adjoint
        return order

    return opened


def _one_order_short(root: Value, leaves: list[Value], held: list[float | None]) -> list[Value]:
    """A start of the pass that gives the results in the order of a walk from the root, not a topological one."""
    order = RIGHT_START(root, leaves, held)
    return _pre_order(order)[::-1]


RIGHT_START = autograd.value.opened
STARTS: dict[str, Rule] = {
    "inner adjoints not reset": _keeping(lambda node: bool(node.operands)),
    "leaves not reset": _keeping(lambda node: not node.operands),
    "nothing reset": _keeping(lambda node: True),
    "an order that is not topological": _one_order_short,
}


def test_gradients_by_hand() -> None:
    """Unpatched, all of the graphs have the gradients worked out by hand, and twice them after a second pass."""
    assert gradient_discrepancies() == []


def test_the_exchangeable_sweep_is_right(monkeypatch: pytest.MonkeyPatch) -> None:
    """The sweep that the faults are made of is right when nothing of it is exchanged, and so is the start."""
    monkeypatch.setattr(autograd.value, "sweep", _swept())
    assert gradient_discrepancies() == []
    monkeypatch.setattr(autograd.value, "opened", _keeping(lambda node: False))
    assert gradient_discrepancies() == []


@pytest.mark.parametrize("kind", SWEEPS)
def test_every_wrong_sweep_is_found(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A sweep that overwrites, goes in a wrong order or leaves something out gives a wrong gradient somewhere."""
    monkeypatch.setattr(autograd.value, "sweep", SWEEPS[kind])
    assert gradient_discrepancies()


@pytest.mark.parametrize("kind", STARTS)
def test_every_missing_reset_is_found(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A pass that starts from what the last one left, or in a wrong order, gives a wrong gradient somewhere."""
    monkeypatch.setattr(autograd.value, "opened", STARTS[kind])
    assert gradient_discrepancies()


def test_a_missing_reset_shows_in_the_second_pass_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Backward twice is what finds it: the first pass is right."""
    monkeypatch.setattr(autograd.value, "opened", STARTS["inner adjoints not reset"])
    found = gradient_discrepancies()
    assert {text.split()[0] for text in found} == set(GRAPHS)
    assert not any("after 1 passes" in text for text in found)
    assert len([text for text in found if "after 2 passes" in text]) == len(GRAPHS)


def test_the_house_graph_and_its_twin_complement_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """Breadth-first order happens to be right for one of them, and is found by the other."""
    monkeypatch.setattr(autograd.value, "sweep", SWEEPS["goes breadth-first"])
    caught = {text.split()[0] for text in gradient_discrepancies()}
    assert len(caught & {"house", "twin"}) == 1


def test_repeated_operands_need_a_graph_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """Taking an operand once that stands twice is right for the house graph, and found by x + x."""
    monkeypatch.setattr(autograd.value, "sweep", SWEEPS["takes an operand once that stands twice"])
    caught = {text.split()[0] for text in gradient_discrepancies()}
    assert "repeated" in caught
    assert not caught & {"house", "twin"}
