# SPDX-License-Identifier: BSD-3-Clause
"""The tests run on the installed package: in the root of the clone, logreg_c is only the source."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

sys.path[:] = [entry for entry in sys.path if Path(entry).resolve() != ROOT]
