# SPDX-License-Identifier: BSD-3-Clause
"""The command line: what it prints and writes, and one line for every error."""

import json
import os
import re
import signal
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

import logreg_c
from logreg_c._cli import main

pl = pytest.importorskip("polars")

EXAMPLE = Path(__file__).parents[2] / "examples" / "breast_cancer.csv"
PYTHON = [sys.executable, "-P", "-m", "logreg_c"]


# ---- What comes out ----------------------------------------------------------------------------


def test_the_example_trains(run):
    code, out, err = run("train", EXAMPLE, "--target", "diagnosis")
    assert (code, err) == (0, "")
    assert "569: 455 to train on, 114 held out (seed 0)" in out
    assert "0 = benign (357 rows), 1 = malignant (212 rows)" in out
    assert "30, standardized" in out
    assert re.search(r"passes +\d+ \(reached --tol 1e-09\), gap \d", out)
    assert float(re.search(r"accuracy +(0\.\d+)", out)[1]) > 0.95
    assert float(re.search(r"log-loss +(0\.\d+)", out)[1]) < 0.1
    assert "worst_texture" in out
    assert not re.search(r"[^\n -~]", out)  # piped: no color, no box, no control character


def test_the_model_is_what_train_returns(run, tmp_path, frame, data):
    path = tmp_path / "model.npz"
    options = ["--solver", "gd", "--alpha", "0.0001", "--iters", "77", "--l2", "0.01"]
    options.append("--no-standardize")
    run("train", data, "--target", "sick", "--test-fraction", "0", "--output", path, *options)
    X = frame.drop("sick").cast(pl.Float64).to_numpy().T
    Y = (frame["sick"] == "yes").to_numpy().astype(np.float64)
    w, b, _ = logreg_c.train(np.ascontiguousarray(X), Y, 0.0001, 77, l2=0.01)
    with np.load(path, allow_pickle=False) as stored:
        np.testing.assert_array_equal(stored["weights"], w[:, 0])
        assert stored["bias"] == b
        columns = {"height": None, "weight": None, "smokes": None}
        assert json.loads(stored["columns"].item()) == columns
        assert stored["classes"].tolist() == ["no", "yes"]
        assert stored["target"] == "sick"
        assert stored["format"] == 4
        settings = json.loads(str(stored["settings"]))
    assert settings == {
        "inference": False,
        "solver": "gd",
        "alpha": 0.0001,
        "iters": 77,
        "tol": None,
        "l2": 0.01,
        "standardize": False,
        "one_hot": False,
        "missing": "error",
        "min_count": 1,
        "positive": None,
        "class_weight": None,
        "weight": None,
        "threshold": 0.5,
        "cv": None,
        "test_fraction": 0.0,
        "early_stopping": None,
        "validation_fraction": 0.0,
        "seed": 0,
        "group_by": None,
        "split_by_time": None,
        "rows": 40,
        "iterations": 77,
        "version": logreg_c.__version__,
    }
    assert {p.name for p in tmp_path.iterdir()} == {"data.csv", "model.npz"}


def test_csv_and_parquet_give_the_same_model(run, tmp_path, frame, data, model):
    parquet = tmp_path / "data.parquet"
    frame.write_parquet(parquet, row_group_size=7)
    run("train", parquet, "--target", "sick", "--output", tmp_path / "other.npz")
    with np.load(model) as one, np.load(tmp_path / "other.npz") as two:
        np.testing.assert_array_equal(one["weights"], two["weights"])


def test_the_seed_chooses_the_rows_held_out(run, data):
    reports = [run("train", data, "--target", "sick", "--seed", seed)[1] for seed in (1, 1, 2)]
    assert reports[0] == reports[1] != reports[2]


def test_no_rows_held_out(run, data):
    code, out, _ = run("train", data, "--target", "sick", "--test-fraction", "0")
    assert code == 0
    assert "40 to train on, 0 held out" in out
    assert "no rows" in out


def test_tol_ends_training(run, data):
    _, out, _ = run("train", data, "--target", "sick", "--solver", "gd", "--tol", "0.1")
    assert re.search(r"iterations +\d{1,3} \(reached --tol 0.1\)", out)


@pytest.mark.sampled(4)
@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (["no", "yes"], "U"),
        (["", "ünï"], "U"),
        ([False, True], "b"),
        ([-1, 1], "i"),
        ([2, 10], "i"),  # 10 sorts after 2: numbers, not text
        ([0.5, 1.5], "f"),
    ],
)
@pytest.mark.parametrize("name", ["out.csv", "out.parquet"])
def test_classes_of_any_kind_come_back(run, tmp_path, frame, values, kind, name):
    labels = [values[text == "yes"] for text in frame["sick"]]
    table = tmp_path / "labeled.parquet"
    frame.with_columns(pl.Series("sick", labels)).write_parquet(table)
    model, out = tmp_path / "model.npz", tmp_path / name
    assert run("train", table, "--target", "sick", "--output", model)[0] == 0
    with np.load(model, allow_pickle=False) as stored:
        assert stored["classes"].tolist() == values
        assert stored["classes"].dtype.kind == kind
    code, _, err = run("predict", model, table, "--output", out)
    assert code == 0
    assert err.startswith("logreg-c: 40 rows; probability is the probability of ")
    predicted = pl.read_parquet(out) if out.suffix == ".parquet" else pl.read_csv(out)
    assert predicted.columns == ["probability", "prediction"]
    if values[0] != "":  # CSV cannot distinguish it from a missing value
        right = predicted["prediction"] == pl.Series(labels)
        assert right.mean() > 0.9


def test_classes_of_categories_and_dates_are_text(run, tmp_path, frame):
    table, model = tmp_path / "t.parquet", tmp_path / "model.npz"
    day = pl.col("sick").replace_strict({"no": "2020-01-01", "yes": "2021-01-01"})
    for labels in (day.cast(pl.Categorical), day.str.to_date()):
        frame.with_columns(labels).write_parquet(table)
        assert run("train", table, "--target", "sick", "--output", model)[0] == 0
        with np.load(model, allow_pickle=False) as stored:
            assert stored["classes"].tolist() == ["2020-01-01", "2021-01-01"]


def test_predict_takes_features_by_name(run, tmp_path, frame, data, model):
    shuffled = tmp_path / "shuffled.csv"
    frame.select("smokes", "weight", pl.lit("x").alias("extra"), "height").write_csv(shuffled)
    assert run("predict", model, data)[1] == run("predict", model, shuffled)[1]


def test_predict_writes_csv_to_stdout(run, frame, data, model):
    code, out, err = run("predict", model, data)
    assert code == 0
    assert err == "logreg-c: 40 rows; probability is the probability of yes\n"
    rows = pl.read_csv(out.encode())
    with np.load(model) as stored:
        X = frame.drop("sick").cast(pl.Float64).to_numpy().T
        A = logreg_c.predict_proba(X, stored["weights"], float(stored["bias"]))
    np.testing.assert_array_equal(rows["probability"].to_numpy(), A[0])
    assert rows["prediction"].to_list() == ["yes" if p > 0.5 else "no" for p in A[0]]


def test_odd_names_do_not_reach_the_terminal(run, tmp_path, frame):
    path = tmp_path / "odd.csv"
    frame.rename({"height": "[red]\x1b[2J", "weight": "größe"}).write_csv(path)
    _, out, _ = run("train", path, "--target", "sick")
    assert "'[red]\\x1b[2J'" in out
    assert "größe" in out


@pytest.mark.parametrize(
    ("options", "match"),
    [
        (
            ["--solver", "gd", "--no-standardize", "--alpha", "100"],
            "training diverged: the cost (rose|ended)",
        ),
        (
            ["--solver", "gd", "--alpha", "1e4"],
            "training diverged: the cost .*choose --alpha below 10000, such as auto",
        ),
        (["--solver", "gd", "--tol", "1e-9"], "--tol 1e-09 was not reached in 10 iterations; give"),
        (["--solver", "gd", "--tol", "0"], "--tol 0 was not reached in 10 iterations"),
        (["--iters", "2"], "--tol 1e-09 was not reached in 2 passes; give"),
    ],
)
def test_a_training_that_did_not_converge_is_exit_code_1(run, tmp_path, data, options, match):
    out = tmp_path / "model.npz"
    start = ["train", data, "--target", "sick", "--iters", "10", "-o", out]
    code, said, err = run(*start, *options)
    assert code == 1
    assert f"model written to {out}" in said  # the model is written all the same
    assert re.fullmatch(f"logreg-c: {match}.*\n", err), err


@pytest.mark.parametrize("options", [[], ["--solver", "gd"], ["--solver", "gd", "--tol", "0.05"]])
def test_a_training_that_arrived_is_exit_code_0(run, data, options):
    code, _, err = run("train", data, "--target", "sick", *options)
    assert (code, err) == (0, "")


@pytest.mark.parametrize("n", [3, 100, 300])
@pytest.mark.long
def test_the_step_suits_the_curvature_of_the_data(run, tmp_path, n):
    """Smooth columns, on which the cost oscillates with a fixed step of 0.5."""
    rng = np.random.default_rng(0)
    walk = rng.normal(size=(200, n)).cumsum(axis=1)
    path = tmp_path / "smooth.parquet"
    y = walk.mean(axis=1) + rng.normal(size=200) > 0
    pl.DataFrame({f"x{j}": walk[:, j] for j in range(n)} | {"y": y}).write_parquet(path)
    start = ["train", path, "--target", "y", "--json", "--solver", "gd", "--iters", "200"]
    code, out, err = run(*start)
    assert (code, err) == (0, "")
    found = json.loads(out)
    assert found["cost"]["last"] < found["cost"]["first"]
    assert isinstance(found["settings"]["alpha"], float)
    again = run(*start, "--alpha", found["settings"]["alpha"])[1]
    assert json.loads(again)["weights"] == found["weights"]


# ---- What goes wrong ---------------------------------------------------------------------------


@pytest.mark.sampled(14)
@pytest.mark.parametrize(
    ("name", "content", "match"),
    [
        ("empty.csv", b"", "empty.csv is empty"),
        ("header.csv", b"a,y\n", "no rows"),
        ("ragged.csv", b"a,y\n1,0\n1,2,1\n", "row 2 has 3 values for 2 columns"),
        ("short.csv", b"a,y\n1,0\n2\n", "column 'y' has missing values.*row 2"),
        ("latin1.csv", "a,y\n1,é\n2,x\n".encode("latin-1"), "latin1.csv.* .*UTF-8"),
        ("header.csv", "é,y\n1,0\n2,1\n".encode("latin-1"), "not UTF-8"),
        ("utf16.csv", "a,y\n1,0\n2,1\n".encode("utf-16")[2:], "not UTF-8"),
        ("quote.csv", b'a,y\n1,"0\n2,1\n', "cannot be read as CSV .*not closed"),
        ("twice.csv", b"a,a,y\n1,2,0\n3,4,1\n", "2 columns named 'a'"),
        ("twice.csv", b"y,a,y\n1,2,0\n3,4,1\n", "2 columns named 'y'"),
        ("colons.csv", b"a:y\n1:0\n2:1\n", r"no column 'y'.*separated by commas"),
        ("bytes.parquet", b"PAR1 and no more", "cannot be read as Parquet"),
        ("empty.parquet", b"", "is empty"),
        ("missing.csv", b"a,y\n1,0\n,1\n,0\n", "column 'a' has missing values.*row 2"),
        ("missing.csv", b"a,y\n1,0\n2,\n3,1\n", "column 'y' has missing values.*row 2"),
        ("text.csv", b"a,y\n1,0\nx,1\n", r"feature 'a' is text \(row 2: 'x'\)"),
        ("missing.csv", b"a,y\n1,0\nNaN,1\n", "column 'a' has missing values.*row 2"),
        ("near.csv", b"a,Y\n1,0\n2,1\n", "no column 'y'; it has 'a', 'Y'"),
        ("near.csv", b"a,yy\n1,0\n2,1\n", "no column 'y'; did you mean 'yy'"),
        ("three.csv", b"a,y\n1,u\n2,v\n3,w\n", "3 different values \\('u', 'v', 'w'\\)"),
        ("one.csv", b"a,y\n1,u\n2,u\n", "'u' in every row"),
        ("only.csv", b"y\n0\n1\n", "no column except the target"),
        ("few.csv", b"a,y\n1,0\n2,1\n", "only 2 rows.*--test-fraction"),
        ("few.csv", b"a,y\n1,0\n2,1\n3,1\n", "all of one class.*--seed"),
    ],
)
def test_a_table_that_cannot_be_used(fails, tmp_path, name, content, match):
    path, out = tmp_path / name, tmp_path / "model.npz"
    path.write_bytes(content)
    options = ["--test-fraction", "0.67"] if content.count(b"\n") == 4 else []
    fails("train", path, "--target", "y", "--output", out, *options, match=match)
    assert list(tmp_path.iterdir()) == [path]


def test_a_target_with_many_values(fails, data):
    fails("train", data, "--target", "weight", match="40 different values .* and 35 more")


def test_values_that_are_not_finite(fails, tmp_path):
    path = tmp_path / "t.parquet"
    for value, match in [
        (float("nan"), "column 'a' has missing values.*row 3"),
        (float("-inf"), "column 'a' is infinite in row 3"),
    ]:
        pl.DataFrame({"a": [1.0, 2.0, value], "y": [0, 1, 0]}).write_parquet(path)
        fails("train", path, "--target", "y", match=match)


def test_columns_that_are_not_numbers(fails, tmp_path, frame):
    path = tmp_path / "t.parquet"
    for values, match in [
        (pl.lit("7"), r"'smokes' is text \(row 1: '7'\)"),
        (pl.date(2020, 1, 1), "'smokes' is a date .'2020-01-01'.; --date-parts days"),
        (pl.time(1, 2, 3), "'smokes' is of type Time"),
        (pl.concat_list("height"), "'smokes' is of type List"),
    ]:
        frame.with_columns(values.alias("smokes")).write_parquet(path)
        fails("train", path, "--target", "sick", match=match)
    fails("train", path, "--target", "smokes", match="target 'smokes' is of type List")


def test_a_truncated_parquet_file(fails, tmp_path, frame):
    path = tmp_path / "t.parquet"
    frame.write_parquet(path)
    whole = path.read_bytes()
    for size in (3, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:size])
        fails("train", path, "--target", "sick", match="t.parquet cannot be read as Parquet")


def test_a_path_that_is_not_a_file(fails, tmp_path, model, data):
    for path, match in [
        (tmp_path, "is a directory|files of one format"),
        (tmp_path / "no.csv", "does not exist"),
    ]:
        fails("train", path, "--target", "y", match=match)
        fails("predict", model, path, match=match)
    fails("predict", tmp_path / "no.npz", data, match="does not exist")


@pytest.mark.parametrize("command", ["train", "predict"])
def test_an_output_that_cannot_be_written(fails, tmp_path, data, model, command):
    start = ["train", data, "--target", "sick"] if command == "train" else ["predict", model, data]
    before = set(tmp_path.iterdir())
    fails(*start, "--output", tmp_path / "no" / "out.npz", match="cannot be written: the folder")
    fails(*start, "--output", tmp_path, match="not a file that can be replaced")
    fails(*start, "--output", os.devnull, match="not a file that can be replaced")
    assert set(tmp_path.iterdir()) == before


@pytest.mark.long
def test_an_input_of_a_command_is_not_replaced(fails, tmp_path, data, model):
    link = tmp_path / "link"
    link.symlink_to(data)
    start = ["train", data, "--target", "sick"]
    for command in (
        [*start, "-o", data],
        [*start, "-o", link],
        [*start, "--resume", data],
        [*start, "--resume", tmp_path / "new", "-o", tmp_path / "new"],
        ["predict", model, data, "-o", data],
        ["predict", model, data, "-o", model],
        ["report", model, data, "-o", model],
        ["export", model, "-o", model],
    ):
        before = data.read_bytes(), model.read_bytes(), set(tmp_path.iterdir())
        fails(*command, match="is an input of this command and would be replaced; choose another")
        assert before == (data.read_bytes(), model.read_bytes(), set(tmp_path.iterdir()))


def test_standard_output_is_for_predictions(run, fails, monkeypatch, tmp_path, data, model):
    monkeypatch.chdir(tmp_path)
    assert run("predict", model, data, "-o", "-") == run("predict", model, data)
    match = "cannot be standard output for this command; give a file name"
    fails("train", data, "--target", "sick", "-o", "-", match=match)
    fails("report", model, data, "-o", "-", match=match)
    fails("export", model, "-o", "-", match=match)
    assert not (tmp_path / "-").exists()


def test_a_message_is_never_a_page(fails, tmp_path):
    page = tmp_path / "page.csv"
    for text in ("x" * 10_000, "x,y\n" + f"{'x' * 10_000},1\n2,0\n", "y\n" + "z" * 10_000):
        page.write_text(text)
        fails("train", page, "--target", "y", match="^.{,300}$")


def test_a_failed_write_keeps_the_old_file(run, monkeypatch, tmp_path, data, model):
    before = model.read_bytes()

    def full(file, **_):
        file.write(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "savez", full)
    code, _, err = run("train", data, "--target", "sick", "--output", model)
    assert (code, err) == (2, f"logreg-c: {model} cannot be written: No space left on device\n")
    assert model.read_bytes() == before
    assert {p.name for p in tmp_path.iterdir()} == {"data.csv", "model.npz"}


@pytest.mark.long
def test_files_that_are_not_models(fails, tmp_path, data, model):
    match = "damaged, or not a model"
    fails("predict", data, data, match=match)
    bad = tmp_path / "bad.npz"
    whole = model.read_bytes()
    for content in (b"", whole[:100], whole[:-50], b"\0" * 500, whole[:200] + whole[260:]):
        bad.write_bytes(content)
        fails("predict", bad, data, match=match)
    with np.load(model) as stored:
        arrays = dict(stored)
    for change in (
        {"weights": np.zeros(2)},
        {"weights": np.array([1.0, np.nan, 1.0])},
        {"weights": np.array(["a", "b", "c"])},
        {"bias": np.zeros(3)},
        {"classes": np.zeros(3)},
        {"classes": np.array([{}, {}])},
        {"settings": np.array("not JSON")},
        {"preparation": np.array("not JSON")},
        {"columns": np.array("not JSON")},
    ):
        np.savez(bad, **(arrays | change))
        fails("predict", bad, data, match=match)
    np.savez(bad, weights=np.zeros(3))
    fails("predict", bad, data, match=match)
    np.savez(bad, **(arrays | {"format": np.array(2)}))
    fails("predict", bad, data, match="model of format 2, but this logreg-c reads format 4")


@pytest.mark.parametrize(
    "change",
    [
        {"classes": np.array([1j, 2j])},
        {"classes": np.array(["2001", "2002"], dtype="M8[Y]")},
        {"classes": np.array([b"a", b"\xff"])},
        {"classes": np.array(["a", "\ud800"])},
        pytest.param(
            {"classes": np.array([1, 2], dtype=np.longdouble)},
            marks=pytest.mark.skipif(
                np.dtype(np.longdouble).itemsize == 8, reason="a long double is a double here"
            ),
        ),
        {"classes": np.array(["a", "a"])},
        {"classes": np.array([np.nan, np.nan])},
        *(
            {"columns": np.array(text)}
            for text in (
                '{"height": null}',
                '{"height": null, "height": null, "weight": null}',
                '{"height": null, "weight": null, "sick": null}',
                '{"height": null, "weight": null, "smokes": []}',
                '{"height": null, "weight": ["a", "a"]}',
                '{"height": null, "weight": [1, 2]}',
                '{"height": null, "weight": {"a": 1, "b": 2}}',
                '{"height": null, "weight": "ab"}',
                '{"height": null, "weight": null, "\\ud800": null}',
                '["height", "weight", "smokes"]',
                "[" * 100_000,
            )
        ),
        {"columns": np.array("{}"), "weights": np.zeros(0), "deviations": np.zeros(0)},
        {"costs": np.zeros(0), "cost_iterations": np.zeros(0, int)},
        {"costs": np.full(1000, -1.0)},
        {"costs": np.full(1000, np.inf)},
        {"cost_iterations": np.arange(1000)[::-1]},
        {"cost_iterations": np.arange(-1, 999)},
        {"cost_iterations": np.arange(1000) + 2**62},
        {"settings": np.array('{"a": ' * 900 + "1" + "}" * 900)},
        {"settings": np.array('{"a": [1]}')},
        {"settings": np.array('{"a": %s}' % ("9" * 5000))},
        {"cost_iterations": np.arange(3)},
        {"settings": np.array("[1]")},
        {"target": np.array(["sick", "sick"])},
        {"weights": np.zeros((3, 1))},
        {"format": np.array(np.inf)},
    ],
    ids=str,
)
@pytest.mark.sampled(4)
def test_models_that_only_look_like_one(fails, tmp_path, data, model, change):
    with np.load(model, allow_pickle=False) as stored:
        arrays = dict(stored)
    bad = tmp_path / "bad.npz"
    np.savez(bad, **(arrays | change))
    fails("predict", bad, data, match=r"bad.npz is damaged, or not a model")


@pytest.mark.parametrize(
    "header",
    [
        b"",
        b"not numpy",
        b"\x93NUMPY\x01\x00\x10\x00{'descr': '<f8', ",
        b"\x93NUMPY\x01\x00\x4c\x00{'descr': '<f8', 'fortran_order': False, 'shape': (%d,)}"
        % 10**27,
    ],
)
def test_models_with_an_invalid_member(fails, tmp_path, data, model, header):
    bad = tmp_path / "bad.npz"
    with zipfile.ZipFile(model) as good, zipfile.ZipFile(bad, "w") as out:
        for name in good.namelist():
            out.writestr(name, header if name == "weights.npy" else good.read(name))
    fails("predict", bad, data, match=r"bad.npz is damaged, or not a model")


def test_column_names_that_polars_takes_for_patterns(run, tmp_path, frame):
    path = tmp_path / "patterns.csv"
    names = {"height": "*", "weight": "^.*$"}
    frame.rename(names).write_csv(path)
    code, out, _ = run("train", path, "--target", "sick", "--output", tmp_path / "model.npz")
    assert code == 0
    assert "^.*$" in out
    code, out, _ = run("predict", tmp_path / "model.npz", path)
    assert (code, out.count("\n")) == (0, 41)


def test_integer_classes_that_no_type_holds_stay_as_they_were(run, tmp_path, frame):
    path = tmp_path / "large.parquet"
    large = pl.when(pl.col("height") > 0).then(pl.lit(2**63 + 1)).otherwise(pl.lit(0))
    frame.with_columns(sick=large.cast(pl.Int128) - 1).write_parquet(path)
    code, out, _ = run("train", path, "--target", "sick", "--output", tmp_path / "model.npz")
    assert code == 0, out
    _, out, _ = run("predict", tmp_path / "model.npz", path)
    assert {line.split(",")[1] for line in out.splitlines()[1:]} == {str(2**63), "-1"}


def test_an_output_that_links_to_itself(fails, tmp_path, data):
    loop = tmp_path / "loop.npz"
    loop.symlink_to(loop)
    fails("train", data, "--target", "sick", "--output", loop, match="loop.npz cannot be written")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
@pytest.mark.long
def test_a_full_standard_output_is_one_line(tmp_path, model, frame):
    frame.write_csv(tmp_path / "data.csv")
    with Path("/dev/full").open("wb") as full:
        ended = subprocess.run(
            [*PYTHON, "predict", model, tmp_path / "data.csv"],
            check=False,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
        )
    assert ended.returncode == 1
    assert "standard output cannot be written: No space left" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_feature_that_predict_misses(fails, tmp_path, frame, model):
    path = tmp_path / "t.csv"
    frame.rename({"weight": "weigth"}).write_csv(path)
    fails("predict", model, path, match="no column 'weight'; did you mean 'weigth'")


@pytest.mark.parametrize(
    ("option", "value", "expected"),
    [
        ("--alpha", "0", "'0' is not auto, nor a finite number above 0"),
        ("--alpha", "nan", "'nan' is not auto, nor a finite number above 0"),
        ("--alpha", "fast", "'fast' is not auto, nor a finite number above 0"),
        ("--iters", "0", "0 is not in the range 1<=x<="),
        ("--iters", "1.5", "'1.5' is not a valid integer"),
        ("--tol", "-1", "'-1' is not a finite number, 0 or above"),
        ("--l2", "inf", "'inf' is not a finite number, 0 or above"),
        ("--test-fraction", "1", "'1' is not a number, at least 0 and below 1"),
        ("--test-fraction", "nan", "'nan' is not a number, at least 0 and below 1"),
        ("--seed", "-1", "-1 is not in the range 0<=x<="),
        ("--cv", "1", "1 is not in the range 2<=x<=1000"),
        ("--missing", "zero", "'zero' is not one of 'error', 'drop', 'mean', 'median'"),
        ("--threshold", "cost=1:0", "'cost=1:0' is not f1, youden, cost=FP:FN, nor a number"),
        ("--class-weight", "yes=0", "'yes=0' is not balanced, nor LABEL=WEIGHT"),
        ("--separator", "ab", "'ab' is not one character of ASCII, nor tab"),
        ("--encoding", "base64", "'base64' is not an encoding that Python knows"),
        ("--date-parts", "day", "'day' is not one of year, month, weekday, hour, days"),
    ],
)
def test_option_values(fails, data, option, value, expected):
    said = f"Invalid value for '{option}': {expected}"
    fails("train", data, "--target", "sick", option, value, match=re.escape(said))


def test_target_is_asked_for(run, data):
    code, _, err = run("train", data)
    assert code == 2
    assert "--target" in err


def test_divergence_is_exit_code_1(fails, tmp_path, data):
    out = tmp_path / "model.npz"
    options = ["--solver", "gd", "--alpha", "10", "--l2", "1", "--output", out]
    fails("train", data, "--target", "sick", *options, match="training diverged: ", code=1)
    assert not out.exists()
    far = tmp_path / "far.csv"
    far.write_text("a,y\n" + "1e160,0\n-1e150,1\n" * 9)
    fails(
        "train",
        far,
        "--target",
        "y",
        "--no-standardize",
        "--solver",
        "gd",
        "--alpha",
        "1",
        match="--standardize does so",
        code=1,
    )


def test_a_prediction_that_overflows_is_exit_code_1(fails, tmp_path, model):
    far = tmp_path / "far.csv"
    far.write_text("height,weight,smokes\n" + "1.7e308,1.7e308,true\n" * 2)
    fails("predict", model, far, match="overflows float64: rescale X", code=1)


def test_no_memory_is_one_line(fails, monkeypatch, data):
    def none(*_, **__):
        raise MemoryError

    monkeypatch.setattr("logreg_c._cli.training.minimize", none)
    fails(
        "train",
        data,
        "--target",
        "sick",
        match="not enough memory for training on .*data.csv;",
        code=1,
    )


def test_an_internal_error_is_not_blamed_on_a_checkpoint(run, fails, monkeypatch, data):
    def faulty(*_, **__):
        message = "of ours"
        raise ValueError(message)

    monkeypatch.setattr("logreg_c._cli.training.minimize", faulty)
    start = ["train", data, "--target", "sick"]
    line = r"internal error \(ValueError: of ours\); please report it, with .* LOGREG_C_TRACEBACK=1"
    fails(*start, match=line, code=1)
    monkeypatch.setenv("LOGREG_C_TRACEBACK", "1")
    code, _, err = run(*start)
    assert code == 1
    assert err.startswith("Traceback")


@pytest.mark.skipif(sys.platform == "win32", reason="the shell closes them")
@pytest.mark.long
def test_closed_standard_streams_give_one_line(data, model):
    for arguments, closed, match in [
        (["predict", model, data], ">&-", "standard output is closed; give --output"),
        (["predict", model, "-"], "<&-", "standard input is closed; give a file"),
    ]:
        ended = subprocess.run(
            ["/bin/sh", "-c", f'exec "$@" {closed}', "sh", *PYTHON, *arguments],
            check=False,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert (ended.returncode, ended.stderr.count("\n")) == (2, 1)
        assert match in ended.stderr


# ---- As a program ------------------------------------------------------------------------------


@pytest.mark.long
def test_ctrl_c_ends_the_progress_bar_and_writes_nothing(tmp_path, data):
    pty = pytest.importorskip("pty", reason="the progress bar is for terminals")
    command = ["train", data, "--target", "sick", "--solver", "gd", "--iters", str(10**9)]
    command += ["--output", tmp_path / "model.npz"]
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [*PYTHON, *map(str, command)],
        stdout=subprocess.PIPE,
        stderr=theirs,
        env=os.environ | {"TERM": "xterm", "COLUMNS": "80"},
    ) as process:
        os.close(theirs)
        seen = b""
        while b"/1000000000" not in seen or b"cost 0." not in seen:
            seen += os.read(ours, 4096)
        process.send_signal(signal.SIGINT)
        while b"interrupted; no file was written" not in seen:
            seen += os.read(ours, 4096)
        assert process.wait(timeout=10) == 130
        assert process.stdout.read() == b""
    os.close(ours)
    assert b"Traceback" not in seen
    assert list(tmp_path.iterdir()) == [data]


@pytest.mark.long
def test_the_progress_bar_ends_full(data):
    pty = pytest.importorskip("pty", reason="the progress bar is for terminals")
    ours, theirs = pty.openpty()
    command = [*PYTHON, "train", str(data), "--target", "sick", "--solver", "gd"]
    command += ["--iters", "7"]
    environment = os.environ | {"TERM": "xterm", "COLUMNS": "80"}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=theirs, env=environment
    ) as process:
        os.close(theirs)
        seen = b""
        while b"7/7" not in seen:
            seen += os.read(ours, 4096)
        process.communicate()
    os.close(ours)
    assert process.returncode == 0


@pytest.mark.long
def test_without_the_extra_one_line_says_how_to_get_it():
    for name in ("click", "rich", "polars"):
        code = f"import sys; sys.modules[{name!r}] = None; from logreg_c._cli import main; main()"
        ended = subprocess.run(
            [sys.executable, "-P", "-c", code, "train", "data.csv", "--target", "y"],
            capture_output=True,
            text=True,
            check=False,
        )
        assert ended.returncode == 2
        assert ended.stdout == ""
        assert ended.stderr == (f"logreg-c: this needs {name}: pip install 'logreg-c[cli]'\n")


def test_other_missing_modules_are_not_called_a_missing_extra(fails, monkeypatch):
    monkeypatch.setitem(sys.modules, "logreg_c._cli.app", None)
    fails(match=r"internal error \(ModuleNotFoundError: .*app", code=1)


def test_an_interrupt_while_modules_are_loaded_causes_no_traceback(monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("logreg_c._cli.app.run", interrupted)
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 130


def test_importing_the_package_loads_none_of_it():
    code = (
        "import logreg_c, sys;"
        "assert not {'click', 'rich', 'polars', 'logreg_c._cli'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-P", "-c", code], check=True)


@pytest.mark.long
def test_a_reader_that_exits_early_causes_no_traceback(tmp_path, model, frame):
    path = tmp_path / "long.csv"
    pl.concat([frame] * 5000).write_csv(path)
    command = [*PYTHON, "predict", str(model), str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"probability,prediction\n"
        process.stdout.close()
        err = process.stderr.read()
    assert b"Traceback" not in err
    assert b"Exception" not in err
    assert b"cannot be written" not in err
    assert process.returncode == 0  # the reader needs no more
