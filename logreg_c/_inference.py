# SPDX-License-Identifier: BSD-3-Clause
"""How sure the weights are: check what is passed, factor the Hessian, wrap the result."""

from __future__ import annotations

import math
import warnings
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from . import _input
from ._errors import ConvergenceWarning
from ._objective import PRODUCTS_OVERFLOW, features_of
from ._parts import classes_of, objective_of, opened
from ._softmax import Classes, refuse
from ._solvers.firth import check_counts, check_firth, penalized_gradient
from ._solvers.hessian import Hessian, collinear_features
from ._solvers.quasi_separation import find_runaway
from ._solvers.softmax_hessian import SoftmaxHessian
from ._summary import Inference, Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import ArrayLike, NDArray

    from ._input import Examples
    from ._objective import Objective, SoftmaxObjective
    from ._solvers.quasi_separation import Runaway

FAR = 0.1  # standard errors from the minimum, before a warning
CERTAIN = 1e-12  # mean a (1 - a) of predictions that are certain
NOT_DETERMINED = (
    "Their weights are not determined and have no standard errors; leave these features out, or "
    "pass a penalty l2 > 0 to fit and to inference"
)
LEAST_DIGITS = 100.0  # a robust variance, in units of what rounding may hide of it
SANDWICH_LOST = (
    "rounding hides the robust errors: features are nearly combinations of each other, and the "
    "gradients of the examples do not tell them apart; leave some of these features out, pass a "
    "larger l2 to fit and to inference, or robust=False"
)
ALL_CERTAIN = (
    "w and b predict every label with certainty, as where a plane separates the classes, so there "
    "is no minimum with standard errors; pass a penalty l2 > 0 to fit and to inference"
)


def inference(
    X: ArrayLike,
    Y: ArrayLike,
    w: ArrayLike,
    b: float | ArrayLike,
    *,
    l2: float = 0.0,
    standardize: bool = False,
    firth: bool = False,
    sample_weight: ArrayLike | None = None,
    intercept: bool = True,
    reference: int = 0,
    robust: bool | Literal["HC0", "HC1"] = False,
    clusters: ArrayLike | Sequence[Any] | None = None,
    n_threads: int | None = None,
) -> Inference:
    """Compute standard errors, p-values and confidence intervals of w and b at the minimum.

    The likelihood of the labels is highest where the cost J is lowest. Its curvature there, the
    Hessian of the sum of the losses, says how sure w and b are ::

        H = sum(s a (1 - a) x x.T)           covariance = inverse of H

    with the weights s, and with 1 as the last feature, which stands for b [1]_. With K classes, H
    is that by the weights of each class less those of the `reference` [4]_: only these differences
    are determined without a penalty.

    X is read in place and in float64, in a few passes, or K^2 with K classes. The memory on top of
    X is that of a few matrices of the size of the covariance, and of one or two vectors of m
    values, or K + 3 with K classes. Where X comes in batches, only sample weights take memory for
    each example.

    Parameters
    ----------
    X : array_like of shape (n_x, m), list of n_x arrays of shape (m,), or data frame
        One example per column, or per row of a data frame; read as by `train`.
    Y : array_like of shape (1, m) or (m,), or a series
        Labels 0 and 1, or probabilities between them; for several classes, as in `fit`.
    w : array_like of shape (n_x, 1) or (n_x,), or (n_x, K)
        Weights at the minimum of J, as `fit` finds them.
    b : float, or array_like of shape (K, 1) or (K,)
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
    reference : int, optional
        The class that others are compared with, where there are several.
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
        The data are finite, but Z, a product of two features, or l2 times the sum of weights leaves
        the range of float64.
    MemoryError
        No memory for the matrices.

    Warns
    -----
    ConvergenceWarning
        w and b are further than a tenth of a standard error from the minimum; or there is none,
        because a plane separates some examples and has all others on it, so that some weights grow
        without bound: the message names their features [5]_. That is looked for where there are two
        classes, no penalty, and X in memory.

    Notes
    -----
    Where features are nearly combinations of others, standard errors lose digits. With a share r of
    a feature's variance that the other features do not explain, they have a relative error of about
    1e-15 / r; below r = 1e-12 and without a penalty, the feature counts as a combination. Robust
    errors that are far smaller than the classical ones, as a small penalty can make them, may have
    three correct digits; with fewer than two, they are refused.

    References
    ----------
    .. [1] P. McCullagh and J. A. Nelder, Generalized Linear Models, 2nd edition, 1989, section 4.4.
    .. [2] H. White, Maximum likelihood estimation of misspecified models, Econometrica 50, 1982.
    .. [3] D. Firth, Bias reduction of maximum likelihood estimates, Biometrika 80, 1993.
    .. [4] A. Agresti, Categorical Data Analysis, 3rd edition, 2013, section 8.1.
    .. [5] A. Albert and J. A. Anderson, On the existence of maximum likelihood estimates in
       logistic regression models, Biometrika 71, 1984.

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
    shared: Any = {"sample_weight": sample_weight, "n_threads": n_threads}
    several = classes_of(Y, examples, source, w)
    l2 = _input.not_negative(l2, "l2")
    intercept = _input.boolean(intercept, "intercept")
    standardize = _input.boolean(standardize, "standardize")
    scaled = examples.shape[0] if standardize else 0
    if examples.categories is not None and several is None:
        scaled = min(scaled, len(examples.categories.numbers))  # categories stay as they are
        every: Any = partial(objective_of, examples, source, Y, **shared)
        examples, w, b = _without_references(examples, w, b, l2, every, intercept=intercept)
    elif examples.categories is not None and several is not None and source is None:
        scaled = min(scaled, len(examples.categories.numbers))
        weight = _input.weights(sample_weight, examples)
        at = w, b, several[1]
        examples, w, b = _as_columns(examples, *at, weight, l2, intercept=intercept)
    elif source is None:
        examples = examples._replace(values=examples.dense)
    firth = _input.boolean(firth, "firth")
    if firth:
        examples = examples.one_hot()
    reference = _input.integer(reference, "reference", 0)
    kind = _kind(robust, clusters)
    settings: Any = {"l2": l2, "scaled": scaled, "intercept": intercept}
    if several is not None:
        refuse({"firth": firth}, "expected two classes, or a penalty l2")
        classes = Classes(examples, *several, source=source, w=w, b=b, **shared)
        codes = _codes(clusters, classes.objective)
        return _of_classes(classes, reference, kind, codes, **settings)
    if reference:
        msg = f"reference is {reference} and Y has one output; expected 0, with which 1 is compared"
        raise ValueError(msg)
    weights = np.ravel(_input.coefficients(w, examples))
    bias = _input.number(b, "b")
    objective = objective_of(examples, source, Y, **shared).in_float64()
    codes = _codes(clusters, objective)
    _check_model(objective, l2, kind, firth=firth)
    return _of_one_output(objective, weights, bias, kind, codes, firth=firth, **settings)


def _of_one_output(
    objective: Objective,
    weights: NDArray[np.float64],
    bias: float,
    kind: Kind,
    codes: NDArray[np.intp] | None,
    *,
    l2: float,
    scaled: int,
    intercept: bool,
    firth: bool,
) -> Inference:
    total = _total_weight(objective)
    J, dw, db, h = objective.gradient_and_curvature(weights, bias)
    penalties = _penalties(objective, l2, scaled, total)
    hessian = _checked_hessian(objective, h, total, penalties, intercept=intercept)
    parameters = len(weights) + intercept
    covariance = _covariance(objective, weights, bias, hessian, kind, codes, total)
    if objective.in_memory and not l2 and not firth:
        _warn_if_running_away(find_runaway(objective, weights, bias, hessian), 4)
    if firth:
        dw, db = penalized_gradient(objective, weights, bias, hessian, total)
    by_w = total * (dw + penalties * weights - hessian.mu * db * intercept)
    by_b = total * db * intercept
    step = hessian.solve(by_w[:, np.newaxis])[:, 0]
    with np.errstate(over="ignore"):
        _warn_if_far(float((by_w * step).sum()) + by_b * by_b / hessian.S, 4)
    return Inference(
        np.append(weights, bias)[:parameters],
        covariance[:parameters, :parameters],
        kind=kind,
        l2=l2,
        firth=firth,
        n_obs=total,
        log_likelihood=-total * J,
        null_log_likelihood=_null_log_likelihood(objective, total, bias, intercept=intercept),
        names=_terms(objective.examples, intercept=intercept),
    )


def _of_classes(
    classes: Classes,
    reference: int,
    kind: Kind,
    codes: NDArray[np.intp] | None,
    *,
    l2: float,
    scaled: int,
    intercept: bool,
) -> Inference:
    objective, w, b, k = classes.objective, classes.w, classes.b, classes.k
    check_counts(objective)
    counts = _counts_of_classes(objective, k, reference)
    total = _total_weight(objective)
    others = np.flatnonzero(np.arange(k) != reference)
    J, dw, db = objective.softmax(w, b, 0.0)
    penalties = _penalties(objective, l2, scaled, total)
    weigh = objective.weighing(w, b)
    spread = weigh("spread")
    mu = _checked_hessian(objective, spread, total, penalties, intercept=intercept).mu
    hessian = SoftmaxHessian(
        *(objective, weigh, k, total * penalties, mu), others=others, intercept=intercept
    )
    if not hessian.factor():
        raise ValueError(ALL_CERTAIN)
    parameters = len(others) * (len(w) + intercept)
    if kind == "classical":
        covariance = hessian.covariance()
    else:
        covariance = hessian.sandwich(_correction(kind, total, parameters, codes), codes)
    by_w = dw + penalties[:, np.newaxis] * (w - np.add.reduce(w, 1, keepdims=True) / k)
    by_w -= mu[:, np.newaxis] * db * intercept
    gradient = total * np.vstack([by_w, *([db] if intercept else [])])[:, others].T.ravel()
    step = hessian.solve(gradient[:, np.newaxis])[:, 0]
    with np.errstate(over="ignore"):
        _warn_if_far(float((gradient * step).sum()), 4)
    theta = np.vstack([w, *([b] if intercept else [])])
    share = counts / total
    null = total * math.fsum(p * math.log(p) for p in share.tolist())
    return Inference(
        (theta[:, others] - theta[:, [reference]]).T.ravel(),
        covariance,
        kind=kind,
        l2=l2,
        firth=False,
        n_obs=total,
        log_likelihood=-total * J,
        null_log_likelihood=null if intercept else -total * objective.softmax(0.0 * w, b, 0.0)[0],
        names=_terms(objective.examples, intercept=intercept) * len(others),
        reference=reference,
        classes=tuple(others.tolist()),
    )


def _counts_of_classes(objective: SoftmaxObjective, k: int, reference: int) -> NDArray[np.float64]:
    """Return the weight of each class, and refuse what is compared with nothing."""
    if reference >= k:
        msg = f"reference is {reference} and there are {k} classes; expected one of 0 to {k - 1}"
        raise ValueError(msg)
    counts = objective.tally(k).shares
    if not counts.all():
        msg = (
            f"no example has class {int(np.argmin(counts))}, so its weights are not determined; "
            "expected examples of each: np.unique(Y, return_inverse=True) numbers those that occur"
        )
        raise ValueError(msg)
    return counts


def _checked_hessian(
    objective: Objective,
    h: NDArray[np.float64],
    total: float,
    penalties: NDArray[np.float64],
    *,
    intercept: bool,
) -> Hessian:
    """Return the factored Hessian of curvatures h, and refuse certainty and collinear features."""
    hessian = Hessian(objective, h, penalty=total * penalties, intercept=intercept)
    if not hessian.S > CERTAIN * total:
        raise ValueError(ALL_CERTAIN)
    if collinear := hessian.factor():
        faults = collinear_features(collinear, objective.examples, intercept=intercept)
        zeros = np.zeros(objective.examples.shape[0])
        every = objective.curvature(zeros, 0.0)  # every example counts
        plain = Hessian(objective, every, penalty=0.0, intercept=intercept)
        if not plain.factor():
            faults += " wherever predictions are uncertain, as a plane separates other examples"
        raise ValueError(f"{faults}. {NOT_DETERMINED}")
    return hessian


def _without_references(
    examples: Examples,
    w: ArrayLike,
    b: Any,
    l2: float,
    every: Callable[[], Objective],
    *,
    intercept: bool,
) -> tuple[Examples, NDArray[np.float64], float]:
    """Return the same and, without a penalty, no weights of the categories compared with."""
    X, names = examples.categories, examples.names
    if X is None or names is None:
        raise AssertionError
    weights, bias = _input.coefficients(w, examples), _input.number(b, "b")
    chosen = np.arange(X.n_x)
    if not l2:
        occurring = every().occurring()
        bias = X.relative(weights, bias, occurring, fixed_b=not intercept)
        chosen = X.determined(occurring, fixed_b=not intercept)
    _refuse_none(chosen)
    return features_of(examples, chosen)._replace(chosen=chosen), weights[chosen], bias


def _as_columns(
    examples: Examples,
    w: ArrayLike,
    b: Any,
    k: int,
    sample_weight: NDArray[Any] | None,
    l2: float,
    *,
    intercept: bool,
) -> tuple[Examples, NDArray[np.float64], NDArray[np.float64]]:
    """Return the same for several classes, with a column of bools for each category."""
    X = examples.categories
    if X is None:
        raise AssertionError
    weights, biases = _input.matrices(w, b, examples, k)
    chosen = np.arange(X.n_x)
    if not l2:
        occurring = X.occurring(sample_weight)
        for j in range(k):
            of_class = weights[:, j].copy()
            biases[j] = X.relative(of_class, biases[j].item(), occurring, fixed_b=not intercept)
            weights[:, j] = of_class
        chosen = X.determined(occurring, fixed_b=not intercept)
    _refuse_none(chosen)
    part = features_of(examples, chosen)._replace(values=X.one_hot(chosen))
    return part, weights[chosen], biases


def _refuse_none(chosen: NDArray[np.intp]) -> None:
    if not chosen.size:
        msg = (
            "X has columns of one category each, so that no weight is determined without a "
            "penalty; expected a column of numbers, or of two categories that occur: pass l2 > 0 "
            "to fit and to inference, or another X"
        )
        raise ValueError(msg)


def _penalties(objective: Objective, l2: float, scaled: int, total: float) -> NDArray[np.float64]:
    """Return the l2 of each feature as it is, of which the first are scaled."""
    squares = np.ones(objective.examples.shape[0])
    if l2 and scaled:
        sd = objective.in_float64().standardize()[2]
        with np.errstate(over="ignore"):
            squares[:scaled] = np.where(sd > 0.0, sd, 1.0)[:scaled] ** 2
        if not np.isfinite(squares).all():
            raise OverflowError(PRODUCTS_OVERFLOW)
    with np.errstate(over="ignore"):
        penalties = l2 * squares
        largest = float((total * penalties).max(initial=0.0))
    if largest == math.inf:
        msg = (
            f"l2 is {l2:g}, and times the sum of weights it leaves the range of float64: pass a "
            "smaller l2 to fit and to inference"
        )
        raise OverflowError(msg)
    return penalties


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
        factor = _correction(kind, total, parameters, codes)
        return _sandwich(_meat_of_clusters(objective, w, b, hessian, codes), hessian, factor)
    if kind == "classical":
        C = hessian.solve(np.eye(len(w)))
        return _uncentred(C, np.zeros(len(w)), 1.0 / hessian.S, hessian.mu)
    factor = _correction(kind, total, parameters, codes)
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


def _codes(clusters: Any, objective: Objective) -> NDArray[np.intp] | None:
    """Return the number of each example's cluster, from 0, or None where none are passed."""
    if clusters is None:
        return None
    if not objective.in_memory:
        msg = "clusters are passed and X comes in batches; expected X in memory: read it"
        raise TypeError(msg)
    found, codes = _input.codes_of(clusters, "clusters", objective.examples)
    if len(found) < 2:
        msg = "clusters has one cluster; expected at least two, as their spread is the estimate"
        raise ValueError(msg)
    return codes


def _correction(kind: Kind, total: float, parameters: int, codes: NDArray[np.intp] | None) -> float:
    """Return the factor of a sandwich that corrects it for few examples, or few clusters."""
    if kind == "HC0":
        return 1.0
    if total <= parameters:
        msg = (
            f"there are {total:g} examples for {parameters} parameters; expected more examples. "
            "Leave out features, or pass robust='HC0'"
        )
        raise ValueError(msg)
    if codes is None:
        return total / (total - parameters)
    clusters = int(codes.max()) + 1
    return (total - 1.0) / (total - parameters) * (clusters / (clusters - 1.0))


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
    if not (np.diagonal(C) >= LEAST_DIGITS * hessian.hidden(meat[:-1, :-1])).all():
        raise ValueError(SANDWICH_LOST)
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
    sums = objective.examples.sums_of_groups(codes, residual, hessian.mu)
    g = np.array([*sums, np.bincount(codes, residual)])
    return np.array([(g * row).sum(1) for row in g])


def _null_log_likelihood(objective: Objective, total: float, b: float, *, intercept: bool) -> float:
    """Return the log-likelihood of the best b without features, or of b where it is given."""
    objective = objective.features(np.empty(0, np.intp))
    if not intercept:
        return -total * objective(np.empty(0), b, 0.0)[0]
    Y = np.asarray(objective.Y)
    positive = Y if objective.sample_weight is None else Y * objective.sample_weight.astype(float)
    share = min(float(np.add.reduce(positive, dtype=np.float64)) / total, 1.0)
    return total * sum(p * math.log(p) for p in (share, 1.0 - share) if p > 0.0)


def _warn_if_running_away(found: Runaway | None, stacklevel: int) -> None:
    """Warn if there is no minimum, and name the features whose weights have no limit."""
    if found is not None:
        msg = (
            f"{found.told()}, so these weights and their errors depend on "
            "where fit stopped; pass firth=True or a penalty l2 > 0 to fit and to inference, leave "
            "these features out, or merge rare categories"
        )
        warnings.warn(msg, ConvergenceWarning, stacklevel=stacklevel)


def _warn_if_far(squared: float, stacklevel: int) -> None:
    """Warn if the minimum is elsewhere, given the squared distance in standard errors."""
    far = math.sqrt(max(0.0, squared))
    if far > FAR:
        msg = (
            f"w and b are about {far:.2g} standard errors from the minimum of J, so these errors "
            "are not those of the minimum; pass w and b as fit finds them, with the same l2, "
            "firth, sample_weight and intercept, and a smaller tol if there are many examples"
        )
        warnings.warn(msg, ConvergenceWarning, stacklevel=stacklevel)
