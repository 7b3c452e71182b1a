# SPDX-License-Identifier: BSD-3-Clause
"""`--stream`: tables that are read in batches give the models of tables in memory, bit for bit."""

import itertools
import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

pl = pytest.importorskip("polars")

from logreg_c._cli import models, scoring, tables  # noqa: E402
from logreg_c._cli.tables import delimited, facts, hints, reading  # noqa: E402
from logreg_c._cli.tables.exact import ExactMean, ExactMedian  # noqa: E402

ROWS = 3000


@pytest.fixture(autouse=True)
def small_batches(monkeypatch):
    monkeypatch.setattr(reading, "BATCH", 701)
    monkeypatch.setattr(delimited, "CHUNK", 20_000)


@pytest.fixture(scope="module")
def table():
    """Numbers, gaps, text, dates and an index, over more than the rows that are kept in memory."""
    rng = np.random.default_rng(3)
    x = rng.normal(size=(2, ROWS))
    days = rng.integers(0, 700, ROWS)
    return pl.DataFrame(
        {
            "index": np.arange(ROWS),
            "size": pl.Series(x[0]).set(pl.Series(rng.random(ROWS) < 0.1), None),
            "age": pl.Series(rng.integers(20, 60, ROWS)),
            "kind": pl.Series(rng.choice(["a", "b", "c"], ROWS)).set(
                pl.Series(rng.random(ROWS) < 0.05), None
            ),
            "day": pl.Series(np.datetime64("2023-01-01") + days).cast(pl.Date),
            "is_new": rng.random(ROWS) < 0.5,
            "n": pl.Series(rng.integers(1, 4, ROWS)),
            "y": pl.Series(np.where(x[0] + x[1] > 0, "yes", "no")).set(
                pl.Series(rng.random(ROWS) < 0.01), None
            ),
        }
    )


def write(table, path):
    getattr(
        table,
        {".csv": "write_csv", ".parquet": "write_parquet", ".arrow": "write_ipc"}[path.suffix],
    )(path)
    return path


FILLED = ["--one-hot", "--date-parts", "month,days", "--missing"]
NUMERIC = ["--features", "age", "--features", "is_new", "--missing", "drop"]
OPTIONS = {
    "indicator": [*FILLED, "indicator"],
    "drop": [*FILLED, "drop", "--min-count", "50"],
    "mean": [*FILLED, "mean", "--positive", "no", "--class-weight", "balanced"],
    "median": [*FILLED, "median"],
    "stopping": [*NUMERIC, "--solver", "gd", "--iters", "500", "--early-stopping", "2"],
    "rare": [*FILLED, "drop", "--min-count", "960"],
    "descent": [*NUMERIC, "--solver", "gd", "--iters", "20", "--threshold", "f1"],
    "weighted": [*NUMERIC, "--weight", "n", "--no-standardize", "--seed", "5"],
    "groups": [*NUMERIC, "--group-by", "n", "--inference"],
    "by time": [*NUMERIC, "--split-by-time", "day", "--test-fraction", "0.3"],
    "all rows": [*NUMERIC, "--test-fraction", "0", "--l2", "0.1"],
}


@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".arrow"])
@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
@pytest.mark.sampled(1)
def test_a_model_has_the_bits_of_one_of_rows_in_memory(
    run, tmp_path, monkeypatch, table, suffix, options
):
    path = write(table, tmp_path / f"t{suffix}")
    in_memory, streamed, cached = (tmp_path / name for name in ("m.npz", "s.npz", "c.npz"))
    monkeypatch.setattr(tables.scanning, "COUNTED", 0)
    arguments = ["train", path, "--target", "y", *options]
    code, _, said = run(*arguments, "-o", in_memory)
    assert code == 0, said
    assert run(*arguments, "--stream", "-o", streamed)[::2] == (0, said)
    assert run(*arguments, "--stream", "--cache", tmp_path / "cache", "-o", cached)[0] == 0
    assert in_memory.read_bytes() == streamed.read_bytes() == cached.read_bytes()


@pytest.mark.long
def test_files_of_a_folder_or_a_pattern_are_one_table(run, tmp_path, table):
    whole = write(table, tmp_path / "whole.parquet")
    (tmp_path / "parts" / "late").mkdir(parents=True)
    for k, name in enumerate(["1.parquet", "2.parquet", "late/3.parquet"]):
        write(table.slice(1000 * k, 1000), tmp_path / "parts" / name)
    arguments = ["--target", "y", *NUMERIC, "-o"]
    assert run("train", whole, *arguments, tmp_path / "whole.npz")[0] == 0
    expected = models.load(tmp_path / "whole.npz")
    for file in tmp_path / "parts", tmp_path / "parts" / "**" / "*.parquet":
        output = tmp_path / "parts.npz"
        assert run("train", file, "--stream", *arguments, output)[0] == 0
        found = models.load(output)
        assert found.weights.tobytes() == expected.weights.tobytes()
        assert found.trained_on["fingerprint"] == expected.trained_on["fingerprint"]
        measures = json.loads(run("evaluate", output, file, "--json")[1])
        assert measures["file_rows"] == expected.trained_on["rows"]
        assert measures == {
            **json.loads(run("evaluate", output, whole, "--json")[1]),
            "file": str(file),
            "log_loss": pytest.approx(measures["log_loss"], rel=1e-12),
        }
        _, parts, _ = run("predict", output, file)
        assert parts == run("predict", output, whole)[1]


@pytest.mark.long
def test_numbers_that_are_text_further_on_are_read_as_text(run, fails, tmp_path):
    values = [*"1234" * 500, "x", *"1234" * 500]
    labels = np.where(np.arange(len(values)) % 3 == 0, "yes", "no")
    path = write(pl.DataFrame({"a": values, "b": values, "y": labels}), tmp_path / "t.csv")
    arguments = ["train", path, "--target", "y", "--stream"]
    fails(*arguments, match=r"numeric except for 1 of 4001 values|nearly all numbers")
    run(*arguments, "--na-value", "x", "--missing", "drop", "-o", tmp_path / "m.npz")
    assert models.load(tmp_path / "m.npz").trained_on["rows"] == 4000


def test_types_that_differ_between_files_are_refused_unless_both_are_numbers(
    run, fails, tmp_path, frame
):
    write(frame, tmp_path / "1.parquet")
    write(frame.with_columns(pl.col("height").cast(pl.Float32)), tmp_path / "2.parquet")
    arguments = ["train", tmp_path / "*.parquet", "--target", "sick", "--stream"]
    assert run(*arguments)[0] == 0
    write(frame.with_columns(pl.col("height").cast(pl.String)), tmp_path / "2.parquet")
    fails(*arguments, match="'height' is of type Float64 and String in different files")


FOLDS = {
    "weighted": ["--target", "y", *NUMERIC, "--weight", "n"],
    "groups": ["--target", "y", *FILLED, "mean", "--group-by", "age"],
    "descent": ["--target", "y", *NUMERIC, "--solver", "gd", "--iters", "9"],
    "stopping": ["--target", "y", *OPTIONS["stopping"]],
    "classes": ["--target", "kind", "--features", "age", "--features", "n", "--missing", "drop"],
}


@pytest.mark.long
@pytest.mark.parametrize("options", FOLDS.values(), ids=FOLDS)
@pytest.mark.sampled(1)
def test_folds_have_the_scores_of_rows_in_memory(run, tmp_path, table, options):
    arguments = ["train", write(table, tmp_path / "t.parquet"), *options, "--cv", "3", "--json"]
    code, found, said = run(*arguments)
    assert code == 0, said
    expected = json.loads(found)
    for more in [], ["--cache", tmp_path / "cache"]:
        code, found, again = run(*arguments, "--stream", *more)
        assert (code, again) == (0, said)
        assert json.loads(found)["cv"] == expected["cv"]
    assert len(list((tmp_path / "cache").iterdir())) == 1


@pytest.mark.long
@pytest.mark.parametrize(
    "options",
    [
        [],
        ["--weight", "n", "--no-standardize", "--missing", "mean"],
        ["--missing", "drop", "--class-weight", "balanced"],
        ["--solver", "gd", "--iters", "10"],
        ["--positive", "b"],
        ["--inference"],
    ],
)
@pytest.mark.sampled(1)
def test_several_classes_have_the_bits_of_rows_in_memory(run, tmp_path, table, options):
    if "--missing" not in options:
        table = table.drop("size")
    table = table.drop("y", "day").with_columns(pl.col("kind").fill_null("b"))
    path = write(table, tmp_path / "t.csv")
    arguments = ["train", path, "--target", "kind", *options, "-o"]
    code, _, said = run(*arguments, tmp_path / "m.npz")
    assert code == 0, said
    assert run(*arguments, tmp_path / "s.npz", "--stream")[::2] == (0, said)
    cache = ["--stream", "--cache", tmp_path / "cache"]
    assert run(*arguments, tmp_path / "c.npz", *cache)[0] == 0
    expected = (tmp_path / "m.npz").read_bytes()
    assert expected == (tmp_path / "s.npz").read_bytes() == (tmp_path / "c.npz").read_bytes()


def test_a_batch_without_used_rows(run, tmp_path, table):
    labeled = pl.when(pl.int_range(ROWS) < ROWS - 800).then("y")
    path = write(table.with_columns(y=labeled), tmp_path / "t.parquet")
    arguments = ["train", path, "--target", "y", *NUMERIC, "-o"]
    assert run(*arguments, tmp_path / "m.npz")[0] == 0
    assert run(*arguments, tmp_path / "s.npz", "--stream")[0] == 0
    assert (tmp_path / "s.npz").read_bytes() == (tmp_path / "m.npz").read_bytes()


def test_a_cache_needs_stream(fails, data, tmp_path):
    fails("train", data, "--target", "sick", "--cache", tmp_path, match="give --stream")


def test_formats_that_are_read_whole_are_refused(fails, tmp_path):
    np.save(tmp_path / "t.npy", np.eye(4))
    fails(
        *("train", tmp_path / "t.npy", "--target", "X0", "--stream"),
        match="NPY are read whole; --stream reads CSV, Parquet and Arrow",
    )


def test_a_folder_needs_stream_and_files_of_one_format(fails, tmp_path, frame):
    arguments = ["train", tmp_path, "--target", "sick"]
    fails(*arguments, "--stream", match="has no files")
    write(frame, tmp_path / "1.parquet")
    fails(*arguments, match="--stream")
    write(frame, tmp_path / "2.csv")
    fails(*arguments, "--stream", match="the formats CSV, Parquet")


def test_a_file_that_changes_makes_a_new_cache(run, tmp_path, frame):
    path = tmp_path / "t.parquet"
    for rows in frame, frame.reverse():
        write(rows, path)
        arguments = ["train", path, "--target", "sick", "--stream", "--cache", tmp_path / "c"]
        assert run(*arguments, "-o", tmp_path / "c.npz")[0] == 0
        assert run("train", path, "--target", "sick", "-o", tmp_path / "m.npz")[0] == 0
        assert (tmp_path / "c.npz").read_bytes() == (tmp_path / "m.npz").read_bytes()
    assert len(list((tmp_path / "c").iterdir())) == 2


def test_a_summary_says_how_often_and_how_fast_rows_are_read(run, data):
    _, out, _ = run("train", data, "--target", "sick", "--stream")
    assert "passes over 40 rows, " in out
    assert " GB/s" in out


# ---- What is known of a column -------------------------------------------------------------------

CELLS = st.lists(st.none() | st.sampled_from(["a", "b ", "1", "2.5", "2024-01-31", "x" * 9]))
FLOATS = st.lists(st.none() | st.floats(allow_subnormal=False))
INTEGERS = st.lists(st.none() | st.integers(-5, 5))


def known(values, cuts):
    found = facts.Facts(values.name)
    ends = sorted({min(cut, len(values)) for cut in cuts} | {0, len(values)})
    for start, end in itertools.pairwise(ends):
        facts.add_rows([found], [values[start:end]], start)
    return found


def facts_equal(one, other):
    assert one.schema() == other.schema() or math.isnan(one.schema()["minimum"])
    for name in "rows", "missing", "first_missing", "kind", "is_constant", "is_unique":
        assert getattr(one, name) == getattr(other, name)
    assert repr(one.infinite) == repr(other.infinite)
    assert one.texts.equals(other.texts)


@given(
    st.one_of(
        st.tuples(CELLS, st.just(pl.String)),
        st.tuples(FLOATS, st.just(pl.Float64)),
        st.tuples(INTEGERS, st.just(pl.Int16)),
    ),
    st.lists(st.integers(0, 20), max_size=4),
)
def test_facts_do_not_depend_on_the_batches(column, cuts):
    values = pl.Series("id", *column[:1], dtype=column[1], strict=False)
    facts_equal(known(values, []), known(values, cuts))


@pytest.mark.long
@given(st.lists(st.lists(st.none() | st.floats(), min_size=3, max_size=3), min_size=1, max_size=5))
def test_facts_do_not_depend_on_the_columns_beside(cells):
    columns = [
        pl.Series(f"{j} id", values, dtype=[pl.Float64, pl.Float32][j % 2])
        for j, values in enumerate(cells)
    ]
    columns.insert(1, pl.Series("text", ["a", None, "b"]))
    for one, values in zip(facts.facts_of(columns), columns, strict=True):
        facts_equal(one, facts.facts_of([values])[0])


def test_very_many_different_values_do_not_fill_the_memory(monkeypatch):
    monkeypatch.setattr(facts, "MOST_DIFFERENT", 100)
    monkeypatch.setattr(facts, "LEAST_HELD", 10)
    found = facts.Different()
    for start in range(0, 10_000, 50):
        found.add(pl.Series(np.arange(start, start + 50)), start)
    assert len(found) <= 300
    assert not found.is_complete


@given(st.lists(st.floats(-1e300, 1e300), min_size=1), st.integers(0, 10))
def test_a_mean_is_rounded_once(values, cut):
    mean = ExactMean()
    for part in values[:cut], values[cut:]:
        mean.add(np.array(part, np.float64))
    try:
        expected = math.fsum(values) / len(values)
    except OverflowError:
        return
    assert mean.ended()
    assert mean.value() == expected


NUMBERS = st.floats(-1e300, 1e300) | st.integers(-3, 3).map(float)


@given(st.lists(NUMBERS, min_size=1), st.integers(0, 10), st.integers(4, 9))
def test_a_median_is_exact_however_few_numbers_are_counted(values, cut, at_most):
    median, readings = ExactMedian(at_most), 0
    while readings == 0 or not median.ended():
        for part in values[:cut], values[cut:]:
            median.add(np.array(part, np.float64))
        readings += 1
        assert readings <= 64
    assert median.value() == np.median(values)
    assert median.count == len(values)


def test_leaks_are_looked_for_in_a_sample(run, tmp_path, monkeypatch):
    for module in hints, tables.scanning:
        monkeypatch.setattr(module, "SAMPLE_ROWS", 500)
    rng = np.random.default_rng(0)
    y = rng.random(ROWS) < 0.5
    frame = pl.DataFrame(
        {"x": rng.normal(size=ROWS), "copy": y + rng.normal(size=ROWS) / 20, "y": y}
    )
    path = write(frame, tmp_path / "t.parquet")
    _, _, err = run("train", path, "--target", "y", "--stream")
    assert "'copy' has values that nearly separate the classes" in err


def test_measures_of_very_many_rows_are_of_a_sample(run, tmp_path, table, monkeypatch):
    path = write(table, tmp_path / "t.parquet")
    assert run("train", path, "--target", "y", *NUMERIC, "-o", tmp_path / "m.npz")[0] == 0
    exact = json.loads(run("evaluate", tmp_path / "m.npz", path, "--json", "--all-rows")[1])
    monkeypatch.setattr(scoring, "MOST_SCORED", 500)
    code, out, _ = run("evaluate", tmp_path / "m.npz", path, "--all-rows")
    assert code == 0
    assert " that are measured" in out
    found = json.loads(run("evaluate", tmp_path / "m.npz", path, "--json", "--all-rows")[1])
    assert found["sampled"] <= 500 < found["rows"] == exact["rows"]
    assert found["log_loss"] == exact["log_loss"]
    assert found["accuracy"] == pytest.approx(exact["accuracy"], abs=0.1)
    assert found["roc_auc"] == pytest.approx(exact["roc_auc"], abs=0.1)
