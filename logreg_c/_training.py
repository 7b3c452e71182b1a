# SPDX-License-Identifier: BSD-3-Clause
"""A training under way: the loop over the kernel's calls, and who is told of it."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import numpy as np

from . import _kernel
from ._result import with_names

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from ._result import Stopped

# Costs to make room for at first; the room doubles when it is full. Room takes no memory before it
# is written to, doubling takes twice the costs for a moment.
FIRST_COSTS = 1 << 24
COPIED_AT_ONCE = 1 << 16


class Training:
    """A training under way, as the `begin` of a callback gets it.

    Attributes
    ----------
    w : ndarray of shape (n_x, 1)
        The weights at present; they change in place.
    iters : int
        How many iterations there will be at most.
    callbacks : tuple
        All callbacks, in their order.
    feature_names : tuple or None
        The names of a data frame's columns.
    settings : dict
        What the bits depend on beside the data and the start, in types that JSON knows.
    """

    def __init__(
        self,
        problem: _kernel.Problem,
        w: NDArray[np.float64],
        iters: int,
        callbacks: tuple[Callable[..., object], ...],
        feature_names: tuple[Any, ...] | None,
    ) -> None:
        self.w = w
        self.iters = iters
        self.callbacks = callbacks
        self.feature_names = feature_names
        self.settings: dict[str, Any] = {}
        self._problem = problem
        self._costs = np.empty(min(iters, FIRST_COSTS))

    @property
    def done(self) -> int:
        """How many costs there are."""
        return self._problem.done

    @property
    def b(self) -> float:
        """The bias at present."""
        return self._problem.b

    @property
    def b_rest(self) -> float:
        """What b lacks to be exact, in the descent on standardised features."""
        return self._problem.b_rest

    @property
    def costs(self) -> NDArray[np.float64]:
        """A copy of the costs so far."""
        return self._costs[: self.done].copy()

    def resume(
        self, w: NDArray[np.float64], b: float, b_rest: float, costs: NDArray[np.float64]
    ) -> None:
        """Take up, in `begin`, where an earlier training stood."""
        self.w[...] = w
        self._costs = np.empty(min(self.iters, costs.size + FIRST_COSTS))
        self._costs[: costs.size] = costs
        self._problem.resume(b, b_rest, costs.size)

    def run(self, *, standardize: bool, scale_only: bool = False) -> tuple[int, Stopped]:
        """Descend; return the kernel's last status, and who stopped it if not that."""
        if not self.callbacks:
            return self._descend(standardize=standardize, scale_only=scale_only)
        with ExitStack() as ends:
            for callback in self.callbacks:
                if hasattr(callback, "begin"):
                    callback.begin(self)
                if hasattr(callback, "end"):
                    ends.callback(callback.end)
            return self._descend(standardize=standardize, scale_only=scale_only)

    def take_costs(self) -> NDArray[np.float64]:
        """Return the costs themselves, once the training is over."""
        self._costs.resize(self.done, refcheck=False)
        return self._costs

    def _descend(self, *, standardize: bool, scale_only: bool) -> tuple[int, Stopped]:
        problem, callbacks = self._problem, self.callbacks
        status = _kernel.OK
        if standardize and self.iters > 0:
            status, _ = standardize_features(problem, self.w.size, scale_only=scale_only)
        while status == _kernel.OK and problem.done < self.iters:
            room = self._costs.size - problem.done
            if room == 0:
                self._costs = _with_more_room(self._costs, min(self.iters, 2 * problem.done))
                room = self._costs.size - problem.done
            status = problem.descend(self._costs, 1 if callbacks else room)
            if callbacks and status == _kernel.OK:
                k = problem.done - 1
                told = [callback(k, self._costs.item(k), self._copy_of_w(), problem.b)
                        for callback in callbacks]  # fmt: skip
                if any(told):
                    return status, "callback"
        return status, "iters"

    def _copy_of_w(self) -> NDArray[np.float64]:
        return with_names(self.w.copy(), self.feature_names)


def standardize_features(
    problem: _kernel.Problem, n_x: int, *, scale_only: bool
) -> tuple[int, NDArray[np.float64]]:
    """Have the problem see standardised features, or scaled ones; return status and moments."""
    moments = np.empty((3, n_x))
    status = problem.standardize(moments, not scale_only, True)
    if scale_only:
        moments[:2] = 0.0
    return status, moments


def _with_more_room(costs: NDArray[np.float64], size: int) -> NDArray[np.float64]:
    """Copy in pieces, between which Ctrl-C is answered: a whole may take seconds."""
    more = np.empty(size)
    for k in range(0, costs.size, COPIED_AT_ONCE):
        piece = costs[k : k + COPIED_AT_ONCE]
        more[k : k + piece.size] = piece
    return more
