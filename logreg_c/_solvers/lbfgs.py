# SPDX-License-Identifier: BSD-3-Clause
"""SciPy's L-BFGS on the cost and gradient of one pass: tens of passes, where descent needs many."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.optimize import minimize

from .continuation import continued
from .result import Solution

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from logreg_c._objective import Objective
    from logreg_c._result import Stopped

    from .training import Callback

LINE_SEARCHES = 50  # as scikit-learn's
ABNORMAL = 2  # what SciPy calls a line search without a decrease


class _Log:
    """The costs at the start and after each iteration, and the callbacks that get them."""

    def __init__(self, callbacks: Sequence[Callback], iters: int, start: Solution) -> None:
        self._callbacks = callbacks
        self._iters = iters
        self.costs: list[float] = start.costs.tolist()
        self.n_iter = start.n_iter
        self.halted = start.stopped == "callback"

    @property
    def left(self) -> int:
        """How many iterations may still follow."""
        return 0 if self.halted else self._iters - self.n_iter

    def begin(self, J: float) -> None:
        """Note the cost at the start, unless an earlier search began there."""
        if not self.costs:
            self.costs.append(J)

    def tell(self, J: float, theta: NDArray[np.float64], function: _Function) -> None:
        """Add the cost at the end of an iteration, and call the callbacks."""
        self.costs.append(J)
        self.n_iter += 1
        if self._callbacks:
            w, b = function.w_b(theta)
            w = w.reshape(-1, 1)
            told = [callback(self.n_iter - 1, J, w, b) for callback in self._callbacks]
            self.halted = any(told)

    def result(
        self, w: NDArray[np.float64], b: float, *, slope: float | None = None, tol: float
    ) -> Solution:
        """Return where the search ended."""
        stopped: Stopped = "rounding"
        if self.halted:
            stopped = "callback"
        elif slope is not None and slope <= tol:
            stopped = "tol"
        elif not self.left:
            stopped = "iters"
        return Solution(
            w[:, np.newaxis], b, np.array(self.costs), self.n_iter, stopped, slope=slope
        )


class _Function:
    """J and its gradient by theta = scale (w sd, b + w mean), or scale w sd if b is fixed.

    For features as they are, mean is 0 and sd is 1. With `conditioned`, J and `slope` are the same,
    but mean and sd make the curvature of J along each axis close to 1.
    """

    def __init__(
        self,
        objective: Objective,
        w: NDArray[np.float64],
        b: float,
        l2: float,
        *,
        standardize: bool,
        fixed_b: bool,
        conditioned: bool = False,
    ) -> None:
        self._objective, self._w, self._b, self._l2 = objective, w, b, l2
        self._fixed_b, self._conditioned = fixed_b, conditioned
        self._mean, self._sd = np.zeros(w.size), np.ones(w.size)
        if standardize or conditioned:
            moments = objective.standardize(centre=not fixed_b)
            if fixed_b:
                moments[:2] = 0.0
                moments[2, moments[2] == 0.0] = 1.0
            if conditioned:
                # In units of what J penalizes and `slope` measures: w, or w sd if standardized.
                own = moments[2].copy() if standardize else self._sd
                unit = np.hypot(moments[2] / 2.0, math.sqrt(l2) * own)
                moments[2] = np.where((unit > 0.0) | standardize, unit, 1.0)
                self._ratio = np.divide(moments[2], own, out=np.ones(w.size), where=own > 0.0)
                self._shift = np.zeros(w.size) if standardize or fixed_b else moments[0]
            self._mean, self._sd = moments[0] + moments[1], moments[2]
        self._varies = self._sd > 0.0
        self.scale = 1.0
        self._last: tuple[NDArray[np.float64], float, NDArray[np.float64]] | None = None
        self._traced: tuple[NDArray[np.float64], float, NDArray[np.float64]] | None = None

    def theta(self, w: NDArray[np.float64], b: float) -> NDArray[np.float64]:
        """Return theta of a w and b."""
        theta = w * self._sd
        if not self._fixed_b:
            theta = np.append(theta, b + w @ self._mean)
        return theta * self.scale

    def w_b(self, theta: NDArray[np.float64]) -> tuple[NDArray[np.float64], float]:
        """Return w and b, of the features as they are."""
        theta = theta / self.scale
        w = self._w.copy()  # a constant feature keeps its own
        np.divide(theta[: w.size], self._sd, out=w, where=self._varies)
        return w, self._b if self._fixed_b else float(theta[-1] - w @ self._mean)

    def cost(self, theta: NDArray[np.float64]) -> float:
        """Return J."""
        return self._evaluate(theta)[0]

    def slope(self, theta: NDArray[np.float64]) -> float:
        """Return the largest component of the gradient that `tol` is about."""
        gradient = self._evaluate(theta)[1]
        if self._conditioned:
            dw, db = gradient[: self._w.size], gradient[self._w.size :]
            gradient = np.append(dw * self._ratio + self._shift * db.sum(), db)
        return float(np.abs(gradient).max())

    def trace(self, theta: NDArray[np.float64]) -> None:
        """From now on add J up from its gradients, from one traced point to the next.

        The trapezoidal rule resolves a decrease that is lost in the rounding of J. Its error is of
        the third order in the step.
        """
        if self._traced is None:
            self._traced = theta, 0.0, np.zeros(theta.size)
        value, gradient = self(theta)
        self._traced = theta.copy(), value, gradient

    def __call__(self, theta: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        value, gradient = self._evaluate(theta)
        gradient = gradient / self.scale
        if self._traced is not None:
            at, before, slopes = self._traced
            value = before + float((slopes + gradient) @ (theta - at)) / 2.0
        return value, gradient

    def _evaluate(self, theta: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        """J and its gradient by theta / scale; those of the last theta are still there."""
        theta = theta / self.scale
        if self._last is not None and np.array_equal(theta, self._last[0]):
            return self._last[1:]
        b = self._b if self._fixed_b else theta[-1]
        w = theta[: self._w.size]
        J, dw, db = self._objective(w, b, 0.0 if self._conditioned else self._l2)
        if self._conditioned:
            J += self._l2 / 2.0 * float(np.sum((w / self._ratio) ** 2))
            dw += self._l2 * (w / self._ratio) / self._ratio
        self._last = theta, J, dw if self._fixed_b else np.append(dw, db)
        return self._last[1:]


def lbfgs(
    objective: Objective,
    iters: int,
    *,
    w: NDArray[np.float64],
    b: float,
    l2: float,
    standardize: bool,
    tol: float,
    callbacks: Sequence[Callback] = (),
    fixed_b: bool = False,
) -> Solution:
    """Minimize J from w, (n_x, 1), and b; the arguments mean what those of `descend` do.

    A callback gets J at the w and b that an iteration ends with.
    """

    def function(
        objective: Objective, w: NDArray[np.float64], b: float, *, conditioned: bool = False
    ) -> _Function:
        units = {"standardize": standardize, "fixed_b": fixed_b, "conditioned": conditioned}
        return _Function(objective, w, b, l2, **units)

    def leg(objective: Objective, start: Solution, tol: float) -> Solution:
        log = _Log(callbacks, iters, start)
        w, b = start.w[:, 0], start.b
        J = function(objective, w, b)
        w, b = _search(J, w, b, log, tol)
        if objective.examples.float32:  # which float64 continues
            return log.result(w, b, tol=tol)
        if log.left and not J.slope(J.theta(w, b)) <= tol:
            # The units of the features may be the reason, or the rounding of J.
            try:
                conditioned = function(objective.in_float64(), w, b, conditioned=True)
                for traced in (False, True):
                    w, b = _search(conditioned, w, b, log, tol, traced=traced)
            except OverflowError:  # of the squares of X, which are needed here alone
                pass
        return log.result(w, b, slope=J.slope(J.theta(w, b)), tol=tol)

    return continued(objective, Solution(w, b), tol, leg)


def _search(
    function: _Function,
    w: NDArray[np.float64],
    b: float,
    log: _Log,
    tol: float,
    *,
    traced: bool = False,
) -> tuple[NDArray[np.float64], float]:
    """Return the w and b that SciPy comes to from these."""
    theta = function.theta(w, b)
    steepness = function.slope(theta)
    log.begin(function.cost(theta))
    if traced:
        function.trace(theta)

    def tell(intermediate_result: Any) -> None:
        theta = intermediate_result.x
        log.tell(function.cost(theta), theta, function)
        if traced:
            function.trace(theta)
        if not log.left or function.slope(theta) <= tol:
            raise StopIteration  # which is how to end SciPy's loop

    if not log.left or steepness <= tol:
        return w, b
    options = {"maxiter": log.left, "maxfun": np.inf, "maxls": LINE_SEARCHES, "gtol": 0, "ftol": 0}
    result = minimize(function, theta, method="L-BFGS-B", jac=True, callback=tell, options=options)
    if result.status == ABNORMAL and result.nit == 0 and function.scale == 1.0 < steepness:
        # The first step, which has norm 1, was too long for a way back.
        function.scale = steepness
        return _search(function, w, b, log, tol, traced=traced)
    return function.w_b(result.x)
