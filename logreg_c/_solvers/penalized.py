# SPDX-License-Identifier: BSD-3-Clause
"""The minimum of J with an l1 penalty and bounds, with the callbacks of a training."""

from __future__ import annotations

import hashlib
import math
from typing import TYPE_CHECKING, Any

import numpy as np

from logreg_c import _kernel

from .minimum import ENDINGS
from .proximal import ProximalNewton
from .result import Solution
from .training import Training, interrupted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from logreg_c._objective import Objective
    from logreg_c._result import Stopped

    from .penalty import Penalty

    Vector = NDArray[np.float64]


def minimize_penalized(
    objective: Objective,
    max_passes: int,
    penalty: Penalty,
    *,
    w: Vector,
    b: float,
    warm: bool,
    tol: float,
    callbacks: Sequence[Any] = (),
    fixed_b: bool = False,
) -> Solution:
    """Do what `fit` does with a penalty that has been checked; w, (n_x, 1), changes in place.

    The objective is one in float64. `n_iter` of what is returned is the number of passes.
    """
    newton = ProximalNewton(
        objective,
        np.asarray(w).reshape(-1),
        b,
        penalty,
        intercept=not fixed_b,
        tol=tol,
        max_passes=max_passes,
    )
    search = PenalizedSearch(objective, newton, w, callbacks, warm=warm)
    try:
        status, by_callback = search.run()
    except KeyboardInterrupt:
        raise interrupted(w, search.b, search.take_costs(), "steps") from None
    stopped: Stopped = "callback" if by_callback else ENDINGS[status]
    return Solution(w, search.b, search.take_costs(), search.spent, stopped, gap=search.gap)


class PenalizedSearch(Training):
    """A search for the minimum with a penalty."""

    def __init__(
        self,
        objective: Objective,
        newton: ProximalNewton,
        w: Vector,
        callbacks: Sequence[Any],
        *,
        warm: bool,
    ) -> None:
        super().__init__(objective, w, newton.max_passes, callbacks)
        self._newton = newton
        self._warm = warm
        self.gap = math.inf
        self._resumed: tuple[Mapping[str, NDArray[Any]], int] | None = None
        if callbacks:
            digest = hashlib.sha256(b"".join(map(np.ndarray.tobytes, newton.penalty)))
            self.settings = objective.described() | {
                "tol": newton.tol,
                "intercept": newton.intercept,
                "penalty": digest.hexdigest(),
                "warm": warm,
            }

    @property
    def done(self) -> int:
        """The number of costs so far."""
        return self._newton.done if self._resumed is None else self._resumed[1]

    @property
    def spent(self) -> int:
        """The number of passes so far."""
        return self._newton.passes

    @property
    def b(self) -> float:
        """The current bias."""
        return self._newton.b if self._resumed is None else float(self._resumed[0]["b"])

    def state(self) -> dict[str, NDArray[Any]]:
        """Return what `resume` needs in addition to w and the costs."""
        return self._newton.state() if self._resumed is None else dict(self._resumed[0])

    def _continue(self, state: Mapping[str, NDArray[Any]], done: int) -> None:
        self._resumed = state, done

    def _calls_back(self, status: int) -> bool:
        return status in ENDINGS

    def _advance(self, costs: Vector, steps: int) -> int:
        newton, last = self._newton, self.done + steps
        status = int(_kernel.OK)
        if self._resumed is not None:
            newton.resume(self.w[:, 0].copy(), *self._resumed)
            self._resumed = None
        elif newton.done == 0:
            status = newton.begin(warm=self._warm)
            costs[0] = newton.cost
        while status == _kernel.OK and newton.done < last and newton.passes < self.iters:
            before = newton.done
            status = newton.step()
            if newton.done > before:
                costs[before] = newton.cost
        self.gap = newton.gap
        return status
