"""Pictures: what is drawn are the numbers that were meant, each picture is written, bad input is told."""

from __future__ import annotations

import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import autograd as ag
from nn import MLP, Layer, Module, Neuron, plot
from nn.classifier import Classifier
from nn.datasets import Scaling, blobs, moons
from nn.evaluation import as_numbers, over
from nn.losses import binary_cross_entropy_with_logits, hinge_loss
from nn.plot import dead_units
from nn.training import History, fit

ROOT = Path(__file__).parent.parent
X, Y = moons(20, seed=1)


@pytest.fixture(autouse=True)
def _matplotlib() -> None:
    pytest.importorskip("matplotlib", reason="pictures need matplotlib: the extra `plot`")


def linear_model() -> MLP:
    """Its score is x1 - 2 * x2 + 0.5."""
    model = MLP(2, [1], init="zeros")
    neuron = model.layers[0].neurons[0]
    neuron.w[0].data, neuron.w[1].data, neuron.b.data = 1.0, -2.0, 0.5
    return model


def history(epochs: int = 5, **columns: Any) -> History:
    made = History()
    made.loss = [1.0 / 2**i for i in range(epochs)]
    for name, numbers in columns.items():
        setattr(made, name, numbers)
    return made


def contour_points(axes: Any) -> np.ndarray:
    """All points of all contour lines."""
    from matplotlib.contour import ContourSet

    sets = [c for c in axes.get_children() if isinstance(c, ContourSet)]
    return np.concatenate([path.vertices for c in sets for path in c.get_paths()])


def texts(axes: Any) -> list[str]:
    return [text.get_text() for text in axes.get_legend().get_texts()]


# ----- Training -----


def test_loss_curve_has_every_epoch_and_the_best() -> None:
    """Epochs are counted from 1; the best one is marked."""
    figure = plot.loss_curve(history(validation_loss=[1.0, 0.6, 0.4, 0.5, 0.7]))
    (axes,) = figure.axes
    training, validation, best = axes.get_lines()
    assert training.get_xydata().tolist() == [[1, 1], [2, 0.5], [3, 0.25], [4, 0.125], [5, 0.0625]]
    assert validation.get_xydata().tolist()[2] == [3, 0.4] == best.get_xydata().tolist()[0]
    assert texts(axes) == ["training", "validation", "best: epoch 3"]
    assert (axes.get_xlabel(), axes.get_ylabel(), axes.get_yscale()) == ("epoch", "loss", "linear")
    assert training.get_color() != validation.get_color() and training.get_linestyle() != validation.get_linestyle()


def test_losses_of_many_sizes_are_on_a_logarithmic_scale() -> None:
    assert plot.loss_curve(history(20)).axes[0].get_yscale() == "log"
    assert plot.loss_curve(history(20, loss=[0.0, 5.0])).axes[0].get_yscale() == "linear"
    assert plot.loss_curve(history(1)).axes[0].get_lines()[0].get_marker() == "o"


def test_a_history_plots_loss_and_accuracy() -> None:
    loss, accuracy = history(accuracy=[0.5, 0.6, 0.7, 0.8, 0.9]).plot().axes
    assert (loss.get_ylabel(), accuracy.get_ylabel()) == ("loss", "accuracy")
    assert accuracy.get_lines()[0].get_ydata().tolist() == [0.5, 0.6, 0.7, 0.8, 0.9]
    assert accuracy.get_ylim()[1] > 1
    assert len(history().plot().axes) == 1


# ----- Boundaries -----


def test_the_boundary_is_where_the_score_is_0() -> None:
    """Of a linear model a straight line; below it the colour is that of class 1."""
    (axes,) = plot.decision_boundary(linear_model(), X, Y, resolution=30).axes
    line = contour_points(axes)
    assert len(line) > 10
    assert line[:, 0] - 2 * line[:, 1] + 0.5 == pytest.approx(0, abs=1e-3)  # interpolated between probabilities
    (image,) = axes.get_images()
    colours = image.get_array()
    upper_left, lower_right = colours[-1, 0], colours[0, -1]
    assert upper_left[2] > upper_left[0] and lower_right[0] > lower_right[2]  # blue for class 0, orange for class 1
    assert texts(axes) == ["class 0", "class 1"]
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("x1", "x2")


def test_points_stand_where_they_are_in_markers_of_their_own() -> None:
    (axes,) = plot.decision_boundary(linear_model(), X, 2 * Y - 1, resolution=5).axes
    first, second = (c for c in axes.collections if c.get_label() in ("class -1", "class 1"))
    assert first.get_offsets().tolist() == X[Y == 0].tolist()
    assert second.get_offsets().tolist() == X[Y == 1].tolist()
    assert len(first.get_paths()[0].vertices) != len(second.get_paths()[0].vertices)
    low, high = axes.get_xlim()
    assert low < X[:, 0].min() and X[:, 0].max() < high


def test_a_classifier_is_drawn_as_measured_and_by_name() -> None:
    """The scaling is taken into account: the line is at x1 = 5."""
    model = MLP(2, [1], init="zeros")
    model.layers[0].neurons[0].w[0].data = 3.0
    classifier = Classifier(model, ["low", "high"], Scaling([5.0, 0.0], [2.0, 1.0]))
    points = [[4.0, -1.0], [6.0, 1.0]]
    (axes,) = plot.decision_boundary(classifier, points, ["low", "high"], resolution=20, first_layer=True).axes
    assert contour_points(axes)[:, 0] == pytest.approx(5, abs=1e-6)
    assert len(contour_points(axes)) == 40  # the boundary, and the line of the neuron
    assert texts(axes) == ["z = 0, layer 1", "low", "high"]


def test_three_classes_have_three_regions() -> None:
    points, classes = blobs(9, seed=1)
    model = MLP(2, [3], init="zeros")
    for neuron, (x1, x2) in zip(model.layers[0].neurons, blobs(3, noise=0)[0]):
        neuron.w[0].data, neuron.w[1].data = 20 * x1, 20 * x2
    (axes,) = plot.decision_boundary(model, points, classes, resolution=20).axes
    colours = axes.get_images()[0].get_array()
    assert len({tuple(colours[place].round(2)) for place in ((10, 19), (19, 0), (0, 0))}) == 3


def test_what_one_neuron_sees() -> None:
    """Shades are its output, the line is where its weighted sum is 0, also in a later layer."""
    model = MLP(2, [2, 2, 1], seed=3)
    (axes,) = plot.decision_boundary(model, X, Y, neuron=(2, 1), resolution=15).axes
    shades = axes.get_images()[0].get_array()
    low1, high1, low2, high2 = axes.get_images()[0].get_extent()
    hidden = model.layers[0]([low1, high2])
    assert shades[-1, 0] == pytest.approx(model.layers[1].neurons[0](hidden).data)
    assert shades.shape == (15, 15) and high1 > low1 and high2 > low2
    assert axes.get_title().startswith("layer 2, neuron 1")
    for neuron in (1, 2):
        (axes,) = plot.decision_boundary(model, X, Y, neuron=(1, neuron), resolution=15).axes
        w1, w2 = (w.data for w in model.layers[0].neurons[neuron - 1].w)
        line = contour_points(axes)
        assert w1 * line[:, 0] + w2 * line[:, 1] == pytest.approx(0, abs=1e-6)


def test_every_neuron_of_a_layer_has_a_panel() -> None:
    """Those that are never active say so; panels that are left over are empty."""
    model = MLP(2, [5, 1], seed=1)
    model.layers[0].neurons[2].b.data = -1000.0
    figure = plot.neuron_boundaries(model, X, Y, resolution=6)
    titles = [axes.get_title() for axes in figure.axes if axes.axison]
    assert titles == ["neuron 1", "neuron 2", "neuron 3 (never active)", "neuron 4", "neuron 5"]
    assert len(plot.neuron_boundaries(model, X, Y, layer=2, resolution=6).axes) == 1


# ----- Gradients and weights -----


def with_gradients(model: Any) -> Any:
    binary_cross_entropy_with_logits([model(row) for row in X.tolist()], Y).backward()
    return model


def test_gradient_flow_is_the_mean_of_each_layer() -> None:
    model = with_gradients(MLP(2, [4, 4, 1], activation="sigmoid", seed=1))
    (axes,) = plot.gradient_flow(model).axes
    (line,) = axes.get_lines()
    means = [np.mean([abs(p.grad) for p in layer.parameters()]) for layer in model.layers]
    assert line.get_ydata() == pytest.approx(means)
    assert axes.get_yscale() == "log"
    assert [label.get_text() for label in axes.get_xticklabels()] == ["layer 1", "layer 2", "layer 3"]
    assert axes.get_title() == f"gradients of layer 1: 1/{means[2] / means[0]:.2g} of those of layer 3"
    (bars,) = axes.collections
    assert bars.get_segments()[0][1][1] == max(abs(p.grad) for p in model.layers[0].parameters())


def test_vanished_gradients_and_dead_units_are_told() -> None:
    model = MLP(2, [4, 3, 1], seed=1)
    for neuron in model.layers[1].neurons:
        neuron.b.data = -1000.0
    model.layers[0].neurons[0].b.data = -1000.0
    (axes,) = plot.gradient_flow(with_gradients(model), X).axes
    assert [text.get_text() for text in axes.texts][:2] == ["all 0", "all 0"]
    labels = [label.get_text() for label in axes.get_xticklabels()]
    assert labels[0].startswith("layer 1\n") and labels[1:] == ["layer 2\n3 of 3 dead", "layer 3"]
    assert [unit.dead for unit in dead_units(model, X)] == [int(labels[0].split()[2]), 3]


def test_dead_units_are_those_closed_for_all_rows() -> None:
    """Against the outputs of the layers; layers of other activations have none to count."""
    model = MLP(2, [8, 8, 8, 1], activation=["relu", "tanh", "relu", None], seed=2)
    signals = [layer_outputs(model, row) for row in X.tolist()]
    expected = [int((np.array([s[i] for s in signals]) == 0).all(axis=0).sum()) for i in (0, 2)]
    assert [(unit.layer, unit.dead, unit.units) for unit in dead_units(model, X)] == [
        ("layer 1", expected[0], 8), ("layer 3", expected[1], 8)
    ]  # fmt: skip


def layer_outputs(model: MLP, row: list[float]) -> list[list[float]]:
    outputs: list[list[float]] = []
    for layer in model.layers[:3]:
        row = [value.data for value in layer(row)]
        outputs.append(row)
    return outputs


def test_modules_of_your_own_are_grouped_by_their_parts() -> None:
    class Pair(Module):
        def __init__(self) -> None:
            self.first, self.others = Neuron(2, seed=1), [Layer(1, 2, seed=1), Layer(2, 1, seed=1)]

        def __call__(self, row: Any) -> Any:
            return self.others[1](self.others[0]([self.first(row)]))

    (axes,) = plot.gradient_flow(with_gradients(Pair())).axes
    assert [label.get_text() for label in axes.get_xticklabels()] == ["first", "others.0", "others.1"]


def test_histograms_have_every_parameter() -> None:
    model = MLP(2, [4, 1], seed=1)
    first, second = plot.weight_histograms(model, bins=10).axes
    assert sum(bar.get_height() for bar in first.patches) == 12
    assert sum(bar.get_height() for bar in second.patches) == 5
    assert first.get_title(loc="left").startswith("layer 1: 12 parameters, mean ")
    assert first.get_xlim() == second.get_xlim()


# ----- Activations -----


def test_an_activation_and_its_derivative() -> None:
    (axes,) = plot.activation("tanh").axes
    a, slope = axes.get_lines()[-2:]
    z = a.get_xdata()
    assert (z[0], z[-1]) == (-5, 5)
    assert a.get_ydata() == pytest.approx(np.tanh(z)) and slope.get_ydata() == pytest.approx(1 - np.tanh(z) ** 2)
    assert texts(axes) == ["a = tanh(z)", "da/dz"]


def test_jumps_are_gaps() -> None:
    """And nothing else is."""
    for name, gaps in (
        ("relu", (0, 1)),
        ("step", (1, 0)),
        ("elu", (0, 0)),
        ("sigmoid", (0, 0)),
        ("leaky_relu", (0, 1)),
    ):
        (axes,) = plot.activation(name).axes
        found = tuple(int(np.isnan(line.get_ydata()).sum()) for line in axes.get_lines()[-2:])
        assert found == gaps, name
    assert plot.activation(lambda z: ag.sin(z), reach=2.0).axes[0].get_title() == "<lambda>"


def test_all_activations_side_by_side() -> None:
    titles = [axes.get_title() for axes in plot.activations().axes if axes.axison]
    assert {"identity", "step", "sigmoid", "tanh", "relu", "leaky_relu", "elu", "softplus", "silu"} <= set(titles)


# ----- All of them -----


def test_every_picture_is_written(tmp_path: Path) -> None:
    """As PNG and SVG; a notebook gets PNG."""
    model = MLP(2, [3, 2, 1], seed=1)
    run = fit(model, X, 2 * Y - 1, loss=hinge_loss, epochs=3, validation=0.3, seed=1, progress=False)
    hinge_loss([model(row) for row in X.tolist()], 2 * Y - 1).backward()
    for number, figure in enumerate(
        [
            run.plot(), plot.loss_curve(run), plot.decision_boundary(model, X, Y, resolution=5, first_layer=True),
            plot.neuron_boundaries(model, X, Y, resolution=5), plot.gradient_flow(model, X),
            plot.weight_histograms(model), plot.activation("relu"), plot.activations(),
        ]
    ):  # fmt: skip
        figure.savefig(tmp_path / f"{number}.svg")
        assert (tmp_path / f"{number}.svg").stat().st_size > 5000
        assert figure._repr_png_().startswith(b"\x89PNG")


def test_pictures_go_into_axes_of_your_own() -> None:
    from matplotlib.figure import Figure

    figure = Figure()
    axes = figure.subplots(2, 2).flat
    model = with_gradients(MLP(2, [2, 1], activation="tanh", seed=1))
    for made in (
        plot.loss_curve(history(), next(axes)),
        plot.decision_boundary(model, X, Y, resolution=4, ax=next(axes)),
        plot.gradient_flow(model, ax=next(axes)),
        plot.activation("tanh", next(axes)),
    ):
        assert made is figure
    assert all(axes.has_data() for axes in figure.axes)


def test_pyplot_is_left_alone_and_matplotlib_is_optional() -> None:
    """Nothing of it is loaded before a picture is drawn; without it the error says what to install."""
    code = (
        "import sys\nimport nn.plot, nn.training\nassert not {'matplotlib', 'numpy', 'tqdm'} & set(sys.modules)\n"
        "nn.plot.activation('tanh')\nassert 'matplotlib' in sys.modules and 'matplotlib.pyplot' not in sys.modules\n"
        "nn.plot._picture.cache_clear()\nsys.modules['matplotlib.figure'] = None\n"
        "try:\n    nn.plot.activation('tanh')\nexcept ImportError as error:\n    print(error)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.strip() == "pictures need matplotlib: pip install 'chalkgrad[plot]'"


@pytest.mark.parametrize(
    ("draw", "error", "message"),
    [
        (lambda: plot.loss_curve(3), TypeError, r"^history is what fit\(\) gave, not 3$"),
        (lambda: plot.loss_curve(History()), ValueError, "^history has no complete epoch to draw$"),
        (lambda: plot.loss_curve(history(), ax="left"), TypeError, r"^ax is matplotlib axes, .* not 'left'$"),
        (lambda: plot.decision_boundary(linear_model(), [[1.0]], [1]), ValueError, "^X has two columns, .*; not 1$"),
        (
            lambda: plot.decision_boundary(linear_model(), X, Y[1:]),
            ValueError,
            "^y has a class for each of the 20 points",
        ),
        (lambda: plot.decision_boundary(linear_model(), X, Y + 0.5), ValueError, "^y holds classes, whole numbers"),
        (
            lambda: plot.decision_boundary(linear_model(), X, Y + 9),
            ValueError,
            "^y holds classes from 0 to 5, or -1 and 1",
        ),
        (lambda: plot.decision_boundary(linear_model(), X, ["a"] * 20), ValueError, "^y holds classes, whole numbers"),
        (
            lambda: plot.decision_boundary(linear_model(), X, Y, resolution=1),
            ValueError,
            "^resolution is 2 or more, not 1$",
        ),
        (
            lambda: plot.decision_boundary(linear_model(), X, Y, neuron=(2, 1)),
            ValueError,
            "^layer is one of the model",
        ),
        (
            lambda: plot.decision_boundary(linear_model(), X, Y, neuron=(1, 2)),
            ValueError,
            "^neuron: layer 1 has 1 neurons",
        ),
        (
            lambda: plot.decision_boundary(linear_model(), X, Y, neuron=1),
            TypeError,
            r"^neuron is a pair \(layer, number\)",
        ),
        (
            lambda: plot.decision_boundary(Neuron(2), X, Y, neuron=(1, 1)),
            TypeError,
            "^model is an MLP or a Classifier of",
        ),
        (lambda: plot.neuron_boundaries(linear_model(), X, Y, layer=0), ValueError, "^layer is 1 or more, not 0$"),
        (
            lambda: plot.gradient_flow(linear_model()),
            ValueError,
            r"^model has no gradients yet: call loss.backward\(\)",
        ),
        (lambda: plot.gradient_flow(3), TypeError, "^model is an nn.Module, not 3$"),
        (lambda: plot.weight_histograms(Module()), ValueError, "^model has no parameters to draw$"),
        (lambda: plot.weight_histograms(linear_model(), bins=0), ValueError, "^bins is 1 or more, not 0$"),
        (
            lambda: plot.activation("softmax"),
            ValueError,
            "^function is one of a single Value; softmax takes all outputs",
        ),
        (lambda: plot.activation("reluu"), ValueError, "^activation is a function, or one of"),
        (lambda: plot.activation(math.tanh), TypeError, "use autograd's functions"),
        (lambda: plot.activation("tanh", reach=0), ValueError, "^reach is a finite number above 0, not 0$"),
        (lambda: plot.activation(lambda z: 1.0), TypeError, "^function gives one Value for one Value, not 1.0$"),
        (lambda: dead_units(linear_model(), [1.0]), ValueError, "^X has a row for each point"),
    ],
)
def test_bad_input(draw: Any, error: type[Exception], message: str) -> None:
    """One sentence that names the argument."""
    with pytest.raises(error, match=message):
        draw()


def test_data_that_fills_no_plane() -> None:
    """One point, or points on a line, have some room around them."""
    for points in ([[3.0, 4.0]], [[0.0, 4.0], [10.0, 4.0]]):
        (axes,) = plot.decision_boundary(linear_model(), points, [0] * len(points), resolution=4).axes
        low, high = axes.get_ylim()
        assert low < 3.9 and high > 4.1


def test_parameters_that_are_no_numbers_are_told() -> None:
    model = linear_model()
    model.layers[0].neurons[0].b.data = math.nan
    with pytest.raises(ValueError, match="^model has parameters that are nan or infinite in layer 1$"):
        plot.weight_histograms(model)
    with pytest.raises(ValueError, match="^model gives outputs that are nan: it has no boundary to draw$"):
        plot.decision_boundary(model, X, Y, resolution=3)


# ----- Many rows at once -----


@pytest.mark.parametrize("activations", [["tanh", "softmax"], ["elu", "log_softmax"], ["silu", None], ["step", "relu"]])
def test_all_rows_at_once_are_the_same(activations: list[str | None]) -> None:
    """As one by one, but for the last digit; with standardisation too, and where nothing is recorded."""
    model = MLP(2, [4, 3], activation=activations, seed=1)
    rows = np.random.default_rng(1).normal(size=(20, 2)).tolist()
    expected = np.array([as_numbers(model(row)) for row in rows])
    assert over(model, rows, model) == pytest.approx(expected, rel=1e-12, abs=1e-15)
    with ag.no_grad():
        assert over(model, rows, model) == pytest.approx(expected, rel=1e-12, abs=1e-15)
    scaled = Classifier(model, None, Scaling([1.0, 2.0], [3.0, 4.0]))
    expected = np.array([as_numbers(scaled(row)) for row in rows])
    assert over(scaled, rows, model) == pytest.approx(expected, rel=1e-12, abs=1e-15)


def test_models_that_branch_are_asked_for_each_row() -> None:
    """An activation of one's own may do one thing here and another there."""
    model = MLP(1, [2, 1], activation=lambda z: 2.0 * z if z > 0 else 0.5 * z, seed=1)
    rows = [[-2.0], [-1.0], [1.0], [2.0]]
    assert over(model, rows, model).tolist() == [[model(row).data] for row in rows]
    with pytest.raises(TypeError, match="^model gives a Value for a row, or a list of them; not None$"):
        over(lambda row: None, rows, None)
