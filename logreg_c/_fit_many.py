# SPDX-License-Identifier: BSD-3-Clause
"""Many minima in one call: check what is passed, search, wrap the results."""

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
from ._solvers.minimum import OUT_OF_RANGE, minimize_many, runaways_of_many
from ._solvers.result import Solution

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, DTypeLike


def fit_many(
    X: Any,
    Y: Any,
    *,
    groups: ArrayLike | None = None,
    l2: ArrayLike = 0.0,
    sample_weight: Any = None,
    intercept: bool = True,
    tol: float = 1e-9,
    max_passes: int | None = None,
    dtype: DTypeLike | None = None,
    n_threads: int | None = None,
) -> FitManyResult:
    """Make many fits in one call: of groups, stacks, labels, bootstrap weights or penalties.

    Each fit has the bits of its own `fit`. What differs from fit to fit is passed k times, and all
    fits share the rest:

    ==========================  =====================================================
    one model for each          what to pass
    ==========================  =====================================================
    group of examples           ``groups``, the group of each example
    label                       Y of shape (k, m)
    bootstrap sample or fold    `sample_weight` of shape (k, m)
    penalty                     l2 of shape (k,)
    data set of the same size   X of shape (k, n_x, m), Y of shape (k, m)
    data set of any size        lists of k X, k Y and, if there are any, k `sample_weight`
    ==========================  =====================================================

    The threads share the fits. Those with more than a million values in X come first, on all
    threads, and up to 16 of one X share the passes over it.

    Parameters
    ----------
    X : array_like of shape (n_x, m) or (k, n_x, m), or list of k arrays or data frames
        Examples as `fit` reads them. A list of k matrices may have a different m for each; a list
        of arrays of shape (m,) is one X, given by its features.
    Y : array_like of shape (m,), (1, m) or (k, m), or list of k vectors
        Labels 0 and 1, or probabilities between them.
    groups : array_like of shape (m,), optional
        The group of each example, as numbers or strings. X is then one matrix, which is copied
        once if the groups are not sorted.
    l2 : float or array_like of shape (k,), optional
        Strength of the l2 penalty on w, >= 0.
    sample_weight : array_like of shape (m,), (1, m) or (k, m), or list of k vectors, optional
        Weights >= 0 of the examples.
    intercept : bool, optional
        Whether b is fitted too. Otherwise it is 0.
    tol, max_passes, dtype
        As in `fit`, of each fit.
    n_threads : int, optional
        The largest number of threads, >= 1; by default OpenMP's (``OMP_NUM_THREADS``).

    Returns
    -------
    FitManyResult
        With arrays over the fits: w (k, n_x), b, cost, gap, passes, stopped and converged (k,).

    Raises
    ------
    ValueError
        Shapes or numbers of fits that do not fit, values out of range, NaN or infinity in the data.
    TypeError
        Data that are not real numbers, settings of a wrong type.
    ModuleNotFoundError
        X is a data frame and the extra ``frames`` is not installed.
    KeyboardInterrupt
        Ctrl-C.
    MemoryError
        No memory for the results, a conversion, or what the threads work on.

    Warns
    -----
    ConvergenceWarning
        Some fits ended without the minimum: how many, which is the first, and why. One of them may
        be that values leave the range of float64, where `fit` raises an OverflowError: its entry in
        `stopped` is "overflow" and w, b and cost are NaN, while the other fits count.

        Or, of some fits, the weights run away, as `fit` says of one: how many, which is the first,
        and of which features.

    See Also
    --------
    fit : One fit, which can start from given weights and call back.

    Examples
    --------
    >>> import numpy as np
    >>> import logreg_c
    >>> X = np.array([[0.5, 1.5, 2.5, 3.5, 0.0, 2.0, 1.0, 3.0]])
    >>> Y = np.array([0, 1, 0, 1, 1, 0, 1, 0])
    >>> shops = ["a", "a", "a", "a", "b", "b", "b", "b"]
    >>> result = logreg_c.fit_many(X, Y, groups=shops, l2=0.1)
    >>> result.groups, result.w.shape
    (array(['a', 'b'], dtype='<U1'), (2, 1))
    >>> result.w[:, 0].round(4)
    array([ 0.6367, -1.5077])
    """
    fits = _input.fits(X, Y, groups, sample_weight, l2, dtype)
    most = MAX_PASSES if max_passes is None else _input.integer(max_passes, "max_passes", 1)
    settings: dict[str, Any] = {
        "tol": _input.not_negative(tol, "tol"),
        "fixed_b": not _input.boolean(intercept, "intercept"),
        "n_threads": _input.threads(n_threads),
    }
    found = minimize_many(fits.fits, most, **settings)
    overflown = np.flatnonzero(found.stopped == "overflow")
    for k in overflown.tolist():
        _raise_if_nonfinite(fits, k)
    for values, unknown in (found.w, np.nan), (found.b, np.nan), (found.cost, np.nan):
        values[overflown] = unknown
    result = FitManyResult(*found[:-1], fits.groups, fits.fits[0].X.names)
    if not result.converged.all():
        warnings.warn(_why_not_all(result, fits), ConvergenceWarning, stacklevel=2)
    runaways = runaways_of_many(fits.fits, found, most, **settings)
    if runaways:
        first, runaway = next(iter(runaways.items()))
        message = (
            f"weights run away in {len(runaways)} of {len(result)} fits. The first is "
            f"{fits.place(first)}: {runaway.told()}, so these weights depend on where the search "
            "stopped; pass a small penalty, such as l2=1e-4, or make this fit by fit(firth=True)"
        )
        warnings.warn(message, ConvergenceWarning, stacklevel=2)
    return result


def _raise_if_nonfinite(fits: _input.Fits, k: int) -> None:
    X, Y, sample_weight, _ = fits.fits[k]
    try:
        Objective(X, Y, sample_weight, 1).raise_if_nonfinite()
    except ValueError as error:
        msg = f"{fits.place(k)}: {error}"
        raise ValueError(msg) from None


def _why_not_all(result: FitManyResult, fits: _input.Fits) -> str:
    """Say how many fits ended without the minimum, and why the first did."""
    failed = np.flatnonzero(~result.converged)
    first = failed.item(0)
    stopped: Any = result.stopped.item(first)
    if stopped == "overflow":
        X, Y, sample_weight, _ = fits.fits[first]
        why = f"{OUT_OF_RANGE}: {Objective(X, Y, sample_weight, 1).how_to_rescale()}"
    else:
        ended = Solution(
            result.w[first],
            math.nan,
            n_iter=result.passes.item(first),
            stopped=stopped,
            gap=result.gap.item(first),
        )
        why = why_no_minimum(ended, fits.fits[first].l2, firth=False)
    return (
        f"{failed.size} of {len(result)} fits ended without the minimum (see the result's "
        f"converged and stopped). The first is {fits.place(first)}: {why}"
    )
