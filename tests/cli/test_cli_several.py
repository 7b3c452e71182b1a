# SPDX-License-Identifier: BSD-3-Clause
"""Targets of more than two classes: train, evaluate, predict, inspect, export, and `load`."""

import json

import numpy as np
import pytest

import logreg_c

pl = pytest.importorskip("polars")


@pytest.fixture(scope="module")
def table():
    """300 rows with text, dates and missing values, and three classes."""
    rng = np.random.default_rng(2)
    x, color = rng.normal(size=(2, 300)), rng.choice(["red", "green", "blue"], 300)
    Z = np.stack([2 * x[0], x[1] + 2 * (color == "red"), -x[0]])
    kind = np.array(["small", "middle", "large"])[(Z + rng.gumbel(size=Z.shape)).argmax(0)]
    return pl.DataFrame({"x": x[0], "z": x[1], "color": color, "kind": kind}).with_columns(
        z=pl.when(pl.col("z") > 1.5).then(None).otherwise(pl.col("z"))
    )


@pytest.fixture(scope="module")
def paths(tmp_path_factory, table):
    folder = tmp_path_factory.mktemp("several")
    table.write_parquet(folder / "t.parquet")
    return folder / "t.parquet", folder / "m.npz", folder


OPTIONS = "--target", "kind", "--one-hot", "--missing", "median"


@pytest.fixture
def model(run, paths):
    if not paths[1].exists():
        assert run("train", paths[0], *OPTIONS, "-o", paths[1])[0] == 0
    return paths[1]


def test_the_weights_are_those_of_fit(model, table):
    stored = logreg_c.load(model)
    assert stored.classes.tolist() == ["large", "middle", "small"]
    assert repr(stored) == "Model of 'kind': large, middle or small, from 3 columns"
    A = stored.predict_proba(table)
    np.testing.assert_allclose(A.sum(1), 1.0, rtol=1e-12)
    held_out = np.unpackbits(np.load(model)["held_out"], count=300).view(bool)
    z = table["z"].fill_null(table["z"].filter(~pl.Series(held_out)).median())
    X = np.array([table["x"], z, *(table["color"] == c for c in ("blue", "green", "red"))], float)
    missing = table["z"].is_null().to_numpy()
    X = np.insert(X, 2, missing, axis=0) if len(stored.weights) == 6 else X
    Y = np.searchsorted(stored.classes, table["kind"].to_numpy().astype(str))
    sd = X[:, ~held_out].std(1)[:, None]
    fit = logreg_c.fit((X / sd)[:, ~held_out], Y[~held_out], l2=1 / (~held_out).sum())
    np.testing.assert_allclose(A.T, logreg_c.predict_proba(X / sd, fit.w, fit.b), atol=1e-4)


def test_evaluate_counts_what_predict_says(run, model, paths):
    code, out, _ = run("evaluate", model, paths[0], "--all-rows", "--json")
    assert code == 0
    found = json.loads(out)
    _, out, err = run("predict", model, paths[0], "--keep", "kind")
    assert "a probability for each class" in err
    predicted = pl.read_csv(out.encode())
    names = ["large", "middle", "small"]
    assert predicted.columns == ["kind", *(f"probability={name}" for name in names), "prediction"]
    matrix = [
        [len(predicted.filter(kind=one, prediction=other)) for other in names] for one in names
    ]
    assert found["confusion_matrix"] == matrix
    metrics = pytest.importorskip("sklearn.metrics")
    truth, said = predicted["kind"].to_list(), predicted["prediction"].to_list()
    of_sklearn = {
        "accuracy": metrics.accuracy_score(truth, said),
        "macro_recall": metrics.recall_score(truth, said, average="macro"),
        "macro_precision": metrics.precision_score(truth, said, average="macro"),
        "log_loss": metrics.log_loss(truth, predicted.select(predicted.columns[1:4]).to_numpy()),
    }
    for name, value in of_sklearn.items():
        assert found[name] == pytest.approx(value, rel=1e-9)
    assert found["recall"] == pytest.approx(
        metrics.recall_score(truth, said, average=None).tolist()
    )


def test_what_is_printed(run, model, paths):
    out = run("train", paths[0], *OPTIONS, "--cv", "3")[1]
    for text in ("0 = large (", "2 = small (", "mean over the classes", "predicted middle"):
        assert text in out
    for text in ("x for large", "bias b for small", "3 folds", "change in Z of the class"):
        assert text in out
    assert "kind: 0 = large, 1 = middle, 2 = small" in run("inspect", model)[1]
    shown = json.loads(run("inspect", model, "--json")[1])
    assert (len(shown["bias"]), len(shown["weights"][0]["weight"])) == (3, 3)


def test_an_explanation_compares_the_two_most_probable_classes(model, table):
    stored = logreg_c.load(model)
    row = table.row(7, named=True)
    A = stored.predict_proba(row)[0]
    first, second = np.argsort(A)[-2:]
    why = stored.explain(row)
    assert (why.of, why.against) == (stored.classes[second], stored.classes[first])
    assert why.log_odds == pytest.approx(np.log(A[second] / A[first]), rel=1e-9)
    assert why.base + sum(why.contributions.values()) == pytest.approx(why.log_odds, rel=1e-12)


def test_onnx_predicts_the_same(run, model, paths, table):
    pytest.importorskip("onnx")
    onnxruntime = pytest.importorskip("onnxruntime")
    path = paths[2] / "m.onnx"
    assert run("export", model, "-o", path)[0] == 0
    session = onnxruntime.InferenceSession(path.read_bytes())
    feed = {name: table[name].to_numpy().astype(float)[:, None] for name in ("x", "z")}
    feed["color"] = table["color"].to_numpy().astype(object)[:, None]
    A, labels = session.run(["probability", "prediction"], feed)
    stored = logreg_c.load(model)
    np.testing.assert_allclose(A, stored.predict_proba(table), rtol=1e-12)
    assert labels.tolist() == stored.predict(table).tolist()


def test_a_row_without_a_prediction(run, paths, table):
    path = paths[2] / "drop.npz"
    options = "--target", "kind", "--one-hot", "--missing", "drop", "-o", path
    assert run("train", paths[0], *options)[0] == 0
    stored, row = logreg_c.load(path), {"x": [1.0, 1.0], "z": [None, 0.5], "color": ["red"] * 2}
    assert np.isnan(stored.predict_proba(row)).all(1).tolist() == [True, False]
    assert (stored.predict(row)[0], stored.predict(row)[1] in stored.classes) == (None, True)


@pytest.mark.sampled(3)
@pytest.mark.parametrize("classes", [[1, 2, 3], [0.5, 1.5, 2.5], ["a", "b", "1"], [10**20, 1, 2]])
def test_classes_of_every_type_and_spelling(run, tmp_path, table, classes):
    codes = np.searchsorted(np.unique(table["kind"]), table["kind"].to_numpy().astype(str))
    path, model = tmp_path / "t.csv", tmp_path / "m.npz"
    pl.DataFrame({"x": table["x"], "y": [str(classes[k]) for k in codes]}).write_csv(path)
    assert run("train", path, "--target", "y", "-o", model)[0] == 0
    whole = run("evaluate", model, path, "--all-rows")[1]
    for k in classes:
        assert f" {k}" in whole


def test_balanced_weights_early_stopping_and_a_checkpoint(run, paths):
    weighted = json.loads(
        run("train", paths[0], *OPTIONS, "--class-weight", "balanced", "--json")[1]
    )
    assert weighted["settings"]["class_weight"] == "balanced"
    one = json.loads(run("train", paths[0], *OPTIONS, "--class-weight", "small=3", "--json")[1])
    assert one["bias"] != weighted["bias"]
    resume = paths[2] / "resume.npz"
    options = *OPTIONS, "--early-stopping", "2", "--resume", resume, "--json"
    found = json.loads(run("train", paths[0], *options)[1])
    assert found["validation"]["iterations"] >= 1
    assert resume.exists()


@pytest.mark.parametrize(
    ("options", "match"),
    [
        (("--threshold", "0.3"), "--threshold is for two classes, and target 'kind' has 3"),
        (("--threshold", "f1"), "--threshold is for two classes"),
    ],
)
def test_options_for_two_classes_are_refused(fails, paths, options, match):
    fails("train", paths[0], *OPTIONS, *options, match=match)


def test_targets_that_are_no_classes_are_refused(fails, tmp_path, table):
    path = tmp_path / "t.parquet"
    table.select("x", y=pl.col("x") * 2).write_parquet(path)
    fails("train", path, "--target", "y", match="300 different values .* at most 100, each in two")
    rare = [*table["kind"][:-1], "huge"]
    table.select("x", y=pl.Series(rare)).write_parquet(path)
    fails("train", path, "--target", "y", match="4 different values .*'huge'.* each in two rows")


def test_a_model_file_with_shapes_that_do_not_fit_is_refused(fails, model, paths):
    arrays = dict(np.load(model))
    path = paths[2] / "bad.npz"
    for changed in (
        {"weights": arrays["weights"][:, :2]},
        {"bias": arrays["bias"][:2]},
        {"bias": np.array(0.0)},
        {"classes": np.array(["a", "b", "b"])},
        {"classes": np.array(["a", "b"])},
    ):
        np.savez(path, **arrays | changed)
        fails("inspect", path, match="damaged, or not a model")


def test_gradient_descent_comes_close_to_the_minimum(run, paths):
    options = *OPTIONS, "--l2", "0.01", "--json"
    best = json.loads(run("train", paths[0], *options)[1])
    found = json.loads(run("train", paths[0], *options, "--solver", "gd", "--iters", "3000")[1])
    assert found["cost"]["last"] == pytest.approx(best["cost"]["last"], rel=1e-6)


# ---- One class against all others ----------------------------------------------------------------


@pytest.fixture
def three(tmp_path):
    """300 rows of three kinds, as numbers and as text."""
    kind = np.arange(300) % 3 + 1
    x = np.random.default_rng(2).normal(size=(2, 300)) + kind
    table = pl.DataFrame({"x": x[0], "z": x[1] * (kind == 2), "kind": kind})
    paths = tmp_path / "three.parquet", tmp_path / "three.csv", tmp_path / "text.csv"
    table.write_parquet(paths[0])
    table.with_columns(pl.col("kind").cast(float)).write_csv(paths[1])
    text = pl.col("kind").replace_strict([1, 2, 3], ["Oak", "Elm", "Ash"])
    table.with_columns(kind=text).write_csv(paths[2])
    return paths


def test_one_of_many_classes_is_told_from_the_rest(run, three, tmp_path):
    path, predictions = tmp_path / "m.npz", []
    for file, label in zip(three, ("2", "2", "elm"), strict=True):
        start = ["train", file, "--target", "kind", "--positive", label, "-o", path, "--json"]
        code, out, err = run(*start)
        assert code == 0, err
        positive = "Elm" if label == "elm" else json.loads(out)["classes"][1]
        assert json.loads(out)["classes"] == [f"not {positive}", positive]
        code, out, err = run("predict", path, file)
        assert code == 0, err
        predictions.append(pl.read_csv(out.encode())["probability"].to_list())
        found = json.loads(run("evaluate", path, file, "--all-rows", "--json")[1])
        assert np.sum(found["confusion_matrix"], axis=1).tolist() == [200, 100]
    two = tmp_path / "two.csv"
    pl.read_csv(three[1]).with_columns(kind=pl.col("kind") == 2).write_csv(two)
    assert run("train", two, "--target", "kind", "-o", path)[0] == 0
    for found in predictions:
        assert found == pl.read_csv(run("predict", path, two)[1].encode())["probability"].to_list()


def test_a_kind_that_is_new_is_of_the_rest(run, three, tmp_path):
    path, new = tmp_path / "m.npz", tmp_path / "new.csv"
    assert run("train", three[2], "--target", "kind", "--positive", "Elm", "-o", path)[0] == 0
    new.write_text(three[2].read_text().replace("Oak", "Yew"))
    found = json.loads(run("evaluate", path, new, "--all-rows", "--json")[1])
    assert np.sum(found["confusion_matrix"], axis=1).tolist() == [200, 100]
    assert set(logreg_c.load(path).predict(pl.read_csv(new))) == {"Elm", "not Elm"}


def test_a_class_that_does_not_exist_is_named(fails, three):
    start = ["train", three[2], "--target", "kind"]
    fails(*start, "--positive", "Fir", match="'Fir' is not a class of the target; they are 'Ash'")
    fails(*start, "--threshold", "0.3", match="tell one class from all others by --positive")


@pytest.mark.long
def test_standard_errors_compare_with_the_first_class(run, paths, table):
    data, path = paths[2] / "complete.parquet", paths[2] / "errors.npz"
    complete = table.drop("color").drop_nulls()
    complete.write_parquet(data)
    options = "--target", "kind", "--inference", "--test-fraction", "0", "-o", path
    out = run("train", data, *options)[1]
    assert "compared with class large" in out
    X = complete.select("x", "z").to_numpy().T
    names = np.unique(complete["kind"])
    Y = np.searchsorted(names, complete["kind"].to_numpy().astype(str))
    w, b, _ = logreg_c.fit(X, Y, tol=1e-12)
    expected = logreg_c.inference(X, Y, w, b)
    shown = json.loads(run("inspect", path, "--json")[1])["inference"]["standard_errors"]
    assert [row["class"] for row in shown] == ["middle"] * 3 + ["small"] * 3
    for name, column in ("coefficient", "coefficients"), ("standard error", "standard_errors"):
        found = [row[name] for row in shown]
        np.testing.assert_allclose(found, getattr(expected, column), rtol=1e-3)
    assert run("report", path, data, "-o", paths[2] / "page.html")[0] == 0


@pytest.mark.long
def test_the_report_shows_every_class(run, model, paths):
    pytest.importorskip("jinja2")
    pytest.importorskip("matplotlib")
    page = paths[2] / "page.html"
    assert run("report", model, paths[0], "-o", page)[0] == 0
    text = page.read_text()
    for shown in ("kind: large, middle or small", "predicted middle", "x for large", "Calibration"):
        assert shown in text
    assert "<script>" not in text
    assert "slider" not in text.partition("</style>")[2]
    assert run("train", paths[0], *OPTIONS, "--report", page)[0] == 0
