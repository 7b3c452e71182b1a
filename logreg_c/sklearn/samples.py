# SPDX-License-Identifier: BSD-3-Clause
"""X: a data frame, batches, or an array, sparse or not, with one column per sample."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.sparse import issparse
from sklearn.utils import assert_all_finite, check_array
from sklearn.utils.validation import validate_data

from logreg_c import _input

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray


class NotNumbersError(ValueError, TypeError):
    """A data frame that is not read; of the type that scikit-learn raises, and of ours."""


def read(
    estimator: Any,
    X: Any,
    use: Callable[[Any], Any],
    *,
    reset: bool = False,
    use_categories: Callable[[Any], Any] | None = None,
) -> Any:
    """Return `use` of X: a data frame, batches, or an array with one column per sample.

    Return `use_categories` of a data frame that is more than numbers.
    """
    if in_batches(X) and not reset:
        return use(X)
    refuse_masked(X, "X")
    # A series has no columns, and check_array says what to do.
    if not (_input.is_frame(X) and hasattr(type(X), "columns")):
        # X keeps its type, and the first pass finds NaN and infinity.
        array = validate_data(
            estimator,
            X,
            reset=reset,
            accept_sparse=["csr", "csc"],
            dtype=None,
            ensure_all_finite=False,
        )
        if array.dtype.kind in "OSTU":
            array = _as_float64(array)
        with _in_words_of_sklearn(array):
            return use(array.T)
    if not hasattr(X, "shape"):
        _input.examples(X, None)  # raises for a lazy frame, before scikit-learn does
    validate_data(estimator, X, reset=reset, skip_check_array=True)
    try:
        return use(X)
    except TypeError as error:
        array = _as_numbers(X)
        if array is None and use_categories is None:
            raise NotNumbersError(str(error)) from error
    if array is None:
        try:
            return use_categories(X) if use_categories is not None else None
        except TypeError as error:
            raise NotNumbersError(str(error)) from error
    with _in_words_of_sklearn(array):
        return use(array.T)


def in_batches(X: Any) -> bool:
    """Whether X comes in batches."""
    return hasattr(X, "open_parts")


def refuse_masked(value: Any, name: str) -> None:
    """Refuse masked values; NumPy would use the values under the mask."""
    parts = value if isinstance(value, (list, tuple)) else (value,)
    if any(isinstance(part, np.ma.MaskedArray) and np.ma.is_masked(part) for part in parts):
        msg = (
            f"{name} has masked values; expected no missing values: fill them with .filled(...), "
            "or leave those samples out"
        )
        raise ValueError(msg)


def _as_float64(array: NDArray[Any]) -> NDArray[np.float64]:
    """Return objects and strings as the numbers that they contain."""
    try:
        return array.astype(np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        msg = f"X does not contain only numbers: {error}; expected numbers: encode text as numbers"
        raise (TypeError if isinstance(error, TypeError) else ValueError)(msg) from None


def _as_numbers(frame: Any) -> NDArray[np.float64] | None:
    """Return a frame with columns of objects, text or categories as numbers; None if not numeric.

    scikit-learn reads such columns in this way. Dates are refused, although NumPy would convert
    them to numbers.
    """
    import narwhals as nw  # noqa: PLC0415 (installed if a frame was recognized)

    if any(dtype.is_temporal() for dtype in nw.from_native(frame).schema.values()):
        return None
    try:
        array: NDArray[np.float64] = check_array(frame, dtype=np.float64, ensure_all_finite=False)
    except (TypeError, ValueError):
        return None
    return array


@contextmanager
def _in_words_of_sklearn(array: Any) -> Iterator[None]:
    """Report NaN and infinity in an array with scikit-learn's messages: rows are samples."""
    try:
        yield
    except ValueError:
        values = array.data if issparse(array) else array
        assert_all_finite(values, estimator_name="LogisticRegression", input_name="X")
        raise
