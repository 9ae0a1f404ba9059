"""Functions of lists: what they record, that the quick way of `dot` is the table's, stable softmax, bad input."""

from __future__ import annotations

import math
from typing import Any

import numpy
import pytest

import autograd as ag
from autograd import Value, rules

w1, w2, x1, x2, b = (Value(number) for number in (0.5, -1.25, 3.0, -0.75, 0.125))
HUGE, TINY, INF, NAN = Value(1e308), Value(5e-324), Value(math.inf), Value(math.nan)

DOTS: list[tuple[list[Any], list[Any], Any]] = [
    ([w1, w2], [x1, x2], b),
    ([w1, w2], [3.0, -0.75], b),
    ([w1, w2], [3, True], b),
    ([w1, 2.0], [x1, x2], b),
    ([w1, w2], [x1, -0.75], b),
    ([w1, w2], [x1, -0.75], 1.5),
    ([w1, w2], [x1, numpy.float64(-0.75)], b),
    ([w1, w2], [numpy.float64(3.0), numpy.float64(-0.75)], b),
    ([w1, w2], [x1, x2], 0.0),
    ([w1, w2], [3.0, -0.75], 1.5),
    ([1.0, 2.0], [x1, x2], 1),
    ([w1, w1], [w1, w1], w1),
    ([HUGE, TINY], [x1, INF], NAN),
    ([HUGE, TINY], [10.0, -0.0], b),
    ([], [], b),
]


def same(x: float | None, y: float | None) -> bool:
    """Equal in every bit that counts: nan equals nan, and -0.0 is not 0.0."""
    return repr(x) == repr(y)


@pytest.mark.parametrize(("weights", "inputs", "bias"), DOTS)
def test_dot_written_out_equals_the_table(weights: list[Any], inputs: list[Any], bias: Any) -> None:
    """Number, operands, local derivatives and gradients are those of the primitive in the table."""
    quick = ag.dot(weights, inputs, bias)
    tabled = next(x for x in [*weights, *inputs, bias] if isinstance(x, Value))._record(
        rules.dot, (*weights, *inputs, bias)
    )
    assert quick.primitive is tabled.primitive is rules.dot
    assert same(quick.data, tabled.data)
    assert len(quick.operands) == len(tabled.operands)
    assert all(x is y or (type(x) is type(y) is float and same(x, y)) for x, y in zip(quick.operands, tabled.operands))
    assert all(map(same, quick.local_derivatives, tabled.local_derivatives))
    assert all(type(partial) is float for partial in quick.local_derivatives if partial is not None)
    gradients = []
    for node in (quick, tabled):
        node.zero_grad()
        node.backward()
        gradients.append([leaf.grad for leaf in (w1, w2, x1, x2, b, HUGE, TINY, INF, NAN)])
    assert all(map(same, *gradients))


def test_dot_of_numbers_is_a_number() -> None:
    """Nothing is recorded where there is nothing to differentiate."""
    assert ag.dot([1, 2.0], [3, 4.0], 0.5) == 11.5
    assert type(ag.dot([1], [2])) is float
    assert ag.dot([], []) == 0.0


@pytest.mark.parametrize(("weights", "inputs"), [([w1], [x1, x2]), ([], [1.0]), ([w1, w2], [])])
def test_dot_of_unequal_lengths(weights: list[Any], inputs: list[Any]) -> None:
    """The error counts both."""
    with pytest.raises(ValueError, match=f"{len(weights)} weights and {len(inputs)} inputs"):
        ag.dot(weights, inputs)


@pytest.mark.parametrize("bad", ["1", None, 1j, [1.0]])
def test_operands_that_are_no_numbers(bad: Any) -> None:
    """In any place, also beside Values, they are a TypeError that says so."""
    for arguments in (([w1, bad], [x1, x2], b), ([w1, w2], [bad, 1.0], b), ([w1, w2], [1.0, 2.0], bad)):
        with pytest.raises(TypeError, match="dot takes a real number"):
            ag.dot(*arguments)
    for function in (ag.sum, ag.mean, ag.logsumexp, ag.softmax, ag.log_softmax):
        with pytest.raises(TypeError, match=f"{function.__name__} takes a real number"):
            function([w1, bad])


@pytest.mark.parametrize("inputs", [[x1, x2], [1.5, -2.0], [x1, -2.0], [numpy.float64(1.5), x2], [1, x2]])
@pytest.mark.parametrize("bias", [b, 0.25, 1, numpy.float64(0.5)])
def test_no_grad_records_no_dot(inputs: list[Any], bias: Any) -> None:
    """The number is that of a recorded one, to the last bit."""
    for weights in ([w1, w2], [w1, 2.0]):
        recorded = ag.dot(weights, inputs, bias)
        with ag.no_grad():
            found = ag.dot(weights, inputs, bias)
        assert (found.operands, found.primitive, found.label, found.has_grad) == ((), None, "", False)
        assert found.data == recorded.data


@pytest.mark.parametrize("function", [ag.mean, ag.logsumexp, ag.softmax, ag.log_softmax])
def test_functions_of_nothing(function: Any) -> None:
    """They have no value; the sum of nothing is 0."""
    with pytest.raises(ValueError, match=f"^{function.__name__} needs at least one value"):
        function([])
    assert ag.sum([]) == 0.0


@pytest.mark.parametrize("function", [ag.sum, ag.mean, ag.logsumexp, ag.softmax, ag.log_softmax])
def test_functions_of_no_list(function: Any) -> None:
    """The error names the function that was called, and shows a call."""
    name = function.__name__
    for given, told in ((Value(1.0), "a Value"), (1, "an int")):
        with pytest.raises(TypeError, match=rf"^{name} takes lists, as in {name}\(\[x, y\]\); not {told}$"):
            function(given)


def test_softmax_is_stable() -> None:
    """At logits of ±1000: no overflow, exact logarithms, gradients that add up to 0."""
    logits = [Value(x) for x in (1000.0, -1000.0, 999.0)]
    probabilities = ag.softmax(logits)
    assert math.fsum(p.data for p in probabilities) == pytest.approx(1, abs=1e-12)
    assert probabilities[0].data == pytest.approx(1 / (1 + math.exp(-1)), rel=1e-12)
    assert [x.data for x in ag.log_softmax(logits)][1] == pytest.approx(-2000 - math.log1p(math.exp(-1)), rel=1e-15)
    probabilities[0].backward()
    assert math.fsum(x.grad for x in logits) == pytest.approx(0, abs=1e-12)
    assert ag.softmax([1000.0, -1000.0]) == [1.0, 0.0]


def test_generators_are_read_once() -> None:
    """Any iterable will do."""
    assert ag.sum(x for x in (1.0, 2.0)) == 3.0
    assert ag.dot((w for w in [w1]), (x for x in [x1])).data == 1.5
    assert ag.softmax(x for x in (0.0, 0.0)) == [0.5, 0.5]


def test_another_librarys_data_is_no_value() -> None:
    """A masked array has an attribute `_data` as well; it is refused, not computed with."""
    numpy = pytest.importorskip("numpy")
    with pytest.raises(TypeError, match="MaskedArray"):
        ag.dot([w1], [numpy.ma.array([1.0, 2.0])], b)
