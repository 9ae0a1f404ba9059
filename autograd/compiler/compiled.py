"""What `autograd.compile` gives: `f = compile(loss_of_one_example)`, then `f(X, y)`, `f.backward(X, y)`."""

from __future__ import annotations

from operator import is_
from threading import RLock
from typing import TYPE_CHECKING

import numpy

from ..bulk import data_of, set_gradients
from ..primitives import is_of_primitive
from ..scalars import with_article
from .arguments import as_array, common_length, far_apart, narrowed, row
from .program import Program
from .recording import Recording, record, settled
from .replays import RAISING, TOLERANCES, are_finite, compare, complain, exactly, holding, is_finite, replays

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from ..value import Value
    from .binding import Array
    from .execution import Outcome
    from .replays import Replay


#: What a program may compute; and what needs no comparison any more, once its numbers were compared.
VERIFIED = {
    "values": ("values",),
    "gradients": ("values", "gradients"),
    "input gradients": ("values", "gradients", "input gradients"),
}


class Compiled:
    """What `compile` makes of a function of one example."""

    def __init__(self, f: Callable[..., Any], dtype: str, verify: int) -> None:
        if not callable(f):
            raise TypeError(f"compile takes a function of one example, not {with_article(type(f).__name__)}")
        try:
            name = "" if dtype is None else numpy.dtype(dtype).name
        except TypeError:
            name = ""
        if name not in TOLERANCES:
            raise ValueError(f"dtype is 'float64' or 'float32', not {dtype!r}")
        if isinstance(verify, bool) or not isinstance(verify, int) or verify < 0:
            raise ValueError(f"verify is a number of rows, 0 or more; not {verify!r}")
        self._f = f
        self._dtype = name
        self._first_verify = verify
        self._verify = dict.fromkeys(VERIFIED, verify)
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
        """Record the function now, on the first row of a batch; rows are compared at the first call."""
        with self._lock:
            self._prepared(args)

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

    @property
    def arrays(self) -> dict[str, Any]:
        """The numbers of the parameters now, in arrays by the names that `source` gives them.

        After `exec(f.source, space)`, `space["loss"](X, y, **f.arrays)` is what `f(X, y)` gives.
        """
        program = self._program("gradients")
        return program.arrays(self.__name__, self._shapes, self._numbers(program))

    def explain(self) -> str:
        """How many nodes of the recorded graph became how many calls of NumPy."""
        return self._program("gradients").explanation()

    def __reduce__(self) -> tuple[Any, ...]:
        """A copy is recorded anew."""
        return Compiled, (self._f, self._dtype, self._first_verify)

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

    def _prepared(self, args: Sequence[Any], count: int = 0) -> tuple[list[Array], list[Replay]]:
        """The arguments, as arrays of shape (n, d). The function is recorded, if it was not before.

        Args:
            count: how many rows f is to compute itself, if it is recorded now.

        Returns:
            The arrays, and these replays.
        """
        if (last := self._last) is not None and len(args) == len(last[0]) and all(map(is_, args, last[0])):
            return last[1], []  # a loop over full batches gives the same arrays again and again
        if not args:
            raise TypeError(f"{self.__name__} takes one array for each argument of the function")
        arrays = [as_array(arg, i, self._dtype) for i, arg in enumerate(args)]
        n = common_length(arrays)
        shapes = [array.shape[1:] for array in arrays]
        tables = [array if array.ndim == 2 else array.reshape(n, -1) for array in arrays]
        known: list[Replay] = []
        if self._recording is None:
            self._shapes = shapes
            self._recording, known = self._first_recording(args, tables, count)
        if shapes != self._shapes:
            wanted, given = (", ".join(map(str, some)) for some in (self._shapes, shapes))
            raise ValueError(f"{self.__name__} was compiled for rows of shapes {wanted}; these have {given}")
        # A list may hold other numbers next time, and so may an array of which this is a copy.
        same = all(map(is_, arrays, args)) and all(map(numpy.may_share_memory, tables, arrays))
        self._last = (args, tables) if same else None
        return tables, known

    def _first_recording(
        self, args: Sequence[Any], tables: Sequence[Array], count: int
    ) -> tuple[Recording, list[Replay]]:
        """What the first row records, and some rows as f itself computes them.

        Branches are refused while recording, before f sees plain numbers, with which it may go round for ever.
        """
        example = [row(arg, 0) for arg in args]
        try:
            recording = record(self._f, example)
            with holding(recording.captured, [leaf.data for leaf in recording.captured]):
                known = self._replays(args, tables, count)
            return settled(recording, self._f, example, {leaf for replay in known for leaf in replay.gradients}), known
        except (ArithmeticError, ValueError) as error:
            if isinstance(error, ArithmeticError) or is_of_primitive(error):
                raise FloatingPointError(f"in row 0 of the batch: {error}") from None
            raise

    def _replays(self, args: Sequence[Any], tables: Sequence[Array], count: int) -> list[Replay]:
        """The rows that are compared, as f computes them; none if it fails, which is told when more is known.

        Found before there is a program: its many objects make the garbage collector slow.
        """
        if self._dtype != "float64":  # its parameters are rounded first
            return []
        try:
            return replays(self._f, args, far_apart(tables, count))
        except Exception:
            return []

    # ----- Running -----

    def _run(self, kind: str, args: Sequence[Any], given: Any = None) -> Outcome:
        # Numbers that are given are not those with which f would compute.
        arrays, known = self._prepared(args, self._first_verify if given is None else 0)
        program = self._program(kind)
        numbers = self._numbers(program) if given is None else self._numbers_given(program, given)
        count = self._verify[kind]
        places: list[int] = []  # of the rows to compare
        if count:
            places = [replay.place for replay in known] or far_apart(arrays, count)
        alone = places if program.has_gradients else []
        outcome = self._quick(program, numbers, arrays, alone)
        if outcome is None:
            run = self._f, program, numbers, args, arrays
            complain(run)
            outcome = exactly(run, alone)
        if count:
            if not known:
                with holding(program.parameters, numbers.tolist()):
                    known = replays(self._f, args, places)
            compare(known, outcome, program)
            if known:
                self._verify.update(dict.fromkeys(VERIFIED[kind], 0))
        return outcome

    def _quick(
        self, program: Program, numbers: Array, arrays: Sequence[Array], alone: Sequence[int]
    ) -> Outcome | None:
        """The outcome, if all numbers are finite from the first to the last."""
        try:
            with numpy.errstate(**RAISING):
                if not are_finite((numbers, *arrays)):
                    return None
                outcome = program.machine.run(numbers, arrays, alone)
                return outcome if is_finite(outcome) else None
        except (ArithmeticError, ValueError):
            return None

    def _numbers(self, program: Program) -> Array:
        numbers = data_of(program.parameters)
        return numbers if self._dtype == "float64" else narrowed(numbers, self._dtype, "the list of parameters")

    def _numbers_given(self, program: Program, given: Any) -> Array:
        numbers = numpy.asarray(given, self._dtype)
        parameters = self.flat_parameters
        if numbers.shape != (len(parameters),):
            wanted = f"one for each of the {len(parameters)} parameters"
            raise ValueError(f"numbers has {wanted}; its shape is {numbers.shape}")
        return program.in_order_of(numbers, parameters)
