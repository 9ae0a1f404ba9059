"""How long the first call of a compiled function takes, beside eager passes: `python -m benchmarks.compile_time`.

    python -m benchmarks.compile_time                   # all cases
    python -m benchmarks.compile_time --cases chain     # those whose names begin so
    python -m benchmarks.compile_time --runs 1          # sooner, and less certain

The first `f.backward(...)`, on a batch of 100 rows, records the function, translates it, runs it, and compares it with
the function itself. It may take as long as 20 passes of one example (recording and backward) and 20 ms; and twice the
nodes may take twice as long: the last column is the time per node over that of the smallest case of its kind. Each run
is a process of its own, in which something else was compiled before; what is said is the median.
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

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

ROWS = 100

#: What the first call may take: so many passes, and so many seconds.
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

    compiling: float
    eager: float  # a pass
    nodes: int


def measured(name: str, size: int) -> Times:
    """The times of a case in this process, where it is compiled once, as by its user; of passes, the median."""
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
    compiling = timed(partial(ag.compile(f).backward, X))
    passes += [timed(lambda: f(example).backward()) for _ in range(4)]
    return Times(compiling, median(passes), nodes)


def timed(action: Callable[[], object]) -> float:
    """Seconds."""
    start = perf_counter()
    action()
    return perf_counter() - start


def in_own_processes(name: str, size: int, runs: int) -> Times:
    """The medians of so many processes."""
    command = [sys.executable, "-m", "benchmarks.compile_time", "--measure", name, str(size)]
    alone = os.environ | ONE_THREAD
    found = [subprocess.run(command, cwd=ROOT, env=alone, capture_output=True, check=True).stdout for _ in range(runs)]
    times = [json.loads(text) for text in found]
    return Times(**{key: median(run[key] for run in times) for key in Times._fields})


def table(cases: list[tuple[str, int]], runs: int) -> str:
    """One line for each case."""
    head = ["case", "nodes", "first call", "one pass", "20 passes + 20 ms", "share of that", "per node"]
    lines: list[list[str]] = []
    smallest: dict[str, float] = {}
    for name, size in cases:
        times = in_own_processes(name, size, runs)
        bound = PASSES * times.eager + SECONDS
        per_node = times.compiling / times.nodes
        growth = per_node / smallest.setdefault(name, per_node)
        numbers = [milliseconds(x) for x in (times.compiling, times.eager, bound)]
        ratios = [f"{ratio:.2f}" for ratio in (times.compiling / bound, growth)]
        lines.append([f"{name} {size:,}", f"{times.nodes:,}", *numbers, *ratios])
    return text_table(head, lines)


def milliseconds(seconds: float) -> str:
    """As text."""
    return f"{seconds * 1e3:,.1f} ms"


def main() -> None:
    """Measure, as the command line asks."""
    told = (__doc__ or "").split("\n")[0]
    parser = argparse.ArgumentParser(prog="python -m benchmarks.compile_time", description=told)
    parser.add_argument("--cases", default="", help="what the names of the cases begin with")
    parser.add_argument("--runs", type=int, default=5, help="processes for each case (default: %(default)s)")
    parser.add_argument("--measure", nargs=2, metavar=("CASE", "SIZE"), help="one case, in this process, as JSON")
    chosen = parser.parse_args()
    if chosen.measure:
        name, size = chosen.measure
        print(json.dumps(measured(name, int(size))._asdict()))
        return
    cases = [(case.__name__, size) for case, sizes in CASES.items() for size in sizes]
    print(table([case for case in cases if case[0].startswith(chosen.cases)], chosen.runs))


if __name__ == "__main__":
    main()
