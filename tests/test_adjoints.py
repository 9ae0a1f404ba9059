"""`nn.adjoints`: every value and gradient of a network in the shape of its layer, against NumPy and PyTorch."""

from __future__ import annotations

import copy
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd as ag
from autograd import Value
from nn import MLP, Layer, Neuron, PReLU, adjoints, binary_cross_entropy_with_logits, cross_entropy, mse_loss, nll_loss

TORCH = "PyTorch is a second opinion, where it is installed"


def close(expected: Any) -> Any:
    """Equal to ten digits."""
    return pytest.approx(np.asarray(expected), rel=1e-10, abs=1e-14)


def by_hand(model: MLP, X: Any, upstream: Any) -> dict[str, tuple[Any, Any]]:
    """z, a, W and b of a tanh network with a linear last layer, and their gradients: backpropagation in matrices."""
    a, found = np.asarray(X, float), {}
    inputs = []
    for i, layer in enumerate(model.layers, 1):
        inputs.append(a)
        z = a @ layer.weight.T + layer.bias
        a = z if i == len(model.layers) else np.tanh(z)
        found[f"z{i}"], found[f"a{i}"] = z, a
    gradients = {}
    delta = np.asarray(upstream, float)
    for i in range(len(model.layers), 0, -1):
        gradients[f"z{i}"] = delta
        gradients[f"W{i}"], gradients[f"b{i}"] = delta.T @ inputs[i - 1], delta.sum(axis=0)
        before = delta @ model.layers[i - 1].weight
        if i > 1:
            gradients[f"a{i - 1}"] = before
            delta = before * (1 - found[f"a{i - 1}"] ** 2)
    for i, layer in enumerate(model.layers, 1):
        found[f"W{i}"], found[f"b{i}"] = layer.weight, layer.bias
    return {name: (found[name], gradients[name]) for name in gradients}


@given(
    sizes=st.lists(st.integers(1, 4), min_size=2, max_size=4),
    examples=st.integers(1, 4),
    seed=st.integers(0, 1000),
)
@settings(deadline=None, max_examples=40)
def test_all_numbers_are_those_of_matrix_backpropagation(sizes: list[int], examples: int, seed: int) -> None:
    """Every name, in the shape (outputs,) of one example or (examples, outputs) of several."""
    draw = np.random.default_rng(seed)
    model = MLP(sizes[0], sizes[1:], activation="tanh", init="gaussian", seed=draw)
    X, upstream = draw.normal(size=(examples, sizes[0])), draw.normal(size=(examples, sizes[-1]))
    outputs = [model(row) for row in X.tolist()]
    flat = [x for output in outputs for x in (output if isinstance(output, list) else [output])]
    loss = ag.dot(flat, upstream.ravel().tolist())
    loss.backward()
    table = adjoints(model, loss)
    expected = by_hand(model, X, upstream)
    assert set(table) == set(expected)
    for name, (value, gradient) in expected.items():
        if name[0] in "za" and examples == 1:
            value, gradient = value[0], gradient[0]
        assert table[name].value == close(value), name
        assert table[name].gradient == close(gradient), name
        assert table[name].value.shape == table[name].gradient.shape == value.shape


def test_order_of_the_names() -> None:
    """Layer by layer, as the forward pass goes."""
    model = MLP(2, [3, 2, 1], activation="tanh", seed=1)
    loss = mse_loss(model([1.0, 0.5]), 1.0)
    loss.backward()
    assert list(adjoints(model, loss)) == ["z1", "a1", "W1", "b1", "z2", "a2", "W2", "b2", "z3", "W3", "b3"]
    layer = Layer(2, 3, activation="tanh", seed=1)
    loss = ag.sum(layer([1.0, 0.5]))
    loss.backward()
    assert list(adjoints(layer, loss)) == ["z1", "a1", "W1", "b1"]
    assert adjoints(layer, loss)["W1"].gradient.tolist() == layer.weight_grad.tolist()


@pytest.mark.parametrize("kind", ["softmax", "log_softmax"])
@pytest.mark.parametrize("classes", [[0], [2], [2, 0, 1]])
def test_softmax_layers_are_pytorchs(kind: str, classes: list[int]) -> None:
    """Also where the loss takes one output alone, and another one for each example: none changes its place."""
    torch = pytest.importorskip("torch", reason=TORCH)
    model = MLP(2, [3, 3], activation=["tanh", kind], seed=4)
    points = [[0.5, -1.0], [2.0, 0.3], [-0.7, 0.1]][: len(classes)]
    outputs = [model(point) for point in points]
    if kind == "softmax":
        loss = ag.mean([-ag.log(row[c]) for row, c in zip(outputs, classes)])
    else:
        loss = nll_loss(outputs, classes)
    loss.backward()
    table = adjoints(model, loss)
    weights = [torch.tensor(layer.weight, requires_grad=True) for layer in model.layers]
    z1 = torch.tensor(points, dtype=torch.float64) @ weights[0].T
    z2 = torch.tanh(z1) @ weights[1].T
    z1.retain_grad()
    z2.retain_grad()
    torch.nn.functional.cross_entropy(z2, torch.tensor(classes)).backward()
    expected = {"z1": z1, "z2": z2, "W1": weights[0], "W2": weights[1]}
    for name, tensor in expected.items():
        value, gradient = tensor.detach().numpy(), tensor.grad.numpy()
        if name[0] == "z" and len(classes) == 1:
            value, gradient = value[0], gradient[0]
        assert table[name].value == close(value), name
        assert table[name].gradient == close(gradient), name
    used = np.zeros((len(classes), 3), bool)
    used[range(len(classes)), classes] = True
    shown = table["a2"].value.reshape(used.shape)
    assert (np.isnan(shown) == ~used).all()  # the others are not among what the loss is made of
    assert (table["a2"].gradient.reshape(used.shape)[~used] == 0).all()
    assert shown[used] == close([row[c].data for row, c in zip(outputs, classes)])


def test_losses_that_read_the_outputs_in_another_order() -> None:
    """The number of a neuron decides where it stands, not the order in which the loss comes to it."""
    layer = Layer(1, 3, activation="tanh", seed=1)
    a, b, c = layer([2.0])
    loss = 3.0 * c + 1.0 * a + 2.0 * b
    loss.backward()
    table = adjoints(layer, loss)
    assert table["a1"].gradient.tolist() == [1.0, 2.0, 3.0]
    assert table["a1"].value.tolist() == [a.data, b.data, c.data]
    assert table["z1"].value == close(2.0 * layer.weight[:, 0])


def test_outputs_that_the_loss_leaves_out() -> None:
    """Neurons that it does not depend on are nan, with gradients of 0; the examples stay in their rows."""
    layer = Layer(1, 2, activation="linear", seed=1)
    first, second = layer([1.0])[0], layer([2.0])[0]
    loss = first + 3.0 * second
    loss.backward()
    value, gradient = adjoints(layer, loss)["z1"]
    assert value[:, 0].tolist() == [first.data, second.data]
    assert np.isnan(value[:, 1]).all()
    assert gradient.tolist() == [[1.0, 0.0], [3.0, 0.0]]


def test_equal_examples_and_networks_alike() -> None:
    """The same row twice has two rows; a second network with the same names is left out."""
    model = MLP(1, [2, 1], activation="tanh", seed=1)
    other = copy.deepcopy(model)
    loss = 1.0 * model([3.0]) + 2.0 * model([3.0]) + 5.0 * other([3.0])
    loss.backward()
    assert adjoints(model, loss)["z2"].gradient.tolist() == [[1.0], [2.0]]
    assert adjoints(other, loss)["z2"].gradient.tolist() == [5.0]
    assert adjoints(model, loss)["a1"].value.shape == (2, 2)
    many = ag.sum([model([3.0]) for _ in range(2000)])
    many.backward()
    assert adjoints(model, many)["z1"].value.shape == (2000, 2)


def test_recurrent_use() -> None:
    """A layer that reads its own output has a row for each time step, and weights that add up."""
    layer = Layer(2, 1, activation="tanh", seed=3)
    state: Any = 0.0
    states = []
    for x in (1.0, -0.5, 0.25):
        state = layer([x, state])
        states.append(state)
    state.backward()
    table = adjoints(layer, state)
    assert table["a1"].value[:, 0].tolist() == [s.data for s in states]
    w, delta, expected = layer.weight[0], 1.0, []
    for s in reversed(states):
        expected.insert(0, delta)
        delta *= (1 - s.data**2) * w[1]
    assert table["a1"].gradient[:, 0] == close(expected)
    assert table["b1"].gradient[0] == close(sum(table["z1"].gradient[:, 0]))


def test_activations_of_ones_own() -> None:
    """Of several nodes, with a parameter, and such as hand z on."""
    layer = Layer(1, 2, activation=lambda z: z * ag.sigmoid(z) + 1.0, seed=1)
    loss = ag.dot(layer([2.0]), [1.0, 10.0])
    loss.backward()
    table = adjoints(layer, loss)
    assert table["a1"].gradient.tolist() == [1.0, 10.0]
    slopes = [ag.silu(Value(z)).local_derivatives[0] for z in table["z1"].value]
    assert table["z1"].gradient == close([slopes[0], 10 * slopes[1]])
    layer = Layer(1, 2, activation=PReLU(0.5), seed=1)
    loss = ag.sum(layer([2.0]))
    loss.backward()
    assert adjoints(layer, loss)["a1"].value.tolist() == [a.data for a in layer([2.0])]
    layer = Layer(1, 2, activation=lambda z: z, seed=1)
    loss = ag.sum(layer([2.0]))
    loss.backward()
    assert list(adjoints(layer, loss)) == ["z1", "W1", "b1"]


def test_values_as_inputs_and_gradients_that_add_up() -> None:
    """W has what its parameters hold: the sum over passes until zero_grad()."""
    model = MLP(2, [2, 1], activation="tanh", seed=1)
    loss = model([Value(1.0, "x1"), Value(2.0, "x2")])
    loss.backward()
    once = adjoints(model, loss)["W1"].gradient
    loss.backward()
    assert adjoints(model, loss)["W1"].gradient.tolist() == (2 * once).tolist()
    assert adjoints(model, loss)["z2"].gradient.tolist() == [1.0]


# ----- How it is printed -----


def test_the_table() -> None:
    """A line for each row of a matrix; value and gradient side by side; what a person reads is what was computed."""
    model = MLP(1, [2, 1], activation="relu", init="zeros")
    for number, parameter in enumerate(model.parameters(), 1):
        parameter.data = float(number)
    loss = mse_loss(model([1.0]), 0.0)
    loss.backward()
    assert str(adjoints(model, loss)).splitlines() == [
        "name  shape   value      ∂L/∂name",
        "z1    (2,)    [3. 7.]    [640. 768.]",
        "a1    (2,)    [3. 7.]    [640. 768.]",
        "W1    (2, 1)  [[1.]      [[640.]",
        "               [3.]]      [768.]]",
        "b1    (2,)    [2. 4.]    [640. 768.]",
        "z2    (1,)    [64.]      [128.]",
        "W2    (1, 2)  [[5. 6.]]  [[384. 896.]]",
        "b2    (1,)    [7.]       [128.]",
    ]
    assert repr(adjoints(model, loss)) == str(adjoints(model, loss))


def test_large_networks_are_abridged() -> None:
    """No line is endless, and no layer has hundreds of lines."""
    model = MLP(30, [60, 2], activation="tanh", seed=1)
    losses = [cross_entropy(model([0.1] * 30), i % 2) for i in range(20)]
    loss = ag.mean(losses)
    loss.backward()
    lines = str(adjoints(model, loss)).splitlines()
    assert len(lines) < 80
    assert max(map(len, lines)) < 160
    assert any("..." in line for line in lines)


# ----- What is no network of the loss -----


def test_bad_input() -> None:
    """One sentence each, which names the argument."""
    model = MLP(2, [2, 1], seed=1)
    loss = binary_cross_entropy_with_logits(model([1.0, 2.0]), 1)
    cases: list[tuple[Any, Any, type[Exception], str]] = [
        (model, loss, ValueError, r"^loss has no gradients yet: call loss.backward\(\) first$"),
        (model, 3.0, TypeError, r"^loss is the Value on which backward\(\) was called, not 3.0$"),
        (model, None, TypeError, "not None$"),
        (model, [loss], TypeError, "^loss is the Value"),
        (Neuron(2, seed=1), loss, TypeError, r"^model is an MLP or a Layer, not Neuron\(2, relu\)$"),
        ("model", loss, TypeError, "not 'model'$"),
        (None, loss, TypeError, "not None$"),
    ]
    for given_model, given_loss, error, message in cases:
        with pytest.raises(error, match=message):
            adjoints(given_model, given_loss)
    loss.backward()
    for stranger in (MLP(2, [2, 1], seed=1), Layer(2, 2, seed=1)):
        with pytest.raises(ValueError, match="^loss does not depend on this model$"):
            adjoints(stranger, loss)


def test_a_part_of_a_network() -> None:
    """A layer of it has its own adjoints, called as those of a single layer."""
    model = MLP(2, [3, 1], activation="tanh", seed=1)
    loss = mse_loss(model([1.0, 0.5]), 1.0)
    loss.backward()
    whole, part = adjoints(model, loss), adjoints(model.layers[1], loss)
    assert list(part) == ["z1", "W1", "b1"]
    assert part["W1"].gradient.tolist() == whole["W2"].gradient.tolist()


def test_nan_is_shown() -> None:
    """A network that went wrong can still be looked at."""
    model = MLP(1, [1, 1], activation="tanh", seed=1)
    loss = model([math.nan])
    loss.backward()
    assert "nan" in str(adjoints(model, loss))
