"""How long one has to wait for the stepper: `python -m benchmarks.stepping`.

A graph of 10,000 nodes with a network's shape: making the stepper, single steps forward and backward, its repr, and
going from one end to the other. Medians over many steps; the largest single one beside them.
"""

from __future__ import annotations

from statistics import median
from time import perf_counter
from typing import TYPE_CHECKING

import autograd as ag

if TYPE_CHECKING:
    from collections.abc import Callable

NODES = 10_000


def graph(size: int) -> ag.Value:
    """A graph of that many nodes in which most are used several times."""
    values = [ag.Value(0.01 * i, f"x{i}") for i in range(100)]
    while len(values) < size - 1:
        i = len(values)
        values.append(ag.tanh(values[i - 1] * values[i - 100]) if i % 3 else values[i - 1] + values[i // 2])
        values.append(values[-1] - values[i - 50])
    return ag.mean(values)


def timed(action: Callable[[], object]) -> float:
    """Milliseconds."""
    start = perf_counter()
    action()
    return (perf_counter() - start) * 1e3


def main() -> None:
    """Print the times."""
    root = graph(NODES)
    made = timed(lambda: ag.Stepper(root))
    stepper = ag.Stepper(root)
    rows = {"make the stepper": [made]}
    rows["next(), and its repr"] = [timed(lambda: repr(stepper.next())) for _ in range(len(stepper))]
    rows["back(), and its repr"] = [timed(lambda: repr(stepper.back())) for _ in range(len(stepper))]
    stepper.run("forward")
    rows["the stepper's repr"] = [timed(lambda: (stepper.next(), repr(stepper))) for _ in range(200)]
    rows["goto from end to end"] = [timed(lambda: stepper.goto(0)), timed(lambda: stepper.goto(len(stepper)))]
    print(f"{len(ag.nodes(root))} nodes, {len(stepper)} steps; milliseconds")
    for name, times in rows.items():
        print(f"{name:24} median {median(times):8.3f}   largest {max(times):8.3f}")


if __name__ == "__main__":
    main()
