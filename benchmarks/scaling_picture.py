"""The picture that `python -m benchmarks.scaling` draws: the time of a training step over batch and width.

    picture({"batches": [1, 10], "by batch": {"compiled": [2e-5, 3e-5]}, "widths": [...], "by width": {...}})

A line ends where a step would take too long. Each is labelled at its end, in its own colour.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from nn.plot import BLUE, FAINT, INK, LINE, ORANGE, STYLE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


class Series(NamedTuple):
    """How a side is called and drawn."""

    label: str
    colour: str
    linestyle: Any = "-"
    linewidth: float = 1.6
    marker: str = "o"
    before: bool = False  # the label stands left of the line's end, where another line would be in its way


#: By the names of the sides in training.py.
SERIES = {
    "compiled": Series("chalkgrad, compiled", BLUE, linewidth=2.6),
    "hand_written": Series("NumPy by hand", "#1b7f72", marker="s"),
    "pytorch": Series("PyTorch", ORANGE, marker="^"),
    "eager": Series("chalkgrad, eager", BLUE, linestyle=(0, (4, 1.5)), linewidth=2.0),
    "micrograd_step": Series("micrograd", "#8a6d00", marker="D", before=True),
}

#: Room for a label, in points.
LINE_HEIGHT = 11.5


def picture(found: Mapping[str, Any]) -> Figure:
    """Both panels."""
    import matplotlib
    from matplotlib.figure import Figure

    with matplotlib.rc_context({**STYLE, "svg.hashsalt": "scaling", "font.size": 10}):
        figure = Figure(figsize=(9.5, 4.3), dpi=120, facecolor="white")
        left, right = figure.subplots(1, 2, sharey=True)
        left.set(yscale="log", ylim=limits([*found["by batch"].values(), *found["by width"].values()]))
        figure.subplots_adjust(left=0.073, right=0.828, top=0.835, bottom=0.135, wspace=0.61)
        figure.text(0.008, 0.935, "Time of one training step", color=INK, fontsize=12.5, fontweight="bold")
        how = "forward, backward and update of a network with two hidden layers; each side on one thread"
        figure.text(0.008, 0.88, how, color=LINE, fontsize=9.5)
        _panel(left, found["batches"], found["by batch"], "points in the batch (layers of 16 neurons)")
        _panel(right, found["widths"], found["by width"], "neurons in each layer (100 points)")
    return figure


def _panel(axes: Axes, xs: Sequence[int], times: Mapping[str, Sequence[float]], meaning: str) -> None:
    """The lines of one panel."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

    axes.set(xscale="log", xlabel=meaning)
    for name, seconds in times.items():
        series = SERIES[name]
        style = {"color": series.colour, "linestyle": series.linestyle, "linewidth": series.linewidth}
        markers = {"marker": series.marker, "markersize": 4.5, "markeredgecolor": "white", "markeredgewidth": 0.6}
        axes.plot(xs[: len(seconds)], seconds, zorder=3, **style, **markers)
    ticks = [x for x in xs if str(x).strip("0") == "1"] if xs[0] == 1 else xs
    axes.set_xticks(ticks, [f"{x:,}" if x < 10_000 else f"{x // 1000}k" for x in ticks])
    axes.xaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_locator(LogLocator(numticks=12))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_formatter(FuncFormatter(lambda seconds, _: unit(seconds)))
    axes.tick_params(length=0)
    axes.grid(axis="y", color=FAINT, linewidth=0.6)
    axes.spines["left"].set_visible(False)
    axes.spines["bottom"].set_color(LINE)
    _label(axes, xs, times)


def _label(axes: Axes, xs: Sequence[int], times: Mapping[str, Sequence[float]]) -> None:
    """Each line by name, at its end; names that end at the same x are kept apart."""
    from matplotlib.patheffects import withStroke

    inches = axes.figure.get_figheight() * axes.get_position().height
    low, high = axes.get_ylim()
    for end in {len(seconds) for seconds in times.values()}:
        names = [name for name, seconds in times.items() if len(seconds) == end]
        heights = [72 * inches * share(times[name][-1], low, high) for name in names]
        for name, height, wanted in zip(names, heights, apart(heights, LINE_HEIGHT)):
            series = SERIES[name]
            axes.annotate(
                series.label,
                (xs[end - 1], times[name][-1]),
                xytext=(-7 if series.before else 7, wanted - height),
                textcoords="offset points",
                horizontalalignment="right" if series.before else "left",
                verticalalignment="center",
                color=series.colour,
                fontweight="bold" if series.colour == BLUE else "normal",
                fontsize=9.5,
                annotation_clip=False,
                path_effects=[withStroke(linewidth=3, foreground="white")],
            )


def limits(lines: Sequence[Sequence[float]]) -> tuple[float, float]:
    """A range that holds all times, with a little room."""
    times = [seconds for line in lines for seconds in line]
    return min(times) / 1.6, max(times) * 1.6


def share(x: float, low: float, high: float) -> float:
    """Where x stands between low and high on a logarithmic scale: from 0 to 1."""
    from math import log

    return log(x / low) / log(high / low)


def apart(places: Sequence[float], gap: float) -> list[float]:
    """Places in the same order, moved as little as it takes to be at least `gap` from each other.

    >>> apart([0.0, 1.0, 50.0], 10.0)
    [-4.5, 5.5, 50.0]
    """
    groups: list[list[int]] = []  # each is moved as one, around its middle
    for i in sorted(range(len(places)), key=places.__getitem__):
        groups.append([i])
        while len(groups) > 1 and _bottom(groups[-1], places, gap) < _top(groups[-2], places, gap) + gap:
            groups[-2:] = [groups[-2] + groups[-1]]
    moved = [0.0] * len(places)
    for group in groups:
        for rank, i in enumerate(group):
            moved[i] = _bottom(group, places, gap) + rank * gap
    return moved


def _bottom(group: list[int], places: Sequence[float], gap: float) -> float:
    return sum(places[i] for i in group) / len(group) - gap * (len(group) - 1) / 2


def _top(group: list[int], places: Sequence[float], gap: float) -> float:
    return _bottom(group, places, gap) + gap * (len(group) - 1)


def unit(seconds: float) -> str:
    """A power of ten with its unit: 10 µs, 1 ms, 100 ms, 1 s."""
    for size, name in ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs")):
        if seconds >= size * 0.999:
            return f"{seconds / size:.0f} {name}"
    return f"{seconds * 1e9:.0f} ns"
