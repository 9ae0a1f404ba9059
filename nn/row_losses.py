"""The loss of one row as a function that can be compiled, in which the row's target is one number or several.

    row_loss = RowLoss(run)
    row_loss.columns(targets)       # the targets as an array of numbers
    row_loss(output, numbers)       # the loss of one output, given its target's row of that array

Compiled, a loss does one thing with all rows. Most losses compute with their targets: what they do with one they do
with another, and the target is a number, or for a class a row of 0 and 1. Others choose by it, as `-log(row[c])` does.
Each target with which the loss does something of its own is a case; the loss of a row is that of its case, times 1,
and those of the others, times 0. Where these are not finite, as -log of another class's probability of 0, `shelter()`
keeps a case from seeing the outputs of rows that are not its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import autograd as ag

from .arguments import short
from .evaluation import as_leaves, as_list
from .graphs import leaves, same_operations

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Protocol

    import numpy

    from autograd import Value

    class Run(Protocol):
        """What a training has that its loss needs."""

        model: Any
        loss: Any
        rows: list[list[float]]
        targets: list[Any]
        held_out: tuple[list[list[float]], list[Any]] | None


#: How many rows are looked at to see that a loss is a mean over rows.
TRIED = 20

#: How many different targets are given to the loss before the training, which may refuse some.
CHECKED = 1000

#: How many cases there may be: each is computed for every row.
MOST_CASES = 100


class Case(NamedTuple):
    """What the loss does with one target, or with all that are no case of their own."""

    target: Any  # the target; of the case of all others, one of them
    output: Any  # an output that the loss takes with it, in plain numbers
    reads: set[Value]  # the leaves that it depends on


class RowLoss:
    """The loss of a row, and the targets as the numbers that it takes."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._outputs = run.model(run.rows[0])
        self.width = len(as_list(self._outputs))
        self._one_hot = self.width > 1 and all(map(_is_class, run.targets))
        self._of_rows = self._one_hot or isinstance(run.targets[0], list)
        #: The cases of one target each, by the target's text, and the one of all others.
        self._own: dict[str, Case] = {}
        self._other: Case | None = None
        self._sheltered = False
        self._find_cases()
        refuse_other_than_means(run)

    @property
    def cases(self) -> list[Case]:
        """All cases, in the order of their columns."""
        return [*self._own.values(), *([self._other] if self._other else [])]

    def __call__(self, output: Any, numbers: Any) -> Value:
        """The loss of an output.

        Args:
            numbers: a row of `columns`: the target; where there are cases, a 1 for the row's case comes before.
        """
        if not self._own:
            return self._loss(output, list(numbers) if self._of_rows else numbers)
        cases = self.cases
        chosen, rest = list(numbers[: len(cases)]), list(numbers[len(cases) :])
        targets = [case.target for case in cases]
        if self._other is not None:
            targets[-1] = rest if self._of_rows else rest[0]
        outputs = [output] * len(cases)
        if self._sheltered:
            outputs = [_where(is_chosen, output, case.output) for is_chosen, case in zip(chosen, cases)]
        return ag.dot(chosen, list(map(self._loss, outputs, targets)))

    def shelter(self) -> bool:
        """Give each case, in rows that are not its own, an output that it takes; whether that makes a difference."""
        changes = bool(self._own) and not self._sheltered
        self._sheltered = changes or self._sheltered
        return changes

    def columns(self, targets: Sequence[Any]) -> numpy.ndarray:
        """The targets as numbers: a row for each, or one number where that is all."""
        import numpy

        if not self._own:
            return self._numbers(targets)
        place = {text: i for i, text in enumerate(self._own)}
        of_case = numpy.array([place.get(repr(target), len(place)) for target in targets])
        columns = [of_case[:, None] == numpy.arange(len(self.cases))]
        if (other := self._other) is not None:
            columns.append(self._numbers([other.target if repr(y) in place else y for y in targets]))
        return numpy.column_stack(columns).astype(float)

    def present(self, columns: numpy.ndarray) -> Any:
        """Which cases these rows have."""
        return columns[:, : len(self.cases)].any(0) if self._own else [True]

    def _numbers(self, targets: Sequence[Any]) -> numpy.ndarray:
        import numpy

        y = numpy.array(targets, float)
        return (y[:, None] == numpy.arange(self.width)).astype(float) if self._one_hot else y

    def _loss(self, output: Any, target: Any) -> Value:
        return checked(self._run.loss([output], [target]))

    # ----- Cases -----

    def _find_cases(self) -> None:
        """Give the loss all the targets that there are: compiled, it would look at the first one alone."""
        run = self._run
        rows, targets = [*run.rows], [*run.targets]
        if run.held_out:
            rows += run.held_out[0]
            targets += run.held_out[1]
        first_row: dict[str, tuple[Any, list[float]]] = {}
        for row, target in zip(rows, targets):
            first_row.setdefault(repr(target), (target, row))
        # In order, as classes are among the outputs: then arrays are read row after row.
        in_order = sorted(first_row.items(), key=lambda item: list(as_list(item[1][0])))
        for text, (target, row) in in_order[:CHECKED]:
            if not self._is_as_of_numbers(target, row):
                self._own[text] = self._case(target, row)
            if len(self._own) > MOST_CASES:
                raise ValueError(
                    f"the loss does something of its own with each of more than {MOST_CASES} targets, such as "
                    f"{short(target)}, where compile=True needs one that computes with Values: write it with "
                    "operators and autograd's functions of the target"
                )

    def _is_as_of_numbers(self, target: Any, row: list[float]) -> bool:
        """Whether the loss does with this target what it would do with a Value in its place."""
        for output in self._possible_outputs(row):
            try:
                loss = self._loss(output, target)
                same = same_operations(loss, self._loss(output, self._as_values(target)))
            except Exception:  # a loss may raise anything at a Value that it does not expect
                continue
            if same and self._other is None:
                self._other = self._case_of(loss, target, output)
            return same
        return False

    def _case(self, target: Any, row: list[float]) -> Case:
        """The case of a target; an error if the loss refuses it."""
        error: Exception
        for output in self._possible_outputs(row):
            try:
                return self._case_of(self._loss(output, target), target, output)
            except (ArithmeticError, TypeError, ValueError) as refusal:
                error = refusal
        raise error

    def _possible_outputs(self, row: list[float]) -> Iterator[Any]:
        """What the model gives: for the first row, which may not go with every target, and for the target's own."""
        yield as_leaves(self._outputs)
        yield as_leaves(self._run.model(row))

    def _as_values(self, target: Any) -> Any:
        """The target as the compiled loss gets it."""
        numbers = self._numbers([target])[0].tolist()
        return [ag.Value(number) for number in numbers] if self._of_rows else ag.Value(numbers)

    def _case_of(self, loss: Value, target: Any, output: Any) -> Case:
        found = leaves(loss)
        read = [value for leaf, value in zip(_flat(output), _flat(self._outputs)) if leaf in found]
        return Case(target, _plain(output), found | (leaves(ag.sum(read)) if read else set()))


def refuse_other_than_means(run: Run) -> None:
    """The gradient of a batch is the mean of those of its rows: the loss has to be one, too."""
    some = range(0, len(run.rows), max(1, len(run.rows) // TRIED))
    wanted = [run.targets[i] for i in some]
    outputs = [as_leaves(run.model(run.rows[i])) for i in some]
    together = checked(run.loss(outputs, wanted)).data
    alone = [checked(run.loss([output], [y])).data for output, y in zip(outputs, wanted)]
    if not _close(together, sum(alone) / len(alone)):
        raise ValueError(
            f"compile=True needs a loss that is the mean over its rows; of {len(wanted)} of them it is "
            f"{together:.6g}, and their mean {sum(alone) / len(alone):.6g}"
        )


def checked(loss: Any) -> Value:
    """What a loss gave, if it is a Value."""
    if not isinstance(loss, ag.Value):
        raise TypeError(f"loss gives one Value, such as a mean over the batch; not {short(loss)}")
    return loss


def _where(chosen: Any, output: Any, otherwise: Any) -> Any:
    """An output laid out as it is, with other numbers in the rows that are not chosen."""
    if isinstance(output, (list, tuple)):
        return [_where(chosen, x, number) for x, number in zip(output, otherwise)]
    return ag.where(chosen, output, otherwise)


def _flat(output: Any) -> list[Any]:
    """The elements of an output, in order."""
    return [x for part in output for x in _flat(part)] if isinstance(output, (list, tuple)) else [output]


def _plain(output: Any) -> Any:
    """The numbers of an output, laid out as it is."""
    if isinstance(output, (list, tuple)):
        return list(map(_plain, output))
    return output.data if isinstance(output, ag.Value) else output


def _is_class(y: Any) -> bool:
    """A whole number from 0; files of numbers have 2.0 for 2."""
    return isinstance(y, (int, float)) and y >= 0 and y == int(y)


def _close(x: float, y: float) -> bool:
    return x == y or abs(x - y) <= 1e-9 * max(1.0, abs(x), abs(y)) or (x != x and y != y)
