# SPDX-License-Identifier: BSD-3-Clause
"""Minima along penalties, and where a path begins: check, search, wrap the results."""

from __future__ import annotations

import math
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from . import _input
from ._errors import ConvergenceWarning
from ._fit import MAX_PASSES, prepared, why_no_minimum
from ._parts import objective_of, opened
from ._result import FitManyResult
from ._solvers.minimum import minimize
from ._solvers.path import minimize_path, path_of_penalties
from ._solvers.penalty import Penalty
from ._solvers.result import Solution

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, DTypeLike


def fit_path(
    X: Any,
    Y: ArrayLike,
    *,
    l2: ArrayLike = 0.0,
    l1: ArrayLike = 0.0,
    penalty_factors: ArrayLike | None = None,
    lower: ArrayLike | None = None,
    upper: ArrayLike | None = None,
    sample_weight: ArrayLike | None = None,
    intercept: bool = True,
    tol: float = 1e-9,
    max_passes: int | None = None,
    dtype: DTypeLike | None = None,
    n_threads: int | None = None,
) -> FitManyResult:
    """Find the minimum of the cost for many penalties, each starting from that of a larger one.

    The cost for each l2 and l1 is that of `fit`. A search that goes on from the minimum for another
    penalty knows J and its gradient there, without a pass over X. So a penalty that changes little
    takes no pass or one, where `fit` and `fit_many` take several. With l1, most of the work is on
    the features that the sequential strong rule keeps [1]_; the gap that is predicted for each
    penalty includes what all others could gain.

    Parameters
    ----------
    X, Y, penalty_factors, lower, upper, sample_weight, intercept, dtype, n_threads
        As in `fit`.
    l2, l1 : float or array_like of shape (k,), optional
        Strengths of the penalties on w, >= 0, in any order: the largest l1 is fitted first, and of
        equal ones the largest l2. For an elastic net pass both, say ``l1=0.9 * s, l2=0.1 * s``.
    tol, max_passes
        As in `fit`, of each penalty.

    Returns
    -------
    FitManyResult
        With arrays over the penalties, in the order of l2 and l1: w (k, n_x), b, cost, gap, passes,
        stopped and converged (k,).

    Raises
    ------
    ValueError
        Shapes that do not fit, values out of range, NaN or infinity in the data.
    TypeError
        Data that are not real numbers, settings of a wrong type.
    ModuleNotFoundError
        X is a data frame and the extra ``frames`` is not installed.
    OverflowError
        The data are finite, but Z, a sum or the square of a feature leaves the range of float64.
    TrainingInterrupted
        Ctrl-C. It is a KeyboardInterrupt that carries the present w and b.
    MemoryError
        No memory for the results, a conversion, or a sample.

    Warns
    -----
    ConvergenceWarning
        Some penalties ended without the minimum: how many, which is the first, and why.

    See Also
    --------
    l1_max : The l1 at which a path of l1 begins.
    fit_many : Many fits at once, of other labels, weights or data, too.

    References
    ----------
    .. [1] R. Tibshirani et al., Strong rules for discarding predictors in lasso-type problems,
       Journal of the Royal Statistical Society B 74, 2012.

    Examples
    --------
    >>> import numpy as np
    >>> import logreg_c
    >>> X = np.array([[0.5, 1.5, 2.5, 3.5]])
    >>> Y = np.array([[0, 1, 0, 1]])
    >>> path = logreg_c.fit_path(X, Y, l2=[1.0, 0.1, 0.01])
    >>> path.w[:, 0].round(4)
    array([0.1908, 0.6367, 0.8679])
    >>> path = logreg_c.fit_path(X, Y, l1=logreg_c.l1_max(X, Y) * np.array([1.0, 0.5, 0.1]))
    >>> path.w[:, 0].round(4)
    array([0.    , 0.4115, 0.7953])
    """
    l2s, l1s = _input.penalties(l2, "l2"), _input.penalties(l1, "l1")
    k = max(len(l2s), len(l1s))
    if {len(l2s), len(l1s)} - {1, k}:
        msg = f"l2 has shape ({len(l2s)},) and l1 ({len(l1s)},); expected the same, or a number"
        raise ValueError(msg)
    strengths = list(zip(l1s * (k // len(l1s)), l2s * (k // len(l2s)), strict=True))
    penalized = any(l1s) or any(value is not None for value in (penalty_factors, lower, upper))
    examples, source = opened(X, Y, w=None, dtype=dtype, sample_weight=sample_weight)
    examples = prepared(examples, penalized=penalized, firth=False)
    shared: dict[str, Any] = {"sample_weight": sample_weight, "n_threads": n_threads}
    objective = objective_of(examples, source, Y, **shared)
    order = sorted(range(k), key=lambda i: strengths[i], reverse=True)
    max_passes = MAX_PASSES if max_passes is None else _input.integer(max_passes, "max_passes", 1)
    start = Solution(np.zeros((examples.shape[0], 1)), 0.0)
    goal: dict[str, Any] = {
        "warm": False,
        "tol": _input.not_negative(tol, "tol"),
        "slope": math.inf,
        "fixed_b": not _input.boolean(intercept, "intercept"),
    }
    if penalized:
        factors = _input.penalty_factors(penalty_factors, examples)
        bounds = _input.bounds(lower, upper, examples)
        penalties = [Penalty.of(factors, *strengths[i], *bounds) for i in order]
        ended = path_of_penalties(objective, penalties, max_passes, start, **goal)
    else:
        ended = minimize_path(
            objective, [strengths[i][1] for i in order], max_passes, start, **goal
        )
    found = [one for _, one in sorted(zip(order, ended, strict=True), key=lambda pair: pair[0])]
    exact = objective.in_float64()
    costs = [
        one.costs[-1] if one.costs.size else exact(one.w, one.b, strengths[i][1])[0]
        for i, one in enumerate(found)
    ]
    return _wrapped(found, costs, strengths, examples.names)


def _wrapped(
    found: list[Solution],
    costs: list[float],
    strengths: list[tuple[float, float]],
    names: tuple[Any, ...] | None,
) -> FitManyResult:
    """Return the result, and warn the caller of `fit_path` of penalties without the minimum."""
    result = FitManyResult(
        np.array([one.w[:, 0] for one in found]),
        np.array([one.b for one in found]),
        np.array(costs),
        np.array([one.gap for one in found]),
        np.array([one.n_iter for one in found], np.int64),
        np.array([one.stopped for one in found]),
        feature_names=names,
    )
    failed = np.flatnonzero(~result.converged)
    if failed.size:
        first = failed.item(0)
        why = why_no_minimum(found[first], max(strengths[first]), firth=False)
        l1, l2 = strengths[first]
        named = (
            f"l2[{first}] = {l2:g}" if l1 == 0.0 else f"number {first}, l1 = {l1:g}, l2 = {l2:g}"
        )
        msg = (
            f"{failed.size} of {len(found)} penalties ended without the minimum (see the result's "
            f"converged and stopped). The first is {named}: {why}"
        )
        warnings.warn(msg, ConvergenceWarning, stacklevel=3)
    return result


def l1_max(
    X: ArrayLike,
    Y: ArrayLike,
    *,
    penalty_factors: ArrayLike | None = None,
    sample_weight: ArrayLike | None = None,
    intercept: bool = True,
    n_threads: int | None = None,
) -> float:
    """Return the least l1 at which every penalized w is 0: where a path of l1 begins.

    That is the largest slope of J by a w, divided by the factor of its penalty, at the minimum over
    b and over the w without a penalty. With an elastic net of ``l1 = l1_ratio * s``, a path of s
    begins at l1_max / l1_ratio.

    Parameters
    ----------
    X, Y, penalty_factors, sample_weight, intercept, n_threads
        As in `fit`.

    Returns
    -------
    float
        In units of J / w. It is 0 if no feature has a penalty or tells anything about Y.

    Raises
    ------
    ValueError, TypeError, ModuleNotFoundError, OverflowError, MemoryError
        As in `fit`.

    See Also
    --------
    fit_path : The minima from there on.

    Examples
    --------
    >>> import numpy as np
    >>> import logreg_c
    >>> X = np.array([[0.5, 1.5, 2.5, 3.5]])
    >>> Y = np.array([[0, 1, 0, 1]])
    >>> logreg_c.l1_max(X, Y)
    0.25
    >>> logreg_c.fit(X, Y, l1=0.25).w
    array([[0.]])
    """
    examples, source = opened(X, Y, w=None, dtype=None, sample_weight=sample_weight)
    examples = prepared(examples, penalized=True, firth=False)
    shared: dict[str, Any] = {"sample_weight": sample_weight, "n_threads": n_threads}
    objective = objective_of(examples, source, Y, **shared)
    factors = _input.penalty_factors(penalty_factors, examples)
    fixed_b = not _input.boolean(intercept, "intercept")
    free = np.flatnonzero(factors == 0.0)
    found = minimize(
        objective.features(free),
        MAX_PASSES,
        w=np.zeros((free.size, 1)),
        b=0.0,
        warm=False,
        l2=0.0,
        tol=0.0,
        fixed_b=fixed_b,
    )
    w = np.zeros((factors.size, 1))
    w[free] = found.w
    _, dw, _ = objective(w, found.b, 0.0)
    held = factors > 0.0
    return float((np.abs(dw[held, 0]) / factors[held]).max(initial=0.0))
