# SPDX-License-Identifier: BSD-3-Clause
"""Columns of categories in data frames: their codes, in place, and what these are called."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from narwhals import Series
    from numpy.typing import NDArray

SEPARATOR = "="


class Codes(NamedTuple):
    """A column of categories: the number of each row's category, and what they are called."""

    codes: NDArray[Any]
    labels: Sequence[Any]


def name_of(column: Any, label: Any) -> str:
    """Return the name of the weight of a category."""
    return f"{column}{SEPARATOR}{label}"


def column_of(name: Any, columns: Sequence[Any]) -> Any:
    """Return the column that a feature is of: its own, or that of a category; None if of none."""
    if name in columns:
        return name
    of_categories = [c for c in columns if str(name).startswith(name_of(c, ""))]
    return max(of_categories, key=lambda c: len(str(c)), default=None)


def codes_of_series(series: Series[Any]) -> Codes:
    """Return the codes of a column of categories, and the categories in the order of the codes."""
    native: Any = series.to_native()
    if series.implementation.is_polars():
        return _of_polars(native)
    if series.implementation.is_pyarrow():
        return _of_arrow(native)
    if hasattr(native.dtype, "pyarrow_dtype"):
        return _of_arrow(native.array.__arrow_array__())
    own = getattr(native.array, "codes", None)  # which pandas' accessor would copy
    codes = np.asarray(native.cat.codes if own is None else own)
    return Codes(codes, list(native.cat.categories))


def _of_polars(series: Any) -> Codes:
    """Return categories of an Enum as it lists them, and others as they first occur.

    The codes of others depend on what else the process has read, so they may have to be changed.
    """
    series = series.alias("")  # polars takes ^x$ for a pattern
    codes = series.to_physical().to_numpy()
    if hasattr(series.dtype, "categories") and hasattr(series.dtype.categories, "to_list"):
        return Codes(codes, series.dtype.categories.to_list())
    first = series.unique(maintain_order=True)
    found = first.to_physical().to_numpy()
    labels = first.cast(sys.modules["polars"].String).to_list()
    if found.size and not np.array_equal(found, np.arange(found.size)):
        table = np.zeros(int(found.max()) + 1, np.min_scalar_type(found.size))
        table[found] = np.arange(found.size)
        codes = table[codes]
    return Codes(codes, labels)


def _of_arrow(column: Any) -> Codes:
    pa = sys.modules["pyarrow"]
    if isinstance(column, pa.ChunkedArray):
        column = column.unify_dictionaries() if column.num_chunks > 1 else column
        column = column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()
    if isinstance(column, pa.ChunkedArray):  # older versions combine chunks into one chunk
        column = column.chunk(0)
    return Codes(column.indices.to_numpy(zero_copy_only=False), column.dictionary.to_pylist())
