"""The page as one file: `document(log)` fills page.html with the graph, the table, all steps, data and scripts.

What scripts later replace is all there without them. Nothing is loaded from anywhere, and the page's own policy allows
no style and no script but those in it, each known by its hash.
"""

from __future__ import annotations

import json
import re
from base64 import b64encode
from hashlib import sha256
from html import escape
from importlib.resources import files
from typing import TYPE_CHECKING

from ..notation import expression, one_line
from ..wording import six, step_told
from .canvas import canvas
from .scripts import partials_script
from .tape import LONGEST, tape

if TYPE_CHECKING:
    from typing import Any

    from ..steps import Log, Step
    from ..value import Value

#: The scripts, in the order in which they stand in the page; "rules" is printed from rules.py.
SCRIPTS = (
    *("values.js", "rules", "evaluator.js", "questions.js", "wording.js", "graph.js", "leaves.js"),
    *("player.js", "moments.js", "card.js", "ledger.js", "notices.js", "address.js", "controls.js"),
)


def document(log: Log) -> str:
    """The HTML of the whole page."""
    style = _packed_style(_file("page.css"))
    script = "\n" + _script(log)
    policy = f"default-src 'none'; script-src '{_hash(script)}'; style-src '{_hash(style)}'; base-uri 'none'"
    name, size, arrows = log.name[log.root], len(log.order), sum(map(len, log.departures.values()))
    parts = {
        "policy": policy,
        "style": style,
        "root": escape(name),
        "size": f"{size} nodes, {arrows} arrows, {len(log.steps)} steps",
        "graph": canvas(log),
        "table": _table(log),
        "steps": "\n".join(map(_listed, log.steps)),
        "tape": data_text(tape(log)),
        "script": script,
    }
    return re.sub(r"\{\{(\w+)\}\}", lambda match: parts[match[1]], _file("page.html"))


def data_text(data: Any) -> str:
    """JSON that can stand in a script element: nothing in it ends that, or begins a comment.

    >>> data_text(["</script>", chr(0x2028)])
    '["\\\\u003c/script\\\\u003e","\\\\u2028"]'
    """
    text = json.dumps(data, separators=(",", ":"), allow_nan=False)
    return re.sub("[<>&]", lambda match: f"\\u{ord(match[0]):04x}", text)


def _script(log: Log) -> str:
    texts = [partials_script(log.order) if name == "rules" else _packed(_file(name)) for name in SCRIPTS]
    return "(() => {\n'use strict';\n" + "".join(texts) + "})();\n"


def _file(name: str) -> str:
    return files(__package__).joinpath(name).read_text("utf-8")


def _packed(script: str) -> str:
    """A script without what is written for its readers: whole lines of comment, and indentation."""
    lines = map(str.strip, script.splitlines())
    return "".join(f"{line}\n" for line in lines if line and not line.startswith("//"))


def _packed_style(style: str) -> str:
    """A style sheet with a rule on each line."""
    bare = re.sub(r"\s+", " ", re.sub(r"/\*.*?\*/", "", style, flags=re.DOTALL))
    return re.sub(r" ?([{};,]) ?", r"\1", bare).replace(";}", "}").replace("}", "}\n")


def _hash(text: str) -> str:
    return "sha256-" + b64encode(sha256(text.encode()).digest()).decode()


def _listed(step: Step) -> str:
    return f"<li>{escape(chr(10).join(step_told(step)))}</li>"


def _table(log: Log) -> str:
    return "\n".join(_row(node, log) for node in log.order)


def _row(node: Value, log: Log) -> str:
    made = f"<code>{escape(one_line(expression(node, log.name).plain, LONGEST))}</code>" if node.primitive else "leaf"
    count = len(log.arrivals[node])
    cells = [
        f'<th scope="row">{escape(log.name[node])}</th>',
        f"<td>{made}</td>",
        f"<td>{six(node.data)}</td>",
        f"<td>{six(log.adjoints[node])}</td>",
        f"<td>{f'{count} of {count}' if count else 'the result'}</td>",
    ]
    return f"<tr>{''.join(cells)}</tr>"
