# SPDX-License-Identifier: BSD-3-Clause
"""The estimator behaves like scikit-learn's in every way that its users could notice."""

import pickle
import subprocess
import sys
import warnings
from decimal import Decimal
from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from oracle import run_python

import logreg_c

pytest.importorskip("sklearn", reason="needs scikit-learn: pip install 'logreg-c[sklearn]'")

import joblib
import pandas as pd
import sklearn
from scipy.sparse import csr_matrix
from sklearn import config_context
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_breast_cancer, load_digits, load_iris, load_wine
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.linear_model import LogisticRegression as Theirs
from sklearn.model_selection import GridSearchCV, cross_validate
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.utils import estimator_checks

from logreg_c import _input
from logreg_c._objective import Objective
from logreg_c.sklearn import LogisticRegression

TYPES = ["f8", "f4", "f2", "?", "i1", "u1", "i2", "u2", "i4", "i8"]


@pytest.fixture(scope="module")
def cancer():
    X, y = load_breast_cancer(return_X_y=True)
    return StandardScaler().fit_transform(X), y


@pytest.fixture(scope="module")
def raw():
    return load_breast_cancer(return_X_y=True)


def threes_and_eights():
    X, y = load_digits(return_X_y=True)
    chosen = (y == 3) | (y == 8)
    return X[chosen], y[chosen]


def made(m=2000, n_x=12, seed=0):
    """Features of several scales, labels that are not separable, weights of which some are 0."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((m, n_x)) * np.logspace(-0.5, 0.5, n_x)
    y = X @ rng.standard_normal(n_x) + 2 * rng.standard_normal(m) > 1
    return X, y, rng.integers(0, 5, m) / 2


# Its L-BFGS ends where J falls by less than 1e-14, up to 4e-5 from this more precise solution.
exact = partial(Theirs, solver="newton-cholesky")


def relative(ours, theirs):
    """Return the largest difference of a coefficient, relative to the largest coefficient."""
    a = np.append(ours.coef_, ours.intercept_)
    b = np.append(theirs.coef_, theirs.intercept_)
    return np.abs(a - b).max() / np.abs(b).max()


# scikit-learn's checks fit unscaled data in few iterations, so gradient descent need not converge.
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.SkipTestWarning")
@pytest.mark.parametrize("settings", [{}, {"solver": "gd"}, {"standardize": True}])
@pytest.mark.long
def test_scikit_learn_finds_nothing_to_complain_about(settings, monkeypatch):
    if sklearn.__version__.startswith("1.6.") and settings:
        # One of its checks shuffles y, and takes the class of the first y as the first. As in 1.7:
        monkeypatch.setattr(estimator_checks, "_enforce_estimator_tags_y", lambda _, y: y > y.min())
    estimator_checks.check_estimator(LogisticRegression(**settings))


# ---- Converged means that tol was reached -------------------------------------------------------


def cost_and_slope(X, y, w, b, l2, weight=None, *, standardize=False, fixed_b=False):
    """Return J and the largest component of its gradient, computed by NumPy in longdouble."""
    X = np.asarray(X, dtype=np.longdouble)
    s = np.ones(len(X)) if weight is None else np.asarray(weight, dtype=np.longdouble)
    s = s / s.sum()
    Z = X @ w + b
    sd = np.ones(X.shape[1])
    if standardize:
        mean = s @ X
        sd = np.sqrt(s @ (X - mean) ** 2)
        sd = np.where(X.min(axis=0) < X.max(axis=0), sd, 1.0)
        X = (X if fixed_b else X - mean) / sd
    dZ = s * (1 / (1 + np.exp(-Z)) - y)
    slopes = np.append(X.T @ dZ + l2 * w * sd, 0.0 if fixed_b else dZ.sum())
    J = s @ np.logaddexp(0, np.where(y, -Z, Z)) + l2 / 2 * np.sum((w * sd) ** 2)
    return float(J), float(np.abs(slopes).max())


def converged(model, X, y, weight=None):
    """Fit, and return whether there was no warning."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model.fit(X, y, weight)
    assert {warning.category for warning in caught} <= {ConvergenceWarning}
    return not caught


def time_stamps():
    rng = np.random.default_rng(0)
    x, t = rng.standard_normal(2000), 1.6e9 + rng.integers(0, 31_536_000, 2000)
    return np.column_stack([x, t]), rng.random(2000) < 1 / (1 + np.exp(-x))


@pytest.mark.filterwarnings("ignore:Setting penalty=None")  # scikit-learn 1.8, of C=inf
@pytest.mark.parametrize("dtype", ["f8", "i8"])
def test_raw_time_stamps_are_fitted(dtype):
    X, y = time_stamps()
    X = (X * [1000.0, 1.0]).astype(dtype)
    model = LogisticRegression(max_iter=10_000)
    assert converged(model, X, y)
    assert cost_and_slope(X, y, model.coef_[0], model.intercept_[0], 1 / 2000)[1] <= 1e-4
    away = StandardScaler().fit(X)
    right = exact(C=np.inf, tol=1e-8).fit(away.transform(X), y).coef_[0] / away.scale_
    assert model.coef_[0, 0] == pytest.approx(right[0], rel=2e-3)


@settings(max_examples=60)
@given(
    seed=st.integers(0, 2**32 - 1),
    n_x=st.integers(1, 6),
    m=st.integers(4, 120),
    far=st.floats(0, 6),
    spread=st.floats(0, 5),
    C=st.sampled_from([1e-6, 1.0, 1e6, np.inf]),
    tol=st.sampled_from([1e-2, 1e-4, 1e-8, 0.0]),
    dtype=st.sampled_from(["f8", "f4", "i4", "u1"]),
    solver=st.sampled_from(["auto", "gd"]),
    flags=st.tuples(*[st.booleans()] * 3),
)
@pytest.mark.long
def test_a_fit_without_a_warning_is_within_tol(
    seed, n_x, m, far, spread, C, tol, dtype, solver, flags
):
    standardize, fit_intercept, weighted = flags
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((m, n_x)) + 10 ** rng.uniform(0, far, n_x)
    X = np.clip(X * 10 ** rng.uniform(-spread, spread, n_x), 0, 255 if dtype == "u1" else 2e9)
    X = X.astype(dtype)
    y = rng.random(m) < 0.5
    y[:2] = False, True
    weight = rng.integers(1, 4, m) if weighted else None
    model = LogisticRegression(
        C=C,
        tol=tol,
        solver=solver,
        standardize=standardize,
        fit_intercept=fit_intercept,
        max_iter=300,
    )
    if converged(model, X, y, weight):
        l2 = 1 / (C * (m if weight is None else weight.sum()))
        of_units = {"standardize": standardize, "fixed_b": not fit_intercept}
        w, b = model.coef_[0], model.intercept_[0]
        _, slope = cost_and_slope(X, y, w, b, l2, weight, **of_units)
        rounding = 4e-14 * (1 if standardize else max(1.0, np.abs(X.astype(float)).max()))
        assert slope <= tol + rounding * max(1, np.abs(X.astype(float) @ w).max())


@pytest.mark.sampled(5)
@pytest.mark.parametrize("tol", [1e-4, 1e-7, 1e-10])
@pytest.mark.parametrize("C", [1e-4, 1.0, 1e6])
@pytest.mark.parametrize("dtype", ["f8", "f4"])
def test_ordinary_data_reach_any_ordinary_tol(cancer, dtype, C, tol):
    for X, y in cancer, threes_and_eights(), made(n_x=5)[:2]:
        assert converged(LogisticRegression(C=C, tol=tol, max_iter=2000), X.astype(dtype), y)


# ---- The same solution --------------------------------------------------------------------------


@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("data", ["breast cancer", "digits"])
def test_coefficients_equal_those_of_scikit_learn(cancer, data, fit_intercept):
    X, y = cancer if data == "breast cancer" else threes_and_eights()
    settings = {"tol": 1e-10, "max_iter": 10_000, "fit_intercept": fit_intercept}
    ours, theirs = LogisticRegression(**settings).fit(X, y), exact(**settings).fit(X, y)
    assert relative(ours, theirs) <= 1e-6
    np.testing.assert_array_equal(ours.classes_, theirs.classes_)
    np.testing.assert_allclose(ours.predict_proba(X), theirs.predict_proba(X), atol=1e-6)


@pytest.mark.sampled(13)
@pytest.mark.filterwarnings("ignore:Setting penalty=None")  # scikit-learn 1.8, of C=inf
@pytest.mark.parametrize("C", [0.01, 1.0, 30.0, np.inf])
@pytest.mark.parametrize("class_weight", [None, "balanced", {False: 3.0, True: 0.5}])
@pytest.mark.parametrize("weighted", [False, True])
def test_weights_and_class_weights_mean_the_same(C, class_weight, weighted):
    X, y, weight = made()
    if weighted and class_weight == "balanced":  # scikit-learn 1.6 balances without the weights
        share = weight[y].sum() / weight.sum()
        theirs_weight = {False: 0.5 / (1 - share), True: 0.5 / share}
    else:
        theirs_weight = class_weight
    fixed = {"C": C, "tol": 1e-10, "max_iter": 10_000}
    sample_weight = weight if weighted else None
    ours = LogisticRegression(class_weight=class_weight, **fixed).fit(X, y, sample_weight)
    theirs = exact(class_weight=theirs_weight, **fixed).fit(X, y, sample_weight)
    assert relative(ours, theirs) <= 1e-6


@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("solver", ["auto", "gd"])
@pytest.mark.sampled(2)
def test_standardize_is_a_standard_scaler_before(raw, solver, fit_intercept):
    X, y = raw
    X = np.hstack([X, np.full((len(X), 1), 7.0), np.zeros((len(X), 1))])
    fixed = {"C": 0.05, "tol": 1e-7, "max_iter": 100_000, "fit_intercept": fit_intercept}
    ours = LogisticRegression(standardize=True, solver=solver, **fixed).fit(X, y)
    scaler = StandardScaler(with_mean=fit_intercept)
    theirs = Theirs(**fixed | {"tol": 1e-10}).fit(scaler.fit_transform(X), y)
    np.testing.assert_allclose(ours.coef_[0] * scaler.scale_, theirs.coef_[0], atol=3e-5)
    assert (ours.coef_[0, -2] == 0.0) == fit_intercept
    assert ours.coef_[0, -1] == 0.0
    Z = theirs.decision_function(scaler.transform(X))
    np.testing.assert_allclose(ours.decision_function(X), Z, atol=2e-3)


@pytest.mark.sampled(8)
@pytest.mark.parametrize("solver", ["auto", "gd"])
@pytest.mark.parametrize("dtype", ["f8", "f4", "i1"])
@pytest.mark.parametrize("constant", [1, -3, 100])
def test_scaling_moves_no_optimum_without_a_penalty(constant, dtype, solver):
    x = np.arange(1, 9).repeat(5)
    y = np.arange(40) * 7 % 10 < x
    X = np.column_stack([np.full(40, constant), x]).astype(dtype)
    fixed = {"C": np.inf, "fit_intercept": False, "max_iter": 500_000, "tol": 1e-7}
    ours = LogisticRegression(standardize=True, solver=solver, **fixed).fit(X, y)
    theirs = LogisticRegression(C=np.inf, tol=1e-10, max_iter=1000).fit(x[:, None], y)
    assert ours.coef_[0, 0] * constant == pytest.approx(theirs.intercept_[0], rel=1e-4)
    assert ours.coef_[0, 1] == pytest.approx(theirs.coef_[0, 0], rel=1e-4)


@pytest.mark.parametrize("dtype", TYPES)
def test_every_type_leads_to_the_solution_of_float64(dtype):
    X, y, _ = made()
    X = (2 * X).astype("f4" if dtype.startswith("f") else "i1").astype(dtype)
    fixed = {"tol": 1e-8, "max_iter": 1000}
    ours = LogisticRegression(**fixed).fit(X, y)
    theirs = exact(**fixed).fit(X.astype(float), y)
    assert relative(ours, theirs) <= 1e-6


def test_float32_is_computed_in_float32_down_to_what_it_resolves():
    X, y, _ = made()
    narrow = X.astype("f4")
    coarse = LogisticRegression(tol=1e-4).fit(narrow, y)
    wide = LogisticRegression(tol=1e-4).fit(narrow.astype("f8"), y)
    assert 0 < relative(coarse, wide) < 1e-3
    J, dw, db = logreg_c.cost_and_gradient(
        narrow.T, y, coarse.coef_[0], coarse.intercept_[0], l2=1 / len(y), dtype=np.float64
    )
    assert max(np.abs(dw).max(), abs(db)) <= 1.1e-4
    assert abs(J - coarse.costs_[-1]) <= 1e-6


def test_means_that_float32_cannot_hold_are_exact_to_the_last_bit():
    X, y, _ = made()
    X = (X + 3e6 / 7).astype("f4")
    model = LogisticRegression(tol=1e-4, standardize=True).fit(X, y)
    w, b = model.coef_[0], model.intercept_[0]
    _, _, db = logreg_c.cost_and_gradient(X.T, y, w, b, dtype=np.float64)
    assert abs(db) <= 1.1e-4


def test_float32_continues_in_float64_until_every_slope_is_within_tol():
    X, y, _ = made()
    X = np.column_stack([X, np.zeros(len(X))]).astype("f4")  # its slope is small from the start
    model = LogisticRegression(tol=1e-8).fit(X, y)
    _, dw, db = logreg_c.cost_and_gradient(
        X.T, y, model.coef_[0], model.intercept_[0], l2=1 / len(y), dtype=np.float64
    )
    assert max(np.abs(dw).max(), abs(db)) <= 1.01e-8


@pytest.mark.parametrize("solver", ["auto", "gd"])
def test_float32_does_no_more_iterations_than_max_iter(solver):
    X, y, _ = made()
    with pytest.warns(ConvergenceWarning):
        model = LogisticRegression(solver=solver, tol=1e-9, max_iter=3).fit(X.astype("f4"), y)
    assert model.n_iter_.tolist() == [3]


@pytest.mark.filterwarnings("ignore:A plane separates")
def test_a_float32_overflow_is_computed_in_float64():
    X = np.array([[3e38], [-3e38], [2e38], [-1e38]] * 10, dtype="f4")
    y = X[:, 0] > 0
    model = LogisticRegression(C=np.inf, warm_start=True)
    model.coef_, model.intercept_ = np.array([[10.0]]), np.array([0.0])
    assert model.fit(X, y).score(X, y) == 1.0
    assert np.abs(model.decision_function(X)).max() > 2e39


@pytest.mark.parametrize("solver", ["auto", "gd"])
@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize("size", [1e-30, 1e8, 3e38])
@pytest.mark.filterwarnings("ignore:gd failed to converge", "ignore:A plane separates")
def test_features_of_any_size_are_fitted_from_a_cold_start(size, dtype, solver):
    X = (np.array([[3.0], [-3.0], [2.0], [-1.0]] * 10) * (size / 3)).astype(dtype)
    y = X[:, 0] > 0
    settings = {"C": np.inf, "fit_intercept": False, "max_iter": 1000}
    model = LogisticRegression(solver=solver, **settings).fit(X, y)
    if size > 1:
        assert model.score(X, y) == 1.0
        assert model.costs_[-1] < 0.05
    # from float32 to float64 rounding may raise it
    assert (np.diff(model.costs_) <= 1e-6 * model.costs_[:-1]).all()


@pytest.mark.parametrize("solver", ["auto", "gd"])
@pytest.mark.filterwarnings("ignore:gd failed to converge")
def test_a_penalty_beyond_float64_names_c(solver):
    X, y = [[1.0], [2.0], [3.0]], [0, 1, 1]
    for C, weight in (5e-324, 1.0), (1e-300, 1e-30), (1e-310, 1.0):
        with pytest.raises(ValueError, match=f"C is {C} and the weights sum to"):
            LogisticRegression(C=C, solver=solver).fit(X, y, [weight] * 3)
    model = LogisticRegression(C=1e-20, solver=solver)
    assert converged(model, X, y) == (solver == "auto")
    assert abs(model.coef_[0, 0]) < 2e-20


@pytest.mark.parametrize("X", [[[1e200]] * 3, [[1e160], [1.0000001e160], [1e160]]])
def test_features_whose_squares_overflow_have_no_alpha(X):
    with pytest.raises(logreg_c.DivergenceError, match="squares of X overflow float64"):
        LogisticRegression(solver="gd").fit(X, [0, 1, 0])


@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_an_alpha_with_which_float64_diverges_too_is_an_error(dtype):
    X, y, _ = made()
    with pytest.raises(logreg_c.DivergenceError, match="left the range of float64"):
        LogisticRegression(solver="gd", alpha=1e308).fit(10 * X.astype(dtype), y)


def test_weights_of_any_ratio_warn_of_nothing():
    model = LogisticRegression(solver="gd", max_iter=10_000)
    model.fit([[1.0], [2.0], [3.0], [4.0]], [0, 1, 0, 1], [1e-320, 1, 1, 1])
    assert model.n_iter_ < 10_000


def objective_of(X, y, dtype=None):
    return Objective.checked(_input.examples(X, dtype), y, sample_weight=None, n_threads=None)


def test_a_tol_below_rounding_is_not_reached():
    X, y, _ = made(n_x=3)
    with pytest.warns(ConvergenceWarning, match=r"gradient is .*above tol=0\.(?s:.*)larger tol"):
        model = LogisticRegression(tol=0.0).fit(X, y)
    assert cost_and_slope(X, y, model.coef_[0], model.intercept_[0], 1 / len(y))[1] <= 1e-15


# ---- Gradient descent ---------------------------------------------------------------------------


def test_gradient_descent_reaches_the_same_minimum(cancer):
    X, y = cancer
    fixed = {"C": 0.1, "max_iter": 100_000}
    descended = LogisticRegression(solver="gd", tol=1e-9, **fixed).fit(X, y)
    assert relative(descended, LogisticRegression(tol=1e-10, **fixed).fit(X, y)) <= 1e-6
    assert descended.costs_.size == descended.n_iter_[0] + 1


def test_gradient_descent_continues_in_float64_where_float32_ends():
    X, y, _ = made(n_x=3)
    X, fixed = X.astype("f4"), {"solver": "gd", "max_iter": 10_000}
    coarse = LogisticRegression(tol=1e-5, **fixed).fit(X, y)
    model = LogisticRegression(tol=1e-9, **fixed).fit(X, y)
    n = coarse.n_iter_[0]
    assert model.costs_.size == model.n_iter_[0] + 1 > n + 1
    np.testing.assert_array_equal(model.costs_[:n], coarse.costs_[:n])
    (J, _, _), (_, dw, db) = (
        logreg_c.cost_and_gradient(
            X.T, y, fit.coef_[0], fit.intercept_[0], l2=1 / len(y), dtype=np.float64
        )
        for fit in (coarse, model)
    )
    assert model.costs_[n] == J
    assert max(np.abs(dw).max(), abs(db)) <= 1.01e-9


def test_an_explicit_learning_rate_is_that_of_train(cancer):
    X, y = cancer
    model = LogisticRegression(solver="gd", alpha=0.5, max_iter=50, tol=0.0)
    with pytest.warns(ConvergenceWarning, match="gd failed to converge after 50 iteration"):
        model.fit(X, y)
    w, b, costs = logreg_c.train(X.T, y, 0.5, 50, l2=1 / len(y))
    np.testing.assert_array_equal(model.coef_, w.T)
    assert model.intercept_[0] == b
    np.testing.assert_array_equal(model.costs_, costs)


def test_an_alpha_that_is_too_large_warns_at_the_line_that_fits(raw):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        LogisticRegression(solver="gd", alpha=10.0).fit(*raw)
    places = {warning.category: warning.filename for warning in caught}
    assert places == dict.fromkeys((logreg_c.DivergenceWarning, ConvergenceWarning), __file__)


# ---- What fit leaves behind ---------------------------------------------------------------------


def test_costs_are_those_of_each_step(cancer):
    X, y = cancer
    model = LogisticRegression().fit(X, y)
    assert model.costs_.size <= model.n_iter_[0]
    assert (np.diff(model.costs_) <= 0).all()
    J, _, _ = logreg_c.cost_and_gradient(X.T, y, model.coef_[0], model.intercept_[0], l2=1 / len(y))
    assert model.costs_[-1] == pytest.approx(J, rel=1e-14)


@pytest.mark.parametrize("standardize", [False, True])
@pytest.mark.parametrize("solver", ["auto", "gd"])
@pytest.mark.long
def test_warm_start_goes_on_from_the_fit_before(cancer, solver, standardize):
    X, y = cancer
    model = LogisticRegression(
        solver=solver, standardize=standardize, max_iter=200_000, warm_start=True
    )
    cost = model.fit(X + 1, y).costs_[-1]
    model.fit(X + 1, y)
    assert model.n_iter_[0] <= 1
    assert model.costs_[0] == pytest.approx(cost, rel=1e-9)
    with pytest.raises(ValueError, match=r"warm_start: coef_ has shape .* set warm_start=False"):
        model.fit(X[:, :3], y)


def test_small_probabilities_are_as_accurate_as_large_ones():
    model = LogisticRegression().fit([[-1.0], [1.0]], ["no", "yes"])
    model.coef_, model.intercept_ = np.array([[1.0]]), np.array([0.0])
    X = [[-800.0], [-40.0], [0.0], [40.0], [800.0]]
    P, log_P = model.predict_proba(X), model.predict_log_proba(X)
    assert P[3, 0] == pytest.approx(np.exp(-40.0), rel=1e-14) == P[1, 1]
    np.testing.assert_allclose(log_P[:, 1], [-800, -40, -np.log(2), -np.exp(-40), 0], rtol=1e-14)
    np.testing.assert_array_equal(log_P[:, 0], log_P[::-1, 1])
    assert list(model.predict(X)) == ["no", "no", "no", "yes", "yes"]


@pytest.mark.parametrize(
    ("labels", "dtype"),
    [
        (["no", "yes"], None),
        (["no", "yes"], object),
        ([-1, 1], None),
        ([False, True], None),
        ([2.0, 3.0], None),
        ([7, 200], np.uint8),
    ],
)
def test_labels_of_any_type_come_back(labels, dtype):
    X, y, _ = made(200)
    labels = np.array(labels, dtype=dtype)
    model = LogisticRegression().fit(X, labels[y.astype(int)])
    assert model.classes_.dtype == model.predict(X).dtype == labels.dtype
    np.testing.assert_array_equal(model.classes_, labels)
    np.testing.assert_array_equal(
        model.predict(X), labels[(model.predict_proba(X)[:, 1] > 0.5) * 1]
    )


def test_scikit_learn_draws_it(cancer):
    html = LogisticRegression(C=3).fit(*cancer)._repr_html_()
    assert "LogisticRegression" in html
    assert repr(LogisticRegression(C=3)) == "LogisticRegression(C=3)"


# ---- An l1 penalty -------------------------------------------------------------------------------


@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("l1_ratio", [0.3, 1.0])
@pytest.mark.parametrize("weighted", [False, True])
def test_an_l1_penalty_has_the_minimum_of_saga(weighted, l1_ratio, fit_intercept):
    X, y, weight = made(400)
    sample_weight = weight if weighted else None
    fixed = {"C": 0.02, "l1_ratio": l1_ratio, "fit_intercept": fit_intercept, "max_iter": 50_000}
    ours = LogisticRegression(tol=1e-8, **fixed).fit(X, y, sample_weight)
    if sklearn.__version__ < "1.8":
        fixed["penalty"] = "elasticnet"
    theirs = Theirs(solver="saga", tol=1e-10, **fixed).fit(X, y, sample_weight)
    assert relative(ours, theirs) <= 1e-6
    np.testing.assert_array_equal(ours.coef_ == 0.0, np.abs(theirs.coef_) < 1e-12)
    assert (ours.coef_ == 0.0).any()


@pytest.mark.parametrize("l1_ratio", [0.3, 1.0])
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_an_l1_penalty_of_standardized_features(fit_intercept, l1_ratio):
    X, y, _ = made(400)
    X = np.column_stack([X * np.logspace(-3, 3, 12) + 1.0, np.full(400, 3.0)])
    fixed = {"C": 0.05, "l1_ratio": l1_ratio, "fit_intercept": fit_intercept, "tol": 1e-6}
    ours = LogisticRegression(standardize=True, **fixed).fit(X, y)
    scaler = StandardScaler(with_mean=fit_intercept)
    scaled = LogisticRegression(**fixed).fit(scaler.fit_transform(X), y)
    np.testing.assert_allclose(ours.coef_ * scaler.scale_, scaled.coef_, atol=1e-7)
    assert (ours.coef_ == 0.0).any()


def test_a_fit_with_an_l1_penalty_starts_from_the_one_before():
    X, y, _ = made(400)
    model = LogisticRegression(l1_ratio=1, C=0.02, warm_start=True).fit(X, y)
    coef = model.coef_
    assert model.fit(X, y).n_iter_[0] <= 3
    np.testing.assert_allclose(model.coef_, coef, atol=1e-6)
    with pytest.warns(ConvergenceWarning, match="auto failed to converge"):
        LogisticRegression(l1_ratio=1, max_iter=1).fit(X, y)


# ---- Several classes -----------------------------------------------------------------------------

SEVERAL = {"iris": load_iris, "wine": load_wine, "digits": load_digits}


@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("C", [0.01, 1.0])
@pytest.mark.parametrize("data", SEVERAL)
@pytest.mark.long
def test_several_classes_have_the_probabilities_of_scikit_learn(data, C, fit_intercept):
    X, y = SEVERAL[data](return_X_y=True)
    X, y = X[: 600 * 10 // X.shape[1]], np.array(list("jihgfedcba"))[y[: 600 * 10 // X.shape[1]]]
    fixed = {"C": C, "fit_intercept": fit_intercept, "max_iter": 1000}
    ours = LogisticRegression(tol=1e-7, **fixed).fit(X, y)
    theirs = exact(tol=1e-10, **fixed).fit(X, y)
    assert relative(ours, theirs) <= 1e-5
    assert ours.coef_.shape == theirs.coef_.shape
    assert ours.intercept_.shape == theirs.intercept_.shape
    np.testing.assert_array_equal(ours.classes_, theirs.classes_)
    np.testing.assert_array_equal(ours.predict(X), theirs.predict(X))
    np.testing.assert_allclose(ours.decision_function(X), X @ ours.coef_.T + ours.intercept_)
    P = ours.predict_proba(X)
    np.testing.assert_allclose(P, theirs.predict_proba(X), atol=1e-6)
    np.testing.assert_allclose(ours.predict_log_proba(X), np.log(P), rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(ours.coef_.sum(axis=0), 0.0, atol=1e-12)


@pytest.mark.parametrize("class_weight", [None, "balanced", {0: 3.0, 2: 0.5}])
@pytest.mark.parametrize("weighted", [False, True])
def test_weights_of_several_classes_mean_the_same(class_weight, weighted):
    if sklearn.__version__.startswith(("1.6.", "1.7.")) and weighted and class_weight == "balanced":
        pytest.skip("scikit-learn balances without the weights")
    X, y = load_iris(return_X_y=True)
    weight = np.random.default_rng(0).integers(0, 4, len(y)) if weighted else None
    fixed = {"C": 0.1, "tol": 1e-9, "class_weight": class_weight}
    ours, theirs = LogisticRegression(**fixed), exact(**fixed)
    assert relative(ours.fit(X, y, weight), theirs.fit(X, y, weight)) <= 1e-6


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.long
def test_several_classes_of_every_type(dtype, order):
    X, y = load_digits(return_X_y=True)
    X = np.asarray((X[:400] > 7).astype(dtype), order=order)
    ours = LogisticRegression(tol=1e-8, max_iter=1000).fit(X, y[:400])
    expected = LogisticRegression(tol=1e-8, max_iter=1000).fit(X.astype("f8"), y[:400])
    assert relative(ours, expected) <= 1e-6
    frame = pd.DataFrame(X).rename(columns=str)
    assert (
        relative(LogisticRegression(tol=1e-8, max_iter=1000).fit(frame, y[:400]), expected) < 1e-6
    )


@pytest.mark.parametrize("fit_intercept", [True, False])
def test_several_classes_are_standardized_like_a_scaler_before(fit_intercept):
    X, y = load_wine(return_X_y=True)
    X = np.hstack([X, np.full((len(X), 1), 7.0), np.zeros((len(X), 1))])
    fixed = {"C": 0.05, "fit_intercept": fit_intercept, "max_iter": 1000}
    ours = LogisticRegression(standardize=True, tol=1e-7, **fixed).fit(X, y)
    scaler = StandardScaler(with_mean=fit_intercept)
    theirs = exact(tol=1e-10, **fixed).fit(scaler.fit_transform(X), y)
    np.testing.assert_allclose(ours.coef_ * scaler.scale_, theirs.coef_, atol=1e-6)
    Z = theirs.predict_log_proba(scaler.transform(X))
    np.testing.assert_allclose(ours.predict_log_proba(X), Z, atol=1e-5)


def test_several_classes_start_from_the_fit_before():
    X, y = load_iris(return_X_y=True)
    model = LogisticRegression(warm_start=True).fit(X, y)
    passes, coef = model.n_iter_[0], model.coef_
    assert model.sparsify().fit(X, y).n_iter_[0] < passes
    np.testing.assert_allclose(model.coef_, coef, rtol=1e-6)
    with pytest.raises(ValueError, match=r"coef_ has shape \(3, 4\), and X and y need \(1, 4\)"):
        model.fit(X, y == 2)


def test_several_classes_that_did_not_converge_say_so():
    X, y = load_wine(return_X_y=True)
    with pytest.warns(ConvergenceWarning, match=r"auto failed to (?s:.*)\(max_iter=3\)"):
        LogisticRegression(max_iter=3).fit(X, y)
    with pytest.warns(ConvergenceWarning, match="separates the classes and there is no penalty"):
        LogisticRegression(C=np.inf, max_iter=1000).fit(X, y)
    model = LogisticRegression(max_iter=0)
    with pytest.warns(ConvergenceWarning, match="after 0 iteration"):
        model.fit(X, y)
    assert model.n_iter_ == 0
    assert not model.coef_.any()


# ---- Data in place ------------------------------------------------------------------------------


PEAK = """
import resource, warnings
import numpy as np
from logreg_c.sklearn import LogisticRegression
warnings.simplefilter("ignore")

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024

rng = np.random.default_rng(0)
LogisticRegression(max_iter=2).fit(rng.standard_normal((100, 2)), [0, 1] * 50)
X = np.empty((250_000, 200), dtype="{dtype}", order="{order}")
for part in X if X.flags.c_contiguous else X.T:
    part[...] = rng.integers(0, 2, part.size)
y = np.arange(250_000) % 2
before = peak()
model = LogisticRegression(max_iter=3, {settings}).fit(X, y)
model.predict_proba(X)
print((peak() - before) / X.nbytes)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="ru_maxrss has other units")
@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize(
    ("dtype", "settings"),
    [("f4", "tol=1e-9"), ("u1", "standardize=True"), ("f2", ""), ("?", "solver='gd'"), ("i8", "")],
)
@pytest.mark.memory
@pytest.mark.long
def test_x_is_not_copied_nor_widened(dtype, order, settings):
    # y, its classes and three columns of results: up to 40 bytes a sample; and the sample that is
    # solved first, of a twentieth
    share = 45 / (200 * np.dtype(dtype).itemsize) + 0.06 * ("gd" not in settings)
    assert float(run_python(PEAK.format(dtype=dtype, order=order, settings=settings))) < share


@pytest.mark.parametrize("frame", ["pandas.DataFrame", "polars.DataFrame", "pyarrow.table"])
def test_frames_are_read_by_column_and_checked_by_name(frame):
    library, _, name = frame.partition(".")
    make = getattr(pytest.importorskip(library), name)
    X, y, _ = made(300, n_x=3)
    columns = {"a": X[:, 0].astype("f4"), "b": (X[:, 1] > 0).astype("u1"), "c": X[:, 2]}
    frame = make(columns)
    model = LogisticRegression().fit(frame, y)
    if sklearn.__version__ < "1.9" and not hasattr(frame, "__dataframe__"):
        pytest.skip("scikit-learn does not see the names of a polars 2 frame before 1.9")
    assert list(model.feature_names_in_) == ["a", "b", "c"]
    matrix = np.column_stack(list(columns.values()))
    with pytest.warns(UserWarning, match="X does not have valid feature names"):
        np.testing.assert_allclose(model.decision_function(matrix), model.decision_function(frame))
    with pytest.raises(ValueError, match="must be in the same order"):
        model.predict(make({name: columns[name] for name in "bac"}))
    with pytest.raises(ValueError, match="yet now missing:\n- b"):
        model.predict(make({name: columns[name] for name in "ac"}))
    with pytest.raises(ValueError, match="column 'c', row 2"):
        model.predict(make(columns | {"c": np.where(np.arange(300) == 2, np.nan, columns["c"])}))
    with pytest.raises(ValueError, match="column 'b' of X is of type"):  # as scikit-learn does
        LogisticRegression().fit(make(columns | {"b": np.where(y, "u", "v")}), y)


# ---- With other parts of scikit-learn ------------------------------------------------------------


def test_in_a_pipeline_with_columns_of_a_frame(raw):
    X, y = raw
    frame = pd.DataFrame(X[:, :4], columns=list("abcd"))
    frame["e"] = np.where(X[:, 4] > 0.1, "high", "low")
    transformer = ColumnTransformer(
        [("number", StandardScaler(), list("abcd")), ("text", OneHotEncoder(), ["e"])],
        sparse_threshold=0,
    )
    pipeline = make_pipeline(transformer, LogisticRegression()).set_output(transform="pandas")
    pipeline[0].set_params(text__sparse_output=False)
    theirs = make_pipeline(clone(transformer), Theirs()).fit(frame, y)
    assert pipeline.fit(frame, y).score(frame, y) == theirs.score(frame, y)
    assert list(pipeline[-1].feature_names_in_)[:2] == ["number__a", "number__b"]


@pytest.mark.parametrize("backend", ["loky", "threading"])
@pytest.mark.long
def test_in_a_grid_search_of_two_jobs(cancer, backend):
    X, y = cancer
    grid = {"C": [0.01, 0.1, 1.0]}
    search = partial(GridSearchCV, param_grid=grid, scoring="neg_log_loss", cv=3)
    with joblib.parallel_backend(backend, n_jobs=2):
        ours = search(LogisticRegression()).fit(X, y)
    theirs = search(Theirs()).fit(X, y)
    assert ours.best_params_ == theirs.best_params_
    np.testing.assert_allclose(
        ours.cv_results_["mean_test_score"], theirs.cv_results_["mean_test_score"], rtol=3e-3
    )


@pytest.mark.long
def test_calibrated(cancer):
    X, y = cancer
    calibrated = CalibratedClassifierCV(LogisticRegression(), cv=3)
    theirs = CalibratedClassifierCV(Theirs(), cv=3).fit(X, y)
    P = calibrated.fit(X, y).predict_proba(X)
    np.testing.assert_allclose(P, theirs.predict_proba(X), atol=1e-2)


def test_one_versus_the_rest_fits_three_classes():
    X, y = load_iris(return_X_y=True)
    assert OneVsRestClassifier(LogisticRegression(standardize=True)).fit(X, y).score(X, y) > 0.9


@pytest.mark.parametrize("fitted", [False, True])
def test_clone_pickle_and_joblib_keep_it(cancer, tmp_path, fitted):
    X, y = cancer
    model = LogisticRegression(C=2.0, class_weight="balanced", n_threads=1)
    if fitted:
        model.fit(X, y)
    joblib.dump(model, tmp_path / "model")
    for copy in pickle.loads(pickle.dumps(model)), joblib.load(tmp_path / "model"):
        assert copy.get_params() == model.get_params()
        if fitted:
            np.testing.assert_array_equal(copy.predict_proba(X), model.predict_proba(X))
    copy = clone(model)
    assert copy.get_params() == model.get_params()
    with pytest.raises(NotFittedError):
        copy.predict(X)


def test_metadata_routing_brings_sample_weight():
    X, y, weight = made(400)
    with config_context(enable_metadata_routing=True):
        model = LogisticRegression().set_fit_request(sample_weight=True)
        model.set_score_request(sample_weight=True)
        found = cross_validate(
            model, X, y, params={"sample_weight": weight}, return_estimator=True, cv=2
        )
    plain = cross_validate(LogisticRegression(), X, y, return_estimator=True, cv=2)
    assert not np.allclose(found["estimator"][0].coef_, plain["estimator"][0].coef_)


def test_threads_change_no_bit():
    X, y, _ = made(20_000)
    one, four = (LogisticRegression(n_threads=n).fit(X, y) for n in (1, 4))
    np.testing.assert_array_equal(one.coef_, four.coef_)


# ---- What is wrong ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"C": 0}, ValueError, "C is 0.0; expected a finite number > 0"),
        ({"C": "1"}, TypeError, "C is '1' of type str"),
        ({"C": False}, ValueError, "C is 0.0; expected a finite number > 0"),
        ({"C": np.True_}, TypeError, r"C is (np\.)?True_? of type bool_?; expected"),
        ({"max_iter": 1.0}, TypeError, "max_iter is 1.0 of type float; expected an integer"),
        ({"C": np.array([1.0, 2.0])}, TypeError, r"C is array\(\[1., 2.\]\) of type ndarray"),
        ({"C": np.array([np.inf])}, TypeError, r"C is array\(\[inf\]\) of type ndarray"),
        ({"tol": -1}, ValueError, "tol is -1.0; expected a finite number >= 0"),
        ({"max_iter": -1}, ValueError, "max_iter is -1; expected an integer >= 0"),
        ({"solver": "adam"}, ValueError, "solver is 'adam'; expected one of 'auto', 'lbfgs'"),
        ({"solver": ["gd"]}, ValueError, r"solver is \['gd'\]; expected one of 'auto'"),
        ({"solver": np.array(["gd", "gd"])}, ValueError, "solver is array.*; expected one of"),
        ({"solver": "gd", "alpha": "fast"}, ValueError, "alpha is 'fast'; expected 'auto' or a"),
        ({"solver": "gd", "alpha": -1.0}, ValueError, "alpha is -1.0; expected a finite number"),
        (
            {"class_weight": "fair"},
            ValueError,
            "class_weight is 'fair'; expected a dict {class: weight}",
        ),
        ({"class_weight": [1, 2]}, ValueError, r"class_weight is \[1, 2\]; expected a dict"),
        ({"class_weight": {0: -1, 1: 1}}, ValueError, r"class_weight\[0\] is -1.0; expected a"),
        ({"class_weight": {0: np.nan, 1: 1}}, ValueError, r"class_weight\[0\] is nan; expected"),
        ({"class_weight": {0: "1", 1: 1}}, ValueError, r"class_weight\[0\] is '1' of type str"),
        ({"class_weight": {0: 0, 1: 0}}, ValueError, "class_weight is 0 for every class"),
        ({"penalty": "none"}, ValueError, "penalty is 'none'; expected one of 'l2', 'l1', 'elasti"),
        ({"penalty": ["l2"]}, ValueError, r"penalty is \['l2'\]; expected one of 'l2', 'l1', 'el"),
        (
            {"l1_ratio": 1, "solver": "gd"},
            ValueError,
            "Solver gd supports only 'l2' or None penalt",
        ),
        ({"l1_ratio": 1.5}, ValueError, r"l1_ratio is 1.5; expected a number within \[0, 1\]"),
        ({"l1_ratio": "0"}, ValueError, "l1_ratio is '0' of type str"),
        ({"solver": "lbfgs", "l1_ratio": 1}, ValueError, "lbfgs supports only 'l2' or None penal"),
        ({"solver": "liblinear", "l1_ratio": 0.5}, ValueError, "Only 'saga' solver supports elast"),
        ({"solver": "liblinear", "C": np.inf}, ValueError, "not supported for the liblinear solv"),
        ({"penalty": "elasticnet", "l1_ratio": None}, ValueError, "l1_ratio is None; expected a"),
        ({"dual": True}, ValueError, "Solver auto supports only dual=False, got dual=True: onl"),
        ({"dual": "no"}, ValueError, "dual is 'no' of type str; expected True or False"),
        ({"intercept_scaling": 0}, ValueError, "intercept_scaling is 0.0; expected a finite"),
        ({"multi_class": "multinomial"}, ValueError, "multi_class is 'multinomial' and y has two"),
        ({"multi_class": "none"}, ValueError, "multi_class is 'none'; expected 'auto', 'ovr' or"),
        ({"random_state": "seed"}, ValueError, "'seed' cannot be used to seed"),
        ({"n_jobs": "all"}, ValueError, "n_jobs is 'all' of type str; expected an integer"),
        ({"verbose": -1}, ValueError, "verbose is -1; expected an integer >= 0"),
        ({"alpha": "nonsense"}, ValueError, "alpha is 'nonsense'; expected 'auto' or a finite"),
        ({"alpha": 0}, ValueError, "alpha is 0.0; expected a finite number > 0"),
        ({"class_weight": {0: 1, 5: 1}}, ValueError, "not in class_weight"),
        ({"n_threads": 0}, ValueError, "n_threads is 0"),
    ],
)
def test_a_wrong_setting_is_named(cancer, settings, error, message):
    with pytest.raises(error, match=message):
        LogisticRegression(**settings).fit(*cancer)


@pytest.mark.parametrize(
    "settings",
    [
        *(
            {name: value}
            for name in ("C", "tol")
            for value in (True, 1, np.int64(1), np.float32(1))
        ),
        *({"max_iter": value} for value in (True, np.int64(1), np.uint8(1))),
        {"tol": False, "max_iter": False},
        {"intercept_scaling": True, "l1_ratio": False, "n_jobs": True},
        {"class_weight": {0: True, 1: True}},
    ],
    ids=str,
)
def test_numbers_are_accepted_as_by_scikit_learn(cancer, settings):
    as_floats = {
        name: value if isinstance(value, dict) else float(value) for name, value in settings.items()
    }
    for name in {"max_iter", "n_jobs"} & set(settings):
        as_floats[name] = int(settings[name])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        warnings.simplefilter("ignore", FutureWarning)  # scikit-learn's, about n_jobs
        warnings.simplefilter("ignore", UserWarning)  # and, before 1.8, about l1_ratio
        Theirs(**settings).fit(*cancer)
        found = LogisticRegression(**settings).fit(*cancer)
        expected = LogisticRegression(**as_floats).fit(*cancer)
    np.testing.assert_array_equal(found.coef_, expected.coef_)


@pytest.mark.parametrize("switch", ["fit_intercept", "standardize", "warm_start", "dual"])
@pytest.mark.parametrize("value", ["no", "False", "yes", "", 1, 0, None, [], np.array([True])])
@pytest.mark.parametrize("solver", ["auto", "gd"])
def test_a_switch_is_true_or_false(cancer, switch, value, solver):
    for kind in ValueError, TypeError:  # as scikit-learn's InvalidParameterError
        with pytest.raises(kind, match=f"{switch} is .*; expected True or False"):
            LogisticRegression(solver=solver, **{switch: value}).fit(*cancer)


WITHOUT_EFFECT = [
    {"penalty": "deprecated"},
    {"l1_ratio": None},
    {"l1_ratio": 0},
    {"intercept_scaling": 10},
    {"random_state": 0},
    {"random_state": np.random.RandomState(3)},
    {"n_jobs": -1},
    {"n_jobs": 2},
    {"verbose": 1},
    {"verbose": True},
    {"multi_class": "auto"},
    {"multi_class": "ovr"},
    {"solver": "liblinear", "dual": True},
    *({"solver": name} for name in ("liblinear", "newton-cg", "newton-cholesky", "sag", "saga")),
]


@pytest.mark.filterwarnings("ignore::FutureWarning")
@pytest.mark.parametrize("settings", WITHOUT_EFFECT)
def test_parameters_without_effect_are_accepted(cancer, settings, capfd):
    expected = LogisticRegression().fit(*cancer)
    model = clone(LogisticRegression(**settings)).set_params(**settings).fit(*cancer)
    np.testing.assert_array_equal(model.coef_, expected.coef_)
    assert capfd.readouterr() == ("", "")


def test_the_parameters_are_all_those_of_scikit_learn(cancer):
    theirs = Theirs().get_params()
    model = LogisticRegression(**theirs).fit(*cancer)
    assert theirs.items() <= model.get_params().items()
    assert set(theirs) <= set(LogisticRegression().get_params())
    assert LogisticRegression("l2", C=2.0).penalty == "l2"


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"penalty": "l2"},
        {"penalty": None},
        {"penalty": None, "C": 2.0},
        {"penalty": "l2", "l1_ratio": 0.5},
        {"penalty": "l2", "l1_ratio": None},
        {"l1_ratio": None},
        {"l1_ratio": 0},
        {"n_jobs": 1},
        {"C": np.inf},
    ],
    ids=str,
)
def test_scikit_learn_warns_of_the_same(settings):
    X, y, _ = made(200, n_x=2)
    caught = []
    if sklearn.__version__ < "1.8" and settings == {"l1_ratio": 0}:
        pytest.skip("l1_ratio=0 was not the default, and is void with l2")
    if sklearn.__version__.startswith("1.8.") and settings == {"C": np.inf}:
        pytest.skip("scikit-learn 1.8 takes it for penalty=None, and warns of C")
    for estimator in Theirs, LogisticRegression:
        with warnings.catch_warnings(record=True) as warned:
            warnings.simplefilter("always")
            estimator(**settings).fit(X, y)
        caught.append(warned)
    # SciPy deprecates what old versions of scikit-learn call
    theirs, ours = (
        [w.category for w in warned if w.category is not DeprecationWarning] for warned in caught
    )
    assert sorted(ours, key=str) == sorted(theirs, key=str)
    assert {w.filename for w in caught[1]} <= {__file__}


@pytest.mark.filterwarnings("ignore:A plane separates", "ignore:'penalty' was deprecated")
@pytest.mark.filterwarnings("ignore:Setting penalty=None")
def test_no_penalty_is_an_infinite_c(cancer):
    none, infinite = ({"penalty": None, "C": 0.1}, {"C": np.inf})
    of_none, of_infinite = (
        LogisticRegression(max_iter=1000, **settings).fit(*cancer) for settings in (none, infinite)
    )
    np.testing.assert_array_equal(of_none.coef_, of_infinite.coef_)


# ---- State --------------------------------------------------------------------------------------


def interrupted(*_, **__):
    raise KeyboardInterrupt


X3, Y3 = np.arange(12.0).reshape(4, 3) ** 2, np.array(["u", "v", "u", "v"])
FAILURES = {
    "one class": ({}, (X3, ["u"] * 4), ValueError),
    "three classes": ({"solver": "liblinear"}, (X3, [0, 1, 2, 0]), ValueError),
    "no y": ({}, (X3, None), ValueError),
    "mixed y": ({}, (X3, [None, "a", 1, "a"]), ValueError),
    "short y": ({}, (X3, [0, 1]), ValueError),
    "NaN in X": ({}, (np.where(X3 > 9, np.nan, X3), Y3), ValueError),
    "NaN in a frame": ({}, (pd.DataFrame({"q": [1.0, np.nan, 2, 3]}), Y3), ValueError),
    "text in a frame": ({}, (pd.DataFrame({"q": list("abcd")}), Y3), TypeError),
    "no samples": ({}, (X3[:0], Y3[:0]), ValueError),
    "1-dimensional X": ({}, (X3[0], Y3), ValueError),
    "overflow": ({}, (X3 * [[1e305], [-1e305], [1e305], [1.0]], Y3), (ValueError, ArithmeticError)),
    "divergence": ({"solver": "gd", "alpha": 1e308}, (X3 * 9, Y3), ArithmeticError),
    "bad weights": ({}, (X3, Y3, [1, -1, 1, 1]), ValueError),
    "many weights": ({}, (X3, Y3, np.ones((4, 2))), ValueError),
    "class_weight": ({"class_weight": {"u": 1, "x": 2}}, (X3, Y3), ValueError),
    "parameter": ({"standardize": "no"}, (X3, Y3), ValueError),
    "warm start": ({"warm_start": True}, (X3[:, :2], Y3), ValueError),
    "C": ({"C": 5e-324}, (X3, Y3), ValueError),
    "warning": ({"max_iter": 1}, (X3, Y3), ConvergenceWarning),
    "Ctrl-C": ({}, (X3, Y3), KeyboardInterrupt),
}


@pytest.mark.sampled(28)
@pytest.mark.parametrize("failure", FAILURES)
@pytest.mark.parametrize("fitted", ["never", "array", "frame"])
@pytest.mark.filterwarnings("error::sklearn.exceptions.ConvergenceWarning")
def test_a_fit_that_fails_leaves_the_estimator_as_it_was(failure, fitted, monkeypatch):
    settings, data, error = FAILURES[failure]
    X = np.arange(15.0).reshape(5, 3)
    model = LogisticRegression(max_iter=1000)
    if fitted != "never":
        frame = pd.DataFrame(X, columns=list("abc"))
        model.fit(X if fitted == "array" else frame, [0, 1, 1, 0, 1])
    if failure == "warm start" and fitted == "never":
        pytest.skip("there is nothing to start from")
    model.set_params(**settings)
    before = dict(model.__dict__)
    content = pickle.dumps(before)
    if failure == "Ctrl-C":
        monkeypatch.setattr(Objective, "minimization", interrupted)
    with pytest.raises(error):
        model.fit(*data)
    assert list(model.__dict__) == list(before)
    assert all(model.__dict__[name] is value for name, value in before.items())
    assert pickle.dumps(dict(model.__dict__)) == content


def test_a_fit_forgets_the_previous_fit():
    X, y, _ = made(100, n_x=2)
    model = LogisticRegression().fit(pd.DataFrame(X, columns=["a", "b"]), y)
    assert model.fit(X[:, :1], y) is model
    assert model.n_features_in_ == 1
    assert not hasattr(model, "feature_names_in_")


def test_predictions_change_no_state():
    X, y, _ = made(100, n_x=2)
    model = LogisticRegression().fit(X, y)
    before = pickle.dumps(model.__dict__)
    for ask in model.predict, model.predict_proba, model.predict_log_proba, model.decision_function:
        ask(X)
        with pytest.raises(ValueError, match="X has 1 features"):
            ask(X[:, :1])
    assert pickle.dumps(model.__dict__) == before


# ---- Data of every kind -------------------------------------------------------------------------


def columns_of_numbers():
    """Return columns that scikit-learn reads as numbers, stored in different types."""
    v = np.round(made(60)[0][:, 0], 2)
    whole = np.arange(60) % 7
    return {
        "objects": v.astype(object),
        "bool objects": (v > 0).astype(object),
        "texts": pd.Series([str(x) for x in v]),
        "text objects": np.array([str(x) for x in v], object),
        "decimals": [Decimal(str(x)) for x in v],
        "categories": pd.Categorical(whole),
        "categories of text": pd.Categorical([str(x) for x in whole]),
        "Int64": pd.array(whole, dtype="Int64"),
        "boolean": pd.array(v > 0, dtype="boolean"),
        "Float32": pd.array(v, dtype="Float32"),
        "arrow": pd.array(v, dtype="double[pyarrow]"),
        "mixed": [int(x) if x > 0 else str(x) for x in v],
    }


@pytest.mark.parametrize("kind", columns_of_numbers())
def test_columns_that_are_numbers_to_scikit_learn_are_numbers(kind):
    column = columns_of_numbers()[kind]
    X, y, _ = made(60, n_x=2)
    frame = pd.DataFrame({"a": X[:, 0], "b": column})
    values = np.asarray(column).astype(float)
    expected = LogisticRegression().fit(np.column_stack([X[:, 0], values]), y)
    model = LogisticRegression().fit(frame, y)
    np.testing.assert_allclose(model.coef_, expected.coef_, rtol=1e-4)
    assert list(model.feature_names_in_) == ["a", "b"]
    np.testing.assert_array_equal(model.predict(frame), model.predict(frame.astype(float)))


@pytest.mark.parametrize("kind", ["U", "S", object, "list"])
def test_arrays_of_written_numbers_are_read_as_scikit_learn_reads_them(kind):
    text = X3.astype("U")
    given = text.tolist() if kind == "list" else text.astype(kind)
    model, expected = (LogisticRegression().fit(X, Y3) for X in (given, X3))
    np.testing.assert_array_equal(model.coef_, expected.coef_)
    np.testing.assert_array_equal(model.predict(given), expected.predict(X3))


@pytest.mark.parametrize("coef", [[[1.0, -2.0]], [1.0, -2.0], np.array([[1, -2]])])
@pytest.mark.parametrize("intercept", [[0.5], 0.5, np.float32(0.5), np.array([[0.5]])])
def test_coefficients_that_were_set_by_hand_predict(coef, intercept):
    X, y, _ = made(30, n_x=2)
    model = LogisticRegression().fit(X, y)
    model.coef_, model.intercept_ = coef, intercept
    np.testing.assert_allclose(model.decision_function(X), X @ [1.0, -2.0] + 0.5, atol=1e-14)


def test_sparse_coefficients_predict_and_start():
    X, y, _ = made(200, n_x=3)
    model = LogisticRegression(warm_start=True).fit(X, y)
    expected, coef = model.decision_function(X), model.coef_
    assert model.sparsify() is model
    assert isinstance(model.coef_, csr_matrix)
    np.testing.assert_array_equal(model.decision_function(X), expected)
    assert model.fit(X, y).n_iter_[0] <= 1
    np.testing.assert_allclose(model.sparsify().densify().densify().coef_, coef, rtol=1e-6)
    for convert in LogisticRegression().sparsify, LogisticRegression().densify:
        with pytest.raises(NotFittedError):
            convert()


@pytest.mark.parametrize("seed", [-1, 2**32, 1.5, "one", [1], np.random.default_rng(0)])
def test_an_invalid_random_state_is_named(seed):
    with pytest.raises(ValueError, match=r"random_state is .*; expected None or a seed"):
        LogisticRegression(random_state=seed).fit(X3, Y3)


def test_a_lazy_frame_is_refused_with_the_remedy():
    pl = pytest.importorskip("polars")
    frame = pl.LazyFrame({"a": [1.0, 2, 3, 4]})
    for call in (
        lambda: LogisticRegression().fit(frame, Y3),
        lambda: LogisticRegression().fit(frame.collect(), Y3).predict(frame),
    ):
        with pytest.raises(TypeError, match=r"X is a LazyFrame.*pass \.collect\(\)"):
            call()


@pytest.mark.parametrize(
    ("X", "error", "message"),
    [
        (np.array([["1", "x"]] * 4), ValueError, "X does not contain only numbers: .*'x'"),
        (
            np.array([[1, 10**400]] * 4),
            ValueError,
            "X does not contain only numbers: int too large",
        ),
        (pd.Series([1.0, 2, 3, 4]), ValueError, "Expected a 2-dimensional container|2D array"),
        (pd.DataFrame({"a": list("uvwx")}), TypeError, "column 'a' of X is of type String"),
        (pd.DataFrame({"a": pd.date_range("2020", periods=4)}), TypeError, "column 'a' of X is of"),
        (pd.DataFrame({"a": pd.to_timedelta([1, 2, 3, 4])}), TypeError, "column 'a' of X is of"),
        (pd.DataFrame({"a": [[1], [2], [3], [4]]}), TypeError, "column 'a' of X has dtype object"),
        (pd.DataFrame({"a": pd.array([1, None, 3, 4], dtype="Int64")}), ValueError, "has 1 null"),
        (pd.DataFrame({"a": ["1", None, "3", "4"]}), ValueError, "NaN|null"),
        (np.ma.array(X3, mask=X3 == 9), ValueError, "X has masked values; expected no missing"),
        ([np.ma.array(row, mask=row == 9) for row in X3], ValueError, "X has masked values"),
    ],
)
def test_data_that_are_not_a_matrix_of_numbers_are_refused(X, error, message):
    with pytest.raises(error, match=message):
        LogisticRegression().fit(X, Y3)


@pytest.mark.parametrize(
    ("y", "message"),
    [
        ([None, "yes"] * 2, "y contains NaN or a missing label: None at sample 0"),
        (np.array(["yes", None] * 2), "y contains NaN or a missing label: None at sample 1"),
        (np.array(["yes", pd.NA] * 2), "y contains NaN.*: <NA> at sample 1"),
        (pd.Series(["a", None] * 2, dtype="string"), "y contains NaN.*: <NA> at sample 1"),
        (pd.array([True, None] * 2), "y contains NaN"),
        (np.array(["2020", "NaT"] * 2, "M8[Y]"), "y contains NaN.*NaT.* at sample 1"),
        (pd.Series(pd.to_datetime(["2020", None] * 2)), "y contains NaN.*NaT.* at sample 1"),
        (np.array([1, "yes"] * 2, object), r"several types \(int, str\)"),
        ([np.nan, 1.0] * 2, "Input y contains NaN"),
        ([np.inf, 1.0] * 2, "Input y contains infinity"),
        (np.array([np.nan, "a"] * 2, object), "Input y contains NaN.* at sample 0"),
        (pd.Series([1, None] * 2, dtype="Int64"), "NaN"),
        (pd.Series(["a", None] * 2), "NaN"),
        (np.ma.array([0, 1, 0, 1], mask=[0, 0, 0, 1]), "y has masked values"),
        (np.ones((4, 2)), "y should be a 1d array"),
        (1, "y should be a 1d array, got a single value"),
        ("text", "y should be a 1d array, got a single value"),
        (b"text", "y should be a 1d array, got a single value"),
        ({0, 1}, "y should be a 1d array, got a single value"),
        ((label for label in Y3), "y should be a 1d array, got a single value"),
    ],
)
def test_labels_that_are_missing_or_mixed_are_named(y, message):
    with pytest.raises(ValueError, match=message):
        LogisticRegression().fit(X3, y)


@pytest.mark.parametrize(
    ("weight", "message"),
    [
        (np.ones((4, 2)), r"sample_weight has shape \(4, 2\); expected \(4,\)"),
        (np.ones((1, 4)), r"sample_weight has shape \(1, 4\); expected \(4,\)"),
        (np.ones(3), r"sample_weight has shape \(3,\); expected \(4,\)"),
        ("balanced", "sample_weight does not contain only numbers"),
        ([1j] * 4, "sample_weight does not contain only numbers"),
        ([1, -2, 1, 1], "sample_weight is -2 at sample 1"),
        (-1.0, "sample_weight is -1.0 at sample 0"),
        ([1, np.nan, 1, 1], "sample_weight is nan at sample 1"),
        ([1, None, 1, 1], "sample_weight is nan at sample 1"),
        (0.0, "sample_weight is zero at every sample"),
        (np.ma.array(np.ones(4), mask=[0, 0, 1, 0]), "sample_weight has masked values"),
    ],
)
@pytest.mark.parametrize("class_weight", [None, "balanced", {"u": 2, "v": 3}])
def test_invalid_weights_are_named(weight, message, class_weight):
    with pytest.raises(ValueError, match=message):
        LogisticRegression(class_weight=class_weight).fit(X3, Y3, weight)


@pytest.mark.parametrize("number", [2, 2.0, np.float32(2), np.array(2.0), Decimal(2), True])
@pytest.mark.parametrize("class_weight", [None, "balanced"])
def test_one_number_is_the_weight_of_every_sample(number, class_weight):
    X, y, _ = made(60, n_x=2)
    model, expected = (
        LogisticRegression(class_weight=class_weight).fit(X, y, weight)
        for weight in (number, np.full(60, float(number)))
    )
    np.testing.assert_array_equal(model.coef_, expected.coef_)


@pytest.mark.sampled(28)
@pytest.mark.parametrize("solver", ["auto", "gd"])
@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize("size", [1e-307, 1e-150, 1e-30, 1e30, 1e307])
@pytest.mark.parametrize("class_weight", [None, {False: 2.0, True: 1.0}])
def test_weights_of_any_size_are_weights(size, dtype, solver, class_weight):
    X, y, weight = made(60, n_x=2)
    fixed = {"solver": solver, "class_weight": class_weight, "tol": 1e-7, "max_iter": 20_000}
    ours = LogisticRegression(C=1 / size, **fixed).fit(X.astype(dtype), y, weight * size)
    expected = LogisticRegression(**fixed).fit(X.astype(dtype), y, weight)
    np.testing.assert_allclose(ours.coef_, expected.coef_, rtol=1e-4)


def test_weights_of_class_and_sample_that_leave_nothing_name_both():
    for of_class, weight in ({"u": 0}, [0, 0, 0, 0.0]), ({"u": 1e308, "v": 1}, [1e308] * 4):
        weight[1] = weight[0]
        with pytest.raises(ValueError, match="sample_weight"):
            LogisticRegression(class_weight=of_class).fit(X3, Y3, weight)
    with pytest.raises(ValueError, match="class_weight times sample_weight is 0 for every sample"):
        LogisticRegression(class_weight={"u": 0, "v": 1}).fit(X3, Y3, [1, 0, 1, 0])


def test_labels_that_are_not_two_classes_are_refused():
    X = np.arange(12.0).reshape(6, 2)
    with pytest.raises(ValueError, match=r"'liblinear' solver does not .*OneVsRestClassifier"):
        LogisticRegression(solver="liblinear").fit(X, [0, 1, 2, 0, 1, 2])
    for refused, why in (
        ({"solver": "gd"}, "Only binary classification is supported with solver='gd'"),
        ({"multi_class": "ovr"}, "multi_class is 'ovr' and y has 3 classes; .*OneVsRestClassifier"),
    ):
        with pytest.raises(ValueError, match=why):
            LogisticRegression(**refused).fit(X, [0, 1, 2, 0, 1, 2])
    with pytest.raises(ValueError, match="only one class: 1"):
        LogisticRegression().fit(X, np.ones(6, dtype=int))
    with pytest.raises(ValueError, match="Unknown label type: continuous"):
        LogisticRegression().fit(X, [0.5, 1.5] * 3)
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        LogisticRegression().fit(X, [0, 1], [1.0] * 6)
    with pytest.raises(ValueError, match="class True has only samples of weight 0"):
        LogisticRegression(class_weight="balanced").fit(X, [False, True] * 3, [1, 0] * 3)


@pytest.mark.parametrize("solver", ["auto", "gd"])
def test_overflow_of_finite_data_is_told(solver):
    X = np.array([[1e308], [-1e308], [1.0]] * 3)
    with pytest.raises((OverflowError, ArithmeticError), match="rescale X"):
        LogisticRegression(solver=solver).fit(X, [0, 1, 1] * 3)


def test_not_converging_is_told_as_scikit_learn_does(raw):
    message = r"failed to converge after 5 iteration\(s\)(?s:.*)\(max_iter=5\)"
    of_1_6 = r"lbfgs failed to converge \(status=1\)"
    theirs = of_1_6 if sklearn.__version__.startswith("1.6.") else message
    for estimator, words in (Theirs, theirs), (LogisticRegression, message):
        with pytest.warns(ConvergenceWarning, match=words):
            estimator(max_iter=5).fit(*raw)


# ---- Imports -------------------------------------------------------------------------------------


@pytest.mark.long
def test_the_core_loads_neither_scikit_learn_nor_scipy():
    loaded = run_python(
        "import logreg_c, sys; logreg_c.train([[1.0, 2.0]], [0, 1], 0.1, 1)\n"
        "print(sorted({'sklearn', 'scipy', 'joblib'} & set(sys.modules)))"
    )
    assert loaded.strip() == "[]"


@pytest.mark.parametrize("missing", ["sklearn", "scipy"])
@pytest.mark.long
def test_the_extra_is_named_where_it_is_missing(missing):
    code = f"import sys; sys.modules[{missing!r}] = None; import logreg_c.sklearn"
    done = subprocess.run(
        [sys.executable, "-P", "-c", code], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "ImportError: logreg_c.sklearn needs scikit-learn 1.6 or later" in done.stderr
    assert "pip install 'logreg-c[sklearn]'" in done.stderr
