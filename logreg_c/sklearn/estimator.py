# SPDX-License-Identifier: BSD-3-Clause
"""LogisticRegression for scikit-learn."""

from __future__ import annotations

import copy
import warnings
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_consistent_length

from logreg_c import _input
from logreg_c._errors import DivergenceWarning
from logreg_c._names import named
from logreg_c._objective import Objective
from logreg_c._parts import objective_of
from logreg_c._softmax_parts import SoftmaxInParts
from logreg_c._solvers.descent import descend_to_tol
from logreg_c._solvers.minimum import minimize
from logreg_c._solvers.result import Solution
from logreg_c._solvers.softmax import minimize_classes

from .callbacks import Tasks, WithCallbacks, with_callbacks
from .elastic_net import path_of_elastic_net
from .labels import encoded, labels_of
from .parameters import InvalidParameterError, Settings, check_classes, checked
from .predicting import Predicting
from .samples import in_batches, read
from .search import gap_for, reached, rounded, several_classes, shortfall
from .weights import penalized, weights_of

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from logreg_c._input import Examples
    from logreg_c._objective import SoftmaxObjective
    from logreg_c._parts import Source
    from logreg_c.batches import Batches


class LogisticRegression(WithCallbacks, Predicting):  # type: ignore[misc]
    """Logistic regression with an l2 or l1 penalty or both, which reads X in place.

    A drop-in replacement for ``sklearn.linear_model.LogisticRegression`` with an l2 penalty.
    Parameters of the same name mean the same, and it minimizes the same objective,

        J = sum(s * loss) / sum(s) + l2/2 sum(w^2),    l2 = 1 / (C sum(s))

    where s is the sample weights times the class weights. The loss of two classes is logistic, and
    that of more is multinomial (softmax). X is read in its own type (float64, float32, float16,
    bool or integer) and is not copied or widened.

    Parameters
    ----------
    penalty : {"l2", None}, default="deprecated"
        Left out, `l1_ratio` and `C` say what the penalty is. None for no penalty, whatever `C` is.
        scikit-learn deprecates this parameter in 1.8.
    C : float, default=1.0
        Inverse of the strength of the penalty, > 0; ``numpy.inf`` for no penalty.
    fit_intercept : bool, default=True
        Whether to fit an intercept, which is not penalized.
    class_weight : dict, "balanced" or None, default=None
        Weights of the classes, ``{class: weight}``. "balanced" gives all classes the same sum of
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
        "auto". What scikit-learn refuses for a solver is refused for its name. (In scikit-learn
        "liblinear" penalizes the intercept; here nothing does.) "gd" is gradient descent.
    alpha : float or "auto", default="auto"
        Learning rate of ``solver="gd"``. "auto" uses the inverse of a bound on the curvature of J,
        with which J falls at every iteration until it reaches its minimum.
    standardize : bool, default=False
        Fit as if every feature had mean 0 and variance 1, like a preceding ``StandardScaler`` but
        without its copy of X. The penalty, `tol` and `costs_` refer to the standardized problem,
        and `coef_` and `intercept_` to the original X. Without an intercept, features are only
        scaled, and constant features are left unchanged. Nor is sparse X centred, which leaves the
        minimum where it is; ``solver="gd"``, which is for two classes, refuses it.
    n_threads : int or None, default=None
        The largest number of threads; by default OpenMP's.
    l1_ratio : float or None, default=0.0
        Share of the l1 penalty, from 0, which is None, too, to 1. An l1 penalty makes many weights
        exactly 0. It is computed in float64.
    dual, intercept_scaling, multi_class, random_state, verbose, n_jobs
        Accepted because scikit-learn has them, but without effect: there is one minimum, however it
        is found. Values that ask for another model are errors.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The classes, sorted.
    coef_ : ndarray of shape (1, n_features) or (n_classes, n_features)
        Weights: of two classes those of the second, of more one row for each. A column of
        categories has one for each category.
    intercept_ : ndarray of shape (1,) or (n_classes,)
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
    coef_names_ : ndarray of shape (n_weights,)
        Names of the columns of `coef_`, such as ``'colour=red'``. It is there where X is a data
        frame with columns of categories, which have one weight per category: numbers come first.

    Notes
    -----
    With scikit-learn 1.9, ``set_callbacks`` takes its callbacks, for every solver: a task for the
    fit and, unless there is an l1 penalty, one for each step, which may take several passes. A
    callback may end the fit.

    For X of float32, float16, bool or integers of 8 or 16 bits, the computation is in float32 as
    far as that resolves the gap to the minimum. From there on it is in float64, which decides
    whether `tol` is reached. More than two classes are computed in float64.

    Examples
    --------
    >>> from sklearn.datasets import load_breast_cancer
    >>> from logreg_c.sklearn import LogisticRegression
    >>> X, y = load_breast_cancer(return_X_y=True)
    >>> model = LogisticRegression(standardize=True).fit(X, y)
    >>> print(f"{model.score(X, y):.3f}")
    0.988
    """

    __module__ = "logreg_c.sklearn"

    def __init__(
        self,
        penalty: str | None = "deprecated",
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

    def fit(
        self,
        X: ArrayLike | Batches,
        y: ArrayLike | str,
        sample_weight: ArrayLike | str | None = None,
    ) -> Self:
        """Fit the model.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features), or Batches
            Samples, read in place in their own type. A CSC matrix is converted once.
        y : array-like of shape (n_samples,), or str
            Labels of two classes or more, of any type. Batches take the name of a column, too.
        sample_weight : array-like of shape (n_samples,), or str, optional
            Weights >= 0 of the samples; of batches, the name of a column, too.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            Shapes that do not match, values out of range, NaN or infinity in the data, or labels
            of one class.
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
            is not enough. A fit without this warning has reached `tol`. Or, without a penalty, some
            weights grow without bound (see `logreg_c.fit`).
        DivergenceWarning
            Descent with this `alpha` raised the cost.
        FutureWarning
            A parameter that the installed scikit-learn deprecates: `penalty`, ``l1_ratio=None`` and
            `n_jobs` from 1.8 on.
        UserWarning
            One parameter makes another void, such as ``penalty=None`` a finite `C`.
        """
        try:
            parameters = checked(self)
        except (TypeError, ValueError) as error:
            raise InvalidParameterError(str(error)) from None
        if y is None:
            msg = "LogisticRegression requires y to be passed, but the target y is None"
            raise ValueError(msg)
        # The previous fit is kept until this one is complete.
        fitted = copy.copy(self)
        found = self._tell(fitted, X, y, sample_weight, parameters)
        if found.fault:
            warnings.warn(found.fault, DivergenceWarning, stacklevel=2)
        if found.stopped != "callback" and not reached(found, parameters.tol):
            msg = shortfall(
                found,
                self.solver,
                tol=parameters.tol,
                max_iter=parameters.max_iter,
                can_standardize=not parameters.standardize,
            )
            warnings.warn(msg, ConvergenceWarning, stacklevel=2)
        elif found.runaway is not None:
            msg = f"{found.runaway.told()}; set C to a finite value"
            warnings.warn(msg, ConvergenceWarning, stacklevel=2)
        self.__dict__ = fitted.__dict__
        return self

    # Not around `fit`, since warnings point to the line that calls it.
    @with_callbacks  # type: ignore[untyped-decorator]
    def _tell(
        self, fitted: Self, X: Any, y: Any, sample_weight: Any, parameters: Settings
    ) -> Solution:
        """Fit `fitted`, a copy, and tell scikit-learn's callbacks."""
        if not hasattr(self, "_skl_callbacks"):
            return fitted._fit(X, y, sample_weight, parameters)
        tasks = Tasks(self, X, y, sample_weight)
        tasks.open(fitted)
        parameters = parameters._replace(callbacks=(tasks,))
        found = fitted._fit(X, y, sample_weight, parameters)
        tasks.close()
        return found

    def _fit(self, X: Any, y: Any, sample_weight: Any, parameters: Settings) -> Solution:
        found = self._searched(X, y, sample_weight, parameters)
        self.coef_ = found.w.T.copy()
        self.intercept_ = np.atleast_1d(found.b)
        self.n_iter_ = np.array([found.n_iter], dtype=np.int32)
        self.costs_ = np.array(found.costs)
        return found

    def _searched(self, X: Any, y: Any, sample_weight: Any, parameters: Settings) -> Solution:
        """Fit, and set `classes_` and what says of which features."""
        if in_batches(X):
            return self._found_in_batches(X, y, sample_weight, parameters)
        found: Solution = read(
            self,
            X,
            lambda samples: self._found(samples, X, y, sample_weight, parameters),
            reset=True,
            use_categories=lambda samples: self._found(
                samples, X, y, sample_weight, parameters, categories=True
            ),
        )
        return found

    def _found(
        self,
        samples: Any,
        X: Any,
        y: Any,
        sample_weight: Any,
        parameters: Settings,
        *,
        categories: bool = False,
    ) -> Solution:
        """Fit to `samples`, which hold the data of X, and set `classes_`."""
        labels = labels_of(y)
        check_consistent_length(X, labels)
        Y, weights, l2 = self._weighted(labels, sample_weight, parameters)
        known = getattr(self, "coef_names_", None) if categories and parameters.warm_start else None
        w = None if known is None else named(np.zeros(len(known)), tuple(known))
        examples = _input.examples(samples, None, w, categories=categories)
        if w is not None and examples.n_columns != self.n_features_in_:
            msg = (
                f"warm_start: X has {self.n_features_in_} columns, and coef_ is of "
                f"{examples.n_columns}; expected those of the previous fit: set warm_start=False, "
                "or clone the estimator"
            )
            raise ValueError(msg)
        self._name_weights(examples)
        start = self._start(parameters, examples.shape[0])
        if len(self.classes_) > 2:
            several = several_classes(examples, Y, weights, self.n_threads)
            found = self._minimized_classes(several, parameters, l2, start)
            return rounded(found, examples, self.solver)
        read_as = examples
        if parameters.l1_ratio > 0.0:
            read_as = examples.one_hot()._replace(float32=False)
        objective = Objective.checked(read_as, Y, sample_weight=weights, n_threads=self.n_threads)
        return rounded(self._minimized(objective, parameters, l2, start), examples, self.solver)

    def _found_in_batches(
        self, X: Batches, y: Any, sample_weight: Any, parameters: Settings
    ) -> Solution:
        """Fit to batches, of which y and sample_weight may be columns."""
        targets = tuple(name for name in (y, sample_weight) if isinstance(name, str))
        names = X.features(targets)
        columns = dict(zip(targets, X.values(targets), strict=True)) if targets else {}
        labels = labels_of(columns[y] if isinstance(y, str) else y)
        if isinstance(sample_weight, str):
            sample_weight = columns[sample_weight]
        Y, weights, l2 = self._weighted(labels, sample_weight, parameters)
        known = getattr(self, "coef_names_", None) if parameters.warm_start else None
        known = None if known is None else tuple(known)
        source = X.of_columns(names).open_parts(Y, weights, None, known)
        self._describe(source.examples, names)
        self._name_weights(source.examples)
        return self._minimized_in_parts(source, Y, parameters, l2)

    def _minimized_in_parts(
        self, source: Source, Y: Any, parameters: Settings, l2: float
    ) -> Solution:
        """Fit to examples that come in parts, once they are described."""
        examples = source.examples
        start = self._start(parameters, examples.shape[0])
        if len(self.classes_) > 2:
            if parameters.l1_ratio > 0.0:
                msg = (
                    f"l1_ratio is {parameters.l1_ratio:g}, y has {len(self.classes_)} classes and "
                    "X comes in batches; expected 0: read X into memory for an l1 penalty"
                )
                raise ValueError(msg)
            several = SoftmaxInParts(source, _input.threads(self.n_threads), float32=False)
            return self._minimized_classes(several, parameters, l2, start)
        shared: Any = {"sample_weight": None, "n_threads": self.n_threads}  # the source has weights
        if parameters.l1_ratio > 0.0:
            examples = examples._replace(float32=False)
        objective = objective_of(examples, source, Y, **shared)
        return self._minimized(objective, parameters, l2, start)

    def _describe(self, examples: Examples, names: tuple[str, ...] | None) -> None:
        """Set what X is compared with in predictions: the names of its columns."""
        self.n_features_in_ = examples.n_columns
        if names is not None and all(isinstance(name, str) for name in names):
            self.feature_names_in_ = np.array(names, dtype=object)
        elif hasattr(self, "feature_names_in_"):
            del self.feature_names_in_

    def _weighted(
        self, labels: NDArray[Any], sample_weight: Any, parameters: Settings
    ) -> tuple[NDArray[Any], Any, float]:
        """Set `classes_`; return Y, the weights and l2."""
        self.classes_, Y = encoded(labels, self.solver)
        check_classes(self, len(self.classes_))
        weights = weights_of(Y, self.classes_, self.class_weight, sample_weight)
        return (Y, *penalized(parameters.C, weights, len(Y)))

    def _minimized(
        self,
        objective: Objective,
        parameters: Settings,
        l2: float,
        start: tuple[NDArray[np.float64], NDArray[np.float64]],
    ) -> Solution:
        """Fit to examples of two classes."""
        settings = self._settings(objective.examples, parameters, l2)
        w, b = start
        settings["w"] = _input.coefficients(w, objective.examples)
        settings["b"] = _input.number(b.item(), "intercept_")
        if self.solver == "gd":
            settings["tol"] = parameters.tol
            del settings["slope"], settings["warm"]
            return descend_to_tol(objective, parameters.alpha, parameters.max_iter, **settings)
        if parameters.l1_ratio > 0.0:
            return self._with_l1(objective, parameters, settings)
        return minimize(objective, parameters.max_iter, **settings)

    @staticmethod
    def _with_l1(
        objective: Objective | SoftmaxObjective, parameters: Settings, settings: dict[str, Any]
    ) -> Solution:
        """Fit with an l1 penalty, alone or together with l2."""
        del settings["callbacks"]
        at = Solution(settings.pop("w"), settings.pop("b"))
        strengths, settings["l1_ratio"] = [settings.pop("l2")], parameters.l1_ratio
        return path_of_elastic_net(objective, strengths, parameters.max_iter, at, **settings)[0]

    def _minimized_classes(
        self,
        objective: SoftmaxObjective,
        parameters: Settings,
        l2: float,
        start: tuple[NDArray[np.float64], NDArray[np.float64]],
    ) -> Solution:
        """Fit to examples of more classes."""
        settings = self._settings(objective.examples, parameters, l2)
        settings["w"], settings["b"] = _input.matrices(*start, objective.examples)
        if parameters.l1_ratio > 0.0:
            return self._with_l1(objective, parameters, settings)
        return minimize_classes(objective, parameters.max_iter, **settings)

    def _settings(self, examples: Examples, parameters: Settings, l2: float) -> dict[str, Any]:
        """Return what a search for the minimum takes."""
        return {
            "l2": l2,
            "fixed_b": not parameters.fit_intercept,
            "standardize": parameters.standardize,
            "tol": gap_for(examples),
            "callbacks": parameters.callbacks,
            "slope": parameters.tol,
            "warm": parameters.warm_start and hasattr(self, "coef_"),
        }

    def _start(
        self, parameters: Settings, n_x: int
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the w (n_x, outputs) and b (outputs,) to start from."""
        outputs = len(self.classes_) if len(self.classes_) > 2 else 1
        shape = outputs, n_x
        if not (parameters.warm_start and hasattr(self, "coef_")):
            return np.zeros(shape[::-1]), np.zeros(outputs)
        if self.coef_.shape != shape:
            msg = (
                f"warm_start: coef_ has shape {self.coef_.shape}, and X and y need {shape}; "
                "expected those of the previous fit: set warm_start=False, or clone the estimator"
            )
            raise ValueError(msg)
        b = np.broadcast_to(self.intercept_, outputs)
        return self._dense_coef().T, b if parameters.fit_intercept else np.zeros(outputs)
