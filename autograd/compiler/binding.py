"""From groups to calls of NumPy: a `Binder` binds each of them to the parts of the arrays that it reads and writes.

    binder = Binder(layout, shared, examples, exact=False, first=True)
    for group in groups:
        binder.bind(group)
    binder.calls.run()                  # now, and whenever the arrays hold other numbers

All that can be found out before there are numbers is found out here, once: `run` does nothing but call.
"""

from __future__ import annotations

from functools import cached_property, partial
from itertools import chain
from operator import attrgetter
from typing import TYPE_CHECKING

import numpy

from .. import rules
from ..primitives import BUILT_IN, PRIMITIVES
from .calls import Calls
from .groups import Group
from .layout import as_rows, step_of
from .quantities import Quantity, is_same_everywhere, of_example, text_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any, TypeAlias

    from ..primitives import Primitive
    from .layout import Layout, Rows

    Array: TypeAlias = numpy.ndarray[Any, Any]

#: What NumPy has under the name of a primitive of the table.
UFUNCS = {PRIMITIVES[name]: ufunc for name in BUILT_IN if isinstance(ufunc := getattr(numpy, name, None), numpy.ufunc)}

#: Those that are called as they are, whatever the operands.
PLAIN_UFUNCS = {
    primitive: ufunc
    for primitive, ufunc in UFUNCS.items()
    if primitive not in (rules.power, rules.maximum, rules.minimum)
}

#: So few rows that lie here and there are read one by one: to gather them takes longer.
FEW_ROWS = 6

#: A matrix that is used more often than this is a recurrent one: so many products of adjoints and inputs cost one call.
FEW_USES, STACKED = 8, 100


def part_of(array: Array, rows: Rows) -> Array:
    """These rows of the array that they are rows of; a copy where they are not evenly apart."""
    if rows.places:
        return array[list(rows.places)]
    return array[rows.start : rows.start + rows.size * rows.step : rows.step]


class Binder:
    """Turns groups into calls on parts of the arrays.

    Args:
        shared: the array that the layout calls so.
        examples: that of a block; None for groups that read no examples.
        exact: whether nan and infinity are to be expected.
        first: whether sums over the batch are set; the others add to them.
    """

    def __init__(self, layout: Layout, shared: Array, examples: Array | None, *, exact: bool, first: bool) -> None:
        self.calls = Calls()
        #: Whether some sums over the batch are added to what is there, also for the first block.
        self.is_adding = False
        self._layout = layout
        self._shared = shared
        self._examples = examples
        self._exact = exact
        self._dot = _exact_product if exact else numpy.dot
        self._matmul = _exact_product if exact else numpy.matmul
        self._first = first
        self._array = shared if examples is None else examples  # what groups write to
        self._room: dict[Any, Array] = {}  # what groups of one shape may share
        self._numbers: dict[Any, Array] = {}  # constants, and numbers that all examples share
        self._found_rows: dict[tuple[Any, ...], Array] = {}  # of the group at hand
        self._scratch: dict[tuple[int, int], Array] = {}  # for rows that are gathered, of groups large and small
        self._copies = 0  # how many arrays the group at hand has for rows that it gathers
        self._matrices: dict[Any, Array] = {}  # of these: a recurrent network uses one again and again
        self._binders: dict[str, Callable[[Group], None]] = {
            "matrix": self._matrix,
            "dots": self._dots,
            "each": self._each,
            "in_turn": self._in_turn,
            "batch_sums": self._batch_sums,
            "rows_of_sums": self._rows_of_sums,
        }

    @cached_property
    def _row_of(self) -> list[Array]:
        return list(self._array)

    def bind(self, group: Group) -> None:
        """Append the calls that compute the group."""
        primitive, members = group.primitive, group.members
        self._copies = 0
        if primitive in PLAIN_UFUNCS and self._are_scattered(members):
            self._in_turn(group)
        else:
            self._binders[group.form](group)

    def _are_scattered(self, members: list[Quantity]) -> bool:
        """Whether to compute these one by one is sooner done than to gather what they read, and does no harm."""
        if len(members) > FEW_ROWS or self._examples is None:
            return False
        written = {q.place for q in members}
        scattered = False
        for slot in zip(*[q.operands for q in members]):
            if type(slot[0]) is Quantity and not slot[0].shared:
                places = [x.place for x in slot]
                if not written.isdisjoint(places):  # what is written may be read by the next one
                    return False
                if not step_of(places) and places.count(places[0]) < len(places):
                    scattered = True
        return scattered

    def _call(self, function: Callable[..., Any], *operands: Any) -> None:
        self.calls.add_with(function, operands)

    def _ufunc(self, ufunc: numpy.ufunc, *operands_and_out: Any) -> None:
        """By place it is quicker; only maximum and minimum want the last one by name."""
        if ufunc in (numpy.maximum, numpy.minimum):
            *operands, out = operands_and_out
            self._call(partial(ufunc, out=out), *operands)
        else:
            self._call(ufunc, *operands_and_out)

    def _same_shape(self, out: Array, dtype: Any) -> Array:
        """An array of that shape: zeros, which `maximum` takes in half the time of a single one; or room for bools."""
        key = (out.shape, dtype)
        if key not in self._room:
            self._room[key] = numpy.zeros(out.shape, dtype)
        return self._room[key]

    def _constant(self, number: float) -> Array:
        """An array without dimensions, which a ufunc takes quicker than a float."""
        key = number or text_of(number)  # a text takes longer, and only zeros need it
        if key not in self._numbers:
            self._numbers[key] = numpy.array(number, self._shared.dtype)
        return self._numbers[key]

    def _number(self, x: Any) -> Array:
        """A constant, or what examples share: without dimensions, for a ufunc takes twice as long to stretch a row."""
        if type(x) is float:
            return self._constant(x)
        if x not in self._numbers:
            self._numbers[x] = self._shared[x.place, 0, ...]
        return self._numbers[x]

    def _rows(self, rows: Rows) -> Array:
        """A part of an array; a copy that is made anew each time where the rows are not evenly apart."""
        source = self._shared if rows.array == "shared" else self._examples
        assert source is not None
        return self._gathered(source, rows.places) if rows.places else part_of(source, rows)

    def _gathered(self, source: Array, places: Sequence[int]) -> Array:
        self._copies += 1
        count, width = len(places), source.shape[1]
        room = self._scratch.get((width, self._copies))
        if room is None or len(room) < count:  # what was too small stays that of the groups before
            room = self._scratch[width, self._copies] = numpy.empty((2 * count, width), source.dtype)
        copy = room[:count]
        self._call(source.take, numpy.array(places), 0, copy, "clip")
        return copy

    def _operand(self, operands: Sequence[Any]) -> Array:
        """One slot of a group; an array without dimensions if it is the same constant everywhere."""
        first = operands[0]
        if type(first) is float:
            same = is_same_everywhere(operands)
            return self._constant(first) if same else self._rows(self._layout.rows_of(operands))
        if operands.count(first) == len(operands):
            return self._single(first) if first.shared else self._row_of[first.place][None]
        if first.shared:
            return self._rows(self._layout.rows_of(operands))
        places = [x.place for x in operands]  # if the first is an example's, all are: their kinds are the same
        assert self._examples is not None
        if step := step_of(places):
            return self._examples[places[0] : places[-1] + 1 : step]
        return self._gathered(self._examples, places)

    def _out(self, group: Group) -> Array:
        start = group.members[0].place
        return self._array[start : start + len(group.members)]

    # ----- One method for each form of a group -----

    def _matrix(self, group: Group) -> None:
        """weights @ inputs."""
        weights = self._matrix_of(group.weights, len(group.members))
        inputs = self._rows(self._layout.rows_of(group.inputs))
        self._call(self._dot, weights, inputs, self._out(group))  # a quarter less than matmul for small ones

    def _matrix_of(self, weights: list[Any], height: int) -> Array:
        """A matrix of shared numbers, row after row: a view where they are evenly apart in both directions."""
        places = numpy.array(self._layout.shared_places(weights)).reshape(height, -1)
        key = places.shape, places.tobytes()
        if key not in self._matrices:
            self._matrices[key] = self._shared_matrix(places)
        return self._matrices[key]

    def _shared_matrix(self, places: Array) -> Array:
        (height, width), array = places.shape, self._shared
        start = int(places[0, 0])
        right = int(places[0, 1]) - start if width > 1 else 1
        down = int(places[1, 0]) - start if height > 1 else width
        evenly = start + down * numpy.arange(height)[:, None] + right * numpy.arange(width)
        if right > 0 and down > 0 and (places == evenly).all():
            size = array.itemsize
            return numpy.lib.stride_tricks.as_strided(array[start:, 0], (height, width), (down * size, right * size))
        copy = numpy.empty((places.size, 1), array.dtype)  # of its own: other groups use it as it is
        self._call(array.take, places.ravel(), 0, copy, "clip")
        return copy.reshape(height, width)

    def _dots(self, group: Group) -> None:
        """Σ weights * inputs, row by row."""
        height = len(group.members)
        width = len(group.weights) // height
        weights = self._matrix_of(group.weights, height)[:, None, :]
        rows = self._rows(self._layout.rows_of(group.inputs))
        inputs = rows.reshape(height, width, rows.shape[1])
        self._call(self._matmul, weights, inputs, self._out(group)[:, None, :])

    def _each(self, group: Group) -> None:
        """An operation on each row."""
        primitive, members = group.primitive, group.members
        if primitive is rules.total:
            self._totals(group)
            return
        if len(members) == 1:
            (q,) = members
            operands, out = [self._single(x) for x in q.operands], self._row_of[q.place]
        else:
            operands = [self._operand(group.slot(i)) for i in range(len(members[0].operands))]
            out = self._out(group)
        if primitive is rules.power and all(q.operands[1] == 2.0 for q in members):
            primitive, operands = rules.multiply, operands[:1] * 2
        self._elementwise(primitive, operands, out)

    def _in_turn(self, group: Group) -> None:
        """An operation on one row after another."""
        add, row_of, number, alone = self.calls.add, self._row_of, self._number, self._examples is None
        for q in group.members:
            ufunc = PLAIN_UFUNCS.get(q.primitive)
            if ufunc is None:
                self._copies = 0
                self._each(Group("each", q.primitive, [q], q.stage))
                continue
            operands = q.operands
            x = operands[0]  # `_single` written out, a third off the time of a chain
            first = row_of[x.place] if type(x) is Quantity and x.shared is alone else number(x)
            if len(operands) == 2:
                x = operands[1]
                second = row_of[x.place] if type(x) is Quantity and x.shared is alone else number(x)
                add(ufunc, first, second, row_of[q.place])
            else:
                add(ufunc, first, row_of[q.place])

    def _totals(self, group: Group) -> None:
        """The sum of the operands of each member."""
        height, count = len(group.members), len(group.members[0].operands)
        rows = self._rows(self._layout.rows_of([x for q in group.members for x in q.operands]))
        self._call(numpy.add.reduce, rows.reshape(height, count, rows.shape[1]), 1, None, self._out(group))

    def _single(self, x: Any) -> Array:
        """The operand of a group of one."""
        if type(x) is Quantity and x.shared is (self._examples is None):
            return self._row_of[x.place]
        return self._number(x)

    def _elementwise(self, primitive: Primitive, operands: list[Array], out: Array) -> None:
        if not self._exact and primitive is rules.multiply and _is_outer(operands, out):
            self._call(numpy.dot, *sorted(operands, key=len, reverse=True), out)  # half the time of a broadcast product
        elif primitive in UFUNCS:
            self._ufunc(UFUNCS[primitive], *operands, out)
        elif not self._exact and primitive is rules.relu:
            self._ufunc(numpy.maximum, *operands, self._same_shape(out, out.dtype), out)
        elif not self._exact and primitive is rules.step:
            # A ufunc that writes True and False as floats is slower than one more call that does.
            above = self._same_shape(out, numpy.dtype(bool))
            self._ufunc(numpy.greater, *operands, self._constant(0.0), above)
            self._call(numpy.copyto, out, above)
        else:
            self._call(_assign, out, primitive.array, *operands)

    def _batch_sums(self, group: Group) -> None:
        """Σ x * y over the batch: products of matrices where they make one, the others one by one."""
        others: list[Quantity] = []
        single_at_once = len(group.members) > FEW_ROWS
        self._found_rows.clear()
        for members in self._adjacent(group.members):
            reads: list[tuple[Any, ...]] = []
            adjoints: list[tuple[Any, ...]] = []
            at = 0
            while at < len(members):
                if single_at_once and _is_alone(members, at):
                    others.append(members[at])
                    at += 1
                    continue
                if not reads:
                    reads, adjoints = [q.operands[::2] for q in members], [q.operands[1::2] for q in members]
                width, height = _shape_of_product(reads, adjoints, at)
                if width:
                    self._products(
                        members[at].place, reads[at : at + width], adjoints[at : at + width * height : width]
                    )
                else:
                    others.append(members[at])
                at += width * height or 1
        if others:
            self._one_by_one(others)

    def _rows_of_sums(self, group: Group) -> None:
        """The gradient of a matrix, which is a product of matrices too."""
        self._found_rows.clear()
        read = group.members[0].operands[1:]
        for members in self._adjacent(group.members, len(read)):
            self._products(members[0].place, [(x,) for x in read], [q.operands[:1] for q in members])

    def _adjacent(self, members: list[Quantity], size: int = 1) -> list[list[Quantity]]:
        """The members in the order of their rows, of which each has so many, in runs whose rows are adjacent."""
        runs: list[list[Quantity]] = []
        for q in sorted(members, key=attrgetter("place")):
            if runs and q.place == runs[-1][-1].place + size:
                runs[-1].append(q)
            else:
                runs.append([q])
        return runs

    def _rows_once(self, operands: tuple[Any, ...]) -> Array:
        """Rows of examples, which other sums of the group may read as well."""
        if operands not in self._found_rows:
            self._found_rows[operands] = self._rows(self._layout.example_rows(operands))
        return self._found_rows[operands]

    def _products(self, start: int, inputs: list[tuple[Any, ...]], adjoints: list[tuple[Any, ...]]) -> None:
        """A matrix of sums: adjoints @ inputs.T, for every time that the matrix was used.

        Args:
            inputs: for each column, what stands there at each use.
            adjoints: the same for each row.
        """
        height, width, uses = len(adjoints), len(inputs), len(inputs[0])
        total = self._shared[start : start + height * width, 0].reshape(height, width)
        many = uses > FEW_USES
        step = STACKED if many else 1
        for t in range(0, uses, step):
            inputs_at, adjoints_at = ([*zip(*[x[t : t + step] for x in some])] for some in (inputs, adjoints))
            out = total if t == 0 and self._first else self._room_for(total.shape, "more")
            if many:
                self._stacked_products(inputs_at, adjoints_at, out)
            else:
                of_inputs, of_adjoints = self._rows_once(inputs_at[0]), self._rows_once(adjoints_at[0])
                self._call(self._dot, of_adjoints, of_inputs.T, out)
            if out is not total:
                self._call(numpy.add, total, out, total)

    def _stacked_products(self, inputs_at: list[Any], results_at: list[Any], out: Array) -> None:
        """The sum of many products of matrices: copies of their rows, and one call for all."""
        of_results, inputs = self._stack(results_at, "results"), self._stack(inputs_at, "inputs")
        products = self._room_for((len(inputs_at), *out.shape), "products")
        self._call(self._matmul, of_results, inputs.transpose(0, 2, 1), products)
        self._call(numpy.add.reduce, products, 0, None, out)

    def _stack(self, rows: list[Any], purpose: str) -> Array:
        """A copy of rows of examples, of shape (uses, rows of each, examples); a 1.0 is that of a bias."""
        one = self._layout.ones[0]
        places = numpy.array([[x.place if type(x) is Quantity else one for x in some] for some in rows])
        stack = self._room_for((*places.shape, self._array.shape[1]), purpose)
        self._call(self._array.take, places, 0, stack, "clip")
        return stack

    def _room_for(self, shape: tuple[int, ...], purpose: str) -> Array:
        """An array that is written and read by calls that follow each other."""
        if (shape, purpose) not in self._room:
            self._room[shape, purpose] = numpy.empty(shape, self._array.dtype)
        return self._room[shape, purpose]

    def _one_by_one(self, members: list[Quantity]) -> None:
        # Columns, not tuples: so many objects less for the garbage collector to go over.
        products: tuple[list[int], list[Any], list[Any]] = [], [], []  # the place of a sum, and factors of examples
        sums: tuple[list[int], list[Any], list[Any]] = [], [], []  # the same of a shared factor and one of examples
        for q in members:
            factors = q.operands
            for i in range(0, len(factors), 2):
                x, y = factors[i], factors[i + 1]
                if not of_example(y):
                    x, y = y, x
                places, xs, ys = products if of_example(x) else sums
                places.append(q.place)
                xs.append(x)
                ys.append(y)
        for start in range(0, len(products[0]), STACKED):
            self._copies = 0  # those of the hundred before are not read any more
            places, xs, ys = (column[start : start + STACKED] for column in products)
            found = self._column(len(places))
            rows = [self._rows(self._layout.rows_of(column)) for column in (xs, ys)]
            self._call(_row_products, *rows, found[:, 0])
            self._add_to(places, found)
        places, weights, ys = sums
        if places:
            found = self._column(len(places))
            self._call(numpy.add.reduce, self._rows(self._layout.rows_of(ys)), 1, None, found[:, 0])
            if not all(type(x) is float and x == 1.0 for x in weights):
                self._call(numpy.multiply, found, self._operand(weights), found)
            self._add_to(places, found)

    def _column(self, count: int) -> Array:
        return numpy.empty((count, 1), self._shared.dtype)

    def _add_to(self, places: list[int], found: Array) -> None:
        rows = as_rows("shared", places)
        if rows.places:
            self._call(numpy.add.at, self._shared[:, 0], numpy.array(places), found[:, 0])
        else:
            total = part_of(self._shared, rows)
            self._call(numpy.add, total, found, total)
        self.is_adding = True


def _is_alone(members: list[Quantity], at: int) -> bool:
    """Whether this sum is of one product, and the next one does not begin with one of its factors."""
    factors = members[at].operands
    if len(factors) > 2 or at + 1 == len(members):
        return len(factors) == 2
    following = members[at + 1].operands
    return following[0] is not factors[0] and following[1] is not factors[1]


def _shape_of_product(reads: list[Any], adjoints: list[Any], at: int) -> tuple[int, int]:
    """Width and height of the matrix of sums that begins there: its rows read the same, each has one adjoint.

    (0, 0) where it is none.

    Args:
        reads, adjoints: for each sum, the first factors of its products, and the second.
    """
    first, count = adjoints[at], len(adjoints)
    if not all(map(of_example, first)):
        return 0, 0
    width = 1
    while at + width < count and adjoints[at + width] == first:
        width += 1
    row = reads[at : at + width]
    if not all(map(of_example, chain(*row[:-1]))):
        return 0, 0
    if not all(of_example(x) or (type(x) is float and x == 1.0) for x in row[-1]):
        return (width - 1, 1) if width > 1 else (0, 0)
    height = 1
    for below in range(at + width, count - width + 1, width):
        alike = adjoints[below : below + width]
        if alike.count(alike[0]) < width or not all(map(of_example, alike[0])) or reads[below : below + width] != row:
            break
        height += 1
    return width, height


def _is_outer(operands: list[Array], out: Array) -> bool:
    """Whether a number for each row is multiplied by one for each example."""
    return out.ndim == 2 and len(out) > 1 and sorted(x.shape for x in operands) == [(1, out.shape[1]), (len(out), 1)]


def _exact_product(x: Array, y: Array, out: Array) -> None:
    """x @ y, in which 0 times infinity is nan: a BLAS may leave out what is multiplied by 0."""
    numpy.einsum("...ij,...jk->...ik", x, y, out=out)


def _row_products(x: Array, y: Array, out: Array) -> None:
    numpy.einsum("kn,kn->k", x, y, out=out)


def _assign(out: Array, function: Callable[..., Any], *operands: Any) -> None:
    out[...] = function(*operands)
