# SPDX-License-Identifier: BSD-3-Clause
"""Training: check, call the kernel, wrap what it found."""

from __future__ import annotations

import math
import warnings
from typing import TYPE_CHECKING, Literal, Self

import numpy as np

from . import _check, _kernel
from ._errors import DivergenceError, DivergenceWarning, TrainingInterrupted

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike, DTypeLike, NDArray

# Costs to make room for at first; the room doubles when it is full.
FIRST_COSTS = 1024

# A smaller sum of weights has lost bits of them to underflow (LOGREG_SMALLEST_SUM).
SMALLEST_TOTAL = 2.0**-960

Stopped = Literal["iters", "tol", "callback"]


class TrainResult(tuple["NDArray[np.float64]", float, "NDArray[np.float64]"]):
    """What `train` found; unpacks as ``w, b, costs``.

    Attributes
    ----------
    w : ndarray of shape (n_x, 1)
        Weights.
    b : float
        Bias.
    costs : ndarray of shape (k,)
        The cost J at the start of each of the k iterations.
    stopped : {"iters", "tol", "callback"}
        What ended the training.
    """

    __module__ = "logreg_c"

    stopped: Stopped

    def __new__(
        cls,
        w: NDArray[np.float64],
        b: float,
        costs: NDArray[np.float64],
        stopped: Stopped,
    ) -> Self:
        self = super().__new__(cls, (w, b, costs))
        self.stopped = stopped
        return self

    def __getnewargs__(self) -> tuple[object, ...]:  # for pickle and copy
        return (*self, self.stopped)

    @property
    def w(self) -> NDArray[np.float64]:
        return self[0]

    @property
    def b(self) -> float:
        return self[1]

    @property
    def costs(self) -> NDArray[np.float64]:
        return self[2]

    def __repr__(self) -> str:
        return f"TrainResult(w={self.w}, b={self.b}, costs={self.costs}, stopped={self.stopped!r})"


def train(
    X: ArrayLike,
    Y: ArrayLike,
    alpha: float,
    iters: int,
    *,
    w: ArrayLike | None = None,
    b: float = 0.0,
    l2: float = 0.0,
    sample_weight: ArrayLike | None = None,
    standardize: bool = False,
    tol: float | None = None,
    callback: Callable[[int, float, NDArray[np.float64], float], object] | None = None,
    dtype: DTypeLike | None = None,
    n_threads: int | None = None,
) -> TrainResult:
    """Train a logistic regression by batch gradient descent.

    Every iteration reads X once and computes ::

        Z = w.T X + b          A = sigmoid(Z)
        J = -mean(Y log A + (1 - Y) log(1 - A)) + l2/2 sum(w^2)
        dw = X (A - Y).T / m + l2 w          db = mean(A - Y)
        w = w - alpha dw       b = b - alpha db

    The bits of the result are the same for any number of threads, any instruction set and any
    operating system.

    Parameters
    ----------
    X : array_like of shape (n_x, m)
        One column an example; for data stored as (samples, features) pass ``X.T``. A float64 array
        in which the features or the examples are contiguous is read where it is, without a copy.
        Other dtypes and layouts are converted once.
    Y : array_like of shape (1, m) or (m,)
        Labels 0 and 1, or probabilities between.
    alpha : float
        Learning rate, > 0.
    iters : int
        Iterations to do at most, >= 0.
    w : array_like of shape (n_x, 1) or (n_x,), optional
        Weights to start from; zeros by default. Starting from the `w` and `b` of an earlier result
        continues that training bit for bit.
    b : float, optional
        Bias to start from.
    l2 : float, optional
        Strength of the l2 penalty on w, >= 0.
    sample_weight : array_like of shape (m,) or (1, m), optional
        Weights >= 0 of the examples: every mean becomes a weighted mean.
    standardize : bool, optional
        Descend as if every feature had mean 0 and variance 1. X is not copied; `alpha`, `l2`, `tol`
        and the costs are those of the standardised problem, `w` and `b` those of X as it is. A
        constant feature keeps its weight.
    tol : float, optional
        Stop when max(abs(dw), abs(db)) <= tol. The last cost is then J at the returned w, b.
    callback : callable, optional
        Called as ``callback(k, cost, w, b)`` after the update of iteration k, with the cost before
        it and a copy of w after it. A true return stops the training.
    dtype : dtype, optional
        The type to compute in: float64, the only one so far.
    n_threads : int, optional
        Threads to use at most, >= 1; by default what OpenMP would (``OMP_NUM_THREADS``).

    Returns
    -------
    TrainResult
        Unpacks as ``w, b, costs``, with w (n_x, 1) and costs (k,); the attribute `stopped` tells
        what ended the training.

    Raises
    ------
    ValueError
        Shapes that do not fit, values out of range, NaN or infinity in the data.
    TypeError
        Data that are not real numbers, settings of a wrong type.
    DivergenceError
        The data are finite, but w, b, Z or a sum leaves the range of float64. It carries the
        iteration and the last finite w, b and costs.
    TrainingInterrupted
        Ctrl-C. It is a KeyboardInterrupt that carries w, b and the costs so far.
    MemoryError
        No memory for the result or a conversion.

    Warns
    -----
    DivergenceWarning
        The last cost is above the first.

    Examples
    --------
    >>> import numpy as np
    >>> import logreg_c
    >>> X = np.array([[0.5, 1.5, 2.5, 3.5]])
    >>> Y = np.array([[0, 1, 0, 1]])
    >>> w, b, costs = logreg_c.train(X, Y, alpha=0.5, iters=1000)
    >>> w.shape, round(b, 3), costs.shape
    ((1, 1), -1.816, (1000,))
    >>> bool(costs[-1] < costs[0])
    True
    """
    X = _check.matrix(X)
    Y = _check.labels(Y, X)
    sample_weight = _check.weights(sample_weight, X)
    alpha = _check.positive(alpha, "alpha")
    iters = _check.integer(iters, "iters", 0)
    w = np.zeros((X.shape[0], 1)) if w is None else _check.coefficients(w, X)
    b = _check.number(b, "b")
    l2 = _check.not_negative(l2, "l2")
    # The kernel takes a negative tol for none.
    tol = -1.0 if tol is None else _check.not_negative(tol, "tol")
    if callback is not None and not callable(callback):
        msg = (
            f"callback is a {type(callback).__name__}; expected a callable that takes k, cost, w, b"
        )
        raise TypeError(msg)
    _check.arithmetic(dtype)
    problem = _kernel.Problem(X, Y, sample_weight, _check.threads(n_threads))
    problem.start(w, b, alpha, l2, tol)

    costs = np.empty(min(iters, FIRST_COSTS))
    stopped: Stopped = "iters"
    status = _kernel.OK
    try:
        if standardize and iters > 0:
            status = problem.standardize(np.empty((3, X.shape[0])))
        while status == _kernel.OK and problem.done < iters:
            if problem.done == costs.size:
                more = np.empty(min(iters, 2 * costs.size))
                more[: problem.done] = costs
                costs = more
            status = problem.descend(costs, costs.size - problem.done if callback is None else 1)
            if callback is not None and status == _kernel.OK:
                k = problem.done - 1
                if callback(k, costs.item(k), w.copy(), problem.b):
                    stopped = "callback"
                    break
    except KeyboardInterrupt:
        msg = f"interrupted after {problem.done} iterations; see the attributes w, b and costs"
        costs = costs[: problem.done].copy()
        raise TrainingInterrupted(msg, w, problem.b, costs) from None

    if problem.done < costs.size:
        costs = costs[: problem.done].copy()
    if status in (_kernel.PASS_OVERFLOW, _kernel.UPDATE_OVERFLOW):
        _check.raise_if_nonfinite(problem)
        iteration = problem.done - (status == _kernel.UPDATE_OVERFLOW)
        remedy = _remedy(iteration, alpha, l2, sample_weight, standardize=standardize)
        msg = f"iteration {iteration} left the range of float64: {remedy}"
        raise DivergenceError(msg, iteration, w, problem.b, costs)
    if status == _kernel.CONVERGED:
        stopped = "tol"
    if costs.size and costs[-1] > costs[0]:
        msg = (
            f"the cost rose from {costs[0]:.6g} to {costs[-1]:.6g}: choose alpha below {alpha:g}"
            + ("" if standardize else ", or pass standardize=True")
        )
        warnings.warn(msg, DivergenceWarning, stacklevel=2)
    return TrainResult(w, problem.b, costs, stopped)


def _sum(sample_weight: NDArray[np.float64]) -> float:
    with np.errstate(over="ignore"):
        return float(sample_weight.sum())


def _remedy(
    iteration: int,
    alpha: float,
    l2: float,
    sample_weight: NDArray[np.float64] | None,
    *,
    standardize: bool,
) -> str:
    if alpha * l2 > 2.0:
        return (
            f"alpha * l2 = {alpha * l2:g} is above 2, so the penalty alone makes w grow at every "
            f"iteration; choose alpha below 2 / l2 = {2.0 / l2:g}"
        )
    if sample_weight is not None and not SMALLEST_TOTAL <= _sum(sample_weight) < math.inf:
        return (
            f"sample_weight sums to {_sum(sample_weight):g}, where float64 loses precision or "
            "overflows; divide the weights by their largest"
        )
    if iteration == 0:
        return (
            "X, w or b is too large (or too small, for standardize=True) for a sum or a square to "
            "be a float64; rescale X, say by its largest magnitude"
        )
    if standardize:
        return f"choose alpha below {alpha:g}"
    return f"choose alpha below {alpha:g}, or rescale X: standardize=True does so without a copy"


def cost_and_gradient(
    X: ArrayLike,
    Y: ArrayLike,
    w: ArrayLike,
    b: float,
    *,
    l2: float = 0.0,
    sample_weight: ArrayLike | None = None,
    dtype: DTypeLike | None = None,
    n_threads: int | None = None,
) -> tuple[float, NDArray[np.float64], float]:
    """Compute the cost and its gradient at w, b in one pass over X.

    With Z = w.T X + b and A = sigmoid(Z)::

        J = -mean(Y log A + (1 - Y) log(1 - A)) + l2/2 sum(w^2)
        dw = X (A - Y).T / m + l2 w          db = mean(A - Y)

    Parameters
    ----------
    X : array_like of shape (n_x, m)
        One column an example, read as by `train`.
    Y : array_like of shape (1, m) or (m,)
        Labels 0 and 1, or probabilities between.
    w : array_like of shape (n_x, 1) or (n_x,)
        Weights.
    b : float
        Bias.
    l2 : float, optional
        Strength of the l2 penalty on w, >= 0.
    sample_weight : array_like of shape (m,) or (1, m), optional
        Weights >= 0 of the examples: every mean becomes a weighted mean.
    dtype : dtype, optional
        The type to compute in: float64, the only one so far.
    n_threads : int, optional
        Threads to use at most, >= 1; by default what OpenMP would.

    Returns
    -------
    J : float
        The cost.
    dw : ndarray of shape (n_x, 1)
        Its derivative by w.
    db : float
        Its derivative by b.

    Raises
    ------
    ValueError
        Shapes that do not fit, values out of range, NaN or infinity in the data.
    TypeError
        Data that are not real numbers, settings of a wrong type.
    OverflowError
        The data are finite, but Z or a sum leaves the range of float64.

    Examples
    --------
    >>> import logreg_c
    >>> J, dw, db = logreg_c.cost_and_gradient([[1.0, 2.0, 4.0]], [1, 0, 1], [0.0], 0.0)
    >>> round(J, 6), dw.round(6), round(db, 6)
    (0.693147, array([[-0.5]]), -0.166667)
    """
    X = _check.matrix(X)
    Y = _check.labels(Y, X)
    sample_weight = _check.weights(sample_weight, X)
    w = _check.coefficients(w, X)
    b = _check.number(b, "b")
    l2 = _check.not_negative(l2, "l2")
    _check.arithmetic(dtype)
    problem = _kernel.Problem(X, Y, sample_weight, _check.threads(n_threads))
    dw = np.empty_like(w)
    status, J, db = problem.cost_and_gradient(w, b, l2, dw)
    if status != _kernel.OK:
        _check.raise_if_nonfinite(problem)
        msg = "Z = w.T X + b, or a sum over it, overflows float64: rescale X, w or sample_weight"
        raise OverflowError(msg)
    return J, dw, db
