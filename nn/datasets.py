"""Data to learn from: points in the plane, a noisy sine, Iris, your own CSV file; splitting and standardising them.

    X, y = datasets.moons(200, noise=0.1, seed=1)
    X_train, X_test, y_train, y_test = datasets.train_test_split(X, y, seed=1)
    X_train, scaling = datasets.standardize(X_train)
    X_test = scaling(X_test)                            # by what was measured on the training data

Each gives `(X, y)`: X has a row for each point, y its class 0, 1, ... or, for regression, its number. The points made
here are rounded to six decimals, so that the same seed gives the same data also where `sin` or `log` of the machine
differ in the last bit. Classes take turns along the rows: every stretch of rows has its share of each.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

from .arguments import array, count, finite, listed, matrix, short
from .csv_files import Table, records
from .randomness import source

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from os import PathLike

    import numpy

    from .randomness import Seed, Source

    Point = tuple[float, ...]
    Data = tuple[numpy.ndarray, numpy.ndarray]

__all__ = [
    "IRIS_CLASSES",
    "IRIS_FEATURES",
    "Dataset",
    "Scaling",
    "blobs",
    "circles",
    "iris",
    "linear",
    "load_csv",
    "moons",
    "sine",
    "spirals",
    "standardize",
    "train_test_split",
    "xor",
]

#: More are not made: they are made one by one.
MOST_POINTS = 10_000_000

#: The names of the classes 0, 1 and 2 of `iris()`.
IRIS_CLASSES = ("setosa", "versicolor", "virginica")

#: The names of the columns of `iris()`.
IRIS_FEATURES = ("sepal length (cm)", "sepal width (cm)", "petal length (cm)", "petal width (cm)")


# ----- Points in the plane -----


def xor(n: int = 100, *, noise: float = 0.1, seed: Seed = None) -> Data:
    """Four corners of a square, of which opposite ones belong together: what no single neuron can tell apart.

    Class 1 is where exactly one coordinate is near 1 (Minsky and Papert 1969, Perceptrons).

    Args:
        n: the number of points, 1 or more.
        noise: the standard deviation of what is added to each coordinate.
        seed: a whole number or a generator; None draws from Python's `random`.

    Returns:
        X of shape (n, 2), y of shape (n,) with the classes 0 and 1.

    >>> X, y = xor(4, noise=0)
    >>> X.tolist(), y.tolist()
    ([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]], [0, 1, 1, 0])
    """
    corners = ((0.0, 0.0), (0.0, 1.0), (1.0, 0.0), (1.0, 1.0))
    draw, _ = source(seed), count(n, "n", most=MOST_POINTS)
    return _scattered(draw, noise, [(corners[i % 4], int(i % 4 in (1, 2))) for i in range(n)])


def linear(n: int = 100, *, noise: float = 0.0, margin: float = 0.1, seed: Seed = None) -> Data:
    """Two classes on either side of the diagonal x1 = x2, which one neuron can tell apart. Class 1 is above it.

    Args:
        n: the number of points, 1 or more.
        noise: the standard deviation of what is added to each coordinate; it can carry points to the other side.
        margin: how far points stay away from the diagonal before noise is added, from 0 to 1.
        seed: a whole number or a generator; None draws from Python's `random`.

    Returns:
        X of shape (n, 2), y of shape (n,) with the classes 0 and 1.

    >>> X, y = linear(20, seed=1)
    >>> ((X[:, 1] > X[:, 0]) == y).all()
    np.True_
    """
    if not 0 <= finite(margin, "margin") <= 1:
        raise ValueError(f"margin is a distance from 0 to 1, not {short(margin)}")
    draw, points = source(seed), []
    for i in range(count(n, "n", most=MOST_POINTS)):
        along, away = draw.uniform(-1, 1), draw.uniform(margin, 1) * (1 if i % 2 else -1)
        points.append((((along - away) / math.sqrt(2), (along + away) / math.sqrt(2)), i % 2))
    return _scattered(draw, noise, points)


def circles(n: int = 100, *, noise: float = 0.05, ratio: float = 0.5, seed: Seed = None) -> Data:
    """A circle of radius 1 (class 0) around a smaller one (class 1).

    Args:
        n: the number of points, 2 or more.
        noise: the standard deviation of what is added to each coordinate.
        ratio: the radius of the inner circle, between 0 and 1.
        seed: a whole number or a generator; None draws from Python's `random`.

    Returns:
        X of shape (n, 2), y of shape (n,) with the classes 0 and 1.

    >>> X, y = circles(4, noise=0)
    >>> X.round(3).tolist(), y.tolist()
    ([[1.0, 0.0], [0.5, 0.0], [-1.0, 0.0], [-0.5, 0.0]], [0, 1, 0, 1])
    """
    if not 0 < finite(ratio, "ratio") < 1:
        raise ValueError(f"ratio is the inner radius, between 0 and 1; not {short(ratio)}")
    draw, points = source(seed), []
    for arm, part in _in_turns(n, 2, ends=False):
        radius, angle = ratio if arm else 1.0, 2 * math.pi * part
        points.append(((radius * math.cos(angle), radius * math.sin(angle)), arm))
    return _scattered(draw, noise, points)


def moons(n: int = 100, *, noise: float = 0.1, seed: Seed = None) -> Data:
    """Two half circles that reach into each other: one upwards (class 0), one downwards (class 1).

    Args:
        n: the number of points, 2 or more.
        noise: the standard deviation of what is added to each coordinate.
        seed: a whole number or a generator; None draws from Python's `random`.

    Returns:
        X of shape (n, 2), y of shape (n,) with the classes 0 and 1.

    >>> X, y = moons(100, seed=1)
    >>> X.shape, y[:4].tolist()
    ((100, 2), [0, 1, 0, 1])
    """
    draw, points = source(seed), []
    for arm, part in _in_turns(n, 2):
        x, height = math.cos(math.pi * part), math.sin(math.pi * part)
        points.append(((1 - x, 0.5 - height) if arm else (x, height), arm))
    return _scattered(draw, noise, points)


def spirals(n: int = 100, *, noise: float = 0.02, classes: int = 2, turns: float = 1.0, seed: Seed = None) -> Data:
    """Spiral arms, one for each class, that start near the origin and end at radius 1 (as in CS231n's notes).

    Args:
        n: the number of points, as many as there are classes or more.
        noise: the standard deviation of what is added to each coordinate.
        classes: the number of arms, 2 or more.
        turns: how often an arm goes round; more is harder.
        seed: a whole number or a generator; None draws from Python's `random`.

    Returns:
        X of shape (n, 2), y of shape (n,) with the classes 0, 1, ...

    >>> X, y = spirals(99, classes=3, seed=1)
    >>> X.shape, y[:4].tolist()
    ((99, 2), [0, 1, 2, 0])
    """
    if not finite(turns, "turns") > 0:
        raise ValueError(f"turns is how often an arm goes round, more than 0; not {short(turns)}")
    draw, points = source(seed), []
    for arm, part in _in_turns(n, count(classes, "classes", 2, MOST_POINTS)):
        radius = 0.1 + 0.9 * part  # arms that met at the origin could not be told apart there
        angle = 2 * math.pi * (arm / classes + turns * part)
        points.append(((radius * math.cos(angle), radius * math.sin(angle)), arm))
    return _scattered(draw, noise, points)


def blobs(n: int = 100, *, noise: float = 0.3, classes: int = 3, seed: Seed = None) -> Data:
    """Round clouds, one for each class, whose centres stand evenly on the circle of radius 1.

    Args:
        n: the number of points, as many as there are classes or more.
        noise: the standard deviation of each cloud.
        classes: the number of clouds, 2 or more.
        seed: a whole number or a generator; None draws from Python's `random`.

    Returns:
        X of shape (n, 2), y of shape (n,) with the classes 0, 1, ...

    >>> X, y = blobs(6, noise=0)
    >>> X.round(3).tolist()[:3], y.tolist()
    ([[1.0, 0.0], [-0.5, 0.866], [-0.5, -0.866]], [0, 1, 2, 0, 1, 2])
    """
    draw, points = source(seed), []
    for arm, _ in _in_turns(n, count(classes, "classes", 2, MOST_POINTS)):
        angle = 2 * math.pi * arm / classes
        points.append(((math.cos(angle), math.sin(angle)), arm))
    return _scattered(draw, noise, points)


def sine(n: int = 100, *, noise: float = 0.1, seed: Seed = None) -> Data:
    """One period of a sine with noise, for regression: X evenly from -π to π, y = sin(X) plus noise.

    Args:
        n: the number of points, 2 or more.
        noise: the standard deviation of what is added to y.
        seed: a whole number or a generator; None draws from Python's `random`.

    Returns:
        X of shape (n, 1), y of shape (n,), both floats.

    >>> X, y = sine(5, noise=0)
    >>> X[:, 0].round(2).tolist(), y.round(2).tolist()
    ([-3.14, -1.57, 0.0, 1.57, 3.14], [-0.0, -1.0, 0.0, 1.0, 0.0])
    """
    import numpy

    draw, deviation = source(seed), _deviation(noise)
    xs = [math.pi * (2 * i / (n - 1) - 1) for i in range(count(n, "n", 2, MOST_POINTS))]
    ys = [math.sin(x) + (draw.gauss(0, deviation) if deviation else 0.0) for x in xs]
    return numpy.array([[round(x, 6)] for x in xs]), numpy.array([round(y, 6) for y in ys])


def _in_turns(n: int, classes: int, *, ends: bool = True) -> Iterator[tuple[int, float]]:
    """For each of n points its class and how far along its class it stands: from 0 to 1, to below 1 without `ends`."""
    count(n, "n", classes, MOST_POINTS)
    for i in range(n):
        arm, place = i % classes, i // classes
        total = (n - arm + classes - 1) // classes
        yield arm, place / max(1, total - ends)


def _scattered(draw: Source, noise: float, points: Iterable[tuple[Point, int]]) -> Data:
    """The points with noise, as arrays."""
    import numpy

    deviation = _deviation(noise)
    X, y = [], []
    for place, label in points:
        X.append([round(x + (draw.gauss(0, deviation) if deviation else 0.0), 6) for x in place])
        y.append(label)
    return numpy.array(X), numpy.array(y)


# ----- Data from files -----


class Dataset(NamedTuple):
    """What a file holds.

    `X` has a row for each line, `features` names its columns. `y` holds the numbers of the classes, 0 for the first of
    `classes`; for regression it holds numbers, and `classes` is empty.

    >>> data = iris()
    >>> Dataset(*data, IRIS_FEATURES, IRIS_CLASSES).classes[data[1][0]]
    'setosa'
    """

    X: numpy.ndarray
    y: numpy.ndarray
    features: tuple[str, ...]
    classes: tuple[str, ...]

    def __repr__(self) -> str:
        what = f"classes {', '.join(self.classes)}" if self.classes else "regression"
        return f"<Dataset of {len(self.X)} rows, {len(self.features)} features; {what}>"


def iris() -> Data:
    """150 irises of three species, 50 of each: length and width of their sepals and petals in cm.

    Source: R. A. Fisher, The use of multiple measurements in taxonomic problems, Annals of Eugenics 7 (1936); from the
    UCI Machine Learning Repository, https://doi.org/10.24432/C56C76, licence CC BY 4.0. Flowers 35 and 38 are as in
    Fisher's paper, from which UCI's file differs there. The file comes with the package: nothing is downloaded.

    Returns:
        X of shape (150, 4), whose columns are `IRIS_FEATURES`; y of shape (150,), the numbers of `IRIS_CLASSES`. The
        species follow one another: shuffle or split before use.

    >>> X, y = iris()
    >>> X[0].tolist(), IRIS_CLASSES[y[0]]
    ([5.1, 3.5, 1.4, 0.2], 'setosa')
    """
    from pathlib import Path

    data = load_csv(Path(__file__).parent / "data" / "iris.csv")
    return data.X, data.y


def load_csv(
    path: str | PathLike[str], target: int | str = -1, *, regression: bool = False, delimiter: str = ","
) -> Dataset:
    """Read a table of numbers with one column to be predicted.

    A first row without any number among its features is a header. Lines that start with # are comments; they and empty
    lines are left out. Fields may be quoted. Classes are numbered in the order of their names (of their numbers, where
    all names are whole numbers).

    Args:
        path: a text file in UTF-8.
        target: the column to be predicted: its place, counted from 0, from the end if negative; or its name.
        regression: whether the target is a number rather than the name of a class.
        delimiter: what stands between two fields.

    Raises:
        ValueError: naming file, line and column: what is no number or not finite, rows of another length, names that
            occur twice, a target that is not there, fewer than two classes, no rows at all.
        OSError: if the file cannot be read.

    >>> import os, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "fruit.csv")
    ...     with open(path, "w") as file:
    ...         _ = file.write("width,weight,kind\\n7.5,180,apple\\n6,160,pear\\n")
    ...     data = load_csv(path, target="kind")
    >>> data
    <Dataset of 2 rows, 2 features; classes apple, pear>
    >>> data.X.tolist(), data.y.tolist()
    ([[7.5, 180.0], [6.0, 160.0]], [0, 1])
    """
    import numpy

    if not isinstance(delimiter, str) or len(delimiter) != 1:
        raise ValueError(f"delimiter is one character, such as ',' or ';'; not {short(delimiter)}")
    if not isinstance(regression, bool):
        raise TypeError(f"regression is True or False, not {short(regression)}")
    if target is None:
        raise TypeError("target is the place of a column, such as -1, or its name; not None")
    table = Table(path, list(records(path, delimiter)), target)
    X = [table.numbers(row) for row in table.rows]
    if regression:
        y: list[float] = [table.number(row, table.target or 0) for row in table.rows]
        return Dataset(numpy.array(X), numpy.array(y), table.features, ())
    names, numbers = table.classes(advice="; if a number is meant: regression=True")
    return Dataset(numpy.array(X), numpy.array(numbers), table.features, names)


# ----- Splitting and standardising -----


def train_test_split(
    X: Any, y: Any, test: float = 1 / 3, seed: Seed = None, *, stratified: bool = False
) -> tuple[numpy.ndarray, numpy.ndarray, numpy.ndarray, numpy.ndarray]:
    """Put the rows into random order and hold some of them out, to see later how well unknown data is predicted.

    Args:
        X: the points, a row each.
        y: their classes or numbers.
        test: the part to hold out, between 0 and 1; or a whole number of rows.
        seed: a whole number or a generator; None draws from Python's `random`.
        stratified: whether each class has the same share in both parts, as nearly as possible.

    Returns:
        X_train, X_test, y_train, y_test.

    Raises:
        ValueError: if one of the parts would be empty, or X and y differ in length.

    >>> X_train, X_test, y_train, y_test = train_test_split(*iris(), seed=1, stratified=True)
    >>> len(X_train), [int((y_test == species).sum()) for species in (0, 1, 2)]
    (100, [16, 17, 17])
    """
    import numpy

    X, y = array("X", X), array("y", y)
    if X.ndim == 0 or y.ndim == 0 or len(X) != len(y):
        given = " and ".join(f"{len(part)} rows" if part.ndim else short(part.item()) for part in (X, y))
        raise ValueError(f"X and y have a row for each point: {given} were given")
    order, held_out = list(range(len(X))), _held_out(test, len(X))
    source(seed).shuffle(order)
    if stratified:
        if y.ndim != 1 or y.dtype.kind == "f":
            raise ValueError("stratified=True needs classes in y, whole numbers or names")
        order = _spread([y[i].item() for i in order], order)
    chosen = numpy.array(order)
    return X[chosen[held_out:]], X[chosen[:held_out]], y[chosen[held_out:]], y[chosen[:held_out]]


def _held_out(test: float, rows: int) -> int:
    """The number of rows to hold out."""
    if isinstance(test, bool) or not isinstance(test, (int, float)):
        raise TypeError(f"test is a part such as 1/3, or a number of rows; not {short(test)}")
    count = test if isinstance(test, int) else round(test * rows) if 0 < test < 1 else 0
    if not 0 < count < rows:
        kind = "a number of rows" if isinstance(test, int) else "a part between 0 and 1"
        raise ValueError(f"test is {kind} that leaves some of the {rows} rows on either side; not {short(test)}")
    return count


def _spread(labels: Sequence[Any], order: Sequence[int]) -> list[int]:
    """`order`, so that every beginning of it has its share of each class: the k-th of m comes at (k + 1/2) / m."""
    total: dict[Any, int] = {}
    for label in labels:
        total[label] = total.get(label, 0) + 1
    seen, places = dict.fromkeys(total, 0), []
    for label in labels:
        places.append((seen[label] + 0.5) / total[label])
        seen[label] += 1
    return [row for _, row in sorted(zip(places, order), key=lambda pair: pair[0])]


class Scaling:
    """Subtracts a mean and divides by a standard deviation, column by column; `standardize` measures both.

    It is an object, and not two arrays, so that new data is treated by the numbers measured on the training data in
    one call, and so that a `Classifier` can keep it.

    >>> scaling = Scaling([1.0, 10.0], [0.5, 2.0])
    >>> scaling([[1.5, 8.0]]).tolist()
    [[1.0, -1.0]]
    >>> scaling.undo([[1.0, -1.0]]).tolist()
    [[1.5, 8.0]]
    """

    def __init__(self, mean: Iterable[float], std: Iterable[float]) -> None:
        self.mean = tuple(listed(mean, "mean"))
        self.std = tuple(listed(std, "std"))
        if not self.mean or len(self.mean) != len(self.std):
            raise ValueError(f"mean and std have a number for each column, not {len(self.mean)} and {len(self.std)}")
        if min(self.std) <= 0:
            raise ValueError(f"std is more than 0 in each column, not {min(self.std)}; 1.0 leaves a column as it is")

    def __call__(self, X: Any) -> numpy.ndarray:
        """X, an array of rows, standardised."""
        return self._applied(X, lambda rows, mean, std: (rows - mean) / std)

    def undo(self, X: Any) -> numpy.ndarray:
        """What was standardised, as it was."""
        return self._applied(X, lambda rows, mean, std: rows * std + mean)

    def row(self, row: Sequence[Any]) -> list[Any]:
        """One row, of numbers or Values, standardised."""
        if len(row) != len(self.mean):
            raise ValueError(f"the scaling is for rows of {len(self.mean)} numbers, not {len(row)}")
        return [(x - mean) / std for x, mean, std in zip(row, self.mean, self.std)]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Scaling) and (self.mean, self.std) == (other.mean, other.std)

    def __hash__(self) -> int:
        return hash((self.mean, self.std))

    def __repr__(self) -> str:
        columns = "1 column" if len(self.mean) == 1 else f"{len(self.mean)} columns"
        return f"<Scaling of {columns}>"

    def _applied(self, X: Any, change: Callable[..., numpy.ndarray]) -> numpy.ndarray:
        import numpy

        rows = matrix(X)
        if rows.shape[1] != len(self.mean):
            raise ValueError(f"X has {rows.shape[1]} columns, and the scaling is for {len(self.mean)}")
        return change(rows, numpy.array(self.mean), numpy.array(self.std))


def standardize(X: Any) -> tuple[numpy.ndarray, Scaling]:
    """Shift and stretch each column to mean 0 and standard deviation 1, which makes training faster and steadier.

    Measure on the training data alone, and apply the `Scaling` to all other data: else the held-out part has had its
    say in what was learnt.

    Args:
        X: the points, a row each. A column that is constant becomes 0.

    Returns:
        X standardised, and the `Scaling` that does the same to other data.

    >>> X, scaling = standardize([[1.0, 5.0], [3.0, 5.0]])
    >>> X.tolist()
    [[-1.0, 0.0], [1.0, 0.0]]
    >>> scaling([[2.0, 5.0]]).tolist()
    [[0.0, 0.0]]
    """
    rows = matrix(X)
    largest = abs(rows).max(axis=0)
    largest[largest == 0] = 1.0  # in units of it no square overflows or vanishes, and a constant is exactly 1
    mean, std = (rows / largest).mean(axis=0) * largest, (rows / largest).std(axis=0) * largest
    scaling = Scaling(mean.tolist(), [deviation or 1.0 for deviation in std.tolist()])
    return scaling(rows), scaling


def _deviation(noise: float) -> float:
    if finite(noise, "noise") < 0:
        raise ValueError(f"noise is a standard deviation, 0 or more; not {short(noise)}")
    return float(noise)
