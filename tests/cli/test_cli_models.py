# SPDX-License-Identifier: BSD-3-Clause
"""An untrusted model file runs no code, takes no memory, and is refused in one line."""

import errno
import io
import os
import pickle
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest


class Attack:
    """Writes a file when it is unpickled."""

    def __init__(self, place):
        self.place = place

    def __reduce__(self):
        return os.mkdir, (str(self.place),)


def npy(descr, shape):
    """Return the header of an .npy file without data."""
    text = f"{{'descr': {descr!r}, 'fortran_order': False, 'shape': {shape}, }}\n".encode()
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text


def replaced(model, path, name, content, **options):
    with zipfile.ZipFile(model) as good, zipfile.ZipFile(path, "w", **options) as out:
        for member in good.namelist():
            out.writestr(member, content if member == f"{name}.npy" else good.read(member))


MEMBERS = ["format", "weights", "bias", "columns", "classes", "settings", "costs"]


@pytest.mark.sampled(4)
@pytest.mark.parametrize("name", MEMBERS)
def test_a_pickle_in_a_model_is_not_opened(fails, tmp_path, data, model, name):
    bad, place = tmp_path / "bad.npz", tmp_path / "attacked"
    attack = pickle.dumps(np.array([Attack(place)], dtype=object))
    as_array = io.BytesIO()
    np.lib.format.write_array(as_array, np.array([Attack(place)], dtype=object))
    for content in (attack, as_array.getvalue()):
        replaced(model, bad, name, content)
        for command in (["predict", bad, data], ["inspect", bad], ["evaluate", bad, data]):
            fails(*command, match="damaged, or not a model")
        assert not place.exists()
    bad.write_bytes(attack)
    fails("predict", bad, data, match="damaged, or not a model")
    assert not place.exists()


@pytest.mark.parametrize("classes", ["no", ["no"], [["no", "yes"]], ["no", "yes", "no"]], ids=str)
def test_classes_are_two_values_in_a_row(fails, tmp_path, data, model, classes):
    bad, content = tmp_path / "bad.npz", io.BytesIO()
    np.save(content, np.array(classes))
    replaced(model, bad, "classes", content.getvalue())
    for command in (["predict", bad, data], ["inspect", bad], ["evaluate", bad, data]):
        fails(*command, match="damaged, or not a model")


MEASURE = """
import sys
from logreg_c._cli import main
sys.argv = ["logreg-c", "inspect", sys.argv[1]]
try:
    main()
except SystemExit as ended:
    assert ended.code == 2, ended.code
with open("/proc/self/status") as status:
    print(*[line.split()[1] for line in status if line.startswith("VmHWM")])
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
@pytest.mark.parametrize(
    "content",
    [
        npy("<f8", (10**9,)),
        npy("<f8", (10**12,)),
        npy("<f8", (2**62, 2**62)),
        npy("<U1000000000", (3,)),
        npy("|V" + "9" * 5000, (1,)),
        b"\x93NUMPY\x02\x00\xff\xff\xff\x7f" + b"(" * 10**6,
        npy("<f8", (0,) * 5000),
    ],
    ids=["8 GB", "8 TB", "overflow", "long text", "long type", "long header", "dimensions"],
)
@pytest.mark.memory
@pytest.mark.long
def test_a_size_in_a_header_is_not_believed(tmp_path, model, content):
    bad = tmp_path / "bad.npz"
    replaced(model, bad, "weights", content)
    ended = subprocess.run(
        [sys.executable, "-P", "-c", MEASURE, bad], capture_output=True, text=True, check=True
    )
    assert "damaged, or not a model" in ended.stderr
    assert ended.stderr.count("\n") == 1
    assert int(ended.stdout) < 300_000  # KB


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
@pytest.mark.long
def test_a_zip_bomb_is_not_unpacked(tmp_path, model):
    bad = tmp_path / "bad.npz"
    bomb = npy("<f8", (60_000_000,)) + bytes(480_000_000)
    replaced(model, bad, "weights", bomb, compression=zipfile.ZIP_DEFLATED)
    assert bad.stat().st_size < 10**6
    ended = subprocess.run(
        [sys.executable, "-P", "-c", MEASURE, bad], capture_output=True, text=True, check=True
    )
    assert "damaged, or not a model" in ended.stderr
    assert int(ended.stdout) < 300_000  # KB


def test_a_model_path_that_is_not_a_file(fails, tmp_path, data):
    fails("predict", tmp_path, data, match="is not a file")
    if Path("/dev/zero").exists():
        fails("inspect", "/dev/zero", match="is not a file")
    if Path("/proc/self/mem").exists():  # not readable even by its owner
        fails("inspect", "/proc/self/mem", match=f"mem cannot be read: {os.strerror(errno.EIO)}")


def test_a_model_that_onnx_cannot_hold_leaves_no_file(run, fails, tmp_path):
    pytest.importorskip("onnx")
    data, model, out = (tmp_path / name for name in ("d.csv", "m.npz", "m.onnx"))
    data.write_text("probability,y\n" + "1,1\n0,0\n" * 9)
    assert run("train", data, "--target", "y", "--output", model)[0] == 0
    fails("export", model, "--output", out, match="cannot be written as ONNX: a feature is named")
    assert not out.exists()


def test_classes_that_onnx_cannot_hold_leave_no_file(run, fails, tmp_path):
    pytest.importorskip("onnx")
    pl = pytest.importorskip("polars")
    data, model, out = (tmp_path / name for name in ("d.parquet", "m.npz", "m.onnx"))
    classes = pl.Series([2**63, 2**63 + 1] * 9, dtype=pl.UInt64)
    pl.DataFrame({"x": [0.0, 1.0] * 9, "y": classes}).write_parquet(data)
    assert run("train", data, "--target", "y", "--output", model)[0] == 0
    fails("export", model, "--output", out, match="as ONNX: classes hold 9223372036854775808")
    assert not out.exists()


def test_a_model_from_a_machine_of_the_other_byte_order_is_read(run, tmp_path, data, model):
    other = tmp_path / "other.npz"
    with np.load(model) as stored:
        np.savez(
            other, **{name: x.astype(x.dtype.newbyteorder()) for name, x in dict(stored).items()}
        )
    assert run("predict", other, data)[:2] == run("predict", model, data)[:2]


@pytest.mark.long
def test_the_size_of_a_model_is_that_of_its_names(run, tmp_path):
    pl = pytest.importorskip("polars")
    data, model = tmp_path / "d.csv", tmp_path / "m.npz"
    names = [f"c{k}" for k in range(300)] + ["x" * 1000]
    text = pl.Series("a" * 1000, names * 2)
    pl.DataFrame([text, pl.Series("y", [0] * 301 + [1] * 301)]).write_csv(data)
    start = [
        "train",
        data,
        "--target",
        "y",
        "--one-hot",
        "--solver",
        "gd",
        "--iters",
        "2",
        "-o",
        model,
    ]
    assert run(*start)[0] == 0
    assert model.stat().st_size < 50_000  # and not 300 times the longest of each
    code, out, _ = run("inspect", model)
    assert code == 0
    assert len(out) < 60_000


@pytest.mark.long
def test_duplicate_or_false_members_are_refused(fails, tmp_path, model):
    bad = tmp_path / "bad.npz"
    content = model.read_bytes()
    for size in range(0, len(content), 97):  # any truncation
        bad.write_bytes(content[:size])
        fails("inspect", bad, match="damaged, or not a model")
