# SPDX-License-Identifier: BSD-3-Clause
"""Data in batches and files give the bits of the same data in memory."""

import doctest
import hashlib
import importlib
import threading
import warnings
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import logreg_c
from logreg_c import batches
from logreg_c._parts import examples_of_parts
from logreg_c.batches import pages
from logreg_c.callbacks import Checkpoint

M, N_X = 30_011, 5
NAMES = tuple(f"x{j}" for j in range(N_X))


def make_columns():
    rng = np.random.default_rng(3)
    X = rng.standard_normal((N_X, M)) * np.array([[1.0], [1e3], [0.1], [1.0], [1.0]])
    y = rng.random(M) < 1 / (1 + np.exp(-X[0] - 1e-3 * X[1]))
    columns = dict(zip(NAMES, X, strict=True))
    columns["x3"] = np.round(columns["x3"] * 5).astype(np.int64)
    columns["x4"] = columns["x4"] > 0
    return columns | {"y": y.astype(np.int64), "s": rng.random(M)}


COLUMNS = make_columns()
FEATURES = [COLUMNS[name] for name in NAMES]


def hash_of(X, Y="y", sample_weight="s", **settings):
    """Hash the bits of train and fit."""
    sha = hashlib.sha256()
    for result in (
        logreg_c.fit(X, Y, sample_weight=sample_weight, l2=1e-4, **settings),
        logreg_c.train(X, Y, 0.5, 5, sample_weight=sample_weight, standardize=True, **settings),
        logreg_c.train(X, Y, "auto", 3, sample_weight=sample_weight, **settings),
    ):
        sha.update(np.asarray(result.w).tobytes() + result.costs.tobytes())
        sha.update(np.float64(result.b).tobytes())
    return sha.hexdigest()


@pytest.fixture(scope="module")
def expected():
    return hash_of(FEATURES, COLUMNS["y"], COLUMNS["s"])


def slices(sizes):
    first = 0
    while first < M:
        for size in sizes:
            yield {name: x[first : first + size] for name, x in COLUMNS.items()}
            first += size


@pytest.mark.parametrize("sizes", [[777], [100_000], [1, 5_000], [4096], [13_000, 1, 0, 3]])
def test_batches_of_any_size_have_the_bits_of_arrays(expected, sizes):
    assert hash_of(batches.Batches(lambda: slices(sizes))) == expected


def table():
    return pytest.importorskip("pyarrow").table(COLUMNS)


def write_parquet(path, rows):
    pq = pytest.importorskip("pyarrow.parquet")
    pq.write_table(table(), path, row_group_size=rows)


@pytest.mark.sampled(1)
@pytest.mark.parametrize("rows", [777, 100_000])
def test_parquet(expected, tmp_path, rows):
    write_parquet(tmp_path / "data.parquet", rows)
    assert hash_of(batches.from_files(tmp_path / "data.parquet")) == expected


@pytest.mark.long
def test_row_groups_of_one_row(tmp_path):
    pq = pytest.importorskip("pyarrow.parquet")
    few = table().slice(0, 3000)
    pq.write_table(few, tmp_path / "few.parquet", row_group_size=1)
    found = logreg_c.fit(batches.from_files(tmp_path / "few.parquet", columns=NAMES), "y")
    again = logreg_c.fit(few.select(NAMES), few["y"])
    assert found.w.tobytes() == again.w.tobytes()
    assert found.feature_names == NAMES


@pytest.mark.long
def test_many_files_in_folders_with_partitions(expected, tmp_path):
    pq = pytest.importorskip("pyarrow.parquet")
    cuts = [0, 10_000, 10_001, 25_000, M]
    for k, (first, end) in enumerate(pairwise(cuts)):
        folder = tmp_path / "all" / f"part={k:02}"
        folder.mkdir(parents=True)
        pq.write_table(table().slice(first, end - first), folder / "data.parquet")
    X = batches.from_files(tmp_path / "all", columns=NAMES)
    assert hash_of(X) == expected
    pattern = batches.from_files(f"{tmp_path}/all/*/*.parquet", columns=NAMES)
    assert hash_of(pattern) == expected
    by_part = logreg_c.fit(batches.from_files(tmp_path / "all", columns=["x0", "part"]), "y")
    part = np.repeat(np.arange(4), np.diff(cuts))
    assert by_part.w.tobytes() == logreg_c.fit([COLUMNS["x0"], part], COLUMNS["y"]).w.tobytes()


@pytest.mark.long
def test_ipc_and_csv(expected, tmp_path):
    pa = pytest.importorskip("pyarrow")
    csv = pytest.importorskip("pyarrow.csv")
    with pa.ipc.new_file(str(tmp_path / "data.arrow"), table().schema) as writer:
        writer.write_table(table(), max_chunksize=5000)
    assert hash_of(batches.from_files(tmp_path / "data.arrow")) == expected
    csv.write_csv(table(), tmp_path / "data.csv")
    assert hash_of(batches.from_files(tmp_path / "data.csv")) == expected


def test_streams(expected):
    ds, pl = pytest.importorskip("pyarrow.dataset"), pytest.importorskip("polars")
    assert hash_of(batches.from_stream(ds.dataset(table()))) == expected
    assert hash_of(batches.from_stream(pl.LazyFrame(COLUMNS))) == expected
    assert hash_of(batches.from_stream(table())) == expected


@pytest.mark.parametrize("order", "CF")
@pytest.mark.parametrize("dtype", ["f8", "f4", "i2"])
@pytest.mark.long
def test_npy(tmp_path, order, dtype):
    X = np.array(10 * np.stack(FEATURES[:3], axis=1), dtype=dtype, order=order)
    np.save(tmp_path / "X.npy", X)
    Y, weight = COLUMNS["y"], COLUMNS["s"]
    whole = hash_of(np.load(tmp_path / "X.npy", mmap_mode="r").T, Y, weight)
    assert hash_of(batches.from_files(tmp_path / "X.npy"), Y, weight) == whole
    pieces = np.array_split(X, 7)
    assert hash_of(batches.Batches(lambda: pieces), Y, weight) == whole
    cached = batches.from_files(tmp_path / "X.npy", cache=tmp_path / "cache")
    assert hash_of(cached, Y, weight) == whole


@pytest.mark.long
@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
@pytest.mark.sampled(1)
def test_npz(expected, tmp_path, save):
    X = np.stack(FEATURES, axis=1)
    save(tmp_path / "data.npz", **COLUMNS)
    assert hash_of(batches.from_files(tmp_path / "data.npz")) == expected
    for k, piece in enumerate(np.array_split(np.arange(M), 3)):
        kept = {name: COLUMNS[name][piece] for name in ("y", "s")}
        save(tmp_path / f"part-{k}.npz", X=X[piece], **kept)
    whole = hash_of(list(X.T), COLUMNS["y"], COLUMNS["s"])
    assert hash_of(batches.from_files(tmp_path / "part-*.npz")) == whole
    assert batches.from_files(tmp_path / "part-0.npz").names()[3:] == ("X3", "X4", "y", "s")


def test_npz_that_cannot_be_read(tmp_path):
    path = tmp_path / "data.npz"
    np.savez(path, x=np.zeros(5), y=np.zeros(4))
    refused(ValueError, r"arrays of \[4, 5\] rows; expected as many", batches.from_files(path))
    for bad in np.zeros((3, 2), order="F"), np.zeros((2, 2, 2)), np.array([None]), np.array(3.0):
        np.savez(path, x=bad)
        with pytest.raises(ValueError, match=r"data.npz cannot be read: the array 'x' has shape"):
            batches.from_files(path)
    path.write_bytes(b"PK\x03\x04")
    with pytest.raises(ValueError, match=r"not a zip file; expected a whole \.npz file"):
        batches.from_files(path)


class Rows:
    """What datasets of h5py and Zarr have in common."""

    def __init__(self, values, chunks):
        self.shape, self.dtype, self.chunks = values.shape, values.dtype, chunks
        self._values = values
        self.read = []

    def __getitem__(self, rows):
        self.read.append((rows.start, rows.stop))
        return self._values[rows]


def test_arrays_that_give_rows(tmp_path):
    X = np.stack(FEATURES, axis=1)
    whole = hash_of(X.T, COLUMNS["y"], COLUMNS["s"])
    rows = Rows(X, (7_000, 2))
    found = hash_of(batches.from_array(rows, cache=tmp_path / "cache"), COLUMNS["y"], COLUMNS["s"])
    assert found == whole
    assert all(start % 7_000 == 0 for start, _ in rows.read)
    names = batches.from_array(X, columns=NAMES)
    assert logreg_c.fit(names, COLUMNS["y"]).feature_names == NAMES
    with pytest.raises(TypeError, match=r"array is a ndarray of shape \(5,\); expected the shape"):
        batches.from_array(np.ones(5))


@pytest.mark.long
def test_float32_and_weights_that_are_scaled():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((9_000, 12)).astype(np.float32)
    y, weight = rng.random(9_000) < 0.4, 1e-300 * rng.random(9_000)
    read = batches.Batches(lambda: np.array_split(X, 5))
    assert hash_of(read, y, weight) == hash_of(X.T, y, weight)
    J, dw, db = logreg_c.cost_and_gradient(read, y, np.ones(12), 0.5, l2=0.1)
    again = logreg_c.cost_and_gradient(X.T, y, np.ones(12), 0.5, l2=0.1)
    assert (J, dw.tobytes(), db) == (again[0], again[1].tobytes(), again[2])


def test_predictions_batch_by_batch(tmp_path):
    result = logreg_c.fit(batches.Batches(lambda: slices([4000, 1])), "y")
    found = batches.Batches(lambda: slices([4000, 1])).predict_proba(result.w, result.b)
    pieces = [next(found) for _ in range(3)]
    assert [A.shape for A in pieces] == [(4000,), (1,), (4000,)]
    read = batches.Batches(lambda: slices([999]))
    again = np.concatenate(list(read.predict_proba(result.w, result.b)))
    columns = [COLUMNS[name] for name in result.feature_names]
    whole = logreg_c.predict_proba(columns, np.asarray(result.w), result.b)
    assert again.tobytes() == whole.tobytes()
    X = np.stack(FEATURES, axis=1)[:300]
    rows = batches.Batches(lambda: np.array_split(X, 300)).predict_proba(np.ones(N_X) / 1e3, 0.1)
    by_rows = logreg_c.predict_proba(X.T, np.ones(N_X) / 1e3, 0.1)
    assert np.concatenate(list(rows)).tobytes() == by_rows.tobytes()
    bad = batches.Batches(lambda: slices([999]), columns=NAMES)
    with pytest.raises(ValueError, match="w has shape"):
        next(bad.predict_proba(np.ones(3), 0.0))


def test_predictions_of_all_batches():
    result = logreg_c.fit(batches.Batches(lambda: slices([4000, 1])), "y")
    X = batches.Batches(lambda: slices([999]))
    w = np.asarray(result.w)
    memory = [COLUMNS[name] for name in result.feature_names]
    found = logreg_c.predict_proba(X, result.w, result.b)
    assert found.tobytes() == logreg_c.predict_proba(memory, w, result.b).tobytes()
    labels = logreg_c.predict(memory, w, result.b, threshold=0.3)
    assert np.array_equal(logreg_c.predict(X, result.w, result.b, threshold=0.3), labels)
    pieces = list(X.predict(result.w, result.b, threshold=0.3))
    assert np.array_equal(np.concatenate(pieces), labels[0])
    narrow = np.stack(FEATURES, axis=1).astype(np.float32)
    pieces = batches.Batches(lambda: np.array_split(narrow, 9)).predict_proba(
        w[:N_X], 0.1, dtype="f4"
    )
    A = logreg_c.predict_proba(narrow.T, w[:N_X], 0.1, dtype="f4")
    assert np.concatenate(list(pieces)).tobytes() == A.tobytes()


def test_predictions_of_several_classes():
    rng = np.random.default_rng(1)
    X, w, b = (
        np.stack(FEATURES, axis=1)[:300],
        rng.standard_normal((N_X, 3)) / 1e3,
        np.arange(3) / 9,
    )
    for count in 300, 7:
        rows = batches.Batches(lambda count=count: np.array_split(X, count))
        A = np.concatenate(list(rows.predict_proba(w, b)), axis=1)
        assert A.tobytes() == np.ascontiguousarray(logreg_c.predict_proba(X.T, w, b)).tobytes()
        assert np.array_equal(logreg_c.predict(rows, w, b), logreg_c.predict(X.T, w, b))
    with pytest.raises(ValueError, match="the largest probability decides"):
        next(rows.predict(w, b, threshold=0.3))


def test_predictions_name_the_rows_of_bad_values():
    bad = [np.ones((5, 2)), np.full((5, 2), np.inf)]
    with pytest.raises(ValueError, match="in rows from 0 on: X holds NaN or infinity"):
        logreg_c.predict(batches.Batches(lambda: bad), np.ones(2), 0.0)


@pytest.mark.parametrize("robust", [False, "HC0", True])
@pytest.mark.parametrize("intercept", [False, True])
def test_inference(robust, intercept):
    settings = {"l2": 1e-3, "intercept": intercept}
    X = batches.Batches(lambda: slices([7_000]))
    result = logreg_c.fit(X, "y", sample_weight="s", **settings)
    at = {**settings, "w": result.w, "b": result.b, "robust": robust}
    found = logreg_c.inference(X, "y", sample_weight="s", **at)
    at["w"] = np.asarray(result.w)
    whole = logreg_c.inference(FEATURES, COLUMNS["y"], sample_weight=COLUMNS["s"], **at)
    assert found.covariance.tobytes() == whole.covariance.tobytes()
    assert (found.log_likelihood, found.n_obs) == (whole.log_likelihood, whole.n_obs)
    assert found.names[0] == "x0"
    with pytest.raises(TypeError, match="clusters are passed and X comes in batches"):
        logreg_c.inference(X, "y", result.w, result.b, clusters=np.arange(M) % 9)


# ---- The cache -----------------------------------------------------------------------------------


def test_a_cache_is_written_once_and_found_again(expected, tmp_path, monkeypatch):
    write_parquet(tmp_path / "data.parquet", 5000)
    make = lambda: batches.from_files(tmp_path / "data.parquet", cache=tmp_path / "cache")  # noqa: E731
    assert hash_of(make()) == expected
    written = (tmp_path / "cache").stat().st_mtime_ns
    arrow = importlib.import_module("logreg_c.batches.arrow")
    with monkeypatch.context() as patch:
        patch.setattr(arrow.Parquet, "_batches", None)
        assert hash_of(make()) == expected
    assert (tmp_path / "cache").stat().st_mtime_ns == written
    write_parquet(tmp_path / "data.parquet", 5001)  # a change
    assert hash_of(make()) == expected
    assert (tmp_path / "cache").stat().st_mtime_ns > written
    (tmp_path / "cache").write_bytes(b"logreg_c columns 1\n and nothing else")
    assert hash_of(make()) == expected


def test_a_first_pass_that_fails_leaves_no_cache(tmp_path):
    def read():
        yield {"x": np.ones(5000), "y": np.ones(5000)}
        yield {"x": np.ones(5000, np.float32), "y": np.ones(5000, bool)}

    with pytest.raises(TypeError, match=r"float32, and float64 in .* cast it, say to flo"):
        logreg_c.fit(batches.Batches(read, cache=tmp_path / "cache"), "y")
    assert list(tmp_path.iterdir()) == []


def test_bad_values_are_named_from_a_cache_that_is_found(tmp_path):
    pq = pytest.importorskip("pyarrow.parquet")
    pa = importlib.import_module("pyarrow")
    x = np.linspace(0, 1, 6000)
    x[5001] = np.nan
    pq.write_table(pa.table({"x": x, "y": x > 0.5}), tmp_path / "a.parquet")
    for _ in range(2):
        X = batches.from_files(tmp_path / "a.parquet", cache=tmp_path / "cache")
        refused(ValueError, r"in column 'x' of row 5001 \(counted from 0\) of .*a.parquet", X)
    assert (tmp_path / "cache").exists()


def test_files_larger_than_memory_leave_the_page_cache(expected, tmp_path, monkeypatch):
    dropped = []
    monkeypatch.setattr(pages.os, "sysconf", lambda _: 1, raising=False)
    monkeypatch.setattr(pages, "drop", lambda _, *given: dropped.append(given))
    monkeypatch.setattr(pages, "DROPPED_AT_ONCE", 1)
    write_parquet(tmp_path / "data.parquet", 5000)
    assert hash_of(batches.from_files(tmp_path / "data.parquet")) == expected
    assert dropped
    cached = batches.from_files(tmp_path / "data.parquet", cache=tmp_path / "cache")
    assert hash_of(cached) == expected
    X = np.zeros((1 << 18, 60))
    np.save(tmp_path / "X.npy", X)
    dropped.clear()
    read = sum(len(batch.rows) for batch in batches.from_files(tmp_path / "X.npy").read(None))
    assert read == len(X)
    assert dropped == [(128, 128 + (60 << 18)), (128 + (60 << 18), 128 + (120 << 18))]


# ---- Resuming, stopping --------------------------------------------------------------------------


@pytest.mark.parametrize("first", ["memory", "batches"])
@pytest.mark.long
def test_a_checkpoint_of_one_resumes_the_other(tmp_path, first):
    kinds = {
        "memory": (dict(zip(NAMES, FEATURES, strict=True)), COLUMNS["y"]),
        "batches": (batches.Batches(lambda: slices([6000]), columns=NAMES), "y"),
    }
    pl = pytest.importorskip("polars")
    kinds["memory"] = pl.DataFrame(kinds["memory"][0]), kinds["memory"][1]
    second = ({*kinds} - {first}).pop()
    whole = logreg_c.fit(*kinds["memory"], tol=0)
    checkpoint = Checkpoint(tmp_path / "run.npz", seconds=0)
    logreg_c.fit(*kinds[first], tol=0, callback=[lambda k, *_: k == 2, checkpoint])
    found = logreg_c.fit(*kinds[second], tol=0, callback=Checkpoint(tmp_path / "run.npz"))
    assert found.w.tobytes() == whole.w.tobytes()
    assert found.costs.tobytes() == whole.costs.tobytes()


def test_ctrl_c_keeps_what_was_reached(tmp_path):
    np.save(tmp_path / "X.npy", np.stack(FEATURES, axis=1))

    def interrupt(k, *_):
        if k == 2:
            raise KeyboardInterrupt

    X = batches.from_files(tmp_path / "X.npy")
    with pytest.raises(logreg_c.TrainingInterrupted) as stopped:
        logreg_c.train(X, COLUMNS["y"], 1e-7, 10, callback=interrupt)
    whole = logreg_c.train(np.stack(FEATURES, axis=1).T, COLUMNS["y"], 1e-7, 3)
    assert stopped.value.costs.tobytes() == whole.costs.tobytes()
    assert not [t for t in threading.enumerate() if t.name == "logreg-c reads ahead"]


# ---- Messages ------------------------------------------------------------------------------------


def refused(error, match, read, Y="y", **settings):
    X = read if isinstance(read, batches.Batches) else batches.Batches(read)
    with pytest.raises(error, match=match):
        logreg_c.fit(X, Y, **settings)


def test_bad_values_are_named_with_file_and_row(tmp_path):
    pa = pytest.importorskip("pyarrow")
    pq = pytest.importorskip("pyarrow.parquet")
    y, x = np.ones(6000), np.linspace(0, 1, 6000)
    y[17] = 3
    good = pa.table({"x": x, "y": np.zeros(6000)})
    pq.write_table(good, tmp_path / "a.parquet")
    pq.write_table(pa.table({"x": x, "y": y}), tmp_path / "b.parquet")
    X = batches.from_files(tmp_path)
    refused(ValueError, r"Y is 3.0 in row 17 \(counted from 0\) of .*b.parquet; expected 0, 1", X)
    y[17], x[5001] = 1, np.nan
    pq.write_table(pa.table({"x": x, "y": y}), tmp_path / "b.parquet")
    refused(ValueError, r"in column 'x' of row 5001 \(counted from 0\) of .*b.parquet", X)
    nulls = pa.array([*x[:-1].tolist(), None])
    pq.write_table(pa.table({"x": nulls, "y": y}), tmp_path / "b.parquet")
    refused(ValueError, r"in rows from 0 on of .*b.parquet: column 'x' of X has 1 null", X)
    text = pa.array(["a"] * 6000)
    pq.write_table(pa.table({"x": text, "y": y}), tmp_path / "b.parquet")
    refused(TypeError, r"of .*b.parquet: column 'x' of X is of type String; expected numbers", X)
    pq.write_table(pa.table({"z": x, "y": y}), tmp_path / "b.parquet")
    refused(ValueError, r"b.parquet has no column 'x'; expected all of 'x', 'y'", X)


def test_sparse_matrices_are_refused_with_what_to_pass(tmp_path):
    sparse = pytest.importorskip("scipy.sparse")
    X = sparse.csr_array(np.eye(3))
    sparse.save_npz(tmp_path / "sparse.npz", X)
    refused(TypeError, r"a batch is sparse, .* pass scipy.sparse.vstack\(", lambda: [X])
    with pytest.raises(ValueError, match=r"npz holds a sparse matrix, .* scipy.sparse.load_npz"):
        batches.from_files(tmp_path / "sparse.npz")
    with pytest.raises(TypeError, match=r"array is sparse, .*: pass array.T as X"):
        batches.from_array(X)
    with pytest.raises(TypeError, match="X is a list of sparse matrices; expected one matrix"):
        logreg_c.fit([X, X], [0, 1, 0])


def test_what_cannot_be_read_is_refused(tmp_path):
    one = {"x": np.arange(3.0), "y": np.array([0, 1, 0])}
    refused(ValueError, "have no rows", list)
    refused(ValueError, "no column 'z'; expected all of 'x', 'y', 'z'", lambda: [one],
            sample_weight="z")  # fmt: skip
    refused(ValueError, "no column but Y", lambda: [{"y": one["y"]}])
    refused(ValueError, r"column 'y' has the shape \(2,\); expected \(3,\)",
            lambda: [one | {"y": np.ones(2)}])  # fmt: skip
    refused(TypeError, "a batch is of type int", lambda: [3])
    refused(ValueError, "Y has 2 values, and X at least 3 rows", lambda: [np.ones((3, 1))], [0, 1])
    refused(ValueError, "Y has 4 values, and X 3 rows", lambda: [np.ones((3, 1))], [0, 1, 0, 1])
    refused(TypeError, "arrays, which have no names", lambda: [np.ones((3, 1))], "y")
    refused(ValueError, r"shape \(3, 2\); expected \(rows, 1\)",
            lambda: [np.ones((3, 1)), np.ones((3, 2))], np.ones(6))  # fmt: skip
    refused(ValueError, "sample_weight is zero", lambda: [one | {"s": 0 * one["x"]}],
            sample_weight="s")  # fmt: skip
    refused(ValueError, "sample_weight is -1.0 in row 2", lambda: [one | {"s": 1 - one["x"]}],
            sample_weight="s")  # fmt: skip
    refused(TypeError, "X comes in batches; expected X in memory",
            lambda: [np.ones((5000, 1))], np.ones(5000), firth=True)  # fmt: skip
    with pytest.raises(TypeError, match="a new iterator over batches for every pass"):
        batches.Batches(iter([one]))
    with pytest.raises(TypeError, match="only train, fit, fit_path, l1_max, inference, cost_and"):
        logreg_c.fit_many(batches.Batches(list), [0, 1], l2=[1.0, 2.0])
    with pytest.raises(FileNotFoundError, match=r"nowhere.csv' does not exist"):
        batches.from_files(tmp_path / "nowhere.csv")
    with pytest.raises(FileNotFoundError, match="has no files"):
        batches.from_files(tmp_path)
    for name in "a.parquet", "b.npy":
        (tmp_path / name).write_bytes(b"PAR1")
        with pytest.raises(ValueError, match=f"{name} cannot be read: .*; expected a whole"):
            logreg_c.fit(batches.from_files(tmp_path / name), [0, 1])
    (tmp_path / "a.txt").touch()
    with pytest.raises(ValueError, match=r"'\.txt'; expected one of \.parquet"):
        batches.from_files(tmp_path / "a.txt")
    with pytest.raises(TypeError, match="data is a int; expected a pyarrow Dataset"):
        batches.from_stream(3)
    pa = pytest.importorskip("pyarrow")
    with pytest.raises(TypeError, match="RecordBatchReader, which can be read once only"):
        batches.from_stream(pa.table({"x": [1]}).to_reader())


def test_other_rows_in_a_later_pass_are_an_error():
    counts = iter([9000, 9000, 8000, 9500])

    def read():
        rng = np.random.default_rng(1)
        x = rng.standard_normal(next(counts))
        yield {"x": x, "y": x > rng.standard_normal(x.size)}

    X = batches.Batches(read)
    refused(ValueError, "fewer rows than the 9000 that the first pass has read", X)
    counts = iter([9000, 9500])
    refused(ValueError, "more rows than the 9000 that the first pass has read", X)


@pytest.mark.thread_unsafe(reason="doctest replaces a function of linecache")
@pytest.mark.parametrize("module", ["batches", "batches.sources"])
def test_examples_in_docstrings_are_true(tmp_path, module):
    pytest.importorskip("polars")
    where = importlib.import_module(f"logreg_c.{module}")
    failed, tried = doctest.testmod(where, extraglobs={"tmp": tmp_path})
    assert tried > 0
    assert failed == 0


# ---- Any cut -------------------------------------------------------------------------------------


@st.composite
def data_in_batches(draw):
    """Draw rows of some type and layout, and where they are cut, often near where parts begin."""
    n_x = draw(st.sampled_from([1, 2, 8, 9, 40, 300]))
    unit = examples_of_parts(n_x)
    near = st.integers(0, 3).flatmap(lambda k: st.integers(-2, 2).map(lambda d: k * unit + d))
    m = max(draw(near), draw(st.integers(2049, 3000)))
    cuts = sorted(min(max(cut, 0), m) for cut in draw(st.lists(near, max_size=4)))
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    order, dtype = draw(st.sampled_from("CF")), draw(st.sampled_from(["f8", "f4", "i1"]))
    X = np.array(3 * rng.standard_normal((m, n_x)), dtype=dtype, order=order)
    weight = rng.integers(0, 3, m).astype("f4") if draw(st.booleans()) else None
    y = rng.random(m) < 1 / (1 + np.exp(-X[:, 0] / 3))
    return X, y, weight, cuts, draw(st.booleans())


@settings(max_examples=25)
@given(data_in_batches())
@pytest.mark.long
def test_any_cut_has_the_bits_of_memory(drawn):
    X, y, weight, cuts, named = drawn
    whole = list(X.T) if named else X.T
    pieces = np.split(X, cuts)
    if named:
        pieces = [{str(j): x for j, x in enumerate(piece.T)} for piece in pieces]
    read = batches.Batches(lambda: pieces)
    for call in (
        lambda X: logreg_c.fit(X, y, sample_weight=weight, l2=1e-3, max_passes=12),
        lambda X: logreg_c.train(X, y, 0.1, 3, sample_weight=weight, standardize=True),
    ):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found, again = call(read), call(whole)
        assert found.w.tobytes() == again.w.tobytes()
        assert (found.b, found.costs.tobytes()) == (again.b, again.costs.tobytes())
