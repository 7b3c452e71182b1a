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

    from ._solvers.lbfgs import lbfgs
except ImportError as error:
    msg = (
        "logreg_c.sklearn needs scikit-learn 1.6 or later and what comes with it: "
        f"pip install 'logreg-c[sklearn]'. What went wrong: {error}"
    )
    raise ImportError(msg) from error

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import ArrayLike, NDArray

    from ._solvers.result import Solution

__all__ = ["LogisticRegression"]

# scikit-learn's solvers of an l2 problem find one minimum, in more or in fewer iterations.
SOLVERS = ("lbfgs", "liblinear", "newton-cg", "newton-cholesky", "sag", "saga", "gd")
# Sums of weights, and their products with values, keep all their digits above.
SMALL_SUM = 1e-200


class InvalidParameterError(ValueError, TypeError):
    """A parameter of the estimator that is refused; both kinds, as scikit-learn's own is."""


class _Settings(NamedTuple):
    """The parameters, checked, as `fit` takes them."""

    C: float
    tol: float
    max_iter: int
    fit_intercept: bool
    warm_start: bool
    standardize: bool
    alpha: Any


class LogisticRegression(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Binary logistic regression with an l2 penalty, trained where X lies.

    A drop-in for ``sklearn.linear_model.LogisticRegression`` on dense data, two classes and an l2
    penalty: parameters of the same name mean the same, and so does the objective that is minimized,

        J = sum(s * loss) / sum(s) + l2/2 sum(w^2),    l2 = 1 / (C sum(s))

    with s the sample weights times the class weights. X is read in its own type, float64, float32,
    float16, bool or integer, and never copied or widened.

    Parameters
    ----------
    penalty : {"l2", None, "deprecated"}, default="l2"
        None for no penalty, whatever `C` is. "deprecated", scikit-learn's default, means "l2".
    C : float, default=1.0
        Inverse of the strength of the penalty, > 0; ``numpy.inf`` for none.
    fit_intercept : bool, default=True
        Whether to fit an intercept; it is not penalized.
    class_weight : dict, "balanced" or None, default=None
        Weights of the classes, ``{class: weight}``. "balanced" gives both classes the same sum of
        weights.
    tol : float, default=1e-4
        Stop when no component of the gradient of J is larger.
    max_iter : int, default=100
        Iterations at most, >= 0.
    warm_start : bool, default=False
        Start from the `coef_` and `intercept_` of the fit before.
    solver : str, default="lbfgs"
        "gd" is gradient descent; "lbfgs" is SciPy's L-BFGS. scikit-learn's other solvers find the
        same minimum, so "newton-cg", "newton-cholesky", "sag", "saga" and "liblinear" are taken for
        "lbfgs". (In scikit-learn "liblinear" penalizes the intercept; here nothing does.)
    alpha : float or "auto", default="auto"
        Learning rate of ``solver="gd"``. "auto" takes the inverse of a bound on the curvature of J,
        with which J falls at every iteration, down to its minimum.
    standardize : bool, default=False
        Fit as if every feature had mean 0 and variance 1: what a ``StandardScaler`` before does,
        without its copy of X. The penalty, `tol` and `costs_` are those of the standardized
        problem, `coef_` and `intercept_` those of X as it is. Without an intercept features are
        scaled only, and a constant feature stays as it is.
    n_threads : int or None, default=None
        The largest number of threads; by default OpenMP's.
    l1_ratio : float or None, default=0.0
        Only 0 or None: there is no l1 penalty.
    dual, intercept_scaling, multi_class, random_state, verbose, n_jobs
        Accepted because scikit-learn has them; without effect. A value that changes the result in
        scikit-learn is refused.

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
        solver: str = "lbfgs",
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
        try:
            parameters = self._parameters()
        except (TypeError, ValueError) as error:
            raise InvalidParameterError(str(error)) from None
        if y is None:
            msg = "LogisticRegression requires y to be passed, but the target y is None"
            raise ValueError(msg)
        # The fit before stays as it is until all of this one is there.
        fitted = copy.copy(self)
        found = fitted._fit(X, y, sample_weight, parameters)  # noqa: SLF001 (one of its kind)
        if found.fault:
            warnings.warn(found.fault, DivergenceWarning, stacklevel=2)
        if found.stopped != "tol":
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
        """Check the parameters; refuse what changes the result in scikit-learn alone."""
        C = self.C if np.array_equal(self.C, math.inf) else _input.positive(self.C, "C")
        if not _is_one_of(self.solver, *SOLVERS):
            msg = f"solver is {self.solver!r}; expected one of {', '.join(map(repr, SOLVERS))}"
            raise ValueError(msg)
        alpha = self.alpha
        if not isinstance(alpha, str):
            alpha = _input.positive(alpha, "alpha")
        elif alpha != "auto":
            msg = f"alpha is {alpha!r}; expected 'auto' or a finite number > 0"
            raise ValueError(msg)
        if self.penalty is not None and not _is_one_of(self.penalty, "l2", "deprecated"):
            msg = (
                f"penalty is {self.penalty!r}; expected 'l2' or None: for an l1 part use "
                "sklearn.linear_model.LogisticRegression"
            )
            raise ValueError(msg)
        if self.l1_ratio is not None and _input.not_negative(self.l1_ratio, "l1_ratio") > 0.0:
            msg = (
                f"l1_ratio is {self.l1_ratio!r}; expected 0, as the penalty is l2: for an l1 part "
                "use sklearn.linear_model.LogisticRegression"
            )
            raise ValueError(msg)
        if _input.boolean(self.dual, "dual") and self.solver != "liblinear":
            msg = f"dual is True and solver {self.solver!r}; expected dual=False: only 'liblinear' "
            raise ValueError(msg + "has a dual form, of the same minimum")
        scaling = _input.positive(self.intercept_scaling, "intercept_scaling")
        if scaling != 1.0 and self.solver == "liblinear":
            msg = (
                f"intercept_scaling is {self.intercept_scaling!r}; expected 1: it makes up for the "
                "penalty of liblinear on the intercept, which is not penalized here"
            )
            raise ValueError(msg)
        if not _is_one_of(self.multi_class, "deprecated", "auto", "ovr"):
            msg = (
                f"multi_class is {self.multi_class!r}; expected 'auto' or 'ovr', the model of two "
                "classes: 'multinomial' penalizes a weight per class"
            )
            raise ValueError(msg)
        self._check_class_weight()
        try:
            check_random_state(self.random_state)
        except ValueError as error:
            msg = f"random_state is {self.random_state!r}; expected None or a seed: {error}"
            raise ValueError(msg) from None
        if self.n_jobs is not None:
            _input.integer(self.n_jobs, "n_jobs", -(2**31))
        if not isinstance(self.verbose, (bool, np.bool_)):
            _input.integer(self.verbose, "verbose", 0)
        return _Settings(
            C=math.inf if self.penalty is None else C,
            tol=_input.not_negative(self.tol, "tol"),
            max_iter=_input.integer(self.max_iter, "max_iter", 0),
            fit_intercept=_input.boolean(self.fit_intercept, "fit_intercept"),
            warm_start=_input.boolean(self.warm_start, "warm_start"),
            standardize=_input.boolean(self.standardize, "standardize"),
            alpha=alpha,
        )

    def _check_class_weight(self) -> None:
        given = self.class_weight
        if given is None or _is_one_of(given, "balanced"):
            return
        if not isinstance(given, dict):
            msg = (
                f"class_weight is {given!r}; expected a dict of weights by class, 'balanced' or "
                "None"
            )
            raise TypeError(msg)
        for label, weight in given.items():
            _input.not_negative(weight, f"class_weight[{label!r}]")

    def _found(
        self, samples: Any, X: Any, y: Any, sample_weight: Any, parameters: _Settings
    ) -> Solution:
        """Fit to samples, which are those of X, and set `classes_`."""
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
        return lbfgs(objective, parameters.max_iter, **settings)

    def _start(self, parameters: _Settings) -> tuple[NDArray[np.float64], float]:
        """Return the w and b to start from."""
        n_x = self.n_features_in_
        if not (parameters.warm_start and hasattr(self, "coef_")):
            return np.zeros(n_x), 0.0
        if self.coef_.shape != (1, n_x):
            msg = (
                f"warm_start: coef_ has shape {self.coef_.shape} and X {n_x} features; "
                "expected those of the fit before: set warm_start=False, or clone the estimator"
            )
            raise ValueError(msg)
        return self.coef_.ravel(), float(self.intercept_[0]) if parameters.fit_intercept else 0.0

    def _shortfall(self, found: Solution, parameters: _Settings) -> str:
        """Say why the fit did not reach `tol`, and what to do."""
        msg = f"{self.solver} failed to converge after {found.n_iter} iteration(s)"
        if found.slope is not None:
            msg += (
                f": the largest component of the gradient is {found.slope:.2g}, above "
                f"tol={parameters.tol:g}"
            )
        if found.stopped == "rounding":
            msg += ".\nNo step lowers the cost any more, to rounding. Choose a larger tol."
        else:
            msg += (
                ".\nIncrease the number of iterations to improve the convergence "
                f"(max_iter={parameters.max_iter})."
            )
        if not parameters.standardize:
            msg += "\nYou might also want to scale the data: standardize=True does, in place."
        return msg

    def _read(self, X: Any, read: Callable[[Any], Any], *, reset: bool = False) -> Any:
        """Return what `read` makes of X: a data frame, or an array with one column a sample."""
        _refuse_masked(X, "X")
        if issparse(X):
            msg = (
                "Sparse data was passed for X, but dense data is required: use X.toarray(), "
                "OneHotEncoder(sparse_output=False), or ColumnTransformer(..., sparse_threshold=0)"
            )
            raise TypeError(msg)
        # A series has no columns, and check_array says what to do about it.
        if not (_input.is_frame(X) and hasattr(type(X), "columns")):
            # X keeps its type, and the first pass finds what is not finite.
            array = validate_data(self, X, reset=reset, dtype=None, ensure_all_finite=False)
            if array.dtype.kind in "OSTU":
                array = _as_float64(array)
            with _in_words_of_sklearn(array):
                return read(array.T)
        if not hasattr(X, "shape"):
            _input.examples(X, None)  # raises for a lazy frame, before scikit-learn asks for more
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
        """Return the weights of the samples times those of their classes."""
        if sample_weight is not None:
            sample_weight = _sample_weight(sample_weight, Y.size)
        if self.class_weight is None:
            return sample_weight
        if isinstance(self.class_weight, str):
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
                "expected finite weights, one > 0 at least: change the weights of the classes"
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
        # coef_ and intercept_ may have been set by hand, to other shapes than those of `fit`.
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


def _penalized(C: float, weights: Any, m: int) -> tuple[Any, float]:
    """Return the weights of m samples, rescaled if their sum is extreme, and l2."""
    total, unit = float(m), 1.0
    if weights is not None:
        with np.errstate(over="ignore"):
            total = float(weights.sum(dtype=np.float64))
        if not SMALL_SUM <= total <= 1.0 / SMALL_SUM:
            unit = float(weights.max())
            weights = weights / unit  # J is the same
            total = float(weights.sum(dtype=np.float64))
    strength = C * unit * total
    l2 = 1.0 / strength if strength > 0.0 else math.inf
    if l2 == math.inf:
        msg = (
            f"C is {C} and the weights sum to {total * unit}; expected a product whose reciprocal, "
            "the strength of the penalty, is within float64: choose a larger C"
        )
        raise ValueError(msg)
    return weights, l2


def _two_classes(y: NDArray[Any]) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """Return the classes, sorted, and where y is the second."""
    classes = None
    if y.dtype.kind in "biuf":  # no need to sort y then
        classes = np.unique([y.min(), y.max()])
        if len(classes) == 2 and not ((y == classes[0]) | (y == classes[1])).all():
            classes = None
    if classes is None:
        try:
            classes = np.unique(y)
        except TypeError:
            kinds = ", ".join(sorted({type(label).__name__ for label in y}))
            msg = (
                f"Unknown label type: y holds labels of several types ({kinds}), which have no "
                "order; expected labels of one type, and no sample without a label"
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
            f"{type_of_target(y)}, of {len(classes)} classes: "
            "sklearn.multiclass.OneVsRestClassifier(LogisticRegression()) fits one model a class"
        )
        raise ValueError(msg)
    return classes, y == classes[1]


def _is_one_of(value: object, *names: str) -> bool:
    return isinstance(value, str) and value in names


def _refuse_masked(value: Any, name: str) -> None:
    """Refuse masked values, which NumPy would show."""
    parts = value if isinstance(value, (list, tuple)) else (value,)
    if any(isinstance(part, np.ma.MaskedArray) and np.ma.is_masked(part) for part in parts):
        msg = (
            f"{name} has masked values; expected a value everywhere: fill them with .filled(...), "
            "or leave those samples out"
        )
        raise ValueError(msg)


def _as_float64(array: NDArray[Any]) -> NDArray[np.float64]:
    """Return objects and texts as the numbers that they are or write."""
    try:
        return array.astype(np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        msg = f"X does not hold numbers alone: {error}; expected numbers: encode text as numbers"
        raise (TypeError if isinstance(error, TypeError) else ValueError)(msg) from None


def _as_numbers(frame: Any) -> NDArray[np.float64] | None:
    """Return a frame with columns of objects, texts or categories as numbers, if they all are.

    That is how scikit-learn reads them. Dates are no numbers, though NumPy makes numbers of them.
    """
    import narwhals as nw  # noqa: PLC0415 (there, if a frame was recognized)

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
        y = np.asarray(y)  # of a set or an iterator, one object
    if getattr(y, "shape", None) == ():
        msg = (
            "y should be a 1d array, got a single value: expected an array with a label for each "
            "sample"
        )
        raise ValueError(msg)
    array = check_array(y, ensure_2d=False, dtype=None, ensure_all_finite=False, input_name="y")
    labels: NDArray[Any] = column_or_1d(array, warn=True)
    first = _first_missing(labels)
    if first is not None:
        msg = (
            f"Input y contains NaN, or no label at all: {labels[first]!r} at sample {first}; "
            "expected a label for each sample: leave out the samples without one"
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
    """Return weights of m samples; one number is the weight of each."""
    _refuse_masked(value, "sample_weight")
    weights = np.asarray(value)
    if weights.dtype.kind not in "fiub":
        try:
            weights = weights.astype(
                np.float64, casting="unsafe" if weights.dtype.kind in "OUS" else "safe"
            )
        except (TypeError, ValueError) as error:
            msg = f"sample_weight does not hold numbers alone: {error}"
            raise ValueError(msg) from None
    if weights.ndim == 0:
        weights = np.broadcast_to(weights, m)
    if weights.shape == (m, 1):
        weights = weights[:, 0]
    if weights.shape != (m,):
        msg = (
            f"sample_weight has shape {weights.shape}; expected ({m},), a weight for each sample, "
            "or a number"
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
    """Report NaN and infinity in an array as scikit-learn does, to which a row is a sample."""
    try:
        yield
    except ValueError:
        assert_all_finite(array, estimator_name="LogisticRegression", input_name="X")
        raise
