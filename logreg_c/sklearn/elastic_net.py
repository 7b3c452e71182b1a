# SPDX-License-Identifier: BSD-3-Clause
"""Fits with an l1 penalty, or with both, as the estimators ask for them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from logreg_c._solvers.path import path_of_penalties
from logreg_c._solvers.penalty import Penalty

if TYPE_CHECKING:
    from collections.abc import Sequence

    from logreg_c._objective import Objective
    from logreg_c._solvers.result import Solution

LEAST_GAP = 1e-12  # rounding hides a smaller one


def path_of_elastic_net(
    objective: Objective,
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

    The objective is one in float64. A slope is that of the cost with its penalty, in the steepest
    direction of each w.
    """
    n_x = objective.examples.shape[0]
    centre = not (fixed_b or objective.examples.is_sparse)
    unit, largest = np.ones(n_x), np.full(n_x, np.inf)
    if standardize and max_passes > 0:
        sd = objective.in_float64().standardize(centre=centre)[2]
        # A constant feature that is centred stays 0; one that is not keeps its values.
        largest = np.where((sd > 0.0) | (not centre), np.inf, 0.0)
        unit = np.where(sd > 0.0, sd, 1.0)
    penalties = [
        Penalty(l1_ratio * at * unit, (1.0 - l1_ratio) * at * unit * unit, -largest, largest)
        for at in strengths
    ]
    goal |= {"tol": max(tol, LEAST_GAP), "unit": unit, "fixed_b": fixed_b}
    return path_of_penalties(objective, penalties, max_passes, start, **goal)


def check_two_classes(l1_ratio: float, count: int) -> None:
    """Refuse an l1 penalty where it is not built."""
    if l1_ratio > 0.0 and count > 2:
        msg = (
            f"l1_ratio is {l1_ratio:g} and y has {count} classes; expected 0: for an l1 penalty "
            "fit one model per class with sklearn.multiclass.OneVsRestClassifier"
        )
        raise ValueError(msg)
