# SPDX-License-Identifier: BSD-3-Clause
"""A drawing of which part of X an iteration reads when, in two sweeps and in one."""

from matplotlib import pyplot as plt
from matplotlib.patches import Rectangle
from style import BLUE, NOTE, ORANGE, save

BLOCKS = 8
FROM_CACHE = 0.35  # as a fraction of the time a block takes from memory

figure, both = plt.subplots(1, 2, figsize=(7, 2.7), sharex=True, sharey=True)
sweep = [(k, k, 1.0, BLUE) for k in range(BLOCKS)]
two_sweeps = sweep + [(k, BLOCKS + 0.6 + k, 1.0, BLUE) for k in range(BLOCKS)]
fused = []
for k in range(BLOCKS):
    start = k * (1 + FROM_CACHE)
    fused += [(k, start, 1.0, BLUE), (k, start + 1, FROM_CACHE, ORANGE)]
for axes, title, reads in zip(
    both, ("vectorized: two sweeps", "fused: one pass"), (two_sweeps, fused), strict=True
):
    for block, start, length, color in reads:
        axes.add_patch(Rectangle((start, block), length, 1, color=color, linewidth=0))
    axes.set(title=title, xlim=(0, 2 * BLOCKS + 1), ylim=(BLOCKS, 0), xticks=[], yticks=[])
    axes.set_xlabel("time")
    axes.grid(visible=False)
both[0].set_ylabel("examples of X")
both[0].text(1.4, 0.7, "$Z$, from memory", color=BLUE)
both[0].text(10, 0.7, "$dw$, from memory", color=BLUE)
both[1].text(4.4, 1.6, "$Z$, from memory", color=BLUE)
both[1].text(5.8, 6.6, "$dw$, from cache", color=ORANGE, ha="right")
both[1].axvline(BLOCKS * (1 + FROM_CACHE), color=NOTE, linewidth=0.8, linestyle=":")
both[1].text(BLOCKS * (1 + FROM_CACHE) + 0.2, 0.9, "done", color=NOTE)
save("one_pass")
