"""What the user's code tells of a graph: the variables that hold its nodes, the lines where operations were written.

    x, z = Value(2.0), Value(3.0)
    y = x * z
    label_from(locals())            # the nodes are labelled x, z and y

`record_lines()` makes operations remember a `Line`; it is looked up here.
"""

from __future__ import annotations

import linecache
import os
import sys
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import FrameType
    from typing import Any


class Line(NamedTuple):
    """A line of code. Its text is kept, since a cell may be changed or gone later."""

    file: str
    number: int
    text: str

    def __str__(self) -> str:
        """`notes.py:4`; cells of a notebook have files with names that nobody chose."""
        name = os.path.basename(self.file)
        shown = "cell" if "ipykernel_" in self.file or name.startswith("<ipython-input") else name
        return f"{shown}:{self.number}"


#: The code of this library, which is not what the user wrote.
_HOME = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
_OURS = tuple(os.path.join(_HOME, package, "") for package in ("autograd", "nn"))


def calling_line() -> Line:
    """The line outside this library that is being run."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and frame.f_back is not None and frame.f_code.co_filename.startswith(_OURS):
        frame = frame.f_back
    assert frame is not None
    file, number = frame.f_code.co_filename, frame.f_lineno
    return Line(file, number, linecache.getline(file, number, frame.f_globals).strip())


def label_from(namespace: Mapping[str, Any]) -> None:
    """Label every Value that has no label yet after the variable that holds it: `label_from(locals())`.

    Values in lists, tuples and dictionaries are named by their place, as `w[0]` or `w[0][1]`. Of several names for one
    Value the first counts; names that begin with an underscore do not.

    >>> from autograd import Value
    >>> x, w = Value(2.0), [Value(3.0), Value(4.0)]
    >>> y = x * w[0]
    >>> label_from({"x": x, "w": w, "y": y})
    >>> x.label, w[1].label, y.label
    ('x', 'w[1]', 'y')
    """
    if not hasattr(namespace, "items"):
        raise TypeError(f"label_from takes a dictionary of names, as locals() gives; not a {type(namespace).__name__}")
    held = [(name, x) for name, x in namespace.items() if isinstance(name, str) and not name.startswith("_")]
    seen: set[int] = set()
    for name, content in held:
        waiting = [(name, content)]
        while waiting:
            place, x = waiting.pop()
            if hasattr(x, "_primitive") and hasattr(x, "label"):
                if not x.label:
                    x.label = place
            elif isinstance(x, (list, tuple, dict)) and id(x) not in seen:
                seen.add(id(x))
                entries = x.items() if isinstance(x, dict) else enumerate(x)
                waiting.extend(reversed([(f"{place}[{key!r}]", entry) for key, entry in entries]))
