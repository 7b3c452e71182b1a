# SPDX-License-Identifier: BSD-3-Clause
"""Y of several classes that holds probabilities: `train`, `fit` and the cost."""

import numpy as np
import pytest
from oracle import LAYOUTS, bits
from scipy.sparse import csc_array

import logreg_c
from logreg_c import batches, reference


def make(n_x, m, k, seed=0):
    """Return X and probabilities, some of which are 0 and 1."""
    rng = np.random.default_rng(seed)
    X, Y = rng.normal(size=(n_x, m)), rng.dirichlet(np.full(k, 0.5), m).T
    Y[:, ::5] = np.eye(k)[:, np.arange(0, m, 5) % k]
    return X, Y


def repeated(X, Y, s):
    """Return the examples once for each class, with the probabilities as weights."""
    k, m = Y.shape
    return np.tile(X, k), np.repeat(np.arange(k), m), (Y * s).ravel()


@pytest.mark.parametrize("k", [2, 3, 9])
def test_descends_as_the_loop(k):
    X, Y = make(4, 60, k)
    found, of_loop = logreg_c.train(X, Y, 0.5, 30), reference.train_softmax(X, Y, 0.5, 30)
    for ours, theirs in zip(found, of_loop, strict=True):
        assert ours == pytest.approx(theirs, rel=1e-12, abs=1e-13)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_cost_and_gradient_are_those_of_weighted_classes(layout):
    X, Y = make(5, 70, 4)
    s = np.random.default_rng(1).random(70)
    w, b = np.random.default_rng(2).normal(size=(5, 4)), np.arange(4.0)
    J, dw, db = logreg_c.cost_and_gradient(LAYOUTS[layout](X), Y, w, b, l2=0.1, sample_weight=s)
    X, y, weight = repeated(X, Y, s)
    of_all = logreg_c.cost_and_gradient(X, y, w, b, l2=0.1, sample_weight=weight)
    for ours, theirs in zip((J, dw, db), of_all, strict=True):
        assert ours == pytest.approx(theirs, rel=1e-12, abs=1e-13)


@pytest.mark.parametrize("m", [80, 3200])
@pytest.mark.parametrize("l2", [0.0, 1e-2])
def test_finds_the_minimum(m, l2):
    X, Y = make(2, m, 3)
    found = logreg_c.fit(X, Y, l2=l2, tol=1e-12)
    X, y, weight = repeated(X, Y, np.ones(m))
    of_all = logreg_c.fit(X, y, l2=l2, tol=1e-12, sample_weight=weight)
    assert found.converged
    assert found.costs[-1] == pytest.approx(of_all.costs[-1], rel=1e-11)
    assert found.w == pytest.approx(of_all.w, abs=1e-5)


@pytest.mark.parametrize("m", [60, 4000])
@pytest.mark.parametrize("absent", [0, 1, 3])
def test_a_class_without_probability_changes_no_minimum(absent, m):
    X, Y = make(2, m, 4)
    Y[:, Y[absent] == 1.0] = 0.25
    Y[absent] = 0.0
    Y /= Y.sum(axis=0)
    found = logreg_c.fit(X, Y, tol=1e-12)
    others = np.arange(4) != absent
    of_others = logreg_c.fit(X, Y[others], tol=1e-12)
    assert found.converged
    assert found.costs[-1] == pytest.approx(of_others.costs[-1], rel=1e-12)
    A = logreg_c.predict_proba(X, found.w, found.b)
    assert A[absent].max() < 1e-12
    assert A[others] == pytest.approx(logreg_c.predict_proba(X, *of_others[:2]), abs=1e-5)


def test_takes_sparse_and_standardized_features():
    X, Y = make(4, 50, 3)
    X[X < 0.5] = 0.0
    of_sparse, of_dense = (logreg_c.fit(x, Y, l2=0.1, tol=1e-12) for x in (csc_array(X), X))
    assert of_sparse.w == pytest.approx(of_dense.w, abs=1e-6)
    descents = logreg_c.train(X, Y, "auto", 20, standardize=True).costs
    assert (np.diff(descents) < 0.0).all()


def test_does_not_depend_on_threads():
    X, Y = make(8, 9000, 3)
    found = [logreg_c.fit(X, Y, l2=1e-3, n_threads=n) for n in (1, 3)]
    assert len({bits(one.w) for one in found}) == 1


@pytest.mark.parametrize("column", [[0.5, 0.5, 0.5], [1.5, -0.5, 0.0], [np.nan, 0.5, 0.5]])
def test_names_what_is_no_probability(column):
    X, Y = make(2, 10, 3)
    Y[:, 7] = column
    for call in logreg_c.fit, lambda X, Y: logreg_c.train(X, Y, 0.1, 1):
        with pytest.raises(ValueError, match=r"example 7 has .*; expected one 1.*that sum to 1"):
            call(X, Y)


def test_is_refused_in_batches():
    X, Y = make(2, 10, 3)
    with pytest.raises(ValueError, match="one class for all"):
        logreg_c.fit(batches.from_array(X.T), Y)
