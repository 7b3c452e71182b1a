# SPDX-License-Identifier: BSD-3-Clause
"""Where a solver ended."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from logreg_c._result import Stopped

    from .quasi_separation import Runaway


class Solution(NamedTuple):
    """Where a solver ended; also where the next one starts, if another is to continue."""

    w: NDArray[np.float64]  # (n_x, 1), or (n_x, K) of several classes
    b: Any  # a float, or (K,)
    costs: NDArray[np.float64] = np.empty(0)
    n_iter: int = 0
    stopped: Stopped = "iters"  # "tol" exactly if the gradient at w and b is within tol
    alpha: float = math.nan  # the step of gradient descent
    slope: float | None = None  # the largest component of the gradient at w and b, if known
    fault: str | None = None  # how the cost of a descent rose, and what to do
    gap: float = math.inf  # of the minimum: (J - min J) / J, as predicted
    runaway: Runaway | None = None  # what shows that there is no minimum


class Solutions(NamedTuple):
    """Where many searches for the minimum ended: w (k, n_x), and one entry for each, (k,)."""

    w: NDArray[np.float64]
    b: NDArray[np.float64]
    cost: NDArray[np.float64]
    gap: NDArray[np.float64]
    passes: NDArray[np.int64]
    stopped: NDArray[np.str_]
    fall: NDArray[np.float64]  # of J in the last step
