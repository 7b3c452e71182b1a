# SPDX-License-Identifier: BSD-3-Clause
"""Whether `fit` keeps up with a reader of a file larger than the memory that it may use.

``python -m benchmarks.stream FOLDER [GIGABYTES [WHAT ...]]`` writes about so many gigabytes of
float64 to the folder, as NPY and as Parquet (uncompressed, and as PyArrow writes it by default), if
the files are not there. Then it reads them without doing anything else, fits, and fits with a
cache, each in a process of its own that may allocate 1 GB (RLIMIT_DATA), from a cold page cache.
Beside it, scikit-learn fits the memory map, and its SGD reads parts of it. WHAT chooses from these.
A memory cgroup limits the page cache, too. Linux only.
"""

import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

LIMIT = 1 << 30
N_X, ROWS = 28, 1 << 18  # of a row group
NAMES = [f"x{j}" for j in range(N_X)]
L2 = 1e-6
EPOCHS = 5
PARQUET = {
    "plain.parquet": {"compression": "none", "use_dictionary": False},
    "default.parquet": {},
}


def write_npy(folder: Path, gigabytes: float) -> None:
    """Write X.npy and Y.npy, some rows at a time."""
    groups = max(round(gigabytes * 1e9 / (8 * N_X * ROWS)), 1)
    rng = np.random.default_rng(0)
    labels = []
    with (folder / "X.npy").open("wb") as npy:
        shape = {"descr": "<f8", "fortran_order": False, "shape": (groups * ROWS, N_X)}
        np.lib.format.write_array_header_1_0(npy, shape)
        for _ in range(groups):
            X = rng.standard_normal((ROWS, N_X))
            labels.append(X[:, :5].sum(axis=1) + rng.logistic(size=ROWS) > 0)
            npy.write(X.data)
    np.save(folder / "Y.npy", np.concatenate(labels))


def write_parquet(folder: Path, name: str) -> None:
    """Write the same as Parquet."""
    import pyarrow as pa  # noqa: PLC0415
    import pyarrow.parquet as pq  # noqa: PLC0415

    X, Y = np.load(folder / "X.npy", mmap_mode="r"), np.load(folder / "Y.npy")
    schema = pa.schema([(name, pa.float64()) for name in NAMES] + [("y", pa.bool_())])
    with pq.ParquetWriter(folder / name, schema, **PARQUET[name]) as parquet:
        for k in range(0, len(X), ROWS):
            columns = np.ascontiguousarray(X[k : k + ROWS].T)
            arrays = [*map(pa.array, columns), pa.array(Y[k : k + ROWS])]
            parquet.write_table(pa.Table.from_arrays(arrays, schema=schema))


def readings() -> list[int]:
    """Return a list that counts how often data are read from now on."""
    from logreg_c.batches.parts import PartsOfBatches  # noqa: PLC0415

    counts, read = [0], PartsOfBatches._parts  # noqa: SLF001

    def counted(self: PartsOfBatches, *, first_pass: bool) -> Iterator[Any]:
        counts[0] += 1
        return read(self, first_pass=first_pass)

    PartsOfBatches._parts = counted  # type: ignore[method-assign]  # noqa: SLF001
    return counts


def read_file(path: Path) -> int:
    """Read a file into one buffer; return how often."""
    buffer = bytearray(1 << 23)
    with path.open("rb", buffering=0) as file:
        while file.readinto(buffer):
            pass
    return 1


def decode(path: Path) -> int:
    """Decode a Parquet file, and do nothing with it."""
    import pyarrow.parquet as pq  # noqa: PLC0415

    with pq.ParquetFile(path, pre_buffer=False, buffer_size=1 << 18) as file:
        for _ in file.iter_batches(1 << 16):
            pass
    return 1


def fit(folder: Path, name: str, *, cached: bool = False) -> int:
    """Fit, and keep the result for `excess`."""
    import logreg_c  # noqa: PLC0415

    counts = readings()
    X = logreg_c.batches.from_files(folder / name, cache=folder / "cache" if cached else None)
    Y = np.load(folder / "Y.npy") if name == "X.npy" else "y"
    found = logreg_c.fit(X, Y, l2=L2, tol=1e-6)
    np.savez(folder / "found.npz", w=found.w, b=found.b, J=found.costs[-1])
    return counts[0]


def scikit_learn(folder: Path) -> int:
    """Fit the memory map."""
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415

    X, Y = np.load(folder / "X.npy", mmap_mode="r"), np.load(folder / "Y.npy")
    model = LogisticRegression(C=1 / (L2 * len(Y)), tol=1e-6).fit(X, Y)
    np.savez(folder / "other.npz", w=model.coef_, b=model.intercept_)
    return int(model.n_iter_[0])


def sgd(folder: Path) -> int:
    """Make some passes of stochastic descent over batches."""
    from sklearn.linear_model import SGDClassifier  # noqa: PLC0415

    X, Y = np.load(folder / "X.npy", mmap_mode="r"), np.load(folder / "Y.npy")
    model = SGDClassifier(loss="log_loss", alpha=L2, random_state=0)
    for _ in range(EPOCHS):
        for k in range(0, len(X), ROWS):
            model.partial_fit(X[k : k + ROWS], Y[k : k + ROWS], classes=[False, True])
    np.savez(folder / "other.npz", w=model.coef_, b=model.intercept_)
    return EPOCHS


def excess(folder: Path) -> str:
    """Return by how much J of another library is above that of `fit`."""
    import logreg_c  # noqa: PLC0415

    other, found = np.load(folder / "other.npz"), np.load(folder / "found.npz")
    X = logreg_c.batches.from_files(folder / "X.npy")
    Y = np.load(folder / "Y.npy")
    J = logreg_c.cost_and_gradient(X, Y, other["w"].ravel(), other["b"].item(), l2=L2)[0]
    return f"{J / found['J'] - 1:.0e}"


def works(folder: Path) -> dict[str, Callable[[], int]]:
    """Return what is measured, each of which returns how often it has read the data."""
    found: dict[str, Callable[[], int]] = {
        "read X.npy": lambda: read_file(folder / "X.npy"),
        "fit X.npy": lambda: fit(folder, "X.npy"),
        "fit X.npy, cached": lambda: fit(folder, "X.npy", cached=True),
        "fit X.npy, from the cache": lambda: fit(folder, "X.npy", cached=True),
    }
    for name in PARQUET:
        found[f"decode {name}"] = lambda name=name: decode(folder / name)  # type: ignore[misc]
        found[f"fit {name}"] = lambda name=name: fit(folder, name)  # type: ignore[misc]
    found["scikit-learn, memory map"] = lambda: scikit_learn(folder)
    found["SGD, partial_fit"] = lambda: sgd(folder)
    return found


def measure(folder: Path, what: str) -> None:
    """Do one thing with little memory, and print how long it takes."""
    for path in folder.iterdir():
        descriptor = os.open(path, os.O_RDONLY)
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        os.close(descriptor)
    resource.setrlimit(resource.RLIMIT_DATA, (LIMIT, LIMIT))
    start, spent = time.perf_counter(), time.process_time()
    times = works(folder)[what]()
    seconds, cpu = time.perf_counter() - start, time.process_time() - spent
    status = Path("/proc/self/status").read_text(encoding="ascii")
    peak = int(status.partition("VmHWM:")[2].split()[0]) / 1024
    size = (folder / "X.npy").stat().st_size * times / 1e9
    above = excess(folder) if what.startswith(("scikit", "SGD")) else ""
    print(
        f"| {what} | {seconds:.1f} s | {cpu:.1f} s | {times} | {size / seconds:.2f} GB/s "
        f"| {peak:.0f} MB | {above} |",
        flush=True,
    )


def main() -> None:
    """Write the files if they are not there, and measure everything that is asked for."""
    folder = Path(sys.argv[1])
    chosen = sys.argv[3:] or list(works(folder))
    if not (folder / "Y.npy").exists():
        write_npy(folder, float(sys.argv[2]) if len(sys.argv) > 2 else 2.0)
    for name in PARQUET:
        if any(name in what for what in chosen) and not (folder / name).exists():
            write_parquet(folder, name)
    (folder / "cache").unlink(missing_ok=True)
    os.environ["OMP_WAIT_POLICY"] = "passive"  # threads that wait take no time from other programs
    print("| what | time | CPU | readings | rate of float64 | memory | J above |", flush=True)
    print("|---|---|---|---|---|---|---|", flush=True)
    for what in chosen:
        command = [sys.executable, "-m", "benchmarks.stream", str(folder), "--one", what]
        subprocess.run(command, check=True)


if __name__ == "__main__":
    if "--one" in sys.argv:
        measure(Path(sys.argv[1]), sys.argv[-1])
    else:
        main()
