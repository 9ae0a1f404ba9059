"""Two sides, each in a process of its own, in turns: `compare(ours, peer, runs=7)` gives medians and the spread.

    ours, peer = worker("autograd", 50), worker("micrograd", 50)
    comparison = compare(ours, peer, runs=7)      # A B A B ...: what disturbs the machine disturbs both
    comparison.ratio, comparison.ratios           # of the medians; run by run
    print(text_table(head, rows), markdown_table(head, rows))

Both must find the same gradients; otherwise `compare` raises.
"""

from __future__ import annotations

import importlib.metadata
import json
import math
import os
import platform
import subprocess
import sys
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    Job = Callable[[], "Outcome"]

ROOT = Path(__file__).parent.parent
TOLERANCE = 1e-9

#: NumPy's libraries would use all cores for large products, and two sides would not be alike.
ONE_THREAD = dict.fromkeys(
    ("MKL_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"), "1"
)


class Outcome(NamedTuple):
    """What one run of one side measured, in seconds or bytes, and the gradients that it found."""

    figure: float
    gradients: list[float]


class GradientError(Exception):
    """The two sides did not compute the same thing: their figures must not be compared."""


class SideError(Exception):
    """A side could not run."""


class Comparison(NamedTuple):
    """The figures of both sides, run by run."""

    ours: list[float]
    peer: list[float]
    gradients: int  # how many were compared and found equal, in each run

    @property
    def ratio(self) -> float:
        """Our median over the peer's."""
        return median(self.ours) / median(self.peer)

    @property
    def ratios(self) -> list[float]:
        """Our figure over the peer's in each run."""
        return [own / other for own, other in zip(self.ours, self.peer)]

    @property
    def difference(self) -> float:
        """Our median less the peer's."""
        return median(self.ours) - median(self.peer)

    @property
    def differences(self) -> list[float]:
        """Our figure less the peer's in each run."""
        return [own - other for own, other in zip(self.ours, self.peer)]


def compare(ours: Job, peer: Job, runs: int) -> Comparison:
    """Run both sides in turns, `runs` times, and see in each run that they found the same gradients."""
    pairs = [(ours(), peer()) for _ in range(runs)]
    for own, other in pairs:
        check_gradients(own.gradients, other.gradients)
    own_figures, figures = [own.figure for own, _ in pairs], [other.figure for _, other in pairs]
    return Comparison(own_figures, figures, len(pairs[0][0].gradients))


def check_gradients(ours: Sequence[float], peer: Sequence[float]) -> None:
    """Nothing, if they are as many and differ by less than one part in 10⁹; else GradientError."""
    if len(ours) != len(peer):
        raise GradientError(f"{len(ours)} gradients here, {len(peer)} there")
    for i, (own, other) in enumerate(zip(ours, peer)):
        if not math.isclose(own, other, rel_tol=TOLERANCE, abs_tol=1e-15):
            raise GradientError(f"parameter {i} has gradient {own!r} here, {other!r} there")


def worker(name: str, size: int, *options: str) -> Job:
    """Runs a side of sides.py in a new process, on one thread."""
    command = [sys.executable, "-m", "benchmarks.sides", name, str(size), *options]
    surroundings = _remembering_bytecode() | ONE_THREAD

    def run() -> Outcome:
        done = subprocess.run(command, cwd=ROOT, env=surroundings, capture_output=True, text=True, check=False)
        if done.returncode:
            raise SideError(f"{name}: {(done.stderr.strip().splitlines() or ['no message'])[-1]}")
        return Outcome(**json.loads(done.stdout))

    return run


def _remembering_bytecode() -> dict[str, str]:
    """The first start may compile; the others find the bytecode, as those of an installed package do."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def launches(code: str, repeats: int = 15) -> Job:
    """Starts `python -c code` again and again; measures the median of the time from start to end."""
    surroundings = _remembering_bytecode()

    def once() -> float:
        start = perf_counter()
        subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=surroundings, check=True)
        return perf_counter() - start

    return lambda: Outcome(median([once() for _ in range(repeats + 1)][1:]), [])


def version(distribution: str) -> str | None:
    """The version of an installed package, or None."""
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return None


def processor() -> str:
    """What this machine calls its processor, and how many of them there are."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    name = models[0] if models else platform.processor() or platform.machine()
    return f"{name}, {os.cpu_count()} cores"


def text_table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Columns of equal width, for a terminal."""
    lines = [list(head), *map(list, rows)]
    widths = [max(map(len, column)) for column in zip(*lines)]
    lines.insert(1, ["-" * width for width in widths])
    return "\n".join("  ".join(map(str.ljust, line, widths)).rstrip() for line in lines)


def markdown_table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table as Markdown has it."""
    lines = [list(head), ["---"] * len(head), *map(list, rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
