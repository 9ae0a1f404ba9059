"""Some rows of a batch as the function itself computes them: to name what went wrong, and to compare.

`complain` finds the row in which finite numbers end, and the operation; `compare` tells whether compiled numbers are
those of the function.
"""

from __future__ import annotations

import math
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

import numpy

from ..bulk import gradients_kept
from ..graph import nodes, walked
from ..modes import detect_anomaly
from ..primitives import is_of_primitive
from ..value import sweep
from .arguments import row
from .recording import numbers_of, replayed, replayed_on_numbers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from typing import Any

    from ..value import Value
    from .binding import Array
    from .execution import Machine, Outcome
    from .program import Program

    #: A function of one example, its program, the numbers of the parameters, the arguments, and these as arrays.
    Run = tuple[Callable[..., Any], Program, Array, Sequence[Any], Sequence[Array]]

#: How far compiled and eager numbers may be apart, relative to the larger one or to 1.
TOLERANCES = {"float64": 1e-8, "float32": 1e-3}

#: What raises while a program runs: where finite numbers end.
RAISING: dict[str, Any] = {"divide": "raise", "over": "raise", "invalid": "raise", "under": "ignore"}


def is_finite(outcome: Outcome) -> bool:
    """Whether all that was found is."""
    return all(map(math.isfinite, outcome.totals)) and are_finite((outcome.gradients, *outcome.input_gradients))


def are_finite(arrays: Iterable[Array]) -> bool:
    """Whether all numbers are: one look at the sum of their squares, and a second one only where that is not."""
    for array in arrays:
        flat = array.ravel("K")
        try:
            enough = math.isfinite(flat.dot(flat))
        except FloatingPointError:  # squares overflow before numbers do
            enough = False
        if not enough and not numpy.isfinite(flat).all():
            return False
    return True


def complain(run: Run) -> None:
    """Raise FloatingPointError if finite numbers end in a row; nothing if nan or infinity were given."""
    f, program, numbers, args, arrays = run
    if not numpy.isfinite(numbers).all():
        return
    given = numpy.flatnonzero(numpy.all([numpy.isfinite(array).all(1) for array in arrays], 0))
    found = _failing(_unsound(program.machine, numbers, arrays), given)
    if found is None:
        return
    try:
        with detect_anomaly(), holding(program.parameters, numbers.tolist()):
            outputs, _ = replayed(f, [row(arg, found) for arg in args])
            if program.has_gradients:
                _pass_with_a_look(outputs[0])
    except (ArithmeticError, ValueError) as error:
        raise FloatingPointError(f"in row {found} of the batch: {error}") from None
    # What overflows on the way may do no harm, as x * x in the slope of an arctan.
    with numpy.errstate(all="ignore"):
        sound = is_finite(program.exact_machine.run(numbers, [array[found : found + 1] for array in arrays]))
    if not sound:
        raise FloatingPointError(f"in row {found} of the batch: a number becomes nan or infinite in {program.dtype}")


def _pass_with_a_look(root: Value) -> None:
    """A backward pass that raises where it ends to be finite, and leaves no gradients."""
    with gradients_kept(nodes(root)):
        root.backward()


def _gradients(outputs: list[Value]) -> dict[Value, float]:
    """The gradients of the first output, by its leaves and by those of the others: by all that f reads.

    The graph is left as it is.
    """
    seen: set[Value] = set()
    reached = walked(outputs[:1], seen)
    order = reached + walked(outputs[1:], seen)
    with gradients_kept(order):
        for node in order:
            node._grad = 0.0
        outputs[0]._grad = 1.0
        sweep([node for node in reached if node._primitive is not None])
        return {node: node.grad for node in order if node._primitive is None}


def exactly(run: Run, alone: Sequence[int]) -> Outcome:
    """The outcome with nan and infinity among the numbers; what a primitive of arrays refuses is told with its row."""
    _, program, numbers, _, arrays = run
    machine = program.exact_machine

    def fails(some: Array) -> bool:
        try:
            machine.run(numbers, [array[some] for array in arrays])
        except (ArithmeticError, ValueError):
            return True
        return False

    with numpy.errstate(all="ignore"):
        try:
            return machine.run(numbers, arrays, alone)
        except (ArithmeticError, ValueError) as error:
            place = _failing(fails, numpy.arange(len(arrays[0])))
            raise FloatingPointError(f"in row {place} of the batch: {error}") from None


def _unsound(machine: Machine, numbers: Array, arrays: Sequence[Array]) -> Callable[[Array], bool]:
    """Whether finite numbers end in some of the rows."""

    def fails(some: Array) -> bool:
        try:
            with numpy.errstate(**RAISING):
                return not is_finite(machine.run(numbers, [array[some] for array in arrays]))
        except (ArithmeticError, ValueError):
            return True

    return fails


def _failing(fails: Callable[[Array], bool], rows: Array) -> int | None:
    """One of the rows that fail, found by halving; None if there is none."""
    if not len(rows) or not fails(rows):
        return None
    while len(rows) > 1:
        half = rows[: len(rows) // 2]
        rows = half if fails(half) else rows[len(rows) // 2 :]
    return int(rows[0]) if fails(rows) else None


class Replay(NamedTuple):
    """What the function itself gives for a row of the batch."""

    place: int
    values: list[float]
    for_numbers: list[float] | None  # for plain numbers, as a loop would call it; None if it takes Values alone
    gradients: dict[Value, float]  # by the leaves that it reads
    input_gradients: list[list[float]]  # by the elements of each argument


def replays(f: Callable[..., Any], args: Sequence[Any], places: Sequence[int]) -> list[Replay]:
    """Some rows as `f` itself computes them; not those where a primitive refuses what NumPy takes, as sin(inf)."""
    found = []
    for place in places:
        example = [row(arg, place) for arg in args]
        try:
            found.append(_replay(f, example, place))
        except (ValueError, ArithmeticError) as error:
            if not is_of_primitive(error):
                raise
            if all(map(math.isfinite, numbers_of(example))):
                raise FloatingPointError(f"in row {place} of the batch: {error}") from None
    return found


def _replay(f: Callable[..., Any], example: Sequence[Any], place: int) -> Replay:
    outputs, inputs = replayed(f, example)
    values, gradients = [y.data for y in outputs], _gradients(outputs)
    by_inputs = [[gradients.get(x, 0.0) for x in argument] for argument in inputs]
    del outputs  # the graph, before another one is made
    return Replay(place, values, replayed_on_numbers(f, example, values), gradients, by_inputs)


def compare(rows: Sequence[Replay], outcome: Outcome, program: Program) -> None:
    """ValueError if rows have other numbers than the function itself gives them.

    Args:
        outcome: with the gradients of these rows alone, if the program has gradients.
    """
    for place, values, for_numbers, _, _ in rows:
        compiled = outcome.values[place]
        _refuse_difference(place, values, compiled, "gives", program.dtype)
        if for_numbers is not None:
            _refuse_difference(place, for_numbers, compiled, "gives, for plain numbers,", program.dtype)
    for place, _, _, gradients, by_inputs in rows:
        if place in outcome.alone:
            wanted = [gradients.get(parameter, 0.0) for parameter in program.parameters]
            _refuse_difference(place, wanted, outcome.alone[place], "has the gradient", program.dtype)
        for wanted, found in zip(by_inputs, outcome.input_gradients):
            _refuse_difference(place, wanted, found[place], "has, by its inputs, the gradient", program.dtype)


@contextmanager
def holding(parameters: Sequence[Value], numbers: Sequence[float]) -> Iterator[None]:
    """The parameters have these numbers, and get their own back at the end, whatever was done to them."""
    kept = [parameter._data for parameter in parameters]
    try:
        for parameter, number in zip(parameters, numbers):
            parameter._data = number
        yield
    finally:
        for parameter, number in zip(parameters, kept):
            parameter._data = number


def _refuse_difference(place: int, eager: list[float], compiled: Array, verb: str, dtype: str) -> None:
    if len(eager) != len(compiled):
        raise ValueError(f"row {place} {verb} {len(eager)} numbers in the function itself and {len(compiled)} compiled")
    wanted = numpy.array(eager)
    with numpy.errstate(all="ignore"):
        margin = TOLERANCES[dtype] * max(1.0, abs(wanted[numpy.isfinite(wanted)]).max(initial=0.0))
        alike = (abs(wanted - compiled) <= margin) | (wanted == compiled)
    alike |= numpy.isnan(wanted) & numpy.isnan(compiled)
    if not alike.all():
        i = alike.argmin()
        if numpy.isnan(wanted[i]):
            raise FloatingPointError(
                f"row {place} {verb} nan in the function itself, where an infinity meets a 0, and {compiled[i]:.9g} "
                "compiled, which leaves out what is multiplied by 0: diagnose(f(...)) shows where"
            )
        raise ValueError(
            f"row {place} {verb} {wanted[i]:.9g} in the function itself and {compiled[i]:.9g} compiled: it does "
            "something that compile cannot see, such as a branch on x.data, a number taken with .data or float(), or a "
            "random one"
        )
