# SPDX-License-Identifier: BSD-3-Clause
"""Textbook logistic regression in NumPy: the per-example loop and the vectorized form.

This is the slow, simple counterpart of `logreg_c.train`. Read it next to the formulas, and use it
to check `train`. One iteration is::

    Z = w'X + b        A = sigmoid(Z)        J = -mean(Y log A + (1 - Y) log(1 - A))
    dZ = A - Y         dw = X dZ' / m        db = sum(dZ) / m
    w = w - alpha dw   b = b - alpha db

X is (n_x, m), with one example per column. Y is (1, m). w and b start at 0.

Where it fails
--------------
The reference is reliable while every abs(Z) stays below 15. Beyond that, the formulas themselves
lose accuracy in floating point, and `logreg_c.train` stays accurate:

- ``1 - A`` and ``A - Y`` cancel when A is close to 1. At Z = 15 the difference has 9 correct digits
  left. From Z = 37 on, A rounds to 1 and no digit is left.
- ``log(0)`` follows. An example with label 0 then costs ``-log(1 - 1)``, which is inf, and an
  example with label 1 costs ``0 * -inf``, which makes J nan. NumPy only warns about either.
- ``exp(-Z)`` overflows below Z = -709.7, with a warning. A becomes 0, so ``log(A)`` fails too.

Mistakes in published versions
------------------------------
These two forms have been copied many times. If your version disagrees with this one, look for:

``dw_2 += x[1] * dz``
    It should be the second feature's value in this example, ``X[1, i]``. If features are counted
    from 1, ``x[1]`` is the first feature, so w_2 follows the wrong slope. If x is the matrix,
    ``x[1]`` is a whole row, and dw_2 silently becomes an array of length m.
``dz += a - y``
    It should be ``dz = a - y``, because dz belongs to one example. Accumulating it counts each
    example again in every later one, so the gradient grows with m and depends on the order of the
    examples.
``db`` never divided by m
    The bias takes steps m times too long, and swings even if alpha is small enough for w.
``b = b - alpha * b``
    It should be ``alpha * db``. The bias decays toward 0 whatever the data are; from 0 it never
    moves.
``np.zeros(n_x, 1)``
    The second argument is the dtype, so this is a TypeError. The shape is a tuple, ``(n_x, 1)``.
``Y * log(1 - A) + (1 - Y) * log(A)``
    The arguments of log are swapped in J, so the cost rises while the model improves. w and b are
    still right, because the descent never uses J.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from typing import TypeAlias

    from numpy.typing import NDArray

    Array: TypeAlias = NDArray[np.float64]

__all__ = ["sigmoid", "softmax", "train_loop", "train_softmax", "train_vectorized"]


def sigmoid(Z: Array) -> Array:
    """Return ``1 / (1 + exp(-Z))`` for each element.

    Parameters
    ----------
    Z : ndarray
        Any shape.

    Returns
    -------
    A : ndarray
        The same shape as Z. Below Z = -709.7, NumPy warns that exp overflows, and A is 0.

    Examples
    --------
    >>> import numpy as np
    >>> from logreg_c import reference
    >>> reference.sigmoid(np.array([-2.0, 0.0, 2.0]))
    array([0.11920292, 0.5       , 0.88079708])
    """
    return 1 / (1 + np.exp(-Z))


def train_loop(X: Array, Y: Array, alpha: float, iters: int) -> tuple[Array, float, Array]:
    """Descend with one loop over examples and one over features, as on a blackboard.

    Parameters
    ----------
    X : ndarray, shape (n_x, m)
        One example per column.
    Y : ndarray, shape (1, m)
        Labels, 0 or 1.
    alpha : float
        Learning rate.
    iters : int
        Number of updates of w and b.

    Returns
    -------
    w : ndarray, shape (n_x, 1)
    b : float
    costs : ndarray, shape (iters,)
        The cost J before each update.

    See Also
    --------
    train_vectorized : The same without the inner loops.

    Examples
    --------
    >>> import numpy as np
    >>> from logreg_c import reference
    >>> X = np.array([[0.0, 1.0, 2.0, 3.0]])
    >>> Y = np.array([[0.0, 0.0, 1.0, 1.0]])
    >>> w, b, costs = reference.train_loop(X, Y, alpha=0.5, iters=2)
    >>> w, round(b, 6)
    (array([[0.39442109]]), -0.045477)
    """
    n_x, m = X.shape
    w = np.zeros((n_x, 1))
    b = 0.0
    costs = np.zeros(iters)
    for k in range(iters):
        J = 0.0
        dw = np.zeros((n_x, 1))
        db = 0.0
        for i in range(m):
            z = 0.0
            for j in range(n_x):
                z += w[j, 0] * X[j, i]
            z += b
            a = 1 / (1 + np.exp(-z))
            J += -(Y[0, i] * np.log(a) + (1 - Y[0, i]) * np.log(1 - a))
            dz = a - Y[0, i]
            for j in range(n_x):
                dw[j, 0] += X[j, i] * dz
            db += dz
        costs[k] = J / m
        w = w - alpha * (dw / m)
        b = b - alpha * (db / m)
    return w, float(b), costs


def train_vectorized(X: Array, Y: Array, alpha: float, iters: int) -> tuple[Array, float, Array]:
    """Descend with whole arrays: two reads of X and five temporaries of length m per iteration.

    Parameters
    ----------
    X : ndarray, shape (n_x, m)
        One example per column.
    Y : ndarray, shape (1, m)
        Labels, 0 or 1.
    alpha : float
        Learning rate.
    iters : int
        Number of updates of w and b.

    Returns
    -------
    w : ndarray, shape (n_x, 1)
    b : float
    costs : ndarray, shape (iters,)
        The cost J before each update.

    See Also
    --------
    train_loop : The same, one example at a time.

    Examples
    --------
    >>> import numpy as np
    >>> from logreg_c import reference
    >>> X = np.array([[0.0, 1.0, 2.0, 3.0]])
    >>> Y = np.array([[0.0, 0.0, 1.0, 1.0]])
    >>> w, b, costs = reference.train_vectorized(X, Y, alpha=0.5, iters=2)
    >>> w, round(b, 6)
    (array([[0.39442109]]), -0.045477)
    """
    n_x, m = X.shape
    w = np.zeros((n_x, 1))
    b = 0.0
    costs = np.zeros(iters)
    for k in range(iters):
        Z = np.dot(w.T, X) + b
        A = sigmoid(Z)
        J = -np.mean(Y * np.log(A) + (1 - Y) * np.log(1 - A))
        dZ = A - Y
        dw = np.dot(X, dZ.T) / m
        db = np.sum(dZ) / m
        costs[k] = J
        w = w - alpha * dw
        b = b - alpha * db
    return w, float(b), costs


def softmax(Z: Array) -> Array:
    """Return ``exp(Z) / sum(exp(Z))`` for each column.

    Parameters
    ----------
    Z : ndarray, shape (K, m)

    Returns
    -------
    A : ndarray, shape (K, m)
        Each column sums to 1. The largest Z of a column is subtracted first: it cancels, and exp
        cannot overflow.

    Examples
    --------
    >>> import numpy as np
    >>> from logreg_c import reference
    >>> reference.softmax(np.array([[0.0], [0.0], [2.0]])).round(3)
    array([[0.107],
           [0.107],
           [0.787]])
    """
    E = np.exp(Z - np.max(Z, axis=0))
    A: Array = E / np.sum(E, axis=0)
    return A


def train_softmax(X: Array, Y: Array, alpha: float, iters: int) -> tuple[Array, Array, Array]:
    """Descend with several classes: softmax regression, with a column of w for each class.

    Parameters
    ----------
    X : ndarray, shape (n_x, m)
        One example per column.
    Y : ndarray, shape (K, m)
        1 in the row of the example's class and 0 elsewhere, or probabilities that sum to 1.
    alpha : float
        Learning rate.
    iters : int
        Number of updates of w and b.

    Returns
    -------
    w : ndarray, shape (n_x, K)
    b : ndarray, shape (K, 1)
    costs : ndarray, shape (iters,)
        The cost J before each update.

    See Also
    --------
    train_vectorized : The same with one output.

    Examples
    --------
    >>> import numpy as np
    >>> from logreg_c import reference
    >>> X = np.array([[0.0, 1.0, 2.0, 3.0]])
    >>> Y = np.array([[1, 0, 0, 0], [0, 1, 1, 0], [0, 0, 0, 1]])
    >>> w, b, costs = reference.train_softmax(X, Y, alpha=0.5, iters=2)
    >>> w.round(4)
    array([[-0.3753,  0.1682,  0.2072]])
    """
    n_x, m = X.shape
    w = np.zeros((n_x, len(Y)))
    b = np.zeros((len(Y), 1))
    costs = np.zeros(iters)
    for k in range(iters):
        Z = np.dot(w.T, X) + b
        A = softmax(Z)
        J = -np.sum(Y * np.log(A)) / m
        dZ = A - Y
        dw = np.dot(X, dZ.T) / m
        db = np.sum(dZ, axis=1, keepdims=True) / m
        costs[k] = J
        w = w - alpha * dw
        b = b - alpha * db
    return w, b, costs
