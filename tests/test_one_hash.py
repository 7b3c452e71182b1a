# SPDX-License-Identifier: BSD-3-Clause
"""One SHA-256 of `fit` and `train`, wherever X is and whatever happens there meanwhile.

The data are the same on every machine, since nothing but exact operations makes them, and so is the
hash.
"""

import hashlib
import os
import signal
from contextlib import contextmanager
from functools import partial

import numpy as np
import pytest

import logreg_c
from logreg_c import batches
from logreg_c.callbacks import Checkpoint

pytestmark = [pytest.mark.long, pytest.mark.filterwarnings("ignore")]  # of dask's own

SHA256 = "645411bc8b7d33ae0f6e96e07784714bceab44099ed07b6512560e0cd431acf3"
M, NAMES = 33_013, ("x0", "x1")
RNG = np.random.default_rng(21)
X = RNG.random((M, 2)) * [1.0, 100.0]
Y = (X[:, 0] > RNG.random(M)).astype(np.int64)
COLUMNS = dict(zip((*NAMES, "y"), (*X.T, Y), strict=True))


def here(X, Y="y"):
    """Return fit and train in this process."""
    return (
        partial(logreg_c.fit, X, Y),
        partial(logreg_c.train, X, Y, alpha=1e-4, iters=4),
    )


def there(client, X, Y):
    """Return fit and train on a cluster."""
    on_cluster = pytest.importorskip("logreg_c.dask")
    return (
        partial(on_cluster.fit, client, X, Y),
        partial(on_cluster.train, client, X, Y, alpha=1e-4, iters=4),
    )


def hash_of(results):
    """Hash the bits of w, b and all costs."""
    sha = hashlib.sha256()
    for found in results:
        for values in found.w, found.b, found.costs:
            sha.update(np.asarray(values, "<f8").tobytes())
    return sha.hexdigest()


def hash_by(solvers, **settings):
    """Hash what solvers find."""
    return hash_of(solve(**settings) for solve in solvers)


# ---- In this process -----------------------------------------------------------------------------


@pytest.mark.parametrize("order", "CF")
def test_arrays(order):
    assert hash_by(here(np.asarray(X, order=order).T, Y)) == SHA256


def test_columns():
    assert hash_by(here(list(X.T), Y)) == SHA256


def test_memmap(tmp_path):
    np.save(tmp_path / "X.npy", X)
    assert hash_by(here(np.load(tmp_path / "X.npy", mmap_mode="r").T, Y)) == SHA256
    assert hash_by(here(batches.from_files(tmp_path / "X.npy"), Y)) == SHA256


@pytest.mark.parametrize("rows", [1, 777, 100_000])
def test_parquet_with_row_groups_of(tmp_path, rows):
    parquet = pytest.importorskip("pyarrow.parquet")
    path = tmp_path / "data.parquet"
    parquet.write_table(table(), path, row_group_size=rows)
    cache = tmp_path / "cache" if rows == 1 else None  # as PyArrow is slow at so many
    assert hash_by(here(batches.from_files(path, cache=cache))) == SHA256


@pytest.mark.parametrize("cached", [False, True])
@pytest.mark.parametrize("name", ["data.arrow", "data.csv"])
def test_files(tmp_path, name, cached):
    write(tmp_path / name)
    cache = tmp_path / "cache" if cached else None
    for _ in range(1 + cached):  # the second time from the cache alone
        assert hash_by(here(batches.from_files(tmp_path / name, cache=cache))) == SHA256


def table():
    """Return the columns as an Arrow table."""
    return pytest.importorskip("pyarrow").table(COLUMNS)


def write(path):
    """Write the columns in the format of the file's name."""
    pa, csv = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.csv")
    if path.suffix == ".csv":
        csv.write_csv(table(), path)
    else:
        with pa.ipc.new_file(str(path), table().schema) as writer:
            writer.write_table(table(), max_chunksize=5000)


# ---- On a cluster --------------------------------------------------------------------------------


@contextmanager
def cluster_of(workers, *, processes=False):
    """Start workers in this process, or in processes of their own, which can be killed."""
    distributed = pytest.importorskip("distributed")
    settings = {"processes": processes, "threads_per_worker": 1, "dashboard_address": ":0"}
    with (
        distributed.LocalCluster(n_workers=workers, **settings) as cluster,
        distributed.Client(cluster) as client,
    ):
        yield client


def collections(rows=1500):
    """Return dask Arrays whose partitions are not cut where ours are."""
    da = pytest.importorskip("dask.array")
    return da.from_array(X, (rows, -1)), da.from_array(Y, rows)


@pytest.mark.parametrize("workers", [1, 2, 3, 5, 8])
def test_workers(workers):
    with cluster_of(workers) as client:
        assert hash_by(there(client, *collections())) == SHA256


def test_partitions_on_any_worker():
    cuts = np.sort(np.random.default_rng(0).integers(0, M, 30))
    with cluster_of(5) as client:
        places = np.random.default_rng(1).choice(list(client.nthreads()), cuts.size + 1)

        def placed(values):
            return [
                client.submit(np.copy, part, workers=[place], pure=False)
                for part, place in zip(np.split(values, cuts), places, strict=True)
            ]

        assert hash_by(there(client, placed(X), placed(Y))) == SHA256


@pytest.mark.parametrize("killed", ["one", "all"])
def test_workers_that_are_killed(killed):
    with cluster_of(3, processes=True) as client:

        def kill(k, *_):
            if k == 1:
                found = client.run(os.getpid, on_error="ignore").values()
                pids = [pid for pid in found if isinstance(pid, int)]  # one may be dying
                for pid in pids if killed == "all" else pids[:1]:
                    os.kill(pid, signal.SIGKILL)

        assert hash_by(there(client, *collections()), callback=kill) == SHA256


def stop(k, *_):
    return k == 1


@pytest.mark.parametrize("first", ["memory", "files", "cluster"])
def test_resumed_elsewhere(tmp_path, first):
    np.save(tmp_path / "X.npy", X)  # without names, which have to be the same
    with cluster_of(2) as two, cluster_of(3) as three:
        places = {
            "memory": here(X.T, Y),
            "files": here(batches.from_files(tmp_path / "X.npy"), Y),
            "cluster": there(two, *collections()),
            "another cluster": there(three, *collections(4000)),
        }
        begin = places.pop(first)
        for name, end in places.items():
            found = []
            for k in range(2):
                saved = Checkpoint(tmp_path / f"{name} {k}.npz", seconds=0)
                assert begin[k](callback=[stop, saved]).stopped == "callback"
                found.append(end[k](callback=saved))
            assert hash_of(found) == SHA256, name
