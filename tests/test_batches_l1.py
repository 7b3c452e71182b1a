# SPDX-License-Identifier: BSD-3-Clause
"""An l1 penalty, factors and bounds over batches give the bits of the same rows in memory."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from oracle import bits

import logreg_c
from logreg_c import batches
from logreg_c.callbacks import Checkpoint

pytestmark = pytest.mark.filterwarnings("ignore::logreg_c.ConvergenceWarning")


def make_problem(n_x, m, seed=4):
    rng = np.random.default_rng(seed)
    rows = rng.standard_normal((m, n_x)) * np.logspace(-1, 1, n_x)
    w = np.where(np.arange(n_x) % 4 == 0, 1.0, 0.0) / np.logspace(-1, 1, n_x)
    return rows, rng.random(m) < 1 / (1 + np.exp(-rows @ w)), rng.random(m)


def in_batches(rows, size, layout, **settings):
    pieces = np.array_split(rows, range(size, len(rows), size))
    if layout == "columns":
        pieces = [{f"x{j}": np.ascontiguousarray(x) for j, x in enumerate(p.T)} for p in pieces]
    return batches.Batches(lambda: pieces, **settings)


def assert_same(found, expected):
    assert bits(*found) == bits(*expected)
    assert (found.stopped, found.passes, found.gap) == (
        expected.stopped,
        expected.passes,
        expected.gap,
    )


GOALS = {
    "lasso": {"l1": 0.02},
    "elastic net": {"l1": 0.01, "l2": 0.01, "intercept": False},
    "bounds": {"lower": 0.0, "upper": 0.3},
    "factors": {"l1": 0.02, "penalty_factors": np.arange(40) % 3},
    "few passes": {"l1": 1e-4, "max_passes": 3},
    "rounding": {"l1": 1e-3, "tol": 0.0},
}


PATHS = {
    "l2": {"l2": [1.0, 1e-3, 0.1, 0.0]},
    "no intercept": {"l2": [0.1, 1e-2], "intercept": False, "tol": 1e-3, "max_passes": 3},
    "l1": {"l1": [0.05, 0.02], "l2": 0.01, "upper": 0.5},
}


@pytest.mark.parametrize("goal", PATHS.values(), ids=PATHS)
@pytest.mark.parametrize("n_x", [12, 40])
@pytest.mark.sampled(2)
def test_paths(goal, n_x):
    rows, Y, weight = make_problem(n_x, 9_001)
    X = in_batches(rows, 2500, "rows")
    for s in None, weight:
        expected = logreg_c.fit_path(rows.T, Y, sample_weight=s, **goal)
        found = logreg_c.fit_path(X, Y, sample_weight=s, **goal)
        for name in "w", "b", "cost", "gap", "passes":
            assert bits(getattr(found, name)) == bits(getattr(expected, name)), name
        assert found.stopped.tolist() == expected.stopped.tolist()
        assert logreg_c.l1_max(X, Y, sample_weight=s) == logreg_c.l1_max(rows.T, Y, sample_weight=s)


@pytest.mark.parametrize("goal", GOALS.values(), ids=GOALS)
@pytest.mark.parametrize("layout", ["rows", "columns"])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.sampled(2)
def test_fit(goal, layout, weighted):
    rows, Y, weight = make_problem(40, 12_345)
    s = weight if weighted else None
    X = list(np.ascontiguousarray(rows.T)) if layout == "columns" else rows.T
    expected = logreg_c.fit(X, Y, sample_weight=s, **goal)
    found = logreg_c.fit(in_batches(rows, 5000, layout), Y, sample_weight=s, **goal)
    assert_same(found, expected)


@pytest.mark.parametrize("layout", ["rows", "columns"])
@pytest.mark.long
def test_few_of_many_features_have_longer_segments(layout):
    """Parts begin where segments of 600 features do, and are joined for those of a few."""
    rows, Y, _ = make_problem(600, 9_001)
    goal = {"l1": 0.05, "tol": 1e-6}
    X = list(np.ascontiguousarray(rows.T)) if layout == "columns" else rows.T
    start = np.where(np.arange(600) % 7 == 0, 0.01, 0.0)
    for w in None, start:
        expected = logreg_c.fit(X, Y, w=w, **goal)
        assert_same(logreg_c.fit(in_batches(rows, 700, layout), Y, w=w, **goal), expected)


def test_a_cache_and_a_checkpoint(tmp_path):
    rows, Y, _ = make_problem(8, 5000)
    X = in_batches(rows, 1500, "rows", cache=tmp_path / "cache")
    expected, path = logreg_c.fit(rows.T, Y, l1=0.01, tol=1e-12), tmp_path / "run.npz"
    assert_same(logreg_c.fit(X, Y, l1=0.01, tol=1e-12), expected)
    stop = [lambda k, *_: k == 1, Checkpoint(path)]
    logreg_c.fit(rows.T, Y, l1=0.01, tol=1e-12, callback=stop)
    found = logreg_c.fit(X, Y, l1=0.01, tol=1e-12, callback=Checkpoint(path))
    assert bits(*found) == bits(*expected)


@given(st.integers(1, 60), st.integers(2049, 9000), st.integers(300, 9000), st.integers(0, 9))
@settings(max_examples=15)
@pytest.mark.long
def test_any_cut_has_the_bits_of_memory(n_x, m, size, seed):
    rows, Y, _ = make_problem(n_x, m, seed)
    goal = {"l1": 10.0**-seed, "tol": 1e-7}
    found = logreg_c.fit(in_batches(rows.astype("f4"), size, "rows"), Y, **goal)
    assert_same(found, logreg_c.fit(rows.astype("f4").T, Y, **goal))
