# SPDX-License-Identifier: BSD-3-Clause
"""How many threads to use where nobody says: OpenMP's number, within a container's CPU quota."""

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
    """Return the CPUs that the control group and those above it may use, rounded up, or None."""
    quotas = []
    folder = cgroup / group.lstrip("/")
    for place in (folder, *folder.parents):
        quotas.append(_quota_of(place))
        if place == cgroup:
            break
    return min((quota for quota in quotas if quota), default=None)


def _quota_of(place: Path) -> int | None:
    # Version 2 has "quota period", of which the quota may be "max"; in version 1 one of -1 is none.
    for files in ("cpu.max",), ("cpu.cfs_quota_us", "cpu.cfs_period_us"):
        try:
            quota, period = " ".join((place / name).read_text() for name in files).split()
            return None if quota in {"max", "-1"} else max(1, -(-int(quota) // int(period)))
        except (OSError, ValueError):  # other files, or no numbers
            continue
    return None


@cache
def _quota_here() -> int | None:
    from pathlib import Path  # noqa: PLC0415 (NumPy does not load it, nor should the import)

    try:
        # The name of a group is a folder's: any bytes.
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
    """Return what OpenMP would use (OMP_NUM_THREADS, affinity, threadpoolctl), within the quota."""
    threads = min(_kernel.max_threads(), MAX_THREADS)
    if threads == 1 or "OMP_NUM_THREADS" in os.environ:
        return threads
    quota = _quota_here()
    return min(threads, quota) if quota else threads
