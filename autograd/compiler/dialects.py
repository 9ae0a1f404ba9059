"""How primitives are written in code: `NUMPY.applied(rules.tanh, [NUMPY.name("x")])` reads `np.tanh(x)`.

A `Code` is an expression that primitives can be applied to, as to a Value. So whatever is written with primitives
writes itself: the rules of the table, and the definition of a primitive of the user's.
"""

from __future__ import annotations

import builtins
import keyword
import math
import re
import unicodedata
from typing import TYPE_CHECKING

from .. import rules
from ..notation import FIRMEST, STRENGTH, Formula
from ..primitives import BUILT_IN

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from typing import Any, TypeAlias

    from ..primitives import Primitive

    Operand: TypeAlias = "Code | float"

#: A chain of more terms is written as the sum of a list: Python's own parser is recursive.
LONGEST_CHAIN = 24

#: The longest line, where lines can be broken.
WIDTH = 100


class Code(Formula):
    """An expression of Python, and how firmly it holds together.

    A `negation` makes it a condition, such as `x > 0` (and `x <= 0`): it is written so as a factor, for 1 or 0.
    """

    __slots__ = ("dialect", "negation", "operands", "primitive")

    def __init__(self, dialect: Dialect, text: str, strength: int = FIRMEST, negation: str = "") -> None:
        super().__init__(text, text, strength)
        self.dialect = dialect
        self.negation = negation
        self.primitive: Primitive | None = None  # what it applies, if it does so,
        self.operands: Sequence[Any] = ()  # and to which

    def _record(self, primitive: Primitive, operands: Sequence[Any]) -> Any:
        return self.dialect.applied(primitive, operands)

    def __pos__(self) -> Code:
        return self

    def __abs__(self) -> Any:
        return self._record(rules.absolute, (self,))

    def __gt__(self, other: Any) -> Code:
        return self.dialect.compared(self, ">", other)

    def __lt__(self, other: Any) -> Code:
        return self.dialect.compared(self, "<", other)

    def __ge__(self, other: Any) -> Code:
        return self.dialect.compared(self, ">=", other)

    def __le__(self, other: Any) -> Code:
        return self.dialect.compared(self, "<=", other)

    def __bool__(self) -> bool:
        raise TypeError("it branches on a number; use where()")

    def bracketed(self, least: int) -> str:
        """The text, in brackets if it does not hold together as firmly as that."""
        return self.plain if self.strength >= least else f"({self.plain})"

    def followed(self, suffix: str) -> Code:
        """With an attribute or an index: `x.T`, `(x + y)[:, None]`."""
        negation = f"({self.negation}){suffix}" if self.negation and suffix.startswith("[") else ""
        return Code(self.dialect, self.bracketed(FIRMEST) + suffix, FIRMEST, negation)


#: How firmly `x > 0` and `x if c else y` hold together.
COMPARISON, CHOICE = 0, -1


class Dialect:
    """One way to write primitives.

    Args:
        prefix: of what stands for infinity and nan.
        calls: for primitives that are a function of the library, that function.
        written: for the other ones, functions of the dialect and the operands that give their code.
        helpers: functions that are written into the file where code calls them.
    """

    def __init__(
        self,
        prefix: str,
        calls: Mapping[str, str],
        written: Mapping[str, Callable[..., Any]],
        helpers: Mapping[str, str] | None = None,
    ) -> None:
        self.prefix = prefix
        self.calls = calls
        self.written = {**EVERYWHERE, **written}
        self.helpers = helpers or {}

    def name(self, name: str) -> Code:
        """A variable."""
        return Code(self, name)

    def applied(self, primitive: Primitive, operands: Sequence[Any]) -> Any:
        """The code of a primitive of these operands (Codes and numbers); a number, or an operand, if it is that.

        Raises:
            ValueError: for a primitive of the user's without a definition.
        """
        if primitive.name not in BUILT_IN:
            return self._defined(primitive, operands)
        if primitive.name in self.calls:
            code: Any = self.call(self.calls[primitive.name], *operands)
        else:
            code = self.written[primitive.name](self, *operands)
        if isinstance(code, Code) and code.primitive is None and not any(code is x for x in operands):
            code.primitive, code.operands = primitive, operands
        return code

    def _defined(self, primitive: Primitive, operands: Sequence[Any]) -> Any:
        if primitive.definition is None:
            raise ValueError(undefined(primitive))
        try:
            return primitive.definition(*operands)
        except (TypeError, AttributeError) as error:
            raise ValueError(
                f"the definition of {primitive.name} cannot be written as code ({error}): write it with operators and "
                "primitives alone"
            ) from None

    # ----- Kinds of expressions -----

    def literal(self, number: float, *, whole: bool = True) -> Code:
        """A number; if it is a whole one, without the point unless told otherwise."""
        if not math.isfinite(number):
            text = ("-" if number < 0 else "") + f"{self.prefix}.{'nan' if number != number else 'inf'}"
        elif whole and number == int(number) and abs(number) < 1e15 and math.copysign(1.0, number) * number >= 0:
            text = "-0.0" if number == 0 and math.copysign(1.0, number) < 0 else str(int(number))
        else:
            text = repr(float(number))
        return Code(self, text, STRENGTH["negative"] if text.startswith("-") else FIRMEST)

    def code(self, operand: Operand, *, whole: bool = True) -> Code:
        """An operand as code."""
        return operand if isinstance(operand, Code) else self.literal(operand, whole=whole)

    def number(self, operand: Operand) -> Code:
        """An operand as code for a number, which a condition is not."""
        code = self.code(operand)
        if not code.negation:
            return code
        return Code(self, f"1.0 * ({code.plain})", STRENGTH["multiply"])

    def call(self, function: str, *operands: Operand) -> Code:
        """A call of a function; `function` may be a method of the first operand's module, such as `np.exp`."""
        whole = any(isinstance(x, Code) for x in operands)
        return Code(self, f"{function}({', '.join(self._argument(x, whole=whole) for x in operands)})")

    def _argument(self, operand: Operand, *, whole: bool) -> str:
        return self.number(operand).plain if isinstance(operand, Code) else self.literal(operand, whole=whole).plain

    def infix(self, symbol: str, strength: int, x: Operand, y: Operand) -> Code:
        """`x + y`, and brackets where they are needed: operators group from the left, `**` from the right."""
        first, second = (strength + 1, STRENGTH["negative"]) if symbol == "**" else (strength, strength + 1)
        texts = self.code(x).bracketed(first), self.code(y).bracketed(second)
        return Code(self, f"{texts[0]} {symbol} {texts[1]}", strength)

    def compared(self, x: Operand, sign: str, y: Operand) -> Code:
        """A condition."""
        if not isinstance(x, Code):
            x, sign, y = y, {">": "<", "<=": ">=", ">=": "<=", "<": ">"}[sign], x
        opposite = {">": "<=", "<=": ">", ">=": "<", "<": ">="}[sign]
        left, right = (self.number(operand).bracketed(STRENGTH["add"]) for operand in (x, y))
        return Code(self, f"{left} {sign} {right}", COMPARISON, f"{left} {opposite} {right}")

    def condition(self, code: Code) -> Code:
        """`x > y` where the difference x - y is the number whose sign decides, else `x > 0`."""
        if code.negation:
            return code
        if code.primitive is rules.subtract:
            return self.compared(code.operands[0], ">", code.operands[1])
        return self.compared(code, ">", 0.0)

    def opposite(self, code: Code) -> Code:
        """The condition that holds where this one does not."""
        return Code(self, code.negation, COMPARISON, code.plain)

    def added(self, terms: Iterable[Operand]) -> Any:
        """x + y + ...; what is 0 is left out."""
        kept = [x for x in terms if isinstance(x, Code) or x != 0] or [0.0]
        if len(kept) > LONGEST_CHAIN:
            return Code(self, f"sum([{', '.join(self.number(x).plain for x in kept)}])")
        total = kept[0]
        for x in kept[1:]:
            total = self.applied(rules.add, (total, x))
        return total


def undefined(primitive: Primitive) -> str:
    """That a primitive of the user's cannot be written, and what to do."""
    return (
        f"{primitive.name} is a primitive of your own without a definition, so there is no code for it: give it one, "
        f"primitive({primitive.name!r}, ..., definition=...), in primitives that are built in"
    )


# ----- What is written the same everywhere -----


def _add(dialect: Dialect, x: Operand, y: Operand) -> Any:
    if not isinstance(y, Code) and y < 0:
        return _subtract(dialect, x, -y)
    for zero, other in ((x, y), (y, x)):
        if not isinstance(zero, Code) and zero == 0:
            return other
    return dialect.infix("+", STRENGTH["add"], *_numbers(dialect, x, y))


def _subtract(dialect: Dialect, x: Operand, y: Operand) -> Any:
    if not isinstance(x, Code) and x == 1 and isinstance(y, Code) and y.negation:
        return dialect.opposite(y)
    if not isinstance(y, Code) and y < 0:
        return _add(dialect, x, -y)
    return dialect.infix("-", STRENGTH["add"], *_numbers(dialect, x, y))


def _numbers(dialect: Dialect, *operands: Operand) -> list[Code]:
    """Conditions as numbers, unless one is alone beside what is a number of its own."""
    mixed = any(isinstance(x, Code) and not x.negation for x in operands)
    return [dialect.code(x) if mixed else dialect.number(x) for x in operands]


def _multiply(dialect: Dialect, x: Operand, y: Operand) -> Any:
    condition, other = (x, y) if isinstance(x, Code) and (x.negation or _is_negative_condition(x)) else (y, x)
    if not isinstance(condition, Code) or not (condition.negation or _is_negative_condition(condition)):
        if not isinstance(x, Code) and x == -1:
            return dialect.applied(rules.negative, (y,))
        return dialect.infix("*", STRENGTH["multiply"], x, y)
    if _is_negative_condition(condition):
        condition, other = condition.operands[0], _product(-1.0, other)
    if not isinstance(other, Code):
        other = dialect.literal(other, whole=False)
    text = f"{other.bracketed(STRENGTH['multiply'])} * {condition.bracketed(STRENGTH['multiply'] + 1)}"
    return Code(dialect, text, STRENGTH["multiply"], f"({text}) == 0" if other.negation else "")


def _is_negative_condition(code: Code) -> bool:
    return code.primitive is rules.negative and isinstance(x := code.operands[0], Code) and bool(x.negation)


def _divide(dialect: Dialect, x: Operand, y: Operand) -> Code:
    return dialect.infix("/", STRENGTH["divide"], dialect.number(x), dialect.number(y))


def _negative(dialect: Dialect, x: Operand) -> Code:
    return Code(dialect, f"-{dialect.number(x).bracketed(STRENGTH['power'])}", STRENGTH["negative"])


def _power(dialect: Dialect, x: Operand, y: Operand) -> Code:
    exponent = dialect.number(y) if isinstance(y, Code) else dialect.literal(y, whole=y >= 0)
    return dialect.infix("**", STRENGTH["power"], dialect.number(x), exponent)


def _step(dialect: Dialect, x: Operand) -> Code:
    return dialect.condition(dialect.code(x))


def _chosen(dialect: Dialect, condition: Operand, x: Operand, y: Operand) -> Any:
    """The operand that a condition chooses which is known, and conditions of 1 and 0; None for all else."""
    if not isinstance(condition, Code):
        return x if condition > 0 else y
    if not isinstance(x, Code) and not isinstance(y, Code) and {x, y} == {0.0, 1.0}:
        holds = dialect.condition(condition)
        return holds if x else dialect.opposite(holds)
    return None


def _dot(dialect: Dialect, *operands: Operand) -> Any:
    weights, inputs, bias = rules.parts_of_dot(operands)
    return dialect.added([*map(_product, weights, inputs), bias])


def _product(x: Any, y: Any) -> Any:
    return x * y


def _mean(dialect: Dialect, *operands: Operand) -> Any:
    return dialect.added(operands) / len(operands)


def _scaled(x: Any, factor: Operand) -> Any:
    return factor * x


EVERYWHERE: dict[str, Callable[..., Any]] = {
    "add": _add,
    "subtract": _subtract,
    "multiply": _multiply,
    "divide": _divide,
    "negative": _negative,
    "power": _power,
    "positive": lambda dialect, x: x,
    "step": _step,
    "sum": lambda dialect, *operands: dialect.added(operands),
    "mean": _mean,
    "dot": _dot,
}


# ----- Python -----


def _python_where(dialect: Dialect, condition: Operand, x: Operand, y: Operand) -> Any:
    found = _chosen(dialect, condition, x, y)
    if found is not None:
        return found
    texts = [dialect.number(operand).bracketed(COMPARISON) for operand in (x, y)]
    return Code(dialect, f"{texts[0]} if {dialect.condition(condition).plain} else {texts[1]}", CHOICE)  # type: ignore[arg-type]


def _python_elu(dialect: Dialect, x: Operand, alpha: Operand) -> Any:
    return _python_where(dialect, x, x, _product(alpha, dialect.call("math.expm1", x)))


def _python_sign(dialect: Dialect, x: Operand) -> Code:
    above, below = (dialect.compared(x, sign, 0.0).plain for sign in "><")
    return Code(dialect, f"({above}) - ({below})", STRENGTH["add"])


def _shared_out(dialect: Dialect, x: Operand, y: Operand) -> Any:
    tie = dialect.code(x).bracketed(STRENGTH["add"]) + " == " + dialect.code(y).bracketed(STRENGTH["add"])
    larger = dialect.compared(x, ">", y)
    return Code(dialect, f"({larger.plain}) + 0.5 * ({tie})", STRENGTH["add"])


PYTHON = Dialect(
    "math",
    {
        **{name: f"math.{name}" for name in ("exp", "expm1", "log", "log1p", "sqrt", "sin", "cos", "tan")},
        **{name: f"math.{name}" for name in ("sinh", "cosh", "tanh")},
        "arcsin": "math.asin", "arccos": "math.acos", "arctan": "math.atan",
        "absolute": "abs", "maximum": "max", "minimum": "min", "logsumexp": "logsumexp",
    },
    {
        "sign": _python_sign,
        "share": _shared_out,
        "where": _python_where,
        "clip": lambda dialect, x, low, high: dialect.call("min", dialect.call("max", x, low), high),
        "sigmoid": lambda dialect, x, slope: dialect.call("sigmoid", _scaled(x, slope)),
        "softplus": lambda dialect, x, beta: _over(dialect.call("softplus", _scaled(x, beta)), beta),
        "relu": lambda dialect, x: dialect.call("max", x, dialect.name("0.0")),
        "leaky_relu": lambda dialect, x, slope: _python_where(dialect, x, x, slope * x),
        "elu": _python_elu,
        "silu": lambda dialect, x: x * dialect.call("sigmoid", x),
    },
    {
        "sigmoid": '''
def sigmoid(x):
    """1 / (1 + exp(-x)), without overflow."""
    return 1 / (1 + math.exp(-x)) if x >= 0 else math.exp(x) / (1 + math.exp(x))
''',
        "softplus": '''
def softplus(x):
    """log(1 + exp(x)), without overflow."""
    return max(x, 0.0) + math.log1p(math.exp(-abs(x)))
''',
        "logsumexp": '''
def logsumexp(*values):
    """log(exp(x) + exp(y) + ...), without overflow."""
    largest = max(values)
    return largest + math.log(sum(math.exp(value - largest) for value in values))
''',
    },
)  # fmt: skip


def _over(code: Any, beta: Operand) -> Any:
    return code / beta if isinstance(beta, Code) or beta != 1 else code


# ----- NumPy -----


def _numpy_where(dialect: Dialect, condition: Operand, x: Operand, y: Operand) -> Any:
    found = _chosen(dialect, condition, x, y)
    if found is not None:
        return found
    whole = isinstance(x, Code) or isinstance(y, Code)
    texts = [dialect._argument(operand, whole=whole) for operand in (x, y)]
    return Code(dialect, f"{dialect.prefix}.where({dialect.condition(condition).plain}, {', '.join(texts)})")  # type: ignore[arg-type]


def _numpy_elu(dialect: Dialect, x: Operand, alpha: Operand) -> Any:
    saturating = dialect.call("np.expm1", dialect.call("np.minimum", x, 0.0))
    return _numpy_where(dialect, x, x, _product(alpha, saturating))


def _numpy_logsumexp(dialect: Dialect, *operands: Operand) -> Code:
    return dialect.call("np.logaddexp" if len(operands) == 2 else "logsumexp", *operands)


def _numpy_sigmoid(dialect: Dialect, x: Operand, slope: Operand) -> Any:
    exponent: Any = -dialect.call("np.logaddexp", 0.0, -_scaled(x, slope))
    return dialect.call("np.exp", exponent)


#: What NumPy's functions are called in all that came after it.
FUNCTIONS = (
    "exp", "expm1", "log", "log1p", "sqrt", "sin", "cos", "tan", "arcsin", "arccos", "arctan", "sinh", "cosh", "tanh",
    "sign",
)  # fmt: skip


def _functions_of(module: str, *others: str) -> dict[str, str]:
    return {**{name: f"{module}.{name}" for name in (*FUNCTIONS, *others)}, "absolute": f"{module}.abs"}


NUMPY = Dialect(
    "np",
    _functions_of("np", "maximum", "minimum", "clip"),
    {
        "share": _shared_out,
        "where": _numpy_where,
        "sigmoid": _numpy_sigmoid,
        "softplus": lambda dialect, x, beta: _over(dialect.call("np.logaddexp", 0.0, _scaled(x, beta)), beta),
        "relu": lambda dialect, x: dialect.call("np.maximum", x, 0.0),
        "leaky_relu": lambda dialect, x, slope: _numpy_where(dialect, x, x, slope * x),
        "elu": _numpy_elu,
        "silu": lambda dialect, x: x * _numpy_sigmoid(dialect, x, 1.0),
        "logsumexp": _numpy_logsumexp,
    },
    {
        "logsumexp": '''
def logsumexp(*values):
    """log(exp(x) + exp(y) + ...), without overflow."""
    return np.logaddexp.reduce(np.broadcast_arrays(*values))
''',
    },
)  # fmt: skip


# ----- PyTorch, which wants tensors where NumPy takes numbers -----


def _torch_call(function: str) -> Callable[..., Code]:
    """A function that takes tensors alone: a number becomes one of the shape and type of another operand."""

    def written(dialect: Dialect, *operands: Operand) -> Code:
        like = next(x for x in operands if isinstance(x, Code))
        return dialect.call(function, *[_full_like(dialect, x, like) for x in operands])

    return written


def _full_like(dialect: Dialect, x: Operand, like: Code) -> Code:
    return x if isinstance(x, Code) else dialect.call("torch.full_like", like, dialect.literal(x, whole=False))


def _constant_too(dialect: Dialect, full_like: str, chosen: Operand, other: Operand) -> Any:
    """What is chosen once and for all, as a tensor also if it is a number."""
    if isinstance(chosen, Code) or not isinstance(other, Code):
        return chosen
    return dialect.call(full_like, other, dialect.literal(chosen, whole=False))


def _torch_where(dialect: Dialect, condition: Operand, x: Operand, y: Operand) -> Any:
    if not isinstance(condition, Code):
        return _constant_too(dialect, "torch.full_like", *((x, y) if condition > 0 else (y, x)))
    if not isinstance(x, Code) and not isinstance(y, Code):
        x = _full_like(dialect, x, condition)
    return _numpy_where(dialect, condition, x, y)


def _torch_clip(dialect: Dialect, x: Operand, low: Operand, high: Operand) -> Code:
    if isinstance(x, Code) and not isinstance(low, Code) and not isinstance(high, Code):
        return dialect.call("torch.clamp", x, low, high)
    return _torch_call("torch.clamp")(dialect, x, low, high)


def _torch_sigmoid(dialect: Dialect, x: Operand, slope: Operand) -> Any:
    return dialect.call("torch.sigmoid", _scaled(x, slope))


def _torch_softplus(dialect: Dialect, x: Operand, beta: Operand) -> Any:
    # torch's own softplus is an approximation above 20
    return _over(-dialect.call("torch.nn.functional.logsigmoid", -_scaled(x, beta)), beta)


def _torch_elu(dialect: Dialect, x: Operand, alpha: Operand) -> Any:
    if not isinstance(x, Code):
        return _torch_where(dialect, x, x, _product(alpha, math.expm1(min(x, 0.0))))
    below = Code(dialect, f"torch.clamp({x.plain}, max=0.0)")
    return _torch_where(dialect, x, x, _product(alpha, dialect.call("torch.expm1", below)))


def _torch_logsumexp(dialect: Dialect, *operands: Operand) -> Code:
    like = next(x for x in operands if isinstance(x, Code))
    listed = ", ".join(_full_like(dialect, x, like).plain for x in operands)
    return Code(dialect, f"torch.logsumexp(torch.stack([{listed}]), 0)")


TORCH = Dialect(
    "torch",
    _functions_of("torch", "relu"),
    {
        "maximum": _torch_call("torch.maximum"),
        "minimum": _torch_call("torch.minimum"),
        "step": lambda dialect, x: dialect.call("torch.relu", dialect.call("torch.sign", x)),
        "share": lambda dialect, x, y: 0.5 + 0.5 * dialect.call("torch.sign", x - y),
        "where": _torch_where,
        "clip": _torch_clip,
        "sigmoid": _torch_sigmoid,
        "softplus": _torch_softplus,
        "leaky_relu": lambda dialect, x, slope: _torch_where(dialect, x, x, slope * x),
        "elu": _torch_elu,
        "silu": lambda dialect, x: x * _torch_sigmoid(dialect, x, 1.0),
        "logsumexp": _torch_logsumexp,
    },
)  # fmt: skip


# ----- JAX -----


def _jax_clip(dialect: Dialect, x: Operand, low: Operand, high: Operand) -> Any:
    # jnp.clip splits the gradient on a limit
    def where(condition: Code, chosen: Operand, other: Operand) -> Code:
        texts = [dialect.code(operand).plain for operand in (condition, chosen, other)]
        return Code(dialect, f"jnp.where({', '.join(texts)})")

    return where(dialect.compared(x, "<", low), low, where(dialect.compared(x, ">", high), high, x))


def _jax_where(dialect: Dialect, condition: Operand, x: Operand, y: Operand) -> Any:
    if not isinstance(condition, Code):
        return _constant_too(dialect, "jnp.full_like", *((x, y) if condition > 0 else (y, x)))
    texts = [dialect.code(operand, whole=False).plain for operand in (x, y)]
    return Code(dialect, f"jnp.where({dialect.condition(condition).plain}, {', '.join(texts)})")


def _jax_sigmoid(dialect: Dialect, x: Operand, slope: Operand) -> Any:
    return dialect.call("jax.nn.sigmoid", _scaled(x, slope))


def _jax_elu(dialect: Dialect, x: Operand, alpha: Operand) -> Any:
    below = _jax_where(dialect, x, 0.0, x) if isinstance(x, Code) else min(x, 0.0)
    return _jax_where(dialect, x, x, _product(alpha, dialect.call("jnp.expm1", below)))


def _jax_logsumexp(dialect: Dialect, *operands: Operand) -> Code:
    return Code(dialect, f"jax.nn.logsumexp(jnp.array([{', '.join(dialect.code(x).plain for x in operands)}]))")


JAX = Dialect(
    "jnp",
    {
        **{name: code for name, code in _functions_of("jnp", "maximum", "minimum").items() if name != "absolute"},
        "relu": "jax.nn.relu",
    },
    {
        "absolute": lambda dialect, x: x * dialect.call("jnp.sign", x),  # jnp.abs'(0) is 1
        "step": lambda dialect, x: _jax_where(dialect, x, 1.0, 0.0),
        "share": lambda dialect, x, y: 0.5 + 0.5 * dialect.call("jnp.sign", x - y),
        "where": _jax_where,
        "clip": _jax_clip,
        "sigmoid": _jax_sigmoid,
        "softplus": lambda dialect, x, beta: _over(dialect.call("jnp.logaddexp", _scaled(x, beta), 0.0), beta),
        "leaky_relu": lambda dialect, x, slope: _jax_where(dialect, x, x, slope * x),
        "elu": _jax_elu,
        "silu": lambda dialect, x: x * _jax_sigmoid(dialect, x, 1.0),
        "logsumexp": _jax_logsumexp,
    },
)  # fmt: skip

DIALECTS = {"python": PYTHON, "numpy": NUMPY, "torch": TORCH, "jax": JAX}


# ----- Names -----

#: What code may call, and what a reader would stumble over.
RESERVED = {
    *keyword.kwlist, *dir(builtins), "np", "math", "torch", "jax", "jnp", "sigmoid", "softplus", "logsumexp",
}  # fmt: skip


class Names:
    """Gives out names that are legal in Python, each once."""

    def __init__(self, taken: Iterable[str] = ()) -> None:
        self._taken = {*RESERVED, *taken}
        self._last: dict[str, int] = {}

    def copy(self) -> Names:
        """Another one, which has given out the same names."""
        names = Names(self._taken)
        names._last = {**self._last}
        return names

    def new(self, label: str, otherwise: str = "v") -> str:
        """A name as like the label as can be; without one, `otherwise` and a number."""
        wanted = identifier(label)
        if not wanted:
            return self._numbered(otherwise, 1)
        if wanted not in self._taken:
            self._taken.add(wanted)
            return wanted
        if wanted in RESERVED and f"{wanted}_" not in self._taken:
            self._taken.add(f"{wanted}_")
            return f"{wanted}_"
        return self._numbered(f"{wanted}_", 2)

    def _numbered(self, stem: str, first: int) -> str:
        number = self._last.get(stem, first - 1) + 1
        while f"{stem}{number}" in self._taken:
            number += 1
        self._last[stem] = number
        self._taken.add(f"{stem}{number}")
        return f"{stem}{number}"


def identifier(label: str) -> str:
    """A label as a name: `W1[2,3]` becomes `W1_2_3`; empty if nothing is left of it.

    >>> identifier("W1[2,3]"), identifier("σ'"), identifier("2x"), identifier("!")
    ('W1_2_3', 'σ', 'v2x', '')
    """
    # Python takes names that are equal in this form for one.
    text = unicodedata.normalize("NFKC", label)
    text = "".join(c if f"v{c}".isidentifier() else " " for c in text)
    text = re.sub(r"\s+", "_", text.strip()).strip("_")
    return text if not text or text.isidentifier() else f"v{text}"


# ----- Lines -----


def broken(line: str, indent: str = "    ") -> list[str]:
    """A statement on lines of at most WIDTH columns, broken where it has spaces within brackets."""
    if len(indent + line) <= WIDTH:
        return [indent + line]
    start, end = _brackets_to_open(line)
    if start < 0:
        name, sign, value = line.partition(" = ")
        if line.startswith("return "):
            name, sign, value = "return", " ", line[len("return ") :]
        opening, inner, closing = f"{name}{sign}(", value, ")"
    else:
        opening, inner, closing = line[: start + 1], line[start + 1 : end], line[end:]
    deeper = f"{indent}    "
    return [indent + opening, *(deeper + part for part in filled(inner, WIDTH - len(deeper))), indent + closing]


def _brackets_to_open(line: str) -> tuple[int, int]:
    """The outermost brackets that end a line, such as those of a call; (-1, -1) if there are none."""
    end = len(line.rstrip(":")) - 1
    if line[end] not in ")]}" or line.startswith("return "):
        return -1, -1
    depth = 0
    for place in range(end, -1, -1):
        depth += (line[place] in ")]}") - (line[place] in "([{")
        if not depth:
            head = line[:place]
            whole = line.startswith("def ") or re.fullmatch(r"\w+ = [\w.]*", head)
            return (place, end) if whole else (-1, -1)
    return -1, -1


def filled(text: str, width: int) -> list[str]:
    """Text on lines of that width, broken at spaces."""
    # Operators begin a line; an index or a shape is not torn apart.
    text = re.sub(r" ([-+*/@<>=]+|if|else) ", lambda match: f" {match[1]}\0", text)
    text = re.sub(r"\[:, |reshape\([^()]*\)", lambda match: match[0].replace(" ", "\0"), text)
    lines: list[str] = []
    line = ""
    for word in text.split(" "):
        if line and len(line) + 1 + len(word) > width:
            lines.append(line)
            line = word
        else:
            line = f"{line} {word}" if line else word
    return [part.replace("\0", " ") for part in [*lines, line]]


def helpers_called(dialect: Dialect, body: str) -> list[str]:
    """The functions that code calls and that the file must have."""
    return [text.strip("\n") for name, text in dialect.helpers.items() if re.search(rf"(?<![\w.]){name}\(", body)]
