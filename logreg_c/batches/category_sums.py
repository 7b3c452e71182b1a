# SPDX-License-Identifier: BSD-3-Clause
"""Sums and samples over parts with columns of categories."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from logreg_c import _kernel
from logreg_c._parts import Part, ProblemInParts, Sample, sample_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from logreg_c._input import Categorical
    from logreg_c._parts import Source, Weights


class ProblemWithCategories(ProblemInParts):
    """What can be asked about a source with columns of categories.

    Their moments and Grams have no tree: parts add to them in their order, example by example.
    """

    def __init__(self, source: Source, n_threads: int, *, float32: bool, halves: bool) -> None:
        super().__init__(source, n_threads, float32=float32, halves=halves)
        X = source.examples.categories
        if X is None:
            raise AssertionError
        self._X = X  # of no examples
        self._shape = self._of(Part(0, X, np.empty(0), None), X, None, float32=False)
        self._counts = np.empty(0)

    def segment_size(self, n_x: int) -> int:
        """Return how many examples a segment has, for sums of so many features."""
        return self._shape.segment_size if n_x == self.n_x else super().segment_size(n_x)

    def moments(
        self, out: NDArray[np.float64], *, float32: bool, weights: Weights | None = None
    ) -> int:
        """Fill out (3, n_x) with moments, of examples that are weighted anew if asked for."""
        status = super().moments(out, float32=float32, weights=weights)
        out[0, self.n_dense :] = self._counts[self.n_dense :]
        of_all = _kernel.Features(out, self.n_x, True, True)
        ended = _kernel.finish_category_moments(self._shape, of_all)
        return status if ended == _kernel.OK else ended

    def moment_sums(self, weights: Weights | None, *, float32: bool) -> list[_kernel.Sums]:
        """Return the sums of moments of each group of features, and count the categories."""
        self._counts = np.zeros(self.n_x)
        return super().moment_sums(weights, float32=float32)

    def weighed_parts(self, weights: Weights | None) -> Iterator[tuple[Part, Any]]:
        """Read all parts, each with its weights, which are added up by category."""
        for part, h in super().weighed_parts(weights):
            problem = self._of(part, part.X, h, float32=False)
            _kernel.add_categories(problem, None, self._counts)
            yield part, h

    def gram(
        self,
        weights: Weights,
        centre: NDArray[np.float64],
        G: NDArray[np.float64],
        mu: NDArray[np.float64],
    ) -> tuple[int, float]:
        """Return status and S, and fill G and mu, of examples with these weights."""
        n = self.n_dense
        of_dense, means = np.zeros((n, n)), np.empty(n)
        status, S = self.gram_of_dense(weights, centre[:n].copy(), of_dense, means)
        if status != _kernel.OK:
            return status, S
        G[...] = 0.0
        G[:n, :n] = of_dense
        mu[:n], mu[n:] = means, 0.0
        for part in self.parts():
            problem = self._of(part, part.X, weights.of(part), float32=False)
            _kernel.add_categories(problem, G, mu)
        return _kernel.finish_category_gram(self._shape, G, mu), S

    def samples(self, counts: Sequence[int]) -> list[_kernel.Problem]:
        """Return samples of so many examples, in memory, which one pass gathers."""
        samples = [SampleWithCategories(self.survey(), count, self._X) for count in counts]
        for part in self.parts():
            problem = self._of(part, part.X, part.sample_weight, float32=False)
            for sample in samples:
                sample.take(problem, part)
        return [sample.problem(self.n_threads) for sample in samples]


class SampleWithCategories(Sample):
    """A sample of columns: numbers, and codes of categories."""

    def __init__(self, survey: _kernel.Survey, count: int, shape: Categorical) -> None:
        super().__init__(survey, count, 0, np.dtype(np.float64))
        self._X = shape._replace(
            numbers=[np.empty(count) for _ in shape.numbers],
            codes=[np.empty(count, np.int32) for _ in shape.codes],
        )

    def take(self, problem: _kernel.Problem, part: Part) -> None:
        """Gather what is chosen of a part."""
        at = self.choose(problem, part.first)
        here = self._index[at] - part.first
        X: Any = part.X
        for to, x in zip(self._columns(), [*X.numbers, *X.codes], strict=True):
            to[at] = x[here]

    def problem(self, n_threads: int) -> _kernel.Problem:
        """Return the sample; places that are left repeat the last example, with weight 0."""
        for x in self._columns():
            x[self._chosen :] = x[self._chosen - 1]
        return sample_of(self._X, self._Y, self._h, n_threads)

    def _columns(self) -> list[NDArray[Any]]:
        return [*self._X.numbers, *self._X.codes]
