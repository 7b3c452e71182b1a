# SPDX-License-Identifier: BSD-3-Clause
"""evaluate, inspect and --json: the numbers are those of the formulas, and of scikit-learn."""

import json
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import logreg_c

pl = pytest.importorskip("polars")

from logreg_c._cli import metrics, models  # noqa: E402

# Few different values, so that ties are common.
probabilities = st.sampled_from([0.0, 1e-300, 0.1, 0.25, 0.5, 0.75, 0.9, 1.0])
examples = st.lists(st.tuples(probabilities, st.booleans()), min_size=2, max_size=60).filter(
    lambda rows: len({y for _, y in rows}) == 2
)


def arrays(rows):
    A, Y = zip(*rows, strict=True)
    return np.array(A), np.array(Y)


@given(examples)
def test_roc_auc_is_how_often_the_second_class_has_the_higher_probability(rows):
    A, Y = arrays(rows)
    pairs = np.sign(A[Y][:, None] - A[~Y][None, :])
    np.testing.assert_allclose(metrics.curves(A, Y).roc_auc, np.mean((pairs + 1) / 2), rtol=1e-12)


@given(examples)
@pytest.mark.long
def test_curves_and_counts_are_those_of_every_threshold(rows):
    A, Y = arrays(rows)
    curves = metrics.curves(A, Y)
    for k, threshold in enumerate(sorted(set(A), reverse=True)):
        assert curves.true_positives[k] == np.sum(Y & (threshold <= A))
        assert curves.positives[k] == np.sum(threshold <= A)
    assert metrics.confusion(A, Y).tolist() == [
        [np.sum(~Y & (A <= 0.5)), np.sum(~Y & (A > 0.5))],
        [np.sum(Y & (A <= 0.5)), np.sum(Y & (A > 0.5))],
    ]
    mean, share, rows_of = metrics.calibration(A, Y)
    np.testing.assert_allclose(np.sum(mean * rows_of), np.sum(A), atol=1e-12)
    np.testing.assert_allclose(np.sum(share * rows_of), np.sum(Y), atol=1e-12)
    assert rows_of.sum() == len(A)
    assert (np.diff(mean) > 0).all()  # equal probabilities are in one bin


@given(examples)
@pytest.mark.long
def test_the_measures_are_scikit_learns(rows):
    sklearn = pytest.importorskip("sklearn.metrics")
    A, Y = arrays(rows)
    curves = metrics.curves(A, Y)
    same = {"rtol": 1e-12, "atol": 1e-15}
    np.testing.assert_allclose(curves.roc_auc, sklearn.roc_auc_score(Y, A), **same)
    precision = sklearn.average_precision_score(Y, A)
    np.testing.assert_allclose(curves.average_precision, precision, **same)
    np.testing.assert_allclose(metrics.brier(A, Y), sklearn.brier_score_loss(Y, A), **same)
    np.testing.assert_array_equal(metrics.confusion(A, Y), sklearn.confusion_matrix(Y, A > 0.5))


def test_a_long_cost_curve_is_kept_in_a_thousand_points():
    costs = np.arange(12_345.0)
    at, kept = models.thinned(costs)
    assert len(at) == 1000
    assert (at[0], at[-1]) == (0, 12_344)
    np.testing.assert_array_equal(costs[at], kept)
    np.testing.assert_array_equal(models.thinned(costs[:7])[1], costs[:7])


def test_evaluate_says_what_predict_and_train_say(run, frame, data, model):
    code, out, err = run("evaluate", model, data, "--json", "--all-rows")
    assert code == 0
    assert "the model was trained on 32 of these 40 rows" in err
    found = json.loads(out)
    assert list(found) == [
        "file",
        "classes",
        "rows",
        "sampled",
        "file_rows",
        "trained_on",
        "threshold",
        "accuracy",
        "majority_accuracy",
        "recall",
        "precision",
        "log_loss",
        "roc_auc",
        "roc_auc_interval",
        "average_precision",
        "brier_score",
        "confusion_matrix",
    ]
    A = pl.read_csv(run("predict", model, data)[1].encode())["probability"].to_numpy()
    Y = (frame["sick"] == "yes").to_numpy()
    assert found["rows"] == 40
    assert found["classes"] == ["no", "yes"]
    assert found["accuracy"] == np.mean((A > 0.5) == Y)
    assert np.sum(found["confusion_matrix"]) == 40
    J = -np.mean(np.log(np.where(Y, A, 1 - A)))
    np.testing.assert_allclose(found["log_loss"], J, rtol=1e-9)
    code, out, _ = run("evaluate", model, data, "--all-rows")
    assert code == 0
    assert f"trained on: {np.sum(~Y)} no, {np.sum(Y)} yes" in out
    assert f"({round(found['accuracy'] * 40)} of 40)" in out
    assert "predicted no" in out


def test_evaluate_is_exact_for_extreme_examples(run, tmp_path):
    # where A is 0 or 1 to the last bit, log(A) would be infinite
    near, far = tmp_path / "near.csv", tmp_path / "far.csv"
    near.write_text("x,y\n" + "-1,0\n1,1\n" * 9)
    far.write_text("x,y\n-1e6,1\n1e6,1\n")
    model = tmp_path / "model.npz"
    assert run("train", near, "--target", "y", "--test-fraction", "0", "-o", model)[0] == 0
    with np.load(model) as stored:
        z = abs(stored["weights"][0]) * 1e6
    found = json.loads(run("evaluate", model, far, "--json")[1])
    np.testing.assert_allclose(found["log_loss"], z / 2, rtol=1e-6)
    assert found["accuracy"] == 0.5


def test_rows_of_one_class_have_no_roc(run, tmp_path, frame, model):
    path = tmp_path / "ones.csv"
    frame.filter(pl.col("sick") == "yes").write_csv(path)
    code, out, _ = run("evaluate", model, path)
    assert code == 0
    assert "undefined (all rows are of one class)" in out
    found = json.loads(run("evaluate", model, path, "--json")[1])
    assert found["roc_auc"] is found["average_precision"] is None


def test_a_third_class_or_none_is_an_error(fails, tmp_path, frame, model):
    path = tmp_path / "t.csv"
    frame.with_columns(sick=pl.Series(["no", "maybe"] * 20)).write_csv(path)
    fails("evaluate", model, path, match="'maybe' in row 2; the model's classes are 'no' and 'yes'")
    frame.with_columns(sick=pl.Series(["no", None] * 20)).write_csv(path)
    fails("evaluate", model, path, match="'sick' has missing values, first in row 2")
    frame.drop("sick").write_csv(path)
    fails("evaluate", model, path, match="no column 'sick'")


@pytest.mark.sampled(3)
@pytest.mark.parametrize(
    "values", [[False, True], [0, 1], [-3, 7], [0.5, 1.5], ["a", "b"], ["01", "1"]], ids=str
)
def test_classes_are_recognized_in_every_kind_of_file(run, tmp_path, frame, values):
    labels = pl.Series("sick", [values[text == "yes"] for text in frame["sick"]])
    table, model = tmp_path / "t.parquet", tmp_path / "model.npz"
    frame.with_columns(labels).write_parquet(table)
    frame.with_columns(labels).write_csv(tmp_path / "t.csv")
    assert run("train", table, "--target", "sick", "-o", model)[0] == 0
    one, two = (
        json.loads(run("evaluate", model, tmp_path / name, "--json", "--all-rows")[1])
        for name in ("t.parquet", "t.csv")
    )
    assert one["confusion_matrix"] == two["confusion_matrix"]
    assert one["accuracy"] > 0.9


def test_train_prints_json_for_programs(run, tmp_path, data):
    model = tmp_path / "model.npz"
    code, out, err = run("train", data, "--target", "sick", "--json", "-o", model)
    assert (code, err) == (0, "")
    found = json.loads(out)
    assert found["classes"] == ["no", "yes"]
    assert found["rows"]["train"] == 32
    assert found["rows"]["held_out"] == found["held_out"]["rows"] == 8
    assert 0 < found["iterations"] < 100
    assert found["stopped"] == "tol"
    assert found["cost"]["last"] < found["cost"]["first"]
    assert found["model"] == str(model)
    with np.load(model) as stored:
        assert [w["weight"] for w in found["weights"]] == stored["weights"].tolist()
        assert found["bias"] == stored["bias"]
    inspected = json.loads(run("inspect", model, "--json")[1])
    assert inspected["weights"] == found["weights"]
    assert inspected["cost"] == found["cost"]


def test_inspect_shows_the_contents_of_a_model(run, model):
    code, out, err = run("inspect", model)
    assert (code, err) == (0, "")
    assert re.search(r"target +sick: 0 = no, 1 = yes", out)
    assert re.search(r"features +3, from 3 columns", out)
    assert re.search(rf"version +{logreg_c.__version__}", out)
    for name in ("height", "weight", "smokes", "bias b"):
        assert name in out
    assert not re.search(r"[^\n -~]", out)


def test_nonfinite_numbers_are_null_in_json(run, tmp_path):
    path = tmp_path / "far.csv"
    path.write_text("x,y\n" + "-1e308,0\n1e308,1\n" * 9)
    options = [
        "--target",
        "y",
        "--solver",
        "gd",
        "--iters",
        "1",
        "--alpha",
        "1e-300",
        "--no-standardize",
        "--json",
    ]
    code, out, _ = run("train", path, *options)
    assert code in {0, 1}
    if code == 0:
        assert json.loads(out)["weights"][0]["deviation"] is None
