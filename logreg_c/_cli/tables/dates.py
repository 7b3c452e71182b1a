# SPDX-License-Identifier: BSD-3-Clause
"""Dates and times in text, and their parts."""

import itertools

import polars as pl

from logreg_c._cli.recipes import DATE_CATEGORIES

from .delimited import unnamed

DAYS = (
    "%Y-%m-%d",
    "%Y/%m/%d",
    "%d.%m.%Y",
    "%d.%m.%y",
    "%m/%d/%Y",
    "%d/%m/%Y",
    "%m/%d/%y",
    "%d/%m/%y",
    "%d-%m-%Y",
    "%m-%d-%Y",
    "%d %b %Y",
    "%d-%b-%Y",
    "%d-%b-%y",
    "%b %d, %Y",
    "%d %B %Y",
    "%B %d, %Y",
)
TIMES = (
    "",
    " %H:%M",
    " %H:%M:%S%.f",
    "T%H:%M",
    "T%H:%M:%S%.f",
    " %H:%M:%S%.f%#z",
    "T%H:%M:%S%.f%#z",
    " %I:%M %p",
    " %I:%M:%S %p",
)
SAMPLED = 1000
OLDEST = 1000  # the year; before that, %Y has read two digits
MICROSECONDS_PER_DAY = 86_400e6


def formats_of(texts: pl.Series) -> list[str]:
    """Return the formats in which all of these texts, without nulls, are different dates."""
    if len(texts) == 0 or not 6 <= len(texts[0]) <= 40 or not any(map(str.isdigit, texts[0])):
        return []
    found = [day + time for day, time in itertools.product(DAYS, TIMES)]
    unique = unnamed(texts).unique()
    for part in (texts.head(1), unique.head(SAMPLED), unique):
        found = [form for form in found if not _parsed(part, form).has_nulls()]
    read: list[tuple[str, pl.Series]] = []
    for form in found:
        moments = _parsed(unique, form)
        if not any(moments.equals(other) for _, other in read):
            read.append((form, moments))
    return [form for form, _ in read]


def moments(values: pl.Series, form: str | None) -> pl.Series:
    """Return a column of dates, or of text in this format, as moments; null where it is neither."""
    if form is not None:
        return _parsed(unnamed(values).cast(pl.String).str.strip_chars(), form)
    found = unnamed(values).cast(pl.Datetime("us", getattr(values.dtype, "time_zone", None)))
    return found.dt.replace_time_zone(None)


def _parsed(texts: pl.Series, form: str) -> pl.Series:
    found = unnamed(texts).str.to_datetime(form, time_unit="us", strict=False)
    found = found.dt.replace_time_zone(None)
    too_old = found.dt.year() < OLDEST
    if too_old.any():
        found = found.to_frame().select(pl.when(~too_old).then(pl.first())).to_series()
    return found


def category(moments: pl.Series, part: str) -> pl.Series:
    """Return the month, weekday or hour as text."""
    return moments.dt.strftime(DATE_CATEGORIES[part])


def number(moments: pl.Series, part: str) -> pl.Series:
    """Return the year, or the days since 1970."""
    if part == "year":
        return moments.dt.year().cast(pl.Float64)
    return moments.dt.epoch("us") / MICROSECONDS_PER_DAY
