"""Traps that users of other engines met, found by running those engines: each is a test that ours does the right thing.

trap (engine)                                                       test
------------------------------------------------------------------  ----------------------------------------------------
a second backward() counts results twice: 27, then 45 (micrograd)   test_second_backward_does_not_count_results_twice
data changed before backward() changes the gradient (micrograd)     test_data_set_before_backward_does_not_change_it
`p -= lr * p.grad` on a loop variable does nothing (micrograd)      test_update_that_rebinds_a_parameter_is_not_silent
values and models cannot be pickled (micrograd)                     test_graph_and_model_can_be_pickled
a deep copy hands its gradients to nobody (micrograd)               test_deep_copy_differentiates_to_its_own_leaves
a root of a negative number is complex (micrograd)                  test_root_of_a_negative_number_is_an_error
Value('a') is accepted (micrograd)                                  test_text_is_refused
Value * array is one Value that holds an array (micrograd)          test_value_times_array_is_an_array_of_values
relu(-1) is the int 0 (micrograd)                                   test_relu_of_a_negative_number_is_a_float
the gradient of relu(nan) is 0 and hides the nan (micrograd)        test_relu_of_nan_has_gradient_nan
relu(-1) * inf has gradient nan (micrograd)                         test_closed_relu_times_infinity_follows_ieee
ints are refused (HIPS autograd)                                    test_whole_numbers_are_accepted
abs, <, max, 2**v, v**np.int64(2) are missing (micrograd)           test_operations_that_were_missing
float(v), math.exp(v) fail without advice (micrograd)               test_conversions_that_lose_the_graph_give_advice
bool(Value(0.0)) is True (micrograd)                                test_zero_is_false
a - b is three nodes, a / b two (micrograd)                         test_difference_and_quotient_are_one_node_each
sum([...]) adds a node for the constant 0 (micrograd)               test_sum_adds_no_node_for_its_start
x * x has one operand and one edge (micrograd)                      test_repeated_operand_is_two_edges
the drawing differs from process to process (micrograd)             test_drawing_is_the_same_bytes_in_every_process
a*b + a - b is drawn 1386 points wide (micrograd)                   test_small_graph_is_drawn_small
RecursionError after about 1000 operations (micrograd)              test_chain_of_5000_operations_needs_no_recursion
dropping a graph leaves 1003 objects to the collector (micrograd)   test_dropped_graph_leaves_nothing_to_the_collector
100,000 operations, as HIPS autograd, XAD and CasADi manage         test_chain_of_100000_operations
1 / Value(0.0) fails without saying where (micrograd)               test_division_by_zero_names_the_operand
(x**0.5).backward() at 0 raises (micrograd)                         test_root_at_zero_has_an_infinite_gradient
sqrt(x)**2 at 0 raises (HIPS autograd)                              test_square_of_a_root_at_zero_is_recorded
d abs(x) at 0 (0 in HIPS autograd, CasADi, XAD)                     test_slope_of_abs_at_zero_is_zero
d max(x, 0) at 0 (0.5 in HIPS autograd, CasADi)                     test_tie_in_maximum_splits_evenly
d relu(x) at 0 (0 in micrograd)                                     test_slope_of_relu_at_zero_is_zero

How long an operation takes, and how long a graph takes to be freed, is measured in benchmarks/ and asserted nowhere.
"""

from __future__ import annotations

import copy
import gc
import math
import os
import pickle
import re
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

import autograd as ag
import nn
from autograd import Value, nodes

# ----- Gradients -----


def test_second_backward_does_not_count_results_twice() -> None:
    """In micrograd a result keeps its gradient from the pass before, so that 27 becomes 45 though x was reset."""
    x = Value(3.0)
    y = x * x
    z = y * x
    z.backward()
    assert x.grad == 27
    x.grad = 0
    z.backward()
    assert (x.grad, y.grad, z.grad) == (27, 3, 1)
    z.backward()
    assert (x.grad, y.grad, z.grad) == (54, 3, 1)


def test_data_set_before_backward_does_not_change_it() -> None:
    """In micrograd the gradient mixes old and new numbers: 100 where the recorded product has slope 3."""
    x, w = Value(2.0), Value(3.0)
    y = x * w
    w.data = 100
    y.backward()
    assert (x.grad, w.grad) == (3, 2)


def test_update_that_rebinds_a_parameter_is_not_silent() -> None:
    """`p -= step` makes p a new node and leaves the parameter as it was; an error or a warning must say so."""
    parameter = Value(1.0, "w")
    (parameter * 3).backward()
    with pytest.raises((TypeError, RuntimeError, Warning), match=r"\.data"):
        for p in [parameter]:
            p -= 0.1 * p.grad  # the mistake that is tested
    parameter.data -= 0.1 * parameter.grad
    assert parameter.data == pytest.approx(0.7)


# ----- Copies -----


def test_graph_and_model_can_be_pickled() -> None:
    """In micrograd every node holds a function of its own, which pickle refuses."""
    model = nn.MLP(2, [3, 1], seed=1)
    output = model([1.0, -2.0])
    loaded_model, loaded_output = pickle.loads(pickle.dumps((model, output)))
    loaded_output.backward()
    output.backward()
    assert any(p.grad for p in model.parameters())
    assert [p.grad for p in loaded_model.parameters()] == [p.grad for p in model.parameters()]
    assert loaded_output.data == output.data


def test_deep_copy_differentiates_to_its_own_leaves() -> None:
    """In micrograd backward() of a deep copy leaves 0 in the old leaves and in the new ones, without a word."""
    x = Value(3.0)
    y = x * x
    twin_y, twin_x = copy.deepcopy((y, x))
    twin_y.backward()
    assert twin_x.grad == 6
    assert not x.has_grad
    assert not y.has_grad


# ----- Numbers -----


def test_root_of_a_negative_number_is_an_error() -> None:
    """In micrograd Value(-8.0) ** (1/3) holds a complex number."""
    with pytest.raises(ValueError, match=r"power.*-8\.0"):
        Value(-8.0) ** (1 / 3)


@pytest.mark.parametrize("text", ["a", "3.0", b"3"])
def test_text_is_refused(text: str) -> None:
    """Micrograd takes any object as data; it fails later and elsewhere."""
    with pytest.raises(TypeError, match="real number"):
        Value(text)


def test_value_times_array_is_an_array_of_values() -> None:
    """In micrograd Value(3) * array is a single Value that holds the array."""
    v = Value(3)
    for product in (v * np.array([1, 2]), np.array([1, 2]) * v):
        assert isinstance(product, np.ndarray)
        assert [element.data for element in product] == [3, 6]
        assert [type(element.data) for element in product] == [float, float]


def test_relu_of_a_negative_number_is_a_float() -> None:
    """In micrograd Value(-1.0).relu() holds the int 0."""
    data = Value(-1.0).relu().data
    assert data == 0
    assert type(data) is float


def test_relu_of_nan_has_gradient_nan() -> None:
    """In micrograd relu(nan) is nan and its gradient is 0, so that the optimiser sees nothing wrong."""
    x = Value(math.nan)
    y = x.relu()
    y.backward()
    assert math.isnan(y.data)
    assert math.isnan(x.grad)


def test_closed_relu_times_infinity_follows_ieee() -> None:
    """0 * inf is nan, forward and backward: decided so, as in PyTorch, and never turned into a 0 that hides it."""
    x = Value(-1.0)
    y = x.relu() * math.inf
    y.backward()
    assert math.isnan(y.data)
    assert math.isnan(x.grad)


@pytest.mark.parametrize("number", [3, True, Fraction(1, 3), np.int64(3), np.float32(0.5), np.bool_(True)])
def test_whole_numbers_are_accepted(number: float) -> None:
    """HIPS autograd refuses grad(f)(3); here all real numbers become floats."""
    x = Value(number)
    y = x * x
    y.backward()
    assert type(x.data) is float
    assert x.grad == 2 * float(number)


# ----- Operations -----


def test_operations_that_were_missing() -> None:
    """Micrograd has no abs, no comparison, no max, no number ** Value and no Value ** NumPy integer."""
    v, w = Value(-2.0), Value(3.0)
    assert abs(v).data == 2
    assert v < w
    assert max(v, w) is w
    assert (2**w).data == 8
    assert (v ** np.int64(2)).data == 4
    assert (w**w).data == 27


def test_conversions_that_lose_the_graph_give_advice() -> None:
    """Micrograd's float(v) and math.exp(v) fail with Python's words; here the error says what to write."""
    v = Value(1.0)
    for convert in (float, math.exp, math.tanh):
        with pytest.raises(TypeError, match=r"autograd\.exp\(v\).*v\.data"):
            convert(v)


def test_zero_is_false() -> None:
    """In micrograd bool(Value(0.0)) is True, since every object is."""
    assert not Value(0.0)
    assert not Value(-0.0)
    assert Value(-1e-300)


def test_difference_and_quotient_are_one_node_each() -> None:
    """Micrograd records a - b as a + (b * -1) and a / b as a * b**-1: nodes that nobody typed."""
    a, b = Value(6.0), Value(3.0)
    cases = ((a - b, 3, (1, -1)), (a / b, 2, (1 / 3, -2 / 3)), (3 - b, 0, (0, -1)), (6 / b, 2, (0, -2 / 3)))
    for y, value, gradients in cases:
        a.grad = b.grad = 0.0
        y.backward()
        assert [node for node in nodes(y) if node.operands] == [y]
        assert y.data == value
        assert (a.grad, b.grad) == pytest.approx(gradients)


def test_sum_adds_no_node_for_its_start() -> None:
    """In micrograd sum([...]) has a leaf for the constant 0 that it starts with; ours is one node, or a chain typed."""
    terms = [Value(1.0), Value(2.0), Value(3.0)]
    total = ag.sum(terms)
    assert nodes(total) == [*terms, total]
    chain = sum(terms)
    assert isinstance(chain, Value)
    assert [node for node in nodes(chain) if not node.operands] == terms
    assert len(nodes(chain)) == 6  # three leaves and the three additions that sum() does, the first of them to 0


# ----- Drawings -----


def test_repeated_operand_is_two_edges() -> None:
    """In micrograd the operands are a set, so x * x has one of them and is drawn with one edge."""
    x = Value(3.0, "x")
    y = x * x
    assert y.operands == (x, x)
    assert y._prev == (x, x)
    drawing = ag.draw(y)
    assert len(re.findall(r"n0 -> n1", drawing.dot)) == 2
    assert len(re.findall(r'<g id="[^"]*" class="edge', drawing.svg)) == 2


DRAWN_ELSEWHERE = """
import autograd as ag
a, b = ag.Value(2.0, "a"), ag.Value(3.0)
c = a * b; d = c + a; e = (c * d + ag.dot([a, b], [c, 1.0], d)) ** 2 - ag.where(a, b, c)
e.backward()
print(ag.draw(e, edges=True).dot, ag.draw(e).svg, ag.table(e))
"""


def test_drawing_is_the_same_bytes_in_every_process() -> None:
    """In micrograd two runs of one program draw different text and layouts, since sets are ordered by hash."""
    package = str(Path(ag.__file__).parents[1])
    running = [
        subprocess.Popen(
            [sys.executable, "-c", DRAWN_ELSEWHERE],
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": package, "PYTHONIOENCODING": "utf-8"},
        )
        for seed in ("0", "1", "4242")
    ]
    first, *others = [process.communicate(timeout=60)[0] for process in running]
    assert [process.returncode for process in running] == [0, 0, 0]
    assert b"digraph" in first
    assert b"<svg" in first
    assert others == [first, first]


def test_small_graph_is_drawn_small() -> None:
    """Micrograd draws a*b + a - b 1386 points wide; half of that is enough, and it shrinks with its page."""
    a, b = Value(2.0, "a"), Value(3.0, "b")
    svg = ag.draw(a * b + a - b).svg
    width = re.search(r'<svg [^>]*width="([\d.]+)"', svg)
    assert width is not None
    assert float(width[1]) < 1386 / 2
    assert "viewBox" in svg
    assert "max-width: 100%" in svg


# ----- Size and memory -----


def _chain(length: int) -> tuple[Value, Value]:
    x = Value(0.5)
    y = x
    for _ in range(length // 2):
        y = -(y * 1.0)
    return x, y


def test_chain_of_5000_operations_needs_no_recursion() -> None:
    """Micrograd's sort is recursive, and fails between 900 and 1000 operations in a chain."""
    assert sys.getrecursionlimit() < 5000
    x, y = _chain(5000)
    y.backward()
    assert x.grad == 1


def test_dropped_graph_leaves_nothing_to_the_collector() -> None:
    """In micrograd node and function hold each other: a dropped graph of 100 operations leaves 1003 objects."""
    gc.collect()
    gc.disable()
    try:
        x, y = _chain(100)
        y.backward()
        del x, y
        assert gc.collect() == 0
    finally:
        gc.enable()


def test_chain_of_100000_operations() -> None:
    """HIPS autograd, XAD and CasADi differentiate a chain of 100,000 operations, and so do we."""
    x, y = _chain(100_000)
    y.backward()
    assert len(nodes(y)) == 100_001
    assert x.grad == 1


# ----- Boundaries and kinks -----


def test_division_by_zero_names_the_operand() -> None:
    """Micrograd's 1 / Value(0.0) fails in a power that nobody typed; here the error names the division and label."""
    with pytest.raises(ZeroDivisionError, match=r"divide.*y = 0\.0 \(labelled 'd'\)"):
        1 / Value(0.0, "d")


def test_root_at_zero_has_an_infinite_gradient() -> None:
    """In micrograd (x**0.5).backward() raises ZeroDivisionError at 0; the slope is inf there, as PyTorch has it."""
    for root in (lambda x: x**0.5, ag.sqrt):
        x = Value(0.0)
        y = root(x)
        y.backward()
        assert y.data == 0
        assert x.grad == math.inf


def test_square_of_a_root_at_zero_is_recorded() -> None:
    """HIPS autograd raises at sqrt(0)**2; here the value is 0, and 0 * inf makes the gradient nan as in PyTorch."""
    x = Value(0.0)
    y = ag.sqrt(x) ** 2
    y.backward()
    assert y.data == 0
    assert math.isnan(x.grad)


def test_slope_of_abs_at_zero_is_zero() -> None:
    """HIPS autograd, CasADi and XAD agree on d|x| = 0 at 0, and so do we, for both zeros."""
    for zero in (0.0, -0.0):
        x = Value(zero)
        abs(x).backward()
        assert x.grad == 0
        assert x.has_grad


def test_tie_in_maximum_splits_evenly() -> None:
    """HIPS autograd and CasADi give d max(x, 0) = 0.5 at 0; a tie splits the gradient evenly here too."""
    x, y = Value(0.0), Value(0.0)
    ag.maximum(x, 0).backward()
    assert x.grad == 0.5
    x.zero_grad()
    ag.maximum(x, y).backward()
    assert (x.grad, y.grad) == (0.5, 0.5)
    x.zero_grad()
    ag.minimum(x, 0).backward()
    assert x.grad == 0.5


def test_slope_of_relu_at_zero_is_zero() -> None:
    """Micrograd's relu passes nothing at 0, and neither does ours."""
    x = Value(0.0)
    x.relu().backward()
    assert x.grad == 0
    assert x.has_grad
