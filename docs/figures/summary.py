# SPDX-License-Identifier: BSD-3-Clause
"""How much longer others take than logreg_c: every ratio in the tables of docs/benchmarks.md."""

import re
import statistics
from pathlib import Path

import numpy as np
from matplotlib import pyplot as plt
from style import BLUE, GREEN, INK, NOTE, ORANGE, VIOLET, save

PAGE = (Path(__file__).parent.parent / "benchmarks.md").read_text(encoding="utf-8")
MINIMUM, MANY, FIT = "Time to the minimum", "Many small fits", "A fit, compared with scikit-learn's"
ITERATION, ERRORS = "One iteration", "Standard errors, compared with statsmodels"
# The label of a line, the section whose first table has it, and the column.
LINES = {
    "the minimum": (
        BLUE,
        [
            ("scikit-learn, lbfgs", MINIMUM, "lbfgs"),
            ("scikit-learn, newton-cholesky", MINIMUM, "newton-cholesky"),
            ("scikit-learn-intelex", MINIMUM, "sklearnex"),
            ("glum", MINIMUM, "glum"),
            ("Snap ML", MINIMUM, "snapml"),
            ("scikit-learn, default", FIT, "scikit-learn / ours"),
        ],
    ),
    "many minima": (
        VIOLET,
        [
            ("scikit-learn, lbfgs", MANY, "lbfgs"),
            ("scikit-learn, newton-cholesky", MANY, "newton-cholesky"),
        ],
    ),
    "standard errors": (GREEN, [("statsmodels", ERRORS, "statsmodels / ours")]),
    "an iteration": (
        ORANGE,
        [
            ("NumPy", ITERATION, "numpy / ours"),
            ("numba", ITERATION, "numba / ours"),
            ("JAX", ITERATION, "jax / ours"),
            ("PyTorch", ITERATION, "torch / ours"),
        ],
    ),
}


def ratios(section: str, column: str) -> list[float]:
    """Return the medians in a column; of three gaps to a minimum, the middle one."""
    table = re.search(rf"^## {section}$.*?(^\|.*?)^$", PAGE, re.MULTILINE | re.DOTALL)[1]
    header, _, *rows = ([cell.strip() for cell in line.split("|")] for line in table.splitlines())
    if "gap" in header:
        rows = [row for row in rows if row[header.index("gap")] == "1e-06"]
    cells = [row[header.index(column)].partition(" ")[0] for row in rows]
    return [float(cell) for cell in cells if cell != "-"]


figure, axes = plt.subplots(figsize=(7, 4.6))
names, heads, place = [], {}, 0.0
for what, (color, lines) in LINES.items():
    heads[what] = color
    names.append((place, what))
    for name, section, column in lines:
        place += 1
        found = ratios(section, column)
        axes.plot(found, np.full(len(found), place), "o", color=color, alpha=0.35, markersize=5)
        axes.plot(statistics.median(found), place, "|", color=INK, markersize=13, markeredgewidth=2)
        names.append((place, name))
    place += 1.4
axes.axvline(1, color=NOTE, linewidth=1.5)
axes.set(xscale="log", xlim=(0.3, 2000), xlabel="time / time of logreg_c")
axes.set_xticks([0.5, 1, 2, 5, 10, 20, 50, 100, 1000])
axes.xaxis.set_major_formatter("{x:g}")
axes.minorticks_off()
axes.set_yticks(*zip(*names, strict=True))
axes.tick_params(axis="y", length=0, labelcolor=INK)
for label in axes.get_yticklabels():
    if label.get_text() in heads:
        label.set(color=heads[label.get_text()], weight="bold")
axes.grid(visible=False, axis="y")
axes.spines["left"].set_visible(False)
axes.invert_yaxis()
axes.set_title("how much longer others take")
save("summary")
