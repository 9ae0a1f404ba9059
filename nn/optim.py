"""Optimisers move parameters against their gradients: `SGD(model.parameters(), lr=0.1)`, `Adam(model.parameters())`.

    optimizer = nn.SGD(model.parameters(), lr=0.1)
    for x, y in data:
        loss = nn.mse_loss(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

Arguments and updates are PyTorch's. `lr` may be a function of the number of the step (nn/schedules.py), and a gradient
that is nan or infinite is an error before anything has moved.
"""

from __future__ import annotations

import math
from sys import float_info
from typing import TYPE_CHECKING

from .arguments import from_zero, short
from .penalties import values_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import Any

    from autograd import Value

    from .module import Module
    from .schedules import Schedule

    #: What is remembered of parameters between steps: a number for each place, by name.
    Memory = dict[str, dict[int, float]]


LARGEST = float_info.max


class Optimizer:
    """What optimisers have in common: a subclass says in `_moved` where a step leads.

    >>> from autograd import Value
    >>> isinstance(SGD([Value(1.0)]), Optimizer)
    True
    """

    #: The names of what is remembered of each parameter, and of the arguments beside `params`.
    MEMORY: tuple[str, ...] = ()
    OPTIONS: tuple[str, ...] = ("lr",)

    #: How many steps were taken.
    t: int

    def __init__(self, params: Iterable[Value] | Module, lr: float | Schedule) -> None:
        self.params = _leaves(params)
        self.lr = lr
        self.t = 0
        self._memory: Memory = {name: {} for name in self.MEMORY}

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
        lr = from_zero(self.lr(self.t), f"lr({self.t})") if callable(self.lr) else self.lr
        moving, gradients = self.params, [parameter.grad for parameter in self.params]
        places: Sequence[int] = range(len(moving))
        # A gradient reads 0.0 where there is none: only these need a second look.
        if any(not g and not moving[i].has_grad for i, g in enumerate(gradients)):
            places = [i for i in places if moving[i].has_grad]
            moving, gradients = [moving[i] for i in places], [gradients[i] for i in places]
        numbers = [parameter.data for parameter in moving]
        if check:
            self._check_gradients(places, gradients)
        moved, remembered = self._moved(numbers, gradients, lr, places)
        if check:
            self._check_moved(places, numbers, gradients, moved, remembered.values())
        for parameter, number in zip(moving, moved):
            parameter.data = number
        for name, new in remembered.items():
            self._memory[name].update(zip(places, new))
        self.t += 1

    def state_dict(self) -> dict[str, Any]:
        """What it needs to go on later as if never interrupted, in lists and numbers that JSON takes.

        The parameters' own numbers are the module's: `model.state_dict()`. An `lr` that is a function is left out.
        """
        options = {name: getattr(self, name) for name in self.OPTIONS if not callable(getattr(self, name))}
        count = len(self.params)
        memory = {name: [numbers.get(i) for i in range(count)] for name, numbers in self._memory.items()}
        return {"optimizer": type(self).__name__, "t": self.t, "options": options, **memory}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from where another optimiser of the same kind was when it gave its `state_dict()`.

        Raises:
            ValueError: for the state of another kind of optimiser, or of other parameters; nothing is changed then.
            TypeError: for what is no dictionary.
        """
        kind = type(self).__name__
        if not hasattr(state, "keys"):
            raise TypeError(f"a state is a dictionary that state_dict() gave, not a {type(state).__name__}")
        wanted = {"optimizer", "t", "options", *self.MEMORY}
        if state.get("optimizer") != kind or set(state) != wanted:
            raise ValueError(f"this is not the state of an optimiser {kind}: give what its state_dict() gave")
        t, options = state["t"], state["options"]
        if isinstance(t, bool) or not isinstance(t, int) or t < 0:
            raise ValueError(f"t, the number of steps taken, is a whole number, 0 or more; not {short(t)}")
        memory = {name: self._remembered(name, state[name]) for name in self.MEMORY}
        if not isinstance(options, dict) or not {*self.OPTIONS} - {"lr"} <= set(options) <= {*self.OPTIONS}:
            raise ValueError(f"options has a number for each of {', '.join(self.OPTIONS)}; not {short(options)}")
        checked = self._options(**{"lr": self.lr, **options})
        for name, option in checked.items():
            setattr(self, name, option)
        self.t, self._memory = t, memory

    def _remembered(self, name: str, numbers: Any) -> dict[int, float]:
        """The memory that a state's list describes."""
        count = len(self.params)
        if not isinstance(numbers, (list, tuple)) or len(numbers) != count:
            given = str(len(numbers)) if isinstance(numbers, (list, tuple)) else f"{short(numbers)}"
            raise ValueError(f"{name} has a number or None for each of the {count} parameters; given was {given}")
        for i, number in enumerate(numbers):
            if number is not None and not (type(number) in (int, float) and abs(number) <= LARGEST):
                raise ValueError(f"{name}[{i}] is {short(number)}, where a finite number or None is wanted")
        return {i: number for i, number in enumerate(numbers) if number is not None}

    @staticmethod
    def _options(**options: Any) -> dict[str, Any]:
        """The arguments, each checked."""
        raise NotImplementedError

    def _moved(
        self, numbers: list[float], gradients: list[float], lr: float, places: Sequence[int]
    ) -> tuple[list[float], dict[str, list[float]]]:
        """Where these parameters go, and what to remember of each."""
        raise NotImplementedError

    def _check_gradients(self, places: Sequence[int], gradients: list[float]) -> None:
        if not places:
            raise ValueError("no parameter has a gradient, so there is no step to take: call loss.backward() before")
        if not math.isfinite(sum(gradients)):  # one look tells that all are finite; only a sum that is not needs more
            for i, gradient in zip(places, gradients):
                if not math.isfinite(gradient):
                    raise ValueError(
                        f"the gradient of {self._name(i)} is {gradient}, so no parameter was moved: "
                        "autograd.diagnose(loss) tells where it arose"
                    )

    def _check_moved(
        self,
        places: Sequence[int],
        numbers: list[float],
        gradients: list[float],
        moved: list[float],
        remembered: Iterable[list[float]],
    ) -> None:
        for new in (moved, *remembered):
            if math.isfinite(sum(new)):
                continue
            for i, x, g, number in zip(places, numbers, gradients, new):
                if not math.isfinite(number):
                    raise ValueError(
                        f"a step from {x:g} with the gradient {g:g} would make {self._name(i)}, or an average that "
                        f"{type(self).__name__} keeps of it, {number}, so no parameter was moved: take a smaller lr"
                    )

    def _name(self, place: int) -> str:
        label = self.params[place].label
        return f"{label} (params[{place}])" if label else f"params[{place}]"

    def __repr__(self) -> str:
        options = ", ".join(f"{name}={_told(getattr(self, name))}" for name in self.OPTIONS)
        return f"{type(self).__name__}({len(self.params)} parameters, {options})"


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

    def _moved(
        self, numbers: list[float], gradients: list[float], lr: float, places: Sequence[int]
    ) -> tuple[list[float], dict[str, list[float]]]:
        remembered: dict[str, list[float]] = {}
        directions = _decayed(gradients, numbers, self.weight_decay)
        if momentum := self.momentum:
            fresh = 1 - self.dampening
            before = map(self._memory["velocity"].get, places)
            velocity = [d if v is None else momentum * v + fresh * d for v, d in zip(before, directions)]
            directions = [d + momentum * v for d, v in zip(directions, velocity)] if self.nesterov else velocity
            remembered["velocity"] = velocity
        return [x - lr * d for x, d in zip(numbers, directions)], remembered


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

    def _moved(
        self, numbers: list[float], gradients: list[float], lr: float, places: Sequence[int]
    ) -> tuple[list[float], dict[str, list[float]]]:
        (beta1, beta2), eps = self.betas, self.eps
        directions = _decayed(gradients, numbers, self.weight_decay)
        counts = [count + 1 for count in self._remembered_or_0("steps", places)]
        mean = [m + (1 - beta1) * (d - m) for m, d in zip(self._remembered_or_0("mean", places), directions)]
        squares = self._remembered_or_0("mean_square", places)
        mean_square = [beta2 * v + (1 - beta2) * d * d for v, d in zip(squares, directions)]
        # What the averages would be of constant gradients of 1: less than 1, since they started at 0.
        pace = {k: (lr / (1 - beta1**k), math.sqrt(1 - beta2**k)) for k in set(counts)}
        moved = [
            x - pace[k][0] * _quotient(m, math.sqrt(v) / pace[k][1] + eps)
            for x, m, v, k in zip(numbers, mean, mean_square, counts)
        ]
        return moved, {"mean": mean, "mean_square": mean_square, "steps": counts}

    def _remembered_or_0(self, name: str, places: Sequence[int]) -> list[float]:
        known = self._memory[name]
        return [known.get(i, 0) for i in places]


def _decayed(gradients: list[float], numbers: list[float], weight_decay: float) -> list[float]:
    """The gradients with those of the penalty weight_decay/2 * Σ w²."""
    if not weight_decay:
        return gradients
    return [g + weight_decay * x for g, x in zip(gradients, numbers)]


def _quotient(x: float, y: float) -> float:
    """x / y as IEEE 754 has it where y is 0, for an eps of 0."""
    if y:
        return x / y
    return math.copysign(math.inf, x) if x else math.nan


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
