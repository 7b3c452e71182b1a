# SPDX-License-Identifier: BSD-3-Clause
"""A model on the rows of a file, a batch of rows in memory at a time: predict and evaluate."""

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
from .tables import Source

# X of some rows, (n_x, m): a matrix, or columns of their own types.
Examples = list[NDArray[Any]] | NDArray[np.float64]


class Scored(NamedTuple):
    """The probabilities of a file's rows, and what they are measured by."""

    A: NDArray[np.float64]  # (m,)
    Y: NDArray[np.bool_]  # (m,)
    log_loss: float


class Batches:
    """The rows of a file as X, a list of columns, 65,536 rows at a time."""

    def __init__(self, model: Model, source: Source, *, labeled: bool) -> None:
        self.model, self.source, self.labeled = model, source, labeled
        self.rows = 0
        self.unknown: dict[str, tuple[int, str]] = {}  # column: rows, the first such value

    def __iter__(self) -> Iterator[tuple[Examples, NDArray[np.bool_]]]:
        """Yield X and Y; all of Y is false where the rows are not labeled."""
        model, source = self.model, self.source
        target = model.target
        columns = dict(model.columns)
        if self.labeled:
            columns[target] = [str(value) for value in model.classes.tolist()]
        for row, batch in tables.batches(source, columns):
            Y = np.zeros(batch.height, bool)
            if self.labeled:
                Y = tables.labels(batch.get_column(target), model.classes, source, row)
            yield self._columns(batch, row), Y
            self.rows = row + batch.height

    def _columns(self, batch: pl.DataFrame, row: int) -> Examples:
        series = [batch.get_column(column) for column in self.model.columns]
        if (matrix := tables.matrix(series)) is not None:
            return matrix
        X: list[NDArray[Any]] = []
        for values, categories in zip(series, self.model.columns.values(), strict=True):
            if categories is None:
                X.append(tables.numbers(values, self.source, row))
                continue
            texts = tables.text(values, self.source, row)
            where, unknown = tables.one_hot(texts, categories)
            X += where
            if len(unknown):
                rows, first = self.unknown.get(values.name, (0, unknown[0]))
                self.unknown[values.name] = rows + len(unknown), first
        return X

    def warn(self) -> None:
        """Say which values training has not seen."""
        for column, (rows, first) in self.unknown.items():
            say(
                f"warning: column {brief(column)} holds values in {rows} of {self.rows} rows that"
                f" training has not seen, first {brief(first)}; no weight of this column counts"
                " there"
            )


def _probabilities(model: Model, X: Examples) -> NDArray[np.float64]:
    # In float64 whatever the columns are: the file's types do not show in the result.
    A = logreg_c.predict_proba(X, model.weights, model.bias, dtype=np.float64)
    return A.ravel()


def predict(model_file: Path, file: Path, output: Path | None) -> None:
    """Write a table of probabilities and classes, batch after batch."""
    if str(output) == "-":
        output = None
    if output is not None:
        check_output(output, model_file, file)
    model = models.load(model_file)
    with memory_for(f"the rows of {file}"), tables.opened(file) as source:
        batches = Batches(model, source, labeled=False)
        classes = pl.Series(model.classes)

        def predictions() -> Iterator[pl.DataFrame]:
            for X, _ in batches:
                A = _probabilities(model, X)
                second = (A > 0.5).astype(np.uint32)
                yield pl.DataFrame({"probability": A, "prediction": classes.gather(second)})

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
    say(f"{batches.rows} rows; probability is that of {model.class_names[1]}")


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
    """Compare the probabilities of all rows, (X, Y) each, with Y; keeps 9 bytes of a row."""
    As, Ys, costs = [], [], []
    w, b = model.weights, model.bias
    for X, Y in batches:
        As.append(_probabilities(model, X))
        Ys.append(Y)
        # accurate however far out, where log(A) is not
        J, _, _ = logreg_c.cost_and_gradient(X, Y, w, b, dtype=np.float64)
        costs.append(J * len(Y))
    Y = np.concatenate(Ys)
    return Scored(np.concatenate(As), Y, sum(costs) / len(Y))


def score_file(model: Model, file: Path) -> Scored:
    """Score the rows of a file."""
    with memory_for(f"the rows of {file}"), tables.opened(file) as source:
        batches = Batches(model, source, labeled=True)
        scored = score(model, batches)
    batches.warn()
    return scored


def measures(scored: Scored) -> dict[str, Any]:
    """Return the numbers of an evaluation; those that need both classes are None without."""
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


def evaluate(model_file: Path, file: Path, *, as_json: bool) -> None:
    """Print the measures."""
    model = models.load(model_file)
    found = measures(score_file(model, file))
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
    table.add_column(f"taken for {first}", justify="right", overflow="fold")
    table.add_column(f"taken for {second}", justify="right", overflow="fold")
    table.add_row(first, str(tn), str(fp))
    table.add_row(second, str(fn), str(tp))
    out = console()
    out.print()
    out.print(table)


def described(found: dict[str, Any]) -> dict[str, str]:
    """Word the measures."""
    rows, accuracy = found["rows"], found["accuracy"]
    auc = found["roc_auc"]
    return {
        "accuracy": f"{accuracy:.4f} ({round(accuracy * rows)} of {rows})",
        "log-loss": f"{found['log_loss']:.6g}",
        "ROC AUC": f"{auc:.6g}" if auc is not None else "not defined for rows of one class",
        "Brier score": f"{found['brier_score']:.6g}",
    }
