# SPDX-License-Identifier: BSD-3-Clause
"""X as the kernel reads it: a matrix, sparse or not, or the columns of a list or a data frame."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import numpy as np

from . import frame_types
from .arrays import NARROW, SHORT, as_stored, kind_and_size, own_array, with_a_unit_stride
from .categories import Categorical, categorical, refuse_numbers
from .frame_categories import Codes
from .frame_types import comes_from_frames, library_of, series_as_arrays
from .sparse import STACK, Sparse, is_sparse, sparse

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, DTypeLike, NDArray


# (n_x, m), or n_x columns (m,), or what stands for these
Values: TypeAlias = "NDArray[Any] | list[NDArray[Any]] | Sparse | Categorical"


class Examples(NamedTuple):
    """X as the kernel reads it."""

    values: Values
    shape: tuple[int, int]
    float32: bool  # the arithmetic; else float64
    names: tuple[Any, ...] | None  # of the features: the columns of a data frame
    chosen: NDArray[np.intp] | None = None  # of the features with categories, if not all count
    of_categories: slice = slice(0)  # the features of categories that have become columns

    @property
    def is_sparse(self) -> bool:
        """Whether only some values are stored; the others are 0."""
        return isinstance(self.values, Sparse)

    @property
    def categories(self) -> Categorical | None:
        """The values, if some features are categories."""
        return self.values if isinstance(self.values, Categorical) else None

    @property
    def n_columns(self) -> int:
        """The number of columns, of which one of categories has several features."""
        of = self.categories
        return self.shape[0] if of is None else len(of.numbers) + len(of.codes)

    @property
    def dense(self) -> NDArray[Any] | list[NDArray[Any]]:
        """The values, where X must not be sparse."""
        if isinstance(self.values, Sparse):
            msg = "X is sparse; expected a dense X: pass X.toarray()"
            raise TypeError(msg)
        if isinstance(self.values, Categorical):
            msg = (
                "X has columns of categories, which are not read here; expected numbers: give each "
                "category a column of 0 and 1, as get_dummies and to_dummies do"
            )
            raise TypeError(msg)
        return self.values

    def one_hot(self) -> Examples:
        """Return the same examples with a column for each category: a copy of these."""
        of = self.categories
        if of is not None and of.m != self.shape[1]:
            msg = (
                "X comes in batches with columns of categories, which l1, penalty_factors and "
                "bounds do not read; expected numbers: give each category a column of 0 and 1"
            )
            raise TypeError(msg)
        return self if of is None else self.with_columns(of.one_hot(self.chosen))

    def with_columns(self, values: Values) -> Examples:
        """Return the same examples, whose values hold one for each category."""
        of = self.categories
        if of is None:
            raise AssertionError
        first = len(of.numbers)
        if self.chosen is not None:
            first = int(np.count_nonzero(self.chosen < first))
        return self._replace(values=values, chosen=None, of_categories=slice(first, None))

    def sums_of_groups(
        self, groups: NDArray[np.intp], weight: NDArray[np.float64], centre: NDArray[np.float64]
    ) -> list[NDArray[Any]]:
        """Return the sum of weight (x - centre) over each group, (k,), for each feature."""
        of, chosen = self.categories, self.chosen
        columns = self.dense if of is None else of.numbers
        sums: list[NDArray[Any]] = [
            np.bincount(groups, weight * (np.asarray(x, np.float64) - mean))
            for x, mean in zip(columns, centre[: len(columns)], strict=True)
        ]
        if of is None:
            return sums
        of_categories = of.sums_of_groups(groups, weight)
        if chosen is not None:
            of_categories = of_categories[chosen[len(columns) :] - len(columns)]
        centre = centre[len(columns) :, np.newaxis]
        return [*sums, *(of_categories - centre * np.bincount(groups, weight))]

    @property
    def feature(self) -> str:
        """What a feature is to the user."""
        return "row" if self.names is None else "column"

    @property
    def example(self) -> str:
        """What an example is to the user."""
        return "column" if self.names is None else "row"

    def __str__(self) -> str:
        n_x, m = self.shape
        return f"X {self.shape}" if self.names is None else f"X {n_x} columns and {m} rows"


def examples(
    X: ArrayLike,
    dtype: DTypeLike | None,
    w: ArrayLike | None = None,
    *,
    categories: bool = False,
    unseen: bool = False,
) -> Examples:
    """X as it is stored, where the kernel can read that; what it cannot is copied once.

    Of a data frame all columns, or those whose names `w` has. With `categories`, its columns of
    categories have a feature for each, and with `unseen` one that w does not have counts as 0.
    """
    values: Values
    names = None
    if type(X) is not np.ndarray and comes_from_frames(X):
        X, names = _of_frame(X, w, categories=categories, unseen=unseen)
        if isinstance(X, Categorical) and names is not None:
            return _with_examples(X, (X.n_x, X.m), dtype, names)
    if isinstance(X, (list, tuple)):
        X = series_as_arrays(X)
        if X and is_sparse(X[0]):
            msg = "X is a list of sparse matrices; expected one matrix: "
            raise TypeError(msg + STACK)
    if isinstance(X, (list, tuple)) and X and all(map(_is_column, X)):
        values = [as_stored(own_array(x, f"X[{j}]")) for j, x in enumerate(X)]
        shape = len(values), values[0].size
        for j, x in enumerate(values):
            if x.shape != shape[1:]:  # nor need it still have one axis
                msg = (
                    f"X[{j}] has {x.size} values and X[0] {shape[1]}; expected columns of one "
                    "length, a value for each example"
                )
                raise ValueError(msg)
    elif is_sparse(X):
        values = sparse(X)
        shape = values.n_x, values.starts.size - 1
    else:
        array = own_array(X, "X")
        if array.ndim != 2:
            msg = (
                f"X has shape {array.shape}; expected two dimensions, (n_x, m): one column an "
                "example"
            )
            if array.ndim == 1:
                msg += ". Use X.reshape(1, -1) for one feature, X.reshape(-1, 1) for one example"
            raise ValueError(msg)
        values = with_a_unit_stride(as_stored(array))
        shape = values.shape
    return _with_examples(values, shape, dtype, names)


def _with_examples(
    values: Values, shape: tuple[int, int], dtype: DTypeLike | None, names: tuple[Any, ...] | None
) -> Examples:
    found = Examples(values, shape, float32=False, names=names)
    if shape[1] == 0:
        msg = f"X has shape {shape}; expected at least one example, that is one {found.example}"
        raise ValueError(msg)
    return found._replace(float32=in_float32(values, dtype))


def _of_frame(
    X: Any, w: ArrayLike | None, *, categories: bool, unseen: bool
) -> tuple[Any, tuple[Any, ...] | None]:
    """Return the columns of a data frame as a matrix, a list or Categorical, and their names."""
    frames = frame_types.frame_reader()
    if frames is None:
        library, kind = library_of(type(X)), type(X).__name__
        msg = f"X is a {library} {kind}; reading it needs narwhals: pip install 'logreg-c[frames]'"
        raise ModuleNotFoundError(msg, name="narwhals")
    wanted = getattr(w, "feature_names", None)
    X, names = frames.columns(X, wanted, categories=categories)
    if isinstance(X, list) and any(isinstance(x, Codes) for x in X):
        return categorical(X, names, wanted, unseen=unseen)
    if names is not None and wanted is not None:
        refuse_numbers(names, tuple(wanted))
    return X, names


def _is_column(x: object) -> bool:
    return isinstance(x, np.ndarray) and x.ndim == 1


def in_float32(values: Values, dtype: DTypeLike | None) -> bool:
    """Whether to compute in float32: the choice `dtype` of the caller, or what X is stored in."""
    if isinstance(values, Sparse):
        values = values.values
    if isinstance(values, Categorical):
        values = values.numbers
    stored = {kind_and_size(x.dtype) for x in (values if isinstance(values, list) else [values])}
    wide = stored - NARROW
    if dtype is None:
        return bool(stored) and not wide
    try:
        chosen = kind_and_size(np.dtype(dtype))
    except (TypeError, ValueError):
        chosen = ""
    if chosen == "f8":
        return False
    if chosen != "f4":
        msg = (
            f"dtype is {SHORT.repr(dtype)}; expected None, float64 or float32: the type to"
            " compute in"
        )
        raise TypeError(msg)
    if wide:
        msg = (
            f"dtype is float32 and X {', '.join(sorted(np.dtype(name).name for name in wide))}, "
            "whose values float32 may not hold; expected None or float64: convert X if they fit, "
            "X.astype(np.float32)"
        )
        raise TypeError(msg)
    return True
