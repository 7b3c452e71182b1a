# SPDX-License-Identifier: BSD-3-Clause
"""NPY and NPZ: arrays as columns."""

import io
import zipfile
from collections.abc import Iterator
from typing import Any, BinaryIO

import numpy as np
import polars as pl
from numpy.lib import format as npy
from numpy.typing import NDArray

from logreg_c._cli.errors import InputError, brief, refuse

from .source import Source

MOST_COLUMNS = 100_000  # each becomes an object


def from_arrays(source: Source) -> pl.DataFrame:
    """Make one column per vector and per column of a matrix: X gives X0, X1, ..."""
    try:
        arrays = _arrays(source)
    except (InputError, MemoryError):
        raise
    except Exception as error:  # noqa: BLE001 (numpy, zipfile and ast raise a dozen kinds)
        reason = repr(str(error).partition("\n")[0])[1:-1][:200]
        refuse(f"{source} cannot be read as {source.kind} ({reason}); write it again")
    columns: dict[str, NDArray[Any]] = {}
    origins: dict[str, str] = {}
    for array_name, array in arrays.items():
        if array.ndim == 2 and array.shape[1] > MOST_COLUMNS:
            refuse(
                f"{source}: array {brief(array_name)} has {array.shape[1]} columns; at most"
                f" {MOST_COLUMNS} can be read; is the matrix transposed?"
            )
        for name, values in _columns(array_name, array):
            if name in columns:
                refuse(
                    f"{source}: arrays {brief(origins[name])} and {brief(array_name)} both give a"
                    f" column {brief(name)}; rename one of them"
                )
            columns[name], origins[name] = values, array_name
    lengths = {}
    for name, values in columns.items():
        if values.ndim != 1 or values.dtype.kind not in "biufU":
            refuse(
                f"{source}: array {brief(name)} has shape {values.shape} and dtype {values.dtype};"
                " expected numbers, true/false or text of shape (rows,) or (rows, columns)"
            )
        lengths[len(values)] = name
    if len(lengths) > 1:
        (one, a), (other, b), *_ = lengths.items()
        refuse(
            f"{source}: {brief(a)} has {one} rows and {brief(b)} has {other}; expected the same"
            " number"
        )
    if 0 in lengths:
        refuse(f"{source} has no rows of data")
    return pl.DataFrame([pl.Series(name, _storable(values)) for name, values in columns.items()])


def _storable(values: NDArray[Any]) -> NDArray[Any]:
    if values.dtype.kind == "f" and values.dtype.itemsize > 8:
        return values.astype(np.float64)
    return values.astype(values.dtype.newbyteorder("="))


def _columns(name: str, array: NDArray[Any]) -> Iterator[tuple[str, NDArray[Any]]]:
    if array.dtype.names:
        for field in array.dtype.names:
            yield field, array[field]
    elif array.ndim == 2:
        for j in range(array.shape[1]):
            yield f"{name}{j}", array[:, j]
    else:
        yield name, array


def _arrays(source: Source) -> dict[str, NDArray[Any]]:
    with source.path.open("rb") as file:
        if source.kind == "NPY":
            _check_header(file, source.size)
            return {"X": np.load(file, allow_pickle=False)}
        arrays = {}
        with zipfile.ZipFile(file) as archive:
            members = archive.infolist()
            if not members or not all(m.filename.endswith(".npy") for m in members):
                refuse(
                    f"{source} is a zip archive, but not of NumPy arrays; extract the table, or if"
                    " it is a workbook, save it as CSV"
                )
            source.check_expansion(sum(member.file_size for member in members))
            for member in members:
                name = member.filename.removesuffix(".npy")
                if name in arrays:
                    refuse(f"{source} has two arrays named {brief(name)}; write it again")
                content = io.BytesIO(archive.read(member))
                _check_header(content, len(content.getbuffer()))
                arrays[name] = np.load(content, allow_pickle=False)
        return arrays


def _check_header(file: BinaryIO, size: int) -> None:
    """Refuse an array that is longer than the rest of the file, before allocating memory for it."""
    version = npy.read_magic(file)
    read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
    shape, _, dtype = read(file)
    values = 1
    for length in shape:
        values *= length  # exact; NumPy's product would wrap around
    there = size - file.tell()
    if not dtype.hasobject and values * max(1, dtype.itemsize) > there:
        message = f"its header says shape {shape}, which {there} bytes cannot hold"
        raise ValueError(message)
    file.seek(0)
