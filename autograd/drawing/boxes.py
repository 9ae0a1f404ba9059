"""What a drawing shows: one box per node, small ones for constants, an arrow per operand. Pure data, no layout.

`picture(root)` reads the graph; chains of one operation, neurons and layers can be folded into one box each.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ..graph import label_of, names, nodes, stale
from ..notation import called, expression, label_shown, one_line, without_defaults
from ..remarks import notes
from ..value import Value
from ..wording import listed
from .modules import LEVELS, consumers_of, members_of_modules, module_groups

if TYPE_CHECKING:
    from collections.abc import Collection

    from .modules import Group

#: Places of operands are shown where their order matters, on nodes of as many operands as this.
MOST_PLACES = 12

EXPANDED = "expanded takes nodes, their labels, and names of neurons and layers, such as 'layers.0': one or a list"


class Arrow(NamedTuple):
    """From an operand to its result."""

    source: str  # the box where it starts
    place: int  # which operand it is
    derivative: float | None  # None: it has none, or stands for several
    kind: str = "operand"  # or "constant"


class Box(NamedTuple):
    """A node, or several that are drawn as one, or constants."""

    key: str  # n0, n1, ... in topological order; constants are n5k1: operand 1 of n5
    kind: str  # "leaf", "result", "module" or "constant"
    is_root: bool
    label: str  # what the user named it
    name: str  # the same, or v1, v2, ...
    expression: str
    symbol: str
    folded: int  # how many nodes it stands for
    values: tuple[float, ...]
    gradients: tuple[float | None, ...]
    stale: bool
    places: tuple[str, ...]  # names of the places of operands, where their order matters
    arrows: tuple[Arrow, ...]  # from its operands
    cluster: str = ""  # the module that it is drawn in


class Picture(NamedTuple):
    """All that is to be drawn."""

    boxes: list[Box]
    notes: list[str]

    @property
    def size(self) -> int:
        """How many nodes are drawn, constants not counted."""
        return sum(box.kind != "constant" for box in self.boxes)

    @property
    def depth(self) -> int:
        """How many nodes follow one another on the longest way."""
        depth: dict[str, int] = {}
        for box in self.boxes:
            depth[box.key] = 1 + max((depth[arrow.source] for arrow in box.arrows), default=0)
        return max(depth.values())


def counted(picture: Picture) -> str:
    """How many nodes are drawn, in words."""
    return "1 node" if picture.size == 1 else f"{picture.size} nodes"


def picture(root: Value, *, collapse: str | None = None, expanded: Collection[Value | str] = ()) -> Picture:
    """The boxes and arrows of the graph of `root`.

    Args:
        collapse: "operations" draws a chain or tree of one operation, as sums make them, as one box; "neuron" and
            "layer" one box for each of those.
        expanded: nodes, or their labels, that stay as they are, and modules that become clusters; also a single one.

    Raises:
        TypeError, ValueError: for what is neither, or not in this graph.
    """
    order = nodes(root)
    painter = _Painter(order)
    kept = _kept(painter, expanded)
    if collapse in LEVELS:
        painter.paint_modules(module_groups(order, collapse), kept)
    else:
        painter.paint(_folded(order, kept) if collapse == "operations" else set())
    remarks = notes(root, {node: painter.name[node] if label_of(node) else "" for node in order}, painter.late)
    return Picture(painter.boxes, remarks)


class _Painter:
    """Makes the boxes of a graph."""

    def __init__(self, order: list[Value]) -> None:
        self.order = order
        self.name = names(order, label_shown)
        self.late = stale(order)
        self.boxes: list[Box] = []
        self._outdated = set(self.late)
        self._key: dict[Value, str] = {}

    def paint(self, inside: set[Value]) -> None:
        """All nodes; those inside others are part of the box of the one that uses them."""
        shown = [node for node in self.order if node not in inside]
        for i, node in enumerate(shown):
            self._key[node] = f"n{i}"
            self._paint_node(node, inside)

    def paint_modules(self, groups: list[Group], kept: set[Value]) -> None:
        """Groups as one box each, those with nodes that are to be seen as clusters."""
        opened = [group for group in groups if not kept.isdisjoint((*group.nodes, *group.parameters))]
        cluster = {node: group.module for group in opened for node in (*group.parameters, *group.nodes)}
        folded = {node: group for group in groups if group not in opened for node in group.nodes}
        hidden = {x for group in groups if group not in opened for x in group.parameters} - set(cluster)
        for i, unit in enumerate(_units(self.order, folded, hidden)):
            group = folded.get(unit)
            if group is not None:
                self._key.update(dict.fromkeys(group.nodes, f"n{i}"))
                self._paint_group(group, f"n{i}")
            else:
                self._key[unit] = f"n{i}"
                self._paint_node(unit, set(), cluster.get(unit, ""))

    def _paint_node(self, node: Value, inside: set[Value], cluster: str = "") -> None:
        key, primitive = self._key[node], node.primitive
        operands, folded = _outer_operands(node, inside)
        if primitive and folded == 1:
            operands = operands[: len(without_defaults(primitive, node.operands))]
        arrows = []
        for place, (operand, derivative) in enumerate(operands):
            if isinstance(operand, Value):
                arrows.append(Arrow(self._key[operand], place, derivative))
            else:
                self.boxes.append(_constants(f"{key}k{place}", (operand,), cluster))
                arrows.append(Arrow(f"{key}k{place}", place, None, "constant"))
        self.boxes.append(
            Box(
                key=key,
                kind="result" if primitive else "leaf",
                is_root=node is self.order[-1],
                label=label_shown(label_of(node)),
                name=self.name[node],
                expression=one_line(expression(node, self.name).plain, 200) if primitive else "",
                symbol=primitive.symbol if primitive else "",
                folded=folded,
                values=(node.data,),
                gradients=(node.grad if node.has_grad else None,),
                stale=node in self._outdated,
                places=() if folded > 1 else _places(node),
                arrows=tuple(arrows),
                cluster=cluster,
            )
        )

    def _paint_group(self, group: Group, key: str) -> None:
        """One box for a neuron or a layer; what comes from the same box is one arrow."""
        numbers = tuple(x for x in group.inputs if not isinstance(x, Value))
        sources = list(dict.fromkeys(self._key[x] for x in group.inputs if isinstance(x, Value)))
        arrows = [Arrow(source, place, None) for place, source in enumerate(sources)]
        if numbers:
            self.boxes.append(_constants(f"{key}k", numbers))
            arrows.append(Arrow(f"{key}k", len(sources), None, "constant"))
        self.boxes.append(
            Box(
                key=key,
                kind="module",
                is_root=self.order[-1] in group.outputs,
                label=group.module,
                name=group.module,
                expression="",
                symbol=group.told,
                folded=len(group.nodes),
                values=tuple(node.data for node in group.outputs),
                gradients=tuple(node.grad if node.has_grad else None for node in group.outputs),
                stale=any(node in self._outdated for node in group.nodes),
                places=(),
                arrows=tuple(arrows),
            )
        )


def _units(order: list[Value], folded: dict[Value, Group], hidden: set[Value]) -> list[Value]:
    """What is drawn, in topological order: nodes, and for each group its last node.

    A group comes after all that any of its nodes reads, and before all that reads any of them.
    """

    def unit(node: Value) -> Value:
        return folded[node].nodes[-1] if node in folded else node

    def before(node: Value) -> list[Value]:
        read = folded[node].inputs if node in folded else node.operands
        return [unit(x) for x in read if isinstance(x, Value) and x not in hidden]

    done: dict[Value, None] = {}
    for start in (unit(node) for node in order if node not in hidden):
        waiting = [start]
        while waiting:
            missing = [x for x in before(waiting[-1]) if x not in done and x not in waiting]
            if missing:
                waiting.append(missing[0])
            else:
                done.setdefault(waiting.pop())
    return list(done)


def _kept(painter: _Painter, expanded: Collection[Value | str]) -> set[Value]:
    """The nodes that are to be seen as they are; an error if something is named that is not there."""
    single = isinstance(expanded, (str, Value))
    if not (single or hasattr(expanded, "__iter__")):
        raise TypeError(f"{EXPANDED}; not {expanded!r}")
    kept: set[Value] = set()
    for item in [expanded] if single else list(expanded):
        if isinstance(item, str):
            kept.update(_nodes_called(item, painter))
        elif not isinstance(item, Value):
            raise TypeError(f"{EXPANDED}; not {item!r}")
        elif item not in painter.name:
            raise ValueError(f"expanded: {called(item)} is no node of the graph of {painter.name[painter.order[-1]]}")
        else:
            kept.add(item)
    return kept


def _nodes_called(wanted: str, painter: _Painter) -> list[Value]:
    """The nodes that bear a label, or are shown by that name, such as v1, or that a neuron or layer made."""
    labelled = [node for node in painter.order if wanted and label_of(node) == wanted]
    if found := labelled or [node for node, name in painter.name.items() if name == wanted]:
        return found
    modules = members_of_modules(painter.order)
    if wanted not in modules:
        there = f"the modules {listed(list(modules))}, and the nodes " * bool(modules)
        there += listed(list(painter.name.values()))
        raise ValueError(f"expanded: nothing in this graph is called {wanted!r}; there are {there}")
    return modules[wanted]


def _folded(order: list[Value], kept: set[Value]) -> set[Value]:
    """The nodes inside chains and trees: without a label, used once, by a node of the same operation."""
    consumers = consumers_of(order)

    def inside(node: Value) -> bool:
        if len(consumers[node]) != 1 or label_of(node) or node.primitive is None:
            return False
        (consumer,) = consumers[node]
        return node.primitive is consumer.primitive and kept.isdisjoint((node, consumer))

    return set(filter(inside, order))


def _outer_operands(node: Value, inside: set[Value]) -> tuple[list[tuple[Value | float, float | None]], int]:
    """The operands of `node` after folding, each with the product of local derivatives on the way; the nodes folded."""
    operands: list[tuple[Value | float, float | None]] = []
    folded = 0
    stack: list[tuple[Value | float, float | None]] = [(node, 1.0)]
    while stack:
        current, way = stack.pop()
        if isinstance(current, Value) and way is not None and (current is node or current in inside):
            folded += 1
            edges = zip(current.operands, current.local_derivatives)
            stack.extend(reversed([(x, None if local is None else way * local) for x, local in edges]))
        else:
            operands.append((current, way))
    return operands, folded


def _places(node: Value) -> tuple[str, ...]:
    primitive = node.primitive
    count = len(without_defaults(primitive, node.operands)) if primitive else 0
    if primitive is None or primitive.commutative or count < 2 or count > MOST_PLACES:
        return ()
    if not primitive.symbol.isidentifier():  # operands of an operator are numbered
        return tuple(str(place + 1) for place in range(count))
    return tuple(primitive.names(len(node.operands))[:count])


def _constants(key: str, values: tuple[float, ...], cluster: str = "") -> Box:
    return Box(key, "constant", False, "", "", "", "", 1, values, (), False, (), (), cluster)
