# SPDX-License-Identifier: BSD-3-Clause
"""The commands and their options; each command imports its implementation when it is called."""

import math
from collections.abc import Callable, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.main import get_command

from logreg_c._version import __version__

from .errors import brief, refuse
from .recipes import DATE_PARTS, Dialect

GAP = 1e-9  # to the minimum, relative
VALIDATION_FRACTION = 0.1
# Options of `train` that say how to read the table.
READING = (
    *("features", "drop", "date_parts", "stream", "cache", "dask"),
    *("separator", "decimal", "encoding", "na_value"),
)


class Missing(StrEnum):
    """What happens to missing values."""

    ERROR = "error"
    DROP = "drop"
    MEAN = "mean"
    MEDIAN = "median"
    INDICATOR = "indicator"


class DecimalMark(StrEnum):
    """What precedes the decimal places."""

    POINT = "."
    COMMA = ","


class Solver(StrEnum):
    """The method that finds w and b."""

    AUTO = "auto"
    GD = "gd"


app = typer.Typer(
    help="Logistic regression on tables: CSV, Parquet, Arrow, NPY or NPZ files.",
    epilog="Exit codes: 0 done, 1 training failed, 2 usage or data, 130 Ctrl-C, 143 terminated.",
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


# click's class; newer versions of typer contain their own click
USAGE_ERROR: Any = typer.BadParameter.__bases__[0]


def run(arguments: Sequence[str]) -> int:
    """Run a command; return its exit code."""
    command = get_command(app)
    try:
        with command.make_context("logreg-c", list(arguments) or ["--help"]) as context:
            command.invoke(context)
    except typer.Exit as ended:  # of --help
        return ended.exit_code if arguments else 2
    except USAGE_ERROR as error:
        at = getattr(error, "ctx", None)
        path = "logreg-c" if at is None else at.command_path
        message = (
            error.format_message().replace("Value error, ", "").rstrip(".")
        )  # pydantic's words
        refuse(f"{message}; see {path} --help")
    return 0


def _alpha(value: str) -> str:
    try:
        sound = value == "auto" or 0 < float(value) < math.inf
    except ValueError:
        sound = False
    if not sound:
        msg = f"{brief(value)} is not auto, nor a finite number above 0"
        raise typer.BadParameter(msg)
    return value


def _at_least_0(value: float | None) -> float | None:
    if value is not None and not (value >= 0 and math.isfinite(value)):
        msg = "must be a finite number, 0 or above"
        raise typer.BadParameter(msg)
    return value


def _below_1(value: float | None) -> float | None:
    if value is not None and not 0 <= value < 1:
        msg = "must be at least 0 and below 1"
        raise typer.BadParameter(msg)
    return value


def _date_parts(value: str) -> str:
    parts = value.split(",") if value else []
    for part in parts:
        if part not in DATE_PARTS or parts.count(part) > 1:
            msg = f"{brief(part)} is not one of {', '.join(DATE_PARTS)}, or is given twice"
            raise typer.BadParameter(msg)
    return value


def _separator(value: str | None) -> str | None:
    value = {"tab": "\t", "\\t": "\t"}.get(value or "", value)
    if value is not None and (len(value) != 1 or not value.isascii() or value in '\r\n"\0'):
        msg = f"{brief(value)} is not one character of ASCII, nor tab"
        raise typer.BadParameter(msg)
    return value


def _encoding(value: str | None) -> str | None:
    try:
        known = value is None or " ".encode(value).decode(value) == " "
    except (LookupError, ValueError, AssertionError):
        known = False
    if not known:
        msg = f"{brief(value)} is not an encoding that Python knows, such as cp1252"
        raise typer.BadParameter(msg)
    return value


def _dialect(
    separator: str | None, decimal: str | None, encoding: str | None, na_values: Sequence[str] = ()
) -> Dialect:
    return Dialect(separator, decimal and str(decimal), encoding, tuple(map(str.strip, na_values)))


def _threshold(value: str) -> str:
    return _checked(value, _as_threshold, "f1, youden, cost=FP:FN, nor a number from 0 to 1")


def _as_threshold(value: str) -> None:
    if value.startswith("cost="):
        costs = [float(cost) for cost in value.removeprefix("cost=").split(":")]
        if len(costs) == 2 and all(0 < cost < math.inf for cost in costs):
            return
    elif value in {"f1", "youden"} or 0 <= float(value) <= 1:
        return
    raise ValueError


def _class_weight(value: str | None) -> str | None:
    return value and _checked(value, _as_weights, "balanced, nor LABEL=WEIGHT,LABEL=WEIGHT")


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
        raise typer.BadParameter(msg) from None
    return value


def _version(wanted: bool) -> None:
    if wanted:
        print(f"logreg-c {__version__}")
        raise typer.Exit


TableFile = Annotated[
    Path,
    typer.Argument(
        metavar="FILE",
        help="CSV with a header, Parquet, Arrow IPC, NPY or NPZ; - for standard input.",
    ),
]
ModelFile = Annotated[
    Path, typer.Argument(metavar="MODEL", help="A model that `train --output` wrote.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


Target = Annotated[str, typer.Option(help="Column to predict, of 2 to 100 classes.")]
SolverName = Annotated[
    Solver,
    typer.Option(
        help="auto finds the minimum in a few passes over the rows, without a learning rate; gd is"
        " plain gradient descent.",
    ),
]
Alpha = Annotated[
    str,
    typer.Option(
        callback=_alpha,
        metavar="NUMBER|auto",
        help="Learning rate, for --solver gd; auto computes one with which the cost always falls.",
    ),
]
Iters = Annotated[
    int,
    typer.Option(
        min=1, max=10**15, help="Maximum number of passes over the rows, or of iterations of gd."
    ),
]
Tol = Annotated[
    float | None,
    typer.Option(
        callback=_at_least_0,
        help="Stop when the predicted gap to the minimum is at most this share of the cost; with"
        " --solver gd, when max(|dw|, |db|) is at most this.  [default: 1e-9; none for gd]",
    ),
]
L2 = Annotated[
    float | None,
    typer.Option(
        callback=_at_least_0,
        help="Add l2/2 sum(w^2) to the cost.  [default: 1 / rows to train on, to avoid overfitting;"
        " 0 for gd]",
    ),
]
Inference = Annotated[
    bool,
    typer.Option(
        "--inference",
        help="Compute standard errors, p-values and intervals of the weights, which the model"
        " keeps. Without --l2 there is no penalty.",
    ),
]
Standardize = Annotated[
    bool, typer.Option(help="Train as if each feature had mean 0 and standard deviation 1.")
]
OneHot = Annotated[
    bool, typer.Option("--one-hot", help="Make one feature per value of each text column.")
]
Features = Annotated[
    list[str] | None,
    typer.Option(
        metavar="PATTERN",
        help="Train on these columns only: a name, or a pattern with * and ?. Repeat for more.",
    ),
]
Drop = Annotated[
    list[str] | None,
    typer.Option(
        metavar="PATTERN",
        help="Leave these columns out: a name, or a pattern with * and ?. Repeat for more.",
    ),
]
MissingValues = Annotated[
    Missing,
    typer.Option(
        help="Values that are missing: an error; rows to drop; or numbers to fill in with the mean"
        " or the median of the rows to train on, while a missing category sets no feature."
        " indicator is mean, with a feature that says that the value was missing. predict does the"
        " same.",
    ),
]
NaValue = Annotated[
    list[str] | None,
    typer.Option(
        metavar="VALUE",
        help="A value that means missing, such as -999 or unknown, in addition to NA, NaN, null, ?"
        " and the like. Repeat for more.",
    ),
]
DateParts = Annotated[
    str,
    typer.Option(
        callback=_date_parts,
        metavar="PART,...",
        help=f"What to make features of in dates: {', '.join(DATE_PARTS)}. days counts from 1970;"
        " month, weekday and hour have a feature per value.",
    ),
]
MinCount = Annotated[
    int,
    typer.Option(
        min=1,
        max=10**15,
        metavar="ROWS",
        help="Merge the values of a text column that are in fewer rows than this into one feature.",
    ),
]
Separator = Annotated[
    str | None,
    typer.Option(
        callback=_separator,
        metavar="CHARACTER",
        help="What separates the values of a CSV file; tab for a tab.  [default: detected]",
    ),
]
Decimal = Annotated[
    DecimalMark | None,
    typer.Option(help="Decimal mark of a CSV file.  [default: detected]", show_choices=False),
]
Encoding = Annotated[
    str | None,
    typer.Option(
        callback=_encoding,
        help="Encoding of a CSV file, such as cp1252 or latin-1.  [default: UTF-8, or UTF-16 with a"
        " byte order mark]",
    ),
]
TestFraction = Annotated[
    float, typer.Option(callback=_below_1, help="Fraction of the rows held out for scoring.")
]
GroupBy = Annotated[
    str | None,
    typer.Option(
        metavar="COLUMN",
        help="Hold out whole groups: rows with the same value here, which is no feature, are on one"
        " side.",
    ),
]
SplitByTime = Annotated[
    str | None,
    typer.Option(
        metavar="COLUMN",
        help="Hold out the latest rows by this column of numbers or dates, which is no feature.",
    ),
]
Folds = Annotated[
    int | None,
    typer.Option(
        "--cv",
        min=2,
        max=1000,
        metavar="K",
        help="Also cross-validate on the rows to train on, in K folds: mean and standard deviation"
        " of the measures.",
    ),
]
Positive = Annotated[
    str | None,
    typer.Option(
        metavar="LABEL",
        help="The class whose probability is predicted; where there are more than two, against all"
        " others.  [default: the second in order, and all of more than two]",
    ),
]
ClassWeight = Annotated[
    str | None,
    typer.Option(
        callback=_class_weight,
        metavar="balanced|LABEL=WEIGHT,...",
        help="Weights of the classes in training; balanced gives both the same total weight.",
    ),
]
Weight = Annotated[
    str | None,
    typer.Option(
        metavar="COLUMN", help="Weights of the rows in training, 0 or above; not a feature."
    ),
]
Threshold = Annotated[
    str,
    typer.Option(
        callback=_threshold,
        metavar="NUMBER|f1|youden|cost=FP:FN",
        help="Probability above which the positive class is predicted; or what to choose it by on"
        " the held-out rows: the F1 score, Youden's index, or the cost of false positives and false"
        " negatives.",
    ),
]
Stream = Annotated[
    bool,
    typer.Option(
        "--stream",
        help="Read the rows in batches, again for every pass: for tables larger than memory. FILE"
        " is then a file, a folder, or a pattern such as 'data/*.parquet'.",
    ),
]
CacheFolder = Annotated[
    Path | None,
    typer.Option(
        "--cache",
        metavar="FOLDER",
        help="With --stream, write the features to a file in this folder in the first pass, and"
        " read them from there in later ones.",
    ),
]
Scheduler = Annotated[
    str | None,
    typer.Option(
        "--dask",
        metavar="ADDRESS",
        help="Train on the Dask cluster of this scheduler, such as tcp://HOST:8786. Its workers"
        " read the files, and the pieces of large ones, and hold the features. Implies --stream.",
    ),
]
Workers = Annotated[
    str | None,
    typer.Option(
        "--dask",
        metavar="ADDRESS",
        help="Have the Dask cluster of this scheduler, such as tcp://HOST:8786, read FILE: its"
        " workers share the files, and the pieces of large ones.",
    ),
]
AllRows = Annotated[
    bool,
    typer.Option(
        "--all-rows",
        help="If the model was trained on this file, score all of its rows, and not only those that"
        " were held out.",
    ),
]
Patience = Annotated[
    int | None,
    typer.Option(
        min=1,
        max=10**15,
        metavar="PATIENCE",
        help="Stop after PATIENCE iterations without improvement in the validation cost, and keep"
        " the best w and b.",
    ),
]
ValidationFraction = Annotated[
    float | None,
    typer.Option(
        callback=_below_1,
        help="Fraction of the rows held out for --early-stopping.  [default: 0.1]",
    ),
]
Seed = Annotated[int, typer.Option(min=0, max=2**64 - 1, help="Seed for the random split.")]
Resume = Annotated[
    Path | None,
    typer.Option(
        metavar="CHECKPOINT",
        help="Save the training state in this file regularly, and continue from it if it exists.",
    ),
]
ModelOutput = Annotated[
    Path | None,
    typer.Option("--output", "-o", help="Write the model to this file, as .npz."),
]
ReportOutput = Annotated[
    Path | None,
    typer.Option("--report", help="Write a report on the held-out rows to this HTML file."),
]


@app.callback()
def options(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_version, is_eager=True, help="Print the version and exit."
        ),
    ] = False,
) -> None:
    """Take the options of all commands."""


@app.command()
def train(
    file: TableFile,
    target: Target,
    solver: SolverName = Solver.AUTO,
    alpha: Alpha = "auto",
    iters: Iters = 1000,
    tol: Tol = None,
    l2: L2 = None,
    standardize: Standardize = True,
    inference: Inference = False,
    features: Features = None,
    drop: Drop = None,
    missing: MissingValues = Missing.ERROR,
    na_value: NaValue = None,
    one_hot: OneHot = False,
    min_count: MinCount = 1,
    date_parts: DateParts = "",
    separator: Separator = None,
    decimal: Decimal = None,
    encoding: Encoding = None,
    stream: Stream = False,
    cache: CacheFolder = None,
    dask: Scheduler = None,
    positive: Positive = None,
    class_weight: ClassWeight = None,
    weight: Weight = None,
    threshold: Threshold = "0.5",
    test_fraction: TestFraction = 0.2,
    group_by: GroupBy = None,
    split_by_time: SplitByTime = None,
    cv: Folds = None,
    early_stopping: Patience = None,
    validation_fraction: ValidationFraction = None,
    seed: Seed = 0,
    resume: Resume = None,
    output: ModelOutput = None,
    report: ReportOutput = None,
    as_json: AsJson = False,
) -> None:
    """Train a model on a table.

    It is trained on all columns except the target, and scored on held-out rows.
    """
    given = locals()
    from . import training

    training.run(
        file,
        training.Settings(**_settings(given)),
        training.Reading(**_reading(given)),
        training.Outputs(resume, output, report, as_json),
    )


def _settings(given: dict[str, Any]) -> dict[str, Any]:
    """Return the options of `train` that the model stores."""
    _check_together(given)
    threshold = given["threshold"]
    made = given | {
        "threshold": threshold if _is_criterion(threshold) else float(threshold),
        "solver": given["solver"].value,
        "missing": given["missing"].value,
        "validation_fraction": _validation_fraction(
            given["early_stopping"], given["validation_fraction"]
        ),
    }
    if given["solver"] is Solver.AUTO:
        if given["alpha"] != "auto":
            refuse("--alpha is for --solver gd: give that too, or leave out --alpha")
        made["alpha"] = None
        made["tol"] = GAP if given["tol"] is None else given["tol"]
    else:
        made["alpha"] = "auto" if given["alpha"] == "auto" else float(given["alpha"])
        made["l2"] = 0.0 if given["l2"] is None else given["l2"]
    others = {"file", "resume", "output", "report", "as_json", *READING}
    return {name: value for name, value in made.items() if name not in others}


def _reading(given: dict[str, Any]) -> dict[str, Any]:
    """Return the options of reading a table to train on."""
    separator, decimal, encoding, na_value = (given[name] for name in READING[-4:])
    return {
        "features": tuple(given["features"] or ()),
        "drop": tuple(given["drop"] or ()),
        "date_parts": tuple(filter(None, given["date_parts"].split(","))),
        "stream": given["stream"] or given["dask"] is not None,
        "cache": given["cache"],
        "dask": given["dask"],
        "dialect": _dialect(separator, decimal, encoding, na_value or ()),
    }


def _is_criterion(threshold: str) -> bool:
    return threshold in {"f1", "youden"} or threshold.startswith("cost=")


WITHOUT_INFERENCE = {
    "solver": "is about the minimum",
    "early_stopping": "is about the minimum",
    "class_weight": "counts rows",
}


def _check_together(given: dict[str, Any]) -> None:
    """Refuse options that exclude each other."""
    if given["split_by_time"] is not None:
        if given["group_by"] is not None:
            refuse("--group-by and --split-by-time exclude each other; give one of them")
        if given["cv"] is not None:
            refuse("--cv would train on rows later than those it scores; leave out --split-by-time")
    if given["inference"]:
        for option, reason in WITHOUT_INFERENCE.items():
            if given[option] is not None and given[option] is not Solver.AUTO:
                refuse(f"--inference {reason}; leave out --{option.replace('_', '-')}")
    _check_stream(given)
    if given["test_fraction"] == 0:
        if _is_criterion(given["threshold"]):
            refuse("--threshold is chosen on held-out rows; give --test-fraction above 0")
        if given["report"] is not None:
            refuse("--report is about held-out rows; give --test-fraction above 0")


def _check_stream(given: dict[str, Any]) -> None:
    """Refuse a cache of rows that are not read in batches here."""
    if given["dask"] is not None and given["cache"] is not None:
        refuse("--cache is of files that are read here; leave it out, or --dask")
    if given["cache"] is not None and not given["stream"]:
        refuse("--cache is of rows that are read in batches; give --stream, too")


def _validation_fraction(early_stopping: int | None, validation_fraction: float | None) -> float:
    if validation_fraction is not None and (early_stopping is None or validation_fraction == 0):
        refuse("--validation-fraction needs --early-stopping PATIENCE and must be above 0")
    if early_stopping is None:
        return 0.0
    return VALIDATION_FRACTION if validation_fraction is None else validation_fraction


@app.command()
def predict(
    model: ModelFile,
    file: TableFile,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            help="Write the predictions to this file: Parquet or Arrow if its name ends in .parquet"
            " or .arrow, otherwise CSV.  [default: CSV to standard output]",
        ),
    ] = None,
    keep: Annotated[
        list[str] | None,
        typer.Option(
            metavar="COLUMN",
            help="Copy this column of FILE, such as an ID, to the output. Repeat for more.",
        ),
    ] = None,
    separator: Separator = None,
    decimal: Decimal = None,
    encoding: Encoding = None,
    dask: Workers = None,
) -> None:
    """Write the predicted probability and class of each row."""
    from . import scoring

    dialect = _dialect(separator, decimal, encoding)
    scoring.predict(model, file, output, keep or (), dialect, dask)


@app.command()
def evaluate(
    model: ModelFile,
    file: TableFile,
    separator: Separator = None,
    decimal: Decimal = None,
    encoding: Encoding = None,
    dask: Workers = None,
    all_rows: AllRows = False,
    as_json: AsJson = False,
) -> None:
    """Score a model on rows with known classes.

    Of the file that it was trained on, these are the rows held out.
    """
    from . import scoring

    dialect = _dialect(separator, decimal, encoding)
    scoring.evaluate(model, file, dialect, all_rows=all_rows, dask=dask, as_json=as_json)


@app.command()
def inspect(model: ModelFile, as_json: AsJson = False) -> None:
    """Show the classes, settings, cost and weights of a model."""
    from . import inspection

    inspection.run(model, as_json=as_json)


@app.command()
def report(
    model: ModelFile,
    file: TableFile,
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Write the page to this HTML file.")
    ],
    all_rows: AllRows = False,
    separator: Separator = None,
    decimal: Decimal = None,
    encoding: Encoding = None,
    dask: Workers = None,
) -> None:
    """Write an HTML page about a model.

    It shows the model, and its predictions on rows with known classes.
    """
    from . import report as page

    dialect = _dialect(separator, decimal, encoding)
    page.run(model, file, output, dialect, all_rows=all_rows, dask=dask)


@app.command()
def export(
    model: ModelFile,
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Write the ONNX model to this file.")
    ],
) -> None:
    """Export a model to ONNX, for other programs and languages."""
    from .output import check_output

    check_output(output, model)  # before importing onnx, which may not be installed
    from . import exporting

    exporting.run(model, output)
