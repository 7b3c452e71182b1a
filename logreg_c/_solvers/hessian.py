# SPDX-License-Identifier: BSD-3-Clause
"""The Hessian of the sum of the losses: its inverse, and which columns are collinear."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from logreg_c import _kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from logreg_c._objective import Objective

# In units of a feature's weighted variance: what is left of it after the features before it explain
# the rest. Sums of 10^6 products are accurate to about 1e-15.
LEAST_PIVOT = 1e-12
# A share of a feature's deviation that is worth a name.
NAMED_SHARE = 1e-4


class Hessian:
    """The Hessian of sum(losses) + penalty / 2 * sum(w^2) at w and b, by w and by b + mu.T w.

    With mu the mean of the features under the weights h = s a (1 - a), these two do not interact:
    the Hessian is ``[[H, 0], [0, S]]`` with ``H = sum(h (x - mu) (x - mu).T) + penalty`` and
    ``S = sum(h)``. Without an intercept, mu is 0.

    Attributes
    ----------
    mu : ndarray of shape (n_x,)
    S : float
    centre : ndarray of shape (n_x,)
        The mean of the features, to be subtracted in sums of their products.
    """

    def __init__(
        self,
        objective: Objective,
        w: NDArray[np.float64],
        b: float,
        *,
        penalty: float,
        intercept: bool,
    ) -> None:
        self.centre = objective.in_float64().standardize(scale=False)[0].copy()
        H, self.mu, self.S = objective.gram(objective.curvature(w, b), self.centre)
        if not intercept:
            H += self.S * (self.mu[:, np.newaxis] * self.mu)
            self.mu = np.zeros_like(self.mu)
        self._objective = objective
        diagonal = np.diagonal(H) + penalty
        self._unit = np.divide(1.0, np.sqrt(diagonal), where=diagonal > 0, out=np.zeros(len(H)))
        np.fill_diagonal(H, diagonal)
        self._scaled = H * self._unit * self._unit[:, np.newaxis]
        self._L = self._scaled.copy()

    def factor(self) -> list[tuple[int, list[int]]]:
        """Factor H; return each collinear column, with those before it whose combination it is.

        The inverse leaves collinear columns out.
        """
        collinear = []
        while failed := self._objective.cholesky(self._L, LEAST_PIVOT):
            k = failed - 1
            L, share = self._L[:k, :k].copy(), self._scaled[k, :k].copy()
            _kernel.solve_lower(L, k, share)
            _kernel.solve_upper(L, k, share)
            collinear.append((k, np.flatnonzero(np.abs(share) > NAMED_SHARE).tolist()))
            self._scaled[k] = self._scaled[:, k] = 0.0
            self._scaled[k, k] = 1.0
            self._L = self._scaled.copy()
        return collinear

    def solve(self, columns: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return H^-1 times a matrix of shape (n_x, k)."""
        rows = np.ascontiguousarray((columns * self._unit[:, np.newaxis]).T)
        for row in rows:
            _kernel.solve_lower(self._L, len(row), row)
            _kernel.solve_upper(self._L, len(row), row)
        return np.ascontiguousarray((rows * self._unit).T)
