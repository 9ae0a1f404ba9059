"""Runs groups on arrays: `Machine(groups, layout, ...)` works through a batch in blocks of examples.

    machine.run(numbers, arrays)        # the shared leaves, and an array of shape (n, d) for each argument

A block's numbers stay in the cache, its arrays are made once and written again and again: at a large batch that is
what makes it faster than NumPy written by hand, where each operation makes a new array.
"""

from __future__ import annotations

from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

import numpy

from .. import rules
from .groups import Group
from .layout import Layout, Rows, as_rows
from .quantities import AFTER, BEFORE, EXAMPLES, Quantity

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any, TypeAlias

    Array: TypeAlias = numpy.ndarray[Any, Any]
    Call: TypeAlias = Callable[[], Any]

#: About how many bytes the numbers of a block may take: what a core has for itself as a cache.
CACHE = 1 << 20

#: The fewest examples of a block: below that, the calls cost more than the arithmetic.
FEWEST = 256

#: How many sizes of blocks are remembered.
REMEMBERED = 4


class Outcome(NamedTuple):
    """What a run found."""

    values: Array  # (n, outputs)
    totals: list[float]  # the sum of each output over the batch
    gradients: Array  # by the parameters, in the layout's order: those of the mean over the batch
    input_gradients: list[Array]  # of the shapes of the arguments, if they were asked for


class Machine:
    """A program in calls of NumPy.

    Args:
        outputs: what is wanted of each example.
        gradients: the adjoints of the layout's parameters, shared.
        input_gradients: for each argument, the adjoints of its elements.
        exact: whether nan and infinity are to be expected.
    """

    def __init__(
        self,
        groups: list[Group],
        layout: Layout,
        inputs: list[list[Quantity]],
        outputs: list[Any],
        gradients: list[Any],
        input_gradients: list[list[Any]],
        dtype: Any,
        *,
        exact: bool = False,
    ) -> None:
        self._groups = {stage: [g for g in groups if g.stage == stage] for stage in (BEFORE, EXAMPLES, AFTER)}
        self._layout = layout
        self._inputs = inputs
        self._outputs = outputs
        self._input_gradients = input_gradients
        self.exact = exact
        self._same_for_all = type(outputs[0]) is Quantity and outputs[0].shared
        self._dtype = numpy.dtype(dtype)
        self._parameter_count = len(layout.parameters)
        self._blocks: dict[tuple[int, bool], Block] = {}
        most = CACHE // (self._dtype.itemsize * max(1, layout.example_count))
        self.block_size = max(FEWEST, most // 64 * 64)
        numbers = [q.operands for group in groups for q in group.members]
        for x in chain(*numbers, outputs, gradients, *input_gradients):
            if type(x) is float:
                layout.constant(x)  # it gets its place
        self.shared = numpy.zeros((layout.shared_count, 1), self._dtype)
        for text, place in layout.constants.items():
            self.shared[place] = float(text)
        self._gradients = self._reader(gradients)
        self._sums = self.shared[layout.sums.start :][: layout.sums.size]
        self._adding = False  # whether sums over the batch begin at 0; those that are products do not
        self._before = self._bound(BEFORE)
        self._after = self._bound(AFTER)

    @property
    def calls(self) -> dict[str, int]:
        """How many calls of NumPy it takes for a block."""
        block = self._blocks.get((1, False)) or self._new_block(1)
        return {"before": len(self._before), "block": len(block.first), "after": len(self._after)}

    def run(self, numbers: Any, arrays: Sequence[Array]) -> Outcome:
        """All of a batch.

        Args:
            numbers: those of the parameters, in the layout's order.
            arrays: of shapes (n, d), one for each argument.
        """
        n = len(arrays[0])
        self.shared[: self._parameter_count, 0] = numbers
        if self._adding:
            self._sums.fill(0.0)
        for call in self._before:
            call()
        values = numpy.empty((len(self._outputs), n), self._dtype)
        by_inputs = [numpy.empty((len(column), n), self._dtype) for column in self._input_gradients]
        size = n if n <= self.block_size else -(-n // -(-n // self.block_size))  # blocks of about the same size
        for start in range(0, n, size):
            stop = start + size if start + size < n else n
            block = self._blocks.get((stop - start, size < n)) or self._new_block(stop - start, several=size < n)
            for rows, array in zip(block.inputs, arrays):
                rows[...] = array.T if size == n else array[start:stop].T
            for call in block.first if start == 0 else block.more:
                call()
            for result, source in zip([values, *by_inputs], block.results):
                for row, part in zip(result, source):
                    row[start:stop] = part
        for call in self._after:
            call()
        gradients = self._gradients()
        gradients = gradients.copy() if self._same_for_all else gradients / n
        return Outcome(values.T, numpy.add.reduce(values, 1).tolist(), gradients, [found.T for found in by_inputs])

    def _reader(self, gradients: list[Any]) -> Call:
        """What gives these numbers, shared ones, as they are when it is called."""
        rows = self._layout.rows_of(gradients) if gradients else Rows("shared", 0, 0)
        if rows.places:
            return lambda: self._view(rows, None)[:, 0]
        view = self._view(rows, None)[:, 0]
        return lambda: view

    # ----- Blocks -----

    def _new_block(self, size: int, *, several: bool = False) -> Block:
        """The calls for so many examples.

        Args:
            several: whether other blocks of the batch come before.
        """
        while len(self._blocks) >= REMEMBERED:
            del self._blocks[next(iter(self._blocks))]
        layout = self._layout
        array = numpy.zeros((layout.example_count, size), self._dtype)
        array[layout.ones] = 1.0
        inputs = [array[layout.place[column[0]] :][: len(column)] if column else array[:0] for column in self._inputs]
        results = [
            [self._view(layout.rows_of([x]), array)[0] for x in column]
            for column in [self._outputs, *self._input_gradients]
        ]
        first = self._bound(EXAMPLES, array)
        more = self._bound(EXAMPLES, array, first=False) if several else first
        block = Block(inputs, first, more, results)
        self._blocks[size, several] = block
        return block

    def _bound(self, stage: int, examples: Array | None = None, *, first: bool = True) -> list[Call]:
        binder = _Binder(self, examples, first=first)
        for group in self._groups[stage]:
            binder.bind(group)
        return binder.calls

    def _view(self, rows: Rows, examples: Array | None) -> Array:
        array = self.shared if rows.array == "shared" else examples
        assert array is not None
        if rows.places:
            return array[list(rows.places)]
        return array[rows.start : rows.start + rows.size * rows.step : rows.step]


class Block(NamedTuple):
    """The arrays and calls for so many examples."""

    inputs: list[Array]
    first: list[Call]  # sums over the batch are set by the first block,
    more: list[Call]  # and the others add to them
    results: list[list[Array]]


class _Binder:
    """Turns groups into calls on parts of the arrays."""

    def __init__(self, machine: Machine, examples: Array | None, *, first: bool) -> None:
        self.calls: list[Call] = []
        self._machine = machine
        self._layout = machine._layout
        self._examples = examples
        self._first = first
        self._room: dict[Any, Array] = {}  # what groups of one shape may share

    def bind(self, group: Group) -> None:
        getattr(self, f"_{group.form}")(group)

    def _call(self, function: Callable[..., Any], *operands: Any, **named: Any) -> None:
        self.calls.append(partial(function, *operands, **named))

    def _ufunc(self, ufunc: numpy.ufunc, *operands_and_out: Any) -> None:
        """By place it is quicker; only maximum and minimum want the last one by name."""
        if ufunc in (numpy.maximum, numpy.minimum):
            *operands, out = operands_and_out
            self._call(ufunc, *operands, out=out)
        else:
            self._call(ufunc, *operands_and_out)

    def _same_shape(self, out: Array, dtype: Any) -> Array:
        """An array of that shape: zeros, which `maximum` takes in half the time of a single one; or room for bools."""
        return self._room.setdefault((out.shape, dtype), numpy.zeros(out.shape, dtype))

    def _constant(self, number: float) -> Array:
        """An array without dimensions, which a ufunc takes quicker than a float."""
        return numpy.array(number, self._machine.shared.dtype)

    def _rows(self, rows: Rows) -> Array:
        """A part of an array; a copy that is made anew each time where the rows are not evenly apart."""
        if not rows.places:
            return self._machine._view(rows, self._examples)
        source = self._machine.shared if rows.array == "shared" else self._examples
        assert source is not None
        copy = numpy.empty((rows.size, source.shape[1]), source.dtype)
        self._call(numpy.take, source, numpy.array(rows.places), 0, copy, "clip")
        return copy

    def _operand(self, operands: list[Any]) -> Any:
        """One slot of a group; an array without dimensions if it is the same constant everywhere."""
        if all(type(x) is float for x in operands) and len({repr(x) for x in operands}) == 1:
            return self._constant(operands[0])
        return self._rows(self._layout.rows_of(operands, broadcast=True))

    def _out(self, group: Group) -> Array:
        return self._machine._view(
            as_rows(
                "shared" if group.stage != EXAMPLES else "examples", [self._layout.place[q] for q in group.members]
            ),
            self._examples,
        )

    # ----- One method for each form of a group -----

    def _matrix(self, group: Group) -> None:
        """weights @ inputs."""
        weights = self._matrix_of(group.weights, len(group.members))
        inputs = self._rows(self._layout.rows_of(group.inputs))
        self._call(numpy.dot, weights, inputs, self._out(group))  # a quarter less than matmul for small ones

    def _matrix_of(self, weights: list[Any], height: int) -> Array:
        """A matrix of shared numbers, row after row: a view where they are evenly apart in both directions."""
        width = len(weights) // height
        places = [self._layout.constant(x) if type(x) is float else self._layout.place[x] for x in weights]
        right = places[1] - places[0] if width > 1 else 1
        down = places[width] - places[0] if height > 1 else width
        start, array = places[0], self._machine.shared
        evenly = all(
            place == start + i * down + j * right
            for (i, j), place in zip(((i, j) for i in range(height) for j in range(width)), places)
        )
        if evenly and right > 0 and down > 0:
            size = array.itemsize
            return numpy.lib.stride_tricks.as_strided(array[start:, 0], (height, width), (down * size, right * size))
        return self._rows(Rows("shared", 0, len(places), 0, tuple(places))).reshape(height, width)

    def _dots(self, group: Group) -> None:
        """Σ weights * inputs, row by row."""
        height = len(group.members)
        width = len(group.weights) // height
        weights = self._matrix_of(group.weights, height)[:, None, :]
        rows = self._rows(self._layout.rows_of(group.inputs))
        inputs = rows.reshape(height, width, rows.shape[1])
        self._call(numpy.matmul, weights, inputs, self._out(group)[:, None, :])

    def _each(self, group: Group) -> None:
        """An operation on each row."""
        primitive, out = group.primitive, self._out(group)
        count = len(group.members[0].operands)
        if primitive is rules.total:
            rows = self._rows(self._layout.rows_of([x for q in group.members for x in q.operands]))
            self._call(numpy.add.reduce, rows.reshape(len(group.members), count, rows.shape[1]), 1, None, out)
            return
        slots = [group.slot(i) for i in range(count)]
        operands = [self._operand(slot) for slot in slots]
        if not self._machine.exact and primitive is rules.relu:
            self._ufunc(numpy.maximum, *operands, self._same_shape(out, out.dtype), out)
        elif not self._machine.exact and primitive is rules.step:
            # A ufunc that writes True and False as floats is slower than one more call that does.
            above = self._same_shape(out, numpy.dtype(bool))
            self._ufunc(numpy.greater, *operands, self._constant(0.0), above)
            self._call(numpy.copyto, out, above)
        elif not self._machine.exact and primitive is rules.multiply and _is_outer(operands, out):
            self._call(numpy.dot, *sorted(operands, key=len, reverse=True), out)  # half the time of a broadcast product
        elif primitive is rules.power and all(x == 2.0 for x in slots[1]):
            self._ufunc(numpy.multiply, operands[0], operands[0], out)
        elif isinstance(ufunc := getattr(numpy, primitive.name, None), numpy.ufunc) and primitive is getattr(
            rules, primitive.name, None
        ):
            self._ufunc(ufunc, *operands, out)
        else:
            self._call(_assign, out, primitive.array, *operands)

    def _batch_sums(self, group: Group) -> None:
        """Σ x * y over the batch: products of matrices where they make one, the others one by one."""
        others: list[Quantity] = []
        for members in self._adjacent(group.members):
            at = 0
            while at < len(members):
                width, height = _shape_of_product(members, at)
                if width:
                    self._product(members[at : at + width * height], width)
                else:
                    others.append(members[at])
                at += width * height or 1
        if others:
            self._one_by_one(others)

    def _adjacent(self, members: list[Quantity]) -> list[list[Quantity]]:
        """The members in the order of their rows, in runs whose rows are adjacent."""
        place = self._layout.place
        runs: list[list[Quantity]] = []
        for q in sorted(members, key=place.__getitem__):
            if runs and place[q] == place[runs[-1][-1]] + 1:
                runs[-1].append(q)
            else:
                runs.append([q])
        return runs

    def _product(self, members: list[Quantity], width: int) -> None:
        """A matrix of sums: adjoints @ inputs.T, for every time that the matrix was used."""
        start, height = self._layout.place[members[0]], len(members) // width
        total = self._machine.shared[start : start + len(members), 0].reshape(height, width)
        for t in range(0, len(members[0].operands), 2):
            inputs = self._rows(self._layout.example_rows([q.operands[t] for q in members[:width]]))
            of_results = self._rows(self._layout.rows_of([q.operands[t + 1] for q in members[::width]]))
            if t == 0 and self._first:
                self._call(numpy.dot, of_results, inputs.T, total)
            else:
                more = numpy.empty_like(total)
                self._call(numpy.dot, of_results, inputs.T, more)
                self._call(numpy.add, total, more, total)

    def _one_by_one(self, members: list[Quantity]) -> None:
        products: list[tuple[int, Any, Any]] = []
        sums: list[tuple[int, Any, Any]] = []
        for q in members:
            for x, y in zip(q.operands[::2], q.operands[1::2]):
                place = self._layout.place[q]
                if _of_example(x) and _of_example(y):
                    products.append((place, x, y))
                else:
                    sums.append((place, x, y) if _of_example(y) else (place, y, x))
        if products:
            places, xs, ys = map(list, zip(*products))
            found = self._column(len(places))
            rows = [self._rows(self._layout.rows_of(column)) for column in (xs, ys)]
            self._call(_row_products, *rows, found[:, 0])
            self._add_to(places, found)
        if sums:
            places, weights, ys = map(list, zip(*sums))
            found = self._column(len(places))
            self._call(numpy.add.reduce, self._rows(self._layout.rows_of(ys)), 1, None, found[:, 0])
            if not all(type(x) is float and x == 1.0 for x in weights):
                self._call(numpy.multiply, found, self._operand(weights), found)
            self._add_to(places, found)

    def _column(self, count: int) -> Array:
        return numpy.empty((count, 1), self._machine.shared.dtype)

    def _add_to(self, places: list[int], found: Array) -> None:
        rows = as_rows("shared", places)
        if rows.places:
            self._call(numpy.add.at, self._machine.shared[:, 0], numpy.array(places), found[:, 0])
        else:
            total = self._machine._view(rows, None)
            self._call(numpy.add, total, found, total)
        self._machine._adding = True


def _of_example(x: Any) -> bool:
    return type(x) is Quantity and not x.shared


def _shape_of_product(members: list[Quantity], at: int) -> tuple[int, int]:
    """Width and height of the matrix of sums that begins there: its rows read the same, each has one adjoint.

    (0, 0) where it is none.
    """
    first = members[at].operands
    if not all(map(_of_example, first[1::2])):
        return 0, 0

    def fits(q: Quantity, like: Quantity, slot: int) -> bool:
        return len(q.operands) == len(first) and q.operands[slot::2] == like.operands[slot::2]

    width = 1
    while at + width < len(members) and fits(members[at + width], members[at], 1):
        width += 1
    *readable, last = [members[at + j].operands[::2] for j in range(width)]
    if not all(_of_example(x) for column in readable for x in column):
        return 0, 0
    if not all(_of_example(x) or (type(x) is float and x == 1.0) for x in last):
        return (width - 1, 1) if width > 1 else (0, 0)
    height = 1
    while at + (height + 1) * width <= len(members):
        row = members[at + height * width : at + (height + 1) * width]
        if not all(fits(q, members[at + j], 0) and fits(q, row[0], 1) for j, q in enumerate(row)):
            break
        if not all(map(_of_example, row[0].operands[1::2])):
            break
        height += 1
    return width, height


def _is_outer(operands: list[Array], out: Array) -> bool:
    """Whether a number for each row is multiplied by one for each example."""
    return len(out) > 1 and sorted(x.shape for x in operands) == [(1, out.shape[1]), (len(out), 1)]


def _row_products(x: Array, y: Array, out: Array) -> None:
    numpy.einsum("kn,kn->k", x, y, out=out)


def _assign(out: Array, function: Callable[..., Any], *operands: Any) -> None:
    out[...] = function(*operands)
