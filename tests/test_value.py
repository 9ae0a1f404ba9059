"""The semantics of a Value, decision by decision: numbers, operators, backward, forward, errors, NumPy, micrograd.

Then what holds for all graphs: gradients of random ones against central differences in 60 digits and against PyTorch,
and graphs of a million nodes.
"""

from __future__ import annotations

import copy
import gc
import inspect
import itertools
import math
import operator
import random
import re
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import mpmath
import numpy as np
import pytest
from house_graph import house_nodes as house
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import autograd as ag
from autograd import Value, nodes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from types import FrameType

nan, inf = math.nan, math.inf


def same(x: float, y: float) -> bool:
    """Equal, or both nan; zeros of different sign differ."""
    return (x == y and math.copysign(1, x) == math.copysign(1, y)) or (x != x and y != y)


# ----- Numbers -----


@pytest.mark.parametrize(
    "number",
    [3, -0.0, True, 2**60, Fraction(1, 4), np.int64(3), np.uint8(3), np.float64(0.1), np.float32(0.5), np.bool_(True)],
)
def test_real_numbers_become_floats(number: Any) -> None:
    """As data, as gradient, as operand and as seed."""
    x = Value(number)
    assert type(x.data) is float
    assert same(x.data, float(number))
    x.data = number
    x.grad = number
    assert (type(x.data), type(x.grad)) == (float, float)
    for y in (x * number, number * x, ag.maximum(x, number), ag.sum([number, x])):
        assert {float, Value} == {type(operand) for operand in y.operands}
        assert type(y.data) is float
    assert type(ag.tanh(number)) is float


@pytest.mark.parametrize("number", [nan, inf, -inf])
def test_nan_and_infinities_are_numbers(number: float) -> None:
    """They are allowed as data, and propagate."""
    x = Value(number)
    y = x * 2 + 1
    y.backward()
    assert same(y.data, number)
    assert x.grad == 2


NOT_NUMBERS = [
    ("3.0", r"float\('3\.0'\)"),
    ("x", "give the number itself"),
    (b"3", r"float\(\)"),
    (1j, r"\.real"),
    (np.complex128(1), r"\.real"),
    (None, "None: give a number; None is what a function without a `return` gives"),
    ([1.0], r"\[Value\(x\) for x in"),
    ((1.0,), r"\[Value\(x\) for x in"),
    (np.array([1.0, 2.0]), r"shape \(2,\).*\[Value\(a\) for a in array\]"),
    (np.array(1.0), r"\.item\(\)"),
    (Decimal(1), r"float\(\)"),
    (object(), r"float\(\)"),
]


@pytest.mark.parametrize(("thing", "advice"), NOT_NUMBERS)
def test_what_is_no_real_number_is_refused_with_advice(thing: Any, advice: str) -> None:
    """At every door: Value(), the setters, the seed, functions of one operand and of many."""
    x = Value(1.0)
    doors: list[Callable[[Any], Any]] = [
        Value,
        lambda data: setattr(x, "data", data),
        x.backward,
        ag.exp,
        lambda other: ag.maximum(x, other),
        lambda other: ag.maximum(other, x),
        lambda other: ag.sum([x, other]),
        lambda other: ag.dot([x], [other]),
    ]
    if thing is not None:
        doors.append(lambda data: setattr(x, "grad", data))
    for door in doors:
        with pytest.raises(TypeError, match=f"(?s)takes a real number, not .*{advice}"):
            door(thing)
    assert (x.data, x.has_grad) == (1, False)


def test_a_name_is_a_label_of_value_alone() -> None:
    """Functions, the seed and the setters take no name, so their advice is without label=."""
    x = Value(1.0)
    with pytest.raises(TypeError, match="give the number itself; a name goes into label=$"):
        Value("x")  # type: ignore[arg-type]
    for door in (ag.exp, x.backward, x.__add__, lambda data: setattr(x, "data", data)):
        with pytest.raises(TypeError, match="the str 'x': give the number itself$"):
            door("x")


@pytest.mark.parametrize(("thing", "advice"), [case for case in NOT_NUMBERS if not isinstance(case[0], np.ndarray)])
@pytest.mark.parametrize("operation", [operator.add, operator.sub, operator.mul, operator.truediv, operator.pow])
def test_operators_refuse_it_on_either_side(thing: Any, advice: str, operation: Callable[[Any, Any], Any]) -> None:
    """Also where the other type has a meaning for the operator, as text has for *."""
    with pytest.raises(TypeError, match=advice):
        operation(Value(1.0), thing)
    with pytest.raises(TypeError, match=advice):
        operation(thing, Value(1.0))


def test_value_is_no_data_of_a_value() -> None:
    """Value(v) would lose the graph, and so would data = v."""
    v = Value(1.0)
    for door in (Value, lambda data: setattr(v, "data", data), lambda grad: setattr(v, "grad", grad)):
        with pytest.raises(TypeError, match=r"Value already"):
            door(v)


def test_number_beyond_floats_is_an_overflow() -> None:
    """An int may be larger than any float."""
    with pytest.raises(OverflowError, match=r"1\.8e308"):
        Value(10**400)
    with pytest.raises(OverflowError, match=r"1\.8e308"):
        Value(1.0) * 10**400


# ----- Leaves, constants, operands -----


def test_leaf_has_no_operands() -> None:
    """That is what makes it one."""
    x = Value(2.0)
    assert (x.operands, x.local_derivatives, x.primitive) == ((), (), None)
    assert nodes(x) == [x]


def test_constants_are_floats_among_the_operands() -> None:
    """A plain number is never a node, and has no local derivative."""
    x = Value(4.0)
    for y, operands, derivatives in (
        (3 - x, (3.0, x), (None, -1.0)),
        (x / 2, (x, 2.0), (0.5, None)),
        (x**2, (x, 2.0), (8.0, None)),
        (ag.sum([x, 1, x]), (x, 1.0, x), (1.0, None, 1.0)),
        (ag.dot([x, 2], [3, x], 5), (x, 2.0, 3.0, x, 5.0), (3.0, None, None, 2.0, None)),
        (ag.clip(x, 0, 9), (x, 0.0, 9.0), (1.0, None, None)),
    ):
        assert y.operands == operands
        assert y.local_derivatives == derivatives
        assert nodes(y) == [x, y]


def test_what_is_typed_is_what_is_recorded() -> None:
    """Equal operations, neutral constants and equal leaves stay as many nodes as were typed."""
    x = Value(2.0)
    y = (x * x) + (x * x) + 0 * x + 1 * x
    assert len(nodes(y)) == 1 + 2 + 2 + 3
    ones = [Value(1.0), Value(1.0)]
    (ones[0] + ones[1]).backward()
    assert [one.grad for one in ones] == [1, 1]


def test_plus_in_front_is_the_value_itself() -> None:
    """There is nothing to record."""
    x = Value(2.0)
    assert +x is x


def test_repeated_operands_are_kept_in_order() -> None:
    """x * x has two edges, and each of them carries gradient."""
    x, y = Value(3.0), Value(5.0)
    assert (x * x).operands == (x, x)
    assert ag.sum([y, x, y]).operands == (y, x, y)
    z = ag.dot([x, x], [x, y], x)
    z.backward()
    assert (x.grad, y.grad) == (2 * 3 + 5 + 1, 3)


def test_labels() -> None:
    """By place or by name, to be set later too; results start without one."""
    a, b = Value(1.0, "a"), Value(1.0, label="b")
    c = a + b
    assert (a.label, b.label, c.label) == ("a", "b", "")
    c.label = "c"
    assert c.detach().label == "c"


@pytest.mark.parametrize("operands", [tuple, list, set])
def test_a_label_is_no_operands(operands: Any) -> None:
    """micrograd's Value(data, operands) would be a leaf with a strange name: the error says how operations are made."""
    with pytest.raises(TypeError, match=r"label is a name, not .* of Values: .* autograd.primitive\(\.\.\.\) defines"):
        Value(2.0, operands([Value(1.0)]))
    assert Value(2.0, ("a", 1)).label == ("a", 1)  # type: ignore[arg-type,comparison-overlap]


def test_detach_is_a_leaf_that_passes_nothing() -> None:
    """As in PyTorch: the same number, no graph."""
    x = Value(3.0)
    y = x * x
    z = y.detach() * x
    z.backward()
    assert x.grad == 9
    assert y.detach().operands == ()
    assert not y.has_grad


def test_item_is_the_number() -> None:
    """PyTorch's name for .data."""
    assert Value(3).item() == 3.0
    assert type(Value(3).item()) is float


# ----- Identity, truth, comparisons -----


def test_equality_and_hash_are_identity() -> None:
    """Equal numbers are not one node: sets and dicts of Values work."""
    x, y = Value(2.0), Value(2.0)
    assert x != y
    assert x == x  # what is tested
    assert x != 2.0
    assert len({x, y, x}) == 2
    assert {x: "x", y: "y"}[y] == "y"
    assert y in [x, y]
    assert [x, y].index(y) == 1


def test_data_does_not_change_the_hash() -> None:
    """A node in a set is found after an update."""
    x = Value(2.0)
    members = {x}
    x.data = 3.0
    assert x in members


@pytest.mark.parametrize("compare", [operator.lt, operator.le, operator.gt, operator.ge])
def test_order_compares_numbers(compare: Callable[[Any, Any], bool]) -> None:
    """With Values and with numbers on either side; what comes out is a bool."""
    for x in (1.0, 2.0, 3.0, nan):
        for y in (2.0, inf):
            assert compare(Value(x), Value(y)) is compare(x, y)
            assert compare(Value(x), y) is compare(x, y)
            assert compare(x, Value(y)) is compare(x, y)
            assert compare(Value(x), np.float64(y)) is compare(x, y)
    assert compare(Value(2.0), Fraction(5, 2)) is compare(2.0, 2.5)
    with pytest.raises(TypeError):
        compare(Value(1.0), "1")


@pytest.mark.parametrize("compare", [operator.lt, operator.le, operator.gt, operator.ge])
def test_numpy_scalars_compare_as_numbers(compare: Callable[[Any, Any], bool]) -> None:
    """On the left too: a bool, and no warning where one of them is nan."""
    for x in (1.0, 2.0, 3.0, nan):
        assert compare(np.float64(x), Value(2.0)) is compare(x, 2.0)
        assert compare(np.float64(2.0), Value(x)) is compare(2.0, x)


def test_max_min_and_sorted_choose_among_values() -> None:
    """They choose a Value, with its gradient."""
    x, y = Value(1.0), Value(2.0)
    assert max(x, y) is y
    assert min([y, x]) is x
    assert sorted([y, x]) == [x, y]


def test_truth_is_being_other_than_zero() -> None:
    """As for floats: nan is true."""
    for number in (0.0, -0.0, 1.0, -1e-300, nan, inf):
        assert bool(Value(number)) is bool(number)


def test_control_flow_by_numbers() -> None:
    """A loop that ends by a comparison records what it ran through."""
    x = Value(3.0)
    y = x
    while y < 100:
        y = y * 2 if y > 5 else y * x
    y.backward()
    assert y.data == 144
    assert x.grad == 96


# ----- Values of operators -----

OPERATORS = [operator.add, operator.sub, operator.mul, operator.truediv, operator.pow]


@pytest.mark.parametrize("operation", OPERATORS)
def test_operators_compute_what_floats_do(operation: Callable[[Any, Any], Any]) -> None:
    """With a Value on the left, on the right, on both sides, and int for float."""
    for x, y in ((2.0, 3.0), (0.3, -1.7), (5.0, 0.1), (1.0, 4.0)):
        expected = operation(x, y)
        results = [operation(Value(x), Value(y)), operation(Value(x), y), operation(x, Value(y))]
        if y == int(y):
            results.append(operation(Value(x), int(y)))
        if x == int(x):
            results.append(operation(int(x), Value(y)))
        assert [result.data for result in results] == [expected] * len(results)
        assert all(type(result) is Value for result in results)


@pytest.mark.parametrize("operation", OPERATORS)
def test_gradients_of_operators_are_central_differences(operation: Callable[[Any, Any], Any]) -> None:
    """The same gradient whichever of the operands are Values."""
    for x, y in ((2.0, 3.0), (0.3, -1.7), (5.0, 0.1)):
        slopes = [ag.central_difference(operation, x, y, arg=arg) for arg in (0, 1)]
        v, w, left, right = Value(x), Value(y), Value(x), Value(y)
        operation(v, w).backward()
        operation(left, y).backward()
        operation(x, right).backward()
        assert [v.grad, w.grad] == pytest.approx(slopes, rel=1e-7)
        assert [left.grad, right.grad] == pytest.approx([v.grad, w.grad], rel=1e-15)


def test_functions_and_methods_record_the_same() -> None:
    """The unary functions are methods too, and those of more operands take them by name."""
    x = Value(0.5)
    for name in ("exp", "log", "sqrt", "sin", "tanh", "arcsin", "sigmoid", "relu", "leaky_relu", "elu", "absolute"):
        method, function = getattr(x, name)(), getattr(ag, name)(x)
        assert method.primitive is function.primitive is getattr(ag, name)
        assert (method.data, method.operands, method.local_derivatives) == (
            function.data, function.operands, function.local_derivatives,
        )  # fmt: skip
    assert x.leaky_relu(negative_slope=0.3).operands == (x, 0.3)
    assert (-x).leaky_relu(0.3).data == -0.15
    assert x.sigmoid(slope=2).data == ag.sigmoid(1.0)
    assert x.clip(0, 0.25).data == 0.25


def test_functions_of_plain_numbers_give_floats() -> None:
    """Nothing is recorded where there is no Value."""
    for result in (ag.exp(1), ag.maximum(1, 2), ag.sum([1, 2]), ag.dot([1], [2]), ag.clip(3, 0, 1), ag.logsumexp([0])):
        assert type(result) is float


# ----- .grad -----


def test_gradient_reads_zero_before_it_is_computed() -> None:
    """For code that was written for micrograd; has_grad, repr, table and picture tell it from a gradient of 0."""
    a, *_, e = house()
    assert a.grad == 0.0
    assert not a.has_grad
    assert "not computed" in repr(a)
    assert "not computed" in str(ag.table(e))
    assert "grad\\ –" in ag.draw(e).dot


def test_computed_zero_is_a_gradient() -> None:
    """x * 0 has a gradient of 0, and so has what was set to 0."""
    x, y = Value(2.0), Value(3.0)
    (x * 0 + y).backward()
    assert (x.grad, x.has_grad) == (0, True)
    assert "grad=0.0" in repr(x)
    z = Value(1.0)
    z.grad = 0.0
    assert z.has_grad


def test_zero_grad_and_none_forget() -> None:
    """Both go back to "not computed"; zero_grad on a Value does so for its whole graph and no further."""
    a, b, c, d, e = house()
    other = a * 2
    other.backward()
    e.backward()
    d.zero_grad()
    assert [v.has_grad for v in (a, b, c, d, e, other)] == [False, False, False, False, True, True]
    e.grad = None  # None forgets it
    assert not e.has_grad
    assert e.grad == 0.0


def test_data_and_gradient_can_be_set_and_counted_up() -> None:
    """The updates that training loops are made of."""
    p = Value(1.0)
    (p * 3).backward()
    p.data -= 0.1 * p.grad
    p.grad += 1
    assert p.data == pytest.approx(0.7)
    assert p.grad == 4


# ----- backward() -----


def test_house_graph() -> None:
    """It separates almost every wrong engine from a right one."""
    a, b, c, d, e = house()
    e.backward()
    assert [v.data for v in (a, b, c, d, e)] == [2, 3, 6, 8, 48]
    assert [v.grad for v in (a, b, c, d, e)] == [48, 28, 14, 6, 1]


def test_second_backward_is_exactly_double() -> None:
    """Leaves add passes up; results hold the last pass alone."""
    a, b, c, d, e = house()
    for passes in (1, 2, 3):
        e.backward()
        assert (a.grad, b.grad) == (48 * passes, 28 * passes)
        assert (c.grad, d.grad, e.grad) == (14, 6, 1)


def test_pass_is_summed_apart_and_added_once() -> None:
    """1e16 + (1 + 1) is 1e16 + 2, where (1e16 + 1) + 1 is 1e16."""
    x = Value(1.0)
    x.grad = 1e16
    (x + x).backward()
    assert x.grad == 1e16 + 2


def test_passes_of_two_roots() -> None:
    """Leaves add them up; a shared result holds that of the later one."""
    a, b, c, d, e = house()
    f = c * 5
    e.backward()
    f.backward()
    assert (a.grad, b.grad) == (48 + 15, 28 + 10)
    assert (c.grad, d.grad, e.grad, f.grad) == (5, 6, 1, 1)


def test_table_and_drawing_name_results_of_another_pass() -> None:
    """They show what is stored, and say whose it is."""
    *_, c, _d, e = house()
    e.backward()
    (c * 5).backward()
    for text in (str(ag.table(e)), ag.draw(e).dot):
        assert re.search(r"\bc\b.*another root's pass", text)
    e.zero_grad()
    e.backward()
    assert "another root" not in str(ag.table(e))


def test_backward_from_the_middle() -> None:
    """A result is a root like any other; what is above it is not touched."""
    a, b, c, d, e = house()
    d.backward()
    assert [v.grad for v in (a, b, c, d)] == [4, 2, 1, 1]
    assert not e.has_grad


def test_backward_of_a_leaf() -> None:
    """Its gradient by itself is 1, and adds up as that of every leaf."""
    x = Value(2.0)
    x.backward()
    x.backward(3.0)
    assert x.grad == 4


def test_leaf_outside_the_graph_is_not_touched() -> None:
    """It has no gradient, not one of 0."""
    x, y = Value(2.0), Value(3.0)
    y.grad = 7.0
    (x * 2).backward()
    assert y.grad == 7


@pytest.mark.parametrize("seed", [2.5, -1, 0, True, Fraction(1, 2), np.float32(0.5), inf])
def test_seed_scales_the_pass(seed: float) -> None:
    """backward(gradient) starts with another number than 1."""
    a, b, c, _, e = house()
    e.backward(seed)
    assert (a.grad, b.grad, c.grad, e.grad) == (48 * seed, 28 * seed, 14 * seed, seed)
    e.backward(gradient=seed)
    assert a.grad == 96 * seed


def test_wrong_seed_changes_nothing() -> None:
    """It is refused before the pass begins."""
    a, *_, e = house()
    e.backward()
    with pytest.raises(TypeError):
        e.backward("1")
    assert (a.grad, e.grad) == (48, 1)


def test_forks_without_end() -> None:
    """2 to the 100 paths through 101 nodes: no reader walks the paths."""
    x = Value(1.0)
    y = x
    for _ in range(100):
        y = y + y
    y.backward()
    assert x.grad == 2.0**100
    assert len(nodes(y)) == 101
    assert len(ag.table(y).rows) == 101
    with pytest.warns(UserWarning, match="101 in a row"):
        assert ag.draw(y).dot.count("->") == 200
    assert len(nodes(ag.expand(y))) == 101


# ----- Interrupts -----


def test_interrupt_in_the_sweep_leaves_the_leaves(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C midway: leaves hold what they held, results nothing, and the next pass is right."""
    a, b, c, d, e = house()
    e.backward()
    sweep = ag.value.sweep

    def interrupted(order: Sequence[Value]) -> None:
        sweep(order[1:])
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("autograd.value.sweep", interrupted)
        with pytest.raises(KeyboardInterrupt):
            e.backward()
    assert (a.grad, b.grad) == (48, 28)
    assert [v.has_grad for v in (c, d, e)] == [False] * 3
    e.backward()
    assert (a.grad, b.grad, c.grad, e.grad) == (96, 56, 14, 1)


def test_interrupt_in_the_first_pass_leaves_no_gradient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leaves that had none have none."""
    a, b, *_, e = house()
    monkeypatch.setattr("autograd.value.sweep", lambda order: operator.truediv(order[0].data, 0))
    with pytest.raises(ZeroDivisionError):
        e.backward()
    assert [v.has_grad for v in nodes(e)] == [False] * 5
    assert (a.grad, b.grad) == (0, 0)


def _backward_interrupted(root: Value, line: int) -> bool:
    """backward() with a KeyboardInterrupt before the line-th line of the walk and the sweep; whether it came so far."""
    seen = 0

    def tracer(frame: FrameType, event: str, _: Any) -> Any:
        nonlocal seen
        files = (ag.value.__file__, ag.graph.__file__)
        if frame.f_code.co_filename not in files or frame.f_code.co_name not in ("opened", "sweep"):
            return None
        if event == "line":
            seen += 1
            if seen == line:
                raise KeyboardInterrupt
        return tracer

    before = sys.gettrace()
    sys.settrace(tracer)
    try:
        root.backward()
    except KeyboardInterrupt:
        return True
    finally:
        sys.settrace(before)
    return False


def test_interrupt_at_any_line_leaves_the_leaves() -> None:
    """Before each line that walks or sweeps the graph in turn, with and without gradients from before."""
    for passes in (0, 1):
        line = 1
        while True:
            a, b, c, d, e = house()
            for _ in range(passes):
                e.backward()
            if not _backward_interrupted(e, line):
                break
            assert (line, a.has_grad, b.has_grad) == (line, passes == 1, passes == 1)
            assert (line, a.grad, b.grad) == (line, 48 * passes, 28 * passes)
            assert (line, [v.has_grad for v in (c, d, e)]) == (line, [False] * 3)
            line += 1
        assert line > 20
        assert (a.grad, b.grad) == (48 * (passes + 1), 28 * (passes + 1))


# ----- Changed data, forward() -----


def test_changed_data_does_not_change_the_recorded_pass() -> None:
    """Local derivatives belong to it, and so do the results' numbers."""
    a, b, c, d, e = house()
    a.data, b.data = -7.0, 1e9
    e.backward()
    assert [v.data for v in (c, d, e)] == [6, 8, 48]
    assert [v.grad for v in (a, b, c, d)] == [48, 28, 14, 6]


def test_forward_recomputes_in_place() -> None:
    """It returns the number, clears the results' gradients and leaves those of leaves."""
    a, b, c, d, e = house()
    e.backward()
    a.data, b.data = 3.0, 4.0
    assert e.forward() == 180
    assert [v.data for v in (c, d, e)] == [12, 15, 180]
    assert [v.has_grad for v in (a, b, c, d, e)] == [True, True, False, False, False]
    e.zero_grad()
    e.backward()
    assert (a.grad, b.grad) == (4 * 15 + 12 * 5, 3 * 15 + 12 * 3)


def test_forward_of_a_leaf_is_its_number() -> None:
    """There is nothing to recompute."""
    x = Value(3.0)
    x.grad = 2.0
    assert (x.forward(), x.grad) == (3, 2)


def test_forward_recomputes_what_was_set_in_the_middle() -> None:
    """A result follows from its operands."""
    *_, c, d, e = house()
    c.data = 100.0
    assert e.forward() == 48
    assert (c.data, d.data) == (6, 8)


def test_forward_chooses_again_where_the_condition_is_a_value() -> None:
    """A plain bool stays as recorded."""
    x, y, z = Value(1.0), Value(10.0), Value(20.0)
    by_value, by_bool = ag.where(x, y, z), ag.where(x > 0, y, z)
    x.data = -1.0
    assert by_value.forward() == 20
    assert by_bool.forward() == 10
    by_value.backward()
    assert (x.grad, y.grad, z.grad) == (0, 0, 1)


def test_domain_error_in_forward_changes_nothing() -> None:
    """It recomputes everything, then commits."""
    x, y = Value(4.0, "x"), Value(2.0)
    z = x * y
    w = z * ag.log(x) + ag.sqrt(x)
    w.backward()
    before = [(v.data, v.grad, v.has_grad, v.local_derivatives) for v in nodes(w) if v.operands]
    x.data = -1.0
    with pytest.raises(ValueError, match=r"log.*-1\.0.*'x'"):
        w.forward()
    assert [(v.data, v.grad, v.has_grad, v.local_derivatives) for v in nodes(w) if v.operands] == before
    x.data = 1.0
    assert w.forward() == 1


def test_stale_graph_is_marked() -> None:
    """Table and picture say so; expand asks for forward() first."""
    a, *_, e = house()
    assert "stale" not in ag.draw(e).dot + str(ag.table(e))
    a.data = 5.0
    assert "stale" in str(ag.table(e))
    assert "stale" in ag.draw(e).dot
    with pytest.raises(ValueError, match=r"call e\.forward\(\) first"):
        ag.expand(e)
    e.forward()
    assert "stale" not in ag.draw(e).dot + str(ag.table(e))


# ----- Boundaries: partials, kinks, domains, overflow -----

INFINITE_SLOPES = [
    (lambda x: ag.sqrt(x), 0.0, inf),
    (lambda x: x**0.5, 0.0, inf),
    (lambda x: ag.arcsin(x), 1.0, inf),
    (lambda x: ag.arcsin(x), -1.0, inf),
    (lambda x: ag.arccos(x), 1.0, -inf),
    (lambda x: ag.arccos(x), -1.0, -inf),
    (lambda x: x.sqrt(), 0.0, inf),
]


@pytest.mark.parametrize(("function", "at", "slope"), INFINITE_SLOPES)
def test_recording_never_fails_because_of_a_partial(function: Callable[[Any], Value], at: float, slope: float) -> None:
    """Where the derivative is infinite, that is what is saved, and 0 times it is nan in backward."""
    x = Value(at)
    y = function(x)
    assert y.local_derivatives[0] == slope
    y.backward()
    assert x.grad == slope
    x.zero_grad()
    (function(x) * 0).backward()
    assert math.isnan(x.grad)


def test_quotient_with_a_tiny_denominator_is_recorded() -> None:
    """Its second derivative overflows to inf, its value does not."""
    x, y = Value(1e-200), Value(1e-200)
    z = x / y
    z.backward()
    assert z.data == 1
    assert (x.grad, y.grad) == pytest.approx((1e200, -1e200))
    tiny = Value(5e-324)
    w = tiny / tiny
    w.backward()
    assert w.data == 1


KINKS = [
    (ag.relu, 0.0, 0.0),
    (ag.absolute, 0.0, 0.0),
    (ag.absolute, -0.0, 0.0),
    (ag.step, 0.0, 0.0),
    (ag.step, 2.0, 0.0),
    (ag.sign, 0.0, 0.0),
    (ag.sign, -2.0, 0.0),
    (ag.leaky_relu, 0.0, 0.01),
    (lambda x: ag.leaky_relu(x, 0.3), 0.0, 0.3),
    (ag.elu, 0.0, 1.0),
    (lambda x: ag.elu(x, 0.3), 0.0, 0.3),
    (lambda x: ag.maximum(x, 1.0), 1.0, 0.5),
    (lambda x: ag.minimum(1.0, x), 1.0, 0.5),
    (lambda x: ag.clip(x, -1.0, 1.0), 1.0, 1.0),
    (lambda x: ag.clip(x, -1.0, 1.0), -1.0, 1.0),
    (lambda x: x**0, 0.0, 0.0),
    (lambda x: x**1, 0.0, 1.0),
    (lambda x: x**2, 0.0, 0.0),
]


@pytest.mark.parametrize(("function", "at", "slope"), KINKS)
def test_slope_at_a_kink(function: Callable[[Any], Value], at: float, slope: float) -> None:
    """One table of conventions, that of PyTorch but for the tie that splits evenly."""
    x = Value(at)
    function(x).backward()
    assert x.grad == slope


DOMAIN_ERRORS = [
    (lambda x: ag.log(x), 0.0, ValueError, "log"),
    (lambda x: ag.log(x), -1.0, ValueError, "log"),
    (lambda x: ag.log1p(x), -1.0, ValueError, "log1p"),
    (lambda x: ag.sqrt(x), -1.0, ValueError, "sqrt"),
    (lambda x: ag.arcsin(x), 1.5, ValueError, "arcsin"),
    (lambda x: ag.arccos(x), -1.5, ValueError, "arccos"),
    (lambda x: ag.exp(x), 1000.0, OverflowError, "exp"),
    (lambda x: ag.sinh(x), 1000.0, OverflowError, "sinh"),
    (lambda x: ag.cosh(x), -1000.0, OverflowError, "cosh"),
    (lambda x: ag.sin(x), inf, ValueError, "sin"),
    (lambda x: ag.cos(x), -inf, ValueError, "cos"),
    (lambda x: ag.tan(x), inf, ValueError, "tan"),
    (lambda x: 1 / x, 0.0, ZeroDivisionError, "divide"),
    (lambda x: Value(1.0) / x, -0.0, ZeroDivisionError, "divide"),
    (lambda x: x / 0, 3.0, ZeroDivisionError, "divide"),
    (lambda x: x**-1, 0.0, ZeroDivisionError, "power"),
    (lambda x: x ** (1 / 3), -8.0, ValueError, "power"),
    (lambda x: x**400, 10.0, OverflowError, "power"),
    (lambda x: x ** Value(2.0), -8.0, ValueError, "power"),
    (lambda x: x ** Value(2.0), 0.0, ValueError, "power"),
    (lambda x: (-2) ** x, 2.0, ValueError, "power"),
    (lambda x: ag.clip(x, 1, 0), 0.5, ValueError, "clip"),
]


@pytest.mark.parametrize(("function", "at", "error", "name"), DOMAIN_ERRORS)
def test_domain_error_names_primitive_value_and_label(
    function: Callable[[Any], Value], at: float, error: type[Exception], name: str
) -> None:
    """It raises what math raises, at once, with a message that says where."""
    pattern = rf"\b{name}[(:].*= {re.escape(repr(at))} \(labelled 'oops'\)"
    with pytest.raises(error, match=pattern):
        function(Value(at, "oops"))
    method = getattr(Value(at, "oops"), name, None)
    if method is not None and name != "clip":
        with pytest.raises(error, match=pattern):
            method()


def test_power_with_a_plain_exponent_takes_any_base() -> None:
    """Only an exponent that is a Value needs x > 0."""
    cases = ((-2.0, 3, -8, 12), (-2.0, -1, -0.5, -0.25), (0.0, 2, 0, 0), (-2.0, 2.0, 4, -4))
    for base, exponent, value, slope in cases:
        x = Value(base)
        y = x**exponent
        y.backward()
        assert (y.data, x.grad) == (value, slope)


def test_sums_and_products_follow_ieee_silently() -> None:
    """What arises is found by other means; it is no error."""
    assert (Value(1e308) + 1e308).data == inf
    assert (Value(-1e308) * Value(10.0)).data == -inf
    assert math.isnan((Value(inf) - Value(inf)).data)
    assert math.isnan((Value(0.0) * inf).data)


def test_stable_forms_do_not_overflow() -> None:
    """Value and slope far out, where the definitions overflow."""
    for function, at, value, slope in (
        (ag.sigmoid, 1000.0, 1, 0),
        (ag.sigmoid, -1000.0, 0, 0),
        (ag.softplus, 1000.0, 1000, 1),
        (ag.softplus, -1000.0, 0, 0),
        (ag.tanh, 1000.0, 1, 0),
        (ag.tanh, -1000.0, -1, 0),
        (ag.silu, 1000.0, 1000, 1),
        (ag.elu, -1000.0, -1, 0),
        (lambda x: ag.logsumexp([x, 0.0]), 1000.0, 1000, 1),
        (lambda x: ag.log_softmax([x, 0.0])[1], 1000.0, -1000, -1),
    ):
        x = Value(at)
        y = function(x)
        y.backward()
        assert (y.data, x.grad) == (value, slope)


def test_where_passes_no_gradient_to_its_condition() -> None:
    """The chosen one takes it all; a condition of 0 or nan chooses the second."""
    for condition, chosen in ((2.0, 0), (0.0, 1), (-1.0, 1), (nan, 1)):
        c, branches = Value(condition), [Value(5.0), Value(7.0)]
        y = ag.where(c, *branches)
        y.backward()
        assert y.data == branches[chosen].data
        assert [b.grad for b in branches] == [1 - chosen, chosen]
        assert c.grad == 0


# ----- What would lose the graph -----


@pytest.mark.parametrize(
    ("conversion", "advice"),
    [
        (float, r"autograd\.exp\(v\).*v\.data"),
        (math.exp, r"autograd\.exp\(v\).*v\.data"),
        (complex, r"v\.data"),
        (int, r"int\(v\.data\)"),
        (round, r"round\(v\.data\)"),
        (lambda v: round(v, 2), r"round\(v\.data\)"),
        (math.floor, r"v\.data"),
        (math.ceil, r"v\.data"),
        (math.trunc, r"v\.data"),
        (lambda v: v // 2, r"v\.data"),
        (lambda v: 2 // v, r"v\.data"),
        (lambda v: v % 2, r"v\.data"),
        (lambda v: 2 % v, r"v\.data"),
        (lambda v: divmod(v, 2), r"v\.data"),
        (lambda v: np.array([v], dtype=float), r"v\.data"),
        (np.float64, r"v\.data"),
        (np.arctan2, "."),
        (lambda v: np.floor(v), r"\.data"),
        (lambda v: "%.2f" % v, r"v\.data"),  # noqa: UP031  # what is tested
    ],
)
def test_conversion_to_a_plain_number_is_refused_with_advice(conversion: Callable[[Any], Any], advice: str) -> None:
    """A number that came out of the graph without a word would have no gradient."""
    with pytest.raises(TypeError, match=f"(?s){advice}"):
        conversion(Value(1.5))


def test_values_are_no_sequences() -> None:
    """NumPy and Python ask, and are told so."""
    v = Value(1.0)
    for ask in (len, iter, list, lambda x: x[0]):
        with pytest.raises(TypeError):
            ask(v)


def test_unknown_attributes_are_errors() -> None:
    """A misspelt one is not silently set."""
    x = Value(1.0)
    with pytest.raises(AttributeError):
        x.lable = "x"


# ----- repr and format -----


def test_repr() -> None:
    """Number, gradient, label, and whether it is a leaf or the result of what."""
    x = Value(2, "x")
    y = x * 3
    assert repr(x) == "Value(data=2.0, grad=not computed, label='x', leaf)"
    assert repr(y) == "Value(data=6.0, grad=not computed, op='*')"
    y.label = "it's y"
    y.backward()
    assert repr(x) == "Value(data=2.0, grad=3.0, label='x', leaf)"
    assert repr(y) == "Value(data=6.0, grad=1.0, label=\"it's y\", op='*')"
    assert str(y) == repr(y)
    assert repr(Value(-0.0)) == "Value(data=-0.0, grad=not computed, leaf)"
    assert repr(Value(nan).tanh()) == "Value(data=nan, grad=not computed, op='tanh')"


def test_format() -> None:
    """A format specification is that of the number."""
    x = Value(math.pi, "x")
    assert f"{x:.3f}" == "3.142"
    assert f"{x:>8.2e}" == "3.14e+00"
    assert f"{x}" == repr(x)
    with pytest.raises(ValueError, match="format"):
        f"{x:d}"


# ----- Order of nodes -----


def recursive_order(root: Value) -> list[Value]:
    """Post-order as a textbook writes it."""
    order: list[Value] = []

    def visit(node: Value) -> None:
        if node not in order:
            for operand in node.operands:
                if isinstance(operand, Value):
                    visit(operand)
            order.append(node)

    visit(root)
    return order


def test_order_is_that_of_the_operands_as_written() -> None:
    """Post-order, the root last."""
    a, b, c, d, e = house()
    assert nodes(e) == [a, b, c, d, e]
    left = b - a
    right = ag.dot([c, 1.0, a], [b, left, 2.0], d)
    assert nodes(left) == [b, a, left]
    assert nodes(right) == recursive_order(right) == [a, b, c, left, d, right]


def test_order_of_operands_first_seen_deep() -> None:
    """A leaf that the second operand needs early is not moved to the front."""
    x, y, z = Value(1.0), Value(2.0), Value(3.0)
    root = (x * (y + z)) - (z - y)
    assert nodes(root) == recursive_order(root)
    assert [node.data for node in nodes(root) if not node.operands] == [1, 2, 3]


# ----- no_grad, threads -----


def test_no_grad_computes_without_a_graph() -> None:
    """Inside, every operation gives a leaf; outside, all is as before."""
    x = Value(3.0)
    with ag.no_grad():
        results = [x * x, 2 * x, x + 1, x - x, x / 2, x**2, -x, x.exp(), ag.sum([x, x]), ag.dot([x], [x]), ag.relu(x)]
        with ag.no_grad():
            assert (x * 2).operands == ()
        assert (x * 2).operands == ()
    assert [r.operands for r in results] == [()] * len(results)
    assert [r.data for r in results[:7]] == [9, 6, 4, 0, 1.5, 9, -3]
    assert (x * x).operands == (x, x)


@pytest.mark.parametrize("operation", [operator.add, operator.sub, operator.mul, operator.truediv])
def test_operators_under_no_grad(operation: Any) -> None:
    """They give the numbers and errors that they give elsewhere, zeros have their signs, and nothing is recorded."""
    numbers = [0.0, -0.0, 1.5, -2.0, 5e-324, 1e308, math.inf, -math.inf, math.nan]

    def outcome(x: Any, y: Any) -> str:
        try:
            return repr(operation(x, y).data)
        except (ValueError, ArithmeticError) as error:
            return f"{type(error).__name__}: {error}"

    for x, y in itertools.product(numbers, repeat=2):
        for left, right in ((Value(x), Value(y)), (Value(x), y), (x, Value(y)), (Value(x), np.float64(y))):
            usual = outcome(left, right)
            with ag.no_grad():
                assert outcome(left, right) == usual
    with ag.no_grad():
        for found in (operation(Value(2.0), Value(3.0)), operation(Value(2.0), 3.0), operation(2.0, Value(3.0))):
            assert (found.operands, found.primitive, found.label, found.has_grad) == ((), None, "", False)


def test_no_grad_takes_what_is_taken_elsewhere() -> None:
    """What is no number is no operand, whatever attributes it has; errors are those of recording."""
    x = Value(2.0)

    class Other:
        _data = 5.0

    def outcome(operation: Any) -> str:
        try:
            return repr(operation())
        except (TypeError, ValueError, ArithmeticError) as error:
            return f"{type(error).__name__}: {error}"

    operations = [
        lambda: ag.maximum(x, Other()),
        lambda: ag.clip(x, 0.0, Other()),
        lambda: ag.maximum(x, np.ma.masked),
        lambda: ag.where(x, np.ma.masked, 1.0),
        lambda: x + "a",
        lambda: ag.log(x - 2),
        lambda: 1 / (x - 2),
    ]
    for operation in operations:
        usual = outcome(operation)
        with ag.no_grad():
            assert outcome(operation) == usual
        assert "Error: " in usual


def test_no_grad_ends_with_an_error() -> None:
    """Recording goes on after an exception."""
    x = Value(-3.0)
    with pytest.raises(ValueError, match=r"log.*-3\.0"), ag.no_grad():
        ag.log(x)
    assert (x * x).operands == (x, x)


def test_no_grad_decorates_a_function() -> None:
    """It then evaluates without a graph, each time."""

    @ag.no_grad()
    def evaluate(x: Value) -> Value:
        return x * x

    assert [evaluate(Value(3.0)).operands for _ in range(2)] == [(), ()]


def test_no_grad_is_of_its_own_thread() -> None:
    """Another thread records meanwhile."""
    x = Value(3.0)
    inside, done = threading.Event(), threading.Event()
    recorded: list[Value] = []

    def other() -> None:
        inside.wait(10)
        recorded.append(x * x)
        done.set()

    thread = threading.Thread(target=other)
    thread.start()
    with ag.no_grad():
        inside.set()
        assert done.wait(10)
        assert (x * x).operands == ()
    thread.join()
    assert recorded[0].operands == (x, x)


def test_threads_record_at_once() -> None:
    """Over shared leaves; each thread then differentiates a graph of its own."""
    shared = Value(1.0)

    def work(seed: int) -> tuple[float, float, int]:
        own = Value(float(seed))
        y = shared * 0.0
        for i in range(2000):
            y = y + own * i - shared
        twin = Value(float(seed))
        z = (twin * y.data) ** 2
        z.backward()
        return y.data, twin.grad, len(nodes(y))

    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(work, range(1, 17)))
    total = sum(range(2000))
    for seed, (value, gradient, size) in enumerate(results, start=1):
        assert value == seed * total - 2000
        assert gradient == pytest.approx(2 * seed * value**2)
        assert size == 3 + 3 * 2000
    assert not shared.has_grad


# ----- NumPy -----


@pytest.mark.parametrize("kind", [np.float64, np.float32, np.int64, np.int8, np.bool_])
@pytest.mark.parametrize("operation", OPERATORS)
def test_numpy_scalars_beside_a_value(kind: Callable[[Any], Any], operation: Callable[[Any, Any], Any]) -> None:
    """On either side they are numbers, and the result is a Value."""
    v, number = Value(3.0), kind(1)
    left, right = operation(number, v), operation(v, number)
    assert (type(left), type(right)) == (Value, Value)
    assert (left.data, right.data) == (operation(1.0, 3.0), operation(3.0, 1.0))
    assert (left.operands, right.operands) == ((1.0, v), (v, 1.0))


@pytest.mark.parametrize("operation", OPERATORS)
def test_array_beside_a_value(operation: Callable[[Any, Any], Any]) -> None:
    """On either side, an array of Values, elementwise; of integers and in two dimensions too."""
    v = Value(3.0)
    for array in (np.array([1.0, 2.0]), np.array([1, 2]), np.array([[1.0], [2.0]])):
        left, right = operation(array, v), operation(v, array)
        assert left.dtype == right.dtype == object
        assert left.shape == right.shape == array.shape
        assert [element.data for element in left.flat] == [operation(1.0, 3.0), operation(2.0, 3.0)]
        assert [element.operands for element in right.flat] == [(v, 1.0), (v, 2.0)]


def test_array_of_values_beside_a_value() -> None:
    """Broadcast as any other."""
    x, y, z = Value(2.0), Value(3.0), Value(5.0)
    products = np.array([x, y]) * z
    assert [p.operands for p in products] == [(x, z), (y, z)]
    assert [p.operands for p in z - np.array([x, y])] == [(z, x), (z, y)]


UFUNCS = ["exp", "expm1", "log", "log1p", "sqrt", "sin", "cos", "tan", "arcsin", "arccos", "arctan", "sinh", "cosh"]


@pytest.mark.parametrize("name", [*UFUNCS, "tanh", "absolute", "sign"])
def test_ufunc_of_a_value_is_our_primitive(name: str) -> None:
    """By its name: the same node as our function makes."""
    ufunc, primitive = getattr(np, name), getattr(ag, name)
    x = Value(0.5)
    y = ufunc(x)
    assert y.primitive is primitive
    assert y.operands == (x,)
    assert y.data == primitive(0.5) == pytest.approx(ufunc(0.5), rel=1e-15)


def test_ufuncs_of_two_operands() -> None:
    """With numbers, NumPy scalars and Values on either side."""
    x, y = Value(2.0), Value(3.0)
    assert np.maximum(x, 0).primitive is ag.maximum
    assert np.maximum(0, x).operands == (0.0, x)
    assert np.minimum(np.float64(1), x).primitive is ag.minimum
    assert np.power(x, y).primitive is ag.power
    assert np.add(x, y).operands == (x, y)
    assert np.subtract(1, x).data == -1
    assert np.multiply(x, y).data == 6
    assert np.divide(x, 4).data == 0.5
    assert np.negative(x).data == -2
    assert np.less(x, y) is True


def test_extrema_beside_arrays() -> None:
    """NumPy would hand out the larger operand itself: the node that chooses would be missing, and a tie unsplit."""
    x = Value(1.0)
    larger = np.maximum(x, np.array([0.0, 2.0]))
    assert [node.primitive for node in larger] == [ag.maximum, ag.maximum]
    assert [node.data for node in np.minimum(np.array([[0.0], [2.0]]), x).ravel()] == [0, 1]
    total = np.maximum(x, np.array([1.0, 2.0])).sum()
    total.backward()
    assert x.grad == 0.5
    x.data = 3.0
    assert total.forward() == 6


def test_ufunc_without_a_primitive_says_so() -> None:
    """And what there is instead."""
    x = Value(2.0)
    with pytest.raises(TypeError, match=r"np\.arctan2 .*autograd\'s functions.*\.data"):
        np.arctan2(x, 1.0)
    with pytest.raises(TypeError, match=r"np\.exp of a Value takes no where=; write the expression out$"):
        np.exp(x, where=True)
    with pytest.raises(TypeError, match=r"np\.add\.outer takes no Value; write"):
        np.add.outer(x, x)


@pytest.mark.parametrize(("reduction", "ufunc"), [(np.sum, "add"), (np.max, "maximum"), (np.prod, "multiply")])
def test_reductions_of_one_value_say_so(reduction: Callable[[Any], Any], ufunc: str) -> None:
    """No option was given, and none is spoken of; of several Values they work."""
    x = Value(2.0)
    with pytest.raises(TypeError, match=rf"and this is one Value: .* \(np\.{ufunc}\.reduce was called\)$"):
        reduction(x)
    assert isinstance(reduction([x, x]), Value)


def test_object_arrays_of_values() -> None:
    """@, sum, dot, mean, tanh: what one writes for arrays of floats."""
    w = np.array([[Value(1.0), Value(2.0)], [Value(3.0), Value(4.0)]])
    x = np.array([Value(5.0), Value(6.0)])
    z = w @ x
    assert [v.data for v in z] == [17, 39]
    loss = np.tanh(z / 100).sum() + np.dot(x, x) + np.mean(w) + np.sum(w) + np.exp(x * 0).sum()
    loss.backward()
    assert loss.data == pytest.approx(math.tanh(0.17) + math.tanh(0.39) + 61 + 2.5 + 10 + 2)
    slopes = [(1 - math.tanh(t) ** 2) / 100 for t in (0.17, 0.39)]
    assert [v.grad for v in w.flat] == pytest.approx([s * t + 1.25 for s in slopes for t in (5, 6)])
    assert x[0].grad == pytest.approx(slopes[0] * 1 + slopes[1] * 3 + 10)


def test_float_arrays_with_object_arrays() -> None:
    """A data matrix times a vector of weights."""
    data = np.arange(6.0).reshape(3, 2)
    weights = np.array([Value(1.0), Value(-1.0)])
    total = (data @ weights).sum()
    total.backward()
    assert [w.grad for w in weights] == [0 + 2 + 4, 1 + 3 + 5]


# ----- micrograd -----

MICROGRAD_README = """
from micrograd.engine import Value

a = Value(-4.0)
b = Value(2.0)
c = a + b
d = a * b + b**3
c += c + 1
c += 1 + c + (-a)
d += d * 2 + (b + a).relu()
d += 3 * d + (b - a).relu()
e = c - d
f = e**2
g = f / 2.0
g += 10.0 / f
shown = [f'{g.data:.4f}']
g.backward()
shown += [f'{a.grad:.4f}', f'{b.grad:.4f}']
"""

MICROGRAD_TEST = """
from micrograd.engine import Value

x = Value(-4.0)
z = 2 * x + 2 + x
q = z.relu() + z * x
h = (z * z).relu()
y = h + q + q * x
y.backward()
shown = [y.data, x.grad]
"""

LECTURE = """
from micrograd.engine import Value

x1 = Value(2.0, label='x1'); x2 = Value(0.0, label='x2')
w1 = Value(-3.0, label='w1'); w2 = Value(1.0, label='w2')
b = Value(6.8813735870195432, label='b')
x1w1 = x1*w1; x1w1.label = 'x1*w1'
x2w2 = x2*w2; x2w2.label = 'x2*w2'
x1w1x2w2 = x1w1 + x2w2; x1w1x2w2.label = 'x1*w1 + x2*w2'
n = x1w1x2w2 + b; n.label = 'n'
o = n.tanh(); o.label = 'o'
"""

STEP_BY_STEP = """
o.grad = 1.0
o._backward()
n._backward()
b._backward()
x1w1x2w2._backward()
x2w2._backward()
x1w1._backward()
"""

OWN_SORT = """
topo = []
visited = set()
def build_topo(v):
    if v not in visited:
        visited.add(v)
        for child in v._prev:
            build_topo(child)
        topo.append(v)
build_topo(o)
o.grad = 1.0
for node in reversed(topo):
    node._backward()
"""

OWN_DRAWING = """
from graphviz import Digraph

def trace(root):
    nodes, edges = set(), set()
    def build(v):
        if v not in nodes:
            nodes.add(v)
            for child in v._prev:
                edges.add((child, v))
                build(child)
    build(root)
    return nodes, edges

def draw_dot(root):
    dot = Digraph(format='svg', graph_attr={'rankdir': 'LR'})
    nodes, edges = trace(root)
    for n in nodes:
        uid = str(id(n))
        dot.node(name=uid, label="{ %s | data %.4f | grad %.4f }" % (n.label, n.data, n.grad), shape='record')
        if n._op:
            dot.node(name=uid + n._op, label=n._op)
            dot.edge(uid + n._op, uid)
    for n1, n2 in edges:
        dot.edge(str(id(n1)), str(id(n2)) + n2._op)
    return dot
"""


def run(source: str, engine: str = "autograd") -> dict[str, Any]:
    """The names that a program has at its end, its import line changed to that of `engine`."""
    scope: dict[str, Any] = {}
    exec(source.replace("micrograd.engine", engine), scope)  # programs as their authors typed them
    return scope


@pytest.mark.parametrize("engine", ["autograd", "micrograd.engine"])
def test_micrograd_readme_example(engine: str) -> None:
    """The program of its README, with the numbers that stand there."""
    pytest.importorskip(engine)
    assert run(MICROGRAD_README, engine)["shown"] == ["24.7041", "138.8338", "645.5773"]


@pytest.mark.parametrize("engine", ["autograd", "micrograd.engine"])
def test_micrograd_sanity_check(engine: str) -> None:
    """The program of its test, with the numbers that PyTorch gives."""
    pytest.importorskip(engine)
    assert run(MICROGRAD_TEST, engine)["shown"] == [-20, 46]


@pytest.mark.parametrize("backward", ["o.backward()", STEP_BY_STEP, OWN_SORT])
def test_lecture_typed_along(backward: str) -> None:
    """By backward(), by hand one node at a time, and by a student's own topological sort."""
    scope = run(LECTURE + backward)
    gradients = {"x1": -1.5, "w1": 1, "x2": 0.5, "w2": 0, "b": 0.5, "n": 0.5, "x1w1": 0.5, "x2w2": 0.5, "o": 1}
    assert {name: scope[name].grad for name in gradients} == pytest.approx(gradients)


def test_backward_by_hand_adds_to_what_is_there() -> None:
    """_backward() is one step: += on each operand, constants left out, nothing at a leaf."""
    x = Value(3.0)
    y = x * x + 2 * x
    square, double = y.operands
    y.grad = 1.0
    for node in (y, square, double, x):
        node._backward()
    assert x.grad == 8
    double._backward()
    assert x.grad == 10
    assert x._backward() is None


def test_backward_closures_cannot_be_set() -> None:
    """A closure as in micrograd would not be called: the error says how an operation is defined."""
    out = Value(2.0) * 3.0
    with pytest.raises(AttributeError, match=r"^_backward comes of .* autograd.primitive\("):
        out._backward = lambda: None


def test_names_that_micrograd_code_reads() -> None:
    """_prev has the operands that are Values, in order; _op is a string, empty for a leaf."""
    x, y = Value(2.0), Value(3.0)
    assert x._prev == ()
    assert (y - x)._prev == (y, x)
    assert (x * x)._prev == (x, x)
    assert (1 - x)._prev == (x,)
    assert ag.dot([x, 1], [2, y], x)._prev == (x, y, x)
    assert x._op == ""
    assert [v._op for v in (x + y, x - y, x * y, x / y, x**2, -x)] == ["+", "-", "*", "/", "**", "-"]
    assert [v._op for v in (x.relu(), x.tanh(), x.exp())] == ["relu", "tanh", "exp"]


def test_drawing_of_ones_own() -> None:
    """A draw_dot typed along with the lecture, on a differentiated graph."""
    scope = run(LECTURE + "o.backward()\n" + OWN_DRAWING + "dot = draw_dot(o)")
    source = scope["dot"].source
    assert "{ o | data 0.7071 | grad 1.0000 }" in source
    assert "{ x1 | data 2.0000 | grad -1.5000 }" in source
    assert source.count("->") == 9 + 5  # an arrow per operand and one from each operation to its result
    assert source.count("label=tanh") == 1


def trained(engine: str) -> tuple[list[float], list[float]]:
    """Losses and parameters of micrograd's own MLP on this engine, by the loop of its demo."""
    nn = run(inspect.getsource(pytest.importorskip("micrograd.nn")), engine)
    random.seed(1337)
    model = nn["MLP"](2, [4, 4, 1])
    points = [(1.0, 0.5), (-0.5, 1.0), (0.3, -1.2), (-1.0, -0.4)]
    signs = np.array([1, -1, 1, -1])
    losses = []
    for step in range(5):
        scores = [model(list(map(nn["Value"], point))) for point in points]
        margins = [(1 + -sign * score).relu() for sign, score in zip(signs, scores, strict=True)]
        loss = sum(margins) * (1.0 / len(margins)) + 1e-4 * sum(p * p for p in model.parameters())
        model.zero_grad()
        loss.backward()
        for p in model.parameters():
            p.data -= (1.0 - 0.1 * step) * p.grad
        losses.append(loss.data)
    return losses, [p.data for p in model.parameters()]


def test_micrograd_network_trains_the_same() -> None:
    """Its nn.py and its demo on our engine: the same losses and the same weights."""
    losses, weights = trained("autograd")
    expected_losses, expected_weights = trained("micrograd.engine")
    assert losses == pytest.approx(expected_losses, rel=1e-12)
    assert weights == pytest.approx(expected_weights, rel=1e-12)
    assert losses[-1] < losses[0]


@pytest.mark.parametrize("symbol", ["+", "-", "*", "/"])
@pytest.mark.parametrize("number", [2, 0.5, np.float64(0.5)])
def test_updates_in_place_of_a_leaf_are_refused(symbol: str, number: Any) -> None:
    """Once it has a gradient: the error tells the update of the leaf from the new node that was perhaps meant."""
    update = {"+": operator.iadd, "-": operator.isub, "*": operator.imul, "/": operator.itruediv}[symbol]
    x = Value(3.0)
    assert update(x, number).operands == (x, float(number))  # nothing has been computed that it could be meant to use
    x.backward()
    told = rf"write \.data \{symbol}= \.\.\.; for a new node, write total = total \{symbol} \.\.\.$"
    with pytest.raises(TypeError, match=told):
        update(x, number)
    assert update(x, Value(2.0)).operands[0] is x
    assert update(x * 1.0, number).data == update(3.0, float(number))


def test_accumulating_in_a_loop() -> None:
    """`total += term` makes a new node each time, and starts from a leaf or a number."""
    x = Value(3.0)
    for total in (Value(0.0), 0.0):
        start = total
        for i in range(3):
            total += i * x
        total.backward()
        assert total.data == 9
        if isinstance(start, Value):
            assert start.data == 0
    assert x.grad == 6


# ----- Random graphs -----

# A program is a list of instructions; each adds a node to the pool that starts with the leaves. Domains are kept by
# operands that cannot leave them: a*a + 0.5 is positive, tanh(a) is between -1 and 1.
BINARY: dict[str, Callable[[Any, Any, Any], Any]] = {
    "add": lambda m, a, b: a + b,
    "subtract": lambda m, a, b: a - b,
    "multiply": lambda m, a, b: a * b,
    "divide": lambda m, a, b: a / (b * b + 0.5),
    "power": lambda m, a, b: (a * a + 0.5) ** b,
    "sum": lambda m, a, b: m.sum([a, b, a]),
    "mean": lambda m, a, b: m.mean([b, a, 1.0, b]),
    "dot": lambda m, a, b: m.dot([a, b, 2.0], [b, b, a], a),
    "logsumexp": lambda m, a, b: m.logsumexp([a, b, a]),
}
UNARY: dict[str, Callable[[Any, Any], Any]] = {
    "negative": lambda m, a: -a,
    "square": lambda m, a: a**2,
    "cube": lambda m, a: a**3.0,
    "reciprocal": lambda m, a: 1 / (a * a + 0.5),
    "exp": lambda m, a: m.exp(m.tanh(a)),
    "expm1": lambda m, a: m.expm1(m.tanh(a)),
    "log": lambda m, a: m.log(a * a + 0.5),
    "log1p": lambda m, a: m.log1p(a * a),
    "sqrt": lambda m, a: m.sqrt(a * a + 0.5),
    "sin": lambda m, a: m.sin(a),
    "cos": lambda m, a: m.cos(a),
    "tan": lambda m, a: m.tan(m.sin(a)),
    "arcsin": lambda m, a: m.arcsin(0.9 * m.tanh(a)),
    "arccos": lambda m, a: m.arccos(0.9 * m.tanh(a)),
    "arctan": lambda m, a: m.arctan(a),
    "sinh": lambda m, a: m.sinh(m.tanh(a)),
    "cosh": lambda m, a: m.cosh(m.tanh(a)),
    "tanh": lambda m, a: m.tanh(a),
    "sigmoid": lambda m, a: m.sigmoid(a),
    "softplus": lambda m, a: m.softplus(a),
    "silu": lambda m, a: m.silu(a),
}

Instruction = tuple[str, int, int, "float | None", bool]
Program = list[Instruction]

CONSTANTS = st.sampled_from([-2.0, -0.5, 0.0, 0.25, 1.0, 3.0])
INSTRUCTIONS = st.tuples(
    st.sampled_from([*BINARY, *UNARY]), st.integers(0, 30), st.integers(0, 30), st.none() | CONSTANTS, st.booleans()
)
PROGRAMS = st.lists(INSTRUCTIONS, min_size=1, max_size=12)
LEAVES = st.lists(st.floats(-1.5, 1.5).map(lambda x: round(x, 3)), min_size=1, max_size=3)


def execute(program: Program, leaves: Sequence[Any], m: Any) -> Any:
    """Run the program on Values, tensors or mpmath's numbers; `m` has the functions for them."""
    pool = list(leaves)
    for name, i, j, constant, constant_first in program:
        a, b = pool[-1 - i % len(pool)], pool[-1 - j % len(pool)]
        if name in UNARY:
            pool.append(UNARY[name](m, a))
        elif constant is None:
            pool.append(BINARY[name](m, a, b))
        else:
            pool.append(BINARY[name](m, constant, b) if constant_first else BINARY[name](m, a, constant))
    return pool[-1]


def record(program: Program, leaves: Sequence[float | Value]) -> Value:
    """The graph of the program; programs that leave the floats are left out."""
    try:
        root = execute(program, [leaf if isinstance(leaf, Value) else Value(leaf) for leaf in leaves], ag)
    except (OverflowError, ZeroDivisionError):
        assume(False)
        raise
    assert isinstance(root, Value)
    return root


def differentiated(program: Program, numbers: Sequence[float]) -> tuple[Value, list[Value]]:
    """The graph after a pass, and its leaves; programs that grow beyond what can be compared are left out."""
    leaves = [Value(number) for number in numbers]
    root = record(program, leaves)
    root.backward()
    assume(all(abs(node.data) < 100 and abs(node.grad) < 1000 for node in nodes(root)))
    return root, leaves


def _sum(values: Sequence[Any]) -> Any:
    total = values[0]
    for value in values[1:]:
        total = total + value
    return total


def functions_of(m: Any, **others: Any) -> SimpleNamespace:
    """The functions of a library under our names, those that it lacks composed of what it has."""
    names = {"arcsin": "asin", "arccos": "acos", "arctan": "atan"}
    given = ("exp", "expm1", "log", "sqrt", "sin", "cos", "tan", "arcsin", "arccos", "arctan", "sinh", "cosh", "tanh")
    return SimpleNamespace(
        **{name: getattr(m, names.get(name, name)) for name in given},
        log1p=lambda x: m.log(1 + x),
        sigmoid=lambda x: 1 / (1 + m.exp(-x)),
        softplus=lambda x: m.log(1 + m.exp(x)),
        silu=lambda x: x / (1 + m.exp(-x)),
        sum=_sum,
        mean=lambda values: _sum(values) / len(values),
        dot=lambda weights, inputs, bias: _sum([w * x for w, x in zip(weights, inputs, strict=True)]) + bias,
        logsumexp=lambda values: m.log(_sum([others.get("exp", m.exp)(value) for value in values])),
    )


@given(PROGRAMS, LEAVES)
@settings(max_examples=150, deadline=None, derandomize=True)
def test_gradients_of_random_graphs_are_central_differences(program: Program, numbers: list[float]) -> None:
    """In 60 digits with a step of 1e-20, so that all digits of a double count."""
    root, leaves = differentiated(program, numbers)
    m = functions_of(mpmath)
    with mpmath.workdps(60):
        h = mpmath.mpf(10) ** -20
        exact = [mpmath.mpf(number) for number in numbers]
        assert root.data == pytest.approx(float(execute(program, exact, m)), rel=1e-10, abs=1e-10)
        for place, leaf in enumerate(leaves):
            above, below = ([x + step * (i == place) for i, x in enumerate(exact)] for step in (h, -h))
            slope = (execute(program, above, m) - execute(program, below, m)) / (2 * h)
            assert leaf.grad == pytest.approx(float(slope), rel=1e-9, abs=1e-9)


@given(PROGRAMS, LEAVES)
@settings(max_examples=150, deadline=None, derandomize=True)
def test_gradients_of_random_graphs_are_those_of_pytorch(program: Program, numbers: list[float]) -> None:
    """In double precision, recorded by the same program."""
    torch = pytest.importorskip("torch")
    root, leaves = differentiated(program, numbers)
    tensors = [torch.tensor(number, dtype=torch.float64, requires_grad=True) for number in numbers]
    m = functions_of(torch, exp=lambda x: torch.exp(torch.as_tensor(x, dtype=torch.float64)))
    result = execute(program, tensors, m)
    result.backward()
    assert root.data == pytest.approx(result.item(), rel=1e-10, abs=1e-10)
    for leaf, tensor in zip(leaves, tensors, strict=True):
        expected = 0.0 if tensor.grad is None else tensor.grad.item()
        assert leaf.grad == pytest.approx(expected, rel=1e-9, abs=1e-9)
        assert leaf.has_grad == (tensor.grad is not None)


@given(PROGRAMS, LEAVES, st.sampled_from([1.0, -0.3, 7.0]))
@settings(max_examples=100, deadline=None, derandomize=True)
def test_second_pass_over_a_random_graph_is_exactly_double(program: Program, numbers: list[float], seed: float) -> None:
    """To the last bit, whatever the seed, and the results hold one pass."""
    root, _ = differentiated(program, numbers)
    root.zero_grad()
    root.backward(seed)
    first = {node: node.grad for node in nodes(root)}
    root.backward(seed)
    for node, grad in first.items():
        assert node.grad == (grad if node.operands else 2 * grad)


@given(PROGRAMS, LEAVES)
@settings(max_examples=100, deadline=None, derandomize=True)
def test_order_of_a_random_graph_is_the_recursive_one(program: Program, numbers: list[float]) -> None:
    """Node by node."""
    root = record(program, numbers)
    assert nodes(root) == recursive_order(root)


@given(PROGRAMS, LEAVES)
@settings(max_examples=100, deadline=None, derandomize=True)
def test_backward_goes_through_that_order_in_reverse(program: Program, numbers: list[float]) -> None:
    """What backward() sweeps are the results among nodes(root), as a table lists them."""
    root = record(program, numbers)
    assert swept(root) == [node for node in nodes(root) if node.operands]


def test_backward_takes_many_operands_in_order_too() -> None:
    """A sum, and a dot whose operands are results that nothing else has led to."""
    x = Value(2.0)
    a, b, c, d = x * 2, x * 3, x * 4, x * 5
    for root in (ag.sum([a, b, c, d]), ag.dot([c, a], [1.0, d], b)):
        assert swept(root) == [node for node in root.operands if isinstance(node, Value)] + [root]


def swept(root: Value) -> list[Value]:
    """What backward() hands to the sweep."""
    order: list[Value] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("autograd.value.sweep", order.extend)
        root.backward()
    return order


@given(PROGRAMS, LEAVES, LEAVES)
@settings(max_examples=100, deadline=None, derandomize=True)
def test_forward_of_a_random_graph_is_recording_it_anew(
    program: Program, numbers: list[float], others: list[float]
) -> None:
    """The same numbers and the same local derivatives, to the last bit."""
    others = [*others, *numbers][: len(numbers)]
    leaves = [Value(number) for number in numbers]
    root, fresh = record(program, leaves), record(program, others)
    for leaf, number in zip(leaves, others, strict=True):
        leaf.data = number
    root.forward()
    for old, new in zip(nodes(root), nodes(fresh), strict=True):
        assert same(old.data, new.data)
        assert repr(old.local_derivatives) == repr(new.local_derivatives)


# ----- Deep and wide graphs -----


@pytest.fixture
def no_collector() -> Iterator[None]:
    """Switch the cyclic collector off, with nothing left to collect."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def living() -> int:
    """How many Values there are."""
    return sum(issubclass(type(thing), Value) for thing in gc.get_objects())


@pytest.mark.usefixtures("no_collector")
def test_chain_of_a_million_nodes() -> None:
    """It records, differentiates, and is gone when dropped: by reference count, with nothing for the collector."""
    x = Value(1.0)
    before, references = living(), sys.getrefcount(x)
    y = x
    for _ in range(500_000):
        y = -(y * 1.0)
    y.backward()
    assert len(nodes(y)) == 1_000_001
    assert (y.data, x.grad) == (1, 1)
    del y
    assert living() == before
    assert sys.getrefcount(x) == references
    assert gc.collect() == 0


@pytest.mark.usefixtures("no_collector")
def test_every_kind_of_graph_is_freed_by_reference_count() -> None:
    """After two passes, forward, a table, a drawing, a copy, an expansion and an error."""
    before = living()
    x, y = Value(0.5, "x"), Value(2.0, "y")
    z = ag.dot([x, y], [y, 1.0], x) + ag.where(x, ag.sigmoid(x), y) * ag.sum([x, y, 3.0]) - ag.log(y)
    z.backward()
    z.backward()
    z.forward()
    assert "leaf" in str(ag.table(z))
    assert "digraph" in ag.draw(z).dot
    assert len(copy.deepcopy(z).operands) == len(ag.expand(z).operands) == 2
    y.data = -1.0
    with pytest.raises(ValueError, match="log") as caught:
        z.forward()
    del caught
    del x, y, z
    assert living() == before


def test_a_hundred_thousand_consumers_of_one_node() -> None:
    """Their gradients add up in it, under one sum and under a chain of them."""
    x = Value(2.0)
    y = x * 3
    consumers = [y * 1.0 for _ in range(100_000)]
    for total in (ag.sum(consumers), sum(consumers)):
        x.zero_grad()
        total.backward()
        assert (total.data, y.grad, x.grad) == (600_000, 100_000, 300_000)


def test_everything_else_walks_deep_graphs_too() -> None:
    """forward, zero_grad and expand of a chain of 10,000 activations, deeper than Python's stack."""
    x = Value(0.5)
    y = x
    for _ in range(10_000):
        y = y.relu() - 0.0
    fine = ag.expand(y)
    x.data = 0.25
    assert y.forward() == fine.forward() == 0.25
    y.backward()
    assert x.grad == 1
    y.zero_grad()
    assert not any(node.has_grad for node in nodes(y))
    x.data = -1.0
    y.forward()
    y.backward()
    assert x.grad == 0


def test_collector_settings_are_left_alone() -> None:
    """By the import, and by all that follows."""
    code = (
        "import gc; gc.set_threshold(123, 4, 5); before = gc.get_threshold(), gc.isenabled(), gc.get_debug(), "
        "gc.get_freeze_count(), len(gc.callbacks)\n"
        "import autograd as ag; x = ag.Value(2.0); y = ag.sum([x * x] * 1000); y.backward(); y.forward()\n"
        "after = gc.get_threshold(), gc.isenabled(), gc.get_debug(), gc.get_freeze_count(), len(gc.callbacks)\n"
        "print(before == after)"
    )
    package = Path(ag.__file__).parents[1]
    result = subprocess.run([sys.executable, "-c", code], cwd=package, capture_output=True, text=True, check=True)
    assert result.stdout == "True\n"
