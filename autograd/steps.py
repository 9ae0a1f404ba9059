"""The event log of a pass: one `Step` per result, forward and then backward, which every view of a pass reads.

    log = Log(y)
    log.steps                       # forward: operands in, value out; backward: adjoint in, contributions out
    log.adjoints[x]                 # what backward() gives x, bit for bit
    log.arrivals[x]                 # the contributions that add up to it, in the order in which they arrive

The log is no second telling of the chain rule: `sweep`, the one that backward() runs, writes it. It is run on a shadow
of the graph, whose adjoints keep a record of what is added to them; the graph itself is only read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .graph import label_of, names, nodes, stale, stale_told
from .notation import derivative_rules, derivative_symbol, label_shown
from .value import sweep
from .wording import listed, step_told

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any, Literal

    from .value import Value


class Contribution:
    """What a backward step hands to one operand: the step's adjoint times the local derivative on that edge."""

    __slots__ = (
        "after",  # what the operand's adjoint is then
        "amount",  # upstream * local_derivative
        "before",  # what the operand's adjoint was
        "consumer",  # the node whose step it is
        "consumers",  # all that contribute to the operand, in the order in which they do; x * x is there twice
        "heard",  # how many of them have contributed by now
        "local_derivative",
        "name",  # what every node is called
        "operand",
        "slot",  # which operand of the consumer it is
        "upstream",  # the consumer's adjoint
    )

    def __init__(self, consumer: Value, upstream: float, local_derivative: float) -> None:
        self.consumer = consumer
        self.upstream = upstream
        self.local_derivative = local_derivative
        self.amount = upstream * local_derivative
        self.slot = self.heard = 0
        self.before = self.after = 0.0
        self.operand: Value = consumer
        self.consumers: tuple[Value, ...] = ()
        self.name: dict[Value, str] = {}

    @property
    def waiting(self) -> int:
        """How many contributions the operand still waits for."""
        return len(self.consumers) - self.heard

    @property
    def symbol(self) -> str:
        """`∂a/∂x`; `∂y/∂x[2]` for the second x of x * x."""
        return derivative_symbol(self.consumer, self.slot, self.name)[0]

    @property
    def rule(self) -> str:
        """The local derivative as a formula in the names of the nodes: `z` for that of x * z by x."""
        return derivative_rules(self.consumer, (self.slot,), self.name)[0].plain

    def __repr__(self) -> str:
        consumer, operand = self.name[self.consumer], self.name[self.operand]
        return f"<Contribution of {consumer} to {operand}: {self.amount!r}>"


class Step:
    """One node's part in a pass. Forward it is computed from its operands; backward it contributes to theirs."""

    __slots__ = ("adjoint", "contributions", "inputs", "name", "node", "number", "phase", "value")

    def __init__(
        self,
        number: int,
        phase: Literal["forward", "backward"],
        node: Value,
        name: dict[Value, str],
        adjoint: float | None = None,
        contributions: tuple[Contribution, ...] = (),
    ) -> None:
        self.number = number  # from 1, through both phases
        self.phase = phase
        self.node = node
        self.name = name
        self.inputs = [x if type(x) is float else x.data for x in node.operands]  # type: ignore[union-attr]
        self.value = node.data
        self.adjoint = adjoint  # None in the forward phase
        self.contributions = contributions

    def __repr__(self) -> str:
        return "\n".join(step_told(self))


class Log:
    """All steps of the pass of `root`, and what they amount to.

    Args:
        seed: the gradient that `root` starts with.

    >>> from autograd import Value
    >>> x = Value(3.0, "x")
    >>> log = Log(x * x)
    >>> log.steps
    [v1 = x * x = 3 * 3 = 9, v1.grad = 1, the seed: ∂v1/∂v1
    x.grad += ∂v1/∂v1 · ∂v1/∂x = 1 × 3 = 3   (0 → 3)
        ∂v1/∂x[1] = x = 3; x waits for v1 (1 of 2)
    x.grad += ∂v1/∂v1 · ∂v1/∂x = 1 × 3 = 3   (3 → 6)
        ∂v1/∂x[2] = x = 3; x is complete (2 of 2)]
    >>> log.adjoints[x]
    6.0
    """

    def __init__(self, root: Value, seed: float = 1.0) -> None:
        self.root = root
        self.order = nodes(root)
        self.name = names(self.order, label_shown)
        contributions, self.adjoints = recorded_pass(self.order, seed)
        self.arrivals: dict[Value, list[Contribution]] = {node: [] for node in self.order}
        self.departures: dict[Value, list[Contribution]] = {node: [] for node in self.order if node.primitive}
        for contribution in contributions:
            self.departures[contribution.consumer].append(contribution)
            self.arrivals[contribution.operand].append(contribution)
        self._complete()
        results = list(self.departures)
        #: In which backward step a node hands its gradient on.
        self.backward_step = {node: 2 * len(results) - i for i, node in enumerate(results)}
        self.steps = [Step(i, "forward", node, self.name) for i, node in enumerate(results, 1)]
        for node in reversed(results):
            handed = tuple(self.departures[node])
            self.steps.append(Step(self.backward_step[node], "backward", node, self.name, self.adjoints[node], handed))

    def called(self, wanted: str) -> list[Value]:
        """The nodes that bear a label, or else the one that is shown by that name, such as v1."""
        labelled = [node for node in self.order if wanted and label_of(node) == wanted]
        return labelled or [node for node, name in self.name.items() if name == wanted]

    def find(self, wanted: str) -> Value:
        """The one node that is called so.

        Raises:
            ValueError: if there is none, or several bear the label.
        """
        found = self.called(wanted)
        if len(found) == 1:
            return found[0]
        if found:
            kinds = {x: f"step {self.backward_step[x]}" if x.primitive else "leaf" for x in found}
            candidates = listed([f"{self.name[x]} ({kind})" for x, kind in kinds.items()])
            raise ValueError(f"{len(found)} nodes are labelled {wanted!r}: {candidates}; give the Value that is meant")
        raise ValueError(f"no node is called {wanted!r}; there are {listed(list(self.name.values()))}")

    def _complete(self) -> None:
        """What a contribution can know only when all have been made."""
        for arrivals in self.arrivals.values():
            consumers = tuple([contribution.consumer for contribution in arrivals])
            for heard, contribution in enumerate(arrivals, 1):
                contribution.consumers, contribution.heard, contribution.name = consumers, heard, self.name
        for node, departures in self.departures.items():
            moving = [slot for slot, local in enumerate(node.local_derivatives) if local is not None]
            for slot, contribution in zip(moving, departures):
                contribution.slot = slot


def current_log(root: Value) -> Log:
    """The log of a graph that is up to date.

    Raises:
        ValueError: if data was set since it was recorded; its local derivatives belong to other numbers then.
    """
    log = Log(root)
    if late := stale(log.order):
        raise ValueError(stale_told(late, root))
    return log


class Tally:
    """An adjoint that keeps a record of what is added to it. To `sweep` it is a number."""

    __slots__ = ("node", "record", "total")

    def __init__(self, node: Value, record: list[Contribution]) -> None:
        self.node = node
        self.record = record
        self.total = 0.0

    def __mul__(self, local_derivative: float) -> Contribution:
        return Contribution(self.node, self.total, local_derivative)

    def __iadd__(self, contribution: Contribution) -> Tally:
        contribution.operand, contribution.before = self.node, self.total
        self.total += contribution.amount
        contribution.after = self.total
        self.record.append(contribution)
        return self


class Shadow:
    """What `sweep` looks at of a node; it can be marked without touching the node."""

    __slots__ = ("_grad", "_left", "_left_partial", "_right", "_right_partial")

    _grad: Any
    _left: Any
    _left_partial: Any
    _right: Any
    _right_partial: Any


def shadows(order: list[Value]) -> dict[Value, Any]:
    """A shadow for every node, connected as the nodes are. `order` has operands before results."""
    shadow: dict[Any, Any] = {}
    for node in order:
        twin = shadow[node] = Shadow()
        twin._left_partial, twin._right_partial = node._left_partial, node._right_partial
        if type(node._right_partial) is tuple:
            twin._left, twin._right = None, tuple([shadow[operand] for operand in node._right])
        else:
            twin._left = None if node._left_partial is None else shadow[node._left]
            twin._right = None if node._right_partial is None else shadow[node._right]
    return shadow


def adjoints(root: Value, seed: float = 1.0) -> dict[Value, float]:
    """The adjoints of the graph of `root`, in numbers alone; the graph is left as it is."""
    order = nodes(root)
    shadow = shadows(order)
    for twin in shadow.values():
        twin._grad = 0.0
    shadow[root]._grad = seed
    sweep([shadow[node] for node in order if node.primitive is not None])
    return {node: twin._grad for node, twin in shadow.items()}


def recorded_pass(
    order: list[Value], seed: float = 1.0, tally: type[Tally] = Tally, visits: Sequence[Value] | None = None
) -> tuple[list[Contribution], dict[Value, float]]:
    """The contributions of a backward pass in the order in which they are made, and the adjoints that they give.

    Args:
        tally: how adjoints add up, and `visits`, which nodes hand on what they have, the last first: for passes that
            are wrong on purpose.
    """
    record: list[Contribution] = []
    shadow = shadows(order)
    for node, twin in shadow.items():
        twin._grad = tally(node, record)
    shadow[order[-1]]._grad.total = seed
    inner = [node for node in order if node.primitive is not None] if visits is None else visits
    sweep([shadow[node] for node in inner])
    return record, {node: twin._grad.total for node, twin in shadow.items()}
