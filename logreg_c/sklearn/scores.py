# SPDX-License-Identifier: BSD-3-Clause
"""Scores of a cross-validation, by scikit-learn's scorers."""

from __future__ import annotations

import inspect
import math
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.sparse import issparse
from sklearn.metrics import get_scorer, make_scorer
from sklearn.utils import _safe_indexing
from sklearn.utils.validation import _check_method_params

from logreg_c import _input
from logreg_c._names import named
from logreg_c._objective import Objective
from logreg_c._predict import forward

from .samples import read
from .search import several_classes

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

ROWS_AT_ONCE = 1 << 14
MOST_VALUES = 1 << 24  # of predictions at a time
MOST_BETWEEN = 1.5  # rows that are evaluated, per row that is scored
EPSILON = np.finfo(np.float64).eps  # what scikit-learn's log_loss raises probabilities to
LARGEST_LOSS = -math.log(EPSILON)


def score_folds(
    model: Any,
    weights: NDArray[np.float64],
    X: Any,
    y: NDArray[Any],
    folds: Sequence[tuple[Any, Any]],
    *,
    scoring: Any,
    parameters: dict[str, Any],
) -> NDArray[np.float64]:
    """Score the part of each fold that is held out, with each of its weights.

    `model` is a fitted estimator, whose `coef_` and `intercept_` are replaced. `weights` is
    (folds, ..., outputs, n_x + 1), with b last. Only the part that is held out is copied, unless it
    is a range of samples.
    """
    if issparse(X):
        X = X.tocsr()  # itself, or rows that can be taken
    elif not (hasattr(X, "__getitem__") or hasattr(X, "iloc")):
        X = np.asarray(X)  # what only becomes an array has no rows of its own
    own = OWN.get(scoring) if scoring is None or isinstance(scoring, str) else None
    if not parameters.keys() <= {"sample_weight"}:
        own = None
    scorer = None if own else _with_labels(get_scorer(scoring or "accuracy"), model.classes_)
    scores = np.empty(weights.shape[:-2])
    for k, (_, test) in enumerate(folds):
        rows = np.arange(len(y))[test]
        labels = y[rows]
        of_fold = _check_method_params(X, parameters, indices=test)
        points = weights[k].reshape(-1, *weights.shape[-2:])
        if own:
            codes = np.searchsorted(model.classes_, labels).astype(np.int32)
            known = codes, of_fold.get("sample_weight"), model.n_threads
            at_once = max(1, MOST_VALUES // (points.shape[1] * len(rows)))
            found = [
                own(Z, *known)
                for first in range(0, len(points), at_once)
                for Z in _log_odds(model, X, rows, points[first : first + at_once])
            ]
        else:
            held_out = _safe_indexing(X, _as_slice(rows))
            found = [_scored(scorer, model, point, held_out, labels, of_fold) for point in points]
        scores[k] = np.reshape(found, scores.shape[1:])
    return scores


def _scored(
    scorer: Any, model: Any, point: NDArray[np.float64], X: Any, y: Any, parameters: Any
) -> float:
    model.coef_, model.intercept_ = point[:, :-1], point[:, -1]
    found: float = scorer(model, X, y, **parameters)
    return found


# ---- The scores that are asked for most, without a scorer's checks of each fit -------------------


def _log_odds(
    model: Any, X: Any, rows: NDArray[np.intp], points: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return X w + b of some rows, for every point, (points, outputs, rows).

    The rows are taken a few at a time, and all points are evaluated in one pass over them. Where
    few others lie between them, as in stratified folds, these are evaluated too, in place.
    """
    flat = points.reshape(-1, points.shape[-1])
    w, b = flat[:, :-1], flat[:, -1]
    options = {"probabilities": False, "dtype": None, "n_threads": model.n_threads}
    by_model: Any = w.T
    if hasattr(model, "coef_names_"):
        by_model, options["categories"] = named(w.T, tuple(model.coef_names_)), True

    def of_all(samples: Any) -> Any:
        if issparse(samples):
            return w @ samples + b[:, np.newaxis]
        return forward(samples, by_model, b if len(b) > 1 else b.item(), **options)

    Z = np.empty((len(flat), len(rows)))
    for first in range(0, len(rows), ROWS_AT_ONCE):
        some = slice(first, first + ROWS_AT_ONCE)
        these = rows[some]
        low, high = these.min().item(), these.max().item() + 1  # no frame slices by int64
        if high - low <= MOST_BETWEEN * these.size:
            Z[:, some] = read(model, _safe_indexing(X, slice(low, high)), of_all)[:, these - low]
        else:
            Z[:, some] = read(model, _safe_indexing(X, these), of_all)
    return Z.reshape(*points.shape[:2], len(rows))


def _accuracy(
    Z: NDArray[np.float64], Y: NDArray[np.int32], weight: Any, n_threads: int | None
) -> float:
    del n_threads
    predicted = Z[0] > 0.0 if len(Z) == 1 else Z.argmax(axis=0)
    return float(np.average(predicted == Y, weights=weight))


def _neg_log_loss(
    Z: NDArray[np.float64], Y: NDArray[np.int32], weight: Any, n_threads: int | None
) -> float:
    """Return minus the mean loss; no probability counts as less than EPSILON."""
    k = len(Z)
    largest = max(Z.max(), -Z.min()) if k == 1 else Z.max() - Z.min() + math.log(k)
    if weight is None and largest < LARGEST_LOSS - 1.0:
        features = _input.examples(Z, None), Y, None  # of which each has the weight 1
        if k == 1:
            objective = Objective(*features, _input.threads(n_threads))
            return -objective(np.ones(1), 0.0, 0.0)[0]
        return -several_classes(*features, n_threads).softmax(np.eye(k), np.zeros(k), 0.0)[0]
    if k == 1:
        losses = np.logaddexp(0.0, np.where(Y, -Z[0], Z[0]))
    else:
        losses = np.logaddexp.reduce(Z, axis=0) - Z[Y, np.arange(len(Y))]
    return -float(np.average(np.minimum(losses, LARGEST_LOSS), weights=weight))


OWN: dict[str | None, Callable[..., float]] = {
    None: _accuracy,
    "accuracy": _accuracy,
    "neg_log_loss": _neg_log_loss,
}


def _as_slice(indices: NDArray[np.intp]) -> NDArray[np.intp] | slice:
    """Return a range of indices as a slice, which makes a view."""
    if indices.size and (np.diff(indices) == 1).all():
        return slice(indices.item(0), indices.item(-1) + 1)
    return indices


def _with_labels(scorer: Callable[..., float], classes: NDArray[Any]) -> Callable[..., float]:
    """Tell a scorer that asks for labels all classes: a fold may lack some."""
    score = getattr(scorer, "_score_func", None)
    asked = inspect.signature(score).parameters if score else {}
    if "labels" not in asked:
        return scorer
    known: dict[str, Any] = {"labels": classes}
    if len(classes) == 2 and "pos_label" in asked:
        known["pos_label"] = classes[1]
    scorer_: Any = scorer
    made: Callable[..., float] = make_scorer(
        score,
        greater_is_better=scorer_._sign == 1,  # noqa: SLF001 (what make_scorer was given)
        response_method=scorer_._response_method,  # noqa: SLF001
        **(known | scorer_._kwargs),  # noqa: SLF001
    )
    return made
