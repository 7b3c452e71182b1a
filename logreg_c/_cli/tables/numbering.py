# SPDX-License-Identifier: BSD-3-Clause
"""Columns that only number the rows, and are left out of training."""

import re
import shlex
from collections.abc import Collection, Mapping, Sequence

import numpy as np
import polars as pl

from logreg_c._cli.errors import brief, refuse, say

from .delimited import NAMELESS, unnamed
from .facts import Different
from .source import Source

FEW = 10  # rows; so few may form a range by chance
# Names that pandas, R and others give to a column that only numbers the rows.
INDEX_NAME = re.compile(
    r"level_0|index|row[._ ]?(names?|ids?|nr)|\.\.\.1",
    re.IGNORECASE,
)
PANDAS_INDEX = re.compile(r"Unnamed: 0(\.\d+)?|__index_level_\d+__|__null_dask_index__")
PANDAS_NAMELESS = re.compile(r"Unnamed: \d+(_level_\d+)?")
# A column with another name does not number the rows, unless it is the first.
SUSPECT = re.compile(
    f"|{NAMELESS}.*|{INDEX_NAME.pattern}|{PANDAS_INDEX.pattern}|{PANDAS_NAMELESS.pattern}",
    re.IGNORECASE | re.DOTALL,
)


class Numbering:
    """What a column, which comes whole or in batches, says about the numbers of the rows."""

    def __init__(self, j: int, name: str) -> None:
        self.place, self.name = j, name
        self.is_nameless = name == "" or name.startswith(NAMELESS)
        self.is_index = PANDAS_INDEX.fullmatch(name) is not None
        self.rows = 0
        self._is_empty = True
        self._first: float | None = None  # of a range
        self._may_be_range = j == 0 or INDEX_NAME.fullmatch(name) is not None
        self._may_name_rows = (self.is_nameless and j == 0) or self.is_index
        self._names = Different()

    def add(self, values: pl.Series) -> None:
        """Take some rows of the column."""
        self._is_empty = self._is_empty and values.null_count() == len(values)
        if self._may_be_range and len(values):
            self._first = values[0] if self.rows == 0 else self._first
            self._may_be_range = self._goes_on(values)
        if self._may_name_rows:
            self._may_name_rows = not values.null_count() and (
                values.dtype == pl.String or _are_whole(values)
            )
        if self._may_name_rows:
            self._names.add(values, self.rows)
        self.rows += len(values)

    @property
    def is_range(self) -> bool:
        """Whether it counts 0, 1, 2, ... or 1, 2, 3, ..."""
        return self._may_be_range

    def numbers_rows(self) -> bool:
        """Whether it is an index by its name and its values."""
        if (self.is_nameless and self.place == 0) or self.is_index:
            return self._may_name_rows and len(self._names) == self._names.rows
        return INDEX_NAME.fullmatch(self.name) is not None and self.is_range

    def is_separator(self) -> bool:
        """Whether it comes from a comma at the end of each row."""
        nameless = self.is_nameless or PANDAS_NAMELESS.fullmatch(self.name) is not None
        return nameless and self._is_empty

    def _goes_on(self, values: pl.Series) -> bool:
        if not _are_whole(values) or self._first not in {0, 1}:
            return False
        expected = np.arange(self.rows, self.rows + len(values)) + int(self._first or 0)
        return bool((values.to_numpy() == expected).all())


def numberings_of(names: Sequence[str]) -> dict[str, Numbering]:
    """Return one for each column of these that may number the rows."""
    return {
        name: Numbering(j, name)
        for j, name in enumerate(names)
        if j == 0 or SUSPECT.fullmatch(name) is not None
    }


def without_index(
    names: Sequence[str],
    numberings: Mapping[str, Numbering],
    source: Source,
    named: Collection[str],
    index: Sequence[str],
) -> tuple[list[str], list[str]]:
    """Return the columns to keep, and those that only number the rows, with a notice.

    `named` are kept in any case; `index` are those that the file says are its index.
    """
    kept, left_out = [], []
    for name in names:
        column = numberings.get(name)
        if name in named or (column is None and name not in index):
            kept.append(name)
        elif column is None or name in index or column.numbers_rows():
            left_out.append("" if column is not None and column.is_nameless else name)
        elif column.is_separator():
            continue
        elif column.is_nameless or column.is_index:
            nameless = f"column {column.place + 1} has no name"
            what = nameless if column.is_nameless else f"column {brief(name)}"
            refuse(
                f"{source}: {what} and does not number the rows; give it a name if it is a feature,"
                " or remove it"
            )
        else:
            if column.place == 0 and column.rows > FEW and column.is_range:
                say(
                    f"warning: column {brief(name)} numbers the rows of {source}, and is trained on"
                    f" like any other; --drop {shlex.quote(name)} leaves it out"
                )
            kept.append(name)
    if left_out:
        texts = [brief(name) if name else "the first, which has no name" for name in left_out]
        what = "columns that number" if len(left_out) > 1 else "a column that numbers"
        say(f"left out {what} the rows: {', '.join(texts)}")
    return kept, left_out


def _are_whole(values: pl.Series) -> bool:
    if not values.dtype.is_numeric() or values.null_count():
        return False
    return values.dtype.is_integer() or bool((unnamed(values).floor() == values).all())
