"""Training steps, by each way to take them: forward, mean hinge loss, backward, update by SGD; same weights and points.

    side = compiled(100)              # or hand_written, pytorch, casadi, eager, micrograd_step
    side.run()                        # one step; the weights move
    side.gradients()                  # those of the last step, in the order of micrograd's parameters

`compiled_fit` and `hand_written_loop` take `STEPS` steps in a run. `python -m benchmarks.sides` measures a side alone
in its process. `width` is that of the two hidden layers.
"""

# Matrices have capital letters, as in every book.
# ruff: noqa: N803, N806

from __future__ import annotations

from typing import TYPE_CHECKING

from .measuring import Side, nothing
from .workloads import by_hand, data, hinge_loss, parameters, score

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    import numpy

    from nn import MLP

    Array = numpy.ndarray

#: The step size of SGD: so small that a wide network stays finite as well. What a step costs does not depend on it.
RATE = 0.001

#: How many steps `compiled_fit` and `hand_written_loop` take in one run.
STEPS = 2_000

WIDTH = 16


def sizes(width: int) -> tuple[int, ...]:
    """Two inputs, two hidden layers, one output."""
    return 2, width, width, 1


def model(width: int = WIDTH) -> MLP:
    """Our network, with the weights that all sides begin with."""
    from nn import MLP

    network = MLP(2, [width, width, 1], seed=1)
    for parameter, number in zip(network.parameters(), parameters(by_hand(float, sizes(width)))):
        parameter.data = number
    return network


# ----- Ours -----


def compiled(size: int, width: int = WIDTH) -> Side:
    """The loss of one point, compiled: `f.backward(X, y); optimizer.step()`."""
    import autograd as ag
    import nn

    (X, y), network = arrays(size), model(width)
    optimizer = nn.SGD(network.parameters(), lr=RATE)

    def loss_of_one_point(x: Any, label: Any) -> Any:
        return ag.relu(1 - label * network(x))

    f = ag.compile(loss_of_one_point)

    def step() -> None:
        f.backward(X, y)
        optimizer.step()

    return Side(step, nothing, lambda: gradients_of(network.parameters()))


def compiled_fit(size: int, width: int = WIDTH) -> Side:
    """`fit(compile=True)` on all points at once, compiling included; the weights after it in place of gradients."""
    import nn

    X, y = arrays(size)
    networks: list[MLP] = []

    def fit() -> None:
        optimizer = nn.SGD(networks[-1].parameters(), lr=RATE)
        options: dict[str, Any] = {"epochs": STEPS, "compile": True, "progress": False}
        nn.fit(networks[-1], X, y, loss=nn.hinge_loss, optimizer=optimizer, **options)

    return Side(
        fit,
        lambda: networks.append(model(width)),
        lambda: [parameter.data for parameter in networks[-1].parameters()],
    )


def eager(size: int, width: int = WIDTH) -> Side:
    """The same network without compiling: a node per neuron, the graph recorded anew in each step."""
    import nn

    (points, labels), network = data(size), model(width)
    optimizer = nn.SGD(network.parameters(), lr=RATE)

    def step() -> None:
        loss = nn.hinge_loss([network(point) for point in points], labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    return Side(step, nothing, lambda: gradients_of(network.parameters()))


def gradients_of(values: Iterable[Any]) -> list[float]:
    """What `.grad` holds."""
    return [value.grad for value in values]


# ----- Peers -----


def micrograd_step(size: int, width: int = WIDTH) -> Side:
    """In micrograd, a node per `+` and `*`, as in its demo."""
    from micrograd.engine import Value

    (points, labels), network = data(size), by_hand(Value, sizes(width))
    weights = parameters(network)

    def step() -> None:
        loss = hinge_loss([score(network, point, Value.relu) for point in points], labels, Value.relu)
        for weight in weights:
            weight.grad = 0.0
        loss.backward()
        for weight in weights:
            weight.data -= RATE * weight.grad

    return Side(step, nothing, lambda: gradients_of(weights))


def hand_written(size: int, width: int = WIDTH) -> Side:
    """In NumPy, a point per row."""
    (X, y), weights = arrays(size), matrices(width)
    last: list[list[Array]] = []

    def step() -> None:
        last[:] = [hand_written_step(X, y, *weights)[1]]

    return Side(step, nothing, lambda: flat(last[0]))


def hand_written_loop(size: int, width: int = WIDTH) -> Side:
    """`STEPS` of those steps, which keep the losses; the weights after them in place of gradients."""
    X, y = arrays(size)
    weights: list[Array] = []

    def start_again() -> None:
        weights[:] = matrices(width)

    return Side(
        lambda: [hand_written_step(X, y, *weights)[0] for _ in range(STEPS)], start_again, lambda: flat(weights)
    )


def hand_written_step(
    X: Array, y: Array, W1: Array, b1: Array, W2: Array, b2: Array, W3: Array, b3: Array
) -> tuple[float, list[Array]]:
    """One step as anyone writes it: the loss before it, and the gradients. The weights are changed in place."""
    import numpy as np

    z1 = X @ W1.T + b1
    a1 = np.maximum(z1, 0)
    z2 = a1 @ W2.T + b2
    a2 = np.maximum(z2, 0)
    scores = (a2 @ W3.T + b3)[:, 0]
    margins = 1 - y * scores
    loss = np.maximum(margins, 0).mean()

    dz3 = (np.where(margins > 0, -y, 0) / len(y))[:, None]
    dW3 = dz3.T @ a2
    db3 = dz3.sum(axis=0)
    dz2 = dz3 @ W3 * (z2 > 0)
    dW2 = dz2.T @ a1
    db2 = dz2.sum(axis=0)
    dz1 = dz2 @ W2 * (z1 > 0)
    dW1 = dz1.T @ X
    db1 = dz1.sum(axis=0)

    W1 -= RATE * dW1
    b1 -= RATE * db1
    W2 -= RATE * dW2
    b2 -= RATE * db2
    W3 -= RATE * dW3
    b3 -= RATE * db3
    return loss, [dW1, db1, dW2, db2, dW3, db3]


def pytorch(size: int, width: int = WIDTH) -> Side:
    """In PyTorch on one thread, in double precision."""
    import torch
    from torch.nn.functional import linear

    torch.set_num_threads(1)
    X, y = map(torch.tensor, arrays(size))
    weights = [torch.tensor(matrix, requires_grad=True) for matrix in matrices(width)]
    optimizer = torch.optim.SGD(weights, lr=RATE)
    W1, b1, W2, b2, W3, b3 = weights

    def step() -> None:
        a1 = torch.relu(linear(X, W1, b1))
        a2 = torch.relu(linear(a1, W2, b2))
        scores = linear(a2, W3, b3)[:, 0]
        loss = torch.relu(1 - y * scores).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    def gradients() -> list[float]:
        return flat([weight.grad.numpy() for weight in weights if weight.grad is not None])

    return Side(step, nothing, gradients)


def casadi(size: int, width: int = WIDTH) -> Side:
    """In CasADi: loss and gradient of one point in scalar symbols (SX), mapped over the points, which adds them up."""
    import numpy as np
    from casadi import DM

    f = _mapped_over_points(size, width)
    X, y = (DM(np.atleast_2d(array.T)) for array in arrays(size))  # a point per column
    weights = np.array(parameters(by_hand(float, sizes(width))))
    gradients = np.zeros_like(weights)

    def step() -> None:
        _, total = f(weights, X, y)
        gradients[:] = np.asarray(total).ravel() / size
        weights[:] -= RATE * gradients

    return Side(step, nothing, gradients.tolist)


def _mapped_over_points(size: int, width: int) -> Any:
    """A function of weights, points and labels: the sums, over the points, of the loss and of its gradient."""
    from casadi import SX, Function, fmax, gradient, vertcat

    network = by_hand(lambda _: SX.sym("w"), sizes(width))
    weights, x, label = vertcat(*parameters(network)), SX.sym("x", 2), SX.sym("label")
    output = score(network, [x[0], x[1]], lambda total: fmax(total, 0))
    loss = fmax(1 - label * output, 0)
    of_one_point = Function("f", [weights, x, label], [loss, gradient(loss, weights)])
    return of_one_point.map("mapped", "serial", size, [0], [0, 1])


# ----- Weights and points as arrays -----


def arrays(size: int) -> tuple[Array, Array]:
    """The points, one per row, and their labels."""
    import numpy as np

    points, labels = data(size)
    return np.array(points), np.array(labels)


def matrices(width: int) -> list[Array]:
    """The weights of each layer, a row for each neuron, and its biases: W1, b1, W2, b2, W3, b3."""
    import numpy as np

    layers = [zip(*layer) for layer in by_hand(float, sizes(width))]
    return [np.array(numbers) for layer in layers for numbers in layer]


def flat(arrays: list[Array]) -> list[float]:
    """W1, b1, W2, b2, W3, b3 in the order of micrograd's parameters: neuron by neuron, its weights and its bias."""
    import numpy as np

    return [number for W, b in zip(arrays[::2], arrays[1::2]) for number in np.column_stack([W, b]).ravel().tolist()]


SIDES = (compiled, compiled_fit, eager, micrograd_step, hand_written, hand_written_loop, pytorch, casadi)
