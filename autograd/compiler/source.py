"""Prints a program as NumPy that one could have written: `source(program, "loss", [(2,), ()])`.

    def loss(x, y, W1, b1, W2, b2, W3, b3):             # the value of each example
    def loss_gradients(x, y, W1, b1, W2, b2, W3, b3):   # their mean, and its gradient by each parameter

It prints the groups that execution.py runs, with examples along the first axis, as everyone has them.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from .. import rules
from ..notation import STRENGTH
from ..primitives import BUILT_IN
from .arrays import Array, Plan, has_bias, reading
from .dialects import NUMPY, WIDTH, Code, Dialect, Names, broken, filled, helpers_called
from .quantities import BATCH_SUM, Quantity, is_same_everywhere, of_example

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import Any

    import numpy

    from ..primitives import Primitive
    from .program import Program

#: The longest expression that stands within another one in the place of a name.
LONGEST_INLINE = 45

#: Primitives whose code repeats an operand.
REPEATING = {"leaky_relu", "elu", "silu", "share"}


def source(program: Program, name: str, shapes: Sequence[tuple[int, ...]]) -> str:
    """The text of a file with two functions.

    Args:
        name: of the compiled function.
        shapes: of a row of each argument.

    Raises:
        ValueError: for a primitive of the user's without a definition.
    """
    return Source(program, name, shapes).text()


def parameter_arrays(
    program: Program, name: str, shapes: Sequence[tuple[int, ...]], numbers: numpy.ndarray
) -> dict[str, Any]:
    """The numbers of the program's parameters in the arrays that the text names."""
    place = {q: i for i, q in enumerate(program.layout.parameters)}
    arrays = Source(program, name, shapes).plan.parameters
    found = {array.name: numbers[[place[q] for q in array.members]].reshape(array.shape) for array in arrays}
    return {name: array if array.shape else float(array) for name, array in found.items()}


class Source:
    """What is printed."""

    def __init__(self, program: Program, name: str, shapes: Sequence[tuple[int, ...]]) -> None:
        name = "f" if name == "<lambda>" else Names().new(name)
        self.program = program
        self.shapes = list(shapes)
        self.functions = name, f"{name}_gradients"
        self.names = Names([*self.functions, "n"])
        self.plan = Plan(program, shapes, self.names)

    def text(self) -> str:
        """The whole file."""
        values, gradients = self.functions
        told = f"The value of {values} for each of n examples."
        body = _Body(self, backward=False).lines()
        parts = ["import numpy as np", "\n".join([*self.head(values, told, self._shapes_told()), *body])]
        if self.program.gradients:
            listed = ", ".join(array.name for array in self.plan.parameters)
            listed = listed if len(listed) < 50 else "each parameter"
            body = _Body(self, backward=True).lines()
            told = f"The mean of {values}, and its gradient by {listed}."
            parts.append("\n".join([*self.head(gradients, told, []), *body]))
        parts[1:1] = helpers_called(NUMPY, "\n".join(parts[1:]))
        return "\n\n\n".join(parts) + "\n"

    def head(self, function: str, told: str, more: list[str]) -> list[str]:
        """The line with `def`, and the docstring."""
        arguments = ", ".join(array.name for array in [*self.plan.inputs, *self.plan.parameters])
        docstring = [f'    """{told}', "", *more, '    """'] if more else [f'    """{told}"""']
        return [*broken(f"def {function}({arguments}):", ""), *docstring]

    def _shapes_told(self) -> list[str]:
        shapes = [f"{array.name}: {_shape(('n', *shape))}" for array, shape in zip(self.plan.inputs, self.shapes)]
        shapes += [f"{array.name}: {_shape(array.shape)}" for array in self.plan.parameters]
        return [f"    {line}" for line in filled(", ".join(shapes) + ".", WIDTH - 4)]


def _shape(shape: tuple[Any, ...]) -> str:
    if not shape:
        return "a number"
    return f"({', '.join(map(str, shape))}{',' * (len(shape) == 1)})"


# ----- NumPy on whole arrays -----


class _Wide(Dialect):
    """NumPy, where sums over the columns of an array are sums along its axis."""

    def added(self, terms: Iterable[Any]) -> Any:
        terms = list(terms)
        wide = self.whole(terms)
        return wide.followed(".sum(axis=1)") if wide is not None else super().added(terms)

    def applied(self, primitive: Primitive, operands: Sequence[Any]) -> Any:
        if primitive is rules.add:
            return self._sum(*operands)
        if primitive is rules.multiply:
            return self._multiple(*operands)
        return super().applied(primitive, operands)

    def _sum(self, x: Any, y: Any) -> Any:
        terms = [*_terms(x), *_terms(y)]
        if (wide := self.whole(terms)) is not None:
            return wide.followed(".sum(axis=1)")
        if isinstance(y, Code) and isinstance(terms[-2], Code) and terms[-2].plain == y.plain and len(_terms(y)) == 1:
            twice = self.applied(rules.multiply, (2.0, y))
            return self._sum(x.operands[0], twice) if isinstance(x, Code) and x.primitive is rules.add else twice
        return super().applied(rules.add, (x, y))

    def _multiple(self, x: Any, y: Any) -> Any:
        """A constant comes first, and is made one with another one; a sixth is `/ 6`."""
        factor, other = (x, y) if isinstance(y, Code) else (y, x)
        if not isinstance(other, Code) or isinstance(factor, Code):
            return super().applied(rules.multiply, (x, y))
        if other.primitive is rules.multiply and not isinstance(first := other.operands[0], Code):
            return self.applied(rules.multiply, (factor * first, other.operands[1]))
        whole = round(1 / factor) if 0 < abs(factor) < 1 and len(repr(factor)) > 8 else 0
        if whole and 1 / whole == factor:
            return self.infix("/", STRENGTH["divide"], other, float(whole))
        return super().applied(rules.multiply, (factor, other))

    def whole(self, terms: Sequence[Any]) -> Any:
        """Terms that differ in the column alone, as one expression; None for others."""
        if len(terms) < 2 or not all(isinstance(x, Code) for x in terms):
            return None
        if all(isinstance(x, Column) for x in terms):
            arrays = {x.array.plain for x in terms}
            alike = len(arrays) == 1 and [x.index for x in terms] == list(range(terms[0].count))
            return terms[0].array if alike else None
        first = terms[0]
        if first.primitive is None or any(x.primitive is not first.primitive for x in terms):
            return None
        slots = [self._slot([x.operands[i] for x in terms]) for i in range(len(first.operands))]
        return self.applied(first.primitive, slots) if all(slot is not None for slot in slots) else None

    def _slot(self, xs: list[Any]) -> Any:
        return xs[0] if all(type(x) is float and x == xs[0] for x in xs) else self.whole(xs)


def _terms(x: Any) -> list[Any]:
    """What a chain of + adds up."""
    terms: list[Any] = []
    while isinstance(x, Code) and x.primitive is rules.add:
        x, last = x.operands
        terms.append(last)
    return [x, *reversed(terms)]


class Column(Code):
    """One column of an array."""

    __slots__ = ("array", "count", "index")

    def __init__(self, array: Code, index: int, count: int) -> None:
        super().__init__(array.dialect, f"{array.plain}[:, {index}]")
        self.array = array
        self.index = index
        self.count = count


def _logsumexp(dialect: Dialect, *operands: Any) -> Code:
    wide = dialect.whole(operands)  # type: ignore[attr-defined]
    if wide is not None:
        return Code(dialect, f"np.logaddexp.reduce({wide.plain}, axis=1)")
    return NUMPY.written["logsumexp"](dialect, *operands)  # type: ignore[no-any-return]


WIDE = _Wide("np", NUMPY.calls, {**NUMPY.written, "logsumexp": _logsumexp}, NUMPY.helpers)


# ----- The body of a function -----


class _Use:
    """Where an array is read: by which other one, and whether all of it, element by element."""

    def __init__(self, reader: Array | None, slot: int, *, whole: bool) -> None:
        self.reader = reader
        self.slot = slot
        self.whole = whole


class _Body:
    """The lines of a function.

    Args:
        backward: whether it gives the mean and the gradients.
    """

    def __init__(self, source: Source, *, backward: bool) -> None:
        self.plan = source.plan
        self.program = source.program
        self.shapes = source.shapes
        self.backward = backward
        self.outputs = self.program.outputs
        self.results: list[Any] = self.outputs[:1] + list(self.plan.gradients.values()) if backward else self.outputs
        self._names = source.names.copy()
        known = [*self.plan.inputs, *self.plan.parameters, *self.plan.parts]
        self._number_of: dict[Array | None, int] = {array: i for i, array in enumerate(known)}
        self._code: dict[Array, Any] = {}  # what stands in the place of an array: its name, or an expression
        self._uses: dict[Array, list[_Use]] = {}
        self.needed = self._find_needed()
        self._find_uses()

    def lines(self) -> list[str]:
        """All of them."""
        statements = [
            f"{array.name} = {array.name}.reshape(len({array.name}), -1)"
            for array, shape in zip(self.plan.inputs, self.shapes)
            if len(shape) > 1
        ]
        for array in [*self.plan.inputs, *self.plan.parameters]:
            self._code[array] = WIDE.name(array.name)
        for array in self.needed:
            code = self.code_of(array)
            if self._stands_inline(array, code):
                self._code[array] = code
            else:
                name = array.name or self._result_name(array) or self._names.new("", "t")
                self._code[array] = WIDE.name(name)
                text = WIDE.number(code).plain
                statements.append(f"{name} = {text if isinstance(code, Code) else f'np.full({array.shape}, {text})'}")
        statements.append(f"return {', '.join(self.returned())}")
        if any(re.search(r"(?<!\w)n(?!\w)", statement) for statement in statements):
            statements.insert(0, f"n = len({self.plan.inputs[0].name})")
        return [line for statement in statements for line in broken(statement)]

    def _result_name(self, array: Array) -> str:
        is_value = self.backward and type(self.outputs[0]) is Quantity and self.outputs[0] in array.members
        return self._names.new("value") if is_value else ""

    def returned(self) -> list[str]:
        """What the function gives."""
        if not self.backward:
            return [self._values()]
        root = self.outputs[0]
        value = self.scalar(root)
        mean = value.followed(".mean()").plain if type(root) is Quantity and not root.shared else value.plain
        return [mean, *(self._gradient(array) for array in self.plan.parameters)]

    def _values(self) -> str:
        first = self.plan.inputs[0].name
        if self.program.recording.single:
            (output,) = self.outputs
            code = self.scalar(output)
            is_row = type(output) is Quantity and not output.shared
            return WIDE.number(code).plain if is_row else f"np.full(len({first}), {code.plain})"
        return self.block(self.outputs).plain

    def _gradient(self, array: Array) -> str:
        gradients = [self.plan.gradients[q] for q in array.members]
        if not array.shape:
            return self.scalar(gradients[0]).plain
        if all(type(x) is float and x == 0 for x in gradients):
            return f"np.zeros({_shape(array.shape)})"
        found = self._one_array(gradients)
        if found is not None and found.members == gradients:
            return self._code[found].plain if found.shape == array.shape else self._reshaped(found, array.shape)
        listed = self._end_to_end(gradients)
        return listed.plain if len(array.shape) == 1 else listed.followed(f".reshape{_shape(array.shape)}").plain

    def _end_to_end(self, xs: list[Any]) -> Code:
        """Shared quantities in one vector."""
        pieces: list[str] = []
        for run in self._runs(xs):
            array = self._one_array(run)
            if array is not None and array.shape:
                pieces.append(self.row(run).plain if len(run) > 1 else f"[{self.scalar(run[0]).plain}]")
            elif len(run) > 1 and all(type(x) is float and x == 0 for x in run):
                pieces.append(f"np.zeros({len(run)})")
            else:
                pieces.append(f"[{', '.join(self.scalar(x).plain for x in run)}]")
        if all(piece.startswith("[") for piece in pieces):
            return Code(WIDE, f"np.array([{', '.join(piece[1:-1] for piece in pieces)}])")
        return Code(WIDE, f"np.concatenate([{', '.join(pieces)}])")

    def _reshaped(self, array: Array, shape: tuple[int, ...]) -> str:
        return self._code[array].followed(f".reshape{_shape(shape)}").plain  # type: ignore[no-any-return]

    # ----- What is needed, and what stands within the line that reads it -----

    def _find_needed(self) -> list[Array]:
        needed: set[Array] = set()
        stack = [x for x in self.results if type(x) is Quantity]
        while stack:
            array = self.plan.place[stack.pop()][0]
            if array not in needed:
                needed.add(array)
                stack += [x for q in array.members for x in q.operands if type(x) is Quantity and x in self.plan.place]
        return [part for part in self.plan.parts if part in needed]

    def _find_uses(self) -> None:
        for part in self.needed:
            if part.form == "each" and not part.primitive.variadic:
                for i in range(len(part.members[0].operands)):
                    self._note(part, i, part.slot(i))
            else:
                self._note(part, -1, [x for q in part.members for x in q.operands])
        for x in self.results:
            self._note(None, 0, [x])

    def _note(self, reader: Array | None, slot: int, xs: list[Any]) -> None:
        for array in dict.fromkeys(self.plan.place[x][0] for x in xs if type(x) is Quantity and x in self.plan.place):
            if slot >= 0:
                whole = array.members == xs or (xs.count(xs[0]) == len(xs) and not array.shape and array.shared)
            else:
                assert reader is not None
                whole = len(reader.members) == 1 and _reads_at_once(reader.primitive, array, xs)
            self._uses.setdefault(array, []).append(_Use(reader, slot, whole=whole))

    def _stands_inline(self, array: Array, code: Any) -> bool:
        uses = self._uses.get(array, [])
        if not isinstance(code, Code):
            return not array.shape or all(use.whole and use.reader for use in uses)
        if array.name or not all(use.whole for use in uses):
            return self._is_condition(code, uses) and not array.name
        if self.backward and any(use.reader is None for use in uses):
            return False
        if re.fullmatch(r"([\d.e-]+ \* )?[\w.]+", code.plain) or self._is_condition(code, uses):
            return True
        if array.primitive is rules.subtract and all(_decides(use) for use in uses):
            return True
        reader = uses[0].reader
        if len(uses) > 1 or (reader is not None and len(code.plain) > LONGEST_INLINE):
            return False
        return reader is None or reader.primitive is BATCH_SUM or not _repeats(reader.primitive)

    def _is_condition(self, code: Code, uses: list[_Use]) -> bool:
        """Whether it is one that other expressions can hold: `da * (a > 0)`."""
        if not code.negation or len(code.plain) > LONGEST_INLINE:
            return False
        readers = [use.reader for use in uses]
        return all(reader and reader.form == "each" and not reader.primitive.variadic for reader in readers)

    # ----- References -----

    def _one_array(self, xs: Sequence[Any]) -> Array | None:
        """The array that all of these are in."""
        if not all(type(x) is Quantity and x in self.plan.place for x in xs):
            return None
        arrays = {self.plan.place[x][0] for x in xs}
        return arrays.pop() if len(arrays) == 1 else None

    def scalar(self, x: Any) -> Code:
        """One quantity: an array with a number for each example, or a number that they share."""
        if type(x) is not Quantity:
            return WIDE.literal(x)
        array, index = self.plan.place[x]
        code: Code = WIDE.code(self._code[array])
        if not array.shape:
            return code
        if array.shared:
            place = str(index) if len(array.shape) == 1 else f"{index // array.shape[1]}, {index % array.shape[1]}"
            return code.followed(f"[{place}]")
        if code.negation:
            return code.followed(f"[:, {index}]")
        return Column(code.followed(""), index, len(array.members))

    def _number(self, x: Any) -> Any:
        """As `scalar`, or a float if it is known."""
        array = self.plan.place[x][0] if type(x) is Quantity else None
        known = self._code[array] if array is not None else x
        return known if type(known) is float else self.scalar(x)

    def operand(self, xs: list[Any], part: Array) -> Any:
        """A slot of a part, in a shape that fits it."""
        if all(type(x) is float for x in xs) and is_same_everywhere(xs):
            return xs[0]
        if xs.count(xs[0]) == len(xs):
            code: Any = self._number(xs[0])
            if type(code) is float:
                return code
            rises = part.shape and not xs[0].shared
            return _column(code) if rises else code
        return self.row(xs, flat=len(part.shape) < 2)

    def row(self, xs: list[Any], *, flat: bool = True) -> Code:
        """Different quantities side by side: of shape (k,) if they are shared, else (n, k)."""
        array = self._one_array(xs)
        if array is None or not array.shape:
            return self.stacked(xs)
        code, indices = WIDE.code(self._code[array]), [self.plan.place[x][1] for x in xs]
        if indices == list(range(len(array.members))):
            return code.followed(".ravel()") if flat and len(array.shape) > 1 else code
        if not array.shared:
            return code.followed(f"[:, {_index(indices)}]")
        if len(array.shape) == 1:
            return code.followed(f"[{_index(indices)}]")
        return self._of_matrix(code, indices, array.shape[1])

    def _of_matrix(self, code: Code, indices: list[int], width: int) -> Code:
        rows, columns = [i // width for i in indices], [i % width for i in indices]
        if {*rows} == {rows[0]}:
            every = columns == list(range(width))
            return code.followed(f"[{rows[0]}]" if every else f"[{rows[0]}, {_index(columns)}]")
        if {*columns} == {columns[0]}:
            return code.followed(f"[{_index(rows)}, {columns[0]}]")
        return code.followed(f".ravel()[{_index(indices)}]")

    def stacked(self, xs: Sequence[Any]) -> Code:
        """Quantities of several arrays side by side."""
        if not any(type(x) is Quantity and not x.shared for x in xs):
            return Code(WIDE, f"np.array([{', '.join(self.scalar(x).plain for x in xs)}])")
        return self.block(xs)

    def block(self, xs: Sequence[Any]) -> Code:
        """Quantities side by side, of shape (n, k), also if there is but one."""
        array = self._one_array(xs)
        if array is not None and array.shape and not array.shared:
            return self.row(list(xs))
        pieces: list[str] = []
        for run in self._runs(list(xs)):
            array = self._one_array(run)
            if array is not None and array.shape and not array.shared:
                pieces.append(WIDE.number(self.row(run) if len(run) > 1 else self.scalar(run[0])).plain)
            else:
                pieces += [self._rising(x) for x in run]
        if len(xs) > 1:
            return Code(WIDE, f"np.column_stack([{', '.join(pieces)}])")
        return _column(self.scalar(xs[0])) if of_example(xs[0]) else Code(WIDE, f"{pieces[0]}[:, None]")

    def _rising(self, x: Any) -> str:
        code = WIDE.number(self.scalar(x)).plain
        is_row = type(x) is Quantity and not x.shared
        return code if is_row else f"np.full(len({self.plan.inputs[0].name}), {code})"

    def _runs(self, xs: list[Any]) -> list[list[Any]]:
        runs: list[list[Any]] = []
        for x in xs:
            alike = runs and (self._one_array([runs[-1][-1], x]) is not None or type(x) is type(runs[-1][-1]) is float)
            if alike:
                runs[-1].append(x)
            else:
                runs.append([x])
        return runs

    def matrix(self, rows: list[list[Any]]) -> Code:
        """Shared quantities in rows."""
        array = self._one_array([x for row in rows for x in row])
        if array is not None and [x for row in rows for x in row] == array.members and len(array.shape) == 1:
            return WIDE.code(self._code[array]).followed(f".reshape({len(rows)}, {len(rows[0])})")
        if array is None or len(array.shape) < 2:
            lists = [f"[{', '.join(self.scalar(x).plain for x in row)}]" for row in rows]
            return Code(WIDE, f"np.array([{', '.join(lists)}])")
        height, width = array.shape
        code = WIDE.code(self._code[array])
        places = [[divmod(self.plan.place[x][1], width) for x in row] for row in rows]
        for turned, grid in (("", places), (".T", list(map(list, zip(*places))))):
            down, right = [row[0][0] for row in grid], [column for _, column in grid[0]]
            if all(grid[i][j] == (down[i], right[j]) for i in range(len(down)) for j in range(len(right))):
                part = "" if right == list(range(width)) else f"[:, {_index(right)}]"
                part = (part if down == list(range(height)) else f"[{_index(down)}]{part}") + turned
                return code.followed(part) if part else code
        flat = [[i * width + j for i, j in row] for row in places]
        return code.followed(f".ravel()[np.array({flat})]")

    # ----- One method for each form of a part -----

    def code_of(self, part: Array) -> Any:
        """The expression that computes it."""
        compute: Callable[[Array], Any] = getattr(self, f"_{part.form}")
        return compute(part)

    def _each(self, part: Array) -> Any:
        primitive = part.primitive
        if primitive is rules.total:
            return self._total(part)
        if primitive.variadic:
            operands: list[Any] = list(map(self._number, part.members[0].operands))
        else:
            operands = [self.operand(part.slot(i), part) for i in range(len(part.members[0].operands))]
        if primitive.name in BUILT_IN and not any(isinstance(x, Code) for x in operands):
            return primitive(*operands)
        return WIDE.applied(primitive, operands)

    def _total(self, part: Array) -> Any:
        if len(part.members) > 1:
            array = self.plan.place[part.members[0].operands[0]][0]
            shape = f".reshape(-1, {len(part.members)}, {len(part.members[0].operands)})"
            return WIDE.code(self._code[array]).followed(f"{shape}.sum(axis=2)")
        terms: list[Any] = []
        groups: dict[Any, list[Any]] = {}
        for x in part.members[0].operands:
            groups.setdefault(self.plan.place[x][0] if type(x) is Quantity else None, []).append(x)
        for array, xs in groups.items():
            if array is None or len(xs) == 1:
                terms += map(self._number, xs)
                continue
            xs.sort(key=lambda x: self.plan.place[x][1])
            code = self.row(xs, flat=False)
            terms.append(WIDE.number(code).followed(".sum()" if array.shared else ".sum(axis=1)"))
        return NUMPY.added(terms)

    def _matrix(self, part: Array) -> Any:
        first = part.members[0]
        _, inputs, _ = rules.parts_of_dot(first.operands)
        terms: list[Any] = []
        for start, stop in self.plan.blocks(self.plan.group_of[first]):
            read = list(inputs[start:stop])
            rows = [list(q.operands[start:stop]) for q in part.members]
            terms.append(self._product(rows, read, part))
        return NUMPY.added([*terms, *self._biases(part)])

    def _product(self, rows: list[list[Any]], read: list[Any], part: Array) -> Any:
        if len(read) == 1 and not self.plan.is_column(read[0]):
            weights = self.operand([row[0] for row in rows], part)
            return _times(weights, self.scalar(read[0]) if len(rows) == 1 else _column(self.scalar(read[0])))
        weights = self.row(rows[0]) if len(rows) == 1 else self.matrix(list(map(list, zip(*rows))))
        if len(rows) == 1 and len(read) == 1:
            return _times(self.scalar(rows[0][0]), self.scalar(read[0]))
        return _matmul(self.block(read), weights)

    def _biases(self, part: Array) -> list[Any]:
        members = part.members
        biases = [self.operand(part.slot(reading(members)), part)] if has_bias(members) else []
        return [*biases, self.operand(part.slot(-1), part)]

    def _dots(self, part: Array) -> Any:
        count = reading(part.members)
        parts = [rules.parts_of_dot(q.operands) for q in part.members]
        rows = [list(weights[:count]) for weights, _, _ in parts]
        read = [list(inputs[:count]) for _, inputs, _ in parts]
        inputs = self._boxes(read)
        if all(row == rows[0] for row in rows):
            products: Any = _matmul(inputs, self.row(rows[0]))
        else:
            products = Code(WIDE, f'np.einsum("nkm,km->nk", {inputs.plain}, {self.matrix(rows).plain})')
        return NUMPY.added([products, *self._biases(part)])

    def _boxes(self, rows: list[list[Any]]) -> Code:
        """What is read row by row, of shape (n, k, m)."""
        array = self._one_array([x for row in rows for x in row])
        if array is not None and array.members == [x for row in rows for x in row]:
            return WIDE.code(self._code[array]).followed(f".reshape(-1, {len(rows)}, {len(rows[0])})")
        return Code(WIDE, f"np.stack([{', '.join(self.block(row).plain for row in rows)}], axis=1)")

    # ----- Means over the batch -----

    def _batch_sums(self, part: Array) -> Any:
        """Gradients of the mean: what the examples contribute, over n."""
        terms = self._aligned(part)
        if terms is not None and len(terms) > 2 and (code := self._of_many(terms, part.shape)) is not None:
            return code
        found = [] if terms is None else [self._contribution(xs, ys, part.shape) for xs, ys in terms]
        if terms is None or any(term is None for term in found):
            listed = [self._batch_sums(Array([q], (), "batch_sums", BATCH_SUM)) for q in part.members]
            code = Code(WIDE, f"np.array([{', '.join(WIDE.code(x).plain for x in listed)}])")
            return code.followed(f".reshape{_shape(part.shape)}") if len(part.shape) > 1 else code
        sums = [term for term, is_sum in found if is_sum]  # type: ignore[misc]
        means = [term for term, is_sum in found if not is_sum]  # type: ignore[misc]
        over_n = [WIDE.added(sums) / WIDE.name("n")] if sums else []
        return NUMPY.added([*over_n, *means])

    def _of_many(self, terms: list[tuple[list[Any], list[Any]]], shape: tuple[int, ...]) -> Any:
        """Of weights that each example uses many times, as in a convolution: one sum over the uses; None for others."""
        xs, ys = [xs for xs, _ in terms], [ys for _, ys in terms]
        flat = [y for column in ys for y in column]
        once = all(column.count(column[0]) == len(column) for column in ys)
        if not once or self._one_array(flat) is None or not all(map(of_example, flat)) or len(shape) > 1:
            return None
        of_uses = self.block([column[0] for column in ys])
        if not shape and all(type(column[0]) is float and column[0] == 1 for column in xs):
            return WIDE.number(of_uses).followed(".sum(axis=1).mean()")
        if len(shape) == 1 and all(of_example(x) for column in xs for x in column):
            return Code(WIDE, f'np.einsum("nk,nkm->m", {WIDE.number(of_uses).plain}, {self._boxes(xs).plain}) / n')
        return None

    def _aligned(self, part: Array) -> list[tuple[list[Any], list[Any]]] | None:
        """Terms (x of all members, y of all members) whose x come from one array each, and whose y do."""
        table = []
        for q in part.members:
            pairs = sorted(zip(q.operands[::2], q.operands[1::2]), key=self._origins)
            table.append(pairs)
        keys = [[self._origins(pair) for pair in pairs] for pairs in table]
        if any(key != keys[0] for key in keys):
            return None
        return [([pairs[t][0] for pairs in table], [pairs[t][1] for pairs in table]) for t in range(len(table[0]))]

    def _origins(self, pair: tuple[Any, Any]) -> tuple[int, int]:
        return self._origin(pair[0]), self._origin(pair[1])

    def _origin(self, x: Any) -> int:
        if type(x) is not Quantity:
            return -1
        array = self.plan.place[x][0] if x in self.plan.place else None  # None: the 1 of each example
        return self._number_of.get(array, -2)

    def _contribution(self, xs: list[Any], ys: list[Any], shape: tuple[int, ...]) -> tuple[Any, bool] | None:
        """The code of a term, and whether it is a sum that is to be divided by n; None if there is no short one."""
        part = Array([], shape)
        if not any(map(of_example, ys)):
            xs, ys = ys, xs
        if not any(map(of_example, xs)):
            if all(self._is_one(y) for y in ys):
                return self.operand(xs, part), False
            if len(shape) > 1 or any(self._is_one(y) for y in ys):
                return None
            product = _times(self.operand(xs, part), self._mean(ys, shape))
            if shape and all(column.count(column[0]) == len(column) for column in (xs, ys)):
                return Code(WIDE, f"np.full({shape[0]}, {WIDE.code(product).plain})"), False
            return product, False
        if any(self._is_one(y) for y in ys) or not all(map(of_example, [*xs, *ys])):
            return None
        if not shape:
            return _times(self.scalar(xs[0]), self.scalar(ys[0])).followed(".mean()"), False
        if len(shape) == 1:
            return self._of_vector(xs, ys)
        return self._of_grid(xs, ys, *shape)

    def _is_one(self, x: Any) -> bool:
        return type(x) is Quantity and x is x.book.one

    def _mean(self, ys: list[Any], shape: tuple[int, ...]) -> Code:
        if not shape:
            return WIDE.number(self.scalar(ys[0])).followed(".mean()")
        if ys.count(ys[0]) == len(ys):
            return self.scalar(ys[0]).followed(".mean()")
        return self.row(ys).followed(".mean(axis=0)")

    def _of_vector(self, xs: list[Any], ys: list[Any]) -> tuple[Any, bool]:
        for alike, others in ((xs, ys), (ys, xs)):
            if alike.count(alike[0]) == len(alike):
                return _matmul(self.scalar(alike[0]), self.block(others)), True
        for across, down in ((xs, ys), (ys, xs)):
            width = next(i for i, x in enumerate([*down, None]) if x is not down[0])
            height = len(down) // width
            in_rows = width > 1 and height * width == len(down) and _repeated(down[::width], width) == down
            if in_rows and across == across[:width] * height:
                code, is_sum = self._of_grid(xs, ys, height, width)
                return code.followed(".ravel()"), is_sum
        return _times(self.block(xs), self.block(ys)).followed(".mean(axis=0)"), False

    def _of_grid(self, xs: list[Any], ys: list[Any], height: int, width: int) -> tuple[Any, bool]:
        for across, down in ((xs, ys), (ys, xs)):
            by_row = all(down[i] is down[i - i % width] for i in range(len(down)))
            if by_row and across == across[:width] * height:
                return _matmul(self.block(down[::width]).followed(".T"), self.block(across[:width])), True
            if by_row:
                rows = [across[i : i + width] for i in range(0, len(across), width)]
                texts = self.block(down[::width]).plain, self._boxes(rows).plain
                return Code(WIDE, f'np.einsum("nk,nkm->km", {texts[0]}, {texts[1]})'), True
        code = _times(self.block(xs), self.block(ys)).followed(f".mean(axis=0).reshape({height}, {width})")
        return code, False


def _reads_at_once(primitive: Any, array: Array, xs: list[Any]) -> bool:
    """Whether a sum can hold the expression of the array: it is read once, and all of it."""
    if primitive is rules.total:
        return {*xs} >= {*array.members} and len({*xs}) == len(xs)
    return primitive is BATCH_SUM and not array.shape and xs.count(array.members[0]) == 1


def _decides(use: _Use) -> bool:
    """Whether it is the sign alone that is asked for."""
    primitive = use.reader.primitive if use.reader else None
    return primitive is rules.step or (primitive is rules.where and use.slot == 0)


def _repeats(primitive: Any) -> bool:
    return primitive.name in REPEATING or primitive.name not in BUILT_IN


def _repeated(xs: list[Any], count: int) -> list[Any]:
    return [x for x in xs for _ in range(count)]


def _times(x: Any, y: Any) -> Any:
    return y * x if isinstance(y, Code) and not isinstance(x, Code) else x * y


def _matmul(x: Code, y: Code) -> Code:
    return WIDE.infix("@", STRENGTH["multiply"], x, y)


def _column(code: Code) -> Code:
    if isinstance(code, Column):
        return code.array.followed(f"[:, {code.index}:{code.index + 1}]")
    return code.followed("[:, None]")


def _index(indices: list[int]) -> str:
    """A slice, if there is one, else a list."""
    start, count = indices[0], len(indices)
    step = indices[1] - start if count > 1 else 1
    if step > 0 and indices == list(range(start, start + count * step, step)):
        return f"{start or ''}:{indices[-1] + 1}" + f":{step}" * (step > 1)
    return str(indices)
