"""What a primitive is: one operation with its value, its local derivatives and how it is written.

    cube = primitive("cube", lambda x: x**3, lambda x, out: 3 * x**2, latex="{0}^3")
    cube(2.0)           # 8.0, a number
    cube(Value(2.0))    # a node of the graph, which backward() and all other readers understand

The operands decide what a call does: plain numbers give a number; an operand that knows how to record (a `Value`,
or a batch of numbers) is asked to. Local derivatives are written with primitives and operators only, so that
the same rule works on numbers, on batches and on Values. The built-in ones stand in `rules.py`.
"""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING, overload

from .limits import Limit
from .scalars import as_number

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from inspect import Signature
    from typing import Any, Literal, TypeAlias

    from .value import Value

    Operand: TypeAlias = Value | float
    Rule: TypeAlias = Callable[..., Any]
    Domain: TypeAlias = tuple[tuple[float, float], ...]


class _LazySignature:
    """The `__signature__` of a primitive, made when `help()` or a notebook asks for it: inspect is slow to import.

    The class has none of its own, so that `inspect` reads that of `__init__`.
    """

    def __get__(self, primitive: Primitive | None, owner: type[Primitive]) -> Signature:
        if primitive is None:
            raise AttributeError("__signature__")
        from inspect import Parameter, Signature

        if primitive.variadic:
            return Signature([Parameter(primitive.parameters[0], Parameter.VAR_POSITIONAL)])
        required = [Parameter.empty] * (primitive.arity - len(primitive.defaults))
        kind = Parameter.POSITIONAL_OR_KEYWORD
        pairs = zip(primitive.parameters, [*required, *primitive.defaults])
        return Signature([Parameter(name, kind, default=default) for name, default in pairs])


#: Every primitive by its name: what `pickle`, the expression parser, NumPy's functions and the tests look up.
PRIMITIVES: dict[str, Primitive] = {}

#: Set in the flags of code with *arguments (as inspect.CO_VARARGS; inspect is slow to import).
CO_VARARGS = 4

#: The names that `rules.py` has taken.
BUILT_IN: set[str] = set()


class Primitive:
    """One operation: how to compute it, how to differentiate it, how to write it. `primitive(...)` makes one.

    It is a function: called with numbers it gives a number, with Values a node of the graph, which gradients, tables,
    drawings and all other readers understand.

    Args:
        name: a Python name. Defining it anew replaces your own; a built-in one cannot be replaced.
        function: its value on floats. It raises ValueError outside its domain, as `math` does.
        partials: one rule per operand, `rule(*operands, out)`, `out` being the value. Write it with operators and
            primitives (`autograd.exp`, not `math.exp`), then it also works for batches and higher derivatives.
            A division by zero in a rule means an infinite derivative; a ValueError, that there is none.
        array: its value on NumPy arrays. By default NumPy's function of that name, or `function` one by one.
        latex: how it is written, `{0}` being the first operand.
        words: what it does to a gradient, in words.
        domain: a pair (low, high) for each operand.
        definition: the same function written with finer primitives, for `expand`.
        symbol, kinks, doc: what drawings show; what the derivative is at a kink; the docstring.
        flat: what it is where a local derivative is 0, for `diagnose`: "blocked" where it is constant by construction,
            "saturated" where it levels off; by default a product with a factor of 0.
        variadic: takes any number of operands, with one rule that gives the list of all local derivatives.
        commutative: the order of the operands does not matter, so drawings need not show it.
        written_out: expressions show the definition rather than a call.
        names, defaults: of a variadic primitive, what its n operands are called, and what the last ones are when not
            given; otherwise both are read from `function`.

    Raises:
        TypeError: for a rule that is missing, or does not take all operands and the value.
        ValueError: for a name that is none, or is taken.

    >>> from autograd import Value, primitive
    >>> cube = primitive("cube", lambda x: x**3, lambda x, out: 3 * x**2, latex="{0}^3")
    >>> x = Value(2.0)
    >>> cube(x).backward()
    >>> x.grad
    12.0
    """

    __signature__ = _LazySignature()

    def __init__(
        self,
        name: str,
        function: Callable[..., float],
        *partials: Rule,
        array: Callable[..., Any] | None = None,
        latex: str | None = None,
        words: str = "",
        domain: Sequence[Any] | None = None,
        definition: Callable[..., Any] | None = None,
        symbol: str | None = None,
        kinks: str = "",
        flat: Literal["blocked", "saturated", "multiplied by zero"] = "multiplied by zero",
        doc: str | None = None,
        variadic: bool = False,
        commutative: bool = False,
        written_out: bool = False,
        names: Callable[[int], Sequence[str]] | None = None,
        defaults: Sequence[float] | None = None,
    ) -> None:
        _check_definition(name, function, partials, variadic=variadic)
        self.name = self.__name__ = name
        self.symbol = symbol or name
        self.function = function
        self.partials = partials
        self.variadic = variadic
        self.arity = len(partials)
        self.unary = self.arity == 1 and not variadic
        self.binary = self.arity == 2 and not variadic
        self.parameters = _parameters(function, len(partials))
        self.defaults = tuple(defaults or getattr(function, "__defaults__", None) or ())
        self._names = names
        self._array = array
        self.latex = latex or _latex_call(name, 1 if variadic else len(partials))
        self.words = words
        self.kinks = kinks
        self.flat = flat
        self.domain = _intervals(domain, len(partials))
        self.definition = definition
        self.commutative = commutative
        self.written_out = written_out
        self.__doc__ = doc or function.__doc__
        PRIMITIVES[name] = self

    def __repr__(self) -> str:
        return f"<primitive {self._call}>"

    def __reduce__(self) -> tuple[Any, ...]:
        return find_primitive, (self.name,)

    @overload
    def __call__(self, *operands: float, **named: float) -> float: ...  # type: ignore[overload-overlap]
    @overload
    def __call__(self, *operands: Operand, **named: Operand) -> Value: ...
    def __call__(self, *operands: Any, **named: Any) -> Any:
        """Its value: a number of numbers, a node if a Value is among the operands."""
        if self.unary and len(operands) == 1 and not named:  # the usual case, before all else
            (operand,) = operands
            if type(operand) is float:
                return self.value(operands)
            if (record := getattr(operand, "_record", None)) is not None:
                return record(self, operands)
        if named or (len(operands) != self.arity and not self.variadic):
            operands = self._bound(operands, named)
        exact = True
        for operand in operands:
            if type(operand) is not float:
                if hasattr(operand, "_record"):
                    return operand._record(self, operands)
                exact = False
        return self.value(operands if exact else [as_number(x, self.name) for x in operands])

    def _bound(self, operands: tuple[Any, ...], named: dict[str, Any]) -> tuple[Any, ...]:
        """The operands in order, names and defaults filled in as Python does for a function."""
        if self.variadic:
            raise TypeError(f"{self.name} takes its operands by place, not {next(iter(named))}=")
        missing_count = self.arity - len(operands)
        if not named and 0 < missing_count <= len(self.defaults):
            return (*operands, *self.defaults[-missing_count:])
        slots = dict(zip(self.parameters, operands))
        required = len(self.parameters) - len(self.defaults)
        filled = {**dict(zip(self.parameters[required:], self.defaults)), **slots, **named}
        for name in named:
            if name not in self.parameters or name in slots:
                taken = " left: it was given by place" * (name in slots)
                raise TypeError(f"{self._call} has no operand {name!r}{taken}")
        if len(operands) > self.arity or len(filled) < self.arity:
            count = len(operands) + len(named)
            raise TypeError(f"{self._call} takes {_counted(self.arity, 'operand')}; {count} were given")
        return tuple(filled[name] for name in self.parameters)

    @property
    def _call(self) -> str:
        """How it is called: `sigmoid(x, slope=1.0)`."""
        return f"{self.name}{self.__signature__}"

    def value(self, numbers: Sequence[float], operands: Sequence[Any] = ()) -> float:
        """Its value at `numbers`; errors name the operands (those of a graph have labels)."""
        try:
            out = self.function(*numbers)
        except (ValueError, ArithmeticError) as error:
            raise self._complaint(error, numbers, operands) from None
        return out if type(out) is float else as_number(out, f"the result of {self.name}")

    def evaluate(
        self, operands: Sequence[Any], numbers: Sequence[float], *, constants: bool = True
    ) -> tuple[float, Sequence[float | None]]:
        """Its value and its local derivatives at `numbers`, the data of `operands`.

        An operand that is a plain float is a constant: it has no derivative, and None stands in its place; `constants`
        says whether there may be any. Infinite derivatives are ±inf; ValueError where there is none.
        """
        out = self.value(numbers, operands)
        partials: Sequence[Any]
        if self.variadic:
            partials = self._derivative(0, numbers, out, operands)
            if constants:
                partials = [None if type(x) is float else partial for x, partial in zip(operands, partials)]
        else:
            partials = [
                None if type(x) is float else self._derivative(slot, numbers, out, operands)
                for slot, x in enumerate(operands)
            ]
        if self.name not in BUILT_IN:  # the built-in rules give floats: not asking is a tenth of the time of a dot
            partials = [
                None if type(x) is float else self._checked(slot, partial)
                for slot, (x, partial) in enumerate(zip(operands, partials))
            ]
        return out, partials

    def _checked(self, slot: int, partial: Any) -> float:
        """What a rule of the user's gave, if it is a number."""
        if partial is None:
            raise TypeError(f"rule {slot + 1} of {self.name} returned None instead of a number; is a `return` missing?")
        return as_number(partial, f"rule {slot + 1} of {self.name}")

    def _derivative(self, slot: int, numbers: Sequence[float], out: float, operands: Sequence[Any]) -> Any:
        rule = self.partials[slot]
        try:
            return rule(*numbers, out)
        except (ZeroDivisionError, OverflowError):
            # Python raises where IEEE 754 has an infinity, which is what the derivative is here (sqrt at 0).
            try:
                limits = rule(*map(Limit, numbers), Limit(out))
            except (ValueError, ArithmeticError) as error:  # not even so: math.exp overflows, 1 / 0 of plain numbers
                hint = "where it is infinite, let its rule return math.inf or -math.inf"
                raise of_kind(error, f"{self._no_derivative(slot, numbers, operands)} ({error}); {hint}") from None
            return list(map(float, limits)) if self.variadic else float(limits)
        except ValueError as error:
            hint = "an operand that is a plain number needs none"
            raise ValueError(f"{self._no_derivative(slot, numbers, operands)} ({error}); {hint}") from None

    def _no_derivative(self, slot: int, numbers: Sequence[float], operands: Sequence[Any]) -> str:
        """`cube(x) at x = 2.0 (labelled 'z') has no derivative with respect to x`."""
        which = "" if self.variadic else f" with respect to {self.parameters[slot]}"
        return f"{self.applied(numbers, operands)} has no derivative{which}"

    def array(self, *arrays: Any) -> Any:
        """Its value on NumPy arrays, elementwise: as given, else NumPy's function of that name, else one by one."""
        if self._array is None:
            import numpy

            found = getattr(numpy, self.name, None)
            self._array = found if isinstance(found, numpy.ufunc) else numpy.vectorize(self.function, otypes=[float])
        return self._array(*arrays)

    def names(self, count: int) -> Sequence[str]:
        """What `count` operands are called: its parameters, or x1, x2, ... where it takes any number."""
        if not self.variadic:
            return self.parameters[:count]
        return self._names(count) if self._names else [f"x{place + 1}" for place in range(count)]

    def limits(self) -> list[str | None]:
        """For each operand, where it must lie, such as `x > 0`; None where any number will do."""
        return [self._limit(slot, *interval) for slot, interval in enumerate(self.domain)]

    def _limit(self, slot: int, low: float, high: float) -> str | None:
        name = self.parameters[slot]
        if (low, high) == (-inf, inf):
            return None
        try:
            self.function(*[low if i == slot else 1.0 for i in range(self.arity)])
            sign = "<="
        except (ValueError, ArithmeticError):
            sign = "<"
        return f"{name} {sign.replace('<', '>')} {low:g}" if high == inf else f"{low:g} {sign} {name} {sign} {high:g}"

    def _complaint(self, error: Exception, numbers: Sequence[float], operands: Sequence[Any]) -> Exception:
        """`error` again, naming the primitive, the value and label of each operand, and what they must be."""
        outside = [
            limit
            for limit, x, (low, high) in zip(self.limits(), numbers, self.domain)
            if limit and not low < x < high and x == x
        ]
        reason = f"it needs {', '.join(outside)}" if outside else error.args[-1] if error.args else "it has no value"
        return of_kind(error, f"{self.applied(numbers, operands)}: {reason}")

    def applied(self, numbers: Sequence[float], operands: Sequence[Any]) -> str:
        """`divide(x, y) at x = 1.0, y = 0.0 (labelled 'z')`."""
        labels = [str(getattr(operand, "label", None) or "") for operand in operands] or [""] * len(numbers)
        names = self.names(len(numbers))
        given = [f"{n} = {x!r}" + f" (labelled {label!r})" * bool(label) for n, x, label in zip(names, numbers, labels)]
        shown = given if len(given) <= 6 else [*given[:6], f"{len(given) - 6} more"]
        if self.variadic:
            return f"{self.name} at {', '.join(shown)}"
        infix = self.arity == 2 and not self.symbol.isidentifier()
        called = f" {self.symbol} ".join(self.parameters) if infix else f"{self.name}({', '.join(self.parameters)})"
        return f"{self.name}: {called} at {', '.join(shown)}" if infix else f"{called} at {', '.join(shown)}"


#: The public name: one makes a primitive as one calls a function.
primitive = Primitive


def _check_definition(name: str, function: Callable[..., float], partials: tuple[Rule, ...], *, variadic: bool) -> None:
    if not (isinstance(name, str) and name.isidentifier()):
        raise ValueError(f"a primitive's name is a Python name such as 'cube', not {name!r}")
    if not callable(function) or not all(map(callable, partials)):
        raise TypeError(f"primitive({name!r}, function, *partials) takes functions: a value and one rule per operand")
    if not partials or (variadic and len(partials) != 1):
        raise TypeError(f"primitive {name!r} needs one rule per operand" + " (variadic: one for all)" * variadic)
    for position, rule in enumerate(partials):
        if not variadic and not _can_take(rule, len(partials) + 1):
            wanted = ", ".join([*_parameters(function, len(partials)), "out"])
            raise TypeError(f"rule {position + 1} of {name!r} must take ({wanted}): all operands and the value")
    if not _can_take(function, len(partials)) and not variadic:
        raise TypeError(f"primitive {name!r} has {_counted(len(partials), 'rule')}; it needs one for each operand")
    if name in BUILT_IN:
        raise ValueError(f"{name!r} is built in; give your primitive another name")


def find_primitive(name: str) -> Primitive:
    """The primitive of that name, as a pickled graph asks for it."""
    try:
        return PRIMITIVES[name]
    except KeyError:
        raise LookupError(f"no primitive is named {name!r}; define it with autograd.primitive before loading") from None


def is_of_primitive(error: BaseException) -> bool:
    """Whether a primitive raised it, for operands that it does not take or where it has no derivative."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return trace is not None and trace.tb_frame.f_code in (Primitive.value.__code__, Primitive._derivative.__code__)


def of_kind(error: Exception, told: str) -> Exception:
    """An arithmetic error of the same kind that says more."""
    kinds = (ZeroDivisionError, OverflowError, ArithmeticError, ValueError)
    return next(kind for kind in kinds if isinstance(error, kind))(told)


def _can_take(function: Callable[..., Any], count: int) -> bool:
    """Whether a Python function takes that many arguments; of others nothing is known."""
    code = getattr(function, "__code__", None)
    if code is None or code.co_flags & CO_VARARGS:
        return True
    required = code.co_argcount - len(function.__defaults__ or ())
    return bool(required <= count <= code.co_argcount)


def _counted(count: int, noun: str) -> str:
    return f"1 {noun}" if count == 1 else f"{count} {noun}s"


def _latex_call(name: str, count: int) -> str:
    escaped = name.replace("_", r"\_")
    return rf"\operatorname{{{{{escaped}}}}}({', '.join(f'{{{slot}}}' for slot in range(count))})"


def _parameters(function: Callable[..., float], count: int) -> tuple[str, ...]:
    code = getattr(function, "__code__", None)
    if code is not None and code.co_argcount == count:
        return tuple(code.co_varnames[:count])
    return tuple("xyzw"[:count]) if count <= 4 else tuple(f"x{i}" for i in range(count))


def _intervals(domain: Sequence[Any] | None, count: int) -> Domain:
    if domain is None:
        return ((-inf, inf),) * count
    try:
        pairs = [domain] if isinstance(domain[0], (int, float)) else list(domain)
        intervals = tuple((float(low), float(high)) for low, high in pairs)
    except (TypeError, ValueError, IndexError):
        intervals = ()
    if len(intervals) != count:
        raise ValueError(f"domain is a pair (low, high) for each operand ({count} here), not {domain!r}")
    return intervals
