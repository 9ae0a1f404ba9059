"""The player page: how large it is, how soon it can be used, how fast it follows a slider.

    python -m benchmarks.page

Each time is the median of seven runs in Chromium (by Playwright): from opening the file until the page answers, and
from moving a slider until the numbers have changed and the browser has drawn a frame.
"""

from __future__ import annotations

import gzip
import shutil
import tempfile
from pathlib import Path
from random import Random
from statistics import median
from time import perf_counter
from typing import TYPE_CHECKING, Any

import autograd as ag
from autograd import Value
from autograd.page import player

if TYPE_CHECKING:
    from collections.abc import Iterator

RUNS = 7
SIZES = (50, 150)

#: Milliseconds from the event of a slider to the end of the script, and to the frame that shows what it did.
MOVE = """async (x) => {
  const slider = document.getElementById('leaf0');
  const start = performance.now();
  slider.value = x;
  slider.dispatchEvent(new Event('input'));
  const script = performance.now() - start;
  await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
  return [script, performance.now() - start];
}"""


def graph(count: int) -> Value:
    """A graph of that many nodes: sums, products and activations of what came shortly before, always the same."""
    random = Random(1)
    values = [Value(random.uniform(0.5, 1.5), f"x{i}") for i in range(count // 6)]
    y = values[0]
    for i in range(count - len(values)):
        other = values[i] if i < len(values) else random.choice(values[-8:])
        y = y * other if i % 3 == 0 else y + other if i % 3 == 1 else ag.tanh(y)
        values.append(y)
    return y


def measured(page: Any, target: Path) -> Iterator[tuple[float, float, float]]:
    """Seconds until the page is ready; milliseconds of a slider's move, in the script and until it is drawn."""
    for run in range(RUNS):
        start = perf_counter()
        page.goto(target.as_uri())
        page.evaluate("() => window.chalkgrad.look()")
        ready = perf_counter() - start
        page.keyboard.press("End")
        yield ready, *page.evaluate(MOVE, 0.3 + run / 10)


def main() -> None:
    """Print the table."""
    print(f"{'nodes':>5} {'kB':>6} {'kB gzip':>8} {'made ms':>8} {'ready ms':>9} {'slider ms':>10} {'drawn ms':>9}")
    with tempfile.TemporaryDirectory() as folder:
        pages = {}
        for count in SIZES:
            root = graph(count)
            made = [_made(root) for _ in range(RUNS)]
            pages[count] = (player(root).save(Path(folder) / f"{count}.html"), median(made))
        timings = _timings({count: target for count, (target, _) in pages.items()})
        for count, (target, seconds) in pages.items():
            content = target.read_bytes()
            plain, packed = len(content) / 1000, len(gzip.compress(content)) / 1000
            print(f"{count:>5} {plain:>6.1f} {packed:>8.1f} {1000 * seconds:>8.1f} {timings.get(count, '')}")
    if not timings:
        print("No browser was found: its times need Chromium, and Playwright (pip install playwright).")


def _made(root: Value) -> float:
    start = perf_counter()
    player(root)
    return perf_counter() - start


def _timings(targets: dict[int, Path]) -> dict[int, str]:
    """The times of each page as text; none without a browser."""
    try:
        from playwright.sync_api import Error, sync_playwright
    except ImportError:
        return {}
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    with sync_playwright() as running:
        try:
            browser = running.chromium.launch(executable_path=found, args=["--no-sandbox"])
        except Error:
            return {}
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        texts = {}
        for count, target in targets.items():
            ready, script, drawn = map(median, zip(*measured(page, target)))
            texts[count] = f"{1000 * ready:>9.0f} {script:>10.1f} {drawn:>9.1f}"
        browser.close()
        return texts


if __name__ == "__main__":
    main()
