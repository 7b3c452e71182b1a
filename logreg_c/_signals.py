# SPDX-License-Identifier: BSD-3-Clause
"""Ctrl-C while the command line is being loaded. It imports nothing that takes time itself."""

import _signal  # type: ignore[import-not-found] # signal takes as long as all before it
import os
import sys


def end_quietly() -> None:
    """End by Ctrl-C without a traceback from now on, if this process is the command line.

    Loading NumPy takes most of the time before a command can answer Ctrl-C itself, and Python's
    own way of ending comes after it.
    """
    name = sys.argv[0] if sys.argv else ""
    as_module = name == "-m" and "logreg_c" in sys.orig_argv
    as_script = os.path.basename(name).startswith("logreg-c")  # noqa: PTH119 (pathlib takes time)
    # The background jobs of a shell ignore Ctrl-C: that stays.
    handler = _signal.getsignal(_signal.SIGINT)
    if (as_module or as_script) and handler is _signal.default_int_handler:
        _signal.signal(_signal.SIGINT, lambda number, _frame: os._exit(128 + number))
