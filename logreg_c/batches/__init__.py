# SPDX-License-Identifier: BSD-3-Clause
"""Examples that are read in batches, for data larger than memory: X of `train`, `fit`, ...

Y and sample_weight are then the names of columns, or arrays. The result has the bits of the same
data in memory, whatever the sizes of the batches.
"""

from .batches import Batches
from .sources import from_array, from_files, from_stream

__all__ = ["Batches", "from_array", "from_files", "from_stream"]
