# SPDX-License-Identifier: BSD-3-Clause
"""What a user passes, turned into what the kernel reads; and every message about why it cannot be.

Small calls take microseconds, so the way for clean input is short, and checks over values are one
call of the kernel each.
"""

from __future__ import annotations

import math
import numbers
import operator
import sys
from typing import TYPE_CHECKING, Any

import numpy as np

from . import _kernel

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, DTypeLike, NDArray

FLOAT64 = np.dtype(np.float64)
LARGEST = sys.float_info.max
# Far above any machine's cores; keeps the size of the workspace within reason.
MAX_THREADS = 1024

_REMEDIES = {
    "c": "take its real part, {0}.real",
    "O": "if every value is a number, pass {0}.astype(np.float64)",
    "V": "numpy.lib.recfunctions.structured_to_unstructured makes a plain array of a record array",
    "M": "turn dates into numbers first",
    "m": "turn time differences into numbers first",
}


def _as_array(value: ArrayLike, name: str) -> NDArray[Any]:
    """Make a plain array of real numbers, of any dtype and layout."""
    if type(value) is not np.ndarray:
        if isinstance(value, np.ma.MaskedArray) and np.ma.is_masked(value):
            msg = (
                f"{name} is a masked array with masked values; expected a value everywhere: fill "
                "them with .filled(...) or leave those examples out"
            )
            raise ValueError(msg)
        try:
            value = np.asarray(value)
        except ValueError as error:
            msg = f"{name} cannot be read as an array of numbers: {error}"
            raise ValueError(msg) from None
    if value.dtype.kind not in "fiub":
        remedy = _REMEDIES.get(value.dtype.kind, "encode text as numbers first").format(name)
        msg = f"{name} has dtype {value.dtype}; expected real numbers: {remedy}"
        raise TypeError(msg)
    return value


def _as_float64(array: NDArray[Any]) -> NDArray[np.float64]:
    """Convert by one copy, in the layout nearest to the given one, where there is need."""
    if array.dtype != FLOAT64 or not array.flags.aligned:
        return array.astype(np.float64, order="K")
    return array


def _as_contiguous(array: NDArray[Any]) -> NDArray[np.float64]:
    array = _as_float64(array)
    return array if array.flags.c_contiguous else array.copy()


def contiguous(value: ArrayLike, name: str) -> NDArray[np.float64]:
    """Any shape, float64 and in C order: itself, or one copy."""
    return _as_contiguous(_as_array(value, name))


def matrix(X: ArrayLike) -> NDArray[np.float64]:
    """X as a float64 matrix (n_x, m) with one unit stride: itself, or one copy."""
    array = _as_array(X, "X")
    if array.ndim != 2:
        msg = f"X has shape {array.shape}; expected two dimensions, (n_x, m): one column an example"
        if array.ndim == 1:
            msg += ". Use X.reshape(1, -1) for one feature, X.reshape(-1, 1) for one example"
        raise ValueError(msg)
    n_x, m = array.shape
    if m == 0:
        msg = f"X has shape {array.shape}; expected at least one example, that is one column"
        raise ValueError(msg)
    array = _as_float64(array)
    by_feature, by_example = array.strides
    in_place = (
        (n_x <= 1 or (by_feature >= 0 and by_feature % 8 == 0))
        and (m == 1 or (by_example >= 0 and by_example % 8 == 0))
        and (n_x <= 1 or m == 1 or by_feature == 8 or by_example == 8)
    )
    return array if in_place else array.copy(order="K")


def column(value: ArrayLike, name: str, X: NDArray[np.float64]) -> NDArray[np.float64]:
    """Y or sample_weight as m contiguous float64 values: itself, or one copy."""
    array = _as_array(value, name)
    m = X.shape[1]
    if array.shape not in ((1, m), (m,)):
        msg = (
            f"{name} has shape {array.shape} and X {X.shape}; expected (1, m) or (m,) with m = {m},"
            " one value for each column of X"
        )
        if array.size == X.shape[0] and array.size == max(array.shape, default=0):
            msg += ". Did you pass (samples, features)? Use X.T"
        elif array.shape == (m, 1):
            msg += f". Use {name}.T or {name}.ravel()"
        raise ValueError(msg)
    return _as_contiguous(array)


def labels(value: ArrayLike, X: NDArray[np.float64]) -> NDArray[np.float64]:
    """Check Y: (1, m) or (m,), within [0, 1]."""
    Y = column(value, "Y", X)
    bad = _kernel.first_outside(Y, Y.size, 0.0, 1.0)
    if bad >= 0:
        msg = f"Y is {Y.item(bad)} at example {bad}; expected 0, 1 or a probability within [0, 1]"
        if np.all(np.abs(Y) == 1.0):
            msg += ". For labels -1 and 1 pass (Y + 1) / 2"
        elif not math.isfinite(Y.item(bad)):
            msg += ". Leave out examples without a label"
        else:
            msg += ". For labels of one class and another pass Y == one_of_them"
        raise ValueError(msg)
    return Y


def weights(value: ArrayLike | None, X: NDArray[np.float64]) -> NDArray[np.float64] | None:
    """Check sample_weight: None, or (m,) or (1, m), finite, >= 0, not all 0."""
    if value is None:
        return None
    sample_weight = column(value, "sample_weight", X)
    bad = _kernel.first_outside(sample_weight, sample_weight.size, 0.0, LARGEST)
    if bad >= 0:
        msg = (
            f"sample_weight is {sample_weight.item(bad)} at example {bad}; expected finite weights"
            " >= 0. Weight 0 leaves an example out"
        )
        raise ValueError(msg)
    if _kernel.first_outside(sample_weight, sample_weight.size, 0.0, 0.0) < 0:
        msg = "sample_weight is 0 at every example; expected a positive sum"
        raise ValueError(msg)
    return sample_weight


def coefficients(value: ArrayLike, X: NDArray[np.float64]) -> NDArray[np.float64]:
    """Check w: (n_x, 1) or (n_x,), finite. A new array (n_x, 1), that may be written to."""
    array = _as_array(value, "w")
    n_x = X.shape[0]
    if array.shape not in ((n_x, 1), (n_x,)):
        msg = (
            f"w has shape {array.shape} and X {X.shape}; expected (n_x, 1) or (n_x,) with"
            f" n_x = {n_x}, one weight for each row of X"
        )
        if array.shape in ((X.shape[1], 1), (X.shape[1],)):
            msg += ". Did you pass (samples, features)? Use X.T"
        elif array.shape == (1, n_x):
            msg += ". Use w.T"
        raise ValueError(msg)
    w = np.array(array, dtype=np.float64, order="C").reshape(n_x, 1)
    bad = _kernel.first_outside(w, n_x, -LARGEST, LARGEST)
    if bad >= 0:
        msg = f"w is {w.item(bad)} at feature {bad}; expected finite weights"
        raise ValueError(msg)
    return w


def number(value: object, name: str, expected: str = "a finite number") -> float:
    """Check one finite real number; no bool, no string."""
    if type(value) is not float:
        if isinstance(value, np.ndarray) and value.ndim == 0:
            value = value[()]
        if isinstance(value, (bool, np.bool_)) or not isinstance(value, numbers.Real):
            raise TypeError(_wrong_type(value, name, expected))
        try:
            value = float(value)
        except OverflowError:
            value = math.inf
    if not math.isfinite(value):
        raise ValueError(_out_of_range(value, name, expected))
    return value


def positive(value: object, name: str) -> float:
    """Check a finite number above 0."""
    result = number(value, name, "a finite number > 0")
    if result <= 0.0:
        raise ValueError(_out_of_range(result, name, "a finite number > 0"))
    return result


def not_negative(value: object, name: str) -> float:
    """Check a finite number from 0 up."""
    result = number(value, name, "a finite number >= 0")
    if result < 0.0:
        raise ValueError(_out_of_range(result, name, "a finite number >= 0"))
    return result


def integer(value: Any, name: str, least: int) -> int:
    """Check an integer from `least` up; no bool, no float."""
    expected = f"an integer >= {least}"
    try:
        result = None if isinstance(value, (bool, np.bool_)) else operator.index(value)
    except TypeError:
        result = None
    if result is None:
        raise TypeError(_wrong_type(value, name, expected))
    if result < least:
        raise ValueError(_out_of_range(result, name, expected))
    return result


def threads(n_threads: int | None) -> int:
    """Check n_threads: None for what the machine offers."""
    if n_threads is None:
        return _kernel.max_threads()
    return min(integer(n_threads, "n_threads", 1), MAX_THREADS)


def arithmetic(dtype: DTypeLike | None) -> None:
    """Check dtype: the type to compute in, of which there is one so far."""
    if dtype is not None and np.dtype(dtype) != FLOAT64:
        msg = (
            f"dtype is {np.dtype(dtype)}; expected None or float64: this version computes in "
            "float64 whatever the type of X"
        )
        raise TypeError(msg)


def _wrong_type(value: object, name: str, expected: str) -> str:
    return f"{name} is {value!r} of type {type(value).__name__}; expected {expected}"


def _out_of_range(value: float, name: str, expected: str) -> str:
    return f"{name} is {value!r}; expected {expected}"


def raise_if_nonfinite(problem: _kernel.Problem) -> None:
    """Name the first NaN or infinity in X, now that a pass has come out as one."""
    place = problem.first_nonfinite()
    if place is not None:
        feature, example = place
        msg = (
            f"X holds NaN or infinity, first at (feature, example) = ({feature}, {example}), that "
            f"is X[{feature}, {example}]; expected finite values. Fill it in, or leave out the "
            "example or the feature"
        )
        raise ValueError(msg)
