"""The steps of an optimiser where the numbers of all parameters are kept in an array: `Mover(optimizer, leaves)`.

    mover = Mover(optimizer, compiled.flat_parameters)
    numbers = mover.moved(numbers, gradients, reached)
    mover.read_again()      # a callback may have changed optimizer.params

An optimiser of this package computes on arrays, and no Value is touched. One with a `step` or `zero_grad` of the
user's own works on Values, which get their numbers and gradients before.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from autograd.bulk import data_of, set_data, set_gradients

from .optim import Optimizer

if TYPE_CHECKING:
    import numpy

    from autograd import Value


class Mover:
    """What moves the numbers of the leaves."""

    def __init__(self, optimizer: Any, leaves: list[Value]) -> None:
        self._optimizer = optimizer
        self._leaves = leaves
        self._place = {leaf: i for i, leaf in enumerate(leaves)}
        self._params: list[Value] | None = None
        self.read_again()

    def read_again(self) -> None:
        """See what the optimiser moves, and how."""
        import numpy

        optimizer, place = self._optimizer, self._place
        own = [name for name in ("step", "zero_grad") if getattr(optimizer, name, None) != _usual(optimizer, name)]
        self._by_values = not isinstance(optimizer, Optimizer) or bool(own)
        if self._by_values or optimizer.params == self._params:
            return
        self._params = list(optimizer.params)
        places = [i for i, parameter in enumerate(self._params) if parameter in place]
        #: The places of what the optimiser moves: in its list, and in the array.
        self._places = numpy.array(places, int)
        self._at = numpy.array([place[self._params[i]] for i in places], int)
        self._reached: numpy.ndarray | None = None

    def moved(self, numbers: numpy.ndarray, gradients: numpy.ndarray, reached: numpy.ndarray) -> numpy.ndarray:
        """The numbers after a step, in a new array; an error or an interrupt has changed nothing.

        Args:
            reached: of each, whether the loss depends on it: if not, it has no gradient, and is left out of the step.
        """
        if self._by_values:
            return self._moved_by_values(numbers, gradients, reached)
        if reached is not self._reached:
            self._choose(reached)
        new: numpy.ndarray
        if self._all:
            new = self._optimizer.array_step(numbers, gradients, self._chosen_places)
        else:
            at, new = self._chosen, numbers.copy()
            new[at] = self._optimizer.array_step(numbers[at], gradients[at], self._chosen_places)
        return new

    def _choose(self, reached: numpy.ndarray) -> None:
        """What is to move of what the optimiser has."""
        import numpy

        has_gradient = reached[self._at]
        if not has_gradient.any():
            raise ValueError("the loss does not depend on any of the optimizer's parameters")
        at, places = self._at[has_gradient], self._places[has_gradient]
        self._all = numpy.array_equal(at, numpy.arange(len(self._leaves)))
        self._chosen, self._reached = at, reached
        self._chosen_places = None if len(places) == len(self._optimizer.params) else places

    def _moved_by_values(
        self, numbers: numpy.ndarray, gradients: numpy.ndarray, reached: numpy.ndarray
    ) -> numpy.ndarray:
        """As a training loop has it: zero_grad(), which may leave gradients for the next to add to, and step()."""
        import numpy

        leaves, optimizer = self._leaves, self._optimizer
        optimizer.zero_grad()
        with_gradient = [leaf for leaf, has_gradient in zip(leaves, reached.tolist()) if has_gradient]
        before = numpy.array([leaf.grad for leaf in with_gradient])
        set_gradients(with_gradient, before + gradients[reached])
        try:
            optimizer.step()
        except BaseException:
            set_data(leaves, numbers)
            raise
        return data_of(leaves)


def _usual(optimizer: Any, name: str) -> Any:
    return getattr(Optimizer, name).__get__(optimizer)
