# SPDX-License-Identifier: BSD-3-Clause
"""The commands; each imports its implementation when it is called."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from logreg_c._version import __version__

from . import options
from .errors import refuse
from .recipes import Dialect

GAP = 1e-9  # to the minimum, relative
VALIDATION_FRACTION = 0.1
# Options of `train` that say how to read the table.
READING = (
    *("features", "drop", "date_parts", "stream", "cache", "dask"),
    *("separator", "decimal", "encoding", "na_value"),
)


class Commands(click.Group):
    """Commands in the order in which they are defined, which is that of their use."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """Return their names."""
        return list(self.commands)


@click.group(
    cls=Commands,
    context_settings={"show_default": True},
    epilog="Exit codes: 0 done, 1 training failed, 2 usage or data, 130 Ctrl-C, 143 terminated.",
)
@click.version_option(
    __version__, message="logreg-c %(version)s", help="Print the version and exit."
)
def app() -> None:
    """Logistic regression on tables: CSV, Parquet, Arrow, NPY or NPZ files."""


def run(arguments: Sequence[str]) -> int:
    """Run a command; return its exit code."""
    try:
        with app.make_context("logreg-c", list(arguments) or ["--help"]) as context:
            app.invoke(context)
    except click.exceptions.Exit as ended:  # of --help
        return ended.exit_code if arguments else 2
    except click.UsageError as error:
        path = "logreg-c" if error.ctx is None else error.ctx.command_path
        message = error.format_message().rstrip(".")
        refuse(f"{message}{'' if message.endswith('?') else ';'} see {path} --help")
    return 0


@app.command()
@options.FILE
@options.TARGET
@options.SOLVER
@options.ALPHA
@options.ITERS
@options.TOL
@options.L2
@options.STANDARDIZE
@options.INFERENCE
@options.FEATURES
@options.DROP
@options.MISSING
@options.NA_VALUE
@options.ONE_HOT
@options.MIN_COUNT
@options.DATE_PARTS
@options.SEPARATOR
@options.DECIMAL
@options.ENCODING
@options.STREAM
@options.CACHE
@options.TRAIN_DASK
@options.POSITIVE
@options.CLASS_WEIGHT
@options.WEIGHT
@options.THRESHOLD
@options.TEST_FRACTION
@options.GROUP_BY
@options.SPLIT_BY_TIME
@options.CV
@options.EARLY_STOPPING
@options.VALIDATION_FRACTION
@options.SEED
@options.RESUME
@options.MODEL_OUTPUT
@options.REPORT_OUTPUT
@options.AS_JSON
def train(**given: Any) -> None:
    """Train a model on a table.

    It is trained on all columns except the target, and scored on held-out rows.
    """
    from . import training

    training.run(
        given["file"],
        training.Settings(**_settings(given)),
        training.Reading(**_reading(given)),
        training.Outputs(given["resume"], given["output"], given["report"], given["as_json"]),
    )


def _settings(given: dict[str, Any]) -> dict[str, Any]:
    """Return the options of `train` that the model stores."""
    _check_together(given)
    made = given | {
        "validation_fraction": _validation_fraction(
            given["early_stopping"], given["validation_fraction"]
        ),
    }
    if given["solver"] == "auto":
        if given["alpha"] != "auto":
            refuse("--alpha is for --solver gd: give that too, or leave out --alpha")
        made["alpha"] = None
        made["tol"] = GAP if given["tol"] is None else given["tol"]
    else:
        made["l2"] = 0.0 if given["l2"] is None else given["l2"]
    others = {"file", "resume", "output", "report", "as_json", *READING}
    return {name: value for name, value in made.items() if name not in others}


def _reading(given: dict[str, Any]) -> dict[str, Any]:
    """Return the options of reading a table to train on."""
    na_values = tuple(map(str.strip, given["na_value"]))
    return {
        "features": given["features"],
        "drop": given["drop"],
        "date_parts": given["date_parts"] or (),
        "stream": given["stream"] or given["dask"] is not None,
        "cache": given["cache"],
        "dask": given["dask"],
        "dialect": Dialect(given["separator"], given["decimal"], given["encoding"], na_values),
    }


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
            if given[option] not in (None, "auto"):
                refuse(f"--inference {reason}; leave out --{option.replace('_', '-')}")
    _check_stream(given)
    if given["test_fraction"] == 0:
        if isinstance(given["threshold"], str):
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
@options.MODEL
@options.FILE
@options.OUTPUT
@options.KEEP
@options.SEPARATOR
@options.DECIMAL
@options.ENCODING
@options.DASK
def predict(
    model: Path,
    file: Path,
    output: Path | None,
    keep: Sequence[str],
    dask: str | None,
    **dialect: Any,
) -> None:
    """Write the predicted probability and class of each row."""
    from . import scoring

    scoring.predict(model, file, output, keep, Dialect(**dialect), dask)


@app.command()
@options.MODEL
@options.FILE
@options.SEPARATOR
@options.DECIMAL
@options.ENCODING
@options.DASK
@options.ALL_ROWS
@options.AS_JSON
def evaluate(
    model: Path, file: Path, dask: str | None, all_rows: bool, as_json: bool, **dialect: Any
) -> None:
    """Score a model on rows with known classes.

    Of the file that it was trained on, these are the rows held out.
    """
    from . import scoring

    scoring.evaluate(model, file, Dialect(**dialect), all_rows=all_rows, dask=dask, as_json=as_json)


@app.command()
@options.MODEL
@options.AS_JSON
def inspect(model: Path, as_json: bool) -> None:
    """Show the classes, settings, cost and weights of a model."""
    from . import inspection

    inspection.run(model, as_json=as_json)


@app.command()
@options.MODEL
@options.FILE
@options.PAGE_OUTPUT
@options.ALL_ROWS
@options.SEPARATOR
@options.DECIMAL
@options.ENCODING
@options.DASK
def report(
    model: Path,
    file: Path,
    output: Path,
    all_rows: bool,
    dask: str | None,
    **dialect: Any,
) -> None:
    """Write an HTML page about a model.

    It shows the model, and its predictions on rows with known classes.
    """
    from . import report as page

    page.run(model, file, output, Dialect(**dialect), all_rows=all_rows, dask=dask)


@app.command()
@options.MODEL
@options.ONNX_OUTPUT
def export(model: Path, output: Path) -> None:
    """Export a model to ONNX, for other programs and languages."""
    from .output import check_output

    check_output(output, model)  # before importing onnx, which may not be installed
    from . import exporting

    exporting.run(model, output)
