# SPDX-License-Identifier: BSD-3-Clause
"""A file of columns that the first pass writes and later passes map into memory, part by part."""

from __future__ import annotations

import json
import mmap
import os
from typing import TYPE_CHECKING, Any

import numpy as np

from logreg_c._files import written_whole
from logreg_c._version import __version__

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path
    from typing import BinaryIO

    from numpy.typing import NDArray

    from .columns import Reader

MAGIC = b"logreg_c columns 1\n"
ALIGNMENT = 64


class Cache:
    """Arrays of parts, one after the other; then what they are, as JSON, and where that begins.

    It counts as found if `identity` is that of the data it was made of; None never is.
    """

    def __init__(self, path: Path, identity: list[Any]) -> None:
        self._path = path
        self._identity = [*identity, __version__]  # which may cut parts in another way
        self._parts: list[tuple[int, int, list[tuple[int, str, list[int]]]]] = []
        self.files: list[tuple[int, str | None, int]] = []
        self.is_written = False

    def is_found(self, reader: Reader) -> bool:
        """Whether the file is there, of these data; then the reader knows its columns."""
        if self._identity[0] is None:
            return False
        try:
            with self._path.open("rb") as file:
                if file.read(len(MAGIC)) != MAGIC:
                    return False
                file.seek(-8, os.SEEK_END)
                file.seek(int.from_bytes(file.read(8), "little"))
                about = json.loads(file.read()[:-8])
            identity = about["identity"]
        except (OSError, ValueError, KeyError, TypeError):
            return False
        if identity != json.loads(json.dumps(self._identity)):
            return False
        self._parts = about["parts"]
        self.files = [tuple(entry) for entry in about["files"]]
        reader.take_layout(about["layout"])
        self.is_written = True
        return True

    def writing(
        self,
        parts: Iterable[tuple[int, list[NDArray[Any]]]],
        reader: Reader,
        files: list[tuple[int, str | None, int]],
    ) -> Iterator[tuple[int, list[NDArray[Any]]]]:
        """Yield the parts and write them; a file that is not written to its end is removed."""
        self._parts = []
        with written_whole(self._path) as file:
            file.write(MAGIC)
            for first, arrays in parts:
                self._write(file, first, arrays)
                yield first, arrays
            about = {
                "identity": self._identity,
                "layout": reader.layout(),
                "files": files,
                "parts": self._parts,
            }
            start = file.tell()
            file.write(json.dumps(about).encode())
            file.write(start.to_bytes(8, "little"))
        self.is_written = True

    def _write(self, file: BinaryIO, first: int, arrays: list[NDArray[Any]]) -> None:
        places = []
        for x in arrays:
            file.write(bytes(-file.tell() % ALIGNMENT))
            places.append((file.tell(), x.dtype.str, list(x.shape)))
            file.write(np.ascontiguousarray(x).data)
        self._parts.append((first, file.tell(), places))

    def read(self) -> Iterator[tuple[int, list[NDArray[Any]]]]:
        """Map part after part.

        The next one is read ahead. Where memory is short, the last one leaves the page cache.
        """
        with self._path.open("rb") as file:
            keep = 2 * file.seek(0, os.SEEK_END) < _memory()
            for k, (first, end, places) in enumerate(self._parts):
                if k + 1 < len(self._parts):
                    _advise(file, end, self._parts[k + 1][1] - end, "POSIX_FADV_WILLNEED")
                start = places[0][0] // mmap.ALLOCATIONGRANULARITY * mmap.ALLOCATIONGRANULARITY
                view = mmap.mmap(file.fileno(), end - start, access=mmap.ACCESS_READ, offset=start)
                yield first, [_array(view, start, *place) for place in places]
                if not keep:
                    _advise(file, start, end - start, "POSIX_FADV_DONTNEED")


def _array(view: mmap.mmap, start: int, at: int, dtype: str, shape: list[int]) -> NDArray[Any]:
    return np.ndarray(shape, dtype, view, at - start)


def _advise(file: BinaryIO, start: int, length: int, advice: str) -> None:
    if hasattr(os, "posix_fadvise"):
        os.posix_fadvise(file.fileno(), start, length, getattr(os, advice))


def _memory() -> float:
    """Return the bytes of physical memory, where the system tells."""
    try:
        return float(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    except (AttributeError, OSError, ValueError):
        return float("inf")
