# SPDX-License-Identifier: BSD-3-Clause
"""What a fitted estimator predicts: log-odds, classes, probabilities."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.sparse import csr_matrix, issparse
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.validation import check_is_fitted

from logreg_c._predict import decision, sigmoid

from .samples import read

if TYPE_CHECKING:
    from typing import Self

    from numpy.typing import ArrayLike, NDArray


class Predicting(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """A classifier of two classes with `coef_` and `intercept_`."""

    classes_: NDArray[Any]
    coef_: Any  # an array, or a sparse matrix after `sparsify`
    intercept_: NDArray[np.float64]
    n_threads: int | None

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
        w, b = np.ravel(self._dense_coef()), np.asarray(self.intercept_).item()
        Z: NDArray[np.float64] = read(
            self, X, lambda samples: decision(samples, w, b, dtype=None, n_threads=self.n_threads)
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

    def _dense_coef(self) -> Any:
        return self.coef_.toarray() if issparse(self.coef_) else self.coef_

    def __sklearn_tags__(self) -> Any:
        """Tell scikit-learn that there are two classes."""
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = False
        return tags
