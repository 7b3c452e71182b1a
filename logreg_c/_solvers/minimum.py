# SPDX-License-Identifier: BSD-3-Clause
"""The minimum of J: the kernel's search, which asks for no learning rate and no scaling."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from logreg_c import _kernel
from logreg_c._objective import MOST_PASSES, Objective

from .quasi_separation import MORE_PASSES, UNSETTLED, Ending, falls_slowly, runaway_of
from .result import Solution, Solutions
from .training import Training, interrupted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from logreg_c._input import Fit
    from logreg_c._result import Stopped

    from .quasi_separation import Runaway

    Vector = NDArray[np.float64]

OUT_OF_RANGE = "J, its gradient, or the squares of X leave the range of float64"
ENDINGS: dict[int, Stopped] = {
    _kernel.OK: "passes",
    _kernel.CONVERGED: "tol",
    _kernel.ROUNDING: "rounding",
    _kernel.SEPARATED: "separated",
}


def minimize(
    objective: Objective,
    max_passes: int,
    *,
    w: NDArray[np.float64],
    b: float,
    warm: bool,
    l2: float,
    tol: float,
    slope: float = math.inf,
    standardize: bool = False,
    callbacks: Sequence[Any] = (),
    fixed_b: bool = False,
) -> Solution:
    """Do what `fit` does with arguments that have been checked; w, (n_x, 1), changes in place.

    No component of the gradient may be above `slope` in the end. With `standardize`, l2 and slope
    are about the standardized features. `n_iter` of what is returned is the number of passes over
    X.
    """
    search = objective.minimization(
        w, b, l2=l2, tol=tol, slope=slope, passes=max_passes, fixed_b=fixed_b, warm=warm
    )
    training = Searching(objective, search, w, max_passes, callbacks)
    if callbacks:
        training.settings = objective.described() | {
            "l2": l2,
            "tol": tol,
            "slope": slope,
            "standardize": standardize,
            "intercept": not fixed_b,
            "warm": warm,
        }
    # A free b makes up for the means, so centring does not move the minimum.
    centre = not (fixed_b or objective.examples.is_sparse)
    found = training.solution(standardize=standardize and max_passes > 0, centre=centre)
    if l2 == 0.0:
        found = found._replace(runaway=_runaway(objective, search, found, fixed_b=fixed_b))
    categories = objective.examples.categories
    if categories is None or l2 > 0.0:
        return found
    b = categories.relative(found.w, found.b, objective.occurring(), fixed_b=fixed_b)
    return found._replace(b=b)


def _runaway(
    objective: Objective, search: _kernel.Minimization, found: Solution, *, fixed_b: bool
) -> Runaway | None:
    """Return what shows that a search without a penalty has no minimum; it may go on for that."""

    def ending(search: _kernel.Minimization, stopped: Stopped, costs: Vector) -> Ending:
        def next_step() -> tuple[Vector, float]:
            step = np.empty(objective.examples.shape[0])
            of_b = search.step(step)
            return step, of_b

        J = float(costs[-1]) if costs.size else math.inf
        return Ending(stopped, J, search.gap, search.fall, next_step)

    def go_on(tol: float) -> Ending | None:
        w = found.w.copy()
        goal: dict[str, Any] = {"l2": 0.0, "tol": tol, "slope": math.inf, "passes": MORE_PASSES}
        further = in_float64.minimization(w, found.b, **goal, fixed_b=fixed_b, warm=True)
        training = Searching(in_float64, further, w, MORE_PASSES, ())
        try:
            status, _ = training.run()
        except KeyboardInterrupt:
            raise interrupted(found.w, found.b, found.costs, "steps") from None
        return ending(further, ENDINGS[status], training.costs) if status in ENDINGS else None

    first = ending(search, found.stopped, found.costs)
    if not first.may_run_away:
        return None
    in_float64 = objective.in_float64()
    return runaway_of(in_float64, first, go_on)


def ended(
    objective: Objective, search: _kernel.Minimization, w: NDArray[np.float64], status: int
) -> Solution:
    """Return where a search has ended, or raise what is wrong with the values of X."""
    if status == _kernel.PASS_OVERFLOW:
        objective.raise_if_nonfinite()
        msg = f"{OUT_OF_RANGE}: {objective.how_to_rescale()}"
        raise OverflowError(msg)
    return Solution(
        w,
        search.b,
        n_iter=search.passes,
        stopped=ENDINGS[status],
        slope=search.slope,
        gap=search.gap,
    )


class Searching(Training):
    """A search for the minimum."""

    def __init__(
        self,
        objective: Objective,
        search: _kernel.Minimization,
        w: NDArray[np.float64],
        max_passes: int,
        callbacks: Sequence[Any],
    ) -> None:
        super().__init__(objective, w, max_passes, callbacks)
        self._search = search

    def solution(self, *, standardize: bool = False, centre: bool = True) -> Solution:
        """Search, and return where that ended; w is the array that changes in place."""
        search = self._search
        try:
            if standardize:
                self._objective.standardize(centre=centre)
            status, by_callback = self.run()
            found = ended(self._objective, search, self.w, status)
        except KeyboardInterrupt:
            raise interrupted(self.w, search.b, self.take_costs(), "steps") from None
        found = found._replace(costs=self.take_costs())
        return found._replace(stopped="callback") if by_callback else found

    @property
    def done(self) -> int:
        """The number of costs so far."""
        return self._search.done

    @property
    def spent(self) -> int:
        """The number of passes so far."""
        return self._search.passes

    @property
    def b(self) -> float:
        """The current bias."""
        return self._search.b

    def state(self) -> dict[str, NDArray[Any]]:
        """Return what `resume` needs in addition to w and the costs."""
        return {"search": np.frombuffer(self._search.state(), np.uint8)}

    def _continue(self, state: Mapping[str, NDArray[Any]], done: int) -> None:
        if not self._search.resume(state["search"].tobytes(), done):
            msg = "search"
            raise KeyError(msg)

    def _advance(self, costs: NDArray[np.float64], steps: int) -> int:
        status = self._search.advance(costs, steps)
        self.gap = self._search.gap
        return status

    def _calls_back(self, status: int) -> bool:
        return status in ENDINGS


def minimize_many(
    fits: Sequence[Fit], max_passes: int, *, tol: float, fixed_b: bool, n_threads: int
) -> Solutions:
    """Do what `fit_many` does with arguments that have been checked.

    A search that overflows has the entry "overflow" in `stopped`.
    """
    k = len(fits)
    search = _kernel.Fits(
        [(X.values, Y, sample_weight, X.float32, l2) for X, Y, sample_weight, l2 in fits],
        n_threads,
    )
    w = np.zeros((k, fits[0].X.shape[0]))
    b, cost, fall, gap = np.empty((4, k))
    passes, status = np.empty((2, k), np.int64)
    most = min(max_passes, MOST_PASSES)
    search.minimize(tol, most, fixed_b, w, b, cost, fall, gap, passes, status)
    for i, (X, _, sample_weight, l2) in enumerate(fits):
        if X.categories is not None and not l2:
            occurring = X.categories.occurring(sample_weight)
            b[i] = X.categories.relative(w[i], b[i], occurring, fixed_b=fixed_b)
    endings = {**ENDINGS, _kernel.PASS_OVERFLOW: "overflow"}
    names = np.array([endings.get(code, "") for code in range(max(endings) + 1)])
    return Solutions(w, b, cost, gap, passes, names[status], fall)


def runaways_of_many(
    fits: Sequence[Fit],
    found: Solutions,
    max_passes: int,
    *,
    tol: float,
    fixed_b: bool,
    n_threads: int,
) -> dict[int, Runaway]:
    """Return what shows of some fits that they have no minimum.

    Those that may run away are made again, one by one, which few fits with a minimum are.
    """
    runaways = {}
    with np.errstate(invalid="ignore"):
        near = np.flatnonzero(falls_slowly(found.fall, found.gap, found.cost))
    for i in near.tolist():
        X, Y, sample_weight, l2 = fits[i]
        if l2 == 0.0 and found.stopped[i] in UNSETTLED:
            again = minimize(
                Objective(X, Y, sample_weight, n_threads),
                max_passes,
                w=np.zeros((X.shape[0], 1)),
                b=0.0,
                warm=False,
                l2=0.0,
                tol=tol,
                fixed_b=fixed_b,
            )
            if again.runaway is not None:
                runaways[i] = again.runaway
    return runaways
