# SPDX-License-Identifier: BSD-3-Clause
"""`logreg-c train`: read a table, write a model, and print a summary."""

import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

import logreg_c
from logreg_c import _input
from logreg_c._objective import Objective
from logreg_c._parts import objective_of, opened
from logreg_c._softmax import Classes
from logreg_c._solvers.minimum import minimize
from logreg_c._solvers.result import Solution
from logreg_c._solvers.softmax import minimize_classes
from logreg_c.callbacks import Checkpoint, EarlyStopping

from . import metrics, models, splitting, streaming, tables
from .applying import Examples, Scores, connection, mixed, scored_rows, taken
from .console import console, print_facts, print_json, print_line, print_weights, weights_as_json
from .errors import (
    Failure,
    Interrupted,
    brief,
    in_options,
    memory_for,
    refuse,
    shown,
)
from .inference import inference_as_json, print_inference, say_running_away, with_errors
from .interrupts import INTERRUPTS
from .models import Model
from .output import check_output, written_whole
from .recipes import DETECTED, Dialect, Recipe
from .scoring import (
    Fingerprint,
    Scored,
    Tally,
    described,
    described_rows,
    measures,
    print_confusion,
    score,
)
from .splitting import Splitting
from .streaming import FeatureBatches, Passes, SomeRows
from .tables import Labels, Source

LARGEST = 10  # weights printed after training
CHECKPOINT_SECONDS = 10.0
# For all types of columns, so that the model does not depend on the types of the table.
ARITHMETIC = np.float64
IN_FOLDS = ("roc_auc", "accuracy", "log_loss")  # the measures that --cv averages

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
    inference: bool
    positive: str | None
    class_weight: str | None
    weight: str | None
    threshold: float | str  # or how to find it
    cv: int | None
    test_fraction: float
    early_stopping: int | None
    validation_fraction: float
    seed: int
    group_by: str | None
    split_by_time: str | None

    @property
    def splitting(self) -> Splitting:
        """The options that choose rows."""
        return Splitting(*(getattr(self, name) for name in Splitting._fields))


class Outputs(NamedTuple):
    """What is written."""

    resume: Path | None
    model: Path | None
    report: Path | None
    as_json: bool


class Reading(NamedTuple):
    """The options of reading a table; what prediction needs of them is in the model's recipe."""

    features: tuple[str, ...] = ()
    drop: tuple[str, ...] = ()
    date_parts: tuple[str, ...] = ()
    dialect: Dialect = DETECTED
    stream: bool = False
    cache: Path | None = None  # a folder
    dask: str | None = None  # the address of a scheduler


class Rows(NamedTuple):
    """Some rows of the table, as `train` takes them."""

    X: Any  # Examples, or FeatureBatches
    Y: Labels


class Data(NamedTuple):
    """The table, split by purpose."""

    recipe: Recipe
    schema: dict[str, dict[str, Any]]  # see Model
    classes: NDArray[Any]
    left_out: list[str]  # columns that number the rows
    weight: NDArray[np.float64] | None  # of the rows to train on
    folds: NDArray[np.int64] | None  # of the rows to train on
    is_held_out: NDArray[np.bool_]  # of all rows that are used
    trained_on: dict[str, models.SCALARS]  # see Model
    fit: Rows
    validation: Rows
    held_out: Rows
    whole: Rows  # all that are used; X is empty unless they are read in batches

    @property
    def passes(self) -> Passes | None:
        """How often the rows have been read, if that is done in batches."""
        return self.whole.X.passes if isinstance(self.whole.X, FeatureBatches) else None


def run(file: Path, settings: Settings, reading: Reading, outputs: Outputs) -> None:
    """Train, write the model, and print a summary."""
    _rehearse(file, outputs)
    began = time.perf_counter()
    with ExitStack() as stack:
        stack.enter_context(memory_for(f"training on {file}"))
        opened_file = tables.opened_all if reading.stream else tables.opened
        source = stack.enter_context(opened_file(file, reading.dialect))
        client = stack.enter_context(connection(reading.dask))
        data = _load(source, settings, reading, client)
        if settings.l2 is None:
            settings = replace(settings, l2=0.0 if settings.inference else 1.0 / len(data.fit.Y))
        with INTERRUPTS.raised(), _progress_bar(settings.iters, data.passes) as watch:
            result, problem, stopping = _solve(data, settings, watch, outputs.resume)
            cv, problem_in_fold, told = _cross_validated(data, settings, watch)
        told = result.runaway.told() if result.runaway else told
        seconds = time.perf_counter() - began
        problem = problem or problem_in_fold
        if settings.alpha is not None:
            settings = replace(settings, alpha=result.alpha)
        model = _model(data, settings, result, stopping)
        if settings.inference and not problem:
            model = with_errors(
                *(model, *data.fit, data.weight),
                l2=settings.l2 or 0.0,
                standardize=settings.standardize,
            )
        elif told:
            say_running_away(told, model)
        model, scored = _scored(model, data)
    found = None
    if scored is not None:
        model = replace(model, threshold=_threshold(settings, scored))
        found = measures(scored._replace(file_rows=len(data.is_held_out)), model.threshold)
    if outputs.model is not None:
        models.save(outputs.model, model)
    if outputs.report is not None and scored is not None:
        from . import report  # noqa: PLC0415 (belongs to an extra)

        report.write(outputs.report, model, scored, str(file), seconds)
    if outputs.as_json:
        _print_json(file, data, settings, result, stopping, model, found, cv, outputs.model)
    else:
        _print(source, data, settings, result, stopping, model, found, cv)
        print_inference(model)
        console().print()
        for what, path in ("model", outputs.model), ("report", outputs.report):
            if path is not None:
                print_line(f"{what} written to {path}")
    if problem:
        raise Failure(problem)


def _rehearse(file: Path, outputs: Outputs) -> None:
    """Refuse outputs that cannot be written, before an hour of training rather than after it."""
    read = [file]
    for path in (outputs.resume, outputs.model, outputs.report):
        if path is not None:
            check_output(path, *read)
            with written_whole(path, rehearse=True):
                pass
            read.append(path)
    if outputs.report is not None:
        from . import report  # noqa: F401, PLC0415 (finds out whether its extra is installed)


def _scored(model: Model, data: Data) -> tuple[Model, Scored | None]:
    """Score the held-out rows. A file in batches is read for that, and for its fingerprint."""
    if not isinstance(data.whole.X, FeatureBatches):
        return model, score(model, *data.held_out) if len(data.held_out.Y) else None
    tally, fingerprint = Tally(), Fingerprint()
    bare = replace(model, held_out=np.empty(0, np.uint8))  # on its way to a worker
    make = partial(scored_rows, bare, data.whole.X.n_threads)
    with streaming.shown(data.whole.X.passes):
        for digest, scores in data.whole.X.made(make, data.whole.Y, data.is_held_out):
            fingerprint.update(digest)
            if scores is not None:
                tally.add(scores)
    model = replace(model, trained_on=model.trained_on | {"fingerprint": str(fingerprint)})
    return model, tally.scored()._replace(trained_on=0) if tally.rows else None


def _threshold(settings: Settings, scored: Scored) -> float:
    """Return the threshold; a criterion finds it on the held-out rows of two classes."""
    if isinstance(settings.threshold, float):
        return settings.threshold
    return metrics.best_threshold(metrics.curves(scored.A, scored.Y), settings.threshold)


def _print_json(
    file: Path,
    data: Data,
    settings: Settings,
    result: Solution,
    stopping: EarlyStopping | None,
    model: Model,
    found: dict[str, Any] | None,
    cv: dict[str, Any] | None,
    output: Path | None,
) -> None:
    print_json(
        {
            "file": str(file),
            "classes": data.classes.tolist(),
            "left_out": data.left_out,
            "rows": {
                "train": len(data.fit.Y),
                "validation": len(data.validation.Y),
                "held_out": len(data.held_out.Y),
            },
            "iterations": result.n_iter,
            "stopped": result.stopped,
            "cost": {"first": result.costs[0].item(), "last": result.costs[-1].item()},
            "validation": stopping
            and {"cost": stopping.cost, "iterations": stopping.iteration + 1},
            "cv": cv,
            "held_out": found,
            **weights_as_json(model),
            "inference": inference_as_json(model),
            "settings": asdict(settings),
            "model": None if output is None else str(output),
        }
    )


def _print(
    source: Source,
    data: Data,
    settings: Settings,
    result: Solution,
    stopping: EarlyStopping | None,
    model: Model,
    found: dict[str, Any] | None,
    cv: dict[str, Any] | None,
) -> None:
    """Print a summary."""
    m_fit, m_validation, m_held_out = (
        len(rows.Y) for rows in (data.fit, data.validation, data.held_out)
    )
    purposes = f"{m_fit} to train on"
    if m_validation:
        purposes += f", {m_validation} for early stopping"
    m = m_fit + m_validation + m_held_out
    codes = np.concatenate([rows.Y for rows in (data.fit, data.validation, data.held_out)])
    counts = np.bincount(codes.astype(np.intp), minlength=len(model.classes)).tolist()
    by_class = zip(range(m), model.class_names, counts, strict=False)
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
            "rows": f"{m}: {purposes}, {m_held_out} held out ({_chosen(settings)})",
            "features": f"{data.recipe.n_features},"
            f" {'standardized' if settings.standardize else 'not standardized'}",
            "classes": ", ".join(f"{k} = {name} ({count} rows)" for k, name, count in by_class),
            "passes" if settings.alpha is None else "iterations": (
                f"{result.n_iter} ({why[result.stopped]}), {by}, l2 {settings.l2:g}"
            ),
            "cost": f"{result.costs[-1]:.6g}, initially {result.costs[0]:.6g}",
            **({"validation": _best(stopping)} if stopping else {}),
            **({f"{settings.cv} folds": _spread(cv)} if cv else {}),
            **({"reading": str(data.passes)} if data.passes else {}),
            "held out": described_rows(found, model) if found else "no rows",
            **(described(found, model) if found else {}),
        }
    )
    if found:
        print_confusion(found, model)
    print_weights(model, LARGEST)


def _chosen(settings: Settings) -> str:
    if settings.split_by_time is not None:
        return f"the latest by {shown(settings.split_by_time)}"
    by = "" if settings.group_by is None else f"whole groups by {shown(settings.group_by)}, "
    return f"{by}seed {settings.seed}"


def _spread(cv: dict[str, Any]) -> str:
    return ", ".join(
        f"{name.replace('_', ' ')} {found['mean']:.4f} +- {found['deviation']:.4f}"
        for name, found in cv.items()
        if found is not None
    )


def _best(stopping: EarlyStopping) -> str:
    if stopping.w is None:
        return "not computed, because there was no iteration"
    return f"{stopping.cost:.6g} after iteration {stopping.iteration + 1}; its w and b are kept"


# ---- The table ---------------------------------------------------------------------------------


def _load(source: Source, settings: Settings, reading: Reading, client: Any) -> Data:
    """Read the table, and split its rows."""
    by = settings.group_by or settings.split_by_time
    aside = tuple(name for name in (settings.weight, by) if name is not None)
    choice = tables.Choice(settings.target, reading.features, reading.drop, aside)
    options = tables.Options(
        *(settings.one_hot, settings.missing, reading.date_parts, settings.min_count),
        settings.positive,
    )
    if reading.stream:
        return _in_batches(source, choice, options, settings, reading, client)
    table, columns = tables.prepared(source, choice, options)
    data, parts = _split(source, table, settings)
    recipe = tables.filled(table.recipe, columns, parts.fit)
    X = tables.features(recipe, columns, source)
    fingerprint = Fingerprint()
    fingerprint.update(mixed(X, data.whole.Y))
    fit, validation, held_out = _rows(X, data.whole.Y, parts[:3])
    return data._replace(
        recipe=recipe,
        trained_on=data.trained_on | {"fingerprint": str(fingerprint)},
        fit=fit,
        validation=validation,
        held_out=held_out,
    )


def _in_batches(
    source: Source,
    choice: tables.Choice,
    options: tables.Options,
    settings: Settings,
    reading: Reading,
    client: Any,
) -> Data:
    """Read the table in batches; X stays in its files, or on the workers of a client."""
    streaming.check_format(source)
    passes = streaming.Passes(source)
    with streaming.shown(passes):
        table, is_used = tables.scanned(source, choice, options, passes.counted)
        data, parts = _split(source, table, settings)
        used = np.flatnonzero(is_used)
        is_fit = _only(used[parts.fit], len(is_used))
        recipe = tables.filled_in_batches(table.recipe, source, is_fit, passes.counted)
        validation = data.validation
        if settings.early_stopping is not None:
            is_read = _only(used[parts.validation], len(is_used))
            pieces = FeatureBatches(source, recipe, is_read, passes).matrices()
            columns = [np.concatenate(column) for column in zip(*pieces, strict=True)]
            validation = validation._replace(X=columns)
    whole = FeatureBatches(source, recipe, is_used, passes)
    if client is None:
        X = FeatureBatches(source, recipe, is_fit, passes, reading.cache)
    else:
        from .cluster import FeaturesOnWorkers  # noqa: PLC0415 (belongs to an extra)

        X = FeaturesOnWorkers(client, source, recipe, is_fit, passes)
    return data._replace(
        recipe=recipe,
        fit=data.fit._replace(X=X),
        validation=validation,
        whole=data.whole._replace(X=whole),
    )


def _only(rows: NDArray[np.int64], count: int) -> NDArray[np.bool_]:
    """Return which of so many rows these are."""
    chosen = np.zeros(count, bool)
    chosen[rows] = True
    return chosen


def _split(
    source: Source, table: tables.Planned, settings: Settings
) -> tuple[Data, splitting.Parts]:
    """Choose the rows for each purpose; all X are still empty."""
    _check_threshold(table.classes, settings, source)
    Y, classes = _with_positive(table.Y, table.classes, settings)
    by = settings.group_by or settings.split_by_time
    parts = splitting.split(Y, table.aside.get(by or ""), settings.splitting, source)
    is_held_out = np.zeros(len(Y), bool)
    is_held_out[parts.held_out] = True
    if isinstance(settings.threshold, str) and len(np.unique(Y[parts.held_out])) < 2:
        refuse(
            f"{source}: --threshold {settings.threshold} needs held-out rows of both classes; give"
            " a larger --test-fraction, or a number"
        )
    by_row = table.aside.get(settings.weight or "")
    weight = _weights(Y, parts.fit, by_row, classes, settings, source)
    data = Data(
        table.recipe,
        {name: table.facts[name].schema() for name in table.recipe.sources},
        classes,
        table.left_out,
        weight,
        None
        if settings.cv is None
        else splitting.folds(Y[parts.fit], weight, parts.units, settings.cv, source),
        is_held_out,
        {"file": str(source), "rows": len(Y), "fingerprint": ""},
        fit=Rows([], Y[parts.fit]),
        validation=Rows([], Y[parts.validation]),
        held_out=Rows([], Y[parts.held_out]),
        whole=Rows([], Y),
    )
    return data, parts


def _rows(X: Examples, Y: NDArray[np.bool_], parts: Sequence[NDArray[np.int64]]) -> Iterator[Rows]:
    """Yield the rows of each part; leave a list X empty, so that memory holds one copy."""
    if len(parts[0]) == len(Y):
        yield Rows(X, Y)
        yield from [Rows([], Y[:0])] * 2
    elif not isinstance(X, list):
        yield from (Rows(np.take(X, part, axis=1), Y[part]) for part in parts)
    else:
        taken: list[list[NDArray[Any]]] = [[] for _ in parts]
        X.reverse()
        while X:
            column = X.pop()
            for values, part in zip(taken, parts, strict=True):
                values.append(column[part])
        yield from map(Rows, taken, [Y[part] for part in parts])


def _check_threshold(classes: NDArray[Any], settings: Settings, source: Source) -> None:
    """Refuse a threshold where there are more classes than two."""
    if len(classes) > 2 and settings.threshold != 0.5:
        refuse(
            f"{source}: --threshold is for two classes, and target {brief(settings.target)} has"
            f" {len(classes)}; leave it out, or tell one class from all others by --positive"
        )


def _with_positive(
    Y: Labels, classes: NDArray[Any], settings: Settings
) -> tuple[Labels, NDArray[Any]]:
    """Make --positive the second class."""
    positive = settings.positive
    if positive is None or tables.number_of(positive, "--positive", classes.tolist()) == 1:
        return Y, classes
    return ~Y, classes[::-1].copy()


def _weights(
    Y: NDArray[np.bool_],
    fit: NDArray[np.int64],
    column: pl.Series | None,
    classes: NDArray[Any],
    settings: Settings,
    source: Source,
) -> NDArray[np.float64] | None:
    """Return the weights of the rows to train on, or None if all are equal."""
    if column is None and settings.class_weight is None:
        return None
    Y, weight = Y[fit], np.ones(len(fit))
    if column is not None:
        weight = tables.numbers(column, source).astype(np.float64)
        if (weight < 0).any():
            row = int(np.argmax(weight < 0)) + 1
            refuse(f"{source}: weight {brief(column.name)} is negative in row {row}; correct it")
        weight = weight[fit]
    if settings.class_weight == "balanced":
        weight *= len(Y) / (len(classes) * np.bincount(Y)[Y.astype(np.intp)])
    elif settings.class_weight is not None:
        for part in settings.class_weight.split(","):
            label, _, number = part.rpartition("=")
            at = tables.number_of(label, "--class-weight", classes.tolist())
            weight[Y == at] *= float(number)
    if len(np.unique(Y[weight > 0])) < len(classes):
        refuse(f"{source}: the weights of one class are all 0; give some above 0")
    return weight


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
            sample_weight=data.weight,
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
    n_x, k = data.recipe.n_features, len(data.classes)
    goal: dict[str, Any] = {
        "warm": False,
        "l2": settings.l2 or 0.0,
        "standardize": settings.standardize,
        "tol": settings.tol or 0.0,
        "callbacks": callbacks,
    }
    objective = _objective(data.fit, data.weight, k)
    if k == 2:
        found = minimize(objective, settings.iters, w=np.zeros((n_x, 1)), b=0.0, **goal)
    else:
        start = np.zeros((n_x, k))
        found = minimize_classes(objective, settings.iters, w=start, b=np.zeros(k), **goal)
    problem = {
        "passes": f"--tol {settings.tol:g} was not reached in {found.n_iter} passes; give a larger"
        " --iters",
        "separated": "a plane separates the classes, so the cost has no minimum without a penalty;"
        " give one, such as --l2 1e-4",
    }.get(found.stopped, "")
    return found, problem


def _objective(rows: Rows, weight: NDArray[np.float64] | None, k: int) -> Any:
    """Return the objective of two classes, or of k classes."""
    examples, source = opened(rows.X, rows.Y, w=None, dtype=ARITHMETIC, sample_weight=weight)
    shared: dict[str, Any] = {"sample_weight": weight, "n_threads": None}
    if k == 2:
        return objective_of(examples, source, rows.Y, **shared)
    codes = rows.Y.astype(np.int32)
    return Classes(examples, codes, k, source=source, w=None, b=None, **shared).objective


def _cross_validated(
    data: Data, settings: Settings, watch: Callback | None
) -> tuple[dict[str, Any] | None, str, str]:
    """Return mean and standard deviation of measures over the folds.

    And a problem, and why the weights of a fold run away, or "".
    """
    if data.folds is None or settings.cv is None:
        return None, "", ""
    found, problem, told = [], "", ""
    for k in range(settings.cv):
        rest, fold = data.folds != k, data.folds == k
        weight = None if data.weight is None else data.weight[rest]
        part = data._replace(fit=_some(data.fit, rest), weight=weight)
        result, fault, stopping = _solve(part, settings, watch, None)
        of_fold = f"in fold {k + 1} of {settings.cv}"
        problem = problem or (fault and f"{of_fold}: {fault}")
        if result.runaway is not None:
            told = told or f"{of_fold} {result.runaway.told()}"
        found.append(_measured(_some(data.fit, fold), *_found(data, result, stopping)))
    measured = [name for name in IN_FOLDS if name in found[0]]
    return {name: _mean([one[name] for one in found]) for name in measured}, problem, told


def _some(rows: Rows, chosen: NDArray[np.bool_]) -> Rows:
    """Return some of the rows, which stay in their files if they are read in batches."""
    if isinstance(rows.X, FeatureBatches):
        return Rows(rows.X.some(chosen), rows.Y[chosen])
    return Rows(taken(rows.X, np.flatnonzero(chosen)), rows.Y[chosen])


def _measured(rows: Rows, w: NDArray[np.float64], b: Any) -> dict[str, Any]:
    """Return the measures of w and b in the rows of a fold."""
    X, Y = rows
    tally, first = Tally(), 0
    J, _, _ = logreg_c.cost_and_gradient(X, Y, w, b, dtype=ARITHMETIC)
    if isinstance(X, SomeRows):
        batches = X.predict_proba(w, b, dtype=ARITHMETIC)
    else:
        batches = iter([logreg_c.predict_proba(X, w, b, dtype=ARITHMETIC)])
    for A in batches:
        here = Y[first : first + A.shape[-1]]
        first += len(here)
        tally.add(Scores(A.ravel() if w.ndim == 1 else A.T, here, J * len(here)))
    return measures(tally.scored()._replace(log_loss=J), 0.5)


def _mean(values: list[float | None]) -> dict[str, Any] | None:
    there = [value for value in values if value is not None]
    if len(there) < len(values):
        return None
    return {
        "mean": float(np.mean(there)),
        "deviation": float(np.std(there, ddof=1)),
        "folds": there,
    }


def _found(
    data: Data, result: Solution, stopping: EarlyStopping | None
) -> tuple[NDArray[np.float64], Any]:
    """Return the weights, (n_x,) of two classes or (n_x, K), and the bias or biases."""
    w, b = result.w, result.b
    if stopping is not None and stopping.w is not None:
        w, b = stopping.w, stopping.b
    return (w[:, 0], b) if len(data.classes) == 2 else (w, np.ravel(b))


def _model(
    data: Data, settings: Settings, result: Solution, stopping: EarlyStopping | None
) -> Model:
    w, b = _found(data, result, stopping)
    means, deviations = _moments(data.fit, data.recipe.n_features, len(data.classes))
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
        means=means,
        deviations=deviations,
        schema=data.schema,
        classes=data.classes,
        target=settings.target,
        cost_iterations=at,
        costs=costs,
        settings=kept,
        preparation=data.recipe.as_json(),
        threshold=0.5 if isinstance(settings.threshold, str) else settings.threshold,
        held_out=np.packbits(data.is_held_out),
        trained_on=data.trained_on,
        inference={},
    )


def _moments(
    rows: Rows, n_features: int, k: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return mean and standard deviation of each feature, with the same bits in batches."""
    if isinstance(rows.X, FeatureBatches):
        objective = _objective(rows, None, k)
    else:
        examples = _input.examples(rows.X, ARITHMETIC)
        objective = Objective(examples, None, None, _input.threads(None))
    try:
        mean, _, deviation = objective.standardize()
    except OverflowError:
        return (np.full(n_features, np.inf),) * 2
    return mean, deviation


@contextmanager
def _progress_bar(iters: int, passes: Passes | None) -> Iterator[Callback | None]:
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
        *([] if passes is None else [streaming.column_of(passes)]),
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
