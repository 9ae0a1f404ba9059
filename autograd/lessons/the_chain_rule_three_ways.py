"""Questions of notebook 2: what a gradient means, products along a path, sums over paths, and whole tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..exercises import Exercise
from ..origins import label_from
from ..rules import sqrt
from ..value import Value

if TYPE_CHECKING:
    from collections.abc import Sequence

slope_of_a_parabola = Exercise(
    "y = x * x + x at x = 3. If x grows by very little, by how many times as much does y grow?",
    7,
    mistakes={
        4: "two arrows lead from x into x * x; that counts one of them",
        6: "x also goes into y directly, past x * x",
        1: "that is the arrow from x into the sum alone; what comes by way of x * x adds to it",
        3: "that is one arrow of x * x alone; x goes into y by three arrows",
        9: "that is the value of x * x; asked is how much y moves",
        12: "that is the value of y; asked is how much it moves",
        8: "that is what y gains if x grows by 1: take a much smaller step, and divide by it",
    },
    hints=[
        "Take a small number, such as 0.001. What is y at 3.001, and how much more than 12 is that?",
        "By the rules of school: the derivative of x squared is 2 x, and that of x is 1.",
    ],
    solution="At 3.001, y is 12.007001. It grew by 0.007001, seven times as much as x, nearly. By rule: 2 * 3 + 1.",
)

nodes_of_two_exponentials = Exercise(
    "How many nodes has the graph of exp(x) * exp(x)?",
    4,
    mistakes={
        3: "exp(x) was typed twice: equal is not the same, and no two nodes are merged",
        2: "exp makes a node, too",
        5: "x is one object, however often it is used",
    },
    hints=["Python carries out each call and each operator that you typed. Each makes one node."],
    solution="x, exp(x), exp(x) again, and the product.",
)

two_nudges = Exercise(
    "de/da = 48 and de/db = 28. Now a grows by 0.01 and b shrinks by 0.02, both at once. "
    "By how much does e move, as the gradients predict it?",
    -0.08,
    mistakes={
        1.04: "b shrinks: in which direction does e go for that?",
        0.48: "that is what a does; b moves, too",
        -0.56: "that is what b does; a moves, too",
        -0.68: "the two gradients are swapped",
        -0.76: "each input has a gradient of its own: multiply first, then add",
        -0.0828: "that is the true change, to four places; asked is the prediction by the gradients",
        47.92: "that is about where e arrives; asked is how much it moves",
    },
    hints=["What does a alone do: 48 times which number?", "Each input does its part, and the parts add."],
    solution="48 * 0.01 + 28 * (-0.02) = 0.48 - 0.56. The true change is -0.0828.",
)

along_one_path = Exercise(
    "x = 4; s = sqrt(x); t = s ** 3; y = 10 - t. What is dy/dx?",
    -3,
    mistakes={
        3: "y = 10 - t: in which direction does y go if t grows?",
        11.25: "the slopes along a path multiply; those are added",
        13.25: "the slopes along a path multiply; those are added, and the sign of the last one is missing",
        2: "that is the value of y",
        -12: "that is the slope from s to y; how much does s move per unit of x?",
        12: "that is the slope from s to t alone: there are three arrows",
        0.25: "that is the slope from x to s alone: there are three arrows",
        -1: "that is the slope from t to y alone: there are three arrows",
        -6: "the slope of sqrt is 1 / (2 sqrt(x)): the half is missing",
        -48: "that multiplies by s at sqrt, or by x; its slope is 1 / (2 sqrt(x))",
        -1.5: "is your slope of sqrt 1 / (2 sqrt(x)), and that of s ** 3 the square of s, times 3?",
        -0.75: "the slope of s ** 3 is 3 s ** 2: where is s?",
    },
    hints=[
        "There is one path, x to s to t to y, with three arrows. Find the slope of each.",
        "s = 2, t = 8, y = 2. The slope of sqrt is 1 / (2 sqrt(x)), that of s ** 3 is 3 s ** 2.",
    ],
    solution="1 / (2 * 2) = 0.25 from x to s; 3 * 2 ** 2 = 12 from s to t; -1 from t to y. The product:",
)

paths_of_b = Exercise(
    "The house graph at a = 2, b = 3. Two paths lead from b to e: over c, and over c and d. Give the product of the "
    "slopes along each of them, and then ∂e/∂b.",
    {"b-c-e": 16, "b-c-d-e": 12, "de/db": 28},
    mistakes={
        "b-c-e": {
            8: "that is the arrow from c to e; the one from b to c is missing",
            10: "slopes along a path multiply; those are added",
            24: "that takes the slope of c by a; how much does c move per unit of b?",
            12: "which arrow leads from c to e: is its slope c, or the other factor?",
            2: "that is the arrow from b to c alone",
        },
        "b-c-d-e": {
            6: "that is the way from c to e by d; the arrow from b to c is missing",
            9: "slopes along a path multiply; those are added",
            18: "that takes the slope of c by a; how much does c move per unit of b?",
            16: "which arrow leads from d to e: is its slope d, or the other factor?",
            2: "that is the arrow from b to c alone",
        },
        "de/db": {
            12: "that is one of the two paths alone",
            16: "that is one of the two paths alone",
            192: "along a path slopes multiply; over paths the products add",
            42: "that takes the slope of c by a on both paths; how much does c move per unit of b?",
            48: "that is de/da, or the value of e",
            14: "that is de/dc; b is one arrow further",
        },
    },
    hints=[
        "The picture above has all slopes. From b there is one arrow, to c; from c there are two.",
        "The slopes: c by b is 2, e by c is 8, d by c is 1, e by d is 6.",
    ],
    solution="b-c-e: 8 * 2. b-c-d-e: 6 * 1 * 2.",
)


def _summed(upstream: Sequence[float], slopes: Sequence[Sequence[float]]) -> list[float]:
    return [sum(g * row[i] for g, row in zip(upstream, slopes)) for i in range(len(slopes[0]))]


def _last(upstream: Sequence[float], slopes: Sequence[Sequence[float]]) -> list[float]:
    return [upstream[-1] * x for x in slopes[-1]]


def _without_upstream(upstream: Sequence[float], slopes: Sequence[Sequence[float]]) -> list[float]:
    return [sum(column) for column in zip(*slopes)]


def _of_sums(upstream: Sequence[float], slopes: Sequence[Sequence[float]]) -> list[float]:
    return [sum(upstream) * sum(column) for column in zip(*slopes)]


def _added(upstream: Sequence[float], slopes: Sequence[Sequence[float]]) -> list[float]:
    return [sum(g + row[i] for g, row in zip(upstream, slopes)) for i in range(len(slopes[0]))]


sum_over_j = Exercise.of_function(
    "Write gradients(upstream, slopes). upstream[j] is dy/du_j, slopes[j][i] is du_j/dx_i. "
    "Return the list of all dy/dx_i: one number for each i, so as many as a row of slopes is long.",
    _summed,
    [([2.0, -1.0], [[3.0, 5.0, -2.0], [1.0, 4.0, 6.0]]), ([5.0, 2.0, 8.0], [[3.0], [12.0], [-0.25]])],
    mistakes={
        "that keeps the last j alone: what comes through each u_j adds up": _last,
        "that sums slopes alone: each is multiplied by its upstream[j] first": _without_upstream,
        "that sums first and multiplies then: multiply for each j, and add the products": _of_sums,
        "that adds upstream[j] and slope: along a path they multiply": _added,
    },
    hints=[
        "For one i: go over all j, multiply upstream[j] by slopes[j][i], and add up.",
        "For all i: for i in range(len(slopes[0])).",
    ],
    solution=(
        "def gradients(upstream, slopes):\n"
        "    return [sum(g * row[i] for g, row in zip(upstream, slopes)) for i in range(len(slopes[0]))]"
    ),
)

_x, _y, _z = Value(-2.0, "x"), Value(7.0, "y"), Value(-4.0, "z")
_q = _x + _y
_r = _q * _z
_f = _r + _q
label_from({"q": _q, "r": _r, "f": _f})

with_a_fork = Exercise.of_gradients(
    _f,
    [_x, _y, _z],
    question="The graph of CS231n with another y, and one more node, so that q is used twice. "
    "What are the gradients of f by x, y and z?",
)

_s, _t = Value(4.0, "x"), Value(5.0, "y")
_a = sqrt(_s)
_b = _a * _t
_c = _b + _s
_d = _a / _t
_e = _c * _d
label_from({"a": _a, "b": _b, "c": _c, "d": _d, "e": _e})

exam_sheet = Exercise.of_table(_e, question="e = (y sqrt(x) + x) sqrt(x) / y at x = 4, y = 5. Fill in the adjoints.")
