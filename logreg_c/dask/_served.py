# SPDX-License-Identifier: BSD-3-Clause
"""What a worker answers about the parts that lie there: sums, in the order of the whole."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from distributed import get_worker

from logreg_c import _kernel
from logreg_c._input import Labels
from logreg_c._objective import features_of
from logreg_c._parts import SURVEYED, Part, ProblemInParts, chosen_of, rows_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from logreg_c._input import Examples
    from logreg_c._objective import Tally

    from ._blocks import Block


class Whole(NamedTuple):
    """What the parts are parts of, and how to work on them."""

    examples: Examples
    example_major: bool
    exponent: int  # sample weights are multiplied by this power of two
    n_threads: int | None  # None: those of each worker


class Weighing(NamedTuple):
    """Weights of the Hessian at w and b; with the `least` of a factor, as that takes them.

    With `which`, they are those of several classes.
    """

    w: NDArray[np.float64]
    b: Any
    float32: bool
    squared: bool = False
    least: float | None = None
    which: tuple[Any, ...] = ()

    @property
    def key(self) -> tuple[Any, ...]:
        """Return what can be compared."""
        return self.w.tobytes(), np.asarray(self.b).tobytes(), *self[2:]


class Several(list[Any]):
    """Answers that are merged one by one."""

    def merge(self, other: Several) -> None:
        """Merge what another worker has answered."""
        for mine, theirs in zip(self, other, strict=True):
            mine.merge(theirs)


class Gathered(dict[int, Any]):
    """Answers by the first example of each part."""

    def merge(self, other: Gathered) -> None:
        """Add what another worker has answered."""
        self.update(other)


class _PartsHere:
    """The parts on this worker, as a source."""

    labels = Labels(None)
    survey: _kernel.Survey | None = None
    tally: Tally | None = None

    def __init__(self, examples: Examples, example_major: bool, parts: list[Part]) -> None:
        self.examples = examples
        self.example_major = example_major
        self.parts = parts

    def __iter__(self) -> Iterator[Part]:
        return iter(self.parts)

    def place(self, example: int) -> str:
        """Return where an example comes from."""
        return f"row {example}"


def _scaled(weight: NDArray[Any] | None, exponent: int) -> NDArray[Any] | None:
    if weight is None or exponent == 0:
        return weight
    scaled: NDArray[np.float64] = np.ldexp(weight.astype(np.float64), exponent)
    return scaled


def served(whole: Whole, pieces: list[tuple[Block, int]]) -> Served:
    """Return the answers of pieces of blocks on this worker, each with its first example."""
    parts = [
        Part(first, block.X, block.Y, _scaled(block.sample_weight, whole.exponent))
        for block, first in sorted(pieces, key=lambda piece: piece[1])
    ]
    n_threads = whole.n_threads or get_worker().state.nthreads
    return Served(_PartsHere(whole.examples, whole.example_major, parts), n_threads)


class Served(ProblemInParts):
    """Answers of the parts on this worker: each method that the client asks for by name.

    Answers about some of the features come from an object of their own, which knows that of `all`.
    """

    def __init__(self, source: _PartsHere, n_threads: int, every: Served | None = None) -> None:
        super().__init__(source, n_threads, float32=source.examples.float32, halves=False)
        self._here = source.parts
        self._every = every
        self._some: tuple[bytes, Served] | None = None
        self._weighing: tuple[Any, ...] | None = None
        self._h: dict[int, NDArray[np.float64]] = {}
        self._sums = Gathered()

    def of_features(self, chosen: NDArray[np.intp], question: str, *arguments: Any) -> Any:
        """Return what is answered about some of the features; the last are kept."""
        key = chosen.tobytes()
        if self._some is None or self._some[0] != key:
            source = _PartsHere(
                features_of(self._source.examples, chosen),
                self._source.example_major and chosen.size > 1,
                [chosen_of(part, chosen) for part in self._here],
            )
            self._some = key, Served(source, self.n_threads, self)
        return getattr(self._some[1], question)(*arguments)

    def gradient_at(self, point: _kernel.Point, float32: bool, halves: bool) -> _kernel.Sums:
        """Return the sums of J, dw and db."""
        self._halves = halves
        try:
            return self.gradient(point, float32=float32)
        finally:
            self._halves = False

    def moment_sums_by(self, weighing: Weighing | None, float32: bool) -> Several:
        """Return the sums of moments, of examples that are weighted anew if asked for."""
        return Several(self.moment_sums(self._weighed_by(weighing), float32=float32))

    def gram_sums_by(self, k: int, centre: NDArray[np.float64], weighing: Weighing) -> Several:
        """Return the sums of products of group k with those up to it."""
        return Several(self.gram_sums(k, centre, self._weighed_by(weighing)))

    def weigh(self, weighing: Weighing) -> Gathered:
        """Weigh each part anew; return the status and, of its blocks, the sums of weights."""
        w, b, self.float32, squared, least, which = weighing
        if self._every is not None and w.size != self.n_x:
            self._sums, self._h = self._every.weigh(weighing), self._every.weighed
        elif self._weighing != weighing.key:
            if which:
                make = self.weights_of_classes(w, b, which)
            elif least is not None:
                make = self.weights_of_factor(w, b, least)
            else:
                make = self.weights_of_hessian(w, b, squared=squared)
            self._sums, self._h = Gathered(), {}
            for part in self._here:
                make.status = _kernel.OK
                h = make.of(part)
                whole = part.m // SURVEYED * SURVEYED
                blocks = [h[:whole].reshape(-1, SURVEYED), h[whole:][np.newaxis]]
                of_blocks = [np.add.accumulate(x, 1)[:, -1] for x in blocks if x.size]
                self._h[part.first] = h
                self._sums[part.first] = make.status, np.concatenate(of_blocks)
        self._weighing = weighing.key
        return self._sums

    @property
    def weighed(self) -> dict[int, NDArray[np.float64]]:
        """The weights of each part."""
        return self._h

    def _weighed_by(self, weighing: Weighing | None) -> Any:
        """Return the weights that are here, by part."""
        if weighing is None:
            return None
        self.weigh(weighing)
        return SimpleNamespace(of=lambda part: self._h[part.first])

    def chosen_here(self, at: NDArray[np.intp]) -> Gathered:
        """Return those of some examples that are here, by part."""
        return Gathered({part.first: part for part in self.chosen(at)})

    def rows_at(self, samples: list[NDArray[np.int64]]) -> Several:
        """Return the rows of those examples of some samples that are here, by part."""
        return Several(map(self._rows_at, samples))

    def _rows_at(self, at: NDArray[np.int64]) -> Gathered:
        dtype = self._source.examples.values.dtype  # type: ignore[union-attr]
        found = Gathered()
        for part in self._here:
            first, end = np.searchsorted(at, (part.first, part.first + part.m))
            if first < end:
                found[part.first] = np.empty((end - first, self.n_x), dtype)
                rows_of(part, at[first:end], found[part.first])
        return found

    def targets_of(self, first: int, end: int) -> Gathered:
        """Return the labels and the sample weights of the parts that begin within [first, end)."""
        here = (part for part in self._here if first <= part.first < end)
        return Gathered({part.first: (part.Y, part.sample_weight) for part in here})

    def nonfinite(self) -> Gathered:
        """Return (feature, example) of the first NaN or infinity here, if there is one."""
        found = self.first_nonfinite()
        return Gathered() if found is None else Gathered({found[1]: found})

    def outward_here(self, step: NDArray[np.float64], of_b: Any, above: float) -> Gathered:
        """Return how far z of each part goes to the sides of the labels."""
        at = step, of_b, above
        return Gathered({part.first: self.outward_of(part, *at) for part in self._here})
