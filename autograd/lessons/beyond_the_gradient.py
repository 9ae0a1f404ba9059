"""Questions of notebook 13: second derivatives, Newton's method, forward mode, loops, cut branches, and memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..exercises import Exercise
from ..functions import sum
from ..rules import exp, sin
from ..transforms import grad, jvp

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

# ----- Recall and predict -----

weight_gradient = Exercise(
    "A layer computes `z = w * x` for each of 3 examples, x = 1, 2, 4, and the loss is the sum of the three z. "
    "What is the gradient of the loss by w?",
    7,
    mistakes={
        7 / 3: "that is for the mean over the examples",
        8: "that is the product of the inputs: what do contributions of several examples do?",
        4: "only the last example is in there",
        3: "each example's contribution is its x, not 1",
    },
    hints=["w is used three times. What arrives at a fork?"],
    solution="1 + 2 + 4 = 7: one contribution from each example, and they add up.",
)

second_derivative = Exercise(
    "y = x ** 3 at x = 3. The first derivative is 27. What is the second?",
    18,
    mistakes={
        27: "that is the first derivative, read a second time",
        0: "the first derivative does depend on x: what is it as a formula?",
        45: "what the first pass left is still in it",
        6: "that is the third derivative",
        9: "that is x squared",
    },
    hints=["The first derivative is 3 * x ** 2. It is a function of x like any other.", "6 * x, at x = 3."],
    solution="3 * x ** 2 has the derivative 6 * x: 18 at x = 3.",
)

# ----- Newton -----

newton_step = Exercise(
    "f(x) = 3 * x ** 2 - 12 * x + 1, and we are at x = 10. Where does one step of Newton's method lead?",
    2,
    mistakes={
        -38: "that is x minus the slope: a step of gradient descent, of size 1",
        10 - 181 / 48: "f over f' is Newton's method for f(x) = 0; here it is the slope that is to be 0",
        18: "the step goes down the slope: which sign has it?",
        8: "8 is how far the step goes",
        10 - 6 / 48: "that is upside down: slope over curvature",
    },
    hints=["The slope at 10 is 6 * 10 - 12 = 48, the curvature is 6.", "x minus slope over curvature."],
    solution="10 - 48 / 6 = 2, where the slope is 0. For a parabola one step is enough.",
)

# ----- Forward and reverse mode -----

passes = Exercise(
    "How many passes does each mode need for all derivatives of all outputs by all inputs? Fill in four numbers.",
    {
        "forward, 2 inputs and 1 output": 2,
        "reverse, 2 inputs and 1 output": 1,
        "forward, 1 input and 100 outputs": 1,
        "reverse, 1 input and 100 outputs": 100,
    },
    mistakes={
        "forward, 2 inputs and 1 output": {1: "a forward pass moves along one direction: one input at a time"},
        "reverse, 2 inputs and 1 output": {2: "a backward pass starts at one output and reaches every input"},
        "forward, 1 input and 100 outputs": {100: "the tangent of the one input reaches every output in one pass"},
        "reverse, 1 input and 100 outputs": {1: "a backward pass starts at one output; here are 100"},
    },
    hints=["Forward mode: one pass for each input. Reverse mode: one pass for each output."],
    solution="Forward mode takes a pass for each input, reverse mode one for each output. Learning has many inputs "
    "(the weights) and one output (the loss).",
)


def _bowl(v: Sequence[Any]) -> Any:
    return v[0] ** 2 * v[1] + v[1] ** 3


def _wave(v: Sequence[Any]) -> Any:
    return sin(v[0] * v[1]) + exp(v[1])


def _spring(v: Sequence[Any]) -> Any:
    return sum([(v[1] - v[0]) ** 2, 2 * (v[2] - v[1]) ** 4])


def _product(f: Callable[[Sequence[Any]], Any], at: list[float], direction: list[float]) -> Any:
    return jvp(grad(f), (at,), (direction,))[1]


hessian_times_vector = Exercise.of_function(
    "Write hessian_times_vector(f, at, direction): the Hessian of f at the list `at` times the list `direction`, as a "
    "list, without making the Hessian. `ag.grad(f)` is a function; `ag.jvp` tells how much a function moves along a "
    "direction.",
    _product,
    [
        (_bowl, [2.0, 3.0], [1.0, 2.0]),
        (_wave, [0.5, -1.0], [1.0, 1.0]),
        (_spring, [1.0, 3.0, 2.0], [0.0, 1.0, -1.0]),
    ],
    mistakes={
        "that is the gradient, which does not depend on the direction": lambda f, at, direction: grad(f)(at),
        "that is the slope of f along the direction: take that of grad(f)": lambda f, at, direction: jvp(
            f, (at,), (direction,)
        )[1],
        "two things come from jvp: the value and the tangent": lambda f, at, direction: jvp(
            grad(f), (at,), (direction,)
        ),
    },
    hints=[
        "The Hessian holds how each slope moves with each input. Times a direction: how each slope moves along it.",
        "jvp(g, (at,), (direction,)) gives the value of g and how much it moves. What is g here?",
    ],
    solution=(
        "def hessian_times_vector(f, at, direction):\n"
        "    gradient, change = ag.jvp(ag.grad(f), (at,), (direction,))\n"
        "    return change"
    ),
)

# ----- Loops, cuts, memory -----

slope_of_a_loop = Exercise(
    "The same kind of loop for the cube root: x = (2 * x + a / (x * x)) / 3, until x no longer moves. "
    "What is a.grad after backward(), for a = 8? (The loop ends at 2.)",
    1 / 12,
    mistakes={
        2: "that is the root itself: asked for is how much it moves when a moves",
        0.25: "that is for a square root that is 2",
        1 / 3: "the factor 1 / 3 is there; what of a ** (-2 / 3)?",
        12: "that is how a moves with the root: upside down",
        4 / 3: "the exponent is -2 / 3, not 2 / 3",
    },
    hints=["Whatever the loop does, it computes a ** (1 / 3).", "1 / 3 * a ** (-2 / 3), at a = 8."],
    solution="1 / (3 * 2 ** 2) = 1 / 12 = 0.0833333.",
)

cut_branch = Exercise(
    "y = x.detach() * x + x at x = 3. What is x.grad after y.backward()?",
    4,
    mistakes={
        7: "that is without the cut: the detached copy hands nothing on",
        1: "the product still has one operand that is x itself",
        3: "there is a second path to y, through the sum",
        0: "only one of three arrows is cut",
        12: "that is the value of y",
    },
    hints=["Treat x.detach() as the constant 3.", "y = 3 * x + x."],
    solution="With the copy as a constant, y = 3 * x + x, and the slope is 4.",
)

checkpoints = Exercise(
    "A chain of 400 steps, done as `with_checkpoints` does it: keep every 20th number, from the start on; record one "
    "stretch of 20 steps at a time on the way back. Count the numbers kept, the most steps recorded at once, and all "
    "steps computed, forward and again.",
    {"kept": 20, "recorded at once": 20, "steps computed": 800},
    mistakes={
        "kept": {
            400: "only every 20th is kept",
            19: "the start of each stretch is needed, the first one's too",
            21: "no stretch starts at the end",
        },
        "recorded at once": {400: "that is the whole chain; a stretch is recorded, used and dropped"},
        "steps computed": {
            400: "each step is computed twice: once without a graph, once with",
            420: "each stretch has 20 steps, and all stretches are computed again",
        },
    },
    hints=["400 / 20 stretches.", "First all steps without a graph; then, stretch by stretch, all of them again."],
    solution="20 stretches: 20 numbers kept, 20 steps recorded at a time instead of 400, and 400 + 400 steps computed. "
    "With stretches of the square root of n, memory grows like that root, and time doubles.",
)
