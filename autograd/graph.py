"""Walk a recorded graph: `nodes(y)` is its topological order; `names`, `is_stale` and `expand` read or rewrite it.

Every walk is iterative, visits each node once and keeps the order of operands as they were written.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from .value import Value


def nodes(root: Value) -> list[Value]:
    """All nodes that `root` depends on, and `root` last: operands always come before results.

    It is the post-order of a depth-first walk that takes operands as written, the order that textbooks call
    topological (Cormen et al., Introduction to Algorithms, 22.4). Backward passes go through it in reverse.

    >>> from autograd import Value
    >>> a, b = Value(2.0, "a"), Value(3.0, "b")
    >>> c = a * b; c.label = "c"
    >>> d = c + a; d.label = "d"
    >>> [node.label for node in nodes(d)]
    ['a', 'b', 'c', 'd']
    """
    order: list[Value] = []
    seen: set[Value] = set()
    stack: list[Any] = [root]
    pop, push, add, done = stack.pop, stack.append, seen.add, order.append
    while stack:
        node = pop()
        if node is None:  # all operands of the node below are done
            done(pop())
        elif node not in seen:
            add(node)
            if node._primitive is None:
                done(node)
                continue
            push(node)
            push(None)
            right_partial = node._right_partial
            if right_partial is not None:
                if type(right_partial) is tuple:
                    stack.extend([operand for operand in reversed(node._right) if operand not in seen])
                elif (operand := node._right) not in seen:
                    push(operand)
            if node._left_partial is not None and (operand := node._left) not in seen:
                push(operand)
    return order


def names(order: Iterable[Value]) -> dict[Value, str]:
    """A different name for every node: its label, with a number if others bear it too; v1, v2, ... without one."""
    order = list(order)
    taken = {str(node.label) for node in order}
    result: dict[Value, str] = {}
    used: set[str] = set()
    fresh = 0
    for node in order:
        name = label = str(node.label)
        copy = 1
        while not name or name in used or (name != label and name in taken):
            if label:
                copy += 1
                name = f"{label}#{copy}"
            else:
                fresh += 1
                name = f"v{fresh}"
        used.add(name)
        result[node] = name
    return result


def stale(order: Iterable[Value]) -> list[Value]:
    """The nodes whose numbers no longer follow from their operands: some `.data` was set since they were computed."""
    return [node for node in order if node.primitive is not None and not _follows(node)]


def _follows(node: Value) -> bool:
    primitive, operands = node.primitive, node.operands
    assert primitive is not None
    try:
        data, partials = primitive.evaluate(operands, [x if type(x) is float else x.data for x in operands])
    except (ValueError, ArithmeticError):
        return False
    return all(map(_same, [data, *partials], [node.data, *node.local_derivatives]))


def _same(x: float | None, y: float | None) -> bool:
    return x == y or (x != x and y != y)
