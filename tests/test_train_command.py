"""`chalkgrad train` and `chalkgrad predict`: what they print and write, how they refuse, how Ctrl-C ends them."""

from __future__ import annotations

import csv
import io
import os
import re
import signal
import subprocess
import sys
import time
from array import array
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

import nn
from nn import command, datasets
from nn.command import main

ROOT = Path(nn.__file__).parents[1]
IRIS = ROOT / "nn" / "data" / "iris.csv"


@pytest.fixture(autouse=True)
def _in_a_directory_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    """Exit status, output, errors."""
    try:
        status: Any = main(arguments)
    except SystemExit as end:
        status = end.code
    captured = capsys.readouterr()
    return status, captured.out, captured.err


def printed(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    status, out, errors = run(capsys, *arguments)
    assert (status, errors) == (0, "")
    return out


def complaint(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """One clear line, with exit status 2."""
    status, out, errors = run(capsys, *arguments)
    assert (status, out) == (2, "")
    assert re.fullmatch(r"chalkgrad: [^\n]+\n", errors), errors
    return errors.removeprefix("chalkgrad: ").rstrip("\n")


def accuracy(out: str) -> float:
    found = re.search(r"^accuracy: ([\d.]+) % of the (\d+) held out rows$", out, flags=re.MULTILINE)
    assert found, out
    return float(found[1])


def process(*arguments: str, module: str = "nn", **options: Any) -> subprocess.Popen[str]:
    line = [sys.executable, "-m", module, *arguments]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8"}
    return subprocess.Popen(line, env=environment, text=True, **options)


QUICK = ("--hidden", "4", "--epochs", "3")


# ----- What it learns -----


@pytest.mark.parametrize(("data", "least"), [("moons", 97), ("spirals", 97), ("iris", 90)])
def test_it_learns(capsys: pytest.CaptureFixture[str], data: str, least: float) -> None:
    """With nothing but its name."""
    assert accuracy(printed(capsys, "train", data)) >= least


def test_what_it_prints(capsys: pytest.CaptureFixture[str]) -> None:
    """Line by line; the same again for the same line, something else for another seed."""
    out = printed(capsys, "train", "circles", *QUICK)
    pattern = (
        r"200 rows, 2 inputs, 2 classes; 67 of the rows are held out\n"
        r"2 → 4 → 1, tanh: 17 parameters\n"
        r"3 epochs in \d+\.\d s: loss 0\.\d+ → 0\.\d+\n"
        r"accuracy: \d+\.\d % of the 67 held out rows\n"
    )
    assert re.fullmatch(pattern, out), out

    def untimed(text: str) -> str:
        return re.sub(r"in [\d.]+ s", "", text)

    assert untimed(printed(capsys, "train", "circles", *QUICK)) == untimed(out)
    assert untimed(printed(capsys, "train", "circles", *QUICK, "--seed", "2")) != untimed(out)
    quiet = printed(capsys, "train", "circles", *QUICK, "--quiet")
    assert quiet == out.splitlines()[-1] + "\n"


@pytest.mark.parametrize("arguments", [("moons",), ("iris", *QUICK), ("blobs", "--activation", "relu", *QUICK)])
def test_compiled_training_is_as_good(capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...]) -> None:
    """The same losses and the same accuracy, to the last digit that is printed; much sooner."""
    eager, compiled = (printed(capsys, "train", *arguments, *more) for more in ((), ("--compile",)))
    assert accuracy(compiled) == accuracy(eager) >= 60
    assert re.sub(r"in [\d.]+ s", "", compiled) == re.sub(r"in [\d.]+ s", "", eager)


@pytest.mark.parametrize("data", ["xor", "blobs"])
def test_other_data(capsys: pytest.CaptureFixture[str], data: str) -> None:
    assert accuracy(printed(capsys, "train", data, "--epochs", "15")) >= 90


def test_options_are_obeyed(capsys: pytest.CaptureFixture[str]) -> None:
    """In any order, before and after the data, with = and without."""
    out = printed(
        capsys,
        "train",
        "--hidden=3,2",
        "--activation",
        "relu",
        "blobs",
        "--epochs=2",
        "--lr",
        "1e-3",
        "--batch-size",
        "7",
    )
    assert "2 → 3 → 2 → 3, relu: 26 parameters\n2 epochs in " in out
    linear = printed(capsys, "train", "blobs", "--hidden", "", "--epochs", "30")
    assert "2 → 3, linear: 9 parameters" in linear
    assert accuracy(linear) > 90


# ----- Files -----


def test_pictures(capsys: pytest.CaptureFixture[str]) -> None:
    """The boundary for two inputs, else the curves; a small network in neurons, a large one in layers."""
    out = printed(capsys, "train", "moons", *QUICK, "--plot", "plot.png", "--graph", "graph.svg", "--save", "m.json")
    assert out.splitlines()[-4:-1][0] == "wrote m.json"
    assert out.splitlines()[-2:] == ["wrote plot.png", "wrote graph.svg"]
    assert Path("plot.png").read_bytes().startswith(b"\x89PNG")
    svg = Path("graph.svg").read_text("utf-8")
    ElementTree.fromstring(svg)
    assert "layers.0.neurons.3" in svg and "x1" in svg and "loss" in svg
    assert "not computed" not in svg and "hold more than this pass" not in svg
    printed(
        capsys, "train", "iris", "--hidden", "8,8", "--epochs", "1", "--plot", "curves.svg", "--graph", "layers.svg"
    )
    assert "epoch" in Path("curves.svg").read_text("utf-8")
    assert "8 × tanh" in Path("layers.svg").read_text("utf-8")
    assert "sepal length (cm)" in Path("layers.svg").read_text("utf-8")


def test_nothing_is_written_unless_asked(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    printed(capsys, "train", "moons", *QUICK)
    assert list(tmp_path.iterdir()) == []


def test_train_and_predict(capsys: pytest.CaptureFixture[str]) -> None:
    """A CSV file, its classes by name; rows without them are named, rows with them are also counted."""
    printed(capsys, "train", str(IRIS), "--target", "species", "--epochs", "20", "--save", "flowers.json")
    rows = [line for line in IRIS.read_text("utf-8").splitlines() if not line.startswith("#")]
    Path("new.csv").write_text("\n".join(row.rpartition(",")[0] for row in rows) + "\n", "utf-8")
    out = printed(capsys, "predict", "flowers.json", "new.csv")
    answers = list(csv.DictReader(io.StringIO(out)))
    assert [list(answer) for answer in answers[:1]] == [["class", "probability"]]
    wanted = [row.rpartition(",")[2] for row in rows[1:]]
    right = sum(answer["class"] == name for answer, name in zip(answers, wanted)) / len(wanted)
    assert right > 0.94
    assert all(1 / 3 <= float(answer["probability"]) <= 1 for answer in answers)
    status, again, errors = run(capsys, "predict", "flowers.json", str(IRIS))
    assert (status, again) == (0, out)
    assert errors == f"accuracy: {100 * right:.1f} % of 150 rows\n"
    model = nn.load("flowers.json")
    assert isinstance(model, nn.Classifier)
    assert model.predict(datasets.iris()[0]).tolist() == [answer["class"] for answer in answers]


def test_the_classes_in_the_first_column(capsys: pytest.CaptureFixture[str]) -> None:
    """By place; names with commas come out quoted."""
    lines = [f'"{"left, low" if x < 0 else "right"}",{x},{x * x}' for x in range(-15, 16) if x]
    Path("sides.csv").write_text("side,x,square\n" + "\n".join(lines) + "\n", "utf-8")
    out = printed(capsys, "train", "sides.csv", "--target", "0", *QUICK, "--epochs", "40", "--save", "sides.json")
    assert accuracy(out) == 100
    Path("one.csv").write_text("-4,16\n", "utf-8")
    assert printed(capsys, "predict", "sides.json", "one.csv").splitlines()[1].startswith('"left, low",')
    status, out, errors = run(capsys, "predict", "sides.json", "sides.csv", "--target", "side")
    assert (status, errors) == (0, "accuracy: 100.0 % of 30 rows\n")


def test_a_plain_network_predicts_too(capsys: pytest.CaptureFixture[str]) -> None:
    """What nn.save wrote of an MLP: classes are numbers."""
    nn.save(nn.MLP(2, [3], seed=1), "model.json")
    Path("rows.csv").write_text("1,2\n3,4\n", "utf-8")
    lines = printed(capsys, "predict", "model.json", "rows.csv").splitlines()
    assert lines[0] == "class,probability"
    assert all(re.fullmatch(r"[012],0\.\d+|[012],1", line) for line in lines[1:])


# ----- Bad input -----

CSV = {
    "words.csv": "a,b,c\n1,x,no\n2,3,yes\n",
    "ragged.csv": "1,2,a\n1,b\n",
    "one_class.csv": "1,2,a\n3,4,a\n",
    "numbers.csv": "1,2,0.5\n3,4,0.7\n",
    "empty.csv": "",
    "nan.csv": "1,nan,a\n2,3,b\n",
    "two.csv": "1,2,a\n2,3,b\n",
}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["mons"], "there is no file 'mons': train takes moons, spirals, circles, xor, blobs, iris, or a CSV file"),
        (["."], "cannot read .: Is a directory"),
        (["words.csv"], "words.csv, line 2, column 2 (b): 'x' is no number"),
        (["ragged.csv"], "ragged.csv, line 2: 2 columns, where line 1 has 3"),
        (["one_class.csv"], "one_class.csv: all rows have the class 'a'; two or more classes are needed"),
        (["numbers.csv"], "numbers.csv, line 1, column 3 (x3): '0.5' is no class: train tells classes apart"),
        (["empty.csv"], "empty.csv has no rows"),
        (["nan.csv"], "nan.csv, line 1, column 2 (x2): 'nan' is not a finite number"),
        (["two.csv", "--target", "kind"], "target: two.csv has no header that could name a column 'kind'"),
        (["two.csv", "--target", "7"], "target: there is no column 7 in two.csv, which has 3 columns"),
        (["moons", "--target", "x1"], "--target is for CSV files, and moons is none"),
        (["moons", "--hidden", "4,x"], "--hidden takes whole numbers, such as 16,16, 1 or more; not 'x'"),
        (["moons", "--hidden", "0"], "--hidden takes whole numbers"),
        (["moons", "--hidden", "4,,4"], "--hidden takes whole numbers"),
        (["moons", "--hidden", "-3"], "--hidden takes whole numbers"),
        (["moons", "--hidden", "5000,5000"], "the network would have 25,025,001 parameters, and up to 20,000 are"),
        (["moons", "--hidden", "9" * 30], "--hidden takes whole numbers"),
        (["moons", "--epochs", "0"], "--epochs takes whole numbers, 1 or more; not '0'"),
        (["moons", "--epochs", "many"], "--epochs takes whole numbers"),
        (["moons", "--epochs", "1.5"], "--epochs takes whole numbers"),
        (["moons", "--batch-size", "-1"], "--batch-size takes whole numbers"),
        (["moons", "--lr", "0"], "--lr takes a number above 0, such as 0.05; not '0'"),
        (["moons", "--lr", "nan"], "--lr takes a number above 0"),
        (["moons", "--lr", "inf"], "--lr takes a number above 0"),
        (["moons", "--seed", "x"], "--seed takes whole numbers, 0 or more; not 'x'"),
        (["moons", "--activation", "rely"], "argument --activation: invalid choice: 'rely'"),
        (["moons", "--activation", "softmax"], "argument --activation: invalid choice: 'softmax'"),
        (["moons", "--plot", "no/plot.png"], "cannot write 'no/plot.png': its folder does not exist"),
        (["moons", "--graph", "."], "cannot write '.': it is a folder"),
        (["moons", "--plot", "plot.xyz"], "--plot takes a name that ends in .png, .svg or .pdf; not 'plot.xyz'"),
        (
            ["moons", "--graph", "graph.xyz"],
            "--graph takes a name that ends in .svg, .png, .pdf or .dot; not 'graph.xyz'",
        ),
        (["moons", "--wrong"], "unrecognized arguments: --wrong"),
        (["moons", "iris"], "unrecognized arguments: iris"),
        ([], "the following arguments are required: DATA"),
        (["--epochs"], "argument --epochs: expected one argument"),
    ],
)
def test_bad_input(capsys: pytest.CaptureFixture[str], arguments: list[str], message: str) -> None:
    """Each before any training."""
    for name, text in CSV.items():
        Path(name).write_text(text, "utf-8")
    assert complaint(capsys, "train", *arguments).startswith(message)


def test_training_that_diverges(capsys: pytest.CaptureFixture[str]) -> None:
    """Says so in one line, and keeps no model."""
    status, _, errors = run(capsys, "train", "moons", "--activation", "linear", "--lr", "1e300", "--save", "m.json")
    assert status == 2
    assert re.fullmatch(r"chalkgrad: [^\n]*smaller lr[^\n]*\n", errors), errors
    assert not Path("m.json").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["none.json", "two.csv"], "cannot read none.json: No such file or directory"),
        (["two.csv", "two.csv"], "two.csv is no model: it is not JSON"),
        (["model.json", "none.csv"], "cannot read none.csv: No such file or directory"),
        (["model.json", "."], "cannot read .: Is a directory"),
        (["model.json", "wide.csv"], "wide.csv has 3 columns, beside the classes; the model takes 2"),
        (["model.json", "narrow.csv"], "narrow.csv has 1 column; the model takes 2"),
        (["model.json", "empty.csv"], "empty.csv has no rows"),
        (["model.json", "words.csv"], "words.csv, line 2, column 2 (b): 'x' is no number"),
        (["model.json", "two.csv", "--target", "kind"], "target: two.csv has no header"),
        (["model.json"], "the following arguments are required: FILE"),
        ([], "the following arguments are required: MODEL, FILE"),
    ],
)
def test_bad_input_of_predict(capsys: pytest.CaptureFixture[str], arguments: list[str], message: str) -> None:
    for name, text in {**CSV, "wide.csv": "1,2,3,a\n", "narrow.csv": "1\n2\n"}.items():
        Path(name).write_text(text, "utf-8")
    nn.save(nn.MLP(2, [1], seed=1), "model.json")
    assert complaint(capsys, "predict", *arguments).startswith(message)


def test_without_matplotlib(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Only --plot needs it, and says so before the training."""
    for name in ("matplotlib", "matplotlib.figure"):
        monkeypatch.setitem(sys.modules, name, None)
    assert complaint(capsys, "train", "moons", "--plot", "p.png") == (
        "--plot needs matplotlib: pip install 'chalkgrad[plot]'"
    )
    printed(capsys, "train", "moons", *QUICK)


# ----- Processes, terminals, Ctrl-C -----


def test_all_commands_are_there() -> None:
    """`python -m nn` has those of `python -m autograd` too, which goes on as it was."""
    for module, expected in (("nn", 0), ("autograd", 2)):
        done = process("train", "moons", *QUICK, "--quiet", module=module, stdout=-1, stderr=-1)
        done.communicate()
        assert done.returncode == expected
        shown = process("show", "x*x", "x=3", module=module, stdout=-1, stderr=-1)
        assert "central difference" in shown.communicate()[0]
        assert shown.returncode == 0


def test_help(capsys: pytest.CaptureFixture[str]) -> None:
    """All options are told, and all defaults true."""
    status, out, _ = run(capsys, "--help")
    assert status == 0
    told = " ".join(out.split())  # Python 3.13 leaves less room between the two columns
    assert "train train a network to tell classes apart" in told
    assert "predict name the class of each row of a CSV file" in told
    status, out, _ = run(capsys, "train", "--help")
    assert status == 0
    for option in (*command.WITH_VALUE, "--quiet"):
        assert option in out


def test_without_a_terminal_there_is_no_bar() -> None:
    done = process("train", "moons", *QUICK, stdout=-1, stderr=-1)
    _, errors = done.communicate()
    assert (done.returncode, errors) == (0, "")


def on_a_terminal(*arguments: str) -> str:
    """What a person sees; skipped where there are no such terminals."""
    fcntl, pty, termios = (pytest.importorskip(name) for name in ("fcntl", "pty", "termios"))
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, array("H", [24, 100, 0, 0]))
    done = process(*arguments, stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    seen = b""
    try:
        while chunk := os.read(ours, 4096):
            seen += chunk
    except OSError:  # the other end is closed
        pass
    os.close(ours)
    assert done.wait(60) == 0
    return seen.decode("utf-8", "replace")


def test_on_a_terminal_there_is_a_bar() -> None:
    """Which --quiet leaves out."""
    assert "epoch/s" in on_a_terminal("train", "moons", "--hidden", "4", "--epochs", "20")
    quiet = on_a_terminal("train", "moons", *QUICK, "--quiet")
    assert re.fullmatch(r"accuracy: [\d.]+ % of the 67 held out rows\r?\n", quiet), quiet


def test_ctrl_c_keeps_what_was_learnt(tmp_path: Path) -> None:
    """It says so, measures, and writes the model."""
    running = process(
        "train", "moons", "--epochs", "100000", "--save", "m.json", stdout=-1, stderr=-1, cwd=tmp_path,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),  # background jobs may ignore it
    )  # fmt: skip
    assert running.stdout is not None
    for _ in range(2):
        running.stdout.readline()  # the training begins
    time.sleep(2)
    running.send_signal(signal.SIGINT)
    out, errors = running.communicate(timeout=60)
    assert (running.returncode, errors) == (0, "")
    lines = out.splitlines()
    pattern = r"stopped by Ctrl-C after \d+ of 100000 epochs; what was learnt is kept: loss [\d.e-]+ → [\d.e-]+"
    assert re.fullmatch(pattern, lines[0]), lines
    assert lines[1] == "wrote m.json"
    assert accuracy(out) > 80
    assert isinstance(nn.load(tmp_path / "m.json"), nn.Classifier)


def test_ctrl_c_before_the_first_epoch(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """What is there is kept; there is no curve to draw."""

    def interrupted(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(nn.Adam, "step", interrupted)
    out = printed(capsys, "train", "moons", "--save", "m.json", "--plot", "b.png")
    assert "stopped by Ctrl-C before the first epoch was over; what was learnt is kept" in out
    assert Path("m.json").exists() and Path("b.png").exists()
    status, _, errors = run(capsys, "train", "iris", "--plot", "curve.png")
    assert status == 2
    assert errors == "chalkgrad: there is no loss to plot: not one epoch was complete\n"
