# SPDX-License-Identifier: BSD-3-Clause
"""Scores of a cross-validation, by scikit-learn's scorers."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.metrics import get_scorer, make_scorer
from sklearn.utils import _safe_indexing
from sklearn.utils.validation import _check_method_params

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray


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
    if not (hasattr(X, "__getitem__") or hasattr(X, "iloc")):
        X = np.asarray(X)  # what only becomes an array has no rows of its own
    scorer = _with_labels(get_scorer(scoring or "accuracy"), model.classes_)
    scores = np.empty(weights.shape[:-2])
    for k, (_, test) in enumerate(folds):
        rows = _as_slice(np.arange(len(y))[test])
        held_out, labels = _safe_indexing(X, rows), y[rows]
        of_fold = _check_method_params(X, parameters, indices=test)
        for place in np.ndindex(scores.shape[1:]):
            model.coef_ = weights[(k, *place)][:, :-1]
            model.intercept_ = weights[(k, *place)][:, -1]
            scores[(k, *place)] = scorer(model, held_out, labels, **of_fold)
    return scores


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
