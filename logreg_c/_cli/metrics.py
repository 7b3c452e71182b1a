# SPDX-License-Identifier: BSD-3-Clause
"""Measures of predicted probabilities, in too few lines to justify scikit-learn and SciPy.

A is the probability of each example, (m,), and Y its label, (m,), bool.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


class Curves(NamedTuple):
    """Counts for each threshold, from the highest A to the lowest; (k,) each."""

    thresholds: Array  # the different values of A
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
    return Curves(A[order][last_of_equals], found[last_of_equals], last_of_equals + 1.0)


def _from_0(values: Array) -> Array:
    return np.concatenate([[0.0], values])


def auc_interval(auc: float, zeros: int, ones: int, z: float = 1.959964) -> tuple[float, float]:
    """Return a confidence interval (95%) of the area under the ROC curve.

    Method 5 of Newcombe, "Confidence intervals for an effect size measure based on the Mann-Whitney
    statistic. Part 2", Statistics in Medicine 25 (2006): the areas whose distance from the observed
    one is at most z standard errors by Hanley and McNeil's formula. Unlike an interval around the
    observed area, it has a width where that is 0 or 1.
    """
    half = (zeros + ones) / 2 - 1

    def is_near(x: float) -> bool:
        variance = x * (1 - x) * (1 + half * ((1 - x) / (2 - x) + x / (1 + x))) / (zeros * ones)
        return (x - auc) ** 2 <= z * z * variance

    return _last(is_near, auc, 0.0), _last(is_near, auc, 1.0)


def _last(holds: Callable[[float], bool], inside: float, end: float) -> float:
    """Bisect for the last point between `inside` and `end` at which a condition holds."""
    for _ in range(60):
        middle = (inside + end) / 2
        inside, end = (middle, end) if holds(middle) else (inside, middle)
    return inside


def best_threshold(curves: Curves, criterion: str) -> float:
    """Return the threshold that is best by f1, youden, or cost=FALSE_POSITIVE:FALSE_NEGATIVE.

    The F1 score is 2 TP / (2 TP + FP + FN), and Youden's index TP / P - FP / N (Youden, "Index for
    rating diagnostic tests", Cancer 3 (1950)). A threshold lies halfway between two probabilities.
    """
    found, positives = _from_0(curves.true_positives), _from_0(curves.positives)
    ones, rows = found[-1], positives[-1]
    false = positives - found
    if criterion == "f1":
        gain = 2 * found / (positives + ones)
    elif criterion == "youden":
        gain = found / ones - false / (rows - ones)
    else:
        of_positive, of_negative = map(float, criterion.removeprefix("cost=").split(":"))
        gain = -of_positive * false - of_negative * (ones - found)
    k = int(np.argmax(gain))
    above, below = np.append(1.0, curves.thresholds)[k], np.append(curves.thresholds, 0.0)[k]
    middle = float(below + (above - below) / 2)
    return middle if middle < above or k == 0 else float(below)


def confusion(A: Array, Y: NDArray[np.bool_], threshold: float = 0.5) -> NDArray[np.int64]:
    """Count rows by [class, predicted class]; the second is predicted where A > threshold."""
    return np.bincount(2 * Y + (A > threshold), minlength=4).reshape(2, 2)


def brier(A: Array, Y: NDArray[np.bool_]) -> float:
    """Return the mean squared difference between A and Y."""
    return float(np.mean((A - Y) ** 2))


def calibration(A: Array, Y: NDArray[np.bool_], bins: int = 10) -> tuple[Array, Array, Array]:
    """Return mean A, fraction of the second class, and rows, of bins of about as many rows each.

    Equal A are in one bin. Bins of equal width would have nearly all rows of a rare class in one.
    """
    part = np.searchsorted(np.sort(A), A) * bins // len(A)
    rows = np.bincount(part, minlength=bins)
    some = rows > 0
    mean = np.bincount(part, weights=A, minlength=bins)[some] / rows[some]
    share = np.bincount(part, weights=Y, minlength=bins)[some] / rows[some]
    return mean, share, rows[some].astype(np.float64)
