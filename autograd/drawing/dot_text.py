"""DOT text of a picture: a pure function of it, the same bytes in every run; any Graphviz can lay it out.

Records with a fixed-width font and no HTML-like labels, since not every build of Graphviz has those.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..notation import shown

if TYPE_CHECKING:
    from .boxes import Arrow, Box, Picture

HEAD = """digraph autograd {
  graph [rankdir=LR, bgcolor="white", fontname="Courier", fontsize=11, nodesep=0.25, ranksep=0.45, pad=0.15]
  node [fontname="Courier", fontsize=14, height=0.3, margin="0.12,0.06", color="#57606a", fontcolor="#1b1f24"]
  edge [fontname="Courier", fontsize=11, color="#6e7781", fontcolor="#57606a", arrowsize=0.7]
"""

#: What leaves, results, the root and constants look like: told apart by shape and line as well as by shade.
SHAPE = {"leaf": "shape=Mrecord, style=filled", "result": "shape=record, style=filled"}
SHADE = {"leaf": 'fillcolor="#e7f0fa"', "result": 'fillcolor="#ffffff"'}
ROOT = 'fillcolor="#fff1b8", penwidth=2.5'
CONSTANT = 'shape=box, style=dotted, fontsize=11, margin="0.05,0.02", height=0.2, width=0.2'


def dot_text(picture: Picture, *, edges: bool = False) -> str:
    """The DOT text.

    Args:
        edges: write the local derivative on each arrow.
    """
    lines = [HEAD.rstrip("\n")]
    if picture.notes:
        notes = "".join(f"{_quoted(note)}\\l" for note in picture.notes)
        lines.append(f'  graph [labelloc=b, labeljust=l, label="{notes}"]')
    lines.extend(map(_box, picture.boxes))
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
        return shown(box.value)
    value = shown(box.value) + " (stale)" * box.stale
    gradient = "–" if box.gradient is None else shown(box.gradient)
    numbers = f"{_escaped(value)}\\n{_escaped(f'grad {gradient}')}"
    fields = f"{_escaped(box.label)}|{numbers}" if box.label else numbers
    if box.kind == "leaf":
        return fields
    tab = _escaped(box.symbol) + (f"\\ ×{box.folded}" if box.folded > 1 else "")
    places = "|".join(f"<{_port(i)}> {_escaped(place)}" for i, place in enumerate(box.places))
    return f"{{{{{places}}}|{tab}|{{{fields}}}}}" if places else f"{{{tab}|{{{fields}}}}}"


def _arrow(arrow: Arrow, box: Box, *, edges: bool) -> str:
    head = f"{box.key}:{_port(arrow.place)}:w" if box.places else box.key
    kind = "constant" if arrow.derivative is None else "operand"
    label = f', label="{shown(arrow.derivative)}"' if edges and arrow.derivative is not None else ""
    dotted = ", style=dotted" if arrow.derivative is None else ""
    return f'  {arrow.source} -> {head} [id="{arrow_id(arrow, box)}", class="{kind}"{label}{dotted}]'


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
