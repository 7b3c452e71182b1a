# SPDX-License-Identifier: BSD-3-Clause
"""J of any number of outputs with its penalties, in long double, and whether it has a minimum."""

import numpy as np
import scipy.optimize
from exact import LD

U = 2.0**-53
NULL = 1e-13  # of a scaled Hessian: eigenvalues that rounding hides
SWEEPS = 60


class Truth:
    """J of a model for one l1, l2 and sample_weight; theta is (n_x + 1, K), b in the last row."""

    def __init__(self, model, l1, l2, *, Y=None, v=None, u=U):
        self.model, self.l1, self.l2, self.u = model, l1, l2, u
        self.Y = model.Y if Y is None else np.asarray(Y)
        self.v = (model.v if v is None else np.asarray(v, float)).astype(LD)
        self.total = self.v.sum()
        self.X1 = np.vstack([model.X, np.ones((1, model.X.shape[1]))]).astype(LD)
        self.k = model.k

    def at(self, w, b):
        n_x = len(self.X1) - 1
        theta = np.vstack([np.asarray(w, LD).reshape(n_x, self.k), np.reshape(b, (1, self.k))])
        return Point(self, theta.astype(LD))

    def penalty(self, theta):
        squares, sizes = (theta[:-1] ** 2).sum(axis=1), np.abs(theta[:-1]).sum(axis=1)
        return (self.l2.astype(LD) / 2 * squares + self.l1.astype(LD) * sizes).sum()


class Point:
    """J at theta, its gradient (n_x + 1, K) without that of l1, and how far off either may be."""

    def __init__(self, truth, theta):
        self.truth, self.theta = truth, theta
        X1, u = truth.X1, truth.u
        Z = X1.T @ theta
        self.blur = ((len(X1) + 8) * u * (np.abs(X1).T @ np.abs(theta))).max(axis=1)
        loss = self._of_one(Z[:, 0]) if truth.k == 1 else self._of_several(Z)
        share = truth.v / truth.total
        size = np.abs(self.R).sum(axis=1)
        off = self.blur * np.minimum(1, size + self.blur)
        off = off + 16 * u * (loss + np.minimum(1, np.abs(Z).max(axis=1)))
        penalty = truth.penalty(theta)
        self.J = share @ loss + penalty
        self.off = share @ off + 64 * u * self.J
        self.pull = truth.l2.astype(LD)[:, None] * theta[:-1]
        self.gradient = X1 @ (self.R * share[:, None])
        self.gradient[:-1] += self.pull
        unsure = np.minimum(2, self.blur / 2 + 64 * u * size)
        self.gradient_off = np.abs(X1) @ (share * unsure)
        self.gradient_off[:-1] += 8 * u * np.abs(self.pull).max(axis=1, initial=0)
        if not truth.model.intercept:
            self.gradient[-1] = self.gradient_off[-1] = 0
        self.curved = float(share @ (self.A * (1 - self.A)).max(axis=1))
        self._eigen = None

    def _of_one(self, Z):
        Y = self.truth.Y.astype(LD)
        t = np.exp(-np.abs(Z))
        c = np.where(Z > 0, 1 - Y, Y)
        self.A = np.where(Z > 0, 1 / (1 + t), t / (1 + t))[:, None]
        self.R = np.where(Z > 0, c - t / (1 + t), t / (1 + t) - c)[:, None]
        return np.abs(Z) * c + np.log1p(t)

    def _of_several(self, Z):
        at = np.arange(len(Z)), self.truth.Y
        E = np.exp(Z - Z.max(axis=1, keepdims=True))
        self.A = E / E.sum(axis=1, keepdims=True)
        self.R = self.A.copy()
        self.R[at] = 0
        self.R[at] = -self.R.sum(axis=1)
        others = np.exp(Z - Z[at][:, None])
        others[at] = 0
        with np.errstate(over="ignore"):
            plain = np.log1p(others.sum(axis=1))
        top = Z.max(axis=1)
        return np.where(np.isfinite(plain), plain, top - Z[at] + np.log(E.sum(axis=1)))

    def hessian(self, dtype=np.float64):
        """Return that of J, (K (n_x + 1), K (n_x + 1)), class by class; b as it is."""
        truth = self.truth
        X1, n, k = truth.X1.astype(dtype), len(truth.X1), truth.k
        A, share = self.A.astype(dtype), (truth.v / truth.total).astype(dtype)
        H = np.zeros((k, n, k, n), dtype)
        for a in range(k):
            for b in range(a + 1):
                h = A[:, a] * ((a == b) - A[:, b]) * share
                H[a, :, b] = (X1 * h) @ X1.T
                H[b, :, a] = H[a, :, b].T
            H[a, :-1, a, :-1] += np.diag(truth.l2.astype(dtype))
        if not truth.model.intercept:
            H[:, -1] = H[:, :, :, -1] = 0
        return H.reshape(k * n, k * n)

    @property
    def eigen(self):
        """The units, eigenvalues and eigenvectors of the scaled Hessian, without null ones."""
        if self._eigen is None:
            H = self.hessian()
            diagonal = np.diagonal(H)
            unit = 1 / np.sqrt(np.where(diagonal > 0, diagonal, np.inf))
            values, vectors = np.linalg.eigh(H * unit * unit[:, None])
            self._eigen = unit, np.where(values > NULL * len(H), values, np.inf), vectors
        return self._eigen

    def hidden(self):
        """Bound what a gradient may hide that is off as far as rounding allows."""
        unit, values, vectors = self.eigen
        off = np.tile(self.gradient_off.astype(float), self.truth.k)
        return float((off * unit) @ np.sqrt((vectors**2 / values).sum(axis=1))) ** 2

    def lower(self, steps=4):
        """Return the point that some steps of Newton's method lead to, with l1 and bounds."""
        at = self
        for _ in range(steps):
            end = at._newton() if at.truth.k > 1 or at._is_smooth() else at._proximal()
            size = LD(1)
            for _ in range(12):
                to = Point(at.truth, at.theta + size * (end - at.theta))
                if to.J < at.J:
                    break
                size /= 4
            else:
                return at
            gained, at = at.J - to.J, to
            if gained < 1e-14 * abs(at.J):
                break
        return at

    def _is_smooth(self):
        model = self.truth.model
        unbounded = np.isinf(model.lower).all() and np.isinf(model.upper).all()
        return unbounded and not self.truth.l1.any()

    def _newton(self):
        unit, values, vectors = self.eigen
        g = self.gradient.T.ravel().astype(float) * unit
        step = (vectors @ ((vectors.T @ g) / values) * unit).reshape(self.truth.k, -1).T
        return self.theta - step

    def _proximal(self):
        """Return about the minimum of the quadratic model, by sweeps and a step between signs."""
        truth = self.truth
        model = truth.model
        H, at = self.hessian(), self.theta[:, 0].astype(float)
        l1 = np.append(truth.l1, 0.0)
        low, high = np.append(model.lower, -np.inf), np.append(model.upper, np.inf)
        v, slope = at.copy(), self.gradient[:, 0].astype(float)
        for _ in range(SWEEPS):
            for j in np.flatnonzero(np.diagonal(H) > 0):
                aim = v[j] - slope[j] / H[j, j]
                aim = np.sign(aim) * max(abs(aim) - l1[j] / H[j, j], 0)
                moved = min(max(aim, low[j]), high[j]) - v[j]
                v[j] += moved
                slope += moved * H[j]
        free = (v > low) & (v < high) & ((v != 0) | (l1 == 0)) & (np.diagonal(H) > 0)
        if free.any():
            step = -np.linalg.lstsq(H[np.ix_(free, free)], (slope + l1 * np.sign(v))[free])[0]
            ends = np.where(l1[free] > 0, np.where(v[free] > 0, 0, -np.inf), -np.inf)
            tops = np.where(l1[free] > 0, np.where(v[free] > 0, np.inf, 0), np.inf)
            v[free] = np.clip(v[free] + step, np.maximum(ends, low[free]),
                              np.minimum(tops, high[free]))  # fmt: skip
        return v.astype(LD)[:, None]


# ---- Whether there is a minimum ------------------------------------------------------------------


def separation(truth):
    """Return "complete", "quasi" or "none", or "" where a linear program does not say clearly.

    J has no minimum where along some direction no margin shrinks and one grows, of weights that no
    penalty or bound stops; it is complete where all of them grow.
    """
    rows, ends, is_equal = _margins(truth)
    if len(rows) == 0:
        return "none"
    unequal, equal = rows[~is_equal], rows[is_equal]
    fixed = {"A_eq": equal, "b_eq": np.zeros(len(equal))} if len(equal) else {}
    grown = scipy.optimize.linprog(
        -unequal.sum(axis=0), A_ub=-unequal, b_ub=np.zeros(len(unequal)), bounds=ends, **fixed
    )
    if grown.status != 0:
        return ""
    if -grown.fun < 1e-9:
        return "none"
    if -grown.fun < 1e-4:
        return ""
    if is_equal.any():
        return "quasi"
    width = unequal.shape[1]
    least = scipy.optimize.linprog(
        np.append(np.zeros(width), -1.0), A_ub=np.hstack([-unequal, np.ones((len(unequal), 1))]),
        b_ub=np.zeros(len(unequal)), bounds=[*ends, (0, 1)],
    )  # fmt: skip
    if least.status != 0 or 1e-9 <= -least.fun < 1e-6:
        return ""
    return "complete" if -least.fun >= 1e-6 else "quasi"


def _margins(truth):
    """Return margins as linear functions of a direction, its ends, and which must not change."""
    model, counted = truth.model, truth.v > 0
    X, k = model.X[:, counted], truth.k
    if model.intercept:
        X = X - X.mean(axis=1, keepdims=True)
    scale = np.abs(X).max(axis=1, initial=0)
    X = np.vstack([X / np.where(scale > 0, scale, 1)[:, None], np.ones((1, X.shape[1]))])
    held = (truth.l1 > 0) | (truth.l2 > 0) | (scale == 0)
    low = np.where(np.isfinite(model.lower) | held, 0.0, -1.0)
    high = np.where(np.isfinite(model.upper) | held, 0.0, 1.0)
    b = 1.0 if model.intercept else 0.0
    ends = list(zip(np.append(low, -b), np.append(high, b), strict=True)) * k
    Y = truth.Y[counted]
    if k == 1:
        is_equal = ~np.isin(Y, (0, 1))
        return np.where(Y == 0, -1.0, 1.0)[:, None] * X.T, ends, is_equal
    rows = []
    for x, y in zip(X.T, Y, strict=True):
        for other in set(range(k)) - {y}:
            row = np.zeros((k, len(x)))
            row[y], row[other] = x, -x
            rows.append(row.ravel())
    return np.array(rows), ends, np.zeros(len(rows), bool)
