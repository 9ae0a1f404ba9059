"""no_grad, record_lines and detect_anomaly: alone and nested, as decorators, in threads, tasks and generators."""

from __future__ import annotations

import asyncio
import itertools
import math
import operator
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest
from house_graph import house_nodes
from hypothesis import given, settings
from test_value import LEAVES, PROGRAMS, execute

import autograd as ag
import nn
from autograd import Value, nodes
from autograd.modes import mode
from autograd.primitives import BUILT_IN, PRIMITIVES

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Generator, Iterator

inf, nan = math.inf, math.nan
MODES: dict[str, Callable[[], Any]] = {
    "no_grad": ag.no_grad, "record_lines": ag.record_lines, "detect_anomaly": ag.detect_anomaly,
}  # fmt: skip


@pytest.fixture(autouse=True)
def modes_are_left_off() -> Iterator[None]:
    """No test begins or ends inside a mode."""
    assert mode.get() is None
    yield
    assert mode.get() is None


def same(x: float | None, y: float | None) -> bool:
    """The same number, to the sign of a zero; or both nan, or both nothing."""
    return (x is y is None) or (x is not None and y is not None and repr(x) == repr(y))


def overflows() -> bool:
    """Whether an overflow raises here, as it does where detect_anomaly is on."""
    x = Value(1e200)
    try:
        x * x
    except FloatingPointError:
        return True
    return False


def modes_on() -> set[str]:
    """Which modes are on, told by what operations do."""
    y = Value(1.0) * 2
    located = {"record_lines"} if y._line is not None else set()
    return located | ({"no_grad"} if not y.operands else set()) | ({"detect_anomaly"} if overflows() else set())


# ----- detect_anomaly, forward -----


def _dot(p: Value, _: Value) -> Value:
    return ag.dot([p], [1e200])


ARISING: list[tuple[str, Callable[[Value, Value], Value], float, float]] = [
    ("multiply: x * y at x = 1e+200 (labelled 'p'), y = 1e+200 (labelled 'q') gives inf", operator.mul, 1e200, 1e200),
    ("multiply: x * y at x = 1e+200 (labelled 'p'), y = -1e+200 gives -inf", lambda p, q: p * -1e200, 1e200, 0.0),
    ("add: x + y at x = 1e+308 (labelled 'p'), y = 1e+308 (labelled 'q') gives inf", operator.add, 1e308, 1e308),
    ("subtract: x - y at x = inf (labelled 'p'), y = inf (labelled 'q') gives nan", operator.sub, inf, inf),
    ("subtract: x - y at x = -1e+308 (labelled 'p'), y = 1e+308 gives -inf", lambda p, q: p - 1e308, -1e308, 0.0),
    ("multiply: x * y at x = inf (labelled 'p'), y = 0.0 (labelled 'q') gives nan", operator.mul, inf, 0.0),
    ("divide: x / y at x = inf (labelled 'p'), y = inf (labelled 'q') gives nan", operator.truediv, inf, inf),
    ("sum at x1 = 1e+308 (labelled 'p'), x2 = 1e+308 gives inf", lambda p, q: ag.sum([p, 1e308]), 1e308, 0.0),
    ("mean at x1 = 1e+308, x2 = 1e+308 (labelled 'p') gives inf", lambda p, q: ag.mean([1e308, p]), 1e308, 0.0),
    ("dot at w1 = 1e+200 (labelled 'p'), x1 = 1e+200, b = 0.0 gives inf", _dot, 1e200, 0.0),
]  # fmt: skip


@pytest.mark.parametrize(("told", "function", "p", "q"), ARISING, ids=[case[0].partition(" at")[0] for case in ARISING])
def test_operation_raises_there_and_then(
    told: str, function: Callable[[Value, Value], Value], p: float, q: float
) -> None:
    """The error names it, its operands with their labels, and what arose; outside, nothing is raised."""
    leaves = Value(p, "p"), Value(q, "q")
    with pytest.raises(FloatingPointError) as error, ag.detect_anomaly():
        function(*leaves)
    assert str(error.value) == told
    assert not math.isfinite(function(*leaves).data)


def test_only_the_first_operation_raises() -> None:
    """The line that is reached is the one before it."""
    x = Value(1e100, "x")
    reached = []
    with pytest.raises(FloatingPointError, match=r"x = 1e\+200 \(labelled 'y'\)"), ag.detect_anomaly():
        y = x * x
        y.label = "y"
        reached.append("y")
        y * y
        reached.append("z")
    assert reached == ["y"]


@pytest.mark.parametrize("number", [nan, inf, -inf])
def test_numbers_that_were_not_finite_may_be_used(number: float) -> None:
    """What counts is where finite numbers end."""
    with ag.detect_anomaly():
        x = Value(number)
        y = ag.relu(x * 2 + 1) + ag.maximum(x, 0.0)
        z = Value(2.0) + number
        ag.sum([x, 1.0]).backward()
    assert same(z.data, number)
    assert x.grad == 1
    assert y.operands


def test_errors_of_domains_are_those_of_always() -> None:
    """They name the operation as ever."""
    x = Value(1000.0, "x")
    for function, error in (
        (ag.exp, OverflowError),
        (lambda v: ag.log(-v), ValueError),
        (lambda v: 1 / (v * 0), ArithmeticError),
    ):
        with pytest.raises(error, match="at x = "), ag.detect_anomaly():
            function(x)


def test_user_primitives_are_watched_too() -> None:
    """One of the user's own may give nan."""
    if "modes_test_nan" not in PRIMITIVES:
        ag.primitive("modes_test_nan", lambda x: nan, lambda x, out: 1.0)
    with pytest.raises(FloatingPointError, match="modes_test_nan"), ag.detect_anomaly():
        PRIMITIVES["modes_test_nan"](Value(1.0))
    del PRIMITIVES["modes_test_nan"]


def test_forward_raises_too() -> None:
    """A graph that is recomputed has its anomalies as one that is recorded."""
    x = Value(1.0, "x")
    y = x * x
    x.data = 1e200
    y.backward()
    told = r"multiply: x \* y at x = 1e\+200 \(labelled 'x'\), y = 1e\+200 \(labelled 'x'\) gives inf"
    with pytest.raises(FloatingPointError, match=told), ag.detect_anomaly():
        y.forward()
    assert (y.data, y.grad, x.data) == (1.0, 1.0, 1e200)
    assert y.forward() == inf


@pytest.mark.parametrize("number", [nan, inf])
def test_forward_lets_pass_what_was_not_finite(number: float) -> None:
    """Set as data, it was so from the start."""
    x = Value(1.0)
    y = 2 * x + 1
    x.data = number
    with ag.detect_anomaly():
        assert same(y.forward(), number)


# ----- detect_anomaly, backward -----


@pytest.mark.parametrize("held", [None, 0.0, 4.0])
def test_backward_raises_and_leaves_stay_as_they_were(held: float | None) -> None:
    """0 × inf behind a root of zero; gradients of leaves are those from before, results have none."""
    x, w = Value(0.0, "x"), Value(2.0, "w")
    root = ag.sqrt(x)
    y = 0.0 * root * w
    x.grad = w.grad = held
    message = r"backward: sqrt \(value 0\.0\), whose gradient is 0\.0, makes the gradient of x nan"
    with pytest.raises(FloatingPointError, match=message), ag.detect_anomaly():
        y.backward()
    for leaf in (x, w):
        assert (leaf.has_grad, leaf.grad) == (held is not None, held or 0.0)
    assert not any(node.has_grad for node in nodes(y) if node.operands)
    y.backward()
    assert x.grad != x.grad
    assert w.grad == (held or 0.0)


def test_backward_raises_where_a_sum_of_gradients_overflows() -> None:
    """Each contribution is finite; the label of the consumer is given."""
    x = Value(0.1, "x")
    first, second = x * 1e308, x * 1e308
    first.label, second.label = "first", "second"
    y = first + second
    message = "backward: first, whose gradient is 1.0, makes the gradient of x inf"  # results before operands
    with pytest.raises(FloatingPointError, match=message) as error, ag.detect_anomaly():
        y.backward()
    assert "diagnose(root) shows the way" in str(error.value)
    assert "x.grad becomes 1e+308 + 1 × 1e+308 = inf" in str(ag.diagnose(y))


@pytest.mark.parametrize(("function", "at"), [(ag.sqrt, 0.0), (ag.arcsin, 1.0), (lambda x: x**0.5, 0.0)])
def test_infinite_slope_is_recorded_and_raises_backward(function: Callable[[Value], Value], at: float) -> None:
    """Recording never fails because of a partial."""
    x = Value(at, "x")
    with ag.detect_anomaly():
        y = function(x)
        with pytest.raises(FloatingPointError, match="makes the gradient of x inf"):
            y.backward()
    assert not x.has_grad


def test_repeated_operand_overflows_within_one_step() -> None:
    """Both edges of one node together."""
    x = Value(1.0, "x")
    y = ag.sum([x, x, -1.9])
    with pytest.raises(FloatingPointError, match="makes the gradient of x inf"), ag.detect_anomaly():
        y.backward(1e308)


def test_seed_that_is_not_finite_may_be_used() -> None:
    """It was given."""
    x = Value(2.0)
    with ag.detect_anomaly():
        (x * 3).backward(inf)
    assert x.grad == inf


@pytest.mark.parametrize("number", [nan, inf])
def test_factors_that_were_not_finite_may_be_used(number: float) -> None:
    """Forward they may; backward, the same factor is the local derivative."""
    x = Value(2.0)
    with ag.detect_anomaly():
        (x * Value(number)).backward()
    assert same(x.grad, number)


@settings(deadline=None, max_examples=60)
@given(PROGRAMS, LEAVES)
def test_watched_pass_gives_the_same_gradients(program: Any, numbers: list[float]) -> None:
    """Bit for bit, where nothing arises; under lines and under both as well."""
    plain = run(program, numbers)
    for chosen in (["detect_anomaly"], ["record_lines"], ["record_lines", "detect_anomaly"]):
        with ExitStack() as stack:
            for name in chosen:
                stack.enter_context(MODES[name]())
            watched = run(program, numbers)
        assert watched == plain or (watched == "FloatingPointError" and ("inf" in plain or "nan" in plain))


def run(program: Any, numbers: list[float]) -> str:
    """All numbers of the graph of a program after a pass, exactly; or the name of the error."""
    leaves = [Value(number) for number in numbers]
    try:
        root = execute(program, leaves, ag)
        root.backward()
    except (ValueError, ArithmeticError) as error:
        return type(error).__name__
    return "\n".join(f"{n.primitive} {n.data!r} {n.grad!r} {n.local_derivatives}" for n in nodes(root))


# ----- record_lines -----

POINTS: dict[int, tuple[float, ...]] = {1: (0.5,), 2: (0.5, 1.5), 3: (0.5, -1.0, 1.5)}


@pytest.mark.parametrize("name", sorted(BUILT_IN))
@pytest.mark.parametrize("constant", [None, 0, 1])
def test_every_primitive_under_every_mode(name: str, constant: int | None) -> None:
    """The same number and local derivatives as outside, with constants among the operands too."""
    primitive = PRIMITIVES[name]
    at = POINTS[3 if primitive.variadic else primitive.arity]
    if constant is not None and constant >= len(at) - (len(at) == 1):
        constant = None
    operands = [x if i == constant else Value(x) for i, x in enumerate(at)]
    plain = primitive(*operands)
    with ag.detect_anomaly():
        watched = primitive(*operands)
    with ag.record_lines():
        located = primitive(*operands)
    with ag.no_grad():
        number = primitive(*operands)
    assert same(number.data, plain.data)
    assert number.operands == ()
    for node in (watched, located):
        assert same(node.data, plain.data)
        assert all(map(same, node.local_derivatives, plain.local_derivatives))
        assert (node.operands, node.primitive) == (plain.operands, plain.primitive)
    assert located._line is not None


@pytest.mark.parametrize(
    "function",
    [
        lambda x: x + x, lambda x: x - 1, lambda x: 2 * x, lambda x: 1 / x, lambda x: x**2, lambda x: 2**x, abs,
        lambda x: -x, lambda x: ag.sum([x, 1, x]), lambda x: ag.dot([x, x], [1, 2], x),
        lambda x: ag.softmax([x, 1.0])[0], lambda x: nn.MLP(1, [2, 1], seed=1)([x]), lambda x: ag.where(True, x, 0.0),
    ],
)  # fmt: skip
def test_recorded_with_lines_it_is_the_same(function: Callable[[Value], Value]) -> None:
    """Numbers, gradients, labels and how it shows itself."""
    plain = function(Value(0.7, "x"))
    with ag.record_lines():
        located = function(Value(0.7, "x"))
    for root in (plain, located):
        root.backward()
    for one, other in zip(nodes(plain), nodes(located), strict=True):
        assert same(one.data, other.data)
        assert same(one.grad, other.grad)
        assert repr(one) == repr(other)
        assert str(one) == str(other)
        assert isinstance(other, Value)
        assert (other._line is not None) == bool(other.operands)
    assert ag.table(plain).markdown == ag.table(located).markdown
    assert ag.draw(plain).dot == ag.draw(located).dot


def test_located_and_plain_nodes_mix() -> None:
    """As operands of each other, in every operator and function."""
    x = Value(2.0)
    with ag.record_lines():
        y = x * 3
    for z in (y + x, x + y, y * y, ag.dot([y], [x], y), ag.maximum(x, y), y / x, 2 - y):
        assert type(z) is Value
        assert z._line is None
    with ag.record_lines():
        z = y + x
    assert z._line is not None
    z.backward()
    assert x.grad == 4


def test_lines_are_not_recorded_outside() -> None:
    """Neither before nor after, and leaves never have one."""
    x = Value(2.0)
    before = x * x
    with ag.record_lines():
        leaf = Value(1.0)
        detached = (x * x).detach()
    after = x * x
    assert {node._line for node in (x, before, leaf, detached, after)} == {None}
    assert type(before) is type(after) is type(leaf) is Value


def test_located_nodes_compare_and_set() -> None:
    """Data, gradient and label can be set; identity and truth are those of Values."""
    with ag.record_lines():
        y = Value(0.0) * 3
    y.data, y.grad, y.label = 5.0, 1.0, "y"
    assert (y.data, y.grad, y.label, y > 4, y in {y}) == (5.0, 1.0, "y", True, True)
    y.zero_grad()
    assert not y.has_grad


# ----- Nesting -----


@pytest.mark.parametrize("order", list(itertools.permutations(MODES)))
def test_modes_nest_in_every_order(order: tuple[str, ...]) -> None:
    """Each adds itself to those around it, and takes itself away alone; no line is kept of what is no node."""
    entered: set[str] = set()
    with ExitStack() as stack:
        for name in order:
            stack.enter_context(MODES[name]())
            entered.add(name)
            assert modes_on() == (entered - {"record_lines"} if "no_grad" in entered else entered)
    assert modes_on() == set()


@pytest.mark.parametrize(("outer", "inner"), list(itertools.product(MODES, MODES)))
def test_leaving_the_inner_mode_leaves_the_outer_on(outer: str, inner: str) -> None:
    """Also where both are the same."""
    with MODES[outer]():
        before = modes_on()
        with MODES[inner]():
            assert mode.get() is not None
        assert modes_on() == before == {outer}
    assert modes_on() == set()


@pytest.mark.parametrize("order", list(itertools.permutations(MODES)))
def test_error_inside_leaves_all_modes(order: tuple[str, ...]) -> None:
    """Whatever is raised, and however deep."""
    for error in (ValueError, KeyboardInterrupt, GeneratorExit):
        with pytest.raises(error), ExitStack() as stack:
            for name in order:
                stack.enter_context(MODES[name]())
            raise error
        assert modes_on() == set()


def test_errors_of_operations_leave_the_mode() -> None:
    """An anomaly ends its own block, and is caught outside."""
    x = Value(1e200)
    with ag.record_lines():
        with pytest.raises(FloatingPointError), ag.detect_anomaly():
            x * x
        assert modes_on() == {"record_lines"}


# ----- Decorators -----


@pytest.mark.parametrize("name", MODES)
def test_mode_as_a_decorator(name: str) -> None:
    """On during each call, recursive ones too, and off after it, also after an error."""

    @MODES[name]()
    def inside(depth: int) -> set[str]:
        """What it does."""
        if depth < 0:
            raise ValueError(depth)
        return inside(depth - 1) & modes_on() if depth else modes_on()

    assert inside(3) == inside(0) == {name}
    with pytest.raises(ValueError, match="-1"):
        inside(-1)
    assert modes_on() == set()
    assert (inside.__name__, inside.__doc__) == ("inside", "What it does.")


@pytest.mark.parametrize("name", MODES)
def test_mode_as_a_decorator_without_brackets(name: str) -> None:
    """`@no_grad` does what `@no_grad()` does, of functions, methods and callables that are no functions."""

    @MODES[name]
    def inside(*results: set[str]) -> set[str]:
        """What it does."""
        return modes_on().union(*results)

    class Model:
        @MODES[name]
        def predict(self) -> tuple[Model, set[str]]:
            return self, modes_on()

        def __call__(self) -> set[str]:
            return modes_on()

    model = Model()
    assert inside() == inside(set()) == MODES[name](model)() == {name}
    assert model.predict() == (model, {name})
    assert (modes_on(), model()) == (set(), set())
    assert (inside.__name__, inside.__doc__) == ("inside", "What it does.")
    for later in (generator, coroutine, async_generator):
        with pytest.raises(TypeError, match=f"{later.__name__} runs after its call has returned"):
            MODES[name](later)


def generator() -> Generator[int, None, None]:
    """Runs when it is asked for a value."""
    yield 1


async def coroutine() -> None:
    """Runs when it is awaited."""


async def async_generator() -> AsyncGenerator[int, None]:
    """Runs when it is awaited for a value."""
    yield 1


@pytest.mark.parametrize("name", MODES)
@pytest.mark.parametrize("function", [generator, coroutine, async_generator])
def test_mode_as_a_decorator_of_what_runs_later(name: str, function: Callable[[], Any]) -> None:
    """The mode would be over before the body begins; the error says what to do."""
    told = f"{function.__name__} runs after its call has returned: write the `with` statement inside it"
    with pytest.raises(TypeError, match=told):
        MODES[name]()(function)


@pytest.mark.parametrize("name", MODES)
def test_mode_may_be_entered_again(name: str) -> None:
    """The same object, one time after the other and within itself."""
    change = MODES[name]()
    for _ in range(2):
        with change:
            with change:
                assert modes_on() == {name}
            assert modes_on() == {name}
        assert modes_on() == set()


# ----- Generators, threads, tasks -----


@pytest.mark.parametrize("name", MODES)
def test_generator_that_is_used_up_or_closed_leaves_the_mode(name: str) -> None:
    """Its `with` block ends with it."""

    def inside() -> Generator[set[str], None, None]:
        with MODES[name]():
            yield modes_on()
            yield modes_on()

    assert list(inside()) == [{name}, {name}]
    assert modes_on() == set()
    generator = inside()
    assert next(generator) == {name}
    generator.close()
    assert modes_on() == set()
    generator = inside()
    next(generator)
    with pytest.raises(KeyError):
        generator.throw(KeyError("thrown in"))
    assert modes_on() == set()


@pytest.mark.parametrize("name", MODES)
def test_threads_have_their_own_modes(name: str) -> None:
    """One that is started inside a mode is outside of it; one that enters a mode keeps it to itself."""
    found: list[set[str]] = []
    entered, done = threading.Event(), threading.Event()

    def other() -> None:
        found.append(modes_on())
        with MODES[name]():
            entered.set()
            done.wait(10)
            found.append(modes_on())

    with ag.record_lines():
        thread = threading.Thread(target=other)
        thread.start()
        entered.wait(10)
        here = modes_on()
        done.set()
        thread.join()
    assert found == [set(), {name}]
    assert here == {"record_lines"}


def test_workers_of_a_pool_do_not_mix() -> None:
    """Many at once, each with modes of its own, thousands of nodes."""
    chosen = [frozenset(names) for size in range(4) for names in itertools.combinations(MODES, size)]

    def work(names: frozenset[str]) -> bool:
        with ExitStack() as stack:
            for name in names:
                stack.enter_context(MODES[name]())
            expected = set(names) - ({"record_lines"} if "no_grad" in names else set())
            return all(modes_on() == expected for _ in range(100)) and mode.get() is not None or not names

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(work, chosen * 3))


def test_tasks_have_their_own_modes() -> None:
    """While one awaits inside a mode, others are outside; a task made inside begins inside."""

    async def inside(name: str) -> set[str]:
        with MODES[name]():
            await asyncio.sleep(0)
            found = modes_on()
            await asyncio.sleep(0)
            return found

    async def outside() -> set[str]:
        await asyncio.sleep(0)
        return modes_on()

    async def main() -> tuple[list[set[str]], set[str], set[str]]:
        found = await asyncio.gather(*map(inside, MODES), outside(), outside())
        with ag.no_grad():
            task = asyncio.create_task(outside())
        return found, await task, modes_on()

    found, begun_inside, after = asyncio.run(main())
    assert found == [*({name} for name in MODES), set(), set()]
    assert begun_inside == {"no_grad"}
    assert after == set()


def test_graphs_of_two_modes_in_one_pass() -> None:
    """Recorded half with lines, half watched: one graph like any other."""
    a, b, c, _d, _e = house_nodes()
    with ag.record_lines():
        d = c + a
    with ag.detect_anomaly():
        e = c * d
        e.backward()
    assert (a.grad, b.grad) == (48, 28)
