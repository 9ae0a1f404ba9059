"""A page on which the passes of a graph are played, step by step: `player(y).save("player.html")`, or in a notebook.

log → plain data (tape.py), rules in JavaScript (scripts.py), a picture (canvas.py) → one file (document.py), which
needs no network. Its looks are in page.html and page.css. Its scripts, in the order in which they stand in it:

    values.js evaluator.js questions.js     what primitives give, passes in any order, predictions: no view in these
    wording.js graph.js leaves.js           numbers and sentences, the drawing, the sliders
    player.js moments.js                    what is shown is a function of one state; what can be looked at
    card.js ledger.js notices.js            the parts of the view
    address.js controls.js                  the state in the address, buttons and keys; the last one starts the page
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from ..graph import label_of, nodes
from ..scalars import with_article
from ..value import Value

if TYPE_CHECKING:
    from os import PathLike
    from pathlib import Path

    from ..steps import Log

__all__ = ["Player", "player"]

#: A page shows at most this many nodes: beyond that a reader sees nothing, and a browser is slow.
MOST_NODES = 500

#: How high the page is within a notebook, in pixels.
HEIGHT = 620


def player(root: Value) -> Player:
    """A page that plays the forward and the backward pass of `root`, one contribution at a time, both ways.

    Every step says the line of the chain rule in names and numbers, and who waits for whom. Sliders on the leaves
    recompute all of it in the browser. The page is one file that needs nothing else; where scripts do not run, it shows
    the finished graph, the table and the list of all steps.

    Raises:
        ValueError: for a leaf, which has no steps; for a graph of more than 500 nodes; if data was set since the graph
            was recorded.

    >>> from autograd import Value
    >>> x = Value(3.0, "x")
    >>> y = x * x; y.label = "y"
    >>> player(y)
    <Player of y: 2 nodes, 2 steps; .save('player.html') writes it>
    """
    from ..steps import current_log

    if not isinstance(root, Value):
        given = with_article(type(root).__name__)
        raise TypeError(f"player takes the Value whose passes are to be played, not {given}")
    if root.primitive is None:
        raise ValueError(f"{label_of(root) or 'this Value'} is a leaf: nothing was computed, so there are no steps")
    if (size := len(nodes(root))) > MOST_NODES:
        raise ValueError(
            f"a page shows at most {MOST_NODES} nodes, and this graph has {size}: "
            "play a part of it, such as one of its operands or the loss of a single point"
        )
    return Player(current_log(root))


class Player:
    """A page that plays the passes of a graph: `.html`, `.save(path)`. It shows itself in a notebook."""

    def __init__(self, log: Log) -> None:
        from .document import document

        self._log = log
        self.html = document(log)  # made at once: it shows the graph as it is now, whatever becomes of it later

    def save(self, path: str | PathLike[str]) -> Path:
        """Write the page into a file that ends in .html or .htm. Returns its path.

        Raises:
            ValueError: for another ending.
        """
        from pathlib import Path

        target = Path(path)
        if target.suffix.lower() not in (".html", ".htm"):
            raise ValueError(f"a player page is saved as .html, not as {target.name!r}")
        target.write_bytes(self.html.encode())
        return target

    def _repr_html_(self) -> str:
        """The page in a frame of its own, whose scripts can reach nothing outside it."""
        from html import escape

        return (
            f'<iframe srcdoc="{escape(self.html)}" sandbox="allow-scripts" title="{escape(self._title)}" '
            f'width="100%" height="{HEIGHT}" frameborder="0"></iframe>'
        )

    @cached_property
    def _title(self) -> str:
        return f"Player of {self._log.name[self._log.root]}"

    def __repr__(self) -> str:
        size, steps = len(self._log.order), len(self._log.steps)
        return f"<{self._title}: {size} nodes, {steps} steps; .save('player.html') writes it>"
