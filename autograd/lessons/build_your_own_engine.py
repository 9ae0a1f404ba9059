"""Questions of notebook 14: an engine in stages, each tested at once, and hunts for bugs in the engines of others."""

from __future__ import annotations

from functools import cache
from itertools import combinations
from math import isclose
from typing import TYPE_CHECKING, NamedTuple

from ..battery import TRIALS, Trial
from ..checks import central_difference
from ..exercises import Exercise
from ..feedback import NOTHING_YET, RIGHT, Feedback
from ..grader import grade, run, truth
from ..mutants import MUTANTS
from ..notation import one_line
from ..results import number_of, plain_lists, plainly
from ..scalars import with_article
from ..wording import ended, listed, sentence, six

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from types import CodeType
    from typing import Any

    from ..grader import Report
    from ..mutants import Mutant

_NAMED = {trial.name: trial for trial in TRIALS}


def _program(*lines: str) -> str:
    return "\n".join(lines)


# ----- Predict first -----

recall = Exercise(
    "From notebook 13: y = x ** 3 at x = 4 has the slope 48. What is the slope of the slope there?",
    24,
    mistakes={
        48: "that is the slope of y: differentiate it once more",
        16: "the slope is 3 x²: what is the slope of that?",
        6: "that is the third derivative: the slope of the slope of the slope",
        72: "what the first pass left is still in it",
        0: "the slope is no constant: it is 3 x²",
    },
    hints=["The slope at x is 3 x².", "And the slope of 3 x² is 3 · 2 x."],
    solution="y' = 3 x² = 48, y'' = 6 x = 24",
)


def _first_engine() -> Any:
    """The engine that most people write first: a recursive sort, and no zeroing."""
    recursive = MUTANTS["a recursive walk"]
    text = MUTANTS["no zeroing"].source.replace(recursive.old, recursive.new)
    return _named(text, "First engine")


def _named(text: str, name: str) -> Any:
    """The class of an engine's text; its names say nothing of how it was made."""
    space: dict[str, Any] = {"__name__": "engines"}
    exec(compile(text, f"<{name}>", "exec"), space)
    engine = space["Value"]
    engine.__name__ = engine.__qualname__ = name
    return engine


first_engine = _first_engine()

first_version = Exercise(
    "Somebody has written a first engine. It records operands, all local rules are right, backward() sorts by a "
    "function that calls itself, sets the root's grad to 1, and adds with += from the root to the leaves. "
    "Which of these does it get right? 1 for right, 0 for wrong, in this order: x * x; the house graph; the house "
    "graph with backward() called twice; a chain of 2000 sums.",
    {"x * x": 1, "the house graph": 1, "the house graph, backward() twice": 0, "a chain 2000 deep": 0},
    mistakes={
        "x * x": {0: "the two contributions to x are added, are they not?"},
        "the house graph": {0: "the order is topological, and += adds up"},
        "the house graph, backward() twice": {1: "what do c and d hold when the second pass begins? (notebook 4)"},
        "a chain 2000 deep": {1: "a function that calls itself once for each node in a row: how far? (notebook 4)"},
    },
    hints=["What does this engine never do, that notebook 4 asked for?", "How deep may calls go in Python?"],
    solution="Sorting and += make the first two right. Nothing is ever set to 0, and the sort is recursive.",
)


# ----- Stages -----


class Check(NamedTuple):
    """A program, the numbers that it is to come to, and where to look if it does not."""

    program: str
    wanted: Mapping[str, float]
    look: str
    recognised: Mapping[tuple[float, ...], str] = {}


class Stage:
    """Judges an engine that is being written: blanks first, then what it builds on, then its checks."""

    def __init__(self, methods: str, needs: str, checks: Sequence[Check | Trial]) -> None:
        self.methods, self.needs, self.checks = methods.split(), needs.split(), checks

    def __call__(self, engine: Any) -> Feedback:
        """What is missing, or wrong at the first check that fails, or that all is right."""
        if told := _unready(engine, self.methods, self.needs):
            return Feedback(False, told)
        for check in self.checks:
            trial = check if isinstance(check, Trial) else Trial("check", check.program, " ".join(check.wanted), "")
            wanted = truth(check) if isinstance(check, Trial) else check.wanted
            outcome = run(engine, trial)
            if told := outcome.trouble or _differing(outcome.numbers, wanted):
                seen = {} if isinstance(check, Trial) else check.recognised
                usual = seen.get(tuple(outcome.numbers.get(name, 0.0) for name in wanted), "") if seen else ""
                program = [f"    {line}" for line in trial.program.splitlines()]
                look = "" if told.endswith("`return` missing?") else f" {sentence(usual or check.look)}"
                return Feedback(False, "Not yet:", *program, ended(told) + look)
        return Feedback(True, RIGHT)


def _differing(numbers: Mapping[str, float], wanted: Mapping[str, float]) -> str:
    wrong = [name for name, x in wanted.items() if not isclose(numbers[name], x, rel_tol=1e-9, abs_tol=1e-12)]
    return f"Here {listed([f'`{name}` is {six(numbers[name])}' for name in wrong])}" if wrong else ""


def _unready(engine: Any, methods: Sequence[str], needs: Sequence[str]) -> str:
    """Why an engine cannot be tested yet, in a sentence."""
    if not isinstance(engine, type):
        return "Give the class itself: check(Value)."
    if absent := [name for name in (*methods, *needs) if not callable(getattr(engine, name, None))]:
        return f"The class has no {listed(absent)} yet: run the cells above, too."
    blank = [name for name in methods if _is_blank(getattr(engine, name))]
    if len(blank) == len(methods):
        return NOTHING_YET
    if blank:
        return f"Still to be written: {listed(blank)}. Put your code where the ... is."
    if early := [name for name in needs if _is_blank(getattr(engine, name))]:
        return f"This stage uses {listed(early)}, which is not written yet: do the earlier stages first."
    return ""


def _is_blank(method: Any) -> bool:
    """Whether there are dots in a method, where an answer is to be."""
    code = getattr(method, "__code__", None)
    return code is not None and any(constant is ... for constant in _constants(code))


def _constants(code: CodeType) -> Iterator[Any]:
    for constant in code.co_consts:
        yield constant
        if hasattr(constant, "co_consts"):
            yield from _constants(constant)


_A_B = "a, b = Value(2.0), Value(3.0)"
_X = "x = Value(3.0)"

record = Exercise.of_judge(
    "Record: the sum and the product of two Values, with their number and their two operands in order.",
    Stage(
        "__add__ __mul__",
        "",
        [
            Check(_program(_A_B, "c = a * b"), {"c.data": 6}, "what is the number of a product?"),
            Check(_program(_A_B, "c = a + b"), {"c.data": 5}, "what is the number of a sum?"),
            Check(
                _program(_A_B, "c = a * b", "first, second = c._prev", "same = first is a and second is b"),
                {"first.data": 2, "second.data": 3, "same": 1},
                "a result keeps its operands themselves, in the order in which they were written",
            ),
            Check(
                _program(_A_B, "d = a + b", "first, second = d._prev", "same = first is a and second is b"),
                {"first.data": 2, "second.data": 3, "same": 1},
                "a result keeps its operands themselves, in the order in which they were written",
            ),
            Check(
                _program(_X, "y = x * x", "arrows = len(y._prev)"),
                {"y.data": 9, "arrows": 2},
                "`x` is used twice: both arrows are kept",
            ),
        ],
    ),
    hints=[
        "A result is a new Value: Value(number, operands).",
        "The operands are the pair (self, other).",
    ],
    solution=(
        "def __add__(self, other):\n"
        "    return Value(self.data + other.data, (self, other))\n\n"
        "def __mul__(self, other):\n"
        "    return Value(self.data * other.data, (self, other))"
    ),
)

local_rules = Exercise.of_judge(
    "Local rules: sum and product with their slopes, one for each operand.",
    Stage(
        "__add__ __mul__",
        "",
        [
            Check(
                _program(_A_B, "c = a * b", "by_a, by_b = c._slopes"),
                {"c.data": 6, "by_a": 3, "by_b": 2},
                "how much does a product move per unit of its first factor?",
                {
                    (6, 2, 3): "each factor's slope is the other factor",
                    (6, 1, 1): "those are the slopes of a sum",
                    (6, 6, 6): "the product itself is no slope: what is one factor multiplied by?",
                },
            ),
            Check(
                _program(_A_B, "d = a + b", "by_a, by_b = d._slopes"),
                {"d.data": 5, "by_a": 1, "by_b": 1},
                "how much does a sum move per unit of each operand?",
            ),
            Check(
                _program(_X, "y = x * x", "arrows, slopes = len(y._prev), len(y._slopes)", "left, right = y._slopes"),
                {"y.data": 9, "arrows": 2, "slopes": 2, "left": 3, "right": 3},
                "each of the two arrows has a slope of its own; they are not merged",
            ),
            Check(
                _program(_A_B, "c = a * b", "b.data = 100.0", "by_a, by_b = c._slopes"),
                {"by_a": 3, "by_b": 2},
                "slopes are plain numbers, taken when the operation is recorded; what is set later does not count",
            ),
        ],
    ),
    hints=[
        "The third argument of Value(...) is the pair of slopes.",
        "A product moves by other.data per unit of self. A sum moves one for one.",
    ],
    solution=(
        "def __add__(self, other):\n"
        "    return Value(self.data + other.data, (self, other), (1.0, 1.0))\n\n"
        "def __mul__(self, other):\n"
        "    return Value(self.data * other.data, (self, other), (other.data, self.data))"
    ),
)

_PLACES = (
    "place = {id(node): i for i, node in enumerate(order)}",
    "too_early = sum(place.get(id(x), -1) > place[id(node)] for node in order for x in node._prev)",
)
_HOUSE = (_A_B, "c = Value(6.0, (a, b), (3.0, 2.0))", "d = Value(8.0, (c, a), (1.0, 1.0))")
_E, _TWIN = "e = Value(48.0, (c, d), (8.0, 6.0))", "e = Value(48.0, (d, c), (6.0, 8.0))"
_AFTER = "`too_early` counts the arrows whose operand comes after its result: when may a node enter the list?"

order = Exercise.of_judge(
    "Order: nodes() lists all nodes that self depends on, self included, each once, operands before results.",
    Stage(
        "nodes",
        "",
        [
            Check(
                _program(_X, "order = x.nodes()", "count = len(order)"),
                {"count": 1},
                "a leaf depends on itself alone",
            ),
            Check(
                _program(*_HOUSE, _E, "order = e.nodes()", "count = len(order)", *_PLACES),
                {"count": 5, "too_early": 0},
                f"five nodes are wanted, each once. {_AFTER}",
                {(5, 6): "results stand before operands: put a node into the list after all that it is made of"},
            ),
            Check(
                _program(*_HOUSE, _TWIN, "order = e.nodes()", "count = len(order)", *_PLACES),
                {"count": 5, "too_early": 0},
                f"the house graph with the operands of e swapped. {_AFTER}",
            ),
            Check(
                _program(_X, "y = Value(9.0, (x, x))", "count = len(y.nodes())"),
                {"count": 2},
                "`x` is used twice, and is one node",
            ),
            Check(
                _program("a, b = Value(2.0), Value(2.0)", "c = Value(2.0, (a, b))", "count = len(c.nodes())"),
                {"count": 3},
                "three nodes that hold the same number: nodes are told apart by what they are, not by what they hold",
            ),
            Check(
                _program(
                    _X,
                    "y = x",
                    "for rung in range(25):",
                    "    y = Value(0.0, (y, y))",
                    "count = len(y.nodes())",
                ),
                {"count": 26},
                "more than 33 million paths lead through these 26 nodes: does the walk look where it has been?",
            ),
            Check(
                _program(
                    _X,
                    "y = x",
                    "for link in range(2000):",
                    "    y = Value(0.0, (y, x))",
                    "count = len(y.nodes())",
                ),
                {"count": 2001},
                "a function that calls itself needs one call for each node in a row: keep a list of what is to do",
            ),
        ],
    ),
    hints=[
        "Notebook 4 has it, in `sorted_by_a_loop`: a list of pairs (node, are its operands done?).",
        "Take a pair out. Done: append the node. Not done and not seen: remember it, put (node, True) back, and "
        "(operand, False) on top for each operand.",
    ],
    solution=(
        "def nodes(self):\n"
        "    order, seen, to_do = [], set(), [(self, False)]\n"
        "    while to_do:\n"
        "        node, operands_are_done = to_do.pop()\n"
        "        if operands_are_done:\n"
        "            order.append(node)\n"
        "        elif node not in seen:\n"
        "            seen.add(node)\n"
        "            to_do.append((node, True))\n"
        "            to_do += [(operand, False) for operand in reversed(node._prev)]\n"
        "    return order"
    ),
)

#: What e, a and b of the house graph get from an engine with a usual mistake.
_FINGERPRINTS: Mapping[tuple[float, ...], str] = {
    (1.0, 18.0, 12.0): "`=` stands where += should be: of several contributions the last one was kept",
    (1.0, 0.0, 0.0): "nothing arrives: nodes speak from the root on, and that is the end of nodes()",
    (0.0, 0.0, 0.0): "nothing arrives: how much does the root move per unit of itself?",
    (1.0, 4.0, 2.0): "slopes alone are handed on: times what the node holds",
    (1.0, 3.0, 2.0): "what the node holds is handed on unchanged: times the slope",
    (1.0, 30.0, 16.0): "`c` spoke before it had heard from d: is the list read from its end?",
    (48.0, 2304.0, 1344.0): "the root starts with its value: how much does it move per unit of itself?",
}

accumulate = Exercise.of_judge(
    "Accumulate: backward() gives the root 1, and lets all nodes speak, results before operands.",
    Stage(
        "backward",
        "nodes",
        [
            Check(_program(_X, "x.backward()"), {"x.grad": 1}, "how much does a root move per unit of itself?"),
            Check(
                _program(*_HOUSE, _E, "e.backward()"),
                {"e.grad": 1, "a.grad": 48, "b.grad": 28},
                "follow it by hand from e on: what does each node hold when it speaks?",
                _FINGERPRINTS,
            ),
            Check(
                _program(*_HOUSE, _TWIN, "e.backward()"),
                {"e.grad": 1, "a.grad": 48, "b.grad": 28},
                "the same graph with the operands of e swapped: does c wait for d?",
                _FINGERPRINTS,
            ),
            Check(
                _program(_X, "y = Value(9.0, (x, x), (3.0, 3.0))", "y.backward()"),
                {"x.grad": 6},
                "two arrows lead to x, and each of them hands something on",
            ),
            Check(
                _program(
                    _X,
                    "y = x",
                    "for link in range(2000):",
                    "    y = Value(0.0, (y, x), (1.0, 1.0))",
                    "y.backward()",
                ),
                {"x.grad": 2001},
                "2001 contributions of 1 arrive at x",
            ),
        ],
    ),
    hints=[
        "self.grad += 1.0, then go through reversed(self.nodes()).",
        "for operand, slope in zip(node._prev, node._slopes): what is added to operand.grad?",
    ],
    solution=(
        "def backward(self):\n"
        "    self.grad += 1.0\n"
        "    for node in reversed(self.nodes()):\n"
        "        for operand, slope in zip(node._prev, node._slopes):\n"
        "            operand.grad += slope * node.grad"
    ),
)

_TWO = ("e.backward()", "e.backward()")

zero = Exercise.of_judge(
    "Zero: results start each pass from 0; leaves keep what they have and add up.",
    Stage(
        "backward",
        "nodes",
        [
            Check(
                _program(*_HOUSE, _E, "e.backward()"),
                {"e.grad": 1, "a.grad": 48, "b.grad": 28},
                "one pass was right before: did something get lost?",
                _FINGERPRINTS,
            ),
            Check(
                _program(*_HOUSE, _E, *_TWO),
                {"a.grad": 96, "b.grad": 56},
                "two passes over one graph give leaves twice the gradient, and no more",
                {
                    (162.0, 96.0): "`c` and `d` still hold what they had after the first pass, and hand it on again",
                    (210.0, 124.0): "`c`, `d` and `e` still hold what the first pass left, and hand it on again",
                    (48.0, 28.0): "leaves were set to 0 too: they are to add up until somebody sets them to 0",
                    (144.0, 84.0): "`e` still holds the 1 of the first pass: the root is a result, too",
                },
            ),
            Check(
                _program(
                    *_HOUSE,
                    "y = Value(12.0, (c, a), (2.0, 6.0))",
                    "z = Value(18.0, (c, b), (3.0, 6.0))",
                    "y.backward()",
                    "z.backward()",
                ),
                {"a.grad": 21, "b.grad": 16},
                "`c` belongs to the graphs of y and of z: what does it still hold when the pass of z begins?",
            ),
        ],
    ),
    hints=[
        "A node is a result if it has operands: if node._prev.",
        "Set node.grad = 0.0 for all results first; then super().backward() does the rest.",
    ],
    solution=(
        "def backward(self):\n"
        "    for node in self.nodes():\n"
        "        if node._prev:\n"
        "            node.grad = 0.0\n"
        "    super().backward()"
    ),
)

_PLAIN = ["x + 2 at 3", "x * 4 at 3", "x * 0.5 at 3", "2 + x at 3", "4 * x at 3", "sum of a list", "a * b in a product"]
_FULL = "__add__ __mul__ nodes backward"

numbers_beside = Exercise.of_judge(
    "Numbers on both sides: x + 2, 2 + x, x * 4, 4 * x.",
    Stage("__add__ __mul__ __radd__ __rmul__", "nodes backward", [_NAMED[name] for name in _PLAIN]),
    hints=[
        "as_value(other) makes a Value of a plain number, and leaves a Value as it is.",
        "super().__add__(as_value(other)) does the rest. For 2 + x Python calls x.__radd__(2).",
    ],
    solution=(
        "def __add__(self, other):\n"
        "    return super().__add__(as_value(other))\n\n"
        "def __mul__(self, other):\n"
        "    return super().__mul__(as_value(other))\n\n"
        "def __radd__(self, other):\n"
        "    return as_value(other) + self\n\n"
        "def __rmul__(self, other):\n"
        "    return as_value(other) * self"
    ),
)

_OTHERS = """
    x ** 3 | x ** 3 in a product | x ** 2 at -3 | x ** -2 at 3 | x ** 0.5 at 3 | -x | -x in a product | a - b |
    a - b in a product | x - 2 at 3 | 2 - x at 3 | a / b | a / b in a product | x / 4 at 3 | 4 / x at 3 | 2 ** x at 3 |
    a ** b | x - x | x / x | relu at 3 | relu at -2 | relu at 3 in a product | tanh at 0.5 | tanh at 0.5 in a product |
    exp at 0.5 | exp at 0.5 in a product | log at 2 | log at 2 in a product
"""

more_operations = Exercise.of_judge(
    "More operations: ** - / and relu, tanh, log.",
    Stage(
        "__pow__ __neg__ __sub__ __truediv__ relu tanh log",
        f"{_FULL} exp __rsub__ __rtruediv__ __rpow__",
        [_NAMED[" ".join(name.split())] for name in _OTHERS.split("|")],
    ),
    hints=[
        "-x is x * -1, a - b is a + -b, and a / b is a * b ** -1: no new rules are needed for these.",
        "x ** n moves by n * x ** (n - 1) per unit of x. Per unit of n it moves by x ** n * log(x), if x is positive.",
        "The slope of tanh is 1 - t², where t is its output; that of log is 1 / x.",
        "The slope of relu is 1 where its operand is positive, else 0.",
    ],
    solution=(
        "def __pow__(self, other):\n"
        "    other = as_value(other)\n"
        "    x, n = self.data, other.data\n"
        "    by_n = x**n * math.log(x) if x > 0 else 0.0\n"
        "    return Value(x**n, (self, other), (n * x ** (n - 1), by_n))\n\n"
        "def __neg__(self):\n"
        "    return self * -1\n\n"
        "def __sub__(self, other):\n"
        "    return self + -as_value(other)\n\n"
        "def __truediv__(self, other):\n"
        "    return self * as_value(other) ** -1\n\n"
        "def relu(self):\n"
        "    return Value(max(self.data, 0.0), (self,), (float(self.data > 0),))\n\n"
        "def tanh(self):\n"
        "    t = math.tanh(self.data)\n"
        "    return Value(t, (self,), (1 - t * t,))\n\n"
        "def log(self):\n"
        "    return Value(math.log(self.data), (self,), (1 / self.data,))"
    ),
)


# ----- The numeric check -----


def _product_and_square(x: float, y: float) -> float:
    return x * x * y + y


def _cubic(x: float, y: float, z: float) -> float:
    return x**3 * z - y / z


def _difference(f: Callable[..., float], at: Sequence[float], i: int, h: float) -> float:
    return central_difference(f, *at, arg=i, eps=h)


def _moved(at: Sequence[float], i: int, step: float) -> list[float]:
    return [x + step * (place == i) for place, x in enumerate(at)]


difference = Exercise.of_function(
    "Write difference(f, at, i, h): the slope of f by its argument number i, at the numbers in the list `at`, by a "
    "central difference with the step h. f takes numbers, as f(*at), and gives a number.",
    _difference,
    [
        (_product_and_square, [3.0, 2.0], 0, 1e-3),
        (_product_and_square, [3.0, 2.0], 1, 1e-3),
        (_cubic, [1.5, -2.0, 0.5], 2, 1e-2),
    ],
    mistakes={
        "the distance between the two points is 2 h": lambda f, at, i, h: 2 * _difference(f, at, i, h),
        "that is a forward difference: go to both sides of the point": lambda f, at, i, h: (
            (f(*_moved(at, i, h)) - f(*at)) / h
        ),
        "only argument number i is to be moved": lambda f, at, i, h: (
            (f(*[x + h for x in at]) - f(*[x - h for x in at])) / (2 * h)
        ),
        "divide by the distance between the two points": lambda f, at, i, h: 2 * h * _difference(f, at, i, h),
        "argument number 0 is moved in each call: what is i for?": lambda f, at, i, h: _difference(f, at, 0, h),
        "arguments are numbered from 0": lambda f, at, i, h: _difference(f, at, i - 1, h),
    },
    hints=[
        "Make two copies of the list: up, down = list(at), list(at). Then move up[i] and down[i].",
        "(f(*up) - f(*down)) over the distance between the two points.",
    ],
    solution=(
        "def difference(f, at, i, h):\n"
        "    up, down = list(at), list(at)\n"
        "    up[i] += h\n"
        "    down[i] -= h\n"
        "    return (f(*up) - f(*down)) / (2 * h)"
    ),
)


# ----- The grade -----


class Graded(Feedback):
    """What the grader says of an engine, with its picture."""

    def __init__(self, report: Report) -> None:
        super().__init__(False)
        self.report = report

    def __str__(self) -> str:
        return str(self.report)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return self.report._repr_html_()


def _graded(engine: Any) -> Feedback:
    if told := _unready(engine, _FULL.split(), []):
        return Feedback(False, told if told != NOTHING_YET else "Nothing to grade yet: write the stages above first.")
    report = grade(engine)
    if not report:
        return Graded(report)
    if report.missing:
        return Feedback(True, f"Right. {report}")
    return Feedback(True, f"All {len(report.right)} graphs are right.")


whole = Exercise.of_judge(
    "Give your class to the grader.",
    _graded,
    hints=[
        "Repair the smallest wrong graph first: its program is in the report. Run it with your class, and print.",
        "Compare with autograd.reference_engine, which is right and on one screen.",
    ],
    solution="The stages above, and autograd/reference_engine.py for another way to write it.",
)


# ----- Bugs by graphs -----

#: Graphs that are often shown in class, then some of the battery.
GRAPHS: tuple[Trial, ...] = (
    Trial(
        "(x + y) * z at -2, 5, -4",
        _program("x, y, z = Value(-2.0), Value(5.0), Value(-4.0)", "q = x + y", "f = q * z", "f.backward()"),
        "x.grad y.grad z.grad",
        "",
    ),
    Trial("a * a at 3", _program("a = Value(3.0)", "y = a * a", "y.backward()"), "a.grad", ""),
    Trial(
        "(x * x) * y + (x + z), all 1",
        _program(
            "x, y, z = Value(1.0), Value(1.0), Value(1.0)",
            "p = x * x",
            "q = p * y",
            "r = x + z",
            "s = q + r",
            "s.backward()",
        ),
        "x.grad y.grad z.grad",
        "",
    ),
    *(
        _NAMED[name]
        for name in (
            "the house graph",
            "its twin with e = d * c",
            "equal numbers doubled",
            "levels that are skipped",
            "a diamond",
            "two roots above one result",
            "data changed before backward()",
        )
    ),
)

BUGS = (
    "= for += in +",
    "= for += in *",
    "+ forgets upstream",
    "* forgets upstream",
    "* takes its own factor",
    "* adds upstream and factor",
    "* counts a repeated operand once",
    "* takes out.data for out.grad",
    "inputs first",
    "breadth first",
    "pre-order",
    "a visit for every path",
    "equal numbers are one node",
    "no zeroing",
    "* reads data that was changed",
)


@cache
def bugs_by_graphs() -> dict[str, list[bool]]:
    """For each bug, whether each of `GRAPHS` shows it."""
    return {bug: [_shows(MUTANTS[bug].engine(), trial) for trial in GRAPHS] for bug in BUGS}


def _shows(engine: Any, trial: Trial) -> bool:
    outcome = run(engine, trial)
    return bool(outcome.trouble or _differing(outcome.numbers, truth(trial)))


def _covered(places: Sequence[int]) -> list[str]:
    """The bugs that none of the graphs shows."""
    return [bug for bug, shown in bugs_by_graphs().items() if not any(shown[place] for place in places)]


def _whole_numbers(answer: Any) -> list[float] | None:
    """The numbers of a list, each once; None for something else, or if one of them is not whole."""
    answer = plain_lists(answer)
    if not isinstance(answer, (list, tuple, set)):
        return None
    try:
        numbers = sorted({number_of(number) for number in answer})
    except (TypeError, ValueError, OverflowError):
        return None
    return numbers if all(number.is_integer() for number in numbers) else None


def _tests(answer: Any) -> Feedback:
    numbers = _whole_numbers(answer)
    if numbers is None:
        return Feedback(False, "Give a list of the numbers of graphs, such as [1, 2].")
    if unknown := [number for number in numbers if not 1 <= number <= len(GRAPHS)]:
        return Feedback(False, f"There is no graph {listed([*map(plainly, unknown)])}: they are 1 to {len(GRAPHS)}.")
    if left := _covered([int(number) - 1 for number in numbers]):
        more = f", and {len(left) - 1} more" * (len(left) > 1)
        return Feedback(False, f"Not yet: {left[0]!r} is shown by none of these{more}.")
    fewer = range(1, len(numbers))
    if any(not _covered(places) for size in fewer for places in combinations(range(len(GRAPHS)), size)):
        return Feedback(False, "Not yet: all bugs are shown, but fewer graphs can do it.")
    return Feedback(True, RIGHT)


fewest_tests = Exercise.of_judge(
    "Which graphs would you take as tests, as few as possible, so that each bug is shown by at least one of them? "
    "Give a list of their numbers.",
    _tests,
    hints=[
        "Begin with the bugs that one graph alone shows: that graph has to be among yours.",
        "Two bugs are shown by two or three graphs only. Is there one that shows both?",
        "Then count what is left, and look for one graph that shows all of it.",
    ],
    solution=(
        "9 and 10 are needed: nothing else shows 'no zeroing' and 'reads data that was changed'.\n"
        "3 shows both 'repeated operand' and 'equal numbers'; 4 shows all that is left. [3, 4, 9, 10]"
    ),
)


# ----- The hunt -----

_SUSPECTS = (
    "- forgets upstream",
    "leaves are zeroed too",
    "* counts a repeated operand once",
    "equal numbers are one node",
    "/ swaps its rules",
    "* reads data that was changed",
)

#: By letter: those of the suspects, and some that nobody made.
_CHANGES: dict[str, Mutant] = {
    letter: MUTANTS[name]
    for letter, name in zip(
        "ABCDEFGHIJ",
        (
            "leaves alone are zeroed",
            "/ swaps its rules",
            "- loses its sign",
            "* reads data that was changed",
            "equal numbers are one node",
            "= for += in *",
            "- forgets upstream",
            "leaves are zeroed too",
            "/ drops the square",
            "* counts a repeated operand once",
        ),
    )
}

#: The engines with a planted bug, by number.
suspects: dict[int, Any] = {
    number: _named(MUTANTS[name].source, f"Suspect {number}") for number, name in enumerate(_SUSPECTS, start=1)
}


def _short_change(mutant: Mutant) -> list[str]:
    """The lines that a change takes away and puts in, without those that stay."""
    old, new = mutant.old.splitlines(), mutant.new.splitlines()
    lines = [f"- {line.strip()}" for line in old if line not in new]
    return lines + [f"+ {line.strip()}" for line in new if line not in old]


def changes() -> str:
    """The changes to choose from, as text."""
    blocks = []
    for letter, mutant in _CHANGES.items():
        first, *rest = _short_change(mutant)
        blocks.append("\n".join([f"{letter}  {mutant.method:12} {first}", *(f"{'':16}{line}" for line in rest)]))
    return "\n".join(blocks)


@cache
def _verdicts(name: str) -> tuple[tuple[str, str], ...]:
    report = grade(MUTANTS[name].engine())
    return tuple((verdict.trial.name, verdict.told) for verdict in report.verdicts)


def _letter(name: str) -> str:
    return next(letter for letter, mutant in _CHANGES.items() if mutant.name == name)


def _hunt(answer: Any) -> Feedback:
    given = dict(enumerate(answer, start=1)) if isinstance(answer, (list, tuple)) else answer
    if not isinstance(given, dict) or set(given) - set(suspects):
        return Feedback(False, f"Give a dictionary with a letter for each suspect from 1 to {len(suspects)}.")
    told = []
    for number, name in enumerate(_SUSPECTS, start=1):
        given_letter = given.get(number, ...)
        letter = given_letter.strip().upper() if isinstance(given_letter, str) else ""
        if given_letter is ... or given_letter is None:
            told.append(f"  Suspect {number}: not answered")
        elif letter not in _CHANGES:
            told.append(f"  Suspect {number}: {_shown(given_letter)} is no letter from A to J")
        elif (change := _CHANGES[letter]).name != name:
            told.append(f"  Suspect {number}: {_unlike(name, change.name, letter)}")
    if not told:
        return Feedback(True, f"All {len(suspects)} are right.")
    return Feedback(False, f"{len(suspects) - len(told)} of {len(suspects)} right", *told)


def _shown(letter: Any) -> str:
    return one_line(repr(letter), 20) if isinstance(letter, str) else with_article(type(letter).__name__)


def _unlike(suspect: str, change: str, letter: str) -> str:
    """A graph on which an engine with the change does something else than the suspect."""
    for (trial, ours), (_, theirs) in zip(_verdicts(suspect), _verdicts(change)):
        if ours and theirs and ours != theirs:
            return f"not {letter}: for `{trial}` the suspect gets other numbers than an engine with {letter}"
        if ours != theirs:
            mine, other = ("wrong", "right") if ours else ("right", "wrong")
            return f"not {letter}: the suspect gets `{trial}` {mine}, and an engine with {letter} gets it {other}"
    return f"not {letter}"


hunt = Exercise.of_judge(
    "Which change was made in which suspect? Give a letter for each number.",
    _hunt,
    hints=[
        "Look at the program of the smallest wrong graph first: which operators are in it? And which graphs are right?",
        "Work out the wrong number by hand, with the change: x.grad of x - x, say, or a.grad of two passes.",
        "Equal numbers, an operand that stands twice, a second pass: what is special about the program?",
    ],
    solution=_program(*(f"{n}: {_letter(name)}, {name}" for n, name in enumerate(_SUSPECTS, start=1))),
)


# ----- Graphs that separate two bugs -----


def _separating(first: str, second: str, usual: str) -> Callable[[Any], Feedback]:
    def judge(graph: Any) -> Feedback:
        if not callable(graph):
            return Feedback(False, "Give the function itself, as in check(graph).")
        found = []
        for engine in (MUTANTS[first].engine(), MUTANTS[second].engine()):
            leaves: list[Any] = []

            def leaf(number: float, engine: Any = engine, leaves: list[Any] = leaves) -> Any:
                leaves.append(engine(number))
                return leaves[-1]

            try:
                root = graph(leaf)
                if root is ...:
                    return Feedback(False, NOTHING_YET)
                if root is None:
                    return Feedback(False, "The function gives None: is a `return` missing?")
                root.backward()
            except (Exception, SystemExit) as error:  # it is the student's code, and may do anything
                return Feedback(False, f"It stops with {type(error).__name__}: {one_line(str(error), 80)}")
            found.append([x.grad for x in leaves])
        if not found[0]:
            return Feedback(False, "No leaf was made: begin with x = Value(2.0), for example.")
        if all(isclose(x, y, rel_tol=1e-9, abs_tol=1e-12) for x, y in zip(*found)):
            same = listed([six(x) for x in found[0]])
            return Feedback(False, f"Not yet: the gradients of the leaves are {same} with both. {usual}")
        ours, theirs = (listed([six(x) for x in numbers]) for numbers in found)
        return Feedback(True, f"Right. With the first bug the leaves get {ours}, with the second {theirs}.")

    return judge


separate_forks = Exercise.of_judge(
    "In the first engine * hands on with = for +=. In the second * hands on once only if both operands are the same "
    "node. Write a graph that tells them apart: some leaf is to get different gradients.",
    _separating(
        "= for += in *",
        "* counts a repeated operand once",
        "Is there a node that two different products use?",
    ),
    hints=[
        "x * x does not do it: both give x one contribution of two.",
        "What if a node is used by two products, and stands in each of them once?",
    ],
    solution="x, y = Value(2.0), Value(3.0)\nreturn x * y + x * 4",
)

separate_orders = Exercise.of_judge(
    "The first engine lets nodes speak level by level from the root. The second lets them speak as a depth-first walk "
    "meets them, first operand first. Write a graph of + and * that tells them apart.",
    _separating(
        "breadth first",
        "pre-order",
        "In which graph is the order of speaking right for the one, and wrong for the other?",
    ),
    hints=[
        "The house graph does not do it: both let c speak before d.",
        "Let c be used by the root directly, and by a long path. Level by level, c comes too early.",
        "Now put the long path first: y = (a path of two steps down to c) * c. When does a depth-first walk meet c?",
    ],
    solution="a, b = Value(2.0), Value(3.0)\nc = a * b\nd = c + a\ne = d * b\nreturn e * c",
)
