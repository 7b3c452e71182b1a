# SPDX-License-Identifier: BSD-3-Clause
"""A solver at work: the loop over the kernel's calls, and the callbacks that it calls."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import numpy as np

from logreg_c import _kernel
from logreg_c._errors import TrainingInterrupted
from logreg_c._names import named

from .divergence import COSTS_AT_ONCE

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from logreg_c._objective import Objective

    Callback = Callable[[int, float, NDArray[np.float64], float], object]

# Room for costs at first; it doubles when it is full. Room takes no memory until it is written to;
# doubling briefly takes twice the memory of the costs.
FIRST_COSTS = 1 << 24


def interrupted(
    w: NDArray[np.float64], b: float, costs: NDArray[np.float64], unit: str = "iterations"
) -> TrainingInterrupted:
    """Return what Ctrl-C raises."""
    msg = f"interrupted after {costs.size} {unit}; see the attributes w, b and costs"
    return TrainingInterrupted(msg, w, b, costs)


class Training(ABC):
    """A solver at work, as the `begin` of a callback gets it.

    Attributes
    ----------
    w : ndarray of shape (n_x, 1)
        The current weights; they change in place.
    iters : int
        The largest number of iterations, or of passes.
    callbacks : tuple
        All callbacks, in their order.
    feature_names : tuple or None
        The names of a data frame's columns.
    n_threads : int
        The largest number of threads.
    gap : float
        The predicted relative gap to the minimum; NaN if the solver does not predict it.
    settings : dict
        What the bits depend on, except for the data and the start, in types that JSON has.
    """

    def __init__(
        self,
        objective: Objective,
        w: NDArray[np.float64],
        iters: int,
        callbacks: Sequence[Any],
    ) -> None:
        self.w = w
        self.iters = iters
        self.callbacks = callbacks
        self.feature_names = objective.examples.names
        self.n_threads = objective.n_threads
        self.gap = math.nan
        self.settings: dict[str, Any] = {}
        self._objective = objective
        self._costs = np.empty(min(iters, FIRST_COSTS))

    @property
    @abstractmethod
    def done(self) -> int:
        """The number of costs so far."""

    @property
    @abstractmethod
    def b(self) -> float:
        """The current bias."""

    @property
    def spent(self) -> int:
        """How much of `iters` is used up."""
        return self.done

    @property
    def costs(self) -> NDArray[np.float64]:
        """A copy of the costs so far."""
        return self._costs[: self.done].copy()

    @abstractmethod
    def state(self) -> dict[str, NDArray[Any]]:
        """Return what `resume` needs in addition to w and the costs."""

    @abstractmethod
    def _continue(self, state: Mapping[str, NDArray[Any]], done: int) -> None: ...

    @abstractmethod
    def _advance(self, costs: NDArray[np.float64], steps: int) -> int: ...

    def resume(
        self,
        w: NDArray[np.float64],
        costs: NDArray[np.float64],
        state: Mapping[str, NDArray[Any]],
    ) -> None:
        """Continue, in `begin`, where an earlier training stopped.

        Raises a KeyError where `state` is not that of such a training.
        """
        self._continue(state, costs.size)
        self.w[...] = w
        self._costs = np.empty(min(self.iters, costs.size + FIRST_COSTS))
        self._costs[: costs.size] = costs

    def run(self) -> tuple[int, bool]:
        """Return the kernel's last status, and whether a callback ended the loop."""
        if not self.callbacks:
            return self._run()
        with ExitStack() as ends:
            for callback in self.callbacks:
                if hasattr(callback, "begin"):
                    callback.begin(self)
                if hasattr(callback, "end"):
                    ends.callback(callback.end)
            return self._run()

    def _prepare(self) -> int:
        """Do what comes before the loop, and return the kernel's status."""
        return _kernel.OK

    def _run(self) -> tuple[int, bool]:
        status = self._prepare()
        while status == _kernel.OK and self.spent < self.iters:
            room = self._costs.size - self.done
            if room == 0:
                self._costs = _with_more_room(self._costs, min(self.iters, 2 * self.done))
                room = self._costs.size - self.done
            before = self.done
            steps = 1 if self.callbacks else min(room, self.iters - self.spent)
            status = self._advance(self._costs, steps)
            if self.callbacks and self._calls_back(status) and self.done > before:
                k = self.done - 1
                told = [callback(k, self._costs.item(k), self._copy_of_w(), self.b)
                        for callback in self.callbacks]  # fmt: skip
                if any(told):
                    return status, True
        return status, False

    def _calls_back(self, status: int) -> bool:
        """Whether callbacks are called after a step that ended with this status."""
        return status == _kernel.OK

    def take_costs(self) -> NDArray[np.float64]:
        """Return the costs themselves, once the training is over."""
        self._costs.resize(self.done, refcheck=False)
        return self._costs

    def _copy_of_w(self) -> NDArray[np.float64]:
        return named(self.w.copy(), self.feature_names)


def _with_more_room(costs: NDArray[np.float64], size: int) -> NDArray[np.float64]:
    more = np.empty(size)
    for k in range(0, costs.size, COSTS_AT_ONCE):
        piece = costs[k : k + COSTS_AT_ONCE]
        more[k : k + piece.size] = piece
    return more
