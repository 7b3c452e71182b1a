# SPDX-License-Identifier: BSD-3-Clause
"""What `logreg-c train` and `logreg-c predict` do and say."""

import errno
import io
import math
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import numpy as np
import polars as pl
import typer
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

import logreg_c

from . import _files
from ._files import InputError, refuse, shown

LARGEST = 10  # weights printed after training

Callback = Callable[[int, float, NDArray[np.float64], float], None]

app = typer.Typer(
    help="Logistic regression by gradient descent on a CSV or Parquet file.",
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


@contextmanager
def _one_line_errors() -> Iterator[None]:
    """End with one line on stderr: 2 for bad input, 1 for a failed computation, 130 for Ctrl-C."""
    for stream in (sys.stdout, sys.stderr):  # a name outside the terminal's alphabet is no reason
        if hasattr(stream, "reconfigure"):  # to fail
            stream.reconfigure(errors="backslashreplace")
    try:
        yield
    except InputError as error:
        message, code = str(error), 2
    except logreg_c.DivergenceError as error:
        in_options = str(error).replace("standardize=True", "--standardize")
        message, code = f"training diverged: {in_options}", 1
    except ArithmeticError as error:
        message, code = str(error), 1
    except MemoryError:
        message, code = "not enough memory for this file", 1
    except OSError as error:  # stdout: files are spoken for by InputError
        if error.errno == errno.EPIPE:  # nobody reads on, as after `| head`
            raise
        message, code = f"standard output cannot be written: {error.strerror or error}", 1
    except KeyboardInterrupt:
        message, code = "interrupted; nothing was written", 130
    else:
        return
    _say(message)
    raise typer.Exit(code)


def _say(message: str) -> None:
    print("logreg-c:", " ".join(message.split()), file=sys.stderr)


def _console(*, stderr: bool = False) -> Console:
    console = Console(stderr=stderr, markup=False, highlight=False, emoji=False)
    if not console.is_terminal:  # a file or a pipe has no margin to fold at
        console.width = 10_000
    return console


def _above_0(value: float) -> float:
    if not (value > 0 and math.isfinite(value)):
        msg = "must be a finite number above 0"
        raise typer.BadParameter(msg)
    return value


def _at_least_0(value: float | None) -> float | None:
    if value is not None and not (value >= 0 and math.isfinite(value)):
        msg = "must be a finite number, 0 or above"
        raise typer.BadParameter(msg)
    return value


def _below_1(value: float) -> float:
    if not 0 <= value < 1:
        msg = "must be at least 0 and below 1"
        raise typer.BadParameter(msg)
    return value


@app.command()
@_one_line_errors()
def train(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="CSV with a header, or *.parquet.")],
    target: Annotated[str, typer.Option(help="Column to learn: two values of any kind.")],
    alpha: Annotated[float, typer.Option(callback=_above_0, help="Learning rate.")] = 0.5,
    iters: Annotated[int, typer.Option(min=1, help="Iterations at most.")] = 1000,
    tol: Annotated[
        float | None,
        typer.Option(callback=_at_least_0, help="Stop when max(|dw|, |db|) is at most this."),
    ] = None,
    l2: Annotated[
        float, typer.Option(callback=_at_least_0, help="Add l2/2 sum(w^2) to the cost.")
    ] = 0.0,
    standardize: Annotated[
        bool, typer.Option(help="Descend as if each feature had mean 0 and deviation 1.")
    ] = True,
    test_fraction: Annotated[
        float, typer.Option(callback=_below_1, help="Share of the rows held out to be scored.")
    ] = 0.2,
    seed: Annotated[int, typer.Option(min=0, help="Chooses the rows held out.")] = 0,
    output: Annotated[Path | None, typer.Option(help="Write the model here, as .npz.")] = None,
) -> None:
    """Train on every column but the target; score the rows held out."""
    if output is not None:
        with _files.written_whole(output, rehearse=True):
            pass
    table = _files.read_table(file)
    Y, classes = _files.two_classes(table, target, file)
    names = [name for name in table.columns if name != target]
    if not names:
        refuse(f"{file} has no column beside the target {target!r} to learn from")
    X = _files.feature_matrix(table, names, file)
    fit, held_out = _split(Y, test_fraction, seed, file)
    X_fit = np.take(X, fit, axis=1)

    with warnings.catch_warnings(), _progress_bar(iters) as watch:
        warnings.simplefilter("ignore", logreg_c.DivergenceWarning)  # said below, in our words
        result = logreg_c.train(
            X_fit,
            Y[fit],
            alpha,
            iters,
            l2=l2,
            standardize=standardize,
            tol=tol,
            callback=watch,
        )

    out = _console()
    first, second = (shown(value) for value in classes.tolist())
    ones = int(Y.sum())
    cost_first, cost_last = result.costs[0], result.costs[-1]
    features = f"{len(names)}, {'standardised' if standardize else 'as they are'}"
    stopped = f"reached --tol {tol:g}" if result.stopped == "tol" else f"all of --iters {iters}"
    report = {
        "file": f"{file}, target {shown(target)}",
        "rows": f"{len(Y)}: {len(fit)} to train on, {len(held_out)} held out (seed {seed})",
        "features": features,
        "classes": f"0 = {first} ({len(Y) - ones} rows), 1 = {second} ({ones} rows)",
        "iterations": f"{len(result.costs)} ({stopped}), alpha {alpha:g}, l2 {l2:g}",
        "cost": f"{cost_last:.6g}, from {cost_first:.6g}",
        "held out": _score(np.take(X, held_out, axis=1), Y[held_out], result),
    }
    for key, value in report.items():
        out.print(Text.assemble((f"{key:<12}", "bold"), value), soft_wrap=True)
    out.print()
    out.print(_largest_weights(names, X_fit, result))
    out.print(
        f"\n(w x sd: what one deviation of the feature adds to the log-odds of {second})",
        soft_wrap=True,
    )
    if cost_last > cost_first:
        remedy = "a smaller --alpha" + ("" if standardize else ", or --standardize")
        _say(f"warning: the cost rose from {cost_first:.6g} to {cost_last:.6g}; give {remedy}")
    if output is not None:
        settings = {
            "target": target,
            "alpha": alpha,
            "iters": iters,
            "tol": tol,
            "l2": l2,
            "standardize": standardize,
            "test_fraction": test_fraction,
            "seed": seed,
            "version": logreg_c.__version__,
        }
        model = _files.Model(result.w[:, 0], result.b, names, classes, settings)
        _files.save_model(output, model)
        out.print(f"\nmodel written to {output}", soft_wrap=True)


def _split(
    Y: NDArray[np.float64], test_fraction: float, seed: int, file: Path
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the rows to train on and the rows held out, each in the file's order."""
    m_held_out = round(test_fraction * len(Y))
    if test_fraction > 0 and m_held_out == 0:
        refuse(
            f"{file} has only {len(Y)} rows, of which --test-fraction {test_fraction:g} holds out"
            " none; give a larger one, or 0"
        )
    order = np.random.default_rng(seed).permutation(len(Y))
    held_out, fit = np.sort(order[:m_held_out]), np.sort(order[m_held_out:])
    if len(np.unique(Y[fit])) < 2:
        refuse(
            f"{file}: the {len(fit)} rows left to train on are not of two classes; give a smaller"
            " --test-fraction or another --seed"
        )
    return fit, held_out


@contextmanager
def _progress_bar(iters: int) -> Iterator[Callback | None]:
    """Show the falling cost, if stderr is a terminal; otherwise nobody is to be called back."""
    err = _console(stderr=True)
    if not err.is_terminal:
        yield None
        return
    columns = (
        TextColumn("training"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("cost {task.fields[cost]:.6f}"),
        TimeRemainingColumn(),
    )
    done, latest, due = 0, math.nan, 0.0
    with Progress(*columns, console=err) as progress:
        task = progress.add_task("", total=iters, cost=latest)

        def watch(k: int, cost: float, _w: NDArray[np.float64], _b: float) -> None:
            nonlocal done, latest, due
            done, latest, now = k + 1, cost, time.monotonic()
            if now >= due:
                due = now + 0.05  # seconds: drawing at every iteration would slow training
                progress.update(task, completed=done, cost=latest)

        yield watch
        progress.update(task, total=done, completed=done, cost=latest)


def _score(
    X: NDArray[np.float64],
    Y: NDArray[np.float64],
    result: logreg_c.TrainResult,
) -> str:
    m = len(Y)
    if m == 0:
        return "no rows"
    right = int(np.sum(logreg_c.predict(X, result.w, result.b)[0] == Y))
    log_loss, _, _ = logreg_c.cost_and_gradient(X, Y, result.w, result.b)
    return f"accuracy {right / m:.4f} ({right} of {m}), log-loss {log_loss:.6g}"


def _largest_weights(
    names: list[str], X: NDArray[np.float64], result: logreg_c.TrainResult
) -> Table:
    """Weights are comparable only per deviation of their feature, so that is what ranks them."""
    w = result.w[:, 0]
    with np.errstate(over="ignore", invalid="ignore"):
        per_sd = w * np.array([feature.std() for feature in X])
    order = np.argsort(-np.abs(per_sd), kind="stable")[:LARGEST]
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("largest weights" if len(names) > LARGEST else "weights", overflow="fold")
    table.add_column("w x sd", justify="right")
    table.add_column("w", justify="right")
    for j in order:
        table.add_row(Text(shown(names[j])), f"{per_sd[j]:.4f}", f"{w[j]:.6g}")
    table.add_row("bias b", "", f"{result.b:.6g}")
    return table


@app.command()
@_one_line_errors()
def predict(
    model: Annotated[Path, typer.Argument(metavar="MODEL", help="What `train --output` wrote.")],
    file: Annotated[Path, typer.Argument(metavar="FILE", help="CSV with a header, or *.parquet.")],
    output: Annotated[
        Path | None,
        typer.Option(help="CSV, or Parquet if the name ends in .parquet; stdout if not given."),
    ] = None,
) -> None:
    """Write the probability and the predicted class of each row."""
    trained = _files.load_model(model)
    table = _files.read_table(file)
    X = _files.feature_matrix(table, trained.feature_names, file)
    A = logreg_c.predict_proba(X, trained.weights, trained.bias)[0]
    predictions = pl.DataFrame(
        {"probability": A, "prediction": trained.classes[(A > 0.5).astype(np.int64)]}
    )
    encoded = io.BytesIO()
    if output is not None and output.suffix.lower() == ".parquet":
        predictions.write_parquet(encoded)
    else:
        predictions.write_csv(encoded)
    if output is None:
        if sys.stdout is None:
            refuse("standard output is closed; give --output")
        sys.stdout.buffer.write(encoded.getvalue())
        sys.stdout.flush()
    else:
        with _files.written_whole(output) as part:
            part.write(encoded.getvalue())
    second = shown(trained.classes.tolist()[1])
    _say(f"{len(A)} rows; probability is that of {second}")
