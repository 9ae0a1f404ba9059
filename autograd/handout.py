"""Hand the notebooks out: `copy_notebooks("course")` puts them where a learner works, and never over one's own work."""

from __future__ import annotations

import json
from errno import ENOENT, ENOTDIR
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from os import PathLike

#: Where the notebooks are: within an installed package, or beside it in a clone of the repository.
_HERE = Path(__file__).parent
FOLDERS = (_HERE / "notebooks", _HERE.parent / "notebooks")


class Handout(NamedTuple):
    """What became of the notebooks: copied, there already, or left alone since the file there is a different one."""

    folder: Path
    copied: list[str]
    same: list[str]
    kept: list[str]

    def __str__(self) -> str:
        lines = []
        if self.copied:
            lines.append(f"{_files(self.copied)} copied to {self.folder}; {self.copied[0]} comes first")
        if self.same:
            lines.append(f"{_files(self.same)} unchanged in {self.folder}")
        if self.kept:
            named = ", ".join(self.kept)
            afresh = "to have one afresh, move it away first"
            lines.append(f"kept, since they differ from those of this version: {named}; {afresh}")
        return "\n".join(lines)


def copy_notebooks(folder: str | PathLike[str], *, blank: bool = False) -> Handout:
    """Copy the notebooks of the course into a folder, which is made if need be.

    Args:
        blank: without the outputs, so that nothing is seen before it is run.

    Raises:
        OSError: if the folder cannot be written or is a file, or if this installation has no notebooks.
        ValueError: for an empty name.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     copied = copy_notebooks(folder).copied
    >>> copied[0]
    '01_a_number_that_remembers.ipynb'
    """
    if not str(folder):
        raise ValueError("name the folder that the notebooks are to go to, such as course")
    target = Path(folder)
    if not target.is_dir() and (target.exists() or target.is_symlink()):
        what = "a link that leads nowhere" if target.is_symlink() and not target.exists() else "a file"
        raise NotADirectoryError(ENOTDIR, f"it is {what}; name a folder", str(target))
    target.mkdir(parents=True, exist_ok=True)
    handout = Handout(target, [], [], [])
    for notebook in _notebooks():
        place, text = target / notebook.name, notebook.read_bytes()
        if blank and notebook.suffix == ".ipynb":
            text = _without_outputs(text)
        if not place.exists():
            _write_whole(place, text)
            handout.copied.append(notebook.name)
        else:
            (handout.same if place.read_bytes() == text else handout.kept).append(notebook.name)
    return handout


def _without_outputs(text: bytes) -> bytes:
    notebook = json.loads(text)
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            cell.update(execution_count=None, outputs=[])
    return (json.dumps(notebook, indent=1, ensure_ascii=False, sort_keys=True) + "\n").encode()


def _write_whole(place: Path, text: bytes) -> None:
    """A copy that is interrupted leaves no half of a notebook under its name."""
    half = place.with_name(f".{place.name}.part")
    half.write_bytes(text)
    half.replace(place)


def _files(names: list[str]) -> str:
    return f"{len(names)} file{'s' * (len(names) != 1)}"


def _notebooks() -> list[Path]:
    for folder in FOLDERS:
        if found := sorted(folder.glob("*.ipynb")):
            return [*found, *folder.glob("README.md")]
    raise FileNotFoundError(ENOENT, "this installation has no notebooks", str(FOLDERS[0]))
