"""The README is true: its examples run, what it shows is what comes out, what is generated is up to date."""

from __future__ import annotations

import doctest
import re
import shlex
import subprocess
import sys
from pathlib import Path

import refresh

TEXT = refresh.README.read_text("utf-8")


def blocks(language: str) -> list[str]:
    """The fenced blocks of one language."""
    return re.findall(rf"```{language}\n(.*?)```", TEXT, flags=re.DOTALL)


def test_examples_run() -> None:
    """All REPL examples, one after the other as a reader types them, print what stands there."""
    test = doctest.DocTestParser().get_doctest("\n".join(blocks("pycon")), {}, "README.md", str(refresh.README), 0)
    assert test.examples
    assert doctest.DocTestRunner(verbose=False).run(test).failed == 0


def test_command_line_example_runs(tmp_path: Path) -> None:
    """The `chalkgrad show` line runs as it stands there and writes its picture."""
    (line,) = [line for block in blocks("sh") for line in block.splitlines() if line.startswith("chalkgrad show")]
    command = [sys.executable, "-m", "autograd", *shlex.split(line)[1:]]
    environment = {"PYTHONPATH": str(refresh.ROOT), "PYTHONIOENCODING": "utf-8"}
    done = subprocess.run(command, capture_output=True, cwd=tmp_path, env=environment, check=True)
    assert "404.854" in done.stdout.decode()
    assert (tmp_path / "graph.svg").read_text("utf-8").startswith("<svg")


def test_table_of_rules_is_up_to_date() -> None:
    """If not: `python tests/refresh.py`."""
    assert refresh.refreshed_readme(TEXT) == TEXT


def test_picture_is_up_to_date() -> None:
    """If not: `python tests/refresh.py`."""
    assert refresh.PICTURE.read_text("utf-8") == refresh.picture()


def test_links_lead_somewhere() -> None:
    """Every relative link is a file of the repository."""
    for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", TEXT):
        assert (refresh.ROOT / target).exists(), target


def test_ci_runs_the_command_of_the_readme() -> None:
    """The test command that CI looks for stands in the README, once."""
    pattern = r"^python3 -m venv .*pytest$"
    assert len(re.findall(pattern, TEXT, flags=re.MULTILINE)) == 1
    assert pattern in (refresh.ROOT / ".ci" / "run").read_text("utf-8")


def test_contributing_is_short() -> None:
    """CONTRIBUTING.md keeps to 45 lines."""
    assert len((refresh.ROOT / "CONTRIBUTING.md").read_text("utf-8").splitlines()) <= 45
