# SPDX-License-Identifier: BSD-3-Clause
"""Columns of a table as numbers, categories and classes; messages name the row."""

import re
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from logreg_c._cli.errors import brief, refuse

from .delimited import NUMBER, unnamed, with_points
from .facts import CELLS_SHOWN, TEXT, counted, stacked, where_missing
from .reading import LONGEST_NAME, listed
from .source import Source

MOST_CATEGORIES = 1000
MOST_CLASSES = 100
FEW_ROWS = 256
FEW_TOKENS = 3  # different cells that are not numbers
MOSTLY = 0.9  # of a text column's values, or of its different values: then it is faulty numbers
# Numbers as people write them, but that are not read as numbers.
LIKE_NUMBER = r"^[$€£]?\s*[+-]?(\d[\d,]*\.?\d*|\.\d+)([eE][+-]?\d+)?\s*%?$"
# Of each row, (m,): whether it is of the second of two classes, or the number of its class.
Labels = NDArray[Any]
# Numeric types that the kernel does not read in place.
WIDENED = (pl.UInt32, pl.UInt64, pl.Int128, pl.UInt128, pl.Decimal)


def matrix(columns: Sequence[pl.Series]) -> NDArray[np.float64] | None:
    """Return short columns as X, (columns, rows), if all values are finite float64 numbers."""
    # Many short columns one by one would take longer than their values.
    if len(columns[0]) > FEW_ROWS:
        return None
    frame = pl.DataFrame(columns)
    if not all(isinstance(kind, pl.Float64) for kind in frame.dtypes):
        return None
    X = stacked(frame)
    return X if np.isfinite(X).all() else None


def numbers(values: pl.Series, source: Source, row: int = 0) -> NDArray[Any]:
    """Return a numeric column in its own type, in place if possible; bool as bytes."""
    if values.null_count():
        check_values(values, source, row)
    if values.dtype.base_type() in WIDENED:
        values = values.cast(pl.Float64)
    if not (values.dtype.is_numeric() or values.dtype == pl.Boolean):
        _refuse_not_numeric(values, source, row)
    array = values.to_numpy()
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        check_values(values, source, row)
        refuse(
            f"{source}: column {brief(values.name)} is infinite in row"
            f" {row + int(np.argmin(np.isfinite(array))) + 1}; replace it with a finite number or"
            " remove the row"
        )
    return array


def stripped(values: pl.Series, source: Source) -> pl.Series:
    """Return a column as text without a name; refuse long text, which a file may repeat often."""
    name, values = values.name, unnamed(values)
    if values.dtype in TEXT:
        _check_storable(longest(values), f"column {brief(name)}", source)
    return values.cast(pl.String).str.strip_chars()


def longest(texts: pl.Series) -> str:
    """Return the longest value of a text column without a name."""
    lengths = (texts.str if texts.dtype == pl.String else texts.cat).len_bytes().fill_null(0)
    return texts[lengths.arg_max() or 0] or ""


def _check_storable(value: str, column: str, source: Source) -> None:
    if value.endswith("\0"):
        refuse(f"{source}: {column} has a value that ends in NUL; remove the NUL")
    if len(value) > LONGEST_NAME:
        refuse(
            f"{source}: {column} has a value of {len(value)} characters, {brief(value)}; at most"
            f" {LONGEST_NAME} are allowed: shorten it, or remove the column"
        )


class FaultyNumbers(NamedTuple):
    """What is wrong with a column of text that is nearly all numbers."""

    words: str
    tokens: list[str]  # the different cells that are not numbers, if they are few


def faulty_numbers(texts: pl.DataFrame) -> FaultyNumbers | None:
    """Describe numbers with a few faults, each of which --one-hot would make a category.

    `texts` has the different values, how often each occurs, and its first rows.
    """
    value, count = texts.get_column("value"), texts.get_column("count")
    is_like = value.str.contains(LIKE_NUMBER).to_numpy()
    share = max(np.mean(is_like), np.average(is_like, weights=count.to_numpy()))
    bad = _unread(texts)
    if bad.is_empty() or share < MOSTLY:
        return None
    tokens = bad.get_column("value")
    words = f"{bad.get_column('count').sum()} of {count.sum()} values ({first_cells(texts)})"
    few = len(tokens) <= FEW_TOKENS and not tokens.str.contains(LIKE_NUMBER).any()
    return FaultyNumbers(words, tokens.to_list() if few else [])


def first_cells(texts: pl.DataFrame) -> str:
    """Return the first cells of a text column that are not numbers, in words."""
    bad = _unread(texts)
    cells = (bad if bad.height else texts.head(1)).explode("rows").sort("rows")
    shown = cells.head(CELLS_SHOWN if bad.height else 1)
    more = bad.get_column("count").sum() > shown.height
    listing = [f"row {row + 1}: {brief(value)}" for value, _, row in shown.iter_rows()]
    return ", ".join(listing) + ", ..." * more


def _unread(texts: pl.DataFrame) -> pl.DataFrame:
    """Return the values that are not numbers."""
    # In a file with decimal commas a point is the fault, elsewhere a comma: whichever is rarer.
    found = []
    value = texts.get_column("value")
    for written in (value, with_points(value.to_frame()).to_series()):
        read = written.cast(pl.Float64, strict=False)
        found.append(texts.filter(read.is_null() | read.is_nan()))
    return min(found, key=lambda bad: bad.get_column("count").sum())


def _refuse_not_numeric(values: pl.Series, source: Source, row: int) -> None:
    what, remedy = f"is of type {values.dtype}", "convert the column or remove it"
    if values.dtype in TEXT:
        what = f"is text ({first_cells(counted(stripped(values, source), row))})"
        remedy = "correct these cells; the column was numeric in training"
    refuse(
        f"{source}: feature {brief(values.name)} {what}; features must be numbers or true/false:"
        f" {remedy}"
    )


def one_hot(texts: pl.Series, known: Sequence[str]) -> tuple[list[NDArray[np.bool_]], pl.Series]:
    """Return a bool column per category, one byte per row, and whether a value is of none."""
    codes = texts.cast(pl.Enum([category.strip() for category in known]), strict=False)
    code = codes.to_physical().fill_null(len(known)).to_numpy()
    return [code == k for k in range(len(known))], codes.is_null() & texts.is_not_null()


# ---- Classes -----------------------------------------------------------------------------------


def classes_of(
    values: pl.Series, source: Source, positive: str | None
) -> tuple[Labels, NDArray[Any]]:
    """Return Y, and the classes, sorted; or the two, all others and `positive`, of more."""
    check_values(values, source, 0)
    target = f"target {brief(values.name)}"
    found: list[str] = stripped(values, source).unique().sort().to_list()
    if values.dtype not in TEXT or (source.kind == "CSV" and len(found) <= MOST_CATEGORIES):
        # 1 and 1.0 are one class. Text is taken literally, except in CSV, which has no types.
        found = list({_meaning(value): value for value in found}.values())
    if len(found) == 1:
        refuse(f"{source}: {target} is {brief(found[0])} in every row; expected two classes")
    if positive is not None and len(found) > 2:
        label = found[number_of(positive, "--positive", found)]
        return labels(values, classes := np.array([f"not {label}", label]), source), classes
    too_many = (
        f"{source}: {target} has {len(found)} different values ({listed(found)}); expected classes,"
        f" at most {MOST_CLASSES}, each in two rows or more: recode the target, filter the rows, or"
        " tell one value from all others by --positive"
    )
    if len(found) > MOST_CLASSES:
        refuse(too_many)
    for value in found:
        _check_storable(value, target, source)
    as_text = values.dtype in (*TEXT, pl.Decimal) and source.kind != "CSV"
    classes = np.array(found) if as_text else _typed_classes(found)
    Y = labels(values, classes, source)
    if len(classes) > 2 and np.bincount(Y).min() < 2:
        refuse(too_many)
    return Y, classes


def number_of(label: str, option: str, classes: Sequence[Any]) -> int:
    """Return which class an option means, however it is written there."""
    names = list(map(str, classes))
    same: list[int] = []
    for meaning in (str, str.lower, _meaning):
        same = same or [k for k, name in enumerate(names) if meaning(name) == meaning(label)]
    if len(same) != 1:
        refuse(
            f"{option}: {brief(label)} is not a class of the target; they are {listed(names, 20)}"
        )
    return same[0]


def _typed_classes(found: Sequence[str]) -> NDArray[Any]:
    """Return the classes, sorted, as numbers or true/false if they are, otherwise as text."""
    meanings = [_meaning(value) for value in found]
    if all(isinstance(meaning, bool) for meaning in meanings):
        return np.array([False, True])
    if not all(isinstance(meaning, Decimal) for meaning in meanings):
        return np.array(sorted(found))
    found = sorted(found, key=Decimal)
    whole = all(re.fullmatch(r"[+-]?\d+", value) for value in found)
    classes = np.array([int(value) if whole else float(value) for value in found])
    one_type = classes.dtype.kind in ("iu" if whole else "f")
    if one_type and np.isfinite(classes).all() and len(np.unique(classes)) == len(found):
        return classes
    return np.array(found)  # numbers that no type can hold, or that float64 cannot distinguish


def labels(
    values: pl.Series,
    classes: NDArray[Any],
    source: Source,
    row: int = 0,
    *,
    may_be_missing: bool = False,
) -> Labels:
    """Return Y; rows whose class is missing are as those of the first.

    Any other label than these is an error, but it belongs to the first of two if that is "not" the
    second.
    """
    if not may_be_missing:
        check_values(values, source, row)
    there = unnamed(values).fill_nan(None) if values.dtype.is_float() else values
    texts = stripped(there.alias(values.name), source)
    names = [str(name).strip() for name in classes.tolist()]
    as_float = classes.dtype.kind == "f"
    meanings = [_meaning(name, as_float=as_float) for name in names]
    known: dict[Any, int] = {}
    if len(set(meanings)) == len(meanings):
        known = {meaning: k for k, meaning in enumerate(meanings)}
    found: dict[str, int] = {}
    for value in texts.drop_nulls().unique().to_list():
        number = known.get(_meaning(value, as_float=as_float))
        if value in names:
            number = names.index(value)
        if number is None and names == [f"not {names[-1]}", names[-1]]:
            number = 0
        if number is None:
            at = row + _first_true(texts == value) + 1
            refuse(
                f"{source}: target {brief(values.name)} is {brief(value)} in row {at}; the model's"
                f" classes are {' and '.join(map(brief, classes.tolist()))}"
            )
        found[value] = number
    of_two = len(names) == 2
    Y: Labels = texts.replace_strict(
        list(found),
        list(map(bool, found.values())) if of_two else list(found.values()),
        default=0,
        return_dtype=pl.Boolean if of_two else pl.Int64,
    ).to_numpy(writable=True)
    return Y


def _meaning(value: str, *, as_float: bool = False) -> object:
    """Return the value of a class, however it is written: 1 and 1.0, TRUE and true, a date."""
    if value.lower() in {"true", "false"}:
        return value.lower() == "true"
    if NUMBER.fullmatch(value):
        return float(value) if as_float else Decimal(value)
    try:
        return datetime.fromisoformat(value)
    except ValueError:
        return value


def check_values(values: pl.Series, source: Source, row: int) -> None:
    """Refuse missing values."""
    missing = where_missing(values)
    if missing is not None:
        refuse(
            f"{source}: column {brief(values.name)} has missing values, first in row"
            f" {row + _first_true(missing) + 1}; fill them in, remove those rows, or train with"
            " --missing"
        )


def _first_true(where: pl.Series) -> int:
    return int(where.arg_true()[0])
