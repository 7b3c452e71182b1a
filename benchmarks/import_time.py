# SPDX-License-Identifier: BSD-3-Clause
"""Compare the cost of ``import logreg_c`` with that of ``import numpy``.

``python -m benchmarks.import_time`` starts new interpreters that import one or the other, by turns,
and prints both medians and their ratio.
"""

import statistics
import subprocess
import sys
import time

REPEATS = 20


def seconds_to_import(module: str) -> float:
    """Time a new interpreter that imports `module` and exits."""
    start = time.perf_counter()
    # -P: otherwise the current folder would hide the installed package
    subprocess.run([sys.executable, "-P", "-c", f"import {module}"], check=True)
    return time.perf_counter() - start


def main() -> None:
    """Print the medians and their ratio."""
    times: dict[str, list[float]] = {"numpy": [], "logreg_c": []}
    for module in times:
        seconds_to_import(module)
    for _ in range(REPEATS):
        for module, measured in times.items():
            measured.append(seconds_to_import(module))
    numpy, ours = (statistics.median(measured) for measured in times.values())
    print(f"numpy {numpy * 1e3:.1f} ms, logreg_c {ours * 1e3:.1f} ms, ratio {ours / numpy:.3f}")


if __name__ == "__main__":
    main()
