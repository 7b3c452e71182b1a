# SPDX-License-Identifier: BSD-3-Clause
"""Tables from files, whole or in batches, as columns; every fault is one sentence.

`source` detects the format of a file. `delimited`, `arrays` and `arrow` handle one format each,
`reading` makes tables from all of them, and `columns` turns their columns into numbers and classes.
"""

from .columns import TEXT, categories, labels, matrix, numbers, one_hot, text, two_classes
from .reading import batches, check_presence, read
from .source import Source, opened

__all__ = [
    "TEXT",
    "Source",
    "batches",
    "categories",
    "check_presence",
    "labels",
    "matrix",
    "numbers",
    "one_hot",
    "opened",
    "read",
    "text",
    "two_classes",
]
