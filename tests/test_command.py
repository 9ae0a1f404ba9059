"""The command `chalkgrad`: what it prints and writes, and how it refuses."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree

import pytest
from notebook_runs import NOTEBOOKS, code_cells, read, source

import autograd
from autograd.cli import main

if TYPE_CHECKING:
    from collections.abc import Mapping

PACKAGE = str(Path(autograd.__file__).parents[1])


@pytest.fixture(autouse=True)
def _in_a_directory_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The demo writes into the current directory."""
    monkeypatch.chdir(tmp_path)


def status(*arguments: str) -> int:
    """The exit status of the command."""
    try:
        return main(arguments)
    except SystemExit as end:
        assert isinstance(end.code, int)
        return end.code


def printed(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """What a command that succeeds prints."""
    assert status(*arguments) == 0
    captured = capsys.readouterr()
    assert captured.err == ""
    return captured.out


def complaint(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """What a command that fails says: one line, with exit status 2."""
    assert status(*arguments) == 2
    errors = capsys.readouterr().err
    assert errors.startswith("chalkgrad: ")
    assert errors.endswith("\n")
    assert len(errors.splitlines()) == 1
    return errors.removeprefix("chalkgrad: ").rstrip("\n")


def in_a_process(
    *arguments: str, environment: Mapping[str, str] | None = None, shell: str = ""
) -> subprocess.CompletedProcess[str]:
    """The command as its own process; `shell` is what follows it on the shell's command line."""
    command = [sys.executable, "-m", "autograd", *arguments]
    if shell:
        command = ["sh", "-c", f'"$@" {shell}', "sh", *command]
    variables = {**os.environ, "PYTHONPATH": PACKAGE, **(environment or {})}
    return subprocess.run(
        command, env=variables, capture_output=True, check=False, encoding="utf-8", errors="replace", timeout=60
    )


# ----- The main job -----

#: Value and adjoint of each name in the worked example of CMU 10-601.
LECTURE = {
    "x": ("2", "1208.38"),
    "z": ("3", "809.707"),
    "a": ("6", "404.854"),
    "b": ("0.693147", "-12.36"),
    "c": ("0.638961", "0.166667"),
    "d": ("403.429", "1"),
    "e": ("8.65617", "1"),
    "f": ("0.106494", "1"),
    "y": ("412.191", "1"),
}


def test_the_demo_prints_the_lecture_example(capsys: pytest.CaptureFixture[str]) -> None:
    """Every number of the table, and the check of the gradient."""
    lines = printed(capsys, "demo").splitlines()
    for name, (value, adjoint) in LECTURE.items():
        (row,) = [line.split() for line in lines if line.split()[1:2] == [name]]
        assert value in row
        assert row[-1] == adjoint
    assert "∂y/∂x = 1208.381215, by central difference 1208.381215: they agree" in "\n".join(lines)
    assert "∂y/∂z = 809.7074792, by central difference 809.7074792: they agree" in "\n".join(lines)
    assert max(map(len, lines)) <= 100


def test_the_demo_writes_the_picture(capsys: pytest.CaptureFixture[str]) -> None:
    """In the current directory, and says so."""
    assert printed(capsys, "demo").splitlines()[-1] == "wrote graph.svg"
    svg = ElementTree.parse("graph.svg").getroot()
    nodes = [group for group in svg.iter("{http://www.w3.org/2000/svg}g") if group.get("class", "").startswith("node")]
    assert len(nodes) == 10


def test_show_writes_nothing_unless_asked(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """The table and the check, each variable on a line."""
    lines = printed(capsys, "show", "x*z + x", "x=2", "z=3").splitlines()
    assert lines[:5] == [
        "step  name  expression  value  local derivatives       adjoint",
        "   1  x     leaf            2                                4",
        "   2  z     leaf            3                                2",
        "   3  v1    x * z           6  ∂v1/∂x = 3, ∂v1/∂z = 2        1",
        "   4  y     v1 + x          8  ∂y/∂v1 = 1, ∂y/∂x = 1         1",
    ]
    assert lines[5] == ""
    assert lines[6].startswith("∂y/∂x = 4, by central difference 4: they agree, relative error ")
    assert lines[7].startswith("∂y/∂z = 2, by central difference 2: they agree, relative error ")
    assert not list(tmp_path.iterdir())


def test_the_process(tmp_path: Path) -> None:
    """`python -m autograd` is the same command."""
    run = in_a_process("demo", "--svg", "picture.svg")
    assert (run.returncode, run.stderr) == (0, "")
    assert "412.191" in run.stdout
    assert [path.name for path in tmp_path.iterdir()] == ["picture.svg"]


# ----- Expressions and values -----


@pytest.mark.parametrize(
    ("arguments", "row"),
    [
        (["-x*z", "x=2", "z=3"], "v1 * z"),
        (["-x", "x=-2"], "-x"),
        (["-(x + 1)**2", "x=1"], "-v2"),
        (["-where(x>=0,x,1)", "x=2"], "-v1"),
        (["-sigmoid(x, slope=2)", "x=2"], "-v1"),
        (["-sigmoid(x,slope=2)", "x=2"], "-v1"),
        (["--", "-x*x", "x=2"], "v1 * x"),
        (["--digits", "3", "-x*x", "x=2"], "v1 * x"),
        (["--edges", "x*x", "x=2"], "x * x"),
        (["--svg", "g.svg", "x*x", "x=2"], "x * x"),
        (["--svg=g.svg", "x*x", "x=2"], "x * x"),
        (["x*x", "--edges", "x=2"], "x * x"),
        (["x*x", "x=2", "--edges"], "x * x"),
        (["a = x*x; a", "x=2"], "x * x"),
        (["x*x", "x = 2"], "x * x"),
        (["x*x", "x=-1e-3"], "x * x"),
        (["ﬁ*2", "ﬁ=3"], "fi * 2"),
    ],
)
def test_the_expression_may_stand_anywhere_and_start_with_a_minus(
    capsys: pytest.CaptureFixture[str], arguments: list[str], row: str
) -> None:
    """As the shell hands it over; options before or after."""
    assert f"  {row} " in printed(capsys, "show", *arguments)


def test_a_value_that_is_not_used_is_mentioned(capsys: pytest.CaptureFixture[str]) -> None:
    """It is no error."""
    assert status("show", "x*x", "x=2", "y=3") == 0
    captured = capsys.readouterr()
    assert captured.err == "chalkgrad: y is not used in the expression\n"
    assert "x * x" in captured.out


def test_kinks_and_borders_of_the_domain(capsys: pytest.CaptureFixture[str]) -> None:
    """The check says what it found instead of failing."""
    assert "its central difference has no value: sqrt(x) at x = -1e-06" in printed(capsys, "show", "sqrt(x)", "x=0")
    assert "they DIFFER (a kink" in printed(capsys, "show", "relu(x)", "x=0")
    assert "they agree" in printed(capsys, "show", "abs(x)", "x=0")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["show", "x*z", "x=2"], "no value is given for z: add z=2"),
        (["show", "x*x", "x"], "'x' is not of the form NAME=NUMBER, as in x=2"),
        (["show", "x*x", "=2"], "'=2' is not of the form NAME=NUMBER"),
        (["show", "x*x", "2=2"], "'2=2' is not of the form NAME=NUMBER"),
        (["show", "x*x", "x=two"], "'x=two' does not give x a number"),
        (["show", "x*x", "x="], "'x=' does not give x a number"),
        (["show", "x*x", "x=2", "--digits", "0"], "digits is a number of significant digits from 1 to 17, not 0"),
        (["show", "x*x", "x=2", "--digits", "99"], "digits is a number of significant digits"),
        (["show", "2 + 2"], "there is no variable to differentiate by: the value is 4"),
        (["show", ""], "the expression is empty"),
        (["show", "x.y", "x=2"], "this is not read"),
        (["show", "__import__('os').system('touch here')", "x=2"], "only autograd's functions can be called"),
        (["show", "f(x)", "x=2"], "unknown function 'f'"),
        (["show", "x +", "x=2"], "invalid syntax"),
        (["show", "x\n@", "x=2"], "(at line 2, column"),
        (["show", "(" * 9000 + "x", "x=2"], ""),
        (["show", "1if x else 2", "x=2"], ""),
        (["show", "\udcff*x", "x=2"], "the expression cannot be read"),
        (["show", "x*x", "x=\udcff"], "does not give x a number"),
        (
            ["show", "log(x)", "x=-1"],
            "log(x) at x = -1.0 (labelled 'x'): it needs x > 0",
        ),
        (["show", "x/0", "x=1"], "divide: x / y at x = 1.0 (labelled 'x'), y = 0.0: float division by zero"),
        (["show", "exp(x)", "x=1000"], "math range error"),
        (["show", "tanh(x)", "x=1000", "--expand"], "exp(x) at x = 2000.0: math range error"),
        (
            ["show", "x*x", "x=2", "--svg", "graph.txt"],
            "a drawing is saved as .svg, .png, .pdf or .dot, not as 'graph.txt'",
        ),
        (
            ["show", "x*x", "x=2", "--svg", "nowhere/graph.svg"],
            "cannot write nowhere/graph.svg: No such file or directory",
        ),
    ],
)
def test_bad_input(capsys: pytest.CaptureFixture[str], arguments: list[str], message: str) -> None:
    """Exit status 2 and one line that says what is wrong."""
    assert message in complaint(capsys, *arguments)
    assert not Path("here").exists()


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["bogus"],
        ["show"],
        ["show", "x*x", "x=2", "--digits", "many"],
        ["show", "x*x", "x=2", "--format", "pdf"],
        ["show", "x*x", "x=2", "--colour"],
        ["show", "x*x", "x=2", "--svg"],
        ["demo", "x=2"],
    ],
)
def test_bad_usage(capsys: pytest.CaptureFixture[str], arguments: list[str]) -> None:
    """Wrong options are reported in the same way."""
    assert complaint(capsys, *arguments)


def test_help(capsys: pytest.CaptureFixture[str]) -> None:
    """Of the command and of its parts."""
    for arguments in (["-h"], ["show", "-h"], ["show", "--help"], ["demo", "--help"]):
        assert "usage: chalkgrad" in printed(capsys, *arguments)


def test_a_file_that_cannot_be_written(capsys: pytest.CaptureFixture[str]) -> None:
    """Here, because it is a directory."""
    Path("graph.svg").mkdir()
    assert complaint(capsys, "demo") == "cannot write graph.svg: Is a directory"


def test_without_dot_a_png_is_refused(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """The line says what to install."""
    monkeypatch.setenv("PATH", "")
    assert "install Graphviz" in complaint(capsys, "show", "x*x", "x=2", "--svg", "graph.png")


@pytest.mark.skipif(shutil.which("dot") is None, reason="PNG needs Graphviz's dot, which is not installed")
def test_png(capsys: pytest.CaptureFixture[str]) -> None:
    """By the ending of the file."""
    printed(capsys, "show", "x*x", "x=2", "--svg", "graph.png")
    assert Path("graph.png").read_bytes().startswith(b"\x89PNG")


# ----- Options -----


@pytest.mark.parametrize(
    ("form", "start"),
    [
        ("text", "step  name"),
        ("markdown", "| step | name |"),
        ("latex", r"\begin{tabular}"),
        ("html", '<table class="chalkgrad-table">'),
    ],
)
def test_formats(capsys: pytest.CaptureFixture[str], form: str, start: str) -> None:
    """The table as text, Markdown, LaTeX or HTML; the check of the gradient with the text alone."""
    out = printed(capsys, "show", "x*x", "x=2", "--format", form)
    assert out.startswith(start)
    assert ("central difference" in out) == (form == "text")


def test_digits(capsys: pytest.CaptureFixture[str]) -> None:
    """In the table."""
    assert " 412.191457 " in printed(capsys, "demo", "--digits", "9")
    assert " 4e+02 " in printed(capsys, "demo", "--digits", "1")


def test_edges(capsys: pytest.CaptureFixture[str]) -> None:
    """Local derivatives on the arrows of the picture."""
    printed(capsys, "show", "x*z", "x=2", "z=7", "--svg", "plain.dot")
    printed(capsys, "show", "x*z", "x=2", "z=7", "--svg", "edges.dot", "--edges")
    assert 'label="7"' not in Path("plain.dot").read_text("utf-8")
    assert 'label="7"' in Path("edges.dot").read_text("utf-8")


def test_expand(capsys: pytest.CaptureFixture[str]) -> None:
    """A sigmoid becomes four nodes, and the gradient stays."""
    coarse = printed(capsys, "show", "sigmoid(x)", "x=1")
    fine = printed(capsys, "show", "sigmoid(x)", "x=1", "--expand")
    assert (len(coarse.splitlines()), len(fine.splitlines())) == (5, 8)
    assert coarse.splitlines()[1].split()[-1] == fine.splitlines()[1].split()[-1] == "0.196612"
    assert "exp(v1)" in fine


def test_share(capsys: pytest.CaptureFixture[str]) -> None:
    """Equal subexpressions are one node on request."""
    apart = printed(capsys, "show", "sin(x*x) + x*x", "x=1")
    shared = printed(capsys, "show", "sin(x*x) + x*x", "x=1", "--share")
    assert len(apart.splitlines()) - len(shared.splitlines()) == 1
    assert apart.splitlines()[1].split()[-1] == shared.splitlines()[1].split()[-1]


# ----- Terminals, pipes, files -----

posix = pytest.mark.skipif(os.name != "posix", reason="needs a POSIX shell")


@posix
def test_a_pipe_that_closes_early() -> None:
    """`| head -1` has seen enough."""
    run = in_a_process("demo", shell="| head -1")
    assert run.stdout.split() == ["step", "name", "expression", "value", "local", "derivatives", "adjoint"]
    assert run.stderr == ""


@posix
def test_a_closed_pipe() -> None:
    """Also when nobody reads at all, and the text is long."""
    run = in_a_process("show", "sum([" + "x*x, " * 1000 + "])", "x=2", shell="| true")
    assert "Traceback" not in run.stderr
    assert "BrokenPipe" not in run.stderr


@posix
def test_a_closed_output() -> None:
    """`>&-` leaves no place to write to; that is no bug of the program."""
    run = in_a_process("show", "x*x", "x=2", shell=">&-")
    assert "Traceback" not in run.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk() -> None:
    """One line that says so, and does not speak of None."""
    run = in_a_process("show", "x*x", "x=2", shell="> /dev/full", environment={"PYTHONUNBUFFERED": ""})
    assert run.returncode == 2
    assert run.stderr.startswith("chalkgrad: cannot write ")
    assert "No space left on device" in run.stderr
    assert "None" not in run.stderr
    assert len(run.stderr.splitlines()) == 1


def test_a_terminal_that_knows_ascii_only() -> None:
    """What it cannot show is a question mark; the numbers are there."""
    run = in_a_process("demo", environment={"PYTHONIOENCODING": "ascii"})
    assert (run.returncode, run.stderr) == (0, "")
    assert "?y/?x = 1208.381215" in run.stdout
    failed = in_a_process("show", "α @ x", "x=2", environment={"PYTHONIOENCODING": "ascii"})
    assert failed.returncode == 2
    assert failed.stderr.startswith("chalkgrad: ")
    assert len(failed.stderr.splitlines()) == 1


def test_bad_input_in_a_process() -> None:
    """No traceback, no warning of Python's."""
    for expression in ("log(x)", "1if x else 2", "x @ x"):
        run = in_a_process("show", expression, "x=-1")
        assert (run.returncode, run.stdout) == (2, "")
        assert run.stderr.startswith("chalkgrad: ")
        assert len(run.stderr.splitlines()) == 1


def test_notebooks_are_copied_and_never_overwritten(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`chalkgrad notebooks DIR`: all of them; a second time nothing; what a learner wrote is kept, and named."""
    folder = tmp_path / "course"
    assert "; 01_a_number_that_remembers.ipynb comes first" in printed(capsys, "notebooks", str(folder))
    copied = [path.name for path in sorted(folder.glob("*.ipynb"))]
    assert copied == [path.name for path in NOTEBOOKS]
    own, lost = folder / copied[0], folder / copied[-1]
    own.write_text("my own work", "utf-8")
    lost.unlink()
    again = printed(capsys, "notebooks", str(folder))
    assert own.read_text("utf-8") == "my own work"
    assert f"kept, since they differ from those of this version: {own.name};" in again
    assert lost.read_bytes() == NOTEBOOKS[-1].read_bytes()


def test_notebooks_are_copied_blank(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The same cells, and no outputs."""
    printed(capsys, "notebooks", str(tmp_path / "course"), "--blank")
    for path in NOTEBOOKS:
        stored, copied = read(path), read(tmp_path / "course" / path.name)
        assert list(map(source, copied["cells"])) == list(map(source, stored["cells"]))
        assert not any(cell["outputs"] or cell["execution_count"] for cell in code_cells(copied))
        assert any(cell["outputs"] for cell in code_cells(stored))


def test_notebooks_are_not_copied_into_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One sentence, and the file is as it was."""
    place = tmp_path / "notes.txt"
    place.write_text("mine", "utf-8")
    assert complaint(capsys, "notebooks", str(place)) == f"cannot write {place}: it is a file; name a folder"
    assert place.read_text("utf-8") == "mine"
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "nowhere")
    assert "it is a link that leads nowhere; name a folder" in complaint(capsys, "notebooks", str(link))
    assert "name the folder" in complaint(capsys, "notebooks", "")


def test_notebooks_are_not_written_through_a_link(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A link in the folder that leads nowhere is replaced; where it leads nothing appears."""
    (tmp_path / "course").mkdir()
    (tmp_path / "course" / NOTEBOOKS[0].name).symlink_to(tmp_path / "elsewhere")
    printed(capsys, "notebooks", str(tmp_path / "course"))
    assert not (tmp_path / "elsewhere").exists()
    assert (tmp_path / "course" / NOTEBOOKS[0].name).read_bytes() == NOTEBOOKS[0].read_bytes()
