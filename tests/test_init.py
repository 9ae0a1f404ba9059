"""Initialisers: their means and variances within five standard errors, who breaks the symmetry, seeds, bad input."""

from __future__ import annotations

import math
import random
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import autograd as ag
from nn import MLP, Layer, Neuron
from nn import init as initialisers
from nn.init import BY_NAME, constant, gaussian, he, initialiser, uniform, xavier, zeros
from nn.randomness import source

if TYPE_CHECKING:
    from collections.abc import Callable

#: The variance that each is to have, and its kurtosis μ4 / σ⁴: 3 for normal numbers, 9/5 for even ones.
FORMULAS: dict[str, tuple[Callable[[int, int], float], float]] = {
    "uniform": (lambda nin, nout: 1 / 3, 9 / 5),
    "gaussian": (lambda nin, nout: 1 / nin, 3),
    "he": (lambda nin, nout: 2 / nin, 3),
    "xavier": (lambda nin, nout: 2 / (nin + nout), 3),
}
SIZES = [(1, 1), (2, 16), (16, 1), (100, 300)]
DRAWN = 20_000

MAKERS = [lambda: random.Random(7), lambda: np.random.default_rng(7), lambda: 7]


@pytest.mark.parametrize("make", MAKERS, ids=["Python's", "NumPy's", "a number"])
@pytest.mark.parametrize("name", FORMULAS)
def test_means_and_variances(name: str, make: Callable[[], Any]) -> None:
    """Of 20,000 numbers: the error of the mean is σ/√n, that of the variance σ² √((κ - 1)/n)."""
    formula, kurtosis = FORMULAS[name]
    draw = source(make())
    for nin, nout in SIZES:
        sample = np.array([BY_NAME[name](draw, nin, nout) for _ in range(DRAWN)])
        variance = formula(nin, nout)
        assert abs(sample.mean()) < 5 * math.sqrt(variance / DRAWN)
        assert abs(sample.var() - variance) < 5 * variance * math.sqrt((kurtosis - 1) / DRAWN)


@pytest.mark.parametrize("name", FORMULAS)
def test_layers_and_networks_hand_on_their_sizes(name: str) -> None:
    """The weights of a layer have the variance of its own nin and nout; biases start at 0."""
    formula, kurtosis = FORMULAS[name]
    for layer in (Layer(40, 60, init=name, seed=1), MLP(3, [40, 60, 2], init=BY_NAME[name], seed=2).layers[1]):
        weights = layer.weight.ravel()
        assert weights.size == 2400
        variance = formula(40, 60)
        assert abs(weights.mean()) < 5 * math.sqrt(variance / weights.size)
        assert abs(weights.var() - variance) < 5 * variance * math.sqrt((kurtosis - 1) / weights.size)
        assert not layer.bias.any()


def test_the_size_of_z_does_not_depend_on_the_number_of_inputs() -> None:
    """MIT 6.036: with variance 1 / nin, z of inputs of size 1 has variance 1; micrograd's grows with nin."""
    inputs = [1.0, -1.0] * 50
    for nin in (2, 20, 100):
        layer = Layer(nin, 500, activation="linear", init="gaussian", seed=3)
        z = np.array([z.data for z in layer(inputs[:nin])])
        assert abs(z.var() - 1) < 5 * math.sqrt(2 / 500)
        wide = Layer(nin, 500, activation="linear", seed=3)
        z = np.array([z.data for z in wide(inputs[:nin])])
        assert z.var() == pytest.approx(nin / 3, rel=0.35)


def test_he_keeps_the_signal_through_relu() -> None:
    """The mean square of what comes out of eight layers is near that of the inputs; gaussian halves it each time."""
    draw = random.Random(5)
    inputs = [draw.gauss(0, 1) for _ in range(60)]
    sizes = {}
    for init in ("he", "gaussian"):
        signal: Any = inputs
        with ag.no_grad():
            for seed in range(8):
                signal = Layer(60, 60, init=init, seed=seed)(signal)
        sizes[init] = np.mean([x.data**2 for x in signal]) / np.mean(np.square(inputs))
    assert 0.2 < sizes["he"] < 5
    assert sizes["gaussian"] < 0.1
    assert sizes["gaussian"] == pytest.approx(sizes["he"] / 2**8, rel=1e-6)  # the same draws, each smaller by √2


def test_symmetry_is_broken_by_all_but_constants() -> None:
    """Neurons that start equal get equal gradients; of zeros nothing passes a relu, not even to the weights before."""
    for init in (constant(0.5), zeros):
        model = MLP(2, [3, 1], init=init)
        (model([1.0, 2.0]) - 1.0).backward()
        first = model.layers[0].weight_grad
        assert (first == first[0]).all()
        assert first.any() == (init is not zeros)
    assert not MLP(2, [3, 1], init="zeros").layers[1].weight.any()
    for name in FORMULAS:
        model = MLP(2, [3, 1], activation="tanh", init=name, seed=1)
        (model([1.0, 2.0]) - 1.0).backward()
        assert len({tuple(row) for row in model.layers[0].weight_grad.tolist()}) == 3


def test_by_name_or_as_a_function() -> None:
    """The same numbers; one of your own gets nin and nout."""
    for name, function in BY_NAME.items():
        by_name, by_function = (MLP(2, [3, 1], init=init, seed=4) for init in (name, function))
        assert by_name.state_dict() == by_function.state_dict()
        assert initialiser(name) is function is initialiser(function)
    assert initialiser(None) is uniform
    asked = []

    def own(draw: Any, nin: int, nout: int) -> float:
        asked.append((nin, nout))
        return draw.random()

    MLP(2, [3, 1], init=own, seed=1)
    assert asked == [(2, 3)] * 6 + [(3, 1)] * 3
    asked.clear()
    Neuron(2, init=own)
    assert asked == [(2, 1)] * 2


def test_exported() -> None:
    """The list of the module is that of its functions."""
    assert set(initialisers.__all__) == {*BY_NAME, "constant"}
    assert {gaussian, he, xavier, uniform, zeros} == set(BY_NAME.values())


@pytest.mark.parametrize("make", MAKERS, ids=["Python's", "NumPy's", "a number"])
def test_a_seed_repeats_itself(make: Callable[[], Any]) -> None:
    """For all initialisers; a generator that is handed on draws further."""
    for name in BY_NAME:
        first, second = (MLP(3, [4, 2], init=name, seed=make()).state_dict() for _ in range(2))
        assert first == second
    generator = make()
    if not isinstance(generator, int):
        assert MLP(3, [4, 2], seed=generator).state_dict() != MLP(3, [4, 2], seed=generator).state_dict()


def test_sources_draw_what_they_say() -> None:
    """Ranges, moments and shuffling of both kinds of generators."""
    for make in MAKERS:
        draw = source(make())
        assert all(0 <= draw.random() < 1 for _ in range(100))
        assert all(2 <= draw.uniform(2, 3) <= 3 for _ in range(100))
        sample = np.array([draw.gauss(5, 2) for _ in range(5000)])
        assert abs(sample.mean() - 5) < 5 * 2 / math.sqrt(5000)
        assert abs(sample.var() - 4) < 5 * 4 * math.sqrt(2 / 5000)
        cards = list(range(50))
        draw.shuffle(cards)
        assert cards != sorted(cards) == list(range(50))


@pytest.mark.parametrize("seed", ["1", 1.5, True, object(), [1]])
def test_bad_seeds(seed: Any) -> None:
    """What is no seed is said to be none."""
    with pytest.raises(TypeError, match=r"seed is a whole number, a numpy.random.Generator or None; not ") as caught:
        MLP(2, [1], seed=seed)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("init", "error", "message"),
    [
        ("kaiming", ValueError, "init is one of 'uniform', 'zeros', .*; not 'kaiming'"),
        ("", ValueError, "init is one of"),
        (3, TypeError, "init is a name such as 'he' or a function of nn.init, not 3"),
        ([uniform], TypeError, "init is a name"),
        (lambda nin, nout: 1.0, TypeError, r"as init\(source, nin, nout\); <lambda> takes \(nin, nout\)$"),
        (constant, TypeError, r"as init\(source, nin, nout\); constant takes \(value\)$"),
        (lambda *_: "a", TypeError, "^what init gives is a number, not 'a'$"),
    ],
)
def test_bad_initialisers(init: Any, error: type[Exception], message: str) -> None:
    """Each by its argument."""
    with pytest.raises(error, match=message):
        Layer(2, 1, init=init)


@pytest.mark.parametrize("name", FORMULAS)
def test_initialisers_are_no_factories(name: str) -> None:
    """As `constant` is: called with a number, each says how it is given."""
    with pytest.raises(TypeError, match=rf"^{name} is given as it is, init={name}: layers call it for each weight"):
        getattr(initialisers, name)(0.1)
    draw = getattr(initialisers, name)
    assert draw(source=random.Random(1), nin=2, nout=1) == draw(random.Random(1), 2, 1)
