# SPDX-License-Identifier: BSD-3-Clause
"""Predictions for examples that have been checked, of one output or of several classes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from . import _input
from ._objective import Objective, SoftmaxObjective

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ._input import Examples


def outputs_of(
    examples: Examples,
    w: Any,
    b: Any,
    *,
    probabilities: bool,
    n_threads: int | None,
    example_major: bool | None = None,
) -> NDArray[np.float64]:
    """Return A, or else Z, of shape (1, m), or (K, m) with K classes."""
    threads = _input.threads(n_threads)
    if _input.several_outputs(w, b):
        weights, biases = _input.matrices(w, b, examples)
        softmax = SoftmaxObjective(examples._replace(float32=False), None, None, threads)
        return softmax.softmax_predict(weights, biases, probabilities=probabilities).T
    weights = _input.coefficients(w, examples)
    objective = Objective(examples, None, None, threads, example_major=example_major)
    return objective.predict(weights, _input.number(b, "b"), probabilities=probabilities)


def threshold_for(w: Any, b: Any, threshold: Any) -> float | None:
    """Check a threshold; return None with several classes, which have none."""
    limit = _input.probability(threshold, "threshold")
    if not _input.several_outputs(w, b):
        return limit
    if limit != 0.5:
        msg = f"threshold is {limit!r} and Y has several classes; the largest probability decides"
        raise ValueError(msg)
    return None


def labels_of(outputs: NDArray[np.float64], threshold: float | None) -> NDArray[np.int64]:
    """Return labels (1, m), where the probabilities were, or classes of the largest output."""
    if threshold is None:
        classes: NDArray[np.int64] = np.argmax(outputs, 0, keepdims=True)
        return classes
    A = outputs[0]
    labels: NDArray[np.int64] = A.view(np.int64)  # which are as large
    for first in range(0, A.size, _input.COPIED_AT_ONCE):  # between pieces Ctrl-C is answered
        piece = slice(first, first + _input.COPIED_AT_ONCE)
        labels[piece] = A[piece] > threshold
    return labels[np.newaxis]
