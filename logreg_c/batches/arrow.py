# SPDX-License-Identifier: BSD-3-Clause
"""Parquet, Arrow IPC and CSV, as PyArrow reads them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from .pages import dropping, fit_into_memory

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BUFFER = 1 << 18  # bytes of a column that are read at a time
# Values that are decoded at once, about: 64 MB of float64. PyArrow's threads share the columns, so
# the more they decode at once, the less they wait for each other.
VALUES = 1 << 23


class _Table:
    """Files with named columns; folders with names like ``year=2025`` add some."""

    def __init__(self, files: list[Path]) -> None:
        folders = [_partitions(path) for path in files]
        self._folders = dict(zip(files, folders, strict=True))
        self._types = {
            name: _type_of([found.get(name, "") for found in folders]) for name in folders[0]
        }
        schema = self._schema(files[0])
        self._schema_names = tuple(name for name in schema.names if name not in self._types)
        self._keep = fit_into_memory(files)

    def names(self) -> tuple[str, ...]:
        """Return the names of the columns."""
        return (*self._schema_names, *self._types)

    def read(self, path: Path, columns: tuple[str, ...] | None) -> Iterator[tuple[int, Any]]:
        """Yield the batches of a file, with these columns."""
        wanted = self.names() if columns is None else columns
        yield from dropping(path, self._read(path, wanted), keep=self._keep)

    def _read(self, path: Path, wanted: tuple[str, ...]) -> Iterator[tuple[int, pa.RecordBatch]]:
        stored = [name for name in wanted if name not in self._types]
        here = [name for name in wanted if name in self._types]
        for batch in self._batches(path, stored):
            arrays = [batch.column(name) for name in stored]
            for name in here:
                value = pa.scalar(self._folders[path][name]).cast(self._types[name])
                arrays.append(pa.repeat(value, batch.num_rows))
            yield batch.num_rows, pa.RecordBatch.from_arrays(arrays, [*stored, *here])

    def _schema(self, path: Path) -> pa.Schema:
        raise NotImplementedError

    def _batches(self, path: Path, columns: list[str]) -> Iterator[pa.RecordBatch]:
        raise NotImplementedError

    @staticmethod
    def _check(path: Path, found: list[str], columns: list[str]) -> None:
        missing = [name for name in columns if name not in found]
        if missing:
            msg = (
                f"{path} has no column {missing[0]!r}; expected all of "
                f"{', '.join(map(repr, columns))}"
            )
            raise ValueError(msg)


class Parquet(_Table):
    """Parquet, some row groups at a time, or some rows of one that is large."""

    def _schema(self, path: Path) -> pa.Schema:
        with pa.parquet.ParquetFile(path) as file:
            return file.schema_arrow

    def _batches(self, path: Path, columns: list[str]) -> Iterator[pa.RecordBatch]:
        # Pre-buffering would read all row groups before the first batch.
        with pa.parquet.ParquetFile(path, pre_buffer=False, buffer_size=BUFFER) as file:
            self._check(path, file.schema_arrow.names, columns)
            most = max(VALUES // max(len(columns), 1), 1)
            for groups, rows in _row_groups(file.metadata, most):
                if columns and rows <= most:
                    yield from file.read_row_groups(groups, columns).to_batches()
                else:
                    step = 1 << most.bit_length() - 1  # parts of batches begin there, too
                    yield from file.iter_batches(step, groups, columns)


class Ipc(_Table):
    """Arrow IPC, one record batch of the file at a time."""

    def _schema(self, path: Path) -> pa.Schema:
        with pa.OSFile(str(path)) as file, pa.ipc.open_file(file) as reader:
            return reader.schema

    def _batches(self, path: Path, columns: list[str]) -> Iterator[pa.RecordBatch]:
        with pa.OSFile(str(path)) as file, pa.ipc.open_file(file) as reader:
            self._check(path, reader.schema.names, columns)
            for k in range(reader.num_record_batches):
                yield reader.get_batch(k)


class Csv(_Table):
    """CSV with a header. Numbers are float64, since the first rows cannot tell what follows."""

    def _schema(self, path: Path) -> pa.Schema:
        with pa.csv.open_csv(path) as reader:
            return reader.schema

    def _batches(self, path: Path, columns: list[str]) -> Iterator[pa.RecordBatch]:
        schema = self._schema(path)
        self._check(path, schema.names, columns)
        types = {
            field.name: pa.float64() if _is_number(field.type) else field.type for field in schema
        }
        options = pa.csv.ConvertOptions(column_types=types, include_columns=columns)
        with pa.csv.open_csv(path, convert_options=options) as reader:
            yield from reader


def _row_groups(metadata: pa.parquet.FileMetaData, most: int) -> Iterator[tuple[list[int], int]]:
    """Yield stretches of row groups of at most so many rows, or of one; and how many these are."""
    groups: list[int] = []
    rows = 0
    for k in range(metadata.num_row_groups):
        here = metadata.row_group(k).num_rows
        if groups and rows + here > most:
            yield groups, rows
            groups, rows = [], 0
        groups.append(k)
        rows += here
    if groups:
        yield groups, rows


def _is_number(kind: pa.DataType) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_null(kind))


def _partitions(path: Path) -> dict[str, str]:
    pairs = (part.partition("=") for part in path.parts[:-1])
    return {unquote(name): unquote(value) for name, equals, value in pairs if equals and name}


def _type_of(values: list[str]) -> pa.DataType:
    """Return int64 or float64 where all values are such numbers, or else text."""
    for kind, parse in (pa.int64(), int), (pa.float64(), float):
        try:
            for value in values:
                parse(value)
        except ValueError:
            continue
        return kind
    return pa.string()
