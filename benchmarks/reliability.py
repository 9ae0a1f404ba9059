"""How reliable is it? `python -m benchmarks.reliability` tries odd inputs, plants faults, builds large graphs, counts.

    python -m benchmarks.reliability                    # somewhat more than a minute
    python -m benchmarks.reliability --seconds 600      # fuzzing for ten minutes
    python -m benchmarks.reliability --examples 1000    # as many inputs at every door, however long it takes

What is tried, and what is right, stands in tests/ (`pip install -e '.[test]'`); here it is run for longer. Every number
of the table was counted in the run that printed it. The exit status is 1 if anything failed.
"""

from __future__ import annotations

import argparse
import datetime
import gc
import itertools
import pickle
import platform
import sys
import tracemalloc
import warnings
from collections import Counter
from time import perf_counter
from typing import TYPE_CHECKING, NamedTuple
from unittest import mock

import hypothesis
from hypothesis import HealthCheck, Phase, given, settings

import autograd as ag
import autograd.value
from autograd import Value, nodes
from autograd.primitives import PRIMITIVES

from .side_by_side import ROOT, processor, text_table
from .workloads import chain

sys.path.insert(0, str(ROOT / "tests"))  # for what follows

import test_planted_faults as faults
import test_rules
from disturbances import DISTURBANCES, INTERRUPTS, can_interrupt
from fuzz_targets import CUTS, TARGETS, Hang, Target
from special_numbers import discrepancies, points

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

HEAD = ("", "tried", "what came of it", "failures")

#: Inputs that are tried before a look at the clock.
ROUND = 100

#: The bytes that may be left of a graph: interpreters and tracemalloc keep some for themselves.
LEFT = 64 * 1024


class Row(NamedTuple):
    """One line of the table."""

    what: str
    tried: int
    outcome: str
    failures: Counter[str]


class Effort(NamedTuple):
    """How long one door is tried: so many seconds, or so many examples."""

    seconds: float
    examples: int | None
    seed: int


# ----- Inputs -----


def judged(what: str, target: Target, effort: Effort) -> Row:
    """What comes of many inputs; each one that is judged wrong is a failure."""
    outcomes, failures = Counter[str](), Counter[str]()

    def judge(given: Any) -> None:
        try:
            outcomes[target.judge(given)] += 1
        except (Exception, Hang) as error:
            failures[_told(error)] += 1

    for once_wrong in target.found():
        judge(once_wrong)
    end = perf_counter() + effort.seconds
    for number in itertools.count(effort.seed):
        _one_round(target, judge, effort.examples or ROUND, number)
        if effort.examples or perf_counter() >= end:
            return Row(what, outcomes.total() + failures.total(), _counted(outcomes), failures)
    raise AssertionError


def _one_round(target: Target, judge: Callable[[Any], None], examples: int, number: int) -> None:
    @hypothesis.seed(number)
    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(target.inputs)
    def run(given: Any) -> None:
        judge(given)

    run()


def _told(error: BaseException) -> str:
    first_line = (str(error).splitlines() or [""])[0]
    return f"{type(error).__name__}: {first_line[:200]}"


def _counted(outcomes: Counter[str]) -> str:
    return ", ".join(f"{count:,} {outcome}" for outcome, count in outcomes.most_common())


def special_numbers() -> Row:
    """Every primitive at subnormal, huge and infinite numbers, nan and the zeros of both signs."""
    count, failures = 0, Counter[str]()
    for name in test_rules.NAMES:
        places = points(PRIMITIVES[name])
        count += len(places)
        failures.update(discrepancies(PRIMITIVES[name], places))
    outcome = f"values, slopes and errors of {len(test_rules.NAMES)} primitives, {count - failures.total():,} as stated"
    return Row("special numbers", count, outcome, failures)


# ----- Faults -----


def planted_rules() -> Row:
    """Wrong rules in the table, one after the other: does the check of its entry notice?"""
    outcomes, failures = Counter[str](), Counter[str]()
    for target in map(PRIMITIVES.__getitem__, test_rules.NAMES):
        places = test_rules.points(target)
        for plant in faults.plants(target):
            title = faults.title(target, plant)
            with faults.planted(target, plant):
                noticed = any(True for _ in test_rules.each_discrepancy(target, places))
            if noticed:
                outcomes["noticed"] += 1
            elif title in faults.EQUIVALENT:
                outcomes["change nothing"] += 1
            else:
                failures[f"not noticed: {title}"] += 1
    return Row("planted: wrong rules", outcomes.total() + failures.total(), _counted(outcomes), failures)


def planted_passes() -> Row:
    """Wrong sweeps, starts and operators: do the graphs with gradients worked out by hand notice?"""
    noticed = dict(_passes())
    failures = Counter(f"not noticed: {title}" for title, found in noticed.items() if not found)
    count = sum(noticed.values())
    return Row("planted: wrong passes and operators", len(noticed), f"{count:,} noticed", failures)


def _passes() -> Iterator[tuple[str, bool]]:
    for attribute, kinds in (("sweep", faults.SWEEPS), ("opened", faults.STARTS)):
        for title, wrong in kinds.items():
            with mock.patch.object(autograd.value, attribute, wrong):
                yield title, bool(faults.gradient_discrepancies())
    for title, (symbol, method, wrong) in faults.WRONG_OPERATORS.items():
        with mock.patch.object(Value, method, wrong):
            yield title, bool(test_rules.hot_path_discrepancies(symbol, [1.5, 3.0]))


# ----- Sizes -----


class Size(NamedTuple):
    """A large graph: how it is made, and whether a pass over it gave the right gradients."""

    what: str
    build: Callable[[], Value]
    is_right: Callable[[Value], bool]


def _leaves(root: Value) -> list[Value]:
    return [node for node in nodes(root) if not node.operands]


def _consumers(count: int) -> Value:
    x = Value(2.0)
    y = 3.0 * x
    return ag.sum([y * 1.0 for _ in range(count)])


MILLION, CROWD = 1_000_000, 100_000
SIZES = [
    Size(
        "a chain, deep",
        lambda: chain(Value(1.0), MILLION),
        lambda root: root.data == _leaves(root)[0].grad == MILLION + 1,
    ),
    Size(
        "a sum of leaves, wide",
        lambda: ag.sum([Value(1.0) for _ in range(MILLION)]),
        lambda root: {leaf.grad for leaf in _leaves(root)} == {1.0},
    ),
    Size(
        "a node of 100,000 consumers",
        lambda: _consumers(CROWD),
        lambda root: root.data == 6 * CROWD and _leaves(root)[0].grad == 3 * CROWD,
    ),
    Size(
        "a chain, pickled and read again",
        lambda: pickle.loads(pickle.dumps(chain(Value(1.0), CROWD))),
        lambda root: root.data == _leaves(root)[0].grad == CROWD + 1,
    ),
]


def built(size: Size) -> Row:
    """Build, differentiate and drop a graph: is it right, is its memory given back, is anything left to collect?"""
    gc.collect()
    gc.disable()
    tracemalloc.start()
    before = _memory()
    root = size.build()
    root.backward()
    held, count, is_right = _memory() - before, len(nodes(root)), size.is_right(root)
    del root
    collected = gc.collect()
    left = _memory() - before  # after the collection, which also empties the interpreter's own stores
    tracemalloc.stop()
    gc.enable()
    wrong = {"wrong gradients": not is_right, "memory is not given back": left > LEFT, "left to collect": collected > 0}
    told = f"nodes: {held / 2**20:.0f} MiB held, {left / 2**10:.0f} KiB left, {collected} objects for the collector"
    return Row(f"size: {size.what}", count, told, Counter(text for text, is_so in wrong.items() if is_so))


def _memory() -> int:
    return tracemalloc.get_traced_memory()[0]


# ----- The table -----


def rows(options: argparse.Namespace) -> Iterator[Row]:
    """The lines, one after the other; the clock is shared out among those that can go on for ever."""
    doors = [
        *((f"fuzzed: {name}", target) for name, target in TARGETS.items()),
        *((name, target) for name, target in INTERRUPTS.items() if can_interrupt()),
        *DISTURBANCES.items(),
        *((f"cut short: {name}", target) for name, target in CUTS.items()),
    ]
    effort = Effort(options.seconds / len(doors), options.examples, options.seed)
    for what, target in doors:
        yield judged(what, target, effort)
    yield special_numbers()
    yield planted_rules()
    yield planted_passes()
    yield from map(built, SIZES)


def cells(row: Row) -> list[str]:
    """A row as the table has it."""
    return [row.what, f"{row.tried:,}", row.outcome, f"{row.failures.total():,}"]


def parsed_options() -> argparse.Namespace:
    """What the command line asks for."""
    description = (__doc__ or "").partition("\n")[0]
    parser = argparse.ArgumentParser(prog="python -m benchmarks.reliability", description=description)
    parser.add_argument("--seconds", type=float, default=45, help="how long to try inputs (default: %(default)s)")
    parser.add_argument("--examples", type=int, help="how many inputs to try at each door, instead of a time")
    parser.add_argument("--seed", type=int, default=0, help="other inputs (default: %(default)s)")
    return parser.parse_args()


def main() -> int:
    """Print the table; 1 if anything failed, else 0."""
    options = parsed_options()
    warnings.simplefilter("ignore")  # hypothesis on strategies, Python on texts that it parses: neither is ours
    start, done = perf_counter(), []
    for row in rows(options):
        print(f"{perf_counter() - start:4.0f} s  {row.what}", file=sys.stderr)
        done.append(row)
    failures = sum(row.failures.total() for row in done)
    print(text_table(HEAD, map(cells, done)), "", sep="\n")
    for row in done:
        for told, count in row.failures.most_common(8):
            print(f"FAILED {count} x {row.what}: {told}")
    print(
        f"failures: {failures}",
        f"date: {datetime.datetime.now(tz=datetime.UTC).date()}; {perf_counter() - start:.0f} s; seed {options.seed}",
        f"python: {platform.python_implementation()} {platform.python_version()} on {platform.system()}",
        f"processor: {processor()}",
        sep="\n",
    )
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
