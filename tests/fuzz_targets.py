"""What is fuzzed, door by door: inputs, and a judge of what comes of one of them.

    outcome = TARGETS["files: model"].judge(content)    # "read" or "refused"; an AssertionError for anything else

test_fuzz.py runs a few inputs of each, `python -m benchmarks.reliability` as many as there is time for. Judges know
what is allowed: a result that holds together, or one error of the documented kind that says in one line what is wrong.
"""

from __future__ import annotations

import contextlib
import functools
import io
import itertools
import json
import math
import pickle
import signal
import tempfile
import threading
import warnings
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, NamedTuple
from unittest import mock

import mpmath
import numpy as np
from hypothesis import strategies as st
from test_expression import WORDS, random_program
from test_saving import replaced
from test_value import LEAVES, PROGRAMS, execute, functions_of

import autograd as ag
import nn
from autograd import Value, nodes
from autograd.cli import main as show_main
from autograd.expression import LONGEST, ExpressionError, parse
from autograd.graph import same
from nn.command import main as train_main

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType


class Target(NamedTuple):
    """What is tried: how inputs are made, what judges one of them, and inputs that once were wrong."""

    inputs: st.SearchStrategy[Any]
    judge: Callable[[Any], str]
    found: Callable[[], list[Any]] = list


# ----- Nothing may hang -----


class Hang(BaseException):
    """An input took longer than anything should; no `except Exception` of the package catches it."""


@contextlib.contextmanager
def at_most(seconds: float = 20.0) -> Iterator[None]:
    """Raise Hang if the block takes longer; where there are no alarms (Windows, other threads), nobody looks."""
    if not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGALRM, _hang)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _hang(_signal: int, _frame: FrameType | None) -> None:
    raise Hang


def check_line(text: str, longest: int = 1000) -> None:
    """A message is one line that a terminal can show, and no essay."""
    assert text.strip(), "an error without a message"
    assert len(text) <= longest, f"a message of {len(text)} characters"
    assert not any(mark in text for mark in "\n\r\x0b\x0c\x1b\0\x85\u2028\u2029"), f"not one line: {text!r}"


# ----- Texts that are almost right -----


def mostly(usual: st.SearchStrategy[Any], other: st.SearchStrategy[Any], times: int = 3) -> st.SearchStrategy[Any]:
    """The usual, so many times as often as the other."""
    return st.integers(0, times).flatmap(lambda chance: usual if chance else other)


@st.composite
def edited(draw: Any, originals: st.SearchStrategy[Any], pieces: st.SearchStrategy[Any]) -> Any:
    """A text, or bytes, of which a few parts are cut out, doubled or replaced."""
    text = draw(originals)
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(text)))
        end = min(len(text), start + draw(st.integers(0, 6)))
        copied = draw(st.integers(0, len(text)))
        piece = draw(st.one_of(pieces, st.just(text[copied : copied + 8])))
        text = text[:start] + piece + text[end:]
    return text


programs = st.integers(0, 10**9).map(random_program)
NEAR_WORDS = st.sampled_from([*WORDS, "(", ")", ";", "\n", " ", "=", "**", "e", "_", "é", "ﬁ", "−", "²", "\ud800"])
BRACKETS = [
    ("(", ")"), ("[", "]"), ("-", ""), ("+", ""), ("sin(", ")"), ("sum([", "])"), ("2**", ""), ("", "**2"), ("", "*x"),
    ("where(x, ", ", z)"), ("max(x, ", ")"), ("(x + ", ")"), ("a = ", "; a"), ("dot([", "], [x])"), ("lambda: ", ""),
    ("f'{", "}'"), ("x if ", " else z"), ("not ", ""), ("(y := ", ")"), ("{", "}"), ("x[", "]"), ("", "()"),
]  # fmt: skip


@st.composite
def nested(draw: Any) -> str:
    """Brackets, calls and operators within each other, as deep as a text can be, not always closed as they opened."""
    depth = draw(st.integers(1, 60) | st.sampled_from([95, 100, 180, 210, 500, 1000, 2500]))
    chosen = draw(st.lists(st.sampled_from(BRACKETS), min_size=1, max_size=3))
    pairs = list(itertools.islice(itertools.cycle(chosen), depth))
    closed = max(0, depth + draw(st.sampled_from([0, 0, 0, 0, -1, 1])))
    closing = [pair[1] for pair in reversed((pairs * 2)[:closed])]
    return ("".join(pair[0] for pair in pairs) + draw(st.sampled_from(["x", "z", "1", "x*z"])) + "".join(closing))[
        : LONGEST + 1
    ]


DIGITS = st.text("0123456789", min_size=1, max_size=30) | st.sampled_from(["9" * 309, "9" * 4000, "1" + "0" * 5000])
NUMERALS = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
    DIGITS,
    st.builds("{}.{}".format, DIGITS, DIGITS),
    st.builds("{}e{}{}".format, DIGITS, st.sampled_from(["", "-", "+"]), DIGITS),
    st.builds("0x{:x}".format, st.integers(0, 2**2000)),
    st.sampled_from(["1_000", "1__0", "0b1", "0o7", "1e400", "1e-400", "5e-324", "1j", "0x", "1.7976931348623159e308"]),
)
WITH_NUMERALS = st.sampled_from(
    ["{n}*x", "x**{n}", "{n}**x", "x/{n}", "clip(x, {n}, {m})", "exp({n}*x)", "dot([x], [{n}], {m})", "x + {n} - {m}",
     "{n}", "-{n}**{m}*x", "sigmoid(x, {n})", "softplus({m}*x, beta={n})", "where(x < {n}, x, {m})"]
)  # fmt: skip
numerals = st.builds(lambda text, n, m: text.format(n=n, m=m), WITH_NUMERALS, NUMERALS, NUMERALS)
words = st.builds(lambda mark, found: mark.join(found), st.sampled_from(["", " "]), st.lists(NEAR_WORDS, max_size=20))
expressions = st.one_of(edited(programs, NEAR_WORDS | st.text(max_size=3)), programs, nested(), numerals, words)
NUMBERS_OF_VARIABLES = st.sampled_from(
    [0.5, 1.0, 2.0, -0.75, 3.0, 0.0, -0.0, 5e-324, 1e308, -1e308, math.inf, -math.inf, math.nan]
)


def judge_expression(given: tuple[str, list[float], bool]) -> str:
    """A text and numbers give a graph, the value of which is that of the text without a graph; or one error."""
    text, numbers, share = given
    with at_most():
        try:
            expression = parse(text)
            values = dict(zip(expression.variables, itertools.cycle(numbers)))
            root = expression.record(values, share=share)
        except ExpressionError as error:
            check_line(str(error))
            return "refused"
        root.backward()
        assert same(root.data, expression.value(values)), f"{root.data!r} of the graph, another number without"
        leaves = {node.label for node in nodes(root) if not node.operands}
        assert leaves <= set(expression.variables), f"leaves {leaves}"
    return "read"


# ----- Command lines -----

NAMES_OF_FILES = ["a.svg", "b.html", "c.dot", "d.txt", "none/e.svg", ".", "", "good.csv", "bad.csv", "model.json", "\0"]
ODD = st.sampled_from(
    ["", " ", "--", "-", "-h", "--help", "--version", "=", "x=", "=2", "x=\ud800", "--svg=", "\0", "→"]
)
ASSIGNMENTS = st.builds(
    "{}={}".format, st.sampled_from(["x", "z", "a", "x ", "é", "sin"]), NUMERALS | st.text(max_size=3)
)
OPTIONS = st.sampled_from(
    ["--edges", "--share", "--expand", "--digits", "--format", "--svg", "--html", "--quiet", "--x"]
)
SETTINGS = st.sampled_from(["3", "0", "17", "99", "markdown", "latex", "html", "text", "pdf", *NAMES_OF_FILES])
COMMANDS = [["show"], ["show"], ["show"], ["show"], ["step"], ["demo"], ["shwo"], []]
GOOD_OPTIONS = [
    ["--edges"], ["--share"], ["--expand"], ["--digits", "3"], ["--digits=17"], ["--format", "latex"],
    ["--format=markdown"], ["--format", "html"], ["--svg", "a.svg"], ["--html", "b.html"], ["--svg=c.dot"],
]  # fmt: skip
good_options = st.lists(st.sampled_from(GOOD_OPTIONS), max_size=3).map(lambda found: list(itertools.chain(*found)))
values = st.sampled_from([["x=2", "z=3"], ["x=0.5", "z=1"], ["x=-1", "z=0", "a=3"], ["x=nan", "z=inf"], []])
oddities = st.lists(st.one_of(ASSIGNMENTS, OPTIONS, SETTINGS, ODD), max_size=6)
arguments_of_show = st.builds(
    lambda command, text, values, good, odd: [*command, text, *values, *good, *odd],
    st.sampled_from(COMMANDS),
    mostly(programs, expressions | ODD, 2),
    values,
    good_options,
    mostly(st.just([]), oddities),
).filter(lambda arguments: not (_draws(arguments) and max(map(len, arguments)) > 250))


def _draws(arguments: list[str]) -> bool:
    """Graphviz takes its time over long chains whose nodes have operands in common: seconds for 150 of them."""
    return any(argument.startswith(("--svg", "--html")) for argument in arguments)


WITH_VALUE = ["--target", "--hidden", "--activation", "--epochs", "--lr", "--batch-size", "--seed", "--save", "--graph"]
OF_TRAIN = ["0", "1", "2", "-1", "1,2", "1.5", "nan", "kind", "w", "relu", "softmax", "", "9" * 30, "x", "²", "٣", "-"]
QUICK = ["--epochs", "1", "--hidden", "2"]
GOOD_PAIRS = [
    ["--quiet"], ["--target", "kind"], ["--target=-1"], ["--lr", "0.1"], ["--batch-size", "2"], ["--seed", "0"],
    ["--compile"], ["--save", "new.json"], ["--graph", "a.svg"], ["--graph", "c.dot"], ["--activation", "relu"],
]  # fmt: skip
good_pairs = st.lists(st.sampled_from(GOOD_PAIRS), max_size=4)
odd_pairs = st.lists(st.tuples(st.sampled_from(WITH_VALUE), st.sampled_from([*OF_TRAIN, *NAMES_OF_FILES])), max_size=3)
arguments_of_train = st.one_of(
    st.builds(
        lambda data, good, odd, more: ["train", data, *itertools.chain(*good, *odd), *more, *QUICK],
        mostly(st.just("good.csv"), st.sampled_from(NAMES_OF_FILES)),
        good_pairs,
        mostly(st.just([]), odd_pairs, 1),
        mostly(st.just([]), st.lists(ODD, max_size=1), 5),
    ),
    st.builds(
        lambda model, data, more: ["predict", model, data, *more],
        mostly(st.just("model.json"), st.sampled_from(NAMES_OF_FILES)),
        mostly(st.sampled_from(["good.csv", "plain.csv"]), st.sampled_from(NAMES_OF_FILES)),
        mostly(st.just([]), st.lists(st.sampled_from(["--target", *OF_TRAIN]), max_size=2)),
    ),
)
COMMANDS_OF_TERMINAL = [
    "n", "next", "b", "back", "r", "run", "goto", "p", "print", "watch", "why", "list", "l", "table", "graph",
    "predict", "reset", "h", "help", "?", "!", "EOF", "x", "z", "v1", "a", "-1", "0", "3", "9" * 20, "paths", "off",
    "x#2", "g.svg", "g.txt", "none/g.svg", "", "1e400", "nan", "²", "\0", "\ud800", "\x1b[1m", "forward", "backward",
]  # fmt: skip
lines_of_terminal = st.lists(
    st.lists(st.sampled_from(COMMANDS_OF_TERMINAL), min_size=1, max_size=3).map(" ".join) | st.text(max_size=8),
    max_size=12,
)


def judge_show(arguments: list[str]) -> str:
    """`chalkgrad show`, `step` and `demo` end with status 0, or with 2 and a line that says why."""
    return _judge_command(show_main, arguments)


def judge_train(arguments: list[str]) -> str:
    """`chalkgrad train` and `predict` likewise; the files that they may ask for are there."""
    files = {"good.csv": TABLES[0], "plain.csv": b"1,2\n3,4\n", "bad.csv": b"1,x\n", "model.json": models()[1]}
    return _judge_command(train_main, arguments, files)


def judge_terminal(lines: list[str]) -> str:
    """`chalkgrad step` answers to whatever is typed, and ends where the input ends."""
    return _judge_command(show_main, ["step", "a = x*z; b = a + sin(x); a*b", "x=2", "z=3"], {}, "\n".join(lines))


def _judge_command(
    main: Callable[[list[str]], int], arguments: list[str], files: dict[str, bytes] | None = None, typed: str = ""
) -> str:
    output, errors = io.StringIO(), io.StringIO()
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder), warnings.catch_warnings(), at_most():
        warnings.simplefilter("error")
        for name, content in (files or {}).items():
            Path(name).write_bytes(content)
        with (
            mock.patch("sys.stdin", io.StringIO(typed)),
            contextlib.redirect_stdout(output),
            contextlib.redirect_stderr(errors),
        ):
            status = _status(main, arguments)
    assert status in (0, 2), f"exit status {status!r}"
    complaints = errors.getvalue().removesuffix("\n").split("\n")
    if status == 2:
        for line in complaints:
            check_line(line)
            assert line.startswith("chalkgrad: "), f"a complaint that is no complaint of ours: {line!r}"
    return "obeyed" if status == 0 else "refused"


def _status(main: Callable[[list[str]], int], arguments: list[str]) -> Any:
    try:
        return main(arguments)
    except SystemExit as end:  # as argparse ends
        return end.code


# ----- Files -----

TABLES = [
    b"w,h,kind\n1,2,a\n2,1,b\n3,5,a\n4,2,b\n0,7,a\n6,1,b\n",
    b"1;2;0\n3;4;1\n5;6;0\n",
    b'# comment\n"a b","c\nd",e\n1e3,-2.5,"x,y"\n\n3,4,"q""r"\n',
    b"\xef\xbb\xbfx,y\r\n1,2\r\n3,4\r\n5,6",
]
PIECES_OF_TABLES = st.sampled_from(
    [
        b",",
        b"\n",
        b'"',
        b"#",
        b"nan",
        b"1e999",
        b"\xff",
        b"\r",
        b"\0",
        b";",
        b"_",
        b"inf",
        b" ",
        b"-",
        b"\xc2\xb2",
        b"\x0c",
    ]
)
CELLS = mostly(st.floats(-1e300, 1e300).map(repr), st.sampled_from(["1", " 4 ", "+5", "1e400", "", "x", "1_0", "٣"]), 9)
rows_of_tables = st.lists(
    st.builds("{},{},{}".format, CELLS, CELLS, st.sampled_from(["a", "b", "0", "1", '"c,d"'])), min_size=2, max_size=6
).map(lambda rows: "\n".join(rows).encode())
good_tables = st.sampled_from(TABLES) | rows_of_tables
bad_tables = edited(good_tables, PIECES_OF_TABLES | st.binary(max_size=3)) | st.binary(max_size=40)
tables = st.tuples(
    mostly(good_tables, bad_tables, 1),
    mostly(st.just(-1), st.integers(-4, 4) | st.sampled_from(["kind", "w", "x1", "y", "", "\n"])),
    mostly(st.just(","), st.sampled_from([";", "\t", " ", "|", "a", "1", "é"])),
    mostly(st.just(False), st.just(True)),
)


@contextlib.contextmanager
def file_of(content: bytes, name: str = "file") -> Iterator[Path]:
    """A file, as long as the block lasts."""
    with tempfile.TemporaryDirectory() as folder, at_most():
        path = Path(folder, name)
        path.write_bytes(content)
        yield path


def judge_table(given: tuple[bytes, int | str, str, bool]) -> str:
    """A table of finite numbers and of classes, each of which occurs; or one error that names the file."""
    content, target, delimiter, regression = given
    with file_of(content) as path:
        try:
            data = nn.datasets.load_csv(path, target, regression=regression, delimiter=delimiter)
        except ValueError as error:
            assert str(path) in str(error)
            check_line(str(error))
            return "refused"
    assert data.X.shape == (len(data.y), len(data.features))
    assert np.isfinite(data.X).all() and np.isfinite(data.y).all()
    assert regression or set(data.y.tolist()) == set(range(len(data.classes)))
    return "read"


@functools.cache
def models() -> list[bytes]:
    """Files of every kind of model."""
    names, scaling = ["cat", "dog"], nn.datasets.standardize([[1.0, 2.0], [3.0, 5.0]])[1]
    made = [
        nn.Classifier(nn.MLP(2, [2, 2], activation="tanh", seed=1), names, scaling),
        nn.MLP(2, [3, 1], activation=["relu", "sigmoid"], seed=1),
        nn.Layer(2, 2, activation="softmax", seed=1),
        nn.Neuron(3, seed=1),
    ]
    with file_of(b"") as path:
        return [nn.save(model, path).read_bytes() for model in made]


PIECES_OF_JSON = st.sampled_from(
    [
        b'"',
        b"{",
        b"}",
        b"[",
        b"]",
        b",",
        b":",
        b"null",
        b"true",
        b"NaN",
        b"-Infinity",
        b"1e999",
        b"0",
        b"-",
        b"\xff",
        b"MLP",
    ]
)


@st.composite
def documents(draw: Any, originals: Callable[[], list[bytes]]) -> bytes:
    """Files of ours with digits, bytes or parts exchanged; or noise."""
    content = draw(st.sampled_from(originals()))
    kind = draw(st.sampled_from(["digits", "bytes", "parts", "parts", "noise"]))
    if kind == "digits":
        places = [place for place, byte in enumerate(content) if chr(byte).isdigit()]
        place = draw(st.sampled_from(places))
        return content[:place] + draw(st.sampled_from([b"0", b"7", b"", b"00", b"1e9", b"-1"])) + content[place + 1 :]
    if kind == "bytes":
        return draw(edited(st.just(content), PIECES_OF_JSON | st.binary(max_size=3)))
    if kind == "parts":
        return json.dumps(replaced(json.loads(content), SimpleNamespace(draw=draw))).encode()
    return draw(st.binary(max_size=50) | st.integers(1, 10**5).map(lambda depth: b"[" * depth))


def judge_model(content: bytes) -> str:
    """A model that is the same when saved and loaded again; or one error that names the file."""
    with file_of(content, "model.json") as path:
        try:
            model = nn.load(path)
        except ValueError as error:
            assert str(path) in str(error)
            check_line(str(error))
            return "refused"
        again = nn.load(nn.save(model, path))
    assert repr(again) == repr(model)
    assert repr(again.state_dict()) == repr(model.state_dict())
    return "read"


ROWS, ANSWERS = [[0.0], [1.0], [2.0], [3.0]], [0.0, 1.0, 2.0, 3.0]


def _trained(model: nn.Module, **options: Any) -> None:
    optimizer = nn.Adam(model.parameters(), lr=0.01)
    nn.fit(model, ROWS, ANSWERS, loss=nn.mse_loss, optimizer=optimizer, batch_size=2, progress=False, **options)


@functools.cache
def checkpoints() -> list[bytes]:
    """A file of a training that was interrupted."""
    with file_of(b"") as path:
        _trained(nn.MLP(1, [2, 1], seed=1), epochs=2, seed=1, callbacks=[nn.Checkpoint(path)])
        return [path.read_bytes()]


def judge_checkpoint(content: bytes) -> str:
    """A training goes on from it; or there is one error that names the file, and the model is as it was."""
    model = nn.MLP(1, [2, 1], seed=2)
    before = repr(model.state_dict())
    with file_of(content, "run.json") as path:
        try:
            _trained(model, epochs=3, resume=path)
        except ValueError as error:
            check_line(str(error))
            if "a step from" in str(error):
                return "diverged"
            assert str(path) in str(error)
            assert repr(model.state_dict()) == before, "a file that is refused changed the model"
            return "refused"
        except ArithmeticError as error:  # numbers may be anything: training with them need not go well
            check_line(str(error))
            return "diverged"
    return "resumed"


# ----- Files that end too early -----


@functools.cache
def pickles() -> list[bytes]:
    """Graphs as every protocol of pickle writes them."""
    x, z = Value(2.0, "x"), Value(3.0, "z")
    root = ag.dot([x, z], [z, 4.0], ag.exp(x)) * ag.where(x, z, 1.0) / 7
    root.backward()
    return [pickle.dumps(given, protocol) for given in (x, root, [x, root]) for protocol in range(6)]


def _cut(originals: Callable[[], list[bytes]]) -> st.SearchStrategy[bytes]:
    """Files without their ends: at least one byte that counts is missing."""
    chosen = st.integers(0, len(originals()) - 1)
    cuts = st.floats(0, 1, exclude_max=True)
    return st.builds(lambda i, cut: (text := originals()[i].rstrip())[: int(cut * len(text))], chosen, cuts)


def judge_cut_pickle(content: bytes) -> str:
    """Half a pickle is an error of pickle's, and no graph."""
    try:
        found = pickle.loads(content)
    except (pickle.UnpicklingError, EOFError, ValueError, IndexError, AttributeError, UnicodeDecodeError):
        return "noticed"  # https://docs.python.org/3/library/pickle.html#pickle.UnpicklingError lists them
    raise AssertionError(f"half a pickle gives {found!r}")


def judge_cut_file(judge: Callable[[bytes], str]) -> Callable[[bytes], str]:
    """Half a file is refused."""

    def judge_cut(content: bytes) -> str:
        assert judge(content) == "refused", "half a file was read"
        return "noticed"

    return judge_cut


# ----- Random graphs -----


def judge_graph(given: tuple[Any, list[float], list[float]]) -> str:
    """Reverse mode, forward mode and central differences (in 60 digits, with a step of 1e-20) agree."""
    program, numbers, directions = given
    along = (directions * len(numbers))[: len(numbers)]
    leaves = [Value(number) for number in numbers]
    try:
        root = execute(program, leaves, ag)
    except (OverflowError, ZeroDivisionError):
        return "left out"
    root.backward()
    if any(abs(node.data) >= 100 or abs(node.grad) >= 1000 for node in nodes(root)):
        return "left out"  # it grows beyond what can be compared
    value, forward = ag.jvp(lambda *xs: execute(program, xs, ag), tuple(numbers), tuple(along))
    reverse = math.fsum(leaf.grad * step for leaf, step in zip(leaves, along))
    assert value == root.data
    assert _close(forward, reverse), f"{forward} in forward mode, {reverse} in reverse mode"
    for place, leaf in enumerate(leaves):
        slope = _slope(program, numbers, place)
        assert _close(leaf.grad, slope), f"{leaf.grad} in reverse mode, a difference of {slope}"
    return "agree"


def _slope(program: Any, numbers: list[float], place: int) -> float:
    functions = functions_of(mpmath)
    with mpmath.workdps(60):
        step = mpmath.mpf(10) ** -20
        sides = ([mpmath.mpf(x) + side * (i == place) for i, x in enumerate(numbers)] for side in (step, -step))
        above, below = (execute(program, side, functions) for side in sides)
        return float((above - below) / (2 * step))


def _close(x: float, y: float) -> bool:
    return math.isclose(x, y, rel_tol=1e-9, abs_tol=1e-9)


# ----- What was found -----


def lines_of_no_name() -> list[list[str]]:
    """Command lines with a file that has no name."""
    return [
        ["train", "", *QUICK],
        ["predict", "", "good.csv"],
        ["predict", "model.json", ""],
        ["train", "good.csv", "--save", "", *QUICK],
    ]


def tables_that_are_quoted() -> list[Any]:
    """Names and fields that do not fit in a line."""
    return [
        (b'"a\nb",c,d\n1,2,x\n3,4,y\n', "kind", ",", False),
        (b'"a\nb",c,d\n1,2,x\n3,z,y\n', -1, ",", False),
        (b"1,2,a\n" + b"x" * 3000 + b",4,b\n", -1, ",", False),
    ]


def damaged_optimizers() -> list[bytes]:
    """Checkpoints whose optimizer's arguments are none."""
    (content,) = checkpoints()
    changes = [(b"[0.9, 0.999]", b"[0.9]"), (b'"lr": 0.01', b'"lr": "x"'), (b'"eps": 1e-08', b'"eps": null')]
    return [content.replace(old, new) for old, new in changes]


# ----- All of them -----

TARGETS: dict[str, Target] = {
    "expressions": Target(
        st.tuples(expressions, st.lists(NUMBERS_OF_VARIABLES, min_size=1, max_size=3), st.booleans()), judge_expression
    ),
    "chalkgrad show, step, demo": Target(arguments_of_show, judge_show),
    "chalkgrad train, predict": Target(arguments_of_train, judge_train, lines_of_no_name),
    "what is typed while stepping": Target(lines_of_terminal, judge_terminal),
    "CSV files": Target(tables, judge_table, tables_that_are_quoted),
    "files of models": Target(documents(models), judge_model),
    "checkpoints": Target(documents(checkpoints), judge_checkpoint, damaged_optimizers),
    "random graphs": Target(
        st.tuples(PROGRAMS, LEAVES, st.lists(st.floats(-1, 1), min_size=1, max_size=3)), judge_graph
    ),
}

CUTS: dict[str, Target] = {
    "pickles": Target(st.deferred(lambda: _cut(pickles)), judge_cut_pickle),
    "files of models": Target(st.deferred(lambda: _cut(models)), judge_cut_file(judge_model)),
    "checkpoints": Target(st.deferred(lambda: _cut(checkpoints)), judge_cut_file(judge_checkpoint)),
}
