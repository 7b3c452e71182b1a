# SPDX-License-Identifier: BSD-3-Clause
"""How close a pass comes to a bare read, in a line and in the pass's own order.

``python -m benchmarks.limits`` times four things by turns, on one thread, for a float64 X in L1, in
L2, in L3 and in memory: a linear read; a read in blocks, as a pass takes them; the same, but each
block twice, as `forward` and `backward` do; and an iteration of `train`. The reads in blocks
prefetch what a pass prefetches. It prints their GB/s of X as medians, the pass as a fraction of the
linear read and of the blocks read twice, and its bytes per cycle of an x86-64 CPU. A second table
has the medians of the fractions.
"""

import statistics
from pathlib import Path

from benchmarks.__main__ import machine
from benchmarks.cases import LAYOUTS, Case
from benchmarks.peers import ours_with
from benchmarks.timing import BareRead, measure

BYTES = {"L1": 20_000, "L2": 400_000, "L3": 8_000_000, "memory": 100_000_000}
CACHED_BYTES = 3 * 2**23  # that may still be in L3
N_X = (28, 100, 400, 784, 9000)
REPEATS = 7
FRACTIONS = ("pass / read", "pass / twice")


def l2_bytes() -> int:
    """Return the size of a core's L2, on Linux; 1 MB where the system does not tell."""
    told = Path("/sys/devices/system/cpu/cpu0/cache/index2/size")
    return int(told.read_text().strip().removesuffix("K")) * 1024 if told.exists() else 2**20


def power_of_two(value: int, low: int, high: int) -> int:
    """Return the largest power of two up to `value`, within limits."""
    return min(max(1 << max(value, 1).bit_length() - 1, low), high)


def block(case: Case) -> int:
    """Return the examples per block, as in src/pass/plan.c for float64."""
    if case.layout == "feature-major":
        return power_of_two(2**18 // case.n_x, 32, 512)
    return power_of_two(2**10 // case.n_x, 8, 512)


def ahead(case: Case, block: int) -> int:
    """Return what `BareRead.blocks` prefetches, about as in src/pass/plan.c; 0: nothing."""
    l2 = l2_bytes()
    if case.nbytes <= l2:
        return 0
    if case.layout == "example-major":
        longest = 2**14 if case.nbytes <= CACHED_BYTES else 2**17 if case.n_x >= 2**8 else 2**16
        return power_of_two(longest // (8 * case.n_x), 4, 512)
    return block if l2 >= 2**20 and case.n_x * block <= 2**18 else 16 * case.m


def main() -> None:
    """Print the tables."""
    about = machine()
    print(f"{about['cpu']}, one thread; GB/s of a float64 X; logreg_c: {about['logreg_c']}")
    heads = ["X", "in", "read", "blocks once", "twice", "pass", *FRACTIONS, "bytes per cycle"]
    print("| " + " | ".join(heads) + " |\n" + "|---" * len(heads) + "|", flush=True)
    read = BareRead()
    found: dict[tuple[str, str], list[list[float]]] = {}
    for level, size in BYTES.items():
        for n_x in N_X:
            if size < 8 * 64 * n_x:  # too few examples for a block
                continue
            for layout in LAYOUTS:
                case = Case(n_x, size // (8 * n_x) // 8 * 8 + 5, "float64", layout)
                cut = block(case)
                times = measure(
                    {
                        "read": read.competitors(case)["read, 1 threads"],
                        "once": read.blocks(case, cut, ahead(case, cut), 1),
                        "twice": read.blocks(case, cut, ahead(case, cut), 2),
                        "pass": ours_with(case, 1),
                        "cycles": read.megacycles,
                    },
                    REPEATS,
                )
                cycles_per_second = 4e6 / statistics.median(times.pop("cycles"))
                speed = {k: case.nbytes / statistics.median(t) / 1e9 for k, t in times.items()}
                fractions = [speed["pass"] / speed[k] for k in ("read", "twice")]
                found.setdefault((level, layout), []).append(fractions)
                cells = [f"{v:.1f}" for v in speed.values()] + [f"{v:.2f}" for v in fractions]
                cells.append(f"{speed['pass'] * 1e9 / cycles_per_second:.1f}")
                print(f"| {case} | {level} | {' | '.join(cells)} |", flush=True)
    print(f"\n| X in | layout | {' | '.join(FRACTIONS)} |\n|---|---|---|---|")
    for (level, layout), rows in found.items():
        medians = [f"{statistics.median(column):.2f}" for column in zip(*rows, strict=True)]
        print(f"| {level} | {layout} | {' | '.join(medians)} |")


if __name__ == "__main__":
    main()
