# SPDX-License-Identifier: BSD-3-Clause
"""Classes: the same table gives the same result, in every format and with every spelling."""

import json
from datetime import date, datetime
from decimal import Decimal

import numpy as np
import pytest

pl = pytest.importorskip("polars")

A = np.random.default_rng(3).normal(size=80)
SECOND = A + np.random.default_rng(4).normal(size=80) > 0

CLASSES = {
    "integers beyond 2^53": pl.Series([2**53, 2**53 + 1]),
    "integers of 64 bits": pl.Series([-(2**63), 2**63 - 1]),
    "unsigned integers": pl.Series([2**64 - 2, 2**64 - 1], dtype=pl.UInt64),
    "integers that no type holds both of": pl.Series([-1, 2**63], dtype=pl.Int128),
    "integers": pl.Series([2, 10]),
    "bytes": pl.Series([0, 1], dtype=pl.UInt8),
    "signs": pl.Series([-1, 1]),
    "floats": pl.Series([0.1, 0.30000000000000004]),
    "large floats": pl.Series([1e22, 2.5e300]),
    "float32": pl.Series([0.1, 0.7], dtype=pl.Float32),
    "whole floats": pl.Series([0.0, 1.0]),
    "true/false": pl.Series([False, True]),
    "text": pl.Series(["no", "yes"]),
    "text of true/false": pl.Series(["False", "True"]),
    "text of numbers": pl.Series(["01", "02"]),
    "text of floats": pl.Series(["1.0", "2.0"]),
    "padded text": pl.Series(["no ", " yes"]),
    "text like a missing value": pl.Series(["None", "some"]),
    "categories": pl.Series(["a", "b"], dtype=pl.Categorical),
    "an enum": pl.Series(["low", "high"], dtype=pl.Enum(["low", "high"])),
    "dates": pl.Series([date(2020, 1, 1), date(2021, 1, 1)]),
    "times": pl.Series([datetime(2020, 1, 1, 5), datetime(2020, 1, 1, 6)]),  # noqa: DTZ001
    "decimals": pl.Series([Decimal("0.10"), Decimal("0.20")]),
}


def write(tmp_path, classes):
    frame = pl.DataFrame({"a": A, "y": classes.gather(SECOND.astype(int))})
    paths = [tmp_path / f"t.{kind}" for kind in ("csv", "parquet", "arrow", "pandas.csv")]
    frame.write_csv(paths[0])
    frame.write_parquet(paths[1])
    frame.write_ipc(paths[2])
    frame.with_columns(pl.col("y").cast(pl.String)).to_pandas().to_csv(paths[3])
    if classes.dtype == pl.Boolean:  # as pandas spells them
        paths[3].write_text(paths[3].read_text().replace("true", "True").replace("false", "False"))
    return paths


@pytest.mark.parametrize("name", CLASSES)
@pytest.mark.long
def test_every_container_agrees_with_every_other(run, tmp_path, name):
    pytest.importorskip("pandas")
    pytest.importorskip("pyarrow")
    paths = write(tmp_path, CLASSES[name])
    model = tmp_path / "model.npz"
    found = []
    for trained in paths:
        code, _, err = run("train", trained, "--target", "y", "-o", model)
        if name == "text like a missing value" and trained.suffix == ".csv":
            assert code == 2
            assert "missing values" in err
            continue
        assert code == 0, err
        for path in paths:
            code, out, err = run("evaluate", model, path, "--json", "--all-rows")
            assert code == 0, err
            evaluated = json.loads(out)
            (tn, fp), (fn, tp) = evaluated["confusion_matrix"]
            assert (tn + fp, fn + tp) in {
                (int((~SECOND).sum()), int(SECOND.sum())),
                # text and an enum sort apart
                (int(SECOND.sum()), int((~SECOND).sum())),
            }
            found.append((evaluated["accuracy"], evaluated["roc_auc"]))
    assert len(set(found)) == 1


@pytest.mark.sampled(3)
@pytest.mark.parametrize("first", ["1", "1.0", "01", "+1", " 1 ", '"1"', "1e0", "true", "TRUE"])
def test_one_class_may_be_spelled_in_several_ways(run, tmp_path, first):
    path, model = tmp_path / "t.csv", tmp_path / "model.npz"
    path.write_text("a,y\n" + "".join(f"{a},{int(s)}\n" for a, s in zip(A, SECOND, strict=True)))
    assert run("train", path, "--target", "y", "-o", model)[0] == 0
    whole = run("evaluate", model, path, "--json", "--all-rows")[1]
    path.write_text(path.read_text().replace(",1\n", f",{first}\n", 20))
    assert run("evaluate", model, path, "--json", "--all-rows")[1] == whole


def test_a_class_close_to_another_is_a_different_class(fails, run, tmp_path):
    path, model = tmp_path / "t.csv", tmp_path / "model.npz"
    rows = [f"{a},{2**53 + int(s)}\n" for a, s in zip(A, SECOND, strict=True)]
    path.write_text("a,y\n" + "".join(rows))
    assert run("train", path, "--target", "y", "-o", model)[0] == 0
    path.write_text("a,y\n" + "".join([*rows[:30], f"1,{2**53 + 2}\n", *rows[30:]]))
    fails("evaluate", model, path, match="'9007199254740994' in row 31; the model's classes are 9")
    fails("train", path, "--target", "y", match="3 different values")


def test_text_in_a_typed_file_is_what_it_says(run, tmp_path):
    path, model = tmp_path / "t.parquet", tmp_path / "model.npz"
    labels = np.where(SECOND, "1", "01")
    pl.DataFrame({"a": A, "y": labels}).write_parquet(path)
    assert run("train", path, "--target", "y", "-o", model)[0] == 0
    with np.load(model) as stored:
        assert stored["classes"].tolist() == ["01", "1"]
    evaluated = json.loads(run("evaluate", model, path, "--json", "--all-rows")[1])
    assert sum(evaluated["confusion_matrix"][1]) == SECOND.sum()


@pytest.mark.parametrize(
    "classes", [("1", "1e400"), ("0.1", "0.10000000000000000001"), ("1", "2" * 400), ("-inf", "1")]
)
def test_classes_that_no_number_tells_apart_are_text(run, tmp_path, classes):
    path, model = tmp_path / "t.csv", tmp_path / "model.npz"
    path.write_text(
        "a,y\n" + "".join(f"{a},{classes[int(s)]}\n" for a, s in zip(A, SECOND, strict=True))
    )
    assert run("train", path, "--target", "y", "-o", model)[0] == 0
    with np.load(model) as stored:
        assert stored["classes"].tolist() == list(classes)
    evaluated = json.loads(run("evaluate", model, path, "--json", "--all-rows")[1])
    assert sum(evaluated["confusion_matrix"][1]) == SECOND.sum()


# ---- Parts of one class ------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(4))
def test_rows_held_out_that_are_all_of_one_class_are_a_warning(run, tmp_path, seed):
    path = tmp_path / "t.csv"
    path.write_text("a,y\n" + "".join(f"{a},{int(k < 2)}\n" for k, a in enumerate(A)))
    options = ["--seed", seed, "--test-fraction", "0.05", "--early-stopping", "5", "--json"]
    code, out, err = run("train", path, "--target", "y", *options)
    assert code == 0
    found = json.loads(out)["held_out"]
    one_sided = found["confusion_matrix"][1] == [0, 0]
    assert ("rows of --test-fraction are all of one class" in err) == one_sided
    assert (found["roc_auc"] is None) == (found["average_precision"] is None) == one_sided
