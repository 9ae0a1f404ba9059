"""What can be computed together: `grouped(outputs, ...)` puts quantities of one kind at one depth into a `Group`.

A group becomes one array operation. The dots that read the same inputs are the rows of a matrix: one matrix product.
"""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from .. import rules
from .quantities import BATCH_SUM, Quantity

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from ..primitives import Primitive
    from .quantities import Quantities


#: How the quantities of a primitive are computed; "each" of all others.
FORMS = {rules.dot: "matrix", BATCH_SUM: "batch_sums"}


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

    def read(self) -> Iterable[Any]:
        """What examples have and the group reads, and perhaps more than that; each of it once or more."""
        if self.form == "matrix":
            return self.inputs
        if len(self.members) == 1:
            return self.members[0].operands
        return chain.from_iterable([q.operands for q in self.members])

    def __repr__(self) -> str:
        return f"<Group of {len(self.members)} {self.primitive.name} ({self.form}, stage {self.stage})>"


def needed(book: Quantities, wanted: Iterable[Any]) -> list[Quantity]:
    """What the wanted quantities are computed from, and these, but no leaves: operands come first."""
    seen = {x for x in wanted if type(x) is Quantity}
    found: list[Quantity] = []
    for q in reversed(book.made):
        if q in seen and q.primitive is not None:
            seen.update(q.operands)
            found.append(q)
    return found[::-1]


def grouped(order: list[Quantity]) -> list[Group]:
    """The groups, in an order in which they can be computed."""
    found: dict[Any, Group] = {}
    for q in order:
        primitive: Any = q.primitive
        key = q.stage, q.level, primitive, _kinds(q)
        group = found.get(key)
        if group is None:
            found[key] = Group(FORMS.get(primitive, "each"), primitive, [q], q.stage)
        else:
            group.members.append(q)
    groups = _single_dots_together(list(found.values()))
    groups.sort(key=lambda group: (group.stage, group.members[0].level))
    return groups


def _kinds(q: Quantity) -> Any:
    """What the operands of quantities must have in common if these are to be computed at once."""
    primitive, operands = q.primitive, q.operands
    if primitive is BATCH_SUM:
        return None
    if primitive is rules.dot:
        return operands[len(operands) // 2 : -1]
    assert primitive is not None
    if primitive.variadic:
        return tuple([type(x) is Quantity and (1 if x.shared else 2) for x in operands])
    kinds = 0  # a number is sooner made, and compared
    for x in operands:
        kinds = 3 * kinds + (0 if type(x) is float else 1 if x.shared else 2)
    return kinds


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
