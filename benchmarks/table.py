"""A table of comparisons: each `Row` names a measure, a peer, what is wanted, and the two sides to run.

    report = measure(rows, runs=7)                # side by side, as side_by_side.py does it
    print(report.text(), report.markdown())
    sys.exit(table_of(ROWS, "benchmarks.eager"))  # the same as a command, with options

What is said of a row is the ratio of the two medians; the spread is that of the ratio from run to run.
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
    markdown_table,
    processor,
    text_table,
    version,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from .side_by_side import Job

MICROGRAD, XAD, DOT = "micrograd", "XAD", "dot"
NUMPY, PYTORCH, CASADI = "NumPy by hand", "PyTorch, one thread", "CasADi SX, mapped"

#: What the peers that pip installs are called there.
DISTRIBUTIONS = {MICROGRAD: "micrograd", XAD: "xad", NUMPY: "numpy", PYTORCH: "torch", CASADI: "casadi"}


class Goal(NamedTuple):
    """What is wanted of a comparison, how its figures read, and whether they suffice."""

    wanted: str
    enough: Callable[[float], bool]
    figure: Callable[[Comparison], float]
    figures: Callable[[Comparison], Sequence[float]]
    shown: str = "{:.2f}"
    unit: str = ""


class Row(NamedTuple):
    """One line of the table."""

    number: int
    measure: str
    peer: str
    goal: Goal
    ours: Job
    other: Job
    shown: Callable[[float], str]


def faster(times: float) -> Goal:
    """At least so many times as fast as the peer."""
    return Goal(
        f"at least {times:g} times as fast",
        lambda speed: speed >= times,
        lambda comparison: 1 / comparison.ratio,
        lambda comparison: [1 / ratio for ratio in comparison.ratios],
        "{:.1f}",
        " times",
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
        "{:.0f}",
        " ms",
    )


def no_goal(goal: Goal) -> Goal:
    """Shown as that goal is, but nothing is wanted."""
    return goal._replace(wanted="", enough=lambda _: True)


def duration(seconds: float) -> str:
    """A time as the table has it."""
    if seconds < 1e-3:
        return f"{seconds * 1e6:.3g} µs"
    return f"{seconds * 1e3:.3g} ms" if seconds < 1 else f"{seconds:.2f} s"


def megabytes(size: float) -> str:
    """A size as the table has it."""
    return f"{size / 2**20:.1f} MiB"


# ----- Measuring -----


class Found(NamedTuple):
    """What came of a row: a comparison, or why there is none."""

    row: Row
    comparison: Comparison | None
    trouble: str = ""
    disagreement: str = ""  # of the gradients

    @property
    def enough(self) -> bool:
        """Whether what is wanted was found."""
        return self.comparison is not None and self.row.goal.enough(self.row.goal.figure(self.comparison))

    @property
    def figures(self) -> tuple[str, str, str]:
        """The ratio, its spread, and the medians of both sides; nothing where there is no comparison."""
        if self.comparison is None:
            return "", "", ""
        goal, show = self.row.goal, self.row.goal.shown.format
        figures = goal.figures(self.comparison)
        ours, others = (self.row.shown(median(side)) for side in (self.comparison.ours, self.comparison.peer))
        return (
            show(goal.figure(self.comparison)) + goal.unit,
            f"{show(min(figures))} .. {show(max(figures))}",
            f"{ours} : {others}",
        )


def missing(peer: str) -> str:
    """What to install to have this peer; nothing if it is there."""
    if peer in DISTRIBUTIONS and version(DISTRIBUTIONS[peer]) is None:
        return "not installed: pip install -r benchmarks/requirements.txt"
    if peer == DOT and shutil.which("dot") is None:
        return "not installed: apt install graphviz, brew install graphviz, winget install graphviz"
    return ""


def found(row: Row, runs: int) -> Found:
    """Run both sides of a row; trouble is told, not raised."""
    if absent := missing(row.peer):
        return Found(row, None, absent)
    try:
        return Found(row, compare(row.ours, row.other, runs))
    except SideError as failure:
        return Found(row, None, f"did not run: {failure}")
    except GradientError as error:
        return Found(row, None, "WRONG", f"GRADIENTS DISAGREE: {row.measure}, {row.peer}: {error}")


def measure(rows: Iterable[Row], runs: int) -> Report:
    """Run the rows, and tell on stderr which is under way."""
    results = []
    for row in rows:
        print(f"{row.number}. {row.measure}, {row.peer} ...", file=sys.stderr)
        results.append(found(row, runs))
    return Report(results, runs)


class Report(NamedTuple):
    """What was found, to be printed."""

    results: list[Found]
    runs: int

    @property
    def disagreements(self) -> list[str]:
        """A line for each row whose sides did not compute the same."""
        return [result.disagreement for result in self.results if result.disagreement]

    @property
    def complete(self) -> bool:
        """Whether all rows could be compared."""
        return all(result.comparison for result in self.results)

    def text(self) -> str:
        """For a terminal."""
        head = ("", "measure", "peer", "wanted", "ratio", "spread", "ours : peer's", "verdict", "gradients")
        table = text_table(head, map(_text_cells, self.results))
        return "\n".join([table, "", *surroundings(self.runs), *self.disagreements])

    def markdown(self) -> str:
        """For the README: fewer columns, and what falls short in bold."""
        head = ("measure", "compared with", "wanted", "found", "from .. to", "ours : theirs")
        table = markdown_table(head, map(_markdown_cells, self.results))
        lines = self.disagreements or ["where a row has gradients, both sides found the same; of fit, the same weights"]
        return "\n".join([table, "", *(f"- {line}" for line in (*surroundings(self.runs), *lines))])


def _text_cells(result: Found) -> list[str]:
    row, verdict = result.row, result.trouble
    if result.comparison and row.goal.wanted:
        verdict = "ok" if result.enough else "SHORT"
    agree = "disagree" if result.disagreement else ""
    if result.comparison and result.comparison.gradients:
        agree = f"{result.comparison.gradients} agree"
    return [str(row.number), row.measure, row.peer, row.goal.wanted, *result.figures, verdict, agree]


def _markdown_cells(result: Found) -> list[str]:
    row, (ratio, spread, medians) = result.row, result.figures
    ratio = result.trouble or (ratio if result.enough else f"**{ratio}, short**")
    return [row.measure, row.peer, row.goal.wanted, ratio, spread, medians]


def surroundings(runs: int) -> list[str]:
    """The date, the interpreter, the processor and the peers: what the figures hold for."""
    graphviz = "dot not installed"
    if shutil.which("dot"):
        graphviz = subprocess.run(["dot", "-V"], capture_output=True, text=True, check=False).stderr.strip()
    peers = [f"{name} {version(name) or 'not installed'}" for name in DISTRIBUTIONS.values()]
    today = datetime.datetime.now(tz=datetime.UTC).date()
    return [
        f"date: {today}; runs of each side: {runs}, in turns, each in a process of its own and on one thread",
        f"python: {platform.python_implementation()} {platform.python_version()} on {platform.system()}",
        f"processor: {processor()}",
        f"peers: {', '.join(peers)}, {graphviz}",
    ]


# ----- The command -----


def command_line(program: str, description: str | None, rows: Sequence[Row]) -> argparse.ArgumentParser:
    """The options that all tables have."""
    numbers = sorted({row.number for row in rows})
    parser = argparse.ArgumentParser(prog=f"python -m {program}", description=(description or "").partition("\n")[0])
    parser.add_argument("--runs", type=at_least_one, default=7, help="runs of each side (default: %(default)s)")
    parser.add_argument("--rows", type=row_numbers, nargs="+", metavar="N", help="some of the rows, such as: 1 5-7")
    parser.add_argument("--markdown", action="store_true", help="print Markdown")
    parser.epilog = "rows: " + ", ".join(map(str, numbers))
    return parser


def at_least_one(text: str) -> int:
    """The number of runs that is asked for: of none there is no median."""
    if not text.isdecimal() or not int(text):
        raise argparse.ArgumentTypeError(f"1 or more are needed, not {text}")
    return int(text)


def row_numbers(text: str) -> range:
    """The numbers that "3" or "5-7" stands for."""
    first, _, last = text.partition("-")
    return range(int(first), int(last or first) + 1)


def chosen_rows(rows: Sequence[Row], spans: Sequence[range] | None) -> list[Row]:
    """Those whose numbers are in a span; all if there is none."""
    return [row for row in rows if spans is None or any(row.number in span for span in spans)]


def table_of(rows: Sequence[Row], program: str, description: str | None) -> int:
    """Measure the rows that the command line asks for; 1 if gradients disagree, else 0."""
    options = command_line(program, description, rows).parse_args()
    report = measure(chosen_rows(rows, options.rows), options.runs)
    print(report.markdown() if options.markdown else report.text())
    return 1 if report.disagreements else 0
