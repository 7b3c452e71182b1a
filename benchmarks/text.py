# SPDX-License-Identifier: BSD-3-Clause
"""Compare the time of an l1 penalty of sparse X with liblinear.

``python -m benchmarks.text`` fits 20,000 texts of about 100 of 20,000 words without an intercept,
which liblinear would penalize, at several C, and each library at several tolerances. Two arguments
are other numbers of words and texts. A row shows the least CPU time of three runs by turns, and the
relative gap to the least cost. `certain` is the gap to the dual, which no cost is below.
"""

import sys
import time
import warnings

import numpy as np
import scipy.sparse as sp
from sklearn.linear_model import LogisticRegression

import logreg_c

RUNS = 3
STORED = 110
STRENGTHS = (0.1, 1.0, 10.0)
OURS = (1e-3, 1e-6, 1e-9)
THEIRS = (1e-2, 1e-4, 1e-5, 1e-6)


def data(n_x: int, m: int) -> tuple[sp.csr_matrix, np.ndarray]:
    """Return X (m, n_x), whose words are as frequent as those of a language, and y."""
    rng = np.random.default_rng(0)
    share = np.cumsum(1.0 / np.arange(1, n_x + 1) ** 0.75)
    lengths = np.maximum(5, rng.lognormal(np.log(STORED) - 0.125, 0.5, m).astype(int))
    words = np.searchsorted(share / share[-1], rng.random(lengths.sum())).clip(max=n_x - 1)
    rows = np.repeat(np.arange(m), lengths)
    X = sp.csr_matrix((np.ones(words.size), (rows, rng.permutation(n_x)[words])), shape=(m, n_x))
    X.data[:] = np.abs(rng.standard_normal(X.nnz)) + 0.1
    z = X @ (rng.standard_normal(n_x) * (rng.random(n_x) < 0.2))
    return X, rng.random(m) < 1.0 / (1.0 + np.exp(-3.0 * z / z.std()))


def costs(X: sp.csr_matrix, y: np.ndarray, w: np.ndarray, l1: float) -> tuple[float, float]:
    """Return the cost with its penalty, and a bound that no cost is below: the dual's."""
    sign = np.where(y, 1.0, -1.0)
    z = sign * (X @ w)
    u = 1.0 / (1.0 + np.exp(z))
    u *= min(1.0, l1 * y.size / np.abs(X.T @ (sign * u)).max())
    entropy = -np.where(u > 0.0, u * np.log(np.maximum(u, 1e-300)), 0.0) - (1.0 - u) * np.log1p(-u)
    return np.logaddexp(0.0, -z).mean() + l1 * np.abs(w).sum(), float(entropy.mean())


def ours(X: sp.csr_matrix, y: np.ndarray, C: float, tol: float) -> np.ndarray:
    """Return w of `fit` on one thread."""
    l1 = 1.0 / (C * y.size)
    return logreg_c.fit(X.T, y, l1=l1, intercept=False, tol=tol, n_threads=1).w[:, 0]


def liblinear(X: sp.csr_matrix, y: np.ndarray, C: float, tol: float) -> np.ndarray:
    """Return w of liblinear in scikit-learn."""
    settings = {"C": C, "tol": tol, "fit_intercept": False, "max_iter": 100_000}
    return LogisticRegression(l1_ratio=1.0, solver="liblinear", **settings).fit(X, y).coef_[0]


def main(n_x: int, m: int) -> None:
    """Run all, by turns."""
    warnings.simplefilter("ignore")
    X, y = data(n_x, m)
    print(f"{n_x} x {m}, {X.nnz} stored\n\n| C | | tol | seconds | weights | gap | certain |")
    print("|---|---|---|---|---|---|---|")
    for C in STRENGTHS:
        best = costs(X, y, ours(X, y, C, 1e-13), 1.0 / (C * m))[0]
        calls = [(ours, tol) for tol in OURS] + [(liblinear, tol) for tol in THEIRS]
        times: list[list[float]] = [[] for _ in calls]
        for _ in range(RUNS):
            for (solve, tol), of_one in zip(calls, times, strict=True):
                start = time.process_time()
                w = solve(X, y, C, tol)
                of_one.append(time.process_time() - start)
        for (solve, tol), of_one in zip(calls, times, strict=True):
            w = solve(X, y, C, tol)
            cost, bound = costs(X, y, w, 1.0 / (C * m))
            row = f"| {C:g} | {solve.__name__} | {tol:.0e} | {min(of_one):.2f}"
            kept, sure = np.count_nonzero(w), 1.0 - bound / cost
            print(f"{row} | {kept} | {cost / best - 1.0:.0e} | {sure:.0e} |", flush=True)


if __name__ == "__main__":
    main(*([int(size) for size in sys.argv[1:3]] or [20_000, 20_000]))
