"""Questions of notebook 9: losses and their slopes, which loss goes with which last layer, and penalties on weights."""

from __future__ import annotations

from math import exp, log, log1p
from typing import TYPE_CHECKING

from ..exercises import Exercise

if TYPE_CHECKING:
    from collections.abc import Sequence

how_many_times_as_steep = Exercise(
    "A sigmoid neuron has z = -6, so a = 0.0025, and the target is 1: a confident mistake. About how many times as "
    "steep by z is the loss -log(a) as the loss (a - 1)**2? Choose 2, 20 or 200.",
    200,
    mistakes={
        2: "the squared error has the slope 2 (a - 1) by a; by z there is one more link, and it is small here",
        20: "how flat is the sigmoid at z = -6? Compare a (1 - a) with what 1 / a makes of it",
        0.005: "the other way round: the loss -log(a) is the steeper one",
        400: "a square has a factor of 2 in its derivative",
        **dict.fromkeys((200.5, 202.716), "the right size: which of the three choices is that?"),
    },
    hints=[
        "By the chain rule each slope is a product: of the loss by a, and of a by z. The second is a (1 - a) for both.",
        "-log(a) has the slope -1 / a by a: the a in a (1 - a) cancels. For the square nothing cancels.",
    ],
    solution="-log(a): -1/a · a (1 - a) = a - 1, about -1. (a - 1)²: 2 (a - 1) · a (1 - a), about -2 · 0.0025.",
)

slope_from_output = Exercise(
    "From notebook 8: a sigmoid gave out a = 0.9. What is the derivative of a by z there?",
    0.09,
    mistakes={
        0.9: "that is the output itself",
        0.1: "1 - a is one of two factors",
        0.19: "1 - a² is the rule of tanh",
        0.2055: "0.9 is the output, not z: nothing has to be put into the sigmoid",
        0.25: "that is the largest slope that a sigmoid has, at a = 0.5",
    },
    hints=["The slope of a sigmoid can be told from its output alone."],
    solution="a (1 - a) = 0.9 · 0.1",
)

svm_of_four = Exercise(
    "Scores (1, 1.5, 0.2, -2), the first class is the right one. What is the multiclass SVM loss with margin 1 "
    "(a sum), and what is its slope by the right score?",
    {"loss": 1.7, "slope by the right score": -2},
    mistakes={
        "loss": {
            2.7: "the right class is not compared with itself",
            -0.3: "a class that keeps its distance costs nothing: max(0, ...) is missing",
            0.425: "that is divided by the number of classes, as multi_margin_loss does",
            1.5: "that is the worst class alone: add up all that come too close",
            0.5: "max(0, score - right score) is not enough: the margin of 1 is missing",
            0.2: "there is another class that comes too close",
        },
        "slope by the right score": {
            -1: "the right score stands in one term for each class that comes too close: how many are there?",
            -3: "a class that keeps its distance has a term of 0, which does not move",
            -0.5: "that is for a loss divided by the number of classes",
            0: "if the right score grows, some distances grow",
            1: "each wrong score has that slope, if it is too close",
        },
    },
    hints=[
        "For each wrong class: its score, minus the right score, plus 1. Nothing, if that is below 0.",
        "Which of the three terms are above 0? Each of them has the right score in it, with a minus.",
    ],
    solution="max(0, 1.5 - 1 + 1) + max(0, 0.2 - 1 + 1) + max(0, -2 - 1 + 1) = 1.5 + 0.2 + 0; two terms hold -s1.",
)


def _nll(ps: Sequence[float], ys: Sequence[int]) -> float:
    return -sum(log(p) if y else log1p(-p) for p, y in zip(ps, ys))


negative_log_likelihood = Exercise.of_function(
    "Write nll(ps, ys): ps are the probabilities that a model gives to class 1, ys what was the case, 0 or 1. "
    "Return minus the sum of the logarithms of the probabilities of what was the case.",
    _nll,
    [([0.9, 0.2], [1, 0]), ([0.5], [1]), ([0.7, 0.6, 0.25], [0, 1, 1])],
    mistakes={
        "that is a mean; a sum was asked for": lambda ps, ys: _nll(ps, ys) / len(ps),
        "where y is 0, what was the case has the probability 1 - p": lambda ps, ys: -sum(log(p) for p in ps),
        "cases with y = 0 are left out": lambda ps, ys: -sum(y * log(p) for p, y in zip(ps, ys)),
        "are p and 1 - p swapped?": lambda ps, ys: _nll([1 - p for p in ps], ys),
        "those are squared errors": lambda ps, ys: sum((p - y) ** 2 for p, y in zip(ps, ys)),
    },
    hints=[
        "For one case: math.log(p) if y is 1, and math.log(1 - p) if y is 0.",
        "Or both in one line: y * math.log(p) + (1 - y) * math.log(1 - p). Sum it up over zip(ps, ys).",
    ],
    solution=("def nll(ps, ys):\n    return -sum(y * math.log(p) + (1 - y) * math.log(1 - p) for p, y in zip(ps, ys))"),
)

slopes_of_a_mistake = Exercise(
    "A sigmoid neuron gives a = 0.9, and the target is 0. What are the slopes by z of the two losses, "
    "-log(1 - a) and (a - 0)**2?",
    {"cross entropy": 0.9, "squared error": 0.162},
    mistakes={
        "cross entropy": {
            10: "that is the slope by a, 1 / (1 - a): there is one more link to z",
            0.1: "the difference of a and the target: what is the target here?",
            -0.1: "that would be with the target 1",
            0.09: "that is the slope of the sigmoid: there is one more link, from a to the loss",
            log(10): "that is the loss, not its slope",
        },
        "squared error": {
            1.8: "that is the slope by a: there is one more link to z",
            0.081: "a square has a factor of 2 in its derivative",
            0.09: "that is the slope of the sigmoid: there is one more link, from a to the loss",
            0.81: "that is the loss, not its slope",
            -0.018: "that would be with the target 1",
        },
    },
    hints=[
        "Two links each: the slope of the loss by a, times the slope of a by z, which is a (1 - a).",
        "1 / (1 - a) · a (1 - a), and 2 a · a (1 - a).",
    ],
    solution="a - y = 0.9 - 0; and 2 (a - y) · a (1 - a) = 1.8 · 0.09.",
)

_powers = [exp(z) for z in (2.0, 1.0, 0.1)]
_p1, _p2, _p3 = (power / sum(_powers) for power in _powers)
_own_slope = "p (1 - p) is the slope of the softmax by its own score: the loss is one more link"

softmax_of_three = Exercise(
    "Scores (2, 1, 0.1), the second class is right. What is the softmax cross entropy, and what are its slopes by the "
    "three scores? (Compute the softmax with math.exp, or with ag.softmax; four decimals are enough.)",
    {"loss": -log(_p2), "slope 1": _p1, "slope 2": _p2 - 1, "slope 3": _p3},
    mistakes={
        "loss": {
            -log(_p1): "that would be if the first class were right",
            -log(_p3): "that would be if the third class were right",
            _p2: "that is the probability of the right class; the loss is minus its logarithm",
            -log(_p2) / log(10): "that is a logarithm to the base 10; log stands for the natural one",
        },
        "slope 1": {_p1 - 1: "only the right class has its target of 1 taken off", _p1 * (1 - _p1): _own_slope},
        "slope 2": {
            _p2: "that is p: the target of the right class has to be taken off",
            _p2 * (1 - _p2): _own_slope,
            -1 / _p2: "that is -1 / p, the slope of the loss by the probability: there is one more link to the score",
        },
        "slope 3": {_p3 - 1: "only the right class has its target of 1 taken off", _p3 * (1 - _p3): _own_slope},
    },
    hints=[
        "The softmax: exp of each score, divided by the sum of the three.",
        "The loss is -log of the probability of the right class. The slopes are a - y, with y = (0, 1, 0).",
    ],
    solution="p = (0.6590, 0.2424, 0.0986); loss -log(0.2424); slopes p - (0, 1, 0).",
)

two_checks = Exercise(
    "(1) A new network gives equal scores to 10 classes. What is its softmax cross entropy? "
    "(2) Someone has put a softmax at the end of a network for 3 classes, and gives its outputs to nn.cross_entropy "
    "as if they were scores. What is the lowest loss that any network can reach that way?",
    {"first loss": log(10), "lowest loss": log(exp(1) + 2) - 1},
    mistakes={
        "first loss": {
            0.1: "that is the probability of the right class; the loss is minus its logarithm",
            log(2): "that would be for two classes",
            0.9: "that is 1 minus the probability; the loss is minus the logarithm of it",
            1: "that is a logarithm to the base 10; log stands for the natural one",
            10: "that is one over the probability; take the logarithm",
            0: "equal scores are no certainty: which probability does the right class get?",
        },
        "lowest loss": {
            0: "that takes scores which are far apart; the numbers that arrive are all between 0 and 1",
            log(3): "that is for equal scores; the best that can arrive is 1 for the right class and 0 for the others",
            log(exp(1) + 1) - 1: "there are two wrong classes, not one",
            exp(1) / (exp(1) + 2): "that is the probability of the right class; the loss is minus its logarithm",
            1: "what arrives at best is (1, 0, 0), as scores: take their softmax once more",
        },
    },
    hints=[
        "(1) Of 10 equal scores each class gets the probability 1/10.",
        "(2) The best output of a softmax is (1, 0, 0). As scores, these go through a second softmax.",
        "(2) exp(1) / (exp(1) + 1 + 1) is the probability then.",
    ],
    solution="(1) -log(1/10) = log(10). (2) -log(e / (e + 2)): the loss seems stuck, and nothing crashes.",
)

slopes_with_penalties = Exercise(
    "The data loss has the slope 1.5 by a weight w = -4. Which slope does the step use, if (1) "
    "0.05 * nn.l1_penalty([w]) is added to the loss, (2) 0.05 * nn.l2_penalty([w]) is added instead, (3) neither "
    "is added, but the optimiser has weight_decay=0.05?",
    {"l1": 1.45, "l2": 1.1, "weight_decay": 1.3},
    mistakes={
        "l1": {
            1.55: "w is negative: in which direction does |w| grow?",
            1.3: "the slope of |w| is its sign, not w",
            1.7: "that adds the penalty; its slope was asked for",
            -0.05: "that is the penalty alone: slopes of a sum add up",
        },
        "l2": {
            1.3: "l2_penalty is the sum of squares without a 1/2: what is the slope of w²?",
            1.9: "w is negative, and so is 2 w",
            2.3: "that adds the penalty; its slope was asked for",
            -0.4: "that is the penalty alone: slopes of a sum add up",
        },
        "weight_decay": {
            1.1: "weight_decay stands for λ/2 times the sum of squares: what does the 1/2 make of 2 w?",
            1.7: "w is negative",
            1.5: "weight_decay changes the gradient that the optimiser uses",
            -0.2: "that is the penalty alone: it is added to the gradient of the data loss",
        },
    },
    hints=[
        "The slope of a sum is the sum of slopes: 1.5, plus λ times the slope of the penalty.",
        "|w| has the slope -1 at w = -4, w² has 2 w, and weight_decay adds λ w.",
    ],
    solution="1.5 + 0.05 · (-1); 1.5 + 0.05 · 2 · (-4); 1.5 + 0.05 · (-4).",
)
