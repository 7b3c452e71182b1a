# SPDX-License-Identifier: BSD-3-Clause
from typing import Any

import numpy as np
from numpy.typing import NDArray

OK: int
CONVERGED: int
PASS_OVERFLOW: int
UPDATE_OVERFLOW: int
INCOMPLETE: int
ROUNDING: int
SEPARATED: int

class Problem:
    def __init__(
        self,
        X: NDArray[Any] | list[NDArray[Any]],
        Y: NDArray[Any] | None,
        sample_weight: NDArray[Any] | None,
        n_threads: int,
        float32: bool,
        example_major: bool | None = None,
    ) -> None: ...
    def standardize(self, moments: NDArray[np.float64], centre: bool, scale: bool) -> int: ...
    def cost_and_gradient(
        self, w: NDArray[np.float64], b: float, l2: float, dw: NDArray[np.float64]
    ) -> tuple[int, float, float]: ...
    def predict(
        self, w: NDArray[np.float64], b: float, probabilities: bool, out: NDArray[np.float64]
    ) -> int: ...
    def first_nonfinite(self) -> tuple[int, int] | None: ...
    @property
    def segment_size(self) -> int: ...

class Descent:
    problem: Problem
    done: int
    @property
    def b(self) -> float: ...
    @property
    def b_lo(self) -> float: ...
    def __init__(
        self,
        problem: Problem,
        w: NDArray[np.float64],
        b: float,
        alpha: float,
        l2: float,
        tol: float,
        fixed_b: bool,
    ) -> None: ...
    def resume(self, b: float, b_lo: float, done: int) -> None: ...
    def descend(self, costs: NDArray[np.float64], iters: int) -> int: ...

class Minimization:
    problem: Problem
    done: int
    @property
    def b(self) -> float: ...
    @property
    def gap(self) -> float: ...
    @property
    def slope(self) -> float: ...
    @property
    def passes(self) -> int: ...
    def __init__(
        self,
        problem: Problem,
        w: NDArray[np.float64],
        b: float,
        l2: float,
        tol: float,
        slope: float,
        passes: int,
        fixed_b: bool,
        warm: bool,
    ) -> None: ...
    def state(self) -> bytes: ...
    def resume(self, state: bytes, done: int) -> bool: ...
    def advance(self, costs: NDArray[np.float64], steps: int) -> int: ...

class Fits:
    def __init__(
        self,
        fits: list[
            tuple[NDArray[Any] | list[NDArray[Any]], NDArray[Any], NDArray[Any] | None, bool, float]
        ],
        n_threads: int,
    ) -> None: ...
    def minimize(
        self,
        tol: float,
        passes: int,
        fixed_b: bool,
        w: NDArray[np.float64],
        b: NDArray[np.float64],
        J: NDArray[np.float64],
        gap: NDArray[np.float64],
        n_passes: NDArray[np.int64],
        status: NDArray[np.int64],
    ) -> None: ...

class GradientSums:
    def __init__(self, n_x: int) -> None: ...
    def add(
        self,
        problem: Problem,
        w: NDArray[np.float64],
        b: float,
        offset: int,
        first: int,
        end: int,
    ) -> None: ...
    def merge(self, other: GradientSums) -> None: ...
    def finish(
        self,
        n_segments: int,
        float32: bool,
        w: NDArray[np.float64],
        b: float,
        l2: float,
        dw: NDArray[np.float64],
    ) -> tuple[int, float, float]: ...

def curvature(
    problem: Problem, w: NDArray[np.float64], b: float, squared: bool, h: NDArray[np.float64]
) -> int: ...
def gram(
    problem: Problem,
    centre: NDArray[np.float64],
    G: NDArray[np.float64],
    mu: NDArray[np.float64],
) -> tuple[int, float]: ...
def cholesky(problem: Problem, A: NDArray[np.float64], n: int, least: float) -> int: ...
def solve_lower(L: NDArray[np.float64], n: int, x: NDArray[np.float64]) -> None: ...
def solve_upper(L: NDArray[np.float64], n: int, x: NDArray[np.float64]) -> None: ...
def log_determinant(L: NDArray[np.float64], n: int) -> float: ...
def leverage(
    problem: Problem,
    centre: NDArray[np.float64],
    L: NDArray[np.float64],
    out: NDArray[np.float64],
) -> None: ...
def sigmoid(Z: NDArray[np.float64], A: NDArray[np.float64], n: int) -> None: ...
def first_outside(v: NDArray[Any], low: float, high: float) -> int: ...
def max_threads() -> int: ...
def threads_backend() -> str: ...
def isa() -> str: ...
def isa_known() -> dict[str, bool]: ...
def isa_select(name: str) -> bool: ...
