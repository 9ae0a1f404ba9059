"""Expressions given as text: what is read, what is refused, and that the graph is the one that Python records."""

from __future__ import annotations

import math
import warnings
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd as ag
from autograd import Value, nodes
from autograd.expression import LONGEST, Expression, ExpressionError, parse


def recorded(text: str, **values: float) -> Value:
    """The graph of an expression."""
    return parse(text).record(values)


def structure(root: Value) -> list[tuple[Any, ...]]:
    """All that a graph consists of, labels of results aside: primitives, operands by position, numbers, derivatives."""
    order = nodes(root)
    position = {node: i for i, node in enumerate(order)}
    return [
        (
            node.primitive.name if node.primitive else node.label,
            repr(node.data),
            tuple(repr(x) if isinstance(x, float) else position[x] for x in node.operands),
            repr(node.local_derivatives),
        )
        for node in order
    ]


def problem(text: str) -> str:
    """The message about a text that is refused, by parse or, at 1.5 for every variable, by record."""
    with pytest.raises(ExpressionError) as caught:
        attempt(text)
    return str(caught.value)


def attempt(text: str) -> None:
    """Parse and record in all ways; any error but a one-line ExpressionError is a failure."""
    try:
        expression = parse(text)
        values = dict.fromkeys(expression.variables, 1.5)
        for share in (False, True):
            expression.record(values, share=share)
    except ExpressionError as error:
        assert len(str(error).splitlines()) == 1
        raise


# ----- What is read -----


@pytest.mark.parametrize(
    ("text", "variables", "value"),
    [
        ("x", ("x",), 1.5),
        ("-x", ("x",), -1.5),
        ("+x", ("x",), 1.5),
        ("x**2 - 1", ("x",), 1.25),
        ("2*x/3", ("x",), 1.0),
        ("-x**2", ("x",), -2.25),
        ("1e3*x + 0x10 + 1_0", ("x",), 1526.0),
        ("a = x*z; b = a + 1; b/a", ("x", "z"), 3.25 / 2.25),
        ("a = x\n\nb = a*a\nb", ("x",), 2.25),
        ("a = x*z;", ("x", "z"), 2.25),
        ("x = x + 1; x*x", ("x",), 6.25),
        ("x # a remark", ("x",), 1.5),
        (" \t x \n", ("x",), 1.5),
        ("α*β_2", ("α", "β_2"), 2.25),
        ("max(x, 2) + min(x, 2) + abs(-x)", ("x",), 5.0),
        ("where(x > 1, x, 9)", ("x",), 1.5),
        ("where(x - 2, x, 9)", ("x",), 9.0),
        ("where(x < 1, log(x), where(x >= 1.5, 4*x, 0))", ("x",), 6.0),
        ("sum([x, 1, x]) + mean([x, 0.5]) + logsumexp([x])", ("x",), 6.5),
        ("dot([x, 1], [2, x]) + dot([x], [2], bias=x)", ("x",), 9.0),
        ("clip(x, low=0, high=1) + sigmoid(0*x, slope=3)", ("x",), 1.5),
        ("(sin)(x)", ("x",), math.sin(1.5)),
    ],
)
def test_expressions(text: str, variables: tuple[str, ...], value: float) -> None:
    """Numbers, names, operators, functions, assignments."""
    expression = parse(text)
    values = dict.fromkeys(variables, 1.5)
    assert expression.variables == variables
    assert expression.record(values).data == pytest.approx(value)
    assert expression.value(values) == pytest.approx(value)


def test_variables_are_in_the_order_of_the_text() -> None:
    """Not in that of the alphabet or of the tree."""
    assert parse("b**a + c*(d + a)").variables == ("b", "a", "c", "d")


def test_leaves_and_results_are_labelled() -> None:
    """With the names that the text gives them; a second name for a node does not replace the first."""
    y = recorded("a = x*z; b = a; y = b + a", x=2.0, z=3.0)
    assert [node.label for node in nodes(y)] == ["x", "z", "a", "y"]


def test_a_variable_that_is_not_needed_is_still_wanted() -> None:
    """What is named in the text needs a value."""
    assert parse("a = z; x").variables == ("z", "x")


def test_values_beyond_the_variables_do_no_harm() -> None:
    """They are not in the graph."""
    assert len(nodes(recorded("x*x", x=2.0, y=3.0))) == 2


def test_values_are_missing() -> None:
    """The error names them and shows how to give them."""
    with pytest.raises(ExpressionError, match=r"no value is given for z, w: add z=2 w=2"):
        recorded("x*z*w", x=1.0)


def test_no_variable_to_differentiate_by() -> None:
    """A number has no graph."""
    for text in ("2", "1 + 2", "x = 2", "sum([])"):
        assert "there is no variable to differentiate by" in problem(text)


# ----- What is refused -----

ATTACKS = [
    "__import__('os')", "__import__('os').system('true')", "x.__class__", "x.data", "(lambda: x)()", "lambda x: x",
    "[x for x in x]", "{x for x in x}", "{x: x for x in x}", "(x for x in x)", "sum([a for a in x])",
    "sum(a for a in x)", "(y := x)", "f'{x}'", "f'{__import__(\"os\")}'", "'x'", "b'x'", "sum(*x)", "sum(*[x])",
    "sin(**x)", "sin(**{'x': x})", "x[0]", "x[0:1]", "[x][0]", "[x]", "(x, x)", "x,", "{1: x}", "{x}", "x < x < x",
    "x < 1", "where(x < 1 < 2, x, x)", "where(x == 1, x, x)", "where(x is x, x, x)", "where(x in x, x, x)",
    "where(not x, x, x)", "where(x and x, x, x)", "where(x, x < 1, x)", "where(-(x < 1), x, x)", "x if x else x",
    "x and x", "x or x", "not x", "~x", "x @ x", "x // x", "x % x", "x << 1", "x ^ 2", "x | 1", "True", "None",
    "True*x", "1j*x", "...", "eval(x)", "exec(x)", "open(x)", "type(x)", "getattr(x, x)", "print(x)", "math.sin(x)",
    "sin.__globals__", "sin(x).data", "sin(sin)", "sin", "sin(x)(x)", "1(x)", "'a'(x)", "[sin](x)", "sin = x",
    "sum = x", "abs = x; abs", "max = 3", "a = b = x", "a, b = x", "[a] = x", "a.b = x", "a[0] = x", "a: int = x",
    "a: x", "a += x", "x; x", "x\nx", "import os", "from os import path", "del x", "global x", "nonlocal x", "pass",
    "break", "return x", "raise x", "assert x", "yield x", "x = yield", "await x", "if x: x", "while x: x",
    "for a in x: a", "with x: x", "try: x\nexcept: x", "def f(): x", "async def f(): x", "class A: x",
    "match x:\n case 1: x", "@x", "type A = x", "x y", "2x", "x (", "(x", "x)", "((x)", "x +", "+", "* x", "= x",
    "x =", "x == x", "sin(x", "sin x", "sin(x))", "sin(, x)", "1.2.3", "0777", "1e", "'", '"""', "\\", "$x", "x?",
    "`x`", "x!", "#", "", " ", "\n", ";", ";;", "x;;", "a=x>1; where(a, x, x)", "sin()", "sin(x, x)", "sin(x, x=x)",
    "sin(y=x)", "sin(x=x, x=x)", "sigmoid(x, slope=1, slope=2)", "where(x, x)", "max(x)", "max(x, x, x)", "abs()",
    "sum()", "sum(x)", "sum(x, x)", "sum([x], [x])", "sum([[x]])", "sum([x] * 3)", "mean([])", "logsumexp([])",
    "dot([x], [x, x])", "dot(x, x)", "dot([x], [x], [x])", "dot()", "sin([x])", "softmax([x])", "log(0*x)", "log(-x)",
    "sqrt(-x)", "x/0", "x/(x - x)", "1/0", "0**-1*x", "(-x)**0.5", "(-8)**(1/3)*x", "exp(1000*x)", "9**9**9**9",
    "2**10000*x", "clip(x, 2, 1)", "softplus(x, beta=0)", "−x", "x × z", "x²", "√x", "x\u200b", "\u200dx",
    "x\u00a0+\u00a01", "x\x00", "\x00", "\ud800", "'\ud800'", "\x0c", "x\x0cx", "x +\x0c x.a", "x\u2028x", "x\x85x",
    "a = x;\n\nb = a @ x", "\ufeffx.a", "x\rx", "print x", "exec 'x'", "1if x else 2", "0x1for x in x", '"\\d" * x',
    "x <> x",
]  # fmt: skip


@pytest.mark.parametrize("text", ATTACKS)
def test_refused(text: str) -> None:
    """With one line that says why."""
    assert problem(text)


LARGE = [
    "(" * 5_000 + "x" + ")" * 5_000,
    "(" * 9_999 + "x" + ")" * 9_999,
    "(" * 15_000,
    "[" * 15_000,
    "{" * 15_000,
    ")" * 15_000,
    "sin(" * 90 + "x" + ")" * 90,
    "sin(" * 3_000 + "x" + ")" * 3_000,
    "-" * 9_000 + "x",
    "-" * 900 + "x",
    "not " * 4_000 + "x",
    "lambda: " * 2_000 + "x",
    "x" + " + x" * 400,
    "x" + " + x" * 4_000,
    "x" + "**1" * 6_000,
    "x" + ".a" * 9_000,
    "x" + "(x)" * 6_000,
    "x" + "[x]" * 6_000,
    "x if x else " * 1_500 + "x",
    "a = x; " * 2_500 + "a",
    "sum([" + "x, " * 6_000 + "])",
    "a" * 19_999,
    "a" * 10_000 + "*sin(b)",
    "unknown" * 2_000 + "(x)",
    "1" * 5_000 + "*x",
    "1" * 4_000 + "*x",
    "0x" + "f" * 5_000 + "*x",
    "0b" + "1" * 15_000 + "*x",
    "1e" + "9" * 4_000 + "*x",
    "0." + "0" * 15_000 + "1*x",
    "x" + "\n" * 15_000 + "@",
    "'" + "x" * 15_000,
    "#" * 15_000,
    "\\\n" * 7_000 + "x",
    "(x" * 150,
    "{**" * 150,
    "f(a=(" * 90,
    "x" * LONGEST + "x",
    "x" * 10_000_000,
]


@pytest.mark.parametrize("text", LARGE, ids=lambda text: f"{text[:8]!r} {len(text)}")
def test_large_texts_are_read_or_refused(text: str) -> None:
    """Neither the parser's nor Python's own limits show."""
    try:
        attempt(text)
    except ExpressionError as error:
        assert str(error)


def test_long_sums_are_read() -> None:
    """A few hundred terms are no problem."""
    assert recorded("x" + " + x" * 400, x=1.0).data == 401.0


def test_text_beyond_the_limit_is_refused_at_once() -> None:
    """The error says how much is read."""
    assert problem("x" * 10_000_000) == "the expression has 10000000 characters; at most 20000 are read"


@pytest.mark.parametrize("text", ['"\\d" * x', "1if x else 2", "0x1for x in x", "x is 1", "b'\\d'"])
def test_python_s_own_warnings_about_the_text_are_not_shown(text: str) -> None:
    """Someone who types an expression has no use for SyntaxWarnings of '<unknown>'."""
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        assert problem(text)
    assert seen == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x + y.real", "(at column 5: x + >>>y.real<<<)"),
        ("αβγ*y.real", "(at column 5: αβγ*>>>y.real<<<)"),
        ("a = x\nb = a @ x", "(at line 2, column 5: b = >>>a @ x<<<)"),
        ("x + (", "(at column 5: x + >>>(<<<)"),
        ("x*log(0*z) + 1", "(at column 3: x*>>>log(0*z)<<< + 1)"),
        ("x +\x0c y.real", ">>>y.real<<<)"),
        ("x^2", "the operators are + - * / **; a power is x**2"),
        ("f(x)", "unknown function 'f'; there are abs, absolute, "),
        ("sin*x", "sin is a function; call it, as in sin(x)"),
        ("exp = x; exp", "exp is a function; choose another name"),
        ("x*z\nz", "the value of this is not used; give it a name, as in a = x*z"),
        ("  ", "the expression is empty"),
        ("log(-x)", "log(x) at x = -1.5: it needs x > 0"),
    ],
)
def test_messages_point_at_the_place(text: str, message: str) -> None:
    """In characters, with the lines counted where there are several."""
    assert message in problem(text)


def test_messages_are_short() -> None:
    """What is far from the place is left out, also where names are long."""
    assert len(problem("+".join(["x"] * 200) + "+ x.a +" + "+".join(["x"] * 200))) < 250
    assert len(problem("v" * 15_000 + " @ x")) < 250
    assert len(problem("log(-" + "v" * 15_000 + ")")) < 400


def test_a_list_that_is_none_is_named() -> None:
    """The error of sum(x) speaks of lists, not of Python's calls."""
    assert "list" in problem("sum(x)")
    assert "list" in problem("mean(x)")
    assert "list" in problem("dot(x, x)")


def test_names_that_no_message_lists_are_free() -> None:
    """`share` is no function that anyone is told of, so it can be a variable."""
    listed = problem("f(x)")
    assert " share," not in listed
    assert parse("share * price").variables == ("share", "price")


@given(st.one_of(st.text(max_size=40), st.text("xyz019.+-*/()[]{},;=<>!:'\"\\ \n\t#@%^&|~_eEjJ", max_size=40)))
@settings(deadline=None, max_examples=400)
def test_random_text(text: str) -> None:
    """It works, or it is refused in one line; nothing else."""
    try:
        attempt(text)
    except ExpressionError as error:
        assert str(error)


WORDS = [
    "x", "z", "a", "sin", "log", "sum", "where", "dot", "max", "f", "lambda", "if", "else", "for", "in", "not", "and",
    "is", "yield", "await", "import", "class", "def", "None", "True", "1", "2.5", "1e400", "0x1f", "1j", "'s'",
    "f'{x}'", "(", ")", "[", "]", "{", "}", "+", "-", "*", "**", "/", "//", "@", "%", "^", "~", "<", "==", ":=", "=",
    ",", ":", ";", ".", "...", "->", "\n", "\\\n", "#", "\x0c", "\0",
]  # fmt: skip


@given(st.lists(st.sampled_from(WORDS), max_size=15), st.sampled_from(["", " "]))
@settings(deadline=None, max_examples=600)
def test_random_words(words: list[str], space: str) -> None:
    """Python's own words, in any order."""
    try:
        attempt(space.join(words))
    except ExpressionError as error:
        assert str(error)


# ----- The same graph as in Python -----

PYTHON = {name: getattr(ag, name) for name in ag.__all__ if name.islower()} | {
    "abs": ag.absolute,
    "max": ag.maximum,
    "min": ag.minimum,
}


def typed_in_python(text: str, **values: float) -> Value:
    """The graph that Python records of the same text."""
    names: dict[str, Any] = {**PYTHON, **{name: Value(value, name) for name, value in values.items()}}
    *assignments, last = text.split("; ")
    for assignment in assignments:
        exec(assignment, names)
    result: Value = eval(last, names)
    return result


FUNCTIONS = ["sin", "exp", "log", "tanh", "relu", "sqrt", "abs", "sigmoid", "softplus", "arctan"]
TEMPLATES = [
    "({p} + {q})", "({p} - {q})", "({p} * {q})", "({p} / {q})", "({n} ** {m})", "{n} + {m} * {n}", "(-{p})",
    "{f}({p})", "{f}({p})", "max({p}, {q})", "min({p}, {q})", "sigmoid({p}, {q})", "elu({p}, alpha={q})",
    "where({n} < {m}, {p}, {q})", "where({p} >= {q}, {p}, {q})", "clip({p}, -1.0, high={q})", "sum([{p}, {q}, {p}])",
    "mean([{p}, {n}])", "logsumexp([{p}, {q}])", "dot([{p}, {n}], [{m}, {q}], bias={n})", "dot([{p}], [{m}])",
    "leaky_relu({p}, negative_slope={n})",
]  # fmt: skip


def random_expression(random: Random, names: list[str], depth: int) -> str:
    """An expression over these names."""
    small = [random.choice([*names, *names, "2.0", "0.5", "3.0"]) for _ in "nm"]
    if depth == 0:
        return small[0]
    large = [random_expression(random, names, depth - 1) for _ in "pq"]
    return random.choice(TEMPLATES).format(p=large[0], q=large[1], n=small[0], m=small[1], f=random.choice(FUNCTIONS))


def random_program(seed: int) -> str:
    """Assignments and an expression that may use them."""
    random = Random(seed)
    names, statements = ["x", "z"], []
    for name in ("a", "b")[: random.randint(0, 2)]:
        statements.append(f"{name} = {random_expression(random, names, random.randint(0, 2))}")
        names.append(name)
    return "; ".join([*statements, random_expression(random, names, random.randint(1, 3))])


programs = st.integers(0, 10**9).map(random_program)


@given(programs, st.sampled_from([0.5, 1.0, 2.0, -0.75]), st.sampled_from([1.0, 3.0, -2.0]))
@settings(deadline=None, max_examples=400)
def test_the_graph_is_the_one_that_python_records(text: str, x: float, z: float) -> None:
    """The same nodes in the same order with the same numbers; where Python raises, the text is refused."""
    expression = parse(text)
    try:
        typed = typed_in_python(text, x=x, z=z)
    except (ValueError, ArithmeticError, TypeError):
        typed = None
    if not isinstance(typed, Value):
        with pytest.raises(ExpressionError):
            expression.record({"x": x, "z": z})
        return
    ours = expression.record({"x": x, "z": z})
    assert structure(ours) == structure(typed)
    assert repr(expression.value({"x": x, "z": z})) == repr(typed.data)


def gradients(
    expression: Expression, values: dict[str, float], *, share: bool
) -> tuple[float, list[float], list[Value]]:
    """The value, the gradients by leaf names, and the nodes."""
    root = expression.record(values, share=share)
    root.backward()
    order = nodes(root)
    leaves = {node.label: node.grad for node in order if not node.operands}
    return root.data, [leaves.get(name, 0.0) for name in values], order


@given(programs)
@settings(deadline=None, max_examples=300)
def test_shared_subexpressions_give_the_same_gradients(text: str) -> None:
    """No two nodes are the same function of the same operands, and there are no more nodes than before."""
    expression, values = parse(text), {"x": 0.75, "z": 1.25}
    try:
        data, expected, order = gradients(expression, values, share=False)
    except ExpressionError:
        with pytest.raises(ExpressionError):
            expression.record(values, share=True)
        return
    shared_data, found, shared = gradients(expression, values, share=True)
    assert repr(shared_data) == repr(data)
    assert found == pytest.approx(expected, rel=1e-9, abs=1e-12, nan_ok=True)
    assert len(shared) <= len(order)
    results = [(node.primitive, *map(repr_of_constants, node.operands)) for node in shared if node.operands]
    assert len(set(results)) == len(results)


def repr_of_constants(operand: Value | float) -> Value | str:
    """Constants are the same if they are written the same: 0.0 and -0.0 are not, nan and nan are."""
    return operand if isinstance(operand, Value) else repr(operand)


def test_sharing_the_lecture_example() -> None:
    """As one line without names it has three x·z and two log(x); shared, it is the graph with names."""
    line = "exp(x*z) + x*z/log(x) + sin(log(x))/(x*z)"
    named = "a = x*z; b = log(x); c = sin(b); d = exp(a); e = a/b; f = c/a; d + e + f"
    values = {"x": 2.0, "z": 3.0}
    assert len(nodes(parse(line).record(values))) == 13
    assert structure(parse(line).record(values, share=True)) == structure(parse(named).record(values))


def test_zeros_of_both_signs_are_not_shared() -> None:
    """They are different numbers to arctan's relatives and to division."""
    root = parse("(x + 0.0)*(x + -0.0)*(x + 0.0)").record({"x": 1.0}, share=True)
    assert len(nodes(root)) == 5


def test_recording_twice_gives_two_graphs() -> None:
    """An Expression keeps nothing of what it recorded."""
    expression = parse("a = x*x; a + a")
    first, second = (expression.record({"x": 2.0}, share=True) for _ in range(2))
    assert not set(nodes(first)) & set(nodes(second))
