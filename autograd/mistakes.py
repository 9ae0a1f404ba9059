"""The usual mistakes in a gradient, recognised by the number that they give.

    agrees(8, truth)                              # right, to the digits that were given
    diagnosed(8, usual_mistakes(contribution))    # "8 is the contribution of e alone: it adds to ..."

Each mistake is what someone computes instead of `before + upstream * local derivative`; a number that two ways of
computing give, one of them right, tells nothing and is left out.
"""

from __future__ import annotations

from decimal import Decimal
from math import isfinite
from typing import TYPE_CHECKING, NamedTuple

from .notation import derivative_of
from .steps import Contribution, Tally, recorded_pass
from .wording import listed, six

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from .steps import Log
    from .value import Value

#: An answer is right to as many digits as it has, but to as many as this at least.
FEWEST_DIGITS = 3

#: Operands whose local derivatives may have been mixed up: so many are looked at.
MOST_OPERANDS = 8


class Mistake(NamedTuple):
    """A wrong number and what it is."""

    answer: float
    told: str


def agrees(answer: float, truth: float) -> bool:
    """Whether an answer is right to the digits that it has, rounded or cut off; three digits at least.

    >>> agrees(404.85, 404.853739609282), agrees(405, 404.853739609282), agrees(404.8, 404.853739609282)
    (True, True, True)
    >>> agrees(404.7, 404.853739609282), agrees(48.2, 48.0)
    (False, False)
    """
    if not (isfinite(answer) and isfinite(truth)):
        return answer == truth or (answer != answer and truth != truth)
    if answer == 0:
        return abs(truth) < 1e-12
    _, digits, exponent = Decimal(repr(float(answer))).normalize().as_tuple()
    assert isinstance(exponent, int)  # it is a letter for nan and infinity alone
    last = exponent - max(0, FEWEST_DIGITS - len(digits))
    return abs(answer - truth) < max(10.0**last, 1e-9 * abs(truth)) * (1 + 1e-9)


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
        Mistake(before + upstream + local, f"{speaker}.grad and {symbol} are multiplied; sums are for forks"),
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
    consumer, name = contribution.consumer, contribution.name
    found = []
    for slot, (operand, local) in enumerate(zip(consumer.operands, consumer.local_derivatives)):
        if slot != contribution.slot and local is not None and type(operand) is not float:
            symbol = derivative_of(name[consumer], name[operand])[0]  # type: ignore[index]
            found.append((local, f"that multiplies by {symbol} = {six(local)}, which belongs to another operand"))
    return found[:MOST_OPERANDS]


def most_telling(contributions: Sequence[Contribution]) -> Contribution:
    """The contribution to ask for: the one where the most mistakes give a number of their own."""
    return max(contributions, key=lambda contribution: len({m.answer for m in usual_mistakes(contribution)}))


# ----- Mistakes in the whole gradient of a node -----


def mistakes_in_adjoint(log: Log, node: Value, answered: Mapping[Value, float]) -> list[Mistake]:
    """What is given instead of a node's adjoint.

    Args:
        answered: what was given for the adjoints of other nodes; a number that follows from a wrong one is told apart.
    """
    name, truth = log.name[node], log.adjoints[node]
    arrivals = log.arrivals[node]
    if node is log.root:
        return [Mistake(node.data, f"that is the value of {name}; it moves by 1 per unit of itself")]
    found = [Mistake(node.data, f"that is the value of {name}, not its gradient")]
    found += _ways(log, arrivals, [contribution.upstream for contribution in arrivals])
    wrong = [c.consumer for c in arrivals if not agrees(answered.get(c.consumer, c.upstream), c.upstream)]
    if wrong:
        from_yours = f", with your number for {listed([log.name[consumer] for consumer in dict.fromkeys(wrong)])}"
        own = [answered.get(c.consumer, c.upstream) for c in arrivals]
        right_from_wrong = sum(upstream * c.local_derivative for upstream, c in zip(own, arrivals))
        found.append(Mistake(right_from_wrong, f"the step is right{from_yours}, which is not"))
        found += [Mistake(m.answer, m.told + from_yours) for m in _ways(log, arrivals, own)]
    found += [Mistake(adjoints[node], told) for told, adjoints in _wrong_passes(log)]
    return [m for m in found if isfinite(m.answer) and not agrees(m.answer, truth)]


def _ways(log: Log, arrivals: list[Contribution], upstreams: list[float]) -> Iterator[Mistake]:
    """Wrong sums of the contributions of one node."""
    name, node = log.name[arrivals[0].operand], arrivals[0].operand
    speakers = listed([log.name[c.consumer] for c in arrivals])
    locals_ = [c.local_derivative for c in arrivals]
    amounts = [upstream * local for upstream, local in zip(upstreams, locals_)]
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
    yield Mistake(sum(locals_), f"that has the local derivatives alone: multiply each by the gradient of {speakers}")
    yield Mistake(sum(upstreams), f"that is the gradient of {speakers} unchanged: multiply by the local derivative")
    yield Mistake(sum(upstreams) + sum(locals_), "gradient and local derivative are multiplied; sums are for forks")
    yield Mistake(node.data * sum(upstreams), f"that multiplies by {name} itself, not by the local derivative")
    by_values = sum(c.consumer.data * local for c, local in zip(arrivals, locals_))
    yield Mistake(by_values, f"that takes the value of {speakers} for its gradient")
    for c, upstream, amount in zip(arrivals, upstreams, amounts):
        for other, told in _other_locals(c):
            yield Mistake(total - amount + upstream * other, told)
    yield Mistake(2 * total, "that is twice too much")
    yield Mistake(total / 2, "that is half of it")


class _Overwriting(Tally):
    """The last contribution replaces those before it: `=` for `+=`."""

    __slots__ = ()

    def __iadd__(self, contribution: Contribution) -> Tally:
        self.total = 0.0
        return super().__iadd__(contribution)


class _WithoutLocal(Tally):
    """The gradient is handed on unchanged."""

    __slots__ = ()

    def __mul__(self, local_derivative: float) -> Contribution:
        return Contribution(self.node, self.total, 1.0)


class _OwnFactor(Tally):
    """The gradient is multiplied by the operand itself."""

    __slots__ = ()

    def __iadd__(self, contribution: Contribution) -> Tally:
        return super().__iadd__(Contribution(contribution.consumer, contribution.upstream, self.node.data))


#: Mistakes made at every node: what comes out, and what they are.
WRONG_PASSES = {
    "that comes out if at every fork only the last contribution is kept: they add up": _Overwriting,
    "that comes out if no local derivative is multiplied by": _WithoutLocal,
    "that comes out if each operand is multiplied by itself instead of the local derivative": _OwnFactor,
}


def _wrong_passes(log: Log) -> list[tuple[str, dict[Value, float]]]:
    return [(told, recorded_pass(log.order, 1.0, tally)[1]) for told, tally in WRONG_PASSES.items()]
