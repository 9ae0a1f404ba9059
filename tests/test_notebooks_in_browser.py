"""The stored notebooks as a web page (nbconvert), opened in Chromium: pictures are seen whole, and the player plays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from notebook_runs import NOTEBOOKS, code_cells, read

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, Page

nbconvert = pytest.importorskip("nbconvert", reason="rendering notebooks needs nbconvert: pip install nbconvert")

#: What a notebook's own page is made of; MathJax and the like, which nbconvert wants from a network, are not let in.
OWN = ("file:", "data:", "about:")

each_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


@pytest.fixture(scope="module")
def window(browser: Browser) -> Iterator[Page]:
    """A window as wide as that of most readers, without a network."""
    page = browser.new_context(viewport={"width": 1000, "height": 900}).new_page()
    page.set_default_timeout(10_000)
    page.route("**/*", lambda route: route.continue_() if route.request.url.startswith(OWN) else route.abort())
    yield page
    page.close()


@pytest.fixture
def opened(window: Page, tmp_path: Path) -> Callable[[Path], Page]:
    """Opens a notebook."""

    def shown(path: Path) -> Page:
        html, _ = nbconvert.HTMLExporter().from_filename(str(path))
        target = tmp_path / "notebook.html"
        target.write_text(html, "utf-8")
        window.goto(target.as_uri())
        return window

    return shown


def outputs(path: Path, kind: str) -> list[Any]:
    """The outputs of a notebook that are shown as `kind`."""
    found = [output.get("data", {}) for cell in code_cells(read(path)) for output in cell["outputs"]]
    return [data[kind] for data in found if kind in data]


@each_notebook
def test_pictures_are_seen_whole(path: Path, opened: Callable[[Path], Page]) -> None:
    """Every drawing and plot is there, larger than nothing, and within the width of the page."""
    page = opened(path)
    drawings = page.locator(".jp-RenderedSVG img, .jp-RenderedSVG svg")
    plots = page.locator(".jp-RenderedImage img")
    assert drawings.count() >= len(outputs(path, "image/svg+xml"))
    assert plots.count() >= len(outputs(path, "image/png"))
    for pictures in (drawings, plots):
        for place in range(pictures.count()):
            box = pictures.nth(place).bounding_box()
            assert box is not None and box["width"] > 30 and box["height"] > 20
            assert box["x"] >= 0 and box["x"] + box["width"] <= 1000


def players(path: Path) -> int:
    """How many players a notebook has."""
    return sum("<iframe" in "".join(html) for html in outputs(path, "text/html"))


def test_some_notebooks_have_a_player() -> None:
    """Three of them, at least: what comes next would pass without any."""
    assert sum(map(bool, map(players, NOTEBOOKS))) >= 3


@pytest.mark.parametrize("path", [*filter(players, NOTEBOOKS)], ids=lambda path: path.stem)
def test_players_play(path: Path, opened: Callable[[Path], Page]) -> None:
    """A player goes on by a step when its button is pressed."""
    page = opened(path)
    assert page.locator("iframe").count() == players(path)
    for place in range(players(path)):
        frame = page.frame_locator("iframe").nth(place)
        before = frame.locator("#where").inner_text()
        frame.locator("#next").click()
        assert frame.locator("#where").inner_text() != before
