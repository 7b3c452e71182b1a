# SPDX-License-Identifier: BSD-3-Clause
"""Exceptions and warnings of training, in addition to the built-in ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class DivergenceError(ArithmeticError):
    """Finite data, but the descent left the range of float64.

    Attributes
    ----------
    iteration : int
        The iteration that could not be completed, counted from 0.
    w : ndarray of shape (n_x, 1)
    b : float
        The last weights and bias that are finite.
    costs : ndarray
        Every cost computed before, all of them finite.
    """

    __module__ = "logreg_c"

    def __init__(
        self,
        message: str,
        iteration: int,
        w: NDArray[np.float64],
        b: float,
        costs: NDArray[np.float64],
    ) -> None:
        super().__init__(message)
        self.iteration = iteration
        self.w = w
        self.b = b
        self.costs = costs

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), (str(self), self.iteration, self.w, self.b, self.costs)


class DivergenceWarning(RuntimeWarning):
    """The cost rose in a notable share of the iterations, or ended above its lowest value."""

    __module__ = "logreg_c"


class ConvergenceWarning(RuntimeWarning):
    """What `fit` returns is not the minimum: none exists, or it takes more passes."""

    __module__ = "logreg_c"


class TrainingInterrupted(KeyboardInterrupt):
    """Ctrl-C during training.

    Attributes
    ----------
    w : ndarray of shape (n_x, 1)
    b : float
        Weights and bias after the last completed iteration.
    costs : ndarray
        The cost of every completed iteration.
    """

    __module__ = "logreg_c"

    def __init__(
        self, message: str, w: NDArray[np.float64], b: float, costs: NDArray[np.float64]
    ) -> None:
        super().__init__(message)
        self.w = w
        self.b = b
        self.costs = costs

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), (str(self), self.w, self.b, self.costs)
