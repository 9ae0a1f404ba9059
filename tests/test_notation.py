"""How numbers, labels and formulas are written, plainly and in LaTeX."""

from __future__ import annotations

import ast
import math
import operator
import re
from typing import Any

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

import autograd as ag
from autograd import Value, nodes, rules
from autograd.graph import names
from autograd.notation import Formula, constant, expression, latex_name, latex_number, latex_word, number, one_line


def written(root: Value) -> Formula:
    """How the last node is computed."""
    return expression(root, names(nodes(root)))


# ----- Numbers -----


@pytest.mark.parametrize(
    ("x", "digits", "text"),
    [
        (404.853739609282, 6, "404.854"),
        (404.853739609282, 4, "404.9"),
        (2.0, 6, "2"),
        (-0.0, 6, "-0"),
        (1e6, 6, "1e+06"),
        (5e-324, 6, "4.94066e-324"),
        (math.inf, 6, "inf"),
        (-math.inf, 6, "-inf"),
        (math.nan, 6, "nan"),
        (0.1, 17, "0.10000000000000001"),
    ],
)
def test_numbers(x: float, digits: int, text: str) -> None:
    """Significant digits, without zeros at the end."""
    assert number(x, digits) == text


@given(st.floats(allow_nan=False))
def test_seventeen_digits_are_exact(x: float) -> None:
    """What is printed with 17 digits reads back as the same number."""
    assert float(number(x, 17)) == x


@pytest.mark.parametrize(
    ("text", "latex"),
    [
        ("2.5", "2.5"),
        ("9.5e-07", r"9.5 \cdot 10^{-7}"),
        ("-1e+20", r"-1 \cdot 10^{20}"),
        ("inf", r"\infty"),
        ("-inf", r"-\infty"),
    ],
)
def test_numbers_in_latex(text: str, latex: str) -> None:
    """Powers of ten are written as such."""
    assert latex_number(text) == latex


# ----- Labels -----


@pytest.mark.parametrize(
    ("name", "latex"),
    [
        ("x", "x"),
        ("α", "α"),
        ("w12", "w_{12}"),
        ("w_1", "w_{1}"),
        ("v1", "v_{1}"),
        ("loss", r"\mathrm{loss}"),
        ("50%", r"\mathrm{50\%}"),
        ("x_y", r"\mathrm{x\_y}"),
        ("a&b", r"\mathrm{a\&b}"),
        ("$x$", r"\mathrm{\$x\$}"),
        ("}{", r"\mathrm{\}\{}"),
        ("#1", r"\mathrm{\#1}"),
        ("two words", r"\mathrm{two\ words}"),
        ("x^2", r"\mathrm{x\hat{}2}"),
        ("~", r"\mathrm{\sim }"),
        (r"\input", r"\mathrm{\backslash input}"),
        ("a\nb", r"\mathrm{a\backslash nb}"),
    ],
)
def test_labels_in_latex(name: str, latex: str) -> None:
    """Letters with numbers get subscripts; whatever LaTeX would obey is escaped."""
    assert latex_name(name) == latex


@given(st.text())
def test_no_label_breaks_latex(label: str) -> None:
    """Braces balance, and nothing else of LaTeX's syntax is left unescaped."""
    text = re.sub(r"\\[^A-Za-z]", "", latex_word(label))
    assert text.count("{") == text.count("}") == text.count(r"\hat{}")
    assert not re.search(r"[&%$#_~^\n\r]", text.replace(r"\hat{}", ""))


@given(st.text(), st.integers(2, 50))
@example("\u200d", 2)
def test_labels_stay_on_one_line(label: str, width: int) -> None:
    """Control characters and bidirectional overrides do not get through; emoji, and what is plain and short, do."""
    line = one_line(label, width)
    assert len(line.splitlines()) <= 1
    assert line.replace("\u200d", "").isprintable()
    assert line == label or not label.isprintable() or len(label) > width
    line.encode()


def test_long_labels_are_cut() -> None:
    """An ellipsis says so."""
    assert one_line("L" * 10_000, 24) == "L" * 23 + "…"
    assert one_line("L" * 24, 24) == "L" * 24


# ----- Formulas -----

x: Any = Formula("x")
y: Any = Formula("y")
z: Any = Formula("z")


@pytest.mark.parametrize(
    ("formula", "plain"),
    [
        (x - (y - z), "x - (y - z)"),
        (x - y - z, "x - y - z"),
        (x * (y + z), "x * (y + z)"),
        (x / (y * z), "x / (y * z)"),
        (x / y * z, "x / y * z"),
        (-(x**2), "-x ** 2"),
        ((-x) ** 2, "(-x) ** 2"),
        (-(x * y), "-(x * y)"),
        (-x * y, "-x * y"),
        (x * -y, "x * -y"),
        (x - -y, "x - -y"),
        ((x**y) ** z, "(x ** y) ** z"),
        (x ** (y**z), "x ** y ** z"),
        (x ** (-y), "x ** (-y)"),
        (x**-2, "x ** (-2)"),
        (constant(-2.0) ** x, "(-2) ** x"),
        (1 - rules.exp(-x) / 2, "1 - exp(-x) / 2"),
    ],
)
def test_brackets(formula: Formula, plain: str) -> None:
    """As many brackets as Python needs, and no more."""
    assert formula.plain == plain


@pytest.mark.parametrize(
    ("formula", "latex"),
    [
        (x * y, r"x \cdot y"),
        (x / (y + z), r"\frac{x}{y + z}"),
        ((x / y) ** 2, r"\left(\frac{x}{y}\right)^{2}"),
        (x ** (y + z), "x^{y + z}"),
        ((x**y) ** z, r"\left(x^{y}\right)^{z}"),
        (-(x + y), r"-\left(x + y\right)"),
        (rules.exp(x + y), "e^{x + y}"),
        (rules.sqrt(x / y), r"\sqrt{\frac{x}{y}}"),
        (rules.sigmoid(x), r"\sigma(x)"),
        (rules.sigmoid(x, 2.0), r"\operatorname{sigmoid}(x, 2)"),
    ],
)
def test_brackets_in_latex(formula: Formula, latex: str) -> None:
    """Fractions, roots and exponents need none."""
    assert formula.latex == latex


@pytest.mark.parametrize("base", [rules.exp(x), constant(1e-7), constant(2.5e20)])
def test_what_ends_in_an_exponent_is_bracketed_as_a_base(base: Formula) -> None:
    """LaTeX stops at a double superscript such as e^{x}^{2}."""
    assert "}^{" not in (base**2).latex.replace(r"\right)^{", "")


@pytest.mark.parametrize(
    ("root", "plain"),
    [
        (Value(2.0, "x") * 3, "x * 3"),
        (3 - Value(2.0, "x"), "3 - x"),
        (ag.sigmoid(Value(2.0, "x")), "sigmoid(x)"),
        (ag.sigmoid(Value(2.0, "x"), 2.0), "sigmoid(x, 2)"),
        (ag.leaky_relu(Value(2.0, "x"), 0.01), "leaky_relu(x)"),
        (ag.clip(Value(2.0, "x"), 0, 1), "clip(x, 0, 1)"),
        (ag.dot([Value(1.0, "w")], [Value(2.0, "x")]), "w * x"),
        (ag.dot([Value(1.0, "w"), 3.0], [Value(2.0, "x"), 4.0], Value(1.0, "b")), "w * x + 3 * 4 + b"),
        (ag.sum([Value(1.0, "x"), 2.0]), "sum(x, 2)"),
        (ag.sum([Value(1.0, f"x{i}") for i in range(20)]), "sum(x0, x1, x2, x3, x4, x5, ..., x19)"),
    ],
)
def test_expressions_of_nodes(root: Value, plain: str) -> None:
    """Operands in the order as written, without the defaults that were not typed."""
    assert written(root).plain == plain


def test_a_primitive_of_ones_own_is_written_as_a_call() -> None:
    """Without a LaTeX form of its own it is an operator name."""
    own = ag.primitive("notation_own", lambda x, y: x + y, lambda x, y, out: 1.0, lambda x, y, out: 1.0)
    formula = written(own(Value(1.0, "x"), Value(2.0, "y")))
    assert formula.plain == "notation_own(x, y)"
    assert formula.latex.replace(r"\_", "_") == r"\operatorname{notation_own}(x, y)"


# ----- Round trip: the text, read by Python, is the formula -----

SYMBOLS = {"x": 1.5, "y": -0.75, "z": 2.0}
CONSTANTS = [2.0, -3.0, 0.5, 1e-7, -2.5e20]
BINARY = [operator.add, operator.sub, operator.mul, operator.truediv, operator.pow]
Tree = Any


def trees() -> st.SearchStrategy[Tree]:
    """Random formulas as nested tuples."""
    leaf = st.sampled_from([*SYMBOLS, *CONSTANTS])
    return st.recursive(
        leaf,
        lambda tree: st.one_of(
            st.tuples(st.sampled_from(BINARY), tree, tree),
            st.tuples(st.just(operator.neg), tree),
            st.tuples(st.just("halved"), tree),
        ),
        max_leaves=12,
    )


def halved(x: Any) -> Any:
    """Stands for a function, and can be applied to complex numbers too, which Python's ** may give."""
    return x / 2


def built(tree: Tree, leaf: Any, function: Any) -> Any:
    """The tree with its operators applied to what `leaf` makes of symbols and constants."""
    if not isinstance(tree, tuple):
        return leaf(tree)
    operands = [built(part, leaf, function) for part in tree[1:]]
    return function(*operands) if tree[0] == "halved" else tree[0](*operands)


class Floats(ast.NodeTransformer):
    """Makes floats of whole numbers, which know no -0."""

    def visit_Constant(self, node: ast.Constant) -> ast.Constant:
        """2 becomes 2.0."""
        return ast.copy_location(ast.Constant(float(node.value)), node)  # type: ignore[arg-type]


def read_by_python(text: str) -> Any:
    """The value of a formula's text with floats."""
    code = compile(Floats().visit(ast.parse(text, mode="eval")), "formula", "eval")
    return eval(code, {"sin": halved, **SYMBOLS})


@given(trees())
@settings(deadline=None, max_examples=300)
def test_python_reads_the_plain_text_as_the_same_formula(tree: Tree) -> None:
    """The text, evaluated with floats, is what the same operations give directly, to the last bit."""
    formula = built(tree, lambda leaf: Formula(leaf) if leaf in SYMBOLS else constant(leaf), rules.sin)
    try:
        direct = built(tree, lambda leaf: SYMBOLS.get(leaf, leaf), halved)
    except ArithmeticError:
        assume(False)
    assert repr(complex(read_by_python(formula.plain))) == repr(complex(direct))


@given(trees())
@settings(deadline=None)
def test_latex_of_formulas_balances(tree: Tree) -> None:
    """Every bracket that is opened is closed."""
    latex = built(tree, lambda leaf: Formula(leaf) if leaf in SYMBOLS else constant(leaf), rules.sin).latex
    assert latex.count("{") == latex.count("}")
    assert latex.count(r"\left(") == latex.count(r"\right)")
