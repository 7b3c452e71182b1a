# SPDX-License-Identifier: BSD-3-Clause
"""A Dask cluster on this machine: what a question costs, beside dask-ml, and workers that die.

    python -m benchmarks.cluster                overhead of an evaluation, by workers and features
    python -m benchmarks.cluster --kills 100    so many runs, a worker killed in each
    python -m benchmarks.cluster --peer 5       the same minimum by dask-ml, by turns

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
    """Return dask Arrays that lie on the workers, as if these had made them.

    What comes from the client may be unaligned in memory, and is copied in every fit.
    """
    rows = -(-len(Y) // partitions)
    arrays = da.from_array(X, (rows, -1)), da.from_array(Y, rows)
    pair = tuple(array.map_blocks(np.copy).persist() for array in arrays)
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


def problems():
    """Yield the name, X and Y of several kinds of data."""
    rng = np.random.default_rng(1)
    for m, n_x, kind in (
        (20_000, 20, "independent"),
        (320_000, 100, "independent"),
        (200_000, 200, "correlated"),
        (100_000, 30, "badly scaled"),
        (1_000_000, 28, "independent"),
    ):
        X, Y = data(m, n_x)
        if kind == "correlated":  # the standard deviations of principal components are 1 to 0.01
            X = X @ (np.linalg.qr(rng.standard_normal((n_x, n_x)))[0] * np.logspace(0, -2, n_x)).T
            X = X @ np.linalg.qr(rng.standard_normal((n_x, n_x)))[0]
        if kind == "badly scaled":
            X = X * np.logspace(-3, 3, n_x) + np.logspace(3, -3, n_x)
        yield f"{m} x {n_x}, {kind}", X, Y


def by_peer(pair, solver, iterations):
    """Return w and b of dask-ml after so many iterations, without a penalty, and the seconds."""
    from dask_ml.linear_model import LogisticRegression  # noqa: PLC0415

    settings = {"regularizer": None} if solver == "lbfgs" else {}
    model = LogisticRegression(
        solver=solver, max_iter=iterations, tol=1e-30, solver_kwargs=settings
    )
    began = time.perf_counter()
    model.fit(*pair)
    took = time.perf_counter() - began
    return model.coef_.reshape(-1, 1), float(np.ravel(model.intercept_)[0]), took


def enough(X, Y, pair, solver, highest):
    """Return the fewest iterations of dask-ml that reach a J, or None where many do not."""
    for iterations in 1, 2, 3, 4, 5, 6, 8, 10, 13, 16, 20, 30, 50:
        w, b, took = by_peer(pair, solver, iterations)
        if logreg_c.cost_and_gradient(X.T, Y, w, b)[0] <= highest:
            return iterations
        if took > 60:
            break
    return None


def peer(turns):
    """Print how long dask-ml takes to J within 1e-6 of the minimum, if told when to stop."""
    print("data; solver of dask-ml, its iterations: seconds of fit, of dask-ml, times (median)")
    with on(2) as cluster, Client(cluster) as client:
        for name, X, Y in problems():
            pair = collections(X, Y, 8)
            lowest = logreg_c.fit(X.T, Y, tol=1e-12).costs[-1]
            for solver in "newton", "lbfgs", "gradient_descent":
                iterations = enough(X, Y, pair, solver, lowest * (1 + 1e-6))
                if iterations is None:
                    print(f"{name}; {solver}: not reached", flush=True)
                    continue
                found = []
                for _ in range(turns):
                    began = time.perf_counter()
                    on_cluster.fit(client, *pair)
                    ours = time.perf_counter() - began
                    found.append((ours, by_peer(pair, solver, iterations)[2]))
                ours, theirs = map(median, zip(*found, strict=True))
                times = [b / a for a, b in found]
                print(
                    f"{name}; {solver}, {iterations}: {ours:.3f} {theirs:.3f} "
                    f"{median(times):.1f} [{min(times):.1f} {max(times):.1f}]",
                    flush=True,
                )


if __name__ == "__main__":
    __spec__ = None  # workers run this file by its path; they cannot import `benchmarks`
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--kills", type=int)
    parser.add_argument("--seed", type=int, default=0, help="other moments and workers")
    parser.add_argument("--peer", type=int, metavar="TURNS")
    chosen = parser.parse_args()
    if chosen.kills:
        kills(chosen.kills, chosen.seed)
    elif chosen.peer:
        peer(chosen.peer)
    else:
        overhead()
