"""What can be computed together: `grouped(outputs, ...)` puts quantities of one kind at one depth into a `Group`.

A group becomes one array operation. The dots that read the same inputs are the rows of a matrix: one matrix product.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .. import rules
from .quantities import BATCH_SUM, Quantity

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from ..primitives import Primitive
    from .quantities import Quantities


class Group:
    """Quantities that one operation computes.

    `form` is how: "matrix" (dots of the same inputs), "dots" (each of its own), "batch_sums", or "each" (elementwise).
    """

    __slots__ = ("form", "members", "primitive", "stage")

    def __init__(self, form: str, primitive: Primitive, members: list[Quantity], stage: int) -> None:
        self.form = form
        self.primitive = primitive
        self.members = members
        self.stage = stage

    def slot(self, i: int) -> list[Any]:
        """Operand number i of every member."""
        return [q.operands[i] for q in self.members]

    @property
    def weights(self) -> list[Any]:
        """Of dots: all weights, row after row."""
        return [x for q in self.members for x in q.operands[: len(q.operands) // 2]]

    @property
    def inputs(self) -> list[Any]:
        """Of dots: what they read; row after row, unless all read the same."""
        rows = self.members[:1] if self.form == "matrix" else self.members
        return [x for q in rows for x in q.operands[len(q.operands) // 2 : -1]]

    def __repr__(self) -> str:
        return f"<Group of {len(self.members)} {self.primitive.name} ({self.form}, stage {self.stage})>"


def needed(book: Quantities, wanted: Iterable[Any]) -> list[Quantity]:
    """What the wanted quantities are computed from, and these, but no leaves: operands come first."""
    seen = {x for x in wanted if type(x) is Quantity}
    for q in reversed(book.made):
        if q in seen:
            seen.update(q.operands)
    return [q for q in book.made if q.primitive is not None and q in seen]


def grouped(order: list[Quantity]) -> list[Group]:
    """The groups, in an order in which they can be computed."""
    found: dict[Any, list[Quantity]] = {}
    for q in order:
        found.setdefault((q.stage, q.level, *_kind(q)), []).append(q)
    groups = [Group(key[3], members[0].primitive, members, key[0]) for key, members in found.items()]  # type: ignore[arg-type]
    groups = _single_dots_together(groups)
    groups.sort(key=lambda group: (group.stage, group.members[0].level))
    return groups


def _kind(q: Quantity) -> tuple[Any, ...]:
    """What quantities must have in common to be computed at once; the second is the form of their group."""
    primitive, operands = q.primitive, q.operands
    if primitive is BATCH_SUM:
        return BATCH_SUM, "batch_sums"
    if primitive is rules.dot:
        return "dot", "matrix", operands[len(operands) // 2 : -1]
    assert primitive is not None
    kinds = [type(x) is Quantity and (1 if x.shared else 2) for x in operands]
    return primitive, "each", *kinds


def _single_dots_together(groups: list[Group]) -> list[Group]:
    """Dots of equal length that read inputs of their own are one operation too."""
    result: list[Group] = []
    single: dict[Any, list[Group]] = {}
    for group in groups:
        if group.form == "matrix" and len(group.members) == 1:
            (q,) = group.members
            single.setdefault((group.stage, q.level, len(q.operands)), []).append(group)
        else:
            result.append(group)
    for alike in single.values():
        if len(alike) == 1:
            result += alike
        else:
            members = [q for group in alike for q in group.members]
            result.append(Group("dots", rules.dot, members, alike[0].stage))
    return result
