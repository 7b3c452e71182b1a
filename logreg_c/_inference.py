# SPDX-License-Identifier: BSD-3-Clause
"""How sure the weights are: check what is passed, factor the Hessian, wrap the result."""

from __future__ import annotations

import math
import warnings
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from . import _input
from ._errors import ConvergenceWarning
from ._objective import PRODUCTS_OVERFLOW
from ._parts import objective_of, opened
from ._solvers.firth import check_counts, check_firth, penalized_gradient
from ._solvers.hessian import Hessian, collinear_features
from ._summary import Inference, Kind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    from ._input import Examples
    from ._objective import Objective

FAR = 0.1  # standard errors from the minimum, before a warning
CERTAIN = 1e-12  # mean a (1 - a) of predictions that are certain
NOT_DETERMINED = (
    "Their weights are not determined and have no standard errors; leave these features out, or "
    "pass a penalty l2 > 0 to fit and to inference"
)
ALL_CERTAIN = (
    "w and b predict every label with certainty, as where a plane separates the classes, so there "
    "is no minimum with standard errors; pass a penalty l2 > 0 to fit and to inference"
)


def inference(
    X: ArrayLike,
    Y: ArrayLike,
    w: ArrayLike,
    b: float,
    *,
    l2: float = 0.0,
    standardize: bool = False,
    firth: bool = False,
    sample_weight: ArrayLike | None = None,
    intercept: bool = True,
    robust: bool | Literal["HC0", "HC1"] = False,
    clusters: ArrayLike | Sequence[Any] | None = None,
    n_threads: int | None = None,
) -> Inference:
    """Compute standard errors, p-values and confidence intervals of w and b at the minimum.

    The likelihood of the labels is highest where the cost J is lowest. Its curvature there, the
    Hessian of the sum of the losses, says how sure w and b are ::

        H = sum(s a (1 - a) x x.T)           covariance = inverse of H

    with the weights s, and with 1 as the last feature, which stands for b [1]_. X is read in place,
    in a few passes and in float64; the memory on top of X is that of two (n_x, n_x) matrices and
    one or two vectors of m values.

    Parameters
    ----------
    X : array_like of shape (n_x, m), list of n_x arrays of shape (m,), or data frame
        One example per column, or per row of a data frame; read as by `train`.
    Y : array_like of shape (1, m) or (m,), or a series
        Labels 0 and 1, or probabilities between them.
    w : array_like of shape (n_x, 1) or (n_x,)
        Weights at the minimum of J, as `fit` finds them.
    b : float
        Bias at the minimum.
    l2 : float, optional
        The penalty that w and b are the minimum for. With one, the weights are pulled toward 0, and
        what is returned is the spread of the posterior under a normal prior; it is no classical
        standard error, and the table says so.
    standardize : bool, optional
        Whether the penalty is that of ``train(..., standardize=True)``: l2/2 sum((w sd)^2), with
        the standard deviation sd of each feature.
    firth : bool, optional
        Whether w and b are the minimum with Firth's penalty [3]_. The log-likelihood, and what
        follows from it, is that of the labels, without the penalty.
    sample_weight : array_like of shape (m,) or (1, m), or a series, optional
        Weights >= 0, the largest within [1e-9, 1e9]. An example of weight 2 counts as two examples.
    intercept : bool, optional
        Whether b was fitted too. Otherwise it has no standard error.
    robust : bool, "HC0" or "HC1", optional
        Whether the errors should hold even if the model is wrong: the sandwich
        ``inverse(H) sum(g g.T) inverse(H)`` of the gradients g of the examples [2]_. True means
        "HC1", which multiplies it by m / (m - number of parameters).
    clusters : array_like of shape (m,), optional
        To which cluster each example belongs, as numbers or strings. The errors then hold even if
        examples of the same cluster depend on each other: the sandwich of sums of gradients per
        cluster, multiplied by c / (c - 1) (m - 1) / (m - number of parameters) for c clusters.
    n_threads : int, optional
        The largest number of threads, >= 1; by default OpenMP's.

    Returns
    -------
    Inference
        It prints as a table.

    Raises
    ------
    ValueError
        Shapes that do not fit, values out of range, NaN or infinity in the data; or features that
        are constant or a combination of others, which the message names: their weights are not
        determined, so they have no standard errors.
    TypeError
        Data that are not real numbers, settings of a wrong type.
    ModuleNotFoundError
        X is a data frame and the extra ``frames`` is not installed.
    OverflowError
        The data are finite, but Z or a product of two features leaves the range of float64.
    MemoryError
        No memory for the matrices.

    Warns
    -----
    ConvergenceWarning
        w and b are further than a tenth of a standard error from the minimum.

    References
    ----------
    .. [1] P. McCullagh and J. A. Nelder, Generalized Linear Models, 2nd edition, 1989, section 4.4.
    .. [2] H. White, Maximum likelihood estimation of misspecified models, Econometrica 50, 1982.
    .. [3] D. Firth, Bias reduction of maximum likelihood estimates, Biometrika 80, 1993.

    Examples
    --------
    >>> import logreg_c
    >>> X = [[0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0]]
    >>> Y = [0, 0, 1, 0, 1, 0, 1, 1]
    >>> w, b, _ = logreg_c.fit(X, Y)
    >>> found = logreg_c.inference(X, Y, w, b)
    >>> found.standard_errors.round(3)
    array([0.914, 2.213])
    """
    examples, source = opened(X, Y, w=w, dtype=None, sample_weight=sample_weight)
    examples = _dense(examples) if source is None else examples
    weights = np.ravel(_input.coefficients(w, examples))
    bias = _input.number(b, "b")
    shared: Any = {"sample_weight": sample_weight, "n_threads": n_threads}
    objective = objective_of(examples, source, Y, **shared).in_float64()
    l2 = _input.not_negative(l2, "l2")
    standardize = _input.boolean(standardize, "standardize")
    intercept = _input.boolean(intercept, "intercept")
    kind = _kind(robust, clusters)
    codes = None if clusters is None else _codes(clusters, objective)
    firth = _input.boolean(firth, "firth")
    _check_model(objective, l2, kind, firth=firth)

    total = _total_weight(objective)
    J, dw, db = objective(weights, bias, 0.0)
    centre, _, sd = objective.in_float64().standardize()
    penalties = _penalties(l2, sd, standardize=standardize)
    hessian = Hessian(
        objective, weights, bias, penalty=total * penalties, intercept=intercept, centre=centre
    )
    if not hessian.S > CERTAIN * total:
        raise ValueError(ALL_CERTAIN)
    if collinear := hessian.factor():
        faults = collinear_features(collinear, examples, intercept=intercept)
        raise ValueError(f"{faults}. {NOT_DETERMINED}")
    parameters = len(weights) + intercept
    covariance = _covariance(objective, weights, bias, hessian, kind, codes, total)
    if firth:
        dw, db = penalized_gradient(objective, weights, bias, hessian, total)
    by_w = total * (dw + penalties * weights - hessian.mu * db * intercept)
    _warn_if_far(by_w, total * db * intercept, hessian)
    return Inference(
        np.append(weights, bias)[:parameters],
        covariance[:parameters, :parameters],
        kind=kind,
        l2=l2,
        firth=firth,
        n_obs=total,
        log_likelihood=-total * J,
        null_log_likelihood=_null_log_likelihood(objective, total, bias, intercept=intercept),
        names=_terms(examples, intercept=intercept),
    )


def _dense(examples: Examples) -> Examples:
    return examples._replace(values=examples.dense)


def _penalties(l2: float, sd: NDArray[np.float64], *, standardize: bool) -> NDArray[np.float64]:
    """Return the l2 of each feature as it is."""
    if not standardize:
        return np.full_like(sd, l2)
    with np.errstate(over="ignore"):
        squares = np.where(sd > 0.0, sd, 1.0) ** 2
    if not np.isfinite(squares).all():
        raise OverflowError(PRODUCTS_OVERFLOW)
    return l2 * squares


def _total_weight(objective: Objective) -> float:
    if objective.sample_weight is None:
        return float(objective.examples.shape[1])
    return math.fsum(objective.sample_weight)


def _check_model(objective: Objective, l2: float, kind: Kind, *, firth: bool) -> None:
    check_counts(objective)
    if not firth:
        return
    check_firth(objective, l2)
    if kind != "classical":
        msg = (
            "firth is True, and robust or clusters is passed; expected one of them, as Firth's "
            "penalty is about the classical errors"
        )
        raise ValueError(msg)


def _covariance(
    objective: Objective,
    w: NDArray[np.float64],
    b: float,
    hessian: Hessian,
    kind: Kind,
    codes: NDArray[np.intp] | None,
    total: float,
) -> NDArray[np.float64]:
    """Return the covariance of (w, b), even if b was not fitted."""
    parameters = len(w) + hessian.intercept
    if codes is not None:
        factor = (total - 1.0) / _small_sample(total, parameters)
        factor *= (codes.max() + 1.0) / codes.max()
        return _sandwich(_meat_of_clusters(objective, w, b, hessian, codes), hessian, factor)
    if kind == "classical":
        C = hessian.solve(np.eye(len(w)))
        return _uncentred(C, np.zeros(len(w)), 1.0 / hessian.S, hessian.mu)
    factor = total / _small_sample(total, parameters) if kind == "HC1" else 1.0
    return _sandwich(_meat_of_examples(objective, w, b, hessian), hessian, factor)


def _terms(X: Examples, *, intercept: bool) -> tuple[str, ...]:
    """Name the parameters in their order."""
    names = range(X.shape[0]) if X.names is None else X.names
    return (*(str(name) if X.names else f"x{name}" for name in names), *["intercept"] * intercept)


def _kind(robust: object, clusters: object) -> Kind:
    """Return which errors to compute."""
    if not isinstance(robust, str):
        robust = _input.boolean(robust, "robust")
        if clusters is not None:
            return "cluster"
        return "HC1" if robust else "classical"
    if robust not in {"HC0", "HC1"}:
        msg = f"robust is {robust!r}; expected True, False, 'HC0' or 'HC1'"
        raise ValueError(msg)
    if clusters is not None:
        msg = f"robust is {robust!r} and clusters are passed; expected one of the two"
        raise ValueError(msg)
    return "HC0" if robust == "HC0" else "HC1"


def _codes(clusters: Any, objective: Objective) -> NDArray[np.intp]:
    """Return the number of each example's cluster, from 0."""
    if not objective.in_memory:
        msg = "clusters are passed and X comes in batches; expected X in memory: read it"
        raise TypeError(msg)
    found, codes = _input.codes_of(clusters, "clusters", objective.examples)
    if len(found) < 2:
        msg = "clusters has one cluster; expected at least two, as their spread is the estimate"
        raise ValueError(msg)
    return codes


def _small_sample(total: float, parameters: int) -> float:
    """Return total - parameters, of which errors with a correction need some."""
    if total <= parameters:
        msg = (
            f"there are {total:g} examples for {parameters} parameters; expected more examples. "
            "Leave out features, or pass robust='HC0'"
        )
        raise ValueError(msg)
    return total - parameters


def _uncentred(
    C: NDArray[np.float64], c: NDArray[np.float64], v: float, mu: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the covariance of (w, b) from that of w, C, of w and b + mu.T w, c, and the latter, v.

    The sums have an order that does not depend on the CPU, which `dot` does not promise.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        C_mu = (C * mu).sum(1)
        of_b = v - 2 * (mu * c).sum() + (mu * C_mu).sum()
    covariance = np.block([[C, (c - C_mu)[:, np.newaxis]], [c - C_mu, of_b]])
    if not np.isfinite(covariance).all():
        raise OverflowError(PRODUCTS_OVERFLOW)
    return covariance


def _sandwich(meat: NDArray[np.float64], hessian: Hessian, factor: float) -> NDArray[np.float64]:
    """Return the covariance of (w, b) from the sum of g g.T by w and b + mu.T w."""
    meat = factor * meat
    C = hessian.solve(hessian.solve(meat[:-1, :-1]).T)
    c = hessian.solve(meat[:-1, -1:])[:, 0] / hessian.S
    return _uncentred(C, c, meat[-1, -1] / hessian.S**2, hessian.mu)


def _meat_of_examples(
    objective: Objective, w: NDArray[np.float64], b: float, hessian: Hessian
) -> NDArray[np.float64]:
    """Return the sum of g g.T over the examples, by w and b + mu.T w."""
    G, mean, S = objective.gram(objective.curvature(w, b, squared=True), hessian.centre)
    from_mu = mean - hessian.mu
    G = np.tril(G) + np.tril(G, -1).T + S * (from_mu[:, np.newaxis] * from_mu)
    return np.block([[G, (S * from_mu)[:, np.newaxis]], [S * from_mu, S]])


def _meat_of_clusters(
    objective: Objective,
    w: NDArray[np.float64],
    b: float,
    hessian: Hessian,
    codes: NDArray[np.intp],
) -> NDArray[np.float64]:
    """Return the sum of g g.T over the clusters, where g is the sum over a cluster."""
    residual = objective.predict(w, b, probabilities=True)[0] - objective.Y
    if objective.sample_weight is not None:
        residual *= objective.sample_weight
    values = objective.examples.values
    sums = [
        np.bincount(codes, residual * (np.asarray(values[j], np.float64) - hessian.mu[j]))
        for j in range(len(w))
    ]
    g = np.array([*sums, np.bincount(codes, residual)])
    return np.array([(g * row).sum(1) for row in g])


def _null_log_likelihood(objective: Objective, total: float, b: float, *, intercept: bool) -> float:
    """Return the log-likelihood of the best b without features, or of b where it is given."""
    zeros = np.zeros(objective.examples.shape[0])
    if not intercept:
        return -total * objective(zeros, b, 0.0)[0]
    _, _, db = objective(zeros, 0.0, 0.0)
    share = 0.5 - db  # of the labels that are 1
    return total * sum(p * math.log(p) for p in (share, 1.0 - share) if p > 0.0)


def _warn_if_far(dw: NDArray[np.float64], db: float, hessian: Hessian) -> None:
    """Warn if the minimum is elsewhere, given the gradient by w and b + mu.T w."""
    step = hessian.solve(dw[:, np.newaxis])[:, 0]
    with np.errstate(over="ignore"):
        length = max(0.0, float((dw * step).sum()))
    far = math.sqrt(length + db * db / hessian.S)
    if far > FAR:
        msg = (
            f"w and b are about {far:.2g} standard errors from the minimum of J, so these errors "
            "are not those of the minimum; pass w and b as fit finds them, with the same l2, "
            "firth, sample_weight and intercept, and a smaller tol if there are many examples"
        )
        warnings.warn(msg, ConvergenceWarning, stacklevel=3)
