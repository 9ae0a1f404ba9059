"""The numbers of many Values at once, as arrays: what optimisers and compiled steps read and write again and again.

    numbers = data_of(parameters)           # an array
    gradients = gradients_of(parameters)    # an array, or None if one has no gradient
    set_data(parameters, numbers)

They go straight to where a Value keeps its numbers, a third of the time of `.data` and `.grad`; an array of floats
needs none of the checks that these make. Numbers of an array come one by one from its memory, so that each new float
takes the room of an old one: a fifth less than a list of all. `nn` uses this module beside the public names of
`autograd`.
"""

from __future__ import annotations

import struct
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any

    import numpy

    from .value import Value

    Array = numpy.ndarray[Any, numpy.dtype[numpy.float64]]


def data_of(values: Sequence[Value]) -> Array:
    """The numbers, as an array that cannot be written.

    >>> from autograd import Value
    >>> data_of([Value(1.0), Value(2.0)]).tolist()
    [1.0, 2.0]
    """
    return _packed([value._data for value in values])


def gradients_of(values: Sequence[Value]) -> Array | None:
    """The gradients, as an array that cannot be written; None if one of them was not computed.

    >>> from autograd import Value
    >>> x = Value(3.0)
    >>> (x * x).backward()
    >>> gradients_of([x]).tolist(), gradients_of([x, Value(1.0)])
    ([6.0], None)
    """
    try:
        return _packed([value._grad for value in values])
    except struct.error:
        return None


def set_data(values: Sequence[Value], numbers: Array) -> None:
    """Give each value its number. An interrupt comes when all have theirs.

    >>> import numpy
    >>> from autograd import Value
    >>> x = Value(3.0)
    >>> set_data([x], numpy.array([5.0]))
    >>> x.data
    5.0
    """
    try:
        for value, number in zip(values, numbers.data):
            value._data = number
    except BaseException:
        for value, number in zip(values, numbers.data):
            value._data = number
        raise


def set_gradients(values: Sequence[Value], gradients: Array) -> None:
    """Give each value its gradient. An interrupt comes when all have theirs.

    >>> import numpy
    >>> from autograd import Value
    >>> x = Value(3.0)
    >>> set_gradients([x], numpy.array([5.0]))
    >>> x.grad
    5.0
    """
    try:
        for value, gradient in zip(values, gradients.data):
            value._grad = gradient
    except BaseException:
        for value, gradient in zip(values, gradients.data):
            value._grad = gradient
        raise


@contextmanager
def gradients_kept(values: Sequence[Value]) -> Iterator[None]:
    """Inside, gradients may be written; at the end all have what they had before.

    >>> from autograd import Value, nodes
    >>> x = Value(3.0)
    >>> y = x * x
    >>> with gradients_kept(nodes(y)):
    ...     y.backward()
    >>> x.has_grad
    False
    """
    held = [value._grad for value in values]
    try:
        yield
    finally:
        try:
            _give_back(values, held)
        except BaseException:  # Ctrl-C
            _give_back(values, held)
            raise


def _give_back(values: Sequence[Value], held: list[float | None]) -> None:
    for value, gradient in zip(values, held):
        value._grad = gradient


def _packed(numbers: list[Any]) -> Array:
    """As an array: by `struct`, in a third of the time of numpy.array."""
    import numpy

    return numpy.frombuffer(_form(len(numbers)).pack(*numbers))


@cache
def _form(count: int) -> struct.Struct:
    """That of so many doubles: kept, since to find it by its text takes as long as a third of the packing."""
    return struct.Struct(f"{count}d")
