"""The classic mistakes of an engine, each as a way of making this one wrong: `find("overwrites")`, `names()`.

A mistake is either one of the pass, which any graph may show, or one in the rule or the step of a primitive: "tanh:
sign". `breaking` and `compare` (lab.py) make them, the grader knows the engines of others by them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import rules
from .mistakes import Adding, Overwriting, ValueForGradient, WithoutLocal, WithoutUpstream, breadth_first, revisiting
from .primitives import PRIMITIVES
from .steps import Contribution, Log, Tally, shadows
from .value import Value, sweep

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import Any

    from .primitives import Primitive
    from .steps import Shadow

    Partials = Sequence[float | None]


class Mutation:
    """A mistake that an engine can make: its name, and what is wrong in words."""

    #: Whether backward() makes it, or the operations that are recorded.
    in_pass = False
    #: How many passes over one graph it takes to see it.
    passes = 1
    #: The primitive whose rule or step is wrong; None if all are.
    primitive: Primitive | None = None

    def __init__(self, name: str, told: str) -> None:
        self.name = name
        self.told = told

    def __repr__(self) -> str:
        return f"<mutation {self.name!r}: {self.told}>"

    @property
    def sentence(self) -> str:
        """What is wrong, and where."""
        return self.told if self.primitive is None else f"{self.primitive.name}: {self.told}"

    def __reduce__(self) -> tuple[Any, ...]:
        return find, (self.name,)

    def broken(self, primitive: Primitive, numbers: Sequence[float], out: float, partials: Partials) -> Partials:
        """The local derivatives that are recorded."""
        return partials

    def backward(self, root: Value, seed: float) -> None:
        """What `root.backward(seed)` does; asked for if it is a mistake of the pass."""
        raise NotImplementedError

    def missing_in(self, order: list[Value]) -> str:
        """Why a graph does not show it, if something is missing there."""
        return ""


# ----- Mistakes of the pass -----


class BrokenPass(Mutation):
    """A backward pass with a mistake. It is run on a shadow of the graph, by the `sweep` that is always used.

    Args:
        tally: how contributions are made and added up.
        visits: which nodes hand on what they have, the last one first.
        spoil: changes the edges of a node's shadow.
        seed: what the gradient that the root starts with is multiplied by.
        keeps: whether results start with what they hold already.
    """

    in_pass = True

    def __init__(
        self,
        name: str,
        told: str,
        *,
        tally: type[Tally] = Tally,
        visits: Callable[[Log], list[Value]] | None = None,
        spoil: Callable[[Value, Shadow], None] | None = None,
        seed: float = 1.0,
        keeps: bool = False,
        missing: str = "",
    ) -> None:
        super().__init__(name, told)
        self._tally, self.visits, self._spoil, self._seed, self._keeps = tally, visits, spoil, seed, keeps
        self._missing = missing
        self.passes = 2 if keeps else 1

    def backward(self, root: Value, seed: float) -> None:
        """Give every node the gradient that the wrong pass gives it."""
        self.run(root, seed)

    def run(self, root: Value, seed: float = 1.0) -> list[Contribution]:
        """The pass, and what was handed on in it, in that order."""
        log, record = Log(root), list[Contribution]()
        shadow = shadows(log.order)
        for node, twin in shadow.items():
            twin._grad = self._tally(node, record)
            if node.primitive is None or self._keeps:
                twin._grad.total = node.grad
            if node.primitive is not None and self._spoil:
                self._spoil(node, twin)
        held = 0.0 if root.primitive is not None else root.grad
        shadow[root]._grad.total = held + seed * self._seed
        visits = list(log.departures) if self.visits is None else self.visits(log)
        sweep([shadow[node] for node in visits])
        for node, twin in shadow.items():
            node._grad = twin._grad.total
        return record

    def missing_in(self, order: list[Value]) -> str:
        """What it takes to see it, where that is not just another graph."""
        return self._missing


class _FlippingSigns(Tally):
    """What is handed on has the wrong sign."""

    __slots__ = ()

    def __mul__(self, local_derivative: float) -> Contribution:
        return Contribution(self.node, self.total, -local_derivative)


def _inputs_first(log: Log) -> list[Value]:
    """The results in their order, which is the wrong way round for a backward pass."""
    return list(log.departures)[::-1]


def _depth_first(log: Log) -> list[Value]:
    """The visits of a walk that hands on at once, before it goes into the operands; each node once."""
    met: dict[Value, None] = {}
    waiting = [log.root]
    while waiting:
        node = waiting.pop()
        if node.primitive is not None and node not in met:
            met[node] = None
            waiting.extend(contribution.operand for contribution in reversed(log.departures[node]))
    return list(met)[::-1]


def _every_visit(log: Log) -> list[Value]:
    """The visits of a recursion that never looks whether it has been there."""
    visits = revisiting(log)
    if not visits and log.root.primitive is not None:
        raise ValueError("a naive recursion makes more than 10000 visits in this graph: take a smaller one")
    return visits


def _with_data_of_now(node: Value, twin: Shadow) -> None:
    """The local derivatives, from the numbers that the operands have by now."""
    assert node.primitive is not None
    numbers = [x.data if isinstance(x, Value) else x for x in node.operands]
    partials = node.primitive.evaluate(node.operands, numbers)[1]
    if type(twin._right_partial) is tuple:
        twin._right_partial = tuple(partial for partial in partials if partial is not None)
    else:
        twin._left_partial, twin._right_partial = [*partials, None][:2]


def _each_operand_once(node: Value, twin: Shadow) -> None:
    """The edges as a set of operands has them: x * x has one."""
    if type(twin._right_partial) is tuple:
        once = dict(zip(twin._right, twin._right_partial))
        twin._right, twin._right_partial = tuple(once), tuple(once.values())
    elif twin._right is twin._left:
        twin._right = twin._right_partial = None


def _constants_ignored(node: Value, twin: Shadow) -> None:
    """A product with a constant, or a quotient by one, hands its gradient on unchanged."""
    if node.primitive in (rules.multiply, rules.divide):
        left, right = node.operands
        if type(right) is float:
            twin._left_partial = 1.0
        elif type(left) is float:
            twin._right_partial = 1.0


_SET_DATA = "it shows where data was set after recording: set the .data of a leaf, and compare again"

PASSES = (
    BrokenPass("overwrites", "`=` stands for `+=`: of several contributions, the last one is kept", tally=Overwriting),
    BrokenPass("forgets upstream", "local derivatives are handed on alone, not times gradients", tally=WithoutUpstream),
    BrokenPass("forgets local", "gradients are handed on unchanged, not times local derivatives", tally=WithoutLocal),
    BrokenPass("adds the factors", "gradient and local derivative are added, not multiplied", tally=Adding),
    BrokenPass("hands on values", "a node hands on its value times the local derivative", tally=ValueForGradient),
    BrokenPass("flips signs", "whatever is handed on has the wrong sign", tally=_FlippingSigns),
    BrokenPass("no seed", "the root starts with a gradient of 0, so that nothing arrives anywhere", seed=0.0),
    BrokenPass("inputs first", "nodes hand on in the order in which they were made", visits=_inputs_first),
    BrokenPass(
        "breadth first", "nodes hand on level by level from the root, before all has arrived", visits=breadth_first
    ),
    BrokenPass(
        "depth first", "a node hands on as soon as a walk from the root meets it, and never again", visits=_depth_first
    ),
    BrokenPass(
        "every visit", "a recursion without topological order hands on again at each visit", visits=_every_visit
    ),
    BrokenPass("no zeroing", "a second pass starts with what results hold from the first one", keeps=True),
    BrokenPass(
        "reads changed data",
        "local derivatives are computed by backward(), from whatever the data is by then",
        spoil=_with_data_of_now,
        missing=_SET_DATA,
    ),
    BrokenPass("operands as a set", "an operand that stands twice, as in x * x, counts once", spoil=_each_operand_once),
    BrokenPass("constants ignored", "2 * x and x / 2 hand their gradient on unchanged", spoil=_constants_ignored),
)


# ----- Mistakes in a rule -----


def _in_one(primitive: Primitive, mistaken: type[Tally]) -> type[Tally]:
    """The mistake of a tally, in what one primitive hands on."""

    class InOne(mistaken):  # type: ignore[misc, valid-type]
        __slots__ = ()

        def __mul__(self, local_derivative: float) -> Contribution:
            kind = mistaken if self.node.primitive is primitive else Tally
            return kind.__mul__(self, local_derivative)

        def __iadd__(self, contribution: Contribution) -> Tally:
            kind = mistaken if contribution.consumer.primitive is primitive else Tally
            return kind.__iadd__(self, contribution)

    return InOne


class BrokenStep(BrokenPass):
    """A mistake in the backward step of one primitive."""

    def __init__(self, primitive: Primitive, kind: str, told: str, tally: type[Tally]) -> None:
        super().__init__(f"{primitive.name}: {kind}", told, tally=_in_one(primitive, tally))
        self.primitive = primitive

    def missing_in(self, order: list[Value]) -> str:
        """The primitive, if the graph has none of it."""
        return _none_of(self.primitive, order)


def _none_of(primitive: Primitive | None, order: list[Value]) -> str:
    return (
        ""
        if primitive is None or any(node.primitive is primitive for node in order)
        else f"this graph has no {primitive.name}"
    )


class BrokenRule(Mutation):
    """A wrong rule of one primitive: its local derivatives are recorded wrongly."""

    def __init__(self, primitive: Primitive, kind: str, told: str, change: Callable[..., list[float]]) -> None:
        super().__init__(f"{primitive.name}: {kind}", told)
        self.primitive = primitive
        self._change = change

    def broken(self, primitive: Primitive, numbers: Sequence[float], out: float, partials: Partials) -> Partials:
        """The wrong ones, if it is this primitive; a constant keeps having none."""
        if primitive is not self.primitive:
            return partials
        right = [0.0 if partial is None else partial for partial in partials]
        wrong = self._change(numbers, out, right)
        return [None if old is None else float(new) for old, new in zip(partials, wrong)]

    def missing_in(self, order: list[Value]) -> str:
        """The primitive, if the graph has none of it."""
        return _none_of(self.primitive, order)


def _scaled(factor: float) -> Callable[..., list[float]]:
    return lambda numbers, out, right: [factor * partial for partial in right]


def _swapped(primitive: Primitive) -> Callable[..., list[float]]:
    def change(numbers: Sequence[float], out: float, right: list[float]) -> list[float]:
        try:
            return [primitive.partials[1](*numbers, out), primitive.partials[0](*numbers, out)]
        except (ValueError, ArithmeticError):  # such as the logarithm of a negative base
            return right[::-1]

    return change


def _at(slot: int, rule: Callable[..., float]) -> Callable[..., list[float]]:
    """One of the local derivatives by another rule."""

    def change(numbers: Sequence[float], out: float, right: list[float]) -> list[float]:
        return [*right[:slot], rule(*numbers, out), *right[slot + 1 :]]

    return change


def _swapped_dot(numbers: Sequence[float], out: float, right: list[float]) -> list[float]:
    of_weights, of_inputs, of_bias = rules.parts_of_dot(right)
    return [*of_inputs, *of_weights, of_bias]


def _whole(numbers: Sequence[float], out: float, right: list[float]) -> list[float]:
    return [1.0] * len(right)


def _shares(numbers: Sequence[float], out: float, right: list[float]) -> list[float]:
    return [1 / len(right)] * len(right)


#: What else goes wrong in one rule: the primitive, the kind of mistake, what is wrong in words, the wrong rule.
BY_HAND: tuple[tuple[str, str, str, Callable[..., list[float]]], ...] = (
    ("subtract", "as a sum", "the second operand receives the gradient with its sign", _at(1, lambda x, y, out: 1.0)),
    ("divide", "square dropped", "by the denominator it is -x / y, not -x / y²", _at(1, lambda x, y, out: -x / y)),
    ("divide", "sign dropped", "by the denominator it has lost its minus", _at(1, lambda x, y, out: out / y)),
    ("power", "exponent dropped", "the exponent is not a factor", _at(0, lambda x, y, out: x ** (y - 1))),
    ("power", "exponent kept", "the exponent is not lowered by one", _at(0, lambda x, y, out: y * out)),
    ("power", "logarithm dropped", "by the exponent it lacks the logarithm", _at(1, lambda x, y, out: out)),
    ("exp", "power rule", "treated as a power, x * exp(x - 1)", _at(0, lambda x, out: x * rules.exp(x - 1))),
    ("exp", "the operand", "the operand is taken for the output", _at(0, lambda x, out: x)),
    ("log", "over the output", "one over the output, not over the operand", _at(0, lambda x, out: 1 / (out or 1.0))),
    ("sqrt", "two dropped", "one over the output, not over twice the output", _at(0, lambda x, out: 1 / (out or 1.0))),
    ("sin", "the output", "the output is taken for the slope", _at(0, lambda x, out: out)),
    ("cos", "the output", "the output is taken for the slope", _at(0, lambda x, out: out)),
    ("tanh", "square dropped", "1 - out, the output not squared", _at(0, lambda x, out: 1 - out)),
    ("tanh", "of the operand", "one minus the operand squared, not the output", _at(0, lambda x, out: 1 - x * x)),
    ("sigmoid", "half of it", "the slope is the output alone", _at(0, lambda x, slope, out: slope * out)),
    ("sigmoid", "of the operand", "x * (1 - x) for out * (1 - out)", _at(0, lambda x, slope, out: slope * x * (1 - x))),
    ("relu", "always open", "the gradient goes through on both sides", _at(0, lambda x, out: 1.0)),
    ("relu", "the wrong side", "it is open where the operand is negative", _at(0, lambda x, out: float(x < 0))),
    ("relu", "the output", "the output is taken for the slope", _at(0, lambda x, out: out)),
    ("maximum", "both", "both operands take the whole gradient", _whole),
    ("minimum", "both", "both operands take the whole gradient", _whole),
    ("mean", "as a sum", "each operand takes the whole gradient, not its share", _whole),
    ("sum", "as a mean", "each operand takes a share of the gradient, not all of it", _shares),
    ("dot", "swapped", "weights receive what inputs should, and the other way round", _swapped_dot),
)

#: The mistakes of the pass that can be made in the step of one primitive alone.
STEPS = (
    ("overwrites", "`=` stands for `+=` where it hands on", Overwriting),
    ("forgets upstream", "it hands on its local derivatives alone, not times its gradient", WithoutUpstream),
    ("forgets local", "it hands its gradient on unchanged, not times the local derivative", WithoutLocal),
    ("adds the factors", "it adds its gradient and the local derivative, where they are to be multiplied", Adding),
)


def in_rule(primitive: Primitive) -> Iterator[BrokenRule | BrokenStep]:
    """The mistakes in the rule of a primitive that are worth showing. One that is flat everywhere has none."""
    if primitive.name in ("sign", "step", "share"):
        return
    yield BrokenRule(primitive, "sign", "local derivatives have the wrong sign", _scaled(-1.0))
    yield BrokenRule(primitive, "factor 2", "local derivatives are twice as large", _scaled(2.0))
    if primitive.binary and primitive is not rules.add:
        told = "each operand receives what belongs to the other one"
        yield BrokenRule(primitive, "swapped", told, _swapped(primitive))
    for name, kind, told, change in BY_HAND:
        if name == primitive.name:
            yield BrokenRule(primitive, kind, told, change)
    for kind, told, tally in STEPS:
        yield BrokenStep(primitive, kind, told, tally)


def names() -> list[str]:
    """The names of all mistakes: those of the pass, then those in the rules of the primitives.

    >>> names()[:3], "tanh: square dropped" in names()
    (['overwrites', 'forgets upstream', 'forgets local'], True)
    """
    in_rules = [mutation.name for primitive in PRIMITIVES.values() for mutation in in_rule(primitive)]
    return [mutation.name for mutation in PASSES] + in_rules


def find(mutation: str | Mutation | None) -> Mutation:
    """The mistake of that name.

    Raises:
        ValueError: if there is none; it lists those that there are.
    """
    if isinstance(mutation, Mutation):
        return mutation
    primitive = PRIMITIVES.get(mutation.partition(":")[0]) if isinstance(mutation, str) else None
    known = list(in_rule(primitive)) if primitive is not None else [*PASSES]
    for candidate in known:
        if candidate.name == mutation:
            return candidate
    listing = ", ".join(repr(candidate.name) for candidate in known)
    if primitive is not None:
        raise ValueError(f"no mistake is called {mutation!r}; for {primitive.name} there are {listing or 'none'}")
    given = "a mistake has to be named" if mutation is None else f"no mistake is called {mutation!r}"
    in_rules = "or one in a rule, such as 'tanh: sign' (autograd.lab.names() lists them)"
    raise ValueError(f"{given}; take one of the pass: {listing}; {in_rules}")
