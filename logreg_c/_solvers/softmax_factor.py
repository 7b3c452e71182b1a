# SPDX-License-Identifier: BSD-3-Clause
"""Factors of the Hessian of a softmax.

It is a matrix of blocks, one for each pair of classes. Up to DENSE parameters all of them are made,
and factored together. Beyond, S (x) G takes their place: S is the mean of
diag(a) - a a' over the examples, G the mean of x x' under the weights s (1 - sum(a^2)). Where G is
too large as well, only the diagonal of the Hessian is made.

J changes by the penalty alone where the same is added to the weights of all classes: in that
direction its curvature is l2, and a factor of the others may have any: it has G.
"""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from logreg_c._objective import SoftmaxObjective

from logreg_c import _kernel

DENSE = 2048  # parameters
MOST_FEATURES = 4096  # of G
PASSES = 50  # that the factors of G may take
LEAST_SHARE = 1e-12  # of the largest entry, that a diagonal one has unless it counts as 0
CONSTANT = 2.0**-80  # curvature by a feature, relative to that of its mean squared: rounding
LEAST_PIVOT = 1e-13
LEAST_WEIGHT = 0.5  # of the mean, of an example in the Gram of a pair of classes
ALIKE = 0.7  # curvature of Z, relative to that where all examples have the same probabilities
RIDGE = 1e-12  # of each diagonal entry, for features that are combinations of others
LEAST_VALUE = 2.0**-50  # of the mean eigenvalue of S: below, rounding decides
OFF_DIAGONAL = 1e-15  # of the largest entry, after them
NEGLIGIBLE = 2.0**-100  # of the diagonal: such an entry does not change it
SWEEPS = 30  # of Jacobi's method


def is_diagonal(objective: SoftmaxObjective, k: int) -> bool:
    """Whether only a diagonal pays: the factors of G take longer than some dozens of passes."""
    n, m = objective.examples.shape
    if (n + 1) * k <= DENSE:
        return False
    X: Any = objective.examples.values
    width = X.width if objective.examples.is_sparse else n
    return n > MOST_FEATURES or n**3 > PASSES * 12 * m * width


class Diagonal:
    """The diagonal of the Hessian, of all examples: a sample lacks features that are rare.

    It is by w and b + mu'w, with mu the mean of the features, because counts are not negative: a
    set of texts took 22 passes that way, and 85 without. Where b stays, the curvature along mu is
    added instead, if it is above that of noise (Marchenko and Pastur): other texts took 58 passes
    that way, and 79 without. The squares of sparse X are about 0, and so are those of X where b
    stays.
    """

    is_exact = False  # so the gap it predicts is too small where features are correlated

    def __init__(
        self,
        objective: SoftmaxObjective,
        theta: NDArray[np.float64],
        l2: float | NDArray[np.float64],
        *,
        total: float,  # of the weights
        fixed_b: bool,
    ) -> None:
        w, b = theta[:-1].copy(), theta[-1].copy()
        centre = np.zeros(len(w))
        X: Any = objective.examples.values
        if objective.examples.is_sparse:
            mu = X.means(objective.sample_weight)
        else:
            mu = objective.in_float64().standardize(scale=False)[0].copy()
            centre = centre if fixed_b else mu
        D, d = objective.softmax_curvature(w, b, centre)
        D = D / total + np.reshape(l2, (-1, 1))
        least = max(LEAST_SHARE * float(D.max(initial=0.0)), 2.0**-1000)
        self._inverse = np.divide(1.0, D, where=D > least, out=np.full_like(D, 0.0))
        self._mu, self._fixed_b = mu[:, np.newaxis], fixed_b
        self._inverse_b = total / np.maximum(d, 2.0**-500)
        if fixed_b:  # Sherman and Morrison's formula
            self._of_mean = self._mu * self._inverse
            along = np.add.reduce(self._of_mean * self._mu, 0)
            self._of_mean /= np.sqrt(self._inverse_b + along)
            n, m = objective.examples.shape
            self._of_mean *= along > self._inverse_b * (1.0 + math.sqrt(n / m)) ** 2

    def solve(self, gradient: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the step that the gradient becomes, up to its sign."""
        step = np.empty_like(gradient)
        of_w, of_b = gradient[:-1], gradient[-1]
        if self._fixed_b:
            share = np.add.reduce(self._of_mean * of_w, 0)
            step[:-1] = self._inverse * of_w - self._of_mean * share
            step[-1] = 0.0
        else:
            step[:-1] = self._inverse * (of_w - self._mu * of_b)
            step[-1] = of_b * self._inverse_b - np.add.reduce(self._mu * step[:-1], 0)
        return step


class Factor:
    """Makes steps of gradients, (n_x + 1, K) both."""

    is_exact = True

    def __init__(
        self,
        objective: SoftmaxObjective,
        theta: NDArray[np.float64],
        l2: float | NDArray[np.float64],  # of all features, or of each
        *,
        fixed_b: bool,
        is_rough: bool = False,
        whole: SoftmaxObjective | None = None,
    ) -> None:
        """Factor the Hessian at theta; of a sample, `whole` are all examples."""
        n, k = theta.shape
        self._objective, self._fixed_b, self._is_rough = objective, fixed_b, is_rough
        self.l2 = l2
        w, b = theta[:-1].copy(), theta[-1].copy()
        A = objective.softmax_predict(w, b, probabilities=True)
        weight = objective.sample_weight
        s = np.ones(len(A)) if weight is None else weight.astype(np.float64)
        self._total = float(np.add.reduce(s))
        self._s = s / self._total
        self._A, self._at = A, (w, b)
        spread = np.maximum(1.0 - np.add.reduce(A * A, 1), 0.0)
        centre = np.zeros(n - 1)
        if n > 1 and not objective.examples.is_sparse:
            centre = objective.in_float64().standardize(scale=False)[0].copy()
        G, self._mu, S = objective.gram(self._s * spread, centre)
        G = G + np.tril(G, -1).T
        if fixed_b:  # x itself, and no row for b
            G += S * (self._mu[:, np.newaxis] * self._mu)
            self._mu = np.zeros_like(self._mu)
        self.centre = np.zeros_like(centre) if objective.examples.is_sparse else self._mu
        self._revived = np.zeros((k, n))
        if whole is not None and whole is not objective:
            self._revive(whole, np.diagonal(G))
        G[np.diag_indices(n - 1)] += np.add.reduce(self._revived[:, :-1], 0)
        self._G, self._S = G, max(S, 2.0**-500)
        of_each = np.broadcast_to(np.reshape(l2, (-1, 1)), (n - 1, 1))
        self._of_common = np.divide(1.0, of_each, where=of_each > 0.0, out=np.zeros((n - 1, 1)))
        shares = np.add.reduce(A * self._s[:, np.newaxis])
        alike = S / max(1.0 - float(np.add.reduce(shares * shares)), 2.0**-500)
        if theta.size <= DENSE and not (is_rough and alike > ALIKE):
            self._make_dense(k, l2)
        else:
            self._make_kronecker(k, l2)

    def _revive(self, whole: SoftmaxObjective, of_sample: NDArray[np.float64]) -> None:
        """Give features that are constant in the sample the curvature that all examples make.

        Otherwise they would never be moved, nor be part of the gap.
        """
        constant = of_sample <= CONSTANT * self._mu * self._mu
        if constant.any():
            total = math.fsum(whole.tally(len(self._revived)).shares)
            D, _ = whole.softmax_curvature(*self._at, self.centre)
            self._revived[:, :-1][:, constant] = D[constant].T / total

    def solve(self, gradient: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the step that the gradient becomes, up to its sign."""
        k = gradient.shape[1]
        common = np.add.reduce(gradient, 1, keepdims=True) / k
        moved = gradient - common  # by w and by b + mu'w
        moved[:-1] -= self._mu[:, np.newaxis] * moved[-1]
        step = self._solve(moved)
        if self._fixed_b:
            step[-1] = 0.0
        else:
            step[-1] -= np.add.reduce(step[:-1] * self._mu[:, np.newaxis], 0)
        step -= np.add.reduce(step, 1, keepdims=True) / k
        step[:-1] += self._of_common * common[:-1]
        return step

    def _make_dense(self, k: int, l2: float | NDArray[np.float64]) -> None:
        n = len(self._mu) + 1
        everywhere = np.zeros((n, n))  # the direction that J does not depend on
        everywhere[:-1, :-1] = self._G / k
        everywhere[-1, -1] = self._S / k
        penalty = self._revived.copy()
        penalty[:, :-1] += np.broadcast_to(np.reshape(l2, (1, -1)), (k, n - 1))

        def hessian() -> NDArray[np.float64]:
            H = self._hessian()
            H += everywhere[np.newaxis, :, np.newaxis]
            if self._fixed_b:  # a b that stays does not make up for any change of w
                H[:, -1, :, :-1] = H[:, :-1, :, -1] = 0.0
            return H.reshape(k * n, k * n)

        self._L, self._unit = self._factored(hessian, penalty.ravel())
        self._solve = self._solve_dense

    def _hessian(self) -> NDArray[np.float64]:
        """Return the blocks.

        A rough factor leaves out, for each pair of classes, the examples of dense X that are hardly
        ever either of them. Of these the diagonal entries are kept, as no feature can do without.
        """
        if self._objective.examples.is_sparse or not self._is_rough:
            return self._objective.softmax_hessian(self._A, self._s, self._mu)
        H = self._objective.softmax_hessian(self._A, self._s, self._mu, least=LEAST_WEIGHT)
        D, d = self._objective.softmax_curvature(*self._at, self._mu)
        diagonal = np.einsum("kiki->ki", H)
        np.maximum(diagonal, np.vstack([D, d]).T / self._total, out=diagonal)
        return H

    def _solve_dense(self, gradient: NDArray[np.float64]) -> NDArray[np.float64]:
        x = np.ascontiguousarray(gradient.T).ravel() * self._unit
        self._back(self._L, x)
        return np.ascontiguousarray((x * self._unit).reshape(gradient.shape[::-1]).T)

    def _make_kronecker(self, k: int, l2: float | NDArray[np.float64]) -> None:
        rows = [np.add.reduce(self._A * (self._s * self._A[:, a])[:, np.newaxis]) for a in range(k)]
        S = np.diag(np.add.reduce(self._A * self._s[:, np.newaxis])) - np.array(rows)
        scale = float(np.trace(S)) / (k - 1) or 1.0
        self._values, self._vectors = eigen(S)
        self._values = np.maximum(self._values, LEAST_VALUE * scale)
        G = self._G / self._S
        self._factors = []
        for value in self._values.tolist():
            L, unit = self._factored(partial(np.multiply, value, G), np.broadcast_to(l2, len(G)))
            self._factors.append((L, unit))
        self._solve = self._solve_kronecker

    def _solve_kronecker(self, gradient: NDArray[np.float64]) -> NDArray[np.float64]:
        rotated = _times(gradient, self._vectors)
        step = np.empty_like(rotated)
        for k, (L, unit) in enumerate(self._factors):
            x = rotated[:-1, k] * unit
            self._back(L, x)
            step[:-1, k] = x * unit
            step[-1, k] = rotated[-1, k] / self._values[k]
        return _times(step, self._vectors.T)

    def _factored(
        self, make: Callable[[], NDArray[np.float64]], penalty: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the Cholesky factor of H + diag(penalty), with a unit diagonal, and its scales.

        H is what `make` returns. It is large, so it is factored in place, and made anew if need be.
        """
        ridge = RIDGE
        while True:
            L = make()
            diagonal = np.diagonal(L) + penalty
            floor = max(float(diagonal.max(initial=0.0)) * 2.0**-900, 2.0**-1000)
            unit = 1.0 / np.sqrt(np.maximum(diagonal, floor))
            unit[diagonal <= floor] = 0.0  # a feature that is 0 throughout
            L *= unit
            L *= unit[:, np.newaxis]
            np.fill_diagonal(L, 1.0 + ridge)
            if len(L) == 0 or self._objective.cholesky(L, LEAST_PIVOT) == 0:
                return L, unit
            ridge *= 10.0

    @staticmethod
    def _back(L: NDArray[np.float64], x: NDArray[np.float64]) -> None:
        _kernel.solve_lower(L, len(x), x)
        _kernel.solve_upper(L, len(x), x)


def _times(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return a b, in an order that NumPy fixes."""
    return np.stack([np.add.reduce(a * column, 1) for column in b.T], 1)


def eigen(S: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the eigenvalues and eigenvectors of a symmetric matrix, by Jacobi's method.

    LAPACK's have other bits on other machines.
    """
    n = len(S)
    S, V = S.copy(), np.eye(n)
    order = np.arange(n + n % 2)  # in which all pairs meet: one stays, the others go around
    half = len(order) // 2
    for _ in range(SWEEPS):
        off = float(np.abs(S - np.diag(np.diagonal(S))).max(initial=0.0))
        if off <= OFF_DIAGONAL * float(np.abs(S).max(initial=0.0)):
            break
        for _ in range(len(order) - 1):
            pairs = order[:half], order[: half - 1 : -1]
            paired = np.maximum(*pairs) < n
            _rotate(S, V, pairs[0][paired], pairs[1][paired])
            order = np.concatenate([order[:1], order[-1:], order[1:-1]])
    return np.diagonal(S).copy(), V


def _rotate(
    S: NDArray[np.float64], V: NDArray[np.float64], p: NDArray[np.intp], q: NDArray[np.intp]
) -> None:
    """Make S[p, q] zero, for disjoint pairs (Golub and Van Loan, Matrix Computations, 8.5)."""
    tau = np.full(len(p), math.inf)  # of entries that turn nothing
    counts = np.abs(S[p, q]) > NEGLIGIBLE * (np.abs(S[p, p]) + np.abs(S[q, q]))
    np.divide(S[q, q] - S[p, p], 2.0 * S[p, q], out=tau, where=counts)
    t = np.copysign(1.0, tau) / (np.abs(tau) + np.sqrt(1.0 + tau * tau))
    c = 1.0 / np.sqrt(1.0 + t * t)
    s = t * c
    c, s = c[:, np.newaxis], s[:, np.newaxis]
    for M in S, S.T, V.T:
        x, y = M[p], M[q]
        M[p], M[q] = c * x - s * y, s * x + c * y
