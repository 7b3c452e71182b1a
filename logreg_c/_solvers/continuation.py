# SPDX-License-Identifier: BSD-3-Clause
"""From float32 to float64: the fast arithmetic as far as it goes, then the one that can decide."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from logreg_c._errors import DivergenceError

if TYPE_CHECKING:
    from collections.abc import Callable

    from logreg_c._objective import Objective

    from .result import Solution

# The largest component of a gradient that float32 arithmetic resolves on well-scaled data.
FLOAT32_TOL = 1e-5


def continued(
    objective: Objective,
    start: Solution,
    tol: float,
    leg: Callable[[Objective, Solution, float], Solution],
) -> Solution:
    """Return what ``leg(objective, start, tol)`` finds in float64.

    If the objective computes in float32, a leg in float32 comes first, down to a tol that float32
    resolves, and float64 starts where it ends. A leg that overflows float32 is discarded.
    """
    if objective.examples.float32:
        with suppress(OverflowError, DivergenceError):
            start = leg(objective, start, max(tol, FLOAT32_TOL))
        objective = objective.in_float64()
    return leg(objective, start, tol)
