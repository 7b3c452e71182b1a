# SPDX-License-Identifier: BSD-3-Clause
"""The default number of threads."""

import os
import sys
from pathlib import Path

import pytest
from oracle import run_python

from logreg_c import _threads, show_config

THREADS = "import logreg_c; print(logreg_c.show_config()['threads'])"


def test_a_quota_of_version_2_holds_for_the_groups_below(tmp_path):
    below = tmp_path / "pod" / "box"
    below.mkdir(parents=True)
    assert _threads.cpu_quota(tmp_path, "/pod/box") is None
    (below / "cpu.max").write_text("max 100000\n")
    assert _threads.cpu_quota(tmp_path, "/pod/box") is None
    (tmp_path / "pod" / "cpu.max").write_text("250000 100000\n")
    assert _threads.cpu_quota(tmp_path, "/pod/box") == 3
    (below / "cpu.max").write_text("50000 100000\n")
    assert _threads.cpu_quota(tmp_path, "/pod/box") == 1
    assert _threads.cpu_quota(tmp_path, "/pod") == 3


def test_no_quota_is_looked_for_above_the_mount(tmp_path):
    (tmp_path / "cpu.max").write_text("100000 100000\n")
    (tmp_path / "mount").mkdir()
    assert _threads.cpu_quota(tmp_path / "mount", "/pod") is None


def test_a_quota_of_version_1(tmp_path):
    (tmp_path / "cpu.cfs_period_us").write_text("100000\n")
    (tmp_path / "cpu.cfs_quota_us").write_text("-1\n")
    assert _threads.cpu_quota(tmp_path, "/") is None
    (tmp_path / "cpu.cfs_quota_us").write_text("400000\n")
    assert _threads.cpu_quota(tmp_path, "/gone/missing") == 4


def test_the_quota_is_that_of_the_groups_that_govern_threads(monkeypatch):
    asked = []
    groups = b"12:memory:/a\n4:cpu,cpuacct:/b\n0::/c\n"
    monkeypatch.setattr(Path, "read_bytes", lambda _: groups)
    monkeypatch.setattr(_threads, "cpu_quota", lambda *place: asked.append(place) or len(asked))
    assert _threads._quota_here.__wrapped__() == 1
    assert asked == [(Path("/sys/fs/cgroup/cpu"), "/b"), (Path("/sys/fs/cgroup"), "/c")]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="groups are Linux's")
def test_a_group_has_a_name_of_any_bytes(monkeypatch, tmp_path):
    group = tmp_path / os.fsdecode(b"caf\xe9\f")
    group.mkdir()
    (group / "cpu.max").write_text("250000 100000\n")
    quota = _threads.cpu_quota
    monkeypatch.setattr(Path, "read_bytes", lambda _: b"12:memory:/\xff\n0::/caf\xe9\f\n")
    monkeypatch.setattr(_threads, "cpu_quota", lambda _, group: quota(tmp_path, group))
    assert _threads._quota_here.__wrapped__() == 3


@pytest.mark.parametrize("text", [b"\xff", b"many", b""])
def test_a_quota_that_is_not_a_number_is_ignored(tmp_path, text):
    (tmp_path / "cpu.max").write_bytes(text + b" 100000\n")
    (tmp_path / "cpu.cfs_quota_us").write_bytes(text + b"\n")
    (tmp_path / "cpu.cfs_period_us").write_bytes(b"100000\n")
    assert _threads.cpu_quota(tmp_path, "/") is None


def test_without_groups_there_is_no_quota(monkeypatch):
    def missing(_):
        raise FileNotFoundError

    monkeypatch.setattr(Path, "read_bytes", missing)
    assert _threads._quota_here.__wrapped__() is None


def test_the_quota_caps_openmp_but_not_the_user(monkeypatch):
    monkeypatch.setattr(_threads._kernel, "max_threads", lambda: 16)
    monkeypatch.setattr(_threads, "_quota_here", lambda: 3)
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    assert _threads.default_threads() == 3
    monkeypatch.setenv("OMP_NUM_THREADS", "16")
    assert _threads.default_threads() == 16


@pytest.mark.long
def test_omp_num_threads_is_obeyed():
    for threads in ("1", "3", "7"):
        assert run_python(THREADS, OMP_NUM_THREADS=threads) == threads
    assert run_python(THREADS, OMP_NUM_THREADS="2147483647") == "1024"


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="affinity is Linux's")
def test_affinity_is_obeyed():
    cpu = min(os.sched_getaffinity(0))
    assert run_python(f"import os; os.sched_setaffinity(0, {{{cpu}}}); {THREADS}") == "1"


@pytest.mark.long
def test_threadpoolctl_is_obeyed():
    pytest.importorskip("threadpoolctl")
    if show_config()["threads_backend"] != "openmp":
        pytest.skip("threadpoolctl knows no Dispatch")
    code = "import logreg_c, threadpoolctl\nwith threadpoolctl.threadpool_limits(1): "
    assert run_python(code + THREADS.partition("; ")[2]) == "1"
