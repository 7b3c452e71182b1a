# SPDX-License-Identifier: BSD-3-Clause
"""An ONNX model predicts what predict_proba predicts, with inputs named after the features."""

import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import logreg_c

onnx = pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")
pl = pytest.importorskip("polars")
pd = pytest.importorskip("pandas")

from logreg_c.onnx import to_onnx  # noqa: E402

EXAMPLE = Path(__file__).parent.parent / "examples" / "breast_cancer.csv"


def outputs(model, feed):
    content = model if isinstance(model, bytes) else model.SerializeToString()
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    return session.run(["probability", "prediction"], feed)


@pytest.fixture(scope="module")
def cancer():
    table = pl.read_csv(EXAMPLE)
    X = table.drop("diagnosis").cast(pl.Float64).to_numpy().T
    Y = (table["diagnosis"] == "malignant").to_numpy()
    w, b, _ = logreg_c.train(X, Y, 0.5, 1000, standardize=True)
    return table, X, w, b


def test_real_data_by_the_names_of_the_features(cancer):
    table, X, w, b = cancer
    names = table.drop("diagnosis").columns
    model = to_onnx(w, b, names, classes=["benign", "malignant"])
    assert [value.name for value in model.graph.input] == names
    A, labels = outputs(
        model, {name: table[name].cast(float).to_numpy()[:, None] for name in names}
    )
    np.testing.assert_allclose(A, logreg_c.predict_proba(X, w, b)[0], atol=1e-6)
    expected = np.where(logreg_c.predict(X, w, b)[0] == 1, "malignant", "benign")
    assert labels.tolist() == expected.tolist()


def test_real_data_as_a_matrix(cancer):
    _, X, w, b = cancer
    A, labels = outputs(to_onnx(w, b), {"X": np.ascontiguousarray(X.T)})
    np.testing.assert_allclose(A, logreg_c.predict_proba(X, w, b)[0], atol=1e-6)
    np.testing.assert_array_equal(labels, logreg_c.predict(X, w, b)[0])


@pytest.mark.parametrize(
    "classes",
    [
        [0, 1],
        [-5, 7],
        [False, True],
        [0.5, 1.5],
        [1, 2.5],
        ["no", "ünï"],
        ["", " \n\t\0"],
        np.array([0, 3], "u1"),
        np.array([1.5, 2.5], "f4"),
        np.array(["no", "yes"], object),
        np.array([3, 4], object),
        np.array([False, True], object),
        np.array(["no", "yes"], "T" if np.__version__ >= "2" else "U"),
        [np.str_("a"), "b"],
        pl.Series(["no", "yes"]),
        pd.Series(["no", "yes"], dtype="string").unique(),
        pd.Series(["no", "yes"]).to_numpy(),
        pd.Series([1, 2], dtype="Int64"),
        (-(2**63), 2**63 - 1),
    ],
    ids=range(19),
)
def test_classes_of_every_kind(classes):
    A, labels = outputs(to_onnx([2.0], 0.0, classes=classes), {"X": np.array([[-1.0], [1.0]])})
    assert labels.tolist() == list(classes)
    np.testing.assert_allclose(A, logreg_c.sigmoid([-2.0, 2.0]), rtol=1e-12)


def test_texts_and_numbers_in_any_order():
    names, texts = ["color", "0", "color", "shape"], ["red", None, "", "ünï"]
    model = to_onnx([1.0, 0.5, 2.0, 4.0], -3.0, names, categories=texts)
    feed = {
        "color": np.array([["red"], [""], ["blue"], ["red"]], dtype=object),
        "0": np.array([[0.0], [1.0], [2.0], [3.0]]),
        "shape": np.array([["x"], [""], ["ünï"], [""]], dtype=object),
    }
    A, _ = outputs(model, feed)
    np.testing.assert_allclose(A, logreg_c.sigmoid([-2.0, -0.5, 2.0, -0.5]), rtol=1e-9)


@pytest.mark.parametrize("by_name", [False, True])
def test_several_classes(by_name):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(4, 500))
    Y = (3 * X[:3] + rng.gumbel(size=(3, 500))).argmax(0)
    w, b, _ = logreg_c.fit(X, Y, l2=1e-3)
    names = ["p", "q", "r", "s"] if by_name else None
    known = ["red", "green", "blue"]
    model = to_onnx(w, b, names, classes=known)
    feed = {name: x[:, None] for name, x in zip(names or (), X, strict=False)}
    A, labels = outputs(model, feed or {"X": np.ascontiguousarray(X.T)})
    np.testing.assert_allclose(A.T, logreg_c.predict_proba(X, w, b), rtol=1e-12)
    assert labels.tolist() == [known[k] for k in logreg_c.predict(X, w, b)[0]]
    assert [dim.dim_value for dim in model.graph.output[0].type.tensor_type.shape.dim] == [0, 3]


def test_several_classes_with_texts_and_of_scikit_learn():
    linear_model = pytest.importorskip("sklearn.linear_model")
    rng = np.random.default_rng(1)
    color, x = rng.choice(["red", "blue"], 200), rng.normal(size=200)
    X = np.stack([color == "red", x, color == "blue"], axis=1).astype(float)
    theirs = linear_model.LogisticRegression().fit(X, rng.choice([3, 5, 9], 200))
    model = to_onnx(
        *(theirs.coef_.T, theirs.intercept_, ["color", "x", "color"]),
        categories=["red", None, "blue"],
        classes=theirs.classes_,
    )
    A, labels = outputs(model, {"color": color.astype(object)[:, None], "x": x[:, None]})
    np.testing.assert_allclose(A, theirs.predict_proba(X), rtol=1e-12)
    np.testing.assert_array_equal(labels, theirs.predict(X))
    with pytest.raises(TypeError, match="expected 3 integers, floats, bools or texts"):
        to_onnx(theirs.coef_.T, theirs.intercept_, classes=[0, 1])


def test_strings_are_compared_to_the_last_character():
    model = to_onnx([1.0, 2.0], 0.0, ["x", "x"], categories=["a", "a\0"])
    A, _ = outputs(model, {"x": np.array([["a"], ["a\0"]], dtype=object)})
    np.testing.assert_allclose(A, logreg_c.sigmoid([1.0, 2.0]), rtol=1e-9)


def test_a_scikit_learn_model_is_exported_unchanged():
    linear_model = pytest.importorskip("sklearn.linear_model")
    rng = np.random.default_rng(0)
    X = rng.standard_normal((50, 3))
    y = np.where(X[:, 0] > 0, "yes", "no").astype(object)
    theirs = linear_model.LogisticRegression().fit(X, y)
    model = to_onnx(theirs.coef_, theirs.intercept_, classes=theirs.classes_)
    A, labels = outputs(model, {"X": X})
    np.testing.assert_allclose(A, theirs.predict_proba(X)[:, 1], atol=1e-6)
    assert labels.tolist() == theirs.predict(X).tolist()


@pytest.mark.parametrize("categories", [None, [None, "a", "b"]])
def test_inputs_of_float32(categories):
    x = np.array([[0.1], [1e6], [-3.0]], dtype=np.float32)
    w, b = np.array([0.5, 2.0, -1.0]), 0.25
    model = to_onnx(
        w, b, ["n", "t", "t"] if categories else None, categories=categories, dtype="f4"
    )
    if categories:
        feed = {"n": x, "t": np.array([["a"], ["b"], ["c"]], dtype=object)}
        X = np.column_stack([x, [1, 0, 0], [0, 1, 0]])
    else:
        X = np.column_stack([x, x + 1, x - 1])
        feed = {"X": X}
    A, _ = outputs(model, feed)
    np.testing.assert_allclose(A, logreg_c.sigmoid(X.astype(float) @ w + b), rtol=1e-9)
    with pytest.raises(TypeError, match="dtype is 'f2'; expected float64 or float32"):
        to_onnx(w, b, dtype="f2")


def test_an_old_runtime_loads_what_compares_no_text():
    numbers, texts = to_onnx([1.0], 0.0, ["x"]), to_onnx([1.0], 0.0, ["x"], categories=["a"])
    assert (numbers.ir_version, numbers.opset_import[0].version) == (4, 9)
    assert (texts.ir_version, texts.opset_import[0].version) == (9, 19)


def test_names_of_every_kind():
    names = ["X", "a b", "ünï", "\n", "a/b:0", "-1", "é" * 1000, "\x1b[31m"]
    model = to_onnx(np.arange(8.0), 0.5, np.array(names))
    A, _ = outputs(model, {name: np.array([[1.0]]) for name in names})
    np.testing.assert_allclose(A, logreg_c.sigmoid([28.5]), rtol=1e-12)


def test_the_time_is_proportional_to_the_number_of_features():
    def seconds(n_x):
        names = [f"x{j}" for j in range(n_x)]
        start = time.process_time()
        to_onnx(np.ones(n_x), 0.0, names)
        return time.process_time() - start

    seconds(10)
    assert seconds(8000) < 20 * seconds(1000) + 0.1


def test_one_row_and_no_rows():
    model = to_onnx([1.0], 0.0, ["x"])
    assert outputs(model, {"x": np.array([[0.0]])})[0].tolist() == [0.5]
    assert outputs(model, {"x": np.zeros((0, 1))})[0].tolist() == []


@pytest.mark.long
def test_the_command_line_writes_it(tmp_path):
    rng = np.random.default_rng(5)
    table = pl.DataFrame(
        {"x": rng.normal(size=90), "up": rng.random(90) < 0.5, "t": rng.choice(["a", "b", "c"], 90)}
    ).with_columns(y=pl.when((pl.col("x") > 0) | (pl.col("t") == "a")).then(1).otherwise(0))
    data, model, out = tmp_path / "d.parquet", tmp_path / "m.npz", tmp_path / "m.onnx"
    table.write_parquet(data)
    command = [sys.executable, "-P", "-m", "logreg_c"]

    def run(*arguments):
        done = subprocess.run([*command, *map(str, arguments)], check=True, capture_output=True)
        return done.stdout

    run("train", data, "--target", "y", "--one-hot", "-o", model)
    assert b"3 inputs" in run("export", model, "-o", out)
    predicted = pl.read_csv(run("predict", model, data))
    feed = {
        "x": table["x"].to_numpy()[:, None],
        "up": table["up"].to_numpy().astype(np.float64)[:, None],
        "t": table["t"].to_numpy().astype(object)[:, None],
    }
    A, labels = outputs(out.read_bytes(), feed)
    np.testing.assert_allclose(A, predicted["probability"].to_numpy(), atol=1e-6)
    np.testing.assert_array_equal(labels, predicted["prediction"].to_numpy())


@pytest.mark.parametrize(
    ("arguments", "error", "match"),
    [
        (([], 0.0), ValueError, "w is empty, or holds NaN or infinity"),
        (([1.0], [1.0, 2.0]), ValueError, r"b has shape \(2,\); expected one number"),
        (([1.0], np.nan), ValueError, "b is nan; expected finite numbers"),
        (([1.0, 2.0], 0.0, "ab"), TypeError, "feature_names is 'ab' of type str; expected a list"),
        (([1.0, 2.0], 0.0, 2), TypeError, "feature_names is 2 of type int; expected a list"),
        ((["one"], 0.0), TypeError, "w has dtype <U3; expected real numbers"),
        (([1j], 0.0), TypeError, "w has dtype complex128; expected real numbers"),
        ((None, 0.0), TypeError, "w has dtype object and holds None"),
        (([[1.0], [2.0, 3.0]], 0.0), ValueError, "w cannot be read .* lists of one length"),
        ((np.ma.array([1.0, 2.0], mask=[0, 1]), 0.0), ValueError, "w holds masked values"),
        (([1.0], "one"), TypeError, "b has dtype <U3; expected real numbers"),
        (([1.0], None), TypeError, "b has dtype object and holds None"),
        (([1.0], np.ma.masked), ValueError, "b holds masked values"),
        (([1.0], 0.0, [5]), TypeError, "feature_names holds 5 of type int; expected texts"),
        (([1.0], 0.0, [None]), TypeError, "feature_names holds None of type NoneType"),
        (([1.0], 0.0, ["\ud800"]), ValueError, "feature_names holds .*, which is not Unicode"),
        (
            (np.zeros((2, 3)), 0.0),
            ValueError,
            r"w has shape \(2, 3\) and b \(\); expected w .* for K classes w \(n_x, K\)",
        ),
        ((1.0, 0.0), ValueError, r"w has shape \(\)"),
        (([np.nan], 0.0), ValueError, "w is empty, or holds NaN or infinity"),
        (([1.0], np.inf), ValueError, "b is inf; expected finite numbers"),
        (([1.0], 0.0, ["a", "b"]), ValueError, "1 weights, feature_names 2 entries and"),
        (([1.0, 2.0], 0.0, ["a", "a"]), ValueError, "holds 'a' twice"),
        (([1.0], 0.0, ["prediction"]), ValueError, "named 'prediction', as an output"),
        (([1.0], 0.0, [""]), ValueError, "rename it"),
    ],
)
def test_models_that_cannot_be_exported(arguments, error, match):
    with pytest.raises(error, match=match):
        to_onnx(*arguments)


def test_categories_and_classes_that_do_not_match():
    with pytest.raises(ValueError, match="categories without feature_names"):
        to_onnx([1.0], 0.0, categories=["a"])
    for categories in (["x", "x"], ["x", None]):
        with pytest.raises(ValueError, match="holds 'a' twice"):
            to_onnx([1.0, 2.0], 0.0, ["a", "a"], categories=categories)
    for categories in ([5], [np.nan], "a"):
        with pytest.raises(TypeError, match=r"expected .*texts and None"):
            to_onnx([1.0], 0.0, ["a"], categories=categories)


@pytest.mark.parametrize(
    "classes",
    [
        [1, 2, 3],
        [1j, 2j],
        np.array(["2001", "2002"], dtype="M8[Y]"),
        [b"a", b"b"],
        np.array([b"a", b"b"]),
        [None, "a"],
        [1, "a"],
        [True, "a"],
        "ab",
        5,
        [[0, 1]],
        [[0], [1, 2]],
        {0, 1},
    ],
    ids=range(13),
)
def test_classes_of_a_type_that_onnx_does_not_have(classes):
    with pytest.raises(TypeError, match="expected two integers, floats, bools or texts"):
        to_onnx([1.0], 0.0, classes=classes)


@pytest.mark.parametrize("classes", [["a", "a"], [1, 1.0], [0.0, np.nan], [True, True]])
def test_classes_that_cannot_be_told_apart(classes):
    with pytest.raises(ValueError, match="expected 2 that differ"):
        to_onnx([1.0], 0.0, classes=classes)


def test_classes_beyond_int64_are_refused_rather_than_wrapped():
    match = "classes hold 9223372036854775808; expected integers below .* pass them as text"
    with pytest.raises(ValueError, match=match):
        to_onnx([1.0], 0.0, classes=np.array([1, 2**63], "u8"))
    for largest in np.array([1, 2**63 - 1], "u8"), np.array([1, 2**63], "u8").astype(str):
        model = to_onnx([2.0], 0.0, classes=largest)
        assert outputs(model, {"X": np.array([[1.0]])})[1].tolist() == largest[1:].tolist()


def test_without_the_extra_the_import_says_how_to_get_it():
    code = "import sys; sys.modules['onnx'] = None; import logreg_c.onnx"
    ended = subprocess.run(
        [sys.executable, "-P", "-c", code], capture_output=True, text=True, check=False
    )
    assert ended.returncode == 1
    assert ended.stderr.splitlines()[-1] == (
        "ModuleNotFoundError: logreg_c.onnx needs onnx: pip install 'logreg-c[onnx]'"
    )
