# SPDX-License-Identifier: BSD-3-Clause
"""What a user passes, turned into what the kernel reads, and the messages of what is refused."""

from .arrays import COPIED_AT_ONCE, as_stored, contiguous, own_array
from .categories import Categorical, Categories, categorical, refuse_numbers
from .classes import (
    Labels,
    check_range,
    classes,
    classes_of,
    from_rows,
    matrices,
    several_outputs,
    signed,
)
from .frame_categories import Codes, column_of
from .frame_types import columns_of_frame, is_frame, names_of_frame, values_of
from .many import Fit, Fits, fits, penalties
from .matrix import Examples, examples, in_float32
from .per_feature import bounds, penalty_factors
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
from .sparse import STACK, is_sparse
from .vectors import (
    codes_of,
    coefficients,
    column,
    exponent_of_scale,
    labels,
    warn_of_lost_names,
    weights,
)

__all__ = [
    "COPIED_AT_ONCE",
    "LARGEST",
    "STACK",
    "Categorical",
    "Categories",
    "Codes",
    "Examples",
    "Fit",
    "Fits",
    "Labels",
    "as_stored",
    "boolean",
    "bounds",
    "callbacks",
    "categorical",
    "check_range",
    "classes",
    "classes_of",
    "codes_of",
    "coefficients",
    "column",
    "column_of",
    "columns_of_frame",
    "contiguous",
    "examples",
    "exponent_of_scale",
    "fits",
    "from_rows",
    "in_float32",
    "integer",
    "is_frame",
    "is_sparse",
    "labels",
    "matrices",
    "names_of_frame",
    "not_negative",
    "number",
    "own_array",
    "penalties",
    "penalty_factors",
    "positive",
    "probability",
    "refuse_numbers",
    "several_outputs",
    "signed",
    "threads",
    "values_of",
    "warn_of_lost_names",
    "weights",
]
