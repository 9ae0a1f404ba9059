"""The break-it lab: make this engine wrong on purpose, and see wrong next to right.

    with breaking("overwrites"):        # `=` for `+=`
        e.backward()                    # wrong gradients, as an engine with that mistake gives them
    print(compare(e, "breadth first"))  # every node right and wrong, and the first one that differs

`names()` lists the mistakes (they are in mutations.py). Values stay right; it is gradients that go wrong.
"""

from __future__ import annotations

from copy import deepcopy
from html import escape
from math import isclose
from textwrap import wrap
from typing import TYPE_CHECKING, NamedTuple

from .graph import names as names_of
from .graph import nodes, stale, stale_told
from .modes import Change
from .mutating import breaking
from .mutations import BrokenPass, Mutation, find, names
from .notation import expression, label_shown, one_line
from .value import Value
from .wording import WIDTH, listed, six

if TYPE_CHECKING:
    from .steps import Contribution

__all__ = ["Comparison", "Row", "breaking", "compare", "names"]


class Row(NamedTuple):
    """A node of the graph, and its gradient by the right pass and by the wrong one."""

    node: Value
    name: str
    expression: str
    right: float
    wrong: float

    @property
    def differs(self) -> bool:
        """Whether the two gradients are different numbers."""
        both_nan = self.right != self.right and self.wrong != self.wrong
        return not both_nan and not isclose(self.right, self.wrong, rel_tol=1e-9)


def compare(root: Value, mutation: str | Mutation) -> Comparison:
    """Run a graph right and with a mistake: what every node gets, and the first node that differs.

    Both are run on copies; the graph itself, its leaves and their gradients stay as they are.

    Raises:
        ValueError: for a mistake that there is not; for a wrong rule, if data was set since the graph was recorded.

    >>> from autograd import Value
    >>> a, b = Value(2.0, "a"), Value(3.0, "b")
    >>> c = a * b; c.label = "c"
    >>> d = c + a; d.label = "d"
    >>> e = c * d; e.label = "e"
    >>> print(compare(e, "breadth first"))
    breadth first (nodes hand on level by level from the root, before all has
      arrived)
    node  expression  right  wrong
    e     c * d           1      1
    d     c + a           6      6
    c     a * b          14     14
    b     leaf           28     16  <- differs first; it hears from c
    a     leaf           48     30  <- differs
    c handed on when it held 8, and got more later: it has 14 in the end.
    """
    with Change(mutation=None, no_grad=False):
        return _compared(root, find(mutation))


def _compared(root: Value, chosen: Mutation) -> Comparison:
    order = nodes(root)
    if not chosen.in_pass and (late := stale(order)):
        raise ValueError(stale_told(late, root))
    right, wrong = deepcopy(root), deepcopy(root)
    _prepare(right)
    _prepare(wrong, None if chosen.in_pass else chosen)
    record: list[Contribution] = []
    for _ in range(chosen.passes):
        right.backward()
        if isinstance(chosen, BrokenPass):
            record = chosen.run(wrong)
        else:
            wrong.backward()
    name = names_of(order, label_shown)
    rows = [
        Row(node, name[node], _expression(node, name), own.grad, other.grad)
        for node, own, other in zip(order, nodes(right), nodes(wrong))
    ]
    original = dict(zip(nodes(wrong), order))
    return Comparison(chosen, rows[::-1], _too_early(chosen, record, original, name))


def _prepare(root: Value, rule: Mutation | None = None) -> None:
    """A copy without gradients, with the local derivatives of a wrong rule if there is one."""
    root.zero_grad()
    if rule is not None:
        with Change(mutation=rule):
            root.forward()


def _expression(node: Value, name: dict[Value, str]) -> str:
    return "leaf" if node.primitive is None else one_line(expression(node, name).plain, 40)


def _too_early(
    mutation: Mutation, record: list[Contribution], original: dict[Value, Value], name: dict[Value, str]
) -> str:
    """The first node that handed its gradient on before it was complete, in a sentence."""
    if not isinstance(mutation, BrokenPass) or mutation.visits is None:
        return ""
    for contribution in record:
        held, end = contribution.upstream, contribution.consumer.grad
        if not isclose(held, end, rel_tol=1e-9):
            who = name[original[contribution.consumer]]
            return f"{who} handed on when it held {six(held)}, and got more later: it has {six(end)} in the end."
    return ""


class Comparison:
    """Wrong next to right, the root first. It prints as a table; `.first` is the first node that differs."""

    def __init__(self, mutation: Mutation, rows: list[Row], remark: str = "") -> None:
        self.mutation = mutation
        self.rows = rows
        self.remark = remark or self._nothing_told()

    @property
    def first(self) -> Value | None:
        """The first node, from the root on, whose gradient differs; None if the graph shows nothing."""
        return next((row.node for row in self.rows if row.differs), None)

    def _nothing_told(self) -> str:
        if self.first is not None:
            return ""
        missing = self.mutation.missing_in([row.node for row in self.rows])
        return f"No node differs: {missing or 'this graph cannot tell the two apart'}."

    def _title(self) -> str:
        passes = f", after {self.mutation.passes} passes" * (self.mutation.passes > 1)
        return f"{self.mutation.name} ({self.mutation.told}){passes}"

    def _remark_of(self, row: Row) -> str:
        if row.node is not self.first:
            return "differs" * row.differs
        consumers = [other.name for other in self.rows if any(x is row.node for x in other.node.operands)]
        return "differs first" + f"; it hears from {listed(consumers)}" * bool(consumers)

    def _cells(self) -> list[list[str]]:
        return [[row.name, row.expression, six(row.right), six(row.wrong), self._remark_of(row)] for row in self.rows]

    def __str__(self) -> str:
        lines = [["node", "expression", "right", "wrong", ""], *self._cells()]
        widths = [max(map(len, column)) for column in zip(*lines)]
        texts = wrap(self._title(), WIDTH, subsequent_indent="  ")
        for name, formula, right, wrong, remark in lines:
            cells = [name.ljust(widths[0]), formula.ljust(widths[1]), right.rjust(widths[2]), wrong.rjust(widths[3])]
            texts.append("  ".join([*cells, *[f"<- {remark}"] * bool(remark)]).rstrip())
        return "\n".join([*texts, *wrap(self.remark, WIDTH, subsequent_indent="  ")])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        right = ' style="text-align:right;padding:0.1em 0.6em"'
        left = ' style="text-align:left;padding:0.1em 0.6em"'
        styles = [left, left, right, right, left]
        lines = [["node", "expression", "right", "wrong", ""], *self._cells()]
        rows = ["".join(f"<td{style}>{escape(cell)}</td>" for style, cell in zip(styles, line)) for line in lines]
        head, *body = [f"<tr>{row}</tr>" for row in rows]
        table = f"<table><thead>{head.replace('td', 'th')}</thead><tbody>{''.join(body)}</tbody></table>"
        return f"<p>{escape(self._title())}</p>{table}" + f"<p>{escape(self.remark)}</p>" * bool(self.remark)
