"""Modules, layers and activations: parameters and their names, files, labels, shapes, PyTorch's numbers, bad input."""

from __future__ import annotations

import copy
import json
import math
import os
import pickle
import random
import re
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd as ag
from autograd import Value, nodes
from nn import MLP, Layer, Module, Neuron
from nn.activations import BY_NAME, PReLU, chosen, identity, name_of
from nn.classifier import Classifier
from nn.labels import ModuleLabel
from nn.layers import Maxout
from nn.losses import mse_loss
from nn.module import Parameter
from nn.saving import FORMAT, VERSION, as_state
from nn.training import fit

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

TORCH = "PyTorch is a second opinion, where it is installed"


def close(expected: Any) -> Any:
    """Equal to ten digits."""
    return pytest.approx(expected, rel=1e-10, abs=1e-15)


class Parts(Module):
    """A module of whatever it is given."""

    def __init__(self, **parts: Any) -> None:
        vars(self).update(parts)


# ----- Calls -----


class Line(Module):
    """Written as for PyTorch."""

    def __init__(self) -> None:
        self.w = Parameter(2.0)

    def forward(self, row: Any, *, offset: float = 0.0) -> Value:
        return self.w * row[0] + offset


def test_forward_is_what_a_call_gives() -> None:
    """With all arguments; a `__call__` of one's own comes first."""

    class Both(Line):
        def __call__(self, row: Any) -> Value:
            return self.forward(row, offset=1.0) * 10

    assert Line()([3.0]).data == 6.0
    assert Line()([3.0], offset=1.0).data == 7.0
    assert Both()([3.0]).data == 70.0
    assert Classifier(Line()).predict([[1.0], [-1.0]]).tolist() == [1, 0]
    for choice in (False, True):
        model = Line()
        fit(model, [[1.0], [2.0]], [3.0, 6.0], loss=mse_loss, compile=choice, progress=False)
        assert abs(model.w.data - 3.0) < 1e-2


def test_a_module_that_computes_nothing() -> None:
    """It may be a part of others; called, it tells what it lacks, also where `forward` is a Value."""
    told = r"^Parts says nowhere what it gives: define __call__\(self, x\) in it, or forward\(self, x\)$"
    for module in (Parts(w=Value(1.0)), Parts(forward=Value(1.0))):
        with pytest.raises(TypeError, match=told):
            module([1.0])
        with pytest.raises(TypeError, match="^model is called on a row"):
            fit(module, [[1.0]], [1.0], loss=mse_loss)


# ----- Parameters -----


def test_parameters_are_found_by_place() -> None:
    """In attributes, lists, tuples, dicts and modules, to any depth; numbers and results are none."""
    a, b, c, d = (Parameter(x) for x in (1.0, 2.0, 3.0, 4.0))
    whole = Parts(a=a, many=[b, (c, {"key": d, 3: Value(5.0)})], constant=2.0, text="a", nothing=None)
    whole.part = Parts(weight=Value(6.0), again=a, result=a * b, whole=whole)
    names = [name for name, _ in whole.named_parameters()]
    assert names == ["a", "many.0", "many.1.0", "many.1.1.key", "many.1.1.3", "part.weight"]
    assert [p.data for p in whole.parameters()] == [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]
    assert Parts().parameters() == []
    assert Parts().state_dict() == {}


def test_names_of_a_network() -> None:
    """Neuron by neuron, weights before the bias, as micrograd lists them."""
    names = [name for name, _ in MLP(2, [2, 1], seed=1).named_parameters()]
    assert names == [
        *(f"layers.0.neurons.{i}.{part}" for i in range(2) for part in ("w.0", "w.1", "b")),
        *(f"layers.1.neurons.0.{part}" for part in ("w.0", "w.1", "b")),
    ]


@given(st.integers(1, 5), st.lists(st.integers(1, 5), min_size=1, max_size=4))
@settings(deadline=None, max_examples=30)
def test_counts_and_shapes(nin: int, nouts: list[int]) -> None:
    """(nin + 1) nout parameters for each layer; weights and gradients in the shape nout × nin."""
    model = MLP(nin, nouts, seed=1)
    sizes = [nin, *nouts]
    pairs = list(zip(sizes, sizes[1:]))
    assert len(model.parameters()) == sum((m + 1) * n for m, n in pairs) == len(set(model.parameters()))
    outputs = model([1.0] * nin)
    outputs = [outputs] if isinstance(outputs, Value) else outputs
    assert len(outputs) == nouts[-1]
    ag.sum(outputs).backward()
    for layer, (m, n) in zip(model.layers, pairs):
        assert layer.weight.shape == layer.weight_grad.shape == (n, m)
        assert layer.bias.shape == layer.bias_grad.shape == (n,)
        for i, neuron in enumerate(layer.neurons):
            assert layer.weight[i].tolist() == [w.data for w in neuron.w]
            assert layer.weight_grad[i].tolist() == [w.grad for w in neuron.w]
            assert (layer.bias[i], layer.bias_grad[i]) == (neuron.b.data, neuron.b.grad)
    assert (model.layers[-1].bias_grad == 1).all()


def test_a_layer_is_a_matrix_product() -> None:
    """z = W x + b; the gradient of W is that of z times x, that of x is Wᵀ times that of z."""
    layer = Layer(3, 4, activation="linear", seed=2)
    for neuron in layer.neurons:
        neuron.b.data = random.Random(3).random()
    x = [Value(0.5), Value(-1.0), Value(2.0)]
    z = layer(x)
    numbers = np.array([value.data for value in x])
    assert [value.data for value in z] == close(layer.weight @ numbers + layer.bias)
    upstream = np.array([1.0, -2.0, 0.5, 3.0])
    ag.dot(z, upstream).backward()
    assert layer.weight_grad == close(np.outer(upstream, numbers))
    assert layer.bias_grad == close(upstream)
    assert [value.grad for value in x] == close(layer.weight.T @ upstream)


def test_layers_without_activation_are_one_matrix() -> None:
    """Why the identity alone collapses a deep net."""
    model = MLP(2, [5, 4, 3], nonlin=False, seed=1)
    product = np.eye(2)
    for layer in model.layers:
        product = layer.weight @ product
    outputs = model([0.3, -0.7])
    assert [value.data for value in outputs] == close(product @ [0.3, -0.7])


def test_zero_grad_and_shared_parameters() -> None:
    """A parameter in two places gets the sum of both, is moved once and forgotten once."""
    shared = Value(3.0)
    pair = Parts(left=shared, right=[shared])
    (pair.left * pair.right[0]).backward()
    assert [p.grad for p in pair.parameters()] == [6.0]
    pair.zero_grad()
    assert not shared.has_grad
    assert pair.state_dict() == {"left": 3.0}


# ----- PyTorch -----

ACTIVATIONS = ["step", "sigmoid", "tanh", "relu", "leaky_relu", "elu", "softplus", "silu", "identity"]


def theirs_of(name: str) -> Callable[[Any], Any]:
    """PyTorch's activation of that name."""
    torch = pytest.importorskip("torch", reason=TORCH)
    if name == "step":
        return lambda x: (x > 0).to(x.dtype) + 0 * x
    if name in ("identity", "linear"):
        return lambda x: 1 * x
    return torch.tanh if name == "tanh" else getattr(torch.nn.functional, name)  # type: ignore[no-any-return]


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activations_are_pytorchs(name: str) -> None:
    """Values and gradients, from -1000 to 1000 and at the kink; ReLU and its kin have PyTorch's convention there."""
    torch = pytest.importorskip("torch", reason=TORCH)
    function = chosen(name) or identity
    for number in [-1000.0, -30.0, -2.5, -1e-3, -0.0, 0.0, 1e-3, 0.5, 3.0, 40.0, 1000.0]:
        x, tensor = Value(number), torch.tensor(number, dtype=torch.float64, requires_grad=True)
        result = 1.0 * function(x)
        result.backward()
        expected = theirs_of(name)(tensor)
        expected.backward()
        assert result.data == close(expected.item()), number
        assert x.grad == close(tensor.grad.item()), number


def test_every_activation_was_compared() -> None:
    """But those of whole layers, which are below, and the other name of the identity."""
    assert {*ACTIVATIONS, "softmax", "log_softmax", "linear"} == set(BY_NAME)


@pytest.mark.parametrize("name", ["softmax", "log_softmax"])
def test_softmax_layers_are_pytorchs(name: str) -> None:
    """One function of all outputs of the layer."""
    torch = pytest.importorskip("torch", reason=TORCH)
    layer = Layer(3, 4, activation=name, seed=1)
    weight = torch.tensor(layer.weight, requires_grad=True)
    upstream = [1.0, -2.0, 0.5, 3.0]
    expected = getattr(torch, name)(weight @ torch.tensor([0.5, -1.0, 2.0], dtype=torch.float64), 0)
    (expected @ torch.tensor(upstream, dtype=torch.float64)).backward()
    outputs = layer([0.5, -1.0, 2.0])
    ag.dot(outputs, upstream).backward()
    assert [value.data for value in outputs] == close(expected.detach().numpy())
    assert layer.weight_grad == close(weight.grad.numpy())
    assert [value.label for value in outputs] == ["a[1]", "a[2]", "a[3]", "a[4]"]


@pytest.mark.parametrize("name", [*ACTIVATIONS, "softmax"])
def test_gradients_of_a_network_are_pytorchs(name: str) -> None:
    """An MLP's loss and the gradients of all weights and biases, from the same numbers."""
    torch = pytest.importorskip("torch", reason=TORCH)
    function = (lambda x: torch.softmax(x, -1)) if name == "softmax" else theirs_of(name)
    draw = np.random.default_rng(1)
    model = MLP(3, [5, 4, 2], activation=name, init="gaussian", seed=draw)
    for p in model.parameters():
        p.data += draw.normal(0, 0.1)
    points, wanted = draw.normal(0, 1, (6, 3)), draw.normal(0, 1, (6, 2))
    loss = mse_loss([model(point) for point in points], wanted)
    loss.backward()
    weights = [torch.tensor(layer.weight, requires_grad=True) for layer in model.layers]
    biases = [torch.tensor(layer.bias, requires_grad=True) for layer in model.layers]
    signal = torch.tensor(points)
    for i, (weight, bias) in enumerate(zip(weights, biases)):
        signal = signal @ weight.T + bias
        signal = function(signal) if i < 2 else signal
    expected = torch.nn.functional.mse_loss(signal, torch.tensor(wanted))
    expected.backward()
    assert loss.data == close(expected.item())
    for layer, weight, bias in zip(model.layers, weights, biases):
        assert layer.weight_grad == close(weight.grad.numpy() if weight.grad is not None else 0 * layer.weight)
        assert layer.bias_grad == close(bias.grad.numpy() if bias.grad is not None else 0 * layer.bias)


def test_prelu_is_pytorchs_and_learns() -> None:
    """Its slope is a parameter of the network; its gradient is the sum over all that is negative."""
    torch = pytest.importorskip("torch", reason=TORCH)
    model = Layer(2, 3, activation=PReLU(0.1), seed=1)
    assert len(model.parameters()) == 10
    slope = dict(model.named_parameters())["neurons.0.activation.negative_slope"]
    x = [1.0, -2.0]
    outputs = model(x)
    ag.sum(outputs).backward()
    weight = torch.tensor(model.weight, requires_grad=True)
    tensor = torch.tensor([0.1], dtype=torch.float64, requires_grad=True)
    expected = torch.nn.functional.prelu(weight @ torch.tensor(x, dtype=torch.float64), tensor)
    expected.sum().backward()
    assert [value.data for value in outputs] == close(expected.detach().numpy())
    assert slope.grad == close(tensor.grad.item())
    assert model.weight_grad == close(weight.grad.numpy())


# ----- Which activation goes where -----


def test_activations_of_layers() -> None:
    """Hidden layers have the one that is given; a list gives each layer its own, None a linear one."""
    model = MLP(2, [3, 2, 1], activation="tanh", seed=1)
    assert [layer.neurons[0].activation for layer in model.layers] == [ag.tanh, ag.tanh, None]
    model = MLP(2, [3, 2, 2], activation=["tanh", None, "softmax"], seed=1)
    assert [layer.neurons[0].activation for layer in model.layers] == [ag.tanh, None, None]
    assert sum(value.data for value in model([1.0, 2.0])) == close(1.0)
    assert MLP(2, [3, 1], nonlin=False, activation=["tanh", "tanh"], seed=1).layers[0].neurons[0].activation is None
    assert Neuron(2, activation=identity).activation is None
    assert Neuron(2, nonlin=False, activation="tanh").activation is None
    written = "MLP(Layer of 3 × Neuron(2, tanh), Layer of 1 × Neuron(3, linear))"
    assert repr(MLP(2, [3, 1], activation="tanh", seed=1)) == written
    assert repr(Layer(2, 3, activation="softmax", seed=1)) == "Layer of 3 × Neuron(2, linear), softmax"
    assert name_of(PReLU()) == "PReLU"


@given(st.integers(1, 4), st.integers(1, 5), st.integers(0, 10**6))
@settings(deadline=None, max_examples=40)
def test_maxout_is_the_largest_sum(nin: int, pieces: int, seed: int) -> None:
    """max over pieces of W x + b; the gradient of that piece is x and 1, of all others 0, of x the piece's weights."""
    draw = np.random.default_rng(seed)
    unit = Maxout(nin, pieces, seed=draw)
    for neuron in unit.neurons:
        neuron.b.data = draw.normal()
    weight = np.array([[w.data for w in neuron.w] for neuron in unit.neurons])
    bias = np.array([neuron.b.data for neuron in unit.neurons])
    x = [Value(number) for number in draw.normal(0, 1, nin)]
    numbers = np.array([value.data for value in x])
    out = unit(x)
    out.backward()
    sums = weight @ numbers + bias
    largest = int(sums.argmax())
    assert out.data == close(sums.max())
    for i, neuron in enumerate(unit.neurons):
        assert [w.grad for w in neuron.w] == close(numbers * (i == largest))
        assert neuron.b.grad == (i == largest)
    assert [value.grad for value in x] == close(weight[largest])


def test_maxout_makes_relu_and_the_absolute_value() -> None:
    """Of pieces x and 0, and of x and -x; a tie of two is split evenly."""
    unit = Maxout(1, 2, seed=1)
    (first,), (second,) = (neuron.w for neuron in unit.neurons)
    for other, function in [(0.0, ag.relu), (-1.0, ag.absolute)]:
        first.data, second.data = 1.0, other
        for number in (-2.0, 0.5, 3.0):
            assert unit([number]).data == function(number)
    unit([0.0]).backward()
    assert [neuron.b.grad for neuron in unit.neurons] == [0.5, 0.5]
    assert len(unit.parameters()) == 4
    assert repr(unit) == "Maxout of 2 × Neuron(1, linear)"


def test_activations_of_ones_own() -> None:
    """Any function of one Value."""
    neuron = Neuron(1, activation=lambda z: z * z, seed=1)
    out = neuron([3.0])
    assert out.data == close((3 * neuron.w[0].data) ** 2)
    assert identity(2.0) == 2.0


# ----- Labels -----


def test_nodes_are_labelled_as_in_lectures() -> None:
    """z and a with the layer and the neuron, W with both and the input; of a single neuron without its number."""
    model = MLP(2, [2, 1], activation="tanh", seed=1)
    out = model([Value(1.0, "x1"), 2.0])
    labels = [str(node.label) for node in nodes(out)]
    assert {"z1[1]", "a1[1]", "z1[2]", "a1[2]", "z2", "x1"} <= set(labels)
    assert out.label == "z2"
    assert [str(p.label) for p in model.parameters()] == [
        *("W1[1,1]", "W1[1,2]", "b1[1]", "W1[2,1]", "W1[2,2]", "b1[2]"),
        *("w2[1]", "w2[2]", "b2"),
    ]
    assert "tanh(z1[2])" in str(ag.table(out))
    assert [str(w.label) for w in Neuron(2, seed=1).parameters()] == ["w[1]", "w[2]", "b"]


def test_labels_know_their_module() -> None:
    """The path of the neuron and of the layer, and what part it is; they are text, and survive copying."""
    out = MLP(2, [2, 1], seed=1)([1.0, 2.0])
    found = {node.label: node.label for node in nodes(out) if isinstance(node.label, ModuleLabel)}
    a = found["a1[2]"]
    assert (a.neuron, a.layer, a.part) == ("layers.0.neurons.1", "layers.0", "a")
    assert (found["z2"].neuron, found["z2"].part, found["W1[2,1]"].part) == ("layers.1.neurons.0", "z", "w")
    for twin in (copy.copy(a), copy.deepcopy(a), pickle.loads(pickle.dumps(a))):
        assert isinstance(twin, ModuleLabel)
        assert (twin, twin.neuron, twin.layer, twin.part) == ("a1[2]", "layers.0.neurons.1", "layers.0", "a")
    out = pickle.loads(pickle.dumps(out))
    assert out.label.neuron == "layers.1.neurons.0"


def test_copies_of_networks() -> None:
    """deepcopy and pickle give a network of its own, with the same numbers."""
    model = MLP(2, [3, 1], activation="tanh", seed=1)
    for twin in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        assert twin.state_dict() == model.state_dict()
        assert twin([1.0, 2.0]).data == model([1.0, 2.0]).data
        assert not set(twin.parameters()) & set(model.parameters())


# ----- States and files -----


def test_states() -> None:
    """A round trip sets every number, and forgets gradients."""
    model, other = (MLP(2, [3, 1], seed=seed) for seed in (1, 2))
    other([1.0, 2.0]).backward()
    other.load_state_dict(model.state_dict())
    assert other.state_dict() == model.state_dict()
    assert not any(p.has_grad for p in other.parameters())
    part = Parts(w=Value(1.0))
    part.load_state_dict({"w": 3})
    assert (part.w.data, type(part.w.data)) == (3.0, float)


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=5))
@settings(deadline=None, max_examples=50)
def test_states_survive_json(numbers: list[float]) -> None:
    """To the last bit."""
    module = Parts(w=[Value(x) for x in numbers])
    state = json.loads(json.dumps(module.state_dict()))
    fresh = Parts(w=[Value(0.0) for _ in numbers])
    fresh.load_state_dict(state)
    assert [math.copysign(1, p.data) * abs(p.data) for p in fresh.parameters()] == numbers
    assert str([p.data for p in fresh.parameters()]) == str(numbers)


@pytest.mark.parametrize(
    ("state", "error", "message"),
    [
        (None, TypeError, "a state is a dictionary from names to numbers, not a NoneType"),
        ([1.0, 2.0], TypeError, "not a list"),
        ({}, ValueError, "2 parameters are missing, such as 'a'"),
        ({"a": 1.0}, ValueError, "1 parameter is missing, such as 'b'"),
        ({"a": 1.0, "b": 2.0, "c": 3.0}, ValueError, "1 parameter is not in this model, such as 'c'"),
        ({"a": 1.0, "b": "2"}, ValueError, "b is '2', not a number"),
        ({"a": 1.0, "b": True}, ValueError, "b is True, not a number"),
        ({"a": 1.0, "b": None}, ValueError, "b is None, not a number"),
        ({"a": 1.0, "b": 10**400}, ValueError, "too large"),
    ],
)
def test_bad_states(state: Any, error: type[Exception], message: str) -> None:
    """Nothing is changed then."""
    module = Parts(a=Value(5.0), b=Value(6.0))
    with pytest.raises(error, match=re.escape(message) if error is ValueError else message) as caught:
        module.load_state_dict(state)
    assert "\n" not in str(caught.value)
    assert module.state_dict() == {"a": 5.0, "b": 6.0}
    with pytest.raises(error):
        as_state(state, ["a", "b"])


def test_files(tmp_path: Path) -> None:
    """JSON that a person can read; the twin computes the same."""
    model, twin = (MLP(2, [3, 1], seed=seed) for seed in (1, 2))
    path = model.save(tmp_path / "model é.json")
    assert model.save(str(path)) == path
    twin.load(str(path))
    assert twin([0.3, 0.7]).data == model([0.3, 0.7]).data
    content = json.loads(path.read_text("utf-8"))
    assert content == {"format": FORMAT, "version": VERSION, "parameters": model.state_dict()}
    assert [entry.name for entry in tmp_path.iterdir()] == ["model é.json"]


BAD_FILES = {
    "empty": ("", "no model"),
    "truncated": ('{"format": "chalkgrad model", "version": 1, "parameters": {"a": 1.0', "no model"),
    "not JSON": ("weights", "no model"),
    "binary": ("\x00\x01", "no model"),
    "endless": ("[" * 100_000, "no model"),
    "a list": ("[1, 2]", "no model that chalkgrad wrote"),
    "another's": ('{"parameters": {"a": 1.0}}', "no model that chalkgrad wrote"),
    "of tomorrow": (json.dumps({"format": FORMAT, "version": 99, "parameters": {}}), "has version 99"),
    "without parameters": (json.dumps({"format": FORMAT, "version": VERSION}), "has no parameters"),
    "of lists": (json.dumps({"format": FORMAT, "version": VERSION, "parameters": [1]}), "has no parameters"),
    "of another shape": (
        json.dumps({"format": FORMAT, "version": VERSION, "parameters": {"a": 1.0}}),
        "1 parameter is missing, such as 'b'",
    ),
    "of text": (
        json.dumps({"format": FORMAT, "version": VERSION, "parameters": {"a": 1.0, "b": "2"}}),
        "b is '2', not a number",
    ),
}


@pytest.mark.parametrize("kind", BAD_FILES)
def test_bad_files(kind: str, tmp_path: Path) -> None:
    """Each is an error that names the file; nothing is changed."""
    text, message = BAD_FILES[kind]
    path = tmp_path / "model.json"
    path.write_text(text, "utf-8")
    module = Parts(a=Value(5.0), b=Value(6.0))
    with pytest.raises(ValueError, match=re.escape(message)) as caught:
        module.load(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)
    assert module.state_dict() == {"a": 5.0, "b": 6.0}


def test_files_that_cannot_be_read_or_written(tmp_path: Path) -> None:
    """Python's own errors name the file."""
    module = Parts(a=Value(5.0))
    with pytest.raises(FileNotFoundError, match=re.escape("none.json")):
        module.load(tmp_path / "none.json")
    with pytest.raises(IsADirectoryError):
        module.load(tmp_path)
    with pytest.raises(FileNotFoundError):
        module.save(tmp_path / "no folder" / "model.json")


def test_an_interrupted_write_leaves_the_file_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And nothing beside it."""
    module = Parts(a=Value(5.0))
    path = module.save(tmp_path / "model.json")
    before = path.read_bytes()
    module.a.data = 6.0

    def interrupted(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        module.save(path)
    assert path.read_bytes() == before
    assert [entry.name for entry in tmp_path.iterdir()] == ["model.json"]


# ----- Bad input -----


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: Neuron(0), ValueError, "nin is a number of neurons or inputs, 1 or more; not 0"),
        (lambda: Neuron("2"), ValueError, "nin is a number .* not '2'"),
        (lambda: Neuron(2.0), ValueError, "nin is a number .* not 2.0"),
        (lambda: Neuron(True), ValueError, "nin is a number"),
        (lambda: Neuron(-1), ValueError, "not -1"),
        (lambda: Neuron(None), ValueError, "not None"),
        (lambda: Layer(2, 0), ValueError, "nout is a number .* not 0"),
        (lambda: Layer(2, "3"), ValueError, "nout is a number .* not '3'"),
        (lambda: MLP(2, "31"), TypeError, r"nouts lists the number of neurons of each layer, such as \[16, 16, 1\]"),
        (lambda: MLP(2, None), TypeError, "nouts lists"),
        (lambda: MLP(2, [3, None]), ValueError, "not None"),
        (lambda: MLP(math.nan, [3]), ValueError, "not nan"),
        (
            lambda: Neuron(2, activation="rellu"),
            ValueError,
            "activation is a function, or one of 'identity', .*'rellu'",
        ),
        (lambda: Neuron(2, activation=3), TypeError, "activation is a function such as autograd.tanh, or its name"),
        (lambda: MLP(2, [3, 1], activation=["tanh"]), ValueError, "activation lists one for each of the 2 layers; 1 "),
        (lambda: MLP(2, [3, 1], activation=["tanh", 3]), TypeError, "activation is a function"),
        (lambda: Neuron(2)([1.0]), ValueError, "a list of 2 numbers, not of 1"),
        (lambda: Layer(2, 3)(1.0), TypeError, r"the inputs are a list, such as \[1.0, 2.0\]; not 1.0"),
        (lambda: MLP(2, [3])(None), TypeError, "the inputs are a list"),
        (lambda: MLP(2, [3])("ab"), TypeError, r"the inputs are a list, such as \[1.0, 2.0\]; not 'ab'"),
        (lambda: MLP(2, [3])([1.0, None]), TypeError, "not None"),
        (lambda: MLP(2, [3])(np.ones((2, 2))), TypeError, "not 2 rows in a list: call it"),
        (lambda: MLP(2, [3])([]), ValueError, "a list of 2 numbers, not of 0"),
        (lambda: MLP(2, [3])([10**400, 1.0]), OverflowError, "1.8e308"),
        (lambda: Maxout(2, 0), ValueError, "pieces is a number .* not 0"),
        (lambda: Maxout(0), ValueError, "nin is a number"),
        (lambda: Maxout(2)(1.0), TypeError, "the inputs are a list"),
        (lambda: PReLU("a"), TypeError, "^negative_slope is a number, not 'a'$"),
    ],
)
def test_bad_input(make: Callable[[], Any], error: type[Exception], message: str) -> None:
    """Each is one sentence that says what was given and what is wanted."""
    with pytest.raises(error, match=message) as caught:
        make()
    assert "\n" not in str(caught.value)


def test_nan_as_input_is_passed_on() -> None:
    """Data that is nan stays nan through a network."""
    assert math.isnan(MLP(2, [3, 1], activation="tanh", seed=1)([math.nan, 1.0]).data)
    assert math.isnan(MLP(2, [3, 1], seed=1)([math.nan, 1.0]).data)
