# SPDX-License-Identifier: BSD-3-Clause
"""The minimum of a model of J whose Hessian is not formed: sparse X with many features."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from logreg_c._objective import Objective

    from .penalty import Penalty

    Vector = NDArray[np.float64]

LEFT = 0.1  # share of the gain of a model that its next one may find instead


class Columns:
    """Sparse X by feature, which takes 20 bytes for each value that is stored.

    Parameters
    ----------
    objective : Objective
        Of sparse X.
    total : float
        The sum of the weights.
    intercept : bool
    """

    def __init__(self, objective: Objective, total: float, *, intercept: bool) -> None:
        self._objective = objective
        self._columns = objective.by_feature()
        self._total = total
        self._intercept = intercept

    def minimum(
        self,
        h: Vector,
        w: Vector,
        b: float,
        slopes: tuple[Vector, float],
        penalty: Penalty,
        enough: float,
    ) -> tuple[Vector, float, float]:
        """Return where the model at w and b has its minimum, and what that gains.

        `h` has the weights of its Hessian, and `slopes` are those of J by w and b. The minimum is
        about found; a gain of `enough` or less is what there is to gain.
        """
        dw, db = slopes
        v = w.copy()
        at, gain = self._objective.minimize_by_columns(
            self._columns,
            h,
            self._total,
            (dw + penalty.l2 * w, b, db),
            penalty,
            v,
            fixed_b=not self._intercept,
            tol=LEFT,
            enough=enough,
        )
        return v, at, gain
