# SPDX-License-Identifier: BSD-3-Clause
"""`logreg-c train`: read a table, write a model, and print a summary."""

import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

import logreg_c
from logreg_c import _input
from logreg_c._objective import Objective
from logreg_c._solvers.minimum import minimize
from logreg_c._solvers.result import Solution
from logreg_c.callbacks import Checkpoint, EarlyStopping

from . import models, tables
from .console import console, print_facts, print_json, print_line, print_weights, weights_as_json
from .errors import Failure, Interrupted, in_options, memory_for, refuse, say, shown
from .interrupts import INTERRUPTS
from .models import Model
from .output import check_output, written_whole
from .recipes import DETECTED, Dialect, Recipe
from .scoring import Examples, described, measures, score
from .tables import Source

LARGEST = 10  # weights printed after training
CHECKPOINT_SECONDS = 10.0
# For all types of columns, so that the model does not depend on the types of the table.
ARITHMETIC = np.float64
VALUES_AT_A_TIME = 1 << 16

Callback = Callable[[int, float, NDArray[np.float64], float], object]


@dataclass(frozen=True)
class Settings:
    """The options of a training, stored in the model."""

    target: str
    solver: str
    alpha: float | Literal["auto"] | None  # "auto" until it is found; None for --solver auto
    iters: int
    tol: float | None
    l2: float | None  # None until the number of rows is known
    standardize: bool
    one_hot: bool
    missing: str
    min_count: int
    test_fraction: float
    early_stopping: int | None
    validation_fraction: float
    seed: int


class Reading(NamedTuple):
    """The options of reading a table; what prediction needs of them is in the model's recipe."""

    features: tuple[str, ...] = ()
    drop: tuple[str, ...] = ()
    date_parts: tuple[str, ...] = ()
    dialect: Dialect = DETECTED


class Rows(NamedTuple):
    """Some rows of the table, as `train` takes them."""

    X: Examples
    Y: NDArray[np.bool_]


class Data(NamedTuple):
    """The table, split by purpose."""

    recipe: Recipe
    classes: NDArray[Any]
    left_out: list[str]  # columns that number the rows
    fit: Rows
    validation: Rows
    held_out: Rows


def run(
    file: Path,
    settings: Settings,
    reading: Reading,
    *,
    resume: Path | None,
    output: Path | None,
    as_json: bool,
) -> None:
    """Train, write the model, and print a summary."""
    for path, read in (resume, [file]), (output, [file, *([resume] if resume else [])]):
        if path is not None:
            check_output(path, *read)
            with written_whole(path, rehearse=True):
                pass
    with memory_for(f"training on {file}"):
        with tables.opened(file, reading.dialect) as source:
            data = _load(source, settings, reading)
        if settings.l2 is None:
            settings = replace(settings, l2=1.0 / len(data.fit.Y))
        with INTERRUPTS.raised(), _progress_bar(settings.iters) as watch:
            result, problem, stopping = _solve(data, settings, watch, resume)
    if settings.alpha is not None:
        settings = replace(settings, alpha=result.alpha)
    cost_first, cost_last = result.costs[0].item(), result.costs[-1].item()
    model = _model(data, settings, result, stopping)
    held_out = data.held_out
    found = measures(score(model, [held_out])) if len(held_out.Y) else None
    parts = {
        "train": len(data.fit.Y),
        "validation": len(data.validation.Y),
        "held_out": len(held_out.Y),
    }
    if output is not None:
        models.save(output, model)
    if as_json:
        print_json(
            {
                "file": str(file),
                "classes": data.classes.tolist(),
                "left_out": data.left_out,
                "rows": parts,
                "iterations": result.n_iter,
                "stopped": result.stopped,
                "cost": {"first": cost_first, "last": cost_last},
                "validation": stopping
                and {"cost": stopping.cost, "iterations": stopping.iteration + 1},
                "held_out": found,
                **weights_as_json(model),
                "settings": asdict(settings),
                "model": None if output is None else str(output),
            }
        )
    else:
        _print(source, data, settings, result, stopping, model, found)
        if output is not None:
            console().print()
            print_line(f"model written to {output}")
    if problem:
        raise Failure(problem)


def _print(
    source: Source,
    data: Data,
    settings: Settings,
    result: Solution,
    stopping: EarlyStopping | None,
    model: Model,
    found: dict[str, Any] | None,
) -> None:
    """Print a summary."""
    ones = sum(int(rows.Y.sum()) for rows in (data.fit, data.validation, data.held_out))
    m_fit, m_validation, m_held_out = (
        len(rows.Y) for rows in (data.fit, data.validation, data.held_out)
    )
    purposes = f"{m_fit} to train on"
    if m_validation:
        purposes += f", {m_validation} for early stopping"
    m = m_fit + m_validation + m_held_out
    first, second = model.class_names
    why = {
        "iters": f"reached --iters {settings.iters}",
        "callback": f"--early-stopping {settings.early_stopping}",
        "tol": f"reached --tol {settings.tol}",
        "rounding": "no step lowers the cost",
        "passes": f"reached --iters {settings.iters}",
        "separated": "the classes are separated",
    }
    by = f"gap {result.gap:.0e}" if settings.alpha is None else f"alpha {result.alpha:g}"
    print_facts(
        {
            "file": f"{source}, target {shown(settings.target)}",
            "rows": f"{m}: {purposes}, {m_held_out} held out (seed {settings.seed})",
            "features": f"{len(data.fit.X)},"
            f" {'standardized' if settings.standardize else 'not standardized'}",
            "classes": f"0 = {first} ({m - ones} rows), 1 = {second} ({ones} rows)",
            "passes" if settings.alpha is None else "iterations": (
                f"{result.n_iter} ({why[result.stopped]}), {by}, l2 {settings.l2:g}"
            ),
            "cost": f"{result.costs[-1]:.6g}, initially {result.costs[0]:.6g}",
            **({"validation": _best(stopping)} if stopping else {}),
            "held out": ", ".join(f"{name} {value}" for name, value in described(found).items())
            if found
            else "no rows",
        }
    )
    print_weights(model, LARGEST)


def _best(stopping: EarlyStopping) -> str:
    if stopping.w is None:
        return "not computed, because there was no iteration"
    return f"{stopping.cost:.6g} after iteration {stopping.iteration + 1}; its w and b are kept"


# ---- The table ---------------------------------------------------------------------------------


def _load(source: Source, settings: Settings, reading: Reading) -> Data:
    """Split the table column by column, so that memory holds about one copy of it."""
    choice = tables.Choice(settings.target, reading.features, reading.drop)
    options = tables.Options(
        settings.one_hot, settings.missing, reading.date_parts, settings.min_count
    )
    columns, recipe, Y, classes, left_out = tables.prepared(source, choice, options)
    parts = _split(Y, settings, source)
    recipe = tables.filled(recipe, columns, parts[0])
    X = tables.features(recipe, columns, source)
    if len(parts[0]) == len(Y):
        return Data(recipe, classes, left_out, Rows(X, Y), *[Rows([], Y[:0])] * 2)
    if not isinstance(X, list):
        rows = [Rows(np.take(X, part, axis=1), Y[part]) for part in parts]
        return Data(recipe, classes, left_out, *rows)
    taken: list[list[NDArray[Any]]] = [[] for _ in parts]
    X.reverse()
    while X:
        column = X.pop()
        for values, part in zip(taken, parts, strict=True):
            values.append(column[part])
    return Data(recipe, classes, left_out, *map(Rows, taken, [Y[part] for part in parts]))


def _split(
    Y: NDArray[np.bool_], settings: Settings, source: Source
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return the rows for training, early stopping and scoring, each in the table's order."""
    sizes = {
        "--test-fraction": settings.test_fraction,
        "--validation-fraction": settings.validation_fraction,
    }
    order = np.random.default_rng(settings.seed).permutation(len(Y))
    taken = []
    for option, fraction in sizes.items():
        m = round(fraction * len(Y))
        if fraction > 0 and m == 0:
            refuse(
                f"{source} has only {len(Y)} rows, of which {option} {fraction:g} holds out none;"
                " give a larger fraction, or 0"
            )
        taken.append(np.sort(order[:m]))
        order = order[m:]
    held_out, validation = taken
    fit = np.sort(order)
    for option, rows, use in zip(
        sizes,
        taken,
        ("their score means little", "they are of little use for early stopping"),
        strict=True,
    ):
        if len(rows) and len(np.unique(Y[rows])) < 2:
            say(
                f"warning: the {len(rows)} rows of {option} are all of one class, so {use}; give a"
                " larger fraction or another --seed"
            )
    if len(np.unique(Y[fit])) < 2:
        refuse(
            f"{source}: the {len(fit)} rows left to train on are all of one class; give a smaller"
            f" {' or '.join(option for option, f in sizes.items() if f)} or another --seed"
        )
    return fit, validation, held_out


# ---- The training ------------------------------------------------------------------------------


def _solve(
    data: Data, settings: Settings, watch: Callback | None, resume: Path | None
) -> tuple[Solution, str, EarlyStopping | None]:
    """Return the solution, the problem with it or "", and the early stopping."""
    stopping = None
    callbacks: list[Callback] = [] if watch is None else [watch]
    if settings.early_stopping is not None:
        patience = settings.early_stopping
        stopping = EarlyStopping(*data.validation, patience=patience, dtype=ARITHMETIC)
        callbacks.append(stopping)
    if resume is not None:
        callbacks.append(Checkpoint(resume, seconds=CHECKPOINT_SECONDS))
    try:
        solve = _minimize if settings.alpha is None else _descend
        return *solve(data, settings, callbacks), stopping
    except (ValueError, OSError) as error:  # the table has been checked: it is the checkpoint
        if resume is None:
            raise
        message = in_options(str(error))
        if settings.alpha == "auto" and "alpha =" in message:
            message += " (--alpha auto depends on the data)"
        refuse(f"--resume {resume}: {message}")
    except KeyboardInterrupt:
        if resume is None:
            raise
        msg = f"interrupted; the same command continues from {resume}"
        raise Interrupted(msg) from None


def _descend(data: Data, settings: Settings, callbacks: list[Callback]) -> tuple[Solution, str]:
    problem = ""
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always", logreg_c.DivergenceWarning)
        w, b, costs = result = logreg_c.train(
            *data.fit,
            settings.alpha or "auto",
            settings.iters,
            l2=settings.l2 or 0.0,
            standardize=settings.standardize,
            tol=settings.tol,
            callback=callbacks,
            dtype=ARITHMETIC,
        )
    for warning in said:
        if issubclass(warning.category, logreg_c.DivergenceWarning):
            problem = f"training diverged: {in_options(str(warning.message))}"
    if result.stopped == "iters" and settings.tol is not None:
        problem = problem or (
            f"--tol {settings.tol:g} was not reached in {len(costs)} iterations; give a larger"
            " --iters, or --solver auto"
        )
    return Solution(w, b, costs, len(costs), result.stopped, result.alpha), problem


def _minimize(data: Data, settings: Settings, callbacks: list[Callback]) -> tuple[Solution, str]:
    found = minimize(
        Objective.checked(
            _input.examples(data.fit.X, ARITHMETIC), data.fit.Y, sample_weight=None, n_threads=None
        ),
        settings.iters,
        w=np.zeros((len(data.fit.X), 1)),
        b=0.0,
        warm=False,
        l2=settings.l2 or 0.0,
        standardize=settings.standardize,
        tol=settings.tol or 0.0,
        callbacks=callbacks,
    )
    problem = {
        "passes": f"--tol {settings.tol:g} was not reached in {found.n_iter} passes; give a larger"
        " --iters",
        "separated": "a plane separates the classes, so the cost has no minimum without a penalty;"
        " give one, such as --l2 1e-4",
    }.get(found.stopped, "")
    return found, problem


def _model(
    data: Data, settings: Settings, result: Solution, stopping: EarlyStopping | None
) -> Model:
    w, b = result.w[:, 0], result.b
    if stopping is not None and stopping.w is not None:
        w, b = stopping.w[:, 0], stopping.b
    deviations = _deviations(data.fit.X)
    at, costs = models.thinned(result.costs)
    kept = {key: value for key, value in asdict(settings).items() if key != "target"} | {
        "rows": len(data.fit.Y),
        "iterations": result.n_iter,
        "version": logreg_c.__version__,
    }
    return Model(
        weights=w,
        bias=b,
        columns={column.name: column.categories for column in data.recipe.columns},
        deviations=deviations,
        classes=data.classes,
        target=settings.target,
        cost_iterations=at,
        costs=costs,
        settings=kept,
        preparation=data.recipe.as_json(),
    )


def _deviations(X: Examples) -> NDArray[np.float64]:
    # Many short columns at a time: one call per column would take longer than its values.
    at_a_time = max(1, VALUES_AT_A_TIME // len(X[0]))
    with np.errstate(over="ignore", invalid="ignore"):
        return np.concatenate(
            [
                np.std(np.array(X[j : j + at_a_time], np.float64), axis=1)
                for j in range(0, len(X), at_a_time)
            ]
        )


@contextmanager
def _progress_bar(iters: int) -> Iterator[Callback | None]:
    """Yield a callback that shows progress, or None if stderr is not a terminal."""
    err = console(stderr=True)
    if not err.is_terminal:
        yield None
        return
    from rich.progress import (  # noqa: PLC0415 (loaded only for a terminal)
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("training"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[cost]}"),
        TimeRemainingColumn(),
    )
    done, latest, due = 0, "", 0.0
    with Progress(*columns, console=err) as progress:
        task = progress.add_task("", total=iters, cost=latest)

        def watch(k: int, cost: float, _w: NDArray[np.float64], _b: float) -> None:
            nonlocal done, latest, due
            done, latest, now = k + 1, f"cost {cost:.6f}", time.monotonic()
            if now >= due:
                due = now + 0.05  # seconds; drawing at every iteration would slow training
                progress.update(task, completed=done, cost=latest)

        yield watch
        progress.update(task, total=done, completed=done, cost=latest)
