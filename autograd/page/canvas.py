"""The graph of the page: `canvas(log)` is the drawing of `draw`, made so that its numbers can change in place.

The layout is made once, by Graphviz, with room for any number; the numbers are put in afterwards. All that the page's
style sheet says once is taken out, and shapes become the shortest elements that draw them: a large graph stays small.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from xml.etree import ElementTree

from ..drawing.boxes import Picture, picture
from ..drawing.dot_text import dot_text
from ..drawing.finishing import finished
from ..drawing.rendering import svg
from .tape import brief

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

    from ..steps import Log

#: A number that makes room in the boxes for those that the page shows. Wider ones are squeezed.
WIDE = 0.12

#: Room between ranks, for the chips on arrows, in inches.
BETWEEN = 0.65

#: Room below the drawing, for the marks under the lowest nodes.
BELOW = 8


def canvas(log: Log) -> str:
    """The SVG of the finished pass. Nodes have the ids n0, n1, ..., their arrows n2o0, n2o1, ..."""
    boxes = []
    for box in picture(log.root).boxes:
        gradient = None if box.kind == "constant" else log.adjoints[log.order[int(box.key[1:])]]
        boxes.append(box._replace(gradients=(gradient,), label=box.name))
    roomy = [box if box.kind == "constant" else box._replace(values=(WIDE,), gradients=(WIDE,)) for box in boxes]
    dot = dot_text(Picture(roomy, []), between=BETWEEN)
    drawn = ElementTree.fromstring(finished(svg(dot), dot, Picture(boxes, [])))
    prefix = drawn.get("id", "") + "-"
    return ElementTree.tostring(_compact(drawn, prefix, log), encoding="unicode")


def _compact(drawn: Element, prefix: str, log: Log) -> Element:
    left, top, width, height = drawn.get("viewBox", "").split()
    size = {"width": f"{float(width):g}", "height": f"{float(height) + BELOW:g}"}
    view = f"{float(left):g} {float(top):g} {size['width']} {size['height']}"
    label = f"Computation graph of {log.name[log.root]}"
    root = ElementTree.Element("svg", {"id": "graph", "viewBox": view, **size, "role": "img", "aria-label": label})
    root.text = "\n"
    root.append(_arrow_heads())
    paper = drawn.find("{*}g")
    assert paper is not None
    drawing = ElementTree.SubElement(root, "g", {"class": "paper", "transform": paper.get("transform", "")})
    for group in paper.iterfind("{*}g"):
        key = group.get("id", "").removeprefix(prefix)
        drawing.append(_arrow(group, key) if "edge" in group.get("class", "") else _node(group, key, log))
        drawing[-1].tail = "\n"
    return root


def _arrow_heads() -> Element:
    """What ends an arrow, as the style sheet refers to it: of one at rest, and of one on the forward way."""
    heads = ElementTree.Element("defs")
    for name in ("head", "head-forward"):
        place = {"markerWidth": "8", "markerHeight": "6", "refX": "0", "refY": "3", "orient": "auto"}
        head = ElementTree.SubElement(heads, "marker", {"id": name, **place, "markerUnits": "userSpaceOnUse"})
        ElementTree.SubElement(head, "path", {"d": "M0,0.5L7,3L0,5.5Z"})
    return heads


def _arrow(group: Element, key: str) -> Element:
    (path,) = group.iterfind("{*}path")
    kind = {"class": "constant"} if "constant" in group.get("class", "") else {}
    return ElementTree.Element("path", {"id": key, **kind, "d": _curve(path.get("d", ""))})


def _curve(path: str) -> str:
    """A curve of Graphviz's, `Mx,yCx,y x,y ...`, in whole numbers, each third point as seen from the one before."""
    start, *points = [(round(float(x)), round(float(y))) for x, y in re.findall(r"(-?[\d.]+),(-?[\d.]+)", path)]
    x, y = start
    steps = []
    for i, point in enumerate(points, 1):
        steps.append(f"{point[0] - x},{point[1] - y}")
        if i % 3 == 0:
            x, y = point
    return f"M{start[0]},{start[1]}c{' '.join(steps).replace(',-', '-').replace(' -', '-')}"


def _node(group: Element, key: str, log: Log) -> Element:
    classes = group.get("class", "")
    compact = ElementTree.Element("g", {"id": key, "class": classes})
    for element in group:
        tag = element.tag.partition("}")[2]
        if tag in ("path", "polygon"):
            compact.append(_box(element.get("d") or element.get("points") or "", rounded=tag == "path"))
        elif tag == "polyline":
            ElementTree.SubElement(compact, "path", {"d": "M" + _rounded(element.get("points", ""))})
        elif tag == "text":
            compact.append(_text(element))
    if "constant" not in classes:
        node = log.order[int(key[1:])]
        numbers = {"value": brief(node.data), "gradient": f"g {brief(log.adjoints[node])}"}
        for text in compact.iterfind("text"):
            text.text = numbers.get(text.get("class", ""), text.text)
    return compact


def _box(outline: str, *, rounded: bool) -> Element:
    corners = [tuple(map(float, pair.split(","))) for pair in re.findall(r"-?[\d.]+,-?[\d.]+", outline)]
    xs, ys = ([round(side) for side in sides] for sides in zip(*corners))
    sides = {"x": min(xs), "y": min(ys), "width": max(xs) - min(xs), "height": max(ys) - min(ys)}
    return ElementTree.Element("rect", {**{k: str(v) for k, v in sides.items()}, **({"rx": "12"} if rounded else {})})


def _text(element: Element) -> Element:
    kind = {"class": element.get("class", "")} if element.get("class") else {}
    place = {side: _rounded(element.get(side, "")) for side in ("x", "y")}
    text = ElementTree.Element("text", {**kind, **place})
    text.text = element.text
    return text


def _rounded(numbers: str) -> str:
    return re.sub(r"-?\d+\.\d+", lambda match: str(round(float(match[0]))), numbers)
