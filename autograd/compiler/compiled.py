"""What `autograd.compile` gives: `f = compile(loss_of_one_example)`, then `f(X, y)`, `f.backward(X, y)`."""

from __future__ import annotations

import math
from operator import is_
from threading import RLock
from typing import TYPE_CHECKING

import numpy

from ..bulk import data_of, set_gradients
from ..graph import walked
from ..modes import detect_anomaly
from ..scalars import with_article
from ..steps import adjoints as eager_adjoints
from ..value import Value
from .program import Program
from .recording import Recording, as_values, record, results_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import Any

    from .execution import Array, Outcome

#: How far compiled and eager numbers may be apart, relative to the larger one or to 1.
TOLERANCES = {"float64": 1e-8, "float32": 1e-3}

#: What raises while a program runs: where finite numbers end.
RAISING: dict[str, Any] = {"divide": "raise", "over": "raise", "invalid": "raise", "under": "ignore"}


class Compiled:
    """What `compile` makes of a function of one example."""

    def __init__(self, f: Callable[..., Any], dtype: str, verify: int) -> None:
        if not callable(f):
            raise TypeError(f"compile takes a function of one example, not {with_article(type(f).__name__)}")
        try:
            name = numpy.dtype(dtype).name
        except TypeError:
            name = ""
        if name not in TOLERANCES:
            raise ValueError(f"dtype is 'float64' or 'float32', not {dtype!r}")
        if isinstance(verify, bool) or not isinstance(verify, int) or verify < 0:
            raise ValueError(f"verify is a number of rows, 0 or more; not {verify!r}")
        self._f = f
        self._dtype = name
        self._verify = {"values": verify, "gradients": verify}
        self._recording: Recording | None = None
        self._shapes: list[tuple[int, ...]] = []
        self._programs: dict[str, Program] = {}
        self._last: tuple[Sequence[Any], list[Array]] | None = None  # arguments, and what became of them
        self._lock = RLock()  # the arrays of a program are written by one call at a time
        self.__name__ = getattr(f, "__name__", type(f).__name__)
        self.__doc__ = getattr(f, "__doc__", None)

    @property
    def parameters(self) -> list[Value]:
        """The leaves that the function reads beside its arguments, in the order in which it does."""
        return self._recorded().captured

    def record(self, *args: Any) -> None:
        """Record the function now, on the first row of a batch, as the first call would."""
        with self._lock:
            self._arrays(args)

    def __call__(self, *args: Any) -> Array:
        """The result of each example: of shape (n,), or (n, k) if f gives a list of k."""
        with self._lock:
            outcome = self._run("values", args)
            values = outcome.values
            return values[:, 0] if self._recorded().single else values

    def value_and_grad(self, *args: Any, reduction: str = "mean", inputs: bool = False) -> tuple[Any, ...]:
        """The mean over the batch (or the sum), and its gradient by each of `parameters`.

        Args:
            reduction: "mean" or "sum".
            inputs: whether to give the gradients by the arguments as well, in arrays of their shapes.

        Returns:
            (value, gradients), or (value, gradients, input_gradients).
        """
        if reduction not in ("mean", "sum"):
            raise ValueError(f"reduction is 'mean' or 'sum', not {reduction!r}")
        with self._lock:
            kind = "input gradients" if inputs else "gradients"
            outcome = self._run(kind, args)
            n = len(outcome.values)
            value = outcome.totals[0] / n if reduction == "mean" else outcome.totals[0]
            gradients = self._programs[kind].in_order(outcome.gradients)
            if reduction == "sum":
                gradients *= n
            if not inputs:
                return value, gradients
            by_inputs = [g.reshape(n, *shape) for g, shape in zip(outcome.input_gradients, self._shapes)]
            return value, gradients, tuple(g / n if reduction == "mean" else g for g in by_inputs)

    def backward(self, *args: Any) -> float:
        """Leave the gradient of the mean over the batch in the parameters' `.grad`, in the place of what was there.

        Returns the mean.
        """
        with self._lock:
            outcome = self._run("gradients", args)
            set_gradients(self._programs["gradients"].parameters, outcome.gradients)
            return outcome.totals[0] / len(outcome.values)

    def at(self, numbers: Any, *args: Any, gradients: bool = True) -> Outcome:
        """What the results and the gradient of the mean are if the parameters have these numbers.

        For loops that keep all parameters in one array: their `.data` is not read.

        Args:
            numbers: an array, in the order of `flat_parameters`.
            gradients: False leaves them out.

        Returns:
            `.values`, of shape (n, outputs), their sums over the batch `.totals`, and `.gradients`, in the order of
            `flat_parameters`.
        """
        with self._lock:
            return self._run("gradients" if gradients else "values", args, numbers)

    @property
    def flat_parameters(self) -> list[Value]:
        """The parameters in the order in which a program keeps them: the weights of each layer as in its matrix."""
        return self._program("gradients").parameters

    @property
    def source(self) -> str:
        """What it computes, forward and backward, as NumPy that runs on its own."""
        return self._program("gradients").source(self.__name__, self._shapes)

    def explain(self) -> str:
        """How many nodes of the recorded graph became how many calls of NumPy."""
        return self._program("gradients").explanation()

    def __repr__(self) -> str:
        state = "not recorded yet" if self._recording is None else f"{len(self._recording.order)} nodes for one example"
        return f"<Compiled {self.__name__}: {state}>"

    # ----- Recording -----

    def _recorded(self) -> Recording:
        if self._recording is None:
            raise ValueError(f"{self.__name__} is recorded at its first call: call it on a batch before")
        return self._recording

    def _program(self, kind: str) -> Program:
        if kind not in self._programs:
            self._programs[kind] = Program(self._recorded(), self._f, kind, self._dtype)
        return self._programs[kind]

    def _arrays(self, args: Sequence[Any]) -> list[Array]:
        """The arguments, as arrays of shape (n, d)."""
        if (last := self._last) is not None and len(args) == len(last[0]) and all(map(is_, args, last[0])):
            return last[1]  # a loop over full batches gives the same arrays again and again
        if not args:
            raise TypeError(f"{self.__name__} takes one array for each argument of the function")
        arrays = [_as_array(arg, i, self._dtype) for i, arg in enumerate(args)]
        lengths = [len(array) for array in arrays]
        if min(lengths) != max(lengths):
            raise ValueError(f"the first axis of all arguments is the batch; they have {_listed(lengths)} rows")
        if not lengths[0]:
            raise ValueError("a batch has one row or more; this one has none")
        if self._recording is None:
            self._recording = record(self._f, [_row(arg, 0) for arg in args])
            self._shapes = [array.shape[1:] for array in arrays]
        shapes = [array.shape[1:] for array in arrays]
        if shapes != self._shapes:
            wanted, given = _listed(self._shapes), _listed(shapes)
            raise ValueError(f"{self.__name__} was compiled for rows of shapes {wanted}; these have {given}")
        same = all(map(is_, arrays, args))  # a list, or an array of another type, may hold other numbers next time
        arrays = [array if array.ndim == 2 else array.reshape(lengths[0], -1) for array in arrays]
        self._last = (args, arrays) if same else None
        return arrays

    # ----- Running -----

    def _run(self, kind: str, args: Sequence[Any], numbers: Any = None) -> Outcome:
        arrays = self._arrays(args)
        program = self._program(kind)
        if numbers is None:
            numbers = data_of(program.parameters)
        elif kind != "gradients":
            numbers = program.in_order_of(numbers, self.flat_parameters)
        try:
            with numpy.errstate(**RAISING):
                outcome = program.machine.run(numbers, arrays)
                sound = _is_finite(outcome)
        except FloatingPointError:
            sound = False
        if not sound:
            outcome = self._looked_into(program, numbers, arrays, args)
        if self._verify["values"] or self._verify["gradients"]:
            self._compare(kind, outcome, numbers, arrays, args)
        return outcome

    def _looked_into(self, program: Program, numbers: Any, arrays: list[Array], args: Sequence[Any]) -> Outcome:
        """Where a nan or an infinity arose, an error; if they were given, the outcome that follows from them."""
        if numpy.isfinite(numbers).all():
            given = numpy.flatnonzero(numpy.all([numpy.isfinite(array).all(1) for array in arrays], 0))
            row = _first_failing(program, numbers, arrays, given)
            if row is not None:
                self._complain(row, args)
        with numpy.errstate(all="ignore"):
            return program.exact_machine.run(numbers, arrays)

    def _complain(self, row: int, args: Sequence[Any]) -> None:
        """Compute the row with `f` itself, whose errors name the operation."""
        try:
            with detect_anomaly():
                outputs = results_of(self._f(*[as_values(_row(arg, row)) for arg in args]))
                eager = outputs[0]
                copies = {}
                for leaf in walked([eager], set()):
                    if leaf.primitive is None:
                        copies[leaf] = leaf._grad
                try:
                    eager.backward()
                finally:
                    for leaf, grad in copies.items():
                        leaf._grad = grad
        except (ArithmeticError, ValueError) as error:
            raise FloatingPointError(f"in row {row} of the batch: {error}") from None

    # ----- Comparing with f -----

    def _compare(self, kind: str, outcome: Outcome, numbers: Any, arrays: list[Array], args: Sequence[Any]) -> None:
        """Some rows of the first call of a kind, as `f` itself computes them."""
        what = "values" if kind == "values" else "gradients"
        count, self._verify[what] = self._verify[what], 0
        if what == "gradients":
            self._verify["values"] = 0
        program = self._programs[kind]
        data = dict(zip(program.parameters, numpy.asarray(numbers).tolist()))
        kept = {parameter: parameter._data for parameter in data}
        try:
            for parameter, number in data.items():
                parameter._data = number
            for row in _far_apart(arrays, count):
                outputs = results_of(self._f(*[as_values(_row(arg, row)) for arg in args]))
                self._refuse_difference(row, [y.data for y in outputs], outcome.values[row].tolist(), "gives")
                if what == "gradients":
                    found = eager_adjoints(outputs[0])
                    wanted = [found.get(parameter, 0.0) for parameter in program.parameters]
                    with numpy.errstate(all="ignore"):
                        alone = program.machine.run(numbers, [array[row : row + 1] for array in arrays])
                    self._refuse_difference(row, wanted, alone.gradients.tolist(), "has the gradient")
        finally:
            for parameter, number in kept.items():
                parameter._data = number

    def _refuse_difference(self, row: int, eager: list[float], compiled: list[float], verb: str) -> None:
        tolerance = TOLERANCES[self._dtype]
        size = max([1.0, *[abs(x) for x in eager if math.isfinite(x)]])
        for x, y in zip(eager, compiled):
            if not (abs(x - y) <= tolerance * size or x == y or (x != x and y != y)) or len(eager) != len(compiled):
                raise ValueError(
                    f"row {row} {verb} {x:.9g} in {self.__name__} itself and {y:.9g} compiled: it does something that "
                    "compile cannot see, such as a branch on x.data, a number taken with .data, or one drawn at random"
                )


# ----- Arguments -----


def _as_array(arg: Any, place: int, dtype: str) -> Array:
    if type(arg) is numpy.ndarray and arg.dtype == dtype and arg.ndim:
        return arg
    try:
        array = numpy.asarray(arg)
    except ValueError:
        raise ValueError(f"argument {place} has rows of different lengths: a batch is an array") from None
    if array.dtype.kind not in "fiub":
        advice = "; give numbers, Values are what the function closes over" if array.dtype.kind == "O" else ""
        raise TypeError(f"argument {place} is to be an array of real numbers, not of {array.dtype}{advice}")
    if not array.ndim:
        raise ValueError(f"argument {place} is one number; its first axis is to be the batch")
    return array.astype(dtype)


def _row(arg: Any, i: int) -> Any:
    return arg[i] if isinstance(arg, (list, tuple, numpy.ndarray)) else numpy.asarray(arg)[i]


def _listed(things: Iterable[Any]) -> str:
    return ", ".join(map(str, things))


# ----- Rows -----


def _is_finite(outcome: Outcome) -> bool:
    numbers = [*outcome.totals, numpy.add.reduce(outcome.gradients)]
    numbers += [gradients.sum() for gradients in outcome.input_gradients]
    return all(map(math.isfinite, numbers))


def _first_failing(program: Program, numbers: Any, arrays: list[Array], rows: Array) -> int | None:
    """One of the rows in which finite numbers end, found by halving; None if there is none."""

    def fails(some: Array) -> bool:
        try:
            with numpy.errstate(**RAISING):
                return not _is_finite(program.machine.run(numbers, [array[some] for array in arrays]))
        except FloatingPointError:
            return True

    if not len(rows) or not fails(rows):
        return None
    while len(rows) > 1:
        half = rows[: len(rows) // 2]
        rows = half if fails(half) else rows[len(rows) // 2 :]
    return int(rows[0]) if fails(rows) else None


def _far_apart(arrays: list[Array], count: int) -> list[int]:
    """Rows that are as unlike the first one, which was recorded, and each other as there are."""
    table = numpy.concatenate([array.astype(float) for array in arrays], 1)
    with numpy.errstate(all="ignore"):
        scale = table.std(0)
        table = numpy.nan_to_num((table - table[0]) / numpy.where(scale > 0, scale, 1.0))
    chosen: list[int] = []
    distance = (table * table).sum(1)
    for _ in range(min(count, len(table))):
        chosen.append(int(distance.argmax()))
        distance = numpy.minimum(distance, ((table - table[chosen[-1]]) ** 2).sum(1))
    return list(dict.fromkeys(chosen))
