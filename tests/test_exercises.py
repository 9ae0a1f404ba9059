"""Exercises: right answers are right, usual mistakes are recognised, and the right number is never told."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any

import numpy
import pytest
from house_graph import house_nodes
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd as ag
from autograd import Value, nodes
from autograd.exercises import Exercise
from autograd.feedback import NOTHING_YET, Feedback
from autograd.lab import compare
from autograd.mistakes import agrees
from autograd.wording import six

if TYPE_CHECKING:
    from collections.abc import Callable


def house() -> tuple[Exercise, list[Value]]:
    a, b, *_, e = house_nodes()
    return Exercise.of_gradients(e, [a, b]), [a, b]


# ----- Numbers and words -----


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (-7, "the sign is turned"),
        (14, "twice too much"),
        (3.5, "half of it"),
        (-14, "the sign is turned, and it is twice"),
        (1 / 7, "one over it"),
        (7.1, "that is close"),
        (0, "nothing moves"),
        (4, "count the arrows"),
        (6, "a short path"),
        (100, "ask for a hint"),
        (math.inf, "finite"),
        (math.nan, "finite"),
        ("seven", "is not a number"),
        ([1, 2], "is not a number"),
    ],
)
def test_wrong_numbers(answer: Any, told: str) -> None:
    exercise = Exercise("y = x * x + x at 3?", 7, mistakes={4: "count the arrows", 6: "there is a short path"})
    feedback = exercise.check(answer)
    assert not feedback and told in str(feedback)
    assert not re.search(r"\b7\b", str(feedback).partition("?")[2])


@pytest.mark.parametrize("answer", [7, 7.0, "7", " 7.00 ", Value(7.0)])
def test_right_numbers(answer: Any) -> None:
    assert Exercise("?", 7).check(answer)
    assert str(Exercise("?", 7).check(answer)) == "Right."


@pytest.mark.parametrize("answer", [None, ...])
def test_blanks_are_met_kindly(answer: Any) -> None:
    exercise, leaves = house()
    sheet = Exercise.of_table(house_nodes()[-1])
    function = Exercise.of_function("?", lambda x: x, [1.0])
    for one in (exercise, sheet, function, Exercise("?", 7), Exercise("?", "word")):
        assert str(one.check(answer)) == NOTHING_YET
        assert one.attempts == 0
    assert "a: not answered" in str(exercise.check([answer, 28]))
    assert "b: not answered" in str(exercise.check({"a": 48}))
    assert "(1) adjoint of a: not answered" in str(sheet.check([answer, 28, 14, 6, 1]))
    assert str(function.check(lambda x: ...)) == NOTHING_YET


def test_several_numbers_by_name() -> None:
    exercise = Exercise("w and b?", {"w": 2, "b": -1}, mistakes={"w": {3: "that is x"}})
    assert exercise.check({"w": 2, "b": -1}) and exercise.check([2, -1])
    assert str(exercise.check([3, 1])) == "0 of 2 right\n  w: 3? that is x\n  b: 1? the sign is turned"
    assert "v is not asked for; asked are w, b" in str(exercise.check({"v": 1}))
    assert "a dictionary with the names w, b" in str(exercise.check(3))


def test_words() -> None:
    exercise = Exercise("Who may speak next?", "d", mistakes={"c": "c waits for d"})
    assert exercise.check(" D ")
    assert str(exercise.check("C")) == "C? c waits for d"
    assert "not that" in str(exercise.check("b"))
    assert not exercise.check(3)


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda: Exercise("?", 4, mistakes={4: "no"}), "is the right answer"),
        (lambda: Exercise("?", {"w": 4}, mistakes={"w": {4.0: "no"}}), "right answer for w"),
        (lambda: Exercise("?", "d", mistakes={" D": "no"}), "among the mistakes"),
        (lambda: Exercise("?", None), "needs its answer"),
        (lambda: Exercise("?", 1, hints="one"), "list of texts"),
        (lambda: Exercise.of_gradients(house_nodes()[-1], []), "none was given"),
        (lambda: Exercise.of_gradients(house_nodes()[-1], [Value(1.0, "z")]), "z is no node of the graph of e"),
        (lambda: Exercise.of_function("?", lambda x: x, []), "it is empty"),
        (lambda: Exercise.of_function("?", lambda x: x, [1.0], mistakes={"no": lambda x: x * x}), "other points"),
    ],
)
def test_exercises_that_cannot_be(make: Callable[[], Exercise], told: str) -> None:
    with pytest.raises((TypeError, ValueError), match=told):
        make()


# ----- Gradients of a graph -----

#: What wrong engines give for the house graph (learning by mistakes), and what is said of it.
MISTAKES = {
    (18, 12): "only the last contribution was kept",
    (4, 2): "local derivatives alone",
    (3, 2): "unchanged",
    (28, 19): "adds gradient and local derivative",
    (36, 42): "each factor by itself",
    (26, 12): "values instead of gradients",
    (72, 44): "again each time something arrived",
    (30, 16): "before it was complete",
    (162, 96): "no zeroing",
    (-48, -28): "the sign is turned",
    (96, 56): "twice",
    (47.5, 28.3): "keep more digits",
    (42, 28): "what c hands on alone",
    (2, 3): "the value of a",
}


@pytest.mark.parametrize("answer", MISTAKES)
def test_the_usual_mistakes_in_the_house_graph(answer: tuple[float, float]) -> None:
    exercise, _ = house()
    feedback = exercise.check(list(answer))
    text = " ".join(str(feedback).split())
    assert not feedback and MISTAKES[answer] in text
    assert not re.search(r"(?<![\w.−])(48|28)(?!\?|[\w.])", text)


def test_right_gradients_in_any_form() -> None:
    exercise, (a, b) = house()
    for answer in ([48, 28], (48, 28), {"a": 48, "b": 28}, {a: 48, b: 28}, {"a": "48", "b": Value(28.0)}):
        assert exercise.check(answer), answer
    v = Value(2.0)
    unlabelled = Exercise.of_gradients(v * 3, [v])
    assert unlabelled.check({v: 3}) and unlabelled.check(3) and unlabelled.check({"v1": 3})


def test_mean_against_sum() -> None:
    p, q = Value(1.0, "p"), Value(2.0, "q")
    mean = Exercise.of_gradients(ag.mean([p * p, q * q, p * q]), [p, q])
    assert "for a sum of 3, and here is a mean" in str(mean.check([4, 5]))
    total = Exercise.of_gradients(ag.sum([p * p, q * q, p * q]), [p, q])
    assert "for a mean of 3, and here is a sum" in str(total.check([4 / 3, 5 / 3]))
    divided = Exercise.of_gradients((p * p + q * q + p * q) / 3, [p, q])
    assert "for a sum of 3" in str(divided.check([4, 5]))


def test_the_graph_is_left_alone_and_gives_nothing_away() -> None:
    a, b, *_, e = house_nodes()
    e.backward()
    exercise = Exercise.of_gradients(e, [a, b])
    shown = str(exercise) + exercise._repr_html_()
    assert "<svg" in shown and "c = a * b" in shown
    assert "28" not in re.sub(r'"[^"]*"|<style.*?</style>', "", shown, flags=re.DOTALL)
    exercise.check([1, 2])
    exercise.solution()
    assert (a.grad, b.grad) == (48, 28)
    assert all(node.has_grad for node in nodes(e))


def test_a_stale_graph_is_refused() -> None:
    a, _, _, _, e = house_nodes()
    a.data = 5.0
    with pytest.raises(ValueError, match=r"e\.forward\(\)"):
        Exercise.of_gradients(e, [a])


@settings(max_examples=60, deadline=None)
@given(
    numbers=st.lists(st.sampled_from([-3.0, -1.5, 0.5, 2.0, 3.0, 5.0]), min_size=3, max_size=3),
    mutation=st.sampled_from(["overwrites", "forgets upstream", "breadth first", "multiply: swapped", "flips signs"]),
)
def test_the_right_number_is_never_told(numbers: list[float], mutation: str) -> None:
    """Wrong answers as broken engines give them: no sentence contains the right one, but as what was given."""
    x, y, z = leaves = [Value(number, name) for number, name in zip(numbers, "xyz", strict=True)]
    p = x * y
    q = p - z * x
    root = q * p + ag.tanh(z)
    truth = {leaf: row.right for row in compare(root, mutation).rows for leaf in leaves if row.node is leaf}
    wrong = {leaf: row.wrong for row in compare(root, mutation).rows for leaf in leaves if row.node is leaf}
    feedback = Exercise.of_gradients(root, leaves).check(wrong)
    assert bool(feedback) == all(agrees(wrong[leaf], truth[leaf]) or wrong[leaf] == truth[leaf] for leaf in leaves)
    for line in re.split(r"\n  (?=[xyz]: )", str(feedback))[1:]:
        name, _, said = line.partition("?")
        leaf = leaves["xyz".index(name[0])]
        assert not re.search(rf"(?<![\w.]){re.escape(six(truth[leaf]))}(?![\w.])", said), line


# ----- Tables -----


def test_tables() -> None:
    *_, e = house_nodes()
    exercise = Exercise.of_table(e, ["adjoint", ("c", "value")])
    assert exercise.check([48, 28, 6, 14, 6, 1])
    text = str(exercise.check({1: 18, 2: 12, 3: 6, 4: 14, 5: ..., 6: 1}))
    assert "3 of 6 right" in text and "not answered" in text
    assert "6 blanks" in str(exercise.check([1]))
    assert "____" in str(exercise) and "____" in exercise._repr_html_()
    assert "(1) 48" in str(exercise.solution())
    assert all(len(line) <= 90 for line in str(exercise).splitlines())


# ----- Functions -----


def gradient(x: float, y: float, z: float) -> list[float]:
    return [z, z, x + y]


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (lambda x, y, z: [1, 1, x + y], "what arrives from above"),
        (lambda x, y, z: [-z, -z, -x - y], "The sign is turned"),
        (lambda x, y, z: [2 * z, 2 * z, 2 * (x + y)], "twice too much"),
        (lambda x, y, z: [5 * z, 5 * z, 5 * (x + y)], "same factor everywhere"),
        (lambda x, y, z: [z * 1.001, z, x + y], "close"),
        (lambda x, y, z: [1.0, 2.0, 3.0], "same at every point"),
        (lambda x, y, z: [x, x, z + y], "the arguments swapped"),
        (lambda x, y, z: [z, z], "2 numbers; asked for is 3 numbers"),
        (lambda x, y, z: z, "a number; asked for is 3 numbers"),
        (lambda x, y, z: {"x": z}, "numbers for x"),
        (lambda x, y, z: None, "is a `return` missing"),
        (lambda x, y, z: ["a", 1, 2], "not a number"),
        (lambda x, y, z: 1 / 0, "stops with ZeroDivisionError"),
        (lambda x: x, "stops with TypeError"),
        (lambda x, y, z: [z if z < 0 else 0.0, z if z < 0 else 0.0, x + y], "right at 1 of 2 points"),
        ([4, 4, 3], "Give the function itself"),
    ],
)
def test_wrong_functions(answer: Any, told: str) -> None:
    exercise = Exercise.of_function(
        "The gradient of (x + y) * z?",
        gradient,
        [(-2.0, 5.0, -4.0), (1.0, 2.0, 3.5)],
        mistakes={"do you multiply by what arrives from above?": lambda x, y, z: [1, 1, x + y]},
    )
    feedback = exercise.check(answer)
    assert not feedback and told in " ".join(str(feedback).split())
    assert exercise.check(gradient) and exercise.check(lambda x, y, z: (Value(z), z, x + y))


def test_derivatives_by_differences() -> None:
    exercise = Exercise.of_derivative("tanh'", ag.tanh, [0.5, -1.0], mistakes={"squared?": lambda x: 1 - math.tanh(x)})
    assert exercise.check(lambda x: 1 - ag.tanh(x) ** 2)
    assert exercise.check(ag.grad(ag.tanh))
    assert "value of the function" in " ".join(str(exercise.check(math.tanh)).split())
    assert "Squared?" in str(exercise.check(lambda x: 1 - math.tanh(x)))
    second = Exercise.of_derivative("by y", lambda x, y: x * y * y, [(2.0, 3.0), (1.0, -1.5)], arg=1)
    assert second.check(lambda x, y: 2 * x * y)
    assert "The sign is turned" in str(second.check(lambda x, y: -2 * x * y))


def test_a_nan_is_not_right() -> None:
    assert not Exercise.of_function("?", lambda x: x, [1.0, 2.0]).check(lambda x: math.nan)


# ----- Hints and solutions -----


def test_hints_go_on_and_begin_again() -> None:
    exercise, _ = house()
    hints = [str(exercise.hint()) for _ in range(5)]
    assert len(set(hints)) == 4 and hints[4] == hints[0]
    assert "a hears from d, c; b hears from c" in hints[1].replace("\n ", "")
    assert not any("48" in hint or "28" in hint for hint in hints)
    assert "There is no hint" in str(Exercise("?", 7).hint())


def test_the_solution_comes_last() -> None:
    exercise, _ = house()
    assert "Try it first" in str(exercise.solution())
    assert "a.grad = 6 + 42 = 48" in str(exercise.solution(now=True))
    exercise.check(...)
    assert "Try it first" in str(exercise.solution())
    exercise.check([1, 2])
    assert "b.grad = 28" in str(exercise.solution())


def test_all_is_text_and_html() -> None:
    exercise, _ = house()
    for said in (exercise, exercise.check([18, 12]), exercise.hint(), exercise.solution(now=True)):
        assert repr(said) == str(said)
        assert said._repr_html_().startswith("<div") and "<script" not in said._repr_html_()
        assert all(len(line) <= 77 for line in str(said).splitlines())
    assert "<pre" in exercise.solution(now=True)._repr_html_(), "code and sums are in equal letters"
    hostile = Exercise("<script>alert(1)</script>", 1)
    assert "<script" not in hostile._repr_html_() and "<script" not in hostile.check("<script>")._repr_html_()


def test_everything_is_the_same_in_every_run() -> None:
    texts = {str(house()[0].check([18, 12])) + house()[0]._repr_html_() for _ in range(3)}
    assert len(texts) == 1


@pytest.mark.parametrize("nothing", [..., None, [..., ...], (None, ...), {"a": ..., "b": ...}])
def test_nothing_filled_in_is_no_wrong_answer(nothing: Any) -> None:
    exercise, _ = house()
    assert "put your answer" in str(exercise.check(nothing))
    assert exercise.attempts == 0


@pytest.mark.parametrize(
    "answer", [numpy.float64(6), numpy.int64(6), numpy.array(6.0), numpy.array([6.0]), [numpy.float64(6)], Value(6.0)]
)
def test_numbers_of_numpy_are_answers(answer: Any) -> None:
    """Whoever computes in NumPy need not convert."""
    assert Exercise("2 * 3?", 6).check(answer)
    assert Exercise("x, y?", {"x": 6, "y": 6}).check({"x": answer if numpy.ndim(answer) == 0 else 6, "y": 6})


@pytest.mark.parametrize(
    ("function", "told"),
    [
        (lambda d, x: d @ x.T, "Right."),
        (lambda d, x: (d @ x.T).tolist(), "Right."),
        (lambda d, x: x @ d.T, "it gives 3 × 2 numbers; asked for is 2 × 3 numbers. Is it the wrong way round?"),
        (lambda d, x: d @ x.T / 4, "it gives [[1.5, 5.5, 9.5], [1.5, 5.5, 9.5]]. Was anything averaged?"),
        (lambda d, x: [[1.0], [2.0, 3.0]], "it gives 3 numbers; asked for is 2 × 3 numbers."),
        (lambda d, x: (d @ x.T).ravel(), "it gives 6 numbers; asked for is 2 × 3 numbers."),
        (lambda d, x: d @ x, "it stops with ValueError"),
        (lambda d, x: (d @ x.T).sum(axis=0), "Which axis is added up?"),
    ],
)
def test_matrices(function: Any, told: str) -> None:
    """A function may give a matrix: its shape is looked at first, and a known mistake may have a shape of its own."""
    exercise = Exercise.of_function(
        "dW = dD @ X.T?",
        lambda d, x: d @ x.T,
        [(numpy.ones((2, 4)), numpy.arange(12.0).reshape(3, 4))],
        mistakes={
            "was anything averaged?": lambda d, x: d @ x.T / 4,
            "which axis is added up?": lambda d, x: (d @ x.T).sum(axis=0),
        },
    )
    assert told in " ".join(str(exercise.check(function)).split())
    assert "[[6, 22, 38], [6, 22, 38]]" in " ".join(str(exercise.solution(now=True)).split())


def test_an_answer_of_any_kind_is_judged() -> None:
    """`of_judge` takes what tells right from wrong; blanks do not reach it."""

    def three_nodes(y: Any) -> Feedback:
        return Feedback(len(ag.nodes(y)) == 3, f"It has {len(ag.nodes(y))}.")

    exercise = Exercise.of_judge("Three nodes?", three_nodes, hints=["two leaves"], solution="x * z")
    assert "put your answer" in str(exercise.check(...))
    x = Value(2.0)
    assert not exercise.check(x * x) and str(exercise.check(x * x)) == "It has 2."
    assert exercise.check(x * Value(3.0))
    assert str(exercise.solution()) == "x * z"


@pytest.mark.parametrize(("answer", "right"), [(2**20, True), (2**20 - 1, False), (2**20 + 4, False), (2.0**20, True)])
def test_counts_are_exact(answer: float, right: bool) -> None:
    """One more or less is wrong, however large the number; it is shown in full."""
    exercise = Exercise("2 ** 20?", 2**20)
    assert bool(exercise.check(answer)) == right
    assert right or str(exercise.check(answer)).startswith(f"{answer}? ")
    assert str(exercise.solution(now=True)) == "1048576"


def test_values_among_the_arguments_are_named() -> None:
    """A point that is a node is told by its label."""
    x = Value(3.0, "x")
    exercise = Exercise.of_function("depends_on(y, x)?", lambda y, x: x in nodes(y), [(x * 2, x)])
    assert "at y = a node without a label, x = x it gives" in str(exercise.check(lambda y, x: False))


def deep() -> list[Any]:
    """A list in a list in a list ..."""
    nested: list[Any] = []
    for _ in range(5000):
        nested = [nested]
    return nested


class Hostile:
    """Raises whatever it is asked."""

    def __getattr__(self, name: str) -> Any:
        raise RuntimeError(name)

    def __repr__(self) -> str:
        raise RuntimeError("repr")

    __str__ = __len__ = __iter__ = __float__ = __bool__ = __call__ = __eq__ = __repr__  # type: ignore[assignment]
    __hash__ = None  # type: ignore[assignment]


HOSTILE = [10**400, -(10**400), deep(), Hostile(), [Hostile()], {"a": Hostile()}, dict, int, exit, {1, 2}, b"7", 1j]
HOSTILE += [numpy.array([]), numpy.array([None]), numpy.ma.array([1.0, 2.0], mask=[1, 0]), numpy.array(["a"])]
HOSTILE += [lambda *_: 1 / 0, lambda *_: exit(), lambda *_: deep(), lambda *_: 10**400, lambda *_: Hostile()]
HOSTILE += [lambda: 1, object(), iter([1])]


@pytest.mark.parametrize("answer", HOSTILE, ids=lambda answer: type(answer).__name__)
def test_no_answer_is_an_error(answer: Any) -> None:
    """Whatever is given, a sentence comes back."""
    numbers, words = Exercise("2 * 3?", 6), Exercise("which?", "add")
    named = Exercise("x, y?", {"x": 6, "y": 6})
    function = Exercise.of_function("2 * x?", lambda x: 2 * x, [1.0, 2.0])
    sheet, _ = house()
    judged = Exercise.of_judge("6.5?", lambda y: Feedback(y == 6.5, "no"))
    for exercise in (numbers, words, named, function, sheet, judged):
        feedback = exercise.check(answer)
        assert not feedback and len(str(feedback)) < 400 and feedback._repr_html_()


def test_ctrl_c_comes_through() -> None:
    """It is the learner's, not the answer's."""
    exercise = Exercise.of_function("2 * x?", lambda x: 2 * x, [1.0])

    def interrupted(x: float) -> float:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        exercise.check(interrupted)


def test_a_function_may_change_what_it_is_given() -> None:
    """The next check starts from the same points, and the reference is called with them, too."""

    def reference(at: list[float], v: Value) -> float:
        return at[0] * v.data

    def changing(at: list[float], v: Value) -> float:
        at[0] *= v.data
        v.data = 0.0
        return at[0]

    exercise = Exercise.of_function("at[0] * v?", reference, [([2.0], Value(3.0)), ([5.0], Value(-1.0))])
    for _ in range(3):
        assert exercise.check(changing)
        assert exercise.check(reference)


def test_blanks_in_a_function_are_no_attempt() -> None:
    """The solution waits for one."""
    exercise = Exercise.of_function("2 * x?", lambda x: 2 * x, [1.0])
    exercise.check(lambda x: ...)
    assert "Try it first" in str(exercise.solution())
    exercise.check(lambda x: x)
    assert "Try it first" not in str(exercise.solution())


@pytest.mark.parametrize(
    ("answer", "mistakes"),
    [({"a": 1}, {"b": {2: "no"}}), ({"a": 1}, {2: {1: "no"}}), ([1, 2], {}), ({}, {}), ("add", {"add": "no"})],
)
def test_exercises_with_a_slip_are_refused(answer: Any, mistakes: Any) -> None:
    """A name that is not asked for, a list, a mistake that is right."""
    with pytest.raises((TypeError, ValueError)):
        Exercise("?", answer, mistakes=mistakes)


def test_small_things_that_are_said() -> None:
    """What a learner may type, and reads."""
    assert Exercise("why?", "multiplied by zero").check("Multiplied by zero.")
    assert "keep more digits" not in str(Exercise("how many?", 75).check(76))
    assert "keep more digits" in str(Exercise("how many?", 75).check(75.5))
    assert "1 number was given" in str(Exercise("x, y?", {"x": 1, "y": 2}).check([1]))
    yes = Exercise.of_function("positive?", lambda x: x > 0, [1.0, -1.0])
    assert "it gives False" in str(yes.check(lambda x: x < 0))
    with pytest.raises(TypeError, match="judge is a function"):
        Exercise.of_judge("?", 5)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="gives a Feedback, not True"):
        Exercise.of_judge("?", lambda y: True).check(1)  # type: ignore[arg-type, return-value]
