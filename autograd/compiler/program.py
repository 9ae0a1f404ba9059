"""From a recording to what runs: `Program(recording, f, kind, dtype)` has its groups, its layout and its machines."""

from __future__ import annotations

from collections import Counter
from functools import cached_property
from typing import TYPE_CHECKING

from .backward_pass import adjoints
from .execution import Machine
from .groups import grouped, needed
from .layout import Layout
from .quantities import Quantities, Quantity
from .translation import translated

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from ..value import Value
    from .binding import Array
    from .recording import Recording


class Program:
    """What is computed for a batch.

    Args:
        kind: "values", "gradients", or "input gradients" for both these and those by the inputs.
    """

    def __init__(self, recording: Recording, f: Callable[..., Any], kind: str, dtype: str) -> None:
        self.recording = recording
        #: Whether anything is differentiated.
        self.has_gradients = kind != "values"
        self.dtype = dtype
        book = Quantities()
        names = input_names(recording, f)
        found = translated(book, recording, names)
        self.inputs: list[list[Quantity]] = [
            [found[x] if x in found else book.leaf(names[x], shared=False) for x in argument]
            for argument in recording.inputs
        ]
        self.outputs: list[Any] = [found[y] for y in recording.outputs]
        captured = {found[leaf]: leaf for leaf in recording.captured}
        gradients: list[Any] = []
        self.input_gradients: list[list[Any]] = []
        if kind != "values":
            gradients = self._adjoints(book, list(captured))
        if kind == "input gradients":
            self.input_gradients = [self._adjoints(book, argument) for argument in self.inputs]
        wanted = [*self.outputs, *gradients, *[x for column in self.input_gradients for x in column]]
        self.groups = grouped(needed(book, wanted))
        book.forget()
        self.layout = Layout(self.groups, list(captured), self.inputs, book.one, wanted, book.constants)
        #: The captured leaves in the order in which the layout has them.
        self.parameters: list[Value] = [captured[q] for q in self.layout.parameters]
        #: By the parameter; those of the weights in a row are one quantity.
        self.gradients: dict[Quantity, Any] = dict(zip(captured, gradients))
        place = {q: i for i, q in enumerate(self.layout.parameters)}
        self._place = [place[q] for q in captured]

    def _adjoints(self, book: Quantities, wanted: list[Quantity]) -> list[Any]:
        root = self.outputs[0]
        if type(root) is not Quantity:
            return [0.0] * len(wanted)
        return adjoints(book, root, wanted)

    def in_order(self, gradients: Array) -> Array:
        """Gradients in the order in which the function reads the parameters."""
        return gradients[self._place]

    def in_order_of(self, numbers: Array, parameters: list[Value]) -> Array:
        """The numbers of `parameters` in the order in which this program has them."""
        if self.parameters is parameters or self.parameters == parameters:
            return numbers
        place = {parameter: i for i, parameter in enumerate(parameters)}
        return numbers[[place[parameter] for parameter in self.parameters]]

    @cached_property
    def machine(self) -> Machine:
        """What runs it, where numbers are finite."""
        return self._machine(exact=False)

    @cached_property
    def exact_machine(self) -> Machine:
        """What runs it where nan and infinity are given."""
        return self._machine(exact=True)

    def _machine(self, *, exact: bool) -> Machine:
        gradients = self.layout.places_of_gradients(self.gradients) if self.gradients else []
        return Machine(
            self.groups,
            self.layout,
            self.inputs,
            self.outputs,
            gradients,
            self.input_gradients,
            self.dtype,
            exact=exact,
        )

    def explanation(self) -> str:
        """How many nodes became how many calls."""
        recording, calls = self.recording, self.machine.calls
        kinds = Counter(node.primitive.name for node in recording.order if node.primitive is not None)
        nodes = [f"{count} {name}" for name, count in kinds.most_common()]
        members = sum(group.size for group in self.groups)
        groups = sum(len(group.members) if group.form == "in_turn" else 1 for group in self.groups)
        products = sum(group.form == "matrix" for group in self.groups)
        each = f"{_counted(calls['block'], 'call')} of NumPy for each {self.machine.block_size} examples or fewer"
        others = [f"{_counted(calls[when], 'call')} {when} them" for when in ("before", "after") if calls[when]]
        return "\n".join(
            [
                f"one example: {_counted(sum(kinds.values()), 'node')}: {', '.join(nodes)}",
                f"it reads {_counted(sum(map(len, self.inputs)), 'number')} of its own, and "
                f"{_counted(len(self.parameters), 'parameter')}",
                f"forward and backward, {members:,} numbers to compute, in {_counted(groups, 'group')}",
                f"a batch: {', '.join([each, *others])}; {_counted(products, 'product')} of matrices among the groups",
            ]
        )

    def source(self, name: str, shapes: Sequence[tuple[int, ...]]) -> str:
        """It as NumPy that one could have written; a row of each argument has one of the shapes."""
        from .source import source  # few ask for it

        return source(self, name, shapes)

    def arrays(self, name: str, shapes: Sequence[tuple[int, ...]], numbers: Array) -> dict[str, Any]:
        """These numbers of the parameters, as the source has them."""
        from .source import parameter_arrays

        return parameter_arrays(self, name, shapes, numbers)


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}" + "s" * (count != 1)


def input_names(recording: Recording, f: Callable[..., Any]) -> dict[Value, str]:
    """What the inputs are called: the arguments of the function, with a number for each element."""
    code = getattr(f, "__code__", None)
    given = code.co_varnames[: code.co_argcount] if code is not None else ()
    names: dict[Value, str] = {}
    for i, argument in enumerate(recording.inputs):
        name = given[i] if i < len(given) else "xyzuvw"[i % 6]
        for j, x in enumerate(argument):
            names[x] = name if len(argument) == 1 else f"{name}[{j}]"
    return names
