"""Is a gradient right? `gradcheck(f, [2.0, 3.0])` compares it with differences of f alone, and knows about kinks.

Reverse mode, forward mode and central differences are three ways to one number. A difference is taken with a sweep of
step sizes (small steps round off, large ones curve), and believed as far as neighbouring steps agree. Where the two
sides of a difference took different branches, at a relu or by an `if` in f, it tells nothing, and each side is judged
by itself.
"""

from __future__ import annotations

from math import inf, isfinite
from typing import TYPE_CHECKING, NamedTuple

from .graph import label_of, nodes
from .modes import Change
from .notation import number
from .scalars import as_number
from .steps import adjoints
from .structures import Structure, listed_inputs
from .transforms import jvp, refuse_no_function
from .value import Value

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

#: The widest step, relative to the larger of the input and 1; and the narrowest, relative to the smaller.
WIDEST, NARROWEST = 1e-2, 1e-7

#: Narrower steps, relative to the input, are lost in rounding. Of an input as small as the second, no pole is near.
ROUNDING, SMALLEST = 1e-11, 1e-10

#: Steps for one-sided differences beside a kink, relative to the size of the input.
BESIDE = 1e-5

#: An uncertainty of the difference above this part of it means that it does not tell.
UNCERTAIN = 1e-3

DISAGREE = "cannot tell: differences of different steps disagree"


class Row(NamedTuple):
    """One input."""

    name: str
    reverse: float
    forward: float
    numeric: float
    uncertainty: float  # of the numeric one
    verdict: str
    right: bool

    @property
    def error(self) -> float:
        """|reverse - numeric| / max(|reverse|, |numeric|), as in CS231n; 0 where both are 0."""
        size = max(abs(self.reverse), abs(self.numeric))
        return abs(self.reverse - self.numeric) / size if size else 0.0

    @property
    def error_from_one(self) -> float:
        """|reverse - numeric| / max(1, |reverse|, |numeric|), as in CS224n."""
        return abs(self.reverse - self.numeric) / max(1.0, abs(self.reverse), abs(self.numeric))


class GradcheckResult:
    """The verdicts, one for each input. It is true if all are right, and prints as a table."""

    def __init__(self, rows: list[Row]) -> None:
        self.rows = rows

    @property
    def worst(self) -> Row:
        """The input that is wrong by most; if all are right, the one with the largest error."""
        return max(self.rows, key=lambda row: (not row.right, row.error if row.error == row.error else inf))

    def __bool__(self) -> bool:
        return all(row.right for row in self.rows)

    def __str__(self) -> str:
        head = ["input", "reverse mode", "forward mode", "difference", "relative error", "from 1", "verdict"]
        lines = [head]
        for row in self.rows:
            numbers = [number(x) for x in (row.reverse, row.forward, row.numeric)]
            lines.append([row.name, *numbers, f"{row.error:.0e}", f"{row.error_from_one:.0e}", row.verdict])
        widths = [max(map(len, column)) for column in zip(*lines)]
        text = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip() for line in lines]
        right = sum(row.right for row in self.rows)
        summary = f"{right} of {len(self.rows)} right"
        return "\n".join([*text, summary if self else f"{summary}; the worst is {self.worst.name}"])

    __repr__ = __str__


def gradcheck(
    f: Callable[..., Any], inputs: Sequence[Any], *, rtol: float = 1e-6, atol: float = 1e-9
) -> GradcheckResult:
    """Compare the gradient of `f` by reverse and by forward mode with differences of its numbers.

    At a kink, the derivative has to be the one that the table states, and on both sides that of the side.

    Args:
        f: a function of as many Values as there are inputs, that returns one.
        inputs: where; numbers, or lists and arrays of numbers for arguments that are such.
        rtol, atol: they agree if they differ by at most atol + rtol times the larger one, and what the difference
            itself is uncertain by.

    >>> from autograd import gradcheck, relu, sin
    >>> bool(gradcheck(lambda x, z: sin(x) * z, [2.0, 3.0]))
    True
    >>> gradcheck(lambda x: relu(x), [0.0])
    input  reverse mode  forward mode  difference  relative error  from 1  verdict
    1      0             0             0.5         1e+00           5e-01   right: kink of relu, 0 and 1 beside it
    1 of 1 right
    """
    refuse_no_function(f, "gradcheck", "gradcheck(f, [3.0])")
    structure = Structure(listed_inputs(inputs, "gradcheck"), "gradcheck")
    if not structure.leaves:
        raise ValueError("gradcheck takes at least one input")
    at = [leaf.data if isinstance(leaf, Value) else as_number(leaf, "gradcheck()") for leaf in structure.leaves]
    for value, role in ((rtol, "rtol"), (atol, "atol")):
        if not as_number(value, role) >= 0:
            raise ValueError(f"{role} is a tolerance, 0 or more; not {value!r}")
    check = _Check(f, structure, rtol, atol)
    return GradcheckResult([check.row(at, i) for i in range(len(at))])


class _Check:
    """One function at one place."""

    def __init__(self, f: Callable[..., Any], structure: Structure, rtol: float, atol: float) -> None:
        self._f = f
        self._structure = structure
        self._rtol, self._atol = rtol, atol

    def row(self, at: list[float], i: int) -> Row:
        """The verdict on input number `i`."""
        root, leaves = self._recorded(at)
        reverse = adjoints(root).get(leaves[i], 0.0)
        forward = self._forward(at, i)
        numeric, uncertainty, step = self._difference(at, i)
        verdict, right = self._verdict(at, i, reverse, numeric, uncertainty, step)
        if right and not _close(forward, reverse, self._rtol, self._atol):
            verdict, right = "WRONG: forward and reverse mode differ", False
        return Row(str(i + 1), reverse, forward, numeric, uncertainty, verdict, right)

    def _recorded(self, at: list[float]) -> tuple[Value, list[Value]]:
        leaves = [Value(x) for x in at]
        root = Change(no_grad=False).run(self._f, *self._structure.rebuilt(leaves))
        return (root if isinstance(root, Value) else Value(as_number(root, "the output of f"))), leaves

    def _value(self, at: list[float]) -> float:
        try:
            return self._recorded(at)[0].data
        except (ValueError, ArithmeticError):
            return float("nan")

    def _forward(self, at: list[float], i: int) -> float:
        along = self._structure.rebuilt([float(i == j) for j in range(len(at))])
        return float(jvp(self._f, self._structure.rebuilt(list(at)), along)[1])

    def _moved(self, at: list[float], i: int, by: float) -> list[float]:
        return [x + by if j == i else x for j, x in enumerate(at)]

    def _difference(self, at: list[float], i: int) -> tuple[float, float, float]:
        """The central difference, how far it can be trusted, and the step: where neighbouring steps agree best."""
        steps = _steps(at[i])
        slopes = [self._slope(at, i, step) for step in steps]
        best = min(range(1, len(steps)), key=lambda k: _apart(slopes[k], slopes[k - 1]))
        return slopes[best], _apart(slopes[best], slopes[best - 1]), steps[best]

    def _slope(self, at: list[float], i: int, step: float) -> float:
        """The central difference over the step; nan where f has no value."""
        above, below = self._moved(at, i, step), self._moved(at, i, -step)
        return (self._value(above) - self._value(below)) / (above[i] - below[i])

    def _verdict(
        self, at: list[float], i: int, reverse: float, numeric: float, uncertainty: float, step: float
    ) -> tuple[str, bool]:
        here = _branches(self._recorded(at)[0])
        around = [self._branches_at(self._moved(at, i, by)) for by in (-step, step)]
        if None in around:
            return f"cannot tell: f has no value at {number(at[i])} ± {number(step)}", False
        if any(branches != here for branches in around):
            return self._verdict_at_kink(at, i, reverse, around)
        if not (isfinite(reverse) and isfinite(numeric)):
            return f"cannot tell: f or its derivative is not finite near {number(at[i])}", False
        tolerance = self._atol + self._rtol * max(abs(reverse), abs(numeric)) + uncertainty
        margin = self._atol + UNCERTAIN * max(abs(reverse), abs(numeric))
        if uncertainty > margin:
            return DISAGREE, False
        if abs(reverse - numeric) <= tolerance:
            return "right", True
        # Steps over many periods, or over a pole, may agree by accident: the narrowest has its say, too.
        narrowest = self._slope(at, i, _steps(at[i])[-1])
        return ("WRONG" if abs(narrowest - numeric) <= margin else DISAGREE), False

    def _branches_at(self, at: list[float]) -> list[tuple[str, Any]] | None:
        """None where f has no value."""
        try:
            return _branches(self._recorded(at)[0])
        except (ValueError, ArithmeticError):
            return None

    def _verdict_at_kink(
        self, at: list[float], i: int, reverse: float, around: list[list[tuple[str, Any]] | None]
    ) -> tuple[str, bool]:
        """Each side against its own branch, and the place itself against what the table states."""
        root, _ = self._recorded(at)
        where = _first_difference(_branches(root), *around)
        if wrong := _unlike_the_convention(root):
            return f"WRONG: a kink of {where}; {wrong}", False
        step = BESIDE * max(1.0, abs(at[i]))
        sides = []
        for sign in (-1, 1):
            middle, far = self._moved(at, i, sign * 2 * step), self._moved(at, i, sign * 3 * step)
            near = self._moved(at, i, sign * step)
            slope = (self._value(far) - self._value(near)) / (far[i] - near[i])
            if self._branches_at(middle) is None:
                return f"cannot tell: f has no value at {number(middle[i])}", False
            root, leaves = self._recorded(middle)
            own = adjoints(root).get(leaves[i], 0.0)
            if not _close(own, slope, 1e-4, 1e-6):
                side = "below" if sign < 0 else "above"
                return f"WRONG {side} a kink of {where}: {number(own)}, by difference {number(slope)}", False
            sides.append(own)
        beside = " and ".join(map(number, sides))
        return f"right: kink of {where}, {beside} beside it", True


def _steps(x: float) -> list[float]:
    """The widths of the differences at x, wide ones first. x may lie close to a pole, or far out in a wave."""
    size = abs(x) or 1.0
    step = WIDEST * max(1.0, size)
    narrowest = max(NARROWEST * min(1.0, max(SMALLEST, size)), ROUNDING * size)
    steps = []
    while step > 0.9 * narrowest:  # 0.9: a tenth of a tenth is not quite a hundredth
        steps.append(step)
        step /= 10
    return steps


def _apart(x: float, y: float) -> float:
    """How far these are apart; infinitely far, if one of them is no number."""
    return abs(x - y) if isfinite(x - y) else inf


def _close(x: float, y: float, rtol: float, atol: float) -> bool:
    return x == y or abs(x - y) <= atol + rtol * max(abs(x), abs(y)) or (x != x and y != y)


def _side(x: float, y: float = 0.0) -> int:
    return (x > y) - (x < y)


#: Which branch a primitive with kinks takes, from its operands: 0 is the kink itself.
BRANCHES: dict[str, Callable[..., Any]] = {
    **dict.fromkeys(("absolute", "sign", "step", "relu"), _side),
    **dict.fromkeys(("leaky_relu", "elu"), lambda x, _: _side(x)),
    **dict.fromkeys(("maximum", "minimum", "share"), _side),
    "where": lambda condition, x, y: condition > 0,
    "clip": lambda x, low, high: (_side(x, low), _side(x, high)),
}

#: The local derivatives that are stated for a kink (see the table of rules), None where there is no kink.
CONVENTIONS: dict[str, Callable[..., Sequence[float] | None]] = {
    **dict.fromkeys(("absolute", "sign", "step", "relu"), lambda x: [0.0] if x == 0 else None),
    "leaky_relu": lambda x, slope: [slope, min(x, 0.0)] if x == 0 else None,
    "elu": lambda x, alpha: [alpha, 0.0] if x == 0 else None,
    **dict.fromkeys(("maximum", "minimum"), lambda x, y: [0.5, 0.5] if x == y else None),
    "clip": lambda x, low, high: [1.0, 0.0, 0.0] if x in (low, high) and low < high else None,
}


def _numbers(node: Value) -> list[float]:
    return [x.data if isinstance(x, Value) else x for x in node.operands]


def _branches(root: Value) -> list[tuple[str, Any]]:
    """What was computed, and on which side of each kink: comparisons in the user's code change it too."""
    found = []
    for node in nodes(root):
        if node.primitive is not None:
            name = node.primitive.name
            constants = [not isinstance(x, Value) for x in node.operands]  # x * x and 2 * x are different branches
            found.append((name, (constants, BRANCHES[name](*_numbers(node)) if name in BRANCHES else None)))
    return found


def _first_difference(here: list[tuple[str, Any]], *around: list[tuple[str, Any]] | None) -> str:
    for branches in around:
        for own, other in zip(here, branches or []):
            if own[0] != other[0]:
                return "a comparison in f"
            if own[1][0] != other[1][0]:
                return "a comparison in f"
            if own != other:
                return own[0]
    return "a comparison in f"


def _unlike_the_convention(root: Value) -> str:
    """A node on its kink whose local derivatives are not the stated ones, in words; empty if there is none."""
    for node in nodes(root):
        primitive = node.primitive
        if primitive is None or primitive.name not in CONVENTIONS:
            continue
        stated = CONVENTIONS[primitive.name](*_numbers(node))
        for local, wanted in zip(node.local_derivatives, stated or ()):
            if local is not None and local != wanted:
                name = label_of(node) or primitive.name
                return f"the derivative of {name} is {number(local)} there, and {number(wanted)} is stated"
    return ""
