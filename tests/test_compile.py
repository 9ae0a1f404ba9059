"""`compile`: what it computes against the function itself, row by row; what it refuses, what it raises, what it keeps.

`check` compares every number that a compiled function gives with what Values give. The reference is an eager pass for
each row, with the sum of the absolute terms of each number beside it: what rounding may be a part of.
"""

from __future__ import annotations

import builtins
import contextlib
import copy
import gc
import itertools
import linecache
import math
import operator
import pickle
import random
import sys
import threading
import weakref
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_rules import NAMES, SCALES, VALUE, points
from test_value import PROGRAMS, execute

import autograd as ag
import nn
from autograd import Value
from autograd.compiler import execution
from autograd.compiler.program import Program
from autograd.primitives import BUILT_IN, PRIMITIVES, primitive

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from autograd.compiler.compiled import Compiled
    from autograd.primitives import Primitive

    Function = Callable[..., Any]
    Array = np.ndarray[Any, Any]
    Point = tuple[float, ...]

INF, NAN = math.inf, math.nan
#: What compiled and eager numbers may differ by, in parts of the sum of the absolute terms.
TOLERANCE = 1e-12
#: Below this a double has fewer digits.
SMALLEST = 1e-290


# ----- The reference: the function itself on Values, row by row -----


class Reference(NamedTuple):
    """What a function gives for each row of a batch, and the sums of the absolute terms of these numbers."""

    values: Array  # (n, outputs)
    value_sizes: Array
    gradients: dict[Value, Array]  # by a leaf: (n,)
    gradient_sizes: dict[Value, Array]
    by_inputs: list[Array]  # of the shapes of the arguments
    input_sizes: list[Array]


def row_of(arg: Any, i: int) -> Any:
    """One example, as plain numbers in the container that it came in."""
    return arg[i] if isinstance(arg, (list, tuple)) else np.asarray(arg)[i]


def as_values(row: Any) -> Any:
    """The same with Values for numbers."""
    if isinstance(row, (list, tuple)):
        return type(row)(map(as_values, row))
    array = np.asarray(row)
    if not array.shape:
        return Value(float(array))
    values = np.empty(array.size, object)
    values[:] = [Value(float(x)) for x in array.ravel()]
    return values.reshape(array.shape)


def leaves_of(row: Any) -> list[Value]:
    """The Values of an example, in order."""
    if isinstance(row, Value):
        return [row]
    return [leaf for part in row for leaf in leaves_of(part)]


def eager(f: Function, *args: Any) -> Reference:
    """Every row by itself."""
    rows = [[as_values(row_of(arg, i)) for arg in args] for i in range(len(args[0]))]
    values, sizes, passes = [], [], []
    for row in rows:
        result = f(*row)
        outputs = [result] if isinstance(result, Value) else np.asarray(result, object).ravel().tolist()
        values.append([float(getattr(y, "data", y)) for y in outputs])
        sizes.append([_size(y) if isinstance(y, Value) else abs(y) for y in outputs])
        passes.append(_swept(outputs[0]))
    inputs = [[leaves_of(argument) for argument in row] for row in rows]
    own = {leaf for row in inputs for argument in row for leaf in argument}
    shared = {x: None for swept in passes for x in swept if x.primitive is None and x not in own}

    def column(leaf: Value, which: int) -> Array:
        return np.array([swept.get(leaf, (0.0, 0.0))[which] for swept in passes])

    def of_inputs(which: int) -> list[Array]:
        return [
            np.array(
                [[swept.get(x, (0.0, 0.0))[which] for x in row[k]] for swept, row in zip(passes, inputs, strict=True)]
            ).reshape(np.shape(arg))
            for k, arg in enumerate(args)
        ]

    return Reference(
        np.array(values),
        np.array(sizes),
        {leaf: column(leaf, 0) for leaf in shared},
        {leaf: column(leaf, 1) for leaf in shared},
        of_inputs(0),
        of_inputs(1),
    )


def _partials(node: Value) -> list[tuple[Value, float]]:
    assert node.primitive is not None
    numbers = [float(getattr(x, "data", x)) for x in node.operands]
    _, partials = node.primitive.evaluate(node.operands, numbers)
    return [(x, p) for x, p in zip(node.operands, partials, strict=True) if isinstance(x, Value) and p is not None]


def _size(root: Value) -> float:
    """The absolute terms of a value: what each number on the way contributes to it, signs left out."""
    sizes: dict[Value, float] = {}
    for node in ag.nodes(root):
        own = abs(node.data)
        sizes[node] = own if node.primitive is None else own + sum(abs(p) * sizes[x] for x, p in _partials(node))
    return sizes[root]


def _swept(root: Value) -> dict[Value, tuple[float, float]]:
    """The adjoint of every node, and the sum of its absolute terms along all paths."""
    found = {root: (1.0, 1.0)}
    for node in reversed(ag.nodes(root)):
        if node.primitive is None or node not in found:
            continue
        adjoint, size = found[node]
        for x, partial in _partials(node):
            before = found.get(x, (0.0, 0.0))
            found[x] = before[0] + partial * adjoint, before[1] + abs(partial) * size
    return found


def assert_close(found: Any, expected: Any, size: Any, tolerance: float = TOLERANCE, what: str = "") -> None:
    """Equal up to a part of the size; nan and infinity exactly."""
    found, expected, size = (np.asarray(x, float) for x in (found, expected, size))
    assert found.shape == expected.shape, f"{what}: {found.shape} instead of {expected.shape}"
    with np.errstate(all="ignore"):
        right = abs(found - expected) <= tolerance * size + SMALLEST
    right |= (found == expected) | (np.isnan(found) & np.isnan(expected))
    if not right.all():
        place = tuple(int(i) for i in np.argwhere(~right)[0])
        raise AssertionError(
            f"{what}{list(place)}: {found[place]!r} instead of {expected[place]!r}, "
            f"a difference of {abs(found[place] - expected[place]):.3g}; size {size[place]:.3g}"
        )


def check(
    f: Function, *args: Any, tolerance: float = TOLERANCE, compiled: Compiled | None = None, dtype: str = "float64"
) -> Compiled:
    """Every number of the compiled function is that of the function itself."""
    wanted = eager(f, *args)
    g = ag.compile(f, dtype=dtype) if compiled is None else compiled
    n = len(wanted.values)
    values = wanted.values if isinstance(g(*args), np.ndarray) and g(*args).ndim == 2 else wanted.values[:, 0]
    assert_close(g(*args), values, wanted.value_sizes.reshape(values.shape), tolerance, "values")
    assert set(wanted.gradients) <= set(g.parameters)
    assert len(set(g.parameters)) == len(g.parameters)
    zeros = np.zeros(n)
    by_leaf = [wanted.gradients.get(leaf, zeros) for leaf in g.parameters]
    sizes = [wanted.gradient_sizes.get(leaf, zeros).sum() for leaf in g.parameters]
    total = np.array([float(column.sum()) for column in by_leaf])
    size = np.array([float(x) for x in sizes])
    value, value_size = wanted.values[:, 0].sum(), wanted.value_sizes[:, 0].sum()
    # Rounding in a value is rounding in the gradients that it is a factor of.
    for reduction, scale in (("mean", 1 / n), ("sum", 1.0)):
        found = g.value_and_grad(*args, reduction=reduction)
        assert type(found[0]) is float
        assert_close(found[0], value * scale, value_size * scale, tolerance, reduction)
        assert_close(found[1], total * scale, size * scale, tolerance, f"gradients of the {reduction}")
        again = g.value_and_grad(*args, reduction=reduction, inputs=True)
        assert_close(again[1], total * scale, size * scale, tolerance, f"gradients of the {reduction}, inputs=True")
        assert len(again[2]) == len(args)
        for k, gradient in enumerate(again[2]):
            expected, s = wanted.by_inputs[k] * scale, wanted.input_sizes[k] * scale
            assert_close(gradient, expected, s, tolerance, f"gradients of the {reduction} by argument {k}")
    before = [leaf.data for leaf in g.parameters]
    assert_close(g.backward(*args), value / n, value_size / n, tolerance, "backward")
    assert_close([leaf.grad for leaf in g.parameters], total / n, size / n, tolerance, ".grad")
    assert [leaf.data for leaf in g.parameters] == before
    flat = g.flat_parameters
    assert Counter(flat) == Counter(g.parameters)
    outcome = g.at(np.array([leaf.data for leaf in flat]), *args)
    at_values, at_gradients = outcome.values, outcome.gradients
    assert_close(at_values, wanted.values, wanted.value_sizes, tolerance, "values of at()")
    place = {leaf: i for i, leaf in enumerate(g.parameters)}
    order = [place[leaf] for leaf in flat]
    assert_close(at_gradients, total[order] / n, size[order] / n, tolerance, "gradients of at()")
    numbers = np.array([leaf.data for leaf in flat], dtype)
    with np.errstate(all="ignore"):
        rows = g._program("gradients").machine.run(numbers, g._prepared(args)[0], {0, n // 2, n - 1}).alone
    for row, gradient in rows.items():
        expected = np.array([column[row] for column in by_leaf])
        assert_close(gradient, expected[order], size[order], tolerance, f"the gradient of row {row} alone")
    return g


def drawn(*shape: int, seed: int = 0) -> Array:
    """Numbers next to 1, of either sign."""
    return np.random.default_rng(seed).normal(size=shape)


def parameters(count: int, seed: int = 1) -> list[Value]:
    """Captured leaves."""
    return [Value(x, f"w{i}") for i, x in enumerate(drawn(count, seed=seed).tolist())]


small_blocks = pytest.mark.usefixtures("blocks_of_256")


@pytest.fixture
def blocks_of_256(monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks as small as they get, so that batches have several of them."""
    monkeypatch.setattr(execution, "CACHE", 1)
    monkeypatch.setattr(execution, "FEWEST", 256)


# ----- First examples -----


def test_the_first_example() -> None:
    """The one of the docstring, by hand."""
    w = Value(0.5, "w")
    f = ag.compile(lambda x, y: (ag.tanh(w * x) - y) ** 2)
    errors = [(math.tanh(0.5 * x) - 1) for x in (0.0, 2.0)]
    assert f([0.0, 2.0], [1.0, 1.0]).tolist() == pytest.approx([e * e for e in errors], rel=1e-14)
    slope = sum(2 * e * (1 - math.tanh(0.5 * x) ** 2) * x for e, x in zip(errors, (0.0, 2.0), strict=True)) / 2
    assert f.backward([0.0, 2.0], [1.0, 1.0]) == pytest.approx(sum(e * e for e in errors) / 2, rel=1e-14)
    assert w.grad == pytest.approx(slope, rel=1e-14)
    assert f.parameters == [w]


def test_kinds_of_results() -> None:
    """A Value gives (n,), a list of k gives (n, k); gradients are arrays, values are floats."""
    w = Value(2.0)
    one, some = ag.compile(lambda x: w * x), ag.compile(lambda x: [w * x, x, w])
    X = np.array([1.0, 2.0, 3.0])
    assert one(X).shape == (3,)
    assert ag.compile(lambda x: [w * x])(X).shape == (3, 1)
    assert some(X).tolist() == [[2.0, 1.0, 2.0], [4.0, 2.0, 2.0], [6.0, 3.0, 2.0]]
    value, gradients = some.value_and_grad(X)
    assert (type(value), value, gradients.tolist()) == (float, 4.0, [2.0])
    assert one.value_and_grad(X, inputs=True)[2][0].tolist() == [2 / 3] * 3
    assert one(X).dtype == np.float64


def test_results_are_the_callers() -> None:
    """Arrays that were given are not changed, those that were returned do not change at the next call."""
    w = parameters(2)
    f = ag.compile(lambda x: ag.dot(w, x))
    X = drawn(5, 2)
    kept = X.copy()
    first, (_, gradients, by_inputs) = f(X), f.value_and_grad(X, inputs=True)
    copies = first.copy(), gradients.copy(), by_inputs[0].copy()
    f(10 * X)
    f.value_and_grad(10 * X, inputs=True)
    first_at = f.at(np.array([1.0, 1.0]), X)
    assert np.array_equal(kept, X)
    for found, original in zip((first, gradients, by_inputs[0]), copies, strict=True):
        assert (found == original).all()
    first[:], gradients[:], by_inputs[0][:], first_at.values[:], first_at.gradients[:] = 7.0, 7.0, 7.0, 7.0, 7.0
    assert (f(X) == copies[0]).all()
    check(lambda x: ag.dot(w, x), X, compiled=f)


# ----- Every primitive of the table -----

ALL = pytest.mark.parametrize("name", NAMES)


def _in_reach(point: Point, p: Primitive) -> bool:
    """Whether value and derivatives are finite there, and so is their way through a sum with a factor."""
    try:
        out, partials = p.evaluate([Value(x) for x in point], point)
    except (ValueError, ArithmeticError):
        return False
    return all(map(math.isfinite, [out, *[float(x) for x in partials if x is not None]]))


def reachable(p: Primitive) -> list[Point]:
    """Where a primitive has a value and all derivatives."""
    return [point for point in points(p) if _in_reach(point, p)]


def _sizes_at(p: Primitive, point: Point) -> tuple[float, list[float], float, list[float]]:
    """Its value, its derivatives, and what these may be off by 1e-12 of."""
    out, found = p.evaluate([Value(x) for x in point], point)
    partials = [float(x) for x in found if x is not None]
    value_size = max(abs(out), SCALES.get((p.name, VALUE), lambda *_: 0.0)(*point))
    sizes = []
    for i, partial in enumerate(partials):
        scale = SCALES.get((p.name, 0 if p.variadic else i), lambda *_: 0.0)(*point)
        sizes.append(max(abs(partial), scale))
    return out, partials, value_size, sizes


#: np.tan is off by more than math.tan far from 0, and so are powers of numbers far from 1: what libraries agree upon.
LOOSE = {"power": 1e-12, "tan": 1e-12}


@ALL
def test_primitive_of_inputs(name: str) -> None:
    """All points in one batch, every operand an input: values and derivatives."""
    p = PRIMITIVES[name]
    for count, places in _by_count(reachable(p)):
        f = ag.compile(lambda x: p(*x), verify=0)
        X = np.array(places)
        found, (_, _, (gradients,)) = f(X), f.value_and_grad(X, reduction="sum", inputs=True)
        wanted = [_sizes_at(p, point) for point in places]
        assert_close(found, [w[0] for w in wanted], [w[2] for w in wanted], what=f"{name} of {count}")
        assert_close(gradients, [w[1] for w in wanted], [w[3] for w in wanted], what=f"derivatives of {name}")


def _by_count(places: list[Point]) -> list[tuple[int, list[Point]]]:
    return [
        (count, [point for point in places if len(point) == count])
        for count in sorted({len(point) for point in places})
    ]


@ALL
@pytest.mark.parametrize("role", ["parameter", "constant"])
def test_primitive_with_one_operand_that_is_shared(name: str, role: str) -> None:
    """Each operand in turn is a captured parameter, or a constant, at its values on the grid."""
    p = PRIMITIVES[name]
    for count, places in _by_count(reachable(p)):
        if count == 1 and role == "constant":
            continue
        for slot in range(count):
            for number in _some({point[slot] for point in places}, 14):
                batch = [point for point in places if point[slot] == number]
                _check_shared_operand(p, slot, number if role == "constant" else Value(number), batch)


def _some(numbers: set[float], count: int) -> list[float]:
    """Those that most is known of: 0, ±1 and a few others."""
    return sorted(numbers, key=lambda x: (x not in (0.0, 1.0, -1.0, 2.0, 0.5), repr(x)))[:count]


def _check_shared_operand(p: Primitive, slot: int, operand: Value | float, batch: list[Point]) -> None:
    others = [i for i in range(len(batch[0])) if i != slot]

    def f(x: Any) -> Any:
        operands = [operand] * len(batch[0])
        for i, value in zip(others, x[:-1], strict=True):
            operands[i] = value
        return p(*operands)

    # A last column that is not read, so that there is one also where no operand is left.
    X = np.array([[*[point[i] for i in others], 1.0] for point in batch])
    compiled = ag.compile(f, verify=0)
    wanted = [_sizes_at(p, point) for point in batch]
    assert_close(compiled(X), [w[0] for w in wanted], [w[2] for w in wanted], what=p.name)
    for row in range(len(batch)):  # one by one: in a sum the large ones would hide the others
        _, gradients, (by_inputs,) = compiled.value_and_grad(X[row : row + 1], inputs=True)
        _, partials, _, sizes = wanted[row]
        for column, i in enumerate(others):
            assert_close(by_inputs[0, column], partials[i], sizes[i], what=f"{p.name} by operand {i} at {batch[row]}")
        assert by_inputs[0, -1] == 0.0
        if isinstance(operand, Value):
            assert_close(gradients, [partials[slot]], [sizes[slot]], what=f"{p.name} by {slot} at {batch[row]}")
        else:
            assert gradients.tolist() == []


@ALL
def test_primitive_of_parameters_alone(name: str) -> None:
    """It is computed once for the whole batch; every example counts in the gradient."""
    p = PRIMITIVES[name]
    for count, places in _by_count(reachable(p)):
        leaves = [Value(x) for x in places[0]]
        f = ag.compile(lambda x, leaves=leaves: p(*leaves), verify=0)
        for point in places[:: max(1, len(places) // 40)]:
            for leaf, number in zip(leaves, point, strict=True):
                leaf.data = number
            out, partials, value_size, sizes = _sizes_at(p, point)
            what = f"{name} of {count} at {point}"
            assert_close(f(np.zeros(3)), [out] * 3, [value_size] * 3, what=what)
            if max(map(abs, partials)) < 1e300:
                value, gradients = f.value_and_grad(np.zeros(3), reduction="sum")
                assert_close(value, 3 * out, 3 * value_size, what=what)
                order = [leaves.index(leaf) for leaf in f.parameters]
                total, size = (np.array([3 * row[i] for i in order]) for row in (partials, sizes))
                assert_close(gradients, total, size, what=what)


@ALL
def test_primitive_where_it_has_no_value(name: str) -> None:
    """Out of the domain, where an infinity arises, or where the derivative is infinite: an error that names the row."""
    p = PRIMITIVES[name]
    bad = [point for point in points(p) if not _in_reach(point, p) and all(map(math.isfinite, point))]
    for count, places in _by_count(bad):
        good = next((point for point in reachable(p) if len(point) == count), None)
        assert good is not None
        f = ag.compile(lambda x: p(*x), verify=0)
        f(np.array([good]))
        for point in places[:: max(1, len(places) // 25)]:
            with pytest.raises(FloatingPointError, match=r"row 1 "):
                f.value_and_grad(np.array([good, point, good]), inputs=True)
        f(np.array([good]))


# ----- Random graphs -----

#: What may be read: inputs and parameters; 3 of each.
NUMBERS = st.lists(st.floats(-1.5, 1.5).map(lambda x: round(x, 3)), min_size=3, max_size=3)
KINKED: dict[str, Callable[[Any, Any], Any]] = {
    "relu": lambda a, b: ag.relu(a),
    "maximum": ag.maximum,
    "minimum": ag.minimum,
    "where": lambda a, b: ag.where(a - 0.25, b, a * b),
    "clip": lambda a, b: ag.clip(a, -0.5, 0.75) + b,
    "absolute": lambda a, b: abs(a),
    "leaky_relu": lambda a, b: ag.leaky_relu(a, b),
    "elu": lambda a, b: ag.elu(a, b),
    "step": lambda a, b: ag.step(a) * b,
    "sign": lambda a, b: ag.sign(a) + b,
    "total": lambda a, b: ag.sum([a, b, a, b, a, 1.0]),
    "long": lambda a, b: ag.sum([a, b, a * b, a, 2.0, b, b * b]),
    "chain": lambda a, b: a * b + b * b + a * a + a + 2.0 * b,
    "dot": lambda a, b: ag.dot([a, b, a], [b, b, a], b),
    "minus": lambda a, b: a - b - a,
    "negated": lambda a, b: (-a).__neg__() - (-b),
}


@given(PROGRAMS, st.lists(NUMBERS, min_size=1, max_size=4), NUMBERS, st.integers(1, 7))
@settings(max_examples=400, deadline=None, derandomize=True)
def test_random_graphs(program: Any, rows: list[list[float]], numbers: list[float], mask: int) -> None:
    """Shared nodes, repeated operands, constants; leaves are inputs or parameters."""
    leaves = [Value(x) for x in numbers]

    def f(x: Any) -> Any:
        return execute(program, [value if mask >> i & 1 else leaves[i] for i, value in enumerate(x)], ag)

    check(f, np.array(rows), tolerance=1e-11)


PIECES = st.lists(st.tuples(st.sampled_from(sorted(KINKED)), st.integers(0, 30), st.integers(0, 30)), max_size=10)


@given(PIECES, st.lists(NUMBERS, min_size=1, max_size=4), NUMBERS)
@settings(max_examples=400, deadline=None, derandomize=True)
def test_random_graphs_with_kinks_and_sums(
    pieces: list[tuple[str, int, int]], rows: list[list[float]], numbers: list[float]
) -> None:
    """Long sums of anything, corners, choices; several outputs, which are any of the nodes."""
    leaves = [Value(x) for x in numbers]

    def f(x: Any) -> Any:
        pool = [*leaves, *x]
        for name, i, j in pieces:
            pool.append(KINKED[name](pool[-1 - i % len(pool)], pool[-1 - j % len(pool)]))
        return [pool[-1], *pool[-4:]]

    check(f, np.array(rows), tolerance=1e-11)


SMALL: dict[str, Function] = {
    "an input": lambda x, w: x[1],
    "a parameter": lambda x, w: w[1],
    "parameters alone": lambda x, w: w[0] * w[1] + ag.exp(w[2]),
    "no parameter": lambda x, w: x[0] * x[1],
    "no input": lambda x, w: ag.tanh(w[0]),
    "a sum of both": lambda x, w: ag.sum([x[0], x[1], x[2], w[0]]),
    "a sum of both, longer": lambda x, w: ag.sum([x[0], w[0], x[1], w[1], x[2], w[2], 3.0]),
    "two sums of both": lambda x, w: ag.sum([x[0], x[1], x[2], w[0]]) * ag.sum([x[1], x[2], x[0], w[1]]),
    "a mean of both": lambda x, w: ag.mean([x[0], x[1], x[2], w[0], w[1]]),
    "a sum of one": lambda x, w: ag.sum([x[0]] * 5) * w[0],
    "a sum of one parameter": lambda x, w: ag.sum([w[0]] * 5) * x[0],
    "a dot that reads one twice": lambda x, w: ag.dot([w[0], w[1]], [x[0], x[0]]),
    "a dot with one weight twice": lambda x, w: ag.dot([w[0], w[0]], [x[0], x[1]], w[1]),
    "a dot with constants": lambda x, w: ag.dot([2.0, w[0], -1.0], [x[0], x[1], x[2]], 0.5),
    "a dot of inputs": lambda x, w: ag.dot([x[0], x[1]], [x[1], x[2]], w[0]),
    "a dot of parameters": lambda x, w: ag.dot([w[0], w[1]], [w[1], w[2]], x[0]),
    "equal gradients": lambda x, w: (w[0] + w[1]) * x[0],
    "equal and opposite gradients": lambda x, w: (w[0] - w[1]) * x[0],
    "equal gradients of inputs": lambda x, w: (x[0] + x[1]) * w[0],
    "biases alone": lambda x, w: ag.tanh(x[0] + w[0]) + ag.tanh(x[1] + w[1]),
    "three biases": lambda x, w: ag.tanh(x[0] + w[0]) * ag.exp(x[1] + w[1]) * ag.sin(x[2] + w[2]),
    "a bias used twice": lambda x, w: ag.tanh(x[0] + w[0]) * ag.tanh(x[1] + w[0]),
    "scales alone": lambda x, w: ag.tanh(x[0] * w[0]) * ag.tanh(x[1] * w[1]),
    "a scale used twice": lambda x, w: ag.tanh(x[0] * w[0]) * ag.tanh(x[1] * w[0]),
    "powers": lambda x, w: (x[0] ** 2 + 1) ** x[1] + (x[1] ** 2 + 1) ** x[2],
    "powers with parameters": lambda x, w: (x[0] ** 2 + 1) ** w[0] + (w[1] ** 2 + 1) ** x[2],
    "powers of 2 and others": lambda x, w: x[0] ** 2 + x[1] ** 3 + (x[2] ** 2 + 1) ** 0.5,
    "minus minus": lambda x, w: (-x[0]).__neg__() * w[0] - -w[1],
    "from parameters, many times": lambda x, w: ag.exp(w[0]) * x[0] + ag.exp(w[0]) * x[1] + ag.exp(w[0]),
    "weights that are computed": lambda x, w: ag.dot([ag.tanh(w[0]), w[0] * w[1]], [x[0], x[1]], ag.exp(w[2])),
    "normalised weights": lambda x, w: ag.dot(ag.softmax(w), x),
    "a parameter in all places": lambda x, w: w[0] * x[0] + w[0] * w[0] + w[0] / (2 + x[1] ** 2) + w[0],
    "a product with 0": lambda x, w: 0.0 * x[0] + 0 * w[0] + w[1] * x[1],
    "x - x": lambda x, w: w[0] * (x[0] - x[0]) + x[1],
    "several outputs": lambda x, w: [w[0] * x[0], x[1], w[1], w[0] * x[0], x[0] + w[2]],
    "an array of outputs": lambda x, w: np.array([[w[0] * x[0], x[1]], [w[1], x[0]]]),
    "a tuple of outputs": lambda x, w: (w[0] * x[0], w[1] * x[1]),
    "a first output without parameters": lambda x, w: [x[0] * x[1], w[0] * x[0]],
    "a first output of parameters": lambda x, w: [w[1] * w[0], w[2] * x[0]],
    "step": lambda x, w: ag.step(x[0] - w[0]) * x[1],
    "relu and its step": lambda x, w: ag.relu(w[0] * x[0]) + ag.step(w[0] * x[0]) * x[1],
    "a root of a sum of squares": lambda x, w: ag.sqrt(x[0] ** 2 + x[1] ** 2 + w[0] ** 2),
    "quotients": lambda x, w: x[0] / (w[0] ** 2 + 1) + 1 / (x[1] ** 2 + 1) + x[2] / 3,
    "outer products": lambda x, w: ag.sum([ag.tanh(a * b) for a in x for b in w]),
    "two relus that share": lambda x, w: (
        ag.relu(w[1] * x[1] - w[0] * x[0] + 1.0) + ag.relu(w[2] * x[1] - w[0] * x[0] + 1.0)
    ),
    "log-sum-exp": lambda x, w: ag.logsumexp([*x, *w, 0.5]),
}


@pytest.mark.parametrize("which", SMALL)
@pytest.mark.parametrize("n", [1, 7])
def test_small_functions(which: str, n: int) -> None:
    """What is unusual: sums that mix inputs and parameters, repeated operands, gradients that are one quantity."""
    w = parameters(3)
    check(lambda x: SMALL[which](x, w), drawn(n, 3))


@small_blocks
@pytest.mark.parametrize("which", SMALL)
def test_small_functions_in_blocks(which: str) -> None:
    """The same over three blocks of a batch."""
    w = parameters(3)
    check(lambda x: SMALL[which](x, w), drawn(600, 3), tolerance=1e-11)


def test_an_output_that_is_a_number() -> None:
    """A plain number among the outputs is the same for all rows, and no parameter."""
    w = Value(2.0)
    f = ag.compile(lambda x: [w * x, 1.0])
    assert f(np.array([1.0, 2.0])).tolist() == [[2.0, 1.0], [4.0, 1.0]]
    assert f.parameters == [w]


def test_a_leaf_that_f_makes() -> None:
    """Code for micrograd begins its sums with Value(0.0)."""
    w = parameters(3)

    def f(x: Any) -> Any:
        result = Value(0.0)
        for weight, number in zip(w, x, strict=True):
            result = result + weight * number
        return result * Value(2.0)

    X = drawn(4, 3)
    compiled = ag.compile(f)
    assert compiled(X).tolist() == pytest.approx((2 * X @ [x.data for x in w]).tolist(), rel=1e-13)
    compiled.backward(X)
    assert [leaf.grad for leaf in w] == pytest.approx((2 * X.mean(0)).tolist(), rel=1e-13)
    assert [leaf for leaf in compiled.parameters if leaf in w] == w


# ----- Networks -----

ACTIVATIONS = ["linear", "step", "sigmoid", "tanh", "relu", "leaky_relu", "elu", "softplus", "silu"]


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("sizes", [[1], [2], [3, 1], [1, 1, 1], [4, 3, 2], [5, 5, 5, 1]])
def test_mlp(activation: str, sizes: list[int]) -> None:
    """Of many shapes."""
    model = nn.MLP(3, sizes, activation=activation, seed=1)
    check(lambda x: _listed(model(x)), drawn(5, 3), tolerance=1e-11)


def _listed(outputs: Any) -> list[Any]:
    return outputs if isinstance(outputs, list) else [outputs]


@pytest.mark.parametrize("activation", ["softmax", "log_softmax"])
def test_mlp_with_softmax_last(activation: str) -> None:
    """The activation of a whole layer."""
    model = nn.MLP(2, [4, 3], activation=["tanh", activation], seed=2)
    check(lambda x: model(x), drawn(5, 2), tolerance=1e-11)
    check(
        lambda x: nn.nll_loss(model(x) if activation == "log_softmax" else [ag.log(p) for p in model(x)], 1),
        drawn(5, 2),
    )


@given(st.integers(1, 5), st.lists(st.integers(1, 6), min_size=1, max_size=4), st.sampled_from(ACTIVATIONS), st.data())
@settings(max_examples=40, deadline=None, derandomize=True)
def test_mlp_of_any_shape(nin: int, sizes: list[int], activation: str, data: st.DataObject) -> None:
    """At random."""
    model = nn.MLP(nin, sizes, activation=activation, seed=data.draw(st.integers(0, 9)))
    check(lambda x: _listed(model(x)), drawn(3, nin, seed=data.draw(st.integers(0, 9))), tolerance=1e-11)


def by_loop(model: nn.MLP, activation: Function = ag.tanh) -> Function:
    """The same network with + and *, as one writes it in a first lecture."""

    def f(x: Any) -> Any:
        for i, layer in enumerate(model.layers):
            outputs = []
            for neuron in layer.neurons:
                z = neuron.b
                for w, number in zip(neuron.w, x, strict=True):
                    z = z + w * number
                outputs.append(activation(z) if i < len(model.layers) - 1 else z)
            x = outputs
        return x

    return f


def by_builtin_sum(model: nn.MLP, activation: Function = ag.tanh) -> Function:
    """micrograd's neuron."""

    def f(x: Any) -> Any:
        for i, layer in enumerate(model.layers):
            outputs = [
                builtins.sum((w * n for w, n in zip(neuron.w, x, strict=True)), neuron.b) for neuron in layer.neurons
            ]
            x = [activation(z) if i < len(model.layers) - 1 else z for z in outputs]
        return x

    return f


def by_sum(model: nn.MLP, activation: Function = ag.tanh) -> Function:
    """With `autograd.sum`, the input first in each product."""

    def f(x: Any) -> Any:
        for i, layer in enumerate(model.layers):
            outputs = [ag.sum([n * w for w, n in zip(neuron.w, x, strict=True)]) + neuron.b for neuron in layer.neurons]
            x = [activation(z) if i < len(model.layers) - 1 else z for z in outputs]
        return x

    return f


WRITTEN = {"loop": by_loop, "builtin sum": by_builtin_sum, "sum": by_sum}


@pytest.mark.parametrize("how", WRITTEN)
@pytest.mark.parametrize("sizes", [[1], [4, 1], [4, 5, 3]])
def test_network_written_by_hand(how: str, sizes: list[int]) -> None:
    """Sums of products that are no dots."""
    model = nn.MLP(3, sizes, activation="tanh", seed=3)
    check(lambda x: WRITTEN[how](model)(x), drawn(5, 3))


LOSSES: dict[str, tuple[int, Function, Any]] = {
    "mse": (1, lambda out, y: nn.mse_loss(out, y), drawn(6, seed=5)),
    "mse of rows": (3, lambda out, y: nn.mse_loss(out, y), drawn(6, 3, seed=5)),
    "l1": (1, lambda out, y: nn.l1_loss(out, y), drawn(6, seed=5)),
    "hinge": (1, lambda out, y: nn.hinge_loss(out, y), np.array([1, -1, 1, 1, -1, -1])),
    "bce": (1, lambda out, y: nn.binary_cross_entropy(ag.sigmoid(out), y), np.array([0.2, 0.9, 0.5, 0.1, 0.7, 0.3])),
    "bce with logits": (1, lambda out, y: nn.binary_cross_entropy_with_logits(out, y), np.array([1, 0, 1, 0.5, 0, 1])),
    "cross entropy": (3, lambda out, y: nn.cross_entropy(out, y), np.eye(3)[[0, 2, 1, 1, 0, 2]]),
    "soft cross entropy": (3, lambda out, y: nn.cross_entropy(out, y), np.array([[0.2, 0.3, 0.5]] * 6)),
    "margins, by hand": (
        3,
        lambda out, y: ag.sum([ag.maximum(0.0, s - ag.dot(out, y) + 1) for s in out]),
        np.eye(3)[[0, 2, 1, 1, 0, 2]],
    ),
}


@pytest.mark.parametrize("which", LOSSES)
@pytest.mark.parametrize("penalty", [0.0, 0.1])
def test_loss(which: str, penalty: float) -> None:
    """Every loss of `nn`, with targets as an argument; an l2 penalty inside f is the same for all rows."""
    count, loss, y = LOSSES[which]
    model = nn.MLP(2, [4, count], activation="tanh", seed=4)

    def f(x: Any, target: Any) -> Any:
        value = loss(model(x), target)
        return value + penalty * nn.l2_penalty(model) if penalty else value

    check(f, drawn(6, 2), y)


@pytest.mark.parametrize(
    "f",
    [
        lambda out: nn.cross_entropy(out, 2),
        lambda out: nn.nll_loss(ag.log_softmax(out), 1),
        lambda out: nn.multi_margin_loss(out, 0, p=2),
        lambda out: nn.multiclass_svm_loss(out, 0),
        lambda out: nn.cross_entropy(out, 1) + 0.01 * ag.sum([abs(s) for s in out]),
    ],
)
def test_loss_of_one_class(f: Function) -> None:
    """Where the class is a constant."""
    model = nn.MLP(2, [4, 3], activation="relu", seed=4)
    check(lambda x: f(model(x)), drawn(6, 2))


def test_l1_penalty_and_maxout_and_prelu() -> None:
    """Other modules of `nn`."""
    maxout, prelu = nn.Maxout(2, 3, seed=1), nn.PReLU()
    check(lambda x: prelu(maxout(x)) + 0.1 * nn.l1_penalty(maxout), drawn(6, 2))


def test_shared_weights() -> None:
    """A neuron that is used twice, and layers whose weights are tied."""
    neuron = nn.Neuron(2, activation="tanh", seed=1)
    check(lambda x: neuron(x[:2]) * neuron(x[2:]), drawn(5, 4))
    check(lambda x: neuron([neuron(x[:2]), neuron(x[2:])]), drawn(5, 4))
    layer = nn.Layer(3, 3, activation="tanh", seed=1)
    check(lambda x: layer(layer(layer(x))), drawn(5, 3))
    W = [[Value(number) for number in row] for row in drawn(3, 2).tolist()]
    encode = lambda x: [ag.tanh(ag.dot(row, x)) for row in W]  # noqa: E731
    check(lambda x: nn.mse_loss([ag.dot(column, encode(x)) for column in zip(*W, strict=True)], list(x)), drawn(5, 2))


def test_siamese_and_convolution() -> None:
    """One kernel at all places of a row; one network on two arguments."""
    kernel, bias = parameters(3), Value(0.1)
    check(lambda x: ag.sum([ag.relu(ag.dot(kernel, x[i : i + 3], bias)) for i in range(6)]), drawn(5, 8))
    model = nn.MLP(2, [4, 3], activation="tanh", seed=1)
    check(lambda x, y: nn.mse_loss(model(x), model(y)), drawn(5, 2), drawn(5, 2, seed=1))


def test_skip_connections() -> None:
    """x + layer(x), and the inputs concatenated to a later layer."""
    first, second = nn.Layer(3, 3, activation="tanh", seed=1), nn.Layer(6, 1, activation="tanh", seed=2)

    def f(x: Any) -> Any:
        hidden = [a + b for a, b in zip(x, first(x), strict=True)]
        hidden = [a + b for a, b in zip(hidden, first(hidden), strict=True)]
        return second([*hidden, *x])

    check(f, drawn(5, 3))


def test_recurrent_cell() -> None:
    """Unrolled 20 steps."""
    cell, out = nn.Layer(5, 4, activation="tanh", seed=1), nn.Neuron(4, nonlin=False, seed=2)

    def f(x: Any) -> Any:
        state = [0.0] * 4
        for number in x:
            state = cell([number, *state])
        return out(state)

    check(f, drawn(6, 20), tolerance=1e-11)


def test_gated_recurrent_cell() -> None:
    """Gates are products of what examples have of their own."""
    gate, new = nn.Layer(4, 3, activation="sigmoid", seed=1), nn.Layer(4, 3, activation="tanh", seed=2)

    def f(x: Any) -> Any:
        state: list[Any] = [Value(0.5) * 0.0 + s for s in start]
        for number in x:
            gates, candidates = gate([number, *state]), new([number, *state])
            state = [g * c + (1 - g) * s for g, c, s in zip(gates, candidates, state, strict=True)]
        return ag.dot(state, state)

    start = parameters(3)
    f_plain = ag.compile(f, verify=0)
    X = drawn(4, 6)
    wanted = eager(f, X)
    assert_close(f_plain(X), wanted.values[:, 0], wanted.value_sizes[:, 0])


def test_gaussian_mixture() -> None:
    """Its negative log likelihood, with logits and log variances."""
    logits, log_variances = parameters(3, seed=2), parameters(3, seed=4)
    centres = [[Value(number) for number in row] for row in drawn(3, 2, seed=3).tolist()]

    def f(x: Any) -> Any:
        terms = []
        for weight, centre, log_variance in zip(ag.log_softmax(logits), centres, log_variances, strict=True):
            squares = ag.sum([(a - b) ** 2 for a, b in zip(x, centre, strict=True)])
            terms.append(weight - log_variance - 0.5 * squares * ag.exp(-log_variance) - math.log(2 * math.pi))
        return -ag.logsumexp(terms)

    check(f, drawn(20, 2))


def test_attention() -> None:
    """A softmax over products of inputs with inputs."""
    W = [[Value(x) for x in row] for row in drawn(2, 2, seed=3).tolist()]

    def f(x: Any) -> Any:
        keys = [[ag.dot(row, token) for row in W] for token in x]
        total = []
        for token in x:
            weights = ag.softmax([ag.dot(token, key) for key in keys])
            total.append(ag.sum([weight * key[0] for weight, key in zip(weights, keys, strict=True)]))
        return ag.sum(total)

    check(f, drawn(3, 4, 2))


LECTURES: dict[str, tuple[Function, int]] = {
    "CMU": (lambda x: ag.exp(x[0] * x[1]) + x[0] * x[1] / ag.log(x[0]) + ag.sin(ag.log(x[0])) / (x[0] * x[1]), 2),
    "CS231n": (lambda x: (x[0] + x[1]) * x[2], 3),
    "CS231n sigmoid": (lambda x: ag.sigmoid(x[0] * x[1] + x[2] * x[3] + x[4]), 5),
    "CS231n in four nodes": (lambda x: 1 / (1 + ag.exp(-ag.dot([x[0], x[2]], [x[1], x[3]], x[4]))), 5),
    "micrograd": (lambda x: ((2 * x[0]).exp() - 1) / ((2 * x[0]).exp() + 1) * x[1] + x[2], 3),
    "svm": (lambda x: ag.sum([ag.maximum(0, score - x[0] + 1) for score in x[1:]]), 3),
    "softmax": (lambda x: -ag.log(ag.softmax(x)[0]), 3),
    "typed out": (lambda x: -ag.log(ag.exp(x[0]) / builtins.sum(ag.exp(score) for score in x)), 3),
    "logsumexp": (lambda x: ag.logsumexp(x) - x[0], 3),
}


@pytest.mark.parametrize("which", LECTURES)
@pytest.mark.parametrize("mask", [0, 1, 2, 3])
def test_worked_examples(which: str, mask: int) -> None:
    """Those of the lectures, each number an input or a parameter."""
    f, count = LECTURES[which]
    leaves = [Value(abs(x) + 1.5) for x in drawn(count, seed=7).tolist()]
    X = abs(drawn(6, count)) + 1.25
    check(
        lambda x: f([leaf if mask >> i & 1 else value for i, (leaf, value) in enumerate(zip(leaves, x, strict=True))]),
        X,
    )


def test_expanded_graphs() -> None:
    """A fine graph gives the numbers of the coarse one."""
    model = nn.MLP(2, [3, 2], activation="sigmoid", seed=1)
    check(lambda x: ag.expand(nn.cross_entropy(model(x), 1)), drawn(4, 2))


# ----- Batches -----


@small_blocks
@pytest.mark.parametrize("n", [1, 2, 255, 256, 257, 511, 513, 1500, 5000])
def test_blocks_agree(n: int) -> None:
    """However many blocks a batch has, a row has the same number, and sums are sums."""
    model = nn.MLP(2, [4, 1], activation="tanh", seed=1)
    f = lambda x, y: (model(x) - y) ** 2 + 0.01 * nn.l2_penalty(model)  # noqa: E731
    X, y = drawn(n, 2), drawn(n, seed=3)
    compiled = ag.compile(f)
    values = compiled(X, y)
    assert compiled._programs["values"].machine.block_size == 256
    value, gradients, (by_x, by_y) = compiled.value_and_grad(X, y, reduction="sum", inputs=True)
    sums = np.zeros(len(gradients))
    for start in range(0, n, 100):
        part = slice(start, start + 100)
        assert_close(compiled(X[part], y[part]), values[part], abs(values[part]))
        _, some, (some_x, some_y) = compiled.value_and_grad(X[part], y[part], reduction="sum", inputs=True)
        assert_close(some_x, by_x[part], abs(by_x[part]) + 1)
        assert_close(some_y, by_y[part], abs(by_y[part]) + 1)
        sums += some
    assert_close(gradients, sums, n * np.ones(len(sums)))
    assert_close(value, values.sum(), n)
    rows = [0, n // 2, n - 1]
    wanted = eager(f, X[rows], y[rows])
    assert_close(values[rows], wanted.values[:, 0], wanted.value_sizes[:, 0])
    assert_close(by_x[rows], wanted.by_inputs[0], wanted.input_sizes[0])


def test_blocks_of_a_wide_function() -> None:
    """So many numbers for an example that a block has 256 without being told."""
    W = [parameters(3, seed=i) for i in range(400)]
    f = ag.compile(lambda x: ag.sum([ag.tanh(ag.dot(row, x)) for row in W]))
    X = drawn(1000, 3)
    matrix = np.array([[w.data for w in row] for row in W])
    hidden = np.tanh(X @ matrix.T)
    assert_close(f(X), hidden.sum(1), abs(hidden).sum(1))
    assert f._programs["values"].machine.block_size < 1000
    _, gradients = f.value_and_grad(X, reduction="sum")
    expected = ((1 - hidden**2).T @ X).ravel()
    assert_close(gradients, expected, 1000 * np.ones(1200))


@small_blocks
def test_batch_sizes_in_turn() -> None:
    """Nothing of one batch is left in the next one."""
    model = nn.MLP(2, [3, 2], activation="relu", seed=1)
    f = lambda x, y: nn.cross_entropy(model(x), y)  # noqa: E731
    compiled = ag.compile(f)
    X, Y = drawn(700, 2), np.eye(2)[[0, 1] * 350]
    alone = compiled(X, Y)
    for n in (7, 300, 1, 700, 2, 256, 3, 7, 513, 1):
        rows = np.random.default_rng(n).permutation(700)[:n]
        assert_close(compiled(X[rows], Y[rows]), alone[rows], 1 + alone[rows])
        if n < 10:
            check(f, X[rows], Y[rows], compiled=compiled)


class Frame:
    """Something that an array can be made of, as a data frame."""

    def __init__(self, numbers: Any) -> None:
        self._numbers = np.asarray(numbers)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        return self._numbers.astype(dtype) if dtype is not None else self._numbers

    def __len__(self) -> int:
        return len(self._numbers)


X62 = drawn(6, 2).round(2)
CONTAINERS: dict[str, Any] = {
    "lists": X62.tolist(),
    "tuples": tuple(map(tuple, X62.tolist())),
    "a list of tuples": [tuple(row) for row in X62.tolist()],
    "a list of arrays": list(X62),
    "Fortran order": np.asfortranarray(X62),
    "every second row": np.repeat(X62, 2, 0)[::2],
    "backwards": X62[::-1].copy()[::-1],
    "a transposed array": X62.T.copy().T,
    "some columns": np.hstack([X62, X62])[:, 1:3][:, ::-1],
    "broadcast": np.broadcast_to(X62[:1], (6, 2)),
    "a read-only array": X62.copy(),
    "a frame": Frame(X62),
    "big-endian": X62.astype(">f8"),
    "float32": X62.astype("float32"),
    "integers": np.arange(12).reshape(6, 2),
    "unsigned bytes": np.arange(12, dtype="uint8").reshape(6, 2),
    "lists of integers": np.arange(12).reshape(6, 2).tolist(),
    "booleans": X62 > 0,
    "lists of booleans": (X62 > 0).tolist(),
}
CONTAINERS["a read-only array"].flags.writeable = False


@pytest.mark.parametrize("which", CONTAINERS)
def test_containers(which: str) -> None:
    """Whatever NumPy makes an array of real numbers of."""
    X = CONTAINERS[which]
    numbers = np.asarray(X, float)
    w = parameters(2)
    expected = np.tanh(numbers @ [x.data for x in w])
    f = ag.compile(lambda x: ag.tanh(ag.dot(w, list(x))))
    assert_close(f(X), expected, np.ones(6))
    value, gradients, (by_x,) = f.value_and_grad(X, inputs=True)
    slopes = (1 - expected**2)[:, None]
    assert_close(value, expected.mean(), 1.0)
    assert_close(gradients, (slopes * numbers).mean(0), [20.0, 20.0])
    assert_close(by_x, slopes * [x.data for x in w] / 6, np.ones((6, 2)))


@pytest.mark.parametrize("shape", [(), (1,), (3,), (1, 1), (2, 3), (2, 1, 2)])
def test_rows_of_any_shape(shape: tuple[int, ...]) -> None:
    """A number, a vector, an image; f sees it as it is."""
    seen = []

    def f(x: Any) -> Any:
        seen.append(np.shape(x) if not isinstance(x, Value) else ())
        return ag.sum([w * v * v for v in leaves_of(x)])

    w = Value(1.5, "w")
    check(f, drawn(4, *shape))
    assert set(seen) == {shape}


def test_rows_are_what_they_are() -> None:
    """Lists of lists as lists, arrays as arrays, tuples as tuples; a number as a Value."""
    w, seen = Value(2.0), []

    def f(*arguments: Any) -> Any:
        seen.append([Value if isinstance(x, Value) else type(x) for x in arguments])
        return w * leaves_of(list(arguments))[0]

    ag.compile(f, verify=0)([[1.0], [2.0]], np.ones((2, 1)), ((1.0,), (2.0,)), [1, 2], np.ones(2))
    assert seen[0] == seen[-1] == [list, np.ndarray, tuple, Value, Value]


def test_several_arguments() -> None:
    """Of different shapes; gradients by each of them."""
    w = parameters(2)
    check(
        lambda a, b, c, d: ag.dot(w, a) * b + c[1, 0] * d[2] + ag.sum(c.ravel()),
        drawn(5, 2),
        drawn(5, seed=2),
        drawn(5, 2, 2, seed=3),
        drawn(5, 3, seed=4).tolist(),
    )


def test_an_argument_that_is_not_read() -> None:
    """Its gradient is 0."""
    w = Value(2.0)
    check(lambda x, y: w * x, drawn(5), drawn(5, 3))


def test_float32() -> None:
    """Results in that precision, of that type."""
    model = nn.MLP(2, [4, 1], activation="tanh", seed=1)
    f = lambda x, y: (model(x) - y) ** 2  # noqa: E731
    X, y = drawn(300, 2), drawn(300, seed=2)
    single, double = ag.compile(f, dtype="float32"), ag.compile(f)
    assert single(X, y).dtype == np.float32
    assert single.value_and_grad(X, y)[1].dtype == np.float32
    assert_close(single(X, y), double(X, y), 1 + abs(double(X, y)), 1e-5)
    a, b = single.value_and_grad(X, y, inputs=True), double.value_and_grad(X, y, inputs=True)
    assert_close(a[0], b[0], 1.0, 1e-5)
    assert_close(a[1], b[1], np.full(len(b[1]), 1.0), 1e-4)
    assert_close(a[2][0], b[2][0], np.full((300, 2), 1.0), 1e-5)
    assert type(single.backward(X, y)) is float
    assert all(type(leaf.grad) is float for leaf in model.parameters())


@pytest.mark.parametrize("name", [name for name in NAMES if not PRIMITIVES[name].variadic])
def test_float32_primitive(name: str) -> None:
    """Each of the table, at random points."""
    p = PRIMITIVES[name]
    places = [q for q in reachable(p)[:60] if all(1e-3 < abs(x) < 5 for x in q)][:20] or reachable(p)[:5]
    X = np.array(places, "float32")
    places = [q for q in map(tuple, X.astype(float).tolist()) if _in_reach(q, p)]
    f = ag.compile(lambda x: p(*x), dtype="float32", verify=0)
    found, (_, _, (gradients,)) = f(np.array(places)), f.value_and_grad(np.array(places), reduction="sum", inputs=True)
    wanted = [_sizes_at(p, point) for point in places]
    assert_close(found, [w[0] for w in wanted], [w[2] + 1 for w in wanted], 1e-4)
    assert_close(gradients, [w[1] for w in wanted], [[s + 1 for s in w[3]] for w in wanted], 1e-3)


@pytest.mark.parametrize("shape", [(6,), (6, 2), (6, 2, 2)])
@pytest.mark.parametrize("kept", ["as it is", "transposed", "strided", "float32", "integers", "a list"])
def test_a_batch_that_is_written_into(shape: tuple[int, ...], kept: str) -> None:
    """The same object with other numbers in it gives other results."""
    w = Value(1.5)
    f = ag.compile(lambda x: ag.sum([w * v * v for v in leaves_of(x)]))
    X: Any = (drawn(*shape) * 10).round()
    X = {
        "as it is": lambda: X,
        "transposed": lambda: X.T.copy().T,
        "strided": lambda: np.repeat(X, 2, -1)[..., ::2],
        "float32": lambda: X.astype("float32"),
        "integers": lambda: X.astype(int),
        "a list": lambda: X.tolist(),
    }[kept]()
    for _ in range(3):
        numbers = np.asarray(X, float).reshape(6, -1)
        assert_close(f(X), 1.5 * (numbers**2).sum(1), np.ones(6))
        assert_close(f.value_and_grad(X)[1], [(numbers**2).sum(1).mean()], [1.0])
        if kept == "a list":
            X[0], X[1] = X[1], X[2]
        else:
            X *= 2
            X[0] += 1


# ----- Parameters -----


def test_parameters_are_read_live() -> None:
    """`.data` that was set counts at the next call, in values and gradients."""
    w = parameters(3)
    f = lambda x: ag.exp(w[2]) * ag.tanh(ag.dot(w[:2], x)) + w[0] ** 2  # noqa: E731
    X = drawn(4, 2)
    compiled = check(f, X)
    for numbers in ([1.0, 2.0, 0.0], [0.0, 0.0, 0.0], [-3.0, 2.0, 1.0], [2.0, 2.0, 2.0]):
        for leaf, number in zip(w, numbers, strict=True):
            leaf.data = number
        check(f, X, compiled=compiled)


@pytest.mark.parametrize("role", ["exponent", "base", "factor", "divisor", "condition", "operand"])
def test_parameters_that_begin_with_special_numbers(role: str) -> None:
    """A parameter that is 0, 1 or 2 at the first call is still a parameter."""
    functions: dict[str, Callable[[Any, Value], Any]] = {
        "exponent": lambda x, w: (x * x + 1) ** w,
        "base": lambda x, w: (w * w + 1) ** x,
        "factor": lambda x, w: w * x + x,
        "divisor": lambda x, w: x / (w + 3),
        "condition": lambda x, w: ag.where(w - 1, x, 2 * x),
        "operand": lambda x, w: ag.sigmoid(x, w) + ag.leaky_relu(-x, w),
    }
    X = abs(drawn(4)) + 0.5
    for start in (0.0, 1.0, 2.0, -1.0):
        w = Value(start)
        f = lambda x, w=w: functions[role](x, w)  # noqa: E731
        compiled = check(f, X)
        for number in (2.0, 3.0, 1.0, 0.0, 0.5):
            w.data = number
            check(f, X, compiled=compiled)
            check(f, X[:3], compiled=compiled)


def test_after_an_optimizers_step() -> None:
    """Training by compiled gradients goes where training by eager ones goes."""
    X, y = drawn(8, 2), drawn(8, seed=2)
    losses: dict[str, list[float]] = {}
    for kind in ("eager", "compiled"):
        model = nn.MLP(2, [4, 1], activation="tanh", seed=1)
        optimizer = nn.Adam(model.parameters(), lr=0.05)
        f = ag.compile(lambda x, t, model=model: (model(x) - t) ** 2)
        losses[kind] = []
        for _ in range(25):
            if kind == "compiled":
                losses[kind].append(f.backward(X, y))
            else:
                optimizer.zero_grad()
                loss = ag.mean([(model(x) - t) ** 2 for x, t in zip(X.tolist(), y.tolist(), strict=True)])
                loss.backward()
                losses[kind].append(loss.data)
            optimizer.step()
    assert losses["compiled"] == pytest.approx(losses["eager"], rel=1e-9)
    assert losses["compiled"][-1] < losses["compiled"][0]


def test_order_of_parameters() -> None:
    """As f reads them, each once; not those that it does not read."""
    a, b, c, unread = (Value(float(i), name) for i, name in enumerate(["a", "b", "c", "unread"], 1))
    f = ag.compile(lambda x: c * x + a * b + c * unread.data)
    X = np.array([1.0, 2.0])
    f(X)
    assert f.parameters == [c, a, b]
    assert f.value_and_grad(X)[1].tolist() == [5.5, 2.0, 1.0]
    model = nn.MLP(2, [3, 2], seed=1)
    g = ag.compile(lambda x: _listed(model(x)))
    g(drawn(2, 2))
    assert Counter(g.parameters) == Counter(model.parameters())
    order = Counter(id(leaf) for leaf in g.parameters)
    assert max(order.values()) == 1


def test_parameters_before_the_first_call() -> None:
    """There are none yet, and the error says why."""
    f = ag.compile(lambda x: x)
    for name in ("parameters", "flat_parameters"):
        with pytest.raises(ValueError, match="first call"):
            getattr(f, name)


def test_at_other_numbers() -> None:
    """`.data` is neither read nor written."""
    model = nn.MLP(2, [3, 2], activation="tanh", seed=1)
    f = lambda x: _listed(model(x))  # noqa: E731
    X = drawn(5, 2)
    compiled = check(f, X)
    other = drawn(len(model.parameters()), seed=9)
    before = [leaf.data for leaf in model.parameters()]
    outcome = compiled.at(other, X)
    values, gradients = outcome.values, outcome.gradients
    assert (compiled.at(other, X, gradients=False).values == values).all()
    assert [leaf.data for leaf in model.parameters()] == before
    for leaf, number in zip(compiled.flat_parameters, other.tolist(), strict=True):
        leaf.data = number
    wanted = eager(f, X)
    assert_close(values, wanted.values, wanted.value_sizes)
    expected = np.array([wanted.gradients.get(leaf, np.zeros(5)).mean() for leaf in compiled.flat_parameters])
    assert_close(gradients, expected, 1 + abs(expected))


def test_at_as_the_first_call() -> None:
    """It records, it verifies, and `.data` is what it was."""
    w = parameters(2)
    before = [leaf.data for leaf in w]
    f = ag.compile(lambda x: w[0] * x + w[1])
    outcome = f.at(np.array([2.0, 3.0]), [1.0, 2.0])
    values, gradients = outcome.values, outcome.gradients
    first = 0 if f.flat_parameters[0] is w[0] else 1
    numbers = [2.0, 3.0] if first == 0 else [3.0, 2.0]
    assert values.tolist() == [[numbers[0] + numbers[1]], [2 * numbers[0] + numbers[1]]]
    assert gradients.tolist() == ([1.5, 1.0] if first == 0 else [1.0, 1.5])
    assert [leaf.data for leaf in w] == before
    assert not any(leaf.has_grad for leaf in w)


@pytest.mark.parametrize("numbers", [[1.0], [1.0, 2.0, 3.0], 1.0, [[1.0, 2.0]]])
def test_at_the_wrong_count(numbers: Any) -> None:
    """As many numbers as parameters."""
    w = parameters(2)
    f = ag.compile(lambda x: w[0] * x + w[1])
    f([1.0, 2.0])
    with pytest.raises(ValueError):  # noqa: PT011
        f.at(np.array(numbers), [1.0, 2.0])


def test_backward_overwrites() -> None:
    """It does not add, and it touches the parameters alone."""
    w, other = Value(2.0), Value(3.0)
    (other * w).backward()
    f = ag.compile(lambda x: w * x)
    for _ in range(2):
        f.backward([1.0, 2.0])
        assert (w.grad, w.has_grad) == (1.5, True)
    assert other.grad == 2.0


# ----- Refusals -----


def _if_greater(x: Any) -> Any:
    if x > 0:  # the line
        return x
    return -x


def _if_itself(x: Any) -> Any:
    if x:  # the line
        return x
    return -x


def _if_not(x: Any) -> Any:
    return -x if not x else x  # noqa: SIM212  # the line


def _ternary(x: Any) -> Any:
    return x if x >= W else W * x  # the line


def _builtin_max(x: Any) -> Any:
    return max(x, W)  # the line


def _builtin_min(x: Any) -> Any:
    return min(0.0, x)  # the line


def _sorted(x: Any) -> Any:
    return sorted([x, W, 2 * x])[1]  # the line


def _while(x: Any) -> Any:
    while x < 10:  # the line
        x = 2 * x
    return x


def _and(x: Any) -> Any:
    return x if x > 0 and x < 1 else W * x  # the line


def _or(x: Any) -> Any:
    return x or W  # the line


def _chained(x: Any) -> Any:
    return ag.where(0 < x < 1, x, W)  # the line


def _assert(x: Any) -> Any:
    assert x > -100  # the line
    return W * x


def _any(x: Any) -> Any:
    return x if any([x > 0]) else W  # the line


def _comprehension(x: Any) -> Any:
    return ag.sum([y for y in (x, W) if y > 0])  # the line


def _nested_lambda(x: Any) -> Any:
    choose = lambda y: y if y > 0 else W  # noqa: E731  # the line
    return choose(x)


def _python_bool(x: Any) -> Any:
    return bool(x) * W  # the line


def _plain_number_first(x: Any) -> Any:
    return x if 0 < x else W  # noqa: SIM300  # the line


def _numpy_where(x: Any) -> Any:
    return np.where(x > 0, x, W).item()  # the line


W = Value(1.5, "W")
BRANCHES = [
    _if_greater,
    _if_itself,
    _if_not,
    _ternary,
    _builtin_max,
    _builtin_min,
    _sorted,
    _while,
    _and,
    _or,
    _chained,
    _assert,
    _any,
    _comprehension,
    _nested_lambda,
    _python_bool,
    _plain_number_first,
    _numpy_where,
]


@pytest.mark.parametrize("f", BRANCHES)
def test_branches_are_refused(f: Function) -> None:
    """TypeError with the user's line, and what to write instead; afterwards all is as before."""
    compiled = ag.compile(f)
    for _ in range(2):
        with pytest.raises(TypeError) as error:
            compiled(np.array([0.5, -0.5]))
        message = str(error.value)
        assert "test_compile.py:" in message
        number = int(message.split("test_compile.py:")[1].split(":")[0].split(")")[0])
        assert "# the line" in linecache.getline(__file__, number)
        for alternative in ("where(", "maximum(", "relu("):
            assert alternative in message
        assert (Value(1.0) > 0) is True
        assert (Value(1.0) <= 0) is False
        assert bool(Value(1.0)) is True
        assert max(Value(1.0), Value(2.0)).data == 2.0
    assert compiled.__name__ in repr(compiled)


CHOICES: dict[str, Callable[[Any, Any], Any]] = {
    "x > 0": lambda x, w: ag.where(x > 0, x, w * x),
    "x >= 0": lambda x, w: ag.where(x >= 0, x + 1, w * x),
    "x < 0": lambda x, w: ag.where(x < 0, x, w * x),
    "x <= 0": lambda x, w: ag.where(x <= 0, x + 1, w * x),
    "0 < x": lambda x, w: ag.where(0 < x, x + 1, w * x),  # noqa: SIM300
    "0.5 >= x": lambda x, w: ag.where(0.5 >= x, x + 1, w * x),  # noqa: SIM300
    "x > w": lambda x, w: ag.where(x > w, x + 1, w * x),
    "x >= w": lambda x, w: ag.where(x >= w, x + 1, w * x),
    "w >= x": lambda x, w: ag.where(w >= x, x + 1, w * x),
    "x < w": lambda x, w: ag.where(x < w, x + 1, w * x),
    "a parameter's": lambda x, w: ag.where(w > 0, x, 2 * x) * w,
    "of a constant": lambda x, w: ag.where(x > 0, 3.0, w * x) * x,
    "constants": lambda x, w: ag.where(x > 0, 3.0, -1.0) * w,
    "a product": lambda x, w: w * (x > 0) * x,
    "a product first": lambda x, w: (x > 0) * w * x,
    "a product of two": lambda x, w: (x > 0) * (w > 0) * x * w,
    "a product with a number": lambda x, w: 2.0 * (x > 0) * w + x,
    "named": lambda x, w: ag.where(condition=x > 0, x=x, y=w * x),
    "nested": lambda x, w: ag.where(x > 1, x, ag.where(x > -1, w * x, x * x)),
    "a Value": lambda x, w: ag.where(x, x, w * x),
    "a plain bool": lambda x, w: ag.where(True, x, w) + ag.where(False, x, w),
    "twice the same": lambda x, w: [ag.where(c, x, w) * ag.where(c, w, x) for c in [x > 0]][0],
}


@pytest.mark.parametrize("which", CHOICES)
@pytest.mark.parametrize("number", [1.5, -0.75, 0.0])
def test_comparisons_as_conditions(which: str, number: float) -> None:
    """On both sides and exactly on the border, whichever row is recorded."""
    w = Value(number)
    X = np.array([0.5, -0.5, 0.0, -0.0, 1.5, -0.75, 1.0, -1.0, 5e-324, -5e-324, 2.0, 1e300, -1e300])
    if which in ("nested", "of a constant"):
        X = X[:-2]  # products are no doubles there
    for turn in range(3):
        check(lambda x: CHOICES[which](x, w), np.roll(X, turn))


@pytest.mark.parametrize("sign", [operator.lt, operator.le, operator.gt, operator.ge])
def test_comparisons_with_nan_and_infinity(sign: Callable[[Any, Any], Any]) -> None:
    """Nan compares as false, infinities as they do in Python."""
    special = [0.0, 1.0, -1.0, INF, -INF, NAN]
    pairs = list(itertools.product(special, repeat=2))
    x, y = (np.array(column) for column in zip(*pairs, strict=True))
    w = Value(1.0)
    f = ag.compile(lambda a, b: ag.where(sign(a, b), w, -w), verify=0)
    f([0.0], [1.0])
    assert f(x, y).tolist() == [1.0 if sign(a, b) else -1.0 for a, b in pairs]


def test_comparisons_give_bools_elsewhere() -> None:
    """Outside of compile, in other threads, and in what runs after it."""
    x = Value(1.0)
    seen: list[Any] = []

    def f(v: Any) -> Any:
        thread = threading.Thread(target=lambda: seen.append(x > 0))
        thread.start()
        thread.join()
        return v * x

    ag.compile(f, verify=0)([1.0, 2.0])
    assert seen == [True, True]  # recorded twice, for no rows are compared that would tell which leaves it makes
    for compared in (x > 0, x >= 2.0, x < Value(3.0), x <= 1, 0 < x):  # noqa: SIM300
        assert type(compared) is bool


@pytest.mark.parametrize(
    "f",
    [
        lambda x: ag.exp(x > 0) * x,
        lambda x: ag.sum([x > 0, x]),
        lambda x: ag.maximum(x > 0, x),
        lambda x: ag.where(x, x > 0, x),
        lambda x: x > 0,
        lambda x: (x > 0) & (x < 1),
        lambda x: ag.where(x == 0, x > 0, x),
    ],
)
def test_other_uses_of_a_comparison(f: Function) -> None:
    """Are a TypeError: no number is made of it in silence."""
    with pytest.raises(TypeError):
        ag.compile(f)([1.0, -1.0])
    assert (Value(1.0) > 0) is True


def test_predictions() -> None:
    """`where` of two numbers is a number in the function itself, a Value where it is recorded."""
    w = Value(2.0)
    f = ag.compile(lambda x: ag.where(w * x > 0, 1.0, -1.0))
    assert f([1.0, -1.0, 0.0]).tolist() == [1.0, -1.0, -1.0]


def test_mode_after_an_error() -> None:
    """An exception of f's own leaves the mode as it was, and comes out as it is."""

    class MyError(Exception):
        """One that nobody else raises."""

    def f(x: Any) -> Any:
        raise MyError(x.data)

    compiled = ag.compile(f)
    for _ in range(2):
        with pytest.raises(MyError):
            compiled([1.0])
        assert (Value(1.0) > 0) is True


def test_f_that_fails_once_can_be_compiled_later() -> None:
    """The recording is made at the first call that succeeds."""
    w, broken = Value(2.0), [True]

    def f(x: Any) -> Any:
        if broken:
            raise RuntimeError("not yet")
        return w * x

    compiled = ag.compile(f)
    with pytest.raises(RuntimeError):
        compiled([1.0, 2.0])
    broken.clear()
    assert compiled([1.0, 2.0]).tolist() == [2.0, 4.0]


# ----- verify -----


def _branch_on_data(x: Any) -> Any:
    return W * x if x.data > 0 else x


def _taken_as_number(x: Any) -> Any:
    return W * x + x.data


def _taken_as_factor(x: Any) -> Any:
    return W * x.data * x


def _random(x: Any) -> Any:
    return W * x + random.random()


def _counter() -> Function:
    calls = itertools.count()
    return lambda x: W * x + next(calls)


def _math(x: Any) -> Any:
    return W * x + math.exp(x.data)


UNSEEN: dict[str, Function] = {
    "a branch on x.data": _branch_on_data,
    "x.data as a number": _taken_as_number,
    "x.data as a factor": _taken_as_factor,
    "a random number": _random,
    "a counter": _counter(),
    "math": _math,
}


@pytest.mark.parametrize("which", UNSEEN)
@pytest.mark.parametrize("method", ["__call__", "value_and_grad", "backward"])
def test_what_compile_cannot_see(which: str, method: str) -> None:
    """Rows of the first call are compared, and a difference is an error; verify=0 leaves it out."""
    f = UNSEEN[which]
    X = np.array([1.0, 2.0, -1.0, 3.0])
    with pytest.raises(ValueError, match=r"row \d+ .* compile cannot see"):
        getattr(ag.compile(f), method)(X)
    getattr(ag.compile(f, verify=0), method)(X)


TWO_CONDITIONS: dict[str, Function] = {
    "and": lambda x: ag.where((x > 0) & (x < 1), W * x, -x),
    "or": lambda x: ag.where((x <= 0) | (x > 1), W * x, -x),
    "and before or": lambda x: ag.where((x < 0) | (x > 0) & (x < 2), W * x, -x),
    "a bool after it": lambda x: ag.where((x > 0) & True, W * x, -x),
    "a bool before it": lambda x: ag.where(False | (x > 0), W * x, -x),
    "a number of them": lambda x: W * ((x > 0) + (x >= 0) - (x < 1)),
    "their sum": lambda x: W * (1 - (x > 0)) + sum([x > 0, x >= 1]),
    "turned": lambda x: W * -(x > 0),
    "with a number": lambda x: W * x + ((x > 0) + x),
    "a product of them": lambda x: W * ((x > 0) * (x < 1)),
}


@pytest.mark.parametrize("which", TWO_CONDITIONS)
def test_comparisons_that_meet(which: str) -> None:
    """What Python does with two bools is done with two comparisons, at their kinks too."""
    f, X = TWO_CONDITIONS[which], np.array([-1.0, 0.0, 0.5, 1.0, 2.0])
    W.zero_grad()
    outputs = [f(Value(x)) for x in X.tolist()]
    ag.mean(outputs).backward()
    wanted, _ = W.grad, W.zero_grad()
    compiled = ag.compile(f)
    assert compiled(X).tolist() == [y.data for y in outputs]
    compiled.backward(X)
    assert W.grad == pytest.approx(wanted, rel=1e-12)
    W.zero_grad()


@pytest.mark.parametrize(
    ("f", "told"),
    [
        (lambda x: W * float(x > 0), r"float\(\) of a comparison would lose the graph: write where\(x > y, 1.0, 0.0\)"),
        (lambda x: ag.where(~(x > 0), x, W), "swap the branches"),
        (lambda x: W if x > 0 and x < 1 else x, r"and \(x > 0\) & \(x < 1\) for two conditions"),
        (lambda x: W if x != 0 else x, "a comparison with !="),
        (lambda x: ag.where((x > 0) & 1.5, x, W), "unsupported operand"),
    ],
)
def test_comparisons_that_are_refused(f: Function, told: str) -> None:
    """With what to write instead."""
    with pytest.raises(TypeError, match=told):
        ag.compile(f)(np.array([1.0, 2.0]))


@pytest.mark.parametrize(("f", "x"), [(ag.sin, math.inf), (ag.log, -math.inf)])
def test_rows_that_a_primitive_refuses_are_numpys(f: Function, x: float) -> None:
    """If their numbers are not finite: verification leaves them out, and changes no result."""
    X = np.array([2.0, x])
    assert repr(ag.compile(f)(X)) == repr(ag.compile(f, verify=0)(X))


@pytest.mark.parametrize("f", [lambda x: x**x, lambda x: W * x if x.data > 0 else ag.log(-1 - x * x)])
def test_finite_rows_that_a_primitive_refuses_are_told(f: Function) -> None:
    """The function itself has no value there, whatever is compiled."""
    with pytest.raises(FloatingPointError, match="^in row 1 of the batch: "):
        ag.compile(f)(np.array([2.0, 0.0]))


def test_what_arrays_refuse_names_the_row() -> None:
    """Also in a row that has nan elsewhere, of which no number is asked to stay finite."""
    X, Y = np.array([1.0, 2.0, math.nan, 4.0]), np.array([1.0, 2.0, -1.0, 3.0])
    for verify in (0, 2):
        with pytest.raises(FloatingPointError, match="^in row 2 of the batch: .*low"):
            ag.compile(lambda x, y: ag.clip(W * x, 0.0, y), verify=verify)(X, Y)


def test_what_f_raises_itself_is_raised() -> None:
    """In a row that is compared."""

    def f(x: Any) -> Any:
        if isinstance(x, float) or x.data > 5:
            raise ValueError("too large")
        return W * x

    with pytest.raises(ValueError, match="too large"):
        ag.compile(f)(np.array([1.0, 7.0]))


def test_gradients_by_inputs_are_compared() -> None:
    """Here the function itself has another one, since it lets go of the graph of its input where that has no name."""

    def f(x: Any) -> Any:
        return W + (x if type(x).__mro__[1] is Value else Value(x.data))

    with pytest.raises(ValueError, match="has, by its inputs, the gradient 0 in the function itself and 1 compiled"):
        ag.compile(f).value_and_grad(np.array([1.0, 2.0]), inputs=True)


@pytest.mark.parametrize(
    "rule",
    [
        lambda x, out: 1.0 if x == 1 else -1.0,
        lambda x, out: -1.0 if x != 1 else 1.0,
        lambda x, out: 1.0 if x in (1, 2) else -1.0,
        lambda x, out: 1.0 if -x + 1 == 0 else -1.0,
    ],
)
@pytest.mark.parametrize("verify", [0, 2])
def test_equality_in_a_rule_is_refused(rule: Any, verify: int) -> None:
    """It is never true of what the compiler hands to a rule: the gradient would be a wrong one, without a word."""
    signed = ag.primitive("signed", lambda x: x if x == 1 else -x, rule)
    with pytest.raises(TypeError, match=r"rule 1 of signed cannot be compiled \(it compares a number\)"):
        ag.compile(lambda x: signed(W * x), verify=verify).backward(np.array([1.0, 2.0]))


def test_rules_of_the_user_have_all_operators() -> None:
    """They are those of a Value."""

    def rule(x: Any, out: Any) -> Any:
        return (2 * x**2 + x * x) * abs(-1.0) + (1 - -x) + +x / 1.0 - 2 * x + 2**x / 2**x - 2

    odd = ag.primitive("odd", lambda x: x**3, rule)
    X = drawn(5)
    _, (by_w,), (by_x,) = ag.compile(lambda x: odd(W * x)).value_and_grad(X, inputs=True)
    assert by_w == pytest.approx(np.mean(3 * W.data**2 * X**3), rel=1e-12)
    assert by_x == pytest.approx(3 * W.data**3 * X**2 / len(X), rel=1e-12)


def test_a_zero_that_meets_an_infinity() -> None:
    """nan in the function itself; compile leaves out what is multiplied by 0, and says so."""
    with pytest.raises(FloatingPointError, match="an infinity meets a 0"):
        ag.compile(lambda x: ag.arcsin(ag.step(W * x))).backward(np.array([1.0, 2.0]))


def test_an_index_that_numbers_refuse() -> None:
    """int(x[0].data) is a number for a Value; a number of NumPy has bytes as its data. What is said is the former."""
    weights = [Value(0.5), Value(1.5), Value(2.5)]
    f = ag.compile(lambda x: weights[int(x[0].data)] * x[1])
    with pytest.raises(ValueError, match=r"row \d gives 7.5 in the function itself and 1.5 compiled"):
        f.backward(np.array([[0.0, 1.0], [1.0, 2.0], [2.0, 3.0]]))


@pytest.mark.parametrize("method", ["__call__", "value_and_grad", "backward"])
def test_a_failed_comparison_is_not_forgotten(method: str) -> None:
    """Calling once more does not give the wrong numbers."""
    f = ag.compile(_branch_on_data)
    for _ in range(2):
        with pytest.raises(ValueError, match="compile cannot see"):
            getattr(f, method)(np.array([1.0, 2.0, -1.0, 3.0]))


def test_a_value_that_hides_in_the_gradient() -> None:
    """The value is right, the gradient is not: x.data as a factor where it is 1 of another."""
    w = Value(2.0)
    f = ag.compile(lambda x: (w * x - w.data * x) + 0.0 * w)
    with contextlib.suppress(ValueError):
        f([1.0, 2.0])
    g = ag.compile(lambda x: w.data * x + (w - w.data) * (1.0 if x.data > 0 else 3.0))
    with pytest.raises(ValueError, match="gradient"):
        g.value_and_grad([1.0, 2.0, -1.0])


def test_verifying_all_rows() -> None:
    """More rows than there are is all of them; one alone is not like the others."""
    seen: list[float] = []

    def f(x: Any) -> Any:
        seen.append(x.data)
        return W * x if x.data != 7.0 else x

    X = np.array([1.0, 2.0, 7.0, 3.0])
    with pytest.raises(ValueError, match="row 2 "):
        ag.compile(f, verify=100)(X)
    seen.clear()
    ag.compile(lambda x: f(x), verify=0)(X)
    assert seen == [1.0, 1.0]


def test_verification_once() -> None:
    """Later calls do not run f, but for the first that asks for gradients by the inputs."""
    calls: list[int] = []

    def f(x: Any) -> Any:
        calls.append(1)
        return W * x

    g = ag.compile(f)
    g.backward(drawn(5))
    count = len(calls)
    assert count == 5  # recorded; two rows on Values and on numbers
    for _ in range(3):
        g(drawn(5))
        g.backward(drawn(5))
    assert len(calls) == count
    for _ in range(3):
        g.value_and_grad(drawn(5), inputs=True)
    assert len(calls) == count + 4  # two rows


@pytest.mark.parametrize("rows", [5, 300])
@pytest.mark.parametrize(
    ("makes_a_leaf", "dtype", "verify", "given"),
    [
        (False, "float64", 2, [Value, Value, float, Value, float]),
        (True, "float64", 2, [Value, Value, float, Value, float, Value]),
        (False, "float64", 0, [Value, Value]),
        (False, "float32", 1, [Value, Value, Value, float]),
    ],
)
def test_how_often_f_is_called(*, rows: int, makes_a_leaf: bool, dtype: str, verify: int, given: list[type]) -> None:
    """Once more than for the rows that are compared, unless these do not tell which leaves it makes itself."""
    seen: list[type] = []

    def f(x: Any) -> Any:
        seen.append(Value if isinstance(x, Value) else type(x))
        return W * x + Value(1.0) if makes_a_leaf else W * x

    g = ag.compile(f, dtype=dtype, verify=verify)
    g.backward(drawn(rows))
    assert seen == given
    assert g.parameters == [W]


def test_f_sees_no_plain_numbers_before_its_branches_are_refused() -> None:
    """A loop that ends for Values in training may go round for ever for a number."""

    def f(x: Any) -> Any:
        assert isinstance(x, Value)
        while x < 10:
            x = x * 1.0
        return W * x

    with pytest.raises(TypeError, match="comparison with <"):
        ag.compile(f)([1.0, 2.0])


def test_leaves_that_only_the_first_row_reads_are_captured() -> None:
    """The rows that are compared need not read them, as where a list of leaves is read in turn."""
    turns = iter([0, 1, 1, 1, 1, 0])
    leaves = Value(2.0), Value(2.0)
    g = ag.compile(lambda x: leaves[next(turns)] * x)
    assert g([1.0, 2.0, 3.0]).tolist() == [2.0, 4.0, 6.0]
    assert g.parameters == [leaves[0]]


def test_replays_are_those_of_the_batch_that_is_computed() -> None:
    """Rows with which a function was only recorded do not count as rows of a later batch."""
    g = ag.compile(lambda x: W * x)
    g.record([1.0, 2.0, 3.0])
    assert g([4.0, 5.0, 6.0]).tolist() == [W.data * x for x in (4.0, 5.0, 6.0)]
    g = ag.compile(lambda x: W * x.data)
    g.record([1.0, 2.0, 3.0])
    with pytest.raises(ValueError, match="row 2 gives"):
        g([4.0, 5.0, 9.0])


@pytest.mark.parametrize("rows", [6, 300])
def test_what_f_does_with_values_alone_is_noticed(rows: int) -> None:
    """Also where it is right for plain numbers, in values or in gradients."""

    def cut(x: Any) -> Any:
        return W * (Value(0.0) if isinstance(x, Value) and x.data < 0 else x)

    def detached(x: Any) -> Any:
        return (W.detach() if isinstance(x, Value) and x.data < 0 else W) * x

    for f, verb in ((cut, "gives 0"), (detached, "has the gradient 0")):
        with pytest.raises(ValueError, match=verb):
            ag.compile(f).backward(np.linspace(1.0, -2.0, rows))


def test_a_function_that_changes_its_parameters_is_noticed() -> None:
    """And they keep the numbers that they had when it was called with rows to compare."""
    moving = Value(0.0)

    def f(x: Any) -> Any:
        moving.data += 0.5
        return W * (x - moving)

    with pytest.raises(ValueError, match="gives"):
        ag.compile(f)([1.0, 2.0, 3.0])
    assert moving.data == 0.5  # recorded once


@pytest.mark.parametrize("f", [lambda x, w, v: w * x * v, lambda x, w, v: w * x.data * v])
@pytest.mark.parametrize("method", ["__call__", "value_and_grad"])
def test_verification_leaves_parameters_alone(f: Function, method: str) -> None:
    """Their `.data`, and `.grad`, also where there is none; whether it fails or not."""
    w, v = Value(2.0), Value(3.0)
    (5 * v).backward()
    g = ag.compile(lambda x: f(x, w, v))
    with contextlib.suppress(ValueError):
        getattr(g, method)([1.0, 2.0, 3.0])
    assert (w.data, v.data, w.has_grad, w.grad, v.has_grad, v.grad) == (2.0, 3.0, False, 0.0, True, 5.0)


def test_looking_into_an_error_leaves_parameters_alone() -> None:
    """A nan arises; `.grad` is what it was."""
    w, v = Value(2.0), Value(3.0)
    (5 * v).backward()
    g = ag.compile(lambda x: w * v * ag.sqrt(x))
    g([1.0, 2.0])
    for method in (g, g.value_and_grad, g.backward):
        with pytest.raises(FloatingPointError):
            method([1.0, -2.0])
        assert (w.data, v.data, w.has_grad, v.has_grad, v.grad) == (2.0, 3.0, False, True, 5.0)


# ----- Errors -----

FITS = np.ones((3, 2))
BAD_BATCHES: dict[str, tuple[tuple[Any, ...], type[Exception], str]] = {
    "unequal lengths": ((FITS, np.ones(2)), ValueError, "3, 2"),
    "no rows": ((np.ones((0, 2)), np.ones(0)), ValueError, "none"),
    "empty lists": (([], []), ValueError, "none"),
    "complex": ((FITS.astype(complex), np.ones(3)), TypeError, "complex"),
    "strings": (([["a", "b"]], ["c"]), TypeError, "real numbers"),
    "a string": (("abc", np.ones(3)), TypeError, "real numbers"),
    "objects": ((np.array([[object(), 1.0]] * 3), np.ones(3)), TypeError, "object"),
    "None": ((None, np.ones(3)), TypeError, "object"),
    "Values": (([[Value(1.0), Value(2.0)]] * 3, np.ones(3)), TypeError, "closes over"),
    "a Value": ((Value(1.0), np.ones(3)), TypeError, "closes over"),
    "ragged": (([[1.0, 2.0], [1.0]], np.ones(2)), ValueError, "different lengths"),
    "a number": ((FITS, 1.0), ValueError, "argument 1 is one number"),
    "a dictionary": (({"a": FITS}, np.ones(3)), TypeError, "object"),
    "a generator": (((x for x in FITS), np.ones(3)), TypeError, "object"),
    "dates": ((np.array([["2020-01-01"] * 2] * 3, "datetime64[D]"), np.ones(3)), TypeError, "datetime"),
    "nothing": ((), TypeError, "one array for each argument"),
}


@pytest.mark.parametrize("which", BAD_BATCHES)
@pytest.mark.parametrize("used", [False, True])
def test_bad_batches(which: str, used: bool) -> None:
    """At the first call and later; a good one works after it."""
    args, kind, words = BAD_BATCHES[which]
    w = parameters(2)
    f = ag.compile(lambda x, y: ag.dot(w, x) - y)
    if used:
        f(FITS, np.ones(3))
    for method in (f, f.value_and_grad, f.backward):
        with pytest.raises(kind, match=words):
            method(*args)
    check(lambda x, y: ag.dot(w, x) - y, drawn(3, 2), drawn(3), compiled=f)


@pytest.mark.parametrize("args", [(FITS,), (FITS, np.ones(3), np.ones(3))])
def test_wrong_number_of_arguments(args: tuple[Any, ...]) -> None:
    """At the first call Python says it, later we do."""
    f = ag.compile(lambda x, y: x[0] - y)
    with pytest.raises(TypeError, match="argument"):
        f(*args)
    f(FITS, np.ones(3))
    with pytest.raises((TypeError, ValueError)):
        f(*args)


@pytest.mark.parametrize("X", [np.ones((3, 3)), np.ones(3), np.ones((3, 2, 1)), np.ones((3, 1, 2)), np.ones((3, 1))])
def test_rows_of_another_shape(X: Array) -> None:
    """At a later call; the error has both."""
    w = parameters(2)
    f = ag.compile(lambda x: ag.dot(w, x))
    f(FITS)
    for method in (f, f.value_and_grad, f.backward):
        with pytest.raises(ValueError, match=r"\(2,\)"):
            method(X)
    assert f(FITS).shape == (3,)


def test_shapes_that_do_not_fit_f() -> None:
    """What f raises comes out."""
    w = parameters(2)
    f = ag.compile(lambda x: ag.dot(w, x))
    with pytest.raises(ValueError, match="as many weights as inputs"):
        f(np.ones((3, 3)))
    assert f(FITS).shape == (3,)  # nothing of the first call is left


@pytest.mark.parametrize("result", [None, 1.0, 3, [], (), {}, {"loss": W}, "loss", [1.0, W], [None], np.zeros(0), True])
def test_wrong_results(result: Any) -> None:
    """f gives a Value, or a list of them."""
    with pytest.raises(TypeError, match=r"Value"):
        ag.compile(lambda x: result)([1.0, 2.0])


def test_wrong_result_says_what_was_lost() -> None:
    """A number in the place of a Value."""
    for f in (lambda x: x.data * 2, lambda x: float(x.data), lambda x: [x.data]):
        with pytest.raises(TypeError, match=r"float"):
            ag.compile(f)([1.0, 2.0])


@pytest.mark.parametrize("dtype", ["float16", "int32", "complex128", "double precision", "", 64, None, list])
def test_wrong_dtype(dtype: Any) -> None:
    """There are two."""
    with pytest.raises(ValueError, match="'float64' or 'float32'"):
        ag.compile(lambda x: x, dtype=dtype)


@pytest.mark.parametrize("verify", [-1, 1.0, True, False, None, "2"])
def test_wrong_verify(verify: Any) -> None:
    """A number of rows."""
    with pytest.raises(ValueError, match="verify is a number of rows"):
        ag.compile(lambda x: x, verify=verify)


@pytest.mark.parametrize("reduction", ["none", "Mean", None, 1, ["mean"]])
def test_wrong_reduction(reduction: Any) -> None:
    """Mean or sum."""
    w = Value(2.0)
    with pytest.raises(ValueError, match="'mean' or 'sum'"):
        ag.compile(lambda x: w * x).value_and_grad([1.0], reduction=reduction)


@pytest.mark.parametrize("f", [None, 1.0, "f", Value(1.0), [abs]])
def test_what_is_no_function(f: Any) -> None:
    """Is a TypeError."""
    with pytest.raises(TypeError, match="a function of one example"):
        ag.compile(f)


def test_what_is_a_function() -> None:
    """Methods, modules, partials, primitives, builtins."""
    model = nn.MLP(2, [1], seed=1)
    assert ag.compile(model)(drawn(3, 2)).shape == (3,)
    assert ag.compile(model.layers[0].__call__)(drawn(3, 2)).shape == (3,)
    assert ag.compile(ag.tanh)([0.0, 1.0]).tolist() == [0.0, pytest.approx(math.tanh(1))]
    assert ag.compile(operator.mul)([2.0, 3.0], [5.0, 7.0]).tolist() == [10.0, 21.0]
    assert ag.compile(ag.logsumexp)(np.zeros((2, 2))).tolist() == pytest.approx([math.log(2)] * 2)


def test_name_and_doc_and_repr() -> None:
    """Those of f; the repr tells whether it is recorded."""

    def my_loss(x: Any) -> Any:
        """Mine."""
        return W * x

    f = ag.compile(my_loss)
    assert (f.__name__, f.__doc__) == ("my_loss", "Mine.")
    before = repr(f)
    f([1.0])
    assert "my_loss" in before
    assert "not recorded" in before
    assert "not recorded" not in repr(f)


def test_rows_of_no_numbers() -> None:
    """Are nothing to compute with: a function of parameters alone, or an error that says so."""
    w = Value(2.0)
    try:
        found = ag.compile(lambda x: w * w)(np.zeros((3, 0)))
    except ValueError as error:
        assert "row" in str(error)
    else:
        assert found.tolist() == [4.0] * 3


# ----- Where finite numbers end -----

ARISING: dict[str, tuple[Function, float, str]] = {
    "log of a negative": (lambda x, w: ag.log(x) * w, -1.0, "log"),
    "log of 0": (lambda x, w: ag.log(x) * w, 0.0, "log"),
    "1 / 0": (lambda x, w: w / x, 0.0, "divide"),
    "0 / 0": (lambda x, w: (x - x) * w / x, 0.0, "divide"),
    "exp overflow": (lambda x, w: ag.exp(x) * w, 1000.0, "exp"),
    "sqrt of a negative": (lambda x, w: ag.sqrt(x) + w, -1.0, "sqrt"),
    "a product beyond all doubles": (lambda x, w: x * x * w, 1e200, "multiply"),
    "a sum beyond all doubles": (lambda x, w: (x + x) * 0.25 * w, 1.7e308, "add"),
    "power": (lambda x, w: x**0.5 * w, -2.0, "power"),
    "a negative power of 0": (lambda x, w: x**-1 * w, 0.0, "power"),
    "arcsin": (lambda x, w: ag.arcsin(x / 4) * w, 5.0, "arcsin"),
    "log1p": (lambda x, w: ag.log1p(x) * w, -2.0, "log1p"),
    "sinh": (lambda x, w: ag.sinh(x) * w, 1000.0, "sinh"),
    "in a sum that hides it": (lambda x, w: w * x + 0.0 * ag.log(x), -1.0, "log"),
    "in a branch that is not taken": (lambda x, w: w * ag.where(x > 0, ag.log(x), x), -1.0, "log"),
    "of a denominator": (lambda x, w: 1 / (1 + ag.exp(x)) * w, 1000.0, "exp"),
}


@small_blocks
@pytest.mark.parametrize("which", ARISING)
@pytest.mark.parametrize(("n", "place"), [(1, 0), (4, 0), (4, 3), (600, 0), (600, 255), (600, 256), (600, 599)])
def test_where_finite_numbers_end(which: str, n: int, place: int) -> None:
    """The error names the row, whichever block it is in, and the operation; the next call is right."""
    f, number, name = ARISING[which]
    w = Value(1.5, "w")
    g = ag.compile(lambda x: f(x, w))
    X = np.full(n, 2.0)
    X[: n // 2] = 1.5
    g(X)
    bad = X.copy()
    bad[place] = number
    for method in (g, g.value_and_grad, g.backward):
        with pytest.raises(FloatingPointError, match=rf"row {place} .*{name}"):
            method(bad)
    if n < 10:
        check(lambda x: f(x, w), X, compiled=g)


@pytest.mark.parametrize("which", ARISING)
@pytest.mark.parametrize("place", [0, 1, 4])
def test_where_finite_numbers_end_at_the_first_call(which: str, place: int) -> None:
    """The same when nothing was recorded yet, also if it is the row that is recorded."""
    f, number, name = ARISING[which]
    w = Value(1.5, "w")
    g = ag.compile(lambda x: f(x, w))
    X = np.full(5, 2.0)
    X[place] = number
    with pytest.raises(FloatingPointError, match=rf"row {place} .*{name}"):
        g(X)
    check(lambda x: f(x, w), np.full(5, 2.0), compiled=g)


INFINITE_SLOPES: dict[str, tuple[Function, float, str]] = {
    "sqrt": (lambda x, w: ag.sqrt(x) * w, 0.0, "sqrt"),
    "arcsin": (lambda x, w: ag.arcsin(x / 4) * w, 4.0, "arcsin"),
    "arccos": (lambda x, w: ag.arccos(x / 4) * w, -4.0, "arccos"),
    "power": (lambda x, w: x**0.5 * w, 0.0, "power"),
}


@pytest.mark.parametrize("which", INFINITE_SLOPES)
def test_infinite_derivatives(which: str) -> None:
    """Values are fine; the gradient by the input is an error, and that by the parameter alone is a number."""
    f, number, name = INFINITE_SLOPES[which]
    w = Value(1.5, "w")
    g = ag.compile(lambda x: f(x, w), verify=0)
    X = np.array([1.0, number, 2.0])
    assert np.isfinite(g(X)).all()
    assert np.isfinite(g.value_and_grad(X)[1]).all()
    with pytest.raises(FloatingPointError, match=rf"row 1 .*{name}"):
        g.value_and_grad(X, inputs=True)
    check(lambda x: f(x, w), np.array([1.0, 2.0]), compiled=g)


def test_infinite_derivative_by_a_parameter() -> None:
    """sqrt(w x) at w x = 0."""
    w = Value(1.5, "w")
    g = ag.compile(lambda x: ag.sqrt(w * x))
    g.backward([1.0, 2.0])
    with pytest.raises(FloatingPointError, match=r"row 2 .*sqrt"):
        g.backward([1.0, 2.0, 0.0])


def test_the_error_has_the_label() -> None:
    """What the user called it."""
    w = Value(1.5, "w")

    def f(x: Any) -> Any:
        z = w * x
        z.label = "z"
        return ag.log(z)

    g = ag.compile(f)
    g([1.0, 2.0])
    with pytest.raises(FloatingPointError, match=r"row 1 .*log.*'z'"):
        g([1.0, -2.0])


def test_a_parameter_that_leaves_the_domain() -> None:
    """Each row is wrong then; the error has the parameter's label."""
    w = Value(1.5, "w")
    g = ag.compile(lambda x: ag.log(w) * x)
    g([1.0, 2.0])
    w.data = -1.0
    for method in (g, g.backward):
        with pytest.raises(FloatingPointError, match=r"log.*'w'"):
            method([1.0, 2.0])
    w.data = 2.0
    check(lambda x: ag.log(w) * x, drawn(3), compiled=g)


@pytest.mark.parametrize("used", [False, True])
def test_numbers_of_at_that_leave_the_domain(used: bool) -> None:
    """It is the numbers that were given which count, not `.data`."""
    w = Value(1.5, "w")
    g = ag.compile(lambda x: ag.log(w) * x)
    if used:
        g.value_and_grad([1.0, 2.0])
    with pytest.raises(FloatingPointError, match=r"log.*'w'"):
        g.at(np.array([-1.0]), [1.0, 2.0])
    assert w.data == 1.5


def test_at_where_data_is_out_of_the_domain() -> None:
    """The numbers are fine, `.data` is not read."""
    w = Value(1.5, "w")
    g = ag.compile(lambda x: ag.log(w) * x)
    g.value_and_grad([1.0, 2.0])
    w.data = -1.0
    assert g.at(np.array([1.0]), [1.0, 2.0]).values.tolist() == [[0.0], [0.0]]


@pytest.mark.parametrize("x", [-700.0, -715.0, -740.0])
def test_log_of_a_sigmoid_far_out(x: float) -> None:
    """As small as doubles get: the function itself has a value, so has the compiled one."""
    f = lambda v: ag.log(ag.sigmoid(v))  # noqa: E731
    assert ag.compile(f, verify=0)([-1.0, x])[1] == pytest.approx(f(Value(x)).data, rel=1e-9)


SPECIAL: dict[str, Function] = {
    "a product": lambda x, w: w * x,
    "a sum": lambda x, w: w + x,
    "tanh": lambda x, w: ag.tanh(w * x),
    "relu": lambda x, w: ag.relu(x) * w,
    "step": lambda x, w: ag.step(x) * w,
    "sign": lambda x, w: ag.sign(x) * w,
    "maximum": lambda x, w: ag.maximum(x, w),
    "minimum": lambda x, w: ag.minimum(w, x),
    "where": lambda x, w: ag.where(x, w, -w),
    "where of it": lambda x, w: ag.where(w, 1.0, x),
    "clip": lambda x, w: ag.clip(x, -1.0, 1.0) * w,
    "sigmoid": lambda x, w: ag.sigmoid(x) * w,
    "leaky_relu": lambda x, w: ag.leaky_relu(x) * w,
    "absolute": lambda x, w: abs(x) * w,
    "square": lambda x, w: x**2 * w,
    "a dot": lambda x, w: ag.dot([w, 2.0, w], [x, x, 1.0]),
    "a dot with 0": lambda x, w: ag.dot([w, 0.0, w], [1.0, x, 1.0]),
    "a sum with 0 times": lambda x, w: w * 1.0 + 0.0 * x,
    "a long sum": lambda x, w: ag.sum([x, w, x, 1.0, w, w]),
    "mean": lambda x, w: ag.mean([x, w, 1.0]),
    "arctan": lambda x, w: ag.arctan(x) * w,
    "reciprocal": lambda x, w: w / (1 + x * x),
}


@pytest.mark.parametrize("which", SPECIAL)
@pytest.mark.parametrize("number", [NAN, INF, -INF])
def test_nan_and_infinity_that_are_given(which: str, number: float) -> None:
    """They propagate as in the function itself, in their row; the others, and later calls, are as before."""
    w = Value(1.5)
    f = lambda x: SPECIAL[which](x, w)  # noqa: E731
    X = np.array([0.5, number, -0.5])
    wanted = [f(Value(x)).data for x in X.tolist()]
    for first in (False, True):
        g = ag.compile(f)
        if not first:
            g([0.5, -0.5])
        found = g(X)
        assert_close(found, wanted, np.ones(3))
        check(f, np.array([0.5, -0.5]), compiled=g)


@pytest.mark.parametrize("which", SPECIAL)
@pytest.mark.parametrize("number", [NAN, INF, -INF])
def test_gradients_of_nan_and_infinity(which: str, number: float) -> None:
    """By the input and by the parameter, as eager backward has them."""
    w = Value(1.5)
    f = lambda x: SPECIAL[which](x, w)  # noqa: E731
    x = Value(number)
    f(x).backward()
    by_x, by_w = x.grad, w.grad
    w.zero_grad()
    g = ag.compile(f, verify=0)
    g.value_and_grad([0.5, -0.5], inputs=True)
    _, gradients, (by_inputs,) = g.value_and_grad([number], inputs=True)
    assert_close(by_inputs, [by_x], [1.0], what="by x")
    assert_close(gradients, [by_w], [1.0], what="by w")


def test_a_parameter_that_is_nan() -> None:
    """It is in all rows then, without an error."""
    w = Value(1.5)
    g = ag.compile(lambda x: w * x)
    g([1.0])
    w.data = NAN
    assert np.isnan(g([1.0, 2.0])).all()
    w.data = 2.0
    assert g([1.0, 2.0]).tolist() == [2.0, 4.0]


def test_a_finite_row_fails_beside_one_with_nan() -> None:
    """The nan was given; the logarithm of a negative number is still an error."""
    w = Value(1.5)
    g = ag.compile(lambda x: ag.log(x) * w)
    g([1.0])
    with pytest.raises(FloatingPointError, match="row 2 "):
        g([1.0, NAN, -1.0])
    assert np.isnan(g([1.0, NAN, 2.0])).tolist() == [False, True, False]


def test_sums_that_overflow_where_rows_do_not() -> None:
    """No warning: each value is a double; their sum is not."""
    w = Value(1.0)
    g = ag.compile(lambda x: w * x)
    X = np.array([1.5e308, 1.5e308])
    assert g(X).tolist() == X.tolist()
    with contextlib.suppress(FloatingPointError):
        value, _ = g.value_and_grad(X)
        assert value in (INF, 1.5e308)


def test_underflow_is_silent() -> None:
    """Small numbers become 0, as they do for floats."""
    w = Value(1.0)
    f = lambda x: w * ag.exp(x) * ag.exp(x)  # noqa: E731
    check(f, np.array([-700.0, -800.0, 1.0]))


def test_float32_overflow() -> None:
    """What is no float32 is refused at the door; where one arises, the row is named."""
    w = Value(1.5)
    g = ag.compile(lambda x: w * x, dtype="float32")
    g([1.0, 2.0])
    with pytest.raises(ValueError, match=r"argument 0 has numbers beyond 3.4e\+38"):
        g([1.0, 1e300])
    with pytest.raises(FloatingPointError, match="row 1 "):
        g([1.0, 3e38])


# ----- Modes, threads, nesting -----


def test_threads() -> None:
    """Several at once get the results of their own batches."""
    model = nn.MLP(2, [8, 1], activation="tanh", seed=1)
    f = ag.compile(lambda x: model(x))
    batches = [drawn(n, 2, seed=n) for n in (1, 3, 50, 300, 1000)]
    alone = [(f(X), f.value_and_grad(X, inputs=True)) for X in batches]

    def work(k: int) -> bool:
        i = k % len(batches)
        values, (value, gradients, (by_x,)) = f(batches[i]), f.value_and_grad(batches[i], inputs=True)
        wanted, (mean, by_parameters, (by_inputs,)) = alone[i]
        return bool(
            (values == wanted).all()
            and value == mean
            and (gradients == by_parameters).all()
            and (by_x == by_inputs).all()
        )

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(work, range(200)))


def test_threads_at_the_first_call() -> None:
    """One of them records."""
    for turn in range(10):
        w = parameters(3, seed=turn)
        f = ag.compile(lambda x, w=w: ag.tanh(ag.dot(w, x)))
        X = drawn(5, 3, seed=turn)
        barrier = threading.Barrier(4)

        def work(_: int, f: Any = f, X: Any = X, barrier: Any = barrier) -> list[float]:
            barrier.wait()
            f.value_and_grad(X)
            result: list[float] = f(X).tolist()
            return result

        with ThreadPoolExecutor(4) as pool:
            results = list(pool.map(work, range(4)))
        expected = np.tanh(X @ [x.data for x in w])
        for result in results:
            assert_close(result, expected, np.ones(5))


def test_in_no_grad() -> None:
    """Compiled, called and verified where graphs are not kept."""
    w = Value(2.0)
    for decorated in (False, True):
        f = ag.compile(lambda x: w * x)
        if decorated:
            found = ag.no_grad(f.value_and_grad)([1.0, 2.0])
        else:
            with ag.no_grad():
                found = f.value_and_grad([1.0, 2.0])
                assert f([1.0, 2.0]).tolist() == [2.0, 4.0]
        assert (found[0], found[1].tolist()) == (3.0, [1.5])
    assert (w * 1.0).operands != ()


def test_f_that_is_decorated_with_no_grad() -> None:
    """Has no graph: its values are found wrong, or it is refused; no gradient of 0 in silence."""
    w = Value(2.0)
    f = ag.compile(ag.no_grad(lambda x: w * x))
    with pytest.raises((ValueError, TypeError)):
        f.value_and_grad([1.0, 2.0])


def test_in_other_modes() -> None:
    """Lines and anomalies."""
    w = Value(2.0)
    for mode in (ag.record_lines(), ag.detect_anomaly()):
        with mode:
            check(lambda x: w * ag.tanh(x), drawn(3))


def test_an_error_in_a_mode() -> None:
    """Looking for it in `detect_anomaly` leaves the mode alone."""
    w = Value(2.0)
    f = ag.compile(lambda x: w * ag.log(x))
    f([1.0])
    with ag.no_grad(), pytest.raises(FloatingPointError, match="row 1 "):
        f([1.0, -1.0])
    assert (w * 1e308 * 1e308).data == INF


def test_compile_in_a_function_that_is_compiled() -> None:
    """A compiled function takes arrays, so Values in it are refused."""
    w = Value(2.0)
    inner = ag.compile(lambda x: w * x)
    with pytest.raises(TypeError, match="closes over"):
        ag.compile(lambda x: inner([x])[0])([1.0, 2.0])
    assert (w > 0) is True


def test_compile_another_function_while_recording() -> None:
    """On plain numbers it works, and the outer recording goes on."""
    w = Value(2.0)
    inner = ag.compile(lambda x: w * x)

    def f(x: Any) -> Any:
        factor = float(inner([3.0])[0])
        with pytest.raises(TypeError):
            bool(x > 0)
        return factor * x * w

    assert ag.compile(f, verify=0)([1.0, 2.0]).tolist() == [12.0, 24.0]


def test_gradients_inside_f() -> None:
    """`derivatives` records a graph: a loss of a gradient compiles."""
    w = parameters(2)

    def f(x: Any) -> Any:
        y = ag.tanh(w[0] * x) * w[1]
        (slope,) = ag.derivatives(y, [x])
        return slope**2 + y

    check(f, drawn(5))


def test_grad_inside_f() -> None:
    """The transform `grad`, of a function of the input that captures parameters."""
    w = parameters(2)
    for rows in (5, 300):
        check(lambda x: ag.grad(lambda v: ag.tanh(w[0] * v) * w[1])(x) ** 2, drawn(rows))


def test_within_grad() -> None:
    """A captured leaf that `grad` made: its number counts; the result is an array, not a graph."""
    found: list[Any] = []

    def outer(v: Value) -> Value:
        f = ag.compile(lambda x: v * x)
        found.append(f([1.0, 2.0]).tolist())
        return v * v

    assert ag.grad(outer)(3.0) == 6.0
    assert found == [[3.0, 6.0]]


def test_grad_called_in_f_for_its_numbers() -> None:
    """`backward` of f's own leaves nothing behind that is read."""
    w = Value(2.0)

    def f(x: Any) -> Any:
        return w * x * x

    assert ag.compile(f).value_and_grad([1.0, 2.0])[1].tolist() == [2.5]
    assert not w.has_grad


# ----- Memory -----


def test_dropping_it_frees_it() -> None:
    """And all that it made, parameters are the user's."""
    w = parameters(3)
    f = ag.compile(lambda x: ag.tanh(ag.dot(w, x)))
    for n in (3, 700):
        f.value_and_grad(drawn(n, 3), inputs=True)
    watched = [weakref.ref(f), weakref.ref(f._programs["input gradients"].machine)]
    del f
    gc.collect()
    assert [ref() for ref in watched] == [None, None]


def test_repeated_calls_do_not_grow() -> None:
    """Blocks of memory, after some calls to get going."""
    model = nn.MLP(2, [4, 1], activation="tanh", seed=1)
    f = ag.compile(lambda x, y: (model(x) - y) ** 2)
    X, y = drawn(20, 2), drawn(20)

    def work() -> None:
        for _ in range(50):
            f(X, y)
            f.backward(X, y)
            f.value_and_grad(X, y, inputs=True)
            with contextlib.suppress(ValueError):
                f(X[:0], y[:0])

    work()
    gc.collect()
    before = sys.getallocatedblocks()
    for _ in range(4):
        work()
    gc.collect()
    assert sys.getallocatedblocks() - before < 100


def test_errors_do_not_grow() -> None:
    """Looking for a row leaves nothing behind."""
    w = Value(2.0)
    f = ag.compile(lambda x: w * ag.log(x))
    X = np.linspace(1.0, 2.0, 100)
    f(X)
    X[70] = -1.0

    def work() -> None:
        for _ in range(10):
            with pytest.raises(FloatingPointError, match="row 70 "):
                f(X)

    work()
    gc.collect()
    before = sys.getallocatedblocks()
    work()
    work()
    gc.collect()
    assert sys.getallocatedblocks() - before < 300


def test_buffers_for_many_batch_sizes() -> None:
    """A few are kept."""
    model = nn.MLP(2, [4, 1], activation="tanh", seed=1)
    f = ag.compile(lambda x: model(x))
    for n in range(1, 60):
        f(drawn(n, 2))
    assert len(f._programs["values"].machine._blocks) <= 8


# ----- What it costs to compile -----


def _chain(n: int) -> Function:
    w = Value(0.9)

    def f(x: Any) -> Any:
        for _ in range(n):
            x = ag.tanh(w * x)
        return x

    return f


def _deep(n: int) -> Function:
    """The same chain, each link with a parameter of its own."""
    w = parameters(n)

    def f(x: Any) -> Any:
        for weight in w:
            x = ag.tanh((1 + 0.1 * weight) * x)
        return x

    return f


def _members(f: Function, X: Array) -> tuple[int, int, int]:
    """Groups, the quantities in them, and calls of NumPy for a block; forward and backward."""
    compiled = ag.compile(f, verify=0)
    compiled.value_and_grad(X)
    program = compiled._programs["gradients"]
    return len(program.groups), sum(len(group.members) for group in program.groups), program.machine.calls["block"]


def _adds(n: int) -> Function:
    w = parameters(n)

    def f(x: Any) -> Any:
        total = w[0]
        for weight in w[1:]:
            total = total + weight * x
        return total

    return f


SIZED: dict[str, Callable[[int], Function]] = {
    "chain": _chain,
    "deep": _deep,
    "adds": _adds,
    "sum": lambda n: lambda x: ag.sum([ag.tanh(W + i * 0.01 * x) for i in range(n)]),
    "shared adds": lambda n: lambda x: ag.sum([W * x] * n) + builtins.sum([x * W + W] * n),
}


@pytest.mark.parametrize("which", SIZED)
def test_compiling_is_linear(which: str) -> None:
    """Twice the tape, no more than about twice of everything."""
    small, large = (_members(SIZED[which](n), np.array([0.5, 0.6])) for n in (100, 200))
    for a, b in zip(small, large, strict=True):
        assert b <= 2.2 * a + 20


@pytest.mark.parametrize("which", ["chain", "deep", "adds"])
def test_instructions_are_linear(which: str) -> None:
    """Counted as calls of Python functions while compiling."""

    def count(n: int) -> int:
        f, calls = SIZED[which](n), 0

        def profile(_frame: Any, event: str, _arg: Any) -> None:
            nonlocal calls
            calls += event in ("call", "c_call")

        compiled = ag.compile(f)
        previous = sys.getprofile()
        sys.setprofile(profile)
        try:
            compiled.value_and_grad(np.array([0.5, 0.6]))
        finally:
            sys.setprofile(previous)
        return calls

    count(10)
    assert count(800) < 2.5 * count(400)


def test_a_deep_chain() -> None:
    """20,000 nodes one after another."""
    w = Value(0.999)

    def f(x: Any) -> Any:
        for _ in range(10_000):
            x = ag.sin(w * x)
        return x

    X = np.array([0.5, -0.25])
    compiled = ag.compile(f, verify=0)
    expected = X
    for _ in range(10_000):
        expected = np.sin(w.data * expected)
    assert_close(compiled(X), expected, np.ones(2), 1e-10)
    x = Value(0.5)
    f(x).backward()
    assert_close(compiled.value_and_grad([0.5])[1], [w.grad], [1 + abs(w.grad)], 1e-9)


@pytest.mark.parametrize("rows", [1, 2, 5])
@pytest.mark.parametrize("method", ["dot", "by hand"])
def test_zero_times_infinity_is_nan(method: str, rows: int) -> None:
    """Also where a product of matrices could leave out what is multiplied by 0: a tanh of infinity has slope 0."""
    w = parameters(3)

    def f(x: Any) -> Any:
        return ag.tanh(ag.dot(w, x) if method == "dot" else w[0] * x[0] + w[1] * x[1] + w[2] * x[2])

    X = drawn(rows, 3)
    X[0] = [INF, 1.0, 2.0]
    wanted = eager(f, X)
    assert math.isnan(wanted.gradients[w[0]][0])
    _, found = ag.compile(f).value_and_grad(X)
    expected = [wanted.gradients[leaf].mean() for leaf in w]
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-15)
    assert np.isnan(found).tolist() == [True, False, False]


@pytest.mark.parametrize("rows", [1, 7, 300])
@small_blocks
def test_a_deep_chain_of_many_parameters(rows: int) -> None:
    """Their gradients are added up together, when all that they are made of is there."""
    f = check(_deep(120), drawn(rows))
    program = f._programs["gradients"]
    assert [len(group.members) for group in program.groups if group.form == "batch_sums"] == [120]
    assert program.machine.calls["block"] < 4 * 120 + 20  # forward and backward two for each link


def test_few_levels_of_parameters() -> None:
    """There each level has its own sums: what they are made of is not kept."""
    f = check(_deep(50), drawn(7))
    assert [len(group.members) for group in f._programs["gradients"].groups if group.form == "batch_sums"] == [1] * 50


def test_a_deep_sum() -> None:
    """A builtin sum is a chain of 20,000 additions."""
    w = Value(2.0)
    f = ag.compile(lambda x: builtins.sum([w * v for v in x]), verify=1)
    X = drawn(2, 10_000)
    assert_close(f(X), 2 * X.sum(1), abs(X).sum(1))
    assert_close(f.value_and_grad(X)[1], [X.sum(1).mean()], [abs(X).sum()])


def test_a_wide_sum() -> None:
    """20,000 terms, in one sum and in one dot."""
    w = parameters(20_000)
    X = drawn(3)
    f = ag.compile(lambda x: ag.sum([ag.tanh(v * x) for v in w]), verify=1)
    numbers = np.array([v.data for v in w])
    expected = np.tanh(X[:, None] * numbers)
    assert_close(f(X), expected.sum(1), abs(expected).sum(1))
    by_w = ((1 - expected**2) * X[:, None]).mean(0)
    assert_close(f.value_and_grad(X)[1], by_w, np.ones(20_000))
    assert len(f._programs["gradients"].groups) < 40


# ----- One's own primitives -----


@pytest.fixture
def own() -> Iterator[None]:
    """Primitives that a test defines are forgotten after it."""
    before = dict(PRIMITIVES)
    yield
    PRIMITIVES.clear()
    PRIMITIVES.update(before)


own_primitives = pytest.mark.usefixtures("own")


@own_primitives
@pytest.mark.parametrize("with_array", [False, True])
def test_own_primitive(with_array: bool) -> None:
    """With and without a function of arrays; several in a layer."""
    array = (lambda x: x**3) if with_array else None
    cube = primitive("cube", lambda x: x**3, lambda x, out: 3 * x**2, array=array)
    w = parameters(3)
    check(lambda x: cube(w[0] * x[0]) + cube(x[1]) + cube(w[1]), drawn(5, 2))
    layer = nn.Layer(2, 3, activation=cube, seed=1)
    check(lambda x: layer(x), drawn(5, 2))


@own_primitives
@pytest.mark.parametrize("with_array", [False, True])
def test_own_primitive_of_two(with_array: bool) -> None:
    """Inputs, parameters and constants in either place."""
    array = (lambda x, y: x * np.cos(y)) if with_array else None
    polar = primitive(
        "polar",
        lambda x, y: x * math.cos(y),
        lambda x, y, out: ag.cos(y),
        lambda x, y, out: -x * ag.sin(y),
        array=array,
    )
    w = parameters(2)
    for f in (
        lambda x: polar(x[0], x[1]),
        lambda x: polar(x[0], w[0]),
        lambda x: polar(w[0], x[0]),
        lambda x: polar(w[0], w[1]) * x[0],
        lambda x: polar(2.0, x[1]) + polar(x[0], 3.0),
        lambda x: polar(x[0], x[0]) + polar(w[0], x[1]) + polar(w[1], x[0]),
    ):
        check(f, drawn(5, 2))


@own_primitives
@pytest.mark.parametrize("with_array", [False, True])
def test_own_variadic_primitive(with_array: bool) -> None:
    """Any number of operands, one rule for all."""
    norm = primitive(
        "norm",
        lambda *xs: math.sqrt(sum(x * x for x in xs)),
        lambda *xs_out: [x / xs_out[-1] for x in xs_out[:-1]],
        variadic=True,
        array=(lambda *xs: np.sqrt(builtins.sum(x * x for x in xs))) if with_array else None,
    )
    w = parameters(2)
    check(lambda x: norm(*x, *w, 1.0) + norm(x[0], w[0]) * norm(x[1], w[1]), drawn(5, 3))


@own_primitives
def test_own_primitive_with_a_name_of_numpy() -> None:
    """NumPy's function of that name is its function of arrays; `expand` finds its definition."""
    cbrt = primitive("cbrt", math.cbrt, lambda x, out: 1 / (3 * out * out))
    hypot = primitive(
        "hypot",
        math.hypot,
        lambda x, y, out: x / out,
        lambda x, y, out: y / out,
        definition=lambda x, y: ag.sqrt(x * x + y * y),
    )
    w = Value(2.0)
    check(lambda x: cbrt(x) * w + hypot(x, w) + ag.expand(hypot(x, w)), drawn(5))


@own_primitives
@pytest.mark.parametrize("error", [ValueError, ZeroDivisionError, OverflowError])
def test_own_primitive_out_of_its_domain(error: type[Exception]) -> None:
    """Its own error, told as those of built-in ones: the row and the operation."""

    def function(x: float) -> float:
        if x < 0:
            raise error("x is negative")
        return x

    picky = primitive("picky", function, lambda x, out: 1.0)
    w = Value(2.0)
    f = ag.compile(lambda x: w * picky(x))
    f([1.0, 2.0])
    with pytest.raises(FloatingPointError, match=r"row 1 .*picky"):
        f([1.0, -2.0, 3.0])
    assert f([1.0, 2.0]).tolist() == [2.0, 4.0]


@own_primitives
def test_own_primitive_whose_rule_is_math() -> None:
    """Such a rule works on floats alone: an error that names it, not a wrong number."""
    wave = primitive("wave", math.sin, lambda x, out: math.cos(x))
    w = Value(2.0)
    f = ag.compile(lambda x: w * wave(x))
    assert f([1.0, 2.0]).tolist() == pytest.approx([2 * math.sin(1), 2 * math.sin(2)])
    with pytest.raises(TypeError, match="wave"):
        f.value_and_grad([1.0, 2.0], inputs=True)


@own_primitives
@pytest.mark.parametrize(
    "rule", [lambda x, out: 1.0 if x > 0 else 0.0, lambda x, out: 1.0 if x else 0.0, lambda x, out: max(x, 0.0)]
)
def test_own_primitive_whose_rule_branches(rule: Function) -> None:
    """Is refused where the rule is needed."""
    odd = primitive("odd", lambda x: max(x, 0.0), rule)
    w = Value(2.0)
    f = ag.compile(lambda x: odd(w * x))
    with pytest.raises(TypeError, match=r"odd|rule"):
        f.value_and_grad([1.0, -2.0])


@own_primitives
def test_own_primitive_whose_rule_gives_integers() -> None:
    """Numbers of any type."""
    double = primitive("double", lambda x: 2 * x, lambda x, out: 2)
    flat = primitive("flat", lambda x: 1, lambda x, out: 0)
    w = Value(2.0)
    check(lambda x: double(w * x) + flat(x) * w, drawn(5))


@own_primitives
def test_own_primitive_that_is_defined_anew() -> None:
    """What was compiled keeps the one that it was compiled with, or the function's new one; not a mixture."""
    first = primitive("own", lambda x: 2 * x, lambda x, out: 2.0)
    f = ag.compile(lambda x: first(x) * W)
    assert f([1.0]).tolist() == [3.0]
    primitive("own", lambda x: 5 * x, lambda x, out: 5.0)
    assert f([1.0]).tolist() == [3.0]
    assert f.value_and_grad([1.0], inputs=True)[2][0].tolist() == [3.0]


# ----- The structure of a program -----


def groups_of(f: Function, X: Array, kind: str) -> Program:
    """The program of that kind."""
    compiled = ag.compile(f)
    compiled(X)
    compiled.value_and_grad(X)
    return compiled._programs[kind]


@pytest.mark.parametrize("how", ["nn", *WRITTEN])
@pytest.mark.parametrize("sizes", [[4, 3, 2], [16, 16, 2], [2, 2]])
def test_as_many_products_as_layers(how: str, sizes: list[int]) -> None:
    """Forward; backward there is one less, and one more for each matrix of gradients."""
    model = nn.MLP(3, sizes, activation="tanh", seed=1)
    written = (lambda x: model(x)) if how == "nn" else WRITTEN[how](model)
    f = lambda x: nn.mse_loss(written(x), [0.5] * sizes[-1])  # noqa: E731
    program = groups_of(f, drawn(4, 3), "values")
    products = [group for group in program.groups if group.form == "matrix" and len(group.members) > 1]
    assert [len(group.members) for group in products] == sizes
    assert not [group for group in program.groups if group.form == "dots"]
    program = groups_of(f, drawn(4, 3), "gradients")
    matrices = [group for group in program.groups if group.form == "matrix" and len(group.members) > 1]
    assert len(matrices) == 2 * len(sizes) - 1
    assert len([group for group in program.groups if group.form == "batch_sums"]) <= len(sizes)


def test_common_subexpressions_are_computed_once() -> None:
    """The lecture's one-liner has three x z and two log(x)."""
    f = lambda x, z: ag.exp(x * z) + x * z / ag.log(x) + ag.sin(ag.log(x)) / (x * z)  # noqa: E731
    compiled = ag.compile(f)
    compiled([2.0], [3.0])
    names = Counter(q.primitive.name for group in compiled._programs["values"].groups for q in group.members)
    assert (names["multiply"], names["log"]) == (1, 1)


def test_every_built_in_is_checked() -> None:
    """The loops above go over the whole table."""
    assert set(NAMES) == BUILT_IN


# ----- What Python decides by a number of the example -----


@pytest.mark.parametrize(
    "f",
    [
        lambda x: W * x if x == 1 else -W * x,
        lambda x: W * x if x != 1.0 else -W * x,
        lambda x: W * x if x in (1, 2) else -W * x,
        lambda x: ag.where(x == 1, W * x, -W * x),
    ],
)
def test_equality_of_an_input_is_refused(f: Any) -> None:
    """It is True of a number, and never of a Value: the error names the line."""
    with pytest.raises(TypeError, match=r"comparison with (==|!=).*test_compile.py:\d+"):
        ag.compile(f)([2.0, 1.0, 3.0])


def test_equality_of_results_is_found_by_comparing() -> None:
    """What is computed from an input is compared by identity, for a number by its value."""
    with pytest.raises(ValueError, match="for plain numbers"):
        ag.compile(lambda x: W * x if x * 2 == 8 else -W * x)([2.0, 2.5, 4.0])


def test_functions_that_use_a_graph_of_their_own() -> None:
    """Their numbers are compared as a loop would find them, where graphs are kept."""

    w = Value(0.5)

    def by_its_own_pass(x: Any) -> Any:
        y = w * w * w
        y.backward()
        slope = w.grad
        w.zero_grad()
        return x * w * slope

    X = np.array([1.3, 2.6, -1.1])
    assert_close(ag.compile(by_its_own_pass)(X), X * 0.5 * 0.75, np.abs(X))
    assert_close(ag.compile(lambda x: w * x * len((w * w).operands))(X), X, np.abs(X))


def test_a_mean_that_overflows_is_told_as_such() -> None:
    """A number among what is averaged is added before the sum is divided."""
    with pytest.raises(FloatingPointError, match=r"in row 0 of the batch: mean at .* gives inf"):
        ag.compile(lambda x: ag.mean([x * W * 1e308, 1e308]))([1.0, 1.1])


def test_class_as_an_index_is_refused() -> None:
    """The message says what to give instead."""
    with pytest.raises(TypeError, match=r"numpy.eye\(3\)\[y\]"):
        ag.compile(lambda x, y: [W * x, x][y])([1.0, 2.0], [0, 1])


def test_compiled_functions_are_copied() -> None:
    """A copy is recorded anew."""
    f = ag.compile(_twice)
    f([1.0])
    assert copy.deepcopy(f)([2.0]).tolist() == pickle.loads(pickle.dumps(f))([2.0]).tolist() == [2 * W.data]


def _twice(x: Any) -> Any:
    return Value(W.data) * x
