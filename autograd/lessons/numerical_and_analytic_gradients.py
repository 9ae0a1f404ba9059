"""Questions of notebook 5: slopes from differences, their errors, and what a gradient check can and cannot tell."""

from __future__ import annotations

from math import cos, sqrt
from typing import TYPE_CHECKING

from .. import checks
from ..exercises import Exercise

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

best_step = Exercise(
    "`f(x) = x * x * x` has slope 12 at x = 2. A program estimates it as `(f(2 + h) - f(2)) / h`. "
    "With which h is the error smallest: 1e-2, 1e-8 or 1e-14?",
    1e-8,
    mistakes={
        1e-14: "in mathematics a smaller h is always better; but a computer rounds 2 + h, and f of it, to 16 digits",
        1e-2: "within so wide a step the curve bends: the slope at its end is another one than at its beginning",
    },
    hints=[
        "Two things go wrong: the curve bends within the step, and numbers are rounded to about 16 digits.",
        "f(2 + h) and f(2) agree in their first digits. How many of the 16 digits are left for the difference?",
    ],
    solution="In a wide step the curve bends, a narrow one leaves few digits. The best one is in between.",
)

too_early = Exercise(
    "The house graph: `c = a * b; d = c + a; e = c * d` at a = 2, b = 3. The nodes speak in the order e, c, d: c hands "
    "on what it holds before it has heard from d. What is a.grad in the end?",
    30,
    mistakes={
        48: "that is the gradient when c waits for d; here c speaks when it holds 8",
        24: "that is what a hears from c; who else uses a?",
        42: "c speaks too early: it does not hold 14 yet",
        6: "that is what a hears from d; who else uses a?",
        72: "c speaks once only",
    },
    hints=["When c speaks it holds what e has handed to it: the other factor, d = 8.", "a hears from c and from d."],
    solution="c holds 8 and hands 8 * b = 24 to a; d holds 6 and hands 6 to a: 30. What d hands to c comes too late.",
)


def _cubic(x: float, y: float) -> float:
    return x * x * x * y + y * y * y


def _moved(xs: Sequence[float], i: int, by: float) -> list[float]:
    return [x + by if j == i else x for j, x in enumerate(xs)]


def _central(f: Callable[..., float], xs: Sequence[float], i: int, h: float) -> float:
    return checks.central_difference(f, *xs, arg=i, eps=h)


central_difference = Exercise.of_function(
    "Write `central_difference(f, xs, i, h)`: the central difference of `f(*xs)` in input number i, counted from 0. "
    "`xs` is a tuple: copy it with `list(xs)` before you move an input.",
    _central,
    [(_cubic, (3.0, 5.0), 0, 0.125), (_cubic, (3.0, 5.0), 1, 0.125), (_cubic, (-1.0, 2.0), 0, 0.25)],
    mistakes={
        "how far apart are the two points that you compare?": lambda f, xs, i, h: 2 * _central(f, xs, i, h),
        "a slope is a change of f for each unit of the input": lambda f, xs, i, h: 2 * h * _central(f, xs, i, h),
        "that is the forward difference: where does the left point lie?": lambda f, xs, i, h: (
            (f(*_moved(xs, i, h)) - f(*xs)) / h
        ),
        "that is the backward difference: where does the right point lie?": lambda f, xs, i, h: (
            (f(*xs) - f(*_moved(xs, i, -h))) / h
        ),
        "the left point is subtracted from the right one, not the other way round": lambda f, xs, i, h: (
            -_central(f, xs, i, h)
        ),
        "all inputs are moved together; the others have to stay": lambda f, xs, i, h: (
            (f(*[x + h for x in xs]) - f(*[x - h for x in xs])) / (2 * h)
        ),
        "the two lists are one and the same: copy xs twice": lambda f, xs, i, h: 0.0,
        "the first input is moved, whatever i is": lambda f, xs, i, h: _central(f, xs, 0, h),
        "is the product above the division? 2 * h needs brackets": lambda f, xs, i, h: h * h * _central(f, xs, i, h),
    },
    hints=[
        "Make two lists from xs, and change entry i of each: one by + h, the other by - h.",
        "f(*above) calls f with the numbers of the list above.",
    ],
    solution=(
        "def central_difference(f, xs, i, h):\n"
        "    above, below = list(xs), list(xs)\n"
        "    above[i] += h\n"
        "    below[i] -= h\n"
        "    return (f(*above) - f(*below)) / (2 * h)"
    ),
)

_B_POWER = 2.5 * 3**1.5

by_calculus = Exercise(
    "`f(a, b, c) = -a**3 + sin(3 * b) - 1 / c + b**2.5 - sqrt(a)`. Find its derivatives by a, by b and by c on paper, "
    "and give their numbers at a = 2, b = 3, c = 4. You may type formulas, such as `2 * math.sin(5)`.",
    {"a": -12 - 0.5 / sqrt(2), "b": 3 * cos(9) + _B_POWER, "c": 1 / 16},
    mistakes={
        "a": {
            -12 + 0.5 / sqrt(2): "both terms with a have a minus sign",
            -12 - 1 / sqrt(2): "the slope of the root has a factor: write it as a ** 0.5",
            -12 - sqrt(2): "sqrt(a) was not differentiated",
            -12 - 0.5 * sqrt(2): "the power of the root goes down by one: from 0.5 to what?",
            -12: "a stands in two terms",
            -4 - 0.5 / sqrt(2): "the power rule: the old exponent comes in front",
            -24 - 0.5 / sqrt(2): "the power rule: the exponent goes down by one",
            12 - 0.5 / sqrt(2): "the first term has a minus sign",
        },
        "b": {
            cos(9) + _B_POWER: "inside of the sine is 3 * b, and it moves faster than b",
            -3 * cos(9) + _B_POWER: "the slope of sin is cos, without a minus sign",
            3 * cos(3) + _B_POWER: "the slope of sin is taken where the sine is taken",
            3 * cos(9): "b stands in two terms",
            _B_POWER: "b stands in two terms",
            3 * cos(9) + 3**1.5: "the power rule: the old exponent comes in front",
            3 * cos(9) + 2.5 * 3**2.5: "the power rule: the exponent goes down by one",
        },
        "c": {
            -1 / 16: "1 / c is c ** -1: the exponent comes in front, and there is a minus sign already",
            1 / 4: "the exponent of c ** -1 goes down by one",
            -1 / 4: "that is the value of the term, not its slope",
            1 / 8: "1 / c is c ** -1: which exponent comes in front?",
        },
    },
    hints=[
        "One input at a time; the terms without it do not move.",
        "Power rule: a ** n has slope n * a ** (n - 1). The root is the power 0.5, and 1 / c the power -1.",
        "sin(3 * b) is a chain: cos(3 * b), times the slope of 3 * b.",
    ],
    solution=("df/da = -3 * a**2 - 0.5 / sqrt(a)\ndf/db = 3 * cos(3 * b) + 2.5 * b**1.5\ndf/dc = 1 / c**2"),
)


def _relative(a: float, n: float) -> float:
    size = max(abs(a), abs(n))
    return abs(a - n) / size if size else 0.0


relative_error = Exercise.of_function(
    "Write `relative_error(a, n)`: how far two gradients a and n are apart, as a part of the larger of their sizes: "
    "`|a - n| / max(|a|, |n|)`. If both are 0, there is no error.",
    _relative,
    [(2.0, 2.02), (-2.0, -2.02), (0.5, -0.25), (1e-6, 3e-6), (0.0, 0.001), (0.0, 0.0)],
    mistakes={
        "that is the absolute error: divide by the size of the numbers": lambda a, n: abs(a - n),
        "an error has no sign": lambda a, n: (a - n) / max(abs(a), abs(n)) if a != n else 0.0,
        "the larger of the sizes, not their sum": lambda a, n: abs(a - n) / (abs(a) + abs(n)) if a != n else 0.0,
        "the sizes are |a| and |n|: a negative number has a size, too": lambda a, n: (
            abs(a - n) / max(a, n) if a != n else 0.0
        ),
        "the larger of the two, whichever it is": lambda a, n: abs(a - n) / abs(n) if a != n else 0.0,
        "the larger of the two, not always the first": lambda a, n: abs(a - n) / abs(a) if a else 0.0,
        "that never divides by less than 1: a useful number, but here the sizes alone count": lambda a, n: (
            abs(a - n) / max(1.0, abs(a), abs(n))
        ),
    },
    hints=["abs(x) is the size of x, max(x, y) the larger of two.", "Is the denominator 0? Ask before you divide."],
    solution=(
        "def relative_error(a, n):\n    size = max(abs(a), abs(n))\n    return abs(a - n) / size if size else 0.0"
    ),
)

beside_the_kink = Exercise(
    "relu(x) is x where x > 0, and 0 elsewhere. What is its slope at x = 0.000002 by the rule, "
    "and what is the central difference with h = 0.00001?",
    {"rule": 1, "difference": 0.6},
    mistakes={
        "rule": {
            0: "is x above 0, or below?",
            0.5: "x is near 0, not 0: on which side is it?",
            0.6: "the rule looks at x alone, not at its neighbours",
            2e-6: "that is the value of relu, not its slope",
        },
        "difference": {
            1: "one of the two points lies on the other side of 0",
            0.5: "that is the number at x = 0; here x is a little to the right",
            1.2: "the two points are 2 h apart",
            0.8: "relu of a negative number is 0, not the number without its sign",
            0.4: "that is by how much the two differ",
            0: "the right point has a value above 0",
            1.2e-5: "that is the change; divide it by the distance of the two points",
        },
    },
    hints=[
        "The two points are x + h = 0.000012 and x - h = -0.000008. What is relu of each?",
        "Divide the difference of the two values by 2 h = 0.00002.",
    ],
    solution="Rule: x > 0, so 1. Difference: (0.000012 - 0) / 0.00002 = 0.6.",
)

agrees_at = Exercise(
    "Two wrong rules. A: the slope of `x ** 3` is `3 * x`. B: the gradient of `x * y` by x is x (right is y). "
    "For A, name an x other than 0 where no check finds anything. For B, let x = 4: at which y does no check find "
    "anything in the gradient by x?",
    {"A": 1, "B": 4},
    mistakes={
        "A": {3: "set the wrong rule equal to the right one, and solve for x", 0: "another one than 0"},
        "B": {
            1: "what does each of the two rules give there? they are to give the same",
            0: "what does each of the two rules give there? they are to give the same",
            0.25: "that is one over x: look at the two rules",
        },
    },
    hints=["A check sees nothing where both rules give the same number.", "A: 3 * x = 3 * x ** 2. B: x = y."],
    solution="A: 3 x = 3 x ** 2 has the solutions 0 and 1. B: the own factor is the other factor where x = y.",
)

evaluations = Exercise(
    "A function f has 100 inputs. How often must f be called for all 100 slopes: by forward differences, if no call is "
    "made twice, and by central ones?",
    {"forward": 101, "central": 200},
    mistakes={
        "forward": {
            100: "each slope compares a moved point with one that is not moved: is that one counted?",
            200: "the point that is not moved is the same for all slopes",
            1: "each input has to be moved by itself",
            2: "each input has to be moved by itself",
        },
        "central": {
            100: "each slope needs two points",
            201: "is f called at the point itself?",
            101: "a central difference has two points of its own for each slope",
            2: "each input has to be moved by itself",
        },
    },
    hints=[
        "How many calls for one slope? Which of them can be used for the next slope, too?",
        "A forward difference: f(moved) - f(x). A central one: f(moved up) - f(moved down). Which of the four does not "
        "depend on the input that is moved?",
    ],
    solution="Forward: f(x) once, and one moved point for each slope. Central: two moved points for each slope.",
)
