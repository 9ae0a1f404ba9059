"""Questions of notebook 3: what one backward step does, numbers that are not finished yet, patterns, reuse, zeros."""

from __future__ import annotations

from ..exercises import Exercise
from ..origins import label_from
from ..rules import sigmoid
from ..value import Value

arrivals_at_c = Exercise(
    "The house graph at a = 2, b = 3, backward: first e hands its gradient on, then d, then c. "
    "What does c hold after e has done so? What does c hold in the end, and what a?",
    {"c after e": 8, "c in the end": 14, "a in the end": 48},
    mistakes={
        "c after e": {
            14: "at that moment d has handed on nothing yet",
            6: "e = c d: does e move by c or by d, per unit of c?",
            1: "that is the gradient of e; how much does e move per unit of c?",
            48: "that is the value of e; it is gradients that are handed on",
        },
        "c in the end": {
            8: "that is what e has handed on; d uses c, too",
            6: "that is what d hands on; it is added to what came from e",
            48: "that multiplies what comes from e by what comes from d: contributions add up",
        },
        "a in the end": {
            42: "that is what c hands on; d uses a, too",
            6: "that is what d hands on; c uses a, too",
            18: "was what d gives to c put in the place of what e had given?",
            24: "that is what c would hand on before it is complete; and d uses a, too",
            30: "c has handed on what it holds before it has heard from d",
            28: "that is the gradient of b",
        },
    },
    hints=[
        "e = c d gives c the other factor, d = 8. Who else uses c?",
        "d = c + a hands its own gradient, 6, to both c and a, unchanged.",
        "In the end, a has something from d and something from c, which is its whole gradient times b.",
    ],
    solution="c: 8 from e, then 8 + 6 with d. a: 6 from d, then 6 + 14 * 3 with c.",
)

slope_of_a_cube = Exercise(
    "y = x * x * x at x = 5. What is dy/dx?",
    75,
    mistakes={
        25: "that is one of the paths from x to y; how many arrows leave x?",
        50: "that is two of the paths from x to y; how many arrows leave x?",
        125: "that is the value of y",
        10: "that is the slope of x * x",
        15: "where is the square? the other factors of each x are x and x",
    },
    hints=[
        "Python reads (x * x) * x: three arrows leave x.",
        "Along each of the three paths the slopes multiply to 25.",
    ],
    solution="Three paths with 5 * 5 each. By rule: 3 x ** 2.",
)


def _handed(x: float, y: float, upstream: float) -> list[float]:
    return [upstream / y, -upstream * x / (y * y)]


backward_of_a_quotient = Exercise.of_function(
    "Write backward(x, y, upstream) of the node x / y: return the list of two numbers, what x and what y receive.",
    _handed,
    [(6.0, 3.0, 5.0), (-1.0, 4.0, 2.0), (2.5, -0.5, -3.0)],
    mistakes={
        "those are the local derivatives: multiply each by upstream": lambda x, y, upstream: [1 / y, -x / y**2],
        "the second has its sign turned: does x / y grow if y grows?": lambda x, y, upstream: [
            upstream / y,
            upstream * x / y**2,
        ],
        "is the denominator of the second squared?": lambda x, y, upstream: [upstream / y, -upstream * x / y],
        "the two are swapped: x comes first": lambda x, y, upstream: [-upstream * x / y**2, upstream / y],
        "those are the rules of a product": lambda x, y, upstream: [upstream * y, upstream * x],
        "upstream and local derivative are multiplied, not added": lambda x, y, upstream: [
            upstream + 1 / y,
            upstream - x / y**2,
        ],
        "where is x in the second?": lambda x, y, upstream: [upstream / y, -upstream / y**2],
    },
    hints=[
        "Per unit of x, x / y moves by 1 / y.",
        "x / y is x times y ** -1. The derivative of y ** -1 is -1 / y ** 2.",
    ],
    solution="def backward(x, y, upstream):\n    return [upstream / y, -upstream * x / y**2]",
)

ledger = Exercise(
    "u = x * y; v = u * x; w = v - u, at x = 3, y = 5, so u = 15, v = 45, w = 30. Backward, w hands on first, then v, "
    "then u. What does u hold after w has handed on, and after v has? What does x hold after v has? And x and y in the "
    "end?",
    {"u after w": -1, "u after v": 2, "x after v": 15, "x in the end": 25, "y in the end": 6},
    mistakes={
        "u after w": {
            1: "w = v - u: in which direction does w go if u grows?",
            2: "v has not handed on yet",
            0: "w uses u directly, too",
        },
        "u after v": {
            3: "that is what v hands on; w had given something before, and contributions add up",
            4: "w = v - u: what w gives u has a sign",
            14: "v = u x: does v move by u or by x, per unit of u?",
            -1: "v uses u: it adds something",
            -3: "that multiplies; contributions add up",
        },
        "x after v": {
            3: "v = u x: does v move by u or by x, per unit of x?",
            45: "that multiplies by the value of v; its gradient is 1",
            25: "u has not handed on yet",
        },
        "x in the end": {
            10: "that is what u hands on; what v has given stays",
            15: "u = x y uses x, too: it adds something",
            30: "was u.grad what v had given alone? w gave something before",
            21: "u = x y: does u move by x or by y, per unit of x?",
            20: "u.grad is not 1 when u hands on: w gave something, and v added to it",
            5: "that is a slope alone",
        },
        "y in the end": {
            10: "u = x y: does u move by x or by y, per unit of y?",
            9: "was u.grad what v had given alone? w gave something before",
            3: "that is a slope alone: multiply by u.grad",
            -3: "u had not heard from v yet",
        },
    },
    hints=[
        "w = v - u: v receives 1, u receives -1.",
        "v = u x with gradient 1: u receives x more, x receives u.",
        "u is complete now. u = x y: x receives u.grad times y more, y receives u.grad times x.",
    ],
    solution=(
        "w: v gets 1, u gets -1.\nv: u gets 1 * 3, -1 + 3 = 2; x gets 1 * 15.\nu: x gets 2 * 5, 15 + 10; y gets 2 * 3."
    ),
)

wrong_row = Exercise(
    "p = x + y; q = p * x; r = q * y, at x = 2, y = 3, so p = 5, q = 10, r = 30. "
    "Somebody kept this ledger. In one row a factor is wrong, and others suffer from it. Give the number of that row.\n"
    "  (1)  r.grad = 1    q.grad += 1 × 3 = 3      (0 → 3)\n"
    "  (2)                y.grad += 1 × 10 = 10    (0 → 10)\n"
    "  (3)  q.grad = 3    p.grad += 3 × 5 = 15     (0 → 15)\n"
    "  (4)                x.grad += 3 × 5 = 15     (0 → 15)\n"
    "  (5)  p.grad = 15   x.grad += 15 × 1 = 15    (15 → 30)\n"
    "  (6)                y.grad += 15 × 1 = 15    (10 → 25)",
    3,
    mistakes={
        1: "r = q y: per unit of q it moves by y, which is 3",
        2: "r = q y: per unit of y it moves by q, which is 10",
        4: "q = p x: per unit of x it moves by p, which is 5; this row is right",
        5: "a sum hands on what it has; this row does so with a number that came out wrong before",
        6: "a sum hands on what it has; this row does so with a number that came out wrong before",
    },
    hints=[
        "Check each row alone: is the first factor the gradient of the node on the left, and the second the slope?",
        "The slope of a product, by one factor, is the other factor.",
    ],
    solution="q = p x moves by x = 2 per unit of p, so p gets 3 * 2 = 6. x then ends with 21, and y with 16. The row:",
)

four_patterns = Exercise(
    "In each line p = 4, q = 6, and the gradient of t is -3. What is the gradient of p?\n"
    "  add:       t = p + q\n"
    "  max:       t = maximum(p, q)\n"
    "  multiply:  t = p * q\n"
    "  fork:      t = p * q, and also s = 5 p, whose gradient is 2",
    {"add": -3, "max": 0, "multiply": -18, "fork": -8},
    mistakes={
        "add": {
            -1.5: "a sum does not share its gradient out: both operands move it one for one",
            -12: "a sum does not multiply: per unit of p it moves by 1",
            -18: "that is what a product does",
            1: "that is the local derivative: multiply it by the gradient of t",
            3: "where has the sign gone?",
        },
        "max": {
            -3: "which of the two is larger? only that one moves the maximum",
            -1.5: "an even split is for a tie alone",
            -18: "that is what a product does",
        },
        "multiply": {
            -12: "per unit of p the product moves by the other factor",
            -3: "that is what a sum does; per unit of p the product moves by q",
            6: "that is the local derivative: multiply it by the gradient of t",
            3: "gradient and local derivative are multiplied, not added",
        },
        "fork": {
            -18: "that is what comes from t; s uses p, too",
            10: "that is what comes from s; t uses p, too",
            -16: "s = 5 p moves by 5 per unit of p: is that in?",
            28: "what comes from t is negative: where has the sign gone?",
            -180: "what comes from several consumers adds up",
            -28: "what comes from s is positive: where has the sign gone?",
            -2: "per unit of p the product moves by the other factor; what comes from s is right",
        },
    },
    hints=[
        "Each time: how much does t move per unit of p? Multiply that by -3.",
        "The maximum of 4 and 6 does not move if the 4 moves a little. The product moves by 6 per unit of p.",
        "At the fork, add what comes from t and what comes from s, 2 * 5.",
    ],
    solution="add: -3 * 1. max: -3 * 0, since q is larger. multiply: -3 * 6. fork: -18 + 2 * 5.",
)

ten_doublings = Exercise(
    "Ten doublings, y = y + y, starting from y = x. How many paths lead from x to the result? How many contributions "
    "does backward() make, one along each arrow?",
    {"paths": 1024, "contributions": 20},
    mistakes={
        "paths": {
            20: "that is the number of arrows; at each doubling one has the choice of two, again and again",
            100: "choices multiply: two, times two, times two ...",
            512: "there are ten doublings: 2 for one of them, 4 for two",
            2047: "that is how many calls the recursion makes",
            10: "each doubling has two arrows: how many ways are there through all ten?",
            1023: "for one doubling there are 2, for two there are 4",
        },
        "contributions": {
            10: "that is the number of steps; each sum has two operands",
            1024: "that is the number of paths; backward() goes over each arrow once",
            11: "that is the number of nodes; how many arrows are there?",
            22: "x has no operands",
            2046: "those are the arrows of all paths together; backward() goes over each arrow once",
        },
    },
    hints=["One doubling: 2 paths, 2 arrows. Two doublings: 4 paths, 4 arrows.", "Three doublings: 8 paths, 6 arrows."],
    solution="2 ** 10 paths; 2 * 10 arrows.",
)

why_zero = Exercise(
    "y = w * relu(x) + b, at w = 3, x = -2, b = 1. The gradients of w and x are 0. Why is that of w? "
    "Answer in the words of diagnose: blocked, saturated, multiplied by zero, or exact cancellation.",
    "multiplied by zero",
    mistakes={
        "blocked": "the relu blocks the way from y to x; does the way from y to w go through it?",
        "saturated": "that is said of sigmoid and tanh, far from 0",
        "exact cancellation": "how many contributions does w receive? one alone cannot cancel",
    },
    hints=["What is relu(-2)?", "How much does w * 0 move if w moves?"],
    solution="relu(-2) is 0, and w * 0 does not move with w: the slope is the other factor.",
)

_x, _y = Value(3.0, "x"), Value(-4.0, "y")
_s = sigmoid(_y)
_n = _x + _s
_t = sigmoid(_x)
_u = _x + _y
_v = _u**2
_d = _t + _v
_f = _n / _d
label_from({"s": _s, "n": _n, "t": _t, "u": _u, "v": _v, "d": _d, "f": _f})

staged = Exercise.of_gradients(
    _f,
    [_x, _y],
    question="f = (x + sigmoid(y)) / (sigmoid(x) + (x + y) ** 2) in stages. What are its gradients by x and y? "
    "The slope of sigmoid is s (1 - s), where s is its output. Three digits.",
)
