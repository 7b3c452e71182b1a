# SPDX-License-Identifier: BSD-3-Clause
"""What training found, and how it shows itself."""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np

from . import _input

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import ArrayLike, NDArray

# "rounding": no step lowers J any more; a descent never ends so.
Stopped = Literal["iters", "tol", "callback", "rounding"]
# Of the drawn cost curve.
WIDTH, HEIGHT, POINTS = 320, 96, 160


class Weights(np.ndarray[tuple[Any, ...], np.dtype[np.float64]]):
    """The weights w of a training on a data frame, which know its columns by name.

    Copies and pickles keep the names, and so does a view of all weights in their order, such as
    `w.ravel()` and `w[:, 0]`. A part, a file of numbers and whatever is computed have none, as
    their order may be another.
    """

    feature_names: tuple[Any, ...] | None = None

    def __array_finalize__(self, obj: NDArray[Any] | None) -> None:
        names = getattr(obj, "feature_names", None)
        if (
            names is not None
            and obj is not None
            and self.size == obj.size
            and self.flags.c_contiguous
            and _address(self) == _address(obj)
        ):
            self.feature_names = names

    def copy(self, order: Any = "C") -> NDArray[np.float64]:  # type: ignore[override]
        """Copy the weights and keep the names."""
        return named(np.asarray(self).copy(order), self.feature_names)

    def __copy__(self) -> NDArray[np.float64]:  # type: ignore[override]
        return self.copy()

    def __deepcopy__(self, memo: dict[int, Any]) -> NDArray[np.float64]:  # type: ignore[override]
        return self.copy()

    def flatten(self, order: Any = "C") -> NDArray[np.float64]:
        """Copy the weights as one axis and keep the names."""
        return named(np.asarray(self).flatten(order), self.feature_names)

    def sort(self, *args: Any, **kwargs: Any) -> None:
        """Sort in place and drop the names."""
        self.feature_names = None
        super().sort(*args, **kwargs)

    def partition(self, *args: Any, **kwargs: Any) -> None:
        """Partition in place and drop the names."""
        self.feature_names = None
        super().partition(*args, **kwargs)

    def __reduce__(self) -> tuple[object, ...]:
        return named, (np.asarray(self), self.feature_names)


def _address(array: NDArray[Any]) -> int:
    address: int = array.__array_interface__["data"][0]
    return address


def named(w: NDArray[np.float64], feature_names: tuple[Any, ...] | None) -> NDArray[np.float64]:
    """Return w as Weights, if there are names."""
    if feature_names is None:
        return w
    weights = w.view(Weights)
    weights.feature_names = feature_names
    return weights


def with_names(w: ArrayLike, feature_names: Iterable[Any]) -> NDArray[np.float64]:
    """Return weights that find their columns in a data frame by name.

    `train` returns such weights for a data frame, and their copies and pickles are such too. Files
    of numbers and calculations lose the names.

    Parameters
    ----------
    w : array_like of shape (n_x, 1) or (n_x,)
        Weights.
    feature_names : iterable of n_x names
        The names of the columns that the weights belong to, in the order of w, as
        `TrainResult.feature_names` has them.

    Returns
    -------
    ndarray of the shape of w
        A view of w, if that is an array of float64.

    Raises
    ------
    ValueError
        The number of names is not that of the weights, or a name repeats.
    TypeError
        w does not hold real numbers.

    Examples
    --------
    >>> import logreg_c
    >>> w = logreg_c.with_names([0.5, -1.0], ["age", "income"])
    >>> w.feature_names
    ('age', 'income')
    """
    array = _input.contiguous(w, "w")
    names = tuple(feature_names)
    if len(names) != array.size:
        msg = f"feature_names has {len(names)} names and w {array.size} weights; expected as many"
        raise ValueError(msg)
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        msg = f"feature_names has {twice[0]!r} several times; expected names that differ"
        raise ValueError(msg)
    return named(array, names)


class TrainResult(tuple["NDArray[np.float64]", float, "NDArray[np.float64]"]):
    """What `train` found; unpacks as ``w, b, costs``.

    Attributes
    ----------
    w : ndarray of shape (n_x, 1)
        Weights. From a data frame they know its columns by name: `predict` takes those from another
        frame, in whatever order it has them. Copies and pickles of w keep the names.
    b : float
        Bias.
    costs : ndarray of shape (k,)
        The cost J at the start of each of the k iterations.
    stopped : {"iters", "tol", "callback"}
        What ended the training.
    feature_names : tuple or None
        The names of the data frame's columns, in the order of w; None where X was no data frame.
        ``with_names(w, feature_names)`` gives them back to weights that have lost them, and
        ``frame[list(feature_names)]`` puts the columns of a frame into their order.
    alpha : float
        The learning rate, which ``alpha="auto"`` leaves open.
    """

    __module__ = "logreg_c"

    stopped: Stopped
    feature_names: tuple[Any, ...] | None
    alpha: float

    def __new__(
        cls,
        w: NDArray[np.float64],
        b: float,
        costs: NDArray[np.float64],
        stopped: Stopped,
        feature_names: tuple[Any, ...] | None = None,
        alpha: float = math.nan,
    ) -> Self:
        self = super().__new__(cls, (named(w, feature_names), b, costs))
        self.stopped = stopped
        self.feature_names = feature_names
        self.alpha = alpha
        return self

    def __getnewargs__(self) -> tuple[object, ...]:  # for pickle and copy
        return np.asarray(self.w), self.b, self.costs, self.stopped, self.feature_names, self.alpha

    @property
    def w(self) -> NDArray[np.float64]:
        return self[0]

    @property
    def b(self) -> float:
        return self[1]

    @property
    def costs(self) -> NDArray[np.float64]:
        return self[2]

    def _facts(self) -> dict[str, str]:
        costs = self.costs
        ending = {"iters": "all done", "tol": "tol reached", "callback": "stopped by callback"}
        facts = {
            "features": str(self.w.size),
            "iterations": f"{costs.size} ({ending[self.stopped]})",
        }
        if costs.size:
            facts["cost"] = f"{costs[0]:.6g} -> {costs[-1]:.6g}"
        return facts | {"b": f"{self.b:.6g}"}

    def __repr__(self) -> str:
        facts = ", ".join(f"{name}: {value}" for name, value in self._facts().items())
        return f"<TrainResult {facts}>"

    def _repr_html_(self) -> str:
        """Draw the cost curve above the facts: what notebooks show."""
        rows = "".join(
            f"<tr><th style='text-align:left'>{name}</th>"
            f"<td style='text-align:left'>{value.replace('->', '&rarr;')}</td></tr>"
            for name, value in self._facts().items()
        )
        table = f"<table style='color:inherit;font:inherit'>{rows}</table>"
        return f"<div><b>TrainResult</b>{_curve(self.costs)}{table}</div>"


def _curve(costs: NDArray[np.float64]) -> str:
    """Draw the costs as a line of the text's own colour, which suits a light and a dark page."""
    if costs.size < 2:
        return ""
    shown = np.unique(np.linspace(0, costs.size - 1, POINTS).round().astype(np.int64))
    low, high = float(costs[shown].min()), float(costs[shown].max())
    x = shown / (costs.size - 1) * (WIDTH - 4) + 2
    # scaled before they are subtracted: costs may be as large as float64 has them
    scale = max(abs(low), abs(high)) or 1.0
    span = high / scale - low / scale
    share = (costs[shown] / scale - low / scale) / (span or 1.0)
    y = HEIGHT - 2 - share * (HEIGHT - 4)
    points = " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(x, y, strict=True))
    label = f"cost over {costs.size} iterations, from {costs[0]:.6g} to {costs[-1]:.6g}"
    return (
        f"<svg viewBox='0 0 {WIDTH} {HEIGHT}' role='img' aria-label='{label}' "
        f"style='display:block;width:100%;max-width:{WIDTH}px;margin:.5em 0'>"
        f"<path d='M1 0V{HEIGHT - 1}H{WIDTH}' fill='none' stroke='currentColor' opacity='.3'/>"
        f"<polyline points='{points}' fill='none' stroke='currentColor' stroke-width='2' "
        "stroke-linejoin='round'/></svg>"
    )
