"""Pictures of data, of training and of networks, by matplotlib (`pip install 'chalkgrad[plot]'`).

    plot.loss_curve(history).savefig("loss.png")
    plot.decision_boundary(model, X, y)          # in a notebook, the figure shows itself
    plot.neuron_boundaries(model, X, y)          # what each neuron of the first layer sees
    plot.gradient_flow(model, X)                 # after backward(): vanishing gradients, dying units
    plot.weight_histograms(model)
    plot.activation("tanh")                      # with its derivative

Each gives a matplotlib `Figure`, which has `.savefig(path)` and `.axes`. Those of a single picture take `ax=`, to draw
into a figure of your own, from `plt.subplots()` for one. pyplot is left alone, so no window or display is needed.
"""

from __future__ import annotations

import math
from contextlib import contextmanager
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import autograd as ag

from .activations import BY_NAME, OF_LAYER, chosen, name_of
from .arguments import array, count, finite, matrix, short
from .classifier import Classifier, as_probabilities, kind_of_outputs
from .evaluation import as_list, over
from .layers import MLP, Layer
from .module import can_be_called

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import Any

    import numpy
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from .module import Module

__all__ = [
    "activation",
    "activations",
    "dead_units",
    "decision_boundary",
    "gradient_flow",
    "loss_curve",
    "neuron_boundaries",
    "training_curves",
    "weight_histograms",
]

BLUE, ORANGE = "#0b5cad", "#a8430a"
INK, LINE, FAINT = "#1b1f24", "#57606a", "#d0d7de"

DASHED = (0, (4, 1.5))

#: The layers of a deeper network have numbers below them instead of names.
MOST_NAMED = 6

#: One for each class. They differ in lightness too, and so do the markers in shape: colour is not needed to tell them.
COLOURS = (BLUE, ORANGE, "#d9a400", "#2f9e8f", "#b05fa8", "#1b1f24")
MARKERS = ("o", "s", "^", "D", "v", "P")

#: What figures look like.
STYLE: dict[str, Any] = {
    "axes.edgecolor": LINE,
    "axes.labelcolor": INK,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlesize": 10.5,
    "axes.titlecolor": INK,
    "axes.labelsize": 10,
    "font.size": 10,
    "legend.frameon": False,
    "legend.fontsize": 9,
    "xtick.color": LINE,
    "ytick.color": LINE,
}


# ----- Training -----


def loss_curve(history: Any, ax: Axes | None = None) -> Figure:
    """The loss of each epoch, and the validation loss with its best epoch, if there is one.

    The scale is logarithmic where the losses are all above 0 and span more than a factor of 20.

    Args:
        history: what `fit` gave.
        ax: where to draw; None makes a figure.

    Raises:
        ValueError: for a history without epochs.
        ImportError: where matplotlib is missing; it says how to install it. So do all functions here.

    >>> from nn import MLP, fit, mse_loss
    >>> history = fit(MLP(1, [1], seed=1), [[-1.0], [1.0]], [-1.0, 3.0], loss=mse_loss, epochs=5, progress=False)
    >>> loss_curve(history).axes[0].get_ylabel()
    'loss'
    """
    _check_history(history)
    with _panel(ax) as (figure, axes):
        _curves(axes, history, "loss")
        losses = [*history.loss, *history.validation_loss]
        if min(losses) > 0 and max(losses) > 20 * min(losses):
            axes.set_yscale("log")
        _mark_best(axes, history)
        axes.legend()
    return figure


def training_curves(history: Any) -> Figure:
    """The loss of each epoch and, where it was measured, the accuracy beside it. `history.plot()` is the same.

    >>> from nn import MLP, fit, hinge_loss
    >>> history = fit(MLP(1, [1], seed=1), [[-1.0], [1.0]], [-1, 1], loss=hinge_loss, epochs=5, progress=False)
    >>> [panel.get_ylabel() for panel in training_curves(history).axes]
    ['loss', 'accuracy']
    """
    _check_history(history)
    if not history.accuracy:
        return loss_curve(history)
    with _figure(width=9.0) as figure:
        left, right = figure.subplots(1, 2)
        loss_curve(history, left)
        _curves(right, history, "accuracy")
        right.set_ylim(min(0.5, *history.accuracy, *history.validation_accuracy) - 0.02, 1.02)
        right.legend(loc="lower right")
    return figure


def _check_history(history: Any) -> None:
    if not hasattr(history, "validation_loss"):
        raise TypeError(f"history is what fit() gave, not {short(history)}")
    if not len(history):
        raise ValueError("history has no complete epoch to draw")


def _curves(axes: Axes, history: Any, what: str) -> None:
    """Of training, and of validation if there is any."""
    numbers, checked = getattr(history, what), getattr(history, f"validation_{what}")
    marker = "o" if len(numbers) == 1 else None
    axes.plot(range(1, len(numbers) + 1), numbers, color=BLUE, marker=marker, label="training")
    if checked:
        look: dict[str, Any] = {"color": ORANGE, "linestyle": DASHED, "marker": marker and "s"}
        axes.plot(range(1, len(checked) + 1), checked, label="validation", **look)
    axes.set_xlabel("epoch")
    axes.set_ylabel(what)
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.set_xlim(1 - 0.02 * len(numbers), len(numbers) + 0.02 * len(numbers))
    axes.grid(color=FAINT, linewidth=0.5)


def _mark_best(axes: Axes, history: Any) -> None:
    if history.validation_loss:
        best = history.best_epoch
        label = f"best: epoch {best}"
        lowest = history.validation_loss[best - 1]
        axes.plot([best], [lowest], "s", color=ORANGE, markersize=7, markeredgecolor="white", label=label, zorder=3)


# ----- Boundaries -----


def decision_boundary(
    model: Any,
    X: Any,
    y: Any,
    *,
    neuron: tuple[int, int] | None = None,
    first_layer: bool = False,
    resolution: int = 80,
    ax: Axes | None = None,
) -> Figure:
    """The plane in the colours of the classes that the model sees there, with the points of the data.

    The more certain the model is, the fuller the colour. The line is where the decision changes.

    Args:
        model: a `Classifier`, or a model with one output (for two classes) or one for each class.
        X: points of shape (n, 2), as the model takes them.
        y: their classes, whole numbers from 0 (or -1 and 1), or a classifier's names.
        neuron: (layer, number), both counted from 1, to see instead where one neuron of an MLP is active: its output
            a, and the line where its weighted sum z is 0.
        first_layer: whether to draw the line z = 0 of each neuron of an MLP's first layer.
        resolution: how many points the model is asked for, in each direction.
        ax: where to draw; None makes a figure.

    Raises:
        ValueError: for points that are not in the plane, classes that are none, a neuron that is not there.

    >>> from nn import MLP, datasets
    >>> X, y = datasets.xor(20, seed=1)
    >>> figure = decision_boundary(MLP(2, [4, 1], seed=1), X, y, resolution=20)
    >>> [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
    ['class 0', 'class 1']
    """
    if not can_be_called(model) or isinstance(model, type):
        raise TypeError(f"model is called on a point, such as nn.MLP; not {short(model)}")
    points, labels, names = _points(model, X, y)
    grid = _Grid(points, count(resolution, "resolution", 2, 2000))
    with _panel(ax, height=min(5.0, 4.3 / grid.ratio + 0.7)) as (figure, axes):
        if neuron is None:
            _draw_regions(axes, grid, model)
        else:
            layer, number = _neuron_place(model, neuron)
            _draw_activity(axes, grid, *_activity(model, grid, layer)[number - 1])
            axes.set_title(f"layer {layer}, neuron {number}: its output, and the line z = 0")
        if first_layer:
            _draw_lines(axes, grid, [z for z, _ in _activity(model, grid, 1)])
        _draw_points(axes, points, labels, names)
        grid.frame(axes)
        axes.legend(loc="upper left", bbox_to_anchor=(1.01, 1.0), borderaxespad=0.0)
    return figure


def neuron_boundaries(model: Any, X: Any, y: Any, *, layer: int = 1, resolution: int = 40) -> Figure:
    """A panel for each neuron of a layer: where it is active, and the line where its weighted sum z is 0.

    Neurons of the first layer cut the plane along a straight line; those of later layers along what these lines make.

    Args:
        model: an MLP, or a `Classifier` of one.
        X, y: points in the plane and their classes, as for `decision_boundary`.
        layer: which one, counted from 1.
        resolution: how many points each neuron is asked for, in each direction.

    >>> from nn import MLP, datasets
    >>> X, y = datasets.xor(20, seed=1)
    >>> figure = neuron_boundaries(MLP(2, [4, 3, 1], seed=1), X, y, layer=2, resolution=20)
    >>> [panel.get_title() for panel in figure.axes]
    ['neuron 1', 'neuron 2', 'neuron 3']
    """
    points, labels, names = _points(model, X, y)
    _neuron_place(model, (layer, 1))
    grid = _Grid(points, count(resolution, "resolution", 2, 2000))
    activity = _activity(model, grid, layer)
    columns = min(len(activity), 4)
    rows = math.ceil(len(activity) / columns)
    with _figure(width=2.1 * columns + 0.6, height=(1.9 / grid.ratio + 0.35) * rows + 0.9) as figure:
        panels = list(figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False).flat)
        for number, (axes, (z, a)) in enumerate(zip(panels, activity), 1):
            _draw_activity(axes, grid, z, a)
            _draw_points(axes, points, labels, names, size=7)
            axes.set_title(f"neuron {number}{' (never active)' * (max(z) <= 0)}")
            grid.frame(axes, names=False)
        for axes in panels[len(activity) :]:
            axes.set_axis_off()
        figure.suptitle(f"layer {layer}: output of each neuron (darker is larger), and the line z = 0")
        look = {"loc": "outside lower center", "ncols": len(names), "markerscale": 2}
        figure.legend(*panels[0].get_legend_handles_labels(), **look)
    return figure


class _Grid:
    """Points that cover the plane where the data is."""

    def __init__(self, points: numpy.ndarray, resolution: int) -> None:
        import numpy

        low, high = points.min(axis=0), points.max(axis=0)
        room = 0.12 * numpy.maximum(high - low, 0.25 * (high - low).max() or 1.0)
        self.low, self.high = low - room, high + room
        self.axes = [numpy.linspace(self.low[i], self.high[i], resolution) for i in (0, 1)]
        self.rows = [[float(x1), float(x2)] for x2 in self.axes[1] for x1 in self.axes[0]]
        width, height = self.high - self.low
        self.ratio = float(width / height) if 1 / 3 < width / height < 3 else 1.3
        self._equal = self.ratio == width / height
        self._resolution = resolution

    def shaped(self, numbers: Any) -> numpy.ndarray:
        """One number, or several, for each row, laid out as the plane is."""
        import numpy

        made = numpy.array(numbers)
        return made.reshape(self._resolution, self._resolution, *made.shape[1:])

    def show(self, axes: Axes, colours: Any, **options: Any) -> None:
        """Fill the plane."""
        extent = (self.low[0], self.high[0], self.low[1], self.high[1])
        axes.imshow(colours, extent=extent, origin="lower", aspect="auto", interpolation="bilinear", **options)

    def frame(self, axes: Axes, *, names: bool = True) -> None:
        """Limits and names of the axes; one unit is as long in both directions, unless the data is far from square."""
        axes.set_xlim(self.low[0], self.high[0])
        axes.set_ylim(self.low[1], self.high[1])
        if self._equal:
            axes.set_aspect("equal")
        if names:
            axes.set_xlabel("x1")
            axes.set_ylabel("x2")
        axes.spines[["top", "right"]].set_visible(True)


def _points(model: Any, X: Any, y: Any) -> tuple[numpy.ndarray, list[int], list[str]]:
    """The points, the number of the class of each, and what the classes are called."""
    points = matrix(X)
    if points.shape[1] != 2:
        raise ValueError(f"X has two columns, for points in the plane; not {points.shape[1]}")
    labels = array("y", y).tolist()
    if not isinstance(labels, list) or len(labels) != len(points):
        raise ValueError(f"y has a class for each of the {len(points)} points, not {short(y)}")
    names = list(model.classes) if isinstance(model, Classifier) and model.classes else []
    if names and all(isinstance(label, str) for label in labels):
        if unknown := set(labels) - set(names):
            raise ValueError(f"y has a class {min(unknown)!r}, and the classes are {', '.join(names)}")
        return points, [names.index(label) for label in labels], names
    if not all(isinstance(label, (int, float)) and label == int(label) for label in labels):
        raise ValueError("y holds classes, whole numbers from 0 or -1 and 1; not numbers in between")
    if set(labels) <= {-1, 1} and -1 in labels:
        return points, [int(label > 0) for label in labels], names or ["class -1", "class 1"]
    if min(labels) < 0 or max(labels) >= (limit := len(names) or len(COLOURS)):
        raise ValueError(f"y holds classes from 0 to {limit - 1}, or -1 and 1; not {short(min(labels))}")
    return points, [int(label) for label in labels], names or [f"class {i}" for i in range(int(max(labels)) + 1)]


def _draw_points(axes: Axes, points: numpy.ndarray, labels: list[int], names: list[str], size: float = 26) -> None:
    for number, name in enumerate(names):
        chosen = [i for i, label in enumerate(labels) if label == number]
        look: dict[str, Any] = {"color": COLOURS[number % 6], "marker": MARKERS[number % 6], "edgecolors": "white"}
        axes.scatter(*points[chosen].T, s=size, linewidths=0.02 * size, label=name, zorder=3, **look)


def _draw_regions(axes: Axes, grid: _Grid, model: Any) -> None:
    """Tints of the classes, mixed as likely as they are at each point, and lines where the likeliest one changes."""
    import numpy
    from matplotlib.colors import to_rgb

    kind = kind_of_outputs(model)
    outputs = over(model, grid.rows, model.model if isinstance(model, Classifier) else model)
    shares = grid.shaped([as_probabilities(row, kind) for row in outputs.tolist()])
    if not numpy.isfinite(shares).all():
        raise ValueError("model gives outputs that are nan: it has no boundary to draw")
    classes, ranks = shares.shape[-1], shares
    if kind == "scores":  # which do not saturate: the line between them is smooth
        ranks = grid.shaped(numpy.hstack([0 * outputs, outputs]) if outputs.shape[1] == 1 else outputs)
    colours = numpy.array([to_rgb(COLOURS[i % 6]) for i in range(classes)])
    strength = 0.06 + 0.3 * ((shares.max(axis=-1) - 1 / classes) / (1 - 1 / classes))[..., None]
    grid.show(axes, 1 - strength * (1 - shares @ colours))
    for i in range(classes - (classes == 2)):
        lead = ranks[..., i] - numpy.delete(ranks, i, axis=-1).max(axis=-1)
        if lead.min() < 0 < lead.max():
            axes.contour(*grid.axes, lead, [0.0], colors=INK, linewidths=1.4)


def _draw_lines(axes: Axes, grid: _Grid, sums: list[list[float]]) -> None:
    """For each neuron the line where its weighted sum is 0."""
    for z in sums:
        if min(z) < 0 < max(z):
            axes.contour(*grid.axes, grid.shaped(z), [0.0], colors=LINE, linewidths=0.9, linestyles="dashed")
    axes.plot([], [], color=LINE, linewidth=0.9, linestyle="dashed", label="z = 0, layer 1")


def _draw_activity(axes: Axes, grid: _Grid, z: Sequence[float], a: Sequence[float]) -> None:
    """The output a of a neuron in shades, and where z is 0."""
    from matplotlib.colors import LinearSegmentedColormap

    shades = LinearSegmentedColormap.from_list("activity", ["#ffffff", "#9aa4ae"])
    grid.show(axes, grid.shaped(a), cmap=shades, vmin=min(a), vmax=max(a) + (min(a) == max(a)))
    if min(z) < 0 < max(z):
        axes.contour(*grid.axes, grid.shaped(z), [0.0], colors=INK, linewidths=1.4)


def _activity(model: Any, grid: _Grid, layer: int) -> list[tuple[list[float], list[float]]]:
    """For each neuron of a layer its weighted sums z and its outputs a, over the grid."""
    columns = _through(model, grid.rows, layer).T.tolist()
    return list(zip(columns[: len(columns) // 2], columns[len(columns) // 2 :]))


def _through(model: Any, rows: Sequence[Sequence[float]], layer: int) -> numpy.ndarray:
    """What the neurons of a layer make of each row: first all weighted sums, then all outputs."""
    network = _network(model)

    def sums_and_outputs(row: list[Any]) -> list[Any]:
        signal: Sequence[Any] = _prepared(model, row)
        for before in network.layers[: layer - 1]:
            signal = as_list(before(signal))
        here = network.layers[layer - 1]
        return [*(ag.dot(neuron.w, signal, neuron.b) for neuron in here.neurons), *as_list(here(signal))]

    return over(sums_and_outputs, rows, network)


def _network(model: Any) -> MLP:
    network = model.model if isinstance(model, Classifier) else model
    if not isinstance(network, MLP):
        raise TypeError(f"model is an MLP or a Classifier of one, to look into its layers; not {short(model)}")
    return network


def _prepared(model: Any, row: Sequence[float]) -> Sequence[float]:
    return model.scaling.row(row) if isinstance(model, Classifier) and model.scaling else row


def _neuron_place(model: Any, neuron: Any) -> tuple[int, int]:
    layers = _network(model).layers
    if not isinstance(neuron, tuple) or len(neuron) != 2:
        raise TypeError(f"neuron is a pair (layer, number), counted from 1; not {short(neuron)}")
    layer, number = count(neuron[0], "layer"), count(neuron[1], "the number of the neuron")
    if layer > len(layers):
        raise ValueError(f"layer is one of the model's {len(layers)}, counted from 1; not {layer}")
    if number > len(layers[layer - 1].neurons):
        raise ValueError(f"neuron: layer {layer} has {len(layers[layer - 1].neurons)} neurons, and no number {number}")
    return layer, number


# ----- Gradients and weights -----


class DeadUnits(NamedTuple):
    """How many units of a layer of ReLUs give 0 for every row, so that no gradient reaches their weights.

    >>> DeadUnits("layer 1", 3, 16)
    DeadUnits(layer='layer 1', dead=3, units=16)
    """

    layer: str
    dead: int
    units: int


def dead_units(model: Any, X: Any) -> list[DeadUnits]:
    """Count the dying ReLUs: for each layer of an MLP that has them, the units that are closed for all rows of X.

    >>> from nn import MLP
    >>> model = MLP(1, [4, 1], seed=1)
    >>> for neuron in model.layers[0].neurons[:3]:
    ...     neuron.b.data = -100.0
    >>> dead_units(model, [[-1.0], [1.0]])
    [DeadUnits(layer='layer 1', dead=3, units=4)]
    """
    network, rows = _network(model), matrix(X).tolist()
    found = []
    for number, layer in enumerate(network.layers, 1):
        rectified = [i for i, neuron in enumerate(layer.neurons) if neuron.activation is ag.relu]
        if rectified:
            sums = _through(model, rows, number)[:, rectified]
            found.append(DeadUnits(f"layer {number}", int((sums <= 0).all(axis=0).sum()), len(rectified)))
    return found


def gradient_flow(model: Module, X: Any = None, ax: Axes | None = None) -> Figure:
    """The size of the gradients in each layer, on a logarithmic scale: do they vanish on their way to the first?

    For each layer the mean |gradient| of its weights and biases and, as a line, from the least to the largest. Call it
    after `loss.backward()`.

    Args:
        model: a module whose parameters have gradients.
        X: rows on which dying ReLUs are counted, as by `dead_units`; None leaves that out.
        ax: where to draw; None makes a figure.

    Raises:
        ValueError: where no parameter has a gradient.

    >>> from nn import MLP
    >>> model = MLP(1, [4, 1], seed=1)
    >>> model([1.0]).backward()
    >>> [name.get_text() for name in gradient_flow(model).axes[0].get_xticklabels()]
    ['layer 1', 'layer 2']
    """
    layers = _by_layer(model)
    if not any(parameter.has_grad for _, parameters in layers for parameter in parameters):
        raise ValueError("model has no gradients yet: call loss.backward() first")
    numbered = len(layers) > MOST_NAMED and layers[0][0] == "layer 1"
    names = {name: name.removeprefix("layer ") if numbered else name for name, _ in layers}
    of = "/" if numbered else " of "
    dead = {} if X is None else {unit.layer: f"{unit.dead}{of}{unit.units} dead" for unit in dead_units(model, X)}
    sizes = [[abs(parameter.grad) for parameter in parameters] for _, parameters in layers]
    with _panel(ax, width=max(5.0, (0.7 if numbered else 1.1) * len(layers) + 2)) as (figure, axes):
        _draw_sizes(axes, sizes, lines_below=1 + bool(dead) + numbered)
        axes.set_xticks(range(len(layers)), ["\n".join(filter(None, (names[name], dead.get(name)))) for name in names])
        axes.set_xlabel("layer" if numbered else "")
        axes.set_xlim(-0.5, len(layers) - 0.5)
        axes.set_ylabel("|gradient|")
        axes.grid(axis="y", color=FAINT, linewidth=0.5)
        axes.set_title(_flow_title([sum(numbers) / len(numbers) for numbers in sizes], layers))
    return figure


def _draw_sizes(axes: Axes, sizes: list[list[float]], lines_below: int) -> None:
    """Mean, least and largest of each layer; gradients that are 0 have no place on a logarithmic scale.

    The legend is put below so many lines of text, which are the axis's.
    """
    axes.set_yscale("log")
    means = [sum(numbers) / len(numbers) for numbers in sizes]
    places = [i for i, mean in enumerate(means) if mean > 0]
    lowest = [min(number for number in sizes[i] if number) for i in places]
    bars: dict[str, Any] = {"color": BLUE, "alpha": 0.35, "linewidth": 7, "label": "least to largest, without 0"}
    axes.vlines(places, lowest, [max(sizes[i]) for i in places], **bars)
    axes.plot(places, [means[i] for i in places], "o-", color=BLUE, markeredgecolor="white", markersize=8, label="mean")
    if places:
        axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.06 - 0.08 * lines_below), ncols=2)
    else:
        axes.set_yticks([])
        axes.minorticks_off()
    for i, mean in enumerate(means):
        if not mean:
            at = axes.get_xaxis_transform()
            axes.text(i, 0.04, "all 0", transform=at, ha="center", color=ORANGE, fontweight="bold")


def _flow_title(means: list[float], layers: list[tuple[str, Any]]) -> str:
    """What the means say of the first layer and the last."""
    first, last = means[0], means[-1]
    if len(means) < 2 or not first or not last:
        return "size of the gradients"
    ratio = f"{_round(first / last)} times" if first >= last else f"1/{_round(last / first)} of"
    if _round(max(first / last, last / first)) == "1":
        ratio = "as large as"
    return f"gradients of {layers[0][0]}: {ratio} those of {layers[-1][0]}"


def _round(ratio: float) -> str:
    return f"{ratio:.2g}" if ratio < 100 or ratio >= 1e6 else f"{ratio:.0f}"


def weight_histograms(model: Module, *, bins: int = 30) -> Figure:
    """How the weights and biases of each layer are spread, a panel for each layer on a common scale.

    Args:
        model: a module.
        bins: the number of bars.

    >>> from nn import MLP
    >>> len(weight_histograms(MLP(1, [4, 1], seed=1)).axes)
    2
    """
    import statistics

    bars = count(bins, "bins", most=10_000)
    layers = [(name, [parameter.data for parameter in parameters]) for name, parameters in _by_layer(model)]
    if broken := [name for name, numbers in layers if not all(map(math.isfinite, numbers))]:
        raise ValueError(f"model has parameters that are nan or infinite in {broken[0]}")
    reach = 1.05 * max(abs(number) for _, numbers in layers for number in numbers) or 1.0
    edges = [reach * (2 * i / bars - 1) for i in range(bars + 1)]
    with _figure(height=1.5 * len(layers) + 0.8) as figure:
        panels = figure.subplots(len(layers), 1, sharex=True, squeeze=False).flat
        for axes, (name, numbers) in zip(panels, layers):
            axes.hist(numbers, edges, color=BLUE, edgecolor="white", linewidth=0.5)
            axes.axvline(0, color=LINE, linewidth=0.8)
            spread = f"mean {statistics.fmean(numbers):.2g}, standard deviation {statistics.pstdev(numbers):.2g}"
            axes.set_title(f"{name}: {len(numbers)} parameters, {spread}".replace("-", "−"), loc="left")
            axes.yaxis.get_major_locator().set_params(integer=True)
            axes.set_ylabel("how many")
        axes.set_xlabel("weight or bias")
    return figure


def _by_layer(model: Any) -> list[tuple[str, list[Any]]]:
    """The parameters, in groups: the layers of an MLP, else what the parts are called at the top."""
    if isinstance(model, Classifier):
        model = model.model
    if not hasattr(model, "named_parameters"):
        raise TypeError(f"model is an nn.Module, not {short(model)}")
    if isinstance(model, MLP):
        return [(f"layer {i}", layer.parameters()) for i, layer in enumerate(model.layers, 1)]
    groups: dict[str, list[Any]] = {}
    for name, parameter in model.named_parameters():
        first, _, rest = name.partition(".")
        place, dot, _ = rest.partition(".")
        inside = f"{first}.{place}" if dot and place.isdigit() and not isinstance(model, Layer) else first
        groups.setdefault(inside, []).append(parameter)
    if not groups:
        raise ValueError("model has no parameters to draw")
    return list(groups.items())


# ----- Activations -----


def activation(function: Callable[..., Any] | str, ax: Axes | None = None, *, reach: float = 5.0) -> Figure:
    """An activation and its derivative, from -reach to reach. The derivative is the one that backward() uses.

    Args:
        function: a function of one Value, or its name, such as "tanh" (`nn.activations.BY_NAME`).
        ax: where to draw; None makes a figure.
        reach: how far to go from 0.

    >>> activation("tanh").axes[0].get_title()
    'tanh'
    """
    chosen_one = chosen(function)
    if chosen_one in OF_LAYER:
        raise ValueError(f"function is one of a single Value; {name_of(chosen_one)} takes all outputs of a layer")
    if not finite(reach, "reach") > 0:
        raise ValueError(f"reach is a finite number above 0, not {short(reach)}")
    name = function if isinstance(function, str) else name_of(chosen_one)
    xs, ys, slopes = _sampled(chosen_one or (lambda z: z + 0.0), reach)
    with _panel(ax) as (figure, axes):
        axes.axhline(0, color=FAINT, linewidth=0.8)
        axes.axvline(0, color=FAINT, linewidth=0.8)
        axes.plot(xs, _broken(ys), color=BLUE, label=f"a = {name}(z)")
        axes.plot(xs, _broken(slopes), color=ORANGE, linestyle=DASHED, label="da/dz")
        axes.set_xlabel("z")
        axes.set_title(name)
        axes.legend()
    return figure


def activations() -> Figure:
    """All activations that have a name and take one number, each with its derivative, side by side.

    >>> [panel.get_title() for panel in activations().axes][:3]
    ['identity', 'step', 'sigmoid']
    """
    names = [name for name, function in BY_NAME.items() if function not in OF_LAYER and name != "linear"]
    columns = 3
    rows = math.ceil(len(names) / columns)
    with _figure(width=9.0, height=2.4 * rows + 0.4) as figure:
        panels = list(figure.subplots(rows, columns, sharex=True).flat)
        for axes, name in zip(panels, names):
            activation(name, axes)
            axes.set_ylim(-1.6, 2.6)
            axes.get_legend().remove()
            axes.set_xlabel("")
        figure.legend(panels[0].get_lines()[-2:], ["a = f(z)", "da/dz"], loc="outside lower center", ncols=2)
        for axes in panels[len(names) :]:
            axes.set_axis_off()
    return figure


def _sampled(function: Callable[..., Any], reach: float) -> tuple[list[float], list[float], list[float]]:
    """Places, values and slopes."""
    xs = [reach * i / 200 for i in range(-200, 201)]
    ys, slopes = [], []
    for x in xs:
        z = ag.Value(x)
        a = function(z)
        if not isinstance(a, ag.Value):
            raise TypeError(f"function gives one Value for one Value, not {short(a)}")
        a.backward()
        ys.append(a.data)
        slopes.append(z.grad)
    return xs, ys, slopes


def _broken(numbers: list[float]) -> list[float]:
    """The numbers with a gap where they jump: a slanting line there would be a lie."""
    steps = [abs(b - a) for a, b in pairwise(numbers)]
    typical = sorted(steps)[int(0.98 * len(steps))]
    gaps = {i + 1 for i, step in enumerate(steps) if step > 0.05 and step > 5 * typical}
    return [math.nan if i in gaps else number for i, number in enumerate(numbers)]


# ----- Figures -----


@contextmanager
def _figure(*, width: float = 5.6, height: float = 3.6) -> Iterator[Figure]:
    """A figure in our style, made without pyplot."""
    picture = _picture()
    import matplotlib

    with matplotlib.rc_context(STYLE):
        yield picture(figsize=(width, height), dpi=120, layout="constrained")


@contextmanager
def _panel(ax: Axes | None, *, width: float = 5.6, height: float = 3.6) -> Iterator[tuple[Figure, Axes]]:
    """The axes to draw into and their figure, a new one if none were given."""
    if ax is None:
        with _figure(width=width, height=height) as figure:
            yield figure, figure.subplots()
    elif not hasattr(ax, "contour"):
        raise TypeError(f"ax is matplotlib axes, such as plt.subplots() makes, or None; not {short(ax)}")
    else:
        yield ax.figure, ax


@cache
def _picture() -> type[Figure]:
    """Figures that show themselves in a notebook, also where pyplot was never imported."""
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ImportError("pictures need matplotlib: pip install 'chalkgrad[plot]'") from error

    class Picture(Figure):  # type: ignore[misc]  # where mypy does not look into matplotlib
        """A figure."""

        def _repr_png_(self) -> bytes:
            from io import BytesIO

            memory = BytesIO()
            self.savefig(memory, format="png")
            return memory.getvalue()

    return Picture
