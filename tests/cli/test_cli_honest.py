# SPDX-License-Identifier: BSD-3-Clause
"""Scores are those of rows that the model has not seen, or say loudly that they are not."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

pl = pytest.importorskip("polars")

from logreg_c._cli import metrics, models, splitting  # noqa: E402
from logreg_c._cli.splitting import Splitting  # noqa: E402

RANDOM = Splitting(0.2, 0.0, 0, None, None)


@pytest.fixture
def noise(tmp_path):
    """200 rows of 30 columns that know nothing about the target, and of groups and dates."""
    rng = np.random.default_rng(0)
    columns = {f"x{j}": rng.normal(size=200) for j in range(30)}
    columns["who"] = rng.integers(0, 40, 200)
    columns["day"] = pl.Series([f"2024-{k % 12 + 1:02}-{k % 28 + 1:02}" for k in range(200)])
    path = tmp_path / "noise.csv"
    pl.DataFrame(columns | {"y": rng.random(200) < 0.5}).write_csv(path)
    return path


@pytest.fixture
def scored(run, noise, tmp_path):
    """Train on noise with options; return what train and evaluate found, and the model."""

    def call(*options):
        path = tmp_path / "model.npz"
        start = ["train", noise, "--target", "y", "--drop", "who", "--drop", "day"]
        code, out, err = run(*start, "-o", path, "--json", *options)
        assert code == 0, err
        code, again, err = run("evaluate", path, noise, "--json")
        assert (code, err) == (0, "")
        return json.loads(out), json.loads(again), models.load(path)

    return call


@pytest.mark.sampled(3)
@pytest.mark.parametrize(
    "options",
    [
        [],
        ["--seed", "5", "--test-fraction", "0.37"],
        ["--early-stopping", "3"],
        ["--group-by", "who"],
        ["--split-by-time", "day"],
        ["--positive", "false"],
        ["--threshold", "0.3"],
        ["--missing", "median"],
    ],
    ids=" ".join,
)
def test_evaluate_scores_the_rows_that_train_held_out(scored, options):
    trained, evaluated, model = scored(*options)
    held_out = trained["held_out"]
    assert held_out["trained_on"] == evaluated["trained_on"] == 0
    assert held_out["file_rows"] == evaluated["file_rows"] == 200
    for name, value in held_out.items():
        assert evaluated[name] == (pytest.approx(value) if name == "log_loss" else value), name
    assert model.is_held_out.sum() == held_out["rows"] == trained["rows"]["held_out"]


def test_the_file_is_recognized_in_any_format(run, scored, noise, tmp_path):
    trained, _, _ = scored()
    other = tmp_path / "noise.parquet"
    pl.read_csv(noise).write_parquet(other)
    found = json.loads(run("evaluate", tmp_path / "model.npz", other, "--json")[1])
    assert found["rows"] == trained["held_out"]["rows"]
    for changed in (
        pl.read_csv(noise).reverse(),
        pl.read_csv(noise).head(199),
        pl.read_csv(noise).with_columns(x3=pl.col("x3") + 1e-9),
    ):
        changed.write_parquet(other)
        found = json.loads(run("evaluate", tmp_path / "model.npz", other, "--json")[1])
        assert found["rows"] == found["file_rows"] == changed.height
        assert found["trained_on"] is None


def test_rows_that_were_trained_on_are_called_so(run, scored, noise, tmp_path):
    scored()
    model = tmp_path / "model.npz"
    _, out, err = run("evaluate", model, noise, "--all-rows")
    assert "200, 160 of which the model was trained on" in out
    assert err.startswith("logreg-c: warning: the model was trained on 160 of these 200 rows")
    code, _, _ = run("train", noise, "--target", "y", "--drop", "day", "--test-fraction", "0",
                     "-o", model)  # fmt: skip
    assert code == 0
    _, _, err = run("evaluate", model, noise)
    assert err.startswith("logreg-c: warning: the model was trained on 200 of these 200 rows")


def test_a_model_of_noise_is_called_no_better_than_chance(run, noise):
    code, out, _ = run("train", noise, "--target", "y", "--drop", "day")
    assert code == 0
    assert "which contains 0.5: no better than chance" in out
    assert "; always True: " in out


def test_train_shows_what_accuracy_hides(run, tmp_path):
    rng = np.random.default_rng(3)
    x, path = rng.normal(size=1000), tmp_path / "rare.csv"
    y = np.where(x + 2 * rng.normal(size=1000) > 4.2, "yes", "no")
    pl.DataFrame({"x": x, "y": y}).write_csv(path)
    code, out, _ = run("train", path, "--target", "y")
    assert code == 0
    rare = round(0.2 * (y == "yes").sum())
    assert f"0.0000 (0 of {rare} yes are found)" in out
    assert "undefined (no row is predicted yes)" in out
    assert f"always no: {1 - rare / 200:.4f}" in out
    assert "predicted yes" in out  # the confusion matrix


@given(st.integers(4, 150), st.integers(4, 150), st.integers(0, 9), st.floats(0.1, 0.6))
@pytest.mark.long
def test_every_part_has_its_share_of_both_classes(yes, no, seed, fraction):
    Y = np.random.default_rng(seed).permutation(np.repeat([True, False], [yes, no]))
    options = Splitting(fraction, 0.1, seed, None, None)
    parts = splitting.split(Y, None, options, "t.csv")
    rows = np.concatenate(parts[:3])
    assert sorted(rows.tolist()) == list(range(len(Y)))
    assert len(parts.held_out) == round(fraction * len(Y))
    assert abs(Y[parts.held_out].sum() - fraction * Y.sum()) <= 1.5


def test_groups_stay_together_and_times_stay_in_order():
    rng = np.random.default_rng(0)
    Y, who = rng.random(500) < 0.4, rng.integers(0, 60, 500)
    groups = pl.Series("who", who)
    parts = splitting.split(Y, groups, RANDOM._replace(group_by="who"), "t.csv")
    assert not set(who[parts.fit]) & set(who[parts.held_out])
    assert 80 <= len(parts.held_out) <= 120
    other = splitting.split(Y, groups, RANDOM._replace(group_by="who", seed=1), "t.csv")
    assert set(who[other.held_out]) != set(who[parts.held_out])
    folds = splitting.folds(Y[parts.fit], None, parts.units, 5, "t.csv")
    for k in range(5):
        assert not set(who[parts.fit][folds == k]) & set(who[parts.fit][folds != k])
    options = Splitting(0.2, 0.1, 0, None, "who")
    parts = splitting.split(Y, groups, options, "t.csv")
    assert who[parts.fit].max() < who[parts.validation].min()
    assert who[parts.validation].max() < who[parts.held_out].min()


def test_times_that_do_not_sort_are_refused(fails, tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("a,day,y\n" + "1,3.12.2024,0\n2,24.12.2024,1\n" * 9)
    fails("train", path, "--target", "y", "--split-by-time", "day",
          match="'day' is '3.12.2024' in row 1; --split-by-time needs")  # fmt: skip
    path.write_text("a,who,y\n" + "1,,0\n2,b,1\n" * 9)
    fails("train", path, "--target", "y", "--group-by", "who",
          match="'who' has missing values, first in row 1")  # fmt: skip
    fails("train", path, "--target", "y", "--group-by", "no", match="no column 'no'")
    fails("train", path, "--target", "y", "--group-by", "y", match="'y' cannot be")


def test_folds_score_every_row_once(run, noise):
    start = ["train", noise, "--target", "y", "--drop", "day", "--json"]
    code, out, err = run(*start, "--cv", "5")
    assert (code, err) == (0, "")
    found = json.loads(out)
    assert list(found["cv"]) == ["roc_auc", "accuracy", "log_loss"]
    for measure in found["cv"].values():
        assert len(measure["folds"]) == 5
        assert measure["mean"] == pytest.approx(np.mean(measure["folds"]))
        assert measure["deviation"] == pytest.approx(np.std(measure["folds"], ddof=1))
    # a fold is scored by a model of the other folds, which knows nothing
    assert 0.3 < found["cv"]["roc_auc"]["mean"] < 0.7
    assert json.loads(run(*start)[1])["weights"] == found["weights"]
    assert "5 folds" in run(*start[:-1], "--cv", "5")[1]


def test_folds_that_cannot_be_are_refused(fails, noise, tmp_path):
    path = tmp_path / "few.csv"
    path.write_text("a,y\n" + "1,0\n2,1\n" * 5)
    fails("train", path, "--target", "y", "--cv", "9", match="--cv 9 leaves a fold without")
    start = ["train", noise, "--target", "y", "--split-by-time", "day"]
    fails(*start, "--cv", "3", match="--cv would train on rows later")
    fails(*start, "--group-by", "who", match="exclude each other")


@pytest.mark.parametrize(("zeros", "ones"), [(1, 1), (5, 7), (40, 3), (300, 200)])
@pytest.mark.parametrize("auc", [0.0, 0.3, 0.5, 0.9, 1.0])
def test_the_interval_of_the_area_has_its_two_ends(zeros, ones, auc):
    low, high = metrics.auc_interval(auc, zeros, ones)
    assert 0 <= low <= auc <= high <= 1
    assert low < high
    mirrored = metrics.auc_interval(1 - auc, zeros, ones)
    np.testing.assert_allclose([1 - high, 1 - low], mirrored, atol=1e-9)
    half = (zeros + ones) / 2 - 1
    for x in {low, high} - {0.0, 1.0}:  # each end is 1.96 of its own standard errors away
        variance = x * (1 - x) * (1 + half * ((1 - x) / (2 - x) + x / (1 + x))) / (zeros * ones)
        np.testing.assert_allclose(abs(x - auc), 1.959964 * np.sqrt(variance), atol=1e-9)


def test_the_interval_covers_the_true_area_about_as_often_as_it_says():
    rng, covered = np.random.default_rng(0), 0
    for _ in range(400):
        zeros, ones = rng.normal(size=40), rng.normal(1.0, size=25)
        auc = np.mean(zeros[:, None] < ones)
        low, high = metrics.auc_interval(auc, 40, 25)
        covered += low <= 0.7602499389065233 <= high  # Phi(1 / sqrt(2))
    assert 0.92 <= covered / 400 <= 0.985
