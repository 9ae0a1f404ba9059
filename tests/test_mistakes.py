"""The usual mistakes: when an answer is right, and which mistake a wrong one shows."""

from __future__ import annotations

import math
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
from autograd.mistakes import (
    Mistake,
    agrees,
    diagnosed,
    mistakes_in_adjoint,
    most_telling,
    usual_mistakes,
    wrong_passes,
)
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
    (5e-324, 5e-324),
    (1000, 1001.0),  # three digits: 1.00e3
    (1230, 1234.0),
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
    (0, 1e-12),
    (0.0, 6e-17),  # a truth that is small is not 0
    (0, -9e-13),
    (0, 5e-324),
    (1, 0.0),
    (1e-13, 0.0),
    (1e-300, 0.0),
    (5e-324, 0.0),
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


@pytest.mark.parametrize("zero", [0, 0.0, -0.0])
def test_zero_where_numbers_cancel(zero: float) -> None:
    """What rounding leaves of numbers of that size is 0; it is only 0 for which the size counts."""
    for truth, scale in ((6e-17, 1.0), (-9e-13, 1.0), (1e-5, 1e8), (6e-217, 1e-200)):
        assert agrees(zero, truth, scale)
        assert not agrees(zero, truth, scale * 1e-6)
    assert not agrees(zero, 1e-12, 1.0)
    assert not agrees(1e-17, 6e-17, 1.0)
    assert not agrees(zero, nan, inf)


#: Numbers of any size.
NUMBERS = st.builds(lambda m, e, s: s * m * 10.0**e, st.floats(1, 10), st.integers(-290, 290), st.sampled_from([1, -1]))
#: Those whose squares are not too small for a double.
SQUARED = NUMBERS.filter(lambda number: number * number > 1e-300)


@given(NUMBERS, st.integers(3, 17))
@settings(deadline=None)
def test_rounded_truth_is_right(truth: float, digits: int) -> None:
    """To three significant digits or more."""
    assert agrees(float(f"{truth:.{digits - 1}e}"), truth)


@given(SQUARED, st.integers(3, 15))
@example(1.4999999999999998, 3)
@settings(deadline=None)
def test_truth_cut_off_is_right(truth: float, digits: int) -> None:
    """After three significant digits or more."""
    cut = Context(prec=digits, rounding=ROUND_DOWN).create_decimal(repr(truth))
    assert agrees(float(cut), truth)


def test_small_truth_cut_off_is_right() -> None:
    """As a large one."""
    assert agrees(1.49e-163, 1.4999999999999998e-163)
    assert agrees(-2.99e-200, -2.998e-200)


@given(NUMBERS, st.sampled_from([0.98, 1.02, 0.9, 1.1, 2.0, 0.5, -1.0]), st.integers(1, 17))
@settings(deadline=None)
def test_truth_moved_by_two_percent_is_wrong(truth: float, factor: float, digits: int) -> None:
    """In however many digits it is given, unless rounding brings it back."""
    moved = float(f"{truth * factor:.{digits - 1}e}")
    assume(abs(moved - truth) > 0.0101 * abs(truth))
    assert not agrees(moved, truth)


@given(NUMBERS)
@example(1.0)
@settings(deadline=None)
def test_truth_moved_by_one_percent_is_wrong(truth: float) -> None:
    """The least that three digits tell apart."""
    assert not agrees(truth * 1.01, truth)


@pytest.mark.parametrize(
    ("answer", "truth"), [(101, 100.0), (481, 480.0), (1001, 1000.0), (48.1, 48.0), (14.1, 14.0), (-28.1, -28.0)]
)
def test_next_number_is_wrong(answer: float, truth: float) -> None:
    """One more in the last place is neither rounded nor cut off."""
    assert not agrees(answer, truth)


@pytest.mark.parametrize(
    ("answer", "truth"), [(47.9, 48.0), (0.999, 1.0), (99.9, 100.0), (480, 481.0), (-13.9, -14.0), (1001, 1002.0)]
)
def test_number_before_is_wrong(answer: float, truth: float) -> None:
    """One less in the last place is neither rounded nor cut off."""
    assert not agrees(answer, truth)


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
    (6 + 14 + 3, "adds c.grad and ∂c/∂a: multiply them"),
    (6 + 14 * 2, "multiplies by ∂c/∂b = 2, which belongs to another place"),
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
        ("c", "b", 42, "multiplies by ∂c/∂a = 3, which belongs to another place"),
        ("c", "b", 12, "takes the value of c for its gradient"),
        ("c", "b", 0, "what b had before: c hands it 28 more"),
        ("d", "c", 6, "contribution of d alone: it adds to the 8 that is there"),
        ("d", "c", 2, "the sign is turned: ∂d/∂c is 1 and d.grad is 6"),
        ("d", "c", 44, "multiplies by c, but ∂d/∂c = 1"),
        ("d", "a", 8, "takes the value of d for its gradient"),
        ("e", "c", 6, "multiplies by ∂e/∂d = 6, which belongs to another place"),
        ("e", "c", 384, "takes the value of e for its gradient"),
        ("e", "d", 8, "multiplies by ∂e/∂c = 8, which belongs to another place"),
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


@pytest.mark.parametrize("value", [1.0, nan])
def test_the_right_number_is_no_mistake_at_the_root(value: float) -> None:
    """A root of value 1 has gradient 1, and taking one for the other tells nothing."""
    log = Log(Value(value, "x") * 1.0)
    assert mistakes_in_adjoint(log, log.root, {}) == []


@given(graphs(), st.integers(3, 8))
@settings(deadline=None, max_examples=40)
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
    assert "∂v1/∂w1 = 110, which belongs to another place" in (diagnosed(110, mistakes) or "")
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
        ("a", 18, "only the last contribution was kept at each fork: contributions add up"),
        ("a", 4, "those are local derivatives alone: multiply them by the gradient of d, c"),
        ("b", 2, "those are local derivatives alone: multiply them by the gradient of c"),
        ("a", 24, "adds the gradient of d, c and the local derivative"),
        ("c", 16, "adds the gradient of e, d and the local derivative"),
        ("a", 3, "hands gradients on unchanged: multiply them by the local derivative"),
        ("a", 26, "takes the value of d, c for its gradient"),
        ("b", 12, "takes the value of c for its gradient"),
        ("b", 42, "multiplies by b itself, not by the local derivative"),
        ("a", -48, "the sign is turned"),
        ("a", 42, "what c hands on alone; the contributions of d, c add up"),
        ("a", 6, "what d hands on alone; the contributions of d, c add up"),
        ("c", 8, "what e hands on alone; the contributions of e, d add up"),
        ("c", 2, "the sign of the contribution of d is turned"),
        ("c", 7, "the gradient of e, d unchanged: multiply it by the local derivative"),
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


#: What an engine gives for a and b that makes the same mistake at every node of the house graph.
FINGERPRINTS = {
    "overwritten": (18, 12, "only the last contribution was kept at each fork: contributions add up"),
    "local derivatives alone": (4, 2, "that hands on local derivatives alone: multiply them by the gradient"),
    "handed on unchanged": (3, 2, "that hands gradients on unchanged: multiply them by the local derivative"),
    "added where it should multiply": (28, 19, "that adds gradient and local derivative: multiply them"),
    "own factor instead of the other one": (
        36, 42, "that multiplies each factor by itself: its local derivative is the other factor",
    ),
    "values instead of gradients": (26, 12, "that hands on values instead of gradients"),
    "handed on before all had arrived": (30, 16, "some node handed its gradient on before it was complete"),
    "handed on again at every visit": (72, 44, "nodes handed their gradients on again each time something arrived"),
    "backward twice, results not cleared": (
        162, 96, "that is the second of two passes with no zeroing between them",
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", FINGERPRINTS)
def test_mistakes_made_throughout(kind: str) -> None:
    """Where one of them explains the gradients of a and of b, it is told at both, before all coincidences."""
    for_a, for_b, told = FINGERPRINTS[kind]
    answered = {"a": for_a, "b": for_b, "c": 14, "d": 6, "e": 1}
    assert hint("a", for_a, answered) == hint("b", for_b, answered) == told


def test_fingerprints_are_those_of_the_wrong_passes() -> None:
    """Each is known, and no two of them give the same numbers for a and b."""
    log = Log(house(backward=False))
    a, b = log.order[:2]
    found = {wrong.told: (wrong.adjoints[a], wrong.adjoints[b]) for wrong in wrong_passes(log, {})}
    assert found == {told: (for_a, for_b) for for_a, for_b, told in FINGERPRINTS.values()}
    assert len(set(found.values())) == len(found)


def test_one_number_is_no_mistake_throughout() -> None:
    """12 for b alone is the value of c times ∂c/∂b, whatever an engine that overwrites would give."""
    assert hint("b", 12, {"b": 12}) == "that takes the value of c for its gradient"
    assert hint("b", 12, {"b": 12, "a": 17, "c": 15}) == "that takes the value of c for its gradient"


def test_of_mistakes_made_throughout_the_one_that_explains_most_is_told() -> None:
    """y = (x z + w) x: all numbers are local derivatives alone; only two of them are gradients handed on unchanged."""
    x, z, w = Value(2.0, "x"), Value(3.0, "z"), Value(4.0, "w")
    log = Log((x * z + w) * x)
    told = "that hands on local derivatives alone: multiply them by the gradient"
    (answered,) = [wrong.adjoints for wrong in wrong_passes(log, {}) if wrong.told == told]
    wrong = [node for node in log.order if not agrees(answered[node], log.adjoints[node])]
    assert len(wrong) == 4
    ranked = wrong_passes(log, answered)
    assert [(each.told == told, each.explained) for each in ranked[:3]] == [(True, 4), (False, 2), (False, 0)]
    assert {diagnosed(answered[node], mistakes_in_adjoint(log, node, answered)) for node in wrong} == {told}


def test_exponentially_many_visits_are_not_made() -> None:
    """An engine that goes on at every visit would never end on 64 doublings."""
    x = y = Value(1.0, "x")
    for _ in range(64):
        y = y + y
    log = Log(y)
    assert diagnosed(2.0**63, mistakes_in_adjoint(log, x, {})) is not None
    run = {wrong.told for wrong in wrong_passes(log, {})}
    assert [kind for kind, (*_, told) in FINGERPRINTS.items() if told not in run] == ["handed on again at every visit"]


def test_known_wrong_passes_are_taken() -> None:
    """With `everywhere` given none is run; with none in it, only mistakes at the node itself are told."""
    log = Log(house(backward=False))
    a, b, c, *_ = log.order
    overwritten = {a: 18.0, b: 12.0, c: 6.0}
    known = wrong_passes(log, overwritten)
    assert mistakes_in_adjoint(log, a, overwritten, known) == mistakes_in_adjoint(log, a, overwritten)
    here = mistakes_in_adjoint(log, a, overwritten, [])
    assert not {wrong.told for wrong in known} & {mistake.told for mistake in here}


def test_right_answers_are_explained_by_no_wrong_pass() -> None:
    """What a wrong pass gives rightly does not count for it."""
    log = Log(house(backward=False))
    assert {wrong.explained for wrong in wrong_passes(log, log.adjoints)} == {0}
    assert {wrong.explained for wrong in wrong_passes(log, {**log.adjoints, log.order[0]: 18.0})} == {0, 1}


def test_own_wrong_numbers_are_followed_through() -> None:
    """c was answered 15: then a = 6 + 15 * 3 and b = 15 * 2 are right steps from a wrong number."""
    told = "this step is right; it goes wrong with your number for "
    assert hint("a", 51, {"c": 15}) == told + "c"
    assert hint("b", 30, {"c": 15}) == told + "c"
    assert hint("c", 8 + 7, {"d": 7}) == told + "d"
    assert hint("a", 7 + 45, {"c": 15, "d": 7}) == told + "d, c"


def test_mistakes_on_top_of_own_wrong_numbers_are_not_guessed_at() -> None:
    """c was answered 15, and then the sign was turned, or d forgotten: nothing is claimed, and no number is blamed."""
    assert hint("b", -30, {"c": 15}) == ""
    assert hint("a", 45, {"c": 15}) == ""
    assert hint("b", -28, {"c": 15}) == "the sign is turned"


def test_follow_through_goes_before_coincidences() -> None:
    """c was answered 6; then b = 6 * 2 is the right step from it, though 12 is also the value of c times ∂c/∂b."""
    assert hint("b", 12, {"c": 6}) == "this step is right; it goes wrong with your number for c"


def test_mistake_throughout_goes_before_follow_through() -> None:
    """c = 6 and a = 18 are both overwritten; then so is b."""
    assert "only the last contribution was kept" in hint("b", 12, {"c": 6, "a": 18})


def test_follow_through_goes_before_the_value() -> None:
    """c was answered 1.5; then b = 1.5 * 2 is the right step from it, though 3 is also the value of b."""
    assert hint("b", 3, {"c": 1.5}) == "this step is right; it goes wrong with your number for c"


def test_right_numbers_of_others_are_not_blamed() -> None:
    """Numbers that were answered rightly, in few digits, change nothing."""
    assert "your number" not in hint("a", 42, {"c": 14.0, "d": 6.0, "e": 1, "b": 999})


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
