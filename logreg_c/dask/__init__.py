# SPDX-License-Identifier: BSD-3-Clause
"""`fit`, `train` and others on a Dask cluster (extra ``dask``), with the bits of memory.

X stays on the workers, as a dask Array or DataFrame whose rows are the examples. Each pass over X
is one question to an actor on each worker; what comes back are sums. Workers may be lost at any
time.
"""

from __future__ import annotations

from contextlib import contextmanager
from functools import partial as _partial
from typing import TYPE_CHECKING, Any

try:
    import dask as _dask  # noqa: F401
    import distributed as _distributed
except ModuleNotFoundError as error:
    msg = f"logreg_c.dask needs {error.name}: pip install 'logreg-c[dask]'"
    raise ModuleNotFoundError(msg, name=error.name) from error

from logreg_c import FitManyResult, FitResult, Inference, TrainResult
from logreg_c import fit as _fit
from logreg_c import fit_path as _fit_path
from logreg_c import inference as _inference
from logreg_c import l1_max as _l1_max
from logreg_c import train as _train

from ._blocks import is_positive as _is_positive
from ._problem import Distributed as _Distributed
from ._workers import ClusterError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from distributed import Client

    from ._estimator import LogisticRegression

__all__ = [
    "ClusterError",
    "LogisticRegression",
    "fit",
    "fit_path",
    "inference",
    "l1_max",
    "train",
]


def __getattr__(name: str) -> Any:
    """Import the estimator when it is asked for, since it needs scikit-learn."""
    if name != "LogisticRegression":
        msg = f"module 'logreg_c.dask' has no attribute {name!r}"
        raise AttributeError(msg)
    try:
        from ._estimator import LogisticRegression  # noqa: PLC0415
    except ModuleNotFoundError as error:
        msg = f"LogisticRegression needs {error.name}: pip install 'logreg-c[dask,sklearn]'"
        raise ModuleNotFoundError(msg, name=error.name) from error
    return LogisticRegression


def fit(
    client: Client | None,
    X: Any,
    y: Any,
    *,
    positive: Any = None,
    sample_weight: Any = None,
    n_threads: int | None = None,
    **settings: Any,
) -> FitResult:
    """Find the minimum of the cost over examples on a cluster, as `logreg_c.fit` does in memory.

    Parameters
    ----------
    client : distributed.Client or None
        The cluster; None means the client that is current.
    X : dask Array of shape (m, n_x), DataFrame, or list of partitions
        One example per row. The partitions may have any number of rows, known or not, also none.
        Columns are read in place, on the workers. A list holds delayed objects or futures.
    y : dask Array or Series, or list of partitions
        Labels 0 and 1, probabilities between them, or integers 0, 1, ... K - 1 for several classes;
        with the partitions of X.
    positive : optional
        The class, of any type, that counts as 1; every other value of y counts as 0.
    sample_weight : dask Array or Series, or list of partitions, optional
        Weights >= 0.
    n_threads : int, optional
        Threads of each worker; by default those that it was started with.
    **settings
        l1, l2, penalty_factors, lower, upper, w, b, intercept, tol, max_passes, callback, dtype: as
        `logreg_c.fit` takes them.

    Returns
    -------
    FitResult
        With the bits of `logreg_c.fit` of the same examples in one array or frame, whatever the
        number of workers and partitions.

    Raises
    ------
    ValueError, TypeError, OverflowError
        As `logreg_c.fit`; a message about values names the partition.
    ClusterError
        The scheduler is gone, or workers were lost four times in a row while one question was
        answered. Its attributes w and b say how far the search came; a
        `logreg_c.callbacks.Checkpoint` lets the same call go on later.
    """
    by_features = _are_by_features(settings)
    X = _distributed_of(client, X, positive, n_threads, by_features=by_features)
    with _remembered(settings):
        return _fit(X, y, sample_weight=sample_weight, **settings)


def fit_path(
    client: Client | None,
    X: Any,
    y: Any,
    *,
    positive: Any = None,
    sample_weight: Any = None,
    n_threads: int | None = None,
    **settings: Any,
) -> FitManyResult:
    """Find the minima for many penalties on a cluster, as `logreg_c.fit_path` does in memory.

    Parameters
    ----------
    client, X, y, positive, sample_weight, n_threads
        As in `fit`; the labels are of two classes.
    **settings
        l2, l1, penalty_factors, lower, upper, intercept, tol, max_passes, dtype: as
        `logreg_c.fit_path` takes them.

    Returns
    -------
    FitManyResult
        With the bits of `logreg_c.fit_path` of the same examples in one array or frame.

    Raises
    ------
    ValueError, TypeError, OverflowError, ClusterError
        As `fit`, but a ClusterError has no w and b.
    """
    by_features = _are_by_features(settings)
    X = _distributed_of(client, X, positive, n_threads, by_features=by_features)
    return _fit_path(X, y, sample_weight=sample_weight, **settings)


def l1_max(
    client: Client | None,
    X: Any,
    y: Any,
    *,
    positive: Any = None,
    sample_weight: Any = None,
    n_threads: int | None = None,
    **settings: Any,
) -> float:
    """Return the least l1 at which every penalized w is 0, as `logreg_c.l1_max` does in memory.

    Parameters
    ----------
    client, X, y, positive, sample_weight, n_threads
        As in `fit_path`.
    **settings
        penalty_factors, intercept: as `logreg_c.l1_max` takes them.

    Returns
    -------
    float
        The bits of `logreg_c.l1_max` of the same examples in one array or frame.

    Raises
    ------
    ValueError, TypeError, OverflowError, ClusterError
        As `fit_path`.
    """
    X = _distributed_of(client, X, positive, n_threads, by_features=True)
    return _l1_max(X, y, sample_weight=sample_weight, **settings)


def train(
    client: Client | None,
    X: Any,
    y: Any,
    alpha: Any,
    iters: int,
    *,
    positive: Any = None,
    sample_weight: Any = None,
    n_threads: int | None = None,
    **settings: Any,
) -> TrainResult:
    """Descend over examples on a cluster, as `logreg_c.train` does in memory.

    Parameters
    ----------
    client, X, y, positive, sample_weight, n_threads
        As in `fit`.
    alpha : float or "auto"
        Learning rate.
    iters : int
        Number of iterations.
    **settings
        w, b, l2, standardize, tol, callback, dtype: as `logreg_c.train` takes them.

    Returns
    -------
    TrainResult
        With the bits of `logreg_c.train` of the same examples in one array or frame.
    """
    X = _distributed_of(client, X, positive, n_threads, by_features=False)
    with _remembered(settings):
        return _train(X, y, alpha, iters, sample_weight=sample_weight, **settings)


def inference(
    client: Client | None,
    X: Any,
    y: Any,
    w: Any,
    b: Any,
    *,
    positive: Any = None,
    sample_weight: Any = None,
    n_threads: int | None = None,
    **settings: Any,
) -> Inference:
    """Compute the standard errors of w and b on a cluster, as `logreg_c.inference` does in memory.

    Parameters
    ----------
    client, X, y, positive, sample_weight, n_threads
        As in `fit`.
    w, b
        Weights and bias at the minimum, as `fit` finds them.
    **settings
        l2, standardize, intercept, reference, robust: as `logreg_c.inference` takes them.

    Returns
    -------
    Inference
        With the bits of `logreg_c.inference` of the same examples in one array or frame. The sample
        weights come to this process.
    """
    X = _distributed_of(client, X, positive, n_threads, by_features=False)
    return _inference(X, y, w, b, sample_weight=sample_weight, **settings)


@contextmanager
def _remembered(settings: dict[str, Any]) -> Iterator[None]:
    """Give a ClusterError the w and b that were reached, by one more callback."""
    reached: list[Any] = [None, None]

    def remember(_k: int, _cost: float, w: Any, b: float) -> None:
        reached[:] = w, b

    given = settings.get("callback") or ()
    settings["callback"] = [remember, *(given if isinstance(given, (list, tuple)) else [given])]
    try:
        yield
    except ClusterError as error:
        error.w, error.b = reached
        raise


def _are_by_features(settings: dict[str, Any]) -> bool:
    return not {"l1", "penalty_factors", "lower", "upper"}.isdisjoint(settings)


def _distributed_of(
    client: Client | None, X: Any, positive: Any, n_threads: int | None, *, by_features: bool
) -> _Distributed:
    client = _distributed.get_client() if client is None else client
    coded = None if positive is None else _partial(_is_positive, positive)
    given: Any = {"coded": coded, "n_threads": n_threads, "by_features": by_features}
    return _Distributed(client, X, **given)
