# SPDX-License-Identifier: BSD-3-Clause
"""LogisticRegressionCV for scikit-learn."""

from __future__ import annotations

import copy
import warnings
from functools import partial
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import get_scorer
from sklearn.model_selection import check_cv
from sklearn.utils import check_consistent_length
from sklearn.utils.metadata_routing import (
    UNUSED,
    MetadataRouter,
    MethodMapping,
    _raise_for_params,
    _routing_enabled,
    process_routing,
)

from logreg_c import _input
from logreg_c._solvers.result import Solution

from .estimator import LogisticRegression
from .folds import Samples, fit_folds
from .grid import Grid, checked
from .labels import encoded, labels_of
from .parameters import InvalidParameterError, check_classes, is_one_of
from .predicting import Predicting
from .samples import read
from .scores import score_folds
from .search import gap_for_fold, reached, shortfall
from .weights import weights_of

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


class LogisticRegressionCV(Predicting):
    """Logistic regression that chooses its penalty by cross-validation, with X read in place.

    A drop-in replacement for ``sklearn.linear_model.LogisticRegressionCV`` where
    `LogisticRegression` is one for scikit-learn's. Each fold starts the fit of each C at the
    minimum of the one before. A fold leaves samples out by weights of 0, so X is not copied.

    Parameters
    ----------
    Cs : int or array-like of shape (n_cs,), default=10
        Values of C, the inverse of the strength of the penalty, in the order in which they are
        fitted; or how many, between 1e-4 and 1e4.
    l1_ratios : array-like of shape (n_l1_ratios,) or None, default="warn"
        Shares of the l1 penalty, from 0 to 1. None, the default, is 0, and leaves out an axis of
        the attributes.
    fit_intercept : bool, default=True
        Whether to fit an intercept, which is not penalized.
    cv : int, cross-validation generator or iterable, default=None
        As in scikit-learn: the number of stratified folds, by default 5, or what splits.
    dual : bool, default=False
        Without effect, as in `LogisticRegression`.
    penalty : {"l2", "l1", "elasticnet"}, default="deprecated"
        scikit-learn deprecates this parameter in 1.8; `l1_ratios` says what the penalty is.
    scoring : str, callable or None, default="warn"
        What scores a fit on the part of a fold that is held out, as in scikit-learn; None, the
        default, for accuracy.
    solver : str, default="auto"
        As in `LogisticRegression`, except for "gd".
    tol, max_iter, class_weight, standardize, n_threads
        As in `LogisticRegression`, of each fit. Class weights that are "balanced" are those of all
        samples.
    refit : bool, default=True
        Whether to fit all samples with the C whose mean score is highest. Otherwise `coef_`,
        `intercept_` and `C_` are means over the folds, each with its own best C.
    use_legacy_attributes : bool, default="warn"
        Whether the attributes have the form of scikit-learn up to 1.9, the default.
    n_jobs, verbose, intercept_scaling, random_state, multi_class
        Accepted because scikit-learn has them, but without effect.

    Attributes
    ----------
    classes_, coef_, intercept_, n_features_in_, feature_names_in_, coef_names_
        As in `LogisticRegression`.
    C_ : float
        The best C.
    l1_ratio_ : float
        The best l1_ratio.
    Cs_, l1_ratios_ : ndarray
        All that were tried.
    coefs_paths_ : ndarray of shape (n_folds, n_l1_ratios, n_cs, n_classes, n_features + 1)
        Weights of every fit, with the intercept last, if there is one; one row for two classes.
    scores_, n_iter_ : ndarray of shape (n_folds, n_l1_ratios, n_cs)
        Scores of every fit, and its passes over X.

    Notes
    -----
    With ``use_legacy_attributes=True``, `C_` and `l1_ratio_` have an entry per class, or one for
    two classes. `scores_` and `coefs_paths_` are dicts of the classes, for two classes only of the
    second, with arrays (n_folds, n_cs, n_l1_ratios) and (n_folds, n_cs, n_l1_ratios, n_features +
    1), and `n_iter_` is (1, n_folds, n_cs, n_l1_ratios). With ``l1_ratios=None`` the axis of
    length n_l1_ratios is left out.

    Examples
    --------
    >>> from sklearn.datasets import load_breast_cancer
    >>> from logreg_c.sklearn import LogisticRegressionCV
    >>> X, y = load_breast_cancer(return_X_y=True)
    >>> model = LogisticRegressionCV(
    ...     Cs=[0.01, 0.1, 1.0],
    ...     l1_ratios=(0,),
    ...     scoring="neg_log_loss",
    ...     standardize=True,
    ...     use_legacy_attributes=False,
    ... ).fit(X, y)
    >>> model.C_
    1.0
    >>> model.scores_.mean(axis=0).round(3)
    array([[-0.18 , -0.098, -0.081]])
    """

    __module__ = "logreg_c.sklearn"
    C_: Any
    l1_ratio_: Any
    scores_: Any
    coefs_paths_: Any
    n_iter_: Any
    # As in scikit-learn, sample_weight goes to the scorer that asks for it.
    __metadata_request__score = {"sample_weight": UNUSED}  # noqa: RUF012

    def __init__(
        self,
        *,
        Cs: int | ArrayLike = 10,
        l1_ratios: ArrayLike | str | None = "warn",
        fit_intercept: bool = True,
        cv: Any = None,
        dual: bool = False,
        penalty: str = "deprecated",
        scoring: Any = "warn",
        solver: str = "auto",
        tol: float = 1e-4,
        max_iter: int = 100,
        class_weight: dict[Any, float] | str | None = None,
        n_jobs: int | None = None,
        verbose: int = 0,
        refit: bool = True,
        intercept_scaling: float = 1,
        multi_class: str = "deprecated",
        random_state: Any = None,
        use_legacy_attributes: bool | str = "warn",
        standardize: bool = False,
        n_threads: int | None = None,
    ) -> None:
        self.Cs = Cs
        self.l1_ratios = l1_ratios
        self.fit_intercept = fit_intercept
        self.cv = cv
        self.dual = dual
        self.penalty = penalty
        self.scoring = scoring
        self.solver = solver
        self.tol = tol
        self.max_iter = max_iter
        self.class_weight = class_weight
        self.n_jobs = n_jobs
        self.verbose = verbose
        self.refit = refit
        self.intercept_scaling = intercept_scaling
        self.multi_class = multi_class
        self.random_state = random_state
        self.use_legacy_attributes = use_legacy_attributes
        self.standardize = standardize
        self.n_threads = n_threads

    def fit(
        self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None, **params: Any
    ) -> Self:
        """Fit the model of each fold and C, and then of all samples with the best C.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Samples, read in place in their own type. A CSC matrix is converted once.
        y : array-like of shape (n_samples,)
            Labels of two classes or more, of any type.
        sample_weight : array-like of shape (n_samples,), optional
            Weights >= 0 of the samples, which the scorer gets, too.
        **params
            With metadata routing, what the splitter and the scorer ask for.

        Returns
        -------
        self

        Raises
        ------
        ValueError, TypeError, OverflowError
            As in `LogisticRegression`.
        KeyboardInterrupt
            Ctrl-C. As with `fit_many`, nothing is kept: only all folds together choose a C. The
            previous fit stays.

        Warns
        -----
        ConvergenceWarning
            Some fits did not reach `tol`: how many, and why the first did not.
        FutureWarning
            A parameter whose default, or which itself, the installed scikit-learn deprecates.
        """
        _raise_for_params(params, self, "fit")
        try:
            grid = checked(self)
        except (TypeError, ValueError) as error:
            raise InvalidParameterError(str(error)) from None
        if y is None:
            msg = "LogisticRegressionCV requires y to be passed, but the target y is None"
            raise ValueError(msg)
        fitted = copy.copy(self)  # the previous fit is kept until this one is complete
        try:
            found = fitted._fit(X, y, sample_weight, params, grid)  # noqa: SLF001 (same class)
        except KeyboardInterrupt:  # perhaps with the w and b of a fold, which tell nothing
            reason = "interrupted before all folds were fitted; the previous fit stays"
            raise KeyboardInterrupt(reason) from None
        if msg := fitted._shortfalls(found, grid):  # noqa: SLF001 (same class)
            warnings.warn(msg, ConvergenceWarning, stacklevel=2)
        self.__dict__ = fitted.__dict__
        return self

    def _fit(
        self, X: Any, y: Any, sample_weight: Any, params: dict[str, Any], grid: Grid
    ) -> list[Solution]:
        """Fit, and return all fits: of the folds, and of all samples."""
        labels = labels_of(y)
        check_consistent_length(X, labels)
        self.classes_, Y = encoded(labels, self.solver)
        check_classes(self, len(self.classes_))
        count = len(self.classes_)
        weights = weights_of(Y, self.classes_, self.class_weight, sample_weight)
        split, score = self._routed(sample_weight, params)

        def fits(of: Any, *, categories: bool = False) -> list[Solution]:
            examples = _input.examples(of, None, categories=categories)
            self._name_weights(examples)
            outputs = count if count > 2 else 1
            samples = Samples(examples, Y, outputs, weights, self.n_threads)
            strata = Y.view(np.uint8) if count == 2 and self.cv is None else labels
            folds = list(check_cv(self.cv, strata, classifier=True).split(X, strata, **split))
            found = fit_folds(samples, folds, grid)
            paths = np.array([[list(map(_weights, path)) for path in fold] for fold in found])
            passes = [[[one.n_iter for one in path] for path in fold] for fold in found]
            scores = score_folds(
                self._model(),
                paths,
                X,
                labels,
                folds,
                scoring=grid.scoring,
                parameters=score,
            )
            chosen = self._choose(samples, paths, scores, grid)
            self._publish(paths, scores, np.array(passes, np.int32), grid)
            return [*(one for fold in found for path in fold for one in path), *chosen]

        found: list[Solution] = read(
            self, X, fits, reset=True, use_categories=partial(fits, categories=True)
        )
        return found

    def _model(self) -> LogisticRegression:
        """Return an estimator for the scorer, which gets `coef_` and `intercept_` later."""
        model = LogisticRegression(n_threads=self.n_threads)
        for name in "classes_", "n_features_in_", "feature_names_in_", "coef_names_":
            if hasattr(self, name):
                setattr(model, name, getattr(self, name))
        return model

    def _choose(
        self,
        samples: Samples,
        paths: NDArray[np.float64],
        scores: NDArray[np.float64],
        grid: Grid,
    ) -> list[Solution]:
        """Find the best C and l1_ratio, and their weights; return the fit of all samples."""
        ratios = grid.l1_ratios or [0.0]
        of_C_first = np.moveaxis(scores, 1, 2)  # of equal scores, that of the first C is the best
        if not grid.refit:
            flat = of_C_first.reshape(len(scores), -1).argmax(axis=1)
            c, r = np.unravel_index(flat, of_C_first.shape[1:])
            weights = np.mean(paths[np.arange(len(paths)), r, c], axis=0)
            self.C_, self.l1_ratio_ = np.mean(grid.Cs[c]), np.mean(np.array(ratios)[r])
            self.coef_, self.intercept_ = weights[:, :-1], weights[:, -1]
            return []
        total = of_C_first.sum(axis=0)
        c, r = np.unravel_index(total.argmax(), total.shape)
        self.C_, self.l1_ratio_ = grid.Cs[c], ratios[r]
        weights = np.mean(paths[:, r, c], axis=0)
        b = weights[:, -1] if samples.outputs > 1 else weights.item(-1)
        start = Solution(weights[:, :-1].T, b, n_iter=1)
        all_samples = samples.weighted(None, np.array([self.C_]))
        tol = gap_for_fold(samples.X, 1)
        ((found,),) = samples.search([all_samples], grid.mixes[r], grid, start, tol=tol)
        self.coef_, self.intercept_ = found.w.T.copy(), np.atleast_1d(found.b)
        return [found]

    def _publish(
        self,
        paths: NDArray[Any],
        scores: NDArray[Any],
        passes: NDArray[Any],
        grid: Grid,
    ) -> None:
        """Set the attributes that show the grid, in the form that was asked for."""
        self.Cs_ = grid.Cs
        self.l1_ratios_ = np.array([None] if grid.l1_ratios is None else grid.l1_ratios)
        paths = paths if grid.fit_intercept else paths[..., :-1]
        if not grid.legacy:
            self.C_, self.l1_ratio_ = float(self.C_), float(self.l1_ratio_)
            self.coefs_paths_, self.scores_, self.n_iter_ = paths, scores, passes
            return
        of_ratio = 0 if grid.l1_ratios is None else slice(None)
        scores, passes, paths = (
            np.moveaxis(values, 1, 2)[:, :, of_ratio] for values in (scores, passes, paths)
        )
        classes = self.classes_[-paths.shape[-2] :]
        self.scores_ = {one: scores.copy() for one in classes}
        self.coefs_paths_ = {one: paths[..., k, :] for k, one in enumerate(classes)}
        self.n_iter_ = passes[np.newaxis]
        ratio: Any = None if grid.l1_ratios is None and grid.refit else self.l1_ratio_
        self.C_, self.l1_ratio_ = np.repeat(self.C_, len(classes)), np.repeat(ratio, len(classes))

    def _shortfalls(self, found: list[Solution], grid: Grid) -> str | None:
        """Say how many fits did not reach `tol`, and why the first did not."""
        failed = [one for one in found if not reached(one, grid.tol)]
        if not failed:
            return None
        why = shortfall(
            failed[0],
            self.solver,
            tol=grid.tol,
            max_iter=grid.max_iter,
            can_standardize=not grid.standardize,
        )
        return f"{len(failed)} of {len(found)} fits did not reach tol. The first: {why}"

    def _routed(
        self, sample_weight: Any, params: dict[str, Any]
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return what the splitter and the scorer get."""
        if not _routing_enabled():
            return {}, {} if sample_weight is None else {"sample_weight": sample_weight}
        if sample_weight is not None:
            params = params | {"sample_weight": sample_weight}
        routed = process_routing(self, "fit", **params)
        return routed.splitter.split, routed.scorer.score

    def score(
        self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None, **params: Any
    ) -> float:
        """Score the predictions for X by `scoring`.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Samples, read in place.
        y : array-like of shape (n_samples,)
            Their labels.
        sample_weight : array-like of shape (n_samples,), optional
            Weights of the samples.
        **params
            With metadata routing, what the scorer asks for.

        Returns
        -------
        float
        """
        _raise_for_params(params, self, "score")
        if sample_weight is not None:
            params = params | {"sample_weight": sample_weight}
        if _routing_enabled():
            params = process_routing(self, "score", **params).scorer.score
        found: float = self._get_scorer()(self, X, y, **params)
        return found

    def get_metadata_routing(self) -> MetadataRouter:
        """Return where the parameters of `fit` and `score` go: to the splitter and the scorer.

        Returns
        -------
        MetadataRouter
        """
        to_scorer = MethodMapping().add(caller="score", callee="score")
        return (
            MetadataRouter(owner=self)
            .add_self_request(self)
            .add(splitter=self.cv, method_mapping=MethodMapping().add(caller="fit", callee="split"))
            .add(
                scorer=self._get_scorer(),
                method_mapping=to_scorer.add(caller="fit", callee="score"),
            )
        )

    def _get_scorer(self) -> Any:
        by_default = self.scoring is None or is_one_of(self.scoring, "warn")
        return get_scorer("accuracy" if by_default else self.scoring)


def _weights(found: Solution) -> NDArray[np.float64]:
    """Return the weights of each output, one row for two classes, with b last."""
    return np.column_stack([found.w.T, np.atleast_1d(found.b)])
