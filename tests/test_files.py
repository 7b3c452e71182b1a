# SPDX-License-Identifier: BSD-3-Clause
"""Files are written completely or not at all, keep their mode, and are safe from other writers."""

import os
import stat
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from logreg_c._files import PREFIX, STALE_SECONDS, SUFFIX, written_whole

# Threads that run the same test share its folder.
pytestmark = pytest.mark.thread_unsafe(reason="looks for files of others in the folder")

posix = pytest.mark.skipif(os.name != "posix", reason="permissions and links of POSIX")


def names(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture
def path(tmp_path):
    return tmp_path / "file"


def write(path, content=b"new"):
    with written_whole(path) as file:
        file.write(content)


@pytest.mark.parametrize("old", [None, b"old"])
def test_a_file_appears_when_it_is_complete(path, old):
    if old is not None:
        path.write_bytes(old)
    with written_whole(path) as file:
        file.write(b"ne")
        file.flush()
        assert (path.read_bytes() if path.exists() else None) == old
        file.write(b"w")
    assert path.read_bytes() == b"new"
    assert names(path.parent) == ["file"]


@pytest.mark.parametrize("error", [RuntimeError("of the caller"), KeyboardInterrupt(), OSError(5)])
@pytest.mark.parametrize("old", [None, b"old"])
def test_a_failed_write_keeps_the_previous_file(path, old, error):
    if old is not None:
        path.write_bytes(old)
    with pytest.raises(type(error)), written_whole(path) as file:  # noqa: PT012
        file.write(b"half")
        raise error
    assert names(path.parent) == ([] if old is None else ["file"])
    assert old is None or path.read_bytes() == old


@posix
@pytest.mark.parametrize("mode", [0o600, 0o640, 0o644, 0o666, 0o755, 0o400])
def test_the_permissions_of_the_old_file_stay(path, mode):
    path.write_bytes(b"old")
    path.chmod(mode)
    with written_whole(path) as file:
        (part,) = [p for p in path.parent.iterdir() if p.name.endswith(SUFFIX)]
        assert stat.S_IMODE(part.stat().st_mode) == mode  # before there is anything to read
        file.write(b"new")
    assert stat.S_IMODE(path.stat().st_mode) == mode
    assert path.read_bytes() == b"new"


@posix
def test_a_new_file_has_the_permissions_of_any_new_file(path):
    write(path)
    other = path.with_name("other")
    other.touch()
    assert path.stat().st_mode == other.stat().st_mode


@posix
def test_a_link_stays_a_link(path):
    target = path.with_name("target")
    path.symlink_to(target)
    for content in b"first", b"second":  # the first of them creates what the link points to
        write(path, content)
        assert path.is_symlink()
        assert target.read_bytes() == content
    assert names(path.parent) == ["file", "target"]


def test_simultaneous_writers_use_separate_temporary_files(path):
    ready = threading.Barrier(8)

    def work(number):
        ready.wait()
        for _ in range(20):
            write(path, bytes([number]) * 10_000)

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(work, range(8)))
    content = path.read_bytes()
    assert len(content) == 10_000
    assert len(set(content)) == 1
    assert names(path.parent) == ["file"]


@pytest.mark.long
def test_simultaneous_processes_with_equal_numbers_do_too(path):
    """Two containers may share a folder."""
    code = """
import os, sys
os.getpid = lambda: 1
from logreg_c._files import written_whole
for _ in range(100):
    with written_whole(sys.argv[1]) as file:
        file.write(sys.argv[2].encode() * 10_000)
"""
    writers = [subprocess.Popen([sys.executable, "-P", "-c", code, str(path), c]) for c in "ab"]
    assert [writer.wait(timeout=100) for writer in writers] == [0, 0]
    content = path.read_bytes()
    assert (len(content), len(set(content))) == (10_000, 1)
    assert names(path.parent) == ["file"]


def test_a_rehearsal_only_removes_files_of_killed_writers(path):
    path.write_bytes(b"old")
    parts = [path.with_name(f"{PREFIX}{j}{SUFFIX}") for j in range(2)]
    for part in parts:
        part.touch()
    old = time.time() - STALE_SECONDS - 60
    os.utime(parts[0], (old, old))
    with written_whole(path, rehearse=True):
        pass
    assert path.read_bytes() == b"old"
    assert names(path.parent) == sorted(["file", parts[1].name])


def test_an_unwritable_path_is_named_as_it_was_given(path):
    folder = path.with_name("folder")
    folder.mkdir()
    inside = folder.with_name("missing") / "file"
    for wrong, message in (
        (folder, "Is a directory"),
        (inside, "the folder .*missing.* does not exist"),
        (path.with_name("x" * 300), "name too long|No such file|Invalid argument"),
    ):
        with pytest.raises(OSError, match=message) as caught:
            write(wrong)
        assert caught.value.filename == str(wrong)
    assert names(path.parent) == ["folder"]


@posix
def test_links_in_a_circle_and_devices_are_refused(path):
    other = path.with_name("other")
    path.symlink_to(other)
    other.symlink_to(path)
    with pytest.raises(OSError, match="symbolic links"):
        write(path)
    fifo = path.with_name("fifo")
    os.mkfifo(fifo)
    for special in fifo, "/dev/null":
        with pytest.raises(OSError, match="not a regular file"):
            write(special)
    assert names(path.parent) == ["fifo", "file", "other"]
