# SPDX-License-Identifier: BSD-3-Clause
"""Measures of predicted probabilities, in too few lines to justify scikit-learn and SciPy.

A is the probability of each example, (m,), and Y its label, (m,), bool.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


class Curves(NamedTuple):
    """Counts for each threshold, from the highest A to the lowest; (k,) each."""

    true_positives: Array  # rows of the second class with A >= threshold
    positives: Array  # all rows with A >= threshold

    @property
    def roc(self) -> tuple[Array, Array]:
        """False positive rate and true positive rate, from (0, 0) to (1, 1)."""
        false_positives = self.positives - self.true_positives
        return _from_0(false_positives / false_positives[-1]), _from_0(self.recall)

    @property
    def recall(self) -> Array:
        """Fraction of the second class that is predicted as such."""
        share: Array = self.true_positives / self.true_positives[-1]
        return share

    @property
    def precision(self) -> Array:
        """Fraction of the rows predicted as the second class that belong to it."""
        share: Array = self.true_positives / self.positives
        return share

    @property
    def roc_auc(self) -> float:
        """Area under the ROC curve: the share of pairs whose second class has the higher A."""
        x, y = self.roc
        return float(np.sum(np.diff(x) * (y[1:] + y[:-1])) / 2)

    @property
    def average_precision(self) -> float:
        """Precision, averaged over the steps of recall."""
        return float(np.sum(np.diff(_from_0(self.recall)) * self.precision))


def curves(A: Array, Y: NDArray[np.bool_]) -> Curves:
    """Use every value of A as a threshold; both classes must occur."""
    order = np.argsort(-A, kind="stable")
    last_of_equals = np.append(np.flatnonzero(np.diff(A[order])), len(A) - 1)
    found = np.cumsum(Y[order], dtype=np.float64)
    return Curves(found[last_of_equals], last_of_equals + 1.0)


def _from_0(values: Array) -> Array:
    return np.concatenate([[0.0], values])


def confusion(A: Array, Y: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Count rows by [class, predicted class]; the second class is predicted where A > 0.5."""
    return np.bincount(2 * Y + (A > 0.5), minlength=4).reshape(2, 2)


def brier(A: Array, Y: NDArray[np.bool_]) -> float:
    """Return the mean squared difference between A and Y."""
    return float(np.mean((A - Y) ** 2))


def calibration(A: Array, Y: NDArray[np.bool_], bins: int = 10) -> tuple[Array, Array, Array]:
    """Return mean A, fraction of the second class, and rows, for each bin of [0, 1] with rows."""
    part = np.minimum((A * bins).astype(np.int64), bins - 1)
    rows = np.bincount(part, minlength=bins)
    some = rows > 0
    mean = np.bincount(part, weights=A, minlength=bins)[some] / rows[some]
    share = np.bincount(part, weights=Y, minlength=bins)[some] / rows[some]
    return mean, share, rows[some].astype(np.float64)
