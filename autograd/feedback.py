"""What is said of an answer: `Feedback(False, "7? count the arrows")` is true if it is right, and tells so in words.

It prints in a terminal, and shows itself in a notebook. `boxed` is the HTML of all that an exercise says.
"""

from __future__ import annotations

import re
from html import escape
from textwrap import wrap
from typing import TYPE_CHECKING

from .wording import WIDTH

if TYPE_CHECKING:
    from typing import Any

NOTHING_YET = "Nothing to check yet: put your answer where the ... is."
RIGHT = "Right."

#: The bars beside a question, an answer to it, and a right one. Their strokes differ, too.
QUESTION_BORDER, BORDER, RIGHT_BORDER = "solid #0b5cad", "dotted #8c959f", "double #2f9e8f"


def coded(text: str) -> str:
    """Text as HTML; what stands in `backticks` is code.

    >>> coded("`=` for `+=`, if 1 < 2")
    '<code>=</code> for <code>+=</code>, if 1 &lt; 2'
    """
    return re.sub(r"`([^`\n]+)`", r"<code>\1</code>", escape(text))


def boxed(border: str, text: str, *, lines: str = "", below: str = "") -> str:
    """Text for a notebook, as wide as its place and with a bar beside it; what stands in `backticks` is code.

    Args:
        lines: further lines, of equal letters.
        below: more HTML.
    """
    parts = [coded(text)] * bool(text)
    equal = "font-family:monospace;white-space:pre-wrap;margin:0.4em 0"  # nbconvert sets <pre> in the text's letters
    parts += [f'<pre style="{equal}">{escape(lines)}</pre>'] * bool(lines)
    style = f"white-space:pre-wrap;border-left:4px {border};padding:0.2em 0.8em;margin:0.2em 0"
    return f'<div style="{style}">{"".join(parts)}{below}</div>'


class Said:
    """A few lines of text: they print, and show themselves in a notebook."""

    def __init__(self, *lines: str) -> None:
        self.lines = lines

    def __str__(self) -> str:
        return "\n".join(_filled(line) for line in "\n".join(self.lines).split("\n"))

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return boxed(BORDER, "\n".join(self.lines))


class Worked(Said):
    """A solution: code, tables and sums, in equal letters."""

    def _repr_html_(self) -> str:
        return boxed(BORDER, "", lines="\n".join(self.lines))


class Feedback(Said):
    """What an answer is worth: true if it is right, in words otherwise."""

    def __init__(self, right: bool, *lines: str) -> None:
        super().__init__(*lines)
        self.right = bool(right)

    def __bool__(self) -> bool:
        return self.right

    def _repr_html_(self) -> str:
        return boxed(RIGHT_BORDER if self.right else BORDER, "\n".join(self.lines))


def is_blank(answer: Any) -> bool:
    """Whether there is no answer yet: dots, or a list or dictionary of nothing else."""
    if hasattr(answer, "items") and not isinstance(answer, type):
        answer = [x for _, x in answer.items()]
    if isinstance(answer, (list, tuple)):
        return bool(answer) and all(x is None or x is ... for x in answer)
    return answer is None or answer is ...


def _filled(line: str) -> str:
    """A line of prose in lines that fit; what is indented or laid out in columns stays as it is."""
    indent = len(line) - len(line.lstrip())
    if len(line) <= WIDTH or "  " in line.strip():
        return line
    return "\n".join(
        wrap(
            line.strip(),
            WIDTH,
            initial_indent=" " * indent,
            subsequent_indent=" " * (indent + 2),
            break_on_hyphens=False,
        )
    )
