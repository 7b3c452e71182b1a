# SPDX-License-Identifier: BSD-3-Clause
"""Y, sample_weight and w, which must fit X. A check over all values is one kernel call."""

from __future__ import annotations

import math
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from logreg_c import _kernel

from .arrays import COPIED_AT_ONCE, FLOAT64, as_stored, copied, own_array, refuse_masked
from .frame_types import values_of
from .scalars import LARGEST

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from .matrix import Examples

# The powers of two between which the largest weight is not rescaled, by whether the arithmetic is
# float32.
LARGEST_WEIGHT = {False: (-32, 512), True: (-32, 32)}


def column(value: ArrayLike, name: str, X: Examples) -> NDArray[Any]:
    """Y or sample_weight as m values, (m,), of a dtype that the kernel reads."""
    array = own_array(values_of(value, name), name)
    m = X.shape[1]
    if array.shape not in ((1, m), (m,)):
        msg = (
            f"{name} has shape {array.shape} and {X}; expected (1, m) or (m,) with m = {m},"
            f" one value for each {X.example} of X"
        )
        if array.size == X.shape[0] and array.size == max(array.shape, default=0):
            msg += (
                ". Did you pass (samples, features)? Use X.T"
                if X.names is None
                else ". The rows of a data frame are the examples: pass it, not its transpose"
            )
        elif array.shape == (m, 1):
            msg += f". Use {name}.T or {name}.ravel()"
        raise ValueError(msg)
    return as_stored(array[0] if array.ndim == 2 else array)


def labels(value: ArrayLike, X: Examples) -> NDArray[Any]:
    """Check Y: (1, m) or (m,), within [0, 1]."""
    Y = column(value, "Y", X)
    bad = _kernel.first_outside(Y, 0.0, 1.0)
    if bad >= 0:
        msg = f"Y is {Y.item(bad)} at example {bad}; expected 0, 1 or a probability within [0, 1]"
        if _are_minus_1_and_1(Y):
            msg += ". For labels -1 and 1 pass (Y + 1) / 2"
        elif not math.isfinite(Y.item(bad)):
            msg += ". Leave out examples without a label"
        else:
            msg += ". For labels of one class and another pass Y == one_of_them"
        raise ValueError(msg)
    return Y


def _are_minus_1_and_1(Y: NDArray[Any]) -> bool:
    pieces = (Y[k : k + COPIED_AT_ONCE] for k in range(0, Y.size, COPIED_AT_ONCE))
    return all(_kernel.first_outside(np.abs(piece), 1.0, 1.0) < 0 for piece in pieces)


def weights(value: ArrayLike | None, X: Examples) -> NDArray[Any] | None:
    """Check sample_weight: None, or (m,) or (1, m), finite, >= 0, not all 0.

    Weights so small that their products with X could underflow, or so large that a sum could
    overflow, are multiplied by a power of two: it cancels in every mean, and changes no bit.
    """
    if value is None:
        return None
    sample_weight = column(value, "sample_weight", X)
    low, high = LARGEST_WEIGHT[X.float32]
    if _kernel.first_outside(sample_weight, 0.0, 2.0**high) >= 0:
        bad = _kernel.first_outside(sample_weight, 0.0, LARGEST)
        if bad >= 0:
            msg = (
                f"sample_weight is {sample_weight.item(bad)} at example {bad}; expected finite "
                "weights >= 0. Weight 0 leaves an example out"
            )
            raise ValueError(msg)
    elif _kernel.first_outside(sample_weight, 0.0, 2.0**low) >= 0:
        return sample_weight
    largest = float(sample_weight.max())
    if largest == 0.0:
        msg = "sample_weight is zero at every example; expected a positive sum"
        raise ValueError(msg)
    exponent = exponent_of_scale(largest, X.float32)
    return np.ldexp(sample_weight.astype(np.float64), exponent)


def exponent_of_scale(largest: float, float32: bool) -> int:
    """Return the exponent of the power of two that weights are multiplied by."""
    low, high = LARGEST_WEIGHT[float32]
    if 2.0**low < largest <= 2.0**high:
        return 0
    exponent = math.frexp(largest)[1]
    return min(max(exponent, low), high) - exponent


def codes_of(value: Any, name: str, X: Examples) -> tuple[NDArray[Any], NDArray[np.intp]]:
    """Return the labels of groups, sorted, and the number of each example's group, from 0."""
    refuse_masked(value, name)
    to_numpy = getattr(value, "to_numpy", None)
    try:
        groups = np.asarray(value if to_numpy is None else to_numpy())
    except (OverflowError, TypeError, ValueError) as error:
        msg = f"{name} cannot be read as an array: {error}; expected one value for each example"
        raise (TypeError if isinstance(error, TypeError) else ValueError)(msg) from None
    m = X.shape[1]
    if groups.shape not in {(m,), (1, m)}:
        msg = f"{name} has the shape {groups.shape}; expected ({m},): one for each example"
        raise ValueError(msg)
    try:
        found, codes = np.unique(groups.ravel(), return_inverse=True)
    except TypeError as error:
        msg = f"{name} cannot be sorted ({error}); expected all numbers or all strings"
        raise TypeError(msg) from None
    if np.any(found != found):  # noqa: PLR0124 (NaN and NaT are not themselves)
        msg = f"{name} holds NaN or NaT; expected one of the {name} for each example"
        raise ValueError(msg)
    return found, codes


def coefficients(value: ArrayLike, X: Examples) -> NDArray[np.float64]:
    """Check w: (n_x, 1) or (n_x,), finite. A new array (n_x, 1), that may be written to."""
    array = own_array(value, "w")
    n_x = X.shape[0]
    if array.shape not in ((n_x, 1), (n_x,)):
        msg = (
            f"w has shape {array.shape} and {X}; expected (n_x, 1) or (n_x,) with"
            f" n_x = {n_x}, one weight for each {X.feature} of X"
        )
        if X.names is None and array.shape in ((X.shape[1], 1), (X.shape[1],)):
            msg += ". Did you pass (samples, features)? Use X.T"
        elif array.shape == (1, n_x):
            msg += ". Use w.T"
        raise ValueError(msg)
    w = copied(array, FLOAT64, "C").reshape(n_x, 1)
    bad = _kernel.first_outside(w, -LARGEST, LARGEST)
    if bad >= 0:
        msg = f"w is {w.item(bad)} at feature {bad}; expected finite weights"
        raise ValueError(msg)
    return w


def warn_of_lost_names(w: ArrayLike, X: Examples, stacklevel: int) -> None:
    """Warn where w has no names for the columns that X has names for, as scikit-learn does."""
    has_names = getattr(w, "feature_names", None) is not None
    if X.names is None or has_names or not all(map(_is_text, X.names)):
        return
    msg = (
        "X has column names, and w has none: the columns are taken in their order. The w of a "
        "training on a data frame keeps its names in copies and pickles; "
        "logreg_c.with_names(w, names) gives them back. Pass an array if the order is right"
    )
    warnings.warn(msg, UserWarning, stacklevel=stacklevel)


def _is_text(name: object) -> bool:
    return isinstance(name, str)
