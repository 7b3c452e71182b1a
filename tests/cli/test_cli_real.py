# SPDX-License-Identifier: BSD-3-Clause
"""Files as people have them: columns left out, missing values, dates, rare categories, faults."""

import json
import shlex

import numpy as np
import pytest

pl = pytest.importorskip("polars")

from logreg_c._cli.tables import dates  # noqa: E402 (needs polars)

ROWS = 60
DAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]


@pytest.fixture
def customers():
    """Return a table with an ID, a date, missing numbers, a text with a rare value, a target."""
    rng = np.random.default_rng(3)
    age = rng.integers(18, 80, ROWS).astype(float)
    days = rng.integers(0, 2000, ROWS)
    return pl.DataFrame(
        {
            "customer_id": rng.permutation(ROWS) + 1000,
            "age": [None if k % 13 == 4 else value for k, value in enumerate(age)],
            "plan": [("basic", "pro", "family")[k % 3] if k != 7 else "trial" for k in range(ROWS)],
            "joined": pl.Series(days).cast(pl.Date).dt.strftime("%d.%m.%Y"),
            "paid": rng.normal(50, 9, ROWS).round(2),
            "left": np.where(age + rng.normal(0, 15, ROWS) > 45, "yes", "no"),
        }
    )


@pytest.fixture
def path(tmp_path, customers):
    path = tmp_path / "customers.csv"
    customers.write_csv(path)
    return path


def stored(model):
    with np.load(model, allow_pickle=False) as arrays:
        return {
            "columns": json.loads(arrays["columns"].item()),
            "preparation": json.loads(arrays["preparation"].item()),
            "weights": arrays["weights"],
            "bias": arrays["bias"].item(),
        }


def predicted(run, model, path):
    code, out, err = run("predict", model, path)
    assert code == 0, err
    return pl.read_csv(out.encode())["probability"].to_numpy(), err


# ---- Columns -------------------------------------------------------------------------------------


@pytest.mark.sampled(5)
@pytest.mark.parametrize("kind", ["csv", "parquet"])
@pytest.mark.parametrize(
    ("options", "names"),
    [
        (["--drop", "b"], ["a1", "a2", "a[1]"]),
        (["--drop", "a*"], ["b"]),
        (["--drop", "a?"], ["a[1]", "b"]),
        (["--drop", "a[1]"], ["a1", "a2", "b"]),
        (["--features", "a*"], ["a1", "a2", "a[1]"]),
        (["--features", "a*", "--features", "b", "--drop", "a1"], ["a2", "a[1]", "b"]),
    ],
)
def test_columns_are_chosen_by_name_and_pattern(run, tmp_path, kind, options, names):
    rng = np.random.default_rng(0)
    table = pl.DataFrame({name: rng.normal(size=20) for name in ("a1", "a2", "a[1]", "b")})
    table = table.with_columns(y=pl.Series([0, 1] * 10))
    path, model = tmp_path / f"t.{kind}", tmp_path / "model.npz"
    {"csv": table.write_csv, "parquet": table.write_parquet}[kind](path)
    code, _, err = run("train", path, "--target", "y", *options, "-o", model)
    assert code == 0, err
    assert list(stored(model)["columns"]) == names


def test_choices_that_leave_nothing(fails, path):
    start = ["train", path, "--target", "left"]
    fails(*start, "--drop", "plam", match="no column 'plam'; did you mean 'plan'")
    fails(*start, "--drop", "left", match="would leave out the target")
    fails(*start, "--drop", "*", match="no column except the target")
    fails(*start, "--features", "z*", match=r"no column 'z\*'")


# ---- Missing values ------------------------------------------------------------------------------


@pytest.mark.sampled(2)
@pytest.mark.parametrize("kind", ["csv", "parquet"])
@pytest.mark.parametrize("how", ["mean", "median", "indicator"])
def test_missing_numbers_are_filled_from_the_rows_trained_on(run, tmp_path, customers, how, kind):
    path, model = tmp_path / f"t.{kind}", tmp_path / "model.npz"
    table = customers.select("age", "paid", "left")
    {"csv": table.write_csv, "parquet": table.write_parquet}[kind](path)
    options = ["--missing", how, "--test-fraction", "0.3", "--seed", "5"]
    code, _, err = run("train", path, "--target", "left", *options, "-o", model)
    assert code == 0, err
    found = stored(model)
    fills = {name: made["fill"] for name, made in found["preparation"]["columns"].items()}
    with np.load(model) as arrays:
        held_out = np.unpackbits(arrays["held_out"], count=ROWS).astype(bool)
    trained_on = table.filter(~held_out)
    middle = trained_on.median() if how == "median" else trained_on.mean()
    assert fills["age"] == pytest.approx(middle["age"][0], rel=1e-15)
    assert fills["paid"] == pytest.approx(middle["paid"][0], rel=1e-15)

    by_hand = [table["age"].fill_null(fills["age"]).to_numpy(), table["paid"].to_numpy()]
    if how == "indicator":
        by_hand.insert(1, table["age"].is_null().to_numpy())
        assert list(found["columns"]) == ["age", "age is missing", "paid"]
    Z = found["weights"] @ np.array(by_hand, dtype=float) + found["bias"]
    np.testing.assert_allclose(predicted(run, model, path)[0], 1 / (1 + np.exp(-Z)), rtol=1e-12)


def test_rows_with_missing_values_are_left_out_and_have_no_prediction(run, tmp_path, customers):
    path, whole = tmp_path / "t.csv", tmp_path / "whole.csv"
    model, other = tmp_path / "model.npz", tmp_path / "other.npz"
    table = customers.select("age", "paid", "plan", "left")
    table.write_csv(path)
    complete = table.drop_nulls()
    complete.write_csv(whole)
    start = ["--target", "left", "--one-hot", "-o"]
    code, _, err = run("train", path, *start, model, "--missing", "drop")
    assert (code, err) == (0, "logreg-c: left out 5 of 60 rows, with missing values\n")
    assert run("train", whole, *start, other)[0] == 0
    np.testing.assert_array_equal(stored(model)["weights"], stored(other)["weights"])

    A, err = predicted(run, model, path)
    assert "5 of 60 rows have missing values" in err
    assert np.array_equal(np.isnan(A), table["age"].is_null().to_numpy())
    np.testing.assert_array_equal(A[~np.isnan(A)], predicted(run, other, whole)[0])
    out = tmp_path / "out.parquet"
    assert run("predict", model, path, "-o", out)[0] == 0
    assert pl.read_parquet(out)["prediction"].null_count() == 5
    scored = json.loads(run("evaluate", model, path, "--json")[1])
    expected = json.loads(run("evaluate", other, whole, "--json")[1])
    assert scored | {"file": ""} == expected | {"file": ""}
    empty = tmp_path / "empty.csv"
    table.filter(pl.col("age").is_null()).write_csv(empty)
    assert "missing value in every row" in run("evaluate", model, empty)[2]


def test_a_missing_category_sets_no_feature(run, tmp_path, customers):
    path, model = tmp_path / "t.parquet", tmp_path / "model.npz"
    table = customers.select(
        "paid", pl.col("plan").replace({"pro": None}), (pl.col("left") == "yes")
    )
    table.write_parquet(path)
    options = ["--target", "left", "--one-hot", "--missing", "median", "-o", model]
    code, _, err = run("train", path, *options)
    assert code == 0, err
    found = stored(model)
    assert found["columns"] == {"paid": None, "plan": ["basic", "family", "trial"]}
    X = [table["paid"], *(table["plan"].fill_null("") == name for name in found["columns"]["plan"])]
    Z = found["weights"] @ np.array([x.to_numpy() for x in X], dtype=float) + found["bias"]
    np.testing.assert_allclose(predicted(run, model, path)[0], 1 / (1 + np.exp(-Z)), rtol=1e-12)


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_values_that_mean_missing(run, tmp_path, customers, kind):
    path, model = tmp_path / f"t.{kind}", tmp_path / "model.npz"
    table = customers.select(pl.col("age").fill_null(-999), pl.col("plan"), "left")
    {"csv": table.write_csv, "parquet": table.write_parquet}[kind](path)
    nulls = tmp_path / "nulls.parquet"
    customers.select("age", pl.col("plan").replace({"trial": None}), "left").write_parquet(nulls)
    options = ["--target", "left", "--one-hot", "--missing", "mean", "-o", model]
    assert run("train", path, *options, "--na-value", "-999", "--na-value", "trial")[0] == 0
    first = stored(model)
    remembered = predicted(run, model, path)[0]
    np.testing.assert_array_equal(remembered, predicted(run, model, nulls)[0])
    assert run("train", nulls, *options)[0] == 0
    assert first["columns"] == stored(model)["columns"]
    np.testing.assert_array_equal(first["weights"], stored(model)["weights"])


def test_rows_without_a_target_are_left_out(run, tmp_path, customers):
    path = tmp_path / "t.csv"
    customers.select("paid", pl.when(pl.int_range(60) > 3).then("left")).write_csv(path)
    code, out, err = run("train", path, "--target", "left", "--missing", "median")
    assert (code, err) == (0, "logreg-c: left out 4 of 60 rows, whose target 'left' is missing\n")
    assert " 56: 45 to train on" in out


# ---- Dates and rare categories -------------------------------------------------------------------


def test_dates_are_taken_apart(run, tmp_path, customers):
    joined = pl.col("joined").str.to_date("%d.%m.%Y")
    models = []
    for form, kind in [(joined, "parquet"), (pl.col("joined"), "csv")]:
        path, model = tmp_path / f"t.{kind}", tmp_path / f"{kind}.npz"
        table = customers.select("paid", form.alias("joined"), "left")
        {"csv": table.write_csv, "parquet": table.write_parquet}[kind](path)
        options = ["--target", "left", "--date-parts", "year,weekday,days", "-o", model]
        code, _, err = run("train", path, *options)
        assert code == 0, err
        models.append(stored(model))
        A = predicted(run, model, path)[0]
    first, second = models
    assert first["columns"] == second["columns"]
    names = ["paid", "joined year", "joined weekday", "joined days"]
    assert list(first["columns"]) == names
    assert set(first["columns"]["joined weekday"]) == set(DAYS)
    np.testing.assert_array_equal(first["weights"], second["weights"])

    dates = customers.select(joined)["joined"]
    weekdays = [dates.dt.strftime("%a") == day for day in first["columns"]["joined weekday"]]
    X = [customers["paid"], dates.dt.year(), *weekdays, dates.to_physical()]
    Z = first["weights"] @ np.array([x.to_numpy() for x in X], dtype=float) + first["bias"]
    np.testing.assert_allclose(A, 1 / (1 + np.exp(-Z)), rtol=1e-9)


@pytest.mark.parametrize("time", dates.TIMES)
@pytest.mark.parametrize("day", dates.DAYS)
@pytest.mark.sampled(3)
def test_every_form_of_a_date_is_recognized(day, time):
    rng = np.random.default_rng(11)
    earliest = 0 if "%y" in day else -(10**10)  # two digits are a year from 1970 to 2069
    seconds = pl.Series(rng.integers(earliest, 17 * 10**8, 300)).cast(pl.Int64)
    truth = (seconds * 1_000_000).cast(pl.Datetime("us"))
    if "%S" not in time:
        truth = truth.dt.truncate("1m" if time else "1d")
    zone = "+02:00" * ("z" in time)
    form = (day + time).replace("%.f", "").replace("%#z", "")
    texts = truth.dt.strftime(form) + zone
    (found,) = dates.formats_of(texts)
    expected = truth.dt.offset_by("-2h") if zone else truth
    assert dates.moments(texts, found).equals(expected, check_names=False)


@pytest.mark.long
def test_what_is_no_date():
    for texts in (
        ["31.02.2024"],
        ["2024-01-31", "soon"],
        ["12345678"],
        ["Monday"],
        ["1.2.3.4"],
        ["2024-01-31", "31.01.2024"],
        ["0000-00-00"],
    ):
        assert dates.formats_of(pl.Series(texts)) == []
    assert len(dates.formats_of(pl.Series(["03/04/2024", "05/06/2024"]))) == 2
    assert len(dates.formats_of(pl.Series(["03/03/2024", "05/05/2024"]))) == 1  # the same in both


@pytest.mark.long
def test_a_date_in_another_form_at_prediction(run, tmp_path, customers):
    path, model = tmp_path / "t.csv", tmp_path / "model.npz"
    customers.select("paid", "joined", "left").write_csv(path)
    options = ["--target", "left", "--date-parts", "days,hour", "-o", model]
    assert run("train", path, *options)[0] == 0
    path.write_text("paid,joined\n1,01.02.2020\n2,2020-02-01\n")
    code, _, err = run("predict", model, path)
    assert code == 2
    assert "'joined' is '2020-02-01' in row 2; expected a date, as in training: %d.%m.%Y" in err


def test_rare_categories_are_one_feature_and_unknown_ones_are_rare(run, tmp_path, customers):
    path, model = tmp_path / "t.csv", tmp_path / "model.npz"
    table = customers.select("paid", "plan", "left")
    table.write_csv(path)
    options = ["--target", "left", "--one-hot", "--min-count", "5", "-o", model]
    assert run("train", path, *options)[0] == 0
    assert list(stored(model)["columns"]) == ["paid", "plan", "plan is rare"]
    rare = predicted(run, model, path)[0]
    table.with_columns(pl.col("plan").replace({"trial": "never seen"})).write_csv(path)
    unknown, err = predicted(run, model, path)
    np.testing.assert_array_equal(rare, unknown)
    assert "did not occur" not in err


def test_a_column_of_rare_values_is_left_out(run, tmp_path, customers):
    path, model = tmp_path / "t.csv", tmp_path / "model.npz"
    names = pl.Series("name", [f"customer {k}!" for k in range(ROWS)])
    customers.select("paid", names, "left").write_csv(path)
    code, _, err = run("train", path, "--target", "left", "--min-count", "2", "-o", model)
    assert (code, err.count("\n")) == (0, 1)
    assert "left out 'name': each value is in fewer than 2 rows" in err
    assert list(stored(model)["columns"]) == ["paid"]


# ---- Faults --------------------------------------------------------------------------------------


def test_all_faults_at_once_with_options_that_remedy_them(run, path):
    start = ["train", path, "--target", "left"]
    code, out, err = run(*start)
    assert (code, out) == (2, "")
    warning, head, *faults, options = err.splitlines()
    assert "column" not in head
    assert "'customer_id' has a different number in each row, like an ID" in warning
    assert head.endswith("customers.csv has 3 kinds of faults:")
    for name, fault in zip(["age", "plan", "joined"], faults, strict=True):
        assert f"'{name}'" in fault
    assert options == "logreg-c: add --missing median --one-hot --date-parts days"
    code, _, err = run(*start, *shlex.split(options.partition("add ")[2]), "--drop", "customer_id")
    assert (code, err) == (0, "")


def test_repeated_names_can_be_dropped(run, tmp_path):
    path, model = tmp_path / "t.csv", tmp_path / "model.npz"
    path.write_text("a,a,y\n" + "".join(f"{k % 7},{k % 5},{k % 2}\n" for k in range(30)))
    code, _, err = run("train", path, "--target", "y")
    assert (code, err.count("\n")) == (2, 1)
    assert "2 columns named 'a', of which one is read as 'a.1'; --drop a.1 leaves it out" in err
    for dropped, kept in [("a.1", "a"), ("a", "a.1")]:
        assert run("train", path, "--target", "y", "--drop", dropped, "-o", model)[0] == 0
        assert list(stored(model)["columns"]) == [kept]
        assert run("predict", model, path)[0] == 0


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_columns_that_may_be_better_left_out(run, tmp_path, customers, kind):
    path = tmp_path / f"t.{kind}"
    is_left = pl.col("left") == "yes"
    hints = {
        "account_id": pl.int_range(ROWS, 0, -1),
        "country": pl.lit("CH"),
        "version": pl.lit(2),
        "refund": pl.when(is_left).then(pl.col("paid") + 1000).otherwise("paid"),
        "status": pl.when(is_left).then(pl.lit("closed")).otherwise(pl.lit("open")),
    }
    sound = customers.select("age", "paid", "plan", "left")
    start = ["train", path, "--target", "left", "--one-hot", "--missing", "mean"]
    for names in ([], list(hints)):
        table = sound.with_columns(**{name: hints[name] for name in names})
        {"csv": table.write_csv, "parquet": table.write_parquet}[kind](path)
        code, _, err = run(*start)
        assert code == 0, err
        ids_constants_leaks = [["account_id"], ["country", "version"], ["refund", "status"]]
        for line, found in zip(err.splitlines(), ids_constants_leaks if names else [], strict=True):
            assert line.startswith(f"logreg-c: warning: {', '.join(map(repr, found))} ha")
            assert " ".join(f"--drop {name}" for name in found) in line
    drops = [part for name in hints for part in ("--drop", name)]
    assert run(*start, *drops)[::2] == (0, "")


# ---- CSV that is not detected --------------------------------------------------------------------


@pytest.mark.sampled(3)
@pytest.mark.parametrize("encoding", ["cp1252", "utf-16", "utf-16-le", "shift-jis"])
def test_encodings(run, tmp_path, customers, encoding):
    city = ["Zürich", "Málaga"] if encoding != "shift-jis" else ["東京", "大阪"]
    table = customers.select("paid", pl.Series("Stadt", city * 30), "left")
    path, model = tmp_path / "t.csv", tmp_path / "model.npz"
    path.write_bytes(table.write_csv().encode(encoding))
    options = [] if encoding == "utf-16" else ["--encoding", encoding]
    code, _, err = run("train", path, "--target", "left", "--one-hot", "-o", model, *options)
    assert code == 0, err
    assert stored(model)["columns"]["Stadt"] == sorted(city)
    for command in "predict", "evaluate":
        assert run(command, model, path, *options)[0] == 0


def test_another_encoding_is_one_of_the_faults(run, tmp_path, customers):
    path = tmp_path / "t.csv"
    table = customers.select("age", pl.Series("Stadt", ["Zürich", "Málaga"] * 30), "left")
    path.write_bytes(table.write_csv().encode("latin-1"))
    err = run("train", path, "--target", "left")[2]
    assert "not UTF-8 text, as in row 1" in err
    options = err.splitlines()[-1].partition("add ")[2].split()
    assert options == ["--encoding", "cp1252", "--missing", "median", "--one-hot"]
    assert run("train", path, "--target", "left", *options)[0] == 0


@pytest.mark.sampled(3)
@pytest.mark.parametrize("separator", ["^", ":", "tab", "~"])
def test_separators_and_decimal_marks(run, tmp_path, customers, separator):
    path, model = tmp_path / "t.csv", tmp_path / "model.npz"
    character = {"tab": "\t"}.get(separator, separator)
    text = customers.select("paid", "left").write_csv(separator=character)
    path.write_text(text.replace(".", ","))
    options = ["--separator", separator, "--decimal", ","]
    code, _, err = run("train", path, "--target", "left", "-o", model, *options)
    assert code == 0, err
    weights = stored(model)["weights"]
    customers.select("paid", "left").write_csv(path)
    assert run("train", path, "--target", "left", "-o", model)[0] == 0
    np.testing.assert_array_equal(weights, stored(model)["weights"])


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--separator", "ab"),
        ("--separator", '"'),
        ("--separator", "ä"),
        ("--decimal", "x"),
        ("--encoding", "nope"),
        ("--encoding", "base64"),
        ("--encoding", "a\x01b"),
        ("--missing", "guess"),
        ("--date-parts", "days,century"),
        ("--date-parts", "days,days"),
        ("--min-count", "0"),
    ],
)
def test_options_that_are_refused(fails, path, option, value):
    fails("train", path, "--target", "left", option, value, match=f"'?{option}'?.*--help")
