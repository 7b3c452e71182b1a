# SPDX-License-Identifier: BSD-3-Clause
"""The parameters of the estimators: their types, and which values are refused."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from sklearn.utils import check_random_state

from logreg_c import _input

SOLVERS = ("auto", "lbfgs", "liblinear", "newton-cg", "newton-cholesky", "sag", "saga", "gd")
# A fit stops within this relative gap of the minimum, for any `tol`. Data of at most SMALL_SIZE
# values get a tighter gap, which costs them next to nothing and makes probabilities more accurate.


class InvalidParameterError(ValueError, TypeError):
    """An invalid parameter of the estimator; like scikit-learn's own, of both types."""


class Settings(NamedTuple):
    """The checked parameters, as `fit` uses them."""

    C: float
    tol: float
    max_iter: int
    fit_intercept: bool
    warm_start: bool
    standardize: bool
    alpha: Any


def checked(estimator: Any) -> Settings:
    """Check the parameters; refuse values that would have an effect only in scikit-learn."""
    infinite = np.array_equal(estimator.C, math.inf)
    C = math.inf if infinite else _input.positive(_as_number(estimator.C), "C")
    if not _is_one_of(estimator.solver, *SOLVERS):
        msg = f"solver is {estimator.solver!r}; expected one of {', '.join(map(repr, SOLVERS))}"
        raise ValueError(msg)
    alpha = estimator.alpha
    if not isinstance(alpha, str):
        alpha = _input.positive(alpha, "alpha")
    elif alpha != "auto":
        msg = f"alpha is {alpha!r}; expected 'auto' or a finite number > 0"
        raise ValueError(msg)
    _check_penalty(estimator)
    if _input.boolean(estimator.dual, "dual") and estimator.solver != "liblinear":
        msg = f"dual is True and solver is {estimator.solver!r}; expected dual=False: only "
        raise ValueError(msg + "'liblinear' has a dual form, with the same minimum")
    scaling = _input.positive(_as_number(estimator.intercept_scaling), "intercept_scaling")
    if scaling != 1.0 and estimator.solver == "liblinear":
        msg = (
            f"intercept_scaling is {estimator.intercept_scaling!r}; expected 1: it compensates for "
            "liblinear's penalty on the intercept, which is not penalized here"
        )
        raise ValueError(msg)
    if not _is_one_of(estimator.multi_class, "deprecated", "auto", "ovr"):
        msg = (
            f"multi_class is {estimator.multi_class!r}; expected 'auto' or 'ovr', the model for "
            "two classes: 'multinomial' penalizes one weight per class"
        )
        raise ValueError(msg)
    _check_class_weight(estimator.class_weight)
    try:
        check_random_state(estimator.random_state)
    except ValueError as error:
        msg = f"random_state is {estimator.random_state!r}; expected None or a seed: {error}"
        raise ValueError(msg) from None
    if estimator.n_jobs is not None:
        _input.integer(_as_number(estimator.n_jobs), "n_jobs", -(2**31))
    if not isinstance(estimator.verbose, (bool, np.bool_)):
        _input.integer(estimator.verbose, "verbose", 0)
    return Settings(
        C=math.inf if estimator.penalty is None else C,
        tol=_input.not_negative(_as_number(estimator.tol), "tol"),
        max_iter=_input.integer(_as_number(estimator.max_iter), "max_iter", 0),
        fit_intercept=_input.boolean(estimator.fit_intercept, "fit_intercept"),
        warm_start=_input.boolean(estimator.warm_start, "warm_start"),
        standardize=_input.boolean(estimator.standardize, "standardize"),
        alpha=alpha,
    )


def _check_penalty(estimator: Any) -> None:
    if estimator.penalty is not None and not _is_one_of(estimator.penalty, "l2", "deprecated"):
        msg = (
            f"penalty is {estimator.penalty!r}; expected 'l2' or None: for an l1 penalty use "
            "sklearn.linear_model.LogisticRegression"
        )
        raise ValueError(msg)
    l1_ratio = 0.0 if estimator.l1_ratio is None else _as_number(estimator.l1_ratio)
    if _input.not_negative(l1_ratio, "l1_ratio") > 0.0:
        msg = (
            f"l1_ratio is {estimator.l1_ratio!r}; expected 0, because the penalty is l2: for an l1 "
            "penalty use sklearn.linear_model.LogisticRegression"
        )
        raise ValueError(msg)


def _check_class_weight(given: Any) -> None:
    if given is None or _is_one_of(given, "balanced"):
        return
    if not isinstance(given, dict):
        msg = f"class_weight is {given!r}; expected a dict {{class: weight}}, 'balanced' or None"
        raise TypeError(msg)
    for label, weight in given.items():
        _input.not_negative(_as_number(weight), f"class_weight[{label!r}]")


def _is_one_of(value: object, *names: str) -> bool:
    return isinstance(value, str) and value in names


def _as_number(value: Any) -> Any:
    """Return a bool as an integer, because scikit-learn accepts bools as numbers."""
    return int(value) if isinstance(value, bool) else value
