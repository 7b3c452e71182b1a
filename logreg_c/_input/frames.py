# SPDX-License-Identifier: BSD-3-Clause
"""Data frames and series of every library that narwhals knows, as arrays in place."""

from __future__ import annotations

import sys
from collections import Counter
from numbers import Number
from typing import TYPE_CHECKING, Any

import narwhals as nw
import numpy as np
from narwhals.exceptions import DuplicateError

from .arrays import numbers_of_objects
from .frame_categories import codes_of_series, column_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

# So few values of a column are less than the objects that hold them: copied, if that is quicker.
FEW = 64
_CAST = nw.Decimal, nw.Int128, nw.UInt128
# What may hold numbers, which only the values tell.
_CATEGORIES = nw.Categorical, nw.Enum
_NUMBERS = Number, np.bool_
_REMEDIES: tuple[tuple[tuple[type[nw.dtypes.DType], ...], str], ...] = (
    ((nw.Date, nw.Datetime, nw.Duration, nw.Time), "make numbers of it, such as days since a date"),
    ((nw.Binary,), "make numbers of it"),
    ((nw.List, nw.Array, nw.Struct), "make a column of each of its parts"),
)


def columns(
    X: Any, names: tuple[Any, ...] | None, *, categories: bool = False
) -> tuple[Any, tuple[Any, ...] | None]:
    """Return the columns of X that `names` asks for, in its order (None: all), and their names.

    With `categories`, those that are not numbers are `Codes`, and `names` may have names of
    categories. What is no data frame after all is returned as it is, without names.
    """
    frame = _seen_by_narwhals(X, "X")
    if isinstance(frame, nw.Series):
        msg = (
            f"X is a {type(X).__name__}; expected a data frame, whose columns are the features: "
            "for one feature pass X.to_frame(), or a list of one series"
        )
        raise TypeError(msg)
    if not isinstance(frame, nw.DataFrame):
        return X, None
    found = {name: j for j, name in enumerate(frame.columns)}
    if not found:
        msg = "X is a data frame without columns; expected a column for each feature"
        raise ValueError(msg)
    names = tuple(found if names is None else names)
    if categories:
        of_names = [column_of(name, frame.columns) if name not in found else name for name in names]
        known = [name if c is None else c for name, c in zip(names, of_names, strict=True)]
        names = tuple(dict.fromkeys(known))
    missing = [name for name in names if name not in found]
    if missing:
        more = f" and {len(missing) - 3} more" if len(missing) > 3 else ""
        msg = (
            f"X lacks {', '.join(map(repr, missing[:3]))}{more} of the columns that w was trained "
            "on; expected all of them, in any order: rename those that mean the same, in X or by "
            "with_names(w, names)"
        )
        raise ValueError(msg)
    rows = _rows_of_pandas(frame.to_native()) if frame.implementation.is_pandas() else None
    if rows is None:
        return _one_by_one(frame, names, categories=categories), names
    if isinstance(rows, np.ndarray) and names == tuple(found):
        return rows, names
    return [rows[found[name]] for name in names], names


def _one_by_one(frame: nw.DataFrame[Any], names: tuple[Any, ...], *, categories: bool) -> list[Any]:
    of_text = "give each of its values a column of 0 and 1, as get_dummies and to_dummies do"
    if categories:
        of_text = "make categories of it, as astype('category') and cast(pl.Categorical) do"
    if frame.implementation.is_pyarrow():
        return [_values_of_arrow(frame, name, of_text, categories=categories) for name in names]
    series = dict(zip(frame.columns, frame.iter_columns(), strict=True))
    return [_column(series[name], f"column {name!r} of X", of_text, categories) for name in names]


def names(X: Any) -> tuple[Any, ...]:
    """Return the names of the columns of a data frame."""
    return tuple(_seen_by_narwhals(X, "X").columns)


def _values_of_arrow(frame: nw.DataFrame[Any], name: str, classes: str, *, categories: bool) -> Any:
    """Return a column of PyArrow: numbers without nulls at once, as batches have many of them."""
    kinds = sys.modules["pyarrow"].types
    column = frame.to_native().column(name)
    is_number = (kinds.is_floating, kinds.is_integer, kinds.is_boolean)
    if column.null_count == 0 and any(is_kind(column.type) for is_kind in is_number):
        values: NDArray[Any] = column.to_numpy()
        return values
    return _column(frame[name], f"column {name!r} of X", classes, categories)


def _column(series: nw.Series[Any], what: str, of_text: str, categories: bool) -> Any:
    """Return numbers as an array and, with `categories`, categories of others as `Codes`."""
    if categories and isinstance(series.dtype, _CATEGORIES):
        _refuse_nulls(series, what)
        found = codes_of_series(series)
        if None in found.labels:
            msg = f"{what} has a category that is null; expected a value in every row: fill it in"
            raise ValueError(msg)
        if not found.labels or not all(isinstance(label, _NUMBERS) for label in found.labels):
            return found
    return _values(series, what, of_text)


def _rows_of_pandas(frame: Any) -> Any:
    """Return the columns as rows of one matrix or as a list, where that is quick; else None.

    To ask pandas for a column takes 20 microseconds or more, to ask for all at once as much.
    """
    dtypes = frame.dtypes.tolist()
    kinds = {dtype.str: dtype for dtype in dtypes if isinstance(dtype, np.dtype)}
    m, n_x = frame.shape
    few = m <= FEW
    if not all(isinstance(dtype, np.dtype) and dtype.kind in "fiub" for dtype in dtypes):
        return None
    if len(kinds) == 1 and (few or _is_one_block(frame)):
        matrix = frame.to_numpy().T
        # the bits are those of columns: of values of a feature side by side
        return matrix if m == 1 or matrix.strides[1] == matrix.itemsize else list(matrix)
    if not few:
        return None
    rows: list[Any] = [None] * n_x
    for code in kinds:
        places = [j for j, dtype in enumerate(dtypes) if dtype.str == code]
        for place, row in zip(places, frame.iloc[:, places].to_numpy().T, strict=True):
            rows[place] = row
    return rows


def _is_one_block(frame: Any) -> bool:
    """Whether the columns of a pandas frame lie one after the other, so that no copy is needed."""
    first, last = (frame.iloc[:, j].to_numpy() for j in (0, -1))
    start, end = (x.__array_interface__["data"][0] for x in (first, last))
    distance: int = (frame.shape[1] - 1) * first.nbytes
    return bool(first.strides[0] == first.itemsize and end - start == distance)


def column(value: Any, name: str) -> Any:
    """Return the values of a series, or of a data frame's only column; anything else as it is."""
    pd = sys.modules.get("pandas")
    if pd is not None and isinstance(value, (pd.api.extensions.ExtensionArray, pd.Index)):
        value = pd.Series(value)
    seen = _seen_by_narwhals(value, name)
    if isinstance(seen, nw.DataFrame):
        if len(seen.columns) != 1:
            msg = (
                f"{name} is a data frame of {len(seen.columns)} columns; expected one column: take "
                "the one that is meant"
            )
            raise ValueError(msg)
        seen = seen.get_column(seen.columns[0])
    if not isinstance(seen, nw.Series):
        return value
    return _values(seen, name, f"for labels of one class and another pass {name} == one_of_them")


def _seen_by_narwhals(value: Any, name: str) -> Any:
    """Return a narwhals DataFrame or Series; what narwhals does not know, as it is."""
    if type(value).__module__.partition(".")[0] == "pyarrow":  # narwhals knows their plurals
        pa = sys.modules["pyarrow"]
        if isinstance(value, pa.RecordBatch):
            value = pa.Table.from_batches([value])
        elif isinstance(value, pa.Array):
            value = pa.chunked_array([value])
    try:
        seen = nw.from_native(value, allow_series=True, pass_through=True)
    except DuplicateError:
        names = value.column_names if hasattr(value, "column_names") else value.columns
        twice = next(column for column, count in Counter(names).items() if count > 1)
        msg = f"{name} has several columns named {twice!r}; expected names that differ: rename them"
        raise ValueError(msg) from None
    if isinstance(seen, nw.LazyFrame) or type(value).__name__ in {"Expr", "Expression"}:
        msg = (
            f"{name} is a {type(value).__name__}, which is still to be computed; expected values: "
            "pass .collect() of a lazy frame, .compute() in dask, frame.select(...) of an "
            "expression"
        )
        raise TypeError(msg)
    return seen


def _values(series: nw.Series[Any], what: str, classes: str) -> NDArray[Any]:
    """Return the series as an array: a view of it, wherever its library can give one.

    `classes` is what to do about a series of text or categories.
    """
    values: NDArray[Any]
    if series.implementation.is_pandas():
        native = series.to_native()
        if isinstance(native.dtype, np.dtype) and native.dtype.kind in "fiub":
            values = native.to_numpy()  # without nulls but NaN, which a pass over X finds for free
            return values
    dtype = series.dtype
    if isinstance(dtype, nw.String):
        raise TypeError(_refused(what, dtype, classes))
    for kinds, remedy in _REMEDIES:
        if isinstance(dtype, kinds):
            raise TypeError(_refused(what, dtype, remedy))
    _refuse_nulls(series, what)
    if isinstance(dtype, _CAST):
        series = series.cast(nw.Float64)
    values = series.to_numpy()
    if values.dtype.kind == "O":
        if isinstance(dtype, _CATEGORIES) and any(isinstance(value, str) for value in values):
            raise TypeError(_refused(what, dtype, classes))
        values = numbers_of_objects(values, what)
    if values.dtype.kind not in "fiub":
        remedy = "take its real part" if values.dtype.kind == "c" else "cast it to float64"
        raise TypeError(_refused(what, values.dtype, remedy))
    return values


def _refuse_nulls(series: nw.Series[Any], what: str) -> None:
    count = int(series.null_count())
    if count:
        first = np.argmax(series.alias("").is_null().to_numpy())  # polars takes ^x$ for a pattern
        msg = (
            f"{what} has {count} null{'s' * (count > 1)}, first in row {first} (counted from 0); "
            "expected a value in every row: fill them in, or leave those rows out"
        )
        raise ValueError(msg)


def _refused(what: str, dtype: object, remedy: str) -> str:
    return f"{what} is of type {dtype}; expected numbers or booleans: {remedy}"
