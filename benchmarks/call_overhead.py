# SPDX-License-Identifier: BSD-3-Clause
"""What does one call of `train` cost? 2 features, 10 examples, one iteration.

``python -m benchmarks.call_overhead`` prints its time, and the time of a Python function that takes
the same arguments and does nothing.
"""

import timeit
from collections.abc import Callable
from functools import partial

import numpy as np

import logreg_c

CALLS = 10_000
REPEATS = 20


def nothing(X: np.ndarray, Y: np.ndarray, alpha: float, iters: int) -> None:
    """Do nothing."""


def microseconds(call: Callable[[], object]) -> float:
    """Return the time of one call, the best of several repeats."""
    return min(timeit.repeat(call, number=CALLS, repeat=REPEATS)) / CALLS * 1e6


def main() -> None:
    """Print both times and their difference."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((2, 10))
    Y = (X[:1] > 0).astype(np.float64)
    train, bare = (
        microseconds(partial(call, X, Y, alpha=0.1, iters=1)) for call in (logreg_c.train, nothing)
    )
    print(f"train {train:.2f} us, a bare call {bare:.2f} us, difference {train - bare:.2f} us")


if __name__ == "__main__":
    main()
