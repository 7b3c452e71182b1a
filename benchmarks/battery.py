# SPDX-License-Identifier: BSD-3-Clause
"""Problems for the search for the minimum, with the value of each minimum.

``python -m benchmarks.battery`` finds every minimum with Newton's method in NumPy, checks `fit`
against it, and prints the rows of `MINIMA` and how many passes `fit` needs for each gap. An
argument selects the problems with it in their names.

`PROBLEMS` were at hand while the search was tuned; `UNSEEN` were written after that.
"""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np

import logreg_c

EXAMPLE = Path(__file__).parent.parent / "examples" / "breast_cancer.csv"
GAPS = (1e-3, 1e-6, 1e-9)


class Problem(NamedTuple):
    """Data, one example per row, and the penalty."""

    A: np.ndarray
    y: np.ndarray
    l2: float
    sample_weight: np.ndarray | None = None


def labels(rng: np.random.Generator, z: np.ndarray) -> np.ndarray:
    """Draw labels with log-odds z."""
    return (rng.random(len(z)) < 1 / (1 + np.exp(-np.clip(z, -500, 500)))).astype(np.uint8)


def problem(
    rng: np.random.Generator,
    A: np.ndarray,
    spread: float,
    shift: float = 0.0,
    l2: float | None = None,
) -> Problem:
    """Draw labels whose log-odds are linear in A, with a standard deviation of `spread`."""
    w = rng.standard_normal(A.shape[1])
    z = np.concatenate([A[i : i + 10_000].astype(np.float64) @ w for i in range(0, len(A), 10_000)])
    z = (z - z.mean()) / z.std() * spread + shift
    return Problem(A, labels(rng, z), 1 / len(A) if l2 is None else l2)


def gaussian(m: int, n_x: int, dtype: str = "f8") -> Problem:
    """Independent features."""
    rng = np.random.default_rng(0)
    return problem(rng, rng.standard_normal((m, n_x)).astype(dtype), 2.0, -1.0)


def correlated(dtype: str = "f8") -> Problem:
    """Mixed features with scales from 0.1 to 10, on which L-BFGS needs hundreds of iterations."""
    rng = np.random.default_rng(1)
    n_x = 200
    mix = rng.standard_normal((n_x, n_x)) / np.sqrt(n_x) + 0.3 * np.eye(n_x)
    A = rng.standard_normal((200_000, n_x)) @ mix * np.logspace(-1, 1, n_x)
    return problem(rng, A.astype(dtype), 2.0, -1.0)


def breast_cancer(*, standardized: bool = False) -> Problem:
    """Return the example's data."""
    table = np.genfromtxt(EXAMPLE, delimiter=",", skip_header=1, usecols=range(30))
    label = np.genfromtxt(EXAMPLE, delimiter=",", skip_header=1, usecols=30, dtype=str)
    A = (table - table.mean(0)) / table.std(0) if standardized else table
    return Problem(A, (label == "malignant").astype(np.uint8), 1 / len(A))


def pixels(m: int, n_x: int, factors: int) -> Problem:
    """Correlated uint8 values, many of them clipped at 0 and 255."""
    rng = np.random.default_rng(2)
    A = rng.standard_normal((m, factors)) @ rng.standard_normal((factors, n_x))
    return problem(rng, np.clip(18 * A + 20, 0, 255).astype(np.uint8), 2.0)


def one_hot() -> Problem:
    """Four categorical columns with rare levels, as 300 columns of 0 and 1."""
    rng = np.random.default_rng(3)
    m, z, blocks = 100_000, np.zeros(100_000), []
    for levels in (150, 100, 40, 10):
        share = 1 / np.arange(1, levels + 1)
        code = rng.choice(levels, m, p=share / share.sum())
        block = np.zeros((m, levels), np.uint8)
        block[np.arange(m), code] = 1
        blocks.append(block)
        z += rng.standard_normal(levels)[code]
    return Problem(np.hstack(blocks), labels(rng, z - 1), 1 / m)


def cauchy() -> Problem:
    """Features with no variance."""
    rng = np.random.default_rng(4)
    A = rng.standard_cauchy((100_000, 50))
    return Problem(A, labels(rng, A @ rng.standard_normal(50) * 0.05 + 0.5), 1e-5)


def counts() -> Problem:
    """Word counts: most are 0, some are common."""
    rng = np.random.default_rng(5)
    rate = rng.gamma(0.3, 6 / np.sqrt(np.arange(1, 401)), size=(40_000, 400))
    return problem(rng, np.minimum(rng.poisson(rate), 255).astype(np.uint8), 2.0)


def decaying(m: int, n_x: int) -> Problem:
    """Independent features with falling scales."""
    rng = np.random.default_rng(6)
    A = rng.standard_normal((m, n_x)) / np.sqrt(np.arange(1, n_x + 1))
    return Problem(A, labels(rng, A @ rng.standard_normal(n_x)), 1 / m)


def separable() -> Problem:
    """Classes with a gap between them, and a penalty that makes the minimum exist."""
    rng = np.random.default_rng(7)
    A, w = rng.standard_normal((20_000, 50)), rng.standard_normal(50)
    chosen = np.abs(A @ w) > 1
    A = np.ascontiguousarray(A[chosen])
    return Problem(A, (A @ w > 0).astype(np.uint8), 1 / len(A))


def wide() -> Problem:
    """Four times as many features as examples."""
    rng = np.random.default_rng(8)
    A = rng.standard_normal((500, 20)) @ rng.standard_normal((20, 2000))
    A += rng.standard_normal((500, 2000))
    return Problem(A, labels(rng, A[:, :10].sum(1) * 0.3), 1 / 500)


def imbalanced(*, weighted: bool) -> Problem:
    """One positive label in ten thousand."""
    rng = np.random.default_rng(9)
    m = 1_000_000
    A = rng.standard_normal((m, 20)).astype("f4")
    y = labels(rng, A @ rng.standard_normal(20) * 0.5 - 11.3)
    weight = np.where(y == 1, m / 2 / y.sum(), m / 2 / (m - y.sum())) if weighted else None
    return Problem(A, y, 1 / m, weight)


def duplicates() -> Problem:
    """Each of 2,000 examples about 25 times, and ten features twice."""
    rng = np.random.default_rng(10)
    A = rng.standard_normal((2000, 40)) @ rng.standard_normal((40, 40))
    y = labels(rng, A @ rng.standard_normal(40) * 0.1)
    chosen = rng.integers(0, 2000, 50_000)
    return Problem(np.hstack([A, A[:, :10]])[chosen], y[chosen], 1 / 50_000)


def scales(l2: float) -> Problem:
    """Correlated features with scales from 1e-6 to 1e6 and means of three times that."""
    rng = np.random.default_rng(11)
    m, n_x = 100_000, 60
    A = rng.standard_normal((m, n_x)) @ (rng.standard_normal((n_x, n_x)) / 8 + np.eye(n_x))
    y = labels(rng, A @ rng.standard_normal(n_x) * 0.4)
    A = (A + 3 * rng.standard_normal(n_x)) * rng.permutation(np.logspace(-6, 6, n_x))
    return Problem(A, y, l2)


def collinear() -> Problem:
    """Features that are sums or copies of others, one that is constant, and no penalty."""
    rng = np.random.default_rng(12)
    A = rng.standard_normal((20_000, 60))
    A[:, 20:40] = A[:, :20] @ rng.standard_normal((20, 20)) / 4
    A[:, 40:50] = A[:, :10]
    A[:, 59] = 7.0
    return problem(rng, A, 1.5, l2=0.0)


def periodic() -> Problem:
    """Hourly rows in order: a period of 24, and a drift."""
    rng = np.random.default_rng(13)
    m = 120_000
    A = rng.standard_normal((m, 40))
    A[:, :24] = np.arange(24) == (np.arange(m) % 24)[:, np.newaxis]
    A[:, 24:30] += np.linspace(-3, 3, m)[:, np.newaxis]
    return Problem(A, labels(rng, A @ rng.standard_normal(40)), 1 / m)


def autoregressive() -> Problem:
    """2,000 features, each nearly the one before it: too expensive a factor to buy at once."""
    rng = np.random.default_rng(14)
    A = rng.standard_normal((50_000, 2000)).astype("f4")
    for j in range(1, 2000):
        A[:, j] = np.float32(0.99) * A[:, j - 1] + np.float32(0.141) * A[:, j]
    return problem(rng, A, 2.0)


PROBLEMS: dict[str, Callable[[], Problem]] = {
    "200x5": lambda: gaussian(200, 5),
    "breast cancer": breast_cancer,
    "breast cancer, standardized": lambda: breast_cancer(standardized=True),
    "100k x 30": lambda: gaussian(100_000, 30),
    "1M x 28": lambda: gaussian(1_000_000, 28),
    "1M x 28 float32": lambda: gaussian(1_000_000, 28, "f4"),
    "60k x 784 uint8": lambda: pixels(60_000, 784, 40),
    "200k x 200 correlated": correlated,
    "200k x 200 correlated, float32": lambda: correlated("f4"),
    "one-hot": one_hot,
    "cauchy": cauchy,
    "counts": counts,
    "10k x 2000": lambda: decaying(10_000, 2000),
    "separable": separable,
    "wide": wide,
    "imbalanced, weighted": lambda: imbalanced(weighted=True),
    "imbalanced": lambda: imbalanced(weighted=False),
    "duplicates": duplicates,
    "scales": lambda: scales(1e-5),
    "scales, no penalty": lambda: scales(0.0),
    "large penalty": lambda: gaussian(50_000, 100)._replace(l2=100.0),
    "collinear": collinear,
    "periodic": periodic,
    "autoregressive": autoregressive,
}


def amounts() -> Problem:
    """Log-normal amounts of very different sizes, and their logarithms."""
    rng = np.random.default_rng(20)
    logs = rng.standard_normal((80_000, 12)) @ (np.eye(12) + 0.5) + np.linspace(0, 9, 12)
    z = (logs - logs.mean(0)) @ rng.standard_normal(12) * 0.3
    return Problem(np.hstack([np.exp(logs), logs]), labels(rng, z - 2), 1 / 80_000)


def hats() -> Problem:
    """Overlapping hat functions for a smooth effect of time, and ten other features."""
    rng = np.random.default_rng(21)
    t = rng.random(60_000)
    A = np.maximum(0, 1 - np.abs(t[:, np.newaxis] * 79 - np.arange(80)) / 2)
    A = np.hstack([A, rng.standard_normal((60_000, 10))])
    return Problem(A, labels(rng, 2 * np.sin(12 * t) + A[:, 80:].sum(1) * 0.3), 1e-6)


def outliers() -> Problem:
    """Two clusters with wrong labels, and rows that are a thousand times too far away."""
    rng = np.random.default_rng(22)
    y = (np.arange(40_000) % 2).astype(np.uint8)
    A = rng.standard_normal((40_000, 30)) + 0.4 * y[:, np.newaxis]
    A[::1000] *= 1000
    return Problem(A, y ^ (rng.random(40_000) < 0.05), 1 / 40_000)


def interactions() -> Problem:
    """20 signs and all products of two of them."""
    rng = np.random.default_rng(23)
    signs = rng.choice(np.array([-1, 1], np.int8), (60_000, 20))
    first, second = np.triu_indices(20, 1)
    return problem(rng, np.hstack([signs, signs[:, first] * signs[:, second]]), 3.0)


def rare_and_sorted() -> Problem:
    """One positive label in two thousand, all at the end."""
    rng = np.random.default_rng(24)
    A = rng.standard_normal((500_000, 12)).astype("f4") * np.linspace(1, 50, 12, dtype="f4")
    y = labels(rng, A @ (rng.standard_normal(12) / np.linspace(1, 50, 12)) - 9)
    order = np.argsort(y, kind="stable")
    return Problem(A[order], y[order], 0.0)


def lags() -> Problem:
    """Lags 0 to 30 of a slow series, without a penalty."""
    rng = np.random.default_rng(25)
    series = np.zeros(100_030)
    noise = rng.standard_normal(series.size)
    for k in range(1, series.size):
        series[k] = 0.98 * series[k - 1] + noise[k]
    A = np.stack([series[30 - k : series.size - k] for k in range(31)], axis=1)
    return Problem(A, labels(rng, A[:, 0] - A[:, 1] + 0.1 * A[:, 20]), 0.0)


def digits() -> Problem:
    """Smooth pictures of 28 x 28 pixels with a black margin."""
    rng = np.random.default_rng(26)
    rows = np.arange(28)
    wave = np.exp(-((rows[:, np.newaxis] - rows) ** 2) / 12.0)
    A = wave @ rng.standard_normal((10_000, 28, 28)) @ wave
    A[:, :4] = A[:, -4:] = A[:, :, :4] = A[:, :, -4:] = -9
    return problem(rng, np.clip(A * 15 + 60, 0, 255).astype(np.uint8).reshape(10_000, -1), 2.0)


def genes() -> Problem:
    """300 examples of 5,000 features in correlated blocks."""
    rng = np.random.default_rng(27)
    A = np.repeat(rng.standard_normal((300, 100)), 50, axis=1) + rng.standard_normal((300, 5000))
    return problem(rng, A.astype("f4"), 1.5, l2=0.01)


def ties() -> Problem:
    """Ratings from 1 to 5, so that few examples differ, with some labels for each."""
    rng = np.random.default_rng(30)
    A = rng.integers(1, 6, (30_000, 4)).astype(np.uint8)
    return problem(rng, A, 1.0, l2=0.0)


def slopes_by_group() -> Problem:
    """30 categories of unequal sizes, and a slope of a number for each of them."""
    rng = np.random.default_rng(31)
    group = np.minimum(rng.geometric(0.15, 20_000) - 1, 29)
    x = 50 + 10 * rng.standard_normal(20_000)
    member = (group[:, np.newaxis] == np.arange(30)).astype(np.float64)
    z = rng.standard_normal(30)[group] + rng.standard_normal(30)[group] * (x - 50) / 10
    A = np.hstack([member, x[:, np.newaxis], member * x[:, np.newaxis]])
    return Problem(A, labels(rng, z), 1e-6)


def exposures() -> Problem:
    """Small counts, a column of exposures near 1e6, and the year."""
    rng = np.random.default_rng(32)
    exposure = np.round(1e6 + 3e5 * rng.random(40_000))
    year = rng.integers(1990, 2026, 40_000)
    A = np.column_stack([rng.poisson(0.3, (40_000, 15)), exposure, year])
    z = A[:, :15].sum(1) * 0.2 - 4 + (exposure - 1.1e6) / 2e5 + (year - 2005) / 20
    return Problem(A, labels(rng, z), 0.0)


def clusters() -> Problem:
    """Two clusters 1,000 deviations apart, whose labels differ only within each of them."""
    rng = np.random.default_rng(33)
    A = rng.standard_normal((20_000, 10))
    y = labels(rng, A @ rng.standard_normal(10))
    A += 1000 * rng.choice(np.array([0, 1]), (20_000, 1))
    return Problem(A, y, 1e-8)


def flipped_labels() -> Problem:
    """Classes that a plane would separate, were 40 % of the labels not wrong."""
    rng = np.random.default_rng(34)
    A = rng.standard_t(3, (50_000, 25))
    y = A @ rng.standard_normal(25) > 0
    return Problem(A, (y ^ (rng.random(50_000) < 0.4)).astype(np.uint8), 0.0)


def unequal_weights() -> Problem:
    """Weights from 1e-3 to 1e3, larger where one feature is."""
    rng = np.random.default_rng(35)
    A = rng.standard_normal((30_000, 20))
    weight = 10.0 ** np.clip(A[:, 0] + rng.uniform(-2, 2, 30_000), -3, 3)
    return problem(rng, A, 2.0, -1.0, 1e-5)._replace(sample_weight=weight)


def twin_scales() -> Problem:
    """Pairs of columns, one of size 1e-6 and one of 1e6, with a correlation of 0.999."""
    rng = np.random.default_rng(36)
    first = rng.standard_normal((25_000, 10))
    second = 0.999 * first + np.sqrt(1 - 0.999**2) * rng.standard_normal((25_000, 10))
    z = (first - second) @ rng.standard_normal(10) * 20 + first[:, 0]
    return Problem(np.hstack([first * 1e-6, second * 1e6]), labels(rng, z), 0.0)


def thin_and_wide() -> Problem:
    """Three times as many features as examples, of which one in twenty is not 0."""
    rng = np.random.default_rng(37)
    A = rng.exponential(1.0, (600, 1800)) * (rng.random((600, 1800)) < 0.05)
    return problem(rng, A, 2.0)


UNSEEN: dict[str, Callable[[], Problem]] = {
    "amounts": amounts,
    "hats": hats,
    "outliers": outliers,
    "interactions int8": interactions,
    "rare and sorted": rare_and_sorted,
    "lags": lags,
    "digits": digits,
    "genes": genes,
    "ties": ties,
    "slopes by group": slopes_by_group,
    "exposures": exposures,
    "clusters": clusters,
    "flipped labels": flipped_labels,
    "unequal weights": unequal_weights,
    "twin scales": twin_scales,
    "thin and wide": thin_and_wide,
}


def cost(theta: np.ndarray, A: np.ndarray, p: Problem, weight: np.ndarray) -> float:
    """Compute J at theta, whose last component is b, as the mean of log(1 + exp(-+ z))."""
    z = A @ theta
    return weight @ np.logaddexp(0, np.where(p.y, -z, z)) + p.l2 / 2 * theta[:-1] @ theta[:-1]


def newton(p: Problem) -> float:
    """Return the minimum of J by Newton's method with step halving.

    With more features than examples, w lies in the span of the examples if l2 > 0, and a QR
    factorization turns its coordinates there into features with the same norm.
    """
    A = p.A.astype(np.float64)
    if A.shape[1] > len(A):
        A = np.linalg.qr(A.T, mode="r").T
    A = np.hstack([A, np.ones((len(A), 1))])
    weight = np.ones(len(A)) if p.sample_weight is None else p.sample_weight
    weight = weight / weight.sum()
    ridge = np.append(np.full(A.shape[1] - 1, p.l2), 0.0)
    theta = np.zeros(A.shape[1])
    J = cost(theta, A, p, weight)
    for _ in range(100):
        probability = 1 / (1 + np.exp(-np.clip(A @ theta, -700, 700)))
        gradient = A.T @ (weight * (probability - p.y)) + ridge * theta
        H = (A.T * (weight * probability * (1 - probability))) @ A + np.diag(ridge)
        unit = 1 / np.sqrt(np.maximum(np.diag(H), 1e-300))
        values, vectors = np.linalg.eigh(H * unit * unit[:, np.newaxis])
        kept = values > 1e-12 * values[-1]
        step = vectors[:, kept] @ ((vectors[:, kept].T @ (unit * gradient)) / values[kept]) * unit
        share = 1.0
        while share > 1e-6 and cost(theta - share * step, A, p, weight) > J:
            share /= 2
        theta = theta - share * step
        before, J = J, cost(theta, A, p, weight)
        if before - J <= 1e-14 * J:
            break
    return J


# min J, and how many passes over X `fit` needs for each of `GAPS`
MINIMA: dict[str, tuple[float, tuple[int, int, int]]] = {
    "200x5": (0.4442797921095505, (4, 5, 6)),
    "breast cancer": (0.09454237474601622, (10, 11, 12)),
    "breast cancer, standardized": (0.06636018622473806, (9, 11, 11)),
    "100k x 30": (0.43339817586168483, (2, 3, 5)),
    "1M x 28": (0.43337073022850253, (1, 2, 3)),
    "1M x 28 float32": (0.4333707302453337, (2, 3, 5)),
    "60k x 784 uint8": (0.4563836168559391, (5, 9, 13)),
    "200k x 200 correlated": (0.4331551990190528, (2, 4, 6)),
    "200k x 200 correlated, float32": (0.43315519900622834, (4, 6, 8)),
    "one-hot": (0.44622776296803135, (8, 12, 19)),
    "cauchy": (0.33835282406334416, (10, 13, 16)),
    "counts": (0.46257929262500286, (6, 10, 13)),
    "10k x 2000": (0.3566927313945208, (5, 8, 11)),
    "separable": (0.012285943411986985, (7, 11, 9)),
    "wide": (0.006001720756766525, (37, 41, 44)),
    "imbalanced, weighted": (0.39885865494837236, (2, 3, 4)),
    "imbalanced": (0.0005113401837249411, (5, 7, 9)),
    "duplicates": (0.33970858544031046, (2, 4, 6)),
    "scales": (0.3667313858618182, (2, 4, 5)),
    "scales, no penalty": (0.2635183901948883, (2, 4, 6)),
    "large penalty": (0.6481534866292087, (1, 2, 2)),
    "collinear": (0.5277227080566863, (3, 4, 6)),
    "periodic": (0.30847476295163495, (2, 3, 5)),
    "autoregressive": (0.44412526788371903, (6, 8, 10)),
    "amounts": (0.3598091243140822, (9, 18, 20)),
    "hats": (0.478077386019098, (3, 6, 8)),
    "outliers": (0.5549689701521268, (88, 83, 88)),
    "interactions int8": (0.3580470188940604, (5, 8, 12)),
    "rare and sorted": (0.014509256868499626, (2, 4, 5)),
    "lags": (0.5849058844381883, (2, 3, 4)),
    "digits": (0.4360169704196836, (6, 8, 10)),
    "genes": (0.010178929818674444, (13, 41, 44)),
    "ties": (0.5948828079492852, (2, 3, 5)),
    "slopes by group": (0.566607181955825, (19, 24, 24)),
    "exposures": (0.25250845943829536, (2, 4, 5)),
    "clusters": (0.3374030905620014, (6, 6, 7)),
    "flipped labels": (0.6816194527047859, (2, 4, 5)),
    "unequal weights": (0.45353635531319814, (2, 4, 5)),
    "twin scales": (0.35528274908425317, (5, 6, 7)),
    "thin and wide": (0.07315504798204214, (10, 27, 44)),
}


def main() -> None:
    """Print what `MINIMA` holds, and whether `fit` agrees."""
    chosen = sys.argv[1] if len(sys.argv) > 1 else ""
    for name, make in (PROBLEMS | UNSEEN).items():
        if chosen not in name:
            continue
        p = make()
        J = float(newton(p))
        found = [
            logreg_c.fit(p.A.T, p.y, l2=p.l2, sample_weight=p.sample_weight, tol=tol)
            for tol in GAPS
        ]
        passes = tuple(result.passes for result in found)
        gaps = [f"{(result.costs[-1] - J) / J:.0e}" for result in found]
        print(f'    "{name}": ({J!r}, {passes}),  # {" ".join(gaps)}', flush=True)


if __name__ == "__main__":
    main()
