# SPDX-License-Identifier: BSD-3-Clause
"""Gram, Cholesky's factor and both solves: within the bounds of rounding, in any layout."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracle import bits, bounded

from logreg_c import _input, _kernel
from logreg_c._objective import Objective

SEEDS = st.integers(0, 2**32 - 1)
UNIT = 2.0**-53
ORDERS = st.sampled_from([1, 2, 3, 7, 8, 9, 17, 31, 63, 64, 65, 72, 127, 128, 129, 193, 200])
TYPES = ["f8", "f4", "f2", "i4", "i1", "u2", "u1", "?"]


def objective(X, n_threads=1):
    return Objective(_input.examples(X, None), None, None, n_threads)


def lay_out(X, layout):
    """The same values of X (n_x, m), stored in another way."""
    if layout == "F":
        return np.asfortranarray(X)
    if layout == "strided":
        return np.repeat(np.repeat(X, 2, axis=0), 3, axis=1)[::2, ::3]
    if layout == "reversed":
        return X[::-1, ::-1].copy()[::-1, ::-1]
    return list(X) if layout == "columns" else np.ascontiguousarray(X)


def exact_gram(X, h, centre):
    """G and mu, and the sums of magnitudes that rounding is in proportion to."""
    X, h = X.astype(np.longdouble), h.astype(np.longdouble)
    far = X - centre[:, None]
    S = h.sum()
    shift = (far * h).sum(axis=1) / S
    about = far - shift[:, None]
    size = (np.abs(far) * h) @ np.abs(far).T + S * np.outer(np.abs(shift), np.abs(shift))
    return (about * h) @ about.T, centre + shift, size, (np.abs(far) * h).sum(axis=1) / S


@given(
    seed=SEEDS,
    n_x=st.sampled_from([1, 3, 7, 8, 9, 16, 33, 65]),
    m=st.sampled_from([1, 2, 7, 8, 9, 63, 127, 128, 129, 300, 515]),
    dtype=st.sampled_from(TYPES),
    layout=st.sampled_from(["C", "F", "strided", "reversed", "columns"]),
    near=st.floats(0, 2),
)
@bounded
def test_gram_is_within_the_bound_of_rounding(seed, n_x, m, dtype, layout, near):
    rng = np.random.default_rng(seed)
    X = rng.integers(0, 2, (n_x, m)) if dtype == "?" else 20 * rng.standard_normal((n_x, m))
    X = np.abs(X).astype(dtype)
    h = rng.random(m) * 10.0 ** rng.integers(-6, 6, m)
    h[1:] *= rng.integers(0, 5, m - 1) > 0
    centre = X.astype(float).mean(axis=1) + near * rng.standard_normal(n_x)
    G, mu, S = objective(lay_out(X, layout)).gram(h, centre)
    exact, mean, size, length = exact_gram(X, h, centre)
    lower = np.tril(np.ones_like(G, dtype=bool))
    assert (np.abs(G - exact) <= 2 * (m + 10) * UNIT * size)[lower].all()
    assert (np.abs(mu - mean) <= 2 * (m + 10) * UNIT * (length + np.abs(mean))).all()
    assert S == pytest.approx(h.sum(), rel=(m + 2) * UNIT)
    assert (G[~lower] == 0).all()


@pytest.mark.parametrize("layout", ["C", "F", "columns"])
@pytest.mark.parametrize("n_x", [5, 600])
def test_examples_without_weight_change_no_bit(n_x, layout):
    """They are left out; a weight whose products all underflow adds the zeros that they would."""
    rng = np.random.default_rng(0)
    X = lay_out(rng.standard_normal((n_x, 300)), layout)
    h = rng.random(300) * (rng.random(300) < 0.3)
    h[130:260] = 0.0
    left_out = objective(X).gram(h, np.full(n_x, 0.1))
    added = objective(X).gram(np.where(h == 0.0, 2.0**-1070, h), np.full(n_x, 0.1))
    for one, other in zip(left_out, added, strict=True):
        assert bits(np.asarray(one)) == bits(np.asarray(other))


@pytest.mark.parametrize("n_threads", [1, 2, 3])
@pytest.mark.parametrize("layout", ["C", "strided", "reversed", "columns"])
def test_a_layout_with_the_same_order_of_sums_has_the_same_bits(layout, n_threads):
    rng = np.random.default_rng(3)
    X, h = rng.standard_normal((19, 3000)), rng.random(3000)
    centre = np.zeros(19)
    G, mu, _ = objective(X).gram(h, centre)
    again, mean, _ = objective(lay_out(X, layout), n_threads).gram(h, centre)
    assert bits(again) == bits(G)
    assert bits(mean) == bits(mu)


def make_matrix(seed, n, condition=6.0):
    """A positive definite matrix whose scales and eigenvalues spread."""
    rng = np.random.default_rng(seed)
    F = rng.standard_normal((n, n + 5)) * 10 ** rng.uniform(-condition / 2, 0, n + 5)
    A = F @ F.T + 1e-9 * n * np.eye(n)
    scale = 2.0 ** rng.integers(-20, 20, n)
    return A * scale * scale[:, None]


def factored(A, n_threads=1, least=0.0):
    L = np.tril(A) + np.triu(np.full_like(A, np.nan), 1)
    failed = objective(np.zeros((1, 1)), n_threads).cholesky(L, least)
    assert np.isnan(L[np.triu_indices(len(L), 1)]).all()
    return np.tril(np.where(np.isnan(L), 0, L)), failed


@given(seed=SEEDS, n=ORDERS)
@bounded
@pytest.mark.long
def test_the_product_of_the_factor_is_within_the_bound_of_rounding(seed, n):
    A = make_matrix(seed, n)
    L, failed = factored(A)
    assert failed == 0
    wide = L.astype(np.longdouble)
    assert (np.abs(wide @ wide.T - A) <= 2 * (n + 4) * UNIT * (np.abs(L) @ np.abs(L).T)).all()


@given(seed=SEEDS, n=ORDERS)
@bounded
@pytest.mark.long
def test_solves_are_within_the_bound_of_rounding(seed, n):
    L, _ = factored(make_matrix(seed, n))
    b = np.random.default_rng(seed).standard_normal(n)
    for solve, T in (_kernel.solve_lower, L), (_kernel.solve_upper, L.T):
        x = b.copy()
        solve(L, n, x)
        far = np.abs(T.astype(np.longdouble) @ x.astype(np.longdouble) - b)
        assert (far <= 2 * (n + 2) * UNIT * (np.abs(T) @ np.abs(x))).all()


@given(seed=SEEDS, n=ORDERS, k=st.integers(1, 200), n_threads=st.integers(1, 4))
@bounded
@pytest.mark.long
def test_powers_of_two_threads_and_more_rows_change_no_bit_of_a_factor(seed, n, k, n_threads):
    A = make_matrix(seed, n)
    L, _ = factored(A)
    scale = 2.0 ** np.random.default_rng(seed).integers(-99, 99, n)
    assert bits(factored(A * scale * scale[:, None], n_threads)[0]) == bits(L * scale[:, None])
    k = min(k, n)
    assert bits(factored(A[:k, :k].copy())[0]) == bits(L[:k, :k])


@given(seed=SEEDS, n=ORDERS, place=st.integers(0, 199))
@bounded
@pytest.mark.long
def test_a_row_that_depends_on_earlier_ones_is_the_pivot_that_fails(seed, n, place):
    A = make_matrix(seed, n)
    k = place % n
    L, _ = factored(A)
    A[k, k] -= L[k, k] ** 2 * (1 + 1e-3) + 1e-9 * A[k, k]
    found, failed = factored(A, least=0.0)
    assert failed == k + 1
    assert bits(found[:k]) == bits(L[:k])
