"""Whatever is typed, given or read: it works, or it is refused in one clear line; it never hangs.

What is tried and what is allowed stands in fuzz_targets.py. To look for longer, and elsewhere each time:

    FUZZ_EXAMPLES=20000 pytest tests/test_fuzz.py       # shows the smallest input that fails
    python -m benchmarks.reliability --seconds 600      # counts what comes of them
"""

from __future__ import annotations

import os
from typing import Any

import pytest
from fuzz_targets import CUTS, TARGETS, Hang, Target, at_most, check_line
from hypothesis import HealthCheck, given, settings

EXAMPLES = os.environ.get("FUZZ_EXAMPLES")


def run(target: Target, examples: int) -> None:
    """Inputs that once were wrong, then others; hypothesis finds the smallest one that fails."""
    for once_wrong in target.found():
        target.judge(once_wrong)

    @settings(
        max_examples=int(EXAMPLES or examples),
        deadline=None,
        derandomize=EXAMPLES is None,
        suppress_health_check=list(HealthCheck),
    )
    @given(target.inputs)
    def judge(given: Any) -> None:
        target.judge(given)

    judge()


@pytest.mark.parametrize("name", TARGETS)
def test_inputs(name: str) -> None:
    """What the judges of fuzz_targets.py allow, and nothing else."""
    run(TARGETS[name], 150)


@pytest.mark.parametrize("name", CUTS)
def test_files_that_end_too_early(name: str) -> None:
    """They are refused, wherever they end."""
    run(CUTS[name], 100)


# ----- The judges are judged -----


def test_hanging_is_noticed() -> None:
    """Even by what catches every Exception."""
    with pytest.raises(Hang), at_most(0.05):
        while True:
            try:
                sum(range(1000))
            except Exception:
                raise


@pytest.mark.parametrize("message", ["", "  ", "two\nlines", "a\rreturn", "colour \x1b[31m", "x" * 1001])
def test_messages_that_are_none(message: str) -> None:
    """Nothing, several lines, what a terminal would obey, an essay."""
    with pytest.raises(AssertionError):
        check_line(message)


#: What comes of some inputs, wherever they are not all alike.
OUTCOMES = {
    "random graphs": {"agree"},
    "what is typed while stepping": {"obeyed"},
    "checkpoints": {"refused", "resumed"},
}


@pytest.mark.parametrize("name", TARGETS)
def test_inputs_are_not_all_alike(name: str) -> None:
    """Some do work, and some are refused."""
    outcomes: set[str] = set()

    @settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(TARGETS[name].inputs)
    def judge(given: Any) -> None:
        outcomes.add(TARGETS[name].judge(given))

    judge()
    assert outcomes >= OUTCOMES.get(name, {"refused"})
    assert len(outcomes) >= len(OUTCOMES.get(name, ("refused", "read or obeyed")))
