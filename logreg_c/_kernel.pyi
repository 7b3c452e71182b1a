# SPDX-License-Identifier: BSD-3-Clause
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Sparse: TypeAlias = tuple[NDArray[Any], NDArray[Any], NDArray[np.int64], int, int]
Categorical: TypeAlias = tuple[list[NDArray[Any]], list[NDArray[Any]], NDArray[np.int64], int]

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
        X: NDArray[Any] | list[NDArray[Any]] | Sparse | Categorical,
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

class Search:
    done: int
    @property
    def b(self) -> float: ...
    @property
    def gap(self) -> float: ...
    @property
    def fall(self) -> float: ...
    @property
    def slope(self) -> float: ...
    @property
    def passes(self) -> int: ...
    def state(self) -> bytes: ...
    def step(self, w: NDArray[np.float64]) -> float: ...
    def resume(self, state: bytes, done: int) -> bool: ...

class Minimization(Search):
    problem: Problem
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
    def retarget(self, l2: float, worker: Problem) -> bool: ...
    def advance(self, costs: NDArray[np.float64], steps: int) -> int: ...

def minimize_together(searches: list[Minimization]) -> list[int]: ...

NOTHING: int
SURVEY: int
SAMPLE: int
MOMENTS_OF_ALL: int
CURVATURE: int
GRADIENT_AT_POINT: int
LOW_RANK_EXAMPLES: int

class Survey:
    def add(self, problem: Problem) -> None: ...

class Choice:
    def __init__(self, survey: Survey, count: int) -> None: ...
    def choose(
        self,
        problem: Problem,
        index: NDArray[np.int64],
        Y: NDArray[np.float64],
        h: NDArray[np.float64],
    ) -> int: ...

def factor_weights(
    problem: Problem,
    w: NDArray[np.float64],
    b: float,
    least: float,
    h: NDArray[np.float64],
    S: float,
) -> tuple[int, float]: ...

class SearchBySums(Search):
    def __init__(
        self,
        shape: tuple[int, int],
        X: NDArray[Any] | Categorical,
        float32: bool,
        example_major: bool,
        n_threads: int,
        w: NDArray[np.float64],
        b: float,
        l2: float,
        tol: float,
        slope: float,
        passes: int,
        fixed_b: bool,
        warm: bool,
    ) -> None: ...
    def standardize(self, features: Features | None) -> None: ...
    def retarget(self, l2: float) -> bool: ...
    def wants(
        self, w: NDArray[np.float64], centre: NDArray[np.float64]
    ) -> tuple[int, int, float, float, float, bool, int, bool]: ...
    def samples(self) -> list[int]: ...
    @property
    def ended(self) -> int: ...
    def give_survey(self, survey: Survey, costs: NDArray[np.float64]) -> None: ...
    def give_sample(self, sample: Problem, costs: NDArray[np.float64]) -> None: ...
    def give_sums(
        self,
        status: int,
        mean: NDArray[np.float64],
        sums: NDArray[np.float64],
        block: NDArray[np.float64],
        S: float,
        costs: NDArray[np.float64],
    ) -> None: ...
    def give_gradient(
        self,
        status: int,
        J: float,
        dw: NDArray[np.float64],
        db: float,
        costs: NDArray[np.float64],
    ) -> None: ...

class Fits:
    def __init__(
        self,
        fits: list[
            tuple[
                NDArray[Any] | list[NDArray[Any]] | Sparse | Categorical,
                NDArray[Any],
                NDArray[Any] | None,
                bool,
                float,
            ]
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
        fall: NDArray[np.float64],
        gap: NDArray[np.float64],
        n_passes: NDArray[np.int64],
        status: NDArray[np.int64],
    ) -> None: ...

GRADIENT: int
MOMENTS: int
GRAM: int
CROSS_GRAM: int
SOFTMAX: int

class Features:
    def __init__(
        self, moments: NDArray[np.float64], n_x: int, centre: bool, scale: bool
    ) -> None: ...

class Point:
    def __init__(self, w: NDArray[np.float64], b: float, features: Features | None) -> None: ...

class Sums:
    def __init__(self, kind: int, n_x: int, outputs: int = 0) -> None: ...
    def add(
        self, problem: Problem, point: Point | None, offset: int, first: int, end: int
    ) -> None: ...
    def add_products(
        self,
        problem: Problem,
        centre: NDArray[np.float64],
        of_rows: int,
        of_columns: int,
        offset: int,
        end: int,
    ) -> None: ...
    def add_softmax(
        self,
        problem: Problem,
        w: NDArray[np.float64],
        b: NDArray[np.float64],
        centre: NDArray[np.float64] | None,
        offset: int,
        end: int,
    ) -> None: ...
    def merge(self, other: Sums) -> None: ...
    def gradient(
        self, n_segments: int, float32: bool, point: Point, l2: float, dw: NDArray[np.float64]
    ) -> tuple[int, float, float]: ...
    def softmax(
        self,
        n_segments: int,
        w: NDArray[np.float64],
        l2: float,
        dw: NDArray[np.float64],
        db: NDArray[np.float64],
    ) -> tuple[int, float]: ...
    def softmax_curvature(
        self, n_segments: int, D: NDArray[np.float64], d: NDArray[np.float64]
    ) -> int: ...
    def moments(self, n_segments: int, float32: bool, out: Features) -> int: ...
    def products(
        self,
        n_segments: int,
        n_x: int,
        centre: NDArray[np.float64],
        of_rows: int,
        of_columns: int,
        G: NDArray[np.float64],
        mu: NDArray[np.float64],
        S: float,
    ) -> tuple[int, float]: ...

def gram_groups(n_x: int) -> tuple[int, int]: ...
def segment_size(n_x: int) -> int: ...

class DescentBySums:
    done: int
    @property
    def b(self) -> float: ...
    @property
    def b_lo(self) -> float: ...
    def __init__(
        self,
        w: NDArray[np.float64],
        next_w: NDArray[np.float64],
        n_x: int,
        b: float,
        alpha: float,
        l2: float,
        tol: float,
        fixed_b: bool,
    ) -> None: ...
    def resume(self, b: float, b_lo: float, done: int) -> None: ...
    def point(self, features: Features | None) -> Point: ...
    def update(
        self, sums: Sums, n_segments: int, float32: bool, costs: NDArray[np.float64]
    ) -> int: ...

def softmax_cost_and_gradient(
    problem: Problem,
    w: NDArray[np.float64],
    b: NDArray[np.float64],
    l2: float,
    dw: NDArray[np.float64],
    db: NDArray[np.float64],
) -> tuple[int, float]: ...
def softmax_curvature(
    problem: Problem,
    w: NDArray[np.float64],
    b: NDArray[np.float64],
    centre: NDArray[np.float64],
    D: NDArray[np.float64],
    d: NDArray[np.float64],
) -> int: ...
def softmax_hessian(
    problem: Problem,
    outputs: int,
    A: NDArray[np.float64],
    s: NDArray[np.float64] | None,
    least: float,
    centre: NDArray[np.float64],
    H: NDArray[np.float64],
) -> int: ...
def softmax_predict(
    problem: Problem,
    w: NDArray[np.float64],
    b: NDArray[np.float64],
    probabilities: bool,
    out: NDArray[np.float64],
) -> int: ...
def curvature(
    problem: Problem, w: NDArray[np.float64], b: float, squared: bool, h: NDArray[np.float64]
) -> int: ...
def gradient_and_curvature(
    problem: Problem,
    w: NDArray[np.float64],
    b: float,
    dw: NDArray[np.float64],
    h: NDArray[np.float64],
) -> tuple[int, float, float]: ...
def gram(
    problem: Problem,
    centre: NDArray[np.float64],
    G: NDArray[np.float64],
    mu: NDArray[np.float64],
) -> tuple[int, float]: ...
def add_categories(
    problem: Problem, G: NDArray[np.float64] | None, mu: NDArray[np.float64]
) -> None: ...
def finish_category_moments(shape: Problem, out: Features) -> int: ...
def finish_category_gram(
    shape: Problem, G: NDArray[np.float64], mu: NDArray[np.float64]
) -> int: ...
def cholesky(problem: Problem, A: NDArray[np.float64], n: int, least: float) -> int: ...
def minimize_quadratic(
    problem: Problem,
    H: NDArray[np.float64],
    l1: NDArray[np.float64],
    lower: NDArray[np.float64],
    upper: NDArray[np.float64],
    tol: float,
    v: NDArray[np.float64],
    slope: NDArray[np.float64],
) -> float: ...
def sort_by_feature(
    problem: Problem,
    starts: NDArray[np.int64],
    examples: NDArray[np.int32],
    values: NDArray[np.float64],
) -> None: ...
def minimize_by_columns(
    problem: Problem,
    columns: tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.float64]],
    h: NDArray[np.float64],
    total: float,
    slope: NDArray[np.float64],
    penalties: tuple[NDArray[np.float64], ...],
    b: float,
    db: float,
    fixed_b: bool,
    tol: float,
    enough: float,
    v: NDArray[np.float64],
) -> tuple[float, float]: ...
def solve_lower(L: NDArray[np.float64], n: int, x: NDArray[np.float64]) -> None: ...
def solve_upper(L: NDArray[np.float64], n: int, x: NDArray[np.float64]) -> None: ...
def multiply_rows(
    V: NDArray[np.float64], n_rows: int, x: NDArray[np.float64], out: NDArray[np.float64]
) -> None: ...
def add_rows(
    V: NDArray[np.float64], n_rows: int, c: NDArray[np.float64], y: NDArray[np.float64]
) -> None: ...
def log_determinant(L: NDArray[np.float64], n: int) -> float: ...
def leverage(
    problem: Problem,
    centre: NDArray[np.float64],
    L: NDArray[np.float64],
    out: NDArray[np.float64],
) -> None: ...
def check_sparse(X: Sparse, scratch: NDArray[np.int64]) -> tuple[int, bool]: ...
def sigmoid(Z: NDArray[np.float64], A: NDArray[np.float64], n: int) -> None: ...
def first_outside(v: NDArray[Any], low: float, high: float) -> int: ...
def max_threads() -> int: ...
def threads_backend() -> str: ...
def isa() -> str: ...
def isa_known() -> dict[str, bool]: ...
def isa_select(name: str) -> bool: ...
