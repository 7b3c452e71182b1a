# SPDX-License-Identifier: BSD-3-Clause
"""What a user passes for many fits at once, as one X, Y and sample_weight for each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from .arrays import SHORT, as_stored, is_stored, own_array, with_a_unit_stride
from .categories import Categorical
from .frame_types import comes_from_frames, values_of
from .matrix import Examples, examples
from .scalars import not_negative
from .sparse import Sparse
from .vectors import codes_of, column, labels, weights

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import ArrayLike, DTypeLike, NDArray

    from .matrix import Values


class Fit(NamedTuple):
    """One of many fits."""

    X: Examples
    Y: NDArray[Any]
    sample_weight: NDArray[Any] | None
    l2: float


class Fits(NamedTuple):
    """Many fits, and the labels of the groups, if they are of groups."""

    fits: list[Fit]
    groups: NDArray[Any] | None

    def place(self, k: int) -> str:
        """Name fit k in a message."""
        return _place(k, self.groups)


def _place(k: int, groups: NDArray[Any] | None) -> str:
    return f"fit {k}" if groups is None else f"group {SHORT.repr(groups[k : k + 1].tolist()[0])}"


def fits(
    X: Any,
    Y: Any,
    groups: ArrayLike | None,
    sample_weight: Any,
    l2: Any,
    dtype: DTypeLike | None,
) -> Fits:
    """Check what is passed to `fit_many`; arrays are read in place wherever `fit` does so."""
    strengths = penalties(l2)
    if groups is not None:
        return _of_groups(examples(X, dtype, categories=True), Y, groups, sample_weight, strengths)
    Xs = _matrices(X, dtype)
    Ys = _rows(Y, "Y")
    all_weights = [None] if sample_weight is None else _rows(sample_weight, "sample_weight")
    counts = {"X": len(Xs), "Y": len(Ys), "sample_weight": len(all_weights), "l2": len(strengths)}
    largest = max(counts, key=counts.__getitem__)
    k = counts[largest]
    for name, count in counts.items():
        if count not in {1, k}:
            msg = (
                f"{name} is for {count} fits and {largest} for {k}; expected as many of each, or "
                "one that all fits share"
            )
            raise ValueError(msg)
    Ys = _check_each(labels, Ys, Xs, k)
    all_weights = _check_each(weights, all_weights, Xs, k)
    columns = (_each(values, k) for values in (Xs, Ys, all_weights, strengths))
    return Fits([Fit(*fit) for fit in zip(*columns, strict=True)], None)


def _check_each(
    check: Callable[[Any, Examples], Any], values: list[Any], Xs: list[Examples], k: int
) -> list[Any]:
    """Check what each fit has against its X, and what all fits share of one X once."""
    if len(values) == len(Xs) == 1:
        return [check(values[0], Xs[0])]
    pairs = zip(_each(values, k), _each(Xs, k), strict=True)
    return [_checked(check, value, x, i) for i, (value, x) in enumerate(pairs)]


def _each(values: list[Any], k: int) -> list[Any]:
    return values if len(values) == k else values * k


def _checked(
    check: Callable[..., Any], value: Any, by: Any, k: int, groups: NDArray[Any] | None = None
) -> Any:
    try:
        return check(value, by)
    except (TypeError, ValueError) as error:
        msg = f"{_place(k, groups)}: {error}"
        raise type(error)(msg) from None


def penalties(value: Any, name: str = "l2") -> list[float]:
    """Check one strength of a penalty, or one for each fit."""
    if isinstance(value, float):
        return [not_negative(value, name)]
    array = own_array(values_of(value, name), name)
    if array.ndim == 0:
        return [not_negative(value, name)]
    if array.ndim != 1 or array.size == 0:
        msg = f"{name} has shape {array.shape}; expected a number, or one for each fit, (k,)"
        raise ValueError(msg)
    return [not_negative(one, f"{name}[{k}]") for k, one in enumerate(array.tolist())]


def _matrices(X: Any, dtype: DTypeLike | None) -> list[Examples]:
    """One X, a stack (k, n_x, m), or a list of several."""
    if isinstance(X, (list, tuple)) and X and len(getattr(X[0], "shape", ())) == 2:
        Xs = [_checked(examples, x, dtype, i) for i, x in enumerate(X)]
        for i, x in enumerate(Xs):
            if x.shape[0] != Xs[0].shape[0] or x.names != Xs[0].names:
                msg = f"X[{i}] is {x} and X[0] is {Xs[0]}; expected the same features"
                raise ValueError(msg)
        return Xs
    if comes_from_frames(X) or getattr(X, "ndim", 0) != 3:
        return [examples(X, dtype, categories=True)]
    stack = own_array(X, "X")
    if 0 in {stack.shape[0], stack.shape[2]}:
        msg = f"X has shape {stack.shape}; expected (k, n_x, m), at least one fit of one example"
        raise ValueError(msg)
    first = examples(stack[0], dtype)
    if is_stored(stack) and with_a_unit_stride(matrix := stack[0]) is matrix:
        return [first._replace(values=x) for x in stack]
    return [first._replace(values=with_a_unit_stride(as_stored(x))) for x in stack]


def _rows(value: Any, name: str) -> list[Any]:
    """One vector for each fit, or one that all fits share."""
    if isinstance(value, (list, tuple)) and value:
        first = own_array(values_of(value[0], name), name)
        if first.ndim > 0:
            return list(value)
    array = own_array(values_of(value, name), name)
    return list(array) if array.ndim > 1 and array.shape[0] > 0 else [array]


def _of_groups(
    X: Examples, Y: ArrayLike, groups: Any, sample_weight: Any, penalties: list[float]
) -> Fits:
    """One fit for each group of examples. If the groups are not sorted, X is copied once."""
    found, codes = codes_of(groups, "groups", X)
    k = len(found)
    if len(penalties) not in {1, k}:
        msg = f"l2 is for {len(penalties)} fits and groups for {k}; expected one, or one per group"
        raise ValueError(msg)
    Y = labels(Y, X)
    if sample_weight is not None:
        weights(sample_weight, X)  # finds the first bad one
        sample_weight = column(sample_weight, "sample_weight", X)
    values = X.values
    if np.any(codes[1:] < codes[:-1]):
        narrow = codes.astype(np.min_scalar_type(k))  # NumPy sorts 16 bits by radix
        order = np.argsort(narrow, kind="stable")
        values, codes, Y = _in_order(values, order), codes[order], Y[order]
        sample_weight = None if sample_weight is None else sample_weight[order]
    checked = []
    for i, part in enumerate(_parts(codes, k)):
        x = _part_of(values, part)
        of_group = X._replace(values=x, shape=(X.shape[0], part.stop - part.start))
        s = None if sample_weight is None else sample_weight[part]
        s = _checked(weights, s, of_group, i, found)
        checked.append(Fit(of_group, Y[part], s, penalties[i if len(penalties) > 1 else 0]))
    return Fits(checked, found)


def _part_of(values: Values, part: slice) -> Values:
    if isinstance(values, Sparse):
        return values.between(part.start, part.stop)
    if isinstance(values, Categorical):
        return values.examples(part)
    return [x[part] for x in values] if isinstance(values, list) else values[:, part]


def _in_order(values: Values, order: NDArray[np.intp]) -> Values:
    """Copy the examples in another order; the layout stays."""
    if isinstance(values, Sparse):
        return values.in_order(order)
    if isinstance(values, Categorical):
        return values.examples(order)
    if not isinstance(values, np.ndarray):
        return [x[order] for x in values]
    if values.strides[0] == values.itemsize != values.strides[1]:
        return values.T.take(order, axis=0).T
    return values.take(order, axis=1)


def _parts(codes: NDArray[np.intp], k: int) -> Iterator[slice]:
    ends = np.searchsorted(codes, np.arange(k + 1)).tolist()
    return map(slice, ends[:-1], ends[1:])
