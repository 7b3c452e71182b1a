# SPDX-License-Identifier: BSD-3-Clause
"""The public functions over labeled examples: check what is passed, call, wrap the result."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from . import _input
from ._errors import DivergenceWarning
from ._names import named
from ._parts import classes_of, objective_of, opened
from ._result import TrainResult
from ._softmax import Classes, train_classes
from ._solvers.descent import descend
from ._solvers.divergence import warning_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, DTypeLike, NDArray

    from ._solvers.training import Callback


def train(
    X: ArrayLike,
    Y: ArrayLike,
    alpha: float | Literal["auto"],
    iters: int,
    *,
    w: ArrayLike | None = None,
    b: float | ArrayLike = 0.0,
    l2: float = 0.0,
    sample_weight: ArrayLike | None = None,
    standardize: bool = False,
    tol: float | None = None,
    callback: Callback | Sequence[Callback] | None = None,
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
    X : array_like or sparse of shape (n_x, m), list of n_x arrays of shape (m,), or data frame
        One example per column; for data stored as (samples, features) pass ``X.T``. X is read in
        place, in its own type (float64, float32, float16, bool, or an integer of 8, 16, 32 or 64
        bits except uint32 and uint64), if the values of a feature or those of an example are
        contiguous. The arrays of a list may differ in type and have any stride. Anything else is
        copied once. In a data frame (pandas, polars, PyArrow or another that narwhals supports;
        extra ``frames``) each column is a feature and each row an example: pass it as it is. A
        sparse CSC matrix of SciPy is read in place, and a CSR matrix is converted once. For data
        larger than memory pass batches from `logreg_c.batches`, and as Y and sample_weight the
        names of columns, or arrays.
    Y : array_like of shape (1, m) or (m,), or a series
        Labels 0 and 1, or probabilities between them; read in place, like X. For several classes,
        softmax regression: integers 0, 1, ... K - 1 of which one is above 1, or (K, m) with a 1 in
        the row of each example's class, or, over X in memory, with probabilities that sum to 1.
        Then w is (n_x, K) and b (K, 1), and ``A = softmax(Z)``.
    alpha : float or "auto"
        Learning rate, > 0. "auto" takes the inverse of a bound on the curvature of J. With it, J
        falls at every iteration from any start. Finding it reads X up to 11 times. The attribute
        `alpha` of the result is the rate that was used.
    iters : int
        The largest number of iterations, >= 0.
    w : array_like of shape (n_x, 1) or (n_x,), or (n_x, K), optional
        Weights to start from; zeros by default. Weights that were trained on a data frame take
        their columns from X by name. Starting from the `w` and `b` of an earlier result
        continues that training bit for bit. With `standardize` this holds while abs(b) <= 4096: a
        larger b has too few digits for it, and the training continues to within rounding.
    b : float, or array_like of shape (K, 1) or (K,), optional
        Bias to start from.
    l2 : float, optional
        Strength of the l2 penalty on w, >= 0.
    sample_weight : array_like of shape (m,) or (1, m), or a series, optional
        Weights >= 0 of the examples: every mean becomes a weighted mean.
    standardize : bool, optional
        Descend as if every feature had mean 0 and variance 1. X is not copied; `alpha`, `l2`, `tol`
        and the costs are those of the standardized problem, `w` and `b` those of X as it is. A
        constant feature keeps its weight. Not for sparse X.
    tol : float, optional
        Stop when max(abs(dw), abs(db)) <= tol. The last cost is then J at the returned w, b.
    callback : callable or list of callables, optional
        Called as ``callback(k, cost, w, b)`` after the update of iteration k, with the cost before
        it and a copy of w after it. A true return value stops the training. `logreg_c.callbacks`
        has a progress bar, early stopping and checkpoints.
    dtype : dtype, optional
        The type to compute in: float64 or float32. By default float64 where a feature is a float64,
        int64 or int32, and otherwise float32, with sums over blocks of examples in float64.
    n_threads : int, optional
        The largest number of threads, >= 1; by default OpenMP's (``OMP_NUM_THREADS``).

    Returns
    -------
    TrainResult
        Unpacks as ``w, b, costs``, with w (n_x, 1) and costs (k,); the attribute `stopped` says
        what ended the training.

    Raises
    ------
    ValueError
        Shapes that do not fit, values out of range, NaN or infinity in the data.
    TypeError
        Data that are not real numbers, settings of a wrong type.
    ModuleNotFoundError
        X is a data frame and the extra ``frames`` is not installed.
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
        The cost rose in 5 % of the iterations or more, or ended above its lowest value, both by
        more than rounding. The message names the iterations.

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
    examples, source = opened(X, Y, w=w, dtype=dtype, sample_weight=sample_weight)
    several = classes_of(Y, examples, source, w, soft=True)
    shared: Any = {"sample_weight": sample_weight, "n_threads": n_threads}
    problem = (  # before anything else is looked at, which may change what it was made of
        objective_of(examples, source, Y, **shared)
        if several is None
        else Classes(examples, *several, source=source, w=w, b=b, **shared)
    )
    iters = _input.integer(iters, "iters", 0)
    l2 = _input.not_negative(l2, "l2")
    standardize = _input.boolean(standardize, "standardize")
    tol = -1.0 if tol is None else _input.not_negative(tol, "tol")
    callbacks = _input.callbacks(callback)
    if not (isinstance(alpha, str) and alpha == "auto"):
        alpha = _input.positive(alpha, "alpha", "a finite number > 0, or 'auto'")
    if isinstance(problem, Classes):
        goal: Any = {"l2": l2, "standardize": standardize, "tol": tol, "callbacks": callbacks}
        return train_classes(problem, alpha, iters, **goal)
    start = np.zeros((examples.shape[0], 1)) if w is None else _input.coefficients(w, examples)
    b = _input.number(b, "b")
    found = descend(
        problem,
        alpha,
        iters,
        w=named(start, examples.names),
        b=b,
        l2=l2,
        standardize=standardize,
        tol=tol,
        callbacks=callbacks,
    )
    if found.fault:
        msg = warning_of(found.fault, found.alpha, l2, standardize=standardize)
        warnings.warn(msg, DivergenceWarning, stacklevel=2)
    return TrainResult(found.w, found.b, found.costs, found.stopped, examples.names, found.alpha)


def cost_and_gradient(
    X: ArrayLike,
    Y: ArrayLike,
    w: ArrayLike,
    b: ArrayLike,
    *,
    l2: float = 0.0,
    sample_weight: ArrayLike | None = None,
    dtype: DTypeLike | None = None,
    n_threads: int | None = None,
) -> tuple[float, NDArray[np.float64], Any]:
    """Compute the cost and its gradient at w, b in one pass over X.

    With Z = w.T X + b and A = sigmoid(Z)::

        J = -mean(Y log A + (1 - Y) log(1 - A)) + l2/2 sum(w^2)
        dw = X (A - Y).T / m + l2 w          db = mean(A - Y)

    Parameters
    ----------
    X : array_like or sparse of shape (n_x, m), list of n_x arrays of shape (m,), or data frame
        One example per column, or per row of a data frame; read as by `train`.
    Y : array_like of shape (1, m) or (m,), or a series
        Labels 0 and 1, or probabilities between them. For several classes, softmax regression:
        integers 0, 1, ... K - 1 of which one is above 1, or (K, m) with a 1 in the row of each
        example's class or with probabilities that sum to 1.
    w : array_like of shape (n_x, 1) or (n_x,), or (n_x, K)
        Weights. Those that were trained on a data frame take their columns from X by name.
    b : float, or array_like of shape (K, 1) or (K,)
        Bias.
    l2 : float, optional
        Strength of the l2 penalty on w, >= 0.
    sample_weight : array_like of shape (m,) or (1, m), or a series, optional
        Weights >= 0 of the examples: every mean becomes a weighted mean.
    dtype : dtype, optional
        The type to compute in: float64 or float32. By default float64 where a feature is a float64,
        int64 or int32, and otherwise float32, with sums over blocks of examples in float64.
    n_threads : int, optional
        The largest number of threads, >= 1; by default OpenMP's.

    Returns
    -------
    J : float
        The cost.
    dw : ndarray of shape (n_x, 1) or (n_x, K)
        Its derivative with respect to w.
    db : float, or ndarray of shape (K, 1)
        Its derivative with respect to b.

    Raises
    ------
    ValueError
        Shapes that do not fit, values out of range, NaN or infinity in the data.
    TypeError
        Data that are not real numbers, settings of a wrong type.
    ModuleNotFoundError
        X is a data frame and the extra ``frames`` is not installed.
    OverflowError
        The data are finite, but Z or a sum leaves the range of float64.

    Examples
    --------
    >>> import logreg_c
    >>> J, dw, db = logreg_c.cost_and_gradient([[1.0, 2.0, 4.0]], [1, 0, 1], [0.0], 0.0)
    >>> round(J, 6), dw.round(6), round(db, 6)
    (0.693147, array([[-0.5]]), -0.166667)
    """
    examples, source = opened(X, Y, w=w, dtype=dtype, sample_weight=sample_weight)
    several = classes_of(Y, examples, source, w, soft=True)
    l2 = _input.not_negative(l2, "l2")
    shared: Any = {"sample_weight": sample_weight, "n_threads": n_threads}
    if several is not None:
        classes = Classes(examples, *several, source=source, w=w, b=b, **shared)
        J, dw, of_b = classes.objective.softmax(classes.w, classes.b, l2)
        return J, dw, of_b[:, np.newaxis]
    objective = objective_of(examples, source, Y, **shared)
    return objective(_input.coefficients(w, examples), _input.number(b, "b"), l2)
