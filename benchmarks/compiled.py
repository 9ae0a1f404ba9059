"""How fast is a training step that was compiled, and `fit(compile=True)`? `python -m benchmarks.compiled` measures.

These are rows of the table that `python -m benchmarks` prints, with the same options. All sides take the same steps
(training.py) from the same weights; compared are the gradients of the tenth step, and of `fit` the weights at its end.
"""

from __future__ import annotations

import sys

from .side_by_side import worker
from .table import CASADI, NUMPY, PYTORCH, Goal, Row, at_most, duration, faster, no_goal, table_of
from .training import STEPS

#: By the number of points: how many steps are timed as one, and how often.
TIMES = {
    100: ("--together", "50", "--repeats", "21"),
    10_000: ("--together", "3", "--repeats", "11"),
    100_000: ("--repeats", "7"),
}
WARM_UPS = ("--warm-ups", "10")  # the gradients of the last of these are compared
ONCE = ("--warm-ups", "0", "--repeats", "1")  # what is done for the first time is part of it


def _step(number: int, size: int, peer: str, side: str, goal: Goal) -> Row:
    """The compiled step on so many points against a side of training.py."""
    options = (*WARM_UPS, *TIMES[size])
    measure = f"compiled training step, N = {size:,}"
    return Row(number, measure, peer, goal, worker("compiled", size, *options), worker(side, size, *options), duration)


ROWS = (
    _step(5, 100, NUMPY, "hand_written", at_most(1.8, "time")),
    Row(6, f"fit(compile=True), {STEPS:,} steps, N = 100, compiling included", NUMPY, at_most(1.3, "time"),
        worker("compiled_fit", 100, *ONCE), worker("hand_written_loop", 100, *ONCE), duration),
    _step(7, 10_000, NUMPY, "hand_written", at_most(0.7, "time")),
    _step(7, 100_000, NUMPY, "hand_written", at_most(0.7, "time")),
    _step(8, 100, PYTORCH, "pytorch", faster(3)),
    _step(8, 10_000, PYTORCH, "pytorch", faster(2.5)),
    _step(9, 100, CASADI, "casadi", faster(5)),
    Row(9, "compiled training step, N = 100", "the same network, eager", no_goal(faster(1)),
        worker("compiled", 100, *WARM_UPS, *TIMES[100]), worker("eager", 100, *WARM_UPS), duration),
)  # fmt: skip


if __name__ == "__main__":
    sys.exit(table_of(ROWS, "benchmarks.compiled", __doc__))
