# SPDX-License-Identifier: BSD-3-Clause
"""Predictions for examples from a trained w and b."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from . import _input, _kernel
from ._outputs import labels_of, outputs_of, threshold_for

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, DTypeLike, NDArray


def predict_proba(
    X: ArrayLike,
    w: ArrayLike,
    b: ArrayLike,
    *,
    dtype: DTypeLike | None = None,
    n_threads: int | None = None,
) -> NDArray[np.float64]:
    """Compute the probability of label 1 for every example: A = sigmoid(w.T X + b).

    Parameters
    ----------
    X : array_like or sparse (n_x, m), list of n_x arrays (m,), data frame, or Batches
        One example per column, or per row of a data frame or of batches; read as by `train`.
    w : array_like of shape (n_x, 1) or (n_x,), or (n_x, K) with K classes
        Weights. Those that were trained on a data frame take their columns from X by name, in any
        order and among any others. Other weights take the columns in their order.
    b : float, or array_like of shape (K, 1) or (K,)
        Bias.
    dtype : dtype, optional
        The type to compute in. The default is float64 for every type of X, so that features far
        from 0 keep their digits. float32 is faster for the types that it can hold.
    n_threads : int, optional
        The largest number of threads, >= 1; by default OpenMP's.

    Returns
    -------
    ndarray of shape (1, m) or (K, m)
        A, within [0, 1]; with K classes softmax(w.T X + b), a row for each.

    Raises
    ------
    ValueError
        Shapes that do not fit, NaN or infinity in the data.
    TypeError
        Data that are not real numbers, settings of a wrong type.
    ModuleNotFoundError
        X is a data frame and the extra ``frames`` is not installed.
    OverflowError
        The data are finite, but a Z leaves the range of float64.

    Warns
    -----
    UserWarning
        X is a data frame whose columns have names, and w has none.

    Examples
    --------
    >>> import logreg_c
    >>> logreg_c.predict_proba([[-2.0, 0.0, 2.0]], [1.0], 0.0).round(3)
    array([[0.119, 0.5  , 0.881]])
    """
    settings: dict[str, Any] = {"dtype": dtype, "n_threads": n_threads, "categories": True}
    return forward(X, w, b, probabilities=True, **settings)


def forward(
    X: ArrayLike,
    w: ArrayLike,
    b: ArrayLike,
    *,
    probabilities: bool,
    dtype: DTypeLike | None,
    n_threads: int | None,
    categories: bool = False,
) -> NDArray[np.float64]:
    """Compute A, or else Z = w.T X + b: of shape (1, m), or (K, m) with K classes."""
    dtype = np.float64 if dtype is None else dtype
    if hasattr(X, "outputs"):  # batches
        pieces = X.outputs(w, b, probabilities=probabilities, dtype=dtype, n_threads=n_threads)
        return np.concatenate(list(pieces), axis=1)
    examples = _input.examples(X, dtype, w, categories=categories, unseen=True)
    out = outputs_of(examples, w, b, probabilities=probabilities, n_threads=n_threads)
    if probabilities and not _input.several_outputs(w, b):  # the estimator compares names itself
        _input.warn_of_lost_names(w, examples, stacklevel=4)
    return out


def predict(
    X: ArrayLike,
    w: ArrayLike,
    b: ArrayLike,
    *,
    threshold: float = 0.5,
    dtype: DTypeLike | None = None,
    n_threads: int | None = None,
) -> NDArray[np.int64]:
    """Predict the label of every example: 1 where sigmoid(w.T X + b) > threshold, else 0.

    Parameters
    ----------
    X : array_like or sparse (n_x, m), list of n_x arrays (m,), data frame, or Batches
        One example per column, or per row of a data frame or of batches; read as by `train`.
    w : array_like of shape (n_x, 1) or (n_x,), or (n_x, K) with K classes
        Weights. Those that were trained on a data frame take their columns from X by name, in any
        order and among any others. Other weights take the columns in their order.
    b : float, or array_like of shape (K, 1) or (K,)
        Bias.
    threshold : float, optional
        The probability within [0, 1] above which an example gets label 1.
    dtype : dtype, optional
        The type to compute in. The default is float64 for every type of X, so that features far
        from 0 keep their digits. float32 is faster for the types that it can hold.
    n_threads : int, optional
        The largest number of threads, >= 1; by default OpenMP's.

    Returns
    -------
    ndarray of shape (1, m)
        Labels 0 and 1, int64; with K classes that of the largest probability, 0 to K - 1.

    Raises
    ------
    ValueError
        Shapes that do not fit, a threshold outside [0, 1], NaN or infinity in the data.
    TypeError
        Data that are not real numbers, settings of a wrong type.
    ModuleNotFoundError
        X is a data frame and the extra ``frames`` is not installed.
    OverflowError
        The data are finite, but a Z leaves the range of float64.

    Warns
    -----
    UserWarning
        X is a data frame whose columns have names, and w has none.

    Examples
    --------
    >>> import logreg_c
    >>> print(logreg_c.predict([[-2.0, 0.0, 2.0]], [1.0], 0.0))
    [[0 0 1]]
    """
    limit = threshold_for(w, b, threshold)
    settings: dict[str, Any] = {"dtype": dtype, "n_threads": n_threads, "categories": True}
    out = forward(X, w, b, probabilities=limit is not None, **settings)
    return labels_of(out, limit)


def sigmoid(Z: ArrayLike) -> NDArray[np.float64] | np.float64:
    """Compute 1 / (1 + exp(-Z)) within 2 ulp, for every value of Z.

    Parameters
    ----------
    Z : array_like
        Any shape. NaN gives NaN, infinity 1, minus infinity 0.

    Returns
    -------
    ndarray or float64
        The shape of Z; a float64 for a single number.

    Raises
    ------
    TypeError
        Z does not hold real numbers.

    Examples
    --------
    >>> import logreg_c
    >>> logreg_c.sigmoid([-1000.0, 0.0, 1000.0])
    array([0. , 0.5, 1. ])
    """
    array = _input.contiguous(Z, "Z")
    A = np.empty(array.shape)
    _kernel.sigmoid(array, A, A.size)
    return A[()]
