# SPDX-License-Identifier: BSD-3-Clause
"""Is X read from memory once per iteration? Valgrind's simulated cache counts.

``python -m benchmarks.cache_misses`` trains on an X at least four times as large as a simulated 8
MB last-level cache. It prints the number of cache lines that an iteration fetches from memory,
divided by the number of lines in X. A ratio of 1 means one pass; above 1.1 the script fails. With
``--types``, it does this for every type that is read in place. It needs valgrind and a C compiler,
and compiles the kernel from src/, which takes a minute, or links the objects of ``--objects``.
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from benchmarks.compiler import compile_c

X_BYTES = 33_554_432
N_X = (28, 784, 10_000)
# in the order of logreg_type
TYPES = {
    "float64": 8,
    "float32": 4,
    "float16": 2,
    "int64": 8,
    "int32": 4,
    "int16": 2,
    "int8": 1,
    "uint16": 2,
    "uint8": 1,
}
LIMIT = 1.1
CACHE_LINE = 64
FEW, MANY = 1, 3  # iterations; the difference between the two runs leaves out start-up


def misses(program: Path, iters: int, *arguments: object) -> int:
    """Count the reads that miss the last-level cache in a whole run of `program`."""
    command = [
        "valgrind",
        "--tool=cachegrind",
        "--cache-sim=yes",
        "--cachegrind-out-file=/dev/null",
        "--D1=32768,8,64",
        "--LL=8388608,16,64",
        *map(str, (program, *arguments, iters)),
    ]
    result = subprocess.run(command, check=True, capture_output=True, text=True)
    # ==1234== LL misses:   1,234  (  1,100 rd   +   134 wr)
    found = re.search(r"LL misses: .*\( *([\d,]+) rd", result.stderr)
    if not found:
        raise RuntimeError("valgrind's output has no count of LL misses:\n" + result.stderr)
    return int(found[1].replace(",", ""))


def examples(n_x: int, size: int) -> list[int]:
    """Return m for an X of four caches, and the next power of two, where columns share sets."""
    m = X_BYTES // (n_x * size) // 8 * 8 + 8
    return [m, 1 << m.bit_length()]


def main() -> int:
    """Print the ratio of each shape, type and layout; return 1 if one is above the limit."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--types", action="store_true", help="every type, not only float64")
    parser.add_argument("--objects", type=Path, help="a folder with the kernel's objects")
    options = parser.parse_args()
    types = list(TYPES) if options.types else ["float64"]
    cases = [
        (layout, name, n_x, m)
        for name in types
        for n_x in N_X
        for m in examples(n_x, TYPES[name])
        for layout in ("feature-major", "example-major")
    ]
    worst = 0.0
    root = Path(__file__).parent.parent
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(os.cpu_count()) as pool:
        program = Path(folder) / "one_pass"
        kernel = sorted(root.glob("src/*/*.c"))
        flags = [f"-I{root / 'src'}", "-ffp-contract=off", "-fno-math-errno", "-fno-trapping-math"]
        if options.objects:
            kernel = [options.objects / f"{source.stem}.o" for source in kernel]
            flags.append("-fopenmp")
        compile_c(program, [root / "benchmarks" / "one_pass.c", *kernel], *flags)

        def ratio(case: tuple[str, str, int, int]) -> float:
            layout, name, n_x, m = case
            arguments = (layout, list(TYPES).index(name), n_x, m)
            few, many = (misses(program, iters, *arguments) for iters in (FEW, MANY))
            return (many - few) / (MANY - FEW) / (n_x * m * TYPES[name] / CACHE_LINE)

        for case, found in zip(cases, pool.map(ratio, cases), strict=True):
            layout, name, n_x, m = case
            worst = max(worst, found)
            print(f"n_x {n_x:5}  m {m:8}  {name:7}  {layout}  {found:.3f}", flush=True)
    print(f"worst {worst:.3f}, limit {LIMIT}")
    return int(worst > LIMIT)


if __name__ == "__main__":
    sys.exit(main())
