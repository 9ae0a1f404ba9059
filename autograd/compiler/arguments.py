"""The arguments of a compiled function: a batch for each, as an array with a row for each example."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from .binding import Array


def as_array(arg: Any, place: int, dtype: str) -> Array:
    """An argument as an array of that type; itself, if it is one."""
    if type(arg) is numpy.ndarray and arg.dtype == dtype and arg.ndim:
        return arg
    try:
        array = numpy.asarray(arg)
    except ValueError:
        raise ValueError(f"argument {place} has rows of different lengths: a batch is an array") from None
    if array.dtype.kind not in "fiub":
        advice = "; give numbers, Values are what the function closes over" if array.dtype.kind == "O" else ""
        raise TypeError(f"argument {place} is to be an array of real numbers, not of {array.dtype}{advice}")
    if not array.ndim:
        raise ValueError(f"argument {place} is one number; its first axis is to be the batch")
    return narrowed(array, dtype, f"argument {place}")


def narrowed(array: Array, dtype: str, what: str) -> Array:
    """The array in another type, if its numbers have room there."""
    with numpy.errstate(over="ignore"):
        result: Array = array.astype(dtype)
    if (numpy.isinf(result) & numpy.isfinite(array)).any():
        raise ValueError(f"{what} has numbers beyond {numpy.finfo(dtype).max:.2g}, the largest {dtype}")
    return result


def row(arg: Any, i: int) -> Any:
    """An example's part of an argument, as it is given: a list, an array or a number."""
    return arg[i] if isinstance(arg, (list, tuple, numpy.ndarray)) else numpy.asarray(arg)[i]


def common_length(arrays: Sequence[Array]) -> int:
    """The number of examples."""
    lengths = [len(array) for array in arrays]
    if min(lengths) != max(lengths):
        counts = ", ".join(map(str, lengths))
        raise ValueError(f"the first axis of all arguments is the batch; they have {counts} rows")
    if not lengths[0]:
        raise ValueError("a batch has one row or more; this one has none")
    return lengths[0]


def far_apart(arrays: Sequence[Array], count: int) -> list[int]:
    """At most so many rows, as unlike the first one, and each other, as there are."""
    if not count:
        return []
    with numpy.errstate(all="ignore"):
        # In place, for it may be large: to have another array of its size takes longer than to fill it.
        table = numpy.concatenate(arrays, 1, dtype=float)
        mean = table.mean(0)
        table -= numpy.where(numpy.isfinite(mean), mean, table[0])
        scale = numpy.sqrt(numpy.einsum("ij,ij->j", table, table) / len(table))
        table /= numpy.where((scale > 0) & numpy.isfinite(scale), scale, 1.0)
        numpy.nan_to_num(table, copy=False, posinf=1.0, neginf=-1.0)
        table -= table[0].copy()
        distance = numpy.einsum("ij,ij->i", table, table)
        chosen = [int(distance.argmax())]
        while len(chosen) < min(count, len(table)):
            table -= table[chosen[-1]].copy()  # no two rows come closer by that
            distance = numpy.minimum(distance, numpy.einsum("ij,ij->i", table, table))
            chosen.append(int(distance.argmax()))
    return list(dict.fromkeys(chosen))
