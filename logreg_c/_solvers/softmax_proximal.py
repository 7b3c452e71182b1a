# SPDX-License-Identifier: BSD-3-Clause
"""The minimum of J of several classes with an l1 penalty: proximal Newton steps.

A step goes to the minimum of a model: the slope of J, its Hessian, and the penalty as it is (Lee,
Sun and Saunders 2014). The Hessian is that of some features: those with weights, and others that
gain most. Up to DENSE parameters it has all pairs of classes. Beyond, each class has a model of its
own, so that steps gain less, and the gap is predicted from how much less.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from .proximal import ADDED, ARMIJO, HALVINGS, LARGEST, OF_MODEL, ROUNDING, SLOWEST, STALLED
from .result import Solution
from .softmax import start_from
from .softmax_factor import DENSE
from .softmax_hessian import block
from .training import interrupted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from logreg_c._objective import SoftmaxObjective
    from logreg_c._result import Stopped

    from .penalty import Penalty

    Vector = NDArray[np.float64]


class SoftmaxProximal:
    """A search for the minimum over theta (n_x + 1, K), whose last row is b.

    Attributes
    ----------
    theta : ndarray of shape (n_x + 1, K)
    cost : float
        J with the penalty.
    gap : float
        (cost - its minimum) / cost, as predicted.
    passes : int
        How often J and its gradient were computed.
    """

    def __init__(
        self,
        objective: SoftmaxObjective,
        theta: Vector,
        penalty: Penalty,  # arrays (n_x, 1)
        *,
        tol: float,
        slope: float,
        unit: Vector,
        fixed_b: bool,
        max_passes: int,
    ) -> None:
        self._objective, self._fixed_b = objective, fixed_b
        self.tol, self._slope, self._unit = tol, slope, unit[:, np.newaxis]
        self.max_passes = max_passes
        self.passes, self.gap = 0, math.inf
        weight = objective.sample_weight
        s = np.ones(objective.examples.shape[1]) if weight is None else weight.astype(np.float64)
        self._s = s / np.add.reduce(s)
        mean, _, sd = objective.in_float64().standardize(centre=not objective.examples.is_sparse)
        self._mu = np.zeros_like(mean) if fixed_b else mean.copy()
        self._square = (sd * sd + (mean * mean if fixed_b else 0.0))[:, np.newaxis]
        self._stalled = 0
        self._gain = self._ratio = 0.0
        self.retarget(penalty, theta)

    def retarget(self, penalty: Penalty, theta: Vector) -> None:
        """Go on at theta, for another penalty."""
        self.penalty = penalty
        self._gain = self._ratio = 0.0
        self._stalled = 0
        self._accept(theta, self._evaluate(theta))

    def _evaluate(self, theta: Vector) -> tuple[float, Vector]:
        """Return the cost, and the gradient of J and of the l2 penalty."""
        self.passes += 1
        w, b = theta[:-1].copy(), theta[-1].copy()
        J, dw, db = self._objective.softmax(w, b, 0.0)
        each = self.penalty.l1 * np.abs(w) + self.penalty.l2 * w * w / 2.0
        cost = J + float(np.add.reduce(each.ravel()))
        db = np.zeros_like(db) if self._fixed_b else db
        return cost, np.vstack([dw + self.penalty.l2 * w, db])

    def _accept(self, theta: Vector, found: tuple[float, Vector]) -> None:
        self.theta, (self.cost, self._gradient) = theta, found

    def steepest(self) -> float:
        """Return the largest slope down by w / unit or b."""
        descent = self.penalty.descent(self.theta[:-1], self._gradient[:-1]) / self._unit
        return max(float(descent.max(initial=0.0)), float(np.abs(self._gradient[-1]).max()))

    # ---- The model -------------------------------------------------------------------------------

    def _chosen(self, A: Vector) -> tuple[NDArray[np.intp], float]:
        """Return the features of the model, and what all others would gain together."""
        n, k = self.theta.shape
        if n * k <= DENSE:
            return np.arange(n - 1), 0.0
        w = self.theta[:-1]
        slope = self._gradient[:-1] - self._mu[:, np.newaxis] * self._gradient[-1]
        descent = self.penalty.descent(w, slope)
        shares = np.add.reduce(self._s[:, np.newaxis] * A * (1.0 - A))
        curvature = np.maximum(shares * self._square + self.penalty.l2, 2.0**-1000)
        gains = np.add.reduce(descent * descent / (2.0 * curvature), 1)
        kept = np.flatnonzero(w.any(axis=1))
        gains[kept] = math.inf
        most = min(LARGEST, kept.size + max(ADDED, kept.size))
        best = np.argsort(-gains, kind="stable")[:most]
        best = np.sort(best[gains[best] > 0.0])
        gains[best] = 0.0
        return best, math.fsum(gains.tolist())

    def _model(self) -> tuple[Vector, float, float, bool]:
        """Return the minimum of the model, what it gains, and what features outside it would.

        In the end, whether it has all pairs of classes.
        """
        w, b = self.theta[:-1].copy(), self.theta[-1].copy()
        A = self._objective.softmax_predict(w, b, probabilities=True)
        chosen, left_out = self._chosen(A)
        part, mu = self._objective, self._mu[chosen]
        if chosen.size < len(w):
            part = part.features(chosen)
        k, gain = A.shape[1], 0.0
        rows = np.append(chosen, len(w))
        slope = self._gradient[rows]  # by w and b + mu'w
        slope[:-1] -= mu[:, np.newaxis] * slope[-1]
        v = self.theta[rows]
        v[-1] += np.add.reduce(v[:-1] * mu[:, np.newaxis], 0)
        together = v.size <= DENSE
        for group in [np.arange(k)] if together else np.arange(k)[:, np.newaxis]:
            H = self._hessian(part, A, mu, group)
            moved = np.ascontiguousarray(v[:, group].T).ravel()
            of_group = np.ascontiguousarray(slope[:, group].T).ravel()
            l1, lower, upper, l2 = self._quadratic(chosen, group.size)
            np.fill_diagonal(H, np.diagonal(H) + l2)
            gain += part.minimize_quadratic(H, (l1, lower, upper), moved, of_group, OF_MODEL)
            v[:, group] = moved.reshape(group.size, -1).T
        v[-1] -= np.add.reduce(v[:-1] * mu[:, np.newaxis], 0)
        end = self.theta.copy()
        end[rows] = v
        return end, gain, left_out, together

    def _hessian(
        self, part: SoftmaxObjective, A: Vector, mu: Vector, group: NDArray[np.intp]
    ) -> Vector:
        """Return the Hessian of some classes, by their w and b + mu'w, with the l2 penalty."""
        n = len(mu) + 1
        if group.size > 1:
            H = part.softmax_hessian(A, self._s, mu).reshape(group.size * n, -1)
            H = np.tril(H) + np.tril(H, -1).T
        else:
            a = A[:, group[0]]
            H = block(part, self._s * a * (1.0 - a), mu)
        if self._fixed_b:  # without curvature it stays
            H[n - 1 :: n] = 0.0
            H[:, n - 1 :: n] = 0.0
        return H

    def _quadratic(self, chosen: NDArray[np.intp], k: int) -> tuple[Vector, ...]:
        """Return l1, the bounds and l2 of the parameters of k classes."""
        of_w = self.penalty.l1, self.penalty.lower, self.penalty.upper, self.penalty.l2
        of_b = 0.0, -math.inf, math.inf, 0.0
        return tuple(
            np.tile(np.append(values[chosen], last), k)
            for values, last in zip(of_w, of_b, strict=True)
        )

    # ---- Steps -----------------------------------------------------------------------------------

    def step(self) -> Stopped | None:
        """Take a step; return how the search has ended, or None."""
        end, gain, left_out, is_exact = self._model()
        ratio = 0.0 if is_exact else SLOWEST
        if self._gain > 0.0:
            ratio = min(math.sqrt(gain / self._gain), SLOWEST)
        left = gain / (1.0 - ratio) + left_out
        self.gap = left / self.cost if self.cost > 0.0 else 0.0
        is_flat = self.steepest() <= self._slope
        noise = ROUNDING * self.cost
        if left <= self.tol * self.cost and is_flat:
            return "tol"
        if self._stalled >= STALLED or (gain + left_out <= noise and is_flat):
            return "rounding"
        share, here = 1.0, self.theta
        for _ in range(HALVINGS):
            if self.passes >= self.max_passes:
                return "passes"
            theta = end if share == 1.0 else here + share * (end - here)
            found = self._evaluate(theta)
            if found[0] <= self.cost - ARMIJO * share * gain + noise:
                self._stalled = self._stalled + 1 if found[0] >= self.cost - noise else 0
                self._gain = gain if share == 1.0 else 0.0
                self._accept(theta, found)
                return None
            share /= 2.0
        return "rounding"


def path_of_penalized_classes(
    objective: SoftmaxObjective,
    penalties: Sequence[Penalty],
    max_passes: int,
    start: Solution,
    *,
    warm: bool,
    fixed_b: bool,
    **goal: Any,
) -> list[Solution]:
    """Return the minimum for each penalty, of arrays (n_x, 1), each from the one before.

    `goal` is tol, slope and unit, of `SoftmaxProximal`. Without `fixed_b`, b sums to 0.
    """
    theta = np.vstack([start.w, start.b])
    if not warm and max_passes > 0:
        theta = start_from(objective, theta[-1], fixed_b=fixed_b)
    search, found = None, []
    for penalty in penalties:
        costs: list[float] = []
        theta[:-1] = penalty.within(theta[:-1])
        before, stopped = 0 if search is None else search.passes, None
        try:
            if search is None:
                search = SoftmaxProximal(
                    objective, theta, penalty, fixed_b=fixed_b, max_passes=max_passes, **goal
                )
            else:
                search.max_passes = before + max_passes
                search.retarget(penalty, theta)
            while stopped is None:
                costs.append(search.cost)
                stopped = search.step()
        except KeyboardInterrupt:
            raise interrupted(theta[:-1].copy(), theta[-1], np.array(costs), "steps") from None
        theta = search.theta.copy()
        if not fixed_b:
            theta[-1] -= np.add.reduce(theta[-1]) / theta.shape[1]
        found.append(
            Solution(
                *(theta[:-1].copy(), theta[-1].copy(), np.array(costs), search.passes - before),
                stopped,
                slope=search.steepest(),
                gap=search.gap,
            )
        )
    return found
