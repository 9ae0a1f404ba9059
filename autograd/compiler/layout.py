"""Where numbers lie while a program runs: `Layout` gives every quantity a row of one of two arrays.

`shared` has one column: parameters, constants, and what is computed from these. `examples` has a column for each
example of a block. A group has adjacent rows, so that its operation reads and writes parts of the arrays and copies
nothing; the weights of a layer are adjacent in the order of its matrix.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

from .groups import Group
from .quantities import EXAMPLES, NEEDED, READ, Quantity, text_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence
    from typing import Any


#: The forms of groups whose numbers are sums over the batch: shared, though examples are read.
SUMS = ("batch_sums", "rows_of_sums")


class Rows(NamedTuple):
    """Some rows of one of the arrays: adjacent ones (`step` apart), or any, listed in `places`."""

    array: str  # "shared" or "examples"
    start: int
    size: int
    step: int = 1
    places: tuple[int, ...] = ()


def as_rows(array: str, places: list[int]) -> Rows:
    """The rows at these places, as a slice where they are evenly apart."""
    if step := step_of(places):
        return Rows(array, places[0], len(places), step)
    return Rows(array, 0, len(places), 0, tuple(places))


def step_of(places: list[int]) -> int:
    """How far these are apart; 0 if they do not rise evenly."""
    start, count = places[0], len(places)
    if count == 1:
        return 1
    step = places[1] - start
    stop = start + count * step
    is_even = step > 0 and places[-1] == stop - step and places == list(range(start, stop, step))
    return step if is_even else 0


class Layout:
    """Gives every quantity its `place`, and counts the rows of either kind.

    A book has one layout: `place < 0` is how it tells what has none yet.

    Args:
        parameters: the shared leaves.
        inputs: the elements of each argument.
        one: what is 1 for each example.
        kept: what is still asked for at the end.
        constants: all numbers that are read.
    """

    def __init__(
        self,
        groups: list[Group],
        parameters: list[Quantity],
        inputs: list[list[Quantity]],
        one: Quantity,
        kept: list[Any],
        constants: Iterable[float],
    ) -> None:
        self.constants: dict[str, int] = {}  # by their text
        self.shared_count = self.example_count = 0
        self.ones: list[int] = []  # rows of examples that hold 1
        #: The parameters in the order in which they lie.
        self.parameters: list[Quantity] = []
        self._ending_in_one = self._followed_by_one(groups)
        self._before_one = {inputs[0] for inputs in self._ending_in_one}
        self._place_parameters(groups, parameters)
        self._place_sums(groups)
        self._place_shared(groups)
        self._place_examples(groups, inputs, one, kept)
        # Constants get their places now, all that groups and gradients read: the machine's array has no more rows. Both
        # zeros are named, since they are equal, and a set of constants has kept but one of them.
        for x in (-0.0, *{0.0, *constants, *[x for x in kept if type(x) is float]}):
            self.constant(x)

    def rows_of(self, operands: Sequence[Any]) -> Rows:
        """Where operands lie: all of them shared or constant, or else what examples have."""
        for x in operands:
            if type(x) is Quantity and not x.shared:
                return self.example_rows(operands)
        return as_rows("shared", self.shared_places(operands))

    def shared_places(self, operands: Sequence[Any]) -> list[int]:
        """The rows of shared numbers and constants."""
        return [self.constant(x) if type(x) is float else x.place for x in operands]

    def example_rows(self, operands: Sequence[Any]) -> Rows:
        """Where numbers of examples lie, and perhaps the 1.0 that a bias is multiplied by."""
        places: list[int] = []
        for x in operands:
            if type(x) is Quantity:
                places.append(x.place)
            else:  # the 1.0 that a bias is multiplied by
                places.append(self._one_after.get(places[-1], self.ones[0]) if places else self.ones[0])
        return as_rows("examples", places)

    def constant(self, number: float) -> int:
        """The row of a constant."""
        text = text_of(number)
        if text not in self.constants:
            self.constants[text] = self._more_shared(1)
        return self.constants[text]

    def _more_shared(self, count: int) -> int:
        start = self.shared_count
        self.shared_count += count
        return start

    def _followed_by_one(self, groups: list[Group]) -> set[tuple[Quantity, ...]]:
        """The inputs of matrices that end in 1, for the bias."""
        return {
            tuple(group.inputs[:-1])
            for group in groups
            if group.form == "matrix" and type(group.inputs[-1]) is float and len(group.inputs) > 1
        }

    # ----- What is shared -----

    def _place_parameters(self, groups: list[Group], parameters: list[Quantity]) -> None:
        """The weights of each matrix first, row by row."""
        rest = dict.fromkeys(parameters)
        for group in groups:
            if group.form == "matrix":
                listed = group.weights
                weights = dict.fromkeys(listed)
                if len(weights) == len(listed) and weights.keys() <= rest.keys():
                    self._place_next(weights)
                    for leaf in weights:
                        del rest[leaf]
        self._place_next(rest)

    def _place_next(self, leaves: Collection[Quantity]) -> None:
        self._place_from(self._more_shared(len(leaves)), leaves)
        self.parameters += leaves

    def _place_from(self, start: int, members: Collection[Quantity]) -> None:
        for place, q in enumerate(members, start):
            q.place = place

    def _place_sums(self, groups: list[Group]) -> None:
        """The sums over the batch of the parameters' contributions, in the order of the parameters."""
        sums = [q for group in groups if group.form in SUMS for q in group.members]
        self._rows_of_sums = sums[0].book.rows_of_sums if sums else {}
        owned = sums[0].book.batch_sums.items() if sums else ()
        place_of_owner = {summed: self.shared_count if q.place < 0 else q.place for q, summed in owned}
        place_of_owner |= {row: weights[0].place for row, weights in self._rows_of_sums.items()}
        sums.sort(key=place_of_owner.__getitem__)
        start = self.shared_count
        for q in sums:
            q.place = self._more_shared(len(self._rows_of_sums.get(q, (q,))))
        #: The rows that are to be 0 when the first block of examples comes.
        self.sums = Rows("shared", start, self.shared_count - start)

    def places_of_gradients(self, gradients: dict[Quantity, Any]) -> list[int]:
        """The rows of the gradients by the parameters, in the order of these."""
        found: dict[Quantity, int] = {}
        for row, weights in self._rows_of_sums.items():
            found.update(zip(weights, range(row.place, self.shared_count)))
        for q, gradient in gradients.items():
            if q not in found:
                found[q] = self.constant(gradient) if type(gradient) is float else gradient.place
        return [found[q] for q in self.parameters]

    def _place_shared(self, groups: list[Group]) -> None:
        for group in groups:
            if group.stage != EXAMPLES:
                self._place_from(self._more_shared(len(group.members)), group.members)

    # ----- What every example has -----

    def _place_examples(
        self, groups: list[Group], inputs: list[list[Quantity]], one: Quantity, kept: list[Any]
    ) -> None:
        """Rows are taken again when nothing needs what they hold: what fits into the cache is fast."""
        self._one_after: dict[int, int] = {}
        self._free: defaultdict[int, list[int]] = defaultdict(list)
        ones = self._more_rows(1)
        self.ones.append(ones)
        one.place = ones
        for argument in filter(None, inputs):
            self._put(argument)
        free, before_one = self._free[1], self._before_one
        for owner in _lives([group for group in groups if group.stage == EXAMPLES], kept):
            if isinstance(owner, Group):
                members = owner.members
                (self._put if members[0].place < 0 else self._release)(members)
            elif before_one and owner in before_one:
                (self._put if owner.place < 0 else self._release)([owner])
            elif owner.place >= 0:  # the same written out, for a chain has so many
                free.append(owner.place)
            else:
                owner.place = free.pop() if free else self._more_rows(1)

    def _put(self, members: Sequence[Quantity]) -> None:
        count = len(members)
        ends_in_one = self._ends_in_one(members)
        free = self._free[count]
        start = free.pop() if free and not ends_in_one else self._more_rows(count + ends_in_one)
        self._place_from(start, members)
        if ends_in_one:
            self.ones.append(start + count)
            self._one_after[start + count - 1] = start + count

    def _release(self, members: Sequence[Quantity]) -> None:
        """Rows that are not read any more."""
        if not self._ends_in_one(members):
            self._free[len(members)].append(members[0].place)

    def _ends_in_one(self, members: Sequence[Quantity]) -> bool:
        """Whether a matrix reads these, and 1 for its bias."""
        return members[0] in self._before_one and tuple(members) in self._ending_in_one

    def _more_rows(self, count: int) -> int:
        start = self.example_count
        self.example_count += count
        return start


def _lives(groups: list[Group], kept: list[Any]) -> list[Group | Quantity]:
    """Who needs rows, and when: each where it is written, and once more where nothing reads it any more.

    It is a group, or a quantity that is alone in its group or computed in turn. What is kept to the end is there but
    once.
    """
    group_of: dict[Quantity, Group] = {}
    for group in groups:
        if group.form not in SUMS and not _is_of_singles(group):
            group_of.update(dict.fromkeys(group.members, group))
    lives: list[Group | Quantity] = []

    def read(operands: Iterable[Any]) -> None:
        for x in operands:
            if type(x) is Quantity and x.place == NEEDED:
                end(x)

    def end(x: Quantity) -> None:
        group = group_of.get(x)
        for q in group.members if group else (x,):
            q.place = READ
        lives.append(group or x)

    read(kept)
    lives.clear()  # but they stay among what is read: their rows are never free again
    for group in reversed(groups):  # the last one to read something comes first
        owner = group.members[0] if _is_of_singles(group) else group
        if group.form == "in_turn":
            for q in reversed(group.members):
                lives.append(q)  # it may be written where it reads, as "each" may
                for x in q.operands:  # `read` written out: a chain has so many
                    if type(x) is Quantity and x.place == NEEDED:
                        end(x)
        elif group.form == "each":
            lives.append(owner)
            read(group.read())
        else:
            read(group.read())
            if group.form not in SUMS:
                lives.append(owner)
    lives.reverse()
    return lives


def _is_of_singles(group: Group) -> bool:
    """Whether each of its quantities needs a row for itself, wherever that is."""
    return group.form == "in_turn" or len(group.members) == 1
