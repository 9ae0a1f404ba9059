"""The questions of the notebooks: feedback says where to look, not what is right, and has a sentence for any answer."""

from __future__ import annotations

import math
import re
from copy import copy
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

import numpy
import pytest

from autograd import Value, lessons
from autograd.answers import Judge, Numbers
from autograd.exercises import Exercise
from autograd.results import plainly

EXERCISES: dict[str, Exercise] = {
    f"{module.name}.{name}": exercise
    for module in iter_modules(lessons.__path__)
    for name, exercise in vars(import_module(f"autograd.lessons.{module.name}")).items()
    if isinstance(exercise, Exercise)
}

OF_NUMBERS = [name for name, exercise in EXERCISES.items() if isinstance(exercise._judge, Numbers)]
OF_JUDGE = [name for name, exercise in EXERCISES.items() if isinstance(exercise._judge, Judge)]

#: Feedback that names a right number all the same, by exercise, and why it has to. None does so far.
NAMED_ON_PURPOSE: dict[str, str] = {}


def stands_in(number: float, text: str) -> bool:
    """Whether a number, in full or rounded, stands in a text by itself: 8 not in 18, 0.8 or x8."""
    forms = {plainly(number), f"{number:.4g}".replace("-", "−"), f"{number:.3g}".replace("-", "−")}
    found = "|".join(re.escape(form) for form in forms)
    return bool(re.search(rf"(?<![\w.−])({found})(?!\w|\.\d)", text.replace("-", "−")))


def said_of(exercise: Exercise, name: str, number: float) -> str:
    """What is said of a wrong number, without the number itself."""
    feedback = copy(exercise).check({name: number} if name else number)
    assert not feedback
    (line,) = (line for line in feedback.lines if line.startswith(f"  {name}: ") or not name)
    return line.partition("?")[2]


def test_the_exercises_are_found() -> None:
    assert len(OF_NUMBERS) > 70 and len(OF_JUDGE) > 10


def test_numbers_by_themselves() -> None:
    assert stands_in(8, "c holds 8.") and stands_in(-0.75, "w = (-0.75, 1)") and stands_in(1 / 3, "that is 0.333")
    assert not any(stands_in(8, text) for text in ("18", "0.8", "8.5", "x8", "8th", "-8"))


@pytest.mark.parametrize("name", OF_NUMBERS)
def test_feedback_does_not_name_a_right_number(name: str) -> None:
    """Unless it stands in the question."""
    exercise = EXERCISES[name]
    judge: Numbers = exercise._judge
    question = " ".join([exercise.question, *judge.answers])
    hidden = [truth for truth in judge.answers.values() if not stands_in(truth, question)]
    for place, wrong in judge.mistakes.items():
        for number in wrong:
            said = said_of(exercise, place, float(number))
            leaked = [plainly(truth) for truth in hidden if stands_in(truth, said)]
            assert not leaked or name in NAMED_ON_PURPOSE, f"{place} {number}? names {leaked}: {said}"


#: What was no right number by the rule above, since it stands in the question, or is a number of another exercise.
ASKED_TO_GO = {
    "one_neuron.metres": ("slope of w1", 0.001, "1000"),
    "one_neuron.slopes_of_a_sum": ("w2", 1, "4"),
    "numerical_and_analytic_gradients.agrees_at": ("B", 0, "4"),
    "from_scalars_to_matrices.sizes_of_derivatives": ("z by x", 7, "7"),
}


@pytest.mark.parametrize("name", ASKED_TO_GO)
def test_nor_one_of_the_question_that_is_the_answer(name: str) -> None:
    place, number, leaked = ASKED_TO_GO[name]
    assert not stands_in(float(leaked), said_of(EXERCISES[name], place, number))


# ----- Answers of any kind -----


class Unshown:
    """It cannot be shown."""

    def __repr__(self) -> str:
        raise ValueError

    __str__ = __repr__


def leaving(*_: Any) -> None:
    raise SystemExit


#: What no question of this kind asks for, or not so.
ODD: list[Any] = [
    0, 3.5, -1, True, 10**400, math.nan, math.inf, 1j, "", "x", b"x", [], {}, (), {1, 2}, [[1]], [...], [1j],
    [math.inf], [math.nan], [10**400], [10**5000], [Unshown()], {1: Unshown()}, {1: [1]}, {"a": 1}, {1: "A", 9: "B"},
    ["A" * 10_000] * 6, Unshown(), Unshown, type, int, len, range(10**12), numpy.array([3.5]), numpy.array(3),
    Value(1.0), [Value(3.0)], lambda: 1, lambda *_: None, lambda *_: "x", lambda *_: [1], lambda *_: 10**400,
    lambda *_: math.nan, lambda *_: Unshown(), lambda leaf, *_: leaf("x"),
    lambda leaf, *_: leaf(2.0) + leaf(None), leaving,
]  # fmt: skip


@pytest.mark.parametrize("name", OF_JUDGE)
def test_any_answer_gets_a_sentence(name: str) -> None:
    exercise = copy(EXERCISES[name])
    for answer in ODD:
        feedback = exercise.check(answer)
        assert not feedback
        assert 0 < max(map(len, feedback.lines)) < 500
        assert feedback._repr_html_()


@pytest.mark.parametrize(
    "answer",
    [
        [3.9, 4.9, 9.9, 10.9],
        {3.9: 1, 4.9: 1, 9.9: 0, 10.9: 2},
        {3: 1, 4: 1, 9: 1, 10: 1},
        [10**400],
        [math.inf],
        "34910",
    ],
)
def test_numbers_of_graphs_are_whole(answer: Any) -> None:
    feedback = EXERCISES["build_your_own_engine.fewest_tests"].check(answer)
    assert not feedback and str(feedback) == "Give a list of the numbers of graphs, such as [1, 2]."


@pytest.mark.parametrize(
    "answer", [[3, 4, 9, 10], (10, 9, 4, 3), {3, 4, 9, 10}, [3.0, 4.0, 9.0, 10.0], [3, 3, 4, 9, 10]]
)
def test_numbers_of_graphs_in_any_order(answer: Any) -> None:
    assert EXERCISES["build_your_own_engine.fewest_tests"].check(answer)
    assert EXERCISES["build_your_own_engine.fewest_tests"].check(numpy.array(list(answer)))


def test_letters_of_suspects() -> None:
    told = str(EXERCISES["build_your_own_engine.hunt"].check({1: "Z", 2: 3}))
    assert "Suspect 1: 'Z' is no letter from A to J" in told and "Suspect 2: an int is no letter" in told
