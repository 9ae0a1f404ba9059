"""Make this engine wrong on purpose: `with breaking("overwrites"): e.backward()`.

The mistakes are in mutations.py, which is loaded when one is made; lab.py shows wrong next to right.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .modes import Change

if TYPE_CHECKING:
    from .mutations import Mutation


def breaking(mutation: str | Mutation | None = None) -> Change:
    """Inside, the engine makes a classic mistake, so that one can show wrong next to right.

    Mistakes of the pass are made by `backward()`; wrong rules where operations are recorded, so that tables, drawings
    and `gradcheck` show them too. `autograd.lab.names()` lists the mistakes; `autograd.lab.compare(y, mutation)` shows
    one at every node. `compile` and other threads are not touched, and gradient graphs take their rules from the table.

    Args:
        mutation: its name: "overwrites", "breadth first", "tanh: sign" ...

    Raises:
        ValueError: for a name that is none; it lists those that there are.

    >>> from autograd import Value, breaking
    >>> a, b = Value(2.0, "a"), Value(3.0, "b")
    >>> c = a * b
    >>> d = c + a
    >>> e = c * d
    >>> with breaking("overwrites"):
    ...     e.backward()
    >>> a.grad, b.grad
    (18.0, 12.0)
    >>> e.zero_grad(); e.backward()
    >>> a.grad, b.grad
    (48.0, 28.0)
    """
    from .mutations import find

    return Change(mutation=find(mutation))
