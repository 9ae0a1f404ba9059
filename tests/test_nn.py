"""Neurons, layers and networks: micrograd's weights from the same seed, parameters in order, bad input."""

from __future__ import annotations

import pickle
import random
from typing import Any

import pytest

import autograd as ag
from autograd import Value
from nn import MLP, Layer, Module, Neuron


def test_weights_are_micrograds() -> None:
    """Drawn from Python's random, evenly from -1 to 1, neuron by neuron; biases are 0 and draw nothing."""
    random.seed(1337)
    model = MLP(3, [4, 1])
    random.seed(1337)
    for layer, width in zip(model.layers, (3, 4)):
        for neuron in layer.neurons:
            assert [w.data for w in neuron.w] == [random.uniform(-1, 1) for _ in range(width)]
            assert neuron.b.data == 0.0


def test_gradients_are_micrograds() -> None:
    """The same network, input and loss give the same gradients, where micrograd is installed."""
    nn = pytest.importorskip("micrograd.nn", reason="micrograd is a peer to compare with, where it is installed")
    random.seed(7)
    ours = MLP(3, [4, 4, 1])
    random.seed(7)
    theirs = nn.MLP(3, [4, 4, 1])
    for model in (ours, theirs):
        ((model([0.5, -1.0, 2.0]) - 1.0) ** 2).backward()
    assert [p.grad for p in ours.parameters()] == pytest.approx([p.grad for p in theirs.parameters()], rel=1e-12)


def test_the_same_seed_gives_the_same_network() -> None:
    """And leaves Python's own generator alone; networks without a seed differ."""
    random.seed(1)
    state = random.getstate()
    first, second = ([p.data for p in MLP(2, [3, 1], seed=5).parameters()] for _ in range(2))
    assert first == second
    assert random.getstate() == state
    assert [p.data for p in MLP(2, [3, 1]).parameters()] != [p.data for p in MLP(2, [3, 1]).parameters()]


def test_a_neuron_is_a_dot_and_its_activation() -> None:
    """Two nodes; a linear one is the dot alone."""
    z = Neuron(2, activation=ag.tanh, seed=1)([Value(1.0), 2.0])
    assert z.primitive is ag.tanh
    assert z.operands[0].primitive.name == "dot"
    assert Neuron(2, nonlin=False, seed=1)([1.0, 2.0]).primitive.name == "dot"
    assert Neuron(2, seed=1)([1.0, 2.0]).primitive is ag.relu


def test_hidden_layers_are_nonlinear_and_the_last_is_linear() -> None:
    """As in micrograd."""
    model = MLP(2, [3, 2, 1], seed=1)
    assert [layer.neurons[0].activation for layer in model.layers] == [ag.relu, ag.relu, None]
    assert repr(Neuron(2, seed=1)) == "Neuron(2, relu)"


def test_outputs() -> None:
    """One neuron gives a Value, several a list."""
    assert isinstance(Layer(2, 1, seed=1)([1, 2]), Value)
    assert len(MLP(2, [3, 2], seed=1)([1, 2])) == 2


def test_modules_find_their_parameters() -> None:
    """In attributes, lists, dicts and modules, each once, in the order in which they were set."""
    shared, other = Value(1.0), Value(2.0)

    class Whole(Module):
        def __init__(self) -> None:
            self.first = shared
            self.parts = [Neuron(1, seed=1), {"again": shared, "other": other}]
            self.itself = self

    whole = Whole()
    found = whole.parameters()
    assert found[0] is shared
    assert found[-1] is other
    assert len(found) == 4
    whole.parts[0]([shared]).backward()
    whole.zero_grad()
    assert not any(p.has_grad for p in found)


def test_xor_is_learned_and_kept() -> None:
    """A few hundred steps of gradient descent; the trained network survives pickle."""
    model = MLP(2, [4, 1], activation=ag.tanh, seed=3)
    data = [([0, 0], -1), ([0, 1], 1), ([1, 0], 1), ([1, 1], -1)]
    for _ in range(300):
        loss = ag.mean([(model(x) - y) ** 2 for x, y in data])
        model.zero_grad()
        loss.backward()
        for p in model.parameters():
            p.data -= 0.2 * p.grad
    assert loss.data < 0.05
    twin = pickle.loads(pickle.dumps(model))
    assert [twin(x).data for x, _ in data] == [model(x).data for x, _ in data]


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: MLP(2, 3), TypeError, "nouts lists"),
        (lambda: MLP(2, []), ValueError, "empty"),
        (lambda: MLP(0, [1]), ValueError, "1 or more; not 0"),
        (lambda: MLP(2, [1.5]), ValueError, "not 1.5"),
        (lambda: Neuron(2, activation="rely"), ValueError, "activation is a function, or one of .*; not 'rely'"),
        (lambda: Neuron(2, activation=3), TypeError, "function such as autograd.tanh, or its name; not 3"),
        (lambda: MLP(2, [1], seed=1)([1, 2, 3]), ValueError, "2 weights and 3 inputs"),
        (lambda: MLP(2, [1], seed=1)(3.0), TypeError, "the inputs are a list"),
        (lambda: MLP(2, [1], seed=1)(["a", 2]), TypeError, "real number"),
    ],
)
def test_bad_input(make: Any, error: type[Exception], message: str) -> None:
    """Each is an error that says what was given and what is wanted."""
    with pytest.raises(error, match=message):
        make()
