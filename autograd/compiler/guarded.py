"""What the rules of a user's primitive are given while it is compiled: `guarded(q)`, a quantity that refuses branches.

    x = guarded(book.leaf("x", shared=False))
    3 * x**2                            # guarded, too; unguarded(...) is the quantity
    x == 1                              # TypeError
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .quantities import Quantity

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any, NoReturn

    from ..primitives import Primitive


class Guarded:
    """A quantity as the rules of a user's primitive have it: what Python would decide by it is refused, == too.

    A quantity itself is compared by identity, as dictionaries need it, and a rule with `x == 1` would never hold.
    """

    __slots__ = ("quantity",)

    def __init__(self, quantity: Quantity) -> None:
        self.quantity = quantity

    def _record(self, primitive: Primitive, operands: Sequence[Any]) -> Any:
        return guarded(self.quantity.book.of(primitive, map(unguarded, operands)))

    def __eq__(self, other: object) -> NoReturn:
        raise TypeError("it compares a number")

    __ne__ = __eq__
    __hash__ = None  # type: ignore[assignment]

    def __bool__(self) -> NoReturn:
        raise TypeError("it branches on a number")


def guarded(x: Any) -> Any:
    """A quantity guarded, all else as it is."""
    return Guarded(x) if type(x) is Quantity else x


def unguarded(x: Any) -> Any:
    """The quantity that is guarded, all else as it is."""
    return x.quantity if type(x) is Guarded else x


def _of_guarded(operator: Callable[..., Any]) -> Callable[..., Any]:
    return lambda self, *others: guarded(operator(self.quantity, *map(unguarded, others)))


for _name in ("add", "sub", "mul", "truediv", "pow"):
    for _operator in (f"__{_name}__", f"__r{_name}__"):
        setattr(Guarded, _operator, _of_guarded(getattr(Quantity, _operator)))
for _operator in ("__neg__", "__pos__", "__abs__"):
    setattr(Guarded, _operator, _of_guarded(getattr(Quantity, _operator)))
