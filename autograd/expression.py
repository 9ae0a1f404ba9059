"""Expressions given as text, `parse("a = x*z; log(a) + a")`, read by a whitelist and never run as code.

Numbers, names, + - * / **, comparisons in `where`, and calls of autograd's functions; assignments, separated by `;` or
new lines, name intermediates. `.record({"x": 2, "z": 3})` gives the graph that the same Python would record.
"""

from __future__ import annotations

import ast
import operator
import re
import warnings
from typing import TYPE_CHECKING, NamedTuple

from . import functions, rules
from .notation import one_line
from .primitives import PRIMITIVES
from .scalars import as_number
from .value import Value

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any, NoReturn

#: Longer text is refused.
LONGEST = 20_000

OPERATORS = {
    ast.Add: rules.add,
    ast.Sub: rules.subtract,
    ast.Mult: rules.multiply,
    ast.Div: rules.divide,
    ast.Pow: rules.power,
}
COMPARISONS = {ast.Lt: operator.lt, ast.LtE: operator.le, ast.Gt: operator.gt, ast.GtE: operator.ge}
BUILTINS = {"abs": rules.absolute, "max": rules.maximum, "min": rules.minimum}
OF_LISTS = {name: getattr(functions, name) for name in ("sum", "mean", "dot", "logsumexp")}


class ExpressionError(ValueError):
    """The text is no expression of ours, or cannot be computed; the message points at the place."""


class Expression(NamedTuple):
    """A parsed expression: its text, its statements, the variables that it wants."""

    text: str
    statements: list[ast.stmt]
    variables: tuple[str, ...]

    def record(self, values: Mapping[str, float], *, share: bool = False) -> Value:
        """The graph of the expression at `values`: leaves are labelled with their names, results with theirs.

        Args:
            values: a number for each of `variables`.
            share: make equal subexpressions one node, where Python would record each.

        Raises:
            ExpressionError: for a missing variable, an error of a function, an expression without variables.
        """
        leaves = {name: Value(as_number(values[name], name), name) for name in self._given(values)}
        result = _Reader(self.text, leaves, share=share).result(self.statements)
        if not isinstance(result, Value):
            raise ExpressionError(f"there is no variable to differentiate by: the value is {result:g}")
        return result

    def value(self, values: Mapping[str, float]) -> float:
        """The number alone."""
        numbers: dict[str, Any] = {name: as_number(values[name], name) for name in self._given(values)}
        return float(_Reader(self.text, numbers, share=False).result(self.statements))

    def _given(self, values: Mapping[str, float]) -> tuple[str, ...]:
        missing = [name for name in self.variables if name not in values]
        if missing:
            example = " ".join(f"{name}=2" for name in missing)
            raise ExpressionError(f"no value is given for {', '.join(missing)}: add {example}")
        return self.variables


def parse(text: str) -> Expression:
    """Read an expression.

    Raises:
        ExpressionError: where it is not one; the message points at the place.

    >>> y = parse("a = x * z; log(a) + a").record({"x": 1, "z": 1})
    >>> y.backward()
    >>> y.data, [operand.label for operand in y.operands]
    (1.0, ['', 'a'])
    """
    if len(text) > LONGEST:
        raise ExpressionError(f"the expression has {len(text)} characters; at most {LONGEST} are read")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Python's advice on code, which this is not
            statements = ast.parse(text.strip(), mode="exec").body
        if not statements:
            raise ExpressionError("the expression is empty: write something such as x * z + sin(x)")
        return Expression(text.strip(), statements, _variables(text.strip(), statements))
    except SyntaxError as error:
        column = (error.offset or 1) - 1
        raise ExpressionError(_pointing(text.strip(), error.msg, error.lineno or 1, column, column + 1)) from None
    except (RecursionError, MemoryError):
        raise ExpressionError("the expression is nested too deeply: name parts of it, as in a = x*z; a/b") from None
    except ValueError as error:
        if isinstance(error, ExpressionError):
            raise
        raise ExpressionError(f"the expression cannot be read: {error}") from None


def _variables(text: str, statements: list[ast.stmt]) -> tuple[str, ...]:
    """The names that are used before they are assigned, in order; every construct that is not ours is an error."""
    assigned: set[str] = set()
    wanted: dict[str, None] = {}
    for position, statement in enumerate(statements):
        value = _assigned_value(text, statement, is_last=position == len(statements) - 1)
        _check(text, value)
        functions_called = {id(node.func) for node in ast.walk(value) if isinstance(node, ast.Call)}
        names = [node for node in ast.walk(value) if isinstance(node, ast.Name) and id(node) not in functions_called]
        for node in sorted(names, key=lambda node: (node.lineno, node.col_offset)):
            if node.id not in assigned:
                wanted[node.id] = None
        if isinstance(statement, ast.Assign):
            assigned.add(statement.targets[0].id)  # type: ignore[attr-defined]  # checked above
    return tuple(wanted)


def _assigned_value(text: str, statement: ast.stmt, *, is_last: bool) -> ast.expr:
    if isinstance(statement, ast.Assign) and len(statement.targets) == 1 and isinstance(statement.targets[0], ast.Name):
        target = statement.targets[0]
        if target.id in _functions():
            _fail(text, target, f"{target.id} is a function; choose another name")
        return statement.value
    if isinstance(statement, ast.Expr):
        if not is_last:
            _fail(text, statement, "the value of this is not used; give it a name, as in a = x*z")
        return statement.value
    return _fail(text, statement, "only expressions and assignments such as a = x*z are read")


def _check(text: str, root: ast.expr) -> None:
    """Refuse whatever is not on the list, before anything is computed."""
    calls = [node for node in ast.walk(root) if isinstance(node, ast.Call)]
    conditions = {id(call.args[0]) for call in calls if call.args and _name(call.func) == "where"}
    arguments = {id(x) for call in calls for x in call.args if _name(call.func) in OF_LISTS}
    called = {id(call.func) for call in calls}
    functions = _functions()
    for node in ast.walk(root):
        if isinstance(node, (ast.operator, ast.unaryop, ast.cmpop, ast.expr_context)):
            continue  # judged with the node that they belong to
        if isinstance(node, ast.Constant):
            if type(node.value) not in (int, float):
                _fail(text, node, "only real numbers are read")
        elif isinstance(node, ast.Name):
            if id(node) in called and node.id not in functions:
                _fail(text, node, f"unknown function {node.id!r}; there are {', '.join(sorted(functions))}")
            if id(node) not in called and node.id in functions:
                _fail(text, node, f"{node.id} is a function; call it, as in {node.id}(x)")
        elif isinstance(node, ast.BinOp):
            if type(node.op) not in OPERATORS:
                power = "; a power is x**2" if isinstance(node.op, ast.BitXor) else ""
                _fail(text, node, f"the operators are + - * / **{power}")
        elif isinstance(node, ast.UnaryOp):
            if not isinstance(node.op, (ast.USub, ast.UAdd)):
                _fail(text, node, "the operators are + - * / **")
        elif isinstance(node, ast.Call):
            _check_call(text, node)
        elif isinstance(node, ast.Compare):
            if id(node) not in conditions or len(node.ops) != 1 or type(node.ops[0]) not in COMPARISONS:
                _fail(text, node, "a comparison (one of < <= > >=) can stand first in where(condition, x, y) only")
        elif isinstance(node, ast.List):
            if id(node) not in arguments:
                _fail(text, node, f"a list can be given to {', '.join(OF_LISTS)} only")
        elif isinstance(node, ast.keyword):
            if node.arg is None:
                _fail(text, node.value, "** is not read here")
        else:
            _fail(text, node, "this is not read: write numbers, names, + - * / ** and calls of functions")


def _check_call(text: str, call: ast.Call) -> None:
    if not isinstance(call.func, ast.Name):
        _fail(text, call.func, "only autograd's functions can be called, by their names")
    name = call.func.id
    lists = call.args[: 2 if name == "dot" else 1]
    if name in OF_LISTS and not (lists and all(isinstance(x, ast.List) for x in lists)):
        example = "dot([x, z], [2, 3], 1)" if name == "dot" else f"{name}([x, 2, z])"
        _fail(text, call, f"{name} takes a list, as in {example}")
    given = [keyword.arg for keyword in call.keywords]
    for keyword in call.keywords:
        if given.count(keyword.arg) > 1:
            _fail(text, keyword.value, f"{keyword.arg} is given twice")


class _Reader:
    """Computes statements, on Values or on numbers alike."""

    def __init__(self, text: str, names: dict[str, Any], *, share: bool) -> None:
        self.text = text
        self.names = names
        self.known: dict[Any, Any] | None = {} if share else None

    def result(self, statements: list[ast.stmt]) -> Any:
        """The value of the last statement."""
        result: Any = None
        try:
            for statement in statements:
                result = self.read(statement.value)  # type: ignore[attr-defined]  # checked by _assigned_value
                if isinstance(statement, ast.Assign):
                    name: str = statement.targets[0].id  # type: ignore[attr-defined]  # checked as well
                    self.names[name] = result
                    if isinstance(result, Value) and not result.label:
                        result.label = name
        except RecursionError:
            raise ExpressionError("the expression is nested too deeply: name parts of it, as in a = x*z; a/b") from None
        return result

    def read(self, node: ast.expr) -> Any:
        """The value of an expression."""
        match node:
            case ast.Constant():
                return self.computed(node, as_number, node.value, "an expression")
            case ast.Name():
                return self.names[node.id]
            case ast.List():
                return [self.read(element) for element in node.elts]
            case ast.UnaryOp(op=ast.UAdd()):
                return self.read(node.operand)
            case ast.UnaryOp():
                return self.applied(node, rules.negative, self.read(node.operand))
            case ast.BinOp():
                return self.applied(node, OPERATORS[type(node.op)], self.read(node.left), self.read(node.right))
            case ast.Compare():
                return COMPARISONS[type(node.ops[0])](self.read(node.left), self.read(node.comparators[0]))
            case ast.Call():
                named = {keyword.arg: self.read(keyword.value) for keyword in node.keywords if keyword.arg}
                return self.applied(node, _functions()[_name(node.func)], *map(self.read, node.args), **named)
            case _:
                raise AssertionError(node)  # parse() has let nothing else through

    def applied(self, node: ast.expr, function: Any, *operands: Any, **named: Any) -> Any:
        """The function's value; with `share`, that of the same function of the same operands before."""
        if self.known is None:
            return self.computed(node, function, *operands, **named)
        key = (function, _hashable(operands), _hashable(named.items()))
        if key not in self.known:
            self.known[key] = self.computed(node, function, *operands, **named)
        return self.known[key]

    def computed(self, node: ast.expr, function: Any, *operands: Any, **named: Any) -> Any:
        """The function's value; its errors point at the place."""
        try:
            return function(*operands, **named)
        except (ArithmeticError, ValueError, TypeError) as error:
            _fail(self.text, node, str(error))


def _hashable(operands: Any) -> Any:
    """The same for the same nodes and numbers only (0.0 and -0.0 are not), also inside lists."""
    if isinstance(operands, Value):
        return operands
    return repr(operands) if isinstance(operands, (int, float, str)) else tuple(map(_hashable, operands))


def _functions() -> dict[str, Callable[..., Any]]:
    """What can be called: Python's names for some primitives, functions of lists, all other primitives but `share`,
    which is a derivative's name and not one to type."""
    primitives = {name: primitive for name, primitive in PRIMITIVES.items() if not primitive.variadic}
    primitives.pop("share", None)
    return {**BUILTINS, **primitives, **OF_LISTS}


def _name(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else ""


def _fail(text: str, node: Any, message: str) -> NoReturn:
    lines = _lines(text)
    start = _column(lines[node.lineno - 1], node.col_offset)
    same_line = node.end_lineno == node.lineno
    end = _column(lines[node.lineno - 1], node.end_col_offset) if same_line else len(lines[node.lineno - 1])
    raise ExpressionError(_pointing(text, message, node.lineno, start, end)) from None


def _lines(text: str) -> list[str]:
    """The lines as Python's parser counts them."""
    return re.split(r"\r\n|\r|\n", text)


def _column(line: str, byte_offset: int) -> int:
    """ast counts bytes of UTF-8; people count characters."""
    return len(line.encode()[:byte_offset].decode(errors="ignore"))


def _pointing(text: str, message: str, line_number: int, start: int, end: int) -> str:
    """One line that shows where: the place stands between arrows, what is far from it is left out."""
    lines = _lines(text)
    line = lines[min(line_number, len(lines)) - 1]
    before, place, after = line[:start], line[start:end], line[end:]
    before = before if len(before) <= 25 else "..." + before[-22:]
    place = place if len(place) <= 40 else place[:37] + "..."
    after = after if len(after) <= 25 else after[:22] + "..."
    where = f"line {line_number}, column {start + 1}" if len(lines) > 1 else f"column {start + 1}"
    return one_line(f"{message} (at {where}: {before}>>>{place}<<<{after})", 1000)
