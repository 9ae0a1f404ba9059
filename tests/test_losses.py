"""Losses and penalties: against PyTorch, against closed forms and mpmath, fused against composed, at ±1000, bad input.

The two primitives of nn/losses.py are checked as those of autograd are: numbers, batches, Values, pickle, expand.
"""

from __future__ import annotations

import itertools
import math
import pickle
import random
import re
import sys
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd as ag
from autograd import Value, nodes
from autograd.batch import Batch
from nn import MLP
from nn.losses import (
    binary_cross_entropy,
    binary_cross_entropy_with_logits,
    cross_entropy,
    hinge_loss,
    l1_loss,
    logistic_loss,
    mse_loss,
    multi_margin_loss,
    multiclass_svm_loss,
    nll_loss,
    softmax_cross_entropy,
)
from nn.penalties import l1_penalty, l2_penalty

if TYPE_CHECKING:
    from collections.abc import Callable

NAN, INF = math.nan, math.inf

#: Losses of one target for each output, and targets that each takes.
ELEMENTWISE = {
    mse_loss: [-2.0, 0.0, 0.5],
    l1_loss: [-2.0, 0.0, 0.5],
    hinge_loss: [-1, 1],
    binary_cross_entropy: [0, 1, 0.25],
    binary_cross_entropy_with_logits: [0, 1, 0.25],
}
#: Losses of a class for each row.
OF_CLASSES = [nll_loss, cross_entropy, multi_margin_loss, multiclass_svm_loss]
LOSSES = [*ELEMENTWISE, *OF_CLASSES]
EACH = pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: loss.__name__)


def close(expected: Any, rel: float = 1e-10) -> Any:
    """Equal to ten digits; what is rounding beside numbers of size 1 counts as 0."""
    return pytest.approx(expected, rel=rel, abs=1e-15)


def values(numbers: Any) -> Any:
    """Leaves in the layout of the numbers."""
    return [values(x) for x in numbers] if isinstance(numbers, list) else Value(numbers)


def gradients(leaves: Any) -> Any:
    """Their gradients in the same layout."""
    return [gradients(x) for x in leaves] if isinstance(leaves, list) else leaves.grad


def passed(loss: Callable[..., Any], numbers: Any, target: Any, **options: Any) -> tuple[float, Any]:
    """The loss of fresh leaves, and their gradients."""
    leaves = values(numbers)
    result = loss(leaves, target, **options)
    result.backward()
    return result.data, gradients(leaves)


def operations(root: Value) -> list[str]:
    """The names of the primitives, operands before results."""
    return [node.primitive.name for node in nodes(root) if node.primitive is not None]


def drawn(loss: Callable[..., Any], shape: tuple[int, ...], draw: random.Random) -> tuple[Any, Any]:
    """Numbers and targets that the loss takes, at random."""

    def filled(shape: tuple[int, ...], number: Callable[[], float]) -> Any:
        return [filled(shape[1:], number) for _ in range(shape[0])] if shape else number()

    if loss in ELEMENTWISE:
        numbers = (lambda: draw.uniform(0.01, 0.99)) if loss is binary_cross_entropy else (lambda: draw.gauss(0, 2))
        return filled(shape, numbers), filled(shape, lambda: draw.choice(ELEMENTWISE[loss]))
    return filled(shape, lambda: draw.gauss(0, 2)), filled(shape[:-1], lambda: draw.randrange(shape[-1]))


def shapes(loss: Callable[..., Any]) -> list[tuple[int, ...]]:
    """Layouts that the loss takes."""
    return [(), (1,), (5,), (3, 2), (2, 1), (2, 2, 2)] if loss in ELEMENTWISE else [(2,), (5,), (1, 3), (4, 3)]


# ----- PyTorch -----


@EACH
@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_values_and_gradients_are_pytorchs(loss: Callable[..., Any], reduction: str) -> None:
    """In float64, for every layout; the SVM loss of the lecture is PyTorch's margin loss without its division."""
    torch = pytest.importorskip("torch", reason="PyTorch is a second opinion, where it is installed")
    theirs = getattr(torch.nn.functional, loss.__name__, None)
    if loss is hinge_loss:  # PyTorch has it in another form: of targets -1 it takes max(0, 1 - x), of 1 the input
        theirs = lambda x, y, reduction: torch.nn.functional.hinge_embedding_loss(  # noqa: E731
            x * y, -torch.ones_like(x), reduction=reduction
        )
    elif loss is multiclass_svm_loss:
        theirs = lambda x, y, reduction: (  # noqa: E731
            torch.nn.functional.multi_margin_loss(x, y, reduction=reduction) * x.shape[-1]
        )
    assert theirs is not None
    draw = random.Random(1)
    for shape, _ in itertools.product(shapes(loss), range(5)):
        numbers, target = drawn(loss, shape, draw)
        x = torch.tensor(numbers, dtype=torch.float64, requires_grad=True)
        y = torch.tensor(target, dtype=torch.float64 if loss in ELEMENTWISE else torch.int64)
        expected = theirs(x, y, reduction=reduction)
        expected.backward()
        value, grads = passed(loss, numbers, target, reduction=reduction)
        assert value == close(expected.item())
        assert np.array(grads) == close(x.grad.numpy())


def test_margins_and_powers_are_pytorchs() -> None:
    """The options of multi_margin_loss."""
    functional = pytest.importorskip("torch.nn.functional", reason="PyTorch is a second opinion, where it is installed")
    import torch

    draw = random.Random(2)
    for p, margin in itertools.product([1, 2], [1.0, 0.5, 3.0, 0.0, -0.25]):
        numbers, target = drawn(multi_margin_loss, (6, 4), draw)
        x = torch.tensor(numbers, dtype=torch.float64, requires_grad=True)
        expected = functional.multi_margin_loss(x, torch.tensor(target), p=p, margin=margin)
        expected.backward()
        value, grads = passed(multi_margin_loss, numbers, target, p=p, margin=margin)
        assert value == close(expected.item())
        assert np.array(grads) == close(x.grad.numpy())


def test_cross_entropy_of_probabilities_is_pytorchs() -> None:
    """Targets may be distributions; of a single row too."""
    torch = pytest.importorskip("torch", reason="PyTorch is a second opinion, where it is installed")
    generator = np.random.default_rng(3)
    for shape in [(3,), (1, 2), (5, 4)]:
        numbers = generator.normal(0, 3, shape)
        target = generator.dirichlet(np.ones(shape[-1]), shape[:-1])
        x = torch.tensor(numbers, requires_grad=True)
        expected = torch.nn.functional.cross_entropy(x, torch.tensor(target))
        expected.backward()
        value, grads = passed(cross_entropy, numbers.tolist(), target)
        assert value == close(expected.item())
        assert np.array(grads) == close(x.grad.numpy())


def test_large_scores_are_pytorchs() -> None:
    """At ±1000, where exp overflows: values and gradients are finite, and the same."""
    torch = pytest.importorskip("torch", reason="PyTorch is a second opinion, where it is installed")
    functional = torch.nn.functional
    extremes = [-1000.0, -40.0, 0.0, 40.0, 1000.0]
    for z, y in itertools.product(extremes, [0.0, 0.5, 1.0]):
        x = torch.tensor(z, dtype=torch.float64, requires_grad=True)
        expected = functional.binary_cross_entropy_with_logits(x, torch.tensor(y, dtype=torch.float64))
        expected.backward()
        assert passed(binary_cross_entropy_with_logits, z, y) == (close(expected.item()), close(x.grad.item()))
    for row in itertools.product(extremes, repeat=3):
        x = torch.tensor(row, dtype=torch.float64, requires_grad=True)
        expected = functional.cross_entropy(x, torch.tensor(1))
        expected.backward()
        value, grads = passed(cross_entropy, list(row), 1)
        assert value == close(expected.item())
        assert np.array(grads) == close(x.grad.numpy())


# ----- Closed forms -----


def test_multiclass_svm_of_the_lecture() -> None:
    """CS231n: scores (3.2, 5.1, -1.7), the first class right: 2.9; PyTorch divides by 3; cross entropy 2.0403551528."""
    scores = [3.2, 5.1, -1.7]
    value, grads = passed(multiclass_svm_loss, scores, 0)
    assert value == pytest.approx(2.9, rel=1e-14)
    assert grads == [-1.0, 1.0, 0.0]
    assert multi_margin_loss(scores, 0) == pytest.approx(0.9666666667, abs=5.1e-11)
    assert cross_entropy(scores, 0) == pytest.approx(2.0403551528, abs=5.1e-11)


def test_softmax_cross_entropy_of_the_lecture() -> None:
    """z = (1, 2, 0.5), the first class right; ∂L/∂z = a - y."""
    value, grads = passed(cross_entropy, [1.0, 2.0, 0.5], 0)
    assert value == pytest.approx(1.4643687841, abs=5.1e-11)
    assert grads == pytest.approx([0.2312238976 - 1, 0.6285317192, 0.1402443832], abs=5.1e-11)


@pytest.mark.parametrize(("z", "y", "loss", "slope"), [(0.5, 1, 0.5, -1), (3, 1, 0, 0), (3, -1, 4, 1), (1, 1, 0, 0)])
def test_hinge(z: float, y: int, loss: float, slope: float) -> None:
    """max(0, 1 - y z); at the kink the derivative is 0."""
    assert passed(hinge_loss, z, y) == (loss, slope)


def test_quadratic_against_cross_entropy() -> None:
    """MIT 6.036: of a saturated sigmoid that is wrong, the cross entropy has a slope and the squared error has none."""
    z = -6.0
    squared = passed(lambda z, y: mse_loss(ag.sigmoid(z), y), z, 1)[1]
    fused = passed(binary_cross_entropy_with_logits, z, 1)[1]
    a = 1 / (1 + math.exp(6))
    assert squared == close(2 * (a - 1) * a * (1 - a))
    assert fused == close(a - 1)
    assert abs(squared) < 0.005 < 0.99 < abs(fused)


def test_penalties() -> None:
    """Σ|w| and Σw² with gradients sign(w) and 2w, of lists and of modules; one node for the squares."""
    w = values([3.0, -4.0, 0.0])
    l1, l2 = l1_penalty(w), l2_penalty(w)
    assert (l1.data, l2.data) == (7.0, 25.0)
    l1.backward()
    assert gradients(w) == [1.0, -1.0, 0.0]
    l1.zero_grad()
    l2.backward()
    assert gradients(w) == [6.0, -8.0, 0.0]
    assert operations(l2) == ["dot"]
    model = MLP(2, [3, 1], seed=1)
    weights = [p for name, p in model.named_parameters() if ".w." in name]
    assert len(weights) == 9
    assert l2_penalty(model).data == close(sum(p.data**2 for p in model.parameters()))
    assert l1_penalty(weights).data == close(sum(abs(p.data) for p in weights))
    assert l2_penalty(iter(weights)).data == close(sum(p.data**2 for p in weights))


# ----- Fused and composed -----

SCORES = st.floats(-30, 30)


@given(st.data(), st.integers(2, 6), st.integers(1, 4))
@settings(deadline=None)
def test_cross_entropy_is_nll_of_log_softmax(data: st.DataObject, classes: int, examples: int) -> None:
    """Of any number of rows and classes: the values, the gradients, and those of rows sum to 0."""
    rows = data.draw(
        st.lists(st.lists(SCORES, min_size=classes, max_size=classes), min_size=examples, max_size=examples)
    )
    target = data.draw(st.lists(st.integers(0, classes - 1), min_size=examples, max_size=examples))
    fused = passed(cross_entropy, rows, target)
    composed = passed(lambda z, y: nll_loss([ag.log_softmax(row) for row in z], y), rows, target)
    assert fused[0] == pytest.approx(composed[0], rel=1e-12, abs=1e-13)
    for grads, expected in zip(fused[1], composed[1]):
        assert grads == pytest.approx(expected, rel=1e-12, abs=1e-14)
        assert sum(grads) == pytest.approx(0, abs=1e-14)


@given(st.lists(st.tuples(st.floats(-15, 15), st.sampled_from([0, 1, 0.25])), min_size=1, max_size=6))
@settings(deadline=None)
def test_logits_are_binary_cross_entropy_of_sigmoid(examples: list[tuple[float, float]]) -> None:
    """The chain of two and the derivative in one piece."""
    scores, targets = map(list, zip(*examples))
    fused = passed(binary_cross_entropy_with_logits, scores, targets)
    composed = passed(lambda z, y: binary_cross_entropy([ag.sigmoid(x) for x in z], y), scores, targets)
    assert fused[0] == pytest.approx(composed[0], rel=1e-9)  # near 1 a sigmoid has lost digits, the fused form none
    assert fused[1] == pytest.approx(composed[1], rel=1e-9)


@given(st.sampled_from(LOSSES), st.integers(0, 10**6), st.sampled_from([(), (1,), (4,), (2, 3), (3, 1), (1, 2, 2)]))
@settings(deadline=None)
def test_layouts_and_reductions(loss: Any, seed: int, shape: tuple[int, ...]) -> None:
    """Arrays, tuples and lists are the same; plain numbers give the same number; sum is mean times count."""
    if loss in OF_CLASSES:
        shape = (*shape[:1], 3) if len(shape) < 2 else (shape[0], 4)
    numbers, target = drawn(loss, shape, random.Random(seed))
    value, grads = passed(loss, numbers, target)
    plain = loss(numbers, target)
    assert type(plain) is float
    assert plain == value
    leaves = np.array(values(numbers), dtype=object)
    of_arrays = loss(leaves, np.array(target))
    of_arrays.backward()
    assert of_arrays.data == value
    assert gradients(leaves.tolist()) == grads
    if shape:
        assert loss(tuple(numbers), tuple(target) if isinstance(target, list) else target) == value
    total, total_grads = passed(loss, numbers, target, reduction="sum")
    count = math.prod(shape) if loss in ELEMENTWISE else math.prod(shape[:-1])
    assert total == close(value * count)
    assert np.array(total_grads) == close(np.array(grads) * count)


@given(st.sampled_from(LOSSES), st.integers(0, 10**6))
@settings(deadline=None, max_examples=60)
def test_gradients_are_those_of_the_numbers(loss: Any, seed: int) -> None:
    """By central differences of the loss of plain numbers, away from kinks."""
    numbers, target = drawn(loss, (4,) if loss in ELEMENTWISE else (2, 3), random.Random(seed))
    flat = list(np.ravel(numbers))

    def f(*flat: float) -> float:
        return loss(np.reshape(flat, np.shape(numbers)), target)

    grads = np.ravel(passed(loss, numbers, target)[1])
    for i in range(len(flat)):
        right, left = ([*flat[:i], flat[i] + h, *flat[i + 1 :]] for h in (1e-6, -1e-6))
        slope = (f(*right) - f(*left)) / 2e-6
        bend = abs(f(*right) - 2 * f(*flat) + f(*left)) / 1e-6  # of the size of the jump where there is a kink
        assert grads[i] == pytest.approx(slope, rel=1e-5, abs=1e-6 + bend)


def test_one_node_for_each_example() -> None:
    """And one for the mean; of a single example none."""
    rows = values([[0.5, 1.0, -1.0], [0.0, 2.0, 1.0]])
    assert operations(cross_entropy(rows, [0, 2])) == ["softmax_cross_entropy"] * 2 + ["mean"]
    assert operations(cross_entropy(rows, [0, 2], reduction="sum")) == ["softmax_cross_entropy"] * 2 + ["sum"]
    assert (
        operations(cross_entropy(rows[0], 0)) == operations(cross_entropy(rows[:1], [0])) == ["softmax_cross_entropy"]
    )
    assert operations(binary_cross_entropy_with_logits(rows[0], [1, 0, 1])) == ["logistic_loss"] * 3 + ["mean"]
    assert operations(mse_loss(rows[0][0], 1.0)) == ["subtract", "power"]


def test_targets_may_be_values() -> None:
    """Where that makes sense: the gradient goes to both, and a class may be one Value for each probability."""
    x, y = Value(3.0), Value(1.0)
    mse_loss(x, y).backward()
    assert (x.grad, y.grad) == (4.0, -4.0)
    z, p = values([0.5, -0.5]), values([0.25, 0.75])
    loss = cross_entropy(z, p)
    loss.backward()
    assert gradients(p) == close([-x for x in ag.log_softmax([0.5, -0.5])])
    assert gradients(z) == close([a - y for a, y in zip(ag.softmax([0.5, -0.5]), [0.25, 0.75])])
    soft = Value(0.25)
    binary_cross_entropy(0.5, soft).backward()
    assert soft.grad == close(0.0)
    binary_cross_entropy_with_logits(3.0, soft).backward()
    assert soft.grad == close(-3.0)


def test_numbers_of_all_kinds() -> None:
    """Python's, NumPy's, float32, bools and whole numbers that are stored as floats."""
    assert mse_loss([np.float32(3), Fraction(1, 2)], [1, np.int64(0)]) == (4 + 0.25) / 2
    assert mse_loss(np.float64(3), 1) == 4.0
    scores = [[1.0, 2.0, 0.5], [0.0, 1.0, 0.0]]
    expected = cross_entropy(scores, [0, 1])
    for target in (np.array([0, 1]), np.array([0.0, 1.0]), np.array([False, True]), (0, 1), range(2), iter([0, 1])):
        assert cross_entropy(scores, target) == expected
    assert cross_entropy(np.array(scores), np.array([[1, 0, 0], [0, 1, 0]])) == expected
    assert binary_cross_entropy_with_logits([1.0, 2.0], np.array([True, False])) == close(
        (math.log1p(math.exp(-1)) + 2 + math.log1p(math.exp(-2))) / 2
    )
    assert l1_loss((x for x in [1.0, 2.0]), [0, 0]) == 1.5


# ----- The two primitives -----

EXTREMES = [-1000.0, -745.0, -36.5, -1.0, 0.0, 1e-300, 1.0, 36.5, 745.0, 1000.0]


def test_logistic_loss_to_the_last_digit() -> None:
    """Against mpmath at 900 digits: also where the loss is tiny; numbers and batches."""
    with mpmath.workdps(900):
        for z, y in itertools.product(EXTREMES, [0.0, 0.25, 1.0]):
            a = 1 / (1 + mpmath.exp(-mpmath.mpf(z)))
            exact = -(y * mpmath.log(a) + (1 - y) * mpmath.log(1 - a))
            expected = (float(exact), float(a - y))
            for of in (float, Batch):
                out = logistic_loss(of(z), of(y))
                assert float(out) == pytest.approx(expected[0], rel=4e-16, abs=5e-324)
                assert float(logistic_loss.partials[0](of(z), of(y), out)) == pytest.approx(expected[1], abs=2e-16)
                assert float(logistic_loss.partials[1](of(z), of(y), out)) == -z


def test_softmax_cross_entropy_to_the_last_digit() -> None:
    """Against mpmath, likewise; 1000 against -1000 is a loss of 2000, and the other way round one of 0."""
    assert passed(cross_entropy, [1000.0, -1000.0], 1) == (2000.0, [1.0, -1.0])
    assert passed(cross_entropy, [1000.0, -1000.0], 0) == (0.0, [0.0, 0.0])
    with mpmath.workdps(900):
        for row in itertools.product([-1000.0, -36.5, 1.0, 745.0], repeat=3):
            powers = [mpmath.exp(mpmath.mpf(z)) for z in row]
            a = [power / sum(powers) for power in powers]
            logarithms = [mpmath.log(part) for part in a]
            for y in ([1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.5, 0.25, 0.25]):
                exact = -sum(target * logarithm for target, logarithm in zip(y, logarithms) if target)
                for of in (float, Batch):
                    operands = [of(x) for x in (*row, *y)]
                    out = softmax_cross_entropy(*operands)
                    assert float(out) == pytest.approx(float(exact), rel=1e-15, abs=5e-324)
                    partials = [float(x) for x in softmax_cross_entropy.partials[0](*operands, out)]
                    # logsumexp of scores around 1000 is a double around 1000, which has 13 digits after the point
                    assert partials[:3] == pytest.approx([float(part) - t for part, t in zip(a, y)], abs=1.2e-13)
                    assert partials[3:] == pytest.approx([float(-logarithm) for logarithm in logarithms], abs=1.2e-13)


def test_weights_that_do_not_add_up_to_one() -> None:
    """The primitive takes any: each class counts y times, in the value, the rules and the definition."""
    z = values([0.5, -1.0, 2.0])
    loss = softmax_cross_entropy(*z, 3.0, 1.0, 0.5)
    logarithms = ag.log_softmax([0.5, -1.0, 2.0])
    assert loss.data == close(-3 * logarithms[0] - logarithms[1] - 0.5 * logarithms[2])
    loss.backward()
    expected = [4.5 * math.exp(logarithm) - y for logarithm, y in zip(logarithms, [3.0, 1.0, 0.5])]
    assert gradients(z) == close(expected)
    loss.zero_grad()
    finer = ag.expand(loss, 1)
    finer.backward()
    assert (finer.data, gradients(z)) == (close(loss.data), close(expected))


def test_small_probabilities_keep_their_digits() -> None:
    """-log(1 - p) is p for a tiny p, where 1 - p is 1."""
    assert passed(binary_cross_entropy, 1e-20, 0) == (1e-20, 1.0)
    assert binary_cross_entropy(1e-20, 0.5) == close(10 * math.log(10))


def test_batches_of_rows() -> None:
    """The array form works on columns, and its rules too: a row of a batch is what the row alone gives."""
    generator = np.random.default_rng(0)
    scores, targets = generator.normal(0, 50, (3, 20)), generator.dirichlet(np.ones(3), 20).T
    columns = [*map(Batch, scores), *map(Batch, targets)]
    out = softmax_cross_entropy(*columns)
    partials = softmax_cross_entropy.partials[0](*columns, out)
    for i in range(20):
        row = [float(column[i]) for column in columns]
        assert float(out[i]) == pytest.approx(softmax_cross_entropy(*row), rel=1e-14)
        expected = softmax_cross_entropy.partials[0](*row, float(out[i]))
        assert [float(partial[i]) for partial in partials] == pytest.approx(expected, rel=1e-12, abs=1e-15)


def test_rules_of_values_record() -> None:
    """Derivatives of derivatives: ∂²/∂z² of both is a (1 - a), ∂²/∂z1∂z2 of the softmax -a1 a2."""
    z = Value(0.7)
    slope = logistic_loss.partials[0](z, 1.0, logistic_loss(z, 1.0))
    slope.backward()
    a = ag.sigmoid(0.7)
    assert (slope.data, z.grad) == (close(a - 1), close(a * (1 - a)))
    row = values([0.5, -1.0, 2.0])
    operands = [*row, 0.0, 1.0, 0.0]
    slope = softmax_cross_entropy.partials[0](*operands, softmax_cross_entropy(*operands))[0]
    slope.backward()
    a1, a2, a3 = ag.softmax([0.5, -1.0, 2.0])
    assert gradients(row) == close([a1 * (1 - a1), -a1 * a2, -a1 * a3])


def test_they_are_taken_apart_and_kept() -> None:
    """`expand` shows logsumexp(z) - z of the class, and softplus; same gradients; pickle knows them by name."""
    z = values([1.0, 2.0, 0.5])
    for loss, finer in [
        (cross_entropy(z, 0), ["logsumexp", "subtract"]),
        (cross_entropy(z, [0.5, 0.5, 0.0]), ["logsumexp", "multiply", "multiply", "sum", "subtract"]),
        (binary_cross_entropy_with_logits(z[0], 0), ["softplus"]),
        (binary_cross_entropy_with_logits(z[0], 1), ["softplus", "subtract"]),
        (binary_cross_entropy_with_logits(z[0], 0.25), ["softplus", "multiply", "subtract"]),
    ]:
        expanded = ag.expand(loss, 1)
        assert operations(expanded) == finer
        assert expanded.data == close(loss.data)
        loss.backward()
        coarse = gradients(z)
        loss.zero_grad()
        expanded.backward()
        assert gradients(z) == close(coarse)
        loss.zero_grad()
        expanded.zero_grad()
        assert pickle.loads(pickle.dumps(loss)).primitive is loss.primitive


def test_they_explain_themselves() -> None:
    """In tables, in words and in LaTeX: the softmax minus the target."""

    def told(about: object) -> str:
        return str(about).replace("−", "-")

    z = [Value(1.0, "z1"), Value(2.0, "z2")]
    loss = cross_entropy(z, 0)
    loss.label = "L"
    assert "∂L/∂z1 = exp(z1 - logsumexp(z1, z2)) - 1" in told(ag.explain(z[0], loss))
    assert "a - y in one piece" in told(ag.explain(z[0], loss))
    assert "softmax_cross_entropy(z1, z2, 1, 0)" in told(ag.table(loss))
    single = binary_cross_entropy_with_logits(z[0], 1)
    single.label = "L"
    assert "∂L/∂z1 = sigmoid(z1) - 1" in told(ag.explain(z[0], single))
    assert r"\operatorname{logistic\,loss}(z_{1}, 1)" in ag.table(single).latex
    assert "z1" in ag.draw(loss).dot


def test_infinite_scores() -> None:
    """A class that is out of the question (-inf) takes part without making nan of the others."""
    value, grads = passed(cross_entropy, [0.0, 0.0, -INF], 0)
    assert (value, grads) == (close(math.log(2)), close([-0.5, 0.5, 0.0]))
    assert logistic_loss(INF, 1.0) == logistic_loss(-INF, 0.0) == 0.0
    assert logistic_loss(-INF, 1.0) == INF
    assert float(softmax_cross_entropy(*map(Batch, (0.0, -INF, 1.0, 0.0)))) == 0.0
    assert float(logistic_loss(Batch(INF), Batch(1.0))) == 0.0


@EACH
def test_nan_as_input_is_passed_on(loss: Callable[..., Any]) -> None:
    """Data that is nan stays nan, wherever it stands; a probability that is nan is refused."""
    if loss is binary_cross_entropy:
        with pytest.raises(ValueError, match=re.escape("input[1] is nan: a probability")):
            loss([0.5, NAN], [0, 1])
        return
    row, target = ([1.0, NAN, 0.0], 1) if loss in OF_CLASSES else ([1.0, NAN], [1, 1])
    assert math.isnan(loss(row, target))
    if loss is not nll_loss:  # which looks at the right class alone
        assert math.isnan(loss([NAN, 1.0, 0.0], 1 if loss in OF_CLASSES else [1, 1, 1]))


def test_softmax_cross_entropy_by_hand_needs_pairs() -> None:
    """As many targets as scores."""
    with pytest.raises(ValueError, match="as many targets as scores"):
        softmax_cross_entropy(Value(1.0), 2.0, 1.0)


# ----- Bad input -----


def endless() -> list[Any]:
    """A list that holds itself."""
    lists: list[Any] = []
    lists.append(lists)
    return lists


#: What no loss takes as input, and what the error names.
BAD_INPUTS = [
    ("a word", TypeError, "input is the str 'a word'"),
    (["1.0", "2.0"], TypeError, r"input\[0\] is the str '1.0'"),
    (None, TypeError, "input is None"),
    ([None, 1.0], TypeError, r"input\[0\] is None"),
    ([1.0, 1j], TypeError, r"input\[1\] is 1j"),
    ({"a": 1.0}, TypeError, "input is the dict"),
    ([], ValueError, "input is empty"),
    ([[], []], ValueError, r"input\[0\] is empty"),
    (np.array([]), ValueError, "input is empty"),
    ([10**400, 1.0], ValueError, r"input\[0\] is a number above 1.8e308"),
    ([[1.0, 2.0], [1.0]], ValueError, r"ragged: input\[0\] is a list of 2 and input\[1\] a list of 1"),
    ([1.0, [1.0]], ValueError, "ragged"),
    (np.array(["a", "b"]), TypeError, r"input\[0\] is the str 'a'"),
    (MLP, TypeError, "input is "),
    (endless(), ValueError, "lists in lists without end"),
]


@EACH
@pytest.mark.parametrize(("bad", "error", "message"), BAD_INPUTS, ids=range(len(BAD_INPUTS)))
def test_bad_inputs(loss: Callable[..., Any], bad: Any, error: type[Exception], message: str) -> None:
    """One sentence that names the argument, the place in it, and what is wanted."""
    with pytest.raises(error, match=message) as caught:
        loss(bad, 0)
    assert_one_sentence(caught.value)


@EACH
@pytest.mark.parametrize(
    ("bad", "error", "message"),
    [
        ("ab", TypeError, "target is the str 'ab'"),
        ([1, None, 1], TypeError, r"target\[1\] is None"),
        ([1, 0], ValueError, "target a list of 2"),
        (1, ValueError, "target a single number"),
        ([], ValueError, "target is empty"),
        ([0, NAN, 1], ValueError, r"target\[1\] is nan"),
        ([0, INF, 1], ValueError, r"target\[1\] is inf"),
        ([0, 10**400, 1], ValueError, r"target\[1\] is a number above"),
        ([[0], [1], [1]], ValueError, "list of 3 × 1"),
    ],
)
def test_bad_targets(loss: Callable[..., Any], bad: Any, error: type[Exception], message: str) -> None:
    """Likewise; nan and inf are no targets."""
    numbers = [0.5, 0.25, 0.125]
    with pytest.raises(error, match=message) as caught:
        loss(numbers if loss in ELEMENTWISE else [numbers, numbers, numbers[::-1]], bad)
    assert_one_sentence(caught.value)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: mse_loss([[1.0], [2.0]], [1, 2]), ValueError, r"\[row\[0\] for row in input\]"),
        (lambda: mse_loss([1.0, 2.0], np.ones((2, 1))), ValueError, r"\[row\[0\] for row in target\]"),
        (lambda: mse_loss([1.0, 2.0, 3.0], [1, 2]), ValueError, "input is a list of 3 and target a list of 2"),
        (lambda: mse_loss(1.0, 2.0, reduction="none"), ValueError, "reduction is 'mean' or 'sum', not 'none'"),
        (lambda: mse_loss(1.0, 2.0, reduction=None), ValueError, "not None"),
        (lambda: hinge_loss([1.0, 2.0], [1, 0]), ValueError, r"target\[1\] is 0: a target is -1 or 1 .*2 \* y - 1"),
        (lambda: binary_cross_entropy([0.5, 1.5], [1, 1]), ValueError, r"input\[1\] is 1.5: a prob.*_with_logits$"),
        (lambda: binary_cross_entropy([0.5], [-1]), ValueError, r"target\[0\] is -1: .*\(y \+ 1\) / 2"),
        (lambda: binary_cross_entropy(0.0, 1), ValueError, "input is 0 where target is 1.*with_logits"),
        (lambda: binary_cross_entropy([0.5, 1.0], [1, 0]), ValueError, r"input\[1\] is 1 where target\[1\] is 0"),
        (lambda: binary_cross_entropy(Value(1.0), 0.5), ValueError, "infinite loss"),
        (lambda: binary_cross_entropy(Value(0.0), 0.5), ValueError, "infinite loss"),
        (lambda: binary_cross_entropy(1.0, Value(1.0)), ValueError, "infinite loss"),
        (lambda: binary_cross_entropy_with_logits(1.0, 2), ValueError, "target is 2: a target is a number from 0 to 1"),
        (lambda: cross_entropy([[1.0, 2.0]], [2]), ValueError, r"target\[0\] is 2: .* whole number from 0 to 1"),
        (lambda: cross_entropy([[1.0, 2.0]], [-1]), ValueError, r"target\[0\] is -1"),
        (lambda: cross_entropy([1.0, 2.0], 0.5), ValueError, "target is 0.5"),
        (lambda: cross_entropy([1.0, 2.0], Value(1.0)), ValueError, "target is a Value"),
        (lambda: cross_entropy([[1.0, 2.0]] * 3, [0, 1]), ValueError, "a list of 3 classes, one for each row"),
        (lambda: cross_entropy([1.0, 2.0, 3.0], [0, 1]), ValueError, "target is to be one class or a probability"),
        (lambda: cross_entropy([[1.0], [2.0]], [0, 0]), ValueError, "two or more.*binary_cross_entropy_with_logits"),
        (lambda: cross_entropy([1.0, 2.0, 3.0], [0, 1, 1]), ValueError, "target adds up to 2.*with_logits"),
        (lambda: cross_entropy([[1.0, 2.0]], [[0.5, 0.4]]), ValueError, r"target\[0\] adds up to 0.9"),
        (lambda: cross_entropy([[1.0, 2.0]], [[1.5, -0.5]]), ValueError, r"target\[0\]\[0\] is 1.5: a probability"),
        (lambda: cross_entropy(1.0, 0), ValueError, "input is a row with a score for each class"),
        (lambda: cross_entropy([[[1.0, 2.0]]], [[0]]), ValueError, "not a list of 1 × 1 × 2"),
        (lambda: nll_loss([-1.0, -2.0], [0.5, 0.5]), ValueError, "target is to be one class$"),
        (lambda: multi_margin_loss([1.0, 2.0], 0, p=3), ValueError, "p is 1 or 2, not 3"),
        (lambda: multi_margin_loss([1.0, 2.0], 0, p="1"), ValueError, "p is 1 or 2, not '1'"),
        (lambda: multi_margin_loss([1.0, 2.0], 0, margin=NAN), ValueError, "margin is a plain, finite number, not nan"),
        (lambda: multiclass_svm_loss([1.0, 2.0], 0, margin="1"), TypeError, "margin is '1'"),
        (lambda: multiclass_svm_loss([1.0, 2.0], 0, margin=Value(1.0)), ValueError, "margin is a plain"),
        (lambda: l1_penalty([]), ValueError, "parameters is empty"),
        (lambda: l2_penalty("w"), TypeError, "parameters is a list of Values, such as model.parameters"),
        (lambda: l2_penalty(Value(1.0)), TypeError, "not a Value"),
        (lambda: l2_penalty(3.0), TypeError, "not a float"),
        (lambda: l1_penalty([1.0]), TypeError, r"parameters\[0\] is a float"),
        (lambda: l1_penalty([[Value(1.0)]]), TypeError, r"parameters\[0\] is a list: .* plain list"),
    ],
)
def test_what_is_wrong_is_said(call: Callable[[], Any], error: type[Exception], message: str) -> None:
    """With what to do instead, where there is a usual mistake."""
    with pytest.raises(error, match=message) as caught:
        call()
    assert_one_sentence(caught.value)


def assert_one_sentence(error: Exception) -> None:
    """One line, without a full stop inside, that a person can read."""
    text = str(error)
    assert "\n" not in text
    assert not re.search(r"\w\. [A-Z]", text), text
    assert len(text) < 260, text


@pytest.mark.parametrize("number", [1e200, -1e200, 1.5e154, INF, -INF])
def test_squares_beyond_the_largest_float(number: float) -> None:
    """Infinite, as in PyTorch, with PyTorch's gradients; of numbers the same."""
    torch = pytest.importorskip("torch")
    functional = torch.nn.functional
    for ours, theirs, target in (
        (mse_loss, functional.mse_loss, [0.0, 0.0]),
        (lambda z, y: multi_margin_loss(z, y, p=2), lambda z, y: functional.multi_margin_loss(z, y, p=2), 1),
    ):
        values, tensor = [Value(number), Value(0.0)], torch.tensor([number, 0.0], dtype=torch.float64)
        loss, expected = ours(values, target), theirs(tensor.requires_grad_(), torch.tensor(target))
        loss.backward()
        expected.backward()
        assert loss.data == ours([number, 0.0], target) == expected.item()
        assert [value.grad for value in values] == tensor.grad.tolist()


def test_only_squares_that_overflow_are_products() -> None:
    """Graphs show a square up to the largest number that has one; the sum of squares may overflow too."""
    root = math.sqrt(sys.float_info.max)
    names = [mse_loss(Value(x), 0.0).primitive.name for x in (root, math.nextafter(root, INF))]
    assert names == ["power", "multiply"]
    assert mse_loss([Value(root)] * 3, [0.0] * 3, reduction="sum").data == INF


def test_a_perfect_likelihood_of_numbers_is_0() -> None:
    """And not -0."""
    for loss in (nll_loss([0.0, -50.0], 0), binary_cross_entropy([1.0, 0.0], [1, 0])):
        assert math.copysign(1.0, loss) == 1.0 and loss == 0.0
