# SPDX-License-Identifier: BSD-3-Clause
"""Features from the columns of a table: a recipe is made from the rows of a training, and applied.

Training and prediction apply it with the same function, so that they see the same features.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from logreg_c._cli.errors import InputError, brief, refuse, say
from logreg_c._cli.recipes import DATE_CATEGORIES, Column, Recipe

from . import dates
from .columns import (
    MOST_CATEGORIES,
    Labels,
    check_values,
    classes_of,
    faulty_numbers,
    first_cells,
    longest,
    matrix,
    numbers,
    one_hot,
    stripped,
)
from .delimited import unnamed
from .facts import MOST_DIFFERENT, TEXT, Facts, facts_of, where_missing
from .faults import Faults
from .hints import warn_of_constants, warn_of_ids, warn_of_leaks
from .numbering import numberings_of, without_index
from .reading import LONGEST_NAME, Choice, listed, read
from .source import Source

SOME_CATEGORIES = 100  # as many as --min-count is proposed to leave
MANY_CATEGORIES = 20  # from which those in few rows are better merged
FEW_PER_CATEGORY = 5
UNCOUNTED = f"more than {MOST_DIFFERENT} different values"
NO_NUMBERS = ("missing", "rare")  # parts that are true or false
FEW_TEXTS = 20  # rows; so few may all differ by chance


class Options(NamedTuple):
    """How `train` is told to make features and classes."""

    one_hot: bool
    missing: str
    date_parts: tuple[str, ...]
    min_count: int
    positive: str | None


# ---- Training ------------------------------------------------------------------------------------


class Planned(NamedTuple):
    """What is known of a table to train on before its features are made."""

    recipe: Recipe  # without fills
    facts: dict[str, Facts]  # of each column of the recipe, in the rows that are used
    aside: dict[str, pl.Series]  # columns that are not features
    Y: Labels
    classes: NDArray[Any]
    left_out: list[str]  # columns that number the rows


def prepared(source: Source, choice: Choice, options: Options) -> tuple[Planned, list[pl.Series]]:
    """Read a table to train on; refuse it with all its faults. Return its columns, too."""
    faults = Faults(source)
    table, index = read(source, choice, faults)
    others = {choice.target, *choice.aside}
    of = dict(zip(table.columns, table.get_columns(), strict=True))
    numberings = numberings_of(table.columns)
    for name, numbering in numberings.items():
        numbering.add(of[name])
    kept, left_out = without_index(table.columns, numberings, source, others, index)
    target = of[choice.target]
    columns = [of[name] for name in kept if name not in others]
    aside = [of[name] for name in choice.aside]
    facts = facts_of(columns)
    recipe = plan(facts, options, source, faults)
    unlabeled = None if options.missing == "error" else where_missing(target)
    labeled = target if unlabeled is None else target.filter(~unlabeled)
    Y, classes = labels_of(labeled, options.positive, source, faults)
    warn_of_ids(facts)
    faults.refuse()
    whole = complete(recipe, columns)
    if unlabeled is not None:
        say_left_out(int(unlabeled.sum()), len(target), without_target(choice.target))
        columns, aside = _filtered(columns, ~unlabeled), _filtered(aside, ~unlabeled)
        whole = complete(recipe, columns)
    if whole is not None:
        refuse_none_whole(whole, source)
        say_left_out(int((~whole).sum()), len(whole), WITH_MISSING)
        where = pl.Series(whole)
        columns, aside, Y = _filtered(columns, where), _filtered(aside, where), Y[whole]
    if unlabeled is not None or whole is not None:
        facts = facts_of(columns)
        recipe = plan(facts, options, source, faults)
        faults.refuse()
    facts = used(facts, recipe, options, source, choice.target)
    if len(recipe.sources) < len(columns):
        columns = [values for values in columns if values.name in recipe.sources]
    if len(classes) == 2:
        warn_of_leaks(columns, Y)
    asides = {values.name: values for values in aside}
    of_name = {one.name: one for one in facts}
    return Planned(recipe, of_name, asides, Y, classes, left_out), columns


WITH_MISSING = "with missing values"


def without_target(target: str) -> str:
    """Return which rows have no target, in words."""
    return f"whose target {brief(target)} is missing"


def say_left_out(rows: int, of: int, which: str) -> None:
    """Say which rows are not used."""
    say(f"left out {rows} of {of} rows, {which}")


def refuse_none_whole(whole: NDArray[np.bool_], source: Source) -> None:
    """Refuse a table without a row that can be used."""
    if not whole.any():
        refuse(f"{source} has a missing value in every row; give --missing median, or --drop")


def plan(facts: Sequence[Facts], options: Options, source: Source, faults: Faults) -> Recipe:
    """Return the recipe for these columns of a table, without fills; add their faults."""
    made: list[Column] = []
    for one in facts:
        made += _planned(one, options, source, faults)
    names = [column.name for column in made]
    for name in sorted({name for name in names if names.count(name) > 1}) if _derived(made) else ():
        faults.add_other(f"two columns of features would be named {brief(name)}; rename one")
    return Recipe(made, options.missing, source.dialect.na_values)


def used(
    facts: Sequence[Facts], recipe: Recipe, options: Options, source: Source, target: str
) -> list[Facts]:
    """Return the facts about columns of the recipe; say what is left out or constant."""
    if not recipe.columns:
        refuse(
            f"{source} has no column except the target {brief(target)}; add at least one feature"
        )
    rare = [one.name for one in facts if one.name not in recipe.sources]
    if rare:
        say(f"left out {listed(rare)}: each value is in fewer than {options.min_count} rows")
    kept = [one for one in facts if one.name in recipe.sources]
    warn_of_constants(kept)
    return kept


def labels_of(
    target: pl.Series, positive: str | None, source: Source, faults: Faults
) -> tuple[Labels, NDArray[Any]]:
    """Return Y and the classes; add the faults of the target."""
    missing = where_missing(target)
    if missing is not None:
        faults.add_other(
            f"column {brief(target.name)} has missing values, first in row"
            f" {int(missing.arg_true()[0]) + 1}: it is the target, so --missing leaves out such"
            " rows, whatever it does with others",
            **({} if "--missing" in faults.options else {"missing": "drop"}),
        )
        target = target.filter(~missing)
    try:
        if target.is_empty():
            refuse(f"target {brief(target.name)} is missing in every row; name another column")
        return classes_of(target, source, positive)
    except InputError as error:
        faults.add_other(str(error).removeprefix(f"{source}: "))
        return np.zeros(0, bool), np.zeros(0)


def _filtered(columns: Sequence[pl.Series], where: pl.Series) -> list[pl.Series]:
    return [values.filter(where) for values in columns]


def _derived(made: Sequence[Column]) -> bool:
    return any(column.name != column.source for column in made)


def _planned(facts: Facts, options: Options, source: Source, faults: Faults) -> Iterator[Column]:
    name, kind = facts.name, facts.kind
    if facts.missing == facts.rows:
        faults.add("empty", name)
        return
    if facts.first_missing is not None and options.missing == "error":
        faults.add("missing", name, facts.first_missing + 1, missing="median")
    if kind.is_numeric() or kind == pl.Boolean:
        if facts.infinite is not None:
            row, value = facts.infinite
            faults.add("infinite", name, row + 1, na_value=value, **_filled(options))
        yield Column(name, name)
    elif kind in TEXT:
        yield from _planned_text(facts, options, source, faults)
    elif kind in (pl.Date, pl.Datetime):
        yield from _planned_dates(facts, None, options, faults)
    else:
        faults.add("type", name, kind)
    if facts.missing and options.missing == "indicator":
        yield Column(f"{name} is missing", name, "missing")


def _filled(options: Options) -> dict[str, str]:
    return {"missing": "median"} if options.missing == "error" else {}


def _planned_text(
    facts: Facts, options: Options, source: Source, faults: Faults
) -> Iterator[Column]:
    name, table = facts.name, facts.texts
    texts = table.get_column("value")
    length = len(longest(texts))
    if length > LONGEST_NAME:
        faults.add("long", name, f"a value of {length} characters; at most {LONGEST_NAME} are used")
        return
    if texts.str.ends_with("\0").any():
        faults.add("long", name, "a value that ends in NUL")
        return
    if source.kind == "CSV" and (found := faulty_numbers(table)):
        tokens = {"na_value": found.tokens} if found.tokens else {}
        faults.add("faulty", name, found.words, **tokens, **(_filled(options) if tokens else {}))
        return
    formats = dates.formats_of(texts)
    if len(formats) > 1:
        faults.add("unclear date", name, brief(texts[0]))
    elif formats:
        yield from _planned_dates(facts, formats[0], options, faults)
    else:
        yield from _planned_categories(facts, options, faults)


def _planned_categories(facts: Facts, options: Options, faults: Faults) -> Iterator[Column]:
    name, table = facts.name, facts.texts
    if not facts.is_counted:
        faults.add("uncounted", name, UNCOUNTED)
        return
    rows = facts.rows - facts.missing
    count = table.get_column("count").sort(descending=True)
    common = table.filter(table.get_column("count") >= options.min_count)
    known = common.get_column("value").sort().to_list()
    if options.min_count > 1 and not known:
        return  # all are rare
    if count[0] == 1 and rows >= FEW_TEXTS:
        faults.add("id", name, f"{len(count)} different values, one per row")
    elif len(known) > MOST_CATEGORIES:
        enough = int(count[SOME_CATEGORIES]) + 1
        faults.add(
            "many",
            name,
            f"{len(known)} different values; a feature is made of each, of at most"
            f" {MOST_CATEGORIES}",
            min_count=max(10, enough),
            **({} if options.one_hot else {"one_hot": ""}),
        )
    elif not options.one_hot:
        scattered = len(count) > MANY_CATEGORIES and len(count) * FEW_PER_CATEGORY > rows
        merged = {"min_count": FEW_PER_CATEGORY} if scattered and options.min_count == 1 else {}
        faults.add("text", name, first_cells(table), one_hot="", **merged)
    else:
        yield Column(name, name, categories=known)
        if len(known) < len(count):
            yield Column(f"{name} is rare", name, "rare")


def _planned_dates(
    facts: Facts, form: str | None, options: Options, faults: Faults
) -> Iterator[Column]:
    name, different = facts.name, facts.texts.get_column("value")
    if not options.date_parts:
        faults.add("date", name, brief(str(different[0])), date_parts="days")
        return
    if not facts.is_counted and {*DATE_CATEGORIES} & {*options.date_parts}:
        faults.add("uncounted", name, f"{UNCOUNTED}, so its months and the like are not known")
        return
    moments = dates.moments(different, form)
    for part in options.date_parts:
        known = None
        if part in DATE_CATEGORIES:
            known = dates.category(moments, part).drop_nulls().unique().sort().to_list()
        yield Column(f"{name} {part}", name, part, known, format=form)


def filled(recipe: Recipe, columns: Iterable[pl.Series], rows: NDArray[np.int64]) -> Recipe:
    """Fill missing values by the mean or the median of these rows, those to train on."""
    if recipe.missing == "error":
        return recipe
    found: dict[str, float] = {}
    of_name = {values.name: values for values in columns}
    for column in recipe.columns:
        if column.categories is not None or column.part in NO_NUMBERS:
            continue
        values = unnamed(as_number(column, of_name[column.source])).cast(pl.Float64)
        there = values.gather(rows).fill_nan(None).drop_nulls()
        if recipe.missing == "drop" or there.is_empty():  # drop: no such row is used
            found[column.name] = 0.0
        else:
            found[column.name] = _middle(there.to_numpy(), median=recipe.missing == "median")
    return recipe.filled(found)


def _middle(values: NDArray[np.float64], *, median: bool) -> float:
    # The sum is exact, so that its bits are the same everywhere.
    return float(np.median(values)) + 0.0 if median else math.fsum(values) / len(values)


# ---- Training and prediction ---------------------------------------------------------------------


def complete(
    recipe: Recipe, columns: Sequence[pl.Series], target: pl.Series | None = None
) -> NDArray[np.bool_] | None:
    """Return which rows have all values that they need, or None if all have."""
    needed: list[pl.Series] = []
    if recipe.missing == "drop":
        needed = [values for values in columns if values.name in recipe.sources]
    if target is not None and recipe.missing != "error":
        needed = [*needed, target]
    missing = [where for values in needed if (where := where_missing(values)) is not None]
    if not missing:
        return None
    whole: NDArray[np.bool_] = ~np.logical_or.reduce([where.to_numpy() for where in missing])
    return whole


def features(
    recipe: Recipe,
    columns: list[pl.Series],
    source: Source,
    row: int = 0,
    unknown: dict[str, tuple[int, str]] | None = None,
) -> list[NDArray[Any]] | NDArray[np.float64]:
    """Return X, a feature per row or item; leave `columns` empty if they are many values.

    `unknown` gets, for each column with unknown categories, the number of such rows and the first.
    """
    plain = all(column.is_number for column in recipe.columns)
    if plain and (X := matrix(columns)) is not None:
        return X
    known = {} if unknown is None else unknown
    made: list[NDArray[Any]] = []
    of_name = {values.name: values for values in columns}
    columns.clear()
    for name in recipe.sources:
        made += _features_of(recipe, of_name.pop(name), source, row, known)
    return made


def _features_of(
    recipe: Recipe, values: pl.Series, source: Source, row: int, unknown: dict[str, tuple[int, str]]
) -> list[NDArray[Any]]:
    made: list[NDArray[Any]] = []
    rare: NDArray[np.bool_] | None = None
    columns = recipe.sources[values.name]
    has_rare = any(column.part == "rare" for column in columns)
    for column in columns:
        if column.part == "missing":
            missing = where_missing(values)
            made.append(np.zeros(len(values), bool) if missing is None else missing.to_numpy())
        elif column.part == "rare":
            made.append(np.zeros(len(values), bool) if rare is None else rare)
        elif column.categories is None:
            made.append(_filled_number(column, values, source, row))
        else:
            _check_missing(recipe, values, source, row)
            where, other = one_hot(_text(column, values, source, row), column.categories)
            made += where
            if has_rare:
                rare = other.to_numpy()
            elif other.any():
                first = _text(column, values, source, row).filter(other)[0]
                rows, before = unknown.get(values.name, (0, first))
                unknown[values.name] = rows + int(other.sum()), before
    return made


def _text(column: Column, values: pl.Series, source: Source, row: int) -> pl.Series:
    """Return the categories of a column's rows; null where the value is missing."""
    if column.part == "value":
        return stripped(values, source)
    return dates.category(_moments(column, values, source, row), column.part)


def as_number(column: Column, values: pl.Series) -> pl.Series:
    """Return the numbers that a column of features is made of, also where they are missing."""
    if column.part == "value":
        return values
    return dates.number(dates.moments(values, column.format), column.part)


def _filled_number(column: Column, values: pl.Series, source: Source, row: int) -> NDArray[Any]:
    if column.part != "value":
        values = dates.number(_moments(column, values, source, row), column.part).alias(values.name)
    if column.fill is None:
        return numbers(values, source, row)
    if not (values.dtype.is_numeric() or values.dtype == pl.Boolean):
        return numbers(values, source, row)  # names the fault
    filled = unnamed(values).cast(pl.Float64).fill_nan(None).fill_null(column.fill)
    return numbers(filled.alias(values.name), source, row)


def _moments(column: Column, values: pl.Series, source: Source, row: int) -> pl.Series:
    """Return a column as moments; refuse what is neither a date nor missing."""
    if values.dtype not in (TEXT if column.format else (pl.Date, pl.Datetime)):
        refuse(
            f"{source}: column {brief(values.name)} is of type {values.dtype}; expected"
            f" {f'text such as {column.format}' if column.format else 'dates'}, as in training"
        )
    found = dates.moments(values, column.format)
    faulty = found.is_null() & unnamed(values).is_not_null()
    if faulty.any():
        at = int(faulty.arg_true()[0])
        refuse(
            f"{source}: column {brief(values.name)} is {brief(values[at])} in row {row + at + 1};"
            f" expected a date, as in training: {column.format}"
        )
    return found


def _check_missing(recipe: Recipe, values: pl.Series, source: Source, row: int) -> None:
    if recipe.missing == "error":
        check_values(values, source, row)
