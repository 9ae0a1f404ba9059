"""How `fit` computes a step: `EagerSteps` one row after the other, `CompiledSteps` all rows of a batch at once.

Both have step(batch, epoch), validation() and write_back(), and give the same numbers but for rounding.
"""

from __future__ import annotations

import math
from operator import eq
from typing import TYPE_CHECKING, Any

import autograd as ag
from autograd.bulk import data_of, set_data, set_gradients

from .arguments import short
from .classifier import chosen_class, kind_of_outputs
from .evaluation import as_leaves, as_list, as_numbers
from .optim import Optimizer

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Protocol

    import numpy

    from autograd import Value

    class Run(Protocol):
        """What a training has that its steps need."""

        model: Any
        loss: Any
        optimizer: Any
        parameters: list[Value]
        rows: list[list[float]]
        targets: list[Any]
        held_out: tuple[list[list[float]], list[Any]] | None
        classes: str


#: What a loss and the number of right answers are told by.
ADVICE = "take a smaller lr or standardise X"

#: How many rows are looked at to see that a loss is a mean over rows.
TRIED = 20

#: How many different targets are given to the loss before the training, which may refuse some.
CHECKED = 1000


class EagerSteps:
    """Records the graph of every row."""

    def __init__(self, run: Run) -> None:
        self._run = run

    def step(self, batch: Sequence[int] | None, epoch: int) -> tuple[float, int]:
        """One step of the optimiser; the loss before it, and how many outputs were right.

        Args:
            batch: the places of the rows, None for all of them.
        """
        run = self._run
        places = range(len(run.rows)) if batch is None else batch
        wanted = [run.targets[i] for i in places]
        outputs = [run.model(run.rows[i]) for i in places]
        loss = self._loss(outputs, wanted)
        if not math.isfinite(loss.data):
            raise FloatingPointError(
                f"the loss became {loss.data} in epoch {epoch}: {ADVICE}; "
                "autograd.diagnose(loss) tells where in the graph it arose"
            )
        run.optimizer.zero_grad()
        loss.backward()
        before = [parameter.data for parameter in run.parameters]
        try:
            run.optimizer.step()
        except BaseException as error:  # a step that Ctrl-C cuts short has not been taken
            set_numbers(run.parameters, before)
            _note(error, epoch, loss.data)
            raise
        return loss.data, self._right(outputs, wanted)

    def validation(self) -> tuple[float, int]:
        """The loss of the rows that were held out, and how many outputs were right."""
        assert self._run.held_out is not None
        rows, wanted = self._run.held_out
        outputs = [as_leaves(self._run.model(row)) for row in rows]
        return float(self._loss(outputs, wanted).data), self._right(outputs, wanted)

    def write_back(self) -> None:
        """The parameters have their numbers at any time."""

    def read_again(self) -> None:
        """They are read at every step."""

    def _loss(self, outputs: list[Any], wanted: list[Any]) -> Value:
        loss = self._run.loss(outputs, wanted)
        if not isinstance(loss, ag.Value):
            raise TypeError(f"loss gives one Value, such as a mean over the batch; not {short(loss)}")
        return loss

    def _right(self, outputs: list[Any], wanted: list[Any]) -> int:
        """How many outputs speak for the class that is wanted."""
        run = self._run
        if not run.classes:
            return 0
        kind, scores = kind_of_outputs(run.model), [as_numbers(output) for output in outputs]
        if not _tell_classes(run, len(scores[0])):
            return 0
        chosen = [chosen_class(numbers, kind) for numbers in scores]
        if run.classes == "signs":
            chosen = [1 if number else -1 for number in chosen]
        return sum(map(eq, chosen, wanted))


class CompiledSteps:
    """Keeps all parameters in one array from the first step to the last; `write_back` puts them into the model."""

    def __init__(self, run: Run) -> None:
        import numpy

        self._run = run
        self._X = numpy.array(run.rows, float)
        self._width = len(as_list(run.model(run.rows[0])))
        self._one_hot = self._width > 1 and all(map(_is_class, run.targets))
        self._y = numpy.array(run.targets)
        self._columns = self._as_columns(self._y)
        self._refuse_targets()
        self._sum_over_classes = self._one_hot and not self._takes_one_hot()
        self._refuse_other_than_means()
        self._compiled = ag.compile(self._loss_and_scores)
        _tell_classes(run, self._width)
        limits = {"scores": 0.0, "probabilities": 0.5, "log_probabilities": -math.log(2)}
        self._limit = limits[kind_of_outputs(run.model)]
        self._signs = run.classes == "signs"
        self._numbers: numpy.ndarray | None = None  # None until the first step has been compiled
        self._written = True

    def step(self, batch: Sequence[int] | None, epoch: int) -> tuple[float, int]:
        """One step of the optimiser; the loss before it, and how many outputs were right.

        Args:
            batch: the places of the rows, None for all of them.
        """
        X, columns, y = self._X, self._columns, self._y
        if batch is not None:
            X, columns, y = X[batch], columns[batch], y[batch]
        try:
            if self._numbers is None:
                self._start(X, columns)
            found = self._compiled.at(self._numbers, X, columns)
        except FloatingPointError as error:
            raise FloatingPointError(f"{error}; this was in epoch {epoch}: {ADVICE}") from None
        loss = found.totals[0] / len(X)
        right = self._right(found.values, y)
        try:
            self._move(found.gradients)
        except BaseException as error:
            _note(error, epoch, loss)
            raise
        return loss, right

    def validation(self) -> tuple[float, int]:
        """The loss of the rows that were held out, and how many outputs were right."""
        import numpy

        assert self._run.held_out is not None
        rows, wanted = self._run.held_out
        y = numpy.array(wanted)
        found = self._compiled.at(self._numbers, numpy.array(rows, float), self._as_columns(y), gradients=False)
        return found.totals[0] / len(rows), self._right(found.values, y)

    def write_back(self) -> None:
        """Put the numbers into the parameters; what was not moved keeps its own."""
        if not self._written and self._numbers is not None:
            set_data(self._compiled.flat_parameters, self._numbers)
            self._written = True

    def read_again(self) -> None:
        """Take over what a callback may have set."""
        if self._numbers is not None:
            self._numbers = data_of(self._compiled.flat_parameters)

    # ----- The function of one row -----

    def _loss_and_scores(self, x: Any, y: Any) -> list[Value]:
        output = self._run.model(list(x))
        if not self._one_hot:
            return [self._checked(self._run.loss([output], [y])), *as_list(output)]
        if not self._sum_over_classes:
            return [self._checked(self._run.loss([output], [list(y)])), *output]
        losses = [self._run.loss([output], [number]) for number in range(len(y))]
        return [self._checked(ag.dot(y, losses)), *output]

    def _checked(self, loss: Any) -> Any:
        if not isinstance(loss, ag.Value):
            raise TypeError(f"loss gives one Value, such as a mean over the batch; not {short(loss)}")
        return loss

    def _as_columns(self, y: numpy.ndarray) -> numpy.ndarray:
        """Targets as they enter: classes as columns of 0 and 1."""
        import numpy

        if not self._one_hot:
            return y.astype(float)
        columns: numpy.ndarray = y[:, None] == numpy.arange(max(self._width, int(y.max()) + 1))
        return columns.astype(float)

    def _takes_one_hot(self) -> bool:
        """Whether the loss takes a probability for each class in the place of a class, of every class."""
        run = self._run
        output = as_leaves(run.model(run.rows[0]))
        for number in range(self._width):
            try:
                loss = run.loss([output], [[float(i == number) for i in range(self._width)]])
            except (TypeError, ValueError):
                return False
            if not (isinstance(loss, ag.Value) and _close(loss.data, run.loss([output], [number]).data)):
                return False
        return True

    def _refuse_targets(self) -> None:
        """Let the loss look at all the targets that there are: compiled, it would look at the first one alone."""
        run = self._run
        held_out = run.held_out[1] if run.held_out else []
        different = {str(y): y for y in [*run.targets, *held_out]}
        wanted = list(different.values())[:CHECKED]
        output = as_leaves(run.model(run.rows[0]))
        try:
            run.loss([output] * len(wanted), wanted)
        except ValueError as error:
            if str(error).startswith("target"):  # else it is about this row's output, which belongs to another target
                raise

    def _refuse_other_than_means(self) -> None:
        """The gradient of a batch is the mean of those of its rows: the loss has to be one, too."""
        run = self._run
        some = range(0, len(run.rows), max(1, len(run.rows) // TRIED))
        rows, wanted = [run.rows[i] for i in some], [run.targets[i] for i in some]
        outputs = [as_leaves(run.model(row)) for row in rows]
        together = self._checked(run.loss(outputs, wanted)).data
        alone = [self._checked(run.loss([output], [y])).data for output, y in zip(outputs, wanted)]
        if not _close(together, sum(alone) / len(alone)):
            raise ValueError(
                f"compile=True needs a loss that is the mean over its rows; of {len(rows)} of them it is "
                f"{together:.6g}, and their mean {sum(alone) / len(alone):.6g}"
            )

    # ----- Steps on an array -----

    def _start(self, X: numpy.ndarray, columns: numpy.ndarray) -> None:
        """Compile, and take over the parameters."""
        import numpy

        compiled, optimizer = self._compiled, self._run.optimizer
        compiled.record(X, columns)
        leaves = compiled.flat_parameters
        # What the user has changed of an optimiser works on Values.
        own = [name for name in ("step", "zero_grad") if getattr(optimizer, name, None) != _usual(optimizer, name)]
        self._flat = isinstance(optimizer, Optimizer) and not own
        if self._flat:
            place = {id(leaf): i for i, leaf in enumerate(leaves)}
            moved = [i for i, parameter in enumerate(optimizer.params) if id(parameter) in place]
            if not moved:
                raise ValueError("the loss does not depend on any of the optimizer's parameters")
            #: For each number that moves, its place in the array, and in the optimiser's list.
            self._at = numpy.array([place[id(optimizer.params[i])] for i in moved])
            self._places = None if len(moved) == len(optimizer.params) else numpy.array(moved)
            self._all = len(moved) == len(leaves) and bool((self._at == numpy.arange(len(leaves))).all())
        self._numbers = data_of(leaves)

    def _move(self, gradients: numpy.ndarray) -> None:
        assert self._numbers is not None
        if not self._flat:
            self._move_by_values(gradients)
        elif self._all:
            self._numbers = self._run.optimizer.array_step(self._numbers, gradients, self._places)
        else:
            moved = self._run.optimizer.array_step(self._numbers[self._at], gradients[self._at], self._places)
            numbers = self._numbers.copy()  # an interrupt finds the old array or the new one
            numbers[self._at] = moved
            self._numbers = numbers
        self._written = False

    def _move_by_values(self, gradients: numpy.ndarray) -> None:
        """With an optimiser of the user's own, which knows Values alone."""
        leaves, optimizer = self._compiled.flat_parameters, self._run.optimizer
        assert self._numbers is not None
        optimizer.zero_grad()
        set_gradients(leaves, gradients)
        try:
            optimizer.step()
        except BaseException:
            set_data(leaves, self._numbers)
            raise
        self._numbers = data_of(leaves)

    def _right(self, values: numpy.ndarray, y: numpy.ndarray) -> int:
        """How many outputs, which come after the loss, speak for the class that is wanted."""
        import numpy

        if not self._run.classes:
            return 0
        if self._width > 1:
            chosen = values[:, 1:].argmax(1)
            return int(numpy.count_nonzero((numpy.where(chosen, 1, -1) if self._signs else chosen) == y))
        return int(numpy.count_nonzero((values[:, 1] > self._limit) == (y > 0)))


Steps = EagerSteps | CompiledSteps


def set_numbers(parameters: Sequence[Value], numbers: Iterable[float]) -> None:
    """Give the parameters these numbers."""
    for parameter, number in zip(parameters, numbers):
        parameter.data = number


def _usual(optimizer: Any, name: str) -> Any:
    return getattr(Optimizer, name).__get__(optimizer)


def _is_class(y: Any) -> bool:
    """A whole number from 0; files of numbers have 2.0 for 2."""
    return isinstance(y, (int, float)) and y >= 0 and y == int(y)


def _tell_classes(run: Run, width: int) -> bool:
    """Whether the targets are classes to choose from; with one output, whole numbers above 1 are to come near to."""
    if width == 1 and run.classes == "numbers" and max(run.targets) > 1:
        run.classes = ""
    return bool(run.classes)


def _note(error: BaseException, epoch: int, loss: float) -> None:
    if isinstance(error, (ArithmeticError, ValueError)):
        error.add_note(f"This was in epoch {epoch} of fit, where the loss was {loss:g}.")


def _close(x: float, y: float) -> bool:
    return x == y or abs(x - y) <= 1e-9 * max(1.0, abs(x), abs(y)) or (x != x and y != y)
