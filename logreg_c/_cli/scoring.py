# SPDX-License-Identifier: BSD-3-Clause
"""`logreg-c predict` and `evaluate`: a model applied to the rows of a file, in batches."""

import hashlib
import sys
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray
from polars.io.plugins import register_io_source
from rich.table import Table

import logreg_c

from . import metrics, models, scoring_classes, tables
from .console import console, print_facts, print_json
from .errors import brief, memory_for, refuse, say, shortened, shown, visible
from .models import Model
from .output import check_output, written_whole
from .recipes import Dialect
from .tables import Labels, Source

# X of some rows, (n_x, m): a matrix, or columns each in its own type.
Examples = list[NDArray[Any]] | NDArray[np.float64]


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


class Batches:
    """The rows of a file as X, a list of columns, 65,536 rows at a time."""

    def __init__(
        self, model: Model, source: Source, *, labeled: bool, keep: Sequence[str] = ()
    ) -> None:
        self.model, self.source, self.labeled, self.keep = model, source, labeled, keep
        self.kept = pl.DataFrame()  # the columns to keep, of the batch
        self.rows = 0
        self.incomplete = 0  # rows with missing values, under --missing drop
        self.complete: NDArray[np.bool_] | None = None  # the other rows of the batch; None if all
        self.unknown: dict[str, tuple[int, str]] = {}  # column: rows, the first such value

    def __iter__(self) -> Iterator[tuple[Examples, Labels]]:
        """Yield X and Y; Y is all false if the rows are not labeled."""
        model, source = self.model, self.source
        target = model.target
        columns = model.recipe.as_text()
        if self.labeled:
            columns[target] = [str(value) for value in model.classes.tolist()]
        for name in self.keep:
            columns.setdefault(name, [])
        for part, row, batch in tables.batches(source, columns):
            self.kept = batch.select(list(dict.fromkeys(self.keep)))
            self.rows += batch.height
            series = [batch.get_column(name) for name in model.recipe.sources]
            Y, classes = np.zeros(batch.height, bool), None
            if self.labeled:
                skips = model.recipe.missing != "error"
                classes = batch.get_column(target)
                Y = tables.labels(classes, model.classes, part, row, may_be_missing=skips)
            self.complete = tables.complete(model.recipe, series, classes)
            X = tables.features(model.recipe, series, part, row, self.unknown)
            if self.complete is not None:
                self.incomplete += batch.height - int(self.complete.sum())
                if self.labeled:
                    X, Y = [values[self.complete] for values in X], Y[self.complete]
            if len(Y):
                yield X, Y
        if self.labeled and self.incomplete == self.rows:
            refuse(f"{source} has a missing value in every row; fill some in")

    def predictions(self) -> Iterator[pl.DataFrame]:
        """Yield the columns to keep, and the probabilities and classes."""
        classes = pl.Series(self.model.classes)
        for X, _ in self:
            A = probabilities(self.model, X)
            which = predicted(self.model, A).astype(np.uint32)
            columns = zip(probability_names(self.model), A.T.reshape(-1, len(A)), strict=True)
            made = [pl.Series(name, values) for name, values in columns]
            made.append(classes.gather(which).alias("prediction"))
            if self.complete is not None:
                made = [values.set(~pl.Series(self.complete), None) for values in made]
            yield pl.DataFrame([*self.kept.get_columns(), *made])

    def warn(self) -> None:
        """Warn about values that did not occur in training, and about rows without a prediction."""
        if self.incomplete:
            say(
                f"warning: {self.incomplete} of {self.rows} rows have missing values and, as"
                f" --missing {self.model.recipe.missing} did in training,"
                f" {'are left out' if self.labeled else 'have no prediction'}"
            )
        for column, (rows, first) in self.unknown.items():
            say(
                f"warning: column {brief(column)} has values in {rows} of {self.rows} rows that did"
                f" not occur in training, first {brief(first)}; all its features are 0 in these"
                " rows"
            )


def _dialect(model: Model, dialect: Dialect) -> Dialect:
    """Add what the model knows to be missing."""
    return dialect._replace(na_values=model.recipe.na_values)


def probabilities(model: Model, X: Examples) -> NDArray[np.float64]:
    """Return the probability of the second class, (m,), or those of K > 2 classes, (m, K)."""
    # In float64 for all types of columns, so that the result does not depend on the file's types.
    A = logreg_c.predict_proba(X, model.weights, model.bias, dtype=np.float64)
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


def predict(
    model_file: Path, file: Path, output: Path | None, keep: Sequence[str], dialect: Dialect
) -> None:
    """Write a table of probabilities and classes, one batch at a time."""
    if str(output) == "-":
        output = None
    if output is not None:
        check_output(output, model_file, *tables.files_of(file))
    model = models.load(model_file)
    for name in {*keep} & {*probability_names(model), "prediction"}:
        refuse(f"--keep {name}: a column of the output has this name; rename it in {file}")
    with (
        memory_for(f"the rows of {file}"),
        tables.opened_all(file, _dialect(model, dialect)) as source,
    ):
        batches = Batches(model, source, labeled=False, keep=keep)
        if output is None:
            _print_csv(batches.predictions())
        else:
            with written_whole(output) as part:
                suffix = output.suffix.lower()
                if suffix in {".parquet", ".arrow", ".feather", ".ipc"}:
                    _sink(batches.predictions(), part, output, parquet=suffix == ".parquet")
                else:
                    part.writelines(text.encode() for text in _csv(batches.predictions()))
    batches.warn()
    above = "" if model.threshold == 0.5 else f"; it is predicted above {model.threshold:.6g}"
    what = f"probability is the probability of {model.class_names[1]}{above}"
    say(f"{batches.rows} rows; {what if model.of_two else 'a probability for each class'}")


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

    def update(self, X: Examples, Y: Labels) -> None:
        """Add rows."""
        rows = Y.astype(np.uint64)
        for values in X:
            rows *= np.uint64(0x9E3779B97F4A7C15)  # odd, so that no column is lost
            rows ^= rows >> np.uint64(32)
            rows += (np.asarray(values, np.float64) + 0.0).view(np.uint64)  # no -0.0
        self._digest.update(rows.tobytes())

    def __str__(self) -> str:
        return self._digest.hexdigest()


class Tally:
    """The scores of rows in batches; of at most MOST_SCORED it keeps 9 bytes each, or 8 K + 8."""

    def __init__(self, model: Model) -> None:
        self.model, self.rows, self._cost = model, 0, 0.0
        self._every = 1  # of how many rows one is kept
        self._As: list[NDArray[np.float64]] = []
        self._Ys: list[Labels] = []

    def add(self, X: Examples, Y: Labels) -> None:
        """Score rows."""
        w, b = self.model.weights, self.model.bias
        kept = slice(-self.rows % self._every, None, self._every)
        self._As.append(probabilities(self.model, X)[kept].copy())
        self._Ys.append(Y[kept].copy())
        # accurate for extreme examples, where log(A) is not
        J, _, _ = logreg_c.cost_and_gradient(X, Y, w, b, dtype=np.float64)
        self._cost += J * len(Y)
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
    tally = Tally(model)
    tally.add(X, Y)
    return tally.scored()._replace(trained_on=0)


def score_file(model: Model, file: Path, dialect: Dialect, *, all_rows: bool) -> Scored:
    """Score the rows of a file; of the one that the model was trained on, those held out."""
    whole, held_out, fingerprint = Tally(model), Tally(model), Fingerprint()
    is_held_out = model.is_held_out
    with (
        memory_for(f"the rows of {file}"),
        tables.opened_all(file, _dialect(model, dialect)) as source,
    ):
        batches = Batches(model, source, labeled=True)
        for X, Y in batches:
            fingerprint.update(X, Y)
            part = np.flatnonzero(is_held_out[whole.rows : whole.rows + len(Y)])
            whole.add(X, Y)
            if len(part):
                held_out.add(taken(X, part), Y[part])
    batches.warn()
    if model.trained_on["fingerprint"] != str(fingerprint):
        return whole.scored()
    if held_out.rows and not all_rows:
        return held_out.scored()._replace(file_rows=whole.rows, trained_on=0)
    seen = whole.rows - held_out.rows
    say(
        f"warning: the model was trained on {seen} of these {whole.rows} rows, so the measures are"
        " better than on new rows"
        + ("; leave out --all-rows to score the others" if held_out.rows else "")
    )
    return whole.scored()._replace(trained_on=seen)


def taken(X: Examples, rows: NDArray[np.int64]) -> Examples:
    """Return these rows."""
    return [values[rows] for values in X] if isinstance(X, list) else np.take(X, rows, axis=1)


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
    model_file: Path, file: Path, dialect: Dialect, *, all_rows: bool, as_json: bool
) -> None:
    """Print the measures."""
    model = models.load(model_file)
    found = measures(score_file(model, file, dialect, all_rows=all_rows), model.threshold)
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
