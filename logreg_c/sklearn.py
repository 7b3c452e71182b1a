# SPDX-License-Identifier: BSD-3-Clause
"""Logistic regression as a scikit-learn classifier (extra ``sklearn``)."""

from __future__ import annotations

import math
import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from . import _check
from ._errors import DivergenceError
from ._predict import decision, sigmoid
from ._train import descend, warn_of_divergence

try:
    from sklearn.base import BaseEstimator, ClassifierMixin
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.utils import (
        assert_all_finite,
        check_array,
        check_consistent_length,
        column_or_1d,
    )
    from sklearn.utils.class_weight import compute_class_weight
    from sklearn.utils.multiclass import check_classification_targets, type_of_target
    from sklearn.utils.validation import check_is_fitted, validate_data

    from ._lbfgs import FLOAT32_TOL, Minimum, Stopped, lbfgs
except ImportError as error:
    msg = (
        "logreg_c.sklearn needs scikit-learn 1.6 or later and what comes with it: "
        f"pip install 'logreg-c[sklearn]'. What went wrong: {error}"
    )
    raise ImportError(msg) from error

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import ArrayLike, NDArray

__all__ = ["LogisticRegression"]


class LogisticRegression(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Binary logistic regression with an l2 penalty, trained where X lies.

    A drop-in for ``sklearn.linear_model.LogisticRegression`` on dense data, two classes and an l2
    penalty: parameters of the same name mean the same, and so does the objective that is minimised,

        J = sum(s * loss) / sum(s) + l2/2 sum(w^2),    l2 = 1 / (C sum(s))

    with s the sample weights times the class weights. X is read in its own type, float64, float32,
    float16, bool or integer, and never copied or widened.

    Parameters
    ----------
    C : float, default=1.0
        Inverse of the strength of the penalty, > 0; ``numpy.inf`` for none.
    fit_intercept : bool, default=True
        Whether to fit an intercept; it is not penalised.
    class_weight : dict, "balanced" or None, default=None
        Weights of the classes, ``{class: weight}``. "balanced" gives both classes the same sum of
        weights.
    tol : float, default=1e-4
        Stop when no component of the gradient of J is larger.
    max_iter : int, default=100
        Iterations at most, >= 1.
    warm_start : bool, default=False
        Start from the `coef_` and `intercept_` of the fit before.
    solver : {"lbfgs", "gd"}, default="lbfgs"
        SciPy's L-BFGS, or gradient descent.
    alpha : float or "auto", default="auto"
        Learning rate of ``solver="gd"``. "auto" takes the inverse of a bound on the curvature of J,
        with which J falls at every iteration, down to its minimum.
    standardize : bool, default=False
        Fit as if every feature had mean 0 and variance 1: what a ``StandardScaler`` before does,
        without its copy of X. The penalty, `tol` and `costs_` are those of the standardised
        problem, `coef_` and `intercept_` those of X as it is. Without an intercept features are
        scaled only, and a constant feature stays as it is.
    n_threads : int or None, default=None
        Threads to use at most; by default what OpenMP would.

    Attributes
    ----------
    classes_ : ndarray of shape (2,)
        The classes, sorted; probabilities above 1/2 are for the second.
    coef_ : ndarray of shape (1, n_features)
        Weights.
    intercept_ : ndarray of shape (1,)
        Bias.
    n_iter_ : ndarray of shape (1,)
        Iterations done.
    costs_ : ndarray of shape (n,)
        J at the start and after each iteration; gradient descent that ends at `max_iter` leaves
        out the last.
    n_features_in_ : int
        Features seen by `fit`.
    feature_names_in_ : ndarray of shape (n_features,)
        Their names, where X has names that are strings.

    Notes
    -----
    X of float32, float16, bool or integers of 8 or 16 bits is computed with in float32, until no
    component of the gradient is above `tol` or 1e-5, and from there in float64, which decides
    whether `tol` is reached.

    Examples
    --------
    >>> from sklearn.datasets import load_breast_cancer
    >>> from logreg_c.sklearn import LogisticRegression
    >>> X, y = load_breast_cancer(return_X_y=True)
    >>> LogisticRegression(standardize=True).fit(X, y).score(X, y).round(3)
    0.988
    """

    classes_: NDArray[Any]
    coef_: NDArray[np.float64]
    intercept_: NDArray[np.float64]

    def __init__(
        self,
        *,
        C: float = 1.0,
        fit_intercept: bool = True,
        class_weight: dict[Any, float] | str | None = None,
        tol: float = 1e-4,
        max_iter: int = 100,
        warm_start: bool = False,
        solver: str = "lbfgs",
        alpha: float | str = "auto",
        standardize: bool = False,
        n_threads: int | None = None,
    ) -> None:
        self.C = C
        self.fit_intercept = fit_intercept
        self.class_weight = class_weight
        self.tol = tol
        self.max_iter = max_iter
        self.warm_start = warm_start
        self.solver = solver
        self.alpha = alpha
        self.standardize = standardize
        self.n_threads = n_threads

    def fit(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> Self:
        """Fit the model.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Samples, read in place in their own type.
        y : array-like of shape (n_samples,)
            Labels of two classes, of any type.
        sample_weight : array-like of shape (n_samples,), optional
            Weights >= 0 of the samples.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            Shapes that do not fit, values out of range, NaN or infinity in the data, labels that
            are not of two classes.
        TypeError
            Data that are not real numbers, settings of a wrong type.
        OverflowError
            The data are finite, but a sum over them leaves the range of float64.
        DivergenceError
            A descent with an `alpha` that is too large does.

        Warns
        -----
        ConvergenceWarning
            The gradient is above `tol` in the end: `max_iter` is too small, or the precision of
            float64 does not suffice. A fit without this warning has reached `tol`.
        DivergenceWarning
            Descent with this `alpha` raised the cost.
        """
        C = self.C if np.array_equal(self.C, math.inf) else _check.positive(self.C, "C")
        tol = _check.not_negative(self.tol, "tol")
        max_iter = _check.integer(self.max_iter, "max_iter", 1)
        if not isinstance(self.solver, str) or self.solver not in {"lbfgs", "gd"}:
            msg = f"solver is {self.solver!r}; expected 'lbfgs' or 'gd'"
            raise ValueError(msg)

        if y is None:
            msg = "LogisticRegression requires y to be passed, but the target y is None"
            raise ValueError(msg)
        samples = self._samples(X, reset=True)
        labels = column_or_1d(
            check_array(y, ensure_2d=False, dtype=None, input_name="y"), warn=True
        )
        check_consistent_length(X, labels)
        self.classes_, Y = _two_classes(labels)
        weights = self._weights(Y, sample_weight)
        total = float(len(Y) if weights is None else weights.sum(dtype=np.float64))
        l2 = 0.0
        if total > 0.0:  # other sums are refused where the weights are checked
            l2 = 1.0 / (C * total) if C * total > 0.0 else math.inf
        if l2 == math.inf:
            msg = (
                f"C is {C} and the weights sum to {total}; expected a product whose reciprocal, "
                "the strength of the penalty, is within float64: choose a larger C"
            )
            raise ValueError(msg)

        w, b = np.zeros(self.n_features_in_), 0.0
        if self.warm_start and hasattr(self, "coef_"):
            if self.coef_.shape != (1, w.size):
                msg = (
                    f"warm_start: coef_ has shape {self.coef_.shape} and X {w.size} features; "
                    "expected those of the fit before: set warm_start=False, or clone the estimator"
                )
                raise ValueError(msg)
            w = self.coef_.ravel()
            b = float(self.intercept_[0]) if self.fit_intercept else 0.0
        with _in_words_of_sklearn(samples):
            settings = {
                "w": w,
                "b": b,
                "l2": l2,
                "sample_weight": weights,
                "standardize": self.standardize,
                "tol": tol,
                "n_threads": self.n_threads,
                "fixed_b": not self.fit_intercept,
            }
            if self.solver == "lbfgs":
                found = lbfgs(samples, Y, max_iter, **settings)
            else:
                found = _gradient_descent(samples, Y, self.alpha, max_iter, **settings)
        if found.stopped != "tol":
            warnings.warn(self._shortfall(found, tol, max_iter), ConvergenceWarning, stacklevel=2)
        self.coef_ = found.w.reshape(1, -1)
        self.intercept_ = np.array([found.b])
        self.n_iter_ = np.array([found.n_iter], dtype=np.int32)
        self.costs_ = np.array(found.costs)
        return self

    def _samples(self, X: Any, *, reset: bool) -> Any:
        """Return X as the wrapper reads it: a data frame, or an array with one column a sample."""
        if _check.is_frame(X):
            return validate_data(self, X, reset=reset, skip_check_array=True)
        # X keeps its type, and the first pass finds what is not finite.
        return validate_data(self, X, reset=reset, dtype="numeric", ensure_all_finite=False).T

    def _shortfall(self, found: Minimum, tol: float, max_iter: int) -> str:
        """Say why the fit did not reach `tol`, and what to do."""
        msg = f"{self.solver} failed to converge after {found.n_iter} iteration(s): "
        if found.slope is not None:
            msg += (
                f"the largest component of the gradient is {found.slope:.2g}, above tol={tol:g}. "
            )
        if found.stopped == "rounding":
            msg += (
                "No step lowers the cost any more to the precision of float64.\n"
                "Choose a larger tol."
            )
        else:
            msg += (
                "\nIncrease the number of iterations to improve the convergence "
                f"(max_iter={max_iter})."
            )
        if not self.standardize:
            msg += "\nYou might also want to scale the data: standardize=True does, in place."
        return msg

    def _weights(self, Y: NDArray[np.bool_], sample_weight: Any) -> Any:
        """Return the weights of the samples times those of their classes."""
        if sample_weight is not None:
            sample_weight = column_or_1d(sample_weight)
            check_consistent_length(Y, sample_weight)
        if self.class_weight is None:
            return sample_weight
        if isinstance(self.class_weight, str) and self.class_weight == "balanced":
            counts = np.bincount(Y, weights=sample_weight, minlength=2)
            if not counts.all():
                msg = (
                    f"class {self.classes_[int(counts[0] > 0)]} has samples of weight 0 only; "
                    "class_weight='balanced' expects a positive sum for both"
                )
                raise ValueError(msg)
            of_class = counts.sum() / (2.0 * counts)
        else:
            of_class = compute_class_weight(
                self.class_weight, classes=self.classes_, y=self.classes_
            )
        weights: NDArray[np.float64] = np.where(Y, of_class[1], of_class[0]).astype(np.float64)
        return weights if sample_weight is None else weights * sample_weight

    def decision_function(self, X: ArrayLike) -> NDArray[np.float64]:
        """Compute the log-odds of the second class, X w + b.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Samples, read in place.

        Returns
        -------
        ndarray of shape (n_samples,)
        """
        check_is_fitted(self)
        samples = self._samples(X, reset=False)
        w, b, n_threads = self.coef_[0], self.intercept_[0], self.n_threads
        with _in_words_of_sklearn(samples):
            try:
                Z = decision(samples, w, b, dtype=None, n_threads=n_threads)
            except OverflowError:  # of float32, perhaps
                Z = decision(samples, w, b, dtype=np.float64, n_threads=n_threads)
        return Z.ravel()

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """Predict the class of every sample.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Samples, read in place.

        Returns
        -------
        ndarray of shape (n_samples,)
            Values of `classes_`.
        """
        second = self.decision_function(X) > 0.0
        return self.classes_[second.astype(np.intp)]

    def predict_proba(self, X: ArrayLike) -> NDArray[np.float64]:
        """Compute the probabilities of the classes.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Samples, read in place.

        Returns
        -------
        ndarray of shape (n_samples, 2)
            Columns in the order of `classes_`; small probabilities are as accurate as large ones.
        """
        Z = self.decision_function(X)
        return np.column_stack([sigmoid(-Z), sigmoid(Z)])

    def predict_log_proba(self, X: ArrayLike) -> NDArray[np.float64]:
        """Compute the logarithms of the probabilities, finite however small these are.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Samples, read in place.

        Returns
        -------
        ndarray of shape (n_samples, 2)
        """
        Z = self.decision_function(X)
        return -np.column_stack([np.logaddexp(0.0, Z), np.logaddexp(0.0, -Z)])

    def __sklearn_tags__(self) -> Any:
        """Tell scikit-learn that there are two classes."""
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = False
        return tags


def _gradient_descent(
    X: Any, Y: NDArray[np.bool_], alpha: Any, iters: int, **settings: Any
) -> Minimum:
    """Minimise J by the kernel's own loop, in float32 and float64 as `lbfgs`."""
    tol, n_iter = settings.pop("tol"), 0
    costs: list[float] = []
    arithmetics: list[tuple[type[np.floating[Any]], float]] = [(np.float64, tol)]
    if _check.examples(X, None).float32:
        arithmetics.insert(0, (np.float32, max(tol, FLOAT32_TOL)))
    for dtype, resolved in arithmetics:
        try:
            result = descend(
                X,
                Y,
                alpha,
                iters - n_iter,
                tol=resolved,
                callback=None,
                dtype=dtype,
                stacklevel=None,
                **settings,
            )
        except DivergenceError:
            if dtype is np.float64:
                raise
            continue
        settings |= {"w": np.array(result.w[:, 0]), "b": result.b}
        costs = costs[:-1] + result.costs.tolist()  # the last was J at what is this start
        n_iter += len(result.costs) - (result.stopped == "tol")
        alpha = result.alpha
        if result.stopped != "tol":
            break
    warn_of_divergence(np.array(costs), alpha, standardize=settings["standardize"], stacklevel=4)
    stopped: Stopped = "tol" if result.stopped == "tol" else "iters"
    return Minimum(settings["w"], result.b, costs, n_iter, stopped)


def _two_classes(y: NDArray[Any]) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """Return the classes, sorted, and where y is the second."""
    classes = None
    if y.dtype.kind in "biuf":  # no need to sort y then
        classes = np.unique([y.min(), y.max()])
        if len(classes) == 2 and not ((y == classes[0]) | (y == classes[1])).all():
            classes = None
    if classes is None:
        classes = np.unique(y)
    check_classification_targets(classes if len(classes) == 2 else y)
    if len(classes) < 2:
        msg = (
            "LogisticRegression needs samples of two classes, but the data contains only one "
            f"class: {classes[0]}"
        )
        raise ValueError(msg)
    if len(classes) > 2:
        msg = (
            "Only binary classification is supported. The type of the target is "
            f"{type_of_target(y)}, of {len(classes)} classes: "
            "sklearn.multiclass.OneVsRestClassifier(LogisticRegression()) fits one model a class"
        )
        raise ValueError(msg)
    return classes, y == classes[1]


@contextmanager
def _in_words_of_sklearn(samples: Any) -> Iterator[None]:
    """Tell of NaN and infinity in an array as scikit-learn does, to which a row is a sample."""
    try:
        yield
    except ValueError:
        if isinstance(samples, np.ndarray):
            assert_all_finite(samples, estimator_name="LogisticRegression", input_name="X")
        raise
