"""What several test files need: the option `--update`, and one Chromium for all tests that drive a page.

Hypothesis draws the same examples in every run, so that a failure says what was changed, not what was drawn. To look
elsewhere each time:

    pytest -m hypothesis --hypothesis-profile=default
"""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser

settings.register_profile("same in every run", derandomize=True)
settings.load_profile("same in every run")


def pytest_addoption(parser: pytest.Parser) -> None:
    """`pytest tests/test_notebooks.py --update` stores what notebooks print, instead of comparing it."""
    parser.addoption("--update", action="store_true", help="store the notebooks' outputs")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One Chromium for all tests: the system's, else Playwright's own."""
    missing = "driving a page needs Playwright: pip install playwright"
    playwright = pytest.importorskip("playwright.sync_api", reason=missing)
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    with playwright.sync_playwright() as running:
        try:
            started = running.chromium.launch(executable_path=found, args=["--no-sandbox"])
        except playwright.Error:
            pytest.skip("driving the page needs Chromium: install it, or run `playwright install chromium`")
        yield started
        started.close()
