"""Training: `history = fit(model, X, y, loss=cross_entropy)`; stop it with Ctrl-C, go on from a `Checkpoint`.

    history = fit(
        model, X_train, y_train, loss=nn.cross_entropy, optimizer=nn.Adam(model.parameters(), lr=0.02),
        epochs=200, batch_size=20, validation=0.2, patience=20, seed=1,
    )
    history.plot().savefig("loss.png")

An epoch is one pass over the rows; each batch of them is one step: the model's outputs, their loss, `backward()`, and
the optimiser's `step()`. Epochs are counted from 1.
"""

from __future__ import annotations

import math
import random
from time import perf_counter
from typing import TYPE_CHECKING, Any

from autograd import Value

from .arguments import count, counted, file_path, is_iterable, is_whole, matrix, short, targets
from .classifier import inputs_of
from .module import can_be_called
from .optim import SGD
from .randomness import source
from .saving import as_state, read, write
from .stepping import ADVICE, CompiledSteps, EagerSteps, set_numbers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from os import PathLike

    from matplotlib.figure import Figure

    from .randomness import Seed
    from .stepping import Steps

    Callback = Callable[[int, "History", Any], Any]

#: What a history has for each epoch.
COLUMNS = ("loss", "accuracy", "validation_loss", "validation_accuracy", "lr")
_KEPT = (*COLUMNS, "seconds")


class History:
    """How training went: lists with a number for each complete epoch.

    `loss` is the mean over the epoch's batches, each measured before its step. `accuracy`, where the targets are
    classes, is measured on the way too. `validation_loss` and `validation_accuracy` are measured after the epoch.
    `lr` is the step size that the epoch began with, `seconds` how long it took. Lists that do not apply are empty.

    `interrupted` tells whether Ctrl-C ended it, `stopped` whether a callback or early stopping did. Two histories are
    equal if all their numbers but the seconds are.

    >>> from nn import MLP
    >>> from nn.losses import hinge_loss
    >>> model = MLP(1, [1], seed=1)
    >>> history = fit(model, [[-1.0], [0.5], [1.0]], [-1, 1, 1], loss=hinge_loss, epochs=3, progress=False)
    >>> len(history), history.accuracy, history.best_epoch
    (3, [0.0, 0.0, 0.0], 3)
    """

    def __init__(self) -> None:
        self.loss: list[float] = []
        self.accuracy: list[float] = []
        self.validation_loss: list[float] = []
        self.validation_accuracy: list[float] = []
        self.lr: list[float] = []
        self.seconds: list[float] = []
        self.interrupted = False
        self.stopped = False

    @property
    def best_epoch(self) -> int | None:
        """The epoch, counted from 1, with the lowest validation loss; without validation, with the lowest loss.

        None before the first epoch is complete.
        """
        losses = self.validation_loss or self.loss
        return losses.index(min(losses)) + 1 if losses else None

    def plot(self) -> Figure:
        """The loss, and the accuracy if it was measured, epoch by epoch: see `nn.plot.loss_curve`."""
        from .plot import training_curves

        return training_curves(self)

    def __len__(self) -> int:
        return len(self.loss)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, History) and all(getattr(self, name) == getattr(other, name) for name in COLUMNS)

    __hash__ = None  # type: ignore[assignment]  # it grows

    def __repr__(self) -> str:
        if not self.loss:
            return "<History of 0 epochs>"
        columns = [(name.replace("_", " "), getattr(self, name)) for name in COLUMNS[:4]]
        parts = [f"{len(self)} epoch{'s' if len(self) > 1 else ''}"]
        parts += [f"{name} {numbers[0]:.4g} → {numbers[-1]:.4g}" for name, numbers in columns if numbers]
        return f"<History of {'; '.join(parts)}{'; interrupted' if self.interrupted else ''}>"


class Checkpoint:
    """Among the callbacks of `fit`, writes to a file all that the run needs to go on later: `fit(..., resume=path)`.

    The file has parameters, the optimiser's state, the history and what the shuffling is drawn from. A run that was
    resumed ends, bit for bit, like one that was not interrupted, if it is given the same data and arguments. The file
    is complete at any moment. `model.load(path)` takes the parameters from it.

    Args:
        path: the file.
        every: write after each so many epochs; the last one is written in any case.

    >>> import os, tempfile
    >>> from nn import MLP
    >>> from nn.losses import mse_loss
    >>> X, y, arguments = [[-1.0], [0.0], [1.0]], [-1.0, 1.0, 3.0], {"loss": mse_loss, "seed": 1, "progress": False}
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "run.json")
    ...     _ = fit(MLP(1, [1], seed=1), X, y, epochs=5, callbacks=[Checkpoint(path)], **arguments)
    ...     fit(MLP(1, [1], seed=2), X, y, epochs=8, resume=path, **arguments)
    <History of 8 epochs; loss 5.973 → 1.086>
    """

    def __init__(self, path: str | PathLike[str], every: int = 1) -> None:
        self.path = file_path(path)
        self.every = count(every, "every")

    def __call__(self, epoch: int, history: History, model: Any) -> None:
        """`fit` gives it more to write than callbacks get; it cannot be called by itself."""
        raise TypeError("a Checkpoint is given to fit: fit(..., callbacks=[Checkpoint(path)])")

    def __repr__(self) -> str:
        return f"Checkpoint({str(self.path)!r}, every={self.every})"


def fit(
    model: Any,
    X: Any,
    y: Any,
    *,
    loss: Callable[[list[Any], list[Any]], Any],
    optimizer: Any = None,
    epochs: int = 100,
    batch_size: int | None = None,
    validation: float | tuple[Any, Any] | None = None,
    seed: Seed = None,
    compile: bool = False,
    callbacks: Sequence[Callback] = (),
    patience: int | None = None,
    progress: bool = True,
    resume: str | PathLike[str] | None = None,
) -> History:
    """Train a model: move its parameters, batch by batch, against the gradient of the loss.

    Args:
        model: what is called on one row, a list of floats, gives a Value or a list of Values, and has `parameters()`.
        X: the points, an array or lists of shape (n, d).
        y: for each row a number, or a list of numbers. Of whole numbers from 0, as many as the model tells apart, and
            of -1 and 1 the accuracy is measured too.
        loss: called with the list of the model's outputs and the list of their targets; gives one Value.
        optimizer: what has `step()` and `zero_grad()`; None stands for `SGD(model.parameters(), lr=0.02,
            momentum=0.9)`, which suits standardised data and a loss that is a mean; Adam is often quicker.
        epochs: the number of passes over the rows; with `resume`, those before included.
        batch_size: the number of rows for each step, the last one of an epoch may have fewer. 1 is one example at a
            time; None takes all rows at once, in their own order. Batches are drawn anew for each epoch.
        validation: a pair (X, y) to measure the loss on after each epoch; or a part such as 0.2 of the rows, chosen at
            random, which is not trained on.
        seed: what order and validation part are drawn from: a whole number, a generator, or None for Python's `random`.
        compile: whether to compute all rows of a batch at once, with `autograd.compile`: many times as fast, with the
            same results but for rounding. The loss is to be a mean over its rows, and neither model nor loss may
            branch on what is computed. By its target a loss may choose, as `row[c]` and `if y == 1` do: each target
            that it chooses by is computed for every row, and there may be 100. The model gives a Value for a row, or a
            list of them without lists inside. Parameters get their numbers before each callback, and however the
            training ends.
        callbacks: each is called as callback(epoch, history, model) after each epoch; one that returns True ends the
            training. `Checkpoint` is one.
        patience: end when the validation loss has not been lower than before for so many epochs. The model then has
            the parameters of `history.best_epoch`; so it has when the epochs are over or Ctrl-C ended them.
        progress: whether to show a progress bar; there is none where the output is no terminal.
        resume: a file of `Checkpoint` to go on from.

    Returns:
        The `History`. Ctrl-C ends the training early, and gives the history so far: the model is as after the last
        complete step.

    Raises:
        ValueError: for arguments that do not fit, each named.
        FloatingPointError: when the loss becomes nan or infinite, or an operation on the way to it has no result. Here,
            and when model, loss or callbacks raise anything, parameters are as after the last complete step.

    >>> from nn import MLP
    >>> from nn.losses import mse_loss
    >>> model = MLP(1, [1], seed=1)
    >>> history = fit(model, [[-1.0], [0.0], [1.0]], [-1.0, 1.0, 3.0], loss=mse_loss, progress=False)
    >>> history
    <History of 100 epochs; loss 5.973 → 0.0001694>
    >>> round(model([2.0]).data, 1)
    5.0
    """
    if not isinstance(compile, bool):
        raise TypeError(f"compile is True or False, not {short(compile)}")
    if not (Value(1.0) * 1.0).operands:
        raise ValueError("fit needs the graphs of the loss, and no_grad() keeps none: call it outside of no_grad()")
    run = _Run(model, loss, optimizer, _checked_callbacks(callbacks))
    start = None if resume is None else read(file_path(resume, "resume"))
    run.shuffling = _drawn_seed(seed) if start is None else _seed_of_file(start, seed, resume)
    run.take_data(X, y, validation)
    run.patience = None if patience is None else count(patience, "patience")
    if run.patience is not None and run.held_out is None:
        raise ValueError("patience watches the validation loss: give validation=(X, y), or a part such as 0.2")
    size = len(run.rows) if batch_size is None else count(batch_size, "batch_size")
    last = count(epochs, "epochs")
    if start is not None:
        run.go_on_from(start, resume)
    run.steps = (CompiledSteps if compile else EagerSteps)(run)
    with _Bar(len(run.history), last, shown=progress) as bar:
        run.train(last, min(size, len(run.rows)), bar)
    return run.history


class _Run:
    """A training under way."""

    rows: list[list[float]]
    targets: list[Any]
    held_out: tuple[list[list[float]], list[Any]] | None  # validation data
    steps: Steps  # what computes them
    shuffling: int  # what the order of each epoch is drawn from
    patience: int | None

    def __init__(self, model: Any, loss: Any, optimizer: Any, callbacks: list[Callback]) -> None:
        self.model, self.loss = model, loss
        self.parameters = _parameters(model)
        self.optimizer = SGD(self.parameters, lr=0.02, momentum=0.9) if optimizer is None else optimizer
        self.callbacks = [callback for callback in callbacks if not isinstance(callback, Checkpoint)]
        self.checkpoints = [callback for callback in callbacks if isinstance(callback, Checkpoint)]
        self.history = History()
        self.best: list[float] | None = None  # the parameters of the best epoch
        self._check()

    def _check(self) -> None:
        if not can_be_called(self.model):
            raise TypeError(f"model is called on a row, such as nn.MLP; not {short(self.model)}")
        if not callable(self.loss) or isinstance(self.loss, type):
            raise TypeError(f"loss is a function of outputs and targets, such as nn.mse_loss; not {short(self.loss)}")
        if isinstance(self.optimizer, type):
            name = self.optimizer.__name__
            raise TypeError(f"optimizer is made of parameters, as in {name}(model.parameters()); not the class {name}")
        if not all(callable(getattr(self.optimizer, name, None)) for name in ("step", "zero_grad")):
            raise TypeError(f"optimizer has step() and zero_grad(), such as nn.SGD(...); not {short(self.optimizer)}")
        moved = getattr(self.optimizer, "params", None)
        if isinstance(moved, list) and not {*map(id, moved)} & {*map(id, self.parameters)}:
            raise ValueError("optimizer has none of the model's parameters: it is to be made of model.parameters()")
        for checkpoint in self.checkpoints:
            if not (hasattr(self.model, "state_dict") and hasattr(self.optimizer, "state_dict")):
                raise TypeError(f"{checkpoint} needs a model and an optimizer with state_dict(), such as nn.Module has")

    def take_data(self, X: Any, y: Any, validation: Any) -> None:
        """Look at the data, and hold out a part of it if that is asked for."""
        self.rows = matrix(X).tolist()
        width, wanted = len(self.rows[0]), inputs_of(self.model)
        if wanted is not None and wanted != width:
            given, takes = counted(width, "column"), counted(wanted, "input")
            raise ValueError(f"X has {given}, and the model takes {takes}: give it a column for each")
        self.targets = targets(y, len(self.rows))
        self.held_out = None
        if isinstance(validation, (tuple, list)):
            if len(validation) != 2:
                raise ValueError(f"validation is a pair (X, y) or a part such as 0.2, not {len(validation)} things")
            rows = matrix(validation[0], "validation X").tolist()
            if len(rows[0]) != len(self.rows[0]):
                raise ValueError(f"validation X has {counted(len(rows[0]), 'column')}, and X has {width}")
            self.held_out = rows, targets(validation[1], len(rows), "validation y")
        elif validation is not None:
            self._hold_out(validation)
        self.classes = _are_classes(self.targets)

    def _hold_out(self, part: Any) -> None:
        """Take a part of the rows, chosen at random, for validation."""
        if isinstance(part, bool) or not isinstance(part, (int, float)):
            raise TypeError(f"validation is a pair (X, y) or a part such as 0.2, not {short(part)}")
        held_out = round(part * len(self.rows)) if 0 < part < 1 else 0
        if not 0 < held_out < len(self.rows):
            what = f"a part between 0 and 1 that leaves some of the {len(self.rows)} rows on either side"
            raise ValueError(f"validation is {what}, not {short(part)}")
        order = self._order(0)
        rows, wanted = self.rows, self.targets
        self.held_out = [rows[i] for i in order[:held_out]], [wanted[i] for i in order[:held_out]]
        self.rows, self.targets = [rows[i] for i in order[held_out:]], [wanted[i] for i in order[held_out:]]

    def _order(self, epoch: int) -> list[int]:
        """The rows in the order of an epoch. It depends on nothing but the seed and the epoch: a run can be resumed."""
        order = list(range(len(self.rows)))
        random.Random((self.shuffling << 64) + epoch).shuffle(order)
        return order

    # ----- Epochs -----

    def train(self, last: int, batch_size: int, bar: _Bar) -> None:
        """All epochs up to `last`."""
        history = self.history
        history.stopped = self._out_of_patience()  # a run that is resumed may be
        try:
            while len(history) < last and not history.stopped:
                epoch = len(history) + 1
                self._epoch(epoch, batch_size)
                bar.show(history)
                if self.callbacks or self.checkpoints:
                    self.steps.write_back()
                ends = [callback(epoch, history, self.model) for callback in self.callbacks]
                if self.callbacks:
                    self.steps.read_again()
                history.stopped = any(end is True for end in ends) or self._out_of_patience()
                self._write_checkpoints(epoch, final=epoch == last or history.stopped)
        except KeyboardInterrupt:
            history.interrupted = True
            for name in _KEPT:  # Ctrl-C may have come while an epoch was being entered
                del getattr(history, name)[len(history) :]
        finally:
            self.steps.write_back()
        if self.best is not None:
            set_numbers(self.parameters, self.best)

    def _epoch(self, epoch: int, batch_size: int) -> None:
        """One pass over the rows; it is entered into the history when it is complete."""
        began, lr = perf_counter(), _step_size(self.optimizer)
        count, total, right = len(self.rows), 0.0, 0
        order = None if batch_size == count else self._order(epoch)
        for start in range(0, count, batch_size):
            batch = None if order is None else order[start : start + batch_size]
            loss, found = self.steps.step(batch, epoch)
            total += loss * (count if batch is None else len(batch))
            right += found
        measured = {} if lr is None else {"lr": lr}
        if self.classes:
            measured["accuracy"] = right / count
        if self.held_out is not None:
            measured |= self._validated(epoch)
        measured |= {"seconds": perf_counter() - began, "loss": total / count}  # the loss last: it is what counts
        for name, number in measured.items():
            getattr(self.history, name).append(number)
        if self.patience is not None and self.history.best_epoch == epoch:
            self.steps.write_back()
            self.best = [parameter.data for parameter in self.parameters]

    def _validated(self, epoch: int) -> dict[str, float]:
        """Loss and accuracy on validation data."""
        assert self.held_out is not None
        loss, right = self.steps.validation(epoch)
        if not math.isfinite(loss):
            raise FloatingPointError(f"the validation loss became {loss} in epoch {epoch}: {ADVICE}")
        measured = {"validation_loss": loss}
        if self.classes:
            measured["validation_accuracy"] = right / len(self.held_out[1])
        return measured

    def _out_of_patience(self) -> bool:
        if self.patience is None:
            return False
        best = self.history.best_epoch
        return best is not None and len(self.history) - best >= self.patience

    # ----- Checkpoints -----

    def _write_checkpoints(self, epoch: int, *, final: bool) -> None:
        for checkpoint in self.checkpoints:
            if final or epoch % checkpoint.every == 0:
                write(checkpoint.path, {"parameters": self.model.state_dict(), "training": self._state()})

    def _state(self) -> dict[str, Any]:
        """What a resumed run needs beside the parameters."""
        return {
            "rows": len(self.rows),
            "shuffling": self.shuffling,
            "optimizer": self.optimizer.state_dict(),
            "best": self.best,
            "history": {name: getattr(self.history, name) for name in _KEPT},
        }

    def go_on_from(self, content: dict[str, Any], path: Any) -> None:
        """Put everything as it was; an error changes nothing."""
        if not (hasattr(self.model, "load_state_dict") and hasattr(self.optimizer, "load_state_dict")):
            raise TypeError("resume needs a model and an optimizer with load_state_dict(), such as nn.Module has")
        training = content["training"]
        try:
            parameters = as_state(content["parameters"], list(self.model.state_dict()))
            history = _history_from(training.get("history"))
            best = training.get("best")
            if best is not None and not (_are_numbers(best) and len(best) == len(self.parameters)):
                raise ValueError("the parameters of its best epoch are damaged")
            if training.get("rows") != len(self.rows):
                raise ValueError(f"it was trained on {short(training.get('rows'))} rows, not {len(self.rows)}")
            if bool(history.validation_loss) != (self.held_out is not None):
                raise ValueError("validation is to be given as it was then")
            if not isinstance(training.get("optimizer"), dict):
                raise ValueError("it has no state of an optimizer")
            self.optimizer.load_state_dict(training["optimizer"])
        except (TypeError, ValueError) as error:
            raise ValueError(f"resume: {path} does not fit: {error}") from None
        self.model.load_state_dict(parameters)
        self.history, self.best = history, best


class _Bar:
    """A progress bar, where there is a terminal to show it."""

    def __init__(self, done: int, epochs: int, *, shown: bool) -> None:
        self._bar = _progress_bar(done, epochs) if shown else None

    def __enter__(self) -> _Bar:
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.close()

    def show(self, history: History) -> None:
        """One more epoch."""
        if self._bar is not None:
            self._bar.set_postfix_str(_told(history), refresh=False)  # tqdm decides how often to show it
            self._bar.update()


def _told(history: History) -> str:
    """The numbers of the last epoch, those of validation in brackets."""
    parts = []
    for name in ("loss", "accuracy"):
        if numbers := getattr(history, name):
            checked = getattr(history, f"validation_{name}")
            parts.append(f"{name} {numbers[-1]:.3g}" + (f" ({checked[-1]:.3g})" if checked else ""))
    return ", ".join(parts)


def _progress_bar(done: int, epochs: int) -> Any:
    import sys

    if sys.stderr is None or not sys.stderr.isatty():
        return None
    from tqdm import tqdm

    return tqdm(initial=done, total=epochs, unit="epoch", dynamic_ncols=True)


# ----- What was given -----


def _parameters(model: Any) -> list[Value]:
    if isinstance(model, type) or not callable(getattr(model, "parameters", None)):
        raise TypeError(f"model has parameters(), as every nn.Module; not {short(model)}")
    parameters = list(model.parameters())
    if not parameters:
        raise ValueError("model has no parameters, so there is nothing to learn")
    return parameters


def _checked_callbacks(callbacks: Iterable[Callback]) -> list[Callback]:
    if callable(callbacks) or not is_iterable(callbacks):
        raise TypeError(f"callbacks is a list of functions, such as [{short(callbacks)}]")
    for callback in (checked := list(callbacks)):
        if not callable(callback):
            raise TypeError(f"callbacks are called as callback(epoch, history, model); {short(callback)} cannot be")
    return checked


def _drawn_seed(seed: Seed) -> int:
    """One draw from the given source, which all of the run's randomness comes from."""
    return int(source(seed).random() * 2**53)


def _seed_of_file(content: dict[str, Any], seed: Seed, path: Any) -> int:
    """What the run that is resumed drew from."""
    training = content.get("training")
    if not isinstance(training, dict):
        raise ValueError(f"resume: {path} is a model, and no checkpoint of a training")
    drawn = training.get("shuffling")
    if isinstance(drawn, bool) or not isinstance(drawn, int) or not 0 <= drawn < 2**53:
        raise ValueError(f"resume: {path} is damaged: its shuffling is {short(drawn)}")
    source(seed)  # an error if it is none
    if is_whole(seed) and _drawn_seed(seed) != drawn:
        advice = "leave the seed out to keep it"
        raise ValueError(f"resume: {path} was trained with another seed than {short(seed)}; {advice}")
    return drawn


def _are_classes(wanted: list[Any]) -> str:
    """Whether accuracy can be measured: of classes 0, 1, ... ("numbers"), or of -1 and 1 ("signs"); else ""."""
    if not all(type(y) is int for y in wanted):
        return "signs" if set(map(type, wanted)) == {float} and set(wanted) == {-1.0, 1.0} else ""
    if min(wanted) >= 0:
        return "numbers"
    return "signs" if set(wanted) <= {-1, 1} else ""


def _step_size(optimizer: Any) -> float | None:
    """The optimiser's step size now, if it has one."""
    lr = getattr(optimizer, "lr", None)
    if callable(lr):
        lr = lr(getattr(optimizer, "t", 0))
    return float(lr) if isinstance(lr, (int, float)) else None


def _history_from(columns: Any) -> History:
    """The history that a file tells of."""
    history = History()
    if not isinstance(columns, dict) or not all(_are_numbers(columns.get(name)) for name in _KEPT):
        raise ValueError("its history is damaged")
    for name in _KEPT:
        if len(columns[name]) not in (0, len(columns["loss"])):
            raise ValueError("its history is damaged: it has more of some numbers than of others")
        setattr(history, name, [float(number) for number in columns[name]])
    return history


def _are_numbers(numbers: Any) -> bool:
    return isinstance(numbers, list) and all(isinstance(x, (int, float)) and not isinstance(x, bool) for x in numbers)
