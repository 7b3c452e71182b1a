# SPDX-License-Identifier: BSD-3-Clause
"""Gradient descent: the loop over the kernel's calls, and the callbacks that hear of it."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from logreg_c import _input, _kernel
from logreg_c._errors import DivergenceError, TrainingInterrupted
from logreg_c._names import named

from .continuation import continued
from .curvature import curvature_bound
from .divergence import COSTS_AT_ONCE, remedy, warning_of, why_no_descent
from .result import FitResult

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from logreg_c._objective import Objective
    from logreg_c._result import Stopped

    Callback = Callable[[int, float, NDArray[np.float64], float], object]

# Room for costs at first; it doubles when it is full. Room takes no memory until it is written to;
# doubling briefly takes twice the memory of the costs.
FIRST_COSTS = 1 << 24
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
) -> FitResult:
    """Do what `train` does with arguments that have been checked; w, (n_x, 1), changes in place.

    A negative `tol` means none. With `fixed_b` b stays, and features are scaled but not centred.
    """
    try:
        alpha = _learning_rate(objective, alpha, l2, standardize=standardize, fixed_b=fixed_b)
    except OverflowError as error:
        msg = f"alpha='auto' finds no step: {error}"
        raise DivergenceError(msg, 0, w, b, np.empty(0)) from None
    except KeyboardInterrupt:
        raise _interrupted(w, b, np.empty(0)) from None
    descent = objective.descent(w, b, alpha=alpha, l2=l2, tol=tol, fixed_b=fixed_b)
    training = Training(objective, descent, w, iters, callbacks)
    if callbacks:
        training.settings = _settings(objective, alpha, l2, standardize=standardize, tol=tol)
    try:
        status, stopped = training.run(standardize=standardize, scale_only=fixed_b)
        if status in OVERFLOW:
            objective.raise_if_nonfinite()
        costs = training.take_costs()
        fault = why_no_descent(costs, descent.b, objective.arithmetic)
    except KeyboardInterrupt:
        raise _interrupted(w, descent.b, training.take_costs()) from None

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
    if status == _kernel.CONVERGED:
        stopped = "tol"
    n_iter = costs.size - (stopped == "tol")
    return FitResult(w, descent.b, costs, n_iter, stopped, alpha, fault=fault)


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
) -> FitResult:
    """Descend until the gradient is within tol, in float64 even if the objective is in float32."""

    def leg(objective: Objective, start: FitResult, tol: float) -> FitResult:
        if start.costs.size and start.stopped == "iters":  # none is left
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

    found = continued(objective, FitResult(w, b), tol, leg)
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


def _settings(
    objective: Objective, alpha: float, l2: float, *, standardize: bool, tol: float
) -> dict[str, Any]:
    n_x, m = objective.examples.shape
    names = objective.examples.names
    return {
        "n_x": n_x,
        "m": m,
        "feature_names": None if names is None else list(map(str, names)),
        "alpha": alpha,
        "l2": l2,
        "tol": tol if tol >= 0.0 else None,
        "standardize": standardize,
        "arithmetic": objective.arithmetic,
    }


def _interrupted(
    w: NDArray[np.float64], b: float, costs: NDArray[np.float64]
) -> TrainingInterrupted:
    msg = f"interrupted after {costs.size} iterations; see the attributes w, b and costs"
    return TrainingInterrupted(msg, w, b, costs)


class Training:
    """A descent in progress, as the `begin` of a callback gets it.

    Attributes
    ----------
    w : ndarray of shape (n_x, 1)
        The current weights; they change in place.
    iters : int
        The largest number of iterations.
    callbacks : tuple
        All callbacks, in their order.
    feature_names : tuple or None
        The names of a data frame's columns.
    n_threads : int
        The largest number of threads.
    settings : dict
        What the bits depend on, except for the data and the start, in types that JSON has.
    """

    def __init__(
        self,
        objective: Objective,
        descent: _kernel.Descent,
        w: NDArray[np.float64],
        iters: int,
        callbacks: Sequence[Any],
    ) -> None:
        self.w = w
        self.iters = iters
        self.callbacks = callbacks
        self.feature_names = objective.examples.names
        self.n_threads = objective.n_threads
        self.settings: dict[str, Any] = {}
        self._objective = objective
        self._descent = descent
        self._costs = np.empty(min(iters, FIRST_COSTS))

    @property
    def done(self) -> int:
        """The number of costs so far."""
        return self._descent.done

    @property
    def b(self) -> float:
        """The current bias."""
        return self._descent.b

    @property
    def b_lo(self) -> float:
        """The low-order part of b, in a descent on standardized features."""
        return self._descent.b_lo

    @property
    def costs(self) -> NDArray[np.float64]:
        """A copy of the costs so far."""
        return self._costs[: self.done].copy()

    def resume(
        self, w: NDArray[np.float64], b: float, b_lo: float, costs: NDArray[np.float64]
    ) -> None:
        """Continue, in `begin`, where an earlier training stopped."""
        self.w[...] = w
        self._costs = np.empty(min(self.iters, costs.size + FIRST_COSTS))
        self._costs[: costs.size] = costs
        self._descent.resume(b, b_lo, costs.size)

    def run(self, *, standardize: bool, scale_only: bool = False) -> tuple[int, Stopped]:
        """Descend; return the kernel's last status, and what ended the descent if not that."""
        if not self.callbacks:
            return self._descend(standardize=standardize, scale_only=scale_only)
        with ExitStack() as ends:
            for callback in self.callbacks:
                if hasattr(callback, "begin"):
                    callback.begin(self)
                if hasattr(callback, "end"):
                    ends.callback(callback.end)
            return self._descend(standardize=standardize, scale_only=scale_only)

    def take_costs(self) -> NDArray[np.float64]:
        """Return the costs themselves, once the training is over."""
        self._costs.resize(self.done, refcheck=False)
        return self._costs

    def _descend(self, *, standardize: bool, scale_only: bool) -> tuple[int, Stopped]:
        descent, callbacks = self._descent, self.callbacks
        if standardize and self.iters > 0:
            try:
                self._objective.standardize(centre=not scale_only)
            except OverflowError:
                return _kernel.PASS_OVERFLOW, "iters"
        status = _kernel.OK
        while status == _kernel.OK and descent.done < self.iters:
            room = self._costs.size - descent.done
            if room == 0:
                self._costs = _with_more_room(self._costs, min(self.iters, 2 * descent.done))
                room = self._costs.size - descent.done
            status = descent.descend(self._costs, 1 if callbacks else room)
            if callbacks and status == _kernel.OK:
                k = descent.done - 1
                told = [callback(k, self._costs.item(k), self._copy_of_w(), descent.b)
                        for callback in callbacks]  # fmt: skip
                if any(told):
                    return status, "callback"
        return status, "iters"

    def _copy_of_w(self) -> NDArray[np.float64]:
        return named(self.w.copy(), self.feature_names)


def _with_more_room(costs: NDArray[np.float64], size: int) -> NDArray[np.float64]:
    more = np.empty(size)
    for k in range(0, costs.size, COSTS_AT_ONCE):
        piece = costs[k : k + COSTS_AT_ONCE]
        more[k : k + piece.size] = piece
    return more
