# SPDX-License-Identifier: BSD-3-Clause
"""Ctrl-C while the command line loads. This module imports nothing that takes time itself."""

import _signal  # type: ignore[import-not-found] # importing signal takes as long as all the rest
import itertools
import os
import sys

SCRIPTS = "logreg-c", "logreg-c.exe", "logreg-c-script.py"


def end_quietly() -> None:
    """From now on, end without a traceback on Ctrl-C if this process is the command line.

    Loading NumPy takes most of the time before a command can handle Ctrl-C itself. A process that
    only imports the package keeps its own way to end.
    """
    name = sys.argv[0] if sys.argv else ""
    as_module = name == "-m" and ("-m", "logreg_c") in itertools.pairwise(sys.orig_argv)
    as_script = os.path.basename(name) in SCRIPTS  # noqa: PTH119 (pathlib takes time)
    # The background jobs of a shell ignore Ctrl-C, and go on doing so.
    handler = _signal.getsignal(_signal.SIGINT)
    if (as_module or as_script) and handler is _signal.default_int_handler:
        _signal.signal(_signal.SIGINT, lambda number, _frame: os._exit(128 + number))
