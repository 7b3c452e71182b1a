# SPDX-License-Identifier: BSD-3-Clause
"""The common style of the pictures: each is one SVG for light and dark pages.

``python docs/figures/NAME.py [FOLDER]`` draws the pictures of one script, by default into
docs/images. The background is transparent. Text, notes and grid lines have one color each, and a
style rule in the file replaces these colors if the reader's browser prefers dark pages.
"""

import re
import sys
from pathlib import Path

import matplotlib as mpl

mpl.use("svg")
from matplotlib import pyplot as plt

INK, NOTE, GRID = "#1f2328", "#59636e", "#d1d9e0"
DARK = {INK: "#e6edf3", NOTE: "#9198a1", GRID: "#3d444d"}
BLUE, ORANGE, GREEN, RED, VIOLET = "#2f81f7", "#e0701f", "#2da44e", "#e5534b", "#a371f7"

FOLDER = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent.parent / "images"
EXAMPLES = Path(__file__).parent.parent.parent / "examples"

plt.rcParams |= {
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "savefig.facecolor": "none",
    "figure.constrained_layout.use": True,
    "figure.figsize": (7, 3.4),
    "font.size": 10,
    "axes.titlesize": 11,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": GRID,
    "grid.linewidth": 0.8,
    "axes.edgecolor": NOTE,
    "axes.labelcolor": INK,
    "text.color": INK,
    "xtick.color": NOTE,
    "ytick.color": NOTE,
    "legend.frameon": False,
    "lines.linewidth": 1.8,
    "axes.prop_cycle": mpl.cycler(color=[BLUE, ORANGE, GREEN, RED, VIOLET]),
    "mathtext.fontset": "cm",
    "svg.hashsalt": "logreg_c",
}


def save(name: str) -> None:
    """Write the figure and close it."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    path = FOLDER / f"{name}.svg"
    plt.savefig(path, metadata={"Date": None, "Creator": None})
    plt.close()
    rules = "".join(
        f'[style*="{what}: {light}"] {{ {what}: {dark} !important }}\n'
        for light, dark in DARK.items()
        for what in ("fill", "stroke")
    )
    style = f"<style>\n@media (prefers-color-scheme: dark) {{\n{rules}}}\n</style>\n"
    text = path.read_text(encoding="utf-8").replace("</defs>", f"</defs>\n{style}", 1)
    path.write_text(re.sub(r" +$", "", text, flags=re.MULTILINE), encoding="utf-8")
