# SPDX-License-Identifier: BSD-3-Clause
"""The minimum of J with an l1 penalty and bounds: proximal quasi-Newton steps on chosen features.

A step goes to the minimum of a model, which is the slope of J at w and b, a Hessian, and the
penalty as it is (Lee, Sun and Saunders 2014). The Hessian is that at an earlier point for as long
as the steps that it saves would take fewer readings of X than another Gram. Only some features have
a Hessian, and are read: at first those that gain most, in the end all whose w is not 0. Whether the
others have to join them, a pass over all features shows, without which no search ends; along a
path, it reads those alone that `screening` does not rule out.

Sparse X with many such features has no Hessian: a step is found over the columns of all features,
each time from the curvature at w and b.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from logreg_c import _kernel

from .columns import Columns
from .minimum import minimize
from .screening import Screening, screening_pays

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from logreg_c._objective import Objective

    from .penalty import Penalty

    Vector = NDArray[np.float64]

LARGEST = 4096  # features with a Hessian
ADDED = 128  # features at a time, or as many as are not 0
INNER = 0.1  # share of the gain of other features, to which the chosen ones are solved before
OF_MODEL = 1e-6  # share of the gain of a model, up to which its minimum is found
ARMIJO = 1e-4  # the least share of the predicted decrease
FEWEST_COLUMNS = 256  # features that gain or are not 0, from which on sparse X needs no Hessian
AHEAD = 0.7  # of the l1 penalty, down to which features are chosen along a path
MOST = 0.75  # share of the features; with more, all have a Hessian
HALVINGS = 30
TINY = 1.0 / 64.0  # share of a step; below it, the curvature misleads
FLAT = 1e-3  # z up to which its curvature is 1/4
STALLED = 5
ROUNDING = 2e-15  # of J
SLOWEST = 0.999  # square root of a ratio that counts; above it, rounding may be all that is left
FIRST_RATIO = 0.01  # by which a step with a new Hessian is expected to lower the gain
DEAD = 1e-26  # of a squared mean: variances below it are rounding
# Nanoseconds per example, of which only the ratios matter.
EXAMPLE, FEATURE, PRODUCT = 5.0, 0.7, 0.08
MOST_STEPS = 60
FAR = 2.0**200  # from a point whose direction is that of a plane, if there is one
LN_2 = 0.6931471805599453


class Model(NamedTuple):
    """The Hessian of J of the chosen features, by w and by b + mu.T w, at a point."""

    H: Vector  # (k, k), without the l2 penalty
    mu: Vector  # (k,)
    S: float  # the second derivative by b
    at: Vector  # (n_x + 1,): w and b


class ProximalNewton:
    """A search for the minimum over w and b; it reads float64, and changes w (n_x,) in place.

    Attributes
    ----------
    w, b : ndarray of shape (n_x,), float
    cost : float
        J with the penalty, at w and b.
    gap : float
        (cost - its minimum) / cost, as predicted.
    passes : int
        How often J and its gradient were computed.
    done : int
        The number of points so far.
    max_passes : int
        The largest number of passes.
    penalty, intercept, tol
        As passed. In the end no slope by b or w / unit is above `slope`, either.
    """

    def __init__(
        self,
        objective: Objective,
        w: Vector,
        b: float,
        penalty: Penalty,
        *,
        intercept: bool,
        tol: float,
        max_passes: int,
        slope: float = math.inf,
        unit: Vector | float = 1.0,
    ) -> None:
        self.w, self.b = w, b
        self.cost = self.gap = math.inf
        self.passes = self.done = 0
        self.max_passes = max_passes
        self.penalty = penalty
        self._objective = objective
        self.intercept = intercept
        self.tol = tol
        self._slope, self._unit = slope, unit
        weight = objective.sample_weight
        self._total = float(objective.examples.shape[1]) if weight is None else math.fsum(weight)
        positive = None if weight is None else weight[weight > 0.0]
        self._least_weight = 1.0 if positive is None else float(positive.min())
        is_sparse = objective.examples.is_sparse
        mean, _, sd = objective.in_float64().standardize(centre=not is_sparse)
        self._centre = mean.copy()
        self._square = sd * sd if intercept else sd * sd + mean * mean
        self._dw, self._db = np.zeros_like(w), 0.0
        self._J = math.inf
        self._complete = False  # whether dw is that of all features, or of the chosen ones
        self._left_out = 0.0  # the gain of the other features, when it was last known
        self._gain, self._ratio = 0.0, FIRST_RATIO  # of the last step
        self._model: Model | None = None
        self._bounding = False  # whether the Hessian is to be a bound, not that of J
        self._by_columns: Columns | None = None  # in place of a Hessian
        self._screening: Screening | None = None  # along a path
        self._added_at = self._began_at = 0  # the number of points
        self._late = 0  # steps that a newer Hessian would have saved
        self._stalled = 0  # how many steps in a row lowered the cost by no more than rounding
        self._choose(np.flatnonzero(w))

    # ---- Points ----------------------------------------------------------------------------------

    def begin(self, *, warm: bool) -> int:
        """Compute the cost at the start, which is w and b if `warm`, else b without features."""
        status = _kernel.OK
        if not warm and self.intercept:
            none = np.empty(0, np.intp)
            found = minimize(
                self._objective.features(none),
                self.max_passes,
                w=np.empty((0, 1)),
                b=self.b,
                warm=False,
                l2=0.0,
                tol=0.0,
            )
            self.b = found.b
            if found.stopped == "separated":
                status = _kernel.SEPARATED
        self.w[:] = self.penalty.within(self.w)
        kept = np.flatnonzero(self.w)
        if self._columns_pay(kept.size):
            self._read_columns()
        else:
            self._choose(kept)
        self._see_all()
        return int(status)

    def _see_all(self) -> None:
        """Let dw be that of all features."""
        if not self._complete:
            found = self._evaluate(self.w, self.b, complete=True)
            self._accept(self.w, self.b, found, complete=True)

    def _evaluate(self, w: Vector, b: float, *, complete: bool) -> tuple[float, Vector, float]:
        """Return J, dw and db; unless `complete`, dw is that of the chosen features.

        Along a path, dw of a feature that is certain to stay is an estimate.
        """
        self.passes += 1
        is_part = self._part is not self._objective
        if is_part and complete and self._screening is not None:
            return self._screening.everything(self._part, self._chosen, w, b, self.penalty.l1)
        if complete or not is_part:
            return self._objective(w, b, 0.0)
        J, dw, db = self._part(w[self._chosen], b, 0.0)
        whole = np.zeros_like(w)
        whole[self._chosen] = dw
        return J, whole, db

    def _accept(
        self, w: Vector, b: float, found: tuple[float, Vector, float], *, complete: bool
    ) -> None:
        J, self._dw, self._db = found
        self.w[:], self.b = w, b
        self.cost = J + self.penalty.value(w)
        self._J = J
        self._complete = complete or self._part is self._objective
        self.done += 1

    def retarget(self, penalty: Penalty) -> None:
        """Go on from here for another penalty, with the same bounds.

        All features that the sequential strong rule (Tibshirani et al. 2012) keeps get a Hessian.
        If one of them has none yet, those get one that matter for the next penalties, too.
        """
        if self._screening is None and screening_pays(self._objective):
            of_features = self._centre, self._square, self._total
            self._screening = Screening(self._objective, *of_features, intercept=self.intercept)
        strong = np.maximum(2.0 * penalty.l1 - self.penalty.l1, 0.0)
        self._late += max(self.done - self._began_at - 1, 0)
        self.penalty = penalty
        self._gain, self._ratio = 0.0, FIRST_RATIO
        self._stalled, self._began_at, self._added_at = 0, self.done, -1
        self._see_all()
        self.cost = self._J + penalty.value(self.w)
        if self._by_columns is not None:
            return
        if self._late >= self._price():
            self._model = None
        if self._steep(strong)[self._others].any():
            ahead = np.flatnonzero(self._steep(strong * AHEAD) | (self.w != 0.0))
            if self._columns_pay(ahead.size):
                self._read_columns()
            elif ahead.size <= LARGEST:
                self._choose(ahead)

    def _steep(self, l1: Vector) -> NDArray[np.bool_]:
        """Return which w would move with this l1 penalty, (n_x,)."""
        penalty = self.penalty._replace(l1=l1)
        return penalty.descent(self.w, self._slopes()) > 0.0

    # ---- Features --------------------------------------------------------------------------------

    def _choose(self, chosen: NDArray[np.intp]) -> None:
        """Let these features have a Hessian."""
        n_x = self.w.size
        if MOST * n_x <= chosen.size and n_x <= LARGEST:
            chosen = np.arange(n_x)
        self._chosen = chosen
        self._model = None
        self._columns = self._objective
        if chosen.size < n_x:
            self._columns = self._objective.features(chosen)
        others = np.ones(n_x, np.bool_)
        others[chosen] = False
        self._others = others
        self._part = self._objective if self.w[others].any() else self._columns

    def _slopes(self) -> Vector:
        """Return the slopes of J and the l2 penalty by w at the best b, (n_x,)."""
        slope = self._dw + self.penalty.l2 * self.w
        return slope - self._db * self._centre if self.intercept else slope

    def _gains(self, S: float) -> Vector:
        """Return what each feature that is not chosen gains, (n_x,)."""
        descent = self.penalty.descent(self.w, self._slopes())
        descent[self._chosen] = 0.0
        curvature = S * self._square + self.penalty.l2
        gains = np.zeros_like(descent)
        np.divide(descent * descent, 2.0 * curvature, where=curvature > 0.0, out=gains)
        return gains

    def _read_columns(self) -> None:
        """Go on with all features and without a Hessian."""
        self._choose(np.arange(self.w.size))
        self._by_columns = Columns(self._objective, self._total, intercept=self.intercept)

    def _add(self, gains: Vector) -> None:
        """Choose the features that gain most, too."""
        kept = np.flatnonzero(self.w)
        if self._columns_pay(kept.size + int(np.count_nonzero(gains))):
            self._read_columns()
            return
        best = np.argsort(-gains, kind="stable")[: max(ADDED, kept.size)]
        best = best[gains[best] > 0.0]
        chosen = np.union1d(self._chosen, best)
        if chosen.size > LARGEST:
            chosen = np.union1d(kept, best)
        self._choose(chosen if chosen.size <= LARGEST else np.sort(best[:LARGEST]))
        self._added_at = self.done
        gains[self._chosen] = 0.0
        self._left_out = math.fsum(gains.tolist())

    def steepest(self) -> float:
        """Return the largest slope down by w / unit or b."""
        self._see_all()
        slope = self._dw + self.penalty.l2 * self.w
        of_w = self.penalty.descent(self.w, slope) / self._unit
        return max(float(of_w.max(initial=0.0)), abs(self._db) if self.intercept else 0.0)

    # ---- The model -------------------------------------------------------------------------------

    def _built(self, w: Vector, b: float) -> Model:
        """Return the model with the Hessian at w and b."""
        if self._part is self._columns:
            h = self._curvature(self._columns, np.ascontiguousarray(w[self._chosen]), b)
        else:
            h = self._curvature(self._objective, w, b)
        H, mu, S = self._columns.gram(h, self._centre[self._chosen])
        diagonal = np.diagonal(H).copy()
        H += H.T
        np.fill_diagonal(H, diagonal)
        if not self.intercept:
            H += S * (mu[:, np.newaxis] * mu)
            mu = np.zeros_like(mu)
        dead = np.diagonal(H) <= DEAD * S * mu * mu
        H[dead] = 0.0
        H[:, dead] = 0.0
        return Model(H / self._total, mu, S / self._total, np.append(w, b))

    def _curvature(self, objective: Objective, w: Vector, b: float) -> Vector:
        """Return the weights of the Hessian, or those with which the model is never below J.

        Where predictions are far on the wrong side, J has a slope and hardly a curvature. The bound
        is tanh(z / 2) / (2 z) (Jaakkola and Jordan 2000).
        """
        if not self._bounding:
            return objective.curvature(w, b)
        z = objective.predict(w, b, probabilities=False)[0]
        a = objective.predict(w, b, probabilities=True)[0]
        flat = np.abs(z) < FLAT
        h: Vector = np.where(flat, 0.25, (a - 0.5) / np.where(flat, 1.0, z))
        return h if objective.sample_weight is None else h * objective.sample_weight

    def _minimum_of(self, model: Model) -> tuple[Vector, float, float]:
        """Return the model's minimum, w of the chosen features and b, and what it gains."""
        w, l2 = self.w[self._chosen], self.penalty.l2[self._chosen]
        slope = self._dw[self._chosen] + l2 * w
        H = model.H
        if l2.any():
            H = H.copy()
            np.fill_diagonal(H, np.diagonal(H) + l2)
        shift, gain = 0.0, 0.0
        if self.intercept and model.S > 0.0:
            slope -= self._db * model.mu
            shift = -self._db / model.S
            gain = -self._db * shift / 2.0
        v = w.copy()
        bounds = self.penalty.of_features(self._chosen)
        gain += self._objective.minimize_quadratic(H, bounds, v, slope, OF_MODEL)
        if self.intercept:
            shift -= math.fsum((model.mu * (v - w)).tolist())
        return v, self.b + shift, gain

    def _pays(self, gain: float, goal: float) -> bool:
        """Whether another Hessian saves more than it costs, as the last step went."""
        steps, price = 0, self._price()
        while gain > goal and steps < MOST_STEPS:
            gain *= self._ratio
            steps += 1
        return steps > price + 1.5

    def _price(self) -> float:
        """Return how many passes a Hessian costs."""
        k = self._chosen.size
        of_pass = EXAMPLE + FEATURE * (k if self._part is self._columns else self.w.size)
        return 1.0 + (EXAMPLE + PRODUCT * k * k / 2.0) / of_pass

    def _columns_pay(self, k: int) -> bool:
        """Whether k features are too many for a Hessian, and X can be read without one."""
        examples = self._objective.examples
        return k >= FEWEST_COLUMNS and examples.is_sparse and self._objective.in_memory

    # ---- Steps -----------------------------------------------------------------------------------

    def step(self) -> int:
        """Take a step, or find that there is none to take; return the kernel's status."""
        target = self.tol * self.cost
        goal = max(target / 2.0, INNER * self._left_out)
        if self._separated():
            return int(_kernel.SEPARATED)
        if self._by_columns is not None:
            return self._step_by_columns(self._by_columns, target)
        model = self._renew() if self._model is None else self._model
        w, b, gain = self._minimum_of(model)
        if self._gain > 0.0:
            self._ratio = gain / self._gain
            if self._pays(gain, goal / self._excess()):
                model = self._renew()
                w, b, gain = self._minimum_of(model)
        if self._complete:
            gains = self._gains(model.S)
            self._left_out = math.fsum(gains.tolist())
            left = gain * self._excess() + self._left_out
            self.gap = left / self.cost if self.cost > 0.0 else 0.0
            close = left <= target
            if close and self.steepest() <= self._slope:
                return int(_kernel.CONVERGED)
            least = 0.0 if close else max(target / 2.0, INNER * gain)
            if self._left_out > least and self._added_at < self.done:
                self._add(gains)
                return int(_kernel.OK)
        ends = gain * self._ratio <= goal or self._stalled >= STALLED
        is_new = np.array_equal(model.at, np.append(self.w, self.b))
        return self._towards(w, b, gain, is_new=is_new, complete=ends)

    def _step_by_columns(self, columns: Columns, target: float) -> int:
        enough = max(target, ROUNDING * self.cost)
        slopes = self._dw, self._db
        h = self._curvature(self._objective, self.w, self.b)
        w, b, gain = columns.minimum(h, self.w, self.b, slopes, self.penalty, enough)
        self.gap = gain / self.cost if self.cost > 0.0 else 0.0
        if gain <= target and self.steepest() <= self._slope:
            return int(_kernel.CONVERGED)
        return self._towards(w, b, gain, is_new=True, complete=True)

    def _excess(self) -> float:
        """Return how many times the Hessian is that of w and b, as far as the last step shows.

        A step with c times the Hessian goes 1/c of the way, and gains fall by (1 - 1/c)^2.
        """
        if self._gain == 0.0:
            return 1.0
        return 1.0 / (1.0 - min(math.sqrt(self._ratio), SLOWEST))

    def _separated(self) -> bool:
        """Whether J falls to 0 as w grows, along what neither a penalty nor a bound holds back.

        Far out, all losses are below log(2) only where every z has the sign of its label: a b that
        stays is nothing there, and a label between 0 and 1 costs more than any other.
        """
        least = LN_2 * self._least_weight
        if self._J * self._total >= least or self.passes >= self.max_passes:
            return False
        b = self.b * FAR if self.intercept else 0.0
        try:
            self.passes += 1
            J, _, _ = self._objective(self.penalty.unheld(self.w) * FAR, b, 0.0)
        except OverflowError:
            return False
        return J * self._total < least

    def _renew(self) -> Model:
        self._model = self._built(self.w, self.b)
        self._gain, self._ratio = 0.0, FIRST_RATIO
        self._late = 0
        return self._model

    def _towards(self, v: Vector, b: float, gain: float, *, is_new: bool, complete: bool) -> int:
        """Step to v and b, or as far as the cost falls.

        `is_new`: the Hessian is that at w and b.
        """
        noise = ROUNDING * self.cost
        if self._complete and (
            self._stalled >= STALLED or (gain <= noise and self.steepest() <= self._slope)
        ):
            return int(_kernel.ROUNDING)
        end = self.w.copy()
        end[self._chosen] = v
        share = 1.0
        for _ in range(HALVINGS):
            if self.passes >= self.max_passes:
                return int(_kernel.OK)
            w = end if share == 1.0 else self.penalty.within(self.w + share * (end - self.w))
            at = self.b + share * (b - self.b)
            try:
                found = self._evaluate(w, at, complete=complete)
            except OverflowError:
                found = math.inf, w, 0.0
            cost = found[0] + self.penalty.value(w)
            if cost <= self.cost - ARMIJO * share * gain + noise:
                self._stalled = self._stalled + 1 if cost >= self.cost - noise else 0
                self._accept(w, at, found, complete=complete)
                if self._bounding:
                    self._bounding, self._model = False, None
                self._gain = gain if share == 1.0 else 0.0
                return int(_kernel.OK)
            share /= 2.0
            misled = is_new and share < TINY and not self._bounding and self._objective.in_memory
            if misled or not is_new:
                self._bounding, self._model = misled, None
                return int(_kernel.OK)
        if self._complete:
            return int(_kernel.ROUNDING)
        self._see_all()
        return int(_kernel.OK)

    # ---- A search that goes on -------------------------------------------------------------------

    def state(self) -> dict[str, NDArray[Any]]:
        """Return what `resume` needs in addition to w."""
        chosen = np.zeros(self.w.size, np.bool_)
        chosen[self._chosen] = True
        at = np.append(self.w, self.b) if self._model is None else self._model.at
        facts = [self._complete, self._model is not None, self._by_columns is not None]
        return {
            "chosen": chosen,
            "model": at,
            "b": np.array(self.b),
            "gains": np.array([self._left_out, self._gain, self._ratio]),
            "facts": np.array(facts),
            "counts": np.array([self.passes, self._stalled]),
        }

    def resume(self, w: Vector, state: Mapping[str, NDArray[Any]], done: int) -> None:
        """Go on from w and the state of a search of the same data and penalty."""
        complete, has_model, by_columns = map(bool, state["facts"])
        self.w[:], b, at = w, float(state["b"]), state["model"]
        if by_columns:
            self._read_columns()
        else:
            self._choose(np.flatnonzero(state["chosen"]))
        self._accept(self.w, b, self._evaluate(self.w, b, complete=complete), complete=complete)
        if has_model:
            self._model = self._built(at[:-1].copy(), float(at[-1]))
        self._left_out, self._gain, self._ratio = map(float, state["gains"])
        self.passes, self._stalled = map(int, state["counts"])
        self.done = done
