# SPDX-License-Identifier: BSD-3-Clause
"""Recognizes data frames and series by the module of their type, without importing a library."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import ModuleType

    from numpy.typing import NDArray

    from .frame_categories import Codes

# The top-level modules that define data frames and their columns.
FRAME_LIBRARIES = frozenset((
    "pandas", "polars", "pyarrow", "narwhals", "modin", "cudf", "dask", "duckdb", "_duckdb", "ibis",
    "pyspark", "sqlframe",
))  # fmt: skip


def comes_from_frames(value: object) -> bool:
    return hasattr(value, "__narwhals_dataframe__") or is_of_frames(type(value))


def is_of_frames(kind: type) -> bool:
    return not FRAME_LIBRARIES.isdisjoint(map(library_of, kind.__mro__))


def library_of(kind: type) -> str:
    return kind.__module__.partition(".")[0]


def is_frame(X: object) -> bool:
    """Whether `examples` reads X as a data frame."""
    return type(X) is not np.ndarray and comes_from_frames(X) and frame_reader() is not None


def frame_reader() -> ModuleType | None:
    """Return what reads data frames, if the extra is installed."""
    try:
        from . import frames as module  # noqa: PLC0415 (not before a frame is passed)
    except ModuleNotFoundError as error:
        if error.name != "narwhals":
            raise
        return None
    return module


def columns_of_frame(
    X: Any, names: tuple[str, ...] | None, *, categories: bool = False
) -> dict[str, NDArray[Any] | Codes]:
    """Return those columns of a data frame as arrays, or all; none of what is no data frame.

    With `categories`, those that are not numbers are `Codes`.
    """
    if not is_frame(X):
        return {}
    from . import frames  # noqa: PLC0415 (not before a frame is passed)

    values, found = frames.columns(X, names, categories=categories)
    return {} if found is None else dict(zip(found, values, strict=True))


def names_of_frame(X: Any) -> tuple[str, ...]:
    """Return the names of the columns of a data frame; none of what is no data frame."""
    if not is_frame(X):
        return ()
    from . import frames  # noqa: PLC0415 (not before a frame is passed)

    return frames.names(X)


def series_as_arrays(X: Sequence[Any]) -> Sequence[Any]:
    """Return the items of a list, and of those that are series the values."""
    if not any(map(is_of_frames, set(map(type, X)))):
        return X
    return [values_of(x, f"X[{j}]") for j, x in enumerate(X)]


def values_of(value: Any, name: str) -> Any:
    """Return the values of a series, wherever its library has them; anything else as it is."""
    if type(value) is np.ndarray or not comes_from_frames(value):
        return value
    frames = frame_reader()
    # Without, NumPy reads a series well enough.
    return value if frames is None else frames.column(value, name)
