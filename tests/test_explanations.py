"""explain(x, y): contributions that add up to the gradient, paths counted and walked, text, Markdown and LaTeX.

The counts and products of paths are compared with a recursive enumeration that is not the package's.
"""

from __future__ import annotations

import math
import re
import sys
from typing import TYPE_CHECKING, Any

import pytest
from house_graph import house_nodes
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd as ag
from autograd import Value, explain, nodes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

inf, nan = math.inf, math.nan


def same(x: float, y: float) -> bool:
    """Equal, or both nan."""
    return x == y or (x != x and y != y)


def state(root: Value) -> list[tuple[object, ...]]:
    """All that a reader could have changed."""
    return [
        (node, node.data, node.has_grad, node.grad, node.label, node.operands, node.local_derivatives)
        for node in nodes(root)
    ]


def added_up(explanation: ag.explanations.Explanation) -> float:
    """The contributions one after another, as backward() adds them."""
    total = 0.0
    for contribution in explanation.contributions:
        total += contribution.amount
    return total


# ----- The worked example of CMU 10-601, with the numbers of its table -----

PUBLISHED = {
    "a": 404.853739609282, "b": -12.360007402472986, "c": 0.1666666666666667, "d": 1.0, "e": 1.0, "f": 1.0, "y": 1.0,
    "x": 1208.38121512661, "z": 809.707479218564,
}  # fmt: skip


def lecture() -> dict[str, Value]:
    """y = exp(xz) + xz / log(x) + sin(log(x)) / (xz) at x = 2, z = 3, typed with the names of the lecture."""
    x, z = Value(2.0), Value(3.0)
    a = x * z
    b = ag.log(x)
    c = ag.sin(b)
    d = ag.exp(a)
    e = a / b
    f = c / a
    y = d + e + f
    named = {"x": x, "z": z, "a": a, "b": b, "c": c, "d": d, "e": e, "f": f, "y": y}
    ag.label_from(named)
    return named


@pytest.mark.parametrize("name", PUBLISHED)
def test_gradient_of_the_lecture(name: str) -> None:
    """Every adjoint that the lecture's table states is explained, as a sum that gives it."""
    node = lecture()
    explanation = explain(node[name], node["y"])
    assert explanation.gradient == pytest.approx(PUBLISHED[name], rel=1e-13)
    assert name == "y" or added_up(explanation) == explanation.gradient
    node["y"].backward()
    assert explanation.gradient == node[name].grad


CONSUMERS = {
    "x": [("a", 1, 3.0), ("b", 1, 0.5)],
    "z": [("a", 2, 2.0)],
    "a": [("d", 1, 403.4287934927351), ("e", 1, 1 / 0.6931471805599453), ("f", 2, -0.10649354605227246 / 6)],
    "b": [("c", 1, math.cos(0.6931471805599453)), ("e", 2, -8.656170245333781 / 0.6931471805599453)],
    "c": [("f", 1, 1 / 6)],
}


@pytest.mark.parametrize("name", CONSUMERS)
def test_consumers_of_the_lecture(name: str) -> None:
    """Which consumer, which operand slot, and adjoint × local derivative = product."""
    node = lecture()
    found = explain(node[name], node["y"]).contributions
    told = sorted((c.consumer.label, c.slot + 1, c.local_derivative) for c in found)
    assert [entry[:2] for entry in told] == [entry[:2] for entry in CONSUMERS[name]]
    assert [entry[2] for entry in told] == pytest.approx([entry[2] for entry in CONSUMERS[name]], rel=1e-14)
    for contribution in found:
        assert contribution.upstream == pytest.approx(PUBLISHED[contribution.consumer.label], rel=1e-13)
        assert contribution.amount == contribution.upstream * contribution.local_derivative


def test_text_of_the_lecture() -> None:
    """The whole of it, as a reader sees it."""
    node = lecture()
    assert str(explain(node["x"], node["y"], paths=True)).splitlines() == [
        "x.grad = −6.18 + 1214.56 = 1208.38",
        "  from b = log(x), operand 1: ∂y/∂b · ∂b/∂x = −12.36 × 0.5 = −6.18",
        "    ∂b/∂x = 1 / x: the slope of log is one over its operand",
        "  from a = x * z, operand 1: ∂y/∂a · ∂a/∂x = 404.854 × 3 = 1214.56",
        "    ∂a/∂x = z: each factor receives the gradient scaled by the other factor",
        "5 paths from x to y:",
        "  x → b → c → f → y: 1 × 0.166667 × 0.769239 × 0.5 = 0.0641032",
        "  x → b → e → v1 → y: 1 × 1 × (−12.4882) × 0.5 = −6.24411",
        "  x → a → f → y: 1 × (−0.0177489) × 3 = −0.0532468",
        "  x → a → e → v1 → y: 1 × 1 × 1.4427 × 3 = 4.32809",
        "  x → a → d → v1 → y: 1 × 1 × 403.429 × 3 = 1210.29",
    ]


def test_repr_and_notebook_show_the_same() -> None:
    """The REPL prints the text, a notebook renders the Markdown."""
    *_, e = nodes_of_house = house_nodes()
    explanation = explain(nodes_of_house[0], e)
    assert repr(explanation) == str(explanation)
    assert explanation._repr_markdown_() == explanation.markdown


# ----- Contributions: operands of every kind -----


def test_repeated_operand_contributes_twice() -> None:
    """x * x hands on its gradient by operand 1 and by operand 2."""
    x = Value(3.0, "x")
    y = x * x
    explanation = explain(x, y)
    assert [(c.consumer, c.slot + 1, c.amount) for c in explanation.contributions] == [(y, 1, 3.0), (y, 2, 3.0)]
    assert "operand 1" in str(explanation)
    assert "operand 2" in str(explanation)
    assert str(explanation).startswith("x.grad = 3 + 3 = 6\n")


OPERAND_PLACES: list[tuple[Callable[[Value, Value], Value], list[tuple[int, float]]]] = [
    (lambda x, z: 3 - x, [(2, -1.0)]),
    (lambda x, z: x / 2, [(1, 0.5)]),
    (lambda x, z: 2**x, [(2, 4 * math.log(2))]),
    (lambda x, z: ag.sum([1.0, x, z, 2.0, x]), [(2, 1.0), (5, 1.0)]),
    (lambda x, z: ag.mean([z, 1.0, 1.0, x]), [(4, 0.25)]),
    (lambda x, z: ag.dot([x, 2.0, z], [z, x, 1.0], x), [(1, 5.0), (5, 2.0), (7, 1.0)]),
    (lambda x, z: ag.where(True, x, z), [(2, 1.0)]),
    (lambda x, z: ag.where(z, 0.0, x), [(3, 0.0)]),
    (lambda x, z: ag.clip(10.0, 0.0, x), [(3, 1.0)]),
    (lambda x, z: ag.clip(x, x, x), [(1, 1.0), (2, 0.0), (3, 0.0)]),
    (lambda x, z: ag.logsumexp([x, x]), [(1, 0.5), (2, 0.5)]),
    (lambda x, z: ag.maximum(0.0, x), [(2, 1.0)]),
    (lambda x, z: ag.sigmoid(0.0, x), [(2, 0.0)]),
]


@pytest.mark.parametrize(("function", "expected"), OPERAND_PLACES)
def test_slot_counts_constants_too(
    function: Callable[[Value, Value], Value], expected: list[tuple[int, float]]
) -> None:
    """The operand's number is its place as written, whatever stands beside it; at x = 2, z = 5."""
    x, z = Value(2.0, "x"), Value(5.0, "z")
    contributions = explain(x, function(x, z)).contributions
    assert [c.slot + 1 for c in contributions] == [place for place, _ in expected]
    assert [c.local_derivative for c in contributions] == pytest.approx([derivative for _, derivative in expected])


@settings(deadline=None, max_examples=60)
@given(st.data())
def test_contributions_of_random_graphs_add_up_bit_for_bit(data: st.DataObject) -> None:
    """Of every node: in the order given they sum to what backward() gives, and each names edge and operand."""
    root, _ = data.draw(graphs())
    order = nodes(root)
    explanations = {node: explain(node, root) for node in order}
    before = state(root)
    for node, explanation in explanations.items():
        for c in explanation.contributions:
            assert c.consumer.operands[c.slot] is c.operand is node
            assert same(c.consumer.local_derivatives[c.slot] or 0.0, c.local_derivative)
            assert same(c.upstream, explanations[c.consumer].gradient)
    assert state(root) == before
    root.backward()
    for node, explanation in explanations.items():
        assert same(explanation.gradient, node.grad)
        assert node is root or same(added_up(explanation), node.grad)


def test_root_itself() -> None:
    """There the pass starts, with 1 and without contributions."""
    *_, e = house_nodes()
    explanation = explain(e, e)
    assert (explanation.gradient, explanation.contributions) == (1.0, [])
    assert str(explanation) == "e.grad = 1: it is the root, where the pass starts"
    assert r"\frac{\partial e}{\partial e} &= 1" in explanation.latex


@pytest.mark.parametrize("number", [0.0, 5.0])
def test_leaf_as_root(number: float) -> None:
    """A leaf is the root of its own graph of one node."""
    x = Value(number, "x")
    assert explain(x, x).gradient == 1
    assert explain(Value(number, "z"), x).gradient == 0


@pytest.mark.parametrize("label", ["q", ""])
def test_foreign_value_has_gradient_zero(label: str) -> None:
    """Of what the root does not depend on, it says so in every format."""
    *_, e = house_nodes()
    explanation = explain(Value(7.0, label), e, paths=True)
    assert (explanation.gradient, explanation.contributions, explanation.path_count) == (0.0, [], 0)
    assert str(explanation).startswith(f"{label or 'x'}.grad = 0: e does not depend on it")
    assert "e does not depend on it" in explanation.markdown
    assert explanation.latex.splitlines()[1].endswith("&= 0")


def test_inner_node_and_its_consumer_are_not_mixed_up() -> None:
    """A result is explained by those that read it, not by its operands."""
    _a, _b, c, d, e = house_nodes()
    assert [(k.consumer, k.slot + 1, k.amount) for k in explain(c, e).contributions] == [(e, 1, 8.0), (d, 1, 6.0)]


def test_nodes_of_value_zero_are_nodes() -> None:
    """A Value of 0 is false, and yet has a gradient, consumers and paths."""
    x, w = Value(0.0, "x"), Value(0.0, "w")
    y = ag.relu(x * w) + x
    y.label = "y"
    explanation = explain(x, y, paths=True)
    assert (explanation.gradient, explanation.path_count) == (1.0, 2)
    assert len(explanation.paths) == len(explanation.contributions) == 2
    assert "x → y: 1" in str(explanation)


def test_not_finite_numbers_are_shown() -> None:
    """nan and infinities, also in LaTeX."""
    x = Value(0.0, "x")
    y = ag.sqrt(x) * 0.0
    assert same(explain(x, y).gradient, nan)
    assert str(explain(x, y)).startswith("x.grad = nan\n")
    assert r"0 \cdot \infty" in explain(x, y).latex


@pytest.mark.parametrize(
    ("x", "root", "message"),
    [(2.0, Value(1.0), "x is a float"), (Value(1.0), 3, "root is an int$"), (Value(1.0), None, "root is a NoneType")],
)
def test_other_things_than_values_are_refused(x: Any, root: Any, message: str) -> None:
    """The error says which argument it is."""
    with pytest.raises(TypeError, match=message):
        explain(x, root)


# ----- Wide and deep -----


def test_wide_fork_is_shortened_and_the_rest_summed() -> None:
    """Of 1,000 consumers a few are shown; the others are one number, and all together the gradient."""
    x = Value(2.0, "x")
    y = ag.sum([x * float(i) for i in range(1000)])
    explanation = explain(x, y)
    assert len(explanation.contributions) == 1000
    lines = str(explanation).splitlines()
    assert lines[0] == "x.grad = the sum of 1000 contributions = 499500"
    shown = [c.amount for c in explanation.contributions[:20]]
    assert sum("from v" in line for line in lines) == 20
    assert lines[-1] == f"  and 980 more, together {499500 - sum(shown):g}"
    assert explanation.markdown.count("\n- `from") == 20
    assert explanation.markdown.rstrip().splitlines()[-1].startswith("- and 980 more, together ")
    assert explanation.latex.count(r"\dots") == 2


def test_exactly_as_many_contributions_as_are_shown() -> None:
    """20 are all shown; of 21 one is left over."""
    x = Value(2.0, "x")
    assert "more" not in str(explain(x, ag.sum([x] * 20)))
    assert "and 1 more, together 1" in str(explain(x, ag.sum([x] * 21)))


def test_deep_chain_needs_no_recursion() -> None:
    """A leaf below 5,000 results is explained; its one path is walked, and told without its middle."""
    x = Value(1.0, "x")
    y = x
    for _ in range(5000):
        y = y + 1.0
    explanation = explain(x, y, paths=True)
    assert (explanation.gradient, explanation.path_count) == (1.0, 1)
    assert len(explanation.paths[0]) == 5000
    assert str(explanation).splitlines()[-1] == (
        "  x → v1 → v2 → v3 → v4 → v5 → ... 4990 more ... → v4996 → v4997 → v4998 → v4999 → v5000: "
        "1 × 1 × 1 × 1 × 1 × 1 × ... × 1 × 1 × 1 × 1 × 1 = 1"
    )


def test_ways_of_twelve_nodes_are_shown_whole() -> None:
    """Of more, the middle is left out, of the way and of the product along it."""
    x = Value(1.0, "x")
    y = x
    for length in range(1, 15):
        y = 2.0 * y
        way, _, factors = str(explain(x, y, paths=True)).splitlines()[-1].partition(": ")
        assert ("more" in way) == (length + 1 > 12)
        assert ("..." in factors) == (length > 12)
        assert (way.count("→"), factors.count("×")) == (min(length, 11), length - 1 if length <= 12 else 11)
        assert factors == "2" or factors.endswith(f"= {2**length}")


# ----- Notes -----


def test_stale_graph_is_explained_as_recorded() -> None:
    """Data set since changes no number of the explanation, and is noted in text and Markdown."""
    a, _b, _c, _d, e = house_nodes()
    before = explain(a, e)
    a.data = 100.0
    after = explain(a, e)
    assert [c.amount for c in after.contributions] == [c.amount for c in before.contributions]
    for text in (str(after), after.markdown):
        assert "data was set since: this is the recorded pass; e.forward() computes the new one" in plain(text)
    e.forward()
    assert "data was set" not in str(explain(a, e))


def test_gradient_of_several_passes_is_noted() -> None:
    """The explanation is of one pass; that .grad holds two is said, and no pass or one is not worth a note."""
    a, _b, _c, _d, e = house_nodes()
    before = str(explain(a, e))
    e.backward()
    assert str(explain(a, e)) == before
    e.backward()
    text = str(explain(a, e))
    assert text.startswith(before)
    assert text.splitlines()[-1] == "a.grad reads 96: it was set, or holds other passes or another root's"
    assert "a.grad reads 96" in explain(a, e).markdown


def test_another_roots_pass_is_noted_at_results() -> None:
    """An inner node that holds the gradient of another root is explained by this one's pass."""
    _a, _b, c, d, e = house_nodes()
    d.backward()
    assert explain(c, e).gradient == 14
    assert "c.grad reads 1:" in str(explain(c, e))


def test_lines_are_shown_where_they_were_recorded() -> None:
    """Each contribution ends with file, number and text of the line of its consumer, and of no other."""
    x = Value(2.0, "x")
    with ag.record_lines():
        y = x * x
    z = y + x
    lines = str(explain(x, z)).splitlines()
    written = [line for line in lines if line.startswith("  from")]
    assert [("test_explanations.py:" in line, line.endswith("  y = x * x")) for line in written] == [
        (False, False), (True, True), (True, True),
    ]  # fmt: skip


# ----- Paths -----


@st.composite
def graphs(draw: st.DrawFn) -> tuple[Value, list[Value]]:
    """A small graph of all shapes, with repeated operands, constants and nodes of many operands; and its leaves."""
    numbers = st.sampled_from([-1.5, -0.5, 0.0, 0.3, 1.0, 2.0])
    leaves = [Value(draw(numbers)) for _ in range(draw(st.integers(1, 3)))]
    pool: list[Value] = list(leaves)
    for _ in range(draw(st.integers(1, 8))):
        p, q = (pool[-1 - draw(st.integers(0, len(pool) - 1))] for _ in range(2))
        constant = draw(numbers)
        made: dict[str, Callable[[], Value]] = {
            "add": lambda p=p, q=q: p + q,
            "product": lambda p=p, q=q: p * q,
            "difference": lambda p=p, q=q, constant=constant: constant - p * q,
            "tanh": lambda p=p: ag.tanh(p),
            "relu": lambda p=p: ag.relu(p),
            "sum": lambda p=p, q=q, constant=constant: ag.sum([p, constant, q, p]),
            "dot": lambda p=p, q=q, constant=constant: ag.dot([p, constant], [q, p], q),
            "where": lambda p=p, q=q: ag.where(p, q, p),
        }
        pool.append(made[draw(st.sampled_from(sorted(made)))]())
    return pool[-1], leaves


def enumerated(root: Value, x: Value) -> Iterator[tuple[list[Value], float]]:
    """Every path from x to root, recursively, with the product along it: edges multiply, forks do not."""
    if root is x:
        yield [x], 1.0
        return
    for operand, derivative in zip(root.operands, root.local_derivatives, strict=True):
        if isinstance(operand, Value):
            for path, product in enumerated(operand, x):
                assert derivative is not None
                yield [*path, root], product * derivative


@settings(deadline=None, max_examples=100)
@given(st.data())
def test_paths_of_random_graphs_are_those_of_an_enumeration(data: st.DataObject) -> None:
    """The count is exact; few paths are all shown, and their products add up to the gradient."""
    root, leaves = data.draw(graphs())
    x = data.draw(st.sampled_from([*leaves, *nodes(root)]))
    expected = list(enumerated(root, x))
    explanation = explain(x, root, paths=True)
    assert explanation.path_count == len(expected)
    if len(expected) > 64:
        assert explanation.paths == []
        return
    walked = [[x, *(c.consumer for c in path)] for path in explanation.paths]
    assert sorted(map(ids, walked)) == sorted(ids(path) for path, _ in expected)
    products = [math.prod(c.local_derivative for c in path) for path in explanation.paths]
    scale = sum(map(abs, products))
    assert math.isclose(sum(products), explanation.gradient, rel_tol=1e-12, abs_tol=1e-14 * scale)
    assert str(explanation).count("→") >= sum(map(len, explanation.paths))
    assert ("path" in str(explanation)) == (x is not root)


def ids(path: list[Value]) -> list[int]:
    """What tells paths apart: Values are compared by identity."""
    return list(map(id, path))


def doubled(n: int) -> tuple[Value, Value]:
    """A leaf, and the last of n results, each the sum of the one before and itself: 2**n paths."""
    x = Value(0.0, "x")
    y = x
    for _ in range(n):
        y = y + y
    return x, y


@pytest.mark.parametrize("n", [1, 2, 6, 7, 64, 1000, 3320, 5000])
def test_number_of_paths_is_exact(n: int) -> None:
    """2**n of them, counted without walking one; the text stays readable."""
    x, y = doubled(n)
    explanation = explain(x, y, paths=True)
    assert explanation.path_count == 2**n
    assert len(explanation.paths) == (2**n if n <= 6 else 0)
    lines = str(explanation).splitlines()
    told = next(line for line in lines if " paths from x" in line)
    assert len(told) < 1100
    assert ("too many to show (at most 64)" in told) == (n > 6)
    if n <= 3320:  # up to 1,000 digits are written out
        assert told.startswith(f"{2**n} paths from x to v{n}")


def test_digits_of_a_long_number_of_paths() -> None:
    """A count that is not written out is told by how many digits it has."""
    x, y = doubled(5000)
    digits = len(str(2**5000))
    assert f"{digits} digits" in str(explain(x, y, paths=True))


@pytest.mark.parametrize("n", [3321, 3325])
def test_digits_close_below_a_power_of_ten(n: int) -> None:
    """2**3321 has 1,000 digits and is written out; 2**3325 has 1,001."""
    x, y = doubled(n)
    digits = len(str(2**n))
    told = str(explain(x, y, paths=True))
    assert (f"\n{2**n} paths" if digits <= 1000 else f"{digits} digits") in told


def test_more_paths_than_python_writes_out() -> None:
    """Python refuses to write an int above sys.get_int_max_str_digits(); the explanation does not ask it to."""
    x, y = doubled(14_500)
    explanation = explain(x, y, paths=True)
    assert explanation.path_count == 2**14_500
    assert sys.get_int_max_str_digits() < 4365
    assert "4365 digits (.path_count) long is the number of paths from x to v14500" in str(explanation)


@pytest.mark.parametrize(("count", "shown"), [(63, 63), (64, 64), (65, 0)])
def test_paths_are_shown_up_to_64(count: int, shown: int) -> None:
    """One more, and they are counted alone."""
    x = Value(1.0, "x")
    explanation = explain(x, ag.sum([x] * count), paths=True)
    assert (explanation.path_count, len(explanation.paths)) == (count, shown)
    assert str(explanation).count("x → v1") == explanation.markdown.count("x → v1") == shown
    assert ("too many" in str(explanation)) == (shown == 0)


def test_paths_only_on_request() -> None:
    """Without it, they are neither counted nor mentioned."""
    x, y = doubled(3)
    explanation = explain(x, y)
    assert (explanation.path_count, explanation.paths) == (None, [])
    assert "path" not in str(explanation) + explanation.markdown + explanation.latex


def test_one_path_is_no_plural() -> None:
    """The chain rule along one path, factors from the root to x."""
    x = Value(2.0, "x")
    y = ag.exp(-3 * x)
    y.label = "y"
    text = str(explain(x, y, paths=True))
    assert "\n1 path from x to y:\n" in text
    assert text.endswith("x → v1 → y: 0.00247875 × (−3) = −0.00743626")


def test_path_from_the_root_to_itself() -> None:
    """It has no edges, and its product is 1, the gradient."""
    x = Value(2.0, "x")
    explanation = explain(x, x, paths=True)
    assert explanation.path_count == len(explanation.paths) == 1
    assert explanation.paths == [[]]
    assert str(explanation) == "x.grad = 1: it is the root, where the pass starts"


# ----- Formats, with labels that want to break out -----

HOSTILE = [
    "50%_x", "`a`|<script>alert(1)</script>", "two\nlines\n# heading", "\u202egnp.exe", "q" * 10_000, "```", "}{",
    "**b**", "[l](http://example.org)", "$x$", r"\end{aligned}", "\\", "a&b", "~^#", "\x1b[31mred\x07", "\r- item",
    "\u2028", "<!-- ", "&lt;", "x" + "\u0301" * 50, "{0}", "%s", "' onload='", "``x`",
]  # fmt: skip


def hostile_graph(label: str) -> tuple[Value, Value]:
    """x and y = 3 x² / z; all but one node bear the label."""
    x, z = Value(2.0, label), Value(1.0, label)
    square = x * x
    square.label = label
    return x, square * 3 / z


@pytest.mark.parametrize("label", HOSTILE)
def test_text_stays_on_its_lines(label: str) -> None:
    """As many lines as with a plain label, of bounded length, without control or direction characters."""
    x, y = hostile_graph(label)
    text = str(explain(x, y, paths=True))
    ordinary = str(explain(*hostile_graph("ordinary"), paths=True))
    assert len(text.splitlines()) == len(ordinary.splitlines()) == text.count("\n") + 1
    assert all(character.isprintable() or character == "\n" for character in text)
    assert max(map(len, text.splitlines())) < 300


#: A character that is escaped, or code between equal runs of backticks (CommonMark 0.31, 2.4 and 6.1).
TEXT_OF_MARKDOWN = re.compile(r"\\[!-/:-@\[-`{-~]|(?<!`)(`+)(?!`)(.+?)(?<!`)\1(?!`)")


def outside_code(markdown: str) -> str:
    """What Markdown obeys: all but escaped characters and code, of which each span must end on its line."""
    outside = TEXT_OF_MARKDOWN.sub("", markdown)
    assert "`" not in outside
    return outside


def plain(markdown: str) -> str:
    """What a reader sees of it: characters without their escapes, code without its backticks."""
    return TEXT_OF_MARKDOWN.sub(lambda match: match[2].strip() if match[2] else match[0][1:], markdown)


def test_the_reader_of_markdown_is_right() -> None:
    """Backticks in code, escaped ones, and bare characters."""
    assert outside_code(r"`` a`b `` \` \*c\* *d* `*e*`") == "  c *d* "
    assert plain(r"`` a`b `` \` \*c\* `*e*`") == "a`b ` *c* *e*"
    with pytest.raises(AssertionError):
        outside_code("``a`")


@pytest.mark.parametrize("label", HOSTILE)
def test_markdown_keeps_labels_in_code(label: str) -> None:
    """Outside of code spans it is the same text as with a plain label."""
    markdown = explain(*hostile_graph(label)).markdown
    assert outside_code(markdown) == outside_code(explain(*hostile_graph("ordinary")).markdown)
    assert all(character.isprintable() or character == "\n" for character in markdown)


def test_markdown_shows_labels_as_they_are() -> None:
    """Code keeps backticks, also at its ends."""
    for label in ("`a`", "``", "a`b", "x*y", "a\\b"):
        assert plain(explain(*hostile_graph(label)).markdown).startswith(f"{label}.grad = 6 + 6 = 12")


def test_markdown_shows_bars_in_labels() -> None:
    """A backslash in code is a backslash; only cells of tables need one."""
    assert explain(*hostile_graph("a|b")).markdown.startswith("`a|b.grad = 6 + 6 = 12`\n")


BREAKING_OUT = ["<b>x</b>", "**b**", "[l](http://example.org)", "_e_", "`", "\\"]


@pytest.mark.parametrize("label", BREAKING_OUT)
def test_markdown_keeps_labels_in_code_with_paths(label: str) -> None:
    """So do the paths, and their heading escapes it."""
    x, y = hostile_graph(label)
    y.label = label
    markdown = explain(x, y, paths=True).markdown
    assert not set("<*[_\\") & set(outside_code(markdown))
    assert f"\n2 paths from {label} to {label}#4:\n" in plain(markdown)


@pytest.mark.parametrize("label", BREAKING_OUT)
def test_markdown_keeps_labels_in_code_with_notes(label: str) -> None:
    """The notes on other passes and on changed data escape it."""
    x, y = hostile_graph(label)
    y.label = label
    y.backward()
    y.backward()
    x.data = 5.0
    markdown = explain(x, y).markdown
    assert not set("<*[_\\") & set(outside_code(markdown))
    assert f"\n{label}.grad reads 24: " in plain(markdown)


@pytest.mark.parametrize("label", ["&lt;", "$x$", "~~b~~"])
def test_markdown_escapes_entities_and_formulas(label: str) -> None:
    """Notebooks and GitHub read those, too."""
    x, y = hostile_graph(label)
    assert not set("&$~") & set(outside_code(explain(x, y, paths=True).markdown))


def test_markdown_keeps_lines_of_code_in_code() -> None:
    """`x**2 + x**3` would lose its stars, and `y<x` be taken for a tag."""
    x = Value(2.0, "x")
    with ag.record_lines():
        y = x**2 + x**3  # no <b>tag</b>
    markdown = explain(x, y).markdown
    assert not set("<*_") & set(outside_code(markdown))
    assert "  y = x**2 + x**3  # no <b>tag</b>" in plain(markdown)


@pytest.mark.parametrize("label", ["two\nlines", "\u202egnp.exe", "\x1b[31m", "q" * 10_000])
def test_label_of_a_foreign_value_is_shown_as_others_are(label: str) -> None:
    """On one line, short, without control characters."""
    text = str(explain(Value(1.0, label), Value(2.0, "y")))
    assert len(text.splitlines()) == 1
    assert all(map(str.isprintable, text))
    assert len(text) < 200


def test_name_of_a_file_stays_on_its_line() -> None:
    """Code may be compiled with any file name."""
    namespace: dict[str, Any] = {"x": Value(2.0, "x")}
    with ag.record_lines():
        exec(compile("y = x * x", "two\nlines\x1b[31m.py", "exec"), namespace)
    text = str(explain(namespace["x"], namespace["y"]))
    assert all(character.isprintable() or character == "\n" for character in text)
    assert text.count("\n") == 4


def check_latex(latex: str) -> None:
    """Braces, environments and \\left \\right pair; nothing else of LaTeX's own characters is left bare."""
    assert latex.startswith("\\begin{aligned}\n")
    assert latex.endswith("\\end{aligned}\n")
    body = latex.removeprefix("\\begin{aligned}\n").removesuffix("\\end{aligned}\n")
    assert "\\begin" not in body
    assert "\\end{" not in body
    assert body.count(r"\left(") == body.count(r"\right)")
    rows = body.rstrip("\n").split(" \\\\\n")
    for row in rows:
        bare = re.sub(r"\\([&%$#_{} ]|[a-zA-Z]+)", "", row)
        assert bare.count("&") == 1
        assert not set("%$#~\\\n") & set(bare)
        depth = 0
        for character in bare:
            depth += (character == "{") - (character == "}")
            assert depth >= 0
        assert depth == 0


@pytest.mark.parametrize("label", [*HOSTILE, "", "x", "loss", "w12", "w_12", "a+b", "β", "∂"])
def test_latex_is_well_formed(label: str) -> None:
    """Whatever the labels; for the root, for leaves of one and of several contributions, and for foreign Values."""
    x, y = hostile_graph(label)
    for node in [*nodes(y), Value(1.0, label)]:
        check_latex(explain(node, y, paths=True).latex)


@settings(deadline=None, max_examples=40)
@given(st.text(max_size=30))
def test_any_label_is_shown_well_formed(label: str) -> None:
    """Also those that nobody thought of."""
    x, y = hostile_graph(label)
    explanation = explain(x, y)
    check_latex(explanation.latex)
    assert all(character.isprintable() or character in "\n\u200d" for character in str(explanation))
    outside = outside_code(explain(*hostile_graph("ordinary")).markdown)
    assert outside_code(explanation.markdown) == outside


def test_latex_of_the_lecture() -> None:
    """The chain rule in symbols, in numbers, and the gradient."""
    node = lecture()
    check_latex(explain(node["x"], node["y"]).latex)
    assert explain(node["x"], node["y"]).latex.splitlines() == [
        r"\begin{aligned}",
        r"\frac{\partial y}{\partial x} &= \frac{\partial y}{\partial b} \frac{\partial b}{\partial x}"
        r" + \frac{\partial y}{\partial a} \frac{\partial a}{\partial x} \\",
        r"&= -12.36 \cdot 0.5 + 404.854 \cdot 3 \\",
        r"&= 1208.38",
        r"\end{aligned}",
    ]


def test_latex_escapes_names_and_brackets_negative_numbers() -> None:
    """50%_x is text, a negative factor or summand is bracketed, a power of ten is one."""
    x = Value(-1.5e-7, "50%_x")
    y = x * -3e12 * x
    latex = explain(x, y).latex
    check_latex(latex)
    assert r"\mathrm{50\%\_x}" in latex
    assert r"\left(-1.5 \cdot 10^{-7} \cdot \left(-3 \cdot 10^{12}\right)\right)" in latex
