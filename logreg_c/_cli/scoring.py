# SPDX-License-Identifier: BSD-3-Clause
"""`logreg-c predict` and `evaluate`: a model applied to the rows of a file, in batches."""

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray
from polars.io.plugins import register_io_source
from rich.table import Table

import logreg_c

from . import metrics, models, tables
from .console import console, print_facts, print_json
from .errors import brief, memory_for, refuse, say, shortened, shown, visible
from .models import Model
from .output import check_output, written_whole
from .recipes import Column, Dialect
from .tables import Source

# X of some rows, (n_x, m): a matrix, or columns each in its own type.
Examples = list[NDArray[Any]] | NDArray[np.float64]


class Scored(NamedTuple):
    """The probabilities and labels of a file's rows, and their log-loss."""

    A: NDArray[np.float64]  # (m,)
    Y: NDArray[np.bool_]  # (m,)
    log_loss: float


class Batches:
    """The rows of a file as X, a list of columns, 65,536 rows at a time."""

    def __init__(self, model: Model, source: Source, *, labeled: bool) -> None:
        self.model, self.source, self.labeled = model, source, labeled
        self.rows = 0
        self.incomplete = 0  # rows with missing values, under --missing drop
        self.complete: NDArray[np.bool_] | None = None  # the other rows of the batch; None if all
        self.unknown: dict[str, tuple[int, str]] = {}  # column: rows, the first such value

    def __iter__(self) -> Iterator[tuple[Examples, NDArray[np.bool_]]]:
        """Yield X and Y; Y is all false if the rows are not labeled."""
        model, source = self.model, self.source
        target = model.target
        columns: dict[str, list[str] | None] = {
            name: _as_text(made) for name, made in model.recipe.sources.items()
        }
        if self.labeled:
            columns[target] = [str(value) for value in model.classes.tolist()]
        for row, batch in tables.batches(source, columns):
            series = [batch.get_column(name) for name in model.recipe.sources]
            Y, classes = np.zeros(batch.height, bool), None
            if self.labeled:
                skips = model.recipe.missing != "error"
                classes = batch.get_column(target)
                Y = tables.labels(classes, model.classes, source, row, may_be_missing=skips)
            self.complete = tables.complete(model.recipe, series, classes)
            X = tables.features(model.recipe, series, source, row, self.unknown)
            self.rows = row + batch.height
            if self.complete is not None:
                self.incomplete += batch.height - int(self.complete.sum())
                if self.labeled:
                    X, Y = [values[self.complete] for values in X], Y[self.complete]
            if len(Y):
                yield X, Y
        if self.labeled and self.incomplete == self.rows:
            refuse(f"{source} has a missing value in every row; fill some in")

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


def _as_text(made: list[Column]) -> list[str] | None:
    """Return the categories of a column that is read as text, or None for numbers."""
    if all(column.categories is None and column.format is None for column in made):
        return None
    known = [c.categories for c in made if c.part == "value" and c.categories is not None]
    return known[0] if known else []


def _probabilities(model: Model, X: Examples) -> NDArray[np.float64]:
    # In float64 for all types of columns, so that the result does not depend on the file's types.
    A = logreg_c.predict_proba(X, model.weights, model.bias, dtype=np.float64)
    return A.ravel()


def predict(model_file: Path, file: Path, output: Path | None, dialect: Dialect) -> None:
    """Write a table of probabilities and classes, one batch at a time."""
    if str(output) == "-":
        output = None
    if output is not None:
        check_output(output, model_file, file)
    model = models.load(model_file)
    with memory_for(f"the rows of {file}"), tables.opened(file, _dialect(model, dialect)) as source:
        batches = Batches(model, source, labeled=False)
        classes = pl.Series(model.classes)

        def predictions() -> Iterator[pl.DataFrame]:
            for X, _ in batches:
                A = _probabilities(model, X)
                second = (A > 0.5).astype(np.uint32)
                made = pl.DataFrame({"probability": A, "prediction": classes.gather(second)})
                if batches.complete is not None:
                    made = made.select(pl.when(pl.Series(batches.complete)).then(pl.all()))
                yield made

        if output is None:
            if sys.stdout is None:
                refuse("standard output is closed; give --output")
            if sys.stdout.isatty():
                sys.stdout.writelines(_for_terminal(text) for text in _csv(predictions()))
            else:
                sys.stdout.buffer.writelines(text.encode() for text in _csv(predictions()))
        else:
            with written_whole(output) as part:
                suffix = output.suffix.lower()
                if suffix in {".parquet", ".arrow", ".feather", ".ipc"}:
                    _sink(predictions(), model, part, output, parquet=suffix == ".parquet")
                else:
                    part.writelines(text.encode() for text in _csv(predictions()))
    batches.warn()
    say(f"{batches.rows} rows; probability is the probability of {model.class_names[1]}")


def _csv(frames: Iterable[pl.DataFrame]) -> Iterator[str]:
    for k, frame in enumerate(frames):
        yield frame.write_csv(include_header=k == 0)


def _for_terminal(text: str) -> str:
    return "\n".join(map(visible, text.split("\n")))


def _sink(
    frames: Iterator[pl.DataFrame], model: Model, out: BinaryIO, output: Path, *, parquet: bool
) -> None:
    lazy = register_io_source(
        lambda *_: frames,
        schema={"probability": pl.Float64, "prediction": pl.Series(model.classes).dtype},
    )
    try:
        if parquet:
            lazy.sink_parquet(out)
        else:
            lazy.sink_ipc(out)
    except pl.exceptions.PolarsError as error:
        first_line = str(error).partition("\n")[0]
        refuse(f"{output} cannot be written: {shortened(first_line, 200)}")


def score(model: Model, batches: Iterable[tuple[Examples, NDArray[np.bool_]]]) -> Scored:
    """Compute the probabilities and the log-loss of batches (X, Y); keeps 9 bytes per row."""
    As, Ys, costs = [], [], []
    w, b = model.weights, model.bias
    for X, Y in batches:
        As.append(_probabilities(model, X))
        Ys.append(Y)
        # accurate for extreme examples, where log(A) is not
        J, _, _ = logreg_c.cost_and_gradient(X, Y, w, b, dtype=np.float64)
        costs.append(J * len(Y))
    Y = np.concatenate(Ys)
    return Scored(np.concatenate(As), Y, sum(costs) / len(Y))


def score_file(model: Model, file: Path, dialect: Dialect) -> Scored:
    """Score the rows of a file."""
    with memory_for(f"the rows of {file}"), tables.opened(file, _dialect(model, dialect)) as source:
        batches = Batches(model, source, labeled=True)
        scored = score(model, batches)
    batches.warn()
    return scored


def measures(scored: Scored) -> dict[str, Any]:
    """Return the measures of an evaluation; None for those that need both classes."""
    A, Y, log_loss = scored
    confusion = metrics.confusion(A, Y)
    curves = metrics.curves(A, Y) if Y.any() and not Y.all() else None
    return {
        "rows": len(Y),
        "accuracy": int(confusion.trace()) / len(Y),
        "log_loss": log_loss,
        "roc_auc": curves and curves.roc_auc,
        "average_precision": curves and curves.average_precision,
        "brier_score": metrics.brier(A, Y),
        "confusion_matrix": confusion.tolist(),
    }


def evaluate(model_file: Path, file: Path, dialect: Dialect, *, as_json: bool) -> None:
    """Print the measures."""
    model = models.load(model_file)
    found = measures(score_file(model, file, dialect))
    if as_json:
        print_json({"file": str(file), "classes": model.classes.tolist(), **found})
        return
    first, second = model.class_names
    (tn, fp), (fn, tp) = found["confusion_matrix"]
    print_facts(
        {
            "file": f"{file}, target {shown(model.target)}",
            "rows": f"{found['rows']}: {tn + fp} {first}, {fn + tp} {second}",
            **described(found),
        }
    )
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("class", overflow="fold")
    table.add_column(f"predicted {first}", justify="right", overflow="fold")
    table.add_column(f"predicted {second}", justify="right", overflow="fold")
    table.add_row(first, str(tn), str(fp))
    table.add_row(second, str(fn), str(tp))
    out = console()
    out.print()
    out.print(table)


def described(found: dict[str, Any]) -> dict[str, str]:
    """Return the measures as text."""
    rows, accuracy = found["rows"], found["accuracy"]
    auc = found["roc_auc"]
    return {
        "accuracy": f"{accuracy:.4f} ({round(accuracy * rows)} of {rows})",
        "log-loss": f"{found['log_loss']:.6g}",
        "ROC AUC": f"{auc:.6g}" if auc is not None else "undefined (all rows are of one class)",
        "Brier score": f"{found['brier_score']:.6g}",
    }
