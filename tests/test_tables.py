"""The forward and backward table, as text, Markdown, LaTeX and HTML, and the notes below it."""

from __future__ import annotations

import math
import re
from xml.etree import ElementTree

import pytest
from house_graph import house

import autograd as ag
from autograd import Value, table

HOSTILE = [
    "</script><script>alert(1)</script>",
    '"><img onerror=x>',
    "]]>",
    '<b>|{}\\n"',
    "two\nlines",
    "``<i>``",
    "`<i>`",
    "```<i>",
    "a|b",
    "$&%#_{}~^\\",
    "αβγ",
    "中文标签",
    "😀",
    "שלום",
    "\u202eabc",
    "\x00",
    "\ud800",
    "L" * 10_000,
]


def cmu() -> Value:
    """The backprop example of CMU 10-601, after its backward pass."""
    x, z = Value(2.0, "x"), Value(3.0, "z")
    a = x * z
    b = ag.log(x)
    c = ag.sin(b)
    d = ag.exp(a)
    e = a / b
    f = c / a
    y = d + e + f
    for node, label in zip((a, b, c, d, e, f, y), "abcdefy"):
        node.label = label
    y.backward()
    return y


#: Value and adjoint of each, from the lecture.
CMU = {
    "x": (2.0, 1208.38121512661),
    "z": (3.0, 809.707479218564),
    "a": (6.0, 404.853739609282),
    "b": (0.6931471805599453, -12.360007402472986),
    "c": (0.6389612763136348, 0.1666666666666667),
    "d": (403.4287934927351, 1.0),
    "e": (8.656170245333781, 1.0),
    "f": (0.10649354605227246, 1.0),
    "y": (412.19145728412116, 1.0),
}


def texts(root: Value) -> list[str]:
    """The table in all its forms."""
    shown = table(root)
    return [str(shown), shown.markdown, shown.latex, shown.html]


def hostile_graph() -> Value:
    """A sum of leaves with labels that are trouble."""
    root = ag.sum([Value(float(i), label) * 2.0 for i, label in enumerate(HOSTILE)])
    root.label = "<b>root</b>"
    return root


# ----- Text -----


def test_the_house_graph() -> None:
    """The table as a whole."""
    assert str(table(house())).splitlines() == [
        "step  name  expression  value  local derivatives     adjoint",
        "   1  a     leaf            2                             48",
        "   2  b     leaf            3                             28",
        "   3  c     a * b           6  ∂c/∂a = 3, ∂c/∂b = 2       14",
        "   4  d     c + a           8  ∂d/∂c = 1, ∂d/∂a = 1        6",
        "   5  e     c * d          48  ∂e/∂c = 8, ∂e/∂d = 6        1",
    ]


@pytest.mark.parametrize("name", CMU)
def test_the_lecture_example_shows_every_number_to_six_digits(name: str) -> None:
    """Value and adjoint of each name, as the lecture has them."""
    (line,) = [line for line in str(table(cmu())).splitlines() if line.split()[1] == name]
    value, adjoint = CMU[name]
    assert f"{value:.6g}" in line.split()
    assert line.split()[-1] == f"{adjoint:.6g}"


def test_the_lecture_example_fits_a_hundred_columns() -> None:
    """With nothing cut off and nothing to remark."""
    lines = str(table(cmu())).splitlines()
    assert len(lines) == 11
    assert max(map(len, lines)) <= 100
    assert table(cmu()).notes == []


def test_local_derivatives_are_shown() -> None:
    """Of every operand that is not a constant."""
    x = Value(3.0, "x")
    y = 2.0 * x + x * x
    assert "∂v1/∂x = 2 " in str(table(y))
    assert "∂v2/∂x[1] = 3, ∂v2/∂x[2] = 3" in str(table(y))


def test_digits() -> None:
    """With 17 digits the numbers are exact, with 1 they are short."""
    y = cmu()
    exact = {row.name: row for row in table(y, digits=17).rows}
    assert float(exact["e"].value) == y.operands[0].operands[1].data  # type: ignore[union-attr]
    assert {row.name: row.value for row in table(y, digits=1).rows}["y"] == "4e+02"


@pytest.mark.parametrize("digits", [0, 18, -1, 2.5, "6", None])
def test_digits_that_are_none(digits: object) -> None:
    """The error says what digits are."""
    with pytest.raises(ValueError, match="digits is a number of significant digits from 1 to 17"):
        table(Value(1.0), digits=digits)  # type: ignore[arg-type]


def test_a_leaf_alone() -> None:
    """One row, and the note that its gradient is not computed."""
    assert str(table(Value(2.0, "x"))).splitlines() == [
        "step  name  expression  value  local derivatives  adjoint",
        "   1  x     leaf            2                           -",
        "",
        "gradients not computed; call backward() of x",
    ]


def test_numbers_that_are_none() -> None:
    """nan, infinities, the negative zero and the smallest number are shown as they are."""
    values = [math.nan, math.inf, -math.inf, -0.0, 5e-324, 1.7e308]
    root = ag.sum([Value(value) for value in values])
    root.backward()
    assert [row.value for row in table(root).rows] == ["nan", "inf", "-inf", "-0", "4.94066e-324", "1.7e+308", "nan"]
    assert len(texts(root)) == 4


def test_many_operands_are_shortened() -> None:
    """A sum of a hundred does not make a line of a hundred derivatives."""
    root = ag.sum([Value(1.0, f"x{i}") for i in range(100)])
    assert "92 more" in str(table(root))
    assert max(map(len, str(table(root)).splitlines())) <= 140


def test_what_is_left_out_equals_nothing() -> None:
    """How many derivatives are not shown is no derivative: nothing stands behind it, in any form."""
    sheet = table(ag.sum([Value(1.0, f"x{i}") for i in range(10)]))
    assert str(sheet).splitlines()[-3].endswith("∂v1/∂x7 = 1, 2 more")
    assert sheet.markdown.splitlines()[-3].endswith("`∂v1/∂x7 = 1`, 2 more | - |")
    assert r"= 1, \text{2 more}$ & --" in sheet.latex
    assert "= 1, 2 more</td>" in sheet.html


def test_names_cut_short_stay_different() -> None:
    """Long labels that differ at their end only are two names, or one could not tell who is who."""
    a, b = Value(1.0, "a" * 30 + "1"), Value(2.0, "a" * 30 + "2")
    rows = table(a - b).rows
    assert len({row.name for row in rows}) == 3


def test_labels_that_are_no_text() -> None:
    """Numbers, None, objects do not break a table."""
    for label in (5, 0, None, 1.5, b"x", object()):
        assert len(texts(Value(1.0, label) * 2.0)) == 4  # type: ignore[arg-type]


def test_repr_is_the_text() -> None:
    """The REPL shows the table."""
    assert repr(table(house())) == str(table(house()))


# ----- Markdown -----


def test_markdown_of_the_house_graph() -> None:
    """A table of GitHub's Markdown."""
    lines = table(house()).markdown.splitlines()
    assert lines[0] == "| step | name | expression | value | local derivatives | adjoint |"
    assert lines[1] == "|---:|---|---|---:|---|---:|"
    assert lines[4] == "| 3 | `c` | `a * b` | 6 | `∂c/∂a = 3`, `∂c/∂b = 2` | 14 |"


@pytest.mark.parametrize("label", HOSTILE)
def test_markdown_rows_have_six_cells(label: str) -> None:
    """Pipes in labels are escaped."""
    rows = table(Value(1.0, label) * 2.0).markdown.split("\n\n")[0].splitlines()
    assert [len(re.split(r"(?<!\\)\|", row)) for row in rows] == [8] * 4


@pytest.mark.parametrize("label", HOSTILE)
def test_markdown_shows_labels_as_code(label: str) -> None:
    """No label ends the code that it stands in: what is outside of code (CommonMark 6.1) holds no markup."""
    outside = re.sub(r"(?<!`)(`+)(?!`).*?(?<!`)\1(?!`)", "", table(Value(1.0, label) * 2.0).markdown)
    assert "<" not in outside
    assert "`" not in outside


# ----- LaTeX -----


@pytest.mark.parametrize("root", [cmu(), hostile_graph(), Value(1.0, "x") ** 1e-7, ag.sum([Value(1.0)] * 20)])
def test_latex_is_balanced(root: Value) -> None:
    """Braces match, and each row has six cells."""
    lines = table(root).latex.splitlines()
    assert lines[0] == r"\begin{tabular}{rllrlr}"
    rows = [line for line in lines[1:] if not line.startswith(("%", r"\end"))]
    assert all(row.endswith((r" \\", r" \\ \hline")) for row in rows)
    for row in rows:
        plain = row.replace(r"\\", "").replace(r"\{", "").replace(r"\}", "")
        assert plain.count("{") == plain.count("}")
        assert len(re.findall(r"(?<!\\)&", row)) == 5
        assert len(re.findall(r"(?<!\\)\$", row)) % 2 == 0


def test_latex_of_the_house_graph() -> None:
    """A row as it is typeset."""
    row = r"3 & $c$ & $a \cdot b$ & $6$ & $\partial c / \partial a = 3, \partial c / \partial b = 2$ & $14$ \\"
    assert table(house()).latex.splitlines()[4] == row


def test_latex_has_no_double_superscript() -> None:
    """A base that is written with a power of ten stands in brackets."""
    assert "}^{" not in table(1e-7 ** Value(2.0, "x")).latex.replace(r"\right)^{", "")


# ----- HTML -----


def cells(root: Value) -> list[list[str]]:
    """The texts of the table's body, as a browser shows them."""
    page = ElementTree.fromstring(f"<div>{table(root).html}</div>")
    return [["".join(cell.itertext()) for cell in row] for row in page.iterfind("table/tbody/tr")]


def test_html_of_the_house_graph() -> None:
    """Rows of cells, the same as in the text."""
    assert cells(house())[3] == ["4", "d", "c + a", "8", "∂d/∂c = 1, ∂d/∂a = 1", "6"]


def test_html_of_hostile_labels() -> None:
    """Labels are text, whatever they contain."""
    page = ElementTree.fromstring(f"<div>{table(hostile_graph()).html}</div>")
    assert {element.tag for element in page.iter()} == {"div", "table", "thead", "tr", "th", "tbody", "td", "p"}
    names = [row[1] for row in cells(hostile_graph())]
    assert "<b>root</b>" in names
    assert '"><img onerror=x>' in names


def test_notebooks_show_the_html() -> None:
    """Jupyter asks for _repr_html_."""
    assert table(house())._repr_html_() == table(house()).html


# ----- Notes -----


def test_note_of_gradients_not_computed() -> None:
    """The dash is explained, and what to call."""
    y = Value(2.0, "x") * 3.0
    y.label = "y"
    assert table(y).notes == ["gradients not computed; call backward() of y"]


def test_no_note_after_a_pass() -> None:
    """Nothing to say about one forward and one backward pass, nor after zero_grad() and another."""
    e = house()
    assert table(e).notes == []
    e.zero_grad()
    e.backward()
    assert table(e).notes == []


def test_note_of_leaves_that_hold_two_passes() -> None:
    """Leaves add up, results do not."""
    e = house()
    e.backward()
    assert table(e).notes == ["a, b hold more than this pass: leaves add gradients up until zero_grad()"]


def test_leaves_without_a_gradient_hold_no_more_than_a_pass() -> None:
    """An optimizer's zero_grad clears parameters alone; the note must not say that they hold too much."""
    e = house()
    for leaf in ag.nodes(e)[:2]:
        leaf.grad = None
    (note,) = table(e).notes
    assert "more" not in note
    assert "not computed" in note


def two_roots() -> tuple[Value, Value, Value]:
    """Two roots over one inner node."""
    x = Value(2.0, "x")
    shared = x * x
    first, second = shared * 3.0, shared * 5.0
    shared.label, first.label, second.label = "shared", "y1", "y2"
    return shared, first, second


def test_note_of_another_roots_pass() -> None:
    """y1 and y2 share an inner node, which holds the later pass alone; the leaf holds both."""
    _, first, second = two_roots()
    first.backward()
    second.backward()
    assert table(first).notes == [
        "shared holds the gradient of another root's pass, or of half a pass; call backward() of y1",
        "x holds more than this pass: leaves add gradients up until zero_grad()",
    ]
    assert table(second).notes == ["x holds more than this pass: leaves add gradients up until zero_grad()"]


def test_note_of_a_root_that_had_no_pass() -> None:
    """The gradients shown are another's."""
    _, first, second = two_roots()
    second.backward()
    assert table(first).notes == ["the gradients shown are of another root's pass; call backward() of y1"]
    assert [row.adjoint for row in table(first).rows] == ["20", "5", "-"]


def test_note_of_an_inner_node_as_root() -> None:
    """The pass of the whole graph gave it a gradient that is not 1."""
    shared, first, _ = two_roots()
    first.backward()
    assert table(shared).notes == ["the pass started with a gradient of 3 at shared, not 1"]


def test_note_of_a_seed() -> None:
    """backward(2) starts with 2."""
    x = Value(2.0, "x")
    y = x * x
    y.backward(2.0)
    assert table(y).notes == ["the pass started with a gradient of 2 at the result, not 1"]


def test_note_of_stale_results() -> None:
    """Until forward() is called; the nodes are named."""
    e = house()
    a = ag.nodes(e)[0]
    a.data = 5.0
    assert table(e).notes == ["stale: data was set since c, d, e were computed; call forward() of e"]
    e.forward()
    assert "stale" not in " ".join(table(e).notes)


def test_notes_stand_below_the_table_in_every_form() -> None:
    """Also in Markdown, LaTeX and HTML, escaped."""
    root = Value(1.0, "<x_1>") * 2.0
    root.label = "<y>"
    text, markdown, latex, html = texts(root)
    note = "gradients not computed; call backward() of <y>"
    assert text.splitlines()[-2:] == ["", note]
    assert markdown.splitlines()[-1] == r"gradients not computed; call backward\(\) of \<y\>"
    assert latex.splitlines()[-1] == "% " + note
    assert "<p>gradients not computed; call backward() of &lt;y&gt;</p>" in html


def test_notes_of_many_nodes_are_short() -> None:
    """Five are named, the rest counted."""
    x = Value(1.0, "x")
    y = ag.sum([x * float(i) for i in range(1, 21)])
    x.data = 2.0
    (note, _) = table(y).notes
    assert note.startswith("stale: data was set since v1, v2, v3, v4, v5 and 16 more were computed; call forward() of")


def test_the_table_changes_nothing() -> None:
    """Reading a graph leaves its gradients and data alone."""
    e = house()
    before = [(node.data, node.grad) for node in ag.nodes(e)]
    texts(e)
    assert [(node.data, node.grad) for node in ag.nodes(e)] == before


def test_a_wide_node_takes_linear_time() -> None:
    """The row of a sum of 20,000 operands asks each of them once, and shows eight."""
    wide = ag.sum([Value(1.0) for _ in range(20_000)])
    assert len(table(wide).rows[-1].derivatives) == 9
    assert table(wide).rows[-1].derivatives[-1][0] == "19992 more"
