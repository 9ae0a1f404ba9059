"""The player page in Chromium, driven as a reader drives it: mouse, keys, sliders; and its numbers against Python's."""

from __future__ import annotations

import itertools
import json
import math
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from house_graph import house, house_nodes
from test_page import demo, hostile

import autograd as ag
import autograd.page
from autograd import Value
from autograd.mistakes import agrees
from autograd.page import player
from autograd.primitives import BUILT_IN, PRIMITIVES
from autograd.steps import Log
from autograd.wording import chain_rule, six, step_told

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Browser, Page

#: What a page may use to be shown at all; anything else is a request to a network.
OWN = ("file:", "data:", "about:")


@pytest.fixture(scope="session")
def windows(browser: Browser) -> Callable[..., tuple[Page, list[str]]]:
    """A window for each set of options, used again and again, and what goes wrong in it."""
    known: dict[str, tuple[Page, list[str]]] = {}

    def window(**options: Any) -> tuple[Page, list[str]]:
        key = repr(sorted(options.items()))
        if key not in known:
            page = browser.new_context(**{"viewport": {"width": 1280, "height": 800}, **options}).new_page()
            known[key] = page, _watched(page)
        return known[key]

    return window


def _watched(page: Page) -> list[str]:
    """Errors, dialogs and requests of a window, as they come."""
    trouble: list[str] = []
    page.set_default_timeout(5000)
    page.on("console", lambda message: trouble.append(message.text) if message.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: trouble.append(str(error)))
    page.on("dialog", lambda dialog: (trouble.append(dialog.message), dialog.dismiss()))
    page.on("request", lambda request: None if request.url.startswith(OWN) else trouble.append(request.url))
    return trouble


@pytest.fixture
def opened(windows: Callable[..., tuple[Page, list[str]]], tmp_path: Path) -> Iterator[Callable[..., Page]]:
    """Opens the page of a graph; at the end, nothing may have gone wrong and nothing may have been asked for."""
    troubles: list[list[str]] = []
    count = itertools.count()

    def shown(root: Value | str, fragment: str = "", **options: Any) -> Page:
        page, trouble = windows(**options)
        troubles.append(trouble)
        target = tmp_path / f"page{next(count)}.html"
        target.write_text(root if isinstance(root, str) else player(root).html, "utf-8")
        page.goto(target.as_uri() + fragment)
        return page

    yield shown
    found = [text for trouble in troubles for text in trouble]
    for trouble in troubles:
        trouble.clear()
    assert found == []


def texts(page: Page, selector: str) -> list[str]:
    """What is written there, each with single spaces."""
    return [re.sub(r"[\s\u00a0]+", " ", text).strip() for text in page.locator(selector).all_text_contents()]


def text(page: Page, selector: str) -> str:
    """What is written in the only such place."""
    (only,) = texts(page, selector)
    return only


def step(page: Page) -> str:
    """Which step is shown."""
    return text(page, "#where")


def gradient(page: Page, node: int) -> str:
    """The gradient that the graph shows at a node."""
    return text(page, f"#n{node} .gradient")


def slide(page: Page, node: int, x: float) -> None:
    """Move the slider of a leaf."""
    page.locator(f"#leaf{node}").evaluate("(e, x) => { e.value = x; e.dispatchEvent(new Event('input')); }", x)


def look(page: Page, expression: str) -> Any:
    """A JavaScript expression about the page's own data, with nan and infinities as JSON lacks them."""
    written = f"JSON.stringify({expression}, (_, x) => typeof x === 'number' && !Number.isFinite(x) ? String(x) : x)"
    return json.loads(page.evaluate(written) or "null", object_hook=dict)


def eventually(page: Page, condition: Callable[[], bool]) -> None:
    """Wait until it holds. (Playwright's own way of waiting evaluates strings, which the page's policy forbids.)"""
    for _ in range(100):
        if condition():
            return
        page.wait_for_timeout(20)
    raise AssertionError("it never came to that")


# ----- Walking -----


def test_buttons(opened: Callable[..., Page]) -> None:
    """First, previous, next, last; each moves by one and says where it is."""
    page = opened(demo())
    assert step(page) == "step 0 of 16"
    assert page.locator("#previous").is_disabled()
    page.locator("#next").click()
    assert step(page) == "step 1 of 16"
    assert text(page, "#lines .line") == "a = x * z = 2 * 3 = 6"
    page.locator("#last").click()
    assert step(page) == "step 16 of 16, contribution 2 of 2"
    assert page.locator("#next").is_disabled()
    assert (gradient(page, 0), gradient(page, 1)) == ("g 1208", "g 809.7")
    page.locator("#previous").click()
    assert gradient(page, 1) == "g –"
    page.locator("#first").click()
    assert step(page) == "step 0 of 16"
    assert text(page, "#n2 .value") == "–"


def test_the_card_says_what_the_repl_says(opened: Callable[..., Page]) -> None:
    """Every line of every step, word for word."""
    page, log = opened(demo()), Log(demo())
    expected = [" ".join(" ".join(step_told(one)).split()) for one in log.steps[:8]]
    expected.append("y.grad = 1 the seed: ∂y/∂y")
    for one in log.steps[8:]:
        expected += [" ".join(" ".join(chain_rule(c)).split()) for c in one.contributions]
    for line in expected:
        page.keyboard.press("ArrowRight")
        assert text(page, "#lines .line") == line
    assert step(page) == "step 16 of 16, contribution 2 of 2"


def test_repeated_operands_are_told_apart(opened: Callable[..., Page]) -> None:
    """The two arrows of x * x are two contributions, in the card as in the graph."""
    x = Value(3.0, "x")
    y = x * x
    y.label = "y"
    page = opened(y, "#step=2.1")
    assert "∂y/∂x[1] = x = 3" in text(page, "#card")
    assert "x waits for y (1 of 2)" in text(page, "#card")
    assert page.locator("#n1o0.backward").count() == 1
    page.keyboard.press("ArrowRight")
    assert "∂y/∂x[2] = x = 3" in text(page, "#card")
    assert page.locator("#n1o1.backward").count() == 1


def test_keys(opened: Callable[..., Page]) -> None:
    """All of them, and that they can be turned off."""
    page = opened(demo())
    press = page.keyboard.press
    press("ArrowRight")
    assert step(page) == "step 1 of 16"
    press("b")
    assert step(page) == "step 9 of 16"
    press("Shift+ArrowRight")
    assert step(page) == "step 9 of 16, contribution 2 of 2"
    press("Shift+ArrowRight")
    assert step(page) == "step 10 of 16, contribution 2 of 2"
    press("ArrowLeft")
    assert step(page) == "step 10 of 16, contribution 1 of 2"
    press("n")
    assert text(page, "#card-title") == "f tells a"
    press("End")
    assert step(page).startswith("step 16")
    press("f")
    assert step(page) == "step 0 of 16"
    press("g")
    page.keyboard.type("13")
    press("Enter")
    assert step(page).startswith("step 13")
    press("Home")
    press("t")
    assert page.evaluate("document.activeElement.id") == "table"
    width = page.locator("#graph").bounding_box()["width"]  # type: ignore[index]
    press("+")
    assert page.locator("#graph").bounding_box()["width"] > width  # type: ignore[index]
    press("0")
    press("p")
    assert page.locator("#predict").get_attribute("aria-pressed") == "true"
    press("p")
    press("?")
    assert page.locator("#help").is_visible()
    page.locator("#keys-on").uncheck()
    press("Escape")
    press("ArrowRight")
    assert step(page) == "step 0 of 16"


def test_arrows_within_a_slider_are_the_sliders_own(opened: Callable[..., Page]) -> None:
    """They move the number, not the step."""
    page = opened(demo())
    page.locator("#leaf0").focus()
    page.keyboard.press("ArrowRight")
    assert step(page) == "step 0 of 16"
    assert text(page, "#n0 .value") == "2.04"


def test_scrubber_and_step_sizes(opened: Callable[..., Page]) -> None:
    """The scrubber goes anywhere; steps can be whole nodes and whole passes."""
    page = opened(demo())
    page.locator("#scrubber").evaluate("(e) => { e.value = 12; e.dispatchEvent(new Event('input')); }")
    assert step(page) == "step 10 of 16, contribution 1 of 2"
    page.select_option("#size", "node")
    page.locator("#next").click()
    assert step(page) == "step 10 of 16"
    assert texts(page, "#lines .line")[1].startswith("a.grad += ∂y/∂f · ∂f/∂a")
    page.select_option("#size", "pass")
    page.locator("#first").click()
    page.locator("#next").click()
    assert text(page, "#card-title") == "The forward pass is done"
    page.locator("#next").click()
    assert texts(page, "#lines .line") == ["x.grad = 1208.38", "z.grad = 809.707"]


def test_playing_to_the_end(opened: Callable[..., Page]) -> None:
    """Play runs to the last step and stops; any touch pauses."""
    page = opened(house(), reduced_motion="reduce")
    page.evaluate("() => { window.realTimeout = setTimeout; window.setTimeout = (f) => realTimeout(f, 0); }")
    page.select_option("#speed", "2")
    page.locator("#play").click()
    eventually(page, lambda: step(page) == "step 6 of 6, contribution 2 of 2")
    assert page.locator("#play").get_attribute("aria-label") == "Play"
    assert (gradient(page, 0), gradient(page, 1)) == ("g 48", "g 28")
    page.evaluate("() => { window.setTimeout = (f) => realTimeout(f, 10000); }")
    page.keyboard.press("Space")
    assert page.locator("#play").get_attribute("aria-label") == "Pause"
    page.locator("#stage").click(position={"x": 3, "y": 3})
    assert page.locator("#play").get_attribute("aria-label") == "Play"


def test_waiting_is_shown(opened: Callable[..., Page]) -> None:
    """Pips under a node, the ledger and the card agree on who has reported."""
    page = opened(house(), "#step=4.1")
    assert text(page, "#card-title") == "e tells c"
    assert page.locator("#n2 .pip").count() == 2
    assert page.locator("#n2 .pip.heard").count() == 1
    assert texts(page, "#beats li")[-1].endswith("c waits for d (1 of 2).")
    assert texts(page, "#ledger-rows tr") == ["e1 × 888", "dstill to report"]
    assert page.locator("#n2").get_attribute("aria-label") == (
        "c = a * b: value 6, gradient 8 so far, heard from 1 of 2 consumers"
    )
    page.locator("#n2").click()
    assert "hand on 8 instead of 14" in text(page, "#ledger-foot")


def test_click_on_a_node_and_run_to_here(opened: Callable[..., Page]) -> None:
    """Its ledger shows, and a button goes to where its value, then its gradient, is known."""
    page = opened(demo())
    page.locator("#n2").click()
    assert text(page, "#ledger-title") == "Ledger of a"
    page.locator("#run-here").click()
    assert step(page) == "step 1 of 16"
    page.locator("#run-here").click()
    assert step(page) == "step 15 of 16"
    assert gradient(page, 2) == "g 404.9"
    assert texts(page, "#ledger-rows th") == ["f", "e", "d"]
    page.locator("#deselect").click()
    assert page.locator("#run-here").is_hidden()


def test_deep_link(opened: Callable[..., Page]) -> None:
    """A step and a changed leaf in the address; the address follows."""
    page = opened(demo(), "#step=13.1&x=2.5")
    assert step(page) == "step 13 of 16, contribution 1 of 2"
    assert text(page, "#n0 .value") == "2.5"
    page.locator("#last").click()
    eventually(page, lambda: page.evaluate("location.hash") == "#step=16&x=2.5")


def test_leaf_that_is_labelled_step(opened: Callable[..., Page]) -> None:
    """The first pair of the address is the step, whatever leaves are called."""
    y = Value(2.0, "step") * Value(3.0, "z") + 1.0
    page = opened(y, "#step=2&step=2.5")
    assert step(page) == "step 2 of 4"
    assert text(page, "#n0 .value") == "2.5"
    page.locator("#last").click()
    eventually(page, lambda: page.evaluate("location.hash") == "#step=4&step=2.5")


def test_copying_falls_back_to_selected_text(opened: Callable[..., Page]) -> None:
    """Where the clipboard is refused, the text stands selected."""
    page = opened(demo(), "#step=1")
    page.evaluate("Object.defineProperty(navigator, 'clipboard', {value: undefined})")
    page.locator("#copy").click()
    assert page.locator("#copied").input_value() == "step 1 of 16: Compute a\na = x * z = 2 * 3 = 6\n#step=1"


def test_keyboard_alone(opened: Callable[..., Page]) -> None:
    """The graph is one tab stop; arrows go along the edges, Enter selects."""
    page = opened(house(), "#step=6")
    assert page.locator("#graph [tabindex='0']").count() == 1
    page.locator("#graph [tabindex='0']").focus()
    page.keyboard.press("ArrowLeft")
    assert page.evaluate("document.activeElement.id") == "n2"
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowUp")
    assert page.evaluate("document.activeElement.id") == "n1"
    page.keyboard.press("Enter")
    assert text(page, "#ledger-title") == "Ledger of b"
    assert page.locator("#n1").get_attribute("aria-pressed") == "true"
    assert step(page).startswith("step 6")


# ----- Recomputing -----


def test_a_slider_recomputes_everything(opened: Callable[..., Page]) -> None:
    """The same numbers as y.forward() and y.backward() give, at several places."""
    page = opened(demo(), "#step=16")
    assert text(page, "#source") == "as recorded"
    for x in (0.4, 1.6, 3.2):
        y = demo()
        leaf = Log(y).order[0]
        leaf.data = x
        y.forward()
        y.backward()
        slide(page, 0, x)
        given = look(
            page, "(({numbers, run}) => [numbers.values.at(-1), run.adjoints[0], run.adjoints[1]])(chalkgrad.look())"
        )
        at = look(page, "chalkgrad.look().state.leaves[0]")
        assert at == pytest.approx(x, abs=1e-12)
        wanted = [y.data, leaf.grad, Log(y).order[1].grad]
        assert given == pytest.approx(wanted, rel=1e-9)
    assert text(page, "#source") == "recomputed in your browser"
    page.locator(".leaf button", has_text="Reset").first.click()
    assert text(page, "#source") == "as recorded"
    assert gradient(page, 0) == "g 1208"


def test_nudge(opened: Callable[..., Page]) -> None:
    """The gradient predicts what a small change does; the gap is shown."""
    page = opened(house())
    page.locator(".leaf button", has_text="Nudge").first.click()
    actual = 2.001 * 3 * (2.001 * 3 + 2.001) - 48
    told = texts(page, ".leaf .nudge")[0]
    assert told == f"predicted 48 × 0.001 = 0.048, actual {six(actual)}, gap {six(actual - 0.048)}"


def test_where_numbers_break_down(opened: Callable[..., Page]) -> None:
    """nan is called by name, and the first node where it arose is offered."""
    page = opened(demo(), "#step=8")
    slide(page, 0, -1.0)
    assert text(page, "#n4 .value") == "nan"
    assert "b = log(x) = log(−1): it is nan" in text(page, "#notice p")
    page.locator("#notice button").click()
    assert text(page, "#card-title") == "Compute b"
    slide(page, 0, 2.0)
    assert page.locator("#notice").is_hidden()


def test_infinite_derivatives_are_told(opened: Callable[..., Page]) -> None:
    """sqrt at 0 has a value, but no finite derivative."""
    x = Value(1.0, "x")
    y = ag.sqrt(x) + 1.0
    page = opened(y, "#step=4")
    slide(page, 0, 0.0)
    assert gradient(page, 0) == "g inf"
    assert "its local derivative is not finite" in text(page, "#notice p")


def operands(count: int) -> list[Value]:
    """So many leaves, within every domain."""
    return [Value(0.3 + 0.17 * i, f"x{i}") for i in range(count)]


def every_primitive() -> Value:
    """The sum of every primitive of the table, each of Values alone."""
    built_in = [PRIMITIVES[name] for name in sorted(BUILT_IN)]
    return ag.sum([primitive(*operands(5 if primitive.variadic else primitive.arity)) for primitive in built_in])


def test_every_primitive_can_be_recomputed(opened: Callable[..., Page]) -> None:
    """The page's own check passes, and away from the recorded place its numbers are Python's."""
    root = every_primitive()
    page = opened(root)
    assert look(page, "chalkgrad.disagreement(chalkgrad.tape.nodes)") is None
    assert page.locator("#leaf0").is_enabled()
    assert page.locator("#notice").is_hidden()
    leaves = [node for node in Log(root).order if node.primitive is None]
    for shift in (0.05, 0.21, 0.004):
        for leaf in leaves:
            leaf.data += shift / (1 + leaf.data)
        root.forward()
        log = Log(root)
        given = [node.data for node in log.order]
        made = page.evaluate(
            """(leaves) => { const {nodes} = chalkgrad.tape;
               const {values, locals} = chalkgrad.recomputed(nodes, leaves);
               return [values, chalkgrad.passed(nodes, locals, chalkgrad.ORDERS.correct(nodes)).adjoints]; }""",
            given,
        )
        assert made[0] == pytest.approx(given, rel=1e-12)
        assert made[1] == pytest.approx([log.adjoints[node] for node in log.order], rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("x", [0.0, -2.5, 800.0, math.nan])
def test_values_at_kinks_and_far_out(opened: Callable[..., Page], x: float) -> None:
    """relu and its like at 0 and below, stable forms without overflow, nan passed on."""
    one = Value(x, "x")
    chosen = [ag.relu, ag.sigmoid, ag.softplus, ag.silu, ag.leaky_relu, ag.elu, ag.tanh, ag.sign, ag.step, ag.absolute]
    pairs = [ag.maximum(one, 0.0), ag.minimum(one, 0.0), ag.clip(one, -1.0, 0.0), ag.where(one, one, 2.0)]
    page = opened(ag.sum([*(f(one) for f in chosen), *pairs, ag.logsumexp([one, 1.0]), one**3]))
    assert look(page, "chalkgrad.disagreement(chalkgrad.tape.nodes)") is None


def bit_by_bit(root: Value) -> list[dict[str, object]]:
    """The contributions of a pass as the page has them."""
    log = Log(root)
    place = {node: i for i, node in enumerate(log.order)}
    return [
        {
            "from": place[c.consumer], "to": place[c.operand], "slot": c.slot, "local": c.local_derivative,
            "upstream": c.upstream, "contribution": c.amount, "before": c.before, "after": c.after,
            "left": c.waiting, "of": len(c.consumers),
        }
        for one in log.steps
        for c in one.contributions
    ]  # fmt: skip


def test_events_are_those_of_the_log(opened: Callable[..., Page]) -> None:
    """Derived in the browser, equal to the last bit: recorded, and recomputed at other numbers."""
    assert look(opened(house()), "chalkgrad.look().run.events") == bit_by_bit(house())
    assert look(opened(demo()), "chalkgrad.look().run.events") == bit_by_bit(demo())
    a, b, _, _, e = house_nodes()
    page = opened(e)
    a.data, b.data = 0.1, -0.7
    e.forward()
    made = """(({tape: {nodes}, recomputed, passed, ORDERS}) =>
        passed(nodes, recomputed(nodes, [0.1, -0.7]).locals, ORDERS.correct(nodes)).events)(chalkgrad)"""
    assert look(page, made) == bit_by_bit(e)


def test_tampered_numbers_turn_the_sliders_off(opened: Callable[..., Page]) -> None:
    """A value, a local derivative or a gradient that does not follow: the page says where, and still plays."""
    html = player(house()).html
    for good, bad, node in (
        ('"value":8.0', '"value":8.001', "d"),
        ('"local":[8.0,6.0]', '"local":[8.0,6.1]', "e"),
        ('"grad":48.0', '"grad":47.0', "a"),
    ):
        assert good in html
        page = opened(html.replace(good, bad))
        assert page.locator("#leaf0").is_disabled()
        assert f"another number for {node} than was recorded" in text(page, "#notice p")
        page.locator("#last").click()
        assert step(page) == "step 6 of 6, contribution 2 of 2"


def test_primitives_of_the_user(opened: Callable[..., Page]) -> None:
    """With a definition the sliders work; without one the page says which operation it cannot compute."""
    cube = ag.primitive("page_cube", lambda x: x**3, lambda x, out: 3 * x**2, definition=lambda x: x * x * x)
    page = opened(cube(Value(2.0, "x")), "#step=2")
    slide(page, 0, 3.0)
    assert gradient(page, 0) == "g 27"
    opaque = ag.primitive("page_opaque", lambda x: x**3, lambda x, out: 3 * x**2)
    page = opened(opaque(Value(2.0, "x")), "#step=2")
    assert "The sliders are off: this page cannot compute page_opaque" in text(page, "#notice p")
    assert page.locator("#leaf0").is_disabled()
    assert gradient(page, 0) == "g 12"


# ----- Wrong orders, predictions -----


@pytest.mark.parametrize(
    ("order", "a", "b"), [("revisit", "72", "44"), ("breadthFirst", "30", "16"), ("visitOnce", "30", "16")]
)
def test_wrong_orders(opened: Callable[..., Page], order: str, a: str, b: str) -> None:
    """Each gives its known wrong numbers, under a banner that says so."""
    page = opened(house(), "#step=6")
    page.select_option("#order", order)
    assert (gradient(page, 0), gradient(page, 1)) == (f"g {a}", f"g {b}")
    assert page.locator("#wrong").is_visible()
    assert f"a.grad ends at {a}, right is 48; b.grad ends at {b}, right is 28" in text(page, "#wrong p")
    page.select_option("#order", "correct")
    assert page.locator("#wrong").is_hidden()
    assert gradient(page, 0) == "g 48"


def test_operands_the_other_way_round_hide_the_wrong_order(opened: Callable[..., Page]) -> None:
    """With e = d * c breadth-first happens to be right, and the page says that; revisiting is wrong still."""
    a, b = Value(2.0, "a"), Value(3.0, "b")
    c = a * b
    e = (c + a) * c
    page = opened(e, "#step=6")
    page.select_option("#order", "breadthFirst")
    assert "happens to be right" in text(page, "#wrong p")
    page.select_option("#order", "revisit")
    assert "ends at 90" in text(page, "#wrong p")


def test_revisiting_is_stopped(opened: Callable[..., Page]) -> None:
    """Forty doublings have 2 ** 40 paths; the page stays alive."""
    y = Value(1.0, "x")
    for _ in range(40):
        y = y + y
    page = opened(y)
    page.select_option("#order", "revisit")
    assert "stopped after 20000 contributions" in text(page, "#wrong p")
    page.locator("#last").click()
    assert look(page, "chalkgrad.look().run.events.length") <= 20001


CMU_A = 404.853739609282

#: Answers to what a.grad is after the last contribution, 14 × 3, where 6 had arrived.
ANSWERS = [
    ("48", "right", "Yes: 14 × 3 = 42, and 6 + 42 is 48."),
    ("42", "overwrote", "42: that is this contribution alone; it does not replace the 6 that had arrived"),
    ("9", "forgot upstream", "without the gradient 14"),
    ("20", "forgot local", "without the local derivative 3"),
    ("23", "added", "along a path they are multiplied"),
    ("34", "own factor", "by the operand's own value, 2"),
    ("24", "value for gradient", "takes the value of the result, 6, for its gradient"),
    ("−36", "wrong sign", "the sign is turned"),
    ("6", "nothing arrived", "42 arrives"),
    ("1000", "other", "1000 is not it: 14 × 3 = 42"),
]


def test_predictions(opened: Callable[..., Page]) -> None:
    """The number is hidden until an answer is given; the reply says what was computed and what is true."""
    page = opened(house())
    for answer, kind, told in ANSWERS:
        page.keyboard.press("p")
        page.keyboard.press("b")
        while text(page, "#card-title") != "What is a.grad after this?":
            if page.locator("#answer").is_visible():
                page.locator("#question button", has_text="Show me").click()
            page.keyboard.press("ArrowRight")
        assert gradient(page, 0) == "g 6"
        assert "48" not in text(page, "#card")
        page.locator("#answer").fill(answer)
        page.keyboard.press("Enter")
        assert page.locator("#reply").get_attribute("data-kind") == kind
        assert told in text(page, "#reply")
        assert gradient(page, 0) == "g 48"
        page.keyboard.press("p")


#: What is typed, and the truth and the size of the numbers that it comes of.
TYPED = [
    ("48", 48.0, 0.0), ("47.9", 48.0, 0.0), ("48.1", 48.0, 0.0), ("480", 481.0, 0.0), ("-48", 48.0, 0.0),
    ("404.85", CMU_A, 0.0), ("404.8", CMU_A, 0.0), ("404.9", CMU_A, 0.0), ("404.7", CMU_A, 0.0), ("404", CMU_A, 0.0),
    ("405", CMU_A, 0.0), ("400", CMU_A, 0.0), ("4e2", CMU_A, 0.0), ("4.05e2", CMU_A, 0.0), ("404.850", CMU_A, 0.0),
    ("0.333", 1 / 3, 0.0), ("0.33", 1 / 3, 0.0), (".667", 2 / 3, 0.0), ("0.666", 2 / 3, 0.0), ("1.5E3", 1500.0, 0.0),
    ("1e3", 1001.0, 0.0), ("-13.9", -14.0, 0.0), ("-404.8", -CMU_A, 0.0), ("0.3", 0.1 + 0.2, 0.0),
    ("0", 6e-17, 1.0), ("0.00", -9e-13, 1.0), ("0", 6e-17, 0.0), ("0", 1e-12, 1.0), ("-0", 0.0, 0.0),
    ("1e-13", 0.0, 1.0), ("1.49e-163", 1.498e-163, 0.0), ("1.2e22", 1e22, 0.0), ("1e-300", 1e-300, 0.0),
    ("0.000123", 0.00012345, 0.0), ("123456789", 123456789.4, 0.0), ("0.12345", 0.123456, 0.0),
    ("0.10000000000000001", 0.1, 0.0), ("1.235", 1.2345, 0.0), ("1.234", 1.2345, 0.0), ("Infinity", 1.0, 0.0),
]  # fmt: skip


def different_verdicts(page: Page, typed: list[tuple[str, float, float]]) -> list[tuple[str, float, float]]:
    """Answers that are right on the page and wrong in Python, or the other way round."""
    source = (Path(autograd.page.__file__).parent / "questions.js").read_text("utf-8")
    given = page.evaluate(f"(typed) => {{ {source}\n return typed.map((each) => agrees(...each)); }}", typed)
    wanted = [agrees(float(text), truth, scale) for text, truth, scale in typed]
    assert {*map(type, given)} == {bool}
    return [each for each, here, there in zip(typed, given, wanted) if here != there]


def test_answers_are_right_here_as_in_python(opened: Callable[..., Page]) -> None:
    """The page and the Stepper agree on what is right."""
    assert different_verdicts(opened(house()), TYPED) == []


def test_whole_numbers_are_right_here_as_in_python(opened: Callable[..., Page]) -> None:
    """Python does not see what was typed: 1000 is 1e3, and three digits of it count."""
    whole = [("1000", 1001.0, 0.0), ("12300", 12345.0, 0.0), ("1230", 1234.0, 0.0), ("1200", 1234.0, 0.0)]
    assert different_verdicts(opened(house()), whole) == []


def test_questions_that_tell_nothing_are_not_asked(opened: Callable[..., Page]) -> None:
    """Where the local derivative is 1 and nothing was there before, the usual ways all give the right number."""
    page = opened(house())
    page.locator("#predict").click()
    titles = []
    for _ in range(24):
        page.keyboard.press("ArrowRight")
        if page.locator("#answer").is_visible():
            titles.append(text(page, "#card-title"))
            page.locator("#answer").fill("nonsense")
            page.keyboard.press("Enter")
            assert "that is no number" in text(page, "#answer-note")
            page.locator("#question button", has_text="Show me").click()
    assert titles == [
        "What does e contribute to c?",
        "What does e contribute to d?",
        "What is c.grad after this?",
        "What is a.grad after this?",
    ]


# ----- Looks -----


def test_dark_mode_follows_the_system_and_the_button(opened: Callable[..., Page]) -> None:
    """The paper is dark or light as asked."""
    colour = "getComputedStyle(document.body).backgroundColor"
    page = opened(house(), color_scheme="dark")
    dark = page.evaluate(colour)
    page.locator("#theme").click()
    light = page.evaluate(colour)
    page.locator("#theme").click()
    assert page.evaluate(colour) == dark != light
    assert opened(house()).evaluate(colour) == light


@pytest.mark.parametrize("width", [320, 768, 1920])
def test_no_width_scrolls_sideways(opened: Callable[..., Page], width: int) -> None:
    """Also with labels that are trouble, in the middle of a pass."""
    for root in (demo(), hostile()):
        page = opened(root, "#step=12", viewport={"width": width, "height": 700})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        heights = page.evaluate("[...document.querySelectorAll('.buttons button')].map((b) => b.offsetHeight)")
        assert all(height >= 44 for height in heights if height)


def test_text_fits_its_box(opened: Callable[..., Page]) -> None:
    """Any number stays within its node."""
    x, z = Value(-1.234e-101, "x"), Value(-0.001234, "z")
    page = opened(x * 1e5 + z * 1.2345e-5, "#step=9")
    page.keyboard.press("End")
    wide = page.evaluate(
        """[...document.querySelectorAll('.node')].every((g) => { const box = g.querySelector('rect').getBBox();
           return [...g.querySelectorAll('.value, .gradient')].every((t) => t.getBBox().width <= box.width); })"""
    )
    assert wide


def test_code_panel(opened: Callable[..., Page]) -> None:
    """Lines are shown where they were recorded, the active one marked."""
    with ag.record_lines():
        x = Value(2.0, "x")
        y = x * x
        z = y + x
    page = opened(z, "#step=2")
    assert [line.partition(" ")[2] for line in texts(page, "#code-lines li")] == ["y = x * x", "z = y + x"]
    assert page.locator("#code-lines .made").count() == 1
    page.locator("#code-lines button").first.click()
    assert step(page) == "step 1 of 4"
    assert opened(house()).locator("#code").is_hidden()


def test_without_scripts(opened: Callable[..., Page]) -> None:
    """The finished graph, the table and all steps are there, and nothing that does not work."""
    page = opened(demo(), java_script_enabled=False)
    assert page.locator(".told li").count() == 16
    assert page.locator(".told li").last.is_visible()
    assert page.locator("#n0 .gradient").text_content() == "g 1208"
    assert page.locator(".transport").is_hidden()
    assert page.locator("button:visible").count() == 0


def test_hostile_labels_do_nothing(opened: Callable[..., Page]) -> None:
    """Through all steps: no dialog, no request, no error (see the fixture), and the labels are text."""
    page = opened(hostile())
    for _ in range(30):
        page.keyboard.press("Shift+ArrowRight")
    page.locator("#n3").click()
    page.select_option("#order", "revisit")
    assert page.locator("img").count() == 0


def test_the_frame_in_a_notebook_works(opened: Callable[..., Page]) -> None:
    """Shut in, it has no address and no clipboard, and does not need them."""
    page = opened(f"<!doctype html><html><body>{player(house())._repr_html_()}</body></html>")
    frame = page.frame_locator("iframe")
    frame.locator("#last").click()
    assert frame.locator("#n0 .gradient").text_content() == "g 48"
    frame.locator("#copy").click()
    page.wait_for_timeout(600)
    assert frame.locator("#where").text_content() == "step 6 of 6, contribution 2 of 2"


def test_large_graphs_are_ready_at_once(opened: Callable[..., Page]) -> None:
    """Hundreds of nodes still work."""
    x = Value(0.5, "x")
    y = x
    for i in range(250):
        y = ag.tanh(y) if i % 3 else y * x
    page = opened(y)
    page.locator("#last").click()
    assert gradient(page, 0) != "g –"
    slide(page, 0, 0.7)
    assert text(page, "#source") == "recomputed in your browser"


def test_all_works_in_the_frame_of_a_notebook(opened: Callable[..., Page]) -> None:
    """There the page may run scripts and nothing else: no form, no window, no address."""
    page = opened(f"<!DOCTYPE html><title>A notebook</title>{player(house())._repr_html_()}")
    frame = page.frame_locator("iframe")
    frame.locator("#help-button").click()
    assert frame.locator("#help").is_visible()
    frame.locator("#help-close").click()
    assert not frame.locator("#help").is_visible()
    frame.locator("#next").focus()
    page.keyboard.press("g")
    frame.locator("#goto-step").fill("3")
    page.keyboard.press("Enter")
    assert "step 3" in frame.locator("#where").inner_text()
    assert not frame.locator("#goto").is_visible()
    frame.locator("#predict").click()
    page.keyboard.press("b")  # the start of the backward pass
    page.keyboard.press("ArrowRight")
    frame.locator("#answer").fill("3")
    page.keyboard.press("Enter")
    assert "3 is not it" in frame.locator("#reply").inner_text()
    while not frame.locator("#answer").is_visible():
        page.keyboard.press("ArrowRight")
    frame.locator("#answer").fill("1000")
    frame.locator("#question .primary").click()
    assert "1000 is not it" in frame.locator("#reply").inner_text()
