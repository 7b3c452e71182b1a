# SPDX-License-Identifier: BSD-3-Clause
"""Which rows are trained on, and which are held out: at random, by groups, or by time."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from .errors import brief, refuse, say
from .tables import Labels, Source

ISO_DATE = r"^\d{4}-\d{2}(-\d{2})?([T ].*)?$"  # text in this form sorts by time


class Splitting(NamedTuple):
    """The options that choose rows."""

    test_fraction: float
    validation_fraction: float
    seed: int
    group_by: str | None
    split_by_time: str | None


class Parts(NamedTuple):
    """The rows for each purpose, each in the table's order."""

    fit: NDArray[np.int64]
    validation: NDArray[np.int64]
    held_out: NDArray[np.int64]
    units: NDArray[np.int64]  # (len(fit),): rows with the same number belong together


def split(Y: Labels, column: pl.Series | None, options: Splitting, source: Source) -> Parts:
    """Split the rows; `column` has the groups or the times."""
    sizes = {
        "--test-fraction": options.test_fraction,
        "--validation-fraction": options.validation_fraction,
    }
    for option, fraction in sizes.items():
        if fraction > 0 and round(fraction * len(Y)) == 0:
            refuse(
                f"{source} has only {len(Y)} rows, of which {option} {fraction:g} holds out none;"
                " give a larger fraction, or 0"
            )
    order, units = _order(Y, column, options, source)
    held_out, validation, fit = _cut(
        order, units, [round(fraction * len(Y)) for fraction in sizes.values()]
    )
    for option, rows, use in zip(
        sizes,
        (held_out, validation),
        ("their score means little", "they are of little use for early stopping"),
        strict=True,
    ):
        if len(rows) and len(np.unique(Y[rows])) < 2:
            say(
                f"warning: the {len(rows)} rows of {option} are all of one class, so {use}; give a"
                " larger fraction or another --seed"
            )
    absent = len(np.unique(Y)) - len(np.unique(Y[fit]))
    if absent:
        lack = "are all of one class" if Y.dtype == bool else f"are of none of {absent} classes"
        refuse(
            f"{source}: the {len(fit)} rows left to train on {lack}; give a smaller"
            f" {' or '.join(option for option, f in sizes.items() if f)} or another --seed"
        )
    of_row = np.empty(len(Y), np.int64)
    of_row[order] = units
    fit = np.sort(fit)
    return Parts(fit, np.sort(validation), np.sort(held_out), of_row[fit])


def folds(
    Y: Labels,
    weight: NDArray[np.float64] | None,
    units: NDArray[np.int64],
    k: int,
    source: Source,
) -> NDArray[np.int64]:
    """Return the fold, 0 to k - 1, of each row to train on; `units` belong together."""
    _, units = np.unique(units, return_inverse=True)
    counts = np.ones(len(Y), bool) if weight is None else weight > 0
    of_row: NDArray[np.int64] = units % k
    for fold in range(k):
        rest = of_row != fold
        if rest.all() or len(np.unique(Y[rest & counts])) < len(np.unique(Y)):
            refuse(
                f"{source}: --cv {k} leaves a fold without rows, or without all classes to train"
                " on; give a smaller number"
            )
    return of_row


def _order(
    Y: Labels, column: pl.Series | None, options: Splitting, source: Source
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the rows in the order in which they are held out, and numbers of their units."""
    random = np.random.default_rng(options.seed)
    if column is None:
        order = random.permutation(len(Y))
        # All classes evenly spread, so that every run of rows has its share of each.
        place = np.empty(len(Y))
        for label in np.unique(Y):
            rows = np.flatnonzero(Y[order] == label)
            place[rows] = (np.arange(len(rows)) + 0.5) / max(len(rows), 1)
        return order[np.argsort(place, kind="stable")], np.arange(len(Y))
    if column.is_null().any():
        row = int(column.is_null().arg_true()[0]) + 1
        refuse(
            f"{source}: column {brief(column.name)} has missing values, first in row {row}; it"
            " decides which rows are held out: fill them in, or remove those rows"
        )
    if options.group_by is not None:
        groups = column.cast(pl.String).rank("dense").to_numpy() - 1
        units = random.permutation(int(groups.max()) + 1)[groups]
    else:
        _check_times(column, source)
        units = -column.rank("dense").cast(pl.Int64).to_numpy()  # the latest first
    order = np.argsort(units, kind="stable")
    return order, units[order]


def _check_times(column: pl.Series, source: Source) -> None:
    if column.dtype.is_temporal() or column.dtype.is_numeric():
        return
    texts = column.cast(pl.String)
    faulty = ~texts.str.contains(ISO_DATE)
    if faulty.any():
        row = int(faulty.arg_true()[0])
        refuse(
            f"{source}: column {brief(column.name)} is {brief(texts[row])} in row {row + 1};"
            " --split-by-time needs numbers, or dates such as 2024-12-31"
        )


def _cut(
    order: NDArray[np.int64], units: NDArray[np.int64], sizes: Sequence[int]
) -> list[NDArray[np.int64]]:
    """Cut the rows between units, as near to these sizes as possible; the last part is the rest."""
    ends = np.append(np.flatnonzero(np.diff(units)) + 1, len(units))
    parts, start = [], 0
    for m in sizes:
        end = int(ends[np.argmin(np.abs(ends - start - m))]) if m else start
        parts.append(order[start : max(start, end)])
        start = max(start, end)
    return [*parts, order[start:]]
