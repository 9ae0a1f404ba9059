"""The files that models are kept in: JSON with names, numbers and, beside the parameters, whatever else is to be kept.

    write("model.json", {"parameters": model.state_dict()})
    numbers = as_state(read("model.json")["parameters"], [name for name, _ in model.named_parameters()])

Reading runs nothing of what it reads. `Module.save`, `nn.save` and `nn.Checkpoint` write such files.
"""

from __future__ import annotations

import os
from errno import ENOENT
from typing import TYPE_CHECKING

from .arguments import file_path, with_article

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from os import PathLike
    from pathlib import Path
    from typing import Any

FORMAT = "chalkgrad model"
VERSION = 1


def write(path: str | PathLike[str], content: Mapping[str, Any]) -> Path:
    """Write `content` under our heading. The file is complete, or it is as it was."""
    import json

    target = file_path(path).resolve()  # a link stays a link
    if target.is_dir():
        raise ValueError(f"a model is written to a file such as model.json, not to the folder {str(path)!r}")
    if not target.parent.is_dir():
        raise FileNotFoundError(ENOENT, "there is no such folder: make it, or give another", str(target.parent))
    partial = target.with_name(target.name + ".partial")
    try:
        partial.write_text(json.dumps({"format": FORMAT, "version": VERSION, **content}) + "\n", "utf-8")
        os.replace(partial, target)
    finally:
        partial.unlink(missing_ok=True)
    return file_path(path)


def read(path: str | PathLike[str]) -> dict[str, Any]:
    """What `write` wrote.

    Raises:
        ValueError: if it is anything else.
    """
    import json

    try:
        content = json.loads(file_path(path).read_bytes())
    except (ValueError, RecursionError):
        raise ValueError(f"{path} is no model: it is not JSON, or not all of it is there") from None
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise ValueError(f"{path} is no model that chalkgrad wrote")
    if content.get("version") != VERSION:
        raise ValueError(f"{path} has version {content.get('version')!r}; this chalkgrad reads {VERSION}")
    if not isinstance(content.get("parameters"), dict):
        raise ValueError(f"{path} has no parameters")
    return content


def as_state(state: Any, names: Sequence[str]) -> dict[str, float]:
    """`state` as a number for each of `names`, or an error that says what is wrong with it."""
    if not hasattr(state, "items"):
        raise TypeError(f"a state is a dictionary from names to numbers, not {with_article(type(state).__name__)}")
    given, wanted = dict(state), set(names)
    if missing := [name for name in names if name not in given]:
        raise ValueError(f"{_counted(missing)} missing, such as {missing[0]!r}: is the model of another shape?")
    if unknown := [name for name in given if name not in wanted]:
        raise ValueError(f"{_counted(unknown)} not in this model, such as {unknown[0]!r}: has it another shape?")
    for name, number in given.items():
        if isinstance(number, bool) or not isinstance(number, (int, float)):
            raise ValueError(f"{name} is {number!r}, not a number")
    try:
        return {name: float(number) for name, number in given.items()}
    except OverflowError:
        raise ValueError("one of the numbers is above 1.8e308, which is too large") from None


def _counted(names: Sequence[str]) -> str:
    return "1 parameter is" if len(names) == 1 else f"{len(names)} parameters are"
