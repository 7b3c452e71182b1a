# SPDX-License-Identifier: BSD-3-Clause
"""The data sets that the benchmarks time."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

TYPES = [
    "float64",
    "float32",
    "float16",
    "int64",
    "int32",
    "int16",
    "uint16",
    "int8",
    "uint8",
    "bool",
]
WIDE = {"float64", "int64", "int32"}
LAYOUTS = ("feature-major", "example-major")
MIXED = ["float64"] * 10 + ["float32"] * 10 + ["uint8"] * 8


@dataclass(frozen=True)
class Case:
    """One matrix (or a list of 28 columns, if dtype is "mixed") and its labels."""

    n_x: int
    m: int
    dtype: str = "float64"
    layout: str = "feature-major"

    def __str__(self) -> str:  # noqa: D105
        return f"{self.n_x} x {self.m} {self.dtype}, {self.layout}"

    @property
    def nbytes(self) -> int:
        """The bytes of X that an iteration has to read."""
        types = MIXED if self.dtype == "mixed" else [self.dtype] * self.n_x
        return self.m * sum(np.dtype(dtype).itemsize for dtype in types)

    @property
    def arithmetic(self) -> str:
        """The dtype that X is converted to for a library that does not support its own."""
        return "float64" if self.dtype in {*WIDE, "mixed"} else "float32"

    @cached_property
    def Y(self) -> NDArray[np.float64]:  # noqa: N802
        """Noisy labels that depend on the first feature."""
        rng = np.random.default_rng(1)
        first = np.asarray(self.X[0], dtype=np.float64)
        return (first - first.mean() + first.std() * rng.standard_normal(self.m) > 0) * 1.0

    @cached_property
    def X(self) -> NDArray[np.float64] | list[NDArray[np.float64]]:  # noqa: N802
        """Values between -1 and 1; for integers, below 100."""
        rng = np.random.default_rng(0)
        order = "C" if self.layout == "feature-major" else "F"
        if self.dtype == "mixed":
            return [self._values(rng, self.m, dtype) for dtype in MIXED]
        X = np.empty((self.n_x, self.m), dtype=self.dtype, order=order)
        lines = X if order == "C" else X.T
        for line in lines:
            line[...] = self._values(rng, line.size, self.dtype)
        return X

    @staticmethod
    def _values(rng: np.random.Generator, n: int, dtype: str) -> NDArray[np.float64]:
        kind = np.dtype(dtype).kind
        if kind == "b":
            return rng.random(n, dtype=np.float32) < 0.5
        if kind in "iu":
            return rng.integers(0, 100, n, dtype=dtype)
        return (2 * rng.random(n, dtype=np.float32) - 1).astype(dtype)

    @property
    def alpha(self) -> float:
        """A learning rate small enough for values up to 100."""
        return 1e-6


LARGE = [(28, 2_000_000), (784, 60_000)]
SMALL = [(2, 1000), (10, 1000), (30, 569), (8, 10_000)]


def quick() -> list[Case]:
    """Return float64 in most shapes, and one narrow type."""
    shapes = [*LARGE, (28, 2**20), *SMALL]
    cases = [Case(n_x, m, "float64", layout) for n_x, m in shapes for layout in LAYOUTS]
    return [*cases, *(Case(28, 2_000_000, "uint8", layout) for layout in LAYOUTS)]


def full() -> list[Case]:
    """Return every type, layout and shape."""
    shapes = [*LARGE, (10_000, 8000), (28, 2**20), (28, 2**20 - 64), (28, 2**16), (28, 2**16 - 64)]
    cases = [Case(n_x, m, "float64", layout) for n_x, m in [*shapes, *SMALL] for layout in LAYOUTS]
    cases += [
        Case(n_x, m, dtype, layout) for dtype in TYPES[1:] for n_x, m in LARGE for layout in LAYOUTS
    ]
    return [*cases, Case(28, 2_000_000, "mixed")]


def sizes() -> list[Case]:
    """Return six decades of n_x m, with n_x = 28."""
    return [Case(28, int(10 ** (k / 2) / 28)) for k in range(6, 19)]


def threads() -> list[Case]:
    """Return cases whose X fits in L2, in L3 and in memory."""
    return [Case(28, 8000), Case(28, 60_000), Case(28, 2_000_000)]


def predictions() -> list[Case]:
    """Return a case of one example, and the large shapes."""
    types = ("float64", "float32", "uint8")
    large = [
        Case(*shape, dtype, layout) for dtype in types for shape in LARGE for layout in LAYOUTS
    ]
    return [Case(30, 1), *large]
