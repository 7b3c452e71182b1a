# SPDX-License-Identifier: BSD-3-Clause
"""A model of the command line in Python: `logreg_c.load` (extra ``cli``)."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

try:
    import polars as pl

    from ._cli import applying, models, tables
    from ._cli.errors import Failure, InputError
except ModuleNotFoundError as error:
    msg = f"logreg_c.load needs {error.name}: pip install 'logreg-c[cli]'"
    raise ModuleNotFoundError(msg, name=error.name) from error

if TYPE_CHECKING:
    import os

    import onnx
    from numpy.typing import NDArray

MOST_NAMED = 5  # columns in a message
# Of columns in which all values are missing; numbers for the other types.
TYPES = {"text": pl.String(), "date": pl.Datetime("us")}


class Explanation(NamedTuple):
    """Why a row has its probability: `base` plus all `contributions` is `log_odds`.

    Attributes
    ----------
    log_odds : float
        Of the second of two classes: its probability is 1 / (1 + exp(-log_odds)). Of more, those
        of `of` against `against`: the logarithm of the quotient of their probabilities.
    base : float
        The log-odds of a row whose features are all at their mean in the rows trained on.
    contributions : dict of str to float
        For each column, w (x - mean), summed over its features; the largest first. With more
        than two classes, w is that of `of` less that of `against`.
    of, against
        The second class and the first; of more than two, the two that are most probable.
    """

    log_odds: float
    base: float
    contributions: dict[str, float]
    of: Any
    against: Any


class Model:
    """A model that ``logreg-c train --output`` wrote; `logreg_c.load` reads it.

    X is a table of rows, each column under the name it had in training:

    - a data frame of polars, pandas or pyarrow;
    - a dict of columns, or of single values, which is one row;
    - an array of shape (m, columns), in the order of `columns`.

    Categories, missing values and parts of dates are treated as in training. A category that did
    not occur there gives a UserWarning, and all features of its column are 0 in that row.

    Attributes
    ----------
    target : str
        The column that is predicted.
    classes : ndarray of shape (2,) or (K,)
        The probability is that of the second of two.
    threshold : float
        The second of two classes is predicted where its probability is above it.
    columns : dict of str to dict
        For each column, as in the table trained on: `type` (``'integer'``, ``'float'``,
        ``'boolean'``, ``'text'`` or ``'date'``), `missing` (rows), `minimum` and `maximum` (None
        for text), and `different`, the number of different values (None for floats).
    weights : dict of str to float, or to lists of K
        The weight of each feature: a column's name, or ``'column=category'``.
    bias : float, or ndarray of shape (K,)
    settings : dict
        The options of the training.
    """

    __module__ = "logreg_c"

    def __init__(self, stored: models.Model) -> None:
        self._stored = stored
        self.target, self.classes = stored.target, stored.classes
        self.threshold, self.bias = stored.threshold, stored.bias
        self.columns = stored.schema
        self.weights = {
            feature.name: weight
            for feature, weight in zip(stored.features, stored.weights.tolist(), strict=True)
        }
        self.settings = stored.settings

    def __repr__(self) -> str:
        """Return one line."""
        names = self._stored.either
        threshold = f", threshold {self.threshold:g}" if self._stored.of_two else ""
        return f"Model of {self.target!r}: {names}, from {len(self.columns)} columns{threshold}"

    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        """Return the probability of the second class, (m,), or those of all classes, (m, K).

        Parameters
        ----------
        X : data frame, dict or array
            See `Model`.

        Returns
        -------
        ndarray of shape (m,), or (m, K) where there are more than two classes
            NaN where a row has missing values and the training left such rows out.

        Raises
        ------
        ValueError
            A column that is absent; missing values, unless the training had ``--missing``; text
            where numbers are expected; a shape that does not fit.
        """
        examples, complete = self._features(X)
        A = applying.probabilities(self._stored, examples)
        return A if complete is None else np.where(complete, A.T, np.nan).T

    def predict(self, X: Any) -> NDArray[Any]:
        """Return the predicted class of each row, (m,).

        Parameters
        ----------
        X : data frame, dict or array
            See `Model`.

        Returns
        -------
        ndarray of shape (m,)
            Items of `classes`; None where `predict_proba` is NaN.

        Raises
        ------
        ValueError
            As `predict_proba`.
        """
        A = self.predict_proba(X)
        labels: NDArray[Any] = self.classes[applying.predicted(self._stored, A)]
        unknown = np.isnan(A).reshape(len(A), -1).any(axis=1)
        if unknown.any():
            labels = labels.astype(object)
            labels[unknown] = None
        return labels

    def explain(self, row: Any) -> Explanation:
        """Return what each column contributes to the log-odds of one row.

        Parameters
        ----------
        row : dict, or a data frame or array of one row
            See `Model`.

        Returns
        -------
        Explanation

        Raises
        ------
        ValueError
            As `predict_proba`; more than one row, or a row that has no prediction.
        """
        examples, complete = self._features(row)
        x = np.array([values[:2] for values in examples], np.float64)
        if x.shape[1] != 1:
            msg = f"explain got {len(examples[0])} rows; expected one, such as a dict of its values"
            raise ValueError(msg)
        if complete is not None and not complete[0]:
            msg = "the row has missing values, and --missing drop left such rows out in training"
            raise ValueError(msg)
        w, b, means = self._stored.weights, self._stored.bias, self._stored.means
        first, second = 0, 1
        if not self._stored.of_two:
            second, first = np.argsort(-(b + w.T @ x[:, 0]), kind="stable")[:2].tolist()
            w, b = w[:, second] - w[:, first], np.ravel(b)[second] - np.ravel(b)[first]
        sources = self._stored.sources_of_features
        contributions = dict.fromkeys(self.columns, 0.0)
        for name, term in zip(sources, (w * (x[:, 0] - means)).tolist(), strict=True):
            contributions[name] += term
        base = float(b + w @ means)
        log_odds = base + sum(contributions.values())
        ranked = sorted(contributions.items(), key=lambda item: -abs(item[1]))
        return Explanation(
            log_odds, base, dict(ranked), of=self.classes[second], against=self.classes[first]
        )

    def to_onnx(self) -> onnx.ModelProto:
        """Return the whole model as ONNX (extra ``onnx``): columns in, probability and label out.

        It has an input of shape (rows, 1) for each column, with its name: float64, in which NaN is
        missing, or text, in which the empty text is. A date is its microseconds since 1970, in
        float64. The outputs are `probability` and `prediction`, (rows,), by the threshold; with K
        classes, `probability` is (rows, K).

        Returns
        -------
        onnx.ModelProto

        Raises
        ------
        ValueError
            A column that is named as an output.
        """
        from ._cli import exporting  # noqa: PLC0415 (belongs to another extra)

        return exporting.whole(self._stored)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the model as .npz, as ``logreg-c train --output`` does.

        Parameters
        ----------
        path : str or path-like

        Raises
        ------
        ValueError
            The file cannot be written.
        """
        with _as_value_errors():
            models.save(Path(path), self._stored)

    def _features(self, X: Any) -> tuple[applying.Examples, NDArray[np.bool_] | None]:
        """Return the features of a table, and which rows have a prediction (None if all)."""
        recipe = self._stored.recipe
        given = [
            values.cast(TYPES.get(self.columns[values.name]["type"], pl.Float64()))
            if values.dtype == pl.Null
            else values
            for values in _columns(X, list(recipe.sources))
        ]
        unknown: dict[str, tuple[int, str]] = {}
        source = tables.Source("X", Path(), "frame", 0)
        with _as_value_errors():
            complete = tables.complete(recipe, given)
            examples = tables.features(recipe, given, source, 0, unknown)
        for column, (rows, first) in unknown.items():
            warnings.warn(
                f"column {column!r} has values in {rows} rows that did not occur in training, first"
                f" {first!r}; all its features are 0 in these rows",
                stacklevel=3,
            )
        return examples, complete


@contextmanager
def _as_value_errors() -> Iterator[None]:
    """Raise the command line's refusals as ValueError."""
    try:
        yield
    except (InputError, Failure) as error:
        raise ValueError(str(error)) from None


def load(path: str | os.PathLike[str]) -> Model:
    r"""Read a model that ``logreg-c train --output`` wrote (extra ``cli``).

    Reading executes nothing from the file, and takes memory in proportion to its size.

    Parameters
    ----------
    path : str or path-like

    Returns
    -------
    Model
        With `predict`, `predict_proba` and `explain` for frames, dicts and arrays; `to_onnx`;
        `save`.

    Raises
    ------
    ValueError
        The file does not exist, is damaged, or is of another format.

    Examples
    --------
    >>> import pathlib, subprocess, sys, tempfile
    >>> import logreg_c
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> rows = "1.5,red,no\n2.5,red,yes\n2.0,blue,no\n3.5,blue,yes\n" * 5
    >>> _ = (folder / "table.csv").write_text("size,color,sold\n" + rows)
    >>> train = "-P -m logreg_c train table.csv --target sold --one-hot -o model.npz".split()
    >>> _ = subprocess.run([sys.executable, *train], cwd=folder, capture_output=True, check=True)
    >>> model = logreg_c.load(folder / "model.npz")
    >>> model
    Model of 'sold': yes or no, from 2 columns, threshold 0.5
    >>> model.predict({"size": [1.0, 4.0], "color": ["red", "blue"]}).tolist()
    ['no', 'yes']
    >>> list(model.explain({"size": 4.0, "color": "red"}).contributions)
    ['size', 'color']
    """
    with _as_value_errors():
        return Model(models.load(Path(path)))


# ---- Tables ------------------------------------------------------------------------------------


def _columns(X: Any, names: list[str]) -> list[pl.Series]:
    """Return these columns of a table."""
    if isinstance(X, (list, tuple, np.ndarray)):
        return _columns_of_array(np.asarray(X), names)
    there = list(X) if isinstance(X, Mapping) else list(getattr(X, "columns", ()))
    if hasattr(X, "column_names"):  # pyarrow's `columns` are the values
        there = list(X.column_names)
    absent = [name for name in names if name not in there]
    if absent:
        more = f" and {len(absent) - MOST_NAMED} more" if len(absent) > MOST_NAMED else ""
        named = ", ".join(map(repr, absent[:MOST_NAMED]))
        msg = f"X has no column {named}{more}; expected all of `model.columns`, by name"
        raise ValueError(msg)
    columns = [_series(name, X[name]) for name in names]
    lengths = {len(values) for values in columns}
    if len(lengths) != 1:
        msg = f"the columns of X have {sorted(lengths)} rows; expected the same number in each"
        raise ValueError(msg)
    return columns


def _columns_of_array(X: NDArray[Any], names: list[str]) -> list[pl.Series]:
    if X.ndim != 2 or X.shape[1] != len(names):
        hint = "; pass X.T" if X.ndim == 2 and X.shape[0] == len(names) else ""
        msg = (
            f"X has shape {X.shape}; expected (rows, {len(names)}), with the columns in the order"
            f" of `model.columns`{hint}"
        )
        raise ValueError(msg)
    return [_series(name, X[:, j]) for j, name in enumerate(names)]


def _series(name: str, values: Any) -> pl.Series:
    """Return a column as a polars Series, with null for missing values."""
    if isinstance(values, pl.Series):
        return values.alias(name)
    if not hasattr(values, "__len__") or isinstance(values, (str, bytes)):  # a single value
        values = [values]
    if hasattr(values, "to_numpy") and hasattr(values, "isna"):  # pandas has many missing values
        kind = getattr(values.dtype, "kind", "O")
        values = (
            values.to_numpy()
            if kind in "biuf" and isinstance(values.dtype, np.dtype)
            else values.to_numpy(dtype=object, na_value=None)
        )
    if isinstance(values, np.ndarray) and values.dtype == object:
        values = values.tolist()
    try:
        return pl.Series(name, values, strict=False)
    except (TypeError, ValueError, pl.exceptions.PolarsError) as error:
        msg = f"column {name!r} of X cannot be read: {error}; expected numbers, text or dates"
        raise ValueError(msg) from None
