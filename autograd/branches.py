"""Comparisons while `compile` records: an object that `where` takes as its condition, and that no `if` accepts.

A compiled program takes every example along one path. So the outcome of `x > 0` for the example that is recorded must
not decide anything in Python.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import rules
from .origins import calling_line

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any, NoReturn

    from .primitives import Primitive


class Comparison:
    """`x > y` of Values, not yet decided; or, with & or | as its sign, two of these."""

    __slots__ = ("left", "right", "sign")

    def __init__(self, left: Any, sign: str, right: Any) -> None:
        self.left = left
        self.sign = sign
        self.right = right

    def condition(self) -> Any:
        """A Value that is greater than 0 where the comparison holds; with nan it does not."""
        if self.sign in ("&", "|"):
            both = rules.minimum if self.sign == "&" else rules.maximum
            return both(*[x.condition() if type(x) is Comparison else float(x) for x in (self.left, self.right)])
        left_is_larger = self.sign[0] == ">"
        share = rules.share(*((self.left, self.right) if left_is_larger else (self.right, self.left)))
        return share if self.sign.endswith("=") else rules.subtract(share, 0.5)  # 1/2 where they are equal

    def _record(self, primitive: Primitive, operands: Sequence[Any]) -> Any:
        if primitive is rules.where and operands[0] is self and not any(type(x) is Comparison for x in operands[1:]):
            return primitive(self.condition(), *operands[1:])
        raise TypeError(f"{primitive.name} takes numbers, not a comparison: write where(x {self.sign} y, 1.0, 0.0)")

    # ----- With & and | two conditions are one, as those of bools are -----

    def __and__(self, other: Any) -> Any:
        return Comparison(self, "&", other) if isinstance(other, (Comparison, bool)) else NotImplemented

    def __or__(self, other: Any) -> Any:
        return Comparison(self, "|", other) if isinstance(other, (Comparison, bool)) else NotImplemented

    __rand__, __ror__ = __and__, __or__

    # ----- `y * (x > 0)`: in a product or a sum, a comparison counts as 1 or 0 -----

    def _as_number(self) -> Any:
        return self._record(rules.where, (self, 1.0, 0.0))

    def __add__(self, other: Any) -> Any:
        return self._as_number() + (other._as_number() if type(other) is Comparison else other)

    def __sub__(self, other: Any) -> Any:
        return self._as_number() - (other._as_number() if type(other) is Comparison else other)

    def __rsub__(self, other: Any) -> Any:
        return other - self._as_number()

    def __mul__(self, other: Any) -> Any:
        return self._as_number() * (other._as_number() if type(other) is Comparison else other)

    def __neg__(self) -> Any:
        return -self._as_number()

    __radd__, __rmul__ = __add__, __mul__

    def __float__(self) -> float:
        raise TypeError(f"float() of a comparison would lose the graph: write where(x {self.sign} y, 1.0, 0.0)")

    def __invert__(self) -> Any:
        raise TypeError("~ of a bool is a number in Python: swap the branches, where(x > 0, b, a)")

    def __bool__(self) -> bool:
        refuse_branch(f"a comparison with {self.sign}")

    def __repr__(self) -> str:
        return f"<Comparison {self.left!r} {self.sign} {self.right!r}>"


def refuse_branch(what: str) -> NoReturn:
    """The error of a branch on data, at the user's line."""
    line = calling_line()
    where = f"{line}: {line.text}" if line.text else str(line)
    raise TypeError(
        f"compile cannot follow {what} that decides what Python does next, since all examples of a batch go one way "
        f"({where}); write where(x > 0, a, b), maximum(a, b), minimum(a, b), relu(x) or clip(x, low, high) instead, "
        "and (x > 0) & (x < 1) for two conditions"
    )
