# SPDX-License-Identifier: BSD-3-Clause
"""What L-BFGS remembers of its steps, in compact form.

With P g what a factor of the Hessian makes of a gradient g, the direction is -(P g + S a - P Y t),
where the columns of S and Y are the last steps and the changes of the gradient that they brought.
The coefficients follow from S'g and (P Y)'g (Byrd, Nocedal and Schnabel, Mathematical Programming,
1994). So S and P Y are read twice per step, and the inner products of S and P Y with a change of
the gradient are differences of those with the gradients.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from logreg_c import _kernel

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

MEMORY = 10  # pairs


class Pairs:
    """The last steps and changes of the gradient, all of them with one factor."""

    def __init__(self, size: int) -> None:
        self._rows = np.empty((MEMORY, 2, size))  # a step, and P times the change
        # of every step, or of P times every change, with every change: rows, columns
        self._products = np.zeros((2, MEMORY, MEMORY))
        self.clear()

    def clear(self) -> None:
        """Forget all."""
        self._taken = 0
        self._step: NDArray[np.float64] | None = None
        self._before: tuple[NDArray[np.float64], ...] = ()

    def take(self, step: NDArray[np.float64]) -> None:
        """Remember a step from where `direction` was asked for to where it is asked for next."""
        self._step = step.ravel()

    def direction(
        self, gradient: NDArray[np.float64], moved: NDArray[np.float64], *, scaled: bool
    ) -> NDArray[np.float64]:
        """Return the direction at a gradient, from what the factor has made of it.

        The factor may be scaled to the curvature that the last step met (Shanno and Phua, 1978).
        """
        g, Pg = gradient.ravel(), moved.ravel()
        slot = None if self._step is None else self._add(self._step, g, Pg)
        self._step = None
        count = min(self._taken, MEMORY)
        found = np.zeros((MEMORY, 2))
        _kernel.multiply_rows(self._rows, 2 * count, g, found)
        if slot is not None:
            own = self._products[:, slot, slot].copy()
            self._products[:, :, slot] = (found - self._before[2]).T
            self._products[:, slot, slot] = own
            self._products[1, slot] = self._products[1, :, slot]  # P is symmetric
        self._before = g, Pg, found
        direction = -moved
        if count > 0:
            scale, coefficients = self._coefficients(found, scaled=scaled)
            direction *= scale
            _kernel.add_rows(self._rows, 2 * count, coefficients, direction)
        return direction

    def _add(
        self, step: NDArray[np.float64], g: NDArray[np.float64], Pg: NDArray[np.float64]
    ) -> int | None:
        """Put the last step in the place of the oldest, unless it met no curvature."""
        change, slot = g - self._before[0], self._taken % MEMORY
        of_step, of_moved = np.empty(1), np.empty(1)
        _kernel.multiply_rows(step, 1, change, of_step)
        if not of_step[0] > 0.0:
            return None
        self._rows[slot, 0] = step
        np.subtract(Pg, self._before[1], out=self._rows[slot, 1])
        _kernel.multiply_rows(self._rows[slot, 1], 1, change, of_moved)
        self._products[:, slot, slot] = of_step[0], of_moved[0]
        self._taken += 1
        return slot

    def _coefficients(
        self, found: NDArray[np.float64], *, scaled: bool
    ) -> tuple[float, NDArray[np.float64]]:
        """Return the scale of P, and the coefficients of the rows."""
        count = min(self._taken, MEMORY)
        order = np.arange(self._taken - count, self._taken) % MEMORY  # from the oldest on
        # not by two arrays of indices: NumPy 2.4 ends the process where memory runs out meanwhile
        of_step, of_moved = self._products.take(order, 1).take(order, 2)
        L = np.ascontiguousarray(of_step.T)
        scale = float(L[-1, -1] / of_moved[-1, -1]) if scaled else 1.0
        t, with_moved = found[order].T.copy()
        _kernel.solve_upper(L, count, t)
        a = np.diagonal(L) * t + scale * (np.add.reduce(of_moved * t, 1) - with_moved)
        _kernel.solve_lower(L, count, a)
        coefficients = np.zeros((MEMORY, 2))
        coefficients[order] = np.stack([-a, scale * t], 1)
        return scale, coefficients

    def state(self) -> dict[str, NDArray[Any]]:
        """Return what `resume` needs."""
        rows = self._rows.copy()
        rows[min(self._taken, MEMORY) :] = 0.0
        return {"pairs": rows, "products": self._products.copy(), "taken": np.array([self._taken])}

    def resume(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Go on from what `state` has returned of others."""
        self._rows[...] = state["pairs"].reshape(self._rows.shape)
        self._products[...] = state["products"]
        self._taken = int(state["taken"][0])
