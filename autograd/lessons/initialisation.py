"""Questions of notebook 11: why weights do not start at zero, how large they start, and what the first loss is."""

from __future__ import annotations

import math

from ..exercises import Exercise
from ..origins import label_from
from ..rules import relu
from ..value import Value

neurons_that_differ = Exercise(
    "A network 2-8-1 with tanh starts with all weights at 0.5 and all biases at 0. It is trained for 1000 steps on "
    "data of two classes. How many different neurons does its hidden layer have then? Two neurons are different if "
    "their weights or biases differ.",
    1,
    mistakes={
        8: "what could make the second neuron move otherwise than the first? It sees the same inputs, and its output "
        "is used with the same weight",
        2: "two classes do not make two kinds of neurons: every neuron sees every example",
        4: "there is nothing that would part them into pairs",
        0: "there are eight neurons; if all are alike, how many different ones are that?",
    },
    hints=[
        "Take two hidden neurons. Their weights are equal, so their outputs are. Are their gradients equal?",
        "Equal weights with equal gradients are equal weights after the step.",
    ],
    solution="All eight get the same gradients in every step, so they stay copies of one neuron.",
)

two_steps_without_zeroing = Exercise(
    "L = w * w starts at w = 1, and the learning rate is 0.1. The loop forgets zero_grad(). What is w after two steps?",
    0.44,
    mistakes={
        0.64: "that is what a loop with zero_grad() does; here the first gradient is still in w.grad",
        0.4: "the second pass adds the gradient at the new w, not at w = 1",
        0.6: "that takes the gradient at w = 1 twice: the second pass computes another one, and adds it",
        0.8: "that is after one step",
    },
    hints=["The first gradient is 2, so w becomes 0.8.", "The second pass adds 2 * 0.8 to the 2 that is there."],
    solution="First step: w.grad = 2, w = 0.8. Second: w.grad = 2 + 1.6 = 3.6, w = 0.8 - 0.36 = 0.44.",
)


def _two_neurons() -> tuple[Value, list[Value]]:
    """L = (u1 relu(w1 x) + u2 relu(w2 x) - 4) ** 2 at x = 2."""
    w1, w2, u1, u2 = leaves = [Value(0.75, "w1"), Value(0.75, "w2"), Value(1.0, "u1"), Value(3.0, "u2")]
    z1, z2 = w1 * 2, w2 * 2
    h1, h2 = relu(z1), relu(z2)
    t1, t2 = u1 * h1, u2 * h2
    y = t1 + t2
    error = y - 4
    loss = error**2
    label_from({"z1": z1, "z2": z2, "h1": h1, "h2": h2, "t1": t1, "t2": t2, "y": y, "error": error, "L": loss})
    return loss, leaves


_loss, _leaves = _two_neurons()

equal_in_different_out = Exercise.of_gradients(
    _loss,
    _leaves,
    question="Two ReLU neurons read x = 2 and start with the same weight, 0.75. The output y uses them with different "
    "weights, u1 = 1 and u2 = 3. What are the gradients of L = (y - 4)² by w1, w2, u1, u2?",
)

zeros_in_one_layer = Exercise(
    "A logistic classifier has no hidden layer: p = sigmoid(w1 x1 + w2 x2 + b). It starts with w1 = w2 = b = 0. One "
    "example: x = (2, -3), class 1. The loss is cross entropy, whose gradient by the weighted sum is p - y. What are "
    "the gradients by w1, w2 and b?",
    {"w1": -1.0, "w2": 1.5, "b": -0.5},
    mistakes={
        "w1": {
            0: "the gradient of a weight has its input as a factor, not the weight",
            -0.5: "that is p - y: by which factor does w1 enter the weighted sum?",
            -2: "sigmoid(0) is not 0",
            2: "that is the input alone: the upstream gradient p - y is missing",
        },
        "w2": {
            0: "the gradient of a weight has its input as a factor, not the weight",
            -0.5: "that is p - y: by which factor does w2 enter the weighted sum?",
            3: "sigmoid(0) is not 0",
            -3: "that is the input alone: the upstream gradient p - y is missing",
        },
        "b": {
            0: "the bias enters the weighted sum with the factor 1",
            1: "that is the local derivative: the upstream gradient p - y is missing",
            -1: "sigmoid(0) is not 0",
        },
    },
    hints=[
        "p is sigmoid(0).",
        "p - y is the upstream gradient of the weighted sum. Each weight scales it by its own input.",
    ],
    solution="p = 0.5, so p - y = -0.5. By w1: -0.5 * 2 = -1. By w2: -0.5 * (-3) = 1.5. By b: -0.5.\n"
    "None is 0, and the two weights move differently: one layer alone may start at zero.",
)

size_of_a_sum = Exercise(
    "A neuron has 400 inputs of size 1. Its weights are drawn around 0 with a standard deviation of 0.5. "
    "What is the typical size (the root of the mean square) of its weighted sum z?",
    10,
    mistakes={
        200: "terms of both signs cancel for the most part: sizes do not add up, squares do",
        100: "that is the mean square of z",
        0.5: "that is the size of a single term",
        20: "that is the size for weights of standard deviation 1",
        5: "it is the number of terms that stands under the root, and 0.5 that stands before it",
        0.025: "more terms make the sum larger, not smaller",
    },
    hints=["size of z = standard deviation of the weights * sqrt(number of inputs) * size of the inputs"],
    solution="0.5 * sqrt(400) * 1 = 0.5 * 20 = 10",
)

spread_that_keeps = Exercise.of_function(
    "Write spread(m, kept): the standard deviation of the weights for which a layer with m inputs has z of the same "
    "size as the layer before. kept is the share of the mean square that the activation in between lets through: 1 "
    "for the identity, 1/2 for ReLU.",
    lambda m, kept: 1 / math.sqrt(m * kept),
    [(64, 1.0), (80, 0.5), (300, 0.25)],
    mistakes={
        "that is the variance; asked for is the standard deviation": lambda m, kept: 1 / (m * kept),
        "what does it do with kept?": lambda m, kept: 1 / math.sqrt(m),
        "if less gets through, should the weights be smaller or larger?": lambda m, kept: math.sqrt(kept / m),
        "that is right for ReLU only: use kept": lambda m, kept: math.sqrt(2 / m),
        "which of the two stands under the root, with m?": lambda m, kept: 1 / (math.sqrt(m) * kept),
        "with more inputs the sum gets larger: should the weights be smaller or larger?": (
            lambda m, kept: math.sqrt(m * kept)
        ),
    },
    hints=[
        "The mean square of z is m * (variance of the weights) * (mean square of the inputs).",
        "The mean square of the inputs is kept * (mean square of the z before).",
        "m * variance * kept has to be 1.",
    ],
    solution="m * variance * kept = 1, so the standard deviation is 1 / math.sqrt(m * kept).",
)

first_loss = Exercise(
    "A classifier of 27 classes (26 letters and the full stop) gives all classes the same score. What is its cross "
    "entropy? Three decimals are enough.",
    math.log(27),
    mistakes={
        1 / 27: "that is the probability of the right class; the loss is minus its logarithm",
        math.log2(27): "that is the logarithm to base 2; the loss takes the natural one",
        math.log10(27): "that is the logarithm to base 10; the loss takes the natural one",
        27: "equal scores are equal probabilities: how large is each?",
        math.log(26): "the full stop is a class, too",
        0: "a loss of 0 would mean that the right class has the probability 1",
    },
    hints=["Softmax of equal scores gives each class the probability 1 / 27.", "The loss is -log(1 / 27)."],
    solution="-log(1 / 27) = log(27) = 3.296 (to three decimals)",
)

last_layer_zero = Exercise(
    "A network 2-3-1 with tanh starts with random weights W1 and biases b1, all different from 0. Only the last layer "
    "starts at zero (its three weights and its bias). The loss of one example with inputs other than 0 is not yet at "
    "its least. How many of the 13 parameters have a gradient other than 0 in the first step, and how many in the "
    "second?",
    {"first step": 4, "second step": 13},
    mistakes={
        "first step": {
            13: "what comes back to the hidden layer is multiplied by the weights of the last one",
            1: "that is so if all weights are zero; here the hidden outputs are not 0",
            9: "those are the parameters of the hidden layer: what is their upstream gradient multiplied by?",
            3: "the last layer has a bias, too",
            0: "the weights of the last layer get their gradient scaled by the hidden outputs, which are not 0",
        },
        "second step": {
            4: "after the first step the last layer's weights are not 0 any more",
            9: "does the last layer stop?",
            10: "count all: 2 * 3 weights and 3 biases, 3 weights and 1 bias",
        },
    },
    hints=[
        "A weight's gradient is its upstream gradient times its input. Go backward: first the last layer.",
        "The gradient of a hidden output is the upstream gradient times its weight in the last layer.",
    ],
    solution="First step: W2 (3) and b2 (1), whose gradients have the hidden outputs and 1 as factors; what goes on to "
    "the hidden layer is multiplied by W2 = 0.\nSecond step: W2 has moved, so all 13.",
)
