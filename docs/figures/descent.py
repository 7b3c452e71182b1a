# SPDX-License-Identifier: BSD-3-Clause
"""Runs on the tumors: the effect of alpha, of standardizing, and how a boundary settles."""

import warnings

import numpy as np
from matplotlib import pyplot as plt
from style import BLUE, EXAMPLES, GREEN, INK, ORANGE, RED, VIOLET, save

import logreg_c

FILE = EXAMPLES / "breast_cancer.csv"
X = np.loadtxt(FILE, delimiter=",", skiprows=1, usecols=range(30)).T
Y = np.loadtxt(FILE, delimiter=",", skiprows=1, usecols=30, dtype=str) == "malignant"
warnings.simplefilter("ignore", logreg_c.DivergenceWarning)  # some are meant to swing


def label_ends(lines: list[tuple[str, str, float]], at: float) -> None:
    """Write each name after the end of its line, in the same color."""
    for text, color, height in lines:
        plt.annotate(
            text, (at, height), (5, 0), textcoords="offset points", color=color, va="center"
        )


figure, axes = plt.subplots()
ends = []
for alpha, color in ((0.003, VIOLET), (0.03, BLUE), (0.3, GREEN), (3.0, ORANGE), (100.0, RED)):
    costs = logreg_c.train(X, Y, alpha, 100, standardize=True).costs
    axes.loglog(np.arange(1, 101), costs, color=color)
    ends.append((f"{alpha:g}", color, costs[-1]))
label_ends(ends, 100)
axes.set(title="cost, for five values of alpha", xlabel="iteration", ylabel="J", xlim=(1, 100))
save("alphas")

figure, axes = plt.subplots()
ends = []
for alpha, standardize, color in (
    (1e-6, False, VIOLET),
    (3e-6, False, BLUE),
    (1e-5, False, RED),
    (0.3, True, GREEN),
):
    costs = logreg_c.train(X, Y, alpha, 2000, standardize=standardize).costs
    axes.loglog(np.arange(1, 2001), costs, color=color)
    ends.append((f"{alpha:g}, " + ("standardized" if standardize else "raw"), color, costs[-1]))
label_ends(ends, 2000)
axes.set(title="cost, on raw and on standardized features", xlabel="iteration", ylabel="J")
axes.set(xlim=(1, 2000))
save("standardize")

figure, axes = plt.subplots(figsize=(7, 4))
two = X[:2]
for label, name, color, mark in ((0, "benign", BLUE, "o"), (1, "malignant", ORANGE, "s")):
    axes.scatter(*two[:, label == Y], s=9, color=color, marker=mark, alpha=0.6, label=name)
radius = np.array([6.0, 30.0])
for iters, shade in ((1, 0.25), (10, 0.45), (100, 0.7), (1000, 1.0)):
    w, b, _ = logreg_c.train(two, Y, 0.5, iters, standardize=True)
    texture = -(w[0] * radius + b) / w[1]
    axes.plot(radius, texture, color=INK, alpha=shade, linewidth=1.4)
    if iters in {1, 1000}:
        at, side = float(-(w[1, 0] * 9 + b) / w[0, 0]), "left" if iters == 1 else "right"
        axes.annotate(f" after {iters} ", (at, 9), ha=side)
axes.set(xlim=(6, 29), ylim=(8, 40), xlabel="mean radius", ylabel="mean texture")
axes.set_title("where a = 1/2, after 1, 10, 100 and 1000 iterations")
axes.legend(loc="upper right")
save("boundary")
