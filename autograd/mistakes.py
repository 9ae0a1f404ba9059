"""The usual mistakes in a gradient, recognised by the number that they give.

    agrees(8, truth)                              # right, to the digits that were given
    diagnosed(8, usual_mistakes(contribution))    # "that is the contribution of e alone: ..."

Each mistake is what someone computes instead of `before + upstream * local derivative`; a number that two ways of
computing give, one of them right, tells nothing and is left out.
"""

from __future__ import annotations

from decimal import Decimal
from math import isfinite
from typing import TYPE_CHECKING, NamedTuple

from . import rules
from .notation import derivative_of, derivative_symbol
from .steps import Contribution, Tally, recorded_pass
from .wording import listed, six

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from .steps import Log
    from .value import Value

#: An answer is right to as many digits as it has, but to as many as this at least.
FEWEST_DIGITS = 3

#: How far an answer may be off, of its size, that was computed from two or three numbers shown with six digits.
FROM_SHOWN = Decimal("2e-5")

#: Of a wide node, so many operands and contributions are looked at.
MOST_LOOKED_AT = 8

#: Visits of a walk that goes on from a node each time it is reached; there may be exponentially many.
MOST_VISITS = 10_000


class WrongPass(NamedTuple):
    """A pass with the same mistake at every node."""

    told: str
    adjoints: dict[Value, float]
    explained: int  # how many of the wrong answers are what it gives


class Mistake(NamedTuple):
    """A wrong number and what it is."""

    answer: float
    told: str


def agrees(answer: float, truth: float, scale: float = 0.0) -> bool:
    """Whether an answer is right to the digits that it has, rounded or cut off, three digits at least; or as right as
    one computed from numbers that were shown with six digits, which whole numbers need not be.

    Args:
        scale: the size of the numbers that the truth was computed from. Where they cancel, 0 is right for what
            rounding leaves of them.

    >>> agrees(404.85, 404.853739609282), agrees(405, 404.853739609282), agrees(404.8, 404.853739609282)
    (True, True, True)
    >>> agrees(404.7, 404.853739609282), agrees(48.2, 48.0), agrees(481, 480)
    (False, False, False)
    >>> agrees(0.389418 * 6.25, 0.3894183423086505 * 6.25), agrees(1048575, 1048576)
    (True, False)
    """
    if answer == truth or (answer != answer and truth != truth):
        return True
    if not (isfinite(answer) and isfinite(truth)):
        return False
    if answer == 0:
        return abs(truth) < 1e-12 * scale
    given, wanted = Decimal(repr(float(answer))), Decimal(repr(float(truth)))
    _, digits, exponent = given.normalize().as_tuple()
    assert isinstance(exponent, int)  # it is a letter for nan and infinity alone
    unit = Decimal(1).scaleb(exponent - max(0, FEWEST_DIGITS - len(digits)))
    gap, size = abs(given - wanted), abs(wanted)
    cut_off = abs(given) < size and given.is_signed() == wanted.is_signed()
    whole = given == given.to_integral_value() and wanted == wanted.to_integral_value()
    return gap <= unit / 2 or (cut_off and gap < unit) or (not whole and gap <= size * FROM_SHOWN)


def diagnosed(answer: float, mistakes: Iterable[Mistake]) -> str | None:
    """What a wrong answer tells, or None if it is none of the usual ones."""
    return next((mistake.told for mistake in mistakes if agrees(answer, mistake.answer)), None)


def usual_mistakes(contribution: Contribution) -> list[Mistake]:
    """What is given instead of the operand's gradient after this contribution, and why it is wrong."""
    name = contribution.name
    consumer, operand = contribution.consumer, contribution.operand
    speaker, target = name[consumer], name[operand]
    upstream, local = contribution.upstream, contribution.local_derivative
    before, amount, after = contribution.before, contribution.amount, contribution.after
    symbol = derivative_of(speaker, target)[0]
    adds = f"; it adds to the {six(before)} that {target} has already" * bool(before)
    ways = [
        Mistake(amount, f"that is the contribution of {speaker} alone: it adds to the {six(before)} that is there"),
        Mistake(before - amount, f"the sign is turned: {symbol} is {six(local)} and {speaker}.grad is {six(upstream)}"),
        Mistake(before + local, f"that takes {symbol} = {six(local)} without {speaker}.grad = {six(upstream)}{adds}"),
        Mistake(local, f"that is {symbol} alone: multiply it by {speaker}.grad = {six(upstream)}{adds}"),
        Mistake(before + upstream, f"that hands {speaker}.grad on unchanged: multiply it by {symbol} = {six(local)}"),
        Mistake(upstream, f"that is {speaker}.grad itself: multiply it by {symbol} = {six(local)}{adds}"),
        Mistake(before + upstream + local, f"that adds {speaker}.grad and {symbol}: multiply them"),
        *(Mistake(before + upstream * other, told) for other, told in _other_locals(contribution)),
        Mistake(before + upstream * operand.data, f"that multiplies by {target}, but {symbol} = {contribution.rule}"),
        Mistake(before + consumer.data * local, f"that takes the value of {speaker} for its gradient"),
        Mistake(before, f"that is what {target} had before: {speaker} hands it {six(amount)} more"),
        Mistake(before + 2 * amount, f"that counts the contribution of {speaker} twice"),
        Mistake(before + amount / 2, f"that is half of what {speaker} hands on"),
    ]
    return [mistake for mistake in ways if isfinite(mistake.answer) and not agrees(mistake.answer, after)]


def _other_locals(contribution: Contribution) -> list[tuple[float, str]]:
    """The local derivatives of the other operands, and what it means to take one of them."""
    consumer = contribution.consumer
    found = []
    for slot, local in enumerate(consumer.local_derivatives[:MOST_LOOKED_AT]):
        if slot != contribution.slot and local is not None:
            symbol = derivative_symbol(consumer, slot, contribution.name)[0]
            found.append((local, f"that multiplies by {symbol} = {six(local)}, which belongs to another place"))
    return found


def most_telling(contributions: Sequence[Contribution]) -> Contribution:
    """The contribution to ask for: the one where the most mistakes give a number of their own."""
    few = contributions[:MOST_LOOKED_AT]
    return max(few, key=lambda contribution: len({m.answer for m in usual_mistakes(contribution)}))


# ----- Mistakes in the whole gradient of a node -----


def mistakes_in_adjoint(
    log: Log, node: Value, answered: Mapping[Value, float], everywhere: Sequence[WrongPass] | None = None
) -> list[Mistake]:
    """What is given instead of a node's adjoint, the likeliest first.

    Args:
        answered: what was given for the adjoints of all nodes. A number that follows from a wrong one is told apart.
        everywhere: passes with the same mistake at every node, if they are known already; those that explain several
            wrong answers come first.
    """
    everywhere = wrong_passes(log, answered) if everywhere is None else everywhere
    name, truth, arrivals = log.name[node], log.adjoints[node], log.arrivals[node]
    if node is log.root:
        here = [Mistake(node.data, f"that is the value of {name}; it moves by 1 per unit of itself")]
    else:
        here = [
            *_from_own_numbers(log, arrivals, answered),
            Mistake(node.data, f"that is the value of {name}, not its gradient"),
            *_ways(log, arrivals),
        ]
    likely = [Mistake(wrong.adjoints[node], wrong.told) for wrong in everywhere if wrong.explained > 1]
    others = [Mistake(wrong.adjoints[node], wrong.told) for wrong in everywhere if wrong.explained <= 1]
    return [m for m in (*likely, *here, *others) if isfinite(m.answer) and not agrees(m.answer, truth)]


def _from_own_numbers(log: Log, arrivals: list[Contribution], answered: Mapping[Value, float]) -> list[Mistake]:
    """What the step gives, done right, from wrong adjoints of the consumers."""
    wrong = [c.consumer for c in arrivals if not agrees(answered.get(c.consumer, c.upstream), c.upstream)]
    if not wrong:
        return []
    yours = listed([log.name[consumer] for consumer in dict.fromkeys(wrong)])
    total = sum(answered.get(c.consumer, c.upstream) * c.local_derivative for c in arrivals)
    return [Mistake(total, f"this step is right; it goes wrong with your number for {yours}")]


def _ways(log: Log, arrivals: list[Contribution]) -> Iterator[Mistake]:
    """Wrong sums of the contributions of one node."""
    name, node = log.name[arrivals[0].operand], arrivals[0].operand
    speakers = listed([log.name[c.consumer] for c in arrivals])
    upstreams, locals_ = [c.upstream for c in arrivals], [c.local_derivative for c in arrivals]
    amounts = [c.amount for c in arrivals]
    total = sum(amounts)
    if len(arrivals) > 1:
        for c, amount in zip(arrivals, amounts):
            alone = f"that is what {log.name[c.consumer]} hands on alone; the contributions of {speakers} add up"
            yield Mistake(amount, alone)
        for c, amount in zip(arrivals, amounts):
            yield Mistake(total - amount, f"the contribution of {log.name[c.consumer]} is missing")
    yield Mistake(-total, "the sign is turned")
    for c, amount in zip(arrivals, amounts):
        yield Mistake(total - 2 * amount, f"the sign of the contribution of {log.name[c.consumer]} is turned")
    yield Mistake(sum(locals_), f"those are local derivatives alone: multiply them by the gradient of {speakers}")
    yield Mistake(sum(upstreams), f"that is the gradient of {speakers} unchanged: multiply it by the local derivative")
    yield Mistake(sum(upstreams) + sum(locals_), f"that adds the gradient of {speakers} and the local derivative")
    yield Mistake(node.data * sum(upstreams), f"that multiplies by {name} itself, not by the local derivative")
    by_values = sum(c.consumer.data * local for c, local in zip(arrivals, locals_))
    yield Mistake(by_values, f"that takes the value of {speakers} for its gradient")
    for c, upstream, amount in zip(arrivals[:MOST_LOOKED_AT], upstreams, amounts):
        for other, told in _other_locals(c):
            yield Mistake(total - amount + upstream * other, told)
    yield Mistake(2 * total, "that is twice too much")
    yield Mistake(total / 2, "that is half of it")


# ----- The same mistake at every node: what a wrong engine gives -----


class Overwriting(Tally):
    """The last contribution replaces those before it: `=` for `+=`."""

    __slots__ = ()

    def __iadd__(self, contribution: Contribution) -> Tally:
        self.total = 0.0
        return super().__iadd__(contribution)


class WithoutLocal(Tally):
    """The gradient is handed on unchanged."""

    __slots__ = ()

    def __mul__(self, local_derivative: float) -> Contribution:
        return Contribution(self.node, self.total, 1.0)


class WithoutUpstream(Tally):
    """The local derivative is handed on alone."""

    __slots__ = ()

    def __mul__(self, local_derivative: float) -> Contribution:
        return Contribution(self.node, 1.0, local_derivative)


class Adding(Tally):
    """Gradient and local derivative are added."""

    __slots__ = ()

    def __mul__(self, local_derivative: float) -> Contribution:
        return Contribution(self.node, 1.0, self.total + local_derivative)


class OwnFactor(Tally):
    """A product multiplies by the factor itself, not by the other one."""

    __slots__ = ()

    def __iadd__(self, contribution: Contribution) -> Tally:
        if contribution.consumer.primitive is rules.multiply:
            contribution = Contribution(contribution.consumer, contribution.upstream, self.node.data)
        return super().__iadd__(contribution)


class ValueForGradient(Tally):
    """The value of a node is handed on instead of its gradient."""

    __slots__ = ()

    def __mul__(self, local_derivative: float) -> Contribution:
        return Contribution(self.node, self.node.data, local_derivative)


def wrong_passes(log: Log, answered: Mapping[Value, float]) -> list[WrongPass]:
    """What comes out if one mistake is made at every node; what explains most of the wrong answers is first."""
    order = log.order
    wrong = {node: answer for node, answer in answered.items() if not agrees(answer, log.adjoints[node])}

    def given(told: str, tally: type[Tally] = Tally, visits: Sequence[Value] | None = None) -> WrongPass:
        adjoints = recorded_pass(order, 1.0, tally, visits)[1]
        return WrongPass(told, adjoints, sum(agrees(answer, adjoints[node]) for node, answer in wrong.items()))

    inner = [node for node in order if node.primitive is not None]
    passes = [
        given("only the last contribution was kept at each fork: contributions add up", Overwriting),
        given("that hands on local derivatives alone: multiply them by the gradient", WithoutUpstream),
        given("that hands gradients on unchanged: multiply them by the local derivative", WithoutLocal),
        given("that adds gradient and local derivative: multiply them", Adding),
        given("that multiplies each factor by itself: its local derivative is the other factor", OwnFactor),
        given("that hands on values instead of gradients", ValueForGradient),
        given("some node handed its gradient on before it was complete", visits=breadth_first(log)),
        given("that is the second of two passes with no zeroing between them", visits=[*inner, *inner]),
    ]
    if visits := revisiting(log):
        passes.append(given("nodes handed their gradients on again each time something arrived", visits=visits))
    return sorted(passes, key=lambda wrong_pass: -wrong_pass.explained)


def breadth_first(log: Log) -> list[Value]:
    """The visits of a walk that takes nodes as it meets them; the last one first, as `sweep` wants it."""
    met, waiting = {log.root}, [log.root]
    for node in waiting:  # it grows
        for contribution in log.departures.get(node, ()):
            if contribution.operand not in met:
                met.add(contribution.operand)
                waiting.append(contribution.operand)
    return [node for node in reversed(waiting) if node.primitive is not None]


def revisiting(log: Log) -> list[Value]:
    """The visits of a recursion that goes on from a node each time it is reached; none if they are too many."""
    visits: list[Value] = []
    waiting = [log.root]
    while waiting and len(visits) < MOST_VISITS:
        node = waiting.pop()
        if node.primitive is not None:
            visits.append(node)
            waiting.extend(contribution.operand for contribution in reversed(log.departures[node]))
    return visits[::-1] if not waiting else []
