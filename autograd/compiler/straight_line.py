"""A recorded graph as a file of straight-line code: `written(y, "numpy")`, the work of `autograd.to_source`.

In Python and NumPy the backward pass is written out as by hand, in stages (CS231n): one line for each node forward,
one for each contribution to a gradient back. PyTorch and JAX differentiate the forward lines themselves.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from .. import rules
from ..graph import label_of, names, nodes
from ..modes import mode
from ..primitives import BUILT_IN
from ..scalars import with_article
from ..value import Value
from .dialects import DIALECTS, Code, Dialect, Names, broken, helpers_called, undefined

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from ..primitives import Primitive

IMPORTS = {
    "python": "import math",
    "numpy": "import numpy as np",
    "torch": "import torch",
    "jax": 'import jax\nimport jax.numpy as jnp\n\njax.config.update("jax_enable_x64", True)',
}


def written(root: Value, framework: str) -> str:
    """The text of a file that computes the value of `root` and its gradients."""
    if not isinstance(root, Value):
        raise TypeError(f"to_source takes a Value, the root of a graph; not {with_article(type(root).__name__)}")
    if framework not in DIALECTS:
        raise ValueError(f"framework is one of {', '.join(map(repr, DIALECTS))}; not {framework!r}")
    return _File(root, framework).text()


def in_built_ins(root: Value) -> list[Value]:
    """The nodes of the graph, in which primitives of the user's are replaced by their definitions."""
    order = nodes(root)
    while any(_own(node) for node in order):
        token = mode.set(None)  # what is recorded here is no part of what the user does
        try:
            root = _replaced(order)
        finally:
            mode.reset(token)
        order = nodes(root)
    return order


def _own(node: Value) -> bool:
    return node.primitive is not None and node.primitive.name not in BUILT_IN


def _replaced(order: list[Value]) -> Value:
    finer: dict[Any, Any] = {}
    for node in order:
        primitive = node.primitive
        if primitive is None:
            finer[node] = node
            continue
        operands = [finer.get(x, x) for x in node.operands]
        if _own(node) and primitive.definition is None:
            raise ValueError(undefined(primitive))
        new = (primitive.definition or primitive)(*operands) if _own(node) else primitive(*operands)
        if isinstance(new, Value) and new.primitive is not None and not label_of(new):
            new.label = node.label
        finer[node] = new
    root = finer[order[-1]]
    return root if isinstance(root, Value) else Value(root)


class _File:
    """What is written, line by line."""

    def __init__(self, root: Value, framework: str) -> None:
        self.framework = framework
        self.dialect: Dialect = DIALECTS[framework]
        self.order = in_built_ins(root)
        self.root = self.order[-1]
        self.leaves = [node for node in self.order if node.primitive is None]
        self.staged = framework in ("python", "numpy")
        self.function = "value_and_gradients" if self.staged else "value"
        self.given = Names([self.function])
        # Names are given to all nodes before any adjoint: what the user chose goes first.
        wanted = names(self.order)
        self.name = {node: self.given.new(wanted[node] if label_of(node) else "") for node in self.order}

    def text(self) -> str:
        """The whole file."""
        body = self.forward()
        if self.staged:
            body = ["    # forward", *body, "    # backward", *self.backward()]
        else:
            body.append(f"    return {self.name[self.root]}")
        parts = [
            IMPORTS[self.framework],
            *helpers_called(self.dialect, "\n".join(body)),
            "\n".join([*self.head(), *body]),
            "\n".join(['if __name__ == "__main__":', *self.main()]),
        ]
        if self.framework == "python" and "math." not in "".join(parts[1:-1]):
            del parts[0]
        return "\n\n\n".join(parts) + "\n"

    def head(self) -> list[str]:
        """The line with `def`, and the docstring."""
        leaves = ", ".join(f"{self.name[leaf]}={self._number(leaf.data)}" for leaf in self.leaves)
        root = label_of(self.root) or "The result"
        told = {
            "python": f"{self._called(root)}, and its gradient by each leaf.",
            "numpy": f"{self._called(root)}, and its gradient by each leaf; arrays of one shape are taken elementwise.",
            "torch": f"{self._called(root)}; give tensors, of which torch.autograd.grad finds the gradients.",
            "jax": f"{self._called(root)}; its gradients are those of jax.grad.",
        }[self.framework]
        return [*broken(f"def {self.function}({leaves}):", ""), f'    """{told}"""']

    def _called(self, root: str) -> str:
        return root if root == "The result" else self.name[self.root]

    def _number(self, number: float) -> str:
        return repr(number) if math.isfinite(number) else f'float("{number!r}")'

    # ----- Forward -----

    def forward(self) -> list[str]:
        """One line for each node."""
        lines: list[str] = []
        for node in self.order:
            if node.primitive is not None:
                code = self.dialect.applied(node.primitive, self._symbols(node.operands))
                lines += broken(f"{self.name[node]} = {self.dialect.number(code).plain}")
        return lines

    def _symbols(self, operands: Sequence[Any]) -> list[Any]:
        return [x if type(x) is float else self.dialect.name(self.name[x]) for x in operands]

    # ----- Backward -----

    def backward(self) -> list[str]:
        """In reverse, what each node hands to its operands: local derivative times adjoint."""
        self.adjoint = {node: self.given.new(f"d{self.name[node]}") for node in self.order}
        written = {self.root}
        lines = [f"    {self.adjoint[self.root]} = 1.0"]
        for node in reversed(self.order):
            if node.primitive is None or node not in written:
                continue
            for operand, local in zip(node.operands, self._locals(node, node.primitive)):
                if isinstance(operand, Value) and (isinstance(local, Code) or local != 0):
                    lines += broken(self._contribution(operand, local, node, first=operand not in written))
                    written.add(operand)
        lines += [f"    {self.adjoint[leaf]} = 0.0" for leaf in self.leaves if leaf not in written]
        returned = ", ".join(f'"{self.name[leaf]}": {self.adjoint[leaf]}' for leaf in self.leaves)
        return [*lines, *broken(f"return {self.name[self.root]}, {{{returned}}}")]

    def _locals(self, node: Value, primitive: Primitive) -> Sequence[Any]:
        """The rules of the table, as code."""
        symbols = self._symbols([*node.operands, node])
        if primitive.variadic:
            return list(primitive.partials[0](*symbols))
        slots = zip(node.operands, primitive.partials)
        return [0.0 if type(x) is float else rule(*symbols) for x, rule in slots]

    def _contribution(self, operand: Value, local: Any, node: Value, *, first: bool) -> str:
        code = self.dialect.number(passed_on(local, self.dialect.name(self.adjoint[node]))).plain
        name = self.adjoint[operand]
        if first:
            return f"{name} = {code}"
        # `+=` would write into an array that another name may hold.
        return f"{name} = {name} + {code}" if self.framework == "numpy" else f"{name} += {code}"

    # ----- What runs -----

    def main(self) -> list[str]:
        """Prints the value and the gradients."""
        shown = f'    print("{self.name[self.root]} =", '
        if self.staged:
            return [
                "    value, gradients = value_and_gradients()",
                f"{shown}value)",
                "    for name, gradient in gradients.items():",
                '        print(f"gradient by {name}: {gradient}")',
            ]
        listed = ", ".join(f'"{self.name[leaf]}"' for leaf in self.leaves)
        if self.framework == "torch":
            number = "torch.tensor(x, dtype=torch.float64, requires_grad=True)"
            found = ["    gradients = torch.autograd.grad(result, leaves, materialize_grads=True)"]
        else:
            number = "jnp.array(x)"
            found = ["    gradients = jax.grad(value, argnums=tuple(range(len(leaves))))(*leaves)"]
        return [
            f"    leaves = [{number} for x in value.__defaults__]",
            "    result = value(*leaves)",
            f"{shown}result.item())",
            *found,
            *broken(f"names = [{listed}]"),
            "    for name, gradient in zip(names, gradients):",
            '        print(f"gradient by {name}: {gradient.item()}")',
        ]


def passed_on(local: Any, adjoint: Code) -> Any:
    """Local derivative times adjoint, as one writes it: `dc`, `-dc`, `dc / 3`, `b * dc`."""
    if isinstance(local, Code):
        numerator = local.operands[0] if local.primitive is rules.divide else 0
        is_reciprocal = not isinstance(numerator, Code) and numerator == 1
        return adjoint / local.operands[1] if is_reciprocal else local * adjoint
    if local == -1:
        return -adjoint
    whole = round(1 / local) if abs(local) < 1 and math.isfinite(1 / local) else 0
    return adjoint / float(whole) if whole and 1 / whole == local else float(local) * adjoint
