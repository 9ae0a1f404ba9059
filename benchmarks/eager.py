"""How fast are recording, backward and drawing, and how large is a graph? `python -m benchmarks.eager` measures.

    python -m benchmarks.eager                  # all rows, 7 runs of each side; some minutes
    python -m benchmarks.eager --only 3         # one row
    python -m benchmarks.eager --markdown       # the table as Markdown

Every row compares with a peer (`pip install -r benchmarks/requirements.txt`), side by side: each side in a new process,
in turns, on the same weights and points, and both must find the same gradients. What is said is the ratio of the two
medians; the spread is that of the ratio from run to run. How fast the machine is, is of no importance; that it does
nothing else meanwhile is of some.
"""

from __future__ import annotations

import argparse
import datetime
import platform
import shutil
import subprocess
import sys
from fractions import Fraction
from statistics import median
from typing import TYPE_CHECKING, NamedTuple

from .side_by_side import (
    Comparison,
    GradientError,
    SideError,
    compare,
    launches,
    markdown_table,
    processor,
    text_table,
    version,
    worker,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .side_by_side import Job

HEAD = ("", "measure", "peer", "wanted", "ratio", "spread", "median, ours : peer's", "verdict", "gradients")


class Goal(NamedTuple):
    """What is wanted of a comparison, how its figures read, and whether they suffice."""

    wanted: str
    enough: Callable[[float], bool]
    figure: Callable[[Comparison], float]
    figures: Callable[[Comparison], Sequence[float]]
    shown: str = "{:.2f}"


class Row(NamedTuple):
    """One line of the table."""

    number: int
    measure: str
    peer: str
    goal: Goal
    ours: Job
    other: Job
    unit: Callable[[float], str]


def faster(times: float) -> Goal:
    """At least so many times as fast as the peer."""
    return Goal(
        f"at least {times:g} times as fast",
        lambda speed: speed >= times,
        lambda comparison: 1 / comparison.ratio,
        lambda comparison: [1 / ratio for ratio in comparison.ratios],
        "{:.1f} times",
    )


def at_most(part: float, of: str) -> Goal:
    """At most so many times the peer's time or memory."""
    return Goal(
        f"at most {Fraction(part).limit_denominator(10)} of its {of}" if part < 1 else f"at most {part:g} x its {of}",
        lambda ratio: ratio <= part,
        lambda comparison: comparison.ratio,
        lambda comparison: comparison.ratios,
    )


def at_most_more(seconds: float) -> Goal:
    """At most so many seconds more than the peer."""
    return Goal(
        f"at most {seconds * 1e3:.0f} ms more",
        lambda difference: difference <= seconds * 1e3,
        lambda comparison: comparison.difference * 1e3,
        lambda comparison: [difference * 1e3 for difference in comparison.differences],
        "{:.0f} ms",
    )


def milliseconds(seconds: float) -> str:
    """A time as the table has it."""
    return f"{seconds * 1e3:.3g} ms" if seconds < 1 else f"{seconds:.2f} s"


def megabytes(size: float) -> str:
    """A size as the table has it."""
    return f"{size / 2**20:.1f} MiB"


MICROGRAD, XAD, DOT = "micrograd", "XAD", "dot"

ROWS = (
    Row(1, "a node per + and *, N = 50", MICROGRAD, faster(8),
        worker("autograd", 50), worker("micrograd", 50), milliseconds),
    Row(2, "a node per + and *, N = 50", XAD, at_most(1.5, "time"),
        worker("autograd", 50, "--repeats", "21"), worker("xad", 50, "--repeats", "21"), milliseconds),
    Row(2, "a node per + and *, N = 200", XAD, at_most(1.5, "time"),
        worker("autograd", 200), worker("xad", 200), milliseconds),
    Row(3, "nn.MLP, a dot node per neuron, N = 200", XAD, faster(2),
        worker("autograd_dot", 200, "--repeats", "21"), worker("xad", 200), milliseconds),
    Row(4, "memory of that graph, N = 200", MICROGRAD, at_most(1 / 3, "memory"),
        worker("autograd_dot", 200, "--memory"), worker("micrograd", 200, "--memory"), megabytes),
    Row(5, "a chain of 1,000,000 nodes: record, backward, free", "a chain of 100,000", at_most(12, "time"),
        worker("autograd_chain", 1_000_000, "--warm-ups", "0", "--repeats", "1"),
        worker("autograd_chain", 100_000, "--warm-ups", "0", "--repeats", "1"), milliseconds),
    # Again and again in one process, Python's collector goes over a live graph of a million nodes seven or eight times
    # a pass, over one of 100,000 once: without it both cost the same per node.
    Row(5, "the same, repeated in one process", "a chain of 100,000", at_most(12, "time"),
        worker("autograd_chain", 1_000_000, "--warm-ups", "1", "--repeats", "3"),
        worker("autograd_chain", 100_000, "--warm-ups", "3", "--repeats", "15"), milliseconds),
    Row(6, "python -c 'import autograd'", "python -c pass", at_most_more(0.040),
        launches("import autograd"), launches("pass"), milliseconds),
    Row(7, "SVGs of 10 graphs of 100 nodes", DOT, at_most(1, "time"),
        worker("autograd_svg", 10), worker("dot_svg", 10), milliseconds),
)  # fmt: skip


def missing(peer: str) -> str:
    """What to install to have this peer; nothing if it is there."""
    if peer in (MICROGRAD, XAD) and version(peer) is None:
        return "not installed: pip install -r benchmarks/requirements.txt"
    if peer == DOT and shutil.which("dot") is None:
        return "not installed: apt install graphviz, brew install graphviz, winget install graphviz"
    return ""


def measured(row: Row, runs: int) -> list[str]:
    """The row's cells; GradientError where the sides did not compute the same."""
    cells = [str(row.number), row.measure, row.peer, row.goal.wanted]
    if absent := missing(row.peer):
        return [*cells, "", "", "", absent, ""]
    try:
        comparison = compare(row.ours, row.other, runs)
    except SideError as failure:
        return [*cells, "", "", "", f"did not run: {failure}", ""]
    goal, show = row.goal, row.goal.shown.format
    figure, figures = goal.figure(comparison), goal.figures(comparison)
    ours, others = (row.unit(median(side)) for side in (comparison.ours, comparison.peer))
    return [
        *cells,
        show(figure),
        f"{show(min(figures))} .. {show(max(figures))}",
        f"{ours} : {others}",
        "ok" if goal.enough(figure) else "SHORT",
        f"{comparison.gradients} agree" if comparison.gradients else "",
    ]


def surroundings(runs: int) -> list[str]:
    """The date, the interpreter, the processor and the peers: what the figures hold for."""
    graphviz = "dot not installed"
    if shutil.which("dot"):
        graphviz = subprocess.run(["dot", "-V"], capture_output=True, text=True, check=False).stderr.strip()
    peers = [f"{peer} {version(peer) or 'not installed'}" for peer in (MICROGRAD, XAD)]
    return [
        f"date: {datetime.datetime.now(tz=datetime.UTC).date()}; {runs} runs of each side",
        f"python: {platform.python_implementation()} {platform.python_version()} on {platform.system()}",
        f"processor: {processor()}",
        f"peers: {', '.join(peers)}, {graphviz}",
    ]


def options() -> argparse.Namespace:
    """What the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.eager", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--runs", type=int, default=7, help="runs of each side (default: %(default)s)")
    parser.add_argument("--only", type=int, metavar="N", choices=sorted({row.number for row in ROWS}), help="one row")
    parser.add_argument("--markdown", action="store_true", help="print Markdown")
    return parser.parse_args()


def main() -> int:
    """Measure the rows that the command line asks for; 1 if gradients disagree, else 0."""
    chosen = options()
    cells, disagreements = [], []
    for row in ROWS:
        if chosen.only in (None, row.number):
            print(f"{row.number}. {row.measure}, {row.peer} ...", file=sys.stderr)
            try:
                cells.append(measured(row, chosen.runs))
            except GradientError as error:
                disagreements.append(f"GRADIENTS DISAGREE: {row.measure}, {row.peer}: {error}")
                cells.append([str(row.number), row.measure, row.peer, row.goal.wanted, "", "", "", "WRONG", "disagree"])
    table, bullet = (markdown_table, "- ") if chosen.markdown else (text_table, "")
    print(table(HEAD, cells), "", *(bullet + line for line in surroundings(chosen.runs)), *disagreements, sep="\n")
    return 1 if disagreements else 0


if __name__ == "__main__":
    sys.exit(main())
