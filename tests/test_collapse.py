"""`draw(..., collapse="neuron" | "layer")`: which nodes become one box, what it says, what stays to be seen."""

from __future__ import annotations

import warnings
import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd as ag
from autograd import Value, draw
from autograd.drawing.boxes import picture
from nn import MLP, Layer, Maxout, Module, Neuron, PReLU, adjoints, cross_entropy, l2_penalty, mse_loss, nll_loss

if TYPE_CHECKING:
    from autograd.drawing.boxes import Box


def inputs(count: int = 2) -> list[Value]:
    return [Value(float(i + 1), f"x{i + 1}") for i in range(count)]


def modules(root: Value, level: str, **options: Any) -> list[Box]:
    """The boxes of neurons or layers."""
    return [box for box in picture(root, collapse=level, **options).boxes if box.kind == "module"]


def named(root: Value, level: str, **options: Any) -> dict[str, Box]:
    return {box.name: box for box in modules(root, level, **options)}


def sources(box: Box) -> list[str]:
    return [arrow.source for arrow in box.arrows]


# ----- One box each -----


def test_one_box_for_each_layer() -> None:
    """It tells how many neurons there are and what they are, and all outputs with their gradients."""
    model = MLP(2, [3, 1], activation="tanh", seed=1)
    root = model(inputs())
    root.backward()
    boxes = picture(root, collapse="layer").boxes
    assert [(box.kind, str(box.name)) for box in boxes] == [
        *[("leaf", "x1"), ("leaf", "x2")],
        *[("module", "layers.0"), ("module", "layers.1")],
    ]
    hidden, last = boxes[2:]
    assert (hidden.symbol, last.symbol) == ("3 × tanh", "linear")
    table = adjoints(model, root)
    assert hidden.values == tuple(table["a1"].value)
    assert hidden.gradients == tuple(table["a1"].gradient)
    assert (last.values, last.gradients) == ((root.data,), (1.0,))
    assert (hidden.is_root, last.is_root) == (False, True)
    assert sources(hidden) == ["n0", "n1"]
    assert sources(last) == ["n2"]


def test_one_box_for_each_neuron() -> None:
    """Each reads all outputs of the layer before."""
    root = MLP(2, [3, 2, 1], activation="relu", seed=1)(inputs())
    boxes = named(root, "neuron")
    assert list(boxes) == [*(f"layers.0.neurons.{i}" for i in range(3)), "layers.1.neurons.0"] + [
        "layers.1.neurons.1",
        "layers.2.neurons.0",
    ]
    assert [box.symbol for box in boxes.values()] == ["relu"] * 5 + ["linear"]
    first = [boxes[f"layers.0.neurons.{i}"].key for i in range(3)]
    assert sources(boxes["layers.1.neurons.1"]) == first


@given(st.lists(st.integers(1, 4), min_size=1, max_size=4), st.integers(1, 3))
@settings(deadline=None, max_examples=30)
def test_counts(nouts: list[int], nin: int) -> None:
    """As many boxes as layers or neurons; the nodes that they stand for are all but inputs and parameters."""
    model = MLP(nin, nouts, activation="tanh", seed=1)
    outputs = model(inputs(nin))
    root = ag.sum(outputs if isinstance(outputs, list) else [outputs])
    results = sum(node.primitive is not None for node in ag.nodes(root))
    for level, count in (("layer", len(nouts)), ("neuron", sum(nouts))):
        found = modules(root, level)
        assert len(found) == count
        assert sum(box.folded for box in found) == results - 1
        assert picture(root, collapse=level).size == count + nin + 1


def test_a_single_neuron_and_a_single_layer() -> None:
    """They have names too."""
    (box,) = modules(Neuron(2, seed=1)(inputs()), "neuron")
    assert (box.name, box.symbol) == ("neuron", "relu")
    (box,) = modules(Neuron(2, seed=1)(inputs()), "layer")
    assert (box.name, box.symbol) == ("neuron", "relu")
    (box,) = modules(ag.sum(Layer(2, 3, activation="elu", seed=1)(inputs())), "layer")
    assert (box.name, box.symbol) == ("layer", "3 × elu")


def test_graphs_without_networks_are_as_ever() -> None:
    """Nothing to fold: the same boxes."""
    a = Value(2.0, "a")
    for level in ("neuron", "layer"):
        assert picture(a * a + 1.0, collapse=level) == picture(a * a + 1.0)
        assert picture(a, collapse=level) == picture(a)


# ----- Parameters and constants -----


def test_parameters_are_hidden_unless_used_elsewhere() -> None:
    """A penalty on the weights of the first layer shows these, and not those of the second."""
    model = MLP(2, [2, 1], activation="tanh", seed=1)
    data_loss = mse_loss(model(inputs()), 1.0)
    assert [str(box.name) for box in picture(data_loss, collapse="layer").boxes if box.kind == "leaf"] == ["x1", "x2"]
    penalised = data_loss + 0.1 * l2_penalty([w for neuron in model.layers[0].neurons for w in neuron.w])
    leaves = [str(box.name) for box in picture(penalised, collapse="layer").boxes if box.kind == "leaf"]
    assert sorted(leaves) == ["W1[1,1]", "W1[1,2]", "W1[2,1]", "W1[2,2]", "x1", "x2"]
    assert len(sources(named(penalised, "layer")["layers.0"])) == 6
    assert "W1[1,1]" in draw(penalised, collapse="layer").svg


def test_numbers_as_inputs() -> None:
    """One small box for all of a layer's; for each neuron its own."""
    model = MLP(2, [3, 1], activation="tanh", seed=1)
    boxes = picture(model([1.0, 2.0]), collapse="layer").boxes
    assert [box.values for box in boxes if box.kind == "constant"] == [(1.0, 2.0)]
    boxes = picture(model([1.0, 2.0]), collapse="neuron").boxes
    assert [box.values for box in boxes if box.kind == "constant"] == [(1.0, 2.0)] * 3
    boxes = picture(model([1.0, inputs()[1]]), collapse="layer").boxes
    assert [box.values for box in boxes if box.kind == "constant"] == [(1.0,)]


def test_a_learnt_activation_shows_its_parameter() -> None:
    """PReLU's slope is no weight of a neuron."""
    root = ag.sum(Layer(2, 2, activation=PReLU(), seed=1)(inputs()))
    assert "slope" in [str(box.name) for box in picture(root, collapse="layer").boxes]


# ----- Used more than once -----


def test_a_layer_applied_twice_makes_two_groups() -> None:
    """One after the other, and side by side on other inputs."""
    layer = Layer(2, 2, activation="tanh", seed=1)
    chained = ag.sum(layer(layer(inputs())))
    first, second = modules(chained, "layer")
    assert (first.symbol, second.symbol) == ("2 × tanh", "2 × tanh")
    assert sources(second) == [first.key]
    aside = ag.sum([*layer(inputs()), *layer([Value(3.0), Value(4.0)])])
    assert [box.symbol for box in modules(aside, "layer")] == ["2 × tanh"] * 2
    assert len(modules(aside, "neuron")) == 4


@pytest.mark.parametrize("same", [[1.0, 2.0], inputs()], ids=["numbers", "values"])
def test_a_layer_applied_twice_to_the_same(same: Any) -> None:
    """As two equal rows of data are: two groups of two neurons each."""
    layer = Layer(2, 2, activation="tanh", seed=1)
    root = ag.sum([*layer(same), *layer(same)])
    assert [box.symbol for box in modules(root, "layer")] == ["2 × tanh"] * 2


def test_two_networks_with_the_same_names() -> None:
    """Two towers that read the same inputs."""
    left, right = (MLP(2, [2, 1], activation="tanh", seed=seed) for seed in (1, 2))
    root = left(inputs()) * 1.0 + right(inputs()) * 2.0
    assert len(modules(root, "layer")) == 4
    x = inputs()
    root = left(x) * right(x)
    assert [box.symbol for box in modules(root, "layer")] == ["2 × tanh", "linear"] * 2


def test_recurrent_use() -> None:
    """A box for each time step, each reading the one before."""
    layer = Layer(2, 1, activation="tanh", seed=3)
    state: Any = 0.0
    for x in (1.0, -0.5, 0.25):
        state = layer([x, state])
    for level in ("neuron", "layer"):
        boxes = modules(state, level)
        assert len(boxes) == 3
        assert [box.key in sources(after) for box, after in zip(boxes, boxes[1:])] == [True, True]
    assert draw(state, collapse="layer").svg.count("layer") >= 3


# ----- Activations -----


def test_softmax_layers() -> None:
    """Before the fused loss there is nothing but the layer."""
    model = MLP(2, [2, 3], activation=["tanh", "softmax"], seed=1)
    outputs = model(inputs())
    boxes = named(ag.dot(outputs, [1.0, 2.0, 3.0]), "layer")
    assert boxes["layers.1"].values == tuple(a.data for a in outputs)
    assert len(boxes) == 2
    assert len(named(cross_entropy(MLP(2, [2, 3], seed=1)(inputs()), 0), "layer")) == 2


@pytest.mark.parametrize("case", ["softmax", "residual", "maxout", "product"])
def test_outputs_that_are_used_before_the_last_is_made(case: str) -> None:
    """Consumers of the first neuron come before the last neuron in topological order."""
    layer = Layer(2, 2, activation="softmax" if case == "softmax" else "tanh", seed=1)
    x = inputs()
    roots = {
        "softmax": lambda: mse_loss(layer(x), [0.0, 1.0]),
        "residual": lambda: ag.sum([a + b for a, b in zip(layer(x), x)]),
        "maxout": lambda: Maxout(2, 3, seed=1)(x),
        "product": lambda: layer(x)[0] * 2.0 + layer.neurons[1].w[0] * layer(x)[1],
    }
    assert modules(roots[case](), "layer")


def test_names_of_activations() -> None:
    """What the layer was built with, and how many neurons it has."""
    model = MLP(2, [2, 3], activation=["tanh", "softmax"], seed=1)
    assert named(ag.dot(model(inputs()), [1.0, 2.0, 3.0]), "layer")["layers.1"].symbol == "3 × softmax"
    model = MLP(2, [2, 3], activation=["tanh", "log_softmax"], seed=1)
    assert named(nll_loss(model(inputs()), 1), "layer")["layers.1"].symbol == "3 × log_softmax"


def test_a_weighted_sum_that_is_used_too() -> None:
    """Next to its activation: still one neuron."""
    a = Neuron(2, activation="sigmoid", seed=1)(inputs())
    (box,) = modules(a + 0.1 * a.operands[0], "neuron")
    assert box.symbol == "sigmoid"


def test_activations_of_several_nodes() -> None:
    """All of them are in the box of their neuron."""
    layer = Layer(2, 2, activation=lambda z: z * ag.sigmoid(z) + 1.0, seed=1)
    outputs = layer(inputs())
    root = ag.dot(outputs, [1.0, 2.0])
    for level, folded in (("neuron", [4, 4]), ("layer", [8])):
        assert [box.folded for box in modules(root, level)] == folded
    assert modules(root, "layer")[0].values == tuple(a.data for a in outputs)


def test_what_follows_a_linear_layer_is_not_part_of_it() -> None:
    """A loss of one output stays a node of its own."""
    root = ag.power(Layer(2, 1, activation="linear", seed=1)(inputs()) - 1.0, 2.0)
    boxes = picture(root, collapse="layer").boxes
    assert [box.symbol for box in boxes if box.kind == "result"] == ["-", "**"]


# ----- Expanded ones -----


def clusters(svg: str) -> list[str]:
    """The titles of the clusters of a drawing."""
    found = []
    for group in ET.fromstring(svg).iter("{http://www.w3.org/2000/svg}g"):
        if "cluster" in group.get("class", ""):
            found += [text.text or "" for text in group.iter("{http://www.w3.org/2000/svg}text")][:1]
    return found


def test_expanded_modules_are_clusters() -> None:
    """With all their nodes and parameters, under their names."""
    root = MLP(2, [3, 1], activation="tanh", seed=1)(inputs())
    boxes = picture(root, collapse="layer", expanded="layers.0").boxes
    inside = [str(box.name) for box in boxes if box.cluster == "layers.0"]
    assert len(inside) == 9 + 6
    assert [str(box.name) for box in boxes if box.kind == "module"] == ["layers.1"]
    assert clusters(draw(root, collapse="layer", expanded="layers.0").svg) == ["layers.0"]
    expanded = draw(root, collapse="neuron", expanded=["layers.0.neurons.1", "layers.1.neurons.0"])
    assert sorted(clusters(expanded.svg)) == ["layers.0.neurons.1", "layers.1.neurons.0"]
    by_label = draw(root, collapse="neuron", expanded="z1[2]")
    assert clusters(by_label.svg) == ["layers.0.neurons.1"]


def test_what_is_expanded_opens_what_it_is_in() -> None:
    """A neuron its layer; a layer all its neurons; a parameter the neuron that it belongs to."""
    model = MLP(2, [3, 1], activation="tanh", seed=1)
    root = model(inputs())
    assert clusters(draw(root, collapse="layer", expanded="layers.0.neurons.1").svg) == ["layers.0"]
    assert len(clusters(draw(root, collapse="neuron", expanded="layers.0").svg)) == 3
    weight = model.parameters()[0]
    assert clusters(draw(root, collapse="neuron", expanded=[weight]).svg) == ["layers.0.neurons.0"]


def test_expanded_modules_are_there() -> None:
    """The error lists modules and nodes, layers first."""
    root = MLP(2, [3, 1], activation="tanh", seed=1)(inputs())
    with pytest.raises(ValueError, match=r"'layers.7'; there are the modules layers.0, layers.1, .*, and the nodes "):
        draw(root, collapse="layer", expanded="layers.7")


def test_the_root_in_a_box_and_in_a_cluster() -> None:
    """It keeps its thick border."""
    root = MLP(2, [2, 1], seed=1)(inputs())
    for options in ({}, {"expanded": "layers.1"}):
        boxes = picture(root, collapse="layer", **options).boxes
        assert [box.is_root for box in boxes].count(True) == 1


# ----- Whatever they are called -----

HOSTILE = [
    'a"b',
    "<b>bold</b>",
    "a&b;",
    "line\nbreak",
    "back\\slash\\N",
    "{|}",
    "x" * 300,
    "\u202ertl",
    "<script>",
    "\x00\x07",
]


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names(name: str) -> None:
    """Text is text: the picture stays well-formed, and nothing of it is markup."""
    layer = Layer(2, 2, activation="tanh", seed=1)
    layer._name("1", name)
    root = ag.sum(layer(inputs()))
    for options in ({}, {"expanded": name}):
        svg = draw(root, collapse="layer", **options).svg
        tree = ET.fromstring(svg)
        assert "<script" not in svg
        assert not [element for element in tree.iter() if element.tag.endswith("}b")]
        assert int(float(tree.get("width", "0"))) < 4000


def test_names_are_places_of_a_network_of_ones_own() -> None:
    """Layers that were built alone share a name, and are told apart all the same."""

    class Tower(Module):
        def __init__(self) -> None:
            self.first, self.second = Layer(2, 3, seed=1), Layer(3, 1, activation="linear", seed=2)

        def __call__(self, x: Any) -> Any:
            return self.second(self.first(x))

    assert [box.symbol for box in modules(Tower()(inputs()), "layer")] == ["3 × relu", "linear"]


# ----- Sizes -----


def test_drawings_are_the_same_each_time() -> None:
    """Byte for byte, in one process and of a network that was built anew."""
    drawn = [
        draw(MLP(2, [4, 4, 1], seed=1)(inputs()), collapse=level).svg for _ in (1, 2) for level in ("neuron", "layer")
    ]
    assert drawn[:2] == drawn[2:]


def test_the_limit_counts_what_is_drawn() -> None:
    """A network of thousands of parameters is three boxes and its inputs."""
    model = MLP(2, [60, 60, 1], activation="tanh", seed=1)
    root = model(inputs())
    assert len(ag.nodes(root)) > 3000
    assert repr(draw(root, collapse="layer")) == "<Drawing of 5 nodes; .save('graph.svg') writes it>"
    with pytest.raises(ValueError, match="more than the limit of 4"):
        draw(root, collapse="layer", limit=4)
    with pytest.raises(ValueError, match="more than the limit of 100"):
        draw(root, collapse="neuron", limit=100)
    with pytest.raises(ValueError, match="networks with 'layer'"):
        draw(root)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert draw(MLP(2, [8, 8, 1], seed=1)(inputs()), collapse="neuron", limit=19).dot


def test_bad_input() -> None:
    """What collapse can be."""
    with pytest.raises(ValueError, match="'neuron', 'layer'; not 'layers'"):
        draw(Value(1.0), collapse="layers")
