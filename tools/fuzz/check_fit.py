# SPDX-License-Identifier: BSD-3-Clause
"""What must come of `fit` and `inference`."""

import copy
import math
import statistics

import numpy as np
from exact import LD, Disagreement, Exact, Hessian, check_nonfinite, close

import logreg_c

MOST_FEATURES = 120  # of a Hessian in long double
MOST_STEPS = 12  # that are checked one by one


def in_float64(e):
    e = copy.copy(e)
    e.float32 = False
    return e


# ---- The cost that fit minimizes -----------------------------------------------------------------


class Point:
    """J, or the penalized cost, its gradient and Hessian, all but J times the sum of weights."""

    def __init__(self, e, w, b):
        self.e, self.w, self.b = e, np.ravel(w).astype(LD), LD(b)
        self.exact = exact = Exact(e, self.w, self.b)
        self.total = e.v.astype(LD).sum()
        self.J, self.off = exact.J, exact.J_off
        self._hessian = None
        if e.firth:
            H = self.hessian
            self.J = exact.J - H.log_determinant() / (2 * self.total)
            self.off = exact.J_off + 2.0**-50 * abs(self.J)
            self.off += len(self.w) * H.off / max(H.least, 1e-300) / self.total
            self.off += (len(self.w) + 1) * 1e-13 / self.total

    @property
    def hessian(self):
        if self._hessian is None:
            penalty = LD(self.e.l2) * self.total
            self._hessian = Hessian(self.e, self.exact, penalty, intercept=self.e.intercept)
        return self._hessian

    def gradient(self):
        by_w, by_b = self.exact.dw * self.total, self.exact.db * self.total
        if self.e.firth:
            lean = self.hessian.leverages(self.e.X) * (self.exact.A - LD(0.5))
            by_w, by_b = by_w + self.e.X @ lean, by_b + lean.sum()
        return by_w, by_b if self.e.intercept else LD(0)

    def lower(self, steps=5):
        """Return the point that some damped steps of Newton's method lead to."""
        at = self
        for _ in range(steps):
            if not at.hessian.S > 0:
                return at
            by_w, by_b = at.hessian.solve(*at.gradient())
            size = LD(1)
            for _ in range(12):
                to = Point(at.e, at.w - size * by_w, at.b - size * by_b)
                if to.J < at.J:
                    break
                size /= 4
            else:
                return at
            gained, at = at.J - to.J, to
            if gained < 1e-14 * abs(at.J):
                break
        return at

    def hidden(self):
        """Bound what a gradient may hide that is off as far as rounding allows."""
        e = self.exact
        by_b = e.db_off if self.e.intercept else LD(0)
        hidden = self.hessian.length(e.dw_off * self.total, by_b * self.total)
        if self.e.firth:
            hidden += len(self.w) * (self.hessian.off / max(self.hessian.least, 1e-300)) ** 2
        return hidden / self.total


def may_overflow(e):
    """Whether a square of a feature may leave the range of float64, or J at the start."""
    largest = np.abs(e.X).max(initial=0)
    counted = e.X[:, e.v > 0].astype(LD)
    away = np.abs(counted - counted.mean(axis=1, keepdims=True)).max(axis=1)
    least = np.where(away > 0, away, np.inf).min(initial=np.inf)
    v = e.v.astype(LD)
    v = v / 2.0 ** max(math.frexp(e.v.max())[1] - 512, 0)
    return bool(
        largest**2 * v.sum() > 1e295
        or least < 1e-120
        or Exact(e, e.w, e.b).may_overflow
        or e.l2 * largest > 1e290
    )


# ---- fit -----------------------------------------------------------------------------------------


def recorded(given, error, result, *, odd):
    """Fit again with a callback that keeps every point; the result must be the same."""
    steps, second, again = [], None, None
    keeping = given | {"callback": lambda _k, cost, w, b: steps.append((cost, w, b))}
    try:
        again = logreg_c.fit(**keeping)
    except Exception as failed:
        second = failed
    if not (odd and result is not None and result.stopped == "callback"):
        if type(error) is not type(second) or str(error) != str(second):
            raise Disagreement(f"{error!r}, but with a callback {second!r}")
        if result is not None:
            same = all(
                np.asarray(x).tobytes() == np.asarray(y).tobytes()
                for x, y in zip(result, again, strict=True)
            )
            facts = [(r.stopped, r.gap, r.passes) for r in (result, again)]
            if not same or str(facts[0]) != str(facts[1]):
                raise Disagreement(f"{result!r}, but with a callback {again!r}")
    return steps, again


def check_fault(e, error):
    """Only what cannot be taken, or overflows, may be refused."""
    if isinstance(error, OverflowError) and len(str(error)) > 40:
        if not may_overflow(e):
            raise Disagreement(f"nothing overflows: {error!r}") from error
        return
    if isinstance(error, ValueError) and e.firth and "information is singular" in str(error):
        at = Exact(e, np.zeros(e.n_x, LD), LD(0) if e.intercept else LD(e.b))
        if e.n_x > MOST_FEATURES:
            return
        H = Hessian(e, at, LD(0), intercept=e.intercept)
        if H.S > 0 and H.least > 1e-11 + e.n_x * H.off:
            raise Disagreement(f"{H.least} is the least eigenvalue: {error!r}") from error
        return
    raise Disagreement(f"valid arguments: {error!r}") from error


def check_fit(e, given, result, error, *, warned):
    callback = given.get("callback")
    none = callback is None or (isinstance(callback, (list, tuple)) and not callback)
    odd = not none and getattr(callback, "__name__", "") != "go_on"
    if odd and error is not None:
        return  # of the callback's own
    if check_nonfinite(e, error):
        return
    if error is not None:
        check_fault(e, error)
        return
    if warned != (not result.converged and result.stopped != "callback"):
        raise Disagreement(f"{result!r} with warning: {warned}")
    steps, again = recorded(given, error, result, odd=odd)
    check_ending(e, again)
    if e.n_x > MOST_FEATURES or not np.isfinite(again.w).all():
        return
    for k, (cost, *_) in enumerate(steps):
        if cost != again.costs[k]:
            raise Disagreement(f"cost {k} is {again.costs[k]}, the callback got {cost}")
        if len(steps) - MOST_STEPS <= k + MOST_STEPS / 2 or k < MOST_STEPS / 2:
            check_step(e, steps, k, ended=k == len(steps) - 1 and again.stopped)
    check_minimum(e, again)


def check_ending(e, result):
    """What can be said without a computation."""
    if result.w.shape != (e.n_x, 1) or type(result.b) is not float:
        raise Disagreement(f"fit returned {result!r}")
    if not (np.isfinite(result.w).all() and np.isfinite(result.costs).all()):
        raise Disagreement(f"not finite: {result!r}")
    if not math.isfinite(result.b) or (not e.intercept and result.b != e.b):
        raise Disagreement(f"b is {result.b}, {e.b} was given")
    if not 1 <= result.passes <= max(e.max_passes, 4) or result.costs.size > result.passes:
        raise Disagreement(f"{result.passes} passes for {result.costs.size} costs")
    if result.stopped == "passes" and result.passes < e.max_passes:
        raise Disagreement(f"{result!r} ends before {e.max_passes} passes")
    if result.costs.size == 0:
        raise Disagreement(f"{result!r} has no cost")
    if result.stopped == "tol" and not result.gap <= e.tol * (1 + 1e-9):
        raise Disagreement(f"gap {result.gap}, tol {e.tol}")


def check_step(e, steps, k, *, ended):
    """J is the cost at w and b, and no higher than before, but for rounding."""
    cost, w, b = steps[k]
    if ended in {"tol", "rounding"}:
        e = in_float64(e)
    at = Point(e, w, b)
    if not np.isfinite(w).all() or not math.isfinite(b):
        raise Disagreement(f"w or b is not finite after {k} steps")
    if at.exact.may_overflow or not np.isfinite(at.off):
        return
    close(f"costs[{k}]", cost, at.J, at.off)
    if k > 0:
        before = Point(e, *steps[k - 1][1:])
        if at.J - before.J > at.off + before.off:
            raise Disagreement(f"J rises from {before.J} to {at.J} in step {k}")


def check_minimum(e, result):
    """Where fit says that this is the minimum, or that there is none, it has to be so."""
    e = in_float64(e)
    at = Point(e, result.w, result.b)
    if at.exact.may_overflow or not np.isfinite(at.off):
        return
    if result.stopped == "separated":
        Z = at.exact.Z - (0 if e.intercept else e.b)
        right = np.where(e.Y == 1, Z > -at.exact.blur, Z < at.exact.blur)
        all_alike = np.unique(e.Y[e.v > 0]).size == 1
        hard = np.isin(e.Y, (0, 1))
        bounded = e.l2 > 0 and not (all_alike and e.intercept)
        if bounded or e.firth or not (right & hard)[e.v > 0].all():
            raise Disagreement(f"no plane separates {result!r}")
    if result.converged:
        tol = max(e.tol, 1e-8) if result.stopped == "rounding" else e.tol
        low = at.lower()
        slack = 16 * (LD(tol) * at.exact.J + at.hidden()) + at.off + low.off
        curved = at.hessian.S > 1e-8 * at.total  # the package takes less for 1e-10
        if at.J - low.J > slack and curved:
            raise Disagreement(
                f"J is {at.J}, but {low.J} at w = {low.w}, b = {low.b}; {result!r}: "
                f"{at.J - low.J} lower, {slack} allowed"
            )


# ---- inference -----------------------------------------------------------------------------------


def check_refusal(e, error, H, total, parameters):
    """Inference may refuse what has no standard errors."""
    text = str(error)
    if isinstance(error, OverflowError) and len(text) > 40:
        if not may_overflow(e):
            raise Disagreement(f"nothing overflows: {error!r}") from error
    elif not isinstance(error, ValueError):
        raise Disagreement(f"valid arguments: {error!r}") from error
    elif "certainty" in text:
        if H.S > 2e-12 * total * (1 + H.off):
            raise Disagreement(f"the mean curvature is {H.S / total}: {error!r}") from error
    elif "rounding hides the robust errors" in text:
        if not (e.robust or e.clusters is not None) or H.least > 1e-4:
            raise Disagreement(f"{H.least} is the least eigenvalue: {error!r}") from error
    elif "parameters" in text:
        if total > parameters or not (e.robust == "HC1" or e.clusters is not None):
            raise Disagreement(f"{total} examples: {error!r}") from error
    elif "is a combination of" in text or "constant" in text or "0 throughout" in text:
        if H.least > 1e-12 + 4 * e.n_x * H.off and H.off < 1e-5:
            raise Disagreement(f"{H.least} is the least eigenvalue: {error!r}") from error
    else:
        raise Disagreement(f"valid arguments: {error!r}") from error


def check_inference(e, _given, result, error, *, warned):
    if check_nonfinite(e, error):
        return
    e.float32 = False
    exact = Exact(e, e.w, e.b)
    total = e.v.astype(LD).sum()
    if e.n_x > MOST_FEATURES or exact.may_overflow:
        return
    penalty = LD(e.l2) * np.ones(e.n_x, LD)
    if e.standardize:
        scaled = Exact(e, e.w, e.b, True)
        penalty = penalty * np.where(scaled.sd > 0, scaled.sd, 1) ** 2
    l2, e.l2 = e.l2, 0.0  # of the log-likelihood
    exact = Exact(e, e.w, e.b)
    H = Hessian(e, exact, total * penalty, intercept=e.intercept)
    parameters = e.n_x + e.intercept
    if error is not None:
        check_refusal(e, error, H, total, parameters)
        return
    if may_overflow(e):
        return
    if not H.S > 0.5e-12 * total * (1 - H.off):
        raise Disagreement(f"the mean curvature is {H.S / total}: {result!r}")
    if H.off < 1e-14 and min(H.pivots(), default=1) < 0.2e-12:
        raise Disagreement(f"pivots {H.pivots()}, and yet {result!r}")
    if result.l2 != l2:
        raise Disagreement(f"l2 is {l2}, but {result.l2} in the result")
    check_statistics(e, result, exact, total)
    check_covariance(e, result, H, exact, total)
    check_distance(e, exact, H, total, penalty * e.w, warned=warned)


def check_statistics(e, result, exact, total):
    """What follows from coefficients, covariance and J by a formula."""
    parameters = e.n_x + e.intercept
    theta = np.append(e.w, e.b)[:parameters]
    if not np.array_equal(result.coefficients, theta) or len(result.names) != parameters:
        raise Disagreement(f"the coefficients are {result.coefficients}, not {theta}")
    kind = "cluster" if e.clusters is not None else e.robust or "classical"
    if (result.kind, result.firth) != (kind, e.firth):
        raise Disagreement(f"{result.kind}, {result.firth}")
    C = result.covariance
    if C.shape != (parameters, parameters):
        raise Disagreement(f"the covariance has shape {C.shape}")
    errors = np.sqrt(np.diagonal(C))
    z = theta / errors
    close("n_obs", result.n_obs, total, 2.0**-52 * total)
    if not np.array_equal(result.standard_errors, errors, equal_nan=True):
        raise Disagreement(f"standard errors {result.standard_errors}, not {errors}")
    if not np.array_equal(result.z, z, equal_nan=True):
        raise Disagreement(f"z {result.z}, not {z}")
    p = [math.erfc(abs(x) / math.sqrt(2)) for x in z.tolist()]
    if not np.array_equal(result.p_values, p, equal_nan=True):
        raise Disagreement(f"p {result.p_values}, not {p}")
    reach = statistics.NormalDist().inv_cdf(0.975) * errors
    if np.isfinite(reach).all():
        off = 2.0**-50 * (np.abs(theta) + reach)
        close("lower ends", result.interval()[:, 0], theta - reach, off)
        close("upper ends", result.interval()[:, 1], theta + reach, off)
    log_likelihood = -total * exact.J
    loss_off = total * exact.J_off + 2.0**-50 * abs(log_likelihood)
    close("log-likelihood", result.log_likelihood, log_likelihood, loss_off)
    close("AIC", result.aic, 2 * parameters - 2 * log_likelihood, 2 * loss_off + 1e-13 * parameters)
    if not 0 <= result.lr_p_value <= 1 or not result.lr_statistic >= 0:
        raise Disagreement(f"{result.lr_statistic}, p = {result.lr_p_value}")
    repr(result)


def meat_of(e, exact, H):
    """Return the sum of the outer products of gradients by w and b + mu' w."""
    residual = e.v.astype(LD) * (exact.A - e.Y)
    g = np.vstack([(e.X - H.mu[:, None]) * residual, residual])
    if e.clusters is not None:
        g = np.array([[row[e.clusters == c].sum() for c in range(e.clusters.max() + 1)]
                      for row in g])  # fmt: skip
    return g @ g.T


def check_covariance(e, result, H, exact, total):
    """H C H is the meat of the sandwich, or H itself."""
    n = e.n_x
    unit = np.append(H.unit, 1 / np.sqrt(H.S))
    full = np.zeros((n + 1, n + 1), LD)
    full[:n, :n], full[n, n] = H.scaled, 1
    meat = full
    parameters = n + e.intercept
    if e.robust or e.clusters is not None:
        meat = meat_of(e, exact, H) * unit * unit[:, None]
        if e.clusters is not None:
            c = LD(e.clusters.max() + 1)
            meat = meat * (total - 1) / (total - parameters) * c / (c - 1)
        elif e.robust == "HC1":
            meat = meat * total / (total - parameters)
    # the covariance of w and b + mu' w, of units
    C = np.zeros((n + 1, n + 1), LD)
    C[:parameters, :parameters] = result.covariance
    back = np.eye(n + 1, dtype=LD)
    back[n, :n] = H.mu
    moved = np.abs(back) @ np.abs(C) @ np.abs(back).T / unit / unit[:, None]
    C = back @ C @ back.T / unit / unit[:, None]
    if not e.intercept:
        full, meat, C = full[:n, :n], meat[:n, :n], C[:n, :n]
        moved = moved[:n, :n]
    if not n and not e.intercept:
        return
    size = np.abs(full)
    residual_off = 2 * np.minimum(exact.blur, 1).max() + H.off
    off = 16 * residual_off * (size @ np.abs(C) @ size) + size @ moved @ size * (n + 8) * 2.0**-50
    off += (
        16 * residual_off * np.abs(meat).max()
        + 16 * np.sqrt(np.outer(np.diagonal(meat), np.diagonal(meat))) * residual_off
    )
    if e.robust or e.clusters is not None:  # residuals that vanish have lost digits
        off += 16 * np.sqrt(np.abs(np.diagonal(meat)).max()) * np.sqrt(total) * 2.0**-50
    close("H C H", (full @ C @ full)[:], meat, np.maximum(off, off.T))


def check_distance(e, exact, H, total, pull, *, warned):
    """A point further than a tenth of a standard error from the minimum must warn."""
    by_w, by_b = (exact.dw + pull) * total, exact.db * total if e.intercept else LD(0)
    off = H.length(exact.dw_off * total, exact.db_off * total if e.intercept else LD(0))
    if e.firth:
        lean = H.leverages(e.X) * (exact.A - LD(0.5))
        by_w = by_w + e.X @ lean
        by_b = by_b + lean.sum() if e.intercept else by_b
        off += (LD(H.off) / max(H.least, 1e-300)) ** 2
    step_w, _ = H.solve(by_w, by_b)
    by_w = by_w - H.mu * by_b
    far = np.sqrt(max(by_w @ step_w, LD(0)) + (by_b**2 / H.S if e.intercept else 0))
    rounding = np.sqrt(off) + far * H.off / max(H.least, 1e-300)
    if abs(far - 0.1) > 1e-6 + rounding and warned != (far > 0.1):
        raise Disagreement(f"{far} standard errors from the minimum, warned: {warned}")
