"""What networks are made of: a `Module` finds its parameters, in attributes, lists and other modules, in order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from autograd import Value

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any


class Module:
    """A part of a network that has parameters: subclass it and set Values, modules, lists or dicts as attributes.

    >>> class Line(Module):
    ...     def __init__(self) -> None:
    ...         self.slope, self.offset = Value(2.0), Value(1.0)
    ...
    ...     def __call__(self, x: float) -> Value:
    ...         return self.slope * x + self.offset
    >>> line = Line()
    >>> line(3.0).backward()
    >>> [parameter.grad for parameter in line.parameters()]
    [3.0, 1.0]
    """

    def parameters(self) -> list[Value]:
        """All parameters, each once, in the order in which the attributes were set."""
        return list(dict.fromkeys(_found(self, set())))

    def zero_grad(self) -> None:
        """Forget the gradients of all parameters, as each training step does before its backward pass."""
        for parameter in self.parameters():
            parameter.grad = None


def _found(attribute: Any, seen: set[int]) -> Iterator[Value]:
    """The leaves in an attribute; results that a module keeps are no parameters."""
    if isinstance(attribute, Value):
        if not attribute.operands:
            yield attribute
    elif isinstance(attribute, (Module, list, tuple, dict)) and id(attribute) not in seen:
        seen.add(id(attribute))  # a module may refer to itself
        contents = vars(attribute) if isinstance(attribute, Module) else attribute
        for element in contents.values() if isinstance(contents, dict) else contents:
            yield from _found(element, seen)
