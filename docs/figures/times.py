# SPDX-License-Identifier: BSD-3-Clause
"""Time per iteration for each type of X, from a run of `python -m benchmarks` (times.json)."""

import json
import statistics
from pathlib import Path

from matplotlib import pyplot as plt
from style import BLUE, GREEN, INK, NOTE, ORANGE, VIOLET, save

RUN = json.loads(Path(__file__).with_name("times.json").read_text(encoding="utf-8"))
N_X, M = 28, 2_000_000
KINDS = {"ours": BLUE, "numpy": ORANGE, "sklearn": GREEN, "torch": VIOLET}
NAMES = {"ours": "logreg_c", "numpy": "NumPy", "sklearn": "scikit-learn", "torch": "PyTorch"}


def milliseconds(row: dict, kind: str) -> float | None:
    """Return the median of the fastest competitor of a kind."""
    times = [statistics.median(t) for n, t in row["seconds"].items() if n.partition(",")[0] == kind]
    return min(times) * 1e3 if times else None


rows = [
    row
    for row in RUN["rows"]
    if (row["n_x"], row["m"], row["layout"]) == (N_X, M, "feature-major")
    and row["dtype"] in {"float64", "float32", "float16", "int16", "uint8", "bool"}
]
read = statistics.median(milliseconds(row, "read") for row in rows)
height = 0.8 / len(KINDS)
figure, axes = plt.subplots(figsize=(7, 0.62 * len(rows) + 1.4))
for place, (kind, color) in enumerate(KINDS.items()):
    for at, row in enumerate(rows):
        took = milliseconds(row, kind)
        y = at + place * height - 0.4 + height / 2
        axes.barh(y, took, height * 0.86, color=color, label=NAMES[kind] if at == 0 else None)
        ink = INK if kind == "ours" else NOTE
        weight = "bold" if kind == "ours" else "normal"
        axes.text(took, y, f" {took:.0f}", va="center", fontsize=8, color=ink, weight=weight)
axes.axvline(read, color=INK, linewidth=1, linestyle=":")
axes.text(read, -0.47, " reading the float64 matrix once", color=INK, fontsize=8, va="bottom")
axes.set(yticks=range(len(rows)), yticklabels=[row["dtype"] for row in rows], xlabel="ms")
axes.set_title(f"one iteration, {N_X} features x {M:,} examples", pad=14)
axes.tick_params(axis="y", length=0, labelcolor=INK)
axes.grid(visible=False, axis="y")
axes.spines["left"].set_visible(False)
axes.invert_yaxis()
figure.legend(loc="outside lower center", ncols=len(KINDS))
save("types")
