# SPDX-License-Identifier: BSD-3-Clause
"""The parameters of the estimator: their types, scikit-learn's rules, and what is refused."""

from __future__ import annotations

import math
import re
import warnings
from typing import Any, NamedTuple

import numpy as np
import sklearn
from sklearn.utils import check_random_state

from logreg_c import _input

SOLVERS = ("auto", "lbfgs", "liblinear", "newton-cg", "newton-cholesky", "sag", "saga", "gd")
PENALTIES = ("l2", "l1", "elasticnet")
# What scikit-learn deprecates from this version on, it deprecates here, too.
VERSION = tuple(map(int, re.findall(r"\d+", sklearn.__version__)[:2]))


class InvalidParameterError(ValueError, TypeError):
    """An invalid parameter of the estimator; like scikit-learn's own, of both types."""


class Settings(NamedTuple):
    """The checked parameters, as `fit` uses them."""

    C: float
    l1_ratio: float
    tol: float
    max_iter: int
    fit_intercept: bool
    warm_start: bool
    standardize: bool
    alpha: Any
    callbacks: tuple[Any, ...] = ()  # of the solver


def checked(estimator: Any) -> Settings:
    """Check the parameters; refuse values that would have an effect only in scikit-learn.

    Warnings point to the line that calls `fit`, which calls this.
    """
    infinite = np.array_equal(estimator.C, math.inf)
    C = math.inf if infinite else _input.positive(as_number(estimator.C), "C")
    alpha = estimator.alpha
    if not isinstance(alpha, str):
        alpha = _input.positive(alpha, "alpha")
    elif alpha != "auto":
        msg = f"alpha is {alpha!r}; expected 'auto' or a finite number > 0"
        raise ValueError(msg)
    check_common(estimator)
    settings = Settings(
        C=C,
        l1_ratio=0.0,
        tol=_input.not_negative(as_number(estimator.tol), "tol"),
        max_iter=_input.integer(as_number(estimator.max_iter), "max_iter", 0),
        fit_intercept=_input.boolean(estimator.fit_intercept, "fit_intercept"),
        warm_start=_input.boolean(estimator.warm_start, "warm_start"),
        standardize=_input.boolean(estimator.standardize, "standardize"),
        alpha=alpha,
    )
    penalty = _penalty(estimator, C)
    check_solver(estimator.solver, penalty, dual=estimator.dual)
    _warn_of_inconsistent(estimator, penalty)
    if penalty is None:
        return settings._replace(C=math.inf)
    ratio = estimator.l1_ratio if penalty == "elasticnet" else float(penalty == "l1")
    return settings._replace(l1_ratio=float(ratio))


def check_common(estimator: Any) -> None:
    """Check what LogisticRegression and LogisticRegressionCV share, and what has no effect."""
    if not is_one_of(estimator.solver, *SOLVERS):
        msg = f"solver is {estimator.solver!r}; expected one of {', '.join(map(repr, SOLVERS))}"
        raise ValueError(msg)
    _input.boolean(estimator.dual, "dual")
    _input.positive(as_number(estimator.intercept_scaling), "intercept_scaling")
    if not is_one_of(estimator.multi_class, "deprecated", "auto", "ovr", "multinomial"):
        msg = f"multi_class is {estimator.multi_class!r}; expected 'auto', 'ovr' or 'multinomial'"
        raise ValueError(msg)
    _check_class_weight(estimator.class_weight)
    try:
        check_random_state(estimator.random_state)
    except ValueError as error:
        msg = f"random_state is {estimator.random_state!r}; expected None or a seed: {error}"
        raise ValueError(msg) from None
    if estimator.n_jobs is not None:
        _input.integer(as_number(estimator.n_jobs), "n_jobs", -(2**31))
    if not isinstance(estimator.verbose, (bool, np.bool_)):
        _input.integer(estimator.verbose, "verbose", 0)


def check_classes(estimator: Any, count: int) -> None:
    """Refuse what is not built for so many classes."""
    given = estimator.multi_class
    if given == "multinomial" and count == 2:
        msg = (
            "multi_class is 'multinomial' and y has two classes; expected 'auto' or 'ovr': "
            "'multinomial' penalizes one weight per class"
        )
        raise ValueError(msg)
    one_each = f"and y has {count} classes; expected 'auto' or 'multinomial', or one model per "
    if given == "ovr" and count > 2:
        msg = f"multi_class is 'ovr' {one_each}class: sklearn.multiclass.OneVsRestClassifier"
        raise ValueError(msg)
    if count > 2 and estimator.solver == "gd":
        msg = (
            f"Only binary classification is supported with solver='gd', and y has {count} classes; "
            "expected 'auto': or call logreg_c.train"
        )
        raise ValueError(msg)


def _penalty(estimator: Any, C: float) -> str | None:
    """Return the penalty that `penalty`, `l1_ratio` and `C` ask for, None for none."""
    given, ratio = estimator.penalty, None
    if given is not None and not is_one_of(given, "deprecated", *PENALTIES):
        msg = f"penalty is {given!r}; expected one of {', '.join(map(repr, PENALTIES))} or None"
        raise ValueError(msg)
    if estimator.l1_ratio is not None:
        ratio = _input.probability(
            as_number(estimator.l1_ratio), "l1_ratio", "a number within [0, 1]"
        )
    if estimator.n_jobs is not None and VERSION >= (1, 8):
        msg = (
            "'n_jobs' has no effect, and scikit-learn removes it in 1.10: leave it out; n_threads "
            "limits the threads"
        )
        warnings.warn(msg, FutureWarning, stacklevel=4)
    if given == "elasticnet" and ratio is None:
        msg = "l1_ratio is None; expected a number within [0, 1], because penalty is 'elasticnet'"
        raise ValueError(msg)
    if given != "deprecated":
        if VERSION >= (1, 8):
            msg = (
                "'penalty' was deprecated in scikit-learn 1.8, which removes it in 1.10: leave it "
                "out, and pass l1_ratio=0 for 'l2', l1_ratio=1 for 'l1', an l1_ratio between them "
                "for 'elasticnet', or C=numpy.inf for None"
            )
            warnings.warn(msg, FutureWarning, stacklevel=4)
        return given  # type: ignore[no-any-return]
    if ratio is None and VERSION >= (1, 8):
        msg = (
            "'l1_ratio=None' was deprecated in scikit-learn 1.8, which refuses it in 1.10: pass "
            "l1_ratio=0"
        )
        warnings.warn(msg, FutureWarning, stacklevel=4)
    return None if math.inf == C else penalty_of_ratios(ratio or 0.0)


def penalty_of_ratios(*ratios: float) -> str:
    """Name the penalty of one or several l1_ratio."""
    if not any(ratios):
        return "l2"
    return "l1" if all(ratio == 1.0 for ratio in ratios) else "elasticnet"


def _warn_of_inconsistent(estimator: Any, penalty: str | None) -> None:
    """Warn, as scikit-learn does, where one parameter makes another one void."""
    ratio, given = estimator.l1_ratio, estimator.penalty
    if penalty != "elasticnet" and ratio is not None and 0 < ratio < 1:
        msg = (
            f"l1_ratio parameter is only used when penalty is 'elasticnet'. Got (penalty={penalty})"
        )
        warnings.warn(msg, UserWarning, stacklevel=4)
    if VERSION >= (1, 8) and ((given == "l2" and ratio != 0) or (given == "l1" and ratio != 1)):
        msg = (
            f"Inconsistent values: penalty={given} with l1_ratio={ratio}. penalty decides; pass "
            "l1_ratio only"
        )
        warnings.warn(msg, UserWarning, stacklevel=4)
    if given is None and estimator.C != 1.0:
        msg = "Setting penalty=None will ignore the C and l1_ratio parameters"
        warnings.warn(msg, UserWarning, stacklevel=4)


def check_solver(solver: str, penalty: str | None, *, dual: bool) -> None:
    """Refuse what scikit-learn's solver of that name refuses."""
    if solver not in {"liblinear", "saga", "auto"} and penalty not in {"l2", None}:
        msg = (
            f"Solver {solver} supports only 'l2' or None penalties, got {penalty} penalty: pass "
            "l1_ratio=0"
        )
        raise ValueError(msg)
    if solver != "liblinear" and dual:
        msg = (
            f"Solver {solver} supports only dual=False, got dual={dual}: only 'liblinear' has a "
            "dual form, with the same minimum"
        )
        raise ValueError(msg)
    if solver == "liblinear" and penalty == "elasticnet":
        msg = (
            f"Only 'saga' solver supports elasticnet penalty, got solver={solver}: pass "
            "solver='auto' or 'saga'"
        )
        raise ValueError(msg)
    if solver == "liblinear" and penalty is None:
        msg = (
            "C=np.inf as well as penalty=None is not supported for the liblinear solver: pass "
            "solver='auto'"
        )
        raise ValueError(msg)


def _check_class_weight(given: Any) -> None:
    if given is None or is_one_of(given, "balanced"):
        return
    if not isinstance(given, dict):
        msg = f"class_weight is {given!r}; expected a dict {{class: weight}}, 'balanced' or None"
        raise TypeError(msg)
    for label, weight in given.items():
        _input.not_negative(as_number(weight), f"class_weight[{label!r}]")


def is_one_of(value: object, *names: str) -> bool:
    """Return whether a value is one of some strings; no other type is compared."""
    return isinstance(value, str) and value in names


def as_number(value: Any) -> Any:
    """Return a bool as an integer, because scikit-learn accepts bools as numbers."""
    return int(value) if isinstance(value, bool) else value
