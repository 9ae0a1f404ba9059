"""Step through a forward and a backward pass, both ways: `s = Stepper(y)`, then `s.next()`, `s.back()`, `s.goto("a")`.

What it shows comes from the event log (steps.py); what it adds is a position in it, and the gradients of the graph,
which hold at any moment what has arrived so far.
"""

from __future__ import annotations

from operator import index
from typing import TYPE_CHECKING, NamedTuple

from .mistakes import agrees, diagnosed, most_telling, usual_mistakes
from .notation import called
from .scalars import as_number, typed_number, with_article
from .steps import current_log
from .value import Value
from .wording import chain_rule, computed, listed, six, step_told, waiting, wrapped

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Literal

    from .mistakes import Mistake
    from .steps import Contribution, Step


class Stepper:
    """The passes of `root`, one node at a time. Forward, a node is computed; backward, it hands its gradient on.

    At any moment `x.grad` holds what has arrived at x so far: of this pass, and for a leaf also what it held before.
    At the end all is as `root.backward()` leaves it; at the start, and after `reset()`, as it was. Used in a `with`
    statement, it resets itself. What other passes leave in these gradients meanwhile is overwritten.

    Args:
        predict: ask for the next number before showing it, and recognise the usual mistakes. As an attribute, it can be
            set at any time.

    Raises:
        ValueError: for a leaf, which has no steps, and if data was set since the graph was recorded.

    >>> from autograd import Value, Stepper
    >>> a, b = Value(2.0, "a"), Value(3.0, "b")
    >>> c = a * b; c.label = "c"
    >>> e = c * (c + a); e.label = "e"
    >>> stepper = Stepper(e)
    >>> stepper.goto("c")
    c.grad = 14, complete
    a.grad += ∂e/∂c · ∂c/∂a = 14 × 3 = 42   (6 → 48)
        ∂c/∂a = b = 3; a is complete (2 of 2)
    b.grad += ∂e/∂c · ∂c/∂b = 14 × 2 = 28   (0 → 28)
        ∂c/∂b = a = 2; b is complete
    >>> a.grad
    48.0
    >>> stepper.back(); a.grad
    v1.grad = 6, complete
    c.grad += ∂e/∂v1 · ∂v1/∂c = 6 × 1 = 6   (8 → 14)
        ∂v1/∂c = 1; c is complete (2 of 2)
    a.grad += ∂e/∂v1 · ∂v1/∂a = 6 × 1 = 6   (0 → 6)
        ∂v1/∂a = 1; a waits for c (1 of 2)
    6.0
    """

    def __init__(self, root: Value, *, predict: bool = False) -> None:
        if not isinstance(root, Value):
            given = with_article(type(root).__name__)
            raise TypeError(f"Stepper takes the Value whose passes are to be stepped, not {given}")
        if root.primitive is None:
            raise ValueError(f"{called(root)} is a leaf: nothing was computed, so there are no steps")
        self._log = current_log(root)
        self.predict = predict
        self.ask: Callable[[str], str] = lambda question: input(question)
        self.tell: Callable[[str], None] = print
        self._position = 0
        self._held: dict[Value, float | None] = {}  # in the backward phase: the gradients from before it
        self._last: dict[Value, Contribution] = {}  # the latest contribution that each node got
        self._watched: list[Value] = []

    # ----- Where it is -----

    @property
    def position(self) -> int:
        """How many steps have been taken."""
        return self._position

    @property
    def current(self) -> Step | None:
        """The last step taken; None at the start."""
        return self.steps[self._position - 1] if self._position else None

    @property
    def steps(self) -> list[Step]:
        """All steps, forward and then backward."""
        return self._log.steps

    def __len__(self) -> int:
        return len(self.steps)

    def __bool__(self) -> bool:
        return True

    def __iter__(self) -> Iterator[Step]:
        """The steps that are left; each is taken when it is asked for."""
        return self

    # ----- Moving -----

    def next(self, *, answer: float | None = None) -> Step:
        """Take the next step.

        Args:
            answer: a prediction of the number that `predict` would ask for.

        Raises:
            StopIteration: at the end.
        """
        if self._position == len(self):
            raise StopIteration("this was the last step")
        step = self.steps[self._position]
        if self.predict or answer is not None:
            self.tell(self._predicted(step, None if answer is None else as_number(answer, "next()")))
        self._take(step)
        return step

    __next__ = next

    def back(self) -> Step | None:
        """Undo the last step: the gradients are as they were before it. Returns the step before.

        Raises:
            IndexError: at the start.
        """
        if not self._position:
            raise IndexError("this is the start: there is no step to go back")
        self._undo(self.steps[self._position - 1])
        return self.current

    def goto(self, where: int | Value | str) -> Step | None:
        """Go to a step by its number, or to where a node's gradient is complete and it hands it on.

        Args:
            where: a number of steps (0 is the start), a node of the graph, or its label. A leaf hands nothing on: its
                step is the one that completes it.

        Raises:
            IndexError: for a number that is no step.
            ValueError: for a node or label that is not in the graph, or a label that several nodes bear.
        """
        number = self._number(where)
        while self._position < number:
            self._take(self.steps[self._position])
        while self._position > number:
            self._undo(self.steps[self._position - 1])
        return self.current

    def run(self, phase: Literal["forward", "backward"] | None = None) -> Step | None:
        """Take all steps that are left, or those of the forward phase."""
        if phase not in (None, "forward", "backward"):
            raise ValueError(f'run takes "forward", "backward" or nothing, not {phase!r}')
        end = len(self) // 2 if phase == "forward" else len(self)
        return self.goto(max(end, self._position))

    def reset(self) -> None:
        """Back to the start; gradients are what they were."""
        self.goto(0)

    def __enter__(self) -> Stepper:
        return self

    def __exit__(self, *_: object) -> None:
        self.reset()

    def watch(self, x: Value | str) -> None:
        """Show the gradient of `x`, and whom it waits for, whenever this stepper is shown: `print(stepper)`."""
        node = self._node(x)
        if node not in self._watched:
            self._watched.append(node)

    # ----- What a step does to the graph -----

    def _take(self, step: Step) -> None:
        self._position += 1
        try:
            self._apply(step)
        except BaseException:  # Ctrl-C: a step is taken, or not
            self._undo(step)
            raise

    def _apply(self, step: Step) -> None:
        if step.node is self._log.root and step.phase == "backward":
            self._held = {node: node._grad for node in self._log.order}
            for node in self._log.order:
                if node.primitive is not None:
                    node._grad = None
            step.node._grad = step.adjoint
        for contribution in step.contributions:
            self._show(contribution.operand, contribution)

    def _undo(self, step: Step) -> None:
        for contribution in reversed(step.contributions) if self._held else ():
            heard = contribution.heard - 1
            arrivals = self._log.arrivals[contribution.operand]
            self._show(contribution.operand, arrivals[heard - 1] if heard else None)
        if step.node is self._log.root and step.phase == "backward" and self._held:
            for node in self._log.order:
                node._grad = self._held[node]
            self._held = {}
        self._position -= 1

    def _show(self, node: Value, last: Contribution | None) -> None:
        """Give `node` the gradient that it has after `last`, its latest contribution."""
        held = self._held.get(node) if node.primitive is None else None
        if last is None:
            self._last.pop(node, None)
            node._grad = held
        else:
            self._last[node] = last
            node._grad = last.after if held is None else held + last.after

    # ----- Predictions -----

    def _predicted(self, step: Step, answer: float | None) -> str:
        """Ask for the number of a step, unless it was answered already, and say what the answer shows."""
        question = _question(step)
        if answer is None and (answer := self._asked(question.text)) is None:
            return "not answered"
        if agrees(answer, question.truth, question.scale):
            return "right"
        return f"{six(answer)}? {diagnosed(answer, question.mistakes) or question.told}"

    def _asked(self, question: str) -> float | None:
        """The number that the user types; None for an empty line or the end of input."""
        while True:
            try:
                text = self.ask(question).strip()
            except (EOFError, NotImplementedError):  # nobody can answer, as where a notebook is run by a program
                return None
            if not text:
                return None
            try:
                return typed_number(text)
            except ValueError:
                question = "a number, please (an empty line shows it): "

    # ----- Finding places -----

    def _number(self, where: int | Value | str) -> int:
        if hasattr(where, "__index__") and not isinstance(where, bool):
            where = index(where)
            if not 0 <= where <= len(self):
                raise IndexError(f"there are steps 0 (the start) to {len(self)}, not {where}")
            return where
        node = self._node(where)
        speaker = self._log.arrivals[node][-1].consumer if node.primitive is None else node
        return self._log.backward_step[speaker]

    def _node(self, wanted: object) -> Value:
        if isinstance(wanted, Value):
            if wanted in self._log.name:
                return wanted
            raise ValueError(f"{called(wanted)} is no node of the graph of {self._root_name}")
        if not isinstance(wanted, str):
            raise TypeError(f"a node is given by itself or by its label; a step by its number; not by {wanted!r}")
        return self._log.find(wanted)

    @property
    def _root_name(self) -> str:
        return self._log.name[self._log.root]

    # ----- Showing -----

    def __repr__(self) -> str:
        step = self.current
        where = f"step {self._position} of {len(self)}, {step.phase}" if step else f"at the start of {len(self)} steps"
        lines = [f"Stepper of {self._root_name}: {where}"]
        if step:
            lines += ["  " + line for line in step_told(step)]
            lines += self._held_told(step)
        unfinished = [x for x in self._log.order if x in self._last and self._last[x].waiting]
        if unfinished:
            heard = [f"{self._log.name[x]} ({self._last[x].heard} of {len(self._log.arrivals[x])})" for x in unfinished]
            lines += wrapped(f"waiting: {listed(heard)}")
        for node in self._watched:
            lines += wrapped(self._watched_told(node))
        return "\n".join([*lines, *wrapped(self._coming())])

    def _held_told(self, step: Step) -> list[str]:
        """Leaves that this step contributes to, and that held something before this pass: their .grad has both."""
        leaves = dict.fromkeys(c.operand for c in step.contributions if c.operand.primitive is None)
        held = [
            f"{self._log.name[leaf]} held {six(number)}" for leaf in leaves if (number := self._held[leaf]) is not None
        ]
        return wrapped(f"before this pass: {listed(held)}; .grad has both", indent=2) if held else []

    def _watched_told(self, node: Value) -> str:
        grad = six(node.grad) if node.has_grad else "not computed"
        told = f"watched: {self._log.name[node]}.grad = {grad}"
        if not self._held:
            return told
        held = self._held[node] if node.primitive is None else None
        before = f", of which {six(held)} from before this pass" if held is not None else ""
        if node in self._last:
            return f"{told}{before}; {waiting(self._last[node])}"
        speakers = list(dict.fromkeys(self._log.name[c.consumer] for c in self._log.arrivals[node]))
        return f"{told}{before}; it waits for {listed(speakers)}" if speakers else told

    def _coming(self) -> str:
        if self._position == len(self):
            return "next: nothing, this is the end"
        step = self.steps[self._position]
        name = step.name[step.node]
        if step.phase == "forward":
            return f"next: {name} is computed from {_operands(step)}"
        if not self._held:
            return f"next: backward from {name}, whose gradient is the seed, {six(step.adjoint or 0.0)}"
        return f"next: {name} hands its gradient to {_operands(step)}"


def _operands(step: Step) -> str:
    return listed([step.name[x] for x in _values(step)])


def _values(step: Step) -> list[Value]:
    """The operands that are Values, each once."""
    return [x for x in dict.fromkeys(step.node.operands) if isinstance(x, Value)]


class Question(NamedTuple):
    """What a prediction is asked for."""

    text: str
    truth: float
    scale: float  # of the numbers that it comes of
    mistakes: list[Mistake]
    told: str  # what is true


def _question(step: Step) -> Question:
    name = step.name
    if step.phase == "forward":
        written, *in_numbers, _ = computed(step)
        given = "" if in_numbers else f" at {listed([f'{name[x]} = {six(x.data)}' for x in _values(step)])}"
        text = f"{name[step.node]} = {' '.join([written, *in_numbers])}{given} = ? "
        parts = [x * (local or 0.0) for x, local in zip(step.inputs, step.node.local_derivatives)]
        return Question(text, step.value, max(map(abs, parts)), [], f"{name[step.node]} is {six(step.value)}")
    asked = most_telling(step.contributions)
    text = (
        f"{name[asked.consumer]}.grad = {six(asked.upstream)}, {name[asked.consumer]} = {computed(step)[0]}; "
        f"{name[asked.operand]}.grad was {six(asked.before)} and becomes ? "
    )
    scale = max(abs(asked.before), abs(asked.amount))
    return Question(text, asked.after, scale, usual_mistakes(asked), " ".join(chain_rule(asked)))
