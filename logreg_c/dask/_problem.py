# SPDX-License-Identifier: BSD-3-Clause
"""Sums over parts on the workers, asked for by a client: what the solvers take as an objective."""

from __future__ import annotations

import copy
from functools import partial, reduce
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np

from logreg_c import _input, _kernel
from logreg_c._input import Examples, Labels
from logreg_c._objective import Outward, Tally, features_of
from logreg_c._parts import Part, ProblemInParts, Sample, examples_of_parts

from ._blocks import Cut, Piece, computed, join_blocks, partitions
from ._served import Weighing, Whole, served
from ._workers import Workers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from distributed import Client
    from numpy.typing import NDArray

    from logreg_c._parts import Curvature

    from ._blocks import Described


# Examples whose labels and weights are brought here at a time: at most 64 MB.
BROUGHT = 1 << 22


class Distributed:
    """X on the workers of a cluster: what `fit` and `train` take as batches of examples."""

    def __init__(
        self,
        client: Client,
        X: Any,
        *,
        coded: Callable[[Any], Any] | None,
        n_threads: int | None,
        by_features: bool,
    ) -> None:
        self._client = client
        self._X = X
        self._coded = coded  # makes numbers of labels
        self._n_threads = n_threads
        self._by_features = by_features  # whether some features are asked about without others

    def open_parts(
        self, Y: Any, sample_weight: Any, dtype: Any, names: tuple[Any, ...] | None
    ) -> DistributedSource:
        """Compute the blocks, and cut them into parts."""
        client = self._client
        coded = self._coded
        blocks = computed(client, partitions(self._X, Y, sample_weight), coded)
        workers = Workers(client, blocks, coded)
        del names  # columns are taken in their order
        settings = dtype, self._n_threads
        return DistributedSource(workers, *settings, by_features=self._by_features)


class DistributedSource:
    """Blocks on the workers, as the parts of a whole.

    With `by_features`, parts begin where the segments of a single feature do.
    """

    chosen: NDArray[np.intp] | None = None  # features, unless these are all

    survey: _kernel.Survey | None = None
    tally: Tally | None = None

    def __init__(
        self,
        workers: Workers,
        dtype: Any,
        n_threads: int | None,
        *,
        by_features: bool,
    ) -> None:
        filled = [(block, of) for block, of in enumerate(workers.described()) if of.m]
        if not filled:
            msg = "X has no rows in any partition; expected at least one"
            raise ValueError(msg)
        first = filled[0][1]
        for _, of in filled:
            if (of.n_x, of.names) != (first.n_x, first.names):
                msg = (
                    f"a partition of X has the columns {of.names or of.n_x}, another "
                    f"{first.names or first.n_x}; expected the same columns in all"
                )
                raise ValueError(msg)
        m = sum(of.m for _, of in filled)
        self.labels = _labels_of([of for _, of in filled], m)
        narrow = all(of.float32 for _, of in filled)
        kind = np.dtype(np.float32 if narrow else np.float64)
        values = np.empty((first.n_x, 0), kind)
        float32 = _input.examples(np.empty((1, 1), kind), dtype).float32
        self.examples = Examples(values, (first.n_x, m), float32, first.names)
        self.example_major = first.example_major
        largest = max(of.largest_weight for _, of in filled)
        if largest == 0.0:
            msg = "sample_weight is zero at every example; expected a positive sum"
            raise ValueError(msg)
        exponent = _input.exponent_of_scale(largest, float32)
        whole = Whole(self.examples, self.example_major, exponent, n_threads)
        sizes = {first.n_x, 1} if by_features else {first.n_x}
        self.cuts = _cut(filled, max(map(examples_of_parts, sizes)))
        self.workers = workers
        workers.arrange(partial(served, whole), self.cuts)

    def __iter__(self) -> Iterator[Part]:
        """Bring the examples here; for a few."""
        blocks = self.workers.blocks()
        for cut in self.cuts:
            block = join_blocks([blocks[k].between(*ends) for k, *ends in cut.pieces])
            yield Part(cut.at, block.X, block.Y, block.sample_weight)

    def features(self, chosen: NDArray[np.intp]) -> DistributedSource:
        """Return some of the features, which stay where they are."""
        some = copy.copy(self)
        some.chosen, some.examples = chosen, features_of(self.examples, chosen)
        some.example_major = self.example_major and chosen.size > 1
        return some

    def place(self, example: int) -> str:
        """Return where an example comes from."""
        return f"row {example} (counted from 0 over all partitions)"

    def problem(self, n_threads: int, *, float32: bool, halves: bool) -> DistributedProblem:
        """Return what can be asked about the parts."""
        return DistributedProblem(self, n_threads, float32=float32, halves=halves)


def _labels_of(described: list[Described], m: int) -> Labels:
    """Return what the labels of all blocks say about classes."""
    integers = [of.highest for of in described if of.highest is not None]
    highest = max(integers, default=0)
    if len(integers) < len(described):
        if highest > 1:
            msg = (
                f"Y holds the integer {highest}, and other numbers in another partition; expected "
                "classes 0, 1, ... K - 1 as integers in all of them, or labels within [0, 1]"
            )
            raise ValueError(msg)
        return Labels(None)
    _input.check_range(0, highest, m)
    return Labels(highest)


def _cut(blocks: list[tuple[int, Described]], size: int) -> list[Cut]:
    """Cut blocks where multiples of `size` are; what several blocks hold of one stays together."""
    cuts: list[Cut] = []
    at = 0  # examples before this block
    for block, of in blocks:
        first = min(of.m, -at % size)  # of the next cut
        if first:
            cuts[-1].pieces.append(Piece(block, 0, first))
        end = first + (of.m - first) // size * size
        if end > first:
            cuts.append(Cut([Piece(block, first, end)], at + first))
        if end < of.m:
            cuts.append(Cut([Piece(block, end, of.m)], at + end))
        at += of.m
    return cuts


def _stretches(starts: Sequence[int], m: int) -> Iterator[tuple[int, int]]:
    """Yield the first example and the end of stretches of whole parts, of some size at least."""
    first = 0
    for start in starts:
        if start >= first + BROUGHT:
            yield first, start
            first = start
    yield first, m


class DistributedProblem(ProblemInParts):
    """What can be asked about the parts, each question over all workers at a time."""

    def __init__(
        self, source: DistributedSource, n_threads: int, *, float32: bool, halves: bool
    ) -> None:
        super().__init__(source, n_threads, float32=float32, halves=halves)
        self._workers = source.workers
        self._cuts = source.cuts
        self._chosen_features = source.chosen
        self._targets: list[Part] = []

    def first_nonfinite(self) -> tuple[int, int] | None:
        """Return (feature, example) of the first NaN or infinity in X, or None."""
        found = self._asked("nonfinite")
        place: tuple[int, int] | None = found[min(found)] if found else None
        return place

    def gradient(self, point: _kernel.Point, *, float32: bool) -> _kernel.Sums:
        """Return the sums of J, dw and db at a point."""
        sums: _kernel.Sums = self._asked("gradient_at", point, float32, self._halves)
        return sums

    def softmax_sums(
        self,
        w: NDArray[np.float64],
        b: NDArray[np.float64],
        centre: NDArray[np.float64] | None,
    ) -> _kernel.Sums:
        """Return the sums of J, dw and db of several classes, or of curvature about a centre."""
        sums: _kernel.Sums = self._asked("softmax_sums", np.asarray(w), b, centre)
        return sums

    def moment_sums(self, weights: Any, *, float32: bool) -> list[_kernel.Sums]:
        """Return the sums of moments of each group of features."""
        weighing = None if weights is None else weights.weighing
        sums: list[_kernel.Sums] = self._asked("moment_sums_by", weighing, float32)
        return sums

    def gram_sums(self, k: int, centre: NDArray[np.float64], weights: Any) -> list[_kernel.Sums]:
        """Return the sums of products of group k of features with each group up to itself."""
        sums: list[_kernel.Sums] = self._asked("gram_sums_by", k, centre, weights.weighing)
        return sums

    def weights_of_factor(self, w: NDArray[np.float64], b: float, least: float) -> Any:
        """Return the weights of a factor at w and b, with an a (1 - a) of at least `least`."""
        return self._weighed(Weighing(w.copy(), b, self.float32, least=least))

    def weights_of_hessian(self, w: NDArray[np.float64], b: float, *, squared: bool) -> Any:
        """Return the weights s a (1 - a), or the squares (s (a - y))^2."""
        return self._weighed(Weighing(w.copy(), b, self.float32, squared))

    def weights_at(self, at: Curvature) -> Any:
        """Return the weights of a Hessian, which may be that of more features than these."""
        if at.which:
            return self._weighed(Weighing(at.w, at.b, float32=False, which=at.which))
        return self.weights_of_hessian(at.w, at.b, squared=at.squared)

    def outward(self, step: NDArray[np.float64], of_b: Any, above: float) -> Outward:
        """Return how far z goes to the sides of the labels where w and b change by a step."""
        of_parts: dict[int, Outward] = self._asked("outward_here", step, of_b, above)
        return reduce(Outward.and_of, of_parts.values())

    def _weighed(self, weighing: Weighing) -> Any:
        """Have the workers weigh their parts; return the status of that, and the sum."""
        found = self._asked("weigh", weighing)
        status, S = _kernel.OK, 0.0
        for first in sorted(found):
            ended, of_blocks = found[first]
            status = status if ended == _kernel.OK else ended
            S = float(np.add.accumulate(np.concatenate([[S], of_blocks]))[-1])
        return SimpleNamespace(weighing=weighing, status=status, S=S)

    def targets(self) -> Iterator[Part]:
        """Bring labels and weights here, of some parts after the other; keep a single stretch."""
        yield from self._targets
        if not self._targets:
            for first, end in _stretches([cut.at for cut in self._cuts], self.m):
                found = self._asked("targets_of", first, end)
                parts = [
                    Part(at, np.empty((0, Y.size)), Y, weight)
                    for at, (Y, weight) in sorted(found.items())
                ]
                self._targets = parts if end - first == self.m else []
                yield from parts

    def chosen(self, at: NDArray[np.intp]) -> list[Part]:
        """Return some examples, which are named in their order."""
        found = self._asked("chosen_here", at)
        return [found[first] for first in sorted(found)]

    def samples(self, counts: Sequence[int]) -> list[_kernel.Problem]:
        """Return samples of so many examples, in memory here."""
        dtype = self._source.examples.values.dtype  # type: ignore[union-attr]
        samples = [Sample(self.survey(), count, self.n_x, dtype) for count in counts]
        for part in self.targets():
            problem = self._of(part, part.X, part.sample_weight, float32=False)
            for sample in samples:
                sample.choose(problem, part.first)
        found = self._asked("rows_at", [sample.chosen for sample in samples])
        for sample, rows in zip(samples, found, strict=True):
            sample.fill([rows[first] for first in sorted(rows)])
        return [sample.problem(self.n_threads) for sample in samples]

    def _asked(self, question: str, *arguments: Any) -> Any:
        if self._chosen_features is not None:
            question, arguments = "of_features", (self._chosen_features, question, *arguments)
        first, *others = self._workers.ask(question, *arguments)
        for other in others:
            first.merge(other)
        return first
