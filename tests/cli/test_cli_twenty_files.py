# SPDX-License-Identifier: BSD-3-Clause
"""Twenty files as people have them: the first error says which options train a model on each."""

import csv
import gzip
import io
import json
import shlex

import numpy as np
import pytest

pl = pytest.importorskip("polars")

ROWS = 240
FILES = {}


def file(function):
    """Register a maker of a file: it returns a suffix, the content, and what it is said about."""
    FILES[function.__name__] = function
    return function


def rows_of(rng, rows=ROWS, share=0.5):
    """Return a table of people: a number, a count, a group, and a target that they influence."""
    income = rng.lognormal(8, 0.4, rows).round(2)
    visits = rng.poisson(4, rows)
    region = rng.choice(["north", "south", "west"], rows)
    score = np.log(income) - 8 + 0.2 * visits + (region == "west") + rng.logistic(size=rows) * 0.4
    bought = np.where(score > np.quantile(score, 1 - share), "yes", "no")
    return pl.DataFrame({"income": income, "visits": visits, "region": region, "bought": bought})


def as_csv(table, **options):
    return table.write_csv(**options)


def with_nulls(rng, table, name, share=0.1):
    return table.with_columns(
        pl.when(pl.Series(rng.random(table.height) > share)).then(pl.col(name)).alias(name)
    )


def with_dates(rng, table, form="%Y-%m-%d"):
    days = pl.Series(rng.integers(17_000, 20_000, table.height)).cast(pl.Date).cast(pl.Datetime)
    return table.with_columns(since=days.dt.strftime(form))


@file
def plain(rng):
    return ".csv", as_csv(rows_of(rng).drop("region"))


@file
def text(rng):
    return ".csv", as_csv(rows_of(rng))


@file
def r_with_na(rng):
    table = with_nulls(rng, with_nulls(rng, rows_of(rng), "income"), "region")
    return ".csv", as_csv(table.with_row_index("", 1), null_value="NA", quote_style="non_numeric")


@file
def german_excel(rng):
    table = rows_of(rng).rename({"region": "Größe"})
    text = as_csv(with_dates(rng, table, "%d.%m.%Y"), separator=";", decimal_comma=True)
    return ".csv", text.replace("\n", "\r\n").encode("cp1252")


@file
def excel_unicode_text(rng):
    text = as_csv(with_nulls(rng, rows_of(rng), "visits"), separator="\t")
    return ".txt", text.encode("utf-16")


@file
def american_dates(rng):
    return ".csv", as_csv(with_dates(rng, rows_of(rng), "%m/%d/%Y"))


@file
def time_stamps(rng):
    return ".csv", as_csv(with_dates(rng, rows_of(rng), "%Y-%m-%dT%H:%M:%SZ"))


@file
def ids_and_names(rng):
    table = rows_of(rng)
    names = [f"Name {k * 7919 % ROWS}, Ltd." for k in range(ROWS)]
    ids = pl.Series(rng.permutation(ROWS) + 5_000_000)
    return ".csv", as_csv(table.with_columns(name=pl.Series(names), customer_id=ids))


@file
def leaks(rng):
    table = rows_of(rng)
    return ".csv", as_csv(table.with_columns(invoice=(pl.col("bought") == "yes") * 100))


@file
def few_positives(rng):
    return ".csv", as_csv(with_nulls(rng, rows_of(rng, 2000, 0.03), "income"))


@file
def two_hundred_columns(rng):
    table = rows_of(rng)
    numbers = {f"m{j:03}": rng.normal(size=ROWS).round(3) for j in range(150)}
    texts = {f"t{j:02}": rng.choice(["a", "b", "c"], ROWS) for j in range(30)}
    wide = table.with_columns(**numbers, **texts)
    for j in range(0, 150, 10):
        wide = with_nulls(rng, wide, f"m{j:03}")
    return ".csv", as_csv(wide.with_columns(**{f"void{j}": pl.lit(None) for j in range(16)}))


@file
def repeated_names(rng):
    text = as_csv(rows_of(rng).with_columns(again="visits", third="visits"))
    return ".csv", text.replace("again,third", "visits,visits", 1)


@file
def quoted_newlines(rng):
    table = rows_of(rng)
    notes = rng.choice(['said "no"\nthen left', "call, again", "fine"], ROWS)
    return ".csv", as_csv(table.with_columns(note=pl.Series(notes)))


@file
def large(rng):
    table = with_nulls(rng, rows_of(rng, 200_000), "income", 0.001)
    return ".csv.gz", gzip.compress(as_csv(with_dates(rng, table)).encode(), 1)


@file
def sentinel_words(rng):
    table = with_nulls(rng, rows_of(rng), "income").with_columns(pl.col("income").cast(str))
    return ".csv", as_csv(table.with_columns(pl.col("income").fill_null("not given")))


@file
def many_cities(rng):
    rows = 6000
    city = 1 + (rng.pareto(0.4, rows) * 10).clip(0, 1e6).astype(int)
    cities = pl.Series([f"city {k}" for k in city])
    return ".csv", as_csv(rows_of(rng, rows).with_columns(city=cities))


@file
def target_with_gaps(rng):
    return ".csv", as_csv(with_nulls(rng, with_nulls(rng, rows_of(rng), "bought"), "visits"))


@file
def parquet_with_types(rng):
    table = with_nulls(rng, rows_of(rng), "income").with_columns(
        pl.col("region").cast(pl.Categorical),
        pl.Series("at", rng.integers(0, 10**15, ROWS)).cast(pl.Datetime("us", "Europe/Zurich")),
        pl.Series("tags", [["a"]] * ROWS),
        pl.Series("length", rng.integers(0, 10**9, ROWS)).cast(pl.Duration("us")),
        pl.Series("half", rng.normal(size=ROWS), dtype=pl.Float32),
    )
    out = io.BytesIO()
    table.write_parquet(out)
    return ".parquet", out.getvalue()


@file
def infinite_rates(rng):
    visits = rng.poisson(1, ROWS)
    with np.errstate(divide="ignore"):
        rate = pl.Series(100.0 / visits)
    return ".csv", as_csv(rows_of(rng).with_columns(rate=rate))


@file
def everything(rng):
    table = with_nulls(rng, with_dates(rng, rows_of(rng), "%d/%m/%Y"), "income")
    named = table.with_columns(
        code=pl.Series([f"K-{k * 31 % ROWS:05}" for k in range(ROWS)]),
        empty=pl.lit(None, pl.String),
        visits=pl.when(pl.int_range(ROWS) == 9).then(pl.lit("many")).otherwise(pl.col("visits")),
        Straße=pl.col("region"),
    )
    out = io.StringIO()
    rows = [named.columns, *named.rows()]
    csv.writer(out, delimiter="|", quoting=csv.QUOTE_ALL).writerows(rows)
    return ".txt", out.getvalue().encode("cp1252")


def test_there_are_twenty():
    assert len(FILES) == 20


def options_that_train(run, path, model):
    """Train with the options that the first error asks for, if any; return these."""
    start = ["train", path, "--target", "bought", "-o", model]
    code, out, err = run(*start)
    options = []
    if code:
        assert (code, out) == (2, "")
        assert all(len(line) < 700 for line in err.splitlines())
        options = shlex.split(err.rpartition("add ")[2])
        code, out, err = run(*start, *options)
    assert code == 0, (options, err)
    return options


@pytest.mark.parametrize("name", FILES)
@pytest.mark.sampled(1)
def test_the_first_error_says_which_options_train(run, tmp_path, name):
    suffix, content = FILES[name](np.random.default_rng(7))
    path, model = tmp_path / f"{name}{suffix}", tmp_path / "model.npz"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    options = options_that_train(run, path, model)
    assert (name == "plain") == (options == []), options

    # The model does the same to the rows it predicts, and needs to be told how to read at most.
    at = options.index("--encoding") if "--encoding" in options else None
    reading = [] if at is None else options[at : at + 2]
    code, out, err = run("predict", model, path, *reading)
    assert code == 0, err
    A = pl.read_csv(out.encode())["probability"].to_numpy()
    code, out, err = run("evaluate", model, path, "--all-rows", "--json", *reading)
    assert code == 0, err
    assert np.nanmin(A) >= 0
    assert np.nanmax(A) <= 1
    assert len(A) == {"few_positives": 2000, "large": 200_000, "many_cities": 6000}.get(name, ROWS)
    assert json.loads(out)["roc_auc"] > 0.7


@pytest.mark.long
def test_a_gigabyte_trains_at_the_second_try(run, tmp_path):
    rng = np.random.default_rng(7)
    table = with_dates(rng, with_nulls(rng, rows_of(rng, 50_000), "income", 0.001))
    numbers = {f"m{j:02}": rng.normal(size=50_000).round(4) for j in range(40)}
    head, _, rows = as_csv(table.with_columns(**numbers)).encode().partition(b"\n")
    path = tmp_path / "large.csv"
    with path.open("wb") as out:
        out.write(head + b"\n")
        while out.tell() < 2**30:
            out.write(rows)
    options = options_that_train(run, path, tmp_path / "model.npz")
    assert options == ["--missing", "median", "--one-hot", "--date-parts", "days"]
