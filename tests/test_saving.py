"""Models in files: what was saved comes back in every digit, anything else is one error; nothing is run on reading."""

from __future__ import annotations

import json
import math
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd as ag
from autograd import Value
from nn import MLP, Layer, Module, Neuron
from nn.activations import BY_NAME, OF_LAYER, PReLU, chosen
from nn.architecture import load, save
from nn.classifier import Classifier, as_probabilities, chosen_class, kind_of_outputs
from nn.datasets import IRIS_CLASSES, Scaling, iris, standardize
from nn.losses import cross_entropy
from nn.training import fit


def classifier(seed: int = 1) -> Classifier:
    return Classifier(MLP(2, [3, 2], seed=seed), ["no", "yes"], Scaling([1.0, 2.0], [3.0, 4.0]))


# ----- Round trips -----


@given(
    sizes=st.lists(st.integers(1, 4), min_size=2, max_size=4),
    names=st.data(),
    numbers=st.lists(st.floats(allow_nan=False), min_size=1, max_size=8),
)
@settings(max_examples=60, deadline=None)
def test_networks_come_back_in_every_digit(sizes: list[int], names: Any, numbers: Any, tmp_path_factory: Any) -> None:
    """Activations of each layer, and parameters of any size."""
    path = tmp_path_factory.getbasetemp() / "model.json"
    activations = [names.draw(st.sampled_from(list(BY_NAME))) for _ in sizes[1:]]
    model = MLP(sizes[0], sizes[1:], activation=activations, seed=1)
    for parameter, number in zip(model.parameters(), numbers):
        parameter.data = number
    assert save(model, path) == path
    twin = load(path)
    assert type(twin) is MLP and repr(twin) == repr(model)
    assert list(twin.state_dict().items()) == list(model.state_dict().items())
    assert [p.label for p in twin.parameters()] == [p.label for p in model.parameters()]


@pytest.mark.parametrize("activation", BY_NAME)
def test_outputs_of_what_was_loaded_are_the_same(activation: str, tmp_path: Path) -> None:
    models: list[Module] = [
        Layer(2, 3, activation=activation, seed=1),
        Layer(2, 1, activation=activation, seed=1),  # of one neuron a softmax is 1
        MLP(2, [3, 1], activation=activation, seed=1),
    ]
    if chosen(activation) not in OF_LAYER:
        models.append(Neuron(2, activation=activation, seed=1))
    for model in models:
        twin = load(save(model, tmp_path / "model.json"))
        assert str(twin) == str(model)
        outputs = [made([0.3, -0.7]) for made in (model, twin)]
        assert np.array_equal(*[[v.data for v in (o if isinstance(o, list) else [o])] for o in outputs])


def test_softmax_layers_come_back(tmp_path: Path) -> None:
    model = MLP(2, [3, 3], activation=["tanh", "softmax"], seed=1)
    twin = load(save(model, tmp_path / "model.json"))
    assert [v.data for v in twin([1.0, 2.0])] == [v.data for v in model([1.0, 2.0])]
    assert sum(v.data for v in twin([1.0, 2.0])) == pytest.approx(1)


def test_a_classifier_keeps_its_standardisation_and_names(tmp_path: Path) -> None:
    """Trained on Iris, saved, loaded: the same answers to measurements in centimetres."""
    X, y = iris()
    X_scaled, scaling = standardize(X)
    model = MLP(4, [4, 3], activation="tanh", seed=1)
    fit(model, X_scaled, y, loss=cross_entropy, epochs=10, batch_size=10, seed=1, progress=False)
    flowers = Classifier(model, IRIS_CLASSES, scaling)
    assert flowers.accuracy(X, y) > 0.9
    twin = load(save(flowers, tmp_path / "flowers.json"))
    assert isinstance(twin, Classifier)
    assert (twin.predict(X) == flowers.predict(X)).all()
    assert (twin.probabilities(X) == flowers.probabilities(X)).all()
    assert (twin.classes, twin.scaling, twin.outputs) == (IRIS_CLASSES, scaling, "scores")
    assert str(twin.predict([[5.1, 3.5, 1.4, 0.2]])[0]) == "setosa"


def test_classifiers_of_your_own_models(tmp_path: Path) -> None:
    """Their save() keeps everything but the code; load() fills one that the code has built."""

    class Mine(Module):
        def __init__(self) -> None:
            self.inner = MLP(2, [2], seed=1)

        def __call__(self, row: Any) -> Any:
            return self.inner([row[0] * row[1], row[0]])

    first = Classifier(Mine(), ["no", "yes"], Scaling([1.0, 2.0], [3.0, 4.0]), outputs="scores")
    first.model.inner.layers[0].neurons[0].b.data = 0.125
    path = first.save(tmp_path / "mine.json")
    second = Classifier(Mine())
    second.load(path)
    assert second.classes == ("no", "yes") and second.scaling == first.scaling
    assert second.state_dict() == first.state_dict()
    with pytest.raises(ValueError, match=r"own save\(\): build one by code, and call its load\(\)"):
        load(path)
    with pytest.raises(TypeError, match="^Mine is a class of your own, which a file cannot build: use model.save"):
        save(first, tmp_path / "mine.json")
    of_nn_save = save(classifier(), tmp_path / "whole.json")
    third = classifier(seed=2)
    third.load(of_nn_save)
    assert third.state_dict() == classifier().state_dict()


def test_all_files_have_parameters_for_a_plain_load(tmp_path: Path) -> None:
    model = MLP(2, [3, 1], seed=1)
    twin = MLP(2, [3, 1], seed=2)
    twin.load(save(model, tmp_path / "model.json"))
    assert twin.state_dict() == model.state_dict()


def test_a_file_is_complete_or_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An error on the way leaves the old file and nothing beside it."""
    path = save(MLP(2, [1], seed=1), tmp_path / "model.json")
    before = path.read_bytes()

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OSError, match="No space left"):
        save(MLP(2, [5], seed=1), path)
    assert path.read_bytes() == before and list(tmp_path.iterdir()) == [path]


def test_loading_draws_no_random_numbers(tmp_path: Path) -> None:
    import random

    for model in (MLP(2, [3, 1], seed=1), Layer(2, 3, seed=1), Neuron(2, seed=1), classifier()):
        path = save(model, tmp_path / "model.json")
        state = random.getstate()
        load(path)
        assert random.getstate() == state


# ----- What cannot be saved -----


class Shared(MLP):
    pass


def tied() -> MLP:
    model = MLP(2, [2, 1], seed=1)
    model.layers[0].neurons[1].w = model.layers[0].neurons[0].w
    return model


def mixed() -> MLP:
    model = MLP(2, [2, 1], seed=1)
    model.layers[0].neurons[1].activation = ag.tanh
    return model


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Shared(2, [1], seed=1), "^Shared is a class of your own, which a file cannot build: use model.save"),
        (
            lambda: MLP(2, [2, 1], activation=lambda z: z * z, seed=1),
            "^the activation <lambda> has no name in nn.activ",
        ),
        (lambda: MLP(2, [2, 1], activation=PReLU(), seed=1), "^the activation PReLU has no name in nn.activations"),
        (tied, "^its parameters are not those it was built with, which a file cannot build"),
        (mixed, "^the neurons of a layer have different activations, which a file cannot build"),
        (lambda: 3, "^model is an nn.Module, not 3$"),
    ],
)
def test_what_cannot_be_built_is_not_saved(make: Any, message: str, tmp_path: Path) -> None:
    """The error says what to do; no file appears."""
    with pytest.raises(TypeError, match=message):
        save(make(), tmp_path / "model.json")
    assert not list(tmp_path.iterdir())


# ----- Files that are no model -----


def saved(path: Path, change: Any) -> Path:
    """A file of a classifier with a change in it."""
    content = json.loads(save(classifier(), path).read_text())
    change(content, content["architecture"], content["architecture"]["model"])
    path.write_text(json.dumps(content))
    return path


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c, a, m: c.pop("architecture"), "holds parameters alone"),
        (lambda c, a, m: c.update(architecture=3), "its architecture is 3"),
        (lambda c, a, m: a.update(kind="Forest"), "it is a 'Forest', and not one of MLP, Layer, Neuron, Classifier"),
        (lambda c, a, m: a.update(kind=["MLP"]), r"it is a \['MLP'\], and not one of MLP"),
        (lambda c, a, m: a.update(model=dict(a)), "a classifier of a classifier is none"),
        (lambda c, a, m: a.update(classes=["a"]), "classes lists two names or more, not 1"),
        (lambda c, a, m: a.update(classes=["a", "a"]), "classes has 'a' twice"),
        (lambda c, a, m: a.update(classes=["a", "b", "c"]), "classes names 3, and the model has 2 outputs"),
        (lambda c, a, m: a.update(classes=5), "its classifier is damaged: classes lists names"),
        (lambda c, a, m: a.update(outputs="cat"), "outputs is one of 'scores'"),
        (lambda c, a, m: a.update(outputs=[]), r"outputs is \[\]"),
        (lambda c, a, m: a.update(scaling={"mean": [1.0]}), "its classifier is damaged"),
        (lambda c, a, m: a.update(scaling=[]), "its classifier is damaged"),
        (lambda c, a, m: a["scaling"].update(std=[0.0, 1.0]), "std is more than 0"),
        (lambda c, a, m: a["scaling"].update(mean=[math.nan, 1.0]), "mean is a finite number, not nan"),
        (lambda c, a, m: a.update(scaling={"mean": [1.0], "std": [1.0]}), "for 1 column, and the model takes 2"),
        (lambda c, a, m: m.update(layers=[]), r"its layers are \[\]"),
        (lambda c, a, m: m.update(layers={"0": 1}), "its layers are"),
        (lambda c, a, m: m["layers"].append("more"), "one of its parts is 'more', where a Layer should be"),
        (
            lambda c, a, m: m["layers"][0].update(nout=10**9),
            "a layer takes 3 inputs, and the one before has 1000000000",
        ),
        (
            lambda c, a, m: m["layers"][-1].update(nout=10**9),
            "its layers have 4000000009 parameters, and the file has 17",
        ),
        (lambda c, a, m: m["layers"][0].update(nin=10**18), "parameters, and the file has 17"),
        (lambda c, a, m: m["layers"][0].update(nin=-1), "a number of inputs or neurons is -1"),
        (lambda c, a, m: m["layers"][0].update(nin=2.0), "a number of inputs or neurons is 2.0"),
        (lambda c, a, m: m["layers"][0].update(nin=True), "a number of inputs or neurons is True"),
        (lambda c, a, m: m["layers"][0].update(activation="os.system"), "its activation 'os.system' is none of"),
        (lambda c, a, m: m["layers"][0].update(activation=["tanh"]), r"its activation \['tanh'\] is none of"),
        (lambda c, a, m: m["layers"][0].update(activation="__import__"), "its activation '__import__' is none of"),
        (lambda c, a, m: c["parameters"].update({"model.layers.0.neurons.0.b": "1"}), "is '1', not a number"),
        (lambda c, a, m: c["parameters"].update({"model.layers.0.neurons.0.b": 10**400}), "too large"),
        (lambda c, a, m: c["parameters"].popitem(), "its layers have 17 parameters, and the file has 16"),
        (lambda c, a, m: c["parameters"].update(w=1.0), "a classifier has no parameter 'w'"),
        (lambda c, a, m: c.update(version=2), "has version 2; this chalkgrad reads 1"),
        (lambda c, a, m: c.update(format="other"), "is no model that chalkgrad wrote"),
        (lambda c, a, m: c.update(parameters=[]), "has no parameters"),
    ],
)
def test_damaged_files(change: Any, message: str, tmp_path: Path) -> None:
    """One ValueError that names the file and says what is wrong with it."""
    path = saved(tmp_path / "model.json", change)
    with pytest.raises(ValueError, match=message) as caught:
        load(path)
    assert str(path) in str(caught.value)


def test_names_in_another_order_or_place(tmp_path: Path) -> None:
    """Order does not matter; a name that stands for another does."""

    def reverse(content: Any, *_: Any) -> None:
        content["parameters"] = dict(reversed(content["parameters"].items()))

    def rename(content: Any, *_: Any) -> None:
        content["parameters"]["model.elsewhere"] = content["parameters"].popitem()[1]

    assert load(saved(tmp_path / "model.json", reverse)).state_dict() == classifier().state_dict()
    with pytest.raises(ValueError, match="1 parameter is missing, such as 'layers.1.neurons.1.b'"):
        load(saved(tmp_path / "model.json", rename))


def test_every_truncation_is_one_error(tmp_path: Path) -> None:
    """Wherever the file ends; and the model that was to read it is unchanged."""
    path = tmp_path / "model.json"
    text = save(classifier(), path).read_bytes().rstrip()
    model = classifier(seed=2)
    before = model.state_dict()
    for end in range(len(text)):
        path.write_bytes(text[:end])
        for read in (load, model.load, model.model.load):
            with pytest.raises(ValueError, match="it is not JSON, or not all of it is there"):
                read(path)
    assert model.state_dict() == before


@given(data=st.data())
@settings(max_examples=300, deadline=None)
def test_any_file_is_a_model_or_one_error(data: Any, tmp_path_factory: Any) -> None:
    """Bytes changed, parts of the JSON replaced by others, noise: no other exception, nothing half done."""
    path = tmp_path_factory.getbasetemp() / "fuzzed.json"
    text = save(classifier(), path).read_bytes()
    kind = data.draw(st.sampled_from(["noise", "bytes", "parts"]))
    if kind == "noise":
        text = data.draw(st.binary(max_size=50))
    elif kind == "bytes":
        for _ in range(data.draw(st.integers(1, 4))):
            place = data.draw(st.integers(0, len(text) - 1))
            text = text[:place] + data.draw(st.binary(min_size=0, max_size=2)) + text[place + 1 :]
    else:
        text = json.dumps(replaced(json.loads(text), data)).encode()
    path.write_bytes(text)
    model = classifier(seed=2)
    before = (model.state_dict(), model.classes, model.scaling)
    for read in (load, model.load):
        try:
            made = read(path)
        except ValueError as error:
            assert str(path) in str(error)
            assert (model.state_dict(), model.classes, model.scaling) == before
        else:
            assert made is None or isinstance(made, Module)


JSON_PARTS = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-3, 10**30)
    | st.floats()
    | st.sampled_from(["MLP", "Classifier", "tanh", ""]),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["kind", "nin", "layers"]), inner, max_size=2)
    ),
    max_leaves=4,
)


def replaced(part: Any, data: Any) -> Any:
    """A JSON document with one part of it replaced."""
    children = list(part.items()) if isinstance(part, dict) else list(enumerate(part)) if isinstance(part, list) else []
    if not children or data.draw(st.integers(0, 5)) == 0:
        return data.draw(JSON_PARTS)
    key, child = data.draw(st.sampled_from(children))
    part[key] = replaced(child, data)
    return part


def test_deeply_nested_files(tmp_path: Path) -> None:
    path = tmp_path / "deep.json"
    path.write_text("[" * 100_000)
    with pytest.raises(ValueError, match="it is not JSON"):
        load(path)


def test_files_that_are_not_there(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        load(tmp_path / "none.json")
    with pytest.raises(OSError):
        load(tmp_path)
    for write in (lambda path: save(MLP(1, [1], seed=1), path), MLP(1, [1], seed=1).save):
        with pytest.raises(FileNotFoundError, match="there is no such folder: make it, or give another") as caught:
            write(tmp_path / "no" / "model.json")
        assert caught.value.filename == str((tmp_path / "no").resolve())


# ----- Classifiers -----


def test_answers_of_one_output() -> None:
    """Above 0 for scores, above 1/2 for probabilities; probabilities add up to 1."""
    model = MLP(1, [1], init="zeros")
    model.layers[0].neurons[0].w[0].data = 2.0
    by_score = Classifier(model, ["no", "yes"])
    assert by_score.predict([[-1.0], [0.0], [1.0]]).tolist() == ["no", "no", "yes"]
    p = 1 / (1 + math.exp(-2))
    assert by_score.probabilities([[1.0]])[0] == pytest.approx([1 - p, p], rel=1e-15)
    assert Classifier(model, outputs="probabilities").predict([[0.2], [0.3]]).tolist() == [0, 1]
    assert Classifier(model, outputs="log_probabilities").predict([[-0.3], [-0.4]]).tolist() == [1, 0]
    assert Classifier(model).accuracy([[1.0], [-1.0]], [1, -1]) == 1.0


@given(st.lists(st.floats(-700, 700), min_size=2, max_size=5))
@settings(max_examples=100, deadline=None)
def test_probabilities_agree_with_the_choice(scores: list[float]) -> None:
    """Of scores, of their softmax, and of its logarithms: the same class, the same probabilities."""
    p = as_probabilities(scores, "scores")
    assert sum(p) == pytest.approx(1)
    assert p[chosen_class(scores, "scores")] == max(p)
    logs = [float(x) for x in ag.log_softmax(scores)]
    assert as_probabilities(logs, "log_probabilities") == pytest.approx(p, abs=1e-12)
    assert as_probabilities(p, "probabilities") == p


@pytest.mark.parametrize(
    ("last", "kind"),
    [(None, "scores"), ("tanh", "scores"), ("sigmoid", "probabilities"), ("softmax", "probabilities"),
     (ag.log_softmax, "log_probabilities")],
)  # fmt: skip
def test_the_last_layer_tells_what_outputs_are(last: Any, kind: str) -> None:
    model = MLP(2, [3, 3], activation=["tanh", last], seed=1)
    assert kind_of_outputs(model) == Classifier(model).outputs == kind
    assert Classifier(model).probabilities([[0.1, 0.2]]).sum() == pytest.approx(1) or last == "sigmoid"


def test_training_a_classifier_trains_its_model_on_standardised_rows() -> None:
    X, y = iris()
    scaled, scaling = standardize(X)
    direct, wrapped = MLP(4, [3], seed=1), Classifier(MLP(4, [3], seed=1), IRIS_CLASSES, scaling)
    fit(direct, scaled, y, loss=cross_entropy, epochs=2, progress=False)
    fit(wrapped, X, y, loss=cross_entropy, epochs=2, progress=False)
    assert [p.data for p in wrapped.parameters()] == [p.data for p in direct.parameters()]
    assert repr(wrapped).endswith("classes setosa, versicolor, virginica, standardised>")


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: Classifier(lambda row: row), TypeError, "^model is an nn.Module that is called on a row"),
        (lambda: Classifier(Module()), TypeError, "^model is an nn.Module that is called on a row"),
        (lambda: Classifier(classifier()), TypeError, "^model is an nn.Module that is called on a row"),
        (lambda: Classifier(MLP(1, [2], seed=1), "ab"), TypeError, "^classes lists names, .* not 'ab'$"),
        (lambda: Classifier(MLP(1, [2], seed=1), [1, 2]), TypeError, "^classes lists names, strings; not 1$"),
        (lambda: Classifier(MLP(1, [2], seed=1), ["a"]), ValueError, "^classes lists two names or more, not 1$"),
        (
            lambda: Classifier(MLP(1, [3], seed=1), ["a", "b"]),
            ValueError,
            "^classes names 2, and the model has 3 outputs",
        ),
        (lambda: Classifier(MLP(1, [1], seed=1), scaling=(0, 1)), TypeError, "^scaling is what standardize.. gave"),
        (lambda: Classifier(MLP(1, [1], seed=1), outputs="logits"), ValueError, "^outputs is one of 'scores', 'prob"),
        (lambda: classifier().predict([1.0, 2.0]), ValueError, "^X has a row for each point"),
        (lambda: classifier().predict([[1.0, 2.0, 3.0]]), ValueError, "^the scaling is for rows of 2 numbers, not 3$"),
        (
            lambda: classifier().accuracy([[1.0, 2.0]], ["maybe"]),
            ValueError,
            "^y has a class 'maybe', and the classes are no",
        ),
        (lambda: classifier().accuracy([[1.0, 2.0]], [2]), ValueError, "^y has numbers of classes from 0 to 1, not 2$"),
        (
            lambda: classifier().accuracy([[1.0, 2.0]], [0.5]),
            ValueError,
            "^y holds the classes' names, or their numbers",
        ),
        (
            lambda: classifier().accuracy([[1.0, 2.0]], [0, 1]),
            ValueError,
            "^y has a class for each of the 1 rows of X; not 2$",
        ),
        (lambda: classifier().accuracy([[1.0, 2.0]], 1), ValueError, "^y lists a class for each row, not 1$"),
    ],
)
def test_bad_classifiers(make: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        make()


def test_your_own_model_with_too_many_outputs() -> None:
    """What cannot be seen at first is told when it is."""

    class Three(Module):
        def __call__(self, row: Any) -> list[Value]:
            return [Value(1.0)] * 3

    with pytest.raises(ValueError, match="^classes names 2, and the model has 3 outputs"):
        Classifier(Three(), ["a", "b"]).predict([[1.0]])
