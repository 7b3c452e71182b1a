# SPDX-License-Identifier: BSD-3-Clause
"""Tables from files, whole or in batches, as columns; every fault is one sentence.

`source` detects the format of a file. `delimited`, `arrays` and `arrow` handle one format each, and
`reading` makes tables from all of them. `columns` turns their columns into numbers and classes,
`preparing` into features by a recipe, with `dates`. `faults` lists all faults at once.
"""

from .columns import Labels, described, labels, number_of, numbers
from .preparing import Options, complete, features, filled, prepared
from .reading import Choice, batches
from .source import Source, opened

__all__ = [
    "Choice",
    "Labels",
    "Options",
    "Source",
    "batches",
    "complete",
    "described",
    "features",
    "filled",
    "labels",
    "number_of",
    "numbers",
    "opened",
    "prepared",
]
