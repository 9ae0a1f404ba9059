"""Step sizes that change with the step number t: `SGD(params, lr=cosine(0.1, steps=1000))`.

A schedule is a function of t = 0, 1, 2, ...; the functions here make some, and `lambda t: 0.1 / (1 + t)` is one too.
Gradient descent with η(t) finds its way if the η(t) add up to infinity and their squares do not, as those of
`inverse_time` (Robbins and Monro 1951; MIT 6.036).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from .arguments import count, from_zero

if TYPE_CHECKING:
    from collections.abc import Callable

    Schedule = Callable[[int], float]

__all__ = ["constant", "cosine", "exponential", "inverse_time", "step_decay", "warm_up"]


def constant(lr: float) -> Schedule:
    """lr at every step.

    Raises:
        ValueError: for an argument that is negative, nan or infinite; so do all schedules.
        TypeError: for one that is no number.

    >>> schedule = constant(0.1)
    >>> schedule(0), schedule(1000)
    (0.1, 0.1)
    """
    lr = from_zero(lr, "lr")
    return _of_steps(lambda t: lr)


def step_decay(lr: float, every: int, factor: float = 0.1) -> Schedule:
    """lr, times `factor` after each `every` steps (CS231n, annealing the learning rate).

    >>> schedule = step_decay(1.0, every=10, factor=0.5)
    >>> [schedule(t) for t in (0, 9, 10, 25)]
    [1.0, 1.0, 0.5, 0.25]
    """
    lr, every, factor = from_zero(lr, "lr"), count(every, "every"), from_zero(factor, "factor")
    return _of_steps(lambda t: lr * _power(factor, t // every))


def exponential(lr: float, factor: float) -> Schedule:
    """lr * factor**t (CS231n).

    >>> schedule = exponential(1.0, factor=0.5)
    >>> [schedule(t) for t in range(4)]
    [1.0, 0.5, 0.25, 0.125]
    """
    lr, factor = from_zero(lr, "lr"), from_zero(factor, "factor")
    return _of_steps(lambda t: lr * _power(factor, t))


def cosine(lr: float, steps: int, lowest: float = 0.0) -> Schedule:
    """From lr down to `lowest` in `steps` steps, on half a period of a cosine (Loshchilov and Hutter 2017,
    arXiv:1608.03983); `lowest` from there on.

    >>> schedule = cosine(1.0, steps=10)
    >>> [round(schedule(t), 12) for t in (0, 5, 10, 20)]
    [1.0, 0.5, 0.0, 0.0]
    """
    lr, steps, lowest = from_zero(lr, "lr"), count(steps, "steps"), from_zero(lowest, "lowest")
    return _of_steps(lambda t: lowest + (lr - lowest) * (1 + math.cos(math.pi * min(t / steps, 1))) / 2)


def inverse_time(lr: float, decay: float) -> Schedule:
    """lr / (1 + decay * t): in the long run as 1/t (Robbins and Monro 1951; CS231n).

    >>> schedule = inverse_time(1.0, decay=0.5)
    >>> [schedule(t) for t in (0, 2, 6)]
    [1.0, 0.5, 0.25]
    """
    lr, decay = from_zero(lr, "lr"), from_zero(decay, "decay")
    return _of_steps(lambda t: lr / (1 + decay * t))


def warm_up(schedule: Schedule | float, steps: int) -> Schedule:
    """In `steps` steps evenly up to where `schedule` starts, which then takes its course (Goyal et al. 2017,
    arXiv:1706.02677). A number stands for `constant` of it.

    >>> schedule = warm_up(1.0, steps=3)
    >>> [schedule(t) for t in range(5)]
    [0.25, 0.5, 0.75, 1.0, 1.0]
    """
    after: Schedule = schedule if callable(schedule) else constant(from_zero(schedule, "schedule"))
    steps = count(steps, "steps")
    return _of_steps(lambda t: after(0) * (t + 1) / (steps + 1) if t < steps else after(t - steps))


def _of_steps(schedule: Schedule) -> Schedule:
    """The schedule, which takes step numbers alone."""

    def at(t: int) -> float:
        from_zero(t, "t, the number of the step,")
        return schedule(t)

    return at


def _power(factor: float, exponent: float) -> float:
    try:
        return math.pow(factor, exponent)
    except OverflowError:
        return math.inf  # which an optimiser refuses
