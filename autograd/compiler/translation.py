"""The recorded tape of one example in quantities: `translated(book, order, inputs)` gives one for every node.

A sum that was recorded with + and * becomes one dot where it multiplies what is read by parameters: a neuron that was
written with a loop compiles as one that was written with `dot`.
"""

from __future__ import annotations

from collections import Counter
from itertools import chain
from typing import TYPE_CHECKING

from .. import rules
from ..graph import label_of
from .quantities import Quantity

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any

    from ..primitives import Primitive
    from ..value import Value
    from .quantities import Quantities, Term
    from .recording import Recording


def translated(book: Quantities, recording: Recording, inputs: dict[Value, str]) -> dict[Any, Any]:
    """The quantities of nodes in topological order.

    Args:
        inputs: the names of the nodes that every example has of its own.
    """
    absorbed: dict[Value, bool] = {}
    operands_of: dict[Any, Sequence[Any]] = {}
    if not SUMS.isdisjoint([node._primitive for node in recording.order]):
        operands_of = {node: node.operands for node in recording.order if node._primitive is not None}
        absorbed = _absorbed(operands_of, inputs, recording.outputs)
    found: dict[Any, Any] = {leaf: leaf.data for leaf in recording.constants}
    open_sums: dict[Any, list[Term]] = {}  # the terms of sums that a larger one absorbs
    for node in recording.order:
        primitive = node._primitive
        if primitive is None:
            if node in inputs:
                found[node] = book.leaf(inputs[node], shared=False)
            elif node not in found:
                found[node] = book.leaf(label_of(node), shared=True)
            continue
        if node not in absorbed:
            if primitive.binary:  # what most are, in three quarters of the time
                x, y = node._left, node._right
                made = book.of_two(primitive, found.get(x, x), found.get(y, y))
            else:
                made = book.of(primitive, [found.get(x, x) for x in node.operands])
        else:
            terms = _terms(primitive, operands_of[node], found, open_sums)
            if absorbed[node]:
                open_sums[node] = terms
                continue
            made = book.combined(terms)
        if node.label and type(made) is Quantity and not made.label:
            made.label = label_of(node)
        found[node] = made
    return found


def _terms(
    primitive: Primitive, operands: Sequence[Any], found: dict[Any, Any], open_sums: dict[Any, list[Term]]
) -> list[Term]:
    """The products that a node adds up. The list of the longest operand is taken over, so that a chain is linear."""
    if primitive is rules.multiply:
        x, y = operands
        return [(found.get(x, x), found.get(y, y))]
    if primitive is rules.dot:
        weights, inputs, bias = rules.parts_of_dot([found.get(x, x) for x in operands])
        return [*zip(weights, inputs), (bias, 1.0)]
    lists: list[list[Term]] = [open_sums.pop(x) if x in open_sums else [(1.0, found.get(x, x))] for x in operands]
    longest = max(lists, key=len)
    for terms in lists:
        if terms is not longest:
            longest += terms
    return longest


#: What adds up, and what is added up.
SUMS = {rules.add, rules.total}
ABSORBED = SUMS | {rules.multiply, rules.dot}


def _absorbed(
    operands_of: dict[Any, Sequence[Any]], inputs: dict[Value, str], outputs: Sequence[Value]
) -> dict[Value, bool]:
    """The nodes of sums that become one dot; whether the sum of a larger one takes the node in."""
    # Outputs twice: the caller reads them, so that none is ever read by one node alone.
    consumers = Counter(chain(outputs, outputs, *operands_of.values()))
    of_example: set[Any] = set(inputs)
    for node, operands in operands_of.items():
        if not of_example.isdisjoint(operands):
            of_example.add(node)
    found: dict[Value, bool] = {}
    taken: set[Value] = set()
    for node in reversed(operands_of):
        if node._primitive in SUMS and node not in taken:
            members = _members(node, operands_of, consumers)
            if sum([_products(x._primitive, operands_of[x], of_example) for x in members]) > 1:
                found.update(dict.fromkeys(members, True))
                found[node] = False
            taken.update(members)
    return found


def _members(root: Value, operands_of: dict[Any, Sequence[Any]], consumers: Counter[Any]) -> list[Value]:
    """The sums and products below `root` that nothing else reads."""
    members: list[Any] = [root]
    for node in members:  # which grows
        if node._primitive in SUMS:
            alone = [x for x in operands_of[node] if x in operands_of and consumers[x] == 1]
            members += [x for x in alone if x._primitive in ABSORBED]
    return members


def _products(primitive: Primitive | None, operands: Sequence[Any], of_example: set[Any]) -> int:
    """How many products of a parameter, or what comes from one, and a number of the example a node is made of."""
    pairs: Iterable[tuple[Any, Any]] = ()
    if primitive is rules.multiply:
        pairs = ((operands[0], operands[1]),)
    elif primitive is rules.dot:
        weights, inputs, _ = rules.parts_of_dot(operands)
        pairs = zip(weights, inputs)
    count = 0
    for x, y in pairs:
        if type(x) is not float and type(y) is not float and (x in of_example) is not (y in of_example):
            count += 1
    return count
