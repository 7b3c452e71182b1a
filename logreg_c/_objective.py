# SPDX-License-Identifier: BSD-3-Clause
"""The cost and its gradient over examples that are checked once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from . import _check, _kernel
from ._training import standardize_features

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


class Objective:
    """The cost and its gradient at one w, b after another, over examples that are checked once."""

    def __init__(
        self,
        examples: _check.Examples,
        Y: ArrayLike,
        *,
        sample_weight: ArrayLike | None,
        n_threads: int | None,
    ) -> None:
        self.examples = examples
        self._problem = _kernel.Problem(
            self.examples.values,
            _check.labels(Y, self.examples),
            _check.weights(sample_weight, self.examples),
            _check.threads(n_threads),
            self.examples.float32,
        )

    def standardize(self, *, centre: bool = True, scale: bool = True) -> NDArray[np.float64]:
        """Centre and scale features from now on.

        Returns mean, low-order part of mean, and deviation, (3, n_x), as they are in the data. A
        deviation that is written to is what the feature is divided by. A constant feature that is
        not centred is divided by 1.
        """
        n_x = self.examples.shape[0]
        status, moments = standardize_features(self._problem, n_x, centre=centre, scale=scale)
        if status != _kernel.OK:
            _check.raise_if_nonfinite(self._problem, self.examples)
            msg = (
                "the mean or the variance of a feature leaves the range of float64: rescale X, say "
                "by its largest magnitude"
            )
            raise OverflowError(msg)
        return moments

    def __call__(
        self, w: NDArray[np.float64], b: float, l2: float
    ) -> tuple[float, NDArray[np.float64], float]:
        """J, dw and db at w (contiguous, of any shape) and b, of what the features now are."""
        dw = np.empty_like(w)
        status, J, db = self._problem.cost_and_gradient(w, b, l2, dw)
        if status != _kernel.OK:
            _check.raise_if_nonfinite(self._problem, self.examples)
            overflow = _check.overflow(self.examples)
            msg = f"Z = w.T X + b, or a sum over it, {overflow}, or make w and b smaller"
            raise OverflowError(msg)
        return J, dw, db
