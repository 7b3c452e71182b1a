# SPDX-License-Identifier: BSD-3-Clause
"""Does a data frame cost more than a matrix of the same numbers? 28 float64 columns, 10^6 rows.

``python -m benchmarks.frames`` prints the time of `train` on each, with ten iterations per call,
and its ratio to the time for the C-order matrix. It then does the same for `predict_proba`. If a
frame's columns are a multiple of 2 KB apart, they share the sets of every cache. `aligned` is such
a frame; it is compared with a matrix that has the same problem (m = 2^20).
"""

import statistics
from collections.abc import Callable

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa

import logreg_c
from benchmarks.timing import Competitor, measure, ratio

N_X, M, REPEATS, ITERS = 28, 1_000_000, 9, 10
NAMES = [f"x{j}" for j in range(N_X)]


def tables(X: np.ndarray) -> dict[str, object]:
    """Return the matrix, and frames of its rows as each library builds them from a copy."""
    by_name = dict(zip(NAMES, X, strict=True))
    return {
        "matrix": X,
        "polars": pl.DataFrame(by_name).select(pl.all() * 1.0),
        "pandas": pd.DataFrame({name: x.copy() for name, x in by_name.items()}),
        "pandas view of a (rows, columns) array": pd.DataFrame(X.T.copy(), copy=False),
        "pyarrow": pa.table(by_name),
        "aligned": pl.from_numpy(np.ascontiguousarray(X.T), schema=NAMES),
    }


def show(title: str, call: Callable[[object, int], object], given: dict[str, object]) -> None:
    """Print the time of `call` on each table, and its ratio to the first."""
    competitors: dict[str, Competitor] = {
        name: lambda iters, table=table: call(table, iters) for name, table in given.items()
    }
    times = measure(competitors, REPEATS)
    first = next(iter(times.values()))
    print(title)
    for name, own in times.items():
        low, median, high = ratio(own, first)
        milliseconds = statistics.median(own) * 1e3
        print(f"  {name:44}{milliseconds:7.2f} ms  {median:.3f} [{low:.3f} {high:.3f}]")


def main() -> None:
    """Print the tables."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((N_X, M))
    Y = (X[0] + rng.standard_normal(M) > 0).astype(np.float64)
    given = tables(X)
    w, b, _ = logreg_c.train(X, Y, 0.1, 1)

    def train(table: object, times: int) -> None:
        for _ in range(times):
            logreg_c.train(table, Y, 0.1, ITERS)

    def predict(table: object, times: int) -> None:
        for _ in range(times):
            logreg_c.predict_proba(table, w, b)

    show(f"train, {ITERS} iterations", train, given)
    show("predict_proba, one call", predict, given)
    more = rng.standard_normal((N_X, 1 << 20))
    labels = (more[0] > 0).astype(np.float64)
    show(
        "train, one iteration, m = 2^20",
        lambda table, iters: logreg_c.train(table, labels, 0.1, iters),
        {"matrix": more, "aligned": pl.from_numpy(np.ascontiguousarray(more.T), schema=NAMES)},
    )


if __name__ == "__main__":
    main()
