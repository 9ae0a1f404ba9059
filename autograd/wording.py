"""What steps say, in words and numbers: the line of the chain rule, and who waits for whom.

    x.grad += ∂y/∂a · ∂a/∂x = 404.854 × 3 = 1214.56   (−6.18 → 1208.38)

The REPL, the terminal, explanations and the page without scripts all say it with these words.
"""

from __future__ import annotations

import re
from collections import Counter
from itertools import islice
from textwrap import wrap
from typing import TYPE_CHECKING

from .notation import derivative_of, derivative_rules, equals, expression, number, one_line, shown

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from .steps import Contribution, Step
    from .value import Value

#: Lines are broken at this width, which any terminal has with room for an indent.
WIDTH = 77

#: A step shows as many contributions as this, a sentence as many names.
MOST_CONTRIBUTIONS = 8
MOST_LISTED = 5
MOST_ON_A_WAY = 12

DIGITS = 6


def step_told(step: Step) -> list[str]:
    """A step in a few lines: what the node is, then what it takes or hands on."""
    name = step.name[step.node]
    if step.phase == "forward" or step.adjoint is None:
        return _fitted(f"{name} = ", *computed(step))
    origin = f"the seed: {derivative_of(name, name)[0]}" if step.node is _root(step.name) else "complete"
    lines = [f"{name}.grad = {six(step.adjoint)}, {origin}"]
    shown_here = step.contributions[:MOST_CONTRIBUTIONS]
    rules = derivative_rules(step.node, [contribution.slot for contribution in shown_here], step.name)
    for contribution, rule in zip(shown_here, rules):
        lines += chain_rule(contribution)
        lines += wrapped(f"{_because(contribution, rule.plain)}; {waiting(contribution)}", indent=4)
    if (more := len(step.contributions) - MOST_CONTRIBUTIONS) > 0:
        lines.append(f"and {more} more contributions")
    return lines


def computed(step: Step) -> list[str]:
    """`x * z`, `= 2 * 3`, `= 6`: a node's expression in names, in numbers, and its value."""
    node, value = step.node, six(step.value)
    in_names = one_line(expression(node, step.name, DIGITS).plain, WIDTH - 10)
    numbers: dict[Any, str] = {x: six(number) for x, number in zip(node.operands, step.inputs) if type(x) is not float}
    in_numbers = one_line(expression(node, numbers, DIGITS).plain, WIDTH - 10)
    return [
        in_names,
        *[f"= {in_numbers}"] * (in_numbers.replace("-", "−") != value),
        f"{_equals_at_shown(step)} {value}",
    ]


def _equals_at_shown(step: Step) -> str:
    """= if the numbers shown give the value shown, else ≈."""
    primitive = step.node.primitive
    assert primitive is not None
    try:
        value = primitive.value([float(number(x, DIGITS)) for x in step.inputs])
    except Exception:  # the function may be the user's, at numbers that it never saw
        return "≈"
    return "=" if six(value) == six(step.value) else "≈"


def chain_rule(contribution: Contribution) -> list[str]:
    """What it adds to its operand's gradient, in names and in numbers, and what that was and becomes."""
    target = contribution.name[contribution.operand]
    return _fitted(f"{target}.grad += ", *product(contribution), accumulated(contribution))


def product(contribution: Contribution) -> list[str]:
    """`∂y/∂a · ∂a/∂x`, `= 404.854 × 3`, `= 1214.56`."""
    name = contribution.name
    root, consumer, operand = name[_root(name)], name[contribution.consumer], name[contribution.operand]
    upstream, local = contribution.upstream, contribution.local_derivative
    return [
        f"{derivative_of(root, consumer)[0]} · {derivative_of(consumer, operand)[0]}",
        f"= {six(upstream)} × {_factor(local)}",
        f"{equals(contribution.amount, DIGITS, upstream, local)} {six(contribution.amount)}",
    ]


def accumulated(contribution: Contribution) -> str:
    """`  (−6.18 → 1208.38)`: the operand's gradient before and after."""
    return f"  ({six(contribution.before)} → {six(contribution.after)})"


def waiting(contribution: Contribution) -> str:
    """How many consumers the operand has heard from, and which it still waits for."""
    name = contribution.name
    operand, count = name[contribution.operand], len(contribution.consumers)
    if not contribution.waiting:
        return f"{operand} is complete" + f" ({count} of {count})" * (count > 1)
    pending = islice(contribution.consumers, contribution.heard, contribution.heard + MOST_LISTED)
    times = Counter(name[consumer] for consumer in pending)
    several = [f"{consumer} ({many} times)" if many > 1 else consumer for consumer, many in times.items()]
    more = max(0, contribution.waiting - MOST_LISTED)
    return f"{operand} waits for {listed(several, more)} ({contribution.heard} of {count})"


def listed(names: Sequence[str], more: int = 0) -> str:
    """Names in a sentence: a few of them, and how many more there are."""
    few = names[:MOST_LISTED]
    more += len(names) - len(few)
    return ", ".join(few) + f" and {more} more" * bool(more)


def ended(words: str) -> str:
    """With a full stop, if it does not end in one or in a question mark."""
    return words if words[-1] in ".?" else f"{words}."


def sentence(words: str) -> str:
    """With a capital at its beginning and a full stop at its end."""
    return ended(words[:1].upper() + words[1:])


def arrows(names: Sequence[str]) -> str:
    """A way from node to node; the middle of a long one is left out."""
    return " → ".join(shortened(names, f"... {len(names) - MOST_ON_A_WAY + 1} more ..."))


def shortened(texts: Sequence[str], dots: str) -> Sequence[str]:
    """The texts along a way, with `dots` for the middle of a long one."""
    half = MOST_ON_A_WAY // 2
    return texts if len(texts) <= MOST_ON_A_WAY else [*texts[:half], dots, *texts[len(texts) - half + 1 :]]


def wrapped(text: str, indent: int = 0) -> list[str]:
    """A sentence in lines that fit, those after the first indented more."""
    start = " " * indent
    whole = re.sub(r"(?<=\d) (?=of \d+\))", "\u00a0", text)  # "(1 of 2)" is not broken
    lines = wrap(whole, WIDTH, initial_indent=start, subsequent_indent=start + "  ", break_on_hyphens=False)
    return [line.replace("\u00a0", " ") for line in lines]


def six(x: float) -> str:
    """A number as steps show it: six significant digits, a true minus."""
    return shown(x, DIGITS)


def _because(contribution: Contribution, rule: str) -> str:
    """`∂a/∂x = z`: the local derivative as a rule, in names."""
    symbol = contribution.symbol
    value = six(contribution.local_derivative)
    told = "" if rule.replace("-", "−") == value else f" = {one_line(rule, WIDTH - 30)}"
    return f"{symbol}{told} = {value}"


def _factor(x: float) -> str:
    return f"({six(x)})" if x < 0 else six(x)


def _fitted(start: str, *parts: str) -> list[str]:
    """`start` and the parts in one line, or in several that fit, the later ones indented."""
    line = start + " ".join(parts)
    if len(line) <= WIDTH:
        return [line]
    lines = wrapped(start + parts[0])
    for part in parts[1:]:
        if len(lines[-1]) + 1 + len(part) <= WIDTH and len(lines) > 1:
            lines[-1] += " " + part
        else:
            lines += wrapped(part, indent=4)
    return lines


def _root(name: dict[Value, str]) -> Value:
    """The root of the graph whose nodes are named: the last of its topological order."""
    return next(reversed(name.keys()))
