"""Penalties on large weights, to be added to a loss: `loss = nn.mse_loss(...) + 0.01 * nn.l2_penalty(model)`.

The data loss says how well a model fits, the penalty how simple it is; the factor between them is λ (CS231n,
regularisation). `weight_decay=` of an optimiser adds to the gradient what 0.5 * weight_decay * l2_penalty would.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import autograd as ag

from .arguments import is_iterable, with_article
from .module import Module

if TYPE_CHECKING:
    from collections.abc import Iterable

    from autograd import Value


def l1_penalty(parameters: Module | Iterable[Value]) -> Value:
    """Σ |w|, whose gradient is the sign of w: it draws weights to 0 until they are 0 (CS231n; CS7643).

    Args:
        parameters: a module, of which all parameters count, biases too; or the Values that are to count, in a list.

    Raises:
        TypeError: for anything else.
        ValueError: if there are none.

    >>> from autograd import Value
    >>> w = [Value(3.0), Value(-4.0)]
    >>> penalty = l1_penalty(w)
    >>> penalty.backward()
    >>> penalty.data, [weight.grad for weight in w]
    (7.0, [1.0, -1.0])
    """
    return ag.sum([ag.absolute(value) for value in values_of(parameters, "parameters")])


def l2_penalty(parameters: Module | Iterable[Value]) -> Value:
    """Σ w², without a factor of 1/2, so that its gradient is 2 w: it draws large weights most (CS231n; CS7643).

    It is one node, the dot product of the weights with themselves. Arguments and errors are those of `l1_penalty`.
    To leave out the biases, give the weights alone:
    `l2_penalty([w for name, w in model.named_parameters() if ".w." in name])`.

    >>> from autograd import Value
    >>> w = [Value(3.0), Value(-4.0)]
    >>> penalty = l2_penalty(w)
    >>> penalty.backward()
    >>> penalty.data, [weight.grad for weight in w]
    (25.0, [6.0, -8.0])
    """
    values = values_of(parameters, "parameters")
    return ag.dot(values, values)


def values_of(parameters: Module | Iterable[Value], name: str) -> list[Value]:
    """The parameters of a module, or the Values of a list; an error says what else was given as `name`.

    >>> from autograd import Value
    >>> len(values_of([Value(1.0), Value(2.0)], "parameters"))
    2
    """
    example = "such as model.parameters()"
    if isinstance(parameters, Module):
        parameters = parameters.parameters()
    if isinstance(parameters, (str, bytes, dict, ag.Value)) or not is_iterable(parameters):
        raise TypeError(f"{name} is a list of Values, {example}, not {with_article(type(parameters).__name__)}")
    values = list(parameters)
    if not values:
        raise ValueError(f"{name} is empty: give one parameter or more, {example}")
    for i, value in enumerate(values):
        if not isinstance(value, ag.Value):
            given = with_article(type(value).__name__)
            raise TypeError(f"{name}[{i}] is {given}: {name} is a plain list of Values, {example}")
    return values
