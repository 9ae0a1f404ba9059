"""Questions of notebook 6: one node or four, rules of one's own, and losses in one piece."""

from __future__ import annotations

from math import exp as exp_of
from math import log as log_of
from math import tanh as tanh_of
from typing import TYPE_CHECKING

from ..exercises import Exercise
from ..functions import logsumexp
from ..rules import exp, sigmoid
from ..value import Value

if TYPE_CHECKING:
    from collections.abc import Sequence

in_pieces = Exercise(
    "tanh(x) is (e - 1) / (e + 1) with e = exp(2 * x). At x = 400 tanh is 1, to all digits. "
    'What comes out if Python computes the pieces one by one? Answer `"1"`, `"nan"` or `"error"`, with the quotes.',
    "error",
    mistakes={
        "1": "that is the true value; but to come to it, e has to be held in a float",
        "nan": "infinity / infinity would be nan. Does Python come so far? How large is exp(800)?",
        "OverflowError": "you know more than was asked: answer with one of the three",
        "an error": "answer with one of the three, as they stand there",
    },
    hints=["Which number is computed first?", "The largest float is about 1.8e308. exp(800) has 348 digits."],
    solution="exp(800) is larger than any float, and `math.exp` stops with an OverflowError.",
)

best_central_step = Exercise(
    "You check a gradient by central differences, (f(x + h) - f(x - h)) / (2 h). All numbers are of ordinary size. "
    "Which step is best: 1e-1, 1e-5 or 1e-12?",
    1e-5,
    mistakes={
        1e-12: "think of the V-shaped curve: how many digits of f(x + h) and f(x - h) differ with so small a step?",
        1e-1: "think of the V-shaped curve: the error of the formula goes with h * h, which here is 1e-2",
    },
    hints=[
        "A central difference has two errors: one grows with h, the other one as h gets smaller.",
        "The error of the formula is about h * h, that of rounding about 1e-16 / h. Compute both for each step.",
    ],
    solution="h * h and 1e-16 / h: 1e-2 and 1e-15; 1e-10 and 1e-11; 1e-24 and 1e-4. The sum is smallest at 1e-5.",
)

_x = Value(2.0, "x")
_n = -_x
_n.label = "n"
_e = exp(_n)
_e.label = "e"
_d = 1 + _e
_d.label = "d"
_s = 1 / _d
_s.label = "s"

sigmoid_in_four = Exercise.of_gradients(
    _s,
    [_d, _e, _n, _x],
    question="The sigmoid at x = 2, in four nodes. Find the gradients of s by d, e, n and x by hand, in this order. "
    "You may type formulas, such as `math.exp(-2)`; else give four digits.",
)

_w0, _x0, _w1, _x1, _w2 = (
    Value(number, name) for number, name in ((2.0, "w0"), (-1.0, "x0"), (-3.0, "w1"), (-2.0, "x1"), (-3.0, "w2"))
)
_z = _w0 * _x0 + _w1 * _x1 + _w2
_z.label = "z"
_f = sigmoid(_z)
_f.label = "f"

sigmoid_neuron = Exercise.of_gradients(
    _f,
    [_w0, _x0, _w1, _x1, _w2],
    question="Find the five gradients of this neuron by hand, in the order w0, x0, w1, x1, w2. "
    "The slope of the sigmoid is f * (1 - f). Three digits.",
)

tanh_rule = Exercise.of_function(
    "Write the local derivative of tanh as a rule for a primitive: `tanh_rule(x, out)`, where x is the operand and "
    "out = tanh(x). It need not use both of them.",
    lambda x, out: 1 - out * out,
    [(0.5, tanh_of(0.5)), (-1.2, tanh_of(-1.2)), (0.0, 0.0)],
    mistakes={
        "you squared the operand; the slope of tanh is written with its output": lambda x, out: 1 - x * x,
        "one square is missing": lambda x, out: 1 - out,
        "that is the value of tanh, not its slope": lambda x, out: out,
        "that is the slope of the sigmoid in terms of its output": lambda x, out: out * (1 - out),
        "the square alone: where is it subtracted from?": lambda x, out: out * out,
        "tanh rises everywhere: its slope is positive": lambda x, out: out * out - 1,
        "the rule gives the local derivative only; the engine multiplies": lambda x, out: out * (1 - out * out),
    },
    hints=[
        "tanh(x) = (e - 1) / (e + 1) with e = exp(2 x). Its slope is 4 e / (e + 1) ** 2.",
        "Write 1 - tanh(x) ** 2 with e, and compare.",
    ],
    solution="def tanh_rule(x, out):\n    return 1 - out * out",
)

_E = exp_of(2 * 0.8813735870195432)  # 3 + 2 sqrt(2)

adjoint_of_e = Exercise(
    "In o = (e - 1) / (e + 1) the node e is used twice. At e = 5.828427 (which is 3 + 2 * sqrt(2)), what is the "
    "gradient of o by e? Four digits.",
    2 / (_E + 1) ** 2,
    mistakes={
        1 / (_E + 1): "that is what comes back through e - 1; e is used in the denominator, too",
        -(_E - 1) / (_E + 1) ** 2: "that is what comes back through e + 1; e is used in the numerator, too",
        1 / (_E + 1) + (_E - 1) / (_E + 1) ** 2: "the contribution of the denominator has a minus sign",
        1: "e - 1 and e + 1 both move one for one; what does the division do with that?",
        0.5: "that is the gradient by n, where e = exp(2 n)",
        (_E - 1) / (_E + 1): "that is the value of o",
    },
    hints=[
        "Numerator u = e - 1, denominator v = e + 1, o = u / v: the local derivatives are 1 / v and -u / v ** 2.",
        "e hears from u and from v, and both hand on their gradient unchanged. Add.",
    ],
    solution="u = 4.828427, v = 6.828427: 1 / v - u / v ** 2 = 0.146447 - 0.103553.",
)

_SCORES = (1.0, 2.0, 0.5)
_TOTAL = sum(map(exp_of, _SCORES))
_A1, _A2, _A3 = (exp_of(z) / _TOTAL for z in _SCORES)

second_class = Exercise(
    "The same scores, z = (1, 2, 0.5), but now the second class is right. Give the loss and its gradients by "
    "z1, z2, z3. Four digits.",
    {"loss": -log_of(_A2), "z1": _A1, "z2": _A2 - 1, "z3": _A3},
    mistakes={
        "loss": {
            -log_of(_A1): "that is the loss if the first class is right",
            -log_of(_A3): "that is the loss if the third class is right",
            _A2: "that is the probability of the right class; the loss is its negative logarithm",
            1 - _A2: "that is what is missing to 1; the loss is a logarithm",
        },
        "z1": {
            _A1 - 1: "y is 1 for the right class only",
            -_A1: "a - y, not y - a: raising a wrong score raises the loss",
            _A1 * (1 - _A1): "that is the slope of a1 by z1; the loss looks at a2",
            -_A1 * _A2: "that is the slope of a2 by z1; it is still to be multiplied by the slope of -log(a2)",
        },
        "z2": {
            _A2: "y is 1 for the right class: subtract it",
            1 - _A2: "a - y, not y - a: raising the right score lowers the loss",
            _A2 * (1 - _A2): "that is the slope of a2 by z2; it is still to be multiplied by the slope of -log(a2)",
            -1 / _A2: "that is the gradient by a2, not by z2",
        },
        "z3": {
            _A3 - 1: "y is 1 for the right class only",
            -_A3: "a - y, not y - a: raising a wrong score raises the loss",
            _A3 * (1 - _A3): "that is the slope of a3 by z3; the loss looks at a2",
            -_A3 * _A2: "that is the slope of a2 by z3; it is still to be multiplied by the slope of -log(a2)",
        },
    },
    hints=[
        "The probabilities a depend on the scores alone; they are those of the example above.",
        "The loss is -log(a2). The gradient is a - y, with y = (0, 1, 0).",
    ],
    solution="a = (0.231224, 0.628532, 0.140244), y = (0, 1, 0), gradient a - y, loss -log(0.628532).",
)


def _naive(zs: Sequence[float]) -> float:
    return log_of(sum(exp_of(z) for z in zs))


def _without_shift(zs: Sequence[float]) -> float:
    return logsumexp(zs) - max(zs)


stable_logsumexp = Exercise.of_function(
    "Write `stable_logsumexp(zs)`: log(exp(z1) + exp(z2) + ...) for a tuple of floats, without overflow. "
    "Use `math.exp` and `math.log`.",
    lambda zs: logsumexp(zs),
    [((1.0, 2.0, 0.5),), ((1000.0, 999.0),), ((-1000.0, -1001.0, -1000.5),)],
    mistakes={
        "what you took out of the sum has to come back in": _without_shift,
        "that is the largest of them: the others add a little": lambda zs: max(zs),
        "that is the logarithm of the sum of the scores themselves": lambda zs: log_of(abs(sum(zs))),
    },
    hints=[
        "exp(z) = exp(m) * exp(z - m) for any m. So log sum exp(z) = m + log sum exp(z - m).",
        "With m = max(zs), the largest exponent is 0, and exp(0) = 1.",
    ],
    solution=("def stable_logsumexp(zs):\n    m = max(zs)\n    return m + math.log(sum(math.exp(z - m) for z in zs))"),
)
