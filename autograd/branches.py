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

    from .primitives import Operand, Primitive


class Comparison:
    """`x > y` of Values, not yet decided."""

    __slots__ = ("left", "right", "sign")

    def __init__(self, left: Operand, sign: str, right: Operand) -> None:
        self.left = left
        self.sign = sign
        self.right = right

    def condition(self) -> Operand:
        """A Value that is greater than 0 where the comparison holds; with nan it does not."""
        left_is_larger = self.sign[0] == ">"
        share = rules.share(*((self.left, self.right) if left_is_larger else (self.right, self.left)))
        return share if self.sign.endswith("=") else rules.subtract(share, 0.5)  # 1/2 where they are equal

    def _record(self, primitive: Primitive, operands: Sequence[Any]) -> Any:
        if primitive is rules.where and operands[0] is self and not any(type(x) is Comparison for x in operands[1:]):
            return primitive(self.condition(), *operands[1:])
        raise TypeError(f"{primitive.name} takes numbers, not a comparison: write where(x {self.sign} y, 1.0, 0.0)")

    def __mul__(self, other: Any) -> Any:
        """`y * (x > 0)`: the comparison counts as 1 or 0."""
        return self._record(rules.where, (self, 1.0, 0.0)) * other

    __rmul__ = __mul__

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
        f"({where}); write where(x > 0, a, b), maximum(a, b), minimum(a, b), relu(x) or clip(x, low, high) instead"
    )
