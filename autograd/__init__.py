"""chalkgrad: reverse-mode differentiation of scalars, for those who want to understand it.

    import autograd as ag

    x, z = ag.Value(2.0, "x"), ag.Value(3.0, "z")
    y = x * z + ag.sin(x)
    y.backward()
    print(ag.table(y))              # every forward and backward value
    ag.draw(y).save("graph.svg")    # the computation graph

The path of the data is one way: expressions record a graph of `Value`s (value.py), `nodes` sorts it (graph.py), and
all else reads it: `backward`, `table` (tables.py), `draw` (drawing/), `expand`. What an operation is, its value and its
local derivatives, stands in one table (rules.py); `primitive` adds to it.

>>> x, z = Value(2.0), Value(3.0)
>>> y = x * z + sin(x) / 2
>>> y.backward()
>>> z.grad
2.0
"""

from .checks import central_difference, nudge
from .compiling import compile, to_source
from .costs import cost
from .diagnosis import diagnose
from .drawing import draw
from .explanations import explain
from .functions import dot, log_softmax, logsumexp, mean, softmax, sum
from .gradient_check import gradcheck
from .graph import expand, nodes
from .modes import detect_anomaly, no_grad, record_lines
from .mutating import breaking
from .origins import label_from
from .page import player
from .primitives import primitive
from .rules import (
    absolute,
    arccos,
    arcsin,
    arctan,
    clip,
    cos,
    cosh,
    elu,
    exp,
    expm1,
    leaky_relu,
    log,
    log1p,
    maximum,
    minimum,
    power,
    relu,
    sigmoid,
    sign,
    silu,
    sin,
    sinh,
    softplus,
    sqrt,
    step,
    tan,
    tanh,
    where,
)
from .stepper import Stepper
from .tables import table
from .transforms import derivatives, grad, hessian, jacobian, jvp, value_and_grad, vjp
from .value import Value

__version__ = "0.1.0"

__all__ = [
    "Stepper",
    "Value",
    "absolute",
    "arccos",
    "arcsin",
    "arctan",
    "breaking",
    "central_difference",
    "clip",
    "compile",
    "cos",
    "cosh",
    "cost",
    "derivatives",
    "detect_anomaly",
    "diagnose",
    "dot",
    "draw",
    "elu",
    "exp",
    "expand",
    "explain",
    "expm1",
    "grad",
    "gradcheck",
    "hessian",
    "jacobian",
    "jvp",
    "label_from",
    "leaky_relu",
    "log",
    "log1p",
    "log_softmax",
    "logsumexp",
    "maximum",
    "mean",
    "minimum",
    "no_grad",
    "nodes",
    "nudge",
    "player",
    "power",
    "primitive",
    "record_lines",
    "relu",
    "sigmoid",
    "sign",
    "silu",
    "sin",
    "sinh",
    "softmax",
    "softplus",
    "sqrt",
    "step",
    "sum",
    "table",
    "tan",
    "tanh",
    "to_source",
    "value_and_grad",
    "vjp",
    "where",
]


def __dir__() -> list[str]:
    """What tab completion offers: the public names, without the modules that hold them."""
    return [*__all__, "__version__"]
