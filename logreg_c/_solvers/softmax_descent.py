# SPDX-License-Identifier: BSD-3-Clause
"""Gradient descent with several classes.

For alpha="auto": the Hessian of the loss of an example by its Z, diag(a) - a a', is nowhere above
(I - 1 1'/K) / 2 (Boehning, Multinomial logistic regression algorithm, 1992), and so at most twice
the 1/4 of one output. So the bound on the curvature is twice that of `curvature_bound`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from logreg_c import _input, _kernel
from logreg_c._errors import DivergenceError

from .curvature import curvature_bound
from .divergence import remedy, why_no_descent
from .result import Solution
from .softmax import magnitude
from .training import Training, interrupted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from logreg_c._objective import SoftmaxObjective
    from logreg_c._result import Stopped


def descend_classes(
    objective: SoftmaxObjective,
    alpha: float | Literal["auto"],
    iters: int,
    *,
    w: NDArray[np.float64],
    b: NDArray[np.float64],
    l2: float,
    standardize: bool,
    tol: float,
    callbacks: Sequence[Any] = (),
) -> Solution:
    """Do what `descend` does, with w (n_x, K), which changes in place, and b (K,)."""
    start: Any = b[:, np.newaxis]
    try:
        mean, sd = np.zeros(len(w)), np.ones(len(w))
        if standardize:
            mean, _, sd = objective.in_float64().standardize()
        rate = _learning_rate(objective, alpha, l2, standardize=standardize)
    except OverflowError as error:
        raise DivergenceError(str(error), 0, w, start, np.empty(0)) from None
    except KeyboardInterrupt:
        raise interrupted(w, start, np.empty(0)) from None
    training = Descending(
        *(objective, w, b, iters, callbacks), alpha=rate, l2=l2, tol=tol, mean=mean, sd=sd
    )
    training.settings = objective.described() | {
        "classes": len(b),
        "alpha": rate,
        "l2": l2,
        "tol": tol if tol >= 0.0 else None,
        "standardize": standardize,
    }
    try:
        status, by_callback = training.run()
    except KeyboardInterrupt:
        raise interrupted(w, training.b, training.costs) from None
    costs = training.take_costs()
    if status in {_kernel.PASS_OVERFLOW, _kernel.UPDATE_OVERFLOW}:
        updating = status == _kernel.UPDATE_OVERFLOW
        k = training.done - updating
        of: Any = {"updating": updating, "standardize": standardize, "arithmetic": "float64"}
        msg = f"iteration {k} left the range of {remedy(k, rate, l2, **of)}"
        raise DivergenceError(msg, k, w, training.b, costs)
    stopped: Stopped = "callback" if by_callback else "iters"
    if status == _kernel.CONVERGED:
        stopped = "tol"
    fault = why_no_descent(costs, magnitude(training.b), "float64")
    n_iter = costs.size - (stopped == "tol")
    return Solution(w, training.b, costs, n_iter, stopped, rate, fault=fault)


def _learning_rate(
    objective: SoftmaxObjective, alpha: float | Literal["auto"], l2: float, *, standardize: bool
) -> float:
    """Return the number that alpha is, or the step that "auto" finds."""
    if alpha != "auto":
        return alpha
    bound = curvature_bound(objective, standardize=standardize, fixed_b=False)
    return min(0.5 / (l2 / 2.0 + bound), _input.LARGEST)  # halves: the sum may overflow


class Descending(Training):
    """A descent in progress, on features less `mean` and divided by `sd`."""

    def __init__(
        self,
        objective: SoftmaxObjective,
        w: NDArray[np.float64],
        b: NDArray[np.float64],
        iters: int,
        callbacks: Sequence[Any],
        *,
        alpha: float,
        l2: float,
        tol: float,
        mean: NDArray[np.float64],
        sd: NDArray[np.float64],
    ) -> None:
        super().__init__(objective, w, iters, callbacks)
        self._b, self._alpha, self._l2, self._tol = b, alpha, l2, tol
        self._mean, self._sd = mean[:, np.newaxis], sd[:, np.newaxis]
        self._per_sd = np.divide(1.0, self._sd, where=self._sd > 0.0, out=np.zeros_like(self._sd))
        self._done = 0

    @property
    def done(self) -> int:
        """The number of costs so far."""
        return self._done

    @property
    def b(self) -> Any:
        """The current biases, (K, 1)."""
        return self._b[:, np.newaxis].copy()

    def state(self) -> dict[str, NDArray[Any]]:
        """Return what `resume` needs in addition to w and the costs."""
        return {"b": self._b.copy()}

    def _continue(self, state: Mapping[str, NDArray[Any]], done: int) -> None:
        self._b, self._done = state["b"].copy(), done

    def _advance(self, costs: NDArray[np.float64], steps: int) -> int:
        objective: Any = self._objective
        for _ in range(steps):
            of_standardized = self.w * self._sd
            try:
                J, dw, db = objective.softmax(self.w, self._b, 0.0)
            except OverflowError:
                return _kernel.PASS_OVERFLOW
            with np.errstate(over="ignore", invalid="ignore"):
                J += self._l2 / 2.0 * float(np.add.reduce((of_standardized**2).ravel()))
                dw = (dw - self._mean * db) * self._per_sd + self._l2 * of_standardized
                step = self._alpha * dw * self._per_sd
                w = self.w - step
                b = self._b - self._alpha * db + np.add.reduce(self._mean * step, 0)
            if not np.isfinite(J):
                return _kernel.PASS_OVERFLOW
            costs[self._done] = J
            self._done += 1
            if max(magnitude(dw), magnitude(db)) <= self._tol:
                return _kernel.CONVERGED
            if not (np.isfinite(w).all() and np.isfinite(b).all()):
                return _kernel.UPDATE_OVERFLOW
            self.w[...], self._b = w, b
        return _kernel.OK
