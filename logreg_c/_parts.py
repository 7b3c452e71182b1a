# SPDX-License-Identifier: BSD-3-Clause
"""Everything that is evaluated over examples that come in parts, by sums that form one tree.

The bits are those of the same examples in one array. A pass reads the parts in their order, and
keeps none.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, Self

import numpy as np

from . import _input, _kernel
from ._objective import Objective, Outward, Tally, WeightsOfClasses, features_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import ArrayLike, DTypeLike, NDArray

    from ._input import Examples

# What the kernel takes at a time for moments, and surveys without another order of sums.
MOMENTS_FEATURES = 512
SURVEYED = 512


class Part(NamedTuple):
    """Some examples, of which the first is number `first` of the whole."""

    first: int
    X: NDArray[Any] | list[NDArray[Any]] | _input.Categorical
    Y: NDArray[Any]
    sample_weight: NDArray[Any] | None
    is_late: bool = False  # parts are waited for, so a single thread works on it in good time

    @property
    def m(self) -> int:
        """The number of examples."""
        return self.Y.size


class Source(Protocol):
    """Examples that can be read again and again, in parts.

    Every part but the last holds a multiple of `examples_of_parts` examples, and all have the
    layout of the whole.

    Attributes
    ----------
    examples : Examples
        Shape, arithmetic and names of the whole. Its values are an array of the type that a sample
        is gathered in, of no size.
    example_major : bool
        The layout, if X is an array.
    labels : Labels
        Whether these are classes.
    survey : Survey or None
        Sums over labels and weights, if they have been made.
    tally : Tally or None
        Those over the weights of classes, likewise.
    """

    examples: Examples
    example_major: bool
    labels: _input.Labels
    survey: _kernel.Survey | None
    tally: Tally | None

    def __iter__(self) -> Iterator[Part]: ...

    def place(self, example: int) -> str:
        """Return where an example comes from."""


def examples_of_parts(n_x: int) -> int:
    """Return what the examples of every part but the last must be a multiple of."""
    last = n_x % MOMENTS_FEATURES or min(n_x, MOMENTS_FEATURES)
    sizes = {n_x, min(n_x, MOMENTS_FEATURES), last, _kernel.gram_groups(n_x)[1]}
    return max(SURVEYED, *map(_kernel.segment_size, sizes))


class ProblemInParts:
    """What can be asked about a source. As far as `Objective` asks it, it is a `_kernel.Problem`.

    Another one, of a cluster, has other sums.
    """

    def __init__(self, source: Source, n_threads: int, *, float32: bool, halves: bool) -> None:
        self.n_x, self.m = source.examples.shape
        of = source.examples.categories
        self.n_dense = self.n_x if of is None else len(of.numbers)  # features, no categories
        self.n_threads = n_threads
        self.float32 = float32
        self.features: _kernel.Features | None = None
        self._source = source
        self._halves = halves  # every label is 1/2
        self._survey = source.survey
        self._tally = source.tally

    def standardize(self, moments: NDArray[np.float64], centre: bool, scale: bool) -> int:
        """Fill moments (3, n_x), and work on features that are centred and scaled from now on."""
        status = self.moments(moments, float32=self.float32)
        self.features = _kernel.Features(moments, self.n_x, centre, scale)
        return status

    def cost_and_gradient(
        self, w: NDArray[np.float64], b: float, l2: float, dw: NDArray[np.float64]
    ) -> tuple[int, float, float]:
        """Return status, J and db, and fill dw."""
        point = _kernel.Point(w, b, self.features)
        sums = self.gradient(point, float32=self.float32)
        return sums.gradient(self.n_segments(self.n_x), self.float32, point, l2, dw)

    def first_nonfinite(self) -> tuple[int, int] | None:
        """Return (feature, example) of the first NaN or infinity in X, or None."""
        for part in self._source:
            place = self._of(part, part.X, None, float32=False).first_nonfinite()
            if place is not None:
                return place[0], part.first + place[1]
        return None

    def n_segments(self, n_x: int) -> int:
        """Return how many segments the whole has, for sums of so many features."""
        return -(-self.m // self.segment_size(n_x))

    def segment_size(self, n_x: int) -> int:
        """Return how many examples a segment has, for sums of so many features."""
        return _kernel.segment_size(n_x)

    def segments(self, part: Part, n_x: int) -> tuple[int, int, int]:
        """Return the offset of a part in segments, and the first and the end of its own."""
        size = self.segment_size(n_x)
        return part.first // size, 0, -(-part.m // size)

    def dense(self, part: Part) -> NDArray[Any] | list[NDArray[Any]]:
        """Return the features of a part that are no categories."""
        if isinstance(part.X, _input.Categorical):
            return part.X.numbers or np.empty((0, part.m))
        return part.X

    def gradient(self, point: _kernel.Point, *, float32: bool) -> _kernel.Sums:
        """Return the sums of J, dw and db at a point."""
        sums = _kernel.Sums(_kernel.GRADIENT, self.n_x)
        for part in self._source:
            problem = self._of(part, part.X, part.sample_weight, float32=float32)
            sums.add(problem, point, *self.segments(part, self.n_x))
        return sums

    def softmax_sums(
        self,
        w: NDArray[np.float64],
        b: NDArray[np.float64],
        centre: NDArray[np.float64] | None,
    ) -> _kernel.Sums:
        """Return the sums of J, dw and db of several classes, or of curvature about a centre."""
        sums = _kernel.Sums(_kernel.SOFTMAX, self.n_x, len(b))
        for part in self._source:
            problem = self._of(part, part.X, part.sample_weight, float32=False)
            offset, _, end = self.segments(part, self.n_x)
            sums.add_softmax(problem, w, b, centre, offset, end)
        return sums

    def moments(
        self,
        out: NDArray[np.float64],
        *,
        float32: bool,
        weights: Weights | None = None,
    ) -> int:
        """Fill out (3, n_x) with moments, of examples that are weighted anew if asked for."""
        sums = self.moment_sums(weights, float32=float32)
        status = _kernel.OK if weights is None else weights.status
        for group, of_group in zip(self._groups(), sums, strict=True):
            n_x = group.stop - group.start
            found = np.empty((3, n_x))
            features = _kernel.Features(found, n_x, True, True)
            ended = of_group.moments(self.n_segments(n_x), float32, features)
            status = status if ended == _kernel.OK else ended
            out[:, group] = found
        return status

    def _groups(self) -> list[slice]:
        """Return the features whose moments are summed together."""
        starts = range(0, self.n_dense, MOMENTS_FEATURES)
        return [slice(j, min(j + MOMENTS_FEATURES, self.n_dense)) for j in starts]

    def moment_sums(self, weights: Weights | None, *, float32: bool) -> list[_kernel.Sums]:
        """Return the sums of moments of each group of features."""
        groups = self._groups()
        sums = [_kernel.Sums(_kernel.MOMENTS, g.stop - g.start) for g in groups]
        for part, h in self.weighed_parts(weights):
            X = self.dense(part)
            for group, of_group in zip(groups, sums, strict=True):
                problem = self._of(part, X[group], h, float32=float32)
                of_group.add(problem, None, *self.segments(part, group.stop - group.start))
        return sums

    def weighed_parts(self, weights: Weights | None) -> Iterator[tuple[Part, Any]]:
        """Read all parts, each with its weights: its own, unless others are given."""
        for part in self._source:
            yield part, part.sample_weight if weights is None else weights.of(part)

    def gram(
        self,
        weights: Weights,
        centre: NDArray[np.float64],
        G: NDArray[np.float64],
        mu: NDArray[np.float64],
    ) -> tuple[int, float]:
        """Return status and S, and fill G and mu, of examples with these weights."""
        return self.gram_of_dense(weights, centre, G, mu)

    def gram_of_dense(
        self,
        weights: Weights,
        centre: NDArray[np.float64],
        G: NDArray[np.float64],
        mu: NDArray[np.float64],
    ) -> tuple[int, float]:
        """Return status and S, and fill G and mu, of features that are no categories."""
        groups, size = _kernel.gram_groups(self.n_dense)
        segments, S = self.n_segments(size), 0.0
        for k in range(groups):  # a pass for each group of rows
            sums = self.gram_sums(k, centre, weights)
            status = weights.status
            for j in range(k, -1, -1):
                ended, S = sums[j].products(segments, self.n_dense, centre, k, j, G, mu, S)
                status = status if ended == _kernel.OK else ended
            if status != _kernel.OK:
                return status, S
        return _kernel.OK, S

    def gram_sums(
        self, k: int, centre: NDArray[np.float64], weights: Weights
    ) -> list[_kernel.Sums]:
        """Return the sums of products of group k of features with each group up to itself."""
        size = _kernel.gram_groups(self.n_dense)[1]
        kinds = [_kernel.CROSS_GRAM] * k + [_kernel.GRAM]
        sums = [_kernel.Sums(kind, size) for kind in kinds]
        for part in self._source:
            problem = self._of(part, self.dense(part), weights.of(part), float32=False)
            offset, _, end = self.segments(part, size)
            for j in range(k + 1):
                sums[j].add_products(problem, centre, k, j, offset, end)
        return sums

    def weights_of_factor(self, w: NDArray[np.float64], b: float, least: float) -> Weights:
        """Return the weights of a factor at w and b, with an a (1 - a) of at least `least`."""

        def weigh(part: Part, h: NDArray[np.float64], S: float) -> tuple[int, float]:
            problem = self._of(part, part.X, part.sample_weight, float32=self.float32)
            return _kernel.factor_weights(problem, w, b, least, h, S)

        return Weights(weigh)

    def weights_of_hessian(self, w: NDArray[np.float64], b: float, *, squared: bool) -> Weights:
        """Return the weights s a (1 - a), or the squares (s (a - y))^2."""

        def weigh(part: Part, h: NDArray[np.float64], S: float) -> tuple[int, float]:
            problem = self._of(part, part.X, part.sample_weight, float32=self.float32)
            return _kernel.curvature(problem, w, b, squared, h), S

        return Weights(weigh)

    def weights_of_classes(
        self, w: NDArray[np.float64], b: NDArray[np.float64], which: tuple[Any, ...]
    ) -> Weights:
        """Return weights by the probabilities of several classes at w and b."""

        def weigh(part: Part, h: NDArray[np.float64], S: float) -> tuple[int, float]:
            problem = self._of(part, part.X, part.sample_weight, float32=False)
            A = np.empty((part.m, len(b)))
            status = _kernel.softmax_predict(problem, w, b, True, A)
            h[:] = WeightsOfClasses(A, part.Y, part.sample_weight)(*which)
            return status, S

        return Weights(weigh)

    def outward(self, step: NDArray[np.float64], of_b: Any, above: float) -> Outward:
        """Return how far z goes to the sides of the labels where w and b change by a step."""
        found = Outward()
        for part in self._source:
            found = found.and_of(self.outward_of(part, step, of_b, above))
        return found

    def outward_of(self, part: Part, step: NDArray[np.float64], of_b: Any, above: float) -> Outward:
        """Return that of one part."""
        problem = self._of(part, part.X, None, float32=False)
        if np.ndim(of_b):
            change = np.empty((part.m, len(of_b)))
            _kernel.softmax_predict(problem, step, of_b, False, change)
            return Outward.of_classes(change, part.Y, part.sample_weight, above)
        change = np.empty((1, part.m))
        problem.predict(step, of_b, False, change)
        return Outward.of(change[0], part.Y, part.sample_weight, above)

    def survey(self) -> _kernel.Survey:
        """Return sums over labels and weights."""
        if self._survey is None:
            self._survey = _kernel.Survey()
            for part in self.targets():
                survey_part(self._survey, part)
        return self._survey

    def tally(self, k: int) -> Tally:
        """Return sums over the weights of k classes."""
        if self._tally is None:
            self._tally = Tally(np.zeros(k), np.inf)
            for part in self.targets():
                self._tally = self._tally.counting(part.Y, part.sample_weight)
        return self._tally.of(k)

    def chosen(self, at: NDArray[np.intp]) -> list[Part]:
        """Return some examples, which are named in their order."""
        return [taken(part, at) for part in self._source]

    def samples(self, counts: Sequence[int]) -> list[_kernel.Problem]:
        """Return samples of so many examples, in memory, which one pass gathers."""
        dtype = self._source.examples.values.dtype  # type: ignore[union-attr]
        samples = [Sample(self.survey(), count, self.n_x, dtype) for count in counts]
        for part in self._source:
            problem = self._of(part, part.X, part.sample_weight, float32=False)
            for sample in samples:
                sample.take(problem, part)
        return [sample.problem(self.n_threads) for sample in samples]

    def sample_weight(self) -> NDArray[Any] | None:
        """Return the weights of all examples, of which parts keep none."""
        weights = []
        for part in self.targets():
            if part.sample_weight is None:
                return None
            weights.append(part.sample_weight)
        return np.concatenate(weights)

    def labels(self) -> tuple[NDArray[Any], NDArray[Any] | None]:
        """Return the labels and the weights of all examples."""
        return joined([part._replace(X=[]) for part in self.targets()])[1:]

    def weights_at(self, at: Curvature) -> Weights:
        """Return the weights of a Hessian, which may be that of more features than these."""
        if at.which:
            return self.weights_of_classes(at.w, at.b, at.which)
        if at.problem is self:
            return self.weights_of_hessian(at.w, at.b, squared=at.squared)
        of_all = at.problem.weights_at(at)
        h = np.concatenate([of_all.of(part) for part in at.problem.parts()])

        def weigh(part: Part, out: NDArray[np.float64], S: float) -> tuple[int, float]:
            out[:] = h[part.first : part.first + part.m]
            return of_all.status, S

        return Weights(weigh)

    def parts(self) -> Iterator[Part]:
        """Read all parts."""
        return iter(self._source)

    def targets(self) -> Iterator[Part]:
        """Read all parts, of which only the labels and weights are of interest."""
        return iter(self._source)

    def _of(
        self,
        part: Part,
        X: NDArray[Any] | list[NDArray[Any]] | _input.Categorical,
        sample_weight: NDArray[Any] | None,
        *,
        float32: bool,
    ) -> _kernel.Problem:
        Y = np.broadcast_to(0.5, part.m) if self._halves else part.Y
        example_major = self._source.example_major
        # OpenMP's threads wait actively, in the time of who decodes the next part.
        n_threads = 1 if part.is_late else self.n_threads
        return _kernel.Problem(X, Y, sample_weight, n_threads, float32, example_major)


def survey_part(survey: _kernel.Survey, part: Part) -> None:
    """Add a part, in its order, to the sums over labels and weights."""
    survey.add(_kernel.Problem(part.X, part.Y, part.sample_weight, 1, False, None))


def taken(part: Part, at: NDArray[np.intp]) -> Part:
    """Return those examples of the whole that are in a part, named in their order.

    Without their categories.
    """
    here = at[np.searchsorted(at, part.first) : np.searchsorted(at, part.first + part.m)]
    here = here - part.first
    X: Any = part.X.numbers if isinstance(part.X, _input.Categorical) else part.X
    X = [x[here] for x in X] if isinstance(X, list) else X.T[here].T
    weight = None if part.sample_weight is None else part.sample_weight[here]
    return Part(part.first, X, part.Y[here], weight)


def rows_of(part: Part, at: NDArray[np.int64], out: NDArray[Any]) -> None:
    """Fill out (count, n_x) with examples of a part, named as those of the whole."""
    here = at - part.first
    X: Any = part.X
    if isinstance(X, list):
        for j, x in enumerate(X):
            out[:, j] = x[here]
    else:
        out[:] = X.T[here]


def chosen_of(part: Part, chosen: NDArray[np.intp]) -> Part:
    """Return some features of a part: columns in place, those of examples gathered."""
    X: Any = part.X
    if isinstance(X, list):
        return part._replace(X=[X[j] for j in chosen])
    return part._replace(X=np.take(X.T, chosen, axis=1).T)


class SomeFeatures:
    """Some features of a source, as a source. Parts are joined where its segments are longer."""

    survey: _kernel.Survey | None
    tally: Tally | None

    def __init__(self, source: Source, chosen: NDArray[np.intp]) -> None:
        self._source, self._chosen = source, chosen
        self.examples = features_of(source.examples, chosen)
        self.example_major = source.example_major and chosen.size > 1
        self.labels, self.survey, self.tally = source.labels, source.survey, source.tally
        self.place = source.place

    def __iter__(self) -> Iterator[Part]:
        held: list[Part] = []
        size = examples_of_parts(self._chosen.size)
        for part in self._source:
            held.append(chosen_of(part, self._chosen))
            if (part.first + part.m) % size == 0:
                yield _one(held)
                held = []
        if held:
            yield _one(held)


def _one(parts: list[Part]) -> Part:
    """Return parts as one."""
    return Part(parts[0].first, *joined(parts)) if len(parts) > 1 else parts[0]


class Curvature(NamedTuple):
    """Where a Hessian is wanted: at w and b of a problem, as `Objective.curvature` says.

    With `which`, it is that of several classes, as `WeightsOfClasses` says.
    """

    problem: ProblemInParts
    w: NDArray[np.float64]
    b: Any
    squared: bool = False
    which: tuple[Any, ...] = ()


class Weights:
    """Weights of the examples that are made part by part, in every pass anew.

    Attributes
    ----------
    status : int
        How the kernel has ended.
    S : float
        The sum so far, of the parts of one pass, if the weights have one.
    """

    def __init__(
        self, weigh: Callable[[Part, NDArray[np.float64], float], tuple[int, float]]
    ) -> None:
        self._weigh = weigh
        self.status = _kernel.OK
        self.S = 0.0

    def of(self, part: Part) -> NDArray[np.float64]:
        """Return the weights of a part."""
        h = np.empty(part.m)
        status, self.S = self._weigh(part, h, self.S if part.first else 0.0)
        self.status = self.status if status == _kernel.OK else status
        return h


class Sample:
    """A sample as it is gathered, example after example."""

    def __init__(self, survey: _kernel.Survey, count: int, n_x: int, dtype: np.dtype[Any]) -> None:
        self._choice = _kernel.Choice(survey, count)
        self._rows = np.empty((count, n_x), dtype)
        self._Y, self._h = np.zeros(count), np.zeros(count)
        self._index = np.empty(count, np.int64)
        self._chosen = 0

    @property
    def chosen(self) -> NDArray[np.int64]:
        """Which examples have been chosen so far."""
        return self._index[: self._chosen]

    def choose(self, problem: _kernel.Problem, first: int) -> slice:
        """Choose examples of a part, which begins with example `first`; return their places."""
        k = self._chosen
        self._chosen += self._choice.choose(problem, self._index[k:], self._Y[k:], self._h[k:])
        at = slice(k, self._chosen)
        self._index[at] += first
        return at

    def take(self, problem: _kernel.Problem, part: Part) -> None:
        """Gather what is chosen of a part."""
        at = self.choose(problem, part.first)
        rows_of(part, self._index[at], self._rows[at])

    def fill(self, pieces: Sequence[NDArray[Any]]) -> None:
        """Take the rows of what has been chosen."""
        np.concatenate(pieces, out=self._rows[: self._chosen])

    def problem(self, n_threads: int) -> _kernel.Problem:
        """Return the sample; places that are left repeat the last example, with weight 0."""
        self._rows[self._chosen :] = self._rows[self._chosen - 1]
        return sample_of(self._rows.T, self._Y, self._h, n_threads)


def sample_of(
    X: NDArray[Any] | _input.Categorical,
    Y: NDArray[np.float64],
    h: NDArray[np.float64],
    n_threads: int,
) -> _kernel.Problem:
    """Return a sample of examples with weights h."""
    return _kernel.Problem(X, Y, h, n_threads, False, isinstance(X, np.ndarray))


class ObjectiveInParts(Objective):
    """An objective of examples that come in parts, for the solvers that take an `Objective`."""

    in_memory = False

    def __init__(
        self,
        source: Source,
        n_threads: int,
        *,
        float32: bool | None = None,
        halves: bool = False,
        chosen: NDArray[np.intp] | None = None,
    ) -> None:
        """Take what `source` has checked; with `halves`, every label is 1/2.

        `chosen` are the features, if not all, where there are categories.
        """
        self.examples = source.examples
        if chosen is not None:
            self.examples = features_of(self.examples, chosen)._replace(chosen=chosen)
        if float32 is not None:
            self.examples = self.examples._replace(float32=float32)
        self.Y = None
        self.n_threads = n_threads
        self._source = source
        make = getattr(source, "problem", None) or partial(ProblemInParts, source)
        parts = make(n_threads, float32=self.examples.float32, halves=halves)
        self._parts = parts
        self._problem = parts  # type: ignore[assignment]

    @property
    def sample_weight(self) -> NDArray[Any] | None:  # type: ignore[override]
        """The weights of all examples, of which parts keep none."""
        return self._parts.sample_weight()

    def in_float64(self, *, Y: NDArray[Any] | None = None) -> Self:
        """Return the objective in float64; labels can only be those of the source, or all 1/2."""
        chosen = self.examples.chosen
        return type(self)(
            self._source, self.n_threads, float32=False, halves=Y is not None, chosen=chosen
        )

    def occurring(self) -> list[NDArray[np.bool_]]:
        """Return for each column of categories whether an example, of weight > 0, has each."""
        of = self.examples.categories
        found = [] if of is None else of.occurring(None)  # in no examples
        for part in self._parts.parts():
            if isinstance(part.X, _input.Categorical):
                found = list(map(np.logical_or, found, part.X.occurring(part.sample_weight)))
        return found

    def outward(self, step: NDArray[np.float64], of_b: Any, above: float) -> Outward:
        """Return how far z goes to the sides of the labels where w and b change by a step."""
        return self._parts.outward(step, of_b, above)

    def curvature(  # type: ignore[override]
        self, w: NDArray[np.float64], b: float, *, squared: bool = False
    ) -> Curvature:
        """Return what `gram` weighs examples by, part by part."""
        return Curvature(self._parts, self._whole(w), b, squared)

    def gradient_and_curvature(
        self, w: NDArray[np.float64], b: float
    ) -> tuple[float, NDArray[np.float64], float, Curvature]:
        """Return J, dw and db without a penalty, and what `gram` weighs examples by."""
        return *self(w, b, 0.0), self.curvature(w, b)

    def _taken(
        self, at: NDArray[np.intp]
    ) -> tuple[NDArray[Any] | list[NDArray[Any]], NDArray[Any] | None]:
        """Return the features of some examples that are no categories, and the weights."""
        X, _, sample_weight = joined(self._parts.chosen(at))
        return X, sample_weight

    def features(self, chosen: NDArray[np.intp]) -> Objective:  # type: ignore[override]
        """Return the objective of some of the features; of none, it is in memory."""
        if not chosen.size:
            Y, sample_weight = self._parts.labels()
            values = np.empty((0, Y.size))
            examples = features_of(self.examples, chosen)._replace(values=values, chosen=None)
            return Objective(examples, Y, sample_weight, self.n_threads)
        select = getattr(self._source, "features", None) or partial(SomeFeatures, self._source)
        return type(self)(select(chosen), self.n_threads, float32=self.examples.float32)

    def gram(  # type: ignore[override]
        self, h: Curvature, centre: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], float]:
        """Return G = sum(h (x - mu) (x - mu).T), mu = sum(h x) / S, and S = sum(h)."""
        chosen, centre = self.examples.chosen, self._whole(centre)
        n_x = centre.size
        G, mu = np.zeros((n_x, n_x)), np.empty(n_x)
        status, S = self._parts.gram(self._parts.weights_at(h), centre, G, mu)
        if status != _kernel.OK:
            self.raise_if_nonfinite()
            msg = (
                "Z = w.T X + b, or a product of two features, leaves the range of float64: rescale "
                "X, say by its largest magnitude, and train again"
            )
            raise OverflowError(msg)
        if chosen is not None:
            G, mu = G.take(chosen, 0).take(chosen, 1), mu[chosen]
        return G, mu, S

    def cholesky(self, A: NDArray[np.float64], least: float) -> int:
        """Factor A (n, n) in place, of which only the lower triangle is read."""
        return _kernel.cholesky(self._threads(), A, len(A), least)

    def minimize_quadratic(
        self,
        H: NDArray[np.float64],
        bounds: tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]],
        v: NDArray[np.float64],
        slope: NDArray[np.float64],
        tol: float,
    ) -> float:
        """Move v and slope, (n,), to the minimum of a quadratic; return what is gained."""
        return _kernel.minimize_quadratic(self._threads(), H, *bounds, tol, v, slope)

    def _threads(self) -> _kernel.Problem:
        """Return what says how many threads may work where there are no examples."""
        return _kernel.Problem(np.zeros((1, 1)), None, None, self.n_threads, False)

    def descent(
        self,
        w: NDArray[np.float64],
        b: float,
        *,
        alpha: float,
        l2: float,
        tol: float,
        fixed_b: bool,
    ) -> Any:
        """Begin a descent at w and b, which updates w in place. A negative tol means none."""
        descent = _kernel.DescentBySums(
            w, np.empty_like(w, subok=False), w.size, b, alpha, l2, tol, fixed_b
        )
        return _Descent(self._parts, descent)

    def minimization(
        self,
        w: NDArray[np.float64],
        b: float,
        *,
        l2: float,
        tol: float,
        slope: float,
        passes: int,
        fixed_b: bool,
        warm: bool,
    ) -> Any:
        """Begin a search for the minimum at w and b, which updates w in place."""
        X: Any = self.examples.categories or self.examples.dense
        search = _kernel.SearchBySums(
            self.examples.shape, X, self.examples.float32,
            self._source.example_major, self.n_threads, w, b, l2, tol, slope, passes, fixed_b, warm,
        )  # fmt: skip
        return _Search(self._parts, search)

    def raise_if_nonfinite(self) -> None:
        """Name the first NaN or infinity in X, if there is one: after a pass that overflowed."""
        found = self._parts.first_nonfinite()
        if found is None:
            return
        feature, example = found
        names = self.examples.names
        what = f"feature {feature}" if names is None else f"column {names[feature]!r}"
        msg = (
            f"X holds NaN or infinity, first in {what} of {self._source.place(example)}; expected "
            "finite values. Fill it in, or leave out the row or the column"
        )
        raise ValueError(msg)


class _Descent:
    """A descent over parts: the face of `_kernel.Descent`."""

    def __init__(self, parts: ProblemInParts, descent: _kernel.DescentBySums) -> None:
        self._parts = parts
        self._descent = descent
        self.resume = descent.resume

    @property
    def done(self) -> int:
        return self._descent.done

    @property
    def b(self) -> float:
        return self._descent.b

    @property
    def b_lo(self) -> float:
        return self._descent.b_lo

    def descend(self, costs: NDArray[np.float64], iters: int) -> int:
        """Make up to `iters` more iterations, writing to costs[done:]; return the status."""
        parts, descent = self._parts, self._descent
        for _ in range(iters):
            point = descent.point(parts.features)
            sums = parts.gradient(point, float32=parts.float32)
            status = descent.update(sums, parts.n_segments(parts.n_x), parts.float32, costs)
            if status != _kernel.OK:
                return status
        return _kernel.OK


class _Search:
    """A search for the minimum over parts: the face of `_kernel.Minimization`."""

    problem = None  # whose workspace others could use

    def __init__(self, parts: ProblemInParts, search: _kernel.SearchBySums) -> None:
        self._parts = parts
        self._search = search
        self._samples: dict[int, _kernel.Problem] = {}
        self.state = search.state
        self.resume = search.resume
        self.step = search.step

    @property
    def done(self) -> int:
        return self._search.done

    @property
    def b(self) -> float:
        return self._search.b

    @property
    def fall(self) -> float:
        return self._search.fall

    @property
    def gap(self) -> float:
        return self._search.gap

    @property
    def slope(self) -> float:
        return self._search.slope

    @property
    def passes(self) -> int:
        return self._search.passes

    def retarget(self, l2: float, worker: None) -> bool:
        """Go on to the minimum of another l2, if this one has been found; `done` is 0 again."""
        del worker
        return self._search.retarget(l2)

    def advance(self, costs: NDArray[np.float64], steps: int) -> int:
        """Take up to `steps` steps, writing to costs[done:]; return the status."""
        search = self._search
        search.standardize(self._parts.features)
        end = search.done + steps
        while search.done < end and self._supply(costs):
            pass
        return search.ended

    def _sample(self, count: int) -> _kernel.Problem:
        """Return a sample, and keep those that are wanted soon: all come from one pass."""
        soon = self._search.samples()
        if count not in self._samples:
            counts = sorted({count, *soon})
            self._samples = dict(zip(counts, self._parts.samples(counts), strict=True))
        found = self._samples[count]
        self._samples = {q: self._samples[q] for q in soon[1:] if q in self._samples}
        return found

    def _supply(self, costs: NDArray[np.float64]) -> bool:
        """Give the search what it wants, and return whether it wanted anything."""
        parts, search, n_x = self._parts, self._search, self._parts.n_x
        w, centre = np.empty((2, n_x))
        what, count, b, l2, least, dense, n, float32 = search.wants(w, centre)
        block = np.zeros((n, n))
        if what == _kernel.SURVEY:
            search.give_survey(parts.survey(), costs)
        elif what == _kernel.SAMPLE:
            search.give_sample(self._sample(count), costs)
        elif what == _kernel.MOMENTS_OF_ALL:
            moments = np.empty((3, n_x))
            status = parts.moments(moments, float32=False)
            search.give_sums(status, moments[0], moments[2], block, 0.0, costs)
        elif what == _kernel.CURVATURE and dense:
            G, mu = np.zeros((n_x, n_x)), np.empty(n_x)
            status, S = parts.gram(parts.weights_of_factor(w, b, least), centre, G, mu)
            search.give_sums(status, mu, G, block, S, costs)
        elif what == _kernel.CURVATURE:
            moments = np.empty((3, n_x))
            weights = parts.weights_of_factor(w, b, least)
            status = parts.moments(moments, float32=False, weights=weights)
            if n and status == _kernel.OK:
                again = parts.weights_of_factor(w, b, least)
                status, _ = parts.gram_of_dense(again, moments[0, :n].copy(), block, np.empty(n))
            search.give_sums(status, moments[0], moments[2], block, weights.S, costs)
        elif what == _kernel.GRADIENT_AT_POINT:
            dw, point = np.empty(n_x), _kernel.Point(w, b, None)
            sums = parts.gradient(point, float32=float32)
            found = sums.gradient(parts.n_segments(n_x), float32, point, l2, dw)
            search.give_gradient(found[0], found[1], dw, found[2], costs)
        return what != _kernel.NOTHING


def opened(
    X: Any,
    Y: ArrayLike | str,
    *,
    w: ArrayLike | None,
    dtype: DTypeLike | None,
    sample_weight: ArrayLike | str | None,
) -> tuple[Examples, Source | None]:
    """Check X, or batches with their labels and weights; then there is a source."""
    if not hasattr(X, "open_parts"):
        return _input.examples(X, dtype, w, categories=True), None
    source: Source = X.open_parts(Y, sample_weight, dtype, getattr(w, "feature_names", None))
    return source.examples, source


def classes_of(
    Y: ArrayLike | str,
    examples: Examples,
    source: Source | None,
    w: ArrayLike | None,
    *,
    soft: bool = False,
) -> tuple[NDArray[Any] | None, int] | None:
    """Return the class of each example, unless a source has them, and the number of classes.

    None where Y has one output. In memory Y may be `soft`, and then its probabilities are returned.
    """
    if source is None:
        return _input.classes(Y, examples, w, soft=soft)
    k = source.labels.classes(examples, w)
    return None if k is None else (None, k)


def objective_of(
    examples: Examples,
    source: Source | None,
    Y: ArrayLike | str,
    *,
    sample_weight: ArrayLike | str | None,
    n_threads: int | None,
) -> Objective:
    """Return the objective of what is `opened`. A source of few rows is taken into memory.

    `examples` may have a choice of features, where there are categories.
    """
    if source is None:
        return Objective.checked(examples, Y, sample_weight=sample_weight, n_threads=n_threads)
    source.labels.check_one_output()
    n_threads = _input.threads(n_threads)
    if examples.shape[1] > _kernel.LOW_RANK_EXAMPLES:
        return ObjectiveInParts(source, n_threads, float32=examples.float32, chosen=examples.chosen)
    return _in_memory(examples, source, n_threads)


def _in_memory(examples: Examples, source: Source, n_threads: int) -> Objective:
    """Return the objective of few examples, all of which a search may need at once."""
    values, Y, sample_weight = joined(list(source))
    return Objective(examples._replace(values=values), Y, sample_weight, n_threads)


def joined(parts: Sequence[Part]) -> tuple[Any, NDArray[Any], NDArray[Any] | None]:
    """Return X, Y and sample_weight of parts, one after the other."""
    X = parts[0].X
    if isinstance(X, _input.Categorical):
        values: Any = X.joined(part.X for part in parts[1:])  # type: ignore[misc]
    elif isinstance(X, list):
        columns = zip(*(part.X for part in parts), strict=True)
        values = [np.concatenate(pieces) for pieces in columns]
    else:
        values = np.concatenate([part.X.T for part in parts]).T  # type: ignore[union-attr]
    weights = [part.sample_weight for part in parts if part.sample_weight is not None]
    Y = np.concatenate([part.Y for part in parts])
    return values, Y, np.concatenate(weights) if weights else None
