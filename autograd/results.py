"""The numbers that somebody gave, of whatever kind: `flat(result)` has them by place, `numbers_told` shows them.

    flat([[1, 2], [3, 4]])      # {(0, 0): 1.0, (0, 1): 2.0, (1, 0): 3.0, (1, 1): 4.0}
    shape_told(flat(array))     # "2 × 3 numbers"
"""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING

from .graph import label_of
from .notation import one_line
from .scalars import as_number, typed_number
from .value import Value
from .wording import listed, six

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

#: A list or matrix among the arguments of a function is told in so many characters, or by its size.
MOST_SHOWN = 40

#: Whole numbers up to here are counts.
LARGEST_COUNT = 1e12


def plainly(x: float) -> str:
    """A number in feedback: with six digits, and counts in full."""
    return str(int(x)).replace("-", "−") if abs(x) < LARGEST_COUNT and x == int(x) else six(x)


def number_of(x: Any) -> float:
    """A number that was typed, or the data of a Value."""
    x = plain_lists(x)
    return typed_number(x) if isinstance(x, str) else as_number(x.data if hasattr(x, "grad") else x, "check()")


def short(x: Any) -> str:
    """Whatever was given, in a few characters that are the same in every run."""
    text = one_line(str(x) if isinstance(x, str) else repr(x))
    return text if " at 0x" not in text else f"this {type(x).__name__}"


def flat(result: Any) -> dict[Any, float]:
    """The numbers of a result by place: one, those of a list or dictionary, or those of a matrix by row and column."""
    result = plain_lists(result)
    if hasattr(result, "items"):
        return {key: number_of(x) for key, x in sorted(result.items(), key=lambda pair: str(pair[0]))}
    if not isinstance(result, (list, tuple)):
        return {"": number_of(result)}
    found: dict[Any, float] = {}
    for place, x in enumerate(map(plain_lists, result)):
        if isinstance(x, (list, tuple)):
            found |= {(place, *(key if isinstance(key, tuple) else (key,))): number for key, number in flat(x).items()}
        else:
            found[place] = number_of(x)
    return found


def plain_lists(x: Any) -> Any:
    """NumPy's numbers and arrays as Python's own."""
    return x.tolist() if hasattr(x, "tolist") and not isinstance(x, type) else x


def shape_told(numbers: Mapping[Any, float]) -> str:
    """How many numbers, or their names, or rows and columns."""
    if list(numbers) == [""]:
        return "a number"
    if list(numbers) == [0]:
        return "a list of one number"
    if size := sides(numbers):
        return f"{' × '.join(map(str, size))} numbers"
    named = [key for key in numbers if isinstance(key, str)]
    return f"numbers for {listed(named)}" if named else f"{len(numbers)} numbers"


def sides(numbers: Mapping[Any, float]) -> tuple[int, ...]:
    """How many rows and columns a matrix has; nothing for what is none."""
    if not numbers or not all(isinstance(key, tuple) for key in numbers):
        return ()
    sides = tuple(1 + max(places) for places in zip(*numbers))
    return sides if len(numbers) == prod(sides) else ()


def numbers_told(numbers: Mapping[Any, float]) -> str:
    """A number, a list or a matrix."""
    if list(numbers) == [""]:
        return plainly(numbers[""])
    if len(size := sides(numbers)) == 2:
        row = size[1]
        texts = [plainly(x) for x in numbers.values()]
        rows = [f"[{', '.join(texts[i : i + row])}]" for i in range(0, len(texts), row)]
        return f"[{', '.join(rows)}]"
    texts = [f"{key}: {plainly(x)}" if isinstance(key, str) else plainly(x) for key, x in numbers.items()]
    return f"[{', '.join(texts)}]"


def shown_argument(x: Any) -> str:
    """What a function was called with: a node by its label, a long list by its size."""
    x = plain_lists(x)
    if isinstance(x, (int, float)):
        return plainly(x)
    if isinstance(x, Value):
        return one_line(label_of(x) or "a node without a label")
    numbers = flat(x) if isinstance(x, (list, tuple)) and _is_of_numbers(x) else {}
    told = numbers_told(numbers) if numbers else short(x)
    return told if len(told) <= MOST_SHOWN or not numbers else shape_told(numbers)


def _is_of_numbers(x: Any) -> bool:
    return all(map(_is_of_numbers, x)) if isinstance(x, (list, tuple)) else isinstance(x, (int, float))
