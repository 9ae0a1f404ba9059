"""How numbers, nodes and rules are written: `x * z` or `x \\cdot z`, six significant digits, names safe for LaTeX.

A `Formula` is a symbol that primitives can be applied to, as to a Value; what comes out is the formula, written
plainly and in LaTeX. So a rule prints itself: `tanh.partials[0](Formula("x"), Formula("out"))` is `1 - out * out`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from . import rules
from .graph import label_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from typing import Any

    from .primitives import Primitive
    from .value import Value

#: How firmly a symbol binds its operands, as in Python; `negative` is between `*` and `**`.
STRENGTH = {"add": 1, "subtract": 1, "multiply": 2, "divide": 2, "negative": 3, "power": 4}
FIRMEST = 5

#: Expressions of more operands than this are shortened.
MOST_OPERANDS = 8


def number(x: float, digits: int = 6) -> str:
    """`x` with that many significant digits, zeros at the end dropped.

    >>> number(404.853739609282), number(2.0), number(9.5e-7, digits=4)
    ('404.854', '2', '9.5e-07')
    """
    return f"{x:.{digits}g}"


def shown(x: float, digits: int = 4) -> str:
    """A number as sentences and pictures show it, with a true minus.

    >>> shown(-404.853739609282)
    '−404.9'
    """
    return number(x, digits).replace("-", "−") if x else "0"


def equals(result: float, digits: int, *terms: float) -> str:
    """The sign between a product and its result: = if the digits shown bear it out, else ≈.

    >>> equals(1214.561218827846, 6, 404.853739609282, 3.0), equals(0.1 * 0.33333333, 2, 0.1, 0.33333333)
    ('=', '=')
    >>> equals(0.5 * 0.12345678, 2, 0.5, 0.12345678)
    '≈'
    """
    product = 1.0
    for term in terms:
        product *= float(number(term, digits))
    return "=" if number(product, digits) == number(result, digits) else "≈"


class Formula:
    """A symbol, or primitives applied to symbols, written plainly and in LaTeX.

    A symbol that reads as an expression, such as a node named `a+b`, is bracketed where it has to be.
    """

    __slots__ = ("_latex", "_strength", "plain")
    #: A Formula beside an array is no business of NumPy's.
    __array_ufunc__ = None

    def __init__(self, plain: str, latex: str | Callable[[], str] | None = None, strength: int | None = None) -> None:
        self.plain = plain
        self._latex = latex
        self._strength = strength

    # Of the thousand symbols that the rule of a wide node takes, few are ever looked at, and LaTeX is wanted rarely.

    @property
    def latex(self) -> str:
        """The formula in LaTeX."""
        if callable(self._latex):
            self._latex = self._latex()
        return latex_name(self.plain) if self._latex is None else self._latex

    @property
    def strength(self) -> int:
        """How firmly it holds together, from 0 to FIRMEST."""
        if self._strength is None:
            return FIRMEST if _is_simple(self.plain) else 0
        return self._strength

    def _record(self, primitive: Primitive, operands: Sequence[Any]) -> Formula:
        typed = without_defaults(primitive, operands)
        if primitive.written_out and primitive.definition and len(operands) <= MOST_OPERANDS:
            return primitive.definition(*operands)  # type: ignore[no-any-return]
        parts = [x if isinstance(x, Formula) else constant(float(x)) for x in typed]
        strength = STRENGTH.get(primitive.name, FIRMEST)
        return Formula(_plain(primitive, parts, strength), lambda: _latex(primitive, parts, strength), strength)

    def __add__(self, other: Any) -> Formula:
        return self._record(rules.add, (self, other))

    def __radd__(self, other: Any) -> Formula:
        return self._record(rules.add, (other, self))

    def __sub__(self, other: Any) -> Formula:
        return self._record(rules.subtract, (self, other))

    def __rsub__(self, other: Any) -> Formula:
        return self._record(rules.subtract, (other, self))

    def __mul__(self, other: Any) -> Formula:
        return self if _is_one(other) else self._record(rules.multiply, (self, other))

    def __rmul__(self, other: Any) -> Formula:
        return self if _is_one(other) else self._record(rules.multiply, (other, self))

    def __truediv__(self, other: Any) -> Formula:
        return self._record(rules.divide, (self, other))

    def __rtruediv__(self, other: Any) -> Formula:
        return self._record(rules.divide, (other, self))

    def __pow__(self, other: Any) -> Formula:
        return self if _is_one(other) else self._record(rules.power, (self, other))

    def __rpow__(self, other: Any) -> Formula:
        return self._record(rules.power, (other, self))

    def __neg__(self) -> Formula:
        return self._record(rules.negative, (self,))


def _is_one(other: Any) -> bool:
    """Whether it is a factor or an exponent that rules leave behind and nobody writes, as in 2 * x ** 1."""
    return type(other) is float and other == 1


def expression(node: Value, name: Mapping[Value, str], digits: int = 6) -> Formula:
    """How `node` is computed from its operands, in their names: `x * z`. Defaults that were not typed are not shown."""
    primitive, operands = node.primitive, node.operands
    assert primitive is not None
    typed = without_defaults(primitive, operands)
    parts = [constant(x, digits) if type(x) is float else Formula(name[x]) for x in typed]
    return parts[0]._record(primitive, [*parts, *operands[len(parts) :]])


def derivative_rules(node: Value, slots: Iterable[int], name: Mapping[Value, str], digits: int = 6) -> list[Formula]:
    """How the local derivatives of `node` by those operands are computed, in names: `z` for that of x * z by x.

    A rule of the user's that does not work on symbols gives its number.
    """
    primitive, operands = node.primitive, node.operands
    assert primitive is not None
    symbols = [*(x if type(x) is float else Formula(name[x]) for x in operands), Formula(name[node])]  # type: ignore[index]
    written: Mapping[int, Any] | Sequence[Any]
    try:
        if primitive.variadic:
            written = primitive.partials[0](*symbols)
        else:
            written = {slot: primitive.partials[slot](*symbols) for slot in slots}
    except Exception:  # the rule is the user's code, and may do anything
        written = [derivative or 0.0 for derivative in node.local_derivatives]
    return [x if isinstance(x := written[slot], Formula) else constant(float(x), digits) for slot in slots]


def derivative_symbol(node: Value, slot: int, name: Mapping[Value, str]) -> tuple[str, str]:
    """`∂a/∂x`, plainly and in LaTeX, of a node with respect to an operand; `∂y/∂x[2]` for the second x of x * x."""
    operand: Any = node.operands[slot]
    plain, latex = derivative_of(name[node], name[operand])
    uses = [place for place, other in enumerate(node.operands) if other is operand]
    which = f"[{uses.index(slot) + 1}]" * (len(uses) > 1)
    return plain + which, latex + which


def derivative_of(result: str, operand: str) -> tuple[str, str]:
    """`∂a/∂x`, plainly and in LaTeX, of a result with respect to an operand."""
    plain = [name if _is_simple(name) else f"({name})" for name in (result, operand)]
    latex = [latex_name(name) if _is_simple(name) else rf"({latex_name(name)})" for name in (result, operand)]
    return f"∂{plain[0]}/∂{plain[1]}", rf"\partial {latex[0]} / \partial {latex[1]}"


def _is_simple(name: str) -> bool:
    return re.fullmatch(r"([\w.'′]|\[[\w, ]*\])+(#\d+)?", name) is not None


def without_defaults(primitive: Primitive, operands: Sequence[Any]) -> Sequence[Any]:
    """The operands as they were typed: up to the last one that is not what it would be if it were not given."""
    defaults = primitive.defaults
    end, unset = len(operands), len(defaults)
    while unset and type(operands[end - 1]) is float and operands[end - 1] == defaults[unset - 1]:
        end, unset = end - 1, unset - 1
    return operands[:end]


def latex_number(text: str) -> str:
    """A number, as `number` wrote it, in LaTeX.

    >>> latex_number("9.5e-07"), latex_number("-inf")
    ('9.5 \\\\cdot 10^{-7}', '-\\\\infty')
    """
    mantissa, _, exponent = text.partition("e")
    if exponent:
        return rf"{mantissa} \cdot 10^{{{int(exponent)}}}"
    return text.replace("inf", r"\infty").replace("nan", r"\mathrm{nan}")


def constant(x: float, digits: int = 6) -> Formula:
    """A number as a formula."""
    text = number(x, digits)
    return Formula(text, latex_number(text), STRENGTH["negative"] if text.startswith("-") else FIRMEST)


def _plain(primitive: Primitive, parts: list[Formula], strength: int) -> str:
    if strength == FIRMEST:
        return f"{primitive.name}({', '.join(_few([part.plain for part in parts], '...'))})"
    texts = [_bracketed(part.plain, part, limit, "()") for part, limit in zip(parts, _limits(primitive, strength))]
    return primitive.symbol + texts[0] if len(texts) == 1 else f" {primitive.symbol} ".join(texts)


def _few(texts: list[str], dots: str, count: int | None = None) -> list[str]:
    """The first texts and the last, if there are many (or were, before they became few)."""
    if (count or len(texts)) <= MOST_OPERANDS:
        return texts
    return [*texts[: MOST_OPERANDS - 2], dots, texts[-1]]


def _latex(primitive: Primitive, parts: list[Formula], strength: int) -> str:
    if primitive.variadic:
        few = parts if len(parts) <= MOST_OPERANDS else [*parts[: MOST_OPERANDS - 2], parts[-1]]
        return primitive.latex.format(", ".join(_few([part.latex for part in few], r"\dots", len(parts))))
    texts = [part.latex for part in parts]
    if strength < FIRMEST:
        brackets = (r"\left(", r"\right)")
        texts = [
            part.latex if f"{{{{{{{slot}}}}}}}" in primitive.latex else _bracketed(part.latex, part, limit, brackets)
            for slot, (part, limit) in enumerate(zip(parts, _limits(primitive, strength)))
        ]
    if f"{{{len(texts) - 1}}}" not in primitive.latex:  # the template has no place for what is usually not given
        return rf"\operatorname{{{latex_word(primitive.name)}}}({', '.join(texts)})"
    return primitive.latex.format(*texts)


def _limits(primitive: Primitive, strength: int) -> tuple[int, int]:
    """How firmly operands must bind to stand without brackets; `**` groups from the right, others from the left."""
    if primitive is rules.negative:
        return strength, strength
    return (strength + 1, strength) if primitive is rules.power else (strength, strength + 1)


def _bracketed(text: str, part: Formula, limit: int, brackets: Sequence[str]) -> str:
    firm = part.strength >= limit and not (limit > STRENGTH["power"] and "^" in text)  # e^{x}^{2} is no LaTeX
    return text if firm else brackets[0] + text + brackets[1]


def latex_name(name: str) -> str:
    """A label as LaTeX in math mode: `x`, `w_{12}`, `\\mathrm{loss}`; whatever LaTeX would obey is escaped.

    >>> latex_name("w12"), latex_name("loss"), latex_name("50%")
    ('w_{12}', '\\\\mathrm{loss}', '\\\\mathrm{50\\\\%}')
    """
    if match := re.fullmatch(r"([^\W\d_])_?(\d*)", name):
        letter, index = match.groups()
        return f"{letter}_{{{index}}}" if index else letter
    if re.fullmatch(r"[\d.]+", name):
        return name
    return rf"\mathrm{{{latex_word(name)}}}"


def latex_word(text: str) -> str:
    """Text with all that LaTeX would obey escaped."""
    return "".join(_LATEX_ESCAPES.get(character, character) for character in one_line(text))


_LATEX_ESCAPES = {
    **{character: "\\" + character for character in "&%$#_{}"},
    "\\": r"\backslash ",
    "~": r"\sim ",
    "^": r"\hat{}",
    " ": r"\ ",
    "<": r"\lt ",
    ">": r"\gt ",
}


def called(node: Value, otherwise: str = "this Value") -> str:
    """What a node that may be no part of the graph is called in a sentence: its label, if it has one."""
    return label_shown(label_of(node)) or otherwise


def label_shown(label: str) -> str:
    """A label as tables and drawings show it: on one line, and not too long."""
    return one_line(label, 24)


def one_line(text: str, width: int = 40) -> str:
    """A label on one line of limited width: control characters and bidirectional overrides escaped, the rest cut.

    >>> one_line("two\\nlines")
    'two\\\\nlines'
    """
    cut = text if len(text) <= width else text[: width - 1] + "…"
    kept = (c.isprintable() or c == "\u200d" for c in cut)  # a zero-width joiner makes one emoji of several
    return "".join(c if keep else c.encode("unicode_escape").decode("ascii") for c, keep in zip(cut, kept))


def markdown_code(text: str, *, in_table: bool = False) -> str:
    """Inline code for Markdown: the fence is longer than any run of backticks in the text."""
    longest = max(map(len, re.findall("`+", text)), default=0)
    fence, space = "`" * (longest + 1), " " * bool(longest)
    return fence + space + (text.replace("|", "\\|") if in_table else text) + space + fence


def markdown_text(text: str) -> str:
    """Text with all that Markdown would obey escaped."""
    return "".join("\\" + c if c in "\\`*_{}[]<>()#+!|&$~" else c for c in text)
