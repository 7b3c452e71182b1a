# SPDX-License-Identifier: BSD-3-Clause
"""The formulas in long double, and how far off the package may be."""

import math

import numpy as np

LD = np.longdouble


class Disagreement(Exception):  # noqa: N818
    """What the package did is not what was expected."""


class Exact:
    """One pass in long double, and how far off the package may be.

    The bounds are those of docs/architecture.md: the rounding of a z is at most (n_x + 8) u
    (sum |w_j x_j| + |b|), and what depends on z inherits that; sums add some u of the sum of
    magnitudes.
    """

    def __init__(self, e, w, b, standardize=False):
        self.u = u = 2.0**-24 if e.float32 else 2.0**-53
        tiny = 2.0**-149 if e.float32 else 2.0**-1074
        # beyond these, a sum or a square may leave the range of the arithmetic
        self.most, self.least = (1e36, 1e-36) if e.float32 else (1e300, 1e-300)
        X, w, b, v = e.X.astype(LD), w.astype(LD), LD(b), e.v.astype(LD)
        total = v.sum()
        self.mu = self.sd = None
        rest = LD(0)
        sizes = [np.abs(X).max(initial=0), total, np.abs(X @ v).max(initial=0)]
        self.lost = total < self.least or total > self.most
        if standardize:
            counted = X[:, v > 0]
            self.mu = mu = X @ v / total
            varies = counted.min(axis=1) < counted.max(axis=1)
            sd = np.sqrt((X - mu[:, None]) ** 2 @ v / total)
            self.sd = sd = np.where(varies, sd, 0)
            mu = np.where(varies, mu, counted[:, :1].ravel())
            self.mu = mu
            X = X - mu[:, None]
            small = np.abs(X[varies])
            small = small[small > 0]
            deviation = sd[sd > 0]
            root = math.sqrt(self.least)
            self.lost |= bool(deviation.size and deviation.min() < root)
            self.lost |= bool(np.abs(e.X).max(initial=0) > math.sqrt(self.most))
            sizes += [1 / deviation.min() if deviation.size else 0]
            rest = np.abs(w) @ np.abs(mu) * 2.0**-52 + abs(b) * 2.0**-52
            b = b + w @ mu
        self.n_x = len(w)
        Z = w @ X + b
        magnitudes = np.abs(w) @ np.abs(X) + abs(b)
        if standardize:
            magnitudes = magnitudes + np.abs(w) @ np.abs(self.mu) * u * 2
        blur = (
            (self.n_x + 8) * u * magnitudes + rest + tiny * (np.abs(X).sum(axis=0) + self.n_x + 1)
        )
        blur = blur + tiny * np.abs(w).sum()
        sizes += [magnitudes.max(), np.abs(w).max(initial=0)]
        self.Z, self.blur = Z, blur
        self.t = t = np.exp(-np.abs(Z))
        self.A = np.where(Z > 0, 1 / (1 + t), t / (1 + t))
        if e.Y is not None:
            Y = e.Y.astype(LD)
            c = np.where(Z > 0, 1 - Y, Y)
            cost = np.abs(Z) * c + np.log1p(t)
            dZ = np.where(Z > 0, c - t / (1 + t), t / (1 + t) - c)
            soft = ((Y != 0) & (Y != 1)) * u
            cost_off = blur * np.minimum(1, np.abs(dZ) + blur) + (np.abs(Z) + 1) * soft
            cost_off = cost_off + 16 * u * (np.abs(Z) * c + 1)
            dZ_off = np.minimum(2, blur / 4 + 2 * soft + 16 * u * (np.abs(dZ) + soft)) + tiny
            self.scale = scale = 1 / np.where(self.sd > 0, self.sd, np.inf) if standardize else 1
            w_std = w * self.sd if standardize else w
            mean = v / total
            self.J = mean @ cost + LD(e.l2) / 2 * (w_std**2).sum()
            self.dw = X @ (dZ * mean) * scale + LD(e.l2) * w_std
            self.db = mean @ dZ
            self.db_off = mean @ dZ_off + 64 * u * (mean @ np.abs(dZ)) + tiny
            self.J_off = mean @ cost_off + 64 * u * self.J + tiny
            self.dw_off = (
                np.abs(X) @ (mean * (dZ_off + 64 * u * np.abs(dZ))) + tiny * (1 + 1 / total)
            ) * scale + 4 * u * LD(e.l2) * np.abs(w_std)
            if standardize:  # the part of the mean that the arithmetic cannot hold
                self.dw_off += np.abs(self.mu) * scale * 2 * u * (np.abs(self.db) + self.db_off)
                worse = 1 + np.abs(self.mu) * scale  # how much sd has canceled
                self.dw_off += np.abs(self.dw) * worse * 2.0**-46
                self.J_off += LD(e.l2) * (w_std**2 * worse).sum() * 2.0**-46
            sizes += [self.J * total, np.abs(self.dw).max(initial=0), np.abs(X) @ v]
            sizes += [e.l2, e.l2 * np.abs(w_std).max(initial=0), (w_std**2).sum() * (e.l2 > 0)]
        self.large = max(float(np.max(s, initial=0)) for s in sizes)
        self.may_overflow = bool(self.lost or not self.large < self.most)


def close(what, value, exact, off):
    value = np.ravel(value).astype(LD)
    exact, off = np.ravel(exact), np.ravel(off)
    if not np.isfinite(value.astype(np.float64)).all():
        raise Disagreement(f"{what} is not finite: {value}")
    worst = np.abs(value - exact) - off * (1 + 1e-9)
    if (worst > 0).any():
        k = int(np.argmax(worst))
        raise Disagreement(f"{what}[{k}] = {value[k]}, exactly {exact[k]} +- {off[k]}")


class Hessian:
    """Sums of h x x' with h = v A (1 - A), about their mean; and the inverse, as float64 has it.

    `off` is how far off the package's sums may be, relative to the roots of the diagonal.
    """

    def __init__(self, e, exact, penalty, *, intercept):
        X, v = e.X.astype(LD), e.v.astype(LD)
        t = exact.t
        self.h = h = v * t / (1 + t) ** 2
        self.S = S = h.sum()
        self.intercept = intercept
        self.n_x = n = len(X)
        self.mu = X @ h / S if intercept and S > 0 else np.zeros(n, LD)
        centred = X - self.mu[:, None]
        H = (centred * h) @ centred.T
        self.H = H + penalty * np.eye(n)
        diagonal = np.diagonal(self.H)
        self.unit = 1 / np.sqrt(np.where(diagonal > 0, diagonal, np.inf))
        self.scaled = self.H * self.unit * self.unit[:, None]
        plain = X @ v / v.sum()  # what the package subtracts first
        away = (plain - self.mu if intercept else plain) * self.unit * np.sqrt(S)
        magnitudes = np.abs(X).max(axis=1, initial=0) * self.unit * np.sqrt(S)
        self.off = (n + 40) * 2.0**-52 * (1 + (away**2).max(initial=0))
        self.off += 2 * (h @ np.minimum(exact.blur, 1) / S if S > 0 else 1)
        self.off += 2.0**-52 * magnitudes.max(initial=0)
        self.off = float(min(self.off, LD(1e300)))
        self._eigen = None

    @property
    def eigen(self):
        """Eigenvalues and eigenvectors of the scaled Hessian."""
        if self._eigen is None:
            self._eigen = np.linalg.eigh(self.scaled.astype(np.float64))
        return self._eigen

    @property
    def least(self):
        """The least eigenvalue of the scaled Hessian."""
        return float(self.eigen[0].min(initial=1))

    def solve(self, by_w, by_b):
        """Return H^-1 times a gradient by w and b, without the directions that rounding hides."""
        values, vectors = self.eigen
        values = np.where(values > 1e-14 * max(self.n_x, 1), values, np.inf)
        g = ((by_w - self.mu * by_b) * self.unit).astype(np.float64)
        by_w = (vectors @ ((vectors.T @ g) / values)).astype(LD) * self.unit
        if not self.intercept:
            return by_w, LD(0)
        return by_w, by_b / self.S - self.mu @ by_w

    def length(self, by_w, by_b):
        """Bound g' H^-1 g over all gradients whose components are at most these."""
        values, vectors = self.eigen
        inverse = (vectors**2 / np.maximum(values, 1e-14 * max(self.n_x, 1))).sum(axis=1)
        reach = (by_w + np.abs(self.mu) * by_b) * self.unit @ np.sqrt(inverse)
        if self.intercept:
            reach = reach + by_b / np.sqrt(self.S)
        return reach**2

    def pivots(self):
        """Return what Cholesky's algorithm leaves of the scaled diagonal, in order."""
        A, found = self.scaled.copy(), []
        for k in range(self.n_x):
            pivot = A[k, k]
            found.append(float(pivot))
            if not pivot > 0:
                break
            A[k + 1 :, k + 1 :] -= np.outer(A[k + 1 :, k], A[k + 1 :, k]) / pivot
        return found

    def log_determinant(self):
        """Return ln |H| with that of b."""
        pivots = np.array(self.pivots(), LD)
        if not (pivots > 0).all() or not (self.unit > 0).all():
            return LD(-np.inf)
        of_w = np.log(pivots).sum() - 2 * np.log(self.unit).sum()
        return of_w + np.log(self.S) if self.intercept else of_w

    def leverages(self, X):
        """Return the diagonal of the hat matrix."""
        values, vectors = self.eigen
        rows = (X.astype(LD) - self.mu[:, None]) * self.unit[:, None]
        solved = (vectors.T @ rows.astype(np.float64)) ** 2
        of_w = (solved / np.maximum(values, 1e-300)[:, None]).sum(axis=0)
        return self.h * (of_w + (1 / self.S if self.intercept else 0))


# ---- Errors --------------------------------------------------------------------------------------


def check_nonfinite(e, error, *, iterations=True):
    """X holds NaN or infinity: the error must name the first."""
    bad = np.argwhere(~np.isfinite(e.X.T))
    if not bad.size or not iterations:
        return False
    example, feature = bad[0]
    if not isinstance(error, ValueError) or f"({feature}, {example})" not in str(error):
        raise Disagreement(f"X[{feature}, {example}] is not finite, but: {error!r}")
    return True


def check_error(error, kind, exact):
    """An overflow must be one."""
    if error is not None:
        if not isinstance(error, kind) or len(str(error)) < 40:
            raise Disagreement(f"valid arguments: {error!r}") from error
        if not exact.may_overflow:
            raise Disagreement(f"nothing overflows: {error!r}") from error
    return error is not None
