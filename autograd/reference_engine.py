"""A scalar engine on one screen, as one writes it to learn: `Value(2.0) * 3 + 1`, `.backward()`, `.grad`.

It is right in all that the grader asks for, so it can be read as a solution; `mutants.py` breaks it in many ways, one
at a time. It stands by itself: each operation remembers in a closure how to hand its gradient on.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


def as_value(x: Value | float) -> Value:
    """A plain number as a constant."""
    return x if isinstance(x, Value) else Value(x)


class Value:
    """A number that remembers how it was made.

    >>> x = Value(3.0)
    >>> y = x * x + 2 * x
    >>> y.backward()
    >>> x.grad
    8.0
    """

    def __init__(self, data: float, operands: tuple[Value, ...] = ()) -> None:
        self.data = float(data)
        self.grad = 0.0
        self._prev = operands
        self._backward: Callable[[], None] = lambda: None

    def __add__(self, other: Value | float) -> Value:
        other = as_value(other)
        out = Value(self.data + other.data, (self, other))

        def backward() -> None:
            self.grad += out.grad
            other.grad += out.grad

        out._backward = backward
        return out

    def __sub__(self, other: Value | float) -> Value:
        other = as_value(other)
        out = Value(self.data - other.data, (self, other))

        def backward() -> None:
            self.grad += out.grad
            other.grad -= out.grad

        out._backward = backward
        return out

    def __mul__(self, other: Value | float) -> Value:
        other = as_value(other)
        x, y = self.data, other.data
        out = Value(x * y, (self, other))

        def backward() -> None:
            self.grad += y * out.grad
            other.grad += x * out.grad

        out._backward = backward
        return out

    def __truediv__(self, other: Value | float) -> Value:
        other = as_value(other)
        x, y = self.data, other.data
        out = Value(x / y, (self, other))

        def backward() -> None:
            self.grad += 1 / y * out.grad
            other.grad += -x / y**2 * out.grad

        out._backward = backward
        return out

    def __pow__(self, other: Value | float) -> Value:
        other = as_value(other)
        x, y = self.data, other.data
        z = x**y
        out = Value(z, (self, other))

        def backward() -> None:
            self.grad += y * x ** (y - 1) * out.grad
            if x > 0:
                other.grad += z * math.log(x) * out.grad

        out._backward = backward
        return out

    def __neg__(self) -> Value:
        out = Value(-self.data, (self,))

        def backward() -> None:
            self.grad += -out.grad

        out._backward = backward
        return out

    def __radd__(self, other: float) -> Value:
        return as_value(other) + self

    def __rsub__(self, other: float) -> Value:
        return as_value(other) - self

    def __rmul__(self, other: float) -> Value:
        return as_value(other) * self

    def __rtruediv__(self, other: float) -> Value:
        return as_value(other) / self

    def __rpow__(self, other: float) -> Value:
        return as_value(other) ** self

    def relu(self) -> Value:
        """The number itself where it is positive, else 0."""
        x = self.data
        out = Value(max(x, 0.0), (self,))

        def backward() -> None:
            self.grad += (x > 0) * out.grad

        out._backward = backward
        return out

    def tanh(self) -> Value:
        """The hyperbolic tangent."""
        t = math.tanh(self.data)
        out = Value(t, (self,))

        def backward() -> None:
            self.grad += (1 - t**2) * out.grad

        out._backward = backward
        return out

    def exp(self) -> Value:
        """e to this power."""
        e = math.exp(self.data)
        out = Value(e, (self,))

        def backward() -> None:
            self.grad += e * out.grad

        out._backward = backward
        return out

    def log(self) -> Value:
        """The natural logarithm."""
        x = self.data
        out = Value(math.log(x), (self,))

        def backward() -> None:
            self.grad += 1 / x * out.grad

        out._backward = backward
        return out

    def nodes(self) -> list[Value]:
        """All nodes that this one depends on, operands before results; a loop, so that no graph is too deep."""
        order, seen, waiting = list[Value](), set[Value](), [(self, False)]
        while waiting:
            node, operands_done = waiting.pop()
            if operands_done:
                order.append(node)
            elif node not in seen:
                seen.add(node)
                waiting.append((node, True))
                waiting.extend((operand, False) for operand in reversed(node._prev))
        return order

    def backward(self) -> None:
        """Add to each leaf's grad how much this number moves per unit of it."""
        order = self.nodes()
        for node in order:
            if node._prev:
                node.grad = 0.0
        self.grad += 1.0
        for node in reversed(order):
            node._backward()
