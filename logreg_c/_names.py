# SPDX-License-Identifier: BSD-3-Clause
"""Weights that know their columns in a data frame by name."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np

from . import _input

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import ArrayLike, NDArray


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
