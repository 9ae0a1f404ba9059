"""One side of a comparison, alone in its process: `python -m benchmarks.sides micrograd 50` prints its time as JSON.

    python -m benchmarks.sides NAME SIZE                 # {"figure": median seconds of a pass, "gradients": [...]}
    python -m benchmarks.sides NAME SIZE --memory        # {"figure": bytes that a pass adds to the peak, ...}
    python -m benchmarks.sides NAME SIZE --width 64      # of the hidden layers, for the sides of training.py

NAME is a function below, or one of training.py. Here a pass is forward, backward, and dropping the graph; setting the
gradients to 0 before it and reading them after it are not timed.
"""

from __future__ import annotations

import argparse
import gc
import json
import subprocess
from functools import partial
from itertools import count
from typing import TYPE_CHECKING

from . import training
from .measuring import Side, added_to_peak, nothing, seconds
from .workloads import by_hand, chain, data, hinge_loss, hundred_nodes, parameters, score

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


def micrograd(size: int) -> Side:
    """The hinge loss of `size` points in micrograd: a node per `+` and `*`."""
    from micrograd.engine import Value

    return _node_per_operation(Value, size)


def autograd(size: int) -> Side:
    """The same lines with our Value."""
    from autograd import Value

    return _node_per_operation(Value, size)


def _node_per_operation(value: Any, size: int) -> Side:
    points, labels = data(size)
    network, relu = by_hand(value), value.relu

    def one_pass() -> None:
        hinge_loss([score(network, point, relu) for point in points], labels, relu).backward()

    return _side(one_pass, parameters(network))


def autograd_dot(size: int) -> Side:
    """The same loss with `nn.MLP`: a node per neuron, and one for its ReLU."""
    from autograd import Value

    points, labels = data(size)
    model = training.model()

    def one_pass() -> None:
        hinge_loss([model(point) for point in points], labels, Value.relu).backward()

    return _side(one_pass, model.parameters())


def _side(one_pass: Callable[[], None], weights: list[Any]) -> Side:
    def reset() -> None:
        for weight in weights:
            weight.grad = 0.0

    return Side(one_pass, reset, lambda: [weight.grad for weight in weights])


def xad(size: int) -> Side:
    """The same lines on XAD's tape; one tape for all passes, since clearAll() does not clear the adjoints of inputs."""
    import xad.math
    from xad.adj_1st import Real, Tape

    points, labels = data(size)
    network, relu = by_hand(Real), partial(xad.math.max, 0.0)
    weights = parameters(network)
    tape = Tape()
    tape.activate()
    tape.registerInputs(weights)

    def one_pass() -> None:
        tape.newRecording()
        loss = hinge_loss([score(network, point, relu) for point in points], labels, relu)
        tape.registerOutput(loss)
        loss.derivative = 1.0
        tape.computeAdjoints()

    return Side(one_pass, nothing, lambda: [weight.derivative for weight in weights])


def autograd_chain(length: int) -> Side:
    """A chain of `length` nodes."""
    from autograd import Value

    x = Value(1.0)
    side = _side(lambda: chain(x, length).backward(), [x])
    return side._replace(gradients=lambda: [x.grad / (length + 1)])  # 1.0, however long the chain


class Link:
    """An object that knows the one before it, and a number: the least that a graph of Python objects can be."""

    __slots__ = ("before", "number")

    def __init__(self, before: Link | None, number: float) -> None:
        self.before = before
        self.number = number


def linked_list(length: int) -> Side:
    """A list of so many links, made and let go of: what Python itself takes for many objects that hold each other."""

    def one_pass() -> None:
        last = None
        for _ in range(length):
            last = Link(last, 1.0)
        while last is not None:
            last = last.before

    return Side(one_pass, nothing, list)


def autograd_svg(repeats: int) -> Side:
    """Draws `repeats` graphs of 100 nodes, each with a number of its own, so that nothing can be remembered."""
    from autograd import Value, draw

    roots: list[Any] = []
    numbers = count(1)

    def new_graphs() -> None:
        roots[:] = [hundred_nodes(Value, next(numbers) / 1000) for _ in range(repeats)]

    return Side(lambda: [draw(root).svg for root in roots], new_graphs, list)


def dot_svg(repeats: int) -> Side:
    """The DOT texts of such drawings to SVG by the system's `dot`, one process each. Making the text is not timed."""
    from autograd import Value, draw

    texts = [draw(hundred_nodes(Value, (1 + i) / 1000)).dot for i in range(repeats)]
    command = ["dot", "-Tsvg"]
    return Side(
        lambda: [subprocess.run(command, input=t, capture_output=True, check=True, text=True) for t in texts],
        nothing,
        list,
    )


SIDES: dict[str, Callable[..., Side]] = {
    side.__name__: side
    for side in (
        micrograd,
        autograd,
        autograd_dot,
        xad,
        autograd_chain,
        linked_list,
        autograd_svg,
        dot_svg,
        *training.SIDES,
    )
}


def main() -> None:
    """Measure the side that the command line names."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sides", description="Measure one side of a comparison.")
    parser.add_argument("name", choices=SIDES)
    parser.add_argument("size", type=int, help="points, nodes or drawings")
    parser.add_argument("--width", type=int, help="neurons of each hidden layer, for the sides of training.py")
    parser.add_argument("--memory", action="store_true", help="the peak memory of one pass instead of its time")
    parser.add_argument("--warm-ups", type=int, default=3)
    parser.add_argument("--repeats", type=int, default=7, help="times to take (default: %(default)s)")
    parser.add_argument("--together", type=int, default=1, help="passes that are timed as one (default: %(default)s)")
    parser.add_argument("--without-collector", action="store_true", help="switch Python's garbage collector off")
    options = parser.parse_args()
    if options.without_collector:
        gc.disable()
    width = {} if options.width is None else {"width": options.width}
    side = SIDES[options.name](options.size, **width)
    timing = (options.warm_ups, options.repeats, options.together)
    measured = added_to_peak(side) if options.memory else seconds(side, *timing)
    print(json.dumps(measured._asdict()))


if __name__ == "__main__":
    main()
