# SPDX-License-Identifier: BSD-3-Clause
"""Columns of categories: what one column per category gives, by name, in place, the same bits."""

import copy
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracle import bits, bounded

import logreg_c
from logreg_c import _input

pd = pytest.importorskip("pandas")
pl = pytest.importorskip("polars")
pa = pytest.importorskip("pyarrow")
pytest.importorskip("narwhals")

COLOURS = ["red", "green", "blue", "none has this"]
CITIES = [f"city {k}" for k in range(30)]
M = 3000


def as_pandas(numbers, categories):
    return pd.DataFrame(
        numbers | {n: pd.Categorical.from_codes(c, t) for n, (c, t) in categories.items()}
    )


def as_pandas_on_arrow(numbers, categories):
    frame = as_arrow(numbers, categories)
    return pd.DataFrame(
        {name: pd.Series(pd.arrays.ArrowExtensionArray(frame[name])) for name in frame.column_names}
    )


def as_polars(numbers, categories):
    texts = {n: pl.Series([t[k] for k in c], dtype=pl.Enum(t)) for n, (c, t) in categories.items()}
    return pl.DataFrame(numbers | texts)


def as_arrow(numbers, categories):
    dictionaries = {
        n: pa.DictionaryArray.from_arrays(pa.array(c), pa.array(t))
        for n, (c, t) in categories.items()
    }
    return pa.table(numbers | dictionaries)


LIBRARIES = {
    "pandas": as_pandas,
    "pandas on arrow": as_pandas_on_arrow,
    "polars": as_polars,
    "pyarrow": as_arrow,
}
libraries = pytest.mark.parametrize("frame_of", LIBRARIES.values(), ids=LIBRARIES)


def make(m=M, seed=0):
    """Numbers, categories as (codes, labels), and Y."""
    rng = np.random.default_rng(seed)
    numbers = {"age": rng.normal(size=m), "rate": rng.normal(size=m).astype(np.float32)}
    colour, city = rng.integers(0, 3, m).astype(np.int8), rng.integers(0, 30, m).astype(np.int16)
    z = numbers["age"] + 0.5 * colour - 0.1 * city
    Y = rng.random(m) < 1 / (1 + np.exp(-z))
    return numbers, {"colour": (colour, COLOURS), "city": (city, CITIES)}, Y


def one_hot(numbers, categories):
    """Return the columns and their names."""
    columns = [*numbers.values()]
    names = [*numbers]
    for name, (codes, labels) in categories.items():
        columns += [codes == k for k in range(len(labels))]
        names += [f"{name}={label}" for label in labels]
    return columns, tuple(names)


NUMBERS, CATEGORIES, Y = make()
COLUMNS, NAMES = one_hot(NUMBERS, CATEGORIES)


# ---- The same numbers ----------------------------------------------------------------------------


@libraries
def test_every_function_agrees_with_a_column_per_category(frame_of):
    frame = frame_of(NUMBERS, CATEGORIES)
    rng = np.random.default_rng(1)
    w, b = rng.normal(size=len(NAMES)), 0.3
    settings = {"l2": 0.1, "sample_weight": rng.uniform(0.1, 2.0, M)}
    found = logreg_c.cost_and_gradient(frame, Y, w, b, **settings)
    expected = logreg_c.cost_and_gradient(COLUMNS, Y, w, b, **settings)
    for x, y in zip(found, expected, strict=True):
        np.testing.assert_allclose(x, y, rtol=1e-11, atol=1e-14)
    named = logreg_c.with_names(w, NAMES)
    A = logreg_c.predict_proba(frame, named, b)
    np.testing.assert_allclose(A, logreg_c.predict_proba(COLUMNS, w, b), rtol=1e-12)
    for settings in ({"standardize": False}, {"standardize": True}):
        result = logreg_c.train(frame, Y, 0.1, 20, **settings)
        assert result.feature_names == NAMES
        if not settings["standardize"]:
            expected = logreg_c.train(COLUMNS, Y, 0.1, 20)
            np.testing.assert_allclose(result.w, expected.w, rtol=1e-10, atol=1e-13)


@bounded
@given(
    m=st.integers(1, 1200),
    n=st.integers(0, 9),
    sizes=st.lists(st.integers(1, 300), min_size=1, max_size=4),
    code=st.sampled_from(["b", "B", "h", "H", "i", "q"]),
    number=st.sampled_from("fdbHi"),
    step=st.integers(1, 3),
    n_threads=st.integers(1, 4),
    seed=st.integers(0, 2**32 - 1),
)
def test_any_mixture_agrees_with_a_column_per_category(
    m, n, sizes, code, number, step, n_threads, seed
):
    rng = np.random.default_rng(seed)
    numbers = [rng.integers(-9, 9, m * step).astype(number)[::step] for _ in range(n)]
    sizes = [min(size, np.iinfo(code).max) for size in sizes]
    codes = [rng.integers(0, size, m * step).astype(code)[::step] for size in sizes]
    labels = rng.integers(0, 2, m)
    starts = np.cumsum([n, *sizes])
    X = _input.categories.Categorical(numbers, codes, starts, int(starts[-1]))
    columns = X.one_hot()
    w, s = rng.normal(size=len(columns)) / (n + 1), rng.uniform(0.5, 1, m)
    objectives = [
        logreg_c._objective.Objective(
            _input.Examples(values, (len(w), m), False, None), labels, s, threads
        )
        for values, threads in ((X, 1), (X, n_threads), (columns, 1))
    ]
    one, more, dense = [objective(w, 0.1, 0.01) for objective in objectives]
    assert bits(one) == bits(more)
    for x, y in zip(one, dense, strict=True):
        np.testing.assert_allclose(x, y, rtol=1e-9, atol=1e-12)
    Z = [objective.predict(w, 0.1, probabilities=False) for objective in objectives]
    np.testing.assert_allclose(Z[0], Z[2], rtol=1e-9, atol=1e-9)
    sparse = X.as_sparse()
    assert sparse.width == n + len(codes)
    again = _input.Examples(sparse, (len(w), m), False, None)
    J = logreg_c._objective.Objective(again, labels, s, 1)(w, 0.1, 0.01)[0]
    assert J == pytest.approx(one[0], rel=1e-9)


def test_the_gradient_is_that_of_finite_differences():
    frame = as_pandas(NUMBERS, CATEGORIES).astype({"rate": "f8"})
    rng = np.random.default_rng(3)
    w, step = rng.normal(size=len(NAMES)), 1e-6
    _, dw, db = logreg_c.cost_and_gradient(frame, Y, w, 0.1, l2=0.2)
    for j in range(len(w)):
        move = step * (np.arange(len(w)) == j)
        ends = [logreg_c.cost_and_gradient(frame, Y, w + s * move, 0.1, l2=0.2)[0] for s in (1, -1)]
        assert dw[j] == pytest.approx((ends[0] - ends[1]) / (2 * step), rel=1e-6, abs=1e-9)
    ends = [logreg_c.cost_and_gradient(frame, Y, w, 0.1 + s, l2=0.2)[0] for s in (step, -step)]
    assert db == pytest.approx((ends[0] - ends[1]) / (2 * step), rel=1e-6)


# ---- The minimum ---------------------------------------------------------------------------------


@libraries
@pytest.mark.parametrize("intercept", [True, False])
def test_the_minimum_with_a_penalty_has_all_categories(frame_of, intercept):
    settings = {"l2": 1e-3, "tol": 1e-15, "intercept": intercept}
    found = logreg_c.fit(frame_of(NUMBERS, CATEGORIES), Y, **settings)
    expected = logreg_c.fit(COLUMNS, Y, **settings)
    assert found.converged
    np.testing.assert_allclose(found.w, expected.w, atol=1e-8)
    assert found.b == pytest.approx(expected.b, abs=1e-8)
    if intercept:  # whose weight has no penalty, so that it takes the mean of each column
        of_city = [name.startswith("city=") for name in NAMES]
        assert abs(found.w[of_city].sum()) < 1e-7
    assert found.w[NAMES.index("colour=none has this")] == 0.0


@libraries
@pytest.mark.parametrize("intercept", [True, False])
def test_the_minimum_without_a_penalty_is_relative_to_the_first_categories(frame_of, intercept):
    frame = frame_of(NUMBERS, CATEGORIES)
    found = logreg_c.fit(frame, Y, tol=1e-15, intercept=intercept)
    dropped = {"city=city 0", "colour=none has this"} | ({"colour=red"} if intercept else set())
    kept = [j for j, name in enumerate(NAMES) if name not in dropped]
    columns = [COLUMNS[j] for j in kept]
    expected = logreg_c.fit(columns, Y, tol=1e-15, intercept=intercept)
    np.testing.assert_allclose(found.w[kept], expected.w, atol=1e-7)
    assert found.b == pytest.approx(expected.b, abs=1e-7)
    assert all(found.w[NAMES.index(name)] == 0.0 for name in dropped)
    J = logreg_c.cost_and_gradient(frame, Y, found.w, found.b)[0]
    assert J == pytest.approx(found.costs[-1], rel=1e-13)


def test_rows_of_weight_0_choose_no_first_category():
    rng = np.random.default_rng(4)
    colour = CATEGORIES["colour"][0]
    s = np.where(colour == 0, 0.0, rng.uniform(0.5, 1.0, M))  # no red
    frame = as_pandas(NUMBERS, CATEGORIES)
    found = logreg_c.fit(frame, Y, sample_weight=s, tol=1e-15)
    expected = logreg_c.fit(frame[s > 0], Y[s > 0], sample_weight=s[s > 0], tol=1e-15)
    np.testing.assert_allclose(found.w, expected.w, atol=1e-7)
    many = logreg_c.fit_many(frame, Y, sample_weight=s[np.newaxis], tol=1e-15)
    np.testing.assert_array_equal(many.w.ravel(), found.w.ravel())
    table = logreg_c.inference(frame, Y, found.w, found.b, sample_weight=s)
    other = logreg_c.inference(frame[s > 0], Y[s > 0], found.w, found.b, sample_weight=s[s > 0])
    np.testing.assert_allclose(table.standard_errors, other.standard_errors, rtol=1e-9)


def test_the_order_of_categories_moves_no_minimum():
    colour, labels = CATEGORIES["colour"]
    order = np.array([2, 0, 3, 1])
    other = {"colour": (np.argsort(order)[colour], [labels[k] for k in order])}
    other["city"] = CATEGORIES["city"]
    found = [
        logreg_c.fit(as_pandas(NUMBERS, c), Y, l2=0.01, tol=1e-15) for c in (CATEGORIES, other)
    ]
    a, b = (dict(zip(r.feature_names, r.w[:, 0], strict=True)) for r in found)
    assert a.keys() == b.keys()
    assert all(abs(a[name] - b[name]) < 1e-8 for name in a)


@pytest.mark.long
def test_many_categories_take_a_diagonal_factor():
    rng = np.random.default_rng(5)
    m = 4000
    codes = {"a": rng.integers(0, 700, m), "b": rng.integers(0, 900, m)}
    labels = {name: [f"{k}" for k in range(900)] for name in codes}
    x = {"x": rng.normal(size=m)}
    y = rng.random(m) < 1 / (1 + np.exp(-x["x"] - codes["a"] / 350 + 1))
    categories = {name: (codes[name], labels[name]) for name in codes}
    found = logreg_c.fit(as_pandas(x, categories), y, l2=1e-3)
    columns, _ = one_hot(x, categories)
    expected = logreg_c.fit(columns, y, l2=1e-3)
    assert found.converged
    assert found.costs[-1] == pytest.approx(expected.costs[-1], rel=1e-8)


def test_other_models_take_categories():
    frame = as_pandas(NUMBERS, CATEGORIES)
    classes = (Y + CATEGORIES["city"][0] % 2).astype(int)
    found, expected = (logreg_c.fit(X, classes, l2=0.01) for X in (frame, COLUMNS))
    np.testing.assert_allclose(found.w, expected.w, atol=1e-5)
    np.testing.assert_allclose(
        logreg_c.predict_proba(frame, found.w, found.b),
        logreg_c.predict_proba(COLUMNS, np.array(found.w), found.b),
        rtol=1e-12,
    )
    found, expected = (logreg_c.fit(X, Y, l1=0.01, dtype=np.float64) for X in (frame, COLUMNS))
    assert bits(found) == bits(expected)
    train = [logreg_c.train(X, classes, 0.1, 9) for X in (frame, COLUMNS)]
    np.testing.assert_allclose(train[0].w, train[1].w, atol=1e-12)


@pytest.mark.parametrize("intercept", [True, False])
def test_a_path_has_the_minima_of_each_penalty(intercept):
    frame = as_pandas(NUMBERS, CATEGORIES)
    path = logreg_c.fit_path(frame, Y, l2=[0.1, 0.01, 0.0], intercept=intercept)
    assert path.feature_names == NAMES
    for k, l2 in enumerate([0.1, 0.01, 0.0]):
        alone = logreg_c.fit(frame, Y, l2=l2, intercept=intercept)
        np.testing.assert_allclose(path.w[k], alone.w[:, 0], atol=1e-3)
        np.testing.assert_allclose(path.cost[k], alone.costs[-1], rtol=1e-8)
    assert (path.w[2] == 0.0).sum() == 3 - (not intercept)
    l1 = logreg_c.l1_max(frame, Y) * np.array([1.0, 0.3])
    assert l1[0] == logreg_c.l1_max(COLUMNS, Y)
    found, expected = (logreg_c.fit_path(X, Y, l1=l1, dtype=np.float64) for X in (frame, COLUMNS))
    assert np.array_equal(found.w, expected.w)


@pytest.mark.parametrize("l2", [0.0, 0.01])
def test_many_fits_are_those_of_each(l2):
    numbers, categories, y = make(6000, 8)
    frame = as_pandas(numbers, categories)
    groups = np.arange(6000) * 7 % 3
    many = logreg_c.fit_many(frame, y, groups=groups, l2=l2)
    for k in range(3):
        rows = groups == k
        one = logreg_c.fit(frame[rows], y[rows], l2=l2)
        np.testing.assert_array_equal(many.w[k].ravel(), one.w.ravel())
        assert many.b[k] == one.b


def test_errors_of_weights_are_those_without_the_first_categories():
    frame = as_pandas(NUMBERS, CATEGORIES)
    dropped = {"colour=red", "city=city 0", "colour=none has this"}
    kept = [j for j, name in enumerate(NAMES) if name not in dropped]
    columns = [COLUMNS[j] for j in kept]
    found = logreg_c.fit(frame, Y, tol=1e-15)
    expected = logreg_c.fit(columns, Y, tol=1e-15)
    kinds = (
        {},
        {"robust": "HC1"},
        {"clusters": np.arange(M) % 40},
        {"sample_weight": np.full(M, 2.0)},
    )
    for settings in kinds:
        table = logreg_c.inference(frame, Y, found.w, found.b, **settings)
        other = logreg_c.inference(columns, Y, expected.w, expected.b, **settings)
        np.testing.assert_allclose(table.covariance, other.covariance, rtol=1e-6, atol=1e-9)
        np.testing.assert_allclose(table.coefficients, other.coefficients, atol=1e-7)
        np.testing.assert_allclose(table.log_likelihood, other.log_likelihood, rtol=1e-9)
    assert "colour=green" in str(table)
    assert "colour=red" not in str(table)
    w, b, _ = logreg_c.fit(frame, Y, l2=0.01)
    assert logreg_c.inference(frame, Y, w, b, l2=0.01).standard_errors.size == len(NAMES) + 1


def test_errors_of_standardized_numbers_leave_categories_as_they_are():
    numbers = {"age": NUMBERS["age"] / NUMBERS["age"].std()}
    tenfold = {"age": 10.0 * numbers["age"] + 3.0}
    once, scaled = (as_pandas(x, CATEGORIES) for x in (numbers, tenfold))
    w, b, _ = logreg_c.fit(once, Y, l2=0.1, tol=1e-15)
    expected = logreg_c.inference(once, Y, w, b, l2=0.1)
    moved = w / np.where(np.arange(len(w)) == 0, 10.0, 1.0)[:, np.newaxis]
    at = logreg_c.with_names(moved, w.feature_names)
    found = logreg_c.inference(scaled, Y, at, b - 3.0 * moved[0, 0], l2=0.1, standardize=True)
    np.testing.assert_allclose(
        found.standard_errors[1:-1], expected.standard_errors[1:-1], rtol=1e-9
    )


# ---- The estimator -------------------------------------------------------------------------------


@pytest.mark.sampled(4)
@libraries
@pytest.mark.parametrize("C", [0.1, np.inf])
def test_the_estimator_has_a_weight_per_category(frame_of, C):
    sklearn = pytest.importorskip("logreg_c.sklearn")
    frame = frame_of(NUMBERS, CATEGORIES)
    labels = np.where(Y, "yes", "no")
    model = sklearn.LogisticRegression(C=C).fit(frame, labels)
    assert tuple(model.coef_names_) == NAMES
    assert model.n_features_in_ == 4
    expected = logreg_c.fit(frame, Y, l2=0.0 if C == np.inf else 1 / (C * M))
    np.testing.assert_allclose(model.coef_[0], expected.w[:, 0], atol=2e-3)
    A = logreg_c.predict_proba(COLUMNS, model.coef_[0], model.intercept_.item())
    np.testing.assert_allclose(model.predict_proba(frame)[:, 1], A[0], rtol=1e-12)
    assert model.score(frame, labels) > 0.7
    again = sklearn.LogisticRegression(C=C, warm_start=True).fit(frame, labels)
    assert len(again.fit(frame, labels).costs_) <= len(model.costs_)
    again.set_params(warm_start=False).fit(np.array(list(NUMBERS.values())).T, labels)
    assert not hasattr(again, "coef_names_")


@pytest.mark.filterwarnings("ignore:gd failed to converge")
@pytest.mark.parametrize(
    "parameters",
    [{"l1_ratio": 1.0, "C": 0.1}, {"solver": "gd", "max_iter": 30}, {"standardize": True}],
)
def test_other_parameters_of_the_estimator_take_categories(parameters):
    sklearn = pytest.importorskip("logreg_c.sklearn")
    base = pytest.importorskip("sklearn.base")
    frame = as_pandas(NUMBERS, CATEGORIES)
    one_hot = pd.DataFrame(dict(zip(NAMES, COLUMNS, strict=True)))
    model = sklearn.LogisticRegression(**parameters)
    models = [base.clone(model).fit(X, Y) for X in (frame, one_hot)]
    scale = 1.0 if "standardize" in parameters else 1e-6
    np.testing.assert_allclose(models[0].coef_, models[1].coef_, atol=scale)
    classes = np.arange(M) % 3
    several = sklearn.LogisticRegression(C=0.1).fit(frame, classes)
    assert several.coef_.shape == (3, len(NAMES))
    np.testing.assert_allclose(several.predict_proba(frame[:9]).sum(1), 1.0)


@pytest.mark.parametrize(
    ("frame_of", "scoring", "Cs", "l1_ratios"),
    [
        (as_pandas, "neg_log_loss", [0.1, np.inf], (0.0,)),
        pytest.param(as_polars, "accuracy", [0.1, 1.0], (0.0, 1.0), marks=pytest.mark.long),
        pytest.param(as_arrow, "roc_auc", [0.1, np.inf], (0.0,), marks=pytest.mark.long),
    ],
)
def test_a_cross_validation_takes_categories(frame_of, scoring, Cs, l1_ratios):
    sklearn = pytest.importorskip("logreg_c.sklearn")
    frame, columns = frame_of(NUMBERS, CATEGORIES), np.column_stack(COLUMNS)
    search = sklearn.LogisticRegressionCV(
        Cs=Cs,
        cv=2,
        scoring=scoring,
        l1_ratios=l1_ratios,
        use_legacy_attributes=False,
        max_iter=1000,
        tol=1e-6,
    )
    found, expected = (copy.copy(search).fit(X, Y) for X in (frame, columns))
    assert tuple(found.coef_names_) == NAMES
    np.testing.assert_allclose(found.scores_, expected.scores_, rtol=1e-5)
    assert found.C_ == expected.C_
    A = [found.predict_proba(frame), expected.predict_proba(columns)]
    np.testing.assert_allclose(*A, rtol=1e-4)
    if np.inf in Cs:  # relative to the first categories
        first = [NAMES.index("colour=red"), NAMES.index("city=city 0")]
        assert (found.coefs_paths_[:, 0, 1, 0, first] == 0.0).all()


def test_a_cross_validation_of_several_classes_takes_categories():
    sklearn = pytest.importorskip("logreg_c.sklearn")
    selection = pytest.importorskip("sklearn.model_selection")
    numbers, categories, y = make(300)
    X = as_pandas(numbers, categories), np.column_stack(one_hot(numbers, categories)[0])
    classes = y + categories["city"][0] % 2
    options = {"Cs": [0.01, 1.0], "cv": 2, "l1_ratios": (0,), "scoring": "neg_log_loss"}
    search = sklearn.LogisticRegressionCV(use_legacy_attributes=False, **options)
    found, expected = (copy.copy(search).fit(x, classes) for x in X)
    np.testing.assert_allclose(found.scores_, expected.scores_, rtol=1e-5)
    model = sklearn.LogisticRegression(C=0.1)
    scores = [selection.cross_val_score(model, x, y, cv=3) for x in X]
    np.testing.assert_allclose(scores[0], scores[1], atol=1e-3)


@pytest.mark.parametrize("l1_ratio", [0.0, 0.5])
@pytest.mark.parametrize("k", [2, 3])
def test_standardizing_leaves_categories_as_they_are(k, l1_ratio):
    sklearn = pytest.importorskip("logreg_c.sklearn")
    numbers, categories, y = make(500)
    classes = y + (k == 3) * (categories["city"][0] % 2)
    numbers["age"] *= 30.0
    sd = np.array([x.std() for x in numbers.values()])
    scaled = {name: (x - x.mean()) / x.std() for name, x in numbers.items()}
    model = sklearn.LogisticRegression(C=0.3, l1_ratio=l1_ratio, tol=1e-7, max_iter=500)
    expected = copy.copy(model).fit(as_pandas(scaled, categories), classes).coef_
    model.set_params(standardize=True)
    found = model.fit(as_pandas(numbers, categories), classes)
    np.testing.assert_allclose(found.coef_[:, :2] * sd, expected[:, :2], atol=1e-5)
    np.testing.assert_allclose(found.coef_[:, 2:], expected[:, 2:], atol=1e-5)


def test_a_warm_start_leaves_out_no_new_column():
    sklearn = pytest.importorskip("logreg_c.sklearn")
    frame = as_pandas(NUMBERS, CATEGORIES)
    model = sklearn.LogisticRegression(warm_start=True).fit(frame, Y)
    before = model.coef_.copy()
    for more in (NUMBERS["age"], frame["colour"]):
        with pytest.raises(ValueError, match="X has 5 columns, and coef_ is of 4"):
            model.fit(frame.assign(more=more), Y)
    np.testing.assert_array_equal(model.coef_, before)


def test_an_estimator_of_categories_predicts_frames_only():
    sklearn = pytest.importorskip("logreg_c.sklearn")
    frame = as_pandas(NUMBERS, CATEGORIES).assign(city=pd.Categorical(["one"] * M))
    model = sklearn.LogisticRegression().fit(frame, Y)
    with pytest.raises(TypeError, match="fitted to a data frame with columns of categories"):
        model.predict(np.ones((2, 4)))
    other = frame[:3].assign(colour=pd.Categorical(["pink"] * 3))
    for predict in (model.predict, model.decision_function, model.predict_proba):
        with pytest.warns(UserWarning, match="pink") as at:
            predict(other)
        assert at[0].filename == __file__


# ---- In place, and the same bits -----------------------------------------------------------------


def test_codes_are_read_in_place():
    colour, city = CATEGORIES["colour"][0], CATEGORIES["city"][0]
    frame = as_pandas(NUMBERS, CATEGORIES)
    X = _input.examples(frame, None, categories=True).categories
    assert np.shares_memory(X.codes[0], frame["colour"].array.codes)
    assert [x.dtype for x in X.codes] == [np.int8, np.int8]  # as few as pandas needs
    table = as_arrow(NUMBERS, CATEGORIES)
    X = _input.examples(table, None, categories=True).categories
    assert np.shares_memory(X.codes[1], table["city"].chunk(0).indices.to_numpy())
    np.testing.assert_array_equal(X.codes[0], colour)
    np.testing.assert_array_equal(X.codes[1], city)
    frame = as_polars(NUMBERS, CATEGORIES)
    X = _input.examples(frame, None, categories=True).categories
    assert np.shares_memory(X.codes[1], frame["city"].to_physical().to_numpy())


def test_threads_change_no_bit():
    numbers, categories, y = make(200_000)
    frame = as_pandas(numbers, categories)
    fits = [logreg_c.fit(frame, y, l2=1e-4, n_threads=n) for n in (1, 2, 5)]
    assert bits(fits[0]) == bits(fits[1]) == bits(fits[2])
    rounds = [logreg_c.train(frame, y, 0.1, 3, standardize=True, n_threads=n) for n in (1, 3)]
    assert bits(rounds[0]) == bits(rounds[1])


def test_what_polars_read_before_changes_no_bit():
    def answer():
        texts = pl.Series(["b", "a", "c", "a"] * 50, dtype=pl.Categorical)
        frame = pl.DataFrame({"x": np.arange(200.0), "text": texts})
        return logreg_c.fit(frame, np.arange(200) % 3 == 0, l2=0.1)

    before = answer()
    assert before.feature_names == ("x", "text=b", "text=a", "text=c")
    pl.Series(["z", "c", "a"], dtype=pl.Categorical)
    after = answer()
    assert bits(before) == bits(after)
    assert before.feature_names == after.feature_names


# ---- By name -------------------------------------------------------------------------------------


@libraries
def test_categories_are_found_by_name(frame_of):
    result = logreg_c.fit(frame_of(NUMBERS, CATEGORIES), Y, l2=0.01)
    w = pickle.loads(pickle.dumps(result.w))
    expected = logreg_c.predict_proba(COLUMNS, np.array(w), result.b)
    colour, labels = CATEGORIES["colour"]
    others = {
        "city": CATEGORIES["city"],
        "more": (colour, labels),
        "colour": (2 - colour, ["blue", "green", "red", "violet"]),
    }
    reversed_numbers = dict(reversed(NUMBERS.items()))
    for other_of in LIBRARIES.values():
        frame = other_of(reversed_numbers | {"another": NUMBERS["age"]}, others)
        found = logreg_c.predict_proba(frame, w, result.b)
        np.testing.assert_allclose(found, expected, rtol=1e-12)
    plain = logreg_c.with_names(np.array(w), list(result.feature_names))
    warm = logreg_c.fit(frame, Y, l2=0.01, w=plain, b=result.b)
    assert warm.feature_names == result.feature_names
    assert len(warm.costs) < len(result.costs)


def test_a_category_without_a_weight_counts_as_0_with_a_warning():
    result = logreg_c.fit(as_pandas(NUMBERS, CATEGORIES), Y, l2=0.01)
    numbers = {name: x[:3] for name, x in NUMBERS.items()}
    city = np.array([0, 1, 1])
    frame = as_pandas(numbers, {"colour": ([0, 1, 0], ["red", "pink"]), "city": (city, CITIES)})
    with pytest.warns(UserWarning, match=r"'colour' of X has 'pink' in row 1.*like this: 1") as at:
        A = logreg_c.predict_proba(frame, result.w, result.b)
    assert at[0].filename == __file__
    w = dict(zip(result.feature_names, result.w[:, 0], strict=True))
    z = result.b + numbers["age"][1] * w["age"] + numbers["rate"][1] * w["rate"] + w["city=city 1"]
    assert A[0, 1] == pytest.approx(1 / (1 + np.exp(-z)), rel=1e-12)
    with pytest.warns(UserWarning, match="pink"):
        logreg_c.predict(frame, result.w, result.b)
    with pytest.raises(ValueError, match=r"has 'pink' in row 1.*expected categories that w was"):
        logreg_c.fit(frame, [0, 1, 0], l2=1.0, w=result.w)
    classes = logreg_c.fit(as_pandas(NUMBERS, CATEGORIES), np.arange(M) % 3, l2=0.01)
    with pytest.warns(UserWarning, match="pink"):
        A = logreg_c.predict_proba(frame, classes.w, classes.b)
    np.testing.assert_allclose(A.sum(0), 1.0)


def test_whatever_is_no_number_is_a_category():
    x = np.arange(6.0)
    days = pd.to_datetime(["2020-01-01", "2021-01-01"] * 3)
    for labels in (
        pd.cut(x, 2),
        pd.Categorical(days),
        pd.Categorical(days.to_period("Y")),
        pd.Categorical(pd.Series([("a", 1), ("b", 2)] * 3)),
        pd.Categorical(np.array(["a", 1] * 3, object)),
    ):
        columns = [x, labels.codes == 0, labels.codes == 1]
        found = logreg_c.fit(pd.DataFrame({"x": x, "c": labels}), x % 3 == 0, l2=0.1)
        assert found.feature_names == ("x", *(f"c={label}" for label in labels.categories))
        expected = logreg_c.fit(columns, x % 3 == 0, l2=0.1, tol=1e-15)
        np.testing.assert_allclose(found.w, expected.w, atol=1e-4)
    for numbers in ([0.5, 2.0] * 3, [True, False] * 3):
        found = logreg_c.fit(pd.DataFrame({"c": pd.Categorical(numbers)}), x % 3 == 0, l2=0.1)
        assert found.feature_names == ("c",)


def test_a_column_of_polars_may_be_named_like_a_pattern():
    texts = {"^x$": ["a", "b", "a"], "x": ["u", "v", "w"]}
    frame = pl.DataFrame({n: pl.Series(t, dtype=pl.Categorical) for n, t in texts.items()})
    found = logreg_c.fit(frame, [0, 1, 0], l2=1.0)
    assert found.feature_names == ("^x$=a", "^x$=b", "x=u", "x=v", "x=w")


# ---- What is refused -----------------------------------------------------------------------------


@libraries
def test_a_missing_category_is_named(frame_of):
    codes = [0, 1, 0]
    table = as_arrow({"x": np.arange(3.0)}, {"colour": (codes, COLOURS)})
    texts = pa.array(["red", None, "red"]).dictionary_encode()
    table = table.set_column(1, "colour", texts)
    frame = {
        as_pandas: table.to_pandas,
        as_pandas_on_arrow: lambda: table.to_pandas(types_mapper=pd.ArrowDtype),
        as_polars: lambda: pl.from_arrow(table),
        as_arrow: lambda: table,
    }[frame_of]()
    with pytest.raises(ValueError, match=r"column 'colour' of X has 1 null, first in row 1"):
        logreg_c.fit(frame, [0, 1, 0], l2=1.0)


@libraries
def test_no_rows_and_no_weights_are_refused(frame_of):
    sklearn = pytest.importorskip("logreg_c.sklearn")
    frame = frame_of(NUMBERS, CATEGORIES)
    model = sklearn.LogisticRegression().fit(frame, Y)
    w, b, _ = logreg_c.fit(frame, Y, l2=0.1)
    texts = pa.chunked_array([], pa.dictionary(pa.int32(), pa.string()))
    columns = {"age": pa.array([], pa.float64()), "rate": pa.array([], pa.float32())}
    without_chunks = pa.table(columns | {"colour": texts, "city": texts})
    for none in (frame[:0], without_chunks):
        for call in (
            lambda none=none: logreg_c.predict_proba(none, w, b),
            lambda none=none: logreg_c.fit(none, [], l2=0.1),
            lambda none=none: model.predict(none),
        ):
            with pytest.raises(ValueError, match=r"expected at least one example|minimum of 1"):
                call()
    one = frame_of({}, {"c": (np.zeros(9, np.int8), ["a"])})
    y = np.arange(9) % 2
    with pytest.raises(ValueError, match="no weight is determined without a penalty"):
        logreg_c.inference(one, y, *logreg_c.fit(one, y)[:2])


def test_codes_beyond_the_categories_are_refused():
    for codes in ([0, 1, 2], [0, -1, 1]):
        bad = pa.DictionaryArray.from_arrays(pa.array(codes), pa.array(["a", "b"]), safe=False)
        with pytest.raises(ValueError, match=r"column 'c' of X has codes beyond its 2 categories"):
            logreg_c.fit(pa.table({"c": bad}), [0, 1, 0], l2=1.0)
    null = pa.DictionaryArray.from_arrays(pa.array([0, 1, 0]), pa.array(["a", None]))
    with pytest.raises(ValueError, match=r"column 'c' of X has a category that is null"):
        logreg_c.fit(pa.table({"c": null}), [0, 1, 0], l2=1.0)


def test_names_that_mean_two_things_are_refused():
    frame = pd.DataFrame({"c=a": [0.0, 1.0], "c": pd.Categorical(["a", "b"])})
    with pytest.raises(ValueError, match=r"X has several features named 'c=a'.*rename one"):
        logreg_c.fit(frame, [0, 1], l2=1.0)
    frame = pd.DataFrame({"c": pd.Categorical(["b=x", "y"]), "c=b": pd.Categorical(["x", "z"])})
    with pytest.raises(ValueError, match=r"column 'c' of X has 'b=x', which reads like.*'c=b'"):
        logreg_c.fit(frame, [0, 1], l2=1.0)
    frame["c"] = pd.Categorical(["b", "y"])
    with pytest.raises(ValueError, match=r"column 'c' of X has 'b', which reads like.*'c=b'"):
        logreg_c.fit(frame, [0, 1], l2=1.0)
    frame["c"] = pd.Categorical(["x", "y"])
    assert logreg_c.fit(frame, [0, 1], l2=1.0).converged
    frame = pd.DataFrame({"c": pd.Categorical([1, "1"])})
    with pytest.raises(ValueError, match=r"X has several features named 'c=1'"):
        logreg_c.fit(frame, [0, 1], l2=1.0)


def test_weights_for_another_kind_of_column_are_refused():
    frame = as_pandas(NUMBERS, CATEGORIES)
    w, b, _ = logreg_c.fit(frame, Y, l2=0.01)
    for other, message in (
        (frame.assign(colour=1.0), "expected first the columns of numbers"),
        (
            frame.assign(colour=1.0, city=2.0),
            "a category, and that column of X holds only numbers",
        ),
        (frame.assign(colour="red"), r"column 'colour' of X.*astype\('category'\)"),
        (frame.drop(columns="colour"), "X lacks 'colour=red'"),
        (frame.assign(age=frame["colour"]), "'age' of X has categories, and w has no weights"),
    ):
        with pytest.raises((ValueError, TypeError), match=message):
            logreg_c.predict(other, w, b)
    numbers = logreg_c.fit(frame.assign(colour=1.0, city=2.0), Y, l2=0.01)
    with pytest.raises(ValueError, match="'colour' of X has categories, and w has no weights"):
        logreg_c.predict(frame, numbers.w, numbers.b)
    shuffled = logreg_c.with_names(w[::-1], w.feature_names[::-1])
    with pytest.raises(ValueError, match="expected first the columns of numbers"):
        logreg_c.predict(frame, shuffled, b)
    more = logreg_c.with_names(np.append(w, 1.0), [*w.feature_names, "colour"])
    with pytest.raises(ValueError, match="w has a weight 'colour' that X has no place for"):
        logreg_c.predict(frame, more, b)


@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.parametrize("l2", [0.0, 0.1])
def test_inference_of_several_classes_agrees_with_a_column_per_category(l2, intercept):
    rng = np.random.default_rng(2)
    codes = rng.integers(0, 3, 400), rng.integers(0, 2, 400)
    categories = {"city": (codes[0], CITIES[:4]), "shape": (codes[1], ["a", "b"])}
    numbers, classes = {"age": rng.normal(size=400)}, rng.integers(0, 3, 400)
    s = rng.uniform(0.1, 2.0, 400)
    columns, names = one_hot(numbers, categories)
    kept = list(range(len(names)))
    if not l2:  # the first categories, and one that no example has
        gone = {"city=city 3", "shape=a", *(["city=city 0"] if intercept else [])}
        kept = [j for j, name in enumerate(names) if name not in gone]
    found = []
    for X in as_pandas(numbers, categories), [columns[j] for j in kept]:
        settings = {"l2": l2, "sample_weight": s, "intercept": intercept}
        at = logreg_c.fit(X, classes, tol=1e-13, **settings)
        found.append(logreg_c.inference(X, classes, at.w, at.b, reference=1, **settings))
    own, of_columns = found
    assert own.names == (*(names[j] for j in kept), *(["intercept"] if intercept else [])) * 2
    np.testing.assert_allclose(own.coefficients, of_columns.coefficients, atol=1e-8)
    np.testing.assert_allclose(own.standard_errors, of_columns.standard_errors, rtol=1e-8)
    assert own.log_likelihood == pytest.approx(of_columns.log_likelihood, rel=1e-10)


def test_what_needs_numbers_says_so():
    frame = as_pandas(NUMBERS, CATEGORIES)
    with pytest.raises(TypeError, match=r"X has columns of categories and firth is True"):
        logreg_c.fit(frame, Y, firth=True)
