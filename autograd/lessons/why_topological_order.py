"""Questions of notebook 4: who may speak when, what wrong orders give, and what is saved by speaking once."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

from ..exercises import Exercise
from ..feedback import NOTHING_YET, RIGHT, Feedback
from ..graph import nodes
from ..lab import compare
from ..mistakes import agrees
from ..notation import one_line
from ..scalars import as_number, with_article
from ..steps import adjoints
from ..value import Value
from ..wording import listed, six

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import Any


# ----- Predict first -----

recall = Exercise(
    "In the house graph, e and d have handed on: c now holds 14, and d has given 6 to a. "
    "How much does a still get, and from how many arrows?",
    {"amount": 42, "arrows": 1},
    mistakes={
        "amount": {
            48: "that is what a holds in the end; 6 of it has arrived already",
            28: "that is what b gets: what is ∂c/∂a?",
            3: "that is the local derivative ∂c/∂a alone: c hands on what it holds, times this",
            24: "c holds 14 by now, not 8 any more",
            18: "c holds 14 by now: what came from e counts, too",
        },
        "arrows": {2: "d has spoken already", 0: "who else uses a?"},
    },
    hints=["Who uses a? Which of them has not spoken yet?", "c = a * b hands on c.grad · b to a."],
    solution="c still has to speak: it hands 14 · 3 = 42 to a, along one arrow.",
)

level_by_level = Exercise(
    "Let the nodes of the house graph, at a = 2, b = 3, speak level by level: e first, then the operands of e from "
    "left to right, then theirs. Each speaks once, with what it holds at that moment. "
    "What does b get if e = c * d, and what if e = d * c?",
    {"e = c * d": 16, "e = d * c": 28},
    mistakes={
        "e = c * d": {
            28: "that is the right gradient; but c is the first operand of e, and speaks before d: what does it hold?",
            12: "c holds what e gave it when it speaks, and nothing from d",
            8: "that is what c holds; it hands that on times ∂c/∂b",
            24: "that is what a gets from c: ∂c/∂b is a",
        },
        "e = d * c": {
            16: "now d is met first: what has c heard by the time it speaks?",
            12: "c holds what e and d gave it",
            14: "that is what c holds; it hands that on times ∂c/∂b",
            42: "that is what a gets from c: ∂c/∂b is a",
        },
    },
    hints=[
        "b hears from c alone. So the question is what c holds when it speaks.",
        "e gives c 8, and d 6. d gives c 6. In which order do these things happen?",
    ],
    solution="c * d: c speaks second, and holds 8; b gets 8 · 2. d * c: d speaks second, c holds 8 + 6; b gets 14 · 2.",
)


# ----- A graph that no order of operands rescues -----

#: So many operations a graph of this exercise may have: each of their orders of operands is tried.
MOST_OPERATIONS = 8


def _swapped(root: Value, swaps: Sequence[Value]) -> Value:
    """The graph with the operands of some of its nodes swapped."""
    twins: dict[Value, Any] = {}
    for node in nodes(root):
        operands = [twins.get(operand, operand) if isinstance(operand, Value) else operand for operand in node.operands]
        if node.primitive is None:
            twins[node] = node
        else:
            twins[node] = node.primitive(*(operands[::-1] if node in swaps else operands))
            twins[node].label = node.label
    result: Value = twins[root]
    return result


def _name(node: Value) -> str:
    return node.label or f"the {with_article(node.primitive.name).partition(' ')[2] if node.primitive else 'leaf'}"


def _no_rescue(answer: Any) -> Feedback:
    if not isinstance(answer, Value):
        return Feedback(False, "Give the last node of your graph: a Value that is made of others.")
    results = [node for node in nodes(answer) if node.primitive is not None]
    if any(node.primitive.name not in ("add", "multiply") for node in results if node.primitive):
        return Feedback(False, "Use + and * alone: their operands can be swapped, and the result stays the same.")
    if len(results) > MOST_OPERATIONS:
        return Feedback(False, f"That is a large graph: take at most {MOST_OPERATIONS} operations.")
    used = [operand for node in results for operand in node.operands]
    forks = [node for node in results if sum(operand is node for operand in used) > 1]
    if not forks:
        told = "no result is used twice in this graph (leaves do not count: they have nothing to hand on)."
        return Feedback(False, f"The walk is right here: {told} So nobody can speak too early.")
    for count in range(len(results) + 1):
        for swaps in combinations(results, count):
            if compare(_swapped(answer, swaps), "breadth first").first is None:
                how = f"with the operands of {listed([_name(node) for node in swaps])} swapped " * bool(swaps)
                return Feedback(
                    False,
                    f"Not yet: {how}the walk level by level is right. "
                    "Is there a fork whose consumers are at the same distance from the root?",
                )
    return Feedback(True, f"Right. It is wrong in all {2 ** len(results)} orders of operands.")


no_rescue = Exercise.of_judge(
    "Build a graph of + and * in which the walk level by level is wrong, however the operands are ordered: swapping "
    "the two sides of any + or * must not rescue it. Give its last node.",
    _no_rescue,
    hints=[
        "In the house graph c and d are both one step from e, so it is a matter of left and right who comes first.",
        "Let y use c directly, and use it once more by a longer way: two steps or three.",
        "y = c * e, e = d * b, d = c + a: how far is c from y, and how far is d?",
    ],
    solution="c = a * b; d = c + a; e = d * b; y = c * e\nc is one step from y, d is two: c always speaks before d.",
)


# ----- Paths -----

calls_of_doublings = Exercise(
    "y = x, and then 20 times y = y + y. How many calls does each_path(y) take? How many arrows are used if every "
    "node speaks once, when it is complete? You may type formulas, such as 3**10 + 1.",
    {"calls": 2**21 - 1, "arrows": 40},
    mistakes={
        "calls": {
            2**20: "that is the number of paths: each path ends with a call for x, and there are calls on the way",
            2**21: "is the first call, for y itself, one or two?",
            2**20 - 1: "those are the calls for all nodes but x",
            21: "that is the number of nodes: how often is each of them visited?",
            40: "that is the number of arrows: the walk goes along most of them many times",
            41: "each node calls for its operand twice, and each of these calls does so again",
            400: "the calls double from node to node: 1 for y, then 2, then 4",
        },
        "arrows": {
            20: "y + y has two operands: two arrows",
            21: "that is the number of nodes",
            42: "x is a leaf: no arrow leads on from it",
            2**20: "that is the number of paths; each arrow is used once",
            2**21 - 2: "that is what the walk path by path goes along; each arrow is used once here",
        },
    },
    hints=[
        "One call for y, two for the node behind it, four for the next.",
        "Compare the printed numbers of calls, 3, 7, 15 and 2047, with the powers of two.",
    ],
    solution="1 + 2 + 4 + ... + 2**20 = 2**21 - 1 = 2097151 calls. 20 sums with two arrows each: 40 arrows.",
)


# ----- Waiting counts -----


def _house(swapped: bool = False) -> tuple[Value, list[Value]]:
    a, b = Value(2.0, "a"), Value(3.0, "b")
    c = a * b
    d = c + a
    return (d * c if swapped else c * d), [a, b]


def _skipping() -> tuple[Value, list[Value]]:
    a, b = Value(2.0, "a"), Value(3.0, "b")
    c = a * b
    d = c + a
    e = d * b
    return c * e, [a, b]


def _square() -> tuple[Value, list[Value]]:
    x = Value(3.0, "x")
    return x * x + x, [x]


def _shared() -> tuple[Value, list[Value]]:
    """A fork with one more consumer, which the root does not depend on."""
    a, b = Value(2.0, "a"), Value(3.0, "b")
    c = a * b
    _unused = c * 5.0
    return c * c + 4.0 * c, [a, b]


def _chain() -> tuple[Value, list[Value]]:
    y = x = Value(1.0, "x")
    for _ in range(3000):
        y = y + x
    return y, [x]


WALKED: dict[str, Callable[[], tuple[Value, list[Value]]]] = {
    "the house graph": _house,
    "its twin, e = d * c": lambda: _house(swapped=True),
    "c = a * b; d = c + a; e = d * b; y = c * e": _skipping,
    "x * x + x": _square,
    "c * c + 4 * c, where 4 is a constant": _shared,
    "a chain of 3000 sums": _chain,
}

#: What is recognised: the wrong passes of the lab, and what to look at.
_SEEN = {
    "breadth first": "That comes out if a node speaks before it has heard from all who use it.",
    "depth first": "That comes out if a node speaks before it has heard from all who use it.",
    "every visit": "That comes out if a node speaks more than once.",
    "overwrites": "That comes out if a node keeps what arrived last: what arrives adds up.",
    "forgets local": "A node hands on what it holds times the slope of the arrow: where is the slope?",
    "forgets upstream": "A node hands on what it holds times the slope of the arrow: where is what it holds?",
}


def _recognised(root: Value, leaf: Value, number: float) -> str:
    """What a wrong number tells, whether operands are taken from the left or from the right."""
    if number == 0:
        return "Nothing arrives there: does every node that is ready speak?"
    results = [node for node in nodes(root) if node.primitive is not None]
    for graph in (root, _swapped(root, results)) if len(results) < 100 else ():
        for mutation, told in _SEEN.items():
            if any(row.node is leaf and agrees(number, row.wrong) for row in compare(graph, mutation).rows):
                return told
    return "Follow it by hand: who is ready, and what does it hold?"


def _by_waiting(answer: Any) -> Feedback:
    if not callable(answer):
        return Feedback(False, "Give the function itself, as in check(gradient).")
    for name, make in WALKED.items():
        root, leaves = make()
        truth = adjoints(root)
        for leaf in leaves:
            root.zero_grad()
            try:
                given = answer(root, leaf)
            except (Exception, SystemExit) as error:  # it is the student's code, and may do anything
                told = f"it stops with {type(error).__name__}: {one_line(str(error), 80)}"
                return Feedback(False, f"For {name}, {told}")
            if given is ... or given is None:
                return Feedback(False, NOTHING_YET if given is ... else "It gives None: is a `return` missing?")
            try:
                number = as_number(getattr(given, "data", given), "check()")
            except OverflowError:
                return Feedback(False, f"For {name}, it gives a number that is far too large.")
            except (TypeError, ValueError):
                return Feedback(False, f"For {name}, it gives {with_article(type(given).__name__)}, not a number.")
            if not agrees(number, truth[leaf]):
                where = f"Not yet: for {name}, the gradient by {leaf.label} comes out as {six(number)}."
                return Feedback(False, f"{where} {_recognised(root, leaf, number)}")
    return Feedback(True, RIGHT)


by_waiting = Exercise.of_judge(
    "Write gradient(root, leaf) with waiting counts. `waits` says how many arrows each node has still to hear from, "
    "`held` what it holds, `ready` who may speak. As long as there is somebody in `ready`: take one out; along each of "
    "its arrows add to what the operand holds, and lower the operand's count; whose count is 0 becomes ready.",
    _by_waiting,
    hints=[
        "while ready: node = ready.pop() takes one out. arrows(node) lists its operands and slopes.",
        "held[operand] += slope * held[node] and waits[operand] -= 1; then look whether that made it 0.",
    ],
    solution=(
        "while ready:\n"
        "    node = ready.pop()\n"
        "    for operand, slope in arrows(node):\n"
        "        held[operand] += slope * held[node]\n"
        "        waits[operand] -= 1\n"
        "        if waits[operand] == 0:\n"
        "            ready.append(operand)\n"
        "return held[leaf]"
    ),
)


# ----- A second pass -----

second_pass = Exercise(
    "p = 2 * x; q = 3 * p; r = 4 * q, so that ∂r/∂x = 24. An engine sets r.grad to 1, then adds along the arrows, in "
    "the right order, and never sets anything to 0. What do q, p and x hold after two passes?",
    {"q": 8, "p": 36, "x": 96},
    mistakes={
        "q": {
            4: "q still holds the 4 of the first pass, and the second adds to it",
            12: "r.grad is set to 1 again, not to 2",
            1: "that is r.grad: r hands on 4 times that",
        },
        "p": {
            24: "for that q would have to hold 4 when it speaks in the second pass",
            12: "p still holds the 12 of the first pass",
        },
        "x": {
            48: "that is what a right engine gives: leaves add up over passes. What does p hold when it speaks?",
            24: "that is one pass",
            72: "x still holds the 24 of the first pass",
        },
    },
    hints=[
        "After the first pass: r 1, q 4, p 12, x 24. They all keep that.",
        "Second pass: q gets 4 more. What does q hold when it speaks, and what does it hand to p?",
    ],
    solution=(
        "q: 4 + 4 · 1 = 8\np: 12 + 3 · 8 = 36\nx: 24 + 2 · 36 = 96\n"
        "What was handed on in the first pass is handed on again: x is three arrows from r, and holds 4 times ∂r/∂x."
    ),
)


# ----- What reuse saves -----

paths_of_layers = Exercise(
    "A network as a graph: 1 input, then 4 layers of 10 nodes each, its neurons, then 1 output. An arrow, called a "
    "connection, leads from each node to every node of the next layer. How many paths lead from the output back to "
    "the input, and how many connections are there?",
    {"paths": 10**4, "connections": 320},
    mistakes={
        "paths": {
            40: "in each layer one of 10 neurons is chosen: choices multiply",
            10**5: "there are 4 layers to choose a neuron in",
            10**3: "there are 4 layers to choose a neuron in",
            320: "that is the number of connections",
            4**10: "which is chosen in what: 10 neurons in each of 4 layers",
        },
        "connections": {
            300: "the input and the output have connections, too",
            310: "the input and the output have connections, too",
            400: "between 4 layers there are 3 gaps",
            420: "between 4 layers there are 3 gaps",
            40: "those are the neurons",
            10**4: "that is the number of paths",
        },
    },
    hints=[
        "A path takes one neuron in each layer.",
        "From the input to the first layer there are 10 connections. How many between two layers?",
    ],
    solution="10 · 10 · 10 · 10 paths. 10 + 3 · 10 · 10 + 10 connections.",
)


# ----- Proposals -----

_WRONG_PROPOSALS = {
    "B": "B: take c * e with e = d * b, d = c + a, c = a * b. Which is nearer to the root, c or d?",
    "C": "C: in the house graph the walk meets c before d.",
    "E": "E: take p = a * b; q = p + a; r = q * q. How many arrows leave p, how many q, and who uses whom?",
}
_RIGHT_PROPOSALS = "ADF"


def _chosen(answer: Any) -> Iterator[str]:
    """The letters of a text, or of texts in a list."""
    texts = answer if isinstance(answer, (list, tuple, set)) else [answer]
    return (letter for text in texts if isinstance(text, str) for letter in text.upper() if letter.isalpha())


def _proposals(answer: Any) -> Feedback:
    chosen = set(_chosen(answer))
    if not chosen:
        return Feedback(False, 'Give letters from A to F, such as "BE".')
    if unknown := sorted(chosen - set("ABCDEF")):
        return Feedback(False, f'{listed(unknown)}? Give letters from A to F, such as "BE".')
    wrong = [_WRONG_PROPOSALS[letter] for letter in sorted(chosen & set(_WRONG_PROPOSALS))]
    missing = len(set(_RIGHT_PROPOSALS) - chosen)
    if not wrong and not missing:
        return Feedback(True, RIGHT)
    more = ["At least one order that is always right is not among your letters."] * bool(missing)
    return Feedback(False, *wrong, *more)


proposals = Exercise.of_judge(
    "Six proposals for the order in which nodes speak, each of them once. Which are right for every "
    'graph? Give their letters in one text, such as "BE".\n'
    "  A  the node that was made last first\n"
    "  B  the nearest to the root first: the fewest arrows on the shortest path\n"
    "  C  depth first: the root, all that is behind its first operand, then its second one\n"
    "  D  the greatest height first: the most arrows on the longest path down to a leaf\n"
    "  E  the fewest arrows to consumers first: the root has none\n"
    "  F  the nearest to the root first, measured along the longest path",
    _proposals,
    hints=[
        "An order is right if every node comes after all that use it. Take one arrow: can the operand come first?",
        "Along an arrow from consumer to operand: which was made later? Which is higher, which farther from the root?",
        "The house graph and its twin do not settle all of them. Try forks of other shapes.",
    ],
    solution=(
        "A: an operand is made before its result.\n"
        "D: a node is at least one higher than each of its operands.\n"
        "F: the longest path to an operand is at least one longer than that to its consumer.\n"
        "B and C are those of this notebook; E is right for the house graph, and by luck."
    ),
)
