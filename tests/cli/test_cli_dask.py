# SPDX-License-Identifier: BSD-3-Clause
"""`--dask`: workers of a cluster give the models and the output of one process, bit for bit."""

import contextlib
import os
import re
import signal
from itertools import pairwise

import numpy as np
import pytest

pl = pytest.importorskip("polars")
pytest.importorskip("distributed")

from distributed import Client, LocalCluster  # noqa: E402

from logreg_c._cli import cluster, tables  # noqa: E402
from logreg_c._cli.tables import reading  # noqa: E402
from logreg_c.dask import _workers  # noqa: E402

pytestmark = [pytest.mark.long, pytest.mark.filterwarnings("ignore")]  # of dask's own

ROWS = 7000


@pytest.fixture(scope="module")
def address():
    """The scheduler of two workers in processes of their own."""
    settings = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": ":0"}
    with LocalCluster(**settings) as cluster:
        yield cluster.scheduler_address


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Four files, of which the second has no row, and the last no labeled one."""
    rng = np.random.default_rng(3)
    x = rng.normal(size=(2, ROWS))
    table = pl.DataFrame(
        {
            "size": pl.Series(x[0]).set(pl.Series(rng.random(ROWS) < 0.1), None),
            "age": rng.integers(20, 60, ROWS),
            "kind": rng.choice(["a", "b", "c"], ROWS),
            "n": rng.integers(1, 4, ROWS),
            "y": np.where(x[0] + x[1] > 0, "yes", "no"),
        }
    ).with_columns(y=pl.when(pl.int_range(ROWS) < ROWS - 5).then("y"))
    path = tmp_path_factory.mktemp("files")
    ends = [0, 4100, 4100, ROWS - 5, ROWS]
    for k, (first, end) in enumerate(pairwise(ends)):
        table.slice(first, end - first).write_parquet(path / f"{k}.parquet")
    return path


OPTIONS = {
    "two classes": ["--target", "y", "--one-hot", "--missing", "mean", "--weight", "n"],
    "inference": ["--target", "y", "--missing", "drop", "--inference"],
    "descent": ["--target", "y", "--missing", "mean", "--solver", "gd", "--iters", "10"],
    "three classes": ["--target", "kind", "--drop", "y", "--missing", "indicator"],
}


@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
def test_a_model_has_the_bits_of_one_of_rows_in_memory(run, address, folder, tmp_path, options):
    if "kind" not in options:
        options = [*options, "--drop", "kind"]
    arguments = ["train", folder, *options, "-o"]
    code, _, said = run(*arguments, tmp_path / "s.npz", "--stream")
    assert code == 0, said
    code, _, said = run(*arguments, tmp_path / "d.npz", "--dask", address)
    assert code == 0, said
    assert (tmp_path / "d.npz").read_bytes() == (tmp_path / "s.npz").read_bytes()


@pytest.mark.parametrize("options", [OPTIONS["two classes"], OPTIONS["three classes"]])
def test_folds_have_the_scores_of_one_process(run, address, folder, options):
    arguments = ["train", folder, *options, "--cv", "3", "--json"]
    expected = run(*arguments, "--stream")
    assert expected[0] == 0
    assert run(*arguments, "--dask", address) == expected


TRAIN = ["--target", "y", "--drop", "kind", "--missing", "mean", "--dask"]


def test_what_is_wrong_is_said_in_one_line(fails, address, folder, tmp_path, monkeypatch):
    monkeypatch.setattr(cluster, "ANSWER", 1.0)
    train = ["train", folder, *TRAIN]
    fails(*train, "tcp://127.0.0.1:9", match="--dask tcp://127.0.0.1:9: no scheduler answers")
    fails(*train, "nowhere", match=r"--dask nowhere: no scheduler answers \(missing port")
    fails(*train, address, "--cache", tmp_path, match="--cache is of files that are read here")
    none = {"n_workers": 0, "processes": False, "protocol": "tcp", "dashboard_address": ":0"}
    with LocalCluster(**none) as empty:
        fails(*train, empty.scheduler_address, match="there are no workers; start some by")


def test_files_that_workers_cannot_open(run, address, folder, monkeypatch):
    elsewhere = folder / "no"

    def moved(piece):
        return piece._replace(file=cluster.replace(piece.file, path=elsewhere))

    monkeypatch.setattr(cluster, "_absolute", moved)
    code, out, err = run("train", folder, *TRAIN, address)
    assert (code, out) == (2, "")
    assert re.search(r"\.parquet: the worker on .* cannot open .*no; expected a path at which", err)


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    """A file of three batches, and of row groups that do not fit them."""
    rng = np.random.default_rng(4)
    m = 140_007
    x = np.round(rng.normal(size=m), 2)
    columns = {"x": x, "k": rng.choice(["a", "b", "c"], m), "y": x + rng.logistic(size=m) > 0}
    path = tmp_path_factory.mktemp("large") / "large.parquet"
    frame = pl.DataFrame(columns | {"id": np.arange(m)})
    frame = frame.with_columns(x=pl.when(pl.col("id") % 1000 != 7).then("x"))
    frame.write_parquet(path, row_group_size=50_000)
    return path


@pytest.fixture
def pieces(monkeypatch):
    """Pieces of one batch each; count those of a file."""
    monkeypatch.setattr(reading, "PIECE_BYTES", 1)

    def count(path):
        with tables.opened_all(path) as source:
            return len(tables.pieces(source, ["x"]))

    return count


SETTINGS = ["--target", "y", "--drop", "id", "--one-hot"]


def test_a_large_file_is_read_in_pieces(run, address, large, pieces, tmp_path):
    assert pieces(large) == 3
    model, again, other = (tmp_path / name for name in ("m.npz", "d.npz", "other.parquet"))
    train = ["train", large, *SETTINGS, "--missing", "drop", "-o"]
    assert run(*train, model, "--stream")[0] == 0
    assert run(*train, again, "--dask", address)[0] == 0
    assert again.read_bytes() == model.read_bytes()
    pl.read_parquet(large).with_columns(k=pl.lit("d")).write_parquet(other)
    for command in (
        ["evaluate", model, large, "--json"],
        ["evaluate", model, large, "--all-rows"],
        ["evaluate", model, other],
        ["predict", model, other, "--keep", "id"],
    ):
        expected = run(*command)
        if other in command:
            assert "values in 140007 of 140007 rows that did not occur" in expected[2]
        assert run(*command, "--dask", address) == expected


def test_output_files_are_the_same(run, address, folder, tmp_path):
    three = ["train", folder, *OPTIONS["three classes"], "-o", tmp_path / "m.npz"]
    assert run(*three, "--stream")[0] == 0
    for name in "a.parquet", "a.csv", "a.html":
        command = "report" if name == "a.html" else "predict"
        out = tmp_path / name
        said = []
        for more in [], ["--dask", address]:
            found = run(command, tmp_path / "m.npz", folder, "-o", out, *more)
            said.append((*found, out.read_bytes()))
        assert said[0] == said[1], name


def test_faults_of_rows_are_named_as_without_a_cluster(run, fails, address, large, tmp_path):
    model, bad = tmp_path / "m.npz", tmp_path / "bad.parquet"
    assert run("train", large, *SETTINGS, "--missing", "mean", "--stream", "-o", model)[0] == 0
    table, last = pl.read_parquet(large), pl.col("id") == 130_000
    table.with_columns(x=pl.when(last).then(np.inf).otherwise("x")).write_parquet(bad)
    expected = run("evaluate", model, bad)
    assert "row 130001" in expected[2]
    assert run("evaluate", model, bad, "--dask", address) == expected
    table.drop("x").write_parquet(bad)
    fails("predict", model, bad, "--dask", address, match="bad.parquet has no column 'x'")
    table.head(0).write_parquet(bad)
    for command in "evaluate", "predict":
        fails(command, model, bad, "--dask", address, match="bad.parquet has no rows of data")


@pytest.mark.parametrize("lost", ["one", "all"])
def test_workers_that_are_lost_while_they_read(run, large, pieces, tmp_path, monkeypatch, lost):
    assert pieces(large) == 3
    model = tmp_path / "m.npz"
    assert run("train", large, *SETTINGS, "--missing", "mean", "--stream", "-o", model)[0] == 0
    expected = run("predict", model, large)
    monkeypatch.setattr(_workers, "ABSENT", 1.0)
    own = LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=":0")
    with Client(own) as client:
        here, submit = Client.submit, iter(range(3))

        def losing(self, *arguments, **settings):
            """Lose workers when the second piece is asked for."""
            task = here(self, *arguments, **settings)
            if next(submit) == 1 and lost == "one":
                os.kill(next(iter(client.run(os.getpid).values())), signal.SIGKILL)
            elif lost == "all":
                own.scale(0)
            return task

        monkeypatch.setattr(Client, "submit", losing)
        found = run("predict", model, large, "--dask", own.scheduler_address)
    with contextlib.suppress(KeyError):  # of a worker that is gone
        own.close()
    if lost == "one":
        assert found == expected
    else:
        assert found[0] == 1
        assert "there have been no workers for 1 s; see its dashboard" in found[2]
