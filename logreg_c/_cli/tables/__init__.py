# SPDX-License-Identifier: BSD-3-Clause
"""Tables from files, whole or a batch at a time, as columns; each fault in one sentence.

`source` finds out what a file is, `delimited`, `arrays` and `arrow` know one format each,
`reading` makes tables of all of them, and `columns` turns their columns into what is computed with.
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
