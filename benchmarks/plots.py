# SPDX-License-Identifier: BSD-3-Clause
"""Draw the pictures of a full run: ``python -m benchmarks.plots JSON FOLDER``."""

import json
import statistics
import sys
from pathlib import Path

import matplotlib as mpl

mpl.use("svg")
from matplotlib import pyplot as plt

STYLE = {"figure.figsize": (6.4, 4), "svg.hashsalt": "logreg_c", "font.size": 9}


def median(row: dict, kind: str) -> float | None:
    """Return the seconds per iteration of the fastest competitor of a kind."""
    times = [statistics.median(t) for n, t in row["seconds"].items() if n.partition(",")[0] == kind]
    return min(times, default=None)


def save(folder: Path, name: str) -> None:
    """Write the figure and close it."""
    plt.tight_layout()
    plt.savefig(folder / f"{name}.svg", metadata={"Date": None})
    plt.close()


def roofline(rows: list[dict], folder: Path) -> None:
    """Plot the bytes of X per second that an iteration reads, relative to a plain read."""
    large = [row for row in rows if row["n_x"] * row["m"] > 10**7]
    labels = [f"{r['n_x']} {r['dtype']} {r['layout'][0].upper()}" for r in large]
    plt.figure(figsize=(6.4, 0.16 * len(large) + 1))
    for kind, mark in (("ours", "o"), ("numba", "x"), ("numpy", "+")):
        shares = []
        for row in large:
            read, own = median(row, "read"), median(row, kind)
            whole = row["nbytes"] if row["dtype"] == "mixed" else 8 * row["n_x"] * row["m"]
            shares.append(row["nbytes"] / whole * read / own if own else None)
        plt.plot(shares, range(len(large)), mark, label=kind)
    plt.axvline(1, color="gray", linewidth=1)
    plt.yticks(range(len(large)), labels, fontsize=6)
    plt.gca().invert_yaxis()
    plt.xlabel("bytes of X per second, as a share of the reading speed (F, E: layout)")
    plt.legend()
    save(folder, "roofline")


def sizes(rows: list[dict], folder: Path) -> None:
    """Plot time against n_x m."""
    plt.figure()
    for kind in ("ours", "numpy", "read"):
        plt.loglog(
            [r["n_x"] * r["m"] for r in rows], [median(r, kind) for r in rows], "o-", label=kind
        )
    plt.xlabel("n_x m (n_x = 28, float64, feature-major)")
    plt.ylabel("seconds per iteration")
    plt.legend()
    save(folder, "sizes")


def stored(rows: list[dict], folder: Path) -> None:
    """Plot time against bytes per element."""
    plt.figure()
    for layout, mark in (("feature-major", "o"), ("example-major", "x")):
        for n_x in (28, 784):
            chosen = [
                r
                for r in rows
                if (r["n_x"], r["layout"]) == (n_x, layout)
                and r["n_x"] * r["m"] > 4 * 10**7
                and r["dtype"] != "mixed"
            ]
            widths = [r["nbytes"] / (r["n_x"] * r["m"]) for r in chosen]
            shares = [median(r, "ours") / median(r, "read") for r in chosen]
            plt.plot(widths, shares, mark, label=f"{n_x} features, {layout}")
    plt.plot([0, 8], [0, 1], color="gray", linewidth=1)
    plt.xlabel("bytes per element")
    plt.ylabel("time / time to read the float64 matrix")
    plt.legend()
    save(folder, "bytes")


def threads(rows: list[dict], folder: Path) -> None:
    """Plot the speedup over one thread."""
    plt.figure()
    for row in rows:
        one = statistics.median(row["seconds"]["1"])
        counts = [int(n) for n in row["seconds"]]
        speedups = [one / statistics.median(t) for t in row["seconds"].values()]
        plt.plot(counts, speedups, "o-", label=f"{row['nbytes'] / 1e6:.0f} MB")
    plt.plot(counts, counts, color="gray", linewidth=1)
    plt.xticks(counts)
    plt.xlabel("threads (n_x = 28, float64, feature-major)")
    plt.ylabel("times faster than one thread")
    plt.legend()
    save(folder, "threads")


def draw(result: dict, folder: Path) -> None:
    """Draw all pictures of a result."""
    folder.mkdir(parents=True, exist_ok=True)
    with plt.rc_context(STYLE):
        roofline(result["rows"], folder)
        stored(result["rows"], folder)
        if "sizes" in result:
            sizes(result["sizes"], folder)
            threads(result["threads"], folder)


if __name__ == "__main__":
    draw(json.loads(Path(sys.argv[1]).read_text()), Path(sys.argv[2]))
