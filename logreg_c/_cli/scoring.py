# SPDX-License-Identifier: BSD-3-Clause
"""`logreg-c predict` and `evaluate`: a model applied to the rows of a file, in batches."""

import hashlib
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray
from polars.io.plugins import register_io_source
from rich.table import Table

from . import metrics, models, scoring_classes, tables
from .applying import (
    Application,
    Examples,
    Pieces,
    Scores,
    Seen,
    connection,
    probability_names,
    scores_of,
)
from .console import console, print_facts, print_json
from .errors import memory_for, refuse, say, shortened, shown, visible
from .models import Model
from .output import check_output, written_whole
from .recipes import Dialect
from .tables import Labels

MOST_SCORED = 1 << 24  # rows; of more, measures are those of evenly spaced ones


class Scored(NamedTuple):
    """The probabilities and labels of rows, their log-loss, and where they are from."""

    A: NDArray[np.float64]  # (m,), or (m, K) of K > 2 classes
    Y: Labels  # (m,)
    log_loss: float  # of all rows
    rows: int
    every: int  # of how many rows one is among the m: 1, unless there are very many rows
    file_rows: int  # of the file, as many as rows if all were scored
    trained_on: int | None  # how many rows the model was trained on; None for another file


def _dialect(model: Model, dialect: Dialect) -> Dialect:
    """Add what the model knows to be missing."""
    return dialect._replace(na_values=model.recipe.na_values)


def predict(
    model_file: Path,
    file: Path,
    output: Path | None,
    keep: Sequence[str],
    dialect: Dialect,
    dask: str | None,
) -> None:
    """Write a table of probabilities and classes, one batch at a time."""
    if str(output) == "-":
        output = None
    if output is not None:
        check_output(output, model_file, *tables.files_of(file))
    model = models.load(model_file)
    for name in {*keep} & {*probability_names(model), "prediction"}:
        refuse(f"--keep {name}: a column of the output has this name; rename it in {file}")
    seen = Seen()
    with _pieces(Application(model, False, tuple(keep)), file, dialect, dask) as pieces:
        frames = _predictions(pieces, seen)
        if output is None:
            _print_csv(frames)
        else:
            with written_whole(output) as part:
                suffix = output.suffix.lower()
                if suffix in {".parquet", ".arrow", ".feather", ".ipc"}:
                    _sink(frames, part, output, parquet=suffix == ".parquet")
                else:
                    part.writelines(text.encode() for text in _csv(frames))
    seen.warn(model, labeled=False)
    above = "" if model.threshold == 0.5 else f"; it is predicted above {model.threshold:.6g}"
    what = f"probability is the probability of {model.class_names[1]}{above}"
    say(f"{seen.rows} rows; {what if model.of_two else 'a probability for each class'}")


@contextmanager
def _pieces(
    application: Application, file: Path, dialect: Dialect, dask: str | None
) -> Iterator[Pieces]:
    """Open files, which the workers of a cluster read if there is one."""
    with (
        memory_for(f"the rows of {file}"),
        tables.opened_all(file, _dialect(application.model, dialect)) as source,
        connection(dask) as client,
    ):
        yield Pieces(application, source, client)


def _predictions(pieces: Pieces, seen: Seen) -> Iterator[pl.DataFrame]:
    """Yield the predictions of all rows, and count these."""
    for batches in pieces.each("predictions", [()] * pieces.count):
        for frame, of_batch in batches:
            seen.add(of_batch)
            yield frame
    if not seen.rows:
        tables.refuse_empty(pieces.source)


def _print_csv(frames: Iterable[pl.DataFrame]) -> None:
    if sys.stdout is None:
        refuse("standard output is closed; give --output")
    if sys.stdout.isatty():
        sys.stdout.writelines(_for_terminal(text) for text in _csv(frames))
    else:
        sys.stdout.buffer.writelines(text.encode() for text in _csv(frames))
    sys.stdout.flush()  # a full disk is to be reported before the rows are


def _csv(frames: Iterable[pl.DataFrame]) -> Iterator[str]:
    for k, frame in enumerate(frames):
        yield frame.write_csv(include_header=k == 0)


def _for_terminal(text: str) -> str:
    return "\n".join(map(visible, text.split("\n")))


def _sink(frames: Iterator[pl.DataFrame], out: BinaryIO, output: Path, *, parquet: bool) -> None:
    first = next(frames)
    rest = (frame.cast(first.schema) for frame in frames)
    lazy = register_io_source(lambda *_: chain([first], rest), schema=first.schema)
    try:
        if parquet:
            lazy.sink_parquet(out)
        else:
            lazy.sink_ipc(out)
    except pl.exceptions.PolarsError as error:
        first_line = str(error).partition("\n")[0]
        refuse(f"{output} cannot be written: {shortened(first_line, 200)}")


class Fingerprint:
    """A digest of rows, whatever the format of their file, and however they come in batches."""

    def __init__(self) -> None:
        self._digest = hashlib.sha256()

    def update(self, rows: NDArray[np.uint64]) -> None:
        """Add rows, of which `mixed` has made numbers."""
        self._digest.update(rows.tobytes())

    def __str__(self) -> str:
        return self._digest.hexdigest()


class Tally:
    """The scores of rows in batches; of at most MOST_SCORED it keeps 9 bytes each, or 8 K + 8."""

    def __init__(self) -> None:
        self.rows, self._cost = 0, 0.0
        self._every = 1  # of how many rows one is kept
        self._As: list[NDArray[np.float64]] = []
        self._Ys: list[Labels] = []

    def add(self, scores: Scores) -> None:
        """Add the scores of rows."""
        A, Y, cost = scores
        kept = slice(-self.rows % self._every, None, self._every)
        self._As.append(A[kept].copy())
        self._Ys.append(Y[kept].copy())
        self._cost += cost
        self.rows += len(Y)
        while self.rows > MOST_SCORED * self._every:
            self._every *= 2
            self._As = [np.concatenate(self._As)[::2]]
            self._Ys = [np.concatenate(self._Ys)[::2]]

    def scored(self) -> Scored:
        """Return the scores of all rows, or of a sample of them."""
        A, Y = np.concatenate(self._As), np.concatenate(self._Ys)
        return Scored(A, Y, self._cost / self.rows, self.rows, self._every, self.rows, None)


def score(model: Model, X: Examples, Y: Labels) -> Scored:
    """Score rows that the model was not trained on."""
    tally = Tally()
    tally.add(scores_of(model, X, Y))
    return tally.scored()._replace(trained_on=0)


def score_file(
    model: Model, file: Path, dialect: Dialect, *, all_rows: bool, dask: str | None
) -> Scored:
    """Score the rows of a file; of the one that the model was trained on, those held out."""
    is_held_out = model.is_held_out
    count = int(is_held_out.sum())
    with _pieces(Application(model, labeled=True), file, dialect, dask) as pieces:
        # Where its rows lie among those held out is known of a single piece only.
        masks = [is_held_out] if pieces.count == 1 else [is_held_out[:0]] * pieces.count
        whole, held_out, fingerprint, rows_of = _scored_in_pieces(pieces, masks, model)
        trained = model.trained_on["fingerprint"] == fingerprint
        if trained and count and not all_rows and pieces.count > 1:
            masks = np.split(is_held_out, np.cumsum(rows_of)[:-1])
            for batches in pieces.each("scores_held_out", [(mask,) for mask in masks]):
                for scores in batches:
                    held_out.add(scores)
    if not trained:
        return whole.scored()
    if count and not all_rows:
        return held_out.scored()._replace(file_rows=whole.rows, trained_on=0)
    seen = whole.rows - count
    say(
        f"warning: the model was trained on {seen} of these {whole.rows} rows, so the measures are"
        " better than on new rows" + ("; leave out --all-rows to score the others" if count else "")
    )
    return whole.scored()._replace(trained_on=seen)


def _scored_in_pieces(
    pieces: Pieces, masks: list[NDArray[np.bool_]], model: Model
) -> tuple[Tally, Tally, str, list[int]]:
    """Return the tallies of all rows and of those held out, the fingerprint, and rows of pieces."""
    whole, held_out, fingerprint, seen, rows_of = Tally(), Tally(), Fingerprint(), Seen(), []
    for batches in pieces.each("scores", [(mask,) for mask in masks]):
        before = whole.rows
        for batch in batches:
            seen.add(batch.seen)
            fingerprint.update(batch.digest)
            if batch.whole is not None:
                whole.add(batch.whole)
            if batch.held_out is not None:
                held_out.add(batch.held_out)
        rows_of.append(whole.rows - before)
    if not seen.rows:
        tables.refuse_empty(pieces.source)
    if not whole.rows:
        refuse(f"{pieces.source} has a missing value in every row; fill some in")
    seen.warn(model, labeled=True)
    return whole, held_out, str(fingerprint), rows_of


def measures(scored: Scored, threshold: float) -> dict[str, Any]:
    """Return the measures of an evaluation; None for those that are not defined."""
    A, Y, log_loss, *_ = scored
    if A.ndim == 2:
        of_rows = {name: getattr(scored, name) for name in ("file_rows", "trained_on", "log_loss")}
        sampled = len(Y) if scored.every > 1 else None
        of_classes = scoring_classes.measures(A, Y)
        return {"rows": scored.rows, "sampled": sampled, **of_rows, **of_classes}
    confusion = metrics.confusion(A, Y, threshold)
    (_, fp), (fn, tp) = confusion.tolist()
    ones, rows = fn + tp, len(Y)
    curves = metrics.curves(A, Y) if 0 < ones < rows else None
    interval = curves and metrics.auc_interval(curves.roc_auc, rows - ones, ones)
    return {
        "rows": scored.rows,
        "sampled": rows if scored.every > 1 else None,
        "file_rows": scored.file_rows,
        "trained_on": scored.trained_on,
        "threshold": threshold,
        "accuracy": int(confusion.trace()) / rows,
        "majority_accuracy": max(ones, rows - ones) / rows,
        "recall": tp / ones if ones else None,
        "precision": tp / (tp + fp) if tp + fp else None,
        "log_loss": log_loss,
        "roc_auc": curves and curves.roc_auc,
        "roc_auc_interval": interval and list(interval),
        "average_precision": curves and curves.average_precision,
        "brier_score": metrics.brier(A, Y),
        "confusion_matrix": confusion.tolist(),
    }


def evaluate(
    model_file: Path,
    file: Path,
    dialect: Dialect,
    *,
    all_rows: bool,
    dask: str | None,
    as_json: bool,
) -> None:
    """Print the measures."""
    model = models.load(model_file)
    scored = score_file(model, file, dialect, all_rows=all_rows, dask=dask)
    found = measures(scored, model.threshold)
    if as_json:
        print_json({"file": str(file), "classes": model.classes.tolist(), **found})
        return
    print_facts(
        {
            "file": f"{file}, target {shown(model.target)}",
            "rows": described_rows(found, model),
            **described(found, model),
        }
    )
    print_confusion(found, model)


def described_rows(found: dict[str, Any], model: Model) -> str:
    """Return which rows were scored, as text."""
    counts = [sum(row) for row in found["confusion_matrix"]]
    which = {
        None: "",
        0: f" held out of {found['file_rows']}; it was trained on the others",
    }.get(found["trained_on"], f", {found['trained_on']} of which the model was trained on")
    by_class = zip(counts, model.class_names, strict=True)
    sampled = f" of {found['sampled']} that are measured" if found["sampled"] else ""
    counted = ", ".join(f"{count} {name}" for count, name in by_class)
    return f"{found['rows']}{which}: {counted}{sampled}"


def described(found: dict[str, Any], model: Model) -> dict[str, str]:
    """Return the measures as text."""
    if not model.of_two:
        return scoring_classes.described(found, model.class_names)
    (tn, fp), (fn, tp) = found["confusion_matrix"]
    rows, accuracy, auc = tn + fp + fn + tp, found["accuracy"], found["roc_auc"]
    first, second = model.class_names
    majority = first if tn + fp >= fn + tp else second
    area = "undefined (all rows are of one class)"
    if auc is not None:
        low, high = found["roc_auc_interval"]
        area = f"{auc:.4f}, 95% interval {low:.4f} to {high:.4f}{_in_words(low, high)}"
    facts = {
        "accuracy": f"{accuracy:.4f} ({round(accuracy * rows)} of {rows}); always {majority}:"
        f" {found['majority_accuracy']:.4f}",
        "recall": f"{found['recall']:.4f} ({tp} of {fn + tp} {second} are found)"
        if fn + tp
        else f"undefined (no row is {second})",
        "precision": f"{found['precision']:.4f} ({tp} of {tp + fp} predicted {second} are right)"
        if tp + fp
        else f"undefined (no row is predicted {second})",
        "ROC AUC": area,
        "log-loss": f"{found['log_loss']:.6g}",
        "Brier score": f"{found['brier_score']:.6g}",
    }
    if found["threshold"] != 0.5:
        facts["threshold"] = f"{found['threshold']:.6g}: {second} is predicted above it"
    return facts


def _in_words(low: float, high: float) -> str:
    if low <= 0.5 <= high:
        return ", which contains 0.5: no better than chance"
    return ": worse than chance" if high < 0.5 else ""


def print_confusion(found: dict[str, Any], model: Model) -> None:
    """Print the confusion matrix."""
    if not model.of_two:
        scoring_classes.print_confusion(found, model.class_names)
        return
    first, second = model.class_names
    (tn, fp), (fn, tp) = found["confusion_matrix"]
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("class", overflow="fold")
    table.add_column(f"predicted {first}", justify="right", overflow="fold")
    table.add_column(f"predicted {second}", justify="right", overflow="fold")
    table.add_row(first, str(tn), str(fp))
    table.add_row(second, str(fn), str(tp))
    out = console()
    out.print()
    out.print(table)
