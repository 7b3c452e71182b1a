# SPDX-License-Identifier: BSD-3-Clause
"""Models on disk: NumPy arrays in a zip file, without pickles, read as if a stranger sent them."""

import io
import json
import zipfile
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .errors import refuse, shown
from .output import written_whole

FORMAT = 2
MOST_COSTS = 1000  # kept of the cost curve: what a picture can show


class Feature(NamedTuple):
    """A numeric column; or, of a text column, whether it holds this category."""

    column: str
    category: str | None = None

    @property
    def name(self) -> str:
        """What a person reads."""
        name = shown(self.column)
        return name if self.category is None else f"{name}={shown(self.category)}"


@dataclass(frozen=True)
class Model:
    """What training found; the file holds an array for each field, under its name."""

    weights: NDArray[np.float64]  # (n_x,), of the features as they are
    bias: NDArray[np.float64]  # ()
    feature_names: NDArray[np.str_]  # (n_x,): the column that the feature is made from
    is_category: NDArray[np.bool_]  # (n_x,): whether that is text, and the feature 1 ...
    categories: NDArray[np.str_]  # (n_x,): ... where it is this
    deviations: NDArray[np.float64]  # (n_x,): of the features that were trained on
    classes: NDArray[Any]  # (2,): text, integers, floats or bools; the second's is the probability
    target: NDArray[np.str_]  # (): the column of the classes
    cost_iterations: NDArray[np.int64]  # (k,): iterations, counted from 0 ...
    costs: NDArray[np.float64]  # (k,): ... and the cost before their update
    settings: NDArray[np.str_]  # (): JSON

    @property
    def features(self) -> list[Feature]:
        """The columns and categories that the weights belong to."""
        return [
            Feature(column, category if is_category else None)
            for column, is_category, category in zip(
                self.feature_names.tolist(),
                self.is_category.tolist(),
                self.categories.tolist(),
                strict=True,
            )
        ]

    @property
    def class_names(self) -> tuple[str, str]:
        """The classes as a person reads them."""
        first, second = self.classes.tolist()
        return shown(first), shown(second)

    @property
    def per_deviation(self) -> NDArray[np.float64]:
        """(n_x,): w x sd, what one deviation of a feature adds to the log-odds.

        Weights of features in different units are comparable in this form only.
        """
        with np.errstate(over="ignore", invalid="ignore"):
            return self.weights * self.deviations

    @property
    def ranking(self) -> list[int]:
        """Features by the size of `per_deviation`, the largest first."""
        order: list[int] = np.argsort(-np.abs(self.per_deviation), kind="stable").tolist()
        return order

    def is_sound(self) -> bool:
        """Whether these can be what `save` wrote."""
        n_x, k = self.weights.shape, self.costs.shape
        expected = {
            "weights": ("f", n_x),
            "bias": ("f", ()),
            "feature_names": ("U", n_x),
            "is_category": ("b", n_x),
            "categories": ("U", n_x),
            "deviations": ("f", n_x),
            "classes": ("biufU", (2,)),
            "target": ("U", ()),
            "cost_iterations": ("i", k),
            "costs": ("f", k),
            "settings": ("U", ()),
        }
        for name, (kinds, shape) in expected.items():
            array = getattr(self, name)
            if array.dtype.kind not in kinds or array.shape != shape:
                return False
            if array.dtype.kind == "U":
                "".join(array.ravel().tolist()).encode()  # half a character is an error
            elif array.dtype.itemsize > 8:
                return False
        return (
            len(n_x) == len(k) == 1
            and n_x > (0,)
            and len(set(self.features)) == len(self.features)
            and len({(f.column, f.category is None) for f in self.features})
            == len({f.column for f in self.features})
            and isinstance(json.loads(str(self.settings)), dict)
            and all(np.isfinite(x).all() for x in (self.weights, self.bias, self.costs))
        )


def thinned(costs: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return at most MOST_COSTS iterations, the first and last among them, and their costs."""
    at = np.unique(np.linspace(0, len(costs) - 1, MOST_COSTS).astype(np.int64))
    return at, costs[at]


def save(path: Path, model: Model) -> None:
    """Write the model as .npz."""
    with written_whole(path) as file:
        arrays = {field.name: getattr(model, field.name) for field in fields(Model)}
        np.savez(file, format=np.array(FORMAT), **arrays)


def load(path: Path) -> Model:
    """Read what `save` wrote; no code in a file runs, and no size in it is believed."""
    if path.exists() and not path.is_file():
        refuse(f"{path} is not a file; name a model from `logreg-c train --output`")
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        refuse(f"{path} does not exist; check the name and the folder")
    except OSError as error:
        refuse(f"{path} cannot be read: {error.strerror or error}")
    version, model = FORMAT, None
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            version = int(_array(archive, "format", len(content)))
            if version == FORMAT:
                read = {f.name: _array(archive, f.name, len(content)) for f in fields(Model)}
                model = Model(**read)
        sound = model is not None and model.is_sound()
    except Exception:  # noqa: BLE001 (numpy, zipfile and ast raise a dozen kinds on foreign bytes)
        sound = False
    if version != FORMAT:
        refuse(
            f"{path} is a model of format {version}, this logreg-c reads {FORMAT};"
            " use the one that wrote it, or train again"
        )
    if model is None or not sound:
        refuse(f"{path} is damaged, or not a model from `logreg-c train --output`")
    return model


def _array(archive: zipfile.ZipFile, name: str, size: int) -> NDArray[Any]:
    """Read one member; `save` does not compress, so none is larger than the file."""
    member = archive.getinfo(f"{name}.npy")
    if member.compress_type != zipfile.ZIP_STORED or member.file_size > size:
        msg = "compressed, or longer than the file"
        raise ValueError(msg)
    array: NDArray[Any] = np.load(io.BytesIO(archive.read(member)), allow_pickle=False)
    return array if array.dtype.isnative else array.astype(array.dtype.newbyteorder("="))
