# SPDX-License-Identifier: BSD-3-Clause
"""How much memory does a fit use on top of X? In multiples of X, for several types, in both orders.

``python -m benchmarks.extra_memory`` fits 500,000 examples of 50 features, with each library in a
process of its own, and prints how far resident memory rises at its peak. What a library loads and
sets up beforehand does not count: each fits a small problem first. Linux only.
"""

import subprocess
import sys
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

N_X, M = 50, 500_000
CASES = [
    ("float64", "C"),
    ("float64", "F"),
    ("float32", "C"),
    ("float32", "F"),
    ("float16", "C"),
    ("int8", "C"),
    ("bool", "C"),
]


def fits() -> dict[str, Callable[[NDArray, NDArray], object]]:
    """Return functions that fit X (samples, features), by library; each imports it when called."""

    def logreg_c(X: NDArray, Y: NDArray) -> object:
        import logreg_c  # noqa: PLC0415

        return logreg_c.train(X.T, Y, 0.01, 5)

    def sklearn(X: NDArray, Y: NDArray) -> object:
        from sklearn.linear_model import LogisticRegression  # noqa: PLC0415

        return LogisticRegression(max_iter=5).fit(X, Y)

    def liblinear(X: NDArray, Y: NDArray) -> object:
        from sklearn.linear_model import LogisticRegression  # noqa: PLC0415

        return LogisticRegression(max_iter=5, solver="liblinear").fit(X, Y)

    def sklearnex(X: NDArray, Y: NDArray) -> object:
        from sklearnex.linear_model import LogisticRegression  # noqa: PLC0415

        return LogisticRegression(max_iter=5).fit(X, Y)

    def glum(X: NDArray, Y: NDArray) -> object:
        from glum import GeneralizedLinearRegressor  # noqa: PLC0415

        model = GeneralizedLinearRegressor(family="binomial", alpha=1.0, max_iter=5)
        return model.fit(X, Y.astype(np.float64))

    return {f.__name__: f for f in (logreg_c, sklearn, sklearnex, glum, liblinear)}


def memory(name: str) -> int:
    """Return VmRSS or VmHWM, in bytes."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(name))


def extra(library: str, dtype: str, order: str) -> float:
    """Fit, and return the peak rise of resident memory divided by the size of X."""
    warnings.simplefilter("ignore")  # few iterations, so it does not converge
    fit = fits()[library]
    rng = np.random.default_rng(0)
    X = np.empty((M, N_X), dtype=dtype, order=order)
    lines = X if order == "C" else X.T
    for k, line in enumerate(lines):
        line[...] = rng.integers(0, 2, line.size) if dtype == "bool" else 50 * rng.random(line.size)
        if k == 0:
            fit(np.ascontiguousarray(X[:64]) % 2, np.arange(64) % 2)
    Y = np.arange(M) % 2
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # reset the peak
    before = memory("VmRSS")
    fit(X, Y)
    return (memory("VmHWM") - before) / X.nbytes


def main() -> None:
    """Print a table with one library per line."""
    print("| library |", " | ".join(f"{dtype} {order}" for dtype, order in CASES), "|")
    print("|---|" + "---|" * len(CASES))
    for library in fits():
        cells = []
        for case in CASES:
            command = [sys.executable, "-m", "benchmarks.extra_memory", library, *case]
            ended = subprocess.run(command, capture_output=True, text=True, check=False)
            failed = ended.stderr.strip().splitlines()[-1:] if ended.returncode else []
            cells.append(failed[0] if failed else ended.stdout.strip())
        print(f"| {library} |", " | ".join(cells), "|", flush=True)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        print(f"{extra(*sys.argv[1:]):.2f}")
    else:
        main()
