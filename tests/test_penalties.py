# SPDX-License-Identifier: BSD-3-Clause
"""`fit` with an l1 penalty, factors of penalties and bounds."""

import pickle
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from oracle import Penalized, printed_on_every_isa

import logreg_c
from logreg_c._solvers.penalty import Penalty
from logreg_c.callbacks import Checkpoint


def make(n_x, m, seed=0, *, nonzero=3, scale=1.0, offset=0.0):
    """Return X (n_x, m), and labels that a few of the features tell."""
    rng = np.random.default_rng([seed, n_x, m])
    X = rng.standard_normal((n_x, m))
    z = X[:nonzero].sum(axis=0) + rng.logistic(size=m)
    Y = (z > 0).astype(np.uint8)
    Y[:2] = 0, 1
    return X * scale + offset, Y


def quiet(*args, **kwargs):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", logreg_c.ConvergenceWarning)
        return logreg_c.fit(*args, **kwargs)


def gap(result, penalized, *, intercept=True):
    best = penalized.minimum(intercept=intercept)
    return (penalized.cost(result.w, result.b) - best) / best


# ---- The minimum ---------------------------------------------------------------------------------


@settings(max_examples=25)
@given(
    n_x=st.integers(0, 9),
    m=st.sampled_from([7, 8, 9, 63, 64, 65, 129, 400]),
    seed=st.integers(0, 999),
    l1=st.sampled_from([0.0, 1e-4, 1e-2, 0.1, 10.0]),
    l2=st.sampled_from([1e-3, 0.1]),
    dtype=st.sampled_from([np.float64, np.float32, np.int16, np.uint8]),
    order=st.sampled_from("CF"),
    weighted=st.booleans(),
    intercept=st.booleans(),
    bounded=st.booleans(),
)
@pytest.mark.long
def test_the_gap_is_within_tol(n_x, m, seed, l1, l2, dtype, order, weighted, intercept, bounded):
    X, Y = make(n_x, m, seed, scale=2.0, offset=5.0)
    X = np.asarray(X.clip(0, 255).astype(dtype), order=order)
    rng = np.random.default_rng(seed)
    weights = rng.random(m) + 0.1 if weighted else None
    factors = rng.integers(0, 3, n_x) if weighted else np.ones(n_x)
    lower, upper = (-rng.random(n_x), rng.random(n_x) / 8) if bounded else (-np.inf, np.inf)
    result = quiet(
        X, Y, l1=l1, l2=l2, penalty_factors=factors, lower=lower, upper=upper,
        sample_weight=weights, intercept=intercept,
    )  # fmt: skip
    if result.stopped == "separated":  # by features whose factor is 0
        assert (factors == 0).any()
        return
    assert result.converged
    assert ((result.w[:, 0] >= lower) & (result.w[:, 0] <= upper)).all()
    penalized = Penalized(X, Y, l1 * factors, l2 * factors, lower, upper, weights)
    assert gap(result, penalized, intercept=intercept) <= 1e-8
    np.testing.assert_allclose(result.costs[-1], penalized.cost(result.w, result.b), rtol=1e-12)


@pytest.mark.parametrize("seed", range(4))
def test_the_gap_where_one_feature_separates_some_examples(seed):
    """J falls like exp(-t) along it, so the Hessian of an earlier point is too large."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((12, 100))
    Y = X[0] + X[1] + rng.logistic(size=100) > 0
    X[2] = (rng.random(100) < 0.06) & Y
    factors = np.ones(12)
    factors[2] = 0.0
    result = quiet(X, Y, l1=1e-2, penalty_factors=factors, tol=1e-6)
    assert result.converged
    assert gap(result, Penalized(X, Y, 1e-2 * factors, 0.0)) <= 4e-6


def collinear(X):
    return np.vstack([X, X[:3] + X[3:6], X[:2], np.full((1, X.shape[1]), 7.0)])


def scales(X):
    return X * np.logspace(-6, 6, len(X))[:, None]


def far(X):
    return X + 1e6


@pytest.mark.parametrize("change", [collinear, scales, far])
@pytest.mark.parametrize("l1", [1e-6, 1e-3, 0.03])
@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.long
def test_features_as_they_come(change, l1, intercept):
    X, Y = make(12, 300, 3)
    X = change(X)
    result = logreg_c.fit(X, Y, l1=l1, intercept=intercept)
    assert result.converged
    assert gap(result, Penalized(X, Y, l1, 0.0), intercept=intercept) <= 1e-8


def violation(X, Y, result, l1, l2=0.0):
    """Return how far the slopes are from those at the minimum, in units of l1."""
    dw = logreg_c.cost_and_gradient(X, Y, result.w, result.b, l2=l2)[1]
    w, dw = result.w.ravel(), dw.ravel()
    return np.where(w != 0, np.abs(dw + l1 * np.sign(w)), np.maximum(np.abs(dw) - l1, 0.0)) / l1


@pytest.mark.sampled(3)
@pytest.mark.parametrize("order", "CF")
@pytest.mark.parametrize(("n_x", "m", "l1"), [(6000, 80, 0.02), (700, 200, 1e-3), (300, 900, 0.01)])
def test_more_features_than_a_few(n_x, m, l1, order):
    X, Y = make(n_x, m, 7)
    result = logreg_c.fit(np.asarray(X, order=order), Y, l1=l1, tol=1e-12)
    assert result.converged
    assert 0 < np.count_nonzero(result.w) < m
    assert violation(X, Y, result, l1).max() <= 1e-3


def test_separated_classes_have_a_minimum():
    X, _ = make(20, 500, 1)
    Y = X[0] + X[1] > 0
    result = logreg_c.fit(X, Y, l1=1e-4, tol=1e-12)
    assert result.converged
    assert violation(X, Y, result, 1e-4).max() <= 1e-2


def test_a_penalty_that_is_too_large_leaves_b_alone():
    X, Y = make(5, 300, 2)
    result = logreg_c.fit(X, Y, l1=10.0)
    assert not result.w.any()
    np.testing.assert_allclose(result.b, np.log(Y.mean() / (1 - Y.mean())), rtol=1e-9)
    assert logreg_c.fit(X, Y, l1=10.0, intercept=False).b == 0.0


def test_zeros_are_exact_and_unpenalized_features_stay():
    X, Y = make(30, 1000, 4)
    factors = np.ones(30)
    factors[29] = 0.0
    w = logreg_c.fit(X, Y, l1=0.05, penalty_factors=factors).w.ravel()
    assert w[:3].all()
    assert w[29] != 0.0
    assert not w[3:29].any()


def test_bounds_alone():
    X, Y = make(6, 400, 5)
    X[2] = -X[2]
    free = logreg_c.fit(X, Y)
    held = logreg_c.fit(X, Y, lower=0.0)
    assert (free.w < 0.0).any()
    assert (held.w >= 0.0).all()
    assert held.w[2] == 0.0
    assert gap(held, Penalized(X, Y, 0.0, 0.0, lower=0.0)) <= 1e-8
    wide = logreg_c.fit(X, Y, lower=-100.0, upper=100.0)
    np.testing.assert_allclose(wide.w, free.w, rtol=1e-3, atol=1e-5)


def test_warm_starts_are_moved_within_the_bounds_and_take_few_passes():
    X, Y = make(20, 3000, 4)
    cold = logreg_c.fit(X, Y, l1=0.01)
    warm = logreg_c.fit(X, Y, l1=0.01, w=cold.w, b=cold.b)
    assert warm.passes <= 2
    assert (logreg_c.fit(X, Y, l1=0.01, w=cold.w, b=cold.b, upper=0.1).w <= 0.1).all()


def test_a_list_of_columns_gives_the_bits_of_an_array():
    X, Y = make(300, 200, 6)
    array = logreg_c.fit(X, Y, l1=0.02)
    columns = logreg_c.fit(list(X), Y, l1=0.02)
    assert columns.w.tobytes() == array.w.tobytes()


def test_float32_is_computed_in_float64():
    X, Y = make(10, 2000, 6)
    X = X.astype(np.float32)
    narrow, wide = (logreg_c.fit(x, Y, l1=0.01) for x in (X, X.astype(np.float64)))
    assert narrow.w.tobytes() == wide.w.tobytes()


# ---- Where there is none -------------------------------------------------------------------------


def test_separated_classes_within_bounds_are_told():
    X, _ = make(3, 200, 1)
    Y = X[0] > 0
    with pytest.warns(logreg_c.ConvergenceWarning, match="plane separates"):
        assert logreg_c.fit(X, Y, lower=0.0).stopped == "separated"
    assert logreg_c.fit(X, Y, lower=-5.0, upper=5.0).converged


def test_a_bound_that_ends_a_separation_is_reached():
    X = np.array([[-10.0, 10.0, -8.0, 9.0]])
    Y = [0, 1, 0, 1]
    result = logreg_c.fit(X, Y, upper=0.5)
    assert result.converged
    assert result.w.item() == 0.5
    path = logreg_c.fit_path(X, Y, l2=[1e-3, 0.0], upper=0.5)
    assert path.converged.all()
    assert path.w[:, 0].tolist() == [0.5, 0.5]


def test_a_plane_of_features_without_a_penalty_is_told():
    X, _ = make(3, 200, 1)
    Y = X[0] > 0
    settings = {"l1": 1e-3, "penalty_factors": [0.0, 1.0, 1.0]}
    with pytest.warns(logreg_c.ConvergenceWarning):
        assert logreg_c.fit(X, Y, **settings).stopped == "separated"
    with pytest.warns(logreg_c.ConvergenceWarning, match="plane separates"):
        assert logreg_c.fit(X, Y, upper=[np.inf, 1e-3, 1e-3]).stopped == "separated"


def test_no_plane_separates_soft_labels_or_by_a_b_that_stays():
    X = np.array([[-1.0, 1.0, 1.0, -1.0]])
    soft = logreg_c.fit(10.0 * X, [0.0, 1.0, 0.999, 0.001], lower=-9.0)
    assert soft.converged
    A = logreg_c.sigmoid(10.0 * soft.w.T @ X + soft.b)
    np.testing.assert_allclose(A.sum(), 2.0)
    held = logreg_c.fit([[0.1, -0.1, 0.1]], [1, 1, 1], b=9.0, intercept=False, lower=-9.0)
    assert held.converged


def test_labels_of_one_class_are_told():
    X, _ = make(3, 100, 1)
    with pytest.warns(logreg_c.ConvergenceWarning, match="alike"):
        assert logreg_c.fit(X, np.ones(100), l1=0.1).stopped == "separated"


def test_too_few_passes_are_told():
    X, Y = make(30, 400, 1)
    with pytest.warns(logreg_c.ConvergenceWarning, match="max_passes"):
        result = logreg_c.fit(X, Y, l1=1e-4, max_passes=2)
    assert result.stopped == "passes"


# ---- The same bits -------------------------------------------------------------------------------

BITS = """
import hashlib, warnings
import numpy as np, logreg_c
rng = np.random.default_rng(0)
digest = hashlib.sha256()
for n_x, m, dtype in ((5, 200, "f8"), (40, 20_000, "f4"), (70, 9000, "u1"), (900, 90, "f8")):
    X = (rng.normal(size=(n_x, m)) * 30 + 100).astype(dtype)
    Y = rng.random(m) < 1 / (1 + np.exp(-(X[0].astype(float) - 100) / 30))
    for order in "CF":
        for l1 in (0.3, 0.01):
            for n_threads in THREADS:
                result = logreg_c.fit(np.asarray(X, order=order), Y, l1=l1, n_threads=n_threads)
                digest.update(result.w.tobytes() + result.costs.tobytes())
                digest.update(np.array(result.b).tobytes())
                if n_threads == 1:
                    kept = result
                assert result.w.tobytes() == kept.w.tobytes(), (n_x, m, n_threads)
print(digest.hexdigest())
"""


@pytest.mark.long
def test_the_bits_do_not_depend_on_threads_or_instruction_set():
    assert len(printed_on_every_isa(BITS)) == 1


# ---- Sparse X ------------------------------------------------------------------------------------


def make_texts(n_x, m, seed=0):
    """Return counts of words, a few of which are in most texts, as sparse X, and labels."""
    sp = pytest.importorskip("scipy.sparse")
    rng = np.random.default_rng([seed, n_x, m])
    counts = rng.poisson(np.outer(1.5 / np.arange(1, n_x + 1) ** 0.7, np.ones(m)))
    w = rng.standard_normal(n_x) * (rng.random(n_x) < 0.3)
    z = w @ counts
    Y = (z - np.median(z) + rng.logistic(size=m) > 0).astype(float)
    return sp.csc_array(counts), Y


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.uint8])
@pytest.mark.parametrize("layout", ["csc", "csr"])
@pytest.mark.parametrize(
    "settings",
    [
        {"l1": 0.01},
        {"l1": 1e-3, "l2": 1e-3, "sample_weight": np.arange(300) % 3 + 0.5},
        {"l1": 1e-3, "intercept": False},
        {"l1": 0.01, "l2": 1e-4, "lower": 0.0, "penalty_factors": np.arange(250) % 3},
        {"l2": 1e-3, "lower": -0.1, "upper": 0.3},
    ],
    ids=["lasso", "elastic net", "no intercept", "not negative", "bounds"],
)
@pytest.mark.sampled(5)
def test_sparse_x_has_the_minimum_of_dense_x(dtype, layout, settings):
    X, Y = make_texts(250, 300)
    X = X.astype(dtype).asformat(layout)
    sparse, dense = logreg_c.fit(X, Y, **settings), logreg_c.fit(X.toarray(), Y, **settings)
    assert sparse.converged
    np.testing.assert_allclose(sparse.costs[-1], dense.costs[-1], rtol=2e-9)
    np.testing.assert_allclose(sparse.w, dense.w, atol=1e-4)
    assert ((sparse.w == 0) == (dense.w == 0)).mean() > 0.99
    assert 0 < np.count_nonzero(sparse.w)


def test_sparse_x_with_an_l1_penalty_in_the_steps_of_a_path():
    X, Y = make_texts(400, 200)
    X.indices, X.data = X.indices.copy(), X.data.astype(float)
    largest = logreg_c.l1_max(X, Y)
    np.testing.assert_allclose(largest, logreg_c.l1_max(X.toarray(), Y), rtol=1e-12)
    l1 = largest * np.geomspace(1.0, 0.01, 6)
    path = logreg_c.fit_path(X, Y, l1=l1)
    assert np.count_nonzero(path.w[0]) == 0
    for at, cost in zip(l1, path.cost, strict=True):
        np.testing.assert_allclose(cost, logreg_c.fit(X, Y, l1=at).costs[-1], rtol=3e-9)


# ---- On the way ----------------------------------------------------------------------------------


@pytest.mark.long
def test_callbacks_see_every_step_and_a_checkpoint_resumes_bit_for_bit(tmp_path):
    X, Y = make(400, 300, 8)
    calls = []
    wanted = logreg_c.fit(X, Y, l1=1e-3, callback=lambda *call: calls.append(call) and None)
    assert [cost for _, cost, _, _ in calls] == wanted.costs.tolist()
    assert len(wanted.costs) > 5
    path = tmp_path / "run.npz"
    for stop in (1, len(wanted.costs) // 2, len(wanted.costs) - 2):
        path.unlink(missing_ok=True)
        halt = [lambda k, *_, stop=stop: k == stop, Checkpoint(path, seconds=0)]
        stopped = logreg_c.fit(X, Y, l1=1e-3, callback=halt)
        assert stopped.stopped == "callback"
        found = logreg_c.fit(X, Y, l1=1e-3, callback=Checkpoint(path))
        assert found.w.tobytes() == wanted.w.tobytes()
        assert found.costs.tobytes() == wanted.costs.tobytes()
    with pytest.raises(ValueError, match="training with penalty"):
        logreg_c.fit(X, Y, l1=2e-3, callback=Checkpoint(path))


def test_the_result_travels():
    X, Y = make(3, 200, 1)
    result = logreg_c.fit(X, Y, l1=0.01)
    again = pickle.loads(pickle.dumps(result))
    assert again.w.tobytes() == result.w.tobytes()
    assert "converged" in repr(again)


@pytest.mark.parametrize(
    ("wrong", "error", "match"),
    [
        ({"l1": -1.0}, ValueError, "l1 is -1.0; expected"),
        ({"l1": "0"}, TypeError, "l1"),
        ({"penalty_factors": [1.0, 2.0]}, ValueError, r"penalty_factors has shape \(2,\)"),
        ({"penalty_factors": [1.0, -1.0, 1.0]}, ValueError, "penalty_factors is -1.0 at feature 1"),
        ({"lower": 1.0, "upper": 0.0}, ValueError, "lower is 1.0 and upper 0.0 at feature 0"),
        ({"upper": [1.0, np.nan, 1.0]}, ValueError, "at feature 1; expected lower <= upper"),
        ({"l1": 0.1, "firth": True}, ValueError, "expected one penalty"),
    ],
)
def test_wrong_settings_are_refused(wrong, error, match):
    X, Y = make(3, 50)
    with pytest.raises(error, match=match):
        logreg_c.fit(X, Y, **wrong)


def test_any_penalty_or_bound_holds_a_weight_back():
    free, end = np.zeros(6), np.full(6, np.inf)
    l1, l2, lower, upper = free.copy(), free.copy(), -end, end.copy()
    l1[1] = l2[2] = 1e-9
    upper[3], lower[4] = 7.0, -7.0
    w = np.array([1.0, 1.0, 1.0, 1.0, -1.0, -1.0])
    np.testing.assert_array_equal(Penalty(l1, l2, lower, upper).unheld(w), w * [1, 0, 0, 0, 0, 1])
    np.testing.assert_array_equal(Penalty(l1, l2, lower, upper).unheld(-w), -w * [1, 0, 0, 1, 1, 1])
