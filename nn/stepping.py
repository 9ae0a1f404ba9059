"""How `fit` computes a step: `EagerSteps` one row after the other, `CompiledSteps` all rows of a batch at once.

Both have step(batch, epoch), validation(epoch), write_back() and read_again(), and give the same numbers but for
rounding.
"""

from __future__ import annotations

import math
from contextlib import contextmanager
from operator import eq
from typing import TYPE_CHECKING, Any

import autograd as ag
from autograd.bulk import data_of, set_data

from .classifier import chosen_class, kind_of_outputs
from .evaluation import as_leaves, as_list, as_numbers
from .moving import Mover
from .row_losses import RowLoss, as_value, checked

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from typing import Protocol

    import numpy

    from autograd import Value

    from .row_losses import Task

    class Run(Task, Protocol):
        """What a training has that its steps need."""

        optimizer: Any
        parameters: list[Value]
        classes: str


#: What helps where numbers become too large.
ADVICE = "take a smaller lr or standardise X"


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
        with _advising(f"in epoch {epoch}"):
            outputs = [run.model(run.rows[i]) for i in places]
            loss = checked(run.loss(outputs, wanted))
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

    def validation(self, epoch: int) -> tuple[float, int]:
        """The loss of the rows that were held out, and how many outputs were right."""
        assert self._run.held_out is not None
        rows, wanted = self._run.held_out
        with _advising(f"the batch of validation rows in epoch {epoch}"):
            outputs = [as_leaves(self._run.model(row)) for row in rows]
            loss = as_value(self._run.loss(outputs, wanted)).data
        return loss, self._right(outputs, wanted)

    def write_back(self) -> None:
        """The parameters have their numbers at any time."""

    def read_again(self) -> None:
        """They are read at every step."""

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
        self._run = run
        self._row_loss = RowLoss(run)
        self._rows = self._as_arrays(run.rows, run.targets)
        self._held_out = self._as_arrays(*run.held_out) if run.held_out else None
        _tell_classes(run, self._row_loss.width)
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
        X, columns, y = self._rows if batch is None else self._rows_of(batch)
        try:
            found = self._computed(X, columns)
        except FloatingPointError as error:
            raise FloatingPointError(f"{error}; this was in epoch {epoch}: {ADVICE}") from None
        loss = found.totals[0] / len(X)
        right = self._right(found.values, y)
        if self._cases_differ:
            self._reached = self._reached_by_case[self._row_loss.present(columns)].any(0)
        try:
            self._move(found.gradients)
        except BaseException as error:
            _note(error, epoch, loss)
            raise
        return loss, right

    def validation(self, epoch: int) -> tuple[float, int]:
        """The loss of the rows that were held out, and how many outputs were right."""
        assert self._held_out is not None
        X, columns, y = self._held_out
        try:
            found = self._computed(X, columns, gradients=False)
        except FloatingPointError as error:
            what = f"the batch of validation rows in epoch {epoch}"
            raise FloatingPointError(f"{error}; this was {what}: {ADVICE}") from None
        return found.totals[0] / len(X), self._right(found.values, y)

    def write_back(self) -> None:
        """Put the numbers into the parameters; what was not moved keeps its own."""
        if not self._written and self._numbers is not None:
            set_data(self._compiled.flat_parameters, self._numbers)
            self._written = True

    def read_again(self) -> None:
        """Take over what a callback may have set."""
        if self._numbers is not None:
            self._numbers = data_of(self._compiled.flat_parameters)
            self._mover.read_again()

    def _loss_and_scores(self, x: Any, y: Any) -> list[Value]:
        """What is compiled: of one row, its loss and its outputs."""
        output = self._run.model(list(x))
        return [self._row_loss(output, y), *as_list(output)]

    def _as_arrays(self, rows: Sequence[Any], targets: Sequence[Any]) -> list[numpy.ndarray]:
        """The rows, their targets as the loss takes them, and the targets as they are."""
        import numpy

        return [numpy.array(rows, float), self._row_loss.columns(targets), numpy.array(targets)]

    def _rows_of(self, batch: Sequence[int]) -> list[numpy.ndarray]:
        import numpy

        places = numpy.array(batch)
        return [array[places] for array in self._rows]

    def _computed(self, X: numpy.ndarray, columns: numpy.ndarray, *, gradients: bool = True) -> Any:
        """Losses and outputs of rows, and the gradient."""
        try:
            if self._numbers is None:
                self._start(X, columns)
            return self._compiled.at(self._numbers, X, columns, gradients=gradients)
        except (FloatingPointError, ValueError):
            if not self._row_loss.shelter():
                raise
        self.write_back()
        self._start(X, columns)
        return self._compiled.at(self._numbers, X, columns, gradients=gradients)

    def _start(self, X: numpy.ndarray, columns: numpy.ndarray) -> None:
        """Compile, and take over the parameters."""
        import numpy

        self._compiled = ag.compile(self._loss_and_scores)
        self._compiled.record(X, columns)
        leaves = self._compiled.flat_parameters
        self._mover = Mover(self._run.optimizer, leaves)
        #: By case of the loss and by parameter, whether it depends on it: without, there is no gradient.
        read_by_case = map(self._row_loss.reads, self._row_loss.cases)
        self._reached_by_case = numpy.array([[leaf in read for leaf in leaves] for read in read_by_case])
        self._cases_differ = bool((self._reached_by_case != self._reached_by_case[0]).any())
        self._reached = self._reached_by_case[0]
        self._numbers = data_of(leaves)

    def _move(self, gradients: numpy.ndarray) -> None:
        assert self._numbers is not None
        self._numbers = self._mover.moved(self._numbers, gradients, self._reached)
        self._written = False

    def _right(self, values: numpy.ndarray, y: numpy.ndarray) -> int:
        """How many outputs, which come after the loss, speak for the class that is wanted."""
        import numpy

        if not self._run.classes:
            return 0
        if self._row_loss.width > 1:
            chosen = values[:, 1:].argmax(1)
            return int(numpy.count_nonzero((numpy.where(chosen, 1, -1) if self._signs else chosen) == y))
        return int(numpy.count_nonzero((values[:, 1] > self._limit) == (y > 0)))


Steps = EagerSteps | CompiledSteps


def set_numbers(parameters: Sequence[Value], numbers: Iterable[float]) -> None:
    """Give the parameters these numbers."""
    for parameter, number in zip(parameters, numbers):
        parameter.data = number


def _tell_classes(run: Run, width: int) -> bool:
    """Whether the targets are classes to choose from; with one output, whole numbers above 1 are to come near to."""
    if width == 1 and run.classes == "numbers" and max(run.targets) > 1:
        run.classes = ""
    return bool(run.classes)


@contextmanager
def _advising(when: str) -> Iterator[None]:
    """Tell of numbers that became too large, or left where a function is defined, when that was and what helps."""
    try:
        yield
    except (ArithmeticError, ValueError) as error:
        if isinstance(error, (FloatingPointError, OverflowError)) or _is_of_primitive(error):
            raise FloatingPointError(f"{error}; this was {when}: {ADVICE}") from error
        raise


def _is_of_primitive(error: BaseException) -> bool:
    """Whether a primitive raised it, for operands that it does not take; not the model or the loss itself."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return trace is not None and trace.tb_frame.f_globals["__name__"] == ag.primitive.__module__


def _note(error: BaseException, epoch: int, loss: float) -> None:
    if isinstance(error, (ArithmeticError, ValueError)):
        error.add_note(f"This was in epoch {epoch} of fit, where the loss was {loss:g}.")
