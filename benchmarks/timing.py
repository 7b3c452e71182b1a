# SPDX-License-Identifier: BSD-3-Clause
"""Time competitors by turns, and measure the machine's reading speed."""

import ctypes
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from benchmarks import THREADS
from benchmarks.cases import Case
from benchmarks.compiler import compile_c

Competitor = Callable[[int], object]  # runs the given number of iterations
Times = dict[str, list[float]]  # seconds per iteration, for each repeat

LEAST_SECONDS = 0.02  # minimum length of a timed run, large compared with the clock's resolution
# Idle workers in a library's thread pool spin for a while on the cores that the next competitor
# needs. The pause lets them go to sleep, and an untimed iteration wakes the next competitor's own.
PAUSE_SECONDS = 0.05


def seconds(competitor: Competitor, iters: int) -> float:
    """Return the time per iteration in a run of `iters`."""
    start = time.perf_counter()
    competitor(iters)
    return (time.perf_counter() - start) / iters


def enough(competitor: Competitor) -> int:
    """Return how many iterations take long enough to time."""
    competitor(1)  # compile, touch memory, start threads
    iters = 1
    while (took := seconds(competitor, iters) * iters) < LEAST_SECONDS:
        iters = max(2 * iters, int(iters * LEAST_SECONDS / max(took, 1e-9)))
    return iters


def measure(competitors: dict[str, Competitor], repeats: int) -> Times:
    """Time all competitors in turn, `repeats` times."""
    iters = {name: enough(competitor) for name, competitor in competitors.items()}
    times: Times = {name: [] for name in competitors}
    for _ in range(repeats):
        for name, competitor in competitors.items():
            time.sleep(PAUSE_SECONDS)
            competitor(1)
            times[name].append(seconds(competitor, iters[name]))
    return times


def ratio(numerator: list[float], denominator: list[float]) -> tuple[float, float, float]:
    """Return the lower quartile, median and upper quartile of the ratios of all repeats."""
    ratios = [n / d for n, d in zip(numerator, denominator, strict=True)]
    low, median, high = statistics.quantiles(ratios, n=4, method="inclusive")
    return low, median, high


def fastest(times: Times, *kinds: str) -> str | None:
    """Return the fastest competitor of these kinds; a kind is the first part of its name."""
    names = [name for name in times if name.partition(",")[0] in kinds]
    return min(names, key=lambda name: statistics.median(times[name]), default=None)


class BareRead:
    """A linear, unrolled sweep over memory, on one thread and on all."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory()
        library = Path(self._folder.name) / "bare_read.so"
        source = Path(__file__).with_name("bare_read.c")
        compile_c(library, [source], "-march=native", "-fopenmp", "-shared", "-fPIC")
        self._read = ctypes.CDLL(str(library)).bare_read
        self._read.restype = ctypes.c_double
        self._read.argtypes = [ctypes.c_void_p, ctypes.c_int64, ctypes.c_int, ctypes.c_int]
        self._blocks = ctypes.CDLL(str(library)).bare_blocks
        self._blocks.restype = ctypes.c_double
        self._blocks.argtypes = [ctypes.c_void_p, *[ctypes.c_int64] * 5, *[ctypes.c_int] * 2]
        self._examples = ctypes.CDLL(str(library)).bare_examples
        self._examples.restype = ctypes.c_double
        self._examples.argtypes = [ctypes.c_void_p, *[ctypes.c_int64] * 4, *[ctypes.c_int] * 2]
        self._multiplications = ctypes.CDLL(str(library)).multiplications
        self._multiplications.argtypes = [ctypes.c_uint64, ctypes.c_int]

    def megacycles(self, sweeps: int) -> None:
        """Take 4 million cycles of an x86-64 CPU per sweep."""
        self._multiplications(3, sweeps)

    def competitors(self, case: Case) -> dict[str, Competitor]:
        """Return readers of as many bytes as X has as float64 (for mixed columns, as stored).

        If X is float64, they read X itself, because a large X leaves no memory for more.
        """
        if case.dtype == "float64":
            values = case.X if case.X.flags.c_contiguous else case.X.T
        else:
            values = np.ones((case.nbytes if case.dtype == "mixed" else 8 * case.n_x * case.m) // 8)

        def reader(threads: int) -> Competitor:
            return lambda sweeps: self._read(values.ctypes.data, values.size, threads, sweeps)

        return {f"read, {threads} threads": reader(threads) for threads in {1, THREADS}}

    def blocks(self, case: Case, block: int, ahead: int, times: int) -> Competitor:
        """Return a reader of a float64 X on one thread, in blocks of so many examples.

        It prefetches what lies `ahead` values on; example-major, stretches of `ahead` examples.
        """
        if case.layout == "feature-major":
            read, shape = self._blocks, (case.n_x, case.m, case.m, block)
        else:
            read, shape = self._examples, (case.m, case.n_x, block)
        return lambda sweeps: read(case.X.ctypes.data, *shape, ahead, times, sweeps)
