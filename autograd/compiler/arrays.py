"""The arrays that a program would have if it were written by hand: `Plan(program, shapes)`, for source.py.

The weights of a layer are a matrix W1 and a vector b1, its sums an array z1. A group of quantities is cut into parts
that come from the same arrays each, so that a part is one line of code and reads no list of pieces.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .. import rules
from .groups import Group, grouped
from .layout import SUMS
from .quantities import EXAMPLES, Quantity, is_same_everywhere

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any

    from .dialects import Names
    from .program import Program

#: A group that would fall into more parts of one member each stays together.
MOST_SINGLE_PARTS = 8


class Array:
    """A variable of the code, and the quantities that are its elements.

    `shape` is that for one example: () for a number, (k,) for k of them, (k, m) for a matrix. `form` is that of the
    group that it is computed by, "leaf" for an argument.
    """

    def __init__(
        self,
        members: Sequence[Quantity],
        shape: tuple[int, ...],
        form: str = "leaf",
        primitive: Any = None,
        *,
        shared: bool = True,
        name: str = "",
    ) -> None:
        self.members = list(members)
        self.shape = shape
        self.form = form
        self.primitive = primitive
        self.shared = shared
        self.name = name  # empty: a number of its own when it is written

    def slot(self, i: int) -> list[Any]:
        """Operand number i of every member."""
        return [q.operands[i] for q in self.members]


class Plan:
    """All arrays of a program, in the order in which they are computed, and where each quantity is.

    Args:
        shapes: of a row of each argument of the function.
    """

    def __init__(self, program: Program, shapes: Sequence[tuple[int, ...]], names: Names) -> None:
        self.program = program
        self.names = names
        self.place: dict[Quantity, tuple[Array, int]] = {}
        self.inputs: list[Array] = []
        self.parameters: list[Array] = []
        self.parts: list[Array] = []
        #: The parameter of each sum over the batch.
        self.owner: dict[Quantity, Quantity] = {}
        groups = self._separate_groups()
        #: By the parameter.
        self.gradients = {
            q: q.book.batch_sums[q] if gradient in q.book.rows_of_sums else gradient
            for q, gradient in program.gradients.items()
        }
        self.group_of = {q: group for group in groups for q in group.members}
        self._place_inputs(shapes)
        for group in groups:
            self._claim(group)
        for leaf in self.gradients or self.leaves():
            if leaf not in self.place:
                self._parameter([leaf], ())
        for group in groups:
            self._divide(group)
        self._name_parts()

    def _separate_groups(self) -> list[Group]:
        """The groups, with a sum for each weight of a matrix, and a group for each quantity of those in turn."""
        members: dict[str, list[Quantity]] = {}
        for group in self.program.groups:
            members.setdefault(group.form if group.form in SUMS else "others", []).extend(group.members)
        sums = [*members.get("batch_sums", ())]
        for row in members.get("rows_of_sums", ()):
            sums += row.book.sums_of(row)
        if sums:
            self.owner = {summed: q for q, summed in sums[0].book.batch_sums.items()}
        place = {q: i for i, q in enumerate(self.program.gradients)}
        sums.sort(key=lambda q: place.get(self.owner[q], -1))  # those of what comes from parameters are first
        groups: list[Group] = []
        for group in grouped([*members.get("others", ()), *sums]):
            if group.form == "in_turn":
                groups += [Group("each", q.primitive, [q], group.stage) for q in group.members]
            else:
                groups.append(group)
        return groups

    def leaves(self) -> list[Quantity]:
        """The parameters of a program that has no gradients."""
        return self.program.layout.parameters

    def _put(self, array: Array) -> Array:
        for i, q in enumerate(array.members):
            self.place[q] = array, i
        return array

    # ----- Arguments -----

    def _place_inputs(self, shapes: Sequence[tuple[int, ...]]) -> None:
        for elements, shape in zip(self.program.inputs, shapes):
            name = self.names.new(stem(elements[0].label), "x")
            size = (len(elements),) if shape else ()
            self.inputs.append(self._put(Array(elements, size, shared=False, name=name)))

    def _parameter(self, leaves: Sequence[Quantity], shape: tuple[int, ...], otherwise: str = "p") -> None:
        name = self.names.new(common_name(leaves), otherwise)
        self.parameters.append(self._put(Array(leaves, shape, name=name)))

    def _free(self, xs: Iterable[Any]) -> bool:
        """Whether these are different parameters without a place."""
        xs = list(xs)
        return len({*map(id, xs)}) == len(xs) and all(
            type(x) is Quantity and x.shared and x.primitive is None and x not in self.place for x in xs
        )

    def _claim(self, group: Group) -> None:
        """Parameters that the group reads side by side become an array."""
        if group.form == "matrix":
            for start, stop in self.blocks(group):
                self._claim_weights([list(q.operands[start:stop]) for q in group.members], group.inputs[start:stop])
            self._claim_bias(group)
        elif group.form == "dots":
            rows = [list(q.operands[: reading(group.members)]) for q in group.members]
            alike = all(row == rows[0] for row in rows)
            if self._free(rows[0] if alike else [x for row in rows for x in row]) and len(rows[0]) > 1:
                shape = (len(rows[0]),) if alike else (len(rows), len(rows[0]))
                self._parameter(rows[0] if alike else [x for row in rows for x in row], shape, "W")
            self._claim_bias(group)
        elif group.form == "each" and group.stage == EXAMPLES:
            self._claim_vectors(group)

    def _claim_weights(self, rows: list[list[Any]], read: list[Any]) -> None:
        height, width = len(rows), len(rows[0])
        weights = [x for row in rows for x in row]
        if not self._free(weights):
            return
        if height == 1 and width == 1:
            self._parameter(weights, (), "w")
        elif height == 1 or (width == 1 and not self.is_column(read[0])):
            self._parameter(weights, (len(weights),), "W")
        else:
            self._parameter(weights, (height, width), "W")

    def _claim_bias(self, group: Group) -> None:
        if not has_bias(group.members):
            return
        biases = group.slot(reading(group.members))
        if self._free(biases):
            self._parameter(biases, () if len(biases) == 1 else (len(biases),), "b")

    def is_column(self, q: Quantity) -> bool:
        """Whether it is the only column of an argument that has an axis for columns."""
        array = self.place[q][0] if q in self.place else None
        return array is not None and array.shape == (1,)

    def _claim_vectors(self, group: Group) -> None:
        count = len(group.members[0].operands)
        columns = group.members[0].operands if group.primitive.variadic else ()
        for xs in [columns] if columns else [group.slot(i) for i in range(count)]:
            alike: dict[str, list[Quantity]] = {}
            for x in dict.fromkeys(xs):
                if self._free([x]) and ("[" in x.label or not x.label):
                    alike.setdefault(stem(x.label), []).append(x)
            for leaves in alike.values():
                if len(leaves) > 1:
                    self._parameter(leaves, (len(leaves),))

    # ----- What a matrix reads -----

    def blocks(self, group: Group) -> list[tuple[int, int]]:
        """Where the inputs of a matrix come from different arrays: the matrix is then a sum of products.

        Single ones are read side by side, unless there are few and they make but one number.
        """
        read = group.inputs[: reading(group.members)]
        origins = [self.group_of.get(x) or self.place[x][0] for x in read]
        cuts = [i for i in range(1, len(read)) if origins[i] is not origins[i - 1]]
        runs = list(zip([0, *cuts], [*cuts, len(read)]))
        if len(group.members) == 1 and len(runs) == len(read) <= 4:
            return runs
        joined: list[tuple[int, int]] = []
        single = False  # whether the last one is made of single columns
        for start, stop in runs:
            if joined and single and stop - start == 1:
                joined[-1] = joined[-1][0], stop
            else:
                joined.append((start, stop))
                single = stop - start == 1
        return joined if len(joined) <= 3 else [(0, len(read))]

    # ----- Parts -----

    def _divide(self, group: Group) -> None:
        if group.form == "batch_sums":
            cut = self._by([(id(self._owner_of(q)), q) for q in group.members])
            for members in cut:
                members.sort(key=lambda q: self.place[self.owner[q]][1])
                owner = self._owner_of(members[0])
                size = () if len(members) == 1 else (len(members),)
                self._part(group, members, owner.shape if len(members) == len(owner.members) else size)
        elif group.form == "each" and not group.primitive.variadic:
            for members in self._from_the_same_arrays(group):
                self._part(group, members, self._shape_of(group, members))
        elif group.form == "each" and not self.is_regular(group):
            for q in group.members:
                self._part(group, [q], ())
        else:
            self._part(group, group.members, () if len(group.members) == 1 else (len(group.members),))

    def _part(self, group: Group, members: list[Quantity], shape: tuple[int, ...]) -> None:
        shared = members[0].shared
        self.parts.append(self._put(Array(members, shape, group.form, group.primitive, shared=shared)))

    def _owner_of(self, summed: Quantity) -> Array:
        return self.place[self.owner[summed]][0]

    def _by(self, keyed: Iterable[tuple[Any, Quantity]]) -> list[list[Quantity]]:
        found: dict[Any, list[Quantity]] = {}
        for key, q in keyed:
            found.setdefault(key, []).append(q)
        return list(found.values())

    def _from_the_same_arrays(self, group: Group) -> list[list[Quantity]]:
        def sources(q: Quantity) -> tuple[Any, ...]:
            constants = group.primitive is rules.where  # where(c, 1, 0) is a condition
            return tuple([id(self.place[x][0]) if type(x) is Quantity else x if constants else 0 for x in q.operands])

        def elements(q: Quantity) -> tuple[Any, ...]:
            return tuple([self.place[x][1] if type(x) is Quantity else -1 for x in q.operands])

        cut = self._by([(sources(q), q) for q in group.members])
        if len(cut) > MOST_SINGLE_PARTS and len(cut) == len(group.members):
            return [group.members]
        return [sorted(members, key=elements) for members in cut]

    def _shape_of(self, group: Group, members: list[Quantity]) -> tuple[int, ...]:
        """That of the matrices that it comes from, if it does; what examples have is in rows."""
        if len(members) == 1:
            return ()
        if not members[0].shared:
            return (len(members),)
        shapes = set()
        for i in range(len(members[0].operands)):
            xs = [q.operands[i] for q in members]
            if type(xs[0]) is Quantity and xs.count(xs[0]) < len(xs):
                array = self.place[xs[0]][0]
                shapes.add(array.shape if array.shared and xs == array.members else (len(members),))
            elif not is_same_everywhere(xs):
                shapes.add((len(members),))
        return shapes.pop() if len(shapes) == 1 else (len(members),)

    def is_regular(self, group: Group) -> bool:
        """Whether it is sums of the rows of an array."""
        operands = [x for q in group.members for x in q.operands]
        if group.primitive is not rules.total or type(operands[0]) is not Quantity:
            return False
        return len(group.members) > 1 and operands == self.place[operands[0]][0].members and not operands[0].shared

    # ----- Names -----

    def _name_parts(self) -> None:
        """By the labels of the members; gradients by the parameter."""
        for array in self.parameters:
            by_leaf = [self.gradients.get(q) for q in array.members]
            found = self.place.get(by_leaf[0]) if type(by_leaf[0]) is Quantity else None
            if found and found[0].form != "leaf" and found[0].members == by_leaf and not found[0].name:
                found[0].name = self.names.new(f"d{array.name}")
        for part in self.parts:
            if not part.name and (label := common_name(part.members)):
                part.name = self.names.new(label)


def has_bias(members: Sequence[Quantity]) -> bool:
    """Whether the last input of every dot is the 1.0 that its bias is multiplied by."""
    return all(type(rules.parts_of_dot(q.operands)[1][-1]) is float for q in members)


def reading(members: Sequence[Quantity]) -> int:
    """How many inputs each dot reads: without the 1.0 of a bias, if all have one."""
    _, inputs, _ = rules.parts_of_dot(members[0].operands)
    return len(inputs) - has_bias(members)


def stem(label: str) -> str:
    """What stands before the brackets: `W1` of `W1[2,3]`."""
    return label.partition("[")[0]


def common_name(members: Sequence[Quantity]) -> str:
    """What the labels of the members have in common: `z1` of `z1[1]` and `z1[2]`, `n` of `n1` and `n2`."""
    labels = [q.label for q in members]
    if len(labels) == 1:
        return labels[0]
    stems = {stem(label) for label in labels}
    if len(stems) == 1:
        return stems.pop()
    first, last = min(labels), max(labels)  # what these two begin with, all do
    same = next((i for i, letter in enumerate(first) if not last.startswith(first[: i + 1])), len(first))
    return first[:same].rstrip("0123456789[")
