# SPDX-License-Identifier: BSD-3-Clause
"""What a user passes, turned into what the kernel reads, and the messages of what is refused."""

from .arrays import COPIED_AT_ONCE, contiguous
from .classes import classes, matrices, several_outputs
from .frame_types import is_frame
from .many import Fit, Fits, fits
from .matrix import Examples, examples
from .scalars import (
    LARGEST,
    boolean,
    callbacks,
    integer,
    not_negative,
    number,
    positive,
    probability,
    threads,
)
from .vectors import codes_of, coefficients, labels, warn_of_lost_names, weights

__all__ = [
    "COPIED_AT_ONCE",
    "LARGEST",
    "Examples",
    "Fit",
    "Fits",
    "boolean",
    "callbacks",
    "classes",
    "codes_of",
    "coefficients",
    "contiguous",
    "examples",
    "fits",
    "integer",
    "is_frame",
    "labels",
    "matrices",
    "not_negative",
    "number",
    "positive",
    "probability",
    "several_outputs",
    "threads",
    "warn_of_lost_names",
    "weights",
]
