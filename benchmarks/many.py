# SPDX-License-Identifier: BSD-3-Clause
"""Compare the time of `fit_many` with loops over `fit` and over scikit-learn's solvers.

``python -m benchmarks.many`` solves the same problems with the same penalty. All take turns, with
their default `tol`; a loop makes the first fits only, and its time per fit counts. A cell shows the
loop's time per fit divided by ours, as median and quartiles.
"""

import statistics
import time
import warnings
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import numpy as np
from sklearn.datasets import load_breast_cancer
from sklearn.linear_model import LogisticRegression

import logreg_c
from benchmarks import THREADS
from benchmarks.timing import PAUSE_SECONDS, ratio

L2 = 1e-3
REPEATS = 7
SECONDS = 0.5  # of a loop, about


class Stack(NamedTuple):
    """X (k, n_x, m), Y (k, m) and sample weights (k, m) or None."""

    X: np.ndarray
    Y: np.ndarray
    sample_weight: np.ndarray | None


def groups(k: int, n_x: int, m: int) -> Stack:
    """Return k data sets with noisy labels."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((k, n_x, m))
    return Stack(X, (X.sum(axis=1) + 2 * rng.standard_normal((k, m)) > 0) * 1.0, None)


def bootstrap(k: int) -> Stack:
    """Return k bootstrap samples of the breast cancer data, as they come."""
    X, y = load_breast_cancer(return_X_y=True)
    m = y.size
    weights = np.random.default_rng(0).multinomial(m, np.full(m, 1 / m), size=k)
    stacked = np.broadcast_to(np.ascontiguousarray(X.T), (k, X.shape[1], m))
    return Stack(stacked, np.broadcast_to(y * 1.0, (k, m)), weights * 1.0)


def own_fit(s: Stack, k: int) -> None:
    """Run `fit`."""
    weights = None if s.sample_weight is None else s.sample_weight[k]
    logreg_c.fit(s.X[k], s.Y[k], l2=L2, sample_weight=weights, n_threads=THREADS)


def sklearn_fit(s: Stack, k: int, solver: str) -> None:
    """Run one of scikit-learn's solvers."""
    weights = None if s.sample_weight is None else s.sample_weight[k]
    model = LogisticRegression(C=1 / (L2 * s.Y.shape[1]), solver=solver, max_iter=1000)
    model.fit(s.X[k].T, s.Y[k], sample_weight=weights)


LOOPS: dict[str, Callable[[Stack, int], None]] = {
    "fit": own_fit,
    "lbfgs": partial(sklearn_fit, solver="lbfgs"),
    "newton-cholesky": partial(sklearn_fit, solver="newton-cholesky"),
}
CASES: dict[str, Callable[[], Stack]] = {
    "10,000 data sets of 200 x 5": partial(groups, 10_000, 5, 200),
    "1,000 data sets of 2,000 x 20": partial(groups, 1_000, 20, 2_000),
    "1,000 bootstrap samples of breast cancer": partial(bootstrap, 1_000),
}


def seconds(s: Stack) -> float:
    """Return the time per fit of `fit_many`."""
    start = time.perf_counter()
    logreg_c.fit_many(s.X, s.Y, l2=L2, sample_weight=s.sample_weight, n_threads=THREADS)
    return (time.perf_counter() - start) / len(s.X)


def seconds_of_loop(fit: Callable[[Stack, int], None], s: Stack, count: int) -> float:
    """Return the time per fit of a loop over the first fits."""
    start = time.perf_counter()
    for k in range(count):
        fit(s, k)
    return (time.perf_counter() - start) / count


def main() -> None:
    """Print a row for each case."""
    warnings.simplefilter("ignore")
    print(f"| problem | fit_many | {' | '.join(LOOPS)} |")
    print("|---|---|" + "---|" * len(LOOPS), flush=True)
    for name, make in CASES.items():
        s = make()
        seconds(s)
        counts = {}
        for loop, fit in LOOPS.items():
            seconds_of_loop(fit, s, 1)
            counts[loop] = min(len(s.X), int(SECONDS / seconds_of_loop(fit, s, 1)) + 1)
        own: list[float] = []
        times: dict[str, list[float]] = {loop: [] for loop in LOOPS}
        for _ in range(REPEATS):
            time.sleep(PAUSE_SECONDS)
            own.append(seconds(s))
            for loop, fit in LOOPS.items():
                time.sleep(PAUSE_SECONDS)
                times[loop].append(seconds_of_loop(fit, s, counts[loop]))
        cells = [f"{statistics.median(own) * len(s.X):.2f} s"]
        for loop in LOOPS:
            low, median, high = ratio(times[loop], own)
            cells.append(f"{median:.1f} [{low:.1f} {high:.1f}]")
        print(f"| {name} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
