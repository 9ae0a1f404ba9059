"""Runs the notebooks: `ran(notebook)` is a fresh copy with its outputs, `solved(notebook)` has the solutions filled in.

An answer cell keeps its solution in its metadata, as "solution": lines of code that take the place of the blank.
`python -m pytest tests/test_notebooks.py --update` stores what comes out.
"""

from __future__ import annotations

import json
import os
import platform
from copy import deepcopy
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

FOLDER = Path(__file__).parent.parent / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))

#: A cell that takes longer than so many seconds hangs.
TIMEOUT = 120

#: What is stored of the outputs' making: pictures are the same bytes where these are the same.
MADE_WITH = ("matplotlib", "numpy")


def read(path: Path) -> dict[str, Any]:
    """A notebook as it is stored."""
    notebook: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return notebook


def write(path: Path, notebook: dict[str, Any]) -> None:
    """Store a notebook, as Jupyter formats it."""
    path.write_text(json.dumps(notebook, indent=1, ensure_ascii=False, sort_keys=True) + "\n", "utf-8")


def ran(notebook: dict[str, Any]) -> dict[str, Any]:
    """The notebook with the outputs of a fresh run of all its cells, and what they were made with.

    Raises:
        nbclient.exceptions.CellExecutionError: where a cell raises an error.
    """
    import nbformat
    from nbclient import NotebookClient

    fresh = nbformat.reads(json.dumps(notebook), as_version=nbformat.NO_CONVERT)
    client = NotebookClient(fresh, timeout=TIMEOUT, record_timing=False, resources={"metadata": {"path": FOLDER}})
    client.execute(env={**os.environ, "PYTHONPATH": str(FOLDER.parent)})  # this tree's packages, installed or not
    result: dict[str, Any] = json.loads(nbformat.writes(fresh))
    result["metadata"] = {**notebook["metadata"], "made_with": made_with()}
    for cell in code_cells(result):
        cell["outputs"] = _joined(cell["outputs"])
    return result


def solved(notebook: dict[str, Any]) -> dict[str, Any]:
    """The notebook with the solution in every answer cell."""
    answered = deepcopy(notebook)
    for cell in code_cells(answered):
        cell["source"] = cell["metadata"].get("solution", cell["source"])
    return answered


def made_with() -> dict[str, str]:
    """What the bytes of pictures depend on."""
    return {"machine": f"{platform.system()} {platform.machine()}", **{name: version(name) for name in MADE_WITH}}


def code_cells(notebook: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The cells that run."""
    return (cell for cell in notebook["cells"] if cell["cell_type"] == "code")


def source(cell: dict[str, Any]) -> str:
    """What stands in a cell."""
    return "".join(cell["source"])


def text(output: dict[str, Any]) -> str:
    """What an output says in plain text."""
    return "".join(output.get("text", output.get("data", {}).get("text/plain", "")))


def _joined(outputs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The outputs; what one stream prints in several pieces, which differ from run to run, is one output."""
    joined: list[dict[str, Any]] = []
    for output in outputs:
        if joined and output["output_type"] == "stream" and joined[-1].get("name") == output["name"]:
            joined[-1]["text"] = (text(joined[-1]) + text(output)).splitlines(keepends=True)
        else:
            joined.append(output)
    return joined

