"""Activations by name, and those that learn: `MLP(2, [16, 1], activation="tanh")`, `PReLU()`, `Maxout(2, 3)`.

Most are functions of one Value, from `autograd`; `softmax` is one of all outputs of a layer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import autograd as ag

from .arguments import finite, short
from .module import Module

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from autograd import Value

    Activation = Callable[..., Any]


def identity(z: Value) -> Value:
    """z itself: a layer of it is linear, and so is a network of such layers.

    >>> identity(2.0)
    2.0
    """
    return z


#: What `activation=` takes as a name. None stands for no activation.
BY_NAME: dict[str, Activation | None] = {
    "identity": None,
    "linear": None,
    "step": ag.step,
    "sigmoid": ag.sigmoid,
    "tanh": ag.tanh,
    "relu": ag.relu,
    "leaky_relu": ag.leaky_relu,
    "elu": ag.elu,
    "softplus": ag.softplus,
    "silu": ag.silu,
    "softmax": ag.softmax,
    "log_softmax": ag.log_softmax,
}

#: Those that take the outputs of a whole layer.
OF_LAYER = (ag.softmax, ag.log_softmax)


def chosen(activation: Activation | str | None) -> Activation | None:
    """The activation that is meant."""
    if isinstance(activation, str):
        if activation not in BY_NAME:
            names = ", ".join(map(repr, BY_NAME))
            raise ValueError(f"activation is a function, or one of {names}; not {short(activation)}")
        return BY_NAME[activation]
    if activation is not None and (not callable(activation) or isinstance(activation, type)):
        raise TypeError(f"activation is a function such as autograd.tanh, or its name; not {short(activation)}")
    return None if activation is identity else activation


def name_of(activation: Activation | None) -> str:
    """What it is called."""
    return "linear" if activation is None else getattr(activation, "__name__", type(activation).__name__)


class PReLU(Module):
    """A leaky ReLU whose slope on the negative side is learnt (He et al. 2015, arXiv:1502.01852).

    >>> from autograd import Value
    >>> act = PReLU(0.25)
    >>> act(Value(-2.0)).data
    -0.5
    """

    def __init__(self, negative_slope: float = 0.25) -> None:
        self.negative_slope = ag.Value(finite(negative_slope, "negative_slope"), "slope")

    def __call__(self, z: Value) -> Value:
        """The larger of z and its part, if the slope is below 1."""
        return ag.leaky_relu(z, self.negative_slope)
