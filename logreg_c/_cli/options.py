# SPDX-License-Identifier: BSD-3-Clause
"""The arguments and options of the commands, and what their values may be."""

import math
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import click

from . import recipes
from .errors import brief


class Checked(click.ParamType[object]):
    """A value that a function reads, or refuses by a ValueError that says what was expected."""

    name = "value"

    def __init__(self, read: Callable[[str], object]) -> None:
        self._read = read

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> object:
        """Return what the function makes of a text, or of a default that is a number."""
        try:
            return self._read(str(value))
        except ValueError as error:
            self.fail(str(error), param, ctx)


def _number(value: str, sound: Callable[[float], bool], expected: str, *words: str) -> float | str:
    """Return one of some words as it is, and any other value as a number."""
    if value in words:
        return value
    with suppress(ValueError):
        if sound(number := float(value)):
            return number
    msg = f"{brief(value)} is not {expected}"
    raise ValueError(msg)


def _alpha(value: str) -> float | str:
    expected = "auto, nor a finite number above 0"
    return _number(value, lambda alpha: 0 < alpha < math.inf, expected, "auto")


def _at_least_0(value: str) -> float | str:
    return _number(value, lambda number: 0 <= number < math.inf, "a finite number, 0 or above")


def _below_1(value: str) -> float | str:
    return _number(value, lambda share: 0 <= share < 1, "a number, at least 0 and below 1")


def _threshold(value: str) -> float | str:
    expected = "f1, youden, cost=FP:FN, nor a number from 0 to 1"
    if value.startswith("cost="):
        _checked(value, _as_costs, expected)
        return value
    return _number(value, lambda threshold: 0 <= threshold <= 1, expected, "f1", "youden")


def _as_costs(value: str) -> None:
    costs = [float(cost) for cost in value.removeprefix("cost=").split(":")]
    if len(costs) != 2 or not all(0 < cost < math.inf for cost in costs):
        raise ValueError


def _path(value: str) -> Path:
    if "\0" in value:
        msg = f"{brief(value)} has an embedded null byte, which no path has"
        raise ValueError(msg)
    return Path(value)


def _date_parts(value: str) -> tuple[str, ...]:
    parts = tuple(filter(None, value.split(",")))
    for part in parts:
        if part not in recipes.DATE_PARTS or parts.count(part) > 1:
            known = ", ".join(recipes.DATE_PARTS)
            msg = f"{brief(part)} is not one of {known}, or is given twice"
            raise ValueError(msg)
    return parts


def _separator(value: str) -> str:
    value = {"tab": "\t", "\\t": "\t"}.get(value, value)
    if len(value) != 1 or not value.isascii() or value in '\r\n"\0':
        msg = f"{brief(value)} is not one character of ASCII, nor tab"
        raise ValueError(msg)
    return value


def _encoding(value: str) -> str:
    try:
        known = " ".encode(value).decode(value) == " "
    except (LookupError, ValueError, AssertionError):
        known = False
    if not known:
        msg = f"{brief(value)} is not an encoding that Python knows, such as cp1252"
        raise ValueError(msg)
    return value


def _class_weight(value: str) -> str:
    return _checked(value, _as_weights, "balanced, nor LABEL=WEIGHT,LABEL=WEIGHT")


def _as_weights(value: str) -> None:
    if value != "balanced":
        for part in value.split(","):
            label, _, weight = part.rpartition("=")
            if not label or not 0 < float(weight) < math.inf:
                raise ValueError


def _checked(value: str, check: Callable[[str], None], expected: str) -> str:
    try:
        check(value)
    except ValueError:
        msg = f"{brief(value)} is not {expected}"
        raise ValueError(msg) from None
    return value


FILE = click.argument(
    "file",
    type=Checked(_path),
    metavar="FILE",
    help="CSV with a header, Parquet, Arrow IPC, NPY or NPZ; - for standard input.",
)
MODEL = click.argument(
    "model",
    type=Checked(_path),
    metavar="MODEL",
    help="A model that `train --output` wrote.",
)
AS_JSON = click.option(
    "--json",
    "as_json",
    is_flag=True,
    help="Print JSON.",
)
TARGET = click.option(
    "--target",
    required=True,
    metavar="COLUMN",
    help="Column to predict, of 2 to 100 classes.",
)
SOLVER = click.option(
    "--solver",
    default="auto",
    type=click.Choice(["auto", "gd"]),
    help="auto finds the minimum in a few passes over the rows, without a learning rate; gd is"
    " plain gradient descent.",
)
ALPHA = click.option(
    "--alpha",
    default="auto",
    type=Checked(_alpha),
    metavar="NUMBER|auto",
    help="Learning rate, for --solver gd; auto computes one with which the cost always falls.",
)
ITERS = click.option(
    "--iters",
    default=1000,
    type=click.IntRange(1, 10**15),
    metavar="INTEGER",
    help="Maximum number of passes over the rows, or of iterations of gd.",
)
TOL = click.option(
    "--tol",
    type=Checked(_at_least_0),
    metavar="NUMBER",
    help="Stop when the predicted gap to the minimum is at most this share of the cost; with"
    " --solver gd, when max(|dw|, |db|) is at most this.  [default: 1e-9; none for gd]",
)
L2 = click.option(
    "--l2",
    type=Checked(_at_least_0),
    metavar="NUMBER",
    help="Add l2/2 sum(w^2) to the cost.  [default: 1 / rows to train on, to avoid overfitting;"
    " 0 for gd]",
)
INFERENCE = click.option(
    "--inference",
    is_flag=True,
    help="Compute standard errors, p-values and intervals of the weights, which the model"
    " keeps. Without --l2 there is no penalty.",
)
STANDARDIZE = click.option(
    "--standardize/--no-standardize",
    default=True,
    help="Train as if each feature had mean 0 and standard deviation 1.",
)
ONE_HOT = click.option(
    "--one-hot",
    is_flag=True,
    help="Make one feature per value of each text column.",
)
FEATURES = click.option(
    "--features",
    multiple=True,
    metavar="PATTERN",
    help="Train on these columns only: a name, or a pattern with * and ?. Repeat for more.",
)
DROP = click.option(
    "--drop",
    multiple=True,
    metavar="PATTERN",
    help="Leave these columns out: a name, or a pattern with * and ?. Repeat for more.",
)
MISSING = click.option(
    "--missing",
    default="error",
    type=click.Choice(recipes.MISSING),
    help="Values that are missing: an error; rows to drop; or numbers to fill in with the mean"
    " or the median of the rows to train on, while a missing category sets no feature."
    " indicator is mean, with a feature that says that the value was missing. predict does the"
    " same.",
)
NA_VALUE = click.option(
    "--na-value",
    multiple=True,
    metavar="VALUE",
    help="A value that means missing, such as -999 or unknown, in addition to NA, NaN, null, ?"
    " and the like. Repeat for more.",
)
DATE_PARTS = click.option(
    "--date-parts",
    type=Checked(_date_parts),
    metavar="PART,...",
    help=f"What to make features of in dates: {', '.join(recipes.DATE_PARTS)}. days counts from"
    " 1970; month, weekday and hour have a feature per value.",
)
MIN_COUNT = click.option(
    "--min-count",
    default=1,
    type=click.IntRange(1, 10**15),
    metavar="ROWS",
    help="Merge the values of a text column that are in fewer rows than this into one feature.",
)
SEPARATOR = click.option(
    "--separator",
    type=Checked(_separator),
    metavar="CHARACTER",
    help="What separates the values of a CSV file; tab for a tab.  [default: detected]",
)
DECIMAL = click.option(
    "--decimal",
    type=click.Choice([".", ","]),
    help="Decimal mark of a CSV file.  [default: detected]",
)
ENCODING = click.option(
    "--encoding",
    type=Checked(_encoding),
    metavar="NAME",
    help="Encoding of a CSV file, such as cp1252 or latin-1.  [default: UTF-8, or UTF-16 with a"
    " byte order mark]",
)
TEST_FRACTION = click.option(
    "--test-fraction",
    default=0.2,
    type=Checked(_below_1),
    metavar="FRACTION",
    help="Fraction of the rows held out for scoring.",
)
GROUP_BY = click.option(
    "--group-by",
    metavar="COLUMN",
    help="Hold out whole groups: rows with the same value here, which is no feature, are on one"
    " side.",
)
SPLIT_BY_TIME = click.option(
    "--split-by-time",
    metavar="COLUMN",
    help="Hold out the latest rows by this column of numbers or dates, which is no feature.",
)
CV = click.option(
    "--cv",
    type=click.IntRange(2, 1000),
    metavar="K",
    help="Also cross-validate on the rows to train on, in K folds: mean and standard deviation"
    " of the measures.",
)
POSITIVE = click.option(
    "--positive",
    metavar="LABEL",
    help="The class whose probability is predicted; where there are more than two, against all"
    " others.  [default: the second in order, and all of more than two]",
)
CLASS_WEIGHT = click.option(
    "--class-weight",
    type=Checked(_class_weight),
    metavar="balanced|LABEL=WEIGHT,...",
    help="Weights of the classes in training; balanced gives both the same total weight.",
)
WEIGHT = click.option(
    "--weight",
    metavar="COLUMN",
    help="Weights of the rows in training, 0 or above; not a feature.",
)
THRESHOLD = click.option(
    "--threshold",
    default="0.5",
    type=Checked(_threshold),
    metavar="NUMBER|f1|youden|cost=FP:FN",
    help="Probability above which the positive class is predicted; or what to choose it by on"
    " the held-out rows: the F1 score, Youden's index, or the cost of false positives and false"
    " negatives.",
)
STREAM = click.option(
    "--stream",
    is_flag=True,
    help="Read the rows in batches, again for every pass: for tables larger than memory. FILE"
    " is then a file, a folder, or a pattern such as 'data/*.parquet'.",
)
CACHE = click.option(
    "--cache",
    type=Checked(_path),
    metavar="FOLDER",
    help="With --stream, write the features to a file in this folder in the first pass, and"
    " read them from there in later ones.",
)
TRAIN_DASK = click.option(
    "--dask",
    metavar="ADDRESS",
    help="Train on the Dask cluster of this scheduler, such as tcp://HOST:8786. Its workers"
    " read the files, and the pieces of large ones, and hold the features. Implies --stream.",
)
DASK = click.option(
    "--dask",
    metavar="ADDRESS",
    help="Have the Dask cluster of this scheduler, such as tcp://HOST:8786, read FILE: its"
    " workers share the files, and the pieces of large ones.",
)
ALL_ROWS = click.option(
    "--all-rows",
    is_flag=True,
    help="If the model was trained on this file, score all of its rows, and not only those that"
    " were held out.",
)
EARLY_STOPPING = click.option(
    "--early-stopping",
    type=click.IntRange(1, 10**15),
    metavar="PATIENCE",
    help="Stop after PATIENCE iterations without improvement in the validation cost, and keep"
    " the best w and b.",
)
VALIDATION_FRACTION = click.option(
    "--validation-fraction",
    type=Checked(_below_1),
    metavar="FRACTION",
    help="Fraction of the rows held out for --early-stopping.  [default: 0.1]",
)
SEED = click.option(
    "--seed",
    default=0,
    type=click.IntRange(0, 2**64 - 1),
    metavar="INTEGER",
    help="Seed for the random split.",
)
RESUME = click.option(
    "--resume",
    type=Checked(_path),
    metavar="CHECKPOINT",
    help="Save the training state in this file regularly, and continue from it if it exists.",
)
MODEL_OUTPUT = click.option(
    "--output",
    "-o",
    type=Checked(_path),
    metavar="PATH",
    help="Write the model to this file, as .npz.",
)
REPORT_OUTPUT = click.option(
    "--report",
    type=Checked(_path),
    metavar="PATH",
    help="Write a report on the held-out rows to this HTML file.",
)
OUTPUT = click.option(
    "--output",
    "-o",
    type=Checked(_path),
    metavar="PATH",
    help="Write the predictions to this file: Parquet or Arrow if its name ends in .parquet or"
    " .arrow, otherwise CSV.  [default: CSV to standard output]",
)
KEEP = click.option(
    "--keep",
    multiple=True,
    metavar="COLUMN",
    help="Copy this column of FILE, such as an ID, to the output. Repeat for more.",
)
PAGE_OUTPUT = click.option(
    "--output",
    "-o",
    type=Checked(_path),
    required=True,
    metavar="PATH",
    help="Write the page to this HTML file.",
)
ONNX_OUTPUT = click.option(
    "--output",
    "-o",
    type=Checked(_path),
    required=True,
    metavar="PATH",
    help="Write the ONNX model to this file.",
)
