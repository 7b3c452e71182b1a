# SPDX-License-Identifier: BSD-3-Clause
"""A training under way: the loop over the kernel's calls, and who is told of it."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import numpy as np

from . import _kernel
from ._result import named

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from ._result import Stopped

# Costs to make room for at first; the room doubles when it is full. Room takes no memory before it
# is written to, doubling takes twice the costs for a moment.
FIRST_COSTS = 1 << 24
# Between such pieces Ctrl-C is answered: to handle 10^9 costs takes seconds.
COSTS_AT_ONCE = 1 << 16
# A change of J below this share of it is rounding. Measured on 400 problems at their minimum: 5e-16
# and 2.3e-7. A descent whose rises are so small is none that anybody could improve.
ROUNDING = {"float64": 1e-10, "float32": 1e-5}
# In so many of the iterations the cost has to rise for a warning. A step that is too long at the
# start alone raises it a few times, and is the faster for it afterwards.
NOTABLE = 0.05


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
    n_threads : int
        How many threads there may be.
    settings : dict
        What the bits depend on beside the data and the start, in types that JSON knows.
    """

    def __init__(
        self,
        descent: _kernel.Descent,
        w: NDArray[np.float64],
        iters: int,
        callbacks: tuple[Callable[..., object], ...],
        feature_names: tuple[Any, ...] | None,
        n_threads: int,
    ) -> None:
        self.w = w
        self.iters = iters
        self.callbacks = callbacks
        self.feature_names = feature_names
        self.n_threads = n_threads
        self.settings: dict[str, Any] = {}
        self._descent = descent
        self._costs = np.empty(min(iters, FIRST_COSTS))

    @property
    def done(self) -> int:
        """How many costs there are."""
        return self._descent.done

    @property
    def b(self) -> float:
        """The bias at present."""
        return self._descent.b

    @property
    def b_rest(self) -> float:
        """What b lacks to be exact, in the descent on standardised features."""
        return self._descent.b_rest

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
        self._descent.resume(b, b_rest, costs.size)

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
        descent, callbacks = self._descent, self.callbacks
        status = _kernel.OK
        if standardize and self.iters > 0:
            status, _ = standardize_features(descent.problem, self.w.size, centre=not scale_only)
        while status == _kernel.OK and descent.done < self.iters:
            room = self._costs.size - descent.done
            if room == 0:
                self._costs = _with_more_room(self._costs, min(self.iters, 2 * descent.done))
                room = self._costs.size - descent.done
            status = descent.descend(self._costs, 1 if callbacks else room)
            if callbacks and status == _kernel.OK:
                k = descent.done - 1
                told = [callback(k, self._costs.item(k), self._copy_of_w(), descent.b)
                        for callback in callbacks]  # fmt: skip
                if any(told):
                    return status, "callback"
        return status, "iters"

    def _copy_of_w(self) -> NDArray[np.float64]:
        return named(self.w.copy(), self.feature_names)


def standardize_features(
    problem: _kernel.Problem, n_x: int, *, centre: bool = True, scale: bool = True
) -> tuple[int, NDArray[np.float64]]:
    """Have the problem see centred and scaled features; return status and moments."""
    moments = np.empty((3, n_x))
    return problem.standardize(moments, centre, scale), moments


def _with_more_room(costs: NDArray[np.float64], size: int) -> NDArray[np.float64]:
    more = np.empty(size)
    for k in range(0, costs.size, COSTS_AT_ONCE):
        piece = costs[k : k + COSTS_AT_ONCE]
        more[k : k + piece.size] = piece
    return more


def why_no_descent(costs: NDArray[np.float64], b: float, arithmetic: str) -> str | None:
    """Say how the costs rose, if that was in a notable share of the iterations or for good.

    The rounding of J comes from that of Z as well, which is of the size of b where w.T X and b
    nearly cancel.
    """
    share = ROUNDING[arithmetic]
    of_b = float(np.finfo(arithmetic).eps) * abs(b)
    rises, first, lowest = 0, 0, 0
    for k in range(0, costs.size, COSTS_AT_ONCE):
        piece = costs[k : k + COSTS_AT_ONCE + 1]  # with the first of the next
        here = k + piece.size - 1
        if (piece[1:] > piece[:-1]).any():  # as a rule it has fallen all the way
            rose = piece[1:] - piece[:-1] > share * piece[1:] + of_b
            count = int(np.count_nonzero(rose))
            if count and not rises:
                first = k + int(rose.argmax())
            rises += count
            here = k + int(piece.argmin())
        if costs[here] < costs[lowest]:
            lowest = here
    said = []
    if rises and rises >= NOTABLE * (costs.size - 1):
        before, after = _told_apart(costs[first], costs[first + 1])
        said.append(
            f"rose in {rises} of {costs.size} iterations, first from {before} at iteration {first} "
            f"to {after} at iteration {first + 1}"
        )
    if costs.size and costs[-1] - costs[lowest] > share * costs[-1] + of_b:
        end, low = _told_apart(costs[-1], costs[lowest])
        said.append(f"ended at {end}, above the {low} of iteration {lowest}")
    return "the cost " + ", and ".join(said) if said else None


def _told_apart(one: float, other: float) -> tuple[str, str]:
    """Write two numbers with as many digits as it takes to see that they differ."""
    for digits in range(6, 18):
        shown = f"{one:.{digits}g}", f"{other:.{digits}g}"
        if shown[0] != shown[1]:
            break
    return shown
