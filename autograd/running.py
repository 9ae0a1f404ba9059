"""Run code of which nothing is known: it comes to an end, and what it raises is told in words.

    tried(lambda: engine(2.0))      # what the call gives, or a Stopped: "stops with ValueError: it broke"

No clock is asked, so that every run ends alike: lines are counted, and calls inside one another. Not counted is what
happens inside one call of a function that is written in C, such as sum() of an endless iterator.
"""

from __future__ import annotations

import sys
from contextlib import redirect_stdout
from dis import get_instructions
from functools import cache
from io import StringIO
from typing import TYPE_CHECKING, NamedTuple

from .notation import one_line

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import CodeType, FrameType, TracebackType
    from typing import Any, TypeVar

    T = TypeVar("T")

#: So many lines may be run. Right engines need a twentieth for a graph of the battery that is not large.
MOST_LINES = 100_000

#: So many calls may be made inside one another.
MOST_CALLS = 1000

#: Python's own limit is higher by this factor: it counts calls of C, too.
SPARE = 4


class Stopped(NamedTuple):
    """How code came to no result: what it does, in words, and where in it, if that says something."""

    told: str
    trace: TracebackType | None = None


class _TooLongError(BaseException):
    """Code ran more lines than it may. No `except Exception` of its own is to catch it."""


def tried(call: Callable[[], T], most: int = MOST_LINES) -> T | Stopped:
    """What a call gives, or how it stops; what it prints is not shown. A KeyboardInterrupt, the user's, comes through.

    >>> tried(lambda: 2 + 3)
    5
    >>> tried(lambda: [].pop()).told
    'stops with IndexError: pop from empty list'
    """
    limit, tracing = sys.getrecursionlimit(), sys.gettrace()
    try:
        with redirect_stdout(StringIO()):
            try:
                sys.setrecursionlimit(_depth() + SPARE * MOST_CALLS)
                sys.settrace(_counting(most))
                return call()
            finally:
                sys.settrace(tracing)  # first of all, or what follows would be counted, too
                sys.setrecursionlimit(limit)
    except KeyboardInterrupt:
        raise
    except _TooLongError:
        return Stopped("does not come to an end in a reasonable time")
    except RecursionError:
        return Stopped("stops with a RecursionError: too many calls inside one another")
    except BaseException as error:
        return Stopped(f"stops with {_named(error)}", sys.exc_info()[2])


def text_of(call: Callable[[], Any]) -> str:
    """The text that a call gives; empty if it gives none."""
    found = tried(call)
    return found if type(found) is str else ""


def _named(error: BaseException) -> str:
    """The kind of an exception and what it says, each of which may be code of which nothing is known."""
    kind, said = text_of(lambda: type(error).__name__), text_of(lambda: str(error))
    return (kind or "an exception") + f": {one_line(said, 100)}" * bool(said)


def _depth() -> int:
    """How many calls Python is inside of."""
    frame: FrameType | None = sys._getframe()
    count = 0
    while frame is not None:
        frame, count = frame.f_back, count + 1
    return count


# ----- Counting -----


def _counting(most: int) -> Callable[..., Any]:
    """A trace function that lets code run so many lines, and make so many calls inside one another."""
    lines = calls = 0
    limit = sys.getrecursionlimit()

    def trace(frame: FrameType, event: str, arg: Any) -> Any:
        nonlocal lines, calls
        if event == "line" or event == "opcode":
            lines += 1
        elif event == "return":
            calls -= 1
        elif event == "call":
            if frame.f_code is _AGAIN:
                return None
            calls += 1
            if calls > MOST_CALLS and sys.getrecursionlimit() == limit:  # the code may set a limit of its own
                return _Raising(RecursionError, trace)
            frame.f_trace_opcodes = _jumps_to_itself(frame.f_code)
        return trace if lines <= most else _Raising(_TooLongError, trace)

    return trace


class _Raising:
    """The trace function of a frame that is to be left: it raises at the next line.

    When a trace function raises, Python stops all tracing, and an `except:` or `finally:` of the code would be free to
    go on for ever. But Python also drops the trace function of the frame: its `__del__` starts the tracing again.
    """

    def __init__(self, error: type[BaseException], trace: Callable[..., Any]) -> None:
        self.error, self.trace, self.raises = error, trace, False

    def __call__(self, frame: FrameType, event: str, arg: Any) -> Any:
        if event != "line" and event != "opcode":
            return self.trace(frame, event, arg)
        self.raises, error = True, self.error
        del self  # the traceback would keep it
        raise error

    def __del__(self) -> None:
        if self.raises:
            sys._getframe(1).f_trace = self.trace
            sys.settrace(self.trace)


#: What is not code of the engine's, and is not traced.
_AGAIN = _Raising.__del__.__code__


@cache
def _jumps_to_itself(code: CodeType) -> bool:
    """Whether there is a `while True: pass` in one line, of which Python reports no lines: then opcodes are counted."""
    return any("JUMP" in step.opname and step.argval == step.offset for step in get_instructions(code))
