"""Why a gradient is zero, nan or infinite: `print(diagnose(y, x))`; `diagnose(y)` looks at the whole graph.

It reads the event log of the root's own pass, and follows what is zero (or not finite) to where that arose.
"""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING, NamedTuple

from .graph import label_of, stale
from .notation import derivative_of, expression, one_line
from .scalars import arises
from .steps import Log
from .value import Value
from .wording import WIDTH, listed, six

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .steps import Contribution

#: Why a gradient is zero. If several apply, the first in this order is given, and the others after it.
REASONS = (
    "not reached",
    "not an ancestor",
    "blocked",
    "saturated",
    "multiplied by zero",
    "exact cancellation",
    "underflow",
)

#: Leaves without a gradient that are told one by one; places that are told for each reason.
MOST_LEAVES = 20
MOST_PLACES = 3


class Finding(NamedTuple):
    """One place where a gradient gets lost, or stops being finite."""

    reason: str
    told: str


class Diagnosis:
    """What is wrong, and where. It prints as text; `.reason` is the first reason, "" if nothing is wrong."""

    def __init__(self, summary: str, findings: Sequence[Finding] = (), notes: Sequence[str] = ()) -> None:
        self.summary = summary
        self.findings = list(findings)
        self.notes = list(notes)

    @property
    def reason(self) -> str:
        """The first reason, one of `REASONS`, "nan" or "inf"; empty if nothing is wrong."""
        return self.findings[0].reason if self.findings else ""

    def __str__(self) -> str:
        lines = [self.summary]
        for number, finding in enumerate(self.findings):
            same_reason = [other for other in self.findings[:number] if other.reason == finding.reason]
            if len(same_reason) < MOST_PLACES:
                lines.append(f"  {finding.told}")
            elif len(same_reason) == MOST_PLACES:
                count = sum(other.reason == finding.reason for other in self.findings) - MOST_PLACES
                lines.append(f"  and {count} more places where it is {finding.reason}")
        return "\n".join([*lines, *self.notes])

    __repr__ = __str__


def diagnose(root: Value, x: Value | None = None) -> Diagnosis:
    """Why the gradient of `root` by `x` is zero, or where the first nan or infinity arose, forward or backward.

    Reasons for a zero, in this order: not reached (no backward pass has been run), not an ancestor, blocked (by a relu,
    maximum, where ...), saturated, multiplied by zero, exact cancellation, underflow.

    Args:
        x: a node; without it, all leaves are looked at.

    >>> from autograd import Value, diagnose, relu
    >>> x = Value(-3.0, "x")
    >>> y = 2 * relu(x)
    >>> y.backward()
    >>> diagnose(y, x)
    x.grad = 0: blocked
      blocked by relu at v1 = relu(x): x = −3, and ∂v1/∂x = step(x) = 0
    """
    for given, role in ((root, "root"), (x, "x")):
        if given is not None and not isinstance(given, Value):
            raise TypeError(f"diagnose takes Values; {role} is a {type(given).__name__}")
    if not isinstance(root, Value):
        raise TypeError("diagnose takes the root first")
    log = Log(root)
    late = stale(log.order)
    notes = [f"data was set since this was computed; call {log.name[root]}.forward()"] if late else []
    if x is None:
        return _of_graph(log, notes)
    return _of_node(log, x, notes)


def _of_graph(log: Log, notes: list[str]) -> Diagnosis:
    found = [finding for finding in (_first_forward(log), _first_backward(log)) if finding]
    if found:
        return Diagnosis(f"{found[0].reason} in the graph of {log.name[log.root]}", found[:1], notes)
    leaves = [node for node in log.order if node.primitive is None]
    lost = [leaf for leaf in leaves if log.adjoints[leaf] == 0]
    if not lost:
        return Diagnosis(f"leaves: {len(leaves)}; all gradients are finite, and none is zero", (), notes)
    findings = []
    for leaf in lost[:MOST_LEAVES]:
        first = _why_zero(log, leaf)[0]
        findings.append(Finding(first.reason, f"{log.name[leaf]}: {first.told}"))
    if len(lost) > MOST_LEAVES:
        notes = [f"  and {len(lost) - MOST_LEAVES} more leaves", *notes]
    return Diagnosis(f"leaves: {len(leaves)}; gradients that are zero: {len(lost)}", findings, notes)


def _of_node(log: Log, x: Value, notes: list[str]) -> Diagnosis:
    name = log.name.get(x) or label_of(x) or "x"
    if x not in log.adjoints:
        told = f"not an ancestor: the graph of {log.name[log.root]} does not contain {name}{_lookalike(log, x)}"
        return Diagnosis(f"{name}.grad = 0: not an ancestor", [Finding("not an ancestor", told)], notes)
    gradient = log.adjoints[x]
    if not isfinite(gradient):
        finding = _first_forward(log) or _where_it_arose(log, x)
        return Diagnosis(f"{name}.grad = {six(gradient)}", [finding], notes)
    if gradient == 0:
        findings = _why_zero(log, x)
        return Diagnosis(f"{name}.grad = 0: {findings[0].reason}", findings, notes)
    if not x.has_grad:
        told = f"no backward pass has been run, so .grad reads 0; {log.name[log.root]}.backward() gives {six(gradient)}"
        return Diagnosis(f"{name}.grad = 0: not reached", [Finding("not reached", f"not reached: {told}")], notes)
    return Diagnosis(f"{name}.grad = {six(gradient)}: neither zero nor infinite", (), notes)


def _lookalike(log: Log, x: Value) -> str:
    """A leaf of the graph that x may have been taken for."""
    label = label_of(x)
    if label and any(label_of(node) == label for node in log.order):
        return f"; another Value is labelled {label} there: was this one made anew, detached, or its name given away?"
    return "; was it computed under no_grad(), detached, or from .data?"


# ----- Zeros -----


def _why_zero(log: Log, x: Value) -> list[Finding]:
    """Every place that makes the gradient of `x` zero, in the order of REASONS."""
    findings = []
    way: dict[Value, Value | None] = {x: None}  # from a node towards x
    waiting = [x]
    for node in waiting:  # it grows
        arrivals = log.arrivals[node]
        if any(contribution.amount != 0 for contribution in arrivals):
            findings.append(_cancelled(log, node, way))
            continue
        for contribution in arrivals:
            if contribution.upstream != 0:
                findings.append(_lost(log, contribution, way))
            elif contribution.consumer not in way:
                way[contribution.consumer] = node
                waiting.append(contribution.consumer)
    return sorted(findings, key=lambda finding: REASONS.index(finding.reason))


def _cancelled(log: Log, node: Value, way: dict[Value, Value | None]) -> Finding:
    terms = [f"{six(c.amount)} from {log.name[c.consumer]}" for c in log.arrivals[node] if c.amount != 0]
    told = f"exact cancellation at {log.name[node]}: {listed(terms)} add up to 0{_way(log, node, way)}"
    return Finding("exact cancellation", told)


def _lost(log: Log, contribution: Contribution, way: dict[Value, Value | None]) -> Finding:
    """Why upstream is not zero and what is handed on is."""
    consumer, operand = contribution.consumer, contribution.operand
    primitive = consumer.primitive
    assert primitive is not None
    route = _way(log, operand, way, start=consumer)
    if contribution.local_derivative != 0:
        numbers = f"{six(contribution.upstream)} × {six(contribution.local_derivative)}"
        return Finding("underflow", f"underflow at {_made(log, consumer)}: {numbers} is too small for a double{route}")
    symbol = derivative_of(log.name[consumer], log.name[operand])[0]
    rule = one_line(contribution.rule, WIDTH // 2)
    derivative = f"{symbol} = {rule}" + " = 0" * (rule != "0")
    by = f" by {primitive.name}" if primitive.flat == "blocked" else ""
    where = f"{log.name[operand]} = {six(operand.data)}, and " * (primitive.flat != "multiplied by zero")
    return Finding(primitive.flat, f"{primitive.flat}{by} at {_made(log, consumer)}: {where}{derivative}{route}")


# ----- Where numbers stop being finite -----


def _first_forward(log: Log) -> Finding | None:
    """The first node whose value is no finite number though its operands' are, and the way from there."""
    for node in log.order:
        numbers = [x if type(x) is float else x.data for x in node.operands]  # type: ignore[union-attr]
        if arises(node.data, numbers):
            kind = "nan" if node.data != node.data else "inf"
            if node.primitive is None:
                told = f"{log.name[node]} is {six(node.data)} from the start"
            else:
                values = [x for x in dict.fromkeys(node.operands) if isinstance(x, Value)]
                at = listed([f"{log.name[x]} = {six(x.data)}" for x in values])
                told = f"forward: {_made(log, node)} is {six(node.data)}, at {at}"
            return Finding(kind, f"{told}{_onward(log, node)}")
    return None


def _onward(log: Log, node: Value) -> str:
    """The way from a value that is not finite to the last that it spoils."""
    route = [node]
    while spoilt := [c.consumer for c in log.arrivals[route[-1]] if not isfinite(c.consumer.data)]:
        route.append(spoilt[0])
    return f"; the way: {_arrows(log, route)}" if len(route) > 1 else ""


def _first_backward(log: Log) -> Finding | None:
    for step in log.steps[len(log.steps) // 2 :]:
        for contribution in step.contributions:
            if arises(contribution.after, (contribution.upstream, contribution.before)):
                return _arisen(log, contribution, {})
    return None


def _where_it_arose(log: Log, x: Value) -> Finding:
    """The contribution that made a gradient on the way to `x` nan or infinite."""
    way: dict[Value, Value | None] = {x: None}
    node = x
    while True:
        culprit = next(c for c in log.arrivals[node] if not isfinite(c.after))
        if isfinite(culprit.upstream) or arises(culprit.after, (culprit.upstream, culprit.before)):
            return _arisen(log, culprit, way)
        way[culprit.consumer] = node
        node = culprit.consumer


def _arisen(log: Log, contribution: Contribution, way: dict[Value, Value | None]) -> Finding:
    consumer, operand = log.name[contribution.consumer], log.name[contribution.operand]
    before = f"{six(contribution.before)} + " * (contribution.before != 0)
    sum_told = f"{before}{six(contribution.upstream)} × {six(contribution.local_derivative)}"
    kind = "nan" if contribution.after != contribution.after else "inf"
    at = f"backward, at {_made(log, contribution.consumer)}"
    rule = f"{derivative_of(consumer, operand)[0]} = {contribution.rule}"
    told = f"{at}: {operand}.grad becomes {sum_told} = {six(contribution.after)} ({rule})"
    return Finding(kind, told + _way(log, contribution.operand, way, start=contribution.consumer))


# ----- Saying where -----


def _made(log: Log, node: Value) -> str:
    """`c = a * b`, and the line where it was written, if that is known."""
    written = f" ({node._line})" if node._line else ""
    return f"{log.name[node]} = {one_line(expression(node, log.name).plain, WIDTH // 2)}{written}"


def _way(log: Log, node: Value, way: dict[Value, Value | None], start: Value | None = None) -> str:
    route = [] if start is None else [start]
    current: Value | None = node
    while current is not None:
        route.append(current)
        current = way.get(current)
    return f"; the way: {_arrows(log, route)}" if len(route) > 2 else ""  # two of them stand in the sentence


def _arrows(log: Log, route: list[Value]) -> str:
    names = [log.name[node] for node in route]
    shown = names if len(names) <= 8 else [*names[:4], f"... {len(names) - 7} more ...", *names[-3:]]
    return " → ".join(shown)
