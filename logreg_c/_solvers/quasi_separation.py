# SPDX-License-Identifier: BSD-3-Clause
"""Weights that run away: a plane leaves some examples on it, and has all others on their sides.

J then has no minimum, only an infimum, which it approaches as the weights grow along the direction
of the plane: no z of the examples changes but of those that become ever more certain (Albert and
Anderson 1984). A search ends where that gains nothing any more, at weights of any size.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from logreg_c._objective import Objective

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .hessian import Hessian

    Vector = NDArray[np.float64]

SURE = 8.0  # an example off the plane has a larger |z|
CURVATURE_OF_SURE = 3.36e-4  # a (1 - a) at SURE, and a little more
SHRINKS = 1e-6  # of the largest change of a z: what counts as none
MOVES = 1e-4  # of the largest change of a z by one feature: what is worth a name


class Runaway(NamedTuple):
    """A direction in which all z go to their sides, or stay."""

    features: NDArray[np.intp]  # whose weights run away
    examples: int  # that become more certain, without end


def find_runaway(
    objective: Objective, w: Vector, b: float, hessian: Hessian, sd: Vector
) -> Runaway | None:
    """Return what shows that there is no minimum near w and b, or None where nothing shows it.

    The objective is in memory and without a penalty, the Hessian is factored at w and b, and sd are
    the standard deviations of the features. The direction is the step of Newton's method by the
    gradient of the examples that are nearly certain: the others hold it back wherever they can, and
    so have z of about 0 along it if that is possible.
    """
    v = objective.sample_weight
    v = np.ones(hessian.h.size) if v is None else v.astype(np.float64)
    if not (hessian.h < CURVATURE_OF_SURE * v).any():
        return None
    side = 2.0 * np.asarray(objective.Y, np.float64).reshape(-1) - 1.0
    sure = objective.predict(w, b, probabilities=False)[0] * side > SURE
    sure &= np.abs(side) == 1.0
    weight = np.where(sure, v, 0.0)
    if not weight.any():
        return None
    of_sure = Objective(objective.examples, objective.Y, weight, objective.n_threads)
    _, dw, db = of_sure(w, b, 0.0)
    if not hessian.intercept:
        db = 0.0
    total = math.fsum(weight)
    step = -total * hessian.solve((dw - hessian.mu * db)[:, np.newaxis])[:, 0]
    of_b = -total * db / hessian.S - math.fsum((hessian.mu * step).tolist())
    change = objective.predict(step, of_b if hessian.intercept else 0.0, probabilities=False)[0]
    change = np.where(np.abs(side) == 1.0, change * side, -np.abs(change))[v > 0.0]
    largest = float(change.max())
    if not (largest > 0.0 and float(change.min()) >= -SHRINKS * largest):
        return None
    moves = np.abs(step) * sd
    features = np.flatnonzero(moves > MOVES * float(moves.max(initial=0.0)))
    return Runaway(features, int(np.count_nonzero(change > MOVES * largest)))
