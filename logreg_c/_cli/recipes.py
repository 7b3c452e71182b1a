# SPDX-License-Identifier: BSD-3-Clause
"""Recipes, stored in models: how the columns of a table become features."""

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, NamedTuple

DATE_CATEGORIES = {"month": "%m", "weekday": "%a", "hour": "%H"}  # one feature per value
DATE_NUMBERS = ("year", "days")
DATE_PARTS = ("year", "month", "weekday", "hour", "days")
PARTS = ("value", "missing", "rare", *DATE_PARTS)
MISSING = ("error", "drop", "mean", "median", "indicator")


class Dialect(NamedTuple):
    """How values are written in a file; None where CSV is to be detected."""

    separator: str | None = None
    decimal: str | None = None
    encoding: str | None = None
    na_values: tuple[str, ...] = ()  # missing values, in addition to those that are known


DETECTED = Dialect()


class Column(NamedTuple):
    """A column of features, and how it is made from a column of the table."""

    name: str
    source: str  # the column of the table
    part: str = "value"  # its value, a part of its date, or whether it is missing or rare
    categories: list[str] | None = None  # one feature each
    fill: float | None = None  # what stands for missing values
    format: str | None = None  # of a date that is text

    @property
    def is_plain(self) -> bool:
        """Whether the column of the table is used as it is."""
        same_name = self.name == self.source
        return same_name and self.part == "value" and self.fill is None and self.format is None

    @property
    def is_number(self) -> bool:
        """Whether the feature is the number in the table, unless that is missing."""
        return self.part == "value" and self.categories is None


@dataclass(frozen=True)
class Recipe:
    """How a table is read and its columns become features."""

    columns: list[Column] = field(default_factory=list)
    missing: str = "error"
    na_values: tuple[str, ...] = ()

    @cached_property
    def sources(self) -> dict[str, list[Column]]:
        """The columns of the table, each with what is made from it."""
        made: dict[str, list[Column]] = {}
        for column in self.columns:
            made.setdefault(column.source, []).append(column)
        return made

    def as_text(self) -> dict[str, list[str] | None]:
        """Return, by the columns of the table, the known values of text, or None for numbers."""
        return {name: _as_text(made) for name, made in self.sources.items()}

    @property
    def n_features(self) -> int:
        """How many features the columns give."""
        return sum(1 if c.categories is None else len(c.categories) for c in self.columns)

    def filled(self, fills: dict[str, float]) -> "Recipe":
        """Return the recipe with these values in place of missing ones."""
        return replace(self, columns=[c._replace(fill=fills.get(c.name)) for c in self.columns])

    def as_json(self) -> dict[str, Any]:
        """Return what `columns` of the model does not say."""
        made = {
            c.name: {"source": c.source, "part": c.part, "fill": c.fill, "format": c.format}
            for c in self.columns
            if not c.is_plain
        }
        return {"missing": self.missing, "na_values": list(self.na_values), "columns": made}


def _as_text(made: list[Column]) -> list[str] | None:
    if all(column.categories is None and column.format is None for column in made):
        return None
    known = [c.categories for c in made if c.part == "value" and c.categories is not None]
    return known[0] if known else []


def from_json(columns: dict[str, list[str] | None], preparation: dict[str, Any]) -> Recipe:
    """Return the recipe in a model; raise ValueError, TypeError or KeyError if there is none."""
    made = preparation["columns"]
    recipe = Recipe(
        [
            Column(name, **{"source": name} | made.get(name, {}), categories=known)
            for name, known in columns.items()
        ],
        preparation["missing"],
        tuple(preparation["na_values"]),
    )
    texts = (*recipe.na_values, *(column.source for column in recipe.columns))
    sound = (
        set(made) <= set(columns)
        and recipe.missing in MISSING
        and all(isinstance(text, str) for text in texts)
        and all(map(_is_sound, recipe.columns))
    )
    if not sound:
        message = "not a recipe"
        raise ValueError(message)
    return recipe


def _is_sound(column: Column) -> bool:
    has_categories = column.categories is not None
    return (
        column.part in PARTS
        and (column.part == "value" or has_categories == (column.part in DATE_CATEGORIES))
        and (column.fill is None or isinstance(column.fill, float))
        and (column.format is None or isinstance(column.format, str))
    )
