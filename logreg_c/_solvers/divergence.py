# SPDX-License-Identifier: BSD-3-Clause
"""What is wrong with a descent that rose or overflowed, and what to do about it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Costs per piece: 10^9 costs take seconds, and Ctrl-C is answered between pieces.
COSTS_AT_ONCE = 1 << 16
# A change of J below this share of it is rounding. Measured on 400 problems at their minimum: 5e-16
# and 2.3e-7. Nobody could improve a descent whose rises are that small.
ROUNDING = {"float64": 1e-10, "float32": 1e-5}
# The share of iterations in which the cost has to rise for a warning. A step that is too long only
# at the start raises it a few times, and is faster afterwards.
NOTABLE = 0.05


def why_no_descent(costs: NDArray[np.float64], b: float, arithmetic: str) -> str | None:
    """Say how the costs rose, if that was in a notable share of the iterations or for good.

    The rounding of J comes from that of Z as well, which is of the size of b where w.T X and b
    nearly cancel.
    """
    if not _rises(costs):  # as a rule it has fallen all the way
        return None
    share = ROUNDING[arithmetic]
    of_b = float(np.finfo(arithmetic).eps) * abs(b)
    rises, first, lowest = 0, 0, 0
    for k in range(0, costs.size, COSTS_AT_ONCE):
        piece = costs[k : k + COSTS_AT_ONCE + 1]  # with the first of the next
        here = k + piece.size - 1
        if _rises(piece):
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
    if costs[-1] - costs[lowest] > share * costs[-1] + of_b:
        end, low = _told_apart(costs[-1], costs[lowest])
        said.append(f"ended at {end}, above the {low} of iteration {lowest}")
    return "the cost " + ", and ".join(said) if said else None


def _rises(costs: NDArray[np.float64]) -> bool:
    for k in range(0, costs.size - 1, COSTS_AT_ONCE):
        piece = costs[k : k + COSTS_AT_ONCE + 1]
        if (piece[1:] > piece[:-1]).any():
            return True
    return False


def _told_apart(one: float, other: float) -> tuple[str, str]:
    """Write two numbers with as many digits as it takes to see that they differ."""
    for digits in range(6, 18):
        shown = f"{one:.{digits}g}", f"{other:.{digits}g}"
        if shown[0] != shown[1]:
            break
    return shown


def warning_of(fault: str, alpha: float, l2: float, *, standardize: bool) -> str:
    """Say what to do about a descent with a fault that `why_no_descent` reports."""
    limit = min(alpha, 2.0 / l2) if l2 > 0.0 else alpha
    advice = f"choose alpha below {limit:g}, such as 'auto'"
    if not standardize:
        advice += ", or pass standardize=True"
    return f"{fault}: {advice}"


def remedy(
    iteration: int, alpha: float, l2: float, *, updating: bool, standardize: bool, arithmetic: str
) -> str:
    """Say which range was left, and what to do."""
    if alpha * l2 > 2.0:
        return (
            f"{arithmetic}: alpha * l2 = {alpha * l2:g} is above 2, so the penalty alone makes w "
            f"grow at every iteration; choose alpha below 2 / l2 = {2.0 / l2:g}"
        )
    smaller = f"choose alpha below {alpha:g}"
    if updating:
        advice = f"float64 as w and b were updated: {smaller}, such as 'auto'"
    elif arithmetic == "float32":
        return (
            "float32, in which X of this dtype is computed: pass dtype=np.float64, which reads X "
            f"in place too, or {smaller}"
        )
    elif iteration == 0:
        return (
            "float64: X, w or b is too large (or too small, for standardize=True) for a sum or a "
            "square to be a float64; rescale X, say by its largest magnitude"
        )
    else:
        advice = f"float64: {smaller}"
    if standardize:
        return advice
    return f"{advice}, or rescale X: standardize=True does so without a copy"
