# SPDX-License-Identifier: BSD-3-Clause
"""Penalties on w, l1 and l2, and bounds: their value, and what the slope of J gains under them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Vector = NDArray[np.float64]


class Penalty(NamedTuple):
    """The penalty sum(l1 |w| + l2/2 w^2), with w within its bounds; all arrays are (n_x,)."""

    l1: Vector
    l2: Vector
    lower: Vector
    upper: Vector

    @classmethod
    def of(cls, factors: Vector, l1: float, l2: float, lower: Vector, upper: Vector) -> Penalty:
        """Return the penalty of two strengths, multiplied by a factor for each feature."""
        return cls(l1 * factors, l2 * factors, lower, upper)

    def value(self, w: Vector) -> float:
        """Return the penalty of w (n_x,)."""
        kept = np.flatnonzero(w)
        l1, l2, w = self.l1[kept], self.l2[kept], w[kept]
        return math.fsum((l1 * np.abs(w) + l2 / 2.0 * w * w).tolist())

    def within(self, w: Vector) -> Vector:
        """Return the nearest w within the bounds."""
        return np.minimum(np.maximum(w, self.lower), self.upper)

    def unheld(self, w: Vector) -> Vector:
        """Return the direction in which w may grow without end: 0 where it is held back."""
        held = (self.l1 > 0.0) | (self.l2 > 0.0)
        held |= np.isfinite(np.where(w > 0.0, self.upper, self.lower))
        return np.where(held, 0.0, w)

    def descent(self, w: Vector, slope: Vector) -> Vector:
        """Return the steepest slope down of each w; `slope` is that of J and of the l2 penalty.

        All are 0 at the minimum, and nowhere else.
        """
        up = np.where(w < 0.0, -slope + self.l1, -slope - self.l1)
        down = np.where(w > 0.0, slope + self.l1, slope - self.l1)
        up[w >= self.upper] = 0.0
        down[w <= self.lower] = 0.0
        return np.maximum(np.maximum(up, down), 0.0)

    def of_features(self, chosen: NDArray[np.intp]) -> tuple[Vector, Vector, Vector]:
        """Return the l1 penalty and the bounds of some features."""
        return self.l1[chosen], self.lower[chosen], self.upper[chosen]
