# SPDX-License-Identifier: BSD-3-Clause
"""LogisticRegression over collections on a cluster, which predicts lazily."""

from __future__ import annotations

import copy
import sys
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import dask
import numpy as np
from dask.base import is_dask_collection
from distributed import get_client
from sklearn.utils.validation import check_is_fitted

from logreg_c.sklearn import LogisticRegression as InMemory
from logreg_c.sklearn.labels import encoded, labels_of
from logreg_c.sklearn.parameters import check_classes
from logreg_c.sklearn.weights import l2_of, weights_of_classes

from ._blocks import begun, numbers_in, partitions
from ._problem import Distributed
from ._workers import awaited

if TYPE_CHECKING:
    from distributed import Client
    from numpy.typing import NDArray

    from logreg_c._solvers.result import Solution
    from logreg_c.sklearn.parameters import Settings

    from ._blocks import Partition


class LogisticRegression(InMemory):
    """`logreg_c.sklearn.LogisticRegression` over dask collections, on the current client's cluster.

    Its parameters and attributes are those of that estimator, and so are the weights that it
    finds, bit for bit where the weights of the samples sum exactly. Needs scikit-learn, here and on
    the workers.

    Methods that predict return a collection of the kind of X, which is computed where X lies, when
    it is asked for. They take data in memory, too.

    Examples
    --------
    >>> import dask.array as da
    >>> import numpy as np
    >>> from distributed import Client
    >>> from logreg_c.dask import LogisticRegression
    >>> with Client(processes=False, dashboard_address=":0"):
    ...     X = da.from_array(np.arange(1200.0).reshape(400, 3) % 7, chunks=(100, 3))
    ...     y = X[:, 0] > 3
    ...     model = LogisticRegression().fit(X, y)
    ...     predicted = model.predict(X)
    ...     print(predicted.chunks, model.score(X, y))
    ((100, 100, 100, 100),) 1.0
    """

    __module__ = "logreg_c.dask"

    def decision_function(self, X: Any) -> Any:
        """Compute X w + b: the log-odds of the second class, or a column per class, lazily.

        Parameters
        ----------
        X : dask Array of shape (n_samples, n_features), or DataFrame

        Returns
        -------
        dask Array of shape (n_samples,) or (n_samples, n_classes), or Series or DataFrame
        """
        check_is_fitted(self)
        per_class = len(self.classes_) > 2
        return self._lazily("decision_function", X, np.dtype(np.float64), per_class=per_class)

    def predict(self, X: Any) -> Any:
        """Predict the class of every sample, lazily.

        Parameters
        ----------
        X : dask Array of shape (n_samples, n_features), or DataFrame

        Returns
        -------
        dask Array of shape (n_samples,), or Series
        """
        check_is_fitted(self)
        return self._lazily("predict", X, self.classes_.dtype)

    def predict_proba(self, X: Any) -> Any:
        """Compute the probabilities of the classes, lazily.

        Parameters
        ----------
        X : dask Array of shape (n_samples, n_features), or DataFrame

        Returns
        -------
        dask Array of shape (n_samples, n_classes), or DataFrame
            A column per class, named by the class in a frame.
        """
        return self._lazily("predict_proba", X, np.dtype(np.float64), per_class=True)

    def predict_log_proba(self, X: Any) -> Any:
        """Compute the logarithms of the probabilities, lazily.

        Parameters
        ----------
        X : dask Array of shape (n_samples, n_features), or DataFrame

        Returns
        -------
        dask Array of shape (n_samples, n_classes), or DataFrame
        """
        return self._lazily("predict_log_proba", X, np.dtype(np.float64), per_class=True)

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Compute the accuracy on the cluster.

        Parameters
        ----------
        X, y, sample_weight
            As in `fit`.

        Returns
        -------
        float
        """
        if not is_dask_collection(X):
            return float(super().score(X, y, sample_weight))
        right = self.predict(X) == y
        if sample_weight is None:
            (mean,) = dask.compute(right.mean())
            return float(mean)
        of_right, of_all = dask.compute((right * sample_weight).sum(), sample_weight.sum())
        return float(of_right / of_all)

    def _searched(self, X: Any, y: Any, sample_weight: Any, parameters: Settings) -> Solution:
        client = get_client()
        tallied = _tallied(client, partitions(y, y, sample_weight))  # does not read X
        self.classes_, _ = encoded(tallied.classes, self.solver)
        check_classes(self, len(self.classes_))
        parts = partitions(X, y, sample_weight)
        total = float(tallied.sums.sum())
        weights = None if sample_weight is None else [part.sample_weight for part in parts]
        if self.class_weight is not None:
            of_class = weights_of_classes(self.classes_, self.class_weight, tallied.sums)
            total = float((of_class * tallied.sums).sum())
            weigh = dask.delayed(_weighed, pure=False)
            weights = [weigh(part.Y, part.sample_weight, self.classes_, of_class) for part in parts]
        l2 = l2_of(parameters.C, total)
        X, Y = [part.X for part in parts], [part.Y for part in parts]
        coded = partial(numbers_in, self.classes_)
        by_features = parameters.l1_ratio > 0.0
        on_cluster = Distributed(
            client, X, coded=coded, n_threads=self.n_threads, by_features=by_features
        )
        source = on_cluster.open_parts(Y, weights, None, None)
        self._describe(source.examples, source.examples.names)
        return self._minimized_in_parts(source, Y, parameters, l2)

    def _lazily(self, method: str, X: Any, dtype: np.dtype[Any], *, per_class: bool = False) -> Any:
        """Predict each block of a collection where it lies; values in memory at once."""
        check_is_fitted(self)
        if not is_dask_collection(X):
            return getattr(super(), method)(X)
        predict = partial(_predicted, copy.copy(self), method, dtype, per_class=per_class)
        if hasattr(X, "npartitions") and hasattr(X, "columns"):
            return X.map_partitions(predict, meta=predict(X._meta))  # noqa: SLF001 (dask's way)
        X = X.rechunk({1: -1})
        meta = np.empty((0, len(self.classes_)) if per_class else 0, dtype)
        if per_class:
            return X.map_blocks(predict, meta=meta, chunks=(X.chunks[0], (len(self.classes_),)))
        return X.map_blocks(predict, meta=meta, drop_axis=1)


class Tally(NamedTuple):
    """The classes of some labels, and the sum of weights of each."""

    classes: NDArray[Any]
    sums: NDArray[np.float64]


def _tallied(client: Client, parts: list[Partition]) -> Tally:
    """Return the tally of all labels, which are read on the workers."""
    tally = dask.delayed(_tally, pure=False)
    asked = [tally(part.Y, part.sample_weight, k) for k, part in enumerate(parts)]
    tallies = awaited(client, client.gather, begun(client, asked))
    found = [one for one in tallies if one.classes.size]
    if not found:
        msg = "X has no rows in any partition; expected at least one"
        raise ValueError(msg)
    classes, codes = np.unique(np.concatenate([one.classes for one in found]), return_inverse=True)
    sums = np.bincount(codes, np.concatenate([one.sums for one in found]))
    return Tally(classes, sums.astype(np.float64))


def _tally(y: Any, sample_weight: Any, number: int) -> Tally:
    """Return the tally of a partition."""
    if len(y) == 0:
        return Tally(np.empty(0), np.empty(0))
    try:
        classes, codes = np.unique(labels_of(y), return_inverse=True)
        weights = None if sample_weight is None else np.asarray(sample_weight, np.float64)
        return Tally(classes, np.bincount(codes, weights).astype(np.float64))
    except (TypeError, ValueError) as error:
        msg = f"partition {number}: {error}"
        raise type(error)(msg) from None


def _weighed(
    y: Any, sample_weight: Any, classes: NDArray[Any], of_class: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the weights of a partition times those of its classes."""
    weights: NDArray[np.float64] = of_class[numbers_in(classes, np.asarray(y)).astype(np.intp)]
    return weights if sample_weight is None else weights * np.asarray(sample_weight)


def _predicted(
    estimator: LogisticRegression, method: str, dtype: np.dtype[Any], X: Any, *, per_class: bool
) -> Any:
    """Return what an estimator predicts of a block: an array, or for a frame with its index."""
    if len(X):
        values = getattr(InMemory, method)(estimator, X)
    else:
        values = np.empty((0, len(estimator.classes_)) if per_class else 0, dtype)
    if not hasattr(X, "columns"):
        return values
    pd = sys.modules["pandas"]  # of which X is a frame
    if per_class:
        return pd.DataFrame(values, X.index, estimator.classes_)
    return pd.Series(values, X.index)
