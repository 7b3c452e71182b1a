# SPDX-License-Identifier: BSD-3-Clause
"""What recipes, schemas and hints take from a column, which comes whole or in batches."""

import math
import re
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from .delimited import unnamed

FloatArray = NDArray[np.floating[Any]]
TEXT = (pl.String, pl.Categorical, pl.Enum)
ID_NAME = re.compile(r"(?i:(.*[\W_])?(id|uuid|guid|key))|.*[a-z]I[dD]")
ID_ENDS = ("d", "D", "y", "Y")
MOST_DIFFERENT = 1 << 18  # values of a column that are told apart in batches
CELLS_SHOWN = 3  # of those in which a value is, by their rows
LEAST_HELD = 1 << 16  # values that wait to be merged
VALUES_AT_ONCE = 1 << 18  # of columns that NumPy takes together


class Different:
    """The different values of a column in the order in which they come, or the first of them."""

    def __init__(self, *, counted: bool = False) -> None:
        self.rows = 0  # that were looked at
        self.is_complete = True  # or there were more values than are told apart
        self._is_counted = counted
        self._parts: list[pl.DataFrame] = []
        self._merged = 0  # the length of the first part, in which every value is once

    def add(self, values: pl.Series, row: int) -> None:
        """Take values, of which the first is in this row; missing ones do not count."""
        if self._merged > MOST_DIFFERENT:
            self.is_complete = False
            return
        self.rows += len(values)
        frame = pl.DataFrame({"value": values})
        of_each = []
        if self._is_counted:
            frame = frame.with_columns(rows=pl.int_range(row, row + len(values)))
            of_each = [pl.len().alias("count"), pl.col("rows").head(CELLS_SHOWN)]
        self._parts.append(_once(frame.drop_nulls("value"), of_each))
        held = sum(part.height for part in self._parts)
        if len(self._parts) > 1 and held > max(2 * self._merged, LEAST_HELD):
            self._merge()

    @property
    def table(self) -> pl.DataFrame:
        """The column value and, if they are counted, count and rows, the first of each."""
        self._merge()
        return self._parts[0]

    def __len__(self) -> int:
        return self.table.height if self._parts else 0

    def _merge(self) -> None:
        if len(self._parts) > 1:
            of_each = [pl.col("count").sum(), pl.col("rows").explode().head(CELLS_SHOWN)]
            parts = pl.concat(self._parts, how="vertical_relaxed")
            self._parts = [_once(parts, of_each if self._is_counted else [])]
        self._merged = self._parts[0].height


def _once(frame: pl.DataFrame, of_each: Iterable[pl.Expr]) -> pl.DataFrame:
    return frame.group_by("value", maintain_order=True).agg(*of_each)


class Facts:
    """Facts about the values of one column."""

    # a wide table has tens of thousands of them
    __slots__ = (
        *("name", "kinds", "rows", "missing", "first_missing"),
        *("infinite", "low", "high", "different"),
    )

    def __init__(self, name: str) -> None:
        self.name = name
        self.kinds: list[pl.DataType] = []  # of the values; none while all are missing
        self.rows = self.missing = 0
        self.first_missing: int | None = None  # counted from 0
        self.infinite: tuple[int, float] | None = None  # the first: its row and value
        self.low: Any = None
        self.high: Any = None
        self.different: Different | None = None  # of text, dates, integers, and what may be an ID

    def add(self, values: pl.Series, row: int) -> None:
        """Take some rows of a column not of floats, of which the first has this number."""
        self.rows += len(values)
        kind = values.dtype
        missing = where_missing(values)
        if missing is not None:
            self._add_missing(missing.to_numpy(), row)
        if missing is not None and missing.all():
            return
        self._take(kind)
        values = unnamed(values)
        if kind in TEXT:
            values = values.cast(pl.String).str.strip_chars()
        else:
            self._add_range(values.min(), values.max())
        if kind in TEXT or kind.is_temporal() or kind.is_integer():
            self.different = self.different or Different(counted=kind in TEXT)
            self.different.add(values, row)

    def add_floats(
        self, kind: pl.DataType, values: FloatArray, missing: int, low: float, high: float, row: int
    ) -> None:
        """Take some rows of a column of floats, of which this is known."""
        self.rows += len(values)
        if missing:
            self._add_missing(np.isnan(values), row)
            if missing == len(values):
                return
        self._take(kind)
        self._add_range(low, high)
        if (low == -math.inf or high == math.inf) and self.infinite is None:
            at = int(np.argmax(np.isinf(values)))
            self.infinite = row + at, float(values[at])
        if self.may_be_id:
            self.different = self.different or Different()
            self.different.add(pl.Series(values, dtype=kind, nan_to_null=True), row)

    @property
    def may_be_id(self) -> bool:
        """Whether the name is one of identifiers."""
        return self.name[-1:] in ID_ENDS and ID_NAME.fullmatch(self.name) is not None

    @property
    def kind(self) -> pl.DataType:
        """The type of the values."""
        if len(self.kinds) > 1:
            return pl.Float64()
        return self.kinds[0] if self.kinds else pl.Null()

    @property
    def texts(self) -> pl.DataFrame:
        """The different values, and of text how often each occurs, and its first rows."""
        return pl.DataFrame({"value": []}) if self.different is None else self.different.table

    @property
    def is_counted(self) -> bool:
        """Whether `texts` has all values."""
        return self.different is None or self.different.is_complete

    @property
    def is_mixed(self) -> bool:
        """Whether types are mixed of which no common one is used."""
        return len(self.kinds) > 1 and not all(kind.is_numeric() for kind in self.kinds)

    @property
    def is_constant(self) -> bool:
        """Whether there is one value in all rows."""
        if self.missing or self.low != self.high:
            return False
        if self.kind in TEXT:
            return self.different is not None and len(self.different) == 1
        return True

    @property
    def is_unique(self) -> bool:
        """Whether every row that was looked at has another value, if anyone asks that of it."""
        found = self.different
        return found is not None and not self.missing and len(found) == found.rows

    def schema(self) -> dict[str, str | int | float | None]:
        """Return the type, missing values and range, as a model stores them."""
        what = _type_of(self.kind)
        different: int | None = None
        if what == "boolean":
            different = len({self.low, self.high})
        elif what != "float" and self.different is not None:
            different = len(self.different)
        return {
            "type": what,
            "missing": self.missing,
            "minimum": _plain(self.low, what),
            "maximum": _plain(self.high, what),
            "different": None if different is None or different > MOST_DIFFERENT else different,
        }

    def _add_missing(self, missing: Any, row: int) -> None:
        self.missing += int(missing.sum())
        if self.first_missing is None:
            self.first_missing = row + int(np.argmax(missing))

    def _add_range(self, low: Any, high: Any) -> None:
        self.low = low if self.low is None else min(self.low, low)
        self.high = high if self.high is None else max(self.high, high)

    def _take(self, kind: pl.DataType) -> None:
        if kind not in self.kinds:
            self.kinds.append(kind)


def facts_of(columns: Sequence[pl.Series]) -> list[Facts]:
    """Return the facts about whole columns."""
    facts = [Facts(values.name) for values in columns]
    add_rows(facts, columns, 0)
    return facts


def add_rows(facts: Sequence[Facts], columns: Sequence[pl.Series], row: int) -> None:
    """Take some rows of all columns, of which the first has this number."""
    floats = []
    kinds = pl.DataFrame(columns).dtypes  # one by one, they would take three times as long
    for one, values, kind in zip(facts, columns, kinds, strict=True):
        if kind.is_float():
            floats.append((one, values))
        else:
            one.add(values, row)
    # One by one, many short columns would take longer than their values.
    each = max(1, VALUES_AT_ONCE // max(1, len(columns[0]))) if columns else 1
    for start in range(0, len(floats), each):
        _add_floats(floats[start : start + each], row)


def _add_floats(floats: Sequence[tuple[Facts, pl.Series]], row: int) -> None:
    columns = [values for _, values in floats]
    table = pl.DataFrame(columns)
    X = columns[0].to_numpy()[None] if len(columns) == 1 else stacked(table)
    missing = np.isnan(X).sum(axis=1).tolist()
    # fmin and fmax pass over NaN
    low = np.fmin.reduce(X, axis=1, initial=np.nan).tolist()
    high = np.fmax.reduce(X, axis=1, initial=np.nan).tolist()
    known = zip(floats, table.dtypes, X, missing, low, high, strict=True)
    for (one, _), kind, values, without, least, most in known:
        one.add_floats(kind, values, without, least, most, row)


def stacked(columns: pl.DataFrame) -> NDArray[Any]:
    """Return columns of floats as an array, (columns, rows)."""
    if columns.width > columns.height:  # few long columns take less time than many short ones
        return columns.transpose().to_numpy(order="c")
    return columns.to_numpy(order="fortran").T


def counted(texts: pl.Series, row: int) -> pl.DataFrame:
    """Return the different texts, how often each occurs, and its first rows."""
    different = Different(counted=True)
    different.add(texts, row)
    return different.table


def where_missing(values: pl.Series) -> pl.Series | None:
    """Return which values are null or NaN, or None if none is."""
    missing = unnamed(values).is_null()
    if values.dtype.is_float():
        missing |= unnamed(values).is_nan().fill_null(value=False)
    return missing if missing.any() else None


def _type_of(kind: pl.DataType) -> str:
    if kind.is_float():
        return "float"
    if kind.is_integer():
        return "integer"
    if kind == pl.Boolean:
        return "boolean"
    if kind in TEXT:
        return "text"
    return "date" if kind.is_temporal() else "float"


def _plain(value: Any, what: str) -> str | float | None:
    if value is None or isinstance(value, (bool, int)):
        return None if value is None else int(value)
    return str(value) if what == "date" else float(value)
