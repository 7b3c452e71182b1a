# SPDX-License-Identifier: BSD-3-Clause
"""The time to the minimum, as `python -m benchmarks.minimum` measured it, in minimum_times.json."""

import json
from pathlib import Path

import numpy as np
from matplotlib import pyplot as plt
from style import BLUE, GREEN, NOTE, ORANGE, VIOLET, save

PEERS = {
    "lbfgs": ("scikit-learn, lbfgs", BLUE),
    "newton-cholesky": ("scikit-learn, newton-cholesky", GREEN),
    "sklearnex": ("scikit-learn-intelex", ORANGE),
    "glum": ("glum", VIOLET),
}

rows = json.loads(Path(__file__).with_suffix(".json").read_text(encoding="utf-8"))
figure, axes = plt.subplots(figsize=(7, 0.55 * len(rows) + 1.2))
places = np.arange(len(rows))[::-1]
for k, (peer, (label, color)) in enumerate(PEERS.items()):
    ratios = [row["ratios"].get(peer) or np.nan for row in rows]
    axes.barh(places + 0.3 - 0.2 * k, ratios, 0.18, color=color, label=label)
axes.set_xscale("log")
axes.axvline(1, color=NOTE, linewidth=1)
axes.set_yticks(places, [f"{row['problem']}\n({row['ms']:.3g} ms)" for row in rows])
axes.set(xlabel="time / time of logreg_c, which is in brackets", xlim=(0.8, None))
axes.set_title("time to 1e-6 above the minimum")
axes.grid(visible=False, axis="y")
axes.legend(loc="upper center", bbox_to_anchor=(0.4, -0.14), ncols=2)
save("minimum_times")
