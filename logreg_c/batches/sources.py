# SPDX-License-Identifier: BSD-3-Clause
"""Batches of files, of arrays that give rows, and of what has an Arrow stream."""

from __future__ import annotations

import glob
import importlib
import os
from contextlib import contextmanager
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from logreg_c import _input

from .batches import Batch, Batches
from .formats import FORMATS, rows_of_batch

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from .formats import Format


def from_files(
    files: str | os.PathLike[str] | Iterable[str | os.PathLike[str]],
    *,
    columns: Iterable[str] | None = None,
    cache: str | os.PathLike[str] | None = None,
) -> Batches:
    """Read files in batches: Parquet, Arrow IPC, CSV, NPY or NPZ.

    The extra ``files`` reads all but NPY and NPZ.

    Parameters
    ----------
    files : path-like, or iterable of them
        One file, many, a folder with all files in it and its subfolders, or a pattern with ``*``,
        ``**`` or ``?``. All have one format: .parquet, .arrow, .feather, .ipc, .csv, .npy or .npz.
        The files of a folder or a pattern are read in the order of their names. Where folders have
        names like ``year=2025``, these are columns too. The array of an .npy file has the shape
        (rows, n_x). Arrays x (rows,) of an .npz file are columns, and arrays X (rows, n) are n
        columns X0, X1, ... Numbers in a CSV file are read as float64.
    columns : iterable of str, optional
        The features, in this order; by default all columns that are neither Y nor sample_weight.
        Of Parquet and CSV, no others are read.
    cache : path-like, optional
        A file to which the first pass writes the columns, from which later passes read them as fast
        as the disk allows. A later call with the same files, if they have not changed, and with the
        same columns, reads it from the start.

    Returns
    -------
    Batches
        X of `train` and `fit`.

    Raises
    ------
    FileNotFoundError
        There is no such file.
    ValueError
        The format is unknown, or files differ in format.
    ModuleNotFoundError
        The extra ``files`` is not installed.

    Examples
    --------
    >>> import numpy as np
    >>> import logreg_c
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(5000, 3))
    >>> np.save(tmp / "X.npy", X)
    >>> y = X[:, 0] + rng.normal(size=5000) > 0
    >>> result = logreg_c.fit(logreg_c.batches.from_files(tmp / "X.npy"), y)
    >>> bool(np.all(result.w == logreg_c.fit(X.T, y).w))
    True
    """
    found = list(_expanded(files))
    if not found:
        msg = f"{os.fspath(files) if isinstance(files, (str, Path)) else files} has no files"
        raise FileNotFoundError(msg)
    suffixes = sorted({path.suffix.lower() for path in found})
    if len(suffixes) > 1 or suffixes[0] not in FORMATS:
        msg = (
            f"the files end in {', '.join(map(repr, suffixes))}; expected one of "
            f"{', '.join(FORMATS)}, the same for all"
        )
        raise ValueError(msg)
    module, name = FORMATS[suffixes[0]]
    make = getattr(_imported(module), name)
    with _naming(found[0]):
        return _Files(found, make(found), columns, cache)


def from_array(
    array: Any,
    *,
    columns: Iterable[str] | None = None,
    cache: str | os.PathLike[str] | None = None,
) -> Batches:
    """Read in batches an array that gives some of its rows: of HDF5 (h5py), Zarr, and others.

    Parameters
    ----------
    array : object of shape (rows, n_x)
        ``array[i:j]`` gives the rows from i to j as what NumPy makes an array of. Where it has
        `chunks`, as datasets of h5py and Zarr do, whole chunks are read.
    columns : iterable of str, optional
        Names of the features, in this order; by default they have none.
    cache : path-like, optional
        A file to which the first pass writes the rows, from which later passes read them as fast as
        the disk allows.

    Returns
    -------
    Batches
        X of `train` and `fit`, whose Y is an array.

    Raises
    ------
    TypeError
        `array` has no shape, or another number of axes than two, or is sparse.

    Examples
    --------
    >>> import numpy as np
    >>> import logreg_c
    >>> X = np.random.default_rng(0).normal(size=(5000, 3))
    >>> Y = X[:, 0] > 0.1
    >>> result = logreg_c.fit(logreg_c.batches.from_array(X), Y, l2=0.1)
    >>> bool(np.all(result.w == logreg_c.fit(X.T, Y, l2=0.1).w))
    True
    """
    if _input.is_sparse(array):
        msg = "array is sparse, and batches are dense: pass array.T as X, which is read in place"
        raise TypeError(msg)
    shape: Any = getattr(array, "shape", ())
    if len(shape) != 2:
        msg = f"array is a {type(array).__name__} of shape {shape}; expected the shape (rows, n_x)"
        raise TypeError(msg)
    rows, n_x = shape
    chunk = (getattr(array, "chunks", None) or (1,))[0]
    step = max(rows_of_batch(n_x) // chunk, 1) * chunk
    return _Array(array, range(0, rows, step), columns, cache)


def from_stream(
    data: Any,
    *,
    columns: Iterable[str] | None = None,
    cache: str | os.PathLike[str] | None = None,
) -> Batches:
    """Read in batches what PyArrow or polars computes or reads as a stream, again for every pass.

    Parameters
    ----------
    data : pyarrow.dataset.Dataset, polars.LazyFrame, or object with ``__arrow_c_stream__``
        Something that gives the same rows in the same order each time: no open reader, which can be
        read once only.
    columns : iterable of str, optional
        The features, in this order; by default all columns that are neither Y nor sample_weight.
    cache : path-like, optional
        A file to which the first pass writes the columns, from which later passes read them as fast
        as the disk allows.

    Returns
    -------
    Batches
        X of `train` and `fit`.

    Raises
    ------
    TypeError
        `data` has no stream, or one that can be read only once.

    Examples
    --------
    >>> import logreg_c
    >>> import polars as pl
    >>> frame = pl.LazyFrame({"x": [0.5, 1.5, 2.5, 3.5], "y": [0, 1, 0, 1]})
    >>> result = logreg_c.fit(logreg_c.batches.from_stream(frame), "y")
    >>> result.w.round(6), round(result.b, 6)
    (array([[0.908184]]), -1.816368)
    """
    kind = type(data).__name__
    if hasattr(data, "read_next_batch"):
        msg = (
            f"data is a {kind}, which can be read once only; expected what gives a new stream for "
            "every pass: pass the dataset or the lazy frame, or Batches(function) with a function "
            "that opens the reader"
        )
        raise TypeError(msg)
    if not any(hasattr(data, name) for name in _STREAMS):
        msg = (
            f"data is a {kind}; expected a pyarrow Dataset, a polars LazyFrame, or an object with "
            "__arrow_c_stream__"
        )
        raise TypeError(msg)
    return _Stream(data, columns, cache)


_STREAMS = "collect_batches", "to_batches", "__arrow_c_stream__"


class _Files(Batches):
    """The files of one format."""

    def __init__(
        self,
        files: list[Path],
        form: Format,
        columns: Iterable[str] | None,
        cache: str | os.PathLike[str] | None,
    ) -> None:
        super().__init__(lambda: map(itemgetter(0), self.read(None)), columns=columns, cache=cache)
        self._files = files
        self._format = form

    @property
    def reads_ahead(self) -> bool:
        """Whether a thread may read the next batch while the kernel works on this one."""
        return True

    def names(self) -> tuple[str, ...] | None:
        """Return the names of all columns, if they have names."""
        return self._format.names()

    def identity(self) -> Any:
        """Return what changes when the files do."""
        found = [(str(path.resolve()), path.stat()) for path in self._files]
        return [[name, stat.st_size, stat.st_mtime_ns] for name, stat in found]

    def read(self, columns: tuple[str, ...] | None) -> Iterator[Batch]:
        """Read file after file."""
        for path in self._files:
            first = 0
            with _naming(path):
                for count, rows in self._format.read(path, columns):
                    yield Batch(rows, str(path), first)
                    first += count


class _Array(Batches):
    """Rows of an array that is elsewhere."""

    def __init__(
        self,
        array: Any,
        starts: range,
        columns: Iterable[str] | None,
        cache: str | os.PathLike[str] | None,
    ) -> None:
        super().__init__(
            lambda: (np.asarray(array[k : k + starts.step]) for k in starts),
            columns=columns,
            cache=cache,
        )

    @property
    def reads_ahead(self) -> bool:
        """Whether a thread may read the next batch while the kernel works on this one."""
        return True


class _Stream(Batches):
    """What makes a new stream for every pass."""

    def __init__(
        self, data: Any, columns: Iterable[str] | None, cache: str | os.PathLike[str] | None
    ) -> None:
        super().__init__(lambda: _stream_of(data), columns=columns, cache=cache)

    @property
    def reads_ahead(self) -> bool:
        """Whether a thread may read the next batch while the kernel works on this one."""
        return True


@contextmanager
def _naming(path: Path) -> Iterator[None]:
    """Name the file in what is raised about it."""
    try:
        yield
    except (OSError, ValueError) as error:
        if str(path) in str(error):
            raise
        msg = f"{path} cannot be read: {error}; expected a whole {path.suffix} file"
        raise ValueError(msg) from None


def _stream_of(data: Any) -> Iterable[Any]:
    if hasattr(data, "collect_batches"):
        lazy: Iterable[Any] = data.collect_batches(maintain_order=True)
        return lazy
    if hasattr(data, "__arrow_c_stream__"):
        stream: Iterable[Any] = _imported("pyarrow").RecordBatchReader.from_stream(data)
        return stream
    scanned: Iterable[Any] = data.to_batches(batch_readahead=1, fragment_readahead=1)
    return scanned


def _expanded(files: Any) -> Iterator[Path]:
    if not isinstance(files, (str, os.PathLike)):
        for item in files:
            yield from _expanded(item)
        return
    path = Path(files)
    if path.is_dir():
        inside = (p for p in path.rglob("*") if not p.name.startswith((".", "_")))
        yield from sorted(p for p in inside if p.suffix.lower() in FORMATS)
    elif path.exists() or not glob.has_magic(str(files)):
        if not path.exists():
            msg = f"{str(path)!r} does not exist; expected a file, a folder, or a pattern"
            raise FileNotFoundError(msg)
        yield path
    else:
        found = sorted(map(Path, glob.glob(str(files), recursive=True)))
        yield from (p for p in found if p.is_file())


def _imported(module: str) -> Any:
    try:
        return importlib.import_module(module, __package__)
    except ModuleNotFoundError as error:
        if error.name != "pyarrow":
            raise
        msg = "reading these needs PyArrow: pip install 'logreg-c[files]'"
        raise ModuleNotFoundError(msg, name="pyarrow") from None
