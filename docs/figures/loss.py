# SPDX-License-Identifier: BSD-3-Clause
"""The loss of one example, its slope, and how accurate each form stays for extreme z."""

import numpy as np
from matplotlib import pyplot as plt
from style import BLUE, GREEN, NOTE, ORANGE, RED, save

import logreg_c
from logreg_c import reference


def ours(z: float, y: int) -> tuple[float, float]:
    """Return the loss and dz of one example from the public API: x = z, w = 1, b = 0."""
    J, _, db = logreg_c.cost_and_gradient([[z]], [y], [1.0], 0.0)
    return J, db


def textbook(z: float, y: int) -> tuple[float, float]:
    """Return the same from the textbook formulas."""
    a = reference.sigmoid(z)
    with np.errstate(all="ignore"):
        return -(y * np.log(a) + (1 - y) * np.log(1 - a)), a - y


Z = np.linspace(-6, 6, 241)
figure, (left, right) = plt.subplots(1, 2)
for y, color in ((1, BLUE), (0, ORANGE)):
    loss, dz = np.array([ours(z, y) for z in Z]).T
    left.plot(Z, loss, color=color, label=f"$y = {y}$")
    right.plot(Z, dz, color=color, label=f"$y = {y}$")
left.set(title="loss", xlabel="$z$", ylabel="$L(a, y)$")
right.set(title="slope", xlabel="$z$", ylabel="$dz = a - y$")
right.axhline(0, color=NOTE, linewidth=0.8)
left.legend(loc="upper center")
save("loss")

# An example with y = 0 on the wrong side: the loss is slightly more than z.
Z = np.linspace(1, 45, 353)
figure, axes = plt.subplots()
for function, label, color in (
    (textbook, r"textbook: $-\log(1 - a)$", RED),
    (ours, "cost_and_gradient: the bits of the exact value", GREEN),
):
    found = np.array([function(z, 0)[0] for z in Z])
    exact = np.logaddexp(0, Z)
    error = np.abs(found - exact) / exact
    axes.semilogy(Z, np.where(np.isfinite(error), np.maximum(error, 1e-17), np.nan), color=color)
    last = np.flatnonzero(np.isfinite(error))[-1]
    axes.annotate(label, (20, 3e-12 if function is textbook else 3e-16), color=color)
    if not np.isfinite(found).all():
        axes.plot(Z[last], error[last], "x", color=color)
        axes.annotate("from here on inf", (Z[last] - 0.5, error[last] * 4), color=color, ha="right")
axes.set(
    title="error of the loss of an example on the wrong side",
    xlabel="$z$, with $y = 0$",
    ylabel="relative error",
    ylim=(1e-17, 1),
)
save("loss_far_out")
