"""Numbers in bulk: a `Batch` is an array that primitives and their rules take as they take a float.

    columns = Batch([0.0, 1.0, 2.0])
    tanh(columns)                               # elementwise, as NumPy computes it
    tanh.partials[0](columns, tanh(columns))    # the local derivative for each of them

Outside a domain a batch holds what NumPy gives, nan or inf, where a float raises.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .primitives import Primitive


class Batch(numpy.ndarray[Any, numpy.dtype[numpy.float64]]):
    """An array of floats; primitives of it are arrays, elementwise."""

    def __new__(cls, numbers: Any) -> Batch:
        """An array of anything that NumPy makes floats of."""
        return numpy.asarray(numbers, dtype=float).view(cls)

    def _record(self, primitive: Primitive, operands: Sequence[Any]) -> Batch:
        with numpy.errstate(all="ignore"):
            return numpy.asarray(primitive.array(*operands)).view(Batch)
