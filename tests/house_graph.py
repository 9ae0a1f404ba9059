"""The house graph, c = a * b; d = c + a; e = c * d at a = 2, b = 3: few wrong engines give its gradients, 48 and 28."""

from __future__ import annotations

from autograd import Value


def house_nodes() -> tuple[Value, Value, Value, Value, Value]:
    """a, b, c, d and e, before any backward pass."""
    a, b = Value(2.0, "a"), Value(3.0, "b")
    c = a * b
    d = c + a
    e = c * d
    c.label, d.label, e.label = "c", "d", "e"
    return a, b, c, d, e


def house(*, backward: bool = True) -> Value:
    """Its root, e, after a backward pass unless told otherwise."""
    *_, e = house_nodes()
    if backward:
        e.backward()
    return e
