"""Calls a function of one example on Values: `record(f, example)` once for its tape, `replayed(f, example)` as itself.

Every example of a batch takes the path that the recorded one took, so a branch on a Value is refused while recording,
at the user's line.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ..graph import walked
from ..modes import Change
from ..scalars import with_article
from ..structures import Structure
from ..value import Value

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any


class Recording(NamedTuple):
    """What the function did."""

    inputs: list[list[Value]]  # the elements of each argument
    outputs: list[Value]
    single: bool  # whether it returned a Value, not a list of them
    order: list[Value]  # the graph of all outputs
    captured: list[Value]  # the leaves that it reads beside its arguments, in the order in which it does
    constants: list[Value]  # the leaves that it makes anew at each call


def record(f: Callable[..., Any], example: Sequence[Any]) -> Recording:
    """What `f` does with an example.

    It is called twice: a leaf that is another one the second time is made by `f` itself, and is a constant.
    """
    inputs, result = _called(f, example, compiling=True)
    outputs = results_of(result)
    order = walked(outputs, set())
    own = {x for argument in inputs for x in argument}
    leaves = [node for node in order if node.primitive is None and node not in own]
    again = set(walked(results_of(_called(f, example, compiling=True)[1]), set())) if leaves else set()
    captured = [leaf for leaf in leaves if leaf in again]
    constants = [leaf for leaf in leaves if leaf not in again]
    return Recording(inputs, outputs, isinstance(result, Value), order, captured, constants)


def replayed(f: Callable[..., Any], example: Sequence[Any]) -> list[Value]:
    """What `f` itself gives for an example, with a graph."""
    return results_of(_called(f, example, compiling=False)[1], numbers=True)


def _called(f: Callable[..., Any], example: Sequence[Any], *, compiling: bool) -> tuple[list[list[Value]], Any]:
    """The inputs, Values in the place of the example's numbers, and what `f` returns."""
    structures = [Structure(argument) for argument in example]
    inputs = [[_leaf(x) for x in structure.leaves] for structure in structures]
    arguments = [structure.rebuilt(list(values)) for structure, values in zip(structures, inputs)]
    with Change(no_grad=False, compiling=compiling):
        return inputs, f(*arguments)


def _leaf(x: Value | float) -> Value:
    return Value(x.data if isinstance(x, Value) else x)


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
