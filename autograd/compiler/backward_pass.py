"""The backward pass of a program: `adjoints(book, root, wanted)` adds the adjoints of leaves to a book of quantities.

They come from the rules of the table, as those of Values do, and are quantities like all others: what they have in
common with the forward pass, and with each other, is computed once.
"""

from __future__ import annotations

from collections import Counter
from itertools import chain
from operator import attrgetter
from typing import TYPE_CHECKING

from .. import rules
from ..primitives import BUILT_IN
from ..scalars import as_number
from .guarded import guarded, unguarded
from .quantities import BATCH_SUM, DEEP, KINDS, ROW_OF_SUMS, Quantity, of_example

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any, TypeAlias

    from ..primitives import Primitive
    from .quantities import Quantities, Term

    Contributions: TypeAlias = Sequence[Any]  # x, y, x, y, ... of products x * y


def adjoints(book: Quantities, root: Quantity, wanted: Sequence[Quantity]) -> list[Any]:
    """The adjoints of `wanted`, leaves, by `root`, summed over the batch where they are shared.

    Levels are taken one by one, so that what belongs together (the adjoints of a layer) is made in the same order.
    The weights of a dot that nothing else reads have one quantity for all of their adjoints, in `book.rows_of_sums`: a
    large matrix has far more weights than rows.
    """
    moving = set(wanted)
    inner: list[Quantity] = []
    for q in book.made:
        if not moving.isdisjoint(q.operands):
            moving.add(q)
            inner.append(q)
    #: Local derivatives and the adjoints to multiply them by, in turns: by what has them, an example or all of them.
    of_examples: dict[Quantity, Contributions] = {}
    of_all: dict[Quantity, Contributions] = {}

    def adjoint_of(q: Quantity) -> Any:
        # An example's adjoint of the root is 1; of a root that all examples share, every example counts.
        if q is root:
            found: Any = 1.0
        elif q.shared:
            found = _adjoint_of_shared(book, q, of_examples.pop(q, ()), of_all.pop(q, ()))
        else:
            found = _adjoint(book, of_examples.pop(q, ()))
        if q.label and type(found) is Quantity and not found.label:
            found.label = f"d{q.label}"
        return found

    inner.sort(key=attrgetter("level"), reverse=True)  # those of a level stay in their order
    read_once = _read_once(inner, wanted) if rules.dot in {q.primitive for q in inner} else set()
    rows: dict[tuple[Quantity, ...], tuple[Any, ...]] = {}  # by the weights of a dot: its adjoint, and what it reads
    if inner and inner[0].level > DEEP:
        # Local derivatives of all levels at once, when the forward pass is done: far fewer groups.
        book.floor = inner[0].level + 1
    for q in inner:
        # What is asked again and again is asked here, and saves a call.
        unusual = q.shared or q.label or q is root
        adjoint = adjoint_of(q) if unusual else _adjoint(book, of_examples.pop(q, ()))
        if type(adjoint) is float and adjoint == 0:
            continue
        contributions = of_all if q.shared else of_examples
        operands, derivatives = q.operands, _local_derivatives(q, moving)
        if q.primitive is rules.dot and (of_example(adjoint) or adjoint == 1.0):
            all_weights, _, _ = rules.parts_of_dot(operands)
            count = len(all_weights)
            weights, read = _moving(all_weights, derivatives[:count])
            if weights and read_once.issuperset(weights) and all(of_example(x) or x == 1.0 for x in read):
                rows[weights] = (book.one if adjoint == 1.0 else adjoint, *read)
                operands, derivatives = operands[count:], derivatives[count:]
        for operand, local in zip(operands, derivatives):
            # A local derivative that is 0 by its rule carries nothing: most of step's and where's are.
            if (type(local) is not float or local != 0) and operand in moving:
                before = contributions.get(operand)
                if before is None:
                    contributions[operand] = local, adjoint
                elif type(before) is list:
                    before += (local, adjoint)
                else:
                    contributions[operand] = [*before, local, adjoint]
    row_of = _rows_of_sums(book, rows)
    return [row_of[q] if q in row_of else adjoint_of(q) for q in wanted]


def _rows_of_sums(book: Quantities, rows: dict[tuple[Quantity, ...], tuple[Any, ...]]) -> dict[Quantity, Quantity]:
    """The row of each weight: a quantity of these factors for all weights of a dot."""
    row_of: dict[Quantity, Quantity] = {}
    for weights, factors in rows.items():
        row = book.over_batch(ROW_OF_SUMS, factors)
        book.rows_of_sums[row] = weights
        row_of.update(dict.fromkeys(weights, row))
    return row_of


def _read_once(inner: list[Quantity], wanted: Sequence[Quantity]) -> set[Any]:
    """The shared ones of `wanted` that are an operand in one place alone."""
    uses = Counter(chain.from_iterable([q.operands for q in inner]))
    return {q for q in wanted if q.shared and uses[q] == 1}


def _moving(weights: tuple[Any, ...], read: Sequence[Any]) -> tuple[tuple[Any, ...], Sequence[Any]]:
    """Weights that are no constants, and what they are multiplied by."""
    if float not in map(type, weights):
        return weights, read
    places = [i for i, weight in enumerate(weights) if type(weight) is not float]
    return tuple([weights[i] for i in places]), [read[i] for i in places]


def _adjoint(book: Quantities, contributions: Contributions) -> Any:
    """The sum of the products: of what consumers hand on that are alike in being shared, or not."""
    if len(contributions) == 2:
        x, y = contributions
        if type(y) is Quantity:  # the usual cases, before all else
            if type(x) is float:
                return y if x == 1.0 else book.of_two(rules.multiply, x, y)
            if y.shared and not x.shared:
                x, y = y, x
            return book.of_two(rules.multiply, x, y)
    return book.combined(_terms(contributions), drop_zeros=True)


def _adjoint_of_shared(book: Quantities, q: Quantity, of_examples: Contributions, of_all: Contributions) -> Any:
    """The same, and what examples contribute is added up over the batch."""
    if not of_examples:
        return _adjoint(book, of_all)
    summed = book.batch_sums[q] = book.over_batch(BATCH_SUM, _of_examples(book, of_examples))
    return book.combined([(1.0, summed), *_terms(of_all)], drop_zeros=True) if of_all else summed


def _terms(contributions: Contributions) -> list[Term]:
    return list(zip(contributions[::2], contributions[1::2]))


def _of_examples(book: Quantities, contributions: Contributions) -> tuple[Any, ...]:
    """The same products, each with a factor that every example has: they are added up over them."""
    if len(contributions) == 2 and of_example(contributions[1]):  # the usual cases, before all else
        return tuple(contributions)
    if all(map(of_example, contributions[1::2])):
        return tuple(contributions)
    terms = _terms(contributions)
    terms = [(x, y) if of_example(x) or of_example(y) else (book.combined([(x, y)]), book.one) for x, y in terms]
    return tuple([factor for term in terms for factor in term])


def _local_derivatives(q: Quantity, moving: set[Quantity]) -> Sequence[Any]:
    """What the rules of the table say, as quantities or constants; 0.0 for operands that do not move."""
    primitive, operands = q.primitive, q.operands
    if primitive.name not in BUILT_IN:
        return _of_users_rules(q, moving)
    found: Sequence[Any]
    if primitive.variadic:
        found = primitive.partials[0](*operands, q)
    elif len(operands) == 2:  # what most are, without a loop
        x, y = operands
        left, right = primitive.partials
        found = left(x, y, q) if x in moving else 0.0, right(x, y, q) if y in moving else 0.0
    else:
        found = [rule(*operands, q) if x in moving else 0.0 for rule, x in zip(primitive.partials, operands)]
    return found if KINDS.issuperset(map(type, found)) else _as_operands(found, primitive)


def _of_users_rules(q: Quantity, moving: set[Quantity]) -> Sequence[Any]:
    """The same of a primitive that is not of the table: its rules may do what no batch can."""
    primitive, given = q.primitive, tuple(map(guarded, (*q.operands, q)))
    found: list[Any] = []
    try:
        if primitive.variadic:
            found += primitive.partials[0](*given)
        else:
            for rule, x in zip(primitive.partials, q.operands):
                found.append(rule(*given) if x in moving else 0.0)
    except (TypeError, AttributeError) as error:
        raise TypeError(
            f"rule {len(found) + 1} of {primitive.name} cannot be compiled ({error}): write it with operators and "
            "autograd's functions, without branches; where() takes their place"
        ) from None
    return _as_operands([unguarded(x) for x in found], primitive)


def _as_operands(found: Sequence[Any], primitive: Primitive) -> list[Any]:
    return [x if type(x) is Quantity else as_number(x, f"a rule of {primitive.name}") for x in found]
