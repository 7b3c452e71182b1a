# SPDX-License-Identifier: BSD-3-Clause
"""A progress bar (extra ``progress``)."""

from __future__ import annotations

import math
import warnings
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from logreg_c._solvers.training import Training


class Progress:
    """Show a progress bar with the cost, in a terminal or a notebook (extra ``progress``: tqdm).

    It counts iterations or, for `fit`, passes over X, and then shows the predicted gap to the
    minimum, too.

    Parameters
    ----------
    **options
        For ``tqdm.auto.tqdm``: `desc`, `leave`, `mininterval`, `file` ...

    Raises
    ------
    ModuleNotFoundError
        The extra is not installed.

    Examples
    --------
    >>> import logreg_c
    >>> from logreg_c.callbacks import Progress
    >>> X, Y = [[1.0, 2.0, 4.0]], [0, 1, 1]
    >>> result = logreg_c.train(X, Y, 0.1, 100, callback=Progress(disable=True))
    """

    __module__ = "logreg_c.callbacks"

    def __init__(self, **options: Any) -> None:
        try:
            with warnings.catch_warnings():  # a notebook without ipywidgets shows the bar as text
                warnings.filterwarnings("ignore", "IProgress not found")
                from tqdm.auto import tqdm  # noqa: PLC0415 (an extra)
        except ModuleNotFoundError as error:
            if (error.name or "").partition(".")[0] != "tqdm":
                raise
            msg = "logreg_c.callbacks.Progress needs tqdm: pip install 'logreg-c[progress]'"
            raise ModuleNotFoundError(msg, name="tqdm") from None
        self._tqdm = tqdm
        self._options = options
        self._training: Training | None = None
        self._bar: Any = None

    def begin(self, training: Training) -> None:
        """Learn what to count, and how far."""
        self._training = training

    def __call__(self, k: int, cost: float, w: NDArray[np.float64], b: float) -> None:  # noqa: ARG002
        """Move the bar on."""
        training = self._training
        if training is None or math.isnan(training.gap):
            total, done, gap, unit = training and training.iters, k + 1, "", "it"
        else:  # a search, whose end nobody knows
            total, done, gap, unit = None, training.spent, f", gap {training.gap:.1e}", "pass"
        if self._bar is None:  # now it is known how many were done before
            start = {"total": total, "initial": done - 1, "unit": unit}
            self._bar = self._tqdm(**(start | self._options))
        self._bar.set_postfix_str(f"cost {cost:.6g}{gap}", refresh=False)
        self._bar.update(done - self._bar.n)

    def end(self) -> None:
        """Show the last cost, and leave the bar."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None
