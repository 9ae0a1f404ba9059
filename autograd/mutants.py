"""Engines that are wrong in one place each: to hunt for the mistake, and to see that the grader finds it.

    MUTANTS["= for += in *"].engine()      # a class named Value, wrong
    print(MUTANTS["= for += in *"].change) # the line that was changed

Each is the engine of `reference_engine.py` with one piece of its text replaced. `EQUIVALENT` are changes that leave the
engine right, which the grader has to let pass.
"""

from __future__ import annotations

from importlib import import_module
from inspect import cleandoc, getsource
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from typing import Any


class Mutant(NamedTuple):
    """A change to the reference engine: in one of its methods, `old` becomes `new`."""

    name: str
    method: str
    old: str
    new: str

    @property
    def change(self) -> str:
        """What was changed, as in a diff."""
        old, new = (cleandoc(text).splitlines() for text in (self.old, self.new))
        return "\n".join([f"in {self.method}:", *(f"- {line}" for line in old), *(f"+ {line}" for line in new)])

    @property
    def source(self) -> str:
        """The text of the whole engine with the change."""
        text = source()
        start = text.index(f"\n{'' if self.method == 'as_value' else '    '}def {self.method}(")
        ends = [text.find(next_one, start + 1) for next_one in ("\n    def ", "\n\n\nclass ")]
        end = min((end for end in ends if end > 0), default=len(text))
        body = text[start:end]
        if self.old not in body:
            raise ValueError(f"the mutant {self.name!r} looks for text that {self.method} does not have: {self.old!r}")
        return text[:start] + body.replace(self.old, self.new) + text[end:]

    def engine(self) -> Any:
        """The class `Value` of the changed engine."""
        space: dict[str, Any] = {"__name__": f"mutant: {self.name}"}
        exec(compile(self.source, f"<mutant: {self.name}>", "exec"), space)
        return space["Value"]


def source() -> str:
    """The text of the reference engine."""
    return getsource(import_module("autograd.reference_engine"))


_SORTED = """\
        order, seen, waiting = list[Value](), set[Value](), [(self, False)]
        while waiting:
            node, operands_done = waiting.pop()
            if operands_done:
                order.append(node)
            elif node not in seen:
                seen.add(node)
                waiting.append((node, True))
                waiting.extend((operand, False) for operand in reversed(node._prev))
        return order
"""

_RECURSIVE = """\
        order, seen = list[Value](), set[Value]()

        def visit(node: Value) -> None:
            if node not in seen:
                seen.add(node)
                for operand in node._prev:
                    visit(operand)
                order.append(node)

        visit(self)
        return order
"""

_BREADTH_FIRST = """\
        order = [self]
        for node in order:
            order += [operand for operand in node._prev if operand not in order]
        return order[::-1]
"""

_PRE_ORDER = """\
        order, waiting = list[Value](), [self]
        while waiting:
            node = waiting.pop()
            if node not in order:
                order.append(node)
                waiting += reversed(node._prev)
        return order[::-1]
"""

_EVERY_VISIT = """\
        order, waiting = list[Value](), [self]
        while waiting:
            node = waiting.pop()
            order.append(node)
            waiting += reversed(node._prev)
        return order[::-1]
"""

_BY_VALUE = _SORTED.replace("node not in seen", "node.data not in seen").replace(
    "seen.add(node)", "seen.add(node.data)"
)

_SWEEP = """\
        self.grad += 1.0
        for node in reversed(order):
            node._backward()
"""

_EACH_PATH = """\
        def hand_on(node: Value, gradient: float) -> None:
            kept = {operand: operand.grad for operand in node._prev}
            total, node.grad = node.grad, gradient
            for operand in kept:
                operand.grad = 0.0
            node._backward()
            node.grad = total + gradient
            arrived = {operand: operand.grad for operand in kept}
            for operand, held in kept.items():
                operand.grad = held
            for operand, amount in arrived.items():
                hand_on(operand, amount)

        hand_on(self, 1.0)
"""

_ZEROING = """\
        for node in order:
            if node._prev:
                node.grad = 0.0
"""

_ADDED = "self.grad += out.grad\n            other.grad += out.grad"
_OWN_FACTOR = "self.grad += x * out.grad\n            other.grad += y * out.grad"
_MULTIPLIED = "self.grad += y * out.grad\n            other.grad += x * out.grad"

_ALL = (
    # Adding up
    Mutant("= for += in +", "__add__", _ADDED, _ADDED.replace("+=", "=")),
    Mutant("= for += in + (second operand)", "__add__", "other.grad += out.grad", "other.grad = out.grad"),
    Mutant("= for += in *", "__mul__", _MULTIPLIED, _MULTIPLIED.replace("+=", "=")),
    Mutant("= for += in -", "__sub__", "self.grad += out.grad", "self.grad = out.grad"),
    Mutant("= for += in /", "__truediv__", "self.grad += 1 / y", "self.grad = 1 / y"),
    Mutant("= for += in **", "__pow__", "self.grad += y", "self.grad = y"),
    Mutant("= for += in tanh", "tanh", "self.grad +=", "self.grad ="),
    # Sums and differences
    Mutant("+ forgets upstream", "__add__", "self.grad += out.grad", "self.grad += 1.0"),
    Mutant("+ forgets its second operand", "__add__", "other.grad += out.grad", "pass"),
    Mutant("+ hands on its value", "__add__", "self.grad += out.grad", "self.grad += out.data"),
    Mutant("+ halves the gradient", "__add__", _ADDED, _ADDED.replace("out.grad", "out.grad / 2")),
    Mutant("- loses its sign", "__sub__", "other.grad -= out.grad", "other.grad += out.grad"),
    Mutant("- forgets upstream", "__sub__", "other.grad -= out.grad", "other.grad -= 1.0"),
    Mutant("- swaps its operands", "__sub__", "self.data - other.data", "other.data - self.data"),
    Mutant("-x loses its sign backward", "__neg__", "self.grad += -out.grad", "self.grad += out.grad"),
    Mutant("-x forgets upstream", "__neg__", "self.grad += -out.grad", "self.grad += -1.0"),
    # Products and quotients
    Mutant("* takes its own factor", "__mul__", _MULTIPLIED, _OWN_FACTOR),
    Mutant("* forgets upstream", "__mul__", _MULTIPLIED, _MULTIPLIED.replace(" * out.grad", "")),
    Mutant("* forgets the other factor", "__mul__", _MULTIPLIED, _ADDED),
    Mutant("* adds upstream and factor", "__mul__", _MULTIPLIED, _MULTIPLIED.replace(" * ", " + ")),
    Mutant("* is twice as large", "__mul__", "self.grad += y", "self.grad += 2 * y"),
    Mutant("* turns the sign", "__mul__", "other.grad += x", "other.grad -= x"),
    Mutant("* takes out.data for out.grad", "__mul__", "y * out.grad", "y * out.data"),
    Mutant("* reads data that was changed", "__mul__", "y * out.grad", "other.data * out.grad"),
    Mutant("* counts a repeated operand once", "__mul__", "other.grad += x", "other.grad += (other is not self) * x"),
    Mutant("/ drops the square", "__truediv__", "y**2", "y"),
    Mutant("/ loses its sign", "__truediv__", "-x / y**2", "x / y**2"),
    Mutant("/ forgets upstream", "__truediv__", "-x / y**2 * out.grad", "-x / y**2"),
    Mutant("/ swaps its rules", "__truediv__", "1 / y * out.grad", "y * out.grad"),
    Mutant("/ drops the numerator", "__truediv__", "-x / y**2", "-1 / y**2"),
    Mutant("/ rounds down", "__truediv__", "Value(x / y", "Value(x // y"),
    # Powers
    Mutant("** drops the exponent", "__pow__", "self.grad += y * x", "self.grad += x"),
    Mutant("** keeps the exponent", "__pow__", "x ** (y - 1)", "x**y"),
    Mutant("** forgets upstream", "__pow__", "x ** (y - 1) * out.grad", "x ** (y - 1)"),
    Mutant("** drops the logarithm", "__pow__", "z * math.log(x)", "z"),
    Mutant("** reads data that was changed", "__pow__", "y * x ** (y - 1)", "y * self.data ** (y - 1)"),
    Mutant("** needs a positive base", "__pow__", "z = x**y", "z = math.exp(y * math.log(x))"),
    # Constants and reflected operators
    Mutant("constants become 1", "as_value", "else Value(x)", "else Value(1.0)"),
    Mutant("constants become whole", "as_value", "else Value(x)", "else Value(int(x))"),
    Mutant("constants are forgotten", "as_value", "else Value(x)", "else Value(0.0)"),
    Mutant("2 + x gives x", "__radd__", "return as_value(other) + self", "return self"),
    Mutant("2 - x is swapped", "__rsub__", "as_value(other) - self", "self - other"),
    Mutant("2 * x gives x", "__rmul__", "return as_value(other) * self", "return self"),
    Mutant("2 * x detaches x", "__rmul__", "as_value(other) * self", "Value(other * self.data)"),
    Mutant("2 / x is swapped", "__rtruediv__", "as_value(other) / self", "self / other"),
    Mutant("2 ** x is swapped", "__rpow__", "as_value(other) ** self", "self**other"),
    # Functions
    Mutant("relu is always open", "relu", "(x > 0) * out.grad", "out.grad"),
    Mutant("relu opens on the wrong side", "relu", "(x > 0)", "(x < 0)"),
    Mutant("relu takes its output", "relu", "(x > 0)", "out.data"),
    Mutant("relu forgets upstream", "relu", "(x > 0) * out.grad", "float(x > 0)"),
    Mutant("relu gives the absolute value", "relu", "max(x, 0.0)", "abs(x)"),
    Mutant("tanh drops the square", "tanh", "1 - t**2", "1 - t"),
    Mutant("tanh takes its operand", "tanh", "1 - t**2", "1 - self.data**2"),
    Mutant("tanh forgets upstream", "tanh", "(1 - t**2) * out.grad", "1 - t**2"),
    Mutant("exp takes its operand", "exp", "e * out.grad", "self.data * out.grad"),
    Mutant("exp follows the power rule", "exp", "e * out.grad", "self.data * math.exp(self.data - 1) * out.grad"),
    Mutant("exp forgets upstream", "exp", "e * out.grad", "e"),
    Mutant("log takes its output", "log", "1 / x", "1 / out.data"),
    Mutant("log forgets upstream", "log", "1 / x * out.grad", "1 / x"),
    # Order
    Mutant("inputs first", "backward", "in reversed(order)", "in order"),
    Mutant("breadth first", "nodes", _SORTED, _BREADTH_FIRST),
    Mutant("pre-order", "nodes", _SORTED, _PRE_ORDER),
    Mutant("a visit for every path", "nodes", _SORTED, _EVERY_VISIT),
    Mutant("each path by itself", "backward", _SWEEP, _EACH_PATH),
    Mutant("a recursive walk", "nodes", _SORTED, _RECURSIVE),
    Mutant("equal numbers are one node", "nodes", _SORTED, _BY_VALUE),
    Mutant("operands taken from the right end only", "nodes", "in reversed(node._prev)", "in node._prev[-1:]"),
    Mutant("the root does not hand on", "backward", "reversed(order)", "reversed(order[:-1])"),
    Mutant("one node is left out", "backward", "reversed(order)", "reversed(order[3:])"),
    # Start and zeroing
    Mutant("no seed", "backward", "self.grad += 1.0", "pass"),
    Mutant("the seed is the value", "backward", "self.grad += 1.0", "self.grad += self.data"),
    Mutant("no zeroing", "backward", _ZEROING + "        self.grad += 1.0", "        self.grad = 1.0"),
    Mutant("the root alone is zeroed", "backward", "if node._prev:", "if node is self:"),
    Mutant("leaves are zeroed too", "backward", "if node._prev:", "if True:"),
    Mutant("leaves alone are zeroed", "backward", "if node._prev:", "if not node._prev:"),
    Mutant("grad starts at 1", "__init__", "self.grad = 0.0", "self.grad = 1.0"),
    # Things forgotten
    Mutant("data is whole", "__init__", "float(data)", "float(int(data))"),
    Mutant("data is text", "__init__", "float(data)", "str(data)"),
    Mutant("no operands are kept by *", "__mul__", "Value(x * y, (self, other))", "Value(x * y)"),
    Mutant("operands are kept as a set", "__init__", "self._prev = operands", "self._prev = tuple(set(operands))"),
    Mutant("* returns nothing", "__mul__", "return out", "return None"),
    Mutant("* never sets its step", "__mul__", "out._backward = backward", "pass"),
    Mutant("* calls its step at once", "__mul__", "out._backward = backward", "backward()"),
    Mutant("backward never ends", "backward", _SWEEP, "        while True:\n            self.grad += 1.0\n"),
    Mutant("backward raises", "backward", "order = self.nodes()", 'raise NotImplementedError("your turn")'),
    Mutant("gradients are Values", "__mul__", "self.grad += y * out.grad", "self.grad += other * out.grad"),
    Mutant("gradients are rounded", "__mul__", "self.grad += y * out.grad", "self.grad += round(y * out.grad, 1)"),
)  # fmt: skip

#: Those that give a wrong number somewhere, raise, or do not end.
MUTANTS: dict[str, Mutant] = {mutant.name: mutant for mutant in _ALL}

#: Changes that leave an engine as right as it was, and why.
EQUIVALENT: dict[str, tuple[Mutant, str]] = {
    "factors in the other order": (
        Mutant("factors in the other order", "__mul__", "y * out.grad", "out.grad * y"),
        "a product does not mind",
    ),
    "exp computed again": (
        Mutant("exp computed again", "exp", "e * out.grad", "out.data * out.grad"),
        "the output is not set by anybody",
    ),
    "operands from the right": (
        Mutant("operands from the right", "nodes", "reversed(node._prev)", "node._prev"),
        "another topological order is as good",
    ),
    "relu open at 0": (
        Mutant("relu open at 0", "relu", "x > 0", "x >= 0"),
        "any number from 0 to 1 is right at the kink, where nothing is asked",
    ),
    "zeroing after the pass": (
        Mutant(
            "zeroing after the pass",
            "backward",
            _ZEROING + _SWEEP,
            _SWEEP + _ZEROING,
        ),
        "results are zeroed before the next pass, if not before this one; what they hold is not asked",
    ),
    "data kept as it was given": (
        Mutant("data kept as it was given", "__init__", "float(data)", "data"),
        "whole numbers are numbers too",
    ),
    "tanh's slope as a product": (
        Mutant("tanh's slope as a product", "tanh", "1 - t**2", "(1 - t) * (1 + t)"),
        "the same number, written otherwise",
    ),
}
