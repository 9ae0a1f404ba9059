"""Losses: how wrong an output is, as one number to call `backward()` on; names and arguments are PyTorch's.

    loss = nn.cross_entropy([model(x) for x in points], classes)
    loss = nn.mse_loss(model(point), 1.0) + 0.01 * nn.l2_penalty(model)

Which goes with which last layer (MIT 6.036): `mse_loss` and the margin losses with a linear one, `binary_cross_entropy`
with a sigmoid, `nll_loss` with a log_softmax. `binary_cross_entropy_with_logits` and `cross_entropy` are the latter two
with the sigmoid or softmax taken in: one node for each example, whose derivative is a - y in one piece, and which no
score overflows. `autograd.expand` takes these nodes apart.

`input` is a Value, a list or nested list of Values, or an array of them; `target` holds numbers in the same layout, or
a class for each row. Of plain numbers the loss is a plain number.
"""

from __future__ import annotations

import math
from numbers import Real
from sys import float_info
from typing import TYPE_CHECKING

import autograd as ag

from .arguments import short

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from autograd import Value

    Element = Value | float
    Shape = tuple[int, ...]

#: Probabilities of classes may miss 1 by this much: float32 has no better.
SUM_TOLERANCE = 1e-5
#: The square of a larger number is none.
LARGEST_ROOT = math.sqrt(float_info.max)
PROBABLE_INPUT = "a probability is a number from 0 to 1; for scores there is binary_cross_entropy_with_logits"
PROBABLE_TARGET = "a target is a number from 0 to 1 here (of -1 and 1: (y + 1) / 2)"


# ----- The two fused primitives -----


def _logistic_loss(z: float, y: float) -> float:
    # softplus(z) - y * z, written so that nothing large cancels
    slope = (z > 0) - y
    return (slope * z if slope else 0.0) + math.log1p(math.exp(-abs(z)))


def _logistic_loss_of_arrays(z: Any, y: Any) -> Any:
    import numpy

    slope = (z > 0) - y
    with numpy.errstate(invalid="ignore"):  # 0 * inf is not used
        return numpy.where(slope == 0, 0.0, slope * z) + numpy.log1p(numpy.exp(-abs(z)))


def _logistic_loss_in_softplus(z: Any, y: Any) -> Any:
    return ag.softplus(z) if _is(y, 0) else ag.softplus(z) - _times(y, z)


logistic_loss = ag.primitive(
    "logistic_loss", _logistic_loss,
    lambda z, y, out: ag.sigmoid(z) - y,
    lambda z, y, out: -z,
    array=_logistic_loss_of_arrays,
    latex=r"\operatorname{{logistic\,loss}}({0}, {1})",
    flat="saturated",
    words="the score receives its sigmoid minus its target, a - y in one piece",
    definition=_logistic_loss_in_softplus,
    doc="""-log of the probability that sigmoid(z) gives to the target y: softplus(z) - y * z, without overflow.

    >>> from autograd import Value
    >>> z = Value(0.0)
    >>> logistic_loss(z, 1.0).backward()
    >>> z.grad
    -0.5
    """,
)  # fmt: skip


def _scores_targets(operands: Sequence[Any]) -> tuple[Sequence[Any], Sequence[Any]]:
    """The operands of a softmax_cross_entropy, z1, z2, ..., y1, y2, ..., taken apart."""
    half, odd = divmod(len(operands), 2)
    if odd or not half:
        raise ValueError("it takes as many targets as scores, one or more: z1, z2, ..., y1, y2, ...")
    return operands[:half], operands[half:]


def _softmax_cross_entropy(*operands: float) -> float:
    scores, targets = _scores_targets(operands)
    largest = max(scores)
    place = scores.index(largest)
    # logsumexp(scores) - largest: exact also where the largest score is far above the others
    excess = math.log1p(sum(math.exp(z - largest) for i, z in enumerate(scores) if i != place))
    return sum((y * (largest - z + excess) for z, y in zip(scores, targets) if y), 0.0)


def _softmax_cross_entropy_of_arrays(*operands: Any) -> Any:
    import numpy

    scores, targets = (numpy.stack(half) for half in _scores_targets(numpy.broadcast_arrays(*operands)))
    largest = scores.max(0)
    powers = numpy.exp(scores - largest)
    numpy.put_along_axis(powers, numpy.expand_dims(scores.argmax(0), 0), 0.0, 0)
    with numpy.errstate(invalid="ignore"):  # 0 * inf is not used
        terms = targets * (largest - scores + numpy.log1p(powers.sum(0)))
    return numpy.where(targets == 0, 0.0, terms).sum(0)


def _softmax_cross_entropy_derivatives(*operands_and_out: Any) -> list[Any]:
    scores, targets = _scores_targets(operands_and_out[:-1])
    normalizer, total = ag.logsumexp(scores), ag.sum(targets)
    by_scores = [ag.exp(z - normalizer) * total - y for z, y in zip(scores, targets)]
    return [*by_scores, *(normalizer - z for z in scores)]


def _softmax_cross_entropy_in_logsumexp(*operands: Any) -> Any:
    scores, targets = _scores_targets(operands)
    normalizer = _times(ag.sum(targets), ag.logsumexp(scores))
    chosen = [_times(y, z) for z, y in zip(scores, targets) if not _is(y, 0)]
    return normalizer - _sum(chosen)  # of one class: logsumexp(scores) - its score


def _score_target_names(count: int) -> list[str]:
    return [f"{letter}{i + 1}" for letter in "zy" for i in range(count // 2)]


softmax_cross_entropy = ag.primitive(
    "softmax_cross_entropy", _softmax_cross_entropy,
    _softmax_cross_entropy_derivatives,
    array=_softmax_cross_entropy_of_arrays, variadic=True, names=_score_target_names,
    latex=r"\operatorname{{softmax\,cross\,entropy}}({0})",
    flat="saturated",
    words="each score receives its softmax minus its target, a - y in one piece",
    definition=_softmax_cross_entropy_in_logsumexp,
    doc="""-Σ y[i] * log softmax(z)[i], of the operands z1, z2, ..., y1, y2, ...; without overflow for any scores.

    >>> from autograd import Value
    >>> z = [Value(0.0), Value(0.0)]
    >>> softmax_cross_entropy(*z, 1.0, 0.0).backward()
    >>> [score.grad for score in z]
    [-0.5, 0.5]
    """,
)  # fmt: skip


def _is(operand: Any, number: float) -> bool:
    """Whether it is that constant."""
    return type(operand) is float and operand == number


def _times(factor: Any, operand: Any) -> Any:
    return operand if _is(factor, 1) else factor * operand


def _sum(terms: list[Any]) -> Any:
    """The sum; of a single term no node is made."""
    return terms[0] if len(terms) == 1 else ag.sum(terms)


def _square(x: Element) -> Any:
    """x², as a power, which graphs show as x²; where that would be an error, the product, which goes to infinity."""
    return x * x if abs(_data(x)) > LARGEST_ROOT else ag.power(x, 2.0)


# ----- Losses of single outputs -----


def mse_loss(input: Any, target: Any, *, reduction: str = "mean") -> Any:
    """The mean of (input - target)², the squared error (CS231n; MIT 6.036: with a linear last layer).

    Args:
        input: a Value, or a list or nested list of them; numbers are taken too.
        target: numbers (or Values) in the same layout. [[p], [q]] and [y, z] are different layouts, and an error.
        reduction: "mean" over all elements, or "sum".

    Raises:
        ValueError: for layouts that differ or are empty, targets that are nan or infinite.
        TypeError: for what is no number.

    >>> from autograd import Value
    >>> a = [Value(3.0), Value(5.0)]
    >>> loss = mse_loss(a, [1.0, 5.0])
    >>> loss.backward()
    >>> loss.data, a[0].grad
    (2.0, 2.0)
    """
    total, (inputs, targets, _) = _reduction(reduction), _pairs(input, target)
    return total([_square(x - y) for x, y in zip(inputs, targets)])


def l1_loss(input: Any, target: Any, *, reduction: str = "mean") -> Any:
    """The mean of |input - target|; where they are equal its derivative is 0. Arguments and errors as of `mse_loss`.

    >>> l1_loss([3.0, 5.0], [1.0, 5.0])
    1.0
    """
    total, (inputs, targets, _) = _reduction(reduction), _pairs(input, target)
    return total([ag.absolute(x - y) for x, y in zip(inputs, targets)])


def hinge_loss(input: Any, target: Any, *, reduction: str = "mean") -> Any:
    """The mean of max(0, 1 - target * input), for targets -1 and 1 (MIT 6.036: with a linear last layer).

    Args:
        input: scores, laid out as for `mse_loss`.
        target: -1 or 1 for each of them.
        reduction: "mean" over all elements, or "sum".

    Raises:
        ValueError: for other targets; layouts as for `mse_loss`.

    >>> hinge_loss([0.5, 3.0], [1, -1])
    2.25
    """
    total, (inputs, targets, shape) = _reduction(reduction), _pairs(input, target)
    _check("target", shape, targets, lambda y: y in (-1, 1), "a target is -1 or 1 here (of 0 and 1: 2 * y - 1)")
    return total([ag.relu(1.0 - y * x) for x, y in zip(inputs, targets)])


def binary_cross_entropy(input: Any, target: Any, *, reduction: str = "mean") -> Any:
    """Minus the mean logarithm of the probability given to what is the case: negative log likelihood (MIT 6.036).

    Where the target is 1 that is -log(input), where it is 0 -log(1 - input), in between y and 1 - y parts of both.
    After a sigmoid, `binary_cross_entropy_with_logits` of what goes into the sigmoid is the same, and cannot saturate.

    Args:
        input: probabilities, laid out as for `mse_loss`.
        target: 0 or 1 for each of them, or a probability.
        reduction: "mean" over all elements, or "sum".

    Raises:
        ValueError: for probabilities and targets that are none; where a probability of 0 is given to what is the case
            (PyTorch goes on with a loss of 100 there). Layouts as for `mse_loss`.

    >>> from autograd import Value
    >>> a = Value(0.25)
    >>> binary_cross_entropy(a, 1).backward()
    >>> a.grad
    -4.0
    """
    total, (inputs, targets, shape) = _reduction(reduction), _pairs(input, target)
    _check("input", shape, inputs, _is_probability, PROBABLE_INPUT)
    _check("target", shape, targets, _is_probability, PROBABLE_TARGET)
    for i, (x, y) in enumerate(zip(inputs, targets)):
        if _is_infinite(x, y):
            raise ValueError(
                f"{_place('input', shape, i)} is {_data(x):g} where {_place('target', shape, i)} is {_data(y):g}, an "
                "infinite loss: give what goes into the sigmoid to binary_cross_entropy_with_logits instead"
            )
    return _negated(total([_log_likelihood(x, y) for x, y in zip(inputs, targets)]))


def binary_cross_entropy_with_logits(input: Any, target: Any, *, reduction: str = "mean") -> Any:
    """`binary_cross_entropy` of sigmoid(input), one node for each example; ∂/∂input = sigmoid(input) - target.

    Args:
        input: scores (logits), any numbers, laid out as for `mse_loss`.
        target: 0 or 1 for each of them, or a probability.
        reduction: "mean" over all elements, or "sum".

    Raises:
        ValueError: for targets below 0 or above 1; layouts as for `mse_loss`.

    >>> from autograd import Value
    >>> z = Value(-1000.0)
    >>> loss = binary_cross_entropy_with_logits(z, 1)
    >>> loss.backward()
    >>> loss.data, z.grad
    (1000.0, -1.0)
    """
    total, (inputs, targets, shape) = _reduction(reduction), _pairs(input, target)
    _check("target", shape, targets, _is_probability, PROBABLE_TARGET)
    return total([logistic_loss(x, y) for x, y in zip(inputs, targets)])


def _negated(total: Any) -> Any:
    """-total; of plain numbers without the sign of a zero."""
    return 0.0 - total if type(total) is float else -total


def _is_probability(number: float) -> bool:
    return 0 <= number <= 1


def _is_infinite(x: Element, y: Element) -> bool:
    """Whether the logarithm of 0 would be needed, or its derivative by a target that is a Value."""
    p = _data(x)
    return (p == 0 and not _is(y, 0)) or (p == 1 and not _is(y, 1))


def _log_likelihood(x: Element, y: Element) -> Any:
    if _is(y, 1):
        return ag.log(x)
    return ag.log1p(-x) if _is(y, 0) else y * ag.log(x) + (1.0 - y) * ag.log1p(-x)


# ----- Losses of classes -----


def nll_loss(input: Any, target: Any, *, reduction: str = "mean") -> Any:
    """Minus the mean logarithm of the probability given to the right class: negative log likelihood (MIT 6.036).

    It takes logarithms, as `autograd.log_softmax` gives them; `cross_entropy` takes the scores before these.

    Args:
        input: a row of logarithms of probabilities, one for each class, or a list of such rows.
        target: the class of the row, counted from 0, or a list with one for each row.
        reduction: "mean" over the rows, or "sum".

    Raises:
        ValueError: for a class that is none, a number of targets that is not that of the rows, rows of different
            lengths or of a single class.
        TypeError: for what is no number.

    >>> from autograd import Value, log_softmax
    >>> z = [Value(0.0), Value(0.0)]
    >>> nll_loss(log_softmax(z), 1).backward()
    >>> [score.grad for score in z]
    [0.5, -0.5]
    """
    total, (rows, classes) = _reduction(reduction), _classified(input, target)
    return _negated(total([row[c] for row, c in zip(rows, classes)]))


def cross_entropy(input: Any, target: Any, *, reduction: str = "mean") -> Any:
    """`nll_loss` of log_softmax(input), one node for each example; ∂/∂input = softmax(input) - target (CS231n).

    Args:
        input: a row of scores (logits), one for each class, or a list of such rows.
        target: the class of the row, counted from 0, or a list with one for each row; or, laid out as `input` is, a
            probability for each class (numbers or Values).
        reduction: "mean" over the rows, or "sum".

    Raises:
        ValueError: as of `nll_loss`, and for probabilities that are negative or do not add up to 1.

    >>> from autograd import Value
    >>> z = [Value(1.0), Value(2.0), Value(0.5)]
    >>> loss = cross_entropy(z, 0)
    >>> loss.backward()
    >>> print(f"{loss:.10f}", *[f"{score.grad:.4f}" for score in z])
    1.4643687841 -0.7688 0.6285 0.1402
    """
    total, (rows, shape) = _reduction(reduction), _rows(input)
    elements, target_shape = _flat(target, "target")
    if target_shape == shape:
        targets = _distributions(elements, shape)
    else:
        classes = _classes(elements, target_shape, shape, "or a probability for each class, laid out as input is")
        targets = [[float(i == c) for i in range(shape[-1])] for c in classes]
    return total([softmax_cross_entropy(*row, *y) for row, y in zip(rows, targets)])


def multi_margin_loss(input: Any, target: Any, *, p: int = 1, margin: float = 1.0, reduction: str = "mean") -> Any:
    """For each wrong class max(0, margin - right score + its score)**p, added up and divided by the number of classes.

    That is PyTorch's; `multiclass_svm_loss` is the lecture's, without the division.

    Args:
        input: a row of scores, one for each class, or a list of such rows.
        target: the class of the row, counted from 0, or a list with one for each row.
        p: 1 or 2.
        margin: by how much the right score has to be above the others.
        reduction: "mean" over the rows, or "sum".

    Raises:
        ValueError: as of `nll_loss`, and for another p.

    >>> print(f"{multi_margin_loss([3.2, 5.1, -1.7], 0):.10f}")
    0.9666666667
    """
    if isinstance(p, bool) or p not in (1, 2):
        raise ValueError(f"p is 1 or 2, not {short(p)}")
    total, (rows, classes), margin = _reduction(reduction), _classified(input, target), _margin(margin)
    return total([_sum(_violations(row, c, margin, p)) / len(row) for row, c in zip(rows, classes)])


def multiclass_svm_loss(input: Any, target: Any, *, margin: float = 1.0, reduction: str = "mean") -> Any:
    """For each wrong class max(0, its score - right score + margin), added up (CS231n; Weston and Watkins 1999).

    Arguments and errors are those of `multi_margin_loss`.

    >>> print(f"{multiclass_svm_loss([3.2, 5.1, -1.7], 0):.10f}")
    2.9000000000
    """
    total, (rows, classes), margin = _reduction(reduction), _classified(input, target), _margin(margin)
    return total([_sum(_violations(row, c, margin)) for row, c in zip(rows, classes)])


def _violations(row: Sequence[Element], right: int, margin: float, p: int = 1) -> list[Any]:
    """By how much each wrong score comes too close to the right one."""
    hinges = [ag.relu(score - row[right] + margin) for i, score in enumerate(row) if i != right]
    return hinges if p == 1 else list(map(_square, hinges))


def _margin(margin: Any) -> float:
    number = _number(margin, "margin")
    if not (isinstance(number, float) and math.isfinite(number)):
        raise ValueError(f"margin is a plain, finite number, not {short(margin)}")
    return number


# ----- What was given -----


def _reduction(reduction: str) -> Callable[[list[Any]], Any]:
    """How the losses of examples become one."""
    if not isinstance(reduction, str) or reduction not in ("mean", "sum"):
        raise ValueError(
            f"reduction is 'mean' or 'sum', not {short(reduction)}: call the loss for each example to keep all"
        )
    return _sum if reduction == "sum" else lambda losses: losses[0] if len(losses) == 1 else ag.mean(losses)


def _pairs(input: Any, target: Any) -> tuple[list[Element], list[Element], Shape]:
    """The elements of `input`, their targets, and the shape of both."""
    elements, shape = _flat(input, "input")
    targets, target_shape = _flat(target, "target")
    if shape != target_shape:
        advice = "each element of input needs one target in the same place"
        if (*shape, 1) == target_shape or shape == (*target_shape, 1):
            name = "input" if len(shape) > len(target_shape) else "target"
            advice = f"write [row[0] for row in {name}] to take it out of its rows of one"
        raise ValueError(f"input is {_shown(shape)} and target {_shown(target_shape)}: {advice}")
    _check("target", shape, targets, math.isfinite, "a target is a finite number")
    return elements, targets, shape


def _rows(input: Any) -> tuple[list[list[Element]], Shape]:
    """A row of scores for each example, and the shape in which they were given: one row, or a list of rows."""
    scores, shape = _flat(input, "input")
    if len(shape) not in (1, 2):
        raise ValueError(f"input is a row with a score for each class, or a list of rows; not {_shown(shape)}")
    count = shape[-1]
    if count == 1:
        raise ValueError(
            "input has rows of a single score, where a choice among classes needs two or more: "
            "for one score per example use binary_cross_entropy_with_logits or hinge_loss"
        )
    return [scores[start : start + count] for start in range(0, len(scores), count)], shape


def _classified(input: Any, target: Any) -> tuple[list[list[Element]], list[int]]:
    """A row of scores and a class for each example."""
    rows, shape = _rows(input)
    return rows, _classes(*_flat(target, "target"), shape)


def _classes(targets: list[Element], target_shape: Shape, shape: Shape, alternative: str = "") -> list[int]:
    """The right class of each example."""
    if target_shape != shape[:-1]:
        wanted = "one class" if len(shape) == 1 else f"a list of {shape[0]} classes, one for each row"
        also = f" {alternative}" if alternative else ""
        given = f"input is {_shown(shape)} and target {_shown(target_shape)}"
        raise ValueError(f"{given}: target is to be {wanted}{also}")
    names = f"a class of {shape[-1]} is a whole number from 0 to {shape[-1] - 1}"
    possible = range(shape[-1])
    for i, y in enumerate(targets):
        if isinstance(y, ag.Value):
            told = f"{_place('target', target_shape, i)} is a Value, and a class is a plain number"
            raise ValueError(f"{told}; in compile, give rows of 0 and 1 to cross_entropy, or use fit(compile=True)")
        if not (isinstance(y, float) and y in possible):
            raise ValueError(f"{_place('target', target_shape, i)} is {_plain(y)}: {names}")
    return [int(y) for y in targets]


def _distributions(elements: list[Element], shape: Shape) -> list[list[Element]]:
    """Probabilities of the classes, for each example."""
    count = shape[-1]
    _check("target", shape, elements, _is_probability, "a probability is a number from 0 to 1")
    starts = range(0, len(elements), count)
    for i, start in enumerate(starts):
        if abs((total := math.fsum(map(_data, elements[start : start + count]))) - 1) > SUM_TOLERANCE:
            row = "target" if len(shape) == 1 else f"target[{i}]"
            raise ValueError(
                f"{row} adds up to {total:g}, where the probabilities of all classes add up to 1: "
                "for one score per example use binary_cross_entropy_with_logits"
            )
    return [elements[start : start + count] for start in starts]


def _check(name: str, shape: Shape, elements: Sequence[Element], allowed: Callable[[float], bool], rule: str) -> None:
    """An error if a number is not allowed; it says where it stands."""
    numbers = list(map(_data, elements))
    if not all(map(allowed, numbers)):
        i = next(i for i, number in enumerate(numbers) if not allowed(number))
        raise ValueError(f"{_place(name, shape, i)} is {_plain(elements[i])}: {rule}")


def _flat(x: Any, name: str) -> tuple[list[Element], Shape]:
    """All elements of nested lists or an array in order, Values and floats, and the shape."""
    opened = _opened(x, name)
    if not isinstance(opened, list):
        return [_number(opened, name)], ()
    if not opened:
        raise ValueError(f"{name} is empty: give one example or more")
    kinds = set(map(type, opened))
    if kinds <= {ag.Value, float}:  # the usual cases, quickly
        return opened, (len(opened),)
    if kinds <= {float, int, bool} and all(abs(number) < 1e300 for number in opened):
        return list(map(float, opened)), (len(opened),)
    try:
        parts = [_flat(element, f"{name}[{i}]") for i, element in enumerate(opened)]
    except RecursionError:
        raise ValueError(f"{name.partition('[')[0]} has lists in lists without end") from None
    first_shape = parts[0][1]
    for i, (_, shape) in enumerate(parts):
        if shape != first_shape:
            raise ValueError(
                f"{name} is ragged: {name}[0] is {_shown(first_shape)} and {name}[{i}] {_shown(shape)}, "
                "where all are to be of the same length"
            )
    return [element for elements, _ in parts for element in elements], (len(opened), *first_shape)


def _opened(x: Any, name: str) -> Any:
    """A list of what it holds; itself, if that is a number."""
    if isinstance(x, (ag.Value, Real)):
        return x
    if isinstance(x, (str, bytes, dict, set, frozenset)):
        raise TypeError(f"{name} is the {type(x).__name__} {short(x)}: give Values or numbers, in lists")
    if hasattr(x, "tolist"):  # arrays
        x = x.tolist()
    try:
        return list(x)
    except TypeError:
        return x


def _number(x: Any, name: str) -> Element:
    if isinstance(x, ag.Value) or type(x) is float:
        return x
    if not isinstance(x, Real):
        raise TypeError(f"{name} is {short(x)}, where a Value or a number is wanted")
    try:
        return float(x)
    except OverflowError:
        raise ValueError(f"{name} is a number above 1.8e308, which is too large") from None


def _data(x: Element) -> float:
    return x if type(x) is float else x.data  # type: ignore[union-attr]  # there is nothing else among elements


def _plain(x: Element) -> str:
    return f"a Value ({x.data:g})" if isinstance(x, ag.Value) else f"{x:g}"


def _shown(shape: Shape) -> str:
    """A shape in words: `a single number`, `a list of 3`, `a list of 3 × 1`."""
    return f"a list of {' × '.join(map(str, shape))}" if shape else "a single number"


def _place(name: str, shape: Shape, flat_index: int) -> str:
    """`target[1][2]`: where an element stands."""
    indices: list[int] = []
    for size in reversed(shape):
        flat_index, index = divmod(flat_index, size)
        indices.insert(0, index)
    return name + "".join(f"[{index}]" for index in indices)


#: The examples of the primitives, where doctest looks for them.
__test__ = {made.name: made.__doc__ or "" for made in (logistic_loss, softmax_cross_entropy)}
