# SPDX-License-Identifier: BSD-3-Clause
"""Tables from files, whole or a batch at a time, as columns; each fault in one sentence."""

import difflib
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from polars import selectors

from .errors import brief, refuse

SUFFIXES = {
    ".parquet": "Parquet",
    ".arrow": "Arrow",
    ".feather": "Arrow",
    ".ipc": "Arrow",
    ".arrows": "Arrow stream",
    ".npy": "NPY",
    ".npz": "NPZ",
}
# How such files begin: standard input has no name, and names may be wrong.
MAGIC = {
    b"PAR1": "Parquet",
    b"ARROW1": "Arrow",
    b"\xff\xff\xff\xff": "Arrow stream",
    b"\x93NUMPY": "NPY",
    b"PK\x03\x04": "NPZ",
}
BATCH = 1 << 16  # rows in memory at a time
INFERRED = 10_000  # rows that tell the types of a CSV file's columns where it is not read whole
MOST_CATEGORIES = 1000
TEXT = (pl.String, pl.Categorical, pl.Enum)
# Numbers that the kernel does not read in place.
WIDENED = (pl.UInt32, pl.UInt64, pl.Int128, pl.UInt128, pl.Decimal)


@dataclass(frozen=True)
class Source:
    """A file that can be read more than once."""

    name: str  # as messages call it
    path: Path
    kind: str

    def __str__(self) -> str:
        return self.name


@contextmanager
def opened(file: Path) -> Iterator[Source]:
    """Find out what `file` is; standard input (-) and pipes are copied to a temporary file."""
    name, path = str(file), file
    with ExitStack() as stack:
        try:
            if name == "-":
                name = "standard input"
                if sys.stdin is None:
                    refuse("standard input is closed; name a file")
                path = _copied(stack, sys.stdin.buffer)
            elif file.is_dir():
                refuse(f"{file} is a directory; name one file in it")
            elif file.exists() and not file.is_file():
                path = _copied(stack, stack.enter_context(file.open("rb")))
            with path.open("rb") as content:
                head = content.read(8)
        except FileNotFoundError:
            refuse(f"{name} does not exist; check the name and the folder")
        except OSError as error:
            refuse(f"{name} cannot be read: {error.strerror or error}")
        kinds = [kind for magic, kind in MAGIC.items() if head.startswith(magic)]
        yield Source(name, path, kinds[0] if kinds else SUFFIXES.get(path.suffix.lower(), "CSV"))


def _copied(stack: ExitStack, stream: Any) -> Path:
    # Windows deletes no file that is still mapped, as polars may have it.
    folder = tempfile.TemporaryDirectory(prefix="logreg-c-", ignore_cleanup_errors=True)
    path = Path(stack.enter_context(folder), "copy")
    with path.open("wb") as copy:
        shutil.copyfileobj(stream, copy)
    return path


# ---- Reading -----------------------------------------------------------------------------------


def read(source: Source) -> pl.DataFrame:
    """Read all of it, every column in the narrowest type that holds all its values."""
    with _faults_of(source):
        frame = _scan(source, inferred=None)
        _check_names(source, frame.collect_schema().names())
        table = frame.collect()
    if table.height == 0:
        refuse(f"{source} has no rows of data")
    return table


def batches(source: Source, columns: Mapping[str, bool]) -> Iterator[tuple[int, pl.DataFrame]]:
    """Yield the number of the first row and these columns, BATCH rows at a time, in order.

    `columns` tells for each whether it is wanted as text.
    """
    rows = 0
    with _faults_of(source):
        schema = _scan(source, inferred=INFERRED).collect_schema()
        _check_names(source, schema.names())
        for name in columns:
            check_presence(name, schema.names(), source)
        if source.kind == "CSV":
            # An integer in the first rows may be followed by a fraction. The other columns are read
            # too, for polars overlooks rows that are too long where it leaves columns out.
            types: dict[str, type[pl.DataType]] = {
                name: pl.String if columns.get(name, True) else pl.Float64
                for name, kind in schema.items()
                if columns.get(name, True) or kind.is_numeric()
            }
            frame = _scan(source, inferred=INFERRED, types=types)
        else:
            frame = _scan(source).select(selectors.by_name(*columns))
        for batch in frame.collect_batches(chunk_size=BATCH, engine="streaming"):
            if batch.height:
                yield rows, batch
            rows += batch.height
    if rows == 0:
        refuse(f"{source} has no rows of data")


def _scan(
    source: Source,
    *,
    inferred: int | None = None,
    types: Mapping[str, type[pl.DataType]] | None = None,
) -> pl.LazyFrame:
    path = source.path
    match source.kind:
        case "Parquet":
            return pl.scan_parquet(path, glob=False, hive_partitioning=False)
        case "Arrow":
            return pl.scan_ipc(path, glob=False, hive_partitioning=False)
        case "Arrow stream":
            return pl.read_ipc_stream(path).lazy()
        case "NPY" | "NPZ":
            return _from_arrays(source).lazy()
    return pl.scan_csv(path, glob=False, infer_schema_length=inferred, schema_overrides=types)


def _from_arrays(source: Source) -> pl.DataFrame:
    """Make a column of each vector, and of each column of a matrix: X gives X0, X1, ..."""
    columns: dict[str, NDArray[Any]] = {}
    try:
        with source.path.open("rb") as file:
            stored = np.load(file, allow_pickle=False)
            named = {"X": stored} if isinstance(stored, np.ndarray) else dict(stored)
    except MemoryError:
        raise
    except Exception as error:  # noqa: BLE001 (numpy, zipfile and ast raise a dozen kinds)
        refuse(f"{source} cannot be read as {source.kind} ({_first_line(error)}); write it again")
    for name, array in named.items():
        if array.dtype.names:
            columns |= {field: array[field] for field in array.dtype.names}
        elif array.ndim == 2:
            columns |= {f"{name}{j}": array[:, j] for j in range(array.shape[1])}
        else:
            columns[name] = array
    lengths = {}
    for name, values in columns.items():
        if values.ndim != 1 or values.dtype.kind not in "biufU":
            refuse(
                f"{source}: array {name!r} has shape {values.shape} and dtype {values.dtype};"
                " expected numbers, true/false or text, (rows,) or (rows, columns)"
            )
        lengths[len(values)] = name
    if len(lengths) > 1:
        (one, a), (other, b), *_ = lengths.items()
        refuse(f"{source}: {a!r} has {one} rows and {b!r} {other}; expected as many in each")
    wide = {name for name, x in columns.items() if x.dtype.kind == "f" and x.dtype.itemsize > 8}
    return pl.DataFrame(
        {
            name: values.astype(np.float64 if name in wide else values.dtype.newbyteorder("="))
            for name, values in columns.items()
        }
    )


@contextmanager
def _faults_of(source: Source) -> Iterator[None]:
    try:
        yield
    except pl.exceptions.NoDataError:
        refuse(f"{source} is empty; a header and rows of data are expected")
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        remedy = "write it again"
        if source.kind == "CSV":
            remedy = "save it as comma-separated UTF-8, numbers alone in the columns of numbers"
        refuse(f"{source} cannot be read as {source.kind} ({_first_line(error)}); {remedy}")
    except OSError as error:
        refuse(f"{source} cannot be read: {error.strerror or error}")


def _first_line(error: BaseException) -> str:
    return repr(str(error).partition("\n")[0])[1:-1][:200]


def _check_names(source: Source, names: Sequence[str]) -> None:
    if source.kind == "CSV" and any("\ufffd" in name or "\0" in name for name in names):
        refuse(f"{source} is not UTF-8 text; save it as comma-separated UTF-8")
    for name in names:
        if name.endswith("\0"):  # which NumPy's text drops
            refuse(f"{source} has a column name that ends in NUL, {name!r}; rename it")
    # polars reads a second "x" as "x_duplicated_0": which of the two is meant is not ours to guess.
    if source.kind == "CSV" and any("_duplicated_" in name for name in names):
        header = pl.read_csv(
            source.path, glob=False, has_header=False, n_rows=1, infer_schema_length=0
        ).row(0)
        for name in header:
            if header.count(name) > 1:
                refuse(
                    f"{source} has {header.count(name)} columns named {name!r}; give each its own"
                    " name"
                )


def check_presence(name: str, columns: Sequence[str], source: Source) -> None:
    """Refuse a name that is not among the columns."""
    if name in columns:
        return
    near = difflib.get_close_matches(name, columns, n=3)
    hint = f"did you mean {_listed(near)}?" if near else f"it has {_listed(columns)}"
    if len(columns) == 1:
        hint = f"its only column is {brief(columns[0])}: are its values separated by commas?"
    refuse(f"{source} has no column {name!r}; {hint}")


def _listed(values: Sequence[object], at_most: int = 5) -> str:
    more = len(values) - at_most
    tail = f" and {more} more" if more > 0 else ""
    return ", ".join(map(brief, values[:at_most])) + tail


# ---- Columns -----------------------------------------------------------------------------------


def numbers(values: pl.Series, source: Source, row: int = 0) -> NDArray[Any]:
    """Return a numeric column in its own type, in place where that is possible; bool as bytes."""
    _check_values(values, source, row)
    if values.dtype.base_type() in WIDENED:
        values = values.cast(pl.Float64)
    if not (values.dtype.is_numeric() or values.dtype == pl.Boolean):
        refuse(f"{source}: {_not_numeric(values, row)}")
    array = values.to_numpy()
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        refuse(
            f"{source}: column {values.name!r} is infinite in row"
            f" {row + int(np.argmin(np.isfinite(array))) + 1}; replace it by a finite number or"
            " take the row out"
        )
    return array


def text(values: pl.Series, source: Source, row: int = 0) -> pl.Series:
    """Return a column as text without missing values."""
    _check_values(values, source, row)
    return values.cast(pl.String)


def categories(values: pl.Series, source: Source) -> list[str]:
    """Return the different values of a text column, sorted."""
    found: list[str] = sorted(text(values, source).unique().to_list())
    if len(found) > MOST_CATEGORIES:
        refuse(
            f"{source}: feature {values.name!r} has {len(found)} different values; --one-hot makes"
            f" a feature of each and takes at most {MOST_CATEGORIES}: take the column out, or make"
            " its values fewer"
        )
    for value in found:
        if value.endswith("\0"):
            refuse(f"{source}: column {values.name!r} has a value that ends in NUL; take that out")
    return found


def one_hot(values: pl.Series, known: Sequence[str]) -> tuple[list[NDArray[np.bool_]], pl.Series]:
    """Return for each category where it is, a byte a row; and the values that are of none."""
    codes = values.cast(pl.Enum(known), strict=False)
    unknown = values.filter(codes.is_null())
    code = codes.to_physical().fill_null(len(known)).to_numpy()
    return [code == k for k in range(len(known))], unknown


def two_classes(values: pl.Series, source: Source) -> tuple[NDArray[np.bool_], NDArray[Any]]:
    """Return Y, (m,), true where the row is of the second class, and the two classes, sorted."""
    _check_target(values, source, 0)
    target = values.name
    found = sorted(values.unique().to_list())
    if len(found) == 1:
        refuse(
            f"{source}: target {target!r} is {brief(found[0])} in every row; two classes are needed"
        )
    if len(found) > 2:
        refuse(
            f"{source}: target {target!r} has {len(found)} different values ({_listed(found)});"
            " make it two classes, or keep only the rows of two"
        )
    classes, as_text = np.array(found), [str(value) for value in found]
    if classes.dtype.kind not in "biufU" or [str(value) for value in classes.tolist()] != as_text:
        # dates, decimals, integers that no type holds both of: kept as text
        classes = np.array(as_text)
        if classes.tolist() != as_text:
            refuse(f"{source}: target {target!r} has a value that ends in NUL; take that out")
    return (values == found[1]).to_numpy(), classes


def labels(
    values: pl.Series, classes: NDArray[Any], source: Source, row: int = 0
) -> NDArray[np.bool_]:
    """Return Y, (m,), true where the row is of the second of these classes."""
    _check_target(values, source, row)
    first, second = classes.tolist()
    Y = np.zeros(len(values), bool)
    for value in values.unique().to_list():
        if value == second or str(value) == second:
            Y |= (values == value).to_numpy()
        elif first not in (value, str(value)):
            at = row + _first_true(values == value) + 1
            refuse(
                f"{source}: target {values.name!r} is {brief(value)} in row {at}; the model's"
                f" classes are {brief(first)} and {brief(second)}"
            )
    return Y


def _check_target(values: pl.Series, source: Source, row: int) -> None:
    _check_values(values, source, row)
    if values.dtype.is_nested() or values.dtype in (pl.Binary, pl.Object):
        refuse(
            f"{source}: target {values.name!r} is of type {values.dtype}; make it text, numbers, or"
            " true/false"
        )


def _check_values(values: pl.Series, source: Source, row: int) -> None:
    missing = values.is_null()
    if values.dtype.is_float():
        missing |= values.is_nan()
    if missing.any():
        refuse(
            f"{source}: column {values.name!r} has missing values, first in row"
            f" {row + _first_true(missing) + 1}; fill in what is missing or take those rows out"
        )


def _first_true(where: pl.Series) -> int:
    return int(where.arg_true()[0])


def _not_numeric(values: pl.Series, row: int) -> str:
    kind, where, remedy = f"is of type {values.dtype}", "", "convert the column or take it out"
    if values.dtype in TEXT:
        remedy = f"give --one-hot to train, {remedy}"
        kind = "is text"
        read = values.cast(pl.String).cast(pl.Float64, strict=False)
        unread = read.is_null() | read.is_nan()
        first = _first_true(unread) if unread.any() else 0
        where = f" (row {row + first + 1}: {brief(values[first])})"
    return f"feature {values.name!r} {kind}{where}; features are numbers or true/false: {remedy}"
