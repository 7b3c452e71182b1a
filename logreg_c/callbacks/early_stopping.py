# SPDX-License-Identifier: BSD-3-Clause
"""Stopping by the cost on held-out data."""

from __future__ import annotations

import math
import weakref
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from logreg_c import _input
from logreg_c._names import named
from logreg_c._objective import Objective, SoftmaxObjective

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import ArrayLike, DTypeLike, NDArray

    from logreg_c._solvers.training import Training


class EarlyStopping:
    """Stop when the cost on held-out data no longer falls, and keep the best w and b.

    Parameters
    ----------
    X, Y, sample_weight
        The held-out data, as for `train`; a data frame may have its columns in any order.
    patience : int, optional
        The number of consecutive evaluations that may fail to lower the held-out cost, >= 1.
    min_delta : float, optional
        The decrease of the cost that counts as lower, >= 0.
    every : int, optional
        The number of iterations between evaluations, >= 1. An evaluation reads the held-out X once.
    dtype : dtype, optional
        The type to compute in, as for `train`; by default that of the training.

    Attributes
    ----------
    w : ndarray of shape (n_x, 1), or None before the first evaluation
    b : float, or ndarray of shape (K, 1)
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

    __module__ = "logreg_c.callbacks"

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
        self._patience = _input.integer(patience, "patience", 1)
        self._min_delta = _input.not_negative(min_delta, "min_delta")
        self._every = _input.integer(every, "every", 1)
        self._training: weakref.ref[Training] | None = None
        self._begin_anew()

    def __repr__(self) -> str:
        """Return the parameters, without the data."""
        given = ", ".join(f"{name}={value}" for name, value in self.settings.items())
        return f"EarlyStopping({given})"

    @property
    def settings(self) -> dict[str, Any]:
        """What a checkpoint compares."""
        return {"patience": self._patience, "min_delta": self._min_delta, "every": self._every}

    def _begin_anew(self) -> None:
        self._objective: Objective | None = None
        self.w: NDArray[np.float64] | None = None
        self.b: Any = 0.0
        self.cost = self._to_beat = math.inf
        self.iteration = -1
        self._failed = 0

    def begin(self, training: Training) -> None:
        """Forget an earlier training, and compute in the arithmetic of this one."""
        if self._training is not None and self._training() is not None:
            msg = (
                "the EarlyStopping is at work already, in a training that has not ended; expected "
                "one of its own for each training, and once in the list of callbacks"
            )
            raise ValueError(msg)
        self._begin_anew()
        if np.ndim(training.b):
            self.b = np.zeros_like(training.b)
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
            examples = _input.examples(X, dtype, w, categories=True)
            if examples.shape[0] != len(w):
                msg = (
                    f"X has {examples.shape[0]} features, and the training {len(w)}; expected the "
                    "same features, in the same order"
                )
                raise ValueError(msg)
            if np.ndim(w) == 2 and w.shape[1] > 1:
                return SoftmaxObjective(
                    examples._replace(float32=False),
                    _input.classes_of(Y, examples, w.shape[1]),
                    _input.weights(sample_weight, examples),
                    _input.threads(n_threads),
                )
            return Objective.checked(examples, Y, sample_weight=sample_weight, n_threads=n_threads)

    def _held_out_cost(self, w: NDArray[np.float64], b: Any) -> float:
        if self._objective is None:  # called by something else than train
            self._objective = self._read(w, self._dtype, None)
        with _naming_held_out_data():
            if isinstance(self._objective, SoftmaxObjective):
                weights, biases = _input.matrices(w, b, self._objective.examples)
                return self._objective.softmax(weights, biases, 0.0)[0]
            return self._objective(_input.coefficients(w, self._objective.examples), b, 0.0)[0]

    def __call__(self, k: int, cost: float, w: NDArray[np.float64], b: Any) -> bool:  # noqa: ARG002
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
        """Release the training, and what evaluations needed."""
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
        """Continue from a state, if w and b have the same cost on these held-out data."""
        for name, value in self.state().items():
            kept, mine = state[name], np.asarray(value)
            if (kept.dtype.kind, kept.ndim) != (mine.dtype.kind, mine.ndim):
                raise TypeError(name)
        w, cost, iteration = state["w"], state["cost"].item(), state["iteration"].item()
        b = state["b"] if state["b"].ndim else state["b"].item()
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
