"""Copies of graphs by `copy`, `deepcopy` and `pickle`: whole, of any depth, with identities, gradients and labels."""

from __future__ import annotations

import copy
import math
import pickle
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import autograd as ag
from autograd import Value, copies, nodes

if TYPE_CHECKING:
    from collections.abc import Callable

DEEP = 100_000


def house() -> tuple[Value, Value, Value]:
    """The house graph, differentiated: gradients 48 and 28."""
    a, b = Value(2.0, "a"), Value(3.0, "b")
    c = a * b
    c.label = "c"
    d = c + a
    e = c * d
    e.label = "e"
    e.backward()
    return e, a, b


def pickled(graph: Any) -> Any:
    """There and back."""
    return pickle.loads(pickle.dumps(graph))


def described(root: Value) -> list[tuple[object, ...]]:
    """All that a graph holds, node by node."""
    order = nodes(root)
    position = {node: i for i, node in enumerate(order)}
    return [
        (
            type(node), node.data, node.has_grad, node.grad, node.label, node.primitive, node.local_derivatives,
            tuple(x if isinstance(x, float) else position[x] for x in node.operands),
        )
        for node in order
    ]  # fmt: skip


def varied() -> Value:
    """A graph with nodes of one, two, three and many operands, constants on either side, a fork and labels."""
    x, y = Value(0.5, "x"), Value(-1.5, "y")
    z = ag.exp(x) * y - 2 / x
    z.label = "z"
    root = ag.dot([x, 2.0, z], [y, z, x], 1.0) + ag.clip(z, -9, y) ** 2 + ag.sum([x, 3.0, x]) + ag.where(x, z, 1.0)
    root.backward(0.5)
    return root


COPIERS = [copy.deepcopy, pickled]


# ----- Both ways of copying a whole graph -----


@pytest.mark.parametrize("copier", COPIERS)
def test_copy_holds_the_same(copier: Callable[[Any], Any]) -> None:
    """Numbers, gradients, labels, primitives, local derivatives and the order of operands survive."""
    root = varied()
    assert described(copier(root)) == described(root)


@pytest.mark.parametrize("copier", COPIERS)
def test_copy_shares_no_node(copier: Callable[[Any], Any]) -> None:
    """A pass over the copy leaves the original as it was, and the other way round."""
    e, a, b = house()
    twin = copier(e)
    assert not set(nodes(e)) & set(nodes(twin))
    twin.backward()
    assert (a.grad, b.grad, e.grad) == (48, 28, 1)
    assert [leaf.grad for leaf in nodes(twin) if not leaf.operands] == [96, 56]


@pytest.mark.parametrize("copier", COPIERS)
def test_copy_computes_anew(copier: Callable[[Any], Any]) -> None:
    """A copy is a graph like any other: it takes new data, forward() and backward()."""
    twin = copier(house()[0])
    a, b = (node for node in nodes(twin) if not node.operands)
    a.data, b.data = 3.0, 4.0
    assert twin.forward() == 12 * 15
    twin.zero_grad()
    twin.backward()
    assert (a.grad, b.grad) == (4 * 15 + 12 * 5, 3 * 15 + 12 * 3)


@pytest.mark.parametrize("copier", COPIERS)
def test_copy_of_a_leaf(copier: Callable[[Any], Any]) -> None:
    """Data, gradient and label; no gradient stays no gradient, and a computed zero stays one."""
    untouched, zero = copier(Value(2.0, "w")), Value(math.inf)
    zero.grad = 0.0
    assert (untouched.data, untouched.label, untouched.has_grad) == (2, "w", False)
    assert (copier(zero).data, copier(zero).has_grad) == (math.inf, True)


@pytest.mark.parametrize("copier", COPIERS)
def test_copy_remembers_the_recorded_pass(copier: Callable[[Any], Any]) -> None:
    """Data set since then is copied, and so are the local derivatives, which are those of the recording."""
    x = Value(3.0)
    y = x * x
    x.data = 5.0
    twin = copier(y)
    twin.backward()
    (leaf, _) = twin.operands
    assert (leaf.data, twin.data, leaf.grad) == (5, 9, 6)


@pytest.mark.parametrize("copier", COPIERS)
def test_repeated_operands_stay_one_node(copier: Callable[[Any], Any]) -> None:
    """x * x, and x twice in a sum, have one x in the copy."""
    x = Value(3.0)
    left, right = copier(x * x).operands
    assert left is right
    assert len(set(copier(ag.sum([x, x, x])).operands)) == 1


@pytest.mark.parametrize("copier", COPIERS)
def test_leaves_keep_their_identity_in_a_container(copier: Callable[[Any], Any]) -> None:
    """Parameters and a loss that are copied together belong together, whichever comes first."""
    e, a, b = house()
    for container in ([a, b, e], [e, a, b], {"loss": e, "parameters": (a, b)}, [e, [e, {"a": a}], b]):
        twin = copier(container)
        flat = _flattened(twin)
        held = {node for node in flat if not node.operands}
        assert held == {node for node in nodes(_root(flat)) if not node.operands}


def _flattened(container: Any) -> list[Value]:
    if isinstance(container, Value):
        return [container]
    parts = container.values() if isinstance(container, dict) else container
    return [value for part in parts for value in _flattened(part)]


def _root(values: list[Value]) -> Value:
    return next(value for value in values if value.operands)


@pytest.mark.parametrize("copier", COPIERS)
def test_two_roots_share_their_leaves(copier: Callable[[Any], Any]) -> None:
    """Gradients of both add up in the one leaf."""
    x = Value(3.0)
    square, cube = copier([x * x, x**3])
    square.backward()
    cube.backward()
    assert square.operands[0] is cube.operands[0]
    assert square.operands[0].grad == 6 + 27


@pytest.mark.parametrize("copier", COPIERS)
@pytest.mark.parametrize("depth", [DEEP])
def test_deep_graphs_are_copied(copier: Callable[[Any], Any], depth: int) -> None:
    """A chain of 100,000 nodes needs no recursion, in a container and alone."""
    x = Value(1.0)
    y = x
    for _ in range(depth):
        y = y + 1.0
    twin_x, twin = copier([x, y])
    twin.backward()
    assert twin.data == depth + 1
    assert twin_x.grad == 1
    assert len(nodes(twin)) == depth + 1


@pytest.mark.parametrize("copier", COPIERS)
def test_wide_graphs_are_copied(copier: Callable[[Any], Any]) -> None:
    """So does a node of 20,000 operands, half of them constants."""
    x = Value(2.0)
    twin = copier(ag.sum([x, 1.0] * 10_000))
    twin.backward()
    assert twin.data == 30_000
    assert twin.operands[0].grad == 10_000


# ----- deepcopy and copy -----


def test_deepcopy_keeps_identities_of_results() -> None:
    """An intermediate result in the same container is the one inside the copied graph."""
    x = Value(3.0)
    y = x * x
    z = y + x
    for container in ([z, y, x], [y, z, x], [x, y, z]):
        twins = dict(zip(container, copy.deepcopy(container), strict=True))
        twin_z, twin_y, twin_x = twins[z], twins[y], twins[x]
        assert twin_z.operands == (twin_y, twin_x)
        assert twin_y.operands == (twin_x, twin_x)


def test_deepcopy_inside_an_object() -> None:
    """A model that holds its parameters twice has each once in the copy."""

    class Model:
        def __init__(self) -> None:
            self.weight = Value(2.0, "w")
            self.parameters = [self.weight]
            self.loss = self.weight * self.weight

    twin = copy.deepcopy(Model())
    assert twin.parameters == [twin.weight]
    assert twin.loss.operands == (twin.weight, twin.weight)


def test_shallow_copy_of_a_result_keeps_its_operands() -> None:
    """It is another node of the same operation, which passes its gradient to the same leaves."""
    x = Value(3.0, "x")
    y = x * 2
    y.label = "y"
    twin = copy.copy(y)
    assert twin is not y
    assert (twin.data, twin.label, twin.operands) == (6, "y", (x, 2.0))
    twin.backward()
    assert x.grad == 2
    assert not y.has_grad


def test_shallow_copy_of_a_leaf_is_a_leaf_of_its_own() -> None:
    """Setting the copy's data or gradient does not touch the original."""
    x = Value(3.0, "x")
    twin = copy.copy(x)
    twin.data = 4.0
    twin.grad = 1.0
    assert (x.data, x.has_grad, twin.label) == (3, False, "x")


# ----- pickle -----


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_every_protocol(protocol: int) -> None:
    """From the one that Python 2 reads to the newest."""
    root = varied()
    assert described(pickle.loads(pickle.dumps(root, protocol))) == described(root)


def test_pure_python_pickler_takes_deep_graphs_too() -> None:
    """It has less of a stack than the one in C."""
    x = Value(1.0)
    y = x
    for _ in range(5000):
        y = -y
    twin = pickle._loads(pickle._dumps(y))  # the one in Python has no public name
    assert described(twin) == described(y)


def test_results_belong_to_the_root_they_were_pickled_with() -> None:
    """Two roots with a common result have copies of it each, on the same leaves."""
    x = Value(3.0)
    y = x * x
    twin_y, twin_z, twin_x = pickled([y, y + x, x])
    assert twin_z.operands[0] is not twin_y
    assert twin_y.operands == twin_z.operands[0].operands == (twin_x, twin_x)


def test_leaves_of_two_dumps_are_different_nodes() -> None:
    """Identity is kept within one dumps, not across them."""
    x = Value(3.0)
    assert pickled(x * 2).operands[0] is not pickled(x * 2).operands[0]


def test_primitives_are_pickled_by_name() -> None:
    """A loaded graph has this process's primitives, and no code travels with it."""
    assert pickled(ag.tanh) is ag.tanh
    assert pickled(Value(1.0).tanh()).primitive is ag.tanh
    assert b"lambda" not in pickle.dumps(varied())


def test_pickle_is_the_same_bytes_each_time() -> None:
    """Nothing in it depends on where objects are or how they hash."""
    assert pickle.dumps(varied()) == pickle.dumps(varied())


def test_unknown_primitive_is_named_on_loading(monkeypatch: pytest.MonkeyPatch) -> None:
    """A graph with a primitive of yours loads where you have defined it; elsewhere the error names it."""
    monkeypatch.setattr("autograd.primitives.PRIMITIVES", dict(ag.primitives.PRIMITIVES))
    cube = ag.primitive("cube_of_copies", lambda x: x**3, lambda x, out: 3 * x**2)
    data = pickle.dumps(cube(Value(2.0)))
    assert pickle.loads(data).primitive is cube
    ag.primitives.PRIMITIVES.pop("cube_of_copies")
    with pytest.raises(LookupError, match=r"'cube_of_copies'.*define it"):
        pickle.loads(data)


def test_graph_is_read_in_another_process(tmp_path: Path) -> None:
    """What one process writes, another one differentiates."""
    file = tmp_path / "graph.pickle"
    file.write_bytes(pickle.dumps(house()))
    code = "import pickle, sys; e, a, b = pickle.load(open(sys.argv[1], 'rb')); e.backward(); print(a.grad, b.grad)"
    package = Path(ag.__file__).parents[1]
    run = subprocess.run([sys.executable, "-c", code, file], cwd=package, capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["96.0", "56.0"]


# ----- Subclasses -----


class Tagged(Value):
    """A leaf with an attribute of its own."""

    def __init__(self, data: float, label: str = "", tags: tuple[str, ...] = ()) -> None:
        super().__init__(data, label)
        self.tags = list(tags)


class Slotted(Value):
    """A leaf with a slot of its own."""

    __slots__ = ("tag",)


@pytest.mark.parametrize("copier", [*COPIERS, copy.copy])
def test_subclass_leaf_keeps_type_and_attributes(copier: Callable[[Any], Any]) -> None:
    """A leaf of a subclass comes back as one, with what it holds beside its number."""
    x = Tagged(2.0, "w", tags=("frozen",))
    x.grad = 1.5
    twin = copier(x)
    assert type(twin) is Tagged
    assert (twin.data, twin.grad, twin.label, twin.tags) == (2, 1.5, "w", ["frozen"])


@pytest.mark.parametrize("copier", COPIERS)
def test_subclass_leaf_inside_a_graph(copier: Callable[[Any], Any]) -> None:
    """It keeps its type and identity as an operand."""
    x = Tagged(3.0, tags=("frozen",))
    twin_x, twin = copier([x, x * x])
    assert type(twin_x) is Tagged
    assert twin.operands == (twin_x, twin_x)
    assert type(twin) is Value
    assert twin_x.tags == ["frozen"]


@pytest.mark.parametrize("copier", COPIERS)
def test_attributes_of_a_subclass_are_copied_too(copier: Callable[[Any], Any]) -> None:
    """A deep copy that shared a list with the original would not be deep."""
    x = Tagged(3.0, tags=("frozen",))
    for twin in (copier(x), copier(x * x).operands[0]):
        twin.tags.append("copied")
    assert x.tags == ["frozen"]


@pytest.mark.parametrize("copier", [*COPIERS, copy.copy])
def test_slots_of_a_subclass_are_copied(copier: Callable[[Any], Any]) -> None:
    """Slots are attributes like others."""
    x = Slotted(3.0)
    x.tag = "frozen"
    assert copier(x).tag == "frozen"


@pytest.mark.parametrize("copier", COPIERS)
def test_attribute_that_leads_back_to_its_leaf(copier: Callable[[Any], Any]) -> None:
    """A leaf that is a member of a list that it holds is that in the copy as well."""
    x = Tagged(3.0)
    x.tags = [x]
    twin = copier(x)
    assert twin.tags[0] is twin


def test_copies_know_every_slot() -> None:
    """A slot that is added to Value must be copied and pickled too."""
    assert set(Value.__slots__) == {*copies.STATE, "_left", "_right"}
