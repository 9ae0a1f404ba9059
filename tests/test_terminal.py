"""`chalkgrad step`: driven as people do, through a pseudo-terminal, as scripts do, through pipes, and in process."""

from __future__ import annotations

import gc
import inspect
import io
import os
import re
import select
import signal
import subprocess
import sys
import time
import weakref
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree

import pytest

import autograd
from autograd import Value, relu, sqrt
from autograd.cli import DEMO, DEMO_VALUES, main
from autograd.expression import parse
from autograd.terminal import COMMANDS, Terminal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PACKAGE = str(Path(autograd.__file__).parents[1])

#: How long anything may take, in seconds.
PATIENCE = 60

PROMPT = r"\(step \d+ of \d+\) $"

#: Values and gradients that CMU 10-601 publishes for the example, to all digits.
LECTURE = {
    "x": (2.0, 1208.38121512661),
    "z": (3.0, 809.707479218564),
    "a": (6.0, 404.853739609282),
    "b": (0.6931471805599453, -12.360007402472986),
    "c": (0.6389612763136348, 0.1666666666666667),
    "d": (403.4287934927351, 1.0),
    "e": (8.656170245333781, 1.0),
    "f": (0.10649354605227246, 1.0),
    "y": (412.19145728412116, 1.0),
}


def written(number: float) -> str:
    """As the terminal writes it."""
    return f"{number:.6g}".replace("-", "−")


def command(*arguments: str) -> list[str]:
    """The program's command line."""
    return [sys.executable, "-m", "autograd", "step", *arguments]


def environment(**more: str) -> dict[str, str]:
    """That of this process, but a terminal with colours."""
    own = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "INPUTRC")}
    return {**own, "PYTHONPATH": PACKAGE, "PYTHONIOENCODING": "utf-8", "TERM": "xterm-256color", **more}


def piped(*lines: str, arguments: list[str] | None = None, **more: str) -> subprocess.CompletedProcess[str]:
    """The program with commands from a pipe."""
    return subprocess.run(
        command(*(arguments or [DEMO, *DEMO_VALUES])),
        input="".join(line + "\n" for line in lines),
        env=environment(**more),
        capture_output=True,
        check=False,
        encoding="utf-8",
        timeout=PATIENCE,
    )


def graph(expression: str, **values: float) -> Value:
    """The graph of an expression whose result is y."""
    root = parse(expression).record(values)
    root.label = root.label or "y"
    return root


def answers(*lines: str, root: Value | None = None, typed: str = "") -> list[str]:
    """What the class prints in answer to commands: one text for the start and one for each of them.

    Questions are answered with what is typed.
    """
    stdin, stdout = io.StringIO(), io.StringIO()
    terminal = Terminal(graph(DEMO, x=2, z=3) if root is None else root, stdin, stdout)
    terminal.interact()  # there is nothing to read: it says where it is and leaves
    stdin.write(typed)
    stdin.seek(0)
    texts = []
    for line in lines:
        texts.append(stdout.getvalue())
        stdout.seek(0)
        stdout.truncate()
        terminal.onecmd(line)
    return [*texts, stdout.getvalue()]


# ----- At a terminal -----


class Session:
    """The program at a pseudo-terminal of 80 columns."""

    def __init__(self, arguments: list[str], **more: str) -> None:
        import fcntl
        import struct
        import termios

        def prepare() -> None:
            """A key typed as \x03 is to be an interrupt, also where these tests run in the background."""
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)
            signal.signal(signal.SIGINT, signal.default_int_handler)

        self._end, other = os.openpty()
        fcntl.ioctl(other, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        self.process = subprocess.Popen(
            command(*arguments),
            stdin=other,
            stdout=other,
            stderr=other,
            env=environment(**more),
            start_new_session=True,
            preexec_fn=prepare,
        )
        os.close(other)
        self.text, self._shown = "", b""
        self.until(PROMPT)

    def until(self, pattern: str, patience: float = PATIENCE) -> str:
        """What is shown until it ends so; all of it is kept in `.text`."""
        text, deadline = "", time.monotonic() + patience
        while (left := deadline - time.monotonic()) > 0:
            if not select.select([self._end], [], [], left)[0]:
                break
            try:
                more = os.read(self._end, 65536)
            except OSError:  # how Linux says that the other end is closed
                more = b""
            self._shown += more
            text = re.sub(r"\x1b\[\?2004[hl]\r?", "", self._shown.decode("utf-8", "ignore")).replace("\r\n", "\n")
            if not more or re.search(pattern, text):
                self._shown = b""
                self.text += text
                return text
        raise TimeoutError(f"{pattern} did not come; there was {text!r}")

    def interrupt(self) -> str:
        """Type Ctrl-C until it is answered: one that comes just before readline waits for a key is seen at the next."""
        for _ in range(PATIENCE):
            os.write(self._end, b"\x03")
            try:
                return self.until(PROMPT, patience=1)
            except TimeoutError:
                pass
        raise TimeoutError("Ctrl-C is not answered")

    def type(self, keys: str, pattern: str = PROMPT) -> str:
        """What is shown in answer to keys."""
        os.write(self._end, keys.encode())
        return self.until(pattern)

    def ask(self, line: str) -> str:
        """The answer to a command, without the echo and the next prompt."""
        return re.sub(PROMPT, "", self.type(line + "\n").split("\n", 1)[1]).rstrip("\n")

    def leave(self, keys: str) -> int:
        """Type the keys that end it; the exit status."""
        os.write(self._end, keys.encode())
        self.until(r"\Z(?!)")
        return self.process.wait(PATIENCE)

    def close(self) -> None:
        """End it, if it has not ended."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(PATIENCE)
        os.close(self._end)


@pytest.fixture
def start() -> Iterator[Callable[..., Session]]:
    """Starts sessions, of the lecture's example unless an expression is given, and ends them."""
    if os.name != "posix":
        pytest.skip("needs a pseudo-terminal")
    sessions = []

    def started(*arguments: str, **more: str) -> Session:
        sessions.append(Session(list(arguments) or [DEMO, *DEMO_VALUES], **more))
        return sessions[-1]

    yield started
    for session in sessions:
        session.close()


def test_the_lecture_example_forward_and_backward_and_back(start: Callable[..., Session]) -> None:
    """Every published number is shown when its step comes, and going back takes all of them back."""
    session = start(NO_COLOR="1")
    assert session.text.splitlines() == [
        "Stepper of y: at the start of 16 steps",
        "next: a is computed from x, z",
        "n steps forward, b back, p x prints a node, ? lists all commands, q leaves",
        "(step 0 of 16) ",
    ]
    steps = [session.ask("n") for _ in range(16)]
    for position, name in enumerate("adbe", 1):
        assert steps[position - 1].splitlines()[0] == f"Stepper of y: step {position} of 16, forward"
        assert steps[position - 1].splitlines()[1].startswith(f"  {name} = ")
        assert steps[position - 1].splitlines()[1].endswith(f" = {written(LECTURE[name][0])}")
    assert "y = v1 + f = 412.085 + 0.106494 = 412.191" in steps[7]
    assert "x.grad += ∂y/∂a · ∂a/∂x = 404.854 × 3 = 1214.56   (−6.18 → 1208.38)" in steps[15]
    for name, (value, gradient) in LECTURE.items():
        told = session.ask(f"p {name}").splitlines()
        assert written(value) in told[0].split()
        assert told[1].startswith(f"{name}.grad = {written(gradient)}; ")
    assert session.ask("n") == "this was the last step: b goes back, reset goes to the start, q leaves"
    for position in range(15, 0, -1):
        undone = session.ask("b").splitlines()
        assert sorted(undone[0:1] + undone[-1:]) == sorted(
            [steps[position - 1].splitlines()[0], steps[position - 1].splitlines()[-1]]
        )
    assert session.ask("b") == "Stepper of y: at the start of 16 steps\nnext: a is computed from x, z"
    assert session.ask("b") == "this is the start: there is no step to go back"
    assert session.ask("p x").splitlines()[1] == "x.grad is not computed; the backward pass starts at step 9"
    assert session.leave("q\n") == 0


def test_an_empty_line_repeats_moves_alone(start: Callable[..., Session]) -> None:
    """n, b or n with a count; never what was looked at in between."""
    session = start(NO_COLOR="1")
    assert session.ask("") == "an empty line repeats the last n or b, and there was none: n takes a step"
    session.ask("n")
    assert session.ask("").startswith("Stepper of y: step 2 of 16")
    assert session.ask("p x").startswith("x = 2 (leaf)")
    assert session.ask("").startswith("Stepper of y: step 3 of 16")
    session.ask("next 4")
    assert [line for line in session.ask("  ").splitlines() if line.startswith("Stepper")] == [
        "Stepper of y: step 8 of 16, forward",
        "Stepper of y: step 9 of 16, backward",
        "Stepper of y: step 10 of 16, backward",
        "Stepper of y: step 11 of 16, backward",
    ]
    session.ask("back")
    session.ask("goto 6")
    assert session.ask("").startswith("Stepper of y: step 5 of 16")
    assert session.ask("n 0") == "next takes a number of steps after it, 1 or more, not '0'"
    assert session.ask("").startswith("Stepper of y: step 4 of 16")


def test_looking_around(start: Callable[..., Session], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """goto, p, watch, why, l, t, graph, help: what each shows at a terminal, in lines of 80 columns."""
    monkeypatch.chdir(tmp_path)
    session = start(NO_COLOR="1")
    assert session.ask("run forward").startswith("Stepper of y: step 8 of 16, forward\n  y = v1 + f = ")
    assert session.ask("goto b").startswith("Stepper of y: step 14 of 16, backward\n  b.grad = −12.36, complete")
    assert session.ask("p x") == "x = 2 (leaf)\nx.grad = −6.18; waits for a (1 of 2)"
    assert session.ask("p a") == "a = x * z = 2 * 3 = 6\na.grad = 1.42495; waits for d (2 of 3)"
    assert session.ask("watch x") == "the gradient of x will be shown with every step"
    why = session.ask("why x").splitlines()
    assert why[0] == "x.grad = −6.18 + 1214.56 = 1208.38"
    assert why[-1] == "that is at the end; now, at step 14, x.grad = −6.18"
    session.ask("why a")
    listed = session.ask("l").splitlines()
    assert [line for line in listed if line.startswith("->")] == [
        "-> b     log(x)      0.693147    −12.36  handed on at step 14"
    ]
    session.ask("t")
    assert session.ask("graph half.svg") == "wrote half.svg"
    drawn = "".join(ElementTree.parse("half.svg").getroot().itertext())
    assert "step 14 of 16, backward" in drawn
    assert "grad 1.425" in drawn
    assert session.ask("n").count("watched: x.grad = −6.18") == 1
    assert session.ask("goto a").splitlines()[-2].startswith("watched: x.grad = 1208.38")
    session.ask("?")
    for name in COMMANDS:
        assert session.ask(f"help {name}")
    session.ask("foo")
    session.ask("predict")
    session.ask("b")
    session.type("n\n", r"becomes \? $")
    session.type("1210\n")
    assert [line for line in session.text.splitlines() if len(line) > 80] == []


def test_interrupts_end_the_line_and_not_the_session(start: Callable[..., Session]) -> None:
    """Ctrl-C at the prompt and at a question; the position stays."""
    session = start(NO_COLOR="1")
    session.ask("n 3")
    session.type("goto 1", "goto 1$")
    for _ in range(3):
        assert session.interrupt().endswith("\n(step 3 of 16) ")
    assert session.ask("predict").startswith("predict is on")
    session.type("n\n", r"e = a / b = 6 / 0.693147 = \? $")
    assert session.interrupt().endswith("\n(step 3 of 16) ")
    assert session.ask("predict off") == "predict is off"
    assert session.ask("n").startswith("Stepper of y: step 4 of 16")
    assert session.process.poll() is None


@pytest.mark.parametrize("keys", ["\x04", "q\n", "quit\n", "exit\n"])
def test_leaving(start: Callable[..., Session], keys: str) -> None:
    """With status 0; the shell's prompt comes on a line of its own."""
    session = start()
    assert session.leave(keys) == 0
    assert session.text.endswith("\n")


def test_colour(start: Callable[..., Session]) -> None:
    """At a terminal, unless NO_COLOR or a dumb terminal says otherwise; the text is the same without."""
    lines = ["n", "l", "goto b", "l", "p a", "why x"]
    coloured = start(NO_COLOR="")
    plain = start(NO_COLOR="1")
    dumb = start(TERM="dumb")
    for line in lines:
        with_colour = coloured.ask(line)
        assert "\x1b[1m" in with_colour
        assert re.sub(r"\x1b\[\d*m", "", with_colour) == plain.ask(line) == dumb.ask(line)
    for code in ("\x1b[94m", "\x1b[33m", "\x1b[0m"):
        assert code in coloured.text
    assert "\x1b[94m6\x1b[0m" in coloured.text
    assert "\x1b[33m1208.38\x1b[0m" in coloured.text
    assert not re.search(r"\x1b\[[\d;]*m", plain.text + dumb.text)


def test_completion_and_history(start: Callable[..., Session]) -> None:
    """Tab completes commands and nodes; answers to questions are no commands to go back to."""
    pytest.importorskip("readline")
    session = start("long = x*x; x = long*x; sin(x)", "x=2", NO_COLOR="1")
    session.type("wat\t", "watch$")
    assert "the gradient of long will be shown" in session.type(" lo\t\n")
    assert "x#2 = long * x" in session.type("p x\t#\t\n")
    assert session.type("why y\t\n").count("why y") == 1
    session.ask("predict")
    session.type("n\n", r"\? $")
    session.type("4\n")
    assert session.type("\x1b[A", r"\w$").endswith("n")
    session.interrupt()


# ----- From a pipe -----


def test_commands_from_a_pipe() -> None:
    """They work; no prompts, no colours; the end of input ends it."""
    run = piped("n", "", "goto a", "p x", "foo", "why z")
    assert (run.returncode, run.stderr) == (0, "")
    assert "\x1b" not in run.stdout
    assert "(step" not in run.stdout
    assert "Stepper of y: step 2 of 16, forward" in run.stdout
    assert "x.grad = 1208.38; complete (2 of 2)" in run.stdout
    assert "no command 'foo'; try n b goto r p watch why l t graph predict reset q or ?\n" in run.stdout
    assert run.stdout.endswith("each factor receives the gradient scaled by the other factor\n")


def test_nothing_after_quit_is_read() -> None:
    """Nor is a newline printed for the end of input."""
    run = piped("q", "n")
    assert (run.returncode, len(run.stdout.splitlines())) == (0, 3)
    assert piped().stdout == run.stdout


def test_questions_from_a_pipe() -> None:
    """Answers are read from it, too."""
    run = piped("predict", "n", "5", "n", "403.4", "n")
    assert run.returncode == 0
    assert "a = x * z = 2 * 3 = ? 5? " in run.stdout
    assert "d = exp(a) = exp(6) = ? right\n" in run.stdout
    assert "b = log(x) = log(2) = ? not answered\n" in run.stdout


def test_bytes_that_are_no_text() -> None:
    """They are answered and not obeyed."""
    run = subprocess.run(
        command("x*x", "x=2"),
        input=b"\xff\xfe\np \x1b[31m\nn\n",
        env=environment(),
        capture_output=True,
        check=True,
        timeout=PATIENCE,
    )
    assert b"\x1b" not in run.stdout
    assert "no node '\\x1b[31m'; there are x, y" in run.stdout.decode()
    assert b"step 1 of 2" in run.stdout


@pytest.mark.skipif(os.name != "posix", reason="needs POSIX signals")
def test_an_interrupt_without_a_terminal() -> None:
    """It ends the program, as it ends others."""
    with subprocess.Popen(
        command("x*x", "x=2"),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(),
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),  # background jobs may ignore it
    ) as process:
        assert process.stdout is not None
        for _ in range(3):
            process.stdout.readline()
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE) == 130
        assert process.stderr is not None
        assert process.stderr.read() == b""


@pytest.mark.skipif(os.name != "posix", reason="needs a POSIX shell")
@pytest.mark.parametrize("redirection", ["<&-", ">&-", "| head -1", "| true"])
def test_closed_streams(redirection: str) -> None:
    """No traceback, whatever is closed."""
    run = subprocess.run(
        ["sh", "-c", f'"$@" {redirection}', "sh", *command("x*x", "x=2")],
        input="n\n" * 5000,
        env=environment(),
        capture_output=True,
        check=False,
        encoding="utf-8",
        timeout=PATIENCE,
    )
    assert run.stderr == ""


# ----- The command line -----


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["x*z", "x=2"], "no value is given for z: add z=2"),
        (["x", "x=2"], "x is a leaf: nothing was computed, so there are no steps"),
        (["f(x)", "x=2"], "unknown function 'f'"),
        (["log(x)", "x=-1"], "it needs x > 0"),
        (["2 + 2"], "there is no variable to differentiate by"),
        ([], "the following arguments are required"),
        (["x*x", "x=2", "--svg", "graph.svg"], "unrecognized arguments: --svg"),
    ],
)
def test_expressions_that_cannot_be_stepped(
    capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    """One line, status 2, as for `show`."""
    try:
        status = main(["step", *arguments])
    except SystemExit as end:
        status = end.code
    assert status == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("chalkgrad: ")
    assert message in line


def test_share_and_expand() -> None:
    """Wherever they stand on the command line; a minus starts no option."""
    apart = piped(arguments=["sin(x*x) + x*x", "x=1"]).stdout
    shared = piped(arguments=["--share", "sin(x*x) + x*x", "x=1"]).stdout
    assert ("of 8 steps" in apart, "of 6 steps" in shared) == (True, True)
    assert "of 2 steps" in piped(arguments=["tanh(x)", "x=1"]).stdout
    assert "of 2 steps" not in piped(arguments=["tanh(x)", "x=1", "--expand"]).stdout
    assert re.search("v1 = [-−]x", piped("n", arguments=["-x*z", "x=2", "z=3"]).stdout)


@pytest.mark.parametrize(
    "arguments",
    [
        ["show", "x*z", "x=2", "z=3", "--html", "page.html"],
        ["show", "--html=page.html", "-x*z", "x=2", "z=3"],
        ["show", "x*z", "--html", "page.html", "--format", "markdown", "x=2", "z=3"],
        ["demo", "--html", "page.html"],
    ],
)
def test_the_page(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, arguments: list[str]
) -> None:
    """`show` and `demo` write the player's page, too."""
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 0
    captured = capsys.readouterr()
    assert captured.err == ""
    assert captured.out.splitlines()[-1] == "wrote page.html"
    assert "wrote graph.svg" in captured.out or arguments[0] == "show"
    assert "<!doctype html>" in Path("page.html").read_text("utf-8")[:200].lower()


# ----- In process -----


def test_import_stays_light() -> None:
    """Neither cmd nor readline is imported before a session starts."""
    code = "import sys, autograd, autograd.cli; print([m for m in ('cmd', 'readline') if m in sys.modules])"
    run = subprocess.run([sys.executable, "-c", code], env=environment(), capture_output=True, check=True, text=True)
    assert run.stdout == "[]\n"


def test_help_is_whole() -> None:
    """Every command is listed with one line that fits, and explained."""
    methods = {name.removeprefix("do_") for name in dir(Terminal) if name.startswith("do_")}
    assert methods == {*COMMANDS, "help"}
    overview = answers("?")[-1].splitlines()
    assert len(overview) == len(methods) + 1
    assert max(map(len, overview)) <= 80
    for name in methods:
        first = inspect.cleandoc(getattr(Terminal, f"do_{name}").__doc__ or "").splitlines()[0]
        assert re.fullmatch(r"[^:]+: [^:]+\.", first), first
        assert answers(f"help {name}")[-1].startswith(first)
    assert answers("help n")[-1] == answers("help next")[-1]
    assert answers("help foo")[-1] == "no command 'foo'; ? lists them all\n"


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("foo", "no command 'foo'; try n b goto r p watch why l t graph predict reset q or ?"),
        ("!ls", "no command '!ls'; try n b goto r p watch why l t graph predict reset q or ?"),
        ("x", "x is a node and no command: p x prints it"),
        ("n x", "next takes a number of steps after it, 1 or more, not 'x'"),
        ("b -1", "back takes a number of steps after it, 1 or more, not '-1'"),
        ("n " + "9" * 5000, "next takes a number of steps after it, 1 or more, not '9999999999999999999…'"),
        ("goto", "goto takes the number of a step, 0 to 16, or a node: x, z, a, d, b and 5 more"),
        ("goto 17", "there are steps 0 (the start) to 16, not 17"),
        ("goto -1", "there are steps 0 (the start) to 16, not -1"),
        ("goto 1.5", "no node '1.5'; there are x, z, a, d, b and 5 more"),
        ("goto q", "no node 'q'; there are x, z, a, d, b and 5 more"),
        ("p", "p takes a node: x, z, a, d, b and 5 more"),
        ("p a b", "no node 'a b'; there are x, z, a, d, b and 5 more"),
        ("watch", "watch takes a node: x, z, a, d, b and 5 more"),
        ("why", "why takes a node: x, z, a, d, b and 5 more"),
        ("run away", "run takes forward or nothing after it, not 'away'"),
        ("predict me", "predict takes on, off or nothing after it, not 'me'"),
        ("reset a", "reset takes nothing after it, not 'a'"),
        ("l a", "list takes nothing after it, not 'a'"),
        ("t a", "table takes nothing after it, not 'a'"),
        ("graph", "graph takes the name of a file, as in: graph graph.svg"),
        ("graph a.txt", "a drawing is saved as .svg, .png, .pdf or .dot, not as 'a.txt'"),
        ("graph nowhere/a.svg", "cannot write nowhere/a.svg: No such file or directory"),
        ("graph a\0.svg", "embedded null byte"),
    ],
)
def test_what_cannot_be_obeyed(line: str, told: str) -> None:
    """One line that says what can, and nothing has moved."""
    texts = answers("n 3", line, "n")
    assert texts[2] == told + "\n"
    assert texts[3].startswith("Stepper of y: step 4 of 16")


def test_moves_say_what_the_stepper_says() -> None:
    """Word for word."""
    stepper = autograd.Stepper(graph(DEMO, x=2, z=3))
    texts = answers("n", "goto 5", "goto c", "r forward", "r", "b", "reset")
    moves = [lambda: None, stepper.next, lambda: stepper.goto(5), lambda: stepper.goto("c")]
    moves += [lambda: stepper.run("forward"), stepper.run, stepper.back, stepper.reset]
    for text, move in zip(texts, moves):
        move()
        assert text.startswith(repr(stepper) + "\n")


def test_names_are_those_that_are_shown() -> None:
    """v1, x#2, and labels that are too long to be shown whole; also a name in another form of Unicode."""
    root = graph("x = x*x; x = x*x; sin(ﬁ*x) + " + "n" * 40, x=2, fi=3, **{"n" * 40: 1})
    texts = answers("p x", "p x#2", "p x#3", "p v1", "p ﬁ", "p " + "n" * 40, root=root)
    told = [text.splitlines()[0] for text in texts[1:]]
    assert told[0] == "x = 2 (leaf)"
    assert told[1].startswith("x#2 = x * x")
    assert told[2].startswith("x#3 = x#2 * x#2")
    assert told[3].startswith("v1 = fi * x#3")
    assert told[4] == "fi = 3 (leaf)"
    assert told[5] == "n" * 23 + "… = 1 (leaf)"


def test_nodes_before_their_time() -> None:
    """What is not computed yet has no value in p, the list and the table."""
    texts = answers("n 3", "p e", "l", "t", "r forward", "p e", "l", "t")
    assert texts[2] == (
        "e = a / b, to be computed at step 4\ne.grad is not computed; the backward pass starts at step 9\n"
    )
    assert re.search(r"\n-> b +log\(x\) +0.693147 +- +computed at step 3\n", texts[3])
    assert re.search(r"\n   e +a / b +- +- +to be computed at step 4\n", texts[3])
    assert re.search(r"\n   x +leaf +2 +- +given\n", texts[3])
    assert re.search(r"\ne +a / b +- +-\n", texts[4])
    assert re.search(r"\nb +log\(x\) +0.693147 +∂b/∂x = 0.5 +-\n", texts[4])
    assert texts[6].splitlines() == [
        "e = a / b = 6 / 0.693147 = 8.65617",
        "e.grad is not computed; waits for v1 (0 of 1)",
    ]
    assert re.search(r"\n   a +x \* z +6 +- +waits for f, e, d \(0 of 3\)\n", texts[7])
    assert re.search(r"\n-> y +v1 \+ f +412.191 +- +the seed comes next\n", texts[7])
    assert re.search(r"\ne +a / b +8.65617 +∂e/∂a = 1.4427, ∂e/∂b = -12.4882 +-\n", texts[8])


def test_the_list_says_who_is_done_and_who_waits() -> None:
    """In the middle of the backward pass, and at its end."""
    middle, _, end = answers("n 11", "l", "r", "l")[2:]
    assert [line.split(maxsplit=2)[1 if line.startswith("->") else 0] for line in middle.splitlines()[1:]] == [
        *["x", "z", "a", "d", "b", "e", "v1", "c", "f", "y"]
    ]
    for state in (
        "a     x * z              6  −0.0177489  waits for e, d (1 of 3)",
        "v1    d + e        412.085           1  complete, to be handed on at step 12",
        "c     sin(b)      0.638961    0.166667  handed on at step 11",
    ):
        assert state in middle
    assert "x     leaf               2   1208.38  complete (2 of 2)" in end
    assert "waits" not in end


def test_tables_and_pictures_of_half_a_pass_do_not_complain(tmp_path: Path) -> None:
    """The gradients are what has arrived so far; that is what one looks at."""
    for line in ("t", f"graph {tmp_path}/half.dot"):
        assert "another root" not in answers("n 11", line)[-1]
    dot = (tmp_path / "half.dot").read_text("utf-8")
    assert "another root" not in dot
    assert "step 11 of 16, backward" in dot
    answers("n 2", f"graph {tmp_path}/early.dot")
    assert "still to be computed: b, e, v1, c, f and 1 more" in (tmp_path / "early.dot").read_text("utf-8")


def test_why_looks_at_the_whole_pass_and_moves_nothing() -> None:
    """Wherever the stepper is; and it says so where that differs from what has arrived."""
    root = graph(DEMO, x=2, z=3)
    leaf = next(node for node in autograd.nodes(root) if node.label == "x")
    stdout = io.StringIO()
    terminal = Terminal(root, io.StringIO(), stdout)
    for position, note in [
        (0, "that is at the end; now, at step 0, nothing has arrived"),
        (14, "that is at the end; now, at step 14, x.grad = −6.18"),
        (16, ""),
    ]:
        terminal.stepper.goto(position)
        held = leaf._grad
        stdout.truncate(0)
        terminal.onecmd("why x")
        told = stdout.getvalue()
        assert "x.grad = −6.18 + 1214.56 = 1208.38" in told
        assert ("that is at the end" in told) == bool(note)
        assert note in told
        assert (terminal.stepper.position, leaf._grad) == (position, held)


def test_why_a_gradient_is_zero_or_not_finite() -> None:
    """It is diagnosed."""
    x, b = Value(-3.0, "x"), Value(0.0, "b")
    y = relu(x) * 2 + sqrt(b)
    y.label = "y"
    assert "x.grad = 0: blocked\n  blocked by relu at v1 = relu(x)" in answers("why x", root=y)[-1]
    assert "b.grad = inf\n  backward, at v3 = sqrt(b)" in answers("why b", root=y)[-1]
    assert "blocked" not in answers("why v2", root=y)[-1]


def test_control_characters_are_shown_and_not_obeyed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In labels, which may come from anywhere, and in what is typed."""
    monkeypatch.chdir(tmp_path)
    x = Value(2.0, "x\x1b[2J\x07")
    y = x * x
    y.label = "y\n\u202e"
    lines = ["n", "l", "t", "p x\\x1b[2J\\x07", "watch x\x1b[2J\x07", "why x\x1b[2J\x07", "r", "p \x1b]0;", "\x1b"]
    shown = "".join(answers(*lines, "graph \x1b[31m.dot", root=y))
    assert "x\\x1b[2J\\x07 = 2 (leaf)" in shown
    assert "wrote \\x1b[31m.dot" in shown
    assert not re.search("[\x00-\x09\x0b-\x1f\u202e]", shown)


def test_large_graphs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is hard to read is drawn with a remark; what is too large is refused."""
    monkeypatch.chdir(tmp_path)
    x = Value(1.0, "x")
    y = x
    for _ in range(250):
        y = y * x
    remark, wrote = answers("graph large.dot", root=y)[-1].split("\nwrote ")
    assert "is hard to read" in remark.replace("\n", " ")
    assert (wrote, Path("large.dot").exists()) == ("large.dot\n", True)
    for _ in range(2000):
        y = y * x
    assert answers("graph huge.dot", root=y)[-1].startswith("the graph has 2251 nodes, more than the limit of 2000")
    assert not Path("huge.dot").exists()


def test_predictions(monkeypatch: pytest.MonkeyPatch) -> None:
    """On and off; usual mistakes are recognised. Answers come from where commands come from."""
    monkeypatch.setattr("sys.stdin", io.StringIO("no\nanswers\n"))
    texts = answers("goto 15", "predict", "n", "b", "n", "predict", "b", "n", typed="-6.18\n1208\n")
    assert texts[2] == "predict is on: n asks for each number; an empty answer shows it\n"
    assert "becomes ? −6.18? that is what x had before: a hands it 1214.56 more\n" in texts[3]
    assert "becomes ? right\n" in texts[5]
    assert texts[6] == "predict is off\n"
    assert texts[8].startswith("Stepper of y: step 16 of 16")
    assert [answers(f"predict {state}")[-1][:13] for state in ("on", "off")] == ["predict is on", "predict is of"]


@pytest.mark.parametrize("lines", [[], ["n 3", "b", ""], ["predict", "n", "n"], ["run", "n", "foo", "why x", "t"]])
def test_terminal_makes_no_reference_cycles(lines: list[str]) -> None:
    """Dropping it, wherever it stands and whatever it was asked, frees it and then the graph at once."""
    answers(*lines)  # whatever is loaded or cached at the first time
    root, stdout = graph(DEMO, x=2, z=3), io.StringIO()
    gc.collect()
    gc.disable()
    try:
        terminal = Terminal(root, io.StringIO("5\n"), stdout)
        for line in lines:
            terminal.onecmd(line)
        alive = weakref.ref(terminal)
        del terminal
        assert alive() is None
        assert gc.collect() == 0
        del root
        assert gc.collect() == 0
    finally:
        gc.enable()


def test_stepper_asks_as_before_after_a_step() -> None:
    """The terminal lends it its own way of asking for the time of a step, also where that fails."""
    terminal = Terminal(graph(DEMO, x=2, z=3), io.StringIO(), io.StringIO())
    asking = terminal.stepper.ask, terminal.stepper.tell
    for line in ("predict", "n", "run", "n"):
        terminal.onecmd(line)
        assert (terminal.stepper.ask, terminal.stepper.tell) == asking


def test_a_leaf_has_no_steps() -> None:
    """It is refused at once."""
    with pytest.raises(ValueError, match="x is a leaf: nothing was computed"):
        Terminal(Value(2.0, "x"), io.StringIO(), io.StringIO())
