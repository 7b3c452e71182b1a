# SPDX-License-Identifier: BSD-3-Clause
"""A cluster gives the bits of the same data in memory, whatever happens to its workers.

`pip install 'dask[array,dataframe]' distributed pandas pyarrow`. Clusters are on this machine.
"""

import contextlib
import doctest
import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import Future
from types import SimpleNamespace

import numpy as np
import pytest
from oracle import bits

import logreg_c

pytestmark = [pytest.mark.long, pytest.mark.filterwarnings("ignore")]  # of dask's own

pytest.importorskip("distributed")
da = pytest.importorskip("dask.array")
import dask  # noqa: E402
from distributed import Client, LocalCluster, wait  # noqa: E402

from logreg_c import dask as on_dask  # noqa: E402
from logreg_c.callbacks import Checkpoint  # noqa: E402
from logreg_c.dask import _blocks, _workers  # noqa: E402

M, N_X = 30_011, 12


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(M, N_X)) * np.logspace(-2, 2, N_X)
    Y = (X @ (1 / np.logspace(-2, 2, N_X)) / 3 + rng.logistic(size=M) > 0).astype(np.uint8)
    return X, Y, rng.integers(0, 4, M).astype(float)


@pytest.fixture(scope="module")
def cluster():
    """Five workers in this process."""
    settings = {"processes": False, "threads_per_worker": 1, "dashboard_address": ":0"}
    with LocalCluster(n_workers=5, **settings) as cluster, Client(cluster) as client:
        yield client


@pytest.fixture(scope="module")
def three():
    """Three workers in processes of their own, each of which takes two seconds to start."""
    cluster = LocalCluster(n_workers=3, threads_per_worker=1, dashboard_address=":0")
    with Client(cluster) as client:
        yield client
    with contextlib.suppress(KeyError):  # of a worker that is gone
        cluster.close()


@pytest.fixture
def processes(three):
    """Three workers that can be killed; they are replaced."""
    replaced(three)
    return three


def pids(client):
    """Return the processes of the workers; one that is dying has none."""
    found = client.run(os.getpid, on_error="ignore").values()
    return [pid for pid in found if isinstance(pid, int)]


def replaced(client):
    """Wait until a worker is replaced; Dask forgets some that die while they start."""
    try:
        client.wait_for_workers(3, timeout=20)
    except TimeoutError:
        client.cluster.scale(1)
        client.cluster.scale(3)
        client.wait_for_workers(3, timeout=60)


CHUNKS = {
    "one": (M,),
    "few": (10_000, 0, 20_011),
    "many": (7, 1, 0, 5000, 123, 9000, 11, 4, 10_000, M - 24_146),
}


def arrays(data, chunks):
    X, Y, s = data
    return (
        da.from_array(X, chunks=(chunks, N_X)),
        da.from_array(Y, chunks=(chunks,)),
        da.from_array(s, chunks=(chunks,)),
    )


@pytest.mark.parametrize("chunks", CHUNKS)
@pytest.mark.parametrize("weighted", [False, True])
def test_fit_and_train_have_the_bits_of_memory(cluster, data, chunks, weighted):
    X, Y, s = data
    s = s if weighted else None
    on_cluster = arrays(data, CHUNKS[chunks])
    of_s = on_cluster[2] if weighted else None
    for settings in {"l2": 1e-4}, {"intercept": False, "tol": 1e-6}:
        expected = logreg_c.fit(X.T, Y, sample_weight=s, **settings)
        found = on_dask.fit(cluster, *on_cluster[:2], sample_weight=of_s, **settings)
        assert bits(*found) == bits(*expected)
        assert (found.passes, found.gap) == (expected.passes, expected.gap)
    for settings in {"l2": 0.1}, {"standardize": True, "alpha": "auto"}:
        steps = {"alpha": 1e-4, "iters": 5} | settings
        expected = logreg_c.train(X.T, Y, sample_weight=s, **steps)
        found = on_dask.train(None, *on_cluster[:2], sample_weight=of_s, **steps)
        assert bits(*found) == bits(*expected)


def classes_of(X):
    """Return three classes, with noise."""
    Z = np.stack([X[:, 0] * 50, X[:, -1] / 50, np.zeros(M)])
    return np.argmax(Z + np.random.default_rng(5).gumbel(size=Z.shape), 0)


@pytest.mark.parametrize("chunks", CHUNKS)
@pytest.mark.parametrize("weighted", [False, True])
def test_several_classes_have_the_bits_of_memory(cluster, data, chunks, weighted):
    X, _, s = data
    codes = classes_of(X)
    s = s / 3 if weighted else None
    on_cluster = arrays((X, codes, data[2] / 3), CHUNKS[chunks])
    of_s = on_cluster[2] if weighted else None
    for settings in {"l2": 1e-4}, {"intercept": False, "tol": 0.0}:
        expected = logreg_c.fit(X.T, codes, sample_weight=s, **settings)
        found = on_dask.fit(cluster, *on_cluster[:2], sample_weight=of_s, **settings)
        assert bits(*found) == bits(*expected)
        assert (found.passes, found.gap) == (expected.passes, expected.gap)
    for settings in {"robust": True}, {"reference": 1, "intercept": False, "l2": 1e-3}:
        of = {"w": found.w, "b": found.b} | settings
        with_errors = logreg_c.inference(X.T, codes, sample_weight=s, **of)
        same = on_dask.inference(cluster, *on_cluster[:2], sample_weight=of_s, **of)
        assert bits(same.covariance, same.log_likelihood) == bits(
            with_errors.covariance, with_errors.log_likelihood
        )
    steps = {"alpha": "auto", "iters": 4, "standardize": True}
    expected = logreg_c.train(X.T, codes, sample_weight=s, **steps)
    found = on_dask.train(cluster, *on_cluster[:2], sample_weight=of_s, **steps)
    assert bits(*found) == bits(*expected)


@pytest.mark.parametrize("chunks", ["few", "many"])
@pytest.mark.parametrize("weighted", [False, True])
def test_an_l1_penalty_and_bounds_have_the_bits_of_memory(cluster, data, chunks, weighted):
    X, Y, s = data
    X = np.concatenate([X, np.random.default_rng(2).normal(size=(M, 40))], 1).astype("f4")
    on_cluster = (
        da.from_array(X, (CHUNKS[chunks], -1)),
        *arrays((X[:, :N_X], Y, s), CHUNKS[chunks])[1:],
    )
    of_s = {"sample_weight": on_cluster[2]} if weighted else {}
    s = s if weighted else None
    for settings in {"l1": 0.02}, {"l1": 1e-3, "l2": 1e-3}, {"lower": 0.0, "intercept": False}:
        expected = logreg_c.fit(X.T, Y, sample_weight=s, **settings)
        found = on_dask.fit(cluster, *on_cluster[:2], **of_s, **settings)
        assert bits(*found) == bits(*expected)
        assert (found.passes, found.gap) == (expected.passes, expected.gap)


@pytest.mark.parametrize("weighted", [False, True])
def test_a_path_of_penalties_has_the_bits_of_memory(cluster, data, weighted):
    X, Y, s = data
    *pair, of_s = arrays(data, CHUNKS["many"])
    s, of_s = (s, of_s) if weighted else (None, None)
    largest = logreg_c.l1_max(X.T, Y, sample_weight=s)
    assert on_dask.l1_max(cluster, *pair, sample_weight=of_s) == largest
    for settings in (
        {"l2": [1.0, 0.01, 0.1]},
        {"l1": largest * np.array([1.0, 0.5, 0.1]), "l2": 1e-3},
        {"l2": [0.1, 0.01], "lower": 0.0, "intercept": False},
    ):
        expected = logreg_c.fit_path(X.T, Y, sample_weight=s, **settings)
        found = on_dask.fit_path(cluster, *pair, sample_weight=of_s, **settings)
        for name in "w", "b", "cost", "passes", "gap":
            assert bits(getattr(found, name)) == bits(getattr(expected, name))


def test_weights_that_run_away_are_named(cluster):
    rng = np.random.default_rng(3)
    X = rng.standard_normal((9000, 3))
    Y = (X[:, 0] + rng.logistic(size=9000) > 0).astype(np.int64)
    X[:, 2] = 0.0
    X[np.flatnonzero(Y)[-9:], 2] = 1.0
    rows = [da.from_array(x, chunks=(2000, -1)[: x.ndim]) for x in (X, Y)]
    message = "of feature 2 grow without bound, it becomes ever more certain of 9 examples"
    with pytest.warns(logreg_c.ConvergenceWarning, match=message):
        on_dask.fit(cluster, *rows)
    third = (X[:, 1] + rng.logistic(size=9000) > 2.0) & (X[:, 2] == 0.0)
    of_three = da.from_array(np.where(third, 2, Y), 2000)
    with pytest.warns(logreg_c.ConvergenceWarning, match=message):
        on_dask.fit(cluster, rows[0], of_three, tol=1e-6)


def test_few_of_many_features(cluster):
    """Those with a Hessian are asked about alone, also where other weights are not 0."""
    rng = np.random.default_rng(3)
    X = rng.normal(size=(9000, 300))
    Y = X[:, ::30].sum(1) + rng.logistic(size=9000) > 0
    pair = da.from_array(X, (2500, -1)), da.from_array(Y, 2500)
    for w in None, np.where(np.arange(300) % 7 == 0, 0.01, 0.0):
        settings = {"l1": 0.02, "tol": 1e-6, "w": w}
        expected = logreg_c.fit(X.T, Y, **settings)
        assert bits(*on_dask.fit(cluster, *pair, **settings)) == bits(*expected)


def test_many_classes_of_which_only_the_diagonal_pays(cluster):
    rng = np.random.default_rng(1)
    X, codes = rng.normal(size=(900, 750)), np.arange(900) % 3
    pair = da.from_array(X, chunks=(400, -1)), da.from_array(codes.astype("u4"), chunks=400)
    settings = {"l2": 1e-2, "tol": 1e-3}
    expected = logreg_c.fit(X.T, codes, **settings)
    assert bits(*on_dask.fit(cluster, *pair, **settings)) == bits(*expected)


def test_narrow_types_are_computed_in_float32_first(cluster, data):
    X, Y, _ = data
    narrow = X.astype(np.float32)
    chunks = CHUNKS["few"]
    expected = logreg_c.fit(narrow.T, Y)
    pair = da.from_array(narrow, chunks=(chunks, N_X)), da.from_array(Y, chunks=(chunks,))
    assert bits(*on_dask.fit(cluster, *pair)) == bits(*expected)


def test_frames_with_names_and_unknown_chunks(cluster, data):
    pd = pytest.importorskip("pandas")
    dd = pytest.importorskip("dask.dataframe")
    X, Y, s = data
    frame = pd.DataFrame(X, columns=[f"x{j}" for j in range(N_X)])
    frame["count"] = np.arange(M, dtype=np.int16) % 7
    frame["y"], frame["s"] = np.where(Y, "yes", "no"), s
    table = dd.from_pandas(frame, npartitions=7)
    table = table[table["x0"] < 10]  # of unknown length; one partition may be empty
    features = frame.columns[:-2].tolist()
    expected = logreg_c.fit(frame[features], Y, sample_weight=s)
    found = on_dask.fit(
        cluster, table[features], table["y"], positive="yes", sample_weight=table["s"]
    )
    assert bits(*found) == bits(*expected)
    assert found.w.feature_names == expected.w.feature_names


def test_columns_of_one_table_of_files(cluster, data, tmp_path):
    pd = pytest.importorskip("pandas")
    dd = pytest.importorskip("dask.dataframe")
    pytest.importorskip("pyarrow")
    X, Y, _ = data
    names = [f"x{j}" for j in range(N_X)]
    frame = pd.DataFrame(X, columns=names).assign(y=Y)
    for k, start in enumerate(range(0, M, 3000)):
        frame[start : start + 3000].to_parquet(tmp_path / f"{k:02}.parquet")
    table = dd.read_parquet(tmp_path)  # Dask merges partitions of y, but not of X
    found = on_dask.fit(cluster, table[names], table["y"])
    assert bits(*found) == bits(*logreg_c.fit(frame[names], Y))
    model = on_dask.LogisticRegression(class_weight="balanced").fit(table[names], table["y"])
    in_memory = logreg_c.sklearn.LogisticRegression(class_weight="balanced").fit(frame[names], Y)
    np.testing.assert_allclose(model.coef_, in_memory.coef_, rtol=1e-9)


@pytest.mark.parametrize("workers", [1, 2, 3, 8])
def test_any_number_of_workers_with_partitions_anywhere(data, workers):
    X, Y, _ = data
    settings = {"processes": False, "threads_per_worker": 1, "dashboard_address": ":0"}
    rng = np.random.default_rng(workers)
    ends = np.cumsum(CHUNKS["many"])
    rows = [slice(end - m, end) for m, end in zip(CHUNKS["many"], ends, strict=True)]
    with LocalCluster(n_workers=workers, **settings) as cluster, Client(cluster) as client:
        places = rng.choice(list(client.nthreads()), len(rows))

        def placed(values):
            return [
                client.submit(values.__getitem__, at, workers=[place], pure=False)
                for at, place in zip(rows, places, strict=True)
            ]

        found = on_dask.fit(client, placed(X), placed(Y))
    assert bits(*found) == bits(*logreg_c.fit(X.T, Y))


@pytest.mark.parametrize("allowed", [True, False])
def test_workers_that_only_the_scheduler_reaches(cluster, data, monkeypatch, allowed):
    async def unreachable(**_message):
        raise OSError

    if allowed:
        rpc = SimpleNamespace(actor_execute=unreachable)
        monkeypatch.setattr(cluster, "rpc", lambda _address: rpc)
    else:
        monkeypatch.setattr(cluster, "direct_to_workers", False)
    X, Y, _ = data
    pair = arrays(data, CHUNKS["few"])[:2]
    assert bits(*on_dask.fit(cluster, *pair)) == bits(*logreg_c.fit(X.T, Y))


@pytest.mark.parametrize("weighted", [False, True])
def test_what_is_persisted_needs_no_task_of_its_own(cluster, data, weighted):
    X, Y, s = data
    given = cluster.persist(arrays(data, CHUNKS["many"])[: 2 + weighted])
    wait(given)
    held = cluster.run_on_scheduler(lambda dask_scheduler: set(dask_scheduler.tasks))
    made = []

    def look(k, *_):
        if k == 1:
            now = cluster.run_on_scheduler(lambda dask_scheduler: set(dask_scheduler.tasks))
            made.extend(now - held)

    found = on_dask.fit(
        cluster, *given[:2], sample_weight=given[2] if weighted else None, callback=look
    )
    assert bits(*found) == bits(*logreg_c.fit(X.T, Y, sample_weight=s if weighted else None))
    assert len(made) <= 5  # an actor on each worker


def test_few_rows_are_taken_into_memory(cluster, data):
    X, Y, _ = (values[:500] for values in data)
    expected = logreg_c.fit(X.T, Y, l2=0.1)
    found = on_dask.fit(cluster, da.from_array(X, (77, -1)), da.from_array(Y, 77), l2=0.1)
    assert bits(*found) == bits(*expected)


def test_more_actors_than_one_can_ask_form_a_tree(processes, data, monkeypatch):
    monkeypatch.setattr(_workers, "DEGREE", 1)
    X, Y, _ = data
    pair = arrays(data, CHUNKS["many"])[:2]
    assert bits(*on_dask.fit(processes, *pair)) == bits(*logreg_c.fit(X.T, Y))


@pytest.mark.parametrize("which", range(3))
def test_a_worker_of_the_tree_is_killed(processes, data, monkeypatch, which):
    monkeypatch.setattr(_workers, "DEGREE", 1)
    X, Y, _ = data
    pair = arrays(data, CHUNKS["many"])[:2]

    def kill(k, *_):
        if k == 2:
            os.kill(pids(processes)[which], signal.SIGKILL)

    found = on_dask.train(processes, *pair, 1e-4, 6, callback=kill)
    assert bits(*found) == bits(*logreg_c.train(X.T, Y, 1e-4, 6))


@pytest.mark.parametrize("times", range(3))
def test_a_worker_that_is_killed_changes_no_bit(processes, data, times):
    X, Y, _ = data
    expected = logreg_c.fit(X.T, Y)
    pair = arrays(data, CHUNKS["many"])[:2]
    rng, killed = np.random.default_rng(times), []

    def kill(k, *_):
        if k == 1:
            killed.append(rng.choice(pids(processes)))
            os.kill(killed[0], signal.SIGKILL)

    assert bits(*on_dask.fit(processes, *pair, callback=kill)) == bits(*expected)
    assert killed


def test_all_workers_are_killed_and_replaced(processes, data):
    X, Y, _ = data
    expected = logreg_c.train(X.T, Y, 1e-4, 6)
    pair = arrays(data, CHUNKS["few"])[:2]

    def kill_all(k, *_):
        if k == 2:
            for pid in pids(processes):
                os.kill(pid, signal.SIGKILL)

    found = on_dask.train(processes, *pair, 1e-4, 6, callback=kill_all)
    assert bits(*found) == bits(*expected)


def test_blocks_that_no_worker_holds_any_more_are_made_again(cluster, data, monkeypatch):
    monkeypatch.setattr(_workers.Workers, "_settled", lambda _: {})
    X, Y, _ = data
    pair = arrays(data, CHUNKS["many"])[:2]
    assert bits(*on_dask.fit(cluster, *pair)) == bits(*logreg_c.fit(X.T, Y))


def test_a_worker_that_is_killed_at_any_moment(processes, data):
    X, Y, _ = data
    expected = logreg_c.fit(X.T, Y)
    pair = arrays(data, CHUNKS["many"])[:2]
    for seconds in 0.0, 0.03, 0.1, 0.2:
        pid = pids(processes)[0]
        timer = threading.Timer(seconds, os.kill, (pid, signal.SIGKILL))
        timer.start()
        assert bits(*on_dask.fit(processes, *pair)) == bits(*expected)
        timer.join()
        replaced(processes)


@pytest.mark.parametrize("name", ["SILENCE", "UNHEARD"])
def test_a_silent_worker_is_given_up(processes, data, monkeypatch, name):
    monkeypatch.setattr(_workers, name, 3.0)
    X, Y, _ = data
    expected = logreg_c.train(X.T, Y, 1e-4, 6)
    pair = arrays(data, CHUNKS["few"])[:2]
    silent = []

    def silence(k, *_):
        if k == 2:
            silent.append(pids(processes)[0])
            os.kill(silent[0], signal.SIGSTOP)

    try:
        found = on_dask.train(processes, *pair, 1e-4, 6, callback=silence)
    finally:
        os.kill(silent[0], signal.SIGKILL)
    assert bits(*found) == bits(*expected)


def test_blocks_that_are_moved_are_found_again(data):
    X, Y, _ = data
    pair = arrays(data, CHUNKS["many"])[:2]
    settings = {"processes": False, "threads_per_worker": 1, "dashboard_address": ":0"}
    with LocalCluster(n_workers=3, **settings) as cluster, Client(cluster) as client:

        def move(k, *_):
            if k == 1:
                first = next(iter(client.scheduler_info()["workers"]))
                client.retire_workers([first])

        found = on_dask.fit(client, *pair, callback=move)
    assert bits(*found) == bits(*logreg_c.fit(X.T, Y))


def test_blocks_that_are_rebalanced(data):
    X, Y, _ = data
    memory = {"measure": "managed", "sender-min": 0.0, "sender-recipient-gap": 0.0}
    settings = {"processes": False, "threads_per_worker": 1, "dashboard_address": ":0"}
    with (
        dask.config.set({"distributed.worker.memory.rebalance": memory | {"recipient-max": 0.6}}),
        LocalCluster(n_workers=3, **settings) as cluster,
        Client(cluster) as client,
    ):
        first = next(iter(client.nthreads()))
        pair = client.persist(arrays(data, CHUNKS["many"])[:2], workers=[first])
        held = []

        def move(k, *_):
            held.append({address for address, keys in client.has_what().items() if keys})
            if k == 1:
                client.rebalance()

        found = on_dask.train(client, *pair, 1e-4, 6, callback=move)
    assert bits(*found) == bits(*logreg_c.train(X.T, Y, 1e-4, 6))
    assert len(held[0]) < len(held[-1])


def test_blocks_that_are_spilled_to_disk(data):
    X, Y, _ = data
    settings = {"processes": False, "threads_per_worker": 1, "dashboard_address": ":0"}
    memory = {"target": 0.01, "spill": False, "pause": False, "terminate": False}
    with (
        dask.config.set({f"distributed.worker.memory.{name}": at for name, at in memory.items()}),
        LocalCluster(n_workers=2, memory_limit="20 MB", **settings) as cluster,
        Client(cluster) as client,
    ):
        pair = client.persist(arrays(data, CHUNKS["many"])[:2])
        wait(pair)
        on_disk = client.run(lambda dask_worker: len(dask_worker.data.disk))
        assert bits(*on_dask.fit(client, *pair)) == bits(*logreg_c.fit(X.T, Y))
    assert sum(on_disk.values())


@pytest.mark.parametrize("count", [20, 200])
def test_delayed_partitions_of_few_rows(cluster, data, count):
    parts = [[dask.delayed(part) for part in np.array_split(of, count)] for of in data]
    found = on_dask.fit(cluster, *parts[:2], sample_weight=parts[2])
    X, Y, s = data
    assert bits(*found) == bits(*logreg_c.fit(X.T, Y, sample_weight=s))


def test_what_makes_a_block_is_one_task_with_what_it_alone_needs():
    mean, load = dask.delayed(np.mean)([1.0, 3.0]), dask.delayed(np.full)
    parts = [load((5, 2), float(k)) for k in range(3)]
    asked = [dask.delayed(np.dot)(part - mean, part.T) for part in parts]
    graph = _blocks._fused(asked)
    keys = [one.key for one in asked]
    assert graph.keys() == {*keys, mean.key}
    for found, expected in zip(dask.get(graph, keys), dask.compute(*asked), strict=True):
        np.testing.assert_array_equal(found, expected)


def test_annotations_of_partitions_hold(cluster, data):
    X, Y, _ = data
    with dask.annotate(priority=1):
        parts = [[dask.delayed(np.copy)(p) for p in np.array_split(of, 4)] for of in (X, Y)]
    asked = [dask.delayed(np.dot)(part, part.T) for part in parts[0]]
    computed = []
    client = SimpleNamespace(compute=computed.append)
    _blocks.begun(client, asked)
    assert computed == [asked]  # as they are
    assert bits(*on_dask.fit(cluster, *parts)) == bits(*logreg_c.fit(X.T, Y))


def test_a_checkpoint_goes_on_in_memory_and_back(cluster, data, tmp_path):
    X, Y, _ = data
    pair = arrays(data, CHUNKS["many"])[:2]
    expected = logreg_c.fit(X.T, Y)
    path = tmp_path / "run.npz"

    def stop(k, *_):
        return k == 1

    on_dask.fit(cluster, *pair, callback=[stop, Checkpoint(path, seconds=0)])
    assert bits(*logreg_c.fit(X.T, Y, callback=Checkpoint(path))) == bits(*expected)
    path.unlink()
    logreg_c.fit(X.T, Y, callback=[stop, Checkpoint(path, seconds=0)])
    assert bits(*on_dask.fit(cluster, *pair, callback=Checkpoint(path))) == bits(*expected)


def test_without_a_scheduler_it_ends_with_what_was_reached(data):
    pair = arrays(data, CHUNKS["few"])[:2]
    settings = {"threads_per_worker": 1, "dashboard_address": ":0"}
    cluster = LocalCluster(n_workers=2, **settings)
    client = Client(cluster)

    def close(k, *_):
        if k == 2:
            cluster.close()

    began = time.monotonic()
    try:
        with pytest.raises(on_dask.ClusterError, match="not answer") as caught:
            on_dask.train(client, *pair, 1e-4, 10, callback=close)
    finally:
        client.close()
    assert time.monotonic() - began < 60
    expected = logreg_c.train(data[0].T, data[1], 1e-4, 3)
    assert bits(caught.value.w, caught.value.b) == bits(expected.w, expected.b)


@pytest.mark.parametrize("at", [0, 2])
def test_a_scheduler_that_hangs_is_an_error(data, tmp_path, monkeypatch, at):
    place = ["--scheduler-file", str(tmp_path / "scheduler.json"), "--no-dashboard"]
    command = [sys.executable, "-P", "-m", "distributed.cli.dask_scheduler", "--port", "0"]
    settings = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    scheduler = subprocess.Popen([*command, *place], **settings)
    command = [sys.executable, "-P", "-m", "distributed.cli.dask_worker", "--no-nanny"]
    worker = subprocess.Popen([*command, *place, "--local-directory", str(tmp_path)], **settings)

    def stop(k=0, *_):
        if k == at:
            monkeypatch.setattr(_workers, "UNHEARD" if at else "ABSENT", 3.0)
            monkeypatch.setattr(_workers, "SILENCE", 3.0)
            scheduler.send_signal(signal.SIGSTOP)

    try:
        with Client(scheduler_file=place[1], direct_to_workers=False) as client:
            pair = arrays(data, CHUNKS["few"])[:2]
            stop(-1 if at else 0)
            with pytest.raises(
                on_dask.ClusterError, match="the scheduler does not answer"
            ) as caught:
                on_dask.train(client, *pair, 1e-4, 10, callback=stop)
            scheduler.kill()  # or closing the client would wait for it
    finally:
        for process in scheduler, worker:
            process.kill()
            process.wait()
    if at:
        expected = logreg_c.train(data[0].T, data[1], 1e-4, at + 1)
        assert bits(caught.value.w, caught.value.b) == bits(expected.w, expected.b)


def test_time_in_which_this_process_was_stopped_does_not_count(monkeypatch):
    answer, steps, now = Future(), iter([1000.0, 0.01, 0.01, None]), 0.0

    def wait(*_):
        nonlocal now
        step = next(steps)
        if step is None:
            answer.set_result("late")
        now += step or 0.0

    monkeypatch.setattr(_workers, "wait", wait)
    monkeypatch.setattr(_workers, "time", SimpleNamespace(monotonic=lambda: now))
    client = SimpleNamespace(loop=SimpleNamespace(add_callback=lambda _: None))
    assert _workers._waited(client, answer, 1.0) == "late"


def test_workers_are_not_missed_while_this_process_was_stopped(monkeypatch):
    steps, now = iter([2.0 * _workers.ABSENT] * 2 + [None]), 0.0

    def waited(*_):
        nonlocal now
        step = next(steps)
        if step is None:
            return "late"
        now += step
        raise TimeoutError

    monkeypatch.setattr(_workers, "_waited", waited)
    monkeypatch.setattr(_workers, "apart", lambda *_, **_settings: {})
    monkeypatch.setattr(_workers, "time", SimpleNamespace(monotonic=lambda: now))
    never = threading.Event()
    assert _workers.awaited(SimpleNamespace(nthreads=dict), never.wait) == "late"
    never.set()


def test_workers_are_not_blamed_for_the_time_in_which_nobody_looks(monkeypatch):
    answers = [{"a": 0.0, "b": 0.0}] + [{"a": 0.0, "b": float(k)} for k in range(4)]
    given_up = []

    def by_scheduler(_, do, **arguments):
        return answers.pop(0) if do is _workers._last_heard else given_up.append(arguments)

    monkeypatch.setattr(_workers, "_by_scheduler", by_scheduler)
    monkeypatch.setattr(_workers, "UNHEARD", 3.5 * _workers.LOOK)
    watch = _workers.Watch(None)
    assert [watch.workers() for _ in range(5)] == [{"a", "b"}] * 4 + [{"b"}]
    assert given_up == [{"address": "a"}]


def test_scattered_data_are_refused(cluster, data):
    X, Y, _ = data
    parts = [cluster.scatter(X[:100]), cluster.scatter(X[100:200])]
    with pytest.raises(ValueError, match="were scattered to the workers"):
        on_dask.fit(cluster, parts, [dask.delayed(Y[:100]), dask.delayed(Y[100:200])])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda X, Y: (X, Y[:-1].rechunk((100, 100, 99))), "Y has shape"),
        (lambda X, Y: (X, Y.rechunk(150)), "X has 3 partitions and Y 2"),
        (lambda X, Y: (X, Y + da.from_array(np.eye(300)[250] * 3, 100)), "partition 2: Y is"),
        (lambda X, Y: (X[:0], Y[:0]), "no rows in any partition"),
        (lambda _, Y: (np.ones((300, 2)), Y), "X is a ndarray; expected a dask Array"),
    ],
)
def test_bad_input_names_its_partition(cluster, change, words):
    X = da.from_array(np.random.default_rng(0).normal(size=(300, 2)), (100, -1))
    Y = da.from_array(np.arange(300) % 2, 100)
    with pytest.raises((TypeError, ValueError), match=words):
        on_dask.fit(cluster, *change(X, Y))


def test_nan_is_named_by_its_row(cluster, data):
    X, Y, _ = data
    X = X.copy()
    X[20_500, 3] = np.nan
    pair = da.from_array(X, (4000, -1)), da.from_array(Y, 4000)
    with pytest.raises(ValueError, match="feature 3 of row 20500"):
        on_dask.fit(cluster, *pair)


def test_other_processes_of_this_package_do_not_load_it():
    code = "import sys, logreg_c; assert not {'dask', 'distributed'} & set(sys.modules)"
    subprocess.run([sys.executable, "-P", "-c", code], check=True)


def test_the_estimator_finds_what_it_finds_in_memory(cluster, data):
    sklearn = pytest.importorskip("logreg_c.sklearn")
    X, Y, s = data
    labels = np.where(Y, "yes", "no")
    *arrays_of, weight = arrays((X, labels, s), CHUNKS["few"])
    lasso = {"C": 1e-3, "l1_ratio": 0.5, "solver": "saga"}
    for settings in {}, {"C": 0.01, "class_weight": "balanced"}, {"fit_intercept": False}, lasso:
        expected = sklearn.LogisticRegression(**settings).fit(X, labels, s)
        model = on_dask.LogisticRegression(**settings)
        assert model.fit(*arrays_of, weight) is model
        np.testing.assert_allclose(model.coef_, expected.coef_, rtol=1e-9)
        np.testing.assert_array_equal(model.classes_, expected.classes_)
    expected, model = sklearn.LogisticRegression(), on_dask.LogisticRegression()
    expected.fit(X, labels), model.fit(*arrays_of)
    assert bits(model.coef_, model.intercept_) == bits(expected.coef_, expected.intercept_)
    for method in "predict", "predict_proba", "predict_log_proba", "decision_function":
        lazy = getattr(model, method)(arrays_of[0])
        assert dask.is_dask_collection(lazy)
        found = getattr(expected, method)(X)
        assert (lazy.shape, lazy.dtype) == (found.shape, found.dtype)
        np.testing.assert_array_equal(lazy.compute(), found)
        np.testing.assert_array_equal(getattr(model, method)(X), found)
    assert model.score(*arrays_of) == expected.score(X, labels) == model.score(X, labels)
    np.testing.assert_allclose(model.score(*arrays_of, weight), expected.score(X, labels, s))
    assert sklearn.LogisticRegression().get_params() == on_dask.LogisticRegression().get_params()


def test_the_estimator_with_several_classes(cluster, data):
    sklearn = pytest.importorskip("logreg_c.sklearn")
    X, _, s = data
    labels = np.array(["bus", "car", "foot"])[classes_of(X)]
    *arrays_of, weight = arrays((X, labels, s), CHUNKS["few"])
    for settings in {}, {"C": 0.01, "class_weight": "balanced"}, {"standardize": True}:
        expected = sklearn.LogisticRegression(**settings).fit(X, labels, s)
        model = on_dask.LogisticRegression(**settings).fit(*arrays_of, weight)
        np.testing.assert_allclose(model.coef_, expected.coef_, rtol=1e-6, atol=1e-9)
    expected, model = sklearn.LogisticRegression(), on_dask.LogisticRegression()
    expected.fit(X, labels), model.fit(*arrays_of)
    assert bits(model.coef_, model.intercept_) == bits(expected.coef_, expected.intercept_)
    for method in "predict", "predict_proba", "decision_function":
        lazy, found = getattr(model, method)(arrays_of[0]), getattr(expected, method)(X)
        assert (lazy.shape, lazy.dtype) == (found.shape, found.dtype)
        np.testing.assert_array_equal(lazy.compute(), found)
    dd = pytest.importorskip("dask.dataframe")
    frame = dd.from_dask_array(arrays_of[0])
    assert list(model.decision_function(frame).columns) == ["bus", "car", "foot"]


def test_the_estimator_takes_frames_and_keeps_their_index(cluster, data):
    pd = pytest.importorskip("pandas")
    dd = pytest.importorskip("dask.dataframe")
    sklearn = pytest.importorskip("logreg_c.sklearn")
    X, Y, _ = data
    frame = pd.DataFrame(X, columns=[f"x{j}" for j in range(N_X)], index=np.arange(M)[::-1])
    frame["y"] = Y.astype(bool)
    table = dd.from_pandas(frame, npartitions=5, sort=False)
    table = table[table["x0"] < 10]
    features = frame.columns[:-1].tolist()
    model = on_dask.LogisticRegression().fit(table[features], table["y"])
    expected = sklearn.LogisticRegression().fit(frame[features], frame["y"])
    assert bits(model.coef_) == bits(expected.coef_)
    assert list(model.feature_names_in_) == features
    predicted = model.predict_proba(table[features]).compute()
    assert list(predicted.columns) == [False, True]
    assert predicted.index.equals(frame.index)
    np.testing.assert_array_equal(predicted, expected.predict_proba(frame[features]))
    predicted = model.predict(table[features])
    assert predicted.dtype == bool
    np.testing.assert_array_equal(predicted.compute(), expected.predict(frame[features]))
    with pytest.raises(ValueError, match="feature names"):
        model.predict(table[features[::-1]]).compute()


def test_the_estimator_computes_each_partition_of_x_once(cluster, data, tmp_path):
    pd = pytest.importorskip("pandas")
    dd = pytest.importorskip("dask.dataframe")
    pytest.importorskip("logreg_c.sklearn")
    X, Y, _ = data
    frame = pd.DataFrame(X, columns=[f"x{j}" for j in range(N_X)]).assign(y=Y)
    table = dd.from_pandas(frame, npartitions=4)

    def seen(part):
        if len(part) > 2:  # Dask tries it on two rows
            (tmp_path / f"{part.index[0]} {time.monotonic_ns()}").touch()
        return part

    features = table[list(frame.columns[:-1])].map_partitions(seen)
    on_dask.LogisticRegression(class_weight="balanced").fit(features, table["y"])
    assert len(list(tmp_path.iterdir())) == 4


@pytest.mark.parametrize(
    ("settings", "labels", "words"),
    [
        ({}, np.zeros(300), "only one class"),
        ({}, np.where(np.arange(300) == 250, np.nan, 0.0), "partition 2: Input y contains NaN"),
        (
            {"l1_ratio": 1.0, "solver": "saga"},
            np.arange(300) % 3,
            "l1_ratio is 1, y has 3 classes and X comes in batches",
        ),
        ({"C": -1.0}, np.arange(300) % 2, "C is -1.0"),
    ],
)
def test_the_estimator_says_what_is_wrong(cluster, settings, labels, words):
    pytest.importorskip("logreg_c.sklearn")
    X = da.from_array(np.random.default_rng(0).normal(size=(300, 2)), (100, -1))
    with pytest.raises((TypeError, ValueError), match=words):
        on_dask.LogisticRegression(**settings).fit(X, da.from_array(labels, 100))


def test_the_example_of_the_estimator_runs():
    pytest.importorskip("logreg_c.sklearn")
    (example,) = (
        found
        for found in doctest.DocTestFinder(recurse=False).find(on_dask.LogisticRegression)
        if found.examples
    )
    assert doctest.DocTestRunner().run(example).failed == 0
