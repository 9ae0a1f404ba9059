"""The player page as text: the same in every run, safe with any label, whole without scripts. No browser needed."""

from __future__ import annotations

import base64
import hashlib
import json
import math
import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest
from house_graph import house, house_nodes

import autograd as ag
from autograd import Value
from autograd.cli import DEMO
from autograd.expression import parse
from autograd.page import Player, player
from autograd.page.canvas import canvas
from autograd.page.document import data_text
from autograd.page.scripts import literal, partials_script
from autograd.page.tape import brief, tape
from autograd.steps import Log
from autograd.wording import chain_rule, step_told

ROOT = Path(__file__).parent.parent

HOSTILE = [
    "</script><script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "]]>", "<!--", "-->", "{{script}}", "&lt;",
    "L" * 10_000, "\u202eabc", "two\nlines", "\u2028", "\ud800", "\0", "", None, 5, ("a", "tuple"),
    "a' onload='alert(1)", "\\", "`${alert(1)}`", "__proto__",
]  # fmt: skip


def demo() -> Value:
    """The worked example of CMU 10-601."""
    y = parse(DEMO).record({"x": 2.0, "z": 3.0})
    y.label = "y"
    return y


def hostile() -> Value:
    """A graph in which every label is trouble, on leaves and on results."""
    y = Value(1.0, "start")
    for i, label in enumerate(HOSTILE):
        leaf = Value(0.5 + i / 50, label)  # type: ignore[arg-type]
        y = y * leaf + leaf
        y.label = label  # type: ignore[assignment]
    return y


class Page(HTMLParser):
    """What a browser would make of the page: its elements, with their attributes, and the text in each kind."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: dict[str, list[str]] = {}
        self._open: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in ("meta", "input", "link", "br"):
            self._open.append(tag)
            self.texts.setdefault(tag, []).append("")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        for tag in self._open[-1:]:
            self.texts[tag][-1] += data

    def count(self, tag: str) -> int:
        """How many elements there are of a kind."""
        return sum(name == tag for name, _ in self.elements)

    @property
    def tape(self) -> dict[str, object]:
        """The data of the page."""
        return json.loads(self.texts["script"][0])  # type: ignore[no-any-return]


# ----- One file, the same in every run -----


def test_bytes_are_the_same_in_every_process() -> None:
    """Neither hash seeds nor the order of earlier graphs show in the page."""
    code = (
        "import hashlib, sys; sys.path.insert(0, 'tests')\n"
        "from test_page import demo, hostile; from autograd.page import player\n"
        "[print(hashlib.sha256(player(f()).html.encode()).hexdigest()) for f in (demo, hostile)]"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": seed},
        ).stdout
        for seed in ("0", "1", "4242")
    }  # fmt: skip
    assert len(outputs) == 1
    assert hashlib.sha256(player(demo()).html.encode()).hexdigest() in outputs.pop()


def test_nothing_is_loaded() -> None:
    """No element refers to anything outside the page."""
    page = Page(player(demo()).html)
    outside = {"src", "href", "srcset", "action", "data", "poster"}
    assert not [(tag, attributes) for tag, attributes in page.elements if outside & set(attributes)]
    assert page.count("link") == page.count("img") == page.count("iframe") == 0


def test_policy_allows_the_script_and_the_style_that_are_there_and_no_others() -> None:
    """The hashes are those of what stands in the page; there are no style attributes, which they would not cover."""
    html = player(demo()).html
    page = Page(html)
    policy = next(a["content"] for tag, a in page.elements if tag == "meta" and "content" in a and "http-equiv" in a)
    assert policy is not None
    assert policy.startswith("default-src 'none'; ")
    for tag, directive in (("script", "script-src"), ("style", "style-src")):
        (text,) = re.findall(rf"<{tag}>(.*?)</{tag}>", html, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{directive} 'sha256-{digest}'" in policy
    assert not [tag for tag, attributes in page.elements if "style" in attributes]
    assert not [name for _, attributes in page.elements for name in attributes if name.startswith("on")]


def test_sizes() -> None:
    """The page itself is the larger part; a node adds little more than a kilobyte."""
    x = Value(0.5, "x")
    y = x
    for i in range(149):
        y = ag.tanh(y) if i % 3 else y * x
    small, large = len(player(house()).html.encode()), len(player(y).html.encode())
    assert small < 90_000
    assert large < 250_000


# ----- Labels -----


def test_hostile_labels_change_nothing_in_the_structure() -> None:
    """The page has the same elements as with harmless labels, and no text has become markup."""
    harmless, page = Page(player(demo()).html), Page(player(hostile()).html)
    assert page.count("script") == harmless.count("script") == 2
    assert page.count("style") == harmless.count("style")
    assert page.count("img") == 0
    assert {tag for tag, _ in page.elements} == {tag for tag, _ in harmless.elements}
    assert len(page.tape["nodes"]) == len(Log(hostile()).order)  # type: ignore[arg-type]


def test_hostile_labels_are_shown_as_text() -> None:
    """They stand in the table as one would read them, cut where they are long."""
    page = Page(player(hostile()).html)
    heads = page.texts["th"]
    assert "]]>" in heads
    assert "</script><script>alert(…" in heads
    assert "\\u202eabc" in heads
    assert "two\\nlines" in heads
    assert max(map(len, heads)) < 40


def test_data_cannot_end_its_element() -> None:
    """Whatever might be taken for markup or a line end is escaped, and reads back the same."""
    nasty = {"<": "</script>", "&": "&lt;\u2028\u2029<!-- ]]>"}
    text = data_text(nasty)
    assert not set("<>&\u2028\u2029") & set(text)
    assert json.loads(text) == nasty


# ----- The data of the page -----


def test_tape_of_the_house_graph() -> None:
    """As a whole: order, operands, local derivatives, rules."""
    assert tape(Log(house())) == {
        "nodes": [
            {"name": "a", "value": 2.0, "grad": 48.0},
            {"name": "b", "value": 3.0, "grad": 28.0},
            {"name": "c", "value": 6.0, "grad": 14.0, "op": "multiply", "in": [0, 1], "local": [3.0, 2.0],
             "text": "({0}) * ({1})", "rule": {0: "b", 1: "a"}},
            {"name": "d", "value": 8.0, "grad": 6.0, "op": "add", "in": [2, 0], "local": [1.0, 1.0],
             "text": "({2}) + ({0})", "rule": {0: "1", 1: "1"}},
            {"name": "e", "value": 48.0, "grad": 1.0, "op": "multiply", "in": [2, 3], "local": [8.0, 6.0],
             "text": "({2}) * ({3})", "rule": {0: "d", 1: "c"}},
        ],
        "ops": {
            "add": ["+", "a sum hands its gradient to both operands unchanged"],
            "multiply": ["*", "each factor receives the gradient scaled by the other factor"],
        },
        "code": [],
    }  # fmt: skip


def test_gradients_are_of_this_pass() -> None:
    """The page shows what a pass gives, whatever is stored in the graph; and leaves that alone."""
    a, _, _, _, e = house_nodes()
    e.backward()
    e.backward()
    assert Page(player(e).html).tape["nodes"][0]["grad"] == 48.0  # type: ignore[index]
    assert a.grad == 96.0


def test_constants_and_infinite_numbers_in_the_data() -> None:
    """JSON has no infinities; they are written so that JavaScript's Number reads them."""
    x = Value(0.0, "x")
    y = ag.sqrt(x) * math.inf - 1
    nodes = tape(Log(y))["nodes"]
    assert nodes[1]["local"] == ["Infinity"]
    assert nodes[2]["in"] == [1, {"constant": "Infinity"}]
    assert nodes[2]["value"] == "NaN"
    assert json.loads(data_text(tape(Log(y))))


def test_lines_of_code() -> None:
    """Where lines were recorded, every node knows its own."""
    with ag.record_lines():
        x = Value(2.0, "x")
        y = x * x
        z = y + x
    page = Page(player(z).html).tape
    assert [line["text"] for line in page["code"]] == ["y = x * x", "z = y + x"]  # type: ignore[index,attr-defined]
    assert [node.get("line") for node in page["nodes"]] == [None, 0, 1]  # type: ignore[attr-defined]


# ----- Rules in JavaScript -----


def test_rules_are_printed_from_the_table() -> None:
    """A rule applied to symbols prints itself."""
    x, z = Value(2.0, "x"), Value(3.0, "z")
    assert partials_script(Log(x * z / 2).order) == (
        'PARTIALS["multiply/2"] = (v, out) => [v[1], v[0]];\n'
        'PARTIALS["divide/2"] = (v, out) => [(1.0 / v[1]), ((-out) / v[1])];\n'
    )
    assert "(v[1] - (v[1] !== 0.0 ? 1 : 0))" in partials_script(Log(x**2).order)
    assert partials_script(Log(ag.mean([x, z, x])).order).endswith(f"=> [{', '.join([repr(1 / 3)] * 3)}];\n")


def test_numbers_in_scripts_are_exact() -> None:
    """To the last bit, and bracketed where a sign could meet another."""
    assert [literal(x) for x in (0.1, -0.1, 1e300, math.inf, -math.inf, math.nan, -0.0)] == [
        "0.1", "(-0.1)", "1e+300", "Infinity", "(-Infinity)", "NaN", "(-0.0)",
    ]  # fmt: skip


def test_primitives_of_the_user_come_with_their_definition() -> None:
    """Also those that the definition calls; one that cannot be printed is left out."""
    ag.primitive("page_double", lambda x: 2 * x, lambda x, out: 2.0, definition=lambda x: x + x)
    twice = ag.primitive(
        "page_quadruple", lambda x: 4 * x, lambda x, out: 4.0,
        definition=lambda x: _double(_double(x)),
    )  # fmt: skip
    script = partials_script(Log(twice(Value(3.0))).order)
    assert 'VALUES["page_double"] = (...v) => (v[0] + v[0]);' in script
    assert 'VALUES["page_quadruple"] = (...v) => VALUES["page_double"](VALUES["page_double"](v[0]));' in script
    branching = ag.primitive("page_branching", abs, lambda x, out: 1.0 if x > 0 else -1.0)
    assert "page_branching" not in partials_script(Log(branching(Value(3.0))).order)


def _double(x: Value) -> Value:
    from autograd.primitives import PRIMITIVES

    return PRIMITIVES["page_double"](x)


# ----- Without scripts -----


def test_all_steps_stand_in_the_page() -> None:
    """The ordered list says what the REPL says, in order; the published numbers are there."""
    page, log = Page(player(demo()).html), Log(demo())
    told = page.texts["li"][-len(log.steps) :]
    assert told == ["\n".join(step_told(step)) for step in log.steps]
    assert "x.grad += ∂y/∂a · ∂a/∂x = 404.854 × 3 = 1214.56   (−6.18 → 1208.38)" in told[-1]
    assert chain_rule(log.steps[-1].contributions[0])[0] in told[-1]


def test_the_table_has_every_number() -> None:
    """Values and gradients of all nodes, those that were published among them."""
    page = Page(player(demo()).html)
    cells = [cell for cell in page.texts["td"] if cell.strip()]
    for text in ("412.191", "1208.38", "809.707", "404.854", "−12.36", "0.638961", "2 of 2", "the result"):
        assert text in cells


def test_the_graph_shows_the_finished_pass() -> None:
    """Numbers are put in after the layout, whatever is stored in the graph."""
    svg = canvas(Log(demo()))
    for text in ("g 1208", "g 809.7", "g −12.36", "412.2"):
        assert f">{text}</text>" in svg
    x = Value(3.0, "x")
    assert canvas(Log(x * x)).count('id="n1o') == 2


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        (0.0, "0"), (-0.0, "0"), (2.0, "2"), (-404.853739609282, "−404.9"), (0.001, "0.001"), (0.000999, "9.99e−4"),
        (9.5e-7, "9.5e−7"), (9999.7, "10000"), (12345.6, "12346"), (99999.4, "99999"), (123456.0, "1.235e5"),
        (-1e-100, "−1e−100"), (math.nan, "nan"), (-math.inf, "−inf"),
    ],
)  # fmt: skip
def test_numbers_of_the_graph(number: float, shown: str) -> None:
    """Four significant digits, a true minus, scientific only where it has to be."""
    assert brief(number) == shown


# ----- Saving, embedding, refusing -----


def test_save(tmp_path: Path) -> None:
    """The file holds the page; other endings are refused."""
    made = player(demo())
    for name in ("page.html", "page.HTM"):
        target = made.save(tmp_path / name)
        assert target == tmp_path / name
        assert target.read_text("utf-8") == made.html
    with pytest.raises(ValueError, match=r"saved as \.html, not as 'page\.pdf'"):
        made.save(tmp_path / "page.pdf")
    assert not (tmp_path / "page.pdf").exists()


def test_frame_in_a_notebook() -> None:
    """The page stands in an attribute, its scripts shut in."""
    made = player(hostile())
    frame = Page(made._repr_html_())
    ((tag, attributes),) = frame.elements
    assert tag == "iframe"
    assert attributes["srcdoc"] == made.html
    assert attributes["sandbox"] == "allow-scripts"
    assert attributes["height"] == "620"
    assert attributes["width"] == "100%"
    assert attributes["title"]


def test_repr() -> None:
    """One line, the same in every run."""
    assert repr(player(demo())) == "<Player of y: 10 nodes, 16 steps; .save('player.html') writes it>"
    assert "\n" not in repr(player(hostile()))
    assert isinstance(player(demo()), Player)


def test_the_page_keeps_the_moment_of_its_making() -> None:
    """What becomes of the graph later does not show."""
    a, _, _, _, e = house_nodes()
    made = player(e)
    a.data = 100.0
    assert '"value":2.0' in made.html


def test_refusals() -> None:
    """No steps, too many nodes, numbers out of date, no graph at all."""
    with pytest.raises(ValueError, match="nothing was computed"):
        player(Value(2.0, "x"))
    y = Value(1.0, "x")
    for _ in range(500):
        y = y + 1.0
    with pytest.raises(ValueError, match="at most 500 nodes, and this graph has 501: play a part"):
        player(y)
    a, _, _, _, e = house_nodes()
    a.data = 5.0
    with pytest.raises(ValueError, match=r"call e\.forward\(\) first"):
        player(e)
    with pytest.raises(TypeError, match="not a float"):
        player(2.0)  # type: ignore[arg-type]


def test_importing_it_is_light() -> None:
    """What the page is made with is imported when one is made."""
    code = (
        "import sys; before = set(sys.modules); import autograd.page; "
        "print([m for m in ('json', 'hashlib', 'html', 'importlib.resources', 'xml.etree.ElementTree', 'base64') "
        "if m in set(sys.modules) - before])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.strip() == "[]"
