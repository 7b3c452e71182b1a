# SPDX-License-Identifier: BSD-3-Clause
"""Measurements of the installed package; each module answers one question and runs by itself.

In the clone's root, with ``logreg_c`` installed::

    python -m benchmarks                  # times of other libraries, and of simply reading X
    python -m benchmarks.limits           # how close a pass comes to a bare read in its own order
    python -m benchmarks.call_overhead    # what one call costs
    python -m benchmarks.import_time      # what the import costs
    python -m benchmarks.frames           # a data frame compared with a matrix of the same numbers
    python -m benchmarks.estimator        # scikit-learn's estimator compared with ours
    python -m benchmarks.minimum          # time to the minimum, compared with other libraries
    python -m benchmarks.errors           # time to standard errors, compared with statsmodels
    python -m benchmarks.many             # many small fits, compared with loops
    python -m benchmarks.cross_validation # many penalties and folds, compared with scikit-learn
    python -m benchmarks.softmax          # several classes, compared with scikit-learn
    python -m benchmarks.text_classes     # texts in 20 classes, compared with lbfgs and liblinear
    python -m benchmarks.lasso            # a path of l1 penalties, compared with other libraries
    python -m benchmarks.categories       # columns of categories, compared with one-hot
    python -m benchmarks.battery          # how many passes `fit` needs, on many problems
    python -m benchmarks.cache_misses     # is X read once per iteration? (needs valgrind)
    python -m benchmarks.extra_memory     # the memory a fit uses on top of X, here and elsewhere
    python -m benchmarks.stream FOLDER    # a file larger than memory, compared with a plain reader
    python -m benchmarks.cluster          # a Dask cluster here: overhead, killed workers, dask-ml
    python -m benchmarks.scale            # what fits to far larger data would take, by a model

They use two threads; ``OMP_NUM_THREADS=8 python -m benchmarks`` sets another number.
"""

import os
import sys
from pathlib import Path

# `python -m` puts the clone's root first in sys.path, where the source folder hides the package.
_root = Path(__file__).parent.parent
sys.path[:] = [folder for folder in sys.path if Path(folder).resolve() != _root]

# Libraries read these variables as they load, so they must be set before the first import of NumPy.
# OpenBLAS's other settings are removed, so that it uses its own defaults.
THREADS = int(os.environ.setdefault("OMP_NUM_THREADS", "2"))
os.environ["OPENBLAS_NUM_THREADS"] = str(THREADS)
os.environ.setdefault("KMP_BLOCKTIME", "1")  # ms Intel's OpenMP spins; default 200
for _name in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"):
    os.environ.pop(_name, None)
