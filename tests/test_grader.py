"""The grader: it catches every mutant, passes what is right, and has a sentence for whatever an engine does."""

from __future__ import annotations

import math
import sys
from textwrap import indent
from typing import TYPE_CHECKING, Any

import pytest
from notebook_runs import NOTEBOOKS, code_cells, read, solved, source

import autograd
from autograd import reference_engine
from autograd.battery import TRIALS
from autograd.grader import grade, picture, run, truth
from autograd.lab import breaking
from autograd.mutants import EQUIVALENT, MUTANTS
from autograd.mutations import PASSES

if TYPE_CHECKING:
    from autograd.grader import Report

NAMED = {trial.name: trial for trial in TRIALS}

#: The mutants, by name: what is in the family is on purpose.
FAMILY = """
= for += in + | = for += in + (second operand) | = for += in * | = for += in - | = for += in / | = for += in **
= for += in tanh | + forgets upstream | + forgets its second operand | + hands on its value | + halves the gradient
- loses its sign | - forgets upstream | - swaps its operands | -x loses its sign backward | -x forgets upstream
* takes its own factor | * forgets upstream | * forgets the other factor | * adds upstream and factor
* is twice as large | * turns the sign | * takes out.data for out.grad | * reads data that was changed
* counts a repeated operand once | / drops the square | / loses its sign | / forgets upstream | / swaps its rules
/ drops the numerator | / rounds down | ** drops the exponent | ** keeps the exponent | ** forgets upstream
** drops the logarithm | ** reads data that was changed | ** needs a positive base | constants become 1
constants become whole | constants are forgotten | 2 + x gives x | 2 - x is swapped | 2 * x gives x
2 * x detaches x | 2 / x is swapped | 2 ** x is swapped | relu is always open | relu opens on the wrong side
relu takes its output | relu forgets upstream | relu gives the absolute value | tanh drops the square
tanh takes its operand | tanh forgets upstream | exp takes its operand | exp follows the power rule
exp forgets upstream | log takes its output | log forgets upstream | inputs first | breadth first | pre-order
a visit for every path | each path by itself | a recursive walk | equal numbers are one node
operands taken from the right end only | the root does not hand on | one node is left out | no seed
the seed is the value | no zeroing | the root alone is zeroed | leaves are zeroed too | leaves alone are zeroed
grad starts at 1 | data is whole | data is text | no operands are kept by * | operands are kept as a set
* returns nothing | * never sets its step | * calls its step at once | backward never ends | backward raises
gradients are Values | gradients are rounded
"""
FAMILY_NAMES = [name.strip() for line in FAMILY.strip().splitlines() for name in line.split("|")]

#: The smallest graph that shows a mutant, and the mistake that is named, of those that have one.
SHOWN = {
    "= for += in *": ("x * x", "multiply: overwrites"),
    "= for += in +": ("x + x", "add: overwrites"),
    "* takes its own factor": ("x * 4 at 3", "multiply: swapped"),
    "* forgets upstream": ("a * b in a product", "multiply: forgets upstream"),
    "- loses its sign": ("2 - x at 3", "subtract: as a sum"),
    "/ drops the square": ("4 / x at 3", "divide: square dropped"),
    "** drops the exponent": ("x ** 3", "power: exponent dropped"),
    "2 - x is swapped": ("2 - x at 3", None),
    "relu is always open": ("relu at -2", "relu: always open"),
    "tanh drops the square": ("tanh at 0.5", "tanh: square dropped"),
    "breadth first": ("the house graph", "breadth first"),
    "a visit for every path": ("the house graph", "every visit"),
    "no zeroing": ("two roots above one result", "no zeroing"),
    "equal numbers are one node": ("equal numbers doubled", None),
    "a recursive walk": ("a chain 2000 deep", None),
    "each path by itself": ("a ladder of 25 doublings", None),
    "operands are kept as a set": ("the arrows of x * x", None),
    "no seed": ("a root without operands", "no seed"),
}


# ----- The family -----


def test_the_family() -> None:
    assert list(MUTANTS) == FAMILY_NAMES
    assert len(MUTANTS) >= 30


@pytest.fixture(scope="module")
def reports() -> dict[str, Report]:
    return {name: grade(mutant.engine()) for name, mutant in MUTANTS.items()}


@pytest.mark.parametrize("name", FAMILY_NAMES)
def test_every_mutant_is_caught(name: str, reports: dict[str, Report]) -> None:
    report = reports[name]
    assert not report
    assert report.wrong
    assert all(len(line) <= 77 for line in str(report).splitlines())
    assert report.drawing is not None and "<svg" in report.drawing.svg


@pytest.mark.parametrize("name", SHOWN)
def test_the_smallest_graph_and_the_mistake(name: str, reports: dict[str, Report]) -> None:
    finding = reports[name].findings[0]
    assert (finding.verdict.trial.name, finding.mutation and finding.mutation.name) == SHOWN[name]


def test_the_right_number_is_not_told(reports: dict[str, Report]) -> None:
    """Of the house graph and of x * x, whose numbers stand nowhere in the program."""
    for name in ("breadth first", "a visit for every path"):
        assert "48" not in str(reports[name]) and "28" not in str(reports[name]).replace("2.0", "")
    assert "6" not in str(reports["= for += in *"]).partition("In ")[0].partition("x * x")[2]


@pytest.mark.parametrize("name", EQUIVALENT)
def test_equivalent_changes_pass(name: str) -> None:
    mutant, reason = EQUIVALENT[name]
    assert mutant.source != reference_engine.__doc__ and reason
    assert grade(mutant.engine())


def test_mutants_differ_from_the_reference() -> None:
    for mutant in MUTANTS.values():
        assert mutant.old != mutant.new
        assert mutant.change.startswith(f"in {mutant.method}:\n- ")


def test_a_mutant_that_finds_nothing_to_change_is_an_error() -> None:
    mutant = next(iter(MUTANTS.values()))._replace(old="no such text")
    with pytest.raises(ValueError, match="no such text"):
        mutant.engine()


# ----- What is right -----


@pytest.mark.parametrize("engine", [autograd.Value, reference_engine.Value])
def test_right_engines_pass(engine: Any) -> None:
    report = grade(engine)
    assert report and not report.wrong and not report.missing
    assert report.drawing is None
    assert str(report) == f"Value: {len(TRIALS)} of {len(TRIALS)} graphs right"


@pytest.mark.parametrize("mutation", [mutation.name for mutation in PASSES])
def test_our_engine_with_a_mistake_fails_and_it_is_named(mutation: str) -> None:
    """The lab's mistakes of the pass are found in the engine itself, by name."""

    class Broken:
        """Our Value as the lab breaks it."""

        def __new__(cls, number: float) -> Any:
            return autograd.Value(number)

    with breaking(mutation):
        outcomes = {trial: run(Broken, trial) for trial in TRIALS if not trial.drawn}
    wrong = [trial for trial, outcome in outcomes.items() if outcome.numbers != truth(trial)]
    assert wrong, mutation
    for trial, outcome in outcomes.items():
        if not outcome.trouble:
            assert outcome.numbers == pytest.approx(truth(trial, next(m for m in PASSES if m.name == mutation)))


def test_the_engine_of_the_last_notebook_passes() -> None:
    """What a learner has written when every stage of notebook 14 is solved."""
    (path,) = (path for path in NOTEBOOKS if path.stem == "14_build_your_own_engine")
    space: dict[str, Any] = {}
    for cell in code_cells(solved(read(path))):
        if "class Value" in source(cell) or "my_engine" in source(cell) or source(cell).startswith("import math"):
            exec(source(cell), space)
    report = grade(space["my_engine"])
    assert report and not report.wrong and not report.missing
    assert len(report.right) == len(TRIALS)


def test_micrograd_has_its_known_faults() -> None:
    """Second backward, changed data, repeated operands in drawings, depth: these and no other."""
    engine = pytest.importorskip("micrograd.engine", reason="micrograd is a peer, where it is installed")
    report = grade(engine.Value)
    assert {verdict.trial.subject for verdict in report.wrong} == {
        "a second backward()", "changed data", "a repeated operand in drawings", "depth",
    }  # fmt: skip
    assert {finding.mutation.name for finding in report.findings if finding.mutation} == {
        "no zeroing", "reads changed data",
    }  # fmt: skip
    assert all(verdict.trial.optional for verdict in report.missing)
    assert "And an engine may do without" not in str(report)
    assert "may do without: 2 ** x, a ** b, tanh, exp, log." in str(report).replace("\n    ", " ").replace("\n  ", " ")


#: Gradients by hand: of trials that are no one-liners.
BY_HAND = {
    "the house graph": {"e.data": 48, "a.grad": 48, "b.grad": 28},
    "its twin with e = d * c": {"e.data": 48, "a.grad": 48, "b.grad": 28},
    "equal numbers doubled": {"r.data": 4, "x.grad": 8, "t.grad": 2},
    "a long path and a short one": {"y.data": 12, "x.grad": 7},
    "a / b": {"c.data": 1.5, "a.grad": 0.5, "b.grad": -0.75},
    "x ** 3": {"c.data": 27, "x.grad": 27},
    "x ** -2 at 3": {"y.data": 1 / 9, "x.grad": -2 / 27},
    "2 ** x at 3": {"y.data": 8, "x.grad": 8 * math.log(2)},
    "4 / x at 3": {"x.grad": -4 / 9},
    "tanh at 0.5": {"x.grad": 1 / math.cosh(0.5) ** 2},
    "exp at 0.5": {"x.grad": math.exp(0.5)},
    "log at 2": {"x.grad": 0.5},
    "a diamond": {"y.data": 108, "a.grad": 144, "b.grad": 72},
    "x - x": {"y.data": 0, "x.grad": 0},
    "a second backward()": {"a.grad": 96, "b.grad": 56},
    "backward() after leaves were set to 0": {"a.grad": 48, "b.grad": 28},
    "two roots above one result": {"a.grad": 21, "b.grad": 16},
    "data changed before backward()": {"x.grad": 3, "w.grad": 2},
    "a training loop": {"w.data": 3 - 3 * 0.8**3},
    "a ladder of 25 doublings": {"x.grad": 2**26 - 1},
    "a chain 2000 deep": {"x.grad": 2001},
    "the arrows of x * x": {"arrows": 2},
}


@pytest.mark.parametrize("name", BY_HAND)
def test_the_truth_by_hand(name: str) -> None:
    numbers = truth(NAMED[name])
    assert {place: numbers[place] for place in BY_HAND[name]} == pytest.approx(BY_HAND[name])


@pytest.mark.parametrize("trial", TRIALS, ids=lambda trial: trial.name)
def test_trials_are_whole(trial: Any) -> None:
    """Each has a name of its own, a graph to draw without gradients, and says where to look."""
    assert NAMED[trial.name] is trial
    root = picture(trial)
    assert not any(node.has_grad for node in autograd.nodes(root))
    assert len(autograd.nodes(root)) <= 12
    assert trial.look and set(truth(trial)) == set(trial.asked.split())


# ----- Whatever an engine does -----


def variant(method: str, function: Any = None) -> Any:
    """The reference engine with another method, or without it."""
    space: dict[str, Any] = {"__name__": "a variant"}
    exec(MUTANTS["= for += in +"]._replace(old="self.data + other.data", new="self.data + other.data").source, space)
    engine = space["Value"]
    if function is None:
        delattr(engine, method)
    else:
        setattr(engine, method, function)
    return engine


def raising(error: BaseException) -> Any:
    def method(*_: Any) -> None:
        raise error

    return method


def test_an_operator_that_is_not_there() -> None:
    report = grade(variant("__sub__"))
    assert not report and not report.wrong
    assert "there is no `a - b` yet: it takes __sub__" in str(report)
    optional = grade(variant("tanh"))
    assert optional and "may do without: tanh." in str(optional)


def test_no_backward() -> None:
    report = grade(variant("backward"))
    assert not report.right or {v.trial.name for v in report.right} <= {"the arrows of x * x"}
    assert "it takes backward" in str(report)


@pytest.mark.parametrize(
    "error",
    [ValueError("it broke"), KeyError("x"), SystemExit(1), ZeroDivisionError(), NotImplementedError("your turn")],
)
def test_exceptions_become_a_sentence(error: BaseException) -> None:
    text = str(grade(variant("backward", raising(error))))
    assert f"stops with {type(error).__name__}" in text and "Traceback" not in text


def test_a_constructor_that_raises() -> None:
    text = str(grade(variant("__init__", raising(TypeError("no numbers, please")))))
    assert "stops with TypeError: no numbers, please" in text


@pytest.mark.parametrize("error", [SystemExit(1), GeneratorExit(), BaseException("it broke")])
def test_a_constructor_that_raises_anything(error: BaseException) -> None:
    assert f"stops with {type(error).__name__}" in str(grade(variant("__init__", raising(error))))


def test_the_user_may_stop_it() -> None:
    with pytest.raises(KeyboardInterrupt):
        grade(variant("__init__", raising(KeyboardInterrupt())))


#: Bodies of functions that never end, whatever is raised in them.
ENDLESS = {
    "two lines": "while True:\n pass",
    "one line": "while True: pass",
    "a bare except": "while True:\n try:\n  pass\n except:\n  pass",
    "a bare except in few lines": "while True:\n try: len([])\n except: pass",
    "finally": "while True:\n try:\n  pass\n finally:\n  continue",
    "recursion that is caught": "while True:\n try:\n  self.backward()\n except:\n  pass",
    "errors that are kept": """
kept = []
while True:
    try:
        while True: self.nodes()
    except BaseException as error:
        kept.append(error)
        while True: pass
""",
}


def with_body(body: str) -> Any:
    space: dict[str, Any] = {}
    exec(f"def function(self, *_):\n{indent(body, ' ')}", space)
    return space["function"]


@pytest.mark.parametrize("body", ENDLESS)
def test_endless_loops_end(body: str) -> None:
    limit, tracing, out = sys.getrecursionlimit(), sys.gettrace(), sys.stdout
    assert "does not come to an end" in str(grade(variant("backward", with_body(ENDLESS[body]))))
    assert (sys.getrecursionlimit(), sys.gettrace(), sys.stdout) == (limit, tracing, out)


@pytest.mark.parametrize("method", ["__init__", "__getattr__", "grad"])
def test_endless_loops_end_wherever_they_are(method: str) -> None:
    endless = with_body(ENDLESS["one line"])
    made = property(endless, lambda self, grad: None) if method == "grad" else endless
    engine = variant(method, made)
    if method == "__getattr__":
        del engine.tanh
    assert "does not come to an end" in str(grade(engine))


def test_recursion_ends() -> None:
    def recursive(self: Any) -> None:
        self.backward()

    limit = sys.getrecursionlimit()
    assert "RecursionError" in str(grade(variant("backward", recursive)))
    assert sys.getrecursionlimit() == limit


def test_an_attribute_that_asks_for_itself() -> None:
    engine = variant("__getattr__", lambda self, name: getattr(self, name))
    del engine.tanh
    report = grade(engine)
    assert {verdict.trial.name for verdict in report.wrong} == {"tanh at 0.5", "tanh at 0.5 in a product"}
    assert "It stops with a RecursionError" in str(report)


def test_an_attribute_that_raises_something_else() -> None:
    engine = variant("__getattr__", lambda self, name: {}[name])
    del engine.tanh
    assert "`c = x.tanh()` stops with KeyError: 'tanh'" in str(grade(engine))


def test_an_error_that_cannot_be_told() -> None:
    class Unspeakable(Exception):
        """Its text is not to be had."""

        def __str__(self) -> str:
            raise SystemExit

    assert "`x.backward()` stops with Unspeakable.\n" in str(grade(variant("backward", raising(Unspeakable()))))


def test_a_number_that_cannot_be_taken() -> None:
    class Leaving:
        """It leaves when it is asked for a number."""

        def __float__(self) -> float:
            raise SystemExit

    def backward(self: Any) -> None:
        for node in self.nodes():
            node.grad = Leaving()

    assert "Reading x.grad stops with SystemExit." in str(grade(variant("backward", backward)))


def test_a_class_without_a_name() -> None:
    class Nameless(type):
        """Its classes do not tell their names."""

        @property
        def __name__(cls) -> str:  # type: ignore[override]
            raise SystemExit

    engine = Nameless("Engine", (reference_engine.Value,), {})
    assert str(grade(engine)).startswith("the engine: ")


def test_a_report_has_code_as_code_and_counts_what_is_not_tried() -> None:
    engine = variant("__sub__")
    for method in ("__truediv__", "__neg__"):
        delattr(engine, method)
    report = grade(engine)
    assert "more graphs cannot be tried without __neg__, __sub__, __truediv__." in " ".join(str(report).split())
    html = report._repr_html_()
    assert "there is no <code>a - b</code> yet" in html and "`" not in html
    assert "<code>=</code> stands for <code>+=</code>" in grade(MUTANTS["= for += in *"].engine())._repr_html_()


def test_grad_that_is_no_number() -> None:
    for grad, told in ((None, "is None"), ("text", "not a number"), ([1.0], "not a number")):

        def backward(self: Any, grad: Any = grad) -> None:
            for node in self.nodes():
                node.grad = grad

        assert told in str(grade(variant("backward", backward)))


def test_a_rounded_gradient_is_called_close() -> None:
    right = reference_engine.Value.backward

    def rounded(self: Any) -> None:
        right(self)
        for node in self.nodes():
            if not node._prev:
                node.grad = round(node.grad, 4)

    assert "that is close" in str(grade(variant("backward", rounded)))


def test_prints_of_the_engine_are_not_shown(capsys: pytest.CaptureFixture[str]) -> None:
    right = reference_engine.Value.backward

    def noisy(self: Any) -> None:
        print("here")
        right(self)

    grade(variant("backward", noisy))
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("wrong", [None, 3, "Value", reference_engine.Value(2.0), autograd.Value(2.0)])
def test_what_is_no_class(wrong: Any) -> None:
    with pytest.raises(TypeError, match=r"grade\(Value\)"):
        grade(wrong)


def test_a_report_in_a_notebook() -> None:
    report = grade(MUTANTS["breadth first"].engine())
    html = report._repr_html_()
    assert html.count("<svg") == 1 and "the house graph" in html and "d = c + a" in html
    assert html == grade(MUTANTS["breadth first"].engine())._repr_html_()
