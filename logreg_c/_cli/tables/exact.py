# SPDX-License-Identifier: BSD-3-Clause
"""Sums of float64 that are rounded once, whatever the order of the numbers."""

from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

BITS = 53  # of a float64
HALF = 27  # of them, so that sums of halves are exact in float64 for up to 2^26 numbers


class ExactSum:
    """The exact sum of finite numbers that come in batches."""

    def __init__(self) -> None:
        self.count = 0
        self._of_exponent: dict[int, int] = {}

    def add(self, values: NDArray[np.float64]) -> None:
        """Add at most 2^26 numbers."""
        if not len(values):
            return
        fraction, exponent = np.frexp(values)
        whole = np.ldexp(fraction, BITS).astype(np.int64)
        least = int(exponent.min())
        at = exponent - least
        upper = np.bincount(at, weights=whole >> HALF)
        lower = np.bincount(at, weights=whole & ((1 << HALF) - 1))
        for k, (high, low) in enumerate(zip(upper.tolist(), lower.tolist(), strict=True)):
            if high or low:
                total = (int(high) << HALF) + int(low)
                self._of_exponent[least + k] = self._of_exponent.get(least + k, 0) + total
        self.count += len(values)

    def mean(self) -> float:
        """Return the sum, rounded once, divided by the count."""
        total = sum(
            Fraction(sums) * Fraction(2) ** (exponent - BITS)
            for exponent, sums in self._of_exponent.items()
        )
        return float(total) / self.count
