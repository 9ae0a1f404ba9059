"""What happens while we work: Ctrl-C, errors in the midst of recording, generators that are left half done.

    DISTURBANCES["Ctrl-C in backward()"].judge(0.3)     # "undone" or "done"; an AssertionError for anything between

Each judge brings about one disturbance and looks at what it left behind. Interrupts are signals that come after a
part of the time that the work takes, so that they fall on any instruction; see `can_interrupt`.
"""

from __future__ import annotations

import contextlib
import functools
import gc
import signal
import threading
from contextvars import copy_context
from time import perf_counter
from typing import TYPE_CHECKING, Any, NamedTuple

from fuzz_targets import Target
from hypothesis import strategies as st

import autograd as ag
from autograd import Value, nodes
from autograd.modes import mode
from autograd.primitives import PRIMITIVES

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable

MODES = {"no_grad": ag.no_grad, "record_lines": ag.record_lines, "detect_anomaly": ag.detect_anomaly}


# ----- Ctrl-C -----


def can_interrupt() -> bool:
    """Whether this system has timers that send signals, and this is the thread that gets them."""
    return hasattr(signal, "setitimer") and threading.current_thread() is threading.main_thread()


def interrupt(action: Callable[[], Any], seconds: float) -> bool:
    """Do something, with a KeyboardInterrupt so many seconds later; whether it came in time."""
    before, collects = signal.signal(signal.SIGALRM, signal.default_int_handler), gc.isenabled()
    gc.disable()  # in a callback of the collector's, such as hypothesis has, an interrupt is lost
    try:
        try:
            signal.setitimer(signal.ITIMER_REAL, max(seconds, 1e-6))
            action()
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
    except KeyboardInterrupt:
        return True
    finally:
        signal.signal(signal.SIGALRM, before)
        if collects:
            gc.enable()
    return False


class Workload(NamedTuple):
    """A graph, and how long its passes take."""

    root: Value
    leaves: list[Value]
    backward: float
    forward: float


@functools.cache
def workload() -> Workload:
    """About two thousand nodes, each leaf used many times."""
    leaves = [Value(1.0 + 0.001 * i, f"x{i}") for i in range(50)]
    root = leaves[0]
    for i in range(600):
        root = 0.5 * root + leaves[i % 50] * leaves[7 * i % 50]
    return Workload(root, leaves, seconds(root.backward), seconds(root.forward))


def seconds(action: Callable[[], Any]) -> float:
    """How long something takes, the quickest of a few times."""
    times = []
    for _ in range(5):
        start = perf_counter()
        action()
        times.append(perf_counter() - start)
    return min(times)


def judge_backward(given: tuple[float, bool]) -> str:
    """A pass that is interrupted gave every leaf its gradient, or changed none, and left no result with half of one."""
    part, is_second_pass = given
    root, leaves, duration, _ = workload()
    root.zero_grad()
    root.backward()
    once = [leaf.grad for leaf in leaves]
    if not is_second_pass:
        root.zero_grad()
    held, before = [leaf.grad for leaf in leaves], _gradients_of_results(root)
    came = interrupt(root.backward, part * duration)
    now, after = [leaf.grad for leaf in leaves], _gradients_of_results(root)
    if now == [old + new for old, new in zip(held, once)] and None not in after:
        return "done"
    assert came, "a pass that nobody interrupted went wrong"
    assert now == held and leaves[0].has_grad == is_second_pass, "leaves have other gradients than before"
    assert after in ([None] * len(after), before), "results have half of a gradient"  # before: it had not begun
    return "undone"


def _gradients_of_results(root: Value) -> list[float | None]:
    return [node.grad if node.has_grad else None for node in nodes(root) if node.operands]


def judge_forward(given: tuple[float, float]) -> str:
    """forward() that is interrupted gave all nodes their new numbers, or none."""
    part, number = given
    root, leaves, _, duration = workload()
    order = nodes(root)
    leaves[0].data = 1.0
    root.forward()
    leaves[0].data = number
    old = [node.data for node in order]
    came = interrupt(root.forward, part * duration)
    now = [node.data for node in order]
    root.forward()
    if now == [node.data for node in order]:
        return "done"
    assert came and now == old, "some numbers are new and some are old"
    return "undone"


def judge_transform(part: float) -> str:
    """A transform that is interrupted is over: the next one is no inner one, and records as usual."""
    return copy_context().run(_transformed, part * _seconds_of_transform())  # if it is not over, it is for what follows


def _transformed(seconds: float) -> str:
    came = interrupt(lambda: ag.grad(ag.grad(_power_by_hand))(1.01), seconds)
    assert mode.get() is None, f"{mode.get()} is left on"
    assert type(ag.grad(_power_by_hand)(1.01)) is float, "the next transform takes itself for an inner one"
    return "undone" if came else "done"


def _power_by_hand(x: Value) -> Value:
    y = x
    for _ in range(100):
        y = y * x
    return y


@functools.cache
def _seconds_of_transform() -> float:
    return seconds(lambda: ag.grad(ag.grad(_power_by_hand))(1.01))


# ----- Errors in the midst of recording -----


class Bang(Exception):
    """An error that nobody expects."""


def judge_error(given: tuple[list[str], type[BaseException], str, int]) -> str:
    """An error in someone's own primitive reaches the caller, and all is as it was before."""
    names, kind, place, after = given
    x = Value(2.0, "x")
    (x * x).backward()
    try:
        _record_a_chain(x, names, _bomb(kind, place, after))
    except kind:
        outcome = "noticed"
    else:
        assert place == "rule" and "no_grad" in names, "an error was lost"
        outcome = "not reached: no_grad() asks no rule"
    finally:
        PRIMITIVES.pop("bomb")
    assert mode.get() is None, "a mode is still on"
    assert x.grad == 4.0
    (x * x).backward()
    assert x.grad == 8.0, "the leaf differentiates otherwise than before"
    return outcome


def _record_a_chain(y: Value, names: Iterable[str], bomb: Callable[[Value], Value]) -> None:
    with contextlib.ExitStack() as stack:
        for name in names:
            stack.enter_context(MODES[name]())
        for _ in range(20):
            y = bomb(1.5 * y)


def _bomb(kind: type[BaseException], place: str, after: int) -> Callable[[Value], Value]:
    """A primitive whose value, or whose rule, raises an error when it is asked for once more."""
    left = iter(range(after))

    def exploding(x: float, *_: float) -> float:
        if next(left, None) is None:
            raise kind("bang")
        return 1.0

    if place == "value":
        return ag.primitive("bomb", exploding, lambda x, out: 1.0)
    return ag.primitive("bomb", lambda x: x, exploding)


# ----- Generators that are left half done -----


def judge_generators(given: tuple[list[str], list[tuple[int, str]]]) -> str:
    """When all are over, in whatever order, no mode is left on."""
    return copy_context().run(_interleaved, *given)  # if one is left on, it is not on for what follows


def _interleaved(names: list[str], moves: list[tuple[int, str]]) -> str:
    generators = [_recording(name) for name in names]
    for i, move in moves:
        with contextlib.suppress(StopIteration, Bang):
            MOVES[move](generators[i % len(generators)])
    for generator in generators:
        generator.close()
    assert mode.get() is None, f"{mode.get()} is left on"
    return "restored"


def _recording(name: str) -> Generator[Value, None, None]:
    x = Value(2.0)
    with MODES[name]():
        yield x * x
        yield x + x


MOVES: dict[str, Callable[[Any], Any]] = {
    "next": next,
    "close": lambda generator: generator.close(),
    "throw": lambda generator: generator.throw(Bang()),
}


# ----- All of them -----

PART = st.integers(0, 2500).map(lambda thousandths: thousandths / 1000)
CHOSEN_MODES = st.lists(st.sampled_from(sorted(MODES)), max_size=3)
ERRORS = st.sampled_from([Bang, ValueError, OverflowError, KeyError, TypeError, KeyboardInterrupt, GeneratorExit])
INTERRUPTS: dict[str, Target] = {
    "Ctrl-C in backward()": Target(st.tuples(PART, st.booleans()), judge_backward),
    "Ctrl-C in forward()": Target(st.tuples(PART, st.floats(0.5, 2)), judge_forward),
    "Ctrl-C in grad(grad(f))": Target(PART, judge_transform),
}
DISTURBANCES: dict[str, Target] = {
    "errors while recording": Target(
        st.tuples(CHOSEN_MODES, ERRORS, st.sampled_from(["value", "rule"]), st.integers(0, 19)), judge_error
    ),
    "generators half done": Target(
        st.tuples(
            st.lists(st.sampled_from(sorted(MODES)), min_size=1, max_size=3),
            st.lists(st.tuples(st.integers(0, 2), st.sampled_from(sorted(MOVES))), max_size=8),
        ),
        judge_generators,
    ),
}
