"""What a program computes, before it is put into arrays: the recorded tape of one example as `Quantity` objects.

    book = Quantities()
    x, w = book.leaf("x", shared=False), book.leaf("w", shared=True)
    tanh(w * x)                                      # the rules of the table work on quantities as they do on Values
    adjoints(book, [loss], [w])                      # the backward pass: more quantities

A quantity is `shared` if it is one number for the whole batch (a parameter, and what comes from parameters alone);
otherwise there is one for each example. Equal quantities are one object: common subexpressions are computed once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .. import rules
from ..scalars import as_number

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any, TypeAlias

    from ..primitives import Primitive

    Term: TypeAlias = tuple["Quantity | float", "Quantity | float"]


class Quantity:
    """One number of each example, or one that all examples share. It has the operators of a Value."""

    __slots__ = ("book", "label", "level", "operands", "primitive", "shared", "stage")

    def __init__(
        self, book: Quantities, primitive: Primitive | None, operands: tuple[Any, ...], label: str, *, shared: bool
    ) -> None:
        self.book = book
        self.primitive = primitive  # None: a leaf
        self.operands = operands  # Quantities, and floats for constants
        self.label = label
        self.shared = shared
        self.level = 0  # one more than the highest of the operands
        self.stage = BEFORE if shared else EXAMPLES
        book.made.append(self)

    def of_operands(self) -> None:
        """Find what follows from the operands: the level, whether it is shared, the stage."""
        level, shared, stage = -1, True, BEFORE
        for x in self.operands:
            if type(x) is Quantity:
                if x.level > level:
                    level = x.level
                if x.stage > stage:
                    stage = x.stage
                shared = shared and x.shared
        self.level = level + 1
        if self.primitive is BATCH_SUM or not shared:
            self.stage = EXAMPLES
        else:
            self.stage = BEFORE if stage == BEFORE else AFTER
        self.shared = shared or self.primitive is BATCH_SUM

    def _record(self, primitive: Primitive, operands: Sequence[Any]) -> Any:
        return self.book.of(primitive, operands)

    def __add__(self, other: Any) -> Any:
        return self.book.of(rules.add, (self, other))

    def __radd__(self, other: Any) -> Any:
        return self.book.of(rules.add, (other, self))

    def __sub__(self, other: Any) -> Any:
        return self.book.of(rules.subtract, (self, other))

    def __rsub__(self, other: Any) -> Any:
        return self.book.of(rules.subtract, (other, self))

    def __mul__(self, other: Any) -> Any:
        return self.book.of(rules.multiply, (self, other))

    def __rmul__(self, other: Any) -> Any:
        return self.book.of(rules.multiply, (other, self))

    def __truediv__(self, other: Any) -> Any:
        return self.book.of(rules.divide, (self, other))

    def __rtruediv__(self, other: Any) -> Any:
        return self.book.of(rules.divide, (other, self))

    def __pow__(self, other: Any) -> Any:
        return self.book.of(rules.power, (self, other))

    def __rpow__(self, other: Any) -> Any:
        return self.book.of(rules.power, (other, self))

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


#: When a quantity is computed: before the examples, for each block of examples, or when all are added up.
BEFORE, EXAMPLES, AFTER = range(3)

#: A sum of fewer terms than this is written with +.
FEW = 4


class Quantities:
    """Makes quantities; asked twice for the same one, it gives the same object."""

    def __init__(self) -> None:
        self._known: dict[Any, Quantity] = {}
        #: All of them, operands before what is made of them.
        self.made: list[Quantity] = []
        #: For shared quantities, what the examples contribute to their adjoint.
        self.batch_sums: dict[Quantity, Quantity] = {}
        #: The number 1 of each example.
        self.one = self.leaf("one", shared=False)

    def leaf(self, label: str, *, shared: bool) -> Quantity:
        """An input, or a parameter."""
        return Quantity(self, None, (), label, shared=shared)

    def of(self, primitive: Primitive, operands: Iterable[Any], label: str = "") -> Any:
        """The primitive applied to quantities and constants, or something simpler that is equal to it."""
        operands = tuple([x if type(x) is Quantity else as_number(x, primitive.name) for x in operands])
        if not any(type(x) is Quantity for x in operands):
            return primitive(*operands)
        simpler = self._simpler(primitive, operands)
        if simpler is None:
            simpler = self._unique(primitive, operands)
        if label and type(simpler) is Quantity and not simpler.label:
            simpler.label = label
        return simpler

    def _unique(self, primitive: Primitive, operands: tuple[Any, ...]) -> Quantity:
        key: Any = (primitive, operands)
        if any(type(x) is float for x in operands):  # by repr, the constants 0.0 and -0.0 differ and nan is itself
            key = (primitive, *[x if type(x) is Quantity else repr(x) for x in operands])
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = Quantity(self, primitive, operands, "", shared=True)
            found.of_operands()
        return found

    def batch_sum(self, terms: list[Term]) -> Quantity:
        """Σ x * y over terms (x, y) and over the batch."""
        found = Quantity(self, BATCH_SUM, tuple([x for term in terms for x in term]), "", shared=True)
        found.of_operands()
        return found

    def _simpler(self, primitive: Primitive, operands: tuple[Any, ...]) -> Any:
        """A quantity or constant that is equal, if there is a simpler one."""
        if primitive is rules.total:
            return self.combined([(1.0, x) for x in operands])
        if primitive is rules.mean:
            return self.combined([(1 / len(operands), x) for x in operands])
        if primitive is rules.dot:
            half = len(operands) // 2
            return self.combined([*zip(operands[:half], operands[half:-1]), (operands[-1], 1.0)])
        if primitive is rules.positive:
            return operands[0]
        if primitive is rules.negative and operands[0].primitive is rules.negative:
            return operands[0].operands[0]
        if primitive is rules.multiply:
            return self._product(*operands)
        if primitive in (rules.divide, rules.power) and operands[1] == 1.0:
            return operands[0]
        if primitive is rules.step:
            # step(x) of a relu(x) that is known: x itself need not be kept then.
            known = self._known.get((rules.relu, operands))
            return self._unique(rules.step, (known,)) if known is not None else None
        if primitive is rules.where and type(operands[0]) is float:
            return operands[1] if operands[0] > 0 else operands[2]
        return None

    def _product(self, x: Any, y: Any) -> Any:
        for factor, other in ((x, y), (y, x)):
            if type(factor) is float and factor == 1.0:
                return other
            if type(factor) is float and factor == -1.0:
                return self.of(rules.negative, (other,))
        return None

    def combined(self, terms: Iterable[Term], *, drop_zeros: bool = False) -> Any:
        """Σ x * y over terms (x, y): one dot of shared weights and of what is read, if that makes a matrix.

        Args:
            drop_zeros: leave out what is multiplied by the constant 0, also where that would make nan of an infinity.
        """
        constant = 0.0
        weighted: list[Term] = []  # a shared weight, or 1.0, and what it is multiplied by: one number of each example
        alone: list[Term] = []  # a constant, and a shared quantity
        for x, y in terms:
            if type(x) is float and type(y) is float:
                constant += x * y
            elif not (drop_zeros and any(type(factor) is float and factor == 0 for factor in (x, y))):
                self._sort(x, y, weighted, alone)
        if not weighted:
            return self._sum(alone, constant)
        if sum(type(weight) is Quantity for weight, _ in weighted) + bool(alone) < 2:
            return self._sum([*weighted, *alone], constant)
        bias = self._sum(alone, constant)
        if type(bias) is Quantity or bias != 0:
            weighted.append((bias, 1.0))
        return self._unique(rules.dot, (*[w for w, _ in weighted], *[x for _, x in weighted], 0.0))

    def _sort(self, x: Any, y: Any, weighted: list[Term], alone: list[Term]) -> None:
        for weight, read in ((x, y), (y, x)):
            if type(weight) is float or weight.shared:
                if type(read) is Quantity and not read.shared:
                    weighted.append((weight, read))
                    return
                if type(weight) is float:
                    alone.append((weight, read))
                    return
        product = self.of(rules.multiply, (x, y))
        (alone if product.shared else weighted).append((1.0, product))

    def _sum(self, terms: list[Term], constant: float) -> Any:
        """Written with * and +, or with one sum if it is long."""
        if len(terms) > 1 and not constant and len({repr(weight) for weight, _ in terms}) == 1:
            weight = terms[0][0]
            if type(weight) is float and abs(weight) != 1:  # a mean is the sum times one weight
                return self.of(rules.multiply, (weight, self._sum([(1.0, x) for _, x in terms], 0.0)))
        total: Any = None
        if len(terms) >= FEW:
            products = [self.of(rules.multiply, term) for term in terms]
            for members in ([x for x in products if not x.shared], [x for x in products if x.shared]):
                if members:
                    part = self._unique(rules.total, tuple(members)) if len(members) > 1 else members[0]
                    total = part if total is None else self.of(rules.add, (total, part))
        else:
            for weight, read in terms:
                if total is not None and type(weight) is float and weight == -1.0:
                    total = self.of(rules.subtract, (total, read))
                else:
                    product = self.of(rules.multiply, (weight, read))
                    total = product if total is None else self.of(rules.add, (total, product))
        if total is None:
            return constant
        return self.of(rules.add, (total, constant)) if constant or constant != constant else total


# ----- The backward pass -----


class BatchSum:
    """What marks a quantity as Σ x * y over terms and over the batch: how examples contribute to a shared adjoint."""

    name = "batch_sum"


BATCH_SUM: Any = BatchSum()


def adjoints(book: Quantities, root: Quantity, wanted: Sequence[Quantity]) -> list[Any]:
    """The adjoints of `wanted`, leaves, by `root`, summed over the batch where they are shared.

    Levels are taken one by one, so that what belongs together (the adjoints of a layer) is made in the same order.
    """
    moving = set(wanted)
    inner: list[Quantity] = []
    for q in book.made:
        for x in q.operands:
            if x in moving:
                moving.add(q)
                inner.append(q)
                break
    #: Products of a local derivative and an adjoint, by what has it: an example, or all of them.
    of_examples: dict[Quantity, list[Term]] = {}
    of_all: dict[Quantity, list[Term]] = {}

    def adjoint_of(q: Quantity) -> Any:
        # An example's adjoint of the root is 1; of a root that all examples share, every example counts.
        found = 1.0 if q is root else _adjoint(book, q, of_examples.get(q, ()), of_all.get(q, ()))
        if type(found) is Quantity and not found.label and q.label:
            found.label = f"d{q.label}"
        return found

    inner.sort(key=lambda q: -q.level)  # those of a level stay in their order
    for q in inner:
        adjoint = adjoint_of(q)
        if type(adjoint) is float and adjoint == 0:
            continue
        terms = of_all if q.shared else of_examples
        for operand, local in zip(q.operands, local_derivatives(q)):
            # A local derivative that is 0 by its rule carries nothing: most of step's and where's are.
            if operand in moving and not (type(local) is float and local == 0):
                terms.setdefault(operand, []).append((local, adjoint))
    return [adjoint_of(q) for q in wanted]


def _adjoint(book: Quantities, q: Quantity, of_examples: Sequence[Term], of_all: Sequence[Term]) -> Any:
    if not (q.shared and of_examples):
        return book.combined([*of_examples, *of_all], drop_zeros=True)
    summed = book.batch_sums[q] = book.batch_sum([_of_example(book, x, y) for x, y in of_examples])
    return book.combined([(1.0, summed), *of_all], drop_zeros=True) if of_all else summed


def _of_example(book: Quantities, x: Quantity | float, y: Quantity | float) -> Term:
    """The same product, with a factor that every example has: it is added up over them."""
    if (type(x) is Quantity and not x.shared) or (type(y) is Quantity and not y.shared):
        return x, y
    return book.combined([(x, y)]), book.one


def local_derivatives(q: Quantity) -> list[Any]:
    """What the rules of the table say, as quantities or constants."""
    primitive = q.primitive
    assert primitive is not None
    if primitive.variadic:
        found = list(_applied(primitive, 0, q))
    else:
        found = [_applied(primitive, i, q) if type(x) is Quantity else 0.0 for i, x in enumerate(q.operands)]
    return [x if type(x) is Quantity else as_number(x, f"a rule of {primitive.name}") for x in found]


def _applied(primitive: Primitive, slot: int, q: Quantity) -> Any:
    try:
        return primitive.partials[slot](*q.operands, q)
    except (TypeError, AttributeError) as error:
        raise TypeError(
            f"rule {slot + 1} of {primitive.name} cannot be compiled ({error}): write it with operators and autograd's "
            "functions, without branches; where() takes their place"
        ) from None
