"""Neurons, layers and networks: micrograd's weights from the same seed, parameters in order; bad input of all of nn."""

from __future__ import annotations

import inspect
import math
import pickle
import random
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd as ag
import nn
from autograd import Value
from nn import MLP, Classifier, Layer, Module, Neuron, datasets

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


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
    assert [layer.neurons[0].nonlin for layer in model.layers] == [True, True, False]
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
        (lambda: MLP(2, [1], seed=1)([1, 2, 3]), ValueError, "^the inputs are a list of 2 numbers, not of 3$"),
        (lambda: Layer(1, 2)([1, 2, 3]), ValueError, "^the inputs are a list of 1 number, not of 3$"),
        (lambda: Neuron(2)([]), ValueError, "^the inputs are a list of 2 numbers, not of 0$"),
        (lambda: nn.Maxout(2)(iter([1.0])), ValueError, "^the inputs are a list of 2 numbers, not of 1$"),
        (lambda: Neuron(2)(3.0), TypeError, "the inputs are a list"),
        (lambda: MLP(2, [3, 1])(ROWS), TypeError, r"not 4 rows in a list: call it .*\[model\(row\) for row in X\]$"),
        (lambda: MLP(2, [3, 1])(ROWS[:2]), TypeError, "are one row, a list of 2 numbers, not 2 rows in a list"),
        (lambda: Layer(2, 3)(np.array(ROWS)[:2]), TypeError, "not 2 rows in a list: call it for each row"),
        (lambda: Neuron(1)([[1.0]]), TypeError, "a list of 1 number, not 1 row in a list: call it"),
        (lambda: MLP(2, [1], seed=1)(3.0), TypeError, "the inputs are a list"),
        (lambda: MLP(2, [1], seed=1)(["a", 2]), TypeError, "real number"),
    ],
)
def test_bad_input(make: Any, error: type[Exception], message: str) -> None:
    """Each is an error that says what was given and what is wanted."""
    with pytest.raises(error, match=message):
        make()


# ----- Every public call with good and with bad input -----

ROWS, LABELS = [[0.0, 1.0], [1.0, 0.0], [1.0, 1.0], [0.0, 0.0]], [0, 1, 0, 1]
SINGLE = {"input": [0.5, 0.25], "target": [1.0, 1.0], "reduction": "mean"}
OF_CLASSES = {"input": [[0.5, 0.2, 0.1]], "target": [1], "reduction": "mean"}
POINTS = {"n": 4, "noise": 0.1, "seed": 1}
PART = {"nonlin": True, "activation": "tanh", "init": "he", "seed": 1}


def network() -> MLP:
    return MLP(2, [2, 1], seed=1)


def passed() -> dict[str, Any]:
    """A network and a loss whose backward pass was run."""
    model = network()
    loss = nn.mse_loss(model([1.0, 2.0]), 0.5)
    loss.backward()
    return {"model": model, "loss": loss}


def history() -> nn.History:
    loss = nn.binary_cross_entropy_with_logits
    return nn.fit(network(), ROWS, LABELS, loss=loss, epochs=2, progress=False)


def of_classifier(method: str) -> Callable[..., Any]:
    return lambda **arguments: getattr(Classifier(network(), ["a", "b"]), method)(**arguments)


def of_scaling(method: str) -> Callable[..., Any]:
    return lambda X: getattr(datasets.Scaling([0.0, 0.0], [1.0, 1.0]), method)(X)


#: For each public name, arguments that are right. It is called with them, and with each of them replaced by bad ones.
CALLS: dict[str, Callable[[], dict[str, Any]]] = {
    "MLP": lambda: {"nin": 2, "nouts": [2, 1], **PART},
    "Layer": lambda: {"nin": 2, "nout": 2, **PART},
    "Neuron": lambda: {"nin": 2, **PART},
    "Maxout": lambda: {"nin": 2, "pieces": 2, "init": "he", "seed": 1},
    "PReLU": lambda: {"negative_slope": 0.2},
    "Module": dict,
    "Parameter": lambda: {"data": 1.0},
    "SGD": lambda: {
        "params": [Value(1.0)],
        "lr": 0.1,
        "momentum": 0.9,
        "dampening": 0,
        "weight_decay": 0,
        "nesterov": False,
    },
    "Adam": lambda: {"params": [Value(1.0)], "lr": 0.1, "betas": (0.9, 0.99), "eps": 1e-8, "weight_decay": 0},
    "Checkpoint": lambda: {"path": "run.json", "every": 1},
    "Classifier": lambda: {
        "model": network(),
        "classes": ["a", "b"],
        "outputs": "scores",
        "scaling": datasets.Scaling([0.0, 0.0], [1.0, 1.0]),
    },
    "History": dict,
    "adjoints": passed,
    **dict.fromkeys(("mse_loss", "l1_loss", "hinge_loss"), lambda: SINGLE),
    **dict.fromkeys(("binary_cross_entropy", "binary_cross_entropy_with_logits"), lambda: SINGLE),
    **dict.fromkeys(("cross_entropy", "nll_loss"), lambda: OF_CLASSES),
    "multi_margin_loss": lambda: {**OF_CLASSES, "p": 1, "margin": 1.0},
    "multiclass_svm_loss": lambda: {**OF_CLASSES, "margin": 1.0},
    "l1_penalty": lambda: {"parameters": network()},
    "l2_penalty": lambda: {"parameters": network()},
    "fit": lambda: {
        "model": network(),
        "X": ROWS,
        "y": LABELS,
        "loss": nn.binary_cross_entropy_with_logits,
        "optimizer": None,
        "epochs": 1,
        "batch_size": 2,
        "validation": (ROWS, LABELS),
        "seed": 1,
        "compile": False,
        "callbacks": (),
        "patience": 2,
        "progress": False,
        "resume": None,
    },
    "save": lambda: {"model": network(), "path": "model.json"},
    "load": lambda: {"path": nn.save(network(), "saved.json")},
    **dict.fromkeys(("datasets.xor", "datasets.moons", "datasets.sine"), lambda: POINTS),
    "datasets.linear": lambda: {**POINTS, "margin": 0.1},
    "datasets.circles": lambda: {**POINTS, "ratio": 0.5},
    "datasets.spirals": lambda: {**POINTS, "classes": 2, "turns": 1.0},
    "datasets.blobs": lambda: {**POINTS, "classes": 2},
    "datasets.iris": dict,
    "datasets.load_csv": lambda: {"path": written("a,b,c\n1,2,x\n3,4,y\n"), "target": -1, "delimiter": ","},
    "datasets.standardize": lambda: {"X": ROWS},
    "datasets.Scaling": lambda: {"mean": [0.0], "std": [1.0]},
    "datasets.train_test_split": lambda: {"X": ROWS, "y": LABELS, "test": 0.5, "seed": 1, "stratified": False},
    "init.constant": lambda: {"value": 0.1},
    "schedules.constant": lambda: {"lr": 0.1},
    "schedules.cosine": lambda: {"lr": 0.1, "steps": 3, "lowest": 0},
    "schedules.exponential": lambda: {"lr": 0.1, "factor": 0.5},
    "schedules.inverse_time": lambda: {"lr": 0.1, "decay": 0.1},
    "schedules.step_decay": lambda: {"lr": 0.1, "every": 2, "factor": 0.1},
    "schedules.warm_up": lambda: {"schedule": 0.1, "steps": 2},
    "plot.loss_curve": lambda: {"history": history(), "ax": None},
    "plot.training_curves": lambda: {"history": history()},
    "plot.decision_boundary": lambda: {
        "model": network(),
        "X": ROWS,
        "y": LABELS,
        "neuron": None,
        "first_layer": False,
        "resolution": 4,
        "ax": None,
    },
    "plot.neuron_boundaries": lambda: {"model": network(), "X": ROWS, "y": LABELS, "layer": 1, "resolution": 4},
    "plot.gradient_flow": lambda: {"model": passed()["model"], "X": ROWS, "ax": None},
    "plot.weight_histograms": lambda: {"model": network(), "bins": 3},
    "plot.activation": lambda: {"function": "tanh", "ax": None, "reach": 2.0},
    "plot.activations": dict,
    "plot.dead_units": lambda: {"model": network(), "X": ROWS},
}

#: What is no call of a user's: initialisers are called by layers, a Dataset and its names are results.
NO_CALLS = {f"init.{name}" for name in ("gaussian", "he", "uniform", "xavier", "zeros")} | {
    f"datasets.{name}" for name in ("Dataset", "IRIS_CLASSES", "IRIS_FEATURES")
}

#: Methods, by the same rule.
METHODS: dict[str, tuple[Callable[..., Any], Callable[[], dict[str, Any]]]] = {
    "Classifier.predict": (of_classifier("predict"), lambda: {"X": ROWS}),
    "Classifier.probabilities": (of_classifier("probabilities"), lambda: {"X": ROWS}),
    "Classifier.accuracy": (of_classifier("accuracy"), lambda: {"X": ROWS, "y": LABELS}),
    "Scaling()": (of_scaling("__call__"), lambda: {"X": ROWS}),
    "Scaling.undo": (of_scaling("undo"), lambda: {"X": ROWS}),
}


class Odd:
    """A class of somebody else."""


BAD: list[Any] = [
    *(None, "no such file", "", b"x", True, math.nan, math.inf, -math.inf, -1, 0, 1.5, 10**400, 10**5000, 2j),
    *([], [[1.0], [1.0, 2.0]], ["a"], [None], {}, {1.0}, object(), Odd, [[math.inf, 0.0]], [Value(1.0), "x"]),
    *(np.array(1.0), np.zeros((0, 2)), np.array([math.nan]), np.array("a"), lambda *_: None),
]


def written(text: str) -> str:
    with open("data.csv", "w", encoding="utf-8") as file:
        file.write(text)
    return "data.csv"


def public_calls() -> set[str]:
    """Everything in `nn.__all__`, and in that of the public modules."""
    names = set()
    for name in nn.__all__:
        member = getattr(nn, name)
        names |= {f"{name}.{inner}" for inner in member.__all__} if inspect.ismodule(member) else {name}
    return names


def call_of(name: str) -> tuple[Callable[..., Any], Callable[[], dict[str, Any]]]:
    if name in METHODS:
        return METHODS[name]
    module, _, function = name.rpartition(".")
    return getattr(getattr(nn, module) if module else nn, function), CALLS[name]


def test_every_public_name_has_a_case() -> None:
    """A new one is entered above."""
    assert public_calls() == set(CALLS) | NO_CALLS


@pytest.mark.parametrize("name", [*CALLS, *METHODS])
def test_every_argument_may_be_wrong(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is taken, or refused in one sentence that names the argument; nothing else breaks, and nothing hangs."""
    monkeypatch.chdir(tmp_path)
    call, good = call_of(name)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        call(**good())
        for argument in good():
            for bad in BAD:
                if isinstance(bad, np.ndarray) and isinstance(good()[argument], bool):
                    continue  # NumPy itself refuses to tell whether an array is true
                try:
                    call(**{**good(), argument: bad})
                except OSError as error:
                    assert error.filename
                except (TypeError, ValueError, ArithmeticError) as error:
                    text = str(error)
                    assert "\n" not in text and len(text) < 300, (argument, bad, text)
                    wanted = (
                        "Value()" if name == "Parameter" else "data.csv" if name == "datasets.load_csv" else argument
                    )
                    assert wanted in text or argument in text, (argument, bad, text)


@given(
    sizes=st.lists(st.integers(1, 5), min_size=2, max_size=5),
    rows=st.integers(1, 4),
    wrong=st.integers(-3, 3).filter(bool),
    seed=st.integers(0, 1000),
)
@settings(deadline=None, max_examples=50)
def test_shapes(sizes: list[int], rows: int, wrong: int, seed: int) -> None:
    """Outputs, losses and gradients have the shapes that the sizes ask for; rows of another length are refused."""
    draw = np.random.default_rng(seed)
    model = MLP(sizes[0], sizes[1:], activation="tanh", seed=seed)
    X = draw.normal(size=(rows, sizes[0]))
    outputs = [model(row) for row in X]
    assert all(isinstance(output, Value) if sizes[-1] == 1 else len(output) == sizes[-1] for output in outputs)
    loss = nn.mse_loss(outputs, draw.normal(size=rows if sizes[-1] == 1 else (rows, sizes[-1])))
    loss.backward()
    assert all(p.has_grad and math.isfinite(p.grad) for p in model.parameters())
    for layer, nin, nout in zip(model.layers, sizes, sizes[1:]):
        assert layer.weight_grad.shape == (nout, nin)
    if sizes[0] + wrong >= 0:
        with pytest.raises(ValueError, match=f"of {sizes[0]} numbers?, not of {sizes[0] + wrong}$"):
            model([0.5] * (sizes[0] + wrong))
    if rows + wrong > 0:
        with pytest.raises(ValueError, match="^input is "):
            nn.mse_loss(outputs, np.zeros((rows + wrong, sizes[-1])))
