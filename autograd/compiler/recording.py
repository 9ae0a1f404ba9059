"""Records a function of one example, as `compile` needs it: `record(f, example)` calls it on Values.

Every example takes the path that the recorded one took, so a branch on a Value is refused here, at the user's line.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ..graph import walked
from ..modes import Mode, mode
from ..scalars import with_article
from ..structures import Structure
from ..value import Value

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any


class Recording(NamedTuple):
    """What one call of the function did."""

    inputs: list[list[Value]]  # the elements of each argument
    outputs: list[Value]
    single: bool  # whether it returned a Value, not a list of them
    order: list[Value]  # the graph of all outputs

    @property
    def captured(self) -> list[Value]:
        """The leaves that are no inputs: parameters, in the order in which the function reads them."""
        own = {x for argument in self.inputs for x in argument}
        return [node for node in self.order if node.primitive is None and node not in own]


def as_values(row: Any) -> Any:
    """One example's argument, with Values in the place of its numbers."""
    structure = Structure(row)
    return structure.rebuilt([_leaf(x) for x in structure.leaves])


def _leaf(x: Value | float) -> Value:
    return Value(x.data if isinstance(x, Value) else x)


def record(f: Callable[..., Any], example: Sequence[Any]) -> Recording:
    """Call `f` on one example, with Values in the place of its numbers."""
    structures = [Structure(argument) for argument in example]
    inputs = [[_leaf(x) for x in structure.leaves] for structure in structures]
    arguments = [structure.rebuilt(list(values)) for structure, values in zip(structures, inputs)]
    recording = (mode.get() or Mode())._replace(no_grad=False, compiling=True)
    token = mode.set(recording)
    try:
        result = f(*arguments)
    finally:
        mode.reset(token)
    outputs = results_of(result)
    return Recording(inputs, outputs, isinstance(result, Value), walked(outputs, set()))


def results_of(result: Any) -> list[Value]:
    """What f returned, a Value or a list of them, as a list."""
    outputs = [result] if isinstance(result, Value) else result
    if hasattr(outputs, "ravel"):
        outputs = outputs.ravel().tolist()
    if not isinstance(outputs, (list, tuple)) or not outputs:
        given = with_article(type(result).__name__)
        raise TypeError(f"compile takes a function that returns a Value, or a list of them; it returned {given}")
    if not isinstance(outputs[0], Value):
        given = with_article(type(outputs[0]).__name__)
        raise TypeError(f"f returned {given} in the place of a Value: was the graph lost by .data, float() or math?")
    return [x if isinstance(x, Value) else Value(x) for x in outputs]
