# SPDX-License-Identifier: BSD-3-Clause
"""A bound on the curvature of J, which gives a step with which descent converges.

With a row of ones under X for b, written X~, and weights s that sum to S, the Hessian of the mean
loss is X~ diag(s a (1 - a)) X~' / S. As a (1 - a) <= 1/4, with equality at w = 0, b = 0, it is
nowhere above

    H = X~ diag(s) X~' / (4 S)

so the gradient of J is Lipschitz with L = lambda_max(H) + l2, and descent with alpha = 1 / L lowers
J at every iteration, by at least alpha/2 |dJ|^2, from wherever it starts: it converges (Nesterov,
Lectures on Convex Optimization, section 2.1.5).

The trace of H, which the moments of the features give, bounds lambda_max from above, but can be n_x
times too large. A few steps of Lanczos' method make it sharper and keep it a bound. Let V be the
orthonormal basis after k of them, T = V'HV (tridiagonal), beta q = H v_k less its part within V,
and t = trace H - trace T, the trace of H on what is orthogonal to V. There H is positive
semidefinite, so it is at most t. Hence for x = V c + u, with u orthogonal to V,

    x'Hx <= c'Tc + 2 beta |c_k| |u| + t |u|^2

and lambda_max(H) is at most the largest eigenvalue of T bordered by beta and t.

H v costs one pass: with labels of 1/2 the gradient of the loss is 0 at w = 0, b = 0, and its
derivative there is H, so that at (w, b) = epsilon v it is epsilon H v, but for a share of z^2 / 12.

A step from the bound has the same bits everywhere, as all results have. So nothing here calls BLAS,
LAPACK or a sum of NumPy, whose order of operations depends on the machine.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from logreg_c._objective import Objective

STEPS = 10
# A bound this close to the largest eigenvalue is not worth another pass.
SHARP = 1.1
# Covers the rounding of the passes, about 1e-9 of the trace; bisection ends at it too.
ROUNDING = 1e-6


def curvature_bound(objective: Objective, *, standardize: bool, fixed_b: bool) -> float:
    """Return a bound on lambda_max(H), for the features that `descend` works on.

    It is computed in float64, whichever arithmetic descends: H is the same, and float32 may not
    hold its trace.
    """
    n_x, m = objective.examples.shape
    objective = objective.in_float64(Y=np.broadcast_to(0.5, m))
    diagonal = _diagonal_of_h(objective, standardize=standardize, fixed_b=fixed_b)
    trace = _sum(diagonal)
    if trace == 0.0:  # J is constant, and any step will do
        return 1.0
    if trace == math.inf:
        msg = (
            "squares of X overflow float64, and no alpha is small enough for them: pass "
            "standardize=True, or rescale X"
        )
        raise OverflowError(msg)
    epsilon = _epsilon(trace, _spread_of_weights(objective))

    def product(v: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return H v in units of the trace, whose square could overflow."""
        _, dw, db = objective(epsilon * v[:n_x], epsilon * v[n_x], 0.0)
        return np.append(dw, 0.0 if fixed_b else db) / epsilon / trace

    return _bound_by_lanczos(product, np.sqrt(diagonal / trace)) * trace


def _diagonal_of_h(
    objective: Objective, *, standardize: bool, fixed_b: bool
) -> NDArray[np.float64]:
    """Return the diagonal of H, and have the objective see the features that it is about."""
    mean, _, sd = objective.standardize(centre=standardize and not fixed_b, scale=standardize)
    if standardize:
        varies = sd > 0.0
        sd = np.where(varies, sd, 1.0)
        squares = varies + (mean / sd) ** 2 * fixed_b
    else:
        with np.errstate(over="ignore"):
            squares = mean**2 + sd**2
    return np.append(squares, float(not fixed_b)) / 4.0


def _spread_of_weights(objective: Objective) -> float:
    """Return the sum of the weights in units of the smallest positive one."""
    if objective.sample_weight is None:
        return float(objective.examples.shape[1])
    positive = objective.sample_weight[objective.sample_weight > 0]
    with np.errstate(over="ignore"):
        return _sum(positive.astype(np.float64)) / float(positive.min())


def _epsilon(trace: float, spread: float) -> float:
    """Return how far from w = 0 to evaluate the gradient.

    |x~|^2 of example i is at most 4 trace S / s_i, so every |z| is below 2^-12 (if the weights do
    not differ by more than 10^9).
    """
    return max(2.0**-12 / math.sqrt(4.0 * trace * spread), 2.0**-40 / math.sqrt(trace))


def _bound_by_lanczos(
    product: Callable[[NDArray[np.float64]], NDArray[np.float64]], start: NDArray[np.float64]
) -> float:
    """Return a bound on the largest eigenvalue of a matrix of trace 1, from its products."""
    basis = [start]
    on: list[float] = []
    off: list[float] = []
    while True:
        image = product(basis[-1])
        on.append(_sum(basis[-1] * image))
        for _ in range(2):  # the first time leaves a rounding error
            for v in basis:
                image -= v * _sum(v * image)
        off.append(math.sqrt(_sum(image * image)))
        left = max(1.0 - math.fsum(on), 0.0)
        bound = _largest_eigenvalue([*on, left], off)
        reached = _largest_eigenvalue(on, off[:-1])
        if len(on) == STEPS or bound <= SHARP * reached or off[-1] <= ROUNDING:
            return bound * (1.0 + ROUNDING)
        basis.append(image / off[-1])


def _sum(values: NDArray[np.float64]) -> float:
    """Add the second half to the first until one value is left."""
    while values.size > 1:
        half = (values.size + 1) // 2
        folded = values[:half].copy()
        folded[: values.size - half] += values[half:]
        values = folded
    return float(values[0])


def _largest_eigenvalue(diagonal: Sequence[float], off_diagonal: Sequence[float]) -> float:
    """Return a number just above the eigenvalues of a symmetric tridiagonal matrix, by bisection.

    A number is above them all exactly if every pivot of it minus the matrix is positive.
    """
    sides = [0.0, *off_diagonal, 0.0]
    low = max(diagonal)
    high = max(d + sides[j] + sides[j + 1] for j, d in enumerate(diagonal))
    while high - low > ROUNDING * high:
        middle = low + (high - low) / 2.0
        pivot = math.inf
        for d, side in zip(diagonal, sides[:-1], strict=True):
            pivot = middle - d - side * side / pivot
            if pivot <= 0.0:
                low = middle
                break
        else:
            high = middle
    return high
