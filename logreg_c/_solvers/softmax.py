# SPDX-License-Identifier: BSD-3-Clause
"""Softmax: the minimum by quasi-Newton steps from a factor of the Hessian.

The search is that of the kernel for one output (`minimize.c`): a sample is solved first, its
Hessian is factored, and L-BFGS on that factor goes on with all examples. The factor is renewed
where steps no longer pay. All examples are read by the kernel, and every sum here is one of the
kernel's or of NumPy's, whose order is fixed; nothing calls BLAS, LAPACK or libm.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from logreg_c import _kernel

from .pairs import Pairs
from .quasi_separation import MORE_PASSES, Ending, runaway_of
from .result import Solution
from .softmax_factor import DENSE, Diagonal, Factor, is_diagonal
from .training import Training, interrupted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from logreg_c._objective import SoftmaxObjective
    from logreg_c._result import FitResult, Stopped

    from .quasi_separation import Runaway

ENOUGH = 1e-4  # of the decrease that the slope promises
HALVINGS = 30  # of a step
PER_PARAMETER = 5  # examples of a sample
LARGEST_SAMPLE = 1 / 3  # of all examples; beyond, all are used
SAMPLE_VALUES = 1 << 25  # that a sample grows to, which lies in memory even where X does not
ROUNDING = 8 * 2.0**-53  # of J
OUTDATED = 0.5  # J, relative to where the factor was made
STALE = 2.0  # gap of a diagonal, relative to that of the one where the factor was made
SAMPLE_TOL = 1e-3
NO_SHARE = 2.0**-60  # of the largest class: what a class without examples begins with
RECENT = 5  # steps whose gaps tell how many more there will be


class Point(NamedTuple):
    """W and b, one after the other in theta, J there and its gradient."""

    theta: NDArray[np.float64]  # (n_x + 1, K): b is the last row
    J: float
    gradient: NDArray[np.float64]


class SharedFactor:
    """A factor of the Hessian that several searches begin with; the first of them makes it."""

    def __init__(self) -> None:
        self.factor: Factor | Diagonal | None = None
        self.theta: NDArray[np.float64] | None = None  # where it was made
        self.was_renewed = False  # by a search that had not made it


class Search:
    """The minimum of J of several classes, from a point on; one call of `step` is one step."""

    def __init__(
        self,
        objective: SoftmaxObjective,
        theta: NDArray[np.float64],
        *,
        l2: float | NDArray[np.float64],
        tol: float,
        fixed_b: bool,
        slope: float = math.inf,
        units: NDArray[np.float64] | None = None,
        most_passes: float = math.inf,
        shared: SharedFactor | None = None,
    ) -> None:
        self.objective = objective
        self._shared = shared
        self.most_passes = most_passes
        self.l2, self.tol, self.slope, self.fixed_b = l2, tol, slope, fixed_b
        self.units = units
        self.passes = 0
        self.gap = math.inf
        shares, self.least = objective.tally(theta.shape[1])
        self.total = math.fsum(shares)
        self._has_one_class = np.count_nonzero(shares) == 1
        self._absent = (shares == 0.0) & (not fixed_b)  # their b fall without end
        self.at = self.evaluate(theta)
        self._slope: float | None = None  # of the direction from there, once it is made
        self._built, self._since = math.inf, 0
        self._gaps: list[float] = []  # after the last steps with the factor
        self._factor_at: NDArray[np.float64] | None = None
        self._factor: Factor | Diagonal | None = None
        self._is_rough = True  # the next one is
        self._marks = [2.0**1000] * 2  # J at passes some time ago
        self._marked = 0
        self._pairs = Pairs(theta.size)
        has_gram = not is_diagonal(objective, theta.shape[1])
        n, m = objective.examples.shape
        self.sample = sample_size(m, theta.size) if has_gram else m
        self._most = min(m, max(self.sample, SAMPLE_VALUES // max(n, 1)))

    def evaluate(self, theta: NDArray[np.float64]) -> Point:
        """Return J and its gradient: a pass over X."""
        self.passes += 1
        w, b = theta[:-1].copy(), theta[-1].copy()
        if isinstance(self.l2, float):
            J, dw, db = self.objective.softmax(w, b, self.l2)
        else:
            J, dw, db = self.objective.softmax(w, b, 0.0)
            pull = self.l2[:, np.newaxis] * w
            J, dw = J + dot(pull, w) / 2, dw + pull
        return Point(theta, J, np.vstack([dw, np.zeros_like(db) if self.fixed_b else db]))

    def step(self) -> Stopped | None:
        """Go one step; return how the search has ended, or None."""
        if self.is_separated():
            return "separated"
        slope = self._direction()
        if self._is_small() and (self.at.J < OUTDATED * self._built or self._is_stale()):
            self.renew()
            slope = self._direction()
        if self._is_small():
            return "tol"
        if not self._search(slope):
            return self._after_no_step()
        self._since += 1
        self._mark()
        self._direction()
        self._gaps = [*self._gaps[-RECENT:], self.gap]
        if self._is_led_astray() or self._is_slow():
            self._is_rough = False
            self.renew()
        return None

    def _is_led_astray(self) -> bool:
        """Whether the factor promises that J falls below 0, so that its curvature is outdated."""
        return self.gap > 1.0 and self._factor is not None and self._factor.is_exact

    def _after_no_step(self) -> Stopped | None:
        if self.passes < self.most_passes:
            if not self._since and self.sample == self._most:
                return "rounding"
            if not self._since:
                self.sample = min(10 * self.sample, self._most)
            self._is_rough = False
            self.renew()
        return None

    def is_separated(self) -> bool:
        """Whether every example has its class as the most probable, and no penalty holds w back.

        If J, the mean of the losses, is below log(2) of the least weight, each loss is below
        log(2). Then J falls to 0 as w grows, or, where all examples have one class, as b grows.
        """
        least = math.log(2.0) * self.least
        if not self.at.J * self.total < least:
            return False
        if np.any(self.l2):
            return self._has_one_class and not self.fixed_b
        if not self.fixed_b or not self.at.theta[-1].any():
            return True
        without_b = self.at.theta.copy()
        without_b[-1] = 0.0  # negligible once w is large
        return self.evaluate(without_b).J * self.total < least

    @property
    def has_absent(self) -> bool:
        """Whether a class without examples has a b that falls without end."""
        return bool(self._absent.any())

    def _first_factor(self) -> Factor | Diagonal:
        if self._shared is None or self._shared.factor is None:
            made = self.renew()
            if self._shared is not None:
                self._shared.factor, self._shared.theta = made, self.at.theta
            self._shared = None
            return made
        self._built, self._since = self.at.J, 0
        self._factor, self._factor_at = self._shared.factor, self._shared.theta
        return self._factor

    def renew(self) -> Factor | Diagonal:
        """Make a factor of the Hessian at the present point."""
        if self._shared is not None and self._factor is not None:
            self._shared.was_renewed = True
        self._built, self._since = self.at.J, 0
        self._slope = None
        self._pairs.clear()
        self._gaps.clear()
        return self._make_factor(self.at.theta)

    def _make_factor(self, theta: NDArray[np.float64]) -> Factor | Diagonal:
        self._factor_at = theta
        if is_diagonal(self.objective, theta.shape[1]):
            settings: dict[str, Any] = {"total": self.total, "fixed_b": self.fixed_b}
            self._factor = Diagonal(self.objective, theta, self.l2, **settings)
            return self._factor
        sample = self.objective.some(self.sample)
        settings = {"fixed_b": self.fixed_b, "is_rough": self._is_rough, "whole": self.objective}
        self._factor = Factor(sample, theta, self.l2, **settings)
        return self._factor

    def state(self) -> dict[str, NDArray[Any]]:
        """Return what `resume` needs."""
        built = self._built if self._factor else -1.0
        numbers = [self.passes, self.sample, self._since, built]
        numbers += [self._marked, self._is_rough, *self._marks]
        at = self.at.theta if self._factor_at is None else self._factor_at
        return {
            "theta": self.at.theta,
            "factor_at": at,
            "gaps": np.array([0.0] * (RECENT + 1 - len(self._gaps)) + self._gaps),
            "numbers": np.array(numbers, np.float64),
            **self._pairs.state(),
        }

    def resume(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Go on from what `state_of` has returned of another search, at its theta."""
        numbers = state["numbers"].tolist()
        passes, sample, since, self._built, marked, is_rough, *self._marks = numbers
        self.passes, self.sample, self._since = int(passes), int(sample), int(since)
        self._marked, self._is_rough = int(marked), bool(is_rough)
        if self._built < 0.0:  # there was no factor yet
            self._built = math.inf
            return
        self._make_factor(state["factor_at"])
        self._gaps = state["gaps"][-self._since :].tolist() if self._since else []
        self._pairs.resume(state)

    def _is_slow(self) -> bool:
        """Whether there will be more steps than a new factor costs.

        It is worth some passes, and gaps go on to shrink as in the last steps. A diagonal is not
        worth its pairs, nor is a factor of S (x) G: one near the minimum is no better.
        """
        n, k = self.at.theta.shape
        taken = len(self._gaps) - 1
        if not isinstance(self._factor, Factor) or n * k > DENSE:
            return False
        if taken < min(RECENT, self._since) or taken < 1 or self.gap <= self.tol:
            return False
        price = max(
            4.0, min(40.0, self.sample / self.objective.examples.shape[1] * n * (k + 1) / 64)
        )
        ratios = np.array([self._gaps[0], max(self.tol, 2.0**-1000)]) / self.gap
        shrunk, left = logarithms(ratios).tolist()
        return bool(-left * taken > price * shrunk)

    def _is_small(self) -> bool:
        return self.gap <= self.tol and self.largest_slope() <= self.slope and self._is_trusted()

    def _is_stale(self) -> bool:
        """Whether curvature has fallen where the gradient is, so that the gap is too small.

        J need not show it: the example whose value of a feature is large may be one of very many.
        """
        then, factor = self._factor_at, self._factor
        if then is None or not self._since or not isinstance(factor, Factor):
            return False
        dw = self.at.gradient[:-1] - factor.centre[:, np.newaxis] * self.at.gradient[-1]

        def gap(theta: NDArray[np.float64], l2: float | NDArray[np.float64]) -> float:
            w, b = theta[:-1].copy(), theta[-1].copy()
            D, _ = self.objective.softmax_curvature(w, b, factor.centre)
            D = D / self.total + np.reshape(l2, (-1, 1))
            steps = np.divide(dw, D, where=D > 0.0, out=np.zeros_like(D))
            return dot(dw, steps)

        try:
            return gap(self.at.theta, self.l2) > STALE * gap(then, factor.l2)
        except OverflowError:  # of squares of features, which the factor can do without
            return False

    def _is_trusted(self) -> bool:
        """Whether the predicted gap can be believed, as in `minimize.c`."""
        if self._factor is None or self._factor.is_exact or self.gap == 0.0:
            return True
        return self._marks[0] - self.at.J <= self.tol * self.at.J

    def _mark(self) -> None:
        if self.passes >= self._marked + self._marked // 8 + 3:
            self._marks = [self._marks[1], self.at.J]
            self._marked = self.passes

    def largest_slope(self) -> float:
        """Return the largest component of the gradient, of the standardized features if any."""
        gradient = self.at.gradient
        if self.units is None:
            return magnitude(gradient)
        mean, sd = self.units[:, :, np.newaxis]
        dw = (gradient[:-1] - mean * gradient[-1])[sd[:, 0] > 0.0] / sd[sd[:, 0] > 0.0]
        return max(magnitude(dw), magnitude(gradient[-1]))

    def next_step(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return what the next step would add to w and b."""
        self._direction()
        return self._step[:-1].copy(), self._step[-1].copy()

    def go_on(self, tol: float, passes: int) -> Ending | None:
        """Search for a smaller gap, and return where that has ended, unless sums overflow."""
        self.tol, self.slope, self.most_passes = tol, math.inf, self.passes + passes
        before, fall, ended = self.at.J, math.inf, None
        while ended is None and self.passes < self.most_passes:
            try:
                ended = self.step()
            except OverflowError:
                return None
            if self.at.J != before:
                before, fall = self.at.J, before - self.at.J
        return Ending(ended or "passes", self.at.J, self.gap, fall, self.next_step)

    def _direction(self) -> float:
        """Make the direction of the next step; return its slope, and set the predicted gap."""
        if self._slope is not None:
            return self._slope
        factor = self._factor or self._first_factor()
        moved = factor.solve(self.at.gradient)
        self._step = self._pairs.direction(self.at.gradient, moved, scaled=not factor.is_exact)
        self._slope = slope = dot(self.at.gradient, self._step)
        of_absent = float(np.add.reduce(self.at.gradient[-1][self._absent]))  # their probability
        self.gap = (abs(slope) / 2 + of_absent) / max(self.at.J, 2.0**-1000)
        return slope

    def _search(self, slope: float) -> bool:
        """Go along the direction, at most as far as it reaches; return whether J has fallen."""
        length, here = 1.0, self.at
        for _ in range(HALVINGS):
            if not slope < 0.0 or self.passes >= self.most_passes:
                return False
            there = self.evaluate(here.theta + length * self._step)
            fallen = here.J - there.J
            if fallen >= -ENOUGH * length * slope or (
                abs(fallen) <= ROUNDING * here.J
                and magnitude(there.gradient) < magnitude(here.gradient)
            ):
                break
            if -length * slope <= ROUNDING * here.J:
                return False
            # the minimum of the parabola through both, within limits
            length *= min(0.5, max(0.1, -length * slope / 2 / (-length * slope - fallen)))
        else:
            return False
        self._pairs.take(there.theta - here.theta)
        self.at, self._slope = there, None
        return True


def dot(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    """Sum of products of as many values, in an order that the kernel fixes."""
    product = np.empty(1)
    _kernel.multiply_rows(a, 1, b, product)
    return float(product[0])


def magnitude(a: NDArray[np.float64]) -> float:
    """Return the largest magnitude."""
    return float(np.abs(a).max(initial=0.0))


def start_from(
    objective: SoftmaxObjective, b: NDArray[np.float64], *, fixed_b: bool
) -> NDArray[np.float64]:
    """Return w = 0, and the b that stays or gives each class its share of the examples."""
    k = len(b)
    theta = np.zeros((objective.examples.shape[0] + 1, k))
    theta[-1] = b
    if not fixed_b:
        shares = objective.tally(k).shares
        biases = logarithms(np.maximum(shares, shares.max() * NO_SHARE))
        theta[-1] = biases - math.fsum(biases) / k
    return theta


def logarithms(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return logarithms with the same bits on every machine, which libm's are not."""
    roots = np.sqrt(values)
    return np.array([_kernel.log_determinant(np.array([[root]]), 1) for root in roots.tolist()])


def _cost_at_start(
    objective: SoftmaxObjective, theta: NDArray[np.float64], *, fixed_b: bool
) -> float:
    """Return J at what `start_from` returns: the entropy of the classes, or log K at b = 0.

    Where another b stays, that takes a pass.
    """
    k = theta.shape[1]
    if fixed_b and theta[-1].any():
        return objective.softmax(theta[:-1].copy(), theta[-1].copy(), 0.0)[0]
    if not theta[-1].any():
        return float(logarithms(np.array([float(k)]))[0])
    shares = objective.tally(k).shares
    shares = shares[shares > 0.0] / math.fsum(shares)
    return -math.fsum(shares * logarithms(shares))


def sample_size(m: int, parameters: int) -> int:
    """Return how many of m examples are solved first; m where that does not pay."""
    size = min(m, max(PER_PARAMETER * parameters, 1000))
    return m if size > LARGEST_SAMPLE * m else size


def state_of(search: Search | None, theta: NDArray[np.float64]) -> dict[str, NDArray[Any]]:
    """Return what `Search.resume` needs; theta is where a search that has not begun begins."""
    state = {
        "theta": theta,
        "factor_at": np.zeros_like(theta),
        "gaps": np.zeros(RECENT + 1),
        "numbers": np.zeros(8),
        **Pairs(theta.size).state(),
    }
    if search is not None:
        state.update(search.state())
    return state


def opened(
    objective: SoftmaxObjective,
    theta: NDArray[np.float64],
    *,
    l2: float | NDArray[np.float64],
    tol: float,
    fixed_b: bool,
    warm: bool,
    slope: float = math.inf,
    units: NDArray[np.float64] | None = None,
    most_passes: float = math.inf,
    shared: SharedFactor | None = None,
) -> Search:
    """Begin a search at theta, or, unless that is `warm`, at the minimum of a sample.

    A theta that is not warm is what `start_from` returns, whose cost takes no pass. Of one that is
    warm, a penalty keeps weights that sum to 0 over the classes: the factor knows no other.
    """
    settings: dict[str, Any] = {"l2": l2, "fixed_b": fixed_b}
    of_all: dict[str, Any] = {"slope": slope, "units": units, "most_passes": most_passes}
    of_all["shared"] = shared
    m = objective.examples.shape[1]
    size = m if warm else sample_size(m, theta.size)
    if warm and np.any(l2):
        theta = theta.copy()
        theta[:-1] -= np.add.reduce(theta[:-1], 1, keepdims=True) / theta.shape[1]
    if size == m:
        return Search(objective, theta, tol=tol, **of_all, **settings)
    sample = Search(objective.some(size), theta, tol=SAMPLE_TOL, **settings)
    while sample.passes < 100 and sample.step() is None:
        pass
    whole = Search(objective, sample.at.theta, tol=tol, **of_all, **settings)
    if not whole.at.J < _cost_at_start(objective, theta, fixed_b=fixed_b):
        whole.at = whole.evaluate(theta)
    return whole


class Searching(Training):
    """A search for the minimum."""

    def __init__(
        self,
        objective: SoftmaxObjective,
        theta: NDArray[np.float64],
        max_passes: int,
        callbacks: Sequence[Any],
        **settings: Any,
    ) -> None:
        super().__init__(objective, theta[:-1].copy(), max_passes, callbacks)
        self.stopped: Stopped = "passes"
        self._theta, self._settings = theta, settings | {"most_passes": max_passes}
        self._search: Search | None = None
        self._done = 0

    @property
    def done(self) -> int:
        """The number of costs so far."""
        return self._done

    @property
    def spent(self) -> int:
        """The number of passes so far."""
        return 0 if self._search is None else self._search.passes

    @property
    def slope(self) -> float | None:
        """The largest component of the gradient, once there is one."""
        return None if self._search is None else self._search.largest_slope()

    @property
    def b(self) -> Any:
        """The current biases, (K, 1)."""
        at = self._theta if self._search is None else self._search.at.theta
        return at[-1][:, np.newaxis].copy()

    def state(self) -> dict[str, NDArray[Any]]:
        """Return what `resume` needs in addition to w and the costs."""
        return state_of(self._search, self._theta)

    def runaway(self, found: Solution | FitResult) -> Runaway | None:
        """Return what shows that there is no minimum; call it last, since the search may go on.

        Where a class has no example, only its b runs away, which the gap counts.
        """
        search = self._search
        if search is None or np.any(search.l2) or search.has_absent or len(found.costs) < 2:
            return None
        fall = float(found.costs[-2] - found.costs[-1])
        ending = Ending(self.stopped, search.at.J, search.gap, fall, search.next_step)
        try:
            return runaway_of(search.objective, ending, lambda tol: search.go_on(tol, MORE_PASSES))
        except KeyboardInterrupt:
            raise interrupted(found.w, found.b, found.costs, "steps") from None

    def _continue(self, state: Mapping[str, NDArray[Any]], done: int) -> None:
        self._done = done
        if done > 0:
            objective: Any = self._objective
            goal = {name: value for name, value in self._settings.items() if name != "warm"}
            self._search = Search(objective, state["theta"], **goal)
            self._search.resume(state)

    def _advance(self, costs: NDArray[np.float64], steps: int) -> int:
        ended: Stopped | None = None
        while steps > 0 and ended is None and self.spent < self.iters:
            if self._search is None:
                objective: Any = self._objective
                self._search = opened(objective, self._theta, **self._settings)
            else:
                ended = self._search.step()
            self.w[...] = self._search.at.theta[:-1]
            self.gap = self._search.gap
            if ended is None:
                costs[self._done] = self._search.at.J
                self._done += 1
                steps -= 1
        if ended is None:
            return _kernel.OK
        self.stopped = ended
        return _kernel.CONVERGED


def minimize_classes(
    objective: SoftmaxObjective,
    max_passes: int,
    *,
    w: NDArray[np.float64],
    b: NDArray[np.float64],
    warm: bool,
    l2: float,
    tol: float,
    slope: float = math.inf,
    standardize: bool = False,
    fixed_b: bool = False,
    callbacks: Sequence[Any] = (),
    shared: SharedFactor | None = None,
) -> Solution:
    """Do what `minimize` does, with w (n_x, K) and b (K,), whose sums over the classes become 0."""
    theta = np.vstack([w, b])
    if not warm and max_passes > 0:
        theta = start_from(objective, b, fixed_b=fixed_b)
    goal: dict[str, Any] = {"l2": l2, "tol": tol, "slope": slope, "fixed_b": fixed_b}
    if standardize and max_passes > 0:
        centre = not (fixed_b or objective.examples.is_sparse)
        mean, _, sd = objective.in_float64().standardize(centre=centre)
        if not centre:  # then features are only scaled
            mean, sd = np.zeros_like(mean), np.where(sd > 0.0, sd, 1.0)
        sd[objective.examples.of_categories] = 1.0  # categories stay as they are
        goal |= {"l2": l2 * sd * sd, "units": np.array([mean, sd])}
    goal["shared"] = shared
    training = Searching(objective, theta, max_passes, callbacks, warm=warm, **goal)
    training.settings = objective.described() | {
        "classes": len(b),
        "l2": l2,
        "tol": tol,
        "standardize": standardize,
        "fixed_b": fixed_b,
        "warm": warm,
    }
    try:
        _, by_callback = training.run()
    except KeyboardInterrupt:
        raise interrupted(training.w, training.b, training.costs, "steps") from None
    w, b = training.w, training.b.T
    w = w - np.add.reduce(w, 1, keepdims=True) / len(theta.T)
    b = b if fixed_b else b - np.add.reduce(b, 1, keepdims=True) / len(theta.T)
    found = Solution(
        w,
        b[0],
        training.take_costs(),
        training.spent,
        "callback" if by_callback else training.stopped,
        slope=training.slope,
        gap=training.gap,
    )
    return found if by_callback else found._replace(runaway=training.runaway(found))
