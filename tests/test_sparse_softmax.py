# SPDX-License-Identifier: BSD-3-Clause
"""Several classes with sparse X: what they give with the dense X, and at the minimum."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from oracle import bits, run_python
from test_sparse import make_sparse

import logreg_c
from logreg_c import _kernel
from logreg_c.sklearn import LogisticRegression


def problem(shape, k, dtype="f8", density=0.2, seed=0):
    X, _ = make_sparse(shape, dtype, density, seed)
    rng = np.random.default_rng(seed)
    Y = rng.integers(0, k, shape[1])
    Y[:k] = np.arange(k)
    return X, Y, rng


@settings(max_examples=40)
@given(
    shape=st.sampled_from([(0, 20), (1, 30), (9, 130), (40, 700), (1300, 20)]),
    k=st.sampled_from([3, 8, 17]),
    dtype=st.sampled_from(["f8", "f4", "?", "u1", "i8"]),
    weighted=st.booleans(),
    seed=st.integers(0, 99),
)
def test_as_dense(shape, k, dtype, weighted, seed):
    X, Y, rng = problem(shape, k, dtype, seed=seed)
    w, b = rng.normal(size=(shape[0], k)) / 8, rng.normal(size=k)
    s = rng.uniform(0.1, 3.0, shape[1]) if weighted else None
    found = logreg_c.cost_and_gradient(X, Y, w, b, l2=0.1, sample_weight=s)
    due = logreg_c.cost_and_gradient(X.toarray(), Y, w, b, l2=0.1, sample_weight=s)
    for here, there in zip(found, due, strict=True):
        np.testing.assert_allclose(here, there, rtol=1e-11, atol=1e-11)
    A = logreg_c.predict_proba(X, w, b)
    np.testing.assert_allclose(A, logreg_c.predict_proba(X.toarray(), w, b), rtol=1e-11)
    ours = logreg_c.train(X, Y, 1e-3, 5, sample_weight=s)
    theirs = logreg_c.train(X.toarray(), Y, 1e-3, 5, sample_weight=s)
    np.testing.assert_allclose(ours.w, theirs.w, rtol=1e-9, atol=1e-11)


def answers(n_threads):
    """Return a gradient, predictions, and a minimum from a diagonal factor."""
    X, Y, rng = problem((700, 3000), 17, density=0.05)
    w, b = rng.normal(size=(700, 17)), rng.normal(size=17)
    _, dw, db = logreg_c.cost_and_gradient(X, Y, w, b, n_threads=n_threads)
    fitted = logreg_c.fit(X[:, :300], Y[:300], l2=0.1, n_threads=n_threads)
    A = logreg_c.predict_proba(X, w, b, n_threads=n_threads)
    return dw, db, A, fitted.w, fitted.b


def test_the_bits_do_not_depend_on_threads():
    alone = answers(1)
    for n_threads in 2, 3, 7:
        assert all(bits(a) == bits(b) for a, b in zip(alone, answers(n_threads), strict=True))


@pytest.mark.long
@pytest.mark.parametrize("isa", [k for k, runs in logreg_c._kernel.isa_known().items() if runs])
def test_the_bits_do_not_depend_on_the_instruction_set(isa):
    program = "import test_sparse_softmax as t; print([t.bits(a) for a in t.answers(2)])"
    here = f"{[bits(a) for a in answers(1)]}"
    assert run_python(program, LOGREG_C_ISA=isa).strip() == here


@pytest.mark.parametrize("sparse", [True, False])
@pytest.mark.parametrize("intercept", [True, False])
def test_a_diagonal_factor_finds_the_minimum(sparse, intercept, monkeypatch):
    X, Y, rng = problem((30, 400), 4)
    s = rng.uniform(0.5, 2.0, 400)
    settings = {"l2": 1e-3, "sample_weight": s, "intercept": intercept, "tol": 1e-10}
    due = logreg_c.fit(X.toarray(), Y, **settings)
    monkeypatch.setattr("logreg_c._solvers.softmax_factor.DENSE", 0)
    monkeypatch.setattr("logreg_c._solvers.softmax_factor.MOST_FEATURES", 0)
    found = logreg_c.fit(X if sparse else X.toarray(), Y, **settings)
    assert found.stopped == "tol"
    assert abs(found.costs[-1] - due.costs[-1]) <= 1e-9 * due.costs[-1]
    np.testing.assert_allclose(found.w, due.w, atol=2e-4)


@pytest.mark.parametrize("sparse", [True, False])
def test_the_curvature_is_the_diagonal_of_the_hessian(sparse):
    X, Y, rng = problem((11, 300), 5)
    dense, s, w, b = X.toarray(), rng.uniform(0, 2, 300), rng.normal(size=(11, 5)), np.ones(5)
    centre = np.zeros(11) if sparse else rng.normal(size=11)
    A = logreg_c.predict_proba(dense, w, b)
    D, d = np.empty((11, 5)), np.empty(5)
    values = logreg_c._input.examples(X if sparse else dense, None).values
    kernel = _kernel.Problem(values, Y, s, 2, False)
    shifted = b + centre @ w
    assert _kernel.softmax_curvature(kernel, w, shifted, centre, D, d) == _kernel.OK
    h = s * A * (1 - A)
    np.testing.assert_allclose(D, (dense - centre[:, None]) ** 2 @ h.T, rtol=1e-11)
    np.testing.assert_allclose(d, h.sum(1), rtol=1e-11)


def test_a_nan_is_named():
    X, Y, _ = problem((9, 50), 3)
    X.data[17] = np.nan
    with pytest.raises(ValueError, match="X holds NaN or infinity, first at"):
        logreg_c.fit(X, Y)


@pytest.mark.parametrize("settings", [{}, {"fit_intercept": False}, {"standardize": True}])
def test_the_estimator_finds_the_minimum_of_dense_x(settings):
    X, Y, _ = problem((12, 300), 3)
    sparse = LogisticRegression(**settings).fit(X.T.tocsr(), Y)
    dense = LogisticRegression(**settings).fit(X.T.toarray(), Y)
    np.testing.assert_allclose(sparse.coef_, dense.coef_, atol=1e-4)
    np.testing.assert_array_equal(sparse.predict(X.T), dense.predict(X.T.toarray()))
