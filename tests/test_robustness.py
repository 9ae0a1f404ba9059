"""What breaks other programs: threads, interrupts, graphs of a million nodes, numbers at the ends of the doubles.

What single values, copies, drawings and modes do is in their own tests; here is what happens when much, or much that
is odd, comes together. What is typed, given or read is in test_fuzz.py; special_numbers.py states what comes out of
special numbers, disturbances.py makes the disturbances.
"""

from __future__ import annotations

import contextlib
import copy
import gc
import io
import itertools
import math
import pickle
import sys
import threading
import warnings
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

import pytest
import special_numbers
from disturbances import DISTURBANCES, INTERRUPTS, MODES, can_interrupt
from fuzz_targets import at_most
from house_graph import house_nodes
from special_numbers import INDETERMINATE, INF, NAN, ROUNDED, SUBNORMAL, discrepancies, operand_count, points
from test_fuzz import run
from test_rules import NAMES, VALUE, each_discrepancy
from test_value import execute

import autograd as ag
from autograd import Value, modes, nodes, transforms
from autograd.modes import Mode, mode
from autograd.primitives import PRIMITIVES
from autograd.terminal import Terminal

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

    from autograd.primitives import Primitive

    Point = tuple[float, ...]


# ----- Threads -----


@pytest.fixture
def eager_switching() -> Iterator[None]:
    """Threads take turns a thousand times as often as usual."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(5e-6)
    yield
    sys.setswitchinterval(before)


def at_once(work: Callable[[int], Any], count: int) -> list[Any]:
    """What `count` threads give that begin together; an error of any of them is raised."""
    barrier = threading.Barrier(count)

    def begin(i: int) -> Any:
        barrier.wait(10)
        return work(i)

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(begin, range(count)))


def described(root: Value) -> str:
    """Every number of a graph, to the last bit."""
    return repr([(node.primitive, node.data, node.grad, node.local_derivatives) for node in nodes(root)])


def program(seed: int) -> list[Any]:
    """A few hundred instructions for `execute`, other ones for each seed."""
    names = ["tanh", "sin", "dot", "multiply", "sum", "divide", "logsumexp", "relu", "mean", "sigmoid"]
    known = [name for name in names if name != "relu"]
    return [(known[(seed + i * i) % len(known)], i * seed, i // 2, None, False) for i in range(300)]


@pytest.mark.usefixtures("eager_switching")
def test_threads_with_graphs_of_their_own() -> None:
    """Recorded, differentiated twice, recomputed and copied at once: to the last bit what one thread does alone."""

    def work(i: int) -> list[str]:
        leaves = [Value(0.1 * i + 0.3), Value(-0.7), Value(1.0 / (i + 1))]
        root = execute(program(i), leaves, ag)
        told = []
        for _ in range(2):
            root.backward()
            told.append(described(root))
        leaves[0].data = 0.25
        root.forward()
        return [*told, described(root), described(copy.deepcopy(root))]

    alone = [work(i) for i in range(8)]
    assert at_once(work, 8) == alone


@pytest.mark.usefixtures("eager_switching")
def test_threads_with_shared_leaves_and_a_lock_around_backward() -> None:
    """Recording reads leaves and changes nothing, so only backward() needs the lock; then no gradient is lost."""
    weights = [Value(float(i)) for i in range(1, 6)]
    lock = threading.Lock()

    def work(i: int) -> list[float]:
        found = []
        for step in range(40):
            root = ag.dot(weights, [float(i)] * 5) + weights[step % 5] * weights[(step + 1) % 5]
            with lock:
                root.backward()
            found.append(root.data)
        return found

    alone = [work(i) for i in range(6)]
    wanted = [weight.grad for weight in weights]  # whole numbers: they add up exactly, in any order
    for weight in weights:
        weight.grad = None
    assert at_once(work, 6) == alone
    assert [weight.grad for weight in weights] == wanted


READERS: dict[str, Callable[[Value, Value], Any]] = {
    "table": lambda root, x: str(ag.table(root)),
    "table in HTML": lambda root, x: ag.table(root).html,
    "drawing": lambda root, x: ag.draw(root, edges=True).dot,
    "explain": lambda root, x: str(ag.explain(x, root, paths=True)),
    "diagnose": lambda root, x: str(ag.diagnose(root)),
    "nudge": lambda root, x: ag.nudge(root, x),
    "derivatives": lambda root, x: described(ag.derivatives(root, [x])[0]),
    "expand": lambda root, x: described(ag.expand(root)),
    "deepcopy": lambda root, x: described(copy.deepcopy(root)),
    "pickle": lambda root, x: pickle.dumps(root),
    "nodes": lambda root, x: nodes(root),
}


@pytest.mark.usefixtures("eager_switching")
def test_threads_read_one_graph() -> None:
    """All readers at once, on one graph, without a lock: they tell what they tell alone, and change nothing."""
    x = Value(0.5, "x")
    root = execute(program(3)[:25], [x, Value(-0.25, "z")], ag)
    root.backward()
    before = described(root)
    readers = list(READERS.values()) * 2
    alone = [read(root, x) for read in readers]
    for _ in range(3):
        assert at_once(lambda i: readers[i](root, x), len(readers)) == alone
    assert described(root) == before


# ----- Modes and generators -----


def recording(name: str, x: Value) -> Generator[Value, None, None]:
    """Two operations in a mode, with a pause between them."""
    with MODES[name]():
        yield x * x
        yield x + x


def in_a_context_of_its_own(test: Callable[[], None]) -> None:
    """So that a mode that is left on by mistake is off for the tests that follow."""
    copy_context().run(test)


@pytest.mark.parametrize("name", MODES)
def test_generator_that_is_dropped_half_done_leaves_the_mode(name: str) -> None:
    """By `break`, by an error in the loop, or by being forgotten."""

    def test() -> None:
        x = Value(3.0)
        for _ in recording(name, x):
            break
        assert mode.get() is None
        with pytest.raises(KeyError):  # noqa: PT012
            for _ in recording(name, x):
                raise KeyError
        gc.collect()
        assert mode.get() is None
        forgotten = recording(name, x)
        next(forgotten)
        del forgotten
        gc.collect()
        assert (x * x).operands == (x, x)

    in_a_context_of_its_own(test)


def test_generator_that_is_advanced_inside_a_mode_records_by_it() -> None:
    """The mode of who asks for the next value holds for that value alone."""

    def plain(x: Value) -> Iterator[Value]:
        while True:
            yield x * x

    x = Value(3.0)
    operations = plain(x)
    with ag.no_grad():
        assert next(operations).operands == ()
    assert next(operations).operands == (x, x)


#: What each of them changes.
CHANGES = {"no_grad": Mode(no_grad=True), "record_lines": Mode(lines=True), "detect_anomaly": Mode(anomaly=True)}


@pytest.mark.parametrize("end", [list, lambda generator: generator.close()])
@pytest.mark.parametrize("name", MODES)
def test_generator_that_pauses_inside_a_mode_has_its_caller_in_it(name: str, end: Callable[[Any], Any]) -> None:
    """As decimal.localcontext() would, until the generator ends: contexts are a thread's or a task's."""

    def test() -> None:
        x = Value(2.0)
        paused = recording(name, x)
        assert mode.get() is None  # it has not begun
        next(paused)
        assert mode.get() == CHANGES[name]
        assert (x * x).operands == (() if name == "no_grad" else (x, x))
        end(paused)
        assert mode.get() is None
        assert (x * x).operands == (x, x)

    in_a_context_of_its_own(test)


@pytest.mark.parametrize(("first", "second"), list(itertools.permutations(MODES, 2)))
def test_generators_that_end_in_the_order_of_their_beginning_leave_no_mode(first: str, second: str) -> None:
    """As zip() ends them: after that, everything is recorded as ever."""

    def test() -> None:
        x = Value(2.0)
        assert len(list(zip(recording(first, x), recording(second, x)))) == 2
        assert mode.get() is None
        assert (x * x).operands == (x, x)

    in_a_context_of_its_own(test)


@pytest.mark.parametrize("other", MODES)
@pytest.mark.parametrize("name", MODES)
def test_generator_that_is_closed_in_another_thread(name: str, other: str) -> None:
    """As the collector does, in whichever thread it runs: no error comes up there, and its own mode stays on.

    No thread reaches the context of another: where the generator began, its mode stays on too.
    """

    def closing(paused: Any) -> Mode | None:
        with MODES[other]():
            paused.close()
            assert mode.get() == CHANGES[other]
        return mode.get()

    def test() -> None:
        paused = recording(name, Value(2.0))
        next(paused)
        with ThreadPoolExecutor(1) as pool:
            assert pool.submit(closing, paused).result() is None
        assert mode.get() == CHANGES[name]

    in_a_context_of_its_own(test)


@pytest.mark.parametrize("name", DISTURBANCES)
def test_disturbances_while_recording(name: str) -> None:
    """Errors in someone's own primitive, in every mode; generators in modes, ended in any order."""
    run(DISTURBANCES[name], 200)


# ----- Interrupts -----


@pytest.mark.skipif(not can_interrupt(), reason="there are no timers that send signals here")
@pytest.mark.parametrize("name", INTERRUPTS)
def test_interrupts_at_random_moments(name: str) -> None:
    """All is done, or nothing."""
    run(INTERRUPTS[name], 150)


def interrupted(action: Callable[[], Any], functions: tuple[str, ...], line: int) -> bool:
    """Do something, with a KeyboardInterrupt before the line-th line of these functions; whether it came so far."""
    seen = 0

    def tracer(frame: Any, event: str, _: Any) -> Any:
        nonlocal seen
        if frame.f_code.co_name not in functions:
            return None
        seen += event == "line"
        if seen == line and event == "line":
            raise KeyboardInterrupt
        return tracer

    before = sys.gettrace()
    sys.settrace(tracer)
    try:
        action()
    except KeyboardInterrupt:
        return True
    finally:
        sys.settrace(before)
    return False


def test_interrupt_at_any_line_of_forward_changes_all_or_nothing() -> None:
    """backward() of anything between would mix the local derivatives of two points, without a word."""
    outcomes = []
    for line in itertools.count(1):
        a, *_, e = house_nodes()
        e.backward()
        a.data = 5.0
        before = described(e)
        came = interrupted(e.forward, ("forward", "_commit"), line)
        now = described(e)
        e.forward()
        after = described(e)
        assert now in (before, after), f"before line {line}"
        outcomes.append(now == after)
        if not came:
            break
    assert outcomes == sorted(outcomes)  # nothing at first, and from some line on all
    assert outcomes.count(True) > 10 < outcomes.count(False)


class Interrupting:
    """A context variable; when it and its like are used for the n-th time, Ctrl-C comes during the call.

    Python looks for signals when a function written in C has returned: it has done its work then.
    """

    def __init__(self, variable: Any, uses: Iterator[int], last: int) -> None:
        self._variable, self._uses, self._last = variable, uses, last

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def use(*args: Any) -> Any:
            result = getattr(self._variable, name)(*args)
            if next(self._uses) == self._last:
                raise KeyboardInterrupt
            return result

        return use


INTERRUPTED: dict[str, Callable[[], Any]] = {
    "a mode": lambda: ag.no_grad(lambda: None)(),
    "modes within each other": lambda: ag.record_lines(ag.no_grad(lambda: None))(),
    "a transform": lambda: ag.grad(lambda x: x * x)(3.0),
    "a transform of a transform": lambda: ag.grad(ag.grad(lambda x: x * x * x))(3.0),
}


@pytest.mark.parametrize("kind", INTERRUPTED)
def test_interrupt_while_a_mode_begins_or_ends(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Afterwards everything is recorded as ever, also when another mode has come and gone."""

    def test(last: int) -> bool:
        uses = itertools.count(1)
        with monkeypatch.context() as patch:
            for module, name in ((modes, "mode"), (modes, "_changes"), (transforms, "_outer")):
                patch.setattr(module, name, Interrupting(getattr(module, name), uses, last))
            with contextlib.suppress(KeyboardInterrupt):
                INTERRUPTED[kind]()
        x = Value(2.0)
        with ag.detect_anomaly():
            assert (x * x).operands == (x, x), f"use {last}"
        assert mode.get() is None, f"use {last}"
        assert type(ag.grad(lambda x: x * x)(3.0)) is float, f"use {last}"
        return next(uses) > last

    for last in itertools.count(1):
        if not copy_context().run(test, last):
            return


def test_interrupt_before_the_end_of_a_mode_has_begun(monkeypatch: pytest.MonkeyPatch) -> None:
    """Python looks for signals when it calls `__exit__`, before its first line: compile does not stay on."""
    ends = modes.Change.__exit__
    calls = itertools.count()

    def interrupted(self: modes.Change, *error: object) -> None:
        if next(calls) == 0:
            raise KeyboardInterrupt
        ends(self, *error)

    monkeypatch.setattr(modes.Change, "__exit__", interrupted)
    x = Value(2.0)
    with pytest.raises(KeyboardInterrupt):
        ag.compile(lambda y: x * y)([1.0])
    assert mode.get() is None
    assert (x > 1.0) is True
    assert ag.compile(lambda y: x * y)([1.0]).tolist() == [2.0]


@pytest.mark.parametrize("error", [KeyboardInterrupt, MemoryError, ZeroDivisionError])
@pytest.mark.parametrize(
    "action",
    [
        lambda y, x: y.forward(),
        lambda y, x: ag.derivatives(y, [x]),
        lambda y, x: ag.expand(y),
        lambda y, x: ag.nudge(y, x),
        lambda y, x: ag.table(y),
    ],
)
def test_error_in_a_rule_of_ones_own_changes_nothing(
    action: Callable[[Value, Value], Any], error: type[BaseException], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever is asked of the graph then: numbers and gradients stay, and no mode is left on."""
    own = ag.primitive("of_ones_own", lambda x: x * x, lambda x, out: 2 * x, definition=lambda x: x**2)
    x = Value(3.0, "x")
    y = own(x) * own(2 * x)
    y.backward()
    before = described(y)

    def explode(*_: Any) -> Any:
        raise error

    monkeypatch.setattr(own, "function", explode)
    monkeypatch.setattr(own, "partials", (explode,))
    monkeypatch.setattr(own, "definition", explode)
    with contextlib.suppress(error, ValueError):  # what raises a ZeroDivisionError is taken for out of date
        action(y, x)
    monkeypatch.undo()
    assert described(y) == before
    assert mode.get() is None
    y.backward()
    assert x.grad == 2 * 4 * 4 * 3.0**3
    del PRIMITIVES["of_ones_own"]


# ----- Graphs of a million nodes -----

MILLION = 1_000_000


@pytest.mark.parametrize(("function", "gradient"), [(ag.sum, 1.0), (lambda values: ag.dot(values, values), 2.0)])
def test_a_million_leaves(function: Callable[[list[Value]], Value], gradient: float) -> None:
    """One node of a million values: differentiated, recomputed and forgotten."""
    leaves = [Value(1.0) for _ in range(MILLION)]
    root = function(leaves)
    root.backward()
    assert len(nodes(root)) == MILLION + 1
    assert {leaf.grad for leaf in leaves} == {gradient}
    leaves[0].data = 2.0
    assert root.forward() == MILLION - 1 + 2.0**gradient
    root.zero_grad()
    assert not any(leaf.has_grad for leaf in leaves)


def test_a_million_leaves_in_a_chain() -> None:
    """Python's sum: a million additions, each with a leaf of its own."""
    leaves = [Value(2.0) for _ in range(MILLION // 2)]
    root = sum(leaves, Value(0.0))
    root.backward()
    assert (root.data, len(nodes(root))) == (MILLION, MILLION + 1)
    assert {leaf.grad for leaf in leaves} == {1.0}
    with ag.no_grad():
        assert sum(leaves, Value(0.0)).data == MILLION


def test_a_sum_of_many_is_expanded_copied_and_pickled() -> None:
    """100,000 operands: a chain of as many additions, and a twin."""
    leaves = [Value(1.0) for _ in range(100_000)]
    root = ag.sum(leaves)
    fine = ag.expand(root)
    assert len(nodes(fine)) == 2 * len(leaves) - 1
    for twin in (fine, copy.deepcopy(root), pickle.loads(pickle.dumps(root))):
        twin.zero_grad()
        twin.backward()
        assert twin.data == len(leaves)
        assert {node.grad for node in nodes(twin) if not node.operands} == {1.0}


def consumers(count: int) -> tuple[Value, Value, Value]:
    """A leaf, a result that as many nodes use, and their sum."""
    x = Value(2.0, "x")
    y = 3.0 * x
    root = ag.sum([y * 1.0 for _ in range(count)])
    y.label, root.label = "y", "root"
    root.backward()
    return x, y, root


CROWD = 100_000


def test_a_hundred_thousand_consumers_are_copied_pickled_and_listed() -> None:
    """Recorded and differentiated they are in test_value.py."""
    x, y, root = consumers(CROWD)
    assert len(nodes(root)) == CROWD + 3
    assert (root.data, x.grad, y.grad) == (6 * CROWD, 3 * CROWD, CROWD)
    for twin in (copy.deepcopy(root), pickle.loads(pickle.dumps(root))):
        assert sorted(node.grad for node in nodes(twin) if node.label) == [1, CROWD, 3 * CROWD]
    assert len(ag.table(root).rows) == CROWD + 3
    (gradient,) = ag.derivatives(root, [x])
    assert gradient.data == 3 * CROWD
    with pytest.raises(ValueError, match="more than the limit"):
        ag.draw(root)


def test_twenty_thousand_consumers_are_explained_and_stepped_through() -> None:
    """And diagnosed; readers that say something of every node take longer."""
    count = 20_000
    x, y, root = consumers(count)
    assert str(ag.explain(y, root)).startswith(f"y.grad = the sum of {count} contributions = {count}")
    assert "none is zero" in str(ag.diagnose(root))
    root.zero_grad()
    stepper = ag.Stepper(root)
    stepper.run()
    assert (x.grad, y.grad) == (3 * count, count)
    stepper.reset()
    assert not x.has_grad


def test_transforms_of_a_hundred_thousand_consumers() -> None:
    """Forward and reverse mode."""

    def crowd(x: Any) -> Any:
        y = 3.0 * x
        return ag.sum([y * 1.0 for _ in range(CROWD)])

    assert ag.value_and_grad(crowd)(2.0) == (6 * CROWD, 3 * CROWD)
    assert ag.jvp(crowd, (2.0,), (1.0,)) == (6 * CROWD, 3 * CROWD)


def looks_of_transform(count: int) -> int:
    """How many operands a second derivative looks at, of a sum of so many squares."""
    looks = 0
    look = Value.operands.fget  # type: ignore[attr-defined]

    def counted(node: Value) -> Any:
        nonlocal looks
        looks += 1
        return look(node)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Value, "operands", property(counted))
        assert ag.grad(ag.grad(lambda x: ag.sum([x * x for _ in range(count)])))(3.0) == 2 * count
    return looks


def test_second_derivatives_look_at_every_node_a_few_times() -> None:
    """Twice the graph, about twice the work."""
    assert looks_of_transform(400) < 2.2 * looks_of_transform(200)


# ----- Numbers at the ends of the doubles -----


@pytest.mark.parametrize("name", NAMES)
def test_special_numbers(name: str) -> None:
    """Subnormal, huge, infinite numbers, nan, zeros of both signs: values, slopes and errors are as stated."""
    assert len(points(PRIMITIVES[name])) >= 10
    assert discrepancies(PRIMITIVES[name]) == []


@pytest.mark.parametrize("title", ROUNDED)
def test_slopes_that_are_called_rounded_are(title: str) -> None:
    """Nothing is on that list that need not be: at every place, an exact number would be another one."""
    name, holds = ROUNDED[title]
    places = [point for point in points(PRIMITIVES[name]) if holds(*point)]
    assert places
    for point in places:
        assert list(each_discrepancy(PRIMITIVES[name], [point])), point


@pytest.mark.parametrize(("name", "part"), INDETERMINATE)
def test_what_is_called_indeterminate_is_nan(name: str, part: Any) -> None:
    """Nothing is on that list that need not be: where it says so, nan comes out somewhere."""
    target = PRIMITIVES[name]
    places = [point for point in points(target) if INDETERMINATE[name, part](*point)]
    slots = range(1, operand_count(target) + 1) if part is None else [0 if part == VALUE else part + 1]
    outcomes = [special_numbers.outcome(target, point) for point in places if not any(map(math.isnan, point))]
    assert any(math.isnan(got[slot]) for got in outcomes if isinstance(got, list) for slot in slots)


#: Functions that are right for most numbers, and what is wrong with them.
ALMOST: dict[str, tuple[str, Callable[..., float]]] = {
    "the negative zero of a distance": ("absolute", lambda x: -x if x < 0 else x),
    "nan is lost": ("relu", lambda x: x if x > 0 else 0.0),
    "nan is lost on one side": ("maximum", lambda x, y: max(x, y)),
    "-0.0 becomes 0.0": ("expm1", lambda x: math.exp(x) - 1 if x == 0 else math.expm1(x)),
    "subnormals are flushed": ("multiply", lambda x, y: x * y if abs(x * y) > 1e-300 or x * y == 0 else 0.0),
    "overflow": ("sigmoid", lambda x, slope=1.0: 1 / (1 + math.exp(-slope * x))),
    "infinity without an error": ("exp", lambda x: math.exp(x) if x < 709 or x != x else INF),
    "an error where there is a limit": ("tanh", lambda x: math.tanh(x) if abs(x) < INF else math.sin(x)),
    "another kind of error": ("divide", lambda x, y: x / y if y else math.sqrt(-1)),
    "the sign of zero in a quotient": ("divide", lambda x, y: x / y + 0.0),
}


@pytest.mark.parametrize("kind", ALMOST)
def test_functions_that_are_almost_right_are_found(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The check of special numbers is checked."""
    name, function = ALMOST[kind]
    target: Primitive = PRIMITIVES[name]
    monkeypatch.setattr(target, "function", function)
    assert discrepancies(target)


def test_sums_that_overflow_on_the_way_are_infinite() -> None:
    """As IEEE 754 adds, from left to right, and as NumPy and PyTorch do: inf, and no wrong number."""
    for function, numbers in ((ag.mean, [1e308, 1e308]), (ag.sum, [1e308, 1e308, -1e308])):
        leaves = list(map(Value, numbers))
        root = function(leaves)
        root.backward()
        assert root.data == INF
        assert len({leaf.grad for leaf in leaves}) == 1
    with pytest.raises(FloatingPointError, match="mean"), ag.detect_anomaly():
        ag.mean([Value(1e308), Value(1e308)])


# ----- Broken graphs, shown -----

NUMBERS = {
    "nan everywhere": (NAN, NAN, NAN),
    "inf everywhere": (INF, INF, INF),
    "-inf everywhere": (-INF, -INF, -INF),
    "all of them": (NAN, INF, -INF),
    "zeros of both signs": (-0.0, 0.0, -0.0),
    "subnormal": (5e-324, SUBNORMAL, -5e-324),
    "huge": (1e308, -1e308, 1.7976931348623157e308),
}
LABELS: dict[str, Any] = {
    "empty": "",
    "markup": "<b>&amp;\"'</b>",
    "script": "</script><script>alert(1)</script>",
    "braces of DOT": 'a|b{}<f0>\\n"',
    "LaTeX": r"$\frac{1}{0}$ \input{x} 100% _^#",
    "several lines": "a\nb\r\nc\u2028d",
    "control characters": "\x00\x1b[31mred\x07\x85",
    "half a surrogate": "\ud800",
    "from right to left": "\u202eabc\u200f",
    "long": "x" * 1000,
    "a name of ours": "v1",
    "a number": 5,
    "nan": NAN,
    "nothing": None,
    "a list": ["x"],
    "bytes": b"x",
}


def broken(numbers: tuple[float, ...], labels: tuple[Any, ...]) -> tuple[Value, Value]:
    """A graph with every kind of node, and its first leaf; an inner node has the label too."""
    x, y, z = map(Value, numbers, labels)
    a = x * y
    a.label = labels[0]
    b = ag.maximum(a, z) + ag.relu(x)
    c = ag.where(b, x, y) - 2 * z
    d = ag.dot([x, y], [z, 3.0], b) + ag.logsumexp([x, INF])
    root = ag.tanh(ag.sum([a, b, c, d, INF])) * ag.sigmoid(z) / (abs(x) + 1.0)
    return root, x


def steps_there_and_back(root: Value) -> str:
    """All that a stepper says, forward and backward."""
    stepper = ag.Stepper(root)
    there = [f"{stepper!r}\n{step!r}" for step in stepper]
    return "\n".join([*there, *(repr(stepper.back()) for _ in there)])


def conversation(root: Value) -> str:
    """What the terminal answers."""
    output = io.StringIO()
    typed = "n 3\nr\np v2\nwhy v2\nwatch v2\ntable\nlist\nb\nb 2\ngoto 3\nreset\nq\n"
    Terminal(root, io.StringIO(typed), output).interact()
    return output.getvalue()


VIEWS: dict[str, Callable[[Value, Value], str]] = {
    "repr": lambda root, x: "\n".join(map(repr, nodes(root))),
    "table": lambda root, x: str(ag.table(root)),
    "exam sheet": lambda root, x: str(ag.table(root, blanks="adjoint")),
    "Markdown": lambda root, x: ag.table(root).markdown,
    "LaTeX": lambda root, x: ag.table(root).latex,
    "HTML": lambda root, x: ag.table(root).html,
    "DOT": lambda root, x: ag.draw(root, edges=True).dot,
    "explain": lambda root, x: str(ag.explain(x, root)),
    "explain its paths": lambda root, x: str(ag.explain(x, root, paths=True)),
    "diagnose": lambda root, x: str(ag.diagnose(root)),
    "diagnose a leaf": lambda root, x: str(ag.diagnose(root, x)),
    "Stepper": lambda root, x: steps_there_and_back(root),
    "terminal": lambda root, x: conversation(root),
    "nudge": lambda root, x: repr(ag.nudge(root, x)),
}


def check_view(view: str, root: Value, x: Value) -> str:
    """What a view tells of a graph: text that a terminal and a file can take, after which the graph is as it was."""
    before = described(root)
    text = VIEWS[view](root, x)
    assert text.strip()
    assert described(root) == before
    unprintable = {mark for mark in text if not mark.isprintable()} - {"\n", "\u200d"}
    assert view == "repr" or not unprintable  # a repr shows them with backslashes, as that of a str does
    return text


@pytest.mark.parametrize("backward", [False, True])
@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("numbers", NUMBERS)
def test_views_of_numbers_that_are_none(numbers: str, view: str, backward: bool) -> None:
    """They say nan and inf; nothing is raised, before a pass and after it."""
    root, x = broken(NUMBERS[numbers], ("x", "y", "z"))
    if backward:
        root.backward()
    text = check_view(view, root, x)
    if numbers in ("nan everywhere", "all of them") and view in ("repr", "table", "HTML", "DOT", "Stepper"):
        assert "nan" in text


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("label", LABELS)
def test_views_of_labels_that_are_trouble(label: str, view: str) -> None:
    """A label is text, whatever it is: three leaves and a result bear the same."""
    root, x = broken((1.0, 2.0, 3.0), (LABELS[label],) * 3)
    root.backward()
    text = check_view(view, root, x)
    if view == "HTML":
        assert "<script" not in text
        assert '<b>&amp;"' not in text


@pytest.mark.parametrize("case", [*NUMBERS, *LABELS])
def test_pictures_of_broken_graphs(case: str) -> None:
    """The SVG is well-formed, and shows every node."""
    numbers = NUMBERS.get(case, (1.0, 2.0, 3.0))
    root, _ = broken(numbers, (LABELS[case],) * 3 if case in LABELS else ("x", "y", "z"))
    root.backward()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that it is hard to read
        svg = ElementTree.fromstring(ag.draw(root, edges=True).svg)
    groups = [group for group in svg.iter("{http://www.w3.org/2000/svg}g") if group.get("class", "").startswith("node")]
    assert len(groups) >= len(nodes(root))


def test_powers_written_as_products_are_drawn() -> None:
    """It takes a few seconds, and took a minute and a half as long as the DOT had no nslimit."""
    x = Value(1.0, "x")
    root = x
    for _ in range(150):
        root = root * x
    with at_most(30), pytest.warns(UserWarning, match="a drawing of 151 nodes, 151 in a row, is hard to read"):
        assert ag.draw(root).svg
