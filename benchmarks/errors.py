# SPDX-License-Identifier: BSD-3-Clause
"""Compare the time to weights and their standard errors with statsmodels.

``python -m benchmarks.errors`` takes float32 data, which statsmodels gets as float64 with a column
of ones, converted beforehand. Its `Logit` runs Newton's method with its default tolerance; ours is
`fit` and then `inference`. Both take turns. A row shows our time, the other's divided by ours as
median and quartiles (above 1, we are faster), and the largest relative difference of a standard
error.
"""

import time
import warnings

import numpy as np
import statsmodels.api as sm

import logreg_c
from benchmarks import THREADS
from benchmarks.timing import PAUSE_SECONDS, ratio

SHAPES = (50, 500_000), (20, 100_000), (200, 50_000)  # n_x, m
REPEATS = 5
TOLERANCE = 1e-13  # as close to the minimum as a step of Newton's method that changes nothing
Solution = tuple[float, np.ndarray]  # seconds, and standard errors


def data(n_x: int, m: int) -> tuple[np.ndarray, np.ndarray]:
    """Return X (n_x, m) in float32, by features, and Y."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((n_x, m), np.float32)
    return X, rng.standard_normal(n_x) @ X / n_x**0.5 + rng.logistic(size=m) > 0


def ours(X: np.ndarray, Y: np.ndarray) -> Solution:
    """Fit, and compute the errors."""
    start = time.perf_counter()
    w, b, _ = logreg_c.fit(X, Y, tol=TOLERANCE, n_threads=THREADS)
    errors = logreg_c.inference(X, Y, w, b, n_threads=THREADS).standard_errors
    return time.perf_counter() - start, errors


def theirs(A: np.ndarray, y: np.ndarray) -> Solution:
    """Do it by statsmodels."""
    start = time.perf_counter()
    errors = sm.Logit(y, A).fit(disp=False).bse
    return time.perf_counter() - start, errors


def row(n_x: int, m: int) -> str:
    """Measure one problem."""
    X, Y = data(n_x, m)
    A, y = np.vstack([X, np.ones(m)]).T.astype(np.float64, order="C"), Y.astype(np.float64)
    ours(X[:, :1000], Y[:1000])  # load code, start threads
    times: dict[str, list[float]] = {"ours": [], "theirs": []}
    for _ in range(REPEATS):
        time.sleep(PAUSE_SECONDS)
        seconds, errors = ours(X, Y)
        times["ours"].append(seconds)
        time.sleep(PAUSE_SECONDS)
        seconds, expected = theirs(A, y)
        times["theirs"].append(seconds)
    low, median, high = ratio(times["theirs"], times["ours"])
    apart = abs(errors / expected - 1.0).max()
    return (
        f"| {m:,} x {n_x} | {sorted(times['ours'])[REPEATS // 2]:.3f} s"
        f" | {median:.1f} ({low:.1f} to {high:.1f}) | {apart:.0e} |"
    )


def main() -> None:
    """Print the table."""
    warnings.simplefilter("error")
    print(
        "| float32 X | fit and inference | statsmodels / ours | errors differ by |\n"
        "|---|---|---|---|"
    )
    for n_x, m in SHAPES:
        print(row(n_x, m), flush=True)


if __name__ == "__main__":
    main()
