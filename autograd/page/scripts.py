"""The rules in JavaScript: `partials_script(log.order)`. rules.py, applied to symbols, prints them.

    multiply: (v, out) => [v[1], v[0]]            # d(out)/dv[0], d(out)/dv[1]

What JavaScript needs beside that is the value of each primitive, which values.js has; that of a primitive of the
user's is its definition, printed in the same way.
"""

from __future__ import annotations

import json
from math import isfinite
from typing import TYPE_CHECKING

from ..notation import Formula
from ..primitives import BUILT_IN

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import Any

    from ..primitives import Primitive
    from ..value import Value

OPERATORS = {"add": "+", "subtract": "-", "multiply": "*", "divide": "/"}


class Script(Formula):
    """A symbol that rules can be applied to: what comes out is the formula in JavaScript, every number exact."""

    __slots__ = ("called",)

    def __init__(self, text: str, called: dict[str, Primitive]) -> None:
        super().__init__(text, latex="")
        self.called = called  # the primitives that the formula calls; the same for all symbols of a rule

    def _record(self, primitive: Primitive, operands: Sequence[Any]) -> Script:
        texts = [x.plain if isinstance(x, Script) else literal(x) for x in operands]
        if primitive.name in OPERATORS:
            return Script(f"({texts[0]} {OPERATORS[primitive.name]} {texts[1]})", self.called)
        if primitive.name == "negative":
            return Script(f"(-{texts[0]})", self.called)
        self.called[primitive.name] = primitive
        return Script(f"{value_of(primitive.name)}({', '.join(texts)})", self.called)

    def __ne__(self, other: object) -> Any:
        # The rule of a power has `y != 0` as a number.
        return Script(f"({self.plain} !== {literal(other)} ? 1 : 0)", self.called)

    def __bool__(self) -> bool:
        raise TypeError("which way a rule goes is not known before the numbers are")

    def __eq__(self, other: object) -> bool:
        raise TypeError("whether a symbol equals something is not known before the numbers are")

    __hash__ = None  # type: ignore[assignment]


def literal(x: Any) -> str:
    """A number in JavaScript, to the last bit.

    >>> literal(0.1), literal(-2), literal(float("inf"))
    ('0.1', '(-2.0)', 'Infinity')
    """
    number = float(x)
    if not isfinite(number):
        return {"inf": "Infinity", "-inf": "(-Infinity)"}.get(str(number), "NaN")
    return f"({number!r})" if repr(number).startswith("-") else repr(number)


def value_of(name: str) -> str:
    """Where JavaScript finds the value of a primitive; its name may be any word of Python's, in any alphabet."""
    return f"VALUES[{json.dumps(name)}]"


def partials_script(order: Iterable[Value]) -> str:
    """JavaScript that fills PARTIALS, and VALUES where values.js lacks a primitive of the user's.

    PARTIALS has one function for each primitive in `order`, for variadic ones one for each number of operands. A
    primitive that no JavaScript can be had for is left out: the page says so.
    """
    lines: dict[str, str] = {}
    called: dict[str, Primitive] = {}
    for node in order:
        if (primitive := node.primitive) is None:
            continue
        count = len(node.operands)
        key = f"{primitive.name}/{count}"
        if key not in lines and (written := _written(_partials, primitive, count, called)):
            lines[key] = f"PARTIALS[{json.dumps(key)}] = (v, out) => [{written}];"
            called[primitive.name] = primitive
    return "\n".join([*_definitions(called), *lines.values()]) + "\n"


def _definitions(called: dict[str, Primitive]) -> list[str]:
    """The values of the user's primitives, and of those that their definitions call."""
    lines: dict[str, str] = {}
    while missing := sorted(set(called) - set(BUILT_IN) - set(lines)):
        for name in missing:
            primitive = called[name]
            text = _written(_definition, primitive, called)
            lines[name] = f"{value_of(name)} = (...v) => {text};" if text else ""
    return [line for line in lines.values() if line]


def _partials(primitive: Primitive, count: int, called: dict[str, Primitive]) -> str:
    *operands, out = [Script(f"v[{i}]", called) for i in range(count)] + [Script("out", called)]
    if primitive.variadic:
        results = primitive.partials[0](*operands, out)
    else:
        results = [rule(*operands, out) for rule in primitive.partials]
    return ", ".join(map(_text, results))


def _definition(primitive: Primitive, called: dict[str, Primitive]) -> str:
    if primitive.definition is None or primitive.variadic:
        raise TypeError(f"the value of {primitive.name} cannot be printed")
    return _text(primitive.definition(*[Script(f"v[{i}]", called) for i in range(primitive.arity)]))


def _text(result: Any) -> str:
    return result.plain if isinstance(result, Script) else literal(result)


def _written(write: Callable[..., str], *given: Any) -> str | None:
    """What `write` makes of the rest; None if it cannot: rules of the user's are code that may do anything."""
    try:
        return write(*given)
    except Exception:
        return None
