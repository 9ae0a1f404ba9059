"""DOT text of a picture: a pure function of it, the same bytes in every run; any Graphviz can lay it out.

Records with a fixed-width font and no HTML-like labels, since not every build of Graphviz has those.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..notation import shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .boxes import Arrow, Box, Picture

# nslimit: a chain of 150 products of one leaf takes a minute and a half without a limit; usual graphs do not reach it.
HEAD = """digraph autograd {
  graph [rankdir=LR, bgcolor="white", fontname="Courier", fontsize=11, nodesep=0.25, ranksep={between}, pad=0.15]
  graph [nslimit=4]
  node [fontname="Courier", fontsize=14, height=0.3, margin="0.12,0.06", color="#57606a", fontcolor="#1b1f24"]
  edge [fontname="Courier", fontsize=11, color="#6e7781", fontcolor="#57606a", arrowsize=0.7]
"""

#: What leaves, results, the root and constants look like: told apart by shape and line as well as by shade.
SHAPE = {
    "leaf": "shape=Mrecord, style=filled",
    "result": "shape=record, style=filled",
    "module": "shape=record, style=filled",
}
SHADE = {"leaf": 'fillcolor="#e7f0fa"', "result": 'fillcolor="#ffffff"', "module": 'fillcolor="#f1f3f5"'}
ROOT = 'fillcolor="#fff1b8", penwidth=2.5'
CONSTANT = 'shape=box, style=dotted, fontsize=11, margin="0.05,0.02", height=0.2, width=0.2'


#: A box that stands for several nodes shows as many of their numbers.
MOST_NUMBERS = 4


def dot_text(picture: Picture, *, edges: bool = False, between: float = 0.45) -> str:
    """The DOT text.

    Args:
        edges: write the local derivative on each arrow.
        between: room between a node and the next, in inches.
    """
    lines = [HEAD.rstrip("\n").replace("{between}", str(between))]
    if picture.notes:
        notes = "".join(f"{_quoted(note)}\\l" for note in picture.notes)
        lines.append(f'  graph [labelloc=b, labeljust=l, label="{notes}"]')
    lines.extend(_box(box) for box in picture.boxes if not box.cluster)
    for number, cluster in enumerate(dict.fromkeys(box.cluster for box in picture.boxes if box.cluster)):
        lines.append(
            f'  subgraph cluster_{number} {{ id="c{number}" class="module" label="{_quoted(cluster)}" style=dashed'
        )
        lines.extend("  " + _box(box) for box in picture.boxes if box.cluster == cluster)
        lines.append("  }")
    for box in picture.boxes:
        lines.extend(_arrow(arrow, box, edges=edges) for arrow in box.arrows)
    return "\n".join([*lines, "}"]) + "\n"


def _box(box: Box) -> str:
    return f'  {box.key} [id="{box.key}", class="{_classes(box)}", {_look(box)}, label="{_label(box)}"]'


def _classes(box: Box) -> str:
    return " ".join([box.kind, *["root"] * box.is_root, *["stale"] * box.stale])


def _look(box: Box) -> str:
    if box.kind == "constant":
        return CONSTANT
    return f"{SHAPE[box.kind]}, {ROOT if box.is_root else SHADE[box.kind]}"


def _label(box: Box) -> str:
    if box.kind == "constant":
        return _several([shown(value) for value in box.values])
    value = _several([shown(x) for x in box.values]) + " (stale)" * box.stale
    gradient = _several(["–" if x is None else shown(x) for x in box.gradients])
    numbers = f"{_escaped(value)}\\n{_escaped(f'grad {gradient}')}"
    fields = f"{_escaped(box.label)}|{numbers}" if box.label else numbers
    if box.kind == "leaf":
        return fields
    count = f"\\ ×{box.folded}" if box.folded > 1 and box.kind == "result" else ""
    tab = _escaped(box.symbol) + count
    places = "|".join(f"<{_port(i)}> {_escaped(place)}" for i, place in enumerate(box.places))
    return f"{{{{{places}}}|{tab}|{{{fields}}}}}" if places else f"{{{tab}|{{{fields}}}}}"


def _several(numbers: Sequence[str]) -> str:
    """The numbers of a box that stands for several nodes: the first of them, and how many there are."""
    if len(numbers) <= MOST_NUMBERS:
        return ", ".join(numbers)
    return f"{', '.join(numbers[: MOST_NUMBERS - 1])} ... {len(numbers)} in all"


def _arrow(arrow: Arrow, box: Box, *, edges: bool) -> str:
    head = f"{box.key}:{_port(arrow.place)}:w" if box.places else box.key
    label = f', label="{shown(arrow.derivative)}"' if edges and arrow.derivative is not None else ""
    dotted = ", style=dotted" if arrow.kind == "constant" else ""
    return f'  {arrow.source} -> {head} [id="{arrow_id(arrow, box)}", class="{arrow.kind}"{label}{dotted}]'


def arrow_id(arrow: Arrow, box: Box) -> str:
    """The id of an arrow: where it ends and at which place."""
    return f"{box.key}o{arrow.place}"


def _port(place: int) -> str:
    return f"o{place}"


def _escaped(text: str) -> str:
    """Text for a place in a record: nothing in it is markup."""
    return "".join("\\" + c if c in "{}|<> " else c for c in _quoted(text))


def _quoted(text: str) -> str:
    """Text between the quotes of DOT."""
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("&", "&amp;")
