"""What answers are worth: each kind of exercise has a judge here, which knows right from wrong and the usual mistakes.

    Numbers(7, {4: "count the arrows"}).check(4)    # 4? count the arrows

A judge says what a wrong answer looks like and where to look. It never says what is right.
"""

from __future__ import annotations

import re
from copy import deepcopy
from math import isclose, isfinite
from typing import TYPE_CHECKING

from .feedback import NOTHING_YET, RIGHT, Feedback, is_blank
from .mistakes import agrees, diagnosed, mistakes_in_adjoint, wrong_passes
from .notation import one_line
from .results import flat, number_of, numbers_told, plain_lists, plainly, shape_told, short, shown_argument, sides
from .scalars import as_number
from .wording import listed, sentence

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from typing import Any

    from .steps import Log
    from .tables import Table
    from .value import Value

#: How far a function may be from the reference, and from a difference of the function that it is the derivative of.
EXACT, BY_DIFFERENCE = 1e-9, 1e-5

#: How far from right is close: it may be rounding.
CLOSE = 0.02


# ----- Numbers and words -----


class Word:
    """An answer in words: capitals, spaces and a full stop do not matter."""

    def __init__(self, answer: str, mistakes: Mapping[Any, str]) -> None:
        self.answer = answer
        self.mistakes = {_plain(wrong): told for wrong, told in mistakes.items()}
        if _plain(answer) in self.mistakes:
            raise ValueError(f"{answer!r} is the answer and among the mistakes: take it out of mistakes")

    def told(self) -> str:
        """The answer, for the solution."""
        return self.answer

    def check(self, answer: Any) -> Feedback:
        """Whether an answer is right; what it looks like if not."""
        given = _plain(answer)
        if given == _plain(self.answer):
            return Feedback(True, RIGHT)
        told = self.mistakes.get(given, "not that; read the question again, or ask for a hint()")
        return Feedback(False, f"{short(answer)}? {told}")


def _plain(answer: Any) -> str:
    return " ".join(str(answer).casefold().split()).strip(".!\"'")


class Numbers:
    """One number, or several by name. What is asked for as a whole number is a count: it is right or wrong."""

    def __init__(self, answer: Any, mistakes: Mapping[Any, Any]) -> None:
        if isinstance(answer, (list, tuple)):
            raise TypeError("several numbers are asked for by name: give a dictionary such as {'x': 1, 'y': 2}")
        self.single = not hasattr(answer, "items")
        given = {"": answer} if self.single else dict(answer)
        if not given:
            raise ValueError("an exercise needs its answer: the dictionary is empty")
        self.answers = {str(name): as_number(x, "Exercise()") for name, x in given.items()}
        self._counts = {str(name) for name, x in given.items() if isinstance(x, int)}
        of_name: Mapping[Any, Any] = {"": mistakes} if self.single else mistakes
        if unknown := [str(name) for name in of_name if name not in self.answers]:
            raise ValueError(f"mistakes are by name, {listed(list(self.answers))}; {listed(unknown)} is none of these")
        self.mistakes = {name: dict(of_name.get(name, {})) for name in self.answers}
        for name, wrong in self.mistakes.items():
            for number in wrong:
                if self._is_right(name, as_number(number, "mistakes")):
                    raise ValueError(
                        f"{number!r} is the right answer{' for ' * bool(name)}{name}, and among the mistakes"
                    )

    def told(self) -> str:
        """The answer, for the solution."""
        return ", ".join(f"{name} = {plainly(x)}" if name else plainly(x) for name, x in self.answers.items())

    def check(self, answer: Any) -> Feedback:
        """Whether an answer is right; what it looks like if not."""
        answer = plain_lists(answer)
        if self.single and isinstance(answer, (list, tuple)) and len(answer) == 1:
            (answer,) = answer
        given = _by_name({"": answer} if self.single else answer, list(self.answers))
        if isinstance(given, Feedback):
            return given
        told = {name: self._wrong(name, given.get(name)) for name in self.answers}
        return _counted(told, self.single)

    def _wrong(self, name: str, answer: float | None) -> str:
        """What is wrong with one number; empty if it is right."""
        if answer is None:
            return "not answered"
        if self._is_right(name, answer):
            return ""
        truth = self.answers[name]
        known = (told for number, told in self.mistakes[name].items() if agrees(answer, float(number)))
        miscounted = name in self._counts and isfinite(answer) and answer == round(answer)
        general = "" if miscounted and isclose(answer, truth, rel_tol=CLOSE) else _general(answer, truth)
        return f"{plainly(answer)}? {next(known, None) or general or 'not that; ask for a hint()'}"

    def _is_right(self, name: str, answer: float) -> bool:
        truth = self.answers[name]
        return isclose(answer, truth, rel_tol=EXACT) if name in self._counts else agrees(answer, truth)


def _general(answer: float, truth: float) -> str:
    """What a wrong number has to do with the right one."""
    if not isfinite(answer):
        return "a finite number was expected here"
    if truth == 0 or answer == 0:
        return "0 would mean that nothing moves, or that all of it cancels" if answer == 0 else ""
    if agrees(answer, -truth):
        return "the sign is turned"
    if isclose(answer, truth, rel_tol=CLOSE):
        return "that is close: keep more digits, and round at the end"
    ways = {
        2.0: "that is twice too much",
        0.5: "that is half of it",
        -2.0: "the sign is turned, and it is twice too much",
    }
    for factor, told in ways.items():
        if agrees(answer, factor * truth):
            return told
    return "that is one over it: is something upside down?" if agrees(answer, 1 / truth) else ""


def _by_name(answer: Any, names: list[str]) -> dict[str, float | None] | Feedback:
    """The numbers of an answer by name, or why it cannot be read."""
    answer = plain_lists(answer)
    if hasattr(answer, "items"):
        pairs = dict(answer.items())
        if unknown := [str(name) for name in pairs if name not in names]:
            return Feedback(False, f"{listed(unknown)} is not asked for; asked are {listed(names)}.")
    elif isinstance(answer, (list, tuple)):
        if len(answer) != len(names):
            given = f"{len(answer)} number{'s were' if len(answer) != 1 else ' was'} given"
            return Feedback(False, f"{given}; asked are {len(names)}: {listed(names)}.")
        pairs = dict(zip(names, answer))
    elif len(names) == 1:
        pairs = {names[0]: answer}
    else:
        return Feedback(False, f"Give a list of {len(names)} numbers, or a dictionary with the names {listed(names)}.")
    found: dict[str, float | None] = {}
    for name, x in pairs.items():
        try:
            found[name] = None if is_blank(x) else number_of(x)
        except (TypeError, ValueError, OverflowError):
            quotes = ", without quotes" * isinstance(x, str)
            return Feedback(False, f"{short(x)} is not a number: give one such as 3, -0.5 or 1 / 3{quotes}.")
    return found


def _counted(told: Mapping[str, str], single: bool = False) -> Feedback:
    """The feedback to several numbers, from what is wrong with each."""
    wrong = {name: words for name, words in told.items() if words}
    if not wrong:
        return Feedback(True, RIGHT if single or len(told) == 1 else f"All {len(told)} are right.")
    if single or len(told) == 1:
        return Feedback(False, *wrong.values())
    lines = [f"{len(told) - len(wrong)} of {len(told)} right", *(f"  {name}: {words}" for name, words in wrong.items())]
    return Feedback(False, *lines)


# ----- Gradients of a graph, blanks of a table -----


class Gradients:
    """The gradients of the root of a graph by some of its nodes."""

    def __init__(self, log: Log, asked: Sequence[Value]) -> None:
        self.log = log
        self.asked = {log.name[node]: node for node in asked}

    def check(self, answer: Any) -> Feedback:
        """Whether an answer is right; what it looks like if not."""
        if hasattr(answer, "items"):
            answer = {self.log.name.get(name, name): x for name, x in answer.items()}
        given = _by_name(answer, list(self.asked))
        if isinstance(given, Feedback):
            return given
        answered = {self.asked[name]: x for name, x in given.items() if x is not None}
        passes = wrong_passes(self.log, answered)
        scaled = self._scaled(answered)

        def told(node: Value) -> str:
            if node not in answered:
                return "not answered"
            answer, truth = answered[node], self.log.adjoints[node]
            if agrees(answer, truth, max((abs(c.amount) for c in self.log.arrivals[node]), default=0.0)):
                return ""
            usual = diagnosed(answer, mistakes_in_adjoint(self.log, node, answered, passes))
            words = scaled or usual or _general(answer, truth)
            return f"{plainly(answer)}? {_unrevealing(words, truth) or self._advice(node)}"

        return _counted({name: told(node) for name, node in self.asked.items()})

    def _scaled(self, answered: Mapping[Value, float]) -> str:
        """Whether all answers are those of a sum instead of a mean, or the other way round."""
        for count, is_mean in _counts(self.log):
            factor = count if is_mean else 1 / count
            if answered and all(agrees(x, factor * self.log.adjoints[node]) for node, x in answered.items()):
                if all(self.log.adjoints[node] == 0 for node in answered):
                    continue
                took, taken = ("mean", "sum") if is_mean else ("sum", "mean")
                return f"that is for a {taken} of {count}, and here is a {took}"
        return ""

    def _advice(self, node: Value) -> str:
        consumers = [self.log.name[c.consumer] for c in self.log.arrivals[node]]
        if not consumers:
            return "how much does the root move per unit of itself?"
        return f"add up gradient times local derivative over {listed(list(dict.fromkeys(consumers)))}"


def _counts(log: Log) -> Iterator[tuple[int, bool]]:
    """How many numbers are summed or averaged in a graph, and which of the two it is."""
    for node in log.order:
        name = node.primitive.name if node.primitive else ""
        if name in ("mean", "sum"):
            yield len(node.operands), name == "mean"
        elif name in ("divide", "multiply") and type(node.operands[-1]) is float:
            count = node.operands[-1] if name == "divide" else 1 / (node.operands[-1] or 1.0)
            if count > 1 and isclose(count, round(count)):
                yield round(count), True


def _unrevealing(words: str, truth: float) -> str:
    """The words, unless the right number stands among them."""
    return "" if re.search(rf"(?<![\w.]){re.escape(plainly(truth))}(?![\w.])", words) else words


class Sheet:
    """The blanks of a table."""

    def __init__(self, sheet: Table) -> None:
        self.sheet = sheet

    def check(self, answer: Any) -> Feedback:
        """Whether an answer is right; what it looks like if not."""
        if hasattr(answer, "items"):
            answer = {place: None if x is ... else x for place, x in answer.items()}
        elif isinstance(answer, (list, tuple)):
            answer = [None if x is ... else x for x in answer]
        try:
            marks = self.sheet.check(answer)
        except (TypeError, ValueError) as error:
            return Feedback(False, str(error))
        return Feedback(bool(marks), RIGHT if marks else str(marks))


# ----- Functions, and anything else -----


class Judge:
    """Any function that takes an answer and gives feedback."""

    def __init__(self, check: Callable[[Any], Feedback]) -> None:
        if not callable(check):
            raise TypeError(f"judge is a function that takes an answer and gives a Feedback, not {short(check)}")
        self.check = check


class Function:
    """A function, compared at several points with one that is right."""

    def __init__(
        self,
        reference: Callable[..., Any],
        at: Sequence[Any],
        mistakes: Mapping[str, Callable[..., Any]],
        tolerance: float,
        named: Callable[..., Any] | None = None,
    ) -> None:
        self.points = [point if isinstance(point, tuple) else (point,) for point in at]
        if not self.points:
            raise ValueError("at is a list of points to compare at, such as [2.0, -1.5]; it is empty")
        self.reference, self.tolerance = reference, tolerance
        right = [reference(*deepcopy(point)) for point in self.points]
        self.truths = list(map(flat, right))
        self._yes_or_no = all(isinstance(result, bool) for result in right)
        self.names = _parameters(named or reference, len(self.points[0]))
        self.mistakes = mistakes
        for told, wrong in mistakes.items():
            if self._alike(self._results(wrong), self.truths):
                raise ValueError(f"the mistake {told!r} gives the right numbers at all points: take other points")

    def told(self) -> str:
        """The answer, for the solution."""
        lines = [f"{self._at(point)}: {self._told(truth)}" for point, truth in zip(self.points, self.truths)]
        return "\n".join(lines)

    def check(self, answer: Any) -> Feedback:
        """Whether an answer is right; what it looks like if not."""
        if not callable(answer):
            return Feedback(False, f"Give the function itself, as in check(f), not {short(answer)}.")
        results = []
        for point in self.points:
            found = self._called(answer, point)
            if isinstance(found, str):
                return Feedback(False, found)
            results.append(found)
        for point, own, truth in zip(self.points, results, self.truths):
            if list(own) != list(truth):
                gives = f"Not yet: at {self._at(point)} it gives {shape_told(own)}; asked for is {shape_told(truth)}."
                turned = len(sides(own)) == 2 and sides(own) == sides(truth)[::-1]
                known = [sentence(told) for told in self._known(results)]
                return Feedback(False, " ".join([gives, *(known or ["Is it the wrong way round?"] * turned)]))
        wrong = [i for i, (own, truth) in enumerate(zip(results, self.truths)) if not self._alike([own], [truth])]
        if not wrong:
            return Feedback(True, RIGHT)
        first = wrong[0]
        start = f"Not yet: at {self._at(self.points[first])} it gives {self._told(results[first])}."
        told = self._recognised(results) or (
            f"it is right at {len(results) - len(wrong)} of {len(results)} points: what is different here?"
            if len(wrong) < len(results)
            else "ask for a hint()"
        )
        return Feedback(False, f"{start} {sentence(told)}")

    def _called(self, function: Callable[..., Any], point: Sequence[Any]) -> dict[Any, float] | str:
        """What it gives, or what is wrong with it in a sentence. It may change what it is given."""
        try:
            result = function(*deepcopy(point))
        except NotImplementedError:
            return NOTHING_YET
        except (Exception, SystemExit) as error:  # it is the student's code, and may do anything
            return f"At {self._at(point)} it stops with {type(error).__name__}: {one_line(str(error), 200)}"
        if result is ...:
            return NOTHING_YET
        if result is None:
            return f"At {self._at(point)} it gives None: is a `return` missing?"
        try:
            return flat(result)
        except (TypeError, ValueError, OverflowError, RecursionError):
            return f"At {self._at(point)} it gives {short(result)}, not a number."

    def _recognised(self, results: list[dict[Any, float]]) -> str:
        """The mistake that gives these numbers at all points."""
        for told in self._known(results):
            return told
        swapped = [tuple(reversed(point)) for point in self.points]
        if len(self.points[0]) > 1 and self._alike(results, self._results(self.reference, swapped)):
            return "that is right with the arguments swapped"
        for told, change in CHANGES.items():
            if self._alike(results, [{key: change(x) for key, x in truth.items()} for truth in self.truths]):
                return told
        if len(results) > 1 and all(own == results[0] for own in results):
            return "it gives the same at every point: does it use its argument?"
        factors = {
            round(x / truth[key], 6) for own, truth in zip(results, self.truths) for key, x in own.items() if truth[key]
        }
        if len(factors) == 1 and 0.0 not in factors and self._enough():
            return "it is off by the same factor everywhere: a sum for a mean, or a constant too many?"
        close = all(
            isclose(x, truth[key], rel_tol=1e-2) for own, truth in zip(results, self.truths) for key, x in own.items()
        )
        return "that is close: is something rounded, or a step too large?" if close else ""

    def _known(self, results: list[dict[Any, float]]) -> Iterator[str]:
        """The mistakes named with the question that give these numbers, of whatever shape, at all points."""
        return (told for told, wrong in self.mistakes.items() if self._alike(results, self._results(wrong)))

    def _enough(self) -> bool:
        """Whether there are numbers enough to speak of a factor."""
        return len([x for truth in self.truths for x in truth.values() if x]) > 1

    def _results(self, function: Callable[..., Any], points: Sequence[Any] | None = None) -> list[dict[Any, float]]:
        """What a function gives at all points; nothing where it fails."""
        found = []
        for point in points or self.points:
            try:
                found.append(flat(function(*deepcopy(point))))
            except Exception:  # outside of its domain, for example
                found.append({})
        return found

    def _alike(self, some: list[dict[Any, float]], others: list[dict[Any, float]]) -> bool:
        tolerance = self.tolerance
        return all(
            list(own) == list(other)
            and all(isclose(x, other[key], rel_tol=tolerance, abs_tol=tolerance) for key, x in own.items())
            for own, other in zip(some, others)
        )

    def _told(self, numbers: dict[Any, float]) -> str:
        return str(bool(numbers[""])) if self._yes_or_no and list(numbers) == [""] else numbers_told(numbers)

    def _at(self, point: Sequence[Any]) -> str:
        return ", ".join(f"{name} = {shown_argument(x)}" for name, x in zip(self.names, point))


#: What is often done to a right number, for any function.
CHANGES: dict[str, Callable[[float], float]] = {
    "the sign is turned": lambda x: -x,
    "that is twice too much": lambda x: 2 * x,
    "that is half of it": lambda x: x / 2,
    "that is one over it": lambda x: 1 / x if x else 0.0,
    "that is the square of it": lambda x: x * x,
    "that is one too many": lambda x: x + 1,
    "that is one too few": lambda x: x - 1,
}


def _parameters(function: Callable[..., Any], count: int) -> list[str]:
    code = getattr(function, "__code__", None)
    names = list(code.co_varnames[: code.co_argcount]) if code is not None else []
    return names if len(names) == count else [f"argument {i + 1}" for i in range(count)] if count > 1 else ["x"]
