"""Exam sheets: blanks and their numbers, the key, marks and hints, and the forms for documents."""

from __future__ import annotations

import gc
import math
import re
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

import numpy as np
import pytest
from house_graph import house, house_nodes
from hypothesis import assume, given, settings
from test_steps import ANY, grads, graphs, numbers_of
from test_tables import CMU, HOSTILE, cmu

import autograd as ag
import autograd.exams
import autograd.mistakes
from autograd import Value, table
from autograd.steps import recorded_pass

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from autograd.tables import Table

BLANK = re.compile(r"\((\d+)\) ____")
FILLED = re.compile(r"\((\d+)\) (\S+)")


def cells(shown: Table) -> Iterator[tuple[str, str, str]]:
    """Every number of a table, row by row: its node, its column (or ∂./∂.) and its text."""
    for row in shown.rows:
        yield row.name, "value", row.value
        for symbol, _, text in row.derivatives:
            yield row.name, symbol, text
        yield row.name, "adjoint", row.adjoint


def blanks(shown: Table) -> list[tuple[str, str]]:
    """Where the blanks are, in the order of their numbers."""
    found = [(name, place, BLANK.fullmatch(text)) for name, place, text in cells(shown)]
    numbers = [int(match[1]) for *_, match in found if match]
    assert numbers == list(range(1, len(numbers) + 1))
    return [(name, place) for name, place, match in found if match]


def key_numbers(shown: Table) -> list[str]:
    """The answers, as the key has them."""
    matches = [FILLED.fullmatch(text) for *_, text in cells(shown.key)]
    return [match[2] for match in matches if match]


ADJOINTS = [(name, "adjoint") for name in "abcde"]
VALUES = [("c", "value"), ("d", "value"), ("e", "value")]
LOCALS = [("c", "∂c/∂a"), ("c", "∂c/∂b"), ("d", "∂d/∂c"), ("d", "∂d/∂a"), ("e", "∂e/∂c"), ("e", "∂e/∂d")]
OF_C = [("c", "value"), *LOCALS[:2], ("c", "adjoint")]

FORMS: list[tuple[Any, list[tuple[str, str]]]] = [
    ("adjoint", ADJOINTS),
    ("value", VALUES),
    ("local derivatives", LOCALS),
    ("all", [*ADJOINTS, *VALUES, *LOCALS]),
    (["value", "adjoint"], [*ADJOINTS, *VALUES]),
    ({"value", "adjoint"}, [*ADJOINTS, *VALUES]),
    ("c", OF_C),
    (["c"], OF_C),
    (("c", "adjoint"), [("c", "adjoint")]),
    (["a", "b"], [("a", "adjoint"), ("b", "adjoint")]),
    ([("c", "all")], OF_C),
    ([("d", "local derivatives"), ("e", "value")], [*LOCALS[2:4], ("e", "value")]),
    (["adjoint", ("c", "value"), ("c", "adjoint"), "adjoint"], [*ADJOINTS, ("c", "value")]),
    (iter(["value"]), VALUES),
    (("value", "adjoint"), [*ADJOINTS, *VALUES]),
    (("a", "b"), [("a", "adjoint"), ("b", "adjoint")]),
    ({"a": 1, "b": 2}, [("a", "adjoint"), ("b", "adjoint")]),
    (np.array(["value", "adjoint"]), [*ADJOINTS, *VALUES]),
]


@pytest.mark.parametrize(("wanted", "places"), FORMS)
def test_forms_of_blanks(wanted: Any, places: list[tuple[str, str]]) -> None:
    """Columns, nodes, pairs, lists of all; each place once, numbered as it stands in the sheet."""
    sheet = table(house(backward=False), blanks=wanted)
    order = [(name, place) for name, place, _ in cells(sheet)]
    assert blanks(sheet) == sorted(places, key=order.index)
    assert len(key_numbers(sheet)) == len(places)
    assert len(sheet.check([None] * len(places)).marks) == len(places)


def test_nodes_as_blanks() -> None:
    """A node is given by itself as by its name, alone, in a pair, and in collections of both."""
    a, b, c, d, e = house_nodes()
    for wanted, named_so in (
        (c, "c"), ([c], ["c"]), ((c, "adjoint"), ("c", "adjoint")), ((c, d), ["c", "d"]), ({a, b}, ["a", "b"]),
        ([(c, "all"), "d", (e, "value")], ["c", "d", ("e", "value")]), ((a, "b"), ["a", "b"]), (iter([a]), "a"),
    ):  # fmt: skip
        assert blanks(table(e, blanks=wanted)) == blanks(table(e, blanks=named_so))
    assert table(e, blanks=["a", (c, "adjoint")]).check({a: 48, (c, "adjoint"): 14})


def test_nodes_without_labels_as_blanks() -> None:
    """Also where their values are 0, and where several bear one label."""
    x, z = Value(0.0, "w"), Value(0.0, "w")
    product = x * z
    root = product + x
    assert blanks(table(root, blanks=(product, "adjoint"))) == [("v1", "adjoint")]
    assert blanks(table(root, blanks=z)) == [("w#2", "adjoint")]
    assert table(root, blanks=[x, z]).check({z: 0, x: 1})


@pytest.mark.parametrize("wanted", [[], (), {}, iter([]), ("a", "value"), [("a", "value"), ("b", "value")]])
def test_blanks_that_leave_nothing_blank(wanted: Any) -> None:
    """A sheet asks for something; the values of leaves are given."""
    with pytest.raises(ValueError, match="leaves nothing blank; the values of leaves are given"):
        table(house(), blanks=wanted)


@pytest.mark.parametrize("wanted", [3, 1.5, True, len])
def test_blanks_that_are_no_collection(wanted: Any) -> None:
    """The error says what is."""
    with pytest.raises(TypeError, match="blanks is a column, a node or a list of them, not "):
        table(house(), blanks=wanted)


@pytest.mark.parametrize(
    "wanted",
    [
        "", "nope", "Adjoint", ["value", "q"], ("c", "q"), ("q", "value"), [3], [None], [1.5], [["c"]], Value(1.0),
        [Value(0.0)], [(Value(1.0), "value")],
    ],
)  # fmt: skip
def test_blanks_that_do_not_exist(wanted: Any) -> None:
    """The error lists what there is."""
    known = (
        r"columns \('value', 'local derivatives', 'adjoint', 'all'\), nodes \(a, b, c, d, e\) and pairs of both; not"
    )
    with pytest.raises(ValueError, match=known):
        table(house(), blanks=wanted)


def test_sheet_of_the_house_graph() -> None:
    """Sheet and key, as they are printed."""
    sheet = table(house(backward=False), blanks=["value", "adjoint"])
    assert repr(sheet) == str(sheet)
    assert str(sheet) == (
        "step  name  expression     value  local derivatives      adjoint\n"
        "   1  a     leaf               2                        (1) ____\n"
        "   2  b     leaf               3                        (2) ____\n"
        "   3  c     a * b       (3) ____  ∂c/∂a = 3, ∂c/∂b = 2  (4) ____\n"
        "   4  d     c + a       (5) ____  ∂d/∂c = 1, ∂d/∂a = 1  (6) ____\n"
        "   5  e     c * d       (7) ____  ∂e/∂c = 8, ∂e/∂d = 6  (8) ____"
    )
    assert str(sheet.key) == (
        "step  name  expression   value  local derivatives     adjoint\n"
        "   1  a     leaf             2                         (1) 48\n"
        "   2  b     leaf             3                         (2) 28\n"
        "   3  c     a * b        (3) 6  ∂c/∂a = 3, ∂c/∂b = 2   (4) 14\n"
        "   4  d     c + a        (5) 8  ∂d/∂c = 1, ∂d/∂a = 1    (6) 6\n"
        "   5  e     c * d       (7) 48  ∂e/∂c = 8, ∂e/∂d = 6    (8) 1"
    )


# ----- The key -----


def sheet_discrepancies(root: Value) -> list[str]:
    """Where the sheet with all blanks shows an answer, or its key is not the table of a pass of its own."""
    sheet = table(root, blanks="all")
    found = []
    shown, key = list(cells(sheet)), list(cells(sheet.key))
    root.zero_grad()
    root.backward()
    plain = list(cells(table(root)))
    leaves = {row.name for row in sheet.rows if row.expression == "leaf"}
    number = 0
    for (name, place, text), (*_, filled), (*_, right) in zip(shown, key, plain, strict=True):
        if place == "value" and name in leaves:
            wanted = (right, right)
        else:
            number += 1
            wanted = (f"({number}) ____", f"({number}) {right}")
        if (text, filled) != wanted:
            found.append(f"{name}, {place}: {text} and {filled}, not {wanted}")
    if (marks := sheet.check(key_numbers(sheet))) and marks.right == number:
        return found
    return [*found, f"the key is not right: {marks}"]


@given(graphs(ANY, held=True))
@settings(deadline=None)
def test_key_is_the_table_after_a_pass(root: Value) -> None:
    """In random graphs: no blank shows its answer, the key is the plain table, and marked, it is all right."""
    assume(not any(0 < abs(number) < 1e-310 for number in numbers_of(root)))  # see test_mistakes.py
    assert sheet_discrepancies(root) == []


@pytest.mark.parametrize("digits", [3, 4, 6, 10, 17])
def test_key_in_other_digits(digits: int) -> None:
    """It shows as many as are wanted, three or more of which are right."""
    sheet = table(cmu(), blanks="all", digits=digits)
    assert sheet.check(key_numbers(sheet))
    assert f"{CMU['y'][0]:.{digits}g}" in str(sheet.key)


def test_key_has_the_published_numbers() -> None:
    """The forward and backward table of the CMU example."""
    sheet = table(cmu(), blanks=["value", "adjoint"], digits=10)
    answers = dict(zip(blanks(sheet), map(float, key_numbers(sheet))))
    for name, (value, adjoint) in CMU.items():
        assert answers[name, "adjoint"] == pytest.approx(adjoint, rel=1e-9)
        assert answers.get((name, "value"), value) == pytest.approx(value, rel=1e-9)


def test_key_of_a_key_is_the_key() -> None:
    """And that of a table without blanks is the table."""
    sheet = table(house(), blanks="value")
    assert sheet.key.key is sheet.key
    plain = table(house())
    assert plain.key is plain


@pytest.mark.parametrize("passes", [0, 1, 2])
def test_sheet_is_of_the_roots_own_pass(passes: int) -> None:
    """Whatever gradients are stored; they stay, and there are no notes on them."""
    a, *_, e = house_nodes()
    a.grad = 1000.0
    for _ in range(passes):
        e.backward()
    before = grads(e)
    sheet = table(e, blanks="adjoint")
    assert key_numbers(sheet) == ["48", "28", "14", "6", "1"]
    assert sheet.check([48, 28, 14, 6, 1])
    assert (grads(e), sheet.notes, sheet.key.notes) == (before, [], [])


def test_given_adjoints_are_shown_before_any_pass() -> None:
    """Where the adjoint is not asked, the sheet has it."""
    sheet = table(house(backward=False), blanks="value")
    assert [row.adjoint for row in sheet.rows] == ["48", "28", "14", "6", "1"]


def test_sheet_of_a_leaf() -> None:
    """One blank, whose answer is 1."""
    sheet = table(Value(0.0, "x"), blanks="all")
    assert blanks(sheet) == [("x", "adjoint")]
    assert sheet.check([1])
    assert str(sheet.check([0])) == (
        "0 of 1 right\n  (1) adjoint of x: 0? that is the value of x; it moves by 1 per unit of itself"
    )


def test_sheet_of_repeated_operands() -> None:
    """x * x has two blanks for its local derivatives, constants have none."""
    x = Value(3.0, "x")
    y = x * x
    y.label = "y"
    sheet = table(y, blanks="all")
    assert blanks(sheet) == [("x", "adjoint"), ("y", "value"), ("y", "∂y/∂x[1]"), ("y", "∂y/∂x[2]"), ("y", "adjoint")]
    assert sheet.check([6, 9, 3, 3, 1])
    constants = table(named(ag.dot([x, 2.0], [4.0, x], 1.0)), blanks="local derivatives")
    assert key_numbers(constants) == ["4", "2"]


def test_question_on_repeated_operands() -> None:
    """Marks name a place as the sheet does."""
    x, z = Value(3.0, "x"), Value(2.0, "z")
    sheet = table(named(x * x), blanks="local derivatives")
    assert "(1) ∂y/∂x[1]: not answered\n  (2) ∂y/∂x[2]: 4? " in str(sheet.check([None, 4]))
    products = table(named(ag.dot([x, x], [z, 5.0])), blanks="local derivatives")
    assert [symbol for _, symbol in blanks(products)] == ["∂y/∂x[1]", "∂y/∂x[2]", "∂y/∂z"]
    assert "(1) ∂y/∂x[1]: 5? that is ∂y/∂x[2]" in str(products.check([5, 5, 3]))


def test_sheet_of_a_wide_node() -> None:
    """There are as many answers as blanks that one sees: eight of its local derivatives."""
    leaves = [Value(float(i), f"x{i}") for i in range(12)]
    sheet = table(named(ag.dot([*leaves[:6], 1.0], [*leaves[6:], 1.0], leaves[0])), blanks="all")
    asked = [mark.question for mark in sheet.check({}).marks if mark.question.startswith("∂")]
    assert asked == [symbol for _, symbol in blanks(sheet) if symbol.startswith("∂")]
    assert asked == ["∂y/∂x0[1]", *(f"∂y/∂x{i}" for i in range(1, 8))]
    assert "5 more" in str(sheet)


def named(node: Value, label: str = "y") -> Value:
    """The node, with a label."""
    node.label = label
    return node


# ----- Marks -----


def test_all_right() -> None:
    """True, and one line."""
    marks = table(house(), blanks="adjoint").check([48, 28.0, np.float64(14), "6", True])
    assert bool(marks) is True
    assert (marks.right, str(marks), repr(marks)) == (5, "5 of 5 right", "5 of 5 right")
    assert [(mark.number, mark.question, mark.answer) for mark in marks.marks][:2] == [
        (1, "adjoint of a", 48.0), (2, "adjoint of b", 28.0),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "answers", [[48, None, 14, None, 1], {1: 48, 3: 14, 5: 1}, {"a": 48, ("c", "adjoint"): 14, 5: 1}]
)
def test_not_answered(answers: Any) -> None:
    """None, or nothing in a dictionary: not right, and no hint."""
    marks = table(house(), blanks="adjoint").check(answers)
    assert bool(marks) is False
    assert str(marks) == "3 of 5 right\n  (2) adjoint of b: not answered\n  (4) adjoint of d: not answered"


def test_zero_is_an_answer() -> None:
    """Right where the number is 0, and wrong elsewhere, but given."""
    x = Value(0.0, "x")
    sheet = table(named(x * 0.0), blanks="all")
    assert sheet.check([0, 0.0, "0", 1])
    marks = table(house(), blanks="adjoint").check([0] * 5)
    assert (marks.right, "not answered" in str(marks)) == (0, False)


def test_answers_as_text() -> None:
    """Numbers as one types them, the true minus included."""
    x, z = Value(2.0, "x"), Value(-3.0, "z")
    sheet = table(named(x * z), blanks="all")
    assert blanks(sheet)[0] == ("x", "adjoint")
    assert sheet.check(["−3", " 2 ", "-6.0", "−3e0", "2", "+1"])
    assert not sheet.check(["3", "2", "-6", "-3", "2", "1"])


def test_answers_in_every_order() -> None:
    """By number, by pair, by name where a node has one blank."""
    sheet = table(house(), blanks=["adjoint", ("c", "value")])
    marks = sheet.check({("c", "adjoint"): 14, 6: 1, "a": 48, ("c", "value"): 6, "d": 6, 2: 28})
    assert marks
    assert [mark.answer for mark in marks.marks] == [48, 28, 6, 14, 6, 1]


WRONG_ANSWERS: list[tuple[Any, type[Exception], str]] = [
    ([1], ValueError, "the sheet has 6 blanks; 1 answers were given"),
    ([1] * 7, ValueError, "the sheet has 6 blanks; 7 answers were given"),
    ({0: 1}, ValueError, "0 is no blank of this sheet; take its number, from 1 to 6$"),
    ({7: 1}, ValueError, "7 is no blank"),
    ({-1: 1}, ValueError, "-1 is no blank"),
    ({True: 1}, ValueError, "True is no blank"),
    ({1.0: 1}, ValueError, "1.0 is no blank"),
    ({"q": 1}, ValueError, "'q' is no blank of this sheet; take its number, from 1 to 6; the nodes are a, b, c, d, e$"),
    ({("q", "adjoint"): 1}, ValueError, "the nodes are a, b, c, d, e$"),
    ({"c": 1}, ValueError, "'c' stands for 2 blanks of this sheet; take its number, from 1 to 6"),
    ({("d", "value"): 8}, ValueError, r"\('d', 'value'\) is no blank"),
    ({"a": "six"}, ValueError, "an answer is a number, not 'six'"),
    ({"a": ""}, ValueError, "an answer is a number, not ''"),
    ({"a": [48]}, TypeError, "takes a real number, not a list"),
    ({"a": 48j}, TypeError, "takes a real number"),
    ({"a": Value(48.0)}, TypeError, "takes a real number"),
    ({Value(48.0): 1}, ValueError, "is no blank of this sheet"),
    (5, TypeError, "answers are a list of numbers, or a dictionary from blanks to numbers; not 5"),
    (None, TypeError, "dictionary from blanks to numbers; not None"),
    ("481428", TypeError, "dictionary from blanks to numbers; not '481428'"),
    (Value(48.0), TypeError, "dictionary from blanks to numbers; not Value"),
]


@pytest.mark.parametrize(("answers", "error", "message"), WRONG_ANSWERS)
def test_answers_that_fit_nothing(answers: Any, error: type[Exception], message: str) -> None:
    """The message says what the sheet has."""
    sheet = table(house(), blanks=["adjoint", ("c", "value")])
    with pytest.raises(error, match=message):
        sheet.check(answers)


def test_table_without_blanks() -> None:
    """It is what it was, and has nothing to check."""
    plain = table(house())
    assert "____" not in str(plain)
    assert str(plain) == str(table(house(), blanks=None)) == str(plain.key)
    for shown in (plain, table(house(), blanks="value").key):
        with pytest.raises(ValueError, match=r'no blanks: make an exam sheet with table\(root, blanks="adjoint"\)'):
            shown.check([])


def test_sheet_of_a_stale_graph_is_refused() -> None:
    """Its answers would not follow from its numbers."""
    a, *_, e = house_nodes()
    a.data = 7.0
    with pytest.raises(ValueError, match=r"call e\.forward\(\) first"):
        table(e, blanks="adjoint")
    e.forward()
    assert table(e, blanks="adjoint").check([2 * 7 * 9 + 2 * 7 * 3, (21 + 28) * 7, 49, 21, 1])


def test_what_is_no_graph_is_refused() -> None:
    """With blanks as without."""
    with pytest.raises(TypeError, match="a graph is that of a Value"):
        table(3.0, blanks="adjoint")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="digits"):
        table(house(), blanks="adjoint", digits=0)


# ----- Hints -----


def hints(wanted: str | Collection[Any], answers: Any, root: Value | None = None) -> dict[str, str]:
    """The hints to the answers that are wrong, by question."""
    marks = table(house() if root is None else root, blanks=wanted).check(answers)
    assert all(bool(mark.hint) == (mark.answer is not None and not mark.right) for mark in marks.marks)
    return {mark.question: mark.hint for mark in marks.marks if mark.hint}


@pytest.mark.parametrize(
    ("kind", "for_a", "for_b", "told"),
    [
        ("overwritten", 18, 12, "only the last contribution was kept at each fork: contributions add up"),
        ("no upstream", 4, 2, "local derivatives alone"),
        ("no local derivative", 3, 2, "hands gradients on unchanged: multiply them by the local derivative"),
        ("value for gradient", 26, 12, "hands on values instead of gradients"),
        ("sign", -48, -28, "the sign is turned"),
        ("twice", 96, 56, "twice too much"),
        ("none of them", 1234, 999, "add up gradient times local derivative"),
        ("nothing arrived", 0, 0, "add up gradient times local derivative"),
    ],
)
def test_fingerprints_on_a_sheet(kind: str, for_a: float, for_b: float, told: str) -> None:
    """What comes out of a mistake made throughout gets a hint at it; what tells nothing, where to look."""
    found = hints(["a", "b"], [for_a, for_b])
    assert told in found["adjoint of a"]
    assert told in found["adjoint of b"]


def test_a_sheet_filled_by_overwriting() -> None:
    """c = 6, a = 18, b = 12: one mistake explains all three, and is told at each."""
    found = hints("adjoint", [18, 12, 6, 6, 1])
    told = "only the last contribution was kept at each fork: contributions add up"
    assert found == {"adjoint of a": told, "adjoint of b": told, "adjoint of c": told}


def test_a_sheet_filled_by_adding() -> None:
    """28, 19, 17, 7: added where it should multiply, from the root on."""
    found = hints("adjoint", [28, 19, 17, 7, 1])
    assert len(found) == 4
    assert set(found.values()) == {"that adds gradient and local derivative: multiply them"}


def test_one_wrong_number_is_followed_through() -> None:
    """c = 15: what is computed rightly from it is said to be."""
    found = hints("adjoint", {"a": 51, "b": 30, "c": 15, "d": 6, "e": 1})
    follows = "this step is right; it goes wrong with your number for c"
    assert found == {
        "adjoint of a": follows, "adjoint of b": follows,
        "adjoint of c": "add up gradient times local derivative over e, d",
    }  # fmt: skip


def test_unanswered_numbers_are_not_blamed() -> None:
    """A blank that was left, or a value that was wrong, is no number of yours."""
    found = hints(["adjoint", "value"], {("c", "value"): 7, ("a", "adjoint"): 51})
    assert "your number" not in found["adjoint of a"]


def test_hints_to_values() -> None:
    """Sign, reciprocal, and else to compute again."""
    a, b = Value(6.0, "a"), Value(3.0, "b")
    q = named(a / b, "q")
    assert [hints("value", [x], q)["value of q"] for x in (-2, 0.5, 3)] == [
        "the sign is turned", "that is one over it: are the operands swapped?", "compute q from its operands again",
    ]  # fmt: skip


def test_hints_to_local_derivatives() -> None:
    """Another place's, with the upstream already, the sign, and else the rule in words."""
    for answer, told in {
        2: "that is ∂c/∂b, of another place",
        42: "that is times the gradient of c already; ∂c/∂a stands for itself",
        -3: "the sign is turned",
        7: "how much does c move per unit of a? each factor receives the gradient scaled by the other factor",
    }.items():
        assert hints([("c", "local derivatives")], [answer, None])["∂c/∂a"].startswith(told)


def test_zero_is_right_where_contributions_cancel() -> None:
    """Of an adjoint what rounding leaves is 0; a small value is asked for."""
    x = Value(1.0, "x")
    y = named(ag.sum([0.1 * x, 0.2 * x, -0.3 * x]))
    y.backward()
    assert 0 < x.grad < 1e-16
    assert table(y, blanks=[("x", "adjoint")]).check([0])
    assert not table(named(Value(1e-17, "x") * 1.0), blanks="value").check([0])
    assert not table(named(Value(1.0, "x") * 1e-17), blanks=[("x", "adjoint")]).check([0])


def test_hint_to_the_root() -> None:
    """Its value, or anything else."""
    assert hints([("e", "adjoint")], [48]) == {
        "adjoint of e": "that is the value of e; it moves by 1 per unit of itself"
    }
    assert hints([("e", "adjoint")], [5]) == {"adjoint of e": "the pass starts here, with 1"}


def test_zeros_get_hints_too() -> None:
    """Values, local derivatives and gradients of 0 answered by 5: nothing fails, nothing divides by zero."""
    x, z = Value(0.0, "x"), Value(0.0, "z")
    found = hints("all", [5] * 6, named(x * z))
    assert len(found) == 6
    assert found["value of y"] == "compute y from its operands again"


@given(graphs(ANY))
@settings(deadline=None, max_examples=20)
def test_any_answers_can_be_marked(root: Value) -> None:
    """Wrong throughout, infinite or not a number: every wrong answer has a hint, and nothing fails."""
    sheet = table(root, blanks="all")
    for answer in (0.0, 1.0, -1.0, 0.5, math.inf, math.nan, 1e-320):
        marks = sheet.check([answer] * len(blanks(sheet)))
        assert all(mark.right or mark.hint for mark in marks.marks)
        assert len(str(marks).splitlines()) == 1 + len(marks.marks) - marks.right


def test_wrong_passes_are_run_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Marking takes as many passes for five wrong adjoints as for one."""
    passes = []
    monkeypatch.setattr(autograd.mistakes, "recorded_pass", lambda *args: passes.append(args) or recorded_pass(*args))
    sheet, work = table(house(), blanks="adjoint"), []
    for answers in ([999, 28, 14, 6, 1], [999, 998, 997, 996, 995]):
        passes.clear()
        sheet.check(answers)
        work.append(len(passes))
    assert work[0] == work[1]


# ----- For documents -----


def parsed(html: str) -> list[list[str]]:
    """The cells of an HTML table, as a browser shows them."""
    body = ElementTree.fromstring(html.replace("&nbsp;", " ")).find("tbody")
    assert body is not None
    return [["".join(cell.itertext()) for cell in row] for row in body]


def test_html_of_a_sheet() -> None:
    """Cell by cell the same as the text, sheet and key."""
    sheet = table(house(), blanks=["adjoint", ("c", "value"), ("c", "local derivatives")])
    assert parsed(sheet.html)[2] == ["3", "c", "a * b", "(3) ____", "∂c/∂a = (4) ____, ∂c/∂b = (5) ____", "(6) ____"]
    assert parsed(sheet.key.html)[2] == ["3", "c", "a * b", "(3) 6", "∂c/∂a = (4) 3, ∂c/∂b = (5) 2", "(6) 14"]
    assert sheet._repr_html_() == sheet.html


def test_markdown_of_a_sheet() -> None:
    """Numbered blanks in the cells of numbers, formulas as code."""
    sheet = table(house(), blanks=["adjoint", ("c", "value"), ("c", "local derivatives")])
    lines = sheet.markdown.splitlines()
    assert lines[4] == "| 3 | `c` | `a * b` | (3) ____ | `∂c/∂a = (4) ____`, `∂c/∂b = (5) ____` | (6) ____ |"
    assert (
        sheet.key.markdown.splitlines()[4]
        == "| 3 | `c` | `a * b` | (3) 6 | `∂c/∂a = (4) 3`, `∂c/∂b = (5) 2` | (6) 14 |"
    )


def test_latex_of_a_sheet() -> None:
    """A rule to write on; numbers of the key in scientific notation as elsewhere."""
    sheet = table(house(), blanks=["adjoint", ("c", "value")])
    blank = r"\ \underline{\hspace{3em}}"
    assert sheet.latex.splitlines()[4].startswith(rf"3 & $c$ & $a \cdot b$ & $(3){blank}$ & $\partial c")
    assert sheet.latex.splitlines()[4].endswith(rf"& $(4){blank}$ \\")
    assert sheet.key.latex.splitlines()[4].endswith(r"& $(4)\ 14$ \\")
    small = table(named(Value(1e-7, "x") * 1.0), blanks="value")
    assert r"$(1)\ 1 \cdot 10^{-7}$" in small.key.latex


@pytest.mark.parametrize("form", ["text", "markdown", "latex", "html"])
def test_no_form_shows_an_answer(form: str) -> None:
    """Numbers that stand nowhere in the graph but in the key stand nowhere in the sheet."""
    sheet = table(cmu(), blanks="all")
    text, key = ((str(x) if form == "text" else getattr(x, form)) for x in (sheet, sheet.key))
    for name, (value, adjoint) in CMU.items():
        for number in (value, adjoint) if name not in "xz" else (adjoint,):
            answer = f"{number:.6g}"
            if len(answer) > 4:
                assert answer in key
                assert answer not in text


def test_hostile_labels() -> None:
    """They stay text in HTML, and are places by the names that the sheet shows."""
    for label in HOSTILE:
        y = named(Value(2.0, label) * 3.0)
        sheet = table(y, blanks="adjoint")
        (leaf, root) = parsed(sheet.html)
        assert (leaf[1], leaf[5], root[5]) == (sheet.rows[0].name, "(1) ____", "(2) ____")
        assert blanks(table(y, blanks=sheet.rows[0].name)) == [(sheet.rows[0].name, "adjoint")]
        assert sheet.check({sheet.rows[0].name: 3, "y": 1})


def test_long_label_is_a_place() -> None:
    """As it is for a Stepper."""
    x = Value(2.0, "the weight of the first input")
    assert len(blanks(table(named(x * 3.0), blanks=x.label))) == 1


def test_ambiguous_label_is_an_error() -> None:
    """As it is for a Stepper."""
    with pytest.raises(ValueError, match="w"):
        table(named(Value(2.0, "w") * Value(3.0, "w")), blanks=[("w", "adjoint")])


def test_sheets_make_no_reference_cycles() -> None:
    """Dropping sheet, key, marks and graph frees them at once."""
    str(table(house(), blanks="all").check({}))  # whatever is loaded or cached at the first time
    root = house()
    gc.collect()
    gc.disable()
    try:
        sheet = table(root, blanks="all")
        text = str(sheet.check({1: 18})) + sheet.html + sheet.key.latex
        del sheet
        assert gc.collect() == 0
        del root
        assert gc.collect() == 0
    finally:
        gc.enable()
    assert text


# ----- The checks are checked -----


def of_values(self: autograd.exams.Exam, blank: autograd.exams.Blank) -> float:
    """Values are taken for adjoints."""
    return blank.node.data


def one_late(self: autograd.exams.Exam, *place: Any) -> int | None:
    """Numbers begin at 2."""
    number = RIGHT_NUMBER(self, *place)
    return None if number is None else number + 1


RIGHT_NUMBER = autograd.exams.Exam.number
PLANTS: dict[str, tuple[Any, str, Any]] = {
    "marks by values": (autograd.exams.Exam, "_truth", of_values),
    "numbers from 2": (autograd.exams.Exam, "number", one_late),
    "shows the answers": (autograd.exams.Exam, "number", lambda self, *place: None),
}


@pytest.mark.parametrize("build", [house, cmu])
def test_worked_examples_have_right_sheets(build: Any) -> None:
    """Unpatched, the check that the plants below must not pass finds nothing."""
    assert sheet_discrepancies(build()) == []


@pytest.mark.parametrize("plant", PLANTS)
def test_every_planted_fault_is_found(plant: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A sheet that shows answers, miscounts or marks by other numbers is caught on the house graph."""
    root = house()
    monkeypatch.setattr(*PLANTS[plant])
    try:
        found = sheet_discrepancies(root)
    except ValueError as error:  # as many answers as there are blanks, no more and no fewer
        found = [str(error)]
    assert found
