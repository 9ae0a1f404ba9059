"""Derivatives as functions and as graphs: `grad(f)(3.0)`, `grad(grad(f))`, `hessian(f)`, `derivatives(y, [x, z])`.

A backward pass can itself be recorded: the rules of the table are then applied to Values instead of numbers, and the
adjoint of a node is one `dot` of local derivatives and of its consumers' adjoints. That graph can be drawn, stepped
through and differentiated again, which is how transforms nest.
"""

from __future__ import annotations

import warnings
from contextvars import ContextVar
from typing import TYPE_CHECKING

from .functions import dot
from .graph import nodes, stale, stale_told, walked
from .modes import Change, mode
from .origins import stack_level
from .rules import positive
from .scalars import as_number, with_article
from .steps import adjoints, recorded_pass
from .structures import Structure
from .value import Value, refuse_arising

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import Any

    from .primitives import Operand

#: The innermost transform that is calling its function just now: inside of one, results must be Values, not numbers,
#: since it differentiates them.
_outer: ContextVar[_Call | None] = ContextVar("autograd.transforms", default=None)


ARRAY_LIKE = "takes a number or an array as argument, or lists like one"


class Variable(Value):
    """What a transform calls its function with: a Value that others can tell from the user's own while it does so."""

    __slots__ = ("active",)

    active: bool


Variable.__name__ = "Value"  # this is how it prints


# ----- A backward pass as a graph -----


def derivatives(y: Value, xs: Iterable[Value]) -> list[Value]:
    """The gradient of `y` by each of `xs`, as recorded Values: a graph of its own.

    Args:
        xs: nodes of the graph of `y`. One that `y` does not depend on gives 0.

    Raises:
        ValueError: if data was set since the graph was recorded, under `no_grad()`, and where a derivative is infinite.

    >>> from autograd import Value
    >>> x = Value(3.0, "x")
    >>> (dx,) = derivatives(x**3, [x])
    >>> (ddx,) = derivatives(dx, [x])
    >>> dx.data, ddx.data
    (27.0, 18.0)
    """
    if isinstance(xs, Value):
        raise TypeError("derivatives takes a list of nodes: derivatives(y, [x])")
    wanted = list(xs)
    for role, given in (("y", y), *(("each of xs", x) for x in wanted)):
        if not isinstance(given, Value):
            raise TypeError(f"derivatives takes Values; {role} is {with_article(type(given).__name__)}")
    order = nodes(y)
    if late := stale(order):
        raise ValueError(stale_told(late, y))
    return _recorded(y, wanted, order)


def _recorded(y: Value, wanted: list[Value], order: list[Value]) -> list[Value]:
    _refuse_no_grad("derivatives")
    found = _recorded_adjoints(y, order, wanted)
    return [_as_value(found.get(x, 0.0)) for x in wanted]


def _refuse_no_grad(name: str) -> None:
    if (recording := mode.get()) is not None and recording.no_grad:
        raise ValueError(f"{name} records a graph, which no_grad() prevents: call it outside")


def _recorded_adjoints(root: Value, order: list[Value], wanted: list[Value]) -> dict[Value, Operand]:
    """The adjoints of the nodes between the root and the wanted ones."""
    between = _depending(order, wanted)
    terms: dict[Value, list[tuple[Operand, Operand]]] = {node: [] for node in between}
    found: dict[Value, Operand] = {}
    for node in reversed(order):
        if node not in between:
            continue
        found[node] = 1.0 if node is root else _sum_of_products(terms[node])
        if node.primitive is not None:
            for operand, local in zip(node.operands, recorded_partials(node, between)):
                if local is not None:
                    terms[operand].append((local, found[node]))  # type: ignore[index]
    return found


def _depending(order: list[Value], xs: Iterable[Value]) -> set[Value]:
    """The nodes that depend on one of `xs`, and these."""
    found = set(xs)
    for node in order:
        if any(operand in found for operand in node.operands):
            found.add(node)
    return found


def recorded_partials(node: Value, wanted: set[Value]) -> list[Operand | None]:
    """The local derivatives of `node` by the operands in `wanted`, recorded; None for the others."""
    primitive, operands = node.primitive, node.operands
    assert primitive is not None
    try:
        if primitive.variadic:
            every = primitive.partials[0](*operands, node)
            return [local if x in wanted else None for x, local in zip(operands, every)]
        return [rule(*operands, node) if x in wanted else None for x, rule in zip(operands, primitive.partials)]
    except (ZeroDivisionError, OverflowError) as error:
        raise ValueError(
            f"the derivative of {primitive.name} is infinite here and cannot be recorded: {error}"
        ) from None


def _sum_of_products(terms: list[tuple[Operand, Operand]]) -> Operand:
    """The chain rule as one node; a number where no Value is involved."""
    if not terms:
        return 0.0
    locals_, adjoints_of_consumers = zip(*terms)
    total: Operand = dot(locals_, adjoints_of_consumers)
    return total


def _as_value(x: Operand) -> Value:
    return x if isinstance(x, Value) else Value(x)


# ----- Functions of functions -----


def grad(f: Callable[..., Any], argnums: int | Sequence[int] = 0) -> Callable[..., Any]:
    """The gradient of `f` as a function: it takes what `f` takes.

    `f` is a function of Values, with whatever loops and branches, that returns one number. The argument may be a
    number, or a list, tuple, dictionary or array of numbers, nested as you like; the gradient has its structure.
    Transforms nest: `grad(grad(f))` is the second derivative. (In the manner of JAX and of HIPS autograd.)

    Args:
        argnums: the position of the argument to differentiate by, or several; several give a tuple.

    Raises:
        TypeError: if `f` returns no single number; it says which transform to take instead.

    >>> grad(lambda x: x**3)(3.0), grad(grad(lambda x: x**3))(3.0)
    (27.0, 18.0)
    >>> grad(lambda w: w["a"] * w["b"][0])({"a": 2.0, "b": [5.0]})
    {'a': 5.0, 'b': [2.0]}
    """

    def gradient(*args: Any, **named: Any) -> Any:
        return _value_and_gradient(_Call("grad", f, args, named, argnums))[1]

    return _named(gradient, "grad", f)


def value_and_grad(f: Callable[..., Any], argnums: int | Sequence[int] = 0) -> Callable[..., Any]:
    """The value of `f` and its gradient, as `grad` gives it, from one evaluation.

    >>> value_and_grad(lambda x, z: x * z, argnums=(0, 1))(2.0, 3.0)
    (6.0, (3.0, 2.0))
    """

    def both(*args: Any, **named: Any) -> tuple[Any, Any]:
        return _value_and_gradient(_Call("value_and_grad", f, args, named, argnums))

    return _named(both, "value_and_grad", f)


def _value_and_gradient(call: _Call) -> tuple[Any, Any]:
    y = call.one_output()
    gradients = call.gradients([y], recorded=call.nested)[0]
    return _plain(y, recorded=call.nested), call.rebuilt(gradients)


def jacobian(f: Callable[..., Any], argnums: int = 0) -> Callable[..., Any]:
    """All derivatives of all outputs by all inputs, as a NumPy array: of shape outputs × inputs.

    `f` returns a Value, or a list or array of them; the argument is a number or an array (or nested list) of numbers.

    >>> jacobian(lambda v: [v[0] * v[1], v[0] + v[1]])([2.0, 3.0]).tolist()
    [[3.0, 2.0], [1.0, 1.0]]
    """

    return _named(_matrix(f, argnums, "jacobian"), "jacobian", f)


def _matrix(f: Callable[..., Any], argnums: int, name: str) -> Callable[..., Any]:
    def matrix(*args: Any, **named: Any) -> Any:
        import numpy

        if hasattr(argnums, "__len__"):
            raise TypeError(f"{name} takes the position of one argument as argnums, not {argnums!r}")
        call = _Call(name, f, args, named, argnums)
        columns = _shape(call.argument, f"{name} {ARRAY_LIKE}")
        outputs, results = call.several_outputs()
        rows = call.gradients(results, recorded=call.nested)
        shape = (*_shape(outputs, "f may return a number, or a list or array of them"), *columns)
        return numpy.array(rows, dtype=object if call.nested else float).reshape(shape)

    return matrix


def hessian(f: Callable[..., Any], argnums: int = 0) -> Callable[..., Any]:
    """All second derivatives of `f`, which returns one number, as a NumPy array of shape inputs × inputs.

    >>> hessian(lambda v: v[0] ** 2 * v[1])([2.0, 3.0]).tolist()
    [[6.0, 4.0], [4.0, 0.0]]

    Newton's method goes to where the gradient would be 0 if the function were the parabola that it looks like:

    >>> import numpy
    >>> def rosenbrock(v):
    ...     return (1 - v[0]) ** 2 + 100 * (v[1] - v[0] ** 2) ** 2
    >>> v = numpy.array([-1.2, 1.0])
    >>> for step in range(7):
    ...     print(f"{rosenbrock(v):.3g}")
    ...     v = v - numpy.linalg.solve(hessian(rosenbrock)(v), grad(rosenbrock)(v))
    24.2
    4.73
    1.41e+03
    0.056
    0.313
    1.85e-11
    3.43e-20
    """

    def gradient(*args: Any, **named: Any) -> Any:
        found = Structure(grad(f, argnums)(*args, **named))
        _shape(found, f"hessian {ARRAY_LIKE}")
        return found.array()

    return _named(_matrix(gradient, argnums, "hessian"), "hessian", f)


def jvp(f: Callable[..., Any], primals: Sequence[Any], tangents: Sequence[Any]) -> tuple[Any, Any]:
    """The value of `f` and how much it moves if its arguments move along `tangents`: forward mode, in one pass.

    The same local derivatives as in reverse mode, handed from operands to results (Griewank and Walther, Evaluating
    Derivatives, 3.1).

    Args:
        primals: the arguments, a list or tuple.
        tangents: of the same structure.

    >>> jvp(lambda x, z: x * z, (2.0, 3.0), (1.0, 0.0))
    (6.0, 3.0)
    """
    refuse_no_function(f, "jvp", "jvp(f, (3.0,), (1.0,))")
    if not (isinstance(primals, (list, tuple)) and isinstance(tangents, (list, tuple))):
        raise TypeError(
            "jvp takes lists of primals and of tangents, one of each for every argument: jvp(f, (x,), (1.0,))"
        )
    call = _Call("jvp", f, tuple(primals), {}, range(len(primals)))
    along = Structure(list(primals), "jvp").leaves_of(list(tangents), "tangents")
    recorded = call.nested or any(isinstance(x, Value) for x in along)
    if recorded:
        _refuse_no_grad("jvp of Values")
    outputs, results = call.several_outputs()
    moved = call.tangents(results, along, recorded=recorded)
    return outputs.rebuilt([_plain(y, recorded=recorded) for y in outputs.leaves]), outputs.rebuilt(moved)


def vjp(f: Callable[..., Any], *primals: Any) -> tuple[Any, Callable[..., tuple[Any, ...]]]:
    """The value of `f`, and a function that pulls a gradient of its output back to gradients of its arguments.

    >>> value, pullback = vjp(lambda x, z: [x * z, x + z], 2.0, 3.0)
    >>> value, pullback([1.0, 10.0])
    ([6.0, 5.0], (13.0, 12.0))
    """
    refuse_no_function(f, "vjp", "vjp(f, 3.0)")
    call = _Call("vjp", f, primals, {}, range(len(primals)))
    outputs, results = call.several_outputs()

    def pullback(gradient: Any) -> tuple[Any, ...]:
        weights = outputs.leaves_of(gradient, "the gradient of the output")
        recorded = call.nested or _outer.get() is not None or any(isinstance(x, Value) for x in weights)
        with Change(no_grad=False):  # what is pulled back is a graph
            total = dot(weights, results)
        pulled = call.rebuilt(call.gradients([_as_value(total)], recorded=recorded)[0])
        return pulled if isinstance(pulled, tuple) else (pulled,)

    return outputs.rebuilt([_plain(y, recorded=call.nested) for y in outputs.leaves]), pullback


class _Call:
    """A function called on Values of our own: fresh leaves, or identity nodes of an outer transform's Values."""

    def __init__(
        self,
        transform: str,
        f: Callable[..., Any],
        args: tuple[Any, ...],
        named: dict[str, Any],
        argnums: int | Sequence[int],
    ) -> None:
        self._single = not isinstance(argnums, (list, tuple, range))
        places: list[Any] = [argnums] if self._single else list(argnums)  # type: ignore[arg-type]
        for place in places:
            if isinstance(place, bool) or not hasattr(place, "__index__") or not -len(args) <= place < len(args):
                raise ValueError(f"argnums is the position of one of the {len(args)} arguments, not {place!r}")
        if len({place % len(args) for place in places}) < len(places):
            raise ValueError(f"argnums names an argument twice: {argnums!r}")
        self._structures = [Structure(args[place], transform) for place in places]
        leaves = [leaf for structure in self._structures for leaf in structure.leaves]
        #: The Values to differentiate by.
        self.inputs: list[Value] = [positive(x) if isinstance(x, Value) else Variable(x) for x in leaves]
        self._contains_another = False
        outer = _outer.get()
        if outer:
            outer._contains_another = True
        given = list(args)
        for place, argument in zip(places, self._split(self.inputs)):
            given[place] = argument
        variables = [x for x in self.inputs if type(x) is Variable]
        for x in variables:
            x.active = True
        try:
            _outer.set(self)
            with Change(no_grad=False):
                self.output = f(*given, **named)
        finally:
            _outer.set(outer)
            for x in variables:
                x.active = False
        if getattr(self.output, "shape", None) == ():
            self.output = self.output.item()  # an array of no dimensions is one number
        try:
            self._outputs: Structure | None = Structure(self.output, transform)
        except (TypeError, OverflowError):
            self._outputs = None  # whoever wants them says what they should be
        results = [y for y in self._outputs.leaves if isinstance(y, Value)] if self._outputs else []
        self._order = self._between(results)
        #: A thread that f starts does not know that it is inside of f, but what it computes does.
        self._reads_outer = any(getattr(node, "active", False) for node in self._order)
        #: Whether results are Values.
        self.nested = outer is not None or self._reads_outer or any(isinstance(leaf, Value) for leaf in leaves)
        self._warn_if_lost(results)

    def _between(self, results: list[Value]) -> list[Value]:
        """The graph of the results, in order, as far as to the inputs; what these were computed from is left out."""
        return [*self.inputs, *walked(results, set(self.inputs))]

    def _warn_if_lost(self, results: list[Value]) -> None:
        """Where all derivatives are 0 since no result comes from the arguments. Results of transforms may be so."""
        if not self.inputs or self._outputs is None or not self._outputs.leaves:
            return
        if not results:
            told = "f returned a plain number, whose gradient is 0: was the graph lost by .data, float() or math?"
        elif not (self._reads_outer or self._contains_another or _depending(self._order, self.inputs) & {*results}):
            told = "f does not depend on its argument, so the gradient is 0: was the graph lost by .data or detach()?"
        else:
            return
        warnings.warn(told, stacklevel=stack_level())

    @property
    def argument(self) -> Structure:
        """The argument, of a call that has one to differentiate by."""
        return self._structures[0]

    def one_output(self) -> Value:
        """The output as a Value, if it is one number."""
        if isinstance(self.output, Value):
            return self.output
        if hasattr(self.output, "__len__") and not isinstance(self.output, (str, bytes)):
            returned = with_article(type(self.output).__name__)
            raise TypeError(
                f"a gradient is that of one number; f returned {returned}: take jacobian, or sum what it returns"
            )
        return Value(as_number(self.output, "the output of f"))

    def several_outputs(self) -> tuple[Structure, list[Value]]:
        """The outputs, and each as a Value."""
        if self._outputs is None:
            if not hasattr(self.output, "__iter__"):
                as_number(self.output, "the output of f")
            returned = with_article(type(self.output).__name__)
            raise TypeError(f"f may return a number, or a list or array of them; it returned {returned}")
        return self._outputs, [_as_value(y) for y in self._outputs.leaves]

    def gradients(self, outputs: list[Value], *, recorded: bool) -> list[list[Any]]:
        """A row of gradients by the inputs for each output."""
        if recorded:
            return [self._recorded_gradient(y) for y in outputs]
        rows = []
        for y in outputs:
            found = _watched_adjoints(y) if _watching() else adjoints(y)
            rows.append([found.get(x, 0.0) for x in self.inputs])
        return rows

    def _recorded_gradient(self, y: Value) -> list[Any]:
        order = self._between([y])
        computed = _depending(order, self.inputs) - {*self.inputs}
        if late := stale([node for node in order if node in computed]):
            raise ValueError(stale_told(late, y))
        return list(_recorded(y, self.inputs, order))

    def tangents(self, outputs: list[Value], along: list[Any], *, recorded: bool) -> list[Any]:
        """How much the outputs move if the inputs move along: the chain rule, from operands to results."""
        moved: dict[Any, Operand] = dict(zip(self.inputs, along))
        between = _depending(self._order, self.inputs)
        for node in self._order:
            if node in between and node not in moved:
                locals_ = recorded_partials(node, between) if recorded else node.local_derivatives
                terms = [(local, moved[x]) for x, local in zip(node.operands, locals_) if x in between]
                moved[node] = _sum_of_products(terms)  # type: ignore[arg-type]
        found = [moved.get(y, 0.0) for y in outputs]
        return [_as_value(tangent) for tangent in found] if recorded else found

    def rebuilt(self, gradients: list[Any]) -> Any:
        """Gradients in the structure of the arguments."""
        parts = tuple(self._split(gradients))
        return parts[0] if self._single else parts

    def _split(self, flat: list[Any]) -> list[Any]:
        parts, start = [], 0
        for structure in self._structures:
            parts.append(structure.rebuilt(flat[start : start + len(structure.leaves)]))
            start += len(structure.leaves)
        return parts


def _watching() -> bool:
    return (recording := mode.get()) is not None and recording.anomaly


def _watched_adjoints(y: Value) -> dict[Value, float]:
    """The adjoints, unless a nan or an infinity arises on the way."""
    contributions, found = recorded_pass(nodes(y))
    for step in contributions:
        refuse_arising(step.consumer, step.upstream, step.operand, step.before, step.after)
    return found


def _shape(structure: Structure, told: str) -> tuple[int, ...]:
    try:
        return structure.shape
    except ValueError as error:
        raise TypeError(f"{told}: {error}") from None


def _plain(y: Any, *, recorded: bool) -> Any:
    """The value of an output: a number, unless an outer transform wants the Value."""
    return y if recorded or not isinstance(y, Value) else y.data


def refuse_no_function(f: Any, transform: str, example: str) -> None:
    """TypeError with an example, if `f` cannot be called."""
    if not callable(f):
        raise TypeError(f"{transform} takes a function, as in {example}; not {with_article(type(f).__name__)}")


def _named(function: Callable[..., Any], transform: str, f: Callable[..., Any]) -> Callable[..., Any]:
    refuse_no_function(f, transform, f"{transform}(f)(3.0)")
    function.__name__ = function.__qualname__ = f"{transform}({getattr(f, '__name__', type(f).__name__)})"
    function.__doc__ = f"What {transform} makes of {getattr(f, '__name__', 'a function')}."
    return function
