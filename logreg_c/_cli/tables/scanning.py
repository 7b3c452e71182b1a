# SPDX-License-Identifier: BSD-3-Clause
"""A table to train on that is read in batches: what `preparing` finds out of one in memory."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

from logreg_c._cli.errors import brief, refuse
from logreg_c._cli.recipes import Column, Recipe

from .delimited import unnamed
from .exact import ExactMean, ExactMedian
from .facts import Facts, add_rows, where_missing
from .faults import Faults
from .hints import SAMPLE_ROWS, SAMPLE_VALUES, warn_of_ids, warn_of_leaks
from .numbering import numberings_of, without_index
from .preparing import (
    NO_NUMBERS,
    WITH_MISSING,
    Options,
    Planned,
    as_number,
    complete,
    labels_of,
    plan,
    refuse_none_whole,
    say_left_out,
    used,
    without_target,
)
from .reading import Choice, batches, chosen
from .source import Source

# Different numbers that are counted for medians: of a column, and of all together.
LEAST_COUNTED, MOST_COUNTED, COUNTED = 1 << 10, 1 << 16, 1 << 22

Rows = Iterator[tuple[Source, int, pl.DataFrame]]  # of `batches`
Watch = Callable[[Rows], Rows]  # passes the rows of a reading on, and counts them


def scanned(
    source: Source, choice: Choice, options: Options, watch: Watch
) -> tuple[Planned, NDArray[np.bool_]]:
    """Read a table to train on; refuse it with all its faults. Return which rows are used, too."""
    faults = Faults(source)
    names, index = chosen(source.parts[0], choice, faults)
    others = {choice.target, *choice.aside}
    scan, as_text = _scan_of_types(source, names, choice, watch)
    kept, left_out = without_index(names, scan.numberings, source, others, index)
    facts = [scan.facts[name] for name in kept if name not in others]
    recipe = plan(facts, options, source, faults)
    target = scan.whole(choice.target)
    unlabeled = None if options.missing == "error" else where_missing(target)
    labeled = target if unlabeled is None else target.filter(~unlabeled)
    Y, classes = labels_of(labeled, options.positive, source, faults)
    warn_of_ids(facts)
    faults.refuse()
    aside = {name: scan.whole(name) for name in choice.aside}
    drops = options.missing == "drop" and any(scan.facts[name].missing for name in recipe.sources)
    is_used = np.ones(len(target), bool)
    if unlabeled is not None or drops:
        scan = _Scan(names, choice, recipe).run(source, as_text, watch)
        is_used = np.concatenate(scan.is_used)
        if unlabeled is not None:
            say_left_out(int(unlabeled.sum()), len(target), without_target(choice.target))
        if drops:
            whole = is_used if unlabeled is None else is_used[~unlabeled.to_numpy()]
            refuse_none_whole(whole, source)
            say_left_out(int((~whole).sum()), len(whole), WITH_MISSING)
            Y = Y[whole]
        aside = {name: values.filter(pl.Series(is_used)) for name, values in aside.items()}
        facts = [scan.facts[name] for name in kept if name not in others]
        recipe = plan(facts, options, source, faults)
        faults.refuse()
    facts = used(facts, recipe, options, source, choice.target)
    if len(classes) == 2:
        rows, columns = scan.sample(facts)
        warn_of_leaks(columns, Y[rows])
    return Planned(recipe, {f.name: f for f in facts}, aside, Y, classes, left_out), is_used


class _Scan:
    """One reading of the chosen columns; with a recipe, of the rows that have all that it needs."""

    def __init__(self, names: Sequence[str], choice: Choice, recipe: Recipe | None = None) -> None:
        self.facts = {name: Facts(name) for name in names}
        self.numberings = numberings_of(names)
        self.is_used: list[NDArray[np.bool_]] = []
        self._target, self._recipe = choice.target, recipe
        self._kept: dict[str, list[pl.Series]] = {choice.target: []}
        self._kept |= {name: [] for name in choice.aside}
        self._sampled: list[tuple[NDArray[np.int64], pl.DataFrame]] = []
        self._every = 1  # of how many rows one is sampled
        self._most = max(1, min(SAMPLE_ROWS, SAMPLE_VALUES // len(names)))
        self._rows = 0  # that are used

    def run(self, source: Source, as_text: dict[str, Collection[str]], watch: Watch) -> "_Scan":
        """Read everything; return itself."""
        columns = {name: as_text.get(name) for name in self.facts}
        for _, _, batch in watch(batches(source, columns)):
            self._add(batch)
        return self

    def whole(self, name: str) -> pl.Series:
        """Return all values of the target, or of a column that is kept aside."""
        parts = self._kept[name]
        kinds = {part.dtype for part in parts if part.null_count() < len(part)}
        if len(kinds) > 1:
            kinds = {pl.Float64() if all(k.is_numeric() for k in kinds) else pl.String()}
        kind = next(iter(kinds), parts[0].dtype)
        return pl.concat([part.cast(kind) for part in parts])

    def sample(self, facts: Sequence[Facts]) -> tuple[NDArray[np.int64], list[pl.Series]]:
        """Return rows spread evenly over those that are used, and the values of columns there."""
        rows = np.concatenate([rows for rows, _ in self._sampled])
        columns = [
            pl.concat([frame.get_column(one.name).cast(one.kind) for _, frame in self._sampled])
            for one in facts
        ]
        return rows, columns

    def _add(self, batch: pl.DataFrame) -> None:
        first = self._rows
        if self._recipe is None:
            for name, numbering in self.numberings.items():
                numbering.add(batch.get_column(name))
            for name, parts in self._kept.items():
                parts.append(batch.get_column(name))
        else:
            series = [batch.get_column(name) for name in self._recipe.sources]
            whole = complete(self._recipe, series, batch.get_column(self._target))
            self.is_used.append(np.ones(batch.height, bool) if whole is None else whole)
            batch = batch.filter(pl.Series(self.is_used[-1]))
            if not batch.height:
                return
        used = [name for name in self.facts if name not in self._kept]
        columns = [batch.get_column(name) for name in used]
        add_rows([self.facts[name] for name in used], columns, first)
        self._rows += batch.height
        self._take_sample(batch, first)

    def _take_sample(self, batch: pl.DataFrame, first: int) -> None:
        rows = np.arange(first, first + batch.height)
        self._sampled.append((rows, batch))
        self._thin(slice(-1, None))
        while sum(len(rows) for rows, _ in self._sampled) > 2 * self._most:
            self._every *= 2
            self._thin(slice(None))

    def _thin(self, parts: slice) -> None:
        self._sampled[parts] = [
            (rows[chosen], frame.filter(pl.Series(chosen)))
            for rows, frame in self._sampled[parts]
            if (chosen := rows % self._every == 0).any()
        ]


def _scan_of_types(
    source: Source, names: Sequence[str], choice: Choice, watch: Watch
) -> tuple[_Scan, dict[str, Collection[str]]]:
    """Read everything, and again where CSV has numbers in one batch and text in another."""
    as_text: dict[str, Collection[str]] = {choice.target: ()}
    while True:
        scan = _Scan(names, choice).run(source, as_text, watch)
        mixed = [facts for facts in scan.facts.values() if facts.is_mixed]
        if not mixed:
            return scan, as_text
        if source.kind != "CSV":
            kinds = " and ".join(map(str, mixed[0].kinds))
            refuse(
                f"{source}: column {brief(mixed[0].name)} is of type {kinds} in different files;"
                " convert it to one type"
            )
        as_text |= {facts.name: () for facts in mixed}


def filled_in_batches(
    recipe: Recipe, source: Source, rows: NDArray[np.bool_], watch: Watch
) -> Recipe:
    """Fill missing values as `preparing.filled` does, by the mean or the median of these rows."""
    if recipe.missing == "error":
        return recipe
    numbers = [c for c in recipe.columns if c.categories is None and c.part not in NO_NUMBERS]
    if recipe.missing == "drop":
        return recipe.filled(dict.fromkeys((column.name for column in numbers), 0.0))
    each = max(LEAST_COUNTED, min(MOST_COUNTED, COUNTED // max(len(numbers), 1)))
    found: dict[str, ExactMean | ExactMedian] = {
        column.name: ExactMedian(each) if recipe.missing == "median" else ExactMean()
        for column in numbers
    }
    wanted = numbers
    while wanted:
        _read_numbers(recipe, wanted, found, source, rows, watch)
        wanted = [column for column in wanted if not found[column.name].ended()]
    return recipe.filled({name: one.value() if one.count else 0.0 for name, one in found.items()})


def _read_numbers(
    recipe: Recipe,
    numbers: Sequence[Column],
    found: Mapping[str, ExactMean | ExactMedian],
    source: Source,
    rows: NDArray[np.bool_],
    watch: Watch,
) -> None:
    """Add the numbers of some rows to what is found out about each column."""
    first = 0
    for _, _, batch in watch(batches(source, recipe.as_text())):
        chosen = batch.filter(pl.Series(rows[first : first + batch.height]))
        first += batch.height
        for column in numbers:
            values = unnamed(as_number(column, chosen.get_column(column.source)))
            there = values.cast(pl.Float64).fill_nan(None).drop_nulls()
            found[column.name].add(there.to_numpy())
