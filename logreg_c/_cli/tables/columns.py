# SPDX-License-Identifier: BSD-3-Clause
"""Columns of a table as numbers, categories and classes; each fault with its row."""

import re
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from logreg_c._cli.errors import brief, refuse

from .delimited import NUMBER, unnamed, with_points
from .reading import LONGEST_NAME, listed
from .source import Source

MOST_CATEGORIES = 1000
FEW_ROWS = 256
CELLS_SHOWN = 3  # of those that are no numbers
MOSTLY = 0.9  # of a text column's values, or of its different values: numbers with faults in them
# Numbers as people write them, which are not read as numbers.
LIKE_NUMBER = r"^[$€£]?\s*[+-]?(\d[\d,]*\.?\d*|\.\d+)([eE][+-]?\d+)?\s*%?$"
TEXT = (pl.String, pl.Categorical, pl.Enum)
# Numbers that the kernel does not read in place.
WIDENED = (pl.UInt32, pl.UInt64, pl.Int128, pl.UInt128, pl.Decimal)


def matrix(columns: Sequence[pl.Series]) -> NDArray[np.float64] | None:
    """Return columns of few rows as X, (columns, rows), if they are finite float64 numbers."""
    # Reading many short columns one by one takes longer than their values do.
    if len(columns[0]) > FEW_ROWS or any(values.dtype != pl.Float64 for values in columns):
        return None
    X: NDArray[np.float64] = pl.DataFrame(columns).to_numpy(order="fortran").T
    return X if np.isfinite(X).all() else None


def numbers(values: pl.Series, source: Source, row: int = 0) -> NDArray[Any]:
    """Return a numeric column in its own type, in place where that is possible; bool as bytes."""
    if values.null_count():
        _check_values(values, source, row)
    if values.dtype.base_type() in WIDENED:
        values = values.cast(pl.Float64)
    if not (values.dtype.is_numeric() or values.dtype == pl.Boolean):
        _refuse_not_numeric(values, source, row)
    array = values.to_numpy()
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        _check_values(values, source, row)
        refuse(
            f"{source}: column {brief(values.name)} is infinite in row"
            f" {row + int(np.argmin(np.isfinite(array))) + 1}; replace it by a finite number or"
            " take the row out"
        )
    return array


def text(values: pl.Series, source: Source, row: int = 0) -> pl.Series:
    """Return a column as text that has no name; refuse missing values, strip spaces off others."""
    _check_values(values, source, row)
    return _stripped(values, source)


def _stripped(values: pl.Series, source: Source) -> pl.Series:
    """Return a column as text, if that is short: a file may repeat a long one without end.

    The text has no name.
    """
    name, values = values.name, unnamed(values)
    if values.dtype in TEXT:
        lengths = (values.str if values.dtype == pl.String else values.cat).len_bytes().fill_null(0)
        longest = values[lengths.arg_max() or 0] or ""
        _check_storable(longest, f"column {brief(name)}", source)
    return values.cast(pl.String).str.strip_chars()


def categories(values: pl.Series, source: Source) -> list[str]:
    """Return the different values of a text column, sorted."""
    stripped = text(values, source)
    different = stripped.unique()
    if source.kind == "CSV":  # elsewhere text is text because somebody said so
        _check_mostly_numbers(values.name, stripped, different, source)
    if len(different) > MOST_CATEGORIES:
        refuse(
            f"{source}: feature {brief(values.name)} has {len(different)} different values;"
            f" --one-hot makes a feature of each and takes at most {MOST_CATEGORIES}: take the"
            " column out, or make its values fewer"
        )
    found: list[str] = sorted(different.to_list())
    for value in found:
        _check_storable(value, f"column {brief(values.name)}", source)
    return found


def _check_storable(value: str, column: str, source: Source) -> None:
    if value.endswith("\0"):
        refuse(f"{source}: {column} has a value that ends in NUL; take that out")
    if len(value) > LONGEST_NAME:
        refuse(
            f"{source}: {column} has a value of {len(value)} characters, {brief(value)}; at most"
            f" {LONGEST_NAME} are taken"
        )


def _check_mostly_numbers(
    name: str, values: pl.Series, different: pl.Series, source: Source
) -> None:
    """Refuse numbers with a few faults in them, which --one-hot would make a category each."""
    share = max(part.str.contains(LIKE_NUMBER).sum() / len(part) for part in (values, different))
    cells, bad = _not_numbers(values, 0)
    if bad and share >= MOSTLY:
        refuse(
            f"{source}: feature {brief(name)} is numbers but for {bad} of {len(values)}"
            f" values ({cells}); correct these cells, or if all are codes rather than numbers,"
            " begin each with a letter"
        )


def _not_numbers(values: pl.Series, row: int) -> tuple[str, int]:
    """Return the first cells of a text column that are no numbers, and how many there are."""
    # In a file of decimal commas a point is at fault, elsewhere a comma: whichever is rarer.
    bad = min((_unread(values), _unread(with_points(values.to_frame()).to_series())), key=len)
    shown = [f"row {row + k + 1}: {brief(values[k])}" for k in (bad or [0])[:CELLS_SHOWN]]
    return ", ".join(shown) + (", ..." if len(bad) > CELLS_SHOWN else ""), len(bad)


def _unread(values: pl.Series) -> list[int]:
    read = values.cast(pl.Float64, strict=False)
    return (read.is_null() | read.is_nan()).arg_true().to_list()


def _refuse_not_numeric(values: pl.Series, source: Source, row: int) -> None:
    what, remedy = f"is of type {values.dtype}", "convert the column or take it out"
    if values.dtype in TEXT:
        stripped = _stripped(values, source)
        cells, bad = _not_numbers(stripped, row)
        what = f"is text ({cells})"
        if bad and 2 * stripped.str.contains(LIKE_NUMBER).sum() > len(values):
            remedy = f"write {bad} of {len(values)} cells as plain numbers, or take the column out"
        elif bad:
            remedy = f"give --one-hot to train, {remedy}"
        else:
            remedy = "convert the column to numbers, give --one-hot to train, or take it out"
    refuse(
        f"{source}: feature {brief(values.name)} {what}; features are numbers or true/false:"
        f" {remedy}"
    )


def one_hot(values: pl.Series, known: Sequence[str]) -> tuple[list[NDArray[np.bool_]], pl.Series]:
    """Return for each category where it is, a byte a row; and the values that are of none.

    The values are those of `text`.
    """
    codes = values.cast(pl.Enum([category.strip() for category in known]), strict=False)
    unknown = values.filter(codes.is_null())
    code = codes.to_physical().fill_null(len(known)).to_numpy()
    return [code == k for k in range(len(known))], unknown


# ---- Classes -----------------------------------------------------------------------------------


def two_classes(values: pl.Series, source: Source) -> tuple[NDArray[np.bool_], NDArray[Any]]:
    """Return Y, (m,), true where the row is of the second class, and the two classes, sorted."""
    _check_values(values, source, 0)
    target = f"target {brief(values.name)}"
    found: list[str] = _stripped(values, source).unique().sort().to_list()
    if values.dtype not in TEXT or (source.kind == "CSV" and len(found) <= MOST_CATEGORIES):
        # 1 and 1.0 are one class; text is what it says, but for that of CSV, which has no types
        found = list({_meaning(value): value for value in found}.values())
    if len(found) == 1:
        refuse(f"{source}: {target} is {brief(found[0])} in every row; two classes are needed")
    if len(found) > 2:
        refuse(
            f"{source}: {target} has {len(found)} different values ({listed(found)}); make it two"
            " classes, or keep only the rows of two"
        )
    for value in found:
        _check_storable(value, target, source)
    as_text = values.dtype in (*TEXT, pl.Decimal) and source.kind != "CSV"
    classes = np.array(found) if as_text else _typed_classes(found)
    return labels(values, classes, source), classes


def _typed_classes(found: Sequence[str]) -> NDArray[Any]:
    """Return the classes sorted, as the numbers or true/false that they are, or else as text."""
    meanings = [_meaning(value) for value in found]
    if all(isinstance(meaning, bool) for meaning in meanings):
        return np.array([False, True])
    if not all(isinstance(meaning, Decimal) for meaning in meanings):
        return np.array(sorted(found))
    found = sorted(found, key=Decimal)
    whole = all(re.fullmatch(r"[+-]?\d+", value) for value in found)
    classes = np.array([int(value) if whole else float(value) for value in found])
    one_type = classes.dtype.kind in ("iu" if whole else "f")
    if one_type and np.isfinite(classes).all() and classes[0] != classes[1]:
        return classes
    return np.array(found)  # integers that no type holds both of, fractions that float64 confuses


def labels(
    values: pl.Series, classes: NDArray[Any], source: Source, row: int = 0
) -> NDArray[np.bool_]:
    """Return Y, (m,), true where the row is of the second of these classes."""
    _check_values(values, source, row)
    texts = _stripped(values, source)
    names = [str(name).strip() for name in classes.tolist()]
    as_float = classes.dtype.kind == "f"
    meanings = [_meaning(name, as_float=as_float) for name in names]
    known: dict[Any, bool] = {}
    if meanings[0] != meanings[1]:
        known = dict(zip(meanings, (False, True), strict=True))
    found: dict[str, bool] = {}
    for value in texts.unique().to_list():
        is_second = known.get(_meaning(value, as_float=as_float))
        if value in names:
            is_second = value == names[1]
        if is_second is None:
            at = row + _first_true(texts == value) + 1
            first, second = map(brief, classes.tolist())
            refuse(
                f"{source}: target {brief(values.name)} is {brief(value)} in row {at}; the model's"
                f" classes are {first} and {second}"
            )
        found[value] = is_second
    Y: NDArray[np.bool_] = texts.replace_strict(
        list(found), list(found.values()), return_dtype=pl.Boolean
    ).to_numpy(writable=True)
    return Y


def _meaning(value: str, *, as_float: bool = False) -> object:
    """Return what a class stands for, however it is spelled: 1 and 1.0, TRUE and true, a day."""
    if value.lower() in {"true", "false"}:
        return value.lower() == "true"
    if NUMBER.fullmatch(value):
        return float(value) if as_float else Decimal(value)
    try:
        return datetime.fromisoformat(value)
    except ValueError:
        return value


def _check_values(values: pl.Series, source: Source, row: int) -> None:
    missing = unnamed(values).is_null()
    if values.dtype.is_float():
        missing |= unnamed(values).is_nan()
    if missing.any():
        refuse(
            f"{source}: column {brief(values.name)} has missing values, first in row"
            f" {row + _first_true(missing) + 1}; fill in what is missing or take those rows out"
        )


def _first_true(where: pl.Series) -> int:
    return int(where.arg_true()[0])
