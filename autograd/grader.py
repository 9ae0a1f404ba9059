"""Grade an engine that somebody wrote: which graphs does it get right, and what is the smallest that it gets wrong?

    print(grade(Value))     # of any class with micrograd's interface: + * ..., .data, .grad, .backward()

Each trial of `battery.py` is run with the class under test and with this library's. Where the numbers differ, the
report shows the smallest graph and says where to look; if the engine does on all graphs what this one does with a
mistake of `mutations.py`, it says which. Whatever an engine does, raise or never end, becomes a sentence (running.py).
"""

from __future__ import annotations

from functools import cache
from html import escape
from math import isclose
from numbers import Real
from textwrap import indent, wrap
from typing import TYPE_CHECKING, NamedTuple, cast

from .battery import TRIALS
from .drawing import draw
from .feedback import coded
from .graph import nodes
from .modes import Change
from .mutations import PASSES, in_rule
from .notation import one_line
from .origins import label_from
from .primitives import PRIMITIVES
from .running import MOST_LINES, Stopped, text_of, tried
from .scalars import with_article
from .value import Value
from .wording import WIDTH, ended, listed, six

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from types import TracebackType
    from typing import Any

    from .battery import Trial
    from .drawing import Drawing
    from .mutations import Mutation

#: A program with a large graph may run as many lines as this. Right engines need a twentieth.
MOST_LINES_OF_LARGE = 2_000_000

#: So many wrong things are shown with their graph.
MOST_SHOWN = 4

#: The primitives whose wrong rules are compared with.
OF_STUDENTS = ("add", "subtract", "multiply", "divide", "power", "negative", "relu", "tanh", "exp", "log")


def grade(engine: Callable[[float], Any]) -> Report:
    """Run an engine against the battery of graphs.

    Args:
        engine: the class; `engine(2.0)` makes a leaf. It is to have + and *, numbers on both sides, `.data`, `.grad`
            and `.backward()`; what else it has is tried: - / **, relu, tanh, exp, log.

    Raises:
        TypeError: for something that is no class, such as one of its objects.

    >>> from autograd import Value
    >>> report = grade(Value)
    >>> print(report)
    Value: 61 of 61 graphs right
    >>> bool(report)
    True
    """
    if not callable(engine) or tried(lambda: not isinstance(engine, type) and hasattr(engine, "data")) is True:
        made = tried(lambda: hasattr(type(engine), "backward")) is True
        kind = text_of(lambda: type(engine).__name__) if made else ""
        raise TypeError(f"grade takes the class of an engine, not {_short(engine)}: write grade({kind or 'Value'})")
    trials = [_verdict(engine, trial) for trial in TRIALS]
    return Report(one_line(text_of(lambda: cast("type", engine).__name__)) or "the engine", trials)


# ----- Running one trial -----


class Outcome(NamedTuple):
    """What a program came to: numbers by name, or what went wrong in a sentence."""

    numbers: dict[str, Any]
    trouble: str = ""


def run(engine: Callable[[float], Any], trial: Trial) -> Outcome:
    """Run a program with an engine of which nothing is known; what it prints is not shown."""
    space: dict[str, Any] = {"Value": engine}
    program = compile(trial.program, f"<{trial.name}>", "exec")
    stopped = tried(lambda: exec(program, space), MOST_LINES_OF_LARGE if trial.drawn else MOST_LINES)
    return Outcome({}, _told(stopped, trial, space)) if isinstance(stopped, Stopped) else _asked(trial, space)


def _told(stopped: Stopped, trial: Trial, space: dict[str, Any]) -> str:
    """How a program stopped, in a sentence: the line of the program, and what it raises."""
    if stopped.trace is None:
        return f"It {stopped.told}"
    trace: TracebackType | None = stopped.trace
    number = 0
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == f"<{trial.name}>":
            number = trace.tb_lineno
        trace = trace.tb_next
    lines = trial.program.splitlines()
    for name, value in space.items():
        if value is None:
            made = next((line.strip() for line in lines if line.strip().startswith(f"{name} =")), name)
            return f"`{made}` gives None: is a `return` missing?"
    return f"`{lines[number - 1].strip()}` {stopped.told}" if number else f"It {stopped.told}"


def _asked(trial: Trial, space: dict[str, Any]) -> Outcome:
    """The numbers that a trial asks for."""
    found: dict[str, Any] = {}
    trouble = tried(lambda: _read(trial, space, found))
    if isinstance(trouble, Stopped):
        places = trial.asked.split()
        return Outcome(found, f"Reading {places[min(len(found), len(places) - 1)]} {trouble.told}")
    return Outcome(found, trouble)


def _read(trial: Trial, space: dict[str, Any], found: dict[str, Any]) -> str:
    """Put the numbers into `found`, as far as there are any; why there are no more, in a sentence."""
    for place in trial.asked.split():
        number = _number(place, space)
        if isinstance(number, str):
            return number
        found[place] = number
    return ""


def _number(place: str, space: dict[str, Any]) -> float | str:
    """The number at a place such as "a.grad", or why there is none."""
    name, _, attribute = place.partition(".")
    if space.get(name) is None:
        return f"{name} is None: is a `return` missing?"
    value = getattr(space[name], attribute) if attribute else space[name]
    if value is None:
        return f"{place} is None: nothing has arrived there"
    if not isinstance(value, Real) and not hasattr(value, "__float__"):
        return f"{place} is {_short(value)}, not a number"
    try:
        return float(value)
    except Exception:
        return f"{place} is {_short(value)}, not a number"


def _short(value: Any) -> str:
    """An object in a few characters; its repr is code of the engine's, too."""
    text = one_line(text_of(lambda: repr(value)), 60)
    kind = text_of(lambda: type(value).__name__) or "object"
    return text if text and " at 0x" not in text else with_article(one_line(kind))


# ----- Judging it -----


class Verdict(NamedTuple):
    """How one trial went: "right", "wrong" or "not there"."""

    trial: Trial
    status: str
    told: str
    outcome: Outcome

    @property
    def size(self) -> int:
        """How much there is to look at: the nodes of the graph, for each pass over it."""
        program = self.trial.program
        passes = program.count("backward()") + 2 * program.count("for ")
        return 10_000 if self.trial.drawn else len(nodes(picture(self.trial))) * max(1, passes)


def _verdict(engine: Callable[[float], Any], trial: Trial) -> Verdict:
    absent = tried(lambda: _absent(engine, trial))
    if absent and not isinstance(absent, Stopped):  # if it stops, the program will do so, and say why
        return Verdict(trial, "not there", absent, Outcome({}))
    outcome = run(engine, trial)
    if outcome.trouble:
        status = "not there" if trial.optional and _refused(outcome.trouble) else "wrong"
        return Verdict(trial, status, outcome.trouble, outcome)
    wrong = _differing(outcome.numbers, truth(trial))
    return Verdict(trial, "wrong" if wrong else "right", _wrong_told(wrong, outcome.numbers, trial), outcome)


def _absent(engine: Callable[[float], Any], trial: Trial) -> str:
    """The method that is missing, in a sentence; empty if none is."""
    leaf = engine(2.0)
    for method in (*trial.needs, "backward"):
        if not hasattr(leaf, method):
            line = next((line for line in trial.program.splitlines()[1:] if method != "backward"), "y.backward()")
            return f"there is no `{line.partition('= ')[2] or line}` yet: it takes {method}"
    return ""


def _refused(trouble: str) -> bool:
    """Whether an engine says no, rather than failing."""
    return any(kind in trouble for kind in ("TypeError", "NotImplementedError", "AssertionError", "AttributeError"))


@cache
def truth(trial: Trial, mutation: Mutation | None = None) -> dict[str, float]:
    """What this library gives, as it is or with a mistake; nothing where that makes no sense."""
    space: dict[str, Any] = {"Value": Value}
    with Change(mutation=mutation, no_grad=False, lines=False, anomaly=False, compiling=False):
        try:
            exec(compile(trial.program, f"<{trial.name}>", "exec"), space)
        except (ValueError, ArithmeticError):
            return {}
    found: dict[str, float] = {}
    _read(trial, space, found)
    return found


def _same(x: float, y: float) -> bool:
    return isclose(x, y, rel_tol=1e-9, abs_tol=1e-12) or (x != x and y != y)


def _differing(numbers: dict[str, float], wanted: dict[str, float]) -> list[str]:
    """Which numbers are wrong; values alone if any is, since gradients follow from them."""
    wrong = [place for place in wanted if not _same(numbers[place], wanted[place])]
    values = [place for place in wrong if place.endswith(".data")]
    return values or wrong


def _wrong_told(wrong: list[str], numbers: dict[str, float], trial: Trial) -> str:
    if not wrong:
        return ""
    given = listed([f"{place} is {six(numbers[place])}" for place in wrong])
    if wrong[0] == "arrows":
        return f"_prev holds {six(numbers['arrows'])} operand"
    close = all(isclose(numbers[place], truth(trial)[place], rel_tol=1e-3) for place in wrong)
    almost = "; that is close: is a number rounded, or a derivative taken by a difference?" * close
    before = " already before backward()" * (wrong[0].endswith(".data") and trial.subject != "a training loop")
    return f"{given}: wrong{before}{almost}"


def picture(trial: Trial) -> Value:
    """The graph of a trial, its nodes labelled, without gradients; a smaller one of its kind if it is large."""
    lines = [line for line in (trial.drawn or trial.program).splitlines() if ".backward()" not in line]
    space: dict[str, Any] = {"Value": Value}
    with Change(mutation=None, no_grad=False, lines=False, anomaly=False, compiling=False):
        exec("\n".join(line for line in lines if ".grad" not in line and "_prev" not in line), space)
    named = {name: value for name, value in space.items() if isinstance(value, Value)}
    label_from(named)
    return list(named.values())[-1]


# ----- Which mistake it is -----


class Finding(NamedTuple):
    """Trials that go wrong together: the smallest of them, and the mistake that explains all, if it is known."""

    verdict: Verdict
    others: list[Verdict]
    mutation: Mutation | None


def _candidates() -> Iterable[Mutation]:
    yield from PASSES
    for name in OF_STUDENTS:
        yield from in_rule(PRIMITIVES[name])


def _findings(verdicts: list[Verdict]) -> list[Finding]:
    """What is wrong, each mistake with the trials that it explains, then what no known mistake explains."""
    right = [verdict for verdict in verdicts if verdict.status == "right"]
    wrong = sorted((v for v in verdicts if v.status == "wrong"), key=lambda v: v.size)
    explained = {m: _explained(m, wrong) for m in _candidates() if _agrees_where_right(m, right)}
    found, left = [], list(wrong)
    while left and explained:
        best = max(explained, key=lambda m: len([v for v in explained[m] if v in left]))
        together = [verdict for verdict in left if verdict in explained[best]]
        if not together:
            break
        found.append(Finding(together[0], together[1:], best))
        left = [verdict for verdict in left if verdict not in together]
    if found:  # with large graphs it is not compared: wrong numbers there are no news
        found[0].others.extend([v for v in left if v.trial.drawn and not v.outcome.trouble])
        left = [verdict for verdict in left if verdict not in found[0].others]
    found += _unexplained(left, plain_wrong=[verdict for verdict in wrong if not verdict.trial.about])
    return sorted(found, key=lambda finding: finding.verdict.size)


def _unexplained(left: list[Verdict], plain_wrong: list[Verdict]) -> list[Finding]:
    """Trials that no known mistake explains, by what they are about.

    Where plain graphs are wrong, so are those of a second pass, say, for the same reason: they stand with these, unless
    something else happens to them.
    """
    usual = {verdict.outcome.trouble for verdict in plain_wrong} | {""}
    subjects: dict[str, list[Verdict]] = {}
    for verdict in left:
        apart = verdict.trial.about and (not plain_wrong or verdict.outcome.trouble not in usual)
        subjects.setdefault(verdict.trial.about if apart else "", []).append(verdict)
    return [Finding(some[0], some[1:], None) for some in subjects.values()]


def _agrees_where_right(mutation: Mutation, right: list[Verdict]) -> bool:
    """Whether an engine with the mistake gets right what this one gets right."""
    return all(_matches(mutation, verdict) for verdict in right if not verdict.trial.drawn)


def _explained(mutation: Mutation, wrong: list[Verdict]) -> list[Verdict]:
    """The wrong numbers that are those of the mistake; none if it would be seen in more places than in these twice."""
    counted = [v for v in wrong if v.outcome.numbers and not v.outcome.trouble and not v.trial.drawn]
    alike = [verdict for verdict in counted if _matches(mutation, verdict)]
    seen = [v for v in counted if (predicted := truth(v.trial, mutation)) and _differing(predicted, truth(v.trial))]
    return alike if 2 * len(alike) > len(seen) else []


def _matches(mutation: Mutation, verdict: Verdict) -> bool:
    predicted = truth(verdict.trial, mutation)
    numbers = verdict.outcome.numbers
    return bool(predicted) and all(_same(numbers[place], predicted[place]) for place in predicted)


# ----- The report -----


class Report:
    """How an engine did. It prints, shows itself in a notebook with the graph, and is true if nothing is wrong.

    `.right`, `.wrong` and `.missing` are verdicts, one for each graph; `.drawing` is the picture of the smallest wrong
    one, None if there is none.
    """

    def __init__(self, engine: str, verdicts: list[Verdict]) -> None:
        self.engine = engine
        self.verdicts = verdicts
        self.findings = _findings(verdicts)

    @property
    def right(self) -> list[Verdict]:
        """The graphs that it gets right."""
        return [verdict for verdict in self.verdicts if verdict.status == "right"]

    @property
    def wrong(self) -> list[Verdict]:
        """The graphs that it gets wrong, the smallest first."""
        return sorted((v for v in self.verdicts if v.status == "wrong"), key=lambda verdict: verdict.size)

    @property
    def missing(self) -> list[Verdict]:
        """What it does not have."""
        return [verdict for verdict in self.verdicts if verdict.status == "not there"]

    @property
    def drawing(self) -> Drawing | None:
        """The smallest graph that it gets wrong, without gradients."""
        return draw(picture(self.findings[0].verdict.trial)) if self.findings else None

    def __bool__(self) -> bool:
        return not self.wrong and all(verdict.trial.optional for verdict in self.missing)

    def _title(self) -> str:
        counts = [f"{self.engine}: {len(self.right)} of {len(self.verdicts)} graphs right"]
        counts += [f"{len(self.wrong)} wrong"] * bool(self.wrong)
        counts += [f"{len(self.missing)} need what is not there"] * bool(self.missing)
        return ", ".join(counts)

    def _sentences(self, finding: Finding) -> list[str]:
        """What is said of a finding, below its program."""
        verdict, mutation = finding.verdict, finding.mutation
        said = [ended(verdict.told), ended(f"Where to look: {verdict.trial.look}")]
        if mutation is not None:
            alike = [other for other in finding.others if not other.trial.drawn]
            every = f"In {len(alike) + 1} wrong graphs" if alike else "Here"
            said.append(f"{every} it does what an engine does with this mistake: {mutation.sentence}.")
        if finding.others:
            said.append(f"Also wrong: {listed([other.trial.name for other in finding.others])}.")
        return said

    def _missing_told(self) -> list[str]:
        required = [verdict for verdict in self.missing if not verdict.trial.optional]
        optional = [verdict.trial.name.removesuffix(", used") for verdict in self.missing if verdict.trial.optional]
        told = [f"For {verdict.trial.name}: {verdict.told}." for verdict in required[:MOST_SHOWN]]
        if more := required[MOST_SHOWN:]:
            methods = dict.fromkeys(verdict.told.rpartition(" ")[2] for verdict in more)
            graphs = f"{len(more)} more graph{'s' * (len(more) > 1)}"
            told.append(f"And {graphs} cannot be tried without {', '.join(methods)}.")
        kinds = list(dict.fromkeys(name.partition(" at ")[0] for name in optional))
        return told + [f"Not there, and an engine may do without: {', '.join(kinds)}."] * bool(kinds)

    def __str__(self) -> str:
        blocks = [self._title()]
        for place, finding in enumerate(self.findings[:MOST_SHOWN]):
            trial = finding.verdict.trial
            head = f"The smallest graph that it gets wrong: {trial.name}" if place == 0 else f"Then: {trial.name}"
            said = [_filled(sentence) for sentence in self._sentences(finding)]
            blocks.append("\n".join([head, indent(trial.program, "    "), *said]))
        if more := len(self.findings) - MOST_SHOWN:
            blocks += [f"And {more} more; repair these first."] * (more > 0)
        blocks += ["\n".join(_filled(line, "") for line in self._missing_told())] * bool(self.missing)
        return "\n\n".join(blocks)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        parts = [f"<p><b>{escape(self._title())}</b></p>"]
        for place, finding in enumerate(self.findings[:MOST_SHOWN]):
            trial = finding.verdict.trial
            head = "The smallest graph that it gets wrong" if place == 0 else "Then"
            parts.append(f"<p>{head}: <b>{escape(trial.name)}</b></p>")
            parts.append(f'<pre style="font-family:monospace">{escape(trial.program)}</pre>')
            parts.append(draw(picture(trial)).svg if place == 0 else "")
            parts += [f"<p>{coded(sentence)}</p>" for sentence in self._sentences(finding)]
        parts += [f"<p>And {len(self.findings) - MOST_SHOWN} more; repair these first.</p>"] * (
            len(self.findings) > MOST_SHOWN
        )
        parts += [f"<p>{coded(line)}</p>" for line in self._missing_told()]
        return "\n".join(part for part in parts if part)


def _filled(sentence: str, start: str = "  ") -> str:
    lines = wrap(sentence, WIDTH, initial_indent=start, subsequent_indent=start + "  ", break_on_hyphens=False)
    return "\n".join(lines)
