"""Names and lines from the user's code: label_from(locals()), and lines that nodes remember under record_lines()."""

from __future__ import annotations

import copy
import functools
import importlib.util
import inspect
import linecache
import operator
import pickle
from collections import OrderedDict, namedtuple
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import autograd as ag
import nn
from autograd import Value, explain, label_from, nodes
from autograd.origins import Line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path


def pickled(graph: Any) -> Any:
    """There and back."""
    return pickle.loads(pickle.dumps(graph))


def results(*roots: Value) -> list[Value]:
    """The nodes that are no leaves."""
    return [node for root in roots for node in nodes(root) if node.operands]


# ----- label_from -----


def test_locals_of_a_function() -> None:
    """The names of the variables, of leaves and of results."""
    x, z = Value(2.0), Value(3.0)
    y = x * z
    total = y + x
    label_from(locals())
    assert [node.label for node in (x, z, y, total)] == ["x", "z", "y", "total"]


def test_globals_of_a_module() -> None:
    """Names that begin with an underscore, of modules and of functions are in them too."""
    namespace: dict[str, Any] = {"__name__": "m", "np": np, "f": len, "_hidden": Value(1.0), "x": Value(0.0), "n": 3}
    label_from(namespace)
    assert (namespace["x"].label, namespace["_hidden"].label) == ("x", "")


def test_lists_tuples_and_dictionaries() -> None:
    """Nested Values are named by their place, as one would write it."""
    namespace: dict[str, Any] = {
        "w": [[Value(1.0), Value(2.0)], (Value(3.0), [Value(4.0)])],
        "parts": {"bias": Value(0.0), 7: Value(5.0), ("a", 1): [Value(6.0)]},
        "o": OrderedDict(k=Value(8.0)),
    }
    label_from(namespace)
    w, parts = namespace["w"], namespace["parts"]
    assert [w[0][0].label, w[0][1].label, w[1][0].label, w[1][1][0].label] == [
        "w[0][0]",
        "w[0][1]",
        "w[1][0]",
        "w[1][1][0]",
    ]
    assert [parts["bias"].label, parts[7].label] == ["parts['bias']", "parts[7]"]
    assert parts[("a", 1)][0].label == "parts[('a', 1)][0]"
    assert namespace["o"]["k"].label == "o['k']"
    for node in [w[0][0], w[1][1][0], parts["bias"], parts[7]]:
        assert eval(node.label, namespace) is node


def test_named_tuples_are_tuples() -> None:
    """Their Values are named by place."""
    pair = namedtuple("pair", "left right")(Value(1.0), Value(2.0))
    label_from({"pair": pair})
    assert [pair.left.label, pair.right.label] == ["pair[0]", "pair[1]"]


def test_any_mapping_will_do() -> None:
    """A read-only view of a namespace, for example."""
    x = Value(1.0)
    label_from(MappingProxyType({"x": x}))
    assert x.label == "x"


def test_first_name_counts() -> None:
    """Of several for one Value; also where it stands in several places."""
    x = Value(2.0)
    label_from({"first": x, "second": x, "w": [x]})
    assert x.label == "first"
    shared = [Value(1.0)]
    label_from({"a": [shared], "b": shared})
    assert shared[0].label == "a[0][0]"
    z = Value(1.0)
    label_from({"w": [[1, 2], (z, z), z]})
    assert z.label == "w[1][0]"


def test_labels_that_are_there_are_kept() -> None:
    """And calling it twice changes nothing."""
    x, y = Value(2.0, "mine"), Value(3.0)
    label_from({"x": x, "y": y})
    label_from({"other": y, "x": x})
    assert (x.label, y.label) == ("mine", "y")


@pytest.mark.parametrize("name", ["_", "__", "_x", "__x__", "_1"])
def test_underscore_names_are_skipped(name: str) -> None:
    """A notebook's _ and _1 hold results of cells; inside containers no name is looked at."""
    x, y = Value(2.0), Value(3.0)
    label_from({name: x, "d": {"_k": y}})
    assert (x.label, y.label) == ("", "d['_k']")


def test_names_that_are_no_text_are_skipped() -> None:
    """A namespace has text for names."""
    x = Value(2.0)
    label_from({1: x, None: x})  # type: ignore[dict-item]
    assert x.label == ""


@pytest.mark.parametrize("deep", [1, 20_000])
def test_containers_that_contain_themselves_end(deep: int) -> None:
    """Also very deep ones need no recursion."""
    loop: list[Any] = [Value(1.0)]
    inner = loop
    for _ in range(deep):
        inner = [inner]
    loop.append(inner)
    mapping: dict[str, Any] = {"x": Value(2.0)}
    mapping["self"] = mapping
    label_from({"loop": loop, "mapping": mapping})
    assert (loop[0].label, mapping["x"].label) == ("loop[0]", "mapping['x']")


def test_zeros_and_results_are_named() -> None:
    """A Value of 0 is false, and has a name all the same."""
    x = Value(0.0)
    y = x * 2
    label_from({"x": x, "y": y, "zeros": [ag.relu(y)]})
    assert (x.label, y.label) == ("x", "y")


def test_located_nodes_are_named() -> None:
    """Nodes that know their lines are Values like others."""
    with ag.record_lines():
        y = Value(2.0) * 3
    label_from({"y": y})
    assert y.label == "y"


def test_labels_are_not_shared_with_gradients() -> None:
    """Only labels change."""
    x = Value(2.0)
    y = x * x
    y.backward()
    label_from(locals())
    assert (x.data, x.grad, y.data, y.grad, y.operands) == (2.0, 4.0, 4.0, 1.0, (x, x))


@pytest.mark.parametrize("wrong", [Value(1.0), [Value(1.0)], None, "x", 3, ("x", Value(1.0))])
def test_anything_else_than_names_is_refused(wrong: Any) -> None:
    """The error says what to write."""
    with pytest.raises(TypeError, match=rf"locals\(\) gives; not an? {type(wrong).__name__}$"):
        label_from(wrong)


def test_values_in_object_arrays_are_named() -> None:
    """Arrays of Values work everywhere else."""
    w = np.array([[Value(1.0), Value(2.0)]], dtype=object)
    b = np.array([Value(3.0), None, [Value(0.0)]], dtype=object)
    label_from({"w": w, "b": b, "numbers": np.zeros(3), "none": np.empty((0, 2), dtype=object)})
    assert [value.label for value in (w[0, 0], w[0, 1], b[0], b[2][0])] == ["w[0, 0]", "w[0, 1]", "b[0]", "b[2][0]"]


def test_value_in_an_array_without_dimensions_is_named() -> None:
    """Its place is written x[()]."""
    x = np.empty((), dtype=object)
    x[()] = Value(1.0)
    label_from({"x": x})
    assert x[()].label == "x[()]"


def test_history_of_a_notebook_gives_no_names() -> None:
    """After a cell that shows y, IPython's namespace holds it as Out[1] first."""
    y = Value(2.0)
    history = {"In": ["", "y"], "Out": {1: y}, "_oh": {1: y}, "_dh": [], "get_ipython": print, "_": y, "_1": y}
    label_from(history | {"y": y})
    assert y.label == "y"


def test_history_is_a_notebooks() -> None:
    """Elsewhere, In and Out are names like others."""
    x, y = Value(2.0), Value(3.0)
    label_from({"In": x, "Out": [y]})
    assert (x.label, y.label) == ("In", "Out[0]")


def test_labels_are_seen_in_explanations() -> None:
    """What it is for."""
    x = Value(2.0)
    w = [x * 3, x * 4]
    y = w[0] * w[1]
    label_from({"x": x, "w": w, "y": y})
    assert "from w[1] = x * 4, operand 1: ∂y/∂w[1] · ∂w[1]/∂x" in str(explain(x, y))


# ----- Lines: where they come from -----

MODULE = '''\
import autograd as ag

def square(x):
    # the line below is the one
    return x * x

def several(x):
    y = x + 1; z = y * 2
    return (
        ag.exp(y)
        + ag.tanh(
            z
        )
    )

cube = lambda x: x * square(x)

def recorded(f, x):
    with ag.record_lines():
        return f(x)
'''  # fmt: skip


def test_lines_of_a_module(tmp_path: Path) -> None:
    """File, number and text of each operation, whoever called the function."""
    file = tmp_path / "formulas.py"
    file.write_text(MODULE, "utf-8")
    specification = importlib.util.spec_from_file_location("formulas", file)
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    y = module.recorded(module.square, Value(2.0))
    assert y._line == Line(str(file), 5, "return x * x")
    assert str(y._line) == "formulas.py:5"
    z = module.recorded(module.cube, Value(2.0))
    assert [node._line.number for node in results(z)] == [5, 16]
    several = module.recorded(module.several, Value(2.0))
    told = {node.primitive.name: (node._line.number, node._line.text) for node in results(several)}
    assert told["multiply"] == (8, "y = x + 1; z = y * 2")
    assert told["exp"] == told["add"] == (10, "ag.exp(y)")  # the last + begins where its left side does
    assert told["tanh"] == (11, "+ ag.tanh(")
    outside = module.square(Value(2.0))
    assert outside._line is None


def run_cell(source: str, file: str, monkeypatch: pytest.MonkeyPatch, **names: Any) -> dict[str, Any]:
    """As a notebook does: the source is known to linecache under a name that is no file."""
    monkeypatch.setitem(linecache.cache, file, (len(source), None, source.splitlines(keepends=True), file))
    namespace = {"ag": ag, "Value": Value, "x": Value(2.0, "x"), **names}
    exec(compile(source, file, "exec"), namespace)
    return namespace


CELLS = [
    ("<ipython-input-3-0123456789ab>", "cell:3"),
    ("/tmp/ipykernel_1/123456789.py", "cell:3"),
    ("<string>", "<string>:3"),
    ("<stdin>", "<stdin>:3"),
]


@pytest.mark.parametrize(("file", "told"), CELLS)
def test_lines_of_a_cell(file: str, told: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The text is that of the cell as it was run, also when it has been changed since."""
    source = "with ag.record_lines():\n    y = x + 1\n    z = y * y\n"
    names = run_cell(source, file, monkeypatch)
    monkeypatch.delitem(linecache.cache, file)
    line = names["z"]._line
    assert line == Line(file, 3, "z = y * y")
    assert str(line) == told
    assert f"= 3   {told}  z = y * y" in str(explain(names["y"], names["z"]))


def test_code_without_source() -> None:
    """Nothing is known of its text; the number stands alone."""
    names: dict[str, Any] = {"ag": ag, "x": Value(2.0, "x")}
    exec("with ag.record_lines():\n    y = x * 3", names)
    assert names["y"]._line == Line("<string>", 2, "")
    assert "= 3   <string>:2\n" in str(explain(names["x"], names["y"]))


def here() -> int:
    """The line of the caller."""
    frame = inspect.currentframe()
    assert frame is not None
    assert frame.f_back is not None
    return frame.f_back.f_lineno


def written_here(nodes_found: Iterable[Value], line: int) -> bool:
    """Whether all of them name this file and that line."""
    found = list(nodes_found)
    return bool(found) and all(
        node._line == Line(__file__, line, linecache.getline(__file__, line).strip()) for node in found
    )


def test_lambdas_comprehensions_and_builtins() -> None:
    """The line where the operation stands, not where it is called from."""
    x = Value(2.0, "x")
    double, line_of_double = lambda v: v * 2, here()
    with ag.record_lines():
        called = double(x)
        listed, line = [x * i for i in range(3)], here()
        assert written_here(results(*listed), line)
        generated, line = list(x + i for i in range(3)), here()  # noqa: C400
        assert written_here(results(*generated), line)
        mapped = list(map(double, [x, x]))
        added, line = sum([x, x, x]), here()
        assert isinstance(added, Value)
        assert written_here(results(added), line)
        reduced, line = functools.reduce(operator.mul, [x, x, x]), here()
        assert written_here(results(reduced), line)
    assert written_here(results(called, *mapped), line_of_double)


def test_line_of_each_part_of_a_long_expression() -> None:
    """A part that begins on a line of its own has that line."""
    x, z = Value(2.0, "x"), Value(3.0, "z")
    with ag.record_lines():
        first = here() + 1
        y = ag.sum([
            x * 2,
            z * 3,
        ])  # fmt: skip
    assert [(node.primitive.name, node._line.number - first) for node in results(y)] == [
        ("multiply", 1), ("multiply", 2), ("sum", 0),
    ]  # fmt: skip


FUNCTIONS: dict[str, Callable[[Value], Any]] = {
    "softmax": lambda x: ag.softmax([x, 2.0, x]),
    "log_softmax": lambda x: ag.log_softmax([x, 2.0]),
    "mean": lambda x: ag.mean([x, 1.0]),
    "dot": lambda x: ag.dot([x, x], [1.0, x], x),
    "method": lambda x: x.tanh(),
    "method with operands": lambda x: x.sigmoid(slope=2.0),
    "clip": lambda x: x.clip(0, 1),
    "abs": lambda x: abs(-x),
    "left constant": lambda x: 3 - x,
    "power": lambda x: 2**x / x**2,
    "where": lambda x: ag.where(x > 0, x, -x),
    "ufunc": lambda x: np.tanh(x),
    "ufunc of two": lambda x: np.maximum(x, 0),
    "numpy scalar": lambda x: np.float64(3) * x,
    "array": lambda x: list(np.array([1.0, 2.0]) * x),
    "matrix product": lambda x: np.array([x, x]) @ np.array([x, x]),
    "neuron": lambda x: nn.Neuron(2, seed=1)([x, 1.0]),
    "layer": lambda x: nn.Layer(2, 3, seed=1)([x, 1.0]),
    "network": lambda x: nn.MLP(2, [3, 1], activation=ag.tanh, seed=1)([x, 1.0]),
    "expand": lambda x: ag.expand(ag.sigmoid(x)),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_operations_inside_the_library_have_the_users_line(name: str) -> None:
    """However many functions of the package lie between."""
    function = FUNCTIONS[name]
    with ag.record_lines():
        made = function(Value(0.5, "x"))
    found = results(*(made if isinstance(made, list) else [made]))
    assert written_here(found, function.__code__.co_firstlineno)


@pytest.mark.parametrize("function", [np.sum, np.mean, np.prod, lambda array: array.sum()])
def test_operations_inside_numpy_have_the_users_line(function: Callable[[Any], Value]) -> None:
    """The user wrote np.sum(...), not fromnumeric.py."""
    array = np.array([Value(1.0), Value(2.0)], dtype=object)
    with ag.record_lines():
        total = function(array)
    assert {node._line.file for node in results(total)} == {__file__}


def test_users_own_module_is_the_users_code() -> None:
    """A subclass of nn.Module has its own lines."""

    class Double(nn.Module):
        def __call__(self, x: Value) -> Value:
            self.line = here() + 1
            return x * 2

    double = Double()
    with ag.record_lines():
        y = double(Value(1.0))
    assert written_here([y], double.line)


# ----- Lines: copies -----


def mixed(root_located: bool) -> Value:
    """A graph of which some nodes know their lines and some do not; the root is of either kind."""
    x = Value(2.0, "x")
    with ag.record_lines():
        a = ag.exp(x) * 0.0
    b = a + x
    with ag.record_lines():
        c = ag.sum([b, a, 1.0, x])
    d = c * b
    with ag.record_lines():
        e = d - x
    root = e if root_located else e * 2
    root.backward()
    return root


def described(root: Value) -> list[tuple[object, ...]]:
    """All that a graph holds, node by node, lines too."""
    order = nodes(root)
    position = {node: i for i, node in enumerate(order)}
    return [
        (
            type(node), node.data, node.has_grad, node.grad, node.label, node.primitive, node.local_derivatives,
            node._line, tuple(x if isinstance(x, float) else position[x] for x in node.operands),
        )
        for node in order
    ]  # fmt: skip


@pytest.mark.parametrize("root_located", [True, False])
@pytest.mark.parametrize("copier", [copy.deepcopy, pickled])
def test_copies_keep_their_lines(copier: Callable[[Any], Any], root_located: bool) -> None:
    """Those that have one and no others; the copy differentiates, and explains itself, as the original."""
    root = mixed(root_located)
    before = described(root)
    twin = copier(root)
    assert described(twin) == described(root) == before
    assert [node._line is not None for node in results(twin)].count(True) == 4
    twin.backward()
    root.backward()
    assert described(twin) == described(root)
    assert str(explain(nodes(twin)[0], twin)) == str(explain(nodes(root)[0], root))


@pytest.mark.parametrize("copier", [copy.deepcopy, pickled])
def test_copies_of_graphs_with_lines_alone(copier: Callable[[Any], Any]) -> None:
    """Every node has one, or the root is the only node that is no leaf."""
    with ag.record_lines():
        y = Value(2.0, "x") * 3
        z = y + y
    assert described(copier(z)) == described(z)
    assert described(copier(y)) == described(y)


@pytest.mark.parametrize("copier", [copy.deepcopy, pickled])
def test_containers_of_graphs_with_lines(copier: Callable[[Any], Any]) -> None:
    """Leaves are shared as ever."""
    x = Value(2.0, "x")
    with ag.record_lines():
        y = x * 3
    twin_x, twin_y = copier([x, y])
    assert twin_y.operands == (twin_x, 3.0)
    assert twin_y._line == y._line


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_every_protocol_keeps_lines(protocol: int) -> None:
    """From the one that Python 2 reads to the newest."""
    root = mixed(True)
    assert described(pickle.loads(pickle.dumps(root, protocol))) == described(root)


def test_shallow_copy_keeps_its_line() -> None:
    """It is the same operation, written in the same place."""
    with ag.record_lines():
        y = Value(2.0) * 3
    twin = copy.copy(y)
    assert twin._line == y._line
    assert twin.operands == y.operands


def test_forward_keeps_lines() -> None:
    """Recomputed in place, a node is still the one that was written there."""
    root = mixed(True)
    lines = [node._line for node in nodes(root)]
    nodes(root)[0].data = 1.0
    root.forward()
    with ag.record_lines():
        root.forward()
    assert [node._line for node in nodes(root)] == lines
