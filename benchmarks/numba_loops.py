# SPDX-License-Identifier: BSD-3-Clause
"""A well-written numba version: one fused pass, with a chunk of examples per thread."""

import math

import numba
import numpy as np

BLOCK = 512


@numba.njit(fastmath=True, inline="always")
def _activate(z, y):
    """Return (cost, dz) of one example."""
    e = math.exp(-abs(z))
    a = 1 / (1 + e) if z > 0 else e / (1 + e)
    return max(z, z * 0) - y * z + math.log1p(e), a - y


@numba.njit(parallel=True, fastmath=True)
def _pass_by_examples(X, Y, w, b, threads):
    m, n_x = X.shape
    dw, sums = np.zeros((threads, n_x), w.dtype), np.zeros((threads, 2))
    for t in numba.prange(threads):
        for i in range(m * t // threads, m * (t + 1) // threads):
            z = b
            for j in range(n_x):
                z += w[j] * w.dtype.type(X[i, j])
            cost, dz = _activate(z, Y[i])
            sums[t, 0] += cost
            sums[t, 1] += dz
            for j in range(n_x):
                dw[t, j] += dz * w.dtype.type(X[i, j])
    return sums[:, 0].sum() / m, dw.sum(axis=0) / m, sums[:, 1].sum() / m


@numba.njit(parallel=True, fastmath=True)
def _pass_by_features(X, Y, w, b, threads):
    n_x, m = X.shape
    dw, sums = np.zeros((threads, n_x)), np.zeros((threads, 2))
    for t in numba.prange(threads):
        Z = np.empty(BLOCK, w.dtype)
        for first in range(m * t // threads, m * (t + 1) // threads, BLOCK):
            count = min(BLOCK, m * (t + 1) // threads - first)
            Z[:] = b
            for j in range(n_x):
                for i in range(count):
                    Z[i] += w[j] * w.dtype.type(X[j, first + i])
            for i in range(count):
                cost, Z[i] = _activate(Z[i], Y[first + i])
                sums[t, 0] += cost
                sums[t, 1] += Z[i]
            for j in range(n_x):
                total = w.dtype.type(0)
                for i in range(count):
                    total += Z[i] * w.dtype.type(X[j, first + i])
                dw[t, j] += total
    return sums[:, 0].sum() / m, dw.sum(axis=0) / m, sums[:, 1].sum() / m


def _descend(one_pass, X, n_x, Y, alpha, threads, iters):
    w, b = np.zeros(n_x, Y.dtype), Y.dtype.type(0)
    numba.set_num_threads(threads)
    for _ in range(iters):
        J, dw, db = one_pass(X, Y, w, b, threads)
        w = (w - alpha * dw).astype(Y.dtype)
        b = Y.dtype.type(b - alpha * db)
    return J


def by_examples(X, Y, alpha, threads, iters):
    """Descend over X (m, n_x) in C order."""
    return _descend(_pass_by_examples, X, X.shape[1], Y, alpha, threads, iters)


def by_features(X, Y, alpha, threads, iters):
    """Descend over X (n_x, m) in C order."""
    return _descend(_pass_by_features, X, X.shape[0], Y, alpha, threads, iters)
