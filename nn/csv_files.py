"""Tables of numbers in text files, read with errors that name the line and the column.

    table = Table(path, list(records(path, ",")), target="species")
    table.features, [table.numbers(row) for row in table.rows], table.classes()

`datasets.load_csv` makes arrays of it.
"""

from __future__ import annotations

import math
from operator import index
from typing import TYPE_CHECKING, NamedTuple

from .arguments import counted, file_path, is_whole, short

if TYPE_CHECKING:
    from collections.abc import Iterator
    from os import PathLike


class Record(NamedTuple):
    """One row of a file."""

    line: int
    fields: list[str]


def records(path: str | PathLike[str], delimiter: str) -> Iterator[Record]:
    """The rows of a file, without comments and empty ones."""
    import csv

    try:
        with file_path(path).open(encoding="utf-8-sig", newline="") as file:
            lines = list(file)
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is not text in UTF-8: byte {error.start} does not fit") from None
    number, inside = 0, False

    def without_comments() -> Iterator[str]:
        """The lines for the reader; a # inside a quoted field that goes over lines is no comment."""
        nonlocal number, inside
        for line in lines:
            number += 1
            if inside or not line.lstrip().startswith("#"):
                inside = True
                yield line

    reader = csv.reader(without_comments(), delimiter=delimiter, skipinitialspace=True, strict=True)
    while True:
        inside = False
        try:
            fields = next(reader, None)
        except csv.Error as error:
            raise ValueError(f"{path}, line {number}: {error}") from None
        if fields is None:
            return
        if any(field.strip() for field in fields):
            yield Record(number, [field.strip() for field in fields])


class Table:
    """Rows of equal length, the names of their columns, and which column is the target; None if none is."""

    def __init__(self, path: str | PathLike[str], records: list[Record], target: int | str | None) -> None:
        if not records:
            raise ValueError(f"{path} has no rows")
        self.path, first = path, records[0]
        self.width = self._checked_width(first, least=1 if target is None else 2)
        place = self._place(target, first)
        features = [field for i, field in enumerate(first.fields) if i != place]
        header = not any(_is_number(field) for field in features)
        self.names = self._checked_names(first) if header else [f"x{i + 1}" for i in range(self.width)]
        self.target = self._named(target, header=header) if place is None and isinstance(target, str) else place
        self.features = tuple(name for i, name in enumerate(self.names) if i != self.target)
        self.rows = records[header:]
        if not self.rows:
            raise ValueError(f"{path} has a header and no rows")
        for row in self.rows:
            if len(row.fields) != self.width:
                found = f"{counted(len(row.fields), 'column')}, where line {first.line} has {self.width}"
                raise ValueError(f"{path}, line {row.line}: {found}")

    def numbers(self, row: Record) -> list[float]:
        """The features of a row."""
        return [self.number(row, i) for i in range(self.width) if i != self.target]

    def number(self, row: Record, column: int) -> float:
        """What stands in a column of a row, as a number."""
        text = row.fields[column]
        if not _is_number(text):
            empty = "nothing stands there: fill in a number or leave the row out"
            what = f"{short(text)} is no number" if text else empty
            raise ValueError(f"{self._where(row, column)}: {what}")
        if not math.isfinite(number := float(text)):
            raise ValueError(f"{self._where(row, column)}: {short(text)} is not a finite number")
        return number

    def classes(self, advice: str = "") -> tuple[tuple[str, ...], list[int]]:
        """The names of the classes, and for each row the number of its class.

        Args:
            advice: what to do if the target is a number, for the error.
        """
        texts, target = [], self.target
        if target is None:
            raise ValueError(f"{self.path} was read without a target")
        for row in self.rows:
            text = row.fields[target]
            if not text or (_is_number(text) and not _is_whole(text)):
                found = f"{short(text)} is no class" if text else "no class stands there"
                raise ValueError(f"{self._where(row, target)}: {found}{advice}")
            texts.append(text)
        names = sorted(set(texts), key=int if all(map(_is_whole, texts)) else None)
        if len(names) < 2:
            raise ValueError(f"{self.path}: all rows have the class {short(names[0])}; two or more classes are needed")
        number = {name: i for i, name in enumerate(names)}
        return tuple(names), [number[text] for text in texts]

    def _where(self, row: Record, column: int) -> str:
        return f"{self.path}, line {row.line}, column {column + 1} ({_one_line(self.names[column])})"

    def _checked_width(self, first: Record, least: int) -> int:
        if len(first.fields) < least:
            found = f"one column, {short(first.fields[0])}"
            advice = next((f"; is the delimiter {mark!r}?" for mark in ";\t,|" if mark in first.fields[0]), "")
            raise ValueError(f"{self.path}, line {first.line}: a feature and a target are needed, not {found}{advice}")
        return len(first.fields)

    def _checked_names(self, header: Record) -> list[str]:
        for i, name in enumerate(header.fields):
            if not name:
                raise ValueError(f"{self.path}, line {header.line}, column {i + 1}: the column has no name")
            if name in header.fields[:i]:
                raise ValueError(f"{self.path}, line {header.line}, column {i + 1}: {short(name)} is there twice")
        return list(header.fields)

    def _place(self, target: int | str | None, first: Record) -> int | None:
        """Where the target is, if a place was given, or if it is a name that the first row has."""
        if target is None:
            return None
        if isinstance(target, str):
            return first.fields.index(target) if target in first.fields else None
        if not is_whole(target):
            raise TypeError(f"target is the place of a column, such as -1, or its name; not {short(target)}")
        if not -self.width <= index(target) < self.width:
            has = f"{self.path}, which has {self.width} columns"
            raise ValueError(f"target: there is no column {short(target)} in {has}")
        return index(target) % self.width

    def _named(self, target: str, *, header: bool) -> int:
        if not header:
            advice = "give the place of the column, such as -1"
            raise ValueError(f"target: {self.path} has no header that could name a column {short(target)}; {advice}")
        names = _one_line(", ".join(self.names), 200)
        raise ValueError(f"target: {self.path} has no column {short(target)}; it has {names}")


def _one_line(text: str, most: int = 40) -> str:
    """A name from a file in an error message, whatever stands in the file."""
    line = " ".join(text.split())
    return line if len(line) <= most else line[: most - 3] + "..."


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return "_" not in text  # Python's own way of grouping digits is nobody else's


def _is_whole(text: str) -> bool:
    return text.removeprefix("-").isascii() and text.removeprefix("-").isdigit()
