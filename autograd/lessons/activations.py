"""Questions of notebook 8: what activations do to gradients, and for which inputs they silence a neuron."""

from __future__ import annotations

from ..exercises import Exercise
from ..rules import sigmoid

ten_sigmoids = Exercise(
    "Ten sigmoids in a row, each where it is steepest: slope 1/4. A gradient of 1 comes to the last one. What is "
    "left of it before the first? A formula such as 2 / 3**4 will do.",
    0.25**10,
    mistakes={
        2.5: "slopes in a row are not added",
        0.025: "that is a tenth of one slope: what do slopes in a row do?",
        0.25: "that is what one sigmoid leaves",
        0: "small, and not 0: give it as a formula, or such as 1.23e-4",
        0.25**9: "that is nine of them",
        0.25**11: "that is eleven of them",
        4**10: "can the gradient grow, if each slope is below 1?",
    },
    hints=["Along a path slopes multiply.", "The same factor, ten times."],
    solution="0.25 * 0.25 * ... ten times: 0.25**10.",
)

zero_input = Exercise(
    "A neuron's weight is 5, its input is 0, and ∂L/∂z = -0.4. What are the gradients of L by the weight and by the "
    "input?",
    {"weight": 0, "input": -2},
    mistakes={
        "weight": {
            -2: "that scales by the weight itself: a weight gets its input as a factor",
            -0.4: "that is the bias's: by what is the weight multiplied?",
        },
        "input": {
            0: "that scales by the input itself: an input gets its weight as a factor",
            -0.4: "that is the bias's: by what is the input multiplied?",
            5: "that is the local derivative: multiply it by ∂L/∂z",
        },
    },
    hints=["In z there is weight * input: each factor gets the other one.", "Multiply that by ∂L/∂z."],
    solution="-0.4 * 0 for the weight, -0.4 * 5 for the input.",
)

two_layers_in_one = Exercise(
    "Two layers without activations: h1 = 2 * x1 - x2 + 1 and h2 = x1 + 3 * x2; then y = 3 * h1 - 2 * h2 + 5. One "
    "neuron does the same: y = w1 * x1 + w2 * x2 + b. Find w1, w2 and b.",
    {"w1": 4, "w2": -9, "b": 8},
    mistakes={
        "w1": {
            6: "x1 comes to y by h2, too",
            -2: "x1 comes to y by h1, too",
            3: "each way has two weights, which multiply",
            8: "what is the sign of h2 in y?",
        },
        "w2": {
            -3: "x2 comes to y by h2, too",
            -6: "x2 comes to y by h1, too",
            2: "each way has two weights, which multiply",
            3: "what is the sign of h2 in y?",
        },
        "b": {
            5: "the 1 in h1 comes to y, too",
            6: "the 1 in h1 goes through a weight on its way",
            3: "y has a bias of its own",
        },
    },
    hints=["Put the formulas of h1 and h2 into that of y.", "y = 3 * (2 * x1 - x2 + 1) - 2 * (x1 + 3 * x2) + 5."],
    solution="w1 = 3 * 2 - 2 * 1, w2 = 3 * (-1) - 2 * 3, b = 3 * 1 + 5: a product of matrices.",
)

sloped_sigmoid = Exercise(
    "a = sigmoid(alpha * z) with alpha = 2, at z = 0.5, is 0.7311. Find its derivatives by z and by alpha; three "
    "digits.",
    {"by z": 0.3932238664829637, "by alpha": 0.09830596662074093},
    mistakes={
        "by z": {
            0.1966: "there is one more factor: how much does alpha * z move per unit of z?",
            0.2350: "that is the slope of a sigmoid at 0.5: what goes into this one?",
            0.47: "the factor alpha is there, but what goes into this sigmoid?",
            0.7311: "that is the output a",
        },
        "by alpha": {
            0.1966: "there is one more factor: how much does alpha * z move per unit of alpha?",
            0.3932: "that has alpha as a factor: how much does alpha * z move per unit of alpha?",
            0.1175: "what goes into this sigmoid?",
            0: "alpha is a factor like a weight: a moves if it moves",
        },
    },
    hints=["The slope of the sigmoid itself is a * (1 - a).", "Then multiply by how much alpha * z moves."],
    solution="a * (1 - a) = 0.196612. Times alpha = 2 for z, times z = 0.5 for alpha.",
)

dying_relu = Exercise(
    "A neuron a = relu(w * x + b) with w = 1, b = 0, and the loss L = (a - 1)². One step with lr = 0.2 on x = 3: what "
    "are w and b then? And what is the slope of w in the next step, on x = 3 again?",
    {"w": -1.4, "b": -0.8, "next slope of w": 0},
    mistakes={
        "w": {
            3.4: "that goes uphill",
            -0.2: "half as far as it should be: where is the 2 of the square?",
            0.2: "the slope of w has its input as a factor",
            -11: "that is a step of the whole slope: where is lr?",
            12: "that is the slope: where does w go?",
        },
        "b": {
            0.8: "that goes uphill",
            -0.4: "half as far as it should be: where is the 2 of the square?",
            -2.4: "that is how far w moves: b is not multiplied by x",
            -4: "that is a step of the whole slope: where is lr?",
            0: "the bias moves, too",
            4: "that is the slope: where does b go?",
        },
        "next slope of w": {
            12: "that is the slope of the first step: what is z now?",
            -6: "the loss has a slope there; what does the relu hand on, with z as it is now?",
            -36: "is a negative? What does the relu give, and what does it hand on?",
            -2: "that is ∂L/∂a; what does the relu hand on?",
        },
    },
    hints=[
        "Forward: z = 3, a = 3. Backward: ∂L/∂a = 2 * (3 - 1) = 4, and the relu is open.",
        "The slopes are 4 * 3 for w and 4 for b.",
        "What is the sign of z in the next step?",
    ],
    solution="w = 1 - 0.2 * 12, b = 0 - 0.2 * 4. Then z = -1.4 * 3 - 0.8 = -5: the relu is closed.",
)

silent_inputs = Exercise(
    "Five inputs: z = -10, -2, -0.5, 0.5 and 10. At how many of them is the slope smaller than 0.001: of the sigmoid, "
    "of the ReLU, of the leaky ReLU (0.01)?",
    {"sigmoid": 2, "ReLU": 3, "leaky ReLU": 0},
    mistakes={
        "sigmoid": {
            1: "it is flat on both sides",
            3: "at -2 its output is 0.12: what is a * (1 - a)?",
            4: "compute a * (1 - a) at -2 and at -0.5",
            0: "compute a * (1 - a) at 10",
        },
        "ReLU": {
            0: "on which side is it flat?",
            2: "flat is flat, however near to the kink the input is",
            4: "it saturates on one side only",
            1: "how many of the five are negative?",
        },
        "leaky ReLU": {
            3: "compare its slope on the negative side with 0.001",
            1: "its slope has two values only: which?",
            2: "its slope has two values only: which?",
        },
    },
    hints=["Write the slope of each of the three at each of the five inputs.", "The leaky ReLU: 0.01 or 1."],
    solution="The sigmoid at -10 and 10: 0.000045. The ReLU at all three negative ones: 0. The leaky ReLU never: 0.01.",
)


def _swish(z: float) -> float:
    return z * sigmoid(z)


def _first_term(z: float) -> float:
    return sigmoid(z)


def _second_term(z: float) -> float:
    return z * sigmoid(z) * (1 - sigmoid(z))


def _product_of_slopes(z: float) -> float:
    return sigmoid(z) * (1 - sigmoid(z))


def _z_missing(z: float) -> float:
    return sigmoid(z) + sigmoid(z) * (1 - sigmoid(z))


swish_slope = Exercise.of_derivative(
    "Write swish_slope(z), the derivative of z * sigmoid(z) by z. ag.sigmoid(z) of a plain number is a plain number.",
    _swish,
    [-2.0, 0.5, 3.0],
    mistakes={
        "of the two ways of z to the product, the one through the sigmoid is missing": _first_term,
        "of the two ways of z to the product, the one past the sigmoid is missing": _second_term,
        "that multiplies the two slopes: a product has another rule": _product_of_slopes,
        "in the way through the sigmoid, the other factor of the product is missing": _z_missing,
    },
    hints=[
        "z is used twice: two ways, which add up.",
        "One way: 1 times the other factor. The other way: z times the slope of the sigmoid.",
    ],
    solution="def swish_slope(z):\n    s = ag.sigmoid(z)\n    return s + z * s * (1 - s)",
)

softmax_slopes = Exercise(
    "Three scores z1, z2, z3 have the softmax p = (0.2, 0.5, 0.3). Find the derivatives of p1 by z1, z2 and z3.",
    {"by z1": 0.16, "by z2": -0.1, "by z3": -0.06},
    mistakes={
        "by z1": {
            0.2: "that is p1 itself: z1 is in the sum below, too",
            0.8: "that is 1 - p1, and one factor is missing",
            0.04: "that is p1 * p1",
            -0.16: "does the share of z1 grow or shrink if z1 grows?",
        },
        "by z2": {
            0: "z2 is in the sum below p1: if it grows, what becomes of p1?",
            0.1: "if z2 grows, does the share of z1 grow or shrink?",
            0.25: "that is the derivative of p2",
            0.5: "that is p2 itself",
        },
        "by z3": {
            0: "z3 is in the sum below p1: if it grows, what becomes of p1?",
            0.06: "if z3 grows, does the share of z1 grow or shrink?",
            0.21: "that is the derivative of p3",
            0.3: "that is p3 itself",
        },
    },
    hints=[
        "∂p1/∂z1 = p1 * (1 - p1), as for a sigmoid.",
        "∂p1/∂z2 = -p1 * p2: what another score gains is lost in proportion.",
        "The three add up to 0: if all scores grow alike, nothing changes.",
    ],
    solution="0.2 * 0.8, -0.2 * 0.5 and -0.2 * 0.3.",
)
