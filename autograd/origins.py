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
from itertools import product
from typing import TYPE_CHECKING, NamedTuple

from .notation import one_line
from .scalars import with_article

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
        shown = "cell" if "ipykernel_" in self.file or name.startswith("<ipython-input") else one_line(name)
        return f"{shown}:{self.number}"


#: The code of this library, and NumPy's, which is not what the user wrote.
_HOME = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
_OURS = tuple(os.path.join(_HOME, package, "") for package in ("autograd", "nn"))


def calling_line() -> Line:
    """The line outside this library that is being run."""
    frame = _users_frame()[0]
    file, number = frame.f_code.co_filename, frame.f_lineno
    return Line(file, number, linecache.getline(file, number, frame.f_globals).strip())


def stack_level() -> int:
    """How far up the line outside this library is: the `stacklevel` of a warning about it."""
    return _users_frame()[1]


def _users_frame() -> tuple[FrameType, int]:
    frame, level = sys._getframe(2), 1
    while frame.f_back is not None and _is_library(frame):
        frame, level = frame.f_back, level + 1
    return frame, level


def _is_library(frame: FrameType) -> bool:
    module = str(frame.f_globals.get("__name__", ""))
    return frame.f_code.co_filename.startswith(_OURS) or module.partition(".")[0] == "numpy"


def label_from(namespace: Mapping[str, Any]) -> None:
    """Label every Value that has no label yet after the variable that holds it: `label_from(locals())`.

    Values in lists, tuples, dictionaries and arrays are named by their place, as `w[0]` or `w[0][1]`. Of several names
    for one Value the first counts; names that begin with an underscore do not, nor does a notebook's history.

    >>> from autograd import Value
    >>> x, w = Value(2.0), [Value(3.0), Value(4.0)]
    >>> y = x * w[0]
    >>> label_from({"x": x, "w": w, "y": y})
    >>> x.label, w[1].label, y.label
    ('x', 'w[1]', 'y')
    """
    if not hasattr(namespace, "items"):
        given = with_article(type(namespace).__name__)
        raise TypeError(f"label_from takes a dictionary of names, as locals() gives; not {given}")
    history = ("In", "Out") if "get_ipython" in namespace else ()
    names = [name for name in namespace if isinstance(name, str) and not name.startswith("_") and name not in history]
    seen: set[int] = set()
    for name in names:
        waiting = [(name, namespace[name])]
        while waiting:
            place, x = waiting.pop()
            if hasattr(x, "_primitive") and hasattr(x, "label"):
                if not x.label:
                    x.label = place
            elif id(x) not in seen:
                seen.add(id(x))
                waiting.extend(reversed([(f"{place}[{key}]", entry) for key, entry in _entries(x)]))


def _entries(x: Any) -> list[tuple[str, Any]]:
    """The places in a container, as they are written between brackets, and what is there."""
    if isinstance(x, dict):
        return [(repr(key), entry) for key, entry in x.items() if type(entry) is not float]
    if isinstance(x, (list, tuple)):
        return [(str(i), entry) for i, entry in enumerate(x) if type(entry) is not float]
    if getattr(getattr(x, "dtype", None), "kind", "") == "O":  # an array of objects, of NumPy's
        return [(", ".join(map(str, place)) or "()", x[place]) for place in product(*map(range, x.shape))]
    return []
