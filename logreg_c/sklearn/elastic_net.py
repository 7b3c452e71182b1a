# SPDX-License-Identifier: BSD-3-Clause
"""Fits with an l1 penalty, or with both, as the estimators ask for them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from logreg_c._objective import SoftmaxObjective
from logreg_c._solvers.path import path_of_penalties
from logreg_c._solvers.penalty import Penalty
from logreg_c._solvers.softmax_proximal import path_of_penalized_classes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from logreg_c._objective import Objective
    from logreg_c._solvers.result import Solution

LEAST_GAP = 1e-12  # rounding hides a smaller one


def path_of_elastic_net(
    objective: Objective | SoftmaxObjective,
    strengths: Sequence[float],
    max_passes: int,
    start: Solution,
    *,
    l1_ratio: float,
    tol: float,
    standardize: bool,
    fixed_b: bool,
    **goal: Any,
) -> list[Solution]:
    """Do what `minimize_path` does, with l1 = l1_ratio strength and l2 = (1 - l1_ratio) strength.

    Or what `paths_of_classes` does for one objective of several. It is one in float64. A slope is
    that of the cost with its penalty, in the steepest direction of each w.
    """
    n_x = objective.examples.shape[0]
    centre = not (fixed_b or objective.examples.is_sparse)
    unit, largest = np.ones(n_x), np.full(n_x, np.inf)
    if standardize and max_passes > 0:
        sd = objective.in_float64().standardize(centre=centre)[2]
        sd[objective.examples.of_categories] = 1.0  # categories stay as they are
        # A constant feature that is centred stays 0; one that is not keeps its values.
        largest = np.where((sd > 0.0) | (not centre), np.inf, 0.0)
        unit = np.where(sd > 0.0, sd, 1.0)
    penalties = [
        Penalty(l1_ratio * at * unit, (1.0 - l1_ratio) * at * unit * unit, -largest, largest)
        for at in strengths
    ]
    goal |= {"tol": max(tol, LEAST_GAP), "unit": unit, "fixed_b": fixed_b}
    if isinstance(objective, SoftmaxObjective):
        columns = [Penalty(*(x[:, np.newaxis] for x in penalty)) for penalty in penalties]
        return path_of_penalized_classes(objective, columns, max_passes, start, **goal)
    return path_of_penalties(objective, penalties, max_passes, start, **goal)
