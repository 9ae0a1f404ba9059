"""How the time of a training step grows with batch and network: `python -m benchmarks.scaling --out DIR` draws it.

    python -m benchmarks.scaling --out DIR              # measures; writes scaling.json, scaling.svg and scaling.png
    python -m benchmarks.scaling --out DIR --redraw     # draws what scaling.json holds
    python -m benchmarks.scaling --out DIR --runs 1     # sooner, and less certain

At each point all sides run in turns, each in a process of its own, and must find the same gradients. A side goes on
as long as its next step should take less than two seconds.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, NamedTuple

from .scaling_picture import SERIES, picture
from .side_by_side import GradientError, SideError, check_gradients, worker
from .table import at_least_one, duration, surroundings
from .training import WIDTH, sizes

if TYPE_CHECKING:
    from .side_by_side import Outcome

BATCHES = (1, 3, 10, 30, 100, 300, 1_000, 3_000, 10_000, 30_000, 100_000)
WIDTHS = (4, 8, 16, 32, 64, 128, 256)

#: What no single step should take longer than, in seconds.
PATIENCE = 2.0

#: About how long one side is timed at one point, in seconds.
SPAN = 0.4


class Place(NamedTuple):
    """How many points are in the batch, and how wide the hidden layers are."""

    size: int
    width: int

    @property
    def work(self) -> int:
        """The products in the forward pass: what a step takes grows about as they do."""
        _, first, second, last = sizes(self.width)
        return self.size * (2 * first + first * second + second * last)


def measured(places: list[Place], runs: int) -> dict[str, list[float]]:
    """For each side, the seconds of a step at each place, as far as it went."""
    times: dict[str, list[float]] = {name: [] for name in SERIES}
    going = list(SERIES)
    for i, place in enumerate(places):
        going = [name for name in going if expected(times[name], places[: i + 1]) < PATIENCE]
        for name, seconds in at(place, going, times, places[: i + 1], runs).items():
            times[name].append(seconds)
        going = [name for name in going if len(times[name]) == i + 1]  # the others failed
    return {name: seconds for name, seconds in times.items() if seconds}


def expected(seconds: list[float], places: list[Place]) -> float:
    """The time of a step at the last place, from that at the one before; 0 if there is none."""
    return seconds[-1] * places[-1].work / places[-2].work if seconds else 0.0


def at(
    place: Place, names: list[str], times: dict[str, list[float]], places: list[Place], runs: int
) -> dict[str, float]:
    """The medians of the sides at one place; a side that fails is told of and left out."""
    jobs = {name: worker(name, place.size, *options(place, expected(times[name], places))) for name in names}
    outcomes: dict[str, list[Outcome]] = {name: [] for name in names}
    for _ in range(runs):
        for name in list(jobs):
            try:
                outcomes[name].append(jobs[name]())
            except SideError as failure:
                print(f"left out from {place} on: {failure}", file=sys.stderr)
                del jobs[name], outcomes[name]
    first = next(iter(jobs), "")
    for name in jobs:
        try:
            check_gradients(outcomes[name][0].gradients, outcomes[first][0].gradients)
        except GradientError as error:
            error.add_note(f"This is {name} and {first} at {place}.")
            raise
    medians = {name: median(outcome.figure for outcome in outcomes[name]) for name in jobs}
    print(place, *(f"{name} {duration(seconds)}" for name, seconds in medians.items()), sep="  ", file=sys.stderr)
    return medians


def options(place: Place, step: float) -> list[str]:
    """So many steps that they take about SPAN, if one takes so many seconds; a few if that is not known."""
    steps = max(3, round(SPAN / step)) if step else 100
    together = min(100, max(1, steps // 7))
    repeats = min(21, max(3, steps // together))
    timing = ("--warm-ups", "2", "--together", str(together), "--repeats", str(repeats))
    return ["--width", str(place.width), *timing]


def main() -> None:
    """Measure and draw, as the command line asks."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scaling", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--out", type=Path, required=True, help="the folder to write to")
    parser.add_argument("--runs", type=at_least_one, default=3, help="runs of a side at a point (default: %(default)s)")
    parser.add_argument("--redraw", action="store_true", help="draw what was measured before")
    chosen = parser.parse_args()
    chosen.out.mkdir(parents=True, exist_ok=True)
    numbers = chosen.out / "scaling.json"
    if not chosen.redraw:
        found = {
            "surroundings": surroundings(chosen.runs),
            "batches": BATCHES,
            "by batch": measured([Place(size, WIDTH) for size in BATCHES], chosen.runs),
            "widths": WIDTHS,
            "by width": measured([Place(100, width) for width in WIDTHS], chosen.runs),
        }
        numbers.write_text(json.dumps(found, indent=1) + "\n", "utf-8")
    figure = picture(json.loads(numbers.read_text("utf-8")))
    figure.savefig(chosen.out / "scaling.svg", metadata={"Date": None})
    figure.savefig(chosen.out / "scaling.png", dpi=200)


if __name__ == "__main__":
    main()
