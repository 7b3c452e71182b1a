# SPDX-License-Identifier: BSD-3-Clause
"""Everything that is evaluated over examples; the only place that builds a `_kernel.Problem`."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple, Self

import numpy as np

from . import _input, _kernel

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike, NDArray

    from ._input import Examples

    Columns = tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.float64]]

PRODUCT_OVERFLOWS = "a product of two features leaves the range of float64"
PRODUCTS_OVERFLOW = f"{PRODUCT_OVERFLOWS}: rescale X, say by its largest magnitude"
# Sizes of features beyond which sums of squares may leave the range of float64.
EXTREME = 1e-130
MOST_PASSES = 1 << 62  # that the kernel counts
CENTRED_BY = 256  # examples, whose mean is about a sixteenth of a deviation from that of all


class Objective:
    """Examples that have been checked, and what can be asked about them: cost, gradient, Z, A.

    The constructor takes what the checks of `_input` return, and the layout of what is a part of
    other examples; `checked` calls these checks.

    Attributes
    ----------
    examples : Examples
    Y, sample_weight : ndarray of shape (m,), or None
    n_threads : int
    in_memory : bool
        Whether everything can be asked about them, or only what sums over parts tell.
    """

    in_memory = True

    def __init__(
        self,
        examples: Examples,
        Y: NDArray[Any] | None,
        sample_weight: NDArray[Any] | None,
        n_threads: int,
        *,
        example_major: bool | None = None,
    ) -> None:
        self.examples = examples
        self.Y = Y
        self.sample_weight = sample_weight
        self.n_threads = n_threads
        self._problem = _kernel.Problem(
            examples.values, Y, sample_weight, n_threads, examples.float32, example_major
        )

    @classmethod
    def checked(
        cls,
        examples: Examples,
        Y: ArrayLike,
        *,
        sample_weight: ArrayLike | None,
        n_threads: int | None,
    ) -> Self:
        """Check what a user passes in addition to X."""
        return cls(
            examples,
            _input.labels(Y, examples),
            _input.weights(sample_weight, examples),
            _input.threads(n_threads),
        )

    def in_float64(self, *, Y: NDArray[Any] | None = None) -> Self:
        """Return the objective of the same examples in float64, with other labels if given."""
        examples = self.examples._replace(float32=False)
        Y = self.Y if Y is None else Y
        return type(self)(examples, Y, self.sample_weight, self.n_threads)

    @property
    def arithmetic(self) -> str:
        """The type that is computed in."""
        return "float32" if self.examples.float32 else "float64"

    def standardize(self, *, centre: bool = True, scale: bool = True) -> NDArray[np.float64]:
        """Centre and scale features from now on.

        Returns mean, low-order part of mean, and standard deviation, (3, n_x), as they are in the
        data. A feature is divided by its deviation in the returned array, which may be changed. A
        constant feature that is not centred is divided by 1. Sparse X can only be scaled, and
        categories stay as they are: where features are centred or scaled, these have the mean 0
        and the deviation 1.
        """
        if centre and self.examples.is_sparse:
            msg = (
                "X is sparse, and centring its features would store a value for every 0; expected "
                "features as they are or only scaled: search for the minimum (fit, solver='auto'), "
                "which needs neither, or scale them as StandardScaler(with_mean=False) does"
            )
            raise ValueError(msg)
        examples = self.examples
        of, chosen = examples.categories, examples.chosen
        moments = np.empty((3, examples.shape[0] if of is None or chosen is None else of.n_x))
        if self._problem.standardize(moments, centre, scale) != _kernel.OK:
            self.raise_if_nonfinite()
            msg = (
                "the mean or the variance of a feature leaves the range of float64: "
                f"{self.how_to_rescale()}"
            )
            raise OverflowError(msg)
        if of is not None and (centre or scale):
            first = of.starts[0]
            moments[:2, first:], moments[2, first:] = 0.0, 1.0
        return moments if chosen is None else moments[:, chosen]

    def centre(self) -> NDArray[np.float64]:
        """Return about the mean of every feature, which sums of products are to be centred by.

        It is that of a few examples. Categories have 0, as in `standardize`.
        """
        examples = self.examples
        of, chosen = examples.categories, examples.chosen
        values, sample_weight = self._taken(self.places(min(CENTRED_BY, examples.shape[1])))
        s = np.ones(1) if sample_weight is None else sample_weight.astype(np.float64)
        s = s if s.any() else np.ones(1)
        centre = np.zeros(examples.shape[0] if of is None or chosen is None else of.n_x)
        if len(values) > 0:
            X = np.array(values, np.float64, order="C")
            first = X[:, 0]
            with np.errstate(over="ignore", invalid="ignore"):  # the sums of products tell
                total = np.add.reduce(np.broadcast_to(s, X.shape[1]))
                mean = first + np.add.reduce((X - X[:, :1]) * s, 1) / total
            centre[: len(mean)] = mean
        return centre if chosen is None else centre[chosen]

    def places(self, count: int) -> NDArray[np.intp]:
        """Return so many examples, in their order.

        They are spread evenly over the data, and lie at uneven places in their stretches, so that
        no period in the data can meet them.
        """
        places = np.arange(count, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)  # modulo 2^64
        uneven = (places >> np.uint64(11)).astype(np.float64) * 2.0**-53
        m = self.examples.shape[1]
        at: NDArray[np.intp] = ((np.arange(count) + uneven) * (m / count)).astype(np.intp)
        return at

    def _taken(
        self, at: NDArray[np.intp]
    ) -> tuple[NDArray[Any] | list[NDArray[Any]], NDArray[Any] | None]:
        """Return the features of some examples that are no categories, and the weights."""
        of, sample_weight = self.examples.categories, self.sample_weight
        X = self.examples.dense if of is None else of.numbers
        values = [x[at] for x in X] if isinstance(X, list) else np.take(X, at, 1)
        return values, None if sample_weight is None else sample_weight[at]

    def _whole(self, w: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return w with a 0 for each category that has no weight."""
        of, chosen = self.examples.categories, self.examples.chosen
        if of is None:
            return w
        if chosen is None:
            return of.padded(w)
        whole = np.zeros(of.n_x)
        whole[chosen] = w.reshape(-1)
        return whole

    def __call__(
        self, w: NDArray[np.float64], b: float, l2: float
    ) -> tuple[float, NDArray[np.float64], float]:
        """Return J, dw and db at w (contiguous, of any shape) and b, for the features as they are.

        After `standardize`, w and b are those of the standardized features.
        """
        chosen = self.examples.chosen
        w = w if chosen is None else self._whole(w)
        dw = np.empty_like(w)
        status, J, db = self._problem.cost_and_gradient(w, b, l2, dw)
        if status != _kernel.OK:
            self.raise_if_nonfinite()
            msg = f"Z = w.T X + b, or a sum over it, {self._overflow()}, or make w and b smaller"
            raise OverflowError(msg)
        return J, dw if chosen is None else dw[chosen], db

    def predict(
        self, w: NDArray[np.float64], b: float, *, probabilities: bool
    ) -> NDArray[np.float64]:
        """Return A, or else Z, of shape (1, m)."""
        out = np.empty((1, self.examples.shape[1]))
        if self._problem.predict(self._whole(w), b, probabilities, out) != _kernel.OK:
            self.raise_if_nonfinite()
            msg = f"Z = w.T X + b {self._overflow()}, and train again"
            raise OverflowError(msg)
        return out

    def occurring(self) -> list[NDArray[np.bool_]]:
        """Return for each column of categories whether an example, of weight > 0, has each."""
        of = self.examples.categories
        return [] if of is None else of.occurring(self.sample_weight)

    def outward(self, step: NDArray[np.float64], of_b: Any, above: float) -> Outward:
        """Return how far z goes to the sides of the labels where w and b change by a step."""
        change = self.predict(step, of_b, probabilities=False)[0]
        return Outward.of(change, self.Y, self.sample_weight, above)

    def curvature(
        self, w: NDArray[np.float64], b: float, *, squared: bool = False
    ) -> NDArray[np.float64]:
        """Return h (m,) = s A (1 - A), with weights s; or, `squared`, (s (A - Y))^2."""
        h = np.empty(self.examples.shape[1])
        if _kernel.curvature(self._problem, self._whole(w), b, squared, h) != _kernel.OK:
            self.raise_if_nonfinite()
            msg = f"Z = w.T X + b {self._overflow()}, and train again"
            raise OverflowError(msg)
        return h

    def gradient_and_curvature(
        self, w: NDArray[np.float64], b: float
    ) -> tuple[float, NDArray[np.float64], float, Any]:
        """Return J, dw and db without a penalty, and h as `curvature`, in one pass over X."""
        whole, h = self._whole(w), np.empty(self.examples.shape[1])
        dw = np.empty_like(whole)
        status, J, db = _kernel.gradient_and_curvature(self._problem, whole, b, dw, h)
        if status != _kernel.OK:
            self.raise_if_nonfinite()
            msg = f"Z = w.T X + b, or a sum over it, {self._overflow()}, or make w and b smaller"
            raise OverflowError(msg)
        chosen = self.examples.chosen
        return J, dw if chosen is None else dw[chosen], db, h

    def gram(
        self, h: NDArray[np.float64], centre: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], float]:
        """Return G = sum(h (x - mu) (x - mu).T), mu = sum(h x) / S, and S = sum(h).

        G is (n_x, n_x), and only its lower triangle is filled. `centre` is close to mu.
        """
        chosen, centre = self.examples.chosen, self._whole(centre)
        n_x = centre.size
        G, mu = np.zeros((n_x, n_x)), np.empty(n_x)
        problem = _kernel.Problem(self.examples.values, None, h, self.n_threads, False)
        status, S = _kernel.gram(problem, centre, G, mu)
        if status != _kernel.OK:
            self.raise_if_nonfinite()
            raise OverflowError(f"{PRODUCT_OVERFLOWS}: {self.how_to_rescale()}")
        if chosen is not None:
            G, mu = G.take(chosen, 0).take(chosen, 1), mu[chosen]
        return G, mu, S

    def products(self, vectors: list[NDArray[np.float64]], *, centred: bool) -> NDArray[np.float64]:
        """Return the weighted sums (k, k) of products of k vectors (m,), or of these less means."""
        k = len(vectors)
        G, mu = np.zeros((k, k)), np.empty(k)
        problem = _kernel.Problem(vectors, None, self.sample_weight, self.n_threads, False)
        _, S = _kernel.gram(problem, np.zeros(k), G, mu)
        G += np.tril(G, -1).T
        return G if centred else G + S * (mu[:, np.newaxis] * mu)

    def cholesky(self, A: NDArray[np.float64], least: float) -> int:
        """Factor A (n, n) in place, of which only the lower triangle is read.

        Returns 0, or 1 + the index of the first pivot that is not above `least` times its entry.
        """
        return _kernel.cholesky(self._problem, A, len(A), least)

    def leverage(self, centre: NDArray[np.float64], L: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return |L^-1 (x - centre)|^2 of every example, (m,), for L as `cholesky` leaves it."""
        out = np.empty(self.examples.shape[1])
        _kernel.leverage(self._problem, centre, L, out)
        return out

    def minimize_quadratic(
        self,
        H: NDArray[np.float64],
        bounds: tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]],
        v: NDArray[np.float64],
        slope: NDArray[np.float64],
        tol: float,
    ) -> float:
        """Move v and slope, (n,), to the minimum of a quadratic; return what is gained.

        `bounds` are the l1 penalty, the least and the largest value of each entry of v.
        """
        return _kernel.minimize_quadratic(self._problem, H, *bounds, tol, v, slope)

    def by_feature(self) -> Columns:
        """Return the values of sparse X, (n,), of at most 2^31 - 1 examples, sorted by feature.

        Where each feature begins, (n_x + 1,), and the example of each value come before them.
        """
        n_x = self.examples.shape[0]
        X: Any = self.examples.values
        n = int(X.starts[-1] - X.starts[0])
        columns = np.empty(n_x + 1, np.int64), np.empty(n, np.int32), np.empty(n)
        _kernel.sort_by_feature(self._problem, *columns)
        return columns

    def minimize_by_columns(
        self,
        columns: Columns,
        h: NDArray[np.float64],
        total: float,
        at: tuple[NDArray[np.float64], float, float],
        penalties: tuple[NDArray[np.float64], ...],
        v: NDArray[np.float64],
        *,
        fixed_b: bool,
        tol: float,
        enough: float,
    ) -> tuple[float, float]:
        """Move v (n_x,) to the minimum of a model with X diag(h) X' / total; return b and the gain.

        `at` is the slope by v, b, and the slope by b; `penalties` are l1, l2 and the bounds. What
        is left is about `tol` of the gain, or less than `enough`.
        """
        slope, b, db = at
        goal = fixed_b, tol, enough
        return _kernel.minimize_by_columns(
            self._problem, columns, h, total, slope, penalties, b, db, *goal, v
        )

    @property
    def in_columns(self) -> bool:
        """Whether a feature can be read without the others."""
        X = self.examples.values
        if isinstance(X, np.ndarray):
            return X.strides[1] == X.itemsize
        return isinstance(X, list)

    def features(self, chosen: NDArray[np.intp]) -> Self:
        """Return the objective of some of the features.

        They are read in place where the values of a feature lie side by side, and gathered once
        where those of an example do.
        """
        X: Any = self.examples.values
        m = self.examples.shape[1]
        part: Any
        if not chosen.size:
            part = np.empty((0, m))
        elif self.examples.is_sparse:
            part = X.of_features(chosen)
        elif self.in_columns:
            part = [X[j] for j in chosen]
        else:
            part = np.take(X.T, chosen, axis=1).T
        examples = features_of(self.examples, chosen)._replace(values=part, chosen=None)
        return type(self)(examples, self.Y, self.sample_weight, self.n_threads)

    def descent(
        self,
        w: NDArray[np.float64],
        b: float,
        *,
        alpha: float,
        l2: float,
        tol: float,
        fixed_b: bool,
    ) -> _kernel.Descent:
        """Begin a descent at w and b, which updates w in place. A negative tol means none."""
        return _kernel.Descent(self._problem, w, b, alpha, l2, tol, fixed_b)

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
    ) -> _kernel.Minimization:
        """Begin a search for the minimum at w and b, which updates w in place."""
        passes = min(passes, MOST_PASSES)
        return _kernel.Minimization(self._problem, w, b, l2, tol, slope, passes, fixed_b, warm)

    def described(self) -> dict[str, Any]:
        """Return what the bits of a solver depend on, in types that JSON has."""
        n_x, m = self.examples.shape
        names = self.examples.names
        return {
            "n_x": n_x,
            "m": m,
            "feature_names": None if names is None else list(map(str, names)),
            "arithmetic": self.arithmetic,
        }

    def raise_if_nonfinite(self) -> None:
        """Name the first NaN or infinity in X, if there is one: after a pass that overflowed.

        Y and the weights are checked again: a callback or another thread may have changed them.
        """
        if self.Y is not None:
            _input.labels(self.Y, self.examples)
        _input.weights(self.sample_weight, self.examples)
        place = self._problem.first_nonfinite()
        if place is None:
            return
        feature, example = place
        where = f"that is X[{feature}, {example}]"
        names = self.examples.names
        if names is not None:
            where = f"that is column {names[feature]!r}, row {example} (counted from 0)"
        msg = (
            f"X holds NaN or infinity, first at (feature, example) = ({feature}, {example}), "
            f"{where}; expected finite values. Fill it in, or leave out the example or the feature"
        )
        raise ValueError(msg)

    def how_to_rescale(self) -> str:
        """Say which feature has squares that leave the range of float64, and what to do."""
        examples = self.examples
        of = examples.categories
        columns = [] if examples.is_sparse else examples.dense if of is None else of.numbers
        if self.in_memory and len(columns) > 0:
            ends = np.array([(float(np.min(x)), float(np.max(x))) for x in columns])
            largest = np.abs(ends).max(1)
            spread = ends[:, 1] / 2.0 - ends[:, 0] / 2.0
            spread[spread == 0.0] = np.inf
            for sizes, j in (largest, int(np.argmax(largest))), (spread, int(np.argmin(spread))):
                if not EXTREME < sizes[j] < 1.0 / EXTREME and np.isfinite(sizes[j]):
                    name = f"feature {j}" if examples.names is None else repr(examples.names[j])
                    return f"rescale X: divide {name}, whose size is {sizes[j]:.1e}, by that"
        return "rescale X, say by its largest magnitude"

    def _overflow(self) -> str:
        if self.examples.float32:
            return "overflows float32: pass dtype=np.float64, or rescale X"
        return "overflows float64: rescale X"


def features_of(examples: Examples, chosen: NDArray[np.intp]) -> Examples:
    """Return the shape and the names of some features; the values stay those of all."""
    names = examples.names
    return examples._replace(
        shape=(chosen.size, examples.shape[1]),
        names=None if names is None else tuple(names[j] for j in chosen),
    )


def sides(Y: Any) -> NDArray[np.float64]:
    """Return 1 for a label of 1 and -1 for one of 0, and something between them for others."""
    return 2.0 * np.asarray(Y, np.float64).reshape(-1) - 1.0


class Outward(NamedTuple):
    """Changes of z, counted positive toward the side of the label: of labels between, none is."""

    least: float = np.inf
    largest: float = -np.inf
    examples: int = 0  # that change by more than what was asked for

    @classmethod
    def of(cls, change: NDArray[np.float64], Y: Any, weight: Any, above: float) -> Outward:
        """Return those of examples with a weight."""
        side = sides(Y)
        change = np.where(np.abs(side) == 1.0, change * side, -np.abs(change))
        if weight is not None:
            change = change[weight > 0]
        examples = int(np.count_nonzero(change > above))
        return cls(float(change.min(initial=np.inf)), float(change.max(initial=-np.inf)), examples)

    @classmethod
    def of_classes(cls, change: NDArray[np.float64], Y: Any, weight: Any, above: float) -> Outward:
        """Return those of z (m, K), less z of another class: the nearest, or the furthest.

        Of probabilities Y (K, m), each class that has some must stay as near as the others.
        """
        if weight is not None:
            change, Y = change[weight > 0], np.asarray(Y)[..., weight > 0]
        if np.ndim(Y) == 2:
            of_label = np.where(Y.T > 0.0, change, np.inf).min(1, initial=np.inf)
        else:
            of_label = change[np.arange(len(change)), np.asarray(Y).astype(np.intp)]
        least = float((of_label - change.max(1)).min(initial=np.inf))
        away = of_label - change.min(1)
        examples = int(np.count_nonzero(away > above))
        return cls(least, float(away.max(initial=-np.inf)), examples)

    def and_of(self, other: Outward) -> Outward:
        """Return those of these and of other examples."""
        return Outward(
            min(self.least, other.least),
            max(self.largest, other.largest),
            self.examples + other.examples,
        )


class Tally(NamedTuple):
    """Sums over the weights of several classes, of examples in their order."""

    shares: NDArray[np.float64]  # the weight of each class, (K,)
    least: float  # weight above 0

    def of(self, k: int) -> Tally:
        """Return the tally of k classes, of which the last may have had no example so far."""
        return self._replace(shares=np.pad(self.shares, (0, k - len(self.shares))))

    def counting(self, Y: NDArray[Any], sample_weight: NDArray[Any] | None) -> Tally:
        """Return the tally with these examples, too."""
        least = 1.0
        if sample_weight is not None:
            positive = sample_weight[sample_weight > 0]
            least = float(positive.min()) if positive.size else np.inf
        codes = np.asarray(Y).astype(np.intp)
        np.add.at(self.shares, codes, 1.0 if sample_weight is None else sample_weight)
        return self._replace(least=min(self.least, least))


class WeightsOfClasses:
    """Weights of examples, from their probabilities A (m, K), classes Y and weights s.

    `what` is the "spread" s (1 - sum(a^2)); of a "pair" of classes, s a_k a_l; of one class, the
    "residual" s (a_k - y_k), in which nothing cancels; and of one or two, the "square" of the sum
    of their residuals.
    """

    def __init__(self, A: NDArray[np.float64], Y: Any, s: NDArray[Any] | None) -> None:
        self._A, self._Y = A, Y
        self._s = np.ones(len(A)) if s is None else s.astype(np.float64)

    def __call__(self, what: str, *of: int) -> NDArray[np.float64]:
        """Return a weight for each example."""
        A = self._A
        weights: NDArray[np.float64]
        if what == "spread":
            weights = self._s * np.maximum(1.0 - np.add.reduce(A * A, 1), 0.0)
        elif what == "pair":
            weights = self._s * A[:, of[0]] * A[:, of[1]]
        else:
            first, *second = (self._residuals[k] for k in of)
            weights = first + second[0] if second else first
        return weights * weights if what == "square" else weights

    @cached_property
    def _residuals(self) -> NDArray[np.float64]:
        R, at, codes = self._A.copy(), np.arange(len(self._A)), np.asarray(self._Y).astype(np.intp)
        R[at, codes] = 0.0
        R[at, codes] = -np.add.reduce(R, 1)
        return np.ascontiguousarray((R * self._s[:, np.newaxis]).T)


class SoftmaxObjective(Objective):
    """Examples of several classes, whose codes 0, 1, ... are Y; w is (n_x, K) and b (K,).

    Columns of categories are copied, as sparse values.
    """

    def __init__(
        self,
        examples: Examples,
        Y: NDArray[Any] | None,
        sample_weight: NDArray[Any] | None,
        n_threads: int,
        *,
        example_major: bool | None = None,
    ) -> None:
        if examples.categories is not None:
            examples = examples.with_columns(examples.categories.as_sparse())
        super().__init__(examples, Y, sample_weight, n_threads, example_major=example_major)

    def tally(self, k: int) -> Tally:
        """Return the weight of each of k classes, and the least weight."""
        return Tally(np.zeros(k), np.inf).counting(np.asarray(self.Y), self.sample_weight)

    def softmax(
        self, w: NDArray[np.float64], b: NDArray[np.float64], l2: float
    ) -> tuple[float, NDArray[np.float64], NDArray[np.float64]]:
        """Return J, dw and db at w and b, both contiguous."""
        dw, db = np.empty_like(w), np.empty_like(b)
        status, J = self._softmax(w, b, l2, dw, db)
        if status != _kernel.OK:
            self.raise_if_nonfinite()
            msg = f"Z = w.T X + b, or a sum over it, {self._overflow()}, or make w and b smaller"
            raise OverflowError(msg)
        return J, dw, db

    def softmax_curvature(
        self, w: NDArray[np.float64], b: NDArray[np.float64], centre: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return sum(s A (1 - A) (x - centre)^2), (n_x, K), and sum(s A (1 - A)), (K,).

        `centre` is 0 where X is sparse.
        """
        D, d = np.empty_like(w), np.empty_like(b)
        b = b + np.add.reduce(w * centre[:, np.newaxis], 0)
        if self._softmax_curvature(w, b, centre, D, d) != _kernel.OK:
            self.raise_if_nonfinite()
            raise OverflowError(PRODUCTS_OVERFLOW)
        return D, d

    def softmax_hessian(
        self,
        A: NDArray[np.float64],
        s: NDArray[np.float64] | None,
        centre: NDArray[np.float64],
        *,
        least: float = 0.0,
    ) -> NDArray[np.float64]:
        """Return sum(s a_k (delta_kl - a_l) x x'), (K, n_x + 1, K, n_x + 1), by w and b + centre'w.

        As a matrix, only its lower triangle is complete. A (m, K) are probabilities, s (m,) the
        weights, and x is less the centre, with 1 as the last feature. Each pair of classes leaves
        out the examples whose s a_k a_l is below `least` times the mean.
        """
        n, k = len(centre) + 1, A.shape[1]
        H = np.empty((k, n, k, n))
        if _kernel.softmax_hessian(self._problem, k, A, s, least, centre, H) != _kernel.OK:
            self.raise_if_nonfinite()
            raise OverflowError(PRODUCTS_OVERFLOW)
        return H

    def softmax_predict(
        self, w: NDArray[np.float64], b: NDArray[np.float64], *, probabilities: bool
    ) -> NDArray[np.float64]:
        """Return A, or else Z, of shape (m, K)."""
        out = np.empty((self.examples.shape[1], len(b)))
        if _kernel.softmax_predict(self._problem, w, b, probabilities, out) != _kernel.OK:
            self.raise_if_nonfinite()
            msg = f"Z = w.T X + b {self._overflow()}, and train again"
            raise OverflowError(msg)
        return out

    def outward(self, step: NDArray[np.float64], of_b: Any, above: float) -> Outward:
        """Return how far z of the classes goes where w and b change by a step."""
        change = self.softmax_predict(step, of_b, probabilities=False)
        return Outward.of_classes(change, self.Y, self.sample_weight, above)

    def weighing(self, w: NDArray[np.float64], b: NDArray[np.float64]) -> Callable[..., Any]:
        """Return what makes `WeightsOfClasses` at w and b, as `gram` takes them."""
        A = self.softmax_predict(w, b, probabilities=True)
        return WeightsOfClasses(A, self.Y, self.sample_weight)

    def some(self, count: int) -> SoftmaxObjective:
        """Return the objective of those of the examples that `places` names, which are copied."""
        if count == self.examples.shape[1]:
            return self
        at = self.places(count)
        X: Any = self.examples.values
        if self.examples.is_sparse:
            values = X.in_order(at)
        else:
            values = [x[at] for x in X] if isinstance(X, list) else X[:, at]
        examples = self.examples._replace(values=values, shape=(self.examples.shape[0], count))
        weight = None if self.sample_weight is None else self.sample_weight[at]
        Y = None if self.Y is None else self.Y[at]
        return SoftmaxObjective(examples, Y, weight, self.n_threads)

    def _softmax(
        self,
        w: NDArray[np.float64],
        b: NDArray[np.float64],
        l2: float,
        dw: NDArray[np.float64],
        db: NDArray[np.float64],
    ) -> tuple[int, float]:
        """Return status and J, and fill dw and db."""
        return _kernel.softmax_cost_and_gradient(self._problem, w, b, l2, dw, db)

    def _softmax_curvature(
        self,
        w: NDArray[np.float64],
        b: NDArray[np.float64],
        centre: NDArray[np.float64],
        D: NDArray[np.float64],
        d: NDArray[np.float64],
    ) -> int:
        """Return the status, and fill D and d; b is that of features less the centre."""
        return _kernel.softmax_curvature(self._problem, w, b, centre, D, d)

    def raise_if_nonfinite(self) -> None:
        """Name the first NaN or infinity in X, if there is one."""
        bare = Objective(self.examples, None, self.sample_weight, self.n_threads)
        bare.raise_if_nonfinite()


class SoftObjective(SoftmaxObjective):
    """Examples with a probability for each class, whose rows (K, m) are Y.

    Their cross-entropy is the cost of the most probable classes and the mean of
    z_y - sum(y_k z_k), which is linear in w and b: only the first is evaluated anew.
    """

    def __init__(
        self,
        examples: Examples,
        Y: NDArray[np.float64],
        sample_weight: NDArray[Any] | None,
        n_threads: int,
    ) -> None:
        self._rows, self._nearest = Y, np.argmax(Y, 0).astype(np.int32)
        super().__init__(examples, self._nearest, sample_weight, n_threads)
        self.Y = Y

    def in_float64(self, *, Y: NDArray[Any] | None = None) -> Any:
        """Return the objective of the same examples, of their most probable classes."""
        Y = self._nearest if Y is None else Y
        return SoftmaxObjective(self.examples, Y, self.sample_weight, self.n_threads)

    def tally(self, k: int) -> Tally:
        """Return the weight of each class; no w makes all examples certain, so no weight counts."""
        weights = 1.0 if self.sample_weight is None else self.sample_weight
        return Tally(np.add.reduce(self._rows * weights, 1), 0.0).of(k)

    def softmax(
        self, w: NDArray[np.float64], b: NDArray[np.float64], l2: float
    ) -> tuple[float, NDArray[np.float64], NDArray[np.float64]]:
        """Return J, dw and db at w and b, both contiguous."""
        J, dw, db = super().softmax(w, b, l2)
        of_w, of_b = self._linear
        J += float(np.add.reduce((of_w * w).ravel())) + float(np.add.reduce(of_b * b))
        return J, dw + of_w, db + of_b

    @cached_property
    def _linear(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """The means of x (y_k - p_k) and y_k - p_k, with y_k 1 in the most probable class.

        That is twice the gradient of one output at 0 whose labels are (1 + p_k - y_k) / 2.
        """
        n_x, k = self.examples.shape[0], len(self._rows)
        of_w, of_b = np.empty((n_x, k)), np.empty(k)
        for j, row in enumerate(self._rows):
            labels = (1.0 + row - (self._nearest == j)) / 2.0
            one = Objective(self.examples, labels, self.sample_weight, self.n_threads)
            _, dw, db = one(np.zeros((n_x, 1)), 0.0, 0.0)
            of_w[:, j], of_b[j] = 2.0 * dw[:, 0], 2.0 * db
        return of_w, of_b

    def some(self, count: int) -> SoftmaxObjective:
        """Return the objective of so many of the examples, as of classes."""
        if count == self.examples.shape[1]:
            return self
        bare = SoftmaxObjective(self.examples, None, self.sample_weight, self.n_threads)
        chosen, Y = bare.some(count), np.ascontiguousarray(self._rows[:, self.places(count)])
        return SoftObjective(chosen.examples, Y, chosen.sample_weight, self.n_threads)
