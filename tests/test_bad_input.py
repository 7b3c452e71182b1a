# SPDX-License-Identifier: BSD-3-Clause
"""Messages say what was wrong, what was expected and what to do; and nothing is modified."""

import numbers
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest

import logreg_c

N_X, M = 3, 5
X = np.arange(15.0).reshape(N_X, M) / 7
Y = np.array([0, 1, 0, 1, 1.0])
GOOD = {"X": X, "Y": Y, "alpha": 0.1, "iters": 3}
GOOD_REST = {"alpha": 0.1, "iters": 3}
NAN, INF = np.nan, np.inf


def put(array, place, value):
    changed = array.copy()
    changed[place] = value
    return changed


RECORDS = np.zeros((N_X, M), dtype=[("a", float), ("b", float)])
MASKED = np.ma.masked_equal(X, 0.0)

SHAPES = [
    ("X", X[0], r"X has shape \(5,\).*X\.reshape\(1, -1\)"),
    ("X", X[None], r"X has shape \(1, 3, 5\); expected two dimensions"),
    ("X", 1.0, r"X has shape \(\); expected two"),
    ("X", X[:, :0], r"X has shape \(3, 0\); expected at least one example"),
    ("X", [[1.0, 2.0], [3.0]], r"X cannot be read as an array of numbers: .*inhomogeneous"),
    ("X", MASKED, r"X holds masked values; .*\.filled"),
    ("X", X.T, r"Y has shape \(5,\) and X \(5, 3\).*m = 3.*\(samples, features\)\? Use X\.T"),
    ("Y", Y[:, None], r"Y has shape \(5, 1\).*Use Y\.T or Y\.ravel\(\)"),
    ("Y", Y[:4], r"Y has shape \(4,\) and X \(3, 5\); expected \(1, m\) or \(m,\) with m = 5"),
    ("Y", Y[:3], r"Y has shape \(3,\).*Use X\.T"),
    ("Y", 1.0, r"Y has shape \(\)"),
    ("Y", np.stack([Y, Y]), r"Y has shape \(2, 5\)"),
    ("w", np.zeros((1, N_X)), r"w has shape \(1, 3\).*expected \(n_x, 1\) or \(n_x,\).*Use w\.T"),
    ("w", np.zeros(2), r"w has shape \(2,\) and X \(3, 5\).*n_x = 3"),
    ("w", np.zeros(M), r"w has shape \(5,\).*Use X\.T"),
    ("w", np.zeros((M, 1)), r"w has shape \(5, 1\).*Use X\.T"),
    ("sample_weight", np.ones(4), r"sample_weight has shape \(4,\)"),
    ("sample_weight", np.ones((M, 1)), r"sample_weight\.T or sample_weight\.ravel"),
]

VALUES = [
    ("X", put(X, (1, 2), NAN), r"\(feature, example\) = \(1, 2\), that is X\[1, 2\]"),
    ("X", put(X, (2, 0), INF), r"\(feature, example\) = \(2, 0\)"),
    ("X", put(X, (0, 4), -INF), r"\(feature, example\) = \(0, 4\)"),
    ("X", put(put(X, (0, 3), NAN), (2, 1), INF), r"\(feature, example\) = \(2, 1\)"),
    ("X", put(put(X, (2, 1), NAN), (1, 1), INF), r"\(feature, example\) = \(1, 1\)"),
    ("Y", put(Y, 3, NAN), r"Y is nan at example 3; .*Leave out examples without a label"),
    ("Y", put(Y, 0, INF), r"Y is inf at example 0"),
    ("Y", put(Y, 4, 2.0), r"Y is 2\.0 at example 4; expected 0, 1 or a probability"),
    ("Y", put(Y, 1, 1 + 1e-15), r"Y is 1\.00000000000000\d+ at example 1"),
    ("Y", put(Y, 1, -5e-324), r"Y is -5e-324 at example 1"),
    ("Y", 2 * Y - 1, r"labels -1 and 1 pass \(Y \+ 1\) / 2"),
    ("Y", (2 * Y - 1).astype(np.int8), r"labels -1 and 1 pass \(Y \+ 1\) / 2"),
    ("alpha", 0.0, r"alpha is 0\.0; expected a finite number > 0"),
    ("alpha", -1, r"alpha is -1\.0; expected"),
    ("alpha", NAN, r"alpha is nan; expected"),
    ("alpha", INF, r"alpha is inf; expected"),
    ("alpha", 10**400, r"alpha is 1000\d*\.\.\.\d*; expected a finite number > 0, or 'auto'"),
    ("iters", -1, r"iters is -1; expected an integer >= 0"),
    ("w", [0, NAN, 0], r"w is nan at feature 1; expected finite weights"),
    ("w", [0, 0, -INF], r"w is -inf at feature 2"),
    ("w", [NAN, 0, 0], r"w is nan at feature 0"),
    ("b", NAN, r"b is nan; expected a finite number"),
    ("b", INF, r"b is inf"),
    ("l2", -1e-9, r"l2 is -1e-09; expected a finite number >= 0"),
    ("l2", INF, r"l2 is inf"),
    ("tol", -1.0, r"tol is -1\.0; expected a finite number >= 0"),
    ("tol", NAN, r"tol is nan"),
    ("sample_weight", put(Y, 1, -1), r"sample_weight is -1\.0 at example 1; expected finite"),
    ("sample_weight", put(Y, 0, -1), r"sample_weight is -1\.0 at example 0"),
    ("sample_weight", put(Y, 2, NAN), r"sample_weight is nan at example 2"),
    ("sample_weight", put(Y, 2, INF), r"sample_weight is inf at example 2"),
    ("X", [[10**400] * M] * N_X, r"X has dtype object and a number that is no float64: int too la"),
    ("X", [[Decimal("sNaN")] * M] * N_X, r"X has dtype object and a number that is no float64"),
    ("sample_weight", 0 * Y, r"sample_weight is zero at every example; expected a positive sum"),
    ("n_threads", 0, r"n_threads is 0; expected an integer >= 1"),
    ("n_threads", -2, r"n_threads is -2"),
]

TYPES = [
    ("X", X.astype(complex), r"X has dtype complex128; .*X\.real"),
    ("X", put(X.astype(object), (1, 2), "2"), r"X .* object and holds '2' of type str at \[1, 2\]"),
    ("X", put(X.astype(object), (0, 0), 1j), r"X has dtype object and holds 1j of type complex"),
    ("X", X.astype(str), r"X has dtype <U\d+; .*encode text"),
    ("X", X.astype(bytes), r"X has dtype \|S\d+; .*encode text"),
    ("X", X.astype("M8[s]"), r"X has dtype datetime64\[s\]; .*dates"),
    ("X", X.astype("m8[s]"), r"X has dtype timedelta64\[s\]; .*time differences"),
    ("X", RECORDS, r"X has dtype \[\('a'.*structured_to_unstructured"),
    ("X", None, r"X has dtype object and holds None of type NoneType; .*fill in what is missing"),
    ("Y", ["no", "yes", "no", "yes", "no"], r"Y has dtype <U3; .*encode text"),
    ("Y", Y.astype(complex), r"Y has dtype complex128; .*Y\.real"),
    ("w", [None] * N_X, r"w has dtype object"),
    ("sample_weight", ["1"] * M, r"sample_weight has dtype <U1"),
    ("alpha", "0.1", r"alpha is '0\.1' of type str; expected a finite number > 0"),
    ("alpha", True, r"alpha is True of type bool"),
    ("alpha", np.array([0.1]), r"alpha is array\(\[0\.1\]\) of type ndarray"),
    ("alpha", 1j, r"alpha is 1j of type complex"),
    ("alpha", None, r"alpha is None of type NoneType"),
    ("iters", 3.0, r"iters is 3\.0 of type float; expected an integer >= 0"),
    ("iters", True, r"iters is True of type bool"),
    ("iters", np.True_, r"iters is .*True.* of type bool"),
    ("iters", np.float64(3), r"iters is .*3\.0.* of type float64"),
    ("iters", np.array([3, 4]), r"iters is array\(\[3, 4\]\) of type ndarray"),
    ("b", "0", r"b is '0' of type str"),
    ("b", None, r"b is None of type NoneType"),
    ("l2", False, r"l2 is False of type bool"),
    ("tol", "no", r"tol is 'no' of type str; expected a finite number >= 0"),
    ("standardize", "no", r"standardize is 'no' of type str; expected True or False"),
    ("callback", 3, r"callback is an object of type int; expected a callable that takes k, cost"),
    (
        "dtype",
        np.float32,
        r"dtype is float32 and X float64, .*; expected None or float64: convert X",
    ),
    ("dtype", int, r"dtype is .*int.*; expected None, float64 or float32"),
    ("dtype", "number", r"dtype is 'number'; expected None, float64 or float32"),
    ("n_threads", 2.0, r"n_threads is 2\.0 of type float; expected an integer >= 1"),
    ("n_threads", True, r"n_threads is True of type bool"),
]
SWITCHES = [
    ("standardize", 1, r"standardize is 1 of type int; expected True or False"),
    ("standardize", "no", r"standardize is 'no' of type str; expected True or False"),
    ("standardize", Y, r"standardize is array.* of type ndarray; expected True or False"),
]


class NotReal:
    """Claims to be a real number, but cannot be converted to one."""

    def __float__(self):
        return "1.0"


numbers.Real.register(NotReal)


class NotOneAxis(np.ndarray):
    ndim = 1


class NoArray:
    def __array__(self, dtype=None, copy=None):
        return "array"


class BadInterface:
    __array_interface__ = X.__array_interface__ | {"shape": "3, 5"}


LIES = [
    (TypeError, "alpha", NotReal(), r"alpha is <.*NotReal object.*; expected a finite number > 0"),
    (ValueError, "X", NoArray(), r"X cannot be read as an array of numbers: .*not producing"),
    (TypeError, "Y", BadInterface(), r"Y cannot be read as an array of numbers: .*tuple"),
    (ValueError, "X", [X[0], X.view(NotOneAxis)], r"X\[1\] has 15 values and X\[0\] 5"),
    (ValueError, "X", [np.array(1.0).view(NotOneAxis), X[0]], r"X\[0\] has 1 values"),
    (TypeError, "dtype", [X, X], r"dtype is \[array.*expected None, float64 or float32"),
    (TypeError, "alpha", [0.125] * 10**6, r"alpha is \[0\.125, 0\.125, [^]]{,60}\] of type list"),
]

CASES = [
    *LIES,
    *((ValueError, *case) for case in SHAPES + VALUES),
    *((TypeError, *case) for case in TYPES),
]


def cases_of(*names):
    chosen = [case for case in CASES if case[1] in names]
    return pytest.mark.parametrize(("kind", "name", "value", "message"), chosen)


@pytest.mark.parametrize(("name", "value", "message"), SWITCHES)
def test_a_switch_is_true_or_false(name, value, message):
    with pytest.raises(TypeError, match=message):
        logreg_c.train(**(GOOD | {name: value}))
    on = logreg_c.train(**(GOOD | {name: np.True_}))
    assert on.w.tobytes() == logreg_c.train(**(GOOD | {name: True})).w.tobytes()


def freeze(settings):
    return {k: v.tobytes() for k, v in settings.items() if isinstance(v, np.ndarray)}


@cases_of(*GOOD, "w", "b", "l2", "sample_weight", "tol", "callback", "dtype", "n_threads")
@pytest.mark.parametrize("standardize", [False, True])
def test_train_says_what_is_wrong(kind, name, value, message, standardize):
    settings = GOOD | {"standardize": standardize, name: value}
    before = freeze(settings)
    with pytest.raises(kind, match=message):
        logreg_c.train(**settings)
    assert freeze(settings) == before


@cases_of("X", "Y", "w", "b", "l2", "sample_weight", "dtype", "n_threads")
def test_cost_and_gradient_says_the_same(kind, name, value, message):
    with pytest.raises(kind, match=message):
        logreg_c.cost_and_gradient(
            **({"X": X, "Y": Y, "w": np.ones(N_X), "b": 0.0} | {name: value})
        )


@cases_of("X", "w", "b", "dtype", "n_threads")
@pytest.mark.parametrize("function", [logreg_c.predict_proba, logreg_c.predict])
def test_predictions_say_the_same(function, kind, name, value, message):
    if message.startswith("Y has shape"):
        message = r"w has shape \(3,\) and X \(5, 3\).*Use X\.T"
    with pytest.raises(kind, match=message):
        function(**({"X": X, "w": np.ones(N_X), "b": 0.0} | {name: value}))


@pytest.mark.parametrize("layout", [np.ascontiguousarray, np.asfortranarray])
@pytest.mark.parametrize("shape", [(1, 1), (1, 700), (700, 1), (40, 1500)])
def test_the_first_value_that_is_not_finite_is_named(layout, shape):
    rng = np.random.default_rng(shape)
    for _ in range(5):
        given = np.zeros(shape)
        for feature, example in rng.integers(0, shape, (3, 2)):
            given[feature, example] = rng.choice([NAN, INF, -INF])
        example, feature = np.argwhere(~np.isfinite(given.T))[0]
        with pytest.raises(ValueError, match=rf"example\) = \({feature}, {example}\), that is X\["):
            logreg_c.train(layout(given), np.zeros(shape[1]), 0.1, 1)


@pytest.mark.parametrize("threshold", [-0.1, 1.1, NAN, INF, 2, 10**400])
def test_threshold_is_a_probability(threshold):
    with pytest.raises(ValueError, match=r"threshold is .*; expected a probability within"):
        logreg_c.predict(X, np.zeros(N_X), 0.0, threshold=threshold)


@pytest.mark.parametrize("value", [NAN, INF, -INF])
@pytest.mark.parametrize("standardize", [False, True])
@pytest.mark.parametrize("name", ["X", "Y", "sample_weight"])
def test_what_becomes_nonfinite_during_a_training_is_named(name, standardize, value):
    given = {"X": X.copy(), "Y": Y.copy(), "sample_weight": np.ones(M)}

    def spoil(k, *_):
        if k == 1:
            given[name][...] = value

    with pytest.raises(ValueError, match=rf"{name} (is|holds) .*; expected"):
        logreg_c.train(**given, alpha=0.1, iters=5, standardize=standardize, callback=spoil)


def test_integers_with_more_digits_than_python_writes_are_refused():
    for name in "alpha", "iters", "b", "l2", "tol", "n_threads":
        with pytest.raises(ValueError, match=rf"{name} is an integer of 16610 bits; expected a"):
            logreg_c.train(**{"X": X, "Y": Y, "alpha": 0.1, "iters": 3, name: -(10**5000)})


def test_sigmoid_takes_real_numbers():
    with pytest.raises(TypeError, match="Z has dtype complex128"):
        logreg_c.sigmoid([1j])


def test_settings_are_keywords_and_required_ones_are_missed():
    with pytest.raises(TypeError, match="positional argument"):
        logreg_c.train(X, Y, 0.1, 3, np.zeros(N_X))
    with pytest.raises(TypeError, match="iters"):
        logreg_c.train(X, Y, 0.1)


def test_infinite_x_under_weight_zero_is_an_error():
    weight = np.array([1.0, 1, 0, 1, 1])
    for value in NAN, INF:
        for standardize in False, True:
            with pytest.raises(ValueError, match=r"\(feature, example\) = \(1, 2\)"):
                logreg_c.train(
                    put(X, (1, 2), value), Y, 0.1, 1, sample_weight=weight, standardize=standardize
                )


def test_without_iterations_nothing_is_read():
    w = np.array([[1.0], [-0.0], [5e-324]])
    result = logreg_c.train(X * NAN, Y, 0.1, 0, w=w, b=-0.0, standardize=True)
    assert result.w.tobytes() == w.tobytes()
    assert result.w is not w
    assert str(result.b) == "-0.0"
    assert result.costs.shape == (0,)
    assert result.stopped == "iters"


@pytest.mark.parametrize(
    "odd",
    [
        {"iters": np.int8(3), "alpha": np.float32(0.125)},
        {"iters": np.array(3), "alpha": np.array(0.125), "b": np.float16(0)},
        {"alpha": Fraction(1, 8), "b": 0, "l2": 0, "n_threads": np.int64(1)},
        {"alpha": np.longdouble(0.125), "dtype": "float64", "w": [0, 0, 0]},
        {"dtype": np.dtype(">f8").newbyteorder("="), "w": np.zeros((N_X, 1), dtype=bool)},
        {"n_threads": 10**30, "tol": 0},
    ],
)
def test_common_numpy_inputs_are_accepted(odd):
    expected = logreg_c.train(X, Y, 0.125, 3)
    result = logreg_c.train(**(GOOD | {"alpha": 0.125} | odd))
    assert result.w.tobytes() == expected.w.tobytes()


def test_no_features_trains_the_bias():
    w, b, costs = logreg_c.train(np.empty((0, 4)), [0, 1, 1, 1], 1.0, 200)
    assert w.shape == (0, 1)
    assert b == pytest.approx(np.log(3))
    assert costs[0] == pytest.approx(np.log(2))
    assert logreg_c.predict_proba(np.empty((0, 4)), w, b)[0, 0] == pytest.approx(0.75)


@pytest.mark.parametrize("standardize", [False, True])
def test_one_example_trains(standardize):
    w, b, _costs = logreg_c.train(X[:, 2:3], [1], 1.0, 1, standardize=standardize)
    assert b == 0.5
    np.testing.assert_array_equal(w, np.zeros((3, 1)) if standardize else X[:, 2:3] / 2)


# ---- Masks ---------------------------------------------------------------------------------------

ROW = np.ma.array(Y, mask=[0, 0, 1, 0, 0])


class Masked:
    """An object of which only __array__ reveals that it is masked."""

    def __init__(self, array):
        self.array = array

    def __array__(self, *_, **__):
        return self.array


MASKS = {
    "the matrix": ("X", np.ma.array(X, mask=X == X[1, 1])),
    "columns": ("X", [X[0], ROW]),
    "a column beside a list": ("X", [ROW, X[0].tolist()]),
    "a column in a tuple": ("X", (X[0].tolist(), ROW)),
    "matrices in a list": ("X", [np.ma.array(X, mask=True)]),
    "the constant": ("X", [[0.0, 1.0, np.ma.masked, 2.0, 3.0]]),
    "the constant among objects": ("X", [np.array([0, 1, np.ma.masked, 2, 3], dtype=object)]),
    "behind __array__": ("X", Masked(np.ma.array(X, mask=True))),
    "labels": ("Y", ROW),
    "labels in a list": ("Y", [ROW]),
    "a label": ("Y", [0, 1, np.ma.masked, 1, 0]),
    "weights of examples": ("sample_weight", ROW),
    "weights": ("w", np.ma.array([1.0] * N_X, mask=[0, 1, 0])),
    "weights in a list": ("w", [0.0, np.ma.masked, 0.0]),
    "the bias": ("b", np.ma.masked),
    "a bias of no axes": ("b", np.ma.array(1.0, mask=True)),
    "alpha": ("alpha", np.ma.masked),
}


@pytest.mark.parametrize(("name", "value"), MASKS.values(), ids=MASKS)
def test_masked_values_are_refused_wherever_they_are(name, value):
    with pytest.raises((ValueError, TypeError), match=rf"^{name}.* mask"):
        logreg_c.train(**GOOD | {name: value})


@pytest.mark.parametrize("Z", [ROW, [ROW], [1.0, np.ma.masked], np.ma.masked, ((ROW,),)])
def test_masked_values_are_refused_by_sigmoid(Z):
    with pytest.raises(ValueError, match=r"Z holds masked values"):
        logreg_c.sigmoid(Z)


def test_masks_that_mask_nothing_are_accepted():
    expected = logreg_c.train(**GOOD)
    rows = [np.ma.array(x, mask=False) for x in X]
    for given in np.ma.array(X, mask=False), rows, [rows[0], *X[1:].tolist()], np.ma.array(X):
        found = logreg_c.train(given, np.ma.array(Y, mask=False), b=np.ma.array(0.0), **GOOD_REST)
        assert found.w.tobytes() == expected.w.tobytes()


def test_a_list_that_holds_itself_is_refused():
    nested = []
    nested += [nested, nested]
    with pytest.raises(ValueError, match="X is nested more than 32 lists deep, or holds itself"):
        logreg_c.train(nested, Y, 0.1, 1)


# ---- Objects that are numbers --------------------------------------------------------------------

NUMBERS = {
    "float": float,
    "int": int,
    "Decimal": lambda v: Decimal(str(v)),
    "Fraction": Fraction,
    "float32": np.float32,
    "int64": np.int64,
}


@pytest.mark.parametrize("number", NUMBERS.values(), ids=NUMBERS)
def test_objects_that_are_numbers_are_accepted(number):
    values = np.round(4 * X)
    expected = logreg_c.train(**GOOD | {"X": values})
    objects = np.array([[number(v) for v in row] for row in values], dtype=object)
    labels = np.array([bool(y) for y in Y], dtype=object)
    for given in objects, objects.tolist(), list(objects):
        found = logreg_c.train(given, labels, dtype=np.float64, **GOOD_REST)
        assert found.w.tobytes() == expected.w.tobytes()


@pytest.mark.parametrize("name", ["bfloat16", "int4", "float4_e2m1fn"])
def test_numbers_of_other_packages_are_an_error_with_a_remedy(name):
    ml_dtypes = pytest.importorskip("ml_dtypes")
    with pytest.raises(TypeError, match=rf"X has dtype {name}; .*X\.astype\(np\.float32\)"):
        logreg_c.train(**GOOD | {"X": X.astype(getattr(ml_dtypes, name))})


def test_an_object_whose_shape_is_a_function_is_named():
    X = [[0.5, 1.5, 2.5]]
    with pytest.raises(TypeError, match="Y"):
        logreg_c.train(X, np, 0.1, 1)
    with pytest.raises(TypeError, match="w"):
        logreg_c.predict(X, np, 0.0)
