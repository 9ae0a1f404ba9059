"""Which nodes a neuron or a layer made: what `draw(y, collapse="neuron")` draws as one box.

Labels tell it. Those that a network gives its nodes are text like any other, and carry the neuron, the layer and the
part (z, the weighted sum; a, the activation; w, a parameter) as attributes. A neuron that is applied twice makes two
groups, which share their parameters.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from ..notation import one_line
from ..value import Value

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable

    from ..primitives import Operand


#: What groups can be made of.
LEVELS = ("neuron", "layer")


class Group(NamedTuple):
    """What one application of a neuron, or of a layer, made."""

    module: str  # layers.0.neurons.2
    nodes: list[Value]  # in topological order
    parameters: list[Value]
    inputs: list[Operand]  # what comes from outside, in order, each once
    outputs: list[Value]  # what others use

    @property
    def told(self) -> str:
        """`3 × relu`: how many neurons, and their activation; `linear` without one."""
        names = [getattr(node.label, "activation", "") for node in self.nodes]
        name = next((name for name in reversed(names) if name), "linear")
        count = sum(_part(node) == "z" for node in self.nodes)
        return f"{count} × {name}" if count > 1 else name


def module_groups(order: list[Value], level: str) -> list[Group]:
    """The groups of a graph.

    Args:
        level: "neuron" or "layer".
    """
    members: dict[Hashable, list[Value]] = {}
    home: dict[Value, Hashable] = {}  # the group that each node is in
    seen: Counter[Hashable] = Counter()
    for node in order:
        key = _key(node, level, seen) if _part(node) == "z" else None
        if key is None and _part(node) in ("", "a") and node.primitive is not None:
            key = _shared_home(node, home)
        if key is not None:
            home[node] = key
            members.setdefault(key, []).append(node)
    consumers = consumers_of(order)
    last = order[-1]
    found = [_group(nodes, home, consumers, last, level) for nodes in map(_up_to_activation, members.values())]
    return [group for group in found if group is not None]


def members_of_modules(order: list[Value]) -> dict[str, list[Value]]:
    """What each layer and each neuron labelled, by its name; layers come first."""
    found: dict[str, list[Value]] = {}
    forward = sorted(order, key=lambda node: node.primitive is None)  # results: weights may come last layer first
    for level in reversed(LEVELS):
        for node in forward:
            if module := getattr(node.label, level, ""):
                found.setdefault(module, []).append(node)
    return found


def _part(node: Value) -> str:
    return getattr(node.label, "part", "")


def _key(node: Value, level: str, seen: Counter[Hashable]) -> Hashable:
    """What the weighted sums of one application have in common: their module, and for a layer what they read.

    A neuron that comes again with the same inputs belongs to another application, or to another network.
    """
    module = getattr(node.label, level, "")
    if level == "neuron":
        return (module, node)
    inputs = tuple(x for x in node.operands if not (isinstance(x, Value) and _part(x) == "w"))
    neuron = (module, inputs, getattr(node.label, "neuron", ""))
    seen[neuron] += 1
    return (module, inputs, seen[neuron])


def _shared_home(node: Value, home: dict[Value, Hashable]) -> Hashable | None:
    """The group that all results among its operands are in, if it is one: what follows a weighted sum follows it.

    Only up to the activation: what uses that is outside.
    """
    homes = set()
    for operand in node.operands:
        if isinstance(operand, Value) and operand.primitive is not None:
            if operand not in home or _part(operand) == "a":
                return None
            homes.add(home[operand])
    return homes.pop() if len(homes) == 1 else None


def _up_to_activation(nodes: list[Value]) -> list[Value]:
    """Without what merely follows: nodes after the weighted sums belong to the group if an activation comes of them."""
    needed: set[Value] = set()
    for node in reversed(nodes):
        if _part(node) in ("z", "a") or node in needed:
            needed.add(node)
            needed.update(x for x in node.operands if isinstance(x, Value))
    return [node for node in nodes if node in needed]


def consumers_of(order: list[Value]) -> dict[Value, list[Value]]:
    """What uses each node, in order; x * x is there twice."""
    consumers: dict[Value, list[Value]] = {node: [] for node in order}
    for node in order:
        for operand in node.operands:
            if isinstance(operand, Value):
                consumers[operand].append(node)
    return consumers


def _group(
    nodes: list[Value], home: dict[Value, Hashable], consumers: dict[Value, list[Value]], last: Value, level: str
) -> Group | None:
    inside = set(nodes)
    outer: Iterable[Operand] = dict.fromkeys(x for node in nodes for x in node.operands if x not in inside)
    parameters = [x for x in outer if isinstance(x, Value) and _is_parameter(x, consumers, home)]
    hidden = set(parameters)
    inputs = [x for x in outer if x not in hidden]
    outputs = [node for node in nodes if node is last or any(x not in inside for x in consumers[node])]
    return Group(one_line(getattr(nodes[0].label, level), 60), nodes, parameters, inputs, outputs) if outputs else None


def _is_parameter(node: Value, consumers: dict[Value, list[Value]], home: dict[Value, Hashable]) -> bool:
    """Whether it is a leaf that only modules use: another use, such as a penalty, is to be seen."""
    return node.primitive is None and _part(node) == "w" and all(x in home for x in consumers[node])
