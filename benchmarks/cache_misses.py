# SPDX-License-Identifier: BSD-3-Clause
"""Is X read from memory once an iteration? Valgrind's simulated cache counts.

``python -m benchmarks.cache_misses`` trains on X of at least four times a simulated last-level
cache of 8 MB, and prints how many cache lines an iteration fetches from memory, over the number of
lines that X has. 1 is one pass; above 1.1 the script fails. It needs valgrind and a C compiler,
and takes the kernel from src/.
"""

import re
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.compiler import compile_c

# m for X of 32 MB or more, and for the next power of two, where all features of an example fall
# into the same set of the cache
SHAPES = [(28, 150_000), (28, 2**18), (784, 5_400), (784, 2**13)]
LIMIT = 1.1
CACHE_LINE = 64
FEW, MANY = 1, 3  # iterations; the difference of the two runs leaves start-up out


def misses(program: Path, layout: str, n_x: int, m: int, iters: int) -> int:
    """Count the reads that miss the last-level cache, over a whole run of `program`."""
    command = [
        "valgrind",
        "--tool=cachegrind",
        "--cache-sim=yes",
        "--cachegrind-out-file=/dev/null",
        "--D1=32768,8,64",
        "--LL=8388608,16,64",
        *map(str, (program, layout, n_x, m, iters)),
    ]
    result = subprocess.run(command, check=True, capture_output=True, text=True)
    # ==1234== LL misses:   1,234  (  1,100 rd   +   134 wr)
    found = re.search(r"LL misses: .*\( *([\d,]+) rd", result.stderr)
    if not found:
        raise RuntimeError("no count of LL misses in valgrind's output:\n" + result.stderr)
    return int(found[1].replace(",", ""))


def main() -> int:
    """Print the ratio of each shape and layout; return 1 if one is above the limit."""
    worst = 0.0
    root = Path(__file__).parent.parent
    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder) / "one_pass"
        sources = [root / "benchmarks" / "one_pass.c", *sorted(root.glob("src/*.c"))]
        compile_c(program, sources, "-ffp-contract=off", "-fno-math-errno", "-fno-trapping-math")
        for n_x, m in SHAPES:
            for layout in ("feature-major", "example-major"):
                few, many = (misses(program, layout, n_x, m, iters) for iters in (FEW, MANY))
                ratio = (many - few) / (MANY - FEW) / (n_x * m * 8 / CACHE_LINE)
                worst = max(worst, ratio)
                print(f"n_x {n_x:3}  m {m:6}  {layout}  {ratio:.3f}", flush=True)
    print(f"worst {worst:.3f}, limit {LIMIT}")
    return int(worst > LIMIT)


if __name__ == "__main__":
    sys.exit(main())
