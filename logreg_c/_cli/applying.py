# SPDX-License-Identifier: BSD-3-Clause
"""A model applied to the rows of files, batch by batch: here, or by the workers of a cluster."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

import logreg_c

from . import tables
from .errors import brief, say
from .models import Model
from .streaming import features_of
from .tables import Labels, Rows, Source

# X of some rows, (n_x, m): a matrix, or columns each in its own type.
Examples = list[NDArray[Any]] | NDArray[np.float64]

ODD = np.uint64(0x9E3779B97F4A7C15)  # a product with it loses no column
HALF = np.uint64(32)


def probabilities(model: Model, X: Examples, n_threads: int | None = None) -> NDArray[np.float64]:
    """Return the probability of the second class, (m,), or those of K > 2 classes, (m, K)."""
    # In float64 for all types of columns, so that the result does not depend on the file's types.
    settings: dict[str, Any] = {"dtype": np.float64, "n_threads": n_threads}
    A = logreg_c.predict_proba(X, model.weights, model.bias, **settings)
    return A.ravel() if model.of_two else A.T


def predicted(model: Model, A: NDArray[np.float64]) -> NDArray[np.intp]:
    """Return the number of the class that is predicted for each row, (m,)."""
    of_two: NDArray[np.intp] = (model.threshold < A).astype(np.intp)
    return of_two if model.of_two else np.argmax(A, axis=1)


def probability_names(model: Model) -> list[str]:
    """Return the columns of probabilities in a table of predictions."""
    if model.of_two:
        return ["probability"]
    return [f"probability={name}" for name in model.class_names]


def taken(X: Examples, rows: NDArray[np.int64]) -> Examples:
    """Return these rows."""
    return [values[rows] for values in X] if isinstance(X, list) else np.take(X, rows, axis=1)


def mixed(X: Examples, Y: Labels) -> NDArray[np.uint64]:
    """Return a number for each row, which differs where the row does; for fingerprints."""
    rows, high = Y.astype(np.uint64), np.empty(len(Y), np.uint64)
    for bits in _bits(X) if isinstance(X, np.ndarray) else map(_bits, X):
        rows *= ODD
        rows ^= np.right_shift(rows, HALF, high)
        rows += bits
    return rows


def _bits(values: NDArray[Any]) -> NDArray[np.uint64]:
    return (np.asarray(values, np.float64) + 0.0).view(np.uint64)  # no -0.0


@dataclass
class Seen:
    """What has been met in rows: how many, and values that training did not know."""

    rows: int = 0
    incomplete: int = 0  # rows with missing values, under --missing drop
    unknown: dict[str, tuple[int, str]] = field(default_factory=dict)  # column: rows, the first

    def add(self, other: "Seen") -> None:
        """Add later rows."""
        self.rows += other.rows
        self.incomplete += other.incomplete
        for column, (rows, first) in other.unknown.items():
            before, earlier = self.unknown.get(column, (0, first))
            self.unknown[column] = before + rows, earlier

    def warn(self, model: Model, *, labeled: bool) -> None:
        """Warn about values that did not occur in training, and about rows without a prediction."""
        if self.incomplete:
            say(
                f"warning: {self.incomplete} of {self.rows} rows have missing values and, as"
                f" --missing {model.recipe.missing} did in training,"
                f" {'are left out' if labeled else 'have no prediction'}"
            )
        for column, (rows, first) in self.unknown.items():
            say(
                f"warning: column {brief(column)} has values in {rows} of {self.rows} rows that did"
                f" not occur in training, first {brief(first)}; all its features are 0 in these"
                " rows"
            )


class Scores(NamedTuple):
    """The probabilities and labels of some rows, and the sum of their costs."""

    A: NDArray[np.float64]
    Y: Labels
    cost: float


class ScoredBatch(NamedTuple):
    """The scores of a batch; None where there are no rows."""

    seen: Seen
    digest: NDArray[np.uint64]  # see `mixed`
    whole: Scores | None = None
    held_out: Scores | None = None


class _Prepared(NamedTuple):
    """A batch as the model takes it."""

    X: Examples
    Y: Labels  # all false if the rows are not labeled
    kept: pl.DataFrame
    complete: NDArray[np.bool_] | None  # rows without missing values; None if all are
    seen: Seen


@dataclass(frozen=True)
class Application:
    """A model and what is wanted of rows, on its way to a worker if need be."""

    model: Model
    labeled: bool
    keep: tuple[str, ...] = ()
    n_threads: int | None = None

    def on_worker(self) -> "Application":
        """Return what a worker needs, which computes a piece with each of its threads."""
        of_rows = np.empty(0, np.uint8)
        return replace(self, model=replace(self.model, held_out=of_rows), n_threads=1)

    @property
    def columns(self) -> dict[str, Any]:
        """The columns to read, as `tables.batches` takes them."""
        columns = self.model.recipe.as_text()
        if self.labeled:
            columns[self.model.target] = [str(value) for value in self.model.classes.tolist()]
        return columns | {name: [] for name in self.keep if name not in columns}

    def predictions(self, batches: Rows) -> Iterator[tuple[pl.DataFrame, Seen]]:
        """Yield the columns to keep, and the probabilities and classes."""
        model = self.model
        classes = pl.Series(model.classes)
        for X, _, kept, complete, seen in self._prepared(batches):
            A = probabilities(model, X, self.n_threads)
            which = predicted(model, A).astype(np.uint32)
            columns = zip(probability_names(model), A.T.reshape(-1, len(A)), strict=True)
            made = [pl.Series(name, values) for name, values in columns]
            made.append(classes.gather(which).alias("prediction"))
            if complete is not None:
                made = [values.set(~pl.Series(complete), None) for values in made]
            yield pl.DataFrame([*kept.get_columns(), *made]), seen

    def scores(self, is_held_out: NDArray[np.bool_], batches: Rows) -> Iterator[ScoredBatch]:
        """Yield the scores of all rows, and those of the ones held out; both of complete rows."""
        first = 0
        for X, Y, _, _, seen in self._prepared(batches):
            part = np.flatnonzero(is_held_out[first : first + len(Y)])
            first += len(Y)
            held_out = self._scored(taken(X, part), Y[part]) if len(part) else None
            yield ScoredBatch(seen, mixed(X, Y), self._scored(X, Y) if len(Y) else None, held_out)

    def scores_held_out(self, is_held_out: NDArray[np.bool_], batches: Rows) -> Iterator[Scores]:
        """Yield the scores of the rows held out."""
        if is_held_out.any():
            for batch in self.scores(is_held_out, batches):
                if batch.held_out is not None:
                    yield batch.held_out

    def _scored(self, X: Examples, Y: Labels) -> Scores:
        return scores_of(self.model, X, Y, self.n_threads)

    def _prepared(self, batches: Rows) -> Iterator[_Prepared]:
        model = self.model
        for part, row, batch in batches:
            series = [batch.get_column(name) for name in model.recipe.sources]
            Y, classes = np.zeros(batch.height, bool), None
            if self.labeled:
                skips = model.recipe.missing != "error"
                classes = batch.get_column(model.target)
                Y = tables.labels(classes, model.classes, part, row, may_be_missing=skips)
            seen = Seen(batch.height)
            complete = tables.complete(model.recipe, series, classes)
            X = tables.features(model.recipe, series, part, row, seen.unknown)
            if complete is not None:
                seen.incomplete = batch.height - int(complete.sum())
                if self.labeled:
                    X, Y = [values[complete] for values in X], Y[complete]
            kept = batch.select(list(dict.fromkeys(self.keep)))
            yield _Prepared(X, Y, kept, complete, seen)


def scores_of(model: Model, X: Examples, Y: Labels, n_threads: int | None = None) -> Scores:
    """Return the scores of rows."""
    settings: dict[str, Any] = {"dtype": np.float64, "n_threads": n_threads}
    # accurate for extreme examples, where log(A) is not
    J, _, _ = logreg_c.cost_and_gradient(X, Y, model.weights, model.bias, **settings)
    return Scores(probabilities(model, X, n_threads), Y, J * len(Y))


def scored_rows(
    model: Model,
    n_threads: int | None,
    rows: NDArray[np.bool_],
    Y: Labels,
    is_held_out: NDArray[np.bool_],
    batches: Rows,
) -> Iterator[tuple[NDArray[np.uint64], Scores | None]]:
    """Yield a number for each of some rows of all batches, and the scores of those held out."""
    first = 0
    for X in features_of(batches, model.recipe, rows):
        here = slice(first, first + len(X[0]))
        first = here.stop
        held_out = np.flatnonzero(is_held_out[here])
        scores = None
        if len(held_out):
            scores = scores_of(model, taken(X, held_out), Y[here][held_out], n_threads)
        yield mixed(X, Y[here]), scores


def connection(dask: str | None) -> AbstractContextManager[Any]:
    """Connect to the scheduler at an address; there is no client without one."""
    if dask is None:
        return nullcontext()
    from .cluster import connected  # noqa: PLC0415 (belongs to an extra)

    return connected(dask)


class Pieces:
    """The rows of files: one piece that is read here, or several that workers of a client read."""

    def __init__(self, application: Application, source: Source, client: Any) -> None:
        self.source, self._client = source, client
        self._application = application if client is None else application.on_worker()
        self._pieces = [] if client is None else tables.pieces(source, application.columns)
        self.count = 1 if client is None else len(self._pieces)

    def each(self, method: str, of_pieces: Sequence[tuple[Any, ...]]) -> Iterator[Iterable[Any]]:
        """Yield, for each piece, what a method of the application makes of its batches.

        `of_pieces` has the arguments of the method that come before the batches.
        """
        bound = getattr(self._application, method)
        works = [partial(bound, *arguments) for arguments in of_pieces]
        columns = self._application.columns
        if self._client is None:
            yield works[0](tables.batches(self.source, columns))
            return
        from .cluster import worked  # noqa: PLC0415 (belongs to an extra)

        yield from worked(self._client, self._pieces, columns, works)
