# SPDX-License-Identifier: BSD-3-Clause
"""Weights that run away: a plane leaves some examples on it, and has all others on their sides.

J then has no minimum, only an infimum, which it approaches as the weights grow along the direction
of the plane: no z of the examples changes but of those that become ever more certain (Albert and
Anderson 1984). A search ends where that gains nothing any more, at weights of any size.

The last steps of such a search show it. Each moves these z by about 1, or ln 2 where a secant
predicts the curvature, and leaves a fixed share of the gap, while those toward a minimum leave ever
smaller shares. Where the costs have this sign, z along the step that would come next decides.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from logreg_c._objective import Objective, sides

from .hessian import NAMED

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .hessian import Hessian

    Vector = NDArray[np.float64]

SURE = 8.0  # an example off the plane has a larger |z|
CURVATURE_OF_SURE = 3.36e-4  # a (1 - a) at SURE, and a little more
SHRINKS = 1e-6  # of the largest change of a z: what counts as none
MOVES = 1e-4  # of the largest change of a z by one feature: what is worth a name
FALL = 4.0  # of the cost in the last step, in units of the gap that is left: e - 1, or 2 by secants
UNSETTLED = {"passes", "tol", "rounding"}  # endings that do not tell
CHANGE = 0.25  # of a z in a step outward, at least


class Runaway(NamedTuple):
    """A direction in which all z go to their sides, or stay."""

    features: NDArray[np.intp]  # whose weights run away
    examples: int  # that become more certain, without end
    names: tuple[Any, ...] | None  # of all features

    def told(self) -> str:
        """Say that there is no minimum, and name the features whose weights have no limit."""
        listed = ", ".join(
            f"feature {j}" if self.names is None else repr(self.names[j])
            for j in self.features[:NAMED]
        )
        listed += ", ..." if len(self.features) > NAMED else ""
        return (
            f"J has no minimum: as the weights of {listed or 'b alone'} grow without bound, it "
            f"becomes ever more certain of {self.examples} examples and stays as it is for the "
            "others (quasi-separation)"
        )


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
    if v is None and not hessian.h.min() < CURVATURE_OF_SURE:
        return None
    v = np.ones(hessian.h.size) if v is None else v.astype(np.float64)
    if not (hessian.h < CURVATURE_OF_SURE * v).any():
        return None
    side = sides(objective.Y)
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
    return _along(objective, step, of_b if hessian.intercept else 0.0, sd)


def runaway_along(objective: Objective, step: Vector, of_b: float) -> Runaway | None:
    """Return what shows that a search has no minimum, or None where nothing shows it.

    The search has no penalty, is `UNSETTLED`, and its last step lowered J by less than `FALL`.
    `step` and `of_b` are what its next step would add to w and b. z along the step takes less than
    a pass; the number of examples and the features' names, another two.
    """
    return _along(objective.in_float64(), step, of_b, None, least=CHANGE)


def _along(
    objective: Objective, step: Vector, of_b: float, sd: Vector | None, *, least: float = 0.0
) -> Runaway | None:
    """Return a direction if no z goes to its wrong side along it, and one changes by `least`."""
    change = objective.outward(step, of_b, math.inf)
    if not (change.largest > least and change.least >= -SHRINKS * change.largest):
        return None
    examples = objective.outward(step, of_b, MOVES * change.largest).examples
    if sd is None:
        centre = not objective.examples.is_sparse
        sd = objective.in_float64().standardize(centre=centre)[2]
    moves = np.abs(step) * sd
    features = np.flatnonzero(moves > MOVES * float(moves.max(initial=0.0)))
    return Runaway(features, examples, objective.examples.names)
