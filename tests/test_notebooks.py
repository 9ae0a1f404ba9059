"""The notebooks are true: each runs from top to bottom and prints what is stored; its exercises can be solved.

`python -m pytest tests/test_notebooks.py --update` stores new outputs. Look at them before you commit.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from notebook_runs import NOTEBOOKS, code_cells, made_with, ran, read, solved, source, text, write

if TYPE_CHECKING:
    from pathlib import Path

pytest.importorskip("nbclient", reason="running notebooks needs nbclient and ipykernel: pip install nbclient ipykernel")

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # Jupyter's own

each_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)

#: What must not stand in an output: addresses of objects, paths, tracebacks, more digits than can be relied on.
UNSTABLE = re.compile(r"0x[0-9a-f]{6,}|/home/|/tmp/|/site-packages/|Traceback|(?<![\w#.])-?\d+\.\d{9,}")


def answer_cells(notebook: dict[str, Any]) -> list[dict[str, Any]]:
    """The cells that a learner fills in."""
    return [cell for cell in code_cells(notebook) if "solution" in cell["metadata"]]


def comparable(cell: dict[str, Any], *, pictures: bool) -> list[Any]:
    """The outputs of a cell; the bytes of pictures if they are to be equal too, else that there is one."""
    outputs = []
    for output in cell["outputs"]:
        data = {k: v if pictures or k != "image/png" else "a picture" for k, v in output.get("data", {}).items()}
        outputs.append((output["output_type"], output.get("name"), text(output), data))
    return outputs


@each_notebook
def test_outputs_are_what_runs_print(path: Path, request: pytest.FixtureRequest) -> None:
    """Every cell prints what is stored, byte for byte, and shows the same pictures."""
    stored = read(path)
    fresh = ran(stored)
    if request.config.getoption("--update"):
        write(path, fresh)
        stored = fresh
    alike = stored["metadata"].get("made_with") == made_with()
    for before, now in zip(code_cells(stored), code_cells(fresh)):
        assert comparable(now, pictures=alike) == comparable(before, pictures=alike), source(now)


@each_notebook
def test_solutions_are_right(path: Path) -> None:
    """With the solutions, every cell runs, and every check of an answer says that it is right."""
    notebook = ran(solved(read(path)))
    cells = answer_cells(notebook)
    assert len(cells) >= 3
    for cell in cells:
        told = [text(output) for output in cell["outputs"]]
        if ".check(" in source(cell):
            assert told and told[-1].splitlines()[0].startswith(("Right", "All ")), (source(cell), told)


@each_notebook
def test_blanks_are_met_with_a_friendly_message(path: Path) -> None:
    """What a learner sees who fills in nothing yet: a sentence, on no error stream."""
    notebook = read(path)
    for cell in answer_cells(notebook):
        assert "..." in source(cell), source(cell)
        assert cell["outputs"], source(cell)
    for cell in code_cells(notebook):
        assert all(output["output_type"] != "error" for output in cell["outputs"]), source(cell)
        assert all(output.get("name") != "stderr" for output in cell["outputs"]), source(cell)


@each_notebook
def test_outputs_hold_nothing_that_changes(path: Path) -> None:
    """No addresses, paths or long floats."""
    for cell in code_cells(read(path)):
        for output in cell["outputs"]:
            assert not (found := UNSTABLE.search(text(output))), (source(cell), found)
