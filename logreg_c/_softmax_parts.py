# SPDX-License-Identifier: BSD-3-Clause
"""Several classes over examples that come in parts, with the bits of the same examples in memory.

J, its gradient and its Hessian are summed over the parts. A solver makes factors of samples, which
are gathered in memory.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ._objective import SoftmaxObjective
from ._parts import Curvature, ObjectiveInParts, joined

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray

    from ._objective import Tally
    from ._parts import Source


class SoftmaxInParts(ObjectiveInParts, SoftmaxObjective):
    """An objective of several classes, for the solvers that take a `SoftmaxObjective`."""

    _sample: SoftmaxObjective | None = None

    def __init__(self, source: Source, n_threads: int, **settings: Any) -> None:
        if source.examples.categories is not None:
            msg = (
                "X comes in batches with columns of categories, and Y has several classes; "
                "expected two classes, or numbers: give each category a column of 0 and 1"
            )
            raise TypeError(msg)
        super().__init__(source, n_threads, **settings)

    def tally(self, k: int) -> Tally:
        """Return the weight of each of k classes, and the least weight."""
        return self._parts.tally(k)

    def weighing(self, w: NDArray[np.float64], b: NDArray[np.float64]) -> Callable[..., Any]:
        """Return a function that says which weights `gram` is to make, part by part."""
        return lambda *which: Curvature(self._parts, w, b, which=which)

    def some(self, count: int) -> SoftmaxObjective:
        """Return the objective of so many of the examples, in memory; the last one is kept."""
        if self._sample is None or self._sample.examples.shape[1] != count:
            values, Y, sample_weight = joined(self._parts.chosen(self.places(count)))
            shape = self.examples.shape[0], count
            examples = self.examples._replace(values=values, shape=shape, float32=False)
            self._sample = SoftmaxObjective(examples, Y, sample_weight, self.n_threads)
        return self._sample

    def _softmax(
        self,
        w: NDArray[np.float64],
        b: NDArray[np.float64],
        l2: float,
        dw: NDArray[np.float64],
        db: NDArray[np.float64],
    ) -> tuple[int, float]:
        parts = self._parts
        return parts.softmax_sums(w, b, None).softmax(parts.n_segments(len(w)), w, l2, dw, db)

    def _softmax_curvature(
        self,
        w: NDArray[np.float64],
        b: NDArray[np.float64],
        centre: NDArray[np.float64],
        D: NDArray[np.float64],
        d: NDArray[np.float64],
    ) -> int:
        parts = self._parts
        sums = parts.softmax_sums(w, b, centre)
        return sums.softmax_curvature(parts.n_segments(len(w)), D, d)
