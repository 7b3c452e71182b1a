# SPDX-License-Identifier: BSD-3-Clause
"""Models on disk: NumPy arrays in a zip file, without pickles, read as untrusted input."""

import io
import json
import math
import zipfile
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from . import recipes
from .errors import memory_for, refuse, shown
from .output import written_whole
from .recipes import Recipe

FORMAT = 4
SCHEMA = ["type", "missing", "minimum", "maximum", "different"]  # of a column, see logreg_c.Model
MOST_ERRORS = 10_000  # standard errors: their covariances take memory
INFERENCE = "n_obs", "log_likelihood", "null_log_likelihood", "l2"  # and "standard_errors"
MOST_COSTS = 1000  # stored of the cost curve: as many as a picture can show
# The arrays of a file, and the kinds of their elements. Lists of strings are stored as JSON,
# because NumPy pads all strings of an array to the length of the longest.
ARRAYS = {
    "format": "i",
    "weights": "f",
    "bias": "f",
    "columns": "U",
    "means": "f",
    "deviations": "f",
    "schema": "U",
    "classes": "biufU",
    "target": "U",
    "cost_iterations": "i",
    "costs": "f",
    "settings": "U",
    "preparation": "U",
    "threshold": "f",
    "held_out": "u",
    "trained_on": "U",
    "inference": "U",
}
OF_JSON = "columns", "schema", "settings", "preparation", "trained_on", "inference"
SCALARS = str | int | float | bool | None


class Feature(NamedTuple):
    """A numeric column, or whether a text column holds this category."""

    column: str
    category: str | None = None

    @property
    def name(self) -> str:
        """The name for display."""
        name = shown(self.column)
        return name if self.category is None else f"{name}={shown(self.category)}"


@dataclass(frozen=True)
class Model:
    """A trained model of two classes, or of K > 2."""

    weights: NDArray[np.float64]  # (n_x,) or (n_x, K), of the unscaled features
    bias: float | NDArray[np.float64]  # or (K,)
    columns: dict[str, list[str] | None]  # in the order of the weights; for text, the categories
    means: NDArray[np.float64]  # (n_x,): of the features in the rows trained on ...
    deviations: NDArray[np.float64]  # (n_x,): ... and their standard deviations
    schema: dict[str, dict[str, Any]]  # for each column of the table, its type and values
    classes: NDArray[Any]  # (2,) or (K,): text, integers, floats or bools
    target: str  # the column of the classes
    cost_iterations: NDArray[np.int64]  # (k,): iterations, counted from 0 ...
    costs: NDArray[np.float64]  # (k,): ... and the cost before their update
    settings: dict[str, SCALARS]
    preparation: dict[str, Any]  # how the columns are made from those of a table: see `recipe`
    threshold: float  # the second of two classes is predicted where its probability is above it
    held_out: NDArray[np.uint8]  # (rows / 8,): a bit per row of the file that it was trained on
    trained_on: dict[str, SCALARS]  # that file: its name, rows and fingerprint
    inference: dict[str, Any]  # empty, or standard errors: see inference.py

    @cached_property
    def recipe(self) -> Recipe:
        """How a table becomes features."""
        return recipes.from_json(self.columns, self.preparation)

    @cached_property
    def features(self) -> list[Feature]:
        """The columns and categories that the weights belong to."""
        return [
            Feature(column, category)
            for column, categories in self.columns.items()
            for category in ([None] if categories is None else categories)
        ]

    @property
    def sources_of_features(self) -> list[str]:
        """The column of the table that each feature is made from."""
        sources = {column.name: column.source for column in self.recipe.columns}
        return [sources[feature.column] for feature in self.features]

    @property
    def is_held_out(self) -> NDArray[np.bool_]:
        """(rows,): which rows of the file that it was trained on have been held out."""
        return np.unpackbits(self.held_out, count=self._rows).view(bool)

    @property
    def _rows(self) -> int:
        rows = self.trained_on["rows"]
        if not isinstance(rows, int):
            msg = "not a number of rows"
            raise TypeError(msg)
        return rows

    @property
    def class_names(self) -> tuple[str, ...]:
        """The classes for display."""
        return tuple(map(shown, self.classes.tolist()))

    @property
    def of_two(self) -> bool:
        """Whether there are two classes."""
        return len(self.classes) == 2

    @property
    def n_errors(self) -> int:
        """How many parameters have standard errors: those of each class less the first."""
        return (len(self.classes) - 1) * (len(self.features) + 1)

    @property
    def either(self) -> str:
        """The classes as alternatives, for display; the second of two, whose A it is, first."""
        *others, last = reversed(self.class_names) if self.of_two else self.class_names
        return f"{', '.join(others)} or {last}"

    @property
    def listed_classes(self) -> str:
        """The classes with their numbers, for display."""
        return ", ".join(f"{k} = {name}" for k, name in enumerate(self.class_names))

    @property
    def per_deviation(self) -> NDArray[np.float64]:
        """The change in Z per standard deviation of a feature, w x sd, in the shape of the weights.

        Weights of features in different units are comparable only in this form.
        """
        with np.errstate(over="ignore", invalid="ignore"):
            return (self.weights.T * self.deviations).T

    @property
    def ranking(self) -> list[int]:
        """Places in `per_deviation`, row by row, by the size of its values, the largest first."""
        order: list[int] = np.argsort(-np.abs(self.per_deviation).ravel(), kind="stable").tolist()
        return order

    def weight_name(self, place: int) -> str:
        """Return the name of a weight, by its place in `weights`, row by row."""
        if self.of_two:
            return self.features[place].name
        feature, k = divmod(place, len(self.classes))
        return f"{self.features[feature].name} for {self.class_names[k]}"

    def is_sound(self) -> bool:
        """Whether `save` can have written these values."""
        n_x, k = len(self.features), self.costs.size
        classes = self.classes.tolist()
        of_outputs = () if self.of_two else (len(classes),)
        at, costs = self.cost_iterations, self.costs
        names = (self.target, *self.columns, *self.recipe.sources)
        categories = [c for known in self.columns.values() if known is not None for c in known]
        "".join(map(str, (*names, *categories, *classes))).encode()  # lone surrogates raise
        return (
            self.means.shape == self.deviations.shape == (n_x,)
            and self.weights.shape == (n_x, *of_outputs)
            and np.shape(self.bias) == of_outputs
            and n_x > 0
            and self.classes.ndim == 1
            and len(set(classes)) == len(classes) > 1
            and all(name == name for name in classes)  # noqa: PLR0124 (NaN is not)
            and self.target not in self.recipe.sources
            and list(self.schema) == list(self.recipe.sources)
            and all(map(_is_schema, self.schema.values()))
            and costs.shape == at.shape == (k,)
            and k > 0
            and at[0] >= 0
            and bool((np.diff(at) > 0).all())
            and at[-1] < 2**53
            and all(isinstance(c, str) for c in categories)
            and all(
                known is None or (isinstance(known, list) and len(set(known)) == len(known) > 0)
                for known in self.columns.values()
            )
            and all(isinstance(value, SCALARS) for value in self.settings.values())
            and 0 <= self.threshold <= 1
            and self.held_out.dtype == np.uint8
            and self.held_out.shape == (-(-self._rows // 8),)
            and isinstance(self.trained_on["file"], str)
            and isinstance(self.trained_on["fingerprint"], str)
            and all(np.isfinite(x).all() for x in (self.weights, self.bias, costs))
            and bool((costs >= 0).all())
            and self._has_sound_errors()
        )

    def _has_sound_errors(self) -> bool:
        if not self.inference:
            return self.inference == {}
        numbers = {name: np.array(value) for name, value in self.inference.items()}
        return (
            {name: x.shape for name, x in numbers.items()}
            == dict.fromkeys(INFERENCE, ()) | {"standard_errors": (self.n_errors,)}
            and self.n_errors <= MOST_ERRORS
            and all(x.dtype == np.float64 and np.isfinite(x).all() for x in numbers.values())
            and bool((numbers["standard_errors"] > 0).all())
        )


def _is_schema(column: dict[str, Any]) -> bool:
    return list(column) == SCHEMA and all(isinstance(value, SCALARS) for value in column.values())


def thinned(costs: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return at most MOST_COSTS iterations, including the first and the last, and their costs."""
    at = np.unique(np.linspace(0, len(costs) - 1, MOST_COSTS).astype(np.int64))
    return at, costs[at]


def save(path: Path, model: Model) -> None:
    """Write the model as .npz."""
    arrays: dict[str, Any] = {
        name: np.array(getattr(model, name)) for name in ARRAYS if name != "format"
    }
    arrays |= {name: np.array(json.dumps(getattr(model, name))) for name in OF_JSON}
    with written_whole(path) as file:
        np.savez(file, format=np.array(FORMAT), **arrays)


def load(path: Path) -> Model:
    """Read what `save` wrote, without running code in the file or trusting sizes in it."""
    try:
        if path.exists() and not path.is_file():
            refuse(f"{path} is not a file; give a model from `logreg-c train --output`")
        with memory_for(f"the model {path}"):
            content = path.read_bytes()
    except FileNotFoundError:
        refuse(f"{path} does not exist; check the name and the folder")
    except OSError as error:
        refuse(f"{path} cannot be read: {error.strerror or error}")
    version, model = FORMAT, None
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            version = int(_array(archive, "format"))
            if version == FORMAT:
                model = _parsed({name: _array(archive, name) for name in ARRAYS})
    except Exception:  # noqa: BLE001 (numpy, zipfile and json raise a dozen kinds)
        model = None
    if version != FORMAT:
        refuse(
            f"{path} is a model of format {version}, but this logreg-c reads format {FORMAT};"
            " use the version that wrote it, or train again"
        )
    if model is None:
        refuse(f"{path} is damaged, or not a model from `logreg-c train --output`")
    return model


def _parsed(arrays: dict[str, NDArray[Any]]) -> Model | None:
    """Return the model in these arrays, or None if they are not one."""
    of_one = {name: arrays[name].item() for name in ("target", "threshold")}
    if arrays["bias"].ndim == 0:
        of_one["bias"] = arrays["bias"].item()
    of_json = {name: json.loads(arrays[name].item()) for name in OF_JSON}
    kept = {name: x for name, x in arrays.items() if name != "format"}
    model = Model(**kept | of_one | of_json)
    return model if model.is_sound() else None


def _array(archive: zipfile.ZipFile, name: str) -> NDArray[Any]:
    """Read one member, which must be uncompressed and exactly as long as its header says."""
    member = archive.getinfo(f"{name}.npy")
    if member.compress_type != zipfile.ZIP_STORED or member.file_size != member.compress_size:
        msg = "compressed"
        raise ValueError(msg)
    with archive.open(member) as file:
        major, _ = npy.read_magic(file)
        read = npy.read_array_header_1_0 if major == 1 else npy.read_array_header_2_0
        shape, _, dtype = read(file)
        content = file.read()
    if dtype.kind not in ARRAYS[name] or (dtype.kind != "U" and dtype.itemsize > 8):
        msg = "of another type"
        raise ValueError(msg)
    if math.prod(shape) * dtype.itemsize != len(content):
        msg = "longer or shorter than its header says"
        raise ValueError(msg)
    array = np.frombuffer(content, dtype).reshape(shape)
    return array if dtype.isnative else array.astype(dtype.newbyteorder("="))
