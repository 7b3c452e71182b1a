# SPDX-License-Identifier: BSD-3-Clause
"""The estimators on sparse X: what they do with the dense X, and what scikit-learn does."""

import numpy as np
import pytest

pytest.importorskip("sklearn", reason="needs scikit-learn: pip install 'logreg-c[sklearn]'")

import scipy.sparse as sp
from sklearn.compose import ColumnTransformer
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression as Theirs
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from test_sparse import make_sparse

from logreg_c.sklearn import LogisticRegression, LogisticRegressionCV

LAYOUTS = ["csr_array", "csr_matrix", "csc_array", "csc_matrix", "coo_matrix"]


def samples(shape=(300, 40), dtype="f8"):
    X, _ = make_sparse(shape[::-1], dtype, 0.2)
    X = X.T.tocsr()
    z = X.astype(float) @ np.linspace(-1, 1, shape[1])
    noise = np.random.default_rng(0).standard_normal(shape[0])
    return X, np.where(z - np.median(z) + 5 * noise > 0, "yes", "no")


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dtype", ["f8", "f4", "i4", "?"])
@pytest.mark.sampled(8)
def test_fits_and_predicts_as_on_dense_x(layout, dtype):
    X, y = samples(dtype=dtype)
    given = getattr(sp, layout)(X)
    ours, dense = LogisticRegression().fit(given, y), LogisticRegression().fit(X.toarray(), y)
    np.testing.assert_allclose(ours.coef_, dense.coef_, rtol=1e-4, atol=1e-6)
    for name in "predict", "predict_proba", "predict_log_proba", "decision_function":
        found = getattr(ours, name)(given)
        if name == "predict":
            assert found.tolist() == dense.predict(X.toarray()).tolist()
        else:
            np.testing.assert_allclose(found, getattr(dense, name)(X.toarray()), atol=1e-5)


def test_the_minimum_is_that_of_scikit_learn():
    X, y = samples()
    theirs = Theirs(tol=1e-10, max_iter=10_000).fit(X, y)
    ours = LogisticRegression().fit(X, y)
    np.testing.assert_allclose(ours.coef_, theirs.coef_, atol=1e-5)
    ours.sparsify()
    assert (ours.predict(X) == theirs.predict(X)).mean() > 0.99


@pytest.mark.parametrize("intercept", [True, False])
def test_standardized_features_have_the_minimum_of_dense_x(intercept):
    X, y = samples()
    X = X @ sp.diags_array(10.0 ** (np.arange(40) % 7 - 3))
    settings = {"standardize": True, "fit_intercept": intercept, "tol": 1e-8}
    ours = LogisticRegression(**settings).fit(X, y)
    dense = LogisticRegression(**settings).fit(X.toarray(), y)
    np.testing.assert_allclose(ours.coef_, dense.coef_, rtol=1e-4, atol=1e-7)


def test_descends_and_says_that_it_does_not_centre():
    X, y = samples()
    found = LogisticRegression(solver="gd", max_iter=20_000).fit(X, y)
    np.testing.assert_allclose(found.coef_, LogisticRegression().fit(X, y).coef_, atol=0.02)
    with pytest.raises(ValueError, match=r"centring .*StandardScaler\(with_mean=False\)"):
        LogisticRegression(solver="gd", standardize=True).fit(X, y)


@pytest.mark.parametrize("standardize", [True, False])
@pytest.mark.long
def test_cross_validation(standardize):
    X, y = samples()
    settings = {"Cs": 3, "cv": 3, "scoring": "neg_log_loss", "l1_ratios": (0,)}
    settings |= {"standardize": standardize, "use_legacy_attributes": False}
    ours = LogisticRegressionCV(**settings).fit(X, y)
    dense = LogisticRegressionCV(**settings).fit(X.toarray(), y)
    assert ours.C_ == dense.C_
    np.testing.assert_allclose(ours.scores_, dense.scores_, rtol=1e-4)
    search = GridSearchCV(LogisticRegression(), {"C": [0.01, 1.0]}, cv=3).fit(X, y)
    assert search.best_score_ > 0.5


def test_nan_and_bad_indices_are_reported():
    X, y = samples()
    X.data[5] = np.nan
    with pytest.raises(ValueError, match="Input X contains NaN"):
        LogisticRegression().fit(X, y)
    X, y = samples()
    model = LogisticRegression().fit(X, y)
    X.indices[7] = 40
    for call in lambda: model.fit(X, y), lambda: model.predict(X):
        with pytest.raises(ValueError, match=r"X.indices\[7\] is 40; expected a number within"):
            call()
    with pytest.raises(ValueError, match="X has 39 features, but LogisticRegression is expecting"):
        model.predict(samples((5, 39))[0])


def test_in_pipelines_that_make_sparse_features():
    texts = ["good soup", "bad soup", "good fish, good wine", "bad wine"] * 5
    y = [1, 0, 1, 0] * 5
    pipeline = make_pipeline(TfidfVectorizer(), LogisticRegression()).fit(texts, y)
    assert pipeline.predict(["good", "bad"]).tolist() == [1, 0]
    table = np.array([[k % 7, k % 30, k] for k in range(200)])
    columns = ColumnTransformer([("a", OneHotEncoder(), [0, 1]), ("b", StandardScaler(), [2])])
    late = table[:, 0] + table[:, 2] / 100 > 4
    ours = make_pipeline(columns, LogisticRegression()).fit(table, late)
    theirs = make_pipeline(columns, Theirs(tol=1e-8)).fit(table, late)
    assert ours.score(table, late) == theirs.score(table, late)


@pytest.mark.parametrize("standardize", [False, True])
def test_an_l1_penalty_gives_the_weights_of_dense_x(standardize):
    rng = np.random.default_rng(5)
    X = sp.random_array((400, 60), density=0.1, rng=rng, format="csr")
    X.data += 1.0
    y = X @ rng.normal(size=60) + rng.logistic(size=400) > 0
    settings = {"l1_ratio": 0.8, "C": 0.5, "standardize": standardize, "tol": 1e-8}
    dense = LogisticRegression(**settings).fit(X.toarray(), y)
    sparse = LogisticRegression(**settings).fit(X, y)
    np.testing.assert_allclose(sparse.coef_, dense.coef_, atol=1e-6)
    assert 0 < np.count_nonzero(sparse.coef_) < 60
    np.testing.assert_array_equal(sparse.coef_ == 0, dense.coef_ == 0)
