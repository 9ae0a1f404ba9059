"""The event log of a pass: it is what backward() does, bit for bit, and what a second engine in this file does.

That engine knows nodes as numbers in a list, adjoints as entries of a dict, and counts who is still to report.
"""

from __future__ import annotations

import gc
import math
import random
from collections import Counter, deque
from typing import TYPE_CHECKING, Any, NamedTuple

import mpmath
import pytest
from house_graph import house, house_nodes
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from test_tables import CMU, cmu

import autograd as ag
import autograd.steps
from autograd import Value, nodes
from autograd.primitives import PRIMITIVES
from autograd.steps import Log, current_log
from autograd.wording import chain_rule, six

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from autograd.steps import Step

nan, inf = math.nan, math.inf


def same(x: float, y: float) -> bool:
    """Equal, or both nan; zeros of different sign differ."""
    return (x == y and math.copysign(1, x) == math.copysign(1, y)) or (x != x and y != y)


def grads(root: Value) -> list[tuple[bool, str]]:
    """What all nodes hold, so that == compares bit for bit, and nan with nan."""
    return [(node.has_grad, node.grad.hex()) for node in nodes(root)]


# ----- Random graphs -----


class Instruction(NamedTuple):
    """An operation on three earlier nodes and a constant; it takes as many of them as it wants."""

    name: str
    x: int
    y: int
    z: int
    k: int


#: Operations that are exact on small integers, beside what they are by hand: the value, and on which of x, y, z it
#: depends, by how much. Operands stand twice, constants stand in every place.
EXACT: dict[str, tuple[Callable[..., Value], Callable[..., tuple[int, list[tuple[int, int]]]]]] = {
    "add": (lambda x, y, z, k: x + y, lambda x, y, z, k: (x + y, [(0, 1), (1, 1)])),
    "subtract": (lambda x, y, z, k: x - y, lambda x, y, z, k: (x - y, [(0, 1), (1, -1)])),
    "multiply": (lambda x, y, z, k: x * y, lambda x, y, z, k: (x * y, [(0, y), (1, x)])),
    "square": (lambda x, y, z, k: x * x, lambda x, y, z, k: (x * x, [(0, x), (0, x)])),
    "double": (lambda x, y, z, k: x + x, lambda x, y, z, k: (2 * x, [(0, 1), (0, 1)])),
    "negative": (lambda x, y, z, k: -x, lambda x, y, z, k: (-x, [(0, -1)])),
    "constant last": (lambda x, y, z, k: x + k, lambda x, y, z, k: (x + k, [(0, 1)])),
    "constant first": (lambda x, y, z, k: k - x, lambda x, y, z, k: (k - x, [(0, -1)])),
    "factor first": (lambda x, y, z, k: k * x, lambda x, y, z, k: (k * x, [(0, k)])),
    "factor last": (lambda x, y, z, k: x * k, lambda x, y, z, k: (k * x, [(0, k)])),
    "cube": (lambda x, y, z, k: x**3, lambda x, y, z, k: (x**3, [(0, 3 * x * x)])),
    "sum": (
        lambda x, y, z, k: ag.sum([k, x, y, k, z, x]),
        lambda x, y, z, k: (2 * x + y + z + 2 * k, [(0, 1), (1, 1), (2, 1), (0, 1)]),
    ),
    "dot": (
        lambda x, y, z, k: ag.dot([x, k, y], [k, z, x], k),
        lambda x, y, z, k: (x * k + k * z + y * x + k, [(0, k), (1, x), (2, k), (0, y)]),
    ),
    "biased dot": (
        lambda x, y, z, k: ag.dot([k, x], [y, k], z),
        lambda x, y, z, k: (k * y + x * k + z, [(0, k), (1, k), (2, 1)]),
    ),
}
INEXACT: dict[str, Callable[..., Value]] = {
    "divide": lambda x, y, z, k: x / y,
    "over": lambda x, y, z, k: k / x,
    "power": lambda x, y, z, k: x**y,
    "mean": lambda x, y, z, k: ag.mean([x, k, y, x]),
    "logsumexp": lambda x, y, z, k: ag.logsumexp([k, x, z]),
    "exp": lambda x, y, z, k: ag.exp(x),
    "log": lambda x, y, z, k: ag.log(x),
    "sqrt": lambda x, y, z, k: ag.sqrt(x),
    "sin": lambda x, y, z, k: ag.sin(x),
    "tanh": lambda x, y, z, k: ag.tanh(x),
    "sigmoid": lambda x, y, z, k: ag.sigmoid(x, y),
    "relu": lambda x, y, z, k: ag.relu(x),
    "maximum": lambda x, y, z, k: ag.maximum(x, y),
    "where": lambda x, y, z, k: ag.where(x, y, z),
    "clip": lambda x, y, z, k: ag.clip(x, y, k),
}
RECORD = {name: record for name, (record, _) in EXACT.items()} | INEXACT

ORDINARY = st.sampled_from([0.0, -0.0, 1.0, -1.0, 0.5, 2.0, 3.0]) | st.floats(-4, 4)
ANY = ORDINARY | st.sampled_from([nan, inf, -inf, 1e308, -1e200, 1e-308])


def instructions(names: list[str], most: int = 12) -> st.SearchStrategy[list[Instruction]]:
    """Programs; an instruction refers to the nodes before it, the last ones most of all."""
    place = st.integers(0, 5)
    one = st.builds(Instruction, st.sampled_from(names), place, place, place, st.integers(-2, 3))
    return st.lists(one, min_size=1, max_size=most)


def chosen(values: list[Any], instruction: Instruction) -> list[Any]:
    """The three operands that an instruction may take."""
    return [values[-1 - back % len(values)] for back in (instruction.x, instruction.y, instruction.z)]


def recorded(leaves: list[Value], program: list[Instruction]) -> Value:
    """The root of a program. What is outside a domain is left out; the last few nodes are summed."""
    values = list(leaves)
    for instruction in program:
        try:
            values.append(RECORD[instruction.name](*chosen(values, instruction), float(instruction.k)))
        except (ValueError, ArithmeticError):
            continue
    return ag.sum(values[-3:])


@st.composite
def graphs(draw: st.DrawFn, numbers: st.SearchStrategy[float] = ORDINARY, *, held: bool = False) -> Value:
    """A random graph; some of its leaves hold a gradient already, if that is wanted."""
    leaves = [Value(x) for x in draw(st.lists(numbers, min_size=1, max_size=4))]
    root = recorded(leaves, draw(instructions([*RECORD])))
    if held:
        for leaf in leaves:
            leaf.grad = draw(st.none() | numbers)
    return root


def numbers_of(root: Value) -> list[float]:
    """Values of its nodes, and what their gradients are on the way."""
    log = Log(root)
    return [node.data for node in log.order] + [c.after for arrivals in log.arrivals.values() for c in arrivals]


def random_graph(size: int, seed: int = 1) -> Value:
    """A graph of that many nodes, much connected, with numbers that stay small."""
    choose = random.Random(seed)
    values = [Value(choose.uniform(-1, 1), f"x{i}") for i in range(10)]
    makers: list[Callable[[Value, Value], Value]] = [
        lambda x, y: (x + y) * 0.5, lambda x, y: x * y, lambda x, y: ag.tanh(x), lambda x, y: x * x,
        lambda x, y: ag.dot([x, 0.5], [y, x], 0.1), lambda x, y: 1 - x, lambda x, y: ag.mean([y, 1.0, x, y]),
    ]  # fmt: skip
    while len(values) < size:
        values.append(choose.choice(makers)(values[-1], choose.choice(values[-40:])))
    root = values[-1]
    for node in values[-40:]:
        root = root + node
    return root


# ----- What a log must be -----


def replay_discrepancies(root: Value, seed: float = 1.0) -> list[str]:
    """Where a log, added to what leaves hold, is not what backward() leaves behind, bit for bit."""
    log = Log(root, seed)
    held = {node: node.grad if node.has_grad else None for node in log.order}
    adjoints: dict[Value, float] = dict.fromkeys(log.order, 0.0)
    adjoints[root] = float(seed)
    for step in log.steps:
        for contribution in step.contributions:
            adjoints[contribution.operand] += contribution.amount
    found = [] if log.order == nodes(root) else ["the order is another one"]
    root.backward(seed)
    for node, adjoint in adjoints.items():
        old = None if node.operands else held[node]
        wanted = adjoint if old is None else old + adjoint
        if not same(wanted, node.grad):
            found.append(f"{log.name[node]}: replayed {wanted}, backward() gives {node.grad}")
        if not same(log.adjoints[node], adjoint):
            found.append(f"{log.name[node]}: {log.adjoints[node]} in log.adjoints, {adjoint} by its contributions")
    for node in log.order:
        node.grad = held[node]
    return found


def step_discrepancies(log: Log, seed: float = 1.0) -> list[str]:
    """Where the steps of a log are not those of the algorithm that counts who is still to report (Kahn, 1962)."""
    order, root = nodes(log.root), log.root
    edges = {node: [(x, d) for x, d in zip(node.operands, node.local_derivatives) if d is not None] for node in order}
    expected = Counter(operand for node in order for operand, _ in edges[node])
    left = Counter(expected)
    sums = dict.fromkeys(order, 0.0) | {root: float(seed)}
    complete, spoken = [root], dict[Value, Any]()
    found = []
    inner = [node for node in order if node.operands]
    if [step.node for step in log.steps if step.phase == "forward"] != inner:
        found.append("a forward step is one per result, operands before results")
    if [step.number for step in log.steps] != list(range(1, 2 * len(inner) + 1)):
        found.append("steps are numbered from 1 through both phases")
    forward = [(step.phase, step.adjoint, step.contributions) for step in log.steps[: len(inner)]]
    if forward != [("forward", None, ())] * len(inner):
        found.append("the first half is forward, without adjoints and contributions")
    for step in log.steps[len(inner) :]:
        name = f"{step.number} ({log.name[step.node]})"
        if step.phase != "backward" or step.adjoint is None or not same(step.adjoint, sums[step.node]):
            found.append(f"{name}: adjoint {step.adjoint}, not {sums[step.node]}")
        if left[step.node] or step.node in spoken:
            found.append(f"{name} speaks before it is complete, or twice")
        spoken[step.node] = step
        if len(step.contributions) != len(edges[step.node]):
            found.append(f"{name} has {len(step.contributions)} contributions")
        for (operand, local), c in zip(edges[step.node], step.contributions):
            left[operand] -= 1
            if not left[operand]:
                complete.append(operand)
            before, amount = sums[operand], sums[step.node] * local
            sums[operand] = before + amount
            edge = f"{name} to {log.name[operand]}"
            wanted = (step.node, operand, left[operand], expected[operand] - left[operand], expected[operand])
            if (c.consumer, c.operand, c.waiting, c.heard, len(c.consumers)) != wanted:
                found.append(f"{edge} waits for {c.waiting}, heard {c.heard} of {len(c.consumers)}")
            told = (c.upstream, c.local_derivative, c.amount, c.before, c.after)
            by_hand = (sums[step.node], local, amount, before, sums[operand])
            if not all(map(same, told, by_hand)):
                found.append(f"{edge} is {told}, not {by_hand}")
            if step.node.operands[c.slot] is not operand or c.consumers[c.heard - 1] is not step.node:
                found.append(f"{edge} has a wrong slot or place among the consumers")
    if Counter(complete) != Counter(order) or [*spoken] != inner[::-1]:
        found.append("every node is complete once, and every result has spoken once")
    for node in order:
        arrivals, departures = log.arrivals[node], log.departures.get(node, [])
        made = spoken[node].contributions if node in spoken else ()
        if tuple(departures) != made or len(arrivals) != expected[node]:
            found.append(f"{log.name[node]}: arrivals and departures are not those of the steps")
    return found


def log_discrepancies(root: Value, seed: float = 1.0) -> list[str]:
    """All that is wrong with the log of a graph."""
    return step_discrepancies(Log(root, seed), seed) + replay_discrepancies(root, seed)


@given(graphs(held=True), st.sampled_from([1.0, 1, 2.5, -3.0, 0.0, -0.0, 1e-300]))
@settings(deadline=None)
def test_log_is_backward(root: Value, seed: float) -> None:
    """Bit for bit, for any seed and whatever the leaves hold; steps are those of counting who is still to report."""
    assert log_discrepancies(root, seed) == []


@given(graphs(ANY, held=True), ORDINARY | st.sampled_from([inf, nan]))
@settings(deadline=None)
def test_log_is_backward_where_numbers_are_not_finite(root: Value, seed: float) -> None:
    """Graphs of nan and infinities, and infinite gradients: the same nan at the same places."""
    assert log_discrepancies(root, seed) == []


@pytest.mark.parametrize("seed", [1, 2])
def test_log_of_thousands_of_nodes_is_backward(seed: int) -> None:
    """Two thousand nodes, many of them used many times."""
    root = random_graph(2000, seed)
    assert len(nodes(root)) >= 2000
    assert log_discrepancies(root) == []


def test_log_of_a_leaf_is_its_seed() -> None:
    """No steps, and an adjoint all the same."""
    x = Value(0.0, "x")
    log = Log(x, 3.0)
    assert (log.steps, log.adjoints, log.arrivals, log.departures) == ([], {x: 3.0}, {x: []}, {})


def test_log_of_a_long_chain() -> None:
    """Ten thousand nodes deep."""
    x = y = Value(1.0)
    for _ in range(10_000):
        y = y * 1.0
    log = Log(y)
    assert (len(log.steps), log.adjoints[x]) == (20_000, 1.0)


@given(graphs(ANY, held=True), st.booleans())
@settings(deadline=None)
def test_log_leaves_the_graph_alone(root: Value, again: bool) -> None:
    """Data, gradients and local derivatives are as they were."""
    if again:
        root.backward()
    order = nodes(root)
    before = grads(root), [(x.data.hex(), x.operands, str(x.local_derivatives), x.label) for x in order]
    list(map(repr, Log(root, 2.0).steps))
    assert before == (grads(root), [(x.data.hex(), x.operands, str(x.local_derivatives), x.label) for x in order])


@given(graphs())
@settings(deadline=None)
def test_contributions_add_up_to_the_gradient(root: Value) -> None:
    """In any order, to within rounding: the chain rule as the textbook writes it."""
    log = Log(root)
    root.backward(1.0)
    for node, arrivals in log.arrivals.items():
        amounts = [contribution.amount for contribution in arrivals]
        if node is not root and all(map(math.isfinite, amounts)) and math.isfinite(node.grad):
            assert math.fsum(amounts) == pytest.approx(node.grad, rel=1e-12, abs=1e-12 * math.fsum(map(abs, amounts)))


# ----- A second engine -----


def by_hand(leaves: list[int], program: list[Instruction]) -> tuple[list[int], list[list[tuple[int, int]]], list[int]]:
    """Values of a program's nodes, their edges (operand, local derivative), and which of them are summed at the end."""
    values, edges = list(leaves), [[] for _ in leaves]
    for instruction in program:
        places = chosen(list(range(len(values))), instruction)
        value, moving = EXACT[instruction.name][1](*[values[i] for i in places], instruction.k)
        values.append(value)
        edges.append([(places[which], local) for which, local in moving])
    return values, edges, list(range(len(values)))[-3:]


def told_by_kahn(edges: list[list[tuple[int, int]]], root: int) -> tuple[dict[int, int], list[tuple[int, int, int]]]:
    """Adjoints and all contributions (consumer, operand, amount), by a queue of those who have heard from everyone."""
    reached, to_visit = {root}, [root]
    while to_visit:
        for operand, _ in edges[to_visit.pop()]:
            if operand not in reached:
                reached.add(operand)
                to_visit.append(operand)
    left = Counter(operand for node in reached for operand, _ in edges[node])
    adjoints = dict.fromkeys(reached, 0) | {root: 1}
    ready, contributions = deque([root]), []
    while ready:
        node = ready.popleft()
        for operand, local in edges[node]:
            adjoints[operand] += adjoints[node] * local
            contributions.append((node, operand, adjoints[node] * local))
            left[operand] -= 1
            if not left[operand]:
                ready.append(operand)
    return adjoints, contributions


@given(st.lists(st.integers(-3, 3), min_size=1, max_size=3), instructions([*EXACT], 7))
@settings(deadline=None, max_examples=200)
def test_a_second_engine_agrees(leaves: list[int], program: list[Instruction]) -> None:
    """Integers in a list, rules written by hand, a queue: the same adjoints and contributions, exactly."""
    values, edges, summed = by_hand(leaves, program)
    edges.append([(i, 1) for i in summed])
    values.append(sum(values[i] for i in summed))
    adjoints, contributions = told_by_kahn(edges, len(values) - 1)
    assume(all(abs(x) < 2**50 for x in [*values, *adjoints.values(), *(amount for *_, amount in contributions)]))
    recorded_nodes = [Value(x) for x in leaves]
    for instruction in program:
        recorded_nodes.append(RECORD[instruction.name](*chosen(recorded_nodes, instruction), float(instruction.k)))
    recorded_nodes.append(ag.sum([recorded_nodes[i] for i in summed]))
    log, place = Log(recorded_nodes[-1]), {node: i for i, node in enumerate(recorded_nodes)}
    assert [node.data for node in recorded_nodes] == values
    assert {place[node]: adjoint for node, adjoint in log.adjoints.items()} == adjoints
    made = [(place[c.consumer], place[c.operand], c.amount) for step in log.steps for c in step.contributions]
    assert Counter(made) == Counter(contributions)


# ----- The worked examples -----


def test_contributions_of_the_cmu_example() -> None:
    """Adjoint times local derivative, each worked out by hand and evaluated at 50 digits."""
    with mpmath.workdps(50):
        x, z = mpmath.mpf(2), mpmath.mpf(3)
        a, b = x * z, mpmath.log(x)
        c = mpmath.sin(b)
        wanted = {
            ("y", "v1"): 1, ("y", "f"): 1, ("v1", "d"): 1, ("v1", "e"): 1,
            ("f", "c"): 1 / a, ("f", "a"): -c / a**2,
            ("e", "a"): 1 / b, ("e", "b"): -a / b**2,
            ("d", "a"): mpmath.exp(a),
            ("c", "b"): mpmath.cos(b) / a,
        }  # fmt: skip
        to_a = wanted["f", "a"] + wanted["e", "a"] + wanted["d", "a"]
        to_b = wanted["e", "b"] + wanted["c", "b"]
        wanted |= {("b", "x"): to_b / x, ("a", "x"): to_a * z, ("a", "z"): to_a * x}
        log = Log(cmu())
        made = {(log.name[c.consumer], log.name[c.operand]): c.amount for s in log.steps for c in s.contributions}
        assert made == {edge: pytest.approx(float(amount), rel=1e-14) for edge, amount in wanted.items()}


def test_adjoints_of_the_cmu_example_as_published() -> None:
    """The lecture's numbers, at the step where each node speaks and at the last arrival of each input."""
    log = Log(cmu())
    spoken = {log.name[step.node]: step.adjoint for step in log.steps if step.phase == "backward"}
    last = {log.name[node]: arrivals[-1].after for node, arrivals in log.arrivals.items() if not node.operands}
    assert len(log.steps) == 16
    for name, (_, adjoint) in CMU.items():
        assert (spoken | last)[name] == pytest.approx(adjoint, rel=1e-14)


def test_arrivals_at_the_cmu_examples_a() -> None:
    """f, e and d report in this order; until then others wait, and then the product speaks, last of all."""
    log = Log(cmu())
    named = {name: node for node, name in log.name.items()}
    arrivals = log.arrivals[named["a"]]
    assert [(log.name[c.consumer], c.heard, c.waiting) for c in arrivals] == [("f", 1, 2), ("e", 2, 1), ("d", 3, 0)]
    assert [log.name[step.node] for step in log.steps[8:]] == ["y", "f", "c", "v1", "e", "b", "d", "a"]


HOUSE = [
    "c = a * b = 2 * 3 = 6",
    "d = c + a = 6 + 2 = 8",
    "e = c * d = 6 * 8 = 48",
    """\
e.grad = 1, the seed: ∂e/∂e
c.grad += ∂e/∂e · ∂e/∂c = 1 × 8 = 8   (0 → 8)
    ∂e/∂c = d = 8; c waits for d (1 of 2)
d.grad += ∂e/∂e · ∂e/∂d = 1 × 6 = 6   (0 → 6)
    ∂e/∂d = c = 6; d is complete""",
    """\
d.grad = 6, complete
c.grad += ∂e/∂d · ∂d/∂c = 6 × 1 = 6   (8 → 14)
    ∂d/∂c = 1; c is complete (2 of 2)
a.grad += ∂e/∂d · ∂d/∂a = 6 × 1 = 6   (0 → 6)
    ∂d/∂a = 1; a waits for c (1 of 2)""",
    """\
c.grad = 14, complete
a.grad += ∂e/∂c · ∂c/∂a = 14 × 3 = 42   (6 → 48)
    ∂c/∂a = b = 3; a is complete (2 of 2)
b.grad += ∂e/∂c · ∂c/∂b = 14 × 2 = 28   (0 → 28)
    ∂c/∂b = a = 2; b is complete""",
]


@pytest.mark.parametrize("backward", [False, True])
def test_steps_of_the_house_graph(backward: bool) -> None:
    """What they say, word for word, whether a pass was run before or not."""
    log = Log(house(backward=backward))
    assert list(map(repr, log.steps)) == HOUSE
    contribution = log.steps[-1].contributions[0]
    assert repr(contribution) == "<Contribution of c to a: 42.0>"


# ----- Rules and words -----


def named_graph(build: Callable[..., Value], *numbers: float) -> Value:
    """`y`, made of x, z and w."""
    y = build(*[Value(number, name) for number, name in zip(numbers, "xzw")])
    y.label = "y"
    return y


RULES: list[tuple[Callable[..., Value], tuple[float, ...], list[str]]] = [
    (lambda x, z: x * z, (2.0, 3.0), ["z", "x"]),
    (lambda x, z: x - z, (2.0, 3.0), ["1", "-1"]),
    (lambda x, z: x / z, (2.0, 4.0), ["1 / z", "-y / z"]),
    (lambda x: x * x, (3.0,), ["x", "x"]),
    (lambda x: 3 - x, (3.0,), ["-1"]),
    (lambda x: 4 / x, (2.0,), ["-y / x"]),
    (lambda x: x * 5, (2.0,), ["5"]),
    (lambda x: x**2, (3.0,), ["2 * x"]),
    (ag.exp, (1.0,), ["y"]),
    (ag.log, (2.0,), ["1 / x"]),
    (ag.sin, (0.0,), ["cos(x)"]),
    (ag.tanh, (0.5,), ["1 - y * y"]),
    (ag.sigmoid, (0.0,), ["y * (1 - y)"]),
    (ag.maximum, (1.0, 2.0), ["share(x, z)", "share(z, x)"]),
    (ag.where, (1.0, 2.0, 3.0), ["0", "where(x, 1, 0)", "where(x, 0, 1)"]),
    (lambda x, z, w: ag.dot([x, 2.0], [z, w], x), (2.0, 3.0, 0.0), ["z", "x", "2", "1"]),
    (lambda x, z: ag.sum([1.0, x, 2.0, z]), (0.0, 0.0), ["1", "1"]),
    (lambda x, z: ag.mean([1.0, x, 2.0, z]), (0.0, 0.0), ["0.25", "0.25"]),
    (lambda x: ag.logsumexp([0.0, x]), (0.0,), ["exp(x - y)"]),
]


@pytest.mark.parametrize(("build", "numbers", "rules"), RULES)
def test_rules_are_written_in_the_names_of_the_nodes(
    build: Callable[..., Value], numbers: tuple[float, ...], rules: list[str]
) -> None:
    """Each edge has the rule of its own slot; constants make no edge."""
    step = Log(named_graph(build, *numbers)).steps[1]
    assert [contribution.rule for contribution in step.contributions] == rules


@pytest.mark.parametrize(("build", "numbers", "rules"), RULES)
def test_rules_evaluate_to_the_local_derivative(
    build: Callable[..., Value], numbers: tuple[float, ...], rules: list[str]
) -> None:
    """Python reads a rule as it is written, and finds the number beside it."""
    step = Log(named_graph(build, *numbers)).steps[1]
    scope: dict[str, Any] = {name: getattr(ag, name) for name in ("cos", "exp", "where")}
    scope |= {"share": lambda x, y: float(x > y), "y": step.node.data, **dict(zip("xzw", numbers))}
    for contribution in step.contributions:
        assert eval(contribution.rule, scope) == pytest.approx(contribution.local_derivative, rel=1e-14)


def test_repeated_operands_are_told_apart() -> None:
    """x * x hands on twice; x is complete after the second time."""
    y = named_graph(lambda x: x * x, 3.0)
    first, second = Log(y).steps[1].contributions
    assert (first.slot, second.slot, first.consumers) == (0, 1, (y, y))
    assert repr(Log(y).steps[1]).splitlines()[1:] == [
        "x.grad += ∂y/∂y · ∂y/∂x = 1 × 3 = 3   (0 → 3)",
        "    ∂y/∂x[1] = x = 3; x waits for y (1 of 2)",
        "x.grad += ∂y/∂y · ∂y/∂x = 1 × 3 = 3   (3 → 6)",
        "    ∂y/∂x[2] = x = 3; x is complete (2 of 2)",
    ]


def test_zero_is_a_number_in_steps() -> None:
    """A root of 0, operands of 0, local derivatives of 0 and a seed of 0 are all shown."""
    y = named_graph(lambda x, z: x * z, 0.0, 0.0)
    assert list(map(repr, Log(y, 0.0).steps)) == [
        "y = x * z = 0 * 0 = 0",
        "y.grad = 0, the seed: ∂y/∂y\n"
        "x.grad += ∂y/∂y · ∂y/∂x = 0 × 0 = 0   (0 → 0)\n"
        "    ∂y/∂x = z = 0; x is complete\n"
        "z.grad += ∂y/∂y · ∂y/∂z = 0 × 0 = 0   (0 → 0)\n"
        "    ∂y/∂z = x = 0; z is complete",
    ]


def test_nan_and_infinities_in_steps() -> None:
    """They are written as Python writes them, the sign a true minus."""
    y = named_graph(lambda x, z: x * z, inf, -inf)
    told = repr(Log(y).steps[1])
    assert "x.grad += ∂y/∂y · ∂y/∂x = 1 × (−inf) = −inf   (0 → −inf)" in told
    assert "= 1 × nan = nan" in repr(Log(named_graph(lambda x: x * nan, 1.0)).steps[1])


def test_wide_steps_are_cut_short() -> None:
    """Eight contributions are shown, and how many more there are."""
    y = named_graph(lambda: ag.sum([Value(1.0, f"x{i}") for i in range(12)]))
    lines = repr(Log(y).steps[1]).splitlines()
    assert (len(lines), lines[-1]) == (18, "and 4 more contributions")
    assert "sum(x0, x1, x2, x3, x4, x5, ..., x11)" in repr(Log(y).steps[0])


def steps_of(root: Value) -> Iterator[tuple[Step, str]]:
    """Steps, and each line of what they say."""
    for step in Log(root).steps:
        for line in repr(step).splitlines():
            yield step, line


@given(graphs())
@settings(deadline=None)
def test_equations_hold_in_the_digits_shown(root: Value) -> None:
    """What stands between = signs is equal as printed; where rounding shows, the sign is ≈."""
    for step in Log(root).steps:
        for c in step.contributions:
            line = " ".join(" ".join(chain_rule(c)).split())
            printed = float(f"{float(f'{c.upstream:.6g}') * float(f'{c.local_derivative:.6g}'):.6g}")
            exact = f"{printed:.6g}" == f"{c.amount:.6g}"
            assert f"{'=' if exact else '≈'} {six(c.amount)} (" in line


def test_forward_equations_hold_in_the_digits_shown() -> None:
    """0.333333 * 3 is not 1; where the digits give what is shown, the sign is =."""
    assert repr(Log(named_graph(lambda x: x * 3, 1 / 3)).steps[0]) == "y = x * 3 = 0.333333 * 3 ≈ 1"
    assert repr(Log(named_graph(lambda x: 3 / x, 3.0)).steps[0]) == "y = 3 / x = 3 / 3 = 1"
    assert repr(Log(named_graph(lambda x: x * 2, 1 / 3)).steps[0]) == "y = x * 2 = 0.333333 * 2 ≈ 0.666667"
    assert repr(Log(named_graph(ag.log, 1 + 1e-9)).steps[0]) == "y = log(x) = log(1) ≈ 1e−09"


def test_digits_shown_may_lie_outside_of_the_domain() -> None:
    """exp overflows at 709.783, but not at 709.7826."""
    assert repr(Log(named_graph(ag.exp, 709.7826)).steps[0]) == "y = exp(x) = exp(709.783) ≈ 1.79749e+308"


def test_negation_is_computed_once() -> None:
    """-x at 3: one number, with a true minus; the formula has a hyphen, as it is typed."""
    assert repr(Log(named_graph(lambda x: -x, 3.0)).steps[0]) == "y = -x = −3"
    assert repr(Log(named_graph(lambda x: -x, -3.0)).steps[0]) == "y = -x = -(−3) = 3"


def test_formulas_are_as_typed() -> None:
    """Those of steps and those of rules have hyphens, constants in them too; only numbers have a true minus."""
    told = repr(Log(named_graph(lambda x: 1e-7 - x, 3.0)).steps[0])
    assert told == "y = 1e-07 - x = 1e-07 - 3 = −3"
    assert "∂y/∂x = 1 - y * y = 0.786448" in repr(Log(named_graph(ag.tanh, 0.5)).steps[1])


def test_hyphens_of_labels_stay() -> None:
    """A node has one name in a step, the one by which it is found."""
    for step in Log(named(Value(2.0, "pre-act") * 3)).steps:
        assert "pre−act" not in repr(step)


class Refusal(Exception):
    """An error that is none of Python's."""


@pytest.mark.parametrize("error", [Refusal, ZeroDivisionError, TypeError, StopIteration])
def test_function_that_fails_at_rounded_numbers(error: type[Exception], monkeypatch: pytest.MonkeyPatch) -> None:
    """A step is shown whatever a function of the user's raises where it was never called; then the sign is ≈."""

    def recorded_only(x: float) -> float:
        if x != 1 / 3:
            raise error
        return 2 * x

    monkeypatch.setattr("autograd.primitives.PRIMITIVES", dict(PRIMITIVES))
    picky = ag.primitive("picky", recorded_only, lambda x, out: 2.0)
    log = Log(named(picky(Value(1 / 3, "x"))))
    assert repr(log.steps[0]) == "y = picky(x) = picky(0.333333) ≈ 0.666667"
    assert repr(log.steps[1]).startswith("y.grad = 1, the seed")


# ----- Finding nodes -----


def test_nodes_are_found_by_label_or_by_name() -> None:
    """A label goes before the name of another node; a long one is found whole and as it is shown."""
    long = "the weight of the first input"
    x, z = Value(2.0, "v1"), Value(3.0, long)
    product = x * z
    log = Log(named(product + x))
    assert log.find("v1") is x
    assert log.called("v1") == [x]
    assert log.find(long) is log.find(log.name[z]) is z
    assert log.name[z] != long
    assert log.find(log.name[product]) is product
    assert (log.called(""), log.called("V1"), log.called("nope")) == ([], [], [])
    with pytest.raises(ValueError, match="no node is called 'nope'; there are v1, the weight"):
        log.find("nope")


def test_labels_of_several_nodes_are_found_several_times() -> None:
    """find() refuses to choose, and lists them by names that can be found."""
    x, z = Value(0.0, "w"), Value(0.0, "w")
    log = Log(named(x * z, "w"))
    assert log.called("w") == log.order
    with pytest.raises(ValueError, match=r"3 nodes are labelled 'w': w \(leaf\), w#2 \(leaf\), w#3 \(step 2\); give"):
        log.find("w")
    assert [log.find(name) for name in ("w#2", "w#3")] == log.order[1:]


def named(node: Value, label: str = "y") -> Value:
    """The node, with a label."""
    node.label = label
    return node


def test_steps_tell_of_the_time_of_recording() -> None:
    """Data that is set later is not in them."""
    a, _, _, _, e = house_nodes()
    log = Log(e)
    a.data = e.data = 5.0
    assert list(map(repr, log.steps)) == HOUSE
    assert (log.steps[0].inputs, log.steps[2].value) == ([2.0, 3.0], 48.0)
    assert Log(Value(2.0) + 1).steps[0].inputs == [2.0, 1.0]


# ----- Up to date, and freed -----


def test_log_of_a_stale_graph_is_refused() -> None:
    """The message names what is late, and what to call; after forward() all is well."""
    a, _, _, _, e = house_nodes()
    a.data = 5.0
    with pytest.raises(ValueError, match=r"data was set since 3 nodes were computed: call e\.forward\(\) first"):
        current_log(e)
    e.forward()
    assert current_log(e).adjoints[a] == 2 * 5 * 9 + 2 * 5 * 3
    y = named_graph(ag.exp, 1.0)
    y.operands[0].data = 2.0
    with pytest.raises(ValueError, match=r"since y was computed: call y\.forward\(\) first"):
        current_log(y)


@pytest.mark.parametrize("build", [cmu, lambda: random_graph(300), lambda: named_graph(lambda x: x * x, 0.0)])
def test_log_makes_no_reference_cycles(build: Callable[[], Value]) -> None:
    """Dropping it frees it at once, with the graph and without, also after all steps were shown."""
    root = build()
    list(map(repr, Log(root).steps))  # whatever is loaded or cached at the first time
    gc.collect()
    gc.disable()
    try:
        log = Log(root)
        shown = list(map(repr, log.steps))
        del log
        assert gc.collect() == 0
        del root
        assert gc.collect() == 0
    finally:
        gc.enable()
    assert shown


# ----- The checks are checked -----


def overwriting(self: Any, contribution: Any) -> Any:
    """`=` for `+=`."""
    self.total = 0.0
    return RIGHT_ADDITION(self, contribution)


def without_upstream(self: Any, local_derivative: float) -> Any:
    """The local derivative alone is handed on."""
    return autograd.steps.Contribution(self.node, 1.0, local_derivative)


def operands_first(order: list[Any]) -> None:
    """The sweep, in the wrong direction."""
    RIGHT_SWEEP(order[::-1])


def without_slots(self: Log) -> None:
    """Every contribution is taken for that to the first operand."""
    RIGHT_COMPLETION(self)
    for arrivals in self.arrivals.values():
        for contribution in arrivals:
            contribution.slot = 0


RIGHT_ADDITION, RIGHT_SWEEP = autograd.steps.Tally.__iadd__, autograd.steps.sweep
RIGHT_COMPLETION = Log._complete
PLANTS: dict[str, tuple[Any, str, Any]] = {
    "overwrites": (autograd.steps.Tally, "__iadd__", overwriting),
    "forgets the upstream": (autograd.steps.Tally, "__mul__", without_upstream),
    "goes forward": (autograd.steps, "sweep", operands_first),
    "waits for one too many": (
        autograd.steps.Contribution, "waiting", property(lambda self: len(self.consumers) - self.heard + 1),
    ),
    "knows no slots": (Log, "_complete", without_slots),
}  # fmt: skip


def test_the_house_graph_has_a_right_log() -> None:
    """Unpatched, the check that the plants below must not pass finds nothing."""
    assert log_discrepancies(house(backward=False)) == []


@pytest.mark.parametrize("plant", PLANTS)
def test_every_planted_fault_is_found(plant: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A log that overwrites, forgets, goes the wrong way or miscounts is caught on the house graph."""
    monkeypatch.setattr(*PLANTS[plant])
    assert log_discrepancies(house(backward=False))
