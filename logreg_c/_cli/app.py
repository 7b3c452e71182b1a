# SPDX-License-Identifier: BSD-3-Clause
"""The commands and their options; what they do is imported when they are called."""

import math
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from typer.main import get_command

from .errors import brief, refuse

GAP = 1e-9  # to the minimum, relative
VALIDATION_FRACTION = 0.1


class Solver(StrEnum):
    """What finds w and b."""

    GD = "gd"
    AUTO = "auto"


app = typer.Typer(
    help="Logistic regression on tables: CSV, Parquet, Arrow, NPY or NPZ files.",
    epilog="Exit codes: 0 done, 1 training failed, 2 usage or data, 130 Ctrl-C, 143 terminated.",
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


# click's, which newer versions of typer contain
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


TableFile = Annotated[
    Path,
    typer.Argument(
        metavar="FILE",
        help="CSV with a header, Parquet, Arrow IPC, NPY or NPZ; - for stdin.",
    ),
]
ModelFile = Annotated[Path, typer.Argument(metavar="MODEL", help="What `train --output` wrote.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]


Target = Annotated[str, typer.Option(help="Column to learn: two values of any kind.")]
SolverName = Annotated[
    Solver,
    typer.Option(
        help="Gradient descent; or auto, which finds the minimum itself in a few passes over the"
        " rows and needs no learning rate.",
    ),
]
Alpha = Annotated[
    str,
    typer.Option(
        callback=_alpha,
        metavar="NUMBER|auto",
        help="Learning rate, for --solver gd; auto finds one with which the cost always falls.",
    ),
]
Iters = Annotated[
    int,
    typer.Option(min=1, max=10**15, help="Iterations, or passes of --solver auto, at most."),
]
Tol = Annotated[
    float | None,
    typer.Option(
        callback=_at_least_0,
        help="Stop when max(|dw|, |db|) is at most this; with --solver auto when the predicted gap"
        " to the minimum is, as a share of the cost.  [default: 1e-9 for --solver auto]",
    ),
]
L2 = Annotated[
    float | None,
    typer.Option(
        callback=_at_least_0,
        help="Add l2/2 sum(w^2) to the cost.  [default: 0; for --solver auto 1 / rows to train"
        " on, so that it does not learn them by heart]",
    ),
]
Standardize = Annotated[
    bool, typer.Option(help="Descend as if each feature had mean 0 and deviation 1.")
]
OneHot = Annotated[
    bool, typer.Option("--one-hot", help="Make a feature of each value of a text column.")
]
TestFraction = Annotated[
    float, typer.Option(callback=_below_1, help="Share of the rows held out to be scored.")
]
Patience = Annotated[
    int | None,
    typer.Option(
        min=1,
        max=10**15,
        metavar="PATIENCE",
        help="Stop when so many iterations have not made the cost of validation rows smaller;"
        " keep the best w and b.",
    ),
]
ValidationFraction = Annotated[
    float | None,
    typer.Option(
        callback=_below_1,
        help="Share of the rows for --early-stopping to look at.  [default: 0.1]",
    ),
]
Seed = Annotated[int, typer.Option(min=0, max=2**64 - 1, help="Chooses the rows held out.")]
Resume = Annotated[
    Path | None,
    typer.Option(
        metavar="CHECKPOINT",
        help="Save the training in this file as it goes; if it is there, go on from it.",
    ),
]
ModelOutput = Annotated[
    Path | None,
    typer.Option("--output", "-o", help="Write the model here, as .npz."),
]


@app.command()
def train(
    file: TableFile,
    target: Target,
    solver: SolverName = Solver.GD,
    alpha: Alpha = "auto",
    iters: Iters = 1000,
    tol: Tol = None,
    l2: L2 = None,
    standardize: Standardize = True,
    one_hot: OneHot = False,
    test_fraction: TestFraction = 0.2,
    early_stopping: Patience = None,
    validation_fraction: ValidationFraction = None,
    seed: Seed = 0,
    resume: Resume = None,
    output: ModelOutput = None,
    as_json: AsJson = False,
) -> None:
    """Train on every column but the target; score the rows held out."""
    from . import training

    validation_fraction = _share_to_stop_by(early_stopping, validation_fraction)
    step: float | Literal["auto"] | None
    if solver is Solver.AUTO:
        if alpha != "auto":
            refuse("--alpha is for --solver gd: auto needs no learning rate; leave it out")
        step = None
        tol = GAP if tol is None else tol
    else:
        step = "auto" if alpha == "auto" else float(alpha)
        l2 = 0.0 if l2 is None else l2
    settings = training.Settings(
        target=target,
        solver=solver.value,
        alpha=step,
        iters=iters,
        tol=tol,
        l2=l2,
        standardize=standardize,
        one_hot=one_hot,
        test_fraction=test_fraction,
        early_stopping=early_stopping,
        validation_fraction=validation_fraction,
        seed=seed,
    )
    training.run(file, settings, resume=resume, output=output, as_json=as_json)


def _share_to_stop_by(early_stopping: int | None, validation_fraction: float | None) -> float:
    if validation_fraction is not None and (early_stopping is None or validation_fraction == 0):
        refuse("--validation-fraction is for --early-stopping PATIENCE, and then above 0")
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
            help="CSV, or by its name *.parquet or *.arrow; stdout (CSV) if not given or -.",
        ),
    ] = None,
) -> None:
    """Write the probability and class of each row, a batch of rows in memory at a time."""
    from . import scoring

    scoring.predict(model, file, output)


@app.command()
def evaluate(model: ModelFile, file: TableFile, as_json: AsJson = False) -> None:
    """Score a model on rows whose class is known."""
    from . import scoring

    scoring.evaluate(model, file, as_json=as_json)


@app.command()
def inspect(model: ModelFile, as_json: AsJson = False) -> None:
    """Show what a model is made of: classes, settings, cost, weights."""
    from . import inspection

    inspection.run(model, as_json=as_json)


@app.command()
def report(
    model: ModelFile,
    file: TableFile,
    output: Annotated[Path, typer.Option("--output", "-o", help="Write the page here, as HTML.")],
) -> None:
    """Draw one page about a model and rows whose class is known."""
    from . import report as page

    page.run(model, file, output)


@app.command()
def export(
    model: ModelFile,
    output: Annotated[Path, typer.Option("--output", "-o", help="Write the ONNX model here.")],
) -> None:
    """Write the model as ONNX, for other programs and languages."""
    from .output import check_output

    check_output(output, model)  # before what may not be installed
    from . import exporting

    exporting.run(model, output)
