"""Renews what is generated from the package: the picture, the compiled source and the table of rules in the README.

    python tests/refresh.py

A test fails where they are out of date.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import autograd as ag
import nn
from autograd.cli import DEMO
from autograd.expression import parse
from autograd.notation import Formula
from autograd.primitives import BUILT_IN, PRIMITIVES, Primitive

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"
PICTURE = ROOT / "notebooks" / "pictures" / "graph.svg"


def rules_table() -> str:
    """The rules as a Markdown table: each is written by applying it to symbols."""
    head = ["| primitive | local derivatives | what it does to a gradient | at kinks and limits | domain |"]
    rows = [_row(PRIMITIVES[name]) for name in PRIMITIVES if name in BUILT_IN]
    return "\n".join([*head, "|---|---|---|---|---|", *rows]) + "\n"


def _row(primitive: Primitive) -> str:
    names = primitive.names(5 if primitive.name == "dot" else 2 if primitive.variadic else primitive.arity)
    operands = [Formula(name) for name in names]
    out = Formula("out")
    if primitive.variadic:
        derivatives = primitive.partials[0](*operands, out)
    else:
        derivatives = [rule(*operands, out) for rule in primitive.partials]
    texts = [f"`∂/∂{name} = {d.plain if isinstance(d, Formula) else f'{d:g}'}`" for name, d in zip(names, derivatives)]
    written = f"{primitive.name}: " * primitive.written_out + primitive(*operands).plain
    limits = ", ".join(f"`{limit}`" for limit in primitive.limits() if limit)
    cells = [f"`{written}`", "<br>".join(texts), primitive.words, primitive.kinks, limits]
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def compiled_source() -> str:
    """What `compile` makes of a network of three layers."""
    model = nn.MLP(2, [16, 16, 1], seed=1)

    def loss(x: Any, y: Any) -> Any:
        return nn.hinge_loss(model(x), y)

    f = ag.compile(loss)
    f.record([[0.0, 0.0]], [1.0])
    return f"```python\n{f.source.strip()}\n```\n"


def refreshed_readme(text: str) -> str:
    """The README with what is generated as it is now."""
    for name, generated in (("rules", rules_table()), ("source", compiled_source())):
        before, start, rest = text.partition(f"<!-- {name} -->\n")
        _, end, after = rest.partition(f"<!-- end of {name} -->")
        text = before + start + generated + end + after
    return text


def picture() -> str:
    """The picture at the top of the README."""
    y = parse(DEMO).record({"x": 2.0, "z": 3.0})
    y.label = "y"
    y.backward()
    return ag.draw(y).svg + "\n"


if __name__ == "__main__":
    README.write_text(refreshed_readme(README.read_text("utf-8")), "utf-8")
    PICTURE.write_text(picture(), "utf-8")
