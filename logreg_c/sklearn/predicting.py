# SPDX-License-Identifier: BSD-3-Clause
"""What a fitted estimator predicts: log-odds, classes, probabilities."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.sparse import csr_matrix, issparse
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.validation import check_is_fitted

from logreg_c import _input
from logreg_c._names import named
from logreg_c._predict import forward, sigmoid

from .samples import in_batches, read

if TYPE_CHECKING:
    from typing import Self

    from numpy.typing import ArrayLike, NDArray

    from logreg_c._input import Examples


class Predicting(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """A classifier with `coef_` and `intercept_`, of one row for two classes."""

    classes_: NDArray[Any]
    coef_: Any  # an array, or a sparse matrix after `sparsify`
    intercept_: NDArray[np.float64]
    n_threads: int | None
    solver: str

    def decision_function(self, X: ArrayLike) -> NDArray[np.float64]:
        """Compute X w + b: the log-odds of the second of two classes, or a column per class.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features), or Batches
            Samples, read in place.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_classes)
        """
        check_is_fitted(self)
        if len(self.classes_) > 2:
            return self._of_classes(X, probabilities=False)
        # coef_ and intercept_ may have been set by hand, with other shapes than in `fit`.
        w, b = np.ravel(self._dense_coef()), np.asarray(self.intercept_).item()
        Z: NDArray[np.float64] = self._outputs(X, w, b, probabilities=False)[0]
        return Z

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """Predict the class of every sample.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features), or Batches
            Samples, read in place.

        Returns
        -------
        ndarray of shape (n_samples,)
            Values of `classes_`.
        """
        Z = self.decision_function(X)
        chosen = Z.argmax(axis=1) if Z.ndim > 1 else (Z > 0.0).astype(np.intp)
        labels: NDArray[Any] = self.classes_[chosen]
        return labels

    def predict_proba(self, X: ArrayLike) -> NDArray[np.float64]:
        """Compute the probabilities of the classes.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features), or Batches
            Samples, read in place.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            Columns in the order of `classes_`; small probabilities are as accurate as large ones.
        """
        check_is_fitted(self)
        if len(self.classes_) > 2:
            return self._of_classes(X, probabilities=True)
        Z = self.decision_function(X)
        return np.column_stack([sigmoid(-Z), sigmoid(Z)])

    def predict_log_proba(self, X: ArrayLike) -> NDArray[np.float64]:
        """Compute the logarithms of the probabilities, which are finite even for tiny ones.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features), or Batches
            Samples, read in place.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
        """
        Z = self.decision_function(X)
        if Z.ndim > 1:
            Z = Z - Z.max(axis=1, keepdims=True)
            logarithms: NDArray[np.float64] = Z - np.log(np.exp(Z).sum(axis=1, keepdims=True))
            return logarithms
        return -np.column_stack([np.logaddexp(0.0, Z), np.logaddexp(0.0, -Z)])

    def sparsify(self) -> Self:
        """Convert `coef_` to a sparse matrix, which is smaller where most weights are 0.

        Returns
        -------
        self
        """
        check_is_fitted(self)
        self.coef_ = csr_matrix(self.coef_)
        return self

    def densify(self) -> Self:
        """Convert `coef_` back to an array.

        Returns
        -------
        self
        """
        check_is_fitted(self)
        self.coef_ = self._dense_coef()
        return self

    def _of_classes(self, X: Any, *, probabilities: bool) -> NDArray[np.float64]:
        """Return a column per class, of X w + b or of its softmax."""
        w = self._dense_coef().T
        b = np.broadcast_to(self.intercept_, len(self.classes_))
        return self._outputs(X, w, b, probabilities=probabilities).T

    def _name_weights(self, examples: Examples) -> None:
        """Set the names of weights, where there are more than columns."""
        if examples.categories is not None and examples.names is not None:
            self.coef_names_ = np.array(examples.names, dtype=object)
        elif hasattr(self, "coef_names_"):
            del self.coef_names_

    def _outputs(self, X: Any, w: Any, b: Any, *, probabilities: bool) -> NDArray[np.float64]:
        """Return X w + b, or the probabilities, a row per output."""
        settings: dict[str, Any] = {"probabilities": probabilities, "n_threads": self.n_threads}
        if hasattr(self, "coef_names_"):
            if not (_input.is_frame(X) or in_batches(X)):
                msg = (
                    f"X is of type {type(X).__name__}, and the model was fitted to a data frame "
                    "with columns of categories; expected a data frame with these columns"
                )
                raise TypeError(msg)
            w = named(w, tuple(self.coef_names_))
            settings["categories"] = True
        elif in_batches(X) and hasattr(self, "feature_names_in_"):
            w = named(w, tuple(self.feature_names_in_))
        out: NDArray[np.float64] = read(
            self, X, lambda samples: forward(samples, w, b, dtype=None, **settings)
        )
        return out

    def _dense_coef(self) -> Any:
        return self.coef_.toarray() if issparse(self.coef_) else self.coef_

    def __sklearn_tags__(self) -> Any:
        """Tell scikit-learn that X may be sparse, and whether y may have several classes."""
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = self.solver not in {"liblinear", "gd"}
        tags.input_tags.sparse = True
        return tags
