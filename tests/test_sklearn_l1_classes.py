# SPDX-License-Identifier: BSD-3-Clause
"""An l1 penalty with several classes: at the minimum, no step lowers the cost."""

import warnings

import numpy as np
import pytest

pytest.importorskip("sklearn", reason="needs scikit-learn: pip install 'logreg-c[sklearn]'")

from scipy.sparse import csc_array, csr_array
from scipy.special import logsumexp, softmax
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression as Theirs
from sklearn.model_selection import KFold
from sklearn.preprocessing import StandardScaler

from logreg_c.sklearn import LogisticRegression, LogisticRegressionCV


def made(m, n_x, k, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((m, n_x)) + rng.standard_normal(n_x)
    few = rng.standard_normal((n_x, k)) * (rng.random((n_x, k)) < 5 / n_x)
    return X, np.argmax(X @ few + rng.gumbel(size=(m, k)), axis=1)


def residual(model, X, y, C, ratio, s=None, unit=1.0):
    """Return how far the coefficients are from those at which a subgradient is 0."""
    s = np.ones(len(y)) if s is None else s
    X = X.toarray() if hasattr(X, "toarray") else X
    w, strength = model.coef_, 1.0 / (C * s.sum())
    A = softmax(X @ w.T + model.intercept_, axis=1)
    dZ = (A - (y[:, None] == model.classes_)) * s[:, None] / s.sum()
    slope = dZ.T @ X + (1.0 - ratio) * strength * unit**2 * w
    l1 = ratio * strength * unit
    of_w = np.where(w != 0.0, np.abs(slope + l1 * np.sign(w)), np.maximum(np.abs(slope) - l1, 0.0))
    return max(of_w.max(), np.abs(dZ.sum(0)).max() if model.fit_intercept else 0.0)


def cost(model, X, y, C, ratio):
    Z, w = X @ model.coef_.T + model.intercept_, model.coef_
    loss = logsumexp(Z, axis=1) - Z[np.arange(len(y)), np.searchsorted(model.classes_, y)]
    return C * loss.sum() + ratio * np.abs(w).sum() + (1.0 - ratio) * (w**2).sum() / 2.0


@pytest.mark.parametrize("ratio", [1.0, 0.5])
@pytest.mark.parametrize("C", [0.02, 1.0, 50.0])
@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("shape", [(150, 4, 3), (400, 30, 7)])
@pytest.mark.sampled(3)
def test_no_subgradient_is_left(shape, fit_intercept, C, ratio):
    X, y = made(*shape)
    settings = {"l1_ratio": ratio, "C": C, "fit_intercept": fit_intercept, "tol": 1e-8}
    model = LogisticRegression(**settings, max_iter=1000).fit(X, y)
    assert residual(model, X, y, C, ratio) <= 2e-8
    assert C > 1 or ratio < 1.0 or (model.coef_ == 0.0).any()
    assert model.intercept_.sum() == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize("kind", [csr_array, csc_array, np.asfortranarray, np.float32])
def test_any_layout(kind):
    X, y = made(300, 20, 4)
    X = kind(np.where(np.abs(X) > 1.0, X, 0.0).astype(np.float32).astype(float))
    s = np.arange(300) % 4 + 0.5
    model = LogisticRegression(l1_ratio=1.0, C=0.3, tol=1e-8, max_iter=1000).fit(X, y, s)
    assert residual(model, X, y, 0.3, 1.0, s) <= 2e-8


def test_standardized_features_are_penalized_alike():
    X, y = made(300, 6, 3)
    X = X * [1.0, 100.0, 0.01, 5.0, 1.0, 0.0]
    settings = {"l1_ratio": 0.7, "C": 0.2, "standardize": True, "max_iter": 1000}
    model = LogisticRegression(**settings, tol=1e-7).fit(X, y)
    assert (model.coef_[:, 5] == 0.0).all()
    scaled = LogisticRegression(**{**settings, "standardize": False}, tol=1e-7)
    scaled.fit((X - X.mean(0)) / np.where(X.std(0) > 0, X.std(0), 1.0), y)
    np.testing.assert_allclose(model.coef_ * X.std(0), scaled.coef_, atol=1e-5)


@pytest.mark.long
@pytest.mark.parametrize("n_x", [400, 900])
def test_more_parameters_than_one_hessian_takes(n_x):
    """Of a few features with all classes, or of each class alone."""
    X, y = made(600, n_x, 6)
    for C in 0.02, 0.5:
        model = LogisticRegression(l1_ratio=1.0, C=C, tol=1e-6, max_iter=2000).fit(X, y)
        assert residual(model, X, y, C, 1.0) <= 2e-6


def test_the_cost_is_at_most_that_of_saga():
    X, y = load_iris(return_X_y=True)
    X = StandardScaler().fit_transform(X)
    for settings in {"l1_ratio": 1.0}, {"l1_ratio": 0.5}:
        ours = LogisticRegression(C=2.0, **settings).fit(X, y)
        theirs = Theirs(C=2.0, solver="saga", penalty="elasticnet", max_iter=3000, tol=1e-5)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of what is deprecated, and of 3,000 iterations
            theirs.set_params(**settings).fit(X, y)
        least, other = (cost(one, X, y, 2.0, settings["l1_ratio"]) for one in (ours, theirs))
        assert least <= other * (1.0 + 1e-9)
        assert other == pytest.approx(least, rel=1e-3)


def test_threads_change_no_bit():
    X, y = made(2000, 12, 4)
    one, three = (
        LogisticRegression(l1_ratio=1.0, C=0.1, n_threads=n).fit(X, y).coef_ for n in (1, 3)
    )
    np.testing.assert_array_equal(one, three)


def test_paths_of_folds_end_at_the_minimum():
    X, y = made(200, 10, 3)
    folds, Cs = list(KFold(3).split(X)), [0.03, 0.3, 3.0]
    settings = {"tol": 1e-8, "max_iter": 1000}
    model = LogisticRegressionCV(
        Cs=Cs,
        cv=folds,
        l1_ratios=(0.5, 1.0),
        scoring="neg_log_loss",
        use_legacy_attributes=False,
        **settings,
    ).fit(X, y)
    for k, (train, _) in enumerate(folds):
        for r, ratio in enumerate((0.5, 1.0)):
            for c, C in enumerate(Cs):
                alone = LogisticRegression(C=C, l1_ratio=ratio, **settings)
                alone.fit(X[train], y[train])
                found = model.coefs_paths_[k, r, c]
                np.testing.assert_allclose(found[:, :-1], alone.coef_, atol=2e-4)


def test_warm_start_takes_fewer_passes():
    X, y = made(500, 20, 4)
    model = LogisticRegression(l1_ratio=1.0, C=0.1, warm_start=True).fit(X, y)
    first = model.n_iter_[0]
    assert model.fit(X, y).n_iter_[0] < first
