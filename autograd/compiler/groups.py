"""What can be computed together: `grouped(order)` puts quantities of one kind at one depth into a `Group`.

A group becomes one array operation. The dots that read the same inputs are the rows of a matrix: one matrix product.
Quantities that are alone of their kind, such as the links of a chain, stand in one group and are computed in turn.
"""

from __future__ import annotations

from collections import defaultdict
from itertools import chain
from operator import attrgetter
from typing import TYPE_CHECKING

from .. import rules
from .quantities import AFTER, BATCH_SUM, BEFORE, DEEP, EXAMPLES, NEEDED, ROW_OF_SUMS, BatchSum, Quantity

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from .quantities import Quantities


#: How the quantities of a primitive are computed; "each" of all others.
FORMS = {rules.dot: "matrix", BATCH_SUM: "batch_sums", ROW_OF_SUMS: "rows_of_sums"}


class Group:
    """Quantities that one operation computes.

    `form` is how: "matrix" (dots of the same inputs), "dots" (each of its own), "batch_sums", "rows_of_sums" (the
    gradient of a matrix), or "each" (elementwise). Only those of a group "in_turn" are computed one after another, each
    by a primitive of its own.
    """

    __slots__ = ("form", "members", "primitive", "stage")

    def __init__(self, form: str, primitive: Any, members: list[Quantity], stage: int) -> None:  # None if in turn
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
        return [x for q in self.members for x in rules.parts_of_dot(q.operands)[0]]

    @property
    def inputs(self) -> list[Any]:
        """Of dots: what they read; row after row, unless all read the same."""
        rows = self.members[:1] if self.form == "matrix" else self.members
        return [x for q in rows for x in rules.parts_of_dot(q.operands)[1]]

    def read(self) -> Iterable[Any]:
        """What examples have and the group reads, and perhaps more than that; each of it once or more."""
        if self.form == "matrix":
            return self.inputs
        if self.form == "rows_of_sums":
            return (*self.members[0].operands, *self.slot(0))
        if len(self.members) == 1:
            return self.members[0].operands
        return chain.from_iterable([q.operands for q in self.members])

    @property
    def size(self) -> int:
        """How many numbers it gives."""
        if self.form == "rows_of_sums":
            return sum([len(q.operands) - 1 for q in self.members])
        return len(self.members)

    def __repr__(self) -> str:
        name = self.primitive.name if self.primitive else "quantities"
        return f"<Group of {len(self.members)} {name} ({self.form}, stage {self.stage})>"


def needed(book: Quantities, wanted: Iterable[Any]) -> list[Quantity]:
    """What the wanted quantities are computed from, and these, but no leaves: operands come first.

    All of these are marked, leaves too: their place is NEEDED.
    """
    for x in wanted:
        if type(x) is Quantity:
            x.place = NEEDED
    found: list[Quantity] = []
    for q in reversed(book.made):
        if q.place == NEEDED and q.primitive is not None:
            for x in q.operands:
                if type(x) is Quantity:
                    x.place = NEEDED
            found.append(q)
    return found[::-1]


def grouped(order: list[Quantity]) -> list[Group]:
    """The groups, in an order in which they can be computed."""
    order = sorted(order, key=attrgetter("level"))
    sums = [q for q in order if q.primitive is BATCH_SUM]
    if len({q.level for q in sums}) <= DEEP:
        sums = []
    waiting = set(sums)  # no example reads them: they can wait for each other
    stages: dict[int, list[Quantity]] = {BEFORE: [], EXAMPLES: [], AFTER: []}
    for q in order:
        if type(q.primitive) is not BatchSum:
            stages[q.stage].append(q)
        elif q not in waiting:
            stages[EXAMPLES].append(q)  # what is summed up is theirs
    groups = {stage: _of_stage(stage, members) for stage, members in stages.items()}
    if sums:
        groups[EXAMPLES].append(Group("batch_sums", BATCH_SUM, sums, EXAMPLES))
    return [*groups[BEFORE], *groups[EXAMPLES], *groups[AFTER]]


def _of_stage(stage: int, order: list[Quantity]) -> list[Group]:
    """Their groups, level by level."""
    groups: list[Group] = []
    in_turn: list[Quantity] = []  # the very list of the last group, if that is computed in turn
    of_level: list[Quantity] = []
    for q, following in zip(order, [*order[1:], None]):
        of_level.append(q)
        if following is not None and following.level == q.level:
            continue
        if in_turn and len(of_level) == 1 and q.primitive not in FORMS:  # a chain's, before all else
            in_turn.append(q)
            of_level.clear()
            continue
        for alike in _alike(of_level) if len(of_level) > 1 else (of_level,):
            primitive = alike[0].primitive
            if len(alike) > 1 or primitive in FORMS:
                groups.append(Group(_form(alike), primitive, alike, stage))
                in_turn = []
            elif in_turn:
                in_turn += alike
            else:
                groups.append(Group("in_turn", None, alike, stage))
                in_turn = alike
        of_level = []  # another list: this one may be that of a group
    return groups


def _form(members: list[Quantity]) -> str:
    form = FORMS.get(members[0].primitive, "each")
    if form == "matrix" and _kinds(members[0]) != _kinds(members[-1]):
        return "dots"
    return form


def _alike(of_level: list[Quantity]) -> Iterable[list[Quantity]]:
    """The quantities of a level that one operation computes; single dots of equal length come last."""
    found: defaultdict[Any, list[Quantity]] = defaultdict(list)
    for q in of_level:
        found[q.primitive, _kinds(q)].append(q)
    if rules.dot not in [key[0] for key in found]:
        return found.values()
    single: dict[int, list[Quantity]] = {}
    for key, members in list(found.items()):
        if len(members) == 1 and key[0] is rules.dot:
            single.setdefault(len(members[0].operands), []).extend(found.pop(key))
    return [*found.values(), *single.values()]


def _kinds(q: Quantity) -> Any:
    """What the operands of quantities must have in common if these are to be computed at once."""
    primitive, operands = q.primitive, q.operands
    if len(operands) == 1 or primitive is BATCH_SUM:  # of one operand, the stage says it
        return None
    if len(operands) == 2 and primitive not in FORMS:  # what most have: a number is sooner made, and compared
        x, y = operands
        return (0 if type(x) is float else 1 if x.shared else 2) + (0 if type(y) is float else 3 if y.shared else 6)
    if primitive is ROW_OF_SUMS:
        return operands[1:]
    if primitive is rules.dot:
        _, inputs, _ = rules.parts_of_dot(operands)
        return inputs
    assert primitive is not None
    return tuple([type(x) is Quantity and (1 if x.shared else 2) for x in operands])
