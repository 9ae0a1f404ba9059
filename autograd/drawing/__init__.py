"""The computation graph as a picture: `draw(y)` shows itself in a notebook, `draw(y).save("graph.svg")` elsewhere.

graph → boxes and arrows (boxes.py) → DOT text (dot_text.py) → SVG, PNG or PDF (rendering.py, finishing.py).
"""

from __future__ import annotations

import warnings
from functools import cached_property
from numbers import Real
from typing import TYPE_CHECKING

from ..graph import nodes
from ..scalars import with_article
from ..value import Value
from .boxes import counted, picture
from .dot_text import dot_text
from .modules import LEVELS
from .rendering import RenderingError

if TYPE_CHECKING:
    from collections.abc import Collection
    from os import PathLike
    from pathlib import Path
    from typing import Any

    from .boxes import Picture

__all__ = ["Drawing", "RenderingError", "draw"]

#: Above this many nodes, or nodes in a row, a drawing is hard to read.
READABLE = 200
READABLE_DEPTH = 60

COLLAPSES = (None, "operations", *LEVELS)


def draw(
    root: Value,
    *,
    edges: bool = False,
    collapse: str | None = None,
    expanded: Collection[Value | str] = (),
    limit: int | None = 2000,
) -> Drawing:
    """The computation graph of `root`, from leaves on the left to `root` on the right.

    Each node shows its label, its value and its gradient (a dash until computed). Leaves are rounded, the root has a
    thick border, constants are small. Where the order of operands matters, they end at numbered or named places.

    Args:
        edges: write the local derivative on each arrow.
        collapse: "operations" draws a chain or tree of one operation, as sums make them, as one box; "neuron" and
            "layer" draw one box for each of those that a network of `nn` is made of.
        expanded: what is not to be collapsed: nodes, or labels of nodes; neurons and layers, such as "layers.0", are
            drawn as a cluster.
        limit: the largest number of nodes that is drawn; None for any number.

    Raises:
        ValueError: for a graph of more nodes than `limit`; it says what to do. For a name in `expanded` that nothing in
            the graph has; it lists those that there are.

    >>> from autograd import Value, draw
    >>> x = Value(2.0, "x")
    >>> drawing = draw(x * x)
    >>> drawing.dot.splitlines()[0]
    'digraph autograd {'
    """
    if not isinstance(root, Value):
        raise TypeError(f"draw takes the Value whose graph is to be drawn, not {with_article(type(root).__name__)}")
    if limit is not None and (isinstance(limit, bool) or not isinstance(limit, Real)):
        raise ValueError(f"limit is the largest number of nodes that is drawn, or None for any number; not {limit!r}")
    if collapse not in COLLAPSES:
        raise ValueError(f"collapse is one of {', '.join(map(repr, COLLAPSES))}; not {collapse!r}")
    if limit is not None and (size := len(nodes(root))) > limit and collapse is None:
        raise ValueError(_too_large(size, limit, collapse))
    drawn = picture(root, collapse=collapse, expanded=expanded)
    if limit is not None and drawn.size > limit:
        raise ValueError(_too_large(drawn.size, limit, collapse))
    if drawn.size > READABLE or drawn.depth > READABLE_DEPTH:
        count = f"{drawn.size} nodes, {drawn.depth} in a row,"
        warnings.warn(f"a drawing of {count} is hard to read: {_advice(collapse)}", stacklevel=2)
    return Drawing(drawn, dot_text(drawn, edges=edges))


def _too_large(size: int, limit: int, collapse: str | None) -> str:
    count = f"{size} nodes{' after folding' * bool(collapse)}"
    raising = "or raise the limit (limit=None), which may take minutes"
    return f"the graph has {count}, more than the limit of {limit}: {_advice(collapse)}; {raising}"


def _advice(collapse: str | None) -> str:
    part = "draw a part of it, such as one of its operands"
    return part if collapse else f"{part}; fold sums and chains with collapse='operations', networks with 'layer'"


class Drawing:
    """A picture of a computation graph: `.dot`, `.svg`, `.save(path)`. It shows itself in a notebook."""

    def __init__(self, drawn: Picture, dot: str) -> None:
        self._drawn = drawn
        self.dot = dot

    @cached_property
    def svg(self) -> str:
        """The picture as an SVG element. Equal drawings are equal bytes; ids of different ones never collide."""
        from .finishing import finished
        from .rendering import svg

        return finished(svg(self.dot), self.dot, self._drawn)

    def save(self, path: str | PathLike[str]) -> Path:
        """Write a file: .svg or .dot, or .png or .pdf where Graphviz is installed. Returns its path.

        Raises:
            ValueError: for another ending.
            RenderingError: for .png and .pdf without Graphviz; it says what to install.
        """
        from pathlib import Path

        from .rendering import image

        target = Path(path)
        kind = target.suffix.lower()
        if kind == ".svg":
            content = (self.svg + "\n").encode()
        elif kind in (".dot", ".gv"):
            content = self.dot.encode()
        elif kind == ".png":
            content = image(self.dot, "png")
        elif kind == ".pdf":
            content = image(self.dot, "pdf")
        else:
            raise ValueError(f"a drawing is saved as .svg, .png, .pdf or .dot, not as {target.name!r}")
        target.write_bytes(content)
        return target

    def _repr_svg_(self) -> str:
        return self.svg

    def _repr_mimebundle_(self, **_: Any) -> tuple[dict[str, str], dict[str, dict[str, str]]]:
        """What Jupyter shows, and what it reads out: it may put the picture where its <desc> is not heard."""
        from .finishing import told

        return {"image/svg+xml": self.svg, "text/plain": repr(self)}, {"image/svg+xml": {"alt": told(self._drawn)}}

    def __repr__(self) -> str:
        return f"<Drawing of {counted(self._drawn)}; .save('graph.svg') writes it>"
