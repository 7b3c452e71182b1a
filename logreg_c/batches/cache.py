# SPDX-License-Identifier: BSD-3-Clause
"""A file of columns that the first pass writes and later passes map into memory, part by part."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import numpy as np

from logreg_c._files import written_whole
from logreg_c._version import __version__

from .pages import drop, fits_into_memory, mapped

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from typing import BinaryIO

    from numpy.typing import NDArray

    from .columns import Reader

MAGIC = b"logreg_c columns 2\n"
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
        read: Callable[[], Iterator[tuple[int, list[NDArray[Any]]]]],
        reader: Reader,
        files: list[tuple[int, str | None, int]],
    ) -> Iterator[tuple[int, list[NDArray[Any]]]]:
        """Read, write and yield parts; a file that is not written to its end is removed."""
        self._parts = []
        with written_whole(self._path) as file:
            file.write(MAGIC)
            for first, arrays in read():
                self._write(file, first, arrays)
                if not fits_into_memory(file.tell()):
                    drop(file)
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
        """Map part after part into memory."""
        stretches = [(places[0][0], end) for _, end, places in self._parts]
        keep = fits_into_memory(self._path.stat().st_size)
        with self._path.open("rb") as file:
            views = mapped(file, stretches, keep=keep)
            for (first, _, places), view in zip(self._parts, views, strict=True):
                yield (
                    first,
                    [
                        np.ndarray(shape, dtype, view.data, at - places[0][0])
                        for at, dtype, shape in places
                    ],
                )
