"""diagnose(y, x): a graph for every reason why a gradient is zero, and for every way to nan and infinity."""

from __future__ import annotations

import itertools
import math
import sys
from typing import TYPE_CHECKING, Any

import pytest
from house_graph import house, house_nodes

import autograd as ag
from autograd import Value, diagnose, nodes
from autograd.diagnosis import REASONS
from autograd.primitives import BUILT_IN, PRIMITIVES

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

inf, nan = math.inf, math.nan
DEEP = 20_000


def labelled(*numbers: float) -> list[Value]:
    """Leaves named p, q, r."""
    return [Value(number, label) for number, label in zip(numbers, "pqr", strict=False)]


def state(root: Value) -> list[tuple[object, ...]]:
    """All that a reader could have changed, nan written out."""
    return [
        (node, repr(node.data), node.has_grad, repr(node.grad), node.label, node.operands, repr(node.local_derivatives))
        for node in nodes(root)
    ]


def reasons(root: Value, x: Value | None = None) -> list[str]:
    """The reasons that are given, in order, each once."""
    return list(dict.fromkeys(finding.reason for finding in diagnose(root, x).findings))


def differentiated(x: Value, y: Value) -> tuple[Value, Value]:
    """Leaf and root of a graph after its backward pass."""
    y.label = "y"
    y.backward()
    return x, y


# ----- Every reason, in a graph made for it -----


def test_not_reached() -> None:
    """The gradient is not zero; no pass has been run, so .grad reads 0."""
    x = Value(2.0, "x")
    y = x * 3
    y.label = "y"
    diagnosis = diagnose(y, x)
    assert diagnosis.reason == "not reached"
    assert str(diagnosis).startswith("x.grad reads 0, but is not computed: not reached\n")
    assert "y.backward() gives 3" in str(diagnosis)
    y.backward()
    assert diagnose(y, x).reason == ""
    y.zero_grad()
    assert diagnose(y, x).reason == "not reached"


def test_not_an_ancestor() -> None:
    """The root does not depend on it, labelled or not."""
    y = house()
    for x in (Value(1.0, "x"), Value(0.0)):
        diagnosis = diagnose(y, x)
        assert diagnosis.reason == "not an ancestor"
        assert "the graph of e does not contain x" in str(diagnosis)
        assert "no_grad(), detached, or from .data?" in str(diagnosis)


def test_a_lookalike_is_pointed_out() -> None:
    """Another Value of the same label in the graph: the name was given away."""
    y = house()
    assert "another Value is labelled a there" in str(diagnose(y, Value(2.0, "a")))


@pytest.mark.parametrize("cut", [Value.detach, lambda x: Value(x.data), ag.no_grad()(lambda x: x * 1)])
def test_graph_cut_on_the_way(cut: Callable[[Value], Value]) -> None:
    """Detached, made of .data, or computed under no_grad."""
    x = Value(2.0, "x")
    _, y = differentiated(x, cut(x * 3) * 2)
    assert diagnose(y, x).reason == "not an ancestor"


#: Where each flat primitive is flat: operands, the slot by which its derivative is 0 there.
FLAT: dict[str, list[tuple[tuple[float, ...], int]]] = {
    "absolute": [((0.0,), 0)],
    "sign": [((2.0,), 0), ((0.0,), 0), ((-2.0,), 0)],
    "step": [((2.0,), 0), ((0.0,), 0), ((-2.0,), 0)],
    "share": [((1.0, 2.0), 0), ((1.0, 2.0), 1), ((1.0, 1.0), 0)],
    "maximum": [((2.0, 3.0), 0), ((3.0, 2.0), 1), ((0.0, 3.0), 0)],
    "minimum": [((3.0, 2.0), 0), ((2.0, 3.0), 1), ((0.0, -3.0), 0)],
    "where": [((1.0, 5.0, 7.0), 0), ((1.0, 5.0, 7.0), 2), ((0.0, 5.0, 7.0), 0), ((0.0, 5.0, 7.0), 1)],
    "clip": [((5.0, 0.0, 1.0), 0), ((-5.0, 0.0, 1.0), 0), ((0.5, 0.0, 1.0), 1), ((0.5, 0.0, 1.0), 2)],
    "relu": [((-3.0,), 0), ((0.0,), 0)],
    "leaky_relu": [((-3.0, 0.0), 0), ((0.0, 0.0), 0), ((3.0, 0.5), 1)],
    "exp": [((-800.0,), 0)],
    "expm1": [((-800.0,), 0)],
    "arctan": [((1e200,), 0), ((-1e200,), 0)],
    "tanh": [((30.0,), 0), ((-30.0,), 0)],
    "sigmoid": [((800.0, 1.0), 0), ((-800.0, 1.0), 0), ((2.0, 500.0), 0)],
    "softplus": [((-800.0, 1.0), 0)],
    "elu": [((-800.0, 1.0), 0)],
    "silu": [((-800.0,), 0)],
    "logsumexp": [((1.0, -800.0), 1), ((800.0, 2.0, 1.0), 2)],
}


#: The others of them level off.
BLOCKED = {"absolute", "sign", "step", "share", "maximum", "minimum", "where", "clip", "relu", "leaky_relu"}


def test_every_flat_primitive_is_listed() -> None:
    """A primitive that is flagged has its points above, and is flagged as what it is."""
    flagged = {name: PRIMITIVES[name].flat for name in BUILT_IN if PRIMITIVES[name].flat != "multiplied by zero"}
    assert flagged == {name: "blocked" if name in BLOCKED else "saturated" for name in FLAT}


@pytest.mark.parametrize(("name", "at", "slot"), [(name, *case) for name, cases in FLAT.items() for case in cases])
def test_flat_primitive_says_where(name: str, at: tuple[float, ...], slot: int) -> None:
    """Blocked or saturated, as its entry in the table says; with the node, the operand's number and the rule."""
    leaves = labelled(*at)
    node = PRIMITIVES[name](*leaves)
    assert isinstance(node, Value)
    node.label = "node"
    x, y = differentiated(leaves[slot], 2.0 * node)
    diagnosis = diagnose(y, x)
    assert diagnosis.reason == PRIMITIVES[name].flat
    assert reasons(y, x) == [diagnosis.reason]
    text = str(diagnosis)
    assert f"{x.label}.grad = 0: {diagnosis.reason}" in text
    assert f"at node = {name}(p" in text
    assert f"∂node/∂{x.label} = " in text
    assert (f"blocked by {name}" in text) == (diagnosis.reason == "blocked")
    assert f": {x.label} = {x.data:g}".replace("-", "−") in text


@pytest.mark.parametrize(("name", "at", "slot"), [
    ("logsumexp", (0.0, -800.0), 1), ("logsumexp", (800.0, 0.0, 1.0), 2), ("sigmoid", (2.0, 500.0), 1),
])  # fmt: skip
def test_saturation_is_no_zero_factor(name: str, at: tuple[float, ...], slot: int) -> None:
    """exp(−800) is 0 whatever stands beside it; ∂/∂slope = x y (1 − y) is 0 because y is 1."""
    leaves = labelled(*at)
    assert diagnose(PRIMITIVES[name](*leaves), leaves[slot]).reason == "saturated"


@pytest.mark.parametrize("number", [30.0, -30.0])
def test_methods_and_plain_operands_say_the_same(number: float) -> None:
    """A constant slope is no operand that could be to blame."""
    x, y = differentiated(Value(number, "x"), ag.sigmoid(Value(number, "x"), 1.0))
    assert diagnose(y, x).reason == "not an ancestor"
    x = Value(number, "x")
    assert diagnose(ag.sigmoid(x, 100.0), x).reason == "saturated"
    assert diagnose(x.tanh(), x).reason == "saturated"


ZERO_FACTORS: list[tuple[str, Callable[[Value, Value], Value], float]] = [
    ("w * x", lambda x, w: w * x, 2.0),
    ("x * w", lambda x, w: x * w, 0.0),
    ("x * 0", lambda x, w: x * 0, 2.0),
    ("x * x", lambda x, w: x * x, 0.0),
    ("w / x", lambda x, w: w / x, 2.0),
    ("dot", lambda x, w: ag.dot([w, 1.0], [x, 1.0]), 2.0),
    ("dot of inputs", lambda x, w: ag.dot([x], [w], w), 2.0),
    ("x ** 2", lambda x, w: x**2, 0.0),
    ("x ** 0", lambda x, w: x**0, 3.0),
    ("w ** x", lambda x, w: (w + 1) ** x, 2.0),  # log(1) is the factor
    ("cos(x)", lambda x, w: ag.cos(x), 0.0),
    ("cosh(x)", lambda x, w: ag.cosh(x), 0.0),
]


@pytest.mark.parametrize(
    ("function", "at"), [case[1:] for case in ZERO_FACTORS], ids=[case[0] for case in ZERO_FACTORS]
)
def test_multiplied_by_zero(function: Callable[[Value, Value], Value], at: float) -> None:
    """A factor of the local derivative is 0: w is, or x itself."""
    x, w = Value(at, "x"), Value(0.0, "w")
    x, y = differentiated(x, function(x, w))
    assert diagnose(y, x).reason == "multiplied by zero"
    assert "multiplied by zero at y = " in str(diagnose(y, x))


@pytest.mark.parametrize(
    ("function", "at"),
    [
        (lambda x: ag.sigmoid(Value(0.0, "z"), x), 1.0),  # ∂/∂slope = z * ..., and z is 0
        (lambda x: ag.sigmoid(x, Value(0.0, "s")), 1.0),  # the slope is 0
        (lambda x: ag.elu(x, Value(0.0, "alpha")), -1.0),
    ],
)
def test_zero_factor_is_no_saturation(function: Callable[[Value], Value], at: float) -> None:
    """A gradient scaled by a Value that is 0 is multiplied by zero, also inside a sigmoid in its steepest place."""
    x = Value(at, "x")
    assert diagnose(function(x), x).reason == "multiplied by zero"


CANCELLATIONS: list[Callable[[Value], Value]] = [
    lambda x: x - x,
    lambda x: 0.5 * (x - x),
    lambda x: x * 3 + x * -3,
    lambda x: ag.dot([1.0, -1.0], [x, x]),
    lambda x: ag.sum([x, -x, x, -x]),
    lambda x: x - (x + 1) + ag.relu(x - 100),
]


@pytest.mark.parametrize("function", CANCELLATIONS)
def test_exact_cancellation(function: Callable[[Value], Value]) -> None:
    """What arrives is not zero, and adds up to it; the terms are told."""
    x = Value(3.0, "x")
    x, y = differentiated(x, function(x))
    diagnosis = diagnose(y, x)
    assert diagnosis.reason == "exact cancellation"
    assert "exact cancellation at x: " in str(diagnosis)
    assert "add up to 0" in str(diagnosis)


def test_cancellation_on_the_way() -> None:
    """It is told at the node where it happens, with the way from there."""
    x = Value(3.0, "x")
    a = x * 2
    b = a + 1
    a.label, b.label = "a", "b"
    x, y = differentiated(x, b - b)
    assert str(diagnose(y, x)).splitlines() == [
        "x.grad = 0: exact cancellation",
        "  exact cancellation at b: 1 from y, −1 from y add up to 0; the way: b → a → x",
    ]


UNDERFLOWS: list[Callable[[Value], Value]] = [
    lambda x: (x * 1e-200) * 1e-200,
    lambda x: Value(1e-200, "s") * (Value(1e-200, "t") * x),
    lambda x: ag.sum([1e-200 * ag.dot([x, 1.0], [1e-200, 1.0]), 1.0]),
    lambda x: -5e-324 * (0.25 * x),
    lambda x: 5e-324 * (-0.25 * x),
]


@pytest.mark.parametrize("function", UNDERFLOWS)
def test_underflow(function: Callable[[Value], Value]) -> None:
    """Neither factor is 0, but their product is."""
    x = Value(1.0, "x")
    x, y = differentiated(x, function(x))
    assert (diagnose(y, x).reason, x.grad) == ("underflow", 0)
    assert "is too small for a double" in str(diagnose(y, x))


# ----- The order of reasons -----

#: A part of a root that depends on x = 1, and through which no gradient comes.
PARTS: dict[str, Callable[[Value], Value]] = {
    "blocked": lambda x: ag.relu(x - 10),
    "saturated": lambda x: ag.exp(x - 1000),
    "multiplied by zero": lambda x: (x + 1) * Value(0.0),
    "exact cancellation": lambda x: _cancelled(x * 2),
    "underflow": lambda x: x * 1e-200 * 1e-200,
}


def _cancelled(a: Value) -> Value:
    return a - a


def test_order_of_reasons_is_fixed() -> None:
    """As documented."""
    assert list(REASONS) == ["not reached", "not an ancestor", *PARTS]


@pytest.mark.parametrize(("first", "second"), list(itertools.permutations(PARTS, 2)))
def test_of_two_reasons_the_first_in_order_is_given(first: str, second: str) -> None:
    """Wherever in the graph they are, and in whatever order they were written; the other one follows."""
    x = Value(1.0, "x")
    x, y = differentiated(x, PARTS[first](x) + PARTS[second](x))
    expected = sorted([first, second], key=REASONS.index)
    assert reasons(y, x) == expected
    assert diagnose(y, x).reason == expected[0]
    told = [line.strip() for line in str(diagnose(y, x)).splitlines()]
    assert told[0] == f"x.grad = 0: {expected[0]}"
    assert [line.startswith(reason) for line, reason in zip(told[1:], expected, strict=True)] == [True, True]


def test_all_reasons_at_once() -> None:
    """Five parts, each with its own reason, told in order."""
    x = Value(1.0, "x")
    x, y = differentiated(x, ag.sum([part(x) for part in reversed(PARTS.values())]))
    assert reasons(y, x) == list(PARTS)


@pytest.mark.parametrize("name", PARTS)
def test_a_part_that_lets_something_through_makes_it_healthy(name: str) -> None:
    """One zero among the contributions is no reason: the gradient is not zero."""
    x = Value(1.0, "x")
    x, y = differentiated(x, PARTS[name](x) + x)
    assert diagnose(y, x).reason == ""
    assert x.grad == 1


@pytest.mark.parametrize("name", PARTS)
def test_foreign_value_beside_it_is_not_an_ancestor(name: str) -> None:
    """What is wrong with other leaves is not its business."""
    x = Value(1.0, "x")
    _, y = differentiated(x, PARTS[name](x))
    assert reasons(y, Value(1.0, "z")) == ["not an ancestor"]


@pytest.mark.parametrize("name", PARTS)
def test_not_reached_is_what_a_pass_would_help(name: str) -> None:
    """Where a pass would give 0 as well, that none was run is not the reason."""
    x = Value(1.0, "x")
    y = PARTS[name](x)
    assert reasons(y, x) == [name]
    assert reasons(y + x, x) == ["not reached"]


def test_many_places_of_one_reason_are_counted() -> None:
    """A few are told, and how many more there are."""
    x = Value(-1.0, "x")
    x, y = differentiated(x, ag.sum([ag.relu(x) for _ in range(50)]))
    diagnosis = diagnose(y, x)
    assert len(diagnosis.findings) == 50
    text = str(diagnosis)
    assert text.count("blocked by relu") == 3
    assert text.endswith("\n  and 47 more: blocked")


# ----- Ways, depth, width -----


def test_way_is_shown_from_the_place_to_x() -> None:
    """All nodes between."""
    x = Value(5.0, "x")
    h = x * 2
    k = -h
    h.label, k.label = "h", "k"
    x, y = differentiated(x, 3 * ag.relu(k))
    assert str(diagnose(y, x)).endswith("; the way: v1 → k → h → x")


@pytest.mark.parametrize("reason", PARTS)
def test_deep_chain(reason: str) -> None:
    """20,000 nodes below the place: no recursion, and the way is shortened."""
    x = Value(1.0, "x")
    h = x
    for _ in range(DEEP if reason == "blocked" else 2000):
        h = h + 0.0
    x, y = differentiated(x, PARTS[reason](h))
    diagnosis = diagnose(y, x)
    assert {finding.reason for finding in diagnosis.findings} == {reason}
    assert " more ... → " in str(diagnosis)
    assert len(str(diagnosis)) < 500


def test_place_with_many_ways_to_it_is_told_once() -> None:
    """2**12 ways lead from x to the closed relu; the shortest is shown."""
    x = Value(-1.0, "x")
    h = x
    for _ in range(12):
        h = h + h
    x, y = differentiated(x, ag.relu(h))
    diagnosis = diagnose(y, x)
    assert [finding.reason for finding in diagnosis.findings] == ["blocked"]


def test_deep_way_of_a_nan() -> None:
    """Forward and backward, from where it arose to the end."""
    x = Value(0.0, "x")
    h = x
    for _ in range(2000):
        h = h + 0.0
    backward = diagnose(ag.sqrt(h) * 0.0, x)
    assert backward.reason == "nan"
    assert " more ... → " in str(backward)
    h = Value(inf, "u") - inf
    for _ in range(2000):
        h = h + 0.0
    forward = diagnose(h)
    assert forward.reason == "inf"  # it was there before the nan that came of it
    assert "the way: u → v1 → v2 → v3 → v4 → v5 → ... 1991 more ... → v1997 → " in str(forward)


def lines_run(function: Callable[[], Any]) -> int:
    """How many lines of Python `function` runs: a measure of work that is the same every time."""
    count = 0

    def tracer(frame: FrameType, event: str, _: Any) -> Any:
        nonlocal count
        count += event == "line"
        return tracer

    held = sys.gettrace()
    sys.settrace(tracer)
    try:
        function()
    finally:
        sys.settrace(held)
    return count


def one_chain(n: int) -> tuple[Value, Value]:
    """A closed relu above n results."""
    x = Value(-1.0, "x")
    h = x
    for _ in range(n):
        h = h * 0.999
    return ag.relu(h), x


def closed_fork(n: int) -> tuple[Value, Value]:
    """n closed relus of one node."""
    x = Value(-1.0, "x")
    return ag.sum([ag.relu(x) for _ in range(n)]), x


def closed_at_every_step(n: int) -> tuple[Value, Value]:
    """A recurrence whose output is a closed relu at every step."""
    x = Value(-1.0, "x")
    h, outputs = x, []
    for _ in range(n):
        h = h * 0.999
        outputs.append(ag.relu(h))
    return ag.sum(outputs), x


@pytest.mark.parametrize(
    "graph",
    [one_chain, closed_fork, closed_at_every_step],
)
def test_work_is_linear(graph: Callable[[int], tuple[Value, Value]]) -> None:
    """Twice the graph is at most about twice the lines that are run."""
    small, large = (graph(n) for n in (200, 400))
    assert lines_run(lambda: str(diagnose(*large))) < 2.3 * lines_run(lambda: str(diagnose(*small)))


def test_only_the_first_places_are_put_in_words() -> None:
    """Of twenty-six places three are told, with their ways, as many as are printed; all are findings."""
    diagnosis = diagnose(*closed_at_every_step(26))
    told = [finding.told for finding in diagnosis.findings]
    assert all(one.startswith("blocked by relu at v") and "the way: " in one for one in told[:3])
    assert told[3:] == ["blocked, as above"] * 23
    assert "as above" not in str(diagnosis)


def test_every_reason_has_its_first_places_in_words() -> None:
    """Four places of two reasons: three of each are told."""
    x = Value(-1.0, "x")
    x, y = differentiated(x, ag.sum([*(ag.relu(x) for _ in range(4)), *(x * 0.0 for _ in range(4))]))
    told = [finding.told for finding in diagnose(y, x).findings]
    assert [one.endswith("as above") for one in told] == [False, False, False, True] * 2
    assert (told[3], told[7]) == ("blocked, as above", "multiplied by zero, as above")
    assert len(str(diagnose(y, x)).splitlines()) == 1 + 4 + 4


# ----- Values of 0 are Values -----


def test_zeros_are_not_taken_for_nothing() -> None:
    """bool(Value(0.0)) is False; root, x, and every node between may be 0."""
    x = Value(0.0, "x")
    x, y = differentiated(x, x * 3)
    assert y.data == 0
    assert diagnose(y, x).summary == "x.grad = 3: neither zero nor infinite"
    assert diagnose(y).reason == ""
    assert diagnose(x, x).summary == "x.grad = 1: neither zero nor infinite"
    assert diagnose(y, Value(0.0, "z")).reason == "not an ancestor"


def test_zeros_on_the_way() -> None:
    """The outputs of closed relus are 0, and stand in the way like others."""
    x = Value(-1.0, "x")
    r = ag.relu(x)
    s = ag.relu(r)
    r.label, s.label = "r", "s"
    x, y = differentiated(x, s * 2)
    assert str(diagnose(y, x)).splitlines() == [
        "x.grad = 0: blocked",
        "  blocked by relu at s = relu(r): r = 0, and ∂s/∂r = step(r) = 0; the way: s → r → x",
    ]


def test_gradient_of_zero_that_was_computed_is_diagnosed_anew() -> None:
    """diagnose computes its root's own pass: stored gradients neither help nor hinder it."""
    a, _b, _c, _d, e = house_nodes()
    e.backward()
    e.backward()
    assert diagnose(e, a).summary == "a.grad = 48: neither zero nor infinite"


# ----- nan and infinity -----


def test_nan_in_a_leaf() -> None:
    """It was there from the start, and the way to the root is shown."""
    x = Value(nan, "x")
    _, y = differentiated(x, x * 2 + 1)
    diagnosis = diagnose(y)
    assert diagnosis.reason == "nan"
    assert str(diagnosis) == "nan in the graph of y\n  x is nan from the start; the way: x → v1 → y"


@pytest.mark.parametrize("number", [nan, inf, -inf])
def test_leaf_alone(number: float) -> None:
    """A graph of one node has its whole story in it."""
    diagnosis = diagnose(Value(number, "x"))
    assert diagnosis.reason == ("nan" if number != number else "inf")
    assert "from the start" in str(diagnosis)


@pytest.mark.parametrize(
    ("function", "kind", "told"),
    [
        (lambda x: x * x, "inf", "y = x * x is inf, at x = 1e+200"),
        (lambda x: ag.sum([x * 1e108, x * 1e108]), "inf", "y = sum(v1, v2) is inf, at v1 = 1e+308, v2 = 1e+308"),
        (lambda x: ag.dot([x], [x]), "inf", "y = x * x is inf"),
        (lambda x: (x * x) * 0.0, "inf", "v1 = x * x is inf"),
        (lambda x: x * x - x * x, "inf", "v1 = x * x is inf"),
    ],
)
def test_overflow_forward(function: Callable[[Value], Value], kind: str, told: str) -> None:
    """The first node that is not finite though its operands are; what came of it comes after."""
    x = Value(1e200, "x")
    y = function(x)
    y.label = "y"
    assert diagnose(y).reason == kind
    assert f"forward: {told}" in str(diagnose(y))


def test_difference_of_infinities() -> None:
    """The infinity was first; the nan is on its way."""
    u, v = Value(inf, "u"), Value(inf, "v")
    y = u - v
    y.label = "y"
    assert str(diagnose(y)) == "inf in the graph of y\n  u is inf from the start; the way: u → y"


def test_root_of_zero_gives_nan_backward() -> None:
    """0 × inf, with the numbers of the sum and the rule."""
    x = Value(0.0, "x")
    x, y = differentiated(x, ag.sqrt(x) ** 2)
    assert x.grad != x.grad
    for diagnosis in (diagnose(y, x), diagnose(y)):
        assert diagnosis.reason == "nan"
        assert "backward, at v1 = sqrt(x): x.grad becomes 0 × inf = nan" in str(diagnosis)
    assert diagnose(y, x).summary == "x.grad = nan"


@pytest.mark.parametrize(
    ("function", "at"), [(ag.sqrt, 0.0), (ag.arcsin, 1.0), (ag.arccos, -1.0), (lambda x: x**0.5, 0.0)]
)
def test_infinite_slope(function: Callable[[Value], Value], at: float) -> None:
    """The gradient is infinite where the number is not."""
    x = Value(at, "x")
    y = function(x)
    assert (diagnose(y, x).reason, diagnose(y).reason) == ("inf", "inf")
    assert "x.grad becomes 1 × " in str(diagnose(y, x))


def test_overflow_of_a_gradient_alone() -> None:
    """Contributions that are finite add up to more than a double holds; what was there before is told."""
    x = Value(0.1, "x")
    x, y = differentiated(x, x * 1e308 + x * 1e308)
    for diagnosis in (diagnose(y, x), diagnose(y)):
        assert diagnosis.reason == "inf"
        assert "x.grad becomes 1e+308 + 1 × 1e+308 = inf" in str(diagnosis)


def test_first_of_two_infinities_is_blamed_for_a_nan() -> None:
    """inf − inf in a gradient: the inf arose first."""
    x = Value(0.0, "x")
    root = ag.sqrt(x)
    root.label = "root"
    x, y = differentiated(x, root - ag.sqrt(x))
    assert x.grad != x.grad
    assert diagnose(y, x).reason == "inf"
    assert diagnose(y, x).summary == "x.grad = nan"


def test_infinity_that_becomes_nan_on_the_way() -> None:
    """Each node is told where its own gradient went wrong; the graph, where the first did."""
    x, w = Value(2.0, "x"), Value(0.0, "w")
    k = x * w
    k.label = "k"
    x, y = differentiated(x, ag.sqrt(k))
    assert "backward, at k = x * w: x.grad becomes inf × 0 = nan" in str(diagnose(y, x))
    assert "backward, at y = sqrt(k): k.grad becomes 1 × inf = inf" in str(diagnose(y, w))
    assert "backward, at y = sqrt(k): k.grad becomes 1 × inf = inf" in str(diagnose(y))


def test_way_of_a_nan_backward() -> None:
    """From the operation where it arose down to the leaf that was asked for."""
    x = Value(0.0, "x")
    h = x * 2
    k = h + h
    h.label, k.label = "h", "k"
    x, y = differentiated(x, 0.0 * ag.sqrt(k))
    text = str(diagnose(y, x))
    assert "backward, at v1 = sqrt(k): k.grad becomes 0 × inf = nan" in text
    assert text.endswith("; the way: v1 → k → h → x")


def test_nan_in_another_branch_leaves_a_gradient_alone() -> None:
    """The root is nan, the gradient of v is 3: each question has its answer."""
    u, v = Value(inf, "u"), Value(2.0, "v")
    _, y = differentiated(v, (u - u) + v * 3)
    assert diagnose(y, v).summary == "v.grad = 3: neither zero nor infinite"
    assert diagnose(y).reason == "inf"
    assert "u is inf from the start" in str(diagnose(y))


def test_branch_that_was_not_chosen() -> None:
    """`where` keeps a nan out of the root, but 0 × inf of its slope gets into the gradient."""
    x = Value(0.0, "x")
    x, y = differentiated(x, ag.where(x, ag.sqrt(x), 1.0))
    assert y.data == 1
    assert diagnose(y, x).reason == "nan"


def test_infinity_elsewhere_is_not_blamed() -> None:
    """x has an infinite slope of its own; u is a limit that is meant to be infinite."""
    x, u, v = Value(0.0, "x"), Value(inf, "u"), Value(2.0, "v")
    y = ag.minimum(u, v) + ag.sqrt(x)
    assert "sqrt(x)" in str(diagnose(y, x))


@pytest.mark.parametrize("constant", [nan, inf, -inf])
def test_constant_that_is_not_finite(constant: float) -> None:
    """The root is nan or infinite: the graph is not healthy."""
    x = Value(1.0, "x")
    y = x + constant
    assert diagnose(y).reason == ("nan" if constant != constant else "inf")
    number = str(constant).replace("-", "−")
    assert str(diagnose(y)).endswith(f"  forward: v1 = x + {constant} is {number}, at x = 1")
    assert diagnose(ag.relu(y * 2)).findings[0].told.startswith(f"forward: v1 = x + {constant} is {number}, at x = 1; ")


def test_constant_factor_that_is_not_finite() -> None:
    """It is at least found backward, where it is a local derivative."""
    x = Value(1.0, "x")
    assert diagnose(x * nan).reason == "nan"
    assert diagnose(x * inf, x).reason == "inf"


def test_infinite_constant_of_finite_slopes_is_not_blamed() -> None:
    """maximum(x, −inf) is x, and moves as x does: it is the two large gradients that overflow."""
    x = Value(0.1, "x")
    m1, m2 = ag.maximum(x, -inf), ag.maximum(x, -inf)
    x, y = differentiated(x, m1 * 1e308 + m2 * 1e308)
    for diagnosis in (diagnose(y, x), diagnose(y)):
        assert diagnosis.reason == "inf"
        assert "backward, at v1 = maximum(x, -inf): x.grad becomes 1e+308 + 1e+308 × 1 = inf" in str(diagnosis)


# ----- The whole graph -----


def test_healthy_graph() -> None:
    """It says so, of the graph and of every node."""
    a, b, c, d, e = house_nodes()
    e.backward()
    assert str(diagnose(e)) == "leaves: 2; all gradients are finite, and none is zero"
    for node in (a, b, c, d, e):
        assert str(diagnose(e, node)) == f"{node.label}.grad = {node.grad:g}: neither zero nor infinite"
        assert diagnose(e, node).reason == ""


def test_leaf_as_root() -> None:
    """Its gradient by itself is 1."""
    x = Value(0.0, "x")
    assert diagnose(x).reason == ""
    assert diagnose(x, x).reason == "not reached"
    x.backward()
    assert diagnose(x, x).summary == "x.grad = 1: neither zero nor infinite"


def test_leaves_without_a_gradient_are_listed() -> None:
    """Each with its first reason; healthy ones are counted."""
    x, w, z = Value(-1.0, "x"), Value(0.0, "w"), Value(2.0, "z")
    _, y = differentiated(x, ag.relu(x) + w * z + w)
    lines = str(diagnose(y)).splitlines()
    assert lines[0] == "leaves: 3; gradients that are zero: 2"
    assert lines[1].startswith("  x: blocked by relu at v1")
    assert lines[2].startswith("  z: multiplied by zero at v")
    assert len(lines) == 3


def test_many_leaves_are_counted() -> None:
    """Of a thousand, a few are told and the others counted."""
    leaves = [Value(-1.0, f"w{i}") for i in range(1000)]
    diagnosis = diagnose(ag.sum([*(ag.relu(leaf) for leaf in leaves), Value(1.0, "bias")]))
    text = str(diagnosis)
    assert text.startswith("leaves: 1001; gradients that are zero: 1000\n")
    assert "and 980 more leaves" in text
    assert len(text.splitlines()) <= 23
    assert len(diagnosis.findings) == 20


def test_twenty_leaves_are_told_one_by_one() -> None:
    """That is what MOST_LEAVES says."""
    leaves = [Value(-1.0, f"w{i}") for i in range(20)]
    text = str(diagnose(ag.sum([ag.relu(leaf) for leaf in leaves])))
    assert all(f"  w{i}: blocked" in text for i in range(20))


def test_stale_graph_is_noted() -> None:
    """The recorded pass is diagnosed, and data set since is mentioned."""
    x = Value(-1.0, "x")
    x, y = differentiated(x, ag.relu(x))
    x.data = 5.0
    for diagnosis in (diagnose(y, x), diagnose(y)):
        assert diagnosis.reason == "blocked"
        assert diagnosis.notes == ["data was set since: this is the recorded pass; y.forward() computes the new one"]
        assert str(diagnosis).endswith(diagnosis.notes[0])
    y.forward()
    y.backward()
    assert (diagnose(y, x).reason, diagnose(y, x).notes) == ("", [])


GRAPHS: list[Callable[[], Value]] = [
    house,
    lambda: house(backward=False),
    lambda: ag.sqrt(Value(0.0)) * Value(nan),
    lambda: ag.sum([part(Value(1.0)) for part in PARTS.values()]),
]


@pytest.mark.parametrize("graph", GRAPHS)
def test_diagnosis_leaves_the_graph_untouched(graph: Callable[[], Value]) -> None:
    """No number, no gradient, no label changes, whatever is asked."""
    root = graph()
    before = state(root)
    texts = [str(diagnose(root)), *(str(diagnose(root, node)) for node in nodes(root)), str(diagnose(root, Value(0.0)))]
    assert state(root) == before
    assert all(texts)


def test_line_is_told_where_it_was_recorded() -> None:
    """The place where the gradient is lost is one in the user's file."""
    x = Value(-1.0, "x")
    with ag.record_lines():
        r = ag.relu(x)
        s = ag.sqrt(r)
    assert f"relu(x) (test_diagnosis.py:{r._line.number})" in str(diagnose(r, x))
    assert f"sqrt(v1) (test_diagnosis.py:{s._line.number})" in str(diagnose(s))


@pytest.mark.parametrize("label", ["two\nlines", "\u202egnp.exe", "\x1b[31m", "q" * 10_000, "a+b", "`x`"])
def test_text_is_free_of_control_characters(label: str) -> None:
    """Each finding is one line, whatever the labels are."""
    x = Value(-1.0, label)
    r = ag.relu(x)
    s = ag.sqrt(r)
    r.label = s.label = label
    for diagnosis in (diagnose(r), diagnose(r, x), diagnose(s), diagnose(s, x)):
        text = str(diagnosis)
        assert all(character.isprintable() or character == "\n" for character in text)
        assert len(text.splitlines()) == 2
        assert len(text) < 500


@pytest.mark.parametrize("label", ["two\nlines", "\u202egnp.exe", "\x1b[31m", "q" * 10_000])
def test_label_of_a_value_outside_of_the_graph(label: str) -> None:
    """On one line, short, without control characters."""
    text = str(diagnose(Value(1.0, "y"), Value(1.0, label)))
    assert all(character.isprintable() or character == "\n" for character in text)
    assert len(text.splitlines()) == 2
    assert len(text) < 500


@pytest.mark.parametrize("label", ["two\nlines", "\u202egnp.exe", "\x1b[31m", "q" * 10_000])
def test_label_of_a_foreign_value_is_shown_as_others_are(label: str) -> None:
    """Its name, and that of its lookalike in the graph."""
    text = str(diagnose(Value(1.0, label), Value(1.0, label)))
    assert all(character.isprintable() or character == "\n" for character in text)
    assert len(text.splitlines()) == 2
    assert len(text) < 500


@pytest.mark.parametrize(
    ("root", "x", "message"),
    [
        (2.0, None, r"diagnose takes the root and perhaps a node; root is 2\.0"), (None, None, "root is None"),
        (0, Value(1.0), "root is 0"), ("y", None, "root is 'y'"), (Value(1.0), 3, "x is 3"),
        (Value(1.0), 0.0, r"x is 0\.0"), (Value(1.0), "", "x is ''"),
    ],
)  # fmt: skip
def test_other_things_than_values_are_refused(root: Any, x: Any, message: str) -> None:
    """The error says which argument it is."""
    with pytest.raises(TypeError, match=message):
        diagnose(root, x)


def test_repr_is_the_text() -> None:
    """In the REPL one sees what print shows."""
    root = house()
    assert repr(diagnose(root)) == str(diagnose(root))
