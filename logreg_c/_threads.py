# SPDX-License-Identifier: BSD-3-Clause
"""The default number of threads: OpenMP's number, capped by the container's CPU quota."""

from __future__ import annotations

import os
from functools import cache
from typing import TYPE_CHECKING

from . import _kernel

if TYPE_CHECKING:
    from pathlib import Path

# Far above any machine's cores; keeps the size of the workspace within reason.
MAX_THREADS = 1024


def cpu_quota(cgroup: Path, group: str) -> int | None:
    """Return the smallest CPU quota of a control group and its parents, rounded up, or None."""
    quotas = []
    folder = cgroup / group.lstrip("/")
    for place in (folder, *folder.parents):
        quotas.append(_quota_of(place))
        if place == cgroup:
            break
    return min((quota for quota in quotas if quota), default=None)


def _quota_of(place: Path) -> int | None:
    # cgroup v2 has one file, "quota period", where quota may be "max". v1 has two; -1 is no quota.
    for files in ("cpu.max",), ("cpu.cfs_quota_us", "cpu.cfs_period_us"):
        try:
            quota, period = " ".join((place / name).read_text() for name in files).split()
            return None if quota in {"max", "-1"} else max(1, -(-int(quota) // int(period)))
        except (OSError, ValueError):  # files missing, or not numbers
            continue
    return None


@cache
def _quota_here() -> int | None:
    from pathlib import Path  # noqa: PLC0415 (slow to import, and NumPy does not import it)

    try:
        # A group's name is a folder name, so it may be any bytes.
        lines = os.fsdecode(Path("/proc/self/cgroup").read_bytes()).split("\n")[:-1]
    except OSError:  # not Linux
        return None
    quotas = []
    for line in lines:  # hierarchy:controllers:group
        _, controllers, group = line.split(":", 2)
        mount = Path("/sys/fs/cgroup") / (controllers and "cpu")
        if not controllers or "cpu" in controllers.split(","):
            quotas.append(cpu_quota(mount, group))
    return min((quota for quota in quotas if quota), default=None)


def default_threads() -> int:
    """Return OpenMP's number (OMP_NUM_THREADS, affinity, threadpoolctl), capped by the quota."""
    threads = min(_kernel.max_threads(), MAX_THREADS)
    if threads == 1 or "OMP_NUM_THREADS" in os.environ:
        return threads
    quota = _quota_here()
    return min(threads, quota) if quota else threads
