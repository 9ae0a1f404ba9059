"""Step through a pass in the terminal, with a debugger's commands: `chalkgrad step "x*z + sin(x)" x=2 z=3`.

    Terminal(y).interact()      # n steps, b goes back, p x prints a node, why x explains it, ? lists all commands

Where it is and what a step says is the Stepper's; here are the commands, and what they answer to mistakes in typing.
"""

from __future__ import annotations

import cmd
import inspect
import io
import os
import re
import sys
import textwrap
import unicodedata
import warnings
from contextlib import contextmanager
from math import isfinite
from typing import TYPE_CHECKING

from .diagnosis import diagnose
from .drawing import Drawing, RenderingError, draw
from .drawing.boxes import picture
from .drawing.dot_text import dot_text
from .explanations import explain
from .graph import label_of, same
from .notation import expression, one_line
from .stepper import Stepper
from .tables import Table, table
from .wording import WIDTH, computed, listed, six, waiting, wrapped

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from types import ModuleType
    from typing import IO

    from .steps import Contribution, Step
    from .value import Value

#: What else commands are called. "EOF" is what cmd calls the end of input.
ALIASES = {
    "n": "next",
    "b": "back",
    "r": "run",
    "print": "p",
    "t": "table",
    "l": "list",
    "h": "help",
    "q": "quit",
    "exit": "quit",
    "EOF": "quit",
}

COMMANDS = ("next", "back", "goto", "run", "p", "watch", "why", "list", "table", "graph", "predict", "reset", "quit")

#: Expressions in the list of nodes are cut to this.
WIDTH_OF_EXPRESSIONS = 24

#: The colours of drawings, as near as the sixteen of a terminal come to them.
BOLD, VALUE, GRADIENT, PLAIN = "\x1b[1m", "\x1b[94m", "\x1b[33m", "\x1b[0m"

_NUMBER = r"[−-]?(?:[\d.]+(?:e[+−-]?\d+)?|inf|nan)"

#: What is coloured in the lines of steps: names that are told about, values, gradients.
PAINTED = (
    (
        rf"^(\s*)(\S+)(?<!\.grad) = ((?:.* = )?)({_NUMBER})((?: \(leaf\))?)$",
        rf"\1{BOLD}\2{PLAIN} = \3{VALUE}\4{PLAIN}\5",
    ),
    (rf"(\S+)\.grad = ((?:[^,;]* = )?)({_NUMBER})", rf"{BOLD}\1{PLAIN}.grad = \2{GRADIENT}\3{PLAIN}"),
    (r"^(\s*)(\S+)\.grad \+= ", rf"\1{BOLD}\2{PLAIN}.grad += "),
    (rf"→ ({_NUMBER})\)$", rf"→ {GRADIENT}\1{PLAIN})"),
)


class Terminal(cmd.Cmd):
    """A conversation about the passes of `root`. The commands are the methods `do_...`; their docstrings are its help.

    At a terminal it prompts, keeps a history and completes the names of nodes, if Python has readline; elsewhere it
    reads one command per line, as from a file.

    Raises:
        ValueError: for a leaf, which has no steps.
    """

    def __init__(self, root: Value, stdin: IO[str] | None = None, stdout: IO[str] | None = None) -> None:
        stdin, stdout = stdin or sys.stdin, stdout or sys.stdout  # Python has None for those that are closed
        super().__init__(stdin=stdin or io.StringIO(), stdout=stdout or io.StringIO())
        self.stepper = Stepper(root)
        self._root = root
        self._name = self.stepper.steps[0].name
        self._nodes = {name: node for node, name in self._name.items()}
        steps = self.stepper.steps
        self._computed_at = {step.node: step.number for step in steps if step.phase == "forward"}
        self._hands_on_at = {step.node: step.number for step in steps if step.phase == "backward"}
        self._consumers = {c.operand: c.consumers for step in steps for c in step.contributions}
        self._last_move: tuple[str, int] | None = None
        self.use_rawinput = self._interactive = self.stdin.isatty()
        at_a_terminal = self.stdout.isatty()
        self._coloured = at_a_terminal and os.environ.get("TERM") != "dumb" and not os.environ.get("NO_COLOR")
        if not (self._interactive and at_a_terminal):
            self.completekey = None  # type: ignore[assignment]  # cmd leaves readline alone then

    # ----- The conversation -----

    def interact(self) -> None:
        """Read commands and obey them, until `quit` or the end of input."""
        example = next(iter(self._nodes))
        self._show()
        self._say(f"n steps forward, b back, p {example} prints a node, ? lists all commands, q leaves")
        interrupted = False
        with self._completing():
            while True:
                try:
                    if interrupted:
                        self._say("")
                    self._set_prompt()
                    return self.cmdloop()
                except KeyboardInterrupt:  # ends the line and not the conversation, as in Python itself
                    if not self._interactive:
                        raise
                    interrupted = True

    @contextmanager
    def _completing(self) -> Iterator[None]:
        """Names such as x#2 are completed as one word."""
        if (readline := self._readline()) is None:
            yield
            return
        if "libedit" in (readline.__doc__ or ""):  # it does not know how cmd binds the key
            readline.parse_and_bind("bind ^I rl_complete")
        delimiters = readline.get_completer_delims()
        readline.set_completer_delims(" \t\n")
        try:
            yield
        finally:
            readline.set_completer_delims(delimiters)

    def _readline(self) -> ModuleType | None:
        """The module readline, where lines can be edited: at a terminal, if Python has it."""
        if not self.completekey:
            return None
        try:
            import readline
        except ImportError:
            return None
        return readline

    def precmd(self, line: str) -> str:
        """The prompt stands in its line until the end of input, so the shell's would follow it."""
        if line == "EOF" and self._interactive:
            self._say("")
        return line

    def postcmd(self, stop: bool, line: str) -> bool:
        """The prompt says where we are."""
        self._set_prompt()
        self.stdout.flush()
        return stop

    def _set_prompt(self) -> None:
        place = f"(step {self.stepper.position} of {len(self.stepper)}) "
        self.prompt = place if self._interactive else ""

    def parseline(self, line: str) -> tuple[str | None, str | None, str]:
        """Commands have short names."""
        command, argument, line = super().parseline(line)
        return ALIASES.get(command or "", command), argument, line

    def onecmd(self, line: str) -> bool:
        """What cannot be obeyed is answered in a line."""
        try:
            return super().onecmd(line)
        except CommandError as error:
            self._say(str(error))
            return False

    def emptyline(self) -> bool:
        """Repeat the last `next` or `back`, and nothing else."""
        if self._last_move is None:
            raise CommandError("an empty line repeats the last n or b, and there was none: n takes a step")
        command, count = self._last_move
        (self._forward if command == "next" else self._back)(count)
        return False

    def default(self, line: str) -> None:
        """Refuse what is no command."""
        typed = line.strip()
        if typed in self._nodes:
            raise CommandError(f"{typed} is a node and no command: p {typed} prints it")
        raise CommandError(f"no command {_quoted(typed)}; try {' '.join(_shortest(c) for c in COMMANDS)} or ?")

    # ----- Moving -----

    def do_next(self, argument: str) -> None:
        """n, next [COUNT]: take the next step, or so many.

        Forward, a step computes a node from its operands. Backward, a node whose gradient is complete hands it on: to
        each operand goes the gradient times the local derivative on the edge between them. An empty line takes as
        many steps again.
        """
        self._move(self._forward, argument, "next")

    def do_back(self, argument: str) -> None:
        """b, back [COUNT]: undo the last step, or so many.

        Gradients are then what they were before it. An empty line undoes as many again.
        """
        self._move(self._back, argument, "back")

    def do_goto(self, argument: str) -> None:
        """goto PLACE: go to a step, or to where a node hands its gradient on.

        A step is given by its number; 0 is the start. A leaf hands nothing on: its place is the step that completes its
        gradient.
        """
        if re.fullmatch(r"[+-]?\d{1,9}", argument):
            try:
                self.stepper.goto(int(argument))
            except IndexError as error:
                raise CommandError(str(error)) from None
        else:
            last = len(self.stepper)
            self.stepper.goto(self._node(argument, f"goto takes the number of a step, 0 to {last}, or a node"))
        self._show()

    def do_run(self, argument: str) -> None:
        """r, run [forward]: take all steps that are left, or the forward ones."""
        if argument not in ("", "forward"):
            raise CommandError(f"run takes forward or nothing after it, not {_quoted(argument)}")
        self.stepper.run("forward" if argument == "forward" else None)
        self._show()

    def do_reset(self, argument: str) -> None:
        """reset: go back to the start."""
        _alone("reset", argument)
        self.stepper.reset()
        self._show()

    def do_predict(self, argument: str) -> None:
        """predict [on|off]: be asked for each number before it is shown.

        Forward, the question is the value of the node; backward, what the gradient of one of its operands becomes.
        Usual mistakes are recognised by the number that they give. An empty answer shows the right one.
        """
        if argument not in ("", "on", "off"):
            raise CommandError(f"predict takes on, off or nothing after it, not {_quoted(argument)}")
        self.stepper.predict = argument == "on" if argument else not self.stepper.predict
        asks = "on: n asks for each number; an empty answer shows it" if self.stepper.predict else "off"
        self._say(f"predict is {asks}")

    def _move(self, move: Callable[[int], None], argument: str, command: str) -> None:
        count = _count(argument, command)
        self._last_move = command, count
        move(count)

    def _forward(self, count: int) -> None:
        asking = self.stepper.ask, self.stepper.tell
        self.stepper.ask, self.stepper.tell = self._ask, self._say  # for the time of these steps: it is no cycle then
        try:
            for _ in range(count):
                try:
                    self.stepper.next()
                except StopIteration as end:
                    raise CommandError(f"{end}: b goes back, reset goes to the start, q leaves") from None
                self._show()
        finally:
            self.stepper.ask, self.stepper.tell = asking

    def _ask(self, question: str) -> str:
        """The answer to a prediction, from where commands come from."""
        if self._interactive:
            with self._without_history():
                return input(question)
        self.stdout.write(question)
        answer = self.stdin.readline()
        if not answer:
            raise EOFError
        return answer

    def _back(self, count: int) -> None:
        for _ in range(count):
            try:
                self.stepper.back()
            except IndexError as start:
                raise CommandError(str(start)) from None
            self._show()

    @contextmanager
    def _without_history(self) -> Iterator[None]:
        """Answers to questions are no commands to be had again."""
        if (readline := self._readline()) is None:
            yield
            return
        readline.set_auto_history(False)
        try:
            yield
        finally:
            readline.set_auto_history(True)

    # ----- Looking -----

    def do_p(self, argument: str) -> None:
        """p NAME: print the expression, value and gradient so far of a node.

        It also says whom the gradient waits for: with all their contributions, it is complete.
        """
        node = self._node(argument, "p takes a node")
        name, state = self._name[node], self._state(node, self._latest())
        if node.primitive is None:
            self._say(f"{name} = {six(node.data)} (leaf)")
        elif self._is_computed(node):
            self._say(f"{name} = {' '.join(computed(self._forward_step(node)))}")
        else:
            self._say(f"{name} = {computed(self._forward_step(node))[0]}, {state}")
        if self.stepper.position < (forward := len(self.stepper) // 2):
            state = f"the backward pass starts at step {forward + 1}"
        self._say(f"{name}.grad {f'= {six(node.grad)}' if node.has_grad else 'is not computed'}; {state}")

    def do_watch(self, argument: str) -> None:
        """watch NAME: show the gradient of a node with every step."""
        node = self._node(argument, "watch takes a node")
        self.stepper.watch(node)
        self._say(f"the gradient of {self._name[node]} will be shown with every step")

    def do_why(self, argument: str) -> None:
        """why NAME: say where the gradient of a node comes from.

        It is the sum of what the node's consumers hand on, in the whole pass, wherever the stepper is. For a gradient
        that is zero or not finite, it also says why it is.
        """
        node = self._node(argument, "why takes a node")
        with self._at_the_end():
            explanation = explain(node, self._root)
            lines = str(explanation).splitlines()
            if explanation.gradient == 0 or not isfinite(explanation.gradient):
                lines += str(diagnose(self._root, node)).splitlines()
        if not node.has_grad:
            lines.append(f"that is at the end; now, at step {self.stepper.position}, nothing has arrived")
        elif not same(node.grad, explanation.gradient):
            now = f"{self._name[node]}.grad = {six(node.grad)}"
            lines.append(f"that is at the end; now, at step {self.stepper.position}, {now}")
        for line in lines:
            for part in wrapped(line.lstrip(), indent=len(line) - len(line.lstrip())):
                self._say(part)

    def do_list(self, argument: str) -> None:
        """l, list: list all nodes, with what is done and what they wait for.

        The arrow marks the node of the last step. Gradients are those that have arrived so far.
        """
        _alone("list", argument)
        latest = self._latest()
        rows = [["  ", "name", "expression", "value", "gradient", ""]]
        rows += [self._row(node, latest) for node in self._name]
        widths = [max(map(len, column)) for column in zip(*rows)]
        for number, row in enumerate(rows):
            self._write(self._aligned(row, widths, coloured=self._coloured and number > 0))

    def do_table(self, argument: str) -> None:
        """t, table: show values, local derivatives and gradients in a table."""
        _alone("table", argument)
        rows = [
            row if self._is_computed(node) else row._replace(value="-", derivatives=[])
            for row, node in zip(table(self._root).rows, self._name)
        ]
        # The notes of a table warn of gradients that are not of a whole pass, which are what one comes here to see; its
        # numbers of rows would be taken for those of steps.
        numbers = max(len("step"), len(str(len(rows)))) + 2
        self._say("\n".join(line[numbers:] for line in str(Table(rows, [])).splitlines()))

    def do_graph(self, argument: str) -> None:
        """graph FILE: draw the graph with the gradients as they stand.

        The ending says what it is: .svg, .dot, or .png and .pdf where Graphviz is installed.
        """
        if not argument:
            raise CommandError("graph takes the name of a file, as in: graph graph.svg")
        try:
            self._say(f"wrote {self._drawing().save(os.path.expanduser(argument))}")
        except OSError as error:
            raise CommandError(f"cannot write {one_line(argument, 200)}: {error.strerror}") from None
        except (ValueError, RenderingError) as error:
            raise CommandError("\n".join(wrapped(str(error)))) from None

    def do_quit(self, argument: str) -> bool:
        """q, quit, exit: leave, as Ctrl-D does."""
        return True

    def do_help(self, arg: str) -> None:
        """?, help [COMMAND]: list the commands, or say more about one."""
        command = ALIASES.get(arg, arg)
        if command in (*COMMANDS, "help"):
            self._say("\n".join(textwrap.fill(paragraph, WIDTH) for paragraph in self._help(command)))
        elif arg:
            raise CommandError(f"no command {_quoted(arg)}; ? lists them all")
        else:
            told = [self._help(command)[0].partition(": ") for command in (*COMMANDS, "help")]
            width = max(len(usage) for usage, _, _ in told)
            for usage, _, summary in told:
                self._say(f"  {usage:{width}}  {summary.rstrip('.')}")
            self._say("An empty line repeats the last n or b. Nodes are called as shown: x, v1, x#2.")

    def _help(self, command: str) -> list[str]:
        """The paragraphs of its docstring (which `python -OO` leaves out)."""
        written = inspect.cleandoc(getattr(self, f"do_{command}").__doc__ or f"{command}: ")
        return [paragraph.replace("\n", " ") for paragraph in written.split("\n\n")]

    # ----- Completion -----

    def _completed(self, text: str, *_: object) -> list[str]:
        """The names of nodes that start so."""
        return [name for name in self._nodes if name.startswith(text)]

    complete_goto = complete_p = complete_watch = complete_why = _completed

    def complete_run(self, text: str, *_: object) -> list[str]:
        """What can follow `run`."""
        return [word for word in ("forward",) if word.startswith(text)]

    # ----- Where nodes stand -----

    def _node(self, typed: str, usage: str) -> Value:
        """The node that is called so: by the name under which it is shown, or by a label that was cut there."""
        wanted = unicodedata.normalize("NFKC", typed)  # as expressions do
        if wanted in self._nodes:
            return self._nodes[wanted]
        labelled = [node for node in self._name if label_of(node) == wanted]
        if wanted and len(labelled) == 1:
            return labelled[0]
        there = listed(list(self._nodes))
        raise CommandError(f"no node {_quoted(typed)}; there are {there}" if typed else f"{usage}: {there}")

    def _latest(self) -> dict[Value, Contribution]:
        """The last contribution that each node has got so far."""
        taken = self.stepper.steps[: self.stepper.position]
        return {contribution.operand: contribution for step in taken for contribution in step.contributions}

    def _forward_step(self, node: Value) -> Step:
        return self.stepper.steps[self._computed_at[node] - 1]

    def _is_computed(self, node: Value) -> bool:
        return self._computed_at.get(node, 0) <= self.stepper.position

    def _state(self, node: Value, latest: Mapping[Value, Contribution]) -> str:
        """Whether it is done, or what it waits for."""
        position, computed_at, hands_on_at = self.stepper.position, self._computed_at, self._hands_on_at
        if position < len(self.stepper) // 2:
            if node not in computed_at:
                return "given"
            return f"{'to be ' * (computed_at[node] > position)}computed at step {computed_at[node]}"
        if hands_on_at.get(node, position + 1) <= position:
            return f"handed on at step {hands_on_at[node]}"
        if node is self._root:
            return "the seed comes next"
        if node not in latest:
            consumers = [self._name[consumer] for consumer in self._consumers[node]]
            return f"waits for {listed(consumers)} (0 of {len(consumers)})"
        state = waiting(latest[node]).removeprefix(f"{self._name[node]} ").removeprefix("is ")
        is_next = node in hands_on_at and not latest[node].waiting
        return f"{state}, to be handed on at step {hands_on_at[node]}" if is_next else state

    @contextmanager
    def _at_the_end(self) -> Iterator[None]:
        """Go to the end and come back, for readers that would take half a pass for another root's."""
        position = self.stepper.position
        self.stepper.run()
        try:
            yield
        finally:
            self.stepper.goto(position)

    def _drawing(self) -> Drawing:
        with warnings.catch_warnings(record=True) as remarks:
            warnings.simplefilter("always")
            draw(self._root)  # refuses what is too large
        for remark in remarks:
            self._say("\n".join(wrapped(str(remark.message))))
        # Its notes would take half a pass for another root's; ours say where it stands.
        drawn = picture(self._root)._replace(notes=self._notes())
        return Drawing(drawn, dot_text(drawn))

    def _notes(self) -> list[str]:
        step = self.stepper.current
        where = f"step {step.number} of {len(self.stepper)}, {step.phase}" if step else "at the start"
        ahead = [self._name[node] for node in self._name if not self._is_computed(node)]
        return [where, *[f"still to be computed: {listed(ahead)}"] * bool(ahead)]

    # ----- Showing -----

    def _show(self) -> None:
        self._say(repr(self.stepper))

    def _row(self, node: Value, latest: Mapping[Value, Contribution]) -> list[str]:
        current = self.stepper.current
        return [
            "->" if current and node is current.node else "",
            self._name[node],
            one_line(expression(node, self._name).plain, WIDTH_OF_EXPRESSIONS) if node.primitive else "leaf",
            six(node.data) if self._is_computed(node) else "-",
            six(node.grad) if node.has_grad else "-",
            self._state(node, latest),
        ]

    def _aligned(self, row: Sequence[str], widths: Sequence[int], *, coloured: bool) -> str:
        mark, name, formula, value, gradient, state = (
            one_line(cell, width).rjust(width) if column in (3, 4) else one_line(cell, width).ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths))
        )
        if coloured:
            name, value, gradient = BOLD + name + PLAIN, VALUE + value + PLAIN, GRADIENT + gradient + PLAIN
        return f"{mark} {name}  {formula}  {value}  {gradient}  {state}".rstrip()

    def _say(self, text: str) -> None:
        """Print lines; control characters in them are shown as escapes and not obeyed."""
        for line in text.split("\n"):
            shown = one_line(line, len(line))
            for pattern, painted in PAINTED if self._coloured else ():
                shown = re.sub(pattern, painted, shown)
            self._write(shown)

    def _write(self, line: str) -> None:
        print(line, file=self.stdout)


class CommandError(Exception):
    """A command that cannot be obeyed; the message says what can."""


def _alone(command: str, argument: str) -> None:
    if argument:
        raise CommandError(f"{command} takes nothing after it, not {_quoted(argument)}")


def _count(argument: str, command: str) -> int:
    """How many steps are wanted: 1 unless said otherwise."""
    if not re.fullmatch(r"0*[1-9]\d{0,8}|", argument):
        raise CommandError(f"{command} takes a number of steps after it, 1 or more, not {_quoted(argument)}")
    return int(argument or 1)


def _quoted(typed: str) -> str:
    return f"'{one_line(typed, 20)}'"


def _shortest(command: str) -> str:
    """`n` for next: the shortest name that a command has."""
    return min([command, *(alias for alias, name in ALIASES.items() if name == command)], key=len)
