# SPDX-License-Identifier: BSD-3-Clause
"""The minima of one objective for many penalties, each starting where the one before ended."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .minimum import minimize

if TYPE_CHECKING:
    from collections.abc import Sequence

    from logreg_c._objective import Objective

    from .result import Solution


def minimize_path(
    objective: Objective,
    l2s: Sequence[float],
    max_passes: int,
    start: Solution,
    *,
    warm: bool,
    tol: float,
    slope: float,
    fixed_b: bool,
) -> list[Solution]:
    """Search for the minimum of each l2, in their order; `max_passes` is for each of them.

    The first starts at `start`, which is close to its minimum if `warm`. A minimum that does not
    exist, or a fit that overflows, is no start for the next.
    """
    found = []
    for l2 in l2s:
        ended = minimize(
            objective,
            max_passes,
            w=start.w.copy(),
            b=start.b,
            warm=warm,
            l2=l2,
            tol=tol,
            slope=slope,
            fixed_b=fixed_b,
        )
        found.append(ended)
        if ended.stopped != "separated":
            start, warm = ended, True
    return found
