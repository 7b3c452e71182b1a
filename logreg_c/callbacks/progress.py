# SPDX-License-Identifier: BSD-3-Clause
"""A progress bar (extra ``progress``)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from logreg_c._solvers.training import Training


class Progress:
    """Show a progress bar with the cost, in a terminal or a notebook (extra ``progress``: tqdm).

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
            from tqdm.auto import tqdm  # noqa: PLC0415 (an extra)
        except ModuleNotFoundError as error:
            if (error.name or "").partition(".")[0] != "tqdm":
                raise
            msg = "logreg_c.callbacks.Progress needs tqdm: pip install 'logreg-c[progress]'"
            raise ModuleNotFoundError(msg, name="tqdm") from None
        self._tqdm = tqdm
        self._options = options
        self._iters: int | None = None
        self._bar: Any = None

    def begin(self, training: Training) -> None:
        """Learn how many iterations there will be."""
        self._iters = training.iters

    def __call__(self, k: int, cost: float, w: NDArray[np.float64], b: float) -> None:  # noqa: ARG002
        """Move the bar on."""
        if self._bar is None:  # now it is known how many were done before
            self._bar = self._tqdm(total=self._iters, initial=k, **self._options)
        self._bar.set_postfix_str(f"cost {cost:.6g}", refresh=False)
        self._bar.update()

    def end(self) -> None:
        """Show the last cost, and leave the bar."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None
