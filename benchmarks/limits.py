# SPDX-License-Identifier: BSD-3-Clause
"""How close a pass comes to a bare read, in a line and in the pass's own order.

``python -m benchmarks.limits`` times four things by turns, on one thread, for a float64 X in L2, in
L3 and in memory: a linear read; a read in blocks, as a pass takes them; the same, but each block
twice, as `forward` and `backward` do; and an iteration of `train`. None of the reads prefetches. It
prints their GB/s of X as medians, and the pass as a fraction of the linear read and of the blocks
read twice.
"""

import statistics

from benchmarks.__main__ import machine
from benchmarks.cases import LAYOUTS, Case
from benchmarks.peers import ours_with
from benchmarks.timing import BareRead, measure

BYTES = {"L2": 400_000, "L3": 8_000_000, "memory": 100_000_000}
N_X = (28, 100, 400, 784, 9000)
REPEATS = 7


def power_of_two(value: int, low: int, high: int) -> int:
    """Return the largest power of two up to `value`, within limits."""
    return min(max(1 << value.bit_length() - 1, low), high)


def block(case: Case) -> int:
    """Return the examples per block, as in src/pass/plan.c for float64."""
    if case.layout == "feature-major":
        return power_of_two(2**18 // case.n_x, 32, 512)
    return power_of_two(max(2**10 // case.n_x, 1), 8, 512)


def main() -> None:
    """Print the table."""
    about = machine()
    print(f"{about['cpu']}, one thread; GB/s of a float64 X; logreg_c: {about['logreg_c']}")
    print("| X | in | read | blocks once | twice | pass | pass / read | pass / twice |")
    print("|---|---|---|---|---|---|---|---|", flush=True)
    read = BareRead()
    for level, size in BYTES.items():
        for n_x in N_X:
            if size < 8 * 64 * n_x:  # too few examples for a block
                continue
            for layout in LAYOUTS:
                case = Case(n_x, size // (8 * n_x) // 8 * 8 + 5, "float64", layout)
                times = measure(
                    {
                        "read": read.competitors(case)["read, 1 threads"],
                        "once": read.blocks(case, block(case), 1),
                        "twice": read.blocks(case, block(case), 2),
                        "pass": ours_with(case, 1),
                    },
                    REPEATS,
                )
                speed = {k: case.nbytes / statistics.median(t) / 1e9 for k, t in times.items()}
                cells = [*(f"{v:.1f}" for v in speed.values())]
                cells += [f"{speed['pass'] / speed[k]:.2f}" for k in ("read", "twice")]
                print(f"| {case} | {level} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
