"""The time and the memory of one side of a comparison: `seconds(side, warm_ups=3, repeats=7)`, `added_to_peak(side)`.

A `Side` is what to run, what to do before each run, and how to read the gradients. The garbage collector is left as it
is, since its work is part of what a graph costs; `--without-collector` shows what part.
"""

from __future__ import annotations

from statistics import median
from time import perf_counter
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


class Side(NamedTuple):
    """What to time, what to do before each time, and the gradients that the last one left."""

    run: Callable[[], Any]
    reset: Callable[[], Any]
    gradients: Callable[[], list[float]]


class Measured(NamedTuple):
    """A figure, in seconds or bytes, and the gradients to compare with those of the other side."""

    figure: float
    gradients: list[float]


def nothing() -> None:
    """For a side that needs no reset."""


def seconds(side: Side, warm_ups: int, repeats: int, together: int = 1) -> Measured:
    """The median time of a pass, after a few that warm up; `together` passes are timed as one, since they are short.

    The gradients are those after the warm-ups, so that sides which move their weights compare after as many steps;
    without warm-ups, those after the last pass.
    """
    for _ in range(warm_ups):
        side.reset()
        side.run()
    gradients = side.gradients() if warm_ups else []
    times = [_timed(side, together) for _ in range(repeats)]
    return Measured(median(times), gradients or side.gradients())


def _timed(side: Side, together: int) -> float:
    side.reset()
    start = perf_counter()
    for _ in range(together):
        side.run()
    return (perf_counter() - start) / together


def added_to_peak(side: Side) -> Measured:
    """The bytes by which one pass raises the peak of this process above that of the imports and the data."""
    side.reset()
    before = peak_memory()
    side.run()
    return Measured(peak_memory() - before, side.gradients())


def peak_memory() -> int:
    """The most memory that this process has held, in bytes."""
    try:
        # Linux counts the parent's memory into ru_maxrss of a new process, but not into this line.
        with open("/proc/self/status") as status:
            return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM"))
    except OSError:
        import resource
        import sys

        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
