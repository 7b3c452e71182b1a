# SPDX-License-Identifier: BSD-3-Clause
"""The estimator on data that come in batches has the bits of the same data in memory."""

import numpy as np
import pytest

from logreg_c import batches

pytest.importorskip("sklearn", reason="needs scikit-learn: pip install 'logreg-c[sklearn]'")

import pandas as pd

from logreg_c.sklearn import LogisticRegression, LogisticRegressionCV

M = 9_001
NAMES = ["x0", "x1", "x2"]


def make_frame():
    rng = np.random.default_rng(5)
    frame = pd.DataFrame(rng.standard_normal((M, 3)), columns=NAMES)
    is_late = rng.random(M) < 1 / (1 + np.exp(-frame["x0"] - 1))
    frame["y"] = np.where(is_late, "late", "early")
    frame["s"] = rng.random(M)
    return frame


FRAME = make_frame()
COLUMNS = [np.ascontiguousarray(FRAME[name]) for name in NAMES]


def in_batches(frame=FRAME, **settings):
    pieces = [frame[k : k + 2500] for k in range(0, len(frame), 2500)]
    return batches.Batches(lambda: pieces, **settings)


def assert_same(one, other):
    assert one.coef_.tobytes() == other.coef_.tobytes()
    assert one.intercept_.tobytes() == other.intercept_.tobytes()
    assert one.costs_.tobytes() == other.costs_.tobytes()


@pytest.mark.parametrize(
    "settings",
    [{}, {"class_weight": "balanced", "C": 1e-3}, {"standardize": True, "fit_intercept": False},
     {"solver": "gd", "max_iter": 5, "tol": 1.0}, {"C": 1e-2, "l1_ratio": 0.5, "solver": "saga"}],
)  # fmt: skip
@pytest.mark.long
def test_fit_and_predictions(settings):
    model = LogisticRegression(**settings).fit(in_batches(), "y", "s")
    whole = LogisticRegression(**settings).fit(FRAME[NAMES], FRAME["y"], FRAME["s"])
    assert_same(model, whole)
    assert model.classes_.tolist() == ["early", "late"]
    assert model.feature_names_in_.tolist() == NAMES
    assert (model.n_features_in_, model.n_iter_) == (3, whole.n_iter_)
    for name in "decision_function", "predict", "predict_proba", "predict_log_proba":
        found, expected = getattr(model, name)(in_batches()), getattr(whole, name)(FRAME[NAMES])
        assert np.array_equal(found, expected)
    assert model.score(in_batches(), FRAME["y"]) == whole.score(FRAME[NAMES], FRAME["y"])


def test_y_is_an_array_and_batches_have_no_names():
    X = FRAME[NAMES].to_numpy()
    model = LogisticRegression().fit(batches.Batches(lambda: np.array_split(X, 4)), FRAME["y"])
    assert_same(model, LogisticRegression().fit(np.ascontiguousarray(X), FRAME["y"]))
    assert not hasattr(model, "feature_names_in_")


@pytest.mark.long
def test_warm_start_and_chosen_columns():
    chosen = in_batches(columns=["x2", "x0"])
    model = LogisticRegression(warm_start=True).fit(chosen, "y").fit(chosen, "y")
    whole = LogisticRegression(warm_start=True)
    whole.fit(FRAME[["x2", "x0"]], FRAME["y"]).fit(FRAME[["x2", "x0"]], FRAME["y"])
    assert_same(model, whole)
    assert np.array_equal(model.predict(in_batches()), whole.predict(FRAME[["x2", "x0"]]))


@pytest.mark.sampled(1)
@pytest.mark.parametrize("settings", [{}, {"standardize": True, "class_weight": "balanced"}])
def test_several_classes(settings):
    y = np.array(["early", "late", "lost"])[np.where(FRAME["s"] < 0.1, 2, FRAME["y"] == "late")]
    model = LogisticRegression(**settings).fit(FRAME[NAMES], y)
    assert_same(LogisticRegression(**settings).fit(in_batches(columns=NAMES), y), model)
    for name in "predict_proba", "predict", "decision_function":
        found, expected = getattr(model, name)(in_batches()), getattr(model, name)(FRAME[NAMES])
        assert np.array_equal(found, expected)


@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_what_needs_memory_is_refused():
    with pytest.raises(TypeError, match=r"only train, fit, .* and the estimator Log"):
        LogisticRegressionCV().fit(in_batches(), FRAME["y"])
    with pytest.raises(ValueError, match="there is no column 'z'; expected all of 'z'"):
        LogisticRegression().fit(in_batches(), "z")
    with pytest.raises(TypeError, match="'y' is the name of a column, and the batches are arrays"):
        LogisticRegression().fit(batches.Batches(lambda: [np.ones((3, 1))]), "y")
    with pytest.raises(ValueError, match="the batches have no rows"):
        LogisticRegression().fit(batches.Batches(list), "y")
