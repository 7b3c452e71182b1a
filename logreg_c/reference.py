# SPDX-License-Identifier: BSD-3-Clause
"""Logistic regression as it is taught, in NumPy: the per-example loop and the vectorised form.

This is the slow twin of `logreg_c.train`: read it beside the formulas, and check us with it. One
iteration is::

    Z = w'X + b        A = sigmoid(Z)        J = -mean(Y log A + (1 - Y) log(1 - A))
    dZ = A - Y         dw = X dZ' / m        db = sum(dZ) / m
    w = w - alpha dw   b = b - alpha db

X is (n_x, m), one column an example; Y is (1, m); w starts as zeros, b as 0.

Where it fails
--------------
It is a sound check while every abs(Z) stays below 15. Beyond that the formulas, not the code, give
way, and `logreg_c.train` is right where this is not:

- ``1 - A`` and ``A - Y`` cancel where A is close to 1. At Z = 15 the difference has 9 good digits
  left; from Z = 37 on A rounds to 1 and it has none.
- ``log(0)``: then the cost of an example on the wrong side is ``-log(1 - 1)``, which is inf, and
  that of an example with the label 1 is ``0 * -inf``, which makes J nan. Both only warn.
- ``exp(-Z)`` overflows below Z = -709.7, with a warning; A becomes 0, so ``log(A)`` fails too.

Slips of published versions
---------------------------
These two forms have been copied many times. If yours disagrees with this one, look for:

``dw_2 += x[1] * dz``
    For the second feature's own value in this example, ``X[1, i]``. Where features count from 1
    this is the first feature's slope, so w_2 follows a slope that is not its own; where x is the
    matrix, ``x[1]`` is a whole row and dw_2 silently turns into an array of m.
``dz += a - y``
    dz belongs to one example. Added up, each example counts again in every later one: the
    gradient grows with m and depends on the order of the examples.
``db`` never divided by m
    The bias takes steps m times too long and swings, however small alpha is for w.
``b = b - alpha * b``
    For ``alpha * db``: the bias decays towards 0 whatever the data say; from 0 it never moves.
``np.zeros(n_x, 1)``
    The second argument is the dtype: a TypeError. The shape is one tuple, ``(n_x, 1)``.
``Y * log(1 - A) + (1 - Y) * log(A)``
    The arguments of log swapped in J: the cost rises while the model improves. w and b come out
    right, as the descent never uses J.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from typing import TypeAlias

    from numpy.typing import NDArray

    Array: TypeAlias = NDArray[np.float64]

__all__ = ["sigmoid", "train_loop", "train_vectorized"]


def sigmoid(Z: Array) -> Array:
    """Return ``1 / (1 + exp(-Z))``, element by element.

    Parameters
    ----------
    Z : ndarray
        Of any shape.

    Returns
    -------
    A : ndarray
        Of the shape of Z. Below Z = -709.7 NumPy warns that exp overflows, and A is 0.

    Examples
    --------
    >>> import numpy as np
    >>> from logreg_c import reference
    >>> reference.sigmoid(np.array([-2.0, 0.0, 2.0]))
    array([0.11920292, 0.5       , 0.88079708])
    """
    return 1 / (1 + np.exp(-Z))


def train_loop(X: Array, Y: Array, alpha: float, iters: int) -> tuple[Array, float, Array]:
    """Descend with one loop over the examples and one over the features, as on the blackboard.

    Parameters
    ----------
    X : ndarray, shape (n_x, m)
        One column an example.
    Y : ndarray, shape (1, m)
        Labels, 0 or 1.
    alpha : float
        Learning rate.
    iters : int
        How many times to update w and b.

    Returns
    -------
    w : ndarray, shape (n_x, 1)
    b : float
    costs : ndarray, shape (iters,)
        J before each update.

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
    """Descend with whole arrays: two readings of X and five temporaries of m an iteration.

    Parameters
    ----------
    X : ndarray, shape (n_x, m)
        One column an example.
    Y : ndarray, shape (1, m)
        Labels, 0 or 1.
    alpha : float
        Learning rate.
    iters : int
        How many times to update w and b.

    Returns
    -------
    w : ndarray, shape (n_x, 1)
    b : float
    costs : ndarray, shape (iters,)
        J before each update.

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
