"""The first call of a compiled function takes time in proportion to its graph: counted in calls, not in seconds."""

from __future__ import annotations

import sys
from functools import partial
from typing import TYPE_CHECKING

import numpy
import pytest

import autograd as ag
from benchmarks import workloads

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


def chain(links: int) -> Callable[[Any], Any]:
    """A deep graph of nodes that are alone in their level."""
    return workloads.tanh_chain(ag.Value, ag.tanh, links)


def products(count: int) -> Callable[[Any], Any]:
    """One long sum, written with + and *."""
    total = workloads.products(ag.Value, count)
    return lambda x: ag.tanh(total([x] * count))


def several_uses(count: int) -> Callable[[Any], Any]:
    """Few parameters, each read again and again at all depths."""
    p, q = ag.Value(0.9), ag.Value(0.3)

    def f(x: Any) -> Any:
        values = [x]
        for i in range(count):
            values.append(ag.sin(values[-1] * p + values[i // 2] * q))
        return ag.mean(values)

    return f


def calls_of(action: Callable[[], object]) -> int:
    """How many functions are called, of Python and of C."""
    count = 0

    def profile(frame: object, event: str, _: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    sys.setprofile(profile)
    try:
        action()
    finally:
        sys.setprofile(None)
    return count


@pytest.mark.parametrize("make", [chain, products, several_uses])
def test_twice_the_nodes_take_twice_the_calls(make: Callable[[int], Callable[[Any], Any]]) -> None:
    """Recording, translation, layout, binding, the run, and the comparison with the function itself."""
    X = numpy.linspace(-1, 1, 10)
    small, large = [calls_of(partial(ag.compile(make(size)).backward, X)) for size in (200, 400)]
    assert large < 2.05 * small


@pytest.mark.parametrize("links", [30, 200])
def test_deep_and_shallow_chains_agree_with_the_function(links: int) -> None:
    """Local derivatives of a deep graph are computed apart from its adjoints, and sums of many uses in one call."""
    X = numpy.linspace(-1, 1, 500)
    for make in (chain, several_uses):
        f = make(links)
        compiled = ag.compile(f)
        mean, gradients = compiled.value_and_grad(X)
        xs = [ag.Value(x) for x in X]
        loss = ag.mean([f(x) for x in xs])
        loss.backward()
        assert mean == pytest.approx(loss.data, rel=1e-12)
        assert gradients.tolist() == pytest.approx([parameter.grad for parameter in compiled.parameters], rel=1e-9)
