"""Questions of notebook 10: layers and shapes, the backward pass by hand, the four lines of training, step sizes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..exercises import Exercise

if TYPE_CHECKING:
    from collections.abc import Sequence

steps_on_a_square = Exercise(
    "L = w**2, and w starts at 1. Gradient descent: w becomes w - lr * (slope of L), five times. Where is w then, "
    "for lr = 0.9, and for lr = 1.1?",
    {"lr 0.9": -(0.8**5), "lr 1.1": -(1.2**5)},
    mistakes={
        "lr 0.9": {
            0.1**5: "the slope of w² is 2 w, not w",
            0.8**4: "that is after four steps",
            0.8**5: "right size; each step jumps over 0 to the other side",
            -0.8: "that is after one step",
            0: "each step multiplies w by the same number, which is not 0",
        },
        "lr 1.1": {
            -(0.1**5): "the slope of w² is 2 w, not w",
            1.2**4: "that is after four steps",
            1.2**5: "right size; each step jumps over 0 to the other side",
            -1.2: "that is after one step",
            0: "each step multiplies w by the same number, which is not 0",
        },
    },
    hints=[
        "The slope is 2 w. So a step makes w - lr · 2 w = (1 - 2 lr) w of w.",
        "1 - 2 · 0.9 = -0.8; 1 - 2 · 1.1 = -1.2.",
    ],
    solution="(-0.8) to the power 5, and (-1.2) to the power 5. The second grows: it diverges.",
)

slope_of_right_class = Exercise(
    "From notebook 9: softmax gives the right class the probability 0.2. What is the slope of the cross entropy by the "
    "score of that class?",
    -0.8,
    mistakes={
        0.2: "that is the probability: the target is missing",
        -5: "that is the slope by the probability, -1 / p: there is one more link to the score",
        0.16: "p (1 - p) is the slope of the probability: the loss is one more link",
        1.609: "that is the loss",
        -0.2: "a - y: what is y for the right class?",
    },
    hints=["For each class the slope by its score is a - y. For the right class y is 1."],
    solution="a - y = 0.2 - 1.",
)

shapes_of_a_network = Exercise(
    "nn.MLP(4, [5, 3]): how many rows and columns has W1, how many numbers has ∂L/∂W2, and how many parameters has "
    "the network?",
    {"rows of W1": 5, "columns of W1": 4, "numbers in ∂L/∂W2": 15, "parameters": 43},
    mistakes={
        "rows of W1": {4: "here a row belongs to a neuron: how many neurons has layer 1?", 3: "that is layer 2"},
        "columns of W1": {5: "a row has a weight for each input of the layer", 3: "that is layer 2"},
        "numbers in ∂L/∂W2": {
            3: "the loss has one slope for each weight, not for each neuron",
            1: "the loss is one number; it has a slope by every weight",
            20: "that is W1",
            18: "the biases are b2, not W2",
            12: "layer 2 reads what layer 1 gives out, not the inputs",
        },
        "parameters": {
            35: "each neuron has a bias, too",
            42: "the biases: one for each neuron, of both layers",
            25: "that is layer 1 alone",
            40: "layer 1 has biases, too",
            38: "layer 2 has biases, too",
            32: "layer 2 reads what layer 1 gives out, not the inputs",
        },
    },
    hints=[
        "W is m × n: m neurons, each with n weights. Layer 1 has 5 neurons that read 4 inputs.",
        "A gradient has the shape of what it belongs to.",
        "Parameters are weights and biases: 5 · 4 + 5 in layer 1.",
    ],
    solution="W1 is 5 × 4, W2 is 3 × 5, and so is ∂L/∂W2; 5 · 4 + 5 + 3 · 5 + 3 parameters.",
)


def _hidden_delta(deltas: Sequence[float], weights: Sequence[float], a: float) -> float:
    return sum(d * w for d, w in zip(deltas, weights)) * a * (1 - a)


hidden_delta = Exercise.of_function(
    "A sigmoid neuron gives out a. The neurons of the next layer read it with the weights in a list, and the slopes "
    "of J by their sums z are the list of deltas. Write hidden_delta(deltas, weights, a): the slope of J by the z of "
    "our neuron, a number.",
    _hidden_delta,
    [([0.5], [2.0], 0.25), ([0.1, -0.4], [3.0, 0.5], 0.8), ([0.2, 0.3, -0.1], [-1.0, 2.0, 4.0], 0.6)],
    mistakes={
        "that is the slope by a: one more link leads to z": lambda ds, ws, a: sum(d * w for d, w in zip(ds, ws)),
        "the slope of a sigmoid is a (1 - a), not a": lambda ds, ws, a: sum(d * w for d, w in zip(ds, ws)) * a,
        "1 - a² is the slope of tanh": lambda ds, ws, a: sum(d * w for d, w in zip(ds, ws)) * (1 - a * a),
        "several neurons use a: what they hand on adds up": lambda ds, ws, a: ds[0] * ws[0] * a * (1 - a),
        "each delta comes back through its weight": lambda ds, ws, a: sum(ds) * a * (1 - a),
    },
    hints=[
        "Two links: from each z of the next layer back to a, through its weight; and from a to its own z.",
        "The slope by a is the sum of delta · weight. The slope of a by z is a (1 - a).",
    ],
    solution=(
        "def hidden_delta(deltas, weights, a):\n"
        "    return sum(delta * w for delta, w in zip(deltas, weights)) * a * (1 - a)"
    ),
)


def _descended(w: float, lr: float, steps: int) -> float:
    for _ in range(steps):
        w -= lr * 2 * (w - 3)
    return w


def _not_zeroed(w: float, lr: float, steps: int) -> float:
    held = 0.0
    for _ in range(steps):
        held += 2 * (w - 3)
        w -= lr * held
    return w


def _ascended(w: float, lr: float, steps: int) -> float:
    return _descended(w, -lr, steps)


descend = Exercise.of_function(
    "Write descend(w, lr, steps): from the number w, take that many steps of gradient descent on L = (w - 3)**2, and "
    "return where w is then. Use Value and backward().",
    _descended,
    [(0.0, 0.1, 1), (1.0, 0.25, 3), (5.0, 0.4, 4)],
    mistakes={
        "gradients add up from step to step: what is missing?": _not_zeroed,
        "L grows: which way does the step go?": _ascended,
        "the loss was recorded once, so each step has the slope of the start: record it anew": lambda w, lr, steps: (
            w - steps * lr * 2 * (w - 3)
        ),
        "w has not moved: is there a step?": lambda w, lr, steps: w,
        "the derivative of a square has a factor of 2": lambda w, lr, steps: _descended(w, lr / 2, steps),
        "that is one step only": lambda w, lr, steps: _descended(w, lr, 1),
        "that is the loss, not w": lambda w, lr, steps: (_descended(w, lr, steps) - 3) ** 2,
    },
    hints=[
        "weight = Value(w) before the loop. In the loop: the four lines.",
        "weight.grad = None; loss = (weight - 3) ** 2; loss.backward(); weight.data -= lr * weight.grad",
    ],
    solution=(
        "def descend(w, lr, steps):\n"
        "    weight = Value(w)\n"
        "    for _ in range(steps):\n"
        "        weight.grad = None\n"
        "        loss = (weight - 3) ** 2\n"
        "        loss.backward()\n"
        "        weight.data -= lr * weight.grad\n"
        "    return weight.data"
    ),
)

batches = Exercise(
    "120 rows, batch_size=8, 20 epochs. How many steps are taken? The loss is the mean over each batch, and lr=0.4 "
    "works well. Someone takes the sum over the batch instead: which lr makes the same steps?",
    {"steps": 300, "lr": 0.05},
    mistakes={
        "steps": {
            15: "that is one epoch",
            20: "an epoch has a step for each batch",
            2400: "that is the number of examples seen: a step takes 8 of them",
            160: "that is 8 for each epoch: how many batches are there?",
        },
        "lr": {
            3.2: "a sum has larger slopes than a mean: does lr have to grow?",
            0.4: "the sum of 8 has slopes 8 times as large",
            0.4 / 120: "the sum goes over the batch, not over all rows",
        },
    },
    hints=[
        "An epoch has 120 / 8 steps.",
        "The slope of the sum is 8 times that of the mean; lr times slope is to stay.",
    ],
    solution="120 / 8 · 20 steps; 0.4 / 8.",
)

#: The loss, step by step, of five runs in which something went wrong.
curves = {
    "A": [
        0.749, 0.393, 0.39, 0.401, 0.477, 0.595, 0.656, 0.681, 0.69, 0.726, 0.75, 0.727, 0.673, 0.588, 0.525,
        0.506, 0.385, 0.301, 0.528, 0.757, 0.467, 0.296, 0.394, 0.475, 0.544, 0.598, 0.677, 0.733, 0.74, 0.741,
    ],
    "B": [
        0.717, 0.702, 0.695, 0.69, 0.687, 0.685, 0.683, 0.681, 0.68, 0.679, 0.678, 0.677, 0.676, 0.675, 0.675,
        0.674, 0.673, 0.673, 0.672, 0.671, 0.671, 0.67, 0.67, 0.67, 0.669, 0.669, 0.668, 0.668, 0.668, 0.667,
    ],
    "C": [
        0.788, 0.795, 0.803, 0.81, 0.818, 0.827, 0.835, 0.845, 0.855, 0.865, 0.876, 0.888, 0.9, 0.913, 0.926,
        0.94, 0.956, 0.972, 0.988, 1.006, 1.025, 1.044, 1.065, 1.087, 1.11, 1.134, 1.159, 1.186, 1.214, 1.243,
    ],
    "D": [
        0.788, 0.786, 0.784, 0.782, 0.781, 0.779, 0.777, 0.775, 0.773, 0.771, 0.77, 0.768, 0.766, 0.765, 0.763,
        0.761, 0.76, 0.758, 0.756, 0.755, 0.753, 0.752, 0.75, 0.749, 0.748, 0.746, 0.745, 0.743, 0.742, 0.741,
    ],
    "E": [
        0.788, 1.747, 2.605, 9.275, 12.363, 8.47, 2.125, 4.865, 17.623, 2.923, 1.11, 1.713, 14.547, 5.248, 3.392,
        1.001, 2.28, 11.573, 3.742, 2.404, 1.185, 4.047, 9.357, 4.101, 2.279, 1.308, 1.046, 6.222, 2.673, 3.311,
    ],
}  # fmt: skip

_CURVE_TOLD = {
    "A": (2, "it fell, and then it swung up again, on and on, slowly: something keeps pushing after it should stop"),
    "B": (5, "look at the numbers of the axis: it settled quickly, near log(2). What is a fair coin's cross entropy?"),
    "C": (1, "it grows smoothly, from the first step on, and never turns"),
    "D": (3, "it does fall, steadily; look at the numbers of the axis for how far"),
    "E": (4, "it jumps to many times its first value and back, from one step to the next"),
}

diagnose_curves = Exercise(
    "What went wrong in each run? Give a number for each of A to E:\n"
    "1  the step goes along the gradient instead of against it\n"
    "2  gradients are never set to zero\n"
    "3  the step size is much too small\n"
    "4  the step size is much too large\n"
    "5  the labels were shuffled: they do not belong to the points",
    {name: cause for name, (cause, _) in _CURVE_TOLD.items()},
    mistakes={
        name: {wrong: told for wrong in range(1, 6) if wrong != cause} for name, (cause, told) in _CURVE_TOLD.items()
    },
    hints=[
        "Look at the scales first: which loss hardly moved at all, and which became huge?",
        "Where gradients pile up, a weight behaves like a ball in a valley: it rolls past the lowest point and back.",
        "With labels that fit nothing, the best that one can learn is that both classes are equally likely.",
    ],
    solution="A swings, B gets stuck at log(2), C climbs, D crawls, E jumps.",
)

pieces_of_a_tent = Exercise(
    "tent(x) is made of two ReLUs and has 2 straight pieces between 0 and 1; tent(tent(x)) has 4. How many pieces has "
    "tent composed with itself five times in all, tent(tent(tent(tent(tent(x))))), and how many ReLUs does it take?",
    {"pieces": 32, "ReLUs": 10},
    mistakes={
        "pieces": {
            10: "pieces do not add up: each tent folds all that came before",
            25: "try three tents: is it 9, or what do you get by doubling?",
            16: "that is for four tents",
            64: "that is for six tents",
            31: "those are the places where pieces meet",
        },
        "ReLUs": {
            32: "ReLUs are counted once for each tent, however many pieces come out",
            5: "each tent takes two",
            2: "each layer has ReLUs of its own",
        },
    },
    hints=["Each further tent folds the line once more: where there was one piece, there are two.", "2, 4, 8, ..."],
    solution="2 to the power 5 pieces, by 2 · 5 ReLUs.",
)
