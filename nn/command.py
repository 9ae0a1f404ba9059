"""The command `chalkgrad` whole: all that `autograd.cli` has, `chalkgrad train moons` and `chalkgrad predict`.

    chalkgrad train spirals --hidden 16,16 --plot boundary.png --save model.json
    chalkgrad train flowers.csv --target species --save flowers.json
    chalkgrad predict flowers.json new.csv

`train` holds out a third of the rows, standardises by the others, learns from these, and says how many of the held out
ones it gets right. The same line prints the same numbers again, unless it has another `--seed`.
"""

from __future__ import annotations

import math
import sys
import warnings
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import autograd as ag
from autograd.cli import main as run

from . import datasets, plot
from .activations import BY_NAME, OF_LAYER
from .architecture import load, save
from .arguments import counted, short
from .classifier import Classifier, inputs_of
from .csv_files import Table, records
from .layers import MLP
from .losses import binary_cross_entropy_with_logits, cross_entropy
from .optim import Adam
from .training import fit

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence
    from typing import Any

    import numpy

    from .layers import Layer
    from .training import History

#: The data sets that have a name. The made ones have this many points.
POINTS = 200
MADE = {
    "moons": datasets.moons,
    "spirals": datasets.spirals,
    "circles": datasets.circles,
    "xor": datasets.xor,
    "blobs": datasets.blobs,
}

#: The options that are followed by a value.
WITH_VALUE = (
    *("--target", "--hidden", "--activation", "--epochs", "--lr", "--batch-size", "--seed"),
    *("--plot", "--graph", "--save"),
)

#: What a drawing can be saved as.
GRAPHS = (".svg", ".png", ".pdf", ".dot", ".gv")

#: Networks of more neurons are drawn layer by layer, and of more parameters are not trained number by number.
MOST_NEURONS = 12
MOST_PARAMETERS = 20_000


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit status: 0, or 2 for bad input."""
    return run(arguments, _add_commands, WITH_VALUE)


def _add_commands(commands: Any) -> None:
    """Describe `train` and `predict` to argparse."""
    activations = sorted(name for name, function in BY_NAME.items() if function not in OF_LAYER and name != "identity")
    train = commands.add_parser("train", help="train a network to tell classes apart", allow_abbrev=False)
    train.add_argument("data", metavar="DATA", help=f"{', '.join(MADE)}, iris, or a CSV file with a column of classes")
    train.add_argument("--target", default="-1", metavar="COLUMN", help="name or place of the classes (default: last)")
    train.add_argument(
        "--hidden", default="16,16", metavar="SIZES", help='neurons of each hidden layer, or "" for none'
    )
    train.add_argument("--activation", choices=activations, default="tanh", help="of the hidden layers (default: tanh)")
    train.add_argument("--epochs", default="60", metavar="N", help="passes over the data (default: 60)")
    train.add_argument("--lr", default="0.05", metavar="NUMBER", help="the step size of Adam (default: 0.05)")
    train.add_argument("--batch-size", default="10", metavar="N", help="rows for each step (default: 10)")
    train.add_argument("--seed", default="1", metavar="N", help="what all random numbers are drawn from (default: 1)")
    train.add_argument(
        "--plot", metavar="FILE", help="write the decision boundary, or the loss curve (needs matplotlib)"
    )
    train.add_argument(
        "--graph", metavar="FILE", help="write the network's graph for one row (.svg; .png needs Graphviz)"
    )
    train.add_argument("--save", metavar="FILE", help="write the trained model, for chalkgrad predict")
    train.add_argument("--compile", action="store_true", help="compute all rows of a step at once: many times as fast")
    train.add_argument("--quiet", action="store_true", help="print the accuracy alone")
    train.set_defaults(run=_train)
    predict = commands.add_parser("predict", help="name the class of each row of a CSV file", allow_abbrev=False)
    predict.add_argument("model", metavar="MODEL", help="what chalkgrad train --save wrote")
    predict.add_argument("data", metavar="FILE", help="a CSV file; with a column of classes the accuracy is measured")
    predict.add_argument(
        "--target", default="-1", metavar="COLUMN", help="name or place of the classes, if any are there"
    )
    predict.set_defaults(run=_predict)


# ----- train -----


class _Plan(NamedTuple):
    """What the options ask for, each of them looked at."""

    hidden: list[int]
    activation: str
    epochs: int
    lr: float
    batch_size: int
    seed: int
    compile: bool


def _train(options: argparse.Namespace) -> None:
    plan = _plan(options)
    _check_files(options)
    data = _data(options, plan.seed)
    X, held_out, y, wanted = datasets.train_test_split(data.X, data.y, seed=plan.seed, stratified=True)
    classifier = _untrained(plan, data, X)

    def say(text: str) -> None:
        if not options.quiet:
            print(text, flush=True)

    inputs, classes = counted(len(data.features), "input"), counted(len(data.classes), "class")
    say(f"{counted(len(data.X), 'row')}, {inputs}, {classes}; {len(held_out)} of the rows are held out")
    say(f"{_shape(classifier)}: {counted(len(classifier.parameters()), 'parameter')}")
    history = _trained(classifier, X, y, plan, progress=not options.quiet)
    say(_told(history, plan.epochs))
    if options.save is not None:
        say(f"wrote {save(classifier, options.save)}")
    print(
        f"accuracy: {_percent(classifier.accuracy(held_out, wanted))} of the {len(held_out)} held out rows", flush=True
    )
    if options.plot is not None:
        say(f"wrote {_plotted(options.plot, classifier, data, history)}")
    if options.graph is not None:
        say(f"wrote {_drawn(options.graph, classifier, data)}")


def _plan(options: argparse.Namespace) -> _Plan:
    hidden = [_whole(size, "--hidden", ", such as 16,16") for size in options.hidden.split(",") if options.hidden]
    return _Plan(
        hidden=hidden,
        activation=options.activation,
        epochs=_whole(options.epochs, "--epochs"),
        lr=_step_size(options.lr),
        batch_size=_whole(options.batch_size, "--batch-size"),
        seed=_whole(options.seed, "--seed", least=0),
        compile=options.compile,
    )


def _whole(text: str, name: str, example: str = "", least: int = 1) -> int:
    if not (text.strip().isascii() and text.strip().isdigit()) or len(text) > 18 or int(text) < least:
        raise ValueError(f"{name} takes whole numbers{example}, {least} or more; not {short(text)}")
    return int(text)


def _step_size(text: str) -> float:
    try:
        lr = float(text)
    except ValueError:
        lr = math.nan
    if not 0 < lr < math.inf:
        raise ValueError(f"--lr takes a number above 0, such as 0.05; not {short(text)}")
    return lr


def _data(options: argparse.Namespace, seed: int) -> datasets.Dataset:
    """The rows and their classes."""
    import numpy

    name = options.data
    if name in MADE or name == "iris":
        if options.target != "-1":
            raise ValueError(f"--target is for CSV files, and {name} is none")
        if name == "iris":
            return datasets.Dataset(*datasets.iris(), datasets.IRIS_FEATURES, datasets.IRIS_CLASSES)
        X, y = MADE[name](POINTS, seed=seed)
        return datasets.Dataset(X, y, ("x1", "x2"), tuple(f"class {i}" for i in range(int(y.max()) + 1)))
    if name and not Path(name).exists():
        raise ValueError(f"there is no file {name!r}: train takes {', '.join(MADE)}, iris, or a CSV file")
    table = _table(name, _column(options.target))
    names, numbers = table.classes(advice=": train tells classes apart")
    rows = numpy.array([table.numbers(row) for row in table.rows])
    return datasets.Dataset(rows, numpy.array(numbers), table.features, names)


def _table(path: str, target: int | str | None) -> Table:
    """A CSV file."""
    if not path:
        raise ValueError("a file to read has a name; the one given is empty")
    try:
        return Table(path, list(records(path, ",")), target)
    except OSError as error:
        raise ValueError(f"cannot read {path}: {error.strerror}") from None


def _column(text: str) -> int | str:
    """A place, or a name."""
    return int(text) if text.strip().removeprefix("-").isdecimal() else text


def _untrained(plan: _Plan, data: datasets.Dataset, X: numpy.ndarray) -> Classifier:
    """A network for the data: with an output for each class, of two classes one alone."""
    sizes = [X.shape[1], *plan.hidden, 1 if len(data.classes) == 2 else len(data.classes)]
    if (count := sum((m + 1) * n for m, n in pairwise(sizes))) > MOST_PARAMETERS:
        advice = f"up to {MOST_PARAMETERS:,} are trained here: give --hidden fewer neurons"
        raise ValueError(f"the network would have {count:,} parameters, and {advice}")
    _, scaling = datasets.standardize(X)
    model = MLP(sizes[0], sizes[1:], activation=plan.activation, init="xavier", seed=plan.seed)
    return Classifier(model, data.classes, scaling)


def _trained(classifier: Classifier, X: Any, y: Any, plan: _Plan, *, progress: bool) -> History:
    loss = binary_cross_entropy_with_logits if len(classifier.classes or ()) == 2 else cross_entropy
    optimizer = Adam(classifier.parameters(), lr=plan.lr)
    how: dict[str, Any] = {"epochs": plan.epochs, "batch_size": plan.batch_size, "seed": plan.seed}
    how["compile"] = plan.compile
    return fit(classifier, X, y, loss=loss, optimizer=optimizer, progress=progress, **how)


def _told(history: History, epochs: int) -> str:
    """How the training went."""
    if not history.interrupted:
        done = f"{counted(len(history), 'epoch')} in {sum(history.seconds):.1f} s"
    elif len(history):
        done = f"stopped by Ctrl-C after {len(history)} of {epochs} epochs; what was learnt is kept"
    else:
        return "stopped by Ctrl-C before the first epoch was over; what was learnt is kept"
    return f"{done}: loss {history.loss[0]:.3g} → {history.loss[-1]:.3g}"


def _layers(classifier: Classifier) -> list[Layer]:
    network: Any = classifier.model
    return list(network.layers)


def _shape(classifier: Classifier) -> str:
    """`4 → 16 → 16 → 3, tanh`: the neurons of each layer."""
    layers = _layers(classifier)
    sizes = [inputs_of(classifier.model), *(len(layer.neurons) for layer in layers)]
    function = layers[0].neurons[0].activation
    return " → ".join(map(str, sizes)) + (f", {function.__name__}" if function else ", linear")


# ----- The files that train writes -----


def _check_files(options: argparse.Namespace) -> None:
    """An error before the training rather than after it."""
    for path in (options.plot, options.graph, options.save):
        if path is None:
            continue
        if not path:
            raise ValueError("a file to write has a name; one of those given is empty")
        if Path(path).is_dir() or not Path(path).parent.is_dir():
            reason = "it is a folder" if Path(path).is_dir() else "its folder does not exist"
            raise ValueError(f"cannot write {path!r}: {reason}")
    if options.graph is not None and Path(options.graph).suffix.lower() not in GRAPHS:
        raise ValueError(f"--graph takes a name that ends in .svg, .png, .pdf or .dot; not {options.graph!r}")
    if options.plot is not None:
        _check_plot(options.plot)


def _check_plot(path: str) -> None:
    """That matplotlib is there, and knows the format."""
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise ValueError("--plot needs matplotlib: pip install 'chalkgrad[plot]'") from None
    if Path(path).suffix.lower().removeprefix(".") not in Figure().canvas.get_supported_filetypes():
        raise ValueError(f"--plot takes a name that ends in .png, .svg or .pdf; not {path!r}")


def _plotted(path: str, classifier: Classifier, data: datasets.Dataset, history: History) -> str:
    """The plane for two inputs, else how the loss went."""
    if len(data.features) == 2:
        figure = plot.decision_boundary(classifier, data.X, data.y)
        figure.axes[0].set_xlabel(data.features[0])
        figure.axes[0].set_ylabel(data.features[1])
    elif len(history):
        figure = history.plot()
    else:
        raise ValueError("there is no loss to plot: not one epoch was complete")
    figure.savefig(path)
    return path


def _drawn(path: str, classifier: Classifier, data: datasets.Dataset) -> Path:
    """The loss of the first row as a graph, in boxes for neurons or, of many of them, for layers."""
    scaled = classifier.scaling.row(data.X[0].tolist()) if classifier.scaling else data.X[0].tolist()
    row = [ag.Value(number, name) for number, name in zip(scaled, data.features)]
    outputs, right = classifier.model(row), int(data.y[0])
    alone = isinstance(outputs, ag.Value)
    loss = binary_cross_entropy_with_logits(outputs, right) if alone else cross_entropy(outputs, right)
    loss.label = "loss"
    classifier.zero_grad()
    loss.backward()
    neurons = sum(len(layer.neurons) for layer in _layers(classifier))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that it is hard to read is known: it is asked for
        return ag.draw(loss, collapse="neuron" if neurons <= MOST_NEURONS else "layer").save(path)


# ----- predict -----


def _predict(options: argparse.Namespace) -> None:
    classifier = _loaded(options.model)
    width = inputs_of(classifier.model)
    table = _table_for(options.data, options.target, width)
    if width != len(table.features):
        also = "" if table.target is None else ", beside the classes"
        raise ValueError(f"{options.data} has {counted(len(table.features), 'column')}{also}; the model takes {width}")
    X = [table.numbers(row) for row in table.rows]
    likeliest = classifier.probabilities(X).max(axis=1)
    answers = classifier.predict(X).tolist()
    print("class,probability")
    for answer, probability in zip(answers, likeliest):
        print(f"{_quoted(str(answer))},{probability:.4g}")
    if table.target is not None:
        right = sum(str(answer) == row.fields[table.target] for answer, row in zip(answers, table.rows))
        print(f"accuracy: {_percent(right / len(answers))} of {counted(len(answers), 'row')}", file=sys.stderr)


def _loaded(path: str) -> Classifier:
    if not path:
        raise ValueError("a model has the name of a file; the one given is empty")
    try:
        model = load(path)
    except OSError as error:
        raise ValueError(f"cannot read {path}: {error.strerror}") from None
    return model if isinstance(model, Classifier) else Classifier(model)


def _table_for(path: str, target: str, width: int | None) -> Table:
    """The rows, with a column of classes if one is named or there are more columns than the model takes."""
    plain = _table(path, None)
    with_classes = target != "-1" or (width is not None and len(plain.features) > width)
    return _table(path, _column(target)) if with_classes else plain


def _quoted(text: str) -> str:
    """A field of a CSV file."""
    return '"' + text.replace('"', '""') + '"' if any(mark in text for mark in ',"\n\r') else text


def _percent(part: float) -> str:
    return f"{100 * part:.1f} %"
