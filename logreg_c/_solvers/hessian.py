# SPDX-License-Identifier: BSD-3-Clause
"""The Hessian of the sum of the losses: its inverse, and which columns are collinear."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from logreg_c import _kernel
from logreg_c._objective import PRODUCTS_OVERFLOW

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from logreg_c._input import Examples
    from logreg_c._objective import Objective

# In units of a feature's weighted variance: what is left of it after the features before it explain
# the rest. Sums of 10^6 products are accurate to about 1e-15.
LEAST_PIVOT = 1e-12
# A share of a feature's deviation that is worth a name.
NAMED_SHARE = 1e-4
NAMED = 5  # columns in a message
# In units of the square of a feature's mean: the squares of the rounding of its values.
ROUNDING = 1e-31
EPSILON = 2.0**-52
# A sum of squares that may have lost digits below the range of float64.
SMALL = 1e-250


class Hessian:
    """The Hessian of sum(losses) + sum(penalty w^2) / 2, by w and by b + mu.T w.

    It is that at the w and b whose curvatures h = s a (1 - a) are given. With mu the mean of the
    features under the weights h, these two do not interact:
    the Hessian is ``[[H, 0], [0, S]]`` with ``H = sum(h (x - mu) (x - mu).T) + diag(penalty)`` and
    ``S = sum(h)``. Without an intercept, mu is 0.

    Attributes
    ----------
    mu : ndarray of shape (n_x,)
    S : float
    centre : ndarray of shape (n_x,)
        What is subtracted in sums of their products: about the mean of the features, or 0.
    h : ndarray of shape (m,)
    intercept : bool
    """

    def __init__(
        self,
        objective: Objective,
        h: NDArray[np.float64],
        *,
        penalty: float | NDArray[np.float64],
        intercept: bool,
        centre: NDArray[np.float64] | None = None,
    ) -> None:
        if not intercept:  # sums of x x.T itself, which would cancel if x were centred
            centre = np.zeros(objective.examples.shape[0])
        elif centre is None:
            centre = objective.centre()
        self.centre = centre
        self.h = h
        H, self.mu, self.S = objective.gram(h, centre)
        # what is left of a feature's squares where rounding hides all of it
        with np.errstate(over="ignore", invalid="ignore"):
            hidden = self.S * (LEAST_PIVOT * (self.mu - centre) ** 2 + ROUNDING * centre**2)
            if not intercept:
                H += self.S * (self.mu[:, np.newaxis] * self.mu)
        if not intercept:
            if not np.isfinite(H).all():
                raise OverflowError(PRODUCTS_OVERFLOW)
            self.mu = np.zeros_like(self.mu)
        self._objective = objective
        self.intercept = intercept
        squares = np.diagonal(H)
        if (squares < SMALL).any():
            objective.in_float64().standardize(scale=False)  # tells squares that leave the range
        diagonal = np.where(squares > hidden, squares, 0.0) + penalty
        self._unit = np.divide(1.0, np.sqrt(diagonal), where=diagonal > 0, out=np.zeros(len(H)))
        np.fill_diagonal(H, diagonal)
        self._scaled = H * self._unit * self._unit[:, np.newaxis]
        self._L = self._scaled.copy()

    def factor(self) -> list[tuple[int, list[int]]]:
        """Factor H; return collinear columns, with those before each whose combination it is.

        At most one more than a message names: each takes a factorization of its own.
        """
        collinear: list[tuple[int, list[int]]] = []
        while len(collinear) <= NAMED and (
            failed := self._objective.cholesky(self._L, LEAST_PIVOT)
        ):
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
        return solve(self._L, self._unit, columns)

    def hidden(self, meat: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return how far off the rounding of `meat` may put the diagonal of H^-1 meat H^-1, (n_x,).

        An entry is a sum of products, so its error is in units of the roots of two of the diagonal.
        """
        n = len(self._unit)
        roots = np.sqrt(np.diagonal(meat)) * self._unit
        inverse = np.abs(solve(self._L, np.ones(n), np.eye(n)))
        reach: NDArray[np.float64] = np.add.reduce(inverse * roots, 1) * self._unit
        return EPSILON * n * reach * reach

    def log_determinant(self) -> float:
        """Return the logarithm of the determinant of the whole Hessian."""
        of_w = _kernel.log_determinant(self._unscaled_factor(), len(self._L))
        if not self.intercept:
            return of_w
        return of_w + _kernel.log_determinant(np.array([[math.sqrt(self.S)]]), 1)

    def leverage(self) -> NDArray[np.float64]:
        """Return the diagonal of the hat matrix, (m,): h x.T Hessian^-1 x of every example."""
        of_w = self._objective.leverage(self.mu, self._unscaled_factor())
        return self.h * (of_w + 1.0 / self.S if self.intercept else of_w)

    def _unscaled_factor(self) -> NDArray[np.float64]:
        return self._L / self._unit[:, np.newaxis]


def solve(
    L: NDArray[np.float64], unit: NDArray[np.float64], columns: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the inverse of a matrix times columns, (n, k).

    L is the Cholesky factor of the matrix scaled by `unit`, rows and columns.
    """
    rows = np.ascontiguousarray((columns * unit[:, np.newaxis]).T)
    for row in rows:
        _kernel.solve_lower(L, len(row), row)
        _kernel.solve_upper(L, len(row), row)
    return np.ascontiguousarray((rows * unit).T)


def collinear_features(
    collinear: list[tuple[int, list[int]]], X: Examples, *, intercept: bool
) -> str:
    """Name what `factor` has returned."""

    def name(j: int) -> str:
        return f"feature {j}" if X.names is None else repr(X.names[j])

    faults = []
    for k, others in collinear[:NAMED]:
        if others:
            listed = ", ".join(name(j) for j in others[:NAMED])
            listed += ", ..." if len(others) > NAMED else ""
            faults.append(f"{name(k)} is a combination of {listed}")
        else:
            faults.append(f"{name(k)} is {'constant' if intercept else '0 throughout'}")
    if len(collinear) > NAMED:
        faults.append("and so on")
    return "; ".join(faults)
