"""gradcheck: right rules pass everywhere, also at kinks; planted wrong rules fail; what it prints and refuses."""

from __future__ import annotations

import math
import random
from typing import Any

import pytest
from test_planted_faults import EQUIVALENT, evidence, planted, plants, title

import autograd as ag
from autograd import Value, gradcheck
from autograd.primitives import BUILT_IN, PRIMITIVES, Primitive

NAMES = sorted(BUILT_IN)

#: Steps and the like have no slope, and jump: differences there tell nothing.
JUMPING = {"sign", "step", "share"}

#: Points beyond which a difference of floats tells nothing: exponentials overflow, slopes vanish.
FAR = 20.0


def places(primitive: Primitive) -> list[tuple[float, ...]]:
    """The evidence at which differences can be taken."""
    found = []
    for point in evidence(primitive):
        if all(abs(x) <= FAR for x in point):
            try:
                primitive(*map(Value, point))
            except (ValueError, ArithmeticError):
                continue
            found.append(point)
    return found


def complaints(primitive: Primitive, points: list[tuple[float, ...]]) -> list[str]:
    """The verdicts that are not right, each operand by itself."""
    found = []
    for point in points:
        for i in range(len(point)):

            def f(x: Any, i: int = i, point: tuple[float, ...] = point) -> Any:
                return primitive(*[x if j == i else other for j, other in enumerate(point)])

            result = gradcheck(f, [point[i]])
            if not result:
                found.append(f"{point}, operand {i}: {result.worst.verdict}")
    return found


@pytest.mark.parametrize("name", [name for name in NAMES if name not in JUMPING])
def test_right_rules_pass(name: str) -> None:
    """At random points, and at the kinks, except where the derivative is infinite or the domain ends."""
    primitive = PRIMITIVES[name]
    wrong = [text for text in complaints(primitive, places(primitive)[:12]) if "WRONG" in text]
    assert wrong == []


@pytest.mark.parametrize("name", [name for name in NAMES if name not in JUMPING])
def test_every_planted_rule_fails(name: str) -> None:
    """Whatever differs from the right rule at one of the places is called wrong there, also at a kink."""
    primitive = PRIMITIVES[name]
    points = places(primitive)
    missed = []
    right = {point: local(primitive, point) for point in points}
    for plant in plants(primitive):
        if plant.place is None or title(primitive, plant) in EQUIVALENT:
            continue
        with planted(primitive, plant):
            differing = [p for p in points if wrong_there(right[p], local(primitive, p))]
            if differing and not any("WRONG" in text for text in complaints(primitive, differing[:6])):
                missed.append(f"{title(primitive, plant)} at {differing[:3]}")
    assert missed == []


def local(primitive: Primitive, point: tuple[float, ...]) -> list[float | None]:
    """The local derivatives there, each by itself; None where there is none."""
    found: list[float | None] = []
    for i in range(len(point)):
        operands: list[Any] = [Value(x) if j == i else x for j, x in enumerate(point)]
        try:
            found.append(primitive(*operands).local_derivatives[i])
        except (ValueError, ArithmeticError, TypeError):
            found.append(None)
    return found


def wrong_there(right: list[float | None], planted_ones: list[float | None]) -> bool:
    """Whether a finite derivative differs by so much that a difference can tell."""
    return any(
        x is not None and y is not None and math.isfinite(x) and abs(x - y) > 1e-3 * max(1.0, abs(x))
        for x, y in zip(right, planted_ones, strict=True)
    )


def test_random_graphs_pass() -> None:
    """Compositions of smooth primitives, by all inputs; forward mode is compared too."""
    chance = random.Random(7)
    for _ in range(20):
        at = [chance.uniform(0.5, 1.5) for _ in range(3)]

        def f(x: Any, y: Any, z: Any) -> Any:
            return ag.sin(x * y) + ag.exp(z) / (1 + x * x) - ag.log(y + z) * ag.tanh(x - z) ** 2

        result = gradcheck(f, at)
        assert result and result.worst.error < 1e-7
        assert all(row.reverse == pytest.approx(row.forward, rel=1e-12) for row in result.rows)


def test_kinks_are_named() -> None:
    """By the primitive, or as a comparison in f; each side is judged by its own branch."""
    kink = gradcheck(lambda x: ag.maximum(x, 2.0) * 3, [2.0])
    assert kink and "kink of maximum, 0 and 3 beside it" in kink.worst.verdict
    branch = gradcheck(lambda x: x * x * x if x > 1 else 2 * x, [1.0])
    assert branch and "a comparison in f" in branch.worst.verdict


def test_a_wrong_convention_is_found() -> None:
    """relu'(0) is stated to be 0: a rule that gives 1 there and is right elsewhere fails."""
    relu = PRIMITIVES["relu"]
    kept = relu.partials
    try:
        relu.partials = (lambda x, out: 1.0 if x >= 0 else 0.0,)
        result = gradcheck(lambda x: ag.relu(x), [0.0])
    finally:
        relu.partials = kept
    assert not result and "the derivative of relu is 1 there, and 0 is stated" in result.worst.verdict


def test_the_worst_input_is_named() -> None:
    """A wrong rule of one operand does not hide among right ones."""
    cube = ag.primitive("cube_of_the_check", lambda x: x**3, lambda x, out: 2 * x**2)
    result = gradcheck(lambda x, y: cube(x) + y, [2.0, 1.0])
    assert not result and result.worst.name == "1" and "the worst is 1" in str(result)
    assert [row.right for row in result.rows] == [False, True]


def test_structures_are_inputs_too() -> None:
    """Lists and arrays count as as many inputs as they have numbers."""
    assert len(gradcheck(lambda v, s: ag.sum(v) * s, [[1.0, 2.0], 3.0]).rows) == 3


def test_what_cannot_be_told_is_no_success() -> None:
    """A function with a jump, and one that is not finite nearby."""
    assert not gradcheck(lambda x: ag.sqrt(x), [0.0])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: gradcheck(lambda x: x, []), "at least one input"),
        (lambda: gradcheck(lambda x: x, [1.0], rtol=-1), "rtol is a tolerance"),
        (lambda: gradcheck(lambda x: x, ["a"]), "real number, not the str"),
        (lambda: gradcheck(lambda x: [x], [1.0]), "real number, not a list"),
        (lambda: ag.cost(lambda x: x, []), "at least one input"),
    ],
)
def test_bad_input(call: Any, message: str) -> None:
    """One sentence each."""
    with pytest.raises((ValueError, TypeError), match=message):
        call()


def test_cost_grows_with_the_inputs_but_for_reverse_mode() -> None:
    """Reverse mode stays below six times the function; the others are multiples of the number of inputs."""
    for n in (2, 10, 40):
        result = ag.cost(lambda v: ag.sum([ag.exp(x) * x for x in v]), [[0.1] * n])
        function, reverse, forward, differences = (way.operations for way in result.ways)
        assert reverse <= 6 * function
        assert forward == n * reverse and differences == 2 * n * function
        assert f"a gradient by {n} inputs" in str(result)
        assert all(way.seconds > 0 for way in result.ways)


def test_cost_shows_a_table() -> None:
    """A heading, and a line for each way."""
    lines = str(ag.cost(lambda x: x * x, [3.0])).splitlines()
    assert lines[0] == "a gradient by 1 input" and len(lines) == 6


@pytest.mark.parametrize(
    ("f", "at"),
    [
        (lambda x: 1 / x, 1e-5),  # wide steps go over the pole
        (lambda x: 1 / x, -1e-5),
        (lambda x: x**-2, 1e-4),
        (ag.sin, 1e6),  # and over many periods
        (ag.log, 1e-7),  # or out of the domain
        (ag.sqrt, 1e-8),
        (lambda x: x**1.5, 1e-9),
        (lambda x: x * x, 1e12),
    ],
)
def test_steps_as_narrow_as_the_place_asks_for(f: Any, at: float) -> None:
    """Right is found right, and a wrong gradient wrong: here one that is twice as large."""
    assert gradcheck(f, [at]).rows[0].verdict == "right"
    doubled = ag.primitive("doubled", lambda x: x, lambda x, out: 2.0)
    assert gradcheck(lambda x: f(doubled(x)), [at]).rows[0].verdict == "WRONG"


def test_steps_that_agree_by_accident() -> None:
    """Steps over whole periods of a wave have the slope 0; the narrowest, over a part of one, has another."""
    result = gradcheck(lambda x: ag.sin(2e6 * math.pi * x) / 1e6, [1.0]).rows[0]
    assert result.verdict == "cannot tell: differences of different steps disagree"


def test_under_no_grad() -> None:
    """Gradients are what is asked for: f records all the same."""
    with ag.no_grad():
        assert gradcheck(lambda x: x * x, [3.0])
        assert [way.operations for way in ag.cost(lambda x: x * x, [3.0]).ways] == [1, 3, 3, 2]


def test_what_is_no_function() -> None:
    """As in the transforms."""
    for reader in (gradcheck, ag.cost):
        with pytest.raises(TypeError, match=rf"{reader.__name__} takes a function, as in .*; not an int"):
            reader(3, [1.0])


def test_what_is_no_number() -> None:
    """The error names who takes it."""
    for reader in (gradcheck, ag.cost):
        with pytest.raises(TypeError, match=rf"^{reader.__name__} takes a real number, not the str 'a'"):
            reader(lambda x: x, ["a"])
