# SPDX-License-Identifier: BSD-3-Clause
"""The parameters of LogisticRegressionCV: the grid, and what scikit-learn says about them."""

from __future__ import annotations

import math
import warnings
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from logreg_c import _input

from .parameters import (
    PENALTIES,
    VERSION,
    as_number,
    check_common,
    check_solver,
    is_one_of,
    penalty_of_ratios,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Grid(NamedTuple):
    """The checked parameters, as `fit` uses them."""

    Cs: NDArray[np.float64]
    l1_ratios: list[float] | None  # None: attributes have no axis for them
    mixes: list[float]  # what is fitted for each of them
    tol: float
    max_iter: int
    fit_intercept: bool
    standardize: bool
    refit: bool
    legacy: bool
    scoring: Any


def checked(estimator: Any) -> Grid:
    """Check the parameters. Warnings point to the line that calls `fit`, which calls this."""
    check_common(estimator)
    if is_one_of(estimator.solver, "gd"):
        msg = "solver is 'gd'; expected 'auto': cross-validation takes the minimum, not a descent"
        raise ValueError(msg)
    ratios, penalty = _penalty(estimator)
    check_solver(estimator.solver, penalty, dual=estimator.dual)
    scoring, legacy = _warned(estimator)
    return Grid(
        Cs=_strengths(estimator.Cs),
        l1_ratios=ratios,
        mixes=[
            ratio if penalty == "elasticnet" else float(penalty == "l1")
            for ratio in ratios or [0.0]
        ],
        tol=_input.not_negative(as_number(estimator.tol), "tol"),
        max_iter=_input.integer(as_number(estimator.max_iter), "max_iter", 0),
        fit_intercept=_input.boolean(estimator.fit_intercept, "fit_intercept"),
        standardize=_input.boolean(estimator.standardize, "standardize"),
        refit=_input.boolean(estimator.refit, "refit"),
        legacy=_input.boolean(legacy, "use_legacy_attributes"),
        scoring=scoring,
    )


def _strengths(Cs: Any) -> NDArray[np.float64]:
    """Return all C: those given, or so many between 1e-4 and 1e4."""
    if np.ndim(Cs) == 0:
        return np.logspace(-4, 4, _input.integer(as_number(Cs), "Cs", 1))
    given = list(Cs)
    if not given:
        msg = "Cs is empty; expected at least one number > 0, or how many"
        raise ValueError(msg)
    for k, C in enumerate(given):
        if not np.array_equal(C, math.inf):
            _input.positive(as_number(C), f"Cs[{k}]")
    return np.array(given, np.float64)


def _penalty(estimator: Any) -> tuple[list[float] | None, str | None]:
    """Return l1_ratios, and the penalty that they and `penalty` ask for."""
    given, ratios = estimator.penalty, estimator.l1_ratios
    if not is_one_of(given, "deprecated", *PENALTIES):
        msg = f"penalty is {given!r}; expected one of {', '.join(map(repr, PENALTIES))}"
        raise ValueError(msg)
    if is_one_of(ratios, "warn"):
        ratios = None
        if VERSION >= (1, 8):
            msg = (
                "The default value for l1_ratios will change from None to (0.0,) in scikit-learn "
                "1.10, and the attributes get an axis for it: pass l1_ratios=(0,)"
            )
            warnings.warn(msg, FutureWarning, stacklevel=4)
    elif ratios is None and given == "deprecated" and VERSION >= (1, 8):
        msg = (
            "'l1_ratios=None' was deprecated in scikit-learn 1.8, which refuses it in 1.10: pass "
            "l1_ratios=(0,)"
        )
        warnings.warn(msg, FutureWarning, stacklevel=4)
    if ratios is not None:
        expected = "a number within [0, 1]"
        ratios = [
            _input.probability(as_number(ratio), f"l1_ratios[{k}]", expected)
            for k, ratio in enumerate(ratios)
        ]
    if ratios == [] or (ratios is None and given == "elasticnet"):
        msg = f"l1_ratios is {estimator.l1_ratios!r}; expected at least one number within [0, 1]"
        raise ValueError(msg)
    if given == "deprecated":
        return ratios, penalty_of_ratios(*(ratios or [0.0]))
    if VERSION >= (1, 8):
        msg = (
            "'penalty' was deprecated in scikit-learn 1.8, which removes it in 1.10: leave it out, "
            "and pass l1_ratios=(0,) for 'l2', (1,) for 'l1', or numbers between for 'elasticnet'"
        )
        warnings.warn(msg, FutureWarning, stacklevel=4)
    if given != "elasticnet" and ratios is not None:
        msg = (
            f"l1_ratios parameter is only used when penalty is 'elasticnet'. Got (penalty={given})"
        )
        warnings.warn(msg, UserWarning, stacklevel=4)
    return ratios, given


def _warned(estimator: Any) -> tuple[Any, Any]:
    """Return `scoring` and `use_legacy_attributes`, and warn where their default will change."""
    scoring, legacy = estimator.scoring, estimator.use_legacy_attributes
    if is_one_of(scoring, "warn"):
        scoring = None
        if VERSION >= (1, 9):
            msg = (
                "The default value of the parameter 'scoring' will change from None, which is "
                "'accuracy', to 'neg_log_loss' in scikit-learn 1.11: pass either"
            )
            warnings.warn(msg, FutureWarning, stacklevel=4)
    if is_one_of(legacy, "warn"):
        legacy = True
        if VERSION >= (1, 8):
            msg = (
                "The default value of use_legacy_attributes will change from True to False in "
                "scikit-learn 1.10, where the attributes of LogisticRegressionCV become arrays: "
                "pass either"
            )
            warnings.warn(msg, FutureWarning, stacklevel=4)
    return scoring, legacy
