"""Exam sheets: which numbers of a table are left blank, and what answers to them are worth.

`table(y, blanks=...)` makes the sheet; here is what stands behind its blanks, its key and its marks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from .mistakes import Mistake, agrees, diagnosed, mistakes_in_adjoint, wrong_passes
from .notation import derivative_symbol
from .scalars import as_number, typed_number
from .steps import current_log
from .value import Value
from .wording import listed, six

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping
    from typing import Any

COLUMNS = ("value", "local derivatives", "adjoint")

#: A row of a table shows as many local derivatives as this; others are not asked.
MOST_DERIVATIVES = 8


class Blank(NamedTuple):
    """A number that is asked for."""

    node: Value
    column: str
    slot: int | None  # which operand, of local derivatives


class Mark(NamedTuple):
    """What one answer is worth."""

    number: int
    question: str
    answer: float | None
    right: bool
    hint: str


class Marks:
    """The marks of an exam sheet. It prints how many are right, and hints for the others; it is true if all are."""

    def __init__(self, marks: list[Mark]) -> None:
        self.marks = marks

    @property
    def right(self) -> int:
        """How many answers are right."""
        return sum(mark.right for mark in self.marks)

    def __bool__(self) -> bool:
        return self.right == len(self.marks)

    def __str__(self) -> str:
        lines = [f"{self.right} of {len(self.marks)} right"]
        for mark in self.marks:
            if not mark.right:
                given = "not answered" if mark.answer is None else f"{six(mark.answer)}? {mark.hint}"
                lines.append(f"  ({mark.number}) {mark.question}: {given}")
        return "\n".join(lines)

    __repr__ = __str__


class Exam:
    """The blanks of a sheet, numbered from 1 as they stand in it.

    Args:
        wanted: a column, "all", or a list of columns, names of nodes and pairs of both.
    """

    def __init__(self, root: Value, wanted: str | Collection[Any]) -> None:
        self.log = current_log(root)
        chosen = self._chosen(wanted)
        self.blanks = [blank for blank in self._possible() if (blank.node, blank.column) in chosen]
        if not self.blanks:
            raise ValueError(f"blanks={wanted!r} leaves nothing blank; the values of leaves are given")
        self._numbers = {blank: number for number, blank in enumerate(self.blanks, 1)}

    def number(self, node: Value, column: str, slot: int | None = None) -> int | None:
        """The number of the blank at a place; None if the number there is given."""
        return self._numbers.get(Blank(node, column, slot))

    def check(self, answers: Mapping[Any, float] | Collection[float | None]) -> Marks:
        """Mark the answers."""
        given = self._by_blank(answers)
        adjoints = {blank.node: answer for blank, answer in given.items() if blank.column == "adjoint"}
        everywhere = wrong_passes(self.log, adjoints)

        def mistakes(blank: Blank) -> list[Mistake]:
            if blank.column == "adjoint":
                return mistakes_in_adjoint(self.log, blank.node, adjoints, everywhere)
            return self._mistakes(blank)

        return Marks([self._mark(blank, given.get(blank), mistakes) for blank in self.blanks])

    def _possible(self) -> Iterator[Blank]:
        """Whatever can be asked, row by row. The value of a leaf cannot."""
        for node in self.log.order:
            if node.primitive is not None:
                yield Blank(node, "value", None)
            moving = [slot for slot, local in enumerate(node.local_derivatives) if local is not None]
            for slot in moving[:MOST_DERIVATIVES]:
                yield Blank(node, "local derivatives", slot)
            yield Blank(node, "adjoint", None)

    def _chosen(self, wanted: Any) -> set[tuple[Value, str]]:
        if isinstance(wanted, (str, Value)) or self._is_pair(wanted):
            wanted = [wanted]
        try:
            return {place for item in wanted for place in self._places(item)}
        except TypeError:
            raise TypeError(f"blanks is a column, a node or a list of them, not {wanted!r}") from None

    def _places(self, item: Any) -> list[tuple[Value, str]]:
        """The nodes and columns that one item of `blanks` stands for."""
        columns = {column: (column,) for column in COLUMNS} | {"all": COLUMNS}
        if isinstance(item, str) and item in columns:
            return [(node, column) for node in self.log.order for column in columns[item]]
        if self._is_pair(item) and item[1] in columns:
            return [(self._node(item[0]), column) for column in columns[item[1]]]
        if (node := self._node(item)) is not None:
            return [(node, column) for column in COLUMNS]
        known = f"columns ({', '.join(map(repr, columns))}), nodes ({listed(list(self.log.name.values()))})"
        raise ValueError(f"blanks are {known} and pairs of both; not {item!r}")

    def _is_pair(self, item: Any) -> bool:
        """Whether it is a node and a column."""
        return (
            isinstance(item, tuple)
            and len(item) == 2
            and item[1] in (*COLUMNS, "all")
            and self._node(item[0]) is not None
        )

    def _node(self, item: Any) -> Any:
        """The node that is meant, by itself or by its label or name; None for none."""
        if isinstance(item, Value):
            return item if item in self.log.name else None
        return self.log.find(item) if isinstance(item, str) and self.log.called(item) else None

    def _by_blank(self, answers: Any) -> dict[Blank, float]:
        if hasattr(answers, "items"):
            pairs = [(self._find(place), answer) for place, answer in answers.items()]
        elif isinstance(answers, (str, bytes)) or not hasattr(answers, "__iter__"):
            raise TypeError(f"answers are a list of numbers, or a dictionary from blanks to numbers; not {answers!r}")
        else:
            in_order = list(answers)
            if len(in_order) != len(self.blanks):
                raise ValueError(f"the sheet has {len(self.blanks)} blanks; {len(in_order)} answers were given")
            pairs = list(zip(self.blanks, in_order))
        return {blank: _as_answer(answer) for blank, answer in pairs if answer is not None}

    def _find(self, place: Any) -> Blank:
        if type(place) is int and 0 < place <= len(self.blanks):
            return self.blanks[place - 1]
        node, column = (self._node(place[0]), place[1]) if self._is_pair(place) else (self._node(place), "all")
        found = [blank for blank in self.blanks if blank.node is node and column in (blank.column, "all")]
        if len(found) == 1:
            return found[0]
        problem = f"stands for {len(found)} blanks" if found else "is no blank"
        number = f"take its number, from 1 to {len(self.blanks)}"
        if node is None and not isinstance(place, int):
            number += f"; the nodes are {listed(list(self.log.name.values()))}"
        raise ValueError(f"{place!r} {problem} of this sheet; {number}")

    def _mark(self, blank: Blank, answer: float | None, mistakes: Callable[[Blank], list[Mistake]]) -> Mark:
        amounts = [c.amount for c in self.log.arrivals[blank.node]] if blank.column == "adjoint" else []
        scale = max(map(abs, amounts), default=0.0)
        right = answer is not None and agrees(answer, self._truth(blank), scale)
        hint = ""
        if answer is not None and not right:
            hint = diagnosed(answer, mistakes(blank)) or self._advice(blank)
        return Mark(self._numbers[blank], self._question(blank), answer, right, hint)

    def _truth(self, blank: Blank) -> float:
        if blank.column == "value":
            return blank.node.data
        if blank.column == "adjoint":
            return self.log.adjoints[blank.node]
        local = blank.node.local_derivatives[blank.slot or 0]
        assert local is not None
        return local

    def _question(self, blank: Blank) -> str:
        if blank.slot is None:
            return f"{blank.column} of {self.log.name[blank.node]}"
        return self._symbol(blank.node, blank.slot)

    def _symbol(self, node: Value, slot: int) -> str:
        return derivative_symbol(node, slot, self.log.name)[0]

    def _mistakes(self, blank: Blank) -> list[Mistake]:
        """Those in a value or a local derivative."""
        truth = self._truth(blank)
        found = [Mistake(-truth, "the sign is turned")]
        if blank.slot is None:
            return [*found, Mistake(1 / truth if truth else 0.0, "that is one over it: are the operands swapped?")]
        symbol = self._symbol(blank.node, blank.slot)
        upstream = self.log.adjoints[blank.node]
        told = f"that is times the gradient of {self.log.name[blank.node]} already; {symbol} stands for itself"
        found.append(Mistake(truth * upstream, told))
        for slot, other in enumerate(blank.node.local_derivatives[:MOST_DERIVATIVES]):
            if other is not None and slot != blank.slot:
                found.append(Mistake(other, f"that is {self._symbol(blank.node, slot)}, of another place"))
        return [mistake for mistake in found if not agrees(mistake.answer, truth)]

    def _advice(self, blank: Blank) -> str:
        """Where to look, if the number tells nothing."""
        name = self.log.name[blank.node]
        if blank.column == "adjoint":
            speakers = listed([self.log.name[c.consumer] for c in self.log.arrivals[blank.node]])
            return (
                f"add up gradient times local derivative over {speakers}"
                if speakers
                else "the pass starts here, with 1"
            )
        primitive = blank.node.primitive
        if blank.column == "value" or primitive is None:
            return f"compute {name} from its operands again"
        operand = self.log.name[blank.node.operands[blank.slot or 0]]  # type: ignore[index]
        return f"how much does {name} move per unit of {operand}? {primitive.words}"


def _as_answer(answer: Any) -> float:
    if isinstance(answer, str):
        try:
            return typed_number(answer)
        except ValueError:
            raise ValueError(f"an answer is a number, not {answer!r}") from None
    return as_number(answer, "check()")
