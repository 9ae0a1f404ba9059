"""Functions of lists of Values: `sum`, `mean`, `dot`, `logsumexp` record one node each; `softmax` gives a list.

The functions of one to three operands (`exp`, `maximum`, `where`, ...) are primitives and stand in `rules.py`.
"""

from __future__ import annotations

import builtins
import operator
from typing import TYPE_CHECKING, overload

from . import rules
from .modes import COMPILING, NO_GRAD, mode
from .scalars import as_number, with_article
from .value import recorded

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from .primitives import Operand, Primitive
    from .value import Value


@overload
def sum(values: Iterable[float]) -> float: ...  # type: ignore[overload-overlap]
@overload
def sum(values: Iterable[Operand]) -> Value: ...
def sum(values: Iterable[Any]) -> Any:
    """The sum as one node, where Python's builtin makes a chain of them; 0.0 of nothing.

    >>> from autograd import Value, sum
    >>> x, y = Value(1.0), Value(2.0)
    >>> total = sum([x, y, x])
    >>> total.backward()
    >>> total.data, x.grad, y.grad
    (4.0, 2.0, 1.0)
    """
    return rules.total(*_listed("sum", values))


@overload
def mean(values: Iterable[float]) -> float: ...  # type: ignore[overload-overlap]
@overload
def mean(values: Iterable[Operand]) -> Value: ...
def mean(values: Iterable[Any]) -> Any:
    """The arithmetic mean as one node; ValueError of nothing.

    >>> from autograd import mean
    >>> mean([1.0, 2.0, 6.0])
    3.0
    """
    return _of_some(rules.mean, values)


@overload
def dot(weights: Iterable[float], inputs: Iterable[float], bias: float = 0.0) -> float: ...  # type: ignore[overload-overlap]
@overload
def dot(weights: Iterable[Operand], inputs: Iterable[Operand], bias: Operand = 0.0) -> Value: ...
def dot(weights: Iterable[Any], inputs: Iterable[Any], bias: Any = 0.0) -> Any:
    """Σ weights[i] * inputs[i] + bias as one node: what a neuron computes. `expand` shows its products and sums.

    Weights, inputs and bias are Values or numbers. ValueError unless there are as many weights as inputs.

    >>> from autograd import Value, dot
    >>> w = [Value(2.0), Value(-3.0)]
    >>> z = dot(w, [-1.0, -2.0], bias=-3.0)
    >>> z.backward()
    >>> z.data, [weight.grad for weight in w]
    (1.0, [-1.0, -2.0])
    """
    weights = tuple(weights) if type(weights) is list else _listed("dot", weights)
    inputs = inputs if type(inputs) is tuple else _listed("dot", inputs)
    if len(weights) != len(inputs):
        raise ValueError(f"dot takes as many weights as inputs, not {len(weights)} weights and {len(inputs)} inputs")
    if (recording := mode.get()) is None or recording is COMPILING or recording is NO_GRAD:
        try:
            node = _dot_of_values(weights, inputs, bias)
            return node.detach() if recording is NO_GRAD else node
        except AttributeError:
            pass  # there are constants where none are usual: the table knows what to do
    return rules.dot(*weights, *inputs, bias)


def _dot_of_values(weights: tuple[Any, ...], inputs: tuple[Any, ...], bias: Any) -> Value:
    """The usual dot, whose weights are Values, written out in half the time of the table; networks are made of it.

    Inputs may be floats, and the bias may be one. AttributeError if anything else is no Value. A test proves that this
    and the table agree.
    """
    w = [weight._data for weight in weights]
    constant_inputs = _FLOAT.issuperset(map(type, inputs))
    moving, factors = inputs, w  # unless they are constant: the inputs that are Values, and the weights of these
    try:
        x = inputs if constant_inputs else [value._data for value in inputs]
    except AttributeError:  # some are floats, such as NumPy's
        inputs = tuple([float(value) if isinstance(value, float) else value for value in inputs])
        x = [value if type(value) is float else value._data for value in inputs]
        moving = tuple([value for value in inputs if type(value) is not float])
        factors = [number for value, number in zip(inputs, w) if type(value) is not float]
    data = builtins.sum(map(operator.mul, w, x), 0.0)
    if type(data) is not float:
        raise AttributeError  # other libraries have attributes named _data too
    operands = (*weights, *inputs, bias)
    if type(bias) is not float:
        data += bias._data
        if constant_inputs:
            return recorded(data, rules.dot, operands, (*weights, bias), None, (*x, 1.0))
        values = operands if moving is inputs else (*weights, *moving, bias)
        return recorded(data, rules.dot, operands, values, None, (*x, *factors, 1.0))
    if not weights:
        raise AttributeError  # nothing to differentiate by
    values, partials = (weights, x) if constant_inputs else ((*weights, *moving), (*x, *factors))
    return recorded(data + bias, rules.dot, operands, values, None, partials)


_FLOAT = {float}


@overload
def logsumexp(values: Iterable[float]) -> float: ...  # type: ignore[overload-overlap]
@overload
def logsumexp(values: Iterable[Operand]) -> Value: ...
def logsumexp(values: Iterable[Any]) -> Any:
    """log Σ exp(values[i]) as one node, without overflow; ValueError of nothing.

    >>> from autograd import logsumexp
    >>> logsumexp([1000.0, -1000.0])
    1000.0
    """
    return _of_some(rules.logsumexp, values)


@overload
def softmax(values: Iterable[float]) -> list[float]: ...  # type: ignore[overload-overlap]
@overload
def softmax(values: Iterable[Operand]) -> list[Value]: ...
def softmax(values: Iterable[Any]) -> list[Any]:
    """exp(values[i]) / Σ exp(values[j]) for each i: positive numbers that add up to 1. ValueError of nothing.

    They share one `logsumexp` node, and do not overflow.

    >>> from autograd import softmax
    >>> softmax([0.0, 0.0])
    [0.5, 0.5]
    """
    return [rules.exp(logarithm) for logarithm in _log_softmax("softmax", values)]


@overload
def log_softmax(values: Iterable[float]) -> list[float]: ...  # type: ignore[overload-overlap]
@overload
def log_softmax(values: Iterable[Operand]) -> list[Value]: ...
def log_softmax(values: Iterable[Any]) -> list[Any]:
    """The logarithms of `softmax(values)`, exact also where a softmax is next to 0. ValueError of nothing.

    >>> from autograd import log_softmax
    >>> log_softmax([1000.0, 0.0])
    [0.0, -1000.0]
    """
    return _log_softmax("log_softmax", values)


def _log_softmax(function: str, values: Iterable[Any]) -> list[Any]:
    """The logarithms; `function` is the one that errors name."""
    given = _some(function, values)
    operands = [x if hasattr(x, "_record") else as_number(x, function) for x in given]
    normalizer = rules.logsumexp(*operands)
    return [rules.subtract(value, normalizer) for value in operands]


def _of_some(primitive: Primitive, values: Iterable[Any]) -> Any:
    return primitive(*_some(primitive.name, values))


def _some(function: str, values: Iterable[Any]) -> tuple[Any, ...]:
    operands = _listed(function, values)
    if not operands:
        raise ValueError(f"{function} needs at least one value; it was given none")
    return operands


def _listed(function: str, values: Iterable[Any]) -> tuple[Any, ...]:
    try:
        return tuple(values)
    except TypeError:
        example = "dot([w1, w2], [x1, x2], b)" if function == "dot" else f"{function}([x, y])"
        raise TypeError(f"{function} takes lists, as in {example}; not {with_article(type(values).__name__)}") from None
