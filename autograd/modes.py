"""Ways of recording other than the usual one: `with no_grad(): ...` computes without a graph.

`record_lines()` remembers where each operation was written, `detect_anomaly()` stops at the first nan or infinity.
All modes share one context variable, which each operation reads once: threads and async tasks have their own,
and whoever uses no mode pays for a single look-up.
"""

from __future__ import annotations

from contextlib import ContextDecorator
from contextvars import ContextVar
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeVar

    from .mutations import Mutation

    _F = TypeVar("_F", bound=Callable[..., Any])

#: Set in the flags of the code of generators and coroutines (as in inspect, which is slow to import).
RUNS_LATER = 0x20 | 0x80 | 0x200


class Mode(NamedTuple):
    """What is different from the usual way of recording."""

    no_grad: bool = False
    lines: bool = False
    anomaly: bool = False
    compiling: bool = False
    mutation: Mutation | None = None  # a mistake made on purpose, see lab.py


#: While `compile` records, and nothing else is unusual: nodes are made as usual, comparisons are not.
COMPILING = Mode(compiling=True)

#: Under `no_grad`, when nothing else is unusual. These two are told by identity, which is quick.
NO_GRAD = Mode(no_grad=True)

#: None while operations are recorded as usual. It follows from the changes that are on.
mode: ContextVar[Mode | None] = ContextVar("autograd.mode", default=None)

#: The changes that are on, each with a mark of its own, in the order in which they began.
_changes: ContextVar[tuple[tuple[object, dict[str, Any]], ...]] = ContextVar("autograd.changes", default=())


class Change(ContextDecorator):
    """The mode that is on, changed in one respect: for a `with` statement, or as a decorator of a function.

    Changes need not end in the reverse order of their beginning: generators that take turns may each be inside one. So
    an end takes out what began, and leaves what others have changed. While a generator waits inside a `with`, its
    caller is in that mode too, as with decimal.localcontext: Python's contexts know no generators.
    """

    def __init__(self, **change: Any) -> None:
        self._change = change
        self._marks: list[object] = []

    def __enter__(self) -> None:
        mark = object()
        try:
            self._marks.append(mark)
            _set_changes((*_changes.get(), (mark, self._change)))
        except BaseException:  # Ctrl-C
            self._end(mark)
            raise

    def __exit__(self, *_: object) -> None:
        mark = self._marks[-1]
        try:
            self._end(mark)
        except BaseException:
            self._end(mark)
            raise

    def run(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """What the function gives, called in the mode.

        Ctrl-C may come when `__exit__` is called and has not begun: `with` by itself would leave the mode on.
        """
        try:
            with self:
                return function(*arguments)
        except BaseException:
            while self._marks:
                self._end(self._marks[-1])
            raise

    def _end(self, mark: object) -> None:
        _set_changes(tuple([change for change in _changes.get() if change[0] is not mark]))
        if self._marks and self._marks[-1] is mark:
            self._marks.pop()

    def __call__(self, function: _F) -> _F:
        """The function, with each call in the mode."""
        code = getattr(function, "__code__", None)
        if code is not None and code.co_flags & RUNS_LATER:
            raise TypeError(
                f"{function.__name__} runs after its call has returned: write the `with` statement inside it"
            )
        return super().__call__(function)

    def _recreate_cm(self) -> Change:
        return Change(**self._change)  # a call may come while another one runs


def _set_changes(changes: tuple[tuple[object, dict[str, Any]], ...]) -> None:
    changed = Mode()
    for _, change in changes:
        changed = changed._replace(**change)
    _changes.set(changes)
    changed = next((usual for usual in (COMPILING, NO_GRAD) if usual == changed), changed)
    mode.set(None if changed == Mode() else changed)


def _changed(function: Callable[..., Any] | None, **change: bool) -> Any:
    """For a `with` statement, or the function that is decorated with it, with brackets or without."""
    return Change(**change) if function is None else Change(**change)(function)


def no_grad(function: Callable[..., Any] | None = None) -> Any:
    """Inside, operations give leaves: the numbers are computed and no graph is kept.

    Use it to evaluate a model without remembering how, or as a decorator of a function that does so.

    >>> from autograd import Value
    >>> x = Value(3.0)
    >>> with no_grad():
    ...     y = x * x
    >>> y.data, y.operands
    (9.0, ())
    """
    return _changed(function, no_grad=True)


def record_lines(function: Callable[..., Any] | None = None) -> Any:
    """Inside, every operation remembers the line of your file or cell where it was written, for `explain` and the page.

    It makes recording about ten times slower; it can also be used as a decorator.

    >>> from autograd import Value, explain
    >>> x = Value(3.0, "x")
    >>> with record_lines():
    ...     y = x * x
    >>> y.label = "y"
    >>> print(explain(x, y))
    x.grad = 3 + 3 = 6
      from y = x * x, operand 1: ∂y/∂y · ∂y/∂x = 1 × 3 = 3   <doctest autograd.modes.record_lines[2]>:2  y = x * x
        ∂y/∂x[1] = x: each factor receives the gradient scaled by the other factor
      from y = x * x, operand 2: ∂y/∂y · ∂y/∂x = 1 × 3 = 3   <doctest autograd.modes.record_lines[2]>:2  y = x * x
        ∂y/∂x[2] = x: each factor receives the gradient scaled by the other factor
    """
    return _changed(function, lines=True)


def detect_anomaly(function: Callable[..., Any] | None = None) -> Any:
    """Inside, the operation or the backward step in which a nan or an infinity arises raises an error there and then.

    `diagnose` tells the same of a graph that was recorded without it. Numbers that are nan or infinite from the start
    may be used: what counts is where finite numbers end. PyTorch's function of that name does the same for nan.

    Raises:
        FloatingPointError: naming the operation, its operands and their labels.

    >>> from autograd import Value
    >>> x = Value(1e200, "x")
    >>> with detect_anomaly():
    ...     x * x
    Traceback (most recent call last):
    FloatingPointError: multiply: x * y at x = 1e+200 (labelled 'x'), y = 1e+200 (labelled 'x') gives inf
    """
    return _changed(function, anomaly=True)
