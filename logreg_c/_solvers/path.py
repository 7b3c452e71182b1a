# SPDX-License-Identifier: BSD-3-Clause
"""The minima of one objective for many penalties, each starting where the one before ended."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from logreg_c import _kernel

from .minimum import ENDINGS, Searching, ended
from .proximal import ProximalNewton
from .result import Solution
from .softmax import SharedFactor, logarithms, minimize_classes
from .training import interrupted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from logreg_c._objective import Objective, SoftmaxObjective

    from .penalty import Penalty


FURTHEST = 2.0  # that a line is followed, in the distance of the two points that it comes from


class _Path:
    """The searches for the minima of one objective, one after the other.

    The first starts at `start`, which is close to its minimum if `warm`. Where the search goes on
    from a minimum, it takes no pass to know J and its gradient. Where there is no minimum, the next
    search starts where the last one did.
    """

    def __init__(self, objective: Objective, start: Solution, *, warm: bool, **goal: Any) -> None:
        self.objective = objective
        self.w = start.w.copy()
        self.search: Any = None
        self._l2 = 0.0
        self.found: list[Solution] = []
        self._start, self._warm, self._goal = start, warm, goal

    def aim(self, l2: float, first: _Path | None = None) -> None:
        """Begin the search for the minimum of the next l2; the first path lends its memory."""
        self._l2 = l2
        worker = (first or self).search
        if self.search is None or not self.search.retarget(l2, worker.problem):
            self.w[...] = self._start.w
            self.search = self.objective.minimization(
                self.w, self._start.b, l2=l2, warm=self._warm, **self._goal
            )

    def note(self, found: Solution) -> None:
        """Note where that has ended.

        Without a penalty, weights of categories are relative to the first of each column, as those
        of `minimize` are; the search goes on from its own.
        """
        found = found._replace(w=self.w.copy())
        categories = self.objective.examples.categories
        if categories is not None and self._l2 == 0.0:
            occurring, fixed_b = self.objective.occurring(), self._goal["fixed_b"]
            b = categories.relative(found.w, found.b, occurring, fixed_b=fixed_b)
            found = found._replace(b=b)
        self.found.append(found)
        if found.stopped != "separated":
            self._start, self._warm = self.found[-1], True


def minimize_path(
    objective: Objective, l2s: Sequence[float], max_passes: int, start: Solution, **goal: Any
) -> list[Solution]:
    """Search for the minimum of each l2, in their order; `max_passes` is for each of them.

    `goal` is `warm`, tol, slope and fixed_b. `costs` may be empty: see `_Path`.
    """
    path = _Path(objective, start, passes=max_passes, **goal)
    for l2 in l2s:
        path.aim(l2)
        path.note(Searching(objective, path.search, path.w, max_passes, ()).solution())
    return path.found


def minimize_paths(
    objectives: Sequence[Objective],
    l2s: Sequence[Sequence[float]],
    max_passes: int,
    start: Solution,
    **goal: Any,
) -> list[list[Solution]]:
    """Do the same for several objectives over one X, each with as many l2s, without costs.

    A pass over X serves all of them, and each has the bits of its own `minimize_path`.
    """
    paths = [_Path(objective, start, passes=max_passes, **goal) for objective in objectives]
    for of_all in zip(*l2s, strict=True):
        for path, l2 in zip(paths, of_all, strict=True):
            path.aim(l2, paths[0])
        statuses = _kernel.minimize_together([path.search for path in paths])
        for path, status in zip(paths, statuses, strict=True):
            path.note(ended(path.objective, path.search, path.w, status))
    return [path.found for path in paths]


class _PathOfClasses:
    """The searches of one objective of several classes, one after the other."""

    def __init__(self, objective: SoftmaxObjective, start: Solution, *, warm: bool) -> None:
        self._objective, self._start, self._warm = objective, start, warm
        self._l2s: list[float] = []
        self._takes_shared = True
        self.found: list[Solution] = []

    def advance(self, l2: float, max_passes: int, shared: SharedFactor, **goal: Any) -> None:
        """Find the next minimum; a path that renews the shared factor makes its own from then on.

        The third search and later ones start where the line through the two minima before leads, by
        the logarithm of l2: that takes half the passes.
        """
        self._l2s.append(l2)
        w, b = self._start.w, self._start.b
        ahead = 0.0
        if self._warm and all(one.stopped in {"tol", "rounding"} for one in self.found[-2:]):
            ahead = _share(self._l2s[-3:])
        if ahead > 0.0:
            w, b = (
                now + ahead * (now - before)
                for before, now in zip(self.found[-2][:2], self.found[-1][:2], strict=True)
            )
        taken = shared if self._takes_shared else SharedFactor()
        at = {"w": w, "b": b, "warm": self._warm, "l2": l2, "shared": taken}
        self.found.append(minimize_classes(self._objective, max_passes, **at, **goal))
        self._takes_shared &= not taken.was_renewed
        if self.found[-1].stopped != "separated":
            self._start, self._warm = self.found[-1], True


def _share(l2s: Sequence[float]) -> float:
    """Return how far the last is from the second, relative to that from the first; 0: too far."""
    if len(l2s) < 3 or min(l2s) <= 0.0 or l2s[0] == l2s[1]:
        return 0.0
    last, following = logarithms(np.array([l2s[1] / l2s[0], l2s[2] / l2s[1]])).tolist()
    share: float = following / last
    return share if share <= FURTHEST else 0.0


def paths_of_classes(
    objectives: Sequence[SoftmaxObjective],
    l2s: Sequence[Sequence[float]],
    max_passes: int,
    start: Solution,
    *,
    warm: bool,
    **goal: Any,
) -> list[list[Solution]]:
    """Do the same for several classes.

    The searches for one l2 begin with the factor of the first of them: the objectives are alike.
    """
    paths = [_PathOfClasses(objective, start, warm=warm) for objective in objectives]
    for of_all in zip(*l2s, strict=True):
        shared = SharedFactor()
        for path, l2 in zip(paths, of_all, strict=True):
            path.advance(l2, max_passes, shared, **goal)
            shared.was_renewed = False
    return [path.found for path in paths]


def path_of_penalties(
    objective: Objective,
    penalties: Sequence[Penalty],
    max_passes: int,
    start: Solution,
    *,
    warm: bool,
    fixed_b: bool,
    **goal: Any,
) -> list[Solution]:
    """Do the same for penalties with l1 and the same bounds; the objective is one in float64.

    Where there is no minimum, the next search starts where the last one did. `goal` is tol, slope
    and unit, of `ProximalNewton`.
    """
    warm = warm or max_passes == 0
    newton, found = None, []
    for penalty in penalties:
        w = start.w[:, 0].copy()
        before = 0 if newton is None else newton.passes
        try:
            if newton is None:
                newton = ProximalNewton(
                    objective, w, start.b, penalty, intercept=not fixed_b, max_passes=0, **goal
                )
                status = newton.begin(warm=warm)
            else:
                newton.retarget(penalty)
                status = int(_kernel.OK)
            newton.max_passes = before + max_passes
            while status == _kernel.OK and newton.passes < newton.max_passes:
                status = newton.step()
            steepest = newton.steepest()
        except KeyboardInterrupt:
            raise interrupted(start.w, start.b, np.empty(0), "steps") from None
        minimum = Solution(
            newton.w[:, np.newaxis].copy(),
            newton.b,
            np.array([newton.cost]),
            newton.passes - before,
            ENDINGS[status],
            slope=steepest,
            gap=newton.gap,
        )
        found.append(minimum)
        if minimum.stopped == "separated":
            newton = None
        else:
            start, warm = minimum, True
    return found
