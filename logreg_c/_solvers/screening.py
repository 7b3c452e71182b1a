# SPDX-License-Identifier: BSD-3-Clause
"""Which features a pass need not read: those whose slope is certain to be below their l1 penalty.

The slope of J by the w of a feature is a product of that feature with the residuals A - Y. Where
residuals are a combination of earlier ones and a rest, the slope is the same combination of earlier
slopes, give or take the length of the feature times that of the rest (Cauchy and Schwarz). Along a
path the rest is small, since residuals change almost as they did before.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from logreg_c._objective import Objective

    Vector = NDArray[np.float64]

ROUNDING = 1e-12  # of a squared length that is a difference of others
ALIKE = 1e-6  # squared sine of the angle between residuals, below which they count as parallel
SURE = 1.0 - 1e-9  # share of the l1 penalty
# With fewer values of X or features, a pass over all costs no more than what screening takes.
FEWEST_VALUES, FEWEST_FEATURES = 2**23, 256


def screening_pays(objective: Objective) -> bool:
    """Whether X is large, and a feature can be read without the others."""
    n_x, m = objective.examples.shape
    is_large = n_x >= FEWEST_FEATURES and n_x * m >= FEWEST_VALUES
    return is_large and objective.in_memory and objective.in_columns


class Screening:
    """The slopes of all features at two points, and how far they bound those at others.

    Parameters
    ----------
    objective : Objective
        Of all features, each of which can be read without the others.
    centre, square : ndarray of shape (n_x,)
        The mean of each feature, or 0 without an intercept, and the mean square about it.
    total : float
        The sum of the weights.
    """

    def __init__(
        self, objective: Objective, centre: Vector, square: Vector, total: float, *, intercept: bool
    ) -> None:
        self._objective = objective
        self._centre = centre if intercept else np.zeros_like(centre)
        self._length = np.sqrt(square / total)
        self._intercept = intercept
        self._residuals: list[Vector] = []  # of the last point and the one before
        self._slopes: list[Vector] = []  # about the centre
        self._read = 0  # features that had to be read since then

    def everything(
        self, part: Objective, chosen: NDArray[np.intp], w: Vector, b: float, l1: Vector
    ) -> tuple[float, Vector, float]:
        """Return J, dw and db; dw of a feature that has no reason to move is an estimate.

        `part` has the chosen features, among them all whose w is not 0.
        """
        kept = np.flatnonzero(w)
        A = self._objective.features(kept).predict(w[kept], b, probabilities=True)
        residual = A[0] - self._objective.Y
        estimate, radius = self._bounded(residual)
        is_near = np.abs(estimate) + radius >= SURE * l1
        is_near[chosen] = True
        near = np.flatnonzero(is_near)
        self._read += near.size - chosen.size
        if self._read >= w.size - chosen.size:
            J, dw, db = self._objective(w, b, 0.0)
            self._residuals = [residual, *self._residuals[:1]]
            self._slopes = [dw - db * self._centre, *self._slopes[:1]]
            self._read = 0
            return J, dw, db
        if near.size > chosen.size:
            part = self._objective.features(near)
        J, dw, db = part(w[near], b, 0.0)
        whole = estimate + db * self._centre
        whole[near] = dw
        return J, whole, db

    def _bounded(self, residual: Vector) -> tuple[Vector, Vector]:
        """Return slopes about the centre, and how far they may be off."""
        if not self._residuals:
            return np.zeros_like(self._length), np.full_like(self._length, math.inf)
        G = self._objective.products([residual, *self._residuals], centred=self._intercept)
        shares = _shares(G)
        used = np.array([1.0, *(-share for share in shares)])
        k = used.size
        terms = (used[:, np.newaxis] * used) * G[:k, :k]
        rest = math.fsum(terms.ravel().tolist())
        rest += ROUNDING * math.fsum(np.abs(terms).ravel().tolist())
        estimate = np.zeros_like(self._length)
        for share, slopes in zip(shares, self._slopes, strict=False):
            estimate += share * slopes
        return estimate, self._length * math.sqrt(max(rest, 0.0))


def _shares(G: Vector) -> list[float]:
    """Return by how much the vectors after the first, of these products, make up the first."""
    if G[1, 1] <= 0.0:
        return [0.0]
    if len(G) == 3:
        determinant = G[1, 1] * G[2, 2] - G[1, 2] * G[1, 2]
        if determinant > ALIKE * G[1, 1] * G[2, 2]:
            first = (G[0, 1] * G[2, 2] - G[0, 2] * G[1, 2]) / determinant
            return [float(first), float((G[0, 2] * G[1, 1] - G[0, 1] * G[1, 2]) / determinant)]
    return [float(G[0, 1] / G[1, 1])]
