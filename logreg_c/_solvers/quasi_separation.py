# SPDX-License-Identifier: BSD-3-Clause
"""Weights that run away: a plane leaves some examples on it, and has all others on their sides.

J then has no minimum, only an infimum, which it approaches as the weights grow along the direction
of the plane: no z of the examples changes but of those that become ever more certain (Albert and
Anderson 1984). A search ends where that gains nothing any more, at weights of any size.

The last steps of such a search show it. Each moves these z by about 1, or ln 2 where a secant
predicts the curvature, and leaves a fixed share of the gap, while those toward a minimum leave ever
smaller shares. Where the costs have this sign, z along the step that would come next decides. If a
loose `tol` stopped the search while other z were still moving, it runs further until the step is
clear; the result is the one that `tol` gave.

With several classes, what grows is z of the class of an example less that of another class.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from logreg_c._objective import Objective, sides

from .hessian import NAMED

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from logreg_c._result import Stopped

    from .hessian import Hessian

    Vector = NDArray[np.float64]

SURE = 8.0  # an example off the plane has a larger |z|
CURVATURE_OF_SURE = 3.36e-4  # a (1 - a) at SURE, and a little more
SHRINKS = 1e-6  # of the largest change of a z: what counts as none
MOVES = 1e-4  # of the largest change of a z by one feature: what is worth a name
FALL = 8.0  # of the cost in the last step, in units of the gap that is left: e^change of z - 1
UNSETTLED = {"passes", "tol", "rounding"}  # endings that do not tell
CHANGE = 0.25  # of a z in a step outward, at least
BACK = 0.5  # of that change: what another z may move inward where it is worth to go on
FURTHER = 1e-3  # gaps that a search goes on to, in units of the one before
ENOUGH = 1e-9  # the gap at which it does not go on
MORE_PASSES = 60


class Ending(NamedTuple):
    """Where a search without a penalty has ended."""

    stopped: Stopped
    J: float
    gap: float  # relative
    fall: float  # of J in the last step
    next_step: Callable[[], tuple[Vector, Any]]  # what it would add to w and b

    @property
    def may_run_away(self) -> bool:
        """Whether the costs have the sign of weights that run away."""
        return self.stopped in UNSETTLED and bool(falls_slowly(self.fall, self.gap, self.J))


def falls_slowly(fall: Any, gap: Any, J: Any) -> Any:
    """Return whether the cost fell by little more in the last step than it still can."""
    return fall < FALL * (gap * J)


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


def find_runaway(objective: Objective, w: Vector, b: float, hessian: Hessian) -> Runaway | None:
    """Return what shows that there is no minimum near w and b, or None where nothing shows it.

    The objective is in memory and without a penalty, and the Hessian is factored at w and b. The
    direction is the step of Newton's method by the gradient of the examples that are nearly
    certain: the others hold it back wherever they can, and so have z of about 0 along it if that is
    possible.
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
    of_b = of_b if hessian.intercept else 0.0
    change = objective.outward(step, of_b, math.inf)
    if not (change.largest > 0.0 and change.least >= -SHRINKS * change.largest):
        return None
    return _described(objective, step, of_b, change.largest)


def runaway_of(
    objective: Objective, ending: Ending, go_on: Callable[[float], Ending | None]
) -> Runaway | None:
    """Return what shows that a search has no minimum, or None where nothing shows it.

    `go_on` takes the search to a smaller gap, if it can; only a search that `tol` has ended can. z
    along a step takes less than a pass; the number of examples and the features' names, another
    two.
    """
    last: Ending | None = ending
    while last is not None and last.may_run_away:
        step, of_b = last.next_step()
        change = objective.outward(step, of_b, math.inf)
        if not (change.largest > CHANGE and change.least > -BACK * change.largest):
            return None
        if change.least >= -SHRINKS * change.largest:
            return _described(objective, step, of_b, change.largest)
        if last.gap <= ENOUGH or last.stopped != "tol":
            return None
        last = go_on(FURTHER * last.gap)
    return None


def _described(objective: Objective, step: Vector, of_b: Any, largest: float) -> Runaway:
    """Return a direction along which z changes by at most `largest`."""
    examples = objective.outward(step, of_b, MOVES * largest).examples
    sd = objective.in_float64().standardize(centre=not objective.examples.is_sparse)[2]
    moves = np.abs(step).reshape(len(sd), -1).max(1, initial=0.0) * sd
    features = np.flatnonzero(moves > MOVES * float(moves.max(initial=0.0)))
    return Runaway(features, examples, objective.examples.names)
