"""The worked examples of five university lectures, every number of them: values, gradients, coarse and fine graphs.

The lectures are CMU 10-601 (backpropagation), Stanford CS231n (backpropagation, intuitions; linear classification), and
the first lecture of Karpathy's Neural Networks: Zero to Hero.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pytest

import autograd as ag
from autograd import Value, expand, nodes

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


def close(*numbers: float) -> object:
    """Equal to so many digits as a double has, but for the last ones."""
    return pytest.approx(numbers, rel=1e-14, abs=1e-15)


def published(*numbers: float) -> object:
    """Equal to all ten decimals that the lecture gives."""
    return pytest.approx(numbers, rel=0, abs=5.1e-11)


def gradients(root: Value, *of: Value) -> tuple[float, ...]:
    """The gradients of a pass of its own."""
    root.zero_grad()
    root.backward()
    return tuple(node.grad for node in of)


def operations(root: Value) -> list[str]:
    """The names of the primitives, operands before results."""
    return [node.primitive.name for node in nodes(root) if node.primitive is not None]


# ----- 1. CMU 10-601: y = exp(xz) + xz / log(x) + sin(log(x)) / (xz) -----

DY_DX, DY_DZ = 1208.38121512661, 809.707479218564
Y = 412.19145728412116


def test_cmu_backprop_example_with_its_names() -> None:
    """The lecture's forward and backward tables, name by name."""
    x, z = Value(2.0, "x"), Value(3.0, "z")
    a = x * z
    b = ag.log(x)
    c = ag.sin(b)
    d = ag.exp(a)
    e = a / b
    f = c / a
    y = d + e + f
    values = (6, 0.6931471805599453, 0.6389612763136348, 403.4287934927351, 8.656170245333781, 0.10649354605227246, Y)
    assert tuple(node.data for node in (a, b, c, d, e, f, y)) == close(*values)
    adjoints = (404.853739609282, -12.360007402472986, 0.1666666666666667, 1, 1, 1, 1)
    assert gradients(y, a, b, c, d, e, f, y) == close(*adjoints)
    assert (x.grad, z.grad) == close(DY_DX, DY_DZ)


def test_cmu_backprop_example_in_one_line() -> None:
    """Without names Python records three x·z and two log(x): other inner nodes, the same gradients."""
    x, z = Value(2.0), Value(3.0)
    y = ag.exp(x * z) + x * z / ag.log(x) + ag.sin(ag.log(x)) / (x * z)
    assert (y.data, *gradients(y, x, z)) == close(Y, DY_DX, DY_DZ)
    assert operations(y).count("multiply") == 3
    assert operations(y).count("log") == 2


def test_cmu_backprop_example_by_moving_the_inputs() -> None:
    """Its numerical gradient, as the lecture on checking gradients computes it."""

    def y(x: float, z: float) -> float:
        return math.exp(x * z) + x * z / math.log(x) + math.sin(math.log(x)) / (x * z)

    assert ag.central_difference(y, 2.0, 3.0, arg=0) == pytest.approx(DY_DX, rel=1e-7)
    assert ag.central_difference(y, 2.0, 3.0, arg=1) == pytest.approx(DY_DZ, rel=1e-7)


# ----- 2. CS231n: f = (x + y) z -----


def test_cs231n_first_graph() -> None:
    """The sum hands its gradient on, the product swaps: -4, -4 and 3."""
    x, y, z = Value(-2.0), Value(5.0), Value(-4.0)
    q = x + y
    f = q * z
    assert (q.data, f.data) == (3, -12)
    assert gradients(f, x, y, z, q) == (-4, -4, 3, -4)


# ----- 3. CS231n: a neuron with a sigmoid -----

SIGMOID_NEURON = 0.7310585786300049
SIGMOID_GRADIENTS = (
    -0.19661193324148185,
    0.3932238664829637,
    -0.3932238664829637,
    -0.5898357997244456,
    0.19661193324148185,
)


def _weighted_sum(w0: Value, x0: Value, w1: Value, x1: Value, w2: Value) -> Value:
    return w0 * x0 + w1 * x1 + w2


def _dot(w0: Value, x0: Value, w1: Value, x1: Value, w2: Value) -> Value:
    return ag.dot([w0, w1], [x0, x1], w2)


def _sigmoid_in_four_nodes(z: Value) -> Value:
    return 1 / (1 + ag.exp(-z))


def _sigmoid_expanded(z: Value) -> Value:
    return expand(ag.sigmoid(z))


@pytest.mark.parametrize("weighted_sum", [_weighted_sum, _dot])
@pytest.mark.parametrize("sigmoid", [ag.sigmoid, _sigmoid_in_four_nodes, _sigmoid_expanded])
def test_cs231n_sigmoid_neuron(weighted_sum: Callable[..., Value], sigmoid: Callable[[Value], Value]) -> None:
    """The same value and the same five gradients, however coarse its nodes are."""
    inputs = [Value(2.0), Value(-1.0), Value(-3.0), Value(-2.0), Value(-3.0)]
    z = weighted_sum(*inputs)
    f = sigmoid(z)
    assert z.data == 1
    assert f.data == pytest.approx(SIGMOID_NEURON, rel=1e-15)
    assert gradients(f, *inputs) == close(*SIGMOID_GRADIENTS)


def test_sigmoid_is_one_node_or_four() -> None:
    """The lecture's point: a node may be as coarse as one can write its local derivative for."""
    z = Value(1.0)
    assert operations(ag.sigmoid(z)) == ["sigmoid"]
    assert operations(expand(ag.sigmoid(z))) == ["negative", "exp", "add", "divide"]
    assert operations(_sigmoid_in_four_nodes(z)) == ["negative", "exp", "add", "divide"]


def test_expanded_neuron_shows_products_and_sums() -> None:
    """A dot in its finer form is what the lecture draws."""
    w0, x0, w1, x1, w2 = Value(2.0), Value(-1.0), Value(-3.0), Value(-2.0), Value(-3.0)
    fine = expand(ag.sigmoid(_dot(w0, x0, w1, x1, w2)))
    assert operations(fine) == ["multiply", "multiply", "add", "add", "negative", "exp", "add", "divide"]
    assert gradients(fine, w0, x0, w1, x1, w2) == close(*SIGMOID_GRADIENTS)


# ----- 4. Karpathy: a neuron with a tanh -----

TANH_NEURON = 0.7071067811865477


def _tanh_in_exp(n: Value) -> Value:
    e = (2 * n).exp()
    return (e - 1) / (e + 1)


def _tanh_expanded(n: Value) -> Value:
    return expand(n.tanh())


@pytest.mark.parametrize("tanh", [ag.tanh, _tanh_in_exp, _tanh_expanded])
@pytest.mark.parametrize("weighted_sum", [_weighted_sum, _dot])
def test_tanh_neuron(weighted_sum: Callable[..., Value], tanh: Callable[[Value], Value]) -> None:
    """o = 0.7071 with gradients 1, -1.5, 0, 0.5 and 0.5, as one tanh node and in terms of exp."""
    w1, x1, w2, x2, b = inputs = [Value(-3.0), Value(2.0), Value(1.0), Value(0.0), Value(6.8813735870195432)]
    o = tanh(weighted_sum(w1, x1, w2, x2, b))
    assert o.data == pytest.approx(TANH_NEURON, rel=1e-14)
    assert gradients(o, *inputs) == close(1, -1.5, 0, 0.5, 0.5)


def test_tanh_is_one_node_or_five() -> None:
    """e = exp(2n) is used twice: the graph has a fork, where gradients add up."""
    n = Value(0.5)
    assert operations(n.tanh()) == ["tanh"]
    assert operations(expand(n.tanh())) == ["multiply", "exp", "subtract", "add", "divide"]


# ----- 5 and 6. Losses of three scores -----


def test_multiclass_svm_loss() -> None:
    """Scores (3.2, 5.1, -1.7) with the first right: 2.9; divided by the three classes, as PyTorch does, 0.9667."""
    scores = [Value(3.2), Value(5.1), Value(-1.7)]
    right, *wrong = scores
    loss = ag.sum([ag.maximum(0, score - right + 1) for score in wrong])
    assert loss.data == pytest.approx(2.9, rel=1e-15)
    assert gradients(loss, *scores) == (-1, 1, 0)
    mean = loss / 3
    assert (mean.data,) == published(0.9666666667)
    assert gradients(mean, *scores) == close(-1 / 3, 1 / 3, 0)


def test_multiclass_svm_loss_of_relus() -> None:
    """max(0, margin) is relu(margin) but at 0."""
    scores = [Value(3.2), Value(5.1), Value(-1.7)]
    loss = ag.sum([(score - scores[0] + 1).relu() for score in scores[1:]])
    assert loss.data == pytest.approx(2.9, rel=1e-15)
    assert gradients(loss, *scores) == (-1, 1, 0)


def _cross_entropy(scores: Sequence[Value]) -> Value:
    """Of the first class, by logsumexp."""
    return ag.logsumexp(scores) - scores[0]


def _nll_of_log_softmax(scores: Sequence[Value]) -> Value:
    return -ag.log_softmax(scores)[0]


def _nll_of_softmax(scores: Sequence[Value]) -> Value:
    return -ag.log(ag.softmax(scores)[0])


def _typed_out(scores: Sequence[Value]) -> Value:
    exps = [ag.exp(score) for score in scores]
    return -ag.log(exps[0] / sum(exps))


def _expanded(scores: Sequence[Value]) -> Value:
    return expand(_cross_entropy(scores))


CROSS_ENTROPIES = [_cross_entropy, _nll_of_log_softmax, _nll_of_softmax, _typed_out, _expanded]


@pytest.mark.parametrize("loss", CROSS_ENTROPIES)
def test_softmax_cross_entropy_of_the_svm_scores(loss: Callable[[Sequence[Value]], Value]) -> None:
    """The other loss of the same scores: 2.0403551528."""
    scores = [Value(3.2), Value(5.1), Value(-1.7)]
    assert (loss(scores).data,) == published(2.0403551528)


@pytest.mark.parametrize("loss", CROSS_ENTROPIES)
def test_softmax_cross_entropy_and_its_gradient(loss: Callable[[Sequence[Value]], Value]) -> None:
    """Of z = (1, 2, 0.5) with the first right: the gradient is softmax minus one-hot, in one piece or as a chain."""
    z = [Value(1.0), Value(2.0), Value(0.5)]
    value = loss(z)
    assert (value.data,) == published(1.4643687841)
    assert gradients(value, *z) == published(0.2312238976 - 1, 0.6285317192, 0.1402443832)


def test_softmax_of_the_scores() -> None:
    """The probabilities that stand in that gradient."""
    assert tuple(ag.softmax([1.0, 2.0, 0.5])) == published(0.2312238976, 0.6285317192, 0.1402443832)


# ----- 7. CMU 10-601: three layers of sigmoids -----

INPUT = (0.5, -1.5, 2.0)
ALPHA1 = ((0.2, -0.4), (0.7, 0.1), (-0.3, 0.6))  # ALPHA1[i][j]: from input i to unit j
ALPHA2 = ((0.9, -0.8, 0.25), (-0.5, 0.35, 1.1))
ALPHA3 = (1.2, -0.7, 0.4)


def _sigma(z: float) -> float:
    return 1 / (1 + math.exp(-z))


def _columns(matrix: Sequence[Sequence[float]]) -> list[tuple[float, ...]]:
    return list(zip(*matrix, strict=True))


def _weighted(inputs: Sequence[float], weights: Sequence[float]) -> float:
    return sum(w * x for w, x in zip(weights, inputs, strict=True))


def _outer(inputs: Sequence[float], deltas: Sequence[float]) -> list[list[float]]:
    return [[x * delta for delta in deltas] for x in inputs]


def _by_hand(target: float) -> tuple[float, list[float], list[list[float]], list[list[float]], list[float]]:
    """J and its gradients by x, α1, α2, α3, with the lecture's formulas alone."""
    first = [_sigma(_weighted(INPUT, weights)) for weights in _columns(ALPHA1)]
    second = [_sigma(_weighted(first, weights)) for weights in _columns(ALPHA2)]
    predicted = _sigma(_weighted(second, ALPHA3))
    objective = target * math.log(predicted) + (1 - target) * math.log(1 - predicted)

    by_predicted = target / predicted - (1 - target) / (1 - predicted)
    delta3 = by_predicted * predicted * (1 - predicted)
    delta2 = [delta3 * w * s * (1 - s) for w, s in zip(ALPHA3, second, strict=True)]
    delta1 = [_weighted(delta2, row) * f * (1 - f) for row, f in zip(ALPHA2, first, strict=True)]
    by_input = [_weighted(delta1, row) for row in ALPHA1]
    return objective, by_input, _outer(INPUT, delta1), _outer(first, delta2), [s * delta3 for s in second]


def _neuron_of_a_dot(inputs: Sequence[Value], weights: Sequence[Value]) -> Value:
    return ag.sigmoid(ag.dot(weights, inputs))


def _neuron_of_scalars(inputs: Sequence[Value], weights: Sequence[Value]) -> Value:
    return _sigmoid_in_four_nodes(sum(w * x for w, x in zip(weights, inputs, strict=True)))


@pytest.mark.parametrize("neuron", [_neuron_of_a_dot, _neuron_of_scalars])
@pytest.mark.parametrize("target", [1.0, 0.0, 0.3])
def test_three_layer_network_against_backward_by_hand(neuron: Callable[..., Value], target: float) -> None:
    """J and all 18 gradients, those of the input among them, by hand and by the engine."""
    x = [Value(number) for number in INPUT]
    alpha1, alpha2 = ([[Value(w) for w in row] for row in matrix] for matrix in (ALPHA1, ALPHA2))
    alpha3 = [Value(w) for w in ALPHA3]
    first = [neuron(x, weights) for weights in zip(*alpha1, strict=True)]
    second = [neuron(first, weights) for weights in zip(*alpha2, strict=True)]
    predicted = neuron(second, alpha3)
    objective = target * ag.log(predicted) + (1 - target) * ag.log(1 - predicted)
    objective.backward()

    value, by_x, by_alpha1, by_alpha2, by_alpha3 = _by_hand(target)
    assert objective.data == pytest.approx(value, rel=1e-14)
    assert [v.grad for v in x] == pytest.approx(by_x, rel=1e-13)
    for matrix, expected in ((alpha1, by_alpha1), (alpha2, by_alpha2), ([alpha3], [by_alpha3])):
        for row, numbers in zip(matrix, expected, strict=True):
            assert [w.grad for w in row] == pytest.approx(numbers, rel=1e-13)


def test_three_layer_network_in_one_piece() -> None:
    """∂J/∂z of the last layer is y* - ŷ: what cross entropy and sigmoid make of the chain of two."""
    z = Value(0.8)
    predicted = ag.sigmoid(z)
    objective = 0.3 * ag.log(predicted) + (1 - 0.3) * ag.log(1 - predicted)
    assert gradients(objective, z) == close(0.3 - predicted.data)
