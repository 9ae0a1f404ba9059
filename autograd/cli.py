"""The command `chalkgrad`: `chalkgrad show "log(x) + x*z" x=2 z=3 --svg graph.svg`, and `chalkgrad demo`.

It prints the forward and backward table, checks the gradient against central differences and writes the picture, and
the page that plays the pass. `chalkgrad step "log(x) + x*z" x=2 z=3` goes through the pass in the terminal, and
`chalkgrad notebooks` copies the course.
"""

from __future__ import annotations

import argparse
import itertools
import os
import re
import sys
import unicodedata
import warnings
from io import TextIOWrapper
from math import isfinite
from typing import TYPE_CHECKING

from . import __version__
from .checks import central_difference
from .drawing import RenderingError, draw
from .expression import ExpressionError, parse
from .graph import expand, nodes
from .notation import one_line
from .tables import table

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any, NoReturn

    from .expression import Expression
    from .value import Value

#: The worked example of CMU 10-601's lecture on backpropagation.
DEMO = "a = x*z; b = log(x); c = sin(b); d = exp(a); e = a/b; f = c/a; d + e + f"
DEMO_VALUES = ["x=2", "z=3"]

#: The options that are followed by a value.
WITH_VALUE = ("--svg", "--html", "--digits", "--format")

#: The relative error up to which a gradient agrees with its central difference.
TOLERANCE = 1e-6


def main(
    arguments: Sequence[str] | None = None,
    extend: Callable[[Any], None] | None = None,
    with_value: Sequence[str] = (),
) -> int:
    """Run the command; returns its exit status: 0, or 2 for bad input.

    Args:
        arguments: what stands after `chalkgrad`; None takes the process's own.
        extend: adds further commands to argparse's subparsers; each sets `run`, a function of the options.
        with_value: the options of those that are followed by a value.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal without ∂ shows ?
    given = sys.argv[1:] if arguments is None else arguments
    options = _parser(extend).parse_args(_arranged(given, (*WITH_VALUE, *with_value)))
    try:
        options.run(options)
        if sys.stdout is not None:  # it may have been closed
            sys.stdout.flush()
    except (ExpressionError, RenderingError, ValueError, ArithmeticError) as error:
        print(f"chalkgrad: {one_line(str(error), 400)}", file=sys.stderr)
        return 2
    except BrokenPipeError:
        _drop_output()  # `| head` has seen enough
        return 0
    except OSError as error:
        print(f"chalkgrad: cannot write {error.filename or 'the output'}: {error.strerror}", file=sys.stderr)
        if error.filename is None:
            _drop_output()
        return 2
    except KeyboardInterrupt:
        return 130
    return 0


def _drop_output() -> None:
    """Let go of what could not be written: Python would try once more at the end, and complain."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"chalkgrad: {one_line(message, 400)}; chalkgrad --help says more\n")


def _arranged(arguments: Sequence[str], with_value: Sequence[str]) -> list[str]:
    """The arguments with options before words, so that they can stand anywhere, and -x*z is no option."""
    options: list[str] = []
    words: list[str] = []
    rest = iter(arguments)
    for argument in rest:
        name, equals, _ = argument.partition("=")
        if argument == "--":
            words.extend(" " + word for word in rest)
        elif name in with_value:
            options.extend([argument] if equals else [argument, *itertools.islice(rest, 1)])
        elif argument == "-h" or re.fullmatch("--[a-z-]+", argument):
            options.append(argument)
        else:
            words.append(" " + argument if argument.startswith("-") else argument)
    return [*words[:1], *options, *words[1:]]


def _parser(extend: Callable[[Any], None] | None) -> argparse.ArgumentParser:
    description = "Look into the backpropagation of an expression."
    parser = _Parser(prog="chalkgrad", description=description, allow_abbrev=False)
    parser.add_argument("--version", action="version", version=f"chalkgrad {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    show = commands.add_parser("show", help="table, gradient check and picture of an expression", allow_abbrev=False)
    step = commands.add_parser("step", help="go through the pass of an expression, step by step", allow_abbrev=False)
    demo = commands.add_parser(
        "demo", help="the worked example of CMU 10-601's lecture; writes graph.svg", allow_abbrev=False
    )
    notebooks = commands.add_parser("notebooks", help="copy the notebooks of the course", allow_abbrev=False)
    where = "where to (default: notebooks)"
    notebooks.add_argument("folder", nargs="?", default="notebooks", metavar="DIR", help=where)
    notebooks.add_argument("--blank", action="store_true", help="without outputs: nothing is seen before it is run")
    notebooks.set_defaults(run=_notebooks)
    for command in (show, step):
        such_as = 'such as "a = x*z; b = log(x); a/b": numbers, names, + - * / **, functions'
        command.add_argument("expression", help=such_as)
        command.add_argument("values", nargs="*", metavar="NAME=NUMBER", help="a number for each variable")
    for command in (show, demo):
        command.set_defaults(run=_show)
        command.add_argument("--svg", metavar="FILE", help="write the picture (.svg; .png and .pdf need Graphviz)")
        command.add_argument("--html", metavar="FILE", help="write a page that plays the pass, for any browser")
        command.add_argument("--edges", action="store_true", help="write local derivatives on the arrows")
        command.add_argument("--digits", type=int, default=6, help="significant digits (default: 6)")
        command.add_argument("--format", choices=("text", "markdown", "latex", "html"), default="text")
    for command in (show, step, demo):
        command.add_argument("--share", action="store_true", help="make equal subexpressions one node")
        command.add_argument("--expand", action="store_true", help="replace functions by their definitions")
    step.set_defaults(run=_step)
    demo.set_defaults(expression=DEMO, values=DEMO_VALUES, svg="graph.svg")
    if extend is not None:
        extend(commands)
    return parser


def _show(options: argparse.Namespace) -> None:
    expression, values, root = _recorded(options)
    root.backward()
    shown = table(root, digits=options.digits)
    print(str(shown) if options.format == "text" else getattr(shown, options.format))
    if options.format == "text":
        print(_checked(expression, values, root))
    if not (options.svg is None and options.html is None):
        print()
    if options.svg is not None:
        with warnings.catch_warnings(record=True) as remarks:
            warnings.simplefilter("always")
            print(f"wrote {draw(root, edges=options.edges).save(options.svg)}")
        for remark in remarks:
            print(f"chalkgrad: {remark.message}", file=sys.stderr)
    if options.html is not None:
        from .page import player

        print(f"wrote {player(root).save(options.html)}")


def _notebooks(options: argparse.Namespace) -> None:
    from .handout import copy_notebooks

    print(copy_notebooks(options.folder, blank=options.blank))


def _step(options: argparse.Namespace) -> None:
    from .terminal import Terminal

    if isinstance(sys.stdin, TextIOWrapper):
        sys.stdin.reconfigure(errors="replace")
    _, _, root = _recorded(options)
    Terminal(root).interact()


def _recorded(options: argparse.Namespace) -> tuple[Expression, dict[str, float], Value]:
    """The expression that was typed, the values of its variables, and its graph."""
    expression = parse(options.expression)
    values = _values(options.values)
    if unused := [name for name in values if name not in expression.variables]:
        print(f"chalkgrad: {', '.join(unused)} is not used in the expression", file=sys.stderr)
    root = expression.record(values, share=options.share)
    if options.expand:
        root = expand(root)
    if not root.label:
        labels = {node.label for node in nodes(root)}
        root.label = next(name for name in ("y", "out", "result", "the result") if name not in labels)
    return expression, values, root


def _values(texts: Sequence[str]) -> dict[str, float]:
    values = {}
    for text in texts:
        name, equals, number = text.partition("=")
        name = unicodedata.normalize("NFKC", name.strip())  # as Python does with names
        if not equals or not name.isidentifier():
            raise ExpressionError(f"{text!r} is not of the form NAME=NUMBER, as in x=2")
        if name in values:
            raise ExpressionError(f"{name} is given twice")
        try:
            values[name] = float(number)
        except ValueError:
            raise ExpressionError(f"{text!r} does not give {name} a number, as {name}=2 would") from None
    return values


def _checked(expression: Expression, values: dict[str, float], root: Value) -> str:
    """The gradients beside central differences, which come from the numbers alone."""
    gradients = {node.label: node.grad for node in nodes(root) if not node.operands}
    lines = [""]
    for position, name in enumerate(expression.variables):
        gradient = gradients.get(name, 0.0)
        step = 1e-6 * max(1.0, abs(values[name]))
        at = [values[name] for name in expression.variables]
        try:
            slope = central_difference(
                lambda *numbers: expression.value(dict(zip(expression.variables, numbers))), *at, arg=position, eps=step
            )
        except ValueError as error:
            lines.append(f"∂{root.label}/∂{name} = {gradient:.10g}; its central difference has no value: {error}")
            continue
        if not (isfinite(gradient) and isfinite(slope)):
            lines.append(f"∂{root.label}/∂{name} = {gradient:.10g}, by central difference {slope:.10g}: not comparable")
            continue
        error_size = abs(gradient - slope) / max(1e-8, abs(gradient), abs(slope))
        verdict = "agree" if error_size <= TOLERANCE else "DIFFER (a kink, or a step too large for this slope?)"
        lines.append(
            f"∂{root.label}/∂{name} = {gradient:.10g}, by central difference {slope:.10g}: "
            f"they {verdict}, relative error {error_size:.0e}"
        )
    return "\n".join(lines)
