"""Reverse-mode differentiation: a `Value` is a number that remembers how it was made.

    a, b = Value(2.0, "a"), Value(3.0, "b")
    c = a * b
    d = c + a
    e = c * d
    e.backward()
    a.grad, b.grad      # (48.0, 28.0)

Every operation makes a new node that keeps its operands and, for each of them, the local derivative: how much the
result moves per unit of that operand. The graph of nodes is all that `backward` needs. It visits the results before
their operands, and says one line again and again: the adjoint of a node is the sum, over its consumers, of the
consumer's adjoint times the local derivative on the edge between them. That line is in `sweep`.
"""

from __future__ import annotations

from collections import deque
from math import isfinite
from numbers import Number, Real
from typing import TYPE_CHECKING

from . import rules
from .branches import Comparison, refuse_branch
from .conversions import NumberRefusals, NumPyInterplay
from .copies import Copies
from .graph import label_of, nodes, opened
from .modes import COMPILING, NO_GRAD, mode
from .origins import calling_line
from .scalars import arises, as_number, with_article

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import Any, NoReturn

    from .origins import Line
    from .primitives import Operand, Primitive

_new = object.__new__  # makes a node without going through __init__, which is for leaves
_mode = mode.get
_add, _multiply = rules.add, rules.multiply
_FLOAT = {float}


def sweep(order: Sequence[Value]) -> None:
    """The chain rule: each node, results before operands, adds its adjoint times each local derivative to its operands.

    `order` is topological, so that an adjoint is complete before it is handed on. The adjoints are the nodes' `_grad`,
    which start as numbers: kept in the nodes, they need no look-up for each edge.
    """
    for node in reversed(order):
        adjoint: Any = node._grad
        left, right = node._left_partial, node._right_partial
        if left is not None:
            node._left._grad += adjoint * left
            if right is not None:
                node._right._grad += adjoint * right
        elif type(right) is tuple:
            for operand, partial in zip(node._right, right):
                operand._grad += adjoint * partial
        else:  # the left operand is a constant
            node._right._grad += adjoint * right


def _method(primitive: Primitive) -> Callable[..., Value]:
    """A primitive as a method of its first operand."""

    def unary(self: Value) -> Value:
        return self._record(primitive, (self,))

    def method(self: Value, *operands: Operand, **named: Operand) -> Value:
        return primitive(self, *operands, **named)

    chosen: Callable[..., Value] = unary if primitive.unary else method
    chosen.__name__, chosen.__qualname__ = primitive.name, f"Value.{primitive.name}"
    chosen.__wrapped__ = primitive  # type: ignore[attr-defined]  # where help() finds the names and defaults
    chosen.__doc__ = (primitive.__doc__ or "").partition(">>>")[0].rstrip()  # its example is the function's
    return chosen


class Value(NumPyInterplay, NumberRefusals, Copies):
    """A number in a computation graph: a leaf that you make, or the result of an operation on other Values.

    Args:
        data: any real number; it becomes a float.
        label: the name it has in tables and drawings.

    Raises:
        TypeError: for strings, complex numbers, arrays; it says what to write instead.

    >>> x, z = Value(2.0, label="x"), Value(3.0, label="z")
    >>> y = x * z + x
    >>> y.backward()
    >>> y.data, x.grad, z.grad
    (8.0, 4.0, 2.0)
    """

    # Where a node keeps its operands, and how much it moves per unit of each of them:
    #
    #                    _left    _left_partial    _right        _right_partial
    #   a leaf           None     None             None          None
    #   exp(x)           x        d/dx             None          None
    #   x * y            x        d/dx             y             d/dy
    #   x * 2.0          x        d/dx             2.0           None                a constant has no derivative
    #   three or more    all      None             the Values    their derivatives   tuples
    #
    # Slots for two instead of a tuple: the garbage collector goes over all nodes again and again, in half the time.
    __slots__ = ("_data", "_grad", "_left", "_left_partial", "_primitive", "_right", "_right_partial", "label")

    _data: float
    _grad: float | None  # None: not computed
    _primitive: Primitive | None  # None: a leaf
    _left: Any
    _right: Any
    _left_partial: Any
    _right_partial: Any
    label: str

    #: Where the operation was written; known of the nodes that `record_lines` makes.
    _line: Line | None = None

    def __init__(self, data: float, label: str = "") -> None:
        self._data = data if type(data) is float else as_number(data, "Value()")
        if label.__class__ is not str:  # type(label) would take measurable time
            _refuse_operands(label)
        self.label = label
        self._grad = self._primitive = self._left = self._right = self._left_partial = self._right_partial = None

    # ----- What a node knows -----

    @property
    def data(self) -> float:
        """The number. Setting it leaves the graph as recorded: gradients stay those of the recorded forward pass,
        and results keep their numbers until `forward()` recomputes them."""
        return self._data

    @data.setter
    def data(self, data: float) -> None:
        self._data = data if type(data) is float else as_number(data, "data")

    @property
    def grad(self) -> float:
        """The gradient: of a leaf, the sum of all passes since `zero_grad()`; of a result, that of the last pass.

        It reads 0.0 before any pass; `has_grad` tells that from a gradient that is 0. Setting it to None forgets it.
        """
        return 0.0 if self._grad is None else self._grad

    @grad.setter
    def grad(self, grad: float | None) -> None:
        self._grad = None if grad is None else as_number(grad, "grad")

    @property
    def has_grad(self) -> bool:
        """Whether a backward pass (or an assignment) has given it a gradient."""
        return self._grad is not None

    @property
    def primitive(self) -> Primitive | None:
        """The operation that made it; None for a leaf."""
        return self._primitive

    @property
    def operands(self) -> tuple[Operand, ...]:
        """What the operation was applied to, in order: Values, and floats for constants; empty for a leaf.

        >>> x = Value(3.0)
        >>> (x - 1).operands == (x, 1.0)
        True
        """
        if self._primitive is None:
            return ()
        if type(self._right_partial) is tuple:
            operands: tuple[Operand, ...] = self._left
            return operands
        return (self._left,) if self._primitive.unary else (self._left, self._right)

    @property
    def local_derivatives(self) -> tuple[float | None, ...]:
        """How much it moves per unit of each operand, as recorded; None for a constant.

        >>> x, y = Value(3.0), Value(5.0)
        >>> (x * y).local_derivatives, (x * 2).local_derivatives
        ((5.0, 3.0), (2.0, None))
        """
        if type(self._right_partial) is tuple:
            derivatives = iter(self._right_partial)
            return tuple(None if type(operand) is float else next(derivatives) for operand in self._left)
        return (self._left_partial, self._right_partial)[: len(self.operands)]

    def item(self) -> float:
        """The number, as `.data`; PyTorch's name for it."""
        return self._data

    def detach(self) -> Value:
        """A new leaf with the same number: what is computed from it passes no gradient to this node."""
        return Value(self._data, self.label)

    # ----- Forward: recording -----

    def _record(self, primitive: Primitive, operands: Sequence[Any]) -> Value:
        """The node of `primitive` applied to `operands`, at least one of which is a Value."""
        recording = _mode()
        if recording is None or recording is COMPILING:
            # The quick ways, a third of the time of the general one: whatever is out of the ordinary (an error, an
            # infinite derivative, an operand that is neither Value nor float) is left to that.
            try:
                if primitive.unary:
                    data = primitive.function(self._data)
                    partial = primitive.partials[0](self._data, data)
                    if type(data) is type(partial) is float:
                        return recorded(data, primitive, self, None, partial, None)
                elif primitive.binary:
                    node = _binary(primitive, *operands)
                    if node is not None:
                        return node
            except (ValueError, ArithmeticError):
                pass
        elif recording is NO_GRAD and (leaf := _without_graph(primitive, operands)) is not None:
            return leaf
        operands, numbers, constants = _with_numbers(operands, primitive)
        if recording is not None and recording.no_grad:
            node = Value(primitive.value(numbers, operands))
        else:
            data, partials = primitive.evaluate(operands, numbers, constants=constants)
            if recording is not None and recording.mutation is not None:
                partials = recording.mutation.broken(primitive, numbers, data, partials)
            node = recorded(data, primitive, *_in_slots(primitive, operands, partials, constants=constants))
        if recording is not None and recording.anomaly:
            _refuse_anomaly(node._data, primitive, numbers, operands)
        return _located(node) if recording is not None and recording.lines and node._primitive else node

    def forward(self) -> float:
        """Recompute every node that this one depends on, in place, after `.data` of leaves was set.

        Returns the new number. Gradients of results are cleared; those of leaves stay. An error (a logarithm of a
        negative number, say) changes nothing.

        >>> x = Value(3.0)
        >>> y = x * x
        >>> x.data = 4.0
        >>> y.forward()
        16.0
        """
        recording = _mode()
        fresh: dict[Value, float] = {}
        outcomes = []
        for node in nodes(self):
            if node._primitive is not None:
                operands: Sequence[Any] = node.operands
                numbers = [x if type(x) is float else fresh.get(x, x._data) for x in operands]
                fresh[node], partials = node._primitive.evaluate(operands, numbers)
                if recording is not None and recording.mutation is not None:
                    partials = recording.mutation.broken(node._primitive, numbers, fresh[node], partials)
                if recording is not None and recording.anomaly:
                    _refuse_anomaly(fresh[node], node._primitive, numbers, operands)
                outcomes.append((node, _in_slots(node._primitive, operands, partials)))
        try:
            _commit(outcomes, fresh)
        except BaseException:  # Ctrl-C in between: numbers of two passes would stand side by side
            _commit(outcomes, fresh)
            raise
        return self._data

    # ----- Backward: the chain rule -----

    def backward(self, gradient: float = 1.0) -> None:
        """Give every node that this one depends on its gradient: how much this one moves per unit of that node.

        Gradients of leaves add up over passes, as in PyTorch, until `zero_grad()`; those of results are of this pass
        alone. An interrupt leaves the leaves as they were, and the results without a gradient.

        Args:
            gradient: the gradient that this node itself starts with.

        >>> x = Value(3.0)
        >>> y = x * x
        >>> y.backward(); x.grad
        6.0
        >>> y.backward(); x.grad
        12.0
        """
        seed = as_number(gradient, "backward()")
        recording = _mode()
        if recording is not None and recording.mutation is not None and recording.mutation.in_pass:
            recording.mutation.backward(self, seed)
            return
        leaves: list[Value] = []
        totals: list[float | None] = []  # what the leaves will hold: for the time being, what they held before
        settle = map(_set_grad, leaves, totals)
        try:
            order = opened(self, leaves, totals)  # sort, and start every adjoint at 0
            self._grad = seed
            (_watchful_sweep if recording is not None and recording.anomaly else sweep)(order)
            sums = [leaf._grad for leaf in leaves]
            totals[:] = [new if old is None else old + new for old, new in zip(totals, sums)]  # type: ignore[operator]
        except BaseException:
            for node in nodes(self):
                if node._primitive is not None:
                    node._grad = None
            raise
        finally:
            _exhaust(settle)

    @property
    def _backward(self) -> Callable[[], None]:
        """Hands this node's gradient on to its operands: one step of a backward pass, to be called by hand."""
        return self._hand_on

    @_backward.setter
    def _backward(self, closure: object) -> NoReturn:
        raise AttributeError(
            "_backward comes of the local derivatives that were recorded, and cannot be set: "
            'define the operation by autograd.primitive("cube", lambda x: x**3, lambda x, out: 3 * x**2)'
        )

    def _hand_on(self) -> None:
        if self._grad is not None and self._primitive is not None:
            for operand in self._prev:
                operand._grad = operand.grad
            sweep((self,))

    def zero_grad(self) -> None:
        """Forget the gradients of all nodes that this one depends on: `has_grad` is False again."""
        for node in nodes(self):
            node._grad = None

    # ----- Operators. `+ - * /` with a Value or a float are written out, three times as fast as going through the
    # ----- table; tests prove that both agree. Under no_grad + and * are, too, or they would take longer than
    # ----- where they are recorded. All else is left to the table.

    def __add__(self, other: Any) -> Value:
        if (recording := _mode()) is None or recording is COMPILING:
            if type(other) is Value or isinstance(other, Value):
                node = _new(Value)  # `recorded` written out, here and in __mul__: 5 % off the time of a pass
                node._data = self._data + other._data
                node._grad = None
                node.label = ""
                node._primitive = _add
                node._left, node._right = self, other
                node._left_partial = node._right_partial = 1.0
                return node
            if type(other) is float:
                return recorded(self._data + other, _add, self, other, 1.0, None)
        elif recording is NO_GRAD:
            if isinstance(other, Value):
                return _leaf(self._data + other._data)
            if type(other) is float:
                return _leaf(self._data + other)
        return _operation(_add, self, other)

    def __sub__(self, other: Any) -> Value:
        if _mode() is None:
            if isinstance(other, Value):
                return recorded(self._data - other._data, rules.subtract, self, other, 1.0, -1.0)
            if type(other) is float:
                return recorded(self._data - other, rules.subtract, self, other, 1.0, None)
        return _operation(rules.subtract, self, other)

    def __mul__(self, other: Any) -> Value:
        if (recording := _mode()) is None or recording is COMPILING:
            if type(other) is Value or isinstance(other, Value):
                node = _new(Value)
                node._right_partial = x = self._data
                node._left_partial = y = other._data
                node._data = x * y
                node._grad = None
                node.label = ""
                node._primitive = _multiply
                node._left, node._right = self, other
                return node
            if type(other) is float:
                return recorded(self._data * other, _multiply, self, other, other, None)
        elif recording is NO_GRAD:
            if isinstance(other, Value):
                return _leaf(self._data * other._data)
            if type(other) is float:
                return _leaf(self._data * other)
        return _operation(_multiply, self, other)

    def __truediv__(self, other: Any) -> Value:
        if _mode() is None:
            x = self._data
            if isinstance(other, Value):
                if y := other._data:  # a zero is left to the table, which raises the error that names it
                    out = x / y
                    return recorded(out, rules.divide, self, other, 1 / y, -out / y)
            elif type(other) is float and other:
                return recorded(x / other, rules.divide, self, other, 1 / other, None)
        return _operation(rules.divide, self, other)

    def __pow__(self, other: Any) -> Value:
        return _operation(rules.power, self, other)

    def __radd__(self, other: Any) -> Value:
        if type(other) is float and _mode() is None:
            return recorded(other + self._data, _add, other, self, None, 1.0)
        return _operation(_add, other, self)

    def __rsub__(self, other: Any) -> Value:
        if type(other) is float and _mode() is None:
            return recorded(other - self._data, rules.subtract, other, self, None, -1.0)
        return _operation(rules.subtract, other, self)

    def __rmul__(self, other: Any) -> Value:
        if type(other) is float and _mode() is None:
            return recorded(other * self._data, _multiply, other, self, None, other)
        return _operation(_multiply, other, self)

    def __rtruediv__(self, other: Any) -> Value:
        if type(other) is float and (x := self._data) and _mode() is None:
            out = other / x
            return recorded(out, rules.divide, other, self, None, -out / x)
        return _operation(rules.divide, other, self)

    def __rpow__(self, other: Any) -> Value:
        return _operation(rules.power, other, self)

    # `x -= 0.1 * x.grad` and `x *= 0.9` would give the name x to a new node and leave the leaf as it is.

    def __iadd__(self, other: Any) -> Value:
        self._refuse_to_rebind(other, "+=")
        return self.__add__(other)

    def __isub__(self, other: Any) -> Value:
        self._refuse_to_rebind(other, "-=")
        return self.__sub__(other)

    def __imul__(self, other: Any) -> Value:
        self._refuse_to_rebind(other, "*=")
        return self.__mul__(other)

    def __itruediv__(self, other: Any) -> Value:
        self._refuse_to_rebind(other, "/=")
        return self.__truediv__(other)

    def _refuse_to_rebind(self, other: Any, operator: str) -> None:
        if self._primitive is None and self._grad is not None and isinstance(other, Real):
            raise TypeError(
                f"this would make a new node and leave the leaf as it is: to update it, write .data {operator} ...; "
                f"for a new node, write total = total {operator[0]} ..."
            )

    def __neg__(self) -> Value:
        return self._record(rules.negative, (self,))

    def __pos__(self) -> Value:
        return self

    def __abs__(self) -> Value:
        return self._record(rules.absolute, (self,))

    # ----- Comparisons compare numbers; == and hash are identity, so that Values can be members of sets -----

    def __lt__(self, other: Any) -> bool:
        if (number := _comparable(other)) is None:
            return NotImplemented
        return self._data < number if _mode() is None else _compared(self, "<", other, self._data < number)

    def __le__(self, other: Any) -> bool:
        if (number := _comparable(other)) is None:
            return NotImplemented
        return self._data <= number if _mode() is None else _compared(self, "<=", other, self._data <= number)

    def __gt__(self, other: Any) -> bool:
        if (number := _comparable(other)) is None:
            return NotImplemented
        return self._data > number if _mode() is None else _compared(self, ">", other, self._data > number)

    def __ge__(self, other: Any) -> bool:
        if (number := _comparable(other)) is None:
            return NotImplemented
        return self._data >= number if _mode() is None else _compared(self, ">=", other, self._data >= number)

    def __bool__(self) -> bool:
        if (recording := _mode()) is not None and recording.compiling:
            refuse_branch("a Value as a condition")
        return self._data != 0

    # ----- The functions of one operand, as methods -----

    exp, expm1, log, log1p, sqrt = map(_method, (rules.exp, rules.expm1, rules.log, rules.log1p, rules.sqrt))
    sin, cos, tan = map(_method, (rules.sin, rules.cos, rules.tan))
    arcsin, arccos, arctan = map(_method, (rules.arcsin, rules.arccos, rules.arctan))
    sinh, cosh, tanh = map(_method, (rules.sinh, rules.cosh, rules.tanh))
    absolute, sign, step = map(_method, (rules.absolute, rules.sign, rules.step))
    sigmoid, softplus, silu = map(_method, (rules.sigmoid, rules.softplus, rules.silu))
    relu, leaky_relu, elu = map(_method, (rules.relu, rules.leaky_relu, rules.elu))

    def clip(self, low: Operand, high: Operand, out: None = None) -> Value:
        """`autograd.clip(self, low, high)`. NumPy's `np.clip` passes `out=None`."""
        return rules.clip(self, low, high)

    # ----- The names that code written for micrograd uses -----

    @property
    def _prev(self) -> tuple[Value, ...]:
        """The operands that are Values, in order."""
        return tuple(operand for operand in self.operands if isinstance(operand, Value))

    @property
    def _op(self) -> str:
        """The symbol of the operation; empty for a leaf."""
        return "" if self._primitive is None else self._primitive.symbol

    # ----- Showing -----

    def __repr__(self) -> str:
        grad = "not computed" if self._grad is None else repr(self._grad)
        label = f", label={label_of(self)!r}" if label_of(self) else ""
        kind = "leaf" if self._primitive is None else f"op={self._op!r}"
        name = type(self).__name__ if self._primitive is None else "Value"
        return f"{name}(data={self._data!r}, grad={grad}{label}, {kind})"

    def __format__(self, specification: str) -> str:
        return format(self._data, specification) if specification else repr(self)


def _refuse_operands(label: object) -> None:
    """micrograd's constructor takes operands in this place: they would be a strange name, and the graph lost."""
    if isinstance(label, (tuple, list, set)) and any(isinstance(x, Value) for x in label):
        raise TypeError(
            f"label is a name, not {with_article(type(label).__name__)} of Values: Value(data, label) makes a leaf; "
            "operands come of operators and functions, and autograd.primitive(...) defines a new operation"
        )


def recorded(
    data: float, primitive: Primitive, left: Any, right: Any, left_partial: Any, right_partial: Any
) -> Value:
    """The node of an operation whose outcome is known."""
    node = _new(Value)
    node._data = data
    node._grad = None
    node.label = ""
    node._primitive = primitive
    node._left = left
    node._right = right
    node._left_partial = left_partial
    node._right_partial = right_partial
    return node


def _leaf(data: float) -> Value:
    """A leaf, without the questions of `__init__`."""
    node = _new(Value)
    node._data = data
    node.label = ""
    node._grad = node._primitive = node._left = node._right = node._left_partial = node._right_partial = None
    return node


class LocatedValue(Value):
    """A node that knows the line where it was written. All others are spared the room for that."""

    __slots__ = ("_line",)

    _line: Line


def _commit(outcomes: list[tuple[Value, tuple[Any, Any, Any, Any]]], fresh: dict[Value, float]) -> None:
    for node, slots in outcomes:
        node._data, node._grad = fresh[node], None
        node._left, node._right, node._left_partial, node._right_partial = slots


def _located(node: Value) -> Value:
    """The same node, with the line that is being run."""
    located = _new(LocatedValue)
    for slot in Value.__slots__:
        setattr(located, slot, getattr(node, slot))
    located._line = calling_line()
    return located


def _refuse_anomaly(out: float, primitive: Primitive, numbers: Sequence[float], operands: Sequence[Any]) -> None:
    if arises(out, numbers):
        raise FloatingPointError(f"{primitive.applied(numbers, operands)} gives {out}")


def _watchful_sweep(order: Sequence[Value]) -> None:
    """`sweep` one node at a time, with a look at what each hands on."""
    for node in reversed(order):
        operands = node._prev
        before = [operand.grad for operand in operands]
        sweep((node,))
        for operand, held in zip(operands, before):
            refuse_arising(node, node.grad, operand, held, operand.grad)


def refuse_arising(node: Value, adjoint: float, operand: Value, before: float, after: float) -> None:
    """Raise if a backward step makes a nan or an infinity of finite numbers: `before` becomes `after`."""
    if not isfinite(after) and arises(after, (adjoint, before, *(x.data for x in node._prev))):
        handed = f"{_called(node)}, whose gradient is {adjoint}, makes the gradient of {_called(operand)} {after}"
        raise FloatingPointError(f"backward: {handed}; diagnose(root) shows the way there")


def _called(node: Value) -> str:
    """A node in an error message: its label, or what it is."""
    return label_of(node) or f"{node._primitive.name if node._primitive else 'a leaf'} (value {node._data})"


def _binary(primitive: Primitive, left: Any, right: Any) -> Value | None:
    """The node of two operands that are Values or floats; None if they or what the rules give are anything else."""
    x = left._data if isinstance(left, Value) else left
    y = right._data if isinstance(right, Value) else right
    if not (type(x) is type(y) is float):
        return None
    data = primitive.function(x, y)
    left_rule, right_rule = primitive.partials
    left_partial = None if left is x else left_rule(x, y, data)
    right_partial = None if right is y else right_rule(x, y, data)
    sound = (left is x or type(left_partial) is float) and (right is y or type(right_partial) is float)
    return (
        recorded(data, primitive, left, right, left_partial, right_partial) if sound and type(data) is float else None
    )


def _without_graph(primitive: Primitive, operands: Sequence[Any]) -> Value | None:
    """The outcome of Values and floats as a leaf; None if they or it are anything else."""
    data: float | None
    try:  # one operand or two without a list: a fifth off
        if primitive.unary and isinstance(operands[0], Value):
            data = primitive.function(operands[0]._data)
        elif primitive.binary:
            left, right = operands
            x = left._data if isinstance(left, Value) else left
            y = right._data if isinstance(right, Value) else right
            data = primitive.function(x, y) if type(x) is type(y) is float else None
        else:
            numbers = [x._data if isinstance(x, Value) else x for x in operands]
            data = primitive.function(*numbers) if _FLOAT.issuperset(map(type, numbers)) else None
    except (ValueError, ArithmeticError):
        return None
    return _leaf(data) if type(data) is float else None


def _in_slots(
    primitive: Primitive, operands: Sequence[Any], partials: Sequence[float | None], *, constants: bool = True
) -> tuple[Any, Any, Any, Any]:
    """What goes into _left, _right, _left_partial and _right_partial."""
    if primitive.variadic or len(operands) > 2:
        operands = tuple(operands)
        if not constants:
            return operands, operands, None, tuple(partials)
        values = tuple([x for x in operands if type(x) is not float])
        return operands, values, None, tuple([partial for partial in partials if partial is not None])
    if len(operands) == 2:
        return operands[0], operands[1], partials[0], partials[1]
    return operands[0], None, partials[0], None


def _with_numbers(operands: Sequence[Any], primitive: Primitive) -> tuple[Sequence[Any], Sequence[float], bool]:
    """The operands, Values and floats; their numbers; whether there may be constants among them."""
    if primitive.variadic:
        try:
            numbers = [x._data for x in operands]  # the quick way for long lists without constants
            if _FLOAT.issuperset(map(type, numbers)):  # other libraries have attributes named _data too
                return operands, numbers, False
        except AttributeError:
            pass
    operands = [x if isinstance(x, Value) or type(x) is float else as_number(x, primitive.name) for x in operands]
    return operands, [x if type(x) is float else x._data for x in operands], True


def _operation(primitive: Primitive, left: Any, right: Any) -> Value:
    """`left` and `right` with an operator between them; objects of other libraries may have their own say."""
    value, other = (left, right) if isinstance(left, Value) else (right, left)
    if type(other) is float or isinstance(other, Value):
        return value._record(primitive, (left, right))
    if type(other) is int or (isinstance(other, float) and type(other) is not float):  # NumPy's floats, say
        other = as_number(other, primitive.name)
        if primitive in _WRITTEN_OUT:  # with a float it goes the quick way, in half the time
            return _WRITTEN_OUT[primitive][value is right](value, other)
    elif type(other).__module__ != "builtins" and not isinstance(other, Number):
        return NotImplemented  # type: ignore[no-any-return]  # as Python's protocol for operators wants it
    return value._record(primitive, (value, other) if value is left else (other, value))


#: The operators that are written out: with the Value on the left, and on the right.
_WRITTEN_OUT: dict[Primitive, tuple[Callable[[Value, Any], Value], Callable[[Value, Any], Value]]] = {
    _add: (Value.__add__, Value.__radd__),
    rules.subtract: (Value.__sub__, Value.__rsub__),
    _multiply: (Value.__mul__, Value.__rmul__),
    rules.divide: (Value.__truediv__, Value.__rtruediv__),
}


def _comparable(other: Any) -> float | None:
    """The number to compare with, or None if `other` is not one."""
    if isinstance(other, Value):
        return other._data
    return float(other) if isinstance(other, Real) else None


def _compared(left: Value, sign: str, right: Any, outcome: bool) -> Any:
    """The outcome, unless `compile` records: then what is compared must stay open."""
    recording = _mode()
    return Comparison(left, sign, right) if recording is not None and recording.compiling else outcome


# Leaves are set by one call into C, map by deque.extend, in which no Ctrl-C can come between two of them.
_set_grad: Callable[[Value, float | None], None] = vars(Value)["_grad"].__set__
_exhaust: Callable[[Iterable[None]], None] = deque[None](maxlen=0).extend
