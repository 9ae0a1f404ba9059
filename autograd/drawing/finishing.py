"""Graphviz's SVG made fit for pages: ids of its own, a style for light and dark, titles for screen readers.

Positions are Graphviz's; everything else that a reader sees or hears is added here.
"""

from __future__ import annotations

from hashlib import sha256
from importlib.resources import files
from typing import TYPE_CHECKING
from xml.etree import ElementTree

from ..notation import shown
from .boxes import counted
from .dot_text import arrow_id

if TYPE_CHECKING:
    from collections.abc import Sequence
    from xml.etree.ElementTree import Element

    from .boxes import Arrow, Box, Picture


def finished(svg: str, dot: str, picture: Picture) -> str:
    """The SVG that is shown, from the one that Graphviz made of `dot`."""
    root = ElementTree.fromstring(svg)
    for element in root.iter():
        element.tag = element.tag.partition("}")[2]
        element.tail = None
        if element.text is not None and not element.text.strip():
            element.text = None
    boxes = {box.key: box for box in picture.boxes}
    titles = {key: _described(box) for key, box in boxes.items()}
    titles |= {arrow_id(a, box): _connected(a, box, boxes) for box in picture.boxes for a in box.arrows}
    description = told(picture)
    # What makes a drawing what it is: equal ones are equal bytes, and different ones share no id on a page.
    prefix = "cg" + sha256("\n".join([dot, description, *titles.values()]).encode()).hexdigest()[:10]
    for group in root.iter("g"):
        _finish_group(group, prefix, titles, boxes)
    _finish_root(root, prefix, picture.boxes[-1].name, description)
    return ElementTree.tostring(root, encoding="unicode")


def told(picture: Picture) -> str:
    """The picture in words, for those who cannot see it."""
    return ". ".join([counted(picture), *map(_described, picture.boxes), *picture.notes])


def _finish_root(root: Element, prefix: str, name: str, text: str) -> None:
    width, height = (root.get(side, "").removesuffix("pt") for side in ("width", "height"))
    view = root.get("viewBox", "")
    root.attrib.clear()
    root.attrib.update(
        {
            "xmlns": "http://www.w3.org/2000/svg",
            "id": prefix,
            "width": width,
            "height": height,
            "viewBox": view,
            "role": "img",
            "aria-labelledby": f"{prefix}-title {prefix}-desc",
        }
    )
    style = ElementTree.Element("style")
    style.text = files(__package__).joinpath("style.css").read_text("utf-8").replace("#ID", f"#{prefix}")
    title = ElementTree.Element("title", {"id": f"{prefix}-title"})
    title.text = f"Computation graph of {name}"
    description = ElementTree.Element("desc", {"id": f"{prefix}-desc"})
    description.text = text
    root[:0] = [title, description, style]


def _finish_group(group: Element, prefix: str, titles: dict[str, str], boxes: dict[str, Box]) -> None:
    key = group.get("id", "")
    group.set("id", f"{prefix}-{key}")
    if group.get("class") == "graph":
        paper = group.find("polygon")
        if paper is not None:
            paper.set("class", "paper")
    old = group.find("title")
    if old is not None:
        group.remove(old)
    if key in titles:
        title = ElementTree.Element("title")
        title.text = titles[key]
        group.insert(0, title)
    texts = group.findall("text")
    for text in texts:
        for attribute in ("font-family", "fill"):
            text.attrib.pop(attribute, None)
    if group.get("class") == "cluster module":
        for text in texts:
            text.set("class", "label")
    if key in boxes and boxes[key].kind != "constant":
        texts[-1].set("class", "gradient")
        texts[-2].set("class", "value")
        if boxes[key].label:
            texts[-3].set("class", "label")


def _described(box: Box) -> str:
    if box.kind == "constant":
        return f"constant {_numbers(box.values)}"
    made = f" = {box.expression}" if box.expression and box.folded == 1 else ""
    several = f", {box.folded} operations {box.symbol} folded" if box.folded > 1 and box.kind == "result" else ""
    neurons = f", {box.symbol}" * (box.kind == "module")
    computed = [x for x in box.gradients if x is not None]
    gradient = f"gradient {_numbers(computed)}" if computed else "gradient not computed"
    return f"{box.name}{made}{several}{neurons}: value {_numbers(box.values)}{' (stale)' * box.stale}, {gradient}"


def _connected(arrow: Arrow, box: Box, boxes: dict[str, Box]) -> str:
    source = boxes[arrow.source]
    if box.kind == "module":
        return f"{source.name or _numbers(source.values)}, input of {box.name}"
    if arrow.kind == "constant":
        return f"{_numbers(source.values)}, operand {arrow.place + 1} of {box.name}"
    local = f": local derivative {shown(arrow.derivative)}" if arrow.derivative is not None else ""
    return f"{source.name}, operand {arrow.place + 1} of {box.name}{local}"


def _numbers(values: Sequence[float]) -> str:
    return ", ".join(map(shown, values))
