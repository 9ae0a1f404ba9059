"""The table of rules: every primitive, stated once. To add one, add an entry here; everything else follows.

An entry gives the value on floats and one local derivative per operand, each a formula of the operands and of the
value `out`. The formulas call primitives, so that they also work on batches and, recorded, give higher derivatives.
From an entry come eager and batch evaluation, gradients, drawings, explanations and the checks of the test-suite.
"""

from __future__ import annotations

import math
import operator
from typing import TYPE_CHECKING

from .primitives import BUILT_IN, PRIMITIVES, primitive

if TYPE_CHECKING:
    from typing import Any

    from .primitives import Primitive

INFINITY = math.inf


# ----- Arithmetic -----

add = primitive(
    "add", operator.add,
    lambda x, y, out: 1.0,
    lambda x, y, out: 1.0,
    symbol="+", latex="{0} + {1}", commutative=True,
    words="a sum hands its gradient to both operands unchanged",
    doc="""x + y.

    >>> add(2.0, 3.0)
    5.0
    """,
)  # fmt: skip

subtract = primitive(
    "subtract", operator.sub,
    lambda x, y, out: 1.0,
    lambda x, y, out: -1.0,
    symbol="-", latex="{0} - {1}",
    words="a difference hands its gradient to the first operand unchanged, to the second with its sign turned",
    doc="""x - y.

    >>> subtract(2.0, 3.0)
    -1.0
    """,
)  # fmt: skip

multiply = primitive(
    "multiply", operator.mul,
    lambda x, y, out: y,
    lambda x, y, out: x,
    symbol="*", latex=r"{0} \cdot {1}", commutative=True,
    words="each factor receives the gradient scaled by the other factor",
    doc="""x * y.

    >>> multiply(2.0, 3.0)
    6.0
    """,
)  # fmt: skip

divide = primitive(
    "divide", operator.truediv,
    lambda x, y, out: 1 / y,
    lambda x, y, out: -out / y,
    symbol="/", latex=r"\frac{{{0}}}{{{1}}}",
    words="the numerator receives the gradient over the denominator; the denominator, minus the quotient times that",
    doc="""x / y; ZeroDivisionError where y is 0.

    >>> divide(3.0, 2.0)
    1.5
    """,
)  # fmt: skip

negative = primitive(
    "negative", operator.neg,
    lambda x, out: -1.0,
    symbol="-", latex="-{0}",
    words="the gradient goes through with its sign turned",
    doc="""-x.

    >>> negative(2.0)
    -2.0
    """,
)  # fmt: skip


def _power(x: float, y: float) -> float:
    out = x**y
    if isinstance(out, complex):
        raise ValueError("a negative base needs an integer exponent")
    return float(out)


power = primitive(
    "power", _power,
    # y * x**(y - 1); an exponent of 0 is kept 0, since 0 * 0**-1 would be nan where the derivative is 0.
    lambda x, y, out: y * x ** (y - (y != 0)),
    lambda x, y, out: out * log(x),
    symbol="**", latex="{0}^{{{1}}}",
    words="the base receives the gradient times the exponent times the base to one power less",
    kinks="x ** 0 has derivative 0 everywhere; an exponent that is a Value needs x > 0",
    doc="""x ** y. ValueError for a negative x with a broken exponent (never a complex number), and for an exponent that
    is a Value unless x > 0; ZeroDivisionError for 0 to a negative power; OverflowError above 1.8e308.

    >>> power(2.0, 10.0)
    1024.0
    """,
)  # fmt: skip

absolute = primitive(
    "absolute", math.fabs,
    lambda x, out: sign(x),
    latex=r"\left|{0}\right|",
    flat="blocked",
    words="the gradient goes through, with its sign turned where the operand is negative",
    kinks="absolute'(0) = 0",
    doc="""The distance of x from 0, also as `abs(x)`.

    >>> absolute(-2.0)
    2.0
    """,
)  # fmt: skip


positive: Primitive = primitive(
    "positive", operator.pos,
    lambda x, out: 1.0,
    symbol="+", latex="{0}",
    words="the gradient goes through unchanged",
    definition=lambda x: x,
    doc="""x itself as a node of its own, by which a nested gradient can differentiate.

    >>> positive(2.0)
    2.0
    """,
)  # fmt: skip


# ----- Exponentials, logarithms, roots -----

exp = primitive(
    "exp", math.exp,
    lambda x, out: out,
    latex="e^{{{0}}}",
    flat="saturated",
    words="the slope of exp is its own output",
    doc="""e to the power x; OverflowError above x = 709.78.

    >>> exp(0.0)
    1.0
    """,
)  # fmt: skip

expm1 = primitive(
    "expm1", math.expm1,
    lambda x, out: exp(x),
    latex="(e^{{{0}}} - 1)",
    flat="saturated",
    words="the slope is e to the operand",
    definition=lambda x: exp(x) - 1,
    doc="""exp(x) - 1, exact also where x is tiny.

    >>> expm1(0.0)
    0.0
    """,
)  # fmt: skip

log: Primitive = primitive(
    "log", math.log,
    lambda x, out: 1 / x,
    latex=r"\log({0})", domain=(0, INFINITY),
    words="the slope of log is one over its operand",
    doc="""The natural logarithm; ValueError unless x > 0.

    >>> log(1.0)
    0.0
    """,
)  # fmt: skip

log1p = primitive(
    "log1p", math.log1p,
    lambda x, out: 1 / (1 + x),
    latex=r"\log(1 + {0})", domain=(-1, INFINITY),
    words="the slope is one over one plus the operand",
    definition=lambda x: log(1 + x),
    doc="""log(1 + x), exact also where x is tiny; ValueError unless x > -1.

    >>> log1p(0.0)
    0.0
    """,
)  # fmt: skip

sqrt = primitive(
    "sqrt", math.sqrt,
    lambda x, out: 0.5 / out,
    latex=r"\sqrt{{{0}}}", domain=(0, INFINITY),
    words="the slope is one over twice the output",
    kinks="sqrt'(0) = inf",
    definition=lambda x: x**0.5,
    doc="""The square root; ValueError for a negative x.

    >>> sqrt(9.0)
    3.0
    """,
)  # fmt: skip


# ----- Circular and hyperbolic functions -----

sin = primitive(
    "sin", math.sin,
    lambda x, out: cos(x),
    latex=r"\sin({0})",
    words="the slope of sin is cos",
    doc="""The sine of x in radians; ValueError at ±inf.

    >>> sin(0.0)
    0.0
    """,
)  # fmt: skip

cos: Primitive = primitive(
    "cos", math.cos,
    lambda x, out: -sin(x),
    latex=r"\cos({0})",
    words="the slope of cos is minus sin",
    doc="""The cosine of x in radians; ValueError at ±inf.

    >>> cos(0.0)
    1.0
    """,
)  # fmt: skip

tan = primitive(
    "tan", math.tan,
    lambda x, out: 1 + out * out,
    latex=r"\tan({0})",
    words="the slope is one plus the output squared",
    definition=lambda x: sin(x) / cos(x),
    doc="""The tangent of x in radians; ValueError at ±inf.

    >>> tan(0.0)
    0.0
    """,
)  # fmt: skip

arcsin = primitive(
    "arcsin", math.asin,
    lambda x, out: 1 / sqrt((1 - x) * (1 + x)),
    latex=r"\arcsin({0})", domain=(-1, 1),
    words="the slope is one over the cosine of the output",
    kinks="arcsin'(±1) = inf",
    doc="""The angle in radians whose sine is x; ValueError unless -1 <= x <= 1.

    >>> arcsin(0.0)
    0.0
    """,
)  # fmt: skip

arccos = primitive(
    "arccos", math.acos,
    lambda x, out: -1 / sqrt((1 - x) * (1 + x)),
    latex=r"\arccos({0})", domain=(-1, 1),
    words="the slope is minus one over the sine of the output",
    kinks="arccos'(±1) = -inf",
    doc="""The angle in radians whose cosine is x; ValueError unless -1 <= x <= 1.

    >>> arccos(1.0)
    0.0
    """,
)  # fmt: skip

arctan = primitive(
    "arctan", math.atan,
    lambda x, out: 1 / (1 + x * x),
    latex=r"\arctan({0})",
    flat="saturated",
    words="the slope is one over one plus the operand squared",
    doc="""The angle in radians whose tangent is x.

    >>> arctan(0.0)
    0.0
    """,
)  # fmt: skip

sinh = primitive(
    "sinh", math.sinh,
    lambda x, out: cosh(x),
    latex=r"\sinh({0})",
    words="the slope of sinh is cosh",
    definition=lambda x: (exp(x) - exp(-x)) / 2,
    doc="""The hyperbolic sine; OverflowError beyond x = ±710.47.

    >>> sinh(0.0)
    0.0
    """,
)  # fmt: skip

cosh: Primitive = primitive(
    "cosh", math.cosh,
    lambda x, out: sinh(x),
    latex=r"\cosh({0})",
    words="the slope of cosh is sinh",
    definition=lambda x: (exp(x) + exp(-x)) / 2,
    doc="""The hyperbolic cosine; OverflowError beyond x = ±710.47.

    >>> cosh(0.0)
    1.0
    """,
)  # fmt: skip


def _tanh_in_exp(x: Any) -> Any:
    e = exp(2 * x)
    return (e - 1) / (e + 1)


tanh = primitive(
    "tanh", math.tanh,
    lambda x, out: 1 - out * out,
    latex=r"\tanh({0})",
    flat="saturated",
    words="the slope is one minus the output squared: nothing where tanh is saturated",
    definition=_tanh_in_exp,
    doc="""The hyperbolic tangent, between -1 and 1.

    >>> tanh(0.0)
    0.0
    """,
)  # fmt: skip


# ----- Corners and choices -----


def _sign(x: float) -> float:
    return float((x > 0) - (x < 0)) if x == x else x


sign: Primitive = primitive(
    "sign", _sign,
    lambda x, out: 0.0,
    latex=r"\operatorname{{sign}}({0})",
    flat="blocked",
    words="a constant on either side of 0: no gradient passes",
    kinks="sign' = 0 everywhere, also at 0",
    doc="""-1, 0 or 1.

    >>> sign(-3.0)
    -1.0
    """,
)  # fmt: skip


def _step(x: float) -> float:
    return 1.0 if x > 0 else 0.0 if x == x else x  # float(x > 0) takes three times as long


def _step_of_array(x: Any) -> Any:
    import numpy

    return numpy.heaviside(x, 0.0)


step = primitive(
    "step", _step,
    lambda x, out: 0.0,
    array=_step_of_array,
    latex=r"\operatorname{{step}}({0})",
    flat="blocked",
    words="a constant on either side of 0: no gradient passes",
    kinks="step(0) = 0, step' = 0 everywhere",
    doc="""1 where x > 0, else 0.

    >>> step(3.0), step(0.0)
    (1.0, 0.0)
    """,
)  # fmt: skip


def _share(x: float, y: float) -> float:
    return 1.0 if x > y else 0.0 if x < y else 0.5 if x == y else math.nan


def _share_of_arrays(x: Any, y: Any) -> Any:
    import numpy

    return numpy.select([x > y, x < y, x == y], [1.0, 0.0, 0.5], math.nan)


#: What of a gradient goes to x when the larger of x and y takes it: the local derivative of `maximum`.
share = primitive(
    "share", _share,
    lambda x, y, out: 0.0,
    lambda x, y, out: 0.0,
    array=_share_of_arrays,
    latex=r"[{0} > {1}]",
    flat="blocked",
    words="a constant on either side of a tie: no gradient passes",
    kinks="a tie gives 1/2; its derivative is 0 everywhere",
    doc="""1 where x > y, 0 where x < y, 1/2 where they are equal.

    >>> share(3.0, 2.0), share(2.0, 2.0)
    (1.0, 0.5)
    """,
)  # fmt: skip

maximum = primitive(
    "maximum", lambda x, y: x if x >= y or x != x else y,
    lambda x, y, out: share(x, y),
    lambda x, y, out: share(y, x),
    latex=r"\max({0}, {1})", commutative=True,
    flat="blocked",
    words="the larger operand takes the whole gradient, the other one nothing",
    kinks="a tie splits the gradient evenly",
    doc="""The larger of x and y.

    >>> maximum(2.0, 3.0)
    3.0
    """,
)  # fmt: skip

minimum = primitive(
    "minimum", lambda x, y: x if x <= y or x != x else y,
    lambda x, y, out: share(y, x),
    lambda x, y, out: share(x, y),
    latex=r"\min({0}, {1})", commutative=True,
    flat="blocked",
    words="the smaller operand takes the whole gradient, the other one nothing",
    kinks="a tie splits the gradient evenly",
    doc="""The smaller of x and y.

    >>> minimum(2.0, 3.0)
    2.0
    """,
)  # fmt: skip


def _where_of_arrays(condition: Any, x: Any, y: Any) -> Any:
    import numpy

    return numpy.where(condition > 0, x, y)


where: Primitive = primitive(
    "where", lambda condition, x, y: x if condition > 0 else y,
    lambda condition, x, y, out: 0.0,
    lambda condition, x, y, out: where(condition, 1.0, 0.0),
    lambda condition, x, y, out: where(condition, 0.0, 1.0),
    array=_where_of_arrays,
    latex=r"\begin{{cases}}{1} & {0} > 0\\{2} & \text{{otherwise}}\end{{cases}}",
    flat="blocked",
    words="the chosen operand takes the whole gradient; the condition and the other one receive nothing",
    kinks="a condition of 0 (or nan) chooses y; the condition passes no gradient",
    doc="""x where the condition is true, else y. A Value as condition means "greater than 0", and `forward()` evaluates
    it again; a plain bool stays as recorded.

    >>> where(2.0 > 1.0, 10.0, 20.0)
    10.0
    """,
)  # fmt: skip


def _clip(x: float, low: float, high: float) -> float:
    if low > high:
        raise ValueError("low is greater than high")
    if low != low or high != high:
        return math.nan
    return low if x < low else high if x > high else x


def _clip_of_arrays(x: Any, low: Any, high: Any) -> Any:
    import numpy

    if numpy.greater(low, high).any():
        raise ValueError("low is greater than high")
    return numpy.clip(x, low, high)


clip = primitive(
    "clip", _clip,
    lambda x, low, high, out: (1 - step(low - x)) * (1 - step(x - high)),
    lambda x, low, high, out: step(low - x),
    lambda x, low, high, out: step(x - high),
    array=_clip_of_arrays,
    latex=r"\operatorname{{clip}}({0}, {1}, {2})",
    flat="blocked",
    words="inside the limits the gradient goes through; outside, the limit takes it",
    kinks="on a limit the gradient goes to x",
    definition=lambda x, low, high: where(low - x, low, where(x - high, high, x)),
    doc="""x, held between low and high.

    >>> clip(5.0, -1.0, 1.0)
    1.0
    """,
)  # fmt: skip


# ----- Activations -----


def _sigmoid(x: float, slope: float = 1.0) -> float:
    z = slope * x
    if z >= 0:
        return 1 / (1 + math.exp(-z))
    e = math.exp(z)  # for a negative z the other form would overflow
    return e / (1 + e)


def _sigmoid_of_arrays(x: Any, slope: Any) -> Any:
    import numpy

    z = slope * x
    e = numpy.exp(-abs(z))
    return numpy.where(z < 0, e, 1.0) / (1 + e)


def _sigmoid_in_exp(x: Any, slope: Any) -> Any:
    return 1 / (1 + exp(-_scaled(x, slope)))


def _scaled(x: Any, factor: Any) -> Any:
    return x if type(factor) is float and factor == 1 else factor * x


sigmoid = primitive(
    "sigmoid", _sigmoid,
    lambda x, slope, out: slope * out * (1 - out),
    lambda x, slope, out: x * out * (1 - out),
    array=_sigmoid_of_arrays,
    latex=r"\sigma({0})",
    flat="saturated",
    words="the slope is out * (1 - out): at most 1/4, nothing where sigmoid is saturated",
    definition=_sigmoid_in_exp,
    doc="""1 / (1 + exp(-slope * x)), between 0 and 1; without overflow for any x.

    >>> sigmoid(0.0), sigmoid(1000.0)
    (0.5, 1.0)
    """,
)  # fmt: skip


def _softplus(x: float, beta: float = 1.0) -> float:
    z = beta * x
    return math.log1p(math.exp(-abs(z))) / beta + (x if z > 0 else 0.0)


def _softplus_of_arrays(x: Any, beta: Any) -> Any:
    import numpy

    z = beta * x
    return numpy.log1p(numpy.exp(-abs(z))) / beta + numpy.where(z > 0, x, 0.0)


def _softplus_in_beta(x: Any, beta: Any, out: Any) -> Any:
    # (x * sigmoid(z) - out) / beta with z = beta * x, written so that nothing large cancels: it is the same at -z.
    z = beta * x
    z = minimum(where(z, z, -z), 1000.0)  # beyond that it is 0; inf would make nan of it
    return -(softplus(-z) + z * sigmoid(-z)) / (beta * beta)


softplus = primitive(
    "softplus", _softplus,
    lambda x, beta, out: sigmoid(x, beta),
    _softplus_in_beta,
    array=_softplus_of_arrays,
    latex=r"\operatorname{{softplus}}({0})",
    flat="saturated",
    words="the slope of softplus is sigmoid",
    definition=lambda x, beta: log(1 + exp(_scaled(x, beta))) / beta,
    doc="""log(1 + exp(beta * x)) / beta, a smooth relu; without overflow for any x; ZeroDivisionError where beta is 0.

    >>> softplus(1000.0)
    1000.0
    """,
)  # fmt: skip


def _relu_of_array(x: Any) -> Any:
    import numpy

    return numpy.maximum(x, 0.0)


relu = primitive(
    "relu", lambda x: x if x > 0 or x != x else 0.0,
    lambda x, out: _step(x) if type(x) is float else step(x),  # a call less: a quarter off the time of a relu
    array=_relu_of_array,
    latex=r"\operatorname{{relu}}({0})",
    flat="blocked",
    words="open where the operand is positive: the gradient goes through; closed elsewhere: nothing does",
    kinks="relu'(0) = 0",
    definition=lambda x: where(x, x, 0.0),
    doc="""x where x > 0, else 0.

    >>> relu(3.0), relu(-3.0)
    (3.0, 0.0)
    """,
)  # fmt: skip


def _leaky_relu(x: float, negative_slope: float = 0.01) -> float:
    return x if x > 0 else negative_slope * x


def _leaky_relu_of_arrays(x: Any, negative_slope: Any) -> Any:
    import numpy

    return numpy.where(x > 0, x, negative_slope * x)


leaky_relu = primitive(
    "leaky_relu", _leaky_relu,
    lambda x, negative_slope, out: step(x) + negative_slope * (1 - step(x)),
    lambda x, negative_slope, out: where(x, 0.0, x),
    array=_leaky_relu_of_arrays,
    latex=r"\operatorname{{leaky\,relu}}({0})",
    flat="blocked",
    words="the gradient goes through where the operand is positive, scaled by negative_slope elsewhere",
    kinks="leaky_relu'(0) = negative_slope",
    definition=lambda x, negative_slope: where(x, x, negative_slope * x),
    doc="""x where x > 0, else negative_slope * x; with a Value as slope, the parametric relu.

    >>> leaky_relu(-3.0, 0.5)
    -1.5
    """,
)  # fmt: skip


def _elu(x: float, alpha: float = 1.0) -> float:
    return x if x > 0 else alpha * math.expm1(x)


def _elu_of_arrays(x: Any, alpha: Any) -> Any:
    import numpy

    return numpy.where(x > 0, x, alpha * numpy.expm1(numpy.minimum(x, 0.0)))


elu = primitive(
    "elu", _elu,
    lambda x, alpha, out: step(x) + (1 - step(x)) * alpha * exp(where(x, 0.0, x)),
    lambda x, alpha, out: expm1(where(x, 0.0, x)),
    array=_elu_of_arrays,
    latex=r"\operatorname{{elu}}({0})",
    flat="saturated",
    words="the gradient goes through where the operand is positive, scaled by alpha times exp elsewhere",
    kinks="elu'(0) = alpha",
    # The inner `where` keeps expm1 from overflowing where its result is not used.
    definition=lambda x, alpha: where(x, x, alpha * expm1(where(x, 0.0, x))),
    doc="""x where x > 0, else alpha * (exp(x) - 1).

    >>> elu(3.0), elu(0.0)
    (3.0, 0.0)
    """,
)  # fmt: skip

silu = primitive(
    "silu", lambda x: x * _sigmoid(x),
    lambda x, out: sigmoid(x) * (1 + x * (1 - sigmoid(x))),
    array=lambda x: x * _sigmoid_of_arrays(x, 1.0),
    latex=r"\operatorname{{silu}}({0})",
    flat="saturated",
    words="near sigmoid's output, a little more where the operand is positive; slightly negative below -1.28",
    definition=lambda x: x * sigmoid(x),
    doc="""x * sigmoid(x), also known as swish.

    >>> silu(0.0)
    0.0
    """,
)  # fmt: skip


# ----- Any number of operands; their public forms, which take lists, are in functions.py -----


def _chain(values: Any) -> Any:
    """values[0] + values[1] + ..., as `+` between them records it."""
    total, *others = values
    for value in others:
        total = total + value
    return total


total = primitive(
    "sum", lambda *values: sum(values, 0.0),
    lambda *values_out: [1.0 for _ in values_out[:-1]],
    array=lambda *arrays: _chain(arrays),
    variadic=True, commutative=True,
    latex=r"\textstyle\sum({0})",
    words="a sum hands its gradient to every operand unchanged",
    definition=lambda *values: _chain(values),
    doc="""The sum of all operands.

    >>> total(1.0, 2.0, 3.0)
    6.0
    """,
)  # fmt: skip

mean = primitive(
    "mean", lambda *values: sum(values, 0.0) / len(values),
    lambda *values_out: [1 / (len(values_out) - 1) for _ in values_out[:-1]],
    array=lambda *arrays: _chain(arrays) / len(arrays),
    variadic=True, commutative=True,
    latex=r"\operatorname{{mean}}({0})",
    words="a mean hands every operand an equal share of its gradient",
    definition=lambda *values: total(*values) / len(values),
    doc="""The arithmetic mean of all operands.

    >>> mean(1.0, 2.0, 6.0)
    3.0
    """,
)  # fmt: skip


def parts_of_dot(operands: Any) -> tuple[Any, Any, Any]:
    """Weights, inputs and bias: the operands of a dot, w1, w2, ..., x1, x2, ..., b, taken apart."""
    half = len(operands) // 2
    return operands[:half], operands[half:-1], operands[-1]


def _dot(*operands: float) -> float:
    weights, inputs, bias = parts_of_dot(operands)
    return sum(map(operator.mul, weights, inputs), 0.0) + float(bias)


def _dot_derivatives(*operands_and_out: Any) -> list[Any]:
    weights, inputs, _ = parts_of_dot(operands_and_out[:-1])
    return [*inputs, *weights, 1.0]


def _dot_of_arrays(*operands: Any) -> Any:
    weights, inputs, bias = parts_of_dot(operands)
    return _chain([*map(operator.mul, weights, inputs), bias])


def _dot_in_products(*operands: Any) -> Any:
    weights, inputs, bias = parts_of_dot(operands)
    no_bias = type(bias) is float and bias == 0
    return _chain([*map(operator.mul, weights, inputs), *([] if no_bias else [bias])])


def _dot_names(count: int) -> list[str]:
    half = range(1, count // 2 + 1)
    return [*(f"w{i}" for i in half), *(f"x{i}" for i in half), "b"]


dot = primitive(
    "dot", _dot,
    _dot_derivatives,
    array=_dot_of_arrays, variadic=True, names=_dot_names, defaults=(0.0,), written_out=True,
    latex=r"\operatorname{{dot}}({0})",
    words="each weight receives the gradient scaled by its input, each input scaled by its weight, the bias unchanged",
    definition=_dot_in_products,
    doc="""w1*x1 + w2*x2 + ... + b, of the operands w1, w2, ..., x1, x2, ..., b.

    >>> dot(2.0, 3.0, 10.0, 100.0, 1.0)
    321.0
    """,
)  # fmt: skip


def _logsumexp(*values: float) -> float:
    largest = max(values)
    if math.isinf(largest):
        return math.nan if any(x != x for x in values) else largest
    return largest + math.log(sum(math.exp(value - largest) for value in values))


def _logsumexp_of_arrays(*arrays: Any) -> Any:
    import numpy

    return numpy.logaddexp.reduce(numpy.broadcast_arrays(*arrays))


logsumexp = primitive(
    "logsumexp", _logsumexp,
    lambda *values_out: [exp(value - values_out[-1]) for value in values_out[:-1]],
    array=_logsumexp_of_arrays, variadic=True, commutative=True,
    latex=r"\operatorname{{logsumexp}}({0})",
    flat="saturated",
    words="each operand receives the gradient times its softmax",
    definition=lambda *values: log(total(*map(exp, values))),
    doc="""log(exp(x1) + exp(x2) + ...), without overflow for any operands.

    >>> logsumexp(1000.0, -1000.0)
    1000.0
    """,
)  # fmt: skip


BUILT_IN.update(PRIMITIVES)

#: The examples above, where doctest looks for them.
__test__ = {name: built_in.__doc__ or "" for name, built_in in PRIMITIVES.items()}
