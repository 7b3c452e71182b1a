# SPDX-License-Identifier: BSD-3-Clause
"""What `train`, `fit` and the predictions do where there are several classes."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from . import _input
from ._errors import ConvergenceWarning, DivergenceWarning
from ._names import named
from ._objective import SoftmaxObjective, SoftObjective
from ._result import FitResult, TrainResult
from ._softmax_parts import SoftmaxInParts
from ._solvers.divergence import warning_of
from ._solvers.softmax import Searching, start_from
from ._solvers.softmax_descent import descend_classes
from ._solvers.training import interrupted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from ._input import Examples
    from ._parts import Source
    from ._result import Stopped


class Classes:
    """Examples of several classes that have been checked, and where to start.

    Those of a source have no codes here. In place of codes there may be probabilities, (K, m).
    """

    def __init__(
        self,
        examples: Examples,
        codes: NDArray[Any] | None,
        k: int,
        *,
        source: Source | None,
        w: Any,
        b: Any,
        sample_weight: Any,
        n_threads: int | None,
    ) -> None:
        self.k = k
        n_threads = _input.threads(n_threads)
        if source is None:
            weights = _input.weights(sample_weight, examples)
            examples = examples._replace(float32=False)
            self.objective: SoftmaxObjective
            if codes is not None and codes.ndim == 2:
                self.objective = SoftObjective(examples, codes, weights, n_threads)
            else:
                self.objective = SoftmaxObjective(examples, codes, weights, n_threads)
        else:
            self.objective = SoftmaxInParts(source, n_threads, float32=False)
        self.w = np.zeros((examples.shape[0], k))
        self.b = np.zeros(k)
        if np.ndim(b) == 0 and b not in {None, 0.0}:
            msg = f"b is {b!r} and there are {k} classes; expected {k} values, one for each"
            raise ValueError(msg)
        if w is not None or np.ndim(b) > 0:
            w = self.w if w is None else w
            self.w, self.b = _input.matrices(w, self.b if np.ndim(b) == 0 else b, examples, k)


def refuse(settings: Mapping[str, object], why: str) -> None:
    """Refuse settings, by name, that are those of one output."""
    for name, given in settings.items():
        if given:
            msg = f"{name} is {given!r} and Y has several classes; {why}"
            raise ValueError(msg)


def train_classes(
    classes: Classes,
    alpha: Any,
    iters: int,
    *,
    l2: float,
    standardize: bool,
    tol: float,
    callbacks: Sequence[Any],
) -> TrainResult:
    """Descend, as `train` does."""
    names = classes.objective.examples.names
    found = descend_classes(
        *(classes.objective, alpha, iters),
        w=named(classes.w, names),
        b=classes.b,
        l2=l2,
        standardize=standardize,
        tol=tol,
        callbacks=callbacks,
    )
    if found.fault:
        msg = warning_of(found.fault, found.alpha, l2, standardize=standardize)
        warnings.warn(msg, DivergenceWarning, stacklevel=3)
    return TrainResult(found.w, found.b, found.costs, found.stopped, names, found.alpha)


def fit_classes(
    classes: Classes,
    max_passes: int,
    *,
    l2: float,
    tol: float,
    warm: bool,
    fixed_b: bool,
    callbacks: Sequence[Any],
    stacklevel: int = 3,
) -> FitResult:
    """Find the minimum, as `fit` does."""
    objective, names = classes.objective, classes.objective.examples.names
    theta = np.vstack([classes.w, classes.b])
    if not warm:
        theta = start_from(objective, classes.b, fixed_b=fixed_b)
    settings = {"l2": l2, "tol": tol, "fixed_b": fixed_b, "warm": warm}
    training = Searching(objective, theta, max_passes, callbacks, **settings)
    training.w = named(training.w, names)
    training.settings = objective.described() | {"classes": classes.k} | settings
    try:
        _, by_callback = training.run()
    except KeyboardInterrupt:
        raise interrupted(training.w, training.b, training.costs, "steps") from None
    stopped: Stopped = "callback" if by_callback else training.stopped
    result = FitResult(
        *(training.w, training.b, training.take_costs(), stopped, training.gap),
        training.spent,
        names,
    )
    runaway = None if by_callback else training.runaway(result)
    if runaway is not None:
        msg = (
            f"{runaway.told()}, so these weights depend on where the search stopped; pass a small "
            "penalty, such as l2=1e-4"
        )
        warnings.warn(msg, ConvergenceWarning, stacklevel=stacklevel)
    elif not result.converged and stopped != "callback":
        warnings.warn(_why(result, l2), ConvergenceWarning, stacklevel=stacklevel)
    return result


def _why(result: FitResult, l2: float) -> str:
    if result.stopped == "separated" and l2 > 0.0:
        return "all labels are alike, so b grows without bound; expected labels of several classes"
    if result.stopped == "separated":
        return (
            "planes separate the classes, so J has no minimum: it falls to 0 as w grows without "
            "bound; pass a small penalty, such as l2=1e-4"
        )
    return (
        f"the predicted gap is {result.gap:.1e} after {result.passes} passes; pass a larger "
        "max_passes or a larger l2, or bring the features to similar sizes"
    )
