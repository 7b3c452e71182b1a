# SPDX-License-Identifier: BSD-3-Clause
"""Thresholds, weights, the positive class, kept columns: each does what its formula says."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import logreg_c

pl = pytest.importorskip("polars")

from logreg_c._cli import metrics, models  # noqa: E402


@pytest.fixture
def rare(tmp_path):
    """400 rows, of which 40 are positive, with IDs and weights."""
    rng = np.random.default_rng(1)
    Y = np.arange(400) % 10 == 0
    path = tmp_path / "rare.csv"
    pl.DataFrame(
        {
            "id": [f"00{k}" for k in range(400)],
            "x": rng.normal(size=400) + Y,
            "z": rng.normal(size=400),
            "times": rng.integers(0, 4, 400),
            "y": np.where(Y, "bad", "good"),
        }
    ).write_csv(path)
    return path


@pytest.fixture
def trained(run, rare, tmp_path):
    def call(*options, drop=("id", "times")):
        path = tmp_path / "model.npz"
        start = ["train", rare, "--target", "y", "--json", "-o", path, *options]
        code, out, err = run(*start, *(f"--drop={name}" for name in drop))
        assert code == 0, err
        return json.loads(out), models.load(path)

    return call


probabilities = st.sampled_from([0.0, 1e-300, 0.1, 0.25, 0.5, 0.75, 0.9, 1.0])
examples = st.lists(st.tuples(probabilities, st.booleans()), min_size=2, max_size=60).filter(
    lambda rows: len({y for _, y in rows}) == 2
)


def gain(A, Y, threshold, criterion):
    (tn, fp), (fn, tp) = metrics.confusion(A, Y, threshold)
    return {
        "f1": 2 * tp / (2 * tp + fp + fn),
        "youden": tp / (tp + fn) + tn / (tn + fp) - 1,
        "cost=2:7": -2 * fp - 7 * fn,
    }[criterion]


@pytest.mark.sampled(1)
@pytest.mark.parametrize("criterion", ["f1", "youden", "cost=2:7"])
@given(examples)
def test_no_threshold_is_better_than_the_one_found(criterion, rows):
    A, Y = map(np.array, zip(*rows, strict=True))
    found = metrics.best_threshold(metrics.curves(A, Y), criterion)
    assert 0 <= found <= 1
    best = max(gain(A, Y, t, criterion) for t in {*A.tolist(), 1.0, 0.0})
    # A probability of 0 is never above a threshold.
    if (A > 0).all() or found > 0:
        assert gain(A, Y, found, criterion) >= best - 1e-12


@pytest.mark.parametrize("criterion", ["f1", "youden", "cost=1:9", "0.25"])
def test_the_threshold_is_in_the_model_and_predict_applies_it(
    run, trained, rare, tmp_path, criterion
):
    found, model = trained("--threshold", criterion, "--positive", "bad")
    assert found["held_out"]["threshold"] == model.threshold != 0.5
    code, out, err = run("predict", tmp_path / "model.npz", rare)
    assert code == 0
    assert f"it is predicted above {model.threshold:.6g}" in err
    rows = pl.read_csv(out.encode())
    above = rows["probability"] > model.threshold
    assert (above == (rows["prediction"] == "bad")).all()
    usual, _ = trained("--positive", "bad")
    assert found["held_out"]["recall"] > usual["held_out"]["recall"]


def test_the_positive_class_is_chosen(trained):
    one, other = trained()[0], trained("--positive", "bad")[0]
    assert one["classes"] == ["bad", "good"]
    assert other["classes"] == ["good", "bad"]
    for a, b in zip(one["weights"], other["weights"], strict=True):
        assert a["weight"] == pytest.approx(-b["weight"], rel=1e-6)
    assert one["held_out"]["roc_auc"] == pytest.approx(other["held_out"]["roc_auc"])


def test_weights_are_those_of_the_formula(trained, rare):
    table = pl.read_csv(rare)
    X, Y = table.select("x", "z").to_numpy().T, (table["y"] == "good").to_numpy()
    times = table["times"].to_numpy().astype(float)
    balanced = np.where(Y, 400 / (2 * Y.sum()), 400 / (2 * (~Y).sum()))
    for options, drop, weight in [
        (["--weight", "times"], ["id"], times),
        (["--class-weight", "balanced"], ["id", "times"], balanced),
        (["--class-weight", "bad=9"], ["id", "times"], np.where(Y, 1.0, 9.0)),
        (["--class-weight", "bad=9,good=0.5", "--weight", "times"], ["id"],
         times * np.where(Y, 0.5, 9.0)),
    ]:  # fmt: skip
        _, model = trained("--test-fraction", "0", "--no-standardize", *options, drop=drop)
        best = logreg_c.fit(X, Y, l2=1 / 400, sample_weight=weight)
        np.testing.assert_allclose(model.weights, best.w[:, 0], rtol=1e-3)
        assert model.bias == pytest.approx(best.b, rel=1e-3)


def test_kept_columns_come_first_and_unchanged(run, trained, rare, tmp_path):
    trained()
    for name in ("out.csv", "out.parquet"):
        out = tmp_path / name
        keep = ["--keep", "id", "--keep", "x", "--keep", "y"]
        assert run("predict", tmp_path / "model.npz", rare, *keep, "-o", out)[0] == 0
        types = {"id": pl.String}
        found = (
            pl.read_parquet(out)
            if out.suffix == ".parquet"
            else pl.read_csv(out, schema_overrides=types)
        )
        assert found.columns == ["id", "x", "y", "probability", "prediction"]
        given_ = pl.read_csv(rare, schema_overrides=types)
        assert found.select("id", "x", "y").equals(given_.select("id", "x", "y"))


@pytest.mark.long
def test_choices_that_cannot_be_are_refused(run, fails, rare, tmp_path, trained):
    start = ["train", rare, "--target", "y", "--drop", "id"]
    fails(*start, "--positive", "worse", match="--positive: 'worse' is not a class of the target;")
    fails(*start, "--class-weight", "worse=2", match="--class-weight: 'worse' is not a class")
    fails(*start, "--weight", "x", match="weight 'x' is negative in row")
    fails(*start, "--threshold", "f1", "--test-fraction", "0", match="chosen on held-out rows")
    for option in (
        ["--threshold", "best"],
        ["--threshold", "1.5"],
        ["--threshold", "nan"],
        ["--threshold", "cost=1"],
        ["--threshold", "cost=1:-2"],
        ["--class-weight", "2"],
        ["--class-weight", "bad=0"],
        ["--cv", "1"],
    ):
        code, out, err = run(*start, *option)
        assert (code, out) == (2, "")
        assert option[0] in err
    trained()
    model, other = tmp_path / "model.npz", tmp_path / "other.csv"
    fails("predict", model, rare, "--keep", "no", match="no column 'no'")
    pl.read_csv(rare).rename({"id": "probability"}).write_csv(other)
    fails("predict", model, other, "--keep", "probability", match="has this name; rename it")


def test_the_version_is_printed(run):
    assert run("--version") == (0, f"logreg-c {logreg_c.__version__}\n", "")


def test_the_list_of_commands_is_not_cut(run):
    assert "..." not in run("--help")[1].partition("Commands:")[2]
