# SPDX-License-Identifier: BSD-3-Clause
"""The formats of files, and that of NumPy's arrays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

# Values of a batch, about.
VALUES = 1 << 21

# The module and the class of each format, by the suffix of its files.
FORMATS = {
    ".parquet": (".arrow", "Parquet"),
    ".arrow": (".arrow", "Ipc"),
    ".feather": (".arrow", "Ipc"),
    ".ipc": (".arrow", "Ipc"),
    ".csv": (".arrow", "Csv"),
    ".npy": (".formats", "Npy"),
}


class Format(Protocol):
    """How the files of one format are read. It is made from all of them."""

    def names(self) -> tuple[str, ...] | None:
        """Return the names of the columns, if they have names."""

    def read(self, path: Path, columns: tuple[str, ...] | None) -> Iterator[tuple[int, Any]]:
        """Yield how many rows a batch has, and the batch, with at least these columns."""


class Npy:
    """An array (rows, n_x), in C or in Fortran order."""

    def __init__(self, files: list[Path]) -> None:
        del files

    def names(self) -> None:
        """Arrays have no names."""
        return

    def read(
        self, path: Path, columns: tuple[str, ...] | None
    ) -> Iterator[tuple[int, NDArray[Any]]]:
        """Read some rows after the other into new arrays."""
        del columns
        with path.open("rb") as file:
            version = np.lib.format.read_magic(file)
            read = np.lib.format.read_array_header_1_0
            shape, fortran, dtype = (
                read if version == (1, 0) else np.lib.format.read_array_header_2_0
            )(file)
            if len(shape) != 2 or dtype.hasobject:
                msg = f"{path} holds {shape} of {dtype}; expected numbers of shape (rows, n_x)"
                raise ValueError(msg)
            start = file.tell()
            step = max(VALUES // max(shape[1], 1), 1)
            for first in range(0, shape[0], step):
                rows = min(step, shape[0] - first)
                batch = np.empty((rows, shape[1]), dtype, order="F" if fortran else "C")
                if fortran:
                    for j, column in enumerate(batch.T):
                        file.seek(start + (j * shape[0] + first) * dtype.itemsize)
                        _fill(file, column, path)
                else:
                    _fill(file, batch, path)
                yield rows, batch


def _fill(file: Any, array: NDArray[Any], path: Path) -> None:
    if file.readinto(array.data.cast("B")) != array.nbytes:
        msg = f"{path} is shorter than its header says; expected a whole file: write it again"
        raise ValueError(msg)
