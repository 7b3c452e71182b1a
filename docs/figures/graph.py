# SPDX-License-Identifier: BSD-3-Clause
"""The computation graph of one example with its numbers: forward above, backward below."""

from matplotlib import pyplot as plt
from style import BLUE, INK, NOTE, ORANGE, save

import logreg_c

x, y, w, b = [1.5, -0.5], 1, [0.4, 0.8], -0.1
J, dw, db = logreg_c.cost_and_gradient([[value] for value in x], [y], w, b)
z = w[0] * x[0] + w[1] * x[1] + b
a = logreg_c.sigmoid(z)
da = (a - y) / (a * (1 - a))

figure, axes = plt.subplots(figsize=(7.6, 3.5))
axes.set(xlim=(0, 10.2), ylim=(-0.1, 4.4))
axes.axis("off")
axes.grid(visible=False)
inputs = [
    (3.8, "$w_1$", w[0], "$dw_1$", dw[0, 0]),
    (2.9, "$x_1$", x[0], None, None),
    (2.0, "$w_2$", w[1], "$dw_2$", dw[1, 0]),
    (1.1, "$x_2$", x[1], None, None),
    (0.2, "$b$", b, "$db$", db),
]
box = {"boxstyle": "round,pad=0.5", "facecolor": "none", "edgecolor": INK}
for height, name, value, slope_name, slope in inputs:
    axes.text(0.1, height, f"{name} $= {value:g}$", va="center", color=BLUE, fontsize=12)
    if slope_name:
        axes.text(
            0.1,
            height - 0.36,
            f"{slope_name} $= {slope:.3f}$",
            va="center",
            color=ORANGE,
            fontsize=12,
        )
    start, end = (1.6, height), (2.4, 2 + (height - 2) * 0.12)
    axes.annotate("", end, start, arrowprops={"arrowstyle": "->", "color": NOTE})
nodes = [
    (3.65, "$z = w_1 x_1 + w_2 x_2 + b$", f"$z = {z:.3f}$", f"$dz = a - y = {db:.3f}$"),
    (6.45, r"$a = \sigma(z)$", f"$a = {a:.3f}$", f"$da = {da:.3f}$"),
    (9.0, "$L(a, y)$", f"$L = {J:.3f}$", f"$y = {y}$"),
]
for place, name, forward, backward in nodes:
    axes.text(place, 2, name, ha="center", va="center", bbox=box, fontsize=13)
    axes.text(place, 2.75, forward, ha="center", color=BLUE, fontsize=12)
    last = place == nodes[-1][0]
    axes.text(place, 1.1, backward, ha="center", color=BLUE if last else ORANGE, fontsize=12)
for start, end in ((5.2, 5.7), (7.25, 8.3)):
    axes.annotate("", (end, 2.12), (start, 2.12), arrowprops={"arrowstyle": "->", "color": BLUE})
    axes.annotate("", (start, 1.88), (end, 1.88), arrowprops={"arrowstyle": "->", "color": ORANGE})
axes.text(6.3, 4.1, "forward: values", color=BLUE)
axes.text(6.3, 3.7, "backward: slopes of the loss", color=ORANGE)
save("graph")
