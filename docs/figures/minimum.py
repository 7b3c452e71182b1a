# SPDX-License-Identifier: BSD-3-Clause
"""The valley of the cost, what a sample knows of its shape, and the gap after each pass."""

import warnings

import numpy as np
from matplotlib import pyplot as plt
from style import BLUE, EXAMPLES, GREEN, NOTE, ORANGE, RED, VIOLET, save

import logreg_c

FILE = EXAMPLES / "breast_cancer.csv"
X = np.loadtxt(FILE, delimiter=",", skiprows=1, usecols=range(10)).T
Y = np.loadtxt(FILE, delimiter=",", skiprows=1, usecols=30, dtype=str) == "malignant"
for expected in (logreg_c.DivergenceWarning, logreg_c.ConvergenceWarning):
    warnings.simplefilter("ignore", expected)


def path(run, *args: object, **settings: object) -> tuple[np.ndarray, np.ndarray]:
    """Return w after each step, one per row, and the costs."""
    steps = []

    def keep(_k: int, _J: float, w: np.ndarray, _b: float) -> None:
        steps.append(np.ravel(w).copy())

    found = run(*args, callback=keep, **settings)
    return np.array(steps), found.costs


two = X[[6, 7]]
two = (two - two.mean(1, keepdims=True)) / two.std(1, keepdims=True)
descent, _ = path(logreg_c.train, two, Y, 1.0, 300)
search, _ = path(logreg_c.fit, two, Y)
best = search[-1]
side_1, side_2 = np.meshgrid(np.linspace(-2, 3, 90), np.linspace(-0.4, 6.4, 90))
Z = side_1[..., np.newaxis] * two[0] + side_2[..., np.newaxis] * two[1]
b = np.zeros(side_1.shape)
for _ in range(20):  # Newton's method for the best b at every w
    A = logreg_c.sigmoid(Z + b[..., np.newaxis])
    b -= (A - Y).mean(-1) / (A * (1 - A)).mean(-1)
J = np.logaddexp(0, np.where(Y, -1, 1) * (Z + b[..., np.newaxis])).mean(-1)
figure, axes = plt.subplots(figsize=(7, 4.4))
levels = J.min() + np.geomspace(5e-4, 0.5, 12)
axes.contour(side_1, side_2, J, levels=levels, colors=NOTE, linewidths=0.7)
axes.plot(*np.vstack([[0, 0], descent]).T, "-", color=ORANGE, label="300 steps of descent")
axes.plot(*descent[[9, 99, 299]].T, "o", color=ORANGE, markersize=5)
for k in (10, 100, 300):
    axes.annotate(f"{k}", descent[k - 1], (6, -10), textcoords="offset points", color=ORANGE)
axes.plot(*search.T, "s-", color=BLUE, markersize=4, label=f"{len(search)} steps of fit")
axes.set(xlabel="weight of the concavity", ylabel="weight of the concave points")
axes.set_title("J by two weights, with the best b for each")
axes.legend(loc="upper right")
save("valley")

rng = np.random.default_rng(0)
n_x, m = 50, 100_000
features = rng.standard_normal((n_x, n_x)) @ rng.standard_normal((n_x, m))
w = rng.standard_normal(n_x) / np.sqrt(n_x)
A = logreg_c.sigmoid(w @ (features / features.std(1, keepdims=True)))
h = A * (1 - A)
whole = np.linalg.inv(np.linalg.cholesky((features * h) @ features.T / m))
figure, axes = plt.subplots()
for per_feature, color in ((2, RED), (10, ORANGE), (100, GREEN), (1000, BLUE)):
    q = per_feature * n_x
    H = (features[:, :q] * h[:q]) @ features[:, :q].T / q
    curvature = np.linalg.eigvalsh(whole @ H @ whole.T)
    axes.semilogy(np.arange(1, n_x + 1), curvature, ".-", color=color)
    axes.annotate(
        f"{q:,}",
        (n_x, curvature[-1]),
        (6, -3 + 3 * (q == 5000) - 6 * (q > 5000)),
        textcoords="offset points",
        color=color,
    )
axes.axhline(1, color=NOTE, linewidth=1)
axes.set(xlabel="direction, from the one that the sample underestimates most")
axes.set(ylabel="curvature, all = 1")
axes.set_title("curvature of J in samples of 100 to 50,000 examples, 50 features")
save("sample")

figure, axes = plt.subplots()
minimum = logreg_c.fit(X, Y, tol=0).costs[-1]
runs = [
    ("descent, raw features", VIOLET, logreg_c.train(X, Y, "auto", 1000).costs),
    ("standardized", ORANGE, logreg_c.train(X, Y, "auto", 1000, standardize=True).costs),
]
for name, color, costs in runs:
    axes.loglog(np.arange(1, 1001), costs / minimum - 1, color=color)
    axes.annotate(name, (1000, costs[-1] / minimum - 1), (-6, 6), textcoords="offset points",
                  color=color, ha="right")  # fmt: skip
gaps = []
for passes in range(1, 20):
    found = logreg_c.fit(X, Y, tol=1e-12, max_passes=passes)
    gaps.append(max(found.costs[-1] / minimum - 1, 1e-13) if found.costs.size else np.nan)
axes.loglog(np.arange(1, 20), gaps, "s-", color=BLUE, markersize=4)
axes.annotate("fit, raw features", (10, 1e-8), color=BLUE)
axes.set(xlabel="passes over X", ylabel="(J - min J) / min J", ylim=(1e-12, 20))
axes.set_title("how far J is above its minimum, after each pass")
save("gap")
