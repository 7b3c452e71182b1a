# SPDX-License-Identifier: BSD-3-Clause
"""SciPy's L-BFGS on the cost and gradient of one pass: tens of passes, where descent takes many."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np
from scipy.optimize import minimize

from . import _check
from ._objective import Objective

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, DTypeLike, NDArray

    from ._train import Callback

Stopped = Literal["tol", "iters", "callback", "rounding"]  # the last: J does not fall any more

# The largest component of a gradient that float32 arithmetic resolves on well-scaled data.
FLOAT32_TOL = 1e-5
LINE_SEARCHES = 50  # as scikit-learn's
ABNORMAL = 2  # what SciPy calls a line search without a decrease
# A decrease of J so small ends scikit-learn's L-BFGS. This one goes on, down to tol or to where J
# does not fall any more, but has converged if it fails from there.
LEAST_DECREASE = 64 * np.finfo(np.float64).eps


class Minimum(NamedTuple):
    """Where a solver ended."""

    w: NDArray[np.float64]  # (n_x,)
    b: float
    costs: list[float]
    n_iter: int
    stopped: Stopped
    problem: str  # why it has not converged, or ""


class _Log:
    """The costs at the start and after each iteration, and who wants to know."""

    def __init__(self, callbacks: Sequence[Callback]) -> None:
        self._callbacks = callbacks
        self.costs: list[float] = []
        self.n_iter = 0
        self.halted = False

    def begin(self, J: float) -> None:
        """Note the cost at the start, unless this only goes on in another arithmetic."""
        if not self.costs:
            self.costs.append(J)

    def tell(self, J: float, theta: NDArray[np.float64], function: _Function) -> None:
        """Add the cost at the end of an iteration; StopIteration is how to end SciPy's loop."""
        self.costs.append(J)
        self.n_iter += 1
        if self._callbacks:
            w, b = function.w_b(theta)
            w = w.reshape(-1, 1)
            told = [callback(self.n_iter - 1, J, w, b) for callback in self._callbacks]
            self.halted = any(told)
            if self.halted:
                raise StopIteration


class _Function:
    """J and its gradient by theta = scale (w sd, b + w mean), or scale w sd where b is fixed."""

    def __init__(
        self,
        objective: Objective,
        log: _Log,
        w: NDArray[np.float64],
        b: float,
        l2: float,
        *,
        standardize: bool,
        fixed_b: bool,
    ) -> None:
        self._log = log
        self._objective, self._w, self._b, self._l2 = objective, w, b, l2
        self._fixed_b = fixed_b
        self._mean, self._sd = np.zeros(w.size), np.ones(w.size)
        if standardize:
            self._mean, rest, self._sd = objective.standardize(scale_only=fixed_b)
            self._mean = self._mean + rest
        self._varies = self._sd > 0.0
        self.scale = 1.0
        self.steepness: float | None = None  # the largest component of the gradient at the start

    @property
    def start(self) -> NDArray[np.float64]:
        """Theta of the w and b that were given."""
        theta = self._w * self._sd
        if not self._fixed_b:
            theta = np.append(theta, self._b + self._w @ self._mean)
        return theta * self.scale

    def w_b(self, theta: NDArray[np.float64]) -> tuple[NDArray[np.float64], float]:
        """Return w and b, of the features as they are."""
        theta = theta / self.scale
        w = self._w.copy()  # a constant feature keeps its own
        np.divide(theta[: w.size], self._sd, out=w, where=self._varies)
        return w, self._b if self._fixed_b else float(theta[-1] - w @ self._mean)

    def __call__(self, theta: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        theta = theta / self.scale
        b = self._b if self._fixed_b else theta[-1]
        J, dw, db = self._objective(theta[: self._w.size], b, self._l2)
        gradient = dw if self._fixed_b else np.append(dw, db)
        if self.steepness is None:
            self.steepness = float(np.abs(gradient).max())
            self._log.begin(J)
        return J, gradient / self.scale


def lbfgs(
    X: ArrayLike,
    Y: ArrayLike,
    iters: int,
    *,
    w: NDArray[np.float64],
    b: float,
    l2: float,
    sample_weight: NDArray[Any] | None,
    standardize: bool,
    tol: float,
    n_threads: int | None,
    dtype: DTypeLike | None = None,
    callbacks: Sequence[Callback] = (),
    fixed_b: bool = False,
) -> Minimum:
    """Minimise J from w, (n_x,), and b; the arguments mean what those of `descend` do.

    What is computed in float32, without a `dtype`, goes on in float64 from where float32 does not
    resolve the gradient any more. A callback gets J at the w and b that an iteration ends with.
    """
    log = _Log(callbacks)
    for arithmetic in (dtype, np.float64):
        examples = _check.examples(X, arithmetic)
        objective = Objective(examples, Y, sample_weight=sample_weight, n_threads=n_threads)
        function = _Function(objective, log, w, b, l2, standardize=standardize, fixed_b=fixed_b)
        try:
            result = _search(function, log, iters, max(tol, FLOAT32_TOL * examples.float32))
        except OverflowError:
            if not examples.float32:
                raise
            log = _Log(callbacks)
            continue
        w, b = function.w_b(result.x)
        reached = np.abs(result.jac).max() * function.scale <= tol
        if reached or log.halted or log.n_iter >= iters or not examples.float32:
            break
    stopped: Stopped = "rounding"
    if log.halted:
        stopped = "callback"
    elif reached:
        stopped = "tol"
    elif log.n_iter >= iters:
        stopped = "iters"
    converged = result.success or (
        result.status == ABNORMAL and log.costs[-2:][0] - log.costs[-1] <= LEAST_DECREASE
    )
    return Minimum(w, b, log.costs, log.n_iter, stopped, "" if converged else str(result.message))


def _search(function: _Function, log: _Log, iters: int, tol: float) -> Any:
    """Call SciPy, again if its first step, which has norm 1, is too long for a way back."""
    result = minimize(
        function,
        function.start,
        method="L-BFGS-B",
        jac=True,
        callback=lambda intermediate_result: log.tell(
            float(intermediate_result.fun), intermediate_result.x, function
        ),
        options={
            "maxiter": iters - log.n_iter,
            "maxfun": np.inf,
            "maxls": LINE_SEARCHES,
            "gtol": tol / function.scale,
            "ftol": 0.0,
        },
    )
    steepness = function.steepness or 0.0
    if result.status == ABNORMAL and result.nit == 0 and function.scale == 1.0 < steepness:
        function.scale = steepness
        return _search(function, log, iters, tol)
    return result
