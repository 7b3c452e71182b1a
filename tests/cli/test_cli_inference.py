# SPDX-License-Identifier: BSD-3-Clause
"""`train --inference`: the same numbers as in Python, in the model, and in its table."""

import json

import numpy as np
import pytest

import logreg_c

pl = pytest.importorskip("polars")


@pytest.fixture
def overlapping(tmp_path):
    rng = np.random.default_rng(3)
    X = rng.normal(size=(3, 200)) * np.array([[1.0], [20.0], [0.1]])
    path = tmp_path / "rows.csv"
    columns = {f"x{j}": x for j, x in enumerate(X)}
    count = {"count": rng.integers(1, 4, 200)}
    pl.DataFrame(columns | count | {"y": X[0] + rng.logistic(size=200) > 0}).write_csv(path)
    return path


START = ("--target", "y", "--inference", "--test-fraction", "0")


@pytest.mark.sampled(2)
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(("l2", "standardize"), [(0.0, True), (0.01, True), (0.01, False)])
def test_the_model_keeps_what_inference_finds(
    run, overlapping, tmp_path, weighted, l2, standardize
):
    model = tmp_path / "model.npz"
    rows = ["--weight", "count"] if weighted else ["--drop", "count"]
    rows += ["--l2", l2] if l2 else []
    rows += [] if standardize else ["--no-standardize"]
    code, out, err = run("train", overlapping, *START, *rows, "--json", "--output", model)
    assert (code, err) == (0, "")
    found = json.loads(out)
    table = pl.read_csv(overlapping)
    X, Y = table.select("x0", "x1", "x2").to_numpy().T, table["y"].to_numpy()
    settings = {"l2": l2, "standardize": standardize}
    settings |= {"sample_weight": table["count"].to_numpy() if weighted else None}
    w = [weight["weight"] for weight in found["weights"]]
    expected = logreg_c.inference(X, Y, w, found["bias"], **settings)
    shown = found["inference"]
    assert found["settings"]["l2"] == shown["l2"] == l2
    assert shown["log_likelihood"] == pytest.approx(expected.log_likelihood)
    assert [row["term"] for row in shown["standard_errors"]] == ["x0", "x1", "x2", "intercept"]
    for name, values in expected.table().items():
        if name != "term":
            printed = [row[name] for row in shown["standard_errors"]]
            np.testing.assert_allclose(printed, values, rtol=1e-12)
    code, out, _ = run("inspect", model, "--json")
    assert json.loads(out)["inference"] == shown


def test_train_and_inspect_print_the_table(run, overlapping, tmp_path):
    model = tmp_path / "model.npz"
    code, out, _ = run("train", overlapping, *START, "--output", model)
    assert code == 0
    table = out[out.index("200 examples, standard errors") :].partition("\n\nmodel")[0]
    assert "intercept" in table
    assert "odds ratio" in table
    code, out, _ = run("inspect", model)
    assert out.rstrip().endswith(table.rstrip())
    run("train", overlapping, "--target", "y", "--output", model)
    assert "odds ratio" not in run("inspect", model)[1]


def test_collinear_columns_are_named(run, tmp_path):
    path = tmp_path / "rows.csv"
    x = np.random.default_rng(0).normal(size=60)
    y = np.arange(60) % 3 > 0
    pl.DataFrame({"celsius": x, "fahrenheit": 32 + 1.8 * x, "y": y}).write_csv(path)
    code, _, err = run("train", path, *START)
    assert code == 1
    assert "fahrenheit is a combination of celsius" in err
    assert err.endswith("leave them out, or give --l2 1e-4\n")
    assert run("train", path, *START, "--l2", "1e-4")[0] == 0


@pytest.mark.parametrize(
    ("options", "match"),
    [
        (("--solver", "gd"), "is about the minimum; leave out --solver"),
        (("--early-stopping", "3"), "is about the minimum; leave out --early-stopping"),
        (("--class-weight", "balanced"), "counts rows; leave out --class-weight"),
    ],
)
def test_options_that_exclude_it(fails, overlapping, options, match):
    fails("train", overlapping, *START, *options, match=match)


@pytest.mark.sampled(3)
@pytest.mark.parametrize(
    "errors", [[1.0], [1.0, 1.0, 1.0, -1.0], [1.0, 1.0, 1.0, "x"], None, [[1.0] * 4]]
)
def test_errors_that_are_none_are_a_damaged_model(run, fails, overlapping, tmp_path, errors):
    model = tmp_path / "model.npz"
    run("train", overlapping, *START, "--drop", "count", "--output", model)
    arrays = dict(np.load(model))
    stored = json.loads(arrays["inference"].item()) | {"standard_errors": errors}
    np.savez(model, **arrays | {"inference": np.array(json.dumps(stored))})
    fails("inspect", model, match="is damaged")
