# SPDX-License-Identifier: BSD-3-Clause
"""y: labels of any type, and their classes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.utils import assert_all_finite, check_array, column_or_1d
from sklearn.utils.multiclass import check_classification_targets

from .samples import refuse_masked

if TYPE_CHECKING:
    from numpy.typing import NDArray


def labels_of(y: Any) -> NDArray[Any]:
    """Return y as an array of labels of any type."""
    refuse_masked(y, "y")
    is_text = isinstance(y, (str, bytes))
    if is_text or not (hasattr(y, "shape") or isinstance(y, Sequence)):
        y = np.asarray(y)  # a set or an iterator becomes one object
    if getattr(y, "shape", None) == ():
        msg = (
            "y should be a 1d array, got a single value: expected an array with one label per "
            "sample"
        )
        raise ValueError(msg)
    array = check_array(y, ensure_2d=False, dtype=None, ensure_all_finite=False, input_name="y")
    labels: NDArray[Any] = column_or_1d(array, warn=True)
    first = _first_missing(labels)
    if first is not None:
        msg = (
            f"Input y contains NaN or a missing label: {labels[first]!r} at sample {first}; "
            "expected one label per sample: leave out the samples without one"
        )
        raise ValueError(msg)
    assert_all_finite(labels, input_name="y")
    return labels


def _first_missing(labels: NDArray[Any]) -> int | None:
    if labels.dtype.kind == "O":
        return next((i for i, label in enumerate(labels) if _is_missing(label)), None)
    missing = np.isnan(labels) if labels.dtype.kind in "fMm" else np.zeros(1, np.bool_)
    return int(missing.argmax()) if missing.any() else None


def _is_missing(label: object) -> bool:
    if isinstance(label, (float, np.floating, np.datetime64, np.timedelta64)):
        return bool(np.isnan(label))
    return label is None or type(label).__name__ in {"NAType", "NaTType"}


def encoded(y: NDArray[Any], solver: str) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return the classes, sorted, and y as their numbers: as bools where there are two."""
    classes = None
    if y.dtype.kind in "biuf":  # avoids sorting y
        classes = np.unique([y.min(), y.max()])
        if len(classes) == 2 and not ((y == classes[0]) | (y == classes[1])).all():
            classes = None
    if classes is None:
        try:
            classes = np.unique(y)
        except TypeError:
            kinds = ", ".join(sorted({type(label).__name__ for label in y}))
            msg = (
                f"Unknown label type: y holds labels of several types ({kinds}), which cannot be "
                "sorted; expected labels of one type, and no missing labels"
            )
            raise ValueError(msg) from None
    check_classification_targets(classes if len(classes) == 2 else y)
    if len(classes) < 2:
        msg = (
            "LogisticRegression needs samples of two classes, but the data contains only one "
            f"class: {classes[0]}"
        )
        raise ValueError(msg)
    if len(classes) == 2:
        return classes, y == classes[1]
    if solver == "liblinear":
        msg = (
            "The 'liblinear' solver does not support multiclass classification, and y has "
            f"{len(classes)} classes: pass solver='auto', or fit one model per class with "
            "sklearn.multiclass.OneVsRestClassifier"
        )
        raise ValueError(msg)
    return classes, np.searchsorted(classes, y).astype(np.int32)
