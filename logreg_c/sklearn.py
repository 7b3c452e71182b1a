# SPDX-License-Identifier: BSD-3-Clause
"""Logistic regression as a scikit-learn classifier (extra ``sklearn``)."""

from __future__ import annotations

import copy
import math
import warnings
from collections.abc import Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple, Self

import numpy as np

from . import _input
from ._errors import DivergenceWarning
from ._objective import Objective
from ._predict import decision, sigmoid
from ._solvers.descent import descend_to_tol
from ._solvers.minimum import minimize

try:
    from scipy.sparse import issparse
    from sklearn.base import BaseEstimator, ClassifierMixin
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.utils import (
        assert_all_finite,
        check_array,
        check_consistent_length,
        check_random_state,
        column_or_1d,
    )
    from sklearn.utils.class_weight import compute_class_weight
    from sklearn.utils.multiclass import check_classification_targets, type_of_target
    from sklearn.utils.validation import check_is_fitted, validate_data
except ImportError as error:
    msg = (
        "logreg_c.sklearn needs scikit-learn 1.6 or later and its dependencies: "
        f"pip install 'logreg-c[sklearn]'. What went wrong: {error}"
    )
    raise ImportError(msg) from error

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import ArrayLike, NDArray

    from ._solvers.result import Solution

__all__ = ["LogisticRegression"]

# "auto" is ours. scikit-learn's solvers of an l2 problem find the same minimum, in more or in fewer
# iterations.
SOLVERS = ("auto", "lbfgs", "liblinear", "newton-cg", "newton-cholesky", "sag", "saga", "gd")
# A fit stops within this relative gap of the minimum, for any `tol`. Data of at most SMALL_SIZE
# values get a tighter gap, which costs them next to nothing and makes probabilities more accurate.
GAP, SMALL_GAP, SMALL_SIZE = 1e-9, 1e-15, 1 << 17
# Sums of weights, and their products with values, keep all their digits above.
SMALL_SUM = 1e-200


class InvalidParameterError(ValueError, TypeError):
    """An invalid parameter of the estimator; like scikit-learn's own, of both types."""


class _Settings(NamedTuple):
    """The checked parameters, as `fit` uses them."""

    C: float
    tol: float
    max_iter: int
    fit_intercept: bool
    warm_start: bool
    standardize: bool
    alpha: Any


class LogisticRegression(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Binary logistic regression with an l2 penalty, which reads X in place.

    A drop-in replacement for ``sklearn.linear_model.LogisticRegression`` on dense data with two
    classes and an l2 penalty. Parameters of the same name mean the same, and it minimizes the same
    objective,

        J = sum(s * loss) / sum(s) + l2/2 sum(w^2),    l2 = 1 / (C sum(s))

    where s is the sample weights times the class weights. X is read in its own type (float64,
    float32, float16, bool or integer) and is not copied or widened.

    Parameters
    ----------
    penalty : {"l2", None, "deprecated"}, default="l2"
        None for no penalty, whatever `C` is. "deprecated", scikit-learn's default, means "l2".
    C : float, default=1.0
        Inverse of the strength of the penalty, > 0; ``numpy.inf`` for no penalty.
    fit_intercept : bool, default=True
        Whether to fit an intercept, which is not penalized.
    class_weight : dict, "balanced" or None, default=None
        Weights of the classes, ``{class: weight}``. "balanced" gives both classes the same sum of
        weights.
    tol : float, default=1e-4
        Stop when no component of the gradient of J is larger and, except with ``solver="gd"``, J is
        within a share of 1e-9 of its minimum.
    max_iter : int, default=100
        The largest number of passes over X, or of iterations of gradient descent, >= 0.
    warm_start : bool, default=False
        Start from the `coef_` and `intercept_` of the fit before.
    solver : str, default="auto"
        "auto" finds the minimum in few passes over X, of features as they come: correlated,
        collinear, or of very different scales. scikit-learn's solvers "lbfgs", "newton-cg",
        "newton-cholesky", "sag", "saga" and "liblinear" find the same minimum, and are taken for
        "auto". (In scikit-learn "liblinear" penalizes the intercept; here nothing does.) "gd" is
        gradient descent.
    alpha : float or "auto", default="auto"
        Learning rate of ``solver="gd"``. "auto" uses the inverse of a bound on the curvature of J,
        with which J falls at every iteration until it reaches its minimum.
    standardize : bool, default=False
        Fit as if every feature had mean 0 and variance 1, like a preceding ``StandardScaler`` but
        without its copy of X. The penalty, `tol` and `costs_` refer to the standardized problem,
        and `coef_` and `intercept_` to the original X. Without an intercept, features are only
        scaled, and constant features are left unchanged.
    n_threads : int or None, default=None
        The largest number of threads; by default OpenMP's.
    l1_ratio : float or None, default=0.0
        Only 0 or None, because there is no l1 penalty.
    dual, intercept_scaling, multi_class, random_state, verbose, n_jobs
        Accepted because scikit-learn has them, but without effect. Values that change the result in
        scikit-learn are errors.

    Attributes
    ----------
    classes_ : ndarray of shape (2,)
        The classes, sorted; a probability above 1/2 means the second.
    coef_ : ndarray of shape (1, n_features)
        Weights.
    intercept_ : ndarray of shape (1,)
        Bias.
    n_iter_ : ndarray of shape (1,)
        Passes over X, or iterations of gradient descent.
    costs_ : ndarray of shape (n,)
        J at the start, which a sample of X may have given, and after each step; gradient descent
        that ends at `max_iter` leaves out the last.
    n_features_in_ : int
        Number of features in `fit`.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of the features, if X has names and all are strings.

    Notes
    -----
    For X of float32, float16, bool or integers of 8 or 16 bits, the computation is in float32 as
    far as that resolves the gap to the minimum. From there on it is in float64, which decides
    whether `tol` is reached.

    Examples
    --------
    >>> from sklearn.datasets import load_breast_cancer
    >>> from logreg_c.sklearn import LogisticRegression
    >>> X, y = load_breast_cancer(return_X_y=True)
    >>> model = LogisticRegression(standardize=True).fit(X, y)
    >>> print(f"{model.score(X, y):.3f}")
    0.988
    """

    classes_: NDArray[Any]
    coef_: NDArray[np.float64]
    intercept_: NDArray[np.float64]

    def __init__(
        self,
        penalty: str | None = "l2",
        *,
        C: float = 1.0,
        l1_ratio: float | None = 0.0,
        dual: bool = False,
        tol: float = 1e-4,
        fit_intercept: bool = True,
        intercept_scaling: float = 1,
        class_weight: dict[Any, float] | str | None = None,
        random_state: Any = None,
        solver: str = "auto",
        max_iter: int = 100,
        multi_class: str = "deprecated",
        verbose: int = 0,
        warm_start: bool = False,
        n_jobs: int | None = None,
        alpha: float | str = "auto",
        standardize: bool = False,
        n_threads: int | None = None,
    ) -> None:
        self.penalty = penalty
        self.C = C
        self.l1_ratio = l1_ratio
        self.dual = dual
        self.tol = tol
        self.fit_intercept = fit_intercept
        self.intercept_scaling = intercept_scaling
        self.class_weight = class_weight
        self.random_state = random_state
        self.solver = solver
        self.max_iter = max_iter
        self.multi_class = multi_class
        self.verbose = verbose
        self.warm_start = warm_start
        self.n_jobs = n_jobs
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
            Shapes that do not match, values out of range, NaN or infinity in the data, or labels
            that are not of two classes.
        TypeError
            Data that are not real numbers, or parameters of the wrong type.
        OverflowError
            The data are finite, but a sum over them leaves the range of float64.
        DivergenceError
            A descent leaves the range of float64 because `alpha` is too large.

        Warns
        -----
        ConvergenceWarning
            The final gradient is above `tol`: `max_iter` is too small, or the precision of float64
            is not enough. A fit without this warning has reached `tol`.
        DivergenceWarning
            Descent with this `alpha` raised the cost.
        """
        try:
            parameters = self._parameters()
        except (TypeError, ValueError) as error:
            raise InvalidParameterError(str(error)) from None
        if y is None:
            msg = "LogisticRegression requires y to be passed, but the target y is None"
            raise ValueError(msg)
        # The previous fit is kept until this one is complete.
        fitted = copy.copy(self)
        found = fitted._fit(X, y, sample_weight, parameters)  # noqa: SLF001 (same class)
        if found.fault:
            warnings.warn(found.fault, DivergenceWarning, stacklevel=2)
        within_tol = found.slope is not None and found.slope <= parameters.tol
        if found.stopped != "tol" and not (found.stopped == "rounding" and within_tol):
            msg = self._shortfall(found, parameters)
            warnings.warn(msg, ConvergenceWarning, stacklevel=2)
        self.__dict__ = fitted.__dict__
        return self

    def _fit(self, X: Any, y: Any, sample_weight: Any, parameters: _Settings) -> Solution:
        found: Solution = self._read(
            X, lambda samples: self._found(samples, X, y, sample_weight, parameters), reset=True
        )
        self.coef_ = found.w.reshape(1, -1)
        self.intercept_ = np.array([found.b])
        self.n_iter_ = np.array([found.n_iter], dtype=np.int32)
        self.costs_ = np.array(found.costs)
        return found

    def _parameters(self) -> _Settings:
        """Check the parameters; refuse values that would have an effect only in scikit-learn."""
        infinite = np.array_equal(self.C, math.inf)
        C = math.inf if infinite else _input.positive(_as_number(self.C), "C")
        if not _is_one_of(self.solver, *SOLVERS):
            msg = f"solver is {self.solver!r}; expected one of {', '.join(map(repr, SOLVERS))}"
            raise ValueError(msg)
        alpha = self.alpha
        if not isinstance(alpha, str):
            alpha = _input.positive(alpha, "alpha")
        elif alpha != "auto":
            msg = f"alpha is {alpha!r}; expected 'auto' or a finite number > 0"
            raise ValueError(msg)
        self._check_penalty()
        if _input.boolean(self.dual, "dual") and self.solver != "liblinear":
            msg = f"dual is True and solver is {self.solver!r}; expected dual=False: only "
            raise ValueError(msg + "'liblinear' has a dual form, with the same minimum")
        scaling = _input.positive(_as_number(self.intercept_scaling), "intercept_scaling")
        if scaling != 1.0 and self.solver == "liblinear":
            msg = (
                f"intercept_scaling is {self.intercept_scaling!r}; expected 1: it compensates for "
                "liblinear's penalty on the intercept, which is not penalized here"
            )
            raise ValueError(msg)
        if not _is_one_of(self.multi_class, "deprecated", "auto", "ovr"):
            msg = (
                f"multi_class is {self.multi_class!r}; expected 'auto' or 'ovr', the model for two "
                "classes: 'multinomial' penalizes one weight per class"
            )
            raise ValueError(msg)
        self._check_class_weight()
        try:
            check_random_state(self.random_state)
        except ValueError as error:
            msg = f"random_state is {self.random_state!r}; expected None or a seed: {error}"
            raise ValueError(msg) from None
        if self.n_jobs is not None:
            _input.integer(_as_number(self.n_jobs), "n_jobs", -(2**31))
        if not isinstance(self.verbose, (bool, np.bool_)):
            _input.integer(self.verbose, "verbose", 0)
        return _Settings(
            C=math.inf if self.penalty is None else C,
            tol=_input.not_negative(_as_number(self.tol), "tol"),
            max_iter=_input.integer(_as_number(self.max_iter), "max_iter", 0),
            fit_intercept=_input.boolean(self.fit_intercept, "fit_intercept"),
            warm_start=_input.boolean(self.warm_start, "warm_start"),
            standardize=_input.boolean(self.standardize, "standardize"),
            alpha=alpha,
        )

    def _check_penalty(self) -> None:
        if self.penalty is not None and not _is_one_of(self.penalty, "l2", "deprecated"):
            msg = (
                f"penalty is {self.penalty!r}; expected 'l2' or None: for an l1 penalty use "
                "sklearn.linear_model.LogisticRegression"
            )
            raise ValueError(msg)
        l1_ratio = 0.0 if self.l1_ratio is None else _as_number(self.l1_ratio)
        if _input.not_negative(l1_ratio, "l1_ratio") > 0.0:
            msg = (
                f"l1_ratio is {self.l1_ratio!r}; expected 0, because the penalty is l2: for an l1 "
                "penalty use sklearn.linear_model.LogisticRegression"
            )
            raise ValueError(msg)

    def _check_class_weight(self) -> None:
        given = self.class_weight
        if given is None or _is_one_of(given, "balanced"):
            return
        if not isinstance(given, dict):
            msg = (
                f"class_weight is {given!r}; expected a dict {{class: weight}}, 'balanced' or None"
            )
            raise TypeError(msg)
        for label, weight in given.items():
            _input.not_negative(_as_number(weight), f"class_weight[{label!r}]")

    def _found(
        self, samples: Any, X: Any, y: Any, sample_weight: Any, parameters: _Settings
    ) -> Solution:
        """Fit to `samples`, which hold the data of X, and set `classes_`."""
        labels = _labels(y)
        check_consistent_length(X, labels)
        self.classes_, Y = _two_classes(labels)
        weights, l2 = _penalized(parameters.C, self._weights(Y, sample_weight), len(Y))
        w, b = self._start(parameters)
        objective = Objective.checked(
            _input.examples(samples, None), Y, sample_weight=weights, n_threads=self.n_threads
        )
        settings: dict[str, Any] = {
            "w": _input.coefficients(w, objective.examples),
            "b": _input.number(b, "intercept_"),
            "l2": l2,
            "standardize": parameters.standardize,
            "tol": parameters.tol,
            "fixed_b": not parameters.fit_intercept,
        }
        if self.solver == "gd":
            return descend_to_tol(objective, parameters.alpha, parameters.max_iter, **settings)
        tol = settings.pop("tol")
        warm = parameters.warm_start and hasattr(self, "coef_")
        n_x, m = objective.examples.shape
        gap = SMALL_GAP if n_x * m <= SMALL_SIZE else GAP
        return minimize(objective, parameters.max_iter, tol=gap, slope=tol, warm=warm, **settings)

    def _start(self, parameters: _Settings) -> tuple[NDArray[np.float64], float]:
        """Return the w and b to start from."""
        n_x = self.n_features_in_
        if not (parameters.warm_start and hasattr(self, "coef_")):
            return np.zeros(n_x), 0.0
        if self.coef_.shape != (1, n_x):
            msg = (
                f"warm_start: coef_ has shape {self.coef_.shape}, but X has {n_x} features; "
                "expected those of the previous fit: set warm_start=False, or clone the estimator"
            )
            raise ValueError(msg)
        return self.coef_.ravel(), float(self.intercept_[0]) if parameters.fit_intercept else 0.0

    def _shortfall(self, found: Solution, parameters: _Settings) -> str:
        """Say why the fit did not reach `tol`, and what to do."""
        if found.stopped == "separated":
            return (
                "A plane separates the classes and there is no penalty, so there is no minimum: "
                "coef_ grows without bound.\nPass a finite C, such as C=1e4."
            )
        msg = f"{self.solver} failed to converge after {found.n_iter} iteration(s)"
        if found.slope is not None:
            msg += (
                f": the largest component of the gradient is {found.slope:.2g}, above "
                f"tol={parameters.tol:g}"
            )
        if found.stopped == "rounding":
            msg += ".\nNo step lowers the cost by more than rounding. Choose a larger tol."
        else:
            msg += (
                ".\nIncrease the number of iterations to improve the convergence "
                f"(max_iter={parameters.max_iter})."
            )
        if not parameters.standardize:
            msg += "\nYou might also want to scale the data, which standardize=True does in place."
        return msg

    def _read(self, X: Any, read: Callable[[Any], Any], *, reset: bool = False) -> Any:
        """Return `read` of X: a data frame, or an array with one column per sample."""
        _refuse_masked(X, "X")
        if issparse(X):
            msg = (
                "Sparse data was passed for X, but dense data is required: use X.toarray(), "
                "OneHotEncoder(sparse_output=False), or ColumnTransformer(..., sparse_threshold=0)"
            )
            raise TypeError(msg)
        # A series has no columns, and check_array says what to do.
        if not (_input.is_frame(X) and hasattr(type(X), "columns")):
            # X keeps its type, and the first pass finds NaN and infinity.
            array = validate_data(self, X, reset=reset, dtype=None, ensure_all_finite=False)
            if array.dtype.kind in "OSTU":
                array = _as_float64(array)
            with _in_words_of_sklearn(array):
                return read(array.T)
        if not hasattr(X, "shape"):
            _input.examples(X, None)  # raises for a lazy frame, before scikit-learn does
        validate_data(self, X, reset=reset, skip_check_array=True)
        try:
            return read(X)
        except TypeError:
            array = _as_numbers(X)
            if array is None:
                raise
        with _in_words_of_sklearn(array):
            return read(array.T)

    def _weights(self, Y: NDArray[np.bool_], sample_weight: Any) -> Any:
        """Return the weights of the samples times the weights of their classes."""
        if sample_weight is not None:
            sample_weight = _sample_weight(sample_weight, Y.size)
        if self.class_weight is None:
            return sample_weight
        if isinstance(self.class_weight, str):
            counts = np.bincount(Y, weights=sample_weight, minlength=2)
            if not counts.all():
                msg = (
                    f"class {self.classes_[int(counts[0] > 0)]} has only samples of weight 0; "
                    "class_weight='balanced' expects a positive sum of weights for both classes"
                )
                raise ValueError(msg)
            of_class = counts.sum() / (2.0 * counts)
        else:
            of_class = compute_class_weight(
                self.class_weight, classes=self.classes_, y=self.classes_
            ).astype(np.float64)
            if not of_class.any():
                msg = "class_weight is 0 for both classes; expected a weight > 0 for at least one"
                raise ValueError(msg)
        weights: NDArray[np.float64] = np.where(Y, of_class[1], of_class[0])
        if sample_weight is None:
            return weights
        with np.errstate(over="ignore"):
            weights = weights * sample_weight
        if not (np.isfinite(weights).all() and weights.any()):
            msg = (
                "class_weight times sample_weight is 0 for every sample, or overflows float64; "
                "expected finite weights, at least one > 0: change the weights of the classes"
            )
            raise ValueError(msg)
        return weights

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
        # coef_ and intercept_ may have been set by hand, with other shapes than in `fit`.
        w, b = np.ravel(self.coef_), np.asarray(self.intercept_).item()
        Z: NDArray[np.float64] = self._read(
            X, lambda samples: decision(samples, w, b, dtype=None, n_threads=self.n_threads)
        )
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
        """Compute the logarithms of the probabilities, which are finite even for tiny ones.

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


def _penalized(C: float, weights: Any, m: int) -> tuple[Any, float]:
    """Return the weights of m samples, rescaled if their sum is extreme, and l2."""
    total, unit = float(m), 1.0
    if weights is not None:
        with np.errstate(over="ignore"):
            total = float(weights.sum(dtype=np.float64))
        if not SMALL_SUM <= total <= 1.0 / SMALL_SUM:
            unit = float(weights.max())
            weights = weights / unit  # does not change J
            total = float(weights.sum(dtype=np.float64))
    strength = C * unit * total
    l2 = 1.0 / strength if strength > 0.0 else math.inf
    if l2 == math.inf:
        msg = (
            f"C is {C} and the weights sum to {total * unit}; expected a product whose reciprocal, "
            "the strength of the penalty, fits into float64: choose a larger C"
        )
        raise ValueError(msg)
    return weights, l2


def _two_classes(y: NDArray[Any]) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """Return the classes, sorted, and a bool array that is true where y is the second."""
    classes = None
    if y.dtype.kind in "biuf":  # avoids sorting y
        classes = np.unique([y.min(), y.max()])
        if len(classes) == 2 and not ((y == classes[0]) | (y == classes[1])).all():
            classes = None
    if classes is None:
        try:
            classes = np.unique(y)
        except TypeError:
            kinds = ", ".join(sorted({type(label).__name__ for label in y}))
            msg = (
                f"Unknown label type: y holds labels of several types ({kinds}), which cannot be "
                "sorted; expected labels of one type, and no missing labels"
            )
            raise ValueError(msg) from None
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
            f"{type_of_target(y)}, with {len(classes)} classes: "
            "sklearn.multiclass.OneVsRestClassifier(LogisticRegression()) fits one model per class"
        )
        raise ValueError(msg)
    return classes, y == classes[1]


def _is_one_of(value: object, *names: str) -> bool:
    return isinstance(value, str) and value in names


def _as_number(value: Any) -> Any:
    """Return a bool as an integer, because scikit-learn accepts bools as numbers."""
    return int(value) if isinstance(value, bool) else value


def _refuse_masked(value: Any, name: str) -> None:
    """Refuse masked values; NumPy would use the values under the mask."""
    parts = value if isinstance(value, (list, tuple)) else (value,)
    if any(isinstance(part, np.ma.MaskedArray) and np.ma.is_masked(part) for part in parts):
        msg = (
            f"{name} has masked values; expected no missing values: fill them with .filled(...), "
            "or leave those samples out"
        )
        raise ValueError(msg)


def _as_float64(array: NDArray[Any]) -> NDArray[np.float64]:
    """Return objects and strings as the numbers that they contain."""
    try:
        return array.astype(np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        msg = f"X does not contain only numbers: {error}; expected numbers: encode text as numbers"
        raise (TypeError if isinstance(error, TypeError) else ValueError)(msg) from None


def _as_numbers(frame: Any) -> NDArray[np.float64] | None:
    """Return a frame with columns of objects, text or categories as numbers; None if not numeric.

    scikit-learn reads such columns in this way. Dates are refused, although NumPy would convert
    them to numbers.
    """
    import narwhals as nw  # noqa: PLC0415 (installed if a frame was recognized)

    if any(dtype.is_temporal() for dtype in nw.from_native(frame).schema.values()):
        return None
    try:
        array: NDArray[np.float64] = check_array(frame, dtype=np.float64, ensure_all_finite=False)
    except (TypeError, ValueError):
        return None
    return array


def _labels(y: Any) -> NDArray[Any]:
    """Return y as an array of labels of any type."""
    _refuse_masked(y, "y")
    is_text = isinstance(y, (str, bytes))
    if is_text or not (hasattr(y, "shape") or isinstance(y, Sequence)):
        y = np.asarray(y)  # a set or an iterator becomes one object
    if getattr(y, "shape", None) == ():
        msg = (
            "y should be a 1d array, got a single value: expected an array with one label per "
            "sample"
        )
        raise ValueError(msg)
    array = check_array(y, ensure_2d=False, dtype=None, ensure_all_finite=False, input_name="y")
    labels: NDArray[Any] = column_or_1d(array, warn=True)
    first = _first_missing(labels)
    if first is not None:
        msg = (
            f"Input y contains NaN or a missing label: {labels[first]!r} at sample {first}; "
            "expected one label per sample: leave out the samples without one"
        )
        raise ValueError(msg)
    assert_all_finite(labels, input_name="y")
    return labels


def _first_missing(labels: NDArray[Any]) -> int | None:
    if labels.dtype.kind == "O":
        return next((i for i, label in enumerate(labels) if _is_missing(label)), None)
    missing = np.isnan(labels) if labels.dtype.kind in "fMm" else np.zeros(1, np.bool_)
    return int(missing.argmax()) if missing.any() else None


def _is_missing(label: object) -> bool:
    if isinstance(label, (float, np.floating, np.datetime64, np.timedelta64)):
        return bool(np.isnan(label))
    return label is None or type(label).__name__ in {"NAType", "NaTType"}


def _sample_weight(value: Any, m: int) -> NDArray[Any]:
    """Return the weights of m samples; a single number is the weight of all."""
    _refuse_masked(value, "sample_weight")
    weights = np.asarray(value)
    if weights.dtype.kind not in "fiub":
        try:
            weights = weights.astype(
                np.float64, casting="unsafe" if weights.dtype.kind in "OUS" else "safe"
            )
        except (TypeError, ValueError) as error:
            msg = f"sample_weight does not contain only numbers: {error}; expected numbers"
            raise ValueError(msg) from None
    if weights.ndim == 0:
        weights = np.broadcast_to(weights, m)
    if weights.shape == (m, 1):
        weights = weights[:, 0]
    if weights.shape != (m,):
        msg = (
            f"sample_weight has shape {weights.shape}; expected ({m},), one weight per sample, or "
            "a single number"
        )
        raise ValueError(msg)
    bad = np.flatnonzero(~((weights >= 0) & (weights < np.inf)))
    if bad.size:
        msg = (
            f"sample_weight is {weights[bad[0]]} at sample {bad[0]}; expected finite weights >= 0. "
            "Weight 0 leaves a sample out"
        )
        raise ValueError(msg)
    if not weights.any():
        msg = "sample_weight is zero at every sample; expected a positive sum"
        raise ValueError(msg)
    return weights


@contextmanager
def _in_words_of_sklearn(array: NDArray[Any]) -> Iterator[None]:
    """Report NaN and infinity in an array with scikit-learn's messages: rows are samples."""
    try:
        yield
    except ValueError:
        assert_all_finite(array, estimator_name="LogisticRegression", input_name="X")
        raise
