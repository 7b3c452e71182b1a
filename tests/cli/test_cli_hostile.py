# SPDX-License-Identifier: BSD-3-Clause
"""Tables that claim more than they hold, files that are not tables, and names that are patterns."""

import gzip
import io
import os
import re
import socket
import subprocess
import sys
import time
import zipfile
import zlib

import numpy as np
import pytest

pl = pytest.importorskip("polars")

from logreg_c._cli import main, tables  # noqa: E402 (which needs polars)
from logreg_c._cli.errors import InputError  # noqa: E402
from logreg_c._cli.tables import reading  # noqa: E402
from logreg_c._cli.tables.faults import Faults  # noqa: E402

LIMITED = """
import resource, sys
resource.setrlimit(resource.RLIMIT_AS, (3 << 30, 3 << 30))
from logreg_c._cli import main
sys.argv = ["logreg-c", *sys.argv[1:]]
main()
"""


def limited(*arguments):
    """Run a command with 3 GB of address space, of which polars reserves one or two."""
    return subprocess.run(
        [sys.executable, "-P", "-c", LIMITED, *map(str, arguments)],
        capture_output=True,
        check=False,
        text=True,
        timeout=120,
        env=os.environ | {"POLARS_MAX_THREADS": "2", "OMP_NUM_THREADS": "2"},
    )


def header(shape):
    file = io.BytesIO()
    description = {"descr": "<f8", "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(file, description)
    return file.getvalue()


def zipped(**members):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(f"{name}.npy", content)
    return file.getvalue()


def written(write, *arguments, **options):
    file = io.BytesIO()
    write(file, *arguments, **options)
    return file.getvalue()


def zeros(n):
    return pl.select(a=pl.repeat(0.0, n), y=pl.repeat(0, n))


BOMBS = {
    "category.csv": lambda: b"c,y\n" + b"x" * 10**6 + b",1\n" + b"k,0\n" * 10**5,
    "class.csv": lambda: b"a,y\n1," + b"x" * 10**6 + b"\n2,0\n",
    "name.csv": lambda: b"n" * 10**6 + b",y\n1,0\n2,1\n",
    "row.csv": lambda: b"a,y\n" + b"1" * (65 << 20),
    "quote.csv": lambda: b'a,y\n1,"' + b"1\n" * (33 << 20),
    "deflated.csv.gz": lambda: gzip.compress(b"a,y\n" + b"1,0\n2,1\n" * (20 << 20)),
    "deflated.csv.zz": lambda: zlib.compress(bytes(200 << 20)),
    "no_rows.npy": lambda: header((0, 10**6)),
    "no_rows_at_all.npy": lambda: header((0, 5 * 10**6)),
    "claims.npy": lambda: header((10**12, 3)),
    "wraps.npy": lambda: header((2**62, 4)),
    "claims.npz": lambda: zipped(X=header((10**12, 3)), y=header((10**12,))),
    "zeros.npz": lambda: written(np.savez_compressed, X=np.zeros((10**6, 30)), y=np.zeros(10**6)),
    "zeros.parquet": lambda: written(lambda f: zeros(10**8).write_parquet(f)),
    "zeros.arrow": lambda: written(lambda f: zeros(10**7).write_ipc(f, compression="zstd")),
    "zeros.arrows": lambda: written(lambda f: zeros(10**7).write_ipc_stream(f, compression="lz4")),
}


@pytest.mark.memory
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="limits addresses")
@pytest.mark.parametrize("name", BOMBS)
@pytest.mark.long
def test_a_file_that_claims_more_than_it_holds(tmp_path, name):
    path = tmp_path / name
    path.write_bytes(BOMBS[name]())
    target = "X0" if path.suffix == ".npy" else "y"
    ended = limited("train", path, "--target", target, "--one-hot")
    assert (ended.returncode, ended.stdout) == (2, ""), ended.stderr
    assert ended.stderr.startswith("logreg-c: ")
    assert ended.stderr.count("\n") == 1
    assert len(ended.stderr) < 400


@pytest.mark.memory
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="limits addresses")
@pytest.mark.parametrize("compression", ["lz4", "zstd"])
@pytest.mark.long
def test_a_compressed_buffer_of_any_declared_length(tmp_path, compression):
    path = tmp_path / "t.arrow"
    frame = pl.DataFrame({"a": np.arange(4000.0) % 7, "y": np.arange(4000) % 2})
    frame.write_ipc(path, compression=compression)
    whole = path.read_bytes()
    length = (4000 * 8).to_bytes(8, "little")
    assert length in whole
    for claimed in (1 << 47, -5, (1 << 63) - 1, 1 << 40):
        path.write_bytes(whole.replace(length, (claimed % 2**64).to_bytes(8, "little"), 1))
        ended = limited("train", path, "--target", "y")
        assert ended.returncode == 2, ended.stderr
        assert "t.arrow" in ended.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="an open file cannot be cut there")
@pytest.mark.parametrize("kind", ["csv", "parquet", "arrow", "arrows", "npy"])
@pytest.mark.long
def test_a_file_that_shrinks_does_not_kill_the_process(tmp_path, kind):
    frame = pl.DataFrame({"a": np.random.default_rng(0).normal(size=300_000)})
    frame = frame.with_columns(y=(pl.col("a") > 0).cast(pl.Int64))
    path = tmp_path / f"t.{kind}"
    {
        "csv": frame.write_csv,
        "parquet": frame.write_parquet,
        "arrow": frame.write_ipc,
        "arrows": frame.write_ipc_stream,
        "npy": lambda path: np.save(path, frame.to_numpy(structured=True)),
    }[kind](path)
    command = [sys.executable, "-P", "-m", "logreg_c", "train", path, "--target", "y"]
    with subprocess.Popen(
        [*command, "--solver", "gd", "--iters", "2"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        size = path.stat().st_size
        while process.poll() is None:
            size = max(100, size - 20_000)
            os.truncate(path, size)
        assert process.returncode in {0, 2}
        assert process.stderr.read().count(b"\n") <= 1


@pytest.mark.long
def test_nothing_maps_a_file(tmp_path, frame):
    path = tmp_path / "t.arrow"
    frame.write_ipc(path, compression="uncompressed")
    code = (
        "import sys; from pathlib import Path; from logreg_c._cli import tables\n"
        "from logreg_c._cli.tables import reading, faults\n"
        "with tables.opened(Path(sys.argv[1])) as source:\n"
        "    kept = [batch for _, _, batch in tables.batches(source, {'height': None})]\n"
        "    table = reading.read(source, reading.Choice('sick'), faults.Faults(source))\n"
        "    assert 't.arrow' not in Path('/proc/self/maps').read_text()\n"
    )
    if sys.platform.startswith("linux"):
        subprocess.run([sys.executable, "-P", "-c", code, path], check=True)


# ---- Duplicates --------------------------------------------------------------------------------


@pytest.mark.parametrize("order", [["X", "X0", "y"], ["X0", "X", "y"], ["y", "X0", "X"]])
def test_arrays_that_make_the_same_column(fails, tmp_path, order):
    path = tmp_path / "t.npz"
    arrays = {"X": np.zeros((4, 2)), "X0": np.ones(4), "y": np.array([0, 1, 0, 1])}
    np.savez(path, **{name: arrays[name] for name in order})
    fails("train", path, "--target", "y", match="'X.*' and 'X.*' both give a column 'X0'")
    fields = np.zeros(4, [("y", "f8"), ("a", "f8")])
    np.savez(path, table=fields, y=arrays["y"])
    fails("train", path, "--target", "y", match="'table' and 'y' both give a column 'y'")


def test_an_archive_with_two_arrays_of_one_name(fails, tmp_path):
    path = tmp_path / "t.npz"
    array = written(np.save, np.arange(3))
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("y.npy", array)
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("y.npy", array)
    fails("train", path, "--target", "y", match="two arrays named 'y'")


def test_columns_of_one_name_in_typed_files(fails, tmp_path):
    pa = pytest.importorskip("pyarrow")
    import pyarrow.parquet as pq

    columns = [pa.array([1.0, 2.0]), pa.array([3.0, 4.0]), pa.array([0, 1])]
    table = pa.Table.from_arrays(columns, names=["a", "a", "y"])
    pq.write_table(table, tmp_path / "t.parquet")
    fails("train", tmp_path / "t.parquet", "--target", "y", match="t.parquet.*'?a'?")
    for kind, new in ((".arrow", pa.ipc.new_file), (".arrows", pa.ipc.new_stream)):
        path = tmp_path / f"t{kind}"
        with new(path, table.schema) as file:
            file.write_table(table)
        fails("train", path, "--target", "y", match=f"t{kind} .*'?a'?")


@pytest.fixture
def run_aloud(monkeypatch, capfd):
    """Call the entry point; return its exit code, and stderr, whoever in the process writes it."""

    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["logreg-c", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        return ended.value.code, capfd.readouterr().err

    return call


@pytest.mark.parametrize("kind", ["parquet", "arrow", "arrows"])
@pytest.mark.long
def test_a_damaged_byte_is_told_of_in_a_line(run_aloud, tmp_path, frame, kind):
    good, path = io.BytesIO(), tmp_path / f"t.{kind}"
    table = frame.head(6).with_columns(pl.col("sick").cast(pl.Categorical))
    {"parquet": table.write_parquet, "arrow": table.write_ipc, "arrows": table.write_ipc_stream}[
        kind
    ](good)
    rng = np.random.default_rng(0)
    for _ in range(100):
        content = bytearray(good.getvalue())
        content[rng.integers(len(content))] = rng.choice([0, 127, 128, 255, rng.integers(256)])
        path.write_bytes(content)
        code, err = run_aloud("train", path, "--target", "sick", "--solver", "gd", "--iters", "1")
        assert code in {0, 1, 2}
        assert all(line.startswith("logreg-c: ") for line in err.splitlines()), err
        assert "internal error" not in err
        assert err or code == 0


def test_a_panic_is_not_heard_but_what_is_said_is(run_aloud, monkeypatch, tmp_path, frame, data):
    def panicking(*arguments, **options):
        os.write(2, b"thread 'one' panicked\n")
        print("said", file=sys.stderr)
        raise pl.exceptions.PanicException("cause")

    monkeypatch.setattr(pl, "scan_parquet", panicking)
    frame.write_parquet(tmp_path / "t.parquet")
    code, err = run_aloud("train", tmp_path / "t.parquet", "--target", "sick")
    assert code == 2
    assert re.fullmatch(r"said\nlogreg-c: .*t.parquet cannot be read .*cause.*\n", err)
    os.write(2, b"heard again\n")
    assert run_aloud("train", data, "--target", "sick") == (0, "heard again\n")


# ---- Names -------------------------------------------------------------------------------------


NAMES = [
    "^b$",
    "*",
    "^.*$",
    ".",
    "[",
    "b\\",
    "s3://b",
    "{b}",
    "$b",
    "b c",
    "é",
    "literal",
    "len",
    "b:c",
]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("kind", ["csv", "parquet", "arrow", "npz"])
@pytest.mark.sampled(2)
def test_a_column_of_any_name(run, tmp_path, frame, name, kind):
    path, model = tmp_path / f"t.{kind}", tmp_path / "model.npz"
    renamed = frame.rename({"weight": name}).with_columns(pl.col("sick") == "yes")
    # first, where a column is looked at as what may number the rows
    renamed = pl.DataFrame(sorted(renamed.iter_columns(), key=lambda column: column.name != name))
    if kind == "npz":
        with zipfile.ZipFile(path, "w") as archive:
            for column in renamed.iter_columns():
                archive.writestr(f"{column.name}.npy", written(np.save, column.to_numpy()))
    else:
        {"csv": renamed.write_csv, "parquet": renamed.write_parquet, "arrow": renamed.write_ipc}[
            kind
        ](path)
    assert run("train", path, "--target", "sick", "-o", model)[0] == 0
    assert run("predict", model, path)[0] == run("evaluate", model, path)[0] == 0
    renamed = renamed.rename({"sick": f"{name}!"})
    if kind == "parquet":
        renamed.write_parquet(path)
        assert run("train", path, "--target", f"{name}!", "-o", model)[0] == 0
        assert run("evaluate", model, path)[0] == 0


COLUMNS = {
    "whole numbers in order": np.arange(20.0),
    "missing numbers": [None, *range(19)],
    "two numbers": [1.0, 2.0] * 10,
    "true and false": [True, False] * 10,
    "text": ["a", "b"] * 10,
    "text with a category": pl.Series(["a", "b"] * 10, dtype=pl.Categorical),
    "missing text": [None, *["a", "b"] * 9, "c"],
    "numbers but for one": [*map(str, range(19)), "x"],
    "dates": ["2024-01-31", "1999-12-24"] * 10,
    "typed dates": pl.Series([0, 20_000] * 10).cast(pl.Date),
    "text that is too long": ["a", "b" * 2000] * 10,
}


@pytest.mark.parametrize("kind", ["csv", "parquet"])
@pytest.mark.parametrize("column", COLUMNS)
@pytest.mark.long
def test_a_name_that_is_a_pattern_is_like_any_other(run, tmp_path, column, kind):
    path, model = tmp_path / f"t.{kind}", tmp_path / "model.npz"
    ended = []
    for name in "bbb", "^b$":
        table = pl.DataFrame({name: COLUMNS[column], "x": np.arange(20) % 7, "y": [0, 0, 1, 1] * 5})
        {"csv": table.write_csv, "parquet": table.write_parquet}[kind](path)
        model.unlink(missing_ok=True)
        for arguments in (
            ["train", path, "--target", name],
            ["train", path, "--target", "y"],
            ["train", path, "--target", "y", "--missing", "drop", "--date-parts", "days"],
            [
                "train",
                path,
                "--target",
                "y",
                "--missing",
                "indicator",
                "--one-hot",
                "--min-count=2",
            ],
            ["train", path, "--target", "y", "--one-hot", "-o", model],
            ["predict", model, path],
            ["evaluate", model, path],
        ):
            code, *said = run(*arguments)
            unquoted = [text.replace("--drop '^b$'", "--drop bbb") for text in said]
            ended.append((code, *(text.replace("^b$", "bbb") for text in unquoted)))
    assert ended[:7] == ended[7:]
    assert "internal error" not in str(ended)


@pytest.mark.sampled(4)
@pytest.mark.skipif(sys.platform == "win32", reason="such names are not for Windows")
@pytest.mark.parametrize(
    "name", ["a[1].csv", "*.csv", "~.csv", "s3:b.csv", "a?b.parquet", "x=1.parquet", "é.arrow"]
)
def test_a_file_of_any_name(run, monkeypatch, tmp_path, frame, name):
    monkeypatch.chdir(tmp_path)
    {"csv": frame.write_csv, "parquet": frame.write_parquet, "arrow": frame.write_ipc}[
        name.rpartition(".")[2]
    ](tmp_path / "plain")
    (tmp_path / "plain").rename(tmp_path / name)
    assert run("train", name, "--target", "sick", "-o", "model.npz")[0] == 0
    assert run("predict", "model.npz", name)[0] == 0


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="names are bytes there")
@pytest.mark.parametrize("kind", ["csv", "parquet", "arrow", "npz"])
@pytest.mark.long
def test_a_file_whose_name_is_not_utf_8(tmp_path, frame, model, kind):
    name = os.fsencode(tmp_path) + b"/\xff\xe9." + kind.encode()
    plain = tmp_path / "plain"
    frame = frame.with_columns(pl.col("sick") == "yes")
    if kind == "npz":
        with plain.open("wb") as file:
            np.savez(file, **{c.name: c.to_numpy() for c in frame.iter_columns()})
    else:
        {"csv": frame.write_csv, "parquet": frame.write_parquet, "arrow": frame.write_ipc}[kind](
            plain
        )
    plain.rename(os.fsdecode(name))
    for arguments in (["train", name, "--target", "sick"], ["predict", model, name]):
        ended = subprocess.run(
            [sys.executable, "-P", "-m", "logreg_c", *arguments], capture_output=True, check=False
        )
        assert ended.returncode == 0, ended.stderr
        assert b"Traceback" not in ended.stderr


@pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="sockets are files on Unix")
def test_paths_that_are_not_files(fails, monkeypatch, tmp_path, model):
    monkeypatch.chdir(tmp_path)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("socket")
        for path, match in [
            ("socket", "is a device or a socket; give a file"),
            ("/dev/zero", "is a device or a socket; give a file"),
            ("https://example.com/t.csv", "is a URL; download the file"),
            ("s3://bucket/t.parquet", "is a URL; download the file"),
            (".", "is a directory|files of one format"),
            ("~/t.csv", "does not exist"),
            ("x" * 5000, "cannot be read: File name too long"),
        ]:
            if path == "/dev/zero" and not os.path.exists(path):  # noqa: PTH110
                continue
            fails("train", path, "--target", "y", match=match)
            fails("predict", model, path, match=match)


@pytest.mark.parametrize(
    ("content", "match"),
    [
        (b"\xd0\xcf\x11\xe0" + bytes(600), "an Excel workbook"),
        (b"SQLite format 3\0" + bytes(600), "a SQLite database"),
        (b"<!DOCTYPE html><table><tr><td>1</td></tr></table>", "an HTML page"),
        (b'[{"a": 1, "y": 0}, {"a": 2, "y": 1}]', "JSON"),
        (b'{"a": 1, "y": 0}\n{"a": 2, "y": 1}\n', "JSON"),
        (b"<stata_dta><header>", "a Stata file"),
        (b"$FL2@(#) SPSS DATA FILE", "an SPSS file"),
        (b"7z\xbc\xaf\x27\x1c" + bytes(60), "a 7z archive"),
        (b"", "is empty"),
        (b"\x89HDF\r\n\x1a\n" + bytes(600), "an HDF5 file"),
        (b"BZh91AY&SY" + bytes(600), "compressed by bzip2"),
        (zipped(**{"xl/workbook": b"<xml/>"}).replace(b".npy", b".xml"), "if it is a workbook"),
        (zipped(y=b"not an array"), "cannot be read as NPZ"),
    ],
)
def test_files_of_other_programs(fails, tmp_path, content, match):
    for name in ("t.xlsx", "t.csv", "t.npz"):
        path = tmp_path / name
        path.write_bytes(content)
        fails("train", path, "--target", "y", match=match)


@pytest.mark.long
def test_twenty_thousand_columns(run, tmp_path):
    X = np.random.default_rng(0).normal(size=(12, 20_000)).round(3)
    path, model = tmp_path / "t.csv", tmp_path / "model.npz"
    names = [f"c{j}" for j in range(20_000)]
    lines = [",".join(map(str, row)) + f",{k % 2}" for k, row in enumerate(X.tolist())]
    path.write_text("\n".join([",".join(names) + ",y", *lines]))
    assert (
        run("train", path, "--target", "y", "--solver", "gd", "--iters", "20", "-o", model)[0] == 0
    )
    code, out, _ = run("predict", model, path)
    assert (code, out.count("\n")) == (0, 13)
    path.write_text(path.read_text().replace("c19999,", "C19999,"))
    assert "did you mean" in run("predict", model, path)[2]


@pytest.mark.parametrize("kind", ["csv", "parquet", "arrow", "arrows", "npy", "npz"])
@pytest.mark.sampled(1)
def test_a_damaged_file_is_a_message_or_a_table(tmp_path, kind):
    rng = np.random.default_rng(5)
    frame = pl.DataFrame({"a": rng.normal(size=50), "y": np.arange(50) % 2})
    path = tmp_path / f"t.{kind}"
    {
        "csv": frame.write_csv,
        "parquet": frame.write_parquet,
        "arrow": lambda path: frame.write_ipc(path, compression="lz4"),
        "arrows": lambda path: frame.write_ipc_stream(path, compression="zstd"),
        "npy": lambda path: np.save(path, frame.to_numpy(structured=True)),
        "npz": lambda path: np.savez_compressed(path, a=frame["a"], y=frame["y"]),
    }[kind](path)
    whole = np.fromfile(path, np.uint8)
    refused = 0
    for _ in range(150):
        damaged = whole.copy()
        at = rng.integers(0, len(whole), rng.integers(1, 9))
        damaged[at] = rng.choice([0, 127, 128, 255], len(at))
        damaged[: rng.integers(len(whole) // 2, 2 * len(whole))].tofile(path)
        with tables.opened(path) as source:
            try:
                reading.read(source, reading.Choice("y"), Faults(source))
                assert sum(batch.height for _, _, batch in tables.batches(source, {"a": None})) > 0
            except InputError:
                refused += 1
    assert refused > 0


@pytest.mark.parametrize("line", [b"\n", b"\r\n", b" \t\n", b",,\n", b"1,2,0,,\n2,3,1,,\n"])
@pytest.mark.sampled(1)
def test_rows_of_any_form_take_time_in_proportion(run, tmp_path, line):
    path = tmp_path / "t.csv.gz"
    path.write_bytes(gzip.compress(b"a,b,y\n" + line * 300_000))
    began = time.process_time()
    code, _, err = run("train", path, "--target", "y", "--solver", "gd", "--iters", "1")
    assert code == 0 or "has no rows of data" in err
    assert time.process_time() - began < 10  # seconds; 2 on an idle machine


@pytest.mark.parametrize("more", [b"\x50\x2a\x4d\x18\x04\0\0\0skip", b"\0" * 8])
def test_zstandard_may_be_followed_by_frames_to_skip_or_refused_bytes(run, tmp_path, more):
    pa = pytest.importorskip("pyarrow")
    text = b"a,y\n" + b"1,0\n2,1\n" * 20
    path = tmp_path / "t.csv.zst"
    path.write_bytes(pa.Codec("zstd").compress(text, asbytes=True) + more)
    code, _, err = run("train", path, "--target", "y", "--solver", "gd", "--iters", "1")
    assert (code, err) == (0, "") or (code == 2 and "cannot be decompressed" in err)


def test_a_long_row_and_a_matrix_of_many_columns_are_refused(fails, tmp_path, monkeypatch):
    monkeypatch.setattr("logreg_c._cli.tables.delimited.LONGEST_ROW", 1 << 21)
    monkeypatch.setattr("logreg_c._cli.tables.delimited.CHUNK", 1 << 20)
    (tmp_path / "t.csv").write_bytes(b"a,y\n1,0\n" + b"1" * (1 << 23) + b",1\n")
    fails("train", tmp_path / "t.csv", "--target", "y", match="a row of more than 2 MB")
    np.save(tmp_path / "t.npy", np.zeros((1, 100_001), np.int8))
    fails("train", tmp_path / "t.npy", "--target", "y", match="100001 columns; .*transposed")


@pytest.mark.long
def test_a_file_that_shrinks_is_refused(fails, tmp_path, monkeypatch):
    path = tmp_path / "t.csv"
    path.write_bytes(b"a,y\n" + b"1,0\n2,1\n" * 2_000_000)
    read = tables.delimited._read

    def shrinking(file):
        for block in read(file):
            os.truncate(path, 1 << 23)
            yield block

    monkeypatch.setattr("logreg_c._cli.tables.delimited._read", shrinking)
    fails("train", path, "--target", "y", match="became shorter while it was read")


def test_numbers_wider_than_float64_are_read(run, tmp_path):
    X, found = np.arange(20.0), []
    for dtype in np.float64, np.longdouble:
        np.savez(tmp_path / "t.npz", x=X.astype(dtype), y=X > 9)
        found.append(
            run("train", tmp_path / "t.npz", "--target", "y", "--solver", "gd", "--iters", "5")
        )
    assert found[0] == found[1]
    assert found[0][0] == 0
