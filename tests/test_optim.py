"""Optimisers and schedules: 200 steps against PyTorch with all options, resuming, closed forms, bad input."""

from __future__ import annotations

import itertools
import json
import math
import random
import re
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd as ag
from autograd import Value
from nn import MLP, Module
from nn.losses import cross_entropy, mse_loss
from nn.optim import SGD, Adam, Optimizer
from nn.penalties import l2_penalty
from nn.schedules import constant, cosine, exponential, inverse_time, step_decay, warm_up

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

NAN, INF = math.nan, math.inf
TORCH = "PyTorch is a second opinion, where it is installed"

SGD_OPTIONS = [
    {"lr": 0.1},
    {"lr": 0.05, "weight_decay": 0.1},
    {"lr": 0.05, "momentum": 0.9},
    {"lr": 0.05, "momentum": 0.9, "nesterov": True},
    {"lr": 0.05, "momentum": 0.5, "dampening": 0.3},
    {"lr": 0.02, "momentum": 0.9, "dampening": 0.5, "weight_decay": 0.01},
    {"lr": 0.02, "momentum": 0.8, "weight_decay": 0.2, "nesterov": True},
    {"lr": 0.1, "dampening": 0.5},
    {"lr": 0},
    {},
]
ADAM_OPTIONS = [
    {},
    {"lr": 0.1},
    {"lr": 0.05, "weight_decay": 0.1},
    {"lr": 0.05, "betas": (0.5, 0.9)},
    {"lr": 0.05, "betas": (0.0, 0.99), "eps": 1e-3},
    {"lr": 0.05, "betas": (0.9, 0.0)},
]
ALL_OPTIONS = [*((SGD, options) for options in SGD_OPTIONS), *((Adam, options) for options in ADAM_OPTIONS)]
EACH = pytest.mark.parametrize(("kind", "options"), ALL_OPTIONS, ids=lambda x: getattr(x, "__name__", str(x)))
BOTH = pytest.mark.parametrize("kind", [SGD, Adam])


def close(expected: Any) -> Any:
    """Equal to ten digits."""
    return pytest.approx(expected, rel=1e-10, abs=1e-14)


def numbers_of(parameters: Sequence[Value]) -> list[float]:
    """Their data."""
    return [p.data for p in parameters]


def hand_out(parameters: Sequence[Any], gradients: Sequence[float | None]) -> None:
    """Set the gradients of Values."""
    for p, gradient in zip(parameters, gradients):
        p.grad = gradient


def stepped_array(optimizer: Optimizer, array: np.ndarray, gradients: Sequence[float | None]) -> np.ndarray:
    """The numbers after a step of those that have a gradient."""
    places = np.array([i for i, gradient in enumerate(gradients) if gradient is not None], dtype=int)
    whole = len(places) == len(array)
    moved = array.copy()
    chosen = np.array([gradients[i] for i in places])
    moved[places] = optimizer.array_step(array[places], chosen, None if whole else places)
    return moved


# ----- PyTorch -----


@EACH
def test_two_hundred_steps_are_pytorchs(kind: Any, options: dict[str, Any]) -> None:
    """From the same numbers and gradients, some parameters now and then without one."""
    torch = pytest.importorskip("torch", reason=TORCH)
    draw = random.Random(1)
    start = [draw.gauss(0, 1) for _ in range(5)]
    ours = [Value(x) for x in start]
    theirs = [torch.tensor(x, dtype=torch.float64, requires_grad=True) for x in start]
    our_optimizer, their_optimizer = kind(ours, **options), getattr(torch.optim, kind.__name__)(theirs, **options)
    array, array_optimizer = np.array(start), kind([Value(0.0) for _ in start], **options)
    for step in range(200):
        gradients: list[float | None] = [draw.gauss(0, 1) * 10 ** draw.uniform(-3, 1) for _ in start]
        gradients[0] = None if step < 5 or draw.random() < 0.3 else gradients[0]
        gradients[1] = 0.0 if draw.random() < 0.3 else gradients[1]
        our_optimizer.zero_grad()
        hand_out(ours, gradients)
        for tensor, gradient in zip(theirs, gradients):
            tensor.grad = None if gradient is None else torch.tensor(gradient, dtype=torch.float64)
        our_optimizer.step()
        their_optimizer.step()
        assert numbers_of(ours) == close([tensor.item() for tensor in theirs])
        array = stepped_array(array_optimizer, array, gradients)
        assert array.tolist() == close([tensor.item() for tensor in theirs])
    assert our_optimizer.t == 200


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        (SGD, SGD_OPTIONS[0]),
        (SGD, SGD_OPTIONS[5]),
        (SGD, SGD_OPTIONS[6]),
        (Adam, ADAM_OPTIONS[0]),
        (Adam, ADAM_OPTIONS[2]),
    ],
    ids=lambda x: getattr(x, "__name__", str(x)),
)
def test_two_hundred_steps_of_a_network_are_pytorchs(kind: Any, options: dict[str, Any]) -> None:
    """A classifier of two hidden units trained from the same weights, each library with its own gradients."""
    torch = pytest.importorskip("torch", reason=TORCH)
    model = MLP(2, [2, 2], activation="tanh", seed=4)
    draw = random.Random(2)
    points = [[draw.gauss(0, 1), draw.gauss(0, 1)] for _ in range(4)]
    classes = [0, 1, 1, 0]
    theirs = [torch.tensor(array, requires_grad=True) for layer in model.layers for array in (layer.weight, layer.bias)]
    optimizer = kind(model.parameters(), **options)
    their_optimizer = getattr(torch.optim, kind.__name__)(theirs, **options)
    inputs, targets = torch.tensor(points, dtype=torch.float64), torch.tensor(classes)
    our_past, their_past = [], []  # of gradients and numbers; compared at the end, in one go
    for _ in range(200):
        optimizer.zero_grad()
        cross_entropy([model(point) for point in points], classes).backward()
        their_optimizer.zero_grad()
        w1, b1, w2, b2 = theirs
        torch.nn.functional.cross_entropy(torch.tanh(inputs @ w1.T + b1) @ w2.T + b2, targets).backward()
        optimizer.step()
        their_optimizer.step()
        for layer in model.layers:
            our_past += [layer.weight_grad, layer.bias_grad, layer.weight, layer.bias]
        for weight, bias in zip(theirs[::2], theirs[1::2]):
            their_past += [x.detach().numpy().copy() for x in (weight.grad, bias.grad, weight, bias)]
    ours, others = (np.concatenate([array.ravel() for array in past]) for past in (our_past, their_past))
    assert ours.size == 200 * 2 * 12
    assert np.allclose(ours, others, rtol=1e-10, atol=1e-14)


def test_schedules_are_pytorchs() -> None:
    """Its schedulers of these names, over 50 steps."""
    torch = pytest.importorskip("torch", reason=TORCH)
    schedulers = torch.optim.lr_scheduler
    for schedule, make in [
        (step_decay(0.5, every=7, factor=0.3), lambda o: schedulers.StepLR(o, 7, 0.3)),
        (exponential(0.5, factor=0.9), lambda o: schedulers.ExponentialLR(o, 0.9)),
        (cosine(0.5, steps=50, lowest=0.1), lambda o: schedulers.CosineAnnealingLR(o, 50, 0.1)),
        (warm_up(0.5, steps=9), lambda o: schedulers.LinearLR(o, 0.1, total_iters=9)),
        (inverse_time(0.5, decay=0.2), lambda o: schedulers.LambdaLR(o, slowing)),
    ]:
        optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.5)
        scheduler = make(optimizer)
        for t in range(50):
            assert schedule(t) == close(scheduler.get_last_lr()[0])
            optimizer.step()
            scheduler.step()


# ----- Closed forms -----


def test_descent_of_a_square() -> None:
    """w ← (1 - 2 lr) w on w²: five steps from 1 with four step sizes, convergence, oscillation and divergence."""
    for lr, expected in [(0.1, 0.32768), (0.9, -0.32768), (1.0, -1.0), (1.1, -2.48832)]:
        w = Value(1.0)
        optimizer = SGD([w], lr=lr)
        for _ in range(5):
            optimizer.zero_grad()
            (w * w).backward()
            optimizer.step()
        assert w.data == close(expected)


def test_first_steps() -> None:
    """Momentum's first velocity is the gradient, without dampening; Adam's first step is lr in every direction."""
    w = [Value(1.0), Value(1.0)]
    hand_out(w, [3.0, -0.001])
    SGD(w, lr=0.1, momentum=0.9, dampening=0.9).step()
    assert numbers_of(w) == close([1 - 0.3, 1 + 0.0001])
    Adam(w, lr=0.1).step()
    assert numbers_of(w) == pytest.approx([0.6, 1.1001], rel=1e-5)


def test_weight_decay_is_half_the_squared_penalty() -> None:
    """λ w is the gradient of λ/2 Σw²."""
    decayed, penalised = (MLP(2, [2, 1], seed=1) for _ in range(2))
    for model, options in ((decayed, {"weight_decay": 0.3}), (penalised, {})):
        loss = mse_loss(model([1.0, 2.0]), 1.0)
        (loss if options else loss + 0.15 * l2_penalty(model)).backward()
        SGD(model, lr=0.1, **options).step()
    assert numbers_of(decayed.parameters()) == close(numbers_of(penalised.parameters()))


def test_the_step_number_is_handed_to_lr() -> None:
    """From 0 on; lr may also be set by hand between steps."""
    asked: list[int] = []

    def schedule(t: int) -> float:
        asked.append(t)
        return 1 / (1 + t)

    w = Value(0.0)
    optimizer = SGD([w], lr=schedule)
    w.grad = 1.0
    for _ in range(3):
        optimizer.step()
    assert (asked, optimizer.t) == ([0, 1, 2], 3)
    assert w.data == close(-(1 + 1 / 2 + 1 / 3))
    optimizer.lr = 0.5
    optimizer.step()
    assert w.data == close(-(1 + 1 / 2 + 1 / 3 + 1 / 2))
    adaptive = Adam([w], lr=lambda t: 0.0)
    before = w.data
    adaptive.step()
    assert w.data == before


@given(st.floats(1e-6, 10), st.integers(1, 50), st.floats(0, 1), st.integers(0, 200))
@settings(deadline=None)
def test_schedules_are_their_formulas(lr: float, steps: int, factor: float, t: int) -> None:
    """At any t; cosine stays at its end; warm-up ends where its schedule begins."""
    assert constant(lr)(t) == lr
    assert step_decay(lr, steps, factor)(t) == close(lr * factor ** (t // steps))
    assert exponential(lr, factor)(t) == close(lr * factor**t)
    assert inverse_time(lr, factor)(t) == close(lr / (1 + factor * t))
    waved = lr * (1 + math.cos(math.pi * t / steps)) / 2
    assert cosine(lr, steps)(t) == close(waved if t < steps else 0.0)
    after = cosine(lr, 100, lowest=lr / 2)
    assert exponential(1.0, 1e200)(2) == step_decay(1.0, 1, 1e200)(2) == INF  # which no optimiser takes
    warmed = warm_up(after, steps)
    assert warmed(t) == close(after(t - steps) if t >= steps else lr * (t + 1) / (steps + 1))


# ----- Values and arrays -----


class OnFloats:
    """Both rules once more, parameter by parameter on plain floats, in the order of operations that the books have."""

    def __init__(self, kind: Any, start: Sequence[float], **options: Any) -> None:
        assert {*options} <= {*kind.OPTIONS}
        self.rule, self.numbers, self.options, self.t = (self.sgd if kind is SGD else self.adam), [*start], options, 0
        self.memory: dict[int, Any] = {}

    def step(self, gradients: Sequence[float | None]) -> None:
        lr = self.options.get("lr", 1e-3)
        lr = lr(self.t) if callable(lr) else lr
        for i, (x, gradient) in enumerate(zip(self.numbers, gradients)):
            if gradient is not None:
                decay = self.options.get("weight_decay", 0)
                self.numbers[i] = self.rule(i, x, gradient + decay * x if decay else gradient, lr)
        self.t += 1

    def sgd(self, i: int, x: float, d: float, lr: float) -> float:
        if momentum := self.options.get("momentum", 0):
            v = self.memory.get(i)
            v = d if v is None else momentum * v + (1 - self.options.get("dampening", 0)) * d
            self.memory[i] = v
            d = d + momentum * v if self.options.get("nesterov") else v
        return x - lr * d

    def adam(self, i: int, x: float, d: float, lr: float) -> float:
        beta1, beta2 = self.options.get("betas", (0.9, 0.999))
        m, v, k = self.memory.get(i, (0.0, 0.0, 0))
        m, v, k = m + (1 - beta1) * (d - m), beta2 * v + (1 - beta2) * d * d, k + 1
        self.memory[i] = m, v, k
        eps = self.options.get("eps", 1e-8)
        return x - lr / (1 - beta1**k) * (m / (math.sqrt(v) / math.sqrt(1 - beta2**k) + eps))


def bits(numbers: Any) -> Any:
    """What tells 0.0 from -0.0 too."""
    return [x if x is None else float(x).hex() for x in numbers]


@EACH
@pytest.mark.parametrize("scheduled", [False, True])
def test_values_and_arrays_move_alike(kind: Any, options: dict[str, Any], scheduled: bool) -> None:
    """To the last bit: by Values, in an array, by either in turn, and as plain floats do; what is remembered too."""
    draw = random.Random(5)
    options = {**options, "lr": warm_up(cosine(0.1, 150), 10)} if scheduled else options
    start = [draw.gauss(0, 1) for _ in range(7)] + [0.0, -0.0]
    floats = OnFloats(kind, start, **options)
    values, turning = ([Value(x) for x in start] for _ in range(2))
    array = np.array(start)
    by_values, by_array, by_turns = (kind(w, **options) for w in (values, [Value(0.0) for _ in start], turning))
    for step in range(200):
        gradients: list[float | None] = [draw.gauss(0, 1) * 10 ** draw.uniform(-6, 3) for _ in start]
        gradients[-2:] = [draw.choice([0.0, -0.0, None, 1e-310]) for _ in range(2)]
        if step % 3:
            gradients[0] = None if step < 20 else gradients[0]
            gradients[1] = None if draw.random() < 0.4 else 0.0
            gradients[2] = None if step % 50 > 25 else gradients[2]
        if step in (60, 61):
            gradients = [1e-200 if gradient is None else gradient for gradient in gradients]
        floats.step(gradients)
        hand_out(values, gradients)
        by_values.step()
        array = stepped_array(by_array, array, gradients)
        if draw.random() < 0.5:
            hand_out(turning, gradients)
            by_turns.step()
        else:
            for p, number in zip(turning, stepped_array(by_turns, np.array(numbers_of(turning)), gradients)):
                p.data = float(number)
        assert bits(floats.numbers) == bits(numbers_of(values)) == bits(array) == bits(numbers_of(turning))
        state = by_values.state_dict()
        assert json.dumps(state) == json.dumps(by_array.state_dict()) == json.dumps(by_turns.state_dict())
        for place, name in enumerate(kind.MEMORY):
            known = [floats.memory.get(i) for i in range(len(start))]
            known = [x[place] if isinstance(x, tuple) else x for x in known]
            assert bits(state[name]) == bits(known)
            assert [*map(type, state[name])] == [*map(type, known)]


@BOTH
def test_places_in_any_order(kind: Any) -> None:
    """Gradients come in the order of `places`, and so do the numbers; what was given stays as it is."""
    draw = random.Random(6)
    options = {"momentum": 0.9} if kind is SGD else {}
    straight, shuffled = (kind([Value(0.0) for _ in range(6)], lr=0.1, **options) for _ in range(2))
    array = again = np.array([draw.gauss(0, 1) for _ in range(6)])
    for _ in range(20):
        gradients = np.array([draw.gauss(0, 1) for _ in range(6)])
        places = np.array(draw.sample(range(6), 6))
        numbers, chosen = again[places], gradients[places]
        kept = numbers.tobytes(), chosen.tobytes(), places.tobytes()
        moved = shuffled.array_step(numbers, chosen, places)
        assert kept == (numbers.tobytes(), chosen.tobytes(), places.tobytes())
        again = np.empty(6)
        again[places] = moved
        array = straight.array_step(array, gradients)
        assert array.tobytes() == again.tobytes()
        gradients[:] = moved[:] = np.nan  # nothing of these is kept
        assert straight.state_dict() == shuffled.state_dict()


@BOTH
def test_bad_numbers_in_arrays_change_nothing(kind: Any) -> None:
    """The parameter is named by its place among all."""
    w = [Value(0.0, "w1"), Value(0.0), Value(0.0, "w3")]
    optimizer = kind(w, lr=0.1)
    array = optimizer.array_step(np.ones(3), np.ones(3))
    state = optimizer.state_dict()
    for places, name in [(None, r"params\[1\]"), (np.array([0, 2, 1]), r"w3 \(params\[2\]\)")]:
        for bad in (NAN, INF, -INF):
            with pytest.raises(ValueError, match=f"^the gradient of {name} is {bad}, so no parameter was moved"):
                optimizer.array_step(array, np.array([1.0, bad, 1.0]), places)
        optimizer.lr = 100
        moved = r"a step from .* with the gradient .*e\+307"
        with pytest.raises(ValueError, match=f"^{moved} would make {name}.* -?inf, so no parameter was moved"):
            optimizer.array_step(array, np.array([1.0, 9e307, 1.0]), places)
        optimizer.lr = 0.1
        assert json.dumps(optimizer.state_dict()) == json.dumps(state)
    with pytest.raises(ValueError, match="^no parameter has a gradient"):
        optimizer.array_step(np.array([]), np.array([]), np.array([], dtype=int))
    assert np.isfinite(array).all() and numbers_of(w) == [0.0, 0.0, 0.0]


@BOTH
def test_numbers_may_be_huge_and_tiny(kind: Any) -> None:
    """No warning and no error of NumPy's, however it is set; 1e308 + 1e308 is no bad gradient."""
    with np.errstate(all="raise"):
        w = [Value(1.0), Value(1e-310), Value(-1e308)]
        hand_out(w, [1e-310, 1e-320, 0.0])
        optimizer = kind(w, lr=1e-5)
        optimizer.step()
        optimizer.array_step(np.array([1.0, 1.0, 1.0]), np.array([1e-310, 0.0, -1e-320]))
        hand_out(w, [1e308, 1e308, 1e308])
        SGD(w, lr=1e-300).step()
        Adam(w, eps=0).step(check=False)
        assert np.geterr()["over"] == "raise"


@BOTH
def test_a_parameter_may_be_added(kind: Any) -> None:
    """`params` is a list: what was remembered of the others stays."""
    w = [Value(1.0), Value(2.0)]
    optimizer = kind(w, lr=0.1, **({"momentum": 0.9} if kind is SGD else {}))
    hand_out(w, [1.0, 1.0])
    optimizer.step()
    name = kind.MEMORY[0]
    before = optimizer.state_dict()[name]
    optimizer.params.append(Value(3.0))
    hand_out(optimizer.params, [None, None, 1.0])
    optimizer.step()
    assert optimizer.state_dict()[name][:2] == before
    assert optimizer.params[2].data == pytest.approx(2.9)
    optimizer.params.append(Value(4.0))
    assert optimizer.state_dict()[name][2:] == [*before[:1], None]
    del optimizer.params[2:]
    assert optimizer.state_dict()[name] == before


# ----- What a step leaves alone -----


def test_a_parameter_without_a_gradient_is_skipped() -> None:
    """Weight decay and momentum too; a gradient of 0 is one."""
    for optimizer_of in (
        lambda w: SGD(w, lr=0.1, momentum=0.9, weight_decay=0.5),
        lambda w: Adam(w, lr=0.1, weight_decay=0.5),
    ):
        w = [Value(1.0), Value(2.0)]
        w[1].grad = 0.0
        optimizer_of(w).step()
        assert w[0].data == 1.0
        assert w[1].data < 2.0


def test_zero_grad() -> None:
    """Forgets gradients; numbers stay."""
    w = Value(1.0)
    w.grad = 2.0
    SGD([w]).zero_grad()
    assert (w.has_grad, w.data) == (False, 1.0)


@BOTH
@pytest.mark.parametrize("bad", [NAN, INF, -INF])
def test_a_bad_gradient_changes_nothing(kind: Any, bad: float) -> None:
    """No parameter, no memory, no count; it is named by its label, or by its place."""
    w = [Value(1.0, "w1"), Value(2.0, "w2"), Value(3.0)]
    optimizer = kind(w, lr=0.1)
    hand_out(w, [1.0, 1.0, 1.0])
    optimizer.step()
    before, state = numbers_of(w), optimizer.state_dict()
    for gradients, name in [([1.0, bad, 1.0], r"w2 \(params\[1\]\)"), ([1.0, 1.0, bad], r"params\[2\]")]:
        hand_out(w, gradients)
        with pytest.raises(ValueError, match=f"^the gradient of {name} is {bad}, so no parameter was moved"):
            optimizer.step()
        assert (numbers_of(w), optimizer.state_dict()) == (before, state)
    hand_out(w, [1e308, 1e308, 1e308])  # finite, though their sum is not
    SGD(w, lr=0).step()
    assert numbers_of(w) == before


def test_a_step_to_infinity_changes_nothing() -> None:
    """Where finite gradients would make a parameter, or Adam's average of squares, infinite."""
    w = [Value(1.0), Value(2.0, "w")]
    for optimizer, gradient in [(SGD(w, lr=100), 1e307), (Adam(w), 1e200), (Adam(w, eps=0), 0.0)]:
        hand_out(w, [1.0, gradient])
        with pytest.raises(
            ValueError, match=r"would make w \(params\[1\]\).* (-inf|inf|nan), so no parameter was moved"
        ):
            optimizer.step()
        assert (numbers_of(w), optimizer.t) == ([1.0, 2.0], 0)


def test_unchecked_steps_are_pytorchs() -> None:
    """check=False: nan goes through, and a step without any gradient is none."""
    w = Value(1.0)
    for optimizer in (Adam([w]), SGD([w], lr=0.1)):
        optimizer.step(check=False)
        assert (w.data, optimizer.t) == (1.0, 1)
    w.grad = NAN
    optimizer.step(check=False)
    assert math.isnan(w.data)


@BOTH
def test_a_step_without_gradients_is_an_error(kind: Any) -> None:
    """As after zero_grad() and a forgotten backward()."""
    with pytest.raises(ValueError, match=re.escape("no parameter has a gradient") + ".*backward"):
        kind([Value(1.0)]).step()


# ----- Interrupted and resumed -----


@EACH
def test_resuming_gives_the_same_numbers(kind: Any, options: dict[str, Any]) -> None:
    """To the last bit, through JSON, with a schedule, and a parameter that is late."""
    draw = random.Random(3)
    rounds: list[list[float | None]] = [[draw.gauss(0, 1) for _ in range(3)] for _ in range(20)]
    rounds[0][2] = rounds[12][0] = None
    options = {**options, "lr": cosine(0.1, 20)}

    def run(w: list[Value], optimizer: Optimizer, rounds: list[list[float | None]]) -> None:
        for gradients in rounds:
            hand_out(w, gradients)
            optimizer.step()

    whole = [Value(x) for x in (1.0, 2.0, 3.0)]
    run(whole, kind(whole, **options), rounds)
    first = [Value(x) for x in (1.0, 2.0, 3.0)]
    optimizer = kind(first, **options)
    run(first, optimizer, rounds[:9])
    saved = json.loads(json.dumps([numbers_of(first), optimizer.state_dict()], allow_nan=False))
    second = [Value(x) for x in saved[0]]
    resumed = kind(second, lr=options["lr"])
    resumed.load_state_dict(saved[1])
    assert resumed.state_dict() == optimizer.state_dict()
    run(second, resumed, rounds[9:])
    assert numbers_of(second) == numbers_of(whole)


def test_a_state_brings_its_options() -> None:
    """As in PyTorch, also the lr if it is a number."""
    optimizer = SGD([Value(1.0)], lr=0.5, momentum=0.9, nesterov=True)
    fresh = SGD([Value(1.0)], lr=constant(0.1))
    fresh.load_state_dict(optimizer.state_dict())
    assert repr(fresh) == repr(optimizer)
    assert (fresh.lr, fresh.momentum, fresh.nesterov) == (0.5, 0.9, True)
    adaptive = Adam([Value(1.0)], betas=(0.5, 0.6))
    fresh = Adam([Value(1.0)])
    fresh.load_state_dict(json.loads(json.dumps(adaptive.state_dict())))
    assert fresh.betas == (0.5, 0.6)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (None, TypeError, "a state is a dictionary .* not a NoneType"),
        ({}, ValueError, "this is not the state of an optimiser SGD"),
        ({"optimizer": "Adam"}, ValueError, "not the state of an optimiser SGD"),
        ({"extra": 1}, ValueError, "not the state"),
        ({"t": -1}, ValueError, "t, the number of steps taken, .* not -1"),
        ({"t": "3"}, ValueError, "t, the number"),
        ({"velocity": [1.0]}, ValueError, "velocity has a number or None for each of the 2 parameters; given was 1"),
        ({"velocity": "ab"}, ValueError, "velocity has a number"),
        ({"velocity": [1.0, NAN]}, ValueError, r"velocity\[1\] is nan"),
        ({"velocity": [1.0, "2"]}, ValueError, r"velocity\[1\] is '2'"),
        ({"velocity": [10**400, None]}, ValueError, r"velocity\[0\] is 1000"),
        ({"options": 3}, ValueError, "options has a number for each of lr, momentum"),
        ({"options": {"lr": 0.1}}, ValueError, "options has"),
        ({"lr": -1}, ValueError, "lr is a finite number, 0 or more; not -1"),
        ({"momentum": "a"}, TypeError, "momentum is a plain number"),
    ],
)
def test_bad_states(change: Any, error: type[Exception], message: str) -> None:
    """Nothing is changed then."""
    w = [Value(1.0), Value(2.0)]
    optimizer = SGD(w, lr=0.1, momentum=0.9)
    hand_out(w, [1.0, 1.0])
    optimizer.step()
    state = optimizer.state_dict()
    bad = change and {**state, **change}
    if change and set(change) <= {"lr", "momentum"}:
        bad = {**state, "options": {**state["options"], **change}}
    with pytest.raises(error, match=message) as caught:
        optimizer.load_state_dict({} if change == {} else bad)
    assert_one_sentence(caught.value)
    assert optimizer.state_dict() == state


@pytest.mark.parametrize("bad", [2.5, -1, 3.0, NAN, 10**30, True, "3"])
def test_counts_are_whole(bad: Any) -> None:
    """Adam's number of steps, without which its averages mean nothing."""
    optimizer = Adam([Value(1.0)])
    state = {**optimizer.state_dict(), "mean": [0.5], "mean_square": [1], "steps": [bad]}
    with pytest.raises(ValueError, match=r"^steps\[0\] is .*, where a whole number, 0 or more, or None is wanted$"):
        optimizer.load_state_dict(state)
    optimizer.load_state_dict({**state, "steps": [3]})
    assert json.dumps(optimizer.state_dict()) == json.dumps({**state, "mean_square": [1.0], "steps": [3]})


# ----- Bad input -----


def test_params_may_be_a_module_or_any_list() -> None:
    """A module's parameters are found; a generator is read once."""
    model = MLP(2, [3, 1], seed=1)
    for params in (model, model.parameters(), tuple(model.parameters()), iter(model.parameters())):
        assert SGD(params).params == model.parameters()
    assert repr(SGD(model, lr=0.5)).startswith("SGD(13 parameters, lr=0.5, momentum=0")
    assert repr(SGD([Value(1.0)])).startswith("SGD(1 parameter, lr=")
    assert "lr=fading" in repr(Adam(model, lr=fading))


def slowing(t: int) -> float:
    """What inverse_time(1, decay=0.2) is."""
    return 1 / (1 + 0.2 * t)


def fading(t: int) -> float:
    """A schedule with a name."""
    return 1 / (1 + t)


SHARED = Value(1.0, "shared")


@BOTH
@pytest.mark.parametrize(
    ("params", "error", "message"),
    [
        ([], ValueError, "params is empty: give one parameter or more, such as model.parameters"),
        (Module(), ValueError, "params is empty"),
        ("abc", TypeError, "params is a list of Values, .* not a str"),
        (None, TypeError, "not a NoneType"),
        (3, TypeError, "not an int"),
        (Value(1.0), TypeError, "not a Value"),
        ({"w": Value(1.0)}, TypeError, "not a dict"),
        ([1.0], TypeError, r"params\[0\] is a float"),
        ([Value(1.0), "w"], TypeError, r"params\[1\] is a str"),
        ([{"params": [Value(1.0)]}], TypeError, r"params\[0\] is a dict"),
        (list({"w": Value(1.0)}.items()), TypeError, r"params\[0\] is a tuple"),
        ([SHARED, Value(2.0), SHARED], ValueError, r"params\[2\] \(labelled 'shared'\) and params\[0\] are the same"),
        ([Value(1.0) * 2], ValueError, r"params\[0\] is the result of an operation: only leaves"),
    ],
    ids=range(13),
)
def test_bad_params(kind: Any, params: Any, error: type[Exception], message: str) -> None:
    """What was given, what is wanted."""
    with pytest.raises(error, match=message) as caught:
        kind(params)
    assert_one_sentence(caught.value)


BAD_NUMBERS = [(-1, ValueError), (NAN, ValueError), (INF, ValueError), (10**400, ValueError), ("1", TypeError)]
BAD_NUMBERS += [(None, TypeError), (True, TypeError), (Value(1.0), TypeError), (1j, TypeError), ([1], TypeError)]
NUMBERED = [*((SGD, name) for name in ("lr", "momentum", "dampening", "weight_decay"))]
NUMBERED += [*((Adam, name) for name in ("lr", "eps", "weight_decay"))]


@pytest.mark.parametrize(("kind", "name"), NUMBERED, ids=lambda x: getattr(x, "__name__", x))
def test_bad_numbers(kind: Any, name: str) -> None:
    """Each argument by its name."""
    for bad, error in BAD_NUMBERS:
        with pytest.raises(error, match=f"^{name} is a (plain|finite) number, 0 or more; not") as caught:
            kind([Value(1.0)], **{name: bad})
        assert_one_sentence(caught.value)


def raising(t: int) -> float:
    """A schedule that gives none."""
    return -1.0


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: SGD([Value(1.0)], nesterov=True), ValueError, "nesterov needs a momentum above 0"),
        (lambda: SGD([Value(1.0)], momentum=0.9, dampening=0.1, nesterov=True), ValueError, "and a dampening of 0"),
        (lambda: SGD([Value(1.0)], nesterov=1), TypeError, "nesterov is True or False, not 1"),
        (lambda: Adam([Value(1.0)], betas=0.9), TypeError, "betas is a pair of numbers such as .* not 0.9"),
        (lambda: Adam([Value(1.0)], betas=(0.9,)), TypeError, "betas is a pair"),
        (lambda: Adam([Value(1.0)], betas="ab"), TypeError, "betas is a pair"),
        (lambda: Adam([Value(1.0)], betas=(0.9, 1.0)), ValueError, r"betas\[1\] is 1: it is to be below 1"),
        (lambda: Adam([Value(1.0)], betas=(-0.1, 0.9)), ValueError, r"betas\[0\] is a finite number, 0 or more"),
        (lambda: Adam([Value(1.0)], betas=("a", 0.9)), TypeError, r"betas\[0\] is a plain number"),
        (lambda: setattr(SGD([Value(1.0)]), "lr", -1), ValueError, "lr is a finite number, 0 or more; not -1"),
        (lambda: stepped(raising), ValueError, r"lr\(0\) is a finite number, 0 or more; not -1.0"),
        (lambda: stepped(lambda t: None), TypeError, r"lr\(0\) is a plain number"),
        (lambda: stepped(exponential(1e300, 1e300)), None, ""),
        (lambda: stepped(exponential(1e300, 1e300), 2), ValueError, r"lr\(1\) is a finite number, 0 or more; not inf"),
        (lambda: constant("a"), TypeError, "lr is a plain number, 0 or more; not 'a'"),
        (lambda: constant(NAN), ValueError, "lr is a finite number, 0 or more; not nan"),
        (lambda: constant(0.1)(-1), ValueError, "t, the number of the step, is a finite number, 0 or more; not -1"),
        (lambda: cosine(0.1, 10)("a"), TypeError, "t, the number of the step"),
        (lambda: step_decay(0.1, 0), ValueError, "every is 1 or more, not 0"),
        (lambda: step_decay(0.1, 2.5), TypeError, "every is a whole number, not 2.5"),
        (lambda: step_decay(0.1, 2, -0.5), ValueError, "factor is a finite number, 0 or more"),
        (lambda: exponential(0.1, "a"), TypeError, "factor is a plain number"),
        (lambda: cosine(0.1, True), TypeError, "steps is a whole number, not True"),
        (lambda: cosine(0.1, 10, -1), ValueError, "lowest is a finite number"),
        (lambda: inverse_time(0.1, INF), ValueError, "decay is a finite number"),
        (lambda: warm_up("a", 3), TypeError, "schedule is a plain number"),
        (lambda: warm_up(0.1, -3), ValueError, "steps is 1 or more, not -3"),
        (lambda: warm_up(10**400, 3), ValueError, "schedule is a finite number"),
    ],
)
def test_what_is_wrong_is_said(call: Callable[[], Any], error: type[Exception] | None, message: str) -> None:
    """With the name of the argument, what was given and what is wanted."""
    if error is None:
        assert call() == pytest.approx(1.0)
        return
    with pytest.raises(error, match=message) as caught:
        call()
    assert_one_sentence(caught.value)


def stepped(lr: Callable[[int], Any], steps: int = 1) -> float:
    """Where a parameter at 1 goes with a tiny gradient."""
    w = Value(1.0)
    w.grad = 1e-320
    optimizer = SGD([w], lr=lr)
    for _ in range(steps):
        optimizer.step()
    return w.data


def test_xor_is_learned_by_each() -> None:
    """A few hundred steps, with both, from the same weights."""
    data = [([0, 0], 0), ([0, 1], 1), ([1, 0], 1), ([1, 1], 0)]
    for make in (lambda p: SGD(p, lr=0.5, momentum=0.9), lambda p: Adam(p, lr=0.05)):
        model = MLP(2, [4, 2], activation=ag.tanh, seed=3)
        optimizer = make(model.parameters())
        losses = []
        for _ in itertools.repeat(None, 150):
            optimizer.zero_grad()
            loss = cross_entropy([model(x) for x, _ in data], [y for _, y in data])
            loss.backward()
            optimizer.step()
            losses.append(loss.data)
        assert losses[-1] < 0.05 < losses[0]


def assert_one_sentence(error: Exception) -> None:
    """One line, without a full stop inside, that a person can read."""
    text = str(error)
    assert "\n" not in text
    assert not re.search(r"\w\. [A-Z]", text), text
    assert len(text) < 260, text
