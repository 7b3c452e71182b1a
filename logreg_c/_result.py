# SPDX-License-Identifier: BSD-3-Clause
"""What training found, and how it is shown."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np

from ._names import named

if TYPE_CHECKING:
    from numpy.typing import NDArray

# A descent ends with "iters", "tol" or "callback"; `FitResult` explains the others.
Stopped = Literal["iters", "tol", "callback", "rounding", "separated", "passes"]
# The relative gap above which rounding has ended a search too early.
ROUNDING_GAP = 1e-8
# Of the drawn cost curve.
WIDTH, HEIGHT, POINTS = 320, 96, 160


class _Result(tuple["NDArray[np.float64]", Any, "NDArray[np.float64]"]):
    """What was found: w, b and costs, and how it is shown."""

    stopped: Stopped
    feature_names: tuple[Any, ...] | None

    @property
    def w(self) -> NDArray[np.float64]:
        return self[0]

    @property
    def b(self) -> Any:  # a float, or (K, 1)
        return self[1]

    @property
    def costs(self) -> NDArray[np.float64]:
        return self[2]

    def _facts(self) -> dict[str, str]:
        facts = {"features": str(len(self.w))}
        if self.w.shape[1] > 1:
            facts["classes"] = str(self.w.shape[1])
        facts |= self._ending()
        if self.costs.size:
            facts["cost"] = f"{self.costs[0]:.6g} -> {self.costs[-1]:.6g}"
        if self.w.shape[1] > 1:
            return facts
        return facts | {"b": f"{self.b:.6g}"}

    def _ending(self) -> dict[str, str]:
        raise NotImplementedError

    def __repr__(self) -> str:
        facts = ", ".join(f"{name}: {value}" for name, value in self._facts().items())
        return f"<{type(self).__name__} {facts}>"

    def _repr_html_(self) -> str:
        """Draw the cost curve above the facts: what notebooks show."""
        rows = "".join(
            f"<tr><th style='text-align:left'>{name}</th>"
            f"<td style='text-align:left'>{value.replace('->', '&rarr;')}</td></tr>"
            for name, value in self._facts().items()
        )
        table = f"<table style='color:inherit;font:inherit'>{rows}</table>"
        return f"<div><b>{type(self).__name__}</b>{_curve(self.costs)}{table}</div>"


class TrainResult(_Result):
    """What `train` found; unpacks as ``w, b, costs``.

    Attributes
    ----------
    w : ndarray of shape (n_x, 1)
        Weights. From a data frame they know its columns by name: `predict` takes those from another
        frame, in whatever order it has them. Copies and pickles of w keep the names.
    b : float, or ndarray of shape (K, 1)
        Bias; with K classes one for each, and w is (n_x, K).
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

    alpha: float

    def __new__(
        cls,
        w: NDArray[np.float64],
        b: Any,
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

    def _ending(self) -> dict[str, str]:
        ending = {"iters": "all done", "tol": "tol reached", "callback": "stopped by callback"}
        return {"iterations": f"{self.costs.size} ({ending[self.stopped]})"}


class FitResult(_Result):
    """What `fit` found; unpacks as ``w, b, costs``.

    Attributes
    ----------
    w : ndarray of shape (n_x, 1)
        Weights; from a data frame they know its columns by name, as those of `TrainResult` do.
    b : float, or ndarray of shape (K, 1)
        Bias; with K classes one for each, and w is (n_x, K).
    costs : ndarray of shape (k,)
        The cost J at the point to start from, which small samples have given, and after each step.
        The last is J at w and b, penalties included.
    stopped : {"tol", "rounding", "separated", "passes", "callback"}
        What ended the search: the predicted gap is within `tol`; rounding hides whatever could
        still be gained; a plane separates the classes and there is no penalty, so that J falls to
        0 as w grows without bound; `max_passes` are used up; or a callback said so.
    converged : bool
        Whether w and b are the minimum: `stopped` is "tol", or "rounding" with a gap below 1e-8.
    gap : float
        The relative gap (J - min J) / J, as predicted from the slope and curvature at w and b. With
        `firth`, that of the penalized cost, relative to J, before the last step.
    passes : int
        How often X was read as a whole to compute J and its gradient. With `firth`, the number of
        points at which the penalized cost was computed; each takes up to five readings. With `l1`,
        factors or bounds, passes that read only the chosen features count, too.
    feature_names : tuple or None
        The names of the data frame's columns, in the order of w; None where X was no data frame.
    """

    __module__ = "logreg_c"

    gap: float
    passes: int

    def __new__(
        cls,
        w: NDArray[np.float64],
        b: Any,
        costs: NDArray[np.float64],
        stopped: Stopped,
        gap: float,
        passes: int,
        feature_names: tuple[Any, ...] | None = None,
    ) -> Self:
        self = super().__new__(cls, (named(w, feature_names), b, costs))
        self.stopped = stopped
        self.gap = gap
        self.passes = passes
        self.feature_names = feature_names
        return self

    def __getnewargs__(self) -> tuple[object, ...]:  # for pickle and copy
        settings = self.stopped, self.gap, self.passes, self.feature_names
        return np.asarray(self.w), self.b, self.costs, *settings

    @property
    def converged(self) -> bool:
        return self.stopped == "tol" or (self.stopped == "rounding" and self.gap <= ROUNDING_GAP)

    def _ending(self) -> dict[str, str]:
        ending = {
            "tol": "converged",
            "rounding": "converged to rounding" if self.converged else "not converged",
            "separated": "classes separated",
            "passes": "not converged",
            "callback": "stopped by callback",
        }
        return {"passes": f"{self.passes} ({ending[self.stopped]})", "gap": f"{self.gap:.1e}"}


@dataclass(frozen=True, eq=False, repr=False)
class FitManyResult:
    """What `fit_many` found; every array has one entry per fit.

    Attributes
    ----------
    w : ndarray of shape (k, n_x)
        Weights: row i is ``w.T`` of fit i. ``sigmoid(w @ X + b[:, None])`` has the probabilities
        of all fits for new examples.
    b : ndarray of shape (k,)
        Biases.
    cost : ndarray of shape (k,)
        J at w and b.
    gap, passes, stopped, converged : ndarray of shape (k,)
        As in `FitResult`. A fit whose data leave the range of float64 has ``stopped == "overflow"``
        and NaN for w, b and cost.
    groups : ndarray of shape (k,) or None
        The labels of the groups, in ascending order.
    feature_names : tuple or None
        The names of the data frame's columns, in the order of w.
    """

    __module__ = "logreg_c"

    w: NDArray[np.float64]
    b: NDArray[np.float64]
    cost: NDArray[np.float64]
    gap: NDArray[np.float64]
    passes: NDArray[np.int64]
    stopped: NDArray[np.str_]
    groups: NDArray[Any] | None = None
    feature_names: tuple[Any, ...] | None = None

    @property
    def converged(self) -> NDArray[np.bool_]:
        to_rounding = np.logical_and(self.stopped == "rounding", self.gap <= ROUNDING_GAP)
        converged: NDArray[np.bool_] = np.logical_or(self.stopped == "tol", to_rounding)
        return converged

    def __len__(self) -> int:
        """Return the number of fits."""
        return self.b.size

    def __repr__(self) -> str:
        converged = np.count_nonzero(self.converged)
        return (
            f"<FitManyResult fits: {len(self)}, features: {self.w.shape[1]}, "
            f"converged: {converged}, passes: {self.passes.sum()}>"
        )


def _curve(costs: NDArray[np.float64]) -> str:
    """Draw the costs as a line of the text's own color, which suits a light and a dark page."""
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
