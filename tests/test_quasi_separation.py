# SPDX-License-Identifier: BSD-3-Clause
"""Weights that run away are named by `fit`, the estimator and `inference`, and no others are."""

import contextlib
import warnings

import numpy as np
import pytest

import logreg_c

CERTAIN_OF_9 = r"weights of feature 2 grow without bound, .* certain of 9 examples"


def warns(message):
    """Expect a warning that matches, or none."""
    if message:
        return pytest.warns(logreg_c.ConvergenceWarning, match=message)
    return contextlib.nullcontext()


def quasi_separated(m=400, seed=3):
    """Return X with a rare feature whose examples all have label 1, and labels."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((3, m))
    Y = (X[0] + rng.logistic(size=m) > 0).astype(np.uint8)
    X[2] = 0.0
    X[2, np.flatnonzero(Y)[:9]] = 1.0
    return X, Y


@pytest.mark.parametrize("settings", [{}, {"intercept": False}])
@pytest.mark.parametrize("dtype", ["f8", "f4"])
def test_a_weight_that_runs_away_is_named(settings, dtype):
    X, Y = quasi_separated()
    X = X.astype(dtype)
    with warns(CERTAIN_OF_9 + r".* \(quasi-separation\), .* such as l2=1e-4"):
        found = logreg_c.fit(X, Y, **settings)
    assert found.converged
    at = {"intercept": settings.get("intercept", True)}
    with warns(CERTAIN_OF_9 + ".* firth=True or a penalty"):
        assert logreg_c.inference(X, Y, found.w, found.b, **at).standard_errors[2] > 100.0


@pytest.mark.parametrize("settings", [{"l2": 1e-3}, {"firth": True}])
def test_a_penalty_holds_it(settings):
    X, Y = quasi_separated()
    found = logreg_c.fit(X, Y, **settings)
    logreg_c.inference(X, Y, found.w, found.b, **settings)


def test_examples_that_hold_it_back_hold_the_warning_back():
    X, Y = quasi_separated()
    zero = np.flatnonzero(Y == 0)[0]
    X[2, zero] = 1e-3  # a hundredth of a thousandth of the others' pull, but a limit
    found = logreg_c.fit(X, Y, tol=1e-12)
    logreg_c.inference(X, Y, found.w, found.b)
    weights = np.ones(Y.size)
    weights[zero] = 0.0
    with warns(CERTAIN_OF_9):
        found = logreg_c.fit(X, Y, sample_weight=weights)
    with warns(CERTAIN_OF_9):
        logreg_c.inference(X, Y, found.w, found.b, sample_weight=weights)


def test_a_label_between_0_and_1_holds_it_back():
    X, Y = quasi_separated()
    Y = Y.astype(np.float64)
    Y[np.flatnonzero(X[2])[0]] = 1.0 - 1e-6
    found = logreg_c.fit(X, Y, tol=1e-13)
    logreg_c.inference(X, Y, found.w, found.b)


def test_a_category_of_one_label_is_named():
    pd = pytest.importorskip("pandas")
    pytest.importorskip("narwhals")
    X, Y = quasi_separated()
    town = pd.Categorical.from_codes(X[2].astype(int), ["large", "small"])
    frame = pd.DataFrame({"age": X[0], "town": town})
    with warns("'town=large', 'town=small' grow without"):
        found = logreg_c.fit(frame, Y)
    with warns("'town=small' grow without"):
        logreg_c.inference(frame, Y, found.w, found.b)


def test_sparse_features_are_named():
    scipy_sparse = pytest.importorskip("scipy.sparse")
    X, Y = quasi_separated()
    with warns(CERTAIN_OF_9):
        logreg_c.fit(scipy_sparse.csc_array(X), Y)


def in_batches(X, Y):
    """The same examples, a few at a time."""

    def read():
        for first in range(0, Y.size, 3000):
            part = slice(first, first + 3000)
            yield {"y": Y[part]} | {f"x{j}": x[part] for j, x in enumerate(X)}

    return logreg_c.batches.Batches(read)


def test_they_are_named_in_batches():
    X, Y = quasi_separated(10_000)
    with warns(r"weights of 'x2' grow without bound, .* certain of 9 examples"):
        found = logreg_c.fit(in_batches(X, Y), "y")
    with warns(CERTAIN_OF_9):
        same = logreg_c.fit(X, Y)
    assert found.w.tobytes() == same.w.tobytes()
    X[2, np.flatnonzero(Y == 0)[-1]] = 1e-3
    logreg_c.fit(in_batches(X, Y), "y")


def test_fit_many_counts_them_and_names_the_first():
    X, Y = quasi_separated()
    held = X.copy()
    held[2, np.flatnonzero(Y == 0)[0]] = 1e-3
    first = r"run away in 2 of 4 fits\. The first is fit 1: J has no minimum.* "
    with warns(first + CERTAIN_OF_9 + r" .* or make this fit by fit\(firth=True\)"):
        logreg_c.fit_many([held, X, held, X], [Y] * 4)
    with warns("1 of 2 .* fit 1: .* weights of feature 2 grow"):
        logreg_c.fit_many([X, X], [Y, Y], l2=[1e-3, 0.0], intercept=False)


def test_a_separated_fit_is_counted_once():
    X, Y = quasi_separated()
    with warns("1 of 2 fits ended without the minimum"):
        logreg_c.fit_many(X, [Y, X[0] > 0], l2=[1e-3, 0.0])


def test_the_estimator_names_them():
    sklearn = pytest.importorskip("logreg_c.sklearn")
    exceptions = pytest.importorskip("sklearn.exceptions")
    X, Y = quasi_separated()
    with pytest.warns(exceptions.ConvergenceWarning, match=CERTAIN_OF_9 + ".* finite value"):
        sklearn.LogisticRegression(C=np.inf).fit(X.T, Y)
    sklearn.LogisticRegression(C=1e3).fit(X.T, Y)


def test_several_weights_run_away_together():
    rng = np.random.default_rng(1)
    X = rng.standard_normal((7, 300))
    Y = rng.integers(0, 2, 300)
    side = np.where(rng.random(300) < 0.3, 2 * Y - 1, 0)  # the sign of the sum of all seven
    X[6] = side * rng.random(300) - X[:6].sum(axis=0)
    message = "feature 0, feature 1, feature 2, feature 3, feature 4, ... grow"
    with warns(message):
        found = logreg_c.fit(X, Y, tol=1e-12)
    with pytest.raises(ValueError, match=r"feature 6 is a combination .* other examples\. Their"):
        logreg_c.inference(X, Y, found.w, found.b)
    with warns(message):
        found = logreg_c.fit(X, Y, tol=1e-6)
    with warns(message):
        logreg_c.inference(X, Y, found.w, found.b)


@pytest.mark.parametrize("tol", [1e-3, 1e-4, 1e-6])
def test_a_search_that_ends_early_goes_on_to_name_them(tol):
    X, Y = quasi_separated()
    kept = []
    with warns(CERTAIN_OF_9):
        found = logreg_c.fit(X, Y, tol=tol, callback=lambda k, *_: kept.append(k))
    assert found.costs.size == len(kept) <= found.passes < 20
    assert found.gap <= tol < 1e3 * found.gap
    held = X.copy()
    held[2, np.flatnonzero(Y == 0)[0]] = 1e-3
    logreg_c.fit(held, Y, tol=tol)


# ---- Several classes -----------------------------------------------------------------------------


def quasi_separated_classes(m=400, seed=5):
    """Return X with a rare feature that goes with class 1 only, and classes 0, 1 and 2."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((3, m))
    Y = np.argmax(np.array([0.0 * X[0], X[0], X[1]]) + rng.gumbel(size=(3, m)), axis=0)
    X[2] = 0.0
    X[2, np.flatnonzero(Y == 1)[:9]] = 1.0
    return X, Y


@pytest.mark.parametrize("settings", [{}, {"intercept": False}, {"tol": 1e-6}, {"tol": 1e-4}])
def test_a_weight_of_several_classes_is_named(settings):
    X, Y = quasi_separated_classes()
    with warns(CERTAIN_OF_9 + r".* \(quasi-separation\), .* small penalty, such as l2=1e-4"):
        assert logreg_c.fit(X, Y, **settings).converged
    logreg_c.fit(X, Y, l2=1e-3, **settings)


def test_a_value_that_lacks_one_of_three_classes_is_named():
    X, Y = quasi_separated_classes()
    X[2] = 0.0
    X[2, np.flatnonzero(Y != 1)[:9]] = 1.0
    with warns(CERTAIN_OF_9):
        logreg_c.fit(X, Y)
    X[2, np.flatnonzero(Y == 1)[0]] = 1e-3
    logreg_c.fit(X, Y)


def test_probabilities_of_two_classes_hold_back_what_parts_them():
    X, Y = quasi_separated_classes()
    rows = (np.arange(3)[:, np.newaxis] == Y).astype(float)
    with warns(CERTAIN_OF_9):
        logreg_c.fit(X, rows)
    first = np.flatnonzero(X[2])[0]
    rows[:, first] = 0.0, 0.9, 0.1
    with warns(CERTAIN_OF_9):  # no longer of class 1 for all, but not of class 0
        logreg_c.fit(X, rows)
    rows[:, first] = 0.05, 0.9, 0.05
    logreg_c.fit(X, rows)


def test_those_of_several_classes_are_named_in_batches_and_of_sparse_features():
    scipy_sparse = pytest.importorskip("scipy.sparse")
    X, Y = quasi_separated_classes(10_000)
    with warns(r"weights of 'x2' grow without bound, .* certain of 9 examples"):
        found = logreg_c.fit(in_batches(X, Y), "y")
    with warns(CERTAIN_OF_9):
        assert found.w.tobytes() == logreg_c.fit(X, Y).w.tobytes()
    with warns(CERTAIN_OF_9):
        logreg_c.fit(scipy_sparse.csc_array(X), Y)


def test_the_estimator_names_those_of_several_classes():
    sklearn = pytest.importorskip("logreg_c.sklearn")
    exceptions = pytest.importorskip("sklearn.exceptions")
    X, Y = quasi_separated_classes()
    with pytest.warns(exceptions.ConvergenceWarning, match=CERTAIN_OF_9 + ".* finite value"):
        sklearn.LogisticRegression(C=np.inf).fit(X.T, Y)
    sklearn.LogisticRegression(C=1e3).fit(X.T, Y)


def test_a_class_without_examples_is_not_taken_for_one():
    X, Y = quasi_separated_classes()
    X[2] = X[0] * X[1]
    logreg_c.fit(X, np.where(Y == 2, 3, Y))


@pytest.mark.parametrize("tol", [1e-3, 1e-6, 1e-9, 1e-12])
def test_regular_classes_raise_no_alarm(tol):
    for m in (100, 1000):
        rng = np.random.default_rng(m)
        X = rng.standard_normal((4, m)) * np.array([[1e-6], [1.0], [1e3], [1.0]])
        X[3] = rng.random(m) < 0.05
        scores = np.array([0.0 * X[0], 3.0 * X[1], X[2] / 1e3 + 2.0 * X[3]])
        Y = np.argmax(scores + rng.gumbel(size=(3, m)), axis=0)
        X[3, :3], Y[:3] = 1.0, [0, 1, 2]
        assert logreg_c.fit(X, Y, tol=tol).converged


# ---- Regular problems ----------------------------------------------------------------------------


def log_odds(name, rng, X):
    """Return regular log-odds of X, which may change."""
    if name == "noise":
        return 0.0 * X[0]
    if name == "a strong signal":
        return 9.0 * X.sum(axis=0)
    if name == "rare positives":
        return X[0] - 4.0
    if name == "heavy tails":
        X[...] = X**3
        return np.clip(X[1], -3.0, 3.0)
    if name == "nearly collinear":
        X[-1] = X[0] + 1e-6 * X[-1]
        return X[0]
    rare = rng.random(X.shape[1]) < 0.01
    X[-1] = rare + (1e-3 * X[-1] if name == "a rare feature with noise" else 0.0)
    return X[1] + np.where(rare, 1e9, 0.0)


REGULAR = (
    "noise",
    "a strong signal",
    "rare positives",
    "heavy tails",
    "nearly collinear",
    "a rare feature with noise",
    "a rare feature with one exception",
)


@pytest.mark.parametrize("name", REGULAR)
@pytest.mark.parametrize("tol", [1e-3, 1e-6, 1e-9, 1e-12])
def test_regular_problems_raise_no_alarm(name, tol):
    for m in (300, 3000):
        rng = np.random.default_rng(m)
        X = rng.standard_normal((5, m))
        z = log_odds(name, rng, X)
        Y = (z + rng.logistic(size=m) > 0).astype(np.uint8)
        if name == "a rare feature with one exception":
            Y[np.flatnonzero(X[-1])[0]] = 0
        X *= np.array([[1e-6], [1.0], [1e3], [1.0], [1e-3]])
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            logreg_c.fit(X, Y, tol=tol)
        assert not any("no minimum" in str(one.message) for one in said)


def test_a_search_that_rounding_or_passes_end_does_not_go_on():
    X = np.array(
        [
            [-1, 6, -4, 3, -3, 1, 9, 1],
            [9, 5, 4, 4, -1, 8, 0, -7],
            [8, 4, -4, -9, -4, 6, -3, 0],
            [-3, -1, 0, 4, 9, 3, 1, -5],
            [5, -3, -5, 9, 1, -8, 3, -2],
            [-9, -4, 6, -5, -2, -6, 5, -2],
        ]
    )
    with pytest.warns(logreg_c.ConvergenceWarning):
        found = logreg_c.fit(X, [1, 1, 0, 0, 1, 1, 1, 0], b=1.5e15)
    assert not found.converged
