"""The course is whole: notebooks/README.md leads to a section and an exercise for every concept of the lectures."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from notebook_runs import FOLDER, NOTEBOOKS, code_cells, read, source, text

CONTENTS = (FOLDER / "README.md").read_text("utf-8")
README = (FOLDER.parent / "README.md").read_text("utf-8")

#: What five lectures teach has twenty parts; seven examples of theirs are worked with numbers.
CONCEPTS = [str(number) for number in range(1, 21)]
EXAMPLES = [f"E{number}" for number in range(1, 8)]

LINK = re.compile(r"\]\(([^)#]+\.ipynb)(?:#([^)]+))?\)")


def headings(path: Path) -> list[str]:
    """The headings of a notebook, as anchors: Jupyter writes hyphens for spaces."""
    texts = [source(cell) for cell in read(path)["cells"] if cell["cell_type"] == "markdown"]
    found = re.findall(r"^#{1,4} (.+)$", "\n".join(texts), flags=re.MULTILINE)
    return list(map(_anchor, found))


def _anchor(heading: str) -> str:
    return re.sub(r"[`*]", "", heading).strip().replace(" ", "-")


def section(path: Path, anchor: str) -> list[dict[str, Any]]:
    """The cells below a heading, up to the next one of its level or above."""
    found: list[dict[str, Any]] = []
    level = 0
    for cell in read(path)["cells"]:
        text = source(cell) if cell["cell_type"] == "markdown" else ""
        for marks, heading in re.findall(r"^(#{1,4}) (.+)$", text, re.MULTILINE):
            if level and len(marks) <= level:
                return found
            level = len(marks) if _anchor(heading) == anchor else level
        found += [cell] * bool(level)
    return found


def rows() -> dict[str, str]:
    """The rows of the table of concepts by their first cell."""
    lines = [line for line in CONTENTS.splitlines() if line.startswith("| ")]
    return {line.split("|")[1].strip(): line for line in lines}


@pytest.mark.parametrize("number", [*CONCEPTS, *EXAMPLES])
def test_every_concept_is_taught(number: str) -> None:
    """Each has a row with a link to the section that teaches it; a concept has one to an exercise, too."""
    links = LINK.findall(rows()[number])
    assert all(anchor for _, anchor in links)
    assert links
    if number in CONCEPTS:
        assert any(anchor.startswith("Exercise-") for _, anchor in links), rows()[number]
        assert any(not anchor.startswith("Exercise-") for _, anchor in links), rows()[number]


def test_links_lead_to_sections() -> None:
    """Every link of the contents is a notebook, and a heading in it, once."""
    for name, anchor in LINK.findall(CONTENTS):
        assert FOLDER / name in NOTEBOOKS, name
        if anchor:
            assert headings(FOLDER / name).count(unquote(anchor)) == 1, (name, anchor, headings(FOLDER / name))


def test_links_within_notebooks_lead_somewhere() -> None:
    """What a notebook links to is in the folder, and a heading there; or it is on the web."""
    for path in NOTEBOOKS:
        for cell in read(path)["cells"]:
            if cell["cell_type"] == "markdown":
                for target, anchor in re.findall(r"\]\((?!https?:)([^)#]*)(?:#([^)]+))?\)", source(cell)):
                    other = FOLDER / target if target else path
                    assert other.exists(), (path.name, target)
                    assert not anchor or unquote(anchor) in headings(other), (path.name, target, anchor)


#: The published numbers of each example.
NUMBERS = {
    "E1": (
        *(6, 0.6931471805599453, 0.6389612763136348, 403.4287934927351, 8.656170245333781, 0.10649354605227246),
        *(412.19145728412116, 404.853739609282, -12.360007402472986, 0.1666666666666667, 1208.38121512661),
        809.707479218564,
    ),
    "E2": (3, -12, -4),
    "E3": (0.7310585786300049, -0.19661193324148185, 0.3932238664829637, -0.3932238664829637, -0.5898357997244456),
    "E4": (0.7071067811865477, -1.5, 1, 0.5, 0),
    "E5": (2.9, 0.9666666667, 2.0403551528),
    "E6": (1.4643687841, -0.7687761024, 0.6285317192, 0.1402443832),
}


@pytest.mark.parametrize("example", NUMBERS)
def test_worked_examples_show_their_numbers(example: str) -> None:
    """Each number stands in an output of the sections that work the example, with at least four digits, rounded."""
    shown: set[float] = set()
    for name, anchor in LINK.findall(rows()[example]):
        for cell in code_cells({"cells": section(FOLDER / name, unquote(anchor))}):
            printed = " ".join(map(text, cell["outputs"])).replace("−", "-")
            shown |= {float(number) for number in re.findall(r"-?\d+(?:\.\d+)?(?:e[-+]\d+)?", printed)}
    for number in NUMBERS[example]:
        assert shown & {float(f"{number:.{digits}g}") for digits in range(4, 9)}, (example, number)


def test_the_example_of_ones_own_numbers_agrees() -> None:
    """E7 is worked with numbers of our choice: the backward pass by hand and the engine's come to the same."""
    ((name, anchor),) = LINK.findall(rows()["E7"])
    printed = [text(o) for c in code_cells({"cells": section(FOLDER / name, unquote(anchor))}) for o in c["outputs"]]
    assert any("J and all 15 slopes are the same: True" in output for output in printed)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_every_notebook_is_in_both_lists(path: Path) -> None:
    """The README and the contents have a line for it, and it has its questions."""
    assert f"(notebooks/{path.name})" in README
    assert f"({path.name})" in CONTENTS
    lesson = path.stem.partition("_")[2]
    assert (FOLDER.parent / "autograd" / "lessons" / f"{lesson}.py").exists()
    assert any(f"from autograd.lessons import {lesson} as lesson" in source(cell) for cell in read(path)["cells"])


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_has_its_parts(path: Path) -> None:
    """A question and what one will be able to do, a prediction first, exercises, a summary, and where to read on."""
    notebook = read(path)
    text = "\n".join(source(cell) for cell in notebook["cells"] if cell["cell_type"] == "markdown")
    anchors = headings(path)
    number = int(path.stem.partition("_")[0])
    assert text.startswith(f"# {number} · ")
    assert "After this notebook you can" in text
    assert "Predict-first" in anchors[1:3]  # a question from the notebook before may come first
    assert len([anchor for anchor in anchors if anchor.startswith("Exercise-")]) >= 3
    assert "Summary" in anchors
    assert "**Read on**" in text
