"""The usual mistakes: when an answer is right, and which mistake a wrong one shows."""

from __future__ import annotations

import math
import re
from collections import Counter
from decimal import ROUND_DOWN, Context
from typing import TYPE_CHECKING

import pytest
from house_graph import house
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from test_steps import ANY, graphs, numbers_of
from test_tables import cmu

import autograd as ag
import autograd.mistakes
from autograd import Value
from autograd.mistakes import Mistake, agrees, diagnosed, mistakes_in_adjoint, most_telling, usual_mistakes
from autograd.steps import Log

if TYPE_CHECKING:
    from autograd.steps import Contribution

nan, inf = math.nan, math.inf

# ----- When an answer is right -----

CMU_A = 404.853739609282
RIGHT = [
    (48, 48.0),
    (CMU_A, CMU_A),
    (404.853739609, CMU_A),
    (404.85, CMU_A),
    (404.9, CMU_A),  # rounded
    (404.8, CMU_A),  # cut off
    (405, CMU_A),
    (404, CMU_A),
    (-404.85, -CMU_A),
    (0.333, 1 / 3),
    (0.667, 2 / 3),
    (0.666, 2 / 3),
    (0.1 + 0.2, 0.3),
    (0.3, 0.1 + 0.2),
    (1.23456789012345e22, 1.23456789012345e22),
    (1e22, 1e22),
    (123456789012345.6, 123456789012345.67),
    (1e-300, 1e-300),
    (1.79e308, 1.7976931348623157e308),
    (0, 0.0),
    (-0.0, 0.0),
    (0.0, -0.0),
    (0.0, 6e-17),
    (nan, nan),
    (inf, inf),
    (-inf, -inf),
]
WRONG = [
    (49, 48.0),
    (48.2, 48.0),
    (404.7, CMU_A),
    (400, CMU_A),
    (4e2, CMU_A),
    (410, CMU_A),
    (403, CMU_A),
    (404.86, CMU_A - 0.01),
    (0.33, 1 / 3),
    (0.3, 1 / 3),
    (0.7, 2 / 3),
    (-48, 48.0),
    (48, -48.0),
    (0, 1.0),
    (0, 1e-6),
    (1, 0.0),
    (1e-300, 0.0),
    (2e-300, 1e-300),
    (1e-299, 1e-300),
    (1.2e22, 1e22),
    (nan, 1.0),
    (1.0, nan),
    (inf, 1.7976931348623157e308),
    (1.7976931348623157e308, inf),
    (-inf, inf),
    (nan, inf),
    (0, nan),
    (0, inf),
]


@pytest.mark.parametrize(("answer", "truth"), RIGHT)
def test_right_answers(answer: float, truth: float) -> None:
    """To the digits that are given, rounded or cut off."""
    assert agrees(answer, truth)


@pytest.mark.parametrize(("answer", "truth"), WRONG)
def test_wrong_answers(answer: float, truth: float) -> None:
    """Too few digits count as if they were followed by zeros."""
    assert not agrees(answer, truth)


#: Numbers of any size whose square is one, too.
NUMBERS = st.builds(lambda m, e, s: s * m * 10.0**e, st.floats(1, 10), st.integers(-290, 290), st.sampled_from([1, -1]))


@given(NUMBERS, st.integers(3, 17))
@settings(deadline=None)
def test_rounded_truth_is_right(truth: float, digits: int) -> None:
    """To three significant digits or more."""
    assert agrees(float(f"{truth:.{digits - 1}e}"), truth)


@given(NUMBERS, st.integers(3, 15))
@settings(deadline=None)
def test_truth_cut_off_is_right(truth: float, digits: int) -> None:
    """After three significant digits or more."""
    cut = Context(prec=digits, rounding=ROUND_DOWN).create_decimal(repr(truth))
    assert agrees(float(cut), truth)


@given(NUMBERS, st.sampled_from([0.98, 1.02, 0.9, 1.1, 2.0, 0.5, -1.0]), st.integers(1, 17))
@settings(deadline=None)
def test_truth_moved_by_two_percent_is_wrong(truth: float, factor: float, digits: int) -> None:
    """In however many digits it is given, unless rounding brings it back."""
    moved = float(f"{truth * factor:.{digits - 1}e}")
    assume(abs(moved - truth) > 0.0101 * abs(truth))
    assert not agrees(moved, truth)


@pytest.mark.xfail(strict=True, reason="a whole unit in the last place is let pass: agrees(1.01, 1.0)")
@given(NUMBERS)
@example(1.0)
@settings(deadline=None)
def test_truth_moved_by_one_percent_is_wrong(truth: float) -> None:
    """The least that three digits tell apart."""
    assert not agrees(truth * 1.01, truth)


@pytest.mark.xfail(strict=True, reason="a whole unit in the last place is let pass")
@pytest.mark.parametrize(
    ("answer", "truth"), [(101, 100.0), (481, 480.0), (1001, 1000.0), (48.1, 48.0), (14.1, 14.0), (-28.1, -28.0)]
)
def test_next_number_is_wrong(answer: float, truth: float) -> None:
    """One more in the last place is neither rounded nor cut off."""
    assert not agrees(answer, truth)


@pytest.mark.xfail(strict=True, reason="below 1e-314 no number agrees with itself: the margin underflows to 0")
def test_smallest_numbers_agree_with_themselves() -> None:
    """The smallest positive double, and one a little larger."""
    assert agrees(5e-324, 5e-324)
    assert agrees(1.5e-320, 1.5e-320)


@given(st.floats(allow_nan=True, allow_infinity=True), st.floats(allow_nan=True, allow_infinity=True))
@example(5e-324, 1e308)
@example(1e308, 5e-324)
@settings(deadline=None)
def test_any_two_numbers_can_be_compared(answer: float, truth: float) -> None:
    """Never an error; opposite signs never agree."""
    agreed = agrees(answer, truth)
    assert type(agreed) is bool
    if answer * truth < 0:
        assert not agreed


# ----- Mistakes in one contribution -----


def house_contribution(speaker: str, target: str) -> Contribution:
    """What `speaker` hands to `target` in the house graph."""
    log = Log(house(backward=False))
    (found,) = [
        contribution
        for arrivals in log.arrivals.values()
        for contribution in arrivals
        if (log.name[contribution.consumer], log.name[contribution.operand]) == (speaker, target)
    ]
    return found


#: c hands 14 * 3 to a, which has 6: what is answered instead of 48, and a part of what is told.
C_TO_A = [
    (42, "contribution of c alone: it adds to the 6 that is there"),
    (6 - 42, "the sign is turned: ∂c/∂a is 3 and c.grad is 14"),
    (6 + 3, "takes ∂c/∂a = 3 without c.grad = 14; it adds to the 6 that a has already"),
    (3, "∂c/∂a alone: multiply it by c.grad = 14; it adds to the 6"),
    (6 + 14, "hands c.grad on unchanged: multiply it by ∂c/∂a = 3"),
    (14, "c.grad itself: multiply it by ∂c/∂a = 3; it adds to the 6"),
    (6 + 14 + 3, "c.grad and ∂c/∂a are multiplied; sums are for forks"),
    (6 + 14 * 2, "multiplies by ∂c/∂b = 2, which belongs to another operand"),
    (6 + 6 * 3, "takes the value of c for its gradient"),
    (6, "what a had before: c hands it 42 more"),
    (6 + 2 * 42, "counts the contribution of c twice"),
    (6 + 21, "half of what c hands on"),
]


@pytest.mark.parametrize(("answer", "told"), C_TO_A)
def test_mistakes_at_a_fork(answer: float, told: str) -> None:
    """Each gives a number of its own on the house graph, where a has 6 and receives 42."""
    assert told in (diagnosed(answer, usual_mistakes(house_contribution("c", "a"))) or "")


@pytest.mark.parametrize(
    ("speaker", "target", "answer", "told"),
    [
        ("c", "b", -28, "the sign is turned: ∂c/∂b is 2 and c.grad is 14"),
        ("c", "b", 2, "takes ∂c/∂b = 2 without c.grad = 14"),
        ("c", "b", 14, "hands c.grad on unchanged: multiply it by ∂c/∂b = 2"),
        ("c", "b", 42, "multiplies by ∂c/∂a = 3, which belongs to another operand"),
        ("c", "b", 12, "takes the value of c for its gradient"),
        ("c", "b", 0, "what b had before: c hands it 28 more"),
        ("d", "c", 6, "contribution of d alone: it adds to the 8 that is there"),
        ("d", "c", 2, "the sign is turned: ∂d/∂c is 1 and d.grad is 6"),
        ("d", "c", 44, "multiplies by c, but ∂d/∂c = 1"),
        ("d", "a", 8, "takes the value of d for its gradient"),
        ("e", "c", 6, "multiplies by ∂e/∂d = 6, which belongs to another operand"),
        ("e", "c", 384, "takes the value of e for its gradient"),
        ("e", "d", 8, "multiplies by ∂e/∂c = 8, which belongs to another operand"),
    ],
)
def test_mistakes_elsewhere(speaker: str, target: str, answer: float, told: str) -> None:
    """At a first arrival nothing is said about adding."""
    hint = diagnosed(answer, usual_mistakes(house_contribution(speaker, target)))
    assert hint is not None
    assert told in hint
    assert ("adds to" in hint) == ((speaker, target, answer) == ("d", "c", 6))


@pytest.mark.parametrize("answer", [49, 1000, -1, 0.5, inf, nan])
def test_other_numbers_are_no_usual_mistakes(answer: float) -> None:
    """Nothing is claimed of them."""
    assert diagnosed(answer, usual_mistakes(house_contribution("c", "a"))) is None


@given(graphs(ANY))
@settings(deadline=None)
def test_the_right_number_is_no_mistake(root: Value) -> None:
    """In random graphs: it agrees with itself, no mistake agrees with it, and all mistakes are numbers."""
    assume(not any(0 < abs(number) < 1e-310 for number in numbers_of(root)))
    log = Log(root)
    for arrivals in log.arrivals.values():
        for contribution in arrivals:
            assert agrees(contribution.after, contribution.after)
            for mistake in usual_mistakes(contribution):
                assert not agrees(mistake.answer, contribution.after)
                assert math.isfinite(mistake.answer)
    for node in log.order[:-1]:
        for mistake in mistakes_in_adjoint(log, node, {}):
            assert not agrees(mistake.answer, log.adjoints[node])
            assert math.isfinite(mistake.answer)


@pytest.mark.xfail(strict=True, reason="the root's mistake is not left out where it is right, or no number")
@pytest.mark.parametrize("value", [1.0, nan])
def test_the_right_number_is_no_mistake_at_the_root(value: float) -> None:
    """A root of value 1 has gradient 1, and taking one for the other tells nothing."""
    log = Log(Value(value, "x") * 1.0)
    assert mistakes_in_adjoint(log, log.root, {}) == []


@given(graphs(), st.integers(3, 8))
@settings(deadline=None)
def test_mistakes_are_recognised_in_few_digits(root: Value, digits: int) -> None:
    """A mistake typed with three digits or more is some usual mistake."""
    assume(not any(0 < abs(number) < 1e-300 for number in numbers_of(root)))
    for arrivals in Log(root).arrivals.values():
        for contribution in arrivals:
            mistakes = usual_mistakes(contribution)
            for mistake in mistakes:
                typed = float(f"{mistake.answer:.{digits - 1}e}")
                if abs(mistake.answer) > 1e-300:
                    assert diagnosed(typed, mistakes) is not None


def test_where_all_is_one_nothing_is_claimed() -> None:
    """x + 0 with gradient 1: what would be a mistake gives the right number, and is left out."""
    (contribution,) = Log(Value(1.0, "x") + 0.0).steps[1].contributions
    assert diagnosed(1, usual_mistakes(contribution)) is None
    assert {mistake.answer for mistake in usual_mistakes(contribution)} == {-1.0, 2.0, 0.0, 0.5}


def test_first_mistake_wins() -> None:
    """Of two that give the same number the first one is told; an answer need not have all digits."""
    mistakes = [Mistake(2.0, "two"), Mistake(1 / 3, "third"), Mistake(2.0, "again")]
    assert [diagnosed(x, mistakes) for x in (2, 0.333, 0.33, 5)] == ["two", "third", None, None]


def test_most_telling_contribution() -> None:
    """Of the contributions of a step the one where mistakes differ most: at c, that to a, which has 6 already."""
    log = Log(house(backward=False))
    chosen = [most_telling(step.contributions) for step in log.steps[3:]]
    assert [log.name[contribution.operand] for contribution in chosen] == ["c", "c", "a"]
    assert most_telling(log.steps[-1].contributions[1:]).operand.label == "b"


def test_mistakes_of_wide_nodes() -> None:
    """Of a dot of twenty the other operands' derivatives are looked at, a few of them."""
    weights = [Value(float(i + 2), f"w{i}") for i in range(20)]
    y = ag.dot(weights, [Value(100.0 + 10 * i, f"x{i}") for i in range(20)])
    contribution = Log(y).steps[1].contributions[0]
    mistakes = usual_mistakes(contribution)
    assert "∂v1/∂w1 = 110, which belongs to another operand" in (diagnosed(110, mistakes) or "")
    assert len(mistakes) < 25


# ----- Mistakes in the whole gradient of a node -----


def hint(node: str, answer: float, answered: dict[str, float] | None = None) -> str:
    """What is told of an answer for a node of the house graph."""
    log = Log(house(backward=False))
    named = {name: node for node, name in log.name.items()}
    others = {named[name]: number for name, number in (answered or {}).items()}
    return diagnosed(answer, mistakes_in_adjoint(log, named[node], others)) or ""


@pytest.mark.parametrize(
    ("node", "answer", "told"),
    [
        ("a", 18, "if at every fork only the last contribution is kept: they add up"),
        ("a", 4, "local derivatives alone: multiply each by the gradient of d, c"),
        ("b", 2, "local derivatives alone: multiply each by the gradient of c"),
        ("a", 3, "if no local derivative is multiplied by"),
        ("a", 26, "takes the value of d, c for its gradient"),
        ("b", 12, "takes the value of c for its gradient"),
        ("b", 42, "multiplies by b itself, not by the local derivative"),
        ("a", -48, "the sign is turned"),
        ("a", 42, "what c hands on alone; the contributions of d, c add up"),
        ("a", 6, "what d hands on alone; the contributions of d, c add up"),
        ("c", 8, "what e hands on alone; the contributions of e, d add up"),
        ("c", 2, "the sign of the contribution of d is turned"),
        ("c", 7, "the gradient of e, d unchanged: multiply by the local derivative"),
        ("d", 8, "the value of d, not its gradient"),
        ("e", 48, "the value of e; it moves by 1 per unit of itself"),
        ("a", 96, "twice too much"),
        ("d", 3, "half of it"),
        ("a", 999, ""),
        ("e", 7, ""),
    ],
)
def test_mistakes_in_a_whole_gradient(node: str, answer: float, told: str) -> None:
    """The fingerprints that the house graph gives mistakes, at one node or at all of them."""
    assert told in hint(node, answer)
    assert bool(told) == bool(hint(node, answer))


FINGERPRINTS = {
    "added where it should multiply, at every node": (28, 19, "multiplied"),
    "own factor instead of the other one, at products": (36, 42, "itself"),
    "handed on again at every visit": (72, 44, "again|twice|wait|complete|once"),
    "handed on before all had arrived": (30, 16, "wait|complete|order|before"),
    "backward twice, results not cleared": (162, 96, "twice|clear|zero"),
}


@pytest.mark.xfail(strict=True, reason="this way of going wrong throughout is not recognised, or taken for another")
@pytest.mark.parametrize("kind", FINGERPRINTS)
def test_mistakes_made_throughout(kind: str) -> None:
    """The gradients of a and b that such an engine gives on the house graph."""
    for_a, for_b, told = FINGERPRINTS[kind]
    assert re.search(told, hint("a", for_a))
    assert re.search(told, hint("b", for_b))


def test_own_wrong_numbers_are_followed_through() -> None:
    """c was answered 15: then a = 6 + 15 * 3 and b = 15 * 2 are right steps from a wrong number."""
    assert hint("a", 51, {"c": 15}) == "the step is right, with your number for c, which is not"
    assert hint("b", 30, {"c": 15}) == "the step is right, with your number for c, which is not"
    assert hint("c", 8 + 7, {"d": 7}) == "the step is right, with your number for d, which is not"
    assert hint("a", 7 + 45, {"c": 15, "d": 7}) == "the step is right, with your number for d, c, which is not"


def test_mistakes_on_top_of_own_wrong_numbers() -> None:
    """c was answered 15, and then the sign was turned, or d forgotten: both are told."""
    assert hint("b", -30, {"c": 15}) == "the sign is turned, with your number for c"
    assert "with your number for c" in hint("a", 45, {"c": 15})


def test_right_numbers_of_others_are_not_blamed() -> None:
    """Numbers that were answered rightly, in few digits, change nothing."""
    assert "your number" not in hint("a", 42, {"c": 14.0, "d": 6.0, "e": 1, "b": 999})


@pytest.mark.xfail(strict=True, reason="a coincidence is told first: 12 is also the value of c times ∂c/∂b")
def test_follow_through_goes_before_coincidences() -> None:
    """c was answered 6, overwritten; then b = 6 * 2 is the right step from it."""
    assert "your number for c" in hint("b", 12, {"c": 6, "a": 18})


def test_repeated_operand_in_a_whole_gradient() -> None:
    """y = x * x at 3: one arrival instead of two, and an overwritten one, are 3."""
    x = Value(3.0, "x")
    y = x * x
    y.label = "y"
    log = Log(y)
    mistakes = mistakes_in_adjoint(log, x, {})
    assert diagnosed(3, mistakes) == "that is the value of x, not its gradient"
    assert diagnosed(-6, mistakes) == "the sign is turned"
    assert diagnosed(6, mistakes) is None


def test_zero_values_in_a_whole_gradient() -> None:
    """All data is 0: nothing fails, nothing right is called wrong."""
    x, z = Value(0.0, "x"), Value(0.0, "z")
    log = Log(x * z + x)
    for node, adjoint in log.adjoints.items():
        assert diagnosed(adjoint, mistakes_in_adjoint(log, node, {})) is None
    assert diagnosed(0, mistakes_in_adjoint(log, x, {})) is not None


def test_every_mistake_of_the_cmu_example_is_a_number_of_its_own() -> None:
    """Where the right way adds up several contributions, few mistakes coincide."""
    log = Log(cmu())
    (a,) = [node for node in log.order if node.label == "a"]
    answers = Counter(float(f"{mistake.answer:.6g}") for mistake in mistakes_in_adjoint(log, a, {}))
    assert len(answers) >= 20
    assert max(answers.values()) == 2


# ----- The checks are checked -----


def test_planted_leniency_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """If mistakes that give the right number were kept, the check above would see it."""
    monkeypatch.setattr(autograd.mistakes, "agrees", lambda answer, truth: False)
    (contribution,) = Log(Value(1.0, "x") + 0.0).steps[1].contributions
    assert any(agrees(mistake.answer, contribution.after) for mistake in usual_mistakes(contribution))
