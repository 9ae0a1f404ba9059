"""What a program computes, before it is put into arrays: the recorded tape of one example as `Quantity` objects.

    book = Quantities()
    x, w = book.leaf("x", shared=False), book.leaf("w", shared=True)
    tanh(w * x)                                      # the rules of the table work on quantities as they do on Values
    adjoints(book, [loss], [w])                      # the backward pass: more quantities

A quantity is `shared` if it is one number for the whole batch (a parameter, and what comes from parameters alone);
otherwise there is one for each example. Equal quantities are one object: common subexpressions are computed once.
"""

from __future__ import annotations

from itertools import count
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

    __slots__ = ("book", "label", "level", "operands", "primitive", "serial", "shared")

    def __init__(
        self, book: Quantities, primitive: Primitive | None, operands: tuple[Any, ...], label: str, *, shared: bool
    ) -> None:
        self.book = book
        self.primitive = primitive  # None: a leaf
        self.operands = operands  # Quantities, and floats for constants
        self.label = label
        self.shared = shared
        self.serial = next(book.serials)  # operands have smaller ones
        self.level: int = 1 + max([x.level for x in operands if type(x) is Quantity], default=-1)

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


#: A sum of fewer terms than this is written with +.
FEW = 4


class Quantities:
    """Makes quantities; asked twice for the same one, it gives the same object."""

    def __init__(self) -> None:
        self._known: dict[Any, Quantity] = {}
        self.serials = count()
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
        # By repr, the constants 0.0 and -0.0 differ and nan is itself.
        key = (primitive, *[x if type(x) is Quantity else repr(x) for x in operands])
        found = self._known.get(key)
        if found is None:
            shared = all(type(x) is not Quantity or x.shared for x in operands)
            found = self._known[key] = Quantity(self, primitive, operands, "", shared=shared)
        return found

    def batch_sum(self, terms: list[Term]) -> Quantity:
        """Σ x * y over terms (x, y) and over the batch."""
        return Quantity(self, BATCH_SUM, tuple([x for term in terms for x in term]), "", shared=True)

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
            known = self._known.get((rules.relu, operands[0]))
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


def adjoints(book: Quantities, order: Sequence[Quantity], root: Quantity, wanted: Iterable[Quantity]) -> list[Any]:
    """The adjoints of `wanted`, summed over the batch where they are shared.

    Args:
        order: all quantities that root depends on.
        root: what is differentiated, for each example.

    Levels are taken one by one, so that what belongs together (the adjoints of a layer) is made in the same order.
    """
    wanted = list(wanted)
    moving = set(wanted)
    for q in sorted(order, key=lambda q: q.level):
        if any(type(x) is Quantity and x in moving for x in q.operands):
            moving.add(q)
    terms: dict[Quantity, list[tuple[bool, Term]]] = {q: [] for q in moving}
    found: dict[Quantity, Any] = {}
    position = {q: i for i, q in enumerate(order)}
    for q in sorted(moving & {*order}, key=lambda q: (-q.level, position[q])):
        # An example's adjoint of the root is 1; of a root that all examples share, every example counts.
        adjoint = found[q] = 1.0 if q is root else _adjoint(book, q, terms[q])
        if type(adjoint) is Quantity and not adjoint.label and q.label:
            adjoint.label = f"d{q.label}"
        if q.primitive is not None:
            for operand, local in zip(q.operands, local_derivatives(q)):
                if type(operand) is Quantity and operand in moving:
                    terms[operand].append((q.shared, (local, adjoint)))
    return [found.get(q, 0.0) for q in wanted]


def _adjoint(book: Quantities, q: Quantity, terms: list[tuple[bool, Term]]) -> Any:
    of_all = [term for shared, term in terms if shared or not q.shared]
    of_examples = [_of_example(book, term) for shared, term in terms if q.shared and not shared]
    # A local derivative that is 0 by its rule carries nothing: most of step's and where's are.
    of_examples = [term for term in of_examples if not any(type(x) is float and x == 0 for x in term)]
    if not of_examples:
        return book.combined(of_all, drop_zeros=True)
    summed = book.batch_sums[q] = book.batch_sum(of_examples)
    return book.combined([(1.0, summed), *of_all], drop_zeros=True) if of_all else summed


def _of_example(book: Quantities, term: Term) -> Term:
    """The same product, with a factor that every example has: it is added up over them."""
    if any(type(x) is Quantity and not x.shared for x in term):
        return term
    return book.combined([term]), book.one


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
