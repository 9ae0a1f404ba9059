"""The break-it lab: every mistake gives the numbers of an engine that makes it, and ends where its block ends."""

from __future__ import annotations

import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import pytest
from house_graph import house_nodes

import autograd as ag
from autograd import Value, nodes
from autograd.lab import Comparison, breaking, compare, names
from autograd.mistakes import wrong_passes
from autograd.modes import mode
from autograd.mutations import PASSES, BrokenRule, find, in_rule
from autograd.primitives import BUILT_IN, PRIMITIVES
from autograd.steps import Log

if TYPE_CHECKING:
    from collections.abc import Iterator

#: What wrong engines give for the house graph, found by writing each of them (a, b).
FINGERPRINTS = {
    "overwrites": (18, 12),
    "forgets upstream": (4, 2),
    "forgets local": (3, 2),
    "adds the factors": (28, 19),
    "hands on values": (26, 12),
    "no seed": (0, 0),
    "inputs first": (0, 0),
    "breadth first": (30, 16),
    "depth first": (30, 16),
    "every visit": (72, 44),
    "no zeroing": (48, 28),
    "reads changed data": (48, 28),
    "operands as a set": (48, 28),
    "constants ignored": (48, 28),
    "flips signs": (12, 4),
    "multiply: swapped": (36, 42),
}


@pytest.fixture(autouse=True)
def modes_are_left_off() -> Iterator[None]:
    assert mode.get() is None
    yield
    assert mode.get() is None


def house_broken(mutation: str, passes: int = 1) -> tuple[float, float]:
    with breaking(mutation):
        a, b, *_, e = house_nodes()
        for _ in range(passes):
            e.backward()
    return a.grad, b.grad


@pytest.mark.parametrize("mutation", FINGERPRINTS)
def test_the_house_graph_has_the_known_fingerprints(mutation: str) -> None:
    assert house_broken(mutation) == FINGERPRINTS[mutation]


def test_every_mistake_of_the_pass_has_a_fingerprint() -> None:
    assert {mutation.name for mutation in PASSES} <= set(FINGERPRINTS)


def test_the_twin_tells_orders_apart() -> None:
    """With e = d * c a walk breadth first is right, and one that goes on again at each visit is not."""
    results = {}
    for mutation in ("breadth first", "every visit"):
        with breaking(mutation):
            a, b, c, d, _ = house_nodes()
            (d * c).backward()
        results[mutation] = (a.grad, b.grad)
    assert results == {"breadth first": (48, 28), "every visit": (90, 56)}


def test_no_zeroing_shows_in_the_second_pass() -> None:
    assert house_broken("no zeroing", passes=2) == (162, 96)
    assert house_broken("overwrites", passes=2) == (18, 12)
    assert house_broken("flips signs", passes=2) == (24, 8)


def test_operands_as_a_set() -> None:
    """p = x + x; q = x * t; r = p * q at 1, 2 gives (8, 2); of a set, (6, 2)."""
    with breaking("operands as a set"):
        x, t = Value(1.0), Value(2.0)
        ((x + x) * (x * t)).backward()
        y = Value(2.0)
        ag.sum([y, y, y]).backward()
    assert (x.grad, t.grad, y.grad) == (6, 2, 1)


def test_changed_data() -> None:
    """As users of micrograd meet it: y = x * w, w.data = 100, and x.grad is 100. Also in nodes of many operands."""
    with breaking("reads changed data"):
        x, w = Value(2.0), Value(3.0)
        y = x * w
        w.data = 100.0
        y.backward()
        p, q = Value(2.0), Value(3.0)
        z = ag.dot([p], [q], 1.0)
        q.data = 7.0
        z.backward()
    assert (x.grad, w.grad, p.grad) == (100, 2, 7)


def test_constants_ignored() -> None:
    with breaking("constants ignored"):
        x = Value(3.0)
        (2 * x + x * 5.0 + x / 4).backward()
    assert x.grad == 3


# ----- Wrong rules -----


@pytest.mark.parametrize("name", sorted(BUILT_IN))
def test_wrong_rules_change_derivatives_and_no_values(name: str) -> None:
    """Each rule's mistakes show at some point, unless the primitive is flat; constants keep having no derivative."""
    primitive = PRIMITIVES[name]
    operands = [0.7, 0.4, 0.9][: primitive.arity] if not primitive.variadic else [0.7, 0.4, 0.9]
    right = primitive(*map(Value, operands))
    for mutation in in_rule(primitive):
        if not isinstance(mutation, BrokenRule):
            continue
        shown = []
        for sign in (1, -1):
            with_sign = [sign * operands[0], *operands[1:]]
            try:
                right = primitive(*map(Value, with_sign))
            except ValueError:
                continue
            with breaking(mutation):
                wrong = primitive(*map(Value, with_sign))
                half = primitive(Value(with_sign[0]), *with_sign[1:])
            assert wrong.data == right.data
            assert all(
                (partial is None) == (type(x) is float) for x, partial in zip(half.operands, half.local_derivatives)
            )
            shown.append(wrong.local_derivatives != right.local_derivatives)
        assert any(shown), mutation


@pytest.mark.parametrize(
    ("mutation", "wrong"),
    [("tanh: sign", -0.25), ("tanh: factor 2", 0.5), ("tanh: forgets local", 1.0), ("tanh: overwrites", 0.25)],
)
def test_wrong_rules_by_hand(mutation: str, wrong: float) -> None:
    with breaking(mutation):
        x = Value(0.5493061443340549)  # tanh is 0.5 there, and its slope 0.75
        y = ag.tanh(x) / 3
        y.backward()
    assert x.grad == pytest.approx(wrong if "local" not in mutation else 1 / 3)


def test_gradcheck_finds_wrong_rules() -> None:
    with breaking("sin: sign"):
        assert not ag.gradcheck(lambda x: ag.sin(x) * x, [0.5])
    assert ag.gradcheck(lambda x: ag.sin(x) * x, [0.5])


def test_forward_records_wrong_rules_too() -> None:
    x = Value(0.5)
    y = ag.sin(x)
    with breaking("sin: sign"):
        y.forward()
    assert y.local_derivatives[0] < 0
    y.forward()
    assert y.local_derivatives[0] > 0


def test_readers_inside_show_what_is_recorded() -> None:
    """Tables, explanations and steppers of a wrong rule do not take the graph for an old one."""
    with breaking("multiply: sign"):
        x = Value(3.0, "x")
        y = x * 2
        assert "∂v1/∂x = -2" in str(ag.table(y))
        assert "stale" not in str(ag.table(y))
        assert "= −2" in str(ag.explain(x, y))


def test_a_primitive_of_ones_own() -> None:
    ag.primitive("cubed_here", lambda x: x**3, lambda x, out: 3 * x**2)
    with breaking("cubed_here: sign"):
        x = Value(2.0)
        PRIMITIVES["cubed_here"](x).backward()
    assert x.grad == -12
    del PRIMITIVES["cubed_here"]


# ----- The block -----


def test_it_ends_with_its_block() -> None:
    with pytest.raises(RuntimeError), breaking("overwrites"):
        raise RuntimeError
    a, b, *_, e = house_nodes()
    e.backward()
    assert (a.grad, b.grad) == (48, 28)


def test_threads_and_generators() -> None:
    """Another thread is right; generators that take turns each end what they began."""
    found = []
    with breaking("overwrites"):
        thread = threading.Thread(target=lambda: found.append(house_broken_outside()))
        thread.start()
        thread.join()
    assert found == [(48, 28)]

    def waiting(mutation: str) -> Iterator[None]:
        with breaking(mutation):
            yield

    first, second = waiting("overwrites"), waiting("no seed")
    next(first), next(second)
    assert list(first) == []
    assert house_broken_outside() == (0, 0)  # the second is still open
    assert list(second) == []
    assert house_broken_outside() == (48, 28)


def house_broken_outside() -> tuple[float, float]:
    a, b, *_, e = house_nodes()
    e.backward()
    return a.grad, b.grad


def test_the_inner_one_counts_and_decorators_work() -> None:
    with breaking("overwrites"):
        assert house_broken("no seed") == (0, 0)
        assert house_broken_outside() == (18, 12)

    @breaking("no seed")
    def wrong() -> tuple[float, float]:
        return house_broken_outside()

    assert wrong() == (0, 0)
    assert house_broken_outside() == (48, 28)


def test_a_right_pass_after_a_wrong_one() -> None:
    a, b, *_, e = house_nodes()
    with breaking("breadth first"):
        e.backward()
    e.zero_grad()
    e.backward()
    assert (a.grad, b.grad) == (48, 28)


@pytest.mark.parametrize("wrong", [None, "", "nope", "overwrite", 3, "tanh: nope", "tanh"])
def test_a_wrong_name_lists_the_names(wrong: object) -> None:
    with pytest.raises(ValueError, match="'overwrites'|'tanh: sign'"):
        breaking(wrong)  # type: ignore[arg-type]


def test_names() -> None:
    assert len(names()) == len(set(names())) > 200
    assert all(find(name).name == name for name in names())


def test_the_many_visits_are_refused() -> None:
    x = y = Value(1.0)
    for _ in range(20):
        y = y + y
    with breaking("every visit"), pytest.raises(ValueError, match="10000 visits"):
        y.backward()
    assert not x.has_grad


# ----- compare -----


@pytest.mark.parametrize("mutation", [mutation.name for mutation in PASSES] + ["multiply: sign", "sin: sign"])
def test_compare_leaves_the_graph_alone(mutation: str) -> None:
    a, b, c, d, e = house_nodes()
    e.backward()
    b.grad = None
    before = [(node.data, node._grad, node.local_derivatives) for node in nodes(e)]
    comparison = compare(e, mutation)
    assert [(node.data, node._grad, node.local_derivatives) for node in nodes(e)] == before
    assert [row.node for row in comparison.rows] == [e, d, c, b, a]
    assert str(comparison).startswith(f"{mutation} (") and "<table>" in comparison._repr_html_()
    assert all(len(line) <= 77 for line in str(comparison).splitlines())


def test_compare_agrees_with_the_marks_of_exams() -> None:
    """The wrong passes that exam sheets know give the same numbers."""
    *_, e = house_nodes()
    known = [wrong.adjoints for wrong in wrong_passes(Log(e), {})]
    for mutation in ("overwrites", "forgets upstream", "forgets local", "adds the factors", "every visit"):
        assert {row.node: row.wrong for row in compare(e, mutation).rows} in known


def test_compare_names_the_first_node_that_differs() -> None:
    _, b, c, d, e = house_nodes()
    assert compare(e, "overwrites").first is c
    assert compare(e, "forgets local").first is d
    assert compare(e, "breadth first").first is b
    assert compare(e, "no seed").first is e
    assert "c handed on when it held 8" in str(compare(e, "breadth first"))


def test_compare_says_why_nothing_differs() -> None:
    a, _, _, _, e = house_nodes()
    assert compare(e, "sin: sign").first is None
    assert "this graph has no sin" in str(compare(e, "sin: sign"))
    assert "cannot tell the two apart" in str(compare(e, "operands as a set"))
    assert "set the .data" in str(compare(e, "reads changed data"))
    a.data = 5.0
    assert isinstance(compare(e, "reads changed data"), Comparison)
    assert compare(e, "reads changed data").first is not None
    with pytest.raises(ValueError, match=r"e\.forward\(\)"):
        compare(e, "multiply: sign")


def test_compare_inside_a_block_is_right_where_it_says_right() -> None:
    *_, e = house_nodes()
    with breaking("no seed"), ag.no_grad():
        assert [row.right for row in compare(e, "overwrites").rows] == [1, 6, 14, 28, 48]


def test_the_lab_is_light() -> None:
    """`import autograd` does not bring in the mistakes, the grader, the exercises or the mutants."""
    code = "import sys, autograd; print([m for m in sys.modules if m.startswith('autograd.')])"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert "autograd.mutating" in loaded
    later = ("lab", "mutations", "grader", "battery", "mutants", "exercises", "answers")
    assert not any(f"autograd.{name}" in loaded for name in later)
