"""Ways of recording other than the usual one, e.g. `with no_grad(): ...` computes without a graph.

All modes share one context variable, which each operation reads once: threads and async tasks have their own,
and whoever uses no mode pays for a single look-up.
"""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Literal

#: None while operations are recorded as usual.
mode: ContextVar[Literal["no_grad"] | None] = ContextVar("autograd.mode", default=None)


@contextmanager
def no_grad() -> Iterator[None]:
    """Inside, operations give leaves: the numbers are computed and no graph is kept.

    Use it to evaluate a model without remembering how, or as a decorator of a function that does so.

    >>> from autograd import Value
    >>> x = Value(3.0)
    >>> with no_grad():
    ...     y = x * x
    >>> y.data, y.operands
    (9.0, ())
    """
    token = mode.set("no_grad")
    try:
        yield
    finally:
        mode.reset(token)
