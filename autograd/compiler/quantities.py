"""What a program computes, before it is put into arrays: the recorded tape of one example as `Quantity` objects.

    book = Quantities()
    x, w = book.leaf("x", shared=False), book.leaf("w", shared=True)
    tanh(w * x)                                      # the rules of the table work on quantities as they do on Values
    adjoints(book, loss, [w])                        # backward_pass.py: more quantities

A quantity is `shared` if it is one number for the whole batch (a parameter, and what comes from parameters alone);
otherwise there is one for each example. Equal quantities are one object: common subexpressions are computed once.
"""

from __future__ import annotations

from collections import defaultdict
from operator import attrgetter
from typing import TYPE_CHECKING

from .. import rules
from ..scalars import as_number

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import Any, TypeAlias

    from ..primitives import Primitive

    Term: TypeAlias = tuple["Quantity | float", "Quantity | float"]


#: The place of a quantity before a Layout gives it one: nothing asks for it so far; something does; and the last one
#: that reads it is known. Marks in the quantities themselves take less time, and room, than sets of them.
UNPLACED, NEEDED, READ = -1, -2, -3

_new = object.__new__  # makes a quantity without __init__, in three quarters of the time


class Quantity:
    """One number of each example, or one that all examples share. It has the operators of a Value."""

    __slots__ = ("book", "label", "level", "operands", "place", "primitive", "shared", "stage")

    book: Quantities
    primitive: Any  # one of the table, BATCH_SUM or ROW_OF_SUMS; None: a leaf
    operands: tuple[Any, ...]  # Quantities, and floats for constants
    label: str
    level: int  # one more than the highest of the operands
    place: int  # its row in the array of its kind (of a row of sums, the first one); before that, a mark
    shared: bool
    stage: int

    def _record(self, primitive: Primitive, operands: Sequence[Any]) -> Any:
        return self.book.of(primitive, operands)

    def __add__(self, other: Any) -> Any:
        return self.book.of_two(rules.add, self, other)

    def __radd__(self, other: Any) -> Any:
        return self.book.of_two(rules.add, other, self)

    def __sub__(self, other: Any) -> Any:
        return self.book.of_two(rules.subtract, self, other)

    def __rsub__(self, other: Any) -> Any:
        return self.book.of_two(rules.subtract, other, self)

    def __mul__(self, other: Any) -> Any:
        return self.book.of_two(rules.multiply, self, other)

    def __rmul__(self, other: Any) -> Any:
        return self.book.of_two(rules.multiply, other, self)

    def __truediv__(self, other: Any) -> Any:
        return self.book.of_two(rules.divide, self, other)

    def __rtruediv__(self, other: Any) -> Any:
        return self.book.of_two(rules.divide, other, self)

    def __pow__(self, other: Any) -> Any:
        return self.book.of_two(rules.power, self, other)

    def __rpow__(self, other: Any) -> Any:
        return self.book.of_two(rules.power, other, self)

    def __neg__(self) -> Any:
        return self.book.of(rules.negative, (self,))

    def __pos__(self) -> Any:
        return self

    def __abs__(self) -> Any:
        return self.book.of(rules.absolute, (self,))

    def __bool__(self) -> bool:
        raise TypeError("it branches on a number")

    def __repr__(self) -> str:
        name = self.primitive.name if self.primitive else "leaf"
        return f"<{'shared ' * self.shared}{name} {self.label}>"


def of_example(x: Any) -> bool:
    """Whether it is a quantity that every example has of its own: no constant, and not shared."""
    return type(x) is Quantity and not x.shared


#: What tells constants apart, and what float() makes them of again: 0.0 and -0.0 are equal, and differ; nan equals
#: nothing.
text_of = repr


def is_same_everywhere(constants: Sequence[Any]) -> bool:
    """Whether these are one constant, again and again."""
    first = constants[0]
    if first == 0 or first != first:  # zeros that are equal may differ, and nan differs from itself
        return len({*map(text_of, constants)}) == 1
    return constants.count(first) == len(constants)


#: When a quantity is known: before the examples, when all of them are added up, or for each of them. What is made of
#: several is known as the last of these in this order.
BEFORE, AFTER, EXAMPLES = range(3)


#: A graph of more levels than these is mostly so narrow that calls cost more than the arithmetic: what can wait is
#: put off, to be computed with others.
DEEP = 50


class BatchSum:
    """What marks a quantity as a sum over the batch: how examples contribute to a shared adjoint."""

    def __init__(self, name: str) -> None:
        self.name = name


#: Σ x * y over terms and over the batch; the operands are x, y, x, y, ...
BATCH_SUM: Any = BatchSum("batch_sum")

#: The sums of y * x1, of y * x2, ...; the operands are y, x1, x2, ... It is a row of the gradient of a matrix.
ROW_OF_SUMS: Any = BatchSum("row_of_sums")

#: A sum of fewer terms than this is written with +.
FEW = 4


class Quantities:
    """Makes quantities; asked twice for the same one, it gives the same object."""

    def __init__(self) -> None:
        #: By the operands.
        self._known: defaultdict[Primitive, dict[Any, Quantity]] = defaultdict(dict)
        #: The level of what could be lower.
        self.floor = 0
        #: All of them, operands before what is made of them.
        self.made: list[Quantity] = []
        #: For shared quantities, what the examples contribute to their adjoint.
        self.batch_sums: dict[Quantity, Quantity] = {}
        #: Whose adjoints a row of such sums is.
        self.rows_of_sums: dict[Quantity, tuple[Quantity, ...]] = {}
        #: The numbers among the operands.
        self.constants: set[float] = set()
        #: The number 1 of each example.
        self.one = self.leaf("one", shared=False)

    def leaf(self, label: str, *, shared: bool) -> Quantity:
        """An input, or a parameter."""
        return self._made(None, (), -1, BEFORE if shared else EXAMPLES, label)

    def of(self, primitive: Primitive, operands: Iterable[Any]) -> Any:
        """The primitive applied to quantities and constants, or something simpler that is equal to it."""
        operands = tuple(operands)
        if len(operands) == 2 and primitive not in _SIMPLER:
            return self.of_two(primitive, *operands)
        for x in operands:
            if type(x) is not Quantity:
                return self._of_constants(primitive, operands)
        simpler = _SIMPLER.get(primitive)
        if simpler is not None and (found := simpler(self, *operands)) is not None:
            return found
        return self._unique(primitive, operands, operands)

    def of_two(self, primitive: Primitive, x: Any, y: Any) -> Any:
        """`of` for two operands and primitives that `_SIMPLER` has not: what most are made by, in half the time."""
        operands = (x, y)
        if type(x) is not Quantity:
            return self._with_number(primitive, operands, y, x) if type(y) is Quantity else primitive(x, y)
        if type(y) is not Quantity:
            return self._with_number(primitive, operands, x, y)
        known = self._known[primitive]
        found = known.get(operands)
        if found is None:
            level = x.level if x.level > y.level else y.level
            stage = x.stage if x.stage > y.stage else y.stage
            found = known[operands] = self._made(primitive, operands, level, stage)
        return found

    def _with_number(self, primitive: Primitive, operands: tuple[Any, ...], x: Quantity, number: Any) -> Any:
        """`of_two` where one of the operands is a number, and the other one x."""
        if type(number) is not float:
            number = as_number(number, primitive.name)
            operands = (x, number) if operands[0] is x else (number, x)
        simpler = _SIMPLER_WITH_CONSTANTS.get(primitive)
        if simpler is not None and (found := simpler(self, *operands)) is not None:
            return found
        self.constants.add(number)
        key = operands if number else _told_apart(operands, [number])
        known = self._known[primitive]
        found = known.get(key)
        if found is None:
            found = known[key] = self._made(primitive, operands, x.level, x.stage)
        return found

    def _of_constants(self, primitive: Primitive, operands: tuple[Any, ...]) -> Any:
        """`of` for operands of which some are numbers, or all of them."""
        operands = tuple([x if type(x) in KINDS else as_number(x, primitive.name) for x in operands])
        if Quantity not in map(type, operands):
            return primitive(*operands)
        simpler = _SIMPLER_WITH_CONSTANTS.get(primitive)
        found = simpler(self, *operands) if simpler else None
        return self._with_constants(primitive, operands) if found is None else found

    def _with_constants(self, primitive: Primitive, operands: tuple[Any, ...]) -> Quantity:
        constants = [x for x in operands if type(x) is float]
        self.constants.update(constants)
        zeros = [x for x in constants if not x]
        return self._unique(primitive, operands, _told_apart(operands, zeros) if zeros else operands)

    def _unique(self, primitive: Primitive, operands: tuple[Any, ...], key: tuple[Any, ...]) -> Quantity:
        known = self._known[primitive]
        found = known.get(key)
        if found is None:
            found = known[key] = self._made_of(primitive, operands)
        return found

    def _made_of(self, primitive: Any, operands: tuple[Any, ...]) -> Quantity:
        level, stage = -1, BEFORE
        for x in operands:
            if type(x) is Quantity:
                if x.level > level:
                    level = x.level
                if x.stage > stage:
                    stage = x.stage
        return self._made(primitive, operands, level, stage)

    def _made(self, primitive: Any, operands: tuple[Any, ...], level: int, stage: int, label: str = "") -> Quantity:
        """One of operands whose highest level and last stage are these."""
        q = _new(Quantity)
        q.book = self
        q.primitive = primitive
        q.operands = operands
        q.label = label
        q.level = level + 1 if level >= self.floor else self.floor
        q.place = UNPLACED
        q.shared = stage != EXAMPLES
        q.stage = stage
        self.made.append(q)
        return q

    def over_batch(self, kind: Any, operands: tuple[Any, ...], label: str = "") -> Quantity:
        """A sum over the batch, or a row of them: shared, though examples are read for it."""
        level = -1
        for x in operands:
            if type(x) is float:
                self.constants.add(x)
            elif x.level > level:
                level = x.level
        return self._made(kind, operands, level, AFTER, label)

    def sums_of(self, row: Quantity) -> list[Quantity]:
        """What a row of sums stands for: a sum for each weight."""
        adjoint, *read = row.operands
        for weight, x in zip(self.rows_of_sums[row], read):
            label = f"d{weight.label}" if weight.label else ""
            factors = (x, 1.0 if adjoint is self.one and type(x) is Quantity else adjoint)
            self.batch_sums[weight] = self.over_batch(BATCH_SUM, factors, label)
        return [self.batch_sums[weight] for weight in self.rows_of_sums[row]]

    def forget(self) -> None:
        """Let go of the lists of what was made: so many objects less for the garbage collector to go over.

        To be called when all are made and `groups.needed` has gone over them. Quantities keep their operands, and the
        sums and constants of the book stay; but `of` does not find equal ones any more, and neither `adjoints` nor
        `needed` finds any.
        """
        self.made.clear()
        self._known.clear()

    # ----- What is simpler, and equal; None if there is no such thing -----

    def _sum_of(self, *operands: Any) -> Any:
        if float in map(type, operands):
            return self.combined([(1.0, x) for x in operands])
        return self._sum([(1.0, x) for x in sorted(operands, key=attrgetter("shared"))], 0.0)  # as `combined` would

    def _mean_of(self, *operands: Any) -> Any:
        return self.of_two(rules.multiply, 1 / len(operands), self._sum_of(*operands))

    def _dot_of(self, *operands: Any) -> Any:
        weights, inputs, bias = rules.parts_of_dot(operands)
        return self.combined([*zip(weights, inputs), (bias, 1.0)])

    def _positive_of(self, x: Quantity) -> Any:
        return x

    def _negative_of(self, x: Quantity) -> Any:
        return x.operands[0] if x.primitive is rules.negative else None

    def _multiple_of(self, x: Any, y: Any) -> Any:
        factor, other = (x, y) if type(x) is float else (y, x)
        if factor == 1.0:
            return other
        return self.of(rules.negative, (other,)) if factor == -1.0 else None

    def _by_one(self, x: Any, y: Any) -> Any:
        return x if y == 1.0 else None

    def _of_positive(self, x: Any, _: Any) -> Any:
        return x if type(x) is float and x > 0 else None

    def _step_of(self, x: Quantity) -> Any:
        """step(relu(x)), if that is known: x itself need not be kept then."""
        known = self._known[rules.relu].get((x,))
        return self._unique(rules.step, (known,), (known,)) if known is not None else None

    def _chosen(self, condition: Any, x: Any, y: Any) -> Any:
        if type(condition) is not float:
            return None
        return x if condition > 0 else y

    # ----- Sums of products -----

    def combined(self, terms: Iterable[Term], *, drop_zeros: bool = False) -> Any:
        """Σ x * y over terms (x, y): one dot of shared weights and of what is read, if that makes a matrix.

        Args:
            drop_zeros: leave out what is multiplied by the constant 0, also where that would make nan of an infinity.
        """
        constant, weights = 0.0, 0
        weighted: list[Term] = []  # a shared weight or a constant, and the number of each example that it multiplies
        alone: list[Term] = []  # a constant, and a shared quantity
        x: Any
        y: Any
        for x, y in terms:
            if type(y) is float:
                x, y = y, x
            if type(x) is not float:
                if x.shared is y.shared:
                    x, y = 1.0, self.of_two(rules.multiply, x, y)
                else:
                    weights += 1
                    if y.shared:
                        x, y = y, x
            elif type(y) is float:
                constant += x * y
                continue
            elif x == 0 and drop_zeros:
                continue
            (alone if y.shared else weighted).append((x, y))
        if not weighted:
            return self._sum(alone, constant)
        if weights + bool(alone) < 2:
            return self._sum([*weighted, *alone], constant)
        bias = self._sum(alone, constant)
        if type(bias) is Quantity or bias != 0:
            weighted.append((bias, 1.0))
        return self._with_constants(rules.dot, (*[w for w, _ in weighted], *[x for _, x in weighted], 0.0))

    def _product(self, weight: Any, read: Any) -> Any:
        return read if type(weight) is float and weight == 1.0 else self.of_two(rules.multiply, weight, read)

    def _sum(self, terms: list[Term], constant: float) -> Any:
        """Written with * and +, or with one sum if it is long."""
        if len(terms) == 1 and not constant:
            return self._product(*terms[0])
        if not constant and (factor := _common_factor(terms)) is not None:
            return self.of(rules.multiply, (factor, self._sum([(1.0, x) for _, x in terms], 0.0)))  # a mean
        if not terms:
            return constant
        total = self._long_sum(terms) if len(terms) >= FEW else self._short_sum(terms)
        return self.of_two(rules.add, total, constant) if constant else total

    def _short_sum(self, terms: list[Term]) -> Any:
        total: Any = None
        for weight, read in terms:
            if total is not None and type(weight) is float and weight == -1.0:
                total = self.of_two(rules.subtract, total, read)
            else:
                product = self._product(weight, read)
                total = product if total is None else self.of_two(rules.add, total, product)
        return total

    def _long_sum(self, terms: list[Term]) -> Any:
        """What the examples have is added up in one operation, and what they share in another."""
        products = [self._product(*term) for term in terms]
        parts: list[Any] = []
        for members in ([x for x in products if not x.shared], [x for x in products if x.shared]):
            if len(members) > 1:
                parts.append(self._unique(rules.total, (*members,), (*members,)))
            else:
                parts += members
        return parts[0] if len(parts) == 1 else self.of(rules.add, parts)


def _told_apart(operands: tuple[Any, ...], zeros: list[float]) -> tuple[Any, ...]:
    """A key for operands with zeros among them: 0.0 and -0.0 are equal, all other constants differ as they are."""
    return (*operands, *map(text_of, zeros))


def _common_factor(terms: list[Term]) -> float | None:
    """The constant that all are multiplied by, if it is one to compute with."""
    if not terms:
        return None
    factor = terms[0][0]
    if type(factor) is not float or abs(factor) == 1 or not is_same_everywhere([weight for weight, _ in terms]):
        return None
    return factor


#: What operands are.
KINDS = {Quantity, float}

#: How to find something simpler.
_SIMPLER: dict[Primitive, Callable[..., Any]] = {
    rules.total: Quantities._sum_of,
    rules.mean: Quantities._mean_of,
    rules.dot: Quantities._dot_of,
    rules.positive: Quantities._positive_of,
    rules.negative: Quantities._negative_of,
    rules.step: Quantities._step_of,
}

#: The same if a constant is among the operands.
_SIMPLER_WITH_CONSTANTS: dict[Primitive, Callable[..., Any]] = {
    rules.multiply: Quantities._multiple_of,
    rules.divide: Quantities._by_one,
    rules.power: Quantities._by_one,
    rules.elu: Quantities._of_positive,
    rules.leaky_relu: Quantities._of_positive,
    rules.where: Quantities._chosen,
    **_SIMPLER,
}
