# SPDX-License-Identifier: BSD-3-Clause
"""`standardize=True` is exact descent on (X - mu) / sd, expressed in raw w and b."""

import csv
import warnings
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracle import LAYOUTS, MP, Problem, bounded, descend, make_data, mpf, relative

import logreg_c

EXAMPLES = Path(__file__).parent.parent / "examples"
M = 120


def normal(seed, m=M):
    return np.random.default_rng(seed).standard_normal(m)


def load_breast_cancer():
    with (EXAMPLES / "breast_cancer.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    names = [name for name in rows[0] if name != "diagnosis"]
    X = np.array([[float(row[name]) for row in rows] for name in names])
    return X, np.array([[float(row["diagnosis"] == "malignant") for row in rows]])


# Columns of very different kinds. Each is tested together with ordinary ones.
COLUMNS = {
    "1e9 + noise of 1": 1e9 + normal(1),
    "1e9 + noise of 1e-2": 1e9 + 1e-2 * normal(2),
    "-1e9 + noise of 1e-2": -1e9 + 1e-2 * normal(2),
    "1e15 + small integers": 1e15 + np.round(3 * normal(3)),
    "of scale 1e-140": 1e-140 * normal(4),
    "of scale 1e150": 1e150 * normal(5),
    "1e100 + noise of 1e95": 1e100 + 1e95 * normal(6),
    "1e-100 + noise of 1e-110": 1e-100 + 1e-110 * normal(7),
    "constant 0.1": np.full(M, 0.1),
    "constant 0": np.zeros(M),
    "constant 1e9": np.full(M, 1e9),
    "two values": np.where(normal(8) > 1, 1.0, 0.0),
    "one that differs": np.where(np.arange(M) == 77, 0.1 + 2.0**-56, 0.1),
    "skewed": np.exp(3 * normal(9)),
}


@pytest.mark.parametrize("layout", ["C", "F", "C, every second row", "F, some rows"])
@pytest.mark.parametrize("weighted", [False, True], ids=["plain", "weighted"])
@pytest.mark.parametrize("column", COLUMNS)
@pytest.mark.sampled(1)
def test_standardized_descent_is_descent_on_x_minus_mu_over_sd(column, weighted, layout):
    X, Y = make_data(2, M)
    X = np.vstack([X, COLUMNS[column]])
    Y[0, normal(10) > 1.5] = 1
    options = {"standardize": True}
    if weighted:
        options["sample_weight"] = np.random.default_rng(1).integers(0, 5, M) / 2
    exact_w, exact_b, exact_costs = descend(X, Y, 0.9, 12, **options)
    w, b, costs = logreg_c.train(LAYOUTS[layout](X), Y, 0.9, 12, **options)
    assert relative(costs, exact_costs) < 1e-9
    for j in range(3):  # one at a time: their scales differ by up to 1e400
        assert relative(w[j], exact_w[j : j + 1]) < 1e-9
    reach = max(abs(exact_b), *(abs(a * c) for a, c in zip(exact_w, mpf(X[:, 0]), strict=True)))
    assert abs(mpf(b) - exact_b) <= 1e-9 * reach


@pytest.mark.parametrize("n_x", [1, 60])
@pytest.mark.parametrize("weighted", [False, True], ids=["plain", "weighted"])
@pytest.mark.long
def test_a_mean_of_many_blocks_is_exact_too(weighted, n_x):
    """When moments merge, a mean of 1e9 needs more than float64's 1e-7: the sd is 1e-2."""
    m = 6000 // n_x + 2400
    X, Y = make_data(n_x, m)
    X[0] = 1e9 + 1e-2 * X[0]
    weight = np.random.default_rng(1).integers(0, 5, m) / 2 if weighted else None
    options = {"sample_weight": weight, "standardize": True}
    exact_w, _, exact_costs = descend(X[:1], Y, 0.9, 3, **options)
    X[1:] = -2.5  # constant, so they change only the block sizes
    for layout in ("C", "F"):
        w, _, costs = logreg_c.train(LAYOUTS[layout](X), Y, 0.9, 3, **options)
        assert relative(costs, exact_costs) < 1e-9
        assert relative(w[0], exact_w) < 1e-9


@pytest.mark.parametrize("layout", ["C", "F"])
@pytest.mark.parametrize("scale", [1e200, 1e160, 1e-155, 1e-160, 1e-200, 1e-310])
def test_a_standard_deviation_whose_square_overflows_is_an_error(scale, layout):
    """The result must not be infinite, nor slightly wrong because squares are subnormal."""
    X, Y = make_data(2, M)
    X[1] *= scale
    with pytest.raises(logreg_c.DivergenceError, match="rescale X"):
        logreg_c.train(LAYOUTS[layout](X), Y, 0.5, 3, standardize=True)


@pytest.mark.parametrize("layout", ["C", "F"])
@pytest.mark.parametrize("l2", [0.0, 0.3])
@pytest.mark.parametrize("weighted", [False, True], ids=["plain", "weighted"])
@pytest.mark.sampled(1)
def test_from_a_start_and_with_l2(weighted, l2, layout):
    """w_std = w sd and b_std = b + sum w mu; l2 penalizes w_std."""
    X, Y = make_data(4, 90)
    X = X * np.array([[1.0], [1e-3], [40.0], [1.0]]) + np.array([[5.0], [0.3], [-200.0], [0.0]])
    X[3] = 0.7
    options = {"w": np.array([0.3, -200.0, 0.02, 1.5]), "b": -0.5, "l2": l2, "standardize": True}
    if weighted:
        options["sample_weight"] = np.random.default_rng(1).uniform(0, 2, 90)
    exact = descend(X, Y, 0.7, 15, **options)
    ours = logreg_c.train(LAYOUTS[layout](X), Y, 0.7, 15, **options)
    assert relative(ours.costs, exact[2]) < 1e-11
    for j in range(4):
        assert relative(ours.w[j], exact[0][j : j + 1]) < 1e-11
    assert relative(ours.b, [exact[1]]) < 1e-9


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("value", [0.1, 0.0, -1 / 3, 1e9, 1e-310, 1e300])
@pytest.mark.parametrize("m", [1, 2, 3, 17, 1000, 4097])
@pytest.mark.sampled(60)
def test_a_constant_feature_keeps_its_weight(m, value, layout):
    """Constant means min == max: the computed variance of many 0.1 need not be 0."""
    X, Y = make_data(3, m)
    X[1] = value
    given_w = np.array([0.5, 1e-8, 0.25])
    for weight in (None, np.random.default_rng(m).uniform(0.1, 2, m)):
        result = logreg_c.train(
            LAYOUTS[layout](X), Y, 0.5, 5, w=given_w, l2=0.1, sample_weight=weight, standardize=True
        )
        assert result.w[1, 0] == given_w[1]
        assert (result.w[0, 0] != given_w[0]) == (m > 1)


@pytest.mark.parametrize("layout", ["C", "F"])
def test_a_feature_that_varies_only_under_weight_0_is_constant(layout):
    X, Y = make_data(2, 600)
    weight = np.ones(600)
    weight[::7] = 0
    X[1] = np.where(weight, 0.1, X[1])
    result = logreg_c.train(
        LAYOUTS[layout](X), Y, 0.5, 5, w=[0, 3.25], sample_weight=weight, standardize=True
    )
    assert result.w[1, 0] == 3.25


@bounded
@given(
    n_x=st.integers(1, 6),
    m=st.integers(2, 40),
    centre=st.floats(-1e6, 1e6),
    seed=st.integers(0, 2**32),
    layout=st.sampled_from(list(LAYOUTS)),
    weighted=st.booleans(),
)
@pytest.mark.long
def test_standardized_descent_at_any_shape(n_x, m, centre, seed, layout, weighted):
    X, Y = make_data(n_x, m, seed)
    X += centre
    weight = np.random.default_rng(seed).uniform(0.1, 2, m) if weighted else None
    options = {"sample_weight": weight, "standardize": True}
    exact = descend(X, Y, 0.5, 4, **options)
    ours = logreg_c.train(LAYOUTS[layout](X), Y, 0.5, 4, **options)
    assert relative(ours.costs, exact[2]) < 1e-11
    for ours_j, exact_j in zip(ours.w[:, 0], exact[0], strict=True):
        assert abs(mpf(ours_j) - exact_j) <= 1e-9 * max(abs(exact_j), 1e-3)


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.uint8])
@pytest.mark.parametrize("n_x", [511, 513, 521, 1033])
@pytest.mark.long
def test_many_features_are_standardized_like_few(n_x, dtype):
    """Moments are computed for 512 features at a time."""
    X, Y = make_data(n_x, 700)
    X = (50 + 10 * X).astype(dtype)
    twin = X.astype(float)
    twin = (twin - twin.mean(axis=1, keepdims=True)) / twin.std(axis=1, keepdims=True)
    exact = logreg_c.train(twin, Y, 0.01, 5)
    for stored in (X, np.asfortranarray(X), list(X)):
        ours = logreg_c.train(stored, Y, 0.01, 5, standardize=True, dtype=np.float64, n_threads=2)
        np.testing.assert_allclose(ours.costs, exact.costs, rtol=1e-12)
        again = logreg_c.train(stored, Y, 0.01, 5, standardize=True, dtype=np.float64, n_threads=1)
        assert again.w.tobytes() == ours.w.tobytes()


def test_units_do_not_matter():
    X, Y = make_data(5, 800)
    units = np.array([[2.0**-40], [1.0], [2.0**300], [2.0**-300], [8.0]])
    plain = logreg_c.train(X, Y, 0.5, 20, standardize=True)
    scaled = logreg_c.train(X * units, Y, 0.5, 20, standardize=True)
    np.testing.assert_allclose(scaled.costs, plain.costs, rtol=1e-13)
    np.testing.assert_allclose(scaled.w * units, plain.w, rtol=1e-12)


def test_the_predictions_belong_to_the_costs():
    X, Y = load_breast_cancer()
    w, b, costs = logreg_c.train(X, Y, 0.5, 50, standardize=True)
    again = logreg_c.train(X, Y, 0.5, 1, w=w, b=b, standardize=True)
    J, _, _ = logreg_c.cost_and_gradient(X, Y, w, b)
    assert abs(J - again.costs[0]) < 1e-12
    assert costs[-1] > J


def test_tol_refers_to_the_standardized_problem():
    X, Y = make_data(2, 60)
    X = X * np.array([[1e-3], [50.0]]) + np.array([[1.0], [1e4]])
    result = logreg_c.train(X, Y, 0.5, 10_000, tol=1e-4, standardize=True)
    assert result.stopped == "tol"
    problem, mu, sd = Problem(X, Y).standardized()

    def largest_slope(result):
        w = [mpf(v) * s for v, s in zip(result.w[:, 0], sd, strict=True)]
        b = mpf(result.b) + MP.fdot(mpf(result.w[:, 0]), mu)
        J, dw, db, _ = problem.cost_and_gradient(w, b)
        assert abs(mpf(result.costs[-1]) - J) < 1e-3
        return max(map(abs, [*dw, db]))

    before = logreg_c.train(X, Y, 0.5, len(result.costs) - 2, standardize=True)
    assert largest_slope(result) <= 1e-4 < largest_slope(before)


@pytest.mark.parametrize("layout", ["C", "F"])
def test_breast_cancer_converges_without_a_warning(layout):
    X, Y = load_breast_cancer()
    X = LAYOUTS[layout](X)
    assert X.shape == (30, 569)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        w, b, costs = logreg_c.train(X, Y, 0.5, 1000, standardize=True)
    assert (np.diff(costs) < 0).all()
    assert costs[-1] < 0.06
    assert (logreg_c.predict(X, w, b) == Y).mean() > 0.98


@pytest.mark.long
def test_breast_cancer_is_exact_descent():
    X, Y = load_breast_cancer()
    exact = descend(X, Y, 0.5, 6, standardize=True)
    ours = logreg_c.train(X, Y, 0.5, 6, standardize=True)
    assert relative(ours.costs, exact[2]) < 1e-13
    for j in range(30):
        assert relative(ours.w[j], exact[0][j : j + 1]) < 1e-10


@pytest.mark.parametrize("fill", [1e20, 9.96921e36, 1e200])
@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("left_out", [slice(None, None, 64), slice(0, 5000), slice(600, None)])
@pytest.mark.sampled(3)
def test_weight_0_leaves_an_example_out_whatever_it_holds(fill, order, left_out):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((12, 20_000)).astype(float, order=order)
    Y = (X[0] + X[1] > 0) * 1.0
    weight = np.ones(20_000)
    weight[left_out] = 0
    X[0, left_out] = fill
    kept = weight > 0
    ours = logreg_c.train(X, Y, 0.5, 20, sample_weight=weight, standardize=True)
    without = logreg_c.train(X[:, kept], Y[kept], 0.5, 20, standardize=True)
    np.testing.assert_allclose(ours.w, without.w, rtol=1e-12)
    np.testing.assert_allclose(ours.costs, without.costs, rtol=1e-13)
    X[1, np.flatnonzero(~kept)[-1]] = np.nan
    with pytest.raises(ValueError, match="NaN or infinity"):
        logreg_c.train(X, Y, 0.5, 2, sample_weight=weight, standardize=True)
