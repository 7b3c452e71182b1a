# SPDX-License-Identifier: BSD-3-Clause
"""Files larger than memory, of which the system's page cache keeps little."""

from __future__ import annotations

import mmap
import os
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path
    from typing import BinaryIO

    from numpy.typing import NDArray

# Batches after which the file that they come from leaves the page cache.
DROPPED_AT_ONCE = 16
# Stretches that are still in use: those of a thread that reads ahead, and of who takes from it.
IN_USE = 6


def fits_into_memory(size: int) -> bool:
    """Whether so many bytes take at most half the memory: they may stay in the page cache."""
    try:
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):  # the system does not tell
        return True
    return 2 * size <= memory


def fit_into_memory(files: Iterable[Path]) -> bool:
    """Whether files do."""
    return fits_into_memory(sum(path.stat().st_size for path in files))


def mapped(
    file: BinaryIO, stretches: Sequence[tuple[int, int]], *, keep: bool
) -> Iterator[NDArray[np.uint8]]:
    """Map the bytes from `start` to `end` of each stretch into memory, one after the other.

    The system reads ahead. Unless asked to `keep` them, stretches behind leave the page cache.
    """
    for k, (start, end) in enumerate(stretches):
        offset = start // mmap.ALLOCATIONGRANULARITY * mmap.ALLOCATIONGRANULARITY
        view = mmap.mmap(file.fileno(), end - offset, access=mmap.ACCESS_READ, offset=offset)
        values = np.frombuffer(view, np.uint8)[start - offset :]
        values[:: mmap.PAGESIZE].max()  # waits for the disk here, in the thread that reads ahead
        yield values
        if not keep and k >= IN_USE:
            drop(file, *stretches[k - IN_USE])


def dropping(
    path: Path, batches: Iterable[tuple[int, Any]], *, keep: bool
) -> Iterator[tuple[int, Any]]:
    """Yield batches of a file, which leaves the page cache unless asked to `keep` it."""
    if keep:
        yield from batches
        return
    with path.open("rb") as file:
        for k, batch in enumerate(batches, start=1):
            yield batch
            if k % DROPPED_AT_ONCE == 0:
                drop(file)
        drop(file)


def drop(file: BinaryIO, start: int = 0, end: int = 0) -> None:
    """Let a stretch of a file, or all, leave the page cache, where it is stored and not mapped."""
    if hasattr(os, "posix_fadvise"):
        os.posix_fadvise(file.fileno(), start, end - start, os.POSIX_FADV_DONTNEED)
