# SPDX-License-Identifier: BSD-3-Clause
"""The fits of a cross-validation: of each fold, along the penalties."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from logreg_c._objective import Objective
from logreg_c._solvers.path import minimize_paths, paths_of_classes
from logreg_c._solvers.result import Solution

from .elastic_net import path_of_elastic_net
from .search import gap_for_fold, several_classes
from .weights import penalized

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from logreg_c._input import Examples

    from .grid import Grid


# Folds that share a pass over X: each takes the memory of its weights, and of a search, which may
# keep a factor of n_x^2 values.
MOST_FOLDS, MOST_VALUES = 10, 1 << 24


class Weighted(NamedTuple):
    """Weights of the samples in a fit, and its penalties."""

    weights: NDArray[Any] | None
    l2s: list[float]


class Samples(NamedTuple):
    """What all folds share: X, read in place; y; the weights of samples times classes."""

    X: Examples
    Y: NDArray[Any]
    outputs: int
    weights: NDArray[Any] | None
    n_threads: int | None

    def weighted(self, counts: NDArray[Any] | None, Cs: NDArray[np.float64]) -> Weighted:
        """Weigh the samples, each counted so many times, by default once.

        Samples that do not count have weight 0, so X is not copied.
        """
        weights = self.weights
        if counts is not None:
            weights = counts if weights is None else np.where(counts > 0, weights * counts, 0.0)
            if not weights.any():
                msg = "sample_weight is zero at every sample that is trained on"
                raise ValueError(msg + "; expected a positive sum")
        scaled: Any = None
        l2s = []
        for C in Cs.tolist():
            scaled, l2 = penalized(C, weights, self.Y.size)
            l2s.append(l2)
        return Weighted(scaled, l2s)

    def search(
        self,
        fits: Sequence[Weighted],
        l1_ratio: float,
        grid: Grid,
        start: Solution,
        *,
        tol: float,
    ) -> list[list[Solution]]:
        """Make each of these fits, for each of its penalties, to a relative gap.

        `start` is close to the first minima if it took iterations.
        """
        goal: dict[str, Any] = {
            "warm": start.n_iter > 0,
            "tol": tol,
            "slope": grid.tol,
            "fixed_b": not grid.fit_intercept,
        }
        l2s = [one.l2s for one in fits]
        if self.outputs == 1 and l1_ratio == 0.0:
            objectives = [self._objective(self.X, one.weights) for one in fits]
            if grid.standardize and grid.max_iter > 0:
                for objective in objectives:
                    objective.standardize(centre=grid.fit_intercept and not self.X.is_sparse)
            return minimize_paths(objectives, l2s, grid.max_iter, start, **goal)
        goal["standardize"] = grid.standardize
        if self.outputs > 1:
            several = [several_classes(self.X, self.Y, one.weights, self.n_threads) for one in fits]
            if l1_ratio == 0.0:
                return paths_of_classes(several, l2s, grid.max_iter, start, **goal)
            of_fits: Sequence[Any] = several
        else:
            X = self.X.one_hot()._replace(float32=False)
            of_fits = [self._objective(X, one.weights) for one in fits]
        return [
            path_of_elastic_net(
                objective,
                strengths,
                grid.max_iter,
                start,
                l1_ratio=l1_ratio,
                **goal,
            )
            for objective, strengths in zip(of_fits, l2s, strict=True)
        ]

    def _objective(self, X: Examples, weights: NDArray[Any] | None) -> Objective:
        return Objective.checked(X, self.Y, sample_weight=weights, n_threads=self.n_threads)


def fit_folds(
    samples: Samples, folds: Sequence[tuple[Any, Any]], grid: Grid
) -> list[list[list[Solution]]]:
    """Fit the part of each fold that is trained on, for each l1_ratio and C."""
    (n_x, m), outputs = samples.X.shape, samples.outputs
    zeros = Solution(np.zeros((n_x, outputs)), np.zeros(outputs) if outputs > 1 else 0.0)
    together = max(1, min(MOST_FOLDS, MOST_VALUES // (n_x * n_x)))
    found: list[list[list[Solution]]] = []
    for first in range(0, len(folds), together):
        fits = []
        for k, (train, _) in enumerate(folds[first : first + together], first):
            try:
                fits.append(samples.weighted(_counts(train, m), grid.Cs))
            except ValueError as error:
                msg = f"fold {k}: {error}"
                raise ValueError(msg) from None
        of_mixes = [
            samples.search(fits, l1_ratio, grid, zeros, tol=gap_for_fold(samples.X, outputs))
            for l1_ratio in grid.mixes
        ]
        found += [list(paths) for paths in zip(*of_mixes, strict=True)]
    return found


def _counts(chosen: Any, m: int) -> NDArray[Any]:
    """Return how often each sample was chosen: as bools, which are 1 byte each, if at most once."""
    indices = np.arange(m)[chosen]
    once = np.zeros(m, np.bool_)
    once[indices] = True
    return once if np.count_nonzero(once) == len(indices) else np.bincount(indices, minlength=m)
