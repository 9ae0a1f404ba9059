"""Calls a function of one example: `record(f, example)` for its tape, `replayed(f, example)` as itself.

Every example of a batch takes the path that the recorded one took, so a branch on a Value is refused while recording,
at the user's line.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ..branches import refuse_branch
from ..graph import walked
from ..modes import Change
from ..origins import calling_line
from ..scalars import with_article
from ..structures import Structure
from ..value import Value

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any, NoReturn


class Input(Value):
    """A number of the example that is recorded. What Python would decide by it is refused."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        return self is other or refuse_branch("a comparison with == (or `in`)")

    def __ne__(self, other: object) -> bool:
        return self is not other and refuse_branch("a comparison with !=")

    __hash__ = Value.__hash__

    def __index__(self) -> NoReturn:
        line = calling_line()
        raise TypeError(
            f"compile makes a Value of every number of the example, and a Value is no place in a list ({line}: "
            f"{line.text}); for a class, give a row of 0 and 1 such as numpy.eye(3)[y], or use nn.fit(compile=True)"
        )


Input.__name__ = "Value"  # this is how it prints


class Recording(NamedTuple):
    """What the function did."""

    inputs: list[list[Value]]  # the elements of each argument
    outputs: list[Value]
    single: bool  # whether it returned a Value, not a list of them
    order: list[Value]  # the graph of all outputs
    captured: list[Value]  # the leaves that it reads beside its arguments, in the order in which it does
    constants: list[Value]  # the leaves that it makes anew at each call


def record(f: Callable[..., Any], example: Sequence[Any]) -> Recording:
    """What `f` does with an example; all leaves beside its arguments count as captured. See `settled`."""
    structures = [Structure(argument) for argument in example]
    inputs: list[list[Value]] = [[Input(_number(x)) for x in structure.leaves] for structure in structures]
    result = _called(f, [s.rebuilt(list(values)) for s, values in zip(structures, inputs)], compiling=True)
    outputs = results_of(result)
    order = walked(outputs, set())
    own = {x for argument in inputs for x in argument}
    leaves = [node for node in order if node._primitive is None and node not in own]
    return Recording(inputs, outputs, isinstance(result, Value), order, leaves, [])


def settled(recording: Recording, f: Callable[..., Any], example: Sequence[Any], met: set[Value]) -> Recording:
    """The recording, in which leaves that `f` makes anew at each call are constants.

    To tell, `f` is called a second time, unless it is known to read all leaves at other calls, too.

    Args:
        met: the leaves that it read at these.
    """
    leaves = recording.captured
    if not met.issuperset(leaves):
        met = met.union(record(f, example).captured)
    captured = [leaf for leaf in leaves if leaf in met]
    return recording._replace(captured=captured, constants=[leaf for leaf in leaves if leaf not in met])


def replayed(f: Callable[..., Any], example: Sequence[Any]) -> tuple[list[Value], list[list[Value]]]:
    """What `f` itself gives for an example of Values, and these, argument by argument."""
    structures = [Structure(argument) for argument in example]
    inputs = [[Value(_number(x)) for x in structure.leaves] for structure in structures]
    result = _called(f, [s.rebuilt(list(values)) for s, values in zip(structures, inputs)])
    return results_of(result, numbers=True), inputs


def replayed_on_numbers(f: Callable[..., Any], example: Sequence[Any], values: list[float]) -> list[float] | None:
    """What `f` gives for plain numbers, as a loop over the rows would call it; None if it takes Values alone.

    `y == 1` is true of a number, and never of a Value. What it raises, whatever it is, comes of the numbers not being
    Values, for which it has a value.

    Args:
        values: what it gives for Values. If it gives these without a graph, that is enough, and the garbage collector
            has nothing to go over; if not, it may use a graph of its own, and is called as ever.
    """
    structures = [Structure(argument) for argument in example]
    found = None
    for no_grad in (True, False):
        try:
            result = _called(f, [s.rebuilt([_number(x) for x in s.leaves]) for s in structures], no_grad=no_grad)
        except Exception:
            found = None
        else:
            found = [y.data for y in results_of(result, numbers=True)]
        if found == values:
            break
    return found


def _called(
    f: Callable[..., Any], arguments: Sequence[Any], *, compiling: bool = False, no_grad: bool = False
) -> Any:
    return Change(no_grad=no_grad, compiling=compiling).run(f, *arguments)


def numbers_of(example: Sequence[Any]) -> list[float]:
    """All of them, argument after argument."""
    return [_number(x) for argument in example for x in Structure(argument).leaves]


def _number(x: Value | float) -> float:
    return x.data if isinstance(x, Value) else x


def results_of(result: Any, *, numbers: bool = False) -> list[Value]:
    """What f returned, a Value or a list of them, as a list.

    Args:
        numbers: whether numbers alone will do: a branch of `where` may give one for some examples.
    """
    outputs = [result] if isinstance(result, (Value, float, int)) else result
    if hasattr(outputs, "ravel"):
        outputs = outputs.ravel().tolist()
    if not isinstance(outputs, (list, tuple)) or not outputs:
        given = with_article(type(result).__name__)
        raise TypeError(f"compile takes a function that returns a Value, or a list of them; it returned {given}")
    if not numbers and not isinstance(outputs[0], Value):
        given = with_article(type(outputs[0]).__name__)
        raise TypeError(f"f returned {given} in the place of a Value: was the graph lost by .data, float() or math?")
    return [x if isinstance(x, Value) else Value(x) for x in outputs]
