"""What networks are made of: a `Module` finds its parameters, in attributes, lists, dicts and other modules, in order.

model.parameters()            # what an optimiser moves
model.named_parameters()      # ("layers.0.neurons.3.w.1", Value(...)), ...
model.save("model.json")      # numbers and names, nothing that is run on loading
model.load("model.json")
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from autograd import Value

from .saving import as_state, read, write

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from os import PathLike
    from pathlib import Path

#: What a module learns: a leaf Value. Plain numbers among its attributes stay as they are.
Parameter = Value


class Module:
    """A part of a network that has parameters: subclass it and set Values, modules, lists or dicts as attributes.

    A parameter is a leaf Value: `nn.Parameter` is another name for it. Numbers are constants.

    >>> class Line(Module):
    ...     def __init__(self) -> None:
    ...         self.slope, self.offset = Parameter(2.0), Parameter(1.0)
    ...
    ...     def __call__(self, x: float) -> Value:
    ...         return self.slope * x + self.offset
    >>> line = Line()
    >>> line(3.0).backward()
    >>> [(name, parameter.grad) for name, parameter in line.named_parameters()]
    [('slope', 3.0), ('offset', 1.0)]

    A subclass may define `forward` in place of `__call__`, as in PyTorch.
    """

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """What `forward` gives; a subclass that has none defines `__call__` itself."""
        if not can_be_called(self):
            name = type(self).__name__
            raise TypeError(f"{name} says nowhere what it gives: define __call__(self, x) in it, or forward(self, x)")
        return self.forward(*args, **kwargs)  # type: ignore[attr-defined]  # it was looked for

    def parameters(self) -> list[Value]:
        """All parameters, each once, in the order in which the attributes were set."""
        return [parameter for _, parameter in self.named_parameters()]

    def named_parameters(self) -> list[tuple[str, Value]]:
        """All parameters, each once, with where they are: `layers.0.neurons.3.w.1`."""
        first_place: dict[Value, str] = {}
        taken: dict[str, Value] = {}
        for name, parameter in _found(self, "", set()):
            if taken.setdefault(name, parameter) is not parameter:
                raise ValueError(f"two parameters are called {name!r}: give the keys of a dict other names")
            first_place.setdefault(parameter, name)
        return [(name, parameter) for parameter, name in first_place.items()]

    def zero_grad(self) -> None:
        """Forget the gradients of all parameters, as each training step does before its backward pass."""
        for parameter in self.parameters():
            parameter.grad = None

    def state_dict(self) -> dict[str, float]:
        """The numbers of all parameters by their names."""
        return {name: parameter.data for name, parameter in self.named_parameters()}

    def load_state_dict(self, state: Mapping[str, float]) -> None:
        """Set all parameters. Gradients are forgotten: they belong to other numbers.

        Raises:
            ValueError: if a name is missing, or one is not known; nothing is changed then.
        """
        named = self.named_parameters()
        numbers = as_state(state, [name for name, _ in named])
        for name, parameter in named:
            parameter.data = numbers[name]
            parameter.grad = None

    def save(self, path: str | PathLike[str]) -> Path:
        """Write all parameters to a file (JSON: numbers and names). Returns its path."""
        return write(path, {"parameters": self.state_dict()})

    def load(self, path: str | PathLike[str]) -> None:
        """Read all parameters from a file that `save` wrote, of a module of the same shape.

        Raises:
            ValueError: for a file that is truncated, of another kind or another shape; nothing is changed then.
            OSError: if it cannot be read.
        """
        parameters = read(path)["parameters"]
        try:
            self.load_state_dict(parameters)
        except ValueError as error:
            raise ValueError(f"{path} does not fit: {error}") from None


def can_be_called(model: Any) -> bool:
    """Whether it computes something: a module may be a container alone.

    >>> can_be_called(len), can_be_called(Module()), can_be_called(3)
    (True, False, False)
    """
    own = not isinstance(model, Module) or type(model).__call__ is not Module.__call__
    return callable(model if own else getattr(model, "forward", None))


def _found(attribute: Any, place: str, seen: set[int]) -> Iterator[tuple[str, Value]]:
    """The leaves in an attribute and their places; results that a module keeps are no parameters."""
    if isinstance(attribute, Value):
        if not attribute.operands:
            yield place, attribute
    elif id(attribute) not in seen and (entries := _entries(attribute)):
        seen.add(id(attribute))  # a module may refer to itself
        for key, element in entries:
            yield from _found(element, f"{place}.{key}" if place else str(key), seen)


def _entries(attribute: Any) -> list[tuple[Any, Any]]:
    """What is in a container, and where."""
    if isinstance(attribute, (Module, dict)):
        return list((vars(attribute) if isinstance(attribute, Module) else attribute).items())
    if isinstance(attribute, (list, tuple)) or getattr(getattr(attribute, "dtype", None), "kind", "") == "O":
        return list(enumerate(attribute))
    return []
