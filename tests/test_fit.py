# SPDX-License-Identifier: BSD-3-Clause
"""`fit` finds the minimum of data as they come, and says where there is none."""

import math
import pickle
import re
import warnings
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from oracle import printed_on_every_isa

import logreg_c
from logreg_c.callbacks import Checkpoint, EarlyStopping

TOL = 1e-9


def make(n_x, m, seed=0, *, noise=1.0, scale=1.0, offset=0.0):
    """Return X (n_x, m) and labels that a plane with noise tells."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n_x, m))
    z = rng.normal(size=n_x) @ X / max(n_x, 1) ** 0.5 + noise * rng.logistic(size=m)
    return X * scale + offset, (z > 0).astype(np.uint8)


def cost(X, Y, w, b, l2, weights):
    z = w @ X + b
    losses = np.logaddexp(0.0, z) - Y * z
    return weights @ losses / weights.sum() + l2 / 2 * (w @ w)


def minimum(X, Y, l2=0.0, weights=None, *, intercept=True):
    """Newton's method in float64 on standardized features, by NumPy: the least cost."""
    X = np.asarray(X, float)
    weights = np.ones(X.shape[1]) if weights is None else np.asarray(weights, float)
    Y = np.asarray(Y, float).ravel()
    scale = np.sqrt(np.average(X**2, axis=1, weights=weights))
    scale[scale == 0.0] = 1.0
    A = np.vstack([X / scale[:, None], np.full(X.shape[1], float(intercept))])
    penalty = np.append(l2 / scale**2, 0.0)
    s = weights / weights.sum()
    theta = np.zeros(len(A))

    def cost_at(theta):
        z = theta @ A
        return s @ (np.logaddexp(0.0, z) - Y * z) + penalty @ theta**2 / 2

    for _ in range(200):
        z = theta @ A
        p = 1.0 / (1.0 + np.exp(-np.clip(z, -700.0, 700.0)))
        gradient = A @ (s * (p - Y)) + penalty * theta
        H = (A * (s * p * (1 - p))) @ A.T + np.diag(penalty)
        step = np.linalg.lstsq(H, gradient, rcond=1e-14)[0]
        a = 1.0
        while cost_at(theta - a * step) > cost_at(theta) and a > 1e-12:
            a /= 2
        theta = theta - a * step
        if gradient @ step < 1e-15:
            break
    return cost_at(theta)


def gap(result, X, Y, l2=0.0, weights=None, *, intercept=True):
    """The relative gap of a result, against Newton's method."""
    X = np.asarray(X, float)
    ones = np.ones(X.shape[1]) if weights is None else np.asarray(weights, float)
    J = cost(X, np.asarray(Y, float).ravel(), result.w[:, 0], result.b, l2, ones)
    best = minimum(X, Y, l2, weights, intercept=intercept)
    return (J - best) / best


# ---- The minimum -------------------------------------------------------------------------------


@settings(max_examples=50)
@given(
    n_x=st.integers(0, 40),
    m=st.integers(50, 3000),
    seed=st.integers(0, 999),
    l2=st.sampled_from([0.0, 1e-4, 1e-2, 10.0]),
    dtype=st.sampled_from([np.float64, np.float32, np.int16, np.uint8]),
    order=st.sampled_from("CF"),
    weighted=st.booleans(),
    intercept=st.booleans(),
)
@pytest.mark.long
def test_the_gap_is_within_tol(n_x, m, seed, l2, dtype, order, weighted, intercept):
    X, Y = make(n_x, m, seed, scale=20.0, offset=50.0, noise=2.0)
    X = np.asarray(X.clip(0, 255).astype(dtype), order=order)
    weights = np.random.default_rng(seed).random(m) + 0.1 if weighted else None
    Y[:2] = 0, 1
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", logreg_c.ConvergenceWarning)
        result = logreg_c.fit(X, Y, l2=l2, sample_weight=weights, intercept=intercept)
    if result.stopped == "separated":
        assert l2 == 0.0
        return
    assert result.converged
    assert gap(result, X, Y, l2, weights, intercept=intercept) <= 10 * TOL


def collinear(X):
    return np.vstack([X, X[:3] + X[3:6], X[:1], np.full((1, X.shape[1]), 7.0)])


def scales(X):
    return X * np.logspace(-6, 6, len(X))[:, None]


@pytest.mark.parametrize("change", [collinear, scales])
@pytest.mark.parametrize("l2", [0.0, 1e-3])
@pytest.mark.parametrize("m", [500, 40_000])
@pytest.mark.long
def test_features_as_they_come(change, l2, m):
    X, Y = make(12, m, 3)
    X = change(X)
    result = logreg_c.fit(X, Y, l2=l2)
    assert result.stopped == "tol"
    assert gap(result, X, Y, l2) <= 1e-8


@pytest.mark.long
def test_one_in_ten_thousand():
    rng = np.random.default_rng(5)
    X = rng.normal(size=(5, 200_000))
    Y = np.zeros(200_000)
    Y[X[0].argsort()[-40::2]] = 1.0
    result = logreg_c.fit(X, Y)
    assert result.converged
    assert gap(result, X, Y) <= 1e-8


@pytest.mark.long
def test_more_features_than_examples():
    X, Y = make(700, 80, 7)
    result = logreg_c.fit(X, Y, l2=0.01)
    assert result.converged
    assert gap(result, X, Y, 0.01) <= 1e-8


def test_a_column_that_a_sample_misses_is_fitted():
    X, Y = make(6, 60_000, 9)
    X[2] = 0.0
    rare = np.array([17, 20_011, 40_013, 59_999])
    X[2, rare] = 1.0
    Y[rare] = 1, 1, 1, 0
    result = logreg_c.fit(X, Y)
    assert result.converged
    assert gap(result, X, Y) <= 1e-8


def test_no_features_give_the_log_odds():
    result = logreg_c.fit(np.empty((0, 8)), [0, 0, 0, 0, 0, 0, 1, 1])
    np.testing.assert_allclose(result.b, np.log(2 / 6), rtol=1e-9)


def test_no_intercept_leaves_b():
    X, Y = make(4, 300, 2)
    assert logreg_c.fit(X, Y, intercept=False).b == 0.0
    assert logreg_c.fit(X, Y, intercept=False, b=0.25).b == 0.25


def test_from_the_minimum_it_takes_a_pass_or_two():
    X, Y = make(20, 30_000, 4)
    cold = logreg_c.fit(X, Y)
    warm = logreg_c.fit(X, Y, w=cold.w, b=cold.b)
    assert warm.passes <= 2
    assert warm.converged


def test_float32_data_come_to_the_same_minimum():
    X, Y = make(10, 20_000, 6)
    X = X.astype(np.float32)
    result = logreg_c.fit(X, Y)
    assert result.converged
    assert gap(result, X, Y) <= 1e-8


def test_a_sample_with_few_of_the_examples_in_which_features_vary_does_not_mislead():
    rng = np.random.default_rng(1)
    m, n_x = 50_000, 18
    X = rng.standard_normal((n_x, m))
    X[10:] = 0
    rows = rng.choice(m, 30, replace=False)
    base = rng.standard_normal(30)
    X[10:, rows] = base + 0.1 * rng.standard_normal((8, 30))
    z = X[0] - X[1]
    z[rows] += 3 * base
    result = logreg_c.fit(X, rng.random(m) < 1 / (1 + np.exp(-z)))
    assert result.stopped == "tol"


# ---- Where there is none -----------------------------------------------------------------------


@pytest.mark.parametrize("m", [20, 5000])
def test_separated_classes_are_told(m):
    X, _ = make(3, m, 1)
    Y = X[0] > 0
    with pytest.warns(logreg_c.ConvergenceWarning, match="l2="):
        result = logreg_c.fit(X, Y)
    assert result.stopped == "separated"
    assert not result.converged
    assert logreg_c.fit(X, Y, l2=1e-3).converged


@pytest.mark.parametrize("l2", [0.0, 0.1])
def test_labels_of_one_class_are_told(l2):
    X, _ = make(3, 100, 1)
    with pytest.warns(logreg_c.ConvergenceWarning, match="alike|separates"):
        assert logreg_c.fit(X, np.ones(100), l2=l2).stopped == "separated"


def test_one_class_without_an_intercept_has_a_minimum():
    X, _ = make(3, 100, 1)
    X += 5.0
    result = logreg_c.fit(X, np.ones(100), l2=1e-6, intercept=False)
    assert result.stopped == "tol"
    assert gap(result, X, np.ones(100), 1e-6, intercept=False) <= 1e-8


def test_too_few_passes_are_told():
    X, Y = make(30, 400, 1)
    with pytest.warns(logreg_c.ConvergenceWarning, match="max_passes"):
        result = logreg_c.fit(X * 1e3, Y, max_passes=2)
    assert result.stopped == "passes"
    assert result.passes >= 2


# ---- The same bits -----------------------------------------------------------------------------

BITS = """
import hashlib, warnings
import numpy as np, logreg_c
warnings.simplefilter("ignore")
rng = np.random.default_rng(0)
digest = hashlib.sha256()
for n_x, m, dtype in ((5, 200, "f8"), (30, 40_000, "f8"), (30, 40_000, "f4"), (70, 9000, "u1"),
                      (300, 90, "f8"), (200, 30_000, "f4")):
    X = (rng.normal(size=(n_x, m)) * 30 + 100).astype(dtype)
    Y = rng.random(m) < 1 / (1 + np.exp(-(X[0].astype(float) - 100) / 30))
    for order in "CF":
        for n_threads in THREADS:
            result = logreg_c.fit(np.asarray(X, order=order), Y, l2=1e-4, n_threads=n_threads)
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


# ---- On the way --------------------------------------------------------------------------------


def test_callbacks_see_every_step():
    X, Y = make(8, 500, 3)
    calls = []
    result = logreg_c.fit(X, Y, callback=lambda *call: calls.append(call) and None)
    assert [k for k, *_ in calls] == list(range(len(result.costs)))
    assert [cost for _, cost, _, _ in calls] == result.costs.tolist()
    assert calls[-1][2].tobytes() == result.w.tobytes()
    stopped = logreg_c.fit(X, Y, callback=lambda k, *_: k == 1)
    assert stopped.stopped == "callback"
    assert stopped.costs.tolist() == result.costs[:2].tolist()


def test_early_stopping_and_a_checkpoint_resume_bit_for_bit(tmp_path):
    X, Y = make(15, 3000, 8)
    wanted = logreg_c.fit(X, Y, tol=1e-12)
    assert len(wanted.costs) > 3
    path = tmp_path / "run.npz"
    for stop in range(1, len(wanted.costs)):
        path.unlink(missing_ok=True)
        halt = [lambda k, *_, stop=stop: k == stop, Checkpoint(path, seconds=0)]
        logreg_c.fit(X, Y, tol=1e-12, callback=halt)
        found = logreg_c.fit(X, Y, tol=1e-12, callback=Checkpoint(path))
        assert found.w.tobytes() == wanted.w.tobytes()
        assert found.costs.tobytes() == wanted.costs.tobytes()
    early = EarlyStopping(X, Y)
    logreg_c.fit(X, Y, tol=1e-12, callback=early)
    assert early.cost == pytest.approx(wanted.costs.min(), rel=1e-9)
    with pytest.raises(ValueError, match="training with tol"):
        logreg_c.fit(X, Y, tol=1e-6, callback=Checkpoint(path))


def test_bytes_that_are_no_state_are_refused_or_harmless(tmp_path):
    X, Y = make(15, 3000, 8)
    path = tmp_path / "run.npz"
    halt = [lambda k, *_: k == 2, Checkpoint(path)]
    logreg_c.fit(X, Y, callback=halt)
    found = dict(np.load(path))
    np.savez(path, **found | {"solver search": np.full_like(found["solver search"], 255)})
    with pytest.raises(ValueError, match="damaged"):
        logreg_c.fit(X, Y, callback=Checkpoint(path))
    rng = np.random.default_rng(0)
    for k in range(50):
        state = found["solver search"].copy()
        state[: 600 if k % 2 else None] = rng.integers(0, 256, 600 if k % 2 else state.size)
        np.savez(path, **found | {"solver search": state})
        try:
            logreg_c.fit(X, Y, callback=Checkpoint(path))
        except ValueError as error:
            assert "damaged" in str(error)  # noqa: PT017 (some such bytes are a state)


def test_the_result_shows_itself_and_travels():
    X, Y = make(3, 200, 1)
    result = logreg_c.fit(X, Y)
    w, b, costs = result
    assert (w, b, costs) == (result.w, result.b, result.costs)
    assert "converged" in repr(result)
    assert "<svg" in result._repr_html_()
    again = pickle.loads(pickle.dumps(result))
    assert (again.stopped, again.gap, again.passes) == (result.stopped, result.gap, result.passes)
    assert again.w.tobytes() == result.w.tobytes()


@pytest.mark.parametrize(
    ("wrong", "error", "match"),
    [
        ({"tol": -1.0}, ValueError, "tol"),
        ({"max_passes": 0}, ValueError, "max_passes"),
        ({"intercept": "no"}, TypeError, "intercept"),
        ({"l2": -1.0}, ValueError, "l2"),
        ({"w": [1.0]}, ValueError, "w"),
        ({"b": "0"}, TypeError, "b"),
        ({"callback": 3}, TypeError, "callback"),
    ],
)
def test_wrong_settings_are_refused(wrong, error, match):
    X, Y = make(3, 50)
    with pytest.raises(error, match=match):
        logreg_c.fit(X, Y, **wrong)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_value_that_is_not_finite_is_named(value):
    X, Y = make(3, 5000)
    X[1, 4321] = value
    with pytest.raises(ValueError, match=r"X\[1, 4321\]"):
        logreg_c.fit(X, Y)


def test_squares_that_overflow_are_told():
    X, Y = make(3, 50)
    with pytest.raises(OverflowError, match="rescale X"):
        logreg_c.fit(X * 1e200, Y)


# ---- What generated calls have found -------------------------------------------------------------


def test_labels_that_are_probabilities_are_not_separated():
    # both are fitted exactly: w + b = ln 99 and b = -ln 99
    result = logreg_c.fit([[0.0, 1.0]], [0.01, 0.99])
    assert result.converged
    assert result.b == pytest.approx(-math.log(99), rel=1e-4)
    assert result.w[0, 0] == pytest.approx(2 * math.log(99), rel=1e-4)
    assert logreg_c.fit(np.zeros((0, 1)), [0.3]).converged


def test_a_soft_label_of_weight_0_does_not_hide_a_separation():
    with pytest.warns(logreg_c.ConvergenceWarning, match="separates"):
        logreg_c.fit([[0.0, 1.0, 5.0]], [0, 1, 0.5], sample_weight=[1, 1, 0])


def test_a_bias_that_stays_does_not_separate():
    # at w = 0 every prediction is right, but J has its minimum there
    result = logreg_c.fit([[1.0, -1.0]], [1, 1], b=5.0, intercept=False)
    assert result.converged
    assert abs(result.w[0, 0]) < 1e-6
    with pytest.warns(logreg_c.ConvergenceWarning, match="separates"):
        logreg_c.fit([[1.0, 2.0]], [1, 1], b=5.0, intercept=False)


def test_the_only_pass_names_a_value_that_is_not_finite():
    X = np.array([[1, 2, np.nan]], np.float16)
    with pytest.raises(ValueError, match=r"\(0, 2\)"):
        logreg_c.fit(X, [0, 1, 1], max_passes=1)


def test_any_number_of_passes_is_one():
    X, Y = [[0.5, 1.5, 2.5, 3.5]], [0, 1, 0, 1]
    assert logreg_c.fit(X, Y, max_passes=10**30).converged
    assert logreg_c.fit_many(X, Y, max_passes=10**30).converged.all()


def test_separation_is_certified_in_float64():
    # z is 1e9 and -15, but to float32 the second is 5
    X = np.array([[1, 1], [0, 1], [0, 1]], np.float32)
    start = {"w": [1e9, -1e9 - 20, 5], "b": 0.0, "intercept": False}
    with pytest.warns(logreg_c.ConvergenceWarning, match="passes"):
        result = logreg_c.fit(X, [1, 1], **start, max_passes=2)
    assert result.costs[0] < 0.01
    assert result.costs[1] == pytest.approx(7.5)


@pytest.mark.parametrize(
    ("size", "firth"), [*product([1e-150, 1e-170, 1e160], [False, True]), (1e-310, True)]
)
def test_a_feature_whose_squares_leave_float64_is_named_and_may_be_rescaled(size, firth):
    X, Y = make(3, 50)
    X[1] *= size / (np.ptp(X[1]) / 2 if size < 1 else np.abs(X[1]).max())
    with pytest.raises(
        OverflowError, match=re.escape(f"divide feature 1, whose size is {size:.1e}")
    ):
        logreg_c.fit(X, Y, firth=firth)
    assert logreg_c.fit(X / [[1], [size], [1]], Y, firth=firth).converged
    with pytest.raises(OverflowError, match=r"divide feature 1"):
        logreg_c.fit(list(X), Y, firth=firth)


def test_products_of_means_that_overflow_do_not_hang():
    # one example: the features do not vary, but without an intercept their squares count
    X = [np.array([1.0]), np.array([2e160]), np.array([-3e160]), np.array([5.0])]
    with pytest.raises(OverflowError, match=r"divide feature 2, whose size is 3.0e"):
        logreg_c.fit(X, [1], intercept=False)


@settings(max_examples=50)
@given(
    n_x=st.integers(1, 6),
    tol=st.sampled_from([1e-6, 1e-9, 1e-12]),
    stored=st.sampled_from(
        [("f4", 1e-3), ("f4", 1e9), ("f8", 1e-6), ("f8", 1.0), ("i4", 2e8), ("u2", 1)]
    ),
    seed=st.integers(0, 2**32 - 1),
    intercept=st.booleans(),
)
def test_what_separates_only_some_examples_converges_to_the_infimum(
    n_x, tol, stored, seed, intercept
):
    # w > 0 separates all but the examples that are 0, and J falls to their share as w grows; the
    # curvature of the others vanishes with their losses
    rng = np.random.default_rng(seed)
    zeros = rng.integers(2, 6)
    X = rng.integers(0, 10, (n_x, zeros + rng.integers(5, 40)))
    X[:, :zeros], X[0, zeros:] = 0, X[0, zeros:] + 1
    dtype, size = stored
    X = (X * size).astype(dtype)
    Y = np.ones(X.shape[1])
    Y[: zeros // 2] = 0
    p = np.mean(Y[:zeros]) if intercept else 0.5  # of label 1 among these
    entropy = np.mean(np.logaddexp(0.0, math.log(p / (1 - p)) * np.where(Y[:zeros], -1, 1)))
    infimum = entropy * zeros / X.shape[1]
    with warnings.catch_warnings(record=True):  # it may see that w runs away
        warnings.simplefilter("always")
        result = logreg_c.fit(X, Y, intercept=intercept, tol=tol)
    assert result.converged
    assert result.costs[-1] - infimum <= (4 * tol + 1e-13) * infimum


@pytest.mark.parametrize("seed", [0, 2, 15, 22])
def test_the_gap_of_a_float32_search_that_goes_on_in_float64_is_that_of_its_curvature(seed):
    # few examples have the column, and nearly all of them one label: far out, curvature is 1/100 of
    # that at w = 0, while J is hardly lower
    rng = np.random.default_rng(seed)
    m = int(rng.integers(30, 200))
    column = rng.random(m) < rng.uniform(0.02, 0.3)
    Y = column & (rng.random(m) < 0.98) | (rng.random(m) < 0.3)
    X = np.repeat(column[np.newaxis], 40, axis=0)
    for l2 in (1e-7, 1e-6):
        result = logreg_c.fit(X, Y, l2=l2, tol=TOL)
        assert gap(result, X, Y, l2) <= 10 * TOL


@pytest.mark.parametrize("seed", [791, 1206, 1545, 1937])
def test_curvature_from_far_above_does_not_make_a_gap_small(seed):
    rng = np.random.default_rng(seed)
    m = int(rng.integers(16, 40))
    X = np.round(rng.standard_normal((4, m)) * [[3.0], [50.0], [5.0], [1.0]])
    Y = rng.random(m) < 0.4
    weights = rng.random(m) < 0.5
    result = logreg_c.fit(X, Y, l2=2e-6, sample_weight=weights, tol=1e-3)
    assert gap(result, X, Y, 2e-6, weights) <= 1e-2


@pytest.mark.parametrize("seed", [25, 40, 59, 69])
def test_curvature_that_falls_for_a_few_examples_does_not_make_a_gap_small(seed):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((70, 40)) / (rng.standard_normal(40) ** 2 + 0.01)
    Y = rng.standard_normal(70) @ X + rng.logistic(size=40) > 0
    result = logreg_c.fit(X, Y, l2=1e-5, tol=1e-3)
    assert gap(result, X, Y, 1e-5) <= 4e-3


@pytest.mark.parametrize("seed", range(4))
def test_a_penalty_that_holds_nearly_separated_classes_far_out_is_reached(seed):
    # the features are so large that J is 1e-15 and less at the minimum
    rng = np.random.default_rng(seed)
    X = rng.integers(-(2**31), 2**31, (29, 15)).astype(np.int32)
    Y = rng.integers(0, 2, 15)
    result = logreg_c.fit(X, Y, l2=1e-3, intercept=False)
    assert result.converged
    assert result.passes < 100
