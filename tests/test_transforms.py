"""Derivatives of functions and recorded gradients: against mpmath, PyTorch, closed forms and published problems.

Forward mode, reverse mode and differences are compared with one another on random graphs. Then what nesting, modes,
threads and errors do; what is agreed upon at kinks and where derivatives are infinite.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import gc
import itertools
import math
import random
import re
import threading
import warnings
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import mpmath
import numpy as np
import pytest
from house_graph import house_nodes
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from oracles import formula
from test_rules import NAMES, points
from test_value import BINARY, LEAVES, PROGRAMS, UNARY, execute, functions_of

import autograd as ag
import nn
from autograd import Value, derivatives, grad, hessian, jacobian, jvp, nodes, value_and_grad, vjp
from autograd.primitives import PRIMITIVES
from autograd.rules import positive

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from autograd.primitives import Primitive

INF = math.inf
TORCH = "PyTorch is a second opinion, where it is installed"
ALL = pytest.mark.parametrize("name", NAMES)


def close(expected: Any, rel: float = 1e-9) -> Any:
    """Equal to nine digits, or to nine digits of the largest element."""
    array = np.asarray(expected, dtype=float)
    return pytest.approx(array, rel=rel, abs=rel * max(1e-300, float(np.abs(array).max(initial=0.0))))


# ----- What they are -----


def test_the_first_examples() -> None:
    """Of x**3 and of x * z, by every transform."""
    assert grad(lambda x: x**3)(3) == 27.0
    assert value_and_grad(lambda x, z: x * z, argnums=(0, 1))(2.0, 3.0) == (6.0, (3.0, 2.0))
    assert jacobian(lambda v: [v[0] * v[1], v[0] + v[1]])([2.0, 3.0]).tolist() == [[3.0, 2.0], [1.0, 1.0]]
    assert hessian(lambda v: v[0] ** 2 * v[1])([2.0, 3.0]).tolist() == [[6.0, 4.0], [4.0, 0.0]]
    assert jvp(lambda x, z: x * z, (2.0, 3.0), (1.0, 10.0)) == (6.0, 23.0)
    value, pullback = vjp(lambda x, z: x * z, 2.0, 3.0)
    assert (value, pullback(10.0)) == (6.0, (30.0, 20.0))


@pytest.mark.parametrize("n", range(1, 7))
def test_any_order(n: int) -> None:
    """The n-th derivative of x**5, by grad of grad of grad ..."""
    f: Callable[[Any], Any] = lambda x: x**5  # noqa: E731
    for _ in range(n):
        f = grad(f)
    result = f(2.0)
    assert result == math.perm(5, n) * 2.0 ** (5 - n)
    assert type(result) is float


def test_names_and_docs() -> None:
    """A transformed function says what it is, in a traceback and in help()."""

    def loss(w: Any) -> Any:
        return w * w

    for transform in (grad, value_and_grad, jacobian, hessian):
        made = transform(loss)
        assert made.__name__ == made.__qualname__ == f"{transform.__name__}(loss)"
        assert made.__doc__ == f"What {transform.__name__} makes of loss."
    assert grad(grad(ag.sin)).__name__ == "grad(grad(sin))"
    assert grad(partial(pow, exp=2)).__name__ == "grad(partial)"
    assert grad(partial(pow, exp=2))(3.0) == 6.0


def test_results_are_plain_numbers() -> None:
    """Floats, lists of floats and arrays of floats, without a Value in them."""
    assert type(grad(ag.sin)(0.5)) is float
    value, gradient = value_and_grad(lambda v: v[0] * v[1])([1, 2])
    assert [type(x) for x in (value, *gradient)] == [float] * 3
    assert hessian(lambda v: v[0] * v[1])([1, 2]).dtype == jacobian(lambda v: [v[0]])([1]).dtype == float
    assert {type(x) for x in jvp(ag.sin, (0.5,), (1,))} == {float}
    value, pullback = vjp(ag.sin, 0.5)
    assert {type(x) for x in (value, *pullback(1))} == {float}


# ----- Against mpmath: random expressions of three variables -----


class Tree:
    """A random expression of three variables, at most five operations deep, of smooth functions."""

    def __init__(self, chance: random.Random, depth: int = 5) -> None:
        self.name = ""
        self.parts: list[Tree] = []
        self.leaf: int | float = chance.randrange(3)
        #: By how many units in the last place the result is off when it is jittered.
        self.off = [chance.choice((-1, 1)) for _ in range(2)]
        if depth and chance.random() < 0.9:
            self.name = chance.choice([*BINARY, *UNARY, *["add", "subtract", "multiply", "divide"] * 3])
            self.parts = [Tree(chance, depth - 1) for _ in range(1 if self.name in UNARY else 2)]
        elif chance.random() < 0.15:
            self.leaf = chance.choice([-2.0, -0.5, 0.25, 3.0])

    def depth(self) -> int:
        """How many operations lie upon one another."""
        return 1 + max(part.depth() for part in self.parts) if self.parts else 0

    def varies(self) -> bool:
        """Whether there is a variable in it."""
        return any(part.varies() for part in self.parts) if self.parts else isinstance(self.leaf, int)

    def __call__(self, v: Sequence[Any], m: Any, jitter: int | None = None, unit: Any = 0) -> Any:
        """Its value; with `jitter`, every variable and every result is off by one unit, up or down."""
        if self.name:
            out = ({**BINARY, **UNARY}[self.name])(m, *[part(v, m, jitter, unit) for part in self.parts])
        else:
            out = v[self.leaf] if isinstance(self.leaf, int) else self.leaf
        return out if jitter is None or isinstance(out, float) else out * (1 + self.off[jitter] * unit)


def second_order(f: Callable[[Sequence[Any]], Any], at: Sequence[float]) -> list[Any]:
    """Value, gradient and Hessian of a function of three mpmath numbers, by central differences in 45 digits."""
    h = mpmath.mpf(10) ** -12
    x = [mpmath.mpf(number) for number in at]

    def moved(*moves: tuple[int, int]) -> Any:
        y = list(x)
        for i, sign in moves:
            y[i] += sign * h
        return f(y)

    middle = f(x)
    beside = [(moved((i, 1)), moved((i, -1))) for i in range(3)]
    found = [middle, *[(above - below) / (2 * h) for above, below in beside]]
    found += [(above - 2 * middle + below) / h**2 for above, below in beside]
    for i, j in ((0, 1), (0, 2), (1, 2)):
        corners = [s * t * moved((i, s), (j, t)) for s in (1, -1) for t in (1, -1)]
        found.append(sum(corners) / (4 * h**2))
    return found


def test_random_expressions_of_three_variables_are_those_of_mpmath() -> None:
    """Value, gradient and Hessian to 1e-9 relative, where rounding may cost less than a millionth of the digits.

    The condition number of each of the ten numbers is found in mpmath: how far it moves, in units, if every variable
    and every result on the way is off by one unit. Those of 1e6 and more are counted, and few.
    """
    chance = random.Random(20)
    m, compared, zeros, ill, depths = functions_of(mpmath), 0, 0, 0, set()
    for _ in range(240):
        tree = Tree(chance, chance.choice((1, 2, 3, 3, 4, 4, 5, 5, 5)))
        if not tree.varies():
            continue
        depths.add(tree.depth())
        at = [round(chance.uniform(-1.5, 1.5), 3) for _ in range(3)]

        def f(v: Any) -> Any:
            return tree(v, ag)  # noqa: B023  # called at once

        try:
            value, gradient = value_and_grad(f)(at)
            second = hessian(f)(at)
        except OverflowError:
            ill += 10
            continue
        got = [value, *gradient, *np.diag(second), second[0, 1], second[0, 2], second[1, 2]]
        assert np.abs(second - second.T).max() <= 1e-12 * np.abs(second).max()
        with mpmath.workdps(45):
            unit = mpmath.mpf(10) ** -16
            exact = second_order(lambda v: tree(v, m), at)  # noqa: B023
            off = [second_order(lambda v: tree(v, m, jitter, unit), at) for jitter in (0, 1)]  # noqa: B023
            noise = mpmath.mpf(10) ** -18 * max(1, *map(abs, exact))  # what the differences leave
            for x, right, *moved in zip(got, exact, *off):
                if abs(right) < noise:  # exactly 0, of which nothing has a relative error
                    zeros += 1
                    assert abs(x) <= 1e-12 * max(1, *map(abs, exact))
                elif max(abs(y - right) for y in moved) >= 1e6 * unit * abs(right):
                    ill += 1
                else:
                    compared += 1
                    assert abs(x - right) <= 1e-9 * abs(right)
    assert depths >= {1, 2, 3, 4, 5}
    assert compared >= 1200, f"{compared} numbers were compared; {zeros} others are 0"
    assert ill <= 0.02 * compared, f"{ill} of {compared + ill} numbers were too ill-conditioned to compare"


# ----- Random graphs: one mode against the other -----


def outcomes(programs: Sequence[Any]) -> Callable[[Any], list[Any]]:
    """Programs of test_value.py as a function of a list."""
    return lambda v: [execute(program, v, ag) for program in programs]


def moderate(jac: np.ndarray, values: Sequence[float]) -> bool:
    """Whether numbers are of a size that can be compared."""
    return bool(np.isfinite(jac).all() and np.abs(jac).max(initial=0) < 1e3 and max(map(abs, values)) < 100)


@given(PROGRAMS, LEAVES)
@settings(max_examples=80, deadline=None, derandomize=True)
def test_reverse_forward_and_central_differences_agree(program: Any, at: list[float]) -> None:
    """grad, jvp along each axis, derivatives, and differences in 60 digits."""
    m = functions_of(mpmath)
    try:
        value, gradient = value_and_grad(lambda v: execute(program, v, ag))(at)
        forward = [jvp(lambda v: execute(program, v, ag), (at,), (axis,)) for axis in np.eye(len(at)).tolist()]
    except (OverflowError, ZeroDivisionError):
        assume(False)
    assume(moderate(np.array(gradient), [value]))
    leaves = [Value(x) for x in at]
    recorded = [d.data for d in derivatives(execute(program, leaves, ag), leaves)]
    assert recorded == pytest.approx(gradient, rel=1e-12, abs=1e-12)
    with mpmath.workdps(60):
        h = mpmath.mpf(10) ** -20
        exact = [mpmath.mpf(x) for x in at]
        for i, (y, tangent) in enumerate(forward):
            above, below = ([x + step * (i == place) for place, x in enumerate(exact)] for step in (h, -h))
            slope = (execute(program, above, m) - execute(program, below, m)) / (2 * h)
            assert y == value
            assert [gradient[i], tangent] == pytest.approx([float(slope)] * 2, rel=1e-9, abs=1e-9)


@given(PROGRAMS, LEAVES)
@settings(max_examples=60, deadline=None, derandomize=True)
def test_hessians_of_random_graphs_are_symmetric(program: Any, at: list[float]) -> None:
    """To 1e-12 of the largest entry; reverse over reverse, forward over reverse and reverse over forward agree."""

    def f(v: Any) -> Any:
        return execute(program, v, ag)

    axes = np.eye(len(at)).tolist()
    try:
        second = hessian(f)(at)
        forward_over_reverse = [jvp(grad(f), (at,), (axis,))[1] for axis in axes]
        reverse_over_forward = [grad(lambda v, axis=axis: jvp(f, (v,), (axis,))[1])(at) for axis in axes]
    except (OverflowError, ZeroDivisionError):
        assume(False)
    assume(moderate(second, [0.0]))
    largest = np.abs(second).max()
    assert np.abs(second - second.T).max() <= 1e-12 * max(largest, 1e-3)
    assert np.array(forward_over_reverse) == pytest.approx(second, rel=1e-10, abs=1e-10)
    assert np.array(reverse_over_forward) == pytest.approx(second, rel=1e-10, abs=1e-10)


WEIGHTS = st.lists(st.floats(-2, 2).map(lambda x: round(x, 2)), min_size=3, max_size=3)


@given(st.lists(PROGRAMS, min_size=1, max_size=3), LEAVES, WEIGHTS, WEIGHTS)
@settings(max_examples=60, deadline=None, derandomize=True)
def test_jvp_and_vjp_are_adjoint(programs: Any, at: list[float], u: list[float], v: list[float]) -> None:
    """u · (J v) = (Jᵀ u) · v, and both are products with jacobian(f)."""
    f, u, v = outcomes(programs), u[: len(programs)], v[: len(at)]
    try:
        jac = jacobian(f)(at)
        values, moved = jvp(f, (at,), (v,))
        outputs, pullback = vjp(f, at)
    except (OverflowError, ZeroDivisionError):
        assume(False)
    assume(moderate(jac, values))
    (pulled,) = pullback(u)
    assert outputs == values
    assert np.dot(u, moved) == pytest.approx(np.dot(pulled, v), rel=1e-10, abs=1e-8)
    assert moved == pytest.approx((jac @ v).tolist(), rel=1e-10, abs=1e-8)
    assert pulled == pytest.approx((u @ jac).tolist(), rel=1e-10, abs=1e-8)


# ----- Every primitive of the table -----


def smooth_points(primitive: Primitive, count: int) -> list[tuple[float, ...]]:
    """Where it is smooth: inside of its domain, away from ties, corners and limits."""
    chance = random.Random(primitive.name)
    size = {"dot": 5}.get(primitive.name, 3) if primitive.variadic else primitive.arity
    intervals = primitive.domain if not primitive.variadic else ((-INF, INF),) * size
    found: list[tuple[float, ...]] = []
    while len(found) < count:
        point = tuple(round(chance.uniform(max(low, -2.5), min(high, 2.5)), 3) for low, high in intervals)
        if primitive.name == "power":
            point = (abs(point[0]), point[1])
        landmarks = [0.0, *[limit for interval in intervals for limit in interval if math.isfinite(limit)]]
        apart = all(abs(x - y) > 0.1 for x, y in itertools.combinations([*point, *landmarks], 2) if {x, y} & {*point})
        if apart and not (primitive.name == "clip" and point[1] > point[2]):
            found.append(point)
    return found


@ALL
def test_derivatives_are_those_of_backward(name: str) -> None:
    """To a few units in the last place, everywhere in the domain; where one is infinite, that is an error."""
    primitive, checked = PRIMITIVES[name], 0
    for point in points(primitive):
        leaves = [Value(x) for x in point]
        try:
            y = 0.75 * primitive(*leaves) + leaves[0]
        except (ValueError, ArithmeticError):
            continue  # out of the domain
        y.backward()
        try:
            got = [d.data for d in derivatives(y, leaves)]
        except ValueError as error:
            assert str(error).startswith(f"the derivative of {name} is infinite here")
            assert not all(math.isfinite(x.grad) for x in leaves)
            continue
        checked += 1
        for x, leaf in zip(got, leaves):
            assert x == leaf.grad or (x != x and leaf.grad != leaf.grad) or abs(x - leaf.grad) <= 4 * math.ulp(x), point
    assert checked >= 15


@ALL
def test_second_derivatives_are_differences_of_the_first(name: str) -> None:
    """The first ones by derivatives, moved a little either way; the second ones by derivatives of derivatives."""
    primitive, h = PRIMITIVES[name], 1e-5

    def first(point: Sequence[float]) -> list[float]:
        leaves = [Value(x) for x in point]
        return [d.data for d in derivatives(primitive(*leaves), leaves)]

    for point in smooth_points(primitive, 3):
        leaves = [Value(x) for x in point]
        second = [[d.data for d in derivatives(g, leaves)] for g in derivatives(primitive(*leaves), leaves)]
        for j in range(len(point)):
            above, below = (first([x + s * (i == j) for i, x in enumerate(point)]) for s in (h, -h))
            slopes = [(a - b) / (2 * h) for a, b in zip(above, below)]
            assert [row[j] for row in second] == pytest.approx(slopes, rel=1e-5, abs=1e-5)


@ALL
def test_third_derivatives_are_those_of_mpmath(name: str) -> None:
    """All of them, in every order of differentiation; those of kinked primitives away from the kinks."""
    primitive = PRIMITIVES[name]
    for point in smooth_points(primitive, 2 if not primitive.variadic else 1):
        n = len(point)
        third = jacobian(hessian(lambda v: primitive(*v)))(list(point))
        assert third.shape == (n, n, n)
        for chosen in itertools.combinations_with_replacement(range(n), 3):
            orders = tuple(chosen.count(i) for i in range(n))
            with mpmath.workdps(40):
                exact = mpmath.diff(lambda *v: formula(primitive)(*v), [mpmath.mpf(x) for x in point], orders)
            for order in set(itertools.permutations(chosen)):
                assert third[order] == pytest.approx(float(exact), rel=1e-9, abs=1e-9), (point, order)


#: The third derivative of each, as a book has it.
CLOSED_FORMS: list[tuple[Callable[[Any], Any], Callable[[float], float]]] = [
    (ag.exp, math.exp),
    (ag.expm1, math.exp),
    (ag.log, lambda x: 2 / x**3),
    (ag.log1p, lambda x: 2 / (1 + x) ** 3),
    (ag.sqrt, lambda x: 3 / 8 * x**-2.5),
    (ag.sin, lambda x: -math.cos(x)),
    (ag.cos, math.sin),
    (ag.tan, lambda x: (2 + 4 * math.sin(x) ** 2) / math.cos(x) ** 4),
    (ag.arcsin, lambda x: (1 + 2 * x * x) / (1 - x * x) ** 2.5),
    (ag.arccos, lambda x: -(1 + 2 * x * x) / (1 - x * x) ** 2.5),
    (ag.arctan, lambda x: (6 * x * x - 2) / (1 + x * x) ** 3),
    (ag.sinh, math.cosh),
    (ag.cosh, math.sinh),
    (ag.tanh, lambda x: (1 - math.tanh(x) ** 2) * (6 * math.tanh(x) ** 2 - 2)),
    (lambda x: 1 / x, lambda x: -6 / x**4),
    (lambda x: x**2.5, lambda x: 1.875 * x**-0.5),
    (lambda x: 2**x, lambda x: math.log(2) ** 3 * 2**x),
    (lambda x: x * x * x, lambda x: 6.0),
]


@pytest.mark.parametrize(("f", "third"), CLOSED_FORMS)
def test_third_derivatives_are_closed_forms(f: Any, third: Any) -> None:
    """Reverse thrice, forward thrice, and one upon the other."""

    def forward(g: Any) -> Any:
        return lambda x: jvp(g, (x,), (1.0,))[1]

    for x in (0.3, 0.85):
        for a, b, c in itertools.product((grad, forward), repeat=3):
            assert a(b(c(f)))(x) == pytest.approx(third(x), rel=1e-12)


@pytest.mark.parametrize(
    "name", ["expm1", "log1p", "sin", "tan", "arcsin", "arctan", "sinh", "tanh", "sigmoid", "softplus", "silu"]
)
def test_third_derivatives_at_zero(name: str) -> None:
    """Where many a formula divides by x or changes its form."""
    f, primitive = getattr(ag, name), PRIMITIVES[name]
    exact = mpmath.diff(lambda x: formula(primitive)(x, *primitive.defaults), 0, 3)
    assert grad(grad(grad(lambda x: f(x))))(0.0) == pytest.approx(float(exact), rel=1e-9, abs=1e-9)


def test_softplus_is_smooth_at_zero() -> None:
    """Its third derivatives do not depend on the order of differentiation; by beta, x and x it is sigmoid'(0) = 1/4."""
    third = jacobian(hessian(lambda v: ag.softplus(v[0], v[1])))([0.0, 1.5])
    assert third[0, 0, 1] == third[0, 1, 0] == 0.25
    assert third[1, 0, 0] == 0.25


# ----- Test problems of optimization, and objectives of the literature -----


def rosenbrock(v: Any) -> Any:
    """Rosenbrock (1960)."""
    return 100 * (v[1] - v[0] ** 2) ** 2 + (1 - v[0]) ** 2


def beale(v: Any) -> Any:
    """Beale (1958)."""
    return sum((c - v[0] * (1 - v[1] ** i)) ** 2 for i, c in ((1, 1.5), (2, 2.25), (3, 2.625)))


def himmelblau(v: Any) -> Any:
    """Himmelblau (1972)."""
    return (v[0] ** 2 + v[1] - 11) ** 2 + (v[0] + v[1] ** 2 - 7) ** 2


#: Moré, Garbow and Hillstrom, Testing Unconstrained Optimization Software (1981), and by hand from the formulas.
PROBLEMS = [
    (rosenbrock, (-1.2, 1.0), 24.2, (-215.6, -88.0), ((1330.0, 480.0), (480.0, 200.0))),
    (rosenbrock, (1.0, 1.0), 0.0, (0.0, 0.0), ((802.0, -400.0), (-400.0, 200.0))),
    (beale, (1.0, 1.0), 14.203125, (0.0, 27.75), ((0.0, 27.75), (27.75, 68.5))),
    (beale, (3.0, 0.5), 0.0, (0.0, 0.0), ((3.15625, -11.4375), (-11.4375, 46.125))),
    (himmelblau, (0.0, 0.0), 170.0, (-14.0, -22.0), ((-42.0, 0.0), (0.0, -26.0))),
    (himmelblau, (3.0, 2.0), 0.0, (0.0, 0.0), ((74.0, 20.0), (20.0, 34.0))),
]


@pytest.mark.parametrize(("f", "at", "value", "gradient", "second"), PROBLEMS)
def test_published_problems(f: Any, at: Any, value: float, gradient: Any, second: Any) -> None:
    """Value, gradient and Hessian at the starting point or at the solution."""
    assert value_and_grad(f)(at) == (pytest.approx(value, abs=1e-13), pytest.approx(gradient, rel=1e-12, abs=1e-12))
    assert hessian(f)(at) == pytest.approx(np.array(second), rel=1e-12, abs=1e-11)


@pytest.mark.parametrize(
    "at", [(-2.805118, 3.131312), (-3.779310, -3.283186), (3.584428, -1.848126), (-0.270845, -0.923039)]
)
def test_stationary_points_of_himmelblau(at: tuple[float, float]) -> None:
    """Three minima and the local maximum, as published to six digits."""
    assert grad(himmelblau)(list(at)) == pytest.approx([0.0, 0.0], abs=2e-4)
    curvatures = np.linalg.eigvalsh(hessian(himmelblau)(list(at)))
    assert (curvatures < 0).all() if at[0] == -0.270845 else (curvatures > 0).all()


@pytest.mark.parametrize("n", [1, 2, 5, 12])
def test_speelpennings_product(n: int) -> None:
    """∏ x_i at x_i = i / (1 + i), as in ADOL-C: y = 1 / (n + 1), gradient y / x_i, second derivatives y / x_i x_j."""
    x = np.arange(1, n + 1) / np.arange(2, n + 2)
    y = 1 / (n + 1)
    value, gradient = value_and_grad(np.prod)(x)
    assert value == pytest.approx(y, rel=1e-14)
    assert gradient == pytest.approx(y / x, rel=1e-13)
    expected = y / np.outer(x, x) * (1 - np.eye(n))
    assert hessian(np.prod)(x) == pytest.approx(expected, rel=1e-12, abs=1e-14)


def test_newtons_method_converges_quadratically_on_rosenbrock() -> None:
    """From (-1.2, 1): the iterates that the textbooks print, then the number of right digits doubles to the end."""
    x = np.array([-1.2, 1.0])
    errors, values = [], [rosenbrock(x)]
    for _ in range(7):
        x = x - np.linalg.solve(hessian(rosenbrock)(x), grad(rosenbrock)(x))
        values.append(rosenbrock(x))
        errors.append(np.abs(x - 1).max())
    assert values[:5] == pytest.approx([24.2, 4.731884, 1411.845, 0.0559655, 0.3131891], rel=1e-5)
    assert errors[-1] <= 1e-15
    for before, after in zip(errors[2:], errors[3:]):
        assert after <= 30 * before**2 + 1e-15
    assert values[-1] <= 1e-25


def mixture(params: Any, data: Any, m: Any) -> Any:
    """Minus the log-likelihood of a Gaussian mixture, up to a constant, with precisions LᵀL, L lower triangular.

    After Srajer, Kukelova and Fitzgibbon, A Benchmark of Selected Algorithmic Differentiation Tools (2018).
    """
    total = -len(data) * m.logsumexp([w for w, *_ in params])
    for p, q in data:
        terms = []
        for weight, mu, nu, log_a, log_b, c in params:
            s, t = p - mu, q - nu
            u, v = m.exp(log_a) * s, c * s + m.exp(log_b) * t
            terms.append(weight + log_a + log_b - 0.5 * (u * u + v * v))
        total = total + m.logsumexp(terms)
    return -total


def test_gaussian_mixture_has_pytorchs_gradient() -> None:
    """Of 5 components in the plane and 100 points, to 1e-9; one product with the Hessian too."""
    torch = pytest.importorskip("torch", reason=TORCH)
    draw = np.random.default_rng(5)
    data = (draw.normal(size=(100, 2)) + draw.choice([-3.0, 3.0], size=(100, 1))).tolist()
    params, along = draw.normal(size=(5, 6)), draw.normal(size=(5, 6))
    of_torch = SimpleNamespace(exp=torch.exp, logsumexp=lambda terms: torch.logsumexp(torch.stack(terms), 0))

    def for_torch(p: Any) -> Any:
        return mixture([row.unbind() for row in p.unbind()], data, of_torch)

    tensor = torch.tensor(params, requires_grad=True)
    expected = for_torch(tensor)
    expected.backward()
    value, gradient = value_and_grad(lambda p: mixture(p, data, ag))(params)
    assert value == pytest.approx(expected.item(), rel=1e-12)
    assert gradient == close(tensor.grad.numpy())
    _, product = jvp(grad(lambda p: mixture(p, data[:10], ag)), (params,), (along,))
    data[10:] = []
    _, of_pytorch = torch.autograd.functional.hvp(for_torch, tensor.detach(), torch.tensor(along))
    assert product == close(of_pytorch.numpy())


def cross(a: Any, b: Any) -> list[Any]:
    """a × b."""
    return [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]]


def rotated(r: Any, x: Any, m: Any) -> list[Any]:
    """x turned by the angle |r| about the axis r (Rodrigues); to first order where r is 0."""
    squared = r[0] * r[0] + r[1] * r[1] + r[2] * r[2]
    turned = cross(r, x)
    if squared == 0 or float(getattr(squared, "data", squared)) == 0:
        return [x[i] + turned[i] for i in range(3)]
    angle = m.sqrt(squared)
    sine, cosine = m.sin(angle), m.cos(angle)
    along = (r[0] * x[0] + r[1] * x[1] + r[2] * x[2]) * (1 - cosine) / squared
    return [cosine * x[i] + sine / angle * turned[i] + along * r[i] for i in range(3)]


def reprojection(v: Any, m: Any) -> list[Any]:
    """The weighted error of one point seen by one camera, with radial distortion (Srajer et al., as above).

    v holds the rotation, centre, focal length, principal point and distortion, then the point, then the weight.
    """
    r, centre, focal, principal, (k1, k2), point, weight = v[:3], v[3:6], v[6], v[7:9], v[9:11], v[11:14], v[14]
    p = rotated(r, [point[i] - centre[i] for i in range(3)], m)
    x, y = p[0] / p[2], p[1] / p[2]
    radius = x * x + y * y
    bend = 1 + k1 * radius + k2 * radius * radius
    seen = (0.3, -0.2)
    return [weight * (focal * bend * t + principal[i] - seen[i]) for i, t in enumerate((x, y))]


BUNDLES = [
    [0.3, -0.5, 0.2, 0.1, 0.2, -4.0, 1.3, 0.05, -0.03, 0.1, -0.02, 0.7, -0.4, 0.9, 0.8],
    [0.0, 0.0, 0.0, 0.1, 0.2, -4.0, 1.3, 0.05, -0.03, 0.1, -0.02, 0.7, -0.4, 0.9, 0.8],
    [2.0, 1.5, -1.0, 0.1, 0.2, -4.0, 0.9, 0.05, -0.03, -0.1, 0.05, 0.7, -0.4, 2.9, 1.1],
]


@pytest.mark.parametrize("at", BUNDLES)
def test_bundle_adjustment_has_pytorchs_derivatives(at: list[float]) -> None:
    """Jacobian of the two errors; gradient and Hessian of their squares, to 1e-9."""
    torch = pytest.importorskip("torch", reason=TORCH)

    def stacked(v: Any) -> Any:
        return torch.stack(reprojection(v, torch))

    def squares(v: Any) -> Any:
        x, y = reprojection(v, ag)
        return x * x + y * y

    tensor = torch.tensor(at, dtype=torch.float64)
    of_pytorch = torch.autograd.functional
    assert jacobian(lambda v: reprojection(v, ag))(at) == close(of_pytorch.jacobian(stacked, tensor).numpy())
    expected = of_pytorch.jacobian(lambda v: (stacked(v) ** 2).sum(), tensor)
    assert np.array(grad(squares)(at)) == close(expected.numpy())
    expected = of_pytorch.hessian(lambda v: (stacked(v) ** 2).sum(), tensor)
    second = hessian(squares)(at)
    assert second == close(expected.numpy())
    assert np.abs(second - second.T).max() <= 1e-12 * np.abs(second).max()


# ----- Nesting -----


def test_perturbations_are_not_confused() -> None:
    """d/dx (x · d/dy (x + y)) = 1, the classic of Siskind and Pearlmutter (2005); also where both are forward."""
    assert grad(lambda x: x * grad(lambda y: x + y)(1.0))(2.0) == 1.0

    def slope(f: Any) -> Any:
        return lambda x: jvp(f, (x,), (1.0,))[1]

    def pulled(f: Any) -> Any:
        return lambda x: vjp(f, x)[1](1.0)[0]

    for outer, inner in itertools.product((grad, slope, pulled), repeat=2):
        assert outer(lambda x: x * inner(lambda y: x + y)(1.0))(2.0) == 1.0  # noqa: B023
        assert outer(lambda x: x * inner(lambda y: x * y)(1.0))(3.0) == 6.0  # noqa: B023
        assert outer(lambda x: x * inner(lambda y: x + y)(x))(2.0) == 1.0  # noqa: B023
        assert outer(lambda x: inner(lambda y: x * y * y)(x))(3.0) == 12.0  # noqa: B023  # d/dx 2 x²
        assert outer(lambda x: x * inner(lambda y: x)(1.0))(2.0) == 0.0  # noqa: B023
        assert outer(lambda x: x * inner(lambda x: x * x)(x))(3.0) == 12.0  # noqa: B023  # the same name twice


def test_closures_over_all_outer_levels() -> None:
    """d/dx d/dy d/dz of x² y³ z⁴, each inside the other and each reading all variables: 24 x y² z³ and its like."""
    x, y, z = 2.0, 3.0, 1.5
    got = grad(lambda a: grad(lambda b: grad(lambda c: a**2 * b**3 * c**4)(z))(y))(x)
    assert got == pytest.approx(2 * x * 3 * y**2 * 4 * z**3, rel=1e-14)
    # Here the inner variables are functions of the outer ones: c = a b, b = a.
    got = grad(lambda a: grad(lambda b: grad(lambda c: a * b * c**2)(a * b))(a))(x)
    # inner: 2 a b · a b = 2 a² b²; its slope in b at b = a: 4 a² b = 4 a³; the slope of that in a: 12 a².
    assert got == pytest.approx(12 * x**2, rel=1e-14)


def test_inner_gradient_counts_only_the_path_through_its_argument() -> None:
    """Both as argument and captured, the same Value is two variables, of which one is differentiated."""
    assert grad(lambda x: grad(lambda y: x * y + x * x)(x))(5.0) == 1.0
    x = Value(5.0)
    first = grad(lambda y: x * y + x * x)(x)
    assert first.data == 5.0
    assert derivatives(first, [x])[0].data == 1.0


def test_the_same_value_as_two_arguments() -> None:
    """f(x, x) has two partial derivatives."""
    x = Value(3.0)
    got = grad(lambda a, b: a * a * b, argnums=(0, 1))(x, x)
    assert [g.data for g in got] == [18.0, 9.0]
    assert grad(lambda y: sum(grad(lambda a, b: a * a * b, argnums=(0, 1))(y, y)))(3.0) == 18.0  # d/dy 3 y²


def test_every_transform_inside_every_other() -> None:
    """Third derivatives of x⁴ by all triples of transforms of one variable."""

    def first(f: Any) -> Any:
        return lambda x: value_and_grad(f)(x)[1]

    def forward(f: Any) -> Any:
        return lambda x: jvp(f, (x,), (1.0,))[1]

    def pulled(f: Any) -> Any:
        return lambda x: vjp(f, x)[1](1.0)[0]

    def row(f: Any) -> Any:
        return lambda x: jacobian(lambda v: [f(v[0])])([x])[0, 0]

    for a, b, c in itertools.product((grad, first, forward, pulled, row), repeat=3):
        assert a(b(c(lambda x: x**4)))(2.0) == 48.0


@pytest.mark.parametrize("inner", [jacobian, hessian])
def test_grad_of_the_jacobian_of_a_number(inner: Any) -> None:
    """jacobian and hessian of a function of one number are one number, which grad differentiates."""
    assert grad(inner(lambda x: x**4))(2.0) == {jacobian: 48.0, hessian: 48.0}[inner]  # 12 x², 24 x


def test_jacobians_nest() -> None:
    """jacobian of jacobian, of hessian and of grad; an entry of a Hessian in a gradient."""
    at = [1.0, 2.0]
    cubic = lambda v: v[0] ** 2 * v[1]  # noqa: E731
    assert jacobian(grad(cubic))(at).tolist() == hessian(cubic)(at).tolist() == [[4.0, 2.0], [2.0, 0.0]]
    assert jacobian(jacobian(cubic))(at).tolist() == [[4.0, 2.0], [2.0, 0.0]]
    assert jacobian(hessian(cubic))(at).tolist() == [[[0.0, 2.0], [2.0, 0.0]], [[2.0, 0.0], [0.0, 0.0]]]
    assert grad(lambda v: hessian(lambda w: w[0] ** 3 * w[1])(v)[0, 1])(at) == [6.0, 0.0]
    assert grad(lambda x: jacobian(lambda y: y**3)(x) * x)(2.0) == 36.0


def test_hessian_vector_products() -> None:
    """Forward over reverse and reverse over forward, without the matrix."""
    at, along = [-1.2, 1.0], [2.0, -3.0]
    expected = hessian(rosenbrock)(at) @ along
    assert jvp(grad(rosenbrock), (at,), (along,))[1] == pytest.approx(expected.tolist(), rel=1e-13)
    assert grad(lambda v: jvp(rosenbrock, (v,), (along,))[1])(at) == pytest.approx(expected.tolist(), rel=1e-13)
    assert vjp(grad(rosenbrock), at)[1](along)[0] == pytest.approx(expected.tolist(), rel=1e-13)


def test_tangents_and_gradients_that_are_variables_themselves() -> None:
    """jvp is linear in its tangent and a pullback in its gradient; both can be differentiated by them."""
    assert grad(lambda t: jvp(lambda x: x**3, (2.0,), (t,))[1])(5.0) == 12.0
    _, pullback = vjp(lambda x: x**3, 2.0)
    assert pullback(2.0) == (24.0,)
    assert grad(lambda g: pullback(g)[0] ** 2)(3.0) == 864.0
    tangent = jvp(lambda x: x**3, (2.0,), (Value(5.0),))[1]
    assert isinstance(tangent, Value)
    assert tangent.data == 60.0
    values, tangents = jvp(lambda x: [x, 7], (2.0,), (Value(5.0),))
    assert all(isinstance(result, Value) for result in (values[0], *tangents))


def test_pullback_may_be_called_again_and_later() -> None:
    """Each call is a pass of its own; changed numbers do not change what was recorded."""
    w = Value(3.0)
    value, pullback = vjp(lambda x: [w * x * x, x], 2.0)
    assert value == [12.0, 2.0]
    assert [pullback([1.0, 0.0]), pullback([0.0, 1.0]), pullback([1.0, 0.0])] == [(12.0,), (1.0,), (12.0,)]
    w.data = 100.0
    assert pullback([1.0, 0.0]) == (12.0,)
    assert not w.has_grad


def test_unrolled_optimization() -> None:
    """The gradient of ten steps of gradient descent by their rate: d/dr (1 - 2 r)¹⁰ = -20 (1 - 2 r)⁹."""

    def after(rate: Any) -> Any:
        w = 1.0
        for _ in range(10):
            w = w - rate * grad(lambda u: u * u)(w)
        return w

    assert after(0.1) == pytest.approx(0.8**10, rel=1e-14)
    assert grad(after)(0.1) == pytest.approx(-20 * 0.8**9, rel=1e-13)
    assert grad(grad(after))(0.1) == pytest.approx(360 * 0.8**8, rel=1e-13)


# ----- What f may do -----


def power_by_squaring(x: Any, n: int) -> Any:
    """x to the power n, recursively."""
    if n == 0:
        return 1.0
    half = power_by_squaring(x, n // 2)
    return half * half * x if n % 2 else half * half


def test_loops_branches_recursion_and_generators() -> None:
    """f is ordinary Python."""
    assert grad(lambda x: power_by_squaring(x, 11))(1.5) == pytest.approx(11 * 1.5**10, rel=1e-14)
    assert grad(grad(lambda x: power_by_squaring(x, 11)))(1.5) == pytest.approx(110 * 1.5**9, rel=1e-13)

    def newton(a: Any) -> Any:
        x = 1.0
        while abs(getattr(x, "data", x) ** 2 - getattr(a, "data", a)) > 1e-14:
            x = (x + a / x) / 2
        return x

    assert grad(newton)(2.0) == pytest.approx(0.5 / math.sqrt(2), rel=1e-12)

    def branches(x: Any) -> Any:
        return x * x if x > 0 else -3 * x

    assert [grad(branches)(x) for x in (2.0, -2.0)] == [4.0, -3.0]

    def terms(x: Any) -> Iterator[Any]:
        term = 1.0
        for n in itertools.count(1):
            yield term
            term = term * x / n

    assert grad(lambda x: sum(itertools.islice(terms(x), 25)))(1.0) == pytest.approx(math.e, rel=1e-14)

    def slopes(x: Any) -> Iterator[Any]:
        for n in (1, 2, 3):
            yield grad(lambda y: y**n * x)(x)  # noqa: B023

    assert grad(lambda x: sum(slopes(x)))(2.0) == 1 + 2 * 2 * 2.0 + 3 * 3 * 2.0**2
    assert grad(lambda x: max(x * x, x * 3, key=lambda v: v.data))(2.0) == 3.0


def test_operators_that_assign() -> None:
    """x += 1 and x *= x in f make new nodes of the name x."""

    def f(x: Any) -> Any:
        x += 1.0
        x *= x
        x -= 2.0
        return x

    assert grad(f)(2.0) == 6.0
    assert grad(grad(f))(2.0) == 2.0


def test_other_arguments_and_keywords_are_passed_on() -> None:
    """As they are, whatever they are."""
    seen: list[Any] = []

    def f(x: Any, how: str, *rest: Any, scale: Any = 1.0) -> Any:
        seen.append((how, rest, scale))
        return x * x * scale

    thing = object()
    assert grad(f)(3.0, "how", thing, None, scale=2.0) == 12.0
    assert seen == [("how", (thing, None), 2.0)]
    assert grad(lambda x, z: x * z)(2.0, Value(5.0)) == 5.0


@pytest.mark.parametrize(
    ("argnums", "expected"),
    [(0, 20.0), (1, 4.0), (-1, 4.0), (-2, 20.0), ((0,), (20.0,)), ((0, 1), (20.0, 4.0)), ([1, 0], (4.0, 20.0))],
)
def test_argnums(argnums: Any, expected: Any) -> None:
    """One position, from either end, gives a gradient; several, in a tuple or list, a tuple in that order."""
    assert grad(lambda x, z: x * x * z, argnums)(2.0, 5.0) == expected
    assert value_and_grad(lambda x, z: x * x * z, argnums=argnums)(2.0, 5.0) == (20.0, expected)


def test_argnums_of_jacobian_and_hessian() -> None:
    """One position, from either end."""
    f = lambda a, b: [a * b, b * b]  # noqa: E731
    assert jacobian(f, 1)(2.0, 3.0).tolist() == jacobian(f, -1)(2.0, 3.0).tolist() == [2.0, 6.0]
    assert hessian(lambda a, b: a * b**3, argnums=1)(2.0, 3.0) == 36.0
    assert hessian(lambda a, b: a * b**3, argnums=-2)(2.0, 3.0) == 0.0


@pytest.mark.parametrize("argnums", [2, -3, True, "x", (0, 2), [None]])
def test_wrong_argnums(argnums: Any) -> None:
    """The message says how many arguments there are, and what was given."""
    with pytest.raises(ValueError, match=r"^argnums is the position of one of the 2 arguments, not .*"):
        grad(lambda x, z: x * z, argnums)(2.0, 3.0)
    with pytest.raises(ValueError, match="one of the 0 arguments"):
        grad(lambda x: x)(x=2.0)


@pytest.mark.parametrize("argnums", [1.0, None])
def test_argnums_that_are_no_positions(argnums: Any) -> None:
    """They are refused as other wrong ones are."""
    with pytest.raises((TypeError, ValueError), match="argnums"):
        grad(lambda x, z: x * z, argnums)(2.0, 3.0)


def test_argnums_may_be_numpys_integers() -> None:
    """They come out of enumerations of arrays, and index tuples."""
    assert grad(lambda x, z: x * z, np.int64(1))(2.0, 3.0) == 2.0


@pytest.mark.parametrize("argnums", [(0, 0), (0, -2)])
def test_argnums_named_twice(argnums: Any) -> None:
    """Either the same gradient twice, or an error; never a 0."""
    try:
        gradients = grad(lambda x, z: x * z, argnums)(2.0, 3.0)
    except ValueError:
        return
    assert gradients == (3.0, 3.0)


@pytest.mark.parametrize("transform", [jacobian, hessian])
def test_several_argnums_of_a_jacobian_are_refused(transform: Any) -> None:
    """One position is what it takes; the message says so."""
    with pytest.raises((TypeError, ValueError), match="argnums"):
        transform(lambda x, z: x * z, argnums=(0, 1))(1.0, 2.0)


# ----- Values given from outside -----


def test_values_at_the_outermost_level() -> None:
    """The result is a Value of their graph, to be differentiated again; their own .grad is not touched."""
    x, z = Value(2.0, "x"), Value(3.0)
    square = x * x
    value, gradient = value_and_grad(lambda a: a**3 * z)(square)
    assert isinstance(value, Value)
    assert isinstance(gradient, Value)
    assert (value.data, gradient.data) == (192.0, 144.0)
    (again,) = derivatives(gradient, [x])  # 3 x⁴ z has the slope 12 x³ z
    assert again.data == 288.0
    assert (derivatives(gradient, [z])[0].data, derivatives(value, [x])[0].data) == (48.0, 576.0)
    gradient.backward()
    assert (x.grad, z.grad) == (288.0, 48.0)


def test_every_transform_takes_values() -> None:
    """One Value among numbers is enough for all results to be Values."""
    x = Value(2.0)
    f = lambda v: v[0] ** 3 * v[1]  # noqa: E731
    results = {
        "grad": (grad(f)([x, 5.0]), [60.0, 8.0]),
        "jacobian": (jacobian(lambda v: [f(v)])([x, 5.0]).ravel().tolist(), [60.0, 8.0]),
        "hessian": (hessian(f)([x, 5.0]).ravel().tolist(), [60.0, 12.0, 12.0, 0.0]),
        "jvp": (jvp(f, ([x, 5.0],), ([1.0, 1.0],)), [40.0, 68.0]),
        "vjp": (vjp(f, [x, 5.0])[1](1.0)[0], [60.0, 8.0]),
    }
    for results_of_one, expected in results.values():
        assert all(isinstance(result, Value) for result in results_of_one)
        assert [result.data for result in results_of_one] == expected
    assert not x.has_grad


def test_captured_parameters_keep_their_gradients() -> None:
    """Those of a model that f closes over: none stays none, and a number that number."""
    model = nn.MLP(2, [3, 1], activation="tanh", seed=1)
    first, *others = model.parameters()
    first.grad = 5.0
    at = [0.5, -1.0]
    gradient, second = grad(model)(at), hessian(model)(at)
    jvp(model, (at,), ([1.0, 0.0],))
    vjp(model, at)[1](1.0)
    jacobian(model)(at)
    assert np.abs(gradient).min() > 0
    assert np.abs(second).min() > 0
    assert first.grad == 5.0
    assert not any(parameter.has_grad for parameter in others)


def test_gradient_penalty() -> None:
    """A loss made of input gradients of a model trains it: d/dw (d/dx tanh(w x))² at the outermost level."""
    w, x = Value(0.7), 0.3
    slope = grad(lambda a: ag.tanh(w * a))(Value(x))
    penalty = slope * slope
    penalty.backward()

    def by_formula(w: Any) -> Any:
        return (w * (1 - mpmath.tanh(w * x) ** 2)) ** 2

    assert penalty.data == pytest.approx(float(by_formula(0.7)), rel=1e-14)
    assert w.grad == pytest.approx(float(mpmath.diff(by_formula, 0.7)), rel=1e-12)


def test_f_of_an_earlier_graph() -> None:
    """At the outermost level a captured Value is a constant: the result is a number."""
    w = Value(5.0)
    assert grad(lambda x: w * x * x)(2.0) == 20.0
    assert type(grad(lambda x: w * x)(2.0)) is float


# ----- What f is -----


@pytest.mark.parametrize(
    ("call", "example"),
    [
        (lambda: grad(3), "grad(f)(3.0)"),  # type: ignore[arg-type]
        (lambda: value_and_grad(3), "value_and_grad(f)(3.0)"),  # type: ignore[arg-type]
        (lambda: jacobian(3), "jacobian(f)(3.0)"),  # type: ignore[arg-type]
        (lambda: hessian(3), "hessian(f)(3.0)"),  # type: ignore[arg-type]
        (lambda: vjp(3, 3.0), "vjp(f, 3.0)"),  # type: ignore[arg-type]
        (lambda: jvp(3, (3.0,), (1.0,)), "jvp(f, (3.0,), (1.0,))"),  # type: ignore[arg-type]
    ],
)
def test_what_is_no_function_is_refused(call: Any, example: str) -> None:
    """With a call that is right."""
    with pytest.raises(TypeError, match=f"takes a function, as in {re.escape(example)}; not an int$"):
        call()


@pytest.mark.parametrize("transform", [jacobian, hessian])
def test_matrices_of_dictionaries_are_refused(transform: Any) -> None:
    """Both say what they take."""
    told = f"^{transform.__name__} takes a number or an array as argument, or lists like one: a dict has no shape$"
    with pytest.raises(TypeError, match=told):
        transform(lambda d: d["a"] * d["a"])({"a": 1.0})


# ----- What f returns -----


@pytest.mark.parametrize("output", [lambda x: [x], lambda x: (x, x), lambda x: {"a": x}, lambda x: np.array([x, x])])
@pytest.mark.parametrize("transform", [grad, value_and_grad, hessian])
def test_several_outputs_have_no_gradient(transform: Any, output: Any) -> None:
    """The message names what was returned, and the transform that takes it."""
    with pytest.raises(TypeError, match=r"a gradient is that of one number; f returned an? \w+: take jacobian, or sum"):
        transform(output)(2.0)


def test_messages_about_outputs_read_well() -> None:
    """An ndarray has an article, and text no Jacobian."""
    with pytest.raises(TypeError, match="returned an ndarray"):
        grad(lambda x: np.array([x, x]))(2.0)
    with pytest.raises(TypeError, match=r"^(?!.*jacobian).*str"):
        grad(lambda x: "text")(2.0)


@pytest.mark.parametrize("output", [None, 1j, object()])
def test_outputs_that_are_no_numbers(output: Any) -> None:
    """A forgotten return, above all."""
    for transform in (grad, value_and_grad, hessian, jacobian):
        with pytest.raises(TypeError, match="output of f takes a real number, not"):
            transform(lambda x: output)(2.0)


def test_arrays_and_tuples_of_outputs() -> None:
    """jacobian, jvp and vjp take them; numbers among them are constants."""
    f = lambda x: (x * x, 7, np.array([x, 1.0]))  # noqa: E731
    assert jacobian(lambda x: (x * x, 7))(3.0).tolist() == [6.0, 0.0]
    value, tangent = jvp(f, (3.0,), (1.0,))
    assert (type(value), value[:2], tangent[:2]) == (tuple, (9.0, 7.0), (6.0, 0.0))
    assert (value[2].tolist(), tangent[2].tolist()) == ([3.0, 1.0], [1.0, 0.0])
    value, pullback = vjp(f, 3.0)
    assert pullback((1.0, 100.0, np.array([10.0, 100.0]))) == (16.0,)


@pytest.mark.parametrize("number", [3.0, 3, True, np.float64(3.0)])
def test_plain_number_is_a_warning(number: Any) -> None:
    """The gradient is 0, which is seldom meant: the warning tells how graphs get lost, at the line of the call."""
    lost = "plain number, whose gradient is 0: was the graph lost"
    with pytest.warns(UserWarning, match=lost) as caught:
        assert grad(lambda x: number)(2.0) == 0.0
    assert caught[0].filename == __file__
    with pytest.warns(UserWarning, match=lost):
        assert value_and_grad(lambda v: number)([2.0, 3.0]) == (float(number), [0.0, 0.0])


def test_warning_of_value_and_grad_is_at_its_call() -> None:
    """Whoever calls it sees the line in their own file."""

    def caller() -> int:
        value_and_grad(lambda x: 3.0)(2.0)
        return caller.__code__.co_firstlineno + 1

    with pytest.warns(UserWarning) as caught:
        line = caller()
    assert caught[0].lineno == line


LOST = [
    lambda f: hessian(lambda v: f(v[0]))([3.0]),
    lambda f: jacobian(lambda v: [f(v[0])])([3.0]),
    lambda f: grad(grad(f))(3.0),
    lambda f: vjp(f, 3.0)[1](1.0),
    lambda f: jvp(f, (3.0,), (1.0,)),
]


@pytest.mark.parametrize("transform", LOST)
def test_lost_graph_is_a_warning_in_every_transform(transform: Any) -> None:
    """x.data ** 2 has the derivative 0, and someone should say so."""
    with pytest.warns(UserWarning, match="plain number"):
        transform(lambda x: x.data**2)


def test_output_that_does_not_depend_on_the_argument_is_a_warning() -> None:
    """A Value without a path to the argument: the sentence that HIPS autograd has for it."""
    with pytest.warns(UserWarning):
        assert grad(lambda x: Value(x.data**2))(3.0) == 0.0


def test_arguments_without_influence_have_gradient_zero() -> None:
    """One of several, or an element of a list, silently: f depends on the others."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert grad(lambda x, z: x * x, argnums=(0, 1))(2.0, 3.0) == (4.0, 0.0)
        assert grad(lambda v: v[0])([2.0, 3.0]) == [1.0, 0.0]
        assert grad(grad(lambda x: 3 * x))(2.0) == 0.0
        assert jvp(lambda v: v[0], ([2.0, 3.0],), ([0.0, 1.0],)) == (2.0, 0.0)
        assert vjp(lambda v: v[0], [2.0, 3.0])[1](1.0) == ([1.0, 0.0],)


def test_identity_and_constant() -> None:
    """f may return its argument itself."""
    assert grad(lambda x: x)(5.0) == 1.0
    assert jacobian(lambda v: v)([1.0, 2.0, 3.0]).tolist() == np.eye(3).tolist()
    assert vjp(lambda v: v, (1.0, 2.0))[1]((3.0, 4.0)) == ((3.0, 4.0),)
    assert jvp(lambda x: x, (5.0,), (2.0,)) == (5.0, 2.0)


# ----- The depth of nesting -----


def test_exceptions_leave_the_depth_right() -> None:
    """After an error in f, at any depth, results are plain numbers again; and inside an outer f still Values."""

    def fails(x: Any) -> Any:
        raise KeyError("mine")

    for transform in (grad, value_and_grad, jacobian, hessian, lambda f: partial(vjp, f), lambda f: grad(grad(f))):
        with pytest.raises(KeyError, match="mine"):
            transform(fails)(2.0)
        assert type(grad(ag.sin)(0.5)) is float
    with pytest.raises(KeyError):
        jvp(fails, (2.0,), (1.0,))
    with pytest.raises(KeyboardInterrupt):
        grad(lambda x: (_ for _ in ()).throw(KeyboardInterrupt))(1.0)
    assert type(jvp(ag.sin, (0.5,), (1.0,))[1]) is float

    def recovers(x: Any) -> Any:
        with contextlib.suppress(KeyError):
            grad(fails)(x)
        return x * grad(lambda y: x * y)(1.0)

    assert grad(recovers)(3.0) == 6.0
    with pytest.raises(TypeError):
        grad(lambda x: [x])(2.0)
    assert type(grad(ag.sin)(0.5)) is float


def test_threads_have_depths_of_their_own() -> None:
    """Many at once give what one gives; a thread beside a running f is at the outermost level."""

    def work(x: float) -> tuple[float, float]:
        return grad(grad(lambda y: y**3 * x))(x), grad(lambda a: a * grad(lambda b: a * b)(1.0))(x)

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(work, range(1, 40))) == [(6.0 * x * x, 2.0 * x) for x in range(1, 40)]
    kinds = []

    def beside(x: Any) -> Any:
        thread = threading.Thread(target=lambda: kinds.append(type(grad(ag.sin)(0.5))))
        thread.start()
        thread.join()
        kinds.append(type(grad(ag.sin)(0.5)))
        return x

    assert grad(beside)(1.0) == 1.0
    assert kinds == [float, Value]


def test_threads_within_f_that_take_its_context_along() -> None:
    """With a copy of the context, an inner gradient in a thread is one of the outer variable too."""

    def f(x: Any) -> Any:
        with ThreadPoolExecutor(2) as pool:
            tasks = [pool.submit(contextvars.copy_context().run, grad(lambda y: x * y * y), c) for c in (1.0, 3.0)]
            return x * sum(task.result() for task in tasks)

    assert grad(f)(2.0) == 32.0  # d/dx 8 x²


def test_plain_threads_within_f() -> None:
    """The same without a copy: right, or an error; never another number."""

    def f(x: Any) -> Any:
        with ThreadPoolExecutor(2) as pool:
            return x * pool.submit(grad(lambda y: x * y * y), 4.0).result()

    assert grad(f)(2.0) == 32.0


def test_tasks_have_depths_of_their_own() -> None:
    """Coroutines that take turns, and one that is run inside of f."""

    async def work(x: float) -> float:
        first = grad(lambda y: y**2 * x)(x)
        await asyncio.sleep(0)
        return first + grad(grad(lambda y: y**3))(x)

    async def all_of_them() -> list[float]:
        return await asyncio.gather(*[work(float(x)) for x in range(5)])

    with ThreadPoolExecutor(1) as pool:  # another test's event loop may be running in this thread
        assert pool.submit(asyncio.run, all_of_them()).result() == [2.0 * x * x + 6.0 * x for x in range(5)]

    def f(x: Any) -> Any:
        async def inner() -> Any:
            await asyncio.sleep(0)
            return await asyncio.to_thread(grad(lambda y: x * y * y), 3.0)

        return x * asyncio.run(inner())

    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(grad(f), 2.0).result() == 24.0  # d/dx 6 x²


# ----- Infinite derivatives, and kinks -----

INFINITE = [
    (ag.sqrt, 0.0, INF),
    (lambda x: x**0.5, 0.0, INF),
    (ag.arcsin, 1.0, INF),
    (ag.arcsin, -1.0, INF),
    (ag.arccos, 1.0, -INF),
]


@pytest.mark.parametrize(("f", "at", "slope"), INFINITE)
def test_infinite_derivatives(f: Any, at: float, slope: float) -> None:
    """The first derivative is ±inf in every mode; recording it, as the second one wants, is an error that names f."""
    assert grad(f)(at) == jacobian(f)(at) == jvp(f, (at,), (1.0,))[1] == vjp(f, at)[1](1.0)[0] == slope
    x = Value(at, "x")
    name = f(x).primitive.name
    calls = [
        lambda: grad(grad(f))(at),
        lambda: hessian(lambda v: f(v[0]))([at]),
        lambda: jvp(grad(f), (at,), (1.0,)),
        lambda: grad(lambda z: jvp(f, (z,), (1.0,))[1])(at),
        lambda: grad(grad(lambda z: 0.0 * f(z)))(at),
        lambda: derivatives(f(x), [x]),
        lambda: derivatives(f(0 * x + at), [x]),
    ]
    for call in calls:
        with pytest.raises(ValueError, match=f"^the derivative of {name} is infinite here and cannot be recorded"):
            call()
    assert type(grad(ag.sin)(0.5)) is float


def test_second_derivative_may_be_infinite_where_the_first_is_not() -> None:
    """x ** 1.5 at 0: 0, then inf, then an error."""
    f = lambda x: x**1.5  # noqa: E731
    assert (grad(f)(0.0), grad(grad(f))(0.0)) == (0.0, INF)
    with pytest.raises(ValueError, match="the derivative of power is infinite"):
        grad(grad(grad(f)))(0.0)


def test_infinite_derivatives_beside_the_way_do_no_harm() -> None:
    """sqrt of a constant 0, or in a branch of its own variable."""
    zero = Value(0.0)
    assert grad(grad(lambda x: x * x + ag.sqrt(zero)))(3.0) == 2.0
    assert grad(lambda x, z: x * x + ag.sqrt(z))(3.0, 0.0) == 6.0
    x = Value(3.0)
    assert derivatives(x * x + ag.sqrt(zero), [x])[0].data == 6.0
    assert math.isnan(grad(lambda z: 0.0 * ag.sqrt(z))(0.0))  # 0 · inf, as in backward()


def test_whole_powers_at_zero() -> None:
    """All derivatives of x ** n at 0 are 0 but the n-th, which is n!; no 0 ** -1 on the way."""
    for n in range(5):
        f: Any = lambda x: x**n  # noqa: B023, E731
        for order in range(1, 6):
            f = grad(f)
            assert f(0.0) == (math.factorial(n) if order == n else 0.0)


#: A function, where its kink is, and what first and second derivative are by convention there.
KINKS = [
    (ag.relu, 0.0, 0.0, 0.0),
    (ag.absolute, 0.0, 0.0, 0.0),
    (ag.step, 0.0, 0.0, 0.0),
    (ag.sign, 0.0, 0.0, 0.0),
    (ag.leaky_relu, 0.0, 0.01, 0.0),
    (lambda x: ag.maximum(x, 1.0), 1.0, 0.5, 0.0),
    (lambda x: ag.minimum(x, 1.0), 1.0, 0.5, 0.0),
    (lambda x: ag.maximum(x, x), 1.0, 1.0, 0.0),
    (lambda x: ag.clip(x, -1.0, 1.0), 1.0, 1.0, 0.0),
    (lambda x: ag.clip(x, -1.0, 1.0), -1.0, 1.0, 0.0),
    (lambda x: ag.where(x, x * x, 3 * x), 0.0, 3.0, 0.0),
    # What is left of the product rule: f'' g + 2 f' g' + f g''.
    (lambda x: x * ag.absolute(x), 0.0, 0.0, 0.0),
    (lambda x: x * ag.relu(x), 0.0, 0.0, 0.0),
    (lambda x: ag.relu(x) ** 2, 0.0, 0.0, 0.0),
    (lambda x: x * ag.leaky_relu(x, 0.25), 0.0, 0.0, 0.5),
    (lambda x: x * ag.maximum(x, 2.0), 2.0, 3.0, 1.0),
    (lambda x: x * ag.clip(x, -1.0, 2.0), 2.0, 4.0, 2.0),
    (lambda x: ag.maximum(x * x, x**3), 1.0, 2.5, 4.0),
]


@pytest.mark.parametrize(("f", "at", "first", "second"), KINKS)
def test_kinks(f: Any, at: float, first: float, second: float) -> None:
    """By the stated conventions, in the second derivative too: a step has derivative 0, a tie shares evenly."""
    assert grad(f)(at) == jvp(f, (at,), (1.0,))[1] == first
    assert grad(grad(f))(at) == jvp(grad(f), (at,), (1.0,))[1] == hessian(f)(at) == second


@pytest.mark.parametrize("alpha", [1.0, 1.5])
def test_second_derivative_of_elu_at_zero(alpha: float) -> None:
    """elu'(0) = alpha is that of the left side, alpha exp(x); so is elu''(0)."""
    assert grad(grad(lambda x: ag.elu(x, alpha)))(0.0) == alpha


@pytest.mark.parametrize("f", [ag.elu, ag.leaky_relu])
def test_hessian_is_symmetric_at_the_kink_of_an_activation(f: Any) -> None:
    """With the slope as a variable: d/dslope of f'(0) = slope is 1, in either order."""
    second = hessian(lambda v: f(v[0], v[1]))([0.0, 0.5])
    assert second[0, 1] == second[1, 0] == 1.0


@pytest.mark.parametrize("f", [lambda v: ag.maximum(v[0], v[1]) * v[0], lambda v: ag.where(v[0], v[0] * v[1], v[1])])
def test_hessians_at_ties_are_symmetric(f: Any) -> None:
    """Of two variables."""
    second = hessian(f)([1.0, 1.0])
    assert (second == second.T).all()


def test_nan_and_infinite_arguments() -> None:
    """They propagate, as everywhere."""
    assert math.isnan(grad(lambda x: x * x)(math.nan))
    assert grad(lambda x: x * x)(INF) == INF
    assert math.isnan(hessian(lambda v: v[0] ** 3)([math.nan])[0, 0])
    with pytest.raises(ValueError, match="log"):
        grad(ag.log)(-1.0)


# ----- Modes -----


def test_no_grad_inside_f_makes_constants() -> None:
    """What is computed in it passes no gradient, the rest does."""

    def f(x: Any) -> Any:
        with ag.no_grad():
            c = x * x
        return c * x

    assert grad(f)(3.0) == 9.0
    assert jvp(f, (3.0,), (1.0,)) == (27.0, 9.0)
    assert grad(lambda x: grad(f)(x) + x)(3.0) == 1.0


def test_nothing_is_recorded_under_no_grad() -> None:
    """derivatives would have to, and so would gradients by a variable. The error says where to call."""
    x = Value(3.0)
    y = x**3
    for call in (
        lambda: derivatives(y, [x]),
        lambda: grad(lambda z: z**3)(x),
        lambda: value_and_grad(lambda z: z**3)(x),
        lambda: jacobian(lambda z: z**3)(x),
        lambda: hessian(lambda z: z**3)(x),
        lambda: vjp(lambda z: z**3, x)[1](1.0),
    ):
        with pytest.raises(ValueError, match=r"no_grad\(\) prevents: call it outside"), ag.no_grad():
            call()


def test_f_records_under_no_grad() -> None:
    """It is lifted while f runs, and with it for the transforms in f; thereafter it is in force again."""
    with ag.no_grad():
        assert grad(grad(lambda z: z**3))(3.0) == 18.0
        assert hessian(lambda v: v[0] ** 3)([3.0]).tolist() == [[18.0]]
        assert jvp(grad(lambda z: z**3), (3.0,), (1.0,)) == (27.0, 18.0)
        assert grad(lambda z: derivatives(z**3, [z])[0])(3.0) == 18.0
        assert (Value(3.0) ** 2).operands == ()


NO_GRAD = [
    lambda f: grad(f)(3.0),
    lambda f: value_and_grad(f)(3.0)[1],
    lambda f: float(jacobian(f)(3.0)),
    lambda f: jvp(f, (3.0,), (1.0,))[1],
    lambda f: vjp(f, 3.0)[1](1.0)[0],
]


@pytest.mark.parametrize("transform", NO_GRAD)
def test_first_derivatives_under_no_grad(transform: Any) -> None:
    """Right, as torch.func.grad gives it in torch.no_grad()."""
    with ag.no_grad():
        assert transform(lambda x: x**3) == 27.0


def test_anomalies_are_detected_in_gradients() -> None:
    """detect_anomaly stops at the backward step in which an infinity arises, whoever takes that step."""
    with pytest.raises(FloatingPointError, match="sqrt"), ag.detect_anomaly():
        grad(ag.sqrt)(0.0)


def test_other_modes() -> None:
    """Lines are recorded of the inner nodes, anomalies found in the forward pass; derivatives are the same."""
    with ag.record_lines():
        assert grad(grad(lambda x: x**3 * ag.sin(x)))(2.0) == grad(grad(lambda x: x**3 * ag.sin(x)))(2.0)
        assert hessian(rosenbrock)([-1.2, 1.0]) == close([[1330, 480], [480, 200]])
    with ag.detect_anomaly():
        assert grad(grad(lambda x: x**4))(2.0) == 48.0
        with pytest.raises(FloatingPointError, match="multiply"):
            grad(lambda x: x * x)(1e200)


# ----- Recorded gradients: derivatives(y, xs) -----


def test_derivatives_of_the_house_graph() -> None:
    """The gradients (48, 28), of inner nodes and of the root too, in the order asked for, without touching .grad."""
    a, b, c, d, e = house_nodes()
    assert [x.data for x in derivatives(e, [a, b, c, d, e])] == [48.0, 28.0, 14.0, 6.0, 1.0]
    assert [x.data for x in derivatives(e, (b, a, b))] == [28.0, 48.0, 28.0]
    assert [x.data for x in derivatives(e, iter([d]))] == [6.0]
    assert derivatives(e, []) == []
    assert not any(node.has_grad for node in nodes(e))


def test_each_adjoint_is_one_dot() -> None:
    """Of local derivatives and the consumers' adjoints: four nodes are added to the house graph, all of them dots."""
    a, b, c, d, e = house_nodes()
    da, db, dc, dd = derivatives(e, [a, b, c, d])
    before = nodes(e)
    added = {node for root in (da, db, dc, dd) for node in nodes(root)} - set(before)
    assert added == {da, db, dc, dd}
    assert {node.primitive.name for node in added if node.primitive} == {"dot"}
    assert dd.operands == (c, 1.0, 0.0)  # ∂e/∂d · 1
    assert dc.operands == (d, 1.0, 1.0, dd, 0.0)  # ∂e/∂c · 1 + ∂d/∂c · dd
    assert da.operands == (1.0, b, dd, dc, 0.0)  # ∂d/∂a · dd + ∂c/∂a · dc
    assert db.operands == (a, dc, 0.0)


def test_second_derivatives_of_the_house_graph() -> None:
    """e = a² b (b + 1): 2 b (b + 1), 2 a (2 b + 1), 2 a²."""
    a, b, *_, e = house_nodes()
    second = [[g.data for g in derivatives(d, [a, b])] for d in derivatives(e, [a, b])]
    assert second == [[24.0, 28.0], [28.0, 8.0]]


def test_derivatives_can_be_shown() -> None:
    """Drawn, tabled, stepped, expanded, explained and differentiated by backward(), as any other graph."""
    a, b, *_, e = house_nodes()
    da, _ = derivatives(e, [a, b])
    da.label = "da"
    da.backward()
    assert (a.grad, b.grad) == (24.0, 28.0)
    table = str(ag.table(da))
    assert all(word in table for word in ("da", "48", "24", "28"))
    drawing = ag.draw(da)
    assert drawing.dot.startswith("digraph")
    assert "dot" in drawing.dot
    assert drawing.svg.lstrip().startswith(("<svg", "<?xml"))
    assert "28" in str(ag.explain(b, da))
    fine = ag.expand(da)
    assert fine.data == 48.0
    assert "dot" not in {node.primitive.name for node in nodes(fine) if node.primitive}
    assert [g.data for g in derivatives(fine, [a, b])] == [24.0, 28.0]


def test_derivatives_can_be_stepped() -> None:
    """A Stepper goes through to the end of both passes, and its gradients are those of backward()."""
    a, b, *_, e = house_nodes()
    da, _ = derivatives(e, [a, b])
    stepper = ag.Stepper(da)
    assert len(stepper) == 2 * sum(node.primitive is not None for node in nodes(da))
    assert len(list(stepper)) == len(stepper)
    assert (a.grad, b.grad) == (24.0, 28.0)


def test_derivatives_follow_new_data() -> None:
    """forward() recomputes a recorded gradient, which holds for every input: 3 x² at 2 and at 5."""
    x = Value(2.0)
    (dx,) = derivatives(x**3, [x])
    assert dx.data == 12.0
    x.data = 5.0
    assert dx.forward() == 75.0
    assert derivatives(dx, [x])[0].data == 30.0


def test_constants_and_strangers() -> None:
    """What y does not depend on has a derivative of 0, what it is itself one of 1; constants are no Values."""
    x, stranger = Value(3.0), Value(5.0)
    y = 2 * x + 7
    zero, one = derivatives(y, [stranger, y])
    assert (zero.data, one.data) == (0.0, 1.0)
    assert isinstance(zero, Value)
    assert [d.data for d in derivatives(x, [x, stranger])] == [1.0, 0.0]
    (dx,) = derivatives(y, [x])
    assert derivatives(dx, [x])[0].data == 0.0
    assert x not in nodes(dx)


@pytest.mark.parametrize(
    ("f", "first", "second"),
    [
        (lambda x: x * x, 6.0, 2.0),
        (lambda x: x - x, 0.0, 0.0),
        (lambda x: x / x, 0.0, 0.0),
        (lambda x: x**x, 27 * (1 + math.log(3)), 27 * ((1 + math.log(3)) ** 2 + 1 / 3)),
        (lambda x: ag.sum([x, x, x]), 3.0, 0.0),
        (lambda x: ag.mean([x, 1.0, x]), 2 / 3, 0.0),
        (lambda x: ag.dot([x, x], [x, 2.0], x), 9.0, 2.0),
        (lambda x: ag.logsumexp([x, x]), 1.0, 0.0),
        (lambda x: ag.maximum(x, x) * x, 6.0, 2.0),
        (lambda x: ag.where(x, x, x) * x, 6.0, 2.0),
        (lambda x: ag.sum(ag.softmax([x, x, 2 * x])), 0.0, 0.0),
    ],
)
def test_repeated_operands(f: Any, first: float, second: float) -> None:
    """Each place has its own contribution, also in the recorded adjoint."""
    assert grad(f)(3.0) == pytest.approx(first, abs=1e-14)
    assert grad(grad(f))(3.0) == pytest.approx(second, abs=1e-12)
    assert jvp(f, (3.0,), (1.0,))[1] == pytest.approx(first, abs=1e-14)


def test_stale_graphs_are_refused() -> None:
    """Derivatives belong to the recorded numbers: forward() first."""
    a, b, *_, e = house_nodes()
    a.data = 5.0
    with pytest.raises(ValueError, match=r"data was set since 3 nodes were computed: call e\.forward\(\) first"):
        derivatives(e, [a, b])
    e.forward()
    assert [d.data for d in derivatives(e, [a, b])] == [120.0, 175.0]

    def sets_data(x: Any) -> Any:
        y = x * x
        x.data = 100.0
        return y

    with pytest.raises(ValueError, match=r"forward\(\) first"):
        grad(grad(sets_data))(3.0)


@pytest.mark.parametrize(("y", "xs", "told"), [(1.0, [], "y is a float"), (Value(1.0), [2.0], "each of xs is a float")])
def test_derivatives_takes_values(y: Any, xs: Any, told: str) -> None:
    """The message says which of the arguments is none."""
    with pytest.raises(TypeError, match=f"derivatives takes Values; {told}"):
        derivatives(y, xs)


def test_derivatives_by_a_single_value_says_what_to_write() -> None:
    """derivatives(y, x) is what users of PyTorch type first."""
    x = Value(3.0)
    with pytest.raises(TypeError, match=r"derivatives\(y, \[x\]\)"):
        derivatives(x * x, x)  # type: ignore[arg-type]


def test_identity_nodes() -> None:
    """positive(x) is a node of its own; +x is x."""
    x = Value(2.0)
    node = positive(x)
    assert node is not x
    assert (node.data, node.operands, +x) == (2.0, (x,), x)
    y = x * node
    assert [d.data for d in derivatives(y, [x, node])] == [4.0, 2.0]


def test_primitives_of_ones_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """One whose rule is written with operators has all derivatives; one written with math only the first."""
    monkeypatch.setattr("autograd.primitives.PRIMITIVES", {})
    cube = ag.primitive("cube_of_transforms", lambda x: x**3, lambda x, out: 3 * x**2)
    assert [grad(cube)(2.0), grad(grad(cube))(2.0), grad(grad(grad(cube)))(2.0)] == [12.0, 12.0, 6.0]
    plain = ag.primitive("exp_of_transforms", math.exp, lambda x, out: math.exp(x))
    assert grad(plain)(0.0) == 1.0
    with pytest.raises(TypeError, match=r"use autograd's functions"):
        grad(grad(plain))(0.0)
    double = ag.primitive("double_of_transforms", lambda x: 2 * x, lambda x, out: 2)
    assert [grad(double)(3.0), grad(grad(double))(3.0)] == [2.0, 0.0]


# ----- Deep and wide graphs, memory -----


def chain(x: Any, n: int) -> Any:
    """sin of sin of sin ..., shrunk and shifted so that it stays of one size."""
    for _ in range(n):
        x = 0.5 * ag.sin(x) + x
    return x


def test_deep_graphs() -> None:
    """10,000 nodes, far deeper than Python's stack: every transform, and the second derivative."""
    n = 3_400
    reverse, forward = grad(chain)(0.1, n), jvp(lambda x: chain(x, n), (0.1,), (1.0,))[1]
    assert reverse == pytest.approx(forward, rel=1e-9, abs=1e-300)
    assert grad(lambda x: chain(-x, n) - x)(1.0) == pytest.approx(-1.0 - grad(chain)(-1.0, n))
    x = y = Value(1.0)
    for _ in range(10_000):
        y = y * 1.0
    (dx,) = derivatives(y, [x])
    assert dx.data == 1.0
    z = x
    for _ in range(5_000):
        z = z * 1.0 + x * 0.0
    (dz,) = derivatives(z * z, [x])
    assert derivatives(dz, [x])[0].data == 2.0
    assert grad(grad(lambda x: chain(x, 500)))(0.1) == pytest.approx(
        (grad(chain)(0.1 + 1e-6, 500) - grad(chain)(0.1 - 1e-6, 500)) / 2e-6, rel=1e-4, abs=1e-12
    )


def test_recorded_gradients_are_linear_in_the_graph() -> None:
    """Twice the chain has twice the nodes, in the second derivative too; a wide node adds a few per operand."""

    def count(n: int, order: int) -> int:
        x = y = Value(0.1)
        for _ in range(n):
            y = ag.sin(y)
        for _ in range(order):
            (y,) = derivatives(y, [x])
        return len(nodes(y))

    for order in (1, 2):
        small, medium, large = (count(n, order) for n in (100, 200, 400))
        assert large - medium == 2 * (medium - small)
        assert small < 100 * 4**order
    leaves = [Value(float(i % 7)) for i in range(2000)]
    for wide in (ag.sum(leaves), ag.mean(leaves), ag.logsumexp(leaves), ag.dot(leaves, leaves)):
        found = derivatives(wide, leaves)
        assert len({node for d in found for node in nodes(d)}) <= 5 * len(leaves)


@pytest.fixture
def no_collector() -> Iterator[None]:
    """Switch the cyclic collector off, with nothing left to collect."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("no_collector")
def test_no_reference_cycles_are_left() -> None:
    """After every transform, nested ones, derivatives, and an error, there is nothing for the collector."""

    def loss(v: Any) -> Any:
        return ag.sigmoid(v[0] * v[1]) + ag.dot(v, [1.0, 2.0]) * v[0]

    def living() -> int:
        return sum(issubclass(type(thing), Value) for thing in gc.get_objects())

    def work() -> None:
        at = [0.5, 1.5]
        grad(loss)(at)
        value_and_grad(loss)(at)
        hessian(loss)(at)
        jacobian(grad(loss))(np.array(at))
        jvp(grad(loss), (at,), ([1.0, 0.0],))
        _, pullback = vjp(loss, at)
        pullback(1.0)
        grad(lambda x: x * grad(lambda y: x * y)(x))(2.0)
        x = Value(2.0)
        derivatives(derivatives(x**3, [x])[0], [x])
        grad(loss)([x, 1.0])

    work()
    gc.collect()
    before = living()
    work()
    assert gc.collect() == 0
    assert living() == before
    with contextlib.suppress(ValueError):
        grad(grad(ag.sqrt))(0.0)
    assert gc.collect() == 0
    assert living() == before
