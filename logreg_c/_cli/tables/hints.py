# SPDX-License-Identifier: BSD-3-Clause
"""Warnings about columns that may be better left out: IDs, constants, leaks."""

import shlex
from collections.abc import Iterable, Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

from logreg_c._cli.errors import say

from .delimited import unnamed
from .facts import ID_NAME, TEXT, Facts
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
        if facts.rows > FEW
        and ID_NAME.fullmatch(facts.name)
        and facts.kind.is_numeric()
        and facts.is_unique
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
    names: list[str] = []
    scores: list[pl.Series] = []
    for values in columns:
        score = _score(unnamed(values).gather(sample), classes)
        if score is not None:
            names.append(values.name)
            scores.append(score.rank().alias(str(len(scores))))
    if not scores:
        return
    ranks = pl.DataFrame(scores).to_numpy()
    there = ~np.isnan(ranks)
    positives = (there & classes[:, None]).sum(axis=0)
    pairs = positives * (there.sum(axis=0) - positives)
    won = np.nansum(ranks[classes], axis=0) - positives * (positives + 1) / 2
    leaks = np.maximum(won, pairs - won) >= NEARLY_ALL * np.maximum(pairs, 1)
    _warn(
        [name for name, leak in zip(names, leaks, strict=True) if leak],
        "values that nearly separate the classes alone: a copy of the target, or known only"
        " afterwards? If so,",
    )


def _score(values: pl.Series, classes: NDArray[np.bool_]) -> pl.Series | None:
    """Return numbers that order the rows: for text, the share of the second class."""
    if values.dtype.is_numeric() or values.dtype == pl.Boolean:
        return values.cast(pl.Float64).fill_nan(None)
    if values.dtype not in TEXT or values.n_unique() > FEW_CATEGORIES:
        return None
    table = pl.DataFrame({"value": values.cast(pl.String), "Y": classes})
    share = pl.when(pl.col("value").is_not_null()).then(pl.col("Y").mean().over("value"))
    return table.select(share).to_series()


def _warn(names: Sequence[str], what: str) -> None:
    if names:
        drop = " ".join(f"--drop {shlex.quote(name)}" for name in names[:5])
        end = "" if what.endswith(",") else ";"
        say(
            f"warning: {listed(names)} {'have' if len(names) > 1 else 'has'} {what}{end} {drop}"
            f" leaves {'them' if len(names) > 1 else 'it'} out"
        )
