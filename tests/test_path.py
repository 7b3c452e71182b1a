# SPDX-License-Identifier: BSD-3-Clause
"""Minima for many penalties, each from the one before, are those of their own fits."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logreg_c import _input
from logreg_c._objective import Objective
from logreg_c._solvers.minimum import minimize
from logreg_c._solvers.path import minimize_path
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


@settings(deadline=None, max_examples=40)
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
