# SPDX-License-Identifier: BSD-3-Clause
"""Archives of NumPy's arrays, each of which is a column or has one for each of its own."""

from __future__ import annotations

import math
import zipfile
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from logreg_c import _input

from .formats import header_of, rows_of_batch
from .pages import dropping, fit_into_memory

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray


class Npz:
    """Arrays x of shape (rows,) are columns, and arrays X (rows, n) give X0, X1, ..."""

    def __init__(self, files: list[Path]) -> None:
        with _members_of(files[0]) as members:
            self._names = tuple(name for member in members for name in member.columns)
        self._keep = fit_into_memory(files)

    def names(self) -> tuple[str, ...]:
        """Return the names of the columns."""
        return self._names

    def read(
        self, path: Path, columns: tuple[str, ...] | None
    ) -> Iterator[tuple[int, dict[str, NDArray[Any]]]]:
        """Read some rows of all arrays after the other."""
        del columns
        yield from dropping(path, self._read(path), keep=self._keep)

    def _read(self, path: Path) -> Iterator[tuple[int, dict[str, NDArray[Any]]]]:
        step = rows_of_batch(len(self._names))
        with _members_of(path) as members:
            rows = {member.shape[0] for member in members}
            if len(rows) > 1:
                msg = f"{path} has arrays of {sorted(rows)} rows; expected as many rows in all"
                raise ValueError(msg)
            for first in range(0, max(rows, default=0), step):
                count = min(step, max(rows) - first)
                yield count, {k: x for member in members for k, x in member.read(count).items()}


class _Member:
    """An array of an archive, which is read from its first row to its last."""

    def __init__(self, name: str, file: Any) -> None:
        self.shape, fortran, self._dtype = header_of(file)
        if len(self.shape) not in {1, 2} or self._dtype.hasobject or (fortran and self.shape[1:]):
            order = "Fortran" if fortran else "C"
            msg = (
                f"the array {name!r} has shape {self.shape}, type {self._dtype} and {order} order; "
                "expected numbers of shape (rows,) or (rows, columns) in C order"
            )
            raise ValueError(msg)
        self.columns = [name + str(j) for j in range(*self.shape[1:])] if self.shape[1:] else [name]
        self._file = file

    def read(self, count: int) -> dict[str, NDArray[Any]]:
        """Return so many more rows, as columns."""
        shape = count, len(self.columns)
        values = self._file.read(math.prod(shape) * self._dtype.itemsize)
        rows = np.frombuffer(values, self._dtype).reshape(shape)
        return dict(zip(self.columns, rows.T, strict=True))


@contextmanager
def _members_of(path: Path) -> Iterator[list[_Member]]:
    try:
        with zipfile.ZipFile(path) as archive, ExitStack() as opened:
            names = [name for name in archive.namelist() if name.endswith(".npy")]
            if {"format.npy", "shape.npy", "data.npy"} <= set(names):
                msg = (
                    f"{path} holds a sparse matrix, and batches are dense: read it by "
                    f"scipy.sparse.load_npz, and {_input.STACK}"
                )
                raise ValueError(msg)
            files = [opened.enter_context(archive.open(name)) for name in names]
            yield [_Member(n.removesuffix(".npy"), f) for n, f in zip(names, files, strict=True)]
    except zipfile.BadZipFile as error:
        raise ValueError(str(error)) from None
