# SPDX-License-Identifier: BSD-3-Clause
"""Gradient descent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from logreg_c import _input, _kernel
from logreg_c._errors import DivergenceError

from .continuation import continued
from .curvature import curvature_bound
from .divergence import remedy, warning_of, why_no_descent
from .result import Solution
from .training import Training, interrupted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from logreg_c._objective import Objective
    from logreg_c._result import Stopped

OVERFLOW = _kernel.PASS_OVERFLOW, _kernel.UPDATE_OVERFLOW


def descend(
    objective: Objective,
    alpha: float | Literal["auto"],
    iters: int,
    *,
    w: NDArray[np.float64],
    b: float,
    l2: float,
    standardize: bool,
    tol: float,
    callbacks: Sequence[Any] = (),
    fixed_b: bool = False,
) -> Solution:
    """Do what `train` does with arguments that have been checked; w, (n_x, 1), changes in place.

    A negative `tol` means none. With `fixed_b` b stays, and features are scaled but not centred.
    """
    try:
        alpha = _learning_rate(objective, alpha, l2, standardize=standardize, fixed_b=fixed_b)
    except OverflowError as error:
        msg = f"alpha='auto' finds no step: {error}"
        raise DivergenceError(msg, 0, w, b, np.empty(0)) from None
    except KeyboardInterrupt:
        raise interrupted(w, b, np.empty(0)) from None
    descent = objective.descent(w, b, alpha=alpha, l2=l2, tol=tol, fixed_b=fixed_b)
    training = Descending(
        objective, descent, w, iters, callbacks, standardize=standardize, scale_only=fixed_b
    )
    if callbacks:
        training.settings = objective.described() | {
            "alpha": alpha,
            "l2": l2,
            "tol": tol if tol >= 0.0 else None,
            "standardize": standardize,
        }
    try:
        status, by_callback = training.run()
        if status in OVERFLOW:
            objective.raise_if_nonfinite()
        costs = training.take_costs()
        fault = why_no_descent(costs, descent.b, objective.arithmetic)
    except KeyboardInterrupt:
        raise interrupted(w, descent.b, training.take_costs()) from None

    if status in OVERFLOW:
        updating = status == _kernel.UPDATE_OVERFLOW
        k = descent.done - updating
        advice = remedy(
            k,
            alpha,
            l2,
            updating=updating,
            standardize=standardize,
            arithmetic=objective.arithmetic,
        )
        msg = f"iteration {k} left the range of {advice}"
        raise DivergenceError(msg, k, w, descent.b, costs)
    stopped: Stopped = "callback" if by_callback else "iters"
    if status == _kernel.CONVERGED:
        stopped = "tol"
    n_iter = costs.size - (stopped == "tol")
    return Solution(w, descent.b, costs, n_iter, stopped, alpha, fault=fault)


def descend_to_tol(
    objective: Objective,
    alpha: float | Literal["auto"],
    iters: int,
    *,
    w: NDArray[np.float64],
    b: float,
    l2: float,
    tol: float,
    standardize: bool,
    **settings: Any,
) -> Solution:
    """Descend until the gradient is within tol, in float64 even if the objective is in float32."""

    def leg(objective: Objective, start: Solution, tol: float) -> Solution:
        if start.costs.size and start.stopped in {"iters", "callback"}:  # none is left
            return start
        found = descend(
            objective,
            start.alpha if start.costs.size else alpha,
            iters - start.n_iter,
            w=start.w.copy(),
            b=start.b,
            l2=l2,
            tol=tol,
            standardize=standardize,
            **settings,
        )
        # The last cost of the leg before is J at the start of this one.
        costs = np.concatenate([start.costs[:-1], found.costs])
        return found._replace(costs=costs, n_iter=start.n_iter + found.n_iter)

    found = continued(objective, Solution(w, b), tol, leg)
    fault = why_no_descent(found.costs, found.b, objective.arithmetic)
    if fault:
        fault = warning_of(fault, found.alpha, l2, standardize=standardize)
    return found._replace(fault=fault)


def _learning_rate(
    objective: Objective, alpha: float | Literal["auto"], l2: float, **of_features: bool
) -> float:
    """Return the number that alpha is, or the step that "auto" finds."""
    if alpha != "auto":
        return alpha
    bound = curvature_bound(objective, **of_features)
    return min(0.5 / (l2 / 2.0 + bound / 2.0), _input.LARGEST)  # halves: the sum may overflow


class Descending(Training):
    """A descent in progress."""

    def __init__(
        self,
        objective: Objective,
        descent: _kernel.Descent,
        w: NDArray[np.float64],
        iters: int,
        callbacks: Sequence[Any],
        *,
        standardize: bool,
        scale_only: bool,
    ) -> None:
        super().__init__(objective, w, iters, callbacks)
        self._descent = descent
        self._standardize = standardize
        self._scale_only = scale_only

    @property
    def done(self) -> int:
        """The number of costs so far."""
        return self._descent.done

    @property
    def b(self) -> float:
        """The current bias."""
        return self._descent.b

    def state(self) -> dict[str, NDArray[Any]]:
        """Return what `resume` needs in addition to w and the costs."""
        return {"b": np.array(self._descent.b), "b_lo": np.array(self._descent.b_lo)}

    def _continue(self, state: Mapping[str, NDArray[Any]], done: int) -> None:
        self._descent.resume(state["b"].item(), state["b_lo"].item(), done)

    def _advance(self, costs: NDArray[np.float64], steps: int) -> int:
        return self._descent.descend(costs, steps)

    def _prepare(self) -> int:
        if self._standardize and self.iters > 0:
            try:
                self._objective.standardize(centre=not self._scale_only)
            except OverflowError:
                return _kernel.PASS_OVERFLOW
        return _kernel.OK
