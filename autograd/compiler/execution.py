"""Runs groups on arrays: `Machine(groups, layout, ...)` works through a batch in blocks of examples.

    machine.run(numbers, arrays)        # the shared leaves, and an array of shape (n, d) for each argument

A block's numbers stay in the cache, its arrays are made once and written again and again: at a large batch that is
what makes it faster than NumPy written by hand, where each operation makes a new array.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy

from .binding import Binder, part_of
from .layout import SUMS, Rows, as_rows
from .quantities import AFTER, BEFORE, EXAMPLES, Quantity

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence
    from typing import Any

    from .binding import Array
    from .calls import Calls
    from .groups import Group
    from .layout import Layout

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
    alone: dict[int, Array]  # the gradients of single rows, if they were asked for


class Machine:
    """A program in calls of NumPy.

    Args:
        outputs: what is wanted of each example.
        gradients: the rows of the adjoints of the layout's parameters, shared.
        input_gradients: for each argument, the adjoints of its elements.
        exact: whether nan and infinity are to be expected.
    """

    def __init__(
        self,
        groups: list[Group],
        layout: Layout,
        inputs: list[list[Quantity]],
        outputs: list[Any],
        gradients: list[int],
        input_gradients: list[list[Any]],
        dtype: Any,
        *,
        exact: bool = False,
    ) -> None:
        self.groups = {stage: [g for g in groups if g.stage == stage] for stage in (BEFORE, EXAMPLES, AFTER)}
        self.layout = layout
        self._inputs = inputs
        self._outputs = outputs
        self._input_gradients = input_gradients
        self._exact = exact
        self._same_for_all = type(outputs[0]) is Quantity and outputs[0].shared
        self._dtype = numpy.dtype(dtype)
        self._parameter_count = len(layout.parameters)
        self._blocks: dict[tuple[int, bool], Block] = {}
        most = CACHE // (self._dtype.itemsize * max(1, layout.example_count))
        self.block_size = max(FEWEST, most // 64 * 64)
        self.shared = numpy.zeros((layout.shared_count, 1), self._dtype)
        for text, place in layout.constants.items():
            self.shared[place] = float(text)
        self._gradients = self._reader(gradients)
        self.sums = self.shared[layout.sums.start :][: layout.sums.size]
        self._adding = False  # whether sums over the batch begin at 0; those that are products do not
        self._before = self._bound(BEFORE)
        self._after = self._bound(AFTER)

    @property
    def calls(self) -> dict[str, int]:
        """How many calls of NumPy it takes for a block."""
        block = self._blocks.get((1, False)) or self._new_block(1)
        return {"before": len(self._before), "block": len(block.first), "after": len(self._after)}

    def run(self, numbers: Any, arrays: Sequence[Array], alone: Collection[int] = ()) -> Outcome:
        """All of a batch.

        Args:
            numbers: those of the parameters, in the layout's order.
            arrays: of shapes (n, d), one for each argument.
            alone: rows whose own gradients are wanted as well.
        """
        n = len(arrays[0])
        self.shared[: self._parameter_count, 0] = numbers
        if self._adding:
            self.sums.fill(0.0)
        self._before.run()
        apart = Apart(self, alone) if alone else None
        values = numpy.empty((len(self._outputs), n), self._dtype)
        by_inputs = [numpy.empty((len(column), n), self._dtype) for column in self._input_gradients]
        size = n if n <= self.block_size else -(-n // -(-n // self.block_size))  # blocks of about the same size
        for start in range(0, n, size):
            stop = start + size if start + size < n else n
            block = self._blocks.get((stop - start, size < n)) or self._new_block(stop - start, several=size < n)
            for rows, array in zip(block.inputs, arrays):
                rows[...] = array.T if size == n else array[start:stop].T
            calls = block.first if start == 0 else block.more
            if apart is None:
                calls.run()
            else:
                apart.run(calls, block.array, start)
            for result, source in zip([values, *by_inputs], block.results):
                for i, part in enumerate(source):
                    result[i, start:stop] = part
        self._after.run()
        gradients = self._gradients()
        gradients = gradients.copy() if self._same_for_all else gradients / n
        totals = numpy.add.reduce(values, 1).tolist()
        gradients_alone = self._alone(apart) if apart else {}
        return Outcome(values.T, totals, gradients, [found.T for found in by_inputs], gradients_alone)

    def _reader(self, gradients: list[int]) -> Callable[[], Array]:
        """What gives these numbers, shared ones, as they are when it is called."""
        rows = as_rows("shared", gradients) if gradients else Rows("shared", 0, 0)
        if rows.places:
            return lambda: part_of(self.shared, rows)[:, 0]
        view = part_of(self.shared, rows)[:, 0]
        return lambda: view

    def _alone(self, apart: Apart) -> dict[int, Array]:
        """The gradients of single rows: what comes after all examples, from the sums of each of them."""
        found: dict[int, Array] = {}
        for place, sums in zip(apart.places, apart.sums.T):
            self.sums[:, 0] = sums
            with numpy.errstate(all="ignore"):
                self._after.run()
            found[place] = self._gradients().copy()
        return found

    # ----- Blocks -----

    def _new_block(self, size: int, *, several: bool = False) -> Block:
        """The calls for so many examples.

        Args:
            several: whether other blocks of the batch come before.
        """
        while len(self._blocks) >= REMEMBERED:
            del self._blocks[next(iter(self._blocks))]
        layout = self.layout
        array = numpy.zeros((layout.example_count, size), self._dtype)
        array[layout.ones] = 1.0
        inputs = [array[column[0].place :][: len(column)] if column else array[:0] for column in self._inputs]
        results = [[self._row(x, array) for x in column] for column in [self._outputs, *self._input_gradients]]
        first = self._bound(EXAMPLES, array)
        more = self._bound(EXAMPLES, array, first=False) if several else first
        block = Block(array, inputs, first, more, results)
        self._blocks[size, several] = block
        return block

    def _bound(self, stage: int, examples: Array | None = None, *, first: bool = True) -> Calls:
        binder = Binder(self.layout, self.shared, examples, exact=self._exact, first=first)
        for group in self.groups[stage]:
            binder.bind(group)
            if group.form in SUMS:
                binder.calls.sums.append(len(binder.calls))
        self._adding = self._adding or binder.is_adding
        return binder.calls

    def _row(self, x: Any, examples: Array) -> Array:
        rows = self.layout.rows_of([x])
        row: Array = part_of(self.shared if rows.array == "shared" else examples, rows)[0]
        return row


class Block(NamedTuple):
    """The array and the calls for so many examples."""

    array: Array
    inputs: list[Array]  # parts of it, as those of the results
    first: Calls  # sums over the batch are set by the first block,
    more: Calls  # and the others add to them
    results: list[list[Array]]


class Apart:
    """The sums over the batch, kept apart for some of its rows.

    When a block has computed a group of sums, all that a single example contributes to them is there. It is added up
    as the sums are defined, one by one: few examples are looked at.
    """

    def __init__(self, machine: Machine, places: Collection[int]) -> None:
        #: A column for each of these rows: what the machine would have in its own array of this name, were there no
        #: other row.
        self.sums = numpy.zeros((len(machine.sums), len(places)))
        self.places = list(places)
        self._machine = machine
        self._start = machine.layout.sums.start
        self._groups = [group for group in machine.groups[EXAMPLES] if group.form in SUMS]

    def run(self, calls: Calls, examples: Array, start: int) -> None:
        """Run a block, whose first example is that of row `start`."""
        stop = start + examples.shape[1]
        here = [i for i, place in enumerate(self.places) if start <= place < stop]
        columns = [self.places[i] - start for i in here]
        done = 0
        for count, group in zip(calls.sums, self._groups):
            calls.part(done, count).run()
            done = count
            if here:
                with numpy.errstate(all="ignore"):
                    self._add_up(group, examples, columns, here)
        calls.part(done).run()

    def _add_up(self, group: Group, examples: Array, columns: list[int], here: list[int]) -> None:
        """Σ x * y over the terms of each sum; or y * x1, y * x2, ... where they are in a row."""
        members = group.members
        start = numpy.array([q.place - self._start for q in members])
        if group.form == "batch_sums":
            xs, ys = ([x for q in members for x in q.operands[i::2]] for i in (0, 1))
            products = self._numbers(xs, examples, columns) * self._numbers(ys, examples, columns)
            counts = [0, *[len(q.operands) // 2 for q in members[:-1]]]
            self.sums[start[:, None], here] = numpy.add.reduceat(products, numpy.cumsum(counts))
            return
        read = self._numbers(members[0].operands[1:], examples, columns)
        adjoints = self._numbers(group.slot(0), examples, columns)
        self.sums[start[:, None, None] + numpy.arange(len(read))[:, None], here] = adjoints[:, None] * read

    def _numbers(self, xs: Sequence[Any], examples: Array, columns: list[int]) -> Array:
        """A row for each of these quantities and constants, a column for each example."""
        places = numpy.array([x.place if type(x) is Quantity else self._machine.layout.constant(x) for x in xs])
        own = numpy.array([type(x) is Quantity and not x.shared for x in xs])
        numbers = numpy.empty((len(xs), len(columns)))
        numbers[own] = examples[places[own, None], columns]
        numbers[~own] = self._machine.shared[places[~own]]
        return numbers
