"""Data to learn from: shapes are where they should be, Iris is as published, faults of CSV files, splitting."""

from __future__ import annotations

import math
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from nn.datasets import (
    IRIS_CLASSES,
    IRIS_FEATURES,
    Dataset,
    Scaling,
    blobs,
    circles,
    iris,
    linear,
    load_csv,
    moons,
    sine,
    spirals,
    standardize,
    train_test_split,
    xor,
)

PLANE = [xor, linear, circles, moons, spirals, blobs]


# ----- Points in the plane -----


@pytest.mark.parametrize("make", [*PLANE, sine])
def test_the_same_seed_gives_the_same_data(make: Any) -> None:
    """Python's generator is left alone; another seed, or none, gives other data; NumPy's generators are taken too."""
    random.seed(3)
    state = random.getstate()
    first, again, other = (np.column_stack(make(30, noise=0.2, seed=seed)) for seed in (5, 5, 6))
    assert (first == again).all()
    assert (first != other).any()
    assert random.getstate() == state
    by_numpy = [np.column_stack(make(30, noise=0.2, seed=np.random.default_rng(5))) for _ in range(2)]
    assert (by_numpy[0] == by_numpy[1]).all()
    unseeded = np.column_stack(make(30, noise=0.2))
    assert random.getstate() != state
    random.seed(3)
    assert (np.column_stack(make(30, noise=0.2)) == unseeded).all()


def test_data_of_a_seed_is_fixed_for_ever() -> None:
    """Numbers that notebooks and readers rely on."""
    assert moons(3, seed=1)[0].tolist() == [[1.128818, 0.144945], [0.006634, 0.423546], [-1.109217, 0.003133]]
    X, _ = spirals(3, classes=3, seed=2)
    assert X.tolist() == [[0.146763, -0.013257], [-0.042103, 0.089533], [-0.033297, -0.114645]]


@pytest.mark.parametrize("make", PLANE)
@given(n=st.integers(6, 60), seed=st.integers(0, 9))
@settings(max_examples=15, deadline=None)
def test_classes_take_turns(make: Any, n: int, seed: int) -> None:
    """n rows of two finite floats; whole numbers as classes, as many of each in every stretch, but for one."""
    X, y = make(n, seed=seed)
    assert X.shape == (n, 2) and y.shape == (n,)
    assert X.dtype == float and y.dtype.kind == "i"
    assert np.isfinite(X).all()
    counts = np.bincount(y)
    assert counts.max() - counts.min() <= (2 if make is xor else 1)


@given(n=st.integers(2, 50), ratio=st.floats(0.05, 0.95))
@settings(max_examples=30, deadline=None)
def test_circles_without_noise_are_circles(n: int, ratio: float) -> None:
    X, y = circles(n, noise=0, ratio=ratio)
    assert np.hypot(*X.T) == pytest.approx(np.where(y, ratio, 1.0), abs=2e-6)


@given(n=st.integers(2, 50))
@settings(max_examples=30, deadline=None)
def test_moons_without_noise_are_half_circles(n: int) -> None:
    """Around (0, 0), above it, and around (1, 1/2), below it."""
    X, y = moons(n, noise=0)
    upper, lower = X[y == 0], X[y == 1]
    assert np.hypot(*upper.T) == pytest.approx(1, abs=2e-6)
    assert np.hypot(*(lower - [1, 0.5]).T) == pytest.approx(1, abs=2e-6)
    assert (upper[:, 1] >= 0).all() and (lower[:, 1] <= 0.5).all()


@given(classes=st.integers(2, 6), turns=st.floats(0.1, 2))
@settings(max_examples=30, deadline=None)
def test_spirals_without_noise_wind_evenly(classes: int, turns: float) -> None:
    """The angle grows with the radius; arms are one another, turned."""
    X, y = spirals(20 * classes, noise=0, classes=classes, turns=turns)
    first = X[y == 0] @ [1, 1j]
    radius = abs(first)
    assert radius == pytest.approx(np.linspace(0.1, 1, 20), abs=1e-5)
    turned = np.exp(2j * math.pi * turns * (radius - 0.1) / 0.9)
    assert first / radius == pytest.approx(turned, abs=3e-4)
    for arm in range(1, classes):
        assert X[y == arm] @ [1, 1j] == pytest.approx(first * np.exp(2j * math.pi * arm / classes), abs=5e-6)


@given(margin=st.floats(0, 1), seed=st.integers(0, 99))
@settings(max_examples=30, deadline=None)
def test_linear_data_is_separable(margin: float, seed: int) -> None:
    X, y = linear(40, margin=margin, seed=seed)
    away = (X[:, 1] - X[:, 0]) / math.sqrt(2)
    clear = abs(away) > 1e-5  # the rest may have been rounded onto the line
    assert ((away > 0) == (y == 1))[clear].all()
    assert (abs(away) >= margin - 1e-5).all()


def test_noise_has_the_deviation_that_is_asked_for() -> None:
    """Of 4,000 numbers, within 5 %."""
    for make in (moons, circles, spirals, blobs, xor):
        noise = make(2000, noise=0.2, seed=1)[0] - make(2000, noise=0, seed=1)[0]
        assert noise.std() == pytest.approx(0.2, rel=0.05)
        assert abs(noise.mean()) < 0.02
    X, y = sine(4000, noise=0.2, seed=1)
    assert (y - np.sin(X[:, 0])).std() == pytest.approx(0.2, rel=0.05)


def test_xor_is_the_table_of_xor() -> None:
    X, y = xor(8, noise=0)
    assert [int(a) ^ int(b) for a, b in X] == y.tolist()


@pytest.mark.parametrize("make", PLANE)
@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"n": 0}, ValueError, r"^n is \d or more, not 0$"),
        ({"n": 2.5}, TypeError, "^n is a whole number, not 2.5$"),
        ({"n": True}, TypeError, "^n is a whole number, not True$"),
        ({"noise": -1}, ValueError, "^noise is a standard deviation, 0 or more; not -1$"),
        ({"noise": math.nan}, ValueError, "^noise is a finite number, not nan$"),
        ({"noise": "much"}, TypeError, "^noise is a number, not 'much'$"),
        ({"seed": "one"}, TypeError, "^seed is a whole number"),
    ],
)
def test_bad_input(make: Any, arguments: dict[str, Any], error: type[Exception], message: str) -> None:
    """One sentence that names the argument."""
    with pytest.raises(error, match=message):
        make(**arguments)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: spirals(1), ValueError, "^n is 2 or more, not 1$"),
        (lambda: spirals(classes=1), ValueError, "^classes is 2 or more, not 1$"),
        (lambda: spirals(turns=0), ValueError, "^turns is how often an arm goes round, more than 0; not 0$"),
        (lambda: spirals(turns=math.inf), ValueError, "^turns is a finite number, not inf$"),
        (lambda: blobs(2), ValueError, "^n is 3 or more, not 2$"),
        (lambda: circles(ratio=1), ValueError, "^ratio is the inner radius, between 0 and 1; not 1$"),
        (lambda: linear(margin=2), ValueError, "^margin is a distance from 0 to 1, not 2$"),
        (lambda: sine(1), ValueError, "^n is 2 or more, not 1$"),
        (lambda: sine(noise=-0.1), ValueError, "^noise is a standard deviation, 0 or more; not -0.1$"),
    ],
)
def test_bad_input_of_one(make: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        make()


# ----- Iris -----


def test_iris_is_fishers() -> None:
    """Means of the three species and standard deviations, as published (Fisher 1936; R's datasets::iris)."""
    X, y = iris()
    assert X.shape == (150, 4) and y.tolist() == [0] * 50 + [1] * 50 + [2] * 50
    means = [X[y == species].mean(axis=0).round(3).tolist() for species in (0, 1, 2)]
    assert means == [[5.006, 3.428, 1.462, 0.246], [5.936, 2.77, 4.26, 1.326], [6.588, 2.974, 5.552, 2.026]]
    deviations = [X[y == species].std(axis=0, ddof=1).round(4).tolist() for species in (0, 1, 2)]
    assert deviations[0] == [0.3525, 0.3791, 0.1737, 0.1054]
    assert deviations[1] == [0.5162, 0.3138, 0.4699, 0.1978]
    assert deviations[2] == [0.6359, 0.3225, 0.5519, 0.2747]
    assert X.min(axis=0).tolist() == [4.3, 2.0, 1.0, 0.1] and X.max(axis=0).tolist() == [7.9, 4.4, 6.9, 2.5]
    assert X[34].tolist() == [4.9, 3.1, 1.5, 0.2] and X[37].tolist() == [4.9, 3.6, 1.4, 0.1]


def test_iris_names_origin_and_licence() -> None:
    """In the file itself and where it is documented; names agree with the constants."""
    path = Path(__file__).parent.parent / "nn" / "data" / "iris.csv"
    for text in (path.read_text("utf-8"), iris.__doc__ or ""):
        for name in ("Fisher", "UCI", "10.24432/C56C76", "CC BY 4.0"):
            assert name in text
    data = load_csv(path, target="species")
    assert data.features == IRIS_FEATURES and data.classes == IRIS_CLASSES


# ----- CSV files -----


def written(folder: Path, text: str | bytes) -> Path:
    path = folder / "data.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


@pytest.mark.parametrize(
    "text",
    [
        "a,b,kind\n1,2,dog\n3,4,cat\n",
        "\ufeffa,b,kind\r\n1,2,dog\r\n3,4,cat",
        '# a comment, with "quotes\n\n a , b , kind \n\n1, 2, dog\n   # another\n3,4,cat\n,,\n',
        '"a","b","kind"\n"1","2","dog"\n3,4.0,"cat"\n',
    ],
)
def test_ways_to_write_a_table(text: str, tmp_path: Path) -> None:
    """Byte order mark, line ends, comments, empty lines, quotes and blanks make no difference."""
    data = load_csv(written(tmp_path, text))
    assert data.X.tolist() == [[1, 2], [3, 4]]
    assert data.y.tolist() == [1, 0]
    assert (data.features, data.classes) == (("a", "b"), ("cat", "dog"))


def test_targets_by_place_and_name(tmp_path: Path) -> None:
    path = written(tmp_path, "kind,a,b\n10,1,2\n9,3,4\n")
    for target in (0, -3, "kind", np.int64(0)):
        data = load_csv(path, target)
        assert data.X.tolist() == [[1, 2], [3, 4]]
        assert data.classes == ("9", "10")  # in the order of the numbers
        assert data.y.tolist() == [1, 0]
    numbers = load_csv(path, "b", regression=True)
    assert numbers.y.tolist() == [2.0, 4.0] and numbers.classes == () and numbers.features == ("kind", "a")
    assert repr(numbers) == "<Dataset of 2 rows, 2 features; regression>"


def test_other_delimiters_and_no_header(tmp_path: Path) -> None:
    data = load_csv(written(tmp_path, "1;2;x\n3;4;y\n"), delimiter=";")
    assert isinstance(data, Dataset)
    assert data.features == ("x1", "x2") and data.y.tolist() == [0, 1]


def test_a_hash_inside_quotes_is_no_comment(tmp_path: Path) -> None:
    data = load_csv(written(tmp_path, 'a,kind\n1,"two\n#lines"\n3,one\n'))
    assert data.classes == ("one", "two\n#lines")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a,b,kind\n1,2,x\n1,two,y\n", r"line 3, column 2 \(b\): 'two' is no number"),
        ("# c\n\na,b,kind\n1,2,x\n1,,y\n", r"line 5, column 2 \(b\): nothing stands there"),
        ("1,2,x\n1,nan,y\n", r"line 2, column 2 \(x2\): 'nan' is not a finite number"),
        ("1,2,x\n1,-inf,y\n", r"line 2, column 2 \(x2\): '-inf' is not a finite number"),
        ("1,2,x\n1,1_0,y\n", r"line 2, column 2 \(x2\): '1_0' is no number"),
        ("1,2,x\n1,2\n", r"line 2: 2 columns, where line 1 has 3"),
        ("1,2,x\n1,2,3,y\n", r"line 2: 4 columns, where line 1 has 3"),
        ("1,2,x\n1,2,\n", r"line 2, column 3 \(x3\): no class stands there"),
        ("1,2,0.5\n1,2,0.7\n", r"line 1, column 3 \(x3\): '0.5' is no class; if a number is meant: regression=True"),
        ("1,2,x\n3,4,x\n", r"all rows have the class 'x'; two or more classes are needed"),
        ("", r"has no rows"),
        ("# nothing\n\n", r"has no rows"),
        ("a,b,kind\n", r"has a header and no rows"),
        ("a,,kind\n1,2,x\n", r"line 1, column 2: the column has no name"),
        ("a,a,kind\n1,2,x\n", r"line 1, column 2: 'a' is there twice"),
        ("1;2;x\n3;4;y\n", r"line 1: a feature and a target are needed, not .*'1;2;x'; is the delimiter ';'\?"),
        ('1,2,"x\n', r"line 1: unexpected end of data"),
        (b"1,2,\xff\n", r"is not text in UTF-8: byte 4 does not fit"),
        (b"1,2,x\n3,\x00,y\n", r"line 2"),
    ],
)
def test_faults_of_a_table(text: str | bytes, message: str, tmp_path: Path) -> None:
    """One error that names the file, the line and the column, and what was found."""
    path = written(tmp_path, text)
    with pytest.raises(ValueError, match=message) as caught:
        load_csv(path)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"target": "color"}, ValueError, r"^target: .* has no column 'color'; it has a, b, kind$"),
        ({"target": 3}, ValueError, r"^target: there is no column 3 in .*, which has 3 columns$"),
        ({"target": 1.5}, TypeError, r"^target is the place of a column, such as -1, or its name; not 1.5$"),
        ({"target": True}, TypeError, r"^target is the place"),
        ({"delimiter": ",,"}, ValueError, r"^delimiter is one character"),
        ({"regression": 1}, TypeError, r"^regression is True or False, not 1$"),
        ({"regression": True}, ValueError, r"line 2, column 3 \(kind\): 'x' is no number"),
    ],
)
def test_bad_arguments_of_load_csv(arguments: Any, error: type[Exception], message: str, tmp_path: Path) -> None:
    with pytest.raises(error, match=message):
        load_csv(written(tmp_path, "a,b,kind\n1,2,x\n3,4,y\n"), **arguments)


def test_a_name_needs_a_header(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"^target: .* has no header that could name a column 'kind'; give the place"):
        load_csv(written(tmp_path, "1,2,x\n3,4,y\n"), target="kind")


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        load_csv(tmp_path / "none.csv")


@given(
    rows=st.lists(
        st.tuples(st.floats(-1e300, 1e300), st.floats(-1e300, 1e300), st.sampled_from(["a", "b", "c,d", 'e"f'])),
        min_size=2,
        max_size=12,
    )
)
@settings(max_examples=50, deadline=None)
def test_what_csv_writes_is_read_in_every_digit(rows: Any, tmp_path_factory: Any) -> None:
    import csv

    path = tmp_path_factory.getbasetemp() / "round.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(rows)
    if len({kind for *_, kind in rows}) == 1:
        with pytest.raises(ValueError, match="two or more classes"):
            load_csv(path)
        return
    data = load_csv(path)
    assert [[*x, data.classes[c]] for x, c in zip(data.X.tolist(), data.y)] == [list(row) for row in rows]


@given(st.binary(max_size=60) | st.text(alphabet='0123456789.,-"#\n\r ;ax', max_size=60).map(str.encode))
@settings(max_examples=150, deadline=None)
def test_any_file_is_read_or_refused(tmp_path_factory: Any, text: bytes) -> None:
    """Whatever it holds: a table of finite numbers, or one ValueError that names the file."""
    path = tmp_path_factory.getbasetemp() / "any.csv"
    path.write_bytes(text)
    try:
        data = load_csv(path)
    except ValueError as error:
        assert str(path) in str(error)
    else:
        assert np.isfinite(data.X).all() and len(data.X) == len(data.y) and len(data.classes) > 1


# ----- Splitting and standardising -----


@given(
    labels=st.lists(st.sampled_from([0, 0, 0, 0, 1, 1, 2]), min_size=2, max_size=60),
    test=st.floats(0.05, 0.95),
    seed=st.integers(0, 99),
    stratified=st.booleans(),
)
@settings(max_examples=100, deadline=None)
def test_a_split_keeps_every_row(labels: list[int], test: float, seed: int, stratified: bool) -> None:
    """Rows and targets stay together; none is lost; shares of classes are kept but for rounding three of them."""
    rows = len(labels)
    X, y = np.arange(rows)[:, None] * 1.0, np.array(labels)
    if not 0 < round(test * rows) < rows:
        with pytest.raises(ValueError, match="^test is a part between 0 and 1 that leaves some"):
            train_test_split(X, y, test, seed, stratified=stratified)
        return
    X_train, X_test, y_train, y_test = train_test_split(X, y, test, seed, stratified=stratified)
    assert len(X_test) == round(test * rows)
    assert sorted([*X_train[:, 0], *X_test[:, 0]]) == list(range(rows))
    assert (y[X_train[:, 0].astype(int)] == y_train).all() and (y[X_test[:, 0].astype(int)] == y_test).all()
    if stratified:
        for label in range(3):
            share = (y == label).sum() * len(X_test) / rows
            assert abs((y_test == label).sum() - share) <= 0.5 + 1.5 * (y == label).mean() + 1e-9


@pytest.mark.parametrize("seed", range(10))
def test_a_stratified_third_of_iris_has_a_third_of_each(seed: int) -> None:
    *_, y_test = train_test_split(*iris(), seed=seed, stratified=True)
    assert sorted(np.bincount(y_test)) == [16, 17, 17]


def test_splits_by_seed_and_number_of_rows() -> None:
    X, y = iris()
    first, again, other = (train_test_split(X, y, 30, seed=seed)[1] for seed in (1, 1, 2))
    assert len(first) == 30 and (first == again).all() and (first != other).any()
    names = [IRIS_CLASSES[i] for i in y]
    assert train_test_split(X.tolist(), names, seed=1, stratified=True)[3].dtype.kind == "U"


@pytest.mark.parametrize(
    ("split", "error", "message"),
    [
        (lambda X, y: train_test_split(X, y[:-1]), ValueError, "^X and y have a row .*: 150 rows and 149 rows were"),
        (lambda X, y: train_test_split(X, 3), ValueError, "^X and y have a row .*: 150 rows and 3 were given$"),
        (lambda X, y: train_test_split(X, y, 0.0), ValueError, "^test is a part between 0 and 1"),
        (lambda X, y: train_test_split(X, y, 150), ValueError, "^test is a number of rows that leaves some of the 150"),
        (lambda X, y: train_test_split(X, y, "third"), TypeError, "^test is a part such as 1/3, or a number of rows"),
        (lambda X, y: train_test_split(X, X[:, 0], stratified=True), ValueError, "^stratified=True needs classes in y"),
        (lambda X, y: train_test_split([[1], [1, 2]], y), ValueError, "^X is no array: its rows differ in length"),
        (lambda X, y: train_test_split(X, y, seed=1.5), TypeError, "^seed is a whole number"),
    ],
)
def test_bad_splits(split: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        split(*iris())


@given(arrays(float, st.tuples(st.integers(1, 12), st.integers(1, 3)), elements=st.floats(-1e12, 1e12)))
@settings(max_examples=100, deadline=None)
def test_standardised_columns(X: Any) -> None:
    """Mean 0, deviation 1, constant columns 0; undone, they are as they were."""
    scaled, scaling = standardize(X)
    assert np.isfinite(scaled).all()
    size = abs(X).max(axis=0)
    for column, std in enumerate(X.std(axis=0)):
        if (X[:, column] == X[0, column]).all():
            assert (scaled[:, column] == 0).all()
        elif std > 1e-6 * size[column]:
            assert scaled[:, column].mean() == pytest.approx(0, abs=1e-6)
            assert scaled[:, column].std() == pytest.approx(1, rel=1e-6)
    assert scaling.undo(scaled) == pytest.approx(X, rel=1e-9, abs=1e-9 * max(1.0, float(size.max())))


@pytest.mark.parametrize("size", [1e-300, 1e-200, 1e200, 1e308])
def test_standardising_very_large_and_small_numbers(size: float) -> None:
    """No square overflows or vanishes on the way."""
    scaled, _ = standardize([[size], [size / 2]])
    assert scaled == pytest.approx(np.array([[1.0], [-1.0]]), rel=1e-12)


@pytest.mark.parametrize("constant", [0.1, -7.3, 1e-310, 3.0, 0.0])
def test_a_constant_column_is_left_at_its_size(constant: float) -> None:
    """Ten times 0.1 has a mean that is not quite 0.1 where it is rounded: new data must not be blown up by that."""
    scaled, scaling = standardize([[constant]] * 10)
    assert (scaled == 0).all() and scaling.std == (1.0,) and scaling.mean == (constant,)


def test_standardising_what_cannot_be_told_apart() -> None:
    """A deviation that is no number above 0 leaves the column as if it were constant."""
    scaled, scaling = standardize([[5e-324], [0.0]])
    assert scaling.std == (1.0,) and abs(scaled).max() < 1e-300


def test_new_data_is_scaled_by_the_old() -> None:
    _, scaling = standardize([[0.0, 7.0], [2.0, 7.0]])
    assert scaling([[3.0, 8.0]]).tolist() == [[2.0, 1.0]]
    assert scaling.row([3.0, 8.0]) == [2.0, 1.0]
    assert scaling == Scaling((1.0, 7.0), (1.0, 1.0)) != Scaling((1.0, 7.0), (1.0, 2.0))
    assert hash(scaling) == hash(Scaling([1, 7], [1, 1])) and repr(scaling) == "<Scaling of 2 columns>"


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: standardize([]), ValueError, "^X has a row for each point"),
        (lambda: standardize([1.0, 2.0]), ValueError, r"^X has a row for each .* not an array of shape \(2,\)$"),
        (lambda: standardize([[1.0], [math.nan]]), ValueError, "^X holds finite numbers, not nan as in row 1, col"),
        (lambda: standardize([["a"]]), TypeError, "^X holds real numbers, not <U1$"),
        (lambda: standardize([[1], [1, 2]]), ValueError, "^X is no array: its rows differ in length$"),
        (lambda: Scaling([1.0], [0.0]), ValueError, "^std is more than 0 in each column, not 0.0"),
        (lambda: Scaling([1.0], [1.0, 2.0]), ValueError, "^mean and std have a number for each column, not 1 and 2$"),
        (lambda: Scaling([], []), ValueError, "^mean and std have a number for each column, not 0 and 0$"),
        (lambda: Scaling(1.0, [1.0]), TypeError, "^mean lists a number for each column, not 1.0$"),
        (lambda: Scaling(["a"], [1.0]), TypeError, "^mean is a number, not 'a'$"),
        (lambda: Scaling([math.inf], [1.0]), ValueError, "^mean is a finite number, not inf$"),
        (lambda: Scaling([0.0], [1.0])([[1.0, 2.0]]), ValueError, "^X has 2 columns, and the scaling is for 1$"),
        (lambda: Scaling([0.0], [1.0]).row([1.0, 2.0]), ValueError, "^the scaling is for rows of 1 numbers, not 2$"),
    ],
)
def test_bad_scaling(make: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        make()
