"""Stepping through a pass: what gradients are at every step, both ways; places, words, predictions."""

from __future__ import annotations

import builtins
import gc
import math
import random
import re
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from house_graph import house, house_nodes
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from test_steps import ANY, HOUSE, grads, graphs, numbers_of, random_graph
from test_tables import CMU, cmu

import autograd as ag
import autograd.steps
from autograd import Stepper, Value, nodes

if TYPE_CHECKING:
    from collections.abc import Callable

    from autograd.steps import Contribution

RIGHT_STEP, RIGHT_SHOW = Stepper._take, Stepper._show


# ----- What a Stepper must do -----


def gradients_by_position(root: Value) -> list[dict[Value, str | None]]:
    """What every node holds after each number of steps, from operands and local derivatives alone."""
    order = nodes(root)
    inner = [node for node in order if node.operands]
    held = {node: node.grad if node.has_grad else None for node in order}
    arrived: dict[Value, float | None] = dict.fromkeys(order)
    arrived[root] = 1.0
    positions: list[dict[Value, float | None]] = [held] * (len(inner) + 1)
    for node in reversed(inner):
        upstream = arrived[node]
        for operand, local in zip(node.operands, node.local_derivatives):
            if local is not None:
                arrived[operand] = (arrived[operand] or 0.0) + upstream * local
        shown = dict(arrived)
        for leaf in order:
            if not leaf.operands:
                sums = [x for x in (held[leaf], arrived[leaf]) if x is not None]
                shown[leaf] = None if not sums else sums[0] if len(sums) == 1 else sums[0] + sums[1]
                if arrived[leaf] is None:
                    shown[leaf] = held[leaf]
        positions.append(shown)
    return [{node: None if x is None else x.hex() for node, x in each.items()} for each in positions]


def held_now(root: Value) -> dict[Value, str | None]:
    """What every node holds, bit for bit."""
    return {node: node.grad.hex() if node.has_grad else None for node in nodes(root)}


def stepper_discrepancies(root: Value, *, jumps: int = 5) -> list[str]:
    """Where stepping forth, back and about leaves other gradients than it should, or ends otherwise than backward()."""
    wanted = gradients_by_position(root)
    start = held_now(root)
    stepper = Stepper(root)
    found = [] if len(stepper) == len(wanted) - 1 else [f"{len(stepper)} steps"]

    def look(how: str) -> None:
        if held_now(root) != wanted[stepper.position]:
            found.append(f"{how} to step {stepper.position}: gradients are wrong")

    look("created")
    for _ in range(len(stepper)):
        stepper.next()
        look("next")
    end = held_now(root)
    for _ in range(len(stepper)):
        stepper.back()
        look("back")
    choose = random.Random(0)
    for _ in range(jumps):
        stepper.goto(choose.randint(0, len(stepper)))
        look("goto")
    stepper.reset()
    if held_now(root) != start or stepper.position:
        found.append("reset does not restore")
    root.backward()
    if held_now(root) != end:
        found.append("the end is not what backward() leaves")
    for node, grad in start.items():
        node.grad = None if grad is None else float.fromhex(grad)
    return found


@given(graphs(ANY, held=True), st.booleans())
@settings(deadline=None)
def test_stepping_forth_and_back(root: Value, again: bool) -> None:
    """At every step gradients are what has arrived, on top of what leaves held; n back undo n forth; the end is
    backward(); nan and infinities, zeros and repeated operands included."""
    if again:
        root.backward(0.5)
    assert stepper_discrepancies(root) == []


def test_stepping_through_hundreds_of_nodes() -> None:
    """A graph where many nodes wait for many."""
    assert stepper_discrepancies(random_graph(300), jumps=20) == []


@given(graphs(held=True), st.lists(st.sampled_from(["next", "back", "run", "forward", "reset"]), max_size=20))
@settings(deadline=None)
def test_any_sequence_of_moves(root: Value, moves: list[str]) -> None:
    """Gradients depend on the position alone, not on the way there."""
    wanted, stepper = gradients_by_position(root), Stepper(root)
    for move in moves:
        if move == "next" and stepper.position < len(stepper):
            assert stepper.next() is stepper.current
        elif move == "back" and stepper.position:
            assert stepper.back() is stepper.current
        elif move in ("run", "forward"):
            stepper.run("forward" if move == "forward" else None)
            assert stepper.position >= len(stepper) // 2
        elif move == "reset":
            stepper.reset()
        assert held_now(root) == wanted[stepper.position]


def test_steps_are_those_of_the_log() -> None:
    """Forward, then backward; position counts them, current is the last one taken."""
    stepper = Stepper(house(backward=False))
    assert (len(stepper), stepper.position, stepper.current) == (6, 0, None)
    taken = list(stepper)
    assert list(map(repr, taken)) == HOUSE
    assert taken == stepper.steps
    assert (stepper.position, stepper.current) == (6, stepper.steps[-1])


def test_gradients_of_the_house_graph_step_by_step() -> None:
    """By hand: c shows 8, then 14; a shows 6, then 48. What has not been reached has none."""
    a, b, c, d, e = house_nodes()
    stepper = Stepper(e)
    stepper.run("forward")
    seen = [[node.grad if node.has_grad else None for node in (a, b, c, d, e)] for _ in stepper]
    assert seen == [[None, None, 8, 6, 1], [6, None, 14, 6, 1], [48, 28, 14, 6, 1]]


def test_ends_as_published() -> None:
    """The CMU example, after all steps."""
    root = cmu()
    root.zero_grad()
    Stepper(root).run()
    for node in nodes(root):
        if node.label:
            assert node.grad == pytest.approx(CMU[node.label][1], rel=1e-14)


# ----- The ends -----


def test_next_past_the_end() -> None:
    """StopIteration, as often as it is asked; nothing changes."""
    stepper = Stepper(house(backward=False))
    stepper.run()
    for _ in range(2):
        with pytest.raises(StopIteration):
            stepper.next()
        with pytest.raises(StopIteration):
            next(stepper)
    assert (stepper.position, list(stepper), next(stepper, None)) == (6, [], None)


def test_back_before_the_start() -> None:
    """IndexError; nothing changes. Back from the first step leads to no step."""
    stepper = Stepper(house(backward=False))
    for _ in range(2):
        with pytest.raises(IndexError, match="start"):
            stepper.back()
    stepper.next()
    assert stepper.back() is None
    assert stepper.position == 0


def test_iterating_then_going_back() -> None:
    """Iteration goes on from where it is, and each step is taken when it is asked for."""
    e = house(backward=False)
    stepper = Stepper(e)
    for step in stepper:
        assert stepper.position == step.number
        if step.number == 5:
            break
    assert stepper.back() is stepper.steps[3]
    assert [step.number for step in stepper] == [5, 6]
    assert [len(stepper), bool(stepper), iter(stepper) is stepper] == [6, True, True]


def test_run() -> None:
    """To the end of the forward phase, to the end; never back."""
    stepper = Stepper(house(backward=False))
    assert stepper.run("forward") is stepper.steps[2]
    assert stepper.run("forward") is stepper.steps[2]
    assert stepper.run("backward") is stepper.steps[5]
    assert stepper.run("forward") is stepper.steps[5]
    assert stepper.run() is stepper.steps[5]
    stepper.reset()
    assert stepper.run() is stepper.steps[5]
    for phase in ("back", "", 3, True):
        with pytest.raises(ValueError, match='"forward", "backward" or nothing'):
            stepper.run(phase)


def test_reset_at_the_start_does_nothing() -> None:
    """Also before any step was taken."""
    e = house()
    before = grads(e)
    stepper = Stepper(e)
    stepper.reset()
    assert (stepper.position, grads(e)) == (0, before)


# ----- with -----


@pytest.mark.parametrize("backward", [False, True])
@pytest.mark.parametrize("steps", [0, 2, 4, 6])
def test_with_restores(backward: bool, steps: int) -> None:
    """On leaving the block all is as before, however far it went."""
    e = house(backward=backward)
    before = grads(e)
    with Stepper(e) as stepper:
        stepper.goto(steps)
        assert stepper.position == steps
    assert (grads(e), stepper.position) == (before, 0)


def test_with_restores_after_an_exception() -> None:
    """And the exception goes on, also one that moving itself raises."""
    e = house()
    before = grads(e)
    with pytest.raises(ZeroDivisionError), Stepper(e) as stepper:
        stepper.goto("d")
        raise ZeroDivisionError
    assert grads(e) == before
    with pytest.raises(StopIteration), Stepper(e) as stepper:
        stepper.run()
        stepper.next()
    assert (grads(e), stepper.position) == (before, 0)


def test_one_after_the_other() -> None:
    """A second Stepper starts from what the first one left, as a second backward() does."""
    a, b, *_, e = house_nodes()
    Stepper(e).run()
    Stepper(e).run()
    assert (a.grad, b.grad) == (96, 56)


# ----- Places -----


class Indexed:
    """A number of somebody's own."""

    def __init__(self, number: int) -> None:
        self.number = number

    def __index__(self) -> int:
        return self.number


def test_goto_a_number() -> None:
    """How many steps have been taken; 0 is the start, len the end."""
    stepper = Stepper(house(backward=False))
    assert stepper.goto(4) is stepper.steps[3]
    assert stepper.goto(6) is stepper.steps[5]
    assert stepper.goto(1) is stepper.steps[0]
    assert stepper.goto(0) is None


@pytest.mark.parametrize("kind", [np.int64, np.uint8, Indexed])
def test_goto_a_number_of_another_kind(kind: Callable[[int], Any]) -> None:
    """Whatever Python takes for an index."""
    stepper = Stepper(house(backward=False))
    assert stepper.goto(kind(4)) is stepper.steps[3]
    assert stepper.goto(kind(0)) is None
    with pytest.raises(IndexError, match="to 6, not 7"):
        stepper.goto(kind(7))


def test_goto_a_node() -> None:
    """Where it hands its complete gradient on; a leaf, where it is completed."""
    a, b, c, d, e = house_nodes()
    stepper = Stepper(e)
    for node, number in ((e, 4), (d, 5), (c, 6), (a, 6), (b, 6)):
        for place in (node, node.label):
            stepper.reset()
            assert stepper.goto(place) is stepper.steps[number - 1]
            assert (stepper.position, node.grad) == (number, {a: 48, b: 28, c: 14, d: 6, e: 1}[node])


@given(graphs())
@settings(deadline=None)
def test_goto_every_node(root: Value) -> None:
    """A node's gradient is complete there, and one step before it is not, or it has not spoken yet."""
    stepper = Stepper(root)
    end = {}
    stepper.run()
    for node in nodes(root):
        end[node] = node.grad.hex()
    for node in nodes(root):
        step = stepper.goto(node)
        assert node.grad.hex() == end[node]
        if node.operands:
            assert step.node is node
        else:
            assert not [c for c in step.contributions if c.operand is node][-1].waiting


def test_goto_a_node_without_a_label() -> None:
    """By the name that the log gives it."""
    stepper = Stepper(cmu())
    assert stepper.goto("v1").node.operands[1].label == "e"
    assert stepper.position == 12


def test_goto_labels_that_are_no_strings() -> None:
    """A label may be set to anything; it is its text that counts."""
    x = Value(2.0)
    y = x * x
    x.label, y.label = 7, None  # type: ignore[assignment]
    assert Stepper(y).goto("7").number == 2


BAD_PLACES: list[tuple[Any, type[Exception], str]] = [
    (-1, IndexError, r"steps 0 \(the start\) to 6, not -1"),
    (7, IndexError, r"steps 0 \(the start\) to 6, not 7"),
    (10**30, IndexError, "to 6"),
    (True, TypeError, "a step by its number; not by True"),
    (False, TypeError, "a step by its number; not by False"),
    (np.True_, TypeError, r"a step by its number; not by np\.True_"),
    (3.0, TypeError, r"a node is given by itself or by its label; a step by its number; not by 3\.0"),
    (np.float64(3), TypeError, r"not by np\.float64\(3\.0\)"),
    (None, TypeError, "not by None"),
    ([3], TypeError, r"not by \[3\]"),
    (Value(1.0, "q"), ValueError, "q is no node of the graph of e"),
    (Value(0.0), ValueError, "this Value is no node of the graph of e"),
    ("q", ValueError, "no node is called 'q'; there are a, b, c, d, e"),
    ("", ValueError, "no node is called ''"),
    ("A", ValueError, "no node is called 'A'"),
]


@pytest.mark.parametrize(("where", "error", "message"), BAD_PLACES)
def test_places_that_do_not_exist(where: Any, error: type[Exception], message: str) -> None:
    """An error that says what there is; nothing moves. watch() refuses what is no node, too."""
    e = house()
    stepper = Stepper(e)
    stepper.goto(5)
    before = grads(e)
    with pytest.raises(error, match=message):
        stepper.goto(where)
    assert (stepper.position, grads(e)) == (5, before)
    if not isinstance(where, int) or isinstance(where, bool):
        with pytest.raises(error, match=message):
            stepper.watch(where)
    assert "watched" not in repr(stepper)


def test_ambiguous_labels() -> None:
    """The error lists the candidates, by the names that tell them apart; those names are places."""
    x, y = Value(2.0, "w"), Value(3.0, "w")
    product = x * y
    product.label = "w"
    stepper = Stepper(product)
    listed = r"3 nodes are labelled 'w': w \(leaf\), w#2 \(leaf\), w#3 \(step 2\); give the Value"
    for move in (stepper.goto, stepper.watch):
        with pytest.raises(ValueError, match=listed):
            move("w")
    assert stepper.goto("w#3").node is product
    assert stepper.goto(y).number == 2


def test_empty_label_is_no_place() -> None:
    """In the CMU example one node has no label."""
    with pytest.raises(ValueError, match="no node is called ''"):
        Stepper(cmu()).goto("")


# ----- What cannot be stepped -----


@pytest.mark.parametrize("leaf", [Value(1.0, "x"), Value(0.0, "x")])
def test_leaf_has_no_steps(leaf: Value) -> None:
    """The message says so, with the label if there is one."""
    with pytest.raises(ValueError, match="x is a leaf: nothing was computed"):
        Stepper(leaf)
    leaf.label = ""
    with pytest.raises(ValueError, match="this Value is a leaf"):
        Stepper(leaf)


@pytest.mark.parametrize("root", [3.0, 3, None, "x", [Value(1.0)]])
def test_root_is_a_value(root: Any) -> None:
    """Everything else is a TypeError."""
    with pytest.raises(TypeError, match=f"Stepper takes the Value .*, not an? {type(root).__name__}$"):
        Stepper(root)


def test_stale_graph_is_refused() -> None:
    """Data was set: forward() first. Then it steps through the new numbers."""
    a, _, _, _, e = house_nodes()
    a.data = 5.0
    with pytest.raises(ValueError, match=r"call e\.forward\(\) first"):
        Stepper(e)
    e.forward()
    stepper = Stepper(e)
    stepper.run()
    assert a.grad == 120


def test_graph_that_goes_stale_on_the_way() -> None:
    """What is shown is true of the recorded pass, whose local derivatives the pass has."""
    a, _, _, _, e = house_nodes()
    stepper = Stepper(e)
    a.data = 5.0
    assert list(map(repr, stepper)) == HOUSE
    assert a.grad == 48


# ----- Zeros -----


def test_zeros_are_not_missing() -> None:
    """A root of 0 made of zeros: bool(v) is False for every node, and all are stepped, found and watched."""
    x, z = Value(0.0, "x"), Value(-0.0, "z")
    y = x * z
    y.label = "y"
    w = y + x
    w.label = "w"
    assert not any(map(bool, nodes(w)))
    assert stepper_discrepancies(w) == []
    stepper = Stepper(w)
    for place in (x, z, y, w, "x", "z", "y", "w"):
        assert stepper.goto(place) is not None
    stepper.watch(x)
    stepper.watch("y")
    stepper.run()
    assert repr(stepper).splitlines()[-3:] == [
        "watched: x.grad = 1; x is complete (2 of 2)", "watched: y.grad = 1; y is complete",
        "next: nothing, this is the end",
    ]  # fmt: skip
    assert (x.has_grad, x.grad, z.grad) == (True, 1, 0)


# ----- Showing -----


def test_repr_at_the_start_and_at_the_end() -> None:
    """Where it is, what the step says, who waits, what comes."""
    stepper = Stepper(house(backward=False))
    assert repr(stepper) == "Stepper of e: at the start of 6 steps\nnext: c is computed from a, b"
    stepper.goto(3)
    assert repr(stepper) == (
        "Stepper of e: step 3 of 6, forward\n  e = c * d = 6 * 8 = 48\n"
        "next: backward from e, whose gradient is the seed, 1"
    )
    stepper.goto(5)
    assert repr(stepper).splitlines() == [
        "Stepper of e: step 5 of 6, backward",
        *["  " + line for line in HOUSE[4].splitlines()],
        "waiting: a (1 of 2)",
        "next: c hands its gradient to a, b",
    ]
    stepper.run()
    assert repr(stepper).endswith("\nnext: nothing, this is the end")
    assert "waiting" not in repr(stepper)


def test_waiting_is_of_the_position() -> None:
    """Going back, waiting nodes are again those that waited there, in some order."""
    forth, back = shown_both_ways(cmu())
    assert [sorted(re.findall(r"\w+ \(\d of \d\)", text)) for text in back] == [
        sorted(re.findall(r"\w+ \(\d of \d\)", text)) for text in forth
    ]


def test_repr_is_of_the_position() -> None:
    """It says the same on the way back."""
    forth, back = shown_both_ways(cmu())
    assert forth == back


def shown_both_ways(root: Value) -> tuple[list[str], list[str]]:
    """The repr at every position, on the way forth and on the way back."""
    stepper = Stepper(root)
    forth = [repr(stepper)] + [repr(stepper) for _ in stepper]
    back = [forth[-1]]
    while stepper.position:
        stepper.back()
        back.append(repr(stepper))
    return forth, back[::-1]


def test_watch() -> None:
    """The watched gradient stands in every repr, once, in words when there is none."""
    a, _, _, _, e = house_nodes()
    stepper = Stepper(e)
    for place in (a, "a", "d"):
        stepper.watch(place)
    watched = []
    for position in range(7):
        stepper.goto(position)
        watched.append([line for line in repr(stepper).splitlines() if line.startswith("watched")])
    none = ["watched: a.grad = not computed", "watched: d.grad = not computed"]
    assert watched[:4] == [none] * 4
    assert watched[4:] == [
        ["watched: a.grad = not computed; it waits for d, c", "watched: d.grad = 6; d is complete"],
        ["watched: a.grad = 6; a waits for c (1 of 2)", "watched: d.grad = 6; d is complete"],
        ["watched: a.grad = 48; a is complete (2 of 2)", "watched: d.grad = 6; d is complete"],
    ]


def test_watch_shows_what_was_held() -> None:
    """A leaf's gradient from before this pass is told apart."""
    a, *_, e = house_nodes()
    e.backward()
    stepper = Stepper(e)
    stepper.watch("a")
    stepper.goto(5)
    assert "watched: a.grad = 54, of which 48 from before this pass" in repr(stepper)
    a.grad = None
    stepper.reset()
    assert a.grad == 48


def test_watched_gradient_that_is_zero() -> None:
    """0 that was held is a number, no gradient is none."""
    a, *_, e = house_nodes()
    a.grad = 0.0
    stepper = Stepper(e)
    stepper.watch(a)
    for _ in range(3):
        stepper.next()
        assert "watched: a.grad = 0\n" in repr(stepper)
    stepper.next()
    assert "watched: a.grad = 0, of which 0 from before this pass; it waits for d, c\n" in repr(stepper)


def test_watch_shows_whom_it_waits_for() -> None:
    """As its docstring has it: a waits for c after d has spoken; the root waits for nobody."""
    stepper = Stepper(house())
    stepper.watch("a")
    stepper.watch("e")
    stepper.goto(5)
    told = "watched: a.grad = 54, of which 48 from before this pass; a waits for c (1 of 2) watched: e.grad = 1 next: "
    assert told in " ".join(repr(stepper).split())


def test_watch_at_the_start_knows_no_pass() -> None:
    """At the start everything is from before this pass."""
    e = house()
    stepper = Stepper(e)
    stepper.watch("a")
    stepper.run()
    stepper.reset()
    e.backward()
    assert "watched: a.grad = 96\n" in repr(stepper)


def test_gradients_are_remembered_when_the_backward_phase_begins() -> None:
    """What is set, or another pass, in the forward phase is from before this pass; reset() goes back to it."""
    a, b, *_, e = house_nodes()
    stepper = Stepper(e)
    stepper.goto(2)
    a.grad = 5.0
    e.backward()
    stepper.run()
    assert (a.grad, b.grad) == (5 + 48 + 48, 28 + 28)
    stepper.goto(3)
    assert (a.grad, b.grad, e.grad) == (53, 28, 1)
    e.zero_grad()
    stepper.run()
    assert (a.grad, b.grad) == (48, 28)
    stepper.reset()
    assert not any(node.has_grad for node in nodes(e))


def test_leaves_that_held_something_are_told() -> None:
    """In the steps that contribute to them, since .grad has both."""
    stepper = Stepper(house())
    stepper.goto(5)
    assert "  before this pass: a held 48; .grad has both" in repr(stepper).splitlines()
    stepper.goto(6)
    assert "  before this pass: a held 48, b held 28; .grad has both" in repr(stepper).splitlines()
    stepper = Stepper(house(backward=False))
    assert not any("before this pass" in repr(stepper) for _ in stepper)


def test_repr_fits_a_terminal() -> None:
    """79 columns for the CMU example, at every step, with a watched node."""
    stepper = Stepper(cmu())
    stepper.watch("x")
    lines = [line for _ in stepper for line in repr(stepper).splitlines()]
    assert max(map(len, lines)) <= 79


def long_labels() -> Value:
    """Nodes with labels of 24 characters; some wait for many."""
    leaves = [Value(1.5 + i, letter * 24) for i, letter in enumerate("abcdefgh")]
    product = leaves[0]
    for i, leaf in enumerate(leaves[1:]):
        product = product * leaf + leaves[i]
        product.label = "pqrstuvw"[i] * 24
    root = ag.sum([product, *leaves])
    root.label = "R" * 24
    return root


def test_repr_with_long_labels_fits_a_wide_terminal() -> None:
    """A hundred columns or so, whatever the labels."""
    stepper = Stepper(long_labels())
    lines = [line for _ in stepper for line in repr(stepper).splitlines()]
    assert max(map(len, lines)) <= 105


def test_hostile_labels_stay_on_one_line() -> None:
    """Line breaks and overrides are escaped, long labels cut; the full label is still a place."""
    x, z = Value(2.0, "two\nlines"), Value(3.0, "\u202e" + "L" * 1000)
    y = x * z
    stepper = Stepper(y)
    assert stepper.goto("two\nlines").number == stepper.goto("\u202e" + "L" * 1000).number == 2
    assert "two\\nlines.grad" in repr(stepper)
    assert not re.search("\u202e|L{30}", repr(stepper))
    assert "two\nlines" not in repr(stepper)


@pytest.mark.parametrize("label", ["two\nlines", "\x1b[31m", "q" * 10_000])
def test_errors_show_labels_as_steps_do(label: str) -> None:
    """On one line, short."""
    for refused in (lambda: Stepper(Value(1.0, label)), lambda: Stepper(house()).goto(Value(1.0, label))):
        with pytest.raises(ValueError, match=r"is a leaf|is no node") as error:
            refused()
        assert str(error.value).isprintable()
        assert len(str(error.value)) < 200


# ----- Interrupts -----


@pytest.mark.parametrize("after", [0, 1])
def test_interrupt_in_the_seed_step(after: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C while it hands on: reset() undoes what was done, and run() begins anew."""
    a, b, c, _, e = house_nodes()
    e.backward()
    before = grads(e)
    stepper = Stepper(e)
    stepper.goto(3)
    calls = []

    def interrupted(self: Stepper, node: Value, last: Contribution | None) -> None:
        calls.append(node)
        if len(calls) > after:
            raise KeyboardInterrupt
        RIGHT_SHOW(self, node, last)

    with monkeypatch.context() as patch:
        patch.setattr(Stepper, "_show", interrupted)
        with pytest.raises(KeyboardInterrupt):
            stepper.next()
    assert (stepper.position, c.grad) == (4, 8 if after else 0)
    stepper.reset()
    assert (stepper.position, grads(e)) == (0, before)
    stepper.run()
    assert (a.grad, b.grad, c.grad) == (48 + 48, 28 + 28, 14)


def interrupted_at(number: int, action: Callable[[], Any]) -> bool:
    """Do it, with Ctrl-C before so many of a Stepper's own instructions; False if it has fewer."""
    left = number

    def trace(frame: Any, event: str, _: Any) -> Any:
        nonlocal left
        if not frame.f_code.co_filename.endswith("stepper.py"):
            return None
        frame.f_trace_opcodes = True
        left -= event == "opcode"
        if left < 0:
            sys.settrace(None)
            raise KeyboardInterrupt
        return trace

    old = sys.gettrace()
    sys.settrace(trace)
    try:
        action()
    except KeyboardInterrupt:
        return True
    finally:
        sys.settrace(old)
    return False


@pytest.mark.parametrize("start", range(6))
@pytest.mark.parametrize("move", ["next", "back"])
def test_interrupt_anywhere_in_a_step(move: str, start: int) -> None:
    """Before whichever instruction it comes: reset() restores all gradients, and run() gives the right ones."""
    wrong = []
    for number in range(1000):
        e = house()
        before = grads(e)
        stepper = Stepper(e)
        stepper.goto(start + (move == "back"))
        again = interrupted_at(number, getattr(stepper, move))
        stepper.reset()
        restored = grads(e) == before
        stepper.run()
        if not restored or [e.grad, *(node.grad for node in nodes(e)[:2])] != [1, 96, 56]:
            wrong.append(number)
        if not again:
            break
    assert number > 10
    assert wrong == []


# ----- Work and memory -----


def instructions_run(action: Callable[[], Any]) -> int:
    """How many bytecode instructions an action takes: a measure of work that is the same in every run.

    Without the collector meanwhile: Hypothesis has it call a function, whose instructions would count.
    """
    count = 0

    def trace(frame: Any, event: str, _: Any) -> Any:
        nonlocal count
        frame.f_trace_opcodes = True
        count += event == "opcode"
        return trace

    old, collecting = sys.gettrace(), gc.isenabled()
    gc.disable()
    sys.settrace(trace)
    try:
        action()
    finally:
        sys.settrace(old)
        if collecting:
            gc.enable()
    return count


def chain(length: int) -> Value:
    """A product that deep; every node uses the same leaf x."""
    x = y = Value(1.0, "x")
    for _ in range(length):
        y = y * x
    return y


def test_a_step_touches_the_operands_of_its_node_alone() -> None:
    """Of 10,000 nodes a step changes two gradients at most, and takes as much work as among 100."""
    root = chain(10_000)
    stepper, small = Stepper(root), Stepper(chain(100))
    stepper.goto(15_000)
    small.goto(150)
    before = held_now(root)
    stepper.next()
    after = held_now(root)
    changed = {node for node in after if after[node] != before[node]}
    assert 1 <= len(changed) <= 2
    assert changed <= set(stepper.current.node.operands)
    assert instructions_run(stepper.next) == instructions_run(small.next)
    assert instructions_run(stepper.back) == instructions_run(small.back)


def test_work_of_a_step_grows_with_its_degree() -> None:
    """Ten times the operands, about ten times the work."""
    work = []
    for n in (100, 1000):
        stepper = Stepper(ag.sum([Value(1.0) for _ in range(n)]) * 1.0)
        stepper.goto(3)
        work.append(instructions_run(stepper.next))
    assert 8 < work[1] / work[0] < 12


def test_work_of_a_prediction_grows_with_the_degree(capsys: pytest.CaptureFixture[str]) -> None:
    """Four times the operands, about four times the work."""
    work = []
    for n in (16, 64):
        stepper = Stepper(ag.sum([Value(float(i)) for i in range(n)]))
        stepper.next()
        work.append(instructions_run(lambda stepper=stepper: stepper.next(answer=1.0)))
    assert "right" in capsys.readouterr().out
    assert work[1] / work[0] < 8


@pytest.mark.parametrize("steps", [0, 3, 5, 6])
def test_stepper_makes_no_reference_cycles(steps: int) -> None:
    """Dropping it, wherever it stands, frees it at once."""
    repr(Stepper(house(backward=False)).run())  # whatever is loaded or cached at the first time
    e = house(backward=False)
    gc.collect()
    gc.disable()
    try:
        stepper = Stepper(e)
        stepper.watch("a")
        stepper.goto(steps)
        text = repr(stepper)
        del stepper
        assert gc.collect() == 0
        del e
        assert gc.collect() == 0
    finally:
        gc.enable()
    assert text.startswith("Stepper of e")


# ----- Predictions -----


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    """Sets what the user will type; gives the list of questions that were asked. Without answers: end of input."""

    def answers(*lines: str) -> list[str]:
        left, questions = list(lines), []

        def answer(question: str = "") -> str:
            questions.append(question)
            if not left:
                raise EOFError
            return left.pop(0)

        monkeypatch.setattr(builtins, "input", answer)
        return questions

    return answers


def test_right_predictions(typed: Callable[..., list[str]], capsys: pytest.CaptureFixture[str]) -> None:
    """The whole house graph, answered rightly: six questions, none of which tells its answer."""
    questions = typed("6", "8", "48", "8", " 14 ", "48.0")
    stepper = Stepper(house(backward=False), predict=True)
    assert [step.number for step in stepper] == [1, 2, 3, 4, 5, 6]
    assert capsys.readouterr().out == "right\n" * 6
    assert questions == [
        "c = a * b = 2 * 3 = ? ",
        "d = c + a = 6 + 2 = ? ",
        "e = c * d = 6 * 8 = ? ",
        "e.grad = 1, e = c * d; c.grad was 0 and becomes ? ",
        "d.grad = 6, d = c + a; c.grad was 8 and becomes ? ",
        "c.grad = 14, c = a * b; a.grad was 6 and becomes ? ",
    ]


#: What is typed for the last step of the house graph, where a had 6 and becomes 6 + 14 * 3 = 48.
AT_THE_FORK = {
    "42": "contribution of c alone: it adds to the 6",
    "-36": "sign is turned",
    "−36": "sign is turned",
    "9": "without c.grad = 14",
    "3": "∂c/∂a alone: multiply it by c.grad = 14",
    "20": "hands c.grad on unchanged: multiply it by ∂c/∂a = 3",
    "14": "c.grad itself: multiply it by ∂c/∂a = 3",
    "23": "adds c.grad and ∂c/∂a: multiply them",
    "34": "∂c/∂b = 2, which belongs to another place",
    "24": "value of c for its gradient",
    "6": "what a had before: c hands it 42 more",
    "90": "twice",
    "27": "half",
    "1000": "a.grad += ∂e/∂c · ∂c/∂a = 14 × 3 = 42",
    "-1e300": "a.grad += ∂e/∂c · ∂c/∂a = 14 × 3 = 42",
    "inf": "a.grad += ∂e/∂c · ∂c/∂a = 14 × 3 = 42",
    "nan": "a.grad += ∂e/∂c · ∂c/∂a = 14 × 3 = 42",
}


@pytest.mark.parametrize(("text", "fragment"), AT_THE_FORK.items())
def test_wrong_predictions_are_recognised(
    text: str, fragment: str, typed: Callable[..., list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    """Each of the usual mistakes, by its number; what is none of them gets the line of the chain rule."""
    stepper = Stepper(house(backward=False), predict=True)
    stepper.goto(5)
    typed(text)
    stepper.next()
    reply = capsys.readouterr().out
    assert fragment in reply
    assert reply.startswith(f"{text.replace('-', '−').replace('1e300', '1e+300')}? ")


@pytest.mark.parametrize(("text", "fragment"), AT_THE_FORK.items())
def test_predictions_may_be_given_instead_of_typed(
    text: str, fragment: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """next(answer) needs no predict=True, and asks nothing."""
    stepper = Stepper(house(backward=False))
    stepper.goto(5)
    stepper.next(answer=float(text.replace("−", "-")))
    assert fragment in capsys.readouterr().out
    stepper.back()
    stepper.next(answer=48)
    assert capsys.readouterr().out == "right\n"


def test_answer_of_zero_is_an_answer(capsys: pytest.CaptureFixture[str]) -> None:
    """0 is typed where 0 is right, and where it is wrong."""
    stepper = Stepper(Value(0.0, "x") * Value(0.0, "z"))
    stepper.next(answer=0)
    stepper.next(answer=0.0)
    assert capsys.readouterr().out == "right\nright\n"
    stepper = Stepper(house(backward=False))
    stepper.goto(3)
    stepper.next(answer=0)
    assert capsys.readouterr().out == "0? that is what c had before: e hands it 8 more\n"


def test_wrong_values_in_the_forward_phase(typed: Callable[..., list[str]], capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing to diagnose: the right one is told."""
    typed("5", "")
    stepper = Stepper(house(backward=False), predict=True)
    stepper.next()
    stepper.next()
    assert capsys.readouterr().out == "5? c is 6\nnot answered\n"


def test_empty_lines_and_the_end_of_input(typed: Callable[..., list[str]], capsys: pytest.CaptureFixture[str]) -> None:
    """Enter and Ctrl-D show the step without an answer; it is taken."""
    a, *_, e = house_nodes()
    typed("", "  ")
    stepper = Stepper(e, predict=True)
    for _ in stepper:
        pass
    assert capsys.readouterr().out == "not answered\n" * 6
    assert (a.grad, stepper.position) == (48, 6)


def test_interrupted_question(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C at the question leaves everything where it was."""

    def interrupt(_: str) -> str:
        raise KeyboardInterrupt

    monkeypatch.setattr(builtins, "input", interrupt)
    e = house()
    before = grads(e)
    stepper = Stepper(e, predict=True)
    with pytest.raises(KeyboardInterrupt):
        stepper.next()
    assert (stepper.position, grads(e)) == (0, before)


@pytest.mark.parametrize("text", ["six", "6 * 1", "1,5", "0x6", "--6", "?"])
def test_what_is_no_number_is_asked_again(
    text: str, typed: Callable[..., list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    """Until a number comes, or an empty line."""
    questions = typed(text, text, "6")
    stepper = Stepper(house(backward=False), predict=True)
    stepper.next()
    assert capsys.readouterr().out == "right\n"
    assert questions[1:] == ["a number, please (an empty line shows it): "] * 2


def test_only_next_asks(typed: Callable[..., list[str]], capsys: pytest.CaptureFixture[str]) -> None:
    """Jumps and steps back do not."""
    questions = typed()
    stepper = Stepper(house(backward=False), predict=True)
    stepper.goto(5)
    stepper.back()
    stepper.run()
    stepper.reset()
    assert (questions, capsys.readouterr().out) == ([], "")


def test_prediction_can_be_switched(typed: Callable[..., list[str]], capsys: pytest.CaptureFixture[str]) -> None:
    """It is an attribute, of which iteration takes notice."""
    questions = typed("8")
    stepper = Stepper(house(backward=False))
    for step in stepper:
        stepper.predict = step.number == 3
    assert capsys.readouterr().out == "right\n"
    assert len(questions) == 1


def test_stepper_asks_and_tells_as_it_is_told_to(capsys: pytest.CaptureFixture[str]) -> None:
    """`ask` and `tell` are attributes: a question gives a line, or the end of input; nothing else is printed."""
    questions, told, left = [], [], ["6", "x", " −1 ", ""]

    def ask(question: str) -> str:
        questions.append(question)
        if not left:
            raise EOFError
        return left.pop(0)

    stepper = Stepper(house(backward=False), predict=True)
    stepper.ask, stepper.tell = ask, told.append
    stepper.run("forward")
    stepper.reset()
    for _ in stepper:
        pass
    assert told == ["right", "−1? d is 8", *["not answered"] * 4]
    assert questions[1:3] == ["d = c + a = 6 + 2 = ? ", "a number, please (an empty line shows it): "]
    assert capsys.readouterr().out == ""


def test_zero_is_right_for_what_cancels(capsys: pytest.CaptureFixture[str]) -> None:
    """0.1 + 0.2 − 0.3 leaves 5.6e-17, which nobody has to know; a small number that nothing cancels to is asked for."""
    x = Value(1.0, "x")
    stepper = Stepper(ag.sum([0.1 * x, 0.2 * x, -0.3 * x]))
    stepper.goto(len(stepper) - 1)
    stepper.next(answer=0)
    assert 0 < x.grad < 1e-16
    stepper = Stepper(Value(1.0, "x") * 1e-17)
    stepper.next(answer=0)
    stepper.next(answer=0)
    assert capsys.readouterr().out.splitlines() == [
        "right",
        "0? v1 is 1e−17",
        "0? that is what x had before: v1 hands it 1e−17 more",
    ]


@given(graphs(ANY))
@settings(deadline=None)
def test_right_predictions_are_never_called_wrong(root: Value) -> None:
    """In random graphs, for every step: the number that is asked for is right, whatever else gives the same."""
    assume(not any(0 < abs(number) < 1e-310 for number in numbers_of(root)))  # see test_mistakes.py
    asked: list[float] = []
    printed: list[str] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("autograd.stepper.most_telling", lambda contributions: noting(contributions, asked))
        patch.setattr(builtins, "print", printed.append)
        stepper = Stepper(root, predict=True)
        for step in stepper.steps:
            patch.setattr(builtins, "input", lambda _, step=step: repr((asked or [step.node.data])[-1]))
            stepper.next()
    assert printed == ["right"] * len(stepper)


def noting(contributions: tuple[Contribution, ...], asked: list[float]) -> Contribution:
    """The last contribution; what it leads to is noted."""
    asked.append(contributions[-1].after)
    return contributions[-1]


def test_question_does_not_tell_the_answer(typed: Callable[..., list[str]]) -> None:
    """-x at 3 asks for −3 without writing it, and says what x is."""
    questions = typed()
    Stepper(-Value(3.0, "x"), predict=True).next()
    assert questions == ["v1 = -x at x = 3 = ? "]


# ----- The checks are checked -----


def not_restoring(self: Stepper, step: Any) -> None:
    """A step back that leaves the gradients."""
    self._position -= 1


def forgetting_what_was_held(self: Stepper, node: Value, last: Contribution | None) -> None:
    """What leaves held is lost."""
    node._grad = None if last is None else last.after


def not_clearing(self: Stepper, step: Any) -> None:
    """Gradients of results are still those of the last pass when the backward phase begins."""
    old = held_now(self._log.root)
    RIGHT_STEP(self, step)
    if step.phase == "backward" and step.node is self._log.root:
        for node, grad in old.items():
            if not node.has_grad and grad is not None:
                node.grad = float.fromhex(grad)


def overwriting(self: Any, contribution: Any) -> Any:
    """`=` for `+=`."""
    self.total = 0.0
    return RIGHT_ADDITION(self, contribution)


RIGHT_ADDITION = autograd.steps.Tally.__iadd__
PLANTS: dict[str, tuple[Any, str, Any]] = {
    "back does not restore": (Stepper, "_undo", not_restoring),
    "what leaves held is forgotten": (Stepper, "_show", forgetting_what_was_held),
    "results are not cleared": (Stepper, "_take", not_clearing),
    "the log overwrites": (autograd.steps.Tally, "__iadd__", overwriting),
}


def test_the_worked_examples_are_stepped_rightly() -> None:
    """Unpatched, the check that the plants below must not pass finds nothing."""
    assert stepper_discrepancies(house()) == stepper_discrepancies(cmu()) == []


@pytest.mark.parametrize("plant", PLANTS)
def test_every_planted_fault_is_found(plant: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A Stepper that does not undo, clear, remember or add is caught on the CMU example after a pass."""
    root = cmu()
    monkeypatch.setattr(*PLANTS[plant])
    assert stepper_discrepancies(root)


def test_not_a_number_stays_one() -> None:
    """The comparison of the checks above tells nan from a number, and 0.0 from -0.0."""
    assert math.nan.hex() == "nan"
    assert (0.0).hex() != (-0.0).hex()
