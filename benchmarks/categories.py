# SPDX-License-Identifier: BSD-3-Clause
"""Compare the time and memory of `fit` on columns of categories with scikit-learn's on one-hot.

``python -m benchmarks.categories`` fits 20 floats and 3 columns of 1,000 categories in 1,000,000
rows of a pandas frame; an argument is another number of rows. scikit-learn gets a sparse matrix
from its OneHotEncoder, and its lbfgs runs to the tol that is printed. Objectives are relative to
the lowest that either finds at any tol. Extra memory is how far resident memory rises, as seen
every 2 ms, in multiples of the frame; Linux only.
"""

import ctypes
import os
import sys
import threading
import time
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import csr_array, hstack
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import OneHotEncoder

import logreg_c
from benchmarks import THREADS

FLOATS, COLUMNS, CATEGORIES = 20, 3, 1000
TOLS = 1e-4, 1e-6
STRENGTHS = 1e-3, 1e-5  # l2: C is 1 / (l2 m)


def made(m: int) -> tuple[pd.DataFrame, NDArray[np.bool_]]:
    """Return floats, two of them correlated, and categories, some of them rare; and labels."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(FLOATS, m))
    X[1] += 3.0 * X[0]
    codes = [(20.0 * rng.pareto(1.0, m)).astype(np.int64) % CATEGORIES for _ in range(COLUMNS)]
    z = rng.normal(size=FLOATS) @ X / 4.0
    for of_column in codes:
        z += rng.normal(size=CATEGORIES)[of_column] / 2.0
    Y = rng.random(m) < 1.0 / (1.0 + np.exp(-z))
    labels = [f"category {k}" for k in range(CATEGORIES)]
    frame = {f"x{j}": x for j, x in enumerate(X)}
    for k, of_column in enumerate(codes):
        frame[f"c{k}"] = pd.Categorical.from_codes(of_column.astype(np.int16), labels)
    return pd.DataFrame(frame), Y


def one_hot(frame: pd.DataFrame) -> Any:
    """Return the frame as a sparse matrix (samples, features)."""
    floats, categories = frame.iloc[:, :FLOATS], frame.iloc[:, FLOATS:]
    encoder = OneHotEncoder(categories=[c.cat.categories for _, c in categories.items()])
    return hstack([csr_array(floats.to_numpy()), encoder.fit_transform(categories)], format="csr")


def measured(call: Callable[[], Any]) -> tuple[Any, float, float]:
    """Return what a call returns, its seconds, and by how many bytes it raises resident memory."""
    ctypes.CDLL(None).malloc_trim(0)  # what was freed would hide what is allocated
    seen = [resident()]
    done = threading.Event()

    def watch() -> None:
        while not done.wait(0.002):
            seen.append(resident())

    watching = threading.Thread(target=watch)
    watching.start()
    start = time.perf_counter()
    found = call()
    seconds = time.perf_counter() - start
    done.set()
    watching.join()
    return found, seconds, max(seen) - seen[0]


def resident() -> float:
    """Return the bytes of this process in memory."""
    pages = Path("/proc/self/statm").read_text(encoding="ascii").split()[1]
    return float(pages) * os.sysconf("SC_PAGE_SIZE")


def main() -> None:
    """Print a row for each fit."""
    warnings.simplefilter("ignore")
    m = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    frame, Y = made(m)
    size = float(frame.memory_usage(index=False).sum())
    logreg_c.fit(frame[:1000], Y[:1000], l2=1.0)
    print("| l2 | fit | seconds | passes | extra memory / frame | objective above the lowest |")
    print("|---|---|---|---|---|---|", flush=True)
    for l2 in STRENGTHS:
        rows = []
        lowest = logreg_c.fit(frame, Y, l2=l2, tol=1e-13, n_threads=THREADS).costs[-1]
        found, seconds, memory = measured(
            lambda l2=l2: logreg_c.fit(frame, Y, l2=l2, n_threads=THREADS)
        )
        rows.append(("logreg_c.fit", seconds, found.passes, memory, found.costs[-1]))
        X, seconds, memory = measured(lambda: one_hot(frame))
        rows.append(("OneHotEncoder", seconds, "", memory, np.nan))
        for tol in TOLS:
            model = LogisticRegression(C=1.0 / (l2 * m), tol=tol, max_iter=5000)
            found, seconds, memory = measured(partial(model.fit, X, Y))
            w, b = found.coef_[0], found.intercept_.item()
            J = logreg_c.cost_and_gradient(X.T, Y, w, b, l2=l2)[0]
            rows.append((f"scikit-learn, tol={tol:g}", seconds, found.n_iter_[0], memory, J))
            lowest = min(lowest, J)
        for name, seconds, passes, memory, J in rows:
            above = "" if np.isnan(J) else f"{J / lowest - 1.0:.1e}"
            print(
                f"| {l2:g} | {name} | {seconds:.2f} | {passes} | {memory / size:.2f} | {above} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
