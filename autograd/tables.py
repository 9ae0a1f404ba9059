"""The forward and backward pass as a table: `print(table(y))`; `.markdown`, `.latex` and `.html` for elsewhere.

One row per node, in topological order: its name, how it is computed, its value, its local derivatives and its
adjoint, as in the tables of CMU 10-601's lecture on backpropagation. The numbers shown are those stored in the graph.

`table(y, blanks="adjoint")` is the same as an exam sheet, `.key` has the answers, `.check(answers)` marks them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from .exams import MOST_DERIVATIVES, Exam
from .graph import names, nodes, stale
from .notation import (
    derivative_symbol,
    expression,
    label_shown,
    latex_name,
    latex_number,
    markdown_code,
    markdown_text,
    number,
    one_line,
)
from .remarks import notes

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping
    from typing import Any

    from .exams import Marks
    from .value import Value

LEAF = "leaf"

HEADINGS = ("step", "name", "expression", "value", "local derivatives", "adjoint")

BLANK = "____"

#: Columns of numbers stand to the right.
RIGHT = ("step", "value", "adjoint")

#: The text form gives local derivatives as many columns as this, then goes on in the next line.
WIDTH_OF_DERIVATIVES = 40


class Row(NamedTuple):
    """One node. `plain` and `latex` forms of its texts stand side by side."""

    step: int
    name: str
    latex_name: str
    expression: str
    latex_expression: str
    value: str
    derivatives: list[tuple[str, str, str]]  # ∂a/∂x, the same in LaTeX, its number; "3 more" at the end has none
    adjoint: str


def table(root: Value, *, blanks: str | Collection[Any] | None = None, digits: int = 6) -> Table:
    """The forward and backward pass of `root` as a table.

    Args:
        blanks: makes it an exam sheet: the column to leave blank ("value", "local derivatives" or "adjoint"), "all" for
            the three, or a list of columns, names of nodes, and pairs such as ("c", "adjoint"). The values of leaves
            are given. The adjoints of a sheet are those of the root's own pass, whether one has been run or not.
        digits: significant digits of the numbers, from 1 to 17.

    >>> from autograd import Value
    >>> a, b = Value(2.0, "a"), Value(3.0, "b")
    >>> c = a * b; c.label = "c"
    >>> c.backward()
    >>> print(table(c))
    step  name  expression  value  local derivatives     adjoint
       1  a     leaf            2                              3
       2  b     leaf            3                              2
       3  c     a * b           6  ∂c/∂a = 3, ∂c/∂b = 2        1
    >>> sheet = table(c, blanks=["adjoint", ("c", "value")])
    >>> print(sheet)
    step  name  expression     value  local derivatives      adjoint
       1  a     leaf               2                        (1) ____
       2  b     leaf               3                        (2) ____
       3  c     a * b       (3) ____  ∂c/∂a = 3, ∂c/∂b = 2  (4) ____
    >>> sheet.check([2, 2, 6, 1])
    3 of 4 right
      (1) adjoint of a: 2? that is the value of a, not its gradient
    """
    if type(digits) is not int or not 1 <= digits <= 17:
        raise ValueError(f"digits is a number of significant digits from 1 to 17, not {digits!r}")
    order = nodes(root)
    if blanks is not None:
        return _sheet(Exam(root, blanks), digits)
    name = names(order, label_shown)
    adjoint = {node: node.grad for node in order if node.has_grad}
    rows = [_row(step, node, name, adjoint, digits) for step, node in enumerate(order, 1)]
    return Table(rows, notes(root, name, stale(order)))


def _sheet(exam: Exam, digits: int) -> Table:
    """The table with blanks, which knows its key."""

    def rows(fill: Callable[[str, int | None], str]) -> list[Row]:
        return [
            _row(
                step,
                node,
                exam.log.name,
                exam.log.adjoints,
                digits,
                lambda text, *place: fill(text, exam.number(*place)),
            )
            for step, node in enumerate(exam.log.order, 1)
        ]

    key = Table(rows(lambda text, number: text if number is None else f"({number}) {text}"), [])
    return Table(rows(lambda text, number: text if number is None else f"({number}) {BLANK}"), [], exam=exam, key=key)


def _row(
    step: int,
    node: Value,
    name: Mapping[Value, str],
    adjoint: Mapping[Value, float],
    digits: int,
    cell: Callable[..., str] = lambda text, *place: text,
) -> Row:
    """The row of a node. `cell` gives what is shown for a text at a place: node, column and, of derivatives, slot."""
    own = name[node]
    moving = [(slot, derivative) for slot, derivative in enumerate(node.local_derivatives) if derivative is not None]
    derivatives = []
    for slot, derivative in moving[:MOST_DERIVATIVES]:
        value = cell(number(derivative, digits), node, "local derivatives", slot)
        derivatives.append((*derivative_symbol(node, slot, name), value))
    if (more := len(moving) - MOST_DERIVATIVES) > 0:
        derivatives.append((f"{more} more", rf"\text{{{more} more}}", ""))
    formula = expression(node, name, digits) if node.primitive else None
    return Row(
        step=step,
        name=own,
        latex_name=latex_name(own),
        expression=one_line(formula.plain, 60) if formula else LEAF,
        latex_expression=formula.latex if formula else r"\text{leaf}",
        value=cell(number(node.data, digits), node, "value"),
        derivatives=derivatives,
        adjoint=cell(number(adjoint[node], digits) if node in adjoint else "-", node, "adjoint"),
    )


class Table:
    """A forward and backward table. `str()` gives text; `.markdown`, `.latex` and `.html` the same for documents."""

    def __init__(self, rows: list[Row], notes: list[str], exam: Exam | None = None, key: Table | None = None) -> None:
        self.rows = rows
        self.notes = notes
        self._exam = exam
        self._key = key

    @property
    def key(self) -> Table:
        """The table with the blanks filled in."""
        return self._key or self

    def check(self, answers: Mapping[Any, float] | Collection[float | None]) -> Marks:
        """Mark the answers to an exam sheet, with hints for the usual mistakes.

        Args:
            answers: the numbers in the order of the blanks, None where there is none; or a dictionary from blanks to
                numbers, a blank being its number, a pair such as ("c", "adjoint"), or a node that has just one.

        Raises:
            ValueError: if the table has no blanks, or an answer belongs to none of them.
        """
        if self._exam is None:
            raise ValueError('this table has no blanks: make an exam sheet with table(root, blanks="adjoint")')
        return self._exam.check(answers)

    def __str__(self) -> str:
        lines = [list(HEADINGS)]
        for row in self.rows:
            first, *others = _wrapped([_equation(symbol, value) for symbol, _, value in row.derivatives])
            lines.append([str(row.step), row.name, row.expression, row.value, first, row.adjoint])
            lines.extend(["", "", "", "", more, ""] for more in others)
        widths = [max(map(len, column)) for column in zip(*lines)]
        notes = ["", *self.notes] if self.notes else []
        return "\n".join([*(_aligned(line, widths) for line in lines), *notes])

    __repr__ = __str__

    @property
    def markdown(self) -> str:
        """The table in Markdown (GitHub's), formulas as code."""
        lines = ["| " + " | ".join(HEADINGS) + " |"]
        lines.append("|" + "|".join("---:" if heading in RIGHT else "---" for heading in HEADINGS) + "|")
        for row in self.rows:
            derivatives = ", ".join(
                markdown_code(_equation(symbol, value), in_table=True) if value else symbol
                for symbol, _, value in row.derivatives
            )
            cells = [
                str(row.step),
                markdown_code(row.name, in_table=True),
                LEAF if row.expression == LEAF else markdown_code(row.expression, in_table=True),
                row.value,
                derivatives,
                row.adjoint,
            ]
            lines.append("| " + " | ".join(cells) + " |")
        return "\n".join([*lines, *(f"\n{markdown_text(note)}" for note in self.notes)]) + "\n"

    @property
    def latex(self) -> str:
        """The table as a LaTeX tabular, for a document that loads amsmath."""
        lines = [r"\begin{tabular}{rllrlr}", " & ".join(HEADINGS) + r" \\ \hline"]
        for row in self.rows:
            derivatives = ", ".join(_equation(symbol, _latex_cell(value)) for _, symbol, value in row.derivatives)
            cells = [row.latex_name, row.latex_expression, _latex_cell(row.value), derivatives]
            texts = [str(row.step), *(f"${cell}$" if cell else "" for cell in cells)]
            texts.append("--" if row.adjoint == "-" else f"${_latex_cell(row.adjoint)}$")
            lines.append(" & ".join(texts) + r" \\")
        lines.append(r"\end{tabular}")
        return "\n".join([*lines, *("% " + note for note in self.notes)]) + "\n"

    @property
    def html(self) -> str:
        """The table as an HTML element that needs no style sheet."""
        from html import escape

        head = "".join(f"<th{_style(heading)}>{heading}</th>" for heading in HEADINGS)
        lines = ['<table class="chalkgrad-table">', f"<thead><tr>{head}</tr></thead>", "<tbody>"]
        for row in self.rows:
            derivatives = ", ".join(_equation(symbol, value) for symbol, _, value in row.derivatives)
            cells = [str(row.step), row.name, row.expression, row.value, derivatives, row.adjoint]
            texts = (f"<td{_style(heading)}>{escape(cell)}</td>" for heading, cell in zip(HEADINGS, cells))
            lines.append(f"<tr>{''.join(texts)}</tr>")
        lines.append("</tbody></table>")
        return "\n".join([*lines, *(f"<p>{escape(note)}</p>" for note in self.notes)]) + "\n"

    def _repr_html_(self) -> str:
        return self.html


def _equation(symbol: str, value: str) -> str:
    """A derivative and its number; that there are more of them equals nothing."""
    return f"{symbol} = {value}" if value else symbol


def _wrapped(parts: list[str]) -> list[str]:
    """The parts with commas between them, in lines of limited width."""
    lines = [""]
    for i, part in enumerate(parts):
        text = part if i == len(parts) - 1 else part + ","
        if lines[-1] and len(lines[-1]) + 1 + len(text) > WIDTH_OF_DERIVATIVES:
            lines.append(text)
        else:
            lines[-1] = f"{lines[-1]} {text}".strip()
    return lines


def _aligned(cells: list[str], widths: list[int]) -> str:
    columns = zip(HEADINGS, cells, widths)
    padded = (cell.rjust(width) if heading in RIGHT else cell.ljust(width) for heading, cell, width in columns)
    return "  ".join(padded).rstrip()


def _latex_cell(text: str) -> str:
    """A number, or a numbered blank, in LaTeX."""
    if not text.startswith("("):
        return latex_number(text)
    place, _, content = text.partition(" ")
    return rf"{place}\ " + (r"\underline{\hspace{3em}}" if content == BLANK else latex_number(content))


def _style(heading: str) -> str:
    return f' style="text-align:{"right" if heading in RIGHT else "left"};padding:0.1em 0.6em"'
