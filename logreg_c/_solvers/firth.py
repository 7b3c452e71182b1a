# SPDX-License-Identifier: BSD-3-Clause
"""The minimum with Firth's penalty, J - log(det(I)) / (2 m) with the information I.

The penalized cost always has a minimum (Firth 1993; Heinze and Schemper 2002). With the leverages
h, its gradient is that of J over the same examples with the labels (s Y + h / 2) / (s + h) and the
weights s + h: each example counts a little as both classes. So the pass over X is the usual one.

The steps of Newton's method with I, which leaves out how the leverages change, converge slowly
where classes are separated. So pairs of L-BFGS on top of I at the present point learn the
difference.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from logreg_c import _kernel
from logreg_c._objective import Objective

from .hessian import Hessian, collinear_features
from .minimum import ENDINGS
from .result import Solution
from .training import Training, interrupted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from logreg_c._result import Stopped

    Vector = NDArray[np.float64]

LEAST_WEIGHT = 1e-9
PAIRS = 10  # of steps, and of changes of the gradient
HALVINGS = 25
ARMIJO = 1e-4  # the least share of the predicted decrease
ROUNDING = 1e-14  # of J, and of each logarithm in the penalty


class Point(NamedTuple):
    """A point, and the penalized cost there as a sum over the examples."""

    w: Vector  # (n_x,)
    b: float
    J: float  # without the penalty
    cost: float
    hessian: Hessian
    gradient: Vector  # by w and by b + centre.T w; empty until a step has come here
    number: int  # of costs up to here


def minimize_firth(
    objective: Objective,
    max_passes: int,
    *,
    w: Vector,
    b: float,
    tol: float,
    callbacks: Sequence[Any] = (),
    fixed_b: bool = False,
) -> Solution:
    """Do what `fit` does with Firth's penalty; w, (n_x, 1), changes in place.

    The objective is one in float64. `n_iter` of what is returned is the number of points at which
    the cost was computed.
    """
    search = Penalized(objective, w, b, max_passes, callbacks, tol=tol, fixed_b=fixed_b)
    try:
        status, by_callback = search.run()
    except KeyboardInterrupt:
        raise interrupted(w, search.b, search.take_costs(), "steps") from None
    stopped: Stopped = "callback" if by_callback else ENDINGS[status]
    return Solution(w, search.b, search.take_costs(), search.spent, stopped, gap=search.gap)


class Penalized(Training):
    """A search for the minimum of the penalized cost."""

    def __init__(
        self,
        objective: Objective,
        w: Vector,
        b: float,
        max_passes: int,
        callbacks: Sequence[Any],
        *,
        tol: float,
        fixed_b: bool,
    ) -> None:
        super().__init__(objective, w, max_passes, callbacks)
        self.settings = objective.described() | {
            "firth": True,
            "tol": tol,
            "intercept": not fixed_b,
        }
        self.gap = math.inf
        self._tol = tol
        self._intercept = not fixed_b
        weight = objective.sample_weight
        self._total = float(objective.examples.shape[1]) if weight is None else math.fsum(weight)
        self._centre = objective.centre()
        self._start = b
        self._resumed_at = 0
        self._evaluations = 0
        self._pairs: list[NDArray[np.float64]] = []  # (2, n_x + 1) each
        self._point: Point | None = None

    @property
    def done(self) -> int:
        """The number of costs so far."""
        return self._resumed_at if self._point is None else self._point.number

    @property
    def spent(self) -> int:
        """The number of points at which the cost was computed."""
        return self._evaluations

    @property
    def b(self) -> float:
        """The current bias."""
        return self._start if self._point is None else self._point.b

    def state(self) -> dict[str, NDArray[Any]]:
        """Return what `resume` needs in addition to w and the costs."""
        pairs = np.zeros((PAIRS, 2, self.w.size + 1))
        pairs[: len(self._pairs)] = self._pairs or 0.0
        return {"b": np.array(self.b), "evaluations": np.array(float(self.spent)), "pairs": pairs}

    def _continue(self, state: Mapping[str, NDArray[Any]], done: int) -> None:
        self._start = float(state["b"])
        self._evaluations = int(state["evaluations"])
        self._pairs = [pair for pair in state["pairs"] if pair.any()]
        self._resumed_at = done

    def _calls_back(self, status: int) -> bool:
        return status in ENDINGS

    def _advance(self, costs: Vector, steps: int) -> int:
        if self._point is None:
            self._begin(costs)
            return int(_kernel.OK)
        last = self.done + steps
        status = int(_kernel.OK)
        while status == _kernel.OK and self.done < last and self.spent < self.iters:
            status = self._step(self._point, costs)
        return status

    def _begin(self, costs: Vector) -> None:
        w, b = np.array(self.w).ravel(), self._start
        if self._resumed_at > 0:
            start = self._at(w, b)
            if isinstance(start, Point):  # as it was before
                gradient = self._gradient(start)
                self._point = start._replace(gradient=gradient, number=self._resumed_at)
                return
        at_zero = self._at(np.zeros_like(w), b if not self._intercept else 0.0)
        if isinstance(at_zero, str):
            msg = (
                f"the information is singular: {at_zero}. Firth's penalty needs features that are "
                "no combination of others, and a bias that can change; leave these features out"
            )
            raise ValueError(msg)  # noqa: TRY004 (not about the type of an argument)
        self._evaluations = 1
        self._move(self._better(at_zero, w, b), costs)

    def _better(self, at_zero: Point, w: Vector, b: float) -> Point:
        """Return the point to start from: w and b, unless their cost is higher than at 0."""
        if not w.any() and b == at_zero.b:
            return at_zero
        self._evaluations += 1
        try:
            given = self._at(w, b)
        except OverflowError:
            return at_zero
        return given if isinstance(given, Point) and given.cost < at_zero.cost else at_zero

    def _at(self, w: Vector, b: float) -> Point | str:
        """Return the point, or why there is no penalized cost."""
        objective = self._objective
        J, _, _, h = objective.gradient_and_curvature(w, b)
        J *= self._total
        hessian = Hessian(objective, h, penalty=0.0, intercept=self._intercept, centre=self._centre)
        if not hessian.S > 0.0:
            return "all predictions are certain"
        collinear = hessian.factor()
        if collinear:
            return collinear_features(collinear, objective.examples, intercept=self._intercept)
        cost = J - hessian.log_determinant() / 2.0
        return Point(w, b, J, cost, hessian, np.empty(0), self.done + 1)

    def _gradient(self, at: Point) -> Vector:
        dw, db = penalized_gradient(self._objective, at.w, at.b, at.hessian, self._total)
        db *= self._intercept
        return self._total * np.append(dw - db * self._centre, db)

    def _move(self, to: Point, costs: Vector) -> None:
        to = to._replace(gradient=self._gradient(to))
        if self._point is not None:
            by_w = to.w - self._point.w
            by_b = (to.b - self._point.b + _dot(self._centre, by_w)) * self._intercept
            pair = np.array([np.append(by_w, by_b), to.gradient - self._point.gradient])
            if _dot(*pair) > 0.0:
                self._pairs = [*self._pairs, pair][-PAIRS:]
        costs[to.number - 1] = to.cost / self._total
        self._point = to
        self.w[:, 0] = to.w

    def _step(self, at: Point, costs: Vector) -> int:
        direction = -self._solved(at)
        gain = -_dot(at.gradient, direction) / 2.0
        noise = ROUNDING * (at.J + abs(at.cost - at.J) + len(direction))
        self.gap = gain / at.J
        converged = gain <= self._tol * at.J
        to = self._lower(at, direction, gain, noise)
        if to is not None:
            self._move(to, costs)
        if converged:  # whatever the last step has gained
            return int(_kernel.CONVERGED)
        if gain <= noise:
            return int(_kernel.ROUNDING)
        if to is None and self.spent < self.iters:
            if not self._pairs:
                return int(_kernel.ROUNDING)
            self._pairs = []  # which rounding may have spoiled
        return int(_kernel.OK)

    def _lower(self, at: Point, direction: Vector, gain: float, noise: float) -> Point | None:
        """Return a point with a lower cost, by halving the step, if one is found."""
        by_w = direction[:-1]
        by_b = float(direction[-1]) - _dot(self._centre, by_w) if self._intercept else 0.0
        # No step can gain more than J; one that promises more comes from tiny weights h.
        step = min(1.0, (at.J + len(direction)) / gain) if gain > 0.0 else 1.0
        for _ in range(HALVINGS):
            if self.spent >= self.iters:
                return None
            self._evaluations += 1
            try:
                to = self._at(at.w + step * by_w, at.b + step * by_b)
            except OverflowError:
                to = ""
            if isinstance(to, Point) and to.cost <= at.cost - ARMIJO * step * gain + noise:
                return to
            step /= 2.0
        return None

    def _solved(self, at: Point) -> Vector:
        """Return the gradient times the inverse of the Hessian, as the pairs know it."""
        q = at.gradient
        shares = []
        for step, change in reversed(self._pairs):
            shares.append(_dot(step, q) / _dot(step, change))
            q = q - shares[-1] * change
        shift = at.hessian.mu - self._centre if self._intercept else np.zeros(len(q) - 1)
        by_w = at.hessian.solve((q[:-1] - shift * q[-1])[:, np.newaxis])[:, 0]
        solved = np.append(by_w, q[-1] / at.hessian.S - _dot(shift, by_w) * self._intercept)
        for (step, change), share in zip(self._pairs, reversed(shares), strict=True):
            solved = solved + (share - _dot(change, solved) / _dot(step, change)) * step
        return solved


def penalized_gradient(
    objective: Objective, w: Vector, b: float, hessian: Hessian, total: float
) -> tuple[Vector, float]:
    """Return the gradient of the penalized cost; `total` is the sum of the weights."""
    s = objective.sample_weight
    weight = np.array(1.0) if s is None else s.astype(np.float64)
    h = hessian.leverage()
    both = weight + h
    labels = np.zeros_like(h)
    with_half = weight * np.asarray(objective.Y, np.float64) + h / 2.0
    np.divide(with_half, both, where=both > 0.0, out=labels)
    _, dw, db = Objective(objective.examples, labels, both, objective.n_threads)(w, b, 0.0)
    larger = (total + len(w) + hessian.intercept) / total  # by the trace of the hat matrix
    return larger * dw, larger * db


def check_counts(objective: Objective) -> None:
    """Refuse weights that cannot count examples: the kernel reads them times a power of two."""
    weight = objective.sample_weight
    if weight is not None and not LEAST_WEIGHT < float(weight.max()) < 1.0 / LEAST_WEIGHT:
        msg = (
            "the largest sample_weight is not within [1e-9, 1e9]; expected weights that count "
            "examples, as what is computed depends on how many there are"
        )
        raise ValueError(msg)


def check_firth(objective: Objective, l2: float) -> None:
    """Refuse what Firth's penalty cannot be combined with."""
    if objective.examples.is_sparse:
        msg = "X is sparse and firth is True; expected a dense X: pass X.toarray(), or a penalty l2"
        raise TypeError(msg)
    if objective.examples.categories is not None:
        msg = (
            "X has columns of categories and firth is True; expected numbers: give each category "
            "but the first a column of 0 and 1, as get_dummies(drop_first=True) does, or pass l2"
        )
        raise TypeError(msg)
    if l2 > 0.0:
        msg = f"l2 is {l2:g} and firth is True; expected one penalty: leave out one of the two"
        raise ValueError(msg)
    if not objective.in_memory:
        msg = "firth is True and X comes in batches; expected X in memory: read it, or pass l2"
        raise TypeError(msg)
    check_counts(objective)


def _dot(x: Vector, y: Vector) -> float:
    """Return the sum of the products, rounded once, so that it is the same on every machine."""
    return math.fsum((x * y).tolist())
