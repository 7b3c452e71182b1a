# SPDX-License-Identifier: BSD-3-Clause
"""Batch logistic regression by gradient descent, one pass over X in memory per iteration."""

from . import _signals

_signals.end_quietly()  # first, because NumPy takes long to load

import importlib as _importlib
import typing as _typing

try:
    from . import _kernel  # noqa: F401
except ImportError as error:
    msg = (
        f"logreg_c has no compiled kernel in {__path__[0]}. In a clone of the source, Python "
        "finds this folder before the installed package: start it elsewhere, or as python -P. If "
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
from ._fit_many import fit_many
from ._fit_path import fit_path, l1_max
from ._inference import inference
from ._names import with_names
from ._predict import predict, predict_proba, sigmoid
from ._result import FitManyResult, FitResult, TrainResult
from ._summary import Inference
from ._train import cost_and_gradient, train
from ._version import __version__

if _typing.TYPE_CHECKING:
    from . import batches as batches
    from . import callbacks as callbacks
    from .model import Model as Model
    from .model import load as load

__all__ = [
    "ConvergenceWarning",
    "DivergenceError",
    "DivergenceWarning",
    "FitManyResult",
    "FitResult",
    "Inference",
    "TrainResult",
    "TrainingInterrupted",
    "__version__",
    "cost_and_gradient",
    "fit",
    "fit_many",
    "fit_path",
    "inference",
    "l1_max",
    "predict",
    "predict_proba",
    "reference",
    "show_config",
    "sigmoid",
    "train",
    "with_names",
]

try:
    select_isa()
except ImportError as error:
    _signals.exit_if_command_line(error)
    raise


def __getattr__(name: str) -> object:
    """Import `batches`, `callbacks`, and what needs an extra, when it is first used."""
    if name in {"batches", "callbacks"}:
        return _importlib.import_module(f".{name}", __name__)
    if name in {"Model", "load"}:
        return getattr(_importlib.import_module(".model", __name__), name)
    message = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(message)


def __dir__() -> list[str]:
    return sorted({*globals(), "Model", "batches", "callbacks", "load"})
