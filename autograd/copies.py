"""Copying and pickling of graphs, of any depth: a graph travels as one flat list.

`pickle` sees a root as its leaves, which keep their identity within one `dumps`, and a list of its inner nodes, each
with its primitive and the positions of its operands; inner nodes belong to the root they were pickled with.
`copy.deepcopy` keeps the identity of all nodes, `copy.copy` copies one node and keeps its operands.
"""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING

from .graph import nodes

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from .value import Value

#: The slots of a node beside its operands.
STATE = ("_data", "_grad", "_primitive", "_left_partial", "_right_partial", "label")


class Copies:
    """Gives a Value its part in `copy` and `pickle`."""

    __slots__ = ()

    def __copy__(self: Value) -> Value:  # type: ignore[misc]  # Value is what inherits from this
        twin = _twin(self, self._left, self._right)
        _set_extras(twin, _extras(self))
        return twin

    def __deepcopy__(self: Value, memo: dict[int, Any]) -> Value:  # type: ignore[misc]  # as above
        def copied(operand: Value) -> Any:
            return memo[id(operand)]

        for node in nodes(self):
            if id(node) not in memo:
                memo[id(node)] = twin = _twin(node, _mapped(copied, node._left), _mapped(copied, node._right))
                if node._primitive is None or node._line is not None:  # other results have nothing more
                    _set_extras(twin, deepcopy(_extras(node), memo))
        copy: Value = memo[id(self)]
        return copy

    def __reduce_ex__(self: Value, protocol: Any) -> Any:  # type: ignore[misc]  # as above
        if self._primitive is None:
            return object.__reduce_ex__(self, max(protocol, 2))
        order = nodes(self)
        leaves = [node for node in order if node._primitive is None]
        results = [node for node in order if node._primitive is not None]
        position = {node: i for i, node in enumerate([*leaves, *results])}.__getitem__
        inner = [(_state(node), _mapped(position, node._left), _mapped(position, node._right)) for node in results]
        located = {i: (type(node), node._line) for i, node in enumerate(results) if node._line is not None}
        kind = next((type(node) for node in results if node._line is None), None)
        return _unpacked, (kind, leaves, inner, located)


def _unpacked(
    kind: type[Value], leaves: list[Value], inner: list[Any], located: dict[int, tuple[type[Value], Any]]
) -> Value:
    """The root of a pickled graph: the last node of the list."""
    order = leaves[:]
    for i, (state, left, right) in enumerate(inner):
        node_kind, line = located.get(i, (kind, None))
        node = _rebuilt(node_kind, state, _mapped(order.__getitem__, left), _mapped(order.__getitem__, right))
        if line is not None:
            node._line = line  # type: ignore[misc]  # a LocatedValue has the slot
        order.append(node)
    return order[-1]


def _state(node: Value) -> tuple[Any, ...]:
    return tuple([getattr(node, slot) for slot in STATE])


def _rebuilt(kind: type[Value], state: tuple[Any, ...], left: Any, right: Any) -> Value:
    node = object.__new__(kind)
    for slot, content in zip(STATE, state):
        setattr(node, slot, content)
    node._left, node._right = left, right
    return node


def _twin(node: Value, left: Any, right: Any) -> Value:
    return _rebuilt(type(node), _state(node), left, right)


def _extras(node: Value) -> dict[str, Any]:
    """What a subclass keeps beside the slots of a Value, in attributes or slots of its own."""
    state: Any = object.__reduce_ex__(node, 2)[2]
    attributes, slots = state  # an object with slots has both
    own = {slot: content for slot, content in slots.items() if slot not in (*STATE, "_left", "_right")}
    return {**(attributes or {}), **own}


def _set_extras(node: Value, extras: dict[str, Any]) -> None:
    for name, content in extras.items():
        setattr(node, name, content)


def _mapped(replace: Callable[[Any], Any], operands: Any) -> Any:
    """`operands`, one or a tuple of them, with all but the constants (floats, None) replaced."""
    if type(operands) is tuple:
        return tuple([_mapped(replace, operand) for operand in operands])
    return operands if operands is None or type(operands) is float else replace(operands)
