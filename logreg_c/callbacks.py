# SPDX-License-Identifier: BSD-3-Clause
"""Callbacks ready to use, for the parameter `callback` of `train`: one, or a list of them.

A callback is whatever can be called as ``callback(k, cost, w, b)``. A true return stops the
training, once those after it in the list have been called too. If it has these methods, they are
called as well:

``begin(training)``
    before the first iteration, with a `Training`;
``end()``
    after the last, also if an exception ends it, and in reverse order;
``state()`` and ``restore(state)``
    by `Checkpoint`: what it needs to go on, as a dict of arrays and numbers. A ValueError of
    ``restore`` says in what way the state is that of another training.
``settings``
    an attribute, a dict that JSON knows: `Checkpoint` refuses to resume with other ones.
"""

from __future__ import annotations

import json
import math
import time
import weakref
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from . import __version__, _check
from ._files import written_whole
from ._npz import read_stored
from ._objective import Objective
from ._result import named
from ._training import Training

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator, Mapping

    from numpy.typing import ArrayLike, DTypeLike, NDArray

__all__ = ["Checkpoint", "EarlyStopping", "Progress", "Training"]


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


class EarlyStopping:
    """Stop when the cost on held-out data no longer falls, and keep the best w and b.

    Parameters
    ----------
    X, Y, sample_weight
        The held-out data, as for `train`; a data frame may have its columns in any order.
    patience : int, optional
        How many evaluations in a row may fail to lower the held-out cost, >= 1.
    min_delta : float, optional
        By how much an evaluation must lower it to count, >= 0.
    every : int, optional
        Evaluate after every so many iterations, >= 1. An evaluation reads the held-out X once.
    dtype : dtype, optional
        The type to compute in, as for `train`; by default that of the training.

    Attributes
    ----------
    w : ndarray of shape (n_x, 1), or None before the first evaluation
    b : float
        The weights and the bias with the lowest held-out cost. (Those that `train` returns are the
        last.)
    cost : float
        That cost, without a penalty.
    iteration : int
        The iteration k whose update made them; -1 before the first evaluation.

    Examples
    --------
    >>> import numpy as np
    >>> import logreg_c
    >>> from logreg_c.callbacks import EarlyStopping
    >>> rng = np.random.default_rng(0)
    >>> X = rng.standard_normal((20, 60))
    >>> Y = X[0] + rng.standard_normal(60) > 0
    >>> stopping = EarlyStopping(X[:, 40:], Y[40:])
    >>> result = logreg_c.train(X[:, :40], Y[:40], 0.5, 10_000, callback=stopping)
    >>> result.stopped, result.costs.size - stopping.iteration
    ('callback', 11)
    """

    def __init__(
        self,
        X: ArrayLike,
        Y: ArrayLike,
        *,
        sample_weight: ArrayLike | None = None,
        patience: int = 10,
        min_delta: float = 0.0,
        every: int = 1,
        dtype: DTypeLike | None = None,
    ) -> None:
        self._given = X, Y, sample_weight
        self._dtype = dtype
        self._patience = _check.integer(patience, "patience", 1)
        self._min_delta = _check.not_negative(min_delta, "min_delta")
        self._every = _check.integer(every, "every", 1)
        self._training: weakref.ref[Training] | None = None
        self._begin_anew()

    @property
    def settings(self) -> dict[str, Any]:
        """What a checkpoint compares."""
        return {"patience": self._patience, "min_delta": self._min_delta, "every": self._every}

    def _begin_anew(self) -> None:
        self._objective: Objective | None = None
        self.w: NDArray[np.float64] | None = None
        self.b = 0.0
        self.cost = self._to_beat = math.inf
        self.iteration = -1
        self._failed = 0

    def begin(self, training: Training) -> None:
        """Forget an earlier training; compute in the arithmetic of this one."""
        if self._training is not None and self._training() is not None:
            msg = (
                "the EarlyStopping is at work already, in a training that has not ended; expected "
                "one of its own for each training, and once in the list of callbacks"
            )
            raise ValueError(msg)
        self._begin_anew()
        dtype = self._dtype
        if dtype is None and training.settings["arithmetic"] == "float64":
            dtype = np.float64
        self._objective = self._read(training.w, dtype, training.n_threads)
        self._training = weakref.ref(training)

    def _read(
        self, w: NDArray[np.float64], dtype: DTypeLike | None, n_threads: int | None
    ) -> Objective:
        X, Y, sample_weight = self._given
        with _naming_held_out_data():
            examples = _check.examples(X, dtype, w)
            if examples.shape[0] != w.size:
                msg = (
                    f"X has {examples.shape[0]} features, and the training {w.size}; expected the "
                    "same features, in the same order"
                )
                raise ValueError(msg)
            return Objective(examples, Y, sample_weight=sample_weight, n_threads=n_threads)

    def _held_out_cost(self, w: NDArray[np.float64], b: float) -> float:
        if self._objective is None:  # called by something else than train
            self._objective = self._read(w, self._dtype, None)
        with _naming_held_out_data():
            return self._objective(_check.coefficients(w, self._objective.examples), b, 0.0)[0]

    def __call__(self, k: int, cost: float, w: NDArray[np.float64], b: float) -> bool:  # noqa: ARG002
        """Evaluate w and b; return whether to stop."""
        if (k + 1) % self._every:
            return False
        J = self._held_out_cost(w, b)
        if J < self.cost:
            self.w, self.b, self.cost, self.iteration = w, b, J, k
        if J < self._to_beat - self._min_delta:
            self._to_beat = J
            self._failed = 0
        else:
            self._failed += 1
        return self._failed >= self._patience

    def end(self) -> None:
        """Let go of the training, and of what was needed to evaluate."""
        self._training = self._objective = None

    def state(self) -> dict[str, Any]:
        """Return what a checkpoint keeps."""
        return {
            "w": np.empty((0, 1)) if self.w is None else self.w,
            "b": self.b,
            "cost": self.cost,
            "iteration": self.iteration,
            "to_beat": self._to_beat,
            "failed": self._failed,
        }

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Go on from there, if the held-out data are the same: if w and b have the same cost."""
        for name, value in self.state().items():
            kept, mine = state[name], np.asarray(value)
            if (kept.dtype.kind, kept.ndim) != (mine.dtype.kind, mine.ndim):
                raise TypeError(name)
        w, (b, cost, iteration) = state["w"], (state[n].item() for n in ("b", "cost", "iteration"))
        if iteration >= 0:
            found = self._held_out_cost(w, b)
            if found != cost:
                msg = (
                    f"other held-out data: the lowest cost on them was {cost!r}, and those of "
                    f"EarlyStopping now give {found!r}"
                )
                raise ValueError(msg)
            names = self._objective.examples.names if self._objective else None
            self.w = named(w, names)
        self.b, self.cost, self.iteration = b, cost, iteration
        self._to_beat, self._failed = state["to_beat"].item(), state["failed"].item()


@contextmanager
def _naming_held_out_data() -> Iterator[None]:
    """Have the message of an error say whose X and Y it is about."""
    try:
        yield
    except (ValueError, TypeError, OverflowError) as error:
        error.args = (f"the held-out data of EarlyStopping: {error}",)
        raise


class _Snapshot(NamedTuple):
    """Where a training stood after `done` iterations."""

    done: int
    w: NDArray[np.float64]
    b: float
    b_rest: float
    others: list[dict[str, Any]]


class Checkpoint:
    """Save a training to a file while it runs, and resume it from there, bit for bit.

    Run the same program again after a crash, and `train` takes up the file where it finds it: the
    result has the bits, and all the costs, of a training that was never interrupted. The file is
    replaced as a whole, so whenever the process dies there is one that can be resumed from, or none
    yet. Only `iters` may be another; that the data are the same is seen by the first cost that
    comes out. Of the callbacks that precede it in the list it keeps what they have come to as well.

    Parameters
    ----------
    path : path-like
        The file, of NumPy's .npz format, without pickles. Delete it to begin anew.
    seconds : float, optional
        Save about so often, >= 0, and at the end.

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

    def __init__(self, path: str | os.PathLike[str], *, seconds: float = 30.0) -> None:
        self.path = Path(path).resolve()
        self._seconds = _check.not_negative(seconds, "seconds")
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

    def __call__(self, k: int, cost: float, w: NDArray[np.float64], b: float) -> None:  # noqa: ARG002
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
        return _Snapshot(training.done, w, training.b, training.b_rest, others)

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
            "b": snapshot.b,
            "b_rest": snapshot.b_rest,
            "costs": costs[: snapshot.done + 1],
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
            b, b_rest, start_b = numbers = [found[name] for name in ("b", "b_rest", "start_b")]
            w, start_w, costs = arrays = [found[name] for name in ("w", "start_w", "costs")]
            sound = w.shape == start_w.shape == (w.size, 1) and costs.ndim == 1 <= costs.size
            sound &= all(number.shape == () for number in numbers) and isinstance(settings, dict)
            sound &= all(x.dtype == np.float64 and np.isfinite(x).all() for x in arrays + numbers)
        except Exception:  # noqa: BLE001 (foreign bytes make numpy, zipfile and json raise anything)
            sound = False
        if not sound:
            raise self._damaged()
        for name, mine in self._settings.items():
            if settings.get(name) != mine:
                self._refuse(f"{name} = {settings.get(name)!r}, and this one has {mine!r}")
        if (start_w.tobytes(), start_b.item()) != (self._start[0].tobytes(), self._start[1]):
            self._refuse("another w or b to start from")
        if costs.size > training.iters:
            self._refuse(f"{costs.size} iterations, and this one has iters = {training.iters}")
        training.resume(w, b.item(), b_rest.item(), costs[:-1])
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
