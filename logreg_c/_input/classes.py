# SPDX-License-Identifier: BSD-3-Clause
"""Y of several classes: numbers 0, 1, ... or one row per class; and w and b of several outputs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from logreg_c import _kernel

from .arrays import FLOAT64, copied, own_array
from .frame_types import values_of
from .scalars import LARGEST

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from .matrix import Examples

MANY = 1024  # classes; more only where there are as many examples: other integers are no classes
SUM_TO_1 = 1e-5  # give or take, of probabilities that may come from float32


def classes(
    value: Any, X: Examples, w: Any = None, *, soft: bool = False
) -> tuple[NDArray[Any], int] | None:
    """Return the class of each example and their number, or None where Y has one output.

    Y has several where w is (n_x, K) with K > 1, where Y is (K, m), and where it is integers of
    which one is above 1. Where it may be `soft`, there may be probabilities, (K, m), in place of
    classes.
    """
    rows = probabilities(own_array(value, "Y")) if soft and _has_rows(value, X) else None
    return _certain(value, X, w) if rows is None else (rows, len(rows))


def _certain(value: Any, X: Examples, w: Any) -> tuple[NDArray[np.int32], int] | None:
    of_w = _shape_of(w)
    if of_w is not None and len(of_w) == 2 and of_w[0] == X.shape[0] and of_w[1] > 1:
        return classes_of(value, X, of_w[1]), of_w[1]
    if _has_rows(value, X):
        return from_rows(own_array(value, "Y"))
    if not _may_be_classes(value):
        return None
    array = own_array(values_of(value, "Y"), "Y")
    if array.dtype.kind not in "iu" or array.size != X.shape[1] or array.size == 0:
        return None
    highest = int(array.max())
    if highest <= 1:
        return None
    check_range(int(array.min()), highest, array.size)
    return array.ravel().astype(np.int32), highest + 1


def check_range(lowest: int, highest: int, m: int) -> None:
    """Refuse integers that number no classes of m examples."""
    most = max(MANY, m)
    if lowest < 0 or highest >= most:
        msg = (
            f"Y holds the integers {lowest} and {highest}; expected classes 0, 1, ... K - 1, "
            f"at most {most} of them: np.unique(Y, return_inverse=True) numbers them"
        )
        raise ValueError(msg)


def signed(labels: NDArray[Any]) -> NDArray[Any]:
    """Return labels as integers that the kernel reads, if they are integers."""
    is_wide = labels.dtype.kind == "u" and labels.dtype.itemsize > 2
    return labels.astype(np.int64) if is_wide else labels


class Labels(NamedTuple):
    """What labels that come in parts say about classes, once all have been seen."""

    highest: int | None  # of integers; None: there are others
    rows: int | None = None  # of Y, where it has one for each class

    def classes(self, X: Examples, w: Any) -> int | None:
        """Return the number of classes, or None where Y has one output; as `classes` does."""
        of_w = _shape_of(w)
        if of_w is not None and len(of_w) == 2 and of_w[0] == X.shape[0] and of_w[1] > 1:
            if self.highest is None or self.highest >= of_w[1] or self.rows not in {None, of_w[1]}:
                msg = (
                    f"w has {of_w[1]} columns, and Y is not the classes 0 to {of_w[1] - 1}, as "
                    "integers; expected a column of w for each class"
                )
                raise ValueError(msg)
            return of_w[1]
        if self.rows is not None or self.highest is None or self.highest <= 1:
            return self.rows
        return self.highest + 1

    def check_one_output(self) -> None:
        """Refuse several classes where there is one output."""
        k = self.rows or (self.highest or 0) + 1
        if k > 2 or self.rows:
            msg = (
                f"Y has {k} classes, and X comes in parts; expected labels 0 and 1, or "
                "probabilities between them: compare one class with all others, or read X into "
                "memory"
            )
            raise ValueError(msg)


def classes_of(value: Any, X: Examples, k: int) -> NDArray[np.int32]:
    """Return the class of each example, of k > 1 classes; some may have no example."""
    found = _certain(value, X, None)
    array = own_array(values_of(value, "Y"), "Y").ravel() if found is None else found[0]
    of_rows = found is not None and found[1] != k and np.ndim(value) == 2 and len(value) > 1
    if array.size != X.shape[1] or array.dtype.kind not in "iub" or of_rows:
        msg = f"Y does not say which of {k} classes each of the {X.shape[1]} examples has"
        raise ValueError(msg)
    if array.size and not 0 <= int(array.min()) <= int(array.max()) < k:
        msg = (
            f"Y holds {array.min()} to {array.max()} and w has {k} columns; expected classes from "
            f"0 to {k - 1}, and a column of w for each"
        )
        raise ValueError(msg)
    return array.astype(np.int32)


def _may_be_classes(value: Any) -> bool:
    """Whether it is worth a look: integers, or what may hold some."""
    dtype = getattr(value, "dtype", None)
    kind = getattr(dtype, "kind", None)
    if isinstance(kind, str):
        return kind in {"i", "u"}
    if isinstance(value, (list, tuple)):
        return any(type(v) is int and v > 1 for v in _flat(value))
    return dtype is not None  # a series


def _has_rows(value: Any, X: Examples) -> bool:
    """Whether Y has a row for each of several classes."""
    shape = _shape_of(value)
    if isinstance(value, (list, tuple)) and value and isinstance(value[0], (list, tuple)):
        shape = len(value), len(value[0])
    return shape is not None and len(shape) == 2 and shape[0] > 1 and shape[1] == X.shape[1] != 1


def probabilities(Y: NDArray[Any]) -> NDArray[np.float64] | None:
    """Return Y, (K, m), if it holds probabilities of classes other than 0 and 1."""
    if Y.dtype.kind != "f" or ((Y == 0) | (Y == 1)).all():
        return None
    rows = copied(Y, FLOAT64, "C")
    totals = np.add.reduce(rows, 0)
    wrong = np.flatnonzero(~((rows >= 0.0).all(0) & (np.abs(totals - 1.0) <= SUM_TO_1)))
    if wrong.size:
        i = int(wrong[0])
        msg = (
            f"Y has shape {Y.shape}, so a row for each class, and example {i} has "
            f"{Y[:, i].tolist()}; expected one 1, in the row of its class, and zeros, or "
            "probabilities that sum to 1. For a logistic regression of one output pass Y of shape "
            f"(1, {Y.shape[1]})"
        )
        raise ValueError(msg)
    rows /= totals
    return rows


def _flat(value: Any) -> Any:
    return value[0] if len(value) == 1 and isinstance(value[0], (list, tuple)) else value


def from_rows(Y: NDArray[Any]) -> tuple[NDArray[np.int32], int]:
    """Return classes from one row per class, of which each example has a 1 in one."""
    is_one = Y == 1
    wrong = np.flatnonzero((np.add.reduce(is_one, 0) != 1) | ((Y != 0) & ~is_one).any(0))
    if wrong.size:
        i = int(wrong[0])
        msg = (
            f"Y has shape {Y.shape}, so a row for each class, and example {i} has "
            f"{Y[:, i].tolist()}; expected one 1, in the row of its class, and zeros. If Y "
            f"holds probabilities, pass the examples {len(Y)} times, each time with one class for "
            "all, and the row of that class as their sample_weight. For a logistic regression of "
            f"one output pass Y of shape (1, {Y.shape[1]})"
        )
        raise ValueError(msg)
    return np.argmax(is_one, 0).astype(np.int32), len(Y)


def _shape_of(value: Any) -> tuple[int, ...] | None:
    shape = getattr(value, "shape", None)
    return shape if isinstance(shape, tuple) else None


def several_outputs(w: Any, b: Any) -> bool:
    """Whether w (n_x, K) and b, K values, are those of several classes."""
    shape = _shape_of(w)
    return shape is not None and len(shape) == 2 and shape[1] > 1 and np.size(b) == shape[1]


def matrices(
    w: ArrayLike, b: ArrayLike, X: Examples, k: int | None = None
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Check w (n_x, K) and b, K values; return new arrays, of which b is (K,)."""
    array = own_array(w, "w")
    n_x = X.shape[0]
    k = array.shape[-1] if k is None and array.ndim else k
    if array.shape != (n_x, k):
        msg = (
            f"w has shape {array.shape} and {X}; expected (n_x, K) = ({n_x}, {k}), a column of "
            "weights for each class"
        )
        raise ValueError(msg)
    bias = own_array(b, "b")
    if bias.size != k or bias.shape not in ((k,), (k, 1), (1, k)):
        msg = f"b has shape {bias.shape}; expected ({k}, 1) or ({k},), one for each class"
        raise ValueError(msg)
    weights = copied(array, FLOAT64, "C")
    biases = copied(bias, FLOAT64, "C").reshape(-1)
    for name, values in ("w", weights), ("b", biases):
        if _kernel.first_outside(values.reshape(-1), -LARGEST, LARGEST) >= 0:
            msg = f"{name} holds NaN or infinity; expected finite numbers"
            raise ValueError(msg)
    return weights, biases
