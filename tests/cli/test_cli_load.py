# SPDX-License-Identifier: BSD-3-Clause
"""`logreg_c.load`: the model in Python says what `logreg-c predict` says, and so does its ONNX."""

import subprocess
import sys

import numpy as np
import pytest

import logreg_c

pl = pytest.importorskip("polars")

ROWS = 120


@pytest.fixture
def people():
    """Rows with numbers, a true/false, texts of which one is rare, gaps, and a date."""
    rng = np.random.default_rng(4)
    age = rng.integers(18, 80, ROWS).astype(float)
    return pl.DataFrame(
        {
            "age": [None if k % 11 == 3 else value for k, value in enumerate(age)],
            "income": rng.normal(50, 9, ROWS),
            "plan": [
                None if k % 17 == 5 else "trial" if k == 7 else ("basic", "pro", "päckchen")[k % 3]
                for k in range(ROWS)
            ],
            "member": rng.random(ROWS) < 0.5,
            "joined": pl.Series(rng.integers(0, 2000, ROWS)).cast(pl.Date),
            "left": np.where(age + rng.normal(0, 15, ROWS) > 45, "yes", "no"),
        }
    )


@pytest.fixture
def trained(run, people, tmp_path):
    """Train with options; return the loaded model, and what `predict` writes about all rows."""

    def call(*options, drop=("joined",), table=people):
        file, path, out = tmp_path / "t.parquet", tmp_path / "m.npz", tmp_path / "out.parquet"
        table.write_parquet(file)
        start = ["train", file, "--target", "left", "--one-hot", "-o", path, *options]
        code, _, err = run(*start, *(f"--drop={name}" for name in drop))
        assert code == 0, err
        assert run("predict", path, file, "-o", out)[0] == 0
        return logreg_c.load(path), pl.read_parquet(out)

    return call


OPTIONS = [
    ["--missing", "median"],
    ["--missing", "indicator", "--min-count", "3"],
    ["--missing", "mean", "--threshold", "0.3", "--positive", "no"],
    ["--missing", "drop"],
]


def same(A, expected):
    np.testing.assert_array_equal(A, expected.to_numpy())


@pytest.mark.sampled(1)
@pytest.mark.parametrize("options", OPTIONS, ids=" ".join)
def test_tables_of_every_kind_are_predicted_as_by_predict(trained, people, options):
    pd = pytest.importorskip("pandas")
    model, expected = trained(*options)
    tables = [people, people.to_dict(as_series=False), people.to_dict(), people.to_arrow(),
              pd.DataFrame(people.to_dict(as_series=False)),
              people.select(sorted(people.columns))]  # fmt: skip
    tables.append(tables[4].astype({"plan": "category", "member": "boolean"}))
    for table in tables:
        same(model.predict_proba(table), expected["probability"])
        assert model.predict(table).tolist() == expected["prediction"].to_list()


PARTS = ["year,month", "weekday,hour,days", "year,month,weekday,hour,days"]


@pytest.mark.sampled(1)
@pytest.mark.parametrize("parts", PARTS)
@pytest.mark.parametrize("missing", ["median", "indicator"])
def test_parts_of_dates_are_made_as_in_training(trained, people, parts, missing):
    moments = pl.Series("joined", np.random.default_rng(1).integers(-(3 * 10**16), 10**16, ROWS))
    people = people.with_columns(
        joined=pl.when(pl.int_range(ROWS) % 13 > 0).then(moments.cast(pl.Datetime("us")))
    )
    model, expected = trained("--missing", missing, "--date-parts", parts, drop=(), table=people)
    same(model.predict_proba(people), expected["probability"])
    assert model.columns["joined"]["type"] == "date"
    pytest.importorskip("onnx")
    session = as_session(model)
    A, labels = session.run(["probability", "prediction"], fed(model, people))
    np.testing.assert_allclose(A, expected["probability"], rtol=0, atol=1e-12)
    assert labels.tolist() == expected["prediction"].to_list()


def test_arrays_have_the_columns_in_order(run, tmp_path):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(80, 3))
    table = pl.DataFrame(X, schema=["a", "b", "c"])
    path, out = tmp_path / "m.npz", tmp_path / "out.parquet"
    table.with_columns(y=X[:, 0] + rng.normal(size=80) > 0).write_csv(tmp_path / "t.csv")
    assert run("train", tmp_path / "t.csv", "--target", "y", "-o", path)[0] == 0
    assert run("predict", path, tmp_path / "t.csv", "-o", out)[0] == 0
    model = logreg_c.load(path)
    assert list(model.columns) == list(model.weights) == ["a", "b", "c"]
    for given in (X, X.tolist(), np.asfortranarray(X), X.astype(object)):
        same(model.predict_proba(given), pl.read_parquet(out)["probability"])
    with pytest.raises(ValueError, match=r"shape \(3, 80\); expected \(rows, 3\).*pass X\.T"):
        model.predict(X.T)
    assert repr(model) == "Model of 'y': True or False, from 3 columns, threshold 0.5"


@pytest.mark.parametrize("options", OPTIONS[:3], ids=" ".join)
@pytest.mark.long
def test_contributions_add_up_to_the_log_odds(trained, people, options):
    model, _ = trained(*options)
    for row in people.head(20).to_dicts():
        found = model.explain(row)
        A = model.predict_proba(row)
        assert A.shape == (1,)
        np.testing.assert_allclose(1 / (1 + np.exp(-found.log_odds)), A[0], rtol=1e-12)
        total = found.base + sum(found.contributions.values())
        np.testing.assert_allclose(total, found.log_odds, rtol=1e-12)
        assert set(found.contributions) == set(model.columns)
        sizes = [abs(value) for value in found.contributions.values()]
        assert sizes == sorted(sizes, reverse=True)
    one, other = people.row(0, named=True), people.row(0, named=True)
    other["income"] += 10
    moved = (
        model.explain(other).contributions["income"] - model.explain(one).contributions["income"]
    )
    np.testing.assert_allclose(moved, 10 * model.weights["income"], rtol=1e-9)


def test_the_schema_is_that_of_the_table(trained, people):
    model, _ = trained("--missing", "median")
    age = model.columns["age"]
    assert age["type"] == "float"
    assert age["missing"] == people["age"].null_count()
    assert (age["minimum"], age["maximum"]) == (people["age"].min(), people["age"].max())
    assert model.columns["member"]["type"] == "boolean"
    plan = model.columns["plan"]
    assert (plan["type"], plan["minimum"], plan["different"]) == ("text", None, 4)
    assert model.target == "left"
    assert model.classes.tolist() == ["no", "yes"]


def test_what_does_not_fit_is_refused(trained, people, tmp_path):
    model, _ = trained("--missing", "drop")
    row = people.row(0, named=True)
    for X, match in [
        (people.drop("age", "plan"), "X has no column 'age', 'plan'; expected all of"),
        (
            {"age": [1.0, 2.0], "income": [1.0], "plan": ["pro"], "member": [True]},
            "have .1, 2. rows",
        ),
        (row | {"income": "much"}, "'income' is text"),
        (row | {"age": float("inf")}, "infinite"),
        (row | {"age": object()}, "'age' is of type Object"),
        (3, "X has no column"),
    ]:
        with pytest.raises(ValueError, match=match):
            model.predict(X)
    with pytest.raises(ValueError, match="got 120 rows; expected one"):
        model.explain(people)
    with pytest.raises(ValueError, match="the row has missing values"):
        model.explain(row | {"age": None})
    with pytest.raises(ValueError, match="does not exist"):
        logreg_c.load(tmp_path / "no.npz")
    with pytest.raises(ValueError, match="damaged, or not a model"):
        logreg_c.load(tmp_path / "t.parquet")
    with pytest.raises(ValueError, match="cannot be written"):
        model.save(tmp_path / "no" / "m.npz")
    with pytest.warns(UserWarning, match="'plan' has values in 1 rows that did not occur.*'gold'"):
        model.predict(row | {"plan": "gold"})


def test_a_saved_model_is_the_same(trained, people, tmp_path):
    model, _ = trained("--missing", "median")
    model.save(tmp_path / "again.npz")
    again = logreg_c.load(str(tmp_path / "again.npz"))
    np.testing.assert_array_equal(again.predict_proba(people), model.predict_proba(people))
    assert again.columns == model.columns


def as_session(model):
    onnxruntime = pytest.importorskip("onnxruntime")
    made = model.to_onnx().SerializeToString()
    return onnxruntime.InferenceSession(made, providers=["CPUExecutionProvider"])


def fed(model, table):
    """Return the columns of a table as the inputs of the ONNX model."""
    feed = {}
    for name, column in model.columns.items():
        values = table[name]
        if column["type"] == "text":
            feed[name] = values.fill_null("").to_numpy().astype(object)[:, None]
            continue
        if column["type"] == "date":
            values = values.dt.epoch("us")
        feed[name] = values.cast(pl.Float64).fill_null(float("nan")).to_numpy()[:, None]
    return feed


@pytest.mark.parametrize("options", OPTIONS[:3], ids=" ".join)
def test_onnx_has_all_of_the_model(trained, people, options):
    pytest.importorskip("onnx")
    model, expected = trained(*options)
    session = as_session(model)
    assert [given.name for given in session.get_inputs()] == list(model.columns)
    A, labels = session.run(["probability", "prediction"], fed(model, people))
    np.testing.assert_allclose(A, expected["probability"], rtol=0, atol=1e-12)
    assert labels.tolist() == expected["prediction"].to_list()


@pytest.mark.long
def test_nothing_of_it_is_loaded_before_it_is_used():
    code = (
        "import logreg_c, sys; assert 'load' in dir(logreg_c); assert 'polars' not in sys.modules;"
        "sys.modules['polars'] = None\n"
        "try: logreg_c.load\n"
        "except ModuleNotFoundError as error: assert 'logreg-c[cli]' in str(error), error\n"
        "else: raise SystemExit(1)"
    )
    subprocess.run([sys.executable, "-P", "-c", code], check=True)
