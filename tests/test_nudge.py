"""nudge(y, x, h): the change that the gradient predicts beside the true one, by replaying the recorded graph.

The true change is compared with closed forms in exact fractions, and with mpmath at 50 digits.
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import mpmath
import numpy as np
import pytest
from house_graph import house, house_nodes
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import autograd as ag
from autograd import Value, nodes, nudge

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

inf, nan = math.inf, math.nan


def state(root: Value) -> list[tuple[object, ...]]:
    """All that a replay could have changed."""
    return [
        (node, node.data, node.has_grad, node.grad, node.label, node.operands, node.local_derivatives)
        for node in nodes(root)
    ]


# ----- Closed forms -----

POLYNOMIALS: list[tuple[Callable[[Any], Any], Callable[[Any], Any]]] = [
    (lambda x: x * x, lambda x: 2 * x),
    (lambda x: x**3, lambda x: 3 * x**2),
    (lambda x: 3 * x - 1, lambda x: 3 + 0 * x),
    (lambda x: (x + 1) * (x - 1) * x, lambda x: 3 * x**2 - 1),
    (lambda x: x * x - x * x, lambda x: 0 * x),
]


@pytest.mark.parametrize(("f", "slope"), POLYNOMIALS)
@pytest.mark.parametrize("at", [3.0, -0.5, 0.0])
@pytest.mark.parametrize("h", [0.5, -0.25, 1.0, 2.0**-10])
def test_polynomials_exactly(f: Callable[[Any], Any], slope: Callable[[Any], Any], at: float, h: float) -> None:
    """In binary fractions nothing is rounded: prediction, change and gap are those of rational arithmetic."""
    x = Value(at, "x")
    predicted, actual, gap = nudge(f(x), x, h)
    exact, step = Fraction(at), Fraction(h)
    assert Fraction(predicted) == slope(exact) * step
    assert Fraction(actual) == f(exact + step) - f(exact)
    assert Fraction(gap) == f(exact + step) - f(exact) - slope(exact) * step


FUNCTIONS: list[tuple[str, float]] = [
    ("exp", 1.5), ("log", 2.0), ("sin", 0.7), ("cos", -2.0), ("tan", 0.4), ("tanh", 0.3), ("sinh", 1.0), ("sqrt", 2.0),
    ("log1p", 0.5), ("expm1", 1e-3),
]  # fmt: skip


@pytest.mark.parametrize(("name", "at"), FUNCTIONS)
@pytest.mark.parametrize("h", [0.1, -0.1, 1e-3])
def test_functions_as_in_mpmath(name: str, at: float, h: float) -> None:
    """The true change of f(x) + x, and slope times h."""
    x = Value(at, "x")
    exact = getattr(mpmath, name)
    with mpmath.workdps(50):
        moved = mpmath.mpf(at + h)  # floats are added as floats
        change = exact(moved) + moved - exact(mpmath.mpf(at)) - mpmath.mpf(at)
        slope = mpmath.diff(exact, mpmath.mpf(at)) + 1
        predicted, actual, gap = nudge(getattr(ag, name)(x) + x, x, h)
        assert actual == pytest.approx(float(change), rel=1e-9, abs=1e-15)
        assert predicted == pytest.approx(float(slope * mpmath.mpf(h)), rel=1e-14)
    assert gap == actual - predicted


def test_default_step_is_a_thousandth() -> None:
    """Small enough to be near the tangent, large enough to be seen."""
    x = Value(2.0, "x")
    y = x * x
    assert nudge(y, x) == nudge(y, x, 1e-3)
    assert nudge(y, x).predicted == 4 * ((2.0 + 1e-3) - 2.0) == pytest.approx(4e-3, rel=1e-12)
    assert nudge(y, x).gap == pytest.approx(1e-6, rel=1e-6)


def test_fields_have_names() -> None:
    """It is a tuple of three, to be unpacked or read by name."""
    x = Value(3.0, "x")
    result = nudge(x * x, x, 0.5)
    assert tuple(result) == (result.predicted, result.actual, result.gap) == (3.0, 3.25, 0.25)


def test_nudges_in_a_graph_with_forks() -> None:
    """The house graph, e = (a b)(a b + a), moved in a and in b."""
    a, b, _, _, e = house_nodes()
    assert nudge(e, a, 0.5) == (24.0, 2.5 * 3 * (2.5 * 3 + 2.5) - 48, 3.0)
    assert nudge(e, b, 0.5) == (14.0, 7 * 9 - 48, 1.0)


def test_nudges_of_results() -> None:
    """A result is moved as if it were a leaf: what it was computed from stays."""
    _a, _b, c, d, e = house_nodes()
    assert nudge(e, c, 0.5) == (7.0, 6.5 * 8.5 - 48, 0.25)
    assert nudge(e, d, 0.5) == (3.0, 6 * 8.5 - 48, 0.0)
    assert nudge(e, e, 0.5) == (0.5, 0.5, 0.0)
    assert nudge(d, c, 0.5) == (0.5, 0.5, 0.0)


@pytest.mark.parametrize("number", [0.0, 5.0])
def test_leaf_as_root(number: float) -> None:
    """It moves as far as it is moved."""
    x = Value(number)
    assert nudge(x, x, 0.25) == (0.25, 0.25, 0.0)


def test_values_of_zero_move() -> None:
    """A Value of 0 is false, and yet an operand."""
    x, w = Value(0.0, "x"), Value(0.0, "w")
    y = ag.sum([x * w, x, ag.dot([x, w], [x, 2.0], x)])
    assert y.data == 0
    assert nudge(y, x, 0.5) == (1.0, 1.25, 0.25)
    assert nudge(y, w, 0.5) == (1.0, 1.0, 0.0)


def test_constants_and_nodes_of_many_operands() -> None:
    """They are replayed with what was recorded."""
    x = Value(2.0, "x")
    y = ag.mean([x, 1.0, x * x, 3.0]) + ag.clip(x, -10.0, 10.0) + ag.where(True, x, 0.0)
    assert nudge(y, x, 1.0) == (1.25 + 2, (3 + 9 - 2 - 4) / 4 + 2, 0.25)


def test_deep_chain_is_replayed_without_recursion() -> None:
    """5,000 results."""
    x = Value(1.0, "x")
    y = x
    for _ in range(5000):
        y = y + 1.0
    assert nudge(y, x, 0.5) == (0.5, 0.5, 0.0)


# ----- Kinks, where the gradient is half of the story -----

KINKS: list[tuple[Callable[[Value], Value], float, float, float, float]] = [
    (ag.relu, 0.0, 0.5, 0.0, 0.5),
    (ag.relu, 0.0, -0.5, 0.0, 0.0),
    (ag.relu, -0.25, 0.5, 0.0, 0.25),
    (abs, 0.0, 0.5, 0.0, 0.5),
    (abs, 0.0, -0.5, 0.0, 0.5),
    (ag.step, 0.0, 0.5, 0.0, 1.0),
    (ag.sign, 0.0, -0.5, 0.0, -1.0),
    (lambda x: ag.maximum(x, Value(1.0)), 1.0, 0.5, 0.25, 0.5),
    (lambda x: ag.maximum(x, Value(1.0)), 1.0, -0.5, -0.25, 0.0),
    (lambda x: ag.clip(x, 0.0, 1.0), 1.0, 0.5, 0.5, 0.0),
    (lambda x: ag.where(x, 10.0, 20.0), -0.25, 0.5, 0.0, -10.0),
    (lambda x: ag.where(x - 1, x * x, x), 1.0, 1.0, 1.0, 3.0),
]


@pytest.mark.parametrize(("function", "at", "h", "predicted", "actual"), KINKS)
def test_kinks(function: Callable[[Value], Value], at: float, h: float, predicted: float, actual: float) -> None:
    """The prediction is that of the stated derivative, the change is the true one: conditions are evaluated anew."""
    x = Value(at, "x")
    assert nudge(function(x), x, h) == (predicted, actual, actual - predicted)


def test_branches_of_python_stay_as_recorded() -> None:
    """As documented: what was recorded is replayed."""
    x = Value(1.0, "x")
    y = x * 2 if x > 0 else x * -100
    assert nudge(y, x, -2.0) == (-4.0, -4.0, 0.0)


# ----- The graph is left alone -----


def test_graph_is_untouched() -> None:
    """Its numbers and gradients, before and after a pass."""
    for root in (house(), house(backward=False)):
        before = state(root)
        for node in nodes(root):
            nudge(root, node, 0.5)
        assert state(root) == before


@pytest.mark.parametrize(
    ("function", "at", "h", "error"),
    [
        (ag.log, 1.0, -1.0, ValueError),
        (ag.sqrt, 1.0, -2.0, ValueError),
        (ag.arcsin, 0.5, 1.0, ValueError),
        (lambda x: 1 / x, 1.0, -1.0, ZeroDivisionError),
        (lambda x: ag.exp(x) * 2, 1.0, 1000.0, OverflowError),
        (lambda x: x**0.5 + x, 1.0, -2.0, ValueError),
    ],
)
def test_domain_error_leaves_the_graph_alone(
    function: Callable[[Value], Value], at: float, h: float, error: type[Exception]
) -> None:
    """Where the new number has no value, the error names it and nothing has changed."""
    x = Value(at, "x")
    y = function(x)
    y.backward()
    before = state(y)
    with pytest.raises(error, match=r"at .*labelled 'x'"):
        nudge(y, x, h)
    assert state(y) == before


def test_gradient_is_that_of_its_own_pass() -> None:
    """Whatever .grad holds, and also without any pass."""
    a, _b, _c, _d, e = house_nodes()
    assert nudge(e, a, 0.5).predicted == 24
    e.backward()
    e.backward()
    assert nudge(e, a, 0.5).predicted == 24
    a.grad = -1.0
    assert nudge(e, a, 0.5).predicted == 24


def test_modes_do_not_matter() -> None:
    """A replay records nothing."""
    a, _b, _c, _d, e = house_nodes()
    with ag.no_grad(), ag.record_lines(), ag.detect_anomaly():
        assert nudge(e, a, 0.5) == (24.0, 27.0, 3.0)


# ----- What is refused -----


def test_stale_graph_is_refused() -> None:
    """The recorded derivatives are of other numbers; after forward() it works again."""
    a, _b, _c, _d, e = house_nodes()
    a.data = 3.0
    with pytest.raises(ValueError, match=r"data was set since .*call e\.forward\(\) first"):
        nudge(e, a)
    e.forward()
    assert nudge(e, a, 0.5).actual == 3.5 * 3 * (3.5 * 3 + 3.5) - 9 * 12


@pytest.mark.parametrize(("label", "named"), [("z", "z"), ("", "this Value")])
def test_foreign_value_is_refused(label: str, named: str) -> None:
    """Moving it would move nothing."""
    with pytest.raises(ValueError, match=f"the graph of e does not contain {named}"):
        nudge(house(), Value(0.0, label))


def test_root_and_x_mixed_up_is_refused() -> None:
    """A leaf's graph does not contain the root."""
    a, _b, _c, _d, e = house_nodes()
    with pytest.raises(ValueError, match="the graph of a does not contain e"):
        nudge(a, e)


@pytest.mark.parametrize("h", ["0.1", None, 1j, Value(0.1), [0.1]])
def test_step_is_a_number(h: Any) -> None:
    """As everywhere."""
    a, _b, _c, _d, e = house_nodes()
    with pytest.raises(TypeError, match=r"nudge\(\) takes a real number"):
        nudge(e, a, h)


@pytest.mark.parametrize(("h", "number"), [(1, 1.0), (Fraction(1, 2), 0.5), (True, 1.0)])
def test_steps_of_other_kinds_of_number(h: Any, number: float) -> None:
    """They become floats."""
    a, _b, _c, _d, e = house_nodes()
    assert nudge(e, a, h) == nudge(e, a, number)


@pytest.mark.parametrize("h", [0.0, -0.0, 0, nan, inf, -inf])
def test_step_that_is_none_is_refused(h: float) -> None:
    """Nothing is moved by 0, and no graph has a value at nan."""
    a, _b, _c, _d, e = house_nodes()
    with pytest.raises(ValueError, match=f"h is a small step other than 0, not {h!r}"):
        nudge(e, a, h)


def test_prediction_is_for_the_move_that_was_made() -> None:
    """1e16 + 1.5 is 1e16 + 2, so that y = 2x moves by 4; central_difference takes that into account."""
    x = Value(1e16, "x")
    assert nudge(2 * x, x, 1.5) == (4.0, 4.0, 0.0)
    assert nudge(2 * x, x, 0.5) == (0.0, 0.0, 0.0)


@pytest.mark.parametrize("arg", [-1, 2, True, False, 1.0, 0.0, "0", None, np.int64(1), Value(0.0)])
def test_argument_of_a_slope_is_a_position(arg: Any) -> None:
    """Counted from 0, as an int; nothing is taken for one."""
    with pytest.raises(ValueError, match="arg is the position of one of the 2 values, not "):
        ag.central_difference(lambda x, y: x * y, 3.0, 5.0, arg=arg)


@pytest.mark.parametrize("label", ["two\nlines", "\x1b[31m", "q" * 10_000])
def test_error_shows_a_label_as_tables_do(label: str) -> None:
    """On one line."""
    with pytest.raises(ValueError, match="does not contain") as error:
        nudge(house(), Value(0.0, label))
    assert str(error.value).isprintable()
    assert len(str(error.value)) < 200


@pytest.mark.parametrize(
    ("root", "x", "message"), [(2.0, Value(1.0), "root is a float"), (Value(1.0), 3, "x is an int$")]
)
def test_other_things_than_values_are_refused(root: Any, x: Any, message: str) -> None:
    """The error says which argument it is."""
    with pytest.raises(TypeError, match=message):
        nudge(root, x)


# ----- The gap is of the order of h² -----

SMOOTH: dict[str, Callable[[Any, Any, Any], Any]] = {
    "sum": lambda m, a, b: a + b,
    "difference": lambda m, a, b: a - 2 * b,
    "product": lambda m, a, b: a * b,
    "quotient": lambda m, a, b: a / (b * b + 0.5),
    "tanh": lambda m, a, b: m.tanh(a),
    "sin": lambda m, a, b: m.sin(a) * b,
    "exp": lambda m, a, b: m.exp(m.tanh(a)) + b,
    "log": lambda m, a, b: m.log(a * a + 0.5),
    "root": lambda m, a, b: m.sqrt(a * a + 0.5) - b,
}
PROGRAMS = st.lists(
    st.tuples(st.sampled_from(sorted(SMOOTH)), st.integers(0, 9), st.integers(0, 9)), min_size=1, max_size=6
)


def execute(program: Sequence[tuple[str, int, int]], x: Any, m: Any) -> Any:
    """Run the program on a Value or a number of mpmath."""
    pool = [x]
    for name, i, j in program:
        pool.append(SMOOTH[name](m, pool[-1 - i % len(pool)], pool[-1 - j % len(pool)]))
    return pool[-1]


@settings(deadline=None, max_examples=60)
@given(PROGRAMS, st.sampled_from([-1.25, -0.5, 0.0, 0.75, 1.5]), st.sampled_from([0.25, 0.0625, -0.0625, 2.0**-7]))
def test_gap_is_of_the_order_of_h_squared(program: list[tuple[str, int, int]], at: float, h: float) -> None:
    """By Taylor, half of a second derivative between x and x + h, times h²; numbers as mpmath has them."""
    x = Value(at, "x")
    y = execute(program, x, ag)
    assume(any(operand is x for node in nodes(y) for operand in node.operands))
    assume(all(abs(node.data) < 100 for node in nodes(y)))
    result = nudge(y, x, h)
    with mpmath.workdps(40):

        def f(t: Any) -> Any:
            return execute(program, mpmath.mpf(t), mpmath)

        change, slope = f(at + h) - f(at), mpmath.diff(f, at)
        bend = max(abs(mpmath.diff(f, at + h * i / 6, 2)) for i in range(7))
        size = 1e-12 * (1 + max(abs(node.data) for node in nodes(y)) * (1 + abs(slope)))
        assert abs(result.actual - change) < size
        assert abs(result.predicted - slope * h) < size
        assert abs(result.gap) <= bend * h * h + size


@pytest.mark.parametrize("function", [ag.exp, ag.sin, ag.sigmoid, lambda x: x**3 / (1 + x * x)])
def test_half_the_step_is_a_quarter_of_the_gap(function: Callable[[Value], Value]) -> None:
    """What h² means."""
    x = Value(0.8, "x")
    y = function(x)
    gaps = [nudge(y, x, 2.0**-k).gap for k in (6, 7, 8, 9)]
    for larger, smaller in zip(gaps, gaps[1:], strict=False):
        assert larger / smaller == pytest.approx(4, rel=0.05)
