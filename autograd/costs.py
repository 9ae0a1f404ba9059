"""Why reverse mode: `print(cost(f, inputs))` counts what a gradient costs in each way, and times it.

The numbers grow with the inputs for forward mode and for differences, and do not for reverse mode: a gradient costs a
few times what the function does (the cheap gradient principle; Griewank and Walther, Evaluating Derivatives, 3.3).
"""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING, NamedTuple

from .graph import nodes
from .modes import Change
from .scalars import as_number
from .steps import adjoints
from .structures import Structure, listed_inputs
from .transforms import jvp, refuse_no_function
from .value import Value

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any


class Way(NamedTuple):
    """One way to a gradient."""

    name: str
    operations: int
    seconds: float


class Cost:
    """What the ways to a gradient cost. It prints as a table; `.ways` has the numbers."""

    def __init__(self, inputs: int, ways: list[Way]) -> None:
        self.inputs = inputs
        self.ways = ways

    def __str__(self) -> str:
        function = self.ways[0]
        lines = [["", "operations", "times the function", "milliseconds"]]
        for way in self.ways:
            ratio = f"{way.operations / max(1, function.operations):.1f}"
            lines.append([way.name, str(way.operations), ratio, f"{way.seconds * 1e3:.3g}"])
        widths = [max(map(len, column)) for column in zip(*lines)]
        text = ["  ".join([line[0].ljust(widths[0]), *map(str.rjust, line[1:], widths[1:])]).rstrip() for line in lines]
        return "\n".join([f"a gradient by {self.inputs} input{'s' * (self.inputs != 1)}", *text])

    __repr__ = __str__


def cost(f: Callable[..., Any], inputs: Sequence[Any]) -> Cost:
    """Count operations and time of `f`, and of its gradient by reverse mode, forward mode and central differences.

    An operation is a primitive that is computed, or a multiplication and addition along one edge of the graph. Reverse
    mode goes over the edges once, forward mode once for each input, and differences compute `f` twice for each.

    Args:
        f: a function of as many Values as there are inputs, that returns one.
        inputs: numbers, or lists and arrays of them for arguments that are such.

    >>> result = cost(lambda x: sum(element * element for element in x), [[1.0, 2.0, 3.0, 4.0]])
    >>> [(way.name, way.operations) for way in result.ways]
    [('the function', 8), ('reverse mode', 23), ('forward mode', 92), ('central differences', 64)]
    """
    refuse_no_function(f, "cost", "cost(f, [3.0])")
    structure = Structure(listed_inputs(inputs, "cost"), "cost")
    at = [leaf.data if isinstance(leaf, Value) else as_number(leaf, "cost()") for leaf in structure.leaves]
    if not at:
        raise ValueError("cost takes at least one input")

    def recorded(numbers: Sequence[float]) -> Value:
        root = Change(no_grad=False).run(f, *structure.rebuilt([Value(x) for x in numbers]))
        return root if isinstance(root, Value) else Value(as_number(root, "the output of f"))

    def forward_mode() -> None:
        for i in range(len(at)):
            jvp(f, structure.rebuilt(list(at)), structure.rebuilt([float(i == j) for j in range(len(at))]))

    def differences() -> None:
        for i in range(len(at)):
            for step in (1e-6, -1e-6):
                recorded([x + step * (i == j) for j, x in enumerate(at)])

    results = [node for node in nodes(recorded(at)) if node.primitive is not None]
    edges = sum(derivative is not None for node in results for derivative in node.local_derivatives)
    ways = [
        Way("the function", len(results), _timed(lambda: recorded(at))),
        Way("reverse mode", len(results) + edges, _timed(lambda: adjoints(recorded(at)))),
        Way("forward mode", len(at) * (len(results) + edges), _timed(forward_mode)),
        Way("central differences", 2 * len(at) * len(results), _timed(differences)),
    ]
    return Cost(len(at), ways)


def _timed(action: Callable[[], object]) -> float:
    """The shortest of three times, in seconds."""
    times = []
    for _ in range(3):
        start = perf_counter()
        action()
        times.append(perf_counter() - start)
    return min(times)
