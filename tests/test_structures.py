"""Numbers in lists, tuples, dictionaries and arrays: taken apart, put together, and differentiated in that shape."""

from __future__ import annotations

from collections import OrderedDict, defaultdict, namedtuple
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd as ag
from autograd import Value
from autograd.structures import Structure

if TYPE_CHECKING:
    from collections.abc import Iterator

Line = namedtuple("Line", ["slope", "intercept"])


def flat(content: Any) -> Iterator[Any]:
    """What a reader would write down, from left to right."""
    if isinstance(content, np.ndarray):
        content = content.tolist()
    if isinstance(content, dict):
        content = list(content.values())
    if isinstance(content, (list, tuple)):
        for part in content:
            yield from flat(part)
    else:
        yield content


def skeleton(content: Any) -> Any:
    """Types, keys and shapes, without the numbers."""
    if isinstance(content, np.ndarray):
        return content.shape
    if isinstance(content, dict):
        return {key: skeleton(part) for key, part in content.items()}
    if isinstance(content, (list, tuple)):
        return type(content), [skeleton(part) for part in content]
    return "number"


NUMBERS = st.integers(-5, 5) | st.booleans() | st.floats(-5, 5)
SHAPES = st.sampled_from([(0,), (1,), (3,), (2, 2), (1, 3), (2, 0), (2, 1, 2)])
ARRAYS = st.builds(
    lambda shape, kind: (np.arange(np.prod(shape)) % 2).astype(kind).reshape(shape),
    SHAPES,
    st.sampled_from([float, np.float32, int, np.int8, np.uint16, bool]),
)
STRUCTURES = st.recursive(
    NUMBERS | ARRAYS,
    lambda parts: (
        st.lists(parts, max_size=3)
        | st.lists(parts, max_size=3).map(tuple)
        | st.dictionaries(st.text("abc", max_size=2) | st.integers(0, 3), parts, max_size=3)
        | st.builds(Line, parts, parts)
    ),
    max_leaves=8,
)


@given(STRUCTURES)
@settings(max_examples=150, deadline=None, derandomize=True)
def test_apart_and_together_again(content: Any) -> None:
    """The leaves are the numbers from left to right as floats, and fit into the same structure."""
    structure = Structure(content)
    assert structure.leaves == [float(x) for x in flat(content)]
    assert all(type(leaf) is float for leaf in structure.leaves)
    rebuilt = structure.rebuilt(structure.leaves)
    assert skeleton(rebuilt) == skeleton(content)
    assert list(flat(rebuilt)) == structure.leaves


@given(STRUCTURES)
@settings(max_examples=100, deadline=None, derandomize=True)
def test_gradients_have_the_structure_of_the_argument(content: Any) -> None:
    """The gradient of a weighted sum is the weights, each at its place; the argument stays as it was."""
    before = skeleton(content), list(flat(content))

    def weighted(x: Any) -> Value:
        parts = list(flat(x))
        assert all(isinstance(part, Value) for part in parts)
        return ag.dot(parts, [float(i) for i in range(1, len(parts) + 1)], Value(0.0))

    gradient = ag.grad(weighted)(content)
    assert skeleton(gradient) == skeleton(content)
    assert list(flat(gradient)) == list(range(1, len(before[1]) + 1))
    assert (skeleton(content), list(flat(content))) == before


@given(STRUCTURES, STRUCTURES)
@settings(max_examples=50, deadline=None, derandomize=True)
def test_all_transforms_keep_structures(content: Any, other: Any) -> None:
    """value_and_grad, jvp and vjp too, of arguments and of outputs."""
    value, pullback = ag.vjp(lambda x, z: {"x": x, "z": [z]}, content, other)
    assert skeleton(value) == skeleton({"x": content, "z": [other]})
    pulled = pullback(value)
    assert type(pulled) is tuple
    assert skeleton(pulled) == skeleton((content, other))
    assert list(flat(pulled)) == list(flat((content, other)))
    value, tangent = ag.jvp(lambda x, z: (z, x), (content, other), (content, other))
    assert skeleton(tangent) == skeleton(value) == skeleton((other, content))
    assert list(flat(tangent)) == list(flat(value)) == list(flat((other, content)))


@pytest.mark.parametrize("number", [3, True, 2.5, Fraction(1, 4), np.int64(3), np.float32(0.5), np.bool_(True)])
def test_single_numbers_are_their_own_structure(number: Any) -> None:
    """The gradient of one number is a float."""
    structure = Structure(number)
    assert (structure.leaves, structure.shape) == ([float(number)], ())
    assert structure.rebuilt([7.0]) == 7.0
    assert structure.array().shape == ()
    gradient = ag.grad(lambda x: x * x)(number)
    assert (type(gradient), gradient) == (float, 2 * float(number))


@pytest.mark.parametrize(
    ("content", "shape"),
    [
        (2.0, ()),
        ([], (0,)),
        ([1.0, 2.0], (2,)),
        ((1.0, 2.0), (2,)),
        ([[1.0, 2.0, 3.0], (4.0, 5.0, 6.0)], (2, 3)),
        ([np.ones((2, 3))], (1, 2, 3)),
        (np.zeros((0, 3)), (0, 3)),
        (Line(1.0, 2.0), (2,)),
    ],
)
def test_shape_and_array(content: Any, shape: tuple[int, ...]) -> None:
    """Sequences that are no more than an array have one's shape, and its elements in order."""
    structure = Structure(content)
    assert structure.shape == shape
    array = structure.array()
    assert array.shape == shape
    assert array.ravel().tolist() == structure.leaves


def test_ragged_lists_have_no_shape() -> None:
    """[1, [2]] is a structure, but no array."""
    structure = Structure([1.0, [2.0]])
    assert structure.leaves == [1.0, 2.0]
    with pytest.raises(ValueError):  # noqa: PT011  # its text is the subject of another test
        _ = structure.shape


def test_dictionaries_have_no_shape() -> None:
    """A dictionary of two numbers is no array."""
    with pytest.raises(ValueError):  # noqa: PT011
        _ = Structure({"a": 1.0, "b": 2.0}).shape


def test_values_among_the_leaves_stay_themselves() -> None:
    """They are not copied; arrays that hold some are arrays of objects."""
    x = Value(2.0)
    structure = Structure({"x": [x, 1], "row": np.array([x, 3.0], dtype=object)})
    assert structure.leaves == [x, 1.0, x, 3.0]
    rebuilt = structure.rebuilt(structure.leaves)
    assert rebuilt["x"][0] is x
    assert rebuilt["row"].dtype == object
    assert structure.rebuilt([1.0] * 4)["row"].dtype == float


@pytest.mark.parametrize("order", ["C", "F"])
def test_arrays_in_any_memory_order(order: Any) -> None:
    """Transposed and strided arrays give the gradient of each element at its place."""
    array = np.array(np.arange(6.0).reshape(2, 3), order=order)
    for content in (array, array.T, array[:, ::2], array[::-1]):
        gradient = ag.grad(lambda x: (x * x).sum())(content)
        assert gradient.dtype == float
        assert gradient.tolist() == (2 * content).tolist()


@pytest.mark.parametrize("kind", [int, np.int8, np.uint8, bool, np.float32, np.float64])
def test_gradients_of_arrays_are_float64(kind: Any) -> None:
    """Whole numbers, too: a gradient of 0.5 would not fit among them."""
    gradient = ag.grad(lambda x: (x * 0.5).sum())(np.array([[1, 0]], dtype=kind))
    assert gradient.dtype == np.float64
    assert gradient.tolist() == [[0.5, 0.5]]


def test_f_receives_the_kinds_that_were_given() -> None:
    """Lists as lists, named tuples by name, arrays as arrays of objects under @ and sum."""

    def f(p: Any) -> Value:
        assert [type(p), type(p["line"]), type(p["w"]), type(p["rows"])] == [dict, Line, np.ndarray, list]
        assert (p["w"].shape, p["w"].dtype) == ((2, 2), object)
        return (p["w"] @ np.array(p["rows"])).sum() * p["line"].slope + p["line"].intercept

    point = {"line": Line(2.0, 5.0), "w": np.array([[1.0, 2.0], [3.0, 4.0]]), "rows": [10.0, 100.0]}
    gradient = ag.grad(f)(point)
    assert gradient["line"] == Line(640.0, 1.0)
    assert isinstance(gradient["line"], Line)
    assert gradient["w"].tolist() == [[20.0, 200.0], [20.0, 200.0]]
    assert gradient["rows"] == [8.0, 12.0]


@pytest.mark.parametrize("empty", [[], (), {}, np.zeros(0), np.zeros((0, 3)), [[], {}], {"a": ()}])
def test_empty_structures(empty: Any) -> None:
    """Nothing to differentiate by gives an empty gradient."""
    gradient = ag.grad(lambda x, z: z * z)(empty, Value(3.0))
    assert skeleton(gradient) == skeleton(empty)
    assert list(flat(gradient)) == []


def test_empty_jacobians_have_shapes() -> None:
    """No outputs, no inputs, or neither."""
    assert ag.jacobian(lambda v: [])([1.0, 2.0]).shape == (0, 2)
    assert ag.jacobian(lambda v: [Value(1.0)] * 3)([]).shape == (3, 0)
    assert ag.jacobian(lambda v: [])([]).shape == (0, 0)
    assert ag.hessian(lambda v: Value(1.0))([]).shape == (0, 0)


def test_f_may_change_what_it_receives() -> None:
    """Lists, dictionaries and arrays of the caller stay as they are."""

    def f(p: Any) -> Value:
        p["row"].append(p["row"].pop(0) * 2.0)
        p["array"][0] = p["array"][1] * 3.0
        total = p["row"][-1] + p["array"].sum()
        p.clear()
        return total

    point = {"row": [1.0, 2.0], "array": np.array([1.0, 2.0])}
    gradient = ag.grad(f)(point)
    assert gradient["row"] == [2.0, 0.0]
    assert gradient["array"].tolist() == [0.0, 4.0]
    assert point["row"] == [1.0, 2.0]
    assert point["array"].tolist() == [1.0, 2.0]


def test_one_number_in_two_places_is_two_arguments() -> None:
    """The same object twice in a structure has a gradient at each place."""
    row, x = [2.0], Value(2.0)
    assert ag.grad(lambda v: v[0][0] * v[0][0] * v[1][0])([row, row]) == [[8.0], [4.0]]
    assert [g.data for g in ag.grad(lambda v: v[0] * v[0] * v[1])([x, x])] == [8.0, 4.0]


NOT_NUMBERS = [
    ("a", "the str 'a'"),
    (None, "None"),
    ([1.0, None], "None"),
    ({"w": "3"}, r"float\('3'\)"),
    (1j, r"\.real"),
    ({1.0}, "a set"),
    (np.array(["a"]), "the str 'a'"),
    (np.array([1j]), r"\.real"),
    (np.array(2.0), r"\.item\(\)"),  # an array of no dimensions, as Value() refuses it too
    ([np.array(2.0)], r"\.item\(\)"),
    (iter([1.0]), "a list_iterator"),
    (object(), "an object"),
]


@pytest.mark.parametrize(("content", "advice"), NOT_NUMBERS)
def test_what_holds_no_numbers_is_refused_with_advice(content: Any, advice: str) -> None:
    """By Structure and by every transform, before f is called."""

    def never(*_: Any) -> Value:
        raise AssertionError

    calls = {
        "a transform": lambda: Structure(content),
        "grad": lambda: ag.grad(never)(content),
        "value_and_grad": lambda: ag.value_and_grad(never)(content),
        "jacobian": lambda: ag.jacobian(never)(content),
        "hessian": lambda: ag.hessian(never)(content),
        "vjp": lambda: ag.vjp(never, content),
        "jvp": lambda: ag.jvp(never, (content,), (1.0,)),
    }
    for name, call in calls.items():
        with pytest.raises(TypeError, match=f"^{name} takes a real number, not .*{advice}"):
            call()


def test_weights_of_outputs_are_refused_with_advice() -> None:
    """By the transform that takes them."""
    with pytest.raises(TypeError, match="^vjp takes a real number, not the str 'a'"):
        ag.vjp(lambda x: x * x, 1.0)[1]("a")
    with pytest.raises(TypeError, match="^jvp takes a real number, not the str 'a'"):
        ag.jvp(lambda x: x * x, (1.0,), ("a",))


def test_numbers_beyond_floats() -> None:
    """An int that is no double is an overflow, not inf."""
    with pytest.raises(OverflowError, match=r"1\.8e308"):
        ag.grad(lambda x: x[0])([10**400])


@pytest.mark.parametrize("kind", [OrderedDict, lambda **named: defaultdict(float, **named)])
def test_kinds_of_dictionaries_are_kept(kind: Any) -> None:
    """As JAX keeps them: what f may do with the dictionary that was given, it may do with the one that it gets."""
    point = kind(a=2.0, b=3.0)
    seen = []
    gradient = ag.grad(lambda d: seen.append(type(d)) or d["a"] * d["b"])(point)
    assert gradient == {"a": 3.0, "b": 2.0}
    assert seen == [type(point)]
    assert type(gradient) is type(point)


# ----- Structures that must agree -----


def test_equal_dictionaries_in_the_same_order() -> None:
    """Tangents and gradients of outputs, key by key."""
    value, tangent = ag.jvp(
        lambda d: {"p": d["a"] * d["a"], "q": d["b"] * 100}, ({"a": 1.0, "b": 2.0},), ({"a": 1.0, "b": 0.5},)
    )
    assert (value, tangent) == ({"p": 1.0, "q": 200.0}, {"p": 2.0, "q": 50.0})
    _, pullback = ag.vjp(lambda x: {"a": x, "b": 10 * x}, 1.0)
    assert pullback({"a": 1.0, "b": 0.5}) == (6.0,)


def test_tangents_are_matched_by_key() -> None:
    """{"b": 0, "a": 1} is the same tangent as {"a": 1, "b": 0}."""
    _, tangent = ag.jvp(lambda d: d["a"] + d["b"] * 100, ({"a": 1.0, "b": 2.0},), ({"b": 0.0, "a": 1.0},))
    assert tangent == 1.0


def test_gradients_of_outputs_are_matched_by_key() -> None:
    """{"b": 0, "a": 1} asks for the gradient of a."""
    _, pullback = ag.vjp(lambda x: {"a": x, "b": 10 * x}, 1.0)
    assert pullback({"b": 0.0, "a": 1.0}) == (1.0,)


MISMATCHES = [
    ([[2.0, 3.0], 1.0], [1.0, [0.0, 1.0]], r"has 2 parts in a list or tuple; not 1\.0"),
    ([1.0, [2.0, 3.0]], [[0.0, 1.0], 1.0], r"is one number here, not \[0\.0, 1\.0\]"),
    ([{"a": 2.0}], [{"b": 1.0}], r"has the keys a; not \{'b': 1\.0\}"),
    ([np.ones((2, 3))], [np.ones((3, 2))], r"is an array of shape \(2, 3\); not array"),
    ([[1.0, 2.0]], [{"a": 1.0, "b": 2.0}], r"has 2 parts in a list or tuple; not \{'a': 1\.0, 'b': 2\.0\}"),
]


@pytest.mark.parametrize(("primals", "tangents", "told"), MISMATCHES)
def test_tangents_of_another_structure_are_refused(primals: Any, tangents: Any, told: str) -> None:
    """The documentation asks for the same structure."""
    with pytest.raises(ValueError, match=f"^tangents {told}"):
        ag.jvp(lambda *args: ag.sum(flat(args)), primals, tangents)


@pytest.mark.parametrize(("output", "gradient", "told"), MISMATCHES)
def test_gradients_of_another_structure_are_refused(output: Any, gradient: Any, told: str) -> None:
    """What is pulled back has the structure of the output."""
    _, pullback = ag.vjp(lambda x: x, output)
    with pytest.raises(ValueError, match=f"^the gradient of the output {told}"):
        pullback(gradient)


def test_wrong_numbers_of_leaves() -> None:
    """It says how many there are, and shows what was given."""
    with pytest.raises(ValueError, match=r"tangents has 2 parts in a list or tuple; not \[1\.0\]"):
        ag.jvp(lambda x, z: x * z, (2.0, 3.0), (1.0,))
    _, pullback = ag.vjp(lambda x: [x, x], 2.0)
    with pytest.raises(ValueError, match=r"of the output has 2 parts in a list or tuple; not \[1\.0, 2\.0, 3\.0\]"):
        pullback([1.0, 2.0, 3.0])
    with pytest.raises(TypeError, match=r"jvp\(f, \(x,\), \(1\.0,\)\)"):
        ag.jvp(lambda x: x, 2.0, 1.0)  # type: ignore[arg-type]


# ----- Jacobians, which are arrays -----


def test_shapes_of_jacobians_and_hessians() -> None:
    """Outputs × inputs, each with its own shape; numbers have none."""
    matrix = np.arange(1.0, 5.0).reshape(2, 2)
    assert ag.jacobian(lambda x: x**3)(2.0).shape == ()
    assert ag.jacobian(lambda x: [x, x])(2.0).shape == (2,)
    assert ag.jacobian(lambda x: x[0])([2.0, 3.0]).shape == (2,)
    assert ag.hessian(lambda x: x**3)(2.0).shape == ()
    product = ag.jacobian(lambda x: x @ x)(matrix)
    assert product.shape == (2, 2, 2, 2)
    expected = np.einsum("ik,jl->ijkl", np.eye(2), matrix.T) + np.einsum("ik,jl->ijkl", matrix, np.eye(2))
    assert product.tolist() == expected.tolist()
    assert ag.jacobian(lambda x: [[x[0], 1.0, x[1]]])([2.0, 3.0]).tolist() == [[[1, 0], [0, 0], [0, 1]]]
    second = ag.hessian(lambda x: (x * x * x).sum())(matrix)
    assert second.reshape(4, 4).tolist() == np.diag([6.0, 12.0, 18.0, 24.0]).tolist()
    assert (second.dtype, product.dtype) == (float, float)


@pytest.mark.parametrize("transform", [ag.jacobian, ag.hessian])
def test_jacobian_of_a_dictionary_says_what_it_takes(transform: Any) -> None:
    """One sentence that names what was given and what is allowed."""
    with pytest.raises((TypeError, ValueError), match="dict"):
        transform(lambda d: d["a"] * d["b"])({"a": 1.0, "b": 2.0})


def test_jacobian_of_a_ragged_list_says_so() -> None:
    """In the package's words."""
    with pytest.raises((TypeError, ValueError), match="jacobian"):
        ag.jacobian(lambda x: x[0] * x[1][0])([1.0, [2.0]])


@pytest.mark.parametrize("output", [lambda x: {"a": x}, lambda x: [x, [x, x]], lambda x: (x * i for i in range(2))])
def test_jacobian_of_other_outputs_says_what_f_may_return(output: Any) -> None:
    """A number, or a list or array of them."""
    with pytest.raises(TypeError, match="list or (an )?array"):
        ag.jacobian(output)(1.0)
