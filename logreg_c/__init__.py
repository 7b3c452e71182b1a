# SPDX-License-Identifier: BSD-3-Clause
"""Batch logistic regression by gradient descent, one pass over X in memory per iteration."""

from . import _signals

_signals.end_quietly()  # first, for NumPy takes long to load

try:
    from . import _kernel  # noqa: F401
except ImportError as error:
    msg = (
        f"no compiled kernel of logreg_c in {__path__[0]}. In a clone of the source, Python "
        "finds this folder before what was installed: start it elsewhere, or as python -P. Where "
        f"that is not the reason, install logreg-c again. What went wrong: {error}"
    )
    raise ImportError(msg) from error

from . import reference
from ._config import select_isa, show_config
from ._errors import (
    ConvergenceWarning,
    DivergenceError,
    DivergenceWarning,
    TrainingInterrupted,
)
from ._fit import fit
from ._names import with_names
from ._predict import predict, predict_proba, sigmoid
from ._result import FitResult, TrainResult
from ._train import cost_and_gradient, train
from ._version import __version__

__all__ = [
    "ConvergenceWarning",
    "DivergenceError",
    "DivergenceWarning",
    "FitResult",
    "TrainResult",
    "TrainingInterrupted",
    "__version__",
    "cost_and_gradient",
    "fit",
    "predict",
    "predict_proba",
    "reference",
    "show_config",
    "sigmoid",
    "train",
    "with_names",
]

select_isa()
