# SPDX-License-Identifier: BSD-3-Clause
"""The fits of a cross-validation: of each fold, along the penalties."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from logreg_c._objective import Objective
from logreg_c._solvers.path import minimize_path, path_of_classes
from logreg_c._solvers.result import Solution

from .elastic_net import path_of_elastic_net
from .search import FOLD_GAP, gap_for, several_classes
from .weights import penalized

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from logreg_c._input import Examples

    from .grid import Grid


class Samples(NamedTuple):
    """What all folds share: X, read in place; y; the weights of samples times classes."""

    X: Examples
    Y: NDArray[Any]
    outputs: int
    weights: NDArray[Any] | None
    n_threads: int | None

    def search(
        self,
        counts: NDArray[Any] | None,
        Cs: Sequence[float],
        l1_ratio: float,
        grid: Grid,
        start: Solution,
    ) -> list[Solution]:
        """Fit the samples, each counted so many times, for each C; by default all.

        Samples that do not count have weight 0, so X is not copied. `start` is close to the first
        minimum if it took iterations.
        """
        weights, m = self.weights, self.Y.size
        if counts is not None:
            weights = counts if weights is None else np.where(counts > 0, weights * counts, 0.0)
            if not weights.any():
                msg = "sample_weight is zero at every sample that is trained on"
                raise ValueError(msg + "; expected a positive sum")
        l2s = []
        for C in Cs:
            scaled, l2 = penalized(C, weights, m)
            l2s.append(l2)
        goal: dict[str, Any] = {
            "warm": start.n_iter > 0,
            "tol": min(gap_for(self.X), FOLD_GAP),
            "slope": grid.tol,
            "fixed_b": not grid.fit_intercept,
        }
        if self.outputs > 1:
            several = several_classes(self.X, self.Y, scaled, self.n_threads)
            goal["standardize"] = grid.standardize
            return path_of_classes(several, l2s, grid.max_iter, start, **goal)
        X = self.X._replace(float32=False) if l1_ratio > 0.0 else self.X
        objective = Objective.checked(X, self.Y, sample_weight=scaled, n_threads=self.n_threads)
        if l1_ratio > 0.0:
            goal |= {"standardize": grid.standardize, "l1_ratio": l1_ratio}
            return path_of_elastic_net(objective, l2s, grid.max_iter, start, **goal)
        if grid.standardize and grid.max_iter > 0:
            objective.standardize(centre=grid.fit_intercept and not self.X.is_sparse)
        return minimize_path(objective, l2s, grid.max_iter, start, **goal)


def fit_folds(
    samples: Samples, folds: Sequence[tuple[Any, Any]], grid: Grid
) -> list[list[list[Solution]]]:
    """Fit the part of each fold that is trained on, for each l1_ratio and C."""
    (n_x, m), outputs = samples.X.shape, samples.outputs
    found = []
    zeros = Solution(np.zeros((n_x, outputs)), np.zeros(outputs) if outputs > 1 else 0.0)
    for k, (train, _) in enumerate(folds):
        counts, start = _counts(train, m), zeros
        try:
            paths = [
                samples.search(counts, grid.Cs.tolist(), l1_ratio, grid, start)
                for l1_ratio in grid.mixes
            ]
        except ValueError as error:
            msg = f"fold {k}: {error}"
            raise ValueError(msg) from None
        found.append(paths)
    return found


def _counts(chosen: Any, m: int) -> NDArray[Any]:
    """Return how often each sample was chosen: as bools, which are 1 byte each, if at most once."""
    indices = np.arange(m)[chosen]
    once = np.zeros(m, np.bool_)
    once[indices] = True
    return once if np.count_nonzero(once) == len(indices) else np.bincount(indices, minlength=m)
