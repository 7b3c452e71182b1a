# SPDX-License-Identifier: BSD-3-Clause
"""Means that are rounded once, and medians, of float64 in batches, whatever their order."""

from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

BITS = 53  # of a float64
HALF = 27  # of them, so that sums of halves are exact in float64 for up to 2^26 numbers


class ExactMean:
    """The sum of finite numbers that come in batches, rounded once, divided by their count."""

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

    def ended(self) -> bool:
        """Return, at the end of a reading, that no other one is needed."""
        return True

    def value(self) -> float:
        """Return the mean."""
        total = sum(
            Fraction(sums) * Fraction(2) ** (exponent - BITS)
            for exponent, sums in self._of_exponent.items()
        )
        return float(total) / self.count


class ExactMedian:
    """The median of finite numbers that come in batches, in one reading or a few.

    Different numbers are counted. Where there are too many, those alike in their first bits count
    as one, and another reading counts those that may be in the middle.
    """

    def __init__(self, at_most: int) -> None:
        self.count = 0
        self._at_most = at_most  # different numbers, >= 4
        self._is_first = True  # reading
        self._low, self._high = np.uint64(0), np.uint64(2**64 - 1)  # among these are the middle
        self._below = 0  # how many are lower
        self._begin()

    def _begin(self) -> None:
        self._shift = 0  # bits that are left out
        self._keys, self._counts = np.empty(0, np.uint64), np.empty(0, np.int64)

    def add(self, values: NDArray[np.float64]) -> None:
        """Add numbers."""
        keys = _keys_of(values)
        if self._is_first:
            self.count += len(keys)
        keys = keys[(keys >= self._low) & (keys <= self._high)] >> np.uint64(self._shift)
        ones = np.ones(len(keys), np.int64)
        self._take(np.concatenate([self._keys, keys]), np.concatenate([self._counts, ones]))
        while len(self._keys) > self._at_most:
            self._shift += 1
            self._take(self._keys >> np.uint64(1), self._counts)

    def _take(self, keys: NDArray[np.uint64], counts: NDArray[np.int64]) -> None:
        """Count what these keys count, each key once."""
        self._keys, at = np.unique(keys, return_inverse=True)
        self._counts = np.zeros(len(self._keys), np.int64)
        np.add.at(self._counts, at, counts)

    def ended(self) -> bool:
        """Return, at the end of a reading, whether no other one is needed."""
        if self._shift == 0:
            return True
        low, high = self._middle()
        self._below += int(self._counts[:low].sum())
        ends = int(self._keys[low]), int(self._keys[high]) + 1
        self._low = np.uint64(ends[0] << self._shift)
        self._high = np.uint64((ends[1] << self._shift) - 1)
        self._is_first = False
        self._begin()
        return False

    def _middle(self) -> list[int]:
        """Return which keys are those of the one or two numbers in the middle."""
        before = self._below + np.cumsum(self._counts)
        ranks = (self.count - 1) // 2, self.count // 2
        found: list[int] = np.searchsorted(before, ranks, side="right").tolist()
        return found

    def value(self) -> float:
        """Return the median."""
        keys = self._keys[np.unique(self._middle())]
        return float(np.median(_numbers_of(keys))) + 0.0


def _keys_of(values: NDArray[np.float64]) -> NDArray[np.uint64]:
    """Return integers in the order of numbers."""
    bits = (values + 0.0).view(np.uint64)
    return np.where(bits >> np.uint64(63), ~bits, bits | np.uint64(1 << 63))


def _numbers_of(keys: NDArray[np.uint64]) -> NDArray[np.float64]:
    """Return numbers of which these are the keys."""
    bits = np.where(keys >> np.uint64(63), keys & np.uint64((1 << 63) - 1), ~keys)
    return bits.view(np.float64)
