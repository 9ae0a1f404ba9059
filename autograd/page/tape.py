"""A graph and its recorded pass as plain data, for JSON: `tape(log)`. The page in the browser reads nothing else.

    {"nodes": [{"name": "x", "value": 2.0, "grad": 48.0},
               {"name": "y", "value": 4.0, "grad": 1.0, "op": "multiply", "in": [0, 0], "local": [2.0, 2.0],
                "text": "({0}) * ({0})", "rule": ["x", "x"]}],
     "ops": {"multiply": ["*", "each factor receives ..."]}, "code": []}

Nodes stand in the order of the recorded pass. Operands are nodes by their place in it, or {"constant": number}; in
texts they are {0}, {1}, ...
"""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING

from ..notation import derivative_rules, expression, number, one_line

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from ..steps import Log
    from ..value import Value

#: Formulas are cut at this many characters.
LONGEST = 120


def tape(log: Log) -> dict[str, Any]:
    """All that the page knows of the graph."""
    place = {node: i for i, node in enumerate(log.order)}
    lines = _lines(log)
    primitives = {node.primitive.name: node.primitive for node in log.order if node.primitive}
    return {
        "nodes": [_entry(node, log, place, lines) for node in log.order],
        "ops": {name: [primitive.symbol, primitive.words] for name, primitive in sorted(primitives.items())},
        "code": [{"file": str(line), "text": one_line(line.text, LONGEST)} for line in lines],
    }


def exact(x: float) -> float | str:
    """A number for JSON, which has no nan and no infinities: they are written as JavaScript's Number() reads them.

    >>> exact(0.1), exact(float("-inf"))
    (0.1, '-Infinity')
    """
    return x if isfinite(x) else str(x).replace("inf", "Infinity").replace("nan", "NaN")


def brief(x: float) -> str:
    """A number as the graph of the page shows it: four significant digits, scientific outside [0.001, 100000).

    >>> [brief(x) for x in (-404.853739609282, 12345.6, 9.5e-7, 1e20, 0.1)]
    ['−404.9', '12346', '9.5e−7', '1e20', '0.1']
    """
    if x == 0 or not isfinite(x):
        return shown_zero(x)
    if 1e-3 <= abs(x) < 99999.5:
        text = f"{x:.0f}" if abs(x) >= 9999.5 else number(x, 4)
    else:
        mantissa, _, exponent = f"{x:.3e}".partition("e")
        text = f"{mantissa.rstrip('0').rstrip('.')}e{int(exponent)}"
    return text.replace("-", "−")


def shown_zero(x: float) -> str:
    """Zero without a sign, nan and infinities by name."""
    return "0" if x == 0 else str(x).replace("-", "−")


def _entry(node: Value, log: Log, place: Mapping[Value, int], lines: Mapping[Any, int]) -> dict[str, Any]:
    entry: dict[str, Any] = {"name": log.name[node], "value": exact(node.data), "grad": exact(log.adjoints[node])}
    if node.primitive is None:
        return entry
    # Names that are no words are bracketed wherever they have to be; the page drops the brackets of positive numbers.
    slots = {operand: f"{{{place[operand]}}}" for operand in node.operands if type(operand) is not float}  # type: ignore[index]
    moving = [slot for slot, x in enumerate(node.local_derivatives) if x is not None]
    rules = derivative_rules(node, moving, log.name)
    entry |= {
        "op": node.primitive.name,
        "in": [{"constant": exact(x)} if type(x) is float else place[x] for x in node.operands],  # type: ignore[index]
        "local": [None if x is None else exact(x) for x in node.local_derivatives],
        "text": expression(node, slots).plain,  # type: ignore[arg-type]
        "rule": {slot: one_line(rule.plain, LONGEST) for slot, rule in zip(moving, rules)},
    }
    if (line := getattr(node, "_line", None)) is not None:
        entry["line"] = lines[line]
    return entry


def _lines(log: Log) -> dict[Any, int]:
    """The lines of code where operations were written, in order, and the place of each among them."""
    lines = {getattr(node, "_line", None): None for node in log.order}
    known = sorted((line for line in lines if line is not None), key=lambda line: (line.file, line.number))
    return {line: i for i, line in enumerate(known)}
