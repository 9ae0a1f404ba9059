"""Walk a recorded graph: `nodes(y)` is its topological order, `expand(y)` rewrites it in finer primitives.

`names` and `stale` tell what its nodes are called and which of them are out of date.

Every walk is iterative, visits each node once and keeps the order of operands as they were written.
"""

from __future__ import annotations

from math import isclose
from typing import TYPE_CHECKING

from .modes import mode
from .primitives import BUILT_IN, of_kind
from .scalars import with_article

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
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
    if not hasattr(root, "_primitive"):
        raise TypeError(f"a graph is that of a Value, its root; this is {with_article(type(root).__name__)}")
    return walked([root], set())


def walked(roots: list[Value], seen: set[Value]) -> list[Value]:
    """The nodes of several roots in one topological order, without those that are in `seen`, and what is behind these.

    What is met is added to `seen`.
    """
    order: list[Value] = []
    stack: list[Any] = roots[::-1]
    pop, push, add, done = stack.pop, stack.append, seen.add, order.append
    while True:  # not `while stack`, which Python 3.11 runs slowly until the function is called for the eighth time
        if not stack:
            return order
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
            if node._left_partial is not None:
                if node._right_partial is not None and (operand := node._right) not in seen:
                    push(operand)
                if (operand := node._left) not in seen:
                    push(operand)
            elif type(node._right_partial) is tuple:
                stack.extend([operand for operand in reversed(node._right) if operand not in seen])
            else:  # the left operand is a constant
                push(node._right)


def opened(root: Value, leaves: list[Value], held: list[float | None]) -> list[Value]:
    """The results among `nodes(root)`, in that order, ready for a sweep: every adjoint is 0.

    Leaves go into `leaves`, the gradients that they held into `held`. This is the walk above, in three quarters of its
    time: a node's adjoint, not a set, tells whether it was met, and what can be done or entered at once is not pushed.
    """
    waiting, zero = object(), float("0")  # zero is an object of this pass alone: what holds it has been done
    order: list[Value] = []
    stack: list[Any] = []
    pop, push, done = stack.pop, stack.append, order.append
    node: Any = root
    while True:  # a node that was not met before
        if node._left_partial is not None:
            left = node._left
            if node._right_partial is not None and (right := node._right)._grad is not zero:
                node._grad = waiting
                push(node)
                if left._grad is zero:
                    node = right
                else:
                    push(right)
                    node = left
                continue
            if left._grad is not zero:
                node._grad = waiting
                push(node)
                node = left
                continue
            node._grad = zero
            done(node)
        elif node._primitive is None:
            leaves.append(node)
            held.append(node._grad)
            node._grad = zero
        else:  # many operands, or a constant on the left
            operands = node._right if type(node._right_partial) is tuple else (node._right,)
            node._grad = waiting
            push(node)
            stack.extend([operand for operand in reversed(operands) if operand._grad is not zero])
        while stack:
            node = pop()
            if node._grad is waiting:  # all its operands are done
                node._grad = zero
                done(node)
            elif node._grad is not zero:
                break
        else:
            return order


def label_of(node: Value) -> str:
    """Its label as text, whatever was set; empty for none."""
    return "" if node.label is None else str(node.label)


def names(order: Iterable[Value], shown: Callable[[str], str] = str) -> dict[Value, str]:
    """A different name for every node: its label, with a number if others bear it too; v1, v2, ... without one.

    Args:
        shown: how a label is to be shown: cut short, for example.
    """
    labels = {node: shown(label_of(node)) for node in order}
    taken = set(labels.values())
    last: dict[str, int] = {"": 0}  # the number that was last given to a label; "" stands for v
    result: dict[Value, str] = {}
    for node, label in labels.items():
        name = label if label and label not in last else ""
        while not name:
            last[label] = last.get(label, 1) + 1
            name = f"{label}#{last[label]}" if label else f"v{last[label]}"
            if name in taken:
                name = ""
        last.setdefault(label, 1)
        result[node] = name
    return result


def expand(root: Value, depth: int | None = None) -> Value:
    """The same computation in finer primitives: each one that has a definition is replaced by it.

    The new graph shares the leaves of the old one, so both give the leaves the same gradients. How coarse a node may
    be is a choice: as coarse as one can write its local derivative for (CS231n, Backpropagation, intuitions).

    Args:
        depth: how often definitions are replaced; None until none is left.

    Raises:
        ValueError: if data was set since the graph was recorded.
        OverflowError: where a definition overflows and the primitive does not, such as exp(2 x) in a tanh.

    Of nan, relu is nan, and its definition where(x, x, 0) is 0.

    >>> from autograd import Value, sigmoid
    >>> x = Value(1.0)
    >>> y = expand(sigmoid(x))
    >>> [node.primitive.name for node in nodes(y) if node.operands]
    ['negative', 'exp', 'add', 'divide']
    """
    if depth is not None and (not isinstance(depth, int) or depth < 0):
        raise ValueError(f"depth is a number of levels, 0 or more, or None for all of them; not {depth!r}")
    if out_of_date := stale(nodes(root)):
        raise ValueError(stale_told(out_of_date, root))
    if (recording := mode.get()) is not None and recording.no_grad:
        raise ValueError("expand records a graph, which no_grad() prevents: call it outside")
    level = 0
    while depth is None or level < depth:
        order = nodes(root)
        if all(node.primitive is None or node.primitive.definition is None for node in order):
            break
        root = _one_level_finer(order, level)
        level += 1
    return root


def _one_level_finer(order: list[Value], level: int) -> Value:
    """The root of the graph in which definitions stand for primitives, as they have for `level` times."""
    finer: dict[Value, Value] = {}
    for node in order:
        primitive = node.primitive
        if primitive is None:
            finer[node] = node
            continue
        operands = [x if type(x) is float else finer[x] for x in node.operands]  # type: ignore[index]
        try:
            new = (primitive.definition or primitive)(*operands)
        except (ValueError, ArithmeticError) as error:
            raise of_kind(error, _no_definition_told(node, error, level)) from None
        if primitive.name not in BUILT_IN and not isclose(new.data, node.data, rel_tol=1e-6, abs_tol=1e-6):
            values = f"{new.data!r}, the primitive {node.data!r}"
            raise ValueError(f"the definition of {primitive.name} is another function: here it gives {values}")
        if label_of(node) and not label_of(new) and new.primitive is not None:  # sum([x]) is the leaf x itself
            new.label = node.label
        finer[node] = new
    return finer[order[-1]]


def _no_definition_told(node: Value, error: Exception, level: int) -> str:
    """That the definition of a node has no value where the node has one, and how to go without it."""
    primitive, operands = node.primitive, node.operands
    assert primitive is not None
    of = f"{label_of(node)} = " * bool(label_of(node)) + primitive.applied(_numbers(node), operands)
    return f"the definition of {of} has no value there: {error}; expand(root, depth={level}) keeps {primitive.name}"


def _numbers(node: Value) -> list[float]:
    """Those of the operands now."""
    return [x if type(x) is float else x.data for x in node.operands]  # type: ignore[union-attr]


def stale(order: Iterable[Value]) -> list[Value]:
    """The nodes whose numbers are out of date: some `.data` that they depend on was set since they were computed."""
    found: dict[Value, None] = {}
    for node in order:
        if node.primitive is not None and (any(x in found for x in node.operands) or not _follows(node)):
            found[node] = None
    return list(found)


def _follows(node: Value) -> bool:
    primitive, operands = node.primitive, node.operands
    assert primitive is not None
    numbers = _numbers(node)
    try:
        data, partials = primitive.evaluate(operands, numbers)
    except (ValueError, ArithmeticError):
        return False
    if (recording := mode.get()) is not None and recording.mutation is not None:
        partials = recording.mutation.broken(primitive, numbers, data, partials)
    return all(map(same, [data, *partials], [node.data, *node.local_derivatives]))


def same(x: float | None, y: float | None) -> bool:
    """Equal numbers, or both nan."""
    return x == y or (x != x and y != y)


def stale_told(late: list[Value], root: Value) -> str:
    """That nodes are out of date, and what to do."""
    were = f"{label_of(late[0]) or '1 node'} was" if len(late) == 1 else f"{len(late)} nodes were"
    return f"data was set since {were} computed{or_broken(late)}: call {label_of(root) or 'y'}.forward() first"


def or_broken(late: list[Value]) -> str:
    """What else may be, where the first node has its value, and other local derivatives than those of its rule."""
    node = late[0]
    assert node.primitive is not None
    try:
        value = node.primitive.value(_numbers(node))
    except (ValueError, ArithmeticError):
        return ""
    return ", or breaking(...) was on then" if same(value, node.data) else ""
