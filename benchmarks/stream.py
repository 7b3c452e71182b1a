# SPDX-License-Identifier: BSD-3-Clause
"""Does `fit` keep up with a reader of a file? In an address space smaller than the file.

``python -m benchmarks.stream FOLDER [GIGABYTES]`` writes a Parquet file (uncompressed) and an NPY
file of about so many gigabytes of float64 to the folder, if they are not there. Then it reads the
columns without doing anything, fits, and fits with a cache, each in a process of its own whose
address space is limited to 1 GB. Linux only.
"""

import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

LIMIT = 1 << 30
N_X, ROWS = 28, 1 << 18  # of a row group
NAMES = [f"x{j}" for j in range(N_X)]


def write(folder: Path, gigabytes: float) -> None:
    """Write the files, some rows at a time."""
    import pyarrow as pa  # noqa: PLC0415
    import pyarrow.parquet as pq  # noqa: PLC0415

    groups = max(round(gigabytes * 1e9 / (8 * N_X * ROWS)), 1)
    schema = pa.schema([(name, pa.float64()) for name in NAMES] + [("y", pa.bool_())])
    rng = np.random.default_rng(0)
    labels = []
    options = {"compression": "none", "use_dictionary": False}
    with (
        pq.ParquetWriter(folder / "data.parquet", schema, **options) as parquet,
        (folder / "X.npy").open("wb") as npy,
    ):
        shape = {"descr": "<f8", "fortran_order": False, "shape": (groups * ROWS, N_X)}
        np.lib.format.write_array_header_1_0(npy, shape)
        for _ in range(groups):
            X = rng.standard_normal((N_X, ROWS))
            y = X[:5].sum(axis=0) + rng.logistic(size=ROWS) > 0
            labels.append(y)
            parquet.write_table(pa.Table.from_arrays([*map(pa.array, [*X, y])], schema=schema))
            npy.write(np.ascontiguousarray(X.T).data)
    np.save(folder / "Y.npy", np.concatenate(labels))


def works(folder: Path) -> dict[str, Callable[[], str]]:
    """Return what is measured."""
    from logreg_c import batches, fit  # noqa: PLC0415

    def data(name: str, cache: str | None = None) -> batches.Batches:
        return batches.from_files(folder / name, cache=None if cache is None else folder / cache)

    def read(name: str) -> str:
        for _ in data(name).read(None):
            pass
        return "1 pass"

    def fitted(X: batches.Batches, Y: object) -> str:
        counts = [0]
        read = X.read

        def counted(columns: tuple[str, ...] | None) -> object:
            counts[0] += 1
            return read(columns)

        X.read = counted  # type: ignore[method-assign]
        found = fit(X, Y, l2=1e-6)  # type: ignore[arg-type]
        return f"{counts[0]} readings, {found.passes} passes, {found.stopped}"

    return {
        "read data.parquet": lambda: read("data.parquet"),
        "fit data.parquet": lambda: fitted(data("data.parquet"), "y"),
        "fit data.parquet, cached": lambda: fitted(data("data.parquet", "cache"), "y"),
        "fit data.parquet, from the cache": lambda: fitted(data("data.parquet", "cache"), "y"),
        "read X.npy": lambda: read("X.npy"),
        "fit X.npy": lambda: fitted(data("X.npy"), np.load(folder / "Y.npy")),
    }


def measure(folder: Path, what: str) -> None:
    """Do one thing in a small address space, and print how long it takes."""
    resource.setrlimit(resource.RLIMIT_AS, (LIMIT, LIMIT))
    work = works(folder)[what]
    start = time.perf_counter()
    said = work()
    seconds = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"| {what} | {seconds:.1f} s | {said} | {peak:.0f} MB |", flush=True)


def main() -> None:
    """Write the files if they are not there, and measure everything."""
    folder = Path(sys.argv[1])
    if not (folder / "Y.npy").exists():
        write(folder, float(sys.argv[2]) if len(sys.argv) > 2 else 2.0)
    (folder / "cache").unlink(missing_ok=True)
    print("| what | time | readings | largest resident memory |\n|---|---|---|---|", flush=True)
    for what in works(folder):
        command = [sys.executable, "-m", "benchmarks.stream", str(folder), "--one", what]
        subprocess.run(command, check=True)


if __name__ == "__main__":
    if "--one" in sys.argv:
        measure(Path(sys.argv[1]), sys.argv[-1])
    else:
        main()
