# SPDX-License-Identifier: BSD-3-Clause
"""Weights of samples and of classes, and the strength of the penalty relative to them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.utils.class_weight import compute_class_weight

from .samples import refuse_masked

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Sums of weights, and their products with values, keep all their digits above.
SMALL_SUM = 1e-200


def weights_of(
    Y: NDArray[Any], classes: NDArray[Any], class_weight: Any, sample_weight: Any
) -> Any:
    """Return the weights of the samples times the weights of their classes."""
    if sample_weight is not None:
        sample_weight = _sample_weight(sample_weight, Y.size)
    if class_weight is None:
        return sample_weight
    counts = np.bincount(Y, weights=sample_weight, minlength=len(classes))
    of_class = weights_of_classes(classes, class_weight, counts)
    weights: NDArray[np.float64] = of_class[Y.astype(np.intp)]
    if sample_weight is None:
        return weights
    with np.errstate(over="ignore"):
        weights = weights * sample_weight
    if not (np.isfinite(weights).all() and weights.any()):
        msg = (
            "class_weight times sample_weight is 0 for every sample, or overflows float64; "
            "expected finite weights, at least one > 0: change the weights of the classes"
        )
        raise ValueError(msg)
    return weights


def weights_of_classes(
    classes: NDArray[Any], class_weight: Any, counts: NDArray[Any]
) -> NDArray[np.float64]:
    """Return the weight of each class; `counts` are the sums of the weights of their samples."""
    if isinstance(class_weight, str):
        if not counts.all():
            msg = (
                f"class {classes[int(counts.argmin())]} has only samples of weight 0; "
                "class_weight='balanced' expects a positive sum of weights for every class"
            )
            raise ValueError(msg)
        balanced: NDArray[np.float64] = counts.sum() / (len(classes) * counts)
        return balanced
    of_class: NDArray[np.float64] = compute_class_weight(
        class_weight, classes=classes, y=classes
    ).astype(np.float64)
    if not of_class.any():
        msg = "class_weight is 0 for every class; expected a weight > 0 for at least one"
        raise ValueError(msg)
    return of_class


def _sample_weight(value: Any, m: int) -> NDArray[Any]:
    """Return the weights of m samples; a single number is the weight of all."""
    refuse_masked(value, "sample_weight")
    weights = np.asarray(value)
    if weights.dtype.kind not in "fiub":
        try:
            weights = weights.astype(
                np.float64, casting="unsafe" if weights.dtype.kind in "OUS" else "safe"
            )
        except (TypeError, ValueError) as error:
            msg = f"sample_weight does not contain only numbers: {error}; expected numbers"
            raise ValueError(msg) from None
    if weights.ndim == 0:
        weights = np.broadcast_to(weights, m)
    if weights.shape == (m, 1):
        weights = weights[:, 0]
    if weights.shape != (m,):
        msg = (
            f"sample_weight has shape {weights.shape}; expected ({m},), one weight per sample, or "
            "a single number"
        )
        raise ValueError(msg)
    bad = np.flatnonzero(~((weights >= 0) & (weights < np.inf)))
    if bad.size:
        msg = (
            f"sample_weight is {weights[bad[0]]} at sample {bad[0]}; expected finite weights >= 0. "
            "Weight 0 leaves a sample out"
        )
        raise ValueError(msg)
    if not weights.any():
        msg = "sample_weight is zero at every sample; expected a positive sum"
        raise ValueError(msg)
    return weights


def penalized(C: float, weights: Any, m: int) -> tuple[Any, float]:
    """Return the weights of m samples, rescaled if their sum is extreme, and l2."""
    total, unit = float(m), 1.0
    if weights is not None:
        with np.errstate(over="ignore"):
            total = float(weights.sum(dtype=np.float64))
        if not SMALL_SUM <= total <= 1.0 / SMALL_SUM:
            unit = float(weights.max())
            weights = weights / unit  # does not change J
            total = float(weights.sum(dtype=np.float64))
    return weights, l2_of(C, total, unit)


def l2_of(C: float, total: float, unit: float = 1.0) -> float:
    """Return 1 / (C sum(s)), where the weights s are `unit` times weights that sum to `total`."""
    strength = C * unit * total
    l2 = 1.0 / strength if strength > 0.0 else math.inf
    if l2 == math.inf:
        msg = (
            f"C is {C} and the weights sum to {total * unit}; expected a product whose reciprocal, "
            "the strength of the penalty, fits into float64: choose a larger C"
        )
        raise ValueError(msg)
    return l2
