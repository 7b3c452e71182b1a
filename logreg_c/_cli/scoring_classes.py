# SPDX-License-Identifier: BSD-3-Clause
"""The measures of three classes and more: in numbers, as text, and their confusion matrix."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.table import Table

from .console import console, print_line

MOST_SHOWN = 12  # classes, as columns of a matrix


def measures(A: NDArray[np.float64], Y: NDArray[np.int64]) -> dict[str, Any]:
    """Return the measures of probabilities (m, K) and the numbers of classes (m,).

    The averages over the classes are those that occur; the precision of one that is never predicted
    counts as 0 in its average.
    """
    k = A.shape[1]
    confusion = np.bincount(k * Y + A.argmax(1), minlength=k * k).reshape(k, k)
    rows, predicted = confusion.sum(1), confusion.sum(0)
    right = np.diagonal(confusion)
    occurs = rows > 0
    recall = [int(r) / int(n) if n else None for r, n in zip(right, rows, strict=True)]
    precision = [int(r) / int(n) if n else None for r, n in zip(right, predicted, strict=True)]
    return {
        "accuracy": int(right.sum()) / len(Y),
        "majority_accuracy": int(rows.max()) / len(Y),
        "macro_recall": _mean(recall, occurs),
        "macro_precision": _mean(precision, occurs),
        "recall": recall,
        "precision": precision,
        "confusion_matrix": confusion.tolist(),
    }


def _mean(values: list[float | None], occurs: NDArray[np.bool_]) -> float:
    counted = [value or 0.0 for value, there in zip(values, occurs, strict=True) if there]
    return sum(counted) / len(counted)


def described(found: dict[str, Any], names: tuple[str, ...]) -> dict[str, str]:
    """Return the measures as text."""
    rows = [sum(row) for row in found["confusion_matrix"]]
    right, all_rows = round(found["accuracy"] * sum(rows)), sum(rows)
    majority = names[rows.index(max(rows))]
    return {
        "accuracy": f"{found['accuracy']:.4f} ({right} of {all_rows}); always {majority}:"
        f" {found['majority_accuracy']:.4f}",
        "recall": f"{found['macro_recall']:.4f}, the mean over the classes",
        "precision": f"{found['macro_precision']:.4f}, the mean over the classes",
        "log-loss": f"{found['log_loss']:.6g}",
    }


def print_confusion(found: dict[str, Any], names: tuple[str, ...]) -> None:
    """Print the confusion matrix, with the recall and the precision of each class."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("class", overflow="fold")
    shown = names if len(names) <= MOST_SHOWN else ()
    for heading in (*(f"predicted {name}" for name in shown), "rows", "recall", "precision"):
        table.add_column(heading, justify="right", overflow="fold")
    for k, row in enumerate(found["confusion_matrix"]):
        ratios = [_ratio(found[name][k]) for name in ("recall", "precision")]
        cells = [str(count) for count in row] if shown else []
        table.add_row(names[k], *cells, str(sum(row)), *ratios)
    out = console()
    out.print()
    out.print(table)
    if not shown:
        print_line(f"(the confusion matrix of {len(names)} classes is in the output of --json)")


def _ratio(value: float | None) -> str:
    return "undefined" if value is None else f"{value:.4f}"
