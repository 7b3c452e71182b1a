# SPDX-License-Identifier: BSD-3-Clause
"""What a pass and a fit cost on a cluster, as docs/scale.md explains.

    python -m benchmarks.scale              the tables of docs/scale.md
    python -m benchmarks.scale --measure    shares of a pass in 1 to 8 processes here

The rates of a core are those of an EPYC (Zen 4); what questions cost is measured on Dask.
"""

import argparse
import math
import multiprocessing
import pickle
import time
from collections.abc import Iterator
from dataclasses import dataclass

PASS = 12e9  # bytes per second and core, of dense X
SPARSE = 70e6  # values per second and core, of sparse X with a million features
CLASSES = 2.8e9  # values times classes per second and core, of dense X in float64
DECODE = 0.8e9  # bytes of float64 per second and core, of Parquet with a dictionary and Snappy
ROUND, QUESTION = 2e-3, 0.5e-3  # seconds: of a round of questions, and of each in it
DEGREE = 8  # workers that one asks
SPREAD = 0.1  # standard deviation of the times of machines, relative to their mean
PREPARING = 2  # readings before the passes: to check, and for the sample
LOST = 1e-4  # machines lost per machine and hour
SEGMENT = 1 << 17  # values, about; of sparse X four per feature where that is more
BLOCKS, ROWS = 80, 4096  # of the examples that --measure takes


@dataclass(frozen=True)
class Data:
    """Examples: m of n_x features, of which each has `width` values."""

    name: str
    m: float
    n_x: float
    width: float
    value: float  # bytes, with the index of a sparse one
    passes: int  # of a fit
    classes: int = 1  # outputs: 1 of two classes

    @property
    def is_sparse(self) -> bool:
        """Whether an example has fewer values than features."""
        return self.width < self.n_x

    @property
    def size(self) -> float:
        """Bytes in memory."""
        return self.m * self.width * self.value

    def nodes(self, machines: float, *, aligned: bool) -> float:
        """Return how many sums a machine returns for a share that is contiguous."""
        segment = max(SEGMENT, 4 * self.n_x) if self.is_sparse else SEGMENT
        segments = self.m * self.width / segment / machines
        return 1.0 if aligned else max(2 * math.log2(max(segments, 1)), 1.0)


@dataclass(frozen=True)
class Machine:
    """A machine of a cluster."""

    cores: int
    memory: float  # bytes for X
    bandwidth: float  # bytes per second from memory
    network: float  # bytes per second
    storage: float  # bytes per second from an object store
    price: float  # dollars per hour


RENTED = Machine(16, 100e9, 100e9, 1.5e9, 1.5e9, 1.0)


def levels(machines: float) -> int:
    """Return how many questions lie between the client and the last machine."""
    return max(math.ceil(math.log(machines, DEGREE) - 1e-9), 1)


def compute(data: Data, machine: Machine, machines: float) -> float:
    """Return the seconds of a pass over a share in memory."""
    if data.is_sparse:
        return data.m * data.width / (machines * machine.cores * SPARSE)
    share = data.size / machines
    seconds = max(share / (machine.cores * PASS), share / machine.bandwidth)
    if data.classes > 1:
        products = data.m * data.width * data.classes / machines
        seconds = max(seconds, products / (machine.cores * CLASSES))
    return seconds


def questions(data: Data, machine: Machine, machines: float, *, aligned: bool = False) -> float:
    """Return the seconds in which w goes to all machines, and their sums return."""
    asked = min(machines, DEGREE)
    sums = 1 + data.nodes(machines, aligned=aligned)
    moved = asked * 8 * data.n_x * data.classes * sums / machine.network
    return levels(machines) * (ROUND + asked * QUESTION + moved)


def slowest(machines: float) -> float:
    """Return by what factor the slowest of so many is slower than their mean."""
    return 1 + SPREAD * math.sqrt(2 * math.log(machines)) if machines > 1 else 1.0


def one_pass(data: Data, machine: Machine, machines: float, *, aligned: bool = False) -> float:
    """Return the seconds of a pass, from memory where X fits, or else from the object store."""
    seconds = compute(data, machine, machines)
    if data.size > machines * machine.memory:
        share = data.size / machines
        seconds = max(share / machine.storage, share / (machine.cores * DECODE) + seconds)
    return seconds * slowest(machines) + questions(data, machine, machines, aligned=aligned)


def fit(data: Data, machine: Machine, machines: float) -> float:
    """Return the seconds of a fit; from memory, X is read once from the object store."""
    load = 0.0
    if data.size <= machines * machine.memory:
        load = slowest(machines) * data.size / machines / machine.storage
    return load + (PREPARING + data.passes) * one_pass(data, machine, machines)


def lost(data: Data, machine: Machine, machines: float) -> float:
    """Return how many machines a fit loses, on average."""
    return LOST * machines * fit(data, machine, machines) / 3600


DENSE = Data("10^12 x 10^3, float32", 1e12, 1e3, 1e3, 4, 4)
TEN = Data("10^10 x 10^3, float32, 10 classes", 1e10, 1e3, 1e3, 4, 20, 10)
WIDE = Data("10^9 x 10^6, 100 values", 1e9, 1e6, 100, 8, 50)
CRITEO = Data("4.2 x 10^9 x 10^6, 39 values", 4.2e9, 1e6, 39, 8, 50)
CASES = [
    (DENSE, [100, 1000, 10_000, 50_000]),
    (TEN, [100, 400, 1600]),
    (WIDE, [1, 8, 16, 64, 256, 1024]),
    (CRITEO, [16, 64]),
]


def table() -> Iterator[str]:
    """Yield the lines of the table."""
    yield "| data | machines | X in | pass | questions | aligned | fit | lost | price |"
    yield "|---|---|---|---|---|---|---|---|---|"
    for data, counts in CASES:
        for machines in counts:
            seconds = fit(data, RENTED, machines)
            place = "memory" if data.size <= machines * RENTED.memory else "store"
            asked, aligned = (questions(data, RENTED, machines, aligned=a) for a in (False, True))
            dollars = seconds / 3600 * machines * RENTED.price
            yield (
                f"| {data.name} | {machines:,} | {place} "
                f"| {shown(one_pass(data, RENTED, machines))} | {shown(asked)} | {shown(aligned)} "
                f"| {shown(seconds)} | {lost(data, RENTED, machines):.1g} | ${dollars:,.0f} |"
            )


def shown(seconds: float) -> str:
    """Return a time in the unit that suits it."""
    for unit, size in ("h", 3600.0), ("min", 60.0), ("s", 1.0):
        if seconds >= 2 * size or (unit == "s" and seconds >= 1.0):
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds * 1e3:.0f} ms"


HERE = Data("", BLOCKS * ROWS, 100, 100, 8, 0)


def sums_of_share(k: int, processes: int) -> tuple[float, bytes]:
    """Return the CPU seconds of a pass over share k, and its sums as they travel."""
    import numpy as np  # noqa: PLC0415

    from logreg_c import _kernel  # noqa: PLC0415

    n_x = int(HERE.n_x)
    blocks = range(k * BLOCKS // processes, (k + 1) * BLOCKS // processes)
    X = np.concatenate([np.random.default_rng(j).standard_normal((ROWS, n_x)) for j in blocks])
    problem = _kernel.Problem(X.T, X[:, 0] > 0, None, 1, False, True)
    point = _kernel.Point(np.full(n_x, 0.1), 0.0, None)
    size = _kernel.segment_size(n_x)
    times = []
    for _ in range(9):
        began = time.process_time()
        sums = _kernel.Sums(_kernel.GRADIENT, n_x)
        sums.add(problem, point, blocks.start * ROWS // size, 0, -(-len(X) // size))
        times.append(time.process_time() - began)
    return min(times), pickle.dumps(sums)


def measure() -> Iterator[str]:
    """Yield what the shares of processes here take and return, and what the model says of them."""
    import numpy as np  # noqa: PLC0415

    from logreg_c import _kernel  # noqa: PLC0415

    machine = Machine(1, math.inf, math.inf, 1e9, 1e9, 0.0)
    n_x = int(HERE.n_x)
    yield "| processes | slowest share | model | sums of a share | model | J |"
    yield "|---|---|---|---|---|---|"
    for processes in 1, 2, 3, 4, 8:
        with multiprocessing.get_context("fork").Pool(processes) as pool:
            found = pool.starmap(sums_of_share, [(k, processes) for k in range(processes)])
        whole = _kernel.Sums(_kernel.GRADIENT, n_x)
        for _, sums in found:
            whole.merge(pickle.loads(sums))  # noqa: S301 (our own)
        point, dw = _kernel.Point(np.full(n_x, 0.1), 0.0, None), np.empty(n_x)
        segments = -(-int(HERE.m) // _kernel.segment_size(n_x))
        _, J, _ = whole.gradient(segments, False, point, 0.0, dw)
        seconds = max(t for t, _ in found), compute(HERE, machine, processes)
        most = 8 * n_x * HERE.nodes(processes, aligned=False)
        kilobytes = max(len(sums) for _, sums in found) / 1e3, most / 1e3
        yield (
            f"| {processes} | {1e3 * seconds[0]:.1f} ms | {1e3 * seconds[1]:.1f} ms "
            f"| {kilobytes[0]:.1f} kB | <= {kilobytes[1]:.1f} kB | {float(J).hex()} |"
        )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--measure", action="store_true")
    for line in measure() if parser.parse_args().measure else table():
        print(line, flush=True)
