# SPDX-License-Identifier: BSD-3-Clause
"""Batches as arrays that the kernel reads: features, then labels and weights that are columns."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from logreg_c import _input

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import ArrayLike, NDArray

    from .batches import Batch, Batches


NO_ROWS = "the batches have no rows; expected at least one example"


class Reader:
    """The columns of batches, of which the first one decides what all have.

    Arrays are those of numbers, then codes of categories, then labels and weights. Codes are those
    of `features`, if a w knows them; a category that it does not know is refused or, with `unseen`,
    has the code n_x. Otherwise the categories are gathered, and known once all batches are read.

    Attributes
    ----------
    names : tuple or None
        The features, where they have names.
    is_matrix : bool
        Whether features are rows of an array, each example side by side.
    n_arrays, n_numbers : int
        The arrays of features, and those that are no codes: 1 for a matrix.
    n_x : int
        The number of features, or of columns while categories are gathered.
    dtypes : list
        The types of the arrays of features that are numbers.
    starts : ndarray or None
        The first feature of each column of codes, and their number, where there are such.
    """

    def __init__(
        self,
        batches: Batches,
        features: tuple[str, ...] | None,
        Y: ArrayLike | str | None,
        sample_weight: ArrayLike | str | None,
        *,
        unseen: bool = False,
    ) -> None:
        self._batches = batches
        self._targets = [column for column in (Y, sample_weight) if isinstance(column, str)]
        self._known, self._unseen = features, unseen
        self._gathered = _input.Categories()
        known = batches.names()
        self._columns = batches.columns if features is None else features
        if known is not None:
            self._choose_columns(known)
        self.names = self._columns if features is None else features
        self.is_matrix = False
        self.n_arrays = self.n_numbers = self.n_x = 0
        self.dtypes: list[np.dtype[Any]] = []
        self.starts: NDArray[np.int64] | None = None
        self._kinds: tuple[tuple[str, ...], tuple[str, ...]] | None = None  # numbers, categories

    def _choose_columns(self, known: tuple[str, ...]) -> None:
        """Choose the columns to read from those that there are."""
        if self._known is not None:
            columns = [_input.column_of(name, known) for name in self._known]
            named = zip(self._known, columns, strict=True)
            self._columns = tuple(dict.fromkeys(name if c is None else c for name, c in named))
        elif self._columns is None:
            self._columns = tuple(name for name in known if name not in self._targets)

    @property
    def _order(self) -> tuple[str, ...]:
        """The columns in the order of their arrays."""
        return () if self._kinds is None else self._kinds[0] + self._kinds[1]

    def wanted(self) -> list[Any]:
        """Return which columns are read, in types that JSON has."""
        return [None if self.names is None else list(self.names), self._targets]

    def layout(self) -> dict[str, Any]:
        """Return what a cache needs to know of the columns."""
        return {
            "names": None if self.names is None else list(self.names),
            "is_matrix": self.is_matrix,
            "n_x": self.n_x,
            "n_arrays": self.n_arrays,
            "dtypes": [dtype.str for dtype in self.dtypes],
            "starts": None if self.starts is None else self.starts.tolist(),
        }

    def take_layout(self, layout: dict[str, Any]) -> None:
        """Set what a cache has found out."""
        self.names = None if layout["names"] is None else tuple(layout["names"])
        self.is_matrix, self.n_x = layout["is_matrix"], layout["n_x"]
        self.n_arrays = layout["n_arrays"]
        self.dtypes = [np.dtype(code) for code in layout["dtypes"]]
        self.n_numbers = len(self.dtypes)
        starts = layout["starts"]
        self.starts = None if starts is None else np.array(starts, np.int64)

    def values_of(self, arrays: list[NDArray[Any]]) -> Any:
        """Return X of arrays; columns in a list while categories are gathered."""
        if self.is_matrix:
            return arrays[0].T
        numbers, codes = arrays[: self.n_numbers], arrays[self.n_numbers : self.n_arrays]
        if self.starts is None:
            return numbers + codes
        return _input.Categorical(numbers, codes, self.starts, self.n_x)

    def read(self) -> Iterator[tuple[Batch, list[NDArray[Any]]]]:
        """Read every batch that has rows, as arrays.

        A single row may be of either layout, so those that come first wait for the next batch.
        """
        columns = None if self._columns is None else (*self._columns, *self._targets)
        waiting: list[Batch] = []
        for batch in self._batches.read(columns):
            if not self.n_x and isinstance(batch.rows, np.ndarray) and len(batch.rows) < 2:
                waiting += [batch] * len(batch.rows)
                continue
            arrays = self._named_arrays_of(batch)
            for single in waiting:
                yield single, self._named_arrays_of(single)
            waiting = []
            if len(arrays[0]):
                yield batch, arrays
        for single in waiting:
            yield single, self._named_arrays_of(single)
        if self.n_numbers < self.n_arrays and self.starts is None:
            numbers = list(self._order[: self.n_numbers])
            self.names, self.starts = self._gathered.complete(numbers)
            self.n_x = len(self.names)

    def _named_arrays_of(self, batch: Batch) -> list[NDArray[Any]]:
        with naming_rows_of(batch):
            return self._arrays_of(batch.rows)

    def _arrays_of(self, rows: Any) -> list[NDArray[Any]]:
        if _input.is_sparse(rows):
            msg = f"a batch is sparse, and batches are dense: {_input.STACK}"
            raise TypeError(msg)
        arrays = self._matrix_of(rows) if isinstance(rows, np.ndarray) else self._columns_of(rows)
        if not len(arrays[0]):  # nor do its types matter
            return arrays
        found = [x.dtype for x in arrays[: self.n_numbers]]
        self.dtypes = self.dtypes or found
        for j, (was, now) in enumerate(zip(self.dtypes, found, strict=True)):
            if was != now:
                what = f"column {self._order[j]!r}" if self._order else "X"
                msg = (
                    f"{what} is {now}, and {was} in the first batch; expected one type in all "
                    "batches: cast it, say to float64"
                )
                raise TypeError(msg)
        return arrays

    def _matrix_of(self, rows: NDArray[Any]) -> list[NDArray[Any]]:
        if rows.ndim != 2 or (self.n_x and rows.shape[1] != self.n_x):
            expected = f"(rows, {self.n_x})" if self.n_x else "(rows, n_x)"
            msg = f"a batch has the shape {rows.shape}; expected {expected}: one row an example"
            raise ValueError(msg)
        if self._targets:
            raise TypeError(without_names(self._targets[0]))
        rows = _input.as_stored(_input.own_array(rows, "X"))
        if not self.n_x:
            self.n_x = rows.shape[1]
            by_example, by_feature = map(abs, rows.strides)
            self.is_matrix = 1 in rows.shape or by_feature < by_example
            self.n_arrays = self.n_numbers = 1 if self.is_matrix else self.n_x
        if self.is_matrix:
            return [np.ascontiguousarray(rows)]
        return [np.ascontiguousarray(column) for column in rows.T]

    def _columns_of(self, rows: Any) -> list[NDArray[Any]]:
        if not isinstance(rows, dict):
            rows = self._frame_of(rows)
        elif self._kinds is None:
            self._choose_columns(tuple(rows))
        columns = self._columns or ()
        self.names = columns if self.names is None else self.names
        wanted = (*columns, *self._targets)
        missing = [name for name in wanted if name not in rows]
        if missing:
            expected = ", ".join(map(repr, wanted))
            msg = f"there is no column {missing[0]!r}; expected all of {expected}"
            raise ValueError(msg)
        if not columns:
            msg = "there is no column but Y and sample_weight; expected a column for each feature"
            raise ValueError(msg)
        values = [_own_or_codes(rows[name], name) for name in columns]
        if not _values_of(values[0]).size:
            return [np.empty(0)]
        arrays = self._features_of(values)
        arrays += [
            _input.signed(_own(rows[name], name, f"column {name!r}")) for name in self._targets
        ]
        arrays = list(map(_input.as_stored, arrays))
        for name, x in zip((*self._order, *self._targets), arrays, strict=True):
            if x.ndim != 1 or x.size != arrays[0].size:
                msg = f"column {name!r} has the shape {x.shape}; expected ({arrays[0].size},)"
                raise ValueError(msg)
        return arrays

    def _features_of(self, values: list[NDArray[Any] | _input.Codes]) -> list[NDArray[Any]]:
        """Return numbers, and then codes that are those of all batches."""
        columns = self._columns or ()
        pairs = list(zip(columns, values, strict=True))
        numbers = {name: x for name, x in pairs if not isinstance(x, _input.Codes)}
        codes = {name: x for name, x in pairs if isinstance(x, _input.Codes)}
        kinds = tuple(numbers), tuple(codes)
        self._kinds = self._kinds or kinds
        if kinds != self._kinds:
            name = next(name for name in columns if (name in codes) != (name in self._kinds[1]))
            is_now, was = ("categories", "numbers") if name in codes else ("numbers", "categories")
            msg = (
                f"column {name!r} has {is_now}, and {was} in the first batch; expected one kind in "
                "all batches: convert it"
            )
            raise TypeError(msg)
        self.n_arrays, self.n_numbers = len(columns), len(numbers)
        if self._known is not None and codes:
            X, _ = _input.categorical(values, columns, self._known, unseen=self._unseen)
            self.n_x, self.starts = X.n_x, X.starts
            self.starts[-1] = X.n_x + self._unseen
            return X.numbers + X.codes
        if self._known is not None:
            _input.refuse_numbers(columns, self._known)
        self.n_x = self.n_x if self.starts is not None else len(columns)
        found = [self._gathered.codes_of(name, x) for name, x in codes.items()]
        return [*numbers.values(), *found]

    def _frame_of(self, rows: Any) -> dict[str, Any]:
        """Return the columns of a data frame that are wanted, as arrays or codes."""
        targets = tuple(self._targets)
        if self._kinds is None:
            names = _input.names_of_frame(rows)
            self._choose_columns(names)
            targets = tuple(name for name in targets if name in names)
        found = _input.columns_of_frame(rows, (*(self._columns or ()), *targets), categories=True)
        if any(isinstance(found.get(name), _input.Codes) for name in targets):
            _input.columns_of_frame(rows, targets)  # which says what labels have to be
        if not found:
            msg = (
                f"a batch is of type {type(rows).__name__}; expected a data frame (with the extra "
                "frames: pip install 'logreg-c[frames]'), a dict of columns, or an array of shape "
                "(rows, n_x)"
            )
            raise TypeError(msg)
        return found


@contextmanager
def naming_rows_of(batch: Batch) -> Iterator[None]:
    """Name the rows in what is raised about a batch."""
    try:
        yield
    except (TypeError, ValueError) as error:
        where = f"in rows from {batch.first} on"
        where += "" if batch.file is None else f" of {batch.file}"
        raise type(error)(f"{where}: {error}") from None


def without_names(name: str) -> str:
    """Say that there is no such column, of batches that are arrays."""
    return (
        f"{name!r} is the name of a column, and the batches are arrays, which have no names; "
        "expected an array of all values"
    )


def _own_or_codes(value: Any, name: str) -> NDArray[Any] | _input.Codes:
    return value if isinstance(value, _input.Codes) else _own(value, name, f"column {name!r}")


def _values_of(column: NDArray[Any] | _input.Codes) -> NDArray[Any]:
    return column.codes if isinstance(column, _input.Codes) else column


def _own(value: Any, name: str, what: str) -> NDArray[Any]:
    return _input.own_array(_input.values_of(value, name), what)


def labels_as_given(value: ArrayLike) -> tuple[NDArray[Any], int | None]:
    """Return Y that is no column, (m,), and the number of its rows if there is one per class."""
    array = _own(value, "Y", "Y")
    if array.ndim == 2 and array.shape[0] > 1 and array.shape[1] != 1:
        codes, k = _input.from_rows(array)
        return codes, k
    return as_given(_input.signed(array), "Y"), None


def as_given(value: ArrayLike, name: str) -> NDArray[Any]:
    """Return Y or sample_weight that is no column, (m,), of a dtype that the kernel reads."""
    array = _own(value, name, name)
    if array.ndim == 2 and array.shape[0] == 1:
        array = array[0]
    if array.ndim != 1:
        msg = f"{name} has the shape {array.shape}; expected (m,) or (1, m): one value for each row"
        raise ValueError(msg)
    return _input.as_stored(array)
