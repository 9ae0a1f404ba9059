"""Questions of notebook 12: sizes of derivatives, gradients of products of matrices, and what backward takes."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy

from ..exercises import Exercise

if TYPE_CHECKING:
    from typing import Any

contributions_of_a_weight = Exercise(
    "A layer of 3 neurons reads 2 inputs. It is applied to a batch of 5 examples, and the loss is computed from all "
    "that comes out. How many contributions are added up in the gradient of one single weight?",
    5,
    mistakes={
        1: "the weight is used in the weighted sum of each example: each use hands something on",
        3: "one weight belongs to one neuron",
        2: "one weight belongs to one input of one neuron",
        15: "that is the number of weighted sums; in how many of them is this weight?",
        10: "that is the number of inputs in the batch; which of them does this weight multiply?",
        30: "that is the number of products of all weights; how many of them has this one weight?",
        6: "that is the number of weights",
    },
    hints=["In how many weighted sums does one weight occur?", "Each use of a node hands one contribution on."],
    solution="5: the weight is a factor in one weighted sum for each example. It is a node that is used five times.",
)

shrinking_relu_layers = Exercise(
    "Many layers of 50 ReLU neurons, each reading the 50 of the layer before. The weights are Gaussian with variance "
    "1/50. By which factor does the size of z change, on average, from one layer to the next?",
    math.sqrt(0.5),
    mistakes={
        1: "that would be so without ReLU: what does ReLU do to the mean square?",
        0.5: "that is the factor of the mean square; the size is its root",
        math.sqrt(2): "ReLU takes something away: does z grow or shrink?",
        2: "ReLU takes something away: does z grow or shrink?",
        1 / 50: "that is the variance of the weights; there are 50 terms, too",
        math.sqrt(1 / 50): "that is the standard deviation of the weights; there are 50 terms, too",
    },
    hints=[
        "The mean square of z is 50 * (1/50) * (mean square of the inputs of the layer).",
        "ReLU lets half of the mean square through. The size is the root of the mean square.",
    ],
    solution="The mean square is halved in each layer, so the size changes by sqrt(1/2) = 0.7071.",
)

sizes_of_derivatives = Exercise(
    "A layer of 7 neurons reads 4 inputs: z = W x + b, a = tanh(z), and further on the loss L, one number. There is "
    "one example. How many numbers, zeros included, has the derivative of z by x, of a by z, of z by W, of L by W, of "
    "L by b?",
    {"z by x": 28, "a by z": 49, "z by W": 196, "L by W": 28, "L by b": 7},
    mistakes={
        "z by x": {
            4: "that is one row of it, for one element of z",
            7: "each element of z has a derivative by each element of x",
            11: "each element of z by each element of x: is that a sum or a product?",
            16: "that is x by x",
            49: "that is z by z",
        },
        "a by z": {
            7: "so many can differ from 0; zeros are counted here, too",
            1: "a and z are vectors",
            28: "how many elements has a, and how many has z?",
            14: "each element of a by each element of z: is that a sum or a product?",
        },
        "z by W": {
            28: "that is for one element of z",
            4: "so many differ from 0 for one element of z; zeros are counted here, too",
            49: "how many elements has W?",
            35: "each element of z by each element of W: is that a sum or a product?",
        },
        "L by W": {
            196: "L is one number: one derivative for each weight",
            1: "L is one number, but it has a derivative by each weight",
            11: "how many weights are there?",
        },
        "L by b": {
            1: "each neuron has its bias",
            4: "are there as many biases as inputs, or as neurons?",
            28: "each neuron has one bias",
        },
    },
    hints=[
        "The derivative of a vector of p numbers by something of q numbers has p * q numbers.",
        "x has 4 numbers; z, a and b have 7; W has 7 * 4; L has 1.",
    ],
    solution="z by x: 7 * 4 = 28. a by z: 7 * 7 = 49. z by W: 7 * 28 = 196. L by W: 28. L by b: 7.",
)

back_through_squares = Exercise(
    "a = z², element by element, at z = (4, -3, 1.5). The gradient of L by a is (3, 5, -4). What is the gradient of L "
    "by z?",
    {"z[1]": 24, "z[2]": -30, "z[3]": -12},
    mistakes={
        "z[1]": {
            8: "that is the local derivative; what of the gradient that comes from a?",
            3: "that is the gradient by a; what does the local derivative do to it?",
            48: "the slope of z² at 4 is not its value",
            11: "local derivative and upstream gradient are multiplied",
            16: "that is the value of a",
        },
        "z[2]": {
            -6: "that is the local derivative; what of the gradient that comes from a?",
            5: "that is the gradient by a; what does the local derivative do to it?",
            45: "the slope of z² at -3 is not its value",
            -1: "local derivative and upstream gradient are multiplied",
            9: "that is the value of a",
        },
        "z[3]": {
            3: "that is the local derivative; what of the gradient that comes from a?",
            -4: "that is the gradient by a; what does the local derivative do to it?",
            -9: "the slope of z² at 1.5 is not its value",
            -1: "local derivative and upstream gradient are multiplied",
            2.25: "that is the value of a",
        },
    },
    hints=[
        "The Jacobian of a by z has the slopes 2z on its diagonal, and zeros elsewhere.",
        "So element by element: gradient by a, times slope.",
    ],
    solution="The slopes 2z are (8, -6, 3). Times the gradient by a: (3 * 8, 5 * (-6), -4 * 3) = (24, -30, -12).",
)


# ----- The gradient of a product of matrices -----

#: The gradient by D and X. All sizes of a case differ; the first is small, since it is shown when it goes wrong.
_CASES = [
    (numpy.array([[1, -2, 3]]), numpy.array([[4, 2, -1], [3, 0, 5]])),
    (
        numpy.array([[1.0, -2.0, 0.5, 3.0], [2.0, 1.0, -1.0, 4.0]]),
        numpy.array([[1.0, 2.0, -1.0, 0.5], [3.0, -2.0, 1.5, 2.0], [-4.0, 1.0, 2.5, -3.0]]),
    ),
]


def _gradient_by_weights(upstream: Any, X: Any) -> Any:
    return upstream @ X.T


gradient_of_a_product = Exercise.of_function(
    "D = W @ X: here the examples are the columns of X. Write gradient_by_W(upstream, X): the gradient of L by W, a "
    "NumPy array, from X and from `upstream`, the gradient of L by D. It is tried on two cases. In the first, W is "
    "1 × 2 and X is 2 × 3; in the second, W is 2 × 3 and X is 3 × 4.",
    _gradient_by_weights,
    _CASES,
    mistakes={
        "that is a mean over the examples, and nothing here was averaged": lambda g, X: g @ X.T / X.shape[1],
        "what does it do with `upstream`? Every element of D counts alike only if that is 1 everywhere": lambda g, X: (
            numpy.ones_like(g) @ X.T
        ),
        "the gradient by W has the shape of W: yours is turned on its side": lambda g, X: X @ g.T,
        "the gradient by W has the shape of W: add up over the examples": lambda g, X: g[:, None, :] * X,
    },
    hints=[
        "In the second case `upstream` is 2 × 4, X is 3 × 4, and dW must be 2 × 3: which product gives that shape?",
        "A @ B needs as many columns in A as there are rows in B. Write the shape under each factor.",
        "dW[i, k] adds up upstream[i, n] * X[k, n] over the columns n.",
    ],
    solution="def gradient_by_W(upstream, X):\n    return upstream @ X.T",
)

bias_gradient_of_a_mean = Exercise(
    "Another batch. The rows of dZ are the gradients of the losses of four single examples by their own weighted sums: "
    "(3, 1, -3), (-1, 4, 0), (6, -2, 1), (2, 3, 4). The batch's loss L is the mean of these four losses. What is the "
    "gradient of L by the three biases?",
    {"b[1]": 2.5, "b[2]": 1.5, "b[3]": 0.5},
    mistakes={
        "b[1]": {
            0.625: "the mean brings one factor 1/4, not two",
            10: "that is for the sum of the four losses; L is their mean",
            2: "that is the last example alone: contributions add up",
            3: "that is the first example alone: contributions add up",
            1 / 3: "which direction is averaged: over the examples, or over the neurons?",
            10 / 3: "is it the mean over three, or over four?",
        },
        "b[2]": {
            0.375: "the mean brings one factor 1/4, not two",
            6: "that is for the sum of the four losses; L is their mean",
            3: "that is the last example alone: contributions add up",
            1: "look at the whole column of dZ: each example has a say",
            2: "is it the mean over three, or over four?",
        },
        "b[3]": {
            0.125: "the mean brings one factor 1/4, not two",
            2: "that is for the sum of the four losses; L is their mean",
            4: "that is the last example alone: contributions add up",
            -3: "that is the first example alone: contributions add up",
            5 / 3: "which direction is averaged: over the examples, or over the neurons?",
            2 / 3: "is it the mean over three, or over four?",
        },
    },
    hints=[
        "b[i] is added to the weighted sum of neuron i in every example, with the local derivative 1.",
        "Add up each column. Then: what does a mean do to each of its terms?",
    ],
    solution="Columns: 3 - 1 + 6 + 2 = 10, 1 + 4 - 2 + 3 = 6, -3 + 0 + 1 + 4 = 2. Over 4: 2.5, 1.5, 0.5.",
)

undo_broadcasting = Exercise(
    "An array b of shape (2, 1, 3) is added to an array of shape (5, 2, 4, 3), and L is the sum of all elements of the "
    "result. How many numbers has the gradient of L by b, and how large is each?",
    {"numbers": 6, "each": 20},
    mistakes={
        "numbers": {
            120: "that is the size of the result; the gradient by b has the shape of b",
            24: "that is 2 * 4 * 3; the axis of length 1 was stretched, and b has one number there",
            1: "L is one number, but it has a derivative by each element of b",
        },
        "each": {
            1: "that is one contribution: in how many elements of the result does one element of b occur?",
            5: "the new axis is one of two along which b is repeated",
            4: "the stretched axis is one of two along which b is repeated",
            120: "that is the number of elements of the result; each of them has one element of b in it",
            9: "repeated 5 times along one axis and 4 times along another: is that 5 + 4?",
        },
    },
    hints=[
        "Write b's shape under the other one, from the right: where is b repeated?",
        "Each element of b is used as often as it is repeated, and each use hands on 1.",
    ],
    solution="b has 2 * 1 * 3 = 6 numbers. Each is repeated 5 times along the first axis and 4 times along the third, "
    "so it is in 5 * 4 = 20 elements of the result.",
)

vector_for_backward = Exercise(
    "y has two elements, and x has three. The Jacobian of y by x is ((1, 2, 0), (-3, 1, 4)). The vector v = (10, -1) "
    "is given to backward. What is x.grad?",
    {"x[1]": 13, "x[2]": 19, "x[3]": -4},
    mistakes={
        "x[1]": {
            -2: "that is for v = (1, 1): the sum of the rows",
            7: "look at the sign of the second element of v",
            10: "that is the first row alone: the second element of v is not 0",
            1: "v has a say, too",
            -3: "v has a say, too",
        },
        "x[2]": {
            3: "that is for v = (1, 1): the sum of the rows",
            21: "look at the sign of the second element of v",
            20: "that is the first row alone: the second element of v is not 0",
            -1: "that is the second row alone: the first element of v is not 0",
        },
        "x[3]": {
            4: "look at the sign of the second element of v",
            0: "that is the first row alone: the second element of v is not 0",
            40: "which element of v belongs to the second row?",
        },
    },
    hints=["v has one number for each element of y: the upstream gradient of that element.", "10 * row 1 - row 2"],
    solution="10 * (1, 2, 0) + (-1) * (-3, 1, 4) = (13, 19, -4)",
)
