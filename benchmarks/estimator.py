# SPDX-License-Identifier: BSD-3-Clause
"""Compare the time of `logreg_c.sklearn.LogisticRegression` with scikit-learn's.

``python -m benchmarks.estimator`` fits both with their defaults (tol 1e-4) on the same X,
by turns. An argument such as ``uint8`` selects the rows with it in their names. The ratio is shown
as median and quartiles; above 1, this package is faster. "J - J" is how much higher its final
objective is, computed in float64 for both.
"""

import gc
import statistics
import sys
import time
import warnings
from collections.abc import Callable
from functools import partial

import numpy as np
from sklearn.datasets import load_breast_cancer
from sklearn.linear_model import LogisticRegression as Theirs
from sklearn.preprocessing import StandardScaler

import logreg_c
from benchmarks import THREADS
from benchmarks.timing import PAUSE_SECONDS, ratio
from logreg_c.sklearn import LogisticRegression as Ours

REPEATS = 5
SMALL_REPEATS = 50


def wide(n_x: int, m: int, dtype: str) -> tuple[np.ndarray, np.ndarray]:
    """Return X (samples, features), and noisy labels that depend on it."""
    rng = np.random.default_rng(0)
    if dtype == "uint8":
        X = rng.integers(0, 256, (m, n_x), dtype=np.uint8)
    else:
        X = rng.standard_normal((m, n_x), dtype=np.float32).astype(dtype, copy=False)
    w = rng.standard_normal(n_x).astype(np.float32)
    Z = np.concatenate([X[i : i + 4096].astype(np.float32) @ w for i in range(0, m, 4096)])
    return X, Z + Z.std() * rng.standard_normal(m) > Z.mean()


def seconds(fit: Callable[[], object]) -> float:
    """Time one call."""
    gc.collect()
    time.sleep(PAUSE_SECONDS)
    start = time.perf_counter()
    fit()
    return time.perf_counter() - start


def objective(model: Ours | Theirs, X: np.ndarray, y: np.ndarray) -> float:
    """Compute J in float64 at the coefficients of a model."""
    w, b = model.coef_[0], float(model.intercept_[0])
    J, _, _ = logreg_c.cost_and_gradient(X.T, y, w, b, l2=1 / len(y), dtype=np.float64)
    return J


def main() -> None:
    """Print a row for each data set."""
    warnings.simplefilter("ignore")
    X, y = load_breast_cancer(return_X_y=True)
    cases = {
        "30 x 569 float64": lambda: (StandardScaler().fit_transform(X), y),
        "28 x 1000000 float64": partial(wide, 28, 1_000_000, "float64"),
        "28 x 1000000 float32": partial(wide, 28, 1_000_000, "float32"),
        "784 x 60000 uint8": partial(wide, 784, 60_000, "uint8"),
    }
    print("| X | ours | scikit-learn | scikit-learn / ours | iterations | J - J |")
    print("|---|---|---|---|---|---|", flush=True)
    chosen = sys.argv[1] if len(sys.argv) > 1 else ""
    for name, make in cases.items():
        if chosen not in name:
            continue
        data = make()
        ours, theirs = Ours(n_threads=THREADS), Theirs()
        own, other = [], []
        for _ in range(SMALL_REPEATS if len(data[1]) < 1000 else REPEATS):
            own.append(seconds(partial(ours.fit, *data)))
            other.append(seconds(partial(theirs.fit, *data)))
        low, median, high = ratio(other, own)
        print(
            f"| {name} | {statistics.median(own) * 1e3:.1f} ms | "
            f"{statistics.median(other) * 1e3:.1f} ms | {median:.2f} [{low:.2f} {high:.2f}] | "
            f"{ours.n_iter_[0]}, {theirs.n_iter_[0]} | "
            f"{objective(ours, *data) - objective(theirs, *data):.1e} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
