"""The loss of one row as a function that can be compiled, in which the row's target is one number or several.

    row_loss = RowLoss(task)        # an error if the loss is no mean over rows
    row_loss.columns(targets)       # the targets as an array of numbers
    row_loss(output, numbers)       # the loss of one output, given its target's row of that array

Compiled, a loss does one thing with all rows. Most losses compute with their targets: what they do with one they do
with another, and the target is a number, or for a class a row of 0 and 1. `same_operations` tells: their graph is the
same with Values in the target's place. Others choose by it, as `-log(row[c])` and `if y == 1` do. Each target with
which the loss does something of its own is a case; the loss of a row is that of its case, times 1, and those of the
others, times 0. Where these are not finite, as -log of another class's probability of 0, `shelter()` keeps a case from
seeing the outputs of rows that are not its own.
"""

from __future__ import annotations

import math
from functools import partial
from itertools import starmap
from typing import TYPE_CHECKING, Any, NamedTuple

import autograd as ag

from .arguments import short
from .evaluation import as_leaves, as_list, as_numbers
from .graphs import leaves, same_operations

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import Protocol

    import numpy

    from autograd import Value

    Example = tuple[Any, list[float]]  # a target, and a row that has it

    class Task(Protocol):
        """What is learnt, by which loss."""

        model: Any
        loss: Any
        rows: list[list[float]]
        targets: list[Any]
        held_out: tuple[list[list[float]], list[Any]] | None


#: How many rows are looked at to see that a loss is a mean over rows.
TRIED = 20

#: How many cases there may be: each is computed for every row.
MOST_CASES = 100


class Case(NamedTuple):
    """What the loss does with one target, or with all that are no case of their own."""

    target: Any  # the target; of the case of all others, one of them
    output: Any  # an output that the loss takes with it, without the graph it comes from
    loss: Value  # what it is then


class RowLoss:
    """The loss of a row, and the targets as the numbers that it takes."""

    def __init__(self, task: Task) -> None:
        self._task = task
        self._outputs = task.model(task.rows[0])
        self.width = _width(self._outputs)
        self._sheltered = False
        #: The cases of one target each, by the target's text, and the one of all others.
        self._own: dict[str, Case] = {}
        self._other: Case | None = None
        self._one_hot = False
        self._find_cases()
        refuse_other_than_means(task)

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
            return self._loss(output, self._as_target(numbers))
        cases = self.cases
        chosen, rest = list(numbers[: len(cases)]), list(numbers[len(cases) :])
        targets = [case.target for case in cases]
        if self._other is not None:
            targets[-1] = self._as_target(rest if self._of_rows else rest[0])
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

    def reads(self, case: Case) -> set[Value]:
        """The leaves that the loss depends on in this case: by the outputs that it reads, and beside them."""
        found = leaves(case.loss)
        read = [value for leaf, value in zip(as_list(case.output), as_list(self._outputs)) if leaf in found]
        return found.union(*map(leaves, read))

    @property
    def _of_rows(self) -> bool:
        """Whether the loss takes several numbers as a target."""
        return self._one_hot or isinstance(self._task.targets[0], list)

    def _numbers(self, targets: Sequence[Any]) -> numpy.ndarray:
        import numpy

        y = numpy.array(targets, float)
        return (y[:, None] == numpy.arange(self.width)).astype(float) if self._one_hot else y

    def _as_values(self, target: Any) -> Any:
        """A target as the compiled loss gets it."""
        numbers = self._numbers([target])[0].tolist()
        return list(map(ag.Value, numbers)) if self._of_rows else ag.Value(numbers)

    def _as_target(self, numbers: Any) -> Any:
        """What the loss takes in the place of a target: a list, or one number alone."""
        return list(numbers) if self._of_rows else numbers

    def _loss(self, output: Any, target: Any) -> Value:
        return as_value(self._task.loss([output], [target]))

    # ----- Cases -----

    def _find_cases(self) -> None:
        """Classes are given to the loss as numbers if it computes with these, else as rows of 0 and 1."""
        examples = self._examples()
        self._other = self._case_of_others(examples)
        if self._other is None and self.width > 1 and all(map(_is_class, self._task.targets)):
            self._one_hot = True
            self._other = self._case_of_others(examples)
        for target, row in examples:
            if self._other is None or self._computes_with(target, row) is None:
                self._own[repr(target)] = self._case(target, row)
            if len(self._own) > MOST_CASES:
                raise ValueError(
                    f"the loss does something of its own with each of more than {MOST_CASES} targets, such as "
                    f"{short(target)}, where compile=True needs one that computes with Values: write it with "
                    "operators and autograd's functions of the target, such as where(y > 0, a, b)"
                )

    def _examples(self) -> list[Example]:
        """All the targets that there are, each once: compiled, the loss would look at the first one alone."""
        task = self._task
        first: dict[str, Example] = {}
        rows, targets = task.held_out or ([], [])
        for row, target in zip([*task.rows, *rows], [*task.targets, *targets]):
            first.setdefault(repr(target), (target, row))
        # In order, as classes are among the outputs: then arrays are read row after row.
        return sorted(first.values(), key=lambda example: list(as_list(example[0])))

    def _case_of_others(self, examples: list[Example]) -> Case | None:
        """The case of all targets that the loss computes with, as found with the first one of them, if there is one."""
        if self._chooses(*examples[0]):
            return None
        # If more than these are cases of their own, there are too many.
        return next(filter(None, starmap(self._computes_with, examples[: MOST_CASES + 1])), None)

    def _computes_with(self, target: Any, row: list[float]) -> Case | None:
        """The case of a target with which the loss does what it would do with Values in its place."""
        for output in self._possible_outputs(row):
            try:
                loss = self._loss(output, target)
                same = same_operations(loss, self._loss(output, self._as_values(target)))
            except Exception:  # a loss may raise anything at a Value that it does not expect
                continue
            return Case(target, output, loss) if same else None
        return None

    def _chooses(self, target: Any, row: list[float]) -> bool:
        """Whether Python decides by the target what is computed, as in `if y > 0`; by the output it must not."""
        if self._refusal(lambda output, numbers: self._loss(output, self._as_target(numbers)), target, row) is None:
            return False
        refusal = self._refusal(lambda output, _: self._loss(output, target), target, row)
        if refusal is not None:
            raise refusal
        return True

    def _refusal(self, f: Callable[[Any, Any], Value], target: Any, row: list[float]) -> TypeError | None:
        """What `compile` has against a function of an output and the target's numbers."""
        for output in self._possible_outputs(row):
            try:
                ag.compile(partial(f, output)).record(self._numbers([target]))
            except TypeError as refusal:
                return refusal
            except Exception:  # as above; it may take the next output
                continue
            return None
        return None

    def _case(self, target: Any, row: list[float]) -> Case:
        """The case of a target; an error if the loss refuses it."""
        error: Exception
        for output in self._possible_outputs(row):
            try:
                return Case(target, output, self._loss(output, target))
            except (ArithmeticError, TypeError, ValueError) as refusal:
                error = refusal
        raise error

    def _possible_outputs(self, row: list[float]) -> Iterator[Any]:
        """What the model gives: for the first row, which may not go with every target, and for the target's own."""
        yield as_leaves(self._outputs)
        yield as_leaves(self._task.model(row))


def refuse_other_than_means(task: Task) -> None:
    """The gradient of a batch is the mean of those of its rows: the loss has to be one, too."""
    some = range(0, len(task.rows), max(1, len(task.rows) // TRIED))
    wanted = [task.targets[i] for i in some]
    outputs = [as_leaves(task.model(task.rows[i])) for i in some]
    loss = task.loss(outputs, wanted)
    if not isinstance(loss, ag.Value):  # it may be a plain number for some rows, and is to be a Value for all
        checked(task.loss([as_leaves(task.model(row)) for row in task.rows], task.targets))
    together = as_value(loss).data
    alone = [as_value(task.loss([output], [y])).data for output, y in zip(outputs, wanted)]
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


def as_value(loss: Any) -> Value:
    """What a loss gave for some rows only, whose outputs it may not depend on: then a number will do."""
    return ag.Value(loss) if isinstance(loss, (int, float)) else checked(loss)


def _width(output: Any) -> int:
    """How many numbers an output has."""
    try:
        return len(as_numbers(output))
    except TypeError:
        raise TypeError(
            "compile=True needs a model that gives a Value for a row, or a list of them that has no lists inside; "
            f"not {short(output)}"
        ) from None


def _where(chosen: Any, output: Any, otherwise: Any) -> Any:
    """An output, with other numbers in the rows that are not chosen."""
    found = [ag.where(chosen, x, number) for x, number in zip(as_list(output), as_numbers(otherwise))]
    return found if isinstance(output, (list, tuple)) else found[0]


def _is_class(y: Any) -> bool:
    """A whole number from 0; files of numbers have 2.0 for 2."""
    return isinstance(y, (int, float)) and y >= 0 and y == int(y)


def _close(x: float, y: float) -> bool:
    return math.isclose(x, y, rel_tol=1e-9, abs_tol=1e-9) or (x != x and y != y)
