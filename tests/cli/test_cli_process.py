# SPDX-License-Identifier: BSD-3-Clause
"""The command line as a process: closed and full streams, signals, files and their modes."""

import errno
import os
import signal
import stat
import subprocess
import sys
import time

import pytest

pytest.importorskip("polars")
pytestmark = pytest.mark.skipif(os.name == "nt", reason="signals, modes and /dev of POSIX")

PYTHON = [sys.executable, "-P", "-m", "logreg_c"]


def ended(arguments, redirections, **options):
    """Run the command line in a shell; return its exit code, stdout and stderr."""
    command = ["/bin/sh", "-c", f'exec "$@" {redirections}', "sh", *PYTHON, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, **options)
    return done.returncode, done.stdout, done.stderr


COMMANDS = {
    "train": (["train", "data.csv", "--target", "sick"], 1),
    "predict": (["predict", "model.npz", "data.csv"], 1),
    "evaluate": (["evaluate", "model.npz", "data.csv"], 1),
    "inspect": (["inspect", "model.npz", "--json"], 1),
    "help": (["train", "--help"], 1),
}


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full")  # noqa: PTH110
@pytest.mark.parametrize("name", COMMANDS)
@pytest.mark.long
def test_a_full_standard_output_is_exit_code_1(tmp_path, model, name):
    arguments, code = COMMANDS[name]
    full = f"standard output cannot be written: {os.strerror(errno.ENOSPC)}"
    found, _, err = ended(arguments, ">/dev/full", cwd=tmp_path)
    assert (found, err.splitlines()[0]) == (code, f"logreg-c: {full}")
    assert err.count("\n") == 1
    assert ended(arguments, ">/dev/full 2>/dev/full", cwd=tmp_path) == (code, "", "")


@pytest.mark.parametrize("name", COMMANDS)
@pytest.mark.long
def test_closed_streams_cause_no_traceback(tmp_path, model, name):
    arguments, _ = COMMANDS[name]
    for closed in ">&-", ">&- 2>&-", "<&- >&- 2>&-":
        code, out, err = ended(arguments, closed, cwd=tmp_path)
        assert code == (2 if name == "predict" else 0)
        assert out == ""
        assert err in {"", "logreg-c: standard output is closed; give --output\n"}
    code, out, err = ended(arguments, "2>&-", cwd=tmp_path)
    assert (code, err) == (0, "")
    assert ended(["inspect", "none.npz"], "2>&-", cwd=tmp_path) == (2, "", "")


@pytest.mark.parametrize("name", COMMANDS)
@pytest.mark.long
def test_a_reader_that_exits_is_exit_code_0(tmp_path, model, name):
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [*PYTHON, *COMMANDS[name][0]],
        cwd=tmp_path,
        stdout=writing,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    os.close(writing)
    assert done.returncode == 0
    assert "Error" not in done.stderr
    assert "written" not in done.stderr


@pytest.mark.parametrize(
    "environment",
    [
        {"LANG": "C", "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
        {"PYTHONIOENCODING": "ascii:strict"},
        {"PYTHONIOENCODING": "utf-16"},
        {"TERM": "dumb", "COLUMNS": "1"},
        {"COLUMNS": "x", "LINES": "-1"},
        {"HOME": "/nowhere", "TMPDIR": "/nowhere"},
    ],
    ids=str,
)
@pytest.mark.long
def test_any_environment_will_do(tmp_path, model, environment):
    # Nothing else is in it but what a sanitizer needs.
    kept = {k: v for k, v in os.environ.items() if k in {"LD_PRELOAD", "ASAN_OPTIONS"}}
    for arguments, _ in COMMANDS.values():
        code, out, err = ended(
            arguments, "", cwd=tmp_path, env=kept | environment, errors="replace"
        )
        assert code == 0
        assert out
        assert err.count("\n") == (arguments[0] == "predict")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("delay", [0.15, 0.3, 0.6, 1.0])
@pytest.mark.sampled(1)
def test_a_signal_at_any_time_leaves_nothing(tmp_path, data, number, delay):
    if signal.getsignal(number) is signal.SIG_IGN:
        pytest.skip("whoever runs the tests ignores the signal, and so does what they start")
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    with subprocess.Popen(
        [*PYTHON, "train", "-", "--target", "sick", "-o", "out.npz"],
        cwd=tmp_path,
        stdin=subprocess.PIPE,  # never ends, so it is still being copied
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"TMPDIR": str(temporary)},
    ) as process:
        process.stdin.write("a,b\n1,2\n")
        process.stdin.flush()
        time.sleep(delay)
        process.send_signal(number)
        process.send_signal(number)
        out, err = process.communicate(timeout=30)
    assert process.returncode in {128 + number, -number}  # before Python has started
    assert out == ""
    assert err in {"", "logreg-c: interrupted; no file was written\n"} or delay < 0.3
    assert list(temporary.iterdir()) == []
    assert {path.name for path in tmp_path.iterdir()} == {"data.csv", "tmp"}


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o664])
@pytest.mark.long
def test_a_file_that_is_replaced_keeps_its_mode(run, tmp_path, data, model, mode):
    for name, command in {
        "m.npz": ["train", data, "--target", "sick", "-o"],
        "p.csv": ["predict", model, data, "-o"],
        "run.npz": ["train", data, "--target", "sick", "--resume"],
    }.items():
        out, link = tmp_path / name, tmp_path / f"link-{name}"
        assert run(*command, out)[0] == 0
        umask = os.umask(0)
        os.umask(umask)
        assert stat.S_IMODE(out.stat().st_mode) == 0o666 & ~umask
        out.chmod(mode)
        link.symlink_to(out.name)
        assert run(*command, link)[0] == 0
        assert stat.S_IMODE(out.stat().st_mode) == mode
        assert link.is_symlink()


def test_a_message_names_the_file_at_fault(fails, tmp_path, data, model):
    long = tmp_path / ("n" * 300)
    start = ["train", data, "--target", "sick"]
    reason = os.strerror(errno.ENAMETOOLONG)
    fails("inspect", long, match=f"n cannot be read: {reason}")
    fails("predict", model, long, match=f"n cannot be read: {reason}")
    fails(*start, "-o", long, match=f"n cannot be written: {reason}")
    fails(*start, "--resume", long, match=f"n cannot be written: {reason}")
    fails("predict", model, data, "-o", long, match=f"n cannot be written: {reason}")
    fails("inspect", "a\0b", match="embedded null byte")
    below = data / "file.npz"
    fails("inspect", below, match="file.npz (does not exist|cannot be read)")
    fails(*start, "-o", below, match="file.npz cannot be written")


@pytest.mark.long
def test_a_deleted_folder_is_reported(tmp_path, data):
    gone = tmp_path / "gone"
    gone.mkdir()
    command = ["/bin/sh", "-c", 'rmdir "$PWD"; exec "$@"', "sh", *PYTHON]
    options = ["train", data, "--target", "sick", "--output", "m.npz"]
    done = subprocess.run(
        [*command, *options], cwd=gone, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert done.stderr == ("logreg-c: the current folder no longer exists; change to another\n")


def test_an_unknown_instruction_set_is_one_line(tmp_path):
    unknown = os.environ | {"LOGREG_C_ISA": "zz"}
    code, out, err = ended(["--help"], "", cwd=tmp_path, env=unknown)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert err.startswith("logreg-c: LOGREG_C_ISA='zz' is not one of")
