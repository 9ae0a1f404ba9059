"""Optimisers move parameters against their gradients: `SGD(model.parameters(), lr=0.1)`, `Adam(model.parameters())`.

    optimizer = nn.SGD(model.parameters(), lr=0.1)
    for x, y in data:
        loss = nn.mse_loss(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

Arguments and updates are PyTorch's. `lr` may be a function of the number of the step (nn/schedules.py), and a gradient
that is nan or infinite is an error before anything has moved.

The rules are written for arrays of all parameters at once. `step` gathers their numbers and gradients from the Values
and sets the Values where the rule leads; `array_step` is for whoever keeps the numbers in an array.
"""

from __future__ import annotations

import math
from sys import float_info
from typing import TYPE_CHECKING

from autograd.bulk import data_of, gradients_of, set_data

from .arguments import MOST, counted, from_zero, short, with_article
from .penalties import values_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from typing import Any

    import numpy

    from autograd import Value

    from .module import Module
    from .schedules import Schedule

    #: Some of the parameters: their places in `params`, or a slice of them.
    Places = slice | numpy.ndarray

    #: Where a step leads, and what is to be remembered of it, by name.
    Outcome = tuple[numpy.ndarray, dict[str, numpy.ndarray]]


LARGEST = float_info.max
ALL = slice(None)


class Optimizer:
    """What optimisers have in common: a subclass says in `_moved` where a step leads.

    >>> from autograd import Value
    >>> isinstance(SGD([Value(1.0)]), Optimizer)
    True
    """

    #: The names of what is remembered of each parameter, of what is counted among that, and of the arguments beside
    #: `params`.
    MEMORY: tuple[str, ...] = ()
    COUNTS: tuple[str, ...] = ()
    OPTIONS: tuple[str, ...] = ("lr",)

    #: How many steps were taken.
    t: int

    def __init__(self, params: Iterable[Value] | Module, lr: float | Schedule) -> None:
        self.params = _leaves(params)
        self.lr = lr
        self.t = 0
        self._memory = {name: self._memory_of(name, [None] * len(self.params)) for name in self.MEMORY}

    @property
    def lr(self) -> float | Schedule:
        """The step size: a number, or a function of the number of the step t = 0, 1, 2, ...; it can be set."""
        return self._lr

    @lr.setter
    def lr(self, lr: float | Schedule) -> None:
        self._lr = lr if callable(lr) else from_zero(lr, "lr")

    def zero_grad(self) -> None:
        """Forget the gradients of all parameters, as each training step does before its backward pass."""
        for parameter in self.params:
            parameter.grad = None

    def step(self, *, check: bool = True) -> None:
        """Move every parameter that has a gradient.

        Args:
            check: False takes every gradient as it comes, as PyTorch does, and none too.

        Raises:
            ValueError: if no parameter has a gradient, for a gradient that is nan or infinite, and where a parameter
                would become so. Nothing has changed then.
        """
        import numpy

        places: Places = ALL
        moving = self.params
        gradients = gradients_of(moving)
        if gradients is None:
            present = [i for i, parameter in enumerate(moving) if parameter.has_grad]
            places, moving = numpy.array(present, dtype=int), [moving[i] for i in present]
            gradients = numpy.array([parameter.grad for parameter in moving], dtype=float)
        moved, remembered = self._outcome(data_of(moving), gradients, places, check=check)
        set_data(moving, moved)
        self._remember(remembered, places)

    def array_step(
        self, numbers: numpy.ndarray, gradients: numpy.ndarray, places: numpy.ndarray | None = None
    ) -> numpy.ndarray:
        """A step where the parameters' numbers are kept in an array, as for a compiled network; no Value is touched.

        It leads where `step` leads, to the last bit, and remembers the same, so the two can take turns.

        Args:
            numbers: where the parameters are, as float64.
            gradients: the gradient of each of them, as float64.
            places: the place of each of them in `params`; None if they are all of `params`, in that order.

        Returns:
            Where they are after the step, in a new array.

        Raises:
            ValueError: as `step` does. Nothing has changed then.

        >>> import numpy
        >>> from autograd import Value
        >>> optimizer = SGD([Value(1.0, "w"), Value(2.0, "b")], lr=0.5)
        >>> optimizer.array_step(numpy.array([1.0, 2.0]), numpy.array([1.0, -1.0])).tolist()
        [0.5, 2.5]
        """
        chosen = ALL if places is None else places
        moved, remembered = self._outcome(numbers, gradients, chosen, check=True)
        self._remember(remembered, chosen)
        return moved

    def _outcome(self, numbers: numpy.ndarray, gradients: numpy.ndarray, places: Places, *, check: bool) -> Outcome:
        """What a step would do; it moves nothing."""
        import numpy

        lr = from_zero(self.lr(self.t), f"lr({self.t})") if callable(self.lr) else self.lr
        self._fit_memory()
        with numpy.errstate(all="ignore"):  # what becomes infinite or nan is told with its name
            if check:
                self._check_gradients(places, gradients)
            if not len(numbers):
                return numbers, {}
            moved, remembered = self._moved(numbers, gradients, lr, places)
            if check:
                self._check_moved(places, numbers, gradients, moved, remembered)
        return moved, remembered

    def _remember(self, remembered: dict[str, numpy.ndarray], places: Places) -> None:
        """The step was taken."""
        for name, new in remembered.items():
            self._memory[name].enter(places, new)
        self.t += 1

    def _fit_memory(self) -> None:
        """Have room for as many as `params` has now: a list to which a parameter may be added between steps."""
        count = len(self.params)
        for name, memory in self._memory.items():
            if len(memory.numbers) != count:
                self._memory[name] = _Memory([*memory.listed(), *[None] * count][:count], memory.numbers.dtype)

    def state_dict(self) -> dict[str, Any]:
        """What it needs to go on later as if never interrupted, in lists and numbers that JSON takes.

        The parameters' own numbers are the module's: `model.state_dict()`. An `lr` that is a function is left out.
        """
        options = {name: getattr(self, name) for name in self.OPTIONS if not callable(getattr(self, name))}
        self._fit_memory()
        memory = {name: memory.listed() for name, memory in self._memory.items()}
        return {"optimizer": type(self).__name__, "t": self.t, "options": options, **memory}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from where another optimiser of the same kind was when it gave its `state_dict()`.

        Raises:
            ValueError: for the state of another kind of optimiser, or of other parameters; nothing is changed then.
            TypeError: for what is no dictionary.
        """
        kind = type(self).__name__
        if not hasattr(state, "keys"):
            raise TypeError(f"a state is a dictionary that state_dict() gave, not {with_article(type(state).__name__)}")
        wanted = {"optimizer", "t", "options", *self.MEMORY}
        if state.get("optimizer") != kind or set(state) != wanted:
            raise ValueError(f"this is not the state of an optimiser {kind}: give what its state_dict() gave")
        t, options = state["t"], state["options"]
        if isinstance(t, bool) or not isinstance(t, int) or t < 0:
            raise ValueError(f"t, the number of steps taken, is a whole number, 0 or more; not {short(t)}")
        memory = {name: self._memory_of(name, state[name]) for name in self.MEMORY}
        if not isinstance(options, dict) or not {*self.OPTIONS} - {"lr"} <= set(options) <= {*self.OPTIONS}:
            raise ValueError(f"options has a number for each of {', '.join(self.OPTIONS)}; not {short(options)}")
        checked = self._options(**{"lr": self.lr, **options})
        for name, option in checked.items():
            setattr(self, name, option)
        self.t, self._memory = t, memory

    def _memory_of(self, name: str, numbers: Any) -> _Memory:
        """The memory that a state's list describes."""
        count, counted = len(self.params), name in self.COUNTS
        if not isinstance(numbers, (list, tuple)) or len(numbers) != count:
            given = str(len(numbers)) if isinstance(numbers, (list, tuple)) else f"{short(numbers)}"
            raise ValueError(f"{name} has a number or None for each of the {count} parameters; given was {given}")
        for i, number in enumerate(numbers):
            if number is None or (type(number) is int and 0 <= number <= MOST):
                continue
            if counted or type(number) not in (int, float) or not abs(number) <= LARGEST:
                wanted = "a whole number, 0 or more," if counted else "a finite number"
                raise ValueError(f"{name}[{i}] is {short(number)}, where {wanted} or None is wanted")
        return _Memory(numbers, int if counted else float)

    @staticmethod
    def _options(**options: Any) -> dict[str, Any]:
        """The arguments, each checked."""
        raise NotImplementedError

    def _moved(self, numbers: numpy.ndarray, gradients: numpy.ndarray, lr: float, places: Places) -> Outcome:
        """Where these parameters go, and what to remember of each."""
        raise NotImplementedError

    def _check_gradients(self, places: Places, gradients: numpy.ndarray) -> None:
        if not len(gradients):
            raise ValueError("no parameter has a gradient, so there is no step to take: call loss.backward() before")
        if (bad := _first_bad(gradients)) is not None:
            raise ValueError(
                f"the gradient of {self._name(places, bad)} is {float(gradients[bad])}, so no parameter was moved: "
                "autograd.diagnose(loss) tells where it arose"
            )

    def _check_moved(
        self,
        places: Places,
        numbers: numpy.ndarray,
        gradients: numpy.ndarray,
        moved: numpy.ndarray,
        remembered: dict[str, numpy.ndarray],
    ) -> None:
        for new in (moved, *remembered.values()):
            if (bad := _first_bad(new)) is not None:
                raise ValueError(
                    f"a step from {numbers[bad]:g} with the gradient {gradients[bad]:g} would make "
                    f"{self._name(places, bad)}, or an average that {type(self).__name__} keeps of it, "
                    f"{float(new[bad])}, so no parameter was moved: take a smaller lr"
                )

    def _name(self, places: Places, i: int) -> str:
        """What to call the i-th of these parameters."""
        place = range(len(self.params))[places][i] if isinstance(places, slice) else int(places[i])
        label = self.params[place].label
        return f"{label} (params[{place}])" if label else f"params[{place}]"

    def __repr__(self) -> str:
        options = ", ".join(f"{name}={_told(getattr(self, name))}" for name in self.OPTIONS)
        return f"{type(self).__name__}({counted(len(self.params), 'parameter')}, {options})"


class SGD(Optimizer):
    """Stochastic gradient descent: w ← w - lr * gradient, with momentum if asked for (MIT 6.036; CS231n).

    With momentum a velocity takes the gradient's place: v ← momentum * v + (1 - dampening) * gradient, the first v
    being the gradient itself (Polyak 1964; Nesterov's look ahead: Sutskever et al. 2013). What is updated when is as
    in PyTorch; a parameter without a gradient is left out of the step.

    Args:
        params: the parameters, leaf Values in a list, or a module.
        lr: the step size, a number or a function of the step number t = 0, 1, 2, ...
        momentum: what is left of the velocity at each step.
        dampening: what part of the gradient does not go into the velocity.
        weight_decay: λ, of λ * w added to each gradient, the gradient of λ/2 * Σ w².
        nesterov: step by gradient + momentum * v.

    Raises:
        ValueError: for params that are none, results of operations or the same twice; for numbers out of range.
        TypeError: for what are no parameters or numbers.

    >>> from autograd import Value
    >>> w = Value(1.0)
    >>> optimizer = SGD([w], lr=0.25)
    >>> for _ in range(3):
    ...     optimizer.zero_grad()
    ...     (w * w).backward()
    ...     optimizer.step()
    >>> w.data
    0.125
    """

    MEMORY = ("velocity",)
    OPTIONS = ("lr", "momentum", "dampening", "weight_decay", "nesterov")

    def __init__(
        self,
        params: Iterable[Value] | Module,
        lr: float | Schedule = 1e-3,
        momentum: float = 0,
        dampening: float = 0,
        weight_decay: float = 0,
        nesterov: bool = False,
    ) -> None:
        options = self._options(
            lr=lr, momentum=momentum, dampening=dampening, weight_decay=weight_decay, nesterov=nesterov
        )
        super().__init__(params, lr)
        self.momentum: float = options["momentum"]
        self.dampening: float = options["dampening"]
        self.weight_decay: float = options["weight_decay"]
        self.nesterov: bool = options["nesterov"]

    @staticmethod
    def _options(**options: Any) -> dict[str, Any]:
        lr, nesterov = options["lr"], options["nesterov"]
        checked = {name: from_zero(options[name], name) for name in ("momentum", "dampening", "weight_decay")}
        if not isinstance(nesterov, bool):
            raise TypeError(f"nesterov is True or False, not {short(nesterov)}")
        if nesterov and (not checked["momentum"] or checked["dampening"]):
            raise ValueError("nesterov needs a momentum above 0 and a dampening of 0")
        return {"lr": lr if callable(lr) else from_zero(lr, "lr"), **checked, "nesterov": nesterov}

    def _moved(self, numbers: numpy.ndarray, gradients: numpy.ndarray, lr: float, places: Places) -> Outcome:
        import numpy

        directions = _decayed(gradients, numbers, self.weight_decay)
        if not (momentum := self.momentum):
            return numbers - lr * directions, {}
        before = self._memory["velocity"]
        velocity = momentum * before.numbers[places] + (1 - self.dampening) * directions
        if not before.complete:
            velocity = numpy.where(before.known[places], velocity, directions)
        directions = directions + momentum * velocity if self.nesterov else velocity
        return numbers - lr * directions, {"velocity": velocity}


class Adam(Optimizer):
    """Each parameter at its own pace: w ← w - lr * m / (sqrt(v) + eps) (Kingma and Ba 2015, arXiv:1412.6980).

    m and v are averages of the gradient and of its square over the past, without the bias of having started at 0. A
    parameter without a gradient is left out of the step.

    Args:
        params: the parameters, leaf Values in a list, or a module.
        lr: the step size, a number or a function of the step number t = 0, 1, 2, ...
        betas: what is left, at each step, of the average gradient and of the average square.
        eps: what keeps the division from one by 0.
        weight_decay: λ, of λ * w added to each gradient, the gradient of λ/2 * Σ w².

    Raises:
        ValueError: for params that are none, results of operations or the same twice; for numbers out of range.
        TypeError: for what are no parameters or numbers.

    >>> from autograd import Value
    >>> w = Value(1.0)
    >>> optimizer = Adam([w], lr=0.25)
    >>> (w * w).backward()
    >>> optimizer.step()
    >>> round(w.data, 6)
    0.75
    """

    MEMORY = ("mean", "mean_square", "steps")
    COUNTS = ("steps",)
    OPTIONS = ("lr", "betas", "eps", "weight_decay")

    def __init__(
        self,
        params: Iterable[Value] | Module,
        lr: float | Schedule = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
    ) -> None:
        options = self._options(lr=lr, betas=betas, eps=eps, weight_decay=weight_decay)
        super().__init__(params, lr)
        self.betas: tuple[float, float] = options["betas"]
        self.eps: float = options["eps"]
        self.weight_decay: float = options["weight_decay"]

    @staticmethod
    def _options(**options: Any) -> dict[str, Any]:
        lr, betas = options["lr"], options["betas"]
        if not isinstance(betas, (tuple, list)) or len(betas) != 2:
            raise TypeError(f"betas is a pair of numbers such as (0.9, 0.999), not {short(betas)}")
        pair = tuple(from_zero(beta, f"betas[{i}]") for i, beta in enumerate(betas))
        for i, beta in enumerate(pair):
            if beta >= 1:
                raise ValueError(f"betas[{i}] is {beta:g}: it is to be below 1")
        checked = {name: from_zero(options[name], name) for name in ("eps", "weight_decay")}
        return {"lr": lr if callable(lr) else from_zero(lr, "lr"), "betas": pair, **checked}

    def _moved(self, numbers: numpy.ndarray, gradients: numpy.ndarray, lr: float, places: Places) -> Outcome:
        import numpy

        (beta1, beta2), eps = self.betas, self.eps
        directions = _decayed(gradients, numbers, self.weight_decay)
        mean, mean_square, steps = (self._memory[name].numbers[places] for name in self.MEMORY)  # 0 at first
        steps = steps + 1
        mean = mean + (1 - beta1) * (directions - mean)
        mean_square = beta2 * mean_square + (1 - beta2) * directions * directions
        # What the averages would be of constant gradients of 1: less than 1, since they started at 0.
        pace, scale = _of_counts(lambda k: (lr / (1 - beta1**k), math.sqrt(1 - beta2**k)), steps)
        moved = numbers - pace * (mean / (numpy.sqrt(mean_square) / scale + eps))
        return moved, {"mean": mean, "mean_square": mean_square, "steps": steps}


class _Memory:
    """A number for each parameter, or none yet: it reads 0 then."""

    __slots__ = ("complete", "known", "numbers")

    def __init__(self, numbers: Sequence[float | None], kind: type | numpy.dtype) -> None:
        import numpy

        self.numbers = numpy.array([0 if number is None else number for number in numbers], dtype=kind)
        self.known = numpy.array([number is not None for number in numbers])
        self.complete = bool(self.known.all())

    def enter(self, places: Places, numbers: numpy.ndarray) -> None:
        """Remember these."""
        self.numbers[places] = numbers
        if not self.complete:
            self.known[places] = True
            self.complete = bool(self.known.all())

    def listed(self) -> list[float | None]:
        """As a list, with None where there is none."""
        return [number if known else None for number, known in zip(self.numbers.tolist(), self.known.tolist())]


def _decayed(gradients: numpy.ndarray, numbers: numpy.ndarray, weight_decay: float) -> numpy.ndarray:
    """The gradients with those of the penalty weight_decay/2 * Σ w²."""
    return gradients + weight_decay * numbers if weight_decay else gradients


def _of_counts(function: Callable[[int], tuple[float, float]], counts: numpy.ndarray) -> Any:
    """A function's two results for each count: two numbers if all counts are the same, else two arrays.

    It is called on whole numbers, so that powers are Python's: NumPy's may differ from them in the last digit.
    """
    import numpy

    first = counts[0]
    if (counts == first).all():
        return function(int(first))
    distinct, places = numpy.unique(counts, return_inverse=True)
    return numpy.array([function(k) for k in distinct.tolist()])[places].T


def _first_bad(numbers: numpy.ndarray) -> int | None:
    """Where the first number stands that is nan or infinite."""
    if math.isfinite(numbers.dot(numbers)):  # one look tells that all are; only a sum of squares that is not needs more
        return None
    import numpy

    bad = numpy.flatnonzero(~numpy.isfinite(numbers))
    return int(bad[0]) if bad.size else None


def _leaves(params: Iterable[Value] | Module) -> list[Value]:
    """The parameters, each a leaf and given once."""
    parameters = values_of(params, "params")
    first_place: dict[Value, int] = {}
    for i, parameter in enumerate(parameters):
        label = f" (labelled {str(parameter.label)!r})" if parameter.label else ""
        if parameter.operands:
            raise ValueError(f"params[{i}]{label} is the result of an operation: only leaves, Value(...), can be moved")
        if (first := first_place.setdefault(parameter, i)) != i:
            raise ValueError(f"params[{i}]{label} and params[{first}] are the same Value: give each parameter once")
    return parameters


def _told(option: object) -> str:
    return f"{option:g}" if isinstance(option, float) else getattr(option, "__name__", repr(option))
