"""Where a gradient comes from: `print(explain(x, y))` shows it as the sum that it is; `.markdown` and `.latex` too.

    x.grad = −6.18 + 1214.56 = 1208.38
      from b = log(x), operand 1: ∂y/∂b · ∂b/∂x = −12.36 × 0.5 = −6.18
      from a = x * z, operand 1: ∂y/∂a · ∂a/∂x = 404.854 × 3 = 1214.56

It reads the event log of the root's own pass. Paths are counted, and walked only where there are few.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .graph import nodes
from .notation import (
    called,
    expression,
    latex_name,
    latex_number,
    markdown_code,
    markdown_text,
    number,
    one_line,
)
from .remarks import aside
from .scalars import with_article
from .steps import Log
from .value import Value
from .wording import WIDTH, arrows, product, shortened, six

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from .steps import Contribution

#: Contributions that are shown one by one.
MOST_CONTRIBUTIONS = 20

#: Paths that are walked.
MOST_PATHS = 64

#: Digits of a number of paths that is written out; Python itself refuses above 4300.
MOST_DIGITS = 1000


def explain(x: Value, root: Value, *, paths: bool = False) -> Explanation:
    """The gradient of `root` by `x` as a sum: what each consumer of x hands on, adjoint times local derivative.

    Where the operation was written is shown of graphs recorded under `record_lines()`.

    Args:
        paths: also show every path from x to the root with the product along it, if there are 64 at most; their
            number in any case.

    >>> from autograd import Value, exp, explain
    >>> x = Value(0.0, "x")
    >>> a = exp(x); a.label = "a"
    >>> y = a * x; y.label = "y"
    >>> explain(x, y, paths=True)
    x.grad = 1 + 0 = 1
      from y = a * x, operand 2: ∂y/∂y · ∂y/∂x = 1 × 1 = 1
        ∂y/∂x = a: each factor receives the gradient scaled by the other factor
      from a = exp(x), operand 1: ∂y/∂a · ∂a/∂x = 0 × 1 = 0
        ∂a/∂x = a: the slope of exp is its own output
    2 paths from x to y:
      x → y: 1
      x → a → y: 0 × 1 = 0
    """
    for given, role in ((x, "x"), (root, "root")):
        if not isinstance(given, Value):
            raise TypeError(f"explain takes Values; {role} is {with_article(type(given).__name__)}")
    return Explanation(Log(root), x, paths=paths)


class Explanation:
    """A gradient as a sum of contributions. It prints as text; `.markdown` and `.latex` are for documents."""

    def __init__(self, log: Log, x: Value, *, paths: bool = False) -> None:
        self.log = log
        self.x = x
        #: What adds up to the gradient, in the order in which it does.
        self.contributions: list[Contribution] = log.arrivals.get(x, [])
        #: The gradient of the root by x.
        self.gradient: float = log.adjoints.get(x, 0.0)
        #: How many paths lead from x to the root; None unless asked for.
        self.path_count: int | None = count_paths(log, x) if paths else None
        #: The paths, if there are few: each the contributions along it, from x to the root.
        self.paths: list[list[Contribution]] = []
        if self.path_count is not None and self.path_count <= MOST_PATHS:
            self.paths = _all_paths(log, x) if x is not log.root else [[]]

    # ----- Text -----

    def __str__(self) -> str:
        lines = [self._summary()]
        for contribution in self.contributions[:MOST_CONTRIBUTIONS]:
            lines += [f"  {_source(contribution)}: {' '.join(product(contribution))}{_written(contribution)}"]
            lines += [f"    {_rule(contribution)}"]
        lines += self._others()
        return "\n".join([*lines, *self._paths_told(), *aside(self.log, self.x)])

    __repr__ = __str__

    def _summary(self) -> str:
        name = self._name
        if self.x is self.log.root:
            return f"{name}.grad = {six(self.gradient)}: it is the root, where the pass starts"
        if self.x not in self.log.adjoints:
            swapped = "; it is the other way round: explain(x, root)" * (self.log.root in nodes(self.x))
            return f"{name}.grad = 0: {self._root} does not depend on it{swapped}"
        amounts = [contribution.amount for contribution in self.contributions]
        terms = _terms(amounts) if len(amounts) <= MOST_CONTRIBUTIONS else f"the sum of {len(amounts)} contributions"
        return f"{name}.grad = {terms}" + f" = {six(self.gradient)}" * (len(amounts) > 1)

    def _others(self) -> list[str]:
        others = [contribution.amount for contribution in self.contributions[MOST_CONTRIBUTIONS:]]
        return [f"  and {len(others)} more, together {six(sum(others))}"] if others else []

    def _paths_told(self) -> list[str]:
        if self.path_count is None or self.x is self.log.root:
            return []
        count = "1 path" if self.path_count == 1 else f"{_count_told(self.path_count)} paths"
        too_many = f", too many to show (at most {MOST_PATHS})" * (self.path_count > MOST_PATHS)
        ending = ":" * bool(self.paths) + too_many
        lines = [f"{count} from {self._name} to {self._root}{ending}"]
        for path in self.paths:
            way = arrows([self._name, *(self.log.name[contribution.consumer] for contribution in path)])
            lines.append(f"  {way}: {_multiplied([contribution.local_derivative for contribution in path])}")
        return lines

    @property
    def _name(self) -> str:
        return self.log.name.get(self.x) or called(self.x, "x")

    @property
    def _root(self) -> str:
        return self.log.name[self.log.root]

    # ----- Documents -----

    @property
    def markdown(self) -> str:
        """The explanation as a list in Markdown, formulas as code."""
        lines = [markdown_code(self._summary()), ""]
        for contribution in self.contributions[:MOST_CONTRIBUTIONS]:
            words = contribution.consumer.primitive.words if contribution.consumer.primitive else ""
            told = f"- {markdown_code(_source(contribution))}: {markdown_code(' '.join(product(contribution)))}"
            lines.append(told + markdown_text(_written(contribution)) + f"  \n  {words}" * bool(words))
        lines += [line.replace("  and", "- and", 1) for line in self._others()]
        for line in self._paths_told():
            lines.append(f"- {markdown_code(line.strip())}" if line.startswith(" ") else f"\n{markdown_text(line)}\n")
        return "\n".join([*lines, *(f"\n{markdown_text(note)}" for note in aside(self.log, self.x))]) + "\n"

    def _repr_markdown_(self) -> str:
        return self.markdown

    @property
    def latex(self) -> str:
        r"""The explanation as an `aligned` environment of LaTeX, for math mode."""
        x, root = latex_name(self._name), latex_name(self._root)
        shown = self.contributions[:MOST_CONTRIBUTIONS]
        rest = [r"\dots"] * (len(self.contributions) > len(shown))
        lines = [rf"\frac{{\partial {root}}}{{\partial {x}}}"]
        if shown:
            names = [latex_name(self.log.name[contribution.consumer]) for contribution in shown]
            symbols = [
                rf"\frac{{\partial {root}}}{{\partial {c}}} \frac{{\partial {c}}}{{\partial {x}}}" for c in names
            ]
            numbers = [f"{_latex(c.upstream)} \\cdot {_bracketed(_latex(c.local_derivative))}" for c in shown]
            lines[0] += f" &= {' + '.join([*symbols, *rest])}"
            lines.append(f"&= {' + '.join([numbers[0], *map(_bracketed, numbers[1:]), *rest])}")
            lines.append(f"&= {_latex(self.gradient)}")
        else:
            lines[0] += f" &= {_latex(self.gradient)}"
        body = " \\\\\n".join(lines)
        return f"\\begin{{aligned}}\n{body}\n\\end{{aligned}}\n"


def count_paths(log: Log, x: Value) -> int:
    """How many paths lead from `x` to the root: the sum of those of its consumers. No path is walked."""
    counts = {log.root: 1}
    unread = {node: len(departures) for node, departures in log.departures.items()}
    for node in reversed(log.order):
        for contribution in log.arrivals[node]:
            consumer = contribution.consumer
            counts[node] = counts.get(node, 0) + counts[consumer]
            unread[consumer] -= 1
            if not unread[consumer]:
                del counts[consumer]  # the numbers get long
        if node is x:
            return counts[node]
    return 0


def _all_paths(log: Log, x: Value) -> list[list[Contribution]]:
    """Each path as the contributions along it, from `x` to the root."""
    found: list[list[Contribution]] = []
    waiting: list[Any] = [(contribution, None) for contribution in reversed(log.arrivals.get(x, []))]
    while waiting:
        path = waiting.pop()  # (the last contribution, the path to it): ways share what they have in common
        consumer = path[0].consumer
        waiting.extend((contribution, path) for contribution in reversed(log.arrivals[consumer]))
        if consumer is log.root:
            unrolled = []
            while path is not None:
                contribution, path = path
                unrolled.append(contribution)
            found.append(unrolled[::-1])
    return found


def _source(contribution: Contribution) -> str:
    name, consumer = contribution.name, contribution.consumer
    written = one_line(expression(consumer, name).plain, WIDTH // 2)
    return f"from {name[consumer]} = {written}, operand {contribution.slot + 1}"


def _rule(contribution: Contribution) -> str:
    primitive = contribution.consumer.primitive
    words = f": {primitive.words}" if primitive and primitive.words else ""
    return f"{contribution.symbol} = {one_line(contribution.rule, WIDTH)}{words}"


def _written(contribution: Contribution) -> str:
    line = contribution.consumer._line
    return f"   {line}" + f"  {one_line(line.text, WIDTH)}" * bool(line.text) if line else ""


def _terms(amounts: Sequence[float]) -> str:
    """`2 + 3 − 4`."""
    first, *others = amounts
    return six(first) + "".join(f" − {six(-x)}" if x < 0 else f" + {six(x)}" for x in others)


def _multiplied(factors: Sequence[float]) -> str:
    total = 1.0
    for factor in reversed(factors):
        total *= factor
    texts = [f"({six(x)})" if x < 0 else six(x) for x in reversed(factors)]
    texts[0] = six(factors[-1])
    return texts[0] if len(texts) == 1 else f"{' × '.join(shortened(texts, '...'))} = {six(total)}"


def _count_told(count: int) -> str:
    """The number written out, or how long it is."""
    digits = int(count.bit_length() * 0.30103) + 1
    digits -= count < 10 ** (digits - 1)
    return str(count) if digits <= MOST_DIGITS else f"{digits} digits (.path_count) long is the number of"


def _latex(x: float) -> str:
    return latex_number(number(x))


def _bracketed(text: str) -> str:
    return rf"\left({text}\right)" if text.startswith("-") else text
