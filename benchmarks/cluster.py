# SPDX-License-Identifier: BSD-3-Clause
"""A Dask cluster on this machine: what a question costs, beside dask-ml, and workers that die.

    python -m benchmarks.cluster                overhead of an evaluation, by workers and features
    python -m benchmarks.cluster --kills 100    so many runs, a worker killed in each
    python -m benchmarks.cluster --peer         the same minimum by dask-ml

The overhead of an evaluation is its time less that of the pass in memory, on as many cores. Needs
the extra dask, and dask-ml for its row.
"""

import argparse
import os
import signal
import threading
import time
from statistics import median

import dask.array as da
import numpy as np
from distributed import Client, LocalCluster, wait

import logreg_c
from logreg_c import dask as on_cluster


def data(m, n_x):
    """Return X (m, n_x) and Y."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((m, n_x), np.float32).astype(np.float64)
    return X, (X[:, 0] + rng.logistic(size=m) > 0).astype(np.uint8)


def on(workers):
    """Start workers of one thread each, in processes of their own."""
    settings = {"threads_per_worker": 1, "dashboard_address": ":0"}
    return LocalCluster(n_workers=workers, **settings)


def collections(X, Y, partitions):
    """Return dask Arrays that lie on the workers."""
    rows = -(-len(Y) // partitions)
    pair = da.from_array(X, (rows, -1)).persist(), da.from_array(Y, rows).persist()
    wait(pair)
    return pair


def seconds_per_step(train, steps=100):
    """Return the median time of a step, by a callback."""
    seen = []
    train(steps, lambda *_: seen.append(time.perf_counter()))
    return median(np.diff(seen[5:]))


def overhead():
    """Print what a question costs in addition to the pass."""
    print("workers  features  evaluation  in memory  overhead (ms, median of 94)")
    for workers in 2, 4:
        with on(workers) as cluster, Client(cluster) as client:
            for m, n_x in (20_000, 30), (20_000, 1000), (4096, 10_000):
                X, Y = data(m, n_x)
                pair = collections(X, Y, workers)
                here = seconds_per_step(
                    lambda k, look, X=X, Y=Y, workers=workers: logreg_c.train(
                        X.T, Y, 1e-3, k, callback=look, n_threads=workers
                    )
                )
                there = seconds_per_step(
                    lambda k, look, pair=pair: on_cluster.train(
                        client, *pair, 1e-3, k, callback=look
                    )
                )
                shown = [1000 * t for t in (there, here, there - here)]
                print(f"{workers:7}{n_x:10}{shown[0]:12.2f}{shown[1]:11.2f}{shown[2]:10.2f}")


def replaced(cluster, client):
    """Wait until a killed worker is replaced; Dask forgets some that die while they start."""
    try:
        client.wait_for_workers(3, timeout=20)
    except TimeoutError:
        cluster.scale(1)
        cluster.scale(3)
        client.wait_for_workers(3, timeout=60)


def kills(count, seed):
    """Kill a worker at a random moment of each run; every run has to end with the same bits."""
    X, Y = data(200_000, 20)
    expected = logreg_c.fit(X.T, Y).w.tobytes()
    rng, took, same = np.random.default_rng(seed), [], 0
    with on(3) as cluster, Client(cluster) as client:
        rows = len(Y) // 9 + 1
        pair = da.from_array(X, (rows, -1)), da.from_array(Y, rows)
        on_cluster.fit(client, *pair)
        began = time.perf_counter()
        on_cluster.fit(client, *pair)
        undisturbed = time.perf_counter() - began
        for k in range(count):
            replaced(cluster, client)
            found = client.run(os.getpid, on_error="ignore").values()  # one may be dying
            pid = rng.choice([pid for pid in found if isinstance(pid, int)])
            moment = rng.uniform(0, undisturbed)
            timer = threading.Timer(moment, os.kill, (pid, signal.SIGKILL))
            timer.start()
            began = time.perf_counter()
            is_same = on_cluster.fit(client, *pair).w.tobytes() == expected
            took.append(time.perf_counter() - began)
            timer.join()
            same += is_same
            print(
                f"{k + 1:4}  killed at {moment:.2f} s, {took[-1]:6.2f} s, "
                f"{'the same bits' if is_same else 'OTHER BITS'}, load {os.getloadavg()[0]:.1f}",
                flush=True,
            )
    print(
        f"{same} of {count} runs have the bits of memory; seconds per run: median "
        f"{median(took):.2f}, largest {max(took):.2f}; without a kill {undisturbed:.2f}"
    )


def peer():
    """Print how long dask-ml takes to a similar J."""
    from dask_ml.linear_model import LogisticRegression  # noqa: PLC0415

    print(
        "examples  features  passes  fit (s)  dask-ml (s)  times  J, and how far dask-ml's is above"
    )
    with on(2) as cluster, Client(cluster) as client:
        for m, n_x in (20_000, 20), (320_000, 100):
            X, Y = data(m, n_x)
            pair = collections(X, Y, 8)
            began = time.perf_counter()
            ours = on_cluster.fit(client, *pair, l2=1 / m)
            took = time.perf_counter() - began
            began = time.perf_counter()
            theirs = LogisticRegression(solver="lbfgs", C=1.0).fit(*pair)
            theirs_took = time.perf_counter() - began
            b = float(np.ravel(theirs.intercept_)[0])
            J = logreg_c.cost_and_gradient(X.T, Y, theirs.coef_.reshape(-1, 1), b, l2=1 / m)[0]
            print(
                f"{m:8}{n_x:10}{ours.passes:8}{took:9.2f}{theirs_took:13.2f}"
                f"{theirs_took / took:7.0f}  {ours.costs[-1]:.9f} {J - ours.costs[-1]:.1e}"
            )


if __name__ == "__main__":
    __spec__ = None  # workers run this file by its path; they cannot import `benchmarks`
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--kills", type=int)
    parser.add_argument("--seed", type=int, default=0, help="other moments and workers")
    parser.add_argument("--peer", action="store_true")
    chosen = parser.parse_args()
    if chosen.kills:
        kills(chosen.kills, chosen.seed)
    elif chosen.peer:
        peer()
    else:
        overhead()
