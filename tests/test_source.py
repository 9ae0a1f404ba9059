"""Code that is written from graphs: it runs on its own and gives the numbers of the graph.

`to_source` writes a graph node by node for four libraries, `compile(f).source` a batch in NumPy. What is printed is run
in a namespace of its own, and compared with the eager engine.
"""

from __future__ import annotations

import math
import re
import subprocess
import sys
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pytest
from house_graph import house
from hypothesis import given, settings
from test_value import LEAVES, PROGRAMS, Program, differentiated, execute

import autograd as ag
import nn
from autograd import Value, nodes, to_source
from autograd.compiler.dialects import DIALECTS, Names, broken, identifier
from autograd.compiler.program import Program as CompiledProgram
from autograd.compiler.recording import record
from autograd.compiler.source import Source
from autograd.primitives import BUILT_IN, PRIMITIVES
from autograd.structures import Structure

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

STAGED = ["python", "numpy"]


def close(found: Any, expected: Any, tolerance: float = 1e-12) -> None:
    """Equal in all digits that count."""
    np.testing.assert_allclose(found, expected, rtol=tolerance, atol=tolerance)


def run(text: str) -> dict[str, Any]:
    """The namespace that a file leaves behind."""
    namespace: dict[str, Any] = {"__name__": "pasted"}
    exec(compile(text, "pasted.py", "exec"), namespace)
    return namespace


def eager(root: Value) -> tuple[float, list[float]]:
    """The value, and the gradients of the leaves in their order."""
    root.zero_grad()
    root.backward()
    return root.data, [node.grad for node in nodes(root) if node.primitive is None]


def found_by(root: Value, framework: str) -> tuple[float, list[float]]:
    """The same, by the code."""
    namespace = run(to_source(root, framework))
    if framework in STAGED:
        value, gradients = namespace["value_and_gradients"]()
        return value, list(gradients.values())
    function = namespace["value"]
    if framework == "torch":
        import torch

        leaves = [torch.tensor(x, dtype=torch.float64, requires_grad=True) for x in function.__defaults__]
        value = function(*leaves)
        if not value.requires_grad:  # a choice between constants
            return value.item(), [0.0 for _ in leaves]
        return value.item(), [g.item() for g in torch.autograd.grad(value, leaves, materialize_grads=True)]
    import jax

    leaves = [jax.numpy.array(x) for x in function.__defaults__]
    by_leaf = jax.grad(function, argnums=tuple(range(len(leaves))))(*leaves)
    return function(*leaves).item(), [g.item() for g in by_leaf]


def check(root: Value, framework: str, tolerance: float = 1e-12) -> None:
    """The code of a graph gives its numbers."""
    if framework not in STAGED:
        pytest.importorskip(framework)
    (value, gradients), (expected, wanted) = found_by(root, framework), eager(root)
    close(value, expected, tolerance)
    close(gradients, wanted, tolerance)


# ----- Graphs, line by line -----

#: Operands for every primitive, kinks among them.
POINTS: dict[str, list[tuple[float, ...]]] = {
    "divide": [(3.0, 2.0), (-1.0, 0.5)],
    "power": [(2.0, 3.0), (0.5, -1.5)],
    "absolute": [(-2.0,), (2.0,), (0.0,)],
    "sign": [(-2.0,), (2.0,), (0.0,)],
    "step": [(-2.0,), (2.0,), (0.0,)],
    "relu": [(-2.0,), (2.0,), (0.0,)],
    "log": [(2.0,)],
    "log1p": [(2.0,), (-0.5,)],
    "sqrt": [(2.0,)],
    "arcsin": [(0.3,)],
    "arccos": [(0.3,)],
    "share": [(1.0, 2.0), (2.0, 1.0), (2.0, 2.0)],
    "maximum": [(1.0, 2.0), (2.0, 1.0), (2.0, 2.0)],
    "minimum": [(1.0, 2.0), (2.0, 1.0), (2.0, 2.0)],
    "where": [(1.0, 2.0, 3.0), (-1.0, 2.0, 3.0), (0.0, 2.0, 3.0)],
    "clip": [(0.5, -1.0, 1.0), (-3.0, -1.0, 1.0), (3.0, -1.0, 1.0)],
    "sigmoid": [(0.7, 2.0), (-0.7, 1.0), (-50.0, 1.0), (800.0, 1.0)],
    "softplus": [(0.7, 2.0), (-0.7, 1.0), (30.0, 1.0), (-30.0, 1.0)],
    "leaky_relu": [(0.7, 0.1), (-0.7, 0.1), (0.0, 0.1)],
    "elu": [(0.7, 1.5), (-0.7, 1.5), (0.0, 1.5)],
    "sum": [(1.0, 2.0, 4.0), tuple(map(float, range(30)))],
    "mean": [(1.0, 2.0, 4.0), tuple(map(float, range(30)))],
    "dot": [(1.0, 2.0, 3.0, 4.0, 5.0), tuple(map(float, range(61)))],
    "logsumexp": [(1.0, 2.0), (1.0, 2.0, 800.0)],
}

CASES = [(name, point) for name in sorted(BUILT_IN) for point in POINTS.get(name, [(0.7,) * (PRIMITIVES[name].arity)])]


def test_every_primitive_is_written_in_every_dialect() -> None:
    """One that is added to the table needs a line for each library."""
    for dialect in DIALECTS.values():
        assert set(BUILT_IN) <= {*dialect.calls, *dialect.written}
        assert not {*dialect.calls, *dialect.written} - set(BUILT_IN)


@pytest.mark.parametrize("framework", DIALECTS)
@pytest.mark.parametrize(("name", "point"), CASES, ids=[f"{name}{point[:3]}" for name, point in CASES])
def test_every_primitive(name: str, point: tuple[float, ...], framework: str) -> None:
    """Value and gradients, at kinks as well, with each operand a leaf."""
    primitive = PRIMITIVES[name]
    check(primitive(*[Value(x, f"x{i}") for i, x in enumerate(point)]) * 3, framework)


@pytest.mark.parametrize("framework", DIALECTS)
@pytest.mark.parametrize(("name", "point"), CASES, ids=[f"{name}{point[:3]}" for name, point in CASES])
def test_every_primitive_with_constants(name: str, point: tuple[float, ...], framework: str) -> None:
    """Each operand in turn is the only leaf; one whose derivative has another domain is left out."""
    for i in range(min(len(point), 4)):
        operands: list[Any] = list(point)
        operands[i] = Value(point[i], "x")
        check(PRIMITIVES[name](*operands) * 3, framework)


@pytest.mark.parametrize("framework", DIALECTS)
def test_kinks_that_lie_on_constants(framework: str) -> None:
    """A limit of clip, and the exponent 0."""
    x = Value(1.0, "x")
    check(ag.clip(x, -1.0, 1.0) + ag.clip(x, 1.0, 2.0) + x**0 + (x - 1) ** 0, framework)


@pytest.mark.parametrize("framework", STAGED)
def test_house(framework: str) -> None:
    """Its gradients are 48 and 28, and its stages are those that one would write."""
    e = house(backward=False)
    check(e, framework)
    text = to_source(e, framework)
    forward, backward = "c = a * b\n    d = c + a\n    e = c * d\n", "dc = d * de\n    dd = c * de\n"
    assert text.index(forward) < text.index(backward)
    assert run(text)["value_and_gradients"]() == (48.0, {"a": 48.0, "b": 28.0})


@pytest.mark.parametrize("framework", DIALECTS)
def test_a_pasted_file_runs(framework: str, tmp_path: Path) -> None:
    """It prints value and gradients."""
    if framework not in STAGED:
        pytest.importorskip(framework)
    path = tmp_path / "pasted.py"
    path.write_text(to_source(house(backward=False) * ag.sigmoid(Value(0.0, "σ")), framework), "utf-8")
    done = subprocess.run([sys.executable, path], capture_output=True, text=True, check=True, cwd=tmp_path)
    *_, value, by_a, by_b, by_s = done.stdout.splitlines()
    assert (value[-4:], by_a, by_b, by_s) == (
        "24.0", "gradient by a: 24.0", "gradient by b: 14.0", "gradient by σ: 12.0",
    )  # fmt: skip


@pytest.mark.parametrize("framework", DIALECTS)
@given(PROGRAMS, LEAVES)
@settings(max_examples=60, deadline=None, derandomize=True)
def test_random_graphs(framework: str, program: Program, numbers: list[float]) -> None:
    """Value and gradients."""
    root, _ = differentiated(program, numbers)
    check(root, framework, 1e-10)


def test_arrays_are_taken_elementwise() -> None:
    """By the NumPy code; and no array is written into that another name holds."""
    x, z = Value(0.5, "x"), Value(-0.25, "z")
    y = ag.maximum(x + z, x * z) + x + ag.logsumexp([x, z, 1.0]) + ag.sigmoid(x) + x
    function = run(to_source(y))["value_and_gradients"]
    xs, zs = np.array([0.5, 2.0, -1.0]), np.array([-0.25, 3.0, 0.5])
    value, gradients = function(xs, zs)
    for i, (a, b) in enumerate(zip(xs, zs)):
        x.data, z.data = a, b
        y.forward()
        expected, wanted = eager(y)
        close(value[i], expected)
        close([gradients["x"][i], gradients["z"][i]], wanted)


@pytest.mark.parametrize("framework", DIALECTS)
def test_network(framework: str) -> None:
    """Every neuron is a line of its own here."""
    model = nn.MLP(2, [3, 2, 1], activation="tanh", seed=1)
    check(nn.mse_loss(model([0.5, -1.0]), 1.0), framework)


@pytest.mark.parametrize("framework", DIALECTS)
def test_own_primitives_are_written_by_their_definition(framework: str) -> None:
    """And those of nn."""
    z = [Value(0.5, "z1"), Value(-0.5, "z2")]
    check(nn.cross_entropy(z, 1) + nn.binary_cross_entropy_with_logits(z[0], 1.0), framework)


def test_own_primitive_without_definition() -> None:
    """The error says what to do."""
    odd = ag.primitive("oddly", lambda x: x**3, lambda x, out: 3 * x**2)
    try:
        with pytest.raises(ValueError, match=r"oddly is a primitive of your own.*definition="):
            to_source(odd(Value(1.0)))
        f = ag.compile(lambda x: odd(x))
        f([1.0, 2.0])
        with pytest.raises(ValueError, match=r"oddly is a primitive of your own.*definition="):
            f.source  # noqa: B018
    finally:
        del PRIMITIVES["oddly"]


def test_what_to_source_refuses() -> None:
    """No Value, no framework."""
    for root, told in ((3.0, "a float"), (3, "an int")):
        with pytest.raises(TypeError, match=f"takes a Value, the root of a graph; not {told}$"):
            to_source(root)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="'python', 'numpy', 'torch', 'jax'; not 'keras'"):
        to_source(Value(1.0), "keras")


@pytest.mark.parametrize("framework", STAGED)
def test_a_leaf_is_a_graph(framework: str) -> None:
    """The smallest one; and a number that is none."""
    check(Value(2.0, "x"), framework)
    value, gradients = found_by(Value(math.inf, "x"), framework)
    assert (value, gradients) == (math.inf, [1.0])
    check(Value(2.0, "x") * 0 + ag.step(Value(1.0)), framework)


def test_nothing_is_recorded_or_changed() -> None:
    """Gradients, data and modes stay as they are."""
    z = Value(0.5, "z")
    y = nn.cross_entropy([z, z * 2], 1)
    y.backward()
    before = z.grad
    with ag.no_grad():
        to_source(y)
    assert z.grad == before


# ----- Names -----

LABELS = [
    "np", "x", "x", "lambda", "d", "dd", "dx", "σ", "a b", "it's", 'say "yes"', "W1[2,3]", "W1_2_3", "", "sum", "1st",
    "ﬁ", "fi", "x\ny", "!", "__debug__", "value", "value_and_gradients", "n", "math", "torch", "d_x", "None", "e\0",
]  # fmt: skip


@pytest.mark.parametrize("framework", ["python", "numpy", "torch"])
def test_names_never_clash(framework: str) -> None:
    """Whatever the labels are."""
    leaves = [Value(1.0 + i / 10, label) for i, label in enumerate(LABELS)]
    inner = [leaf * leaf for leaf in leaves]
    for node, label in zip(inner, LABELS):
        node.label = label
    root = ag.sum([a * b for a, b in zip(inner, leaves)]) + ag.sigmoid(leaves[0])
    root.label = "sum"
    check(root, framework)


def test_names() -> None:
    """As like the labels as can be."""
    names = Names(["f"])
    given = [names.new(label) for label in ("W1[2,3]", "x", "x", "lambda", "np", "f", "", "σ", "x'")]
    assert given == ["W1_2_3", "x", "x_2", "lambda_", "np_", "f_2", "v1", "σ", "x_3"]
    assert [identifier(label) for label in ("2x", "!", "a b", "_a_")] == ["v2x", "", "a_b", "a"]


def test_long_lines_are_broken_where_python_allows() -> None:
    """Within brackets, and the outcome is the same."""
    names = [f"x{i}" for i in range(40)]
    line = f"total = {' + '.join(names)}"
    values = dict(zip(names, range(40)))
    text = "\n".join(broken(line, ""))
    assert max(map(len, text.splitlines())) <= 100
    exec(text, values)
    assert values["total"] == sum(range(40))


# ----- Compiled programs -----


class Printed(NamedTuple):
    """The code of a program, and the parameters that it takes as arrays."""

    text: str
    values: Callable[..., Any]
    gradients: Callable[..., Any] | None
    arrays: list[Any]
    leaves: list[list[Value]]


def printed(f: Callable[..., Any], arguments: Sequence[Any], name: str = "f") -> Printed:
    """What `compile(f).source` is, without running the compiled function."""
    recording = record(f, [argument[0] for argument in arguments])
    program = CompiledProgram(recording, f, "gradients", "float64")
    source = Source(program, name, [np.shape(argument)[1:] for argument in arguments])
    leaf_of = dict(zip(program.layout.parameters, program.parameters))
    leaves = [[leaf_of[q] for q in array.members] for array in source.plan.parameters]
    arrays = [
        np.reshape([leaf.data for leaf in members], array.shape) if array.shape else members[0].data
        for members, array in zip(leaves, source.plan.parameters)
    ]
    text = source.text()
    namespace = run(text)
    values, gradients = (namespace.get(function) for function in source.functions)
    assert values is not None
    return Printed(text, values, gradients, arrays, leaves)


def as_values(row: Any) -> Any:
    """What the function is called with."""
    structure = Structure(row)
    return structure.rebuilt([Value(x) for x in structure.leaves])


def by_rows(f: Callable[..., Any], arguments: Sequence[Any]) -> tuple[Any, dict[Value, float]]:
    """The outputs of all rows, and the mean gradient by every leaf, by the eager engine."""
    outputs, total = [], dict[Value, float]()
    n = len(arguments[0])
    for row in zip(*arguments):
        result = f(*map(as_values, row))
        several = result if isinstance(result, list) else [result]
        outputs.append([y.data for y in several])
        several[0].zero_grad()
        several[0].backward()
        for leaf in nodes(several[0]):
            if leaf.primitive is None:
                total[leaf] = total.get(leaf, 0.0) + leaf.grad / n
        several[0].zero_grad()
    return (np.array(outputs) if isinstance(result, list) else np.array(outputs)[:, 0]), total


def compare(f: Callable[..., Any], *arguments: Any, tolerance: float = 1e-12) -> str:
    """The code of a program gives what the function gives, row by row."""
    code = printed(f, arguments)
    expected, wanted = by_rows(f, arguments)
    found = code.values(*arguments, *code.arrays)
    assert np.shape(found) == np.shape(expected)
    close(found, expected, tolerance)
    if code.arrays:
        assert code.gradients is not None
        mean, *gradients = code.gradients(*arguments, *code.arrays)
        close(mean, expected.mean() if expected.ndim == 1 else expected[:, 0].mean(), tolerance)
        for array, gradient, leaves in zip(code.arrays, gradients, code.leaves):
            assert np.shape(gradient) == np.shape(array)
            close(np.ravel(gradient), [wanted.get(leaf, 0.0) for leaf in leaves], tolerance)
    return code.text


RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(7, 2)), np.sign(RNG.normal(size=7))
ROWS, BOXES = RNG.normal(size=(5, 4)), RNG.normal(size=(5, 3, 2))
ONE_HOT = np.eye(3)[[0, 1, 2, 2, 0, 1, 2]]

NETWORK_SOURCE = '''import numpy as np


def loss(x, y, W1, b1, W2, b2, w3, b3):
    """The value of loss for each of n examples.

    x: (n, 2), y: (n,), W1: (16, 2), b1: (16,), W2: (16, 16), b2: (16,), w3: (16,), b3: a number.
    """
    z1 = x @ W1.T + b1
    a1 = np.maximum(z1, 0)
    z2 = a1 @ W2.T + b2
    a2 = np.maximum(z2, 0)
    z3 = a2 @ w3 + b3
    return np.maximum(1 - y * z3, 0)


def loss_gradients(x, y, W1, b1, W2, b2, w3, b3):
    """The mean of loss, and its gradient by W1, b1, W2, b2, w3, b3."""
    n = len(x)
    z1 = x @ W1.T + b1
    a1 = np.maximum(z1, 0)
    z2 = a1 @ W2.T + b2
    a2 = np.maximum(z2, 0)
    z3 = a2 @ w3 + b3
    value = np.maximum(1 - y * z3, 0)
'''


def test_source_of_the_network_is_what_one_would_write() -> None:
    """One product of matrices for each layer, the names of lectures, and no neuron on its own."""
    model = nn.MLP(2, [16, 16, 1], seed=1)

    def loss(x: Any, y: Any) -> Any:
        return ag.relu(1 - y * model(x))

    compare(loss, X, Y)
    compiled = ag.compile(loss)
    values = compiled(X, Y)
    assert compiled.source.startswith(NETWORK_SOURCE)
    forward, backward = compiled.source.split("def loss_gradients")
    assert forward.count("@") == 3
    assert backward.count("@") == 3 + 1 + 3  # forward; back through W2; by the three matrices
    assert max(map(len, compiled.source.splitlines())) <= 100 and len(compiled.source.splitlines()) < 50
    arrays = [a for layer in model.layers[:2] for a in (layer.weight, layer.bias)]
    last = model.layers[2]
    close(run(compiled.source)["loss"](X, Y, *arrays, last.weight[0], last.bias[0]), values)


def test_source_runs_as_a_file(tmp_path: Path) -> None:
    """With NumPy and nothing of ours."""
    w = Value(0.5, "w")
    f = ag.compile(lambda x: ag.tanh(w * x) ** 2)
    f([1.0, 2.0])
    path = tmp_path / "pasted.py"
    path.write_text(f.source + "\nprint(f(np.array([0.0, 2.0]), 0.5).round(6))\n", "utf-8")
    done = subprocess.run([sys.executable, "-I", path], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert done.stdout == "[0.       0.580026]\n"


@pytest.mark.parametrize("activation", ["relu", "tanh", "sigmoid", "leaky_relu", "elu", "silu", "softplus", "linear"])
@pytest.mark.parametrize("sizes", [[1], [3], [4, 1], [3, 3, 2], [1, 1], [1, 3, 1]])
def test_networks(sizes: list[int], activation: str) -> None:
    """Of several shapes; what is differentiated is the first output."""
    model = nn.MLP(2, sizes, activation=activation, seed=1)
    compare(lambda x: model(x), X, tolerance=1e-11)


@pytest.mark.parametrize("xs", [X[:, 0], X[:, :1]], ids=["numbers", "columns"])
def test_networks_of_one_input(xs: Any) -> None:
    """A number for each example, or a row of one number."""
    model = nn.MLP(1, [4, 1], seed=1)
    compare(lambda x: model([x] if isinstance(x, Value) else x) ** 2, xs)


def test_losses() -> None:
    """Their primitives have definitions; sums over classes are sums along an axis."""
    model, scorer = nn.MLP(2, [3, 3], activation="tanh", seed=1), nn.MLP(2, [3, 1], seed=2)
    text = compare(lambda x, y: nn.cross_entropy(model(x), y), X, ONE_HOT)
    assert "y.sum(axis=1) * np.logaddexp.reduce(z2, axis=1) - (y * z2).sum(axis=1)" in text
    compare(lambda x, y: nn.binary_cross_entropy_with_logits(scorer(x), y), X, (Y + 1) / 2)
    compare(lambda x, y: ag.logsumexp(model(x)) - ag.dot(model(x), y), X, ONE_HOT)
    text = compare(lambda x, y: ag.relu(1 - y * scorer(x)) + 0.01 * nn.l2_penalty(scorer), X, Y)
    assert "dW1 = dz1.T @ x / n + 0.02 * W1" in text


def test_by_hand_networks_are_matrices_too() -> None:
    """Written with loops, without labels."""
    weights = [[Value(w) for w in row] for row in RNG.normal(size=(4, 2))]
    last = [Value(w) for w in RNG.normal(size=4)]

    def f(x: Any) -> Any:
        total: Any = 0
        for row, v in zip(weights, last):
            s: Any = 0.0
            for w, element in zip(row, x):
                s = s + w * element
            total = total + v * ag.tanh(s)
        return total**2

    text = compare(f, X)
    assert "t1 = np.tanh(x @ W1.T)" in text


def test_shared_weights() -> None:
    """A recurrent network, a convolution, and weights that no array holds as they stand."""
    wx = [[Value(v, f"Wx[{i},{j}]") for j, v in enumerate(row)] for i, row in enumerate(RNG.normal(size=(3, 2)))]
    wh = [[Value(v, f"Wh[{i},{j}]") for j, v in enumerate(row)] for i, row in enumerate(RNG.normal(size=(3, 3)))]
    out = [Value(v, f"wo[{i}]") for i, v in enumerate(RNG.normal(size=3))]

    def rnn(x: Any) -> Any:
        h: list[Any] = [0.0] * 3
        for t in range(3):
            h = [ag.tanh(ag.dot(wx[i] + wh[i], [*x[t], *h], 0.1)) for i in range(3)]
            for i, value in enumerate(h):
                value.label = f"h{t}[{i}]"
        return ag.dot(out, h)

    text = compare(rnn, BOXES)
    assert "h1 = np.tanh(x[:, 2:4] @ Wx.T + h0 @ Wh.T + 0.1)" in text
    kernel, bias = [Value(v, f"k[{i}]") for i, v in enumerate((0.5, -1.0))], Value(0.1, "b")
    text = compare(lambda x: ag.mean([ag.relu(ag.dot(kernel, x[i : i + 2], bias)) for i in range(3)]), ROWS)
    assert "@ k + b" in text
    w = Value(0.5, "w")
    assert "(x[:, 0] + w * x[:, 0] + 1) / 3" in compare(lambda x: ag.mean([x[0], w * x[0], 1.0]), ROWS)
    a, b = Value(0.5, "a"), Value(-0.3, "b")
    tied = [[a, b], [b, a], [a * 2, b * b]]
    compare(lambda x: ag.sum([ag.tanh(ag.dot([*row], x, a)) for row in tied]), X)


def test_deep_chain() -> None:
    """Its gradients stand together, at the end."""
    w = [Value(v, f"w{i}") for i, v in enumerate(RNG.uniform(0.9, 1.1, 60))]

    def f(x: Any) -> Any:
        for weight in w:
            x = ag.tanh(weight * x)
        return x

    *_, last = compare(f, X[:, 0]).partition("\n    dw")
    assert last.count("\n    dw") == 59
    assert last.count("\n    d") == 59


def _attention(x: Any) -> Any:
    total: Any = 0
    for q in x:
        weights = ag.softmax([ag.dot(q, k) for k in x])
        total = total + ag.dot(weights, [k[0] for k in x])
    return total


w, b, u = Value(0.5, "w"), Value(0.3, "b"), Value(-0.2, "np")
GAINS, SHIFTS = [Value(1.0 + i, f"g[{i}]") for i in range(4)], [Value(i / 10, f"β[{i}]") for i in range(4)]


def _layer_norm(x: Any) -> Any:
    mu = ag.mean(x)
    centred = [a - mu for a in x]
    scale = ag.sqrt(ag.mean([a * a for a in centred]) + 1e-5)
    return ag.sum([g * a / scale + shift for g, a, shift in zip(GAINS, centred, SHIFTS)])


def _kinks(x: Any) -> Any:
    chosen = ag.where(x[0] - x[1], w * x[0], b * x[1]) + ag.where(1 - ag.step(-x[0]), w, b) * ag.clip(x[1], u, w)
    return chosen + ag.maximum(x[0], x[1] * w) + ag.leaky_relu(w * x[0]) + ag.elu(x[1] * w) - ag.step(x[0]) * w


FUNCTIONS: dict[str, tuple[Callable[..., Any], tuple[Any, ...]]] = {
    "outputs of all kinds": (lambda x: [x[0] * w, x[1], w, Value(2.0), x[0], w * b], (X,)),
    "an input": (lambda x: x[1], (X,)),
    "a parameter alone": (lambda x: w * b + 0 * x[0], (X,)),
    "no parameter": (lambda x: [x[0] * x[1], x[0]], (X,)),
    "a constant": (lambda x: 3.0 + 0 * x[0], (X,)),
    "one output in a list": (lambda x: [w * x[0]], (X,)),
    "several arguments": (lambda x, y: ag.tanh(w * x + u * y + b), (X[:, 0], Y)),
    "an argument that is not read": (lambda x, y: w * x, (X[:, 0], X)),
    "what examples share": (lambda x: ag.sum([w**2, 0.5]) + ag.tanh(w * x) ** 2 + ag.exp(w) * b, (X[:, 0],)),
    "boxes": (lambda x: ag.sum([w * a for row in x for a in row]), (BOXES,)),
    "attention": (_attention, (BOXES,)),
    "layer norm": (_layer_norm, (ROWS,)),
    "kinks": (_kinks, (X,)),
    "ties": (lambda x: ag.maximum(w * x[0], w * x[0] + 0 * x[1]) + ag.relu(x[0] * 0 * w) + ag.maximum(w, 0.5), (X,)),
    "dots of which one has a bias": (
        lambda x: ag.sum([ag.tanh(ag.dot([w, b], x, u)), ag.tanh(ag.dot([w, b, u], [x[1], x[0], x[0] * x[1]]))]),
        (X,),
    ),
    "an element of a parameter": (lambda x: [GAINS[1] * 3.0, ag.dot(GAINS, x)], (ROWS,)),
    "maxout": (nn.Maxout(2, 3, seed=2), (X,)),
    "softmax layer": (nn.MLP(2, [3, 3], activation=["relu", "softmax"], seed=3), (X,)),
    "a long sum": (lambda x: ag.sum([ag.sin(w * a * i) for i in range(1, 20) for a in x]), (X,)),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions(name: str) -> None:
    """Values and gradients, row by row."""
    f, arguments = FUNCTIONS[name]
    compare(f, *arguments)


@pytest.mark.parametrize(("name", "point"), CASES, ids=[f"{name}{point[:3]}" for name, point in CASES])
def test_every_primitive_of_a_batch(name: str, point: tuple[float, ...]) -> None:
    """Its operands are an example's or shared, in turn."""
    primitive = PRIMITIVES[name]
    if len(point) > 5:
        return
    leaves = [Value(x, f"p{i}") for i, x in enumerate(point)]
    rows = np.array([point, point])
    for own in range(len(point)):
        compare(lambda x, own=own: 3 * primitive(*[x[i] if i == own else p for i, p in enumerate(leaves)]), rows)
    compare(lambda x: w * primitive(*x), rows)
    compare(lambda x: w * x[0] + primitive(*leaves), rows)


@given(PROGRAMS)
@settings(max_examples=150, deadline=None, derandomize=True)
def test_random_programs_of_a_batch(program: Program) -> None:
    """With two inputs and two parameters."""
    parameters = [Value(0.3, "p"), Value(-0.7, "q")]
    differentiated(program, [0.5, -0.25, 0.3, -0.7])  # programs whose numbers grow too large are left out
    rows = np.array([[0.5, -0.25], [0.75, -0.5]])
    result = record_or_none(program, parameters)
    if result is not None:
        compare(result, rows, tolerance=1e-8)


def record_or_none(program: Program, parameters: list[Value]) -> Callable[..., Any] | None:
    """The program as a function of an example; None if its numbers overflow there."""

    def f(x: Any) -> Any:
        return execute(program, [*x, *parameters], ag)

    try:
        large = [abs(node.data) for x in ([0.5, -0.25], [0.75, -0.5]) for node in nodes(f([Value(a) for a in x]))]
    except (OverflowError, ZeroDivisionError):
        return None
    return f if max(large) < 100 else None


def test_names_in_source_never_clash() -> None:
    """Of parameters, arguments and the function."""
    leaves = [Value(1.0 + i / 10, label) for i, label in enumerate(LABELS)]

    def f(np: Any, n: Any) -> Any:
        hidden = [leaf * np[i % 2] + n for i, leaf in enumerate(leaves)]
        for node, label in zip(hidden, LABELS):
            node.label = label
        return ag.sum([ag.tanh(node) for node in hidden])

    compare(f, X, Y)
    assert "def lambda_(" in printed(lambda x: w * x, (Y,), "lambda").text
    assert "def f(" in printed(lambda x: w * x, (Y,), "<lambda>").text


def test_source_before_the_first_call() -> None:
    """There is nothing to print yet."""
    with pytest.raises(ValueError, match="recorded at its first call"):
        ag.compile(lambda x: x).source  # noqa: B018


def test_no_line_of_the_sources_is_long() -> None:
    """Where it can be helped."""
    model = nn.MLP(3, [5, 5, 5, 5, 5, 4], seed=1)
    text = compare(lambda x: ag.sum([ag.tanh(y) for y in model([*x[0], x[1][0]])]) ** 2, BOXES)
    assert max(map(len, text.splitlines())) <= 100
    assert not re.search(r"[ \t]$", text, re.M)


def test_equal_gradients_of_a_vector_are_a_vector() -> None:
    """One node as two operands: both weights have the same mean, and one of them has more."""
    w, r = [Value(0.5, "w[0]"), Value(0.3, "w[1]")], Value(0.2, "r")

    def f(x: Any) -> Any:
        t = ag.tanh(x - r)
        return ag.dot(w, [t, t]) + ag.tanh(w[1])

    compiled = ag.compile(f)
    value, gradients = compiled.value_and_grad([1.0, 2.0])
    names: dict[str, Any] = {}
    exec(compiled.source, names)
    mean, dw, dr = names["f_gradients"](np.array([1.0, 2.0]), np.array([0.5, 0.3]), 0.2)
    found = {w[0]: dw[0], w[1]: dw[1], r: dr}
    assert mean == pytest.approx(value, rel=1e-14)
    assert [found[p] for p in compiled.parameters] == pytest.approx(gradients.tolist(), rel=1e-14)


def test_arrays_of_the_source() -> None:
    """`f.arrays` are what the pasted source takes: by name, of the right shapes, read when they are asked for."""
    model = nn.MLP(2, [3, 3, 1], activation="tanh", seed=1)

    def loss(x: Any, y: Any) -> Any:
        return nn.mse_loss(model(x), y)

    f = ag.compile(loss)
    expected = f(X, Y)
    pasted = run(f.source)
    shapes = {"W1": (3, 2), "b1": (3,), "W2": (3, 3), "b2": (3,), "w3": (3,), "b3": ()}
    assert {name: np.shape(array) for name, array in f.arrays.items()} == shapes
    assert type(f.arrays["b3"]) is float
    close(pasted["loss"](X, Y, **f.arrays), expected)
    mean, *gradients = pasted["loss_gradients"](X, Y, **f.arrays)
    assert [np.shape(gradient) for gradient in gradients] == list(shapes.values())
    close(mean, f.backward(X, Y))
    close(gradients[0], [[w.grad for w in neuron.w] for neuron in model.layers[0].neurons])
    model.layers[0].neurons[0].w[1].data = 5.0
    assert f.arrays["W1"][0, 1] == 5.0


def test_arrays_of_a_function_without_parameters() -> None:
    """There are none; before the first call, nobody knows."""
    f = ag.compile(lambda x: x * 2.0)
    with pytest.raises(ValueError, match="recorded at its first call"):
        f.arrays  # noqa: B018
    f([1.0])
    assert f.arrays == {}


A, B, C = Value(0.3, "a"), Value(-0.7, "b"), Value(0.4, "c")
GRID = [[Value(0.3), Value(-0.7)], [Value(0.4), Value(0.9)]]


def _grid_and_its_weights(x: Any) -> Any:
    """A layer, and each of its weights times a number of the example."""
    h = [ag.tanh(ag.dot(row, list(x))) for row in GRID]
    return ag.dot(h, [1.0, 2.0]) + ag.sum([ag.tanh(w * x[0]) for row in GRID for w in row])


def _tied(x: Any) -> Any:
    h = [ag.tanh(ag.dot([A], [x[0]], C)), ag.tanh(ag.dot([B], [x[0]], C))]
    return ag.tanh(ag.dot([A, B], h, C))


ROWS_AND_NUMBERS: dict[str, tuple[Any, int]] = {
    "each weight of a matrix by itself": (_grid_and_its_weights, 2),
    "tied weights of one column": (_tied, 1),
    "elu of a constant": (lambda x: A * x[0] + ag.elu(2.0, B * x[0]), 1),
    "elu of a constant alone": (lambda x: ag.elu(2.0, A * x[0]), 1),
    "elu of a negative constant": (lambda x: ag.elu(-2.0, A * x[0]), 1),
    "leaky_relu of a constant": (lambda x: x[0] * ag.leaky_relu(1.5, x[0]) + A, 1),
    "a list of a parameter": (lambda x: [A], 1),
    "a list of what is shared": (lambda x: [ag.tanh(A) * 2], 1),
    "a list of a constant": (lambda x: [A * x[0], ag.elu(2.0, x[0])], 1),
}


@pytest.mark.parametrize("which", ROWS_AND_NUMBERS)
@pytest.mark.parametrize("n", [1, 2, 4, 5])
def test_numbers_beside_rows(which: str, n: int) -> None:
    """As many examples as a matrix has rows, or others: the source has the values and gradients of the program."""
    f, width = ROWS_AND_NUMBERS[which]
    X = np.random.default_rng(n).standard_normal((n, width))
    compiled = ag.compile(f)
    values = compiled(X)
    space: dict[str, Any] = {}
    exec(compiled.source, space)
    name = "f" if f.__name__ == "<lambda>" else f.__name__.strip("_")
    found = space[name](X, **compiled.arrays)
    assert found.shape == values.shape
    assert found == pytest.approx(values, rel=1e-12)
    if values.ndim == 1:
        _, *gradients = space[f"{name}_gradients"](X, **compiled.arrays)
        flat = np.sort(np.concatenate([np.ravel(gradient) for gradient in gradients]))
        assert flat == pytest.approx(np.sort(compiled.value_and_grad(X)[1]), rel=1e-11, abs=1e-14)
