# SPDX-License-Identifier: BSD-3-Clause
"""Warnings about columns that may be better left out: IDs, constants, leaks."""

import shlex
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

from logreg_c._cli.errors import say

from .facts import TEXT, VALUES_AT_ONCE, Facts, stacked
from .numbering import FEW
from .reading import listed

SAMPLE_VALUES = 1 << 23  # looked at for leaks: fewer rows if there are many columns
SAMPLE_ROWS = 10_000
FEW_OF_A_CLASS = 20  # so few may be separated by chance
FEW_CATEGORIES = 20
NEARLY_ALL = 0.995  # the ROC AUC of a single column that gives the classes away


def warn_of_ids(columns: Iterable[Facts]) -> None:
    """Warn about columns of numbers that seem to identify the rows."""
    names = [
        facts.name
        for facts in columns
        if facts.rows > FEW and facts.may_be_id and facts.kind.is_numeric() and facts.is_unique
    ]
    _warn(names, "a different number in each row, like an ID")


def warn_of_constants(columns: Iterable[Facts]) -> None:
    """Warn about columns with one value in all rows."""
    names = [facts.name for facts in columns if facts.rows > FEW and facts.is_constant]
    _warn(names, "the same value in every row, so no weight")


def warn_of_leaks(columns: Sequence[pl.Series], Y: NDArray[np.bool_]) -> None:
    """Warn about columns that separate nearly all rows of the two classes on their own."""
    rows = min(SAMPLE_ROWS, SAMPLE_VALUES // max(1, len(columns)), len(Y))
    sample = np.unique(np.linspace(0, len(Y) - 1, max(1, rows)).astype(np.int64))
    classes = Y[sample]
    few = min(classes.sum(), len(classes) - classes.sum()) < FEW_OF_A_CLASS
    if few or len(columns) == 1:
        return
    leaks: list[str] = []
    each = max(1, VALUES_AT_ONCE // len(sample))
    for start in range(0, len(columns), each):
        scores, names = _scores(columns[start : start + each], sample, classes)
        parts = _separated(scores, classes)
        leaks += [name for name, part in zip(names, parts, strict=True) if part >= NEARLY_ALL]
    _warn(
        leaks,
        "values that nearly separate the classes alone: a copy of the target, or known only"
        " afterwards? If so,",
    )


def _scores(
    columns: Sequence[pl.Series], sample: NDArray[np.int64], classes: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], list[str]]:
    """Return numbers that order the rows, (columns, rows), and the names of their columns."""
    found: list[pl.Series] = []
    # gathered together, since column by column takes far longer
    for values in pl.DataFrame(columns)[sample].get_columns():
        if values.dtype in TEXT:
            found += _shares(values, classes)
        elif values.dtype.is_numeric() or values.dtype == pl.Boolean:
            found.append(values.cast(pl.Float64))
    return stacked(pl.DataFrame(found)), [values.name for values in found]


def _shares(values: pl.Series, classes: NDArray[np.bool_]) -> Iterator[pl.Series]:
    """Yield, for the rows of a text with few values, the share of the second class."""
    if values.n_unique() <= FEW_CATEGORIES:
        table = pl.DataFrame({"value": values.cast(pl.String), "Y": classes})
        share = pl.when(pl.col("value").is_not_null()).then(pl.col("Y").mean().over("value"))
        yield table.select(share).to_series().alias(values.name)


def _separated(scores: NDArray[np.float64], classes: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return the ROC AUC of each score, or of its negative; a missing score (NaN) is left out."""
    order = np.argsort(scores, axis=1)  # NaN last
    ordered = np.take_along_axis(scores, order, axis=1)
    there = ~np.isnan(ordered)
    is_first = np.ones(scores.shape, bool)  # of equal ones
    is_first[:, 1:] = ordered[:, 1:] != ordered[:, :-1]
    is_last = np.roll(is_first, -1, axis=1)
    at = np.arange(scores.shape[1])
    first = np.maximum.accumulate(np.where(is_first, at, 0), axis=1)
    last = np.where(is_last, at, len(at))[:, ::-1]
    last = np.minimum.accumulate(last, axis=1)[:, ::-1]
    is_positive = classes[order] & there
    positives = is_positive.sum(axis=1)
    pairs = positives * (there.sum(axis=1) - positives)
    # Equal scores share the mean of their ranks.
    ranks = ((first + last) * is_positive).sum(axis=1) / 2 + positives
    won = ranks - positives * (positives + 1) / 2
    parts: NDArray[np.float64] = np.maximum(won, pairs - won) / np.maximum(pairs, 1)
    return parts


def _warn(names: Sequence[str], what: str) -> None:
    if names:
        drop = " ".join(f"--drop {shlex.quote(name)}" for name in names[:5])
        end = "" if what.endswith(",") else ";"
        say(
            f"warning: {listed(names)} {'have' if len(names) > 1 else 'has'} {what}{end} {drop}"
            f" leaves {'them' if len(names) > 1 else 'it'} out"
        )
