"""Exercises that check answers: a wrong one is told what it looks like and where to look, never what is right.

    exercise = Exercise.of_gradients(e, [a, b])     # from a recorded graph
    exercise.check({"a": 18, "b": 12})              # "a: 18? only the last contribution was kept at each fork: ..."
    exercise.hint()                                 # the next hint, each time
    exercise.solution()                             # after an attempt

An answer may be a number, a word, several numbers by name or in a list, the blanks of a table, or a function. All of it
prints in a terminal and shows itself in a notebook. What answers are worth is in answers.py, what is said of them in
feedback.py.
"""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING

from .answers import BY_DIFFERENCE, EXACT, Function, Gradients, Judge, Numbers, Sheet, Word
from .checks import central_difference
from .drawing import draw
from .explanations import explain
from .feedback import NOTHING_YET, QUESTION_BORDER, Feedback, Said, Worked, boxed, is_blank
from .notation import expression, one_line
from .scalars import with_article
from .steps import Log, current_log
from .tables import table
from .value import Value
from .wording import listed, six

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence
    from typing import Any


#: So many nodes are told one after the other; a graph of more is not one to be done by hand.
MOST_ORDERED = 12


class Exercise:
    """A question that knows its answer, the usual wrong ones, hints and a solution.

    `Exercise.of_gradients`, `of_table`, `of_function` and `of_derivative` make one from a graph or a function, and
    `of_judge` from whatever tells right from wrong.

    Args:
        question: what is asked.
        answer: a number, a word, or a dictionary of numbers by name.
        mistakes: wrong answers and what to look at; `{4: "one arrow of x * x is missing"}`; by name, if there are
            several numbers.
        hints: the first one gives away least.
        solution: how one comes to the answer; it is shown with the answer.

    Raises:
        ValueError: if one of the mistakes is the right answer.

    >>> mistakes = {4: "count the arrows that leave x", 6: "there is a short path from x to y, too"}
    >>> exercise = Exercise("y = x * x + x. What is the gradient of y by x, at x = 3?", 7, mistakes=mistakes)
    >>> exercise.check(...)
    Nothing to check yet: put your answer where the ... is.
    >>> exercise.check(4)
    4? count the arrows that leave x
    >>> exercise.check(-7)
    −7? the sign is turned
    >>> bool(exercise.check(7))
    True
    """

    def __init__(
        self,
        question: str,
        answer: Any,
        *,
        mistakes: Mapping[Any, Any] | None = None,
        hints: Sequence[str] = (),
        solution: str = "",
    ) -> None:
        if is_blank(answer):
            raise ValueError("an exercise needs its answer: a number, a word, or a dictionary of numbers by name")
        judge = Numbers(answer, mistakes or {}) if not isinstance(answer, str) else Word(answer, mistakes or {})
        self._set(question, judge, hints, "\n".join(part for part in (solution, judge.told()) if part))

    def _set(self, question: str, judge: Any, hints: Sequence[str], solution: str, figure: Value | None = None) -> None:
        if isinstance(hints, str):
            raise TypeError(f"hints is a list of texts, not a text: write [{one_line(repr(hints))}]")
        self.question = question
        self.hints = list(hints)
        self.attempts = 0
        self._judge = judge
        self._solution = solution
        self._hinted = 0
        self._figure = figure

    @classmethod
    def _made(cls, *parts: Any) -> Exercise:
        made = cls.__new__(cls)
        made._set(*parts)
        return made

    # ----- Making one -----

    @classmethod
    def of_gradients(cls, root: Value, leaves: Collection[Value], *, question: str = "") -> Exercise:
        """Ask for the gradients of `root` by some nodes of its graph; the mistakes are those of the usual wrong passes.

        Args:
            leaves: the nodes, in the order in which a list of answers is to be.

        >>> a, b = Value(2.0, "a"), Value(3.0, "b")
        >>> c = a * b; c.label = "c"
        >>> d = c + a; d.label = "d"
        >>> e = c * d; e.label = "e"
        >>> exercise = Exercise.of_gradients(e, [a, b])
        >>> exercise.check([18, 12])
        0 of 2 right
          a: 18? only the last contribution was kept at each fork: contributions add
            up
          b: 12? only the last contribution was kept at each fork: contributions add
            up
        """
        log = current_log(root)
        chosen = [leaves] if isinstance(leaves, Value) else list(leaves)
        for leaf in chosen:
            if leaf not in log.name:
                raise ValueError(f"{_label(leaf)} is no node of the graph of {log.name[root]}")
        if not chosen:
            raise ValueError("of_gradients(root, leaves) takes the nodes whose gradients are asked for; none was given")
        named = listed([log.name[leaf] for leaf in chosen])
        asked = question or f"What are the gradients of {log.name[root]} by {named}?"
        solution = _explained(root, chosen)
        return cls._made(asked, Gradients(log, chosen), _hints_of(log, chosen), solution, root)

    @classmethod
    def of_table(cls, root: Value, blanks: str | Collection[Any] = "adjoint", *, question: str = "") -> Exercise:
        """Ask for the blanks of a table, as `table(root, blanks=...)` has them.

        >>> x = Value(3.0, "x")
        >>> y = x * x; y.label = "y"
        >>> exercise = Exercise.of_table(y)
        >>> exercise.check([..., 1])
        1 of 2 right
          (1) adjoint of x: not answered
        """
        sheet = table(root, blanks=blanks)
        hints = [
            "Go backward: the root first, whose adjoint is 1, then each node after all that use it.",
            "Each arrow hands back the adjoint of the result times the local derivative; what arrives adds up.",
        ]
        asked = f"{question or 'Fill in the blanks.'}\n{sheet}"
        return cls._made(asked, Sheet(sheet), hints, str(sheet.key))

    @classmethod
    def of_function(
        cls,
        question: str,
        reference: Callable[..., Any],
        at: Sequence[Any],
        *,
        mistakes: Mapping[str, Callable[..., Any]] | None = None,
        hints: Sequence[str] = (),
        solution: str = "",
    ) -> Exercise:
        """Ask for a function; it is called at several points and compared with one that is right.

        Args:
            reference: gives a number, or a list or dictionary of numbers.
            at: the points: numbers, or tuples for several arguments.
            mistakes: functions that are wrong in a known way, by what to look at.

        >>> slope = Exercise.of_function(
        ...     "The slope of tanh, from its output t?", lambda t: 1 - t * t, [0.5, -0.25],
        ...     mistakes={"is t squared?": lambda t: 1 - t})
        >>> slope.check(lambda t: 1 - t)
        Not yet: at t = 0.5 it gives 0.5. Is t squared?
        """
        judge = Function(reference, at, mistakes or {}, EXACT)
        return cls._made(question, judge, hints, solution or judge.told())

    @classmethod
    def of_derivative(
        cls,
        question: str,
        f: Callable[..., Any],
        at: Sequence[Any],
        *,
        arg: int = 0,
        mistakes: Mapping[str, Callable[..., Any]] | None = None,
        hints: Sequence[str] = (),
        solution: str = "",
    ) -> Exercise:
        """Ask for the derivative of `f`; it is compared with central differences of f, so that nobody need know it.

        Args:
            at: the points: numbers, or tuples for several arguments. Keep away from kinks.
            arg: by which argument.

        >>> exercise = Exercise.of_derivative("Differentiate x ** 3.", lambda x: x**3, [2.0, -1.5])
        >>> exercise.check(lambda x: 3 * x**2)
        Right.
        >>> exercise.check(lambda x: x**3)
        Not yet: at x = 2 it gives 8. That is the value of the function, not its
          derivative.
        """
        known = {"that is the value of the function, not its derivative": f, **(mistakes or {})}

        def difference(*point: float) -> float:
            return central_difference(f, *point, arg=arg, eps=1e-5)

        judge = Function(difference, at, known, BY_DIFFERENCE, named=f)
        return cls._made(question, judge, hints, solution or judge.told())

    @classmethod
    def of_judge(
        cls, question: str, judge: Callable[[Any], Feedback], *, hints: Sequence[str] = (), solution: str = ""
    ) -> Exercise:
        """Ask for anything: a class, a graph, a program.

        Args:
            judge: takes an answer, which is not blank, and gives a `Feedback`: whether it is right, and what to say.

        >>> from autograd import nodes
        >>> def three_nodes(y):
        ...     count = len(nodes(y))
        ...     return Feedback(count == 3, "Right." if count == 3 else f"That graph has {count}.")
        >>> exercise = Exercise.of_judge("Make a graph of three nodes.", three_nodes)
        >>> exercise.check(Value(1.0) * Value(2.0) + 1)
        That graph has 4.
        """
        return cls._made(question, Judge(judge), hints, solution)

    # ----- Working on it -----

    def check(self, answer: Any) -> Feedback:
        """Whether an answer is right, and if not, where to look."""
        try:
            feedback = Feedback(False, NOTHING_YET) if is_blank(answer) else self._judge.check(answer)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # an answer may be any object, and do anything when it is looked at
            given, trouble = with_article(type(answer).__name__), type(error).__name__
            return Feedback(False, f"That is {given}, and cannot be read as an answer: it gives {trouble}.")
        if not isinstance(feedback, Feedback):
            raise TypeError(f"the judge of an exercise gives a Feedback, not {one_line(repr(feedback))}")
        self.attempts += feedback.lines != (NOTHING_YET,)
        return feedback

    def hint(self) -> Said:
        """The next hint; after the last one they begin again.

        >>> exercise = Exercise("2 * 3?", 6, hints=["twice 3", "3 + 3"])
        >>> exercise.hint(), exercise.hint()
        (Hint 1 of 2: twice 3, Hint 2 of 2: 3 + 3)
        """
        if not self.hints:
            return Said("There is no hint for this one; check(...) says where to look.")
        place = self._hinted % len(self.hints)
        self._hinted += 1
        return Said(f"Hint {place + 1} of {len(self.hints)}: {self.hints[place]}")

    def solution(self, *, now: bool = False) -> Said:
        """How it is done: after an attempt, or now.

        >>> exercise = Exercise("2 * 3?", 6, solution="3 + 3")
        >>> exercise.solution()
        Try it first: check(...) takes an answer. solution(now=True) shows it anyway.
        >>> exercise.solution(now=True)
        3 + 3
        6
        """
        if not (self.attempts or now):
            return Said("Try it first: check(...) takes an answer. solution(now=True) shows it anyway.")
        return Worked(self._solution)

    # ----- Showing -----

    def _lines(self) -> list[str]:
        """The question, and the graph line by line."""
        if self._figure is None:
            return [self.question]
        log = Log(self._figure)
        return [self.question, *(f"  {log.name[node]} = {_made_of(node, log)}" for node in log.order)]

    def __str__(self) -> str:
        return str(Said(*self._lines()))

    __repr__ = __str__

    def _repr_html_(self) -> str:
        figure = "" if self._figure is None else draw(_fresh(self._figure)).svg
        asked, _, lines = "\n".join(self._lines()).partition("\n")
        return boxed(QUESTION_BORDER, asked, lines=lines, below=figure)


def _fresh(root: Value, memo: dict[int, Any] | None = None) -> Value:
    """A copy of a graph without gradients, which would be the answers; `memo` learns which node became which."""
    copy = deepcopy(root, memo)
    copy.zero_grad()
    return copy


def _label(node: Any) -> str:
    return one_line(str(getattr(node, "label", "") or repr(node)))


def _made_of(node: Value, log: Log) -> str:
    return six(node.data) if node.primitive is None else one_line(expression(node, log.name).plain, 60)


def _explained(root: Value, chosen: Sequence[Value]) -> str:
    """Where each gradient comes from; on a copy, so that no remark about stored gradients is made."""
    memo: dict[int, Any] = {}
    copy = _fresh(root, memo)
    return "\n".join(str(explain(memo[id(leaf)], copy)) for leaf in chosen)


def _hints_of(log: Log, chosen: Sequence[Value]) -> list[str]:
    """What gives away little, then more: the direction, who speaks, the local derivatives."""
    root = log.name[log.root]
    hints = [f"Start at {root}, whose gradient by itself is 1, and go from results to operands."]
    heard = []
    for node in chosen:
        consumers = list(dict.fromkeys(log.name[c.consumer] for c in log.arrivals[node]))
        heard += [f"{log.name[node]} hears from {listed(consumers)}"] * bool(consumers)
    hints += [f"Who uses what? {'; '.join(heard)}. What they hand on adds up."] * bool(heard)
    rules = [f"{c.symbol} = {c.rule}" for node in chosen for c in log.arrivals[node][:4]]
    hints += [f"The local derivatives: {', '.join(rules[:8])}."] * bool(rules)
    inner = [log.name[n] for n in reversed(log.order) if n.primitive and n is not log.root and n not in chosen]
    hints += [f"Find the gradients of {', '.join(inner[:MOST_ORDERED])} first, in this order."] * bool(inner)
    return hints
