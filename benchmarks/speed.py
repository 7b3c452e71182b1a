# SPDX-License-Identifier: BSD-3-Clause
"""An iteration of `train` beside one of the taught NumPy, and beside a bare read of X.

``python -m benchmarks.speed`` prints, for each shape and each layout of X that `train` reads, the
time of an iteration and two ratios: NumPy's time over ours, for the layout of X that NumPy is
faster with, and ours over the time to merely read X once, on one thread or all, whichever is
faster. Every repeat runs all competitors in turn; a ratio is the median over the repeats, with
the quartiles. Times include each call's overhead, spread over its iterations.
"""

import argparse
import ctypes
import statistics
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np

import logreg_c
from benchmarks import THREADS
from benchmarks.compiler import compile_c
from logreg_c import reference

SHAPES = [(28, 2_000_000), (28, 2**20), (784, 60_000), (30, 569), (2, 1000)]
ALPHA = 0.01
ENOUGH_VALUES = 50_000_000  # a timed call reads about so many, to last long beside the clock's tick

Competitor = Callable[[int], object]  # what to run, given the number of iterations


def load_bare_read(folder: Path) -> Callable[[np.ndarray, int, int], float]:
    """Compile bare_read.c and return it as ``read(x, threads, sweeps)``."""
    library = folder / "bare_read.so"
    source = Path(__file__).with_name("bare_read.c")
    compile_c(library, [source], "-march=native", "-fopenmp", "-shared", "-fPIC")
    function = ctypes.CDLL(str(library)).bare_read
    function.restype = ctypes.c_double
    function.argtypes = [ctypes.c_void_p, ctypes.c_int64, ctypes.c_int, ctypes.c_int]
    return lambda x, threads, sweeps: function(x.ctypes.data, x.size, threads, sweeps)


def seconds(competitor: Competitor, iters: int) -> float:
    """Time one iteration, as a share of a run of `iters`."""
    start = time.perf_counter()
    competitor(iters)
    return (time.perf_counter() - start) / iters


def measure(competitors: dict[str, Competitor], iters: int, repeats: int) -> dict[str, list[float]]:
    """Time all competitors in turn, `repeats` times, after one round that does not count."""
    times: dict[str, list[float]] = {name: [] for name in competitors}
    for competitor in competitors.values():
        competitor(1)
    for _ in range(repeats):
        for name, competitor in competitors.items():
            times[name].append(seconds(competitor, iters))
    return times


def summary(numerator: list[float], denominator: list[float]) -> str:
    """Return the median and the quartiles of the ratios of each repeat."""
    ratios = [n / d for n, d in zip(numerator, denominator, strict=True)]
    low, median, high = statistics.quantiles(ratios, n=4, method="inclusive")
    return f"{median:6.2f} [{low:6.2f} {high:6.2f}]"


def compare(n_x: int, m: int, read: Callable[..., float], repeats: int) -> None:
    """Measure one shape and print a line for each layout."""
    rng = np.random.default_rng(0)
    feature_major = rng.standard_normal((n_x, m))
    Y = (rng.random((1, m)) < reference.sigmoid(feature_major[:1])).astype(np.float64)
    layouts = {"feature-major": feature_major, "example-major": np.asfortranarray(feature_major)}

    competitors: dict[str, Competitor] = {}
    for layout, X in layouts.items():
        train = partial(logreg_c.train, n_threads=THREADS)
        competitors[f"ours, {layout}"] = partial(train, X, Y, ALPHA)
        competitors[f"numpy, {layout}"] = partial(reference.train_vectorized, X, Y, ALPHA)
    for threads in {1, THREADS}:
        competitors[f"read, {threads}"] = partial(read, feature_major, threads)
    times = measure(competitors, max(3, ENOUGH_VALUES // feature_major.size), repeats)

    def fastest(kind: str) -> str:
        return min((name for name in times if name.startswith(kind)), key=lambda n: min(times[n]))

    numpy, bare = times[fastest("numpy")], times[fastest("read")]
    for layout in layouts:
        ours = times[f"ours, {layout}"]
        print(
            f"{n_x:4} {m:8}  {layout}  {statistics.median(ours) * 1e6:10.1f} us"
            f"   {summary(numpy, ours)}   {summary(ours, bare)}",
            flush=True,
        )


def main() -> None:
    """Compare all shapes."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--repeats", type=int, default=7, help="at least 2 (default: 7)")
    repeats = parser.parse_args().repeats
    print(f"{THREADS} threads, {logreg_c.show_config()}")
    print(" n_x        m  layout         an iteration   numpy / ours             ours / bare read")
    with tempfile.TemporaryDirectory() as folder:
        read = load_bare_read(Path(folder))
        for n_x, m in SHAPES:
            compare(n_x, m, read, repeats)


if __name__ == "__main__":
    main()
