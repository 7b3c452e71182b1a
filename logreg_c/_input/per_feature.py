# SPDX-License-Identifier: BSD-3-Clause
"""What a user passes for each feature: factors of the penalties, and bounds of w."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .arrays import FLOAT64, copied, own_array

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from .matrix import Examples


def penalty_factors(value: ArrayLike | None, X: Examples) -> NDArray[np.float64]:
    """Check penalty_factors: None for 1, or finite numbers >= 0."""
    factors = _per_feature(value, 1.0, "penalty_factors", X)
    bad = np.flatnonzero(~((factors >= 0.0) & (factors < np.inf)))
    if bad.size:
        msg = (
            f"penalty_factors is {factors[bad[0]]} at feature {bad[0]}; expected finite numbers "
            ">= 0. A factor of 0 leaves a feature without a penalty"
        )
        raise ValueError(msg)
    return factors


def bounds(
    lower: ArrayLike | None, upper: ArrayLike | None, X: Examples
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Check the least and the largest value of each w: None for no bound."""
    least = _per_feature(lower, -np.inf, "lower", X)
    largest = _per_feature(upper, np.inf, "upper", X)
    bad = np.flatnonzero(~((least <= largest) & (least < np.inf) & (largest > -np.inf)))
    if bad.size:
        j = bad[0]
        msg = (
            f"lower is {least[j]} and upper {largest[j]} at feature {j}; expected lower <= upper, "
            "neither of them NaN. Leave out a bound, or pass -inf or inf, where there is none"
        )
        raise ValueError(msg)
    return least, largest


def _per_feature(
    value: ArrayLike | None, default: float, name: str, X: Examples
) -> NDArray[np.float64]:
    n_x = X.shape[0]
    if value is None:
        return np.full(n_x, default)
    array = own_array(value, name)
    if array.shape not in {(), (n_x,), (n_x, 1)}:
        msg = (
            f"{name} has shape {array.shape} and {X}; expected a number, or (n_x,) with n_x = "
            f"{n_x}, one value for each {X.feature} of X"
        )
        raise ValueError(msg)
    if array.ndim == 0:
        array = array.reshape(1)
    values = copied(array, FLOAT64, "C").reshape(-1)
    return values if array.size == n_x else np.full(n_x, values[0])
