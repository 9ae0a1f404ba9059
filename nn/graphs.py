"""Questions about recorded graphs: `leaves(root)`, and whether two of them do the same, `same_operations(y, z)`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import autograd as ag

if TYPE_CHECKING:
    from typing import Any

    from autograd import Value


def leaves(root: Value) -> set[Value]:
    """What a graph is computed from.

    >>> x, y = ag.Value(3.0), ag.Value(2.0)
    >>> leaves(x * y + x) == {x, y}
    True
    """
    return {node for node in ag.nodes(root) if not node.operands}


def same_operations(first: Value, second: Value) -> bool:
    """Whether two graphs do the same with the leaves that they share; other leaves count as the numbers they hold.

    >>> x, y = ag.Value(3.0), ag.Value(2.0)
    >>> same_operations(ag.relu(1 - 2.0 * x), ag.relu(1 - y * x))
    True
    >>> same_operations(2.0 * x, x + x)
    False
    """
    graphs = ag.nodes(first), ag.nodes(second)
    shared = {*graphs[0]} & {*graphs[1]}
    known: dict[Any, Value] = {}  # the first node of each operation on the same operands
    roots = []
    for graph in graphs:
        stands_for: dict[Any, Any] = {}
        for node in graph:
            operands = [stands_for.get(x, x) for x in node.operands]
            if node in shared:
                stands_for[node] = node
            elif all(type(x) is float for x in operands):
                stands_for[node] = node.data
            else:
                stands_for[node] = known.setdefault((node.primitive, *operands), node)
        roots.append(stands_for[graph[-1]])
    return bool(roots[0] == roots[1])
