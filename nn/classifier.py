"""From scores to answers: a `Classifier` keeps a model with its standardisation and the names of its classes.

    flowers = Classifier(model, datasets.IRIS_CLASSES, scaling)
    flowers.predict([[5.1, 3.5, 1.4, 0.2]])          # array(['setosa'])
    flowers.probabilities([[5.1, 3.5, 1.4, 0.2]])    # a row with a probability for each class
    flowers.save("flowers.json")                     # nn.load gives all of it back

Measurements go in as they were taken: the scaling that the model was trained with is applied to them.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import autograd as ag

from .arguments import array, counted, is_iterable, matrix, short
from .datasets import Scaling
from .evaluation import as_numbers
from .layers import MLP, Layer, Neuron
from .module import Module, can_be_called
from .saving import as_state, read, write

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from os import PathLike
    from pathlib import Path
    from typing import Any

    import numpy

    from autograd import Value

#: What the outputs of a model can be.
OUTPUTS = ("scores", "probabilities", "log_probabilities")


class Classifier(Module):
    """A model, with what is needed to get from a row of measurements to the name of a class.

    A model with one output tells two classes apart: the second one where a score is above 0, or a probability above
    1/2. A model with an output for each class names the one whose output is largest.

    The classifier is a module itself: called on one row as it was measured it gives the model's outputs, so that
    `fit(classifier, X, y)` trains the model on standardised data.

    Args:
        model: an `nn.Module` that takes a row of numbers.
        classes: the names of the classes 0, 1, ...; None leaves them as numbers.
        scaling: what `datasets.standardize` measured on the training data; None takes rows as they are.
        outputs: what the model's outputs are: "scores" (any numbers; a softmax or sigmoid makes probabilities of
            them), "probabilities" or "log_probabilities". None looks at the last layer of an MLP or Layer: sigmoid and
            softmax make probabilities, log_softmax their logarithms, all others scores.

    Raises:
        TypeError: for a model that is no module, names that are no strings, a scaling that is none.
        ValueError: for names that occur twice, fewer than two of them, or another number of them than the model tells
            apart.

    >>> from nn import MLP
    >>> classifier = Classifier(MLP(2, [3], seed=1), ["red", "green", "blue"], Scaling([5.0, 5.0], [2.0, 2.0]))
    >>> [str(name) for name in classifier.predict([[0.0, 9.0], [9.0, 0.0]])]
    ['red', 'green']
    >>> classifier.accuracy([[0.0, 9.0], [9.0, 0.0]], ["red", "blue"])
    0.5
    """

    def __init__(
        self,
        model: Module,
        classes: Sequence[str] | None = None,
        scaling: Scaling | None = None,
        *,
        outputs: str | None = None,
    ) -> None:
        if not isinstance(model, Module) or not can_be_called(model) or isinstance(model, Classifier):
            raise TypeError(f"model is an nn.Module that is called on a row, such as nn.MLP; not {short(model)}")
        if scaling is not None and not isinstance(scaling, Scaling):
            raise TypeError(f"scaling is what standardize() gave as its second result, not {short(scaling)}")
        if outputs is not None and (not isinstance(outputs, str) or outputs not in OUTPUTS):
            raise ValueError(f"outputs is one of {', '.join(map(repr, OUTPUTS))}; not {short(outputs)}")
        self.model = model
        self.classes = None if classes is None else _names(classes)
        self.scaling = scaling
        self.outputs = kind_of_outputs(model) if outputs is None else outputs
        self._check_count(_outputs_of(model))

    def __call__(self, row: Sequence[Any]) -> Value | list[Value]:
        """The model's outputs for one row, as it was measured."""
        outputs: Value | list[Value] = self.model(self._prepared(row))
        return outputs

    def probabilities(self, X: Any) -> numpy.ndarray:
        """The probability of each class: an array of shape (n, number of classes), whose rows add up to 1.

        How far they can be trusted depends on the loss: those of a model that was trained by a margin loss
        (`hinge_loss`) order the classes, and are no frequencies.

        >>> from nn import MLP
        >>> Classifier(MLP(1, [1], init="zeros")).probabilities([[2.0]]).tolist()
        [[0.5, 0.5]]
        """
        import numpy

        return numpy.array([as_probabilities(outputs, self.outputs) for outputs in self._all_outputs(X)])

    def predict(self, X: Any) -> numpy.ndarray:
        """The class of each row: an array of n names, or of numbers where the classes have no names.

        >>> from nn import MLP
        >>> Classifier(MLP(1, [3], seed=1)).predict([[2.0], [-2.0]]).shape
        (2,)
        """
        import numpy

        numbers = [chosen_class(outputs, self.outputs) for outputs in self._all_outputs(X)]
        return numpy.array(numbers if self.classes is None else [self.classes[number] for number in numbers])

    def accuracy(self, X: Any, y: Any) -> float:
        """The part of the rows whose class is predicted rightly.

        Args:
            X: rows as they were measured.
            y: the right class of each, as its name or its number 0, 1, ...; of two classes also as -1 and 1.

        >>> from nn import MLP
        >>> Classifier(MLP(1, [1], init="zeros")).accuracy([[1.0], [2.0]], [0, 1])
        0.5
        """
        numbers = self._numbers(y)
        all_outputs = self._all_outputs(X)
        found = [chosen_class(outputs, self.outputs) for outputs in all_outputs]
        if len(numbers) != len(found):
            raise ValueError(f"y has a class for each of the {len(found)} rows of X; not {len(numbers)}")
        count = len(self.classes) if self.classes else max(2, len(all_outputs[0]))
        if wrong := [number for number in numbers if not 0 <= number < count]:
            raise ValueError(f"y has numbers of classes from 0 to {count - 1}, not {wrong[0]}")
        return sum(a == b for a, b in zip(found, numbers)) / len(found)

    def save(self, path: str | PathLike[str]) -> Path:
        """Write parameters, standardisation and names of the classes to a file. Returns its path.

        `nn.save` also writes how the model is built, where it is a Neuron, a Layer or an MLP, for `nn.load`; what this
        method writes is for `load` of a classifier whose model was built in the same way.
        """
        return write(path, {"parameters": self.state_dict(), "architecture": self.description()})

    def load(self, path: str | PathLike[str]) -> None:
        """Read what `save` or `nn.save` wrote of a classifier with a model of the same shape, names and scaling too.

        Raises:
            ValueError: for a file that is truncated, of another kind or another shape; nothing is changed then.
            OSError: if it cannot be read.
        """
        content = read(path)
        try:
            described = classifier_from(content.get("architecture"), self.model)
            self.load_state_dict(as_state(content["parameters"], [name for name, _ in self.named_parameters()]))
        except ValueError as error:
            raise ValueError(f"{path} does not fit: {error}") from None
        self.classes, self.scaling, self.outputs = described.classes, described.scaling, described.outputs

    def description(self) -> dict[str, Any]:
        """All but the model, for a file."""
        scaling = self.scaling
        return {
            "kind": "Classifier",
            "outputs": self.outputs,
            "classes": None if self.classes is None else list(self.classes),
            "scaling": None if scaling is None else {"mean": list(scaling.mean), "std": list(scaling.std)},
        }

    def __repr__(self) -> str:
        names = f", classes {', '.join(self.classes)}" if self.classes else ""
        return f"<Classifier of {self.model}{names}{', standardised' if self.scaling else ''}>"

    def _prepared(self, row: Sequence[Any]) -> Sequence[Any]:
        return row if self.scaling is None else self.scaling.row(row)

    def _all_outputs(self, X: Any) -> list[list[float]]:
        """The model's outputs for each row, as numbers."""
        rows = matrix(X).tolist()
        outputs = [as_numbers(self(row)) for row in rows]
        self._check_count(len(outputs[0]))
        return outputs

    def _check_count(self, outputs: int | None) -> None:
        if outputs is not None and self.classes is not None and len(self.classes) != max(2, outputs):
            raise ValueError(
                f"classes names {len(self.classes)}, and the model has {outputs} outputs: one for each class, "
                "or one alone for two classes"
            )

    def _numbers(self, y: Any) -> list[int]:
        """Classes as their numbers."""
        labels = array("y", y).tolist()
        if not isinstance(labels, list):
            raise ValueError(f"y lists a class for each row, not {short(y)}")
        if all(isinstance(label, str) for label in labels):
            known = {name: number for number, name in enumerate(self.classes or ())}
            for label in labels:
                if label not in known:
                    names = ", ".join(self.classes) if self.classes else "numbers, without names"
                    raise ValueError(f"y has a class {label!r}, and the classes are {names}")
            return [known[label] for label in labels]
        if not all(isinstance(label, int) or label in (-1.0, 0.0, 1.0) for label in labels):
            raise ValueError("y holds the classes' names, or their numbers 0, 1, ...")
        signs = -1 in labels and set(labels) <= {-1, 1}  # as hinge_loss has them
        return [int(label > 0) if signs else int(label) for label in labels]


def classifier_from(description: Any, model: Module) -> Classifier:
    """The classifier of `model` that a file describes.

    Raises:
        ValueError: for anything that is no such description.
    """
    if not isinstance(description, dict) or description.get("kind") != "Classifier":
        raise ValueError("it holds no classifier")
    scaling, outputs = description.get("scaling"), description.get("outputs")
    if not isinstance(outputs, str):
        raise ValueError(f"outputs is {short(outputs)}")
    try:
        made = None if scaling is None else Scaling(scaling["mean"], scaling["std"])
        classifier = Classifier(model, description.get("classes"), made, outputs=outputs)
    except (TypeError, KeyError, IndexError) as error:
        raise ValueError(f"its classifier is damaged: {error}") from None
    if made is not None and (inputs := inputs_of(model)) not in (None, len(made.mean)):
        raise ValueError(f"its scaling is for {counted(len(made.mean), 'column')}, and the model takes {inputs}")
    return classifier


# ----- What a model is like -----


def last_activation(model: Any) -> Callable[..., Any] | None:
    """What the outputs of an MLP, a Layer or a Neuron have gone through last."""
    if isinstance(model, MLP):
        model = model.layers[-1]
    if isinstance(model, Layer):
        return model.activation or model.neurons[0].activation
    return model.activation if isinstance(model, Neuron) else None


def kind_of_outputs(model: Any) -> str:
    """Which of `OUTPUTS` a model has, as far as its last activation tells."""
    if isinstance(model, Classifier):
        return model.outputs
    activation = last_activation(model)
    if activation in (ag.sigmoid, ag.softmax):
        return "probabilities"
    return "log_probabilities" if activation is ag.log_softmax else "scores"


def _outputs_of(model: Any) -> int | None:
    """How many outputs it has, if it is one of ours."""
    if isinstance(model, MLP):
        model = model.layers[-1]
    return len(model.neurons) if isinstance(model, Layer) else 1 if isinstance(model, Neuron) else None


def inputs_of(model: Any) -> int | None:
    """How many inputs it takes, if it is one of ours; a subclass may make its inputs from those that it is given."""
    if type(model) is MLP:
        model = model.layers[0]
    if type(model) is Layer:
        model = model.neurons[0]
    return len(model.w) if type(model) is Neuron else None


# ----- From outputs to classes -----


def chosen_class(outputs: Sequence[float], kind: str) -> int:
    """The number of the class that outputs speak for.

    >>> chosen_class([0.3], "scores"), chosen_class([0.3], "probabilities"), chosen_class([0.1, 0.7, 0.2], "scores")
    (1, 0, 1)
    """
    if len(outputs) == 1:
        limit = {"scores": 0.0, "probabilities": 0.5, "log_probabilities": -math.log(2)}[kind]
        return int(outputs[0] > limit)
    return outputs.index(max(outputs))


def as_probabilities(outputs: Sequence[float], kind: str) -> list[float]:
    """The probability of each class.

    >>> as_probabilities([0.25], "probabilities"), as_probabilities([0.0, 0.0], "scores")
    ([0.75, 0.25], [0.5, 0.5])
    """
    if len(outputs) == 1 and kind == "scores":
        return [ag.sigmoid(-outputs[0]), ag.sigmoid(outputs[0])]
    if kind == "scores":
        return ag.softmax(outputs)
    if kind == "log_probabilities":
        outputs = [math.exp(output) for output in outputs]
    return [1 - outputs[0], outputs[0]] if len(outputs) == 1 else list(outputs)


def _names(classes: Any) -> tuple[str, ...]:
    """The names of classes."""
    if isinstance(classes, (str, bytes)) or not is_iterable(classes):
        raise TypeError(f"classes lists names, such as ['cat', 'dog']; not {short(classes)}")
    names = tuple(str(name) if isinstance(name, str) else name for name in classes)
    for i, name in enumerate(names):
        if not isinstance(name, str):
            raise TypeError(f"classes lists names, strings; not {short(name)}")
        if name in names[:i]:
            raise ValueError(f"classes has {name!r} twice")
    if len(names) < 2:
        raise ValueError(f"classes lists two names or more, not {len(names)}")
    return names
