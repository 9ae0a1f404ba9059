"""A float that divides as IEEE 754 does: `1 / Limit(0.0)` is inf, where Python's floats raise an error.

A rule that divides by zero means an infinite derivative, such as that of sqrt at 0; run on Limits, it says so.
"""

from __future__ import annotations

from math import copysign, inf, nan
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from .primitives import Primitive


class Limit(float):
    """A float that divides and raises to a power as IEEE 754 does: 1 / 0 is inf, where Python's floats raise."""

    def __add__(self, other: float) -> Limit:
        return Limit(float(self) + other)

    def __sub__(self, other: float) -> Limit:
        return Limit(float(self) - other)

    def __rsub__(self, other: float) -> Limit:
        return Limit(other - float(self))

    def __mul__(self, other: float) -> Limit:
        return Limit(float(self) * other)

    def __neg__(self) -> Limit:
        return Limit(-float(self))

    def __truediv__(self, other: float) -> Limit:
        x, y = float(self), float(other)
        if y != 0:
            return Limit(x / y)
        return Limit(nan if x == 0 or x != x else copysign(inf, copysign(1, x) * copysign(1, y)))

    def __rtruediv__(self, other: float) -> Limit:
        return Limit(other) / self

    def __pow__(self, other: float) -> Limit:  # type: ignore[override]  # float's own has overloads for ints
        x, y = float(self), float(other)
        try:
            return Limit(x**y)
        except (ZeroDivisionError, OverflowError):
            return Limit(copysign(inf, x) if y % 2 == 1 else inf)

    def __rpow__(self, other: float) -> Limit:  # type: ignore[override]  # as above
        return Limit(other) ** self

    __radd__, __rmul__ = __add__, __mul__

    def _record(self, primitive: Primitive, operands: Sequence[Any]) -> Limit:
        return Limit(primitive.value([float(x) for x in operands]))
