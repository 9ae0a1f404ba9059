"""The graphs that an engine is graded on: small programs whose gradients tell the usual mistakes apart.

    TRIALS[0].program       # what is run, with the class under test as `Value`
    TRIALS[0].look          # where to look if its numbers are wrong

The house graph and its kin come first, since few wrong engines survive them, then one program for each thing that an
engine has to know. What is right is what this library gives for the same program; tests hold that against closed forms.
"""

from __future__ import annotations

from typing import NamedTuple


class Trial(NamedTuple):
    """A program, and what is asked of it.

    `asked` are the numbers to be looked at, such as "a.grad"; `needs` the methods without which it cannot be run.
    """

    name: str
    program: str
    asked: str
    look: str
    about: str = ""  # trials about one thing are reported once
    needs: tuple[str, ...] = ()
    optional: bool = False  # an engine may do without
    drawn: str = ""  # a smaller program to draw instead

    @property
    def subject(self) -> str:
        """What it is about."""
        return self.about or self.name


def _numbers(names: str, *numbers: float) -> str:
    """`a, b = Value(2.0), Value(3.0)`."""
    return f"{names} = {', '.join(f'Value({number})' for number in numbers)}"


_A_B = _numbers("a, b", 2.0, 3.0)
_X = "x = Value(3.0)"
_HOUSE = "c = a * b\nd = c + a\ne = c * d\ne.backward()"
_FORK = "A node that is used twice hears from two consumers: what happens to the first number when the second arrives?"
_ORDER = "c is used by d and by e: when may c hand its gradient on, and does it know everything by then?"


def _program(*lines: str) -> str:
    return "\n".join(lines)


def _operator(
    name: str, expression: str, look: str, *needs: str, leaves: str = _A_B, optional: bool = False
) -> list[Trial]:
    """An operator alone, and in a product, so that what arrives at it is not 1."""
    grads = "a.grad b.grad" if leaves.startswith("a, b") else "x.grad"
    other = grads[0]
    alone = _program(leaves, f"c = {expression}", "c.backward()")
    used = _program(leaves, f"c = {expression}", f"y = c * {other}", "y.backward()")
    upstream = f"{look}{' And' if look.endswith('?') else ';'} what arrives at c is not 1 here: is it multiplied in?"
    return [
        Trial(name, alone, f"c.data {grads}", look, needs=needs, optional=optional),
        Trial(f"{name} in a product", used, f"c.data y.data {grads}", upstream, needs=needs, optional=optional),
    ]


def _constant(expression: str, look: str, needs: str, start: float = 3.0, *, optional: bool = False) -> Trial:
    """An operator with a plain number on one side."""
    program = _program(f"x = Value({start})", f"y = {expression}", "y.backward()")
    methods = tuple(dict.fromkeys((needs, needs.replace("__r", "__"))))  # a reflected operator is made of the other one
    return Trial(f"{expression} at {start:g}", program, "y.data x.grad", look, needs=methods, optional=optional)


def _function(name: str, at: float, look: str) -> list[Trial]:
    """A function of one operand, alone and in a product."""
    return _operator(f"{name} at {at:g}", f"x.{name}()", look, name, leaves=f"x = Value({at})", optional=True)


_CONSTANT = "a plain number beside a Value: it becomes a constant of that very number, and has no gradient to ask for"
_REFLECTED = "the plain number stands on the left here: which operand comes first in what Python calls then?"

FIRST = [
    Trial("the house graph", _program(_A_B, _HOUSE), "c.data d.data e.data a.grad b.grad", f"{_ORDER} {_FORK}"),
    Trial(
        "its twin with e = d * c",
        _program(_A_B, _HOUSE.replace("c * d", "d * c")),
        "c.data d.data e.data a.grad b.grad",
        f"the same graph with the operands of e swapped. {_ORDER}",
    ),
    Trial(
        "equal numbers doubled",
        _program(_numbers("x, t", 1.0, 2.0), "p = x + x", "q = x * t", "r = p * q", "r.backward()"),
        "p.data q.data r.data x.grad t.grad",
        "p, q and t hold the same number and are three nodes; x stands twice in p. Are nodes told apart by what they "
        "are, or by what they hold?",
    ),
    Trial(
        "a long path and a short one",
        _program(_X, "p = x * x", "y = p + x", "y.backward()"),
        "p.data y.data x.grad",
        "three arrows leave x, two of them into one product: each of them hands something back",
    ),
]

OPERATORS = [
    *_operator("a + b", "a + b", "how much does a sum move per unit of each operand?", "__add__"),
    *_operator("a * b", "a * b", "how much does a product move per unit of each factor?", "__mul__"),
    *_operator("a - b", "a - b", "how much does a difference move per unit of its second operand?", "__sub__"),
    *_operator(
        "a / b",
        "a / b",
        "a quotient falls when its denominator grows, and by what the numerator and the square of the denominator say",
        "__truediv__",
        leaves=_numbers("a, b", 3.0, 2.0),
    ),
    *_operator("-x", "-x", "how much does -x move per unit of x?", "__neg__", leaves=_X),
]

CONSTANTS = [
    _constant("x + 2", _CONSTANT, "__add__"),
    _constant("2 + x", _REFLECTED, "__radd__"),
    _constant("x - 2", _CONSTANT, "__sub__"),
    _constant("2 - x", _REFLECTED, "__rsub__"),
    _constant("x * 4", _CONSTANT, "__mul__"),
    _constant("4 * x", _REFLECTED, "__rmul__"),
    _constant("x / 4", _CONSTANT, "__truediv__"),
    _constant("4 / x", _REFLECTED, "__rtruediv__"),
    _constant("x * 0.5", "a constant that is no whole number", "__mul__"),
    *_operator("x ** 3", "x ** 3", "the rule of a power has a factor and a lower exponent", "__pow__", leaves=_X),
    _constant("x ** 2", "a negative base: no logarithm is needed for a plain exponent", "__pow__", -3.0),
    _constant("x ** -2", "a negative exponent follows the same rule", "__pow__"),
    _constant("x ** 0.5", "a broken exponent follows the same rule", "__pow__"),
    _constant("2 ** x", _REFLECTED + " And an exponent has a rule of its own", "__rpow__", optional=True),
    Trial(
        "a ** b",
        _program(_A_B, "c = a ** b", "y = c * a", "y.backward()"),
        "c.data y.data a.grad b.grad",
        "an exponent that is a Value has a gradient too: how much does a power move per unit of its exponent?",
        needs=("__pow__",),
        optional=True,
    ),
    Trial(
        "sum of a list",
        _program(_A_B, "y = sum([a, b, a])", "y.backward()"),
        "y.data a.grad b.grad",
        "sum() starts with the plain number 0, and adds a to it",
        needs=("__radd__",),
    ),
    Trial(
        "whole numbers",
        _program("a, b = Value(2), Value(3)", "c = a * b", "y = c + a", "y.backward()"),
        "y.data a.grad b.grad",
        "Value(2) is as good as Value(2.0)",
    ),
    Trial(
        "broken numbers",
        _program(_numbers("a, b", -0.25, 1.5), "c = a * b", "y = c + b", "y.backward()"),
        "y.data a.grad b.grad",
        "numbers between the whole ones, and below 0",
    ),
]

FUNCTIONS = [
    *_function("relu", 3.0, "relu is open where its operand is positive"),
    *_function("relu", -2.0, "relu is closed where its operand is negative"),
    *_function("tanh", 0.5, "the slope of tanh is made of its output"),
    *_function("exp", 0.5, "what is the slope of exp, in terms of its output?"),
    *_function("log", 2.0, "what is the slope of log, in terms of its operand?"),
]

FORKS = [
    Trial(
        "x + x",
        _program(_X, "y = x + x", "y.backward()"),
        "y.data x.grad",
        f"x stands twice in y. {_FORK}",
    ),
    Trial(
        "x * x",
        _program(_X, "y = x * x", "y.backward()"),
        "y.data x.grad",
        f"x stands twice in y. {_FORK}",
    ),
    Trial(
        "x - x",
        _program(_X, "y = x - x", "y.backward()"),
        "y.data x.grad",
        "x stands twice in y, once with a minus",
        needs=("__sub__",),
    ),
    Trial(
        "x / x",
        _program(_X, "y = x / x", "y.backward()"),
        "y.data x.grad",
        "x stands twice in y, above and below the line",
        needs=("__truediv__",),
    ),
    Trial(
        "the arrows of x * x",
        _program(_X, "y = x * x", "arrows = len(y._prev)"),
        "arrows",
        "a drawing follows _prev: there are two arrows from x to y, and does _prev remember both?",
        about="a repeated operand in drawings",
        needs=("_prev",),
        optional=True,
    ),
    Trial(
        "a diamond",
        _program(_A_B, "c = a * b", "p = c * a", "q = c + b", "y = p * q", "y.backward()"),
        "y.data a.grad b.grad",
        f"two paths leave c and meet again in y. {_FORK}",
    ),
    Trial(
        "a wide fork",
        _program(_A_B, "c = a * b", "p = c * c", "q = c * a", "r = p + q", "y = r + c", "y.backward()"),
        "y.data a.grad b.grad",
        "four arrows leave c: it may hand on when it has heard from all of them",
    ),
    Trial(
        "levels that are skipped",
        _program(_A_B, "c = a * b", "d = c * a", "e = d * b", "y = e * c", "y.backward()"),
        "y.data a.grad b.grad",
        "from y to c there is a short way and a long one: c has to wait for the long one",
    ),
]

PASSES = [
    Trial(
        "a root without operands",
        _program(_X, "x.backward()"),
        "x.grad",
        "the pass starts at the root: how much does it move per unit of itself?",
    ),
    Trial(
        "two roots",
        _program(_A_B, "y = a * b", "z = a + b", "y.backward()", "z.backward()"),
        "a.grad b.grad",
        "two passes over different graphs with the same leaves: the gradients of leaves add up until they are set to 0",
        about="leaves add up over passes",
    ),
    Trial(
        "a second backward()",
        _program(_A_B, _HOUSE, "e.backward()"),
        "a.grad b.grad",
        "two passes over the same graph give leaves twice the gradient, and no more: what do results still hold when "
        "the second pass begins?",
        about="a second backward()",
    ),
    Trial(
        "backward() after leaves were set to 0",
        _program(_A_B, _HOUSE, "a.grad = 0.0", "b.grad = 0.0", "e.backward()"),
        "a.grad b.grad",
        "the leaves start from 0 again: and the results between them and the root?",
        about="a second backward()",
    ),
    Trial(
        "two roots above one result",
        _program(_A_B, "c = a * b", "y = c * a", "z = c * b", "y.backward()", "z.backward()"),
        "a.grad b.grad",
        "c belongs to the graphs of y and of z: what does it still hold when the pass of z begins?",
        about="a second backward()",
    ),
    Trial(
        "data changed before backward()",
        _program("x, w = Value(2.0), Value(3.0)", "y = x * w", "w.data = 100.0", "y.backward()"),
        "x.grad w.grad",
        "y was computed with the old number: with which one does backward() multiply?",
        about="changed data",
    ),
    Trial(
        "data changed under a power",
        _program(_X, "y = x ** 3", "x.data = 10.0", "y.backward()"),
        "x.grad",
        "y was computed with the old number: from which one does backward() compute its rule?",
        about="changed data",
        needs=("__pow__",),
    ),
    Trial(
        "a training loop",
        _program(
            "w = Value(0.0)",
            "for step in range(3):",
            "    error = w - 3.0",
            "    loss = error * error",
            "    w.grad = 0.0",
            "    loss.backward()",
            "    w.data = w.data - 0.1 * w.grad",
        ),
        "w.data",
        "each round records a graph of its own, with the number that w has by then",
        about="a training loop",
        needs=("__sub__",),
    ),
    Trial(
        "a ladder of 25 doublings",
        _program(_X, "y = x", "for rung in range(25):", "    z = y + x", "    y = y + z", "y.backward()"),
        "y.data x.grad",
        "more than 33 million paths lead from x to y, over 51 nodes: is each node visited once, or for every path?",
        about="time",
        drawn=_program(_X, "y = x", "for rung in range(3):", "    z = y + x", "    y = y + z"),
    ),
    Trial(
        "a chain 2000 deep",
        _program(_X, "y = x", "for link in range(2000):", "    y = y + x", "y.backward()"),
        "y.data x.grad",
        "Python allows about 1000 calls inside one another: a walk that calls itself needs one for each node in a row",
        about="depth",
        drawn=_program(_X, "y = x", "for link in range(3):", "    y = y + x"),
    ),
]

#: All of them, in the order in which they are run.
TRIALS: list[Trial] = [*FIRST, *OPERATORS, *CONSTANTS, *FUNCTIONS, *FORKS, *PASSES]
