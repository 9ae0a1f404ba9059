"""Pictures of graphs: DOT text, SVG structure, folding, limits, files, and labels that are trouble."""

from __future__ import annotations

import hashlib
import html
import math
import os
import re
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree

import pytest
from house_graph import house

import autograd as ag
from autograd import Value, draw
from autograd.drawing import RenderingError
from autograd.notation import shown

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

SVG = "{http://www.w3.org/2000/svg}"

needs_dot = pytest.mark.skipif(
    shutil.which("dot") is None, reason="PNG and PDF need Graphviz's dot, which is not installed"
)

HOSTILE = [
    "</script><script>alert(1)</script>",
    '"><img onerror=x>',
    "]]>",
    '<b>|{}\\n"',
    "\\",
    '\\"',
    "\\N\\G\\E",
    "&amp; &lt; &#60; &",
    "<<table></table>>",
    "]; n9 [label=x",
    "αβγ",
    "中文标签",
    "😀👩‍👧",
    "שלום",
    "\u202eabc",
    "two\nlines",
    "\r\t\0\x07\x1b[31m",
    "\u2028\x85",
    "\ud800",
    "\ufffe",
    "%s {0} {x}",
    "L" * 10_000,
    "字" * 10_000,
]


def chain(length: int) -> Value:
    """x + x + x + ..., `length` nodes, two of them leaves."""
    x = Value(1.0, "x")
    y = x + Value(2.0, "z")
    for _ in range(length - 3):
        y = y + x
    return y


def parsed(root: Value, **options: object) -> Element:
    """The SVG of the graph as XML."""
    return ElementTree.fromstring(draw(root, **options).svg)  # type: ignore[arg-type]


def groups(svg: Element, kind: str) -> dict[str, Element]:
    """The groups of that class, by their ids without the drawing's own prefix."""
    prefix = svg.get("id", "") + "-"
    found = [group for group in svg.iter(f"{SVG}g") if kind in group.get("class", "").split()]
    return {group.get("id", "").removeprefix(prefix): group for group in found}


def texts(element: Element) -> list[str]:
    """What is written there."""
    return [text.text or "" for text in element.iter(f"{SVG}text")]


def width(group: Element) -> float:
    """How wide the box is."""
    outline = next(
        shape.get("d") or shape.get("points") or "" for shape in group if shape.tag in (f"{SVG}path", f"{SVG}polygon")
    )
    xs = [float(x) for x in re.findall(r"(-?[\d.]+),-?[\d.]+", outline)]
    return max(xs) - min(xs)


def places(dot: str) -> list[str]:
    """Where the arrows end, in order."""
    return re.findall(r"-> (\S+)", dot)


# ----- DOT -----


def test_dot_of_the_house_graph() -> None:
    """The text as a whole, byte for byte."""
    look = 'shape=Mrecord, style=filled, fillcolor="#e7f0fa"'
    inner = 'class="result", shape=record, style=filled, fillcolor="#ffffff"'
    root = 'class="result root", shape=record, style=filled, fillcolor="#fff1b8", penwidth=2.5'
    assert draw(house()).dot == (
        "digraph autograd {\n"
        '  graph [rankdir=LR, bgcolor="white", fontname="Courier", fontsize=11, nodesep=0.25, ranksep=0.45, pad=0.15]\n'
        "  graph [nslimit=4]\n"
        '  node [fontname="Courier", fontsize=14, height=0.3, margin="0.12,0.06", color="#57606a", '
        'fontcolor="#1b1f24"]\n'
        '  edge [fontname="Courier", fontsize=11, color="#6e7781", fontcolor="#57606a", arrowsize=0.7]\n'
        f'  n0 [id="n0", class="leaf", {look}, label="a|2\\ngrad\\ 48"]\n'
        f'  n1 [id="n1", class="leaf", {look}, label="b|3\\ngrad\\ 28"]\n'
        f'  n2 [id="n2", {inner}, label="{{*|{{c|6\\ngrad\\ 14}}}}"]\n'
        f'  n3 [id="n3", {inner}, label="{{+|{{d|8\\ngrad\\ 6}}}}"]\n'
        f'  n4 [id="n4", {root}, label="{{*|{{e|48\\ngrad\\ 1}}}}"]\n'
        '  n0 -> n2 [id="n2o0", class="operand"]\n'
        '  n1 -> n2 [id="n2o1", class="operand"]\n'
        '  n2 -> n3 [id="n3o0", class="operand"]\n'
        '  n0 -> n3 [id="n3o1", class="operand"]\n'
        '  n2 -> n4 [id="n4o0", class="operand"]\n'
        '  n3 -> n4 [id="n4o1", class="operand"]\n'
        "}\n"
    )


def test_places_where_order_matters() -> None:
    """Arrows of a quotient end at its places, those of a product do not."""
    x, y = Value(2.0, "x"), Value(3.0, "y")
    assert places(draw(x / y).dot) == ["n2:o0:w", "n2:o1:w"]
    assert places(draw(x * y).dot) == ["n2", "n2"]
    assert "{<o0> 1|<o1> 2}|/|" in draw(x / y).dot
    assert "{<o0> x|<o1> low|<o2> high}|clip|" in draw(ag.clip(x, 0.0, y)).dot
    assert "{<o0> w1|<o1> w2|<o2> x1|<o3> x2|<o4> b}|dot|" in draw(ag.dot([x, x], [y, y], y)).dot


def test_repeated_operands_are_two_arrows() -> None:
    """x * x has two edges."""
    x = Value(3.0, "x")
    assert places(draw(x * x).dot) == ["n1", "n1"]
    assert list(groups(parsed(x * x), "edge")) == ["n1o0", "n1o1"]


def test_numbers_are_short() -> None:
    """Four significant digits and a true minus sign."""
    assert [shown(x) for x in (-404.853739609282, 2.0, 1e-7, -0.0, math.nan, -math.inf)] == [
        "−404.9", "2", "1e−07", "0", "nan", "−inf",
    ]  # fmt: skip


# ----- SVG structure -----


def test_every_node_and_arrow_is_there() -> None:
    """Groups with ids in topological order, and classes that say what they are."""
    svg = parsed(house())
    nodes = groups(svg, "node")
    assert sorted(nodes) == ["n0", "n1", "n2", "n3", "n4"]
    assert [nodes[f"n{i}"].get("class") for i in range(5)] == [
        "node leaf", "node leaf", "node result", "node result", "node result root",
    ]  # fmt: skip
    assert sorted(groups(svg, "edge")) == ["n2o0", "n2o1", "n3o0", "n3o1", "n4o0", "n4o1"]


def test_boxes_show_operation_label_value_and_gradient() -> None:
    """The texts of a node, with classes for the style."""
    group = groups(parsed(house()), "node")["n2"]
    assert texts(group) == ["*", "c", "6", "grad 14"]
    assert [text.get("class") for text in group.iter(f"{SVG}text")] == [None, "label", "value", "gradient"]


def test_gradients_not_computed_are_dashes() -> None:
    """A gradient of 0 is another thing."""
    before, after = (groups(parsed(house(backward=computed)), "node") for computed in (False, True))
    assert {texts(group)[-1] for group in before.values()} == {"grad –"}
    assert all("gradient not computed" in (group.findtext(f"{SVG}title") or "") for group in before.values())
    assert "–" not in "".join(text for group in after.values() for text in texts(group))
    zero = Value(1.0, "x") * 0.0
    zero.backward()
    assert texts(groups(parsed(zero), "leaf")["n0"])[-1] == "grad 0"


def test_titles_of_nodes_and_arrows() -> None:
    """What a tooltip shows and a screen reader says."""
    svg = parsed(house())
    assert groups(svg, "node")["n2"].findtext(f"{SVG}title") == "c = a * b: value 6, gradient 14"
    assert groups(svg, "edge")["n4o1"].findtext(f"{SVG}title") == "d, operand 2 of e: local derivative 6"
    assert all(group.findtext(f"{SVG}title") for kind in ("node", "edge") for group in groups(svg, kind).values())


def test_the_drawing_describes_itself() -> None:
    """Title and description, and the attributes that lead a screen reader to them."""
    svg = parsed(house())
    title, description = svg.find(f"{SVG}title"), svg.find(f"{SVG}desc")
    assert title is not None
    assert description is not None
    assert svg.get("role") == "img"
    assert svg.get("aria-labelledby") == f"{title.get('id')} {description.get('id')}"
    assert title.text == "Computation graph of e"
    assert (description.text or "").startswith("5 nodes. a: value 2, gradient 48. b: value 3, gradient 28. c = a * b")


@pytest.mark.parametrize(("root", "count"), [(Value(2.0, "x"), "1 node."), (Value(2.0, "x") * 3.0, "2 nodes.")])
def test_the_description_counts_nodes(root: Value, count: str) -> None:
    """As `nodes()` does: a constant is none; and one is not "1 nodes"."""
    assert (parsed(root).findtext(f"{SVG}desc") or "").startswith(count)


def test_view_box_has_the_size() -> None:
    """So that the picture scales."""
    svg = parsed(house())
    _, _, wide, high = map(float, svg.get("viewBox", "").split())
    assert (wide, high) == (float(svg.get("width", "")), float(svg.get("height", "")))


def test_constants_are_small() -> None:
    """Dotted boxes in a smaller type, with arrows of their own."""
    x = Value(2.0, "x")
    svg = parsed(3.0 - x)
    constant = groups(svg, "constant")["n1k0"]
    assert constant.get("class") == "node constant"
    assert texts(constant) == ["3"]
    assert constant.findtext(f"{SVG}title") == "constant 3"
    assert groups(svg, "edge")["n1o0"].get("class") == "edge constant"
    sizes = [
        float(text.get("font-size", ""))
        for group in ("n0", "n1k0")
        for text in groups(svg, "node")[group].iter(f"{SVG}text")
    ]
    assert sizes[-1] < sizes[0]


def test_edges_show_local_derivatives() -> None:
    """On request, and of operands that are not constants."""
    svg = parsed(2.0 * house(), edges=True)
    labels = {key: texts(group) for key, group in groups(svg, "edge").items()}
    assert labels == {
        "n2o0": ["3"], "n2o1": ["2"], "n3o0": ["1"], "n3o1": ["1"],
        "n4o0": ["8"], "n4o1": ["6"], "n5o0": [], "n5o1": ["2"],
    }  # fmt: skip
    assert not any(texts(group) for group in groups(parsed(house()), "edge").values())


# ----- Many drawings on one page -----


def ids(svg: Element) -> list[str]:
    """All ids."""
    return [element.get("id", "") for element in svg.iter() if element.get("id")]


def test_ids_are_unique_and_begin_with_the_drawings_own() -> None:
    """Each element can be found on a page of many drawings."""
    svg = parsed(house(), edges=True)
    assert len(set(ids(svg))) == len(ids(svg))
    assert all(key.startswith(svg.get("id", "?")) for key in ids(svg))
    assert re.fullmatch("[A-Za-z][A-Za-z0-9]{8,20}", svg.get("id", ""))


def test_equal_drawings_are_equal_bytes() -> None:
    """Also of graphs recorded anew."""
    assert draw(house()).svg == draw(house()).svg


def test_different_drawings_share_no_id() -> None:
    """Whatever tells them apart."""
    x = Value(2.0, "x")
    renamed = house()
    renamed.label = "f"
    variants = [
        parsed(root) for root in (house(), house(backward=False), renamed, x, x * 3.0, x + 3.0, Value(2.0, "y"))
    ]
    variants.append(parsed(house(), edges=True))
    every = [key for svg in variants for key in ids(svg)]
    assert len(every) == len(set(every))


def test_drawings_that_differ_in_titles_alone_share_no_id() -> None:
    """Boxes show four digits, titles more."""
    first, second = (parsed(Value(2.0, "x") * factor) for factor in (1.00001, 1.00002))
    assert ElementTree.tostring(first) != ElementTree.tostring(second)
    assert not set(ids(first)) & set(ids(second))


def test_the_style_reaches_this_drawing_only() -> None:
    """Every selector begins with the drawing's id."""
    svg = parsed(house())
    style = re.sub(r"@media[^{]*{", "", svg.findtext(f"{SVG}style") or "")
    selectors = [selector.strip() for rule in re.findall(r"([^{}]+){", style) for selector in rule.split(",")]
    assert len(selectors) > 10
    assert all(re.match(rf"#{svg.get('id')}\b", selector) for selector in selectors)


def test_light_and_dark() -> None:
    """The drawing paints its own background in both."""
    svg = parsed(house())
    assert "prefers-color-scheme: dark" in (svg.findtext(f"{SVG}style") or "")
    assert [element.tag for element in svg.iter() if element.get("class") == "paper"] == [f"{SVG}polygon"]


def test_nothing_is_active_or_loaded() -> None:
    """No script, no link, no handler, no foreign markup."""
    svg = parsed(ag.sum([Value(1.0, label) for label in HOSTILE]))
    tags = {element.tag.removeprefix(SVG) for element in svg.iter()}
    assert tags <= {"svg", "title", "desc", "style", "g", "polygon", "path", "polyline", "text", "ellipse"}
    names = {name for element in svg.iter() for name in element.attrib}
    assert not [name for name in names if name.startswith("on") or "href" in name]
    assert "url(" not in (svg.findtext(f"{SVG}style") or "")


# ----- Labels that are trouble -----


@pytest.mark.parametrize("label", HOSTILE)
def test_hostile_labels_are_text(label: str) -> None:
    """The SVG is well-formed, the structure is as usual, and the label is shown on one line, cut where it is long."""
    leaf = Value(2.0, label)
    root = leaf / 3.0
    root.label = label
    svg = parsed(root)
    assert sorted(groups(svg, "node")) == ["n0", "n1", "n1k1"]
    assert sorted(groups(svg, "edge")) == ["n1o0", "n1o1"]
    (written,) = [text for text in groups(svg, "node")["n0"].iter(f"{SVG}text") if text.get("class") == "label"]
    line = (written.text or "").strip()
    if label.isprintable() and len(label) <= 24:
        assert line == label
    assert line.replace("\u200d", "").isprintable()
    assert len(line) <= 60


@pytest.mark.parametrize("label", [5, 0, 1.5, None, b"x", ("a", 1), object()])
def test_labels_that_are_no_text(label: object) -> None:
    """They are drawn as what str() makes of them."""
    root = Value(2.0, label) * 2.0  # type: ignore[arg-type]
    assert sorted(groups(parsed(root), "node")) == ["n0", "n1", "n1k1"]


@pytest.mark.parametrize("text", ["ab" * 11, "αβ" * 11, "字" * 11])
def test_boxes_are_as_wide_as_their_text(text: str) -> None:
    """Room for every glyph (a letter takes 0.6 of the type size, an ideograph all of it), and not twice it."""
    box = groups(parsed(Value(2.0, text)), "node")["n0"]
    needed = 14.0 * len(text) * (1.0 if text[0] == "字" else 0.6)
    assert needed <= width(box) <= 2 * needed + 30


def test_names_cut_short_stay_different() -> None:
    """Titles tell apart what boxes cannot."""
    root = Value(1.0, "a" * 30 + "1") - Value(2.0, "a" * 30 + "2")
    titles = [group.findtext(f"{SVG}title") for group in groups(parsed(root), "edge").values()]
    names = {(title or "").split(",")[0] for title in titles}
    assert len(names) == 2


def test_primitives_of_ones_own_are_drawn() -> None:
    """Without a symbol, LaTeX or words of their own."""
    own = ag.primitive("drawing_own", lambda x, y: x - y, lambda x, y, out: 1.0, lambda x, y, out: -1.0)
    root = own(Value(3.0, "x"), Value(2.0, "y"))
    root.label = "r"
    assert (
        groups(parsed(root), "root")["n2"].findtext(f"{SVG}title")
        == "r = drawing_own(x, y): value 1, gradient not computed"
    )


@pytest.mark.parametrize("symbol", ["<b>|{}", 'a"b\\', "→", "two words"])
def test_symbols_are_text(symbol: str) -> None:
    """As labels are."""
    own = ag.primitive("drawing_symbol", lambda x: x, lambda x, out: 1.0, symbol=symbol, latex="{0}")
    assert texts(groups(parsed(own(Value(1.0, "x"))), "root")["n1"])[0] == symbol


# ----- Broken graphs -----


def test_numbers_that_are_none() -> None:
    """nan, infinities, the negative zero, subnormal and huge numbers, as values, gradients and on arrows."""
    a, b = Value(math.nan, "a"), Value(math.inf, "b")
    root = a * b + 5e-324 * a - 1.7e308 * b + Value(-0.0, "zero") * Value(-math.inf, "c")
    root.backward()
    svg = parsed(root, edges=True)
    everything = " ".join(text for group in groups(svg, "graph").values() for text in texts(group))
    for text in ("nan", "inf", "−inf", "4.941e−324", "1.7e+308", "grad nan"):
        assert text in everything


def test_one_node() -> None:
    """A leaf is a graph, and its own root."""
    svg = parsed(Value(2.0, "x"))
    assert groups(svg, "node")["n0"].get("class") == "node leaf root"
    assert not groups(svg, "edge")


# ----- Notes and marks -----


def test_stale_results_are_marked() -> None:
    """In the box, by class, in the title and in a note."""
    e = house()
    ag.nodes(e)[0].data = 5.0
    drawing = draw(e)
    stale = groups(ElementTree.fromstring(drawing.svg), "stale")
    assert sorted(stale) == ["n2", "n3", "n4"]
    assert texts(stale["n2"]) == ["*", "c", "6 (stale)", "grad 14"]
    assert "(stale)" in (stale["n3"].findtext(f"{SVG}title") or "")
    assert "stale: data was set since c, d, e were computed; call forward() of e" in drawing.svg
    e.forward()
    assert "stale" not in draw(e).svg


def test_gradients_of_another_pass_are_noted() -> None:
    """The same notes as below a table."""
    x = Value(2.0, "x")
    shared = x * x
    first, second = shared * 3.0, shared * 5.0
    shared.label, first.label = "shared", "y1"
    first.backward()
    second.backward()
    svg = draw(first).svg
    assert "shared holds the gradient of another root's pass, or of half a pass; call backward() of y1" in svg
    assert "x holds more than this pass" in svg


def test_a_note_explains_the_dash_of_the_boxes() -> None:
    """Below the picture it says that gradients are not computed, and what to call."""
    written = texts(parsed(Value(2.0, "x")))
    assert "gradients not computed; call backward() of x" in written
    assert "grad –" in written


def test_drawing_changes_nothing() -> None:
    """Reading a graph leaves its gradients and data alone."""
    e = house()
    before = [(node.data, node.grad, node.label) for node in ag.nodes(e)]
    assert draw(e, edges=True, collapse="operations").svg
    assert [(node.data, node.grad, node.label) for node in ag.nodes(e)] == before


# ----- Folding -----


def folded(root: Value, expanded: tuple[Value | str, ...] = ()) -> dict[str, Element]:
    """The nodes of a drawing with chains and trees folded, constants aside."""
    nodes = groups(parsed(root, collapse="operations", edges=True, expanded=expanded), "node")
    return {key: group for key, group in nodes.items() if "k" not in key}


def edge_labels(root: Value) -> list[str]:
    """What stands on the arrows of a folded drawing."""
    svg = parsed(root, collapse="operations", edges=True)
    return [texts(group)[0] for _, group in sorted(groups(svg, "edge").items()) if texts(group)]


def test_a_sum_of_ten_is_one_box() -> None:
    """Nine additions, ten arrows, each with the derivative 1."""
    leaves = [Value(float(i), f"x{i}") for i in range(10)]
    total = leaves[0]
    for leaf in leaves[1:]:
        total = total + leaf
    assert len(folded(total)) == 11
    assert texts(folded(total)["n10"])[0] == "+ ×9"
    assert edge_labels(total) == ["1"] * 10
    assert "9 operations + folded" in (folded(total)["n10"].findtext(f"{SVG}title") or "")


def test_a_tree_is_one_box() -> None:
    """(a + b) + (c + d) too, in the order of its leaves."""
    a, b, c, d = (Value(float(i), label) for i, label in enumerate("abcd"))
    nodes = folded((a + b) + (c + d))
    assert [texts(nodes[f"n{i}"])[0] for i in range(5)] == ["a", "b", "c", "d", "+ ×3"]


def test_arrows_of_a_folded_box_carry_products_of_derivatives() -> None:
    """What the chain rule gives along the way."""
    x, y, z = Value(2.0, "x"), Value(3.0, "y"), Value(5.0, "z")
    assert edge_labels(x * y * z) == ["15", "10", "6"]
    assert edge_labels(x - (y - z)) == ["1", "−1", "1"]
    assert edge_labels(((x * 2.0) * 3.0) * 4.0) == ["24"]


def test_arrows_of_a_folded_box_add_up_to_the_gradient() -> None:
    """The chain rule holds in a folded picture as well."""
    x = Value(2.0, "x")
    y = x * x * x
    y.backward()
    assert sum(map(float, edge_labels(y))) == x.grad == 12.0


def test_what_is_named_or_used_twice_is_not_folded() -> None:
    """A label says that it matters; two uses, that it is no chain."""
    x, y = Value(2.0, "x"), Value(3.0, "y")
    named = x + y
    named.label = "named"
    assert len(folded(named + x)) == 4
    used_twice = x + y
    assert len(folded(used_twice + used_twice)) == 4
    assert len(folded((x * y) + x)) == 4


def test_expanded_keeps_nodes_as_they_are() -> None:
    """By node or by label."""
    x = Value(2.0, "x")
    inner = x + 1.0
    middle = inner + 2.0
    root = middle + 3.0
    root.label = "root"
    assert len(folded(root)) == 2
    assert len(folded(root, (inner,))) == 3
    assert len(folded(root, ("root",))) == 3
    assert len(folded(root, (middle,))) == 4


def test_collapse_is_one_of_its_values() -> None:
    """The error lists them."""
    with pytest.raises(ValueError, match="collapse is one of None, 'operations'"):
        draw(house(), collapse="all")


# ----- Limits -----


def test_above_two_hundred_nodes_a_warning_names_collapse() -> None:
    """It is drawn all the same; up to two hundred, if they are not all in a row, there is none."""
    with pytest.warns(UserWarning, match="201 nodes, .* hard to read.*collapse='operations'"):
        drawing = draw(chain(201))
    assert drawing.dot.count(" [id=") == 201 + 398
    assert draw(ag.sum([Value(1.0) for _ in range(199)])).dot.count('class="leaf"') == 199
    with pytest.warns(UserWarning, match="61 in a row"):
        draw(chain(62))
    assert len(groups(parsed(chain(400), collapse="operations"), "node")) == 3


def test_above_two_thousand_nodes_an_error_says_what_to_do() -> None:
    """Draw a part, fold, or raise the limit."""
    with pytest.raises(
        ValueError, match=r"2001 nodes, more than the limit of 2000: draw a part .*operations.*limit=None"
    ):
        draw(chain(2001))
    assert len(groups(parsed(chain(2001), collapse="operations"), "node")) == 3


def test_without_a_limit_anything_is_drawn() -> None:
    """With the warning."""
    with pytest.warns(UserWarning, match="2001 nodes"):
        drawing = draw(chain(2001), limit=None)
    assert drawing.dot.count('class="result"') == 1998


def test_the_limit_counts_nodes() -> None:
    """Not constants, which are none."""
    y = Value(1.0, "x")
    for _ in range(6):
        y = y * 2.0
    assert draw(y, limit=7).dot
    with pytest.raises(ValueError, match="the graph has 7 nodes, more than the limit of 6"):
        draw(y, limit=6)


def test_draw_takes_a_value() -> None:
    """And says what it was given instead."""
    for given, told in ((3.0, "a float"), (3, "an int")):
        with pytest.raises(TypeError, match=f"not {told}"):
            draw(given)  # type: ignore[arg-type]


@pytest.mark.parametrize("limit", ["a", True, [3]])
def test_the_limit_is_a_number(limit: object) -> None:
    """Or None; what else it is, the error says."""
    with pytest.raises(ValueError, match="number of nodes that is drawn, or None for any number; not "):
        draw(house(), limit=limit)  # type: ignore[arg-type]
    assert draw(house(), limit=math.inf).dot == draw(house(), limit=None).dot


# ----- Files -----


def test_svg_and_dot_files(tmp_path: Path) -> None:
    """The same as the attributes; the path comes back."""
    drawing = draw(house())
    path = drawing.save(tmp_path / "graph.svg")
    assert path == tmp_path / "graph.svg"
    assert path.read_text("utf-8") == drawing.svg + "\n"
    for name in ("graph.dot", "graph.gv", "GRAPH.DOT"):
        assert drawing.save(str(tmp_path / name)).read_text("utf-8") == drawing.dot


@pytest.mark.parametrize("name", ["graph", "graph.jpeg", ".svg", "graph.svg.txt"])
def test_other_files_are_refused(tmp_path: Path, name: str) -> None:
    """The error lists what can be written, and nothing is."""
    with pytest.raises(ValueError, match=r"saved as \.svg, \.png, \.pdf or \.dot"):
        draw(house()).save(tmp_path / name)
    assert not list(tmp_path.iterdir())


@needs_dot
@pytest.mark.parametrize(("name", "magic"), [("graph.png", b"\x89PNG"), ("graph.pdf", b"%PDF"), ("G.PNG", b"\x89PNG")])
def test_png_and_pdf_files(tmp_path: Path, name: str, magic: bytes) -> None:
    """Made by Graphviz's own program."""
    assert draw(house(), edges=True).save(tmp_path / name).read_bytes().startswith(magic)


@needs_dot
def test_the_systems_dot_reads_hostile_labels(tmp_path: Path) -> None:
    """The DOT text is right for other builds of Graphviz too."""
    root = ag.sum([Value(1.0, label) for label in HOSTILE])
    assert draw(root).save(tmp_path / "graph.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("kind", ["png", "pdf"])
def test_without_dot_the_error_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    """And leaves no file; SVG needs nothing."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(RenderingError, match=rf"makes {kind.upper()} files: install Graphviz .*\.svg needs nothing"):
        draw(house()).save(tmp_path / f"graph.{kind}")
    assert not list(tmp_path.iterdir())
    assert draw(house()).svg.startswith("<svg")


def test_the_same_svg_with_and_without_dot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It does not depend on what is installed."""
    before = draw(house()).svg
    monkeypatch.setenv("PATH", str(tmp_path))
    assert draw(house()).svg == before


def test_notebooks_show_the_svg() -> None:
    """Jupyter asks for _repr_svg_; the REPL shows a line that is the same in every run."""
    drawing = draw(house())
    assert drawing._repr_svg_() == drawing.svg
    data, metadata = drawing._repr_mimebundle_()
    assert data == {"image/svg+xml": drawing.svg, "text/plain": repr(drawing)}
    (description,) = re.findall("<desc[^>]*>(.*?)</desc>", drawing.svg)
    assert metadata == {"image/svg+xml": {"alt": html.unescape(description)}}
    assert repr(drawing) == "<Drawing of 5 nodes; .save('graph.svg') writes it>"


# ----- The same bytes, always -----


def test_many_threads_at_once() -> None:
    """The renderer is not safe for threads; the drawing is."""
    roots = [house(), 3.0 - Value(2.0, "x"), chain(40), Value(1.0, "中")]
    expected = [draw(root).svg for root in roots]
    with ThreadPoolExecutor(8) as pool:
        drawn = list(pool.map(lambda i: draw(roots[i % 4]).svg, range(64)))
    assert drawn == expected * 16


SCRIPT = """
import hashlib
import autograd as ag

x, z = ag.Value(2.0, "x"), ag.Value(3.0, "z")
a = x * z
y = ag.exp(a) + a / ag.log(x) + ag.dot([x, z], [z, 4.0], a) + ag.sum([x, z, x])
y.backward()
drawing = ag.draw(y, edges=True)
text = drawing.dot + drawing.svg + ag.draw(y, collapse="operations").dot + str(ag.table(y)) + ag.table(y).html
print(hashlib.sha256(text.encode()).hexdigest())
"""


def test_the_same_bytes_in_every_process() -> None:
    """DOT, SVG and table do not depend on hash seeds or addresses."""
    package = str(Path(ag.__file__).parents[1])
    runs = [
        subprocess.Popen(
            [sys.executable, "-c", SCRIPT],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": package},
            stdout=subprocess.PIPE,
            text=True,
        )
        for seed in "012"
    ]
    printed = [run.communicate()[0].strip() for run in runs]
    assert [run.returncode for run in runs] == [0, 0, 0]
    assert len(set(printed)) == 1
    assert len(printed[0]) == hashlib.sha256().digest_size * 2


def test_colours_of_the_dot_text_are_the_light_ones_of_the_style() -> None:
    """What `dot` makes of the text as PNG looks as the SVG does in light mode."""
    style = files("autograd.drawing").joinpath("style.css").read_text("utf-8")
    light = dict(re.findall(r"--(\w+): (#\w+)", style.split("@media")[0]))
    dot = draw(house()).dot
    for name in ("leaf", "result", "root", "line", "faint", "ink"):
        assert light[name] in dot, name


def test_expanded_may_be_a_single_label() -> None:
    """One label is not read as a collection of letters."""
    x = Value(1.0, "x")
    total = x + x + x
    total.label = "total"
    assert draw(total, collapse="operations", expanded="total").dot == draw(total).dot


def test_expanded_may_be_a_name_that_was_given() -> None:
    """Nodes without a label are called as the picture calls them."""
    x = Value(1.0, "x")
    root = x + 1.0 + 2.0
    assert draw(root, collapse="operations", expanded="v1").dot == draw(root).dot


@pytest.mark.parametrize("collapse", [None, "operations", "layer"])
def test_expanded_names_what_is_there(collapse: str | None) -> None:
    """A name that nothing has would be without effect: the error lists those that there are."""
    with pytest.raises(ValueError, match=r"expanded: nothing .* is called 'zz'; there are a, b, c, d, e$"):
        draw(house(), collapse=collapse, expanded=["a", "zz"])
    with pytest.raises(ValueError, match="expanded: z is no node of the graph of e"):
        draw(house(), collapse=collapse, expanded=Value(1.0, "z"))


@pytest.mark.parametrize(("expanded", "told"), [(3, "3"), ([3], "3"), (None, "None"), ([None], "None")])
def test_expanded_takes_nodes_and_names(expanded: object, told: str) -> None:
    """And says so."""
    with pytest.raises(TypeError, match=f"takes nodes, their labels, and names of .*; not {told}$"):
        draw(house(), expanded=expanded)  # type: ignore[arg-type]
