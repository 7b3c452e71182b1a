# SPDX-License-Identifier: BSD-3-Clause
"""Minima for many penalties, each from the one before, are those of their own fits."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from oracle import Penalized

import logreg_c
from logreg_c import _input
from logreg_c._objective import Objective
from logreg_c._solvers.minimum import minimize
from logreg_c._solvers.path import minimize_path, minimize_paths, path_of_penalties
from logreg_c._solvers.penalty import Penalty
from logreg_c._solvers.result import Solution


def objective_of(X, Y, weight=None, n_threads=1):
    examples = _input.examples(X, None)
    return Objective.checked(examples, Y, sample_weight=weight, n_threads=n_threads)


def path_of(objective, l2s, *, fixed_b=False, tol=1e-14, max_passes=300):
    start = Solution(np.zeros((objective.examples.shape[0], 1)), 0.0)
    goal = {"warm": False, "tol": tol, "slope": math.inf, "fixed_b": fixed_b}
    return minimize_path(objective, l2s, max_passes, start, **goal)


def data(seed, n_x, m, dtype="f8", order="C"):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n_x, m)) * np.logspace(-1, 1, n_x)[:, np.newaxis]
    Y = rng.random(m) < 1 / (1 + np.exp(-X.sum(axis=0) / n_x))
    Y[:2] = False, True
    X = np.clip(40 * X + 100, 0, 255) if dtype == "u1" else X
    return np.asarray(X.astype(dtype), order=order), Y


@settings(max_examples=40)
@given(
    seed=st.integers(0, 2**32 - 1),
    n_x=st.sampled_from([1, 3, 8, 17]),
    m=st.sampled_from([5, 60, 700, 4000]),
    dtype=st.sampled_from(["f8", "f4", "u1"]),
    order=st.sampled_from("CF"),
    l2s=st.lists(st.sampled_from([1e-6, 1e-3, 0.1, 10.0, 1e3]), min_size=2, max_size=6),
    flags=st.tuples(*[st.booleans()] * 3),
)
def test_every_minimum_is_that_of_its_own_fit(seed, n_x, m, dtype, order, l2s, flags):
    weighted, standardize, fixed_b = flags
    X, Y = data(seed, n_x, m, dtype, order)
    weight = np.random.default_rng(seed).integers(1, 4, m) if weighted else None
    objective = objective_of(X, Y, weight)
    if standardize:
        objective.standardize(centre=not fixed_b)
    found = path_of(objective, l2s, fixed_b=fixed_b)
    for l2, one in zip(l2s, found, strict=True):
        goal = {"warm": False, "l2": l2, "tol": 1e-14, "fixed_b": fixed_b}
        goal["standardize"] = standardize
        own = minimize(objective_of(X, Y, weight), 300, w=np.zeros((n_x, 1)), b=0.0, **goal)
        assert {one.stopped, own.stopped} <= {"tol", "rounding"}
        Z, expected = (at.w.T @ X.astype(float) + at.b for at in (one, own))
        np.testing.assert_allclose(Z, expected, atol=1e-4 * (1 + np.abs(expected).max()))


@settings(max_examples=20)
@given(
    seed=st.integers(0, 2**32 - 1),
    n_x=st.sampled_from([1, 8, 17]),
    m=st.sampled_from([5, 700, 4000, 40_000]),
    dtype=st.sampled_from(["f8", "f4", "u1"]),
    order=st.sampled_from("CF"),
    n_threads=st.sampled_from([1, 3]),
)
def test_searches_in_one_pass_have_the_bits_of_their_own(seed, n_x, m, dtype, order, n_threads):
    rng = np.random.default_rng(seed)
    X, Y = data(seed, n_x, m, dtype, order)
    kept = (rng.random(m) < 0.8) | (np.arange(m) == 0)  # the weights must not all be 0
    weights = [None, kept, rng.random(m), np.arange(m) > m // 2]
    labels = [Y, Y, rng.random(m) < 0.3, rng.random(m)]
    l2s = [[10.0**-k, 10.0 ** -(k + 2), 10.0**-k] for k in range(len(labels))]
    start = Solution(np.zeros((n_x, 1)), 0.0)
    goal = {"warm": False, "tol": 1e-9, "slope": math.inf, "fixed_b": seed % 2 == 0}
    together = [objective_of(X, *of_one, n_threads) for of_one in zip(labels, weights, strict=True)]
    found = minimize_paths(together, l2s, 30, start, **goal)
    for path, label, weight, own_l2s in zip(found, labels, weights, l2s, strict=True):
        alone = minimize_path(objective_of(X, label, weight), own_l2s, 30, start, **goal)
        for one, own in zip(path, alone, strict=True):
            assert (one.b, one.n_iter, one.gap) == (own.b, own.n_iter, own.gap)
            assert (one.stopped, one.slope) == (own.stopped, own.slope)
            np.testing.assert_array_equal(one.w, own.w)


def test_what_costs_nothing_takes_no_pass():
    objective = objective_of(*data(0, 12, 20_000))
    found = path_of(objective, [1e-3, 1e-3, 1e-4, 1e-8, 0.0], tol=1e-9)
    assert found[1].n_iter == found[4].n_iter == 0
    assert found[1].costs.size == 0
    alone = [path_of(objective, [l2], tol=1e-9)[0].n_iter for l2 in (1e-4, 1e-8)]
    assert found[2].n_iter < alone[0]
    assert found[3].n_iter < alone[1]


def test_where_there_is_no_minimum_the_search_begins_again():
    X = np.array([[-2.0, -1.0, 1.0, 2.0]])
    objective = objective_of(X, X[0] > 0)
    found = path_of(objective, [0.1, 0.0, 0.1])
    assert [one.stopped for one in found] == ["tol", "separated", "tol"]
    assert found[2].w.item() == pytest.approx(found[0].w.item(), rel=1e-6)


def test_too_few_passes_are_continued():
    objective = objective_of(*data(1, 8, 4000))
    found = path_of(objective, [0.1] * 12, max_passes=3)
    assert {one.stopped for one in found[:3]} == {"passes"}
    assert found[-1].stopped == "tol"
    own = path_of(objective, [0.1])[0]
    np.testing.assert_allclose(found[-1].w, own.w, rtol=1e-4)


@pytest.mark.parametrize("n_threads", [2, 3])
def test_threads_change_no_bit(n_threads):
    X, Y = data(2, 10, 30_000)
    l2s = [1.0, 1e-2, 1e-4]
    one, more = (path_of(objective_of(X, Y, n_threads=n), l2s) for n in (1, n_threads))
    for a, b in zip(one, more, strict=True):
        assert a.w.tobytes() == b.w.tobytes()
        assert (a.b, a.n_iter) == (b.b, b.n_iter)


# ---- fit_path -----------------------------------------------------------------------------------


@pytest.mark.parametrize("intercept", [True, False])
def test_fit_path_has_the_minima_of_fit_in_the_order_of_l2(intercept):
    X, Y = data(3, 6, 5000)
    l2s, weight = [1e-4, 10.0, 0.0, 0.1], np.arange(5000) % 3
    settings = {"sample_weight": weight, "intercept": intercept, "tol": 1e-13}
    path = logreg_c.fit_path(X, Y, l2=l2s, **settings)
    assert path.w.shape == (4, 6)
    assert path.converged.all()
    assert len(path) == 4
    for k, l2 in enumerate(l2s):
        own = logreg_c.fit(X, Y, l2=l2, **settings)
        np.testing.assert_allclose(path.w[k], own.w[:, 0], rtol=1e-4, atol=1e-8)
        assert path.b[k] == pytest.approx(own.b, rel=1e-4, abs=1e-8)
        assert path.cost[k] == pytest.approx(own.costs[-1], rel=1e-12)
    J, _, _ = logreg_c.cost_and_gradient(X, Y, path.w[0], path.b[0], l2=1e-4, sample_weight=weight)
    assert path.cost[0] == pytest.approx(J, rel=1e-14)


def test_a_cost_of_no_pass_is_that_at_w():
    X, Y = data(4, 6, 5000)
    path = logreg_c.fit_path(X, Y, l2=[1e-3, 1e-3])
    assert path.passes.tolist()[1] == 0
    J, _, _ = logreg_c.cost_and_gradient(X, Y, path.w[1], path.b[1], l2=1e-3)
    assert path.cost[1] == J


def test_fit_path_names_the_columns_of_a_frame():
    pd = pytest.importorskip("pandas")
    X, Y = data(5, 3, 200)
    path = logreg_c.fit_path(pd.DataFrame(dict(zip("abc", X, strict=True))), Y, l2=[0.1, 0.2])
    assert path.feature_names == ("a", "b", "c")


def test_fit_path_says_which_penalty_has_no_minimum():
    X = np.array([[-2.0, -1.0, 1.0, 2.0]])
    with pytest.warns(
        logreg_c.ConvergenceWarning, match=r"1 of 2 penalties .* l2\[1\] = 0: a plane separates"
    ):
        path = logreg_c.fit_path(X, X[0] > 0, l2=[0.1, 0.0])
    assert path.converged.tolist() == [True, False]
    with pytest.warns(logreg_c.ConvergenceWarning, match="2 of 2 penalties .*larger max_passes"):
        logreg_c.fit_path(*data(6, 9, 5000), l2=[0.1, 0.2], max_passes=1)


@pytest.mark.parametrize(
    ("l2", "message"),
    [
        ([], r"l2 has shape \(0,\)"),
        ([[1.0]], r"l2 has shape \(1, 1\)"),
        ([1.0, -1.0], r"l2\[1\] is -1.0; expected a finite number >= 0"),
        ([np.inf], r"l2\[0\] is inf"),
    ],
)
def test_a_wrong_l2_is_named(l2, message):
    with pytest.raises(ValueError, match=message):
        logreg_c.fit_path(*data(7, 2, 50), l2=l2)


# ---- Paths of l1 ---------------------------------------------------------------------------------


@settings(max_examples=20)
@given(
    seed=st.integers(0, 2**32 - 1),
    n_x=st.sampled_from([1, 5, 12]),
    m=st.sampled_from([9, 100, 700]),
    order=st.sampled_from("CF"),
    l1_ratio=st.sampled_from([1.0, 0.5]),
    flags=st.tuples(*[st.booleans()] * 3),
)
def test_every_gap_of_a_path_of_l1_is_within_tol(seed, n_x, m, order, l1_ratio, flags):
    weighted, bounded, intercept = flags
    X, Y = data(seed, n_x, m, order=order)
    rng = np.random.default_rng(seed)
    weight = rng.integers(1, 4, m) if weighted else None
    factors = rng.random(n_x) + 0.5
    lower, upper = (-0.2 * rng.random(n_x), 0.5) if bounded else (-np.inf, np.inf)
    common = {"sample_weight": weight, "intercept": intercept, "penalty_factors": factors}
    strengths = logreg_c.l1_max(X, Y, **common) / l1_ratio * np.geomspace(1.0, 1e-3, 6)
    l1, l2 = l1_ratio * strengths, (1.0 - l1_ratio) * strengths
    path = logreg_c.fit_path(X, Y, l1=l1, l2=l2, lower=lower, upper=upper, **common)
    assert path.converged.all()
    for k in range(6):
        exact = Penalized(X, Y, l1[k] * factors, l2[k] * factors, lower, upper, weight)
        best = exact.minimum(intercept=intercept)
        cost = exact.cost(path.w[k], path.b[k])
        assert cost - best <= 1e-8 * best
        assert path.cost[k] == pytest.approx(cost, rel=1e-12)


@pytest.mark.parametrize("factors", [None, [1.0, 0.0, 2.0, 1.0, 0.5, 0.0]])
@pytest.mark.parametrize("intercept", [True, False])
def test_l1_max_is_where_the_first_weight_appears(factors, intercept):
    X, Y = data(8, 6, 600)
    common = {"penalty_factors": factors, "intercept": intercept}
    most = logreg_c.l1_max(X, Y, **common)
    path = logreg_c.fit_path(X, Y, l1=most * np.array([2.0, 1.0 + 1e-9, 0.99]), **common)
    held = np.ones(6, bool) if factors is None else np.array(factors) > 0
    assert not path.w[:2, held].any()
    assert np.count_nonzero(path.w[2, held]) == 1
    assert path.w[:, ~held].all()


@pytest.mark.long
def test_wide_data():
    rng = np.random.default_rng(9)
    X = rng.standard_normal((5000, 200))
    Y = X[:4].sum(axis=0) + rng.logistic(size=200) > 0
    l1 = logreg_c.l1_max(X, Y) * np.geomspace(1.0, 0.05, 30)
    path = logreg_c.fit_path(X, Y, l1=l1)
    assert path.converged.all()
    assert (np.diff([np.count_nonzero(w) for w in path.w]) >= -5).all()
    for k in (5, 29):
        _, dw, _ = logreg_c.cost_and_gradient(X, Y, path.w[k], path.b[k])
        w, dw = path.w[k], dw.ravel() / l1[k]
        assert np.abs(dw).max() <= 1.0 + 1e-3
        np.testing.assert_allclose(dw[w != 0.0], -np.sign(w[w != 0.0]), atol=1e-3)
    own = logreg_c.fit(X, Y, l1=l1[29])
    assert path.cost[29] == pytest.approx(own.costs[-1], rel=2e-9)


def test_a_cost_is_that_of_float64_whatever_type_x_has():
    X, Y = data(2, 3, 300)
    X = np.asarray(X, np.float32)
    path = logreg_c.fit_path(X, Y, l2=[0.1, 0.01], tol=1e-3)
    for w, b, cost, l2 in zip(path.w, path.b, path.cost, [0.1, 0.01], strict=True):
        exact = logreg_c.cost_and_gradient(X, Y, w, b, l2=l2, dtype=np.float64)
        assert cost == pytest.approx(exact[0], rel=1e-14)


def test_a_path_of_l1_keeps_the_order_given_and_says_where_it_fails():
    X, Y = data(10, 6, 500)
    l1 = [1e-3, 0.1, 0.01]
    path = logreg_c.fit_path(X, Y, l1=l1, l2=0.01, tol=1e-13)
    for k in range(3):
        own = logreg_c.fit(X, Y, l1=l1[k], l2=0.01, tol=1e-13)
        np.testing.assert_allclose(path.w[k], own.w[:, 0], atol=1e-5)
    with pytest.warns(logreg_c.ConvergenceWarning, match=r"number 0, l1 = 0.001, l2 = 0: the pred"):
        logreg_c.fit_path(X, Y, l1=[1e-3, 10.0], max_passes=1, tol=0.0)
    apart = X[0] > 0
    with pytest.warns(logreg_c.ConvergenceWarning, match="a plane separates"):
        path = logreg_c.fit_path(X, apart, l1=[0.1, 0.0], lower=0.0)
    assert path.stopped.tolist() == ["tol", "separated"]
    with pytest.raises(ValueError, match=r"l2 has shape \(2,\) and l1 \(3,\)"):
        logreg_c.fit_path(X, Y, l1=[1.0, 2.0, 3.0], l2=[1.0, 2.0])


@pytest.mark.parametrize("order", "CF")
def test_threads_change_no_bit_of_a_path_of_l1(order):
    X, Y = data(11, 40, 20_000, order=order)
    l1 = logreg_c.l1_max(X, Y) * np.geomspace(1.0, 0.01, 8)
    one, more = (logreg_c.fit_path(X, Y, l1=l1, n_threads=n) for n in (1, 3))
    assert one.w.tobytes() == more.w.tobytes()
    assert one.cost.tobytes() == more.cost.tobytes()
    assert one.passes.sum() <= 24


def problems():
    """Yield the names of ten problems, X and Y."""
    rng = np.random.default_rng(12)
    gaussian = rng.standard_normal((40, 500))
    walk = gaussian.copy()
    for j in range(1, 40):
        walk[j] = 0.95 * walk[j - 1] + 0.3 * walk[j]
    every = {
        "gaussian": gaussian,
        "neighbours correlate": walk,
        "scales": gaussian * np.logspace(-3, 3, 40)[:, np.newaxis],
        "far from 0": gaussian + 100.0,
        "collinear": np.vstack([gaussian, gaussian[:20] + gaussian[20:]]),
        "counts": rng.poisson(rng.gamma(0.5, 4.0, (40, 500))).astype(np.uint8),
        "categories": (rng.integers(0, 40, 500) == np.arange(40)[:, np.newaxis]),
        "heavy tails": rng.standard_t(2, (40, 500)),
        "wide": rng.standard_normal((600, 100)),
    }
    for name, X in every.items():
        centred = X.astype(float) - X.mean(axis=1, keepdims=True)
        z = (centred / centred.std(axis=1, keepdims=True))[:5].sum(axis=0)
        yield name, X, z + rng.logistic(size=z.size) > 0.0
    yield "separated", gaussian, gaussian[:3].sum(axis=0) > 0.0


def bound_of_dual(X, Y, w, b, l1):
    """Return a lower bound on the least cost: the dual at the residuals, made feasible."""
    p = 1.0 / (1.0 + np.exp(-(w @ X + b)))
    u = p - Y
    above, below = u[u > 0.0].sum(), -u[u < 0.0].sum()
    u[u > 0.0] *= min(1.0, below / above)
    u[u < 0.0] *= min(1.0, above / below)
    u *= min(1.0, l1 * Y.size / np.abs(X @ u).max())
    q = u + Y
    return -np.mean(q * np.log(np.maximum(q, 1e-300)) + (1 - q) * np.log(np.maximum(1 - q, 1e-300)))


@pytest.mark.parametrize(("name", "X", "Y"), list(problems()))
def test_the_dual_bounds_the_gap_of_thirty_minima(name, X, Y):
    l1 = logreg_c.l1_max(X, Y) * np.array([0.5, 0.1, 0.01])
    path = logreg_c.fit_path(X, Y, l1=l1)
    assert path.converged.all()
    X = X.astype(float)
    free = np.full((2, len(X)), [[-np.inf], [np.inf]])
    for k in range(3):
        penalty = Penalty.of(np.ones(len(X)), l1[k], 0.0, *free)
        start = Solution(path.w[k][:, np.newaxis], path.b[k])
        goal = {"warm": True, "fixed_b": False, "tol": 1e-16, "slope": 1e-11}
        exact = path_of_penalties(objective_of(X, Y), [penalty], 300, start, **goal)[0]
        bound = bound_of_dual(X, Y, exact.w[:, 0], exact.b, l1[k])
        assert -1e-15 <= (path.cost[k] - bound) / bound <= 1e-8
