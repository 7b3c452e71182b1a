# SPDX-License-Identifier: BSD-3-Clause
"""The minimum, without asking: check what is passed, search, wrap the result."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from . import _input
from ._errors import ConvergenceWarning
from ._names import named
from ._parts import classes_of, objective_of, opened
from ._result import FitResult
from ._softmax import Classes, fit_classes, refuse
from ._solvers.firth import check_firth, minimize_firth
from ._solvers.minimum import minimize
from ._solvers.penalized import minimize_penalized
from ._solvers.penalty import Penalty

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, DTypeLike

    from ._input import Examples
    from ._solvers.result import Solution
    from ._solvers.training import Callback

MAX_PASSES = 1000


def fit(
    X: ArrayLike,
    Y: ArrayLike,
    *,
    l2: float = 0.0,
    l1: float = 0.0,
    penalty_factors: ArrayLike | None = None,
    lower: ArrayLike | None = None,
    upper: ArrayLike | None = None,
    firth: bool = False,
    sample_weight: ArrayLike | None = None,
    w: ArrayLike | None = None,
    b: float | ArrayLike | None = None,
    intercept: bool = True,
    tol: float = 1e-9,
    max_passes: int | None = None,
    callback: Callback | Sequence[Callback] | None = None,
    dtype: DTypeLike | None = None,
    n_threads: int | None = None,
) -> FitResult:
    """Find the minimum of the cost: no learning rate, no scaling, no number of iterations.

    The cost is that of `train` ::

        Z = w.T X + b          A = sigmoid(Z)
        J = -mean(Y log A + (1 - Y) log(1 - A)) + l2/2 sum(w^2) + l1 sum(abs(w))

    A small sample of the examples is solved first, then a larger one. The curvature of J on the
    largest makes steps on all examples that usually reach the minimum in 2 to 10 passes over X, of
    features as they come: correlated, of very different scales, or collinear. The bits of the
    result are the same for any number of threads, any instruction set and any operating system.

    With `l1`, factors or bounds, steps go to the minimum of a model that keeps these as they are,
    and most of them read only the features that matter. The w of the others are exactly 0. There
    are two classes then, and everything is computed in float64.

    Parameters
    ----------
    X : array_like or sparse of shape (n_x, m), list of n_x arrays of shape (m,), or data frame
        One example per column, or per row of a data frame; read as by `train`.
    Y : array_like of shape (1, m) or (m,), or a series
        Labels 0 and 1, or probabilities between them. For several classes, softmax regression:
        integers 0, 1, ... K - 1 of which one is above 1, or (K, m) with a 1 in the row of each
        example's class or, over X in memory, with probabilities that sum to 1.
    l2 : float, optional
        Strength of the l2 penalty on w, >= 0. The C of scikit-learn is 1 / (l2 sum of weights).
    l1 : float, optional
        Strength of the l1 penalty on w, >= 0. It makes many w exactly 0, and with `l2` is the
        elastic net: in scikit-learn's terms, with C and l1_ratio, l1 is l1_ratio / (C sum of
        weights) and l2 is (1 - l1_ratio) / (C sum of weights).
    penalty_factors : array_like of shape (n_x,), optional
        Numbers >= 0 that multiply both penalties of each feature; 0 for one without a penalty.
    lower, upper : float or array_like of shape (n_x,), optional
        The least and the largest value of w, of all or of each feature: ``lower=0.0`` for weights
        that are not negative.
    firth : bool, optional
        Whether to add Firth's penalty to the cost, ``- log(det(I)) / (2 m)`` with the information
        I = sum(s A (1 - A) x x.T) of the weights s. It removes most of the bias of w and b in small
        samples, and there is always a minimum, even where a plane separates the classes [1]_ [2]_.
        Everything is computed in float64; X is dense and read five times per step; other penalties
        and bounds have to be left out.
    sample_weight : array_like of shape (m,) or (1, m), or a series, optional
        Weights >= 0 of the examples: every mean becomes a weighted mean. With `firth`, an example
        of weight 2 counts as two.
    w : array_like of shape (n_x, 1) or (n_x,), or (n_x, K), optional
        Weights to start from, close to the minimum. By default samples find where to start; with
        `firth`, 0, which also replaces a start with a higher cost.
    b : float, or array_like of shape (K, 1) or (K,), optional
        Bias to start from; with `intercept=False`, the bias that stays.
    intercept : bool, optional
        Whether b is fitted too. Otherwise it stays 0, or as passed.
    tol : float, optional
        Stop when the relative gap (J - min J) / J is at most this, >= 0, as the slope and the
        curvature predict it. With 0 the search ends when rounding hides what could be gained.
    max_passes : int, optional
        The largest number of passes over X, >= 1; by default 1000. The point to start from is
        evaluated in any case, and that may take more than one pass.
    callback : callable or list of callables, optional
        Called as ``callback(k, cost, w, b)`` after step k, with the cost at w and b. A true return
        value ends the search. `logreg_c.callbacks` has a progress bar, early stopping and
        checkpoints.
    dtype : dtype, optional
        The type to compute in first: float64 or float32, chosen by default as by `train`. A search
        in float32 goes on in float64 where float32 does not resolve the gap.
    n_threads : int, optional
        The largest number of threads, >= 1; by default OpenMP's (``OMP_NUM_THREADS``).

    Returns
    -------
    FitResult
        Unpacks as ``w, b, costs``, with w (n_x, 1); the attributes `converged`, `stopped`, `gap`
        and `passes` say how the search ended.

    Raises
    ------
    ValueError
        Shapes that do not fit, values out of range, NaN or infinity in the data. With `firth`,
        features that are constant or a combination of others, which the message names.
    TypeError
        Data that are not real numbers, settings of a wrong type.
    ModuleNotFoundError
        X is a data frame and the extra ``frames`` is not installed.
    OverflowError
        The data are finite, but Z, a sum or the square of a feature leaves the range of float64.
    TrainingInterrupted
        Ctrl-C. It is a KeyboardInterrupt that carries w, b and the costs so far.
    MemoryError
        No memory for the result, a conversion, or a sample.

    Warns
    -----
    ConvergenceWarning
        There is no minimum, because a plane separates the classes and l2 is 0, or all labels are
        alike; or `max_passes` were not enough; or rounding hides how to lower J further. Or the
        weights of features that the warning names grow without bound, because a plane separates
        some of the examples and leaves the others on it (quasi-separation): `converged` is true
        where J is within `tol` of its infimum. This is seen in the last steps of a search without a
        penalty, in nearly all cases where `tol` is 1e-6 or less, and in some where it is larger. A
        search that `tol` has ended, and that may have no minimum, goes on for that, by up to 60
        passes for each further factor of 1,000; what is returned stays the same.

    References
    ----------
    .. [1] D. Firth, Bias reduction of maximum likelihood estimates, Biometrika 80, 1993.
    .. [2] G. Heinze and M. Schemper, A solution to the problem of separation in logistic
       regression, Statistics in Medicine 21, 2002.

    Examples
    --------
    >>> import numpy as np
    >>> import logreg_c
    >>> X = np.array([[0.5, 1.5, 2.5, 3.5]])
    >>> Y = np.array([[0, 1, 0, 1]])
    >>> result = logreg_c.fit(X, Y)
    >>> result.w.round(6), round(result.b, 6), result.converged
    (array([[0.908184]]), -1.816368, True)
    """
    examples, source = opened(X, Y, w=w, dtype=dtype, sample_weight=sample_weight)
    l2 = _input.not_negative(l2, "l2")
    l1 = _input.not_negative(l1, "l1")
    firth = _input.boolean(firth, "firth")
    penalized = l1 > 0.0 or any(value is not None for value in (penalty_factors, lower, upper))
    examples = prepared(examples, penalized=penalized, firth=firth)
    several = classes_of(Y, examples, source, w, soft=True)
    shared: dict[str, Any] = {"sample_weight": sample_weight, "n_threads": n_threads}
    max_passes = MAX_PASSES if max_passes is None else _input.integer(max_passes, "max_passes", 1)
    fixed_b = not _input.boolean(intercept, "intercept")
    tol = _input.not_negative(tol, "tol")
    callbacks = _input.callbacks(callback)
    warm = w is not None or (b is not None and not fixed_b)
    if several is not None:
        given = {"firth": firth, "l1": l1, "lower, upper or penalty_factors": penalized}
        refuse(given, "expected two classes, or a penalty l2")
        classes = Classes(examples, *several, source=source, w=w, b=b, **shared)
        at: dict[str, Any] = {"l2": l2, "tol": tol, "warm": warm, "fixed_b": fixed_b}
        return fit_classes(classes, max_passes, **at, callbacks=callbacks)
    objective = objective_of(examples, source, Y, **shared)
    start = np.zeros((examples.shape[0], 1)) if w is None else _input.coefficients(w, examples)
    settings: dict[str, Any] = {
        "w": named(start, examples.names),
        "b": 0.0 if b is None else _input.number(b, "b"),
        "tol": tol,
        "callbacks": callbacks,
        "fixed_b": fixed_b,
    }
    if firth:
        check_firth(objective, l2)
        found = minimize_firth(objective, max_passes, **settings)
    elif penalized:
        factors = _input.penalty_factors(penalty_factors, examples)
        penalty = Penalty.of(factors, l1, l2, *_input.bounds(lower, upper, examples))
        found = minimize_penalized(objective, max_passes, penalty, warm=warm, **settings)
    else:
        found = minimize(objective, max_passes, l2=l2, warm=warm, **settings)
    return _wrapped(found, examples, max(l1, l2), firth=firth)


def _wrapped(found: Solution, examples: Examples, penalty: float, *, firth: bool) -> FitResult:
    """Return the result, and warn the caller of `fit` where it is not the minimum."""
    result = FitResult(
        found.w, found.b, found.costs, found.stopped, found.gap, found.n_iter, examples.names
    )
    message = ""
    if found.runaway is not None:
        message = (
            f"{found.runaway.told()}, so these weights depend on where the search stopped; pass a "
            "small penalty, such as l2=1e-4, or firth=True"
        )
    elif not result.converged and result.stopped != "callback":
        message = why_no_minimum(found, penalty, firth=firth)
    if message:
        warnings.warn(message, ConvergenceWarning, stacklevel=3)
    return result


def prepared(examples: Examples, *, penalized: bool, firth: bool) -> Examples:
    """Return examples in the arithmetic of the penalty, and refuse what it is not for.

    `penalized` is for l1, penalty_factors, lower and upper.
    """
    if firth and penalized:
        msg = (
            "firth is True, and there is another penalty or a bound; expected one penalty: leave "
            "out firth, or l1, penalty_factors, lower and upper"
        )
        raise ValueError(msg)
    if penalized:
        examples = examples.one_hot()
    return examples._replace(float32=False) if firth or penalized else examples


def why_no_minimum(found: Solution, penalty: float, *, firth: bool) -> str:
    """Say why a search ended without the minimum, and what to do."""
    if firth:
        return f"the predicted gap is {found.gap:.1e} after {found.n_iter} passes; " + (
            "pass a larger max_passes or a larger tol"
            if found.stopped == "passes"
            else "rounding hides how to lower the penalized cost: bring the features to similar "
            "sizes, subtract large means, or leave out features that are nearly collinear"
        )
    if found.stopped == "passes":
        return (
            f"the predicted gap is {found.gap:.1e} after {found.n_iter} passes; pass a larger "
            "max_passes, a larger tol or, if features are nearly collinear, a larger l2"
        )
    if found.stopped == "rounding":
        return (
            f"rounding hides how to lower J, and the predicted gap is still {found.gap:.1e}; bring "
            "the features to similar sizes, subtract large means, or pass a larger l2"
        )
    if penalty > 0.0:
        return "all labels are alike, so b grows without bound; expected labels of both classes"
    return (
        "a plane separates the classes, so J has no minimum: it falls to 0 as w grows without "
        "bound; pass a small penalty, such as l2=1e-4"
    )
