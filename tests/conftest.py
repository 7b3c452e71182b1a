# SPDX-License-Identifier: BSD-3-Clause
"""The tests run against what is installed: in the clone's root, logreg_c is only the source."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

sys.path[:] = [entry for entry in sys.path if Path(entry).resolve() != ROOT]
