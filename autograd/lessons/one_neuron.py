"""Questions of notebook 7: what a slope tells its weight, three losses on one neuron, and how its line turns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..exercises import Exercise
from ..functions import dot
from ..rules import sigmoid

if TYPE_CHECKING:
    from collections.abc import Sequence

slopes_of_a_sum = Exercise(
    "z = w1 * x1 + w2 * x2 + b, with the inputs x1 = 4 and x2 = 0, the weights w1 = 0.5 and w2 = 3, and b = -2. "
    "How much does z move per unit of w1, of w2 and of b?",
    {"w1": 4, "w2": 0, "b": 1},
    mistakes={
        "w1": {
            0.5: "that is the weight itself, and so what x1 would feel: by what is w1 multiplied?",
            2: "that is the term w1 * x1: how much does it grow per unit of w1?",
        },
        "w2": {
            3: "that is the weight itself, and so what x2 would feel: by what is w2 multiplied?",
            1: "compute z once more, with a larger w2: has it moved?",
        },
        "b": {
            0: "b is no constant: it is learnt too, and z moves with it",
            -2: "that is the value of b: how much does z move if b moves?",
        },
    },
    hints=["Let one of them grow by 1, and compute z again.", "The local derivative of a product is the other factor."],
    solution="∂z/∂w1 = x1, ∂z/∂w2 = x2, ∂z/∂b = 1: what each is multiplied by.",
)

slope_from_output = Exercise(
    "A sigmoid at z = 1 gives a = 0.7311. What is its slope da/dz there? Four digits.",
    0.19661193324148185,
    mistakes={
        0: "that is z * (1 - z): the rule of the sigmoid takes its output",
        0.2689: "that is 1 - a, and one factor is missing",
        0.7311: "that is the output a itself",
        0.4655: "that is 1 - a * a: the rule of tanh",
        0.5345: "that is a * a",
    },
    hints=["The slope is written with the output a alone.", "a * (1 - a)."],
    solution="a * (1 - a) = 0.7311 * 0.2689",
)

neuron_slopes = Exercise(
    "Another sigmoid neuron: w1 = 0.5, w2 = -1, b = 1.5, and the inputs x1 = 3, x2 = 2. Find z, and then the gradients "
    "of a = sigmoid(z) by w1, w2, b, x1 and x2, in this order; three digits.",
    {
        "z": 1,
        "w1": 0.5898357997244456,
        "w2": 0.3932238664829637,
        "b": 0.19661193324148185,
        "x1": 0.09830596662074093,
        "x2": -0.19661193324148185,
    },
    mistakes={
        "z": {
            -0.5: "where is the bias?",
            0.731059: "that is a = sigmoid(z), one step further",
            5: "w2 is negative",
        },
        "w1": {
            3: "that is ∂z/∂w1: how much of it does the sigmoid hand on?",
            0.0983: "that scales by w1 itself: each factor gets the other one",
            2.1932: "that scales by the output a, not by the slope of the sigmoid",
        },
        "w2": {
            2: "that is ∂z/∂w2: how much of it does the sigmoid hand on?",
            -0.1966: "that scales by w2 itself: each factor gets the other one",
            1.4621: "that scales by the output a, not by the slope of the sigmoid",
        },
        "b": {
            1: "that is ∂z/∂b: how much of it does the sigmoid hand on?",
            0: "the bias is learnt too: a moves if b moves",
            0.2949: "that scales by b itself: how much does the sum move per unit of b?",
            0.7311: "that is the output a, not the slope of the sigmoid",
        },
        "x1": {
            0.5: "that is ∂z/∂x1: how much of it does the sigmoid hand on?",
            0.5898: "that scales by x1 itself: each factor gets the other one",
            0.3655: "that scales by the output a, not by the slope of the sigmoid",
        },
        "x2": {
            -1: "that is ∂z/∂x2: how much of it does the sigmoid hand on?",
            0.3932: "that scales by x2 itself: each factor gets the other one",
            -0.7311: "that scales by the output a, not by the slope of the sigmoid",
        },
    },
    hints=[
        "Two steps back: from a to z, and from z to each of the five.",
        "∂a/∂z = a * (1 - a), and sigmoid(1) = 0.7311.",
        "∂z/∂w1 = x1, ∂z/∂x1 = w1, ∂z/∂b = 1.",
    ],
    solution="z = 1.5 - 2 + 1.5, ∂a/∂z = 0.196612. Times 3 for w1, 2 for w2, 1 for b, 0.5 for x1, -1 for x2.",
)

metres = Exercise(
    "The input x1 comes in metres instead of kilometres: it is 1000 times as large. We make w1 1000 times as small, so "
    "that z is what it was. How many times as large is the slope of w1 now? One step w1 - lr * slope with the same lr: "
    "how many times as far does it move z?",
    {"slope of w1": 1000, "move of z": 1e6},
    mistakes={
        "slope of w1": {
            1: "∂L/∂z is what it was; but by what is it multiplied for w1?",
            0.001: "the weight became smaller: is its slope made of the weight?",
            1e6: "that is the square of it",
        },
        "move of z": {
            1000: "so far moves the weight: by what is it multiplied on its way to z?",
            1: "z is what it was before the step; what is it after?",
            0.001: "is something upside down?",
        },
    },
    hints=[
        "The slope of w1 is ∂L/∂z times x1.",
        "A move of w1 moves z by that move times x1. So x1 counts twice.",
    ],
    solution="The slope is ∂L/∂z * x1: 1000 times. It moves w1 1000 times as far, and z by x1 times that: 1000 * 1000.",
)

moves_of_weights = Exercise(
    "A neuron reads the positive inputs x = (3, 0.5, 2). Its weights are w = (-1, 4, 5), and ∂L/∂z = -2. One step with "
    "lr = 0.1: how far does each weight move, with its sign?",
    {"w1": 0.6, "w2": 0.1, "w3": 0.4},
    mistakes={
        "w1": {
            -6: "that is the slope: the step is minus lr times it",
            6: "where is lr?",
            -0.2: "that scales by the weight itself: its slope has the input as a factor",
            -0.4: "that is where the weight is then: how far did it move?",
        },
        "w2": {
            -1: "that is the slope: the step is minus lr times it",
            1: "where is lr?",
            0.8: "that scales by the weight itself: its slope has the input as a factor",
            4.1: "that is where the weight is then: how far did it move?",
        },
        "w3": {
            -4: "that is the slope: the step is minus lr times it",
            4: "where is lr?",
            1: "that scales by the weight itself: its slope has the input as a factor",
            5.4: "that is where the weight is then: how far did it move?",
        },
    },
    hints=["The slope of each weight is ∂L/∂z times its input.", "The move is -lr * slope."],
    solution="-0.1 * (-2) * x: 0.6, 0.1 and 0.4. All three have the same sign, whatever the weights are.",
)


def _logistic(x: Sequence[float], w: Sequence[float], b: float, y: float) -> list[float]:
    slope = sigmoid(dot(w, x, b)) - y
    return [slope * x[0], slope * x[1], slope]


def _turned(x: Sequence[float], w: Sequence[float], b: float, y: float) -> list[float]:
    return [-slope for slope in _logistic(x, w, b, y)]


def _twice_the_sigmoid(x: Sequence[float], w: Sequence[float], b: float, y: float) -> list[float]:
    a = sigmoid(dot(w, x, b))
    return [slope * a * (1 - a) for slope in _logistic(x, w, b, y)]


def _of_output_alone(x: Sequence[float], w: Sequence[float], b: float, y: float) -> list[float]:
    a = sigmoid(dot(w, x, b))
    slope = (a - y) / (a * (1 - a))
    return [slope * x[0], slope * x[1], slope]


def _without_sigmoid(x: Sequence[float], w: Sequence[float], b: float, y: float) -> list[float]:
    slope = dot(w, x, b) - y
    return [slope * x[0], slope * x[1], slope]


def _own_factor(x: Sequence[float], w: Sequence[float], b: float, y: float) -> list[float]:
    slope = sigmoid(dot(w, x, b)) - y
    return [slope * w[0], slope * w[1], slope]


def _sum_without_bias(x: Sequence[float], w: Sequence[float], b: float, y: float) -> list[float]:
    return _logistic(x, w, 0.0, y)


def _no_bias(x: Sequence[float], w: Sequence[float], b: float, y: float) -> list[float]:
    return [*_logistic(x, w, b, y)[:2], 0.0]


def _one_side(x: Sequence[float], w: Sequence[float], b: float, y: float) -> list[float]:
    slope = sigmoid(dot(w, x, b))
    return [slope * x[0], slope * x[1], slope]


logistic_slopes = Exercise.of_function(
    "Write logistic_slopes(x, w, b, y): for a logistic classifier of two inputs and the class y, 0 or 1, the list of "
    "∂L/∂w1, ∂L/∂w2 and ∂L/∂b. By hand: no Value, no backward(). ag.sigmoid of a plain number is a plain number.",
    _logistic,
    [
        ((-1.0, -2.0), (2.0, -3.0), -3.0, 0),
        ((2.0, 0.5), (0.5, 1.0), -1.0, 1),
        ((0.0, 3.0), (1.0, -1.0), 2.0, 1),
    ],
    mistakes={
        "the signs are turned: is it a - y or y - a?": _turned,
        "the slope of the sigmoid is in there twice: a - y has it already": _twice_the_sigmoid,
        "that stops at ∂L/∂a: the sigmoid's slope is missing": _of_output_alone,
        "that is with z in the place of a: where is the sigmoid?": _without_sigmoid,
        "each weight was given itself as a factor: it gets its input": _own_factor,
        "the bias has a slope too: its factor in z is 1": _no_bias,
        "is b in the weighted sum z?": _sum_without_bias,
        "it does not look at y": _one_side,
    },
    hints=[
        "First z = w[0] * x[0] + w[1] * x[1] + b, then a = ag.sigmoid(z).",
        "∂L/∂z is one short expression of a and y, and it is the common factor.",
        "Then each weight gets ∂L/∂z times its input, and b gets ∂L/∂z times 1.",
    ],
    solution=(
        "def logistic_slopes(x, w, b, y):\n"
        "    slope = ag.sigmoid(w[0] * x[0] + w[1] * x[1] + b) - y\n"
        "    return [slope * x[0], slope * x[1], slope]"
    ),
)

one_update = Exercise(
    "A linear regressor of one input: x = 2, w = 3, b = 1; it should give 9, and L = (z - 9)². One step with "
    "lr = 0.05: what are w, b, and the loss on the same example afterwards?",
    {"w": 3.4, "b": 1.2, "loss": 1},
    mistakes={
        "w": {
            2.6: "that goes uphill: the step is minus lr times the slope, and the slope is negative",
            11: "that is a step of the whole slope: where is lr?",
            3.2: "half as far as it should be: the 2 of the square, or the input 2?",
            -8: "that is the slope, not the weight after the step",
        },
        "b": {
            0.8: "that goes uphill: the step is minus lr times the slope, and the slope is negative",
            5: "that is a step of the whole slope: where is lr?",
            1.4: "that has the input as a factor: b is not multiplied by it",
            1: "the bias is learnt too",
            1.1: "half as far as it should be: where is the 2 of the square?",
            -4: "that is the slope, not the bias after the step",
        },
        "loss": {
            4: "that is the loss before the step",
            9: "the loss grew: did both go uphill?",
            1.44: "that is with the old bias",
            1.96: "that is with a weight that went half as far as it should",
            2.25: "that is a step of half the size: where is the 2 of the square?",
            -1: "a square is not negative",
            324: "that is a step of the whole slope: where is lr?",
        },
    },
    hints=[
        "Forward: z = 3 * 2 + 1 = 7. Backward: ∂L/∂z = 2 * (z - 9).",
        "The slope of w is ∂L/∂z times x, that of b is ∂L/∂z.",
        "Subtract 0.05 times each slope, then compute z and L again.",
    ],
    solution=(
        "z = 7, ∂L/∂z = 2 * (7 - 9) = -4, slopes -8 and -4. w = 3 + 0.05 * 8, b = 1 + 0.05 * 4. "
        "Then z = 3.4 * 2 + 1.2 = 8 and L = (8 - 9)²."
    ),
)

turned_line = Exercise(
    "A logistic neuron has w = (1, 1) and b = -3: its line is x2 = 3 - x1, of slope -1. The point x = (2, 1) of "
    "class 0 lies on it: a = 0.5. One step with lr = 0.4: what are w1 and w2 then, and the slope of the line?",
    {"w1": 0.6, "w2": 0.8, "slope of the line": -0.75},
    mistakes={
        "w1": {
            1.4: "a should become smaller here, and this makes it larger",
            0.2: "∂L/∂z is not 1: what is a - y?",
            0.8: "that is a step along the other input, or half a step",
            0.4: "that is how far it moves",
        },
        "w2": {
            1.2: "a should become smaller here, and this makes it larger",
            0.6: "∂L/∂z is not 1: what is a - y? Or is it the other input?",
            0.2: "that is how far it moves",
        },
        "slope of the line": {
            -4 / 3: "solve w1 * x1 + w2 * x2 + b = 0 for x2: which weight is below?",
            0.75: "solve w1 * x1 + w2 * x2 + b = 0 for x2: what is the sign?",
            -7 / 6: "a should become smaller here: in which direction was the step?",
            -1: "both weights move, and not by the same amount",
            -1 / 3: "that comes of steps that are too long: what is ∂L/∂z?",
        },
    },
    hints=[
        "∂L/∂z = a - y = 0.5.",
        "The slopes of the weights are 0.5 * 2 and 0.5 * 1.",
        "On the line z = 0, so x2 = -(w1 * x1 + b) / w2.",
    ],
    solution="w = (1 - 0.4 * 1, 1 - 0.4 * 0.5) = (0.6, 0.8), and the slope of the line is -w1 / w2.",
)
