# SPDX-License-Identifier: BSD-3-Clause
"""Measurements of the installed package; each module is one question and runs by itself.

From the clone's root, with ``logreg_c`` installed::

    python -m benchmarks                  # times beside other libraries', and a bare read of X
    python -m benchmarks.call_overhead    # what one call costs
    python -m benchmarks.import_time      # what the import costs
    python -m benchmarks.frames           # a data frame beside the matrix of the same numbers
    python -m benchmarks.estimator        # scikit-learn's estimator and ours
    python -m benchmarks.cache_misses     # is X read once an iteration? (needs valgrind)
    python -m benchmarks.extra_memory     # what a fit takes beside X, here and elsewhere

They use two threads; ``OMP_NUM_THREADS=8 python -m benchmarks`` sets another number.
"""

import os
import sys
from pathlib import Path

# `python -m` puts the clone's root first in sys.path, where the source folder hides the package.
_root = Path(__file__).parent.parent
sys.path[:] = [folder for folder in sys.path if Path(folder).resolve() != _root]

# Libraries read these while they load, so they are set before the first import of NumPy. NumPy
# gets the OpenBLAS settings that it chooses by itself.
THREADS = int(os.environ.setdefault("OMP_NUM_THREADS", "2"))
os.environ["OPENBLAS_NUM_THREADS"] = str(THREADS)
os.environ.setdefault("KMP_BLOCKTIME", "1")  # ms that Intel's OpenMP spins after work, not 200
for _name in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"):
    os.environ.pop(_name, None)
