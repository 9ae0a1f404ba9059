"""The walks over a graph: `nodes`, `names`, `expand`, `stale`."""

from __future__ import annotations

import math
from random import Random
from typing import TYPE_CHECKING, Any

import pytest
from house_graph import house
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import autograd as ag
from autograd import Value, expand, nodes
from autograd.graph import names, opened, stale

if TYPE_CHECKING:
    from collections.abc import Callable


def primitive_names(root: Value) -> list[str]:
    """The names of the primitives of the graph, in order."""
    return [node.primitive.name for node in nodes(root) if node.primitive]


# ----- nodes -----


def test_nodes_are_in_post_order_of_operands_as_written() -> None:
    """The order of the house graph is the one of a depth-first walk that takes operands as written."""
    assert [node.label for node in nodes(house(backward=False))] == ["a", "b", "c", "d", "e"]


def test_nodes_of_a_leaf() -> None:
    """A leaf is its own graph."""
    x = Value(1.0)
    assert nodes(x) == [x]


def test_order_follows_the_operands_not_the_time_of_recording() -> None:
    """What was recorded first comes second where it is the second operand."""
    a, b = Value(1.0, "a"), Value(2.0, "b")
    first, second = a.sin(), b.cos()
    assert [node.label or node._op for node in nodes(second * first)] == ["b", "cos", "a", "sin", "*"]


def test_constants_are_no_nodes() -> None:
    """Plain numbers among operands do not appear."""
    x = Value(2.0)
    y = ag.clip(3 * x + 1, 0.0, 5.0)
    assert all(isinstance(node, Value) for node in nodes(y))
    assert len(nodes(y)) == 4


def test_nodes_of_many_operands() -> None:
    """Nodes of any number of operands are walked in the order of the operands, each once."""
    w, x = [Value(1.0, f"w{i}") for i in range(3)], [Value(2.0, f"x{i}") for i in range(3)]
    y = ag.sum([ag.dot(w, x, 1.0), w[1], w[1], 4.0])
    assert [node.label or node._op for node in nodes(y)] == ["w0", "w1", "w2", "x0", "x1", "x2", "dot", "sum"]


def _random_graph(random: Random) -> Value:
    """Shared nodes, repeated operands, constants on either side, nodes of many operands."""
    found: list[Any] = [Value(random.uniform(0.5, 2.0)) for _ in range(random.randint(1, 4))]
    steps: list[Callable[..., Any]] = [
        *(lambda x, y: x + y, lambda x, y: x * y, lambda x, y: 2.0 - x, lambda x, y: x * 3.0, lambda x, y: x * x),
        *(lambda x, y: x.tanh(), lambda x, y: ag.sum([x, 1.0, y, x]), lambda x, y: ag.dot([x, 2.0], [y, y], x)),
        *(lambda x, y: ag.where(x, 1.0, y), lambda x, y: ag.clip(x, -1.0, 1.0), lambda x, y: ag.maximum(1.5, x)),
    ]
    for _ in range(random.randint(0, 30)):
        found.append(random.choice(steps)(*random.choices(found[-6:], k=2)))
    return ag.sum(random.sample(found, min(3, len(found)))) if random.random() < 0.5 else found[-1]


def test_the_walk_of_backward_gives_the_order_of_nodes() -> None:
    """It takes another way through the graph, and finds the same results and leaves, in the same order, each once."""
    random = Random(5)
    for _ in range(300):
        root = _random_graph(random)
        order = nodes(root)
        for gradient in (None, 2.5, 0.0):  # before it there was none, or one
            for node in order:
                node._grad = gradient
            leaves: list[Value] = []
            held: list[float | None] = []
            assert opened(root, leaves, held) == [node for node in order if node.operands]
            assert leaves == [node for node in order if not node.operands]
            assert held == [gradient] * len(leaves)
            assert {node._grad for node in order} == {0.0}


def test_a_chain_of_a_hundred_thousand() -> None:
    """The walk does not recurse."""
    y = Value(1.0)
    for _ in range(100_000):
        y = y + 1.0
    assert len(nodes(y)) == 100_001
    assert nodes(y)[-1] is y


def test_a_graph_of_many_paths_is_walked_once() -> None:
    """A chain of squares has 2**200 paths and 201 nodes."""
    y = Value(1.0)
    for _ in range(200):
        y = y * y
    assert len(nodes(y)) == 201


# ----- names -----


def test_names_are_labels_and_numbers() -> None:
    """Labels are kept, nodes without one are counted."""
    x = Value(1.0, "x")
    y = (x * 2).sin()
    y.label = "y"
    assert list(names(nodes(y)).values()) == ["x", "v1", "y"]


def test_equal_labels_get_numbers_that_are_free() -> None:
    """A number is not one that another label bears already."""
    order = [Value(1.0, label) for label in ("x", "x", "x#2", "x", "v1", "")]
    found = list(names(order).values())
    assert found[0] == "x"
    assert found[2] == "x#2"
    assert found[4] == "v1"
    assert len(set(found)) == 6


@given(
    st.lists(st.one_of(st.sampled_from(["", "x", "x#2", "x#3", "v1", "v2", "v1#2"]), st.text(max_size=2)), max_size=12)
)
@settings(deadline=None)
def test_names_are_unique(labels: list[str]) -> None:
    """No two nodes have the same name, and the first of each label has just that."""
    order = [Value(1.0, label) for label in labels]
    name = names(order)
    assert list(name) == order
    assert len(set(name.values())) == len(order)
    for label in set(labels) - {""}:
        assert name[order[labels.index(label)]] == label


class CountingLabel(str):
    """A label that counts how often a name is made of it."""

    __slots__ = ()
    made = 0

    def __str__(self) -> str:
        return self

    def __format__(self, specification: str) -> str:
        type(self).made += 1
        return super().__format__(specification)


def test_names_of_equal_labels_take_linear_time() -> None:
    """A thousand nodes of one label do not try out a million names."""
    CountingLabel.made = 0
    label = CountingLabel("h")
    assert len(set(names([Value(1.0, label) for _ in range(1000)]).values())) == 1000
    assert CountingLabel.made <= 5000


# ----- expand -----


def test_expand_to_a_depth() -> None:
    """Each level replaces the definitions once."""
    y = ag.silu(Value(0.5, "x"))
    assert expand(y, 0) is y
    assert primitive_names(expand(y, 1)) == ["sigmoid", "multiply"]
    assert primitive_names(expand(y, 2)) == ["negative", "exp", "add", "divide", "multiply"]
    assert primitive_names(expand(y)) == primitive_names(expand(y, 2)) == primitive_names(expand(y, 99))


def test_expand_dot_has_no_bias_that_was_not_given() -> None:
    """A bias of 0 by default is not added."""
    w, x = [Value(2.0), Value(3.0)], [Value(5.0), Value(7.0)]
    assert primitive_names(expand(ag.dot(w, x))) == ["multiply", "multiply", "add"]
    assert primitive_names(expand(ag.dot(w, x, Value(1.0)))) == ["multiply", "multiply", "add", "add"]


def test_expand_leaves_the_graph_as_it_was() -> None:
    """The coarse graph, its labels and its gradients stay."""
    x = Value(0.5, "x")
    y = ag.tanh(x)
    y.label = "y"
    y.backward()
    expand(y)
    assert primitive_names(y) == ["tanh"]
    assert (y.label, x.grad, y.grad) == ("y", 1 - math.tanh(0.5) ** 2, 1.0)


def test_expand_keeps_labels_and_shared_nodes() -> None:
    """What was one node is one node, under the same name."""
    x = Value(0.5, "x")
    h = ag.sigmoid(x)
    h.label = "h"
    y = h * h
    y.label = "y"
    fine = expand(y)
    assert [node.label for node in nodes(fine) if node.label] == ["x", "h", "y"]
    assert fine.operands[0] is fine.operands[1]


def test_expand_of_a_stale_graph_refuses() -> None:
    """Numbers that are out of date are not silently replaced."""
    x = Value(0.5)
    y = ag.tanh(x)
    x.data = 2.0
    with pytest.raises(ValueError, match=r"call y\.forward\(\) first"):
        expand(y)
    y.forward()
    assert expand(y).data == pytest.approx(math.tanh(2.0))


def test_expand_where_a_definition_overflows_names_the_primitive() -> None:
    """tanh(1000) is 1, but exp(2000) is too large; the error says which it was."""
    with pytest.raises(OverflowError, match=r"exp\(x\) at x = 2000\.0"):
        expand(ag.tanh(Value(1000.0)))


def test_expand_where_a_definition_overflows_says_what_to_do() -> None:
    """It names the node whose definition it is, and how deep one may go instead; that keeps the node."""
    y = ag.tanh(Value(400.0, "x"))
    y.label = "y"
    with pytest.raises(OverflowError, match=r"^the definition of y = tanh\(x\) at x = 400.0 .*depth=0\) keeps tanh$"):
        ag.expand(y * 2.0)
    z = ag.silu(Value(-800.0, "z"))
    with pytest.raises(OverflowError, match=r"^the definition of sigmoid.*depth=1\) keeps sigmoid$"):
        ag.expand(z)
    kept = [node.primitive.name for node in ag.nodes(ag.expand(z, depth=1)) if node.primitive]
    assert kept == ["sigmoid", "multiply"]


@pytest.mark.parametrize("depth", [-1, 1.5, "1"])
def test_expand_refuses_depths_that_are_none(depth: object) -> None:
    """A depth is a number of levels."""
    with pytest.raises(ValueError, match="depth is a number of levels"):
        expand(Value(1.0), depth)  # type: ignore[arg-type]


def test_expand_a_deep_graph() -> None:
    """A chain of ten thousand coarse nodes."""
    y = Value(0.5)
    for _ in range(10_000):
        y = ag.relu(y)
    assert len(nodes(expand(y))) == 10_001


COARSE_OF_ONE: list[Callable[[Value], Value]] = [
    ag.expm1, ag.tan, ag.sinh, ag.cosh, ag.tanh, ag.sigmoid, ag.softplus, ag.relu, ag.leaky_relu, ag.elu, ag.silu,
    lambda x: ag.log1p(ag.sigmoid(x)), lambda x: ag.sqrt(ag.softplus(x)), lambda x: ag.sigmoid(x, 2.0),
    lambda x: ag.softplus(x, 0.5), lambda x: ag.clip(x, -0.5, 0.5),
]  # fmt: skip
COARSE_OF_TWO: list[Callable[[Value, Value], Value]] = [
    lambda x, y: x * y,
    lambda x, y: ag.sigmoid(x, y),
    lambda x, y: ag.elu(x, y),
    lambda x, y: ag.leaky_relu(x, y),
    lambda x, y: ag.sum([x, y, x, 1.0]),
    lambda x, y: ag.mean([x, y, y]),
    lambda x, y: ag.logsumexp([x, y, 0.5]),
    lambda x, y: ag.dot([x, 2.0], [y, x]),
    lambda x, y: ag.dot([x, y], [y, -1.0], x),
]


def at_a_kink(node: Value) -> bool:
    """Whether a corner is so near that rounding, which differs in a finer graph, decides the side."""
    computed = [x.data for x in node.operands if isinstance(x, Value) and x.operands]
    near = any(abs(x - corner) < 1e-6 for x in computed for corner in (-0.5, 0.0, 0.5))
    return near and node.primitive is not None and bool(node.primitive.kinks)


@st.composite
def coarse_graphs(draw: st.DrawFn) -> tuple[Value, list[Value]]:
    """A random graph of coarse primitives, whose numbers stay moderate and keep off computed kinks, and its leaves."""
    leaves = [Value(draw(st.integers(-8, 8)) / 8, f"x{i}") for i in range(3)]
    pool = list(leaves)
    for i in range(draw(st.integers(1, 8))):
        x, y = draw(st.sampled_from(pool)), draw(st.sampled_from(pool))
        choice = draw(st.integers(0, len(COARSE_OF_ONE) + len(COARSE_OF_TWO) - 1))
        new = (
            COARSE_OF_ONE[choice](x)
            if choice < len(COARSE_OF_ONE)
            else COARSE_OF_TWO[choice - len(COARSE_OF_ONE)](x, y)
        )
        assume(not at_a_kink(new))
        if abs(new.data) > 1.2:
            new = ag.tanh(new)
        new.label = f"h{i}"
        pool.append(new)
    return pool[-1], leaves


@given(coarse_graphs())
@settings(deadline=None, max_examples=200)
def test_expanded_graphs_give_the_same_value_and_gradients(graph: tuple[Value, list[Value]]) -> None:
    """Granularity is a choice: the finer graph has the same leaves, labels, value and gradients."""
    root, leaves = graph
    fine = expand(root)
    assert all(node.primitive is None or node.primitive.definition is None for node in nodes(fine))
    assert {n for n in nodes(fine) if not n.operands} == {n for n in nodes(root) if not n.operands}
    assert {node.label for node in nodes(root)} <= {node.label for node in nodes(fine)}
    root.backward()
    coarse = [leaf.grad for leaf in leaves]
    root.zero_grad()
    fine.backward()
    assert fine.data == pytest.approx(root.data, rel=1e-9, abs=1e-9)
    assert [leaf.grad for leaf in leaves] == pytest.approx(coarse, rel=1e-8, abs=1e-8)


# ----- stale -----


def test_a_recorded_graph_is_not_stale() -> None:
    """Also with nan and inf in it, whose local derivatives are nan and inf."""
    x = Value(math.nan) * Value(math.inf) + ag.sqrt(Value(0.0)) - Value(-0.0) * 5e-324
    assert stale(nodes(x)) == []


def test_stale_names_the_results_of_what_was_set() -> None:
    """And all that follows from them, until forward() computes them again."""
    e = house(backward=False)
    a, _, c, d, _ = nodes(e)
    a.data = 5.0
    assert stale(nodes(e)) == [c, d, e]
    e.forward()
    assert stale(nodes(e)) == []


def test_an_inner_node_that_was_set_is_stale_itself() -> None:
    """It no longer follows from its operands, and neither do its results."""
    e = house(backward=False)
    _, _, c, d, _ = nodes(e)
    c.data = 7.0
    assert stale(nodes(e)) == [c, d, e]


def test_a_local_derivative_out_of_date_is_stale_too() -> None:
    """relu(-1) and relu(-2) are both 0, x * 0 is 0 at any x: derivatives tell."""
    x, zero = Value(1.0), Value(0.0)
    y = x * zero
    x.data = 2.0
    assert stale(nodes(y)) == [y]


def test_a_domain_error_is_stale() -> None:
    """Where a result cannot be computed any more, it is out of date."""
    x = Value(1.0)
    y = ag.log(x)
    x.data = -1.0
    assert stale(nodes(y)) == [y]


def test_data_set_to_the_same_is_not_stale() -> None:
    """Only numbers count."""
    x = Value(1.0)
    y = ag.exp(x)
    x.data = 1.0
    assert stale(nodes(y)) == []
