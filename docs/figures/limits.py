# SPDX-License-Identifier: BSD-3-Clause
"""The pictures that `python -m benchmarks --full` draws, from its run in times.json."""

import json
import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path.append(str(HERE.parent.parent))
from benchmarks import plots  # noqa: E402 (the line above makes it importable)

folder = Path(sys.argv[1]) if len(sys.argv) > 1 else HERE.parent / "images"
plots.draw(json.loads((HERE / "times.json").read_text(encoding="utf-8")), folder)
