"""The loss of a row as it is compiled: what it does with targets of every kind, and whether two graphs do the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

import autograd as ag
from autograd import Value
from nn.graphs import same_operations

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


# ----- Whether two graphs do the same -----


def test_graphs_that_do_the_same() -> None:
    """The leaves that both have are their variables."""
    x, w = Value(3.0, "x"), Value(5.0, "w")

    def pair(f: Callable[[Any], Value], number: float) -> bool:
        return same_operations(f(number), f(Value(number)))

    assert pair(lambda y: x * y + w * (1 - y) ** 2, 0.3)
    assert pair(lambda y: ag.where(y, x, w), 0.0)
    assert pair(lambda y: ag.dot([x, w], [y, 1 - y], ag.log(y)), 0.3)
    assert pair(lambda y: Value(2.0) * x * y, 1.0)
    assert not pair(lambda y: x if y == 1 else 1.0 * w, 1)
    assert not pair(lambda y: x * 1.0 if isinstance(y, Value) else x, 1.0)
    assert not same_operations(x + w, w + x)
    assert not same_operations(x + x, x * 2.0)
    assert not same_operations(x - 1.0, x - 2.0)
    assert same_operations(x, x)
    assert not same_operations(x, w)
    assert same_operations(Value(2.0), Value(1.0) + 1.0)

    def chain(y: Any) -> Value:
        for _ in range(100_000):
            y = y + x
        return y

    assert pair(chain, 1.0)
