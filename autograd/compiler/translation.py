"""The recorded tape of one example in quantities: `translated(book, order, inputs)` gives one for every node.

A sum that was recorded with + and * becomes one dot where it multiplies what is read by parameters: a neuron that was
written with a loop compiles as one that was written with `dot`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .. import rules
from ..graph import label_of
from .quantities import Quantity

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from ..value import Value
    from .quantities import Quantities, Term
    from .recording import Recording


def translated(book: Quantities, recording: Recording, inputs: dict[Value, str]) -> dict[Any, Any]:
    """The quantities of nodes in topological order.

    Args:
        inputs: the names of the nodes that every example has of its own.
    """
    order = recording.order
    absorbed = _absorbed(order, set(inputs), recording.outputs)
    found: dict[Any, Any] = {leaf: leaf.data for leaf in recording.constants}
    open_sums: dict[Any, list[Term]] = {}  # the terms of sums that a larger one absorbs
    for node in order:
        primitive = node.primitive
        if node in found:
            continue
        if node in inputs:
            found[node] = book.leaf(inputs[node], shared=False)
        elif primitive is None:
            found[node] = book.leaf(label_of(node), shared=True)
        elif node not in absorbed:
            found[node] = book.of(primitive, [found.get(x, x) for x in node.operands], label_of(node))
        else:
            terms = _terms(node, found, open_sums)
            if absorbed[node]:
                open_sums[node] = terms
            else:
                found[node] = book.combined(terms)
                if type(found[node]) is Quantity and not found[node].label:
                    found[node].label = label_of(node)
    return found


def _terms(node: Value, found: dict[Any, Any], open_sums: dict[Any, list[Term]]) -> list[Term]:
    """The products that `node` adds up. The list of the longest operand is taken over, so that a chain is linear."""
    primitive, operands = node.primitive, node.operands
    if primitive is rules.multiply:
        return [(found.get(operands[0], operands[0]), found.get(operands[1], operands[1]))]
    if primitive is rules.dot:
        numbers = [found.get(x, x) for x in operands]
        half = len(numbers) // 2
        return [*zip(numbers[:half], numbers[half:-1]), (numbers[-1], 1.0)]
    lists = [open_sums.pop(x, []) or [(1.0, found.get(x, x))] for x in operands]
    longest = max(lists, key=len)
    for terms in lists:
        if terms is not longest:
            longest.extend(terms)
    return longest


#: What adds up, and what is added up.
SUMS = (rules.add, rules.total)
PRODUCTS = (rules.multiply, rules.dot)


def _absorbed(order: Sequence[Value], inputs: set[Value], outputs: Sequence[Value]) -> dict[Value, bool]:
    """The nodes of sums that become one dot; whether the sum of a larger one takes the node in."""
    of_example = set(inputs)
    consumers: dict[Any, int] = dict.fromkeys(outputs, 2)
    for node in order:
        for x in node.operands:
            consumers[x] = consumers.get(x, 0) + 1
        if any(x in of_example for x in node.operands):
            of_example.add(node)
    found: dict[Value, bool] = {}
    taken: set[Value] = set()
    for node in reversed(order):
        if node.primitive in SUMS and node not in taken:
            members = _members(node, consumers)
            products = sum(_products(x, of_example) for x in members)
            if products > 1:
                found.update(dict.fromkeys(members, True))
                found[node] = False
            taken.update(members)
    return found


def _members(root: Value, consumers: dict[Any, int]) -> list[Value]:
    """The sums and products below `root` that nothing else reads."""
    members: list[Value] = []
    stack: list[Any] = [root]
    while stack:
        node = stack.pop()
        members.append(node)
        if node.primitive in SUMS:
            alone = [x for x in node.operands if type(x) is not float and consumers[x] == 1]
            stack += [x for x in alone if x.primitive in (*SUMS, *PRODUCTS)]
    return members


def _products(node: Value, of_example: set[Value]) -> int:
    """How many products of a parameter, or what comes from one, and a number of the example the node is made of."""
    operands = node.operands
    if node.primitive is rules.multiply:
        pairs: Any = [operands]
    elif node.primitive is rules.dot:
        half = len(operands) // 2
        pairs = list(zip(operands[:half], operands[half:-1]))
    else:
        return 0
    return sum(
        type(x) is not float and type(y) is not float and (x in of_example) != (y in of_example) for x, y in pairs
    )
