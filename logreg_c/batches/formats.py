# SPDX-License-Identifier: BSD-3-Clause
"""The formats of files, and that of NumPy's arrays."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from .pages import dropping, fit_into_memory, mapped

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
    ".npz": (".npz", "Npz"),
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
        self._keep = fit_into_memory(files)

    def names(self) -> None:
        """Arrays have no names."""
        return

    def read(
        self, path: Path, columns: tuple[str, ...] | None
    ) -> Iterator[tuple[int, NDArray[Any]]]:
        """Map some rows after the other into memory; read them into new arrays in Fortran order."""
        del columns
        with path.open("rb") as file:
            shape, fortran, dtype = header_of(file)
            if len(shape) != 2 or dtype.hasobject:
                msg = f"{path} holds {shape} of {dtype}; expected numbers of shape (rows, n_x)"
                raise ValueError(msg)
            size = dtype.itemsize * shape[0] * shape[1]
            start = file.tell()
            if file.seek(0, os.SEEK_END) < start + size:
                msg = (
                    f"{path} is shorter than its header says; expected a whole file: write it again"
                )
                raise ValueError(msg)
            if fortran or not size:
                yield from dropping(path, _by_column(file, start, shape, dtype), keep=self._keep)
                return
            step = rows_of_batch(shape[1]) * dtype.itemsize * shape[1]
            end = start + size
            stretches = [(k, min(k + step, end)) for k in range(start, end, step)]
            for view in mapped(file, stretches, keep=self._keep):
                rows = view.view(dtype).reshape(-1, shape[1])
                yield len(rows), rows


def rows_of_batch(n_columns: int) -> int:
    """Return the rows of a batch: a power of two, so that batches are not cut later on."""
    return 1 << max(VALUES // max(n_columns, 1), 1).bit_length() - 1


def header_of(file: Any) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """Read the shape, whether the order is Fortran's, and the type."""
    version = np.lib.format.read_magic(file)
    if version == (1, 0):
        return np.lib.format.read_array_header_1_0(file)
    return np.lib.format.read_array_header_2_0(file)


def _by_column(
    file: Any, start: int, shape: tuple[int, ...], dtype: np.dtype[Any]
) -> Iterator[tuple[int, NDArray[Any]]]:
    step = rows_of_batch(shape[1])
    for first in range(0, shape[0], step):
        batch = np.empty((min(step, shape[0] - first), shape[1]), dtype, order="F")
        for j, column in enumerate(batch.T):
            file.seek(start + (j * shape[0] + first) * dtype.itemsize)
            file.readinto(column.data.cast("B"))
        yield len(batch), batch
