"""What a drawing shows: one box per node, small ones for constants, an arrow per operand. Pure data, no layout.

`picture(root)` reads the graph; chains and trees of one operation can be folded into one box each.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ..graph import label_of, names, nodes, stale
from ..notation import expression, label_shown, one_line, without_defaults
from ..remarks import notes
from ..value import Value

if TYPE_CHECKING:
    from collections.abc import Collection

#: Places of operands are shown where their order matters, on nodes of as many operands as this.
MOST_PLACES = 12


class Arrow(NamedTuple):
    """From an operand to its result."""

    source: str  # the box where it starts
    place: int  # which operand it is
    derivative: float | None  # None: the operand is a constant


class Box(NamedTuple):
    """A node, or several of one operation folded into one, or a constant."""

    key: str  # n0, n1, ... in topological order; constants are n5k1: operand 1 of n5
    kind: str  # "leaf", "result" or "constant"
    is_root: bool
    label: str  # what the user named it
    name: str  # the same, or v1, v2, ...
    expression: str
    symbol: str
    folded: int  # how many nodes it stands for
    value: float
    gradient: float | None
    stale: bool
    places: tuple[str, ...]  # names of the places of operands, where their order matters
    arrows: tuple[Arrow, ...]  # from its operands


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


def picture(root: Value, *, fold: bool = False, expanded: Collection[Value | str] = ()) -> Picture:
    """The boxes and arrows of the graph of `root`.

    Args:
        fold: draw a chain or tree of one operation, as sums make them, as one box.
        expanded: nodes, or their labels, that are not to be folded; also a single one.
    """
    expanded = (expanded,) if isinstance(expanded, (str, Value)) else expanded
    order = nodes(root)
    name = names(order, label_shown)
    late = stale(order)
    outdated = set(late)
    inside = _folded(order, expanded) if fold else set()
    shown = [node for node in order if node not in inside]
    key = {node: f"n{i}" for i, node in enumerate(shown)}
    boxes: list[Box] = []
    for node in shown:
        operands, folded = _outer_operands(node, inside)
        if node.primitive and folded == 1:
            operands = operands[: len(without_defaults(node.primitive, node.operands))]
        arrows = []
        for place, (operand, derivative) in enumerate(operands):
            if isinstance(operand, Value):
                arrows.append(Arrow(key[operand], place, derivative))
            else:
                constant = _constant(f"{key[node]}k{place}", operand)
                boxes.append(constant)
                arrows.append(Arrow(constant.key, place, None))
        primitive = node.primitive
        boxes.append(
            Box(
                key=key[node],
                kind="result" if primitive else "leaf",
                is_root=node is root,
                label=label_shown(label_of(node)),
                name=name[node],
                expression=one_line(expression(node, name).plain, 200) if primitive else "",
                symbol=primitive.symbol if primitive else "",
                folded=folded,
                value=node.data,
                gradient=node.grad if node.has_grad else None,
                stale=node in outdated,
                places=() if folded > 1 else _places(node),
                arrows=tuple(arrows),
            )
        )
    return Picture(boxes, notes(root, {node: name[node] if label_of(node) else "" for node in order}, late))


def _folded(order: list[Value], expanded: Collection[Value | str]) -> set[Value]:
    """The nodes inside chains and trees: without a label, used once, by a node of the same operation."""
    consumers: dict[Value, list[Value]] = {node: [] for node in order}
    for node in order:
        for operand in _values(node):
            consumers[operand].append(node)

    def kept(node: Value) -> bool:
        return node in expanded or (label_of(node) != "" and label_of(node) in expanded)

    def inside(node: Value) -> bool:
        if len(consumers[node]) != 1 or label_of(node) or node.primitive is None:
            return False
        (consumer,) = consumers[node]
        return node.primitive is consumer.primitive and not kept(node) and not kept(consumer)

    return set(filter(inside, order))


def _values(node: Value) -> list[Value]:
    return [operand for operand in node.operands if isinstance(operand, Value)]


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


def _constant(key: str, value: float) -> Box:
    return Box(key, "constant", False, "", "", "", "", 1, value, None, False, (), ())
