# SPDX-License-Identifier: BSD-3-Clause
"""X with columns of categories, each of which has one weight per category.

Codes are read in place. Where w names the categories, those of a frame that has them in another
order, or has others, get other codes, in a copy.
"""

from __future__ import annotations

import inspect
import warnings
from collections import Counter
from itertools import zip_longest
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from logreg_c import _kernel

from .arrays import COPIED_AT_ONCE, SHORT, as_stored
from .frame_categories import Codes, column_of, name_of
from .sparse import Sparse

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from numpy.typing import NDArray

    Occurring = list[NDArray[np.bool_]]


class Categorical(NamedTuple):
    """Columns of numbers, and columns of codes that stand for a feature per category.

    Attributes
    ----------
    numbers, codes : list of ndarray of shape (m,)
    starts : ndarray of int64
        The first feature of each column of codes, and their number.
    n_x : int
        The features with a weight. One more has none, where there are categories without.
    """

    numbers: list[NDArray[Any]]
    codes: list[NDArray[Any]]
    starts: NDArray[np.int64]
    n_x: int

    @property
    def m(self) -> int:
        """The number of examples."""
        return self.codes[0].size

    def padded(self, w: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return w with the 0 of categories that have no weight, if there are such."""
        return w if self.starts[-1] == self.n_x else np.append(w, 0.0)

    def examples(self, chosen: slice | NDArray[np.intp]) -> Categorical:
        """Return some of the examples: in place, or copied in another order."""
        numbers = [x[chosen] for x in self.numbers]
        return self._replace(numbers=numbers, codes=[x[chosen] for x in self.codes])

    def as_sparse(self) -> Sparse:
        """Return all values that are not 0, in float64: a copy."""
        m, width = self.m, len(self.numbers) + len(self.codes)
        values = np.ones((m, width))
        indices = np.empty((m, width), np.int32 if self.n_x < 2**31 else np.int64)
        for j, column in enumerate(self.numbers):
            values[:, j] = column
            indices[:, j] = j
        for k, codes in enumerate(self.codes):
            indices[:, len(self.numbers) + k] = codes
            indices[:, len(self.numbers) + k] += self.starts[k]
        known = indices < self.n_x
        starts = np.zeros(m + 1, np.int64)
        np.cumsum(np.add.reduce(known, 1), out=starts[1:])
        if not known.all():
            return Sparse(values[known], indices[known], starts, self.n_x, width)
        return Sparse(values.ravel(), indices.ravel(), starts, self.n_x, width)

    def one_hot(self, chosen: NDArray[np.intp] | None = None) -> list[NDArray[Any]]:
        """Return columns of all features, or some: bools for categories, a byte for each row."""
        wanted = set(range(self.n_x) if chosen is None else chosen.tolist())
        columns = [x for j, x in enumerate(self.numbers) if j in wanted]
        for codes, first, end in self._columns():
            columns += [codes == j - first for j in range(first, end) if j in wanted]
        return columns

    def sums_of_groups(
        self, groups: NDArray[np.intp], weight: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Return the sum of the weights of each category in each group, (categories, k)."""
        k = int(groups.max()) + 1
        sums = []
        for codes, first, end in self._columns():
            cells = np.bincount(codes.astype(np.intp) * k + groups, weight, (end - first) * k)
            sums.append(cells.reshape(-1, k))
        return np.concatenate(sums)

    def determined(self, occurring: Occurring, *, fixed_b: bool) -> NDArray[np.intp]:
        """Return the features whose weights are determined without a penalty.

        With b, or another column of categories, one category of each says nothing new; and those
        that no example has say nothing.
        """
        is_determined = np.ones(self.n_x, bool)
        for k, (occurs, (_, first, end)) in enumerate(zip(occurring, self._columns(), strict=True)):
            is_determined[first:end] = occurs
            if not (fixed_b and k == 0):
                is_determined[first + np.argmax(occurs)] = False
        return np.flatnonzero(is_determined)

    def relative(
        self,
        w: NDArray[np.float64],
        b: float,
        occurring: Occurring,
        *,
        fixed_b: bool,
    ) -> float:
        """Make weights relative to that of the first category of each column that an example has.

        w changes in place, and the new b is returned: Z stays as it is. A b that is fixed stays,
        and the first column takes what others lose. Categories that no example has get weight 0.
        """
        flat = w.reshape(-1)
        for k, (occurs, (_, first, end)) in enumerate(zip(occurring, self._columns(), strict=True)):
            block = flat[first:end]
            block[~occurs] = 0.0
            if fixed_b and k == 0:
                base, base_occurs = block, occurs
                continue
            moved = float(block[np.argmax(occurs)])
            block[occurs] -= moved
            if fixed_b:
                base[base_occurs] += moved
            else:
                b += moved
        return b

    @property
    def _firsts(self) -> list[int]:
        firsts: list[int] = self.starts[:-1].tolist()
        return firsts

    def _columns(self) -> Iterator[tuple[NDArray[Any], int, int]]:
        ends = [*self._firsts[1:], self.n_x]
        return zip(self.codes, self._firsts, ends, strict=True)

    def occurring(self, sample_weight: NDArray[Any] | None) -> Occurring:
        """Return for each column whether an example has each category, in a row of weight > 0."""
        return [self._occurring(k, sample_weight) for k in range(len(self.codes))]

    def joined(self, others: Iterable[Categorical]) -> Categorical:
        """Return these examples and others, whose features are the same."""
        of_all = [self, *others]
        numbers = zip(*(of.numbers for of in of_all), strict=True)
        codes = zip(*(of.codes for of in of_all), strict=True)
        return self._replace(
            numbers=list(map(np.concatenate, numbers)), codes=list(map(np.concatenate, codes))
        )

    def _occurring(self, k: int, sample_weight: NDArray[Any] | None) -> NDArray[np.bool_]:
        occurs = np.zeros(int(self.starts[k + 1] - self.starts[k]), bool)
        for first in range(0, self.m, COPIED_AT_ONCE):
            chosen = slice(first, first + COPIED_AT_ONCE)
            piece = self.codes[k][chosen]
            occurs[piece if sample_weight is None else piece[sample_weight[chosen] != 0]] = True
        return occurs


def categorical(
    columns: list[NDArray[Any] | Codes],
    names: tuple[Any, ...],
    wanted: tuple[Any, ...] | None,
    *,
    unseen: bool,
) -> tuple[Categorical, tuple[Any, ...]]:
    """Return X of the columns of a frame, and the names of its features: numbers come first.

    `wanted` is what w calls the features. Rows of categories that it does not know are refused or,
    with `unseen`, get a warning and no weight.
    """
    numbers: list[tuple[Any, NDArray[Any]]] = []
    found: list[tuple[Any, Codes]] = []
    for name, x in zip(names, columns, strict=True):
        if isinstance(x, Codes):
            found.append((name, x))
        else:
            numbers.append((name, x))
    m = found[0][1].codes.size
    known = [name for name, _ in numbers]
    features, labels = _named(known, {name: column.labels for name, column in found})
    codes = [_checked(name, column, m) for name, column in found]
    sizes = [len(of_column) for of_column in labels]
    has_unseen = False
    if wanted is not None and wanted != features:
        blocks = _blocks(wanted, known, [name for name, _ in found])
        sizes = [len(block) for block in blocks]
        first, n_x = len(known), len(wanted)
        for k, block in enumerate(blocks):
            codes[k], lost = _recoded(codes[k], labels[k], block, n_x - first)
            if lost is not None:
                _report_unseen(found[k], codes[k] == n_x - first, unseen=unseen)
                has_unseen = True
            first += sizes[k]
        features = wanted
    n_x = len(features)
    starts = np.cumsum([len(known), *sizes], dtype=np.int64)
    starts[-1] += has_unseen
    return Categorical([as_stored(x) for _, x in numbers], codes, starts, n_x), features


class Categories:
    """The categories of columns that come in batches, in the order in which they are found."""

    def __init__(self) -> None:
        self._found: dict[Any, dict[Any, int]] = {}
        self._tables: dict[Any, tuple[list[Any], NDArray[Any] | None]] = {}  # of the last batch
        self.is_complete = False

    def codes_of(self, name: Any, column: Codes) -> NDArray[Any]:
        """Return the codes that the categories of a column of a batch have in all batches."""
        codes = _checked(name, column, column.codes.size)
        labels = list(column.labels)
        if name not in self._tables or self._tables[name][0] != labels:
            self._tables[name] = labels, self._table(name, labels)
        table = self._tables[name][1]
        return codes if table is None else table[codes]

    def _table(self, name: Any, labels: list[Any]) -> NDArray[Any] | None:
        """Return the code of each label; None if they are in their order."""
        found = self._found.setdefault(name, {})
        for label in labels:
            if label not in found and self.is_complete:
                msg = (
                    f"column {name!r} has the category {SHORT.repr(label)}, which no batch of the "
                    "first pass has; expected the same rows in every pass"
                )
                raise ValueError(msg)
            found.setdefault(label, len(found))
        codes = [found[label] for label in labels]
        if codes == list(range(len(codes))):
            return None
        return np.array(codes, np.min_scalar_type(-len(found)))

    def complete(self, numbers: list[Any]) -> tuple[tuple[Any, ...], NDArray[np.int64]]:
        """Return the names of all features, and the first feature of each column of codes."""
        self.is_complete = True
        sizes = [len(found) for found in self._found.values()]
        return _named(numbers, self._found)[0], np.cumsum([len(numbers), *sizes], dtype=np.int64)


def _named(
    numbers: list[Any], labels: Mapping[Any, Iterable[Any]]
) -> tuple[tuple[Any, ...], list[list[str]]]:
    """Return the names of all features, and those of the categories of each column."""
    _refuse_ambiguous(labels)
    names = [[name_of(name, label) for label in of_column] for name, of_column in labels.items()]
    features = tuple(numbers + [label for of_column in names for label in of_column])
    twice = [name for name, count in Counter(features).items() if count > 1]
    if twice:
        msg = f"X has several features named {twice[0]!r}; expected names that differ: rename one"
        raise ValueError(msg)
    return features, names


def refuse_numbers(names: tuple[Any, ...], wanted: tuple[Any, ...]) -> None:
    """Refuse columns of numbers where w knows categories."""
    if names != wanted:
        name = next(name for name in wanted if name not in names)
        msg = (
            f"w has a weight for {name!r}, a category, and that column of X holds only numbers; "
            "expected columns of the kinds that w was trained on: convert it"
        )
        raise ValueError(msg)


def _refuse_ambiguous(labels: Mapping[Any, Iterable[Any]]) -> None:
    """Refuse a category whose name would read as one of another column."""
    pairs = [(a, b) for a in labels for b in labels if str(b).startswith(name_of(a, ""))]
    for name, other in pairs:
        for label in labels[name]:
            if name_of(name_of(name, label), "").startswith(name_of(other, "")):
                msg = (
                    f"column {name!r} of X has {SHORT.repr(label)}, which reads like a category of "
                    f"column {other!r}; expected names that differ: rename one of the columns"
                )
                raise ValueError(msg)


def _checked(name: Any, column: Codes, m: int) -> NDArray[Any]:
    """Return codes as the kernel reads them: within the categories, and of signed integers."""
    codes = column.codes
    if codes.dtype.kind == "u" and codes.dtype.itemsize > 2:
        codes = codes.view(codes.dtype.str.replace("u", "i"))  # a code has 31 bits
    codes = as_stored(codes)
    if codes.shape != (m,) or _kernel.first_outside(codes, 0, len(column.labels) - 1) >= 0:
        msg = (
            f"column {name!r} of X has codes beyond its {len(column.labels)} categories, or not "
            "one for each row; expected the number of a category in every row: make the column anew"
        )
        raise ValueError(msg)
    return codes


def _blocks(wanted: tuple[Any, ...], numbers: list[Any], names: list[Any]) -> list[list[str]]:
    """Return what w calls the categories of each column, which lie side by side after numbers."""
    of_column: dict[Any, list[str]] = {name: [] for name in names}
    for name in wanted[len(numbers) :]:
        column = column_of(name, names)
        if column is not None and column != name:  # which has one weight, of numbers
            of_column[column].append(name)
    in_order = (*numbers, *(name for block in of_column.values() for name in block))
    lost = [name for name in names if not of_column[name]]
    if lost:
        msg = (
            f"column {lost[0]!r} of X has categories, and w has no weights for them; expected a "
            "column of the kind that w was trained on: convert it, or train again"
        )
        raise ValueError(msg)
    if in_order != wanted:
        name = next(name for name, other in zip_longest(wanted, in_order) if name != other)
        msg = (
            f"w has a weight {name!r} that X has no place for; expected first the columns of "
            "numbers, then the categories of one column after the other, as they were trained on"
        )
        raise ValueError(msg)
    return list(of_column.values())


def _recoded(
    codes: NDArray[Any], labels: list[str], wanted: list[str], unseen: int
) -> tuple[NDArray[Any], int | None]:
    """Return the codes of the categories in w, and one that has the code `unseen`, or None."""
    if labels == wanted:
        return codes, None
    place = {name: k for k, name in enumerate(wanted)}
    kind = np.min_scalar_type(-unseen - 1)
    table = np.array([place.get(label, unseen) for label in labels], kind)
    recoded = table[codes]
    return recoded, unseen if (recoded == unseen).any() else None


def _report_unseen(column: tuple[Any, Codes], where: NDArray[np.bool_], *, unseen: bool) -> None:
    name, (codes, labels) = column
    row = int(np.argmax(where))
    msg = (
        f"column {name!r} of X has {SHORT.repr(labels[int(codes[row])])} in row {row} (counted "
        f"from 0), and w has no weight for it (rows like this: {np.count_nonzero(where)})"
    )
    if not unseen:
        msg += "; expected categories that w was trained on: leave out those rows, or w"
        raise ValueError(msg)
    warnings.warn(f"{msg}: its weight is taken as 0", UserWarning, stacklevel=_level_of_user())


def _level_of_user() -> int:
    """Return the `stacklevel` of what called the package, also by way of scikit-learn."""
    level, frame = 0, inspect.currentframe()
    while frame and frame.f_globals["__name__"].partition(".")[0] in {"logreg_c", "sklearn"}:
        level, frame = level + 1, frame.f_back
    return level
