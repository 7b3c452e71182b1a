# SPDX-License-Identifier: BSD-3-Clause
"""Every kind of file, standard input, text columns, and files larger than memory."""

import io
import json
import os
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

pl = pytest.importorskip("polars")

PYTHON = [sys.executable, "-P", "-m", "logreg_c"]


def weights(path):
    with np.load(path) as stored:
        return stored["weights"], stored["bias"]


def write(frame, path):
    match path.suffix:
        case ".csv":
            frame.write_csv(path)
        case ".parquet":
            frame.write_parquet(path)
        case ".arrow":
            frame.write_ipc(path)
        case ".arrows":
            frame.write_ipc_stream(path)
        case ".npz":
            np.savez(path, **{name: frame[name].to_numpy() for name in frame.columns})
        case ".npy":
            np.save(path, frame.to_numpy(structured=True))
    return path


KINDS = [".csv", ".parquet", ".arrow", ".arrows", ".npz", ".npy"]


@pytest.fixture
def plain(frame):
    """The table with text that NumPy can store without a pickle."""
    return frame.with_columns(sick=(pl.col("sick") == "yes").cast(pl.Int64))


@pytest.mark.sampled(2)
@pytest.mark.parametrize("suffix", KINDS)
def test_every_kind_of_file_gives_the_same_model_and_predictions(run, tmp_path, plain, suffix):
    results = []
    for path in (write(plain, tmp_path / "a.csv"), write(plain, tmp_path / f"b{suffix}")):
        model = tmp_path / "model.npz"
        code, _, err = run("train", path, "--target", "sick", "--output", model)
        assert (code, err) == (0, "")
        results.append((*weights(model), run("predict", model, path)[1]))
    np.testing.assert_array_equal(results[0][0], results[1][0])
    assert results[0][1:] == results[1][1:]


@pytest.mark.parametrize("suffix", KINDS)
@pytest.mark.long
def test_standard_input_is_a_file_of_any_kind(tmp_path, plain, model, suffix, run):
    path = write(plain, tmp_path / f"b{suffix}")
    with path.open("rb") as stdin:
        ended = subprocess.run(
            [*PYTHON, "predict", model, "-"],
            stdin=stdin,
            capture_output=True,
            check=True,
            text=True,
        )
    assert ended.stdout == run("predict", model, path)[1]


@pytest.mark.long
def test_problems_with_standard_input_are_reported(tmp_path, model):
    for content, match in [("", "standard input is empty"), ("a,b\n1,2\n", "no column 'height'")]:
        ended = subprocess.run(
            [*PYTHON, "predict", model, "-"],
            input=content,
            capture_output=True,
            check=False,
            text=True,
        )
        assert (ended.returncode, ended.stdout, ended.stderr.count("\n")) == (2, "", 1)
        assert match in ended.stderr


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="named pipes are a Unix thing")
def test_a_pipe_is_read_like_a_file(run, tmp_path, frame, data, model):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    feed = threading.Thread(target=lambda: pipe.write_bytes(data.read_bytes()))
    feed.start()
    code, out, _ = run("predict", model, pipe)
    feed.join()
    assert (code, out) == (0, run("predict", model, data)[1])


def test_a_matrix_has_columns_by_number(run, tmp_path):
    rng = np.random.default_rng(2)
    X = rng.normal(size=(60, 3)).astype(np.float32)
    y = X[:, 0] > 0
    np.savez_compressed(tmp_path / "both.npz", X=X, y=y)
    np.save(tmp_path / "X.npy", X)
    model = tmp_path / "model.npz"
    assert run("train", tmp_path / "both.npz", "--target", "y", "-o", model)[0] == 0
    with np.load(model) as stored:
        assert json.loads(stored["columns"].item()) == dict.fromkeys(["X0", "X1", "X2"])
    code, out, _ = run("predict", model, tmp_path / "X.npy")
    assert code == 0
    assert (pl.read_csv(out.encode())["prediction"].to_numpy() == y).mean() > 0.9


@pytest.mark.parametrize(
    ("arrays", "match"),
    [
        ({"X": np.zeros((3, 2)), "y": np.zeros(4)}, "'X1' has 3 rows and 'y' has 4"),
        ({"X": np.zeros((3, 2, 2)), "y": np.zeros(3)}, r"'X' has shape \(3, 2, 2\)"),
        ({"X": np.zeros(3, complex), "y": np.zeros(3)}, "'X' has shape .* complex128"),
        ({"X": np.zeros((0, 2)), "y": np.zeros(0)}, "no rows of data"),
        ({"X": np.array([{}, {}, {}]), "y": np.zeros(3)}, "cannot be read as NPZ .*pickle"),
    ],
    ids=["lengths", "dimensions", "complex", "empty", "pickle"],
)
def test_arrays_that_are_not_a_table(fails, tmp_path, arrays, match):
    path = tmp_path / "data.npz"
    np.savez(path, **arrays)
    fails("train", path, "--target", "y", match=match)


def test_text_that_ends_in_nul_is_named(fails, tmp_path):
    """NumPy, which stores the model, would drop the NUL."""
    path = tmp_path / "t.parquet"
    for columns, match in [
        ({"a\0": [1.0, 2.0], "y": [0, 1]}, "a column name that ends in NUL"),
        ({"a": [1.0, 2.0], "y": ["no", "yes\0"]}, "'y' has a value that ends in NUL"),
    ]:
        pl.DataFrame(columns).write_parquet(path)
        fails("train", path, "--target", "y", match=match)


def test_types_unknown_to_the_kernel_are_accepted(run, tmp_path):
    path, rows = tmp_path / "t.parquet", {"a": [1, 5, 2, 7] * 9, "y": [0, 1, 0, 1] * 9}
    pl.DataFrame(rows).write_parquet(path)
    out = run("train", path, "--target", "y")[1]
    pl.DataFrame(rows, schema_overrides={"a": pl.UInt64}).write_parquet(path)
    assert run("train", path, "--target", "y") == (0, out, "")


def test_an_array_larger_than_memory_is_one_line(fails, monkeypatch, tmp_path):
    def none(*_, **__):
        raise MemoryError

    np.save(tmp_path / "X.npy", np.zeros((2, 2)))
    monkeypatch.setattr(np, "load", none)
    fails(
        *("train", tmp_path / "X.npy", "--target", "X1"),
        match="not enough memory for training on .*X.npy",
        code=1,
    )


def test_a_wrong_suffix_does_not_matter(run, tmp_path, frame, data, model):
    disguised = tmp_path / "data.txt"
    frame.write_parquet(disguised)
    assert run("predict", model, disguised)[1] == run("predict", model, data)[1]


@pytest.mark.sampled(3)
@pytest.mark.parametrize("suffix", [".parquet", ".arrow", ".npy", ".npz", ".arrows"])
def test_a_truncated_file(fails, tmp_path, plain, model, suffix):
    path = write(plain, tmp_path / f"t{suffix}")
    whole = path.read_bytes()
    for size in (len(whole) // 3, len(whole) // 2):
        path.write_bytes(whole[:size])
        fails("predict", model, path, match=r"t\.\w+ cannot be read")
        fails("train", path, "--target", "sick", match=r"t\.\w+ cannot be read")


@pytest.mark.parametrize("kind", [".csv", ".parquet", ".arrow"])
def test_a_file_without_rows(fails, tmp_path, frame, model, kind):
    path = write(frame.clear(), tmp_path / f"t{kind}")
    fails("train", path, "--target", "sick", match="no rows of data")
    fails("predict", model, path, match="no rows of data")
    fails("evaluate", model, path, match="no rows of data")


# ---- Text columns ------------------------------------------------------------------------------


@pytest.fixture
def colored(frame):
    colors = np.array(["red", "green", "", 'ünï, "x"'])[np.arange(40) % 4]
    return frame.with_columns(color=pl.Series(colors))


@pytest.mark.parametrize("dtype", [pl.String, pl.Categorical])
def test_one_hot_makes_a_feature_of_each_value(run, tmp_path, colored, dtype):
    path, model = tmp_path / "c.parquet", tmp_path / "model.npz"
    table = colored.with_columns(pl.col("color").cast(dtype))
    table.write_parquet(path)
    options = ["--test-fraction", "0", "--solver", "gd", "--iters", "50", "--output", model]
    assert run("train", path, "--target", "sick", "--one-hot", *options)[0] == 0
    known = sorted(set(colored["color"]))
    with np.load(model) as stored:
        numeric = dict.fromkeys(["height", "weight", "smokes"])
        assert json.loads(stored["columns"].item()) == numeric | {"color": known}
        found = stored["weights"]
    by_hand = tmp_path / "by_hand.parquet"
    table.select(
        "height",
        "weight",
        "smokes",
        *[(pl.col("color").cast(pl.String) == c).cast(pl.Float64).alias(f"c{c}") for c in known],
        "sick",
    ).write_parquet(by_hand)
    assert run("train", by_hand, "--target", "sick", *options)[0] == 0
    np.testing.assert_array_equal(weights(model)[0], found)


def test_one_hot_reads_csv_as_it_was_trained(run, tmp_path, colored):
    # a column that looks like numbers in one file and like text in the other
    codes = colored.with_columns(color=pl.Series(["01", "2", "x", "01"] * 10))
    train, apply, model = tmp_path / "a.csv", tmp_path / "b.csv", tmp_path / "model.npz"
    codes.write_csv(train)
    codes.filter(pl.col("color") != "x").write_csv(apply)
    assert run("train", train, "--target", "sick", "--one-hot", "-o", model)[0] == 0
    _, out, err = run("predict", model, apply)
    assert err == "logreg-c: 30 rows; probability is the probability of yes\n"
    whole = pl.read_csv(run("predict", model, train)[1].encode())
    assert pl.read_csv(out.encode()).equals(whole.filter(codes["color"] != "x"))


def test_a_value_that_did_not_occur_in_training_is_a_warning(run, tmp_path, colored):
    path, model = tmp_path / "c.parquet", tmp_path / "model.npz"
    colored.filter(pl.col("color") != "red").write_parquet(path)
    assert run("train", path, "--target", "sick", "--one-hot", "-o", model)[0] == 0
    colored.write_parquet(path)
    code, out, err = run("predict", model, path)
    assert code == 0
    assert out.count("\n") == 41
    first, second = err.splitlines()
    assert "warning: column 'color' has values in 10 of 40 rows" in first
    assert "first 'red'" in first
    assert "40 rows" in second


def test_text_without_one_hot_names_the_option(fails, tmp_path, colored):
    path = tmp_path / "c.parquet"
    colored.write_parquet(path)
    fails("train", path, "--target", "sick", match="'color' is text .*--one-hot")


def test_text_columns_that_cannot_be_encoded(fails, tmp_path, frame):
    path = tmp_path / "c.parquet"
    many = pl.concat([frame] * 40).with_row_index("id").with_columns(pl.col("id").cast(pl.String))
    many.write_parquet(path)
    options = ["--target", "sick", "--one-hot"]
    fails("train", path, *options, match="'id' has 1600 different values, one per row")
    frame.with_columns(t=pl.Series(["a", None] * 20)).write_parquet(path)
    fails("train", path, *options, match="'t' has missing values, first in row 2")
    frame.with_columns(t=pl.Series(["a", "b\0"] * 20)).write_parquet(path)
    fails("train", path, *options, match="'t' has a value that ends in NUL")


# ---- Streams -----------------------------------------------------------------------------------


@pytest.fixture
def long(frame):
    return pl.concat([frame] * 5000)  # 200,000 rows: four batches


def test_a_fault_far_into_the_file_names_its_row(fails, tmp_path, long, model):
    path = tmp_path / "t.parquet"
    for value, match in [(None, "'weight' has missing values, first"), (np.inf, "is infinite")]:
        row = pl.int_range(pl.len()) == 150_000
        long.with_columns(
            weight=pl.when(row).then(pl.lit(value, pl.Float64)).otherwise("weight")
        ).write_parquet(path)
        out = tmp_path / "out.parquet"
        fails("predict", model, path, "-o", out, match=f"{match} in row 150001")
        assert not out.exists()
    long.with_columns(sick=pl.when(row).then(pl.lit("maybe")).otherwise("sick")).write_parquet(path)
    fails("evaluate", model, path, match="'maybe' in row 150001; the model's classes are 'no' and")


@pytest.mark.parametrize(
    ("tail", "match"),
    [
        ("oops,1,true,no\n", r"'height' is text \(row 200001: 'oops'\)"),
        ("1,1,true,no,5,6\n", "CSV .row 200001 has 6 values for 4 columns"),
        ("1,\xff,true,no\n", "CSV .not UTF-8 text, as in row 200001"),
    ],
)
@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".arrow"])
@pytest.mark.long
def test_a_fault_at_the_end_of_a_long_csv_leaves_no_output(
    fails, tmp_path, long, model, tail, match, suffix
):
    path, out = tmp_path / "t.csv", tmp_path / f"out{suffix}"
    long.write_csv(path)
    with path.open("ab") as file:
        file.write(tail.encode("latin-1"))
    before = set(tmp_path.iterdir())
    fails("predict", model, path, "-o", out, match=match)
    assert set(tmp_path.iterdir()) == before


@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".arrow"])
@pytest.mark.long
def test_batches_are_written_in_order(run, tmp_path, long, model, suffix):
    path, out = write(long, tmp_path / f"t{suffix}"), tmp_path / f"out{suffix}"
    code, _, err = run("predict", model, path, "-o", out)
    assert code == 0
    assert "200000 rows" in err
    read = {".csv": pl.read_csv, ".parquet": pl.read_parquet, ".arrow": pl.read_ipc}[suffix]
    once = pl.read_csv(run("predict", model, write(long.head(40), tmp_path / "s.csv"))[1].encode())
    assert read(out).equals(pl.concat([once] * 5000))


MEASURE = """
import sys
from logreg_c._cli import main
sys.argv = ["logreg-c", *sys.argv[1:]]
try:
    main()
except SystemExit as ended:
    assert not ended.code, ended.code
with open("/proc/self/status") as status:
    print(*[line.split()[1] for line in status if line.startswith("VmHWM")], file=sys.stderr)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
@pytest.mark.parametrize(("suffix", "sizes"), [(".csv", (15, 30)), (".parquet", (5, 15))])
@pytest.mark.memory
@pytest.mark.long
def test_predict_takes_no_more_memory_for_a_longer_file(tmp_path, run, suffix, sizes):
    rng = np.random.default_rng(3)
    part = pl.DataFrame({f"f{j}": rng.normal(size=100_000).round(3) for j in range(20)})
    part = part.with_columns(y=pl.col("f0") > 0)
    model = tmp_path / "model.npz"
    train = write(part.head(1000), tmp_path / "train.parquet")
    assert (
        run("train", train, "--target", "y", "--solver", "gd", "--iters", "5", "-o", model)[0] == 0
    )
    peaks = []
    for times in sizes:
        lazy, path = pl.concat([part.lazy()] * times), tmp_path / f"{times}{suffix}"
        lazy.sink_csv(path) if suffix == ".csv" else lazy.sink_parquet(path)
        ended = subprocess.run(
            [
                sys.executable,
                "-P",
                "-c",
                MEASURE,
                "predict",
                model,
                path,
                "-o",
                tmp_path / f"out{suffix}",
            ],
            env=os.environ | {"POLARS_MAX_THREADS": "1"},
            capture_output=True,
            check=True,
            text=True,
        )
        said, peak = ended.stderr.splitlines()
        assert f"{times * 100_000} rows" in said
        peaks.append(int(peak) * 1024)
    # a million rows more, or 1.5 million, are 168 or 252 MB; polars buffers up to 400 MB of text
    assert peaks[1] - peaks[0] < 120e6, peaks


# ---- Full disks --------------------------------------------------------------------------------


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 256 KB, if this user may create one."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(place)]
    try:
        made = subprocess.run(mount, capture_output=True, check=False)
    except OSError:
        pytest.skip("no mount")
    if made.returncode:
        pytest.skip("may not mount a small disk here")
    yield place
    subprocess.run(["umount", str(place)], check=True)  # noqa: S607


@pytest.mark.sampled(1)
@pytest.mark.parametrize("name", ["out.csv", "out.parquet", "out.arrow"])
def test_a_full_disk_leaves_the_old_file(fails, tmp_path, small_disk, long, model, name):
    values = np.random.default_rng(4).normal(size=len(long))
    path = write(long.with_columns(height=pl.Series(values)), tmp_path / "long.parquet")
    out = small_disk / name
    out.write_bytes(b"old")
    fails("predict", model, path, "-o", out, match=f"{name} cannot be written: .*No space left")
    assert out.read_bytes() == b"old"
    assert list(small_disk.iterdir()) == [out]


@pytest.mark.long
def test_a_full_disk_for_models_reports_and_copies(
    run, fails, tmp_path, small_disk, data, model, monkeypatch
):
    pytest.importorskip("onnx")
    (small_disk / "filler").write_bytes(bytes(250_000))
    before = set(small_disk.iterdir())
    for command in (
        ["train", data, "--target", "sick", "--output", small_disk / "m.npz"],
        ["report", model, data, "--output", small_disk / "r.html"],
        ["export", model, "--output", small_disk / "m.onnx"],
    ):
        (small_disk / "filler").write_bytes(bytes(256 * 1024))
        fails(*command, match="cannot be written: No space left")
        assert set(small_disk.iterdir()) == before
    monkeypatch.setattr("tempfile.tempdir", str(small_disk))
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(bytes(10**6))))
    fails("predict", model, "-", match="standard input cannot be .*No space left")
    assert set(small_disk.iterdir()) == before


@pytest.mark.parametrize("rows", [12, 256, 257, 300])
@pytest.mark.long
def test_a_table_of_few_rows_gives_what_its_columns_give(run, tmp_path, monkeypatch, rows):
    rng = np.random.default_rng(rows)
    X = rng.normal(size=(rows, 30))
    table = pl.DataFrame({f"x{j}": X[:, j] for j in range(30)} | {"y": X[:, 0] > 0})
    path, model = write(table, tmp_path / "t.parquet"), tmp_path / "model.npz"
    found = []
    for few in (256, 0):
        monkeypatch.setattr("logreg_c._cli.tables.columns.FEW_ROWS", few)
        for share in ("0", "0.3"):
            options = (
                "--solver",
                "gd",
                "--iters",
                "20",
                "--test-fraction",
                share,
                "--json",
                "-o",
                model,
            )
            found.append(run("train", path, "--target", "y", *options))
            found.append(run("predict", model, path))
            found.append(run("evaluate", model, path))
    assert all(code == 0 for code, _, _ in found)
    assert found[:6] == found[6:]


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
@pytest.mark.long
def test_many_columns_take_no_longer_than_their_values(run, tmp_path, suffix):
    n = 20_000
    rng = np.random.default_rng(0)
    X = rng.normal(size=(12, n)).round(3)
    table = pl.DataFrame({f"c{j}": X[:, j] for j in range(n)} | {"y": ["a", "b"] * 6})
    path, model = write(table, tmp_path / f"wide{suffix}"), tmp_path / "model.npz"
    began = time.process_time()
    assert (
        run("train", path, "--target", "y", "--solver", "gd", "--iters", "10", "-o", model)[0] == 0
    )
    assert run("predict", model, path)[0] == 0
    assert run("evaluate", model, path)[0] == 0
    assert run("inspect", model)[1].endswith("(the 1000 largest of 20000; --json prints all)\n")
    assert time.process_time() - began < 8  # seconds; 2 on an idle machine


@pytest.mark.long
def test_inspect_prints_all_weights_of_most_models(run, tmp_path):
    X = np.random.default_rng(0).normal(size=(20, 1001))
    for n in (1000, 1001):
        np.savez(tmp_path / "t.npz", X=X[:, :n], y=X[:, 0] > 0)
        model = tmp_path / "model.npz"
        assert (
            run(
                "train",
                tmp_path / "t.npz",
                "--target",
                "y",
                "--solver",
                "gd",
                "--iters",
                "2",
                "-o",
                model,
            )[0]
            == 0
        )
        out = run("inspect", model)[1]
        assert sum(line.startswith("X") for line in out.splitlines()) == 1000
        assert ("--json prints all" in out) == (n > 1000)
        assert len(json.loads(run("inspect", model, "--json")[1])["weights"]) == n
