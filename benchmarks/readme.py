"""The table of measures in the README: `with_measures(text, measures)` puts it between its two markers.

`python -m benchmarks --write-readme` measures all rows and writes them there.
"""

from __future__ import annotations

from .side_by_side import ROOT

README = ROOT / "README.md"
START, END = "<!-- measures -->\n", "<!-- end of measures -->"


def with_measures(text: str, measures: str) -> str:
    """The README with these measures in place of the old ones; ValueError where it has no place for them."""
    before, start, rest = text.partition(START)
    _, end, after = rest.partition(END)
    if not (start and end):
        raise ValueError(f"{README.name} needs the lines {START.strip()} and {END}, one after the other")
    return f"{before}{start}{measures}\n{end}{after}"


def problem() -> str:
    """What keeps the README from being renewed; nothing if all is well."""
    try:
        with_measures(README.read_text("utf-8"), "")
    except ValueError as error:
        return str(error)
    return ""


def write(measures: str) -> None:
    """Renew the README."""
    README.write_text(with_measures(README.read_text("utf-8"), measures), "utf-8")
