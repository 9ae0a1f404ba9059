"""How long compiling takes, beside eager passes: `python -m benchmarks.compile_time`.

    python -m benchmarks.compile_time                   # all cases
    python -m benchmarks.compile_time --cases chain     # those whose names begin so
    python -m benchmarks.compile_time --runs 1          # sooner, and less certain

The first `f.backward(...)`, on a batch of 100 rows, records the function and translates it: that is compiling. It may
take as long as 20 passes of one example (recording and backward) and 20 ms; and twice the nodes may take twice as long:
the column "per node" is the time per node over that of the smallest case of its kind. The call also runs what was
compiled, as each later call does, and, unless `verify=0`, compares two rows with what the function itself gives. So
compiling is the first call with `verify=0` less a later one; the last two columns have the first call as it usually is,
with all that belongs to it. Each run is a process of its own, in which something else was compiled before; what is said
is the median.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from functools import partial
from operator import add, mul, sub
from random import Random
from statistics import median
from time import perf_counter
from typing import TYPE_CHECKING, NamedTuple

from . import workloads
from .side_by_side import ONE_THREAD, ROOT, text_table
from .table import at_least_one

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

ROWS = 100

#: What compiling may take: so many passes, and so many seconds.
PASSES, SECONDS = 20, 0.02


def network(width: int) -> tuple[Callable[..., Any], int]:
    """The hinge loss of nn.MLP, and how many numbers its example has."""
    import autograd as ag
    import nn

    model = nn.MLP(2, [width, width, 1], seed=1)
    return lambda x: ag.relu(1 - x[0] * model(x)), 2


def hand_written(width: int) -> tuple[Callable[..., Any], int]:
    """The same loss, one + and one * at a time."""
    import autograd as ag

    layers = workloads.by_hand(ag.Value, (2, width, width, 1))
    return lambda x: ag.relu(1 - x[0] * workloads.score(layers, x, ag.relu)), 2


def chain(links: int) -> tuple[Callable[..., Any], int]:
    """tanh(tanh(x * p) * p) ..., of which no two can be computed at once."""
    import autograd as ag

    return workloads.tanh_chain(ag.Value, ag.tanh, links), 1


def deep(links: int) -> tuple[Callable[..., Any], int]:
    """The same chain, each link with a parameter of its own."""
    import autograd as ag

    weights = [ag.Value(0.9 + 0.01 * (i % 7)) for i in range(links)]

    def f(x: Any) -> Any:
        for weight in weights:
            x = ag.tanh(x * weight)
        return x

    return f, 1


def products(count: int) -> tuple[Callable[..., Any], int]:
    """The sum of many products of a parameter and a number of the example, written with + and *."""
    import autograd as ag

    return workloads.products(ag.Value, count), count


def recurrent(steps: int) -> tuple[Callable[..., Any], int]:
    """A cell of 8 neurons that reads one number at each step."""
    import nn

    cell, last = nn.Layer(9, 8, activation="tanh", seed=1), nn.Neuron(8, nonlin=False, seed=2)

    def f(x: Any) -> Any:
        state: list[Any] = [0.0] * 8
        for number in x:
            state = cell([number, *state])
        return last(state) ** 2

    return f, steps


def random_graph(count: int) -> tuple[Callable[..., Any], int]:
    """The mean of all that so many operations give, each of any of the last hundred results; 20 parameters."""
    import autograd as ag

    random = Random(3)
    parameters = [ag.Value(random.uniform(-1, 1)) for _ in range(20)]
    single = [ag.tanh, ag.sin, ag.cos, ag.sigmoid, lambda a: a * 0.5, lambda a: 1.0 - a]
    double = [add, mul, sub, ag.maximum]
    program = []
    for i in range(count):
        back = [random.randint(1, min(23 + i, 100)) for _ in range(random.choice([1, 2]))]
        program.append((random.choice(single if len(back) == 1 else double), back))

    def f(x: Any) -> Any:
        values = [*parameters, *x]
        for operation, back in program:
            values.append(operation(*[values[-i] for i in back]))
        return ag.mean(values)

    return f, 3


CASES: dict[Callable[[int], tuple[Callable[..., Any], int]], tuple[int, ...]] = {
    network: (16, 64, 128, 256),
    hand_written: (16, 64, 128),
    chain: (200, 1_000, 10_000),
    deep: (200, 1_000, 10_000),
    products: (1_000, 10_000),
    recurrent: (20, 200),
    random_graph: (1_000, 3_000, 10_000),
}


class Times(NamedTuple):
    """Of one case, in seconds."""

    first: float  # a call
    later: float
    eager: float  # a pass
    nodes: int

    @property
    def compiling(self) -> float:
        """What the first call takes longer than a later one."""
        return self.first - self.later


def measured(name: str, size: int, verify: int) -> Times:
    """The times of a case in this process, where it is compiled once, as by its user; of all but that, the median."""
    import numpy

    import autograd as ag

    tiny = ag.Value(0.5)
    ag.compile(lambda x: ag.tanh(tiny * x)).backward(numpy.ones(3))
    case = next(case for case in CASES if case.__name__ == name)
    f, width = case(size)
    X = numpy.random.default_rng(4).uniform(-1, 1, (ROWS, width))
    if name in ("chain", "deep"):
        X = X[:, 0]
    example = [ag.Value(x) for x in X[0]] if X.ndim > 1 else ag.Value(X[0])
    nodes = len(ag.nodes(f(example)))
    passes = [timed(lambda: f(example).backward()) for _ in range(4)]
    call = partial(ag.compile(f, verify=verify).backward, X)
    first = timed(call)
    passes += [timed(lambda: f(example).backward()) for _ in range(4)]
    return Times(first, median([timed(call) for _ in range(5)]), median(passes), nodes)


def timed(action: Callable[[], object]) -> float:
    """Seconds."""
    start = perf_counter()
    action()
    return perf_counter() - start


def in_own_process(name: str, size: int, verify: int) -> Times:
    """The times of a case in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.compile_time", "--measure", name, str(size), str(verify)]
    done = subprocess.run(command, cwd=ROOT, env=os.environ | ONE_THREAD, capture_output=True, check=True)
    return Times(*json.loads(done.stdout))


def table(cases: list[tuple[str, int]], runs: int) -> str:
    """One line for each case."""
    head = ["case", "nodes", "one pass", f"{PASSES} passes + {SECONDS * 1e3:.0f} ms"]
    head += ["compiling", "share", "per node", "first call", "share"]
    lines: list[list[str]] = []
    smallest: dict[str, float] = {}
    for name, size in cases:
        found = [(in_own_process(name, size, verify=0), in_own_process(name, size, verify=2)) for _ in range(runs)]
        alone, whole = zip(*found)
        compiling = median([times.compiling for times in alone])
        first = median([times.first for times in whole])
        eager = median([times.eager for times in (*alone, *whole)])
        bound, nodes = PASSES * eager + SECONDS, alone[0].nodes
        per_node = compiling / nodes
        growth = per_node / smallest.setdefault(name, per_node)
        line = [f"{name} {size:,}", f"{nodes:,}", milliseconds(eager), milliseconds(bound)]
        line += [milliseconds(compiling), f"{compiling / bound:.2f}", f"{growth:.2f}"]
        lines.append([*line, milliseconds(first), f"{first / bound:.2f}"])
    return text_table(head, lines)


def milliseconds(seconds: float) -> str:
    """As text."""
    return f"{seconds * 1e3:,.1f} ms"


def main() -> None:
    """Measure, as the command line asks."""
    told = (__doc__ or "").split("\n")[0]
    parser = argparse.ArgumentParser(prog="python -m benchmarks.compile_time", description=told)
    parser.add_argument("--cases", default="", help="what the names of the cases begin with")
    parser.add_argument("--runs", type=at_least_one, default=5, help="processes for each case (default: %(default)s)")
    single = {"nargs": 3, "metavar": ("CASE", "SIZE", "VERIFY")}
    parser.add_argument("--measure", **single, help="one case, in this process, as JSON")
    chosen = parser.parse_args()
    if chosen.measure:
        name, size, verify = chosen.measure
        print(json.dumps(measured(name, int(size), int(verify))))
        return
    cases = [(case.__name__, size) for case, sizes in CASES.items() for size in sizes]
    if not (some := [case for case in cases if case[0].startswith(chosen.cases)]):
        parser.error(f"no case begins with {chosen.cases!r}; there are {', '.join(case.__name__ for case in CASES)}")
    print(table(some, chosen.runs))


if __name__ == "__main__":
    main()
