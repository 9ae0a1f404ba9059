"""Arguments, looked at once: each becomes the kind of number or array that is needed, or an error that names it.

    rows = matrix(X)               # an array of rows of finite numbers
    numbers = targets(y, len(X))   # a list of whole numbers (classes), of floats, or of rows
    n = count(n, "n", least=2)     # a whole number

Errors are one sentence and begin with the argument's name.
"""

from __future__ import annotations

import math
from numbers import Integral, Real
from operator import index
from os import PathLike
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    import numpy


#: Nothing is counted further than this: who asks for more has made a mistake, and would wait for ever.
MOST = 10**9


def matrix(X: Any, name: str = "X") -> numpy.ndarray:
    """`X` as an array of rows of finite numbers.

    >>> matrix([[1, 2], [3, 4]]).tolist()
    [[1.0, 2.0], [3.0, 4.0]]
    """
    rows = array(name, X)
    if rows.ndim != 2 or not rows.size:
        shape = f"an array of shape {rows.shape}" if rows.ndim else short(X)
        raise ValueError(f"{name} has a row for each point, such as [[0.0, 1.0], [1.0, 1.0]]; not {shape}")
    _check_kind(rows, name)
    return rows.astype(float)


def targets(y: Any, rows: int, name: str = "y") -> list[Any]:
    """`y` as a list of as many whole numbers, floats or rows of floats.

    >>> targets([0, 1], 2), targets([0.5, 1], 2)
    ([0, 1], [0.5, 1.0])
    """
    wanted = array(name, y)
    if not 1 <= wanted.ndim <= 2 or len(wanted) != rows:
        given = f"{len(wanted)}" if wanted.ndim else short(y)
        raise ValueError(f"{name} has a class or a number for each of the {rows} rows of X; not {given}")
    if wanted.dtype.kind in "US":
        raise TypeError(f"{name} holds names, such as {wanted.flat[0].item()!r}: give their numbers 0, 1, ... instead")
    _check_kind(wanted, name)
    return list((wanted.astype(int) if wanted.dtype.kind == "b" else wanted).tolist())


def _check_kind(numbers: numpy.ndarray, name: str) -> None:
    """An error unless all are real and finite."""
    import numpy

    if numbers.dtype.kind not in "biuf":
        raise TypeError(f"{name} holds real numbers, not {numbers.dtype}")
    if not (finite := numpy.isfinite(numbers)).all():
        place = tuple(numpy.argwhere(~finite)[0].tolist())
        where = f"row {place[0]}, column {place[1]}" if len(place) == 2 else f"place {place[0]}"
        raise ValueError(f"{name} holds finite numbers, not {numbers[place]} as in {where}, counted from 0")


def array(name: str, data: Any) -> numpy.ndarray:
    """`data` as an array."""
    import numpy

    try:
        return numpy.asarray(data)
    except ValueError:
        raise ValueError(f"{name} is no array: its rows differ in length") from None


def listed(numbers: Iterable[float], name: str) -> list[float]:
    """A list of what is to have a number for each column."""
    if isinstance(numbers, str) or not is_iterable(numbers):
        raise TypeError(f"{name} lists a number for each column, not {short(numbers)}")
    return [finite(number, name) for number in numbers]


def is_iterable(given: Any) -> bool:
    """Whether it can be gone through; an array without dimensions says so and cannot.

    >>> is_iterable([1.0]), is_iterable(1.0)
    (True, False)
    """
    try:
        iter(given)
    except TypeError:
        return False
    return True


def is_whole(given: Any) -> bool:
    """Whether it is a whole number, Python's or NumPy's; True and False are none.

    >>> is_whole(3), is_whole(3.0), is_whole(True)
    (True, False, False)
    """
    return isinstance(given, Integral) and not isinstance(given, bool)


def file_path(path: str | PathLike[str], name: str = "path") -> Path:
    """The path of a file.

    >>> file_path("model.json").suffix
    '.json'
    """
    from pathlib import Path

    if not isinstance(path, (str, PathLike)) or not str(path):
        raise TypeError(f"{name} is the name of a file, such as 'model.json'; not {short(path)}")
    return Path(path)


def count(n: int, name: str, least: int = 1, most: int = MOST) -> int:
    """A whole number from `least` to `most`.

    >>> count(3, "n")
    3
    """
    if not is_whole(n):
        raise TypeError(f"{name} is a whole number, not {short(n)}")
    if index(n) < least:
        raise ValueError(f"{name} is {least} or more, not {short(n)}")
    if index(n) > most:
        raise ValueError(f"{name} is {most:,} or less, not {short(n)}")
    return index(n)


def finite(number: float, name: str) -> float:
    """A plain number, neither nan nor infinite.

    >>> finite(3, "noise")
    3.0
    """
    if isinstance(number, bool) or not isinstance(number, Real):
        raise TypeError(f"{name} is a number, not {short(number)}")
    try:
        converted = float(number)
    except OverflowError:
        converted = math.inf
    if not math.isfinite(converted):
        raise ValueError(f"{name} is a finite number, not {short(number)}")
    return converted


def from_zero(number: float, name: str) -> float:
    """A plain, finite number, 0 or more.

    >>> from_zero(1, "lr")
    1.0
    """
    if isinstance(number, bool) or not isinstance(number, Real):
        raise TypeError(f"{name} is a plain number, 0 or more; not {short(number)}")
    try:
        converted = finite(number, name)
    except ValueError:
        converted = -1.0
    if converted < 0:
        raise ValueError(f"{name} is a finite number, 0 or more; not {short(number)}")
    return converted


def with_article(name: str) -> str:
    """The name of a type in a sentence.

    >>> with_article("int"), with_article("list")
    ('an int', 'a list')
    """
    return f"an {name}" if name[0] in "aeiou" or name == "ndarray" else f"a {name}"


def counted(count: int, noun: str) -> str:
    """How many there are, in words of a sentence.

    >>> counted(1, "row"), counted(2, "row"), counted(2, "class")
    ('1 row', '2 rows', '2 classes')
    """
    return f"{count} {noun}" if count == 1 else f"{count} {noun}{'es' if noun.endswith('s') else 's'}"


def short(given: Any) -> str:
    """What was given, for an error message."""
    try:
        text = " ".join(repr(given).split())
    except ValueError:  # Python does not write out numbers of thousands of digits
        text = f"{with_article(type(given).__name__)} of thousands of digits"
    return text if len(text) <= 40 else text[:37] + "..."
