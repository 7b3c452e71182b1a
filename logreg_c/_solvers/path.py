# SPDX-License-Identifier: BSD-3-Clause
"""The minima of one objective for many penalties, each starting where the one before ended."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .minimum import Searching
from .softmax import minimize_classes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from logreg_c._objective import Objective, SoftmaxObjective

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

    The first starts at `start`, which is close to its minimum if `warm`. Where the search goes on
    from a minimum, it takes no pass to know J and its gradient, so `costs` may be empty. Where
    there is no minimum, the next search starts where the last one did.
    """
    w = start.w.copy()
    search, found = None, []
    for l2 in l2s:
        if search is None or not search.retarget(l2):
            w[...] = start.w
            search = objective.minimization(
                w,
                start.b,
                l2=l2,
                tol=tol,
                slope=slope,
                passes=max_passes,
                fixed_b=fixed_b,
                warm=warm,
            )
        ended = Searching(objective, search, w, max_passes, ()).solution()
        found.append(ended._replace(w=w.copy()))
        if ended.stopped != "separated":
            start, warm = found[-1], True
    return found


def path_of_classes(
    objective: SoftmaxObjective,
    l2s: Sequence[float],
    max_passes: int,
    start: Solution,
    *,
    warm: bool,
    **goal: Any,
) -> list[Solution]:
    """Do the same for several classes."""
    found = []
    for l2 in l2s:
        at = {"w": start.w, "b": start.b, "warm": warm, "l2": l2}
        found.append(minimize_classes(objective, max_passes, **at, **goal))
        if found[-1].stopped != "separated":
            start, warm = found[-1], True
    return found
