"""Numbers in lists, tuples, dictionaries and arrays, nested as one likes: taken apart, and put together again.

structure = Structure({"w": [1.0, 2.0], "b": 3.0})
structure.leaves                            # [1.0, 2.0, 3.0]
structure.rebuilt([10.0, 20.0, 30.0])       # {"w": [10.0, 20.0], "b": 30.0}
"""

from __future__ import annotations

from copy import copy
from typing import TYPE_CHECKING

from .scalars import as_number
from .value import Value

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any


def listed_inputs(inputs: Any, name: str) -> list[Any]:
    """The arguments of a function, one by one; an error says how to give them."""
    if isinstance(inputs, (str, dict)) or not hasattr(inputs, "__iter__") or getattr(inputs, "shape", None) == ():
        raise TypeError(f"{name} takes a list with an entry for each argument of f: {name}(f, [2.0])")
    return list(inputs)


class Structure:
    """What holds numbers or Values, and these, in order.

    Args:
        taker: who takes them, as errors name it.

    >>> structure = Structure({"w": [1.0, 2.0], "b": (3.0,)})
    >>> structure.leaves, structure.rebuilt([10.0, 20.0, 30.0])
    ([1.0, 2.0, 3.0], {'w': [10.0, 20.0], 'b': (30.0,)})
    """

    def __init__(self, content: Any, taker: str = "a transform") -> None:
        self._content = content
        self._taker = taker
        self.leaves: list[Value | float] = list(_leaves(content, taker))

    def rebuilt(self, leaves: list[Any]) -> Any:
        """The same structure of other leaves. Arrays hold floats, or objects if Values are among them."""
        rest = iter(leaves)
        return _filled(self._content, rest)

    def leaves_of(self, content: Any, what: str) -> list[Value | float]:
        """The leaves of something of the same structure, in the order of this one: dictionaries are matched by key.

        Raises:
            ValueError: if it has another structure; `what` names it.
        """
        return list(_matched(self._content, content, what, self._taker))

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape as an array; ValueError if it has none: a dictionary, or lists of different lengths."""
        return _shape(self._content)

    def array(self) -> Any:
        """The leaves as an array of that shape."""
        import numpy

        return numpy.array(self.leaves, dtype=object).reshape(self.shape)


def _is_array(content: Any) -> bool:
    return hasattr(content, "dtype") and getattr(content, "shape", ()) != ()


def _shape(content: Any) -> tuple[int, ...]:
    if isinstance(content, dict):
        raise ValueError("a dict has no shape")
    if isinstance(content, (list, tuple)):
        shapes = {_shape(part) for part in content} or {()}
        if len(shapes) > 1:
            raise ValueError("its parts have different shapes")
        return (len(content), *shapes.pop())
    return tuple(content.shape) if _is_array(content) else ()


def _leaves(content: Any, taker: str) -> Iterator[Value | float]:
    if isinstance(content, dict):
        parts: Any = content.values()
    elif isinstance(content, (list, tuple)):
        parts = content
    elif _is_array(content):
        parts = content.ravel().tolist()
    else:
        yield content if isinstance(content, Value) else as_number(content, taker)
        return
    if set(map(type, parts)) == {float}:  # the usual case, in a tenth of the time
        yield from parts
        return
    for part in parts:
        yield from _leaves(part, taker)


def _matched(wanted: Any, given: Any, what: str, taker: str) -> Iterator[Value | float]:
    """The leaves of `given` in the places of `wanted`."""
    if isinstance(wanted, dict):
        if not isinstance(given, dict) or set(wanted) != set(given):
            raise ValueError(f"{what} has the keys {', '.join(map(str, wanted))}; not {given!r}")
        pairs = [(wanted[key], given[key]) for key in wanted]
    elif isinstance(wanted, (list, tuple)):
        given = list(given) if _is_array(given) else given
        if not isinstance(given, (list, tuple)) or len(wanted) != len(given):
            raise ValueError(f"{what} has {len(wanted)} parts in a list or tuple; not {given!r}")
        pairs = list(zip(wanted, given))
    elif _is_array(wanted):
        parts = Structure(given, taker)
        if isinstance(given, dict) or parts.shape != wanted.shape:
            raise ValueError(f"{what} is an array of shape {wanted.shape}; not {given!r}")
        yield from parts.leaves
        return
    else:
        (leaf,) = leaves if len(leaves := list(_leaves(given, taker))) == 1 else [None]
        if leaf is None or isinstance(given, (dict, list, tuple)):
            raise ValueError(f"{what} is one number here, not {given!r}")
        yield leaf
        return
    for part, other in pairs:
        yield from _matched(part, other, what, taker)


def _filled(content: Any, rest: Iterator[Any]) -> Any:
    if isinstance(content, dict):
        filled = copy(content)  # a defaultdict stays one
        filled.update({key: _filled(part, rest) for key, part in content.items()})
        return filled
    if isinstance(content, (list, tuple)):
        parts = [_filled(part, rest) for part in content]
        if isinstance(content, list):
            return parts
        return type(content)(*parts) if hasattr(content, "_fields") else tuple(parts)
    if _is_array(content):
        import numpy

        leaves = [next(rest) for _ in range(content.size)]
        kind = object if any(isinstance(leaf, Value) for leaf in leaves) else float
        return numpy.array(leaves, dtype=kind).reshape(content.shape)
    return next(rest)
