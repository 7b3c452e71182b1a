# SPDX-License-Identifier: BSD-3-Clause
"""`--dask`: workers of a cluster give the models of tables in memory, bit for bit."""

import re
from itertools import pairwise

import numpy as np
import pytest

pl = pytest.importorskip("polars")
pytest.importorskip("distributed")

from distributed import LocalCluster  # noqa: E402

from logreg_c._cli import cluster  # noqa: E402

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


TRAIN = ["--target", "y", "--drop", "kind", "--missing", "mean", "--dask"]


def test_what_is_wrong_is_said_in_one_line(fails, address, folder, tmp_path, monkeypatch):
    monkeypatch.setattr(cluster, "ANSWER", 1.0)
    train = ["train", folder, *TRAIN]
    fails(*train, "tcp://127.0.0.1:9", match="--dask tcp://127.0.0.1:9: no scheduler answers")
    fails(*train, "nowhere", match=r"--dask nowhere: no scheduler answers \(missing port")
    fails(*train, address, "--cache", tmp_path, match="--cache is of files that are read here")
    fails(*train, address, "--cv", "3", match="--cv needs the rows in memory")
    none = {"n_workers": 0, "processes": False, "protocol": "tcp", "dashboard_address": ":0"}
    with LocalCluster(**none) as empty:
        fails(*train, empty.scheduler_address, match="there are no workers; start some by")


def test_files_that_workers_cannot_open(run, address, folder, monkeypatch):
    elsewhere = folder / "no"
    monkeypatch.setattr(cluster, "_absolute", lambda part: cluster.replace(part, path=elsewhere))
    code, out, err = run("train", folder, *TRAIN, address)
    assert (code, out) == (2, "")
    assert re.search(r"\.parquet: the worker on .* cannot open .*no; expected a path at which", err)
