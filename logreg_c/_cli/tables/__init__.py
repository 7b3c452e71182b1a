# SPDX-License-Identifier: BSD-3-Clause
"""Tables from files, whole or in batches, as columns; every fault is one sentence.

`source` detects the format of a file. `delimited`, `arrays` and `arrow` handle one format each, and
`reading` makes tables from all of them. `columns` turns their columns into numbers and classes,
`preparing` into features by a recipe, with `dates`. `faults` lists all faults at once.
"""

from .columns import Labels, labels, number_of, numbers
from .preparing import Options, Planned, complete, features, filled, prepared
from .reading import Choice, Piece, batches, batches_of, pieces, refuse_empty
from .scanning import Rows, filled_in_batches, scanned
from .source import Source, files_of, opened, opened_all

__all__ = [
    "Choice",
    "Labels",
    "Options",
    "Piece",
    "Planned",
    "Rows",
    "Source",
    "batches",
    "batches_of",
    "complete",
    "features",
    "files_of",
    "filled",
    "filled_in_batches",
    "labels",
    "number_of",
    "numbers",
    "opened",
    "opened_all",
    "pieces",
    "prepared",
    "refuse_empty",
    "scanned",
]
