# SPDX-License-Identifier: BSD-3-Clause
"""The Hessian of a softmax: its blocks, and its inverse by the weights of each class less another.

The Hessian of the loss of an example by its Z is s (diag(a) - a a'). So that of all losses is a
matrix of blocks, one for each pair of classes: sums of s a_k (delta_kl - a_l) x x'.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from logreg_c._objective import PRODUCTS_OVERFLOW

from .hessian import LEAST_PIVOT, solve

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from logreg_c._objective import SoftmaxObjective


def block(
    objective: SoftmaxObjective, h: NDArray[np.float64], mu: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return sum(h x x'), (n_x + 1, n_x + 1), with x less mu, and 1 as the last feature."""
    n = len(mu)
    made = np.empty((n + 1, n + 1))
    G, mean, S = objective.gram(h, mu)
    off = mean - mu
    made[:n, :n] = G + np.tril(G, -1).T + S * (off[:, np.newaxis] * off)
    made[n, :n] = made[:n, n] = S * off
    made[n, n] = S
    return made


def blocks(
    objective: SoftmaxObjective,
    pair: Callable[[int, int], Any],
    k: int,
    mu: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return the Hessian of the sum of the losses, (K, n_x + 1, K, n_x + 1), by w and b + mu'w.

    `pair` returns s a_k a_l of two classes, as `gram` of the objective takes it.
    """
    n = len(mu) + 1
    H = np.zeros((k, n, k, n))
    for a in range(k):
        for b in range(a):
            of_pair = block(objective, pair(a, b), mu)
            H[a, :, b] -= of_pair
            H[b, :, a] -= of_pair
            H[a, :, a] += of_pair
            H[b, :, b] += of_pair
    return H


class SoftmaxHessian:
    """The Hessian of sum(losses) + sum(penalty w^2) / 2 by differences from a reference class.

    The parameters are those of each other class less those of the reference, class by class: w and
    b + mu'w, or w alone without an intercept. Where the differences d are given, the penalty of all
    K classes is least with weights that sum to 0, and is sum(penalty (d^2 - (sum d)^2 / K)) / 2.
    """

    def __init__(
        self,
        objective: SoftmaxObjective,
        weigh: Callable[..., Any],
        k: int,
        penalty: NDArray[np.float64],
        mu: NDArray[np.float64],
        *,
        others: NDArray[np.intp],
        intercept: bool,
    ) -> None:
        """Take `weigh` from `objective.weighing`, at the minimum."""
        self._objective, self._mu, self._others = objective, mu, others
        self._each = len(mu) + intercept  # parameters of a class
        self._weigh = weigh
        H = blocks(objective, partial(weigh, "pair"), k, mu)[others][:, :, others]
        n = len(mu)
        j = np.arange(n)
        shares = np.eye(len(others)) - 1.0 / k
        H[:, j, :, j] += penalty[:, np.newaxis, np.newaxis] * shares
        self._L = self._as_matrix(H)
        diagonal = np.diagonal(self._L).copy()
        self._unit = np.divide(1.0, np.sqrt(diagonal), where=diagonal > 0, out=0.0 * diagonal)
        self._L *= self._unit * self._unit[:, np.newaxis]

    def factor(self) -> bool:
        """Factor it; return whether it has an inverse."""
        return self._objective.cholesky(self._L, LEAST_PIVOT) == 0

    def solve(self, columns: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return its inverse times a matrix."""
        return solve(self._L, self._unit, columns)

    def covariance(self) -> NDArray[np.float64]:
        """Return the inverse, by w and b."""
        return self._uncentred(self.solve(np.eye(len(self._unit))))

    def sandwich(self, factor: float, clusters: NDArray[np.intp] | None) -> NDArray[np.float64]:
        """Return inverse sum(g g') inverse, by w and b, times a factor.

        The g are the gradients of the examples, or their sums over each cluster.
        """
        meat = self._of_examples() if clusters is None else self._of_clusters(clusters)
        return factor * self._uncentred(self.solve(self.solve(meat).T))

    def _of_examples(self) -> NDArray[np.float64]:
        others = self._others.tolist()
        n, k = len(self._mu) + 1, len(others)
        meat = np.empty((k, n, k, n))
        for a in range(k):
            meat[a, :, a] = self._block("square", others[a])
        for a in range(k):
            for b in range(a):  # 2 r_a r_b = (r_a + r_b)^2 - r_a^2 - r_b^2: weights are >= 0
                both = self._block("square", others[a], others[b])
                meat[a, :, b] = (both - meat[a, :, a] - meat[b, :, b]) / 2.0
                meat[b, :, a] = meat[a, :, b].T
        return self._as_matrix(meat)

    def _block(self, *which: Any) -> NDArray[np.float64]:
        return block(self._objective, self._weigh(*which), self._mu)

    def _of_clusters(self, clusters: NDArray[np.intp]) -> NDArray[np.float64]:
        values = self._objective.examples.values
        sums = []
        for k in self._others.tolist():
            r = self._weigh("residual", k)
            for x, mu in zip(values, self._mu.tolist(), strict=True):
                sums.append(np.bincount(clusters, r * (np.asarray(x, np.float64) - mu)))
            if self._each > len(self._mu):
                sums.append(np.bincount(clusters, r))
        g = np.array(sums)
        return np.array([np.add.reduce(g * row, 1) for row in g])

    def _as_matrix(self, of_pairs: NDArray[np.float64]) -> NDArray[np.float64]:
        size = len(of_pairs) * self._each
        chosen = of_pairs[:, : self._each, :, : self._each]
        return np.ascontiguousarray(chosen).reshape(size, size)

    def _uncentred(self, C: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the covariance by w and b from that by w and b + mu'w."""
        n, size = len(self._mu), len(C)
        if self._each > n:
            with np.errstate(over="ignore", invalid="ignore"):
                C = C.copy().reshape(-1, self._each, size)
                C[:, n] -= np.add.reduce(C[:, :n] * self._mu[:, np.newaxis], 1)
                C = C.reshape(size, -1, self._each)
                C[..., n] -= np.add.reduce(C[..., :n] * self._mu, 2)
        if not np.isfinite(C).all():
            raise OverflowError(PRODUCTS_OVERFLOW)
        return C.reshape(size, size)
