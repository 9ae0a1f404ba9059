"""Whole models in files: `save(model, "model.json")`, `model = load("model.json")`.

A file says how many inputs and neurons each layer has and what its activation is called, beside all parameters. From
that a Neuron, a Layer, an MLP, or a Classifier of one of them is built anew. Nothing that a file names is ever looked
up but in the table of activations, and nothing is built that the parameters in the file do not fill.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

from .activations import BY_NAME, name_of
from .arguments import short
from .classifier import Classifier, classifier_from
from .layers import MLP, Layer, Neuron
from .module import Module
from .saving import as_state, read, write

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from os import PathLike
    from pathlib import Path

    Description = dict[str, Any]


def save(model: Module, path: str | PathLike[str]) -> Path:
    """Write a model to a file from which `load` builds it anew, without the code that built it.

    Args:
        model: a Neuron, a Layer, an MLP or a Classifier of one of these, whose activations are those that have a name
            (`nn.activations.BY_NAME`).
        path: the file, in JSON; it is written completely or left as it was.

    Returns:
        The path.

    Raises:
        TypeError: for all other models: use `model.save(path)`, and `model.load(path)` on one that your code has built.

    >>> import os, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = save(MLP(2, [3, 1], activation="tanh", seed=1), os.path.join(folder, "model.json"))
    ...     load(path)
    MLP(Layer of 3 × Neuron(2, tanh), Layer of 1 × Neuron(3, linear))
    """
    if not isinstance(model, Module):
        raise TypeError(f"model is an nn.Module, not {short(model)}")
    return write(path, {"parameters": model.state_dict(), "architecture": _described(model)})


def load(path: str | PathLike[str]) -> Module:
    """Build the model that `save` wrote.

    Returns:
        A Neuron, Layer, MLP or Classifier, in every digit as it was saved.

    Raises:
        ValueError: for a file that is truncated, damaged or of another kind.
        OSError: if it cannot be read.

    >>> import os, tempfile
    >>> model = Layer(2, 2, activation="relu", seed=1)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = save(model, os.path.join(folder, "layer.json"))
    ...     load(path).state_dict() == model.state_dict()
    True
    """
    content = read(path)
    if "architecture" not in content:
        advice = "build the model by the code that built it then, and call its load()"
        raise ValueError(f"{path} holds parameters alone: {advice}")
    try:
        return _built(content["architecture"], content["parameters"])
    except ValueError as error:
        raise ValueError(f"{path} is no model that can be built: {error}") from None


# ----- Model to description -----


def _described(model: Module) -> Description:
    """What `_built` makes the model from."""
    if type(model) is Classifier:
        return model.description() | {"model": _described(model.model)}
    kinds: dict[type, Callable[[Any], Description]] = {MLP: _mlp, Layer: _layer, Neuron: _neuron}
    if type(model) not in kinds:
        raise _not_to_be_described(f"{type(model).__name__} is a class of your own")
    description = kinds[type(model)](model)
    if list(_places(description)) != [name for name, _ in model.named_parameters()]:
        raise _not_to_be_described("its parameters are not those it was built with")
    return description


def _mlp(model: MLP) -> Description:
    return {"kind": "MLP", "layers": [_layer(layer) for layer in model.layers]}


def _layer(layer: Layer) -> Description:
    first = layer.neurons[0].activation
    if any(neuron.activation is not first for neuron in layer.neurons) or (layer.activation and first):
        raise _not_to_be_described("the neurons of a layer have different activations")
    activation = _named(layer.activation or first)
    return {"kind": "Layer", "nin": len(layer.neurons[0].w), "nout": len(layer.neurons), "activation": activation}


def _neuron(neuron: Neuron) -> Description:
    return {"kind": "Neuron", "nin": len(neuron.w), "activation": _named(neuron.activation)}


def _named(activation: Any) -> str:
    """The name of an activation."""
    if activation is None:
        return "linear"
    for name, known in BY_NAME.items():
        if known is activation:
            return name
    raise _not_to_be_described(f"the activation {name_of(activation)} has no name in nn.activations.BY_NAME")


def _not_to_be_described(reason: str) -> TypeError:
    return TypeError(
        f"{reason}, which a file cannot build: use model.save(path), and model.load(path) on a model built by your code"
    )


# ----- Description to model -----


def _built(description: Any, parameters: dict[str, Any]) -> Module:
    """The model, with its parameters."""
    if isinstance(description, dict) and description.get("kind") == "Classifier":
        if not description.get("model"):
            raise ValueError("it was written by the classifier's own save(): build one by code, and call its load()")
        return _classifier(description, parameters)
    places = list(_checked_places(description, len(parameters)))
    state = as_state(parameters, places)  # before anything is built
    model = _empty(description)
    model.load_state_dict(state)
    return model


def _classifier(description: Description, parameters: dict[str, Any]) -> Classifier:
    inner = description["model"]
    if isinstance(inner, dict) and inner.get("kind") == "Classifier":
        raise ValueError("a classifier of a classifier is none")
    if strangers := [name for name in parameters if not name.startswith("model.")]:
        raise ValueError(f"a classifier has no parameter {short(strangers[0])}")
    model = _built(inner, {name.removeprefix("model."): number for name, number in parameters.items()})
    return classifier_from(description, model)


def _checked_places(description: Any, count: int) -> Iterator[str]:
    """The names of the parameters that a description asks for, after a look at everything that it says.

    How many there are is reckoned before any of them is named: a file cannot ask for more than it holds.
    """
    if not isinstance(description, dict):
        raise ValueError(f"its architecture is {short(description)}")
    kind = description.get("kind")
    if kind == "MLP":
        layers = description.get("layers")
        if not isinstance(layers, list) or not layers:
            raise ValueError(f"its layers are {short(layers)}")
        sizes = [_size(layer, "Layer") for layer in layers]
        for (_, nout), (nin, _) in pairwise(sizes):
            if nin != nout:
                raise ValueError(f"a layer takes {nin} inputs, and the one before has {nout} neurons")
    elif kind in ("Layer", "Neuron"):
        sizes = [_size(description, kind)]
    else:
        raise ValueError(f"it is a {short(kind)}, and not one of MLP, Layer, Neuron, Classifier")
    wanted = sum(nout * (nin + 1) for nin, nout in sizes)
    if wanted != count:
        raise ValueError(f"its layers have {wanted} parameters, and the file has {count}")
    return _places(description)


def _size(description: Any, kind: str) -> tuple[int, int]:
    """The inputs and outputs of a layer or neuron."""
    if not isinstance(description, dict) or description.get("kind") != kind:
        raise ValueError(f"one of its parts is {short(description)}, where a {kind} should be")
    if not isinstance(name := description.get("activation"), str) or name not in BY_NAME:
        raise ValueError(f"its activation {short(name)} is none of {', '.join(BY_NAME)}")
    nin, nout = description.get("nin"), description.get("nout") if kind == "Layer" else 1
    for size in (nin, nout):
        if isinstance(size, bool) or not isinstance(size, int) or size < 1:
            raise ValueError(f"a number of inputs or neurons is {short(size)}")
    return nin, nout  # type: ignore[return-value]  # both were looked at


def _places(description: Description) -> Iterator[str]:
    """The names of all parameters, in order."""
    if description["kind"] == "Neuron":
        yield from (f"w.{i}" for i in range(description["nin"]))
        yield "b"
    elif description["kind"] == "Layer":
        neuron = {"kind": "Neuron", "nin": description["nin"]}
        for i in range(description["nout"]):
            yield from (f"neurons.{i}.{place}" for place in _places(neuron))
    else:
        for i, layer in enumerate(description["layers"]):
            yield from (f"layers.{i}.{place}" for place in _places(layer))


def _empty(description: Description) -> Module:
    """The model, all of whose parameters are 0 (so that no random numbers are drawn)."""
    kind = description["kind"]
    if kind == "Neuron":
        return Neuron(description["nin"], activation=description["activation"], init="zeros")
    if kind == "Layer":
        return Layer(description["nin"], description["nout"], activation=description["activation"], init="zeros")
    layers = description["layers"]
    activations = [layer["activation"] for layer in layers]
    return MLP(layers[0]["nin"], [layer["nout"] for layer in layers], activation=activations, init="zeros")
