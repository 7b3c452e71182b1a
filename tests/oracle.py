# SPDX-License-Identifier: BSD-3-Clause
"""References for the tests: exact results in mpmath, and arrays in every layout.

The exact results come straight from the formulas, in 60 digits or more. They share nothing with the
kernel: no case split on the sign of z, no blocks, no product inside the logarithm.
"""

import hashlib
import math
import os
import subprocess
import sys
import threading
from pathlib import Path

import mpmath
import numpy as np
from hypothesis import settings

import logreg_c

bounded = settings(derandomize=True, max_examples=50)


# ---- Exact results -------------------------------------------------------------------------------


class Exact(threading.local):
    """mpmath with 60 digits in a context of its own, so that no other code's precision changes.

    Each thread has its own context, because many functions temporarily raise its precision.
    """

    def __init__(self):
        self.context = mpmath.MPContext()
        self.context.dps = 60

    def __getattr__(self, name):
        return getattr(self.context, name)


MP = Exact()


def mpf(values):
    """Return an array's doubles, exactly, as nested lists of mpf."""
    if np.ndim(values) == 0:
        return MP.mpf(float(values))
    return [mpf(v) for v in values]


def sigmoid(z):
    return 1 / (1 + MP.exp(-z))


def softplus(z):
    """Return log(1 + exp(z)); J = mean(Y softplus(-Z) + (1 - Y) softplus(Z))."""
    return MP.log1p(MP.exp(z))


class Problem:
    """A data set in exact numbers; `examples` is a list of (x, y, weight)."""

    def __init__(self, X, Y, sample_weight=None):
        Y = np.ravel(Y)
        weight = np.ones(len(Y)) if sample_weight is None else sample_weight
        self.n_x = len(X)
        self.examples = list(zip(mpf(np.transpose(X)), mpf(Y), mpf(weight), strict=True))
        self.total = MP.fsum(v for _, _, v in self.examples)

    def mean(self, values):
        """Return the weighted mean of one value per example."""
        return MP.fdot(values, (v for _, _, v in self.examples)) / self.total

    def z(self, w, b):
        return [MP.fdot(x, w) + b for x, _, _ in self.examples]

    def cost_and_gradient(self, w, b, l2=0):
        """Return J, dw, db and, for each feature, mean(|x_j dz|), which bounds the error of dw."""
        Z = self.z(w, b)
        Y = [y for _, y, _ in self.examples]
        dZ = [sigmoid(z) - y for z, y in zip(Z, Y, strict=True)]
        J = self.mean(y * softplus(-z) + (1 - y) * softplus(z) for z, y in zip(Z, Y, strict=True))
        slopes = [[x[j] * dz for (x, _, _), dz in zip(self.examples, dZ, strict=True)]
                  for j in range(self.n_x)]  # fmt: skip
        dw = [self.mean(s) + l2 * w_j for s, w_j in zip(slopes, w, strict=True)]
        scale = [self.mean(abs(v) for v in s) for s in slopes]
        return J + l2 / 2 * MP.fsum(w_j**2 for w_j in w), dw, self.mean(dZ), scale

    def standardized(self):
        """Return (the problem in (X - mu) / sd, mu, sd); a constant feature becomes 0, with sd 0.

        Examples of weight 0 do not count.
        """
        mu, sd = [], []
        for j in range(self.n_x):
            values = [x[j] for x, _, _ in self.examples]
            mu.append(self.mean(values))
            counted = {x[j] for x, _, v in self.examples if v}
            varies = len(counted) > 1
            sd.append(MP.sqrt(self.mean((v - mu[j]) ** 2 for v in values)) if varies else MP.zero)
        other = Problem([], [])
        other.n_x, other.total = self.n_x, self.total
        other.examples = [
            ([(x[j] - mu[j]) / sd[j] if sd[j] else MP.zero for j in range(self.n_x)], y, v)
            for x, y, v in self.examples
        ]
        return other, mu, sd


def descend(X, Y, alpha, iters, *, w=None, b=0.0, l2=0.0, sample_weight=None, standardize=False):
    """Return w and b (for the raw features) and the costs of exact gradient descent."""
    problem = Problem(X, Y, sample_weight)
    w = mpf(np.zeros(problem.n_x) if w is None else np.ravel(w))
    b, alpha, l2 = mpf(b), mpf(alpha), mpf(l2)
    if standardize:
        problem, mu, sd = problem.standardized()
        b += MP.fdot(w, mu)
        kept = w
        w = [w_j * s for w_j, s in zip(w, sd, strict=True)]
    costs = []
    for _ in range(iters):
        J, dw, db, _ = problem.cost_and_gradient(w, b, l2)
        costs.append(J)
        w = [w_j - alpha * d for w_j, d in zip(w, dw, strict=True)]
        b = b - alpha * db
    if standardize:
        w = [w_j / s if s else k for w_j, s, k in zip(w, sd, kept, strict=True)]
        b -= MP.fdot(w, mu)
    return w, b, costs


def ulps(values, exact):
    """Return the largest |value - exact| in units in the last place (ulp) of the exact result."""
    worst = MP.zero
    for value, true in zip(np.ravel(values), exact, strict=True):
        ulp = MP.ldexp(1, max(MP.mag(true) - 1, -1022) - 52)
        worst = max(worst, abs(mpf(value) - true) / ulp)
    return float(worst)


def relative(values, exact):
    """Return max|value - exact| / max|exact|."""
    difference = [abs(mpf(v) - t) for v, t in zip(np.ravel(values), exact, strict=True)]
    largest = max(map(abs, exact))
    return float(max(difference) / largest) if largest else float(max(difference))


# ---- Data ----------------------------------------------------------------------------------------


def make_data(n_x, m, seed=0):
    """Return standard normal X (n_x, m), and noisy labels (1, m) that X partly explains."""
    rng = np.random.default_rng([seed, n_x, m])
    X = rng.standard_normal((n_x, m))
    score = rng.standard_normal(m) + X[: min(n_x, 3)].sum(axis=0)
    return X, (score > 0).astype(np.float64)[None]


def _inside(X, order, before, step):
    """Return X as a view into a larger array of NaN; `before`, `step` are (features, examples)."""
    shape = [3 + f + s * n for n, f, s in zip(X.shape, before, step, strict=True)]
    whole = np.full(shape, np.nan, order=order)
    (f, g), (s, t) = before, step
    view = whole[f : f + s * X.shape[0] : s, g : g + t * X.shape[1] : t]
    view[...] = X
    return view


FEATURE_MAJOR = {
    "C": np.ascontiguousarray,
    "C, every second row": lambda X: _inside(X, "C", (1, 0), (2, 1)),
    "C, some columns": lambda X: _inside(X, "C", (0, 3), (1, 1)),
}
EXAMPLE_MAJOR = {
    "F": np.asfortranarray,
    "F, some rows": lambda X: _inside(X, "F", (3, 0), (1, 1)),
    "F, every second column": lambda X: _inside(X, "F", (0, 1), (1, 2)),
}
LAYOUTS = FEATURE_MAJOR | EXAMPLE_MAJOR


# ---- Bits ----------------------------------------------------------------------------------------


def bits(*results):
    """Hash every bit of the results: arrays, floats or tuples of them."""
    digest = hashlib.sha256()
    for result in results:
        for value in result if isinstance(result, tuple) else (result,):
            digest.update(np.ascontiguousarray(value, dtype=np.float64).tobytes())
    return digest.hexdigest()


def run_python(code, **environment):
    """Run `code` in a new interpreter that can import the tests' modules; return what it prints."""
    done = subprocess.run(
        [sys.executable, "-c", code],
        check=False,
        cwd=Path(__file__).parent,  # not the clone's root, where logreg_c has no compiled kernel
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def printed_on_every_isa(code):
    """Return what `code` prints on each instruction set; THREADS are numbers of threads to use."""
    known = [name for name, runs in logreg_c._kernel.isa_known().items() if runs]
    return {
        run_python(
            f"THREADS = {(1, 2, 5, 8) if name == known[-1] else (1, 2, 2, 2)}\n{code}",
            LOGREG_C_ISA=name,
        )
        for name in known
    }


# ---- The minimum with penalties ------------------------------------------------------------------


class Penalized:
    """J + sum(l1 |w| + l2/2 w^2) with w within bounds, in NumPy; the least cost, slowly.

    Newton steps on J, each by coordinate descent to 1e-12, on features of length 1.
    """

    def __init__(self, X, Y, l1, l2, lower=-np.inf, upper=np.inf, weights=None):
        X = np.asarray(X, float)
        n_x, m = X.shape
        s = np.ones(m) if weights is None else np.asarray(weights, float)
        self.X, self.Y, self.s = X, np.asarray(Y, float).ravel(), s / s.sum()
        given = (l1, l2, lower, upper)
        self.l1, self.l2, self.lower, self.upper = (np.broadcast_to(v, n_x) for v in given)

    def cost(self, w, b):
        w = np.ravel(w)
        z = w @ self.X + b
        J = self.s @ (np.logaddexp(0.0, z) - self.Y * z)
        return J + self.l1 @ np.abs(w) + self.l2 @ w**2 / 2

    def model(self, w, b, *, intercept):
        """Return the slope and the Hessian by w at fixed b + mu.w, mu, and the step of that."""
        p = 1.0 / (1.0 + np.exp(-np.clip(w @ self.X + b, -700.0, 700.0)))
        h = self.s * np.maximum(p * (1.0 - p), 1e-200)
        d = self.s * (p - self.Y)
        mu = self.X @ h / h.sum() if intercept else np.zeros(len(self.X))
        centred = self.X - mu[:, None]
        H = (centred * h) @ centred.T + np.diag(self.l2)
        shift = -d.sum() / h.sum() if intercept else 0.0
        return centred @ d + self.l2 * w, H, mu, shift

    def minimum(self, *, intercept=True):
        """Return the least cost."""
        w = np.clip(np.zeros(len(self.X)), self.lower, self.upper)
        b, best = 0.0, np.inf
        for _ in range(100):
            slope, H, mu, shift = self.model(w, b, intercept=intercept)
            v = self.descend(w, slope, H)
            step = shift - mu @ (v - w)
            t = 1.0
            while self.cost(w + t * (v - w), b + t * step) > self.cost(w, b) and t > 1e-12:
                t /= 2
            w, b = w + t * (v - w), b + t * step
            if best - self.cost(w, b) <= 1e-15:
                break
            best = self.cost(w, b)
        return min(best, self.cost(w, b))

    def descend(self, w, slope, H):
        slope, v = slope.copy(), w.tolist()
        h = np.diagonal(H)
        curved = np.flatnonzero(h > 1e-22 * np.einsum("ij,ij->i", self.X, self.X))
        # Numbers of Python's: those of NumPy take several times as long.
        given = (curved, h[curved], self.l1[curved], self.lower[curved], self.upper[curved])
        columns = list(zip(*(values.tolist() for values in given), strict=True))
        for _ in range(3000):
            moved = 0.0
            for j, curvature, l1, lower, upper in columns:
                x = v[j] - slope.item(j) / curvature
                x = math.copysign(max(abs(x) - l1 / curvature, 0.0), x)
                x = min(max(x, lower), upper)
                if x != v[j]:
                    moved = max(moved, abs(x - v[j]) * curvature**0.5)
                    slope += H[j] * (x - v[j])
                    v[j] = x
            if moved <= 1e-12:
                break
        return np.array(v)
