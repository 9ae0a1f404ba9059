"""What a machine calls, one thing after another: a list of functions and of what they are given.

    calls = Calls()
    calls.add(numpy.tanh, x, out)
    calls.run()                         # now, and whenever the arrays hold other numbers
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any


class Calls:
    """What is called, one after another.

    Functions and what they are given are in lists of their own, three arrays at most: there may be a hundred thousand
    of them, and the garbage collector has no tuples to go over.
    """

    def __init__(self) -> None:
        self._functions: list[Callable[..., Any]] = []
        self._first: list[Any] = []  # all operands, in a tuple, if these are neither two nor three
        self._second: list[Any] = []
        self._third: list[Any] = []
        #: How many calls there are when a group of sums over the batch is computed, for each such group.
        self.sums: list[int] = []

    def add(self, function: Callable[..., Any], first: Any, second: Any, third: Any = None) -> None:
        """One more, at the end."""
        self._functions.append(function)
        self._first.append(first)
        self._second.append(second)
        self._third.append(third)

    def add_with(self, function: Callable[..., Any], operands: Sequence[Any]) -> None:
        """One more, of any number of operands."""
        if 2 <= len(operands) <= 3:
            self.add(function, *operands)
        else:
            self.add(function, operands, None)

    def run(self) -> None:
        """Call all of them."""
        for function, first, second, third in zip(self._functions, self._first, self._second, self._third):
            if third is not None:
                function(first, second, third)
            elif second is not None:
                function(first, second)
            else:
                function(*first)

    def part(self, start: int, stop: int | None = None) -> Calls:
        """Some of them."""
        part = Calls()
        part._functions, part._first = self._functions[start:stop], self._first[start:stop]
        part._second, part._third = self._second[start:stop], self._third[start:stop]
        return part

    def __len__(self) -> int:
        return len(self._functions)
