# SPDX-License-Identifier: BSD-3-Clause
"""The command line's files: tables in, models in and out, each fault in one sentence."""

import difflib
import io
import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, NoReturn

import numpy as np
import polars as pl
from numpy.typing import NDArray

MODEL_FORMAT = 1


class InputError(Exception):
    """What the user gave cannot be used; the message is one line and says what to do."""


def refuse(message: str) -> NoReturn:
    """Raise InputError."""
    raise InputError(message)


def shown(value: object) -> str:
    """Return a name or class as a person reads it, quoted where it would mislead otherwise."""
    if isinstance(value, str):
        return value if value.isprintable() and value.strip() == value != "" else repr(value)
    return str(value)


def _listed(values: Sequence[object], at_most: int = 5) -> str:
    more = len(values) - at_most
    tail = f" and {more} more" if more > 0 else ""
    return ", ".join(repr(value) for value in values[:at_most]) + tail


# ---- Tables ------------------------------------------------------------------------------------


def read_table(path: Path) -> pl.DataFrame:
    """Read Parquet if the name ends in .parquet, else CSV with a header."""
    kind = "Parquet" if path.suffix.lower() == ".parquet" else "CSV"
    try:
        if path.is_dir():
            refuse(f"{path} is a directory; name one {kind} file in it")
        table = (
            pl.read_parquet(path, glob=False)
            if kind == "Parquet"
            else pl.read_csv(path, glob=False, infer_schema_length=None)
        )
    except FileNotFoundError:
        refuse(f"{path} does not exist; check the name and the folder")
    except OSError as error:
        refuse(f"{path} cannot be read: {error.strerror or error}")
    except pl.exceptions.NoDataError:
        refuse(f"{path} is empty; a header and rows of data are expected")
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        reason = repr(str(error).partition("\n")[0])[1:-1][:200]
        remedy = "write it again" if kind == "Parquet" else "save it as comma-separated UTF-8"
        refuse(f"{path} cannot be read as {kind} ({reason}); {remedy}")

    if kind == "CSV":
        if any("\ufffd" in name or "\0" in name for name in table.columns):
            refuse(f"{path} is not UTF-8 text; save it as comma-separated UTF-8")
        _refuse_repeated_names(path, table.columns)
    if table.height == 0:
        refuse(f"{path} has no rows below its header")
    return table


def _refuse_repeated_names(path: Path, columns: Sequence[str]) -> None:
    # polars reads a second "x" as "x_duplicated_0": which of the two is meant is not ours to guess.
    if not any("_duplicated_" in name for name in columns):
        return
    first_row = pl.read_csv(path, glob=False, has_header=False, n_rows=1, infer_schema_length=0)
    names = first_row.row(0)
    for name in names:
        if names.count(name) > 1:
            refuse(f"{path} has {names.count(name)} columns named {name!r}; give each its own name")


def column(table: pl.DataFrame, name: str, path: Path) -> pl.Series:
    """Return one column without missing values."""
    if name not in table.columns:
        near = difflib.get_close_matches(name, table.columns, n=3)
        hint = f"did you mean {_listed(near)}?" if near else f"it has {_listed(table.columns)}"
        if table.width == 1:
            hint = f"its only column is {table.columns[0]!r}: are its values separated by commas?"
        refuse(f"{path} has no column {name!r}; {hint}")
    values = table.get_column(name)
    missing = values.is_null()
    if values.dtype.is_float():
        missing |= values.is_nan()
    count = int(missing.sum())
    if count:
        refuse(
            f"{path}: column {name!r} has {count} missing value{'s' * (count > 1)} (first in row"
            f" {_first_row(missing)}); fill in what is missing or take those rows out"
        )
    return values


def _first_row(where: pl.Series) -> int:
    """Return the first true row, counted from 1 without the header."""
    return int(where.arg_true()[0]) + 1


def feature_matrix(table: pl.DataFrame, names: Sequence[str], path: Path) -> NDArray[np.float64]:
    """Return X, (n_x, m), C order: a row of X is a column of the table."""
    for name in names:
        if name.endswith("\0"):
            refuse(f"{path} has a column name that ends in NUL, {name!r}; rename it")
        values = column(table, name, path)
        if not (values.dtype.is_numeric() or values.dtype == pl.Boolean):
            refuse(f"{path}: {_not_numeric(values)}")
        if values.dtype.is_float() and values.is_infinite().any():
            refuse(
                f"{path}: column {name!r} is infinite in row {_first_row(values.is_infinite())};"
                " replace it by a finite number or take the row out"
            )
    X = np.empty((len(names), table.height))
    for x, name in zip(X, names, strict=True):
        x[:] = table.get_column(name).cast(pl.Float64).to_numpy()
    return X


def _not_numeric(values: pl.Series) -> str:
    kind, where = f"is of type {values.dtype}", ""
    if values.dtype == pl.String:
        numbers = values.cast(pl.Float64, strict=False)
        unread = numbers.is_null() | numbers.is_nan()
        row = _first_row(unread) if unread.any() else 1
        kind, where = "is text", f" (row {row}: {values[row - 1]!r})"
    return (
        f"feature {values.name!r} {kind}{where}; features are numbers or true/false:"
        " convert the column or take it out"
    )


def two_classes(
    table: pl.DataFrame, target: str, path: Path
) -> tuple[NDArray[np.float64], NDArray[Any]]:
    """Return Y, (m,), 1 where the row is of the second class, and the two classes, sorted."""
    values = column(table, target, path)
    if values.dtype.is_nested() or values.dtype in (pl.Binary, pl.Object):
        refuse(
            f"{path}: target {target!r} is of type {values.dtype}; make it text, numbers, or"
            " true/false"
        )
    found = sorted(values.unique().to_list())
    if len(found) == 1:
        refuse(f"{path}: target {target!r} is {found[0]!r} in every row; two classes are needed")
    if len(found) > 2:
        refuse(
            f"{path}: target {target!r} has {len(found)} different values ({_listed(found)});"
            " make it two classes, or keep only the rows of two"
        )
    classes, as_text = np.array(found), [str(value) for value in found]
    if classes.dtype.kind not in "biufU" or [str(value) for value in classes.tolist()] != as_text:
        # dates, decimals, integers that no type holds both of: kept as text
        classes = np.array(as_text)
        if classes.tolist() != as_text:
            refuse(f"{path}: target {target!r} has a value that ends in NUL; take that out")
    return (values == found[1]).cast(pl.Float64).to_numpy(), classes


# ---- Output ------------------------------------------------------------------------------------


@contextmanager
def written_whole(path: Path, *, rehearse: bool = False) -> Iterator[BinaryIO]:
    """Write beside `path`, and put the file in its place only when all of it is there.

    A rehearsal leaves nothing behind: it finds out that `path` cannot be written before an hour
    of training rather than after it.
    """
    try:
        if path.exists() and not path.is_file():
            refuse(f"{path} is not a file that can be replaced; choose another --output")
        place = path.resolve()  # a link stays a link
        part = place.with_name(f".logreg-c-{os.getpid()}.part")
        try:
            with part.open("xb") as file:
                yield file
            if not rehearse:
                part.replace(place)
        finally:
            part.unlink(missing_ok=True)
    except RuntimeError as error:  # links in a circle
        refuse(f"{path} cannot be written: {error}")
    except OSError as error:
        refuse(f"{path} cannot be written: {error.strerror or error}")


# ---- Models ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Model:
    """What a model file holds; `classes[1]` is the class whose probability is predicted."""

    weights: NDArray[np.float64]  # (n_x,)
    bias: float
    feature_names: list[str]
    classes: NDArray[Any]  # (2,): text, integers, floats or bools
    settings: dict[str, object]

    def is_sound(self) -> bool:
        """Whether these can be what `save_model` wrote."""
        names, classes = self.feature_names, self.classes
        try:
            "".join([*names, *map(str, classes.ravel())]).encode()
        except UnicodeEncodeError:  # half a character
            return False
        return (
            self.weights.shape == (len(names),)
            and len(set(names)) == len(names) > 0
            and classes.shape == (2,)
            and classes.dtype.kind in "biufU"
            and (classes.dtype.kind == "U" or classes.dtype.itemsize <= 8)
            and bool(np.isfinite(self.weights).all() and np.isfinite(self.bias))
        )


def save_model(path: Path, model: Model) -> None:
    """Write the model as .npz, without pickles."""
    with written_whole(path) as file:
        np.savez(
            file,
            format=np.array(MODEL_FORMAT),
            weights=model.weights,
            bias=np.array(model.bias),
            feature_names=np.array(model.feature_names, dtype=np.str_),
            classes=model.classes,
            settings=np.array(json.dumps(model.settings)),
        )


def load_model(path: Path) -> Model:
    """Read what `save_model` wrote, trusting nothing."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        refuse(f"{path} does not exist; check the name and the folder")
    except OSError as error:
        refuse(f"{path} cannot be read: {error.strerror or error}")
    try:
        stored = np.load(io.BytesIO(content), allow_pickle=False)
        version = int(stored["format"])
        model = Model(
            weights=stored["weights"].astype(np.float64, casting="safe"),
            bias=float(stored["bias"]),
            feature_names=[str(name) for name in stored["feature_names"]],
            classes=stored["classes"],
            settings=dict(json.loads(str(stored["settings"]))),
        )
    except Exception:  # noqa: BLE001 (numpy, zipfile and ast raise a dozen kinds on foreign bytes)
        version, model = MODEL_FORMAT, None
    if version != MODEL_FORMAT:
        refuse(
            f"{path} is a model of format {version}, this logreg-c reads {MODEL_FORMAT};"
            " use the one that wrote it, or train again"
        )
    if model is None or not model.is_sound():
        refuse(f"{path} is damaged, or not a model from `logreg-c train --output`")
    return model
