# SPDX-License-Identifier: BSD-3-Clause
"""Sparse matrices of SciPy as the kernel reads them, without importing SciPy before one is passed.

The examples of a CSC matrix (n_x, m) lie one after the other and are read in place. A CSR matrix
has its features one after the other, and is converted once: SciPy counts where each example goes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from logreg_c import _kernel

from .arrays import FLOAT64, NARROW, as_stored, kind_and_size, own_array
from .frame_types import library_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

REBUILD = "build X anew, say by scipy.sparse.csc_array((values, (features, examples)))"
# What to do with matrices of some rows each.
STACK = (
    "pass scipy.sparse.vstack(matrices).T of those whose rows are examples, which takes the memory "
    "of the stored values"
)


class Sparse(NamedTuple):
    """The values that are stored, of one example after the other."""

    values: NDArray[Any]
    indices: NDArray[Any]  # the feature of each, int32 or int64
    starts: NDArray[np.int64]  # where each example begins, and the last ends
    n_x: int
    width: int  # values per example, on average

    def between(self, first: int, end: int) -> Sparse:
        """Return some of the examples, where they are."""
        starts = self.starts[first : end + 1]
        return self._replace(starts=starts, width=_width(starts))

    def means(self, weight: NDArray[Any] | None) -> NDArray[np.float64]:
        """Return the weighted mean of every feature, (n_x,)."""
        used = slice(self.starts[0], self.starts[-1])
        m = self.starts.size - 1
        s = np.ones(m) if weight is None else weight.astype(np.float64)
        products = np.repeat(s / np.add.reduce(s), np.diff(self.starts)) * self.values[used]
        means = np.bincount(self.indices[used], products, minlength=self.n_x)
        return means.astype(np.float64, copy=False)

    def of_features(self, chosen: NDArray[np.intp]) -> Sparse:
        """Copy the values of some features, which are numbered in this order."""
        place = np.full(self.n_x, -1, self.indices.dtype)
        place[chosen] = np.arange(chosen.size)
        used = slice(self.starts[0], self.starts[-1])
        indices = place[self.indices[used]]
        kept = indices >= 0
        before = np.zeros(kept.size + 1, np.int64)
        np.cumsum(kept, out=before[1:])
        starts = before[self.starts - self.starts[0]]
        return Sparse(self.values[used][kept], indices[kept], starts, chosen.size, _width(starts))

    def in_order(self, order: NDArray[np.intp]) -> Sparse:
        """Copy examples, all of them or some, in another order."""
        sizes = np.diff(self.starts)[order]
        starts = np.zeros(order.size + 1, np.int64)
        np.cumsum(sizes, out=starts[1:])
        at = np.repeat(self.starts[:-1][order] - starts[:-1], sizes) + np.arange(starts[-1])
        parts = {"values": self.values[at], "indices": self.indices[at], "starts": starts}
        return self._replace(**parts, width=_width(starts))


def _width(starts: NDArray[np.int64]) -> int:
    m = max(1, starts.size - 1)
    return max(1, -(-int(starts[-1] - starts[0]) // m))


def is_sparse(X: object) -> bool:
    """Whether X is a sparse matrix or array of SciPy."""
    return hasattr(X, "toarray") and any(library_of(k) == "scipy" for k in type(X).__mro__)


def sparse(X: Any) -> Sparse:
    """X, (n_x, m), after a check of every index: what is read must lie within the arrays."""
    shape, layout = tuple(X.shape), X.format
    if len(shape) != 2:
        msg = f"X has shape {shape}; expected two dimensions, (n_x, m): one column an example"
        raise ValueError(msg)
    if layout not in {"csc", "csr"}:
        msg = (
            f"X is a sparse {type(X).__name__} in {layout.upper()} format; expected CSC or CSR: "
            "pass X.tocsc()"
        )
        raise TypeError(msg)
    by_feature = layout == "csr"
    n, m = shape if by_feature else shape[::-1]
    values = as_stored(_vector(X.data, "data"))
    indices = _integers(X.indices, "indices")
    starts = _integers(X.indptr, "indptr").astype(np.int64)
    _check_starts(starts, n, min(values.size, indices.size))
    found = Sparse(values, indices, starts, m, _width(starts))
    repeats = _check_indices(found, "examples" if by_feature else "features")
    if by_feature:
        found = _by_example(found, X)
    return _merged(found) if repeats else found


def _vector(value: Any, name: str) -> NDArray[Any]:
    array = own_array(value, f"X.{name}")
    if array.ndim != 1:
        msg = f"X.{name} has shape {array.shape}; expected one dimension: {REBUILD}"
        raise ValueError(msg)
    return array if array.flags.c_contiguous else array.copy()


def _integers(value: Any, name: str) -> NDArray[Any]:
    array = _vector(value, name)
    if array.dtype.kind not in "iu":
        msg = f"X.{name} has dtype {array.dtype}; expected int32 or int64: {REBUILD}"
        raise TypeError(msg)
    if kind_and_size(array.dtype) in {"i4", "i8"} and array.dtype.isnative and array.flags.aligned:
        return array
    return array.astype(np.int64)


def _check_starts(starts: NDArray[np.int64], n: int, stored: int) -> None:
    fault = ""
    if starts.size != n + 1:
        fault = f"has {starts.size} values, and the shape asks for {n + 1}"
    elif starts[0] < 0 or (starts[1:] < starts[:-1]).any():
        fault = "falls; expected values that rise from 0"
    elif starts[-1] > stored:
        fault = f"ends at {starts[-1]}, beyond the {stored} values that X.data and X.indices hold"
    if fault:
        msg = f"X.indptr {fault}: {REBUILD}"
        raise ValueError(msg)


def _check_indices(X: Sparse, of: str) -> bool:
    """Return whether a pair of indices occurs twice."""
    outside, repeats = _kernel.check_sparse(X, np.zeros(X.n_x, np.int64))
    if outside >= 0:
        msg = (
            f"X.indices[{outside}] is {X.indices[outside]}; expected a number within "
            f"[0, {X.n_x}), as X has {X.n_x} {of}: {REBUILD}"
        )
        raise ValueError(msg)
    return repeats


def _by_example(X: Sparse, csr: Any) -> Sparse:
    """Sort the values of a CSR matrix by example."""
    used = slice(X.starts[0], X.starts[-1])
    parts = X.values[used], X.indices[used], X.starts - X.starts[0]
    csc = type(csr)(parts, shape=csr.shape).tocsc()
    starts = csc.indptr.astype(np.int64)
    return Sparse(csc.data, csc.indices, starts, csr.shape[0], _width(starts))


def _merged(X: Sparse) -> Sparse:
    """Add up values of the same example and feature, in the order in which they are stored.

    The sums have the type that X is computed in, or bool.
    """
    m = X.starts.size - 1
    used = slice(X.starts[0], X.starts[-1])
    example = np.repeat(np.arange(m), np.diff(X.starts))
    order = np.lexsort((X.indices[used], example))  # stable
    feature, example = X.indices[used][order], example[order]
    is_first = np.ones(order.size, bool)
    is_first[1:] = (feature[1:] != feature[:-1]) | (example[1:] != example[:-1])
    kind = kind_and_size(X.values.dtype)
    dtype = np.dtype(bool) if kind == "b1" else np.dtype(np.float32) if kind in NARROW else FLOAT64
    sums = np.zeros(np.count_nonzero(is_first), dtype)
    np.add.at(sums, np.cumsum(is_first) - 1, X.values[used][order].astype(dtype))
    starts = np.zeros(m + 1, np.int64)
    np.cumsum(np.bincount(example[is_first], minlength=m), out=starts[1:])
    return Sparse(sums, feature[is_first], starts, X.n_x, _width(starts))
