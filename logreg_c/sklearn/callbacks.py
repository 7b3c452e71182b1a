# SPDX-License-Identifier: BSD-3-Clause
"""scikit-learn's callbacks, from its version 1.9 on: a task for a fit, and one for each step."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

try:
    from sklearn.callback import CallbackSupportMixin as WithCallbacks
    from sklearn.callback import with_callbacks
except ModuleNotFoundError:  # scikit-learn 1.8 and before

    class WithCallbacks:  # type: ignore[no-redef]
        """Callbacks are not supported."""

    def with_callbacks(method: Any) -> Any:
        """Return the method."""
        return method


__all__ = ["Tasks", "WithCallbacks", "with_callbacks"]


class Tasks:
    """Tells the callbacks of an estimator about its fit; it is a callback of the solver.

    The task of a step begins where the one before has ended. So the last has no step, and ends with
    the fit, as in scikit-learn's estimators.
    """

    def __init__(self, estimator: Any, X: Any, y: Any, sample_weight: Any) -> None:
        metadata = None if sample_weight is None else {"sample_weight": sample_weight}
        self._data = {"X": X, "y": y, "metadata": metadata}
        self._fit = estimator._init_callback_context(max_subtasks=None)  # noqa: SLF001
        self._fit.call_on_fit_task_begin(estimator=estimator, **self._data)
        self._step: Any = None
        self._fitted = estimator

    def open(self, fitted: Any) -> None:
        """Begin the first step of what will be the fitted estimator."""
        self._fitted = fitted
        self._begin(None)

    def __call__(self, k: int, cost: float, w: NDArray[np.float64], b: Any) -> bool:  # noqa: ARG002
        """End the task of a step; return whether the fit is to end."""
        point = {"coef_": w.T.copy(), "intercept_": np.array(np.ravel(b))}
        ended = self._step.call_on_fit_task_end(
            estimator=self._fitted, reconstruction_attributes=point, **self._data
        )
        self._begin(point)
        return bool(ended)

    def close(self) -> None:
        """End the tasks."""
        self._step.call_on_fit_task_end(estimator=self._fitted)
        self._fit.call_on_fit_task_end(
            estimator=self._fitted, reconstruction_attributes={}, **self._data
        )

    def _begin(self, point: dict[str, Any] | None) -> None:
        self._step = self._fit.subcontext(task_name="step")
        self._step.call_on_fit_task_begin(
            estimator=self._fitted, reconstruction_attributes=point, **self._data
        )
