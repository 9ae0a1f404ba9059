"""Why a gradient is zero, nan or infinite: `print(diagnose(y, x))`; `diagnose(y)` looks at the whole graph.

It reads the event log of the root's own pass, and follows what is zero (or not finite) to where that arose.
"""

from __future__ import annotations

from collections import Counter
from math import isfinite
from typing import TYPE_CHECKING, NamedTuple

from .graph import label_of, nodes
from .notation import called, expression, one_line
from .remarks import aside
from .scalars import arises
from .steps import Log
from .value import Value
from .wording import WIDTH, arrows, listed, six

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

#: Leaves without a gradient that are told one by one.
MOST_LEAVES = 20

#: Places that are told of each reason.
MOST_TOLD = 3


class Finding(NamedTuple):
    """One place where a gradient gets lost, or stops being finite."""

    reason: str
    told: str


class Diagnosis:
    """What is wrong, and where. It prints as text; `.reason` is the first reason, "" if nothing is wrong."""

    def __init__(
        self, summary: str, findings: Sequence[Finding] = (), notes: Sequence[str] = (), most: int = MOST_TOLD
    ) -> None:
        self.summary = summary
        self.findings = list(findings)
        self.notes = list(notes)
        self._most = most  # findings of each reason that are told

    @property
    def reason(self) -> str:
        """The first reason, one of `REASONS`, "nan" or "inf"; empty if nothing is wrong."""
        return self.findings[0].reason if self.findings else ""

    def __str__(self) -> str:
        lines, count = [self.summary], Counter(finding.reason for finding in self.findings)
        told: Counter[str] = Counter()
        for finding in self.findings:
            told[finding.reason] += 1
            if told[finding.reason] <= self._most:
                lines.append(f"  {finding.told}")
            elif told[finding.reason] == self._most + 1:
                lines.append(f"  and {count[finding.reason] - self._most} more: {finding.reason}")
        return "\n".join([*lines, *self.notes])

    __repr__ = __str__


def diagnose(root: Value, x: Value | None = None) -> Diagnosis:
    """Why the gradient of `root` by `x` is zero, or where the first nan or infinity arose, forward or backward.

    Reasons for a zero, in this order: not reached (a backward pass would give it one, but none has been run), not an
    ancestor, blocked (by a relu, maximum, where ...), saturated, multiplied by zero, exact cancellation, underflow.

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
        if not (isinstance(given, Value) or (given is None and role == "x")):
            raise TypeError(f"diagnose takes the root and perhaps a node; {role} is {given!r}")
    log = Log(root)
    return _of_graph(log) if x is None else _of_node(log, x)


def _of_graph(log: Log) -> Diagnosis:
    found = _first_forward(log, log.order) or _first_backward(log)
    if found:
        return Diagnosis(f"{found.reason} in the graph of {log.name[log.root]}", [found], aside(log))
    leaves = [node for node in log.order if node.primitive is None]
    lost = [leaf for leaf in leaves if log.adjoints[leaf] == 0]
    if not lost:
        return Diagnosis(f"leaves: {len(leaves)}; all gradients are finite, and none is zero", (), aside(log))
    findings = []
    for leaf in lost[:MOST_LEAVES]:
        first = _why_zero(log, leaf, most=1)[0]
        findings.append(Finding(first.reason, f"{log.name[leaf]}: {first.told}"))
    more = [f"  and {len(lost) - MOST_LEAVES} more leaves"] * (len(lost) > MOST_LEAVES)
    summary = f"leaves: {len(leaves)}; gradients that are zero: {len(lost)}"
    return Diagnosis(summary, findings, [*more, *aside(log)], most=MOST_LEAVES)


def _of_node(log: Log, x: Value) -> Diagnosis:
    name = log.name.get(x) or called(x, "x")
    if x not in log.adjoints:
        told = f"not an ancestor: the graph of {log.name[log.root]} does not contain {name}{_lookalike(log, x)}"
        return Diagnosis(f"{name}.grad = 0: not an ancestor", [Finding("not an ancestor", told)], aside(log, x))
    gradient = log.adjoints[x]
    if not isfinite(gradient):
        return Diagnosis(f"{name}.grad = {six(gradient)}", [_where_it_arose(log, x)], aside(log, x))
    if gradient == 0:
        findings = _why_zero(log, x)
        return Diagnosis(f"{name}.grad = 0: {findings[0].reason}", findings, aside(log, x))
    if not x.has_grad:
        remedy = f"{log.name[log.root]}.backward() gives {six(gradient)}"
        finding = Finding("not reached", f"not reached: no backward pass has been run; {remedy}")
        summary = f"{name}.grad reads 0, but is not computed: not reached"
        return Diagnosis(summary, [finding], aside(log, x))
    return Diagnosis(f"{name}.grad = {six(gradient)}: neither zero nor infinite", (), aside(log, x))


def _lookalike(log: Log, x: Value) -> str:
    """What x may have been taken for."""
    if log.root in nodes(x):
        return ": it is the other way round, are the arguments swapped?"
    label = label_of(x)
    if label and any(label_of(node) == label for node in log.order):
        return f"; another Value is labelled {called(x)} there: was this one made anew, or detached?"
    return "; was it computed under no_grad(), detached, or from .data?"


# ----- Zeros -----


def _why_zero(log: Log, x: Value, most: int = MOST_TOLD) -> list[Finding]:
    """Every place that makes the gradient of `x` zero, in the order of REASONS; so many of each are put in words."""
    places: list[tuple[str, Contribution]] = []
    way: dict[Value, Value | None] = {x: None}  # from a node towards x
    waiting = [x]
    for node in waiting:  # it grows
        arrivals = log.arrivals[node]
        if any(contribution.amount != 0 for contribution in arrivals):
            places.append(("exact cancellation", arrivals[0]))
            continue
        for contribution in arrivals:
            if contribution.upstream != 0:
                places.append((_kind(contribution), contribution))
            elif contribution.consumer not in way:
                way[contribution.consumer] = node
                waiting.append(contribution.consumer)
    places.sort(key=lambda place: REASONS.index(place[0]))
    count: Counter[str] = Counter()
    findings = []
    for kind, contribution in places:
        count[kind] += 1
        told = _lost(log, kind, contribution, way) if count[kind] <= most else f"{kind}, as above"
        findings.append(Finding(kind, told))
    return findings


def _kind(contribution: Contribution) -> str:
    """Why upstream is not zero and what is handed on is."""
    primitive = contribution.consumer.primitive
    assert primitive is not None
    if contribution.local_derivative != 0:
        return "underflow"
    others = [_data(x) for slot, x in enumerate(contribution.consumer.operands) if slot != contribution.slot]
    if primitive.flat == "saturated" and not primitive.variadic and 0 in others:
        return "multiplied by zero"  # a sigmoid whose slope is 0, or by its slope where its operand is 0
    return primitive.flat


def _lost(log: Log, kind: str, contribution: Contribution, way: dict[Value, Value | None]) -> str:
    consumer, operand = contribution.consumer, contribution.operand
    if kind == "exact cancellation":
        terms = [f"{six(c.amount)} from {log.name[c.consumer]}" for c in log.arrivals[operand] if c.amount != 0]
        return f"exact cancellation at {log.name[operand]}: {listed(terms)} add up to 0{_way(log, operand, way)}"
    route = _way(log, operand, way, start=consumer)
    if kind == "underflow":
        numbers = f"{six(contribution.upstream)} × {six(contribution.local_derivative)}"
        return f"underflow at {_made(log, consumer)}: {numbers} is too small for a double{route}"
    by = f" by {consumer.primitive.name}" if kind == "blocked" and consumer.primitive else ""
    where = f"{log.name[operand]} = {six(operand.data)}, and " * (kind != "multiplied by zero")
    rule = _rule(contribution)
    return f"{kind}{by} at {_made(log, consumer)}: {where}{rule}" + " = 0" * (not rule.endswith(" = 0")) + route


def _rule(contribution: Contribution) -> str:
    return f"{contribution.symbol} = {one_line(contribution.rule, WIDTH // 2)}"


# ----- Where numbers stop being finite -----


def _first_forward(log: Log, order: Sequence[Value]) -> Finding | None:
    """The first node whose value is no finite number though those of its operands are, and the way from there.

    A constant that is not finite counts as arising where it is used.
    """
    for node in order:
        values = [x for x in dict.fromkeys(node.operands) if isinstance(x, Value)]
        if arises(node.data, [x.data for x in values]):
            if node.primitive is None:
                told = f"{log.name[node]} is {six(node.data)} from the start"
            else:
                at = listed([f"{log.name[x]} = {six(x.data)}" for x in values])
                told = f"forward: {_made(log, node)} is {six(node.data)}, at {at}"
            return Finding("nan" if node.data != node.data else "inf", f"{told}{_onward(log, node)}")
    return None


def _onward(log: Log, node: Value) -> str:
    """The way from a value that is not finite to the last that it spoils."""
    route = [node]
    while spoilt := [c.consumer for c in log.arrivals[route[-1]] if not isfinite(c.consumer.data)]:
        route.append(spoilt[0])
    return f"; the way: {arrows([log.name[node] for node in route])}" if len(route) > 1 else ""


def _first_backward(log: Log) -> Finding | None:
    for step in log.steps[len(log.steps) // 2 :]:
        for contribution in step.contributions:
            if _is_source(contribution):
                return _arisen(log, contribution, {})
    return None


def _is_source(contribution: Contribution) -> bool:
    """Whether an adjoint becomes nan or infinite here, out of finite numbers."""
    if isfinite(contribution.after):
        return False
    local = contribution.local_derivative
    if isfinite(local):
        return arises(contribution.after, (contribution.upstream, local, contribution.before))
    values = map(_data, contribution.consumer.operands)  # an infinite slope at finite operands arises here as well
    return arises(contribution.after, (contribution.upstream, contribution.before, *values))


def _where_it_arose(log: Log, x: Value) -> Finding:
    """What made the gradient of `x` nan or infinite: a backward step on the way to it, or a value used in that."""
    way: dict[Value, Value | None] = {x: None}
    node = x
    while True:
        culprit = next(c for c in log.arrivals[node] if not isfinite(c.after))
        if _is_source(culprit):
            return _arisen(log, culprit, way)
        if isfinite(culprit.upstream) and not isfinite(culprit.amount):
            return _first_forward(log, nodes(culprit.consumer)) or _arisen(log, culprit, way)
        way[culprit.consumer] = node
        node = culprit.consumer


def _arisen(log: Log, contribution: Contribution, way: dict[Value, Value | None]) -> Finding:
    consumer, operand = contribution.consumer, contribution.operand
    before = f"{six(contribution.before)} + " * (contribution.before != 0)
    total = f"{before}{six(contribution.upstream)} × {six(contribution.local_derivative)} = {six(contribution.after)}"
    kind = "nan" if contribution.after != contribution.after else "inf"
    told = f"backward, at {_made(log, consumer)}: {log.name[operand]}.grad becomes {total} ({_rule(contribution)})"
    return Finding(kind, told + _way(log, operand, way, start=consumer))


def _data(operand: Value | float) -> float:
    return operand.data if isinstance(operand, Value) else operand


# ----- Saying where -----


def _made(log: Log, node: Value) -> str:
    """`c = a * b`, and the line where it was written, if that is known."""
    written = f" ({node._line})" if node._line else ""
    return f"{log.name[node]} = {one_line(expression(node, log.name).plain, WIDTH // 2)}{written}"


def _way(log: Log, node: Value, way: dict[Value, Value | None], start: Value | None = None) -> str:
    """The nodes from a place to the one that is asked for."""
    route = [] if start is None else [start]
    current: Value | None = node
    while current is not None:
        route.append(current)
        current = way.get(current)
    return (
        f"; the way: {arrows([log.name[node] for node in route])}" if len(route) > 2 else ""
    )  # two of them stand in the sentence
