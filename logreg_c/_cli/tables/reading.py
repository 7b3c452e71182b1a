# SPDX-License-Identifier: BSD-3-Clause
"""Tables of any format, whole or in batches."""

import csv
import dataclasses
import difflib
import fnmatch
import os
import re
import struct
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import NamedTuple, NoReturn

import polars as pl
from polars import selectors

from logreg_c._cli.errors import InputError, brief, muted, refuse

from . import arrow
from .arrays import MOST_COLUMNS, from_arrays
from .delimited import COMMON_ENCODING, NAMELESS, NUMBER, Delimited, EncodingError
from .faults import Faults
from .source import Source

# Make polars read local files instead of mapping them: a mapped file that shrinks kills the process
# (SIGBUS).
os.environ["POLARS_FORCE_ASYNC"] = "1"
os.environ["POLARS_ROW_GROUP_PREFETCH_SIZE"] = "1"  # reading further ahead only costs memory

BATCH = 1 << 16  # rows in memory at a time ...
BATCH_VALUES = 1 << 23  # ... or fewer, to stay below this many values
LONGEST_NAME = 1000  # characters; NumPy, which stores models, pads all names to the longest
PARQUET_ALLOWED = 1 << 28  # bytes that any Parquet file may expand to
IN_PIECES = ("Parquet", "Arrow")  # formats of which some rows can be read without those before
PIECE_BYTES = 1 << 25  # of a file, in a piece of it ...
PIECE_VALUES = 1 << 24  # ... or fewer, to stay below this many values


class Piece(NamedTuple):
    """Some rows of a file; where their number is None, all."""

    file: Source
    first: int = 0
    rows: int | None = None


class Choice(NamedTuple):
    """The columns to train on: all but the target, unless patterns with * and ? restrict them."""

    target: str
    features: tuple[str, ...] = ()  # if not empty, only these
    drop: tuple[str, ...] = ()
    aside: tuple[str, ...] = ()  # columns to read that are not features

    def of(self, names: Sequence[str], source: Source) -> list[str]:
        """Return the chosen names, and the target, in the order of the table."""
        for name in (self.target, *self.aside):
            check_presence(name, names, source)
        if self.target in self.aside:
            refuse(f"the target {brief(self.target)} cannot be a weight, group or time, too")
        if self.target in self.drop:
            refuse(f"--drop {brief(self.target)} would leave out the target; name another column")
        wanted = _matching(names, self.features, source) if self.features else set(names)
        wanted -= _matching(names, self.drop, source)
        wanted |= {self.target, *self.aside}
        return [name for name in names if name in wanted]


def _matching(names: Sequence[str], patterns: Iterable[str], source: Source) -> set[str]:
    """Return the names that match; an exact name is no pattern."""
    found, there = set(), set(names)
    for pattern in patterns:
        wildcard = pattern.replace("[", "[[]")
        same = {pattern} & there or {name for name in names if fnmatch.fnmatchcase(name, wildcard)}
        if not same:
            check_presence(pattern, names, source)
        found |= same
    return found


def read(source: Source, choice: Choice, faults: Faults) -> tuple[pl.DataFrame, list[str]]:
    """Read the chosen columns; return them, and the columns that the file says are an index."""
    index: list[str] = []
    with _faults_of(source):
        if source.kind == "CSV":
            table = _read_csv_of_any_encoding(source, choice, faults)
        else:
            frame, index = _scan(source)
            names = _usable(frame, source, choice, faults)
            table = frame.select(selectors.by_name(*names)).collect()
    if table.height == 0 and table.width:
        refuse_empty(source)
    return _without_na(table, source.dialect.na_values), index


def chosen(source: Source, choice: Choice, faults: Faults) -> tuple[list[str], list[str]]:
    """Return the names of the chosen columns, and those that the file says are an index."""
    with _faults_of(source):
        if source.kind == "CSV":
            return _usable_of_csv(Delimited(source), source, choice, faults), []
        frame, index = _scan(source)
        return _usable(frame, source, choice, faults), index


def _usable(frame: pl.LazyFrame, source: Source, choice: Choice, faults: Faults) -> list[str]:
    types = frame.collect_schema()
    _check_number(source, types)
    names = choice.of(types.names(), source)
    _check_names(source, names)
    return [name for name in names if _has_type(name, types[name], source, choice.target, faults)]


def _usable_of_csv(table: Delimited, source: Source, choice: Choice, faults: Faults) -> list[str]:
    _check_number(source, table.names)
    names = choice.of(table.names, source)
    _check_names(source, names)
    for new, name in table.repeated.items():
        if new in names and name in names:
            faults.add("repeated", new, brief(name))
    return names


def _without_na(table: pl.DataFrame, na_values: Iterable[str]) -> pl.DataFrame:
    """Set values to null that the user says are missing; texts of CSV are null already."""
    numbers = []
    for value in na_values:
        with suppress(ValueError):
            numbers.append(float(value))
    if not na_values:
        return table
    columns = []
    for values in table.get_columns():
        missing = pl.lit(value=False)
        if values.dtype in (pl.String, pl.Categorical, pl.Enum):
            missing = pl.first().cast(pl.String).str.strip_chars().is_in(list(na_values))
        elif values.dtype.is_numeric():
            missing = pl.first().cast(pl.Float64).is_in(numbers)
        kept = pl.when(~missing.fill_null(value=False)).then(pl.first())
        columns.append(values.to_frame().select(kept).to_series())
    return pl.DataFrame(columns)


def batches(
    source: Source, columns: Mapping[str, Collection[str] | None]
) -> Iterator[tuple[Source, int, pl.DataFrame]]:
    """Yield the file, the number of the first row in it, and these columns, BATCH rows at a time.

    `columns` maps each name to None, or to the expected values if the column is to stay text.
    """
    is_empty = True
    for part in source.parts:
        for batch in batches_of(Piece(part), columns):
            is_empty = False
            yield batch
    if is_empty:
        refuse_empty(source)


def refuse_empty(source: Source) -> NoReturn:
    """Refuse files without rows."""
    refuse(f"{source} has no rows of data")


def batches_of(
    piece: Piece, columns: Mapping[str, Collection[str] | None]
) -> Iterator[tuple[Source, int, pl.DataFrame]]:
    """Yield what `batches` does, of a piece of a file; of one without rows, nothing."""
    part, row, _ = piece
    with _faults_of(part):
        for batch in _batches(piece, columns):
            if batch.height:
                yield part, row, _without_na(batch, part.dialect.na_values)
            row += batch.height


def _rows_of_batch(columns: Collection[str]) -> int:
    return max(1, min(BATCH, BATCH_VALUES // len(columns)))


def pieces(source: Source, columns: Collection[str]) -> list[Piece]:
    """Return pieces of all files, in their order, that can be read apart; each has whole batches.

    The rows of files that can only be read from their beginning are None.
    """
    found: list[Piece] = []
    for part in source.parts:
        if part.kind not in IN_PIECES:
            found.append(Piece(part))
            continue
        with _faults_of(part):
            rows: int = _scan(part)[0].select(pl.len()).collect().item()
        batch = _rows_of_batch(columns)
        wanted = min(rows * PIECE_BYTES // part.size, PIECE_VALUES // len(columns))
        size = max(wanted // batch, 1) * batch
        starts = range(0, max(rows, 1), size)
        found += [Piece(part, first, min(size, rows - first)) for first in starts]
    return found


def _batches(piece: Piece, columns: Mapping[str, Collection[str] | None]) -> Iterator[pl.DataFrame]:
    source, most = piece.file, _rows_of_batch(columns)
    if source.kind != "CSV":
        frame, _ = _scan(source)
        _check_presence_of_all(columns, frame.collect_schema().names(), source)
        wanted = frame.select(selectors.by_name(*columns)).slice(piece.first, piece.rows)
        yield from wanted.collect_batches(chunk_size=most, engine="streaming")
        return
    table = Delimited(source)
    _check_presence_of_all(columns, table.names, source)
    at = {name: j for j, name in enumerate(table.names)}
    as_text = {name: kept for name, kept in columns.items() if kept is not None}
    wanted_columns = [at[name] for name in columns]
    frames = (pl.DataFrame([raw.to_series(j) for j in wanted_columns]) for raw in table.frames())
    for raw in _of_size(frames, most):
        yield table.typed(raw, as_text)


def _of_size(frames: Iterable[pl.DataFrame], most: int) -> Iterator[pl.DataFrame]:
    """Yield the same rows, `most` at a time."""
    waiting: list[pl.DataFrame] = []
    for frame in frames:
        waiting.append(frame)
        if sum(part.height for part in waiting) >= most:
            whole = pl.concat(waiting)
            full = whole.height - whole.height % most
            for start in range(0, full, most):
                yield whole.slice(start, most)
            waiting = [whole.slice(full)]
    if waiting:
        yield pl.concat(waiting)


def _read_csv_of_any_encoding(source: Source, choice: Choice, faults: Faults) -> pl.DataFrame:
    """Read a file that is not UTF-8 in the most common encoding, to find its other faults too."""
    try:
        return _read_csv(source, choice, faults)
    except EncodingError as error:
        if source.dialect.encoding is not None:
            raise
        with suppress(InputError):
            dialect = source.dialect._replace(encoding=COMMON_ENCODING)
            table = _read_csv(dataclasses.replace(source, dialect=dialect), choice, faults)
            faults.add_other(error.what, encoding=COMMON_ENCODING)
            return table
        raise


def _read_csv(source: Source, choice: Choice, faults: Faults) -> pl.DataFrame:
    table = Delimited(source)
    names = _usable_of_csv(table, source, choice, faults)
    at = {name: j for j, name in enumerate(table.names)}
    wanted = [at[name] for name in names]
    all_wanted = wanted == list(range(len(at)))
    as_text: dict[str, Collection[str]] = {choice.target: ()}
    while True:
        parts = [
            table.typed(
                raw if all_wanted else pl.DataFrame([raw.to_series(j) for j in wanted]), as_text
            )
            for raw in table.frames()
        ]
        if len(parts) == 1:
            return parts[0]
        types = [_types_of(columns) for columns in zip(*map(_described, parts), strict=True)]
        mixed = [name for name, found in zip(names, types, strict=True) if len(found) > 1]
        if not mixed:
            break
        # Numbers in one part and text in another: read the column again, as text.
        as_text |= dict.fromkeys(mixed, ())
    kinds = [next(iter(found), pl.Float64()) for found in types]
    return pl.concat([_cast(part, kinds) for part in parts], rechunk=False)


def _cast(part: pl.DataFrame, kinds: Sequence[pl.DataType]) -> pl.DataFrame:
    each = zip(part.get_columns(), part.dtypes, kinds, strict=True)
    others = [values.cast(kind) for values, found, kind in each if found != kind]
    return part.with_columns(others) if others else part


def _described(part: pl.DataFrame) -> list[tuple[pl.DataType, bool]]:
    nulls = part.null_count().row(0)
    return [(kind, n < part.height) for kind, n in zip(part.dtypes, nulls, strict=True)]


def _types_of(column: Iterable[tuple[pl.DataType, bool]]) -> set[pl.DataType]:
    return {kind for kind, has_values in column if has_values}


def _scan(source: Source) -> tuple[pl.LazyFrame, list[str]]:
    """Return the table, and the columns that pandas wrote as an index."""
    path = source.path
    if source.kind == "Parquet":
        frame = pl.scan_parquet(path, glob=False, hive_partitioning=False)
        _check_size(source, frame)
        return frame, arrow.index_columns(pl.read_parquet_metadata(path).get("pandas", ""))
    if source.kind == "Arrow":
        index = arrow.check(source)
        return pl.scan_ipc(path, glob=False, hive_partitioning=False), index
    if source.kind == "Arrow stream":
        index = arrow.check(source)
        with path.open("rb") as file:
            return pl.read_ipc_stream(file).lazy(), index
    return from_arrays(source).lazy(), []


def _check_size(source: Source, frame: pl.LazyFrame) -> None:
    """Refuse a Parquet file that repeats a few values very many times."""
    rows = frame.select(pl.len()).collect().item()
    width = sum(_bytes_of(kind) for kind in frame.collect_schema().dtypes())
    source.check_expansion(rows * width, allowed=PARQUET_ALLOWED)


def _bytes_of(kind: pl.DataType) -> int:
    if kind.is_numeric():
        digits = re.search(r"\d+", str(kind))
        return int(digits[0]) // 8 if digits else 16
    return 1 if kind == pl.Boolean else 16


@contextmanager
def _faults_of(source: Source) -> Iterator[None]:
    try:
        with muted():
            yield
    except (
        pl.exceptions.PolarsError,
        pl.exceptions.PanicException,
        csv.Error,
        struct.error,
        ValueError,
    ) as error:
        reason = repr(str(error).partition("\n")[0])[1:-1][:200]
        refuse(f"{source} cannot be read as {source.kind} ({reason}); write it again")
    except OSError as error:
        refuse(f"{source} cannot be read: {error.strerror or error}")


# ---- Names ---------------------------------------------------------------------------------------


def _check_number(source: Source, names: Collection[str]) -> None:
    if len(names) > MOST_COLUMNS:
        refuse(f"{source} has {len(names)} columns; at most {MOST_COLUMNS} can be read")


def _check_names(source: Source, names: Sequence[str]) -> None:
    for name in names:
        if name.endswith("\0"):  # NumPy's strings would drop it
            refuse(f"{source} has a column name that ends in NUL, {brief(name)}; rename it")
        if len(name) > LONGEST_NAME:
            refuse(
                f"{source} has a column name of {len(name)} characters, {brief(name)}; at most"
                f" {LONGEST_NAME} are allowed: rename it"
            )


def _has_type(name: str, kind: pl.DataType, source: Source, target: str, faults: Faults) -> bool:
    """Whether columns of this type can be used."""
    usable = not (kind.is_nested() or kind in (pl.Binary, pl.Object, pl.Time, pl.Duration))
    if not usable and name == target:
        refuse(
            f"{source}: target {brief(name)} is of type {kind}; make it text, numbers, or"
            " true/false"
        )
    if not usable:
        faults.add("type", name, kind)
    return usable


def _check_presence_of_all(wanted: Iterable[str], columns: Sequence[str], source: Source) -> None:
    there = set(columns)
    for name in wanted:
        if name not in there:
            check_presence(name, columns, source)


def check_presence(name: str, columns: Sequence[str], source: Source) -> None:
    """Refuse a name that is not among the columns."""
    if name in columns:
        return
    named = [column for column in columns if not column.startswith(NAMELESS)]
    like = [column for column in named if abs(len(column) - len(name)) < 4][:1000]
    near = difflib.get_close_matches(name, like, n=3)
    hint = f"did you mean {listed(near)}?" if near else f"it has {listed(named) or 'none'}"
    if len(columns) == 1:
        hint = (
            f"its only column is {brief(columns[0])}: are its values separated by commas,"
            " semicolons, tabs or |?"
        )
    elif 2 * sum(NUMBER.fullmatch(column) is not None for column in named) >= len(named) > 0:
        hint += "; if these are data, add a header with the names of the columns"
    refuse(f"{source} has no column {brief(name)}; {hint}")


def listed(values: Sequence[object], at_most: int = 5) -> str:
    """List the first few values."""
    more = len(values) - at_most
    tail = f" and {more} more" if more > 0 else ""
    return ", ".join(map(brief, values[:at_most])) + tail
