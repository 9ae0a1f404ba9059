"""Options of the tests: `--update` stores what notebooks print, instead of comparing it with what is stored."""

from __future__ import annotations

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """`pytest tests/test_notebooks.py --update`."""
    parser.addoption("--update", action="store_true", help="store the notebooks' outputs")
