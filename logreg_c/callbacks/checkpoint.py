# SPDX-License-Identifier: BSD-3-Clause
"""A training saved in a file as it goes, and resumed from it."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from logreg_c import _input
from logreg_c._files import written_whole
from logreg_c._npz import read_stored
from logreg_c._version import __version__

if TYPE_CHECKING:
    import os

    from numpy.typing import NDArray

    from logreg_c._solvers.training import Training


class _Snapshot(NamedTuple):
    """Where a training stood after `done` iterations."""

    done: int
    w: NDArray[np.float64]
    solver: dict[str, NDArray[Any]]
    others: list[dict[str, Any]]


class Checkpoint:
    """Save a training to a file while it runs, and resume it from there, bit for bit.

    Run the same program again after a crash, and `train` continues from the file: the result has
    the bits, and all the costs, of a training that was never interrupted. The file is replaced as
    a whole, so a process that dies at any moment leaves a file to resume from, or none yet. Only
    `iters` may change. Other data are detected at the first cost after resuming. The state of the
    callbacks before it in the list is saved too.

    Parameters
    ----------
    path : path-like
        The file, in NumPy's .npz format, without pickles. Delete it to start over.
    seconds : float, optional
        The time between saves, >= 0; the end of the training is always saved.

    Raises
    ------
    ValueError
        By `train`, before the first iteration: the file is of another training, or damaged.
    OSError
        By `train`: the file cannot be read or written.

    Examples
    --------
    >>> import logreg_c
    >>> from logreg_c.callbacks import Checkpoint, EarlyStopping
    >>> X, Y = [[1.0, 2.0, 4.0]], [0, 1, 1]
    >>> checkpoint = Checkpoint(tmp / "run.npz", seconds=10)
    >>> early = EarlyStopping([[1.5, 3.0]], [0, 1])
    >>> result = logreg_c.train(X, Y, 0.1, 100, callback=[early, checkpoint])
    """

    __module__ = "logreg_c.callbacks"

    def __init__(self, path: str | os.PathLike[str], *, seconds: float = 30.0) -> None:
        self.path = Path(path).resolve()
        self._seconds = _input.not_negative(seconds, "seconds")
        self._training: Training | None = None

    def begin(self, training: Training) -> None:
        """Resume from the file, if there is one; else find out that it can be written."""
        if training.callbacks[-1] is not self:
            msg = (
                "the Checkpoint is followed by another callback; expected it last, where it sees "
                "what the others have come to: callback=[..., checkpoint]"
            )
            raise ValueError(msg)
        self._others: list[Any] = [c for c in training.callbacks if hasattr(c, "state")]
        self._settings = training.settings | {
            "logreg_c": __version__,
            "callbacks": [_described(callback) for callback in self._others],
        }
        self._start = training.w.copy(), training.b
        self._previous: _Snapshot | None = None
        self._expected: float | None = None
        self._latest = self._snapshot(training, training.w.copy())
        with written_whole(self.path, rehearse=True):
            pass
        if self.path.exists():
            self._resume(training)
        self._saved = time.monotonic()
        self._training = training

    def __call__(self, k: int, cost: float, w: NDArray[np.float64], b: Any) -> None:  # noqa: ARG002
        """Save, if it is time."""
        training = self._training
        if training is None:
            msg = (
                "a Checkpoint was called by something else than train; expected it in the list of "
                "callbacks itself: callback=[..., checkpoint]"
            )
            raise ValueError(msg)
        self._compare(cost)
        if time.monotonic() - self._saved >= self._seconds:
            self._save(training)
        # Two, since the file holds a cost beyond what it resumes from, for `_compare`.
        self._previous, self._latest = self._latest, self._snapshot(training, w)

    def end(self) -> None:
        """Save where the training ended."""
        training, self._training = self._training, None
        if training is None:
            return
        costs = training.costs
        if costs.size > self._latest.done:  # tol was reached: no update, and no call
            self._compare(costs.item(self._latest.done))
        self._save(training)

    def _snapshot(self, training: Training, w: NDArray[np.float64]) -> _Snapshot:
        others = [callback.state() for callback in self._others]
        return _Snapshot(training.done, w, training.state(), others)

    def _compare(self, cost: float) -> None:
        expected, self._expected = self._expected, None
        if expected is not None and cost != expected:
            self._training = None  # or `end` would replace the file
            self._refuse(
                f"other data: the next cost was {expected!r}, and X, Y and sample_weight now give "
                f"{cost!r}"
            )

    def _save(self, training: Training) -> None:
        costs = training.costs
        snapshot = self._latest if costs.size > self._latest.done else self._previous
        if snapshot is not None:
            with written_whole(self.path) as file:
                np.savez(file, **self._arrays(snapshot, costs))
        self._saved = time.monotonic()

    def _arrays(self, snapshot: _Snapshot, costs: NDArray[np.float64]) -> dict[str, Any]:
        return {
            "settings": np.array(json.dumps(self._settings)),
            "start_w": self._start[0],
            "start_b": self._start[1],
            "w": snapshot.w,
            "costs": costs[: snapshot.done + 1],
            **{f"solver {name}": value for name, value in snapshot.solver.items()},
            **{
                f"callback {j} {name}": value
                for j, state in enumerate(snapshot.others)
                for name, value in state.items()
            },
        }

    def _resume(self, training: Training) -> None:
        content = self.path.read_bytes()
        try:
            found = read_stored(content)
            settings = json.loads(str(found["settings"]))
            solver = {name: found[f"solver {name}"] for name in training.state()}
            w, start_w, costs = arrays = [found[name] for name in ("w", "start_w", "costs")]
            numbers = [found["start_b"], *(x for x in solver.values() if x.dtype == np.float64)]
            sound = w.shape == start_w.shape and w.ndim == 2 and costs.ndim == 1 <= costs.size
            sound &= found["start_b"].shape in ((), (w.shape[1], 1)) and isinstance(settings, dict)
            sound &= all(x.dtype == np.float64 and np.isfinite(x).all() for x in arrays + numbers)
        except Exception:  # noqa: BLE001 (foreign bytes make numpy, zipfile and json raise anything)
            sound = False
        if not sound:
            raise self._damaged()
        for name, mine in self._settings.items():
            if settings.get(name) != mine:
                self._refuse(f"{name} = {settings.get(name)!r}, and this one has {mine!r}")
        if w.shape != training.w.shape or any(
            (solver[name].shape, solver[name].dtype) != (mine.shape, mine.dtype)
            for name, mine in training.state().items()
        ):
            raise self._damaged()
        if any(
            np.asarray(kept).tobytes() != np.asarray(mine).tobytes()
            for kept, mine in zip((start_w, found["start_b"]), self._start, strict=True)
        ):
            self._refuse("another w or b to start from")
        if costs.size > training.iters:
            self._refuse(f"{costs.size} iterations, and this one has iters = {training.iters}")
        try:
            training.resume(w, costs[:-1], solver)
        except KeyError:
            raise self._damaged() from None
        self._expected = costs.item(-1)
        for j, callback in enumerate(self._others):
            prefix = f"callback {j} "
            try:
                callback.restore({
                    name.removeprefix(prefix): value
                    for name, value in found.items()
                    if name.startswith(prefix)
                })  # fmt: skip
            except ValueError as error:
                self._refuse(str(error))
            except (KeyError, TypeError, AttributeError) as error:
                raise self._damaged() from error
        self._latest = self._snapshot(training, training.w.copy())

    def _damaged(self) -> ValueError:
        return ValueError(
            f"{self.path} is damaged, or was not written by a Checkpoint; delete it to begin anew, "
            "or choose another path"
        )

    def _refuse(self, difference: str) -> None:
        msg = (
            f"{self.path} is of a training with {difference}; expected the same. To begin anew, "
            "delete it or choose another path"
        )
        raise ValueError(msg)


def _described(callback: Any) -> str:
    settings = getattr(callback, "settings", {})
    shown = ", ".join(f"{name}={value!r}" for name, value in settings.items())
    return f"{type(callback).__name__}({shown})"
