# SPDX-License-Identifier: BSD-3-Clause
"""Minima along penalties: check what is passed, search, wrap the results."""

from __future__ import annotations

import math
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from . import _input
from ._errors import ConvergenceWarning
from ._fit import MAX_PASSES, why_no_minimum
from ._objective import Objective
from ._result import FitManyResult
from ._solvers.path import minimize_path
from ._solvers.result import Solution

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, DTypeLike


def fit_path(
    X: Any,
    Y: ArrayLike,
    *,
    l2: ArrayLike,
    sample_weight: ArrayLike | None = None,
    intercept: bool = True,
    tol: float = 1e-9,
    max_passes: int | None = None,
    dtype: DTypeLike | None = None,
    n_threads: int | None = None,
) -> FitManyResult:
    """Find the minimum of the cost for many penalties, each starting from that of a larger one.

    The cost for each l2 is that of `fit`. A search that goes on from the minimum for another l2
    knows J and its gradient there, without a pass over X. So a penalty that changes little takes
    no pass or one, where `fit` and `fit_many` take several.

    Parameters
    ----------
    X, Y, sample_weight, intercept, dtype, n_threads
        As in `fit`.
    l2 : array_like of shape (k,)
        Strengths of the l2 penalty on w, >= 0, in any order: the largest is fitted first.
    tol, max_passes
        As in `fit`, of each penalty.

    Returns
    -------
    FitManyResult
        With arrays over the penalties, in the order of l2: w (k, n_x), b, cost, gap, passes,
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
    fit_many : Many fits at once, of other labels, weights or data, too.

    Examples
    --------
    >>> import numpy as np
    >>> import logreg_c
    >>> X = np.array([[0.5, 1.5, 2.5, 3.5]])
    >>> Y = np.array([[0, 1, 0, 1]])
    >>> path = logreg_c.fit_path(X, Y, l2=[1.0, 0.1, 0.01])
    >>> path.w[:, 0].round(4)
    array([0.1908, 0.6367, 0.8679])
    """
    examples = _input.examples(X, dtype)
    l2s = _input.penalties(l2)
    objective = Objective.checked(examples, Y, sample_weight=sample_weight, n_threads=n_threads)
    order = sorted(range(len(l2s)), key=lambda k: -l2s[k])
    ended = minimize_path(
        objective,
        [l2s[k] for k in order],
        MAX_PASSES if max_passes is None else _input.integer(max_passes, "max_passes", 1),
        Solution(np.zeros((examples.shape[0], 1)), 0.0),
        warm=False,
        tol=_input.not_negative(tol, "tol"),
        slope=math.inf,
        fixed_b=not _input.boolean(intercept, "intercept"),
    )
    found = [one for _, one in sorted(zip(order, ended, strict=True), key=lambda pair: pair[0])]
    costs = [
        one.costs[-1] if one.costs.size else objective(one.w, one.b, l2s[k])[0]
        for k, one in enumerate(found)
    ]
    result = FitManyResult(
        np.array([one.w[:, 0] for one in found]),
        np.array([one.b for one in found]),
        np.array(costs),
        np.array([one.gap for one in found]),
        np.array([one.n_iter for one in found], np.int64),
        np.array([one.stopped for one in found]),
        feature_names=examples.names,
    )
    failed = np.flatnonzero(~result.converged)
    if failed.size:
        first = failed.item(0)
        why = why_no_minimum(found[first], l2s[first], firth=False)
        msg = (
            f"{failed.size} of {len(found)} penalties ended without the minimum (see the result's "
            f"converged and stopped). The first is l2[{first}] = {l2s[first]:g}: {why}"
        )
        warnings.warn(msg, ConvergenceWarning, stacklevel=2)
    return result
