# SPDX-License-Identifier: BSD-3-Clause
"""Batches as the parts of a whole: cut anew, checked as they are read, named where they are bad."""

from __future__ import annotations

import bisect
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from logreg_c import _input, _kernel
from logreg_c._objective import Tally
from logreg_c._parts import Part, examples_of_parts, survey_part

from .ahead import ahead
from .cache import Cache
from .category_sums import ProblemWithCategories
from .columns import NO_ROWS, Reader, as_given, labels_as_given

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import ArrayLike, DTypeLike, NDArray

    from .batches import Batches

    Arrays = list[NDArray[Any]]

# Values of a part, about: 16 MB of float64.
VALUES = 1 << 21
LABELS = "0, 1, a probability within [0, 1], or the classes 0, 1, 2, ... as integers"
TALLIED = 1024  # classes, in the first pass; more take another one


class PartsOfBatches:
    """The parts of batches: a `Source` of `_parts`. The constructor makes the first pass."""

    def __init__(
        self,
        batches: Batches,
        Y: ArrayLike | str,
        sample_weight: ArrayLike | str | None,
        dtype: DTypeLike | None,
        names: tuple[str, ...] | None,
    ) -> None:
        self._reader = Reader(batches, names, Y, sample_weight)
        self._Y: NDArray[Any] | str
        self._Y, rows = (Y, None) if isinstance(Y, str) else labels_as_given(Y)
        self.labels = _input.Labels(0, rows)
        self._sample_weight = sample_weight
        if sample_weight is not None and not isinstance(sample_weight, str):
            self._sample_weight = as_given(sample_weight, "sample_weight")
        self._exponent = 0  # of the power of two that weights are multiplied by
        self._files: list[tuple[int, str | None, int]] = []  # where each begins, at which row
        self._ahead = batches.reads_ahead
        self._cache = None
        if batches.cache is not None:
            self._cache = Cache(batches.cache, [batches.identity(), self._reader.wanted()])
        self.m = -1
        self.example_major = False
        self.survey: _kernel.Survey | None = None
        self.tally: Tally | None = None
        self._unit = 0  # what parts are cut at in later passes, if not as in the first
        self.examples = self._first_pass(dtype)
        if self.examples.categories is not None:
            self.problem = partial(ProblemWithCategories, self)
            sums = self.problem(1, float32=False, halves=False)
            self._unit = max(sums.segment_size(sums.n_x), examples_of_parts(sums.n_dense))

    def __iter__(self) -> Iterator[Part]:
        """Read all parts."""
        end = 0
        for part in self._parts(first_pass=False):
            end = part.first + part.m
            if end > self.m:
                break
            yield part
        if end != self.m:
            msg = (
                f"the batches have {'more' if end > self.m else 'fewer'} rows than the {self.m} "
                "that the first pass has read; expected the same rows in every pass"
            )
            raise ValueError(msg)

    def place(self, example: int) -> str:
        """Return the row, and the file that it is in."""
        k = bisect.bisect([first for first, _, _ in self._files], example) - 1
        first, file, row = self._files[k] if k >= 0 else (0, None, 0)
        row += example - first
        return f"row {row} (counted from 0)" + ("" if file is None else f" of {file}")

    def _first_pass(self, dtype: DTypeLike | None) -> _input.Examples:
        """Check labels and weights, count the rows, and write the cache."""
        m, largest = 0, 0.0
        survey, tally = _kernel.Survey(), Tally(np.zeros(1), np.inf)
        for part in self._parts(first_pass=True):
            k = self._check_labels(part)
            if part.sample_weight is not None:
                weight = part.sample_weight
                self._check(weight, _input.LARGEST, part.first, "sample_weight", "a weight >= 0")
                largest = max(largest, float(weight.max()))
            survey_part(survey, part)
            if k <= TALLIED:
                tally = tally.of(k).counting(part.Y, part.sample_weight)
            m = part.first + part.m
        if m == 0:
            raise ValueError(NO_ROWS)
        for given, what in (self._Y, "Y"), (self._sample_weight, "sample_weight"):
            if isinstance(given, np.ndarray) and given.size != m:
                raise ValueError(_unlike(what, given.size, m))
        if self._sample_weight is not None and largest == 0.0:
            msg = "sample_weight is zero at every example; expected a positive sum"
            raise ValueError(msg)
        if self.labels.highest is not None:
            _input.check_range(0, self.labels.highest, m)
        self.m = m
        dtypes = self._reader.dtypes
        values: Any = [np.empty(0, dtype) for dtype in dtypes]
        n_x = self._reader.n_x
        if self._reader.starts is not None:
            codes = [np.empty(0, np.int32)] * (len(self._reader.starts) - 1)
            values = _input.Categorical(values, codes, self._reader.starts, n_x)
        float32 = _input.in_float32(values, dtype)
        self._exponent = _input.exponent_of_scale(largest, float32) if largest else 0
        if not self._exponent:
            self.survey = survey
            self.tally = tally if k <= TALLIED else None
        self.example_major = self._reader.is_matrix and n_x > 1 and m > 1
        if self._reader.starts is None:
            values = values[0] if len(set(dtypes)) == 1 else np.empty(0)
        return _input.Examples(values, (n_x, m), float32, self._reader.names)

    def _check_labels(self, part: Part) -> int:
        """Check the labels of a part; return the number of classes so far, or a large one."""
        highest, first = self.labels.highest, part.first
        if highest is None or part.Y.dtype.kind not in "iub":
            self._check(part.Y, 1.0, first, "Y", LABELS)
            if highest is not None and highest > 1:
                msg = (
                    f"Y is {part.Y.dtype} from {self.place(first)} on, and holds classes before; "
                    "expected integers in all batches"
                )
                raise TypeError(msg)
            highest = None
        else:
            self._check(part.Y, _input.LARGEST, first, "Y", LABELS)
            highest = max(highest, int(part.Y.max()))
        self.labels = self.labels._replace(highest=highest)
        return TALLIED + 1 if highest is None else highest + 1

    def _check(
        self, values: NDArray[Any], high: float, first: int, what: str, expected: str
    ) -> None:
        bad = _kernel.first_outside(values, 0.0, high)
        if bad < 0:
            return
        msg = (
            f"{what} is {values.item(bad)} in {self.place(first + bad)}; expected {expected}: "
            "correct the value, or leave the row out"
        )
        raise ValueError(msg)

    def _parts(self, *, first_pass: bool) -> Iterator[Part]:
        cache = self._cache
        read: Callable[[], Iterator[tuple[int, Arrays]]] = self._read_anew
        is_ahead = self._ahead
        if cache is not None:
            if cache.is_written or (first_pass and cache.is_found(self._reader)):
                read, is_ahead = partial(self._read_cache, cache), True
                if first_pass:
                    self._files = cache.files
            else:
                read = partial(cache.writing, self._read_anew, self._reader, self._files)
        parts = ahead(read) if is_ahead else ((part, False) for part in read())
        for (first, arrays), is_late in parts:
            yield self._part(first, arrays, is_late=is_late)

    def _part(self, first: int, arrays: Arrays, *, is_late: bool) -> Part:
        """Return a part, from features, and labels and weights where these are columns."""
        rest = arrays[self._reader.n_arrays :]
        m = len(arrays[0])
        own = iter(rest)
        Y = next(own) if isinstance(self._Y, str) else self._slice_of(self._Y, "Y", first, m)
        weight = self._sample_weight
        if weight is not None:
            if isinstance(weight, str):
                weight = next(own)
            else:
                weight = self._slice_of(weight, "sample_weight", first, m)
            if self._exponent:
                weight = np.ldexp(weight.astype(np.float64), self._exponent)
        return Part(first, self._reader.values_of(arrays), Y, weight, is_late)

    @staticmethod
    def _slice_of(given: Any, what: str, first: int, m: int) -> NDArray[Any]:
        if given.size < first + m:
            raise ValueError(_unlike(what, given.size, first + m))
        here: NDArray[Any] = given[first : first + m]
        return here

    def _read_anew(self) -> Iterator[tuple[int, Arrays]]:
        """Read the batches, and note in the first pass where files begin."""
        files = self._files if self.m < 0 else []

        def read() -> Iterator[Arrays]:
            seen = 0
            for batch, arrays in self._reader.read():
                if not files or (files[-1][1] != batch.file):
                    files.append((seen, batch.file, batch.first))
                seen += len(arrays[0])
                yield arrays

        return self._cut(read())

    def _read_cache(self, cache: Cache) -> Iterator[tuple[int, Arrays]]:
        """Read the cache, whose parts may be too short where categories were not known yet."""
        reader = self._reader
        if reader.starts is None:
            yield from cache.read()
            return
        sizes = np.diff(reader.starts).tolist()
        for first, arrays in self._cut(arrays for _, arrays in cache.read()):
            codes = arrays[reader.n_numbers : reader.n_arrays]
            for x, n in zip(codes, sizes, strict=True):
                if _kernel.first_outside(x, 0, n - 1) >= 0:
                    msg = "the cache has codes beyond its categories, so it is damaged: delete it"
                    raise ValueError(msg)
            yield first, arrays

    def _cut(self, batches: Iterator[Arrays]) -> Iterator[tuple[int, Arrays]]:
        """Cut batches where parts may begin."""
        reader = self._reader
        held: list[Arrays] = []
        rows, first = 0, 0
        unit = least = most = 0
        for batch in batches:
            arrays, m = batch, len(batch[0])
            if not unit:
                width = reader.n_x if reader.is_matrix else reader.n_arrays
                dense = reader.n_x if reader.n_numbers == reader.n_arrays else reader.n_numbers
                unit = self._unit or examples_of_parts(dense)
                most = max(VALUES // max(width, 1) // unit, 1) * unit
                least = max(most // 4 // unit, 1) * unit  # smaller batches are joined
            while m:
                if rows + m < least:
                    held.append(arrays)
                    rows += m
                    break
                # Only what is held is copied: up to the next place where a part may begin.
                count = -rows % unit if rows else min(m, most) // unit * unit
                if count:
                    held.append([x[:count] for x in arrays])
                    arrays = [x[count:] for x in arrays]
                    rows, m = rows + count, m - count
                yield first, _joined(held)
                first, rows, held = first + rows, 0, []
        if rows:
            yield first, _joined(held)


def _joined(held: list[Arrays]) -> Arrays:
    if len(held) == 1:
        return held[0]
    return [np.concatenate(pieces) for pieces in zip(*held, strict=True)]


def _unlike(what: str, n: int, m: int) -> str:
    return f"{what} has {n} values, and X {'at least ' if n < m else ''}{m} rows; expected as many"
